//! What a restart needs beside the log: the open keys (whole, when the log no longer holds all
//! their records), the ids seen, and the commit record that says which flush counts.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{open_keys, sealed};
use crate::live::Entry;
use crate::live::seen::SeenIds;
use crate::positions::Positions;
use crate::storage::{Disk, Storage, exists};

/// Which flush counts. Written last, atomically.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Format of this file.
    pub format: u8,
    /// Number of the flush attempt that counted; grows with every attempt.
    pub attempt: i64,
    /// Every record up to this sequence of the log is in the lake's records.
    pub upto: u64,
    /// A restart replays the log from here.
    pub replay_from: u64,
    /// The files of `seen` ids that belong to it, oldest first.
    pub seen: Vec<String>,
    /// Days whose derived tables are not up to date yet.
    pub derive_days: Vec<i32>,
    /// Records up to `upto` that still wait for the key of which they speak, by sequence.
    pub late: BTreeSet<u64>,
    /// Bytes that count of each day's file of settled names.
    pub settled: BTreeMap<i32, u64>,
    /// CRC-32 of these bytes; none where an older program wrote them.
    #[serde(default)]
    pub settled_sums: BTreeMap<i32, u32>,
    /// How far sources that number what they hold were read.
    #[serde(default, skip_serializing_if = "Positions::is_empty")]
    pub positions: Positions,
    /// Whether the files that it names end with their checksums.
    #[serde(default)]
    pub sealed: bool,
}

/// What a flush is about to write, so that a crash in its middle is known.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Intent {
    /// Number of the attempt.
    pub attempt: i64,
    /// Names of all keys whose rows were, or are about to be, written since the last flush that
    /// counts, with the days they lie in: an attempt that failed may have left rows as well.
    pub keys: BTreeMap<String, Vec<i32>>,
}

fn invalid(path: &Path, why: impl std::fmt::Display) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("{} cannot be read: {why}", path.display()),
    )
}

/// The files under `state/`.
#[derive(Clone)]
pub struct StateFiles {
    dir: PathBuf,
    storage: Arc<dyn Storage>,
}

