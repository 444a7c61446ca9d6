//! Rows of the truth and of the server side by side.

use std::collections::BTreeMap;

use callboard_model::time::{format_rfc3339, parse_rfc3339};
use serde_json::{Number, Value};

use crate::simulate::Table;

/// A row in one form: values as text by the order of the table's columns that are compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row(Box<[Option<Box<str>>]>);

impl Row {
    /// The columns of a table out of an object.
    pub fn of(table: &Table, object: &serde_json::Map<String, Value>) -> Self {
        let value = |column: &str| -> Option<Box<str>> {
            match object.get(column)? {
                Value::Null => None,
                Value::String(text) if is_time(column) => Some(moment(text).into()),
                Value::String(text) => Some(text.as_str().into()),
                Value::Number(number) => Some(plain(number).into()),
                other => Some(other.to_string().into()),
            }
        };
        Row(table.compared().map(value).collect())
    }

    /// The value of a column.
    pub fn get(&self, table: &Table, column: &str) -> Option<&str> {
        let n = table.compared().position(|c| c == column)?;
        self.0.get(n)?.as_deref()
    }

    fn key(&self, table: &Table) -> Vec<String> {
        let of = |column: &&str| self.get(table, column).unwrap_or("").to_owned();
        table.key.iter().map(of).collect()
    }
}

fn is_time(column: &str) -> bool {
    column.ends_with("_at") || column == "at" || column == "interval_start"
}

/// A number in one form: 5 and 5.0 are the same.
fn plain(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => float.to_string(),
        _ => number.to_string(),
    }
}

/// A time in one form, however many digits were written.
fn moment(text: &str) -> String {
    match parse_rfc3339(text) {
        Some((us, _)) => format_rfc3339(us),
        None => text.to_owned(),
    }
}

/// A row that is not the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// As it should be; `None` when it should not be there.
    pub truth: Option<Row>,
    /// As the server has it; `None` when it is missing.
    pub server: Option<Row>,
}

impl Difference {
    /// The row of either side.
    pub fn row(&self) -> Option<&Row> {
        self.truth.as_ref().or(self.server.as_ref())
    }

    /// What differs, in a line or two.
    pub fn text(&self, table: &Table) -> String {
        let columns: Vec<&str> = table.compared().collect();
        let named = |row: &Row, only: &dyn Fn(usize) -> bool| {
            let cells = columns.iter().zip(row.0.iter()).enumerate();
            let parts = cells.filter(|(n, _)| only(*n));
            let part = |(_, (column, value)): (usize, (&&str, &Option<Box<str>>))| {
                format!("{column} {}", value.as_deref().unwrap_or("NULL"))
            };
            parts.map(part).collect::<Vec<_>>().join(", ")
        };
        match (&self.truth, &self.server) {
            (Some(truth), Some(server)) => {
                let differs = |n: usize| truth.0[n] != server.0[n];
                let is_key = |n: usize| table.key.contains(&columns[n]);
                format!(
                    "  {}\n    truth:  {}\n    server: {}\n",
                    named(truth, &is_key),
                    named(truth, &differs),
                    named(server, &differs)
                )
            }
            (Some(truth), None) => format!("  missing: {}\n", named(truth, &|_| true)),
            (None, Some(server)) => format!("  too much: {}\n", named(server, &|_| true)),
            (None, None) => String::new(),
        }
    }
}

/// What a comparison found.
#[derive(Debug, Default)]
pub struct Found {
    /// Rows of the truth.
    pub rows: u64,
    /// Rows that differ, are missing or too many.
    pub differing: u64,
    /// The first of them.
    pub shown: Vec<Difference>,
}

/// Holds the rows of both sides against each other: each as often as on the other side.
pub fn compare(table: &Table, truth: Vec<Row>, server: Vec<Row>, show: usize, found: &mut Found) {
    found.rows += truth.len() as u64;
    let mut by_key: BTreeMap<Vec<String>, (Vec<Row>, Vec<Row>)> = BTreeMap::new();
    for row in truth {
        by_key.entry(row.key(table)).or_default().0.push(row);
    }
    for row in server {
        by_key.entry(row.key(table)).or_default().1.push(row);
    }
    for (mut ours, mut theirs) in by_key.into_values() {
        ours.sort();
        theirs.sort();
        if ours == theirs {
            continue;
        }
        ours.retain(|row| match theirs.iter().position(|other| other == row) {
            Some(at) => {
                theirs.remove(at);
                false
            }
            None => true,
        });
        let (mut ours, mut theirs) = (ours.into_iter(), theirs.into_iter());
        loop {
            let difference = Difference {
                truth: ours.next(),
                server: theirs.next(),
            };
            if difference.row().is_none() {
                break;
            }
            found.differing += 1;
            if found.shown.len() < show {
                found.shown.push(difference);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::TABLES;

    fn links(rows: &[(&str, &str)]) -> Vec<Row> {
        let table = &TABLES[3];
        assert_eq!(table.name, "links");
        let row = |(to, at): &(&str, &str)| {
            let value = serde_json::json!({"from_contact": "a", "to_contact": to, "kind": "transfer", "at": at});
            Row::of(table, value.as_object().unwrap())
        };
        rows.iter().map(row).collect()
    }

    fn found(truth: &[(&str, &str)], server: &[(&str, &str)]) -> (u64, String) {
        let mut found = Found::default();
        compare(&TABLES[3], links(truth), links(server), 9, &mut found);
        let text = found.shown.iter().map(|d| d.text(&TABLES[3])).collect();
        (found.differing, text)
    }

    #[test]
    fn equal_rows_are_equal_in_any_order_and_however_their_times_are_written() {
        let truth = [
            ("b", "2026-03-07T09:15:04.250Z"),
            ("c", "2026-03-07T09:15:05.000Z"),
        ];
        let server = [
            ("c", "2026-03-07T09:15:05Z"),
            ("b", "2026-03-07T09:15:04.250000Z"),
        ];
        assert_eq!(found(&truth, &server).0, 0);
    }

    #[test]
    fn what_nothing_tells_is_null_and_numbers_have_one_form() {
        let table = TABLES.iter().find(|t| t.name == "surveys").unwrap();
        let row = |text: &str| {
            let object: Value = serde_json::from_str(text).unwrap();
            Row::of(table, object.as_object().unwrap())
        };
        let truth = row(r#"{"survey_id":"a","value":4}"#);
        let server = row(r#"{"survey_id":"a","value":4.0,"queue":null}"#);
        assert_eq!(truth, server);
        let other = row(r#"{"survey_id":"a","value":4,"queue":"sales"}"#);
        let mut found = Found::default();
        compare(table, vec![truth], vec![other], 1, &mut found);
        let text = found.shown[0].text(table);
        assert!(text.contains("truth:  queue NULL"), "{text}");
        assert!(text.contains("server: queue sales"), "{text}");
    }

    #[test]
    fn what_is_wrong_missing_or_doubled_is_named() {
        let at = "2026-03-07T09:15:04.250Z";
        let (n, text) = found(&[("b", at)], &[("b", "2026-03-07T09:15:04.251Z")]);
        assert_eq!(n, 1);
        assert!(
            text.contains("truth:  at 2026-03-07T09:15:04.250000Z"),
            "{text}"
        );
        assert!(
            text.contains("server: at 2026-03-07T09:15:04.251000Z"),
            "{text}"
        );
        assert!(found(&[("b", at)], &[]).1.contains("missing"));
        let (n, text) = found(&[("b", at)], &[("b", at), ("b", at)]);
        assert_eq!(n, 1);
        assert!(text.contains("too much"), "{text}");
    }
}
