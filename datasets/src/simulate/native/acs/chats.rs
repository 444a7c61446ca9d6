//! Chats: the thread of a customer, a bot and those who serve him, as Event Grid tells it once for the
//! thread, and what the bot and the hub of human agents say to each other in the Bot Framework. Where
//! a bot asks for a human, the hub makes a job of it.

use callboard_model::cloudevents::words::{EndedBy, SegmentKind};
use serde_json::{Value, json};

use super::{event, worker_id};
use crate::simulate::native::{Pen, millis};
use crate::simulate::story::{Part, Story};

/// The name under which the bot writes.
const BOT: &str = "Helper bot";

/// The thread of a chat.
pub(super) fn thread(pen: &Pen<'_>, story: &Story) -> String {
    format!("19:{}@thread.v2", pen.hex(32, &["thread", &story.id]))
}

/// A user of the service who is no agent.
fn user(pen: &Pen<'_>, of: &[&str]) -> String {
    let resource = pen.uuid(&["resource", &pen.site.name]);
    format!("8:acs:{resource}_{}", pen.uuid(of))
}

fn identifier(raw: &str) -> Value {
    json!({"kind": "communicationUser", "rawId": raw, "communicationUser": {"id": raw}})
}

/// `2026-03-07T09:15:04.250+00:00`
fn time(at: i64) -> String {
    millis(at).replace('Z', "+00:00")
}

/// Somebody in a chat.
struct Member {
    raw: String,
    name: String,
}

impl Member {
    fn agent(pen: &Pen<'_>, agent: usize) -> Member {
        Member {
            raw: worker_id(pen, agent),
            name: pen.agent_name(agent).to_owned(),
        }
    }

    fn participant(&self) -> Value {
        json!({
            "displayName": self.name,
            "participantCommunicationIdentifier": identifier(&self.raw),
            "metadata": {},
        })
    }
}

/// A chat under way.
struct Chat<'c, 'p> {
    pen: &'c mut Pen<'p>,
    story: &'c Story,
    thread: String,
    /// The application, which makes the thread and lets people in.
    service: String,
    messages: usize,
    changes: usize,
}

/// Tells the chat of a contact.
pub(super) fn tell(pen: &mut Pen<'_>, story: &Story) {
    let thread = thread(pen, story);
    let native = format!("{}-thread:{thread}", pen.site.name);
    pen.name("contact", native, &story.id);
    let customer = Member {
        raw: user(pen, &["customer", &story.customer]),
        name: story.name.to_owned(),
    };
    pen.name("customer", customer.raw.clone(), &story.customer);
    let bot = Member {
        raw: user(pen, &["bot", &pen.site.name]),
        name: BOT.to_owned(),
    };
    let service = user(pen, &["service", &pen.site.name]);
    let mut chat = Chat {
        pen,
        story,
        thread,
        service,
        messages: 0,
        changes: 0,
    };
    let first = story.parts.iter().find(|p| p.kind == SegmentKind::Bot);
    chat.created(&customer, first.map(|_| &bot));
    chat.writes(&customer, story.start, "Hello, I have a question.");
    if let Some(part) = first {
        chat.bot(&bot, part);
    }
    let talks = || story.parts.iter().filter(|p| p.kind == SegmentKind::Talk);
    for (n, talk) in talks().enumerate() {
        let Some(agent) = talk.agent else { continue };
        let agent = Member::agent(chat.pen, agent);
        chat.moved("Added", &agent, talk.start);
        chat.writes(&agent, talk.start, "How can I help?");
        chat.moved("Removed", &agent, talk.end);
        if let (0, Some(_)) = (n, first) {
            chat.status("accepted", talk.start, &agent);
        }
    }
    let asked = first.is_some_and(|b| b.outcome == "escalated");
    let last = talks().max_by_key(|t| t.end);
    match last.and_then(|t| Some((t.end, t.agent?))) {
        Some((end, agent)) if asked => {
            let agent = Member::agent(chat.pen, agent);
            chat.status("completed", end, &agent);
        }
        None if asked => chat.status("failed", story.end, &bot),
        _ => {}
    }
    if story.ended_by == EndedBy::Customer {
        chat.moved("Removed", &customer, story.end);
    }
    chat.deleted();
}

