//! FreeSWITCH: events of the callcenter and of channels as the event socket writes them, and a call
//! record for each customer's leg, and for both legs of a call that an agent makes. It serves calls
//! alone; of calls that go out, of callbacks and of calls between agents its callcenter does not know,
//! and somebody who was called in or asked is another leg of no event.

mod outward;

use callboard_model::cloudevents::words::{
    AgentState, Channel, Direction, EndedBy, SegmentKind, TargetKind,
};
use serde_json::{Map, Value, json};

use super::{Pen, children};
use crate::simulate::story::{Part, Story};

/// An event that waits for its number.
struct Event {
    at: i64,
    headers: Vec<(&'static str, String)>,
}

/// Tells a day.
pub(super) fn tell(pen: &mut Pen<'_>) {
    let site = pen.site;
    pen.name("source", format!("/freeswitch/{}", site.name), &site.source);
    for (q, queue) in site.queues.iter().enumerate() {
        pen.name("queue", queue_id(pen, q), &queue.name);
    }
    for (a, agent) in site.agents.iter().enumerate() {
        pen.name("agent", agent_id(pen, a), &agent.name);
    }
    let day = pen.day;
    let mut events = Vec::new();
    for story in &day.stories {
        if story.channel != Channel::Voice {
            continue;
        }
        match story.direction {
            Direction::Inbound => call(pen, story, &mut events),
            Direction::Outbound => outward::dialled(pen, story),
            Direction::Internal => {}
        }
    }
    for (agent, points) in &day.points {
        for point in points {
            let status = match point.state {
                AgentState::Available => "Available",
                AgentState::Paused => "On Break",
                _ => "Logged Out",
            };
            let headers = vec![
                ("CC-Action", "agent-status-change".to_owned()),
                ("CC-Agent", agent_id(pen, *agent)),
                ("CC-Agent-Status", status.to_owned()),
            ];
            events.push(Event {
                at: point.at,
                headers,
            });
        }
    }
    events.sort_by_key(|e| e.at);
    let core = pen.uuid(&["core", &site.name]);
    for (n, event) in events.into_iter().enumerate() {
        let mut body = Map::new();
        let mut put = |name: &str, value: String| {
            body.insert(name.to_owned(), Value::String(value));
        };
        let custom = event.headers.iter().all(|(name, _)| *name != "Event-Name");
        if custom {
            put("Event-Name", "CUSTOM".to_owned());
            put("Event-Subclass", "callcenter::info".to_owned());
        }
        put("Core-UUID", core.clone());
        put("FreeSWITCH-Switchname", site.name.clone());
        put("Event-Date-Timestamp", (event.at * 1_000).to_string());
        put("Event-Sequence", (1_000 + n).to_string());
        for (name, value) in event.headers {
            put(name, value);
        }
        pen.json("events.ndjson", event.at, &Value::Object(body));
    }
}

fn queue_id(pen: &Pen<'_>, queue: usize) -> String {
    format!("queue{}@{}", queue + 1, pen.site.name)
}

fn agent_id(pen: &Pen<'_>, agent: usize) -> String {
    format!("{}@{}", 1_001 + agent, pen.site.name)
}

/// The events of a call, and its record.
fn call(pen: &mut Pen<'_>, story: &Story, events: &mut Vec<Event>) {
    let session = pen.uuid(&["channel", &story.id]);
    pen.name("contact", session.clone(), &story.id);
    for (place, part) in story.parts.iter().enumerate() {
        // A queue that takes nobody in is not entered.
        if part.kind == SegmentKind::Queue && part.outcome != "refused" {
            stay(pen, story, (place, part), &session, events);
        }
    }
    events.push(Event {
        at: story.end,
        headers: vec![
            ("Event-Name", "CHANNEL_HANGUP_COMPLETE".to_owned()),
            ("Unique-ID", session.clone()),
            ("Channel-Call-UUID", session.clone()),
            ("Hangup-Cause", "NORMAL_CLEARING".to_owned()),
        ],
    });
    let ended = match story.ended_by {
        EndedBy::Customer => "recv_bye",
        _ => "send_bye",
    };
    let body = json!({
        "core-uuid": pen.uuid(&["core", &pen.site.name]),
        "switchname": pen.site.name,
        "variables": {
            "uuid": session,
            "call_uuid": session,
            "direction": "inbound",
            "caller_id_number": story.customer,
            "caller_id_name": story.name,
            "start_uepoch": (story.start * 1_000).to_string(),
            "end_uepoch": (story.end * 1_000).to_string(),
            "sip_hangup_disposition": ended,
            "hangup_cause": "NORMAL_CLEARING",
        },
    });
    pen.json("call-records.ndjson", story.end + 200, &body);
}

/// A stay in a queue: who came, to whom he was offered, how he left.
fn stay(
    pen: &mut Pen<'_>,
    story: &Story,
    (place, part): (usize, &Part),
    session: &str,
    events: &mut Vec<Event>,
) {
    let member = pen.uuid(&["member", &story.id, &place.to_string()]);
    let queue = part.queue.map(|q| queue_id(pen, q)).unwrap_or_default();
    let mut say = |at: i64, action: &str, more: Vec<(&'static str, String)>| {
        let mut headers = vec![
            ("CC-Action", action.to_owned()),
            ("CC-Queue", queue.clone()),
            ("CC-Member-UUID", member.clone()),
            ("CC-Member-Session-UUID", session.to_owned()),
            ("CC-Member-CID-Name", story.name.to_owned()),
            ("CC-Member-CID-Number", story.customer.clone()),
            ("CC-Member-Joined-Time", (part.start / 1_000).to_string()),
        ];
        headers.extend(more);
        events.push(Event { at, headers });
    };
    say(part.start, "member-queue-start", Vec::new());
    let mut legs = Vec::new();
    for (n, offer) in children(story, place).enumerate() {
        let (SegmentKind::Offer, Some(a)) = (offer.kind, offer.agent) else {
            continue;
        };
        let leg = pen.uuid(&["leg", &story.id, &place.to_string(), &n.to_string()]);
        let agent = ("CC-Agent", agent_id(pen, a));
        say(offer.start, "agent-offering", vec![agent.clone()]);
        let called = ("CC-Agent-Called-Time", (offer.start / 1_000).to_string());
        let cause = match offer.outcome {
            "no_answer" => "NO_ANSWER",
            "declined" => "CALL_REJECTED",
            "unreachable" => "USER_NOT_REGISTERED",
            "caller_left" => "ORIGINATOR_CANCEL",
            _ => {
                let more = vec![agent, ("CC-Agent-UUID", leg.clone()), called];
                say(offer.end, "bridge-agent-start", more);
                legs.push((a, leg));
                continue;
            }
        };
        let more = vec![agent, ("CC-Hangup-Cause", cause.to_owned()), called];
        say(offer.end, "bridge-agent-fail", more);
    }
    let talk =
        story.parts.iter().enumerate().find(|(_, p)| {
            p.kind == SegmentKind::Talk && p.parent == Some(place) && p.mode == "serve"
        });
    let (Some((at, talk)), Some((a, leg))) = (talk, legs.pop()) else {
        let reason = match part.outcome {
            "abandoned" | "withdrawn" => "BREAK_OUT",
            "no_agents" => "NO_AGENT_TIMEOUT",
            "key_exit" | "callback" | "voicemail" => "EXIT_WITH_KEY",
            _ => "TIMEOUT",
        };
        let more = vec![
            ("CC-Cause", "Cancel".to_owned()),
            ("CC-Cancel-Reason", reason.to_owned()),
        ];
        return say(part.end, "member-queue-end", more);
    };
    let cause = match (talk.outcome, &talk.target) {
        ("transferred", Some((TargetKind::Agent, _))) => "ATTENDED_TRANSFER",
        ("transferred", _) => "BLIND_TRANSFER",
        _ => "NORMAL_CLEARING",
    };
    let more = vec![
        ("CC-Agent", agent_id(pen, a)),
        ("CC-Agent-UUID", leg.clone()),
        ("CC-Hangup-Cause", cause.to_owned()),
    ];
    say(talk.end, "bridge-agent-end", more);
    let more = vec![("CC-Cause", "Terminated".to_owned())];
    say(talk.end, "member-queue-end", more);
    for hold in children(story, at).filter(|p| p.kind == SegmentKind::Hold) {
        for (when, name) in [(hold.start, "CHANNEL_HOLD"), (hold.end, "CHANNEL_UNHOLD")] {
            let headers = vec![
                ("Event-Name", name.to_owned()),
                ("Unique-ID", leg.clone()),
                ("Channel-Call-UUID", session.to_owned()),
            ];
            events.push(Event { at: when, headers });
        }
    }
}
