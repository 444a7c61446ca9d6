//! What the log knows of its segment files, shared by writer, readers and trim.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::{Condvar, Mutex, RwLock};
use tokio::sync::watch;

use super::format::SEGMENT_HEADER;
use super::queue::{Queue, State};
use super::{LogError, LogOptions};
use crate::storage::{Storage, StorageFile};

/// A place in the index for at most every so many bytes.
const INDEX_STEP: u64 = 64 << 10;

/// One segment file; `end` is where its durable groups end.
pub(super) struct Segment {
    pub(super) first_seq: u64,
    pub(super) path: PathBuf,
    pub(super) file: Arc<dyn StorageFile>,
    pub(super) base: u64,
    pub(super) end: u64,
    /// First sequence and offset of some groups, in order.
    index: Vec<(u64, u64)>,
}

impl Segment {
    pub(super) fn new(
        first_seq: u64,
        path: PathBuf,
        file: Arc<dyn StorageFile>,
        base: u64,
    ) -> Self {
        Self {
            first_seq,
            path,
            file,
            base,
            end: SEGMENT_HEADER as u64,
            index: Vec::new(),
        }
    }

    /// Takes note of a durable group of `total` bytes at the end.
    pub(super) fn add_group(&mut self, first_seq: u64, total: u64) {
        if self
            .index
            .last()
            .is_none_or(|&(_, offset)| self.end >= offset + INDEX_STEP)
        {
            self.index.push((first_seq, self.end));
        }
        self.end += total;
    }

    /// Offset of a group at or before the one that holds `seq`.
    pub(super) fn offset_before(&self, seq: u64) -> u64 {
        let after = self.index.partition_point(|&(first, _)| first <= seq);
        after
            .checked_sub(1)
            .and_then(|at| self.index.get(at))
            .map_or(SEGMENT_HEADER as u64, |&(_, offset)| offset)
    }

    /// Bytes of groups before the end of this segment, since the log began.
    pub(super) fn end_position(&self) -> u64 {
        self.base + self.end - SEGMENT_HEADER as u64
    }
}

/// All segments, oldest first; never empty once the log is open.
pub(super) struct Catalog {
    pub(super) segments: VecDeque<Segment>,
    pub(super) durable: u64,
}

impl Catalog {
    pub(super) fn first_seq(&self) -> u64 {
        self.segments
            .front()
            .map_or(self.durable + 1, |segment| segment.first_seq)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.end).sum()
    }

    /// The segment that holds `seq`, or would.
    pub(super) fn segment_of(&self, seq: u64) -> Option<&Segment> {
        let after = self
            .segments
            .partition_point(|segment| segment.first_seq <= seq);
        self.segments.get(after.checked_sub(1)?)
    }

    pub(super) fn position(&self, seq: u64) -> u64 {
        if seq > self.durable {
            return self.segments.back().map_or(0, Segment::end_position);
        }
        match self.segment_of(seq) {
            Some(segment) => segment.base + segment.offset_before(seq) - SEGMENT_HEADER as u64,
            None => self.segments.front().map_or(0, |segment| segment.base),
        }
    }
}

/// Everything the parts of an open log share.
pub(super) struct Shared {
    pub(super) dir: PathBuf,
    pub(super) options: LogOptions,
    pub(super) storage: Arc<dyn Storage>,
    pub(super) log_id: [u8; 16],
    pub(super) tag: u32,
    pub(super) catalog: RwLock<Catalog>,
    pub(super) queue: Mutex<Queue>,
    pub(super) wake: Condvar,
    pub(super) tail: watch::Sender<u64>,
    /// Held while segments are removed, so that two trims do not race.
    trimming: Mutex<()>,
}

impl Shared {
    pub(super) fn new(
        dir: &Path,
        options: LogOptions,
        storage: Arc<dyn Storage>,
        log_id: [u8; 16],
        catalog: Catalog,
    ) -> Self {
        let durable = catalog.durable;
        Self {
            dir: dir.to_owned(),
            options,
            storage,
            log_id,
            tag: super::format::tag_of(&log_id),
            catalog: RwLock::new(catalog),
            queue: Mutex::new(Queue::new(durable + 1)),
            wake: Condvar::new(),
            tail: watch::Sender::new(durable),
            trimming: Mutex::new(()),
        }
    }

    /// Most bytes an ordinary append may bring the log to.
    pub(super) fn soft_limit(&self) -> u64 {
        self.options
            .max_bytes
            .saturating_sub(self.options.reserve_bytes)
    }

    pub(super) fn failure(&self) -> Option<String> {
        match &self.queue.lock().state {
            State::Poisoned(reason) => Some(reason.clone()),
            _ => None,
        }
    }

    pub(super) fn trim(&self, upto: u64) -> Result<usize, LogError> {
        let _alone = self.trimming.lock();
        let mut removed = 0;
        loop {
            let path = {
                let catalog = self.catalog.read();
                match (catalog.segments.front(), catalog.segments.get(1)) {
                    (Some(first), Some(next))
                        if next.first_seq <= upto.saturating_add(1)
                            && next.first_seq <= catalog.durable.saturating_add(1) =>
                    {
                        first.path.clone()
                    }
                    _ => return Ok(removed),
                }
            };
            // Oldest first and each on its own: whatever a crash leaves has no hole.
            self.storage
                .remove(&path)
                .map_err(|e| LogError::io("removing", &path, &e))?;
            crate::steps::pass("log.trimmed");
            self.catalog.write().segments.pop_front();
            removed += 1;
            self.storage
                .sync_dir(&self.dir)
                .map_err(|e| LogError::io("syncing", &self.dir, &e))?;
        }
    }
}

/// File name of the segment that begins with `first_seq`.
pub(super) fn segment_name(first_seq: u64) -> String {
    format!("{first_seq:020}.seg")
}

/// First sequence from a file name; `None` for any other file.
pub(super) fn parse_segment_name(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".seg")?;
    (digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit()))
        .then(|| digits.parse().ok())
        .flatten()
}

/// A moving buffer over a file, for reading groups one after another.
#[derive(Default)]
pub(super) struct Window {
    start: u64,
    bytes: Bytes,
}

impl Window {
    const STEP: u64 = 256 << 10;

    /// `len` bytes at `offset`; `None` when `limit` or the end of the file comes first. The buffer
    /// never holds a byte past `limit`.
    pub(super) fn get(
        &mut self,
        file: &dyn StorageFile,
        offset: u64,
        len: u64,
        limit: u64,
    ) -> io::Result<Option<Bytes>> {
        if offset.checked_add(len).is_none_or(|end| end > limit) {
            return Ok(None);
        }
        let held = self.start + self.bytes.len() as u64;
        if offset < self.start || offset + len > held {
            let want = usize::try_from(len.max(Self::STEP).min(limit - offset))
                .map_err(io::Error::other)?;
            let mut buf = vec![0; want];
            let mut filled = 0;
            while filled < want {
                match file.read_at(&mut buf[filled..], offset + filled as u64)? {
                    0 => break,
                    n => filled += n,
                }
            }
            buf.truncate(filled);
            self.start = offset;
            self.bytes = buf.into();
            if (filled as u64) < len {
                return Ok(None);
            }
        }
        let from = usize::try_from(offset - self.start).map_err(io::Error::other)?;
        let len = usize::try_from(len).map_err(io::Error::other)?;
        Ok(Some(self.bytes.slice(from..from + len)))
    }
}
