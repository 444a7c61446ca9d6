//! Stays in queues.

use callboard_model::record::rank;
use callboard_model::statement::{F, Statement};

use super::legs::{Kind, Leg};
use super::{Call, Part, queue_name, ranked, segment, timed, untold};
use crate::teams::read::{At, after, before, short};
use crate::teams::voice::{Stay, VoiceRow};
use crate::teams::words;

/// The stays, in order. The analytics report the first of a chain alone, unless a queue says from
/// which other the call came; the call record may know more.
pub(super) fn tell(call: &Call, menus: &[Part], said: &mut Vec<Statement>) -> Vec<Part> {
    let rows = rows(call);
    let mut parts: Vec<Part> = Vec::new();
    // When the caller left what was before the queue.
    let mut left = menus.iter().rev().find_map(|m| m.end);
    for (n, (row, stay)) in rows.iter().enumerate() {
        let leg = call.legs_of(Kind::Queue).get(n).copied();
        let next = rows.get(n + 1).and_then(|(_, s)| s.name.as_deref());
        let part = of_row(call, n, (*row, *stay), (left, next), leg, said);
        left = part.end.or(left);
        parts.push(part);
    }
    for (n, leg) in call
        .legs_of(Kind::Queue)
        .into_iter()
        .enumerate()
        .skip(rows.len())
    {
        parts.push(of_leg(call, n, leg, said));
    }
    if rows.is_empty() {
        mailboxes(call, said);
    }
    parts
}

fn id(n: usize) -> String {
    format!("cq{}", n + 1)
}

/// One row for each queue: those that no other queue sent the call to come first.
fn rows(call: &Call) -> Vec<(&VoiceRow, &Stay)> {
    let of_queues = call.rows.iter().filter(|r| r.agent.is_none());
    let mut rows: Vec<(&VoiceRow, &Stay)> = of_queues
        .filter_map(|r| Some((r, r.stay.as_ref()?)))
        .collect();
    let name = |s: &Stay| s.name.as_deref().or(s.id.as_deref()).map(short);
    // A row of an auto attendant that names the queue is no stay of its own.
    let with_result: Vec<Option<String>> = rows
        .iter()
        .filter(|(_, s)| s.result.is_some())
        .map(|(_, s)| name(s))
        .collect();
    rows.retain(|(_, s)| s.result.is_some() || !with_result.contains(&name(s)));
    rows.sort_by_key(|(r, s)| (s.from.is_some(), r.start, name(s)));
    rows
}

fn of_row(
    call: &Call,
    n: usize,
    (row, stay): (&VoiceRow, &Stay),
    (left, next): (Option<At>, Option<&str>),
    leg: Option<&Leg>,
    said: &mut Vec<Statement>,
) -> Part {
    let id = id(n);
    let word = |w: &Option<String>| w.clone().unwrap_or_default();
    let (result, action) = (word(&stay.result), word(&stay.action));
    let target = word(&stay.target);
    let outcome = words::stay_outcome(&result, stay.target.as_deref(), &action);
    let mut start = row
        .start
        .max(left.filter(|l| call.end.is_none_or(|e| l.0 <= e.0)));
    let length = stay.length.or_else(|| length_of_wait(row));
    if let (Some(begin), Some(length), Some(end)) = (start, length, row.end)
        && after(begin, length).0 > end.0
    {
        // The wait does not fit behind what came before it: the whole seconds of two clocks.
        start = Some(before(end, length)).max(row.start);
    }
    let name = stay
        .name
        .as_deref()
        .or(stay.id.as_deref())
        .unwrap_or_default();
    let redirected = words::is_redirection(outcome);
    let mut s = segment(&id, "queue", &row.by)
        .text(F::Queue, queue_name(name))
        .text(F::Outcome, outcome)
        .text(F::RawOutcome, &result);
    if redirected || outcome == "unknown" && !target.is_empty() {
        s = s.text(F::TargetKind, words::redirected_to(&target, &action));
    }
    if redirected {
        s = s.text(F::Target, next.map(queue_name).unwrap_or_default());
    }
    s = match (
        outcome,
        target.is_empty() || target.eq_ignore_ascii_case("disconnect"),
    ) {
        ("abandoned", _) => s.text(F::EndedBy, "customer"),
        ("overflow" | "timeout" | "no_agents", true) => s.text(F::EndedBy, "system"),
        _ => s,
    };
    s = timed(s, F::Start, start);
    let mut end = match (start, length) {
        (Some(start), Some(length)) => Some(after(start, length)),
        _ => None,
    };
    if let Some((ms, precision)) = length {
        s = s.millis(F::Duration, ms, precision);
    } else if let Some(answer) = first_answer(call, name).filter(|_| outcome == "answered") {
        end = Some(answer);
        s = timed(s, F::End, end);
    } else if outcome == "abandoned" && row.end.is_some() {
        end = row.end;
        s = timed(s, F::End, end);
    } else {
        // An end of the call is not the end of the wait, and nobody tells that.
        s = untold(s);
    }
    said.push(s);
    if let Some(leg) = leg {
        // The finer clock, where it is within the second of the other.
        let s = segment(&id, "queue", &ranked(&leg.by, rank::LIVE));
        said.push(timed(s, F::Start, leg.start));
    }
    let part = Part {
        id,
        start,
        end,
        name: name.to_owned(),
        outcome: outcome.to_owned(),
    };
    beside(row, &part, words::mailbox(&target, &action), &result, said);
    part
}

