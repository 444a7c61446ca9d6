//! "Seen before?": the last million ids of each source, with the hash of what they held.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use callboard_model::record::Record;

/// Ids remembered for each source.
pub const REMEMBERED: usize = 1_000_000;

/// What is known of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Not among the last million of its source.
    New,
    /// Known, with the same bytes.
    Same,
    /// Known, with other bytes.
    Other,
}

#[derive(Default)]
struct Ring {
    known: HashMap<u64, u64>,
    order: VecDeque<u64>,
}

/// Under what other words of a known id are remembered.
fn beside(id: u64, content: u64) -> u64 {
    let mut both = [0; 16];
    both[..8].copy_from_slice(&id.to_le_bytes());
    both[8..].copy_from_slice(&content.to_le_bytes());
    xxhash_rust::xxh3::xxh3_64(&both)
}

/// The memory of ids, by source.
#[derive(Default)]
pub struct SeenIds {
    sources: HashMap<Arc<str>, Ring>,
    limit: usize,
}

impl SeenIds {
    /// An empty memory of [`REMEMBERED`] ids a source.
    pub fn new() -> Self {
        Self::with_limit(REMEMBERED)
    }

    /// An empty memory of that many ids a source.
    pub fn with_limit(limit: usize) -> Self {
        SeenIds {
            sources: HashMap::new(),
            limit,
        }
    }

    /// Whether the record's id is known.
    pub fn check(&self, record: &Record) -> Seen {
        let Some(ring) = self.sources.get(&record.source) else {
            return Seen::New;
        };
        let (id, content) = (record.identity_hash(), record.content_hash());
        match ring.known.get(&id) {
            Some(first) if *first == content => Seen::Same,
            // Also when the first words are older than the last million by now.
            _ if ring.known.contains_key(&beside(id, content)) => Seen::Same,
            Some(_) => Seen::Other,
            None => Seen::New,
        }
    }

    /// Remembers an id with what it held; other words of a known id beside the first.
    pub fn remember(&mut self, record: &Record) {
        self.put(
            &record.source,
            record.identity_hash(),
            record.content_hash(),
        );
    }

    /// Remembers an id by its hashes.
    pub fn put(&mut self, source: &Arc<str>, id: u64, content: u64) {
        let ring = self.sources.entry(source.clone()).or_default();
        let id = match ring.known.get(&id) {
            Some(first) if *first != content => beside(id, content),
            _ => id,
        };
        if ring.known.contains_key(&id) {
            return;
        }
        ring.known.insert(id, content);
        ring.order.push_back(id);
        if ring.order.len() > self.limit
            && let Some(oldest) = ring.order.pop_front()
        {
            ring.known.remove(&oldest);
        }
    }

    /// Forgets an id whose record did not become durable.
    pub fn forget(&mut self, record: &Record) {
        let (id, content) = (record.identity_hash(), record.content_hash());
        let Some(ring) = self.sources.get_mut(&record.source) else {
            return;
        };
        let id = match ring.known.get(&id) {
            Some(first) if *first == content => id,
            _ => beside(id, content),
        };
        if ring.known.remove(&id).is_some() {
            ring.order.retain(|known| *known != id);
        }
    }

    /// All ids in the order in which they came, by source.
    pub fn all(&self) -> impl Iterator<Item = (&Arc<str>, Vec<(u64, u64)>)> {
        self.sources.iter().map(|(source, ring)| {
            let ids = ring
                .order
                .iter()
                .filter_map(|id| Some((*id, *ring.known.get(id)?)))
                .collect();
            (source, ids)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, bytes: &[u8]) -> Record {
        Record {
            source: "/s".into(),
            id: id.into(),
            format: "event".into(),
            received_at: 0,
            stamp: Arc::default(),
            bytes: bytes.into(),
        }
    }

    #[test]
    fn repeats_and_conflicts_are_told_apart() {
        let mut seen = SeenIds::with_limit(2);
        assert_eq!(seen.check(&record("a", b"1")), Seen::New);
        seen.remember(&record("a", b"1"));
        assert_eq!(seen.check(&record("a", b"1")), Seen::Same);
        assert_eq!(seen.check(&record("a", b"2")), Seen::Other);
        seen.remember(&record("a", b"2"));
        assert_eq!(seen.check(&record("a", b"2")), Seen::Same, "told before");
        assert_eq!(seen.check(&record("a", b"1")), Seen::Same);
        assert_eq!(seen.check(&record("a", b"3")), Seen::Other);
        seen.forget(&record("a", b"2"));
        assert_eq!(seen.check(&record("a", b"2")), Seen::Other);
        assert_eq!(seen.check(&record("a", b"1")), Seen::Same);
        seen.remember(&record("b", b"1"));
        seen.remember(&record("c", b"1"));
        assert_eq!(
            seen.check(&record("a", b"1")),
            Seen::New,
            "older than the last two"
        );
        seen.forget(&record("c", b"1"));
        assert_eq!(seen.check(&record("c", b"1")), Seen::New);
    }
}
