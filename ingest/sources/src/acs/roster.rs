//! Who was in a call from when to when, and who was on hold: folded from the participant lists that
//! each leg gets for itself, from Event Grid's joined and left, and from the call log.

use std::collections::BTreeMap;

use super::Event;
use super::ids;
use super::logs;
use super::parts::When;

/// A hold shorter than this is none, microseconds: a hold that fails shows as one of half a second.
const SHORTEST_HOLD: i64 = 1_000_000;
/// A prompt to one participant puts him on hold for its time; both are told within this, microseconds.
const NEAR: i64 = 1_500_000;

/// A span of time.
#[derive(Debug, Clone)]
pub struct Span {
    /// Start.
    pub start: When,
    /// End; none where it was not told.
    pub end: Option<When>,
}

impl Span {
    /// Whether this moment lies in it.
    pub fn covers(&self, at: i64) -> bool {
        self.start.at <= at && self.end.as_ref().is_none_or(|e| at <= e.at)
    }
}

/// Raw identifiers with the spans of each, in order.
pub type Spans = BTreeMap<String, Vec<Span>>;

/// Who was there, and who was on hold.
#[derive(Debug, Default)]
pub struct Roster {
    /// Presence of each participant.
    pub present: Spans,
    /// Holds, whoever was held.
    pub holds: Vec<Span>,
    /// Display names.
    pub names: BTreeMap<String, String>,
}

/// A participant list of one leg.
struct List {
    sequence: Option<i64>,
    when: When,
    /// Raw identifier, on hold.
    all: Vec<(String, bool)>,
}

/// Reads the presence of participants from a contact's events.
pub fn read(events: &[Event]) -> Roster {
    let mut roster = Roster::default();
    let mut legs: BTreeMap<String, Vec<List>> = BTreeMap::new();
    let mut ends: BTreeMap<String, When> = BTreeMap::new();
    let (mut grid, mut invited): (Spans, Spans) = Default::default();
    let mut removed: Vec<(String, &When)> = Vec::new();
    for event in events {
        let (d, when) = (event.data(), &event.when);
        match event.kind.as_str() {
            "ParticipantsUpdated" => {
                let all = d.list("participants").map(|p| {
                    let raw = ids::raw_id(p.get("identifier"));
                    (raw, p.flag("isOnHold").unwrap_or(false))
                });
                legs.entry(leg(event)).or_default().push(List {
                    sequence: d.int("sequenceNumber"),
                    when: when.clone(),
                    all: all.filter(|(raw, _)| !raw.is_empty()).collect(),
                });
            }
            "CallDisconnected" => {
                ends.insert(leg(event), when.clone());
            }
            "CallParticipantAdded" => {
                let raw = ids::raw_id(d.get("user"));
                let name = d.text("displayName");
                if !name.is_empty() {
                    roster.names.insert(raw.clone(), name);
                }
                open(&mut grid, raw, when);
            }
            "AddParticipantSucceeded" => {
                open(&mut invited, ids::raw_id(d.get("participant")), when);
            }
            "RemoveParticipantSucceeded" => {
                removed.push((ids::raw_id(d.get("participant")), when));
            }
            "CallParticipantRemoved" => close(&mut grid, &ids::raw_id(d.get("user")), when),
            _ => {}
        }
    }
    let mut views = vec![grid, invited, logs::presence(events)];
    let mut holds: Vec<Span> = Vec::new();
    for (leg, mut lists) in legs {
        lists.sort_by(|a, b| {
            let by_sequence = match (a.sequence, b.sequence) {
                (Some(a), Some(b)) => a.cmp(&b),
                _ => std::cmp::Ordering::Equal,
            };
            by_sequence.then_with(|| a.when.at.cmp(&b.when.at))
        });
        let (present, held) = fold(&lists, ends.get(&leg));
        views.push(present);
        holds.extend(held.into_values().flatten());
    }
    let mut all: Spans = BTreeMap::new();
    for (raw, spans) in views
        .into_iter()
        .flatten()
        .filter(|(raw, _)| !raw.is_empty())
    {
        all.entry(raw).or_default().extend(spans);
    }
    roster.present = all.into_iter().map(|(r, s)| (r, union(s))).collect();
    // Of a participant who was removed often nothing more is told.
    for (raw, when) in removed {
        let spans = roster.present.entry(raw).or_default();
        let mut open = spans.iter_mut().filter(|s| s.end.is_none());
        if let Some(span) = open.find(|s| s.covers(when.at)) {
            span.end = Some(when.clone());
        }
    }
    let windows = prompts(events);
    roster.holds = union(holds);
    roster.holds.retain(|hold| is_hold(hold, &windows));
    roster
}

