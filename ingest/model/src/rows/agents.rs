//! Rows of agents' own states, and of queues' targets.

use std::collections::{BTreeMap, BTreeSet};

use crate::closing::{AGENT_AGE, DELIVERY, PULSE, SIGNS};
use crate::merge::{Facts, State};
use crate::statement::{F, Thing, Value};
use crate::tables::{AgentStateRow, Day, Instant, QueueTargetRow};

/// Points of each track and queue: when, which, and what was said.
type Tracks<'a> = BTreeMap<(&'a str, &'a str), Vec<(i64, &'a str, &'a Facts)>>;

/// An end that nobody told is cut at no more midnights than these: what an agent did for years of
/// whom nothing was heard is one row.
const UNKNOWN_DAYS: i64 = 2;
/// Microseconds.
const DAY: i64 = 86_400_000_000;

/// Fact of an agent's point: the device by which calls reach him then.
pub const AGENT_DEVICE: &str = "device";

/// Spans of an agent's own states, per track and queue, cut at UTC midnight.
///
/// `restarts` are those of his instance, ascending; `horizon` is until when the story is told
/// (UTC microseconds): a state that still lasts is cut at every midnight before it, and a state
/// that nobody touched for 16 hours before it becomes unknown: that is cut for two days and then
/// lasts. Where the agent's platform gives a pulse, his state is unknown wherever the pulse fails,
/// from the last that was heard of him on.
pub fn agent_rows(
    source: &str,
    agent: &str,
    state: &State,
    restarts: &[i64],
    horizon: i64,
) -> Vec<AgentStateRow> {
    // A clock that runs away must not cut midnights without end.
    let horizon = horizon.min(crate::time::LATEST);
    let tracks = tracks(state);
    let last = tracks.values().filter_map(|points| points.last());
    let pulse = Pulse::of(state);
    let last_sign = last.map(|p| p.0).max().max(pulse.last());
    let last_sign = last_sign.unwrap_or(i64::MIN);
    let mut rows = Vec::new();
    for ((track, queue), points) in tracks {
        let mut i = 0;
        while i < points.len() {
            let (start, _, facts) = points[i];
            let word = word(facts);
            let next = next_span(&points, i);
            let row = Row {
                source,
                agent,
                track,
                queue,
                facts,
            };
            let told = points.get(next).map(|p| p.0);
            let silent = match word {
                // Who has left has no pulse.
                "offline" => Vec::new(),
                _ => pulse.silent(&points, (i, next), horizon),
            };
            let mut since = Some(start);
            for (heard, again) in silent {
                if let Some(since) = since {
                    row.cut(
                        word,
                        since,
                        Some(heard),
                        Some("timeout"),
                        horizon,
                        &mut rows,
                    );
                }
                let cut_until = horizon.min(heard + UNKNOWN_DAYS * DAY);
                row.cut("unknown", heard, again, None, cut_until, &mut rows);
                since = again.filter(|at| told != Some(*at));
            }
            let Some(since) = since else {
                i = next;
                continue;
            };
            let restart = restarts.iter().copied().find(|t| *t > start);
            let (end, basis) = match (told, restart) {
                (Some(end), Some(r)) if r < end && track == "device" => (Some(r), Some("restart")),
                (Some(end), _) => (Some(end), None),
                (None, _) if word == "offline" => (Some(start), Some("closed")),
                (None, _) if horizon - last_sign.max(start) > AGENT_AGE => {
                    (Some(last_sign.max(start)), Some("timeout"))
                }
                (None, _) => (None, None),
            };
            if basis != Some("closed") {
                row.cut(word, since, end, basis, horizon, &mut rows);
            }
            if basis == Some("timeout") {
                row.cut(
                    "unknown",
                    last_sign.max(start),
                    None,
                    None,
                    horizon.min(last_sign.max(start) + UNKNOWN_DAYS * DAY),
                    &mut rows,
                );
            }
            i = next;
        }
    }
    rows.sort_by(|a, b| {
        (&a.track, &a.queue, a.started_at).cmp(&(&b.track, &b.queue, b.started_at))
    });
    rows
}

/// The points of a state, in order of time.
fn tracks(state: &State) -> Tracks<'_> {
    let mut tracks: Tracks<'_> = BTreeMap::new();
    for (thing, facts) in state.iter() {
        if let Thing::AgentPoint(track, queue, id) = thing
            && **track != *SIGNS
            && let Some((at, _)) = facts.time(&F::At)
        {
            let points = tracks.entry((track, queue)).or_default();
            points.push((at, id, facts));
        }
    }
    for points in tracks.values_mut() {
        points.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
    }
    tracks
}

