//! Graph call records. Of a call that comes in: a session with the attendant, with each queue, with
//! the mailbox, with each user who spoke or was rung in vain. Of a call of two parties: one session.
//! To the millisecond, without a word on what became of a wait or of a talk.

use callboard_model::cloudevents::words::SegmentKind;
use serde_json::{Value, json};

use super::{queue_identity, upn, user};
use crate::simulate::native::{Pen, millis};
use crate::simulate::story::{Part, Story};

/// Records come after half an hour or so, milliseconds.
const LATER: i64 = 1_800_000;

/// `2026-03-07T09:15:04.2500000Z`
fn time(at: i64) -> String {
    millis(at).replace('Z', "0000Z")
}

fn endpoint(role: &str, identity: Value) -> Value {
    let (kind, agent) = match role {
        "" => (
            "client",
            json!({"platform": "windows", "productFamily": "teams"}),
        ),
        role => ("service", json!({"role": role})),
    };
    let mut agent = agent;
    agent["@odata.type"] = format!("#microsoft.graph.callRecords.{kind}UserAgent").into();
    let kind = match identity.is_null() {
        true => "service",
        false => "participant",
    };
    json!({
        "@odata.type": format!("#microsoft.graph.callRecords.{kind}Endpoint"),
        "userAgent": agent,
        "identity": identity,
    })
}

/// A telephone.
pub(super) fn phone(number: &str) -> Value {
    let phone = json!({"phone": {"id": number, "displayName": null, "tenantId": null}});
    endpoint("", phone)
}

/// A user at his desk.
pub(super) fn person(pen: &Pen<'_>, agent: usize) -> Value {
    let user = json!({"user": {
        "id": user(pen, agent),
        "displayName": pen.agent_name(agent),
        "tenantId": pen.uuid(&["tenant", &pen.site.name]),
        "userPrincipalName": upn(pen, agent),
    }});
    endpoint("", user)
}

/// A session between two ends.
fn session(id: &str, (start, end): (i64, i64), caller: Value, callee: Value) -> Value {
    json!({
        "id": id,
        "modalities": ["audio"],
        "startDateTime": time(start),
        "endDateTime": time(end),
        "caller": caller,
        "callee": callee,
    })
}

/// Writes the record of a call.
fn write(
    pen: &mut Pen<'_>,
    (id, kind): (&str, &str),
    (start, end): (i64, i64),
    organizer: Value,
    sessions: Vec<Value>,
) {
    let body = json!({
        "id": id,
        "version": 1,
        "type": kind,
        "modalities": ["audio"],
        "startDateTime": time(start),
        "endDateTime": time(end),
        "lastModifiedDateTime": time(end + LATER),
        "joinWebUrl": null,
        "organizer_v2": {"identity": organizer},
        "participants_v2": [],
        "sessions": sessions,
    });
    pen.json("call-records.ndjson", end + LATER, &body);
}

/// The record of a call of two parties: its one session bears its id.
pub(super) fn record(
    pen: &mut Pen<'_>,
    id: &str,
    span: (i64, i64),
    (caller, callee): (Value, Value),
    failure: Option<&str>,
) {
    let organizer = caller["identity"].clone();
    let mut session = session(id, span, caller, callee);
    if let Some(reason) = failure {
        session["failureInfo"] = json!({"reason": reason, "stage": "callSetup"});
    }
    write(pen, (id, "peerToPeer"), span, organizer, vec![session]);
}

/// Sessions under way.
struct Sessions<'s, 'p> {
    pen: &'s Pen<'p>,
    story: &'s Story,
    all: Vec<Value>,
}

impl Sessions<'_, '_> {
    fn tenant(&self) -> String {
        self.pen.uuid(&["tenant", &self.pen.site.name])
    }

    fn account(&self, upn: &str) -> Value {
        json!({"applicationInstance": {
            "id": self.pen.uuid(&["account", upn]),
            "displayName": upn.split('@').next(),
            "tenantId": self.tenant(),
            "userPrincipalName": upn,
        }})
    }

    fn customer(&self) -> Value {
        phone(&self.story.customer)
    }

    fn person(&self, agent: usize) -> Value {
        person(self.pen, agent)
    }

    fn add(&mut self, place: usize, span: (i64, i64), caller: Value, callee: Value) {
        let id = self
            .pen
            .uuid(&["session", &self.story.id, &place.to_string()]);
        self.all.push(session(&id, span, caller, callee));
    }

    fn part(&mut self, place: usize, part: &Part) {
        let span = (part.start, part.end);
        match (part.kind, part.agent) {
            (SegmentKind::Menu, _) => {
                let menu = self.account(&format!("menu@{}.example.com", self.pen.site.name));
                let callee = endpoint("skypeForBusinessAutoAttendant", menu);
                self.add(place, span, self.customer(), callee);
            }
            (SegmentKind::Queue, _) => {
                let Some(q) = part.queue else { return };
                let queue = self.account(&queue_identity(self.pen, q));
                // The queue stays in the conference that it made.
                let end = match part.outcome {
                    "answered" => self.story.end,
                    _ => part.end,
                };
                let callee = endpoint("skypeForBusinessCallQueues", queue);
                self.add(place, (part.start, end), self.customer(), callee);
            }
            (SegmentKind::Offer, Some(agent)) if part.outcome != "accepted" => {
                let queue = endpoint("skypeForBusinessCallQueues", Value::Null);
                self.add(place, span, queue, self.person(agent));
                if let Some(session) = self.all.last_mut() {
                    session["failureInfo"] = json!({
                        "reason": "The user did not answer.", "stage": "callSetup",
                    });
                }
            }
            (SegmentKind::Talk, Some(agent)) => {
                let conference = endpoint("mediaController", Value::Null);
                self.add(place, span, self.person(agent), conference);
                if let (Some(session), "dropped") = (self.all.last_mut(), part.outcome) {
                    session["failureInfo"] = json!({
                        "reason": "The connection was lost.", "stage": "midcall",
                    });
                }
            }
            (SegmentKind::Voicemail, _) => {
                let mailbox = endpoint("voicemail", Value::Null);
                self.add(place, span, self.customer(), mailbox);
            }
            _ => {}
        }
    }
}

/// Tells the record of a call; `id` is the conference's.
pub(super) fn tell(pen: &mut Pen<'_>, story: &Story, id: &str) {
    let mut sessions = Sessions {
        pen,
        story,
        all: Vec::new(),
    };
    for (place, part) in story.parts.iter().enumerate() {
        sessions.part(place, part);
    }
    let menu = sessions.account(&format!("menu@{}.example.com", sessions.pen.site.name));
    let all = sessions.all;
    write(pen, (id, "groupCall"), (story.start, story.end), menu, all);
}
