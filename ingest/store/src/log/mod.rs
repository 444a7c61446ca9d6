//! The durable log: bytes in order of arrival, acknowledged only once they are on stable storage.
//!
//! A folder of segment files. Entries are numbered from 1 without gaps; what is appended together
//! is one commit or none of it. One thread writes, and one sync serves all who wait. The log knows
//! bytes, not meaning: `kind` is the caller's.
//!
//! Promises, each with a test:
//! - an append that succeeded is there after any crash, once, in order;
//! - a torn tail (bytes nobody was told about) is cut and reported;
//! - damage in acknowledged bytes is refused by file and offset, never skipped;
//! - after a failed write or sync nothing is acknowledged any more by this process, because the
//!   page cache may then show bytes that the disk lacks.

mod format;
mod hand;
mod queue;
mod reader;
mod recover;
mod segments;
mod spare;
mod writer;

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod tests;

pub use reader::LogReader;

use std::future::Future;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

use hand::Runs;
use segments::Shared;

use crate::storage::Storage;

/// One piece of what is appended: its kind is the caller's own byte, the log never looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The caller's own mark.
    pub kind: u8,
    /// The bytes to keep.
    pub payload: Bytes,
}

/// Sizes and times of a log. The defaults suit one machine with a local disk.
#[derive(Debug, Clone)]
pub struct LogOptions {
    /// A segment is closed when the next group would pass this, bytes.
    pub segment_bytes: u64,
    /// Most bytes the whole log may hold.
    pub max_bytes: u64,
    /// The last part of `max_bytes`, open only to [`Log::append_reserved`].
    pub reserve_bytes: u64,
    /// Largest payload of one entry, bytes.
    pub max_entry_bytes: usize,
    /// Largest single append, bytes with 5 for each entry.
    pub max_append_bytes: usize,
    /// Appends are gathered into one group up to this, bytes.
    pub gather_bytes: usize,
    /// How long a group waits for others that are known to be on their way.
    pub gather: Duration,
    /// After so long without an append the log says on disk how far it is synced.
    pub idle_seal: Duration,
    /// Most bytes that may wait for the disk before appends are turned away.
    pub queue_bytes: usize,
    /// Whether the next segment is written full of zeros beforehand, which makes syncs cheaper.
    pub preallocate: bool,
    /// Only for simulations: no thread writes, and this seed says when what is queued is written.
    pub by_hand: Option<u64>,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            max_bytes: 16 << 30,
            reserve_bytes: 64 << 20,
            max_entry_bytes: 4 << 20,
            max_append_bytes: 16 << 20,
            gather_bytes: 1 << 20,
            gather: Duration::from_millis(2),
            idle_seal: Duration::from_millis(50),
            queue_bytes: 64 << 20,
            preallocate: true,
            by_hand: None,
        }
    }
}

/// Why the log refused or stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// No room: nothing was stored, the same append may succeed later.
    #[error("the log is full ({detail}); try again when the lake has caught up or space is free")]
    Full {
        /// Which limit, with figures.
        detail: String,
    },
    /// Too much waits for the disk: nothing was stored, the same append may succeed later.
    #[error("the disk is behind: {waiting} bytes wait to be written; try again shortly")]
    Busy {
        /// Bytes that wait.
        waiting: usize,
    },
    /// An entry or append is larger than the limit: it can never succeed as it is.
    #[error("{what} has {bytes} bytes, the limit is {limit}")]
    TooLarge {
        /// "an entry" or "an append".
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// A write or sync failed earlier. Whether the entries in question are on disk is known only
    /// after a restart.
    #[error("the log stopped after a disk error ({reason}); mend the disk and restart")]
    Poisoned {
        /// The disk's own words.
        reason: String,
    },
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
    /// Bytes that were acknowledged cannot be read any more.
    #[error(
        "the log is damaged: file {file}, offset {offset}: {what}; restore this file from a copy, \
         or the data folder from a backup", file = file.display()
    )]
    Corrupt {
        /// The segment.
        file: PathBuf,
        /// Offset in it, bytes.
        offset: u64,
        /// What was found.
        what: String,
    },
    /// The asked entry was trimmed away.
    #[error("entry {asked} is no longer in the log, it begins at {first}")]
    Trimmed {
        /// Sequence asked for.
        asked: u64,
        /// First sequence there is.
        first: u64,
    },
    /// A disk call failed outside the writer.
    #[error("{action} {path}: {reason}", path = path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// The disk's own words.
        reason: String,
    },
}

