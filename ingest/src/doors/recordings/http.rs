//! `PUT /v1/recordings/{contact}/{leg}`.

use std::time::Instant;

use axum::extract::{Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use bytes::Bytes;
use callboard_model::time::{SECOND, believable, parse_rfc3339};
use serde::Deserialize;

use super::super::body::Chunks;
use super::super::http::sender;
use super::super::intake::Unavailable;
use super::super::limits::Limits;
use super::super::problem::Problem;
use super::{Brought, Recordings, mebibytes};

/// Query of `PUT /v1/recordings/{contact}/{leg}`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PutQuery {
    started_at: Option<String>,
    recorded_at: Option<String>,
    queue: Option<String>,
    agent: Option<String>,
    voicemail: Option<bool>,
    sender: String,
}

/// Reads a time of a query: RFC 3339, or seconds since 1970.
fn time(name: &str, text: Option<&str>) -> Result<Option<i64>, Problem> {
    let Some(text) = text.filter(|t| !t.is_empty()) else {
        return Ok(None);
    };
    // A plus sign in a query arrives as a space.
    let us = match parse_rfc3339(&text.replace(' ', "+")) {
        Some((us, _)) => Some(us),
        #[allow(clippy::cast_possible_truncation)] // bounded by `believable` below
        None => text
            .parse::<f64>()
            .ok()
            .map(|s| (s * SECOND as f64).round() as i64),
    };
    match us.filter(|us| believable(*us)) {
        Some(us) => Ok(Some(us)),
        None => Err(Problem::bad(
            "bad_time",
            format!(
                "{name} \"{}\" is no time; write RFC 3339 (2026-03-02T09:15:04Z) or seconds since 1970",
                text.chars().take(40).collect::<String>()
            ),
        )),
    }
}

pub(super) async fn put_recording(
    State(recordings): State<Recordings>,
    Path((contact, leg)): Path<(String, String)>,
    Query(query): Query<PutQuery>,
    request: Request,
) -> Response {
    let began = Instant::now();
    let result = take(&recordings, contact, leg, query, request).await;
    metrics::histogram!("callboard_request_seconds", "door" => "recordings")
        .record(began.elapsed().as_secs_f64());
    result.unwrap_or_else(IntoResponse::into_response)
}

async fn take(
    recordings: &Recordings,
    contact: String,
    leg: String,
    query: PutQuery,
    request: Request,
) -> Result<Response, Problem> {
    let doors = &recordings.doors;
    let brought = Brought {
        contact,
        leg,
        started_at: time("started_at", query.started_at.as_deref())?,
        recorded_at: time("recorded_at", query.recorded_at.as_deref())?,
        queue: query.queue.filter(|q| !q.is_empty()),
        agent: query.agent.filter(|a| !a.is_empty()),
        voicemail: query.voicemail.unwrap_or(false),
    };
    let sender = format!("recordings {}", sender(&query.sender, request.extensions()));
    let _pass = doors.gate.enter(&sender).await?;
    let (parts, body) = request.into_parts();
    let most = doors.limits.recording_bytes;
    let limits = Limits {
        body_bytes: most,
        decoded_bytes: most,
        ..(*doors.limits).clone()
    };
    let stated = parts
        .headers
        .get(header::CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    let mut chunks = Chunks::new(&parts.headers, body, &limits)?;
    let wanted = mebibytes(stated.filter(|_| !chunks.is_compressed()).unwrap_or(most));
    let _room = recordings
        .room
        .acquire_many(u32::try_from(wanted).unwrap_or(u32::MAX))
        .await
        .map_err(|_| Unavailable::Stopping)?;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let Some(bytes) = chunks.whole(most).await? else {
        return Err(Problem::too_large(
            "recording_too_large",
            format!(
                "the recording has more than {most} bytes; raise limits.recording_bytes or split it"
            ),
        ));
    };
    let stored = recordings.put(brought, Bytes::from(bytes)).await?;
    let status = match stored.status.as_str() {
        "taken" => StatusCode::CREATED,
        _ => StatusCode::OK,
    };
    Ok((status, Json(stored)).into_response())
}
