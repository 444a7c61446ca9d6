//! Conversation details of analytics: the whole conversation, once more.

use std::sync::Arc;

use callboard_model::record::{Provenance, Record, rank};
use callboard_model::statement::{F, Statement, Thing};
use serde_json::Value;

use super::contact::{Told, flow_end, flow_kind};
use super::{contact_id, instance_source, sessions, words};
use crate::payload::value::{field, flag, int, items, path, text, time};

/// No more attributes of a participant than these become facts.
const MOST_ATTRIBUTES: usize = 100;

/// The latest time that the record states: a conversation has no version, and the record that
/// knows more is the later one.
pub(super) fn recorded_at(v: &Value) -> Option<i64> {
    let of = |v: &Value, names: &[&str]| names.iter().filter_map(|n| time(v, n)).max();
    let surveys = items(v, "surveys")
        .iter()
        .filter_map(|s| time(s, "surveyCompletedDate"));
    let within = sessions(v).flat_map(|(_, s)| {
        let metrics = items(s, "metrics")
            .iter()
            .filter_map(|m| time(m, "emitDate"));
        let segments = items(s, "segments")
            .iter()
            .filter_map(|g| of(g, &["segmentStart", "segmentEnd"]));
        metrics.chain(segments).collect::<Vec<_>>()
    });
    of(v, &["conversationStart", "conversationEnd"])
        .into_iter()
        .chain(surveys)
        .chain(within)
        .map(|t| t.0)
        .max()
}

/// A part of a session.
struct Piece<'v> {
    kind: String,
    start: Option<(i64, u32)>,
    end: Option<(i64, u32)>,
    v: &'v Value,
}

/// A session with its participant.
struct Session<'v> {
    id: String,
    purpose: String,
    agent: String,
    v: &'v Value,
    pieces: Vec<Piece<'v>>,
    by: &'v Arc<Provenance>,
}

impl Session<'_> {
    fn about(&self, kind: &str, id: String) -> Statement {
        Statement::new(Thing::Segment(id.into()), self.by).text(F::Kind, kind)
    }

    fn of(&self, kinds: &[&str]) -> Vec<&Piece<'_>> {
        let found = self.pieces.iter();
        found.filter(|p| kinds.contains(&&*p.kind)).collect()
    }

    /// From the first start to the last end of some parts; open while one of them is.
    fn span(&self, s: Statement, of: &[&Piece<'_>]) -> Statement {
        let mut s = s;
        if let Some((us, p)) = of.iter().filter_map(|g| g.start).min() {
            s = s.time(F::Start, us, p);
        }
        if of.iter().all(|g| g.end.is_some())
            && let Some((us, p)) = of.iter().filter_map(|g| g.end).max()
        {
            s = s.time(F::End, us, p);
        }
        s.text(F::Queue, &first(of, "queueId"))
    }

    fn metric(&self, name: &str) -> Option<i64> {
        let named = |m: &&Value| text(m, "name") == name;
        int(items(self.v, "metrics").iter().find(named)?, "value")
    }

    fn disconnect(&self) -> String {
        let all = self.pieces.iter().rev();
        all.map(|p| text(p.v, "disconnectType"))
            .find(|t| !t.is_empty())
            .unwrap_or_default()
    }
}

