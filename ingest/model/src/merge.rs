//! The merge: per thing and fact the greatest claim wins. Commutative, associative, idempotent,
//! so that the state depends on the set of statements and on nothing else.

mod kept;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::record::Provenance;
use crate::statement::{F, Statement, Thing, Value};

/// A claim: a value and who says so.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The value.
    pub value: Value,
    /// Who says so.
    pub by: Arc<Provenance>,
}

impl Claim {
    /// The order of the merge: rank, finer precision, recorded time, sequence, source, id, hash,
    /// and last the value itself.
    pub fn order(&self, other: &Self) -> Ordering {
        self.by
            .rank
            .cmp(&other.by.rank)
            .then_with(|| other.value.precision().cmp(&self.value.precision()))
            .then_with(|| self.by.tail_cmp(&other.by))
            .then_with(|| self.value.order(&other.value))
    }
}

/// All that is kept of one fact: the winner of each precision (one, for all but times). Nearly
/// always there is one, which then costs no allocation: an open contact holds dozens of facts.
#[derive(Debug, Clone, PartialEq)]
pub enum Slot {
    /// One claim.
    One(Claim),
    /// One claim for each precision, the finest first.
    Several(Vec<Claim>),
}

impl Slot {
    fn claims(&self) -> &[Claim] {
        match self {
            Slot::One(claim) => std::slice::from_ref(claim),
            Slot::Several(claims) => claims,
        }
    }

    fn offer(&mut self, claim: Claim) {
        let precision = claim.value.precision();
        let held = match self {
            Slot::One(held) => std::slice::from_mut(held),
            Slot::Several(held) => held.as_mut_slice(),
        };
        match held.iter_mut().find(|c| c.value.precision() == precision) {
            Some(held) => {
                if claim.order(held) == Ordering::Greater {
                    *held = claim;
                }
            }
            None => {
                let mut all = self.claims().to_vec();
                all.push(claim);
                all.sort_by_key(|c| c.value.precision());
                *self = Slot::Several(all);
            }
        }
    }

    /// The overall winner.
    pub fn winner(&self) -> Option<&Claim> {
        self.claims().iter().max_by(|a, b| a.order(b))
    }

    /// The winning time, refined by the finest claim that lies within the winner's own precision:
    /// a record's whole second does not erase an event's milliseconds. With its precision.
    pub fn time(&self) -> Option<(i64, u32)> {
        let Value::Time(won, precision) = self.winner()?.value else {
            return None;
        };
        self.claims()
            .iter()
            .filter_map(|c| match c.value {
                Value::Time(us, p) if p <= precision => Some((us, p)),
                _ => None,
            })
            .filter(|(us, _)| (won..won + i64::from(precision.max(1))).contains(us))
            .min_by_key(|(_, p)| *p)
            .or(Some((won, precision)))
    }
}

/// The merged state of one thing: facts in order of their names. A sorted vector, since a thing
/// has few facts and there are very many things.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts(Vec<(F, Slot)>);

impl Facts {
    fn offer(&mut self, f: &F, claim: Claim) {
        match self.0.binary_search_by(|(held, _)| held.cmp(f)) {
            Ok(place) => self.0[place].1.offer(claim),
            Err(place) => {
                if self.0.len() == self.0.capacity() {
                    // Grown by a half instead of doubled: what is kept in reserve adds up.
                    self.0.reserve_exact(self.0.len() / 2 + 2);
                }
                self.0.insert(place, (f.clone(), Slot::One(claim)));
            }
        }
    }

    /// The slot of a fact.
    pub fn slot(&self, f: &F) -> Option<&Slot> {
        let place = self.0.binary_search_by(|(held, _)| held.cmp(f)).ok()?;
        self.0.get(place).map(|(_, slot)| slot)
    }

    /// The winning value of a fact.
    pub fn value(&self, f: &F) -> Option<&Value> {
        self.slot(f)?.winner().map(|c| &c.value)
    }

