//! From a body to records. A body is one object, an array, lines of objects, or an envelope around
//! an array (`records` of Azure Monitor, `activities` of a bot); one bad item costs itself alone.

use callboard_model::record::{MAX_RECORD_BYTES, Stamp, bounded};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::Feed;
use super::doc::Doc;
use super::ids::hex;
use crate::adapter::Declared;
use crate::lines::{DeadLine, NewLine, NewRecord, PREFIX_BYTES};

/// Instance of what names no resource where none was declared.
const DEFAULT_INSTANCE: &str = "default";

/// So many objects that never end are looked for to the end of the body.
const ENDLESS: usize = 32;

/// Type of the event by which Event Grid asks whether an endpoint wants its events.
const VALIDATION: &str = "Microsoft.EventGrid.SubscriptionValidationEvent";

/// An item of a body: its bytes, or what is wrong with them.
struct Item<'a> {
    bytes: &'a [u8],
    whole: bool,
}

/// The records in a body, and what can be none.
pub fn split(bytes: &[u8], declared: &Declared) -> Vec<NewLine> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut out = Vec::new();
    for item in items(bytes) {
        take(item, declared, true, &mut out);
    }
    out
}

fn take(item: Item<'_>, declared: &Declared, may_nest: bool, out: &mut Vec<NewLine>) {
    let dead = |class, reason: &str| dead(item.bytes, declared, class, reason);
    let Ok(text) = std::str::from_utf8(item.bytes) else {
        out.push(dead("invalid_utf8", "the item is not UTF-8; send JSON"));
        return;
    };
    if !item.whole {
        out.push(dead(
            "not_json",
            "the item begins no JSON object or never ends; send whole objects",
        ));
        return;
    }
    if may_nest && let Some(inner) = nested(text) {
        for raw in inner {
            let item = Item {
                bytes: raw.get().as_bytes(),
                whole: true,
            };
            take(item, declared, false, out);
        }
        return;
    }
    if item.bytes.len() > MAX_RECORD_BYTES {
        let n = item.bytes.len();
        out.push(dead(
            "too_long",
            &format!("the item has {n} bytes; at most {MAX_RECORD_BYTES}"),
        ));
        return;
    }
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(e) => {
            out.push(dead("not_json", &format!("the item is no JSON: {e}")));
            return;
        }
    };
    let d = Doc(&value);
    if is_validation(d) {
        return;
    }
    let feed = match feed(d) {
        Ok(feed) => feed,
        Err((class, reason)) => {
            out.push(dead(class, &reason));
            return;
        }
    };
    let instance = instance(d, declared);
    out.push(NewLine::Record(NewRecord {
        source: format!("/acs/{instance}/{}", feed.name()).into(),
        id: identity(feed, d, item.bytes),
        format: feed.format(),
        stamp: Stamp {
            instance,
            zone: declared.zone.clone(),
            ..Stamp::default()
        },
        bytes: item.bytes.to_vec(),
    }));
}

/// The items of an envelope around an array.
fn nested(text: &str) -> Option<Vec<&RawValue>> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        records: Option<Vec<&'a RawValue>>,
        #[serde(borrow)]
        activities: Option<Vec<&'a RawValue>>,
    }
    if !text.contains("\"records\"") && !text.contains("\"activities\"") {
        return None;
    }
    let e: Envelope<'_> = serde_json::from_str(text).ok()?;
    e.records.or(e.activities)
}

fn is_validation(d: Doc<'_>) -> bool {
    let kind = d.first(&["eventType", "type"]).as_text();
    kind.eq_ignore_ascii_case(VALIDATION)
}

/// The answer that Event Grid awaits when this body is its question whether the endpoint wants the
/// events of a subscription: a JSON object to send back with status 200 within 30 s. `None` where
/// the body asks nothing. The same event makes no record in [`split`].
pub fn validation_answer(body: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let events = match &value {
        Value::Array(events) => events.as_slice(),
        one => std::slice::from_ref(one),
    };
    let asked = events.iter().map(Doc).find(|d| is_validation(*d))?;
    let code = asked.get("data").text("validationCode");
    if code.is_empty() {
        return None;
    }
    Some(serde_json::json!({ "validationResponse": code }).to_string())
}

/// Which feed an item is of, told by the fields that it has.
fn feed(d: Doc<'_>) -> Result<Feed, (&'static str, String)> {
    if !d.is_object() {
        return Err(("unknown_shape", "the item is no JSON object".to_owned()));
    }
    let kind = d.first(&["eventType", "type"]).as_text();
    if starts_with(&kind, "Microsoft.Communication.") {
        let from = d.first(&["source", "topic"]).as_text();
        let calls_back = d.get("data").get("callConnectionId").is_some();
        return Ok(if calls_back || starts_with(&from, "calling/") {
            Feed::CallAutomation
        } else {
            Feed::EventGrid
        });
    }
    if d.get("conversation").is_object() || (kind == "event" && d.get("name").is_some()) {
        return Ok(Feed::Bot);
    }
    if d.get("chunkDocumentId").is_some() || d.get("recordingInfo").is_object() {
        return Ok(Feed::RecordingMetadata);
    }
    // Exported from Log Analytics, a row is flat and names its table.
    let log = d.first(&["category", "operationName", "type"]).as_text();
    if log.contains("CallSummary") || log.contains("CallDiagnostics") || log.contains("CallSurvey")
    {
        return Ok(Feed::Monitor);
    }
    if kind.is_empty() {
        return Err((
            "unknown_shape",
            "the item has neither a type of Microsoft.Communication nor the fields of a bot's activity, a recording's metadata or a call log; check what is sent here".to_owned(),
        ));
    }
    Err((
        "unknown_type",
        format!("type {kind:?} is none of Microsoft.Communication; narrow the event subscription"),
    ))
}