impl LogError {
    pub(crate) fn io(action: &'static str, path: &Path, error: &std::io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_owned(),
            reason: error.to_string(),
        }
    }
}

/// What [`Log::open`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// First sequence still there (one more than `last_seq` when the log is empty).
    pub first_seq: u64,
    /// Last sequence there, all up to it are durable; 0 in a new log.
    pub last_seq: u64,
    /// Segments found.
    pub segments: usize,
    /// Bytes of the log.
    pub bytes: u64,
    /// Bytes cut off as a torn tail, with the file; nobody was told that they were stored.
    pub cut: Option<(PathBuf, u64)>,
    /// Whether the last segment was copied and synced anew, as after any unclean stop.
    pub copied: bool,
}

/// An open log. Share it by `Arc`; dropping it closes it.
pub struct Log {
    shared: Arc<Shared>,
    writer: Runs,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log")
            .field("durable", &self.durable())
            .field("bytes", &self.bytes())
            .finish_non_exhaustive()
    }
}

impl Log {
    /// Opens the log in `dir`, making it when there is none, and recovers what is there. The
    /// caller holds the data folder's lock: two writers on one folder are not noticed here.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] when acknowledged bytes are damaged, [`LogError::Io`] when the disk
    /// refuses.
    pub fn open(
        dir: impl AsRef<Path>,
        options: LogOptions,
        storage: Arc<dyn Storage>,
    ) -> Result<(Self, Recovery), LogError> {
        let (shared, recovery) = recover::open(dir.as_ref(), options, storage)?;
        let shared = Arc::new(shared);
        let writer = Runs::start(&shared)?;
        Ok((Self { shared, writer }, recovery))
    }

    /// Reads the log in `dir` as it is and changes nothing: what recovery would find, and a reader
    /// from its first entry. None where there is no log.
    ///
    /// # Errors
    /// As [`Log::open`].
    pub fn look(
        dir: impl AsRef<Path>,
        options: LogOptions,
        storage: Arc<dyn Storage>,
    ) -> Result<Option<(Recovery, LogReader)>, LogError> {
        let looked = recover::look(dir.as_ref(), options, storage)?;
        Ok(looked.map(|(shared, recovery)| {
            let first = recovery.first_seq;
            (recovery, LogReader::new(Arc::new(shared), first))
        }))
    }

    /// The files of the log, oldest first, each with where its durable groups end.
    pub fn durable_files(&self) -> Vec<(PathBuf, u64)> {
        let catalog = self.shared.catalog.read();
        let segments = catalog.segments.iter();
        segments.map(|s| (s.path.clone(), s.end)).collect()
    }

