//! The same live: detail events as Amazon EventBridge delivers them, presences, and the frames of a
//! notification channel, each with a queue's conversation as it is at that moment.

use callboard_model::cloudevents::words::{AgentState, Direction, SegmentKind};
use serde_json::{Value, json};

use super::{
    agents_end, conversation_id, customers_end, media, missed, queue_id, rung_before, session_id,
    user_id,
};
use crate::simulate::native::{Pen, children, millis};
use crate::simulate::story::{Part, Point, Story};

/// The number under which the contact centre is called.
const OWN: &str = "tel:+999000000100";

/// Tells a conversation.
pub(super) fn tell(pen: &mut Pen<'_>, story: &Story) {
    details(pen, story);
    let waits = |p: &&Part| p.kind == SegmentKind::Queue && p.outcome != "refused";
    if let Some(first) = story.parts.iter().find(waits) {
        frames(pen, story, first.start);
    }
}

/// An event in the envelope of the bus.
fn bus(pen: &mut Pen<'_>, topic: &str, of: &str, at: i64, body: &Value) {
    let n = pen.out.sheets.len().to_string();
    let id = pen.uuid(&["event", &pen.site.name, &n, &at.to_string()]);
    let organisation = pen.uuid(&["organisation", &pen.site.name]);
    let event = json!({
        "version": "0",
        "id": id,
        "detail-type": topic,
        "source": format!("aws.partner/genesys.com/cloud/{organisation}/callboard"),
        "account": "123456789012",
        "time": super::super::seconds(at),
        "region": "eu-central-1",
        "resources": [],
        "detail": {
            "topicName": topic.replace("{id}", of),
            "version": "2",
            "eventBody": body,
            "metadata": {"CorrelationId": pen.uuid(&["correlation", &id])},
            "timestamp": millis(at),
        },
    });
    pen.json("events.ndjson", at, &event);
}

/// The presences of an agent.
pub(super) fn presence(pen: &mut Pen<'_>, agent: usize, points: &[Point]) {
    let user = user_id(pen, agent);
    for point in points {
        let word = match (point.state, point.reason) {
            (AgentState::Available, _) => "On Queue",
            (AgentState::Offline, _) => "Offline",
            (_, "lunch") => "Meal",
            (_, "training") => "Training",
            (_, "meeting" | "coaching") => "Meeting",
            (_, "missed") => "Away",
            _ => "Break",
        };
        let body = json!({
            "source": "PURECLOUD",
            "presenceDefinition": {"id": pen.uuid(&["presence", word]), "systemPresence": word},
            "primary": true,
            "message": "",
            "modifiedDate": millis(point.at),
        });
        bus(pen, "v2.users.{id}.presence", &user, point.at, &body);
    }
}

/// Detail events under way.
struct Details<'d, 'p> {
    pen: &'d mut Pen<'p>,
    story: &'d Story,
}

impl Details<'_, '_> {
    /// Says what happened to a session.
    fn say(&mut self, name: &str, at: i64, session: &str, more: Value) {
        let (media, kind) = media(self.story);
        let direction = match self.story.direction {
            Direction::Outbound => "OUTBOUND",
            _ => "INBOUND",
        };
        let id = conversation_id(self.pen, &self.story.id);
        let mut body = json!({
            "eventTime": at,
            "conversationId": id,
            "participantId": self.pen.uuid(&["participant", &self.story.id, session]),
            "sessionId": session_id(self.pen, self.story, session),
            "mediaType": media.to_uppercase(),
            "provider": "Edge",
            "direction": direction,
        });
        if !kind.is_empty() {
            body["messageType"] = kind.to_uppercase().into();
        }
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        let topic = format!("v2.detail.events.conversation.{{id}}.{name}");
        bus(self.pen, &topic, &id, at, &body);
    }
}

