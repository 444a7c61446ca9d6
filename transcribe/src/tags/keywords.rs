//! Keyword lists: phrases that were said, word for word, each hit with its evidence.

use super::words::normalised;
use crate::Leg;
use crate::turns::Turn;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use thiserror::Error;

/// Most phrases over all lists.
const MAX_PHRASES: usize = 20_000;
/// Most words of a phrase.
const MAX_WORDS: usize = 32;
/// Longest pause between two words of a phrase.
const MAX_GAP_MS: u64 = 2_000;

/// A keyword list as it stands in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeywordList {
    /// What a hit is called.
    pub name: String,
    /// Phrases, any of which is a hit. `refund*` stands for every word that begins so (from three
    /// letters), `?` for exactly one word.
    pub phrases: Vec<String>,
    /// Only said by this leg; by anybody when it is left out. A mixed recording counts for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leg: Option<Leg>,
}

/// A list that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("keyword list '{list}': {detail}")]
pub struct KeywordError {
    /// Which list.
    pub list: String,
    /// What is wrong and where.
    pub detail: String,
}

/// A phrase that was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// `keyword`.
    pub kind: String,
    /// The list's name.
    pub name: String,
    /// Who said it.
    pub leg: Leg,
    /// The turn it was said in.
    pub turn: u32,
    /// Start of its first word, ms from the start of the recording.
    pub start_ms: u64,
    /// End of its last word.
    pub end_ms: u64,
    /// The words as they stand in the transcript.
    pub evidence: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Atom {
    Word(String),
    Stem(String),
    Any,
}

impl Atom {
    fn matches(&self, word: &str) -> bool {
        match self {
            Atom::Word(own) => own == word,
            Atom::Stem(stem) => word.starts_with(stem.as_str()),
            Atom::Any => true,
        }
    }
}

#[derive(Debug, Clone)]
struct Phrase {
    list: usize,
    atoms: Vec<Atom>,
}

/// All lists, ready to match.
#[derive(Debug, Clone, Default)]
pub struct Keywords {
    lists: Vec<(String, Option<Leg>)>,
    phrases: Vec<Phrase>,
    /// Phrases by their first word; the rest are tried everywhere.
    by_first: HashMap<String, Vec<usize>>,
    elsewhere: Vec<usize>,
}

impl Keywords {
    /// Reads lists.
    ///
    /// # Errors
    /// [`KeywordError`] for an empty name, list or phrase, a stem that is too short, a phrase of
    /// wildcards only, and too many or too long ones.
    pub fn new(lists: &[KeywordList]) -> Result<Keywords, KeywordError> {
        let mut keywords = Keywords::default();
        for (at, list) in lists.iter().enumerate() {
            let wrong = |detail: String| KeywordError {
                list: list.name.clone(),
                detail,
            };
            if list.name.trim().is_empty() {
                return Err(KeywordError {
                    list: format!("number {}", at + 1),
                    detail: "it has no name".into(),
                });
            }
            if list.phrases.is_empty() {
                return Err(wrong("it has no phrases".into()));
            }
            keywords.lists.push((list.name.trim().to_owned(), list.leg));
            for phrase in &list.phrases {
                let atoms = atoms(phrase).map_err(wrong)?;
                let index = keywords.phrases.len();
                match &atoms[0] {
                    Atom::Word(first) => keywords
                        .by_first
                        .entry(first.clone())
                        .or_default()
                        .push(index),
                    _ => keywords.elsewhere.push(index),
                }
                keywords.phrases.push(Phrase { list: at, atoms });
                if keywords.phrases.len() > MAX_PHRASES {
                    return Err(wrong(format!(
                        "more than {MAX_PHRASES} phrases over all lists"
                    )));
                }
            }
        }
        Ok(keywords)
    }

    /// Every phrase said, in order of turn and time. Of several hits of one list on the same
    /// words the longest counts.
    pub fn find(&self, turns: &[Turn]) -> Vec<Tag> {
        turns.iter().flat_map(|turn| self.in_turn(turn)).collect()
    }

    fn in_turn(&self, turn: &Turn) -> Vec<Tag> {
        // Plain words, each with the written word it is part of.
        let plain: Vec<(String, usize)> = turn
            .words
            .iter()
            .enumerate()
            .flat_map(|(at, word)| normalised(&word.text).into_iter().map(move |w| (w, at)))
            .collect();
        let mut hits: Vec<(usize, usize, usize)> = Vec::new();
        for start in 0..plain.len() {
            let candidates = self
                .by_first
                .get(&plain[start].0)
                .into_iter()
                .flatten()
                .chain(&self.elsewhere);
            for phrase in candidates.map(|i| &self.phrases[*i]) {
                let leg = self.lists[phrase.list].1;
                let heard = leg.is_none_or(|leg| leg == turn.leg || turn.leg == Leg::Both);
                if heard && said(&phrase.atoms, &plain[start..], turn) {
                    hits.push((phrase.list, start, start + phrase.atoms.len()));
                }
            }
        }
        hits.sort_by_key(|(list, start, end)| (*list, *start, usize::MAX - end));
        let mut tags: Vec<Tag> = Vec::new();
        let mut last: Option<(usize, usize)> = None;
        for (list, start, end) in hits {
            if last.is_some_and(|(same, until)| same == list && start < until) {
                continue;
            }
            last = Some((list, end));
            tags.push(self.tag(list, turn, plain[start].1, plain[end - 1].1));
        }
        tags.sort_by_key(|t| t.start_ms);
        tags
    }