impl StateFiles {
    /// In this folder.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(dir: &Path, storage: Arc<dyn Storage>) -> io::Result<Self> {
        storage.create_dir(dir)?;
        // What is read here is built on, and the log is trimmed by it: its names must last, whoever
        // was killed before he had stored them.
        storage.sync_dir(dir)?;
        Ok(StateFiles {
            dir: dir.to_owned(),
            storage,
        })
    }

    /// Those of this folder on the real disk, which need not be there.
    pub fn at(dir: &Path) -> Self {
        StateFiles {
            dir: dir.to_owned(),
            storage: Arc::new(Disk),
        }
    }

    fn json<T: DeserializeOwned + Default>(&self, name: &str) -> io::Result<T> {
        sealed::read_json(&*self.storage, &self.dir.join(name), false)
    }

    fn put<T: Serialize>(&self, name: &str, value: &T) -> io::Result<()> {
        sealed::write_json(&*self.storage, &self.dir.join(name), value)
    }

    /// Whether a flush was ever begun.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn begun(&self) -> io::Result<bool> {
        exists(&*self.storage, &self.dir.join("intent.json"))
    }

    /// Says that no flush counts yet, where that is so: then there is always something that says
    /// which one does.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn begin(&self) -> io::Result<()> {
        match exists(&*self.storage, &self.dir.join("commit.json"))? {
            true => Ok(()),
            false => self.set_commit(&Commit {
                format: 1,
                sealed: true,
                ..Commit::default()
            }),
        }
    }

    /// The flush that counts.
    ///
    /// # Errors
    /// When the file is missing or damaged.
    pub fn commit(&self) -> io::Result<Commit> {
        let path = self.dir.join("commit.json");
        if !exists(&*self.storage, &path)? {
            return Err(invalid(
                &path,
                "it is missing, and without it nobody knows what is in the lake",
            ));
        }
        self.json("commit.json")
    }

    /// Makes a flush count.
    ///
    /// # Errors
    /// When the disk refuses; then it does not count.
    pub fn set_commit(&self, commit: &Commit) -> io::Result<()> {
        self.put("commit.json", commit)
    }

    /// The last intent.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn intent(&self) -> io::Result<Intent> {
        self.json("intent.json")
    }

    /// Says what is about to be written.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn set_intent(&self, intent: &Intent) -> io::Result<()> {
        self.put("intent.json", intent)
    }

    /// Writes the open keys of a flush, as [`open_keys::encode`] gave them.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write_open(&self, attempt: i64, encoded: &[u8]) -> io::Result<()> {
        sealed::write(&*self.storage, &self.open_path(attempt), encoded)
    }

    fn open_path(&self, attempt: i64) -> PathBuf {
        self.dir.join(format!("open-{attempt}.ndjson"))
    }

    /// The open keys of a flush.
    ///
    /// # Errors
    /// When the file is missing or damaged.
    pub fn read_open(&self, commit: &Commit) -> io::Result<Vec<Entry>> {
        let attempt = commit.attempt;
        let path = self.open_path(attempt);
        let bytes = match sealed::read(&*self.storage, &path, commit.sealed) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound && attempt == 0 => return Ok(Vec::new()),
            Err(e) => return Err(invalid(&path, e)),
        };
        let lines = bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty());
        lines
            .map(|line| open_keys::decode(line).map_err(|e| invalid(&path, e)))
            .collect()
    }

    /// Appends a file of seen ids.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write_seen(
        &self,
        name: &str,
        ids: &BTreeMap<Arc<str>, Vec<(u64, u64)>>,
    ) -> io::Result<()> {
        let mut out = Vec::new();
        for (source, pairs) in ids {
            out.extend((source.len() as u32).to_le_bytes());
            out.extend(source.as_bytes());
            out.extend((pairs.len() as u64).to_le_bytes());
            for (id, content) in pairs {
                out.extend(id.to_le_bytes());
                out.extend(content.to_le_bytes());
            }
        }
        sealed::write(&*self.storage, &self.dir.join(name), &out)
    }

    /// Reads a file of seen ids into the memory of them.
    ///
    /// # Errors
    /// When the file is missing or damaged.
    pub fn read_seen(&self, name: &str, must: bool, seen: &mut SeenIds) -> io::Result<()> {
        let path = self.dir.join(name);
        let bytes = sealed::read(&*self.storage, &path, must)?;
        let mut rest = &bytes[..];
        let mut take = |n: usize| -> io::Result<&[u8]> {
            if rest.len() < n {
                return Err(invalid(&path, "cut short"));
            }
            let (head, tail) = rest.split_at(n);
            rest = tail;
            Ok(head)
        };
        loop {
            let Ok(n) = take(4) else { return Ok(()) };
            let n = u32::from_le_bytes([n[0], n[1], n[2], n[3]]) as usize;
            let source: Arc<str> = std::str::from_utf8(take(n)?)
                .map_err(|e| invalid(&path, e))?
                .into();
            let count = number(take(8)?);
            for _ in 0..count {
                let id = number(take(8)?);
                let content = number(take(8)?);
                seen.put(&source, id, content);
            }
        }
    }

    /// Removes files that belong to flushes that no longer count.
    pub fn tidy(&self, commit: &Commit) {
        let keep_open = self.open_path(commit.attempt);
        let Ok(files) = self.storage.list(&self.dir) else {
            return;
        };
        for name in files {
            let path = self.dir.join(&name);
            let stale = (name.starts_with("open-") && path != keep_open)
                || (name.starts_with("seen-") && !commit.seen.contains(&name));
            if stale && let Err(error) = self.storage.remove(&path) {
                tracing::warn!(path = %path.display(), %error, "cannot remove an old state file");
            }
        }
    }
}

fn number(bytes: &[u8]) -> u64 {
    let mut n = [0; 8];
    n.copy_from_slice(&bytes[..8]);
    u64::from_le_bytes(n)
}
