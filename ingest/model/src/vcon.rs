//! A contact as a vCon, the IETF's container for conversations: who took part, what was said when,
//! what was found in it, and beside that the contact's own row. Pure, so that a contact that has not
//! changed is the same vCon whenever it is asked for.
//!
//! * Talks and voicemails are dialogs of type `recording`, with the address of their sound where
//!   there is any; messages are `text`; what nobody answered is `incomplete`; a transfer names the
//!   dialog that was handed on.
//! * Transcripts are analyses of the dialog that they were heard in.
//! * What a vCon has no place for (menus, waits, wrap-up, measurements, evaluations) stands in
//!   attachments, as JSON of our tables.

mod dialog;

use serde_json::{Map, Value, json};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::tables::{
    ContactRow, EvaluationRow, MeasurementRow, NoteRow, RecordingRow, SegmentRow, TagRow, TurnRow,
};
use crate::time::format_rfc3339;

/// Version of the container that is written.
pub const VERSION: &str = "0.4.0";

/// All rows of a contact that a vCon is made of.
#[derive(Debug, Clone, Default)]
pub struct Conversation {
    /// The contact; without it there is no vCon.
    pub contact: Option<ContactRow>,
    /// Its segments.
    pub segments: Vec<SegmentRow>,
    /// Its recordings.
    pub recordings: Vec<RecordingRow>,
    /// What was said in them.
    pub turns: Vec<TurnRow>,
    /// What was found in them.
    pub tags: Vec<TagRow>,
    /// What reviewers noted.
    pub notes: Vec<NoteRow>,
    /// What was measured.
    pub measurements: Vec<MeasurementRow>,
    /// How it was judged.
    pub evaluations: Vec<EvaluationRow>,
}

/// The vCon of a contact. `sound` is the address under which a server gives sound, up to
/// the contact (`http://host/audio/`); without it recordings are named and not linked.
pub fn write(of: &Conversation, sound: Option<&str>) -> Option<Value> {
    let contact = of.contact.as_ref()?;
    let mut parties = Parties::of(contact);
    let (dialogs, analyses) = dialog::all(of, contact, &mut parties, sound);
    let mut vcon = Map::new();
    vcon.insert("vcon".into(), json!(VERSION));
    vcon.insert("uuid".into(), json!(uuid(&contact.contact_id)));
    let at = contact.ended_at.or(contact.started_at);
    if let Some(at) = at {
        vcon.insert("created_at".into(), json!(format_rfc3339(at.0)));
    }
    if let Some(at) = contact.corrected_at.or(at) {
        vcon.insert("updated_at".into(), json!(format_rfc3339(at.0)));
    }
    let attributes: Value = contact
        .attributes
        .as_deref()
        .and_then(|a| serde_json::from_str(a).ok())
        .unwrap_or(Value::Null);
    if let Some(subject) = attributes.get("subject").and_then(Value::as_str) {
        vcon.insert("subject".into(), json!(subject));
    }
    vcon.insert("meta".into(), meta(contact));
    vcon.insert("parties".into(), parties.all());
    vcon.insert("dialog".into(), Value::Array(dialogs));
    vcon.insert("analysis".into(), Value::Array(analyses));
    vcon.insert("attachments".into(), attachments(of, contact, attributes));
    Some(Value::Object(vcon))
}

/// Identity of a contact's vCon: version 8, made of the contact's id alone.
pub fn uuid(contact_id: &str) -> String {
    let text = format!("callboard contact {contact_id}");
    let high = xxh3_64_with_seed(text.as_bytes(), 1);
    let low = xxh3_64_with_seed(text.as_bytes(), 2);
    let high = (high & !0xf000) | 0x8000;
    let low = (low & (u64::MAX >> 2)) | (1 << 63);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

fn meta(contact: &ContactRow) -> Value {
    let mut meta = Map::new();
    for (name, value) in [
        ("contact_id", Some(&contact.contact_id)),
        ("direction", contact.direction.as_ref()),
        ("disposition", contact.outcome.as_ref()),
        ("channel", Some(&contact.channel)),
        ("source", Some(&contact.source)),
    ] {
        if let Some(value) = value {
            meta.insert(name.into(), json!(value));
        }
    }
    Value::Object(meta)
}

/// Who took part: the customer first, then everybody else as he is met.
pub(crate) struct Parties(Vec<Value>);

impl Parties {
    fn of(contact: &ContactRow) -> Self {
        let mut one = Map::new();
        if let Some(address) = &contact.customer {
            one.insert(kind_of(address).into(), json!(address));
        }
        if let Some(name) = &contact.customer_name {
            one.insert("name".into(), json!(name));
        }
        one.insert("role".into(), json!("customer"));
        Parties(vec![Value::Object(one)])
    }

    /// The number of an agent, or of whoever else a dialog was handed on to.
    pub(crate) fn number(&mut self, name: &str, role: &str) -> usize {
        let key = match name.contains('@') {
            true => "mailto",
            false => "name",
        };
        let known = self.0.iter().position(|p| {
            p.get(key).and_then(Value::as_str) == Some(name) && p["role"] != "customer"
        });
        known.unwrap_or_else(|| {
            self.0.push(json!({key: name, "role": role}));
            self.0.len() - 1
        })
    }

    fn all(self) -> Value {
        Value::Array(self.0)
    }
}

/// Where an address stands in a party.
fn kind_of(address: &str) -> &'static str {
    let number =
        |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | ' ' | '(' | ')' | '*' | '#');
    if address.starts_with("sip:") || address.starts_with("sips:") {
        "sip"
    } else if address.contains('@') {
        "mailto"
    } else if address.chars().all(number) {
        "tel"
    } else {
        // A handle of a chat: the container has no other place for an address.
        "sip"
    }
}

