//! Who sends the shift: what was sent, and what was acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use callboard_ingest::doors::answer::Answer;
use callboard_store::sim::Rng;
use parking_lot::Mutex;
use tower::ServiceExt as _;

use crate::rows::Identity;
use crate::world::World;

/// Most lines of a request.
const MOST_LINES: usize = 40;

/// How often a line that is no event was sent, and how often it was acknowledged.
#[derive(Debug, Clone, Copy, Default)]
pub struct Told {
    pub sent: u64,
    pub acknowledged: u64,
}

/// What the sender knows.
#[derive(Default)]
pub struct Sender {
    /// Lines up to here are acknowledged.
    pub upto: usize,
    /// Acknowledged records, which must be there ever after.
    pub acknowledged: BTreeSet<Identity>,
    /// Lines that are no events, by their hash.
    pub refused: BTreeMap<String, Told>,
    /// Requests that were answered with 200.
    pub requests: u64,
    /// Of these, while a flush was writing.
    pub amid_flush: u64,
}

impl Sender {
    /// Counts the lines of a request that are no events.
    fn count(&mut self, hashes: &[Option<String>], count: fn(&mut Told)) {
        for hash in hashes.iter().flatten() {
            count(self.refused.entry(hash.clone()).or_default());
        }
    }
}

/// How many lines the next request has.
pub fn lines(rng: &mut Rng) -> usize {
    1 + rng.below(MOST_LINES)
}

/// What a request was told.
pub struct Reply {
    pub status: StatusCode,
    /// When to come back, seconds.
    pub retry_after: Option<u64>,
    answer: Answer,
}

async fn post(app: &Router, body: Vec<u8>) -> Reply {
    let request = Request::post("/v1/events?detail=all")
        .header(header::CONTENT_TYPE, "application/x-ndjson")
        .body(Body::from(body))
        .unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let later = response.headers().get(header::RETRY_AFTER);
    let retry_after = later.and_then(|seconds| seconds.to_str().ok()?.parse().ok());
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    Reply {
        status,
        retry_after,
        answer: serde_json::from_slice(&bytes).unwrap_or_default(),
    }
}

/// Sends the next lines; what is acknowledged is remembered.
pub async fn send(
    app: &Router,
    world: &World,
    sender: &Mutex<Sender>,
    count: usize,
    amid_flush: bool,
) -> Result<Reply, String> {
    let from = sender.lock().upto;
    let upto = (from + count).min(world.lines.len());
    let own = &world.lines[from..upto];
    let hashes = &world.hashes[from..upto];
    sender.lock().count(hashes, |told| told.sent += 1);
    let reply = post(app, own.concat()).await;
    if reply.status != StatusCode::OK {
        // Sent again later.
        return Ok(reply);
    }
    let mut sender = sender.lock();
    sender.count(hashes, |told| told.acknowledged += 1);
    for line in &reply.answer.lines {
        let bytes = own[line.line as usize - 1].trim_ascii_end();
        if line.status == "taken" || line.status == "conflict" {
            let event: serde_json::Value =
                serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
            let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
            let identity = (text("source"), text("id"), bytes.to_vec());
            sender.acknowledged.insert(identity);
        }
    }
    sender.upto = sender.upto.max(upto);
    sender.requests += 1;
    sender.amid_flush += u64::from(amid_flush);
    Ok(reply)
}

/// Sends lines again that were acknowledged.
pub async fn again(app: &Router, world: &World, sender: &Mutex<Sender>, lines: Range<usize>) {
    let hashes = &world.hashes[lines.clone()];
    sender.lock().count(hashes, |told| told.sent += 1);
    let reply = post(app, world.lines[lines].concat()).await;
    if reply.status == StatusCode::OK {
        sender.lock().count(hashes, |told| told.acknowledged += 1);
    }
}