/// What came after the wait and is neither talk nor another queue: a mailbox, a callback.
fn beside(row: &VoiceRow, part: &Part, mailbox: &str, result: &str, said: &mut Vec<Statement>) {
    if !mailbox.is_empty() && part.outcome != "answered" {
        let s = segment(&format!("{}-mailbox", part.id), "voicemail", &row.by)
            .text(F::Name, mailbox)
            .text(F::Queue, queue_name(&part.name));
        let s = timed(s, F::Start, part.end.or(row.start));
        said.push(timed(s, F::End, row.end));
    }
    if part.outcome == "callback" {
        let expired = result.to_ascii_lowercase().contains("timed_out");
        let s = segment(&format!("{}-callback", part.id), "callback", &row.by)
            .text(F::Queue, queue_name(&part.name))
            .text(F::Outcome, if expired { "expired" } else { "dialled" })
            .text(F::RawOutcome, result);
        let s = timed(s, F::Start, part.end.or(row.start));
        said.push(timed(s, F::End, row.end));
    }
}

/// The length that a row calls the call's: where both ends of the call are told and it is shorter,
/// it is the wait's, as in the template of 2024.
fn length_of_wait(row: &VoiceRow) -> Option<(i64, u32)> {
    let (start, end, length) = (row.start?, row.end?, row.length?);
    let whole = (end.0 - start.0) / 1_000;
    (length.0 + 1_000 < whole).then_some(length)
}

/// When the first agent of this queue began to speak, as far as rows of agents or call records tell.
fn first_answer(call: &Call, queue: &str) -> Option<At> {
    let of_rows = call
        .rows
        .iter()
        .filter(|r| r.agent.is_some())
        .filter_map(|r| {
            let same = r.stay.as_ref().and_then(|s| s.name.as_deref());
            let same = same.is_none_or(|q| short(q) == short(queue));
            let (end, length) = (r.end?, r.length.filter(|l| l.0 > 0)?);
            same.then(|| before(end, length))
        });
    let of_legs = call.legs_of(Kind::Talk).into_iter().filter_map(|l| l.start);
    of_legs.chain(of_rows).min_by_key(|t| t.0)
}

/// A stay of which only the call record tells.
fn of_leg(call: &Call, n: usize, leg: &Leg, said: &mut Vec<Statement>) -> Part {
    let begun = |l: &&Leg| {
        leg.start
            .is_none_or(|s| l.start.or(l.end).is_some_and(|t| t.0 >= s.0))
    };
    let talks = call.legs_of(Kind::Talk);
    let answer = talks.iter().copied().find(begun);
    let letter = call.legs_of(Kind::Mailbox).into_iter().find(begun);
    let (outcome, end) = match (answer, letter) {
        (Some(talk), _) => ("answered", talk.start.or(leg.end)),
        (None, Some(letter)) => ("voicemail", letter.start.or(leg.end)),
        // Who ended the wait, and by which rule, is in no call record.
        (None, None) => ("unknown", leg.end),
    };
    let id = id(n);
    let mut s = segment(&id, "queue", &ranked(&leg.by, rank::LIVE))
        .text(F::Queue, queue_name(&leg.name))
        .text(F::Outcome, outcome);
    if outcome == "voicemail" {
        s = s.text(F::TargetKind, "shared_voicemail");
    }
    s = timed(s, F::Start, leg.start);
    // The queue's session may last as long as the call: its end is no end of a wait.
    said.push(match outcome {
        "unknown" => untold(s),
        _ => timed(s, F::End, end),
    });
    Part {
        id,
        start: leg.start,
        end,
        name: leg.name.clone(),
        outcome: outcome.to_owned(),
    }
}

/// Mailboxes of which only the call record tells.
fn mailboxes(call: &Call, said: &mut Vec<Statement>) {
    for (n, leg) in call.legs_of(Kind::Mailbox).into_iter().enumerate() {
        let s = segment(
            &format!("mailbox{}", n + 1),
            "voicemail",
            &ranked(&leg.by, rank::LIVE),
        )
        .text(F::Name, queue_name(&leg.name));
        let s = timed(s, F::Start, leg.start);
        said.push(timed(s, F::End, leg.end));
    }
}
