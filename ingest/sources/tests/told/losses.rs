//! What a platform cannot tell, as the page of the platform lists it.
//!
//! | column | holds |
//! |---|---|
//! | cells | `table.column` several times, or `table` for whole rows |
//! | where | conditions on the row of the truth (of the product's for `more rows`), `;` between: `column=a,b`, `column!=a`, `has TOKEN,TOKEN`, `lacks TOKEN,TOKEN` |
//! | stands as | `±1 s`; `no row`; `more rows`; `other`: skipped; else the text that stands there, `NULL` for none |
//! | why | the reason, in words: what the format cannot tell, or that the simulated day does not write it |

use std::cell::Cell;

use crate::compare::Row;

/// The words of a reason that is not the format's but the simulated day's.
const NOT_WRITTEN: &str = "the simulated day does not write";

/// How a cell or a row is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Stands {
    /// Within so many milliseconds.
    Within(i64),
    /// The row is missing.
    NoRow,
    /// There are rows that the truth has not.
    MoreRows,
    /// It is not compared.
    Other,
    /// As this.
    As(Option<String>),
}

#[derive(Debug)]
enum Condition {
    Is(String, Vec<String>),
    IsNot(String, Vec<String>),
    Has(Vec<String>),
    Lacks(Vec<String>),
}

/// A line of the table.
#[derive(Debug)]
pub struct Loss {
    pub text: String,
    table: String,
    column: Option<String>,
    conditions: Vec<Condition>,
    pub stands: Stands,
    /// The format could tell it; the simulated day does not write it.
    pub not_written: bool,
    /// Whether anything was lost by it.
    pub needed: Cell<bool>,
}

impl Loss {
    fn meets(&self, row: &Row) -> bool {
        self.conditions.iter().all(|c| match c {
            Condition::Is(column, values) => values.iter().any(|v| *v == row.text(column)),
            Condition::IsNot(column, values) => values.iter().all(|v| *v != row.text(column)),
            Condition::Has(tokens) => tokens.iter().any(|t| row.has.contains(t)),
            Condition::Lacks(tokens) => tokens.iter().all(|t| !row.has.contains(t)),
        })
    }
}

/// The page of a platform.
pub fn page(platform: &str) -> String {
    match platform {
        "asterisk" => "../../docs/guides/connect-asterisk.md".to_owned(),
        other => format!("../../docs/platforms/{other}.md"),
    }
}

/// All lines of a platform.
pub struct Losses(pub Vec<Loss>);

impl Losses {
    /// Reads the table under a heading of the page of a platform.
    pub fn of(platform: &str, heading: &str) -> Losses {
        let path = page(platform);
        let page = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
        let section = page
            .split(&format!("## {heading}\n"))
            .nth(1)
            .unwrap_or_else(|| panic!("{path} lacks {heading:?}"));
        let section = section.split("\n## ").next().unwrap();
        let lines = section.lines().filter(|l| l.starts_with('|')).skip(2);
        Losses(lines.flat_map(line).collect())
    }

    /// How a cell is told, if not as it is.
    pub fn cell(&self, table: &str, column: &str, row: &Row) -> Option<&Loss> {
        self.0
            .iter()
            .find(|l| l.table == table && l.column.as_deref() == Some(column) && l.meets(row))
    }

    /// Whether a row may be missing, or be too much.
    pub fn row(&self, table: &str, stands: &Stands, row: &Row) -> Option<&Loss> {
        self.0
            .iter()
            .find(|l| l.table == table && l.column.is_none() && l.stands == *stands && l.meets(row))
    }
}

/// One line of the table: a loss for each of its cells.
fn line(text: &str) -> Vec<Loss> {
    let columns: Vec<String> = text
        .trim_matches('|')
        .split(" | ")
        .map(|c| c.replace('`', "").trim().to_owned())
        .collect();
    let [cells, conditions, stands, why] = columns.as_slice() else {
        panic!("four columns are wanted: {text}");
    };
    assert!(!why.is_empty(), "without a reason: {text}");
    let list = |t: &str| {
        t.split(',')
            .map(|v| v.trim().to_owned())
            .collect::<Vec<_>>()
    };
    let condition = |t: &str| {
        let t = t.trim();
        if let Some(tokens) = t.strip_prefix("has ") {
            Condition::Has(list(tokens))
        } else if let Some(tokens) = t.strip_prefix("lacks ") {
            Condition::Lacks(list(tokens))
        } else if let Some((column, values)) = t.split_once("!=") {
            Condition::IsNot(column.to_owned(), list(values))
        } else if let Some((column, values)) = t.split_once('=') {
            Condition::Is(column.to_owned(), list(values))
        } else {
            panic!("no condition: {t:?} in {text}")
        }
    };
    let stands = match stands.as_str() {
        "no row" => Stands::NoRow,
        "more rows" => Stands::MoreRows,
        "other" => Stands::Other,
        "NULL" => Stands::As(None),
        s => match s.strip_prefix('±').and_then(|s| s.strip_suffix(" s")) {
            Some(seconds) => Stands::Within(seconds.parse::<i64>().unwrap() * 1_000),
            None => Stands::As(Some(s.to_owned())),
        },
    };
    let one = |cell: String| {
        let (table, column) = match cell.split_once('.') {
            Some((table, column)) => (table.to_owned(), Some(column.to_owned())),
            None => (cell, None),
        };
        let of_rows = matches!(stands, Stands::NoRow | Stands::MoreRows);
        assert_eq!(of_rows, column.is_none(), "rows or cells? {text}");
        Loss {
            text: text.to_owned(),
            table,
            column,
            conditions: conditions
                .split(';')
                .filter(|c| !c.trim().is_empty())
                .map(condition)
                .collect(),
            stands: stands.clone(),
            not_written: why.contains(NOT_WRITTEN),
            needed: Cell::new(false),
        }
    };
    list(cells).into_iter().map(one).collect()
}
