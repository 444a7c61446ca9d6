//! What the queue log says of a contact. Whole seconds; no hold, no wrap-up, and after a transfer
//! nothing of the rest of the talk.

use std::collections::BTreeMap;

use callboard_model::statement::F;
use callboard_model::time::{MILLI, SECOND};

use super::{Extra, Offer, Stay, Story, menu, seconds};
use crate::asterisk::queue_log::Line;
use crate::asterisk::{Body, Feed, Mark, Parsed, WHOLE_SECOND, back};

const FEED: Feed = Feed::QueueLog;

/// Reads all lines of the queue log.
pub(super) fn read(lines: &[Parsed<'_>], story: &mut Story) {
    let mut since: BTreeMap<&str, Mark> = BTreeMap::new();
    let mut first: Option<&Mark> = None;
    for parsed in lines {
        let Body::QueueLog(line) = &parsed.body else {
            continue;
        };
        let Some(call) = line.call() else { continue };
        if !line.is_about_contact() {
            continue;
        }
        let mark = &parsed.mark;
        if first.is_none() {
            first = Some(mark);
            story.contact.at(mark, F::Start);
        }
        story.customer = true;
        read_line(line, call, mark, since.get(call), story);
        since.insert(call, mark.clone());
    }
    if let Some(mark) = first {
        story
            .contact
            .guess_text(mark, F::Direction, "inbound")
            .text(mark, F::Channel, "voice");
    }
}

fn read_line(line: &Line<'_>, call: &str, mark: &Mark, since: Option<&Mark>, story: &mut Story) {
    match line.event {
        "DID" => {
            story
                .contact
                .text(mark, F::Dialled, line.data(0))
                .text(mark, F::Direction, "inbound");
        }
        "IVR" => {
            let step = (line.data(0), line.data(1), line.data(2));
            story.extras.push(menu(FEED, call, step, since, mark));
        }
        "INFO" if line.data(0) == "IVRAPPEND" => {
            let step = (line.data(2), line.data(1), "");
            story.extras.push(menu(FEED, call, step, since, mark));
        }
        "ENTERQUEUE" => {
            story.contact.text(mark, F::Customer, line.data(1)).text(
                mark,
                F::CustomerName,
                line.data(3),
            );
            story
                .enter(FEED, call, line.queue, mark.at, mark)
                .claims
                .at(mark, F::Start)
                .int(mark, F::PositionIn, line.int(2));
        }
        "CONNECT" => connect(line, call, mark, story),
        "COMPLETECALLER" | "COMPLETEAGENT" | "BLINDTRANSFER" | "ATTENDEDTRANSFER" | "TRANSFER" => {
            end_of_talk(line, call, mark, story);
        }
        "ABANDON" => {
            let by_announcement = line.member();
            let stay = open_stay(line, call, mark, line.int(2), story);
            let said = stay.leave(mark, "abandoned", line.event);
            said.text(mark, F::EndedBy, "customer")
                .int(mark, F::PositionOut, line.int(0))
                .int(mark, F::PositionIn, line.int(1));
            seconds(said, mark, F::Duration, line.int(2));
            if let Some(agent) = by_announcement {
                said.text(mark, F::Reason, "agent announcement");
                stay.offer(Some(agent), None, mark.at, mark)
                    .end(mark, "caller_left", line.event);
            }
            story.contact.text(mark, F::EndedBy, "customer");
        }
        "EXITWITHTIMEOUT" => exit(line, call, mark, ("timeout", 0), story),
        "EXITEMPTY" => exit(line, call, mark, ("no_agents", 0), story),
        "WITHDRAW" => {
            exit(line, call, mark, ("withdrawn", 0), story);
            if let Some(stay) = story.stay(FEED, call, line.queue) {
                stay.claims.text(mark, F::Reason, line.data(3));
            }
        }
        "EXITWITHKEY" => {
            exit(line, call, mark, ("key_exit", 1), story);
            if let Some(stay) = story.stay(FEED, call, line.queue) {
                stay.claims
                    .text(mark, F::Input, line.data(0))
                    .text(mark, F::InputType, "dtmf");
            }
        }
        "SYSCOMPAT" => {
            open_stay(line, call, mark, None, story)
                .leave(mark, "error", line.event)
                .text(mark, F::EndedBy, "platform");
        }
        "RINGNOANSWER" => {
            let refused_at_once = line.int(0) == Some(0);
            let outcome = if refused_at_once {
                "declined"
            } else {
                "no_answer"
            };
            ring_ended(line, call, mark, outcome, story);
        }
        "RINGCANCELED" => ring_ended(line, call, mark, "caller_left", story),
        "AGENTDUMP" => {
            let agent = line.member();
            open_stay(line, call, mark, None, story)
                .offer(agent, None, mark.at, mark)
                .end(mark, "declined", line.event);
        }
        "OVERFLOW" => overflow(line, call, mark, story),
        "CALLBACKREQUEST" => {
            // Asked for; whether it was ever dialled no line tells, so it has no outcome.
            let mut extra = Extra::new(FEED, call, "callback", "callback", mark);
            extra
                .claims
                .at(mark, F::Start)
                .at(mark, F::End)
                .text(mark, F::Queue, line.queue)
                .text(mark, F::Target, line.data(0));
            story.extras.push(extra);
        }
        "OUTCALL" => outcall(line, call, mark, story),
        _ => {}
    }
}

/// The stay that a line speaks of; one that entered before the log began is opened as of its
/// stated wait.
fn open_stay<'s>(
    line: &Line<'_>,
    call: &str,
    mark: &Mark,
    wait: Option<i64>,
    story: &'s mut Story,
) -> &'s mut Stay {
    let known = story.stays.iter().rposition(|s| {
        s.feed == FEED && s.call == call && s.queue == line.queue && s.until.is_none()
    });
    if let Some(n) = known {
        return &mut story.stays[n];
    }
    let start = back(mark.at, wait);
    let stay = story.enter(FEED, call, line.queue, start, mark);
    stay.claims.guess_at(mark, F::Start, start, WHOLE_SECOND);
    stay
}

