//! What a chat gives: roles, counts, the bot's part, the wait for a human and the talk with him.

use std::collections::BTreeMap;

use callboard_model::statement::F;

use super::{Gathered, Member};
use crate::acs::ids::{self, Who, who};
use crate::acs::parts::{About, Part, When};

/// An agent who leaves this long before or after another came has handed the customer to him,
/// microseconds.
const TAKES_OVER: i64 = 60_000_000;

impl Gathered {
    /// Roles that follow from the identifiers, from Job Router, and from who came after the bot had
    /// asked for a human.
    pub(super) fn roles(&mut self, workers: &[String]) {
        let asked = self.initiated.as_ref().map(|w| w.at);
        let bot_name = self.bot_name.clone();
        for (raw, m) in &mut self.members {
            if !m.role.is_empty() {
                continue;
            }
            let after = m.joined.as_ref().zip(asked).is_some_and(|(j, a)| j.at >= a);
            m.role = match who(raw) {
                Who::Bot | Who::TeamsApp => "bot",
                Who::TeamsUser => "agent",
                _ if workers.iter().any(|w| w == raw) => "agent",
                _ if !bot_name.is_empty() && m.name == bot_name => "bot",
                _ if after => "agent",
                _ => "",
            };
        }
    }

    pub(super) fn of_role(&self, role: &str) -> impl Iterator<Item = (&String, &Member)> {
        let mut all: Vec<_> = self
            .members
            .iter()
            .filter(|(_, m)| m.role == role)
            .collect();
        all.sort_by_key(|(_, m)| (m.joined.as_ref().map_or(i64::MAX, |w| w.at), m.place));
        all.into_iter()
    }

    /// The customer: who is known as one, else the first of those whose role nothing tells.
    pub(super) fn customer(&self) -> Option<String> {
        let known = self.of_role("customer").next();
        let found = known.or_else(|| self.of_role("").next());
        found.map(|(raw, _)| raw.clone())
    }

    pub(super) fn describe(&self, about: &mut About, first: &When, customer: Option<&str>) {
        about.time(F::Start, first);
        about.text(F::Direction, "inbound", first);
        about.attr("topic", &self.topic, first);
        if let Some(customer) = customer {
            about.text(F::Customer, ids::address(customer), first);
            let name = self.members.get(customer).map(|m| m.name.as_str());
            about.text(F::CustomerName, name.unwrap_or(""), first);
        }
        let role = |raw: &String| match self.members.get(raw) {
            Some(_) if Some(raw.as_str()) == customer => "customer",
            Some(m) if !m.role.is_empty() => m.role,
            _ => "other",
        };
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (raw, _) in self.messages.values() {
            *counts.entry(role(raw)).or_default() += 1;
        }
        counts.insert("edited", self.edited.len());
        counts.insert("deleted", self.deleted.len());
        for (of, n) in counts.into_iter().filter(|(_, n)| *n > 0) {
            about.attr(&format!("messages_{of}"), &n.to_string(), first);
        }
        if let Some((_, why)) = &self.failed {
            about.attr("handoff_failed", why, first);
        }
    }

    pub(super) fn last_message(&self) -> Option<When> {
        let all = self.messages.values().map(|(_, when)| when.clone());
        all.reduce(When::max)
    }

    /// The end: the hub says that the human's part is complete, or the thread is deleted. A thread
    /// that is deleted by a retention policy was over with its last message.
    pub(super) fn end(&self, routed: bool) -> Option<When> {
        if !routed && let Some(completed) = &self.completed {
            return Some(completed.clone());
        }
        let deleted = self.thread_end.clone()?;
        if self.by_policy {
            return self.last_message().map(|w| w.guess()).or(Some(deleted));
        }
        Some(deleted)
    }

