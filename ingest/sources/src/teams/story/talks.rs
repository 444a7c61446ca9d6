//! Talks with agents, what was offered to them or dialled by them in vain, and what was shown beside
//! the voice.

use std::collections::BTreeMap;

use callboard_model::record::rank;
use callboard_model::statement::{F, Statement};

use super::legs::{Kind, Leg};
use super::{Call, Part, queue_name, ranked, segment, timed, untold};
use crate::teams::read::{At, after, before, plain, short};
use crate::teams::voice::VoiceRow;

/// A talk on its way to a statement.
struct Talk<'c> {
    agent: String,
    start: Option<At>,
    end: Option<At>,
    row: Option<&'c VoiceRow>,
    leg: Option<&'c Leg>,
    /// The segment by which a telephone report tells it.
    line: Option<&'c str>,
    /// Place of the stay among the stays.
    stay: Option<usize>,
}

/// All talks and offers.
pub(super) fn tell(call: &Call, stays: &[Part], said: &mut Vec<Statement>) {
    let mut talks: Vec<Talk<'_>> = Vec::new();
    for row in call.rows.iter().filter(|r| r.agent.is_some()) {
        match of_row(call, row, stays) {
            Some(talk) => talks.push(talk),
            None => offer(call, row, stays, said),
        }
    }
    for leg in call.legs_of(Kind::Talk) {
        let agent = call.agent(&leg.person.agent());
        let same =
            |t: &&mut Talk<'_>| t.leg.is_none() && plain(&short(&t.agent)) == plain(&short(&agent));
        match talks.iter_mut().find(same) {
            Some(talk) => talk.leg = Some(leg),
            None => talks.push(Talk {
                agent,
                start: leg.start,
                end: leg.end,
                row: None,
                leg: Some(leg),
                line: call.line_of(leg).and_then(|l| l.talk.as_deref()),
                stay: stay_before(stays, leg.start),
            }),
        }
    }
    talks.sort_by_key(|t| (t.start.or(t.end), t.end, t.agent.clone()));
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    for (n, talk) in talks.iter().enumerate() {
        let number = numbers.entry(talk.agent.clone()).or_default();
        *number += 1;
        let id = talk.line.map_or_else(
            || format!("talk-{}-{number}", plain(&short(&talk.agent))),
            str::to_owned,
        );
        talk.tell(call, &id, stays, (talks.get(..n), talks.get(n + 1..)), said);
    }
    missed(call, stays, said);
    dialled(call, said);
}

/// The last stay that began before.
fn stay_before(stays: &[Part], at: Option<At>) -> Option<usize> {
    let began = |p: &Part| match (p.start, at) {
        (Some(start), Some(at)) => start.0 <= at.0 + 1_000_000,
        _ => true,
    };
    stays.iter().rposition(began)
}

/// The stay of an agent's row: of its queue, else the last.
fn stay_of(row: &VoiceRow, stays: &[Part]) -> Option<usize> {
    let queue = row.stay.as_ref().and_then(|s| s.name.as_deref());
    let of_queue = queue.and_then(|q| stays.iter().rposition(|p| short(&p.name) == short(q)));
    // After an overflow to a second queue the agent appears under the first.
    of_queue.or(stays.len().checked_sub(1))
}

/// The talk of an agent's row; none where it can only have been an offer: it lasted for no time, or
/// the queue says that nobody answered.
fn of_row<'c>(call: &Call, row: &'c VoiceRow, stays: &[Part]) -> Option<Talk<'c>> {
    let place = stay_of(row, stays);
    let stay = place.and_then(|n| stays.get(n));
    let elsewhere = stays.iter().any(|s| s.outcome == "answered");
    let in_vain = stay.is_some_and(|s| {
        !elsewhere && !matches!(s.outcome.as_str(), "answered" | "callback" | "unknown")
    });
    if in_vain || row.length.is_some_and(|l| l.0 == 0) || only_rang(call, row) {
        return None;
    }
    let end = row
        .end
        .or_else(|| Some(after(row.start?, row.length?)))
        .or(call.end);
    let waited = stay.and_then(|s| s.end);
    let mut start = match (end, row.length) {
        (Some(end), Some(length)) => Some(before(end, length)),
        _ => waited.or(row.start),
    };
    if let (Some(waited), Some(end)) = (waited, end)
        && start.is_some_and(|s| s.0 < waited.0)
    {
        // The row's length is the call's: the talk began when the wait was over.
        start = Some(waited.min(end));
    }
    Some(Talk {
        agent: call.agent(row.agent.as_deref().unwrap_or_default()),
        start,
        end,
        row: Some(row),
        leg: None,
        line: None,
        stay: place,
    })
}

/// Whether the call record knows that this agent did not take the call and another did: older
/// templates count what was presented.
fn only_rang(call: &Call, row: &VoiceRow) -> bool {
    let agent = call.agent(row.agent.as_deref().unwrap_or_default());
    let has = |kind, own: bool| {
        let of_kind = call.legs_of(kind);
        of_kind
            .iter()
            .any(|l| (call.agent(&l.person.agent()) == agent) == own)
    };
    has(Kind::Missed, true) && !has(Kind::Talk, true) && has(Kind::Talk, false)
}

type Around<'t, 'c> = (Option<&'t [Talk<'c>]>, Option<&'t [Talk<'c>]>);

