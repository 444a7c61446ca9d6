//! The sessions of call records as legs: who was connected to an auto attendant, a queue, a
//! mailbox, a customer.

use std::collections::BTreeMap;
use std::sync::Arc;

use callboard_model::record::Provenance;

use crate::teams::callrecord::{CallRecord, End, Person, Session, Who};
use crate::teams::read::At;

/// What a leg leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::teams) enum Kind {
    /// An auto attendant.
    Menu,
    /// A queue.
    Queue,
    /// A mailbox.
    Mailbox,
    /// A user who spoke.
    Talk,
    /// A user who was rung and did not take it.
    Missed,
    /// A user who called somebody outside, and nobody took it.
    Dialled,
}

/// A leg.
#[derive(Debug, Clone)]
pub(in crate::teams) struct Leg {
    pub kind: Kind,
    pub start: Option<At>,
    pub end: Option<At>,
    /// The resource account of a service; who was dialled.
    pub name: String,
    /// The user.
    pub person: Person,
    /// Why it failed.
    pub reason: String,
    /// It broke off.
    pub dropped: bool,
    /// Screen or video beside the voice.
    pub shares: Vec<&'static str>,
    pub by: Arc<Provenance>,
}

/// All legs, and what follows from all of them.
#[derive(Debug, Clone, Default)]
pub(in crate::teams) struct Legs {
    pub all: Vec<Leg>,
    /// The customer.
    pub customer: Option<Person>,
    /// What was called, where a resource account or number names it.
    pub dialled: Option<String>,
    /// inbound, outbound or internal; empty = not known.
    pub direction: &'static str,
    modalities: Vec<String>,
    ratings: Vec<String>,
    quality: BTreeMap<&'static str, f64>,
}

/// The legs of call records.
pub(in crate::teams) fn of(calls: &[CallRecord]) -> Legs {
    let sessions: Vec<(&CallRecord, &Session)> = calls
        .iter()
        .flat_map(|c| c.sessions.iter().map(move |s| (c, s)))
        .collect();
    let mut legs = Legs::default();
    for call in calls {
        let own = call.sessions.iter().flat_map(|s| &s.modalities);
        for word in call.modalities.iter().chain(own) {
            if !legs.modalities.contains(word) {
                legs.modalities.push(word.clone());
            }
        }
    }
    legs.modalities.sort();
    for (_, session) in &sessions {
        let ends = [&session.caller, &session.callee];
        legs.ratings
            .extend(ends.iter().filter_map(|e| e.rating.clone()));
        for (name, value) in &session.quality {
            let held = legs.quality.entry(name).or_insert(*value);
            *held = held.max(*value);
        }
    }
    let service = sessions
        .iter()
        .find(|(_, s)| service_of(&s.callee).or(service_of(&s.caller)).is_some());
    let callers = sessions
        .iter()
        .filter_map(|(_, s)| s.caller.person.as_ref());
    let callees = sessions
        .iter()
        .filter_map(|(_, s)| s.callee.person.as_ref());
    let everybody = callers.clone().chain(callees);
    let outside = everybody
        .chain(calls.iter().flat_map(CallRecord::everybody))
        .find(|p| p.is_outside());
    let peers = calls.iter().any(|c| c.kind == "peerToPeer");
    let first = callers
        .clone()
        .next()
        .or(calls.iter().find_map(|c| c.organizer.as_ref()));
    legs.customer = match (outside, service) {
        (Some(person), _) => Some(person.clone()),
        (None, Some((_, s))) => s.caller.person.clone().filter(|p| p.who != Who::Resource),
        (None, None) if peers => first.cloned(),
        _ => None,
    };
    let meeting = calls.iter().any(|c| c.meeting && c.kind != "peerToPeer");
    legs.direction = match (outside, service, first) {
        (_, Some(_), _) => "inbound",
        _ if meeting => "",
        (Some(_), None, Some(first)) if first.who == Who::User => "outbound",
        (Some(_), None, _) => "inbound",
        (None, None, _) if peers => "internal",
        _ => "",
    };
    for (call, session) in &sessions {
        legs.take(call, session);
    }
    if legs.direction == "outbound" {
        legs.dialled = legs.customer.as_ref().map(|p| p.id.clone());
    }
    legs
}

fn service_of(end: &End) -> Option<Kind> {
    let role = end.role.to_ascii_lowercase();
    if role.contains("autoattendant") {
        Some(Kind::Menu)
    } else if role.contains("callqueue") {
        Some(Kind::Queue)
    } else if role.contains("voicemail") {
        Some(Kind::Mailbox)
    } else {
        None
    }
}

