//! How many equal lines came before one: remembered for the latest stamps only.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// How many stamps are remembered. Channel event logs step back by fractions of a millisecond;
/// call detail records step back by the length of a call, but no two of them are equal.
const STAMPS: usize = 64;

/// How many different lines of one stamp are told apart; more than any platform writes in one
/// tick of its clock.
const LINES: usize = 100_000;

/// The lines of one stamp, as they are stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SeenStamp {
    /// Hash of the stamp.
    stamp: u64,
    /// Lines with it.
    lines: u64,
    /// Hash of a line, and how often it came.
    equal: Vec<(u64, u64)>,
}

/// Lines of the latest stamps.
#[derive(Debug, Default)]
pub(super) struct Seen {
    stamps: VecDeque<(u64, u64, HashMap<u64, u64>)>,
}

/// A line's place.
pub(super) struct Place {
    /// Lines with the same stamp before it.
    pub among_stamp: u64,
    /// Equal lines with the same stamp before it.
    pub among_equal: u64,
}

impl Seen {
    /// Counts a line.
    pub fn count(&mut self, stamp: &[u8], line: &[u8]) -> Place {
        let (stamp, line) = (xxh3_64(stamp), xxh3_64(line));
        let known = self.stamps.iter().rposition(|(s, ..)| *s == stamp);
        let n = match known {
            Some(n) => n,
            None => {
                if self.stamps.len() == STAMPS {
                    self.stamps.pop_front();
                }
                self.stamps.push_back((stamp, 0, HashMap::new()));
                self.stamps.len() - 1
            }
        };
        let (_, lines, equal) = &mut self.stamps[n];
        let among_stamp = *lines;
        *lines += 1;
        if equal.len() >= LINES && !equal.contains_key(&line) {
            return Place {
                among_stamp,
                among_equal: 0,
            };
        }
        let times = equal.entry(line).or_default();
        let among_equal = *times;
        *times += 1;
        Place {
            among_stamp,
            among_equal,
        }
    }

    pub fn to_list(&self) -> Vec<SeenStamp> {
        self.stamps
            .iter()
            .map(|(stamp, lines, equal)| {
                let mut equal: Vec<(u64, u64)> = equal.iter().map(|(h, n)| (*h, *n)).collect();
                equal.sort_unstable();
                SeenStamp {
                    stamp: *stamp,
                    lines: *lines,
                    equal,
                }
            })
            .collect()
    }

    pub fn from_list(list: Vec<SeenStamp>) -> Self {
        let start = list.len().saturating_sub(STAMPS);
        Seen {
            stamps: list
                .into_iter()
                .skip(start)
                .map(|s| (s.stamp, s.lines, s.equal.into_iter().collect()))
                .collect(),
        }
    }
}
