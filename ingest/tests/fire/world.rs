//! A simulated shift: the lines that are sent, and what must come of them.

use std::collections::BTreeMap;

use callboard_datasets::compare::Row;
use callboard_datasets::simulate::{
    Dials, Disorder, FIRST_DAY, Options, TABLES, Table, read_date, run,
};
use callboard_model::time::parse_rfc3339;
use callboard_store::sim::Rng;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::machine::NOW;

/// Tables that stand in the store itself; the others are queries over them.
pub const KEPT: [&str; 6] = [
    "contacts",
    "segments",
    "offers",
    "links",
    "surveys",
    "recordings",
];
/// Tables of the truth that are queries over others.
pub const COUNTED: [&str; 2] = ["queue_intervals", "agent_intervals"];

pub struct World {
    /// Events, and lines that are none, in the order in which they are sent.
    pub lines: Vec<Vec<u8>>,
    /// The newest time that any line up to each states, UTC microseconds.
    pub times: Vec<i64>,
    /// Rows of the truth.
    pub rows: BTreeMap<&'static str, Vec<Row>>,
    /// New events, and other words of known ones.
    pub records: u64,
    /// Hash and class of the lines that are no events, and how many such lines there are.
    pub dead: BTreeMap<(String, String), u64>,
    /// Hash of each line that is no event.
    pub hashes: Vec<Option<String>>,
}

/// The hash under which a dead letter is kept.
fn hash(line: &[u8]) -> String {
    let digest = Sha256::digest(line.strip_suffix(b"\n").unwrap_or(line));
    digest.iter().map(|b| format!("{b:02x}")).collect()
}

pub fn table(name: &str) -> &'static Table {
    TABLES.iter().find(|t| t.name == name).unwrap()
}

/// One line in sixty comes after all others, days late.
fn some_last(lines: Vec<Vec<u8>>, seed: u64) -> Vec<Vec<u8>> {
    let mut rng = Rng(seed);
    let (last, mut others): (Vec<_>, Vec<_>) = lines.into_iter().partition(|_| rng.below(60) == 0);
    others.extend(last);
    others
}

/// The newest time that any line up to each states; of lines that are no events none.
fn newest(lines: &[Vec<u8>]) -> Vec<i64> {
    let stated = |line: &Vec<u8>| {
        let event: Value = serde_json::from_slice(line).ok()?;
        let time = event["time"].as_str()?;
        let (at, _) = parse_rfc3339(time)?;
        Some(at).filter(|at| *at < NOW)
    };
    let times = lines.iter().scan(i64::MIN, |newest, line| {
        *newest = (*newest).max(stated(line).unwrap_or(i64::MIN));
        Some(*newest)
    });
    times.collect()
}

impl World {
    /// The world of a seed: up to about a thousand events.
    pub fn of(seed: u64, contacts: u64) -> World {
        let poison = if seed.is_multiple_of(8) { 20_000 } else { 0 };
        World::with(seed, contacts, poison)
    }

    /// The world of a seed with so many lines in a million that are no events.
    pub fn with(seed: u64, contacts: u64, poison: u64) -> World {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("truth");
        let options = Options {
            seed,
            contacts,
            first_day: read_date(FIRST_DAY).unwrap(),
            days: Some(1 + (seed % 7) as i64),
            disorder: Disorder::Wild,
            dials: Dials::default(),
            poison,
            skew: 3_000,
            out: out.clone(),
            threads: 1,
            platform: None,
            skip_days: 0,
            handle_permille: 1_000,
            open_late: false,
        };
        let mut stream = Vec::new();
        let manifest = run(&options, Some(&mut stream), &mut |_| {}).unwrap();
        let mut rows = BTreeMap::new();
        for name in KEPT.into_iter().chain(COUNTED) {
            let table = table(name);
            let mut own = Vec::new();
            for file in std::fs::read_dir(out.join("truth").join(name)).unwrap() {
                let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
                let lines = text.lines().map(|l| serde_json::from_str(l).unwrap());
                own.extend(lines.map(|object| Row::of(table, &object)));
            }
            rows.insert(name, own);
        }
        let letters = std::fs::read_to_string(out.join("truth/dead_letters.ndjson")).unwrap();
        let mut dead = BTreeMap::new();
        for line in letters.lines() {
            let letter: Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| letter[name].as_str().unwrap().to_owned();
            *dead.entry((text("sha256"), text("class"))).or_default() += 1;
        }
        let lines = stream.split_inclusive(|b| *b == b'\n');
        let mut lines: Vec<Vec<u8>> = lines.map(<[u8]>::to_vec).collect();
        if seed.is_multiple_of(5) {
            lines = some_last(lines, seed);
        }
        let known = |hash: &String| dead.keys().any(|(of, _)| of == hash);
        let hashes: Vec<Option<String>> = match dead.is_empty() {
            true => vec![None; lines.len()],
            false => lines.iter().map(|l| Some(hash(l)).filter(known)).collect(),
        };
        assert_eq!(
            hashes.iter().flatten().count() as u64,
            dead.values().sum::<u64>()
        );
        let times = newest(&lines);
        World {
            lines,
            times,
            hashes,
            rows,
            records: manifest.counts.taken + manifest.counts.conflicts,
            dead,
        }
    }
}