/// Hours in which something was heard of the agent.
fn signs(state: &State) -> impl Iterator<Item = (&Thing, &Facts)> {
    state
        .iter()
        .filter(|(thing, _)| matches!(thing, Thing::AgentPoint(track, ..) if **track == *SIGNS))
}

/// The moments of such an hour, and whether each was a heartbeat.
fn moments(facts: &Facts) -> impl Iterator<Item = (i64, bool)> {
    facts.iter().filter_map(|(f, slot)| match f {
        F::Attr(at) => {
            let is_beat = matches!(slot.winner()?.value, Value::Bool(true));
            Some((at.parse::<i64>().ok()?, is_beat))
        }
        _ => None,
    })
}

/// When something was heard of an agent, ascending: from his first heartbeat on, since before it
/// silence says nothing. Nothing where his platform gives no pulse.
struct Pulse(Vec<i64>);

impl Pulse {
    fn of(state: &State) -> Self {
        let mut heard: Vec<i64> = Vec::new();
        let mut first = i64::MAX;
        for (at, is_beat) in signs(state).flat_map(|(_, facts)| moments(facts)) {
            heard.push(at);
            if is_beat {
                first = first.min(at);
            }
        }
        heard.retain(|at| *at >= first);
        heard.sort_unstable();
        Pulse(heard)
    }

    /// The last that was heard.
    fn last(&self) -> Option<i64> {
        self.0.last().copied()
    }

    /// Where the pulse failed in the span from point `i` to point `next`: from the last that was
    /// heard until something was heard again, or nothing yet.
    fn silent(
        &self,
        points: &[(i64, &str, &Facts)],
        (i, next): (usize, usize),
        horizon: i64,
    ) -> Vec<(i64, Option<i64>)> {
        let Pulse(signs) = self;
        let begins = points[i].0;
        let ends = points.get(next).map(|p| p.0);
        // Who took on a state in the silence was there then, though it was told later.
        let again = |at: i64| {
            let sign = signs.get(signs.partition_point(|s| *s <= at)).copied();
            let point = points.get(points.partition_point(|p| p.0 <= at));
            sign.into_iter().chain(point.map(|p| p.0)).min()
        };
        let mut all: Vec<(i64, Option<i64>)> = signs
            .iter()
            .skip(signs.partition_point(|at| *at < begins))
            .take_while(|at| ends.is_none_or(|end| **at < end))
            .filter_map(|at| Some((*at, again(*at)?)))
            .filter(|(at, again)| again - at > PULSE)
            .map(|(at, again)| (at, Some(again)))
            .collect();
        if let (None, Some(last)) = (ends, self.last()) {
            let last = points[next - 1].0.max(last);
            if horizon - last > PULSE + DELIVERY {
                all.push((last, None));
            }
        }
        all
    }
}

/// When an agent's rows change by the clock alone, since his pulse fails; nothing where he left or
/// has none.
pub fn silent_from(state: &State) -> Option<i64> {
    let last = Pulse::of(state).last()?;
    let tracks = tracks(state);
    let mut ends = tracks.values().filter_map(|points| points.last());
    ends.any(|p| word(p.2) != "offline")
        .then_some(last + PULSE + DELIVERY)
}

fn word(facts: &Facts) -> &str {
    facts.text(&F::State).unwrap_or("unknown")
}

/// The point at which the span that begins at point `i` ends. Saying the same again changes
/// nothing: a paused member paused once more. Another reason is another span; no reason is none.
fn next_span(points: &[(i64, &str, &Facts)], i: usize) -> usize {
    let facts = points[i].2;
    let reason = facts.text(&F::Reason);
    let same = |later: &Facts| {
        let given = later.text(&F::Reason);
        later.text(&F::State) == Some(word(facts)) && (given.is_none() || given == reason)
    };
    let rest = points[i + 1..].iter();
    i + 1 + rest.take_while(|p| same(p.2)).count()
}

/// The time before which no new point changes a row, as long as none comes from before it; UTC
/// microseconds. That is the last sign of the agent, or where he went away and has not come back: how
/// long he was away becomes rows when he does.
pub fn told_until(state: &State) -> Option<i64> {
    let tracks = tracks(state);
    let last = tracks.values().filter_map(|points| points.last());
    let mut until = last.map(|p| p.0).max()?;
    until = until.max(Pulse::of(state).last().unwrap_or(until));
    for points in tracks.values() {
        let mut start = 0;
        let mut next = next_span(points, start);
        while next < points.len() {
            start = next;
            next = next_span(points, start);
        }
        if word(points[start].2) == "offline" {
            until = until.min(points[start].0);
        }
    }
    Some(until)
}

