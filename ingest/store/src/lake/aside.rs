//! Tables that cannot be read are put aside, never removed: what their files still hold is not for
//! a program to throw away.

use std::fs::rename;
use std::io;
use std::path::PathBuf;

use callboard_model::tables::{AGENT_INTERVALS, QUEUE_INTERVALS, TABLES};

use super::look::{Fault, Looking};
use super::sums;
use crate::datafolder::{create_dir_synced, sync_dir};
use crate::doctor::plain;
use crate::live::keyrows::KEYED;

/// Folder of what was put aside, at the root of a lake. Each folder below it is laid out as the lake
/// is, with tables and their checksums.
pub(crate) const ASIDE: &str = "_aside";

/// A table of which something is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// The table.
    pub table: &'static str,
    /// Whether it can be opened at all.
    pub opens: bool,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
}

/// Whether the rows of a table are made of records, by which they can be made anew.
pub(crate) fn is_made(table: &str) -> bool {
    let keyed = KEYED.iter().any(|spec| spec().name == table);
    keyed || is_copy(table)
}

/// Whether the rows of a table are a query over other tables.
pub(crate) fn is_copy(table: &str) -> bool {
    [AGENT_INTERVALS.name, QUEUE_INTERVALS.name].contains(&table)
}

impl Looking {
    /// The tables of which a file is damaged, missing or unreadable, one that no version needs any
    /// more included.
    ///
    /// # Errors
    /// When a folder cannot be listed.
    pub async fn damaged(&self) -> io::Result<Vec<Damaged>> {
        let summed = self.files()?.unwrap_or_default().faults;
        let mut all = Vec::new();
        for spec in TABLES {
            let look = self.files_of(spec).await;
            let own = summed.iter().filter(|f| f.table == Some(spec.name));
            let mut faults: Vec<Fault> = own.cloned().collect();
            for fault in look.faults {
                // Said once, by the checksum.
                if !faults.iter().any(|f| f.place == fault.place) {
                    faults.push(fault);
                }
            }
            for fault in &mut faults {
                fault.what = plain(std::mem::take(&mut fault.what));
            }
            if !faults.is_empty() {
                all.push(Damaged {
                    table: spec.name,
                    opens: look.opens,
                    faults,
                });
            }
        }
        Ok(all)
    }

    /// Moves the folders of these tables, with their checksums, to a new place below the lake's own
    /// folder; gives that place, none where no folder is there. Nobody may use the lake meanwhile.
    ///
    /// # Errors
    /// When the lake is not in a folder, or the disk refuses; the same call may be repeated.
    pub fn put_aside(&self, tables: &[&str]) -> io::Result<Option<PathBuf>> {
        let Some(root) = self.folder() else {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                format!(
                    "{} cannot be read, and the lake is not in a folder: move the objects of these \
                     tables away with that store's own means, then run `callboard rebuild` again",
                    tables.join(", ")
                ),
            ));
        };
        let there: Vec<&&str> = tables.iter().filter(|t| root.join(t).is_dir()).collect();
        if there.is_empty() {
            return Ok(None);
        }
        let all = root.join(ASIDE);
        let mut number = 1_u32;
        while all.join(number.to_string()).exists() {
            number += 1;
        }
        let place = all.join(number.to_string());
        create_dir_synced(&place)?;
        let kept = root.join(sums::FOLDER);
        for table in there {
            rename(root.join(table), place.join(table))?;
            // Checksums that a crash leaves behind speak of names that are not used again, or are
            // forgotten when they are.
            if kept.join(table).is_dir() {
                let beside = place.join(sums::FOLDER);
                create_dir_synced(&beside)?;
                rename(kept.join(table), beside.join(table))?;
                sync_dir(&beside)?;
                sync_dir(&kept)?;
            }
        }
        sync_dir(&place)?;
        sync_dir(root)?;
        Ok(Some(place))
    }
}