fn details(pen: &mut Pen<'_>, story: &Story) {
    let customer = story.direction != Direction::Internal;
    let mut details = Details { pen, story };
    if customer {
        let (ani, dnis) = match story.direction {
            Direction::Outbound => (OWN, story.customer.as_str()),
            _ => (story.customer.as_str(), OWN),
        };
        let more = json!({"ani": ani, "dnis": dnis});
        details.say("customer.start", story.start, "customer", more);
    }
    for (place, part) in story.parts.iter().enumerate() {
        let of = place.to_string();
        let queue = part.queue.map(|q| queue_id(details.pen, q));
        match part.kind {
            SegmentKind::Menu | SegmentKind::Bot => {
                let kind = match part.kind {
                    SegmentKind::Bot => "BOT",
                    _ => "INBOUNDCALL",
                };
                let exit = match part.outcome {
                    "selected" | "escalated" => "TRANSFER",
                    "contained" => "FLOW_DISCONNECT",
                    "timeout" => "FLOW_TIMEOUT",
                    _ => "DISCONNECT",
                };
                let flow = json!({"flowType": kind, "flowName": part.name});
                details.say("flow.start", part.start, &of, flow.clone());
                let mut end = flow;
                end["exitReason"] = exit.into();
                details.say("flow.end", part.end, &of, end);
            }
            SegmentKind::Queue if part.outcome != "refused" => {
                details.say("acd.start", part.start, &of, json!({"queueId": queue}));
                let (outcome, disconnect) = match part.outcome {
                    "answered" => ("ANSWERED", "TRANSFER"),
                    "abandoned" => ("ABANDON", "PEER"),
                    _ => ("FLOW_OUT", "TRANSFER"),
                };
                let end = json!({
                    "queueId": queue, "acdOutcome": outcome, "disconnectType": disconnect,
                });
                details.say("acd.end", part.end, &of, end);
            }
            SegmentKind::Talk => {
                let user = part.agent.map(|a| user_id(details.pen, a));
                let who = json!({"userId": user, "queueId": queue});
                details.say("user.start", part.start, &of, who.clone());
                let mut end = who.clone();
                end["disconnectType"] = agents_end(story, part).to_uppercase().into();
                details.say("user.end", part.end, &of, end);
                let wrap = children(story, place).find(|p| p.kind == SegmentKind::Wrapup);
                if let Some(wrap) = wrap {
                    let mut acw = who;
                    acw["wrapupCode"] = details.pen.uuid(&["wrapup code"]).into();
                    acw["wrapupDurationMs"] = (wrap.end - wrap.start).into();
                    details.say("acw", wrap.end, &of, acw);
                }
            }
            SegmentKind::Voicemail => {
                details.say("voicemail.start", part.start, &of, json!({}));
                let end = json!({"disconnectType": "CLIENT"});
                details.say("voicemail.end", part.end, &of, end);
            }
            _ => {}
        }
    }
    if customer {
        let more = json!({
            "disconnectType": customers_end(story).to_uppercase(),
            "interactingDurationMs": story.end - story.start,
        });
        details.say("customer.end", story.end, "customer", more);
    }
}

/// What a participant does in a conversation, from first to last.
struct Leg<'s> {
    of: String,
    purpose: &'static str,
    agent: Option<usize>,
    queue: Option<usize>,
    rung: Option<i64>,
    connected: Option<i64>,
    ended: i64,
    word: &'static str,
    holds: Vec<&'s Part>,
    wrap: Option<&'s Part>,
}

fn legs(story: &Story) -> Vec<Leg<'_>> {
    let leg = |of: String, purpose, part: &Part, word| Leg {
        of,
        purpose,
        agent: part.agent,
        queue: part.queue,
        rung: None,
        connected: Some(part.start),
        ended: part.end,
        word,
        holds: Vec::new(),
        wrap: None,
    };
    let mut all = Vec::new();
    for (place, part) in story.parts.iter().enumerate() {
        let of = place.to_string();
        match part.kind {
            SegmentKind::Queue if part.outcome != "refused" => {
                let word = match part.outcome {
                    "abandoned" => "peer",
                    _ => "transfer",
                };
                all.push(leg(of, "acd", part, word));
            }
            SegmentKind::Offer if part.outcome != "accepted" => {
                let mut leg = leg(of, "agent", part, missed(part));
                (leg.rung, leg.connected) = (Some(part.start), None);
                all.push(leg);
            }
            SegmentKind::Talk => {
                let mut leg = leg(of, "agent", part, agents_end(story, part));
                leg.rung = rung_before(story, part).map(|rung| rung.start);
                let own = |kind| children(story, place).filter(move |p| p.kind == kind);
                leg.holds = own(SegmentKind::Hold).collect();
                leg.wrap = own(SegmentKind::Wrapup).next();
                all.push(leg);
            }
            _ => {}
        }
    }
    all
}

