//! The agent event stream: with every change, how the agent stood before and how he stands now.

use std::collections::BTreeMap;

use callboard_model::cloudevents::words::AgentState;
use serde_json::{Value, json};

use super::super::{Pen, millis};
use super::legs::{Leg, Rings};
use super::{agent_id, arn, queue_arn};

/// A change of one agent.
enum Change<'l> {
    /// His status: kind, name.
    Status(&'static str, String),
    /// A contact of his is in this state now.
    Contact(&'l Leg, &'static str),
    /// A contact is gone from his list.
    Gone(&'l Leg),
}

/// How an agent stands.
#[derive(Clone, Default)]
struct Stand<'l> {
    status: Option<(&'static str, String, i64)>,
    contacts: BTreeMap<&'l str, (&'l Leg, &'static str, i64)>,
}

/// Tells all changes of the agents.
pub(super) fn tell(pen: &mut Pen<'_>, legs: &[Leg]) {
    let mut changes: BTreeMap<usize, Vec<(i64, Change<'_>)>> = BTreeMap::new();
    let day = pen.day;
    for (agent, points) in &day.points {
        let own = changes.entry(*agent).or_default();
        for point in points {
            let (kind, name) = match point.state {
                AgentState::Available => ("ROUTABLE", "Available"),
                AgentState::Paused => ("CUSTOM", point.reason),
                _ => ("OFFLINE", "Offline"),
            };
            own.push((point.at, Change::Status(kind, name.to_owned())));
        }
    }
    for leg in legs {
        of_leg(leg, &mut changes);
    }
    for (agent, mut own) in changes {
        own.sort_by_key(|(at, _)| *at);
        story(pen, agent, own);
    }
}

/// What a leg changes.
fn of_leg<'l>(leg: &'l Leg, all: &mut BTreeMap<usize, Vec<(i64, Change<'l>)>>) {
    let mut put = |agent: usize, at: i64, change| all.entry(agent).or_default().push((at, change));
    for rings in &leg.offers {
        put(rings.agent, rings.start, Change::Contact(leg, "CONNECTING"));
        let state = match rings.outcome {
            "no_answer" => "MISSED",
            "declined" => "REJECTED",
            "unreachable" => "ERROR",
            "caller_left" => {
                put(rings.agent, rings.end, Change::Gone(leg));
                continue;
            }
            _ => continue, // he is connected
        };
        put(rings.agent, rings.end, Change::Contact(leg, state));
        // Offered to him again at once, it stays in his list.
        let again = |r: &Rings| r.agent == rings.agent && r.start >= rings.end;
        if !leg.offers.iter().any(again) {
            put(rings.agent, rings.end + 1, Change::Gone(leg));
        }
    }
    let Some(agent) = leg.agent else { return };
    if leg.offers.is_empty()
        && let Some(at) = leg
            .connected
            .filter(|at| leg.talk.is_none_or(|t| t.0 > *at))
    {
        // He dials.
        put(agent, at, Change::Contact(leg, "CONNECTING"));
    }
    let Some((start, end)) = leg.talk else {
        return put(agent, leg.disconnected, Change::Gone(leg));
    };
    put(agent, start, Change::Contact(leg, "CONNECTED"));
    for (from, until, how) in &leg.holds {
        put(agent, *from, Change::Contact(leg, "CONNECTED_ONHOLD"));
        if *how == "resumed" {
            put(agent, *until, Change::Contact(leg, "CONNECTED"));
        }
    }
    match leg.wrap {
        Some((from, until)) => {
            put(agent, from, Change::Contact(leg, "ENDED"));
            put(agent, until, Change::Gone(leg));
        }
        None => put(agent, end, Change::Gone(leg)),
    }
}

/// One agent's events.
fn story(pen: &mut Pen<'_>, agent: usize, changes: Vec<(i64, Change<'_>)>) {
    let mut stand = Stand::default();
    for (n, (at, change)) in changes.into_iter().enumerate() {
        let before = stand.clone();
        let mut kind = "STATE_CHANGE";
        match change {
            Change::Status(word, name) => {
                kind = match (word, before.status.as_ref().map(|s| s.0)) {
                    ("OFFLINE", _) => "LOGOUT",
                    (_, None | Some("OFFLINE")) => "LOGIN",
                    _ => kind,
                };
                stand.status = Some((word, name, at));
            }
            Change::Contact(leg, state) => {
                stand.contacts.insert(&leg.id, (leg, state, at));
            }
            Change::Gone(leg) => {
                stand.contacts.remove(leg.id.as_str());
            }
        }
        let number = n.to_string();
        let id = agent_id(pen, agent);
        let event = json!({
            "AWSAccountId": super::ACCOUNT,
            "AgentARN": arn(pen, &format!("/agent/{id}")),
            "InstanceARN": arn(pen, ""),
            "EventId": pen.uuid(&["agent event", &pen.site.name, &id, &number, &at.to_string()]),
            "EventTimestamp": millis(at),
            "EventType": kind,
            "Version": "2019-05-25",
            "CurrentAgentSnapshot": snapshot(pen, agent, &stand),
            "PreviousAgentSnapshot": if n == 0 {
                Value::Null
            } else {
                snapshot(pen, agent, &before)
            },
        });
        pen.json("agent-events.ndjson", at + 300, &event);
    }
}

fn snapshot(pen: &Pen<'_>, agent: usize, stand: &Stand<'_>) -> Value {
    let status = stand.status.as_ref().map(|(kind, name, since)| {
        json!({
            "ARN": arn(pen, &format!("/agent-state/{}", pen.uuid(&["status", name]))),
            "Name": name,
            "StartTimestamp": millis(*since),
            "Type": kind,
        })
    });
    let contacts: Vec<Value> = stand.contacts.values().map(|c| contact(pen, c)).collect();
    json!({
        "AgentStatus": status,
        "NextAgentStatus": Value::Null,
        "Configuration": {
            "Username": pen.agent_name(agent),
            "AgentHierarchyGroups": Value::Null,
        },
        "Contacts": contacts,
    })
}

fn contact(pen: &Pen<'_>, (leg, state, since): &(&Leg, &'static str, i64)) -> Value {
    let queue = queue_arn(pen, leg)
        .map(|arn| json!({"ARN": arn, "Name": leg.queue.map(|q| pen.queue_name(q))}));
    let connected = leg
        .connected
        .filter(|_| matches!(*state, "CONNECTED" | "CONNECTED_ONHOLD" | "ENDED"));
    json!({
        "ContactId": leg.id,
        "InitialContactId": leg.first.as_ref().unwrap_or(&leg.id),
        "Channel": leg.channel,
        "InitiationMethod": leg.method,
        "State": state,
        "StateStartTimestamp": millis(*since),
        "ConnectedToAgentTimestamp": connected.map(millis),
        "QueueTimestamp": leg.enqueued.map(millis),
        "Queue": queue,
    })
}
