//! Azure Communication Services: the events of Job Router, of calls, chats and recordings as Event
//! Grid delivers them, the call-backs of Call Automation to the application that takes the calls, and
//! the hand-offs of a bot. A job is who waits in a queue; of menus and bots, of calls that go out and of
//! what agents do in a talk the router knows nothing, and calls and chats tell it where there is one.

mod calls;
mod chats;
mod ids;
mod recording;

use callboard_model::cloudevents::words::{
    AgentState, Channel, Direction, SegmentKind, TargetKind,
};
use serde_json::{Map, Value, json};

use super::{Pen, children, millis};
use crate::simulate::story::{Part, Story};

/// Tells a day.
pub(super) fn tell(pen: &mut Pen<'_>) {
    let site = pen.site;
    pen.name("source", format!("/acs/{}", site.name), &site.source);
    for (q, queue) in site.queues.iter().enumerate() {
        pen.name("queue", queue_id(pen, q), &queue.name);
    }
    for (a, agent) in site.agents.iter().enumerate() {
        pen.name("agent", worker_id(pen, a), &agent.name);
    }
    let day = pen.day;
    for story in &day.stories {
        if story.direction == Direction::Inbound {
            job(pen, story);
        }
        match story.channel {
            Channel::Voice => calls::tell(pen, story),
            Channel::Chat => chats::tell(pen, story),
            _ => {}
        }
    }
    for (agent, points) in &day.points {
        for (n, point) in points.iter().enumerate() {
            let open = point.state == AgentState::Available;
            let kind = match (n, point.state) {
                (0, _) => "RouterWorkerRegistered",
                (_, AgentState::Offline) => "RouterWorkerDeregistered",
                _ => "RouterWorkerUpdated",
            };
            let worker = worker_id(pen, *agent);
            let mut data = json!({"workerId": worker, "totalCapacity": 100});
            if kind == "RouterWorkerUpdated" {
                data["availableForOffers"] = open.into();
            }
            event(pen, kind, point.at, &format!("worker/{worker}"), data);
        }
    }
}

fn queue_id(pen: &Pen<'_>, queue: usize) -> String {
    format!("{}-queue-{}", pen.site.name, queue + 1)
}

/// A worker is registered by the raw id of his user, so that jobs and calls name him alike.
fn worker_id(pen: &Pen<'_>, agent: usize) -> String {
    let resource = pen.uuid(&["resource", &pen.site.name]);
    let user = pen.uuid(&["user", &pen.site.name, &agent.to_string()]);
    format!("8:acs:{resource}_{user}")
}

fn event(pen: &mut Pen<'_>, kind: &str, at: i64, subject: &str, data: Value) {
    let n = pen.out.sheets.len().to_string();
    // Seven digits, as the platform writes them.
    let time = millis(at).replace('Z', "0000Z");
    let body = json!({
        "id": pen.uuid(&["event", &pen.site.name, &n, &at.to_string()]),
        "topic": format!(
            "/subscriptions/{}/resourceGroups/contact/providers/Microsoft.Communication/communicationServices/{}",
            pen.uuid(&["subscription"]),
            pen.site.name
        ),
        "subject": subject,
        "data": data,
        "eventType": format!("Microsoft.Communication.{kind}"),
        "dataVersion": "1.0",
        "metadataVersion": "1",
        "eventTime": time,
    });
    pen.json("events.ndjson", at, &body);
}

/// A job under way.
struct Job<'j, 'p> {
    pen: &'j mut Pen<'p>,
    id: String,
    channel: &'static str,
    /// The call or chat that is the job's.
    reference: String,
}

impl Job<'_, '_> {
    fn say(&mut self, kind: &str, at: i64, more: Value) {
        let mut data = Map::new();
        data.insert("jobId".into(), self.id.clone().into());
        data.insert("channelReference".into(), self.reference.clone().into());
        data.insert("channelId".into(), self.channel.into());
        if let Value::Object(more) = more {
            data.extend(more);
        }
        let subject = format!("job/{}/channel/{}", self.id, self.channel);
        event(self.pen, kind, at, &subject, Value::Object(data));
    }
}

