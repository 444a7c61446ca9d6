//! The HTTP doors' router, their shared state, and `POST /v1/events`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{ConnectInfo, Query, Request, State};
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use callboard_model::record::Refusal;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::batch::Batch;
use super::binary;
use super::body::Chunks;
use super::budget::Budget;
use super::event::{EventReader, UNKNOWN_SOURCE, dead};
use super::gate::Gate;
use super::handshake::handshake;
use super::intake::{Candidate, Intake};
use super::limits::Limits;
use super::problem::Problem;
use super::split::{ArrayError, Elements, Lines, Piece};

/// Whether the server can do its work.
pub trait Readiness: Send + Sync {
    /// `Ok` when it takes and answers; else why not.
    ///
    /// # Errors
    /// The reason, in one sentence.
    fn ready(&self) -> Result<(), String>;
}

/// What all HTTP doors share.
#[derive(Clone)]
pub struct Doors {
    pub(super) intake: Arc<dyn Intake>,
    pub(super) ready: Arc<dyn Readiness>,
    pub(super) limits: Arc<Limits>,
    pub(super) gate: Arc<Gate>,
    pub(super) budget: Arc<Budget>,
}

impl Doors {
    /// Doors that lead to this intake.
    pub fn new(intake: Arc<dyn Intake>, ready: Arc<dyn Readiness>, limits: Limits) -> Self {
        Doors {
            intake,
            ready,
            gate: Arc::new(Gate::new(&limits)),
            budget: Budget::new(limits.held_bytes),
            limits: Arc::new(limits),
        }
    }
}

/// Routes: `/v1/events`, `/v1/ended`, `/v1/schema`, `/healthz`, `/readyz`.
///
/// Served with `into_make_service_with_connect_info::<SocketAddr>()`, requests are told apart by
/// the sender's address; without it all are one sender's.
pub fn router(doors: Doors) -> Router {
    Router::new()
        .route("/v1/events", post(post_events).options(handshake))
        .route("/v1/ended", post(super::ended::post_ended))
        .route("/v1/schema", get(schema))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .with_state(doors)
}

async fn schema() -> Json<Value> {
    Json(callboard_model::cloudevents::schema())
}

