//! What becomes of events on their way: ends that are lost, sources that fall silent, the same
//! identity told twice with different words. And what can still be known then.

use callboard_model::cloudevents::words::SegmentKind;
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

use super::SimulateError;
use super::chance::Chance;
use super::disorder::Rates;
use super::story::{Part, Point, Story};
use super::tell::{States, Told};
use super::world::Site;

/// What can be known of a part.
#[derive(Debug, Clone)]
pub struct HeardPart<'a> {
    /// What happened.
    pub part: &'a Part,
    /// Whether its end was told.
    pub ended: bool,
    /// The platform's word for the outcome, if it was told.
    pub raw: String,
}

/// What can be known of a contact.
#[derive(Debug, Clone)]
pub struct Heard<'a> {
    /// What happened.
    pub story: &'a Story,
    /// The customer's address.
    pub customer: String,
    /// The end, if it was told.
    pub end: Option<i64>,
    /// Parts, in the order of the story; `None` when nothing was told of one.
    pub parts: Vec<Option<HeardPart<'a>>>,
    /// Links that were told.
    pub links: Vec<usize>,
    /// Whether a recording was told.
    pub recorded: bool,
    /// Whether an answer to a survey was told.
    pub survey: bool,
}

impl<'a> Heard<'a> {
    /// Everything that happened.
    pub fn all(story: &'a Story) -> Self {
        Heard {
            story,
            customer: story.customer.clone(),
            end: Some(story.end),
            parts: story
                .parts
                .iter()
                .map(|part| Some(heard_part(part, true)))
                .collect(),
            links: (0..story.links.len()).collect(),
            recorded: story.recorded,
            survey: story.survey.is_some(),
        }
    }
}

/// An event on its way.
pub struct Sent {
    /// When it happened.
    pub at: i64,
    /// The line.
    pub line: Vec<u8>,
    /// Told twice with different words.
    pub disputed: bool,
}

/// An event that was told with two wordings, by the hashes of their bytes, as `records` has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// Source.
    pub source: String,
    /// Identity within it.
    pub id: String,
    /// Hash of the words that hold.
    pub kept: i64,
    /// Hash of the others.
    pub dropped: i64,
}

/// The other words of an event, and whether they are those that hold.
struct Twin {
    line: Vec<u8>,
    holds: bool,
}

/// The hash of a line, as a column of whole numbers has it.
fn hash(line: &[u8]) -> i64 {
    xxh3_64(line) as i64
}

/// The events of a contact that arrive, what they leave known, and which were told with two wordings.
pub fn of_contact<'a>(
    chance: &mut Chance,
    rates: &Rates,
    site: &Site,
    story: &'a Story,
    mut told: Vec<Told>,
) -> Result<(Vec<Sent>, Heard<'a>, Vec<Conflict>), SimulateError> {
    let cut = chance.ppm(rates.silenced);
    if cut {
        told.truncate(chance.between(1, told.len() as i64 - 1) as usize);
    } else if let Some(lost) = lost_end(chance, rates, &told) {
        told.remove(lost);
    }
    let mut heard = heard(story, &told);
    let mut sent = Vec::with_capacity(told.len());
    let mut conflicts = Vec::new();
    for mut event in told {
        let twin = if !cut && chance.ppm(rates.conflict) {
            twin(chance, site, story, &mut event, &mut heard)?
        } else {
            None
        };
        let line = event.line()?;
        if let Some(Twin { line: other, holds }) = &twin {
            let (ours, theirs) = (hash(&line), hash(other));
            let (kept, dropped) = if *holds {
                (theirs, ours)
            } else {
                (ours, theirs)
            };
            conflicts.push(Conflict {
                source: site.source.clone(),
                id: event.id().to_owned(),
                kept,
                dropped,
            });
        }
        sent.push(Sent {
            at: event.at,
            line,
            disputed: twin.is_some(),
        });
        if let Some(Twin { line, .. }) = twin {
            sent.push(Sent {
                at: event.at,
                line,
                disputed: true,
            });
        }
    }
    Ok((sent, heard, conflicts))
}

