//! `POST /v1/sources/{source}`: a platform's own bytes, as its files hold them.
//!
//! A body that is a part of a file begins, with `Content-Type: application/vnd.callboard.resumed`,
//! with one line of JSON: the [`ReaderState`] at which the part begins. By it a line's identity is
//! the same in whatever parts a file arrives, and the server needs to remember no sender.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::post;
use callboard_model::cloudevents::MAX_NAME_BYTES;
use callboard_model::record::Refusal;
use callboard_sources::lines::{HEAD_BYTES, Kind, LineReader, NewLine, ReaderState, detect};
use serde::Deserialize;

use super::batch::Batch;
use super::body::Chunks;
use super::event::EventReader;
use super::http::{Doors, counts, sender};
use super::intake::{Candidate, DEAD_PREFIX_BYTES, DeadInput};
use super::limits::Limits;
use super::problem::Problem;
use super::split::Piece;

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
}

impl Platforms {
    /// A door with these instances' defaults.
    pub fn new(doors: Doors, instances: HashMap<String, SourceDefaults>) -> Self {
        Platforms {
            doors,
            instances: Arc::new(instances),
        }
    }

    /// Route: `POST /v1/sources/{source}`.
    pub fn router(self) -> Router {
        Router::new()
            .route("/v1/sources/{source}", post(post_source))
            .with_state(self)
    }
}

/// Query of `POST /v1/sources/{source}`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SourceQuery {
    /// Instance of the platform; `default` when missing.
    instance: String,
    /// `queue_log`, `cel`, `cdr`, `ami`; found from the content when missing.
    feed: String,
    /// IANA zone of local times.
    zone: String,
    /// Comma-separated order of columns.
    columns: String,
    /// Name of the file, which helps where the content leaves a doubt.
    name: String,
    sender: String,
    detail: String,
}

/// Instance of those who name none.
pub const DEFAULT_INSTANCE: &str = "default";

async fn post_source(
    State(door): State<Platforms>,
    Path(source): Path<String>,
    Query(query): Query<SourceQuery>,
    request: Request,
) -> Response {
    let began = Instant::now();
    let result = take(&door, &source, query, request).await;
    metrics::histogram!("callboard_request_seconds", "door" => "sources")
        .record(began.elapsed().as_secs_f64());
    result.unwrap_or_else(IntoResponse::into_response)
}

/// How the lines of a request are read.
struct How {
    kind: Option<Kind>,
    name: String,
    instance: String,
    zone: String,
    columns: Vec<String>,
    resumed: bool,
}

async fn take(
    door: &Platforms,
    source: &str,
    query: SourceQuery,
    request: Request,
) -> Result<Response, Problem> {
    let doors = &door.doors;
    let list_all = query.detail == "all";
    let who = sender(&query.sender, request.extensions());
    let (parts, body) = request.into_parts();
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

fn how(
    door: &Platforms,
    source: &str,
    query: SourceQuery,
    headers: &HeaderMap,
) -> Result<How, Problem> {
    let kind = match (source, query.feed.as_str()) {
        ("events", "" | "events") => Some(Kind::Events),
        ("asterisk", "") => None,
        ("asterisk", feed) => match Kind::of_name(feed) {
            Some(kind @ Kind::Asterisk(_)) => Some(kind),
            _ => {
                return Err(Problem::bad(
                    "unknown_feed",
                    format!(
                        "feed \"{}\" is none of queue_log, cel, cdr, ami",
                        short(feed)
                    ),
                ));
            }
        },
        _ => {
            return Err(Problem::new(
                StatusCode::NOT_FOUND,
                "unknown_source",
                format!(
                    "source \"{}\" is not known; known are asterisk and events",
                    short(source)
                ),
            ));
        }
    };
    let instance = match query.instance {
        i if i.is_empty() => DEFAULT_INSTANCE.to_owned(),
        i => i,
    };
    if instance.len() > MAX_NAME_BYTES / 2 || instance.contains(['/', '\u{0}', '\n', '\r']) {
        return Err(Problem::bad(
            "bad_instance",
            "the instance must be a short name without slash, such as pbx1",
        ));
    }
    let known = door.instances.get(&instance);
    let zone = match query.zone {
        z if z.is_empty() => known.map(|k| k.zone.clone()).unwrap_or_default(),
        z => z,
    };
    if !(zone.is_empty() || zone.parse::<chrono_tz::Tz>().is_ok()) {
        return Err(Problem::bad(
            "unknown_zone",
            format!(
                "zone \"{}\" is not known; write an IANA name such as Europe/Berlin",
                short(&zone)
            ),
        ));
    }
    let columns = match (query.columns.as_str(), kind) {
        ("", Some(kind)) => known
            .and_then(|k| k.columns.get(kind.name()).cloned())
            .unwrap_or_default(),
        ("", None) => Vec::new(),
        (columns, _) => columns.split(',').map(|c| c.trim().to_owned()).collect(),
    };
    let media = headers
        .get(header::CONTENT_TYPE)
        .map(|v| String::from_utf8_lossy(v.as_bytes()).to_ascii_lowercase());
    Ok(How {
        kind,
        name: query.name,
        instance,
        zone,
        columns,
        resumed: media.is_some_and(|m| m.starts_with(RESUMED)),
    })
}

fn short(text: &str) -> String {
    text.chars().take(60).collect()
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

fn empty() -> Problem {
    Problem::bad("empty_body", "the body is empty; send at least one line")
}

async fn pace(limits: &Limits, batch: &mut Batch) -> Result<(), Problem> {
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
            let candidate = match one {
                NewLine::Record(record) => Candidate::Record(record.received(self.received_at)),
                NewLine::Event(bytes) => self.events.read(Piece::Whole(&bytes)),
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
            };
            batch.push(line, candidate);
        }
    }
}

#[cfg(test)]
mod tests;
