//! Conversations of the queue topics: the whole conversation as it is now, participant by
//! participant, each with the calls, chats or messages he is in.

use std::sync::Arc;

use callboard_model::ids::Key;
use callboard_model::record::{Provenance, Record, Refusal, RouteKey, Routing, rank};
use callboard_model::statement::{F, Statement, Thing};
use serde_json::Value;

use super::contact::Told;
use super::detail::hold_id;
use super::event::Event;
use super::{PLATFORM, contact, contact_id, instance_source, words};
use crate::payload::value::{field, flag, int, items, path, text, time};

/// Lists of communications, and the media type of each.
const MEDIA: [(&str, &str); 9] = [
    ("calls", "voice"),
    ("callbacks", "callback"),
    ("chats", "chat"),
    ("emails", "email"),
    ("messages", "message"),
    ("videos", "video"),
    ("socialExpressions", "social"),
    ("cobrowsesessions", "cobrowse"),
    ("screenshares", "screenshare"),
];

/// A participant's communication.
struct Leg<'v> {
    id: String,
    purpose: String,
    agent: String,
    queue: String,
    media: &'static str,
    participant: &'v Value,
    v: &'v Value,
}

fn legs(body: &Value) -> Vec<Leg<'_>> {
    let mut all = Vec::new();
    for p in items(body, "participants") {
        let either = |plain: &str, of: &str| match text(p, plain) {
            id if id.is_empty() => path(p, &[of, "id"])
                .and_then(crate::payload::value::as_text)
                .unwrap_or_default(),
            id => id,
        };
        for (list, media) in MEDIA {
            for v in items(p, list) {
                all.push(Leg {
                    id: text(v, "id"),
                    purpose: text(p, "purpose").to_ascii_lowercase(),
                    agent: either("userId", "user"),
                    queue: either("queueId", "queue"),
                    media,
                    participant: p,
                    v,
                });
            }
        }
    }
    all.retain(|leg| !leg.id.is_empty());
    all
}

/// The latest time that it states.
pub(super) fn latest(body: &Value) -> Option<(i64, u32)> {
    const NAMES: [&str; 7] = [
        "startTime",
        "endTime",
        "connectedTime",
        "disconnectedTime",
        "startHoldTime",
        "startAlertingTime",
        "modifiedDate",
    ];
    let within = items(body, "participants").iter().flat_map(|p| {
        let own = NAMES.iter().filter_map(|n| time(p, n));
        let legs = MEDIA.iter().flat_map(|(list, _)| items(p, list));
        let told = legs.flat_map(|v| {
            let acw = field(v, "afterCallWork");
            let wrap = field(v, "wrapup");
            [Some(v), acw, wrap]
                .into_iter()
                .flatten()
                .flat_map(|v| NAMES.iter().filter_map(|n| time(v, n)))
        });
        own.chain(told).collect::<Vec<_>>()
    });
    NAMES
        .iter()
        .filter_map(|n| time(body, n))
        .chain(within)
        .max()
}

pub(super) fn route(instance: &str, body: &Value) -> Result<Routing, Refusal> {
    let mut keys = vec![contact(instance, &text(body, "id"))?];
    for leg in legs(body) {
        if recording_state(&leg).is_some() {
            let key = Key::Recording(recording_id(instance, &leg.id).into());
            keys.push(RouteKey::Direct(key));
        }
    }
    Ok(Routing {
        keys,
        statements: None,
        time: None,
    })
}

