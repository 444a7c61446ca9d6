//! Feeds that are read line by line: Asterisk's logs and our own events, whole or in parts.

use callboard_model::record::Refusal;
use callboard_sources::lines::{HEAD_BYTES, Kind, LineReader, NewLine, ReaderState, detect};

use super::query::How;
use super::source::Source;
use super::{FLOOD_ADVICE, RESUMED};
use crate::doors::batch::Batch;
use crate::doors::body::Chunks;
use crate::doors::event::EventReader;
use crate::doors::http::Doors;
use crate::doors::intake::{Candidate, DEAD_PREFIX_BYTES, DeadInput};
use crate::doors::problem::Problem;
use crate::doors::split::Piece;

/// Longest line of state, bytes.
const STATE_BYTES: usize = 16 * 1024 * 1024;

/// Reads the whole body in bounded steps.
pub(super) async fn read(
    doors: &Doors,
    source: &Source,
    how: &How,
    chunks: &mut Chunks,
    batch: &mut Batch,
) -> Result<(), Problem> {
    let mut head = Vec::new();
    let state = if how.resumed {
        state(&mut head, chunks).await?
    } else {
        ReaderState::default()
    };
    let kind = match how.kind {
        Some(kind) => kind,
        None => found(how, &mut head, chunks).await?,
    };
    let mut lines = Reading {
        source,
        line: state.lines,
        reader: LineReader::resume(kind, &how.instance, &how.zone, &how.columns, state),
        events: EventReader::new(
            doors.intake.now(),
            doors.limits.record_bytes,
            doors.limits.nesting,
        ),
        received_at: doors.intake.now(),
    };
    let mut next = Some(bytes::Bytes::from(head));
    while let Some(chunk) = next {
        lines.feed(&chunk, batch);
        batch.pace(FLOOD_ADVICE).await?;
        lines.at(doors.intake.now());
        next = chunks.next().await?;
    }
    lines.finish(batch);
    if chunks.sent() == 0 {
        return Err(empty());
    }
    batch.submit().await?;
    batch.answer.last_line = lines.line;
    Ok(())
}

pub(in crate::doors) fn empty() -> Problem {
    Problem::bad("empty_body", "the body is empty; send at least one line")
}

/// The first line: the state at which this part of a file begins.
async fn state(head: &mut Vec<u8>, chunks: &mut Chunks) -> Result<ReaderState, Problem> {
    let mut searched = 0;
    loop {
        let end = head.iter().skip(searched).position(|b| *b == b'\n');
        if let Some(end) = end.map(|n| searched + n) {
            let state = serde_json::from_slice(&head[..end]).map_err(|e| {
                Problem::bad(
                    "bad_state",
                    format!("the first line is not the state at which this part begins: {e}"),
                )
            })?;
            head.drain(..=end);
            return Ok(state);
        }
        searched = head.len();
        let more = if head.len() > STATE_BYTES {
            None
        } else {
            chunks.next().await?
        };
        match more {
            Some(chunk) => head.extend_from_slice(&chunk),
            None => {
                return Err(Problem::bad(
                    "bad_state",
                    format!("{RESUMED} must begin with one line of state"),
                ));
            }
        }
    }
}

/// Finds the feed by the body's beginning.
async fn found(how: &How, head: &mut Vec<u8>, chunks: &mut Chunks) -> Result<Kind, Problem> {
    while head.len() < HEAD_BYTES {
        match chunks.next().await? {
            Some(chunk) => head.extend_from_slice(&chunk),
            None => break,
        }
    }
    if chunks.sent() == 0 {
        return Err(empty());
    }
    match detect(&how.name, head) {
        Some(kind @ Kind::Asterisk(_)) => Ok(kind),
        _ => Err(Problem::bad(
            "unknown_feed",
            "this looks like none of Asterisk's logs; name it with ?feed=queue_log, cel, cdr or ami",
        )),
    }
}

/// Lines of one body.
struct Reading<'a> {
    source: &'a Source,
    reader: LineReader,
    events: EventReader,
    received_at: i64,
    line: u64,
}

impl Reading<'_> {
    fn at(&mut self, now: i64) {
        self.received_at = now;
        self.events.received_at(now);
    }

    /// Reads line by line, so that each result has its line's number.
    fn feed(&mut self, chunk: &[u8], batch: &mut Batch) {
        for piece in chunk.split_inclusive(|b| *b == b'\n') {
            let new = self.reader.push(piece);
            if piece.ends_with(b"\n") {
                self.line += 1;
            }
            self.add(new, self.line, batch);
        }
    }

    fn finish(&mut self, batch: &mut Batch) {
        let new = self.reader.finish();
        if !new.is_empty() {
            self.line += 1;
        }
        self.add(new, self.line, batch);
    }

    fn add(&mut self, new: Vec<NewLine>, line: u64, batch: &mut Batch) {
        for mut one in new {
            self.source.stamp(&mut one);
            batch.push(line, candidate(one, self.received_at, &mut self.events));
        }
    }
}

/// What is handed in of a line or a document.
pub(crate) fn candidate(one: NewLine, received_at: i64, events: &mut EventReader) -> Candidate {
    match one {
        NewLine::Record(record) => Candidate::Record(record.received(received_at)),
        NewLine::Event(bytes) => events.read(Piece::Whole(&bytes)),
        NewLine::Dead(dead) => {
            let mut bytes = dead.bytes;
            bytes.truncate(DEAD_PREFIX_BYTES);
            Candidate::Dead(DeadInput {
                source: dead.source.to_string(),
                refusal: Refusal::new(dead.class, dead.reason),
                bytes,
                length: dead.length,
                sha256: dead.sha256,
            })
        }
    }
}