fn starts_with(text: &str, prefix: &str) -> bool {
    let head = text.get(..prefix.len());
    head.is_some_and(|h| h.eq_ignore_ascii_case(prefix))
}

/// The instance that was declared, else the name of the communication resource that the item names
/// (unique in all of Azure, compared without case).
fn instance(d: Doc<'_>, declared: &Declared) -> String {
    if !declared.instance.is_empty() {
        return declared.instance.clone();
    }
    let path = d
        .first(&["topic", "source", "resourceId", "_ResourceId"])
        .as_text();
    let path = path.to_ascii_lowercase();
    let name = path
        .split_once("/communicationservices/")
        .and_then(|(_, rest)| rest.split('/').next())
        .unwrap_or("");
    match name {
        "" => DEFAULT_INSTANCE.to_owned(),
        name => name.to_owned(),
    }
}

/// The platform's own identity of an item, else the hash of its bytes.
fn identity(feed: Feed, d: Doc<'_>, bytes: &[u8]) -> String {
    let id = d.text("id");
    let given = match feed {
        Feed::EventGrid | Feed::CallAutomation => {
            let kind = d.first(&["eventType", "type"]).as_text();
            let short = kind.rsplit('.').next().unwrap_or("").to_owned();
            // Reports on one message have its id: each is a version of its own.
            if id.is_empty() || short != "SMSDeliveryReportReceived" {
                (!id.is_empty()).then(|| format!("{short}/{id}"))
            } else {
                let at = d.first(&["eventTime", "time"]).as_text();
                Some(format!("{short}/{id}@{at}"))
            }
        }
        Feed::Bot => {
            let conversation = d.get("conversation").text("id");
            (!id.is_empty()).then(|| format!("{conversation}/{id}"))
        }
        // Their rows have no id of their own.
        Feed::RecordingMetadata | Feed::Monitor => None,
    };
    given.unwrap_or_else(|| hex(&Sha256::digest(bytes)))
}

fn dead(bytes: &[u8], declared: &Declared, class: &'static str, reason: &str) -> NewLine {
    let instance = match declared.instance.as_str() {
        "" => DEFAULT_INSTANCE,
        name => name,
    };
    let kept = if bytes.len() > MAX_RECORD_BYTES {
        bytes.get(..PREFIX_BYTES).unwrap_or(bytes)
    } else {
        bytes
    };
    NewLine::Dead(DeadLine {
        source: format!("/acs/{instance}").into(),
        class,
        reason: bounded(reason.to_owned()),
        bytes: kept.to_vec(),
        length: bytes.len() as u64,
        sha256: hex(&Sha256::digest(bytes)),
    })
}

/// The objects of a body in their order: at the top level, or one array deep. What is neither is
/// an item too, up to the end of its line, so that it is not lost.
fn items(bytes: &[u8]) -> Vec<Item<'_>> {
    let mut out = Vec::new();
    let (mut at, mut endless) = (0, 0);
    while let Some(c) = bytes.get(at) {
        match c {
            b'{' => {
                let rest = bytes.get(at..).unwrap_or(&[]);
                // An object that never ends is cut at its line, so that the next lines are read.
                // Where that happens often, no more is looked at than the line.
                let line = line_length(rest);
                let scope = match endless {
                    0..ENDLESS => rest,
                    _ => rest.get(..line).unwrap_or(rest),
                };
                let (length, whole) = match object_length(scope) {
                    Some(length) => (length, true),
                    None => (line, false),
                };
                endless += usize::from(!whole);
                let bytes = rest.get(..length).unwrap_or(rest);
                out.push(Item { bytes, whole });
                at += length.max(1);
            }
            b'[' | b']' | b',' => at += 1,
            c if c.is_ascii_whitespace() => at += 1,
            _ => {
                let rest = bytes.get(at..).unwrap_or(&[]);
                let length = line_length(rest).max(1);
                let bytes = rest.get(..length).unwrap_or(rest);
                out.push(Item {
                    bytes,
                    whole: false,
                });
                at += length;
            }
        }
    }
    out
}

fn line_length(bytes: &[u8]) -> usize {
    let end = bytes.iter().position(|c| *c == b'\n');
    end.unwrap_or(bytes.len())
}

/// Bytes of the object that begins here, if it ends.
fn object_length(bytes: &[u8]) -> Option<usize> {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for (at, c) in bytes.iter().enumerate() {
        if in_text {
            match c {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match c {
            b'"' => in_text = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}
