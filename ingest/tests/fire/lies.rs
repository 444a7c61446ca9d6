//! Planted faults: what a careless hand could do to log, state, merge or lake. Each sits where the
//! store meets the machine or the adapters, so that the product's own code stays as it is. A
//! harness that lets one of them pass proves nothing.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use callboard_model::ids::Key;
use callboard_model::record::{Interpreter, Provenance, Record, Refusal, Routing};
use callboard_model::statement::{Statement, Thing};
use callboard_sources::registry::Registry;
use callboard_store::sim::disk::SimDisk;
use callboard_store::storage::{Storage, StorageFile};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// One sync of a file in three is skipped.
    SkipSync,
    /// Names of new segments of the log are not synced.
    SkipFolderSync,
    /// With the oldest segment of the log the next one is trimmed.
    TrimOneMore,
    /// The commit record is written and not put in its place.
    KeepOldCommit,
    /// The file of open keys loses its last line.
    DropOpenKey,
    /// One record in twenty forgets of which part of the contact it speaks.
    NoIdentity,
    /// The record that comes last is believed, whatever it says of its own time.
    LastComesWins,
}

pub const LIES: [Lie; 7] = [
    Lie::SkipSync,
    Lie::SkipFolderSync,
    Lie::TrimOneMore,
    Lie::KeepOldCommit,
    Lie::DropOpenKey,
    Lie::NoIdentity,
    Lie::LastComesWins,
];

/// The disk, with the lie's words between.
pub struct LyingDisk {
    disk: SimDisk,
    lie: Lie,
    syncs: Arc<AtomicU64>,
}

impl LyingDisk {
    pub fn new(disk: SimDisk, lie: Lie) -> Self {
        LyingDisk {
            disk,
            lie,
            syncs: Arc::default(),
        }
    }

    fn file(&self, path: &Path, file: Arc<dyn StorageFile>) -> Arc<dyn StorageFile> {
        Arc::new(LyingFile {
            file,
            lie: self.lie,
            is_open: path.to_string_lossy().contains("/open-"),
            syncs: self.syncs.clone(),
        })
    }
}

struct LyingFile {
    file: Arc<dyn StorageFile>,
    lie: Lie,
    is_open: bool,
    syncs: Arc<AtomicU64>,
}

impl StorageFile for LyingFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buf, offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        if self.lie == Lie::DropOpenKey && self.is_open {
            return self.file.write_at(&without_last_line(buf), offset);
        }
        self.file.write_at(buf, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        if self.lie == Lie::SkipSync && self.syncs.fetch_add(1, Ordering::SeqCst) % 3 == 2 {
            return Ok(());
        }
        self.file.sync()
    }
}

/// A sealed state file of which one line is missing, sealed again.
fn without_last_line(sealed: &[u8]) -> Vec<u8> {
    const BEFORE: &[u8] = b"\n#crc32:";
    let at = sealed.len() - BEFORE.len() - 9;
    let content = &sealed[..at];
    let kept = content.strip_suffix(b"\n").unwrap_or(content);
    let end = kept.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
    let mut out = content[..end].to_vec();
    let sum = crc32fast::hash(&out);
    out.extend(BEFORE);
    out.extend(format!("{sum:08x}\n").into_bytes());
    out
}

impl Storage for LyingDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.create_dir(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.disk.list(dir)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        Ok(self.file(path, self.disk.create(path)?))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        Ok(self.file(path, self.disk.open(path)?))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.disk.read(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.lie == Lie::KeepOldCommit
            && to.ends_with("commit.json")
            && self.disk.read(to).is_ok()
        {
            return Ok(());
        }
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)?;
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if self.lie == Lie::TrimOneMore && name.ends_with(".seg") {
            let folder = path.parent().unwrap();
            let names: BTreeSet<String> = self.disk.list(folder)?.into_iter().collect();
            let mut later = names.range(name..).filter(|n| n.ends_with(".seg"));
            if let (Some(next), true) = (later.next(), later.next().is_some()) {
                self.disk.remove(&folder.join(next))?;
            }
        }
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        if self.lie == Lie::SkipFolderSync && dir.ends_with("log") {
            return Ok(());
        }
        self.disk.sync_dir(dir)
    }
}

/// The adapters, with the lie's words between.
pub struct Credulous {
    lie: Lie,
    came: AtomicU64,
}

impl Credulous {
    pub fn new(lie: Lie) -> Self {
        Credulous {
            lie,
            came: AtomicU64::new(0),
        }
    }
}

impl Interpreter for Credulous {
    fn route(&self, record: &Record) -> Result<Routing, Refusal> {
        let mut routing = Registry.route(record)?;
        if self.lie == Lie::NoIdentity && record.content_hash().is_multiple_of(20) {
            for statement in routing.statements.iter_mut().flatten() {
                if let Thing::Segment(id) = &statement.about {
                    statement.about = Thing::Segment(format!("{id} of {}", record.id).into());
                }
            }
        }
        if self.lie == Lie::LastComesWins {
            let came = self.came.fetch_add(1, Ordering::SeqCst);
            for statement in routing.statements.iter_mut().flatten() {
                let by = Provenance {
                    recorded_at: None,
                    sequence: came,
                    ..Provenance::clone(&statement.by)
                };
                statement.by = Arc::new(by);
            }
        }
        Ok(routing)
    }

    fn interpret(&self, key: &Key, set: &[&Record]) -> Vec<Statement> {
        Registry.interpret(key, set)
    }
}
