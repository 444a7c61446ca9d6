//! Calls: IncomingCall and the calls of users as Event Grid tells them, the call-backs of the
//! application that answers, plays the menu, asks the router and adds whom it found, and recordings.
//!
//! Customers come by telephone. Of a call Event Grid tells what users of the service do in it, so
//! that one whom nobody answered is told by the application alone; a call from one agent to another
//! is no business of the application, and Event Grid alone tells it.

use callboard_model::cloudevents::words::{Direction, EndedBy, LinkKind, SegmentKind, TargetKind};
use serde_json::{Map, Value, json};

use super::ids::Ids;
use super::recording::recording;
use super::{event, worker_id};
use crate::simulate::native::{Pen, children, millis};
use crate::simulate::story::{Part, Story};

/// The number under which the contact centre is called.
const OWN: &str = "+999000000100";

/// Tells the calls of a contact.
pub(super) fn tell(pen: &mut Pen<'_>, story: &Story) {
    match story.direction {
        Direction::Inbound => inbound(pen, story),
        Direction::Outbound => outbound(pen, story),
        Direction::Internal => internal(pen, story),
    }
}

/// A telephone number among participants.
fn phone(number: &str) -> Value {
    let raw = format!("4:{number}");
    json!({"kind": "phoneNumber", "rawId": raw, "phoneNumber": {"value": number}})
}

/// A user of the service.
fn user(pen: &Pen<'_>, agent: usize) -> Value {
    let raw = worker_id(pen, agent);
    json!({"kind": "communicationUser", "rawId": raw, "communicationUser": {"id": raw}})
}

/// A call under way.
pub(super) struct Call<'c, 'p> {
    pub(super) pen: &'c mut Pen<'p>,
    pub(super) ids: Ids,
    /// How often the list of participants was sent.
    lists: u64,
}

impl<'c, 'p> Call<'c, 'p> {
    fn new(pen: &'c mut Pen<'p>, story: &Story, attempt: usize) -> Self {
        let ids = Ids::of(pen, story, attempt);
        let native = format!("{}-call:{}", pen.site.name, ids.conversation);
        pen.name("contact", native, &story.id);
        Call { pen, ids, lists: 0 }
    }

    /// A call-back to the application.
    fn back(&mut self, kind: &str, at: i64, data: Value) {
        let from = format!("calling/callConnections/{}", self.ids.connection);
        let connection = self.ids.connection.clone();
        self.post(kind, at, &from, &connection, data);
    }

    pub(super) fn post(&mut self, kind: &str, at: i64, from: &str, connection: &str, more: Value) {
        let mut data = Map::new();
        if let Value::Object(more) = more {
            data.extend(more);
        }
        let kind = format!("Microsoft.Communication.{kind}");
        data.insert("version".into(), "2025-05-15".into());
        data.insert("callConnectionId".into(), connection.into());
        data.insert("serverCallId".into(), self.ids.server.clone().into());
        data.insert("correlationId".into(), self.ids.correlation.clone().into());
        data.insert("publicEventType".into(), kind.clone().into());
        let n = self.pen.out.sheets.len().to_string();
        let body = json!([{
            "id": self.pen.uuid(&["callback", &self.pen.site.name, &n, &at.to_string()]),
            "source": from,
            "type": kind,
            "data": data,
            "time": millis(at).replace('Z', "0000+00:00"),
            "specversion": "1.0",
            "datacontenttype": "application/json",
            "subject": from,
        }]);
        self.pen.json("callbacks.ndjson", at, &body);
    }

    /// An event of Event Grid about the call.
    fn grid(&mut self, kind: &str, at: i64, of: &str, more: Value) {
        let mut data = json!({
            "serverCallId": self.ids.server,
            "correlationId": self.ids.correlation,
            "isTwoParty": false,
            "isRoomsCall": false,
        });
        if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
            data.extend(more);
        }
        let subject = format!("call/{}{of}", self.ids.server);
        event(self.pen, kind, at, &subject, data);
    }

    /// Who is there from now on, and whether the customer is on hold.
    fn list(&mut self, at: i64, customer: Option<&str>, held: bool, agents: &[usize]) {
        let one =
            |who: Value, held: bool| json!({"identifier": who, "isMuted": false, "isOnHold": held});
        let mut all: Vec<Value> = customer.map(|c| one(phone(c), held)).into_iter().collect();
        all.extend(agents.iter().map(|a| one(user(self.pen, *a), false)));
        self.lists += 1;
        let data = json!({"participants": all, "sequenceNumber": self.lists});
        self.back("ParticipantsUpdated", at, data);
    }

    /// Event Grid tells of a user who joined or left.
    fn moved(&mut self, kind: &str, at: i64, agent: usize) {
        let who = user(self.pen, agent);
        let of = format!("/participant/{}", worker_id(self.pen, agent));
        let data = json!({
            "user": {"communicationIdentifier": who, "role": "Attendee"},
            "displayName": self.pen.agent_name(agent),
            "participantId": self.pen.uuid(&["participant", &self.ids.conversation, &agent.to_string()]),
            "userAgent": "agent desktop",
        });
        self.grid(kind, at, &of, data);
    }

    /// The call is over for everybody.
    fn ended(&mut self, story: &Story, at: i64, last: Option<usize>) {
        let by = match (story.ended_by, last) {
            (EndedBy::Customer, _) => Some(phone(&story.customer)),
            (EndedBy::Agent, Some(agent)) => Some(user(self.pen, agent)),
            _ => None,
        };
        let mut data = json!({
            "callDurationInSeconds": (at - story.start) as f64 / 1_000.0,
            "reason": {"code": 0, "subCode": 560_000, "phrase": "The conversation has ended."},
        });
        data["endedBy"] = match by {
            Some(by) => json!({"communicationIdentifier": by, "type": "Participant"}),
            None => json!({"type": "MicrosoftInternal"}),
        };
        self.grid("CallEnded", at, "", data);
    }
}