impl Talk<'_> {
    fn tell(
        &self,
        call: &Call,
        id: &str,
        stays: &[Part],
        around: Around<'_, '_>,
        said: &mut Vec<Statement>,
    ) {
        let (earlier, later) = (around.0.unwrap_or_default(), around.1.unwrap_or_default());
        let stay = self.stay.and_then(|n| stays.get(n));
        let dropped = self.leg.is_some_and(|l| l.dropped);
        // Another agent began when this one was over: the call went on.
        let went_on = later.iter().any(|t| match (self.end, t.start) {
            (Some(end), Some(start)) => start.0 + 1_000_000 >= end.0 && t.end > self.end,
            _ => false,
        });
        let outcome = match () {
            () if dropped => "dropped",
            () if went_on => "transferred",
            () => "",
        };
        // Who came while another agent was speaking came to help.
        let joined = earlier.iter().any(|t| match (t.start, t.end, self.start) {
            (Some(a), Some(b), Some(c)) => a.0 < c.0 && c.0 + 1_000_000 < b.0,
            _ => false,
        });
        let mode = match call.legs.direction {
            _ if joined => "conference",
            "outbound" if call.rows.is_empty() => "outbound",
            "internal" if call.rows.is_empty() => "internal",
            _ => "serve",
        };
        // Who came to help was not given the call by the queue.
        let of_queue = stay.filter(|_| !joined || self.row.is_some());
        let describe = |s: Statement| {
            let s = s
                .text(F::Agent, &self.agent)
                .text(F::Mode, mode)
                .text(F::Outcome, outcome)
                .text(
                    F::Queue,
                    of_queue.map(|p| queue_name(&p.name)).unwrap_or_default(),
                )
                .text(F::Parent, stay.map(|p| p.id.as_str()).unwrap_or_default());
            s.text(
                F::Reason,
                self.leg.map(|l| l.reason.as_str()).unwrap_or_default(),
            )
        };
        if let Some(row) = self.row {
            let s = describe(segment(id, "talk", &row.by));
            let s = timed(s, F::Start, self.start);
            said.push(timed(s, F::End, self.end));
        }
        if let Some(leg) = self.leg {
            let by = ranked(&leg.by, rank::LIVE);
            let s = describe(segment(id, "talk", &by));
            let s = timed(s, F::Start, leg.start);
            said.push(timed(s, F::End, leg.end));
            for mode in &leg.shares {
                let s = segment(&format!("{id}-{mode}"), "share", &by)
                    .text(F::Mode, mode)
                    .text(F::Agent, &self.agent)
                    .text(F::Parent, id);
                let talking = self.row.and(self.start);
                let s = timed(s, F::Start, talking.max(leg.start));
                said.push(timed(s, F::End, leg.end));
            }
        }
    }
}

/// An agent's row that stands for a call that rang in vain: when it rang nobody tells.
fn offer(call: &Call, row: &VoiceRow, stays: &[Part], said: &mut Vec<Statement>) {
    let stay = stay_of(row, stays).and_then(|n| stays.get(n));
    let agent = call.agent(row.agent.as_deref().unwrap_or_default());
    let rung = call.legs_of(Kind::Missed);
    if rung.iter().any(|l| call.agent(&l.person.agent()) == agent) {
        // The call record tells the same, and when it was.
        return;
    }
    let outcome = match stay.map(|s| s.outcome.as_str()) {
        Some("abandoned") => "caller_left",
        Some("answered") => "taken_elsewhere",
        _ => "no_answer",
    };
    let id = format!("offer-{}-{}", plain(&short(&agent)), row.document);
    let s = segment(&id, "offer", &row.by)
        .text(F::Agent, &agent)
        .text(F::Outcome, outcome)
        .text(
            F::Queue,
            stay.map(|p| queue_name(&p.name)).unwrap_or_default(),
        )
        .text(F::Parent, stay.map(|p| p.id.as_str()).unwrap_or_default());
    said.push(untold(timed(
        s,
        F::Start,
        stay.and_then(|p| p.start).or(row.start),
    )));
}

/// Legs to users that were not taken.
fn missed(call: &Call, stays: &[Part], said: &mut Vec<Statement>) {
    for (n, leg) in call.legs_of(Kind::Missed).into_iter().enumerate() {
        let stay = stay_before(stays, leg.start).and_then(|n| stays.get(n));
        let agent = call.agent(&leg.person.agent());
        let id = format!("missed-{}-{}", plain(&short(&agent)), n + 1);
        let s = segment(&id, "offer", &ranked(&leg.by, rank::LIVE))
            .text(F::Agent, &agent)
            .text(F::Outcome, "no_answer")
            .text(F::RawOutcome, &leg.reason)
            .text(
                F::Queue,
                stay.map(|p| queue_name(&p.name)).unwrap_or_default(),
            )
            .text(F::Parent, stay.map(|p| p.id.as_str()).unwrap_or_default());
        let s = timed(s, F::Start, leg.start);
        said.push(timed(s, F::End, leg.end));
    }
}

/// Calls to somebody outside that nobody took, where no telephone report tells them.
fn dialled(call: &Call, said: &mut Vec<Statement>) {
    for (n, leg) in call.legs_of(Kind::Dialled).into_iter().enumerate() {
        if call.line_of(leg).is_some_and(|l| l.dial.is_some()) {
            continue;
        }
        let agent = call.agent(&leg.person.agent());
        let id = format!("dial-{}-{}", plain(&short(&agent)), n + 1);
        let s = segment(&id, "dial", &ranked(&leg.by, rank::LIVE))
            .text(F::Agent, &agent)
            .text(F::Outcome, "failed")
            .text(F::RawOutcome, &leg.reason)
            .text(F::TargetKind, "external")
            .text(F::Target, &leg.name);
        let s = timed(s, F::Start, leg.start);
        said.push(timed(s, F::End, leg.end));
    }
}
