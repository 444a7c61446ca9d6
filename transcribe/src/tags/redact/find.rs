//! Which rows of digits are cards', by length and by what was said around them.

use super::Entity;
use super::cues::{Cue, CueAt, cues, is_month};
use super::digits::{Kind, Run, Token, runs, tokens};
use super::luhn::{card_range, luhn};
use crate::Leg;
use crate::turns::Word;

/// How long after a cue digits belong to a card.
const CARD_WINDOW_MS: u64 = 60_000;
/// How long after a cue digits are a security code or an expiry date.
const CODE_WINDOW_MS: u64 = 30_000;
/// How long before its cue a code may have been said.
const CODE_BEFORE_MS: u64 = 5_000;

/// Words to mask: `first..=last` of the leg at this index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    pub leg: usize,
    pub first: usize,
    pub last: usize,
    pub entity: Entity,
}

struct LegView<'a> {
    words: &'a [Word],
    tokens: Vec<Token>,
    runs: Vec<Run>,
    found: Vec<Option<Entity>>,
}

impl LegView<'_> {
    fn start(&self, run: &Run) -> u64 {
        self.words[run.first].start_ms
    }

    fn end(&self, run: &Run) -> u64 {
        self.words[run.last].end_ms
    }
}

/// All hits of a conversation, in order of leg and word.
pub(super) fn hits(legs: &[(Leg, Vec<Word>)]) -> Vec<Hit> {
    let mut cues_at: Vec<CueAt> = Vec::new();
    let mut views: Vec<LegView<'_>> = Vec::new();
    for (_, words) in legs {
        let tokens = tokens(words);
        let runs = runs(words, &tokens);
        cues_at.extend(cues(words, &tokens));
        views.push(LegView {
            words,
            found: vec![None; runs.len()],
            tokens,
            runs,
        });
    }
    let spoken = cues_at.len();
    // A card found on one side announces its repetition on the other, so again until nothing new
    // is found.
    loop {
        let before = views.iter().flat_map(|v| &v.found).flatten().count();
        for view in &mut views {
            cards(view, &cues_at);
        }
        for view in &views {
            for (run, found) in view.runs.iter().zip(&view.found) {
                if *found == Some(Entity::Card) {
                    cues_at.push(CueAt {
                        cue: Cue::Card,
                        at_ms: view.start(run),
                    });
                    cues_at.push(CueAt {
                        cue: Cue::Card,
                        at_ms: view.end(run),
                    });
                }
            }
        }
        if views.iter().flat_map(|v| &v.found).flatten().count() == before {
            break;
        }
    }
    let cards_end: Vec<u64> = views
        .iter()
        .flat_map(|v| {
            v.runs
                .iter()
                .zip(&v.found)
                .filter(|(_, f)| **f == Some(Entity::Card))
                .map(|(r, _)| v.end(r))
        })
        .collect();
    let spoken = cues_at[..spoken].to_vec();
    let mut hits = Vec::new();
    for (leg, view) in views.iter_mut().enumerate() {
        codes(view, &spoken, &cards_end);
        hits.extend(
            view.runs
                .iter()
                .zip(&view.found)
                .filter_map(|(run, found)| {
                    Some(Hit {
                        leg,
                        first: run.first,
                        last: run.last,
                        entity: (*found)?,
                    })
                }),
        );
        hits.extend(months(view, &spoken).map(|(first, last)| Hit {
            leg,
            first,
            last,
            entity: Entity::Expiry,
        }));
    }
    hits.sort_by_key(|h| (h.leg, h.first));
    hits
}

fn within(cues: &[CueAt], cue: Cue, at_ms: u64, window_ms: u64) -> bool {
    cues.iter()
        .any(|c| c.cue == cue && c.at_ms <= at_ms && at_ms - c.at_ms <= window_ms)
}

/// Whether what was last announced before is a code.
fn code_was_last(cues: &[CueAt], at_ms: u64) -> bool {
    let last = |cue| {
        cues.iter()
            .filter(|c| c.cue == cue && c.at_ms <= at_ms)
            .map(|c| c.at_ms)
            .max()
    };
    last(Cue::Code)
        .is_some_and(|code| at_ms - code <= CODE_WINDOW_MS && Some(code) > last(Cue::Card))
}

/// Cards and parts of cards.
fn cards(view: &mut LegView<'_>, cues: &[CueAt]) {
    let mut group: Vec<usize> = Vec::new();
    for i in 0..=view.runs.len() {
        let joins = group.last().is_some_and(|last| {
            i < view.runs.len() && {
                let (before, run) = (&view.runs[*last], &view.runs[i]);
                let pause = view.start(run).saturating_sub(view.end(before));
                let announced = within(cues, Cue::Card, view.start(run), CARD_WINDOW_MS);
                // Between parts of an announced number anything may be said for a while.
                (announced && pause <= 30_000) || (pause <= 15_000 && run.others_before <= 3)
            }
        });
        if !joins {
            judge(view, &group, cues);
            group.clear();
        }
        if i < view.runs.len() && (!view.runs[i].amount || view.runs[i].digits.len() >= 8) {
            group.push(i);
        }
    }
}

