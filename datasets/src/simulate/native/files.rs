//! The files of a platform, and what its ids stand for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::SimulateError;
use super::super::cell::Row;
use super::super::write::{FileEntry, Lines, Shelf};
use super::Native;

/// Files under way.
pub struct ToldFiles {
    out: PathBuf,
    files: BTreeMap<String, Lines>,
    done: Vec<FileEntry>,
    names: Lines,
    /// Rows of agents' own states.
    states: Shelf,
    /// Rows of recordings.
    recordings: Shelf,
}

impl ToldFiles {
    /// None yet.
    pub fn create(out: &Path) -> Result<Self, SimulateError> {
        Ok(ToldFiles {
            out: out.to_owned(),
            files: BTreeMap::new(),
            done: Vec::new(),
            names: Lines::create(out, "names.ndjson")?,
            states: Shelf::create(out, "agent_states")?,
            recordings: Shelf::create(out, "recordings")?,
        })
    }

    /// Writes a site's day. A file that is no list of lines is one thing and complete at once.
    pub fn take(
        &mut self,
        site: &str,
        native: Native,
        states: &[Row],
        recordings: &[Row],
    ) -> Result<(), SimulateError> {
        for sheet in native.sheets {
            let name = format!("told/{site}/{}", sheet.file);
            let listed = [".ndjson", ".csv", ".log", "queue_log"];
            if !listed.iter().any(|end| name.ends_with(end)) {
                let mut file = Lines::create(&self.out, &name)?;
                file.line(&sheet.bytes)?;
                self.done.push(file.finish()?);
                continue;
            }
            if !self.files.contains_key(&name) {
                let file = Lines::create(&self.out, &name)?;
                self.files.insert(name.clone(), file);
            }
            if let Some(file) = self.files.get_mut(&name) {
                file.line(&sheet.bytes)?;
            }
        }
        for name in &native.names {
            self.names.line(&serde_json::to_vec(name)?)?;
        }
        for row in states {
            self.states.add(row)?;
        }
        for row in recordings {
            self.recordings.add(row)?;
        }
        Ok(())
    }

    /// All days before this one are complete.
    pub fn before(&mut self, day: i64) -> Result<(), SimulateError> {
        self.states.before(day)?;
        self.recordings.before(day)
    }

    /// All is written.
    pub fn finish(self) -> Result<Vec<FileEntry>, SimulateError> {
        let mut all = self.done;
        for file in self.files.into_values() {
            all.push(file.finish()?);
        }
        all.push(self.names.finish()?);
        all.extend(self.states.finish()?);
        all.extend(self.recordings.finish()?);
        Ok(all)
    }
}
