//! Our events as CloudEvents 1.0: the envelope, the typed data, and what each says.

pub mod data;
mod says;
pub mod words;

pub use says::figures_id;

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::ids::PlatformId;
use crate::record::{Provenance, Record, Refusal, Routing, rank};
use crate::time::{believable, parse_rfc3339};

/// Longest id, source, contact id or name, in bytes.
pub const MAX_NAME_BYTES: usize = 512;

/// The attributes of an event that reading needs; others are kept in the record's bytes.
#[derive(Debug, Deserialize)]
pub struct Envelope<'a> {
    /// Always `1.0`.
    #[serde(borrow, default)]
    pub specversion: Cow<'a, str>,
    /// Identity within the source.
    #[serde(borrow, default)]
    pub id: Cow<'a, str>,
    /// Source.
    #[serde(borrow, default)]
    pub source: Cow<'a, str>,
    /// `callboard.<entity>.<verb>`.
    #[serde(borrow, rename = "type", default)]
    pub kind: Cow<'a, str>,
    /// When it happened at the source.
    #[serde(borrow, default)]
    pub time: Option<Cow<'a, str>>,
    /// When the platform wrote it.
    #[serde(borrow, default)]
    pub recordedtime: Option<Cow<'a, str>>,
    /// 10 to 50, see the model's ranks.
    #[serde(default)]
    pub rank: Option<u8>,
    /// Precision of its times in microseconds; else that of the texts.
    #[serde(default)]
    pub precision: Option<u32>,
    /// Tenant.
    #[serde(borrow, default)]
    pub tenant: Option<Cow<'a, str>>,
    /// Source order, as text or number.
    #[serde(default)]
    pub sequence: Option<serde_json::Value>,
    /// The data.
    #[serde(borrow, default)]
    pub data: Option<&'a RawValue>,
    /// The data as bytes, in base64: some libraries write JSON so.
    #[serde(borrow, default)]
    pub data_base64: Option<Cow<'a, str>>,
}

/// Types that `callboard.` events can have, with what they are for.
pub const TYPES: &[(&str, &str)] = &[
    (
        "callboard.contact",
        "started, ended, recorded, changed: a contact",
    ),
    (
        "callboard.segment",
        "started, ended, recorded, changed: a part of a contact",
    ),
    ("callboard.link", "recorded: a link between contacts"),
    ("callboard.agent", "changed: an agent's own state"),
    (
        "callboard.recording",
        "started, changed, recorded: a recording",
    ),
    (
        "callboard.transcript",
        "started, recorded: its transcription",
    ),
    ("callboard.note", "recorded: a reviewer's note"),
    ("callboard.survey", "recorded: a customer's answer"),
    ("callboard.target", "recorded: a queue's target"),
    (
        "callboard.measurement",
        "recorded: measurements on a contact, such as the quality of a call",
    ),
    (
        "callboard.figure",
        "recorded: figures that a platform computed itself",
    ),
    (
        "callboard.evaluation",
        "recorded: an evaluation with its questions",
    ),
    (
        "callboard.customer",
        "recorded: attributes of a customer since some time",
    ),
    (
        "callboard.schedule",
        "recorded: a planned activity of an agent",
    ),
    (
        "callboard.lease",
        "recorded: a number that is taken to hand a contact over",
    ),
    ("callboard.source", "changed: a source's own state"),
    (
        "callboard.silence",
        "recorded: nothing was heard of a contact",
    ),
];

