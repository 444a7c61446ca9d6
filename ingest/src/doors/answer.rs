//! What the sender is told: counts, and lines.

use std::sync::Arc;

use callboard_model::record::Refusal;
use serde::{Deserialize, Serialize};

use super::intake::Verdict;

/// What became of a request's lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Lines that were new and are durable.
    pub taken: u64,
    /// Lines that were known already.
    pub repeated: u64,
    /// Lines whose identity was known with other bytes; kept and counted.
    pub conflicts: u64,
    /// Lines that cannot be read; each is a dead letter.
    pub refused: u64,
    /// Lines, empty ones included.
    pub last_line: u64,
    /// Refused and conflicting lines; all lines when the request asked for `detail=all`.
    pub lines: Vec<LineAnswer>,
    /// Lines that should be listed but are beyond the bound of the answer.
    pub not_listed: u64,
}

/// What became of one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineAnswer {
    /// Line of the body, or element of the batch, from 1.
    pub line: u64,
    /// Identity, as far as it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// taken, repeated, conflict or refused.
    pub status: String,
    /// One word for counting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// What is wrong and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Answer {
    /// Counts a verdict and lists it where it is to be listed.
    pub fn add(&mut self, line: u64, id: Option<&Arc<str>>, verdict: &Verdict, list: &Listing) {
        let (status, refusal): (_, Option<&Refusal>) = match verdict {
            Verdict::Taken => {
                self.taken += 1;
                ("taken", None)
            }
            Verdict::Repeated => {
                self.repeated += 1;
                ("repeated", None)
            }
            Verdict::Conflict => {
                self.conflicts += 1;
                ("conflict", None)
            }
            Verdict::Refused(refusal) => {
                self.refused += 1;
                ("refused", Some(refusal))
            }
        };
        let notable = !matches!(verdict, Verdict::Taken | Verdict::Repeated);
        if !(list.all || notable) {
            return;
        }
        if self.lines.len() >= list.most {
            self.not_listed += 1;
            return;
        }
        self.lines.push(LineAnswer {
            line,
            id: id.map(|id| id.to_string()),
            status: status.to_owned(),
            class: refusal.map(|r| r.class.to_owned()),
            reason: match verdict {
                Verdict::Conflict => Some(
                    "this source has sent this id before with other bytes; both are kept, and ids must be unique".to_owned(),
                ),
                _ => refusal.map(|r| r.reason.clone()),
            },
        });
    }
}

/// What an answer lists.
#[derive(Debug, Clone, Copy)]
pub struct Listing {
    /// All lines, not only those that need a look.
    pub all: bool,
    /// At most so many.
    pub most: usize,
}