impl Legs {
    fn take(&mut self, call: &CallRecord, session: &Session) {
        let ends = [&session.caller, &session.callee];
        let people: Vec<&Person> = ends.iter().filter_map(|e| e.person.as_ref()).collect();
        let users: Vec<&Person> = people
            .iter()
            .copied()
            .filter(|p| p.who == Who::User && !self.is_customer(p))
            .collect();
        let service = ends.iter().find_map(|e| service_of(e));
        let resource = people.iter().find(|p| p.who == Who::Resource);
        let name = resource.map(|p| [&p.upn, &p.name, &p.id].into_iter().find(|n| !n.is_empty()));
        let name = name.flatten().cloned().unwrap_or_default();
        let leg = |kind, person: Person| Leg {
            kind,
            start: session.start,
            end: session.end,
            name: name.clone(),
            person,
            reason: session
                .failure
                .as_ref()
                .map(|f| f.0.clone())
                .unwrap_or_default(),
            dropped: session.failure.as_ref().is_some_and(|f| f.1 == "midcall"),
            shares: shares(&session.modalities),
            by: call.by.clone(),
        };
        if let (Some(kind), true) = (service, users.is_empty()) {
            if self.dialled.is_none() && !name.is_empty() {
                self.dialled = Some(name.clone());
            }
            // The service connects to itself anew on the way: one visit may have several sessions.
            let same = |l: &Leg| {
                kind != Kind::Mailbox && l.kind == kind && (l.name == name || name.is_empty())
            };
            let place = self.all.iter().position(same);
            match place.and_then(|n| self.all.get_mut(n)) {
                Some(held) => {
                    held.start = held.start.or(session.start);
                    held.end = held.end.max(session.end);
                }
                None => self.all.push(leg(kind, Person::default())),
            }
            return;
        }
        let failed = session.failure.as_ref();
        let missed = failed.is_some_and(|f| f.1 != "midcall");
        let called = session.callee.person.as_ref();
        let out = called.is_some_and(Person::is_outside);
        let kind = match (missed, out) {
            (false, _) => Kind::Talk,
            (true, true) => Kind::Dialled,
            (true, false) => Kind::Missed,
        };
        for user in users {
            let same = |l: &Leg| {
                kind == Kind::Talk
                    && l.kind == kind
                    && l.person.id == user.id
                    && touches(l, session)
            };
            let place = self.all.iter().position(same);
            match place.and_then(|n| self.all.get_mut(n)) {
                Some(held) => {
                    held.start = match (held.start, session.start) {
                        (Some(a), Some(b)) => Some(a.min(b)),
                        (a, b) => a.or(b),
                    };
                    held.end = held.end.max(session.end);
                }
                None => {
                    let mut leg = leg(kind, user.clone());
                    if let (Kind::Dialled, Some(called)) = (kind, called) {
                        leg.name.clone_from(&called.id);
                    }
                    self.all.push(leg);
                }
            }
        }
    }

    fn is_customer(&self, person: &Person) -> bool {
        self.customer.as_ref().is_some_and(|c| {
            c == person || (c.who == person.who && !c.id.is_empty() && c.id == person.id)
        })
    }

    /// Whether a call is somebody's contact: with a service, somebody from outside, or between two
    /// users. A meeting is not.
    pub fn is_contact(&self) -> bool {
        !self.direction.is_empty()
    }

    /// Everybody who spoke or was rung.
    pub fn people(&self) -> impl Iterator<Item = &Person> {
        let users = self
            .all
            .iter()
            .filter(|l| matches!(l.kind, Kind::Talk | Kind::Missed | Kind::Dialled));
        users.map(|l| &l.person)
    }

    /// voice, or video where there was any.
    pub fn channel(&self) -> &'static str {
        if self.modalities.iter().any(|m| m == "video") {
            "video"
        } else {
            "voice"
        }
    }

    /// All modalities, in order of their names.
    pub fn modalities(&self) -> Option<String> {
        (!self.modalities.is_empty()).then(|| self.modalities.join(" "))
    }

    /// What the people said of the call's quality: the worst word first is not known, so all.
    pub fn rating(&self) -> Option<String> {
        let mut all = self.ratings.clone();
        all.sort();
        all.dedup();
        (!all.is_empty()).then(|| all.join(" "))
    }

    /// Worst figures of the streams.
    pub fn quality(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.quality
            .iter()
            .map(|(name, value)| (*name, value.to_string()))
    }
}

fn touches(leg: &Leg, session: &Session) -> bool {
    const APART: i64 = 2_000_000;
    match (leg.end, session.start) {
        (Some(end), Some(start)) => start.0 <= end.0 + APART,
        _ => true,
    }
}

fn shares(modalities: &[String]) -> Vec<&'static str> {
    let mut all = Vec::new();
    for word in modalities {
        let mode = match word.as_str() {
            "screenSharing" | "videoBasedScreenSharing" => "screen",
            "video" => "video",
            _ => continue,
        };
        if !all.contains(&mode) {
            all.push(mode);
        }
    }
    all.sort_unstable();
    all
}
