//! Generated histories: 5 to 60 records of queue_log, CEL and AMI over two contacts and an agent,
//! with ids that join the two. However they arrive (any order, repeated, in any batches, with
//! contacts that had settled reopened), the rows are those of the set. And three bugs that people
//! write are caught by the same property.

use std::collections::BTreeSet;
use std::sync::Arc;

use callboard_model::ids::{Key, PlatformId};
use callboard_model::record::{Interpreter, Record, Refusal, RouteKey, Routing};
use callboard_model::statement::{F, Statement, Thing, Value};
use callboard_sources::registry::Registry;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::history::{Act, CALLS, HORIZON, history, kinds};
use crate::pipeline::{Rows, rows_by};

const CASES: u32 = 10_000;

/// Bugs that people write.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Bug {
    None,
    /// What was said first stays, whatever comes later.
    FirstWins,
    /// Time of receipt stands in for the platform's own.
    ReceiptCounts,
    /// Two keys that prove to be one keep the records of one of them.
    JoinForgets,
}

struct Buggy(Bug);

impl Interpreter for Buggy {
    fn route(&self, record: &Record) -> Result<Routing, Refusal> {
        Registry.route(record)
    }

    fn interpret(&self, key: &Key, set: &[&Record]) -> Vec<Statement> {
        let said = Registry.interpret(key, set);
        match self.0 {
            Bug::FirstWins => {
                let place = |s: &Statement| {
                    set.iter()
                        .position(|r| r.source == s.by.source && r.id == s.by.id)
                };
                let mut said = said;
                said.sort_by_key(|s| place(s));
                let mut seen: Vec<(Thing, F)> = Vec::new();
                for s in &mut said {
                    let about = s.about.clone();
                    s.facts.retain(|(f, _)| {
                        let known = seen.contains(&(about.clone(), f.clone()));
                        seen.push((about.clone(), f.clone()));
                        !known
                    });
                }
                said
            }
            Bug::ReceiptCounts => said
                .into_iter()
                .map(|mut s| {
                    let received = set
                        .iter()
                        .find(|r| r.source == s.by.source && r.id == s.by.id)
                        .map(|r| r.received_at);
                    let mut by = (*s.by).clone();
                    by.recorded_at = received;
                    s.by = Arc::new(by);
                    s
                })
                .collect(),
            _ => said,
        }
    }
}

/// Keys as they live: joined when a record proves them one, settled and reopened.
struct Live {
    bug: Bug,
    contacts: Vec<(BTreeSet<PlatformId>, Vec<Record>)>,
    others: Vec<Record>,
}

impl Live {
    fn take(&mut self, record: Record) {
        let known = |r: &Record| r.source == record.source && r.id == record.id;
        if self.others.iter().any(known) {
            return;
        }
        let routing = Registry.route(&record).unwrap();
        let Some(RouteKey::Contact(ids)) = routing.keys.first() else {
            self.others.push(record);
            return;
        };
        let mut all: BTreeSet<PlatformId> = ids.iter().cloned().collect();
        let mut set: Vec<Record> = Vec::new();
        let (joined, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.contacts)
            .into_iter()
            .partition(|(theirs, _)| theirs.iter().any(|id| all.contains(id)));
        self.contacts = rest;
        for (n, (ids, records)) in joined.into_iter().enumerate() {
            all.extend(ids);
            if self.bug != Bug::JoinForgets || n == 0 {
                set.extend(records);
            }
        }
        if !set.iter().any(known) {
            set.push(record);
        }
        self.contacts.push((all, set));
    }

    /// Rows of what is known now.
    fn rows(&self) -> Rows {
        let all: Vec<Record> = self
            .contacts
            .iter()
            .flat_map(|(_, set)| set.clone())
            .chain(self.others.iter().cloned())
            .collect();
        rows_by(&Buggy(self.bug), &all, HORIZON)
    }
}

/// A small generator for the order of arrival.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }
}

/// The property: rows of the set in order, against rows after arriving in disorder, repeated and
/// in batches between which rows were made.
fn holds(acts: &[Act], seed: u64, bug: Bug) -> Result<(), TestCaseError> {
    let all = history(acts);
    let given = rows_by(&Buggy(bug), &all, HORIZON);
    let mut dice = Dice(seed);
    let mut arriving = all.clone();
    for _ in 0..all.len() / 3 {
        arriving.push(all[dice.below(all.len())].clone());
    }
    for n in (1..arriving.len()).rev() {
        let other = dice.below(n + 1);
        arriving.swap(n, other);
    }
    let mut live = Live {
        bug,
        contacts: Vec::new(),
        others: Vec::new(),
    };
    let batch = 1 + dice.below(arriving.len());
    for (n, mut record) in arriving.into_iter().enumerate() {
        record.received_at = i64::try_from(n).unwrap();
        live.take(record);
        if n % batch == batch - 1 {
            // What settles here has rows; the records that come later reopen it.
            let early = live.rows();
            prop_assert!(early.contacts.len() <= 2);
        }
    }
    let now = live.rows();
    prop_assert_eq!(&now.contacts, &given.contacts);
    prop_assert_eq!(&now.agents, &given.agents);
    prop_assert_eq!(&now.restarts, &given.restarts);
    Ok(())
}

