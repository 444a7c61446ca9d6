//! The pipeline: what doors bring is read, made durable, folded into live, and acknowledged, in
//! this order; and the clockwork that flushes, tidies and says when nothing was heard.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use callboard_model::record::{Record, Refusal, Routing};
use callboard_model::tables::DeadLetterRow;
use callboard_store::live::Routed;
use callboard_store::live::codec::{
    DEAD_LETTER, POSITION, RECORD, encode_dead_letter, encode_position, encode_record,
};
use callboard_store::live::seen::Seen;
use callboard_store::log::{Entry, LogError};
use callboard_store::positions::Position;
use callboard_store::store::Store;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::doors::intake::{Candidate, DeadInput, Intake, Numbered, Unavailable, Verdict};
use crate::heard::{Heard, Hearing};

mod claims;
mod dead;
mod shares;

use claims::{Claim, UnderWay};
pub use dead::hex;
use dead::{dead_of, dead_of_erased, dead_row};
use shares::Shares;

/// Bytes of candidates that may be under way at once.
const UNDER_WAY: usize = 64 << 20;

/// So many times what may be held before a flush is due is held at most: then nothing more is taken
/// before one has made room.
const FULL: f64 = 2.0;
/// From here on nothing is taken of sources that bring more than others do: a flood leaves room.
const CROWDED: f64 = 1.5;

/// How long a request waits for room before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is acknowledged and not folded would be missing in rows: a fault ends the fold for good.
const FOLD_ENDED: &str = "a fault in the program ended the reading of records; what is acknowledged \
     is in the log, and a restart reads it again";

type Ack = Pin<Box<dyn Future<Output = Result<std::ops::Range<u64>, LogError>> + Send>>;

/// A candidate once read.
type Read = Result<(Arc<Record>, Routing), Box<DeadInput>>;

/// Who spoke, and of which time.
type Spoke = (Arc<str>, Option<i64>);

enum Piece {
    Record(Arc<Record>, Routing),
    Dead(DeadLetterRow),
    Read(Position),
}

struct Job {
    pieces: Vec<Piece>,
    ack: Ack,
    /// Records whose ids are forgotten if they do not become durable.
    new: Vec<Arc<Record>>,
    /// Held until their fate is known, whether or not the client still waits: the ids, and the room
    /// that the bytes take.
    _held: (Claim, OwnedSemaphorePermit),
    reply: oneshot::Sender<Result<(), LogError>>,
}

/// Takes what doors bring. Share it by `Arc`.
pub struct Pipeline {
    heard: Mutex<Hearing>,
    store: Arc<Store>,
    fold: mpsc::UnboundedSender<Job>,
    /// Whether a fault has ended the fold.
    ended: Arc<AtomicBool>,
    under_way: Arc<UnderWay>,
    room: Arc<Semaphore>,
    shares: Shares,
    /// Microseconds from receipt to acknowledged and visible, of the last request.
    visible: AtomicU64,
}

impl Pipeline {
    /// Starts the fold on the current runtime.
    pub fn start(store: Arc<Store>) -> Arc<Self> {
        let (fold, mut jobs) = mpsc::unbounded_channel::<Job>();
        let below = store.clone();
        let ended = Arc::new(AtomicBool::new(false));
        let ends = ended.clone();
        tokio::spawn(async move {
            // One task takes all in the order of the log.
            while let Some(job) = jobs.recv().await {
                let result = job.ack.await;
                let reply = match result {
                    Ok(range) => {
                        let fold = || fold_in(&below, range.start, job.pieces);
                        if catch_unwind(AssertUnwindSafe(fold)).is_err() {
                            // Before anybody is answered, whose next try must not pass for a repeat.
                            ends.store(true, Ordering::SeqCst);
                            return;
                        }
                        Ok(())
                    }
                    Err(error) => {
                        below.seen.lock().forget(&job.new);
                        Err(error)
                    }
                };
                // A client that went away does not undo what is durable.
                let _ = job.reply.send(reply);
            }
        });
        Arc::new(Pipeline {
            heard: Mutex::new(Hearing::default()),
            store,
            fold,
            ended,
            under_way: Arc::default(),
            room: Arc::new(Semaphore::new(UNDER_WAY)),
            shares: Shares::default(),
            visible: AtomicU64::new(u64::MAX),
        })
    }

