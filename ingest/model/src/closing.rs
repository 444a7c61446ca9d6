//! Ends that never come, and outcomes that follow from what came next. Computed from the merged
//! state whenever rows are made, never stated: a true end that arrives later simply wins.

use crate::merge::Facts;
use crate::statement::{F, Value};
use crate::time::SECOND;

const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Age after which a segment without any sign of an end counts as lost, microseconds.
pub fn segment_age(kind: &str) -> i64 {
    match kind {
        "offer" | "dial" => 5 * MINUTE,
        "menu" | "voicemail" => 30 * MINUTE,
        "bot" | "wrapup" => 2 * HOUR,
        "talk" | "share" => 12 * HOUR,
        "callback" => DAY,
        _ => 4 * HOUR,
    }
}

/// Age after which a contact without any sign counts as lost, microseconds.
pub fn contact_age(channel: &str) -> i64 {
    match channel {
        "chat" | "sms" | "whatsapp" | "social" => 7 * DAY,
        "email" | "task" => 30 * DAY,
        _ => DAY,
    }
}

/// Age after which an agent's state becomes unknown, microseconds.
pub const AGENT_AGE: i64 = 16 * HOUR;

/// Silence after which the state of an agent becomes unknown whose platform gives a pulse,
/// microseconds: a beat comes two minutes after the last event, and is a while on its way.
pub const PULSE: i64 = 130 * SECOND;

/// What is granted beside it to a beat that may still be on its way, microseconds: only of the
/// present, since between two moments that were told nothing is outstanding.
pub const DELIVERY: i64 = MINUTE;

/// Track of the moments at which anything was heard of an agent whose platform gives a pulse. It
/// makes no rows. Its points are hours, each with the last moment in it; every moment is an attribute
/// named by its UTC microseconds, true for a heartbeat.
pub const SIGNS: &str = "signs";

/// How far a segment has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It goes on.
    Open,
    /// It ended.
    Closed,
    /// Its end never came.
    Lost,
}

impl Progress {
    /// The word for the `state` column.
    pub fn as_str(self) -> &'static str {
        match self {
            Progress::Open => "open",
            Progress::Closed => "closed",
            Progress::Lost => "lost",
        }
    }
}

/// A segment on its way to a row.
#[derive(Debug, Clone)]
pub struct Span<'a> {
    /// Segment id.
    pub id: &'a str,
    /// What is known of it.
    pub facts: &'a Facts,
    /// Kind.
    pub kind: &'a str,
    /// Segment it belongs to.
    pub parent: Option<&'a str>,
    /// Start, UTC microseconds, with precision.
    pub start: Option<(i64, u32)>,
    /// End, UTC microseconds, with precision.
    pub end: Option<(i64, u32)>,
    /// How the start is known.
    pub start_basis: Option<&'static str>,
    /// How the end is known.
    pub end_basis: Option<&'static str>,
    /// How far it has come.
    pub progress: Progress,
    /// Outcome, stated or concluded.
    pub outcome: Option<String>,
}

impl<'a> Span<'a> {
    /// What the merged facts state.
    pub fn stated(id: &'a str, facts: &'a Facts) -> Self {
        let kind = facts.text(&F::Kind).unwrap_or("other");
        let mut span = Span {
            id,
            facts,
            kind,
            parent: facts.text(&F::Parent),
            start: facts.time(&F::Start),
            end: facts.time(&F::End),
            start_basis: None,
            end_basis: None,
            progress: Progress::Open,
            outcome: facts.owned(&F::Outcome),
        };
        if let Some((ms, precision)) = facts.millis(&F::Duration) {
            match (span.start, span.end) {
                (Some((start, p)), None) => {
                    span.end = Some((start + ms * 1_000, p.max(precision)));
                    span.end_basis = Some("computed");
                }
                (None, Some((end, p))) => {
                    span.start = Some((end - ms * 1_000, p.max(precision)));
                    span.start_basis = Some("computed");
                }
                _ => {}
            }
        }
        if span.end.is_some() {
            span.progress = Progress::Closed;
        } else if facts.value(&F::Over) == Some(&Value::Bool(true)) {
            // It is over, and the source says that nobody tells since when.
            span.end_basis = Some("untold");
            span.progress = Progress::Closed;
        }
        span
    }

