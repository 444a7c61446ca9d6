//! From a stream of the event socket, a file of it or a call record to records. Of the socket's
//! own frames only the events in them are kept.

use serde_json::value::RawValue;

use super::event::Event;
use super::{CDR, EVENT};
use crate::adapter::Declared;
use crate::lines::NewLine;
use crate::payload::{self, Piece, documents, fingerprint, object};

pub(super) fn split(bytes: &[u8], declared: &Declared) -> Vec<NewLine> {
    let mut out = Vec::new();
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if matches!(text.trim_ascii_start().first(), Some(b'{' | b'[')) {
        all_json(text, declared, &mut out);
        return out;
    }
    let mut block: Vec<u8> = Vec::new();
    for line in text.split(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.trim_ascii().is_empty() {
            take(&block, declared, &mut out);
            block.clear();
        } else {
            if !block.is_empty() {
                block.push(b'\n');
            }
            block.extend_from_slice(line);
        }
    }
    take(&block, declared, &mut out);
    out
}

fn all_json(bytes: &[u8], declared: &Declared, out: &mut Vec<NewLine>) {
    for piece in documents(bytes) {
        match piece {
            Piece::Json(raw) => json(raw, declared, out),
            Piece::Broken(part, reason) => {
                out.push(payload::dead("/freeswitch", "not_json", reason, part));
            }
        }
    }
}

/// A block of lines between blank lines.
fn take(block: &[u8], declared: &Declared, out: &mut Vec<NewLine>) {
    if block.is_empty() {
        return;
    }
    if matches!(block.first(), Some(b'{' | b'[')) {
        all_json(block, declared, out);
        return;
    }
    let Ok(text) = std::str::from_utf8(block) else {
        let reason = "an event whose bytes are no UTF-8; the socket writes percent signs";
        out.push(payload::dead(
            "/freeswitch",
            "invalid_utf8",
            reason.to_owned(),
            block,
        ));
        return;
    };
    let event = Event::of_text(text);
    if event.get("Event-Name").is_empty() {
        // Frames, greetings and replies of the socket are no events.
        if event.get("Content-Type").is_empty() && event.get("Content-Length").is_empty() {
            let reason = "lines without an Event-Name; send what the event socket writes";
            out.push(payload::dead(
                "/freeswitch",
                "unknown_document",
                reason.to_owned(),
                block,
            ));
        }
        return;
    }
    out.push(record(&event, block, declared));
}

fn json(raw: &RawValue, declared: &Declared, out: &mut Vec<NewLine>) {
    let bytes = raw.get().as_bytes();
    let Some(fields) = object(raw) else {
        let reason = "a document that is no object; send events or call records";
        out.push(payload::dead(
            "/freeswitch",
            "not_object",
            reason.to_owned(),
            bytes,
        ));
        return;
    };
    let Ok(v) = serde_json::from_str(raw.get()) else {
        return;
    };
    if fields.contains_key("Event-Name") {
        out.push(record(&Event::of_json(&v), bytes, declared));
    } else if fields.contains_key("variables") {
        let cdr = Event::of_cdr(&v);
        let id = format!("{}@{}", cdr.get("uuid"), fingerprint(bytes));
        let instance = instance(&cdr, "switchname", declared);
        out.push(payload::record(CDR, &instance, declared, &id, bytes));
    } else {
        let reason = "neither an event (Event-Name) nor a call record (variables)";
        out.push(payload::dead(
            "/freeswitch",
            "unknown_document",
            reason.to_owned(),
            bytes,
        ));
    }
}

fn instance(event: &Event, name: &str, declared: &Declared) -> String {
    match declared.instance.as_str() {
        "" => event.get(name).replace('/', "_"),
        given => given.to_owned(),
    }
}

/// An event; the server counts its own, anew after each start.
fn record(event: &Event, bytes: &[u8], declared: &Declared) -> NewLine {
    let (core, n) = (event.get("Core-UUID"), event.int("Event-Sequence"));
    let id = match n {
        Some(n) if !core.is_empty() => format!("{core}/{n}"),
        _ => String::new(),
    };
    let instance = instance(event, "FreeSWITCH-Switchname", declared);
    let mut line = payload::record(EVENT, &instance, declared, &id, bytes);
    if let NewLine::Record(new) = &mut line {
        new.stamp.sequence = n.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    }
    line
}
