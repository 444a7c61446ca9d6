//! Who owns which partition, and what is on its way to the log. Every assignment has a generation:
//! what was read under an earlier one is dropped, and read again by whoever owns the partition.

use std::collections::BTreeMap;
use std::time::Instant;

use callboard_store::positions::Position;

use crate::doors::intake::Candidate;

/// Bytes that are gathered before they are handed in.
const BATCH_BYTES: usize = 4 << 20;
/// Candidates that are gathered before they are handed in.
const BATCH_CANDIDATES: usize = 8192;

/// Topic and partition.
pub type Place = (String, i32);

/// A partition that is read here.
#[derive(Debug, Clone, Copy)]
pub struct Owned {
    /// Number of its assignment.
    pub generation: u64,
    /// Offset of the first message that was not read; none before the first of a topic that is read
    /// from its beginning.
    pub next: Option<i64>,
    /// When a message of it was last read.
    pub heard: Option<Instant>,
    /// Whether messages that were not read are gone, so that nobody reads on.
    pub gap: bool,
}

/// All partitions that are read here.
#[derive(Debug, Default)]
pub struct Assignment {
    generation: u64,
    owned: BTreeMap<Place, Owned>,
}

impl Assignment {
    /// A partition comes, to be read from there.
    pub fn gain(&mut self, topic: &str, partition: i32, next: Option<i64>) {
        self.generation += 1;
        let owned = Owned {
            generation: self.generation,
            next,
            heard: None,
            gap: false,
        };
        self.owned.insert((topic.to_owned(), partition), owned);
    }

    /// A partition goes.
    pub fn lose(&mut self, topic: &str, partition: i32) {
        self.generation += 1;
        self.owned.remove(&(topic.to_owned(), partition));
    }

    /// Changes with every partition that comes or goes.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// All partitions.
    pub fn all(&self) -> impl Iterator<Item = (&Place, &Owned)> {
        self.owned.iter()
    }

    /// A partition that is read here.
    pub fn get_mut(&mut self, place: &Place) -> Option<&mut Owned> {
        self.owned.get_mut(place)
    }

    /// The generation under which a message is taken, and that it is read now; else why it is
    /// dropped.
    ///
    /// # Errors
    /// `revoked` or `known`, for the counter.
    pub fn accept(&mut self, place: &Place, offset: i64) -> Result<u64, &'static str> {
        let owned = self.owned.get_mut(place).ok_or("revoked")?;
        if owned.next.is_some_and(|next| offset < next) {
            return Err("known");
        }
        owned.next = Some(offset + 1);
        owned.heard = Some(Instant::now());
        Ok(owned.generation)
    }

    fn holds(&self, place: &Place, generation: u64) -> bool {
        self.owned
            .get(place)
            .is_some_and(|owned| owned.generation == generation)
    }
}

/// A message on its way.
#[derive(Debug)]
struct Waiting {
    place: Place,
    generation: u64,
    next: i64,
    candidates: Vec<Candidate>,
    bytes: usize,
}

/// What was read and is not acknowledged yet, in the order in which it came.
#[derive(Debug, Default)]
pub struct Held {
    waiting: Vec<Waiting>,
    bytes: usize,
    candidates: usize,
}

impl Held {
    /// Adds what a message brought.
    pub fn push(&mut self, place: Place, generation: u64, offset: i64, candidates: Vec<Candidate>) {
        let bytes = candidates.iter().map(Candidate::weight).sum();
        self.bytes += bytes;
        self.candidates += candidates.len() + 1;
        self.waiting.push(Waiting {
            place,
            generation,
            next: offset + 1,
            candidates,
            bytes,
        });
    }

