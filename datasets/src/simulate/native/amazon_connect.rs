//! Amazon Connect: every agent who takes part has a contact (a leg) of his own, linked to the one
//! before. Contact events and the agent event stream count milliseconds, contact records seconds.
//!
//! Told otherwise than it happened, since the platform knows nothing else: consultations are legs
//! of the customer's contact; who is transferred as a new contact calls anew, through a number of
//! the instance; who was refused at the door of a queue goes on in the flow.

mod agents;
mod legs;

use callboard_model::cloudevents::words::Channel;
use serde_json::{Map, Value, json};

use super::{Pen, millis, seconds};
use crate::simulate::story::Story;
use legs::{Leg, legs};

/// Account of all instances.
const ACCOUNT: &str = "111122223333";
const REGION: &str = "eu-central-1";

/// Tells a day.
pub(super) fn tell(pen: &mut Pen<'_>) {
    let source = format!("/amazon-connect/{}", instance(pen));
    let site = pen.site;
    pen.name("source", source, &site.source);
    for (q, queue) in site.queues.iter().enumerate() {
        let id = queue_id(pen, q);
        pen.name("queue", id, &queue.name);
    }
    for (a, agent) in site.agents.iter().enumerate() {
        let id = agent_id(pen, a);
        pen.name("agent", id, &agent.name);
    }
    let mut all = Vec::new();
    let day = pen.day;
    for story in &day.stories {
        let own = legs(pen, story);
        for leg in &own {
            pen.name(
                "contact",
                format!("{}-{}", instance(pen), leg.id),
                &story.id,
            );
            events(pen, story, leg);
            record(pen, story, leg);
        }
        all.extend(own);
    }
    agents::tell(pen, &all);
}

fn instance(pen: &Pen<'_>) -> String {
    pen.uuid(&["instance", &pen.site.name])
}

fn queue_id(pen: &Pen<'_>, queue: usize) -> String {
    pen.uuid(&["queue", &pen.site.name, pen.queue_name(queue)])
}

fn agent_id(pen: &Pen<'_>, agent: usize) -> String {
    pen.uuid(&["agent", &pen.site.name, pen.agent_name(agent)])
}

/// The name of a resource of the instance.
fn arn(pen: &Pen<'_>, path: &str) -> String {
    format!(
        "arn:aws:connect:{REGION}:{ACCOUNT}:instance/{}{path}",
        instance(pen)
    )
}

fn queue_arn(pen: &Pen<'_>, leg: &Leg) -> Option<String> {
    match (leg.queue, leg.own_queue_of) {
        (Some(q), _) => Some(arn(pen, &format!("/queue/{}", queue_id(pen, q)))),
        (None, Some(a)) => Some(arn(pen, &format!("/queue/agent/{}", agent_id(pen, a)))),
        (None, None) => None,
    }
}

fn channel(story: &Story) -> (&'static str, &'static str) {
    match story.channel {
        Channel::Voice => ("VOICE", "connect:Telephony"),
        Channel::Email => ("EMAIL", "connect:Email"),
        Channel::Whatsapp => ("CHAT", "connect:WhatsApp"),
        _ => ("CHAT", "connect:Chat"),
    }
}

/// Who is at the other end; a chat in a browser has no address.
fn customer(story: &Story) -> Option<Value> {
    let (kind, known) = match story.channel {
        Channel::Chat => return None,
        Channel::Email => ("EMAIL_ADDRESS", &story.customer),
        _ => ("TELEPHONE_NUMBER", &story.customer),
    };
    Some(json!({"address": known, "type": kind, "displayName": story.name}))
}

/// Contact events: each tells all that is known by then.
fn events(pen: &mut Pen<'_>, story: &Story, leg: &Leg) {
    let mut moments = vec![("INITIATED", leg.initiated)];
    moments.extend(leg.to_system.map(|at| ("CONNECTED_TO_SYSTEM", at)));
    moments.extend(leg.enqueued.map(|at| ("QUEUED", at)));
    moments.extend(leg.connected.map(|at| ("CONNECTED_TO_AGENT", at)));
    moments.push(("DISCONNECTED", leg.disconnected));
    moments.push((
        "COMPLETED",
        leg.wrap.map_or(leg.disconnected, |(_, end)| end),
    ));
    for (kind, at) in moments {
        let detail = detail(pen, story, leg, kind, at);
        let event = json!({
            "version": "0",
            "id": pen.uuid(&["event", &leg.id, kind]),
            "detail-type": "Amazon Connect Contact Event",
            "source": "aws.connect",
            "account": ACCOUNT,
            "time": seconds(at),
            "region": REGION,
            "resources": [arn(pen, &format!("/contact/{}", leg.id))],
            "detail": detail,
        });
        pen.json("contact-events.ndjson", at + 700, &event);
    }
}

