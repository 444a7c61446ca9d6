//! Events of EventBridge and frames of notification channels: which topic, when, and what detail
//! events say. Detail events stand for moments of a session; conversations of the queue topics
//! show the whole as it is now and are read by [`topic`](super::topic).

use std::sync::Arc;

use callboard_model::record::{Provenance, Record, Refusal, Routing, rank};
use callboard_model::statement::{F, Statement, Thing};
use serde_json::Value;

use super::contact::{Told, flow_end, flow_kind};
use super::{contact, instance_source, topic, users, words};
use crate::payload::value::{as_text, field, int, path, text, time};

/// An event without its envelopes.
pub(super) struct Event<'v> {
    /// The topic without its id: `v2.detail.events.conversation.acd.start`.
    pub topic: String,
    /// The id in the topic.
    pub of: String,
    /// The body.
    pub body: &'v Value,
    /// When the platform wrote it.
    pub written: Option<(i64, u32)>,
}

impl<'v> Event<'v> {
    /// Takes the envelopes off.
    pub(super) fn of(v: &'v Value) -> Option<Self> {
        let frame = field(v, "detail").unwrap_or(v);
        let body = field(frame, "eventBody")?;
        let name = text(frame, "topicName");
        let declared = text(v, "detail-type");
        let (topic, of) = plain(&name);
        // The bus says what it is; the topic's name in it has the id filled in.
        let topic = match declared.as_str() {
            "" => topic,
            declared => plain(declared).0,
        };
        Some(Event {
            topic,
            of,
            body,
            written: time(frame, "timestamp").or_else(|| time(v, "time")),
        })
    }

    /// The last words of a detail event's topic, `acd.start`.
    fn detail(&self) -> Option<&str> {
        self.topic.strip_prefix("v2.detail.events.conversation.")
    }

    /// When it was.
    pub(super) fn at(&self) -> Option<(i64, u32)> {
        time(self.body, "eventTime")
            .or_else(|| topic::latest(self.body))
            .or(self.written)
    }
}

/// A topic's name without the id in it, and the id: the part that is `{id}` or looks like one.
fn plain(name: &str) -> (String, String) {
    let is_id = |part: &str| {
        part.starts_with('{') || (part.len() >= 20 && part.contains('-')) || part == "*"
    };
    let id = name.split('.').find(|part| is_id(part)).unwrap_or_default();
    let rest: Vec<&str> = name.split('.').filter(|part| !is_id(part)).collect();
    (rest.join("."), id.to_owned())
}

pub(super) fn route(instance: &str, v: &Value, record: &Record) -> Result<Routing, Refusal> {
    let Some(event) = Event::of(v) else {
        return Err(Refusal::new(
            "missing_attribute",
            "the event has no eventBody; send the event as the bus delivers it, without an input transformer",
        ));
    };
    let time = event.at().map(|t| t.0);
    if event.detail().is_some() {
        let keys = vec![contact(instance, &text(event.body, "conversationId"))?];
        return Ok(Routing {
            keys,
            statements: None,
            time,
        });
    }
    let mut routing = match event.topic.as_str() {
        "v2.routing.queues.conversations"
        | "v2.routing.queues.conversations.calls"
        | "v2.conversations"
        | "v2.users.conversations" => topic::route(instance, event.body)?,
        topic if topic.starts_with("v2.users.") || topic == "v2.routing.queues.users" => {
            users::event(instance, &event, record)
        }
        // Other topics change no row; they are kept.
        _ => Routing::default(),
    };
    routing.time = time;
    Ok(routing)
}

pub(super) fn tell(record: &Record, v: &Value, told: &mut Told) {
    let Some(event) = Event::of(v) else { return };
    let by = record.provenance(rank::LIVE, event.at().map(|t| t.0));
    match event.detail() {
        Some(name) => detail(&record.stamp.instance, name, &event, &by, told),
        None => topic::tell(&record.stamp.instance, event.body, &by, told),
    }
}