/// The first of the parts that has this field.
fn first(of: &[&Piece<'_>], name: &str) -> String {
    of.iter()
        .map(|p| text(p.v, name))
        .find(|t| !t.is_empty())
        .unwrap_or_default()
}

/// What a detail record says of its conversation.
pub(super) fn tell(record: &Record, v: &Value, told: &mut Told) {
    let instance = &*record.stamp.instance;
    let by = record.provenance(rank::RECORD, recorded_at(v));
    let mut all: Vec<Session<'_>> = Vec::new();
    for (n, (p, s)) in sessions(v).enumerate() {
        let mut pieces: Vec<Piece<'_>> = items(s, "segments")
            .iter()
            .map(|g| Piece {
                kind: text(g, "segmentType").to_ascii_lowercase(),
                start: time(g, "segmentStart"),
                end: time(g, "segmentEnd"),
                v: g,
            })
            .collect();
        pieces.sort_by_key(|g| g.start);
        let id = match text(s, "sessionId") {
            id if id.is_empty() => format!("{}#{n}", text(p, "participantId")),
            id => id,
        };
        let agent = match text(p, "userId") {
            id if id.is_empty() => text(p, "participantName"),
            id => id,
        };
        all.push(Session {
            id,
            purpose: text(p, "purpose").to_ascii_lowercase(),
            agent,
            v: s,
            pieces,
            by: &by,
        });
    }
    let outside = |s: &Session<'_>| matches!(&*s.purpose, "customer" | "external");
    let internal = !all.is_empty() && !all.iter().any(outside);
    whole(instance, v, &all, internal, &by, told);
    measured::tell(instance, v, recorded_at(v), &by, &mut told.out);
    // The customer's side of a dial is told once, by him who dials.
    let agents = || {
        all.iter()
            .filter(|s| matches!(&*s.purpose, "agent" | "user"))
    };
    let dialled = agents().any(|s| !s.of(&["dialing", "contacting"]).is_empty());
    for s in &all {
        match s.purpose.as_str() {
            "acd" => stay(s, told),
            "agent" | "user" => detail_agent(s, internal, told),
            "customer" | "external" => waits(s, dialled, told),
            "ivr" | "botflow" | "bot" | "workflow" => flow(s, told),
            "voicemail" => voicemail(s, told),
            _ => {}
        }
        for g in &s.pieces {
            let other = text(g.v, "destinationConversationId");
            if !other.is_empty() && other != text(v, "conversationId") {
                told.out
                    .push(link(instance, "transfer", &other, g.end, &by));
            }
        }
    }
    for other in items(v, "consultationConversationIds") {
        if let Some(other) = other.as_str().filter(|o| !o.is_empty()) {
            let at = time(v, "conversationStart");
            told.out.push(link(instance, "consult", other, at, &by));
        }
    }
}

fn link(
    instance: &str,
    kind: &str,
    other: &str,
    at: Option<(i64, u32)>,
    by: &Arc<Provenance>,
) -> Statement {
    let to = contact_id(instance, other);
    let s = Statement::new(Thing::Link(kind.into(), to.into()), by);
    match at {
        Some((us, p)) => s.time(F::At, us, p),
        None => s,
    }
}

/// The contact itself.
fn whole(
    instance: &str,
    v: &Value,
    all: &[Session<'_>],
    internal: bool,
    by: &Arc<Provenance>,
    told: &mut Told,
) {
    let of = |purpose: &str| all.iter().find(|s| s.purpose == purpose);
    let customer = of("customer").or_else(|| of("external"));
    let face = customer.or(all.first()).map(|s| s.v);
    let get = |name: &str| face.map(|s| text(s, name)).unwrap_or_default();
    let direction = match words::direction(&text(v, "originatingDirection")) {
        "" => words::direction(&get("direction")),
        stated => stated,
    };
    let direction = if internal { "internal" } else { direction };
    let (ani, dnis) = (get("ani"), get("dnis"));
    let (theirs, dialled) = match direction {
        "outbound" => (&dnis, &dnis),
        _ => (&ani, &dnis),
    };
    let sub = get("messageType") + &get("provider");
    let mut s = Statement::new(Thing::Contact, by)
        .text(F::Source, &instance_source(instance))
        .text(F::Channel, words::channel(&get("mediaType"), &sub))
        .text(F::Direction, direction)
        .text(F::Customer, words::address(theirs))
        .text(F::Dialled, words::address(dialled));
    for (f, name) in [(F::Start, "conversationStart"), (F::End, "conversationEnd")] {
        if let Some((us, p)) = time(v, name) {
            s = s.time(f, us, p);
        }
    }
    // An asynchronous conversation stays open at the platform though nobody is in it any more:
    // where every part ended, the last of them is the end.
    let pieces = || all.iter().flat_map(|s| &s.pieces);
    if pieces().next().is_some() && pieces().all(|g| g.end.is_some()) {
        s = s.flag(F::EndsAreStated, false);
    }
    if let Some(c) = customer {
        let disconnect = c.disconnect();
        s = s
            .text(F::EndedBy, words::ended_by_customers(&disconnect))
            .text(F::EndReason, &disconnect);
    }
    for p in items(v, "participants") {
        if text(p, "purpose").eq_ignore_ascii_case("customer") {
            s = s.text(F::CustomerName, &text(p, "participantName"));
            s = s.text(
                F::Attr("externalContactId".into()),
                &text(p, "externalContactId"),
            );
        }
        if let Some(Value::Object(map)) = field(p, "attributes") {
            for (name, value) in map.iter().take(MOST_ATTRIBUTES) {
                let value = crate::payload::value::as_text(value).unwrap_or_default();
                s = s.text(F::Attr(name.as_str().into()), &value);
            }
        }
    }
    for name in [
        "mediaStatsMinConversationMos",
        "mediaStatsMinConversationRFactor",
    ] {
        s = s.text(F::Attr(name.into()), &text(v, name));
    }
    if sessions(v).any(|(_, s)| flag(s, "recording")) {
        s = s.text(F::Attr("recorded".into()), "true");
    }
    told.out.push(s);
}

/// A stay in a queue: an acd participant's session.
fn stay(s: &Session<'_>, told: &mut Told) {
    let parts = s.of(&[
        "interact",
        "delay",
        "hold",
        "system",
        "unknown",
        "scheduled",
    ]);
    if parts.is_empty() {
        return;
    }
    let id = format!("queue/{}", s.id);
    let disconnect = s.disconnect();
    let flow = text(s.v, "flowOutType");
    let abandoned = s.metric("tAbandon").or(s.metric("tShortAbandon")).is_some();
    let mut said = s.span(s.about("queue", id.clone()), &parts);
    said = said.text(
        F::RawOutcome,
        if flow.is_empty() { &disconnect } else { &flow },
    );
    if abandoned {
        said = said
            .text(F::Outcome, "abandoned")
            .text(F::EndedBy, "customer");
    } else if s.metric("tFlowOut").is_some() || !flow.is_empty() {
        said = said.text(F::Outcome, words::flow_out(&flow));
        told.flow_outs.insert(id);
    } else if s.metric("tAnswered").is_some() {
        said = said.text(F::Outcome, "answered");
    } else {
        said = said.text(F::Outcome, words::left_queue(&disconnect));
    }
    told.out.push(said);
}

/// A menu or a bot.
fn flow(s: &Session<'_>, told: &mut Told) {
    let parts: Vec<&Piece<'_>> = s.pieces.iter().filter(|p| p.kind != "wrapup").collect();
    if parts.is_empty() {
        return;
    }
    let of_flow = |name: &str| path(s.v, &["flow", name]).and_then(crate::payload::value::as_text);
    let kind = flow_kind(&of_flow("flowType").unwrap_or_default(), &s.purpose);
    let name = of_flow("flowName").or_else(|| of_flow("flowId"));
    let said = s
        .span(s.about(kind, format!("flow/{}", s.id)), &parts)
        .text(F::Name, &name.unwrap_or_default());
    let reason = of_flow("exitReason").unwrap_or_else(|| s.disconnect());
    told.out.push(flow_end(said, kind, &reason));
}

fn voicemail(s: &Session<'_>, told: &mut Told) {
    let parts: Vec<&Piece<'_>> = s.pieces.iter().filter(|p| p.kind != "wrapup").collect();
    if parts.is_empty() {
        return;
    }
    let mut said = s.span(s.about("voicemail", format!("voicemail/{}", s.id)), &parts);
    if let Some(ms) = s.metric("tVoicemail") {
        said = said.text(F::Outcome, if ms > 0 { "left" } else { "empty" });
    }
    told.out.push(said.text(F::RawOutcome, &s.disconnect()));
}

/// What a customer, or somebody outside to whom he was handed on, does without an agent: a call
/// to be made back, a dial.
fn waits(s: &Session<'_>, dialled: bool, told: &mut Told) {
    let callback = s.of(&["callback", "scheduled"]);
    if !callback.is_empty() {
        let mut said = s.span(s.about("callback", format!("callback/{}", s.id)), &callback);
        for name in ["callbackNumbers", "callbackScheduledTime"] {
            let given = match field(s.v, name) {
                Some(Value::Array(all)) => all.first().and_then(crate::payload::value::as_text),
                Some(one) => crate::payload::value::as_text(one),
                None => None,
            };
            let f = if name == "callbackNumbers" {
                F::Target
            } else {
                F::Input
            };
            said = said.text(f, words::address(&given.unwrap_or_default()));
        }
        told.out.push(said);
    }
    let outside = s.purpose == "external";
    let kinds: &[&str] = if outside {
        &["dialing", "contacting", "interact", "hold"]
    } else {
        &["dialing", "contacting"]
    };
    let dial = s.of(kinds);
    if !dial.is_empty() && (outside || !dialled) {
        let number = [
            text(s.v, "dnis"),
            text(s.v, "sessionDnis"),
            text(s.v, "remote"),
        ];
        let number = number.iter().find(|n| !n.is_empty()).cloned();
        let outcome = match s.of(&["interact"]).is_empty() {
            false => "answered",
            true => words::not_dialled(&s.disconnect()),
        };
        told.out.push(
            s.span(s.about("dial", format!("dial/{}", s.id)), &dial)
                .text(F::Target, words::address(&number.unwrap_or_default()))
                .text(F::Outcome, outcome)
                .text(F::RawOutcome, &s.disconnect()),
        );
    }
}

mod agent;
mod evaluation;
mod measured;
mod survey;

pub(super) use agent::hold_id;
use agent::tell as detail_agent;
pub(super) use evaluation::{evaluation, keys as evaluations};
pub(super) use survey::{keys as surveys, survey};
