//! Whom the calls reached: what was rung, who talked, who transferred.

use callboard_model::statement::F;
use callboard_model::time::MILLI;

use super::super::meetings::Meeting;
use super::super::plumbing::{self, Channels};
use super::super::{Extra, Story, Talk};
use super::FEED;
use crate::asterisk::Mark;
use crate::asterisk::cel::Row;

/// What was rung for the stays: channels of the application AppQueue.
pub(super) fn ring(rows: &[(&Mark, &Row<'_>)], channels: &Channels, story: &mut Story) {
    for (mark, row) in rows {
        if row.event != "CHAN_START" || !channels.is_member(&row.uniqueid) {
            continue;
        }
        let Some(stay) = story
            .stays
            .iter_mut()
            .filter(|s| s.feed == FEED && s.at <= mark.at)
            .max_by_key(|s| s.at)
        else {
            continue;
        };
        let agent = channels.agent(&row.uniqueid);
        let timed_out = stay.claims.winner(&F::Outcome) == Some("timeout");
        let until = stay.until.filter(|_| !timed_out);
        let offer = stay.offer(agent, Some(&row.uniqueid), mark.at, mark);
        offer.claims.at(mark, F::Start);
        if agent.is_none() {
            let device = plumbing::device(&row.channel);
            offer.claims.guess_text(mark, F::Agent, device);
        }
        let end = rows
            .iter()
            .find(|(_, r)| r.uniqueid == row.uniqueid && matches!(&*r.event, "ANSWER" | "HANGUP"));
        let Some((end, last)) = end else { continue };
        let cause = last.extra().hangupcause;
        offer.open = false;
        offer.claims.at(end, F::End);
        let outcome = match (&*last.event, cause) {
            ("ANSWER", _) => "accepted",
            (_, Some(26)) => "taken_elsewhere",
            (_, Some(17)) => "busy",
            (_, Some(21)) => "declined",
            (_, Some(18 | 20)) => "unreachable",
            _ if until.is_some_and(|u| (u - end.at).abs() < 100 * MILLI) => "caller_left",
            _ => "no_answer",
        };
        offer.claims.guess_text(end, F::Outcome, outcome);
    }
}

/// A party met the customer: the talk of a queue stay, or one that a transfer or a direct call
/// led to.
pub(super) fn talk(meeting: &Meeting<'_>, channels: &Channels, story: &mut Story) {
    let (start, agent) = (meeting.start, channels.agent(meeting.channel));
    let device = match channels.member_of(meeting.party) {
        Some(name) => plumbing::device(name).to_owned(),
        None => channels.device_of(meeting.channel),
    };
    let transferred = story
        .transfers
        .iter()
        .any(|(party, _)| *party == Some(meeting.party));
    if channels.member_of(meeting.party).is_some() {
        let Some(stay) = story
            .stays
            .iter_mut()
            .filter(|s| s.feed == FEED && s.call == meeting.customer && s.at <= start.at)
            .max_by_key(|s| s.at)
        else {
            return;
        };
        if stay.talk.is_none() {
            stay.until = Some(start.at);
            stay.brief = false;
            stay.claims
                .at(start, F::End)
                .guess_text(start, F::Outcome, "answered");
            let talk: &mut Talk = stay.answer(start, agent);
            talk.claims.at(start, F::Start);
            if agent.is_none() {
                talk.claims.guess_text(start, F::Agent, &device);
            }
            if let Some(end) = meeting.end {
                talk.until = Some(end.at);
                talk.claims.at(end, F::End).guess_text(
                    end,
                    F::Outcome,
                    if transferred {
                        "transferred"
                    } else {
                        "completed"
                    },
                );
            }
            if transferred {
                talk.transferred = Some(String::new());
            }
        }
        return;
    }
    let mut extra = Extra::new(FEED, meeting.customer, "talk", "talk", start);
    extra
        .claims
        .at(start, F::Start)
        .text(start, F::Mode, "serve")
        .text(start, F::Agent, agent.unwrap_or(""))
        .guess_text(start, F::Agent, &device);
    extra.leads = Some(("person", agent.unwrap_or(&device).to_owned()));
    if let Some(end) = meeting.end {
        let outcome = if transferred {
            "transferred"
        } else {
            "completed"
        };
        extra
            .claims
            .at(end, F::End)
            .guess_text(end, F::Outcome, outcome);
    }
    extra.party = Some(meeting.party);
    story.extras.push(extra);
}

/// A transfer: the first agent's talk ends with it; an attended one was asked for in a talk of its
/// own.
pub(super) fn transfer(
    row: &Row<'_>,
    mark: &Mark,
    rows: &[(&Mark, &Row<'_>)],
    channels: &Channels,
    story: &mut Story,
) {
    let extra = row.extra();
    story
        .transfers
        .push((channels.party(&row.uniqueid), mark.clone()));
    let target = extra.transfer_target_channel_uniqueid;
    if row.event != "ATTENDEDTRANSFER" || target.is_empty() {
        return;
    }
    let answered = rows
        .iter()
        .find(|(m, r)| m.at <= mark.at && r.event == "ANSWER" && r.uniqueid == *target);
    let call = extra.transferee_channel_uniqueid;
    if let Some((start, _)) = answered
        && !call.is_empty()
    {
        let agent = channels.agent(&target);
        let mut consult = Extra::new(FEED, &call, "consult", "talk", start);
        consult
            .claims
            .at(start, F::Start)
            .at(mark, F::End)
            .text(start, F::Mode, "consult")
            .text(start, F::Agent, agent.unwrap_or(""))
            .guess_text(start, F::Agent, &channels.device_of(&target))
            .text(mark, F::Outcome, "completed");
        story.extras.push(consult);
    }
}
