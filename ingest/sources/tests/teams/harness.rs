//! From captures to rows.

use std::collections::BTreeMap;

use callboard_model::ids::{Beside, Key};
use callboard_model::record::Record;
use callboard_model::rows::{ContactRows, agent_rows, figure_rows, recording_rows, target_rows};
use callboard_model::tables::{
    AgentStateRow, OfferRow, QueueTargetRow, RecordingRow, SegmentRow, VendorMetricRow,
};
use callboard_sources::adapter::{Declared, of_platform};
use callboard_sources::lines::{DeadLine, NewLine};

use crate::gather::gather;

/// Midnight of the day on which the made captures play, UTC seconds.
pub const DAY: i64 = 1_772_409_600;

pub fn capture(name: &str) -> Vec<u8> {
    std::fs::read(format!("tests/captures/teams/{name}")).unwrap()
}

pub fn every_capture() -> Vec<String> {
    let folder = std::fs::read_dir("tests/captures/teams").unwrap();
    let names = folder.map(|f| f.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|n| !n.ends_with(".md")).collect();
    names.sort();
    names
}

pub fn split(bytes: &[u8], instance: &str) -> (Vec<Record>, Vec<DeadLine>) {
    let declared = Declared {
        instance: instance.to_owned(),
        ..Declared::default()
    };
    let mut records = Vec::new();
    let mut dead = Vec::new();
    for line in of_platform("teams").unwrap().split(bytes, &declared) {
        match line {
            NewLine::Record(r) => records.push(r.received(0)),
            NewLine::Dead(d) => dead.push(d),
            NewLine::Event(_) => panic!("an event of ours"),
        }
    }
    (records, dead)
}

/// Records of captures, of one tenant.
pub fn records(names: &[&str]) -> Vec<Record> {
    let all = names.iter().flat_map(|n| split(&capture(n), "contoso").0);
    all.collect()
}

/// All rows of a set of records.
#[derive(Debug, Default, PartialEq)]
pub struct Rows {
    pub contacts: BTreeMap<String, ContactRows>,
    pub agents: BTreeMap<String, Vec<AgentStateRow>>,
    pub targets: Vec<QueueTargetRow>,
    pub recordings: Vec<RecordingRow>,
    pub figures: Vec<VendorMetricRow>,
    /// Records that speak of no key.
    pub kept: usize,
    pub refused: Vec<String>,
}

pub fn rows(all: &[Record]) -> Rows {
    let gathered = gather(all);
    let refused = gathered.refused.iter();
    let mut rows = Rows {
        contacts: gathered.contact_rows(),
        kept: gathered.kept,
        refused: refused
            .map(|e| format!("{}: {}", e.class, e.reason))
            .collect(),
        ..Rows::default()
    };
    for (key, state) in &gathered.direct {
        match key {
            Key::Agent(source, agent) => {
                let horizon = (DAY + 86_400) * 1_000_000;
                let made = agent_rows(source, agent, state, &[], horizon);
                rows.agents.insert(agent.to_string(), made);
            }
            Key::Recording(id) => rows.recordings.extend(recording_rows(id, state).recording),
            Key::Target(id) => rows.targets.extend(target_rows(id, state)),
            Key::Beside(Beside::Figures, id) => rows.figures.extend(figure_rows(id, state)),
            other => panic!("{other:?}"),
        }
    }
    rows
}

/// Rows of captures.
pub fn told(names: &[&str]) -> Rows {
    rows(&records(names))
}

impl Rows {
    /// The contact that has this number in its made ids.
    pub fn call(&self, n: u32) -> &ContactRows {
        let id = guid(n);
        let named = |rows: &ContactRows, key: &str| {
            key.ends_with(&id) || rows.aliases.iter().any(|a| a.native == id)
        };
        let found = self.contacts.iter().find(|(key, rows)| named(rows, key));
        found
            .unwrap_or_else(|| panic!("no {id} in {:?}", self.contacts.keys()))
            .1
    }

    pub fn parts(&self, n: u32) -> Vec<String> {
        self.call(n).segments.iter().map(part).collect()
    }

    pub fn offers(&self, n: u32) -> Vec<String> {
        self.call(n).offers.iter().map(offer).collect()
    }

    pub fn attribute(&self, n: u32, name: &str) -> Option<String> {
        let all = self.call(n).contact.as_ref()?.attributes.clone()?;
        let all: BTreeMap<String, String> = serde_json::from_str(&all).unwrap();
        all.get(name).cloned()
    }
}

/// A made id.
pub fn guid(n: u32) -> String {
    format!("{n:08x}-1111-4222-8333-{n:012x}")
}

fn clock(at: Option<callboard_model::tables::Instant>) -> String {
    at.map_or("?".to_owned(), |t| {
        let ms = t.0 / 1_000 - DAY * 1_000;
        let (s, rest) = (ms.div_euclid(1_000), ms.rem_euclid(1_000));
        let whole = format!("{:02}:{:02}:{:02}", s / 3_600, s / 60 % 60, s % 60);
        if rest == 0 {
            whole
        } else {
            format!("{whole}.{rest:03}")
        }
    })
}

/// A segment's cells, those without a value left out.
pub fn part(s: &SegmentRow) -> String {
    let mut text = format!("{} {}-{}", s.kind, clock(s.started_at), clock(s.ended_at));
    text.push_str(&s.duration_ms.map_or(" ?".to_owned(), |d| format!(" {d}ms")));
    for (name, value) in [
        ("queue", &s.queue),
        ("agent", &s.agent),
        ("outcome", &s.outcome),
        ("raw", &s.raw_outcome),
        ("to", &s.target_kind),
        ("target", &s.target),
        ("by", &s.ended_by),
        ("name", &s.name),
        ("input", &s.input_type),
        ("mode", &s.mode),
        ("reason", &s.reason),
        ("basis", &s.end_basis),
    ] {
        if let Some(value) = value {
            text.push_str(&format!(" {name}={value}"));
        }
    }
    if s.state != "closed" {
        text.push_str(&format!(" {}", s.state));
    }
    text
}

pub fn offer(o: &OfferRow) -> String {
    let word = |w: &Option<String>| w.clone().unwrap_or_default();
    format!(
        "{} {} {} {}-{} {:?} {}",
        word(&o.agent),
        word(&o.queue),
        word(&o.outcome),
        clock(o.offered_at),
        clock(o.ended_at),
        o.ring_ms,
        word(&o.raw_outcome)
    )
}
