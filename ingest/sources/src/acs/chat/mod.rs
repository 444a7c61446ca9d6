//! Chats: the bot's part, the hand-off to a human, who talked, and how many messages were written.
//! From Event Grid's chat events, one copy for the thread or one for each member, and from the
//! activities of the Bot Framework.

use std::collections::{BTreeMap, BTreeSet};

use callboard_model::statement::F;

use super::doc::Doc;
use super::ids;
use super::parts::{About, Part, When};
use super::{Event, Feed};

mod tell;

/// The chat of a contact.
#[derive(Debug, Default)]
pub struct Chat {
    /// The bot's part, the hand-off as a queue stay, talks.
    pub parts: Vec<Part>,
    /// The end, where it is known.
    pub end: Option<When>,
    /// Raw identifier of the customer.
    pub customer: Option<String>,
    /// When the customer left, before the chat was over.
    pub left: Option<When>,
    /// Whether there is any.
    pub any: bool,
}

/// A participant.
#[derive(Debug, Default)]
struct Member {
    joined: Option<When>,
    left: Option<When>,
    name: String,
    role: &'static str,
    place: usize,
}

/// What is known of a chat, gathered over its events.
#[derive(Debug, Default)]
struct Gathered {
    members: BTreeMap<String, Member>,
    /// Sender and time of each message, by its id.
    messages: BTreeMap<String, (String, When)>,
    edited: BTreeSet<String>,
    deleted: BTreeSet<String>,
    first: Option<When>,
    initiated: Option<When>,
    accepted: Option<When>,
    failed: Option<(When, String)>,
    completed: Option<When>,
    thread_end: Option<When>,
    by_policy: bool,
    topic: String,
    bot_name: String,
    bot_at_work: bool,
}

/// Whether an event is of a chat.
pub fn is_chat(event: &Event) -> bool {
    event.feed == Feed::Bot || event.kind.starts_with("Chat")
}

/// Reads the chat events among a contact's. `workers` are the agents whose talks Job Router tells;
/// where there are any, the hand-off adds no queue stay and no talk of its own.
pub fn read(events: &[Event], about: &mut About, workers: &[String], routed: bool) -> Chat {
    let mut g = Gathered::default();
    for event in events.iter().filter(|e| is_chat(e)) {
        g.first.get_or_insert_with(|| event.when.clone());
        match event.feed {
            Feed::Bot => g.activity(event, about),
            _ => g.event(event),
        }
    }
    let Some(first) = g.first.clone() else {
        return Chat::default();
    };
    g.roles(workers);
    let customer = g.customer();
    g.describe(about, &first, customer.as_deref());
    let end = g.end(routed);
    let mut parts: Vec<Part> = g.bot(&first, end.as_ref(), workers).into_iter().collect();
    if !routed {
        parts.extend(g.hand_off(end.as_ref()));
    }
    let left = customer
        .as_ref()
        .and_then(|c| g.members.get(c)?.left.clone());
    Chat {
        parts,
        end,
        customer,
        left,
        any: true,
    }
}

impl Gathered {
    fn event(&mut self, event: &Event) {
        let (d, when) = (event.data(), &event.when);
        let at = |name: &str| d.time(name).map_or_else(|| when.clone(), |t| when.told(t));
        match event.kind.as_str() {
            "ChatThreadCreated" | "ChatThreadCreatedWithUser" => {
                let created = at("createTime");
                self.topic = d.get("properties").text("topic");
                for p in d.list("participants").chain(d.list("members")) {
                    self.join(p, &created);
                }
                let first = self.first.take();
                self.first =
                    Some(first.map_or_else(|| created.clone(), |f| When::min(f, created.clone())));
            }
            "ChatThreadParticipantAdded" | "ChatParticipantAddedToThreadWithUser" => {
                self.join(d.get("participantAdded"), &at("time"));
            }
            "ChatThreadParticipantRemoved" | "ChatParticipantRemovedFromThreadWithUser" => {
                let gone = at("time");
                let raw = self.join(d.get("participantRemoved"), &gone.guess());
                if let Some(m) = self.members.get_mut(&raw) {
                    m.left = Some(gone);
                }
            }
            "ChatThreadDeleted" | "ChatThreadWithUserDeleted" => {
                self.thread_end = Some(at("deleteTime"));
                self.by_policy = d.text("reason").eq_ignore_ascii_case("deletedByPolicy");
            }
            kind if kind.starts_with("ChatMessage") || kind.starts_with("ChatAzureBot") => {
                let id = d.text("messageId");
                let sender = d.first(&["senderCommunicationIdentifier", "senderId"]);
                let raw = ids::raw_id(sender);
                if kind.starts_with("ChatMessageEdited") {
                    self.edited.insert(id.clone());
                }
                if kind.starts_with("ChatMessageDeleted") {
                    self.deleted.insert(id.clone());
                }
                self.bot_at_work |= kind.starts_with("ChatAzureBot");
                // What the service itself writes into a thread is nobody's message.
                let kind = d.text("type").to_ascii_lowercase();
                if matches!(kind.as_str(), "" | "text" | "html" | "richtext/html") {
                    let written = at("composeTime");
                    let m = self.member(&raw, &written.guess());
                    if m.name.is_empty() {
                        m.name = d.text("senderDisplayName");
                    }
                    self.messages.insert(id, (raw, written));
                }
            }
            _ => {}
        }
    }