    /// What was heard of every source.
    pub fn heard(&self) -> BTreeMap<String, Heard> {
        self.heard.lock().all().clone()
    }

    fn note(&self, now: i64, spoke: &[Spoke], verdicts: &[Verdict]) {
        let mut heard = self.heard.lock();
        for ((source, time), verdict) in spoke.iter().zip(verdicts) {
            heard.note(source, *time, now, verdict);
        }
    }

    /// How long the last request took from its receipt until it was durable, acknowledged and
    /// visible to every query: an acknowledgement comes after the fold.
    pub fn visible_after(&self) -> Option<Duration> {
        let took = self.visible.load(Ordering::Relaxed);
        (took < u64::MAX).then(|| Duration::from_micros(took))
    }

    /// Why nothing is taken until the next start; `None` while all is well.
    pub fn failure(&self) -> Option<String> {
        match self.store.log.failure() {
            Some(reason) => Some(format!("the log cannot be written: {reason}")),
            None => self.has_ended().then(|| FOLD_ENDED.to_owned()),
        }
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// The store below.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    fn read(&self, candidate: Candidate) -> Read {
        match candidate {
            Candidate::Dead(dead) => Err(Box::new(dead)),
            Candidate::Record(record) => match self.store.interpreter().route(&record) {
                Ok(routing) => Ok((Arc::new(record), routing)),
                Err(refusal) => Err(Box::new(dead_of(&record, refusal))),
            },
        }
    }
}

fn fold_in(store: &Store, first: u64, pieces: Vec<Piece>) {
    let mut records = Vec::with_capacity(pieces.len());
    let mut dead = Vec::new();
    let mut read = Vec::new();
    for (seq, piece) in (first..).zip(pieces) {
        match piece {
            Piece::Record(record, routing) => records.push(Routed {
                seq,
                record,
                routing,
            }),
            Piece::Dead(row) => dead.push((seq, row)),
            Piece::Read(position) => read.push((seq, position)),
        }
    }
    store.take_read(records, dead, read);
}

fn unavailable(error: LogError) -> Unavailable {
    match error {
        LogError::Full { .. } => Unavailable::Full { retry_after_s: 30 },
        LogError::Busy { .. } => Unavailable::Full { retry_after_s: 1 },
        LogError::Closed => Unavailable::Stopping,
        LogError::TooLarge { .. } => Unavailable::TooMuch(error.to_string()),
        other => Unavailable::Poisoned(other.to_string()),
    }
}

#[async_trait]
impl Intake for Pipeline {
    async fn submit(&self, batch: Vec<Candidate>) -> Result<Vec<Verdict>, Unavailable> {
        self.submit_read(batch, Vec::new()).await
    }

    fn now(&self) -> i64 {
        self.store.now()
    }

    fn refuses(&self, record: &Record) -> Option<Refusal> {
        let routing = self.store.interpreter().route(record).ok()?;
        self.store.lake.erased().refusal(&routing)
    }

    fn ended(&self, sources: &[String]) {
        self.heard.lock().ended(sources, self.store.now());
    }
}

#[async_trait]
impl Numbered for Pipeline {
    fn position(&self, source: &str, topic: &str, partition: i32) -> Option<i64> {
        self.store.position(source, topic, partition)
    }

    async fn submit_read(
        &self,
        batch: Vec<Candidate>,
        positions: Vec<Position>,
    ) -> Result<Vec<Verdict>, Unavailable> {
        if batch.is_empty() && positions.is_empty() {
            return Ok(Vec::new());
        }
        let began = Instant::now();
        let size: usize = batch.iter().map(Candidate::weight).sum();
        if let Some(first) = batch.first() {
            self.wait_for_memory(first.source(), size).await?;
        }
        let permits = u32::try_from(size.min(UNDER_WAY)).unwrap_or(u32::MAX);
        let room = tokio::time::timeout(PATIENCE, self.room.clone().acquire_many_owned(permits));
        let Ok(Ok(room)) = room.await else {
            return Err(Unavailable::Full { retry_after_s: 1 });
        };
        let now = self.store.now();
        let read: Vec<_> = batch.into_iter().map(|c| self.read(c)).collect();
        let own: Vec<u64> = read
            .iter()
            .flatten()
            .map(|(r, _)| r.identity_hash())
            .collect();

        let claim = self.under_way.claim(own).await;
        let verdicts = self.append(read, positions, now, (claim, room)).await?;
        let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX - 1);
        self.visible.store(took, Ordering::Relaxed);
        Ok(verdicts)
    }
}

