//! What the channel event log says of a contact: when queues took and left it, who was bridged
//! with it, what rang, voicemail, parking, keys, transfers and its end. To the microsecond; names
//! of agents come from the other feeds.

use std::collections::{BTreeMap, BTreeSet};

use callboard_model::statement::F;
use callboard_model::time::{MILLI, SECOND};

use super::meetings::meetings;
use super::plumbing::{Channels, wires};
use super::{Extra, Story, incoming, menu};
use crate::asterisk::cel::Row;
use crate::asterisk::{Body, Feed, Mark, Parsed};

mod people;

const FEED: Feed = Feed::Cel;

/// A stay that lasts no longer was refused at the door.
const BRIEF: i64 = 50 * MILLI;

/// What goes on with one customer's channel.
#[derive(Default)]
struct Course {
    stay: Option<usize>,
    voicemail: Option<usize>,
    beep: Option<i64>,
    park: Option<usize>,
    in_bridge: bool,
    /// Since when he may be in a menu.
    since: Option<Mark>,
    menu: Option<usize>,
    /// The longest wait that the dialplan allows, microseconds.
    limit: Option<i64>,
    /// A key just pressed in the queue.
    key: Option<(i64, String)>,
    anything: bool,
}

/// Reads all rows of the channel event log.
pub(super) fn read(lines: &[Parsed<'_>], channels: &Channels, story: &mut Story) {
    let rows: Vec<(&Mark, &Row<'_>)> = lines
        .iter()
        .filter_map(|l| match &l.body {
            Body::Cel(row) => Some((&l.mark, row)),
            _ => None,
        })
        .collect();
    if rows.is_empty() {
        return;
    }
    let mut customers: BTreeSet<&str> = BTreeSet::new();
    for (mark, row) in &rows {
        let enters = row.event == "APP_START" && matches!(&*row.app, "Queue" | "VoiceMail");
        let comes_in =
            row.event == "CHAN_START" && row.uniqueid == row.linkedid && incoming(&row.context);
        if enters || comes_in {
            customers.insert(&row.uniqueid);
            story.customer = true;
        }
        if comes_in {
            story
                .contact
                .guess_text(mark, F::Dialled, &row.exten)
                .guess_text(mark, F::Direction, "inbound");
        }
    }
    if customers.is_empty() {
        return;
    }
    let mut courses: BTreeMap<&str, Course> = BTreeMap::new();
    let customers: Vec<&str> = customers.into_iter().collect();
    for (mark, row) in &rows {
        if customers.contains(&&*row.uniqueid) {
            let course = courses.entry(&row.uniqueid).or_default();
            follow(row, mark, course, story);
        }
        match &*row.event {
            "ATTENDEDTRANSFER" | "BLINDTRANSFER" => {
                people::transfer(row, mark, &rows, channels, story)
            }
            _ => {}
        }
    }
    people::ring(&rows, channels, story);
    let wires = wires(lines, FEED);
    for meeting in meetings(&wires, &customers, channels, FEED) {
        people::talk(&meeting, channels, story);
    }
    ends(&rows, story);
}

/// Follows one customer's channel.
fn follow(row: &Row<'_>, mark: &Mark, course: &mut Course, story: &mut Story) {
    let call = &*row.uniqueid;
    match &*row.event {
        "CHAN_START" | "ANSWER" if course.stay.is_none() => course.since = Some(mark.clone()),
        "APP_START" if row.app == "Queue" => {
            let stay = story.enter(FEED, call, row.first_argument(), mark.at, mark);
            stay.claims.at(mark, F::Start);
            course.stay = Some(story.stays.len() - 1);
            course.anything = true;
            course.key = None;
            let limit = row.appdata.split(',').nth(4);
            course.limit = limit
                .and_then(|s| s.trim().parse().ok())
                .map(|s: i64| s * SECOND);
        }
        "APP_END" if row.app == "Queue" => {
            if let Some(n) = course.stay.take() {
                leave_queue(n, mark, course, story);
            }
            course.since = Some(mark.clone());
        }
        "APP_START" if row.app == "MixMonitor" => {
            story.announced.get_or_insert_with(|| mark.clone());
        }
        "APP_START" if row.app == "VoiceMail" => {
            let mut extra = Extra::new(FEED, call, "voicemail", "voicemail", mark);
            let mailbox = row.first_argument();
            extra
                .claims
                .at(mark, F::Start)
                .text(mark, F::Name, mailbox)
                .text(mark, F::Target, mailbox);
            extra.leads = Some(("shared_voicemail", mailbox.to_owned()));
            story.extras.push(extra);
            course.voicemail = Some(story.extras.len() - 1);
            course.beep = None;
            course.anything = true;
        }
        "STREAM_BEGIN" if row.app == "VoiceMail" => course.beep = Some(mark.at),
        "APP_END" if row.app == "VoiceMail" => {
            if let Some(n) = course.voicemail.take() {
                let outcome = match course.beep {
                    Some(beep) if mark.at - beep >= SECOND => "left",
                    Some(_) => "empty",
                    None => "hangup",
                };
                story.extras[n]
                    .claims
                    .at(mark, F::End)
                    .guess_text(mark, F::Outcome, outcome);
            }
        }
        "PARK_START" => {
            let mut extra = Extra::new(FEED, call, "park", "park", mark);
            extra
                .claims
                .at(mark, F::Start)
                .text(mark, F::Name, &row.extra().parking_lot);
            story.extras.push(extra);
            course.park = Some(story.extras.len() - 1);
        }
        "PARK_END" => {
            if let Some(n) = course.park.take() {
                let reason = row.extra().reason;
                let outcome = match reason.trim_start_matches("ParkedCall") {
                    "TimeOut" => "timeout",
                    "GiveUp" => "hangup",
                    _ => "retrieved",
                };
                story.extras[n]
                    .claims
                    .at(mark, F::End)
                    .text(mark, F::Outcome, outcome)
                    .text(mark, F::RawOutcome, &reason);
            }
        }
        "BRIDGE_ENTER" => course.in_bridge = true,
        "BRIDGE_EXIT" => course.in_bridge = false,
        "DTMF" if row.detail != "Sent" && !row.extra().digit.is_empty() => {
            key(row, mark, course, story);
        }
        "HANGUP" => hangup(row, mark, course, story),
        _ => {}
    }
}

/// A key that the customer pressed: in a queue it may be an exit key, in a menu an answer.
fn key(row: &Row<'_>, mark: &Mark, course: &mut Course, story: &mut Story) {
    let digit = row.extra().digit;
    if course.stay.is_some() {
        course.key = Some((mark.at, digit));
    } else if !course.in_bridge && course.voicemail.is_none() {
        let step = (&*row.context, digit.as_str(), "");
        let mut extra = menu(FEED, &row.uniqueid, step, course.since.as_ref(), mark);
        weaken(&mut extra, mark);
        course.since = Some(mark.clone());
        story.extras.push(extra);
        course.menu = Some(story.extras.len() - 1);
    }
}

/// A key tells less than a dialplan's own line: what it means there is only guessed.
fn weaken(extra: &mut Extra, mark: &Mark) {
    let mut claims = crate::asterisk::Claims::default();
    claims.text(mark, F::Kind, "menu").at(mark, F::End);
    for f in [F::Name, F::Input, F::InputType, F::Outcome] {
        if let Some(text) = extra.claims.winner(&f) {
            claims.guess_text(mark, f.clone(), text);
        }
    }
    extra.claims.keep_times(&mut claims);
    extra.claims = claims;
}

/// The application Queue is over: if nobody answered, how he left is guessed, for only the queue
/// log knows.
fn leave_queue(n: usize, mark: &Mark, course: &Course, story: &mut Story) {
    let stay = &mut story.stays[n];
    stay.brief = mark.at - stay.at < BRIEF;
    stay.until = Some(mark.at);
    stay.claims.guess_at(mark, F::End, mark.at, mark.precision);
    let pressed = course.key.as_ref().filter(|(at, _)| mark.at - at < SECOND);
    if let Some((_, digit)) = pressed {
        stay.claims
            .guess_text(mark, F::Outcome, "key_exit")
            .guess_text(mark, F::Input, digit);
    } else if course
        .limit
        .is_some_and(|limit| limit > 0 && mark.at - stay.at >= limit)
    {
        stay.claims.guess_text(mark, F::Outcome, "timeout");
    }
}

/// The customer's channel hangs up: who did it, and whether he was in a queue or menu then.
fn hangup(row: &Row<'_>, mark: &Mark, course: &mut Course, story: &mut Story) {
    let source = row.extra().hangupsource;
    let by = if source.is_empty() {
        ""
    } else if source == row.channel {
        "customer"
    } else if source.starts_with("dialplan") {
        "system"
    } else {
        "agent"
    };
    story.contact.guess_text(mark, F::EndedBy, by);
    if let Some(n) = course.menu
        && row.exten == "i"
    {
        story.extras[n].claims.say(
            mark,
            F::Outcome,
            callboard_model::statement::Value::text("invalid"),
        );
    } else if !course.anything && course.menu.is_none() && !incoming(&row.context) {
        let step = (&*row.context, "", "");
        let mut extra = menu(FEED, &row.uniqueid, step, course.since.as_ref(), mark);
        weaken(&mut extra, mark);
        let outcome = if by == "customer" {
            "hangup"
        } else {
            "timeout"
        };
        extra.claims.say(
            mark,
            F::Outcome,
            callboard_model::statement::Value::text(outcome),
        );
        story.extras.push(extra);
    }
}

/// Start and end of the whole, and calls that were joined to it.
fn ends(rows: &[(&Mark, &Row<'_>)], story: &mut Story) {
    let mut open: BTreeSet<&str> = BTreeSet::new();
    let mut calls: BTreeMap<&str, (&Mark, bool)> = BTreeMap::new();
    let mut last: Option<&Mark> = None;
    let mut started = false;
    for (mark, row) in rows {
        calls.entry(&row.linkedid).or_insert((mark, false));
        match &*row.event {
            "CHAN_START" => {
                if !started {
                    started = true;
                    story
                        .contact
                        .at(mark, F::Start)
                        .say(mark, F::EndsAreStated, super::YES)
                        .text(mark, F::Channel, "voice");
                }
                if row.uniqueid == row.linkedid {
                    story
                        .contact
                        .guess_text(mark, F::Customer, &row.number)
                        .guess_text(mark, F::CustomerName, &row.name);
                }
                open.insert(&row.uniqueid);
            }
            "CHAN_END" => {
                open.remove(&*row.uniqueid);
                last = Some(mark);
            }
            "LINKEDID_END" => {
                if let Some(call) = calls.get_mut(&*row.linkedid) {
                    call.1 = true;
                }
                last = Some(mark);
            }
            _ => {}
        }
    }
    let over = calls.values().all(|(_, ended)| *ended) || (started && open.is_empty());
    if let Some(mark) = last.filter(|_| over) {
        story.contact.at(mark, F::End);
    }
    let mut calls: Vec<(&str, &Mark)> = calls.into_iter().map(|(id, (m, _))| (id, m)).collect();
    calls.sort_by_key(|(id, mark)| (mark.at, *id));
    for (id, mark) in calls.into_iter().skip(1) {
        let kind = if story.transfers.is_empty() {
            "conference"
        } else {
            "transfer"
        };
        story.links.push((kind, id.to_owned(), mark.clone()));
    }
}