    /// Where it stands in the contact: by start, else by end; then by kind and id.
    pub fn order(&self) -> (i64, u8, &'a str) {
        let at = self.start.or(self.end).map_or(i64::MAX, |(us, _)| us);
        (at, kind_order(self.kind), self.id)
    }

    /// Milliseconds it lasted: what the source states, unless both its times are finer than that
    /// statement.
    pub fn duration_ms(&self) -> Option<i64> {
        if self.progress != Progress::Closed {
            return None;
        }
        let between = match (self.start, self.end) {
            (Some((a, pa)), Some((b, pb))) => Some(((b - a).max(0) / 1_000, pa.max(pb))),
            _ => None,
        };
        match (self.facts.millis(&F::Duration), between) {
            (Some((_, stated)), Some((ms, found))) if found < stated => Some(ms),
            (Some((ms, _)), _) => Some(ms),
            (None, between) => between.map(|(ms, _)| ms),
        }
    }
}

fn kind_order(kind: &str) -> u8 {
    const KINDS: [&str; 14] = [
        "menu",
        "bot",
        "callback",
        "dial",
        "queue",
        "offer",
        "talk",
        "hold",
        "park",
        "monitor",
        "share",
        "voicemail",
        "wrapup",
        "message",
    ];
    KINDS
        .iter()
        .position(|k| *k == kind)
        .map_or(u8::MAX, |n| n as u8)
}

/// One of these is open for a customer at a time.
fn exclusive(kind: &str) -> bool {
    matches!(
        kind,
        "menu" | "bot" | "queue" | "voicemail" | "callback" | "park"
    )
}

/// What is known beyond the segments.
#[derive(Debug, Clone, Copy, Default)]
pub struct Around<'a> {
    /// The contact's stated end.
    pub end: Option<i64>,
    /// Restarts of the instance, ascending.
    pub restarts: &'a [i64],
    /// Until when nothing was heard.
    pub silence: Option<i64>,
    /// The last time that any record of the contact states.
    pub last_sign: i64,
}