fn run(cases: u32, bug: Bug) -> Result<(), String> {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    };
    let act = (0..kinds(), 0..2usize, 0..480u32, 0..3usize);
    let acts = proptest::collection::vec(act, 5..=60);
    TestRunner::new(config)
        .run(&(acts, any::<u64>()), |(acts, seed)| {
            holds(&acts, seed, bug)
        })
        .map_err(|e| e.to_string())
}

#[test]
fn rows_depend_on_the_set_alone() {
    run(CASES, Bug::None).unwrap();
}

#[test]
fn planted_bugs_are_caught() {
    for bug in [Bug::FirstWins, Bug::ReceiptCounts, Bug::JoinForgets] {
        assert!(run(CASES, bug).is_err(), "{bug:?} went unnoticed");
    }
}

/// The generated histories are no noise: most of them give contacts with talks, holds and joins.
#[test]
fn generated_histories_reach_what_they_are_for() {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut joined = 0;
    let mut dice = Dice(7);
    for _ in 0..300 {
        let acts: Vec<Act> = (0..40)
            .map(|_| {
                let at = u32::try_from(dice.below(480)).unwrap();
                (dice.below(kinds()), dice.below(2), at, dice.below(3))
            })
            .collect();
        let rows = rows_by(&Registry, &history(&acts), HORIZON);
        joined += usize::from(rows.contacts.len() == 1);
        for c in rows.contacts.values() {
            for s in &c.segments {
                seen.insert(format!("{} {}", s.kind, s.outcome.as_deref().unwrap_or("")));
            }
            for o in &c.offers {
                seen.insert(format!("offer {}", o.outcome.as_deref().unwrap_or("")));
            }
        }
    }
    assert!(joined > 100, "{joined}");
    for wanted in [
        "queue answered",
        "queue abandoned",
        "queue timeout",
        "queue no_agents",
        "queue key_exit",
        "talk completed",
        "talk transferred",
        "menu selected",
        "hold resumed",
        "offer accepted",
        "offer no_answer",
        "offer caller_left",
        "offer taken_elsewhere",
        "callback ",
    ] {
        assert!(seen.contains(wanted), "{wanted} is missing in {seen:?}");
    }
}

/// A value is never what arrived last: the statements themselves are the same, in any order.
#[test]
fn statements_are_the_same_in_any_order() {
    let mut dice = Dice(11);
    for _ in 0..200 {
        let acts: Vec<Act> = (0..30)
            .map(|_| {
                let at = u32::try_from(dice.below(200)).unwrap();
                (dice.below(kinds()), 0, at, dice.below(3))
            })
            .collect();
        let all = history(&acts);
        let key = Key::Contact(PlatformId::new("asterisk", "pbx1", CALLS[0]));
        let forward: Vec<&Record> = all.iter().collect();
        let backward: Vec<&Record> = all.iter().rev().collect();
        let first = Registry.interpret(&key, &forward);
        assert_eq!(first, Registry.interpret(&key, &backward));
        assert!(
            first
                .iter()
                .all(|s| s.facts.iter().all(|(_, v)| *v != Value::text("")))
        );
    }
}

/// Lines with broken places are read or refused, and what is read makes rows; nothing panics.
#[test]
fn damaged_lines_stop_nothing() {
    let mut dice = Dice(23);
    let (mut read, mut refused) = (0, 0);
    for _ in 0..400 {
        let acts: Vec<Act> = (0..30)
            .map(|_| {
                let at = u32::try_from(dice.below(480)).unwrap();
                (dice.below(kinds()), dice.below(2), at, dice.below(3))
            })
            .collect();
        let mut kept = Vec::new();
        for mut record in history(&acts) {
            let mut bytes = record.bytes.to_vec();
            for _ in 0..1 + dice.below(3) {
                let at = dice.below(bytes.len());
                match dice.below(5) {
                    0 => bytes[at] = b'|',
                    1 => bytes[at] = b'9',
                    2 => bytes.truncate(at + 1),
                    3 => bytes[at] = b'-',
                    _ => {
                        let huge = b"99999999999999999999".iter().copied();
                        bytes.splice(at..at, huge);
                    }
                }
            }
            record.bytes = bytes.into();
            match Registry.route(&record) {
                Ok(_) => {
                    read += 1;
                    kept.push(record);
                }
                Err(why) => {
                    assert!(!why.reason.is_empty() && !why.class.is_empty());
                    refused += 1;
                }
            }
        }
        let rows = rows_by(&Registry, &kept, HORIZON);
        assert!(rows.contacts.values().all(|c| c.contact.is_some()));
    }
    assert!(
        read > 1000 && refused > 1000,
        "{read} read, {refused} refused"
    );
}