impl Pipeline {
    /// Waits until a source may bring so many bytes. Who waits here takes no other's place.
    async fn wait_for_memory(&self, source: &str, bytes: usize) -> Result<(), Unavailable> {
        let patient = Instant::now() + PATIENCE;
        loop {
            let (now, held) = (self.store.now(), self.store.held());
            if held <= CROWDED || held <= FULL && !self.shares.is_large(source, now) {
                self.shares.note(source, bytes, now);
                return Ok(());
            }
            if Instant::now() >= patient {
                return Err(Unavailable::Full { retry_after_s: 5 });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn append(
        &self,
        read: Vec<Read>,
        positions: Vec<Position>,
        now: i64,
        held: (Claim, OwnedSemaphorePermit),
    ) -> Result<Vec<Verdict>, Unavailable> {
        let mut verdicts = Vec::with_capacity(read.len());
        let mut pieces = Vec::with_capacity(read.len());
        let mut entries = Vec::with_capacity(read.len());
        let mut new = Vec::new();
        let spoke: Vec<Spoke> = read
            .iter()
            .map(|item| match item {
                Ok((record, routing)) => (record.source.clone(), routing.time),
                Err(dead) => (dead.source.as_str().into(), None),
            })
            .collect();
        let (reply, told) = oneshot::channel();
        {
            // Ids are remembered, the log is appended and the fold is told in one order.
            let mut seen = self.store.seen.lock();
            if self.has_ended() {
                return Err(Unavailable::Poisoned(FOLD_ENDED.to_owned()));
            }
            let erased = self.store.lake.erased();
            for (nth, item) in read.into_iter().enumerate() {
                let item = item.and_then(|(record, routing)| match erased.refusal(&routing) {
                    Some(refusal) => Err(Box::new(dead_of_erased(&record, refusal))),
                    None => Ok((record, routing)),
                });
                match item {
                    Ok((record, routing)) => {
                        let verdict = match seen.check(&record) {
                            Seen::Same => {
                                verdicts.push(Verdict::Repeated);
                                continue;
                            }
                            Seen::New => Verdict::Taken,
                            Seen::Other => Verdict::Conflict,
                        };
                        seen.remember(&record);
                        new.push(record.clone());
                        verdicts.push(verdict);
                        entries.push(Entry {
                            kind: RECORD,
                            payload: encode_record(&record),
                        });
                        pieces.push(Piece::Record(record, routing));
                    }
                    Err(dead) => {
                        let refusal = dead.refusal.clone();
                        let row = dead_row(*dead, now, nth);
                        verdicts.push(Verdict::Refused(refusal));
                        entries.push(Entry {
                            kind: DEAD_LETTER,
                            payload: encode_dead_letter(&row),
                        });
                        pieces.push(Piece::Dead(row));
                    }
                }
            }
            for position in positions {
                entries.push(Entry {
                    kind: POSITION,
                    payload: encode_position(&position),
                });
                pieces.push(Piece::Read(position));
            }
            if entries.is_empty() {
                self.note(now, &spoke, &verdicts);
                return Ok(verdicts);
            }
            let ack: Ack = Box::pin(self.store.log.append(entries));
            let job = Job {
                pieces,
                ack,
                new,
                _held: held,
                reply,
            };
            if self.fold.send(job).is_err() {
                return Err(Unavailable::Poisoned(FOLD_ENDED.to_owned()));
            }
        }
        match told.await {
            Ok(told) => told.map_err(unavailable)?,
            Err(_) => return Err(Unavailable::Poisoned(FOLD_ENDED.to_owned())),
        }
        self.note(now, &spoke, &verdicts);
        Ok(verdicts)
    }
}

#[cfg(test)]
mod tests;
