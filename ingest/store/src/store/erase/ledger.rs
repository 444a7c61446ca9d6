//! `state/erasures.json`: the erasure under way, so that a crash does not end it, and the hashes of
//! all names that were ever erased. Of an erasure that is done nothing else is kept but counts.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::super::sealed;
use crate::erase::{Found, Names, Wish};
use crate::storage::Disk;

const FILE: &str = "erasures.json";

/// What is known of erasures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ledger {
    /// Hashes of the names that were erased.
    #[serde(default)]
    hashes: BTreeSet<u64>,
    /// The one that has begun and is not done.
    #[serde(default)]
    pub pending: Option<Pending>,
    /// Those that are done, oldest first.
    #[serde(default)]
    pub done: Vec<Done>,
}

/// An erasure under way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pending {
    /// What was asked for.
    pub wish: Wish,
    /// When, UTC microseconds.
    pub asked_at: i64,
    /// What was found so far.
    pub found: Found,
    /// Whether all was found and counted, so that taking out has begun.
    pub counted: bool,
}

/// An erasure that is done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Done {
    /// When it was asked for, UTC microseconds.
    pub asked_at: i64,
    /// When it was done, UTC microseconds.
    pub done_at: i64,
    /// Rows that went, by table.
    pub rows: BTreeMap<String, u64>,
}

impl Ledger {
    /// What was erased.
    pub fn names(&self) -> Names {
        Names::of(self.hashes.iter().copied())
    }

    /// Adds names for good.
    pub fn add(&mut self, names: &Names) {
        self.hashes.extend(names.hashes());
    }

    /// Writes it down.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, state: &Path) -> io::Result<()> {
        sealed::write_json(&Disk, &state.join(FILE), self)
    }
}

/// Reads it; an empty one where nothing was ever erased.
///
/// # Errors
/// When the file is damaged.
pub(crate) fn read(state: &Path) -> io::Result<Ledger> {
    sealed::read_json(&Disk, &state.join(FILE), true)
}
