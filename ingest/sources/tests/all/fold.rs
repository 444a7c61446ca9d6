//! From what a platform sends to rows, as the store does it: an adapter splits and routes, keys
//! are joined by their ids, what stands alone is merged and the rest interpreted together. And
//! what every adapter must stand: any order, repeats, damage.

use std::collections::BTreeMap;

use callboard_model::cloudevents::words::{
    AgentState, Channel, Direction, EndedBy, Leg, LinkKind, RecordingState, SegmentKind,
    TargetKind, Track, outcomes,
};
use callboard_model::ids::{Beside, Key};
use callboard_model::record::Record;
use callboard_model::rows::{
    ContactRows, agent_rows, contact_rows, evaluation_rows, figure_rows, measurement_rows,
    recording_rows, survey_rows,
};
use callboard_model::statement::Thing;
use callboard_model::tables::{
    AgentStateRow, EvaluationRow, MeasurementRow, RecordingRow, SurveyRow, TurnRow, VendorMetricRow,
};
use callboard_sources::adapter::{Declared, of_platform};
use callboard_sources::lines::{DeadLine, NewLine};

use crate::gather::{gather, least};

/// Until when the stories of agents are told: 2030.
pub const HORIZON: i64 = 1_893_456_000_000_000;

/// All rows that a set of records gives.
#[derive(Debug, Default, PartialEq)]
pub struct Rows {
    pub contacts: BTreeMap<String, ContactRows>,
    pub agents: BTreeMap<String, Vec<AgentStateRow>>,
    pub recordings: BTreeMap<String, RecordingRow>,
    pub turns: BTreeMap<String, Vec<TurnRow>>,
    pub surveys: BTreeMap<String, Vec<SurveyRow>>,
    pub restarts: BTreeMap<String, Vec<i64>>,
    pub measured: Vec<MeasurementRow>,
    pub figures: Vec<VendorMetricRow>,
    pub evaluations: Vec<EvaluationRow>,
}

/// A capture of a platform.
pub fn capture(platform: &str, name: &str) -> Vec<u8> {
    std::fs::read(format!("tests/captures/{platform}/{name}")).unwrap()
}

/// All captures of a platform, by name.
pub fn captures(platform: &str) -> Vec<(String, Vec<u8>)> {
    let mut names: Vec<String> = std::fs::read_dir(format!("tests/captures/{platform}"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|n| n != "README.md")
        .collect();
    names.sort();
    let read = names
        .into_iter()
        .map(|n| (n.clone(), capture(platform, &n)));
    read.collect()
}

/// Records and dead letters of a body.
pub fn split(platform: &str, instance: &str, bytes: &[u8]) -> (Vec<Record>, Vec<DeadLine>) {
    let adapter = of_platform(platform).unwrap();
    let declared = Declared {
        instance: instance.to_owned(),
        ..Declared::default()
    };
    let (mut records, mut dead) = (Vec::new(), Vec::new());
    for line in adapter.split(bytes, &declared) {
        match line {
            NewLine::Record(r) => records.push(r.received(0)),
            NewLine::Dead(d) => dead.push(d),
            NewLine::Event(_) => panic!("an event of our own"),
        }
    }
    (records, dead)
}

/// Records of bodies that must all be read.
pub fn records(platform: &str, instance: &str, bodies: &[&[u8]]) -> Vec<Record> {
    let mut all = Vec::new();
    for body in bodies {
        let (records, dead) = split(platform, instance, body);
        assert!(dead.is_empty(), "{dead:?}");
        all.extend(records);
    }
    all
}

/// Rows of bodies that must all be read.
pub fn told(platform: &str, bodies: &[&[u8]]) -> Rows {
    fold(&records(platform, "t1", bodies))
}

/// Rows of records, in whatever order they come.
pub fn fold(records: &[Record]) -> Rows {
    let gathered = gather(records);
    let mut rows = Rows::default();
    for (key, state) in &gathered.direct {
        if let Key::Instance(source) = key {
            let times = state.iter().filter_map(|(t, _)| match t {
                Thing::Restart(at) => Some(*at),
                _ => None,
            });
            rows.restarts.insert(source.to_string(), times.collect());
        }
    }
    for (ids, state) in &gathered.contacts {
        let source = state
            .get(&Thing::Contact)
            .and_then(|f| f.owned(&callboard_model::statement::F::Source));
        let restarts = source
            .and_then(|s| rows.restarts.get(&s).cloned())
            .unwrap_or_default();
        let made = contact_rows(ids, state, &restarts);
        if made.contact.is_some() {
            rows.contacts.insert(least(ids).contact_id(), made);
        }
    }
    for (key, state) in &gathered.direct {
        match key {
            Key::Agent(source, agent) => {
                let made = agent_rows(source, agent, state, &[], HORIZON);
                rows.agents.insert(agent.to_string(), made);
            }
            Key::Recording(id) => {
                let made = recording_rows(id, state);
                if let Some(row) = made.recording {
                    rows.recordings.insert(id.to_string(), row);
                }
                if !made.turns.is_empty() {
                    rows.turns.insert(id.to_string(), made.turns);
                }
            }
            Key::Survey(id) => {
                rows.surveys.insert(id.to_string(), survey_rows(id, state));
            }
            Key::Beside(Beside::Measurements, id) => {
                let made = measurement_rows(&key.text(), id, state, None);
                rows.measured.extend(made);
            }
            Key::Beside(Beside::Figures, id) => rows.figures.extend(figure_rows(id, state)),
            Key::Beside(Beside::Evaluation, id) => {
                rows.evaluations.extend(evaluation_rows(id, state));
            }
            _ => {}
        }
    }
    rows
}

/// The only contact.
pub fn only(rows: &Rows) -> &ContactRows {
    assert_eq!(rows.contacts.len(), 1, "{:?}", rows.contacts.keys());
    rows.contacts.values().next().unwrap()
}

/// Whose, name and value of measurements.
pub fn measures(rows: &[MeasurementRow]) -> Vec<(&str, &str, f64)> {
    rows.iter()
        .map(|m| (m.participant.as_deref().unwrap_or(""), &*m.name, m.value))
        .collect()
}

/// Kind, agent or queue, outcome and milliseconds of each segment; -1 where it is not known.
pub fn parts(rows: &ContactRows) -> Vec<(&str, &str, &str, i64)> {
    rows.segments
        .iter()
        .map(|s| {
            let who = s.agent.as_deref().or(s.queue.as_deref()).unwrap_or("");
            let outcome = s.outcome.as_deref().unwrap_or("");
            (s.kind.as_str(), who, outcome, s.duration_ms.unwrap_or(-1))
        })
        .collect()
}

/// A small generator of numbers, the same in every run.
pub struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }
}