impl Chat<'_, '_> {
    /// An event of the thread.
    fn thread(&mut self, kind: &str, at: i64, of: &str, more: Value) {
        self.changes += 1;
        let n = self.changes.to_string();
        let mut data = json!({
            "threadId": self.thread,
            "transactionId": self.pen.hex(22, &["transaction", &self.thread, &n]),
            "version": at,
        });
        if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
            data.extend(more);
        }
        let subject = format!("thread/{}/{of}", self.thread);
        event(self.pen, kind, at, &subject, data);
    }

    fn created(&mut self, customer: &Member, bot: Option<&Member>) {
        let members: Vec<Value> = [Some(customer), bot]
            .into_iter()
            .flatten()
            .map(Member::participant)
            .collect();
        let (at, of) = (self.story.start, format!("createdBy/{}", self.service));
        let data = json!({
            "createdByCommunicationIdentifier": identifier(&self.service),
            "properties": {"topic": "Chat of the web site"},
            "participants": members,
            "createTime": time(at),
        });
        self.thread("ChatThreadCreated", at, &of, data);
    }

    fn deleted(&mut self) {
        let (at, of) = (self.story.end, format!("deletedBy/{}", self.service));
        let data = json!({
            "deletedByCommunicationIdentifier": identifier(&self.service),
            "deleteTime": time(at),
            "createTime": time(self.story.start),
            "reason": "deletedByUser",
        });
        self.thread("ChatThreadDeleted", at, &of, data);
    }

    /// Somebody comes (`Added`) or goes (`Removed`).
    fn moved(&mut self, how: &str, who: &Member, at: i64) {
        let word = how.to_ascii_lowercase();
        let of = format!("participant{word}/{}", who.raw);
        let mut data = json!({
            "time": time(at),
            "createTime": time(self.story.start),
        });
        data[format!("{word}ByCommunicationIdentifier")] = identifier(&self.service);
        data[format!("participant{how}")] = who.participant();
        self.thread(&format!("ChatThreadParticipant{how}"), at, &of, data);
    }

    /// A message in the thread; gives its id.
    fn writes(&mut self, who: &Member, at: i64, text: &str) -> String {
        self.messages += 1;
        let id = (at + self.messages as i64).to_string();
        let of = format!("sender/{}", who.raw);
        let data = json!({
            "messageBody": text,
            "messageId": id,
            "type": "Text",
            "senderDisplayName": who.name,
            "senderCommunicationIdentifier": identifier(&who.raw),
            "composeTime": time(at),
        });
        self.thread("ChatMessageReceivedInThread", at, &of, data);
        id
    }

    /// The bot answers, and asks for a human or takes leave.
    fn bot(&mut self, bot: &Member, part: &Part) {
        let id = self.writes(bot, part.start, "Hello, I am the bot.");
        let from = json!({"id": bot.raw, "name": bot.name, "role": "bot"});
        let message =
            json!({"type": "message", "id": id, "from": from, "text": "Hello, I am the bot."});
        self.activity(part.start, message);
        if part.outcome == "escalated" {
            let ask = json!({
                "type": "event",
                "id": self.pen.uuid(&["handoff", &self.story.id]),
                "from": from,
                "name": "handoff.initiate",
                "value": {"intent": "other"},
                "attachments": [],
            });
            self.activity(part.end, ask);
        }
        self.moved("Removed", bot, part.end);
    }

    /// What the hub says of the hand-off.
    fn status(&mut self, state: &str, at: i64, who: &Member) {
        let role = match who.name == BOT {
            true => "bot",
            false => "agent",
        };
        let status = json!({
            "type": "event",
            "id": self.pen.uuid(&["handoff", &self.story.id, state]),
            "from": {"id": who.raw, "name": who.name, "role": role},
            "name": "handoff.status",
            "value": {"state": state, "message": ""},
        });
        self.activity(at, status);
    }

    /// An activity in the conversation, which is the thread.
    fn activity(&mut self, at: i64, mut body: Value) {
        body["timestamp"] = millis(at).replace('Z', "0000Z").into();
        body["channelId"] = "acschat".into();
        body["conversation"] = json!({"id": self.thread});
        self.pen.json("activities.ndjson", at, &body);
    }
}
