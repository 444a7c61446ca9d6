//! Genesys Cloud: the detail record of each conversation, with a session for every part that
//! somebody or something took in it, and the answer of the users' details query; and the same live,
//! as notifications.

mod live;

use callboard_model::cloudevents::words::{
    AgentState, Channel, Direction, EndedBy, SegmentKind, TargetKind,
};
use serde_json::{Value, json};

use super::{Pen, children, millis};
use crate::simulate::story::{Part, Story};

/// Tells a day.
pub(super) fn tell(pen: &mut Pen<'_>) {
    let site = pen.site;
    pen.name("source", format!("/genesys/{}", site.name), &site.source);
    for (q, queue) in site.queues.iter().enumerate() {
        pen.name("queue", queue_id(pen, q), &queue.name);
    }
    for (a, agent) in site.agents.iter().enumerate() {
        pen.name("agent", user_id(pen, a), &agent.name);
    }
    let day = pen.day;
    for story in &day.stories {
        conversation(pen, story);
        live::tell(pen, story);
    }
    for (agent, points) in &day.points {
        let presences: Vec<Value> = points
            .iter()
            .enumerate()
            .map(|(n, point)| {
                let word = match (point.state, point.reason) {
                    (AgentState::Available, _) => "ON_QUEUE",
                    (AgentState::Offline, _) => "OFFLINE",
                    (_, "lunch") => "MEAL",
                    (_, "training") => "TRAINING",
                    (_, "meeting" | "coaching") => "MEETING",
                    (_, "missed") => "AWAY",
                    _ => "BREAK",
                };
                json!({
                    "startTime": millis(point.at),
                    "endTime": points.get(n + 1).map(|p| millis(p.at)),
                    "systemPresence": word,
                })
            })
            .collect();
        live::presence(pen, *agent, points);
        let at = points.last().map_or(0, |p| p.at);
        let body = json!({"userId": user_id(pen, *agent), "primaryPresence": presences});
        pen.json("users.ndjson", at + 60_000, &body);
    }
}

fn queue_id(pen: &Pen<'_>, queue: usize) -> String {
    pen.uuid(&["queue", &pen.site.name, &queue.to_string()])
}

fn user_id(pen: &Pen<'_>, agent: usize) -> String {
    pen.uuid(&["user", &pen.site.name, &agent.to_string()])
}

fn conversation_id(pen: &Pen<'_>, id: &str) -> String {
    pen.uuid(&["conversation", id])
}

/// The session of a part, by its place, or of the customer: details and notifications name the same.
fn session_id(pen: &Pen<'_>, story: &Story, of: &str) -> String {
    pen.uuid(&["session", &story.id, of])
}

/// The word of a channel: of its media and of its kind of message.
fn media(story: &Story) -> (&'static str, &'static str) {
    match story.channel {
        Channel::Voice => ("voice", ""),
        Channel::Email => ("email", ""),
        Channel::Whatsapp => ("message", "whatsapp"),
        _ => ("chat", ""),
    }
}

/// How the customer's own session ended.
fn customers_end(story: &Story) -> &'static str {
    match story.ended_by {
        EndedBy::Customer => "client",
        EndedBy::Agent => "peer",
        EndedBy::Platform => "error",
        _ => "system",
    }
}

/// How an agent's session ended.
fn agents_end(story: &Story, talk: &Part) -> &'static str {
    match (talk.outcome, &talk.target) {
        ("transferred", Some((TargetKind::Agent, _))) => "consultTransfer",
        ("transferred", _) => "transfer",
        ("dropped", _) => "error",
        _ if story.ended_by == EndedBy::Customer => "peer",
        _ => "client",
    }
}

/// How an offer ended that nobody took.
fn missed(offer: &Part) -> &'static str {
    match offer.outcome {
        "declined" => "client",
        "caller_left" => "peer",
        "unreachable" => "uncallable",
        _ => "noAnswerTransfer",
    }
}

/// Who was rung or dialled for a talk; in a call between agents, the one whom he asked.
fn rung_before<'s>(story: &'s Story, talk: &Part) -> Option<&'s Part> {
    story.parts.iter().find(|p| {
        p.agent == talk.agent
            && p.end == talk.start
            && (p.kind == SegmentKind::Offer || p.kind == SegmentKind::Dial)
            && matches!(p.outcome, "accepted" | "answered")
    })
}

/// A segment of a session.
fn segment(kind: &str, (start, end): (i64, i64), queue: Option<&str>, disconnect: &str) -> Value {
    let mut body = json!({
        "segmentType": kind,
        "segmentStart": millis(start),
        "segmentEnd": millis(end),
        "conference": false,
    });
    if let Some(queue) = queue {
        body["queueId"] = queue.into();
    }
    if !disconnect.is_empty() {
        body["disconnectType"] = disconnect.into();
    }
    body
}