fn job(pen: &mut Pen<'_>, story: &Story) {
    let waits = |p: &&Part| p.kind == SegmentKind::Queue && p.outcome != "refused";
    let Some(first) = story.parts.iter().find(waits) else {
        return;
    };
    let id = pen.uuid(&["job", &story.id]);
    // A job's id bears its kind in ours.
    pen.name("contact", format!("{}-job:{id}", pen.site.name), &story.id);
    let channel = match story.channel {
        Channel::Voice => "voice",
        Channel::Email => "email",
        Channel::Whatsapp => "whatsapp",
        _ => "chat",
    };
    let reference = match story.channel {
        Channel::Voice => ids::Ids::of(pen, story, 0).server,
        Channel::Chat => chats::thread(pen, story),
        _ => String::new(),
    };
    let mut job = Job {
        pen,
        id,
        channel,
        reference,
    };
    job.say(
        "RouterJobReceived",
        first.start,
        json!({"jobStatus": "PendingClassification"}),
    );
    for (place, part) in story.parts.iter().enumerate() {
        match part.kind {
            SegmentKind::Queue if part.outcome != "refused" => stay(&mut job, story, place, part),
            SegmentKind::Talk if part.mode == "serve" && part.parent.is_some() => {
                talk(&mut job, story, place, part);
            }
            _ => {}
        }
    }
}

fn stay(job: &mut Job<'_, '_>, story: &Story, place: usize, part: &Part) {
    let queue = part.queue.map(|q| queue_id(job.pen, q));
    job.say(
        "RouterJobQueued",
        part.start,
        json!({"queueId": queue, "priority": 1}),
    );
    for (n, offer) in children(story, place).enumerate() {
        let (SegmentKind::Offer, Some(a)) = (offer.kind, offer.agent) else {
            continue;
        };
        let of = [place.to_string(), n.to_string()];
        let id = job.pen.uuid(&["offer", &story.id, &of[0], &of[1]]);
        let worker = worker_id(job.pen, a);
        let mut data = json!({"workerId": worker, "queueId": queue, "offerId": id});
        let mut issued = data.clone();
        issued["offeredOn"] = millis(offer.start).into();
        job.say("RouterWorkerOfferIssued", offer.start, issued);
        let kind = match offer.outcome {
            "accepted" => {
                data["assignmentId"] = assignment(job.pen, story, place).into();
                "RouterWorkerOfferAccepted"
            }
            "declined" => "RouterWorkerOfferDeclined",
            "caller_left" => "RouterWorkerOfferRevoked",
            _ => "RouterWorkerOfferExpired",
        };
        job.say(kind, offer.end, data);
    }
    let rule = match part.outcome {
        "timeout" => "max-wait-time",
        "overflow" => "queue-length",
        "no_agents" => "no-workers",
        _ => "",
    };
    if !rule.is_empty() {
        // The rule strikes, and then something is done about it.
        let data = json!({"ruleKey": rule});
        job.say("RouterJobExceptionTriggered", part.end - 1, data);
    }
    let again =
        |p: &Part| p.kind == SegmentKind::Queue && p.outcome != "refused" && p.start >= part.end;
    let led_on = matches!(part.target, Some((TargetKind::Queue, _)));
    let goes_on = part.outcome == "answered" || led_on && story.parts.iter().any(again);
    if !goes_on {
        let word = match part.outcome {
            "abandoned" => "abandoned",
            "callback" => "callback",
            "voicemail" => "voicemail",
            _ => "",
        };
        job.say(
            "RouterJobCancelled",
            part.end,
            json!({"dispositionCode": word}),
        );
    }
}

fn assignment(pen: &Pen<'_>, story: &Story, stay: usize) -> String {
    pen.uuid(&["assignment", &story.id, &stay.to_string()])
}

/// The talk of him who took the job: handed on to a queue, or completed and closed.
fn talk(job: &mut Job<'_, '_>, story: &Story, place: usize, part: &Part) {
    let (Some(stay), Some(a)) = (part.parent, part.agent) else {
        return;
    };
    let first = story
        .parts
        .iter()
        .position(|p| p.kind == SegmentKind::Talk && p.parent == part.parent);
    if first != Some(place) {
        return; // a colleague, of whom the router knows nothing
    }
    let data = json!({
        "workerId": worker_id(job.pen, a),
        "queueId": part.queue.map(|q| queue_id(job.pen, q)),
        "assignmentId": assignment(job.pen, story, stay),
    });
    let again =
        |p: &Part| p.kind == SegmentKind::Queue && p.outcome != "refused" && p.start >= part.end;
    if part.outcome == "transferred" && story.parts.iter().any(again) {
        return job.say("RouterJobUnassigned", part.end, data);
    }
    job.say("RouterJobCompleted", part.end, data.clone());
    let wrap = children(story, place).find(|p| p.kind == SegmentKind::Wrapup);
    job.say("RouterJobClosed", wrap.map_or(part.end, |w| w.end), data);
}
