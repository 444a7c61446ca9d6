//! Records come in: each goes to the open keys of which it speaks, or waits for those that only the
//! lake knows.

use std::collections::BTreeSet;
use std::sync::Arc;

use callboard_model::ids::Key;
use callboard_model::record::RouteKey;
use callboard_model::statement::Thing;

use super::{Live, Routed};

impl Live {
    /// Takes a durable record in. `settled` tells whether a name may belong to a key that is in
    /// the lake already; such a record waits in `late`.
    pub fn fold(&mut self, routed: Routed, settled: &dyn Fn(&str) -> bool) {
        self.version += 1;
        self.unflushed.push(&routed);
        self.fold_known(routed, settled);
    }

    /// As [`Live::fold`], for a record that is in the lake's records already.
    pub fn fold_known(&mut self, mut routed: Routed, settled: &dyn Fn(&str) -> bool) {
        let keys = std::mem::take(&mut routed.routing.keys);
        let (mut late, mut open) = (Vec::new(), Vec::new());
        for key in keys {
            let waits = match &key {
                RouteKey::Contact(ids) => ids
                    .iter()
                    .any(|id| !self.by_contact.contains_key(id) && settled(&id.0)),
                RouteKey::Direct(key) => match self.by_key.get(key) {
                    None => settled(&key.text()),
                    Some(birth) => self.is_past(*birth, &routed),
                },
            };
            // Who is told at once of a day long gone and of now, as by a state that goes on, hears the
            // one part of it here.
            if !waits || self.is_of_now_too(&key, &routed) {
                open.push(key.clone());
            }
            if waits {
                late.push(key);
            }
        }
        // A key that is open hears of it now: it waits for those alone that have settled.
        routed.routing.keys = open;
        if !routed.routing.keys.is_empty() {
            self.apply(&routed);
        }
        if !late.is_empty() {
            routed.routing.keys = late;
            self.late.push(routed);
        }
    }

    /// Whether a record speaks of days of an agent of which only the lake knows.
    fn is_past(&self, birth: u64, routed: &Routed) -> bool {
        let entry = self.entries.get(&birth);
        entry.is_some_and(|entry| entry.is_told_late(&routed.routing))
    }

    /// Whether a record speaks of days of an open agent too that memory holds.
    fn is_of_now_too(&self, key: &RouteKey, routed: &Routed) -> bool {
        let RouteKey::Direct(key) = key else {
            return false;
        };
        let entry = self.by_key.get(key).and_then(|b| self.entries.get(b));
        let told = routed.routing.statements.as_deref().unwrap_or_default();
        entry.is_some_and(|entry| told.iter().any(|statement| !entry.is_past(statement)))
    }

    /// Takes a record into the keys it speaks of, opening them where they are not open.
    pub fn apply(&mut self, routed: &Routed) {
        let alone = routed.routing.statements.as_deref();
        for key in &routed.routing.keys {
            let birth = match key {
                RouteKey::Contact(ids) => self.contact(ids, routed.seq),
                RouteKey::Direct(key) => Some(self.direct(key, routed.seq)),
            };
            let Some(birth) = birth else { continue };
            let mut restarted = None;
            if let Some(entry) = self.entries.get_mut(&birth) {
                let entry = Arc::make_mut(entry);
                let before = entry.weight();
                entry.take(&routed.record, alone, routed.routing.time);
                entry.last_seq = entry.last_seq.max(routed.seq);
                self.bytes += entry.weight() - before;
                if let Key::Instance(source) = &entry.key {
                    restarted = Some((source.to_string(), entry.state(&*self.around.interpreter)));
                }
                self.dirty.insert(birth);
            }
            if let Some((source, state)) = restarted {
                let times = state.iter().filter_map(|(thing, _)| match thing {
                    Thing::Restart(at) => Some(*at),
                    _ => None,
                });
                self.set_restarts(source, times.collect());
            }
        }
    }

    pub(super) fn set_restarts(&mut self, source: String, times: BTreeSet<i64>) {
        if !self.around.put_restarts(source, &times) {
            return;
        }
        // Every open key of the instance may end by it; which one is told by its state.
        for (birth, entry) in &mut self.entries {
            if matches!(entry.key, Key::Contact(_) | Key::Agent(..)) {
                Arc::make_mut(entry).touch();
                self.dirty.insert(*birth);
            }
        }
    }
}
