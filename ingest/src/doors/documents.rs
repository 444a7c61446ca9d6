//! `POST /v1/sources/{source}` of platforms that send documents: what their webhooks post and what
//! their exports hold. A body is read as a whole, since only then it is known what it holds.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Json, Response};
use callboard_sources::adapter::{Adapter, Declared, Handshake};
use callboard_sources::lines::NewLine;
use serde::Serialize;
use serde_json::{Map, Value};

use super::answer::Answer;
use super::batch::Batch;
use super::binary;
use super::body::Chunks;
use super::budget::Weight;
use super::event::EventReader;
use super::http::{Doors, counts};
use super::limits::Limits;
use super::mapping::{Mappings, PATIENCE};
use super::platform::{FLOOD_ADVICE, candidate, empty, source::Source};
use super::problem::Problem;
use super::proof::Shown;

/// Most bytes of documents in one request, after decompression.
pub const MOST_BYTES: usize = 64 * 1024 * 1024;

/// A body's memory grows by this at least, bytes.
const LEAST_STEP: usize = 16 * 1024;

/// Who reads documents.
pub(super) enum Reader {
    /// A platform's adapter.
    Adapter(&'static dyn Adapter),
    /// The mapping of that name.
    Mapping(Arc<Mappings>, String),
}

impl Reader {
    /// The answer to a platform that asks whether it may send here.
    fn handshake(&self, asked: &str, body: &[u8]) -> Option<Handshake> {
        match self {
            Reader::Adapter(adapter) => adapter.handshake(asked, body),
            Reader::Mapping(..) => None,
        }
    }

    /// Takes a body apart.
    async fn split(self, body: Vec<u8>, declared: Declared) -> Result<Vec<NewLine>, Problem> {
        match self {
            Reader::Mapping(mappings, name) => {
                mappings.split(&name, &body, &declared, PATIENCE).await
            }
            Reader::Adapter(adapter) => {
                // A large export takes a while: others are served meanwhile.
                let split = tokio::task::spawn_blocking(move || adapter.split(&body, &declared));
                split.await.map_err(|_| {
                    Problem::bad(
                        "unreadable",
                        "the body could not be taken apart; please report it with a sample",
                    )
                })
            }
        }
    }
}

/// How a request's documents are read.
pub(super) struct How<'a> {
    /// The source through which they come.
    pub source: &'a Source,
    /// How far the request has proven itself.
    pub shown: Shown,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// By whom they are read.
    pub reader: Reader,
    /// What the request declares of them.
    pub declared: Declared,
    /// The query as it was sent.
    pub asked: &'a str,
    /// Whether the answer lists every document.
    pub list_all: bool,
}

/// The answer to a body that asks whether it may send, and sends at once.
#[derive(Serialize)]
struct Both<'a> {
    #[serde(flatten)]
    asked: Map<String, Value>,
    #[serde(flatten)]
    answer: &'a Answer,
}

/// Takes the documents of a body, and answers the platform's question whether it may send some.
pub(super) async fn take(
    doors: &Doors,
    how: How<'_>,
    chunks: &mut Chunks,
) -> Result<Response, Problem> {
    let source = how.source;
    let mut weight = doors.budget.weight();
    let body = gather(chunks, most(doors, source), &mut weight).await?;
    if how.shown == Shown::InBody {
        let proof = &source.options.proof;
        proof.of_body(how.headers, how.asked, &body)?;
        source.take_room()?;
    }
    let asked = match how.reader.handshake(how.asked, &body) {
        // What the address asks needs no proof, so that nothing is taken of such a body.
        Some(Handshake::Text(text)) => {
            source.served(None, doors.intake.now());
            return Ok(said("text/plain; charset=utf-8", text));
        }
        Some(Handshake::Json(text)) => Some(text),
        None => None,
    };
    if body.is_empty() && !binary::is_binary(how.headers) {
        return Err(empty());
    }
    let body = match binary::is_binary(how.headers) {
        true => event(how.headers, &body)?,
        false => body,
    };
    // The documents cut out of it are copies.
    weight.grow(body.len())?;
    let documents = how.reader.split(body, how.declared).await?;
    if let Some(text) = &asked
        && documents.is_empty()
    {
        source.served(None, doors.intake.now());
        return Ok(said("application/json", text.clone()));
    }
    let mut batch = Batch::new(doors.intake.clone(), "sources", &doors.limits, how.list_all);
    let outcome = submit(doors, source, documents, &mut batch).await;
    match outcome {
        Ok(()) => {
            source.served(Some(&batch.answer), doors.intake.now());
            let asked = asked.and_then(|text| serde_json::from_str(&text).ok());
            let both = Both {
                asked: asked.unwrap_or_default(),
                answer: &batch.answer,
            };
            Ok(Json(both).into_response())
        }
        Err(problem) => {
            source.half_served(&batch.answer, doors.intake.now());
            Err(problem.with(counts(&batch.answer)))
        }
    }
}