/// A customer calls.
fn inbound(pen: &mut Pen<'_>, story: &Story) {
    // A call that was transferred to another queue's number comes in anew and names the old one.
    let of = |s: &&Story| {
        let mut links = s.links.iter();
        links.any(|l| l.kind == LinkKind::Transfer && l.to == story.id)
    };
    let before = pen.day.stories.iter().find(of);
    let before = before.map(|s| Ids::of(pen, s, 0).server);
    let mut call = Call::new(pen, story, 0);
    let subject = format!("/caller/4:{}/recipient/4:{OWN}", story.customer);
    let mut data = json!({
        "to": phone(OWN),
        "from": phone(&story.customer),
        "serverCallId": call.ids.server,
        "callerDisplayName": story.name,
        "customContext": {"sipHeaders": {}, "voipHeaders": {}},
        "incomingCallContext": call.pen.hex(64, &["context", &story.id]),
        "correlationId": call.ids.correlation,
    });
    if let Some(before) = before {
        data["customContext"]["sipHeaders"]["X-MS-Custom-Call"] = before.into();
    }
    event(call.pen, "IncomingCall", story.start, &subject, data);
    call.back("CallConnected", story.start, json!({}));
    for menu in story.parts.iter().filter(|p| p.kind == SegmentKind::Menu) {
        recognised(&mut call, menu);
    }
    people(&mut call, story, story.start);
}

/// What came of asking for a key.
fn recognised(call: &mut Call<'_, '_>, menu: &Part) {
    let (kind, code, sub, message) = match menu.outcome {
        "selected" => ("RecognizeCompleted", 200, 8533, "DTMF option matched."),
        "timeout" => (
            "RecognizeFailed",
            400,
            8510,
            "Initial silence timeout reached.",
        ),
        _ => ("RecognizeFailed", 500, 8528, "The call ended."),
    };
    let mut data = json!({
        "operationContext": menu.name,
        "resultInformation": {"code": code, "subCode": sub, "message": message},
    });
    if kind == "RecognizeCompleted" {
        let tones: Vec<&str> = menu.input.chars().map(tone).collect();
        data["recognitionType"] = "dtmf".into();
        data["dtmfResult"] = json!({"tones": tones});
    }
    call.back(kind, menu.end, data);
}

fn tone(key: char) -> &'static str {
    const NAMES: [&str; 10] = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    ];
    match key.to_digit(10) {
        Some(n) => NAMES[n as usize],
        None => "pound",
    }
}

/// What changes who is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Resumes,
    Holds,
    Leaves(usize),
    Joins(usize),
}

