//! The legs of a contact: one until an agent or a queue hands it on.

use callboard_model::cloudevents::words::{
    Channel, Direction, EndedBy, LinkKind, SegmentKind, TargetKind,
};

use super::super::{Pen, children};
use crate::simulate::story::{Part, Story};

/// An offer as the agent's stream shows it.
#[derive(Debug, Clone)]
pub(super) struct Rings {
    pub agent: usize,
    pub start: i64,
    pub end: i64,
    pub outcome: &'static str,
}

/// One contact as the platform counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Leg {
    pub id: String,
    pub method: &'static str,
    pub first: Option<String>,
    pub previous: Option<String>,
    pub next: Option<String>,
    pub channel: &'static str,
    pub initiated: i64,
    pub to_system: Option<i64>,
    pub rings_customer: Option<i64>,
    pub queue: Option<usize>,
    /// The queue that an agent has of his own.
    pub own_queue_of: Option<usize>,
    pub enqueued: Option<i64>,
    pub dequeued: Option<i64>,
    pub offers: Vec<Rings>,
    pub agent: Option<usize>,
    pub connected: Option<i64>,
    pub talk: Option<(i64, i64)>,
    pub holds: Vec<(i64, i64, &'static str)>,
    pub wrap: Option<(i64, i64)>,
    /// Handed over to a number.
    pub transferred: Option<(i64, String)>,
    pub disconnected: i64,
    pub reason: &'static str,
    pub heard: Option<&'static str>,
    pub bot: bool,
    pub campaign: Option<&'static str>,
}

impl Leg {
    /// Holds together.
    pub fn held(&self) -> i64 {
        self.holds.iter().map(|(start, end, _)| end - start).sum()
    }

    fn talks(&mut self, story: &Story, place: usize) {
        let talk = &story.parts[place];
        self.agent = talk.agent;
        self.talk = Some((talk.start, talk.end));
        for part in children(story, place) {
            match part.kind {
                SegmentKind::Hold => self.holds.push((part.start, part.end, part.outcome)),
                SegmentKind::Wrapup => self.wrap = Some((part.start, part.end)),
                _ => {}
            }
        }
        self.disconnected = talk.end;
        self.reason = match talk.outcome {
            "dropped" => "TELECOM_PROBLEM",
            "transferred" | "left" => "AGENT_DISCONNECT",
            _ if story.ended_by == EndedBy::Agent => "AGENT_DISCONNECT",
            _ => "CUSTOMER_DISCONNECT",
        };
        if let Some((TargetKind::External, number)) = &talk.target {
            self.transferred = Some((talk.end, number.clone()));
        }
    }
}

/// A number of the instance, through which a customer comes back as a new call.
const BACK_IN: &str = "+999000000099";

/// The legs of a contact; a call between agents is part of the customer's.
pub(super) fn legs(pen: &Pen<'_>, story: &Story) -> Vec<Leg> {
    if story.direction == Direction::Internal {
        return Vec::new();
    }
    let mut writer = Writer {
        pen,
        story,
        done: Vec::new(),
    };
    if story.direction == Direction::Outbound {
        writer.outbound();
    } else {
        writer.inbound();
    }
    let mut legs = writer.done;
    if let Some(first) = legs.first().map(|l| l.id.clone()) {
        for leg in legs.iter_mut().skip(1) {
            leg.first = Some(first.clone());
        }
    }
    legs
}

struct Writer<'p> {
    pen: &'p Pen<'p>,
    story: &'p Story,
    done: Vec<Leg>,
}

