//! From a platform's file or request body to records: which feed it is ([`detect`]), where its
//! lines end, and the identity of each line.
//!
//! A line is identified by its source, its bytes, and how many equal lines with the same stamp
//! came before it. So a file that is rotated, cut or sent again repeats the ids of its lines, and
//! two equal lines of one second stay two. Events of a live connection are the same records as the
//! lines of a capture of them (see `known.rs`). Only lines of the latest stamps have to be remembered
//! for that: [`LineReader::state`] holds them, and a reader that resumes from it counts on.

mod detect;
mod equal;
mod known;
mod split;

use std::sync::Arc;

use callboard_model::record::{MAX_RECORD_BYTES, Record, Stamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use detect::{HEAD_BYTES, detect};
use equal::{Seen, SeenStamp};
use split::{Cut, Splitter};

use crate::asterisk::Feed;

/// How much of a line that is too long is kept, bytes.
pub const PREFIX_BYTES: usize = 64 * 1024;

/// What a file or body consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One of Asterisk's logs.
    Asterisk(Feed),
    /// Our own events, one CloudEvent a line.
    Events,
}

impl Kind {
    /// Name for messages and options: `queue_log`, `cel`, `cdr`, `ami`, `ari` or `events`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Asterisk(feed) => feed.name(),
            Kind::Events => "events",
        }
    }

    /// The kind of that name.
    pub fn of_name(name: &str) -> Option<Kind> {
        if name == "events" {
            return Some(Kind::Events);
        }
        Feed::ALL
            .into_iter()
            .find(|f| f.name() == name)
            .map(Kind::Asterisk)
    }
}

/// What a line became.
#[derive(Debug, PartialEq, Eq)]
pub enum NewLine {
    /// A record of the platform.
    Record(NewRecord),
    /// A line of our own events; its identity stands in it.
    Event(Vec<u8>),
    /// A line that cannot be a record.
    Dead(DeadLine),
}

/// A record, but for the time of its receipt.
#[derive(Debug, PartialEq, Eq)]
pub struct NewRecord {
    /// Source, `/asterisk/INSTANCE/FEED`.
    pub source: Arc<str>,
    /// Identity within the source.
    pub id: String,
    /// Format, `asterisk/FEED`.
    pub format: &'static str,
    /// Stamp: instance, zone, columns, and the line's place among those of the same time.
    pub stamp: Stamp,
    /// The line without its break; an event without what only its listener knows.
    pub bytes: Vec<u8>,
}

impl NewRecord {
    /// The record, received at that time (UTC microseconds).
    pub fn received(self, received_at: i64) -> Record {
        Record {
            source: self.source,
            id: self.id.into(),
            format: self.format.into(),
            received_at,
            stamp: Arc::new(self.stamp),
            bytes: self.bytes.into(),
        }
    }
}

/// A line that cannot be a record.
#[derive(Debug, PartialEq, Eq)]
pub struct DeadLine {
    /// Source as far as known.
    pub source: Arc<str>,
    /// One word for counting: `too_long`, `invalid_utf8`, `open_quote`.
    pub class: &'static str,
    /// What is wrong and where.
    pub reason: String,
    /// The line, or its beginning.
    pub bytes: Vec<u8>,
    /// Its full length, bytes.
    pub length: u64,
    /// SHA-256 of the full line, hex.
    pub sha256: String,
}

/// Where a reader stands; all it needs to go on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReaderState {
    /// Bytes of whole lines that were read: read the file on from here.
    pub offset: u64,
    /// Lines read.
    pub lines: u64,
    /// Lines of the latest stamps.
    seen: Vec<SeenStamp>,
}

/// Turns bytes of one feed into records, whatever pieces they come in.
#[derive(Debug)]
pub struct LineReader {
    kind: Kind,
    source: Arc<str>,
    stamp: Stamp,
    splitter: Splitter,
    seen: Seen,
    offset: u64,
    lines: u64,
}

impl LineReader {
    /// A reader at the beginning of a feed. `zone` is the IANA zone of local times (empty = UTC),
    /// `columns` the configured order of columns (empty = the platform's own).
    pub fn new(kind: Kind, instance: &str, zone: &str, columns: &[String]) -> Self {
        LineReader::resume(kind, instance, zone, columns, ReaderState::default())
    }

