//! What a call's events say together.

mod channels;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use callboard_model::record::{Provenance, Record, rank};
use callboard_model::statement::{F, Statement, Thing};

use super::event::Event;
use super::{CDR, cdr, instance_source, offer};
use crate::payload::value::tidy;

/// An event with its time and who says it.
struct Seen<'r> {
    event: Event,
    at: (i64, u32),
    by: Arc<Provenance>,
    record: &'r Record,
}

pub(super) fn interpret(set: &[&Record]) -> Vec<Statement> {
    let mut seen: Vec<Seen<'_>> = Vec::new();
    let mut records = Vec::new();
    for record in set {
        let Ok(event) = Event::of(record) else {
            continue;
        };
        if &*record.format == CDR {
            let by = record.provenance(rank::RECORD, cdr::recorded_at(&event));
            records.push((event, by, *record));
        } else if let Some(at) = event.at() {
            let by = record.provenance(rank::LIVE, Some(at.0));
            seen.push(Seen {
                event,
                at,
                by,
                record,
            });
        }
    }
    seen.sort_by(|a, b| {
        let key = |s: &Seen<'_>| (s.at.0, s.record.stamp.sequence);
        key(a).cmp(&key(b)).then_with(|| a.by.tail_cmp(&b.by))
    });
    let mut walk = Walk::default();
    for s in &seen {
        if s.event.name() == "callcenter::info" {
            walk.callcenter(s);
        }
    }
    let members: BTreeSet<String> = walk.stays.keys().cloned().collect();
    if members.is_empty() {
        let legs: Vec<&Event> = records.iter().map(|(cdr, ..)| cdr).collect();
        if let Some((leg, user)) = cdr::outward(&legs) {
            let own = records
                .iter()
                .filter(|(cdr, ..)| cdr.get("uuid") == leg.get("uuid"));
            for (cdr, by, record) in own {
                cdr::tell_outward(&record.stamp.instance, cdr, &user, by, &mut walk.out);
            }
            return walk.out;
        }
        if !legs.iter().any(|cdr| cdr::is_inbound(cdr)) {
            // A call of which no queue tells, and in which nobody outside is: no contact.
            return Vec::new();
        }
    }
    for s in &seen {
        walk.channel(s);
    }
    walk.offers();
    for (cdr, by, record) in &records {
        if cdr::is_inbound(cdr) {
            cdr::tell(&record.stamp.instance, cdr, by, &members, &mut walk.out);
        }
    }
    walk.out
}

/// A member's stays so far.
#[derive(Default)]
struct Member {
    stays: usize,
    open: bool,
    offers: usize,
}

/// An offer that failed by a cause that means one thing or another.
struct Failed {
    id: String,
    member: String,
    cause: String,
    at: i64,
    by: Arc<Provenance>,
}

/// A talk, for holds and lost offers.
struct Talk {
    id: String,
    member: String,
    agent: String,
    queue: String,
    start: i64,
    end: Option<i64>,
}

/// Goes through a call's events.
#[derive(Default)]
struct Walk {
    stays: BTreeMap<String, Member>,
    /// Offers that ring: member and agent, with the offer's id.
    ringing: BTreeMap<(String, String), String>,
    talks: Vec<Talk>,
    failed: Vec<Failed>,
    customers: BTreeSet<String>,
    held: BTreeMap<String, String>,
    out: Vec<Statement>,
}

impl Walk {
    fn stay_id(&self, member: &str) -> String {
        match self.stays.get(member).map_or(1, |m| m.stays.max(1)) {
            1 => format!("queue/{member}"),
            n => format!("queue/{member}/{n}"),
        }
    }

    fn callcenter(&mut self, s: &Seen<'_>) {
        let e = &s.event;
        let session = e.get("CC-Member-Session-UUID");
        let member = match e.get("CC-Member-UUID") {
            "" => session,
            uuid => uuid,
        };
        if member.is_empty() {
            return;
        }
        self.whole(s, session);
        self.customers.insert(session.to_owned());
        let action = e.get("CC-Action");
        self.enter(s, member, action);
        match action {
            "agent-offering" => self.offer(s, member),
            "bridge-agent-start" => self.answer(s, member),
            "bridge-agent-end" => self.hang_up(s, member),
            "bridge-agent-fail" => self.fail(s, member),
            "member-queue-end" => self.leave(s, member),
            _ => {}
        }
    }