/// Every word in the rows is one of ours; a platform's own stand beside them.
pub fn speaks_our_words(rows: &Rows) {
    let known = |all: &[&str], word: Option<&str>, what: &str| {
        assert!(word.is_none_or(|w| all.contains(&w)), "{what}: {word:?}");
    };
    macro_rules! all {
        ($words:ident) => {
            $words::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>()
        };
    }
    let (channels, directions, ends) = (all!(Channel), all!(Direction), all!(EndedBy));
    for c in rows.contacts.values() {
        let row = c.contact.as_ref().unwrap();
        let channel = Some(row.channel.as_str()).filter(|w| *w != "unknown");
        known(&channels, channel, "channel");
        known(&directions, row.direction.as_deref(), "direction");
        known(&ends, row.ended_by.as_deref(), "ended_by");
        for s in &c.segments {
            let kind = SegmentKind::ALL.iter().find(|k| k.as_str() == s.kind);
            let words = outcomes(*kind.unwrap_or_else(|| panic!("kind {}", s.kind)));
            known(words, s.outcome.as_deref(), &s.kind);
            known(&all!(TargetKind), s.target_kind.as_deref(), "target_kind");
            known(&ends, s.ended_by.as_deref(), "ended_by");
        }
        for o in &c.offers {
            known(outcomes(SegmentKind::Offer), o.outcome.as_deref(), "offer");
        }
        for l in &c.links {
            known(&all!(LinkKind), Some(&l.kind), "link");
        }
    }
    for s in rows.agents.values().flatten() {
        known(&all!(Track), Some(&s.track), "track");
        known(&all!(AgentState), Some(&s.state), "state");
    }
    for r in rows.recordings.values() {
        known(&all!(RecordingState), Some(&r.state), "recording");
        known(&all!(Leg), Some(&r.leg), "leg");
    }
}

/// The rows do not change when records come in another order, twice, or one by one.
pub fn stands_any_order(all: &[Record]) {
    let expected = fold(all);
    speaks_our_words(&expected);
    let mut chance = Chance(0x5eed_1234);
    for _ in 0..60 {
        let mut shuffled: Vec<Record> = all.to_vec();
        for _ in 0..all.len() {
            shuffled.push(all[chance.below(all.len())].clone());
        }
        for i in (1..shuffled.len()).rev() {
            shuffled.swap(i, chance.below(i + 1));
        }
        assert_eq!(fold(&shuffled), expected);
    }
}

/// Cut, flipped and retyped bytes never panic, and what is still read is still routed.
pub fn stands_damage(platform: &str, rounds: usize) {
    let all = captures(platform);
    assert!(!all.is_empty());
    // More rounds with other damage, for who wants to look longer.
    let more: u64 = std::env::var("CALLBOARD_DAMAGE").map_or(1, |n| n.parse().unwrap());
    let mut chance = Chance(0xbad_5eed + more);
    for round in 0..rounds * more as usize {
        let (_, whole) = &all[round % all.len()];
        let mut bytes = whole.clone();
        for _ in 0..=chance.below(4) {
            if bytes.is_empty() {
                break;
            }
            let at = chance.below(bytes.len());
            match chance.below(6) {
                0 => bytes.truncate(at),
                1 => bytes[at] = chance.below(256) as u8,
                2 => bytes[at] ^= 1 << chance.below(8),
                3 => {
                    let end = (at + chance.below(40)).min(bytes.len());
                    bytes.drain(at..end);
                }
                4 => retype(&mut bytes, at, &mut chance),
                _ => {
                    let end = (at + chance.below(200)).min(bytes.len());
                    let part = bytes[at..end].to_vec();
                    bytes.splice(at..at, part);
                }
            }
        }
        let (records, _) = split(platform, "t1", &bytes);
        let _ = fold(&records);
    }
}

/// Puts a value of another type where the next value stands.
fn retype(bytes: &mut Vec<u8>, at: usize, chance: &mut Chance) {
    const VALUES: [&str; 9] = [
        "null",
        "[]",
        "{}",
        "true",
        "-1",
        "1e308",
        "\"\"",
        "99999999999999999999",
        "\"9999-12-31T23:59:59Z\"",
    ];
    let Some(colon) = bytes[at..].iter().position(|b| matches!(b, b':' | b'=')) else {
        return;
    };
    let start = at + colon + 1;
    let end = bytes[start..]
        .iter()
        .position(|b| matches!(b, b',' | b'}' | b'&' | b'\n'))
        .map_or(bytes.len(), |n| start + n);
    let value = VALUES[chance.below(VALUES.len())];
    bytes.splice(start..end, value.bytes());
}
