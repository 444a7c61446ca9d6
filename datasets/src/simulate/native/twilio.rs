//! Twilio: a task of TaskRouter for whoever waits in a queue, with the reservations of workers, the
//! status of customers' calls, and of the conference in which they are held. Forms with whole
//! seconds. Menus are told by nothing, nor is a queue that takes nobody in; calls that go out are
//! dialled without a task.

use callboard_model::cloudevents::words::{
    AgentState, Channel, Direction, SegmentKind, TargetKind,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::{Pen, children, mail_date};
use crate::simulate::story::{Part, Story};

/// Tells a day.
pub(super) fn tell(pen: &mut Pen<'_>) {
    let site = pen.site;
    pen.name("source", format!("/twilio/{}", site.name), &site.source);
    for (q, queue) in site.queues.iter().enumerate() {
        pen.name("queue", queue_sid(pen, q), &queue.name);
    }
    for (a, agent) in site.agents.iter().enumerate() {
        pen.name("agent", sid(pen, "WK", &[&agent_no(a)]), &agent.name);
    }
    let day = pen.day;
    for story in &day.stories {
        match story.direction {
            Direction::Inbound => inbound(pen, story),
            Direction::Outbound => outbound(pen, story),
            Direction::Internal => {}
        }
    }
    for (agent, points) in &day.points {
        for point in points {
            let activity = match point.state {
                AgentState::Available => "Available",
                AgentState::Paused => point.reason,
                _ => "Offline",
            };
            let n = point.at.to_string();
            let fields = vec![
                ("EventType", "worker.activity.update".to_owned()),
                ("Sid", sid(pen, "EV", &["worker", &agent_no(*agent), &n])),
                ("Timestamp", (point.at / 1_000).to_string()),
                ("WorkerSid", sid(pen, "WK", &[&agent_no(*agent)])),
                ("WorkerName", pen.agent_name(*agent).to_owned()),
                ("WorkerActivityName", activity.to_owned()),
            ];
            form(pen, "taskrouter.log", point.at, fields);
        }
    }
}

fn agent_no(agent: usize) -> String {
    agent.to_string()
}

fn sid(pen: &Pen<'_>, kind: &str, of: &[&str]) -> String {
    let mut parts = vec![kind, &pen.site.name];
    parts.extend(of);
    format!("{kind}{}", pen.hex(32, &parts))
}

fn queue_sid(pen: &Pen<'_>, queue: usize) -> String {
    sid(pen, "WQ", &[&queue.to_string()])
}

/// The body of a call-back.
fn form(pen: &mut Pen<'_>, file: &str, at: i64, fields: Vec<(&'static str, String)>) {
    let account = ("AccountSid", sid(pen, "AC", &[]));
    let pairs = std::iter::once(account)
        .chain(fields)
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(&value, NON_ALPHANUMERIC)));
    let body = pairs.collect::<Vec<_>>().join("&");
    pen.sheet(file, at, body);
}

/// The status of a customer's call.
fn status(pen: &mut Pen<'_>, call: &str, story: &Story, word: &str, at: i64, lasted: Option<i64>) {
    let n = ["initiated", "ringing", "in-progress"];
    let n = n.iter().position(|w| *w == word).unwrap_or(3);
    let own = "+999000000100".to_owned();
    let (direction, from, to) = match story.direction {
        Direction::Outbound => ("outbound-api", own, story.customer.clone()),
        _ => ("inbound", story.customer.clone(), own),
    };
    let mut fields = vec![
        ("CallSid", call.to_owned()),
        ("CallStatus", word.to_owned()),
        ("Timestamp", mail_date(at)),
        ("SequenceNumber", n.to_string()),
        ("Direction", direction.to_owned()),
        ("From", from),
        ("To", to),
    ];
    fields.extend(lasted.map(|ms| ("CallDuration", (ms / 1_000).to_string())));
    form(pen, "voice.log", at, fields);
}

fn inbound(pen: &mut Pen<'_>, story: &Story) {
    let voice = story.channel == Channel::Voice;
    let call = sid(pen, "CA", &[&story.id]);
    let task = sid(pen, "WT", &[&story.id]);
    let waits = |p: &&Part| p.kind == SegmentKind::Queue && p.outcome != "refused";
    let waited = story.parts.iter().find(waits).map(|p| p.start);
    if voice {
        pen.name("contact", call.clone(), &story.id);
        status(pen, &call, story, "ringing", story.start, None);
        status(pen, &call, story, "in-progress", story.start, None);
        let lasted = Some(story.end - story.start);
        status(pen, &call, story, "completed", story.end, lasted);
    }
    let Some(created) = waited else { return };
    pen.name("contact", task.clone(), &story.id);
    let mut writer = Task {
        pen,
        story,
        task,
        call: voice.then_some(call),
        events: 0,
    };
    writer.say("task.created", created, Vec::new());
    writer.walk();
}