impl Writer<'_> {
    fn leg(&self, method: &'static str, initiated: i64) -> Leg {
        let n = self.done.len().to_string();
        let previous = self.done.last().map(|l| l.id.clone());
        Leg {
            id: self.pen.uuid(&["contact", &self.story.id, &n]),
            method,
            previous: previous.filter(|_| !self.done.is_empty()),
            channel: super::channel(self.story).0,
            initiated,
            disconnected: self.story.end,
            reason: match self.story.ended_by {
                EndedBy::System => "CONTACT_FLOW_DISCONNECT",
                _ => "CUSTOMER_DISCONNECT",
            },
            ..Leg::default()
        }
    }

    /// Takes a leg in; the one before leads to it.
    fn close(&mut self, leg: Leg) {
        if let Some(previous) = &leg.previous
            && let Some(before) = self.done.iter_mut().find(|l| l.id == *previous)
        {
            before.next = Some(leg.id.clone());
        }
        self.done.push(leg);
    }

    fn inbound(&mut self) {
        let story = self.story;
        let text = matches!(story.channel, Channel::Chat | Channel::Whatsapp);
        let mut leg = self.leg(if text { "API" } else { "INBOUND" }, story.start);
        leg.to_system = text.then_some(story.start);
        for (place, part) in story.parts.iter().enumerate() {
            match part.kind {
                SegmentKind::Bot => {
                    leg.bot = true;
                    if part.outcome == "contained" {
                        leg.reason = "CONTACT_FLOW_DISCONNECT";
                    }
                }
                SegmentKind::Queue if part.outcome != "refused" => {
                    if leg.enqueued.is_some() {
                        // From queue to queue, by the flow or by the agent.
                        let method = if leg.talk.is_some() {
                            "TRANSFER"
                        } else {
                            "QUEUE_TRANSFER"
                        };
                        self.close(leg);
                        leg = self.leg(method, part.start);
                    }
                    self.stay(&mut leg, place, part);
                }
                SegmentKind::Talk => {
                    let (mut own, ended) = (leg, part.end);
                    leg = match part.mode {
                        "conference" => {
                            let parent = own.id.clone();
                            self.done.push(own);
                            let mut joined = self.leg("TRANSFER", part.start);
                            joined.previous = Some(parent);
                            joined.connected = Some(part.start);
                            joined.talks(story, place);
                            joined
                        }
                        _ if own.talk.is_some() => {
                            // The colleague who was asked first.
                            own.disconnected = own.talk.map_or(ended, |t| t.1);
                            self.close(own);
                            self.consulted(place, part)
                        }
                        _ => {
                            own.connected = Some(part.start);
                            own.talks(story, place);
                            own
                        }
                    };
                    if let Some((TargetKind::Queue, _)) = &part.target
                        && !story.parts[place..]
                            .iter()
                            .any(|p| p.kind == SegmentKind::Queue)
                    {
                        leg.transferred = Some((part.end, BACK_IN.to_owned()));
                    }
                }
                SegmentKind::Callback => {
                    leg.disconnected = part.start;
                    leg.reason = "CONTACT_FLOW_DISCONNECT";
                    let to = story.links.first();
                    leg.next = to.map(|l| self.pen.uuid(&["contact", &l.to, "0"]));
                }
                _ => {}
            }
        }
        if !self.done.iter().any(|l| l.id == leg.id) {
            self.close(leg);
        }
    }

    /// The stay of a leg in its queue.
    fn stay(&self, leg: &mut Leg, place: usize, part: &Part) {
        leg.queue = part.queue;
        leg.enqueued = Some(part.start);
        for offer in children(self.story, place) {
            if let (SegmentKind::Offer, Some(agent)) = (offer.kind, offer.agent) {
                leg.offers.push(Rings {
                    agent,
                    start: offer.start,
                    end: offer.end,
                    outcome: offer.outcome,
                });
            }
        }
        match (part.outcome, &part.target) {
            ("answered", _) => {}
            (_, Some((TargetKind::Queue, _))) => {
                leg.disconnected = part.end;
                leg.reason = "CONTACT_FLOW_DISCONNECT";
            }
            (_, Some((TargetKind::External, number))) => {
                leg.dequeued = Some(part.end);
                leg.transferred = Some((part.end, number.clone()));
            }
            // A person in the house is reached by a number, too.
            (_, Some((TargetKind::Person, _))) => {
                leg.dequeued = Some(part.end);
                leg.transferred = Some((part.end, "+999000000003".to_owned()));
            }
            _ if part.end < self.story.end => leg.dequeued = Some(part.end),
            _ => {}
        }
    }

    /// The leg of a colleague who was asked, and then took the customer.
    fn consulted(&self, place: usize, part: &Part) -> Leg {
        let story = self.story;
        let asked = story.links.iter().find_map(|l| {
            let other = self.pen.by_id.get(l.to.as_str())?;
            (other.direction == Direction::Internal).then_some((l.at, *other))
        });
        let (start, rang) = match asked {
            Some((at, other)) => (
                at,
                other.parts.iter().find(|p| p.kind == SegmentKind::Offer),
            ),
            None => (part.start, None),
        };
        let mut leg = self.leg("TRANSFER", start);
        leg.own_queue_of = part.agent;
        leg.enqueued = Some(start);
        if let (Some(offer), Some(agent)) = (rang, part.agent) {
            leg.offers.push(Rings {
                agent,
                start: offer.start,
                end: offer.end,
                outcome: offer.outcome,
            });
        }
        leg.talks(story, place);
        let picked = rang.map_or(part.start, |o| o.end);
        leg.connected = Some(picked);
        leg.talk = Some((picked, part.end));
        leg
    }

    /// Calls that somebody of the centre dials: one leg each.
    fn outbound(&mut self) {
        let story = self.story;
        let asked = self.pen.day.stories.iter().find(|s| {
            let mut links = s.links.iter();
            links.any(|l| l.kind == LinkKind::Callback && l.to == story.id)
        });
        let back = asked.is_some();
        let promised = asked.and_then(|s| {
            let promise = s.parts.iter().find(|p| p.kind == SegmentKind::Callback)?;
            // Of the legs of who asked, the last one led here.
            let last = legs(self.pen, s).pop()?;
            Some((promise, last.id))
        });
        for (place, part) in story.parts.iter().enumerate() {
            if part.kind != SegmentKind::Dial {
                continue;
            }
            let method = match (back, part.agent) {
                (true, _) => "CALLBACK",
                (false, Some(_)) => "OUTBOUND",
                (false, None) => "API",
            };
            let mut leg = self.leg(method, story.start);
            if let Some((promise, before)) = &promised {
                leg.initiated = promise.start;
                if leg.previous.is_none() {
                    leg.previous = Some(before.clone());
                }
                leg.queue = promise.queue;
                leg.enqueued = Some(promise.end);
                leg.dequeued = Some(part.start);
            } else {
                leg.campaign = (!part.name.is_empty()).then_some(part.name);
                leg.rings_customer = Some(part.start);
            }
            leg.agent = part.agent;
            leg.connected = part.agent.map(|_| part.start);
            leg.disconnected = part.end;
            leg.reason = match part.outcome {
                "busy" => "TELECOM_BUSY",
                "no_answer" => "TELECOM_UNANSWERED",
                "failed" => "TELECOM_NUMBER_INVALID",
                "canceled" => "API",
                _ => "CUSTOMER_DISCONNECT",
            };
            leg.heard = (part.outcome == "machine").then_some("VOICEMAIL_BEEP");
            let talk = story.parts.iter().position(|p| p.parent == Some(place));
            if let (Some(talk), "answered") = (talk, part.outcome) {
                leg.to_system = Some(part.end);
                leg.talks(story, talk);
            }
            self.close(leg);
        }
    }
}
