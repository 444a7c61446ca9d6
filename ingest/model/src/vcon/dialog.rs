//! Dialogs of a vCon and what was heard in them.

use serde_json::{Map, Value, json};

use super::{Conversation, Parties};
use crate::tables::{ContactRow, Instant, RecordingRow, SegmentRow, TagRow, TurnRow};
use crate::time::{MILLI, format_rfc3339};

/// A dialog on its way.
struct Dialog {
    start: Option<Instant>,
    end: Option<Instant>,
    agent: Option<usize>,
    fields: Map<String, Value>,
    /// Takes sound.
    heard: bool,
    recordings: Vec<usize>,
}

/// Dialogs and analyses of a contact.
pub(super) fn all(
    of: &Conversation,
    contact: &ContactRow,
    parties: &mut Parties,
    sound: Option<&str>,
) -> (Vec<Value>, Vec<Value>) {
    let mut segments: Vec<&SegmentRow> = of.segments.iter().collect();
    segments.sort_by_key(|s| s.seq);
    let talked = segments.iter().any(|s| s.kind == "talk");
    let mut dialogs: Vec<Dialog> = Vec::new();
    let mut handed: Vec<(usize, usize)> = Vec::new();
    for s in &segments {
        let Some(dialog) = dialog(s, talked, parties) else {
            continue;
        };
        dialogs.push(dialog);
        if s.kind == "talk" && s.outcome.as_deref() == Some("transferred") {
            let to = s.target.as_deref().filter(|t| !t.is_empty());
            if let Some(to) = to {
                handed.push((dialogs.len() - 1, parties.number(to, "target")));
            }
        }
    }
    holds(&segments, &mut dialogs);
    place(of, contact, &mut dialogs, parties);
    let mut analyses = Vec::new();
    let mut out: Vec<Value> = Vec::new();
    for (n, dialog) in dialogs.into_iter().enumerate() {
        analyses.extend(analysis(n, &dialog, of));
        out.push(finished(dialog, of, sound));
    }
    for (original, to) in handed {
        let start = out.get(original).and_then(|d| d.get("start")).cloned();
        out.push(
            json!({"type": "transfer", "start": start, "original": original, "transferee": 0,
            "transfer-target": to}),
        );
    }
    (out, analyses)
}

/// The dialog that a segment is, if it is any.
fn dialog(s: &SegmentRow, talked: bool, parties: &mut Parties) -> Option<Dialog> {
    let outcome = s.outcome.as_deref().unwrap_or("");
    let (kind, disposition) = match s.kind.as_str() {
        "talk" => ("recording", ""),
        "voicemail" if outcome == "empty" => ("incomplete", "voicemail-no-message"),
        "voicemail" => ("recording", ""),
        "message" => ("text", ""),
        "dial" => match outcome {
            "no_answer" => ("incomplete", "no-answer"),
            "busy" => ("incomplete", "busy"),
            "canceled" => ("incomplete", "hung-up"),
            "failed" => ("incomplete", "failed"),
            _ => return None,
        },
        "queue" if outcome == "abandoned" && !talked => ("incomplete", "hung-up"),
        _ => return None,
    };
    let mut fields = Map::new();
    fields.insert("type".into(), json!(kind));
    if !disposition.is_empty() {
        fields.insert("disposition".into(), json!(disposition));
    }
    if let Some(queue) = &s.queue {
        fields.insert("skill".into(), json!(queue));
    }
    let agent = s.agent.as_deref().map(|a| parties.number(a, "agent"));
    if s.kind == "message" {
        fields.insert("mediatype".into(), json!("text/plain"));
        if let Some(id) = &s.name {
            fields.insert("message_id".into(), json!(id));
        }
    }
    if let Some(raw) = &s.raw_outcome {
        fields.insert("meta".into(), json!({"disposition": raw}));
    }
    Some(Dialog {
        start: s.started_at,
        end: match s.kind.as_str() {
            "message" => None,
            _ => s.ended_at,
        },
        agent,
        fields,
        heard: kind == "recording",
        recordings: Vec::new(),
    })
}

