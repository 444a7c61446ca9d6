//! What waits for the writer: entries already numbered and laid out as groups, and who waits.

use std::collections::VecDeque;
use std::ops::Range;

use tokio::sync::oneshot;

use super::format::{ENTRY_HEADER, GROUP_HEADER, begin_group, push_entry};
use super::segments::Shared;
use super::{Entry, LogError};

type Answer = Result<Range<u64>, LogError>;

/// Who waits for an append.
pub(super) enum Waiter {
    Async(oneshot::Sender<Answer>),
    Thread(std::sync::mpsc::SyncSender<Answer>),
}

impl Waiter {
    pub(super) fn wake(self, answer: Answer) {
        // One who went away does not care.
        match self {
            Self::Async(done) => drop(done.send(answer)),
            Self::Thread(done) => drop(done.try_send(answer)),
        }
    }
}

/// Entries that will be one group.
pub(super) struct Batch {
    pub(super) buf: Vec<u8>,
    pub(super) first_seq: u64,
    pub(super) count: u32,
    pub(super) waiters: Vec<(Waiter, Range<u64>)>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum State {
    Running,
    Closing,
    Closed,
    Poisoned(String),
}

/// What waits for the disk.
pub(super) struct Queue {
    pub(super) batches: VecDeque<Batch>,
    pub(super) next_seq: u64,
    /// Bytes queued or being written.
    pub(super) bytes: usize,
    pub(super) state: State,
    /// Who waits for a new segment.
    pub(super) rolls: Vec<Waiter>,
}

impl Queue {
    pub(super) fn new(next_seq: u64) -> Self {
        Self {
            batches: VecDeque::new(),
            next_seq,
            bytes: 0,
            state: State::Running,
            rolls: Vec::new(),
        }
    }
}

impl Shared {
    /// Checks the entries and queues them under the next sequences.
    pub(super) fn enqueue(
        &self,
        entries: &[Entry],
        limit: u64,
        waiter: Waiter,
    ) -> Result<(), LogError> {
        let mut size = 0usize;
        for entry in entries {
            if entry.payload.len() > self.options.max_entry_bytes {
                return Err(LogError::TooLarge {
                    what: "an entry",
                    bytes: entry.payload.len(),
                    limit: self.options.max_entry_bytes,
                });
            }
            size = size.saturating_add(ENTRY_HEADER + entry.payload.len());
        }
        if size > self.options.max_append_bytes {
            return Err(LogError::TooLarge {
                what: "an append",
                bytes: size,
                limit: self.options.max_append_bytes,
            });
        }
        let held = self.catalog.read().bytes();
        let mut queue = self.queue.lock();
        match &queue.state {
            State::Running => {}
            State::Closing | State::Closed => return Err(LogError::Closed),
            State::Poisoned(reason) => {
                return Err(LogError::Poisoned {
                    reason: reason.clone(),
                });
            }
        }
        if entries.is_empty() {
            let at = queue.next_seq;
            waiter.wake(Ok(at..at));
            return Ok(());
        }
        if held + (queue.bytes + size + GROUP_HEADER) as u64 > limit {
            return Err(LogError::Full {
                detail: format!("it holds {held} bytes and may hold {limit}"),
            });
        }
        if queue.bytes > 0 && queue.bytes + size > self.options.queue_bytes {
            return Err(LogError::Busy {
                waiting: queue.bytes,
            });
        }
        let first = queue.next_seq;
        let range = first..first + entries.len() as u64;
        queue.next_seq = range.end;
        queue.bytes += size;
        let fits = queue.batches.back().is_some_and(|batch| {
            batch.buf.len() + size <= self.options.gather_bytes
                && batch.count.checked_add(entries.len() as u32).is_some()
        });
        if !fits {
            let mut buf = Vec::new();
            begin_group(&mut buf);
            queue.batches.push_back(Batch {
                buf,
                first_seq: first,
                count: 0,
                waiters: Vec::new(),
            });
        }
        if let Some(batch) = queue.batches.back_mut() {
            for entry in entries {
                push_entry(&mut batch.buf, entry.kind, &entry.payload);
            }
            batch.count += entries.len() as u32;
            batch.waiters.push((waiter, range));
        }
        self.wake.notify_one();
        Ok(())
    }

    /// Asks for a new segment at the next group's place.
    pub(super) fn ask_roll(&self, waiter: Waiter) -> Result<(), LogError> {
        let mut queue = self.queue.lock();
        match &queue.state {
            State::Running => {}
            State::Closing | State::Closed => return Err(LogError::Closed),
            State::Poisoned(reason) => {
                return Err(LogError::Poisoned {
                    reason: reason.clone(),
                });
            }
        }
        queue.rolls.push(waiter);
        self.wake.notify_one();
        Ok(())
    }

    /// Whether the writer has something to do.
    pub(super) fn is_due(&self) -> bool {
        let queue = self.queue.lock();
        match &queue.state {
            State::Running => !queue.batches.is_empty() || !queue.rolls.is_empty(),
            State::Closing => true,
            State::Closed | State::Poisoned(_) => false,
        }
    }

    pub(super) fn begin_close(&self) {
        let mut queue = self.queue.lock();
        if queue.state == State::Running {
            queue.state = State::Closing;
        }
        self.wake.notify_one();
    }
}