/// Who is there: the customer from `since` on, those who talk with him, his holds; how it ends.
fn people(call: &mut Call<'_, '_>, story: &Story, since: i64) {
    let mut changes: Vec<(i64, Change)> = Vec::new();
    let talks = || story.parts.iter().filter(|p| p.kind == SegmentKind::Talk);
    for part in &story.parts {
        match (part.kind, part.agent) {
            (SegmentKind::Talk, Some(agent)) => {
                changes.push((part.start, Change::Joins(agent)));
                changes.push((part.end, Change::Leaves(agent)));
            }
            (SegmentKind::Hold, _) => {
                changes.push((part.start, Change::Holds));
                changes.push((part.end, Change::Resumes));
            }
            _ => {}
        }
    }
    changes.sort_unstable();
    let (mut there, mut held): (Vec<usize>, bool) = (Vec::new(), false);
    call.list(since, Some(&story.customer), false, &[]);
    let mut changes = changes.into_iter().peekable();
    while let Some((at, change)) = changes.next() {
        match change {
            Change::Resumes => held = false,
            Change::Holds => held = true,
            // All are gone with the call; who hung up is told below.
            Change::Leaves(_) if at == story.end => {}
            Change::Leaves(agent) => {
                there.retain(|a| *a != agent);
                call.moved("CallParticipantRemoved", at, agent);
            }
            Change::Joins(agent) => {
                there.push(agent);
                // The first is he whom the router found; others are asked by him to come.
                let context = match there.len() {
                    1 => "agent",
                    _ => "colleague",
                };
                let data =
                    json!({"operationContext": context, "participant": user(call.pen, agent)});
                call.back("AddParticipantSucceeded", at, data);
                call.moved("CallParticipantAdded", at, agent);
            }
        }
        if at < story.end && changes.peek().is_none_or(|(next, _)| *next > at) {
            call.list(at, Some(&story.customer), held, &there);
        }
    }
    for talk in talks().filter(|t| t.outcome == "transferred") {
        handed_on(call, story, talk);
    }
    let last = talks().max_by_key(|t| t.end).and_then(|t| t.agent);
    match story.ended_by {
        EndedBy::Customer => call.list(story.end, None, false, &there),
        EndedBy::Agent => {
            let rest: Vec<usize> = there.iter().copied().filter(|a| Some(*a) != last).collect();
            call.list(story.end, Some(&story.customer), false, &rest);
        }
        _ => {}
    }
    for agent in there {
        call.moved("CallParticipantRemoved", story.end, agent);
    }
    let data = json!({"resultInformation": {
        "code": 200, "subCode": 560_000, "message": "The conversation has ended.",
    }});
    call.back("CallDisconnected", story.end, data);
    // Event Grid tells of users: where none was there it tells nothing.
    if last.is_some() {
        call.ended(story, story.end, last);
    }
    if let (true, Some(first)) = (story.recorded, talks().map(|t| t.start).min()) {
        recording(call, story, first);
    }
}

/// A transfer to a number: outside, or that of another queue. Who is led to a colleague or to
/// another queue in the same call is not transferred: people come and go.
fn handed_on(call: &mut Call<'_, '_>, story: &Story, talk: &Part) {
    let number = match &talk.target {
        Some((TargetKind::External, number)) => number.clone(),
        Some((TargetKind::Queue, name)) if talk.end == story.end => {
            let queue = call.pen.queue_of(name).unwrap_or_default();
            format!("+9990000002{:02}", queue + 1)
        }
        _ => return,
    };
    let data = json!({
        "transferTarget": phone(&number),
        "transferee": phone(&story.customer),
        "resultInformation": {"code": 200, "subCode": 0, "message": "The transfer was accepted."},
    });
    call.back("CallTransferAccepted", talk.end, data);
}

/// The application calls a customer, several times where nobody answers.
fn outbound(pen: &mut Pen<'_>, story: &Story) {
    for (n, (place, dial)) in story
        .parts
        .iter()
        .enumerate()
        .filter(|(_, p)| p.kind == SegmentKind::Dial)
        .enumerate()
    {
        let (code, sub, message) = match dial.outcome {
            // Nobody was free to dial, and nothing was.
            "canceled" => continue,
            "busy" => (486, 560_486, "Busy Here"),
            "no_answer" => (480, 560_480, "No answer."),
            "failed" => (500, 560_500, "Server internal error."),
            _ => (200, 0, ""),
        };
        let mut call = Call::new(pen, story, n);
        if code != 200 {
            let data = json!({
                "operationContext": dial.name,
                "resultInformation": {"code": code, "subCode": sub, "message": message},
            });
            call.back("CreateCallFailed", dial.end, data);
            continue;
        }
        call.back(
            "CallConnected",
            dial.end,
            json!({"operationContext": dial.name}),
        );
        if children(story, place).any(|p| p.kind == SegmentKind::Talk) {
            people(&mut call, story, dial.end);
            continue;
        }
        // A machine: the service does not tell it from a person, and the application hangs up.
        call.list(dial.end, Some(&story.customer), false, &[]);
        call.back("CallDisconnected", dial.end, json!({}));
    }
}

/// A call from one agent to another.
fn internal(pen: &mut Pen<'_>, story: &Story) {
    let mut call = Call::new(pen, story, 0);
    let talks = || story.parts.iter().filter(|p| p.kind == SegmentKind::Talk);
    let Some(first) = talks().next().and_then(|t| t.agent) else {
        return;
    };
    let who = user(call.pen, first);
    let of = format!("/startedBy/{}", worker_id(call.pen, first));
    let started = json!({"startedBy": {"communicationIdentifier": who, "role": "Attendee"}});
    call.grid("CallStarted", story.start, &of, started);
    for talk in talks() {
        if let Some(agent) = talk.agent {
            call.moved("CallParticipantAdded", talk.start, agent);
            call.moved("CallParticipantRemoved", talk.end, agent);
        }
    }
    let last = talks().max_by_key(|t| t.end).and_then(|t| t.agent);
    call.ended(story, story.end, last);
}
