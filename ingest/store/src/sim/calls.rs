//! What a simulated disk is told to do, and what becomes of it.

use std::io;

/// A call that changed something. Files are numbered, names are whole paths.
#[derive(Clone, Debug)]
pub enum Op {
    /// A name with a new, empty file.
    Create(String, u64),
    /// Bytes of a file from an offset on.
    Write(u64, u64, Vec<u8>),
    /// The length of a file.
    SetLen(u64, u64),
    /// A file's content is stored.
    Sync(u64),
    /// Another name in the same folder.
    Rename(String, String),
    /// A name less.
    Remove(String),
    /// The names in a folder are stored.
    SyncDir(String),
    /// Not a call: the workload was told that all up to here is stored.
    Acked(u64),
    /// Not a call: the workload gave up all up to here.
    Trimmed(u64),
}

impl Op {
    /// The call in words that are the same whenever it is made again: without its bytes and without
    /// the folder, since a log's identity and a folder's name are drawn anew each time.
    pub fn words(&self) -> String {
        match self {
            Op::Create(name, id) => format!("create {} as {id}", last(name)),
            Op::Write(id, at, _) => format!("write {id} at {at}"),
            Op::SetLen(id, len) => format!("cut {id} to {len}"),
            Op::Sync(id) => format!("sync {id}"),
            Op::Rename(from, to) => format!("rename {} to {}", last(from), last(to)),
            Op::Remove(name) => format!("remove {}", last(name)),
            Op::SyncDir(name) => format!("sync folder {}", last(name)),
            Op::Acked(upto) => format!("acknowledged {upto}"),
            Op::Trimmed(upto) => format!("trimmed {upto}"),
        }
    }
}

/// The last part of a path.
fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// What a power cut leaves.
#[derive(Clone, Copy, Debug)]
pub enum Image {
    /// What was synced.
    SyncedOnly,
    /// Everything: the process died, the machine did not.
    AllWritten,
    /// Each unsynced sector of 512 bytes by lot, and some prefix of the unsynced name changes.
    Mixed(u64),
}

/// A call that fails.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// Its number.
    pub call: usize,
    /// How it fails.
    pub kind: io::ErrorKind,
    /// Whether all after it fail too.
    pub lasting: bool,
}