/// Whether rows that follow each other are one card number.
fn judge(view: &mut LegView<'_>, group: &[usize], cues: &[CueAt]) {
    for i in group {
        let digits = &view.runs[*i].digits;
        if digits.len() >= 13 || (digits.len() == 12 && luhn(digits) && card_range(digits)) {
            view.found[*i] = Some(Entity::Card);
        }
    }
    // A lone digit is a word such as "one" more often than a part of a number, unless it stands
    // beside other digits with nothing said between.
    let beside = |k: usize| {
        let next = group.get(k + 1).map(|i| view.runs[*i].others_before);
        (k > 0 && view.runs[group[k]].others_before == 0) || next == Some(0)
    };
    let at_least = |n: usize| -> Vec<usize> {
        (0..group.len())
            .filter(|k| view.runs[group[*k]].digits.len() >= n || beside(*k))
            .map(|k| group[k])
            .collect()
    };
    let (parts, long) = (at_least(2), at_least(3));
    let announced: Vec<usize> = parts
        .iter()
        .copied()
        .filter(|i| within(cues, Cue::Card, view.start(&view.runs[*i]), CARD_WINDOW_MS))
        .collect();
    let length = |rows: &[usize]| {
        rows.iter()
            .map(|i| view.runs[*i].digits.len())
            .sum::<usize>()
    };
    let chosen = if length(&announced) >= 8 {
        announced
    } else if length(&long) >= 13 {
        long
    } else {
        return;
    };
    for i in chosen {
        view.found[i] = Some(Entity::Card);
    }
}

/// Digits of a row; of a row of one or two together with such rows beside it, when nothing but
/// time lies between them: a code said digit by digit.
fn length_with_neighbours(view: &LegView<'_>, i: usize) -> usize {
    let short = |r: &Run| r.digits.len() < 3;
    let runs = &view.runs;
    if !short(&runs[i]) {
        return runs[i].digits.len();
    }
    let joined = |k: usize| {
        runs[k].others_before == 0
            && short(&runs[k])
            && short(&runs[k - 1])
            && view.start(&runs[k]).saturating_sub(view.end(&runs[k - 1])) <= 6_000
    };
    let first = (1..=i)
        .rev()
        .take_while(|k| joined(*k))
        .last()
        .map_or(i, |k| k - 1);
    let last = (i + 1..runs.len())
        .take_while(|k| joined(*k))
        .last()
        .unwrap_or(i);
    runs[first..=last].iter().map(|r| r.digits.len()).sum()
}

/// Security codes and expiry dates in digits.
fn codes(view: &mut LegView<'_>, cues: &[CueAt], cards_end: &[u64]) {
    for i in 0..view.runs.len() {
        let run = &view.runs[i];
        if view.found[i] == Some(Entity::Card)
            && (3..=4).contains(&run.digits.len())
            && code_was_last(cues, view.start(run))
        {
            view.found[i] = Some(Entity::SecurityCode);
        }
        if view.found[i].is_some()
            || run.amount
            || !(3..=6).contains(&length_with_neighbours(view, i))
        {
            continue;
        }
        let (start, end) = (view.start(run), view.end(run));
        let said_before = run.digits.len() <= 4
            && cues
                .iter()
                .any(|c| c.cue == Cue::Code && c.at_ms >= end && c.at_ms - end <= CODE_BEFORE_MS);
        let after_card = run.digits.len() <= 4
            && cards_end
                .iter()
                .any(|card| *card <= start && start - card <= CARD_WINDOW_MS);
        view.found[i] = if within(cues, Cue::Code, start, CODE_WINDOW_MS) || said_before {
            Some(Entity::SecurityCode)
        } else if within(cues, Cue::Expiry, start, CODE_WINDOW_MS) {
            Some(Entity::Expiry)
        } else if after_card {
            Some(Entity::SecurityCode)
        } else {
            None
        };
    }
}

/// Expiry dates with a month's name: it and the number behind it.
fn months<'a>(
    view: &'a LegView<'_>,
    cues: &'a [CueAt],
) -> impl Iterator<Item = (usize, usize)> + 'a {
    view.tokens.windows(2).filter_map(|pair| {
        let Kind::Other(word) = &pair[0].kind else {
            return None;
        };
        let number = matches!(pair[1].kind, Kind::Digits(_) | Kind::Like("0"));
        let announced = within(
            cues,
            Cue::Expiry,
            view.words[pair[0].word].start_ms,
            CODE_WINDOW_MS,
        );
        if !(is_month(word) && number && announced) {
            return None;
        }
        let last = view
            .runs
            .iter()
            .find(|r| r.first == pair[1].word)
            .map_or(pair[1].word, |r| r.last);
        Some((pair[0].word, last))
    })
}