/// Holds, as what happened to the customer in the talk.
fn holds(segments: &[&SegmentRow], dialogs: &mut [Dialog]) {
    for hold in segments.iter().filter(|s| s.kind == "hold") {
        let Some(start) = hold.started_at else {
            continue;
        };
        let within = |d: &&mut Dialog| {
            d.heard && d.start.is_some_and(|s| s <= start) && d.end.is_none_or(|e| start <= e)
        };
        let Some(dialog) = dialogs.iter_mut().find(within) else {
            continue;
        };
        let history = dialog.fields.entry("party_history");
        let history = history.or_insert_with(|| json!([]));
        if let Some(list) = history.as_array_mut() {
            list.push(json!({"party": 0, "event": "hold", "time": format_rfc3339(start.0)}));
            if let Some(end) = hold.ended_at {
                list.push(json!({"party": 0, "event": "unhold", "time": format_rfc3339(end.0)}));
            }
        }
    }
}

/// Gives each recording to the talk that it was made in; one that fits none is a dialog of its own.
fn place(
    of: &Conversation,
    contact: &ContactRow,
    dialogs: &mut Vec<Dialog>,
    parties: &mut Parties,
) {
    for (n, r) in of.recordings.iter().enumerate() {
        let start = r.started_at.or(contact.started_at);
        let end = r.ended_at.or(start);
        let meets = |d: &Dialog| {
            let (Some(from), Some(start)) = (d.start, start) else {
                return d.heard;
            };
            let ended_before = d.end.is_some_and(|e| e < start);
            let begins_after = end.is_some_and(|e| e < from);
            d.heard && !ended_before && !begins_after
        };
        let agent = r.agent.as_deref().map(|a| parties.number(a, "agent"));
        let place = dialogs
            .iter()
            .position(|d| meets(d) && agent.is_some() && d.agent == agent)
            .or_else(|| dialogs.iter().position(meets));
        if let Some(dialog) = place.and_then(|p| dialogs.get_mut(p)) {
            dialog.recordings.push(n);
            continue;
        }
        let mut fields = Map::new();
        fields.insert("type".into(), json!("recording"));
        if let Some(queue) = &r.queue {
            fields.insert("skill".into(), json!(queue));
        }
        dialogs.push(Dialog {
            start,
            end: r.ended_at,
            agent,
            fields,
            heard: true,
            recordings: vec![n],
        });
    }
}

fn recordings<'a>(dialog: &Dialog, of: &'a Conversation) -> Vec<&'a RecordingRow> {
    let mut all: Vec<&RecordingRow> = dialog
        .recordings
        .iter()
        .filter_map(|n| of.recordings.get(*n))
        .collect();
    // Of legs that were kept apart the one with both sides comes first.
    all.sort_by_key(|r| (r.leg != "both", r.recording_id.clone()));
    all
}

fn finished(dialog: Dialog, of: &Conversation, sound: Option<&str>) -> Value {
    let found = recordings(&dialog, of);
    let mut fields = dialog.fields;
    if let Some(start) = dialog.start {
        fields.insert("start".into(), json!(format_rfc3339(start.0)));
    }
    if let (Some(start), Some(end)) = (dialog.start, dialog.end) {
        let seconds = (end.0 - start.0).max(0) as f64 / 1e6;
        fields.insert("duration".into(), json!(seconds));
    }
    let parties: Vec<usize> = std::iter::once(0).chain(dialog.agent).collect();
    // A message that names an agent is his; the container takes the first party for the sender.
    let sender = match fields.get("type").and_then(Value::as_str) {
        Some("text") => dialog.agent.unwrap_or(0),
        _ => 0,
    };
    fields.insert("parties".into(), json!(parties));
    fields.insert("originator".into(), json!(sender));
    if let Some(first) = found.first() {
        fields.insert("mediatype".into(), json!("audio/x-wav"));
        fields.insert(
            "filename".into(),
            json!(format!("{}.wav", first.recording_id)),
        );
        if let (Some(base), "ready") = (sound, first.state.as_str()) {
            let (contact, track) = (escaped(&first.contact_id), escaped(&track(first)));
            let url = format!("{base}{contact}.wav?track={track}");
            fields.insert("url".into(), json!(url));
        }
    }
    Value::Object(fields)
}