/// A detail event of a conversation.
fn detail(instance: &str, name: &str, event: &Event<'_>, by: &Arc<Provenance>, told: &mut Told) {
    let body = event.body;
    let session = match text(body, "sessionId") {
        id if id.is_empty() => text(body, "participantId"),
        id => id,
    };
    let disconnect = text(body, "disconnectType");
    let segment = |kind: &str, prefix: &str| {
        let id = format!("{prefix}/{session}");
        Statement::new(Thing::Segment(id.into()), by)
            .text(F::Kind, kind)
            .text(F::Queue, &text(body, "queueId"))
    };
    let at = |s: Statement, f: F| match event.at() {
        Some((us, p)) => s.time(f, us, p),
        None => s,
    };
    let mut whole = Statement::new(Thing::Contact, by)
        .text(F::Source, &instance_source(instance))
        .flag(F::EndsAreStated, true);
    match name {
        "customer.start" => {
            let direction = words::direction(&text(body, "direction"));
            let (ani, dnis) = (text(body, "ani"), text(body, "dnis"));
            let theirs = if direction == "outbound" { &dnis } else { &ani };
            let sub = text(body, "messageType") + &text(body, "provider");
            whole = at(whole, F::Start)
                .text(F::Channel, words::channel(&text(body, "mediaType"), &sub))
                .text(F::Direction, direction)
                .text(F::Customer, words::address(theirs))
                .text(F::Dialled, words::address(&dnis))
                .text(
                    F::Attr("externalContactId".into()),
                    &text(body, "externalContactId"),
                );
        }
        "customer.end" => {
            whole = at(whole, F::End)
                .text(F::EndedBy, words::ended_by_customers(&disconnect))
                .text(F::EndReason, &disconnect);
            if let Some(ms) = int(body, "interactingDurationMs") {
                whole = whole.text(F::Attr("interactingDurationMs".into()), &ms.to_string());
            }
        }
        "acd.start" => told.out.push(at(segment("queue", "queue"), F::Start)),
        "acd.end" => {
            let raw = text(body, "acdOutcome");
            let said = at(segment("queue", "queue"), F::End);
            let said = match raw.to_ascii_uppercase().as_str() {
                "ANSWERED" => said.text(F::Outcome, "answered"),
                "ABANDON" => said
                    .text(F::Outcome, "abandoned")
                    .text(F::EndedBy, "customer"),
                "FLOW_OUT" => {
                    told.flow_outs.insert(format!("queue/{session}"));
                    said.text(F::Outcome, words::flow_out(&text(body, "flowOutType")))
                }
                _ => said.text(F::Outcome, words::left_queue(&disconnect)),
            };
            let raw = if raw.is_empty() { disconnect } else { raw };
            told.out.push(said.text(F::RawOutcome, &raw));
        }
        "user.start" => {
            let mode = match words::direction(&text(body, "direction")) {
                "outbound" => "outbound",
                _ => "serve",
            };
            told.out.push(
                at(segment("talk", "talk"), F::Start)
                    .text(F::Agent, &text(body, "userId"))
                    .text(F::Mode, mode),
            );
        }
        "user.end" => {
            let outcome = if words::is_transfer(&disconnect) {
                "transferred"
            } else if words::is_error(&disconnect) {
                "dropped"
            } else {
                "completed"
            };
            told.out.push(
                at(segment("talk", "talk"), F::End)
                    .text(F::Agent, &text(body, "userId"))
                    .text(F::Outcome, outcome)
                    .text(F::RawOutcome, &disconnect)
                    .text(F::EndedBy, words::ended_by_agents(&disconnect)),
            );
        }
        "acw" => {
            let mut said = at(segment("wrapup", "wrapup"), F::End)
                .text(F::Agent, &text(body, "userId"))
                .text(F::Outcome, "completed")
                .text(F::Reason, &text(body, "wrapupCode"))
                .text(F::Input, &text(body, "wrapupNotes"))
                .text(F::Parent, &format!("talk/{session}"));
            if let Some(ms) = int(body, "wrapupDurationMs").filter(|ms| *ms >= 0) {
                said = said.millis(F::Duration, ms, 1_000);
            }
            told.out.push(said);
        }
        "wrapup" => {
            told.out.push(
                segment("wrapup", "wrapup")
                    .text(F::Agent, &text(body, "userId"))
                    .text(F::Reason, &text(body, "wrapupCode"))
                    .text(F::Input, &text(body, "wrapupNotes"))
                    .text(F::Parent, &format!("talk/{session}")),
            );
        }
        "flow.start" | "flow.end" => {
            let kind = flow_kind(&text(body, "flowType"), "");
            let named = ["flowName", "flowId"].map(|n| text(body, n));
            let name_of = named.iter().find(|n| !n.is_empty()).cloned();
            let said = segment(kind, "flow").text(F::Name, &name_of.unwrap_or_default());
            told.out.push(match name {
                "flow.start" => at(said, F::Start),
                _ => flow_end(at(said, F::End), kind, &text(body, "exitReason")),
            });
        }
        "voicemail.start" => told
            .out
            .push(at(segment("voicemail", "voicemail"), F::Start)),
        "voicemail.end" => told
            .out
            .push(at(segment("voicemail", "voicemail"), F::End).text(F::RawOutcome, &disconnect)),
        "outbound" => {
            whole = whole
                .text(
                    F::Campaign,
                    &first(body, &["campaignName", "outboundCampaignId", "campaignId"]),
                )
                .text(F::Direction, "outbound");
        }
        "attributes" => {
            if let Some(Value::Object(map)) = path(body, &["attributes"]) {
                for (name, value) in map.iter().take(100) {
                    let value = as_text(value).unwrap_or_default();
                    whole = whole.text(F::Attr(name.as_str().into()), &value);
                }
            }
        }
        "contact" => {
            let id = text(body, "externalContactId");
            whole = whole.text(F::Attr("externalContactId".into()), &id);
        }
        // flow.outcome and whatever comes new: a sign of life, kept as it is.
        _ => {}
    }
    told.out.push(whole);
}

fn first(v: &Value, names: &[&str]) -> String {
    let mut all = names.iter().map(|n| text(v, n));
    all.find(|t| !t.is_empty()).unwrap_or_default()
}