/// What an event tells: what had happened by its own time.
fn detail(pen: &Pen<'_>, story: &Story, leg: &Leg, kind: &str, now: i64) -> Value {
    let by = |at: Option<i64>| at.filter(|at| *at <= now).map(millis);
    let (word, subtype) = channel(story);
    let mut d = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            d.insert(name.to_owned(), value);
        }
    };
    put("eventType", Some(kind.into()));
    put("contactId", Some(leg.id.clone().into()));
    put("initialContactId", leg.first.clone().map(Value::from));
    put("previousContactId", leg.previous.clone().map(Value::from));
    put("channel", Some(word.into()));
    put("instanceArn", Some(arn(pen, "").into()));
    put("initiationMethod", Some(leg.method.into()));
    put("initiationTimestamp", Some(millis(leg.initiated).into()));
    put(
        "connectedToSystemTimestamp",
        by(leg.to_system).map(Value::from),
    );
    put("customerEndpoint", customer(story));
    put(
        "segmentAttributes",
        Some(json!({"connect:Subtype": {"valueString": subtype}})),
    );
    put(
        "ringStartTimestamp",
        by(leg.rings_customer).map(Value::from),
    );
    if let (Some(arn), Some(at)) = (queue_arn(pen, leg), by(leg.enqueued)) {
        let kind = if leg.queue.is_some() {
            "STANDARD"
        } else {
            "AGENT"
        };
        put(
            "queueInfo",
            Some(json!({"queueArn": arn, "queueType": kind, "enqueueTimestamp": at})),
        );
    }
    if let (Some(a), Some(at)) = (leg.agent, by(leg.connected)) {
        let mut agent = Map::new();
        let path = format!("/agent/{}", agent_id(pen, a));
        agent.insert("agentArn".into(), arn(pen, &path).into());
        agent.insert("connectedToAgentTimestamp".into(), at.into());
        if let Some((start, end)) = leg
            .wrap
            .filter(|w| w.0 <= now && kind != "CONNECTED_TO_AGENT")
        {
            agent.insert(
                "afterContactWorkStartTimestamp".into(),
                millis(start).into(),
            );
            if end <= now {
                agent.insert("afterContactWorkEndTimestamp".into(), millis(end).into());
                agent.insert(
                    "afterContactWorkDuration".into(),
                    ((end - start) / 1_000).into(),
                );
            }
        }
        put("agentInfo", Some(Value::Object(agent)));
    }
    if matches!(kind, "DISCONNECTED" | "COMPLETED") {
        put("disconnectTimestamp", Some(millis(leg.disconnected).into()));
        put("disconnectReason", Some(leg.reason.into()));
        put(
            "answeringMachineDetectionStatus",
            leg.heard.map(Value::from),
        );
    }
    Value::Object(d)
}

/// The contact record, written once nothing of the leg goes on.
fn record(pen: &mut Pen<'_>, story: &Story, leg: &Leg) {
    let (word, subtype) = channel(story);
    let time = |at: Option<i64>| at.map(seconds);
    let over = leg.wrap.map_or(leg.disconnected, |(_, end)| end) + 1_000;
    let whole = |ms: i64| ms / 1_000;
    let talked = leg
        .talk
        .map(|(start, end)| whole(end - start - leg.held()))
        .unwrap_or(0);
    let agent = leg.agent.zip(leg.connected).map(|(a, connected)| {
        let wrap = leg.wrap;
        json!({
            "ARN": arn(pen, &format!("/agent/{}", agent_id(pen, a))),
            "Username": pen.agent_name(a),
            "ConnectedToAgentTimestamp": seconds(connected),
            "AgentInteractionDuration": talked,
            "CustomerHoldDuration": whole(leg.held()),
            "LongestHoldDuration": whole(leg.holds.iter().map(|(s, e, _)| e - s).max().unwrap_or(0)),
            "NumberOfHolds": leg.holds.len(),
            "AfterContactWorkStartTimestamp": time(wrap.map(|w| w.0)),
            "AfterContactWorkEndTimestamp": time(wrap.map(|w| w.1)),
            "AfterContactWorkDuration": whole(wrap.map_or(0, |(start, end)| end - start)),
        })
    });
    let queue = queue_arn(pen, leg).map(|arn| {
        let left = leg.dequeued.or(leg.connected).unwrap_or(leg.disconnected);
        json!({
            "ARN": arn,
            "Name": leg.queue.map(|q| pen.queue_name(q)),
            "EnqueueTimestamp": time(leg.enqueued),
            "DequeueTimestamp": time(leg.dequeued.or(leg.connected)),
            "Duration": leg.enqueued.map(|at| whole(left - at)),
        })
    });
    let endpoint = customer(story).map(
        |c| json!({"Address": c["address"], "Type": c["type"], "DisplayName": c["displayName"]}),
    );
    let mut body = json!({
        "AWSAccountId": ACCOUNT,
        "AWSContactTraceRecordFormatVersion": "2017-03-10",
        "InstanceARN": arn(pen, ""),
        "ContactId": leg.id,
        "InitialContactId": leg.first,
        "PreviousContactId": leg.previous,
        "NextContactId": leg.next,
        "LastUpdateTimestamp": seconds(over),
        "Channel": word,
        "InitiationMethod": leg.method,
        "InitiationTimestamp": seconds(leg.initiated),
        "ConnectedToSystemTimestamp": time(leg.to_system),
        "RingStartTimestamp": time(leg.rings_customer),
        "DisconnectTimestamp": seconds(leg.disconnected),
        "DisconnectReason": leg.reason,
        "TransferCompletedTimestamp": time(leg.transferred.as_ref().map(|t| t.0)),
        "TransferredToEndpoint": leg.transferred.as_ref()
            .map(|(_, to)| json!({"Address": to, "Type": "TELEPHONE_NUMBER"})),
        "AnsweringMachineDetectionStatus": leg.heard,
        "AgentConnectionAttempts": leg.offers.len(),
        "Attributes": {},
        "Tags": {"site": pen.site.name},
        "SegmentAttributes": {"connect:Subtype": {"ValueString": subtype}},
        "Agent": agent,
        "Queue": queue,
        "CustomerEndpoint": endpoint,
        "SystemEndpoint": Value::Null,
    });
    if leg.bot {
        body["ChatMetrics"] = json!({"ContactMetrics": {"TotalBotMessages": 4}});
    }
    if let Some(campaign) = leg.campaign {
        body["Campaign"] = json!({"CampaignId": campaign});
    }
    pen.json("contact-records.ndjson", over + 45_000, &body);
}
