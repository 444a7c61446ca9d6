//! What can be said of parts whose end nobody told. The rules are the documented ones: an end
//! follows from the next place in which the customer was, from the part it belongs to, or from the
//! end of the contact; where nothing follows, the part is lost.

use callboard_model::cloudevents::words::SegmentKind;

use super::super::fate::Heard;
use super::super::story::Part;

/// A part with what is known of it in the end.
#[derive(Debug, Clone)]
pub struct Known<'a> {
    /// Its place in the story.
    pub place: usize,
    /// What happened.
    pub part: &'a Part,
    /// Its end; `None` when it is lost.
    pub end: Option<i64>,
    /// Whether the end was told.
    pub told: bool,
    /// From what the end follows that was not told; of a lost part, that none came in time.
    pub basis: Option<&'static str>,
    /// Outcome, told or concluded.
    pub outcome: Option<&'static str>,
    /// The platform's word for the outcome, if it was told.
    pub raw: Option<String>,
}

impl Known<'_> {
    /// How long it lasted, if that is known.
    pub fn lasted(&self) -> Option<i64> {
        Some(self.end? - self.part.start)
    }

    /// How far it has come in the end.
    pub fn state(&self) -> &'static str {
        match self.end {
            Some(_) => "closed",
            None => "lost",
        }
    }

    /// Whether a customer is talked to.
    pub fn serves(&self) -> bool {
        self.part.kind == SegmentKind::Talk && self.part.mode != "internal"
    }
}

/// The parts in the order in which they began.
pub fn close<'a>(heard: &Heard<'a>) -> Vec<Known<'a>> {
    let mut all: Vec<Known<'a>> = heard
        .parts
        .iter()
        .enumerate()
        .filter_map(|(place, part)| {
            let part = part.as_ref()?;
            Some(Known {
                place,
                part: part.part,
                end: part.ended.then_some(part.part.end),
                told: part.ended,
                basis: None,
                outcome: part.ended.then_some(part.part.outcome),
                raw: (!part.raw.is_empty()).then(|| part.raw.clone()),
            })
        })
        .collect();
    // What was decided first stands first among equals: a stay before its offer.
    all.sort_by_key(|k| (k.part.start, k.place));
    for n in 0..all.len() {
        if all[n].end.is_none() {
            let start = all[n].part.start;
            // Of two that say the same, what it belongs to says it.
            let ends = [
                (owner(&all, n), "parent"),
                (heard.end, "parent"),
                (next_place(&all, n), "successor"),
            ];
            let ends = ends.into_iter().filter_map(|(at, by)| Some((at?, by)));
            let first = ends
                .map(|(at, by)| (at.max(start), by))
                .min_by_key(|(at, _)| *at);
            all[n].end = first.map(|(at, _)| at);
            all[n].basis = Some(first.map_or("timeout", |(_, by)| by));
        }
    }
    for n in 0..all.len() {
        if !all[n].told && all[n].end.is_some() {
            all[n].outcome = concluded(&all, n, heard.end.is_some());
        }
    }
    all
}

/// A customer is in one of these at a time.
fn place_of_customer(kind: SegmentKind) -> bool {
    matches!(
        kind,
        SegmentKind::Menu
            | SegmentKind::Bot
            | SegmentKind::Queue
            | SegmentKind::Voicemail
            | SegmentKind::Callback
            | SegmentKind::Park
    )
}

/// When the customer was next seen somewhere else.
fn next_place(all: &[Known<'_>], n: usize) -> Option<i64> {
    if !place_of_customer(all[n].part.kind) {
        return None;
    }
    all[n + 1..]
        .iter()
        .find(|k| place_of_customer(k.part.kind) || k.serves())
        .map(|k| k.part.start)
}

/// The end of what it belongs to. Talk and wrap-up outlive that.
fn owner(all: &[Known<'_>], n: usize) -> Option<i64> {
    if matches!(all[n].part.kind, SegmentKind::Talk | SegmentKind::Wrapup) {
        return None;
    }
    let place = all[n].part.parent?;
    all.iter().find(|k| k.place == place)?.end
}

fn concluded(all: &[Known<'_>], n: usize, over: bool) -> Option<&'static str> {
    let (this, later) = (&all[n], &all[n + 1..]);
    let came = |kind: SegmentKind| later.iter().any(|k| k.part.kind == kind);
    match this.part.kind {
        SegmentKind::Queue if all.iter().any(|k| k.part.stay == Some(this.place)) => {
            Some("answered")
        }
        SegmentKind::Queue if came(SegmentKind::Queue) => Some("transferred"),
        SegmentKind::Queue if came(SegmentKind::Voicemail) => Some("voicemail"),
        SegmentKind::Queue if came(SegmentKind::Callback) => Some("callback"),
        SegmentKind::Queue => Some(if over { "abandoned" } else { "unknown" }),
        SegmentKind::Menu if came(SegmentKind::Queue) => Some("selected"),
        SegmentKind::Menu => Some("hangup"),
        SegmentKind::Talk if over => Some("completed"),
        SegmentKind::Wrapup => Some("completed"),
        // Nobody took him off hold before the talk was over.
        SegmentKind::Hold => Some("hangup"),
        SegmentKind::Offer => {
            let talk = all
                .iter()
                .find(|k| k.part.kind == SegmentKind::Talk && k.part.parent == this.part.parent)?;
            Some(if talk.part.agent == this.part.agent {
                "accepted"
            } else {
                "taken_elsewhere"
            })
        }
        _ => None,
    }
}
