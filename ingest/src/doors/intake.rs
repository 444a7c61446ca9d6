//! The seam between doors and pipeline: what a door hands in, and what it is told.

use async_trait::async_trait;
use callboard_model::record::{Record, Refusal};
use callboard_store::positions::Position;

/// Most bytes of an unreadable input that are kept, 64 KiB.
pub const DEAD_PREFIX_BYTES: usize = 64 * 1024;

/// Something that arrived and cannot become a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadInput {
    /// Source as far as it is known; else the door, e.g. `/callboard/http`.
    pub source: String,
    /// Why it cannot.
    pub refusal: Refusal,
    /// Its first bytes, at most [`DEAD_PREFIX_BYTES`].
    pub bytes: Vec<u8>,
    /// Its whole length in bytes.
    pub length: u64,
    /// SHA-256 of the whole, hex.
    pub sha256: String,
}

/// A record beside its bytes, on its way to the log.
const RECORD_BYTES: usize = 256;
/// A dead letter beside its bytes: source, reason and hash, more than once.
const DEAD_BYTES: usize = 1_500;

/// One thing that arrived.
#[derive(Debug, Clone)]
pub enum Candidate {
    /// It may be a record; whether it can be read is found inside [`Intake::submit`].
    Record(Record),
    /// The door saw already that it cannot. It is kept as a dead letter.
    Dead(DeadInput),
}

impl Candidate {
    /// Who brought it.
    pub fn source(&self) -> &str {
        match self {
            Candidate::Record(record) => &record.source,
            Candidate::Dead(dead) => &dead.source,
        }
    }

    /// Memory that it takes on its way to the log, bytes, roughly.
    pub fn weight(&self) -> usize {
        match self {
            Candidate::Record(record) => {
                let carried = record.stamp.carried.iter();
                let carried = carried.map(|(k, v)| k.len() + v.len() + 8);
                record.bytes.len() + carried.sum::<usize>() + RECORD_BYTES
            }
            Candidate::Dead(dead) => dead.bytes.len() + DEAD_BYTES,
        }
    }
}

/// What became of a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// New, and durable.
    Taken,
    /// Known already by (source, id); the bytes are the same.
    Repeated,
    /// Known already by (source, id), with other bytes. It is kept.
    Conflict,
    /// It cannot be read. It is kept as a dead letter.
    Refused(Refusal),
}

/// Why nothing more is taken at this moment. What was submitted may or may not be kept; sending
/// it again is always right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// Too much is under way.
    #[error("the server is busy; try again in {retry_after_s} s")]
    Full {
        /// When to come back, seconds.
        retry_after_s: u32,
    },
    /// The log could not be written; only a restart helps.
    #[error("the server cannot write its log ({0}); mend the disk and restart it")]
    Poisoned(String),
    /// It is more than the log takes at once, and would be the next time too.
    #[error("what was sent is more than the log takes at once ({0}); send it in parts")]
    TooMuch(String),
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
}

impl Unavailable {
    /// When to come back, seconds; none where that would not help.
    pub fn retry_after_s(&self) -> Option<u32> {
        match self {
            Unavailable::Full { retry_after_s } => Some((*retry_after_s).max(1)),
            Unavailable::Poisoned(_) => Some(30),
            Unavailable::TooMuch(_) => None,
            Unavailable::Stopping => Some(5),
        }
    }
}

/// Takes what doors bring.
#[async_trait]
pub trait Intake: Send + Sync {
    /// Takes a batch; returns one verdict per candidate, in order, and only when all that was
    /// taken is durable. A [`Candidate::Dead`] is answered [`Verdict::Refused`].
    ///
    /// # Errors
    /// [`Unavailable`] when nothing can be promised of this batch.
    async fn submit(&self, batch: Vec<Candidate>) -> Result<Vec<Verdict>, Unavailable>;

    /// Why a record would be refused although it can be read: for those who keep something else
    /// before they hand it in.
    fn refuses(&self, _record: &Record) -> Option<Refusal> {
        None
    }

    /// Time of receipt, UTC microseconds.
    fn now(&self) -> i64;

    /// The sender of these sources says that there is no more of them: their silence is no
    /// trouble. Nothing is kept of it.
    fn ended(&self, sources: &[String]);
}

/// Takes what a door reads from a source that numbers what it holds, and knows how far that was.
#[async_trait]
pub trait Numbered: Intake {
    /// Offset of the first message of a partition that is not durable here; none where none is.
    fn position(&self, source: &str, topic: &str, partition: i32) -> Option<i64>;

    /// As [`Intake::submit`]; how far the source was read with this batch becomes durable in the
    /// same moment as the batch, or not at all.
    ///
    /// # Errors
    /// As [`Intake::submit`].
    async fn submit_read(
        &self,
        batch: Vec<Candidate>,
        read: Vec<Position>,
    ) -> Result<Vec<Verdict>, Unavailable>;
}