/// Ends what never ended, where that follows from what is known, and concludes outcomes.
/// `spans` must be in their order.
pub fn close(spans: &mut [Span<'_>], around: Around<'_>) {
    // Children first need their parents' ends, and parents come before their children.
    for i in 0..spans.len() {
        if spans[i].progress == Progress::Closed {
            continue;
        }
        let Some((start, _)) = spans[i].start else {
            continue;
        };
        let ends = [
            (successor(spans, i), "successor"),
            (parent_end(spans, i), "parent"),
            (around.end.map(|e| e.max(start)), "parent"),
            (restart(start, around), "restart"),
        ];
        let first = ends
            .into_iter()
            .filter_map(|(at, basis)| Some((at?, basis)))
            .min();
        if let Some((at, basis)) = first {
            spans[i].end = Some((at, 1));
            spans[i].end_basis = Some(basis);
            spans[i].progress = Progress::Closed;
        } else if around
            .silence
            .is_some_and(|s| s - start >= segment_age(spans[i].kind))
        {
            spans[i].end_basis = Some("timeout");
            spans[i].progress = Progress::Lost;
        }
    }
    for i in 0..spans.len() {
        if spans[i].outcome.is_none() && spans[i].progress == Progress::Closed {
            spans[i].outcome = concluded(spans, i, around).map(str::to_owned);
        }
    }
}

fn successor(spans: &[Span<'_>], i: usize) -> Option<i64> {
    let span = &spans[i];
    let (start, _) = span.start?;
    if !exclusive(span.kind) {
        return None;
    }
    spans[i + 1..]
        .iter()
        .filter(|s| exclusive(s.kind) || (s.kind == "talk" && serves(s)))
        .filter_map(|s| s.start)
        .map(|(at, _)| at)
        .find(|at| *at >= start)
}

fn serves(s: &Span<'_>) -> bool {
    !matches!(s.facts.text(&F::Mode), Some("consult" | "internal"))
}

fn parent_end(spans: &[Span<'_>], i: usize) -> Option<i64> {
    let parent = spans[i].parent?;
    let (start, _) = spans[i].start?;
    // A wrap-up or a talk outlives the talk or queue stay from which it came.
    if matches!(spans[i].kind, "wrapup" | "talk") {
        return None;
    }
    let end = spans.iter().find(|s| s.id == parent)?.end?.0;
    Some(end.max(start))
}

fn restart(start: i64, around: Around<'_>) -> Option<i64> {
    let barrier = around.restarts.iter().copied().find(|t| *t > start)?;
    // What was last seen before the restart is a lower bound of the true end.
    Some(around.last_sign.min(barrier).max(start))
}

fn concluded(spans: &[Span<'_>], i: usize, around: Around<'_>) -> Option<&'static str> {
    let span = &spans[i];
    let start = span.start.or(span.end)?.0;
    let after = |kind: &str| {
        spans[i + 1..]
            .iter()
            .any(|s| s.kind == kind && s.start.is_some_and(|(at, _)| at >= start))
    };
    match span.kind {
        "queue" => Some(
            if spans
                .iter()
                .any(|s| s.kind == "talk" && s.parent == Some(span.id))
                || spans[i + 1..]
                    .iter()
                    .find(|s| matches!(s.kind, "queue" | "talk" | "voicemail"))
                    .is_some_and(|s| s.kind == "talk" && serves(s))
            {
                "answered"
            } else if after("queue") {
                "transferred"
            } else if after("voicemail") {
                "voicemail"
            } else if after("callback") {
                "callback"
            } else if around.end.is_some() && span.end_basis != Some("restart") {
                "abandoned"
            } else {
                "unknown"
            },
        ),
        "talk" if around.end.is_some() => Some("completed"),
        "menu" => Some(if after("queue") || after("talk") || after("voicemail") {
            "selected"
        } else {
            "hangup"
        }),
        "hold" => Some(if span.end_basis.is_some() {
            "hangup"
        } else {
            "resumed"
        }),
        "offer" => {
            let queue = span.parent;
            let taken = spans.iter().find(|s| s.kind == "talk" && s.parent == queue);
            match taken {
                Some(t) if t.facts.text(&F::Agent) == span.facts.text(&F::Agent) => {
                    Some("accepted")
                }
                Some(_) => Some("taken_elsewhere"),
                None => None,
            }
        }
        "wrapup" => Some("completed"),
        "monitor" | "share" => Some("ended"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::merge::State;
    use crate::record::Provenance;
    use crate::statement::{Statement, Thing};

    #[test]
    fn what_is_over_since_nobody_knows_when_has_no_end_and_no_length() {
        let by = Arc::new(Provenance {
            rank: 40,
            recorded_at: None,
            sequence: 0,
            source: "/t".into(),
            id: "1".into(),
            hash: 0,
        });
        let of = |told: Option<(F, Value)>| {
            let said = Statement::new(Thing::Segment("q".into()), &by)
                .text(F::Kind, "queue")
                .time(F::Start, 1_000_000, 1);
            let said = told.into_iter().fold(said, |s, (f, v)| s.with(f, v));
            let state = State::of(&[said]);
            let facts = state.get(&Thing::Segment("q".into())).unwrap().clone();
            let mut spans = [Span::stated("q", &facts)];
            let around = Around {
                end: Some(9_000_000),
                last_sign: 9_000_000,
                ..Around::default()
            };
            close(&mut spans, around);
            let [span] = spans;
            (
                span.progress,
                span.end.map(|e| e.0),
                span.end_basis,
                span.duration_ms(),
            )
        };
        let over = of(Some((F::Over, Value::Bool(true))));
        assert_eq!(over, (Progress::Closed, None, Some("untold"), None));
        let parent = of(None);
        assert_eq!(
            parent,
            (
                Progress::Closed,
                Some(9_000_000),
                Some("parent"),
                Some(8_000)
            )
        );
        let stated = of(Some((F::Duration, Value::Millis(3_000, 0))));
        assert_eq!(stated.1, Some(4_000_000));
    }
}
