//! Reading durable entries in order, checked again on the way.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use super::LogError;
use super::format::{GROUP_HEADER, GroupHeader, SEGMENT_HEADER, entry_at, padded};
use super::segments::{Shared, Window};
use crate::storage::StorageFile;

/// Sequence, kind and payload of one entry.
pub type LogItem = (u64, u8, Bytes);

/// Iterator over durable entries; made by [`super::Log::read`]. It ends at the durable end and
/// goes on from there when asked again later. After an error it stays at its end.
pub struct LogReader {
    shared: Arc<Shared>,
    next: u64,
    place: Option<Place>,
    group: Option<Group>,
    failed: bool,
}

struct Place {
    segment: u64,
    path: PathBuf,
    file: Arc<dyn StorageFile>,
    offset: u64,
    window: Window,
}

struct Group {
    payload: Bytes,
    at: usize,
    seq: u64,
    left: u32,
    offset: u64,
}

impl LogReader {
    pub(super) fn new(shared: Arc<Shared>, from: u64) -> Self {
        Self {
            shared,
            next: from,
            place: None,
            group: None,
            failed: false,
        }
    }

    /// Sequence of the next entry this reader will give.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.next
    }

    fn step(&mut self) -> Result<Option<LogItem>, LogError> {
        loop {
            if let Some(group) = &mut self.group {
                if group.left > 0 {
                    let Some((kind, range)) = entry_at(&group.payload, group.at) else {
                        return Err(self.corrupt("an entry does not fit its group"));
                    };
                    let seq = group.seq;
                    group.at = range.end;
                    group.seq += 1;
                    group.left -= 1;
                    if seq < self.next {
                        continue;
                    }
                    self.next = seq + 1;
                    return Ok(Some((seq, kind, group.payload.slice(range))));
                }
                if group.at != group.payload.len() {
                    return Err(self.corrupt("a group holds more than its entries"));
                }
                self.group = None;
            }
            if !self.next_group()? {
                return Ok(None);
            }
        }
    }

    /// Reads the next group that holds entries; false at the durable end.
    fn next_group(&mut self) -> Result<bool, LogError> {
        loop {
            let Some(limit) = self.find_place()? else {
                return Ok(false);
            };
            let tag = self.shared.tag;
            let Some(place) = &mut self.place else {
                return Ok(false);
            };
            let offset = place.offset;
            let read = |place: &mut Place, at, len| {
                place
                    .window
                    .get(place.file.as_ref(), at, len, limit)
                    .map_err(|e| LogError::io("reading", &place.path, &e))
            };
            let head = read(place, offset, GROUP_HEADER as u64)?
                .and_then(|bytes| GroupHeader::decode(&bytes, tag));
            let Some(head) = head else {
                return Err(self.corrupt("there is no group where one should be"));
            };
            let body = padded(head.payload as usize) as u64;
            let bytes = read(place, offset + GROUP_HEADER as u64, body)?;
            let bytes = match bytes {
                Some(bytes) if crc32fast::hash(&bytes) == head.payload_crc => bytes,
                _ => return Err(self.corrupt("the checksum of a group does not match")),
            };
            place.offset += head.total();
            if head.count == 0 || head.first_seq + u64::from(head.count) <= self.next {
                continue;
            }
            if head.first_seq > self.next {
                return Err(self.corrupt("entries are missing before this group"));
            }
            self.group = Some(Group {
                payload: bytes.slice(..head.payload as usize),
                at: 0,
                seq: head.first_seq,
                left: head.count,
                offset,
            });
            return Ok(true);
        }
    }

    /// Makes sure there is a group to read at the current place; gives where durable groups end
    /// in its segment, or `None` at the durable end of the log.
    fn find_place(&mut self) -> Result<Option<u64>, LogError> {
        let catalog = self.shared.catalog.read();
        if self.next < catalog.first_seq() {
            return Err(LogError::Trimmed {
                asked: self.next,
                first: catalog.first_seq(),
            });
        }
        if self.next > catalog.durable {
            return Ok(None);
        }
        let Some(segment) = catalog.segment_of(self.next) else {
            return Ok(None);
        };
        match &self.place {
            Some(place) if place.segment == segment.first_seq => {}
            _ => {
                self.place = Some(Place {
                    segment: segment.first_seq,
                    path: segment.path.clone(),
                    file: Arc::clone(&segment.file),
                    offset: segment.offset_before(self.next).max(SEGMENT_HEADER as u64),
                    window: Window::default(),
                });
            }
        }
        Ok(Some(segment.end))
    }

    fn corrupt(&self, what: &str) -> LogError {
        let offset = match (&self.group, &self.place) {
            (Some(group), _) => group.offset,
            (None, Some(place)) => place.offset,
            (None, None) => 0,
        };
        LogError::Corrupt {
            file: self
                .place
                .as_ref()
                .map(|place| place.path.clone())
                .unwrap_or_default(),
            offset,
            what: what.to_owned(),
        }
    }
}

impl Iterator for LogReader {
    type Item = Result<LogItem, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let item = self.step();
        self.failed = item.is_err();
        item.transpose()
    }
}
