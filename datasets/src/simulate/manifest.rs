//! What was written, and how much of it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::write::FileEntry;

/// What was written.
#[derive(Debug, Clone, Serialize)]
pub struct Manifest {
    /// Version of the simulator.
    pub version: &'static str,
    /// Seed.
    pub seed: u64,
    /// Contacts asked for.
    pub contacts: u64,
    /// First day.
    pub first_day: String,
    /// Days.
    pub days: i64,
    /// Days that went before and are not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_days: Option<u64>,
    /// Talks and wrap-ups last so many thousandths of what they would.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle_permille: Option<i64>,
    /// Sites, each a source.
    pub sites: u64,
    /// Disorder.
    pub disorder: &'static str,
    /// Lines that are no events, in a million.
    pub poison_ppm: u64,
    /// What clocks are wrong by at most, milliseconds.
    pub skew_ms: i64,
    /// The platform in whose format the day is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<&'static str>,
    /// What must be counted.
    pub counts: Counts,
    /// Files.
    pub files: Vec<FileEntry>,
}

/// What must be counted of all lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Contacts, those that came of others among them.
    pub contacts: u64,
    /// Lines, without the blank ones.
    pub lines: u64,
    /// Blank lines between them, which nobody has to answer.
    pub blank: u64,
    /// New events.
    pub taken: u64,
    /// Lines that repeat an event byte by byte, some with another end of line.
    pub repeated: u64,
    /// Lines with the identity of an event and other bytes.
    pub conflicts: u64,
    /// Lines that are no events.
    pub refused: u64,
    /// Those by class.
    pub dead_letters: BTreeMap<&'static str, u64>,
}
