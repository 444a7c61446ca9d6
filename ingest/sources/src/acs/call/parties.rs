//! Who is who in a call, and who talked to the customer.

use std::collections::{BTreeMap, BTreeSet};

use callboard_model::statement::F;

use crate::acs::ids::{self, Who, who};
use crate::acs::parts::{Part, When};
use crate::acs::roster::{Roster, Span};
use crate::acs::{Event, turns};

/// A talk that begins this long before another ends is beside it, microseconds.
pub const BESIDE: i64 = 1_000_000;

/// Who is who in a call.
pub struct Parties {
    /// Raw identifier of the customer, where anything tells it.
    pub customer: Option<String>,
    /// The application itself, where it shows among the participants.
    own: BTreeSet<String>,
    /// Role of a participant that the application gave as context when it invited him.
    roles: BTreeMap<String, String>,
}

impl Parties {
    /// Tells who is who, from what the events name.
    pub fn of(
        events: &[Event],
        roster: &Roster,
        of_chat: Option<&str>,
        routed: &[Part],
    ) -> Parties {
        let mut own = BTreeSet::new();
        let mut roles = BTreeMap::new();
        let (mut from, mut starter) = (None, None);
        let connected = events.iter().any(|e| e.kind == "CallConnected");
        for event in events {
            let d = event.data();
            match event.kind.as_str() {
                "IncomingCall" => {
                    from = from.or(some(ids::raw_id(d.get("from"))));
                    // The application that answered is the one that was called.
                    if connected {
                        own.insert(ids::raw_id(d.get("to")));
                    }
                }
                "CallStarted" => starter = starter.or(some(ids::raw_id(d.get("startedBy")))),
                "AddParticipantSucceeded" => {
                    let raw = ids::raw_id(d.get("participant"));
                    roles.insert(raw, d.text("operationContext").to_ascii_lowercase());
                }
                _ => {}
            }
        }
        let phones: Vec<&String> = roster
            .present
            .keys()
            .filter(|r| who(r) == Who::Phone && !roles.contains_key(*r))
            .collect();
        let phone = match phones.as_slice() {
            [one] => Some((*one).clone()),
            _ => None,
        };
        let starter = starter.filter(|s| who(s) != Who::TeamsUser);
        let of_chat = of_chat.map(str::to_owned);
        let mut parties = Parties {
            customer: from.or(phone).or(starter).or(of_chat),
            own,
            roles,
        };
        parties.find_own(events, roster, routed);
        parties
    }

    /// The application shows as a user where it has an identity of its own: one who was there when
    /// the application's leg was connected, whom nobody invited, in a call in which it speaks or
    /// listens.
    fn find_own(&mut self, events: &[Event], roster: &Roster, routed: &[Part]) {
        let connected = events.iter().find(|e| e.kind == "CallConnected");
        let speaks = events.iter().any(|e| turns::is_turn(&e.kind));
        let (Some(connected), true, true) = (connected, speaks, self.customer.is_some()) else {
            return;
        };
        let at = connected.when.at + 2 * BESIDE;
        for (raw, spans) in &roster.present {
            let there = spans.first().is_some_and(|s| s.start.at <= at);
            let works = routed.iter().any(|t| t.get(&F::Agent) == raw);
            let invited = self.roles.contains_key(raw) || works;
            if there && !invited && who(raw) == Who::User && Some(raw) != self.customer.as_ref() {
                self.own.insert(raw.clone());
            }
        }
    }

    /// Whether the customer was there and is not any more.
    pub fn is_gone(&self, roster: &Roster) -> bool {
        let spans = self.customer.as_ref().and_then(|c| roster.present.get(c));
        spans.is_some_and(|s| s.last().is_some_and(|last| last.end.is_some()))
    }

    /// Whether this participant may be an agent.
    pub fn serves(&self, raw: &str) -> bool {
        Some(raw) != self.customer.as_deref()
            && !self.own.contains(raw)
            && !matches!(who(raw), Who::TeamsApp | Who::Bot)
    }

