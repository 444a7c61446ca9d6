//! Agents: presence, routing status, membership of queues.
//!
//! * `presence`: `available` on queue, `paused` with the presence as reason while he is at work but
//!   not on queue, `offline`.
//! * `pause` and `device`: the routing status. `NOT_RESPONDING` is a pause: nothing is offered to
//!   him until he says that he is back.
//! * `membership`: whether he joined a queue.

use std::sync::Arc;

use callboard_model::ids::Key;
use callboard_model::record::{Provenance, Record, Refusal, RouteKey, Routing, rank};
use callboard_model::statement::{F, Statement, Thing};
use serde_json::Value;

use super::event::Event;
use super::{instance_source, words};
use crate::payload::value::{as_text, field, flag, items, path, text, time};

fn point(
    track: &str,
    queue: &str,
    (us, p): (i64, u32),
    state: &str,
    native: &str,
    by: &Arc<Provenance>,
) -> Statement {
    let id: Arc<str> = us.to_string().into();
    Statement::new(Thing::AgentPoint(track.into(), queue.into(), id), by)
        .time(F::At, us, p)
        .text(F::State, state)
        .text(F::NativeState, native)
}

fn presence(at: (i64, u32), native: &str, by: &Arc<Provenance>) -> Option<Statement> {
    let state = words::presence(native);
    let reason = if state == "paused" { native } else { "" };
    let said = point("presence", "", at, state, native, by).text(F::Reason, reason);
    (!state.is_empty()).then_some(said)
}

fn routing(at: (i64, u32), native: &str, by: &Arc<Provenance>, out: &mut Vec<Statement>) {
    let state = words::routing(native);
    if state.is_empty() {
        return;
    }
    out.push(point("device", "", at, state, native, by));
    let (pause, reason) = match state {
        "missed" => ("paused", native),
        "offline" => ("offline", ""),
        _ => ("available", ""),
    };
    out.push(point("pause", "", at, pause, native, by).text(F::Reason, reason));
}

fn agent(instance: &str, user: &str, said: Vec<Statement>) -> Routing {
    if user.is_empty() || said.is_empty() {
        return Routing::default();
    }
    let key = Key::Agent(instance_source(instance), user.into());
    Routing {
        keys: vec![RouteKey::Direct(key)],
        statements: Some(said),
        time: None,
    }
}

/// An event of a user's topic, or of a queue's members.
pub(super) fn event(instance: &str, event: &Event<'_>, record: &Record) -> Routing {
    let body = event.body;
    let mut out = Vec::new();
    if event.topic == "v2.routing.queues.users" {
        let (Some(at), Some(joined)) = (event.at(), field(body, "joined")) else {
            return Routing::default();
        };
        let by = record.provenance(rank::LIVE, Some(at.0));
        let state = match joined {
            Value::Bool(false) => "offline",
            Value::String(s) if s.eq_ignore_ascii_case("false") => "offline",
            _ => "member",
        };
        let native = format!("joined {}", as_text(joined).unwrap_or_default());
        out.push(point("membership", &event.of, at, state, &native, &by));
        return agent(instance, &first(body, &["id", "userId"]), out);
    }
    let user = match event.of.as_str() {
        "" => first(body, &["userId", "id"]),
        id => id.to_owned(),
    };
    let status = ["routingStatus", "status"]
        .iter()
        .find_map(|n| match field(body, n)? {
            Value::String(s) => Some((s.clone(), time(body, "startTime"))),
            inner => Some((text(inner, "status"), time(inner, "startTime"))),
        });
    // The presence stands in an object of its own in activity, and bare in its own topic.
    let of = field(body, "presence").unwrap_or(body);
    let native = path(of, &["presenceDefinition", "systemPresence"])
        .or_else(|| field(of, "systemPresence"))
        .and_then(as_text);
    let primary = field(of, "primary").is_none() || flag(of, "primary");
    let present = native
        .filter(|_| primary)
        .map(|n| (n, time(of, "modifiedDate")));
    let times = [&status, &present];
    let latest = times.iter().filter_map(|t| t.as_ref()?.1).max();
    let by = record.provenance(rank::LIVE, latest.or(event.written).map(|t| t.0));
    if let Some((native, at)) = status
        && let Some(at) = at.or(event.written)
    {
        routing(at, &native, &by, &mut out);
    }
    if let Some((native, at)) = present
        && let Some(at) = at.or(event.written)
    {
        out.extend(presence(at, &native, &by));
    }
    agent(instance, &user, out)
}

/// An answer of the users' details query: spans of presence and of routing status.
pub(super) fn detail(instance: &str, v: &Value, record: &Record) -> Result<Routing, Refusal> {
    let user = text(v, "userId");
    if user.is_empty() {
        return Err(Refusal::new("missing_attribute", "userId is missing"));
    }
    let both = ["primaryPresence", "routingStatus"];
    let spans = || both.iter().flat_map(|name| items(v, name));
    let latest = spans()
        .filter_map(|s| time(s, "endTime").or_else(|| time(s, "startTime")))
        .max();
    let by = record.provenance(rank::RECORD, latest.map(|t| t.0));
    let mut out = Vec::new();
    for s in items(v, "primaryPresence") {
        if let Some(at) = time(s, "startTime") {
            out.extend(presence(at, &text(s, "systemPresence"), &by));
        }
    }
    for s in items(v, "routingStatus") {
        if let Some(at) = time(s, "startTime") {
            routing(at, &text(s, "routingStatus"), &by, &mut out);
        }
    }
    let mut routing = agent(instance, &user, out);
    routing.time = latest.map(|t| t.0);
    Ok(routing)
}

fn first(v: &Value, names: &[&str]) -> String {
    let mut all = names.iter().map(|n| text(v, n));
    all.find(|t| !t.is_empty()).unwrap_or_default()
}
