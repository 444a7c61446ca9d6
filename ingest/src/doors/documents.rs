//! `POST /v1/sources/{source}` of platforms that send documents: what their webhooks post and what
//! their exports hold. A body is read as a whole, since only then it is known what it holds.

use axum::http::header;
use axum::response::{IntoResponse, Json, Response};
use callboard_sources::adapter::{Adapter, Declared, Handshake};
use callboard_sources::lines::NewLine;

use super::batch::Batch;
use super::body::Chunks;
use super::event::EventReader;
use super::http::{Doors, counts};
use super::platform::{candidate, empty, pace};
use super::problem::Problem;

/// Most bytes of documents in one request, after decompression.
pub const MOST_BYTES: usize = 64 * 1024 * 1024;

/// How a request's documents are read.
pub(super) struct How<'a> {
    /// By whom.
    pub adapter: &'static dyn Adapter,
    /// What the request declares of them.
    pub declared: Declared,
    /// The query as it was sent.
    pub asked: &'a str,
    /// Whether the answer lists every document.
    pub list_all: bool,
}

/// The whole body, bounded.
pub(super) async fn whole(mut chunks: Chunks) -> Result<Vec<u8>, Problem> {
    let mut body = Vec::new();
    while let Some(chunk) = chunks.next().await? {
        if body.len() + chunk.len() > MOST_BYTES {
            return Err(Problem::too_large(
                "body_too_large",
                format!(
                    "documents of one request may have {} MiB together; send fewer at once",
                    MOST_BYTES >> 20
                ),
            ));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Takes the documents of a body, or answers the platform's question whether it may send some.
pub(super) async fn take(doors: &Doors, how: How<'_>, chunks: Chunks) -> Result<Response, Problem> {
    let body = whole(chunks).await?;
    let adapter = how.adapter;
    if let Some(answer) = adapter.handshake(how.asked, &body) {
        let (media, text) = match answer {
            Handshake::Json(text) => ("application/json", text),
            Handshake::Text(text) => ("text/plain; charset=utf-8", text),
        };
        return Ok(([(header::CONTENT_TYPE, media)], text).into_response());
    }
    if body.is_empty() {
        return Err(empty());
    }
    // A large export takes a while: others are served meanwhile.
    let declared = how.declared;
    let split = tokio::task::spawn_blocking(move || adapter.split(&body, &declared));
    let documents = split.await.map_err(|_| {
        Problem::bad(
            "unreadable",
            "the body could not be taken apart; please report it with a sample",
        )
    })?;
    hand_in(doors, documents, how.list_all).await
}

/// Hands in what a body was taken apart to.
pub(super) async fn hand_in(
    doors: &Doors,
    documents: Vec<NewLine>,
    list_all: bool,
) -> Result<Response, Problem> {
    let mut batch = Batch::new(doors.intake.clone(), "sources", &doors.limits, list_all);
    let received_at = doors.intake.now();
    let mut events = EventReader::new(received_at, doors.limits.record_bytes, doors.limits.nesting);
    for (number, one) in (1..).zip(documents) {
        batch.push(number, candidate(one, received_at, &mut events));
        batch.answer.last_line = number;
        let paced = pace(&doors.limits, &mut batch).await;
        paced.map_err(|problem| problem.with(counts(&batch.answer)))?;
    }
    let submitted = batch.submit().await;
    submitted.map_err(|e| Problem::from(e).with(counts(&batch.answer)))?;
    Ok(Json(batch.answer).into_response())
}

#[cfg(test)]
#[path = "documents_tests.rs"]
mod tests;
