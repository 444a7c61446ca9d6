//! Rows of the truth. Times are written as RFC 3339 in UTC, durations in milliseconds, what is not
//! known as null.

use serde::{Serialize, Serializer};

use super::super::calendar::{TimeForm, Zone, write_time};

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
    pub customer_name: Option<&'static str>,
    pub site: Option<String>,
    pub started_at: At,
    pub ended_at: Option<At>,
    pub outcome: Option<&'static str>,
    pub raw_outcome: Option<String>,
    pub ended_by: Option<&'static str>,
    pub end_basis: Option<&'static str>,
    pub wait_ms: Option<i64>,
    pub talk_ms: Option<i64>,
    pub hold_ms: Option<i64>,
    pub wrap_ms: Option<i64>,
    pub transfers: i64,
    pub queues: Vec<String>,
    pub agents: Vec<String>,
    pub state: &'static str,
}

/// A row of `segments`.
#[derive(Debug, Clone, Serialize)]
pub struct SegmentRow {
    pub contact_id: String,
    pub seq: i64,
    pub segment_id: String,
    pub kind: &'static str,
    pub queue: Option<String>,
    pub agent: Option<String>,
    pub started_at: At,
    pub ended_at: Option<At>,
    pub duration_ms: Option<i64>,
    pub outcome: Option<&'static str>,
    pub raw_outcome: Option<String>,
    pub target_kind: Option<&'static str>,
    pub target: Option<String>,
    pub end_basis: Option<&'static str>,
    pub state: &'static str,
    pub parent_seq: Option<i64>,
    pub hold_ms: Option<i64>,
    pub hold_count: Option<i64>,
    pub name: Option<&'static str>,
    pub input: Option<&'static str>,
    pub mode: Option<&'static str>,
}

/// A row of `offers`.
#[derive(Debug, Clone, Serialize)]
pub struct OfferRow {
    pub contact_id: String,
    pub seq: i64,
    pub segment_id: String,
    pub queue: Option<String>,
    pub queue_seq: Option<i64>,
    pub agent: Option<String>,
    pub offered_at: At,
    pub ended_at: Option<At>,
    pub ring_ms: Option<i64>,
    pub outcome: Option<&'static str>,
    pub raw_outcome: Option<String>,
    pub end_basis: Option<&'static str>,
}

/// A row of `links`.
#[derive(Debug, Clone, Serialize)]
pub struct LinkRow {
    pub from_contact: String,
    pub to_contact: String,
    pub kind: &'static str,
    pub at: At,
}

/// A row of `surveys`.
#[derive(Debug, Clone, Serialize)]
pub struct SurveyRow {
    pub survey_id: String,
    pub contact_id: String,
    pub kind: &'static str,
    pub value: i64,
    pub scale_min: i64,
    pub scale_max: i64,
    pub status: &'static str,
}

/// A row of `recordings`: one that was made and that the platform did not keep.
#[derive(Debug, Clone, Serialize)]
pub struct UnkeptRow {
    pub recording_id: String,
    pub contact_id: String,
    pub leg: &'static str,
    pub state: &'static str,
    pub reason: &'static str,
    pub voicemail: bool,
    pub attempts: i64,
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
    pub abandoned_in_target: i64,
    pub timed_out: i64,
    pub overflowed: i64,
    pub no_agent: i64,
    pub left_other: i64,
    pub lost: i64,
    pub waiting: i64,
    pub refused: i64,
    pub wait_ms_sum: i64,
    pub wait_ms_max: Option<i64>,
    pub abandoned_ms_sum: i64,
    pub abandoned_ms_max: Option<i64>,
    pub timed_out_ms_sum: i64,
    pub timed_out_ms_max: Option<i64>,
    pub overflowed_ms_sum: i64,
    pub overflowed_ms_max: Option<i64>,
    pub no_agent_ms_sum: i64,
    pub no_agent_ms_max: Option<i64>,
    pub left_other_ms_sum: i64,
    pub left_other_ms_max: Option<i64>,
    pub talk_ms_sum: i64,
    pub talk_count: i64,
    pub hold_ms_sum: Option<i64>,
    pub wrap_ms_sum: Option<i64>,
    pub threshold_ms: i64,
}
