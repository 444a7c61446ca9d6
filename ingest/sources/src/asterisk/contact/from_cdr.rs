//! What call detail records say of a contact. Beside other feeds they add who called and what was
//! dialled; alone they give what can be had: one row per path, whole seconds, no queue's outcome.

use std::collections::BTreeMap;

use callboard_model::statement::F;

use super::{Story, incoming};
use crate::asterisk::cdr::Row;
use crate::asterisk::{Body, Feed, Mark, Parsed, WHOLE_SECOND};

const FEED: Feed = Feed::Cdr;

fn rows<'a>(lines: &'a [Parsed<'_>]) -> Vec<(&'a Mark, &'a Row<'a>)> {
    lines
        .iter()
        .filter_map(|l| match &l.body {
            Body::Cdr(row) => Some((&l.mark, row)),
            _ => None,
        })
        .collect()
}

/// Beside other feeds: caller and dialled number, outranked by whatever another feed says.
pub(super) fn read_beside(lines: &[Parsed<'_>], story: &mut Story) {
    for (mark, row) in rows(lines) {
        if row.uniqueid == row.linkedid {
            who(row, mark, story);
        }
    }
}

fn who(row: &Row<'_>, mark: &Mark, story: &mut Story) {
    story
        .contact
        .guess_text(mark, F::Customer, &row.src)
        .guess_text(mark, F::CustomerName, &row.caller_name());
    if let Some(dialled) = row.dialled() {
        story.customer = true;
        story
            .contact
            .guess_text(mark, F::Dialled, dialled)
            .guess_text(mark, F::Direction, "inbound");
    }
    if row.app == "Queue" || incoming(&row.context) {
        story.customer = true;
    }
}

/// Alone: the caller's rows in a queue are one stay, the answered one of them its talk. When he
/// entered the queue no row tells, so the stay begins with the call.
pub(super) fn read_alone(lines: &[Parsed<'_>], story: &mut Story) {
    let rows = rows(lines);
    let mut ends: Vec<(i64, &Mark)> = Vec::new();
    for (mark, row) in &rows {
        if row.uniqueid == row.linkedid {
            who(row, mark, story);
        }
        ends.extend(row.end.map(|end| (end, *mark)));
    }
    if let Some((mark, _)) = rows.first() {
        story
            .contact
            .guess_at(mark, F::Start, mark.at, WHOLE_SECOND)
            .guess_text(mark, F::Channel, "voice");
    }
    // The rows are written when all is over.
    if let Some((end, mark)) = ends.iter().max_by_key(|(end, m)| (*end, m.by.id.clone())) {
        story.contact.guess_at(mark, F::End, *end, WHOLE_SECOND);
    }
    let mut queues: BTreeMap<(&str, &str), Vec<(&Mark, &Row<'_>)>> = BTreeMap::new();
    for (mark, row) in &rows {
        if row.app == "Queue" {
            let queue = row.appdata.split(',').next().unwrap_or("");
            queues
                .entry((&row.uniqueid, queue))
                .or_default()
                .push((mark, row));
        }
    }
    for ((call, queue), paths) in queues {
        let (first, start) = (paths[0].0, paths[0].1.start);
        let stay = story.enter(FEED, call, queue, start, first);
        stay.claims.guess_at(first, F::Start, start, WHOLE_SECOND);
        let answered = paths
            .iter()
            .find(|(_, r)| r.disposition == "ANSWERED" && !r.dstchannel.is_empty());
        let Some((mark, path)) = answered else {
            if let Some((mark, last)) = paths.last()
                && let Some(end) = last.end
            {
                stay.until = Some(end);
                stay.claims.guess_at(mark, F::End, end, WHOLE_SECOND);
            }
            continue;
        };
        // The other half of the member's Local channel knows when the phone answered.
        let half = path.dstchannel.split(';').next().unwrap_or("");
        let phone = rows.iter().find(|(_, r)| {
            r.app == "Dial" && r.answer.is_some() && r.channel.split(';').next() == Some(half)
        });
        let began = phone
            .and_then(|(_, r)| r.answer)
            .or(path.answer)
            .unwrap_or(path.start);
        stay.until = Some(began);
        stay.claims
            .guess_at(mark, F::End, began, WHOLE_SECOND)
            .guess_text(mark, F::Outcome, "answered")
            .guess_text(mark, F::RawOutcome, &path.disposition);
        let device = super::plumbing::device(&path.dstchannel).to_owned();
        let talk = stay.answer(mark, None);
        talk.at = began;
        talk.claims
            .guess_at(mark, F::Start, began, WHOLE_SECOND)
            .guess_text(mark, F::Agent, &device)
            .guess_text(mark, F::Outcome, "completed");
        if let Some(end) = path.end {
            talk.until = Some(end);
            talk.claims.guess_at(mark, F::End, end, WHOLE_SECOND);
        }
    }
}