/// A task under way.
struct Task<'t, 'p> {
    pen: &'t mut Pen<'p>,
    story: &'t Story,
    task: String,
    call: Option<String>,
    events: usize,
}

impl Task<'_, '_> {
    fn say(&mut self, kind: &str, at: i64, more: Vec<(&'static str, String)>) {
        self.events += 1;
        let n = self.events.to_string();
        let story = self.story;
        let channel = match story.channel {
            Channel::Voice => "voice",
            Channel::Email => "email",
            Channel::Whatsapp => "whatsapp",
            _ => "chat",
        };
        let attributes = json!({
            "call_sid": self.call,
            "channelType": channel,
            "direction": "inbound",
            "from": story.customer,
            "name": story.name,
        });
        let mut fields = vec![
            ("EventType", kind.to_owned()),
            ("Sid", sid(self.pen, "EV", &[&story.id, &n])),
            ("Timestamp", (at / 1_000).to_string()),
            ("TaskSid", self.task.clone()),
            ("TaskChannelUniqueName", channel.to_owned()),
            ("TaskAttributes", attributes.to_string()),
        ];
        fields.extend(more);
        form(self.pen, "taskrouter.log", at, fields);
    }

    fn walk(&mut self) {
        let story = self.story;
        let mut over = None;
        for (place, part) in story.parts.iter().enumerate() {
            match part.kind {
                SegmentKind::Queue if part.outcome != "refused" => {
                    over = self.stay(place, part);
                }
                SegmentKind::Talk => {
                    over = None;
                    self.talk(place, part);
                }
                _ => {}
            }
        }
        if let Some((kind, reason, at)) = over {
            let more = vec![("TaskCanceledReason", reason.to_owned())];
            return self.say(kind, at, more);
        }
        let wraps = story.parts.iter().filter(|p| p.kind == SegmentKind::Wrapup);
        let done = wraps.map(|p| p.end).chain([story.end]).max();
        self.say("task.completed", done.unwrap_or(story.end), Vec::new());
    }

    fn queue(&self, queue: Option<usize>) -> Vec<(&'static str, String)> {
        let Some(q) = queue else { return Vec::new() };
        vec![
            ("TaskQueueSid", queue_sid(self.pen, q)),
            ("TaskQueueName", self.pen.queue_name(q).to_owned()),
        ]
    }

    /// A reservation of a worker.
    fn reserve(&self, agent: usize, queue: Option<usize>, of: &str) -> Vec<(&'static str, String)> {
        let mut more = self.queue(queue);
        let pen = &*self.pen;
        more.extend([
            ("ReservationSid", sid(pen, "WR", &[&self.story.id, of])),
            ("WorkerSid", sid(pen, "WK", &[&agent_no(agent)])),
            ("WorkerName", pen.agent_name(agent).to_owned()),
        ]);
        more
    }

    /// A stay: who was asked; and how the task ends if nothing follows.
    fn stay(&mut self, place: usize, part: &Part) -> Option<(&'static str, &'static str, i64)> {
        self.say("task-queue.entered", part.start, self.queue(part.queue));
        let story = self.story;
        for (n, offer) in children(story, place).enumerate() {
            let (SegmentKind::Offer, Some(a)) = (offer.kind, offer.agent) else {
                continue;
            };
            let mut of = format!("{place}/{n}");
            let kind = match offer.outcome {
                "accepted" => {
                    of = format!("{place}");
                    "reservation.accepted"
                }
                "declined" => "reservation.rejected",
                "no_answer" => "reservation.timeout",
                "caller_left" => "reservation.canceled",
                _ => "reservation.failed",
            };
            let fields = self.reserve(a, part.queue, &of);
            self.say("reservation.created", offer.start, fields.clone());
            self.say(kind, offer.end, fields);
        }
        match (part.outcome, &part.target) {
            ("answered", _) => None,
            ("timeout", Some((TargetKind::Queue, _))) => {
                self.say("task-queue.timeout", part.end, self.queue(part.queue));
                None
            }
            (_, Some((TargetKind::Queue, _))) => {
                self.say("task-queue.moved", part.end, self.queue(part.queue));
                None
            }
            ("abandoned" | "key_exit" | "callback" | "voicemail", _) => {
                Some(("task.canceled", "hangup", part.end))
            }
            ("withdrawn", _) => Some(("task.deleted", "", part.end)),
            _ => {
                self.say("workflow.timeout", part.end, Vec::new());
                Some(("task.canceled", "Task TTL Exceeded", part.end))
            }
        }
    }

    /// A worker's part in the conference with the customer.
    fn talk(&mut self, place: usize, part: &Part) {
        let Some(agent) = part.agent else { return };
        let story = self.story;
        let offered = part.parent.filter(|_| {
            let first = story
                .parts
                .iter()
                .position(|p| p.kind == SegmentKind::Talk && p.parent == part.parent);
            first == Some(place)
        });
        let of = match offered {
            Some(stay) => stay.to_string(),
            None => format!("talk/{place}"),
        };
        let fields = self.reserve(agent, part.queue, &of);
        if offered.is_none() {
            let (rang, picked) = self.asked(part);
            self.say("reservation.created", rang, fields.clone());
            self.say("reservation.accepted", picked, fields.clone());
        }
        let own = sid(self.pen, "WR", &[&story.id, &of]);
        if let Some((kind, to)) = &part.target {
            let to = match kind {
                TargetKind::Queue => self.pen.queue_of(to).map(|q| queue_sid(self.pen, q)),
                TargetKind::Agent => {
                    let of = self.pen.agent_of(to);
                    of.map(|a| sid(self.pen, "WK", &[&agent_no(a)]))
                }
                _ => None, // a number outside is told by nothing
            };
            if let Some(to) = to {
                let mut more = fields.clone();
                more.extend([
                    ("TransferInitiatingReservationSid", own),
                    ("TransferTo", to),
                    ("TransferMode", "COLD".to_owned()),
                ]);
                self.say("task.transfer-initiated", part.end, more.clone());
                self.say("task.transfer-completed", part.end, more);
            }
        }
        let wrap = children(story, place).find(|p| p.kind == SegmentKind::Wrapup);
        if let Some(wrap) = wrap {
            self.say("reservation.wrapup", wrap.start, fields.clone());
        }
        let done = wrap.map_or(part.end, |w| w.end);
        self.say("reservation.completed", done, fields);
        for hold in children(story, place).filter(|p| p.kind == SegmentKind::Hold) {
            self.hold(hold);
        }
    }

    /// When a colleague who was asked rang and picked up; who just joins is there at once.
    fn asked(&self, part: &Part) -> (i64, i64) {
        if part.mode == "conference" {
            return (part.start, part.start);
        }
        let others = self
            .story
            .links
            .iter()
            .filter_map(|l| self.pen.by_id.get(l.to.as_str()));
        let internal = others.filter(|s| s.direction == Direction::Internal);
        let mut offers = internal.flat_map(|s| &s.parts);
        let rang = offers.find(|p| p.kind == SegmentKind::Offer && p.agent == part.agent);
        rang.map_or((part.start, part.start), |o| (o.start, o.end))
    }

    fn hold(&mut self, hold: &Part) {
        let Some(call) = self.call.clone() else {
            return;
        };
        for (at, word) in [
            (hold.start, "participant-hold"),
            (hold.end, "participant-unhold"),
        ] {
            self.events += 1;
            let fields = vec![
                ("SequenceNumber", self.events.to_string()),
                ("ConferenceSid", sid(self.pen, "CF", &[&self.story.id])),
                ("StatusCallbackEvent", word.to_owned()),
                ("CallSid", call.clone()),
                ("Timestamp", mail_date(at)),
            ];
            form(self.pen, "conference.log", at, fields);
        }
    }
}

/// Calls that go out: one for each attempt.
fn outbound(pen: &mut Pen<'_>, story: &Story) {
    for (n, part) in story.parts.iter().enumerate() {
        if part.kind != SegmentKind::Dial || part.outcome == "canceled" {
            continue;
        }
        let call = sid(pen, "CA", &[&story.id, &n.to_string()]);
        pen.name("contact", call.clone(), &story.id);
        status(pen, &call, story, "initiated", part.start, None);
        let word = match part.outcome {
            "answered" | "machine" => "in-progress",
            "busy" => "busy",
            "no_answer" => "no-answer",
            _ => "failed",
        };
        status(pen, &call, story, word, part.end, None);
        if word == "in-progress" {
            let end = story.end.max(part.end);
            status(pen, &call, story, "completed", end, Some(end - part.end));
        }
    }
}