struct Writer<'w, 'p> {
    pen: &'w Pen<'p>,
    story: &'w Story,
    participants: Vec<Value>,
}

fn conversation(pen: &mut Pen<'_>, story: &Story) {
    let mut writer = Writer {
        pen,
        story,
        participants: Vec::new(),
    };
    if story.direction != Direction::Internal {
        writer.customer();
    }
    for (place, part) in story.parts.iter().enumerate() {
        writer.part(place, part);
    }
    let participants = writer.participants;
    let id = conversation_id(pen, &story.id);
    pen.name("contact", id.clone(), &story.id);
    pen.name("contact", format!("{}-{id}", pen.site.name), &story.id);
    let consulted: Vec<String> = story
        .links
        .iter()
        .filter(|l| {
            let other = pen.by_id.get(l.to.as_str());
            other.is_some_and(|s| s.direction == Direction::Internal)
        })
        .map(|l| conversation_id(pen, &l.to))
        .collect();
    let direction = match story.direction {
        Direction::Outbound => "outbound",
        _ => "inbound",
    };
    let ends = story.parts.iter().map(|p| p.end).chain([story.end]);
    let written = ends.max().unwrap_or(story.end) + 120_000;
    let body = json!({
        "conversationId": id,
        "conversationStart": millis(story.start),
        "conversationEnd": millis(story.end),
        "originatingDirection": direction,
        "consultationConversationIds": consulted,
        "participants": participants,
    });
    pen.json("conversations.ndjson", written, &body);
}

impl Writer<'_, '_> {
    /// Adds a participant with one session.
    fn join(&mut self, purpose: &str, of: &str, user: Option<usize>, mut session: Value) {
        let (media, kind) = media(self.story);
        let outbound = self.story.direction == Direction::Outbound;
        session["sessionId"] = session_id(self.pen, self.story, of).into();
        session["mediaType"] = media.into();
        session["messageType"] = kind.into();
        session["direction"] = if outbound { "outbound" } else { "inbound" }.into();
        let mut body = json!({
            "participantId": self.pen.uuid(&["participant", &self.story.id, of]),
            "purpose": purpose,
            "sessions": [session],
        });
        if let Some(user) = user {
            body["userId"] = user_id(self.pen, user).into();
            body["participantName"] = self.pen.agent_name(user).into();
        } else if purpose == "customer" {
            body["participantName"] = self.story.name.into();
        }
        self.participants.push(body);
    }

    fn customer(&mut self) {
        let story = self.story;
        let disconnect = customers_end(story);
        let outbound = story.direction == Direction::Outbound;
        let own = "+999000000100";
        let (ani, dnis) = match outbound {
            true => (own, story.customer.as_str()),
            false => (story.customer.as_str(), own),
        };
        let segments = match story.parts.first() {
            // Nobody was free to dial.
            Some(dial) if dial.kind == SegmentKind::Dial && dial.agent.is_none() => {
                vec![segment("dialing", (dial.start, dial.end), None, "client")]
            }
            _ => vec![segment(
                "interact",
                (story.start, story.end),
                None,
                disconnect,
            )],
        };
        let session = json!({"ani": ani, "dnis": dnis, "segments": segments});
        self.join("customer", "customer", None, session);
    }

    fn queue(&self, part: &Part) -> Option<String> {
        part.queue.map(|q| queue_id(self.pen, q))
    }