fn recording_state(leg: &Leg<'_>) -> Option<&'static str> {
    match text(leg.v, "recordingState").to_ascii_lowercase().as_str() {
        "active" => Some("active"),
        "paused" => Some("paused"),
        _ => None,
    }
}

/// Identity of a session's recording.
pub(super) fn recording_id(instance: &str, session: &str) -> String {
    format!("{PLATFORM}/{instance}/{session}")
}

/// What a frame says of a recording.
pub(super) fn recording(wanted: &str, record: &Record, v: &Value) -> Option<Statement> {
    let event = Event::of(v)?;
    let instance = &*record.stamp.instance;
    let legs = legs(event.body);
    let leg = legs
        .iter()
        .find(|leg| recording_id(instance, &leg.id) == wanted)?;
    let by = record.provenance(rank::LIVE, event.at().map(|t| t.0));
    let said = Statement::new(Thing::Recording, &by)
        .text(F::Source, &instance_source(instance))
        .text(F::Contact, &contact_id(instance, &text(event.body, "id")))
        .text(F::Leg, "both")
        .text(F::Agent, &leg.agent)
        .text(F::Queue, &leg.queue)
        .text(F::State, recording_state(leg)?);
    Some(moment(said, F::Start, leg.v, "connectedTime"))
}

fn moment(s: Statement, f: F, v: &Value, name: &str) -> Statement {
    match time(v, name) {
        Some((us, p)) => s.time(f, us, p),
        None => s,
    }
}

pub(super) fn tell(instance: &str, body: &Value, by: &Arc<Provenance>, told: &mut Told) {
    let legs = legs(body);
    let mut whole = Statement::new(Thing::Contact, by)
        .text(F::Source, &instance_source(instance))
        .flag(F::EndsAreStated, true);
    whole = moment(whole, F::Start, body, "startTime");
    whole = moment(whole, F::End, body, "endTime");
    if let Some(c) = legs
        .iter()
        .find(|l| l.purpose == "customer")
        .or_else(|| legs.iter().find(|l| l.purpose == "external"))
    {
        let direction = words::direction(&text(c.v, "direction"));
        let party = |name: &str| {
            path(c.v, &[name, "addressNormalized"])
                .or_else(|| path(c.v, &[name, "addressRaw"]))
                .and_then(crate::payload::value::as_text)
                .unwrap_or_default()
        };
        let theirs = match text(c.participant, "address") {
            a if a.is_empty() => party("self"),
            a => a,
        };
        let disconnect = text(c.v, "disconnectType");
        whole = whole
            .text(F::Channel, words::channel(c.media, &text(c.v, "type")))
            .text(F::Direction, direction)
            .text(F::Customer, words::address(&theirs))
            .text(F::CustomerName, &text(c.participant, "name"))
            .text(F::Dialled, words::address(&party("other")))
            .text(F::EndedBy, words::ended_by_customers(&disconnect))
            .text(F::EndReason, &disconnect);
    }
    told.out.push(whole);
    for leg in &legs {
        match leg.purpose.as_str() {
            "acd" => stay(leg, by, told),
            "agent" | "user" => agent(leg, by, told),
            _ => {}
        }
    }
}

fn about(leg: &Leg<'_>, kind: &str, id: String, by: &Arc<Provenance>) -> Statement {
    Statement::new(Thing::Segment(id.into()), by)
        .text(F::Kind, kind)
        .text(F::Queue, &leg.queue)
}

fn stay(leg: &Leg<'_>, by: &Arc<Provenance>, told: &mut Told) {
    let disconnect = text(leg.v, "disconnectType");
    let mut said = about(leg, "queue", format!("queue/{}", leg.id), by);
    said = moment(said, F::Start, leg.participant, "startTime");
    said = moment(said, F::Start, leg.v, "connectedTime");
    said = moment(said, F::End, leg.v, "disconnectedTime");
    if time(leg.v, "disconnectedTime").is_some() {
        said = said
            .text(F::Outcome, words::left_queue(&disconnect))
            .text(F::RawOutcome, &disconnect);
    }
    told.out.push(said);
}

fn agent(leg: &Leg<'_>, by: &Arc<Provenance>, told: &mut Told) {
    let (v, id) = (leg.v, &leg.id);
    let disconnect = text(v, "disconnectType");
    let connected = time(v, "connectedTime");
    let ended = time(v, "disconnectedTime");
    let inbound = !text(v, "direction").eq_ignore_ascii_case("outbound");
    let alerted = time(v, "startAlertingTime").or_else(|| time(leg.participant, "startTime"));
    // Who joins a conversation, or has it handed to him, is not rung for it.
    if let Some((us, p)) = alerted.filter(|_| inbound && leg.purpose == "agent") {
        let mut offer = about(leg, "offer", format!("offer/{id}"), by)
            .text(F::Agent, &leg.agent)
            .time(F::Start, us, p);
        if let Some((us, p)) = connected.or(ended) {
            offer = offer.time(F::End, us, p);
        }
        offer = match (connected, ended) {
            (Some(_), _) => offer.text(F::Outcome, "accepted"),
            (None, Some(_)) => offer
                .text(F::Outcome, words::missed(&disconnect))
                .text(F::RawOutcome, &disconnect),
            (None, None) => offer,
        };
        told.out.push(offer);
    }
    let Some((us, p)) = connected else { return };
    let talk_id = format!("talk/{id}");
    let mut talk = about(leg, "talk", talk_id.clone(), by)
        .text(F::Agent, &leg.agent)
        .text(F::Mode, if inbound { "serve" } else { "outbound" })
        .time(F::Start, us, p);
    if let Some((us, p)) = ended {
        let outcome = if words::is_transfer(&disconnect) {
            "transferred"
        } else if words::is_error(&disconnect) {
            "dropped"
        } else {
            "completed"
        };
        talk = talk
            .time(F::End, us, p)
            .text(F::Outcome, outcome)
            .text(F::RawOutcome, &disconnect)
            .text(F::EndedBy, words::ended_by_agents(&disconnect));
    }
    told.out.push(talk);
    if let Some((us, p)) = time(v, "startHoldTime") {
        let mut hold = about(leg, "hold", hold_id(id, us), by)
            .text(F::Agent, &leg.agent)
            .text(F::Parent, &talk_id)
            .time(F::Start, us, p);
        // A frame in which he is held no more came right after the hold ended; when, it does not
        // say, so the hold ends with what the record says, or with the talk.
        if !flag(v, "held") {
            hold = hold.text(F::Outcome, "resumed");
        }
        told.live_holds.push((id.clone(), us, hold));
    }
    wrapup(leg, &talk_id, by, told);
}

fn wrapup(leg: &Leg<'_>, talk: &str, by: &Arc<Provenance>, told: &mut Told) {
    let acw = field(leg.v, "afterCallWork");
    let wrap = field(leg.v, "wrapup").or_else(|| field(leg.participant, "wrapup"));
    if acw.is_none() && wrap.is_none() {
        return;
    }
    let mut said = about(leg, "wrapup", format!("wrapup/{}", leg.id), by)
        .text(F::Agent, &leg.agent)
        .text(F::Parent, talk);
    if let Some(acw) = acw {
        said = moment(said, F::Start, acw, "startTime");
        said = moment(said, F::End, acw, "endTime");
        let state = text(acw, "state").to_ascii_lowercase();
        let outcome = match state.as_str() {
            "complete" | "completed" => "completed",
            "skipped" => "skipped",
            _ => "",
        };
        said = said.text(F::Outcome, outcome).text(F::RawOutcome, &state);
    }
    if let Some(wrap) = wrap {
        said = said
            .text(F::Reason, &text(wrap, "code"))
            .text(F::Input, &text(wrap, "notes"));
        if acw.is_none() {
            said = moment(said, F::End, wrap, "endTime");
            if let Some(s) = int(wrap, "durationSeconds").filter(|s| (0..=1_000_000).contains(s)) {
                said = said.millis(F::Duration, s * 1_000, 1_000_000);
            }
            said = said.text(F::Outcome, "completed");
        }
    }
    told.out.push(said);
}