/// The one closing event that gets lost, if one does.
fn lost_end(chance: &mut Chance, rates: &Rates, told: &[Told]) -> Option<usize> {
    let closing = |t: &Told| matches!(t.states, States::PartEnd(_) | States::End);
    (0..told.len()).find(|n| closing(&told[*n]) && chance.ppm(rates.lost))
}

fn heard<'a>(story: &'a Story, told: &[Told]) -> Heard<'a> {
    let mut heard = Heard {
        story,
        customer: story.customer.clone(),
        end: None,
        parts: vec![None; story.parts.len()],
        links: Vec::new(),
        recorded: false,
        survey: false,
    };
    for event in told {
        match event.states {
            States::PartBegin(p) => heard.parts[p] = Some(heard_part(&story.parts[p], false)),
            States::PartEnd(p) | States::PartWhole(p) => {
                heard.parts[p] = Some(heard_part(&story.parts[p], true));
            }
            States::End => heard.end = Some(story.end),
            States::Link(l) => heard.links.push(l),
            States::Recording => heard.recorded = true,
            States::Survey => heard.survey = true,
            States::Begin | States::Agent => {}
        }
    }
    heard
}

fn heard_part(part: &Part, ended: bool) -> HeardPart<'_> {
    HeardPart {
        part,
        ended,
        raw: if ended {
            part.raw.to_owned()
        } else {
            String::new()
        },
    }
}

/// The same event told again with other words. Which words hold follows from the documented order:
/// the platform's time of writing, then the sequence, then the hash of the bytes.
fn twin(
    chance: &mut Chance,
    site: &Site,
    story: &Story,
    event: &mut Told,
    heard: &mut Heard<'_>,
) -> Result<Option<Twin>, SimulateError> {
    let mut other = event.clone();
    match event.states {
        States::Begin if !story.customer.is_empty() => {}
        States::PartEnd(p) if story.parts[p].kind == SegmentKind::Queue => {}
        States::End => {
            // Without a time of writing an event was written when it happened: the later one holds.
            let later = event.at + *chance.pick(&[-900, 1_200, 2_500]);
            other.set_time(later, site);
            heard.end = Some(story.end.max(later));
            let (line, holds) = (other.line()?, later > event.at);
            return Ok(Some(Twin { line, holds }));
        }
        _ => return Ok(None),
    }
    let written = format!("+998{:09}", chance.below(1_000_000_000));
    match event.states {
        States::Begin => other.set_customer(&written),
        _ => other.set_raw("REVISED"),
    }
    let holds = match chance.below(3) {
        0 => {
            let after = chance.between(1, 5_000);
            let first = chance.percent(50);
            let (ours, theirs) = if first { (after, 0) } else { (0, after) };
            event.set_recorded(event.at + ours);
            other.set_recorded(event.at + theirs);
            !first
        }
        1 => {
            let n = 10 + chance.below(1_000);
            let first = chance.percent(50);
            event.set_sequence(if first { n + 1 } else { n });
            other.set_sequence(if first { n } else { n + 1 });
            !first
        }
        _ => xxh3_64(&other.line()?) > xxh3_64(&event.line()?),
    };
    if holds {
        match event.states {
            States::PartEnd(p) => {
                if let Some(part) = &mut heard.parts[p] {
                    part.raw = "REVISED".to_owned();
                }
            }
            _ => heard.customer = written,
        }
    }
    let line = other.line()?;
    Ok(Some(Twin { line, holds }))
}

/// The states of an agent that arrive: now and then nobody is told that he went home.
pub fn of_agent(chance: &mut Chance, rates: &Rates, points: &[Point]) -> Vec<Point> {
    use callboard_model::cloudevents::words::AgentState;
    let lost = |p: &Point| p.state == AgentState::Offline;
    let mut kept = points.to_vec();
    if kept.last().is_some_and(lost) && kept.len() > 1 && chance.ppm(rates.lost * 20) {
        kept.pop();
    }
    kept
}
