//! `state/rebuild.json`: tables that a rebuild has put aside and not made anew yet. They are empty or
//! half full until it is through: nothing is served from a folder that has this file.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{StoreError, sealed};
use crate::datafolder::sync_dir;
use crate::storage::Disk;

pub(crate) const FILE: &str = "rebuild.json";

/// What is still to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remaking {
    /// Names of the tables.
    pub tables: Vec<String>,
}

/// What is still to be made in a data folder; mostly nothing.
///
/// # Errors
/// When the file is damaged.
pub(crate) fn read(state: &Path) -> io::Result<Remaking> {
    sealed::read_json(&Disk, &state.join(FILE), true)
}

/// Says that these tables too are about to be put aside; gives all that are still to be made.
pub(super) fn begin(state: &Path, tables: &[&str]) -> io::Result<Remaking> {
    let mut all = read(state)?;
    all.tables.extend(tables.iter().map(ToString::to_string));
    all.tables.sort_unstable();
    all.tables.dedup();
    sealed::write_json(&Disk, &state.join(FILE), &all)?;
    Ok(all)
}

/// Says that all of them are made.
pub(super) fn done(state: &Path) -> io::Result<()> {
    match std::fs::remove_file(state.join(FILE)) {
        Ok(()) => sync_dir(state),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Refuses a folder in which a rebuild was cut off.
pub(super) fn refuse(state: &Path) -> Result<(), StoreError> {
    match read(state)?.tables {
        none if none.is_empty() => Ok(()),
        tables => Err(StoreError::Unfinished(tables.join(", "))),
    }
}