    /// Appends the entries as one commit. They are queued before this returns, so the order of
    /// calls is the order of sequences; the future resolves, with their sequences, once they are
    /// on stable storage. Dropping the future does not take the entries back.
    ///
    /// # Errors
    /// See [`LogError`]; after [`LogError::Poisoned`] the entries may or may not be there.
    pub fn append(
        &self,
        entries: Vec<Entry>,
    ) -> impl Future<Output = Result<Range<u64>, LogError>> + Send + 'static {
        self.append_within(&entries, self.shared.soft_limit())
    }

    /// As [`Log::append`], with leave to use the reserve: for what a stopping program must still
    /// write.
    ///
    /// # Errors
    /// As [`Log::append`].
    pub fn append_reserved(
        &self,
        entries: Vec<Entry>,
    ) -> impl Future<Output = Result<Range<u64>, LogError>> + Send + 'static {
        self.append_within(&entries, self.shared.options.max_bytes)
    }

    fn append_within(
        &self,
        entries: &[Entry],
        limit: u64,
    ) -> impl Future<Output = Result<Range<u64>, LogError>> + Send + 'static + use<> {
        let (done, result) = tokio::sync::oneshot::channel();
        let queued = self
            .shared
            .enqueue(entries, limit, queue::Waiter::Async(done));
        let written = self.writer.write_soon();
        async move {
            queued?;
            written.await;
            result.await.unwrap_or(Err(LogError::Closed))
        }
    }

    /// As [`Log::append`] for callers on a thread of their own.
    ///
    /// # Errors
    /// As [`Log::append`].
    pub fn append_blocking(&self, entries: &[Entry]) -> Result<Range<u64>, LogError> {
        let (done, result) = std::sync::mpsc::sync_channel(1);
        let limit = self.shared.soft_limit();
        self.shared
            .enqueue(entries, limit, queue::Waiter::Thread(done))?;
        self.writer.write_now();
        result.recv().unwrap_or(Err(LogError::Closed))
    }

    /// Begins a new segment, so that all before it can be trimmed; gives its first sequence.
    ///
    /// # Errors
    /// As [`Log::append`].
    pub async fn roll(&self) -> Result<u64, LogError> {
        let (done, result) = tokio::sync::oneshot::channel();
        self.shared.ask_roll(queue::Waiter::Async(done))?;
        self.writer.write_soon().await;
        let at = result.await.unwrap_or(Err(LogError::Closed))?;
        Ok(at.start)
    }

    /// Reads durable entries from `from_seq` (0 and 1 mean the first ever) in order. The reader
    /// ends at the durable end and may be asked again when [`Log::tail_notifier`] tells of more.
    /// A payload shares the buffer it was read with (up to 256 KiB): copy what is kept for long.
    #[must_use]
    pub fn read(&self, from_seq: u64) -> LogReader {
        LogReader::new(Arc::clone(&self.shared), from_seq.max(1))
    }

    /// Highest sequence on stable storage; 0 when nothing was ever appended.
    #[must_use]
    pub fn durable(&self) -> u64 {
        self.shared.catalog.read().durable
    }

    /// First sequence not trimmed away (one more than [`Log::durable`] when there is none).
    #[must_use]
    pub fn first(&self) -> u64 {
        self.shared.catalog.read().first_seq()
    }

    /// Follows [`Log::durable`].
    #[must_use]
    pub fn tail_notifier(&self) -> watch::Receiver<u64> {
        self.shared.tail.subscribe()
    }

    /// Gives up all entries up to and with `upto_seq`. Whole segments are removed, at least one
    /// stays; returns how many went.
    ///
    /// # Errors
    /// [`LogError::Io`] when a file cannot be removed; the rest stays readable.
    pub fn trim(&self, upto_seq: u64) -> Result<usize, LogError> {
        self.shared.trim(upto_seq)
    }

    /// Bytes the log holds.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.shared.catalog.read().bytes()
    }

    /// Position of an entry on an axis of bytes that only grows, restarts included: up to 64 KiB
    /// and one group before its true place. Sequences past the end give the end, trimmed ones the
    /// beginning.
    #[must_use]
    pub fn position_bytes(&self, seq: u64) -> u64 {
        self.shared.catalog.read().position(seq)
    }

    /// Bytes a replay from `seq` has to read, by the same measure.
    #[must_use]
    pub fn bytes_since(&self, seq: u64) -> u64 {
        let catalog = self.shared.catalog.read();
        catalog.position(u64::MAX) - catalog.position(seq)
    }

    /// Why the log takes nothing any more; `None` while it is well.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.shared.failure()
    }

    /// Writes what is queued, says on disk how far it is synced, and ends the writer. Appends
    /// after this fail with [`LogError::Closed`]; reading goes on.
    ///
    /// # Errors
    /// [`LogError::Poisoned`] when the last writes failed.
    pub fn close(&self) -> Result<(), LogError> {
        self.shared.begin_close();
        self.writer.end();
        match self.shared.failure() {
            Some(reason) => Err(LogError::Poisoned { reason }),
            None => Ok(()),
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "the log did not close cleanly");
        }
    }
}
