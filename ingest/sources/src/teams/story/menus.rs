//! Visits to auto attendants.

use callboard_model::record::rank;
use callboard_model::statement::{F, Statement};

use super::legs::Kind;
use super::{Call, Part, queue_name, ranked, segment, timed};
use crate::teams::read::{after, short};
use crate::teams::voice::{Menu, VoiceRow};
use crate::teams::words;

/// The visits, in order. The analytics report the first of a chain alone; the call record may know
/// more.
pub(super) fn tell(call: &Call, said: &mut Vec<Statement>) -> Vec<Part> {
    let mut rows: Vec<(&VoiceRow, &Menu)> = call
        .rows
        .iter()
        .filter_map(|r| Some((r, r.menu.as_ref()?)))
        .collect();
    rows.sort_by_key(|(r, m)| (m.index, m.start.or(r.start), m.name.clone()));
    // A row of a queue names the auto attendant too, where it was asked to: that is one visit.
    rows.dedup_by(|(_, later), (_, first)| {
        later.index == first.index
            && later.name.as_deref().map(short) == first.name.as_deref().map(short)
    });
    let queue = call
        .rows
        .iter()
        .find_map(|r| r.stay.as_ref()?.name.as_deref());
    let mut parts = Vec::new();
    for (n, (row, menu)) in rows.iter().enumerate() {
        parts.push(of_row(call, n, row, menu, queue, said));
    }
    for (n, leg) in call.legs_of(Kind::Menu).into_iter().enumerate() {
        let id = id(n);
        let by = ranked(&leg.by, rank::LIVE);
        let mut s = segment(&id, "menu", &by).text(F::Name, queue_name(&leg.name));
        s = timed(s, F::Start, leg.start);
        // Where the analytics state a length it holds; else this is the only end.
        let length = rows.get(n).and_then(|(_, m)| m.length);
        if length.is_none() {
            s = timed(s, F::End, leg.end);
        }
        said.push(s);
        match parts.get_mut(n) {
            Some(part) => part.end = part.end.or(leg.end),
            None => parts.push(Part {
                id,
                start: leg.start,
                end: leg.end,
                name: leg.name.clone(),
                outcome: String::new(),
            }),
        }
    }
    parts
}

fn id(n: usize) -> String {
    format!("aa{}", n + 1)
}

fn of_row(
    call: &Call,
    n: usize,
    row: &VoiceRow,
    menu: &Menu,
    queue: Option<&str>,
    said: &mut Vec<Statement>,
) -> Part {
    let id = id(n);
    let word = |w: &Option<String>| w.clone().unwrap_or_default();
    let (flow, search) = (word(&menu.flow), word(&menu.search));
    let result = word(&menu.result);
    let end = words::menu_end(&result, &word(&menu.action));
    let start = menu.start.or(row.start);
    let finished = match (start, menu.length) {
        (Some(start), Some(length)) => Some(after(start, length)),
        _ => None,
    };
    let target = match (end.target_kind, end.target) {
        ("voice_app", "") => queue.map(queue_name).unwrap_or_default(),
        (_, target) => target,
    };
    let name = menu
        .name
        .as_deref()
        .or(menu.id.as_deref())
        .unwrap_or_default();
    let mut s = segment(&id, "menu", &row.by)
        .text(F::Name, queue_name(name))
        .text(F::Outcome, end.outcome)
        .text(F::RawOutcome, &result)
        .text(F::TargetKind, end.target_kind)
        .text(F::Target, target)
        .text(F::EndedBy, end.ended_by)
        .text(F::InputType, words::menu_input(&flow, &search))
        .text(F::Mode, words::search_mode(&search))
        .text(F::Reason, &flow);
    s = timed(s, F::Start, start);
    if let Some((ms, precision)) = menu.length {
        s = s.millis(F::Duration, ms, precision);
    } else if end.outcome != "transferred" && call.rows.iter().all(|r| r.stay.is_none()) {
        s = timed(s, F::End, row.end);
    }
    said.push(s);
    if end.target_kind == "shared_voicemail" {
        let mut s = segment(&format!("{id}-mailbox"), "voicemail", &row.by).text(F::Name, "shared");
        s = timed(s, F::Start, finished);
        said.push(timed(s, F::End, row.end));
    }
    Part {
        id,
        start,
        end: finished,
        name: name.to_owned(),
        outcome: end.outcome.to_owned(),
    }
}
