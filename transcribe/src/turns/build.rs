//! Turns.

use super::{Heard, Turn, Word};
use crate::Leg;
use crate::tags::sentiment::{Mood, score};
use crate::tags::words::normalised;

/// A pause this long ends a turn.
const PAUSE_MS: u64 = 1_000;
/// What the other side says this long parts a turn in two, at the next pause of at least...
const CROSSING_MS: u64 = 1_000;
/// ...this.
const BREATH_MS: u64 = 200;
/// So few words of the other side are thrown in...
const THROWN_IN: usize = 3;
/// ...and part no sentence that goes on after less than this.
const SENTENCE_MS: u64 = 700;

/// A stretch of one leg's words.
struct Stretch {
    leg: Leg,
    words: Vec<Word>,
    backchannel: bool,
}

impl Stretch {
    fn start(&self) -> u64 {
        self.words.first().map_or(0, |w| w.start_ms)
    }

    fn end(&self) -> u64 {
        self.words.iter().map(|w| w.end_ms).max().unwrap_or(0)
    }
}

/// Makes a conversation of words that are already redacted; they may be in any order.
pub fn build(heard: Vec<Heard>) -> Vec<Turn> {
    let mut stretches = Vec::new();
    for leg in [Leg::Agent, Leg::Customer, Leg::Both] {
        let mut words: Vec<Word> = heard
            .iter()
            .filter(|h| h.leg == leg)
            .map(|h| h.word.clone())
            .collect();
        words.sort_by_key(|w| (w.start_ms, w.end_ms));
        stretches.extend(by_pauses(leg, words));
    }
    for i in 0..stretches.len() {
        stretches[i].backchannel = is_backchannel(&stretches[i], &stretches);
    }
    let mut parted: Vec<Stretch> = Vec::new();
    for stretch in &stretches {
        parted.extend(crossed(stretch, &stretches));
    }
    // At the same instant the agent comes first.
    parted.sort_by_key(|s| (s.start(), s.leg, s.end()));
    parted
        .into_iter()
        .enumerate()
        .map(|(seq, s)| turn(seq as u32, s))
        .collect()
}

fn by_pauses(leg: Leg, words: Vec<Word>) -> Vec<Stretch> {
    let mut out: Vec<Stretch> = Vec::new();
    for word in words {
        match out.last_mut() {
            Some(last) if word.start_ms < last.end() + PAUSE_MS => last.words.push(word),
            _ => out.push(Stretch {
                leg,
                words: vec![word],
                backchannel: false,
            }),
        }
    }
    out
}

/// One or two words of assent, at most a second, while the other speaks.
fn is_backchannel(stretch: &Stretch, all: &[Stretch]) -> bool {
    const ASSENT: [&str; 14] = [
        "yeah", "yes", "yep", "okay", "ok", "mm", "hmm", "mhm", "mm-hmm", "right", "uh-huh",
        "sure", "uh", "huh",
    ];
    stretch.words.len() <= 2
        && stretch.end() - stretch.start() <= 1_000
        && stretch
            .words
            .iter()
            .flat_map(|w| normalised(&w.text))
            .all(|w| ASSENT.contains(&w.as_str()))
        && all
            .iter()
            .any(|o| o.leg != stretch.leg && o.start() < stretch.start() && o.end() > stretch.end())
}

/// A stretch parted where the other side came in for longer than a moment. A word or two thrown
/// into a sentence do not part it: a model's times stretch them over the moment, and the sentence
/// goes on at once.
fn crossed(stretch: &Stretch, all: &[Stretch]) -> Vec<Stretch> {
    let mut out: Vec<Stretch> = Vec::new();
    for (i, word) in stretch.words.iter().enumerate() {
        let before = i.checked_sub(1).map(|j| &stretch.words[j]);
        let part = before.is_some_and(|before| {
            let goes_on =
                !ends_sentence(&before.text) && word.start_ms < before.end_ms + SENTENCE_MS;
            word.start_ms >= before.end_ms + BREATH_MS
                && all.iter().any(|o| {
                    o.leg != stretch.leg
                        && !o.backchannel
                        && o.end() >= o.start() + CROSSING_MS
                        && !(goes_on && o.words.len() <= THROWN_IN)
                        && o.start() > before.start_ms
                        && o.start() <= word.start_ms
                })
        });
        match out.last_mut() {
            Some(last) if !part => last.words.push(word.clone()),
            _ => out.push(Stretch {
                leg: stretch.leg,
                words: vec![word.clone()],
                backchannel: stretch.backchannel,
            }),
        }
    }
    out
}

fn ends_sentence(word: &str) -> bool {
    word.trim_end_matches(['"', '\'', ')', '”', '’'])
        .ends_with(['.', '?', '!', '…'])
}

