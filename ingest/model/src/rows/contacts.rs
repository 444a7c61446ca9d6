//! Rows of a contact: itself, its segments, offers, links and other names.

use std::collections::BTreeMap;

use crate::closing::{Around, Progress, Span, close, contact_age};
use crate::ids::PlatformId;
use crate::merge::{Facts, State};
use crate::rows::measurement_rows;
use crate::statement::{F, Thing, Value};
use crate::tables::{
    AliasRow, ContactRow, Day, Instant, LinkRow, MeasurementRow, OfferRow, SegmentRow,
};

/// All rows of one contact.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContactRows {
    /// Its own row; `None` when nothing says that there is a contact.
    pub contact: Option<ContactRow>,
    /// Segments in order, offers apart.
    pub segments: Vec<SegmentRow>,
    /// Offers in order.
    pub offers: Vec<OfferRow>,
    /// Links to other contacts.
    pub links: Vec<LinkRow>,
    /// Other names of the contact.
    pub aliases: Vec<AliasRow>,
    /// Measurements that its own records tell.
    pub measurements: Vec<MeasurementRow>,
}

/// Makes a contact's rows. `ids` are its platform ids; `restarts` those of its instance,
/// ascending, UTC microseconds.
pub fn contact_rows(ids: &[PlatformId], state: &State, restarts: &[i64]) -> ContactRows {
    let Some(least) = ids.iter().min_by(|a, b| a.order(b)) else {
        return ContactRows::default();
    };
    let contact_id = least.contact_id();
    let none = Facts::default();
    let own = state.get(&Thing::Contact);
    let facts = own.unwrap_or(&none);
    if facts.flag(&F::Withdrawn) {
        // Its platform says that it is no customer's contact, whoever else tells of it.
        return ContactRows {
            aliases: aliases(ids, &contact_id, Day(0)),
            ..Default::default()
        };
    }

    let mut spans: Vec<Span<'_>> = state
        .iter()
        .filter_map(|(thing, f)| match thing {
            Thing::Segment(id) => Some(Span::stated(id, f)),
            _ => None,
        })
        .collect();
    spans.sort_by(|a, b| a.order().cmp(&b.order()));

    let stated_start = facts.time(&F::Start).map(|t| t.0);
    let stated_end = facts.time(&F::End).map(|t| t.0);
    let known = spans
        .iter()
        .flat_map(|s| [s.start, s.end])
        .flatten()
        .map(|t| t.0);
    let last_sign = known
        .clone()
        .chain(stated_start)
        .chain(stated_end)
        .max()
        .unwrap_or(0);
    let first_sign = known.chain(stated_start).chain(stated_end).min();
    let Some(first_sign) = first_sign else {
        return ContactRows {
            aliases: aliases(ids, &contact_id, Day(0)),
            ..Default::default()
        };
    };
    let silence = state.silence();
    close(
        &mut spans,
        Around {
            end: stated_end,
            restarts,
            silence,
            last_sign,
        },
    );

    let started_at = Instant(first_sign);
    let day = started_at.day();
    let (progress, ended_at, end_basis) = contact_end(
        facts, &spans, stated_end, silence, first_sign, last_sign, restarts,
    );

    let (segments, offers) = segment_rows(&contact_id, &spans, day);
    let links = link_rows(&contact_id, state, day);
    let measurements = measurement_rows(&contact_id, &contact_id, state, Some(day));
    let contact = contact_row(
        &contact_id,
        facts,
        &spans,
        Ends {
            started_at,
            ended_at,
            end_basis,
            progress,
        },
        day,
    );
    ContactRows {
        contact: Some(contact),
        segments,
        offers,
        links,
        aliases: aliases(ids, &contact_id, day),
        measurements,
    }
}

struct Ends {
    started_at: Instant,
    ended_at: Option<Instant>,
    end_basis: Option<&'static str>,
    progress: Progress,
}

