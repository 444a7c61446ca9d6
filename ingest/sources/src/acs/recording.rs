//! Recordings: when one runs, is paused and is ready, with its gaps and its channels.
//!
//! A recording has an identity of its own and never reopens its contact. The events name it by
//! recording id; the metadata of a file names only the document, so it stands under that unless the
//! program that fetched it wrote `recordingId` into it.

use std::collections::BTreeMap;

use callboard_model::ids::Key;
use callboard_model::statement::{F, Statement, Thing, Value};

use super::doc::Doc;
use super::ids::{self, platform_id};
use super::parts::When;
use super::{Event, Feed, instance_source};

/// The key of the recording that an event is of; nothing where it is of none.
pub fn key(event: &Event) -> Option<Key> {
    let d = event.data();
    let id = match event.kind.as_str() {
        "RecordingStateChanged" | "StartRecordingFailed" => d.text("recordingId"),
        "RecordingFileStatusUpdated" => {
            let named = from_subject(event, "recordingId");
            if named.is_empty() {
                first_chunk(d).text("documentId")
            } else {
                named
            }
        }
        "RecordingMetadata" if event.feed == Feed::RecordingMetadata => {
            d.first(&["recordingId", "chunkDocumentId"]).as_text()
        }
        _ => return None,
    };
    let id = id.trim_end_matches('=');
    if id.is_empty() {
        return None;
    }
    Some(Key::Recording(
        format!("{}-{id}", event.instance).as_str().into(),
    ))
}

fn first_chunk(d: Doc<'_>) -> Doc<'_> {
    let storage = d.get("recordingStorageInfo");
    let first = storage.list("recordingChunks").next();
    first.unwrap_or(storage)
}

/// The part of the subject after a name, as in `/recording/call/ID/serverCallId/ID/recordingId/ID`.
fn from_subject(event: &Event, name: &str) -> String {
    let subject = event.document().text("subject");
    let mut parts = subject.split('/').skip_while(|p| *p != name);
    parts.nth(1).unwrap_or("").to_owned()
}

/// What the events of a recording say together.
pub fn interpret(events: &[Event]) -> Vec<Statement> {
    let mut out = Vec::new();
    let mut running: Option<i64> = None;
    let mut begun: Option<i64> = None;
    let mut files: BTreeMap<String, &Event> = BTreeMap::new();
    let mut gaps: Vec<(i64, i64)> = Vec::new();
    let mut paused_at: Option<i64> = None;
    for event in events {
        let d = event.data();
        let when = &event.when;
        let mut said = Statement::new(Thing::Recording, &when.by)
            .text(F::Source, &instance_source(&event.instance))
            .text(F::Contact, &contact(event));
        match event.kind.as_str() {
            "RecordingStateChanged" => {
                let state = d.text("state").to_ascii_lowercase();
                said = said
                    .text(F::NativeState, &state)
                    .text(F::Attr("kind".into()), &d.text("recordingKind"));
                if state == "active" {
                    let start = d
                        .time("startDateTime")
                        .map_or_else(|| when.clone(), |t| when.told(t));
                    begun.get_or_insert(start.at);
                    if let (Some(from), None) = (paused_at.take(), running) {
                        gaps.push((from, when.at));
                    }
                    running = Some(when.at);
                    said = said.text(F::State, "active");
                    if start.at <= begun.unwrap_or(start.at) {
                        said = said.time(F::Start, start.at, start.precision);
                    }
                } else if state == "inactive" {
                    running = None;
                    paused_at = Some(when.at);
                    // Whether it goes on or is over, what comes next tells.
                    said = said
                        .text(F::State, "paused")
                        .time(F::End, when.at, when.precision);
                }
            }
            "StartRecordingFailed" => {
                let result = d.first(&["resultInformation", "resultInfo"]);
                said = said
                    .text(F::State, "failed")
                    .text(F::Reason, &result.text("message"));
            }
            "RecordingFileStatusUpdated" => {
                said = file(said, d);
                let document = first_chunk(d).text("documentId");
                files.insert(document, event);
            }
            _ => said = metadata(said, when, d),
        }
        out.push(said);
    }
    out.extend(whole(&files));
    // Mixed is what the service records unless it is asked for more.
    if let Some(first) = events.first() {
        let said = Statement::new(Thing::Recording, &first.when.guess().by);
        out.push(said.text(F::Leg, "mixed"));
    }
    if let (Some(begun), Some(event)) = (begun, events.last())
        && !gaps.is_empty()
    {
        let spans = gaps
            .iter()
            .map(|(from, to)| gap((from - begun) / 1_000, (to - begun) / 1_000));
        let said = Statement::new(Thing::Recording, &event.when.guess().by);
        out.push(said.text(F::Gaps, &list(spans)));
    }
    out
}

/// The contact that was recorded, named by the call.
fn contact(event: &Event) -> String {
    let d = event.data();
    let server = match d.text("serverCallId") {
        id if id.is_empty() => from_subject(event, "serverCallId"),
        id => id,
    };
    let call = match from_subject(event, "call") {
        id if id.is_empty() => d.text("callId"),
        id => id,
    };
    // A call id is what the calls' events name correlationId.
    let native = ids::call(&server).or_else(|| ids::native("correlation", &call));
    native.map_or(String::new(), |n| {
        platform_id(&event.instance, &n).contact_id()
    })
}

fn leg(channels: &str) -> &'static str {
    match channels.to_ascii_lowercase().as_str() {
        "unmixed" => "both",
        "mixed" => "mixed",
        _ => "",
    }
}

