//! From records to the state of every key, as the store does it: a record that comes again changes
//! nothing, contacts are joined by their ids, what stands alone is merged, and the rest is read with
//! all of its key.
// Two test programs use it, and not all of it each.
#![allow(dead_code)]

use std::collections::{BTreeMap, BTreeSet};

use callboard_model::ids::{Key, PlatformId};
use callboard_model::merge::State;
use callboard_model::record::{Interpreter, Record, Refusal, RouteKey};
use callboard_model::rows::{ContactRows, contact_rows};
use callboard_model::statement::Statement;
use callboard_sources::registry::Registry;

/// What records come to.
#[derive(Default)]
pub struct Gathered {
    /// Contacts: the ids of each, and what is said of it.
    pub contacts: Vec<(Vec<PlatformId>, State)>,
    /// All other keys.
    pub direct: Vec<(Key, State)>,
    /// Why records were refused.
    pub refused: Vec<Refusal>,
    /// Records that speak of no key.
    pub kept: usize,
}

#[derive(Default)]
struct Held<'r> {
    ids: BTreeSet<PlatformId>,
    alone: State,
    set: Vec<&'r Record>,
}

impl<'r> Held<'r> {
    fn take(&mut self, record: &'r Record, alone: Option<&[Statement]>) {
        match alone {
            Some(said) => said.iter().for_each(|s| {
                self.alone.apply(s);
            }),
            None => self.set.push(record),
        }
    }

    fn join(&mut self, other: Held<'r>) {
        self.ids.extend(other.ids);
        self.alone.join(&other.alone);
        self.set.extend(other.set);
    }

    fn state(&self, by: &dyn Interpreter, key: &Key) -> State {
        let mut state = self.alone.clone();
        for s in by.interpret(key, &self.set) {
            state.apply(&s);
        }
        state
    }
}

/// Contacts under way: by number, and the number of each id.
#[derive(Default)]
struct Contacts<'r> {
    of: BTreeMap<PlatformId, usize>,
    all: BTreeMap<usize, Held<'r>>,
    made: usize,
}

impl<'r> Contacts<'r> {
    fn at(&mut self, ids: Vec<PlatformId>) -> &mut Held<'r> {
        let held: BTreeSet<usize> = ids
            .iter()
            .filter_map(|id| self.of.get(id).copied())
            .collect();
        let mut one = Held::default();
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

/// The id that a contact goes by.
pub fn least(ids: &[PlatformId]) -> &PlatformId {
    ids.iter().min_by(|a, b| a.order(b)).unwrap()
}

/// Gathers records in the order in which they come.
pub fn gather(records: &[Record]) -> Gathered {
    gather_by(&Registry, records)
}

/// The same with another interpreter.
pub fn gather_by(by: &dyn Interpreter, records: &[Record]) -> Gathered {
    let mut seen = BTreeSet::new();
    let mut contacts = Contacts::default();
    let mut direct: BTreeMap<Key, Held<'_>> = BTreeMap::new();
    let mut out = Gathered::default();
    for record in records {
        // Other words with a known id are a record too.
        if !seen.insert((&record.source, &record.id, record.content_hash())) {
            continue;
        }
        let routing = match by.route(record) {
            Ok(routing) => routing,
            Err(refusal) => {
                out.refused.push(refusal);
                continue;
            }
        };
        out.kept += usize::from(routing.keys.is_empty());
        let alone = routing.statements.as_deref();
        for key in routing.keys {
            let held = match key {
                RouteKey::Contact(ids) => contacts.at(ids),
                RouteKey::Direct(key) => direct.entry(key).or_default(),
            };
            held.take(record, alone);
        }
    }
    for held in contacts.all.values() {
        let ids: Vec<PlatformId> = held.ids.iter().cloned().collect();
        let state = held.state(by, &Key::Contact(least(&ids).clone()));
        out.contacts.push((ids, state));
    }
    for (key, held) in &direct {
        out.direct.push((key.clone(), held.state(by, key)));
    }
    out
}

impl Gathered {
    /// The rows of contacts, by the id that each goes by, where no instance restarted.
    pub fn contact_rows(&self) -> BTreeMap<String, ContactRows> {
        let made = self.contacts.iter().map(|(ids, state)| {
            let rows = contact_rows(ids, state, &[]);
            (least(ids).contact_id(), rows)
        });
        made.filter(|(_, rows)| rows.contact.is_some()).collect()
    }
}