    /// A reader that goes on from a state; feed it the bytes from `state.offset` on.
    pub fn resume(
        kind: Kind,
        instance: &str,
        zone: &str,
        columns: &[String],
        state: ReaderState,
    ) -> Self {
        let (source, quoted) = match kind {
            Kind::Asterisk(feed) => (feed.source(instance), matches!(feed, Feed::Cel | Feed::Cdr)),
            Kind::Events => ("/events".to_owned(), false),
        };
        LineReader {
            kind,
            source: source.into(),
            stamp: Stamp {
                instance: instance.to_owned(),
                zone: zone.to_owned(),
                columns: columns.to_vec(),
                ..Stamp::default()
            },
            splitter: Splitter::new(quoted, state.offset == 0),
            seen: Seen::from_list(state.seen),
            offset: state.offset,
            lines: state.lines,
        }
    }

    /// Reads more bytes; gives the lines that are complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<NewLine> {
        let mut out = Vec::new();
        self.splitter.push(bytes);
        while let Some(cut) = self.splitter.next_line(false) {
            self.take(cut, &mut out);
        }
        out
    }

    /// The input is over: gives the last line even without its break.
    pub fn finish(&mut self) -> Vec<NewLine> {
        let mut out = Vec::new();
        while let Some(cut) = self.splitter.next_line(true) {
            self.take(cut, &mut out);
        }
        out
    }

    /// Where the reader stands, after the last complete line.
    pub fn state(&self) -> ReaderState {
        ReaderState {
            offset: self.offset,
            lines: self.lines,
            seen: self.seen.to_list(),
        }
    }

    /// The file begins anew (rotated or cut short): what is half read is dropped, the count of
    /// equal lines goes on.
    pub fn rewind(&mut self) {
        self.splitter.restart();
        self.offset = 0;
        self.lines = 0;
    }

    fn take(&mut self, cut: Cut, out: &mut Vec<NewLine>) {
        self.offset += cut.consumed;
        self.lines += 1;
        if let Some((class, reason)) = cut.fault {
            let reason = format!("line {}: {reason}", self.lines);
            out.push(self.dead(class, reason, cut.line, cut.length, cut.sha256));
            return;
        }
        if cut.line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        if let Err(e) = std::str::from_utf8(&cut.line) {
            let at = e.valid_up_to();
            let reason = format!("line {}: not UTF-8 from byte {at} on", self.lines);
            out.push(self.dead("invalid_utf8", reason, cut.line, 0, String::new()));
            return;
        }
        let Kind::Asterisk(feed) = self.kind else {
            out.push(NewLine::Event(cut.line));
            return;
        };
        let bytes = known::plain(feed, &cut.line).unwrap_or(cut.line);
        let time = detect::line_stamp(feed, &bytes, &self.stamp.columns);
        let place = self.seen.count(time, &bytes);
        let mut stamp = self.stamp.clone();
        stamp.sequence = place.among_stamp;
        out.push(NewLine::Record(NewRecord {
            source: self.source.clone(),
            id: identity(feed, &bytes, place.among_equal),
            format: feed.format(),
            stamp,
            bytes,
        }));
    }

    fn dead(
        &self,
        class: &'static str,
        reason: String,
        mut bytes: Vec<u8>,
        length: u64,
        sha256: String,
    ) -> NewLine {
        let length = length.max(bytes.len() as u64);
        let sha256 = if sha256.is_empty() {
            hex(&Sha256::digest(&bytes))
        } else {
            sha256
        };
        if bytes.len() > MAX_RECORD_BYTES {
            bytes.truncate(PREFIX_BYTES);
        }
        NewLine::Dead(DeadLine {
            source: self.source.clone(),
            class,
            reason,
            bytes,
            length,
            sha256,
        })
    }
}

/// Identity of a line: half a SHA-256 over its feed, its bytes, and how many equal lines with the
/// same stamp came before it, in hex.
pub fn identity(feed: Feed, line: &[u8], equal_before: u64) -> String {
    let mut hash = Sha256::new();
    hash.update(feed.name().as_bytes());
    hash.update([0]);
    hash.update(line);
    hash.update([0]);
    hash.update(equal_before.to_be_bytes());
    hex(&hash.finalize()[..16])
}

/// Bytes in hex.
fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(bytes.len() * 2);
    for b in bytes {
        out.push(char::from(DIGITS[usize::from(b >> 4)]));
        out.push(char::from(DIGITS[usize::from(b & 15)]));
    }
    out
}

#[cfg(test)]
mod tests;