/// The name of the sound that a recording is a leg of: its id without the leg.
fn track(r: &RecordingRow) -> String {
    if !matches!(r.leg.as_str(), "agent" | "customer") {
        return r.recording_id.clone();
    }
    let mut parts: Vec<&str> = r.recording_id.split('/').collect();
    if let Some(at) = parts.iter().rposition(|part| *part == r.leg)
        && parts.len() > 1
    {
        parts.remove(at);
    }
    parts.join("/")
}

/// A text as one part of an address.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for b in text.bytes() {
        match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(b));
            }
            _ => out += &format!("%{b:02X}"),
        }
    }
    out
}

/// What was heard and found in a dialog.
fn analysis(n: usize, dialog: &Dialog, of: &Conversation) -> Vec<Value> {
    let found = recordings(dialog, of);
    let ids: Vec<&str> = found.iter().map(|r| &*r.recording_id).collect();
    let shift = |id: &str| {
        let start = found.iter().find(|r| r.recording_id == *id)?.started_at?;
        Some((start.0 - dialog.start?.0) / MILLI)
    };
    let mut turns: Vec<(i64, i64, &TurnRow)> = of
        .turns
        .iter()
        .filter(|t| ids.contains(&&*t.recording_id))
        .map(|t| {
            let by = shift(&t.recording_id).unwrap_or(0);
            ((t.start_ms + by).max(0), (t.end_ms + by).max(0), t)
        })
        .collect();
    turns.sort_by_key(|(start, end, t)| (*start, *end, t.seq));
    let mut out = Vec::new();
    if let Some((_, _, first)) = turns.first() {
        let model = first.model.clone();
        let body: Vec<Value> = turns.iter().map(|t| turn(t, dialog)).collect();
        out.push(
            json!({"type": "transcript", "dialog": n, "mediatype": "application/json",
            "vendor": "callboard", "product": model, "schema": "turns", "encoding": "json",
            "body": body}),
        );
    }
    let tags: Vec<&TagRow> = of
        .tags
        .iter()
        .filter(|t| ids.contains(&&*t.recording_id))
        .collect();
    if !tags.is_empty() {
        let body: Vec<Value> = tags
            .iter()
            .map(|t| {
                json!({"kind": t.kind, "name": t.name, "leg": t.leg, "start_ms": t.start_ms,
                    "end_ms": t.end_ms, "evidence": t.evidence, "score": t.score})
            })
            .collect();
        out.push(
            json!({"type": "report", "dialog": n, "mediatype": "application/json",
            "vendor": "callboard", "schema": "tags", "encoding": "json", "body": body}),
        );
    }
    out
}

fn turn((start, end, t): &(i64, i64, &TurnRow), dialog: &Dialog) -> Value {
    let seconds = |ms: i64| ms as f64 / 1_000.0;
    let mut said = Map::new();
    let party = match t.leg.as_str() {
        "customer" => Some(0),
        "agent" => dialog.agent,
        _ => None,
    };
    match party {
        Some(n) => said.insert("party".into(), json!(n)),
        None => said.insert("speaker".into(), json!(t.leg)),
    };
    said.insert("start".into(), json!(seconds(*start)));
    said.insert("end".into(), json!(seconds(*end)));
    said.insert("text".into(), json!(t.text));
    if let Some(sentiment) = t.sentiment {
        said.insert("sentiment".into(), json!(sentiment));
    }
    Value::Object(said)
}
