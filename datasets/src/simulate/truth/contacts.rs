//! Rows of a contact, and what it adds to queues and agents.

use std::collections::HashMap;

use callboard_model::cloudevents::words::SegmentKind;

use super::super::fate::Heard;
use super::super::story::{Link, Story};
use super::super::tell::{holds_of, segment_id};
use super::super::world::Site;
use super::agents::{Layer, Span};
use super::closing::{Known, close};
use super::queues::Stay;
use super::rows::{At, ContactRow, LinkRow, OfferRow, SegmentRow};

/// Rows of one contact, and what it adds elsewhere.
pub struct Rows {
    /// Its own.
    pub contact: ContactRow,
    /// Segments.
    pub segments: Vec<SegmentRow>,
    /// Offers.
    pub offers: Vec<OfferRow>,
    /// Links.
    pub links: Vec<LinkRow>,
    /// Its stays in queues.
    pub stays: Vec<Stay>,
    /// What it took of agents' time, by their numbers.
    pub spans: Vec<(usize, Span)>,
}

/// Makes them.
pub fn of_contact(site: &Site, heard: &Heard<'_>) -> Rows {
    let parts = close(heard);
    let mut rows = Rows {
        contact: contact(site, heard, &parts),
        segments: Vec::new(),
        offers: Vec::new(),
        links: heard
            .links
            .iter()
            .map(|l| link(heard, &heard.story.links[*l]))
            .collect(),
        stays: parts
            .iter()
            .filter_map(|k| stay(site, heard, &parts, k))
            .collect(),
        spans: spans(&parts),
    };
    let segments = parts.iter().filter(|k| k.part.kind != SegmentKind::Offer);
    let numbers: HashMap<usize, i64> = segments.map(|k| k.place).zip(1..).collect();
    for known in &parts {
        let parent = known.part.parent;
        let parent = parent.and_then(|place| numbers.get(&place).copied());
        match numbers.get(&known.place) {
            Some(seq) => {
                let row = segment(site, heard, &parts, known, *seq, parent);
                rows.segments.push(row);
            }
            None => {
                let seq = rows.offers.len() as i64 + 1;
                rows.offers.push(offer(site, heard, known, seq, parent));
            }
        }
    }
    rows
}

fn queue_of(site: &Site, heard: &Heard<'_>, known: &Known<'_>) -> Option<String> {
    let queue = known.part.queue?;
    Some(site.queue_name(queue, heard.story).to_owned())
}

fn agent_of(site: &Site, known: &Known<'_>) -> Option<String> {
    Some(site.agents[known.part.agent?].name.clone())
}

fn offer(
    site: &Site,
    heard: &Heard<'_>,
    known: &Known<'_>,
    seq: i64,
    queue_seq: Option<i64>,
) -> OfferRow {
    OfferRow {
        contact_id: heard.story.id.clone(),
        seq,
        segment_id: segment_id(heard.story, known.place),
        queue: queue_of(site, heard, known),
        queue_seq,
        agent: agent_of(site, known),
        offered_at: At(known.part.start),
        ended_at: known.end.map(At),
        ring_ms: known.lasted(),
        outcome: known.outcome,
        raw_outcome: known.raw.clone(),
        end_basis: known.basis,
    }
}

