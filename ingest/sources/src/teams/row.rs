//! One flat row, as JSON object, as positional array with the names asked for, or as a line of
//! CSV: names to texts.

use std::collections::BTreeMap;

use callboard_model::record::{Record, Refusal};
use serde_json::Value;

use super::read::{At, clean, plain, says_nothing, scalar, time};

/// A row: plain names to texts; an empty text is a column without a value.
#[derive(Debug, Clone, Default)]
pub struct Row {
    cells: BTreeMap<String, String>,
    zone: String,
}

impl Row {
    /// Reads a record's bytes, whatever form they have.
    ///
    /// # Errors
    /// A refusal when they are neither JSON nor CSV with named columns.
    pub fn of(record: &Record) -> Result<Row, Refusal> {
        let zone = record.stamp.zone.clone();
        let columns = &record.stamp.columns;
        let text = std::str::from_utf8(&record.bytes).map_err(|e| {
            Refusal::new(
                "invalid_utf8",
                format!("not UTF-8 from byte {} on", e.valid_up_to()),
            )
        })?;
        let cells = if text.trim_start().starts_with(['{', '[']) {
            match serde_json::from_str(text) {
                Ok(Value::Object(map)) => map
                    .iter()
                    .filter_map(|(k, v)| Some((plain(k), cell(v)?)))
                    .collect(),
                Ok(Value::Array(values)) => columns
                    .iter()
                    .zip(&values)
                    .filter_map(|(k, v)| Some((plain(k), cell(v)?)))
                    .collect(),
                _ => {
                    return Err(Refusal::new(
                        "not_json",
                        "a row that begins as JSON and cannot be read as such; send it again whole",
                    ));
                }
            }
        } else {
            let values = fields(text, columns.len());
            let named = columns.iter().zip(&values);
            named.map(|(k, v)| (plain(k), clean(v))).collect()
        };
        Ok(Row { cells, zone })
    }

    /// A row of names alone, to tell a file's feed by its header.
    pub fn of_names<'n>(names: impl IntoIterator<Item = &'n str>) -> Row {
        let cells = names.into_iter().map(|n| (plain(n), String::new()));
        Row {
            cells: cells.collect(),
            zone: String::new(),
        }
    }

    /// The first of these columns that has a value.
    pub fn get(&self, names: &[&str]) -> Option<&str> {
        names
            .iter()
            .filter_map(|n| self.cells.get(*n))
            .map(String::as_str)
            .find(|t| !says_nothing(t))
    }

    /// The same as text of its own.
    pub fn text(&self, names: &[&str]) -> Option<String> {
        self.get(names).map(str::to_owned)
    }

    /// Whether the row has one of these columns, with a value or without.
    pub fn has(&self, names: &[&str]) -> bool {
        names.iter().any(|n| self.cells.contains_key(*n))
    }

    /// Whether a column's name begins so.
    pub fn has_any(&self, beginning: &str) -> bool {
        self.cells.keys().any(|k| k.starts_with(beginning))
    }

    /// A whole number.
    pub fn int(&self, names: &[&str]) -> Option<i64> {
        let n: f64 = self.get(names)?.parse().ok()?;
        (n.is_finite() && n.abs() < 1e12).then_some(n as i64)
    }

    /// A time in UTC, from a column of UTC times, else from one of local times.
    pub fn time(&self, utc: &[&str], local: &[&str]) -> Option<At> {
        let of_utc = self.get(utc).and_then(|t| time(t, ""));
        of_utc.or_else(|| self.get(local).and_then(|t| time(t, &self.zone)))
    }
}

/// A cell of a JSON row; what is no scalar stays in the bytes alone.
fn cell(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        other => scalar(other),
    }
}

/// The separators that exports of different countries use.
pub const SEPARATORS: [u8; 3] = *b",;\t";

/// The fields of one line, by the separator that gives as many as there are columns.
fn fields(line: &str, columns: usize) -> Vec<String> {
    let read = |separator: u8| -> Vec<String> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator)
            .from_reader(line.as_bytes());
        let first = reader.records().next();
        first
            .and_then(Result::ok)
            .map(|r| r.iter().map(str::to_owned).collect())
            .unwrap_or_default()
    };
    let all = SEPARATORS.map(read);
    let fitting = all.iter().find(|f| f.len() == columns);
    let longest = || all.iter().max_by_key(|f| f.len());
    fitting.or_else(longest).cloned().unwrap_or_default()
}
