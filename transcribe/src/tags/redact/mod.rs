//! Card numbers and security codes: out of the text, and silent in the sound.
//!
//! Recall comes first: a masked order number costs a look at the original system, a stored card
//! number costs the right to take cards. Recognition errors break check sums, so length and
//! context decide, not Luhn alone.

mod cues;
mod digits;
mod find;
mod luhn;

pub use luhn::{card_range, luhn};

use crate::Leg;
use crate::audio::SilenceSpan;
use crate::turns::{Heard, Word};
use find::Hit;
use serde::{Deserialize, Serialize};

/// What was masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entity {
    /// A card's number, or a part of it.
    Card,
    /// Its security code.
    SecurityCode,
    /// Its expiry date.
    Expiry,
}

impl Entity {
    /// What stands in the text instead.
    pub fn mask(self) -> &'static str {
        match self {
            Entity::Card => "[CARD]",
            Entity::SecurityCode => "[CODE]",
            Entity::Expiry => "[EXPIRY]",
        }
    }
}

/// Whether a word is one of the masks.
pub fn is_mask(word: &str) -> bool {
    [Entity::Card, Entity::SecurityCode, Entity::Expiry]
        .iter()
        .any(|e| word.starts_with(e.mask()))
}

/// A stretch of one leg that must not be heard, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redaction {
    /// The leg to silence; what one side says the other often repeats or is heard with, so both
    /// are silenced.
    pub leg: Leg,
    /// What was found.
    pub entity: Entity,
    /// From when to when, ms from the start of the recording.
    #[serde(flatten)]
    pub span: SilenceSpan,
}

/// How much is silenced before the first and after the last masked word: word times are good to
/// 0.3 s.
const MARGIN_MS: u64 = 300;
/// So far beside a card number everything said in one breath with it is silenced: its last digits
/// may have been heard as words.
const BREATH_MS: u64 = 2_500;
/// Up to how far the silence is widened over speech in which no other word was recognised, and to
/// the pause behind it.
const WIDEN_MS: u64 = 5_000;

/// Masks all words of a conversation and says what to silence. `speech` gives each leg's
/// stretches of speech (start and end in ms), so that silence ends in pauses.
pub fn redact(
    heard: Vec<Heard>,
    speech: &[(Leg, Vec<(u64, u64)>)],
) -> (Vec<Heard>, Vec<Redaction>) {
    let mut legs: Vec<(Leg, Vec<Word>)> = Vec::new();
    for leg in [Leg::Agent, Leg::Customer, Leg::Both] {
        let mut words: Vec<Word> = heard
            .iter()
            .filter(|h| h.leg == leg)
            .map(|h| h.word.clone())
            .collect();
        words.sort_by_key(|w| (w.start_ms, w.end_ms));
        if !words.is_empty() {
            legs.push((leg, words));
        }
    }
    let hits = find::hits(&legs);
    let present: Vec<Leg> = speech
        .iter()
        .map(|(leg, _)| *leg)
        .chain(legs.iter().map(|(l, _)| *l))
        .collect();
    let mut spans = Vec::new();
    for hit in &hits {
        let own = legs[hit.leg].0;
        let stretches = speech
            .iter()
            .find(|(leg, _)| *leg == own)
            .map_or(&[][..], |(_, s)| s);
        let span = widened(&legs[hit.leg].1, hit, &hits, stretches);
        spans.extend(present.iter().map(|leg| Redaction {
            leg: *leg,
            entity: hit.entity,
            span,
        }));
    }
    let masked = legs
        .into_iter()
        .enumerate()
        .flat_map(|(at, (leg, words))| {
            let own: Vec<&Hit> = hits.iter().filter(|h| h.leg == at).collect();
            mask(words, &own)
                .into_iter()
                .map(move |word| Heard { leg, word })
        })
        .collect();
    (masked, merged(spans))
}

/// The silence for one hit: its words with a margin, and out over speech without other words to
/// the next pause. Where the recogniser hears a digit less than was said, that digit lies there.
fn widened(words: &[Word], hit: &Hit, hits: &[Hit], speech: &[(u64, u64)]) -> SilenceSpan {
    let own = &words[hit.first..=hit.last];
    let first = own.iter().map(|w| w.start_ms).min().unwrap_or(0);
    let last = own.iter().map(|w| w.end_ms).max().unwrap_or(0);
    let (start, end) = (first.saturating_sub(MARGIN_MS), last + MARGIN_MS);
    let other = |at: &usize| {
        !hits
            .iter()
            .any(|h| h.leg == hit.leg && (h.first..=h.last).contains(at))
    };
    let before = (0..hit.first)
        .rev()
        .find(other)
        .map_or(0, |at| words[at].end_ms);
    let after = (hit.last + 1..words.len())
        .find(other)
        .map_or(u64::MAX, |at| words[at].start_ms);
    // The stretches that hold, or lie within a breath of, the hit's ends.
    let begins = speech
        .iter()
        .find(|(s, e)| *s <= first && *e + MARGIN_MS >= first)
        .map_or(start, |(s, _)| *s);
    let ends = speech
        .iter()
        .rev()
        .find(|(s, e)| *s <= last + MARGIN_MS && *e >= last)
        .map_or(end, |(_, e)| *e);
    let breath = if hit.entity == Entity::Card {
        BREATH_MS
    } else {
        0
    };
    let before = before.min(first.saturating_sub(breath));
    let after = after.max(last + breath);
    SilenceSpan {
        start_ms: start.min(begins.max(before).max(first.saturating_sub(WIDEN_MS))),
        end_ms: end.max(ends.min(after).min(last + WIDEN_MS)),
    }
}

/// Overlapping and touching spans of a leg as one, in order of leg and time.
fn merged(mut spans: Vec<Redaction>) -> Vec<Redaction> {
    spans.sort_by_key(|r| (r.leg, r.span.start_ms, r.span.end_ms, r.entity));
    let mut out: Vec<Redaction> = Vec::new();
    for r in spans {
        match out.last_mut() {
            Some(last) if last.leg == r.leg && r.span.start_ms <= last.span.end_ms => {
                last.span.end_ms = last.span.end_ms.max(r.span.end_ms);
                last.entity = last.entity.min(r.entity);
            }
            _ => out.push(r),
        }
    }
    out
}

/// Replaces the words of hits by one mask each; a pause of a second inside a hit parts the mask,
/// so that turns stay where they are.
fn mask(words: Vec<Word>, hits: &[&Hit]) -> Vec<Word> {
    let mut out: Vec<Word> = Vec::with_capacity(words.len());
    let mut open: Option<(usize, u64)> = None;
    for (at, word) in words.into_iter().enumerate() {
        let Some(hit) = hits.iter().position(|h| (h.first..=h.last).contains(&at)) else {
            open = None;
            out.push(word);
            continue;
        };
        let end_mark: String = word
            .text
            .chars()
            .rev()
            .take_while(|c| ".?!,".contains(*c))
            .take(1)
            .collect();
        let text = format!("{}{end_mark}", hits[hit].entity.mask());
        let goes_on =
            open.is_some_and(|(same, until)| same == hit && word.start_ms < until + 1_000);
        open = Some((hit, word.end_ms));
        match out.last_mut() {
            Some(last) if goes_on => {
                last.end_ms = last.end_ms.max(word.end_ms);
                last.p = last.p.min(word.p);
                last.text = text;
            }
            _ => out.push(Word { text, ..word }),
        }
    }
    out
}

#[cfg(test)]
mod tests;
