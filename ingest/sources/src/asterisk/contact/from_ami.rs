//! What manager events say of a contact: queues, offers and talks with the members' names, holds,
//! transfers, mutes of recordings, and the channels' ends. A time-out and an empty queue come as
//! an abandon here, so how a caller left unanswered is only guessed.

use std::collections::{BTreeMap, BTreeSet};

use callboard_model::statement::F;
use callboard_model::time::SECOND;

use super::plumbing::{Channels, Meeting, device, meetings, wires};
use super::{Extra, Hold, Stay, Story, incoming, menu, seconds};
use crate::asterisk::ami::Event;
use crate::asterisk::{Body, Claims, Feed, Mark, Parsed};

const FEED: Feed = Feed::Ami;

type Events<'a> = [(&'a Mark, &'a Event<'a>)];

/// Reads all manager events.
pub(super) fn read(lines: &[Parsed<'_>], channels: &Channels, story: &mut Story) {
    let events: Vec<(&Mark, &Event<'_>)> = lines
        .iter()
        .filter_map(|l| match &l.body {
            Body::Ami(event) => Some((&l.mark, event)),
            _ => None,
        })
        .collect();
    if events.is_empty() {
        return;
    }
    let mut customers: BTreeSet<&str> = BTreeSet::new();
    let mut since: BTreeMap<&str, Mark> = BTreeMap::new();
    for (mark, event) in &events {
        let id = event.get("Uniqueid");
        let comes_in = event.name() == "Newchannel"
            && id == event.get("Linkedid")
            && incoming(event.get("Context"));
        if comes_in || matches!(event.name(), "QueueCallerJoin" | "QueueEntry") {
            customers.insert(id);
            story.customer = true;
        }
        if comes_in {
            since.insert(id, (*mark).clone());
            story
                .contact
                .guess_text(mark, F::Dialled, event.get("Exten"))
                .guess_text(mark, F::Direction, "inbound");
        }
    }
    for (mark, event) in &events {
        queue_event(event, mark, story);
        call_event(event, mark, &mut since, story);
    }
    offers_left_open(&events, story);
    let wires = wires(lines, FEED);
    let customers: Vec<&str> = customers.into_iter().collect();
    for meeting in meetings(&wires, &customers, channels, FEED) {
        talk(&meeting, channels, story);
    }
    for (mark, event) in &events {
        hold(event, mark, channels, story);
    }
    left_unanswered(&events, story);
    ends(&events, story);
}

fn queue_event(event: &Event<'_>, mark: &Mark, story: &mut Story) {
    let (call, queue) = (event.get("Uniqueid"), event.get("Queue"));
    if queue.is_empty() || call.is_empty() {
        return;
    }
    match event.name() {
        "QueueCallerJoin" => {
            story
                .contact
                .text(mark, F::Customer, event.get("CallerIDNum"))
                .text(mark, F::CustomerName, &event.caller_name())
                .text(mark, F::Channel, "voice");
            story
                .enter(FEED, call, queue, mark.at, mark)
                .claims
                .at(mark, F::Start)
                .int(mark, F::PositionIn, event.int("Position"));
            return;
        }
        "QueueEntry" => {
            // A snapshot: he waits there now. News only when his coming was not heard.
            if story.stay(FEED, call, queue).is_none() {
                let waited = event.int("Wait").unwrap_or(0);
                let start = mark.at - waited.saturating_mul(SECOND);
                let stay = story.enter(FEED, call, queue, start, mark);
                stay.claims
                    .guess_at(mark, F::Start, start, super::super::WHOLE_SECOND);
            }
            return;
        }
        "QueueCallerLeave" | "QueueCallerAbandon" | "AgentCalled" | "AgentConnect"
        | "AgentComplete" | "AgentRingNoAnswer" | "AgentDump" => {}
        _ => return,
    }
    if story.stay(FEED, call, queue).is_none() {
        story.customer = true;
        let before = event.int("HoldTime").unwrap_or(0) + event.int("TalkTime").unwrap_or(0);
        let start = mark.at - before.saturating_mul(SECOND);
        let stay = story.enter(FEED, call, queue, start, mark);
        stay.claims
            .guess_at(mark, F::Start, start, super::super::WHOLE_SECOND);
    }
    let Some(stay) = story.stay(FEED, call, queue) else {
        return;
    };
    let (member, rung) = (event.get("MemberName"), event.get("DestUniqueid"));
    match event.name() {
        "QueueCallerAbandon" => {
            stay.until = Some(mark.at);
            let said = stay.claims.at(mark, F::End);
            said.int(mark, F::PositionOut, event.int("Position")).int(
                mark,
                F::PositionIn,
                event.int("OriginalPosition"),
            );
            seconds(said, mark, F::Duration, event.int("HoldTime"));
        }
        "QueueCallerLeave" => {
            stay.until.get_or_insert(mark.at);
            stay.claims.guess_at(mark, F::End, mark.at, mark.precision);
            stay.claims.int(mark, F::PositionOut, event.int("Position"));
        }
        "AgentCalled" => {
            let offer = stay.offer(Some(member), Some(rung), mark.at, mark);
            offer.claims.at(mark, F::Start);
        }
        "AgentConnect" => {
            end_offer(stay, event, mark, "accepted", "RingTime", 1000);
            let said = stay.leave(mark, "answered", event.name());
            seconds(said, mark, F::Duration, event.int("HoldTime"));
            let ring = event.int("RingTime");
            let talk = stay.answer(mark, Some(member));
            talk.claims.at(mark, F::Start);
            seconds(&mut talk.claims, mark, F::Ring, ring);
        }
        "AgentComplete" => complete(stay, event, mark),
        "AgentRingNoAnswer" => {
            let refused_at_once = event.int("RingTime") == Some(0);
            let outcome = if refused_at_once {
                "declined"
            } else {
                "no_answer"
            };
            end_offer(stay, event, mark, outcome, "RingTime", 1);
        }
        "AgentDump" => end_offer(stay, event, mark, "declined", "", 1),
        _ => {}
    }
}

/// Ends the offer to the channel that rang; one whose start was not heard is opened as of its ring.
fn end_offer(stay: &mut Stay, event: &Event<'_>, mark: &Mark, outcome: &str, ring: &str, ms: i64) {
    let (member, rung) = (event.get("MemberName"), event.get("DestUniqueid"));
    let rang = event.int(ring).map(|n| n.saturating_mul(ms));
    let known = stay
        .offers
        .iter()
        .rposition(|o| o.channel.as_deref() == Some(rung));
    let n = known.unwrap_or_else(|| {
        let start = mark.at - rang.unwrap_or(0).saturating_mul(1000);
        let offer = stay.offer(Some(member), Some(rung), start, mark);
        offer
            .claims
            .guess_at(mark, F::Start, start, super::super::WHOLE_SECOND);
        stay.offers.len() - 1
    });
    let precision = if ms == 1 {
        1000
    } else {
        super::super::WHOLE_SECOND
    };
    let said = stay.offers[n].end(mark, outcome, event.name());
    if let Some(rang) = rang {
        said.millis(mark, F::Duration, rang, precision);
    }
}

fn complete(stay: &mut Stay, event: &Event<'_>, mark: &Mark) {
    let member = event.get("MemberName");
    if stay.talk.is_none() {
        let talked = event.int("TalkTime").unwrap_or(0);
        let began = mark.at - talked.saturating_mul(SECOND);
        stay.until.get_or_insert(began);
        stay.claims
            .guess_at(mark, F::End, began, super::super::WHOLE_SECOND)
            .guess_text(mark, F::Outcome, "answered");
        let talk = stay.answer(mark, Some(member));
        talk.at = began;
        talk.claims
            .guess_at(mark, F::Start, began, super::super::WHOLE_SECOND);
    }
    let Some(talk) = stay.talk.as_mut() else {
        return;
    };
    let reason = event.get("Reason");
    let (outcome, by) = match reason {
        "caller" => ("completed", "customer"),
        "agent" => ("completed", "agent"),
        "transfer" => ("transferred", ""),
        _ => ("completed", ""),
    };
    if outcome == "transferred" {
        talk.transferred.get_or_insert_default();
    }
    let said = talk.end(mark, outcome);
    said.text(mark, F::EndedBy, by)
        .text(mark, F::RawOutcome, reason);
    seconds(said, mark, F::Duration, event.int("TalkTime"));
}

/// Events of the call outside queues: menus, keys, mutes, transfers, voicemail.
fn call_event<'a>(
    event: &'a Event<'_>,
    mark: &Mark,
    since: &mut BTreeMap<&'a str, Mark>,
    story: &mut Story,
) {
    let call = event.get("Uniqueid");
    match event.name() {
        "UserEvent" => {
            let step = (event.get("Menu"), event.get("Digit"), event.get("Target"));
            let extra = menu(FEED, call, step, since.get(call), mark);
            since.insert(call, mark.clone());
            story.customer = true;
            story.extras.push(extra);
        }
        "MixMonitorMute" => {
            if event.get("State") == "1" {
                story.mutes.push((mark.clone(), None));
            } else if let Some(open) = story.mutes.iter_mut().rev().find(|m| m.1.is_none()) {
                open.1 = Some(mark.at);
            }
        }
        "MessageWaiting" if event.get("Waiting") == "1" => {
            let mailbox = event.get("Mailbox");
            let mut extra = Extra::new(FEED, call, "voicemail", "voicemail", mark);
            extra
                .claims
                .guess_at(mark, F::End, mark.at, mark.precision)
                .text(mark, F::Outcome, "left")
                .guess_text(mark, F::Name, mailbox)
                .text(mark, F::RawOutcome, event.name());
            extra.leads = Some(("shared_voicemail", mailbox.to_owned()));
            story.extras.push(extra);
        }
        "BlindTransfer" if event.get("Result") == "Success" => {
            let to = event.get("Extension");
            for stay in &mut story.stays {
                let transferee = event.get("TransfereeUniqueid");
                if stay.feed == FEED
                    && stay.call == transferee
                    && let Some(talk) = stay.talk.as_mut().filter(|t| t.until.is_none())
                {
                    talk.transferred = Some(to.to_owned());
                    talk.claims.guess_text(mark, F::Target, to).guess_text(
                        mark,
                        F::TargetKind,
                        "person",
                    );
                }
            }
        }
        _ => {}
    }
}

/// Channels that rang and were hung up without a word of the queue: another agent was faster, or
/// the caller left.
fn offers_left_open(events: &Events<'_>, story: &mut Story) {
    let mut gone: BTreeMap<&str, (&Mark, Option<i64>)> = BTreeMap::new();
    for (mark, event) in events.iter().filter(|(_, e)| e.name() == "Hangup") {
        gone.insert(event.get("Uniqueid"), (*mark, event.int("Cause")));
    }
    for stay in story.stays.iter_mut().filter(|s| s.feed == FEED) {
        let answered = stay.talk.is_some();
        for offer in stay.offers.iter_mut().filter(|o| o.open) {
            let rung = offer.channel.as_deref().unwrap_or("");
            let Some((mark, cause)) = gone.get(rung) else {
                continue;
            };
            let outcome = match cause {
                Some(26) => "taken_elsewhere",
                _ if answered => "taken_elsewhere",
                _ => "caller_left",
            };
            offer.open = false;
            offer
                .claims
                .at(mark, F::End)
                .guess_text(mark, F::Outcome, outcome);
        }
    }
}

/// A party met the customer: times of a queue's talk come from the queue's own events where there
/// are any; another talk is one that a transfer or a direct call led to.
fn talk(meeting: &Meeting<'_>, channels: &Channels, story: &mut Story) {
    if channels.has_member(meeting.party) {
        let stay = story
            .stays
            .iter_mut()
            .filter(|s| s.feed == FEED && s.call == meeting.customer && s.at <= meeting.start.at)
            .max_by_key(|s| s.at);
        if let (Some(talk), Some(end)) = (stay.and_then(|s| s.talk.as_mut()), meeting.end)
            && talk.until.is_none()
        {
            talk.until = Some(end.at);
            talk.claims.guess_at(end, F::End, end.at, end.precision);
        }
        return;
    }
    let start = meeting.start;
    let agent = channels.agent(meeting.channel);
    let device = channels.device_of(meeting.channel);
    let mut extra = Extra::new(FEED, meeting.customer, "talk", "talk", start);
    extra
        .claims
        .at(start, F::Start)
        .text(start, F::Mode, "serve")
        .text(start, F::Agent, agent.unwrap_or(""))
        .guess_text(start, F::Agent, &device);
    extra.leads = Some(("person", agent.unwrap_or(&device).to_owned()));
    extra.party = Some(meeting.party);
    if let Some(end) = meeting.end {
        extra.until = Some(end.at);
        extra
            .claims
            .at(end, F::End)
            .guess_text(end, F::Outcome, "completed");
    }
    story.extras.push(extra);
}

/// Hold and its end name the agent's own channel; the talk is his party's.
fn hold(event: &Event<'_>, mark: &Mark, channels: &Channels, story: &mut Story) {
    let begins = match event.name() {
        "Hold" => true,
        "Unhold" => false,
        _ => return,
    };
    let channel = event.get("Uniqueid");
    let party = channels.party(channel);
    let named = channels.agent(channel);
    let by_device = device(event.get("Channel"));
    let linkedid = event.get("Linkedid");
    let covers =
        |from: i64, until: Option<i64>| from <= mark.at && until.is_none_or(|u| mark.at <= u);
    let talk = story
        .stays
        .iter_mut()
        .filter(|s| s.feed == FEED)
        .filter(|s| {
            s.call == linkedid
                || channels
                    .get(&s.call)
                    .is_some_and(|c| c.linkedid == linkedid)
        })
        .filter_map(|s| s.talk.as_mut().map(|t| (s.queue.clone(), t)))
        .filter(|(_, t)| covers(t.at, t.until))
        .max_by_key(|(_, t)| (t.agent.as_deref() == named, t.at));
    let (agent, queue, holds) = match talk {
        Some((queue, talk)) => (talk.agent.clone(), queue, &mut talk.holds),
        None => {
            let extra = story
                .extras
                .iter_mut()
                .filter(|e| e.feed == FEED && e.what == "talk" && covers(e.from, e.until))
                .max_by_key(|e| (e.party == party, e.from));
            let Some(extra) = extra else { return };
            (named.map(str::to_owned), String::new(), &mut extra.holds)
        }
    };
    if begins {
        let mut claims = Claims::default();
        claims
            .text(mark, F::Kind, "hold")
            .at(mark, F::Start)
            .text(mark, F::Queue, &queue)
            .text(mark, F::Agent, agent.as_deref().unwrap_or(by_device));
        holds.push(Hold { open: true, claims });
    } else if let Some(hold) = holds.iter_mut().rev().find(|h| h.open) {
        hold.open = false;
        hold.claims
            .at(mark, F::End)
            .text(mark, F::Outcome, "resumed");
    }
}

/// How a caller left whom nobody answered: he hung up, pressed a key, or went on in the dialplan.
fn left_unanswered(events: &Events<'_>, story: &mut Story) {
    for stay in story.stays.iter_mut().filter(|s| s.feed == FEED) {
        let (None, Some(until)) = (&stay.talk, stay.until) else {
            continue;
        };
        let of_call = |name: &str| {
            events
                .iter()
                .filter(|(_, e)| e.name() == name && e.get("Uniqueid") == stay.call)
                .map(|(m, e)| (*m, *e))
                .collect::<Vec<_>>()
        };
        let abandon = of_call("QueueCallerAbandon")
            .into_iter()
            .find(|(m, e)| m.at == until && e.get("Queue") == stay.queue);
        let hung_up = of_call("Hangup").into_iter().next_back();
        let outcome = match (abandon, hung_up) {
            (Some((mark, _)), Some((h, _))) if h.at - until < SECOND => Some((mark, "abandoned")),
            // He was still there afterwards: the queue sent him on.
            (Some((mark, _)), Some(_)) => Some((mark, "timeout")),
            (Some(_), None) => None,
            (None, _) => of_call("DTMFEnd")
                .into_iter()
                .find(|(m, _)| (0..SECOND).contains(&(until - m.at)))
                .map(|(m, _)| (m, "key_exit")),
        };
        if let Some((mark, outcome)) = outcome {
            stay.claims.guess_text(mark, F::Outcome, outcome);
        }
    }
}

/// Start and end of the whole, from the channels.
fn ends(events: &Events<'_>, story: &mut Story) {
    let mut open: BTreeSet<&str> = BTreeSet::new();
    let mut started = false;
    let mut last: Option<&Mark> = None;
    for (mark, event) in events {
        match event.name() {
            "Newchannel" => {
                if !started {
                    started = true;
                    story
                        .contact
                        .at(mark, F::Start)
                        .say(mark, F::EndsAreStated, super::YES)
                        .text(mark, F::Channel, "voice");
                }
                if event.get("Uniqueid") == event.get("Linkedid") {
                    story
                        .contact
                        .guess_text(mark, F::Customer, event.get("CallerIDNum"))
                        .guess_text(mark, F::CustomerName, &event.caller_name());
                }
                open.insert(event.get("Uniqueid"));
            }
            "Hangup" => {
                open.remove(event.get("Uniqueid"));
                last = Some(mark);
            }
            _ => {}
        }
    }
    if let Some(mark) = last.filter(|_| started && open.is_empty()) {
        story.contact.at(mark, F::End);
    }
}
