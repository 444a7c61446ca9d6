//! Files with their hashes.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::SimulateError;
use super::calendar::write_date;
use super::cell::Row;

/// A file of the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Path below the folder.
    pub path: String,
    /// Lines, without the blank ones.
    pub lines: u64,
    /// Bytes.
    pub bytes: u64,
    /// BLAKE3 of them.
    pub blake3: String,
}

/// A file of lines under way.
pub struct Lines {
    name: String,
    path: PathBuf,
    file: BufWriter<File>,
    hasher: blake3::Hasher,
    lines: u64,
    bytes: u64,
}

impl Lines {
    /// Makes the file `name` in a folder.
    pub fn create(out: &Path, name: &str) -> Result<Self, SimulateError> {
        let path = out.join(name);
        let file = |source| SimulateError::File {
            path: path.clone(),
            source,
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(file)?;
        }
        let opened = File::create(&path).map_err(file)?;
        Ok(Lines {
            name: name.to_owned(),
            file: BufWriter::with_capacity(1 << 18, opened),
            path,
            hasher: blake3::Hasher::new(),
            lines: 0,
            bytes: 0,
        })
    }

    /// Adds a line.
    pub fn line(&mut self, bytes: &[u8]) -> Result<(), SimulateError> {
        for part in [bytes, b"\n"] {
            self.hasher.update(part);
            self.bytes += part.len() as u64;
            self.file
                .write_all(part)
                .map_err(|source| SimulateError::File {
                    path: self.path.clone(),
                    source,
                })?;
        }
        self.lines += 1;
        Ok(())
    }

    /// The file is complete.
    pub fn finish(mut self) -> Result<FileEntry, SimulateError> {
        self.file.flush().map_err(|source| SimulateError::File {
            path: self.path.clone(),
            source,
        })?;
        Ok(FileEntry {
            path: self.name,
            lines: self.lines,
            bytes: self.bytes,
            blake3: self.hasher.finalize().to_hex().to_string(),
        })
    }
}

/// A table of the truth: a file for each UTC day, so that nothing has to be kept to be in order.
pub struct Shelf {
    out: PathBuf,
    table: &'static str,
    open: BTreeMap<i64, Lines>,
    complete: i64,
    done: Vec<FileEntry>,
}

impl Shelf {
    /// The table, below a folder.
    pub fn create(out: &Path, table: &'static str) -> Result<Self, SimulateError> {
        let path = out.join("truth").join(table);
        match std::fs::create_dir_all(&path) {
            Ok(()) => Ok(Shelf {
                out: out.to_owned(),
                table,
                open: BTreeMap::new(),
                complete: i64::MIN,
                done: Vec::new(),
            }),
            Err(source) => Err(SimulateError::File { path, source }),
        }
    }

    /// Adds a row to its day.
    pub fn add(&mut self, row: &Row) -> Result<(), SimulateError> {
        if row.day < self.complete {
            return Err(SimulateError::TooLate(self.table));
        }
        let file = match self.open.entry(row.day) {
            Entry::Occupied(file) => file.into_mut(),
            Entry::Vacant(place) => {
                let name = format!("truth/{}/{}.ndjson", self.table, write_date(row.day));
                place.insert(Lines::create(&self.out, &name)?)
            }
        };
        file.line(&row.text)
    }

    /// All days before this one are complete.
    pub fn before(&mut self, day: i64) -> Result<(), SimulateError> {
        self.complete = self.complete.max(day);
        let rest = self.open.split_off(&day);
        for file in std::mem::replace(&mut self.open, rest).into_values() {
            self.done.push(file.finish()?);
        }
        Ok(())
    }

    /// The table is complete.
    pub fn finish(mut self) -> Result<Vec<FileEntry>, SimulateError> {
        self.before(i64::MAX)?;
        Ok(self.done)
    }
}
