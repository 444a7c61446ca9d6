//! Agents of the callcenter: status (`presence`) and state (`device`; `Idle` is a pause, since
//! nothing is offered to him then).

use callboard_model::ids::Key;
use callboard_model::record::{Record, RouteKey, Routing, rank};
use callboard_model::statement::{F, Statement, Thing};

use super::event::Event;
use super::instance_source;
use crate::payload::value::tidy;

fn status(word: &str) -> &'static str {
    match word {
        "" => "",
        "Logged Out" => "offline",
        "Available" | "Available (On Demand)" => "available",
        "On Break" => "paused",
        _ => "unknown",
    }
}

fn state(word: &str) -> &'static str {
    match word {
        "" => "",
        "Waiting" => "available",
        "Receiving" | "Reserved" => "reserved",
        "In a queue call" => "busy",
        "Idle" => "offline",
        _ => "unknown",
    }
}

pub(super) fn route(
    instance: &str,
    event: &Event,
    (us, p): (i64, u32),
    record: &Record,
) -> Routing {
    let agent = tidy(event.get("CC-Agent"));
    let by = record.provenance(rank::LIVE, Some(us));
    let place = format!("{us}-{:020}", record.stamp.sequence);
    let point = |track: &str, state: &str, native: &str| {
        let id = place.as_str().into();
        let reason = if state == "paused" { native } else { "" };
        Statement::new(Thing::AgentPoint(track.into(), "".into(), id), &by)
            .time(F::At, us, p)
            .text(F::State, state)
            .text(F::NativeState, &tidy(native))
            .text(F::Reason, &tidy(reason))
    };
    let mut said = Vec::new();
    let word = event.get("CC-Agent-Status");
    if !status(word).is_empty() {
        said.push(point("presence", status(word), word));
    }
    let word = event.get("CC-Agent-State");
    if !state(word).is_empty() {
        said.push(point("device", state(word), word));
        let pause = if word == "Idle" {
            "paused"
        } else {
            "available"
        };
        said.push(point("pause", pause, word));
    }
    if said.is_empty() || agent.is_empty() {
        return Routing::default();
    }
    let key = Key::Agent(instance_source(instance), (*agent).into());
    Routing {
        keys: vec![RouteKey::Direct(key)],
        statements: Some(said),
        time: None,
    }
}