/// A frame for each moment at which something changed since the conversation came to a queue.
fn frames(pen: &mut Pen<'_>, story: &Story, since: i64) {
    let legs = legs(story);
    let mut moments: Vec<i64> = vec![since, story.end];
    for leg in &legs {
        moments.extend(leg.rung.into_iter().chain(leg.connected));
        moments.push(leg.ended);
        let parts = leg.holds.iter().chain(&leg.wrap);
        moments.extend(parts.flat_map(|p| [p.start, p.end]));
    }
    moments.retain(|t| *t >= since);
    moments.sort_unstable();
    moments.dedup();
    for at in moments {
        let mut queue = None;
        let mut participants = vec![customer(pen, story, at)];
        for leg in &legs {
            if leg.rung.or(leg.connected).is_some_and(|t| t <= at) {
                participants.push(participant(pen, story, leg, at));
                queue = leg.queue.or(queue);
            }
        }
        let queue = queue.map(|q| queue_id(pen, q)).unwrap_or_default();
        let frame = json!({
            "topicName": format!("v2.routing.queues.{queue}.conversations"),
            "version": "2",
            "eventBody": {
                "id": conversation_id(pen, &story.id),
                "participants": participants,
            },
            "metadata": {"CorrelationId": pen.uuid(&["frame", &story.id, &at.to_string()])},
        });
        pen.json("frames.ndjson", at, &frame);
    }
}

/// The list in which a channel's communications stand.
fn list(story: &Story) -> &'static str {
    match media(story).0 {
        "voice" => "calls",
        "email" => "emails",
        "message" => "messages",
        _ => "chats",
    }
}

fn customer(pen: &Pen<'_>, story: &Story, at: i64) -> Value {
    let mut leg = json!({
        "id": session_id(pen, story, "customer"),
        "state": "connected",
        "held": false,
        "recordingState": "none",
        "direction": "inbound",
        "connectedTime": millis(story.start),
    });
    let kind = media(story).1;
    if !kind.is_empty() {
        leg["type"] = kind.into();
    }
    if at >= story.end {
        leg["state"] = "disconnected".into();
        leg["disconnectedTime"] = millis(story.end).into();
        leg["disconnectType"] = customers_end(story).into();
    }
    json!({
        "id": pen.uuid(&["participant", &story.id, "customer"]),
        "purpose": "customer",
        "name": story.name,
        "address": story.customer,
        list(story): [leg],
    })
}

/// A participant as he is at a moment.
fn participant(pen: &Pen<'_>, story: &Story, leg: &Leg<'_>, at: i64) -> Value {
    let connected = leg.connected.filter(|t| *t <= at);
    let hold = leg.holds.iter().rfind(|h| h.start <= at);
    let over = leg.ended <= at;
    let mut own = json!({
        "id": session_id(pen, story, &leg.of),
        "state": match (over, connected) {
            (true, _) => "disconnected",
            (false, Some(_)) => "connected",
            (false, None) => "alerting",
        },
        "held": hold.is_some_and(|h| at < h.end),
        "recordingState": "none",
        "direction": "inbound",
    });
    if let Some(rung) = leg.rung {
        own["startAlertingTime"] = millis(rung).into();
    }
    if let Some(connected) = connected {
        own["connectedTime"] = millis(connected).into();
    }
    if let Some(hold) = hold {
        own["startHoldTime"] = millis(hold.start).into();
    }
    if over {
        own["disconnectedTime"] = millis(leg.ended).into();
        own["disconnectType"] = leg.word.into();
    }
    if let Some(wrap) = leg.wrap.filter(|w| w.start <= at) {
        own["afterCallWork"] = match wrap.end <= at {
            true => json!({
                "state": "complete",
                "startTime": millis(wrap.start),
                "endTime": millis(wrap.end),
            }),
            false => json!({"state": "pending", "startTime": millis(wrap.start)}),
        };
    }
    let mut body = json!({
        "id": pen.uuid(&["participant", &story.id, &leg.of]),
        "purpose": leg.purpose,
        "queueId": leg.queue.map(|q| queue_id(pen, q)),
        list(story): [own],
    });
    if let Some(agent) = leg.agent.filter(|_| leg.purpose == "agent") {
        body["userId"] = user_id(pen, agent).into();
        body["name"] = pen.agent_name(agent).into();
    }
    body
}