/// Reads one event: what it speaks of and what it says.
///
/// # Errors
/// A [`Refusal`] that names the field and the fault.
pub fn read(record: &Record) -> Result<Routing, Refusal> {
    let text = std::str::from_utf8(&record.bytes).map_err(|e| {
        Refusal::new(
            "invalid_utf8",
            format!("not UTF-8 from byte {} on", e.valid_up_to()),
        )
    })?;
    let event: Envelope = serde_json::from_str(text)
        .map_err(|e| Refusal::new("not_json", format!("not a CloudEvent in JSON: {e}")))?;
    if event.specversion != "1.0" {
        return Err(Refusal::new(
            "specversion",
            "attribute specversion must be \"1.0\"",
        ));
    }
    for (name, value) in [
        ("id", &event.id),
        ("source", &event.source),
        ("type", &event.kind),
    ] {
        if value.is_empty() {
            return Err(Refusal::new(
                "missing_attribute",
                format!("attribute {name} is missing or empty"),
            ));
        }
        if value.len() > MAX_NAME_BYTES {
            return Err(Refusal::new(
                "too_long",
                format!(
                    "attribute {name} has {} bytes; at most {MAX_NAME_BYTES}",
                    value.len()
                ),
            ));
        }
    }
    let Some(time) = event.time.as_deref() else {
        return Err(Refusal::new(
            "no_time",
            "attribute time is missing; write RFC 3339, UTC",
        ));
    };
    let when = read_time("time", time, event.precision)?;
    let recorded = match event.recordedtime.as_deref() {
        Some(t) => read_time("recordedtime", t, None)?.0,
        None => when.0,
    };
    let (entity, verb) = event
        .kind
        .strip_prefix("callboard.")
        .and_then(|rest| rest.split_once('.'))
        .ok_or_else(|| unknown_type(&event.kind))?;
    let decoded;
    let data = match (event.data, event.data_base64.as_deref()) {
        (Some(data), None) => data,
        (None, Some(text)) => {
            decoded = decode(text)?;
            &*decoded
        }
        (Some(_), Some(_)) => {
            return Err(Refusal::new(
                "not_an_event",
                "the event has data and data_base64; write one of them",
            ));
        }
        (None, None) => return Err(Refusal::new("no_data", "the event has no data")),
    };
    let default_rank = if verb == "recorded" {
        rank::RECORD
    } else {
        rank::LIVE
    };
    let by = Arc::new(Provenance {
        rank: event
            .rank
            .unwrap_or(default_rank)
            .clamp(rank::INFERRED, rank::PERSON),
        recorded_at: Some(recorded),
        sequence: sequence(event.sequence.as_ref()).unwrap_or(record.stamp.sequence),
        source: record.source.clone(),
        id: record.id.clone(),
        hash: record.content_hash(),
    });
    let says = says::Says {
        by,
        time: when,
        precision: event.precision,
        source: &event.source,
        tenant: event.tenant.as_deref().unwrap_or(""),
        verb,
    };
    let mut routing = says
        .read(entity, data)
        .ok_or_else(|| unknown_type(&event.kind))??;
    routing.time = Some(when.0);
    Ok(routing)
}

/// JSON that was written as bytes in base64.
fn decode(text: &str) -> Result<Box<RawValue>, Refusal> {
    let bytes = STANDARD
        .decode(text)
        .map_err(|e| Refusal::new("bad_base64", format!("data_base64 is no base64: {e}")))?;
    serde_json::from_slice(&bytes)
        .map_err(|e| Refusal::new("not_json", format!("data_base64 holds no JSON: {e}")))
}

fn unknown_type(kind: &str) -> Refusal {
    let known: Vec<&str> = TYPES.iter().map(|(name, _)| *name).collect();
    let shown: String = kind.chars().take(80).collect();
    Refusal::new(
        "unknown_type",
        format!(
            "type \"{shown}\" is not known; known are {} with a verb",
            known.join(", ")
        ),
    )
}

fn sequence(value: Option<&serde_json::Value>) -> Option<u64> {
    match value? {
        serde_json::Value::String(s) => s.parse().ok(),
        serde_json::Value::Number(n) => n.as_u64(),
        _ => None,
    }
}