    /// An activity of the bot or of the hub of human agents.
    fn activity(&mut self, event: &Event, about: &mut About) {
        let (d, when) = (event.data(), &event.when);
        self.bot_at_work = true;
        for (who, default) in [("from", ""), ("recipient", "")] {
            self.account(d.get(who), default, when);
        }
        let related = d.get("relatesTo");
        self.account(related.get("user"), "customer", when);
        self.account(related.get("bot"), "bot", when);
        match event.kind.as_str() {
            "handoff.initiate" => {
                // The first request counts; a repeated one is the same wait.
                self.initiated.get_or_insert_with(|| when.clone());
                for (name, value) in d.fields("value").take(50) {
                    about.attr(&format!("handoff.{name}"), &value.as_text(), when);
                }
                let language = d.get("value").first(&["va_Language", "Language"]);
                about.text(F::Language, &language.as_text(), when);
                self.transcript(d, when);
            }
            "handoff.status" => {
                let value = d.get("value");
                match value.text("state").to_ascii_lowercase().as_str() {
                    "accepted" => {
                        self.accepted.get_or_insert_with(|| when.clone());
                    }
                    "failed" => self.failed = Some((when.clone(), value.text("message"))),
                    "completed" => self.completed = Some(when.clone()),
                    other => about.attr("handoff_state", other, when),
                }
            }
            "message" => {
                let raw = account_id(d.get("from"));
                self.messages.insert(d.text("id"), (raw, when.clone()));
            }
            _ => {}
        }
    }

    /// The transcript that a bot hands over, where it is part of the activity.
    fn transcript(&mut self, d: Doc<'_>, by: &When) {
        for attached in d.list("attachments") {
            for said in attached.get("content").list("activities") {
                let Some(t) = said.time("timestamp") else {
                    continue;
                };
                let when = by.told(t);
                self.account(said.get("from"), "", &when);
                if said.text("type") == "message" {
                    let raw = account_id(said.get("from"));
                    self.messages.insert(said.text("id"), (raw, when.clone()));
                }
                let first = self.first.take().unwrap_or_else(|| when.clone());
                self.first = Some(When::min(first, when));
            }
        }
    }

    fn account(&mut self, account: Doc<'_>, default: &'static str, when: &When) {
        let raw = account_id(account);
        if raw.is_empty() {
            return;
        }
        let role = match account.text("role").to_ascii_lowercase().as_str() {
            "bot" | "skill" => "bot",
            "user" => "customer",
            "agent" => "agent",
            _ => default,
        };
        let name = account.text("name");
        if role == "bot" && self.bot_name.is_empty() {
            self.bot_name.clone_from(&name);
        }
        let m = self.member(&raw, &when.guess());
        if m.role.is_empty() {
            m.role = role;
        }
        if m.name.is_empty() {
            m.name = name;
        }
    }

    fn member(&mut self, raw: &str, when: &When) -> &mut Member {
        let place = self.members.len();
        self.members
            .entry(raw.to_owned())
            .or_insert_with(|| Member {
                joined: Some(when.clone()),
                place,
                ..Member::default()
            })
    }

    /// A participant of the thread; gives his raw identifier.
    fn join(&mut self, p: Doc<'_>, when: &When) -> String {
        let raw = ids::raw_id(p.first(&["participantCommunicationIdentifier", "memberId"]));
        if raw.is_empty() {
            return raw;
        }
        let role = match p.get("metadata").text("role").to_ascii_lowercase().as_str() {
            "bot" => "bot",
            "agent" => "agent",
            "customer" | "consumer" => "customer",
            _ => "",
        };
        let m = self.member(&raw, when);
        // He came back.
        if m.left.as_ref().is_some_and(|l| l.at < when.at) {
            m.left = None;
        }
        if m.joined
            .as_ref()
            .is_none_or(|j| j.at > when.at || j.by.rank < when.by.rank)
        {
            m.joined = Some(when.clone());
        }
        if !role.is_empty() {
            m.role = role;
        }
        if m.name.is_empty() {
            m.name = p.text("displayName");
        }
        raw
    }
}

/// The id of a channel account.
fn account_id(account: Doc<'_>) -> String {
    ids::raw_id(account.get("id"))
}
