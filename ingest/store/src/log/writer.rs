//! The one thread that writes: it takes what is queued as one group, writes it, syncs once, and
//! wakes everyone whose entries were in it.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use super::LogError;
use super::format::{GROUP_HEADER, SegmentHeader, begin_group, finish_group};
use super::queue::{Batch, State, Waiter};
use super::segments::{Segment, Shared, segment_name};
use super::spare::Spare;
use crate::steps;
use crate::storage::StorageFile;

/// Starts the writer of a recovered log.
pub(super) fn start(shared: Arc<Shared>) -> Result<JoinHandle<()>, LogError> {
    let dir = shared.dir.clone();
    std::thread::Builder::new()
        .name("log-writer".into())
        .spawn(move || Writer::new(shared).run())
        .map_err(|e| LogError::io("starting the writer of", &dir, &e))
}

/// Why a group could not be written.
enum Failure {
    /// Nothing was stored and the file is as before.
    NoRoom(String),
    /// The disk is in doubt.
    Broken(String),
}

impl Failure {
    fn broken(action: &str, error: &io::Error) -> Self {
        Self::Broken(format!("{action}: {error}"))
    }
}

enum Next {
    Group(Batch),
    Seal,
    Roll(Vec<Waiter>),
    End,
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    /// Whether the last group on disk is a seal, or nothing follows the segment's beginning.
    sealed: bool,
    /// Waiters of the last group: so many may be on their way again.
    last_waiters: usize,
    spare: Spare,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let spare = Spare::new(&shared);
        Self {
            shared,
            sealed: true,
            last_waiters: 0,
            spare,
        }
    }

    fn run(mut self) {
        while self.step() {}
    }

    /// Does all that is due, and waits for nothing more.
    pub(super) fn run_queued(&mut self) {
        while self.shared.is_due() && self.step() {}
    }

    /// Waits for what is next and does it; false when nothing follows.
    fn step(&mut self) -> bool {
        let result = match self.next() {
            Next::Group(batch) => self.commit(batch),
            Next::Seal => self.seal(),
            Next::Roll(waiters) => self.renew(waiters),
            Next::End => {
                let result = self.seal();
                if result.is_ok() {
                    self.shared.queue.lock().state = State::Closed;
                    return false;
                }
                result
            }
        };
        if let Err(reason) = &result {
            self.poison(reason);
        }
        result.is_ok()
    }

    /// Waits for work, and a moment longer when others are known to come.
    fn next(&mut self) -> Next {
        let options = &self.shared.options;
        let mut queue = self.shared.queue.lock();
        while queue.batches.is_empty() || !queue.rolls.is_empty() {
            if !queue.rolls.is_empty() {
                return Next::Roll(std::mem::take(&mut queue.rolls));
            }
            if queue.state != State::Running {
                return Next::End;
            }
            if self.sealed {
                self.shared.wake.wait(&mut queue);
            } else {
                let idle = self.shared.wake.wait_for(&mut queue, options.idle_seal);
                if idle.timed_out() && queue.batches.is_empty() {
                    return Next::Seal;
                }
            }
        }
        let until = Instant::now() + options.gather;
        while queue.state == State::Running
            && queue.batches.len() == 1
            && queue
                .batches
                .front()
                .is_some_and(|batch| batch.waiters.len() < self.last_waiters)
        {
            if self.shared.wake.wait_until(&mut queue, until).timed_out() {
                break;
            }
        }
        match queue.batches.pop_front() {
            Some(batch) => Next::Group(batch),
            None => Next::Seal,
        }
    }

    /// Writes one batch; `Err` only when the log must stop.
    fn commit(&mut self, mut batch: Batch) -> Result<(), String> {
        self.last_waiters = batch.waiters.len();
        let durable = self.shared.catalog.read().durable;
        let payload = batch.buf.len() - GROUP_HEADER;
        finish_group(
            &mut batch.buf,
            self.shared.tag,
            batch.first_seq,
            batch.count,
            durable,
        );
        match self.write_group(&batch.buf, batch.first_seq) {
            Ok(()) => {
                self.sealed = false;
                let last = batch.first_seq + u64::from(batch.count) - 1;
                self.shared.catalog.write().durable = last;
                self.shared.tail.send_replace(last);
                self.shared.queue.lock().bytes -= payload;
                for (waiter, range) in batch.waiters {
                    waiter.wake(Ok(range));
                }
                self.spare.prepare(&self.shared);
                Ok(())
            }
            Err(Failure::NoRoom(detail)) => {
                tracing::warn!(%detail, "no room for the log");
                // Later batches have sequences after these: they go too, and all may come again.
                let mut queue = self.shared.queue.lock();
                let mut waiters = batch.waiters;
                for later in queue.batches.drain(..) {
                    waiters.extend(later.waiters);
                }
                queue.bytes = 0;
                queue.next_seq = durable + 1;
                drop(queue);
                for (waiter, _) in waiters {
                    waiter.wake(Err(LogError::Full {
                        detail: detail.clone(),
                    }));
                }
                Ok(())
            }
            Err(Failure::Broken(reason)) => {
                self.shared.queue.lock().batches.push_front(batch);
                Err(reason)
            }
        }
    }

    /// Says on disk how far the log is synced, so that damage before it can be told from a tear.
    fn seal(&mut self) -> Result<(), String> {
        if self.sealed {
            return Ok(());
        }
        let durable = self.shared.catalog.read().durable;
        let mut buf = Vec::new();
        begin_group(&mut buf);
        finish_group(&mut buf, self.shared.tag, durable + 1, 0, durable);
        match self.write_group(&buf, durable + 1) {
            Ok(()) => self.sealed = true,
            // Nothing depends on a seal; the next group carries the same news.
            Err(Failure::NoRoom(_)) => self.sealed = true,
            Err(Failure::Broken(reason)) => return Err(reason),
        }
        Ok(())
    }

    fn write_group(&mut self, buf: &[u8], first_seq: u64) -> Result<(), Failure> {
        let Some((mut file, mut end, base)) = self.active() else {
            return Err(Failure::Broken("no segment is open".into()));
        };
        // A seal may stand in one that holds no entry: a new one would take the same name.
        if self.holds_before(first_seq)
            && end + buf.len() as u64 > self.shared.options.segment_bytes
        {
            (file, end) = self.roll(first_seq, base)?;
        }
        let begun = Instant::now();
        steps::pass("log.write");
        if let Err(error) = file.write_at(buf, end) {
            if !no_room(&error) {
                return Err(Failure::broken("writing", &error));
            }
            // A short write was told to nobody; cut it so that the file is as before.
            file.set_len(end)
                .map_err(|e| Failure::broken("cutting a short write", &e))?;
            return Err(Failure::NoRoom(error.to_string()));
        }
        steps::pass("log.written");
        file.sync().map_err(|e| Failure::broken("syncing", &e))?;
        steps::pass("log.synced");
        metrics::counter!("callboard_log_groups_total").increment(1);
        metrics::counter!("callboard_log_bytes_total").increment(buf.len() as u64);
        metrics::histogram!("callboard_log_sync_seconds").record(begun.elapsed().as_secs_f64());
        if let Some(segment) = self.shared.catalog.write().segments.back_mut() {
            segment.add_group(first_seq, buf.len() as u64);
        }
        Ok(())
    }

    /// The open segment's file, where its groups end, and the bytes of groups up to there.
    fn active(&self) -> Option<(Arc<dyn StorageFile>, u64, u64)> {
        let catalog = self.shared.catalog.read();
        let segment = catalog.segments.back()?;
        Some((
            Arc::clone(&segment.file),
            segment.end,
            segment.end_position(),
        ))
    }

    /// Whether the open segment holds an entry before this one.
    fn holds_before(&self, seq: u64) -> bool {
        let catalog = self.shared.catalog.read();
        catalog.segments.back().is_some_and(|s| s.first_seq < seq)
    }

    /// Begins a new segment at `first_seq`; everything before it is synced.
    fn roll(&mut self, first_seq: u64, base: u64) -> Result<(Arc<dyn StorageFile>, u64), Failure> {
        let shared = &self.shared;
        let path = shared.dir.join(segment_name(first_seq));
        let spare = self.spare.take();
        let (temp, file) = match spare {
            Some(ready) => ready,
            None => {
                let temp = path.with_extension("tmp");
                match shared.storage.create(&temp) {
                    Ok(file) => (temp, file),
                    Err(error) => return Err(room_or_broken("making a segment", &error)),
                }
            }
        };
        let header = SegmentHeader {
            first_seq,
            log_id: shared.log_id,
            base,
        };
        if let Err(error) = file
            .write_at(&header.encode(), 0)
            .and_then(|()| file.sync())
        {
            // The new file holds nothing yet, so its failure puts no stored byte in doubt.
            let _ = shared.storage.remove(&temp);
            return Err(room_or_broken("making a segment", &error));
        }
        shared
            .storage
            .rename(&temp, &path)
            .and_then(|()| shared.storage.sync_dir(&shared.dir))
            .map_err(|e| Failure::broken("naming a segment", &e))?;
        steps::pass("log.rolled");
        let segment = Segment::new(first_seq, path, Arc::clone(&file), base);
        let end = segment.end;
        shared.catalog.write().segments.push_back(segment);
        self.sealed = true;
        Ok((file, end))
    }

    /// Begins a new segment although the last one has room, so that the last one can go.
    fn renew(&mut self, waiters: Vec<Waiter>) -> Result<(), String> {
        let next = self.shared.catalog.read().durable + 1;
        let mut answer = Ok(next);
        // One that holds no entry is new.
        let at = self.holds_before(next).then_some(next);
        if let (Some(first_seq), Some((_, _, base))) = (at, self.active()) {
            match self.roll(first_seq, base) {
                Ok(_) => {}
                Err(Failure::NoRoom(detail)) => answer = Err(LogError::Full { detail }),
                Err(Failure::Broken(reason)) => {
                    self.shared.queue.lock().rolls.extend(waiters);
                    return Err(reason);
                }
            }
        }
        for waiter in waiters {
            waiter.wake(answer.clone().map(|at| at..at));
        }
        Ok(())
    }

    fn poison(&self, reason: &str) {
        tracing::error!(reason, "the log stops: a disk call failed");
        let mut queue = self.shared.queue.lock();
        queue.state = State::Poisoned(reason.to_owned());
        let batches = std::mem::take(&mut queue.batches);
        let rolls = std::mem::take(&mut queue.rolls);
        queue.bytes = 0;
        drop(queue);
        let waiters = batches.into_iter().flat_map(|batch| batch.waiters);
        for waiter in waiters.map(|(waiter, _)| waiter).chain(rolls) {
            waiter.wake(Err(LogError::Poisoned {
                reason: reason.to_owned(),
            }));
        }
    }
}

fn room_or_broken(action: &str, error: &io::Error) -> Failure {
    if no_room(error) {
        Failure::NoRoom(format!("{action}: {error}"))
    } else {
        Failure::broken(action, error)
    }
}

/// Whether the disk or a quota is full, which passes, unlike a broken disk.
fn no_room(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
