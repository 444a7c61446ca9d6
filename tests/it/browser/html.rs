//! The little of HTML that the pages' numbers need: opening tags with their attributes and text.

/// An element's opening tag and its text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag {
    head: String,
    /// The text inside, tags taken out.
    pub text: String,
}

impl Tag {
    /// An attribute.
    pub fn attr(&self, name: &str) -> Option<String> {
        let at = self.head.find(&format!(" {name}=\""))? + name.len() + 3;
        let end = self.head[at..].find('"')? + at;
        Some(plain(&self.head[at..end]))
    }

    /// An attribute as a number.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.attr(name)?.parse().ok()
    }
}

fn plain(text: &str) -> String {
    let text = text.replace("&quot;", "\"").replace("&#39;", "'");
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// Every element of a page that begins so (`<a class="n`), up to its end tag.
pub fn tags(page: &str, begin: &str) -> Vec<Tag> {
    let name: String = begin
        .chars()
        .skip(1)
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    let end = format!("</{name}>");
    let mut out = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find(begin) {
        rest = &rest[at..];
        let close = rest.find('>').unwrap();
        let stop = rest.find(&end).unwrap_or(rest.len());
        let mut text = String::new();
        let mut inside = false;
        for c in rest[close + 1..stop].chars() {
            match c {
                '<' => inside = true,
                '>' => inside = false,
                c if !inside => text.push(c),
                _ => {}
            }
        }
        out.push(Tag {
            head: rest[..close].to_owned(),
            text: plain(&text),
        });
        rest = &rest[close..];
    }
    out
}

/// Lines of a CSV file as cells; quotes as RFC 4180 has them.
pub fn csv(text: &str) -> Vec<Vec<String>> {
    let (mut lines, mut line, mut cell, mut quoted) =
        (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => line.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                line.push(std::mem::take(&mut cell));
                lines.push(std::mem::take(&mut line));
            }
            '\r' if !quoted => {}
            c => cell.push(c),
        }
    }
    lines
}

#[test]
fn tags_and_cells_are_read() {
    let found = tags(
        "<p><a class=\"n zero\" href=\"/x?a&amp;b\" data-n=\"4\"><b>1</b>,2</a>",
        "<a class=\"n",
    );
    assert_eq!(found[0].attr("href").unwrap(), "/x?a&b");
    assert_eq!(
        (found[0].number("data-n"), found[0].text.as_str()),
        (Some(4.0), "1,2")
    );
    assert_eq!(
        csv("\u{feff}a,b\r\n\"x,\"\"y\"\"\",\r\n"),
        [["a", "b"], ["x,\"y\"", ""]]
    );
}
