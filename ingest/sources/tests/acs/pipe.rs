//! From bodies to rows in memory.

use std::collections::BTreeMap;

use callboard_model::ids::Key;
use callboard_model::record::Record;
use callboard_model::rows::{ContactRows, RecordingRows, agent_rows, recording_rows, survey_rows};
use callboard_model::tables::{AgentStateRow, OfferRow, SegmentRow, SurveyRow};
use callboard_model::time::parse_rfc3339;
use callboard_sources::acs::Acs;
use callboard_sources::adapter::{Adapter, Declared};
use callboard_sources::lines::NewLine;

use crate::gather::gather;

/// Until when states are told.
pub const HORIZON: i64 = 1_772_449_200_000_000;

/// A capture's bytes.
pub fn capture(name: &str) -> Vec<u8> {
    std::fs::read(format!("tests/captures/acs/{name}")).unwrap()
}

/// Names of the captures that hold events.
pub fn captures() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir("tests/captures/acs")
        .unwrap()
        .map(|f| f.unwrap().file_name().into_string().unwrap())
        .filter(|n| n.ends_with("json"))
        .collect();
    names.sort();
    names
}

pub fn declared(instance: &str) -> Declared {
    Declared {
        instance: instance.to_owned(),
        ..Declared::default()
    }
}

/// The records of a body; a line that is dead fails the test.
pub fn records_of(instance: &str, bytes: &[u8]) -> Vec<Record> {
    Acs.split(bytes, &declared(instance))
        .into_iter()
        .map(|line| match line {
            NewLine::Record(r) => r.received(0),
            other => panic!("not a record: {other:?}"),
        })
        .collect()
}

/// The records of captures, as of one instance.
pub fn of(names: &[&str]) -> Vec<Record> {
    let all = names.iter().map(|n| records_of("acs1", &capture(n)));
    all.flatten().collect()
}

/// All rows that a set of records gives.
#[derive(Debug, Default, PartialEq)]
pub struct Rows {
    pub contacts: BTreeMap<String, ContactRows>,
    pub agents: BTreeMap<String, Vec<AgentStateRow>>,
    pub recordings: BTreeMap<String, RecordingRows>,
    pub surveys: Vec<SurveyRow>,
}

/// Rows of records, in whatever order they are given.
pub fn rows(records: &[Record]) -> Rows {
    let gathered = gather(records);
    let mut out = Rows {
        contacts: gathered.contact_rows(),
        ..Rows::default()
    };
    for (key, state) in &gathered.direct {
        match key {
            Key::Agent(source, agent) => {
                let rows = agent_rows(source, agent, state, &[], HORIZON);
                out.agents.insert(agent.to_string(), rows);
            }
            Key::Recording(id) => {
                out.recordings
                    .insert(id.to_string(), recording_rows(id, state));
            }
            Key::Survey(id) => out.surveys.extend(survey_rows(id, state)),
            _ => {}
        }
    }
    out
}

/// Rows of captures, as of one instance.
pub fn told(names: &[&str]) -> Rows {
    rows(&of(names))
}

impl Rows {
    /// The only contact.
    pub fn only(&self) -> &ContactRows {
        assert_eq!(self.contacts.len(), 1, "{:?}", self.contacts.keys());
        self.contacts.values().next().unwrap()
    }

    /// The contact whose id ends so.
    pub fn contact(&self, end: &str) -> &ContactRows {
        let found = self.contacts.iter().find(|(id, _)| id.ends_with(end));
        let keys = self.contacts.keys();
        found.unwrap_or_else(|| panic!("no {end} in {keys:?}")).1
    }
}

/// Seconds after 2026-03-02T09:00:00Z, as the hand-made captures count, with milliseconds.
pub fn at(instant: Option<callboard_model::tables::Instant>) -> f64 {
    let (start, _) = parse_rfc3339("2026-03-02T09:00:00Z").unwrap();
    instant.map_or(-1.0, |i| ((i.0 - start) as f64 / 1_000.0).round() / 1_000.0)
}

/// Kind, agent or queue, outcome, start and end of each segment.
pub fn parts(rows: &ContactRows) -> Vec<String> {
    let word = |w: &Option<String>| w.clone().unwrap_or_else(|| "-".to_owned());
    let one = |s: &SegmentRow| {
        format!(
            "{} {} {} {} {}..{}",
            s.kind,
            word(&s.queue),
            short(&word(&s.agent)),
            word(&s.outcome),
            at(s.started_at),
            at(s.ended_at),
        )
    };
    rows.segments.iter().map(one).collect()
}

/// Agent, outcome, start and end of each offer.
pub fn offers(rows: &ContactRows) -> Vec<String> {
    let one = |o: &OfferRow| {
        format!(
            "{} {} {}..{}",
            short(o.agent.as_deref().unwrap_or("-")),
            o.outcome.as_deref().unwrap_or("-"),
            at(o.offered_at),
            at(o.ended_at),
        )
    };
    rows.offers.iter().map(one).collect()
}

/// An identifier without the part that is the same for all of one resource.
pub fn short(raw: &str) -> &str {
    raw.rsplit('_').next().unwrap_or(raw)
}

/// An attribute of a contact.
pub fn attribute(rows: &ContactRows, name: &str) -> Option<String> {
    let text = rows.contact.as_ref()?.attributes.as_ref()?;
    let all: BTreeMap<String, String> = serde_json::from_str(text).unwrap();
    all.get(name).cloned()
}