fn segment(
    site: &Site,
    heard: &Heard<'_>,
    parts: &[Known<'_>],
    known: &Known<'_>,
    seq: i64,
    parent_seq: Option<i64>,
) -> SegmentRow {
    let part = known.part;
    let target = part.target.as_ref().filter(|_| known.told);
    let (hold_ms, hold_count) = match part.kind {
        SegmentKind::Talk => held(site, heard.story, parts, known),
        _ => (None, None),
    };
    SegmentRow {
        contact_id: heard.story.id.clone(),
        seq,
        segment_id: segment_id(heard.story, known.place),
        kind: part.kind.as_str(),
        queue: queue_of(site, heard, known),
        agent: agent_of(site, known),
        started_at: At(part.start),
        ended_at: known.end.map(At),
        duration_ms: known.lasted(),
        outcome: known.outcome,
        raw_outcome: known.raw.clone(),
        target_kind: target.map(|(kind, _)| kind.as_str()),
        target: target.map(|(_, to)| to.clone()).filter(|to| !to.is_empty()),
        end_basis: known.basis,
        state: known.state(),
        parent_seq,
        hold_ms,
        hold_count,
        name: said(part.name),
        // What was pressed is told with the end.
        input: said(part.input).filter(|_| known.told),
        mode: said(part.mode),
    }
}

/// A word, where there is one.
fn said(word: &'static str) -> Option<&'static str> {
    (!word.is_empty()).then_some(word)
}

fn link(heard: &Heard<'_>, link: &Link) -> LinkRow {
    LinkRow {
        from_contact: heard.story.id.clone(),
        to_contact: link.to.clone(),
        kind: link.kind.as_str(),
        at: At(link.at),
    }
}

/// A sum of what is known; not known when nothing is.
fn sum(of: impl Iterator<Item = Option<i64>>) -> Option<i64> {
    of.flatten()
        .fold(None, |all, ms| Some(all.unwrap_or(0) + ms))
}

/// Holds in a talk, milliseconds and number: the told ones if there are any, else what the end of the
/// talk states.
fn held(
    site: &Site,
    story: &Story,
    parts: &[Known<'_>],
    talk: &Known<'_>,
) -> (Option<i64>, Option<i64>) {
    let own =
        |k: &&Known<'_>| k.part.kind == SegmentKind::Hold && k.part.parent == Some(talk.place);
    let holds = || parts.iter().filter(own);
    match holds().count() {
        0 if talk.told && site.states_holds(story) => {
            let (ms, number) = holds_of(story, talk.place);
            (Some(ms), Some(number))
        }
        0 => (None, None),
        number => (sum(holds().map(Known::lasted)), Some(number as i64)),
    }
}

fn contact(site: &Site, heard: &Heard<'_>, parts: &[Known<'_>]) -> ContactRow {
    let story = heard.story;
    let of = |kind: SegmentKind| parts.iter().filter(move |k| k.part.kind == kind);
    // Who was turned away at the door was in no queue.
    let stays = || of(SegmentKind::Queue).filter(|k| k.outcome != Some("refused"));
    let talks: Vec<&Known<'_>> = parts.iter().filter(|k| k.serves()).collect();
    let last_stay = of(SegmentKind::Queue).next_back();
    let last = last_stay.or_else(|| parts.iter().rfind(|k| k.part.kind != SegmentKind::Offer));
    let all_ended = !parts.is_empty() && parts.iter().all(|k| k.end.is_some());
    let (state, ended_at, end_basis) = match heard.end {
        Some(end) => ("closed", Some(end), None),
        None if all_ended => (
            "closed",
            parts.iter().filter_map(|k| k.end).max(),
            Some("computed"),
        ),
        None => ("lost", None, Some("timeout")),
    };
    let word = last.and_then(|k| k.raw.clone());
    let whole = (heard.end.is_some() && !story.raw.is_empty()).then(|| story.raw.to_owned());
    let less = site.tells_less(story);
    let handed_over = |k: &&Known<'_>| k.told && k.part.outcome == "transferred";
    ContactRow {
        contact_id: story.id.clone(),
        source: site.source.clone(),
        channel: story.channel.as_str(),
        direction: story.direction.as_str(),
        queue: last_stay.and_then(|k| queue_of(site, heard, k)),
        agent: talks.last().and_then(|k| agent_of(site, k)),
        customer: (!heard.customer.is_empty()).then(|| heard.customer.clone()),
        customer_name: said(story.name).filter(|_| !less),
        site: (!less).then(|| site.name.clone()),
        started_at: At(story.start),
        ended_at: ended_at.map(At),
        outcome: last.and_then(|k| k.outcome),
        raw_outcome: word.or(whole),
        ended_by: heard.end.map(|_| story.ended_by.as_str()),
        end_basis,
        wait_ms: sum(stays().map(Known::lasted)),
        talk_ms: sum(talks.iter().map(|k| k.lasted())),
        hold_ms: sum(talks.iter().map(|k| held(site, story, parts, k).0)),
        wrap_ms: sum(of(SegmentKind::Wrapup).map(Known::lasted)),
        transfers: of(SegmentKind::Talk).filter(handed_over).count() as i64,
        queues: stays().filter_map(|k| queue_of(site, heard, k)).collect(),
        agents: talks.iter().filter_map(|k| agent_of(site, k)).collect(),
        state,
    }
}

/// A stay in a queue with the talks that followed it.
fn stay(site: &Site, heard: &Heard<'_>, parts: &[Known<'_>], known: &Known<'_>) -> Option<Stay> {
    if known.part.kind != SegmentKind::Queue {
        return None;
    }
    let number = known.part.queue?;
    let queue = &site.queues[number];
    let followed = |kind: SegmentKind| {
        let place = known.place;
        parts
            .iter()
            .filter(move |k| k.part.kind == kind && k.part.stay == Some(place))
    };
    Some(Stay {
        queue: queue_of(site, heard, known)?,
        entered: known.part.start,
        waited: known.lasted(),
        outcome: known.outcome,
        threshold: queue.threshold,
        short: queue.short,
        talk: sum(followed(SegmentKind::Talk).map(Known::lasted)),
        talks: followed(SegmentKind::Talk)
            .filter(|k| k.end.is_some())
            .count() as i64,
        hold: sum(followed(SegmentKind::Talk).map(|k| held(site, heard.story, parts, k).0)),
        wrap: sum(followed(SegmentKind::Wrapup).map(Known::lasted)),
    })
}

/// What it took of agents' time. A talk is the conversation without its own holds.
fn spans(parts: &[Known<'_>]) -> Vec<(usize, Span)> {
    let mut spans = Vec::new();
    for known in parts {
        let (Some(agent), Some(end)) = (known.part.agent, known.end) else {
            continue;
        };
        let layer = match known.part.kind {
            SegmentKind::Talk => Layer::Talk,
            SegmentKind::Hold => Layer::Hold,
            SegmentKind::Offer => Layer::Ringing,
            SegmentKind::Wrapup => Layer::Wrapup,
            _ => continue,
        };
        let mut from = known.part.start;
        if layer == Layer::Talk {
            for hold in parts {
                let own = hold.part.kind == SegmentKind::Hold && hold.part.agent == Some(agent);
                if let (true, Some(until)) = (own, hold.end) {
                    let begins = hold.part.start.max(from).min(end);
                    spans.push((
                        agent,
                        Span {
                            layer,
                            from,
                            until: begins,
                        },
                    ));
                    from = from.max(until).min(end);
                }
            }
        }
        spans.push((
            agent,
            Span {
                layer,
                from,
                until: end,
            },
        ));
    }
    spans.retain(|(_, span)| span.until > span.from);
    spans
}