/// An answer as it stands.
fn said(media: &'static str, text: String) -> Response {
    ([(header::CONTENT_TYPE, media)], text).into_response()
}

/// A CloudEvent whose attributes stand in headers, as one document.
fn event(headers: &HeaderMap, body: &[u8]) -> Result<Vec<u8>, Problem> {
    binary::structured(headers, body).map_err(|refusal| Problem::bad("refused", refusal.reason))
}

/// A signed body of lines, once it has proven itself; what it weighs is held with it.
///
/// # Errors
/// When it is too large, or its proof is none.
pub(super) async fn proven(
    doors: &Doors,
    source: &Source,
    (headers, asked): (&HeaderMap, &str),
    chunks: &mut Chunks,
) -> Result<(Chunks, Weight), Problem> {
    let mut weight = doors.budget.weight();
    let body = gather(chunks, most(doors, source), &mut weight).await?;
    source.options.proof.of_body(headers, asked, &body)?;
    source.take_room()?;
    let again = Body::from(body);
    // Its length was looked at, and it was unpacked on the way.
    let limits = Limits {
        body_bytes: u64::MAX,
        ..(*doors.limits).clone()
    };
    Ok((Chunks::new(&HeaderMap::new(), again, &limits)?, weight))
}

/// Most bytes of one request through this source: one that fills half of the budget needs the other
/// half while it is read apart.
fn most(doors: &Doors, source: &Source) -> usize {
    let own = source.options.max_body.unwrap_or(u64::MAX);
    let share = doors.budget.most() / 2;
    usize::try_from(own.min(share)).map_or(MOST_BYTES, |n| n.min(MOST_BYTES))
}

/// Reads a body, weighed before memory grows.
async fn gather(chunks: &mut Chunks, most: usize, weight: &mut Weight) -> Result<Vec<u8>, Problem> {
    let mut body: Vec<u8> = Vec::new();
    while let Some(chunk) = chunks.next().await? {
        let needed = body.len() + chunk.len();
        if needed > most {
            return Err(Problem::too_large(
                "body_too_large",
                format!(
                    "documents of one request may have {most} bytes together after decompression; send fewer at once"
                ),
            ));
        }
        if needed > body.capacity() {
            let grown = needed.max(body.capacity() * 2).max(LEAST_STEP).min(most);
            weight.grow(grown - body.capacity())?;
            body.reserve_exact(grown - body.len());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

async fn submit(
    doors: &Doors,
    source: &Source,
    documents: Vec<NewLine>,
    batch: &mut Batch,
) -> Result<(), Problem> {
    let received_at = doors.intake.now();
    let mut events = EventReader::new(received_at, doors.limits.record_bytes, doors.limits.nesting);
    for (number, mut one) in (1..).zip(documents) {
        source.stamp(&mut one);
        batch.push(number, candidate(one, received_at, &mut events));
        batch.answer.last_line = number;
        batch.pace(FLOOD_ADVICE).await?;
    }
    Ok(batch.submit().await?)
}

#[cfg(test)]
#[path = "documents_tests.rs"]
mod tests;