fn connect(line: &Line<'_>, call: &str, mark: &Mark, story: &mut Story) {
    let stay = open_stay(line, call, mark, line.int(0), story);
    let said = stay.leave(mark, "answered", line.event);
    seconds(said, mark, F::Duration, line.int(0));
    let rang_at = back(mark.at, line.int(2));
    let channel = Some(line.data(1)).filter(|c| !c.is_empty());
    let offer = stay.offer(line.member(), channel, rang_at, mark);
    offer.claims.guess_at(mark, F::Start, rang_at, WHOLE_SECOND);
    let said = offer.end(mark, "accepted", line.event);
    seconds(said, mark, F::Duration, line.int(2));
    let talk = stay.answer(mark, line.member());
    talk.claims.at(mark, F::Start);
    seconds(&mut talk.claims, mark, F::Ring, line.int(2));
}

/// The talk that a line ends: of the call and agent, else (the callid can change on the way) the
/// one of that agent in that queue that began when the line says, at the position it says.
fn talk_of<'s>(line: &Line<'_>, call: &str, mark: &Mark, story: &'s mut Story) -> &'s mut Stay {
    let (hold, talk) = (line.int_from_end(2), line.int_from_end(1));
    let open = |s: &&Stay| {
        s.feed == FEED
            && s.queue == line.queue
            && s.talk
                .as_ref()
                .is_some_and(|t| t.until.is_none() && t.agent.as_deref() == line.member())
    };
    let began = back(mark.at, talk);
    let found = story
        .stays
        .iter()
        .rposition(|s| open(&s) && s.call == call)
        .or_else(|| {
            story.stays.iter().rposition(|s| {
                open(&s)
                    && s.talk
                        .as_ref()
                        .is_some_and(|t| (t.at - began).abs() <= SECOND)
            })
        });
    let n = match found {
        Some(n) => n,
        None => {
            let start = back(began, hold);
            let stay = story.enter(FEED, call, line.queue, start, mark);
            stay.claims
                .guess_at(mark, F::Start, start, WHOLE_SECOND)
                .guess_at(mark, F::End, began, WHOLE_SECOND)
                .text(mark, F::Outcome, "answered");
            stay.until = Some(began);
            let talk = stay.answer(mark, line.member());
            talk.at = began;
            talk.claims.guess_at(mark, F::Start, began, WHOLE_SECOND);
            story.stays.len() - 1
        }
    };
    &mut story.stays[n]
}

