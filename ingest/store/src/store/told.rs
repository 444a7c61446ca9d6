//! What a flush remembers of records beside their rows: their ids, so that a repeat is known
//! after a restart, and the names under which they will be found in the lake.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use callboard_model::record::{Record, RouteKey, Routing};
use callboard_model::tables::Instant;

use super::settled::hash;

/// A record's row, ids and names beside its bytes.
const RECORD_BYTES: usize = 400;

/// Ids and names of some records.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Hashes of id and content by source, in the order of the log.
    pub ids: BTreeMap<Arc<str>, Vec<(u64, u64)>>,
    /// Hashes of names with the UTC day of receipt.
    pub names: HashSet<(i32, u64)>,
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
        for key in &routing.keys {
            match key {
                RouteKey::Contact(ids) => {
                    self.names.extend(ids.iter().map(|id| (day, hash(&id.0))));
                }
                RouteKey::Direct(key) => {
                    self.names.insert((day, hash(&key.text())));
                }
            }
        }
    }

    /// Adds what came later.
    pub fn absorb(&mut self, later: Told) {
        for (source, mut pairs) in later.ids {
            self.ids.entry(source).or_default().append(&mut pairs);
        }
        self.names.extend(later.names);
        self.bytes += later.bytes;
    }
}
