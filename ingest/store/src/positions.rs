//! How far sources that number what they hold were read. A position is appended to the log together
//! with the records that were read up to it, so that after a crash it is exactly that of what is
//! durable.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How far a partition of a topic was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Name of the source.
    pub source: String,
    /// Topic.
    pub topic: String,
    /// Partition, from 0.
    pub partition: i32,
    /// Offset of the first message that was not read.
    pub next: i64,
}

impl Position {
    /// Name of the application under which the last offset is marked in the table `records`.
    pub fn application(&self) -> String {
        format!("kafka/{}/{}/{}", self.source, self.topic, self.partition)
    }
}

/// The position of every partition that was ever read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Position>", into = "Vec<Position>")]
pub struct Positions(BTreeMap<(String, String, i32), i64>);

impl Positions {
    /// Whether nothing was ever read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Offset of the first message that was not read; none where none was.
    pub fn next(&self, source: &str, topic: &str, partition: i32) -> Option<i64> {
        let place = (source.to_owned(), topic.to_owned(), partition);
        self.0.get(&place).copied()
    }

    /// Takes a later word of where a partition stands.
    pub fn set(&mut self, position: Position) {
        let place = (position.source, position.topic, position.partition);
        self.0.insert(place, position.next);
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = Position> {
        let all = self.0.iter();
        all.map(|((source, topic, partition), next)| Position {
            source: source.clone(),
            topic: topic.clone(),
            partition: *partition,
            next: *next,
        })
    }

    /// The last offset that was read of each partition, as transaction marks of the lake:
    /// application and version.
    pub fn marks(&self) -> Vec<(String, i64)> {
        let read = self.all().filter(|p| p.next > 0);
        read.map(|p| (p.application(), p.next - 1)).collect()
    }
}

impl From<Vec<Position>> for Positions {
    fn from(all: Vec<Position>) -> Self {
        let mut positions = Positions::default();
        for position in all {
            positions.set(position);
        }
        positions
    }
}

impl From<Positions> for Vec<Position> {
    fn from(positions: Positions) -> Self {
        positions.all().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_counts_and_is_kept_as_json() {
        let at = |partition, next| Position {
            source: "events".into(),
            topic: "calls".into(),
            partition,
            next,
        };
        let all = vec![at(0, 5), at(1, 0), at(0, 7)];
        let positions = Positions::from(all);
        assert_eq!(positions.next("events", "calls", 0), Some(7));
        assert_eq!(positions.next("events", "calls", 2), None);
        let json = serde_json::to_string(&positions).unwrap();
        let back: Positions = serde_json::from_str(&json).unwrap();
        assert_eq!(back, positions);
        // Of a partition of which nothing was read yet there is no last offset.
        assert_eq!(positions.marks(), [("kafka/events/calls/0".to_owned(), 6)]);
    }
}