fn attachments(of: &Conversation, contact: &ContactRow, attributes: Value) -> Value {
    let at = |t: Option<crate::tables::Instant>| t.map(|t| format_rfc3339(t.0));
    let mut all = Vec::new();
    let start = at(contact.started_at);
    let mut attach = |purpose: &str, body: Value| {
        all.push(
            json!({"purpose": purpose, "start": start, "party": 0, "encoding": "json",
            "mediatype": "application/json", "body": body}),
        );
    };
    let segments = of.segments.iter().map(|s| {
        json!({"seq": s.seq, "kind": s.kind, "queue": s.queue, "agent": s.agent,
            "started_at": at(s.started_at), "ended_at": at(s.ended_at), "duration_ms": s.duration_ms,
            "outcome": s.outcome, "raw_outcome": s.raw_outcome, "name": s.name, "input": s.input})
    });
    attach(
        "callboard contact",
        json!({"contact_id": contact.contact_id, "source": contact.source, "channel": contact.channel,
            "direction": contact.direction, "queue": contact.queue, "agent": contact.agent,
            "dialled": contact.dialled, "started_at": start, "ended_at": at(contact.ended_at),
            "outcome": contact.outcome, "raw_outcome": contact.raw_outcome, "wait_ms": contact.wait_ms,
            "talk_ms": contact.talk_ms, "hold_ms": contact.hold_ms, "wrap_ms": contact.wrap_ms,
            "transfers": contact.transfers, "attributes": attributes,
            "segments": segments.collect::<Vec<_>>()}),
    );
    if !of.measurements.is_empty() {
        let rows = of.measurements.iter().map(|m| {
            json!({"participant": m.participant, "at": at(m.at), "name": m.name, "value": m.value,
                "unit": m.unit, "source": m.source})
        });
        attach("callboard measurements", Value::Array(rows.collect()));
    }
    if !of.evaluations.is_empty() {
        let rows = of.evaluations.iter().map(|e| {
            json!({"evaluation_id": e.evaluation_id, "form": e.form, "evaluator": e.evaluator,
                "question_id": e.question_id, "question": e.question, "score": e.score,
                "max_score": e.max_score, "answer": e.answer, "at": at(e.at)})
        });
        attach("callboard evaluations", Value::Array(rows.collect()));
    }
    let notes: Vec<Value> = of
        .notes
        .iter()
        .filter(|n| !n.text.is_empty())
        .map(|n| json!({"author": n.author, "text": n.text, "created_at": at(n.created_at)}))
        .collect();
    if !notes.is_empty() {
        attach("callboard notes", Value::Array(notes));
    }
    Value::Array(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_uuid_of_version_8_and_lasts() {
        let id = uuid("pbx1-17.3");
        assert_eq!(id, uuid("pbx1-17.3"));
        assert_ne!(id, uuid("pbx1-17.4"));
        let parts: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!(id.as_bytes()[14], b'8');
        assert!(b"89ab".contains(&id.as_bytes()[19]), "{id}");
    }

    #[test]
    fn addresses_stand_where_they_belong() {
        for (address, kind) in [
            ("+49 30 123", "tel"),
            ("ann@example.com", "mailto"),
            ("sip:ann@example.com", "sip"),
            ("8:acs:abc", "sip"),
        ] {
            assert_eq!(kind_of(address), kind, "{address}");
        }
    }
}