fn turn(seq: u32, stretch: Stretch) -> Turn {
    let text = written(&stretch.words);
    let logs: f32 = stretch.words.iter().map(|w| w.p.max(1e-4).ln()).sum();
    let confidence = (logs / stretch.words.len().max(1) as f32).exp();
    let sentiment = score(&text);
    Turn {
        seq,
        leg: stretch.leg,
        start_ms: stretch.start(),
        end_ms: stretch.end(),
        confidence,
        backchannel: stretch.backchannel,
        redacted: stretch
            .words
            .iter()
            .any(|w| crate::tags::redact::is_mask(&w.text)),
        mood: Mood::of(sentiment.compound),
        sentiment,
        text,
        words: stretch.words,
    }
}

/// Words as a sentence: small models forget capitals and full stops in short pieces.
fn written(words: &[Word]) -> String {
    let texts: Vec<&str> = words.iter().map(|w| w.text.as_str()).collect();
    let mut text = texts.join(" ");
    if let Some(first) = text.chars().next()
        && first.is_lowercase()
    {
        text.replace_range(..first.len_utf8(), &first.to_uppercase().to_string());
    }
    let end = text.trim_end_matches([',', ';', ':', '-', ' ']).len();
    if end > 0 {
        text.truncate(end);
    }
    if !text.ends_with(['.', '?', '!', '…']) {
        text.push('.');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::testing::heard;
    use super::*;

    fn shape(turns: &[Turn]) -> Vec<(Leg, &str, u64)> {
        turns
            .iter()
            .map(|t| (t.leg, t.text.as_str(), t.start_ms))
            .collect()
    }

    #[test]
    fn legs_are_interleaved_and_pauses_part_turns() {
        let mut words = heard(Leg::Agent, 0, "thank you for calling");
        words.extend(heard(Leg::Customer, 3_000, "hi, my card is lost"));
        words.extend(heard(Leg::Agent, 6_000, "I see,"));
        words.extend(heard(Leg::Agent, 9_000, "done"));
        let turns = build(words);
        assert_eq!(
            shape(&turns),
            [
                (Leg::Agent, "Thank you for calling.", 0),
                (Leg::Customer, "Hi, my card is lost.", 3_000),
                (Leg::Agent, "I see.", 6_000),
                (Leg::Agent, "Done.", 9_000),
            ]
        );
        assert_eq!(
            turns.iter().map(|t| t.seq).collect::<Vec<_>>(),
            [0, 1, 2, 3]
        );
        assert!((turns[0].confidence - 0.9).abs() < 1e-3);
    }

    #[test]
    fn assent_does_not_part_a_turn_but_talk_does() {
        let mut words = heard(Leg::Agent, 0, "a b c d e");
        words.extend(heard(Leg::Customer, 700, "okay"));
        let turns = build(words);
        assert_eq!(
            shape(&turns),
            [(Leg::Agent, "A b c d e.", 0), (Leg::Customer, "Okay.", 700)]
        );
        assert!(turns[1].backchannel && !turns[0].backchannel);
        let mut words = heard(Leg::Agent, 0, "a b");
        words.extend(heard(Leg::Agent, 1_100, "c d"));
        words.extend(heard(Leg::Customer, 650, "wait what did you say there"));
        let turns = build(words);
        assert_eq!(
            turns.iter().map(|t| t.leg).collect::<Vec<_>>(),
            [Leg::Agent, Leg::Customer, Leg::Agent]
        );
    }

    #[test]
    fn a_word_thrown_in_parts_no_sentence() {
        let legs = |first: &str, pause: u64, said: &str| {
            let mut words = heard(Leg::Agent, 0, first);
            let end = words.last().unwrap().word.end_ms;
            words.extend(heard(Leg::Agent, end + pause, "the first of May"));
            let mut thrown = heard(Leg::Customer, end - 100, said);
            thrown.last_mut().unwrap().word.end_ms = end + 1_000;
            words.extend(thrown);
            build(words).iter().map(|t| t.leg).collect::<Vec<_>>()
        };
        let (whole, parted) = (
            [Leg::Agent, Leg::Customer],
            [Leg::Agent, Leg::Customer, Leg::Agent],
        );
        assert_eq!(legs("you will pay on", 400, "oh really"), whole);
        assert_eq!(legs("you will pay on.", 400, "oh really"), parted);
        assert_eq!(legs("you will pay on", 800, "oh really"), parted);
        assert_eq!(legs("you will pay on", 400, "no wait I paid"), parted);
    }

    #[test]
    fn order_of_arrival_does_not_matter() {
        let mut words = heard(Leg::Agent, 0, "one two three");
        words.extend(heard(Leg::Customer, 500, "four five six"));
        let turns = build(words.clone());
        words.reverse();
        assert_eq!(build(words), turns);
    }
}
