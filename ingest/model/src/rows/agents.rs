//! Rows of agents' own states, and of queues' targets.

use std::collections::{BTreeMap, BTreeSet};

use crate::closing::AGENT_AGE;
use crate::merge::{Facts, State};
use crate::statement::{F, Thing};
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
/// lasts.
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
    let last_sign = last.map(|p| p.0).max().unwrap_or(i64::MIN);
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
            let restart = restarts.iter().copied().find(|t| *t > start);
            let (end, basis) = match (points.get(next).map(|p| p.0), restart) {
                (Some(end), Some(r)) if r < end && track == "device" => (Some(r), Some("restart")),
                (Some(end), _) => (Some(end), None),
                (None, _) if word == "offline" => (Some(start), Some("closed")),
                (None, _) if horizon - last_sign.max(start) > AGENT_AGE => {
                    (Some(last_sign.max(start)), Some("timeout"))
                }
                (None, _) => (None, None),
            };
            if basis != Some("closed") {
                row.cut(word, start, end, basis, horizon, &mut rows);
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
/// began that reaches it. The time must be a midnight before the last point.
pub fn forget_before(state: &mut State, before: i64) {
    let mut kept: BTreeSet<Thing> = BTreeSet::new();
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
            }
            i = next;
        }
    }
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
