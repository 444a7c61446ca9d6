//! Microsoft Teams: the rows of voice-application analytics (auto attendant, call queues, agents),
//! in whole seconds, Graph's call records, rows of the Direct Routing report of calls that go out, and
//! agents' presence. Of what agents do with a call (hold, hand over, wrap up) nothing tells.

mod outward;
mod records;

use callboard_model::cloudevents::words::{
    AgentState, Channel, Direction, SegmentKind, TargetKind,
};
use serde_json::{Value, json};

use super::{Pen, millis};
use crate::simulate::story::{Part, Story};

/// Rows come after an hour or so, milliseconds.
const LATER: i64 = 3_600_000;

/// Tells a day.
pub(super) fn tell(pen: &mut Pen<'_>) {
    let site = pen.site;
    pen.name("source", format!("/teams/{}", site.name), &site.source);
    for (q, queue) in site.queues.iter().enumerate() {
        pen.name("queue", queue_account(pen, q), &queue.name);
    }
    for a in 0..site.agents.len() {
        let name = pen.agent_name(a);
        pen.name("agent", upn(pen, a), name);
        pen.name("agent", user(pen, a), name);
    }
    let day = pen.day;
    for story in &day.stories {
        if story.channel != Channel::Voice {
            continue;
        }
        match story.direction {
            Direction::Inbound => call(pen, story),
            Direction::Outbound => outward::dialled(pen, story),
            Direction::Internal => outward::between(pen, story),
        }
    }
    for (agent, points) in &day.points {
        for point in points {
            let (availability, activity) = match point.state {
                AgentState::Available => ("Available", "Available"),
                AgentState::Paused => ("DoNotDisturb", "DoNotDisturb"),
                _ => ("Offline", "OffWork"),
            };
            let body = json!({
                "id": user(pen, *agent),
                "availability": availability,
                "activity": activity,
                "observedDateTime": millis(point.at),
            });
            pen.json("presence.ndjson", point.at, &body);
        }
    }
}

/// The resource account of a queue, without its domain.
fn queue_account(pen: &Pen<'_>, queue: usize) -> String {
    format!("cq-{}-{}", pen.site.name, queue + 1)
}

fn queue_identity(pen: &Pen<'_>, queue: usize) -> String {
    format!("{}@example.com", queue_account(pen, queue))
}

fn upn(pen: &Pen<'_>, agent: usize) -> String {
    format!("agent{}@{}.example.com", agent + 1, pen.site.name)
}

fn user(pen: &Pen<'_>, agent: usize) -> String {
    pen.uuid(&["user", &pen.site.name, &agent.to_string()])
}

/// `2026-03-07T09:15:04`: UTC, whole seconds, no zone.
fn second(at: i64) -> String {
    millis(at)[..19].to_owned()
}

/// Whole seconds between the seconds of two times, as the rows count.
fn lasted(start: i64, end: i64) -> i64 {
    end.div_euclid(1_000) - start.div_euclid(1_000)
}

/// Rows of one call.
fn call(pen: &mut Pen<'_>, story: &Story) {
    let conference = pen.uuid(&["conference", &story.id]);
    let row = |pen: &Pen<'_>, of: &str, end: i64| -> Value {
        json!({
            "TenantId": pen.uuid(&["tenant", &pen.site.name]),
            "DocumentId": pen.uuid(&["document", &story.id, of]),
            "ConferenceId": conference,
            "DialogId": pen.uuid(&["dialog", &story.id]),
            "UserStartTimeUTC": second(story.start),
            "EndTime": second(end),
            "Timestamp": second(story.end + LATER),
            "PSTNCallType": "External",
            "PSTNConnectivityType": "DirectRouting",
            "TotalCallCount": 1,
        })
    };
    let mut before: Option<usize> = None;
    let mut told = false;
    for (place, part) in story.parts.iter().enumerate() {
        let of = place.to_string();
        match part.kind {
            SegmentKind::Menu => {
                let (result, action) = match part.outcome {
                    "selected" => ("transferred_to_cq", "hunt_group"),
                    "hangup" => ("user_terminated", ""),
                    _ => ("service_terminated", ""),
                };
                let mut body = row(pen, &of, story.end);
                body["AutoAttendantIdentity"] =
                    format!("menu@{}.example.com", pen.site.name).into();
                body["AutoAttendantCallFlow"] = "user_selection".into();
                body["AutoAttendantCallResult"] = result.into();
                body["AutoAttendantTransferAction"] = action.into();
                body["AutoAttendantChainStartTime"] = second(part.start).into();
                body["AutoAttendantChainDurationInSecs"] = lasted(part.start, part.end).into();
                body["AutoAttendantChainIndex"] = 1.into();
                body["AutoAttendantCount"] = 1.into();
                pen.json("auto-attendants.ndjson", story.end + LATER, &body);
            }
            SegmentKind::Queue => {
                let Some(q) = part.queue else { continue };
                let (result, target, action) = stay_end(part);
                let mut body = row(pen, &of, story.end);
                body["CallQueueIdentity"] = queue_identity(pen, q).into();
                body["CallQueueCallResult"] = result.into();
                body["CallQueueTargetType"] = target.into();
                body["CallQueueFinalStateAction"] = action.into();
                body["CallQueueDurationSeconds"] = lasted(part.start, part.end).into();
                body["IsConferenceMode"] = true.into();
                if let Some(from) = before {
                    body["TransferredFromCallQueueIdentity"] = queue_identity(pen, from).into();
                }
                before = Some(q);
                pen.json("call-queues.ndjson", story.end + LATER, &body);
            }
            // He whom the queue gave the call to.
            SegmentKind::Talk if part.mode == "serve" && first(story, place) => {
                let (Some(a), Some(q)) = (part.agent, part.queue) else {
                    continue;
                };
                let mut body = row(pen, &of, part.end);
                body["CallQueueIdentity"] = queue_identity(pen, q).into();
                body["FirstIsCaller"] = true.into();
                body["FirstUPN"] = Value::Null;
                body["SecondUPN"] = upn(pen, a).into();
                body["Duration"] = lasted(part.start, part.end).into();
                pen.json("agent-timeline.ndjson", story.end + LATER, &body);
            }
            _ => continue,
        }
        told = true;
    }
    if told {
        pen.name("contact", conference.clone(), &story.id);
        records::tell(pen, story, &conference);
    }
}

/// Whether a talk is the first of its stay.
fn first(story: &Story, place: usize) -> bool {
    let parent = story.parts[place].parent;
    let of = |p: &Part| p.kind == SegmentKind::Talk && p.parent == parent;
    story.parts.iter().position(of) == Some(place)
}

/// Result, target and last action of a stay.
fn stay_end(part: &Part) -> (&'static str, &'static str, &'static str) {
    let (target, action) = match part.target.as_ref().map(|t| t.0) {
        Some(TargetKind::Queue) => ("ApplicationEndpoint", "forward"),
        Some(TargetKind::External) => ("Phone", "forward"),
        Some(TargetKind::Person) => ("User", "forward"),
        Some(TargetKind::SharedVoicemail) => ("Mailbox", "shared_voicemail"),
        _ => ("Disconnect", "disconnect"),
    };
    match part.outcome {
        "answered" => ("agent_joined_conference", "User", "other"),
        "abandoned" => ("disconnected", "Disconnect", "other"),
        "callback" => ("transferred_to_callback_caller", "User", "other"),
        "overflow" | "refused" => ("overflown", target, action),
        "no_agents" => ("no_agent", target, action),
        _ => ("timed_out", target, action),
    }
}
