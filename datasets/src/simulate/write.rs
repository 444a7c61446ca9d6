//! Files with their hashes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::SimulateError;
use super::cell::Row;

/// A file of the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileEntry {
    /// Path below the folder.
    pub path: String,
    /// Lines.
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
            file: BufWriter::with_capacity(1 << 20, opened),
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

/// A table of the truth: rows wait until their day is complete, and are written in its order.
pub struct Shelf {
    file: Lines,
    days: BTreeMap<i64, Vec<(String, Vec<u8>)>>,
}

impl Shelf {
    /// The table's file.
    pub fn create(out: &Path, table: &str) -> Result<Self, SimulateError> {
        Ok(Shelf {
            file: Lines::create(out, &format!("truth/{table}.ndjson"))?,
            days: BTreeMap::new(),
        })
    }

    /// Adds a row.
    pub fn add(&mut self, row: Row) {
        self.days
            .entry(row.day)
            .or_default()
            .push((row.key, row.text));
    }

    /// Writes all days before this one: nothing more comes of them.
    pub fn before(&mut self, day: i64) -> Result<(), SimulateError> {
        let rest = self.days.split_off(&day);
        for (_, mut rows) in std::mem::replace(&mut self.days, rest) {
            rows.sort();
            for (_, text) in rows {
                self.file.line(&text)?;
            }
        }
        Ok(())
    }

    /// The table is complete.
    pub fn finish(mut self) -> Result<FileEntry, SimulateError> {
        self.before(i64::MAX)?;
        self.file.finish()
    }
}