fn leg(event: &Event) -> String {
    match event.connection() {
        id if id.is_empty() => event.data().text("serverCallId"),
        id => id,
    }
}

fn open(spans: &mut Spans, raw: String, when: &When) {
    let of = spans.entry(raw).or_default();
    if of.last().is_none_or(|s| s.end.is_some()) {
        of.push(Span {
            start: when.clone(),
            end: None,
        });
    }
}

fn close(spans: &mut Spans, raw: &str, when: &When) {
    let of = spans.entry(raw.to_owned()).or_default();
    if of.is_empty() {
        // He was there before anything was told.
        of.push(Span {
            start: when.guess(),
            end: None,
        });
    }
    if let Some(span) = of.last_mut().filter(|s| s.end.is_none()) {
        span.end = Some(when.clone());
    }
}

/// Folds the lists of one leg, in their order. A list that was overtaken by a later one counts from
/// the moment of that.
fn fold(lists: &[List], end: Option<&When>) -> (Spans, Spans) {
    let (mut present, mut held): (Spans, Spans) = Default::default();
    let mut last = i64::MIN;
    for list in lists {
        let mut when = list.when.clone();
        when.at = when.at.max(last);
        last = when.at;
        for (raw, on_hold) in &list.all {
            open(&mut present, raw.clone(), &when);
            if *on_hold {
                open(&mut held, raw.clone(), &when);
            }
        }
        let is = |raw: &String, holding: bool| {
            let mut all = list.all.iter();
            all.any(|(r, on_hold)| r == raw && (!holding || *on_hold))
        };
        for (spans, holding) in [(&mut present, false), (&mut held, true)] {
            for (raw, of) in spans.iter_mut() {
                if let Some(span) = of.last_mut().filter(|s| s.end.is_none())
                    && !is(raw, holding)
                {
                    span.end = Some(when.clone());
                }
            }
        }
    }
    // Nobody is held in a leg that is gone; who stays in the call is told by other legs.
    if let Some(end) = end {
        for span in held.values_mut().flatten().filter(|s| s.end.is_none()) {
            span.end = Some(end.clone());
        }
    }
    (present, held)
}

/// Spans of several witnesses as one list: overlapping ones are the same, as each witness tells the
/// same change a little earlier or later; the first to tell it is nearest.
pub fn union(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by(|a, b| {
        a.start
            .at
            .cmp(&b.start.at)
            .then_with(|| a.start.by.tail_cmp(&b.start.by))
    });
    let mut out: Vec<Span> = Vec::new();
    for span in spans {
        match out.last_mut().filter(|s| s.covers(span.start.at)) {
            Some(held) => {
                held.end = match (held.end.take(), span.end) {
                    (Some(a), Some(b)) => Some(When::min(a, b)),
                    (a, b) => a.or(b),
                };
            }
            None => out.push(span),
        }
    }
    out
}

/// Times in which the application played something or failed to put somebody on hold.
fn prompts(events: &[Event]) -> Vec<(i64, i64)> {
    let mut windows: Vec<(i64, i64)> = Vec::new();
    let mut begun: BTreeMap<(String, String), i64> = BTreeMap::new();
    for event in events {
        let key = (leg(event), event.data().text("operationContext"));
        let at = event.when.at;
        match event.kind.as_str() {
            "PlayStarted" => {
                begun.insert(key, at);
            }
            "PlayCompleted" | "PlayFailed" | "PlayCanceled" | "HoldFailed" => {
                let from = begun.remove(&key).unwrap_or(at - NEAR);
                windows.push((from, at));
            }
            _ => {}
        }
    }
    windows
}

/// Whether somebody was put on hold: neither for less than a second nor for a prompt.
fn is_hold(hold: &Span, prompts: &[(i64, i64)]) -> bool {
    let start = hold.start.at;
    let Some(end) = hold.end.as_ref().map(|e| e.at) else {
        return true;
    };
    let of_prompt =
        |(from, to): &(i64, i64)| (start - from).abs() <= NEAR && (end - to).abs() <= NEAR;
    end - start >= SHORTEST_HOLD && !prompts.iter().any(of_prompt)
}
