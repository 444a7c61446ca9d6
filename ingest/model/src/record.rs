//! Records: the bytes that arrived, with what the door stamped on them; and the contract of
//! those who read them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::ids::{Key, PlatformId};
use crate::statement::Statement;

/// Longest record in bytes; more becomes a dead letter.
pub const MAX_RECORD_BYTES: usize = 1024 * 1024;

/// What the door adds to a record so that reading it later needs nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Instance of the platform, e.g. `pbx1`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub instance: String,
    /// IANA zone of local times in the bytes; empty = UTC.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub zone: String,
    /// Site that the source was configured with; empty = not said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub site: String,
    /// Column order of a CSV feed whose order is configured; empty = the platform's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Order within the source, where the source has one (count of equal stamps, offset).
    #[serde(default)]
    pub sequence: u64,
    /// What a message of a topic had beside its bytes: `kafka`, its topic, partition and offset as
    /// `calls/0/17`; `key`; and its headers, as `header.NAME`. Nobody reads rows out of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub carried: BTreeMap<String, String>,
}

/// One thing that arrived. Its identity is (`source`, `id`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Source, a URI reference such as `/asterisk/pbx1/queue_log`.
    pub source: Arc<str>,
    /// Identity within the source.
    pub id: Arc<str>,
    /// How to read the bytes: `event`, `asterisk/queue_log`, ...
    pub format: Arc<str>,
    /// Time of receipt, UTC microseconds. Never takes part in merging.
    pub received_at: i64,
    /// What the door stamped.
    pub stamp: Arc<Stamp>,
    /// The bytes as they arrived.
    pub bytes: Arc<[u8]>,
}

impl Record {
    /// Hash of the bytes, the last tie-break of the merge and the sign of a conflicting repeat.
    pub fn content_hash(&self) -> u64 {
        xxh3_64(&self.bytes)
    }

    /// Hash of (source, id), by which repeats are recognised.
    pub fn identity_hash(&self) -> u64 {
        identity_hash(&self.source, &self.id)
    }

    /// Where this record stands in the total order of the merge, given what it says of itself.
    pub fn provenance(&self, rank: u8, recorded_at: Option<i64>) -> Arc<Provenance> {
        Arc::new(Provenance {
            rank,
            recorded_at,
            sequence: self.stamp.sequence,
            source: self.source.clone(),
            id: self.id.clone(),
            hash: self.content_hash(),
        })
    }
}

/// Hash of an identity.
pub fn identity_hash(source: &str, id: &str) -> u64 {
    let mut bytes = Vec::with_capacity(source.len() + id.len() + 1);
    bytes.extend_from_slice(source.as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(id.as_bytes());
    xxh3_64(&bytes)
}

/// Ranks of statements: who is believed when two say different things.
pub mod rank {
    /// Concluded from something else.
    pub const INFERRED: u8 = 10;
    /// What a platform says is so right now.
    pub const GAUGE: u8 = 20;
    /// A live event.
    pub const LIVE: u8 = 30;
    /// A closing record that states the whole.
    pub const RECORD: u8 = 40;
    /// A person.
    pub const PERSON: u8 = 50;
}

/// Where a statement stands in the total order of the merge. Fields are compared in order;
/// precision stands between rank and `recorded_at` and belongs to the value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Provenance {
    /// See [`rank`].
    pub rank: u8,
    /// The platform's own time of the record, UTC microseconds; `None` loses to any.
    pub recorded_at: Option<i64>,
    /// Order within the source.
    pub sequence: u64,
    /// Source.
    pub source: Arc<str>,
    /// Identity within the source.
    pub id: Arc<str>,
    /// Hash of the bytes.
    pub hash: u64,
}

impl Provenance {
    /// Total order after rank and precision: recorded time, sequence, source, id, hash.
    pub fn tail_cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.recorded_at
            .cmp(&other.recorded_at)
            .then_with(|| self.sequence.cmp(&other.sequence))
            .then_with(|| self.source.cmp(&other.source))
            .then_with(|| self.id.cmp(&other.id))
            .then_with(|| self.hash.cmp(&other.hash))
    }
}

/// Longest reason of a refusal or a dead letter, bytes.
pub const MAX_REASON_BYTES: usize = 1_000;

/// A reason that quotes what came is cut where that is long: it is stored beside the bytes, logged
/// and shown.
pub fn bounded(mut reason: String) -> String {
    if reason.len() > MAX_REASON_BYTES {
        let end = "...";
        reason.truncate(reason.floor_char_boundary(MAX_REASON_BYTES - end.len()));
        reason.push_str(end);
    }
    reason
}

/// Why a record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// One word for counting: `not_json`, `no_time`, `time_out_of_range`, `too_long` ...
    pub class: &'static str,
    /// What is wrong, where, and what to do.
    pub reason: String,
}

impl Refusal {
    /// A refusal of that class.
    pub fn new(class: &'static str, reason: impl Into<String>) -> Self {
        Refusal {
            class,
            reason: bounded(reason.into()),
        }
    }
}

/// What a record speaks of.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Routing {
    /// Keys it belongs to.
    pub keys: Vec<RouteKey>,
    /// For records that stand alone: what they say. Records without these are interpreted
    /// together with all others of their key.
    pub statements: Option<Vec<Statement>>,
    /// The platform's own time of the record, UTC microseconds, if it has one.
    pub time: Option<i64>,
}

/// One key that a record belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteKey {
    /// The contact in which all these platform ids are one.
    Contact(Vec<PlatformId>),
    /// Any other key.
    Direct(Key),
}

/// Reads records. Pure: the answer depends on the records alone.
pub trait Interpreter: Send + Sync {
    /// What the record speaks of; and, when it stands alone, what it says.
    ///
    /// # Errors
    /// A [`Refusal`] when the bytes cannot be read: the record becomes a dead letter.
    fn route(&self, record: &Record) -> Result<Routing, Refusal>;

    /// What a key's records say together. `set` is free of repeats and in no particular order.
    /// `key` tells whose statements are wanted: a record may belong to several keys.
    fn interpret(&self, key: &Key, set: &[&Record]) -> Vec<Statement>;
}
