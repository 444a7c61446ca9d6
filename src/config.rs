//! `callboard.toml`: what can be configured, its defaults and bounds. Read once at start;
//! `callboard config check` says what is wrong without starting anything.
//!
//! Order: defaults, file, environment (`CALLBOARD__SECTION__KEY`), flags.

mod exposure;
pub mod kafka;
pub mod live;
mod meaning;
mod read;
mod retention;
pub mod source;
pub mod units;
pub mod users;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

pub use read::load;
use units::{Size, Span};
use users::User;

/// The example file with every key and its default.
pub const EXAMPLE: &str = include_str!("../docs/reference/callboard.toml");

/// Connections to pages and doors at once; a watcher of the board is one.
pub const CONNECTIONS: usize = 16_384;

/// The whole configuration.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Data folder.
    pub data: PathBuf,
    /// IANA zone in which pages begin their days.
    pub zone: String,
    /// HTTP.
    pub http: Listen,
    /// The PostgreSQL wire.
    pub pg: Listen,
    /// Certificate, needed beyond loopback.
    pub tls: Option<Tls>,
    /// Users; none = anyone on loopback.
    #[serde(rename = "user")]
    pub users: Vec<User>,
    /// Where the lake is.
    pub lake: Lake,
    /// Sources: doors with names, what is known of instances, connections, and topics.
    #[serde(rename = "source")]
    pub sources: kafka::Sources,
    /// Folders in which recordings appear.
    pub watch: Vec<WatchFolder>,
    /// Targets of queues.
    #[serde(rename = "queue")]
    pub queues: Vec<Queue>,
    /// Transcription.
    pub transcribe: Transcribe,
    /// Keyword lists.
    #[serde(rename = "keyword")]
    pub keywords: Vec<Keyword>,
    /// Bounds of the doors.
    pub limits: Limits,
    /// Bounds of queries.
    pub query: Query,
    /// Bounds of the pictures of earlier moments.
    pub as_of: AsOf,
    /// Mapping files.
    pub mapping: MappingFolder,
    /// Who is who across platforms.
    pub identity: Identity,
    /// Users' own reports.
    pub reports: Option<PathBuf>,
    /// How long rows are kept, by table; `default` for those that are not named.
    pub retention: BTreeMap<String, Span>,
}

/// Where something listens.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// Address and port.
    pub listen: SocketAddr,
}

/// Certificate and key, PEM.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Certificate chain.
    pub cert: PathBuf,
    /// Private key.
    pub key: PathBuf,
}

/// Where the lake is.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lake {
    /// `object_store` URL; the data folder when missing.
    pub url: Option<String>,
    /// What that store needs to know: keys, region, endpoint, by the names of `object_store`.
    pub options: BTreeMap<String, String>,
    /// How often what has settled goes to the lake; every 30 s when missing.
    pub flush: Option<Span>,
    /// A closed contact goes to the lake after it was quiet for so long; 60 s when missing.
    pub settle: Option<Span>,
    /// How often small files are put together and old ones removed; every 5 minutes when missing.
    pub upkeep: Option<Span>,
    /// How often contacts are looked for of which nothing was heard for longer than they can
    /// last; every minute when missing.
    pub silence: Option<Span>,
}

/// Where mapping files are.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MappingFolder {
    /// The folder; `mappings` in the data folder when missing.
    pub folder: Option<PathBuf>,
}

/// A folder in which recordings appear.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchFolder {
    /// The folder.
    pub path: PathBuf,
    /// Instance of the Asterisk that writes there.
    #[serde(default = "default_instance")]
    pub instance: String,
}

fn default_instance() -> String {
    callboard_ingest::doors::platform::DEFAULT_INSTANCE.to_owned()
}

/// A queue's target.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// Queue as the platform names it.
    pub name: String,
    /// Answered within this wait counts as in target.
    pub service_level: Span,
    /// Abandoned within this wait counts as short.
    #[serde(default)]
    pub short_abandon: Option<Span>,
    /// Formula.
    #[serde(default)]
    pub variant: Option<String>,
    /// Share to reach, 0 to 1.
    #[serde(default)]
    pub goal: Option<f64>,
    /// From when, RFC 3339; always when missing.
    #[serde(default)]
    pub valid_from: Option<String>,
    /// Until when, RFC 3339; still when missing.
    #[serde(default)]
    pub valid_to: Option<String>,
}

