//! As much of XML as recording metadata needs: elements and attributes by their local names, text,
//! the five entities and numeric ones, CDATA. No document types, no external anything.

/// Deepest element.
const DEEPEST: usize = 32;

/// Most elements of a document.
const MOST: usize = 20_000;

/// An element.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// Local name, in lower case.
    pub name: String,
    /// Attributes by local name in lower case.
    pub attributes: Vec<(String, String)>,
    /// Text directly in it.
    pub text: String,
    /// Elements in it.
    pub children: Vec<Node>,
}

impl Node {
    /// The first of some attributes that is there.
    pub(super) fn attribute(&self, names: &[&str]) -> &str {
        let mut found = names.iter().filter_map(|name| {
            let of = self.attributes.iter().find(|(n, _)| n == name);
            of.map(|(_, v)| v.trim()).filter(|v| !v.is_empty())
        });
        found.next().unwrap_or("")
    }

    /// The elements of that name in it.
    pub(super) fn all<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'n Node> {
        self.children.iter().filter(move |c| c.name == name)
    }

    /// The text of the first element of that name, or empty.
    pub(super) fn child(&self, name: &str) -> &str {
        let found = self.children.iter().find(|c| c.name == name);
        found.map_or("", |c| c.text.trim())
    }
}

/// Reads a document; gives its outermost element, or what is wrong.
pub(super) fn parse(text: &str) -> Result<Node, String> {
    let mut stack: Vec<Node> = vec![Node::default()];
    let mut rest = text;
    let mut count = 0;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        if let Some(top) = stack.last_mut() {
            top.text.push_str(&plain(before));
        }
        if let Some(after) = tag.strip_prefix("<!--") {
            rest = cut(after, "-->")?.1;
        } else if let Some(after) = tag.strip_prefix("<![CDATA[") {
            let (data, after) = cut(after, "]]>")?;
            if let Some(top) = stack.last_mut() {
                top.text.push_str(data);
            }
            rest = after;
        } else if let Some(after) = tag.strip_prefix("<?") {
            rest = cut(after, "?>")?.1;
        } else if tag.starts_with("<!") {
            return Err("document types are not read".to_owned());
        } else if let Some(after) = tag.strip_prefix("</") {
            let (name, after) = cut(after, ">")?;
            close(&mut stack, name)?;
            rest = after;
        } else {
            count += 1;
            if count > MOST || stack.len() > DEEPEST {
                return Err("more or deeper elements than metadata has".to_owned());
            }
            let inner = tag.get(1..).unwrap_or_default();
            let (body, after) = cut(inner, ">")?;
            let empty = body.ends_with('/');
            let node = element(body.strip_suffix('/').unwrap_or(body))?;
            stack.push(node);
            if empty {
                let name = stack.last().map(|n| n.name.clone()).unwrap_or_default();
                close(&mut stack, &name)?;
            }
            rest = after;
        }
    }
    let mut outermost = match (stack.pop(), stack.is_empty()) {
        (Some(document), true) => document.children,
        _ => return Err("an element is not closed".to_owned()),
    };
    match outermost.len() {
        0 => Err("there is no element".to_owned()),
        _ => Ok(outermost.swap_remove(0)),
    }
}

fn cut<'t>(text: &'t str, end: &str) -> Result<(&'t str, &'t str), String> {
    text.split_once(end)
        .ok_or_else(|| format!("{end:?} is missing"))
}

fn close(stack: &mut Vec<Node>, name: &str) -> Result<(), String> {
    let node = stack.pop().unwrap_or_default();
    if node.name != local(name) {
        return Err(format!("</{}> closes <{}>", local(name), node.name));
    }
    match stack.last_mut() {
        Some(parent) => {
            parent.children.push(node);
            Ok(())
        }
        None => Err("an end without a beginning".to_owned()),
    }
}

/// A name without its prefix, in lower case.
fn local(name: &str) -> String {
    let name = name.trim();
    name.rsplit(':').next().unwrap_or(name).to_ascii_lowercase()
}

fn element(body: &str) -> Result<Node, String> {
    let body = body.trim();
    let (name, mut rest) = match body.find(char::is_whitespace) {
        Some(at) => body.split_at(at),
        None => (body, ""),
    };
    if name.is_empty() {
        return Err("an element without a name".to_owned());
    }
    let mut attributes = Vec::new();
    while let Some((name, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let quote = match after.chars().next() {
            Some(q @ ('"' | '\'')) => q,
            _ => return Err("an attribute without quotes".to_owned()),
        };
        let inner = after.get(1..).unwrap_or_default();
        let (value, after) = inner
            .split_once(quote)
            .ok_or("an attribute that is not closed")?;
        attributes.push((local(name), plain(value)));
        rest = after;
    }
    Ok(Node {
        name: local(name),
        attributes,
        ..Node::default()
    })
}

/// Text with its entities undone; an unknown one stays as it is.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (name, then) = after.split_once(';').unwrap_or((after, ""));
        let numeric = |digits: &str, base| u32::from_str_radix(digits, base).ok();
        let found = match name {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => match (name.strip_prefix("#x"), name.strip_prefix('#')) {
                (Some(hex), _) => numeric(hex, 16).and_then(char::from_u32),
                (None, Some(digits)) => numeric(digits, 10).and_then(char::from_u32),
                _ => None,
            },
        };
        match found {
            Some(c) => {
                out.push(c);
                rest = then;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_local_and_entities_undone() {
        let root = parse("<?xml version='1.0'?><a:r xmlns:a='x'><!-- c --><a:B Id=\"1 &amp; 2\"/>t&#65;&lt;<![CDATA[<>]]>&no;</a:r>").unwrap();
        assert_eq!((root.name.as_str(), root.text.as_str()), ("r", "tA<<>&no;"));
        assert_eq!(root.all("b").next().unwrap().attribute(&["id"]), "1 & 2");
        assert_eq!(root.child("none"), "");
    }

    #[test]
    fn broken_documents_say_what_is_wrong() {
        for (text, part) in [
            ("", "no element"),
            ("<a>", "not closed"),
            ("<a></b>", "closes"),
            ("</a>", "closes"),
            ("<a b=1/>", "quotes"),
            ("<!DOCTYPE a><a/>", "document types"),
            ("<a", "missing"),
        ] {
            let wrong = parse(text).unwrap_err();
            assert!(wrong.contains(part), "{text}: {wrong}");
        }
        let deep = "<a>".repeat(100);
        assert!(parse(&deep).unwrap_err().contains("deeper"));
    }
}
