//! What a flush remembers of records beside their rows: their ids, so that a repeat is known
//! after a restart, and the names under which they will be found in the lake.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use callboard_model::record::{Record, RouteKey, Routing};
use callboard_model::tables::Instant;

use super::Inner;
use super::settled::hash;

/// A record's row, ids and names beside its bytes.
const RECORD_BYTES: usize = 400;

/// Ids and names of some records.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Hashes of id and content by source, in the order of the log.
    pub ids: BTreeMap<Arc<str>, Vec<(u64, u64)>>,
    /// Hashes of names by the UTC day of receipt.
    pub names: BTreeMap<i32, HashSet<u64>>,
    /// Bytes that the records, and what is remembered of them, hold in memory, roughly.
    pub bytes: usize,
}

impl Told {
    /// Adds a record.
    pub fn note(&mut self, record: &Record, routing: &Routing) {
        self.bytes += record.bytes.len() + RECORD_BYTES;
        let pair = (record.identity_hash(), record.content_hash());
        match self.ids.get_mut(&record.source) {
            Some(pairs) => pairs.push(pair),
            None => {
                self.ids.insert(record.source.clone(), vec![pair]);
            }
        }
        let day = Instant(record.received_at).day().0;
        let names = self.names.entry(day).or_default();
        for key in &routing.keys {
            match key {
                RouteKey::Contact(ids) => names.extend(ids.iter().map(|id| hash(&id.0))),
                RouteKey::Direct(key) => {
                    names.insert(hash(&key.text()));
                }
            }
        }
    }

    /// Adds what came later.
    pub fn absorb(&mut self, later: Told) {
        for (source, mut pairs) in later.ids {
            self.ids.entry(source).or_default().append(&mut pairs);
        }
        for (day, names) in later.names {
            self.names.entry(day).or_default().extend(names);
        }
        self.bytes += later.bytes;
    }

    /// Days of receipt on which any of these names was told of, by their hashes.
    fn days_of<'a>(&'a self, hashes: &'a [u64]) -> impl Iterator<Item = i32> + 'a {
        let days = self.names.iter();
        days.filter(|(_, names)| hashes.iter().any(|h| names.contains(h)))
            .map(|(day, _)| *day)
    }
}

impl Inner {
    /// Days of receipt on which the lake, or what is on its way there, may have records of any of
    /// these names. Records of a flush that did not count are in the lake too, and not among the
    /// settled names.
    pub fn days_of<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> BTreeSet<i32> {
        let hashes: Vec<u64> = names.into_iter().map(hash).collect();
        let told = self
            .planned
            .days_of(&hashes)
            .chain(self.fresh.days_of(&hashes));
        told.chain(self.settled.days_of(&hashes)).collect()
    }
}