    fn tag(&self, list: usize, turn: &Turn, first: usize, last: usize) -> Tag {
        let words = &turn.words[first..=last];
        let texts: Vec<&str> = words.iter().map(|w| w.text.as_str()).collect();
        Tag {
            kind: "keyword".into(),
            name: self.lists[list].0.clone(),
            leg: turn.leg,
            turn: turn.seq,
            start_ms: words[0].start_ms,
            end_ms: words
                .iter()
                .map(|w| w.end_ms)
                .max()
                .unwrap_or(words[0].end_ms),
            evidence: texts.join(" "),
        }
    }
}

fn said(atoms: &[Atom], words: &[(String, usize)], turn: &Turn) -> bool {
    words.len() >= atoms.len()
        && atoms
            .iter()
            .zip(words)
            .all(|(atom, (word, _))| atom.matches(word))
        && words[..atoms.len()].windows(2).all(|pair| {
            let (before, after) = (&turn.words[pair[0].1], &turn.words[pair[1].1]);
            after.start_ms <= before.end_ms + MAX_GAP_MS
        })
}

fn atoms(phrase: &str) -> Result<Vec<Atom>, String> {
    let mut atoms = Vec::new();
    for token in phrase.split_whitespace() {
        if token == "?" {
            atoms.push(Atom::Any);
        } else if let Some(stem) = token.strip_suffix('*') {
            match normalised(stem).as_slice() {
                [stem] if stem.chars().count() >= 3 => atoms.push(Atom::Stem(stem.clone())),
                _ => {
                    return Err(format!(
                        "'{token}' in \"{phrase}\": a '*' needs one word of three letters and more before it"
                    ));
                }
            }
        } else {
            atoms.extend(normalised(token).into_iter().map(Atom::Word));
        }
    }
    if atoms.len() > MAX_WORDS {
        return Err(format!(
            "\"{phrase}\" has {} words; at most {MAX_WORDS} are possible",
            atoms.len()
        ));
    }
    if atoms.iter().all(|a| *a == Atom::Any) {
        return Err(format!("the phrase \"{phrase}\" has no words"));
    }
    Ok(atoms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turns::testing::turn;

    fn list(name: &str, phrases: &[&str], leg: Option<Leg>) -> KeywordList {
        KeywordList {
            name: name.into(),
            phrases: phrases.iter().map(|p| (*p).into()).collect(),
            leg,
        }
    }

    #[test]
    fn phrases_match_across_marks_case_and_hyphens() {
        let keywords = Keywords::new(&[
            list("refund", &["money back", "refund*"], Some(Leg::Customer)),
            list("e-mail", &["e-mail"], None),
            list("thanks", &["thank you", "thank you ? much"], None),
            list("can't", &["can't log in"], None),
        ])
        .unwrap();
        let turns = [
            turn(
                Leg::Customer,
                0,
                9_000,
                "I want my Money, back! And refunding. I can’t log-in.",
            ),
            turn(
                Leg::Agent,
                10_000,
                12_000,
                "no refund by e-mail, thank you so much",
            ),
        ];
        let found: Vec<_> = keywords
            .find(&turns)
            .into_iter()
            .map(|t| (t.name, t.turn, t.evidence, t.start_ms, t.end_ms))
            .collect();
        assert_eq!(
            found,
            [
                ("refund".into(), 0, "Money, back!".into(), 900, 1_480),
                ("refund".into(), 0, "refunding.".into(), 1_800, 2_080),
                ("can't".into(), 0, "can’t log-in.".into(), 2_400, 2_980),
                ("e-mail".into(), 0, "e-mail,".into(), 10_900, 11_180),
                (
                    "thanks".into(),
                    0,
                    "thank you so much".to_owned(),
                    11_200,
                    12_380
                ),
            ]
            .map(|(n, _, e, s, t): (String, u32, String, u64, u64)| (n, 0, e, s, t))
        );
    }

    #[test]
    fn a_word_is_not_found_inside_another_and_not_over_a_pause() {
        let keywords = Keywords::new(&[
            list("art", &["art"], None),
            list("pair", &["good day"], None),
        ])
        .unwrap();
        let mut apart = turn(Leg::Agent, 0, 900, "good day");
        assert_eq!(keywords.find(std::slice::from_ref(&apart)).len(), 1);
        apart.words[1].start_ms += 3_000;
        assert!(
            keywords
                .find(&[apart, turn(Leg::Agent, 0, 900, "start the party")])
                .is_empty()
        );
    }

    #[test]
    fn bad_lists_say_what_is_wrong() {
        for (bad, says) in [
            (list("", &["x"], None), "no name"),
            (list("a", &[], None), "no phrases"),
            (list("a", &["!!"], None), "no words"),
            (list("a", &["ab*"], None), "three letters"),
        ] {
            let error = Keywords::new(&[bad]).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