fn contact_end(
    facts: &Facts,
    spans: &[Span<'_>],
    stated: Option<i64>,
    silence: Option<i64>,
    first_sign: i64,
    last_sign: i64,
    restarts: &[i64],
) -> (Progress, Option<Instant>, Option<&'static str>) {
    if let Some(end) = stated {
        return (Progress::Closed, Some(Instant(end)), None);
    }
    let ended = spans.iter().filter_map(|s| s.end).map(|t| t.0).max();
    let restarted = restarts.iter().any(|t| *t > first_sign);
    let all_closed = !spans.is_empty() && spans.iter().all(|s| s.progress != Progress::Open);
    if restarted {
        let end = ended.unwrap_or(last_sign).max(first_sign);
        return (Progress::Closed, Some(Instant(end)), Some("restart"));
    }
    if all_closed && !facts.flag(&F::EndsAreStated) {
        return match ended {
            Some(end) if spans.iter().all(|s| s.progress == Progress::Closed) => {
                (Progress::Closed, Some(Instant(end)), Some("computed"))
            }
            _ => (Progress::Lost, None, Some("timeout")),
        };
    }
    let age = contact_age(facts.text(&F::Channel).unwrap_or("voice"));
    if silence.is_some_and(|s| s - last_sign >= age) {
        return (Progress::Lost, None, Some("timeout"));
    }
    (Progress::Open, None, None)
}

fn contact_row(
    contact_id: &str,
    facts: &Facts,
    spans: &[Span<'_>],
    ends: Ends,
    day: Day,
) -> ContactRow {
    let of = |kind: &'static str| spans.iter().filter(move |s| s.kind == kind);
    let stays: Vec<_> = of("queue")
        .filter(|s| s.outcome.as_deref() != Some("refused"))
        .collect();
    let talks: Vec<_> = of("talk")
        .filter(|s| !matches!(s.facts.text(&F::Mode), Some("internal" | "consult")))
        .collect();
    // Where no end is known, nothing is known of the length: that is not 0.
    let sum = |list: &[&Span<'_>]| {
        let known: Vec<i64> = list.iter().filter_map(|s| s.duration_ms()).collect();
        (!known.is_empty()).then(|| known.iter().sum::<i64>())
    };
    let wraps: Vec<_> = of("wrapup").collect();
    let holds: Vec<i64> = talks.iter().filter_map(|t| hold(spans, t).0).collect();
    let last_stay = of("queue").next_back();
    let last = last_stay.or_else(|| spans.iter().rfind(|s| s.kind != "offer"));
    let raw_of_last = last.and_then(|s| s.facts.owned(&F::RawOutcome));
    let agents: Vec<String> = talks
        .iter()
        .filter_map(|s| s.facts.owned(&F::Agent))
        .collect::<Vec<_>>();
    let attributes = attributes(facts);
    ContactRow {
        contact_id: contact_id.to_owned(),
        source: facts.owned(&F::Source).unwrap_or_default(),
        channel: facts
            .owned(&F::Channel)
            .unwrap_or_else(|| "unknown".to_owned()),
        direction: facts.owned(&F::Direction),
        queue: last_stay.and_then(|s| s.facts.owned(&F::Queue)),
        agent: agents.last().cloned(),
        customer: facts.owned(&F::Customer),
        customer_name: facts.owned(&F::CustomerName),
        dialled: facts.owned(&F::Dialled),
        tenant: facts.owned(&F::Tenant),
        site: facts.owned(&F::Site),
        line_of_business: facts.owned(&F::LineOfBusiness),
        campaign: facts.owned(&F::Campaign),
        language: facts.owned(&F::Language),
        started_at: Some(ends.started_at),
        ended_at: ends.ended_at,
        outcome: last.and_then(|s| s.outcome.clone()),
        raw_outcome: raw_of_last.or_else(|| facts.owned(&F::RawOutcome)),
        ended_by: facts
            .owned(&F::EndedBy)
            .or_else(|| spans.iter().rev().find_map(|s| s.facts.owned(&F::EndedBy))),
        end_reason: facts.owned(&F::EndReason),
        end_basis: ends.end_basis.map(str::to_owned),
        wait_ms: sum(&stays),
        talk_ms: sum(&talks),
        hold_ms: (!holds.is_empty()).then(|| holds.iter().sum()),
        wrap_ms: sum(&wraps),
        transfers: of("talk")
            .filter(|s| s.outcome.as_deref() == Some("transferred"))
            .count() as i64,
        queues: stays
            .iter()
            .filter_map(|s| s.facts.owned(&F::Queue))
            .collect(),
        agents,
        state: ends.progress.as_str().to_owned(),
        attributes,
        corrected_at: None,
        day,
    }
}

fn attributes(facts: &Facts) -> Option<String> {
    let map: BTreeMap<&str, &str> = facts
        .iter()
        .filter_map(|(f, slot)| match (f, &slot.winner()?.value) {
            (F::Attr(name), Value::Text(t)) => Some((&**name, &**t)),
            _ => None,
        })
        .collect();
    if map.is_empty() {
        None
    } else {
        serde_json::to_string(&map).ok()
    }
}

/// Holds inside a talk: the hold segments if there are any, else the platform's sum.
fn hold(spans: &[Span<'_>], talk: &Span<'_>) -> (Option<i64>, Option<i64>) {
    let holds: Vec<_> = spans
        .iter()
        .filter(|s| s.kind == "hold" && s.parent == Some(talk.id))
        .collect();
    if holds.is_empty() {
        return (talk.facts.int(&F::Hold), talk.facts.int(&F::HoldCount));
    }
    let known: Vec<i64> = holds.iter().filter_map(|s| s.duration_ms()).collect();
    let ms = (!known.is_empty()).then(|| known.iter().sum());
    (ms, Some(holds.len() as i64))
}

fn segment_rows(
    contact_id: &str,
    spans: &[Span<'_>],
    day: Day,
) -> (Vec<SegmentRow>, Vec<OfferRow>) {
    let mut seqs: BTreeMap<&str, i64> = BTreeMap::new();
    for span in spans.iter().filter(|s| s.kind != "offer") {
        let next = seqs.len() as i64 + 1;
        seqs.insert(span.id, next);
    }
    let at = |t: Option<(i64, u32)>| t.map(|(us, _)| Instant(us));
    let basis = |b: Option<&'static str>| b.map(str::to_owned);
    let mut segments = Vec::with_capacity(seqs.len());
    let mut offers = Vec::new();
    for span in spans {
        let f = span.facts;
        let parent_seq = span.parent.and_then(|p| seqs.get(p).copied());
        if span.kind == "offer" {
            offers.push(OfferRow {
                contact_id: contact_id.to_owned(),
                seq: offers.len() as i64 + 1,
                segment_id: span.id.to_owned(),
                queue: f.owned(&F::Queue),
                queue_seq: parent_seq,
                agent: f.owned(&F::Agent),
                offered_at: at(span.start),
                ended_at: at(span.end),
                ring_ms: span.duration_ms().or_else(|| f.int(&F::Ring)),
                outcome: span.outcome.clone(),
                raw_outcome: f.owned(&F::RawOutcome),
                end_basis: basis(span.end_basis),
                day,
            });
            continue;
        }
        let (hold_ms, hold_count) = match span.kind {
            "talk" => hold(spans, span),
            _ => (None, None),
        };
        segments.push(SegmentRow {
            contact_id: contact_id.to_owned(),
            seq: seqs.get(span.id).copied().unwrap_or(0),
            segment_id: span.id.to_owned(),
            kind: span.kind.to_owned(),
            queue: f.owned(&F::Queue),
            agent: f.owned(&F::Agent),
            started_at: at(span.start),
            ended_at: at(span.end),
            duration_ms: span.duration_ms(),
            outcome: span.outcome.clone(),
            raw_outcome: f.owned(&F::RawOutcome),
            target_kind: f.owned(&F::TargetKind),
            target: f.owned(&F::Target),
            ended_by: f.owned(&F::EndedBy),
            start_basis: basis(span.start_basis),
            end_basis: basis(span.end_basis),
            state: span.progress.as_str().to_owned(),
            parent_seq,
            position_in: f.int(&F::PositionIn),
            position_out: f.int(&F::PositionOut),
            hold_ms,
            hold_count,
            ring_ms: f.int(&F::Ring),
            name: f.owned(&F::Name),
            input: f.owned(&F::Input),
            input_type: f.owned(&F::InputType),
            mode: f.owned(&F::Mode),
            reason: f.owned(&F::Reason),
            day,
        });
    }
    (segments, offers)
}

fn link_rows(contact_id: &str, state: &State, day: Day) -> Vec<LinkRow> {
    state
        .iter()
        .filter_map(|(thing, f)| match thing {
            Thing::Link(kind, to) => Some(LinkRow {
                from_contact: contact_id.to_owned(),
                to_contact: to.to_string(),
                kind: kind.to_string(),
                at: f.time(&F::At).map(|t| Instant(t.0)),
                day,
            }),
            _ => None,
        })
        .collect()
}

/// The other names: every platform id, and every contact id that the contact once had or could
/// have had before its ids were joined.
fn aliases(ids: &[PlatformId], contact_id: &str, day: Day) -> Vec<AliasRow> {
    let mut rows = Vec::new();
    for id in ids {
        let (platform, instance, native) = id.parts();
        let platform = match instance {
            "" => format!("/{platform}"),
            _ => format!("/{platform}/{instance}"),
        };
        for name in [native.to_owned(), id.contact_id()] {
            let known = rows.iter().any(|r: &AliasRow| r.native == name);
            if name != contact_id && !known {
                rows.push(AliasRow {
                    entity: "contact".to_owned(),
                    platform: platform.clone(),
                    native: name,
                    id: contact_id.to_owned(),
                    valid_from: None,
                    valid_to: None,
                    day,
                });
            }
        }
    }
    rows.sort_by(|a, b| a.native.cmp(&b.native));
    rows
}