async fn readyz(State(doors): State<Doors>) -> Response {
    match doors.ready.ready() {
        Ok(()) => "ready\n".into_response(),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

/// Query of `POST /v1/events`.
#[derive(Debug, Default, Deserialize)]
pub struct EventsQuery {
    /// `all` lists every line in the answer.
    #[serde(default)]
    detail: String,
    /// Name of the sender, by which its requests are bounded; else its address.
    #[serde(default)]
    sender: String,
}

/// How a body holds events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Structured,
    Binary,
    Batch,
    Lines,
    /// `application/json` without `ce-` headers: an array is a batch, else one event or lines.
    Sniff,
}

fn mode(headers: &HeaderMap) -> Result<Mode, Problem> {
    let media = headers
        .get(header::CONTENT_TYPE)
        .map(|v| String::from_utf8_lossy(v.as_bytes()).to_ascii_lowercase())
        .unwrap_or_default();
    let media = media.split(';').next().unwrap_or("").trim();
    let lines = [
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
    ];
    if media.starts_with("application/cloudevents-batch") {
        return json_only(media, "application/cloudevents-batch", Mode::Batch);
    }
    if media.starts_with("application/cloudevents") {
        return json_only(media, "application/cloudevents", Mode::Structured);
    }
    if binary::is_binary(headers) {
        return Ok(Mode::Binary);
    }
    if lines.contains(&media) {
        return Ok(Mode::Lines);
    }
    if media == "application/json" {
        return Ok(Mode::Sniff);
    }
    Err(Problem::media(format!(
        "Content-Type {} holds no events; send application/x-ndjson (one event a line), \
         application/cloudevents+json (one), application/cloudevents-batch+json (a JSON array), \
         or ce- headers with the data as body",
        if media.is_empty() { "(none)" } else { media }
    )))
}

fn json_only(media: &str, prefix: &str, mode: Mode) -> Result<Mode, Problem> {
    match media.strip_prefix(prefix) {
        Some("" | "+json") => Ok(mode),
        _ => Err(Problem::media(format!(
            "{media} is not known; only {prefix}+json is"
        ))),
    }
}

/// Who sends: the name it gives itself, else its address.
pub(super) fn sender(name: &str, extensions: &Extensions) -> String {
    if !name.is_empty() {
        return name.chars().take(128).collect();
    }
    match extensions.get::<ConnectInfo<SocketAddr>>() {
        Some(ConnectInfo(address)) => address.ip().to_string(),
        None => "unknown".to_owned(),
    }
}

async fn post_events(
    State(doors): State<Doors>,
    Query(query): Query<EventsQuery>,
    request: Request,
) -> Response {
    let began = Instant::now();
    let sender = format!("events {}", sender(&query.sender, request.extensions()));
    let result = take_events(&doors, &sender, query.detail == "all", request).await;
    metrics::histogram!("callboard_request_seconds", "door" => "events")
        .record(began.elapsed().as_secs_f64());
    result.unwrap_or_else(IntoResponse::into_response)
}

async fn take_events(
    doors: &Doors,
    sender: &str,
    list_all: bool,
    request: Request,
) -> Result<Response, Problem> {
    let _pass = doors.gate.enter(sender).await?;
    let (parts, body) = request.into_parts();
    let mode = mode(&parts.headers)?;
    let chunks = Chunks::new(&parts.headers, body, &doors.limits)?;
    let mut taking = Taking::new(doors, chunks, list_all);
    let outcome = match mode {
        Mode::Structured => taking.one(None).await,
        Mode::Binary => taking.one(Some(&parts.headers)).await,
        Mode::Batch => taking.elements(Vec::new()).await,
        Mode::Lines => taking.lines(Vec::new()).await,
        Mode::Sniff => taking.sniff().await,
    };
    match outcome {
        Ok(()) => Ok(Json(taking.batch.answer).into_response()),
        Err(problem) => Err(problem.with(counts(&taking.batch.answer))),
    }
}

/// The counts as members of a problem, when anything was taken before it.
pub(super) fn counts(answer: &Answer) -> Map<String, Value> {
    let mut members = Map::new();
    if answer.taken + answer.repeated + answer.conflicts + answer.refused > 0 {
        members.insert("taken".into(), json!(answer.taken));
        members.insert("repeated".into(), json!(answer.repeated));
        members.insert("conflicts".into(), json!(answer.conflicts));
        members.insert("refused".into(), json!(answer.refused));
        members.insert("lines".into(), json!(answer.lines));
    }
    members
}

/// One request's events on their way.
struct Taking {
    chunks: Chunks,
    reader: EventReader,
    batch: Batch,
    intake: Arc<dyn Intake>,
    limits: Arc<Limits>,
}

impl Taking {
    fn new(doors: &Doors, chunks: Chunks, list_all: bool) -> Self {
        let limits = doors.limits.clone();
        Taking {
            chunks,
            reader: EventReader::new(doors.intake.now(), limits.record_bytes, limits.nesting),
            batch: Batch::new(doors.intake.clone(), "events", &limits, list_all),
            intake: doors.intake.clone(),
            limits,
        }
    }

    /// Submits what is gathered when it is time.
    async fn pace(&mut self) -> Result<(), Problem> {
        self.batch.pace("look at the first ones").await?;
        self.reader.received_at(self.intake.now());
        Ok(())
    }

    /// NDJSON: one event a line. `head` is what was read already.
    async fn lines(&mut self, head: Vec<u8>) -> Result<(), Problem> {
        let mut lines = Lines::new(self.limits.record_bytes);
        let mut next = Some(bytes::Bytes::from(head));
        while let Some(chunk) = next {
            let (reader, batch) = (&mut self.reader, &mut self.batch);
            lines.feed(&chunk, &mut |line, piece| {
                batch.push(line, reader.read(piece));
            });
            self.pace().await?;
            next = self.chunks.next().await?;
        }
        let (reader, batch) = (&mut self.reader, &mut self.batch);
        lines.finish(&mut |line, piece| batch.push(line, reader.read(piece)));
        if self.chunks.sent() == 0 {
            return Err(empty());
        }
        self.batch.submit().await?;
        self.batch.answer.last_line = lines.count();
        Ok(())
    }

    /// A batch: one JSON array of events.
    async fn elements(&mut self, head: Vec<u8>) -> Result<(), Problem> {
        let mut elements = Elements::new(self.limits.record_bytes);
        let mut next = Some(bytes::Bytes::from(head));
        let mut fault: Option<ArrayError> = None;
        while let Some(chunk) = next {
            let (reader, batch) = (&mut self.reader, &mut self.batch);
            let fed = elements.feed(&chunk, &mut |number, piece| {
                batch.push(number, reader.read(piece));
            });
            if let Err(error) = fed {
                fault = Some(error);
                break;
            }
            self.pace().await?;
            next = self.chunks.next().await?;
        }
        self.batch.submit().await?;
        self.batch.answer.last_line = elements.count();
        if self.chunks.sent() == 0 {
            return Err(empty());
        }
        match fault.map_or_else(|| elements.finish(), Err) {
            Ok(()) => Ok(()),
            Err(error) => Err(Problem::bad("not_a_batch", error.to_string())),
        }
    }

    /// `application/json`: decided by the first byte that says something.
    async fn sniff(&mut self) -> Result<(), Problem> {
        let mut head: Vec<u8> = Vec::new();
        while let Some(chunk) = self.chunks.next().await? {
            let said = chunk
                .iter()
                .find(|b| !b.is_ascii_whitespace() && !b"\xef\xbb\xbf".contains(b));
            head.extend_from_slice(&chunk);
            match said {
                Some(b'[') => return self.elements(head).await,
                // Blanks without end are one event that is too long.
                None if head.len() <= self.limits.record_bytes => {}
                _ => return self.one_of(head, None).await,
            }
        }
        Err(empty())
    }

    async fn one(&mut self, headers: Option<&HeaderMap>) -> Result<(), Problem> {
        self.one_of(Vec::new(), headers).await
    }

    /// One event: the body, or headers and body. A refused one refuses the request.
    async fn one_of(&mut self, head: Vec<u8>, headers: Option<&HeaderMap>) -> Result<(), Problem> {
        // The splitter without line ends: it bounds and hashes what is too long.
        let mut whole = Lines::new(self.limits.record_bytes);
        whole.one_piece();
        let mut next = Some(bytes::Bytes::from(head));
        while let Some(chunk) = next {
            whole.feed(&chunk, &mut |_, _| ());
            next = self.chunks.next().await?;
        }
        if self.chunks.sent() == 0 && headers.is_none() {
            return Err(empty());
        }
        let mut candidate = None;
        let reader = &mut self.reader;
        whole.finish(&mut |_, piece| candidate = Some(read_one(reader, headers, piece)));
        let candidate = match (candidate, headers) {
            (Some(candidate), _) => candidate,
            // A binary event without data: everything is in its headers.
            (None, Some(_)) => read_one(reader, headers, Piece::Whole(b"")),
            (None, None) => return Err(empty()),
        };
        self.batch.push(1, candidate);
        self.batch.submit().await?;
        self.batch.answer.last_line = 1;
        match self
            .batch
            .answer
            .lines
            .iter()
            .find(|l| l.status == "refused")
        {
            None => Ok(()),
            Some(line) => {
                let reason = line.reason.clone().unwrap_or_default();
                Err(match line.class.as_deref() {
                    Some("too_long") => Problem::too_large("refused", reason),
                    _ => Problem::bad("refused", reason),
                })
            }
        }
    }
}

fn read_one(reader: &mut EventReader, headers: Option<&HeaderMap>, piece: Piece<'_>) -> Candidate {
    let (Some(headers), Piece::Whole(body)) = (headers, &piece) else {
        return reader.read(piece);
    };
    let refuse = |refusal: Refusal| Candidate::Dead(dead(UNKNOWN_SOURCE, refusal, body));
    match binary::structured(headers, body) {
        Ok(event) => match reader.record(&event) {
            Ok(record) => Candidate::Record(record),
            Err(refusal) => refuse(refusal),
        },
        Err(refusal) => refuse(refusal),
    }
}

fn empty() -> Problem {
    Problem::bad("empty_body", "the body is empty; send at least one event")
}

#[cfg(test)]
mod tests;