    /// Whether he was invited as somebody whom the agent asks for help.
    pub fn is_expert(&self, raw: &str) -> bool {
        let role = self.roles.get(raw).map_or("", String::as_str);
        ["expert", "sme", "consult", "supervisor", "specialist"]
            .iter()
            .any(|word| role.contains(word))
    }
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// Talks of the participants who serve the customer, but for those whose talk a job tells.
pub fn own_talks(
    roster: &Roster,
    parties: &Parties,
    routed: &[Part],
    end: Option<&When>,
) -> Vec<Part> {
    let mut free: Vec<&Part> = routed.iter().collect();
    let mut talks = Vec::new();
    let with = parties
        .customer
        .as_ref()
        .and_then(|c| roster.present.get(c));
    let mut serving: Vec<(&String, Span)> = Vec::new();
    for (raw, spans) in roster.present.iter().filter(|(raw, _)| parties.serves(raw)) {
        serving.extend(spans.iter().map(|s| (raw, s.clone())));
    }
    serving.sort_by(|a, b| (a.1.start.at, a.0).cmp(&(b.1.start.at, b.0)));
    if parties.customer.is_none() {
        return unknown_roles(&serving).into_iter().collect();
    }
    for (raw, span) in serving {
        let Some(span) = together(span, with, end) else {
            continue;
        };
        // A worker is named by the same id, or he is the one who joined while the job was his.
        let own = free.iter().position(|t| t.get(&F::Agent) == raw);
        let own = own.or_else(|| {
            let beside = |t: &&Part| t.covers(span.start.at) && !parties.is_expert(raw);
            free.iter().position(beside)
        });
        if let Some(own) = own {
            free.remove(own);
            continue;
        }
        talks.push(talk(raw, &span, parties));
    }
    modes(&mut talks, routed, parties);
    talks
}

/// A worker's talk that a job tells was handed on where somebody else serves the customer after it:
/// the router knows only that the worker is done.
pub fn handed_over(own: &[Part], routed: &mut [Part]) {
    for talk in routed {
        let Some(end) = talk.end.as_ref().map(|w| w.at) else {
            continue;
        };
        let goes_on = |p: &&Part| {
            let start = p.start.as_ref().is_some_and(|w| w.at <= end + BESIDE);
            start && p.end.as_ref().is_none_or(|w| w.at > end + BESIDE)
        };
        let next = own.iter().find(goes_on);
        let (Some(next), "completed") = (next, talk.get(&F::Outcome)) else {
            continue;
        };
        let agent = next.get(&F::Agent);
        let kind = match who(agent) {
            Who::TeamsUser => "person",
            // A number stands without its prefix.
            Who::Other | Who::Phone => "external",
            _ => "agent",
        };
        talk.text(F::Outcome, "transferred")
            .text(F::TargetKind, kind)
            .text(F::Target, agent);
    }
}

/// The part of a span in which the customer was there too.
fn together(mut span: Span, with: Option<&Vec<Span>>, end: Option<&When>) -> Option<Span> {
    let over = |at: i64| span.end.as_ref().is_none_or(|e| at <= e.at);
    if let Some(with) = with {
        let meets = |c: &&Span| {
            let reaches = c.end.as_ref().is_none_or(|e| e.at >= span.start.at);
            reaches && over(c.start.at)
        };
        let customer = with.iter().find(meets)?;
        let end = match (span.end.take(), customer.end.clone()) {
            (Some(a), Some(b)) => Some(When::min(a, b)),
            (a, b) => a.or(b),
        };
        let start = When::max(span.start, customer.start.clone());
        span = Span { start, end };
    }
    span.end = span.end.or_else(|| end.cloned());
    Some(span)
}

fn talk(raw: &str, span: &Span, parties: &Parties) -> Part {
    let id = format!("talk/{raw}/{}", span.start.at);
    let mut talk = Part::new(id, "talk", &span.start);
    talk.start = Some(span.start.clone());
    talk.end.clone_from(&span.end);
    talk.text(F::Agent, ids::address(raw));
    if parties.is_expert(raw) {
        talk.text(F::Mode, "conference");
    }
    talk
}

/// Where nothing tells who the customer is: one talk while two are there, by nobody known.
fn unknown_roles(serving: &[(&String, Span)]) -> Option<Part> {
    let (_, second) = serving.get(1)?;
    let mut ends: Vec<&When> = serving.iter().filter_map(|(_, s)| s.end.as_ref()).collect();
    ends.sort_by_key(|w| w.at);
    let parties: BTreeSet<&String> = serving.iter().map(|(raw, _)| *raw).collect();
    if parties.len() < 2 {
        return None;
    }
    let id = format!("talk/{}", second.start.at);
    let mut talk = Part::new(id, "talk", &second.start);
    talk.start = Some(second.start.clone());
    // Below two are left from the last but one end on.
    let left = serving.len() - ends.len();
    talk.end = match left {
        0 => ends
            .len()
            .checked_sub(2)
            .and_then(|n| ends.get(n))
            .copied()
            .cloned(),
        1 => ends.last().copied().cloned(),
        _ => None,
    };
    if talk.end.is_some() {
        talk.text(F::Outcome, "completed");
    }
    Some(talk)
}

/// Modes and outcomes: who joins while another talks is beside him; who leaves while another stays
/// has handed the customer on, unless he was the one who had been asked to join.
fn modes(talks: &mut [Part], routed: &[Part], parties: &Parties) {
    let span = |p: &Part| {
        let start = p.start.as_ref().map_or(i64::MIN, |w| w.at);
        (start, p.end.as_ref().map_or(i64::MAX, |w| w.at))
    };
    let mut others: Vec<(String, i64, i64)> = Vec::new();
    for p in routed.iter().chain(talks.iter()) {
        let (start, end) = span(p);
        others.push((p.id.clone(), start, end));
    }
    for talk in talks {
        let (start, end) = span(talk);
        let mut rest = others.iter().filter(|(id, ..)| *id != talk.id);
        let joins = rest
            .clone()
            .any(|(id, s, e)| (*s, id) < (start, &talk.id) && start < e.saturating_sub(BESIDE));
        let stays = rest.any(|(_, s, e)| {
            *e > end.saturating_add(BESIDE) && *s < end.saturating_add(60 * BESIDE)
        });
        let expert = talk.get(&F::Mode) == "conference" || parties.is_expert(talk.get(&F::Agent));
        talk.text(
            F::Mode,
            if joins || expert {
                "conference"
            } else {
                "serve"
            },
        );
        if talk.end.is_some() {
            let outcome = match (stays, joins) {
                (true, true) => "left",
                (true, false) => "transferred",
                _ => "completed",
            };
            talk.text(F::Outcome, outcome);
        }
    }
}