    fn whole(&mut self, s: &Seen<'_>, session: &str) {
        let e = &s.event;
        self.out.push(
            Statement::new(Thing::Contact, &s.by)
                .text(F::Source, &instance_source(&s.record.stamp.instance))
                .text(F::Channel, "voice")
                .text(F::Direction, "inbound")
                .text(F::Customer, &tidy(e.get("CC-Member-CID-Number")))
                .text(F::CustomerName, &tidy(e.get("CC-Member-CID-Name")))
                .text(F::Dialled, &tidy(e.get("CC-Member-DNIS")))
                .text(F::Attr("session".into()), &tidy(session)),
        );
    }

    /// Every event of a member tells that he is, or was, in the queue; entering and coming back
    /// begin a stay.
    fn enter(&mut self, s: &Seen<'_>, member: &str, action: &str) {
        let known = self.stays.entry(member.to_owned()).or_default();
        let begins = matches!(action, "member-queue-start" | "member-queue-resume");
        if begins && !known.open {
            known.stays += 1;
            known.open = true;
        } else if known.stays == 0 {
            known.stays = 1;
            known.open = true;
        }
        let id = self.stay_id(member);
        let mut said = about(&id, s, "queue");
        if begins {
            said = said.time(F::Start, s.at.0, s.at.1);
            if action == "member-queue-resume" {
                said = said.text(F::Reason, "resumed");
            }
        } else if let Some((us, p)) = s.event.time("CC-Member-Joined-Time")
            && self.stays.get(member).is_some_and(|m| m.stays == 1)
        {
            said = said.time(F::Start, us, p);
        }
        self.out.push(said);
    }

    fn offer_id(&mut self, s: &Seen<'_>, member: &str) -> (String, bool) {
        let agent = s.event.get("CC-Agent");
        let key = (member.to_owned(), agent.to_owned());
        if let Some(id) = self.ringing.remove(&key) {
            return (id, true);
        }
        let known = self.stays.entry(member.to_owned()).or_default();
        known.offers += 1;
        (format!("offer/{member}/{}/{agent}", known.offers), false)
    }

    fn offer(&mut self, s: &Seen<'_>, member: &str) {
        // Who is offered to again was not told to have been missed.
        let (id, again) = self.offer_id(s, member);
        let id = match again {
            true => self.offer_id(s, member).0,
            false => id,
        };
        let agent = s.event.get("CC-Agent");
        let parent = self.stay_id(member);
        self.out.push(
            about(&id, s, "offer")
                .text(F::Agent, &tidy(agent))
                .text(F::Parent, &parent)
                .time(F::Start, s.at.0, s.at.1),
        );
        self.ringing
            .insert((member.to_owned(), agent.to_owned()), id);
    }

    /// An end of an offer, from whatever is known of its start.
    fn offer_end(&mut self, s: &Seen<'_>, member: &str) -> (String, Statement) {
        let (id, known) = self.offer_id(s, member);
        let mut said = about(&id, s, "offer")
            .text(F::Agent, &tidy(s.event.get("CC-Agent")))
            .text(F::Parent, &self.stay_id(member))
            .time(F::End, s.at.0, s.at.1);
        if let Some((us, p)) = s.event.time("CC-Agent-Called-Time").filter(|_| !known) {
            said = said.time(F::Start, us, p);
        }
        (id, said)
    }

    fn answer(&mut self, s: &Seen<'_>, member: &str) {
        let e = &s.event;
        let (_, offer) = self.offer_end(s, member);
        self.out.push(offer.text(F::Outcome, "accepted"));
        let stay = self.stay_id(member);
        self.out.push(
            about(&stay, s, "queue")
                .time(F::End, s.at.0, s.at.1)
                .text(F::Outcome, "answered")
                .text(F::RawOutcome, "bridge-agent-start"),
        );
        let id = self.talk_id(e, member);
        let mut talk = self.talk(&id, &stay, s).time(F::Start, s.at.0, s.at.1);
        let times = (
            e.time("CC-Agent-Called-Time"),
            e.time("CC-Agent-Answered-Time"),
        );
        if let (Some((called, _)), Some((answered, _))) = times {
            talk = talk.millis(F::Ring, (answered - called) / 1_000, 1_000_000);
        }
        self.out.push(talk);
        self.close(member);
        self.remember(&id, s, member, s.at.0, None);
    }

    fn close(&mut self, member: &str) {
        if let Some(known) = self.stays.get_mut(member) {
            known.open = false;
        }
    }

    /// A talk is known by the agent's leg, or by its stay.
    fn talk_id(&self, e: &Event, member: &str) -> String {
        match e.get("CC-Agent-UUID") {
            "" => format!("talk/{}", self.stay_id(member)),
            leg => format!("talk/{leg}"),
        }
    }