    /// The bot's part: from the beginning until it asked for a human, was removed, or a human came.
    pub(super) fn bot(&self, first: &When, end: Option<&When>, workers: &[String]) -> Option<Part> {
        let bot = self.of_role("bot").next();
        if bot.is_none() && !self.bot_at_work {
            return None;
        }
        let mut part = Part::new("bot".to_owned(), "bot", first);
        part.start = Some(first.clone());
        let name = bot.map_or("", |(raw, m)| if m.name.is_empty() { raw } else { &m.name });
        part.text(F::Name, name);
        let removed = bot.and_then(|(_, m)| m.left.clone());
        let human = self.of_role("agent").find_map(|(_, m)| m.joined.clone());
        let (over, outcome) = match (&self.initiated, human, removed, end) {
            (Some(asked), ..) => (Some(asked.clone()), "escalated"),
            (None, Some(human), ..) => (Some(human), "escalated"),
            (None, None, Some(gone), _) if !workers.is_empty() => (Some(gone), "escalated"),
            (None, None, Some(gone), _) => (Some(gone), "contained"),
            (None, None, None, Some(end)) => (Some(end.clone()), "contained"),
            _ => (None, ""),
        };
        part.end = over;
        part.text(F::Outcome, outcome);
        Some(part)
    }

    /// The wait for a human and the talk with him, where no job tells them.
    pub(super) fn hand_off(&self, end: Option<&When>) -> Vec<Part> {
        let mut parts = Vec::new();
        if let Some(asked) = &self.initiated {
            let mut stay = Part::new("handoff/queue".to_owned(), "queue", asked);
            stay.start = Some(asked.clone());
            stay.text(F::Name, "handoff");
            let (over, outcome, raw) = match (&self.accepted, &self.failed) {
                (Some(a), _) => (Some(a.clone()), "answered", "accepted".to_owned()),
                (None, Some((f, why))) => (Some(f.clone()), "error", format!("failed {why}")),
                _ => (None, "", String::new()),
            };
            stay.end = over;
            stay.text(F::Outcome, outcome)
                .text(F::RawOutcome, raw.trim());
            parts.push(stay);
        }
        parts.extend(self.talks(end));
        parts
    }

    /// The talks of the human agents, in the order in which they came. The first begins when the hub
    /// says so.
    fn talks(&self, end: Option<&When>) -> Vec<Part> {
        let agents: Vec<(&str, Option<&Member>)> = match self.accepted {
            // Somebody accepted of whom nothing else is told.
            Some(_) if self.of_role("agent").next().is_none() => vec![("", None)],
            _ => self
                .of_role("agent")
                .map(|(raw, m)| (raw.as_str(), Some(m)))
                .collect(),
        };
        let over = [self.completed.clone(), end.cloned()];
        let over = over.into_iter().flatten().reduce(When::min);
        let mut talks: Vec<Part> = Vec::new();
        for (n, (raw, member)) in agents.into_iter().enumerate() {
            let joined = member.and_then(|m| m.joined.clone());
            let began = if n == 0 {
                self.accepted.clone().or(joined)
            } else {
                joined
            };
            let Some(began) = began else { continue };
            let left = member.and_then(|m| m.left.clone());
            let id = match n {
                0 => "handoff/talk".to_owned(),
                _ => format!("handoff/talk/{raw}"),
            };
            let mut talk = Part::new(id, "talk", &began);
            talk.end = [left, over.clone()].into_iter().flatten().reduce(When::min);
            let mut before = talks.iter_mut();
            // Who leaves soon after another came has handed the customer to him.
            let handed = before.find(|t| {
                let gone = t.end.as_ref().map_or(i64::MAX, |e| e.at);
                let stayed = over.as_ref().is_some_and(|o| gone >= o.at);
                !stayed && (began.at - TAKES_OVER..=began.at + TAKES_OVER).contains(&gone)
            });
            if let Some(handed) = handed {
                handed.text(F::Outcome, "transferred");
                handed.text(F::TargetKind, "agent").text(F::Target, raw);
                talk.text(F::Mode, "serve");
            } else {
                talk.text(F::Mode, if n == 0 { "serve" } else { "conference" });
            }
            talk.start = Some(began);
            talk.text(F::Agent, raw);
            if self.initiated.is_some() && n == 0 {
                talk.text(F::Parent, "handoff/queue");
            }
            if talk.end.is_some() {
                talk.text(F::Outcome, "completed");
            }
            talks.push(talk);
        }
        talks
    }
}
