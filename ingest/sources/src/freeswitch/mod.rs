//! FreeSWITCH: events of `mod_callcenter` and of channels as the event socket gives them (text or
//! JSON), and JSON call records (`mod_json_cdr`).
//!
//! A call's records are read as a set: only the callcenter's events make a call a contact of a
//! queue, and offers have no id of their own. Channels of which no queue tells give no rows but
//! for the records of a call that came in, or that a user made to somebody outside.

mod agent;
mod cdr;
mod contact;
mod event;
mod offer;
mod split;

use std::sync::Arc;

use callboard_model::ids::{Key, PlatformId};
use callboard_model::record::{Record, Refusal, RouteKey, Routing, rank};
use callboard_model::statement::{F, Statement, Thing};
use callboard_model::time::{MILLI, SECOND};

use crate::adapter::{Adapter, Declared};
use crate::lines::NewLine;
use crate::payload::measured::Figures;
use crate::payload::value::tidy;
use event::Event;

/// Name of the platform.
const PLATFORM: &str = "freeswitch";

/// An event of the event socket.
const EVENT: &str = "freeswitch/event";
/// A call record.
const CDR: &str = "freeswitch/cdr";

/// A start is told by heartbeats of its first minute, milliseconds.
const FIRST_MINUTE: i64 = 60_000;

/// Reads FreeSWITCH.
#[derive(Debug, Clone, Copy)]
pub struct FreeSwitch;

impl Adapter for FreeSwitch {
    fn platform(&self) -> &'static str {
        PLATFORM
    }

    fn split(&self, bytes: &[u8], declared: &Declared) -> Vec<NewLine> {
        split::split(bytes, declared)
    }

    fn route(&self, record: &Record) -> Result<Routing, Refusal> {
        let event = Event::of(record)?;
        let instance = &*record.stamp.instance;
        if &*record.format == CDR {
            return Ok(cdr::route(instance, &event));
        }
        let Some(at) = event.at() else {
            return Err(Refusal::new(
                "no_time",
                "the event has no Event-Date-Timestamp that can be read",
            ));
        };
        let action = event.get("CC-Action");
        let mut routing = match event.name() {
            "callcenter::info" if action.starts_with("agent-") && action != "agent-offering" => {
                agent::route(instance, &event, at, record)
            }
            "callcenter::info" if action == "members-count" => {
                members(instance, &event, at, record)
            }
            "callcenter::info" => contact_of(
                instance,
                &[
                    event.get("CC-Member-Session-UUID"),
                    event.get("CC-Agent-UUID"),
                ],
            ),
            "CHANNEL_HOLD" | "CHANNEL_UNHOLD" | "CHANNEL_HANGUP_COMPLETE" => contact_of(
                instance,
                &[event.get("Unique-ID"), event.get("Channel-Call-UUID")],
            ),
            "RECORD_START" | "RECORD_STOP" => recording(instance, &event, at, record),
            "STARTUP" => restart(instance, at.0, record),
            "HEARTBEAT" => match event.int("Uptime-msec").filter(|ms| *ms < FIRST_MINUTE) {
                // To the second: several heartbeats tell of one start.
                Some(ms) => restart(instance, (at.0 - ms * MILLI) / SECOND * SECOND, record),
                None => Routing::default(),
            },
            _ => Routing::default(),
        };
        routing.time = Some(at.0);
        Ok(routing)
    }

    fn interpret(&self, key: &Key, set: &[&Record]) -> Vec<Statement> {
        match key {
            Key::Contact(_) => contact::interpret(set),
            _ => Vec::new(),
        }
    }
}

/// The instance as a source.
fn instance_source(instance: &str) -> Arc<str> {
    match instance {
        "" => format!("/{PLATFORM}").into(),
        _ => format!("/{PLATFORM}/{instance}").into(),
    }
}

/// How many wait in a queue, as the callcenter counts them.
fn members(instance: &str, event: &Event, at: (i64, u32), record: &Record) -> Routing {
    let queue = event.get("CC-Queue");
    let mut figures = Figures {
        scope: format!("queue:{}", tidy(queue)),
        end: Some(at),
        ..Figures::default()
    };
    figures.add("members-count", "count", event.get("CC-Count").parse().ok());
    if queue.is_empty() || figures.values.is_empty() {
        return Routing::default();
    }
    let source = instance_source(instance);
    let by = record.provenance(rank::GAUGE, Some(at.0));
    Routing {
        keys: vec![RouteKey::Direct(figures.key(&source))],
        statements: Some(figures.says(&source, &by)),
        time: None,
    }
}

/// The contact in which these channels are one.
fn contact_of(instance: &str, channels: &[&str]) -> Routing {
    let mut ids: Vec<PlatformId> = Vec::new();
    for channel in channels.iter().filter(|c| !c.is_empty()) {
        let id = PlatformId::new(PLATFORM, instance, channel);
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let keys = match ids.is_empty() {
        true => Vec::new(),
        false => vec![RouteKey::Contact(ids)],
    };
    Routing {
        keys,
        statements: None,
        time: None,
    }
}

fn restart(instance: &str, at: i64, record: &Record) -> Routing {
    let by = record.provenance(rank::LIVE, Some(at));
    let said = Statement::new(Thing::Restart(at), &by).time(F::At, at, 1_000_000);
    Routing {
        keys: vec![RouteKey::Direct(Key::Instance(instance_source(instance)))],
        statements: Some(vec![said]),
        time: None,
    }
}

/// A recording that begins or is over, by its file.
fn recording(instance: &str, event: &Event, at: (i64, u32), record: &Record) -> Routing {
    let path = event.get("Record-File-Path");
    let channel = event.get("Unique-ID");
    if path.is_empty() || channel.is_empty() {
        return Routing::default();
    }
    let stopped = event.name() == "RECORD_STOP";
    let by = record.provenance(rank::LIVE, Some(at.0));
    let mut said = Statement::new(Thing::Recording, &by)
        .text(F::Source, &instance_source(instance))
        .text(
            F::Contact,
            &PlatformId::new(PLATFORM, instance, channel).contact_id(),
        )
        .text(F::Leg, "both")
        .text(F::State, if stopped { "ready" } else { "active" })
        .text(F::NativeState, event.name())
        .text(F::Queue, &tidy(event.get("variable_cc_queue")))
        .text(F::Agent, &tidy(event.get("variable_cc_agent")))
        .text(F::Attr("path".into()), &tidy(path))
        .time(if stopped { F::End } else { F::Start }, at.0, at.1);
    if stopped {
        let ms = event.int("variable_record_ms");
        let seconds = event.int("variable_record_seconds").map(|s| s * 1_000);
        if let Some(ms) = ms {
            said = said.millis(F::Duration, ms, 1_000);
        } else if let Some(ms) = seconds {
            said = said.millis(F::Duration, ms, 1_000_000);
        }
        said = said.text(F::Reason, &tidy(event.get("Record-Completion-Cause")));
    }
    let id = format!("{PLATFORM}/{instance}/{path}");
    let id = match id.len() {
        0..=480 => id,
        _ => format!(
            "{PLATFORM}/{instance}/{}",
            crate::payload::sha256(path.as_bytes())
        ),
    };
    Routing {
        keys: vec![RouteKey::Direct(Key::Recording(id.into()))],
        statements: Some(vec![said]),
        time: None,
    }
}
