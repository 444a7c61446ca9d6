//! Plain tables and their CSV.

use maud::{Markup, html};

/// Heading of a column.
#[derive(Debug, Clone)]
pub struct Head {
    /// Name.
    pub title: String,
    /// Unit, shown small beside the name.
    pub unit: Option<String>,
    /// What it means, shown on hover.
    pub about: Option<String>,
    /// Numbers stand to the right.
    pub right: bool,
    /// Sentences: the column is kept wide enough to be read.
    pub prose: bool,
}

impl Head {
    /// A column of words.
    pub fn words(title: &str) -> Self {
        Head {
            title: title.to_owned(),
            unit: None,
            about: None,
            right: false,
            prose: false,
        }
    }

    /// A column of sentences.
    pub fn prose(title: &str) -> Self {
        Head {
            prose: true,
            ..Head::words(title)
        }
    }

    /// A column of numbers with its unit.
    pub fn numbers(title: &str, unit: &str) -> Self {
        Head {
            unit: (!unit.is_empty()).then(|| unit.to_owned()),
            right: true,
            ..Head::words(title)
        }
    }

    /// Class of the column's cells.
    fn class(&self) -> Option<&'static str> {
        match (self.right, self.prose) {
            (true, _) => Some("num"),
            (_, true) => Some("prose"),
            _ => None,
        }
    }
}

/// From so many columns on a table is set tighter.
const MANY: usize = 12;

/// A table in its own scrolling, focusable box. The first cell of a row is its heading.
pub fn table(
    caption: &str,
    heads: &[Head],
    rows: &[Vec<Markup>],
    total: Option<&[Markup]>,
) -> Markup {
    let class = (heads.len() >= MANY).then_some("tight");
    framed(caption, class, heads, rows, total)
}

/// A table whose rows become cards on a narrow screen, each cell under the name of its column:
/// for lists of things that are read one by one.
pub fn cards(caption: &str, heads: &[Head], rows: &[Vec<Markup>]) -> Markup {
    framed(caption, Some("stack"), heads, rows, None)
}

fn framed(
    caption: &str,
    class: Option<&str>,
    heads: &[Head],
    rows: &[Vec<Markup>],
    total: Option<&[Markup]>,
) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(caption) {
            table class=[class] {
                caption { (caption) }
                thead { tr {
                    @for head in heads {
                        th scope="col" class=[head.class()] title=[head.about.as_deref()] {
                            (head.title)
                            @if let Some(unit) = &head.unit { " " span class="unit" { (unit) } }
                        }
                    }
                } }
                tbody {
                    @for row in rows { (line(heads, row)) }
                }
                @if let Some(total) = total {
                    tfoot { (line(heads, total)) }
                }
            }
        }
    }
}

fn line(heads: &[Head], row: &[Markup]) -> Markup {
    html! {
        tr {
            @for (i, cell) in row.iter().enumerate() {
                @let head = heads.get(i);
                @let class = head.and_then(Head::class);
                @if i == 0 {
                    th scope="row" class=[class] { (cell) }
                } @else {
                    td class=[class] data-head=[head.map(|h| h.title.as_str())] { (cell) }
                }
            }
        }
    }
}

/// One CSV cell (RFC 4180). A cell that a spreadsheet would run as a formula gets a leading
/// apostrophe; plain numbers are left as they are.
pub fn csv_cell(text: &str) -> String {
    let risky = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    let text = if risky {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// A CSV file with a byte order mark, as spreadsheets want it for UTF-8.
pub fn csv<'a>(heads: &[String], rows: impl Iterator<Item = Vec<String>> + 'a) -> String {
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|c| csv_cell(c)).collect();
        format!("{}\r\n", cells.join(","))
    };
    let mut out = String::from("\u{feff}");
    out += &line(heads);
    for row in rows {
        out += &line(&row);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_cannot_become_a_formula() {
        assert_eq!(csv_cell("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(csv_cell("-1.5"), "-1.5");
        assert_eq!(csv_cell("a,\"b\""), "\"a,\"\"b\"\"\"");
    }
}
