//! "Seen before?": the last million ids of each source, with the hash of what they held.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use callboard_model::record::Record;

/// Ids remembered for each source.
pub const REMEMBERED: usize = 1_000_000;

/// Ids remembered of all sources together, about 40 bytes each: beyond it the source of which most
/// are known loses its oldest.
const ALL: usize = 16_000_000;

/// Sources whose ids are remembered apart; those beyond share what one may have.
const SOURCES: usize = 1_000;

/// The name of what sources beyond [`SOURCES`] share, which is nobody's.
const OTHERS: &str = "";

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

impl Ring {
    fn forget_oldest(&mut self) {
        if let Some(oldest) = self.order.pop_front() {
            self.known.remove(&oldest);
        }
    }
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
    /// Ids of all sources, and how many there may be.
    held: usize,
    most: usize,
    /// Sources that may have a ring of their own.
    apart: usize,
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
            held: 0,
            most: ALL,
            apart: SOURCES,
        }
    }

    fn ring(&self, source: &str) -> Option<&Ring> {
        let own = self.sources.get(source);
        own.or_else(|| self.sources.get(OTHERS))
    }

    fn ring_mut(&mut self, source: &Arc<str>) -> &mut Ring {
        let own = self.sources.contains_key(source) || self.sources.len() < self.apart;
        let name = if own { source.clone() } else { OTHERS.into() };
        self.sources.entry(name).or_default()
    }

    /// Whether the record's id is known.
    pub fn check(&self, record: &Record) -> Seen {
        let Some(ring) = self.ring(&record.source) else {
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
        let limit = self.limit;
        let ring = self.ring_mut(source);
        let id = match ring.known.get(&id) {
            Some(first) if *first != content => beside(id, content),
            _ => id,
        };
        if ring.known.contains_key(&id) {
            return;
        }
        ring.known.insert(id, content);
        ring.order.push_back(id);
        if ring.order.len() > limit {
            ring.forget_oldest();
            return;
        }
        self.held += 1;
        if self.held > self.most {
            self.make_room();
        }
    }

    /// The source of which most is known loses a sixteenth of it: looking for it at each id would be
    /// dear.
    fn make_room(&mut self) {
        let largest = self.sources.values_mut().max_by_key(|r| r.order.len());
        if let Some(ring) = largest {
            for _ in 0..ring.order.len().div_ceil(16) {
                ring.forget_oldest();
                self.held -= 1;
            }
        }
    }

    /// Forgets ids of records that did not become durable. They are among the last that came: what
    /// is older is not looked at.
    pub fn forget(&mut self, records: &[Arc<Record>]) {
        let mut gone: HashMap<&Arc<str>, HashSet<u64>> = HashMap::new();
        for record in records {
            let (id, content) = (record.identity_hash(), record.content_hash());
            let ring = self.ring_mut(&record.source);
            let id = match ring.known.get(&id) {
                Some(first) if *first == content => id,
                _ => beside(id, content),
            };
            if ring.known.remove(&id).is_some() {
                gone.entry(&record.source).or_default().insert(id);
            }
        }
        for (source, mut ids) in gone {
            self.held -= ids.len();
            let order = &mut self.ring_mut(source).order;
            let mut kept = Vec::new();
            while !ids.is_empty()
                && let Some(last) = order.pop_back()
            {
                if !ids.remove(&last) {
                    kept.push(last);
                }
            }
            order.extend(kept.into_iter().rev());
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
        record_of("/s", id, bytes)
    }

    fn record_of(source: &str, id: &str, bytes: &[u8]) -> Record {
        Record {
            source: source.into(),
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
        seen.forget(&[record("a", b"2").into()]);
        assert_eq!(seen.check(&record("a", b"2")), Seen::Other);
        assert_eq!(seen.check(&record("a", b"1")), Seen::Same);
        seen.remember(&record("b", b"1"));
        seen.remember(&record("c", b"1"));
        assert_eq!(
            seen.check(&record("a", b"1")),
            Seen::New,
            "older than the last two"
        );
        seen.forget(&[record("c", b"1").into()]);
        assert_eq!(seen.check(&record("c", b"1")), Seen::New);
    }

    #[test]
    fn a_refused_batch_is_forgotten_and_nothing_else() {
        let mut seen = SeenIds::new();
        let some = |from: u64, to: u64| -> Vec<Arc<Record>> {
            let all =
                (from..to).map(|n| record_of(["/s", "/t"][n as usize % 2], &n.to_string(), b"1"));
            all.map(Arc::new).collect()
        };
        let (before, refused, after) = (some(0, 100), some(100, 200), some(200, 300));
        for one in before.iter().chain(&refused).chain(&after) {
            seen.remember(one);
        }
        seen.forget(&refused);
        seen.forget(&refused);
        let known =
            |some: &[Arc<Record>]| some.iter().filter(|r| seen.check(r) == Seen::Same).count();
        assert_eq!(
            (known(&before), known(&refused), known(&after)),
            (100, 0, 100)
        );
        assert_eq!(seen.held, 200);
        for (source, ids) in seen.all() {
            let came = before.iter().chain(&after).filter(|r| r.source == *source);
            let came: Vec<u64> = came.map(|r| r.identity_hash()).collect();
            assert_eq!(ids.into_iter().map(|(id, _)| id).collect::<Vec<_>>(), came);
        }
    }

    #[test]
    fn sources_without_number_share_a_place_and_all_have_a_bound() {
        let mut seen = SeenIds::with_limit(10);
        (seen.apart, seen.most) = (3, 25);
        for n in 0..1_000 {
            seen.remember(&record_of(&format!("/call/{n}"), "1", b"1"));
        }
        assert_eq!((seen.sources.len(), seen.held), (4, 13));
        assert_eq!(seen.check(&record_of("/call/999", "1", b"1")), Seen::Same);
        assert_eq!(
            seen.check(&record_of("/call/0", "1", b"1")),
            Seen::Same,
            "its own place"
        );
        assert_eq!(seen.check(&record_of("/call/500", "1", b"1")), Seen::New);
        for n in 0..100 {
            seen.remember(&record_of("/call/1", &n.to_string(), b"1"));
            seen.remember(&record_of("/call/2", &n.to_string(), b"1"));
        }
        assert_eq!(
            seen.held,
            seen.sources.values().map(|r| r.known.len()).sum::<usize>()
        );
        assert!(seen.held <= 25, "{}", seen.held);
        assert_eq!(seen.check(&record_of("/call/2", "99", b"1")), Seen::Same);
    }
}