/// Reads a time of the named field: microseconds and precision.
fn read_time(field: &str, text: &str, precision: Option<u32>) -> Result<(i64, u32), Refusal> {
    let Some((us, found)) = parse_rfc3339(text) else {
        let shown: String = text.chars().take(40).collect();
        return Err(Refusal::new(
            "bad_time",
            format!("{field} \"{shown}\" is not RFC 3339, e.g. 2026-03-02T09:15:04Z"),
        ));
    };
    if !believable(us) {
        return Err(Refusal::new(
            "time_out_of_range",
            format!("{field} {text} lies outside 1990 to 2100"),
        ));
    }
    Ok((us, precision.unwrap_or(found)))
}

/// The platform id of a contact of our own events.
pub fn contact_platform_id(contact_id: &str) -> PlatformId {
    PlatformId::new("callboard", "", contact_id)
}

/// An event of ours, for the schema and for those who write events.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CloudEvent<D> {
    /// Always `1.0`.
    pub specversion: String,
    /// Identity within the source: (source, id) is unique.
    pub id: String,
    /// Who tells, a URI reference such as `/acme/pbx1`.
    pub source: String,
    /// `callboard.<entity>.<verb>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it happened at the source, RFC 3339.
    pub time: String,
    /// When the platform wrote it, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recordedtime: Option<String>,
    /// Who is believed: 10 inferred, 20 gauge, 30 live event, 40 closing record, 50 a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<u8>,
    /// Precision of the times in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<u32>,
    /// Order within the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<String>,
    /// Tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Type of the data: `application/json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datacontenttype: Option<String>,
    /// The data of the entity.
    pub data: D,
}

impl<D: Serialize> CloudEvent<D> {
    /// An event of that identity, type and time.
    pub fn new(source: &str, id: &str, kind: &str, time_us: i64, data: D) -> Self {
        CloudEvent {
            specversion: "1.0".into(),
            id: id.into(),
            source: source.into(),
            kind: kind.into(),
            time: crate::time::format_rfc3339(time_us),
            recordedtime: None,
            rank: None,
            precision: None,
            sequence: None,
            tenant: None,
            datacontenttype: None,
            data,
        }
    }

    /// The record that this event is.
    ///
    /// # Errors
    /// When the data cannot be written as JSON.
    pub fn record(&self, received_at: i64) -> Result<Record, serde_json::Error> {
        Ok(Record {
            source: self.source.as_str().into(),
            id: self.id.as_str().into(),
            format: "event".into(),
            received_at,
            stamp: Arc::new(crate::record::Stamp::default()),
            bytes: serde_json::to_vec(self)?.into(),
        })
    }
}

/// The JSON Schema of all our events, by entity.
pub fn schema() -> serde_json::Value {
    use data::{
        AgentData, ContactData, CustomerData, EvaluationData, FigureData, LeaseData, LinkData,
        MeasurementData, NoteData, RecordingData, ScheduleData, SegmentData, SilenceData,
        SourceData, SurveyData, TargetData, TranscriptData,
    };
    macro_rules! entities {
        ($($name:literal => $data:ty),+ $(,)?) => {
            serde_json::json!({
                "title": "Callboard events, CloudEvents 1.0",
                "types": TYPES.iter().map(|(n, d)| serde_json::json!({"type": n, "verbs": d})).collect::<Vec<_>>(),
                "entities": { $( $name: schemars::schema_for!(CloudEvent<$data>) ),+ },
            })
        };
    }
    entities! {
        "contact" => ContactData, "segment" => SegmentData, "link" => LinkData,
        "agent" => AgentData, "recording" => RecordingData, "transcript" => TranscriptData,
        "note" => NoteData, "survey" => SurveyData, "target" => TargetData,
        "source" => SourceData, "silence" => SilenceData, "measurement" => MeasurementData,
        "figure" => FigureData, "evaluation" => EvaluationData, "customer" => CustomerData,
        "schedule" => ScheduleData, "lease" => LeaseData,
    }
}
