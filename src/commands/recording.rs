//! `callboard recording put`.

use std::time::SystemTime;

use callboard_ingest::doors::recordings::{Stored, container};
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Method;

use super::client::Client;
use super::{Failure, block_on, print};
use crate::cli::{LegArg, PutArgs, RecordingCommand};

/// Does it.
///
/// # Errors
/// What is wrong with the file, or with the server.
pub fn run(command: RecordingCommand) -> Result<(), Failure> {
    let RecordingCommand::Put(args) = command;
    let stored = block_on(put(&args))?;
    print(&format!(
        "{} {} ({} bytes, sha256 {})\n",
        stored.status, stored.recording_id, stored.bytes, stored.sha256
    ))
}

fn leg(leg: LegArg) -> &'static str {
    match leg {
        LegArg::Agent => "agent",
        LegArg::Customer => "customer",
        LegArg::Both => "both",
        LegArg::Mixed => "mixed",
    }
}

async fn put(args: &PutArgs) -> Result<Stored, Failure> {
    let client = Client::new(&args.to)?;
    let name = args.file.display();
    let unread = |e: std::io::Error| Failure::failed(format!("{name}: {e}"));
    let bytes = tokio::fs::read(&args.file).await.map_err(unread)?;
    if bytes.is_empty() {
        return Err(Failure::failed(format!(
            "{name} is empty (0 bytes); send it once the recorder has written it"
        )));
    }
    if container(&bytes).is_none() {
        return Err(Failure::failed(format!(
            "{name} does not begin like WAV, FLAC, MP3 or OGG; send one of these"
        )));
    }
    // With the file's own time a second sending says exactly the same.
    let changed = std::fs::metadata(&args.file)
        .and_then(|m| m.modified())
        .ok()
        .and_then(|t| t.duration_since(SystemTime::UNIX_EPOCH).ok());
    let mut query: Vec<(&str, String)> = Vec::new();
    if let Some(changed) = changed {
        query.push((
            "recorded_at",
            format!("{}.{:06}", changed.as_secs(), changed.subsec_micros()),
        ));
    }
    for (key, value) in [
        ("started_at", &args.started_at),
        ("queue", &args.queue),
        ("agent", &args.agent),
    ] {
        query.extend(value.clone().map(|v| (key, v)));
    }
    if args.voicemail {
        query.push(("voicemail", "true".into()));
    }
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
        bar.set_style(style);
    }
    bar.set_message(format!("sending {name} ({} bytes)", bytes.len()));
    bar.enable_steady_tick(std::time::Duration::from_millis(120));
    let mut request = client
        .request(
            Method::PUT,
            &["v1", "recordings", &args.contact, leg(args.leg)],
        )
        .body(bytes);
    request = with_query(request, &query)?;
    let response = client.send(request).await;
    bar.finish_and_clear();
    let text = client.text(response?).await?;
    serde_json::from_str(&text).map_err(|e| {
        Failure::failed(format!(
            "{} gave no answer that can be read: {e}",
            client.url()
        ))
    })
}

/// Adds a query to a request.
///
/// # Errors
/// When the request is none.
pub fn with_query(
    request: reqwest::RequestBuilder,
    query: &[(&str, String)],
) -> Result<reqwest::RequestBuilder, Failure> {
    let (http, built) = request.build_split();
    let mut built = built.map_err(|e| Failure::failed(e.to_string()))?;
    if !query.is_empty() {
        built.url_mut().query_pairs_mut().extend_pairs(query);
    }
    Ok(reqwest::RequestBuilder::from_parts(http, built))
}
