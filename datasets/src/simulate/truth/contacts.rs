//! Rows of a contact, and what it adds to queues and agents.

use callboard_model::cloudevents::words::SegmentKind;

use super::super::fate::Heard;
use super::super::story::{Link, Story};
use super::super::tell::holds_of;
use super::super::world::Site;
use super::agents::{Layer, Span};
use super::closing::{Known, close};
use super::queues::Stay;
use super::tables::{At, ContactRow, LinkRow, OfferRow, SegmentRow};

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
pub fn rows(site: &Site, heard: &Heard<'_>) -> Rows {
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
    for known in &parts {
        let part = known.part;
        let queue = part
            .queue
            .map(|q| site.queue_name(q, heard.story).to_owned());
        let agent = part.agent.map(|a| site.agents[a].name.clone());
        if part.kind == SegmentKind::Offer {
            rows.offers.push(OfferRow {
                contact_id: heard.story.id.clone(),
                queue,
                agent,
                offered_at: At(part.start),
                ring_ms: known.lasted(),
                outcome: known.outcome,
            });
            continue;
        }
        let target = part.target.as_ref().filter(|_| known.told);
        rows.segments.push(SegmentRow {
            contact_id: heard.story.id.clone(),
            seq: rows.segments.len() as i64 + 1,
            kind: part.kind.as_str(),
            queue,
            agent,
            started_at: At(part.start),
            ended_at: known.end.map(At),
            outcome: known.outcome,
            target_kind: target.map(|(kind, _)| kind.as_str()),
            target: target.map(|(_, to)| to.clone()).filter(|to| !to.is_empty()),
        });
    }
    rows
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

/// Holds in a talk: the told ones if there are any, else what the end of the talk states.
fn held(site: &Site, story: &Story, parts: &[Known<'_>], talk: &Known<'_>) -> Option<i64> {
    let mut holds = parts
        .iter()
        .filter(|k| k.part.kind == SegmentKind::Hold && k.part.parent == Some(talk.place))
        .peekable();
    if holds.peek().is_some() {
        return sum(holds.map(Known::lasted));
    }
    (talk.told && site.states_holds(story)).then(|| holds_of(story, talk.place).0)
}

fn contact(site: &Site, heard: &Heard<'_>, parts: &[Known<'_>]) -> ContactRow {
    let story = heard.story;
    let of = |kind: SegmentKind| parts.iter().filter(move |k| k.part.kind == kind);
    let stays = of(SegmentKind::Queue).filter(|k| k.outcome != Some("refused"));
    let talks: Vec<&Known<'_>> = parts.iter().filter(|k| k.serves()).collect();
    let last_stay = of(SegmentKind::Queue).next_back();
    let last = last_stay.or_else(|| parts.iter().rfind(|k| k.part.kind != SegmentKind::Offer));
    let all_ended = !parts.is_empty() && parts.iter().all(|k| k.end.is_some());
    let (state, ended_at) = match heard.end {
        Some(end) => ("closed", Some(end)),
        None if all_ended => ("closed", parts.iter().filter_map(|k| k.end).max()),
        None => ("lost", None),
    };
    let word = last.and_then(|k| k.raw.clone());
    let whole = (heard.end.is_some() && !story.raw.is_empty()).then(|| story.raw.to_owned());
    ContactRow {
        contact_id: story.id.clone(),
        source: site.source.clone(),
        channel: story.channel.as_str(),
        direction: story.direction.as_str(),
        queue: last_stay
            .and_then(|k| k.part.queue)
            .map(|q| site.queue_name(q, story).to_owned()),
        agent: talks
            .last()
            .and_then(|k| k.part.agent)
            .map(|a| site.agents[a].name.clone()),
        customer: (!heard.customer.is_empty()).then(|| heard.customer.clone()),
        started_at: At(story.start),
        ended_at: ended_at.map(At),
        outcome: last.and_then(|k| k.outcome),
        raw_outcome: word.or(whole),
        wait_ms: sum(stays.map(Known::lasted)),
        talk_ms: sum(talks.iter().map(|k| k.lasted())),
        hold_ms: sum(talks.iter().map(|k| held(site, heard.story, parts, k))),
        wrap_ms: sum(of(SegmentKind::Wrapup).map(Known::lasted)),
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
        queue: site.queue_name(number, heard.story).to_owned(),
        entered: known.part.start,
        waited: known.lasted(),
        outcome: known.outcome,
        threshold: queue.threshold,
        short: queue.short,
        talk: sum(followed(SegmentKind::Talk).map(Known::lasted)),
        hold: sum(followed(SegmentKind::Talk).map(|k| held(site, heard.story, parts, k))),
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