    fn part(&mut self, place: usize, part: &Part) {
        let of = place.to_string();
        let span = (part.start, part.end);
        match part.kind {
            SegmentKind::Menu | SegmentKind::Bot => {
                let bot = part.kind == SegmentKind::Bot;
                let (purpose, kind) = if bot {
                    ("botflow", "BOT")
                } else {
                    ("ivr", "INBOUNDCALL")
                };
                let exit = match part.outcome {
                    "selected" | "escalated" => "TRANSFER",
                    "contained" => "FLOW_DISCONNECT",
                    "timeout" => "FLOW_TIMEOUT",
                    _ => "DISCONNECT",
                };
                let session = json!({
                    "flow": {"flowType": kind, "flowName": part.name, "exitReason": exit},
                    "segments": [segment("ivr", span, None, "")],
                });
                self.join(purpose, &of, None, session);
            }
            SegmentKind::Queue if part.outcome != "refused" => self.stay(place, part),
            SegmentKind::Offer if part.outcome != "accepted" => {
                let disconnect = missed(part);
                let queue = self.queue(part);
                let alert = segment("alert", span, queue.as_deref(), disconnect);
                let mut session = json!({"segments": [alert]});
                if part.outcome == "no_answer" {
                    session["metrics"] = json!([{
                        "name": "tNotResponding",
                        "value": part.end - part.start,
                        "emitDate": millis(part.end),
                    }]);
                }
                self.join("agent", &of, part.agent, session);
            }
            SegmentKind::Dial if part.outcome != "answered" && part.agent.is_some() => {
                let disconnect = match part.outcome {
                    "no_answer" => "timeout",
                    "busy" => "endpoint",
                    _ => "uncallable",
                };
                let session = json!({
                    "dnis": self.story.customer,
                    "segments": [segment("dialing", span, None, disconnect)],
                });
                self.join("agent", &of, part.agent, session);
            }
            SegmentKind::Talk => self.talk(place, part),
            SegmentKind::Callback => {
                let queue = self.queue(part);
                let session = json!({
                    "callbackNumbers": [self.story.customer],
                    "segments": [segment("callback", span, queue.as_deref(), "")],
                });
                self.join("customer", &of, None, session);
            }
            SegmentKind::Voicemail => {
                let mut session = json!({"segments": [segment("interact", span, None, "client")]});
                let lasted = match part.outcome {
                    "left" => Some(part.end - part.start),
                    "empty" => Some(0),
                    _ => None,
                };
                if let Some(ms) = lasted {
                    session["metrics"] = json!([{
                        "name": "tVoicemail",
                        "value": ms,
                        "emitDate": millis(part.end),
                    }]);
                }
                self.join("voicemail", &of, None, session);
            }
            _ => {}
        }
    }

    fn stay(&mut self, place: usize, part: &Part) {
        let queue = self.queue(part);
        let (metric, flow, disconnect) = match (part.outcome, &part.target) {
            ("answered", _) => ("tAnswered", "", "transfer"),
            ("abandoned", _) => ("tAbandon", "", "peer"),
            ("callback", _) => ("tFlowOut", "CALLBACK", "transfer"),
            (_, Some((TargetKind::SharedVoicemail, _))) => ("tFlowOut", "VOICEMAIL", "transfer"),
            _ => ("tFlowOut", "FLOW", "transfer"),
        };
        let mut session = json!({
            "segments": [segment("interact", (part.start, part.end), queue.as_deref(), disconnect)],
            "metrics": [{
                "name": metric,
                "value": part.end - part.start,
                "emitDate": millis(part.end),
            }],
        });
        if !flow.is_empty() {
            session["flowOutType"] = flow.into();
        }
        self.join("acd", &place.to_string(), None, session);
    }

    /// An agent's session: rung or dialled, the conversation with its holds, wrap-up.
    fn talk(&mut self, place: usize, part: &Part) {
        let story = self.story;
        let queue = self.queue(part);
        let queue = queue.as_deref();
        let mut segments = Vec::new();
        if let Some(rung) = rung_before(story, part) {
            let kind = match rung.kind {
                SegmentKind::Offer => "alert",
                _ => "dialing",
            };
            segments.push(segment(kind, (rung.start, rung.end), queue, ""));
        }
        let disconnect = agents_end(story, part);
        let mut from = part.start;
        let holds: Vec<&Part> = children(story, place)
            .filter(|p| p.kind == SegmentKind::Hold)
            .collect();
        for hold in &holds {
            if hold.start > from {
                segments.push(segment("interact", (from, hold.start), queue, ""));
            }
            let over = if hold.end == part.end { disconnect } else { "" };
            segments.push(segment("hold", (hold.start, hold.end), queue, over));
            from = hold.end;
        }
        if from < part.end || holds.is_empty() {
            segments.push(segment("interact", (from, part.end), queue, disconnect));
        }
        if part.mode == "conference" {
            for segment in &mut segments {
                segment["conference"] = true.into();
            }
        }
        let onward = story.links.iter().find(|l| {
            let other = self.pen.by_id.get(l.to.as_str());
            part.outcome == "transferred"
                && l.at == part.end
                && other.is_some_and(|s| s.direction == Direction::Inbound)
        });
        if let (Some(link), Some(last)) = (onward, segments.last_mut()) {
            last["destinationConversationId"] = conversation_id(self.pen, &link.to).into();
        }
        if let Some(wrap) = children(story, place).find(|p| p.kind == SegmentKind::Wrapup) {
            segments.push(segment("wrapup", (wrap.start, wrap.end), queue, ""));
        }
        let mut session = json!({"segments": segments});
        if story.direction == Direction::Outbound {
            session["dnis"] = story.customer.clone().into();
        }
        self.join("agent", &place.to_string(), part.agent, session);
    }
}
