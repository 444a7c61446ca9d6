//! What is known of each connection, and what was missed while it was lost.
//!
//! Of a connection it is remembered, in a small file, until when all that it brought is durable: at
//! every receipt in memory, on disk every ten seconds and at the end. When it is up again, also in
//! another process, the time between is a gap. A gap is an upper bound: it begins with the last sign
//! of life (after a crash, up to ten seconds before it) and ends when the interface has let us in.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use callboard_model::cloudevents::CloudEvent;
use callboard_model::time::format_rfc3339;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::Given;
use super::hand::{Tally, submit};
use crate::doors::intake::Candidate;
use crate::doors::split::sha256_hex;

/// Source of what Callboard says of its own connections.
pub const SOURCE: &str = "/callboard/live";

/// Gaps shown of a connection.
const SHOWN: usize = 20;

/// Time between two writes of what is remembered, microseconds.
const SAVED: i64 = 10_000_000;

/// A time in which nobody listened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Last sign of life before it, UTC microseconds.
    pub from: i64,
    /// When the connection was up again, UTC microseconds.
    pub until: i64,
    /// Why it was lost.
    pub why: String,
}

/// What is known of one connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkState {
    /// Name of the source through which it is told, where it is one of a name.
    pub source: String,
    /// Whether it is up.
    pub up: bool,
    /// Since when it is so, UTC microseconds; 0 = it was never up.
    pub since: i64,
    /// What is wrong with it, in a sentence.
    pub trouble: Option<String>,
    /// Taken.
    pub taken: u64,
    /// Known already.
    pub repeated: u64,
    /// Could not be read.
    pub refused: u64,
    /// Latest gaps, oldest first.
    pub gaps: VecDeque<Gap>,
}

/// All connections, by name such as `ami pbx1`.
#[derive(Debug, Clone, Default)]
pub struct Links(Arc<Mutex<BTreeMap<String, LinkState>>>);

impl Links {
    /// As they are now.
    pub fn all(&self) -> BTreeMap<String, LinkState> {
        self.0.lock().clone()
    }

    /// One sentence for each that someone should know of: lost connections.
    pub fn problems(&self) -> Vec<String> {
        let all = self.0.lock();
        let lost = all.iter().filter_map(|(name, state)| {
            let why = state.trouble.as_ref()?;
            Some(match state.since {
                0 => format!("{name}: {why}"),
                since => format!("{name}: since {}: {why}", format_rfc3339(since)),
            })
        });
        lost.collect()
    }

    pub(super) fn change(&self, name: &str, change: impl FnOnce(&mut LinkState)) {
        change(self.0.lock().entry(name.to_owned()).or_default());
    }
}

/// What is remembered of a connection from process to process.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Memory {
    /// Until when everything was heard, UTC microseconds.
    heard: Option<i64>,
}

/// Data of the event that says of a gap.
#[derive(Serialize)]
struct GapData<'a> {
    instance: &'a str,
    state: &'a str,
    at: String,
    until: String,
    feed: &'a str,
    reason: &'a str,
}

/// One connection.
pub(super) struct Link {
    pub name: String,
    instance: String,
    feed: &'static str,
    given: Given,
    file: PathBuf,
    heard: Option<i64>,
    saved: i64,
    why: String,
}

impl Link {
    /// A connection to that instance (its source, such as `/asterisk/pbx1`), with what is remembered.
    pub fn open(given: &Given, name: String, instance: String, feed: &'static str) -> Self {
        let hash = sha256_hex(name.as_bytes());
        let file = given
            .state
            .join(format!("live-{}.json", hash.get(..16).unwrap_or(&hash)));
        let memory: Memory = std::fs::read(&file)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default();
        given.links.change(&name, |_| {});
        Link {
            name,
            instance,
            feed,
            given: given.clone(),
            file,
            heard: memory.heard,
            saved: 0,
            why: "the server did not run".to_owned(),
        }
    }

    /// The connection is up: what was missed is said.
    pub async fn up(&mut self) {
        let now = self.given.intake.now();
        self.given.links.change(&self.name, |state| {
            state.up = true;
            state.since = now;
            state.trouble = None;
        });
        tracing::info!(link = self.name, "connected");
        if let Some(from) = self.heard.filter(|from| *from < now) {
            self.gap(from, now).await;
        }
        self.heard(now);
        self.save();
    }

    async fn gap(&mut self, from: i64, until: i64) {
        let why = std::mem::take(&mut self.why);
        tracing::warn!(
            link = self.name,
            from = format_rfc3339(from),
            until = format_rfc3339(until),
            why,
            "nobody listened for a while"
        );
        metrics::counter!("callboard_live_gaps_total", "link" => self.name.clone()).increment(1);
        let data = GapData {
            instance: &self.instance,
            state: "gap",
            at: format_rfc3339(from),
            until: format_rfc3339(until),
            feed: self.feed,
            reason: &why,
        };
        let id = format!("{}/{}@{from}", self.instance, self.feed);
        let event = CloudEvent::new(SOURCE, &id, "callboard.source.changed", from, data);
        if let Ok(record) = event.record(until) {
            let all = vec![Candidate::Record(record)];
            submit(
                &*self.given.intake,
                all,
                &self.given.limits,
                &self.given.stop,
            )
            .await;
        }
        self.given.links.change(&self.name, |state| {
            if state.gaps.len() == SHOWN {
                state.gaps.pop_front();
            }
            state.gaps.push_back(Gap { from, until, why });
        });
    }

    /// All that came until then (UTC microseconds) is durable.
    pub fn heard(&mut self, at: i64) {
        self.heard = Some(at);
        if at - self.saved > SAVED {
            self.save();
        }
    }

    /// What was handed in of it.
    pub fn count(&self, tally: Tally) {
        self.given.links.change(&self.name, |state| {
            state.taken += tally.taken;
            state.repeated += tally.repeated;
            state.refused += tally.refused;
        });
    }

    /// The connection is lost, or was not to be had.
    pub fn down(&mut self, why: &str) {
        self.save();
        let now = self.given.intake.now();
        why.clone_into(&mut self.why);
        tracing::warn!(link = self.name, why, "not connected; it is tried again");
        self.given.links.change(&self.name, |state| {
            if state.up {
                state.since = now;
            }
            state.up = false;
            state.trouble = Some(why.to_owned());
        });
    }

    /// Writes down until when everything was heard.
    pub fn save(&mut self) {
        self.saved = self.given.intake.now();
        let memory = Memory { heard: self.heard };
        let fresh = self.file.with_extension("new");
        let written = serde_json::to_vec(&memory)
            .map_err(std::io::Error::other)
            .and_then(|text| {
                std::fs::create_dir_all(&self.given.state)?;
                std::fs::write(&fresh, text)?;
                std::fs::rename(&fresh, &self.file)
            });
        if let Err(error) = written {
            tracing::warn!(link = self.name, %error, "cannot remember until when was listened");
        }
    }
}
