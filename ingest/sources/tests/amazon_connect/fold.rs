//! From bytes to rows.

use std::collections::BTreeMap;

use callboard_model::ids::{Beside, Key};
use callboard_model::record::Record;
use callboard_model::rows::{
    ContactRows, RecordingRows, agent_rows, evaluation_rows, figure_rows, measurement_rows,
    note_rows, recording_rows,
};
use callboard_model::tables::{
    AgentStateRow, EvaluationRow, MeasurementRow, NoteRow, OfferRow, SegmentRow, VendorMetricRow,
};
use callboard_sources::adapter::{Adapter, Declared};
use callboard_sources::amazon_connect::AmazonConnect;
use callboard_sources::lines::{DeadLine, NewLine};

use crate::gather::gather;

/// 2026-03-02T09:00:00Z in microseconds: the captures made by hand count from here.
pub const T: i64 = 1_772_442_000_000_000;

/// Seconds after that, as microseconds.
pub fn at(seconds: f64) -> i64 {
    T + (seconds * 1e6).round() as i64
}

/// A capture.
pub fn capture(name: &str) -> Vec<u8> {
    std::fs::read(format!("tests/captures/amazon-connect/{name}")).unwrap()
}

/// A capture made by hand.
pub fn made(name: &str) -> Vec<u8> {
    capture(&format!("made-{name}.json"))
}

/// What becomes of bytes that come under a name.
pub fn named(bytes: &[u8], name: &str) -> (Vec<Record>, Vec<DeadLine>) {
    let declared = Declared {
        name: name.to_owned(),
        ..Declared::default()
    };
    split(bytes, &declared)
}

pub fn split(bytes: &[u8], declared: &Declared) -> (Vec<Record>, Vec<DeadLine>) {
    let (mut records, mut dead) = (Vec::new(), Vec::new());
    for line in AmazonConnect.split(bytes, declared) {
        match line {
            NewLine::Record(r) => records.push(r.received(0)),
            NewLine::Dead(d) => dead.push(d),
            NewLine::Event(e) => panic!("an event of ours: {e:?}"),
        }
    }
    (records, dead)
}

/// The records of bytes in which nothing is dead.
pub fn records(bytes: &[u8]) -> Vec<Record> {
    let (records, dead) = named(bytes, "");
    assert!(dead.is_empty(), "{dead:?}");
    records
}

/// Records of several captures made by hand.
pub fn made_all(names: &[&str]) -> Vec<Record> {
    names.iter().flat_map(|n| records(&made(n))).collect()
}

/// All rows.
#[derive(Debug, Default, PartialEq)]
pub struct Rows {
    pub contacts: BTreeMap<String, ContactRows>,
    pub agents: BTreeMap<String, Vec<AgentStateRow>>,
    pub recordings: BTreeMap<String, RecordingRows>,
    pub notes: Vec<NoteRow>,
    pub measured: Vec<MeasurementRow>,
    pub figures: Vec<VendorMetricRow>,
    pub evaluations: Vec<EvaluationRow>,
}

/// Rows of records, in the order in which they come; none of them may be refused.
pub fn rows(records: &[Record]) -> Rows {
    rows_at(records, at(20_000.0))
}

/// The same, where agents' states are told until a later or earlier time.
pub fn rows_at(records: &[Record], horizon: i64) -> Rows {
    let gathered = gather(records);
    assert!(gathered.refused.is_empty(), "{:?}", gathered.refused);
    let mut out = Rows {
        contacts: gathered.contact_rows(),
        ..Rows::default()
    };
    for (key, state) in &gathered.direct {
        match key {
            Key::Beside(Beside::Measurements, id) => {
                let made = measurement_rows(&key.text(), id, state, None);
                out.measured.extend(made);
            }
            Key::Beside(Beside::Figures, id) => out.figures.extend(figure_rows(id, state)),
            Key::Beside(Beside::Evaluation, id) => {
                out.evaluations.extend(evaluation_rows(id, state));
            }
            Key::Agent(source, agent) => {
                let rows = agent_rows(source, agent, state, &[], horizon);
                out.agents.insert(agent.to_string(), rows);
            }
            Key::Recording(id) => {
                out.recordings
                    .insert(id.to_string(), recording_rows(id, state));
            }
            Key::Note(id) => out.notes.extend(note_rows(id, state)),
            other => panic!("{other:?}"),
        }
    }
    out
}

/// Rows of one capture made by hand.
pub fn told(name: &str) -> Rows {
    rows(&made_all(&[name]))
}

impl Rows {
    pub fn contact(&self, id: &str) -> &ContactRows {
        let known = self.contacts.keys().collect::<Vec<_>>();
        self.contacts
            .get(id)
            .unwrap_or_else(|| panic!("no {id} in {known:?}"))
    }

    pub fn segment(&self, id: &str, segment: &str) -> &SegmentRow {
        let found = self.contact(id).segments.iter();
        let known: Vec<&str> = found.clone().map(|s| &*s.segment_id).collect();
        found
            .clone()
            .find(|s| s.segment_id == segment)
            .unwrap_or_else(|| panic!("no {segment} in {known:?}"))
    }

    /// Kind, outcome, seconds from the beginning of the captures to start and end.
    pub fn parts(&self, id: &str) -> Vec<(String, String, f64, f64)> {
        let seconds = |t: Option<callboard_model::tables::Instant>| {
            t.map_or(f64::NAN, |t| (t.0 - T) as f64 / 1e6)
        };
        let of = |s: &SegmentRow| {
            (
                s.kind.clone(),
                s.outcome.clone().unwrap_or_default(),
                seconds(s.started_at),
                seconds(s.ended_at),
            )
        };
        self.contact(id).segments.iter().map(of).collect()
    }

    pub fn offers(&self, id: &str) -> &[OfferRow] {
        &self.contact(id).offers
    }

    /// An attribute of a contact.
    pub fn attribute(&self, id: &str, name: &str) -> Option<String> {
        let json = self.contact(id).contact.as_ref()?.attributes.clone()?;
        let map: BTreeMap<String, String> = serde_json::from_str(&json).unwrap();
        map.get(name).cloned()
    }
}

/// The parts as they are expected.
pub fn parts(list: &[(&str, &str, f64, f64)]) -> Vec<(String, String, f64, f64)> {
    list.iter()
        .map(|(k, o, s, e)| ((*k).to_owned(), (*o).to_owned(), *s, *e))
        .collect()
}

/// The capture with a text in it changed: every place; it must be there.
pub fn altered(name: &str, from: &str, to: &str) -> Rows {
    let text = String::from_utf8(made(name)).unwrap();
    assert!(text.contains(from), "{from} is not in {name}");
    rows(&records(text.replace(from, to).as_bytes()))
}
