//! The tables of the lake: their row types, descriptions and Arrow schemas.

mod agents;
mod audio;
mod contacts;
mod measured;
mod records;
mod spec;
mod words;

pub use agents::{
    AGENT_INTERVALS, AGENT_STATES, AgentIntervalRow, AgentStateRow, QUEUE_INTERVALS, QUEUE_TARGETS,
    QueueIntervalRow, QueueTargetRow,
};
pub use audio::{AUDIO, AudioRow, RECORDINGS, RecordingRow};
pub use contacts::{
    ALIASES, AliasRow, CONTACTS, ContactRow, LINKS, LinkRow, OFFERS, OfferRow, SEGMENTS, SegmentRow,
};
pub use measured::{
    CUSTOMER_ATTRIBUTES, CustomerAttributeRow, EVALUATIONS, EvaluationRow, LEASES, LeaseRow,
    MEASUREMENTS, MeasurementRow, SCHEDULES, ScheduleRow, VENDOR_METRICS, VendorMetricRow,
};
pub use records::{CORRECTIONS, CorrectionRow, DEAD_LETTERS, DeadLetterRow, RECORDS, RecordRow};
pub use spec::{Cell, ColumnSpec, Day, Instant, Kind, Row, TableSpec};
pub use words::{NOTES, NoteRow, SURVEYS, SurveyRow, TAGS, TURNS, TagRow, TurnRow};

/// Every table of the lake.
pub static TABLES: &[&TableSpec] = &[
    &RECORDS,
    &CONTACTS,
    &SEGMENTS,
    &OFFERS,
    &AGENT_STATES,
    &AGENT_INTERVALS,
    &QUEUE_INTERVALS,
    &QUEUE_TARGETS,
    &LINKS,
    &ALIASES,
    &RECORDINGS,
    &AUDIO,
    &TURNS,
    &TAGS,
    &NOTES,
    &SURVEYS,
    &MEASUREMENTS,
    &VENDOR_METRICS,
    &EVALUATIONS,
    &CUSTOMER_ATTRIBUTES,
    &SCHEDULES,
    &LEASES,
    &CORRECTIONS,
    &DEAD_LETTERS,
];

/// The table of that name.
pub fn table(name: &str) -> Option<&'static TableSpec> {
    TABLES.iter().copied().find(|t| t.name == name)
}