    /// The winning text.
    pub fn text(&self, f: &F) -> Option<&str> {
        match self.value(f)? {
            Value::Text(t) => Some(t),
            _ => None,
        }
    }

    /// The winning text, owned.
    pub fn owned(&self, f: &F) -> Option<String> {
        self.text(f).map(str::to_owned)
    }

    /// The winning whole number.
    pub fn int(&self, f: &F) -> Option<i64> {
        match self.value(f)? {
            Value::Int(n) | Value::Millis(n, _) => Some(*n),
            _ => None,
        }
    }

    /// The winning number.
    pub fn float(&self, f: &F) -> Option<f64> {
        match self.value(f)? {
            Value::Float(n) => Some(*n),
            Value::Int(n) => Some(*n as f64),
            _ => None,
        }
    }

    /// Whether yes won.
    pub fn flag(&self, f: &F) -> bool {
        matches!(self.value(f), Some(Value::Bool(true)))
    }

    /// The winning duration in milliseconds with its precision in microseconds.
    pub fn millis(&self, f: &F) -> Option<(i64, u32)> {
        match self.value(f)? {
            Value::Millis(ms, p) => Some((*ms, *p)),
            _ => None,
        }
    }

    /// The winning, refined time with its precision, both in microseconds.
    pub fn time(&self, f: &F) -> Option<(i64, u32)> {
        self.slot(f)?.time()
    }

    /// All facts in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&F, &Slot)> {
        self.0.iter().map(|(f, slot)| (f, slot))
    }
}

/// A thing with its place, its name and who says it, roughly.
const THING_BYTES: usize = 250;
/// A fact with its claim, its text and what the vector keeps in reserve, roughly.
const FACT_BYTES: usize = 100;

/// The merged state of one key.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    things: BTreeMap<Thing, Facts>,
}

impl State {
    /// The state that a set of statements gives.
    pub fn of<'a>(statements: impl IntoIterator<Item = &'a Statement>) -> Self {
        let mut state = State::default();
        for s in statements {
            state.apply(s);
        }
        state
    }

    fn facts(&mut self, thing: &Thing) -> &mut Facts {
        self.things.entry(thing.clone()).or_default()
    }

    /// Merges one statement in; gives by how many bytes the state grew, roughly.
    pub fn apply(&mut self, s: &Statement) -> usize {
        let things = self.things.len();
        let facts = self.facts(&s.about);
        let had = facts.0.len();
        for (f, value) in &s.facts {
            let claim = Claim {
                value: value.clone(),
                by: s.by.clone(),
            };
            facts.offer(f, claim);
        }
        let facts = facts.0.len() - had;
        (self.things.len() - things) * THING_BYTES + facts * FACT_BYTES
    }

    /// Bytes that it holds, roughly.
    pub fn weight(&self) -> usize {
        let of = |facts: &Facts| THING_BYTES + facts.0.len() * FACT_BYTES;
        self.things.values().map(of).sum()
    }

    /// Merges another state in.
    pub fn join(&mut self, other: &State) {
        for (thing, theirs) in other.iter() {
            let ours = self.facts(thing);
            for (f, slot) in theirs.iter() {
                for claim in slot.claims() {
                    ours.offer(f, claim.clone());
                }
            }
        }
    }

    /// What is known of a thing.
    pub fn get(&self, thing: &Thing) -> Option<&Facts> {
        self.things.get(thing)
    }

    /// All things in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Thing, &Facts)> {
        self.things.iter()
    }

    /// Forgets all things but those that shall be kept.
    pub fn retain(&mut self, mut keep: impl FnMut(&Thing) -> bool) {
        self.things.retain(|thing, _| keep(thing));
    }

    /// Whether nothing was stated.
    pub fn is_empty(&self) -> bool {
        self.things.is_empty()
    }

    /// The latest silence that was stated, UTC microseconds.
    pub fn silence(&self) -> Option<i64> {
        self.iter()
            .filter_map(|(thing, _)| match thing {
                Thing::Silence(at) => Some(*at),
                _ => None,
            })
            .max()
    }
}
