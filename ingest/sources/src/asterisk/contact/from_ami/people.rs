//! Whom the calls reached, what was put on hold, and how those left whom nobody answered.

use std::collections::BTreeMap;

use callboard_model::statement::F;
use callboard_model::time::SECOND;

use super::super::meetings::Meeting;
use super::super::plumbing::{Channels, device};
use super::super::{Extra, Hold, Story};
use super::{Events, FEED};
use crate::asterisk::ami::Event;
use crate::asterisk::{Claims, Mark};

/// Whether the client may read what becomes of channels (class `call`), or only the queues.
fn sees_channels(events: &Events<'_>) -> bool {
    events
        .iter()
        .any(|(_, e)| matches!(e.name(), "Newchannel" | "Hangup"))
}

/// Channels that rang and were hung up without a word of the queue: another agent was faster, or
/// the caller left.
pub(super) fn offers_left_open(events: &Events<'_>, story: &mut Story) {
    let mut gone: BTreeMap<&str, (&Mark, Option<i64>)> = BTreeMap::new();
    for (mark, event) in events.iter().filter(|(_, e)| e.name() == "Hangup") {
        gone.insert(event.get("Uniqueid"), (*mark, event.int("Cause")));
    }
    let sees_channels = sees_channels(events);
    for stay in story.stays.iter_mut().filter(|s| s.feed == FEED) {
        let answered = stay.talk.is_some();
        for offer in stay.offers.iter_mut().filter(|o| o.open) {
            let rung = offer.channel.as_deref().unwrap_or("");
            let Some((mark, cause)) = gone.get(rung) else {
                if !sees_channels && !answered && stay.until.is_some() {
                    offer
                        .claims
                        .guess_text(&stay.first, F::Outcome, "caller_left");
                }
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
pub(super) fn talk(meeting: &Meeting<'_>, channels: &Channels, story: &mut Story) {
    if channels.member_of(meeting.party).is_some() {
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
pub(super) fn hold(event: &Event<'_>, mark: &Mark, channels: &Channels, story: &mut Story) {
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
pub(super) fn left_unanswered(events: &Events<'_>, story: &mut Story) {
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
            (Some((mark, _)), None) if !sees_channels(events) => Some((mark, "abandoned")),
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
