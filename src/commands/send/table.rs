//! Tables that are longer than one request: cut between rows, the line of columns before each part,
//! since by it the server knows what the rows are.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use bytes::Bytes;

/// Tables up to this length go whole, longer ones in parts of at most this, bytes.
pub const PART: u64 = 16 * 1024 * 1024;
/// Longest row, bytes.
const ROW: u64 = 1024 * 1024;

/// A table being cut.
pub struct Table {
    file: BufReader<File>,
    head: Vec<u8>,
    separator: u8,
    /// A row that found no place in the part before.
    row: Vec<u8>,
    part: usize,
}

/// Where in a row its reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Begin,
    Plain,
    Quoted,
    /// After a quotation mark in a quoted field: it ends the field, or is doubled.
    Mark,
}

impl Table {
    /// Opens a table when it is one, by its name, and too long to go whole.
    ///
    /// # Errors
    /// When it cannot be read, or its first line does not end.
    pub fn open(path: &Path) -> Result<Option<Table>, String> {
        let named = path.extension();
        let table = named.is_some_and(|e| e.eq_ignore_ascii_case("csv"));
        let long = std::fs::metadata(path).is_ok_and(|m| m.len() > PART);
        match table && long {
            true => Table::cut(path, PART as usize).map(Some),
            false => Ok(None),
        }
    }

    fn cut(path: &Path, part: usize) -> Result<Table, String> {
        let file = File::open(path).map_err(|e| e.to_string())?;
        let mut table = Table {
            file: BufReader::new(file),
            head: Vec::new(),
            separator: b',',
            row: Vec::new(),
            part,
        };
        table.head = table.row()?;
        let all = [b',', b';', b'\t'];
        let often = |s: &u8| table.head.iter().filter(|b| *b == s).count();
        table.separator = all.into_iter().max_by_key(often).unwrap_or(b',');
        if !table.head.ends_with(b"\n") {
            table.head.push(b'\n');
        }
        Ok(table)
    }

    /// A row with its end; empty at the end of the file.
    fn row(&mut self) -> Result<Vec<u8>, String> {
        let mut row = Vec::new();
        let mut place = Place::Begin;
        let mut seen = 0;
        loop {
            let room = ROW.saturating_sub(row.len() as u64);
            let got = (&mut self.file).take(room).read_until(b'\n', &mut row);
            if got.map_err(|e| e.to_string())? == 0 {
                return match room {
                    0 => Err(format!(
                        "a row of more than {ROW} bytes; is a quotation mark left open?"
                    )),
                    _ => Ok(row),
                };
            }
            for byte in row.iter().skip(seen) {
                place = match (place, *byte) {
                    (Place::Begin, b'"') | (Place::Mark, b'"') => Place::Quoted,
                    (Place::Quoted, b'"') => Place::Mark,
                    (Place::Quoted, _) => Place::Quoted,
                    (_, b'\n') => return Ok(row),
                    (_, b) if b == self.separator => Place::Begin,
                    _ => Place::Plain,
                };
            }
            seen = row.len();
        }
    }

    /// The next part; `None` when all was read.
    ///
    /// # Errors
    /// When the file cannot be read, or a row does not end.
    pub fn take_part(&mut self) -> Result<Option<Bytes>, String> {
        let mut part = self.head.clone();
        part.append(&mut self.row);
        let empty = self.head.len();
        loop {
            let row = self.row()?;
            if row.is_empty() {
                return Ok((part.len() > empty).then(|| part.into()));
            }
            if part.len() > empty && part.len() + row.len() > self.part {
                self.row = row;
                return Ok(Some(part.into()));
            }
            part.extend(row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str, part: usize) -> Result<Vec<String>, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("table.csv");
        std::fs::write(&path, text).unwrap();
        assert!(Table::open(&path)?.is_none(), "it is short");
        let mut table = Table::cut(&path, part)?;
        let mut all = Vec::new();
        while let Some(part) = table.take_part()? {
            all.push(String::from_utf8(part.to_vec()).unwrap());
        }
        Ok(all)
    }

    #[test]
    fn a_table_is_cut_between_rows_and_each_part_has_the_columns() {
        let text = "agent;note\nann;\"two\nlines; \"\"quoted\"\"\"\nbo;5\" pipe\ncy;end";
        assert_eq!(
            parts(text, 20).unwrap(),
            [
                "agent;note\nann;\"two\nlines; \"\"quoted\"\"\"\n",
                "agent;note\nbo;5\" pipe\n",
                "agent;note\ncy;end"
            ]
        );
        assert_eq!(parts(text, 1_000).unwrap(), [text]);
        assert_eq!(parts("a,b\n", 20).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_row_that_never_ends_is_said_to_be_one() {
        let text = format!("a,b\n1,\"{}", "x\n".repeat(ROW as usize));
        let why = parts(&text, 20).unwrap_err();
        assert!(why.contains("quotation mark left open"), "{why}");
    }
}
