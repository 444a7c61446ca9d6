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
