//! From a body to records. A call-back is one form; a file may hold one a line. JSON is an event
//! of a list or of a stream, or an array of them.

use serde_json::Value;
use serde_json::value::RawValue;

use super::fields::Fields;
use super::{CONFERENCE, INSIGHTS, RECORDING, TASKROUTER, VOICE, insights};
use crate::adapter::Declared;
use crate::lines::NewLine;
use crate::payload::{self, Piece, documents, list, object};

pub(super) fn split(bytes: &[u8], declared: &Declared) -> Vec<NewLine> {
    let mut out = Vec::new();
    let text = bytes.trim_ascii_start();
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    if matches!(text.first(), Some(b'{' | b'[')) {
        for piece in documents(text) {
            match piece {
                Piece::Json(raw) => json(raw, true, declared, &mut out),
                Piece::Broken(part, reason) => {
                    out.push(payload::dead("/twilio", "not_json", reason, part));
                }
            }
        }
        return out;
    }
    for line in text.split(|b| *b == b'\n') {
        let line = line.trim_ascii();
        if !line.is_empty() {
            out.push(form(line, declared));
        }
    }
    out
}

fn form(line: &[u8], declared: &Declared) -> NewLine {
    let Ok(text) = std::str::from_utf8(line) else {
        let reason = "a form is ASCII with percent signs; this is not even UTF-8";
        return payload::dead("/twilio", "invalid_utf8", reason.to_owned(), line);
    };
    if !text.contains('=') {
        let reason = "neither a form nor JSON; send the body of the call-back as it came";
        return payload::dead("/twilio", "not_form", reason.to_owned(), line);
    }
    let fields = Fields::of_form(text);
    // An event of TaskRouter has a sid of its own; other call-backs have none, and a repeat has
    // the same bytes.
    let sid = fields.get("sid");
    let id = if sid.starts_with("EV") { sid } else { "" };
    record(&fields, id, line, declared)
}

/// A document; only an outermost one may hold a list of others.
fn json(raw: &RawValue, outermost: bool, declared: &Declared, out: &mut Vec<NewLine>) {
    let bytes = raw.get().as_bytes();
    let Some(outer) = object(raw) else {
        let reason = "a document that is no object; send events of TaskRouter";
        out.push(payload::dead(
            "/twilio",
            "not_object",
            reason.to_owned(),
            bytes,
        ));
        return;
    };
    let within = outer.get("events").filter(|_| outermost);
    if let Some(all) = within.and_then(|raw| list(raw)) {
        for one in all {
            json(one, false, declared, out);
        }
        return;
    }
    let of = |name: &str| {
        outer
            .get(name)
            .map(|raw| raw.get().trim_matches('"').to_owned())
    };
    if insights::is_summary(|name| outer.contains_key(name)) {
        let account = of("account_sid").or(of("accountSid")).unwrap_or_default();
        let instance = match declared.instance.as_str() {
            "" => account.as_str(),
            given => given,
        };
        out.push(payload::record(INSIGHTS, instance, declared, "", bytes));
        return;
    }
    let v: Value = match serde_json::from_str(raw.get()) {
        Ok(v) => v,
        Err(e) => {
            let reason = format!("cannot be read: {e}");
            out.push(payload::dead("/twilio", "not_json", reason, bytes));
            return;
        }
    };
    let fields = Fields::of_json(&v);
    // The same event in the list and as a call-back has the same sid but other bytes.
    let id = match (outer.contains_key("specversion"), fields.get("sid")) {
        (true, _) => v
            .get("id")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        (false, sid) if sid.starts_with("EV") => format!("list/{sid}"),
        _ => String::new(),
    };
    out.push(record(&fields, &id, bytes, declared));
}

fn record(fields: &Fields, id: &str, bytes: &[u8], declared: &Declared) -> NewLine {
    let has = |name: &str| !fields.get(name).is_empty();
    let kind = fields.get("eventtype");
    let of_taskrouter = [
        "task",
        "reservation",
        "worker",
        "workflow",
        "workspace",
        "activity",
    ];
    let format = if of_taskrouter.iter().any(|p| kind.starts_with(p)) {
        TASKROUTER
    } else if has("recordingsid") {
        RECORDING
    } else if has("conferencesid") {
        CONFERENCE
    } else if has("callsid") {
        VOICE
    } else {
        let reason = "none of: event of TaskRouter (EventType), status of a call (CallSid), of a \
                      conference (ConferenceSid), of a recording (RecordingSid)";
        return payload::dead("/twilio", "unknown_document", reason.to_owned(), bytes);
    };
    let instance = match declared.instance.as_str() {
        "" => fields.get("accountsid"),
        given => given,
    };
    payload::record(format, instance, declared, id, bytes)
}
