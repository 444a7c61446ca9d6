//! From bytes to rows, as the store does it: records once each, statements of those that stand
//! alone merged, the others interpreted with all of their key.

use std::collections::{BTreeMap, BTreeSet};

use callboard_model::ids::{Key, PlatformId};
use callboard_model::merge::State;
use callboard_model::record::{Interpreter, Record, RouteKey};
use callboard_model::rows::{ContactRows, agent_rows, contact_rows};
use callboard_model::statement::Statement;
use callboard_model::tables::AgentStateRow;
use callboard_sources::adapter::{Declared, of_platform};
use callboard_sources::asterisk::Feed;
use callboard_sources::lines::{Kind, LineReader, NewLine};
use callboard_sources::registry::Registry;

use crate::day::{Dice, Sheet};

/// Rows of contacts and agents.
#[derive(Default)]
pub struct Rows {
    pub contacts: Vec<ContactRows>,
    pub agents: Vec<AgentStateRow>,
}

/// The records of what arrives; nothing may be dead.
pub fn records(platform: &str, arrives: &[Sheet]) -> Vec<Record> {
    if platform == "asterisk" {
        return log(arrives);
    }
    let adapter = of_platform(platform).unwrap();
    let mut all = Vec::new();
    for sheet in arrives {
        let declared = Declared {
            // Where the bytes name the instance, that is read.
            instance: match platform {
                "amazon-connect" => String::new(),
                _ => sheet.site.clone(),
            },
            zone: String::new(),
            name: sheet.file.clone(),
        };
        for line in adapter.split(&sheet.bytes, &declared) {
            match line {
                NewLine::Record(r) => all.push(r.received(0)),
                NewLine::Dead(d) => panic!("{}: {}: {}", d.class, d.reason, show(&d.bytes)),
                NewLine::Event(e) => panic!("an event of ours: {e:?}"),
            }
        }
    }
    all
}

/// The queue log of each site: files are read in their order, and their records then come in any.
fn log(arrives: &[Sheet]) -> Vec<Record> {
    let mut sites: BTreeMap<&str, Vec<&Sheet>> = BTreeMap::new();
    for sheet in arrives {
        sites.entry(&sheet.site).or_default().push(sheet);
    }
    let mut all = Vec::new();
    for (site, sheets) in sites {
        let mut reader = LineReader::new(Kind::Asterisk(Feed::QueueLog), site, "", &[]);
        let mut lines = Vec::new();
        for sheet in sheets {
            lines.extend(reader.push(&[sheet.bytes.as_slice(), b"\n"].concat()));
        }
        lines.extend(reader.finish());
        all.extend(lines.into_iter().map(|line| match line {
            NewLine::Record(r) => r.received(0),
            other => panic!("not a record: {other:?}"),
        }));
    }
    let mut dice = Dice::new(7);
    for n in (1..all.len()).rev() {
        all.swap(n, dice.below(n + 1));
    }
    all
}

/// The beginning of bytes, to be read.
pub fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().take(1_500).collect()
}

#[derive(Default)]
struct Known<'r> {
    ids: BTreeSet<PlatformId>,
    alone: State,
    set: Vec<&'r Record>,
}

impl<'r> Known<'r> {
    fn take(&mut self, record: &'r Record, alone: Option<&[Statement]>) {
        match alone {
            Some(said) => said.iter().for_each(|s| {
                self.alone.apply(s);
            }),
            None => self.set.push(record),
        }
    }

    fn join(&mut self, other: Known<'r>) {
        self.ids.extend(other.ids);
        self.alone.join(&other.alone);
        self.set.extend(other.set);
    }

    fn state(&self, key: &Key) -> State {
        let mut state = self.alone.clone();
        for s in Registry.interpret(key, &self.set) {
            state.apply(&s);
        }
        state
    }
}

/// The components of contacts under way: by number, and the number of each id.
#[derive(Default)]
struct Contacts<'r> {
    of: BTreeMap<PlatformId, usize>,
    all: BTreeMap<usize, Known<'r>>,
    made: usize,
}

impl<'r> Contacts<'r> {
    fn at(&mut self, ids: Vec<PlatformId>) -> &mut Known<'r> {
        let held: BTreeSet<usize> = ids
            .iter()
            .filter_map(|id| self.of.get(id).copied())
            .collect();
        let mut one = Known::default();
        for n in held {
            one.join(self.all.remove(&n).unwrap());
        }
        one.ids.extend(ids);
        self.made += 1;
        for id in &one.ids {
            self.of.insert(id.clone(), self.made);
        }
        self.all.entry(self.made).or_insert(one)
    }
}

/// Folds records in the order in which they come; repeats change nothing. Agents' states are told
/// until `horizon`.
pub fn rows(records: &[Record], horizon: i64) -> Rows {
    let mut seen = BTreeSet::new();
    let mut contacts = Contacts::default();
    let mut agents: BTreeMap<Key, Known<'_>> = BTreeMap::new();
    for record in records {
        if !seen.insert((record.source.clone(), record.id.clone())) {
            continue;
        }
        let routing = Registry
            .route(record)
            .unwrap_or_else(|e| panic!("{e}: {}", show(&record.bytes)));
        let alone = routing.statements.as_deref();
        for key in routing.keys {
            match key {
                RouteKey::Contact(ids) => contacts.at(ids).take(record, alone),
                RouteKey::Direct(key @ Key::Agent(..)) => {
                    agents.entry(key).or_default().take(record, alone);
                }
                RouteKey::Direct(_) => {} // recordings, notes: of no table of the truth
            }
        }
    }
    let mut out = Rows::default();
    for one in contacts.all.values() {
        let ids: Vec<PlatformId> = one.ids.iter().cloned().collect();
        let least = ids.iter().min_by(|a, b| a.order(b)).unwrap().clone();
        let rows = contact_rows(&ids, &one.state(&Key::Contact(least)), &[]);
        if rows.contact.is_some() {
            out.contacts.push(rows);
        }
    }
    for (key, known) in &agents {
        if let Key::Agent(source, agent) = key {
            let state = known.state(key);
            out.agents
                .extend(agent_rows(source, agent, &state, &[], horizon));
        }
    }
    out
}
