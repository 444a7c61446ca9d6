//! The tables of the truth and their rows, by the product's public names. Times are written as
//! RFC 3339 in UTC, durations in milliseconds, what is not known as null.

use serde::{Serialize, Serializer};

use super::super::calendar::{TimeForm, Zone, write_time};

/// A table of the truth.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Name, in SQL and of its file.
    pub name: &'static str,
    /// Columns.
    pub columns: &'static [&'static str],
    /// Columns that tell two rows apart.
    pub key: &'static [&'static str],
    /// The time by whose UTC day rows stand in one file; all in one file without.
    pub time: Option<&'static str>,
    /// The column that leads to the events of a row: a contact.
    pub contact: Option<&'static str>,
}

/// All tables, as they are compared.
pub const TABLES: &[Table] = &[
    Table {
        name: "contacts",
        columns: &[
            "contact_id",
            "source",
            "channel",
            "direction",
            "queue",
            "agent",
            "customer",
            "started_at",
            "ended_at",
            "outcome",
            "raw_outcome",
            "wait_ms",
            "talk_ms",
            "hold_ms",
            "wrap_ms",
            "state",
        ],
        key: &["contact_id"],
        time: Some("started_at"),
        contact: Some("contact_id"),
    },
    Table {
        name: "segments",
        columns: &[
            "contact_id",
            "seq",
            "kind",
            "queue",
            "agent",
            "started_at",
            "ended_at",
            "outcome",
            "target_kind",
            "target",
        ],
        key: &["contact_id", "seq"],
        time: Some("started_at"),
        contact: Some("contact_id"),
    },
    Table {
        name: "offers",
        columns: &[
            "contact_id",
            "queue",
            "agent",
            "offered_at",
            "ring_ms",
            "outcome",
        ],
        key: &["contact_id", "offered_at", "agent"],
        time: Some("offered_at"),
        contact: Some("contact_id"),
    },
    Table {
        name: "links",
        columns: &["from_contact", "to_contact", "kind", "at"],
        key: &["from_contact", "to_contact", "kind"],
        time: Some("at"),
        contact: Some("from_contact"),
    },
    Table {
        name: "queue_intervals",
        columns: &[
            "queue",
            "interval_start",
            "offered",
            "answered",
            "answered_in_target",
            "abandoned",
            "short_abandoned",
            "timed_out",
            "overflowed",
            "no_agent",
            "left_other",
            "lost",
            "waiting",
            "refused",
            "wait_ms_sum",
            "wait_ms_max",
            "talk_ms_sum",
            "hold_ms_sum",
            "wrap_ms_sum",
        ],
        key: &["queue", "interval_start"],
        time: Some("interval_start"),
        contact: None,
    },
    Table {
        name: "agent_intervals",
        columns: &["agent", "state", "reason", "started_at", "ended_at"],
        key: &["agent", "started_at"],
        time: Some("started_at"),
        contact: None,
    },
    Table {
        name: "dead_letters",
        columns: &["sha256", "source", "class", "length"],
        key: &["sha256", "source", "class"],
        time: None,
        contact: None,
    },
];

/// Tables that stand in the truth beside those where a platform tells the day.
pub const TOLD_TABLES: &[Table] = &[
    Table {
        name: "agent_states",
        columns: &["agent", "state", "reason", "started_at", "ended_at"],
        key: &["agent", "started_at"],
        time: Some("started_at"),
        contact: None,
    },
    Table {
        name: "recordings",
        columns: &[
            "contact_id",
            "leg",
            "state",
            "started_at",
            "ended_at",
            "duration_ms",
        ],
        key: &["contact_id"],
        time: Some("started_at"),
        contact: Some("contact_id"),
    },
];

/// A moment, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct At(pub i64);

impl Serialize for At {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&write_time(self.0, TimeForm::Utc, Zone::Utc))
    }
}

/// A row of `contacts`.
#[derive(Debug, Clone, Serialize)]
pub struct ContactRow {
    pub contact_id: String,
    pub source: String,
    pub channel: &'static str,
    pub direction: &'static str,
    pub queue: Option<String>,
    pub agent: Option<String>,
    pub customer: Option<String>,
    pub started_at: At,
    pub ended_at: Option<At>,
    pub outcome: Option<&'static str>,
    pub raw_outcome: Option<String>,
    pub wait_ms: Option<i64>,
    pub talk_ms: Option<i64>,
    pub hold_ms: Option<i64>,
    pub wrap_ms: Option<i64>,
    pub state: &'static str,
}

/// A row of `segments`.
#[derive(Debug, Clone, Serialize)]
pub struct SegmentRow {
    pub contact_id: String,
    pub seq: i64,
    pub kind: &'static str,
    pub queue: Option<String>,
    pub agent: Option<String>,
    pub started_at: At,
    pub ended_at: Option<At>,
    pub outcome: Option<&'static str>,
    pub target_kind: Option<&'static str>,
    pub target: Option<String>,
}

/// A row of `offers`.
#[derive(Debug, Clone, Serialize)]
pub struct OfferRow {
    pub contact_id: String,
    pub queue: Option<String>,
    pub agent: Option<String>,
    pub offered_at: At,
    pub ring_ms: Option<i64>,
    pub outcome: Option<&'static str>,
}

/// A row of `links`.
#[derive(Debug, Clone, Serialize)]
pub struct LinkRow {
    pub from_contact: String,
    pub to_contact: String,
    pub kind: &'static str,
    pub at: At,
}

/// A row of `agent_intervals`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgentIntervalRow {
    pub agent: String,
    pub state: &'static str,
    pub reason: Option<&'static str>,
    pub started_at: At,
    pub ended_at: Option<At>,
}

/// A row of `queue_intervals`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueueIntervalRow {
    pub queue: String,
    pub interval_start: At,
    pub offered: i64,
    pub answered: i64,
    pub answered_in_target: i64,
    pub abandoned: i64,
    pub short_abandoned: i64,
    pub timed_out: i64,
    pub overflowed: i64,
    pub no_agent: i64,
    pub left_other: i64,
    pub lost: i64,
    pub waiting: i64,
    pub refused: i64,
    pub wait_ms_sum: i64,
    pub wait_ms_max: Option<i64>,
    pub talk_ms_sum: i64,
    pub hold_ms_sum: Option<i64>,
    pub wrap_ms_sum: Option<i64>,
}