    /// Drops what was read under an assignment that is over; tells of each topic how many.
    pub fn drop_lost(&mut self, assignment: &Assignment) -> BTreeMap<String, u64> {
        let mut lost = BTreeMap::new();
        self.waiting.retain(|w| {
            let holds = assignment.holds(&w.place, w.generation);
            if !holds {
                *lost.entry(w.place.0.clone()).or_default() += 1;
                self.bytes -= w.bytes;
                self.candidates -= w.candidates.len() + 1;
            }
            holds
        });
        lost
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether it is time to hand in.
    pub fn is_full(&self) -> bool {
        self.bytes >= BATCH_BYTES || self.candidates >= BATCH_CANDIDATES
    }

    /// How far the source `name` is read with all that is held.
    pub fn positions(&self, name: &str) -> Vec<Position> {
        let mut next: BTreeMap<&Place, i64> = BTreeMap::new();
        for w in &self.waiting {
            next.insert(&w.place, w.next);
        }
        next.into_iter()
            .map(|((topic, partition), next)| Position {
                source: name.to_owned(),
                topic: topic.clone(),
                partition: *partition,
                next,
            })
            .collect()
    }

    /// What is handed in, in turns that each fit into one append. Dead letters come in the last one,
    /// with the positions: a record that comes again is known, a dead letter would be there twice.
    pub fn turns(&self) -> Vec<Vec<Candidate>> {
        let all = self.waiting.iter().flat_map(|w| &w.candidates);
        if self.bytes < 2 * BATCH_BYTES {
            return vec![all.cloned().collect()];
        }
        let (mut turns, mut turn, mut bytes) = (Vec::new(), Vec::new(), 0);
        let mut last = Vec::new();
        for candidate in all {
            if matches!(candidate, Candidate::Dead(_)) {
                last.push(candidate.clone());
                continue;
            }
            bytes += candidate.weight();
            turn.push(candidate.clone());
            if bytes >= BATCH_BYTES {
                turns.push(std::mem::take(&mut turn));
                bytes = 0;
            }
        }
        turns.push(turn);
        turns.push(last);
        turns
    }

    /// Messages of each topic.
    pub fn messages(&self) -> BTreeMap<String, u64> {
        let mut messages = BTreeMap::new();
        for w in &self.waiting {
            *messages.entry(w.place.0.clone()).or_default() += 1;
        }
        messages
    }

    /// All of it is acknowledged.
    pub fn clear(&mut self) {
        *self = Held::default();
    }
}

/// Why a partition cannot be read on: it was read up to `next`, and the topic now holds the offsets
/// from `low` up to `high`.
pub fn gap(topic: &str, partition: i32, next: i64, low: i64, high: i64) -> Option<String> {
    let what = if next < low {
        format!(
            "offsets {next} to {} are gone from the topic before they were read; it begins at {low}",
            low - 1
        )
    } else if next > high {
        format!(
            "it was read up to offset {next} and now ends at {high}: the topic was made anew or cut"
        )
    } else {
        return None;
    };
    Some(format!("topic {topic}, partition {partition}: {what}"))
}

#[cfg(test)]
mod tests {
    use callboard_model::record::Refusal;

    use super::*;
    use crate::doors::event::dead;

    fn place(partition: i32) -> Place {
        ("calls".to_owned(), partition)
    }

    fn one(bytes: usize) -> Vec<Candidate> {
        let refusal = Refusal::new("not_json", "no");
        vec![Candidate::Dead(dead("/s", refusal, &vec![b'x'; bytes]))]
    }

    #[test]
    fn what_was_read_under_an_assignment_that_is_over_is_dropped() {
        let mut assignment = Assignment::default();
        let mut held = Held::default();
        assignment.gain("calls", 0, Some(5));
        assignment.gain("calls", 1, None);
        assert_eq!(assignment.accept(&place(0), 4), Err("known"));
        assert_eq!(assignment.accept(&place(2), 0), Err("revoked"));
        for (partition, offset) in [(0, 5), (1, 0), (0, 6)] {
            let generation = assignment.accept(&place(partition), offset).unwrap();
            held.push(place(partition), generation, offset, one(10));
        }
        assert_eq!(assignment.accept(&place(0), 6), Err("known"), "once");
        assert!(held.drop_lost(&assignment).is_empty());
        assert_eq!(held.positions("s").len(), 2);
        assert_eq!(held.positions("s")[0].next, 7);

        // It goes and comes back: what waits was read under the assignment before.
        assignment.lose("calls", 0);
        assignment.gain("calls", 0, Some(5));
        assert_eq!(
            held.drop_lost(&assignment),
            BTreeMap::from([("calls".to_owned(), 2)])
        );
        let left = held.positions("s");
        assert_eq!((left.len(), left[0].partition, left[0].next), (1, 1, 1));
        assert!(assignment.accept(&place(0), 5).is_ok(), "and is read again");
    }

    #[test]
    fn what_does_not_fit_one_append_goes_in_turns_with_dead_letters_last() {
        let mut held = Held::default();
        let record = |n: usize| {
            Candidate::Record(callboard_model::record::Record {
                source: "/s".into(),
                id: n.to_string().into(),
                format: "event".into(),
                received_at: 0,
                stamp: std::sync::Arc::default(),
                bytes: vec![b'x'; 1 << 20].into(),
            })
        };
        let mut many = one(10);
        many.extend((0..10).map(record));
        held.push(place(0), 1, 0, many);
        assert!(held.is_full());
        let turns = held.turns();
        let lengths: Vec<usize> = turns.iter().map(Vec::len).collect();
        assert_eq!(lengths, [4, 4, 2, 1]);
        assert!(matches!(turns[3][0], Candidate::Dead(_)));
    }

    #[test]
    fn messages_that_are_gone_are_told_from_those_that_will_come() {
        assert_eq!(gap("calls", 0, 5, 5, 5), None);
        assert_eq!(gap("calls", 0, 5, 0, 9), None);
        let gone = gap("calls", 0, 5, 8, 9).unwrap();
        assert!(gone.contains("offsets 5 to 7 are gone"), "{gone}");
        let anew = gap("calls", 0, 5, 0, 2).unwrap();
        assert!(anew.contains("ends at 2"), "{anew}");
    }
}