    fn talk(&self, id: &str, stay: &str, s: &Seen<'_>) -> Statement {
        about(id, s, "talk")
            .text(F::Agent, &tidy(s.event.get("CC-Agent")))
            .text(F::Parent, stay)
            .text(F::Mode, "serve")
    }

    fn remember(&mut self, id: &str, s: &Seen<'_>, member: &str, start: i64, end: Option<i64>) {
        match self.talks.iter_mut().find(|t| t.id == id) {
            Some(talk) => talk.end = end.or(talk.end),
            None => self.talks.push(Talk {
                id: id.to_owned(),
                member: member.to_owned(),
                agent: s.event.get("CC-Agent").to_owned(),
                queue: s.event.get("CC-Queue").to_owned(),
                start,
                end,
            }),
        }
    }

    fn hang_up(&mut self, s: &Seen<'_>, member: &str) {
        let e = &s.event;
        let (id, stay) = (self.talk_id(e, member), self.stay_id(member));
        let cause = e.get("CC-Hangup-Cause");
        let outcome = if cause.contains("TRANSFER") {
            "transferred"
        } else {
            "completed"
        };
        let mut said = self
            .talk(&id, &stay, s)
            .time(F::End, s.at.0, s.at.1)
            .text(F::Outcome, outcome)
            .text(F::RawOutcome, &tidy(cause));
        let known = self.talks.iter().any(|t| t.id == id);
        let answered = e.time("CC-Agent-Answered-Time");
        if let Some((us, p)) = answered.filter(|_| !known) {
            // The bridge's beginning was not heard of.
            said = said.time(F::Start, us, p);
            self.out.push(
                about(&stay, s, "queue")
                    .time(F::End, us, p)
                    .text(F::Outcome, "answered"),
            );
            self.close(member);
        }
        self.out.push(said);
        let start = answered.map_or(s.at.0, |t| t.0);
        self.remember(&id, s, member, start, Some(s.at.0));
    }

    fn fail(&mut self, s: &Seen<'_>, member: &str) {
        let (id, said) = self.offer_end(s, member);
        let cause = s.event.get("CC-Hangup-Cause");
        self.out.push(said.text(F::RawOutcome, &tidy(cause)));
        self.failed.push(Failed {
            id,
            member: member.to_owned(),
            cause: cause.to_owned(),
            at: s.at.0,
            by: s.by.clone(),
        });
    }

    /// What failed offers were: whether another had the caller is known at the end.
    fn offers(&mut self) {
        for f in std::mem::take(&mut self.failed) {
            let near = |t: &Talk| t.member == f.member && (t.start - f.at).abs() <= 2_000_000;
            let outcome = offer::failed(&f.cause, self.talks.iter().any(near));
            let thing = Thing::Segment(f.id.as_str().into());
            self.out
                .push(Statement::new(thing, &f.by).text(F::Outcome, outcome));
        }
    }

    fn leave(&mut self, s: &Seen<'_>, member: &str) {
        let e = &s.event;
        let stay = self.stay_id(member);
        let said = about(&stay, s, "queue");
        if e.get("CC-Cause") == "Terminated" {
            // After a talk; the stay ended with its beginning.
            if let Some((us, p)) = e.time("CC-Agent-Answered-Time")
                && !self.talks.iter().any(|t| t.member == member)
            {
                self.out
                    .push(said.time(F::End, us, p).text(F::Outcome, "answered"));
                let id = self.talk_id(e, member);
                let talk = self.talk(&id, &stay, s).time(F::Start, us, p);
                self.out.push(
                    talk.time(F::End, s.at.0, s.at.1)
                        .text(F::Outcome, "completed"),
                );
                self.remember(&id, s, member, us, Some(s.at.0));
            }
        } else {
            let reason = e.get("CC-Cancel-Reason");
            let outcome = offer::left(reason);
            let ended = if outcome == "abandoned" {
                "customer"
            } else {
                ""
            };
            self.out.push(
                said.time(F::End, s.at.0, s.at.1)
                    .text(F::Outcome, outcome)
                    .text(F::RawOutcome, &tidy(reason))
                    .text(F::EndedBy, ended),
            );
        }
        self.close(member);
    }
}

fn about(id: &str, s: &Seen<'_>, kind: &str) -> Statement {
    Statement::new(Thing::Segment(id.into()), &s.by)
        .text(F::Kind, kind)
        .text(F::Queue, &tidy(s.event.get("CC-Queue")))
}
