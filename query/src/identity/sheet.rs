//! One CSV file: its lines by the names of their columns, within bounds.

use std::collections::HashMap;

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::pgwire::zones::Zone;

/// Most rows of a file.
const MOST: usize = 100_000;
/// Longest cell, characters.
const LONGEST: usize = 300;
/// Most faults that are told of one file.
const FAULTS: usize = 20;

/// A file on its way: rows with cells by column.
pub(super) struct Sheet<'a> {
    file: &'a str,
    text: &'a str,
    zone: Tz,
    pub(super) faults: Vec<String>,
}

/// A row: the line of the file on which it begins, and its cells by column.
pub(super) struct Line {
    pub(super) number: u64,
    cells: HashMap<String, String>,
}

impl Line {
    pub(super) fn get(&self, column: &str) -> Option<&str> {
        self.cells
            .get(column)
            .map(String::as_str)
            .filter(|c| !c.is_empty())
    }

    pub(super) fn owned(&self, column: &str) -> Option<String> {
        self.get(column).map(str::to_owned)
    }
}

impl<'a> Sheet<'a> {
    pub(super) fn new(file: &'a str, text: &'a str, zone: Tz) -> Self {
        Sheet {
            file,
            text,
            zone,
            faults: Vec::new(),
        }
    }

    pub(super) fn fault(&mut self, line: u64, what: &str) {
        if self.faults.len() < FAULTS {
            self.faults
                .push(format!("{} line {line}: {what}", self.file));
        }
    }

    /// The rows; `known` are its columns, those of `needed` have to be there.
    pub(super) fn lines(&mut self, known: &[&str], needed: &[&str]) -> Vec<Line> {
        if self.text.trim().is_empty() {
            return Vec::new();
        }
        // A spreadsheet of some countries writes semicolons.
        let head = self.text.lines().find(|l| !l.starts_with('#'));
        let head = head.unwrap_or_default();
        let semicolons = head.matches(';').count() > head.matches(',').count();
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(if semicolons { b';' } else { b',' })
            .trim(csv::Trim::All)
            .comment(Some(b'#'))
            .from_reader(self.text.as_bytes());
        let columns: Vec<String> = match reader.headers() {
            Ok(found) => found.iter().map(str::to_ascii_lowercase).collect(),
            Err(e) => {
                self.fault(1, &format!("no line of columns can be read: {e}"));
                return Vec::new();
            }
        };
        let mut right = true;
        for (n, column) in columns.iter().enumerate() {
            if columns[..n].contains(column) || !known.contains(&column.as_str()) {
                let all = known.join(", ");
                self.fault(
                    1,
                    &format!("the column \"{column}\" is not known or stands twice; write {all}"),
                );
                right = false;
            }
        }
        for column in needed.iter().filter(|c| !columns.iter().any(|h| h == *c)) {
            self.fault(1, &format!("the column \"{column}\" is missing; add it"));
            right = false;
        }
        if !right {
            return Vec::new();
        }
        let mut lines = Vec::new();
        for row in reader.records() {
            let row = match row {
                Ok(row) => row,
                Err(e) => {
                    let at = e.position().map_or(0, csv::Position::line);
                    self.fault(
                        at,
                        &format!("{e}; give it as many cells as there are columns"),
                    );
                    continue;
                }
            };
            let number = row.position().map_or(0, csv::Position::line);
            if lines.len() == MOST {
                self.fault(number, &format!("more than {MOST} rows, the limit"));
                break;
            }
            if row.iter().all(str::is_empty) {
                continue;
            }
            let bad = |c: &str| c.chars().count() > LONGEST || c.chars().any(char::is_control);
            if row.iter().any(bad) {
                self.fault(
                    number,
                    &format!(
                        "a cell is longer than {LONGEST} characters or holds a control character"
                    ),
                );
                continue;
            }
            let cells = columns.iter().cloned().zip(row.iter().map(str::to_owned));
            let line = Line {
                number,
                cells: cells.collect(),
            };
            if let Some(empty) = needed.iter().find(|c| line.get(c).is_none()) {
                self.fault(number, &format!("\"{empty}\" is empty; it has to be told"));
                continue;
            }
            lines.push(line);
        }
        lines
    }

    /// The time in which a row holds; none when it cannot be read.
    pub(super) fn period(&mut self, line: &Line) -> Option<(i64, i64)> {
        let from = self.moment(line, "valid_from", i64::MIN)?;
        let to = self.moment(line, "valid_to", i64::MAX)?;
        if from >= to {
            self.fault(line.number, "valid_to is not after valid_from");
            return None;
        }
        Some((from, to))
    }

    fn moment(&mut self, line: &Line, column: &str, missing: i64) -> Option<i64> {
        let Some(text) = line.get(column) else {
            return Some(missing);
        };
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
        let day = day.and_then(|d| d.and_hms_opt(0, 0, 0));
        let found = match day {
            Some(begin) => Zone::Named(self.zone).instant(begin.and_utc().timestamp_micros()),
            None => crate::moment(text, self.zone).ok(),
        };
        if found.is_none() {
            self.fault(
                line.number,
                &format!(
                    "{column} \"{text}\" is no time; write such as 2026-03-01 or \
                     2026-03-01T06:00:00Z"
                ),
            );
        }
        found
    }
}
