//! What manager events say of a contact: queues, offers and talks with the members' names, holds,
//! transfers, mutes of recordings, and the channels' ends. A time-out and an empty queue come as
//! an abandon here, so how a caller left unanswered is only guessed.

use std::collections::{BTreeMap, BTreeSet};

use callboard_model::statement::F;

use super::meetings::meetings;
use super::plumbing::{Channels, wires};
use super::{Extra, Stay, Story, incoming, menu, seconds};
use crate::asterisk::ami::Event;
use crate::asterisk::{Body, Feed, GREATEST, Mark, Parsed, WHOLE_SECOND, back};

mod people;

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
        // An application that is handed a call which came in serves a customer, whatever the
        // context is called.
        let begins = match event.name() {
            "Newchannel" => incoming(event.get("Context")),
            "StasisStart" => !since.contains_key(id),
            _ => false,
        };
        let comes_in = begins && id == event.get("Linkedid");
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
    people::offers_left_open(&events, story);
    let wires = wires(lines, FEED);
    let customers: Vec<&str> = customers.into_iter().collect();
    for meeting in meetings(&wires, &customers, channels, FEED) {
        people::talk(&meeting, channels, story);
    }
    for (mark, event) in &events {
        people::hold(event, mark, channels, story);
    }
    people::left_unanswered(&events, story);
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
                let start = back(mark.at, event.int("Wait"));
                let stay = story.enter(FEED, call, queue, start, mark);
                stay.claims.guess_at(mark, F::Start, start, WHOLE_SECOND);
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
        let start = back(mark.at, Some(before));
        let stay = story.enter(FEED, call, queue, start, mark);
        stay.claims.guess_at(mark, F::Start, start, WHOLE_SECOND);
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
            let said = stay.leave(mark, "answered", "");
            said.guess_text(mark, F::RawOutcome, event.name());
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
        let start = mark.at - rang.unwrap_or(0).clamp(0, GREATEST) * 1000;
        let offer = stay.offer(Some(member), Some(rung), start, mark);
        offer.claims.guess_at(mark, F::Start, start, WHOLE_SECOND);
        stay.offers.len() - 1
    });
    let precision = if ms == 1 { 1000 } else { WHOLE_SECOND };
    let said = stay.offers[n].end(mark, outcome, "");
    said.guess_text(mark, F::RawOutcome, event.name());
    if let Some(rang) = rang {
        said.millis(mark, F::Duration, rang, precision);
    }
}

fn complete(stay: &mut Stay, event: &Event<'_>, mark: &Mark) {
    let member = event.get("MemberName");
    if stay.talk.is_none() {
        let began = back(mark.at, event.int("TalkTime"));
        stay.until.get_or_insert(began);
        stay.claims
            .guess_at(mark, F::End, began, WHOLE_SECOND)
            .guess_text(mark, F::Outcome, "answered");
        let talk = stay.answer(mark, Some(member));
        talk.at = began;
        talk.claims.guess_at(mark, F::Start, began, WHOLE_SECOND);
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
        .guess_text(mark, F::RawOutcome, reason);
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
        "MixMonitorStart" => {
            story.announced.get_or_insert_with(|| mark.clone());
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
        "ParkedCall" => {
            let mut extra = Extra::new(FEED, event.get("ParkeeUniqueid"), "park", "park", mark);
            extra
                .claims
                .at(mark, F::Start)
                .text(mark, F::Name, event.get("ParkingSpace"));
            story.extras.push(extra);
        }
        "UnParkedCall" | "ParkedCallTimeOut" | "ParkedCallGiveUp" => {
            let parked = event.get("ParkeeUniqueid");
            let open = story.extras.iter_mut().rev().find(|e| {
                e.feed == FEED && e.what == "park" && e.call == parked && e.until.is_none()
            });
            if let Some(extra) = open {
                let outcome = match event.name() {
                    "UnParkedCall" => "retrieved",
                    "ParkedCallTimeOut" => "timeout",
                    _ => "hangup",
                };
                extra.until = Some(mark.at);
                extra
                    .claims
                    .at(mark, F::End)
                    .text(mark, F::Outcome, outcome)
                    .guess_text(mark, F::RawOutcome, event.name());
            }
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
