//! `POST /v1/sources/{source}`: a platform's own bytes, as its files hold them.
//!
//! A body that is a part of a file begins, with `Content-Type: application/vnd.callboard.resumed`,
//! with one line of JSON: the [`ReaderState`] at which the part begins. By it a line's identity is
//! the same in whatever parts a file arrives, and the server needs to remember no sender.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{Path, Query, RawQuery, Request, State};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::post;
use callboard_model::record::Refusal;
use callboard_sources::adapter::of_platform;
use callboard_sources::lines::{HEAD_BYTES, Kind, LineReader, NewLine, ReaderState, detect};
use callboard_sources::mapping::PREFIX;

use super::batch::Batch;
use super::body::Chunks;
use super::documents;
use super::event::EventReader;
use super::http::{Doors, counts, handshake, sender};
use super::intake::{Candidate, DEAD_PREFIX_BYTES, DeadInput};
use super::limits::Limits;
use super::mapping::Mappings;
use super::problem::Problem;
use super::split::Piece;
use query::{How, SourceQuery, declared, how};

mod query;

/// Content type of a part of a file.
pub const RESUMED: &str = "application/vnd.callboard.resumed";

/// Longest line of state, bytes.
const STATE_BYTES: usize = 16 * 1024 * 1024;

/// What is known of an instance from the configuration, for requests that do not say it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceDefaults {
    /// IANA zone of local times; empty = UTC.
    pub zone: String,
    /// Order of columns of a feed that has none of its own, by feed.
    pub columns: HashMap<String, Vec<String>>,
}

/// The door for platforms' own bytes.
#[derive(Clone)]
pub struct Platforms {
    doors: Doors,
    instances: Arc<HashMap<String, SourceDefaults>>,
    mappings: Option<Arc<Mappings>>,
}

impl Platforms {
    /// A door with these instances' defaults.
    pub fn new(doors: Doors, instances: HashMap<String, SourceDefaults>) -> Self {
        Platforms {
            doors,
            instances: Arc::new(instances),
            mappings: None,
        }
    }

    /// With sources that mapping files tell, `mapping:NAME`.
    pub fn with_mappings(mut self, mappings: Arc<Mappings>) -> Self {
        self.mappings = Some(mappings);
        self
    }

    /// Route: `POST /v1/sources/{source}`.
    pub fn router(self) -> Router {
        Router::new()
            .route("/v1/sources/{source}", post(post_source).options(handshake))
            .with_state(self)
    }
}

/// Instance of those who name none.
pub const DEFAULT_INSTANCE: &str = "default";

async fn post_source(
    State(door): State<Platforms>,
    Path(source): Path<String>,
    Query(query): Query<SourceQuery>,
    RawQuery(asked): RawQuery,
    request: Request,
) -> Response {
    let began = Instant::now();
    let asked = asked.unwrap_or_default();
    let result = take(&door, &source, query, &asked, request).await;
    metrics::histogram!("callboard_request_seconds", "door" => "sources")
        .record(began.elapsed().as_secs_f64());
    result.unwrap_or_else(IntoResponse::into_response)
}

async fn take(
    door: &Platforms,
    source: &str,
    query: SourceQuery,
    asked: &str,
    request: Request,
) -> Result<Response, Problem> {
    let doors = &door.doors;
    let list_all = query.detail == "all";
    let who = sender(&query.sender, request.extensions());
    let (parts, body) = request.into_parts();
    if let (Some(name), Some(mappings)) = (source.strip_prefix(PREFIX), &door.mappings) {
        let declared = declared(door, query)?;
        let _pass = doors
            .gate
            .enter(&format!("{source} {} {who}", declared.instance))
            .await?;
        let chunks = Chunks::new(&parts.headers, body, &doors.limits)?;
        let body = documents::whole(chunks).await?;
        if body.is_empty() {
            return Err(empty());
        }
        let told = mappings.split(name, &body, &declared).await?;
        return documents::hand_in(doors, told, list_all).await;
    }
    if let Some(adapter) = of_platform(source) {
        let declared = declared(door, query)?;
        let name = format!("{source} {} {who}", declared.instance);
        let _pass = doors.gate.enter(&name).await?;
        let chunks = Chunks::new(&parts.headers, body, &doors.limits)?;
        let how = documents::How {
            adapter,
            declared,
            asked,
            list_all,
        };
        return documents::take(doors, how, chunks).await;
    }
    let how = how(door, source, query, &parts.headers)?;
    let name = format!("{source} {} {who}", how.instance);
    let _pass = doors.gate.enter(&name).await?;
    let mut chunks = Chunks::new(&parts.headers, body, &doors.limits)?;
    let mut batch = Batch::new(doors.intake.clone(), "sources", &doors.limits, list_all);
    match read(doors, &how, &mut chunks, &mut batch).await {
        Ok(()) => Ok(Json(batch.answer).into_response()),
        Err(problem) => Err(problem.with(counts(&batch.answer))),
    }
}

/// Reads the whole body in bounded steps.
async fn read(
    doors: &Doors,
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
        pace(&doors.limits, batch).await?;
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

pub(super) fn empty() -> Problem {
    Problem::bad("empty_body", "the body is empty; send at least one line")
}

pub(super) async fn pace(limits: &Limits, batch: &mut Batch) -> Result<(), Problem> {
    let flood = batch.refused() > limits.refused_lines;
    if flood || batch.is_full() {
        batch.submit().await?;
    }
    if flood {
        return Err(Problem::bad(
            "too_many_refused",
            format!(
                "more than {} lines of this request cannot be read; is it the feed that was named?",
                limits.refused_lines
            ),
        ));
    }
    Ok(())
}

/// The first line: the state at which this part of a file begins.
async fn state(head: &mut Vec<u8>, chunks: &mut Chunks) -> Result<ReaderState, Problem> {
    loop {
        if let Some(end) = head.iter().position(|b| *b == b'\n') {
            let state = serde_json::from_slice(&head[..end]).map_err(|e| {
                Problem::bad(
                    "bad_state",
                    format!("the first line is not the state at which this part begins: {e}"),
                )
            })?;
            head.drain(..=end);
            return Ok(state);
        }
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
struct Reading {
    reader: LineReader,
    events: EventReader,
    received_at: i64,
    line: u64,
}

impl Reading {
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
        for one in new {
            batch.push(line, candidate(one, self.received_at, &mut self.events));
        }
    }
}

/// What is handed in of a line or a document.
pub(super) fn candidate(one: NewLine, received_at: i64, events: &mut EventReader) -> Candidate {
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

#[cfg(test)]
mod tests;