/// A file is there to be fetched.
fn file(said: Statement, d: Doc<'_>) -> Statement {
    let mut said = said
        .text(F::State, "ready")
        .text(F::Leg, leg(&d.text("recordingChannelType")))
        .text(
            F::Codec,
            &d.text("recordingFormatType").to_ascii_lowercase(),
        )
        .text(F::EndReason, &d.text("sessionEndReason"));
    for (n, chunk) in d
        .get("recordingStorageInfo")
        .list("recordingChunks")
        .enumerate()
        .take(100)
    {
        let index = chunk.int("index").unwrap_or(n as i64);
        let document = chunk.text("documentId");
        said = said.text(
            F::Attr(format!("chunk.{index}.{document}").as_str().into()),
            &chunk.text("contentLocation"),
        );
    }
    said
}

/// Start, length and end over all files: a service that failed over leaves several of one recording,
/// each told by an event of its own.
fn whole(files: &BTreeMap<String, &Event>) -> Option<Statement> {
    let last = files.values().max_by(|a, b| a.order(b))?;
    let mut said = Statement::new(Thing::Recording, &last.when.by);
    let lengths = files.values().filter_map(|e| {
        let ms = e.data().int("recordingDurationMs")?;
        (0..=10_000_000_000).contains(&ms).then_some((*e, ms))
    });
    let lengths: Vec<(&Event, i64)> = lengths.collect();
    if !lengths.is_empty() {
        let sum: i64 = lengths.iter().map(|(_, ms)| ms).sum();
        said = said.int(F::Duration, sum);
    }
    let start = |e: &Event| e.data().time("recordingStartTime");
    if let Some((at, precision)) = files.values().filter_map(|e| start(e)).min() {
        said = said.time(F::Start, at, precision);
    }
    // A pause is no part of a file, so that this may lie before the true end.
    let ends = lengths.iter().filter_map(|(e, ms)| {
        let (at, precision) = start(e)?;
        Some((at + ms * 1_000, precision.max(1_000)))
    });
    if let Some((at, precision)) = ends.max() {
        said = said.time(F::End, at, precision);
    }
    Some(said)
}

/// The metadata of a file: format, channels and who is on which, pauses.
fn metadata(said: Statement, when: &When, d: Doc<'_>) -> Statement {
    let info = d.get("recordingInfo");
    // Some files have these two the wrong way round.
    let words = [info.text("channelType"), info.text("contentType")];
    let leg = words.iter().map(|w| leg(w)).find(|l| !l.is_empty());
    let audio = info.get("audioConfiguration");
    let mut said = said
        .text(F::State, "ready")
        .text(F::Leg, leg.unwrap_or(""))
        .text(F::Codec, &info.text("format").to_ascii_lowercase())
        .time(F::Start, when.at, when.precision);
    let length = d
        .int("chunkDuration")
        .filter(|ms| (0..=10_000_000_000).contains(ms));
    if let Some(ms) = length {
        said = said.int(F::Duration, ms);
        said = said.time(F::End, when.at + ms * 1_000, when.precision.max(1_000));
    }
    for (f, name) in [(F::Rate, "sampleRate"), (F::Channels, "channels")] {
        if let Some(n) = audio.int(name) {
            said = said.int(f, n);
        }
    }
    let mut channels: BTreeMap<i64, String> = BTreeMap::new();
    for p in d.list("participants") {
        if let Some(channel) = p.int("channel") {
            channels.insert(channel, p.text("participantId"));
        }
    }
    for (channel, raw) in channels {
        said = said.text(F::Attr(format!("channel.{channel}").as_str().into()), &raw);
    }
    let pauses: Vec<(i64, i64)> = d
        .list("pauseResumeIntervals")
        .filter_map(|p| {
            let (from, _) = p.time("startTime")?;
            let start = (from - when.at) / 1_000;
            Some((start, start.checked_add(p.int("duration")?)?))
        })
        .collect();
    if !pauses.is_empty() {
        let spans = pauses.into_iter().map(|(from, to)| gap(from, to));
        said = said.with(F::Gaps, Value::text(&list(spans)));
    }
    said
}

fn gap(start_ms: i64, end_ms: i64) -> serde_json::Value {
    serde_json::json!({ "start_ms": start_ms.max(0), "end_ms": end_ms.max(0), "reason": "paused" })
}

fn list(spans: impl Iterator<Item = serde_json::Value>) -> String {
    serde_json::Value::Array(spans.collect()).to_string()
}