/// Transcription.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Transcribe {
    /// Whether recordings are transcribed.
    pub enabled: bool,
    /// A ggml Whisper model; the one that comes with callboard when missing.
    pub model: Option<PathBuf>,
    /// Threads that transcribe, each with a state of its own.
    pub threads: usize,
}

/// A keyword list.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keyword {
    /// Name under which it is counted.
    pub name: String,
    /// Words and phrases.
    pub phrases: Vec<String>,
    /// `agent` or `customer`; both when missing.
    #[serde(default)]
    pub leg: Option<String>,
}

/// Who is who across platforms, and how hand-overs are found.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Identity {
    /// Folder of the CSV files; one that is not absolute lies beside the configuration's file, or
    /// in the data folder where there is no such file.
    pub folder: PathBuf,
    /// So long after a transfer to a number its contact may begin on the other side.
    pub window: Span,
}

/// Bounds of the doors.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Longest body as sent.
    pub body: Size,
    /// Longest body after decompression.
    pub decoded: Size,
    /// What bodies of documents may hold in memory together.
    pub held: Size,
    /// Longest recording.
    pub recording: Size,
    /// Deepest nesting of JSON.
    pub nesting: usize,
    /// Connections at once.
    pub connections: usize,
    /// Requests worked on at once.
    pub requests: usize,
    /// Requests of one sender worked on at once.
    pub requests_per_sender: usize,
    /// A body that stands still for so long is given up.
    pub idle: Span,
}

/// Bounds of queries.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Query {
    /// Longest run of one query.
    pub time: Span,
    /// Most rows of one answer.
    pub rows: usize,
    /// Memory that all running queries may hold together.
    pub memory: Size,
    /// Queries that may run at once.
    pub running: usize,
    /// Threads that one query works in.
    pub threads: usize,
    /// Longest wait for a place among them.
    pub wait: Span,
    /// Queries that may wait for one.
    pub waiting: usize,
}

/// Bounds of the picture of an earlier moment.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AsOf {
    /// Most records that are read for it.
    pub records: usize,
    /// Memory that the records and names may hold of which it is made.
    pub memory: Size,
    /// Longest making of it.
    pub time: Span,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            data: "callboard-data".into(),
            zone: "UTC".into(),
            http: listen(8080),
            pg: listen(5433),
            tls: None,
            users: Vec::new(),
            lake: Lake::default(),
            sources: kafka::Sources::default(),
            watch: Vec::new(),
            queues: Vec::new(),
            transcribe: Transcribe::default(),
            keywords: Vec::new(),
            limits: Limits::default(),
            query: Query::default(),
            as_of: AsOf::default(),
            mapping: MappingFolder::default(),
            identity: Identity::default(),
            reports: None,
            retention: BTreeMap::new(),
        }
    }
}

fn listen(port: u16) -> Listen {
    Listen {
        listen: SocketAddr::from(([127, 0, 0, 1], port)),
    }
}

impl Default for Transcribe {
    fn default() -> Self {
        Transcribe {
            enabled: true,
            model: None,
            threads: 1,
        }
    }
}

impl Default for Identity {
    fn default() -> Self {
        Identity {
            folder: "identity".into(),
            window: Span(std::time::Duration::from_secs(90)),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let doors = callboard_ingest::doors::limits::Limits::default();
        Limits {
            body: Size(doors.body_bytes),
            decoded: Size(doors.decoded_bytes),
            held: Size(doors.held_bytes),
            recording: Size(doors.recording_bytes),
            nesting: doors.nesting,
            connections: CONNECTIONS,
            requests: doors.requests,
            requests_per_sender: doors.requests_per_sender,
            idle: Span(doors.idle),
        }
    }
}

impl Default for Query {
    fn default() -> Self {
        let query = callboard_query::Limits::default();
        Query {
            time: Span(query.time),
            rows: query.rows,
            memory: Size(query.memory as u64),
            running: query.running,
            threads: query.partitions,
            wait: Span(query.wait),
            waiting: query.waiting,
        }
    }
}

impl Default for AsOf {
    fn default() -> Self {
        let limits = callboard_store::store::AsOfLimits::default();
        AsOf {
            records: limits.records,
            memory: Size(limits.bytes as u64),
            time: Span(limits.time),
        }
    }
}

#[cfg(test)]
mod tests;
