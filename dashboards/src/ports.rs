//! What the rest of the program gives to the pages at construction: sound, notes, status and
//! news of changes. The traits are ours so that the pages depend on nobody.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::watch;

/// Why there is no sound.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AudioError {
    /// There is no such recording, or its audio is gone; the text says which.
    #[error("{0}")]
    Absent(String),
    /// It is there and could not be decoded; the text says why.
    #[error("{0}")]
    Failed(String),
}

/// Decoded sound of a contact.
#[async_trait]
pub trait Audio: Send + Sync {
    /// A whole WAV file (PCM 16 bit; two channels, customer left, agent right, where both legs
    /// are known) of the recordings named, which belong to one contact and share their start.
    /// Spans that hold card numbers or security codes are silent in it.
    ///
    /// # Errors
    /// See [`AudioError`].
    async fn wav(&self, contact_id: &str, recording_ids: &[String]) -> Result<Bytes, AudioError>;
}

/// A reviewer's note about to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct NewNote {
    /// Contact.
    pub contact_id: String,
    /// Leg of the turn.
    pub leg: Option<String>,
    /// Turn in the conversation; None = on the whole contact.
    pub turn_seq: Option<i64>,
    /// Place in the recording, milliseconds.
    pub at_ms: Option<i64>,
    /// Who writes.
    pub author: String,
    /// The note.
    pub text: String,
}

/// Where notes go.
#[async_trait]
pub trait Notes: Send + Sync {
    /// Makes the note durable and visible.
    ///
    /// # Errors
    /// A sentence for the reviewer: what went wrong and what to do.
    async fn write(&self, note: NewNote) -> Result<(), String>;
}

/// One source of events, as the doors see it.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedStatus {
    /// Source, e.g. `/asterisk/pbx1/queue_log`.
    pub source: String,
    /// Time of the latest receipt on the clock that the board uses, UTC microseconds.
    pub last_received_at: Option<i64>,
    /// The latest time that an event itself names, UTC microseconds.
    pub last_event_at: Option<i64>,
    /// Events taken since start.
    pub taken: u64,
    /// Repeats since start.
    pub repeated: u64,
    /// Refused since start.
    pub refused: u64,
    /// Events per minute over the last minute.
    pub per_minute: f64,
    /// When its sender said that there is no more (a file sent without `--follow`, a replay at its
    /// end), on the clock that the board uses, UTC microseconds; `None` = it goes on.
    pub ended_at: Option<i64>,
}

/// A source by its name: a door with an adapter behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceStatus {
    /// Name: the last part of its address.
    pub name: String,
    /// Who reads what comes: a platform's name, `asterisk`, `events` or `mapping:NAME`.
    pub adapter: String,
    /// Instance of the platform; empty = what a request or a document names.
    pub instance: String,
    /// Site that is stamped on its records.
    pub site: String,
    /// Whether it stands in the configuration.
    pub configured: bool,
    /// `live`, `silent` or `never heard`.
    pub state: &'static str,
    /// Receipt of the last record, UTC microseconds.
    pub last_received_at: Option<i64>,
    /// From the latest time that its records name to the receipt of the last, milliseconds.
    pub lag_ms: Option<i64>,
    /// Records of all time.
    pub records: i64,
    /// What it sent, by the format of the records.
    pub feeds: Vec<SourceFeed>,
}

/// Records of one format that a source sent.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceFeed {
    /// Format, e.g. `teams/call-queue`.
    pub format: String,
    /// Records of all time.
    pub records: i64,
    /// Receipt of the last, UTC microseconds.
    pub last_received_at: Option<i64>,
    /// From the latest time that one of them names to the receipt of the last, milliseconds.
    pub lag_ms: Option<i64>,
}

/// A connection that the server itself opened.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkStatus {
    /// What it is to, such as `ami pbx1`.
    pub name: String,
    /// Whether it is up.
    pub up: bool,
    /// Since when it is so, or when it last brought something, UTC microseconds.
    pub since: Option<i64>,
    /// What is wrong with it, in a sentence.
    pub trouble: Option<String>,
    /// Taken since start.
    pub taken: u64,
    /// Repeats since start.
    pub repeated: u64,
    /// Refused since start.
    pub refused: u64,
    /// Latest times in which nobody listened: from, until, UTC microseconds.
    pub gaps: Vec<(i64, i64)>,
}

/// Health of one table of the lake.
#[derive(Debug, Clone, PartialEq)]
pub struct TableStatus {
    /// Table.
    pub name: String,
    /// Newest version.
    pub version: i64,
    /// Live files.
    pub files: u64,
    /// Bytes of live files.
    pub bytes: u64,
    /// Rows in live files.
    pub rows: u64,
    /// Something wrong with it, in a sentence.
    pub problem: Option<String>,
}

/// What the status page shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StatusReport {
    /// Program version.
    pub version: String,
    /// Start of this process, UTC microseconds of the machine's clock.
    pub started_at: i64,
    /// Every source heard of.
    pub feeds: Vec<FeedStatus>,
    /// Connections that the server opened.
    pub links: Vec<LinkStatus>,
    /// Dead letters on record.
    pub dead_letters: u64,
    /// From the receipt of the last request until it was durable, acknowledged and visible in SQL,
    /// milliseconds.
    pub visible_lag_ms: Option<u64>,
    /// Records that are acknowledged and not interpreted yet.
    pub pipeline_backlog: u64,
    /// Bytes of log not yet in the lake.
    pub log_bytes: u64,
    /// Keys that have not settled.
    pub live_keys: u64,
    /// Number of the last flush.
    pub flush: u64,
    /// Time of the last flush on the machine's clock, UTC microseconds.
    pub flushed_at: Option<i64>,
    /// Recordings waiting for transcription.
    pub transcribe_waiting: u64,
    /// Recordings being transcribed.
    pub transcribe_running: u64,
    /// Seconds of audio transcribed since start.
    pub transcribed_seconds: f64,
    /// Why nothing is transcribed, when nothing can be (no model, switched off).
    pub transcribe_problem: Option<String>,
    /// Resident memory, bytes.
    pub memory_bytes: Option<u64>,
    /// The lake's tables.
    pub tables: Vec<TableStatus>,
    /// Configuration in force: name and value, secrets left out.
    pub config: Vec<(String, String)>,
    /// Anything else that someone should act on, one sentence each.
    pub problems: Vec<String>,
}

/// Where the status comes from.
#[async_trait]
pub trait Status: Send + Sync {
    /// The status now.
    async fn report(&self) -> StatusReport;

    /// The sources by their names, with what each has sent.
    ///
    /// # Errors
    /// A sentence where their records cannot be counted.
    async fn sources(&self) -> Result<Vec<SourceStatus>, String> {
        Ok(Vec::new())
    }

    /// The sources alone, which the live board asks for several times a second.
    async fn feeds(&self) -> Vec<FeedStatus> {
        self.report().await.feeds
    }
}

/// News of changed data, and the clock that "now" is read from.
#[derive(Clone)]
pub struct Changes {
    /// Version of the newest snapshot; a change means that a query may answer otherwise.
    pub version: watch::Receiver<u64>,
    /// The snapshot's clock: UTC microseconds (the replay's clock in a demo).
    pub clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    /// How fast that clock runs: 1 live, the replay's speed in a demo, 0 when it stands still.
    pub speed: f64,
}
