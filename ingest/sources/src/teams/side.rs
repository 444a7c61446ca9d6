//! What is said beside calls: presence of users, recordings, and settings of queues.

use std::sync::Arc;

use callboard_model::cloudevents::words::{AgentState, Leg, RecordingState, Track, Variant};
use callboard_model::ids::Key;
use callboard_model::record::{Record, Refusal, RouteKey, Routing, rank};
use callboard_model::statement::{F, Statement, Thing};
use serde_json::Value;

use super::read::{at, id, text, time};
use super::row::Row;
use super::{instance_source, nothing};

/// Presence of a user. Graph tells the state and not when: whoever asks writes the moment of asking
/// into `observedDateTime`. Without it nothing can be placed in time, and the record is kept alone.
///
/// # Errors
/// A refusal when it is not JSON.
pub fn presence(record: &Record) -> Result<Routing, Refusal> {
    let value: Value = serde_json::from_slice(&record.bytes)
        .map_err(|e| Refusal::new("not_json", format!("a presence that is not JSON: {e}")))?;
    let observed = at(&value, "observedDateTime");
    let (Some(user), Some((us, precision))) = (text(&value, "id").and_then(|t| id(&t)), observed)
    else {
        return Ok(nothing(None));
    };
    let word = |name| text(&value, name).unwrap_or_default();
    let (availability, activity) = (word("availability"), word("activity"));
    let by = record.provenance(rank::GAUGE, Some(us));
    let point = Thing::AgentPoint(
        Track::Presence.as_str().into(),
        "".into(),
        us.to_string().into(),
    );
    let said = Statement::new(point, &by)
        .time(F::At, us, precision)
        .text(F::State, state(&availability, &activity).as_str())
        .text(F::NativeState, &availability)
        .text(
            F::Reason,
            if activity == availability {
                ""
            } else {
                &activity
            },
        );
    let key = Key::Agent(
        instance_source(&record.stamp.instance),
        user.as_str().into(),
    );
    Ok(Routing {
        keys: vec![RouteKey::Direct(key)],
        statements: Some(vec![said]),
        time: Some(us),
    })
}

/// Presence is not the same as taking calls: who is Away may still be opted in, and nobody tells a
/// wrap-up.
fn state(availability: &str, activity: &str) -> AgentState {
    match (availability, activity) {
        (_, "InAMeeting" | "InAConferenceCall" | "Presenting") => AgentState::Meeting,
        (_, "OffWork" | "OutOfOffice") | ("Offline", _) => AgentState::Offline,
        ("Available" | "AvailableIdle", _) => AgentState::Available,
        ("Busy" | "BusyIdle", _) => AgentState::Busy,
        ("DoNotDisturb", _) => AgentState::Paused,
        ("Away" | "BeRightBack", _) => AgentState::Break,
        ("PresenceUnknown" | "", _) => AgentState::Unknown,
        _ => AgentState::Other,
    }
}

/// A recording, as Graph tells of it: whose call it is and when it began. The sound is fetched from
/// where it says.
///
/// # Errors
/// A refusal when it is not JSON, or names neither itself nor a call.
pub fn recording(record: &Record) -> Result<Routing, Refusal> {
    let value: Value = serde_json::from_slice(&record.bytes)
        .map_err(|e| Refusal::new("not_json", format!("a recording that is not JSON: {e}")))?;
    let word = |name| text(&value, name).and_then(|t| id(&t));
    let call = word("callId").or_else(|| word("contentCorrelationId"));
    let (Some(own), Some(call)) = (text(&value, "id"), call) else {
        let reason = "a recording without id or callId cannot be put to a call; ask for both";
        return Err(Refusal::new("missing_attribute", reason));
    };
    let (start, end) = (at(&value, "createdDateTime"), at(&value, "endDateTime"));
    let by = record.provenance(rank::RECORD, end.or(start).map(|t| t.0));
    let mut said = Statement::new(Thing::Recording, &by)
        .text(F::Contact, &format!("{}-{call}", record.stamp.instance))
        .text(F::Leg, Leg::Mixed.as_str())
        .text(F::State, RecordingState::Ready.as_str());
    if let Some((us, precision)) = start {
        said = said.time(F::Start, us, precision);
    }
    if let Some((us, precision)) = end {
        said = said.time(F::End, us, precision);
    }
    let source = instance_source(&record.stamp.instance);
    let key = Key::Recording(format!("{source}/{own}").into());
    Ok(Routing {
        keys: vec![RouteKey::Direct(key)],
        statements: Some(vec![said]),
        time: start.or(end).map(|t| t.0),
    })
}

/// Settings of a queue: its service level is a target. Without one there is no target, and not one
/// of zero. Microsoft gives four formulas and no default; the strictest holds, of all that were
/// offered.
///
/// # Errors
/// A refusal when the bytes are no row.
pub fn settings(record: &Record) -> Result<Routing, Refusal> {
    let row = Row::of(record)?;
    let name = row.get(&["name", "displayname", "callqueuename", "identity"]);
    let seconds = row
        .int(&["servicelevelthresholdresponsetimeinsecond"])
        .filter(|s| (1..=86_400).contains(s));
    let (Some(name), Some(seconds)) = (name, seconds) else {
        return Ok(nothing(None));
    };
    let read = row
        .get(&["observeddatetime", "whenchanged"])
        .and_then(|t| time(t, ""));
    let source = instance_source(&record.stamp.instance);
    let by = record.provenance(rank::GAUGE, read.map(|t| t.0));
    let mut said = Statement::new(Thing::Target, &by)
        .text(F::Source, &source)
        .text(F::Queue, super::story::queue_name(name))
        .text(F::Metric, "service_level")
        .text(F::Variant, Variant::Offered.as_str())
        .millis(F::Threshold, seconds * 1_000, 0);
    if let Some((us, precision)) = read {
        said = said.time(F::ValidFrom, us, precision);
    }
    let key: Arc<str> = format!("{source}/{name}/{seconds}s").into();
    Ok(Routing {
        keys: vec![RouteKey::Direct(Key::Target(key))],
        statements: Some(vec![said]),
        time: read.map(|t| t.0),
    })
}