fn end_of_talk(line: &Line<'_>, call: &str, mark: &Mark, story: &mut Story) {
    // Some report tools write TRANSFER with nothing but the target; the talk's own end follows.
    let bare = line.event == "TRANSFER" && line.len() < 5;
    let (by, to) = match line.event {
        "COMPLETECALLER" => ("customer", None),
        "COMPLETEAGENT" => ("agent", None),
        "BLINDTRANSFER" | "TRANSFER" => ("", Some(line.data(0))),
        _ if line.data(0) == "APP" => ("", Some(line.data(1))),
        _ if line.data(0) == "LINK" => ("", Some(line.data(2))),
        _ => ("", Some("")),
    };
    let stay = talk_of(line, call, mark, story);
    let Some(talk) = stay.talk.as_mut() else {
        return;
    };
    if bare {
        talk.transferred = Some(line.data(0).to_owned());
        talk.claims.text(mark, F::Target, line.data(0));
        return;
    }
    let outcome = if to.is_some() {
        "transferred"
    } else {
        "completed"
    };
    let said = talk.end(mark, outcome);
    said.text(mark, F::RawOutcome, line.event)
        .text(mark, F::EndedBy, by);
    seconds(said, mark, F::Duration, line.int_from_end(1));
    talk.position = line.int_from_end(0);
    if let Some(to) = to {
        talk.transferred = Some(to.to_owned());
        talk.claims.guess_text(mark, F::Target, to);
        if !to.is_empty() {
            talk.claims.guess_text(mark, F::TargetKind, "person");
        }
    }
    let position = talk.position;
    stay.claims.int(mark, F::PositionIn, position);
    story.contact.text(mark, F::EndedBy, by);
}

fn exit(
    line: &Line<'_>,
    call: &str,
    mark: &Mark,
    (outcome, first): (&str, usize),
    story: &mut Story,
) {
    let wait = line.int(first + 2);
    let said = open_stay(line, call, mark, wait, story).leave(mark, outcome, line.event);
    said.int(mark, F::PositionOut, line.int(first))
        .int(mark, F::PositionIn, line.int(first + 1));
    seconds(said, mark, F::Duration, wait);
}

fn ring_ended(line: &Line<'_>, call: &str, mark: &Mark, outcome: &str, story: &mut Story) {
    let ms = line.int(0).unwrap_or(0).max(0);
    let rang_at = mark.at - ms * MILLI;
    let agent = line.member();
    let stay = open_stay(line, call, mark, None, story);
    let offer: &mut Offer = stay.offer(agent, None, rang_at, mark);
    offer.claims.guess_at(mark, F::Start, rang_at, WHOLE_SECOND);
    offer
        .end(mark, outcome, line.event)
        .millis(mark, F::Duration, ms, 1000);
}

/// The dialplan sends a caller on: after his wait ran out, or because of a size rule, when no line
/// of the queue itself tells how he left.
fn overflow(line: &Line<'_>, call: &str, mark: &Mark, story: &mut Story) {
    let Some(stay) = story.stay(FEED, call, line.queue) else {
        return;
    };
    stay.claims
        .text(mark, F::Target, line.data(0))
        .text(mark, F::TargetKind, "voice_app");
    if stay.until.is_none() {
        stay.until = Some(mark.at);
        stay.claims
            .guess_at(mark, F::End, mark.at, mark.precision)
            .guess_text(mark, F::Outcome, "overflow")
            .guess_text(mark, F::RawOutcome, line.event);
    }
}

/// An outgoing call that the application QueueUpdate wrote down: status, talk, parameters.
fn outcall(line: &Line<'_>, call: &str, mark: &Mark, story: &mut Story) {
    let talk = line.int(1).unwrap_or(0).max(0);
    let start = back(mark.at, Some(talk));
    let mut extra = Extra::new(FEED, call, "talk", "talk", mark);
    extra.at = start;
    extra.from = start;
    extra
        .claims
        .guess_at(mark, F::Start, start, WHOLE_SECOND)
        .at(mark, F::End)
        .text(mark, F::Mode, "outbound")
        .text(mark, F::Queue, line.queue)
        .text(mark, F::Agent, line.member().unwrap_or(""))
        .text(mark, F::Outcome, "completed")
        .text(mark, F::RawOutcome, line.data(0));
    seconds(&mut extra.claims, mark, F::Duration, Some(talk));
    story.extras.push(extra);
    story.contact.text(mark, F::Direction, "outbound");
}
