//! Recordings, where the platform in whose format a day is told keeps any: one of a contact whose
//! call is recorded, from its first talk to its end.

use callboard_model::cloudevents::words::SegmentKind;
use serde::Serialize;

use super::super::story::Story;
use super::rows::At;

/// A row of `recordings`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordingRow {
    pub contact_id: String,
    pub leg: &'static str,
    pub state: &'static str,
    pub started_at: At,
    pub ended_at: At,
    pub duration_ms: i64,
}

/// The recording of a contact, where there is one.
pub fn recording(story: &Story) -> Option<RecordingRow> {
    let talks = story.parts.iter().filter(|p| p.kind == SegmentKind::Talk);
    let start = talks.map(|t| t.start).min().filter(|_| story.recorded)?;
    Some(RecordingRow {
        contact_id: story.id.clone(),
        leg: "both",
        state: "ready",
        started_at: At(start),
        ended_at: At(story.end),
        duration_ms: story.end - start,
    })
}