/// Forgets the points before a time that change no row after it: all but those at which a span
/// began that reaches it. The time must be a midnight before the last point. Of a pulse are kept the
/// last hour before it, in which a silence can have begun, and that of the first heartbeat.
pub fn forget_before(state: &mut State, before: i64) {
    let mut kept: BTreeSet<Thing> = BTreeSet::new();
    let has_pulse = Pulse::of(state).last().is_some();
    for ((track, queue), points) in tracks(state) {
        let name = |id: &str| Thing::AgentPoint(track.into(), queue.into(), id.into());
        let mut i = 0;
        while i < points.len() {
            let next = next_span(&points, i);
            let reaches = points.get(next).is_none_or(|p| p.0 >= before);
            let of = points[i..next].iter();
            let later = of.filter(|p| p.0 >= before).map(|p| name(p.1));
            kept.extend(later);
            if reaches {
                kept.insert(name(points[i].1));
                // The same said again can have ended a silence that reaches that time.
                let earlier = points[i..next].iter().rfind(|p| p.0 < before);
                kept.extend(earlier.filter(|_| has_pulse).map(|p| name(p.1)));
            }
            i = next;
        }
    }
    let mut last: Option<(i64, &Thing)> = None;
    let mut first: Option<(i64, &Thing)> = None;
    for (thing, facts) in signs(state) {
        let at = facts.time(&F::At).map_or(i64::MIN, |t| t.0);
        if at >= before {
            kept.insert(thing.clone());
        } else if last.is_none_or(|(known, _)| at > known) {
            last = Some((at, thing));
        }
        let beat = moments(facts).filter(|m| m.1).map(|m| m.0).min();
        if let Some(beat) = beat
            && first.is_none_or(|(known, _)| beat < known)
        {
            first = Some((beat, thing));
        }
    }
    let needed = [first, last].into_iter().flatten();
    kept.extend(needed.map(|(_, thing)| thing.clone()));
    state.retain(|thing| !matches!(thing, Thing::AgentPoint(..)) || kept.contains(thing));
}

struct Row<'a> {
    source: &'a str,
    agent: &'a str,
    track: &'a str,
    queue: &'a str,
    facts: &'a Facts,
}

impl Row<'_> {
    /// Adds the span, one row per UTC day it touches.
    fn cut(
        &self,
        word: &str,
        start: i64,
        end: Option<i64>,
        basis: Option<&'static str>,
        horizon: i64,
        rows: &mut Vec<AgentStateRow>,
    ) {
        let mut from = start;
        loop {
            let day = Instant(from).day();
            let midnight = Day(day.0 + 1).start().0;
            let until = end.unwrap_or(horizon.max(from));
            let (to, why) = if midnight < until {
                (Some(midnight), Some("midnight"))
            } else {
                (end, basis)
            };
            rows.push(AgentStateRow {
                agent_key: AgentStateRow::key_of(self.source, self.agent),
                agent: self.agent.to_owned(),
                source: self.source.to_owned(),
                track: self.track.to_owned(),
                queue: (!self.queue.is_empty()).then(|| self.queue.to_owned()),
                state: word.to_owned(),
                native_state: self.facts.owned(&F::NativeState),
                reason: self.facts.owned(&F::Reason),
                device: self.facts.owned(&F::Attr(AGENT_DEVICE.into())),
                started_at: Instant(from),
                ended_at: to.map(Instant),
                end_basis: why.map(str::to_owned),
                day,
            });
            match (to, why) {
                (Some(at), Some("midnight")) => from = at,
                _ => return,
            }
        }
    }
}

/// The row of a queue's target.
pub fn target_rows(id: &str, state: &State) -> Vec<QueueTargetRow> {
    let Some(f) = state.get(&Thing::Target) else {
        return Vec::new();
    };
    let (Some(queue), Some(threshold)) = (f.owned(&F::Queue), f.int(&F::Threshold)) else {
        return Vec::new();
    };
    let at = |f: Option<(i64, u32)>| f.map(|t| Instant(t.0));
    vec![QueueTargetRow {
        target_id: id.to_owned(),
        queue,
        metric: f
            .owned(&F::Metric)
            .unwrap_or_else(|| "service_level".to_owned()),
        variant: f.owned(&F::Variant).unwrap_or_else(|| "offered".to_owned()),
        threshold_ms: threshold,
        short_ms: f.int(&F::Short).unwrap_or(5_000),
        goal: f.float(&F::Goal),
        valid_from: at(f.time(&F::ValidFrom)),
        valid_to: at(f.time(&F::ValidTo)),
        source: f.owned(&F::Source),
        day: Day(0),
    }]
}
