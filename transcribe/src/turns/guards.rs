//! What a recogniser invents when it hears nothing: loops, stock phrases, babble.
//!
//! The tests and their figures are those OpenAI's own code and the field use. What is dropped is
//! counted by reason and not kept: dropped text was not said, and must not reach any store.

use super::{Heard, Word};
use crate::Leg;
use crate::engine::{LegSpeech, Piece, RawSegment, RawWord};
use crate::tags::words::{is_number_word, normalised};
use flate2::{Compression, write::ZlibEncoder};
use serde::{Deserialize, Serialize};
use std::io::Write;

/// Segments (or repeated words) that were dropped, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// Text that repeats itself (compresses by more than 2.4).
    pub repetitive: u32,
    /// Unlikely words where the recogniser itself doubts that there is speech.
    pub no_speech: u32,
    /// Stock phrases of its training data over hardly any speech.
    pub stock_phrase: u32,
    /// More words than anybody can say in that time.
    pub too_fast: u32,
    /// Further copies of words said three and more times in a row.
    pub copies: u32,
    /// Marks of sounds such as "(music)".
    pub sounds: u32,
}

impl Dropped {
    /// Adds another leg's counts.
    pub fn add(&mut self, other: Dropped) {
        self.repetitive += other.repetitive;
        self.no_speech += other.no_speech;
        self.stock_phrase += other.stock_phrase;
        self.too_fast += other.too_fast;
        self.copies += other.copies;
        self.sounds += other.sounds;
    }
}

/// A leg's words in order of time (ms from the start of the recording), without what was
/// invented.
pub fn heard_words(leg: Leg, offset_ms: u64, speech: &LegSpeech) -> (Vec<Heard>, Dropped) {
    let mut dropped = Dropped::default();
    let mut words: Vec<Heard> = Vec::new();
    for (piece, segments) in &speech.pieces {
        let total: usize = segments.iter().map(|s| s.words.len()).sum();
        let fast = total > 10 && total as u64 * 1000 > 7 * piece.speech_ms().max(1);
        for segment in segments {
            if reject(segment, piece, fast, &mut dropped) {
                continue;
            }
            for word in &segment.words {
                if is_sound(&word.text) {
                    dropped.sounds += 1;
                    continue;
                }
                let (start_ms, end_ms) = piece.to_leg_ms(word.start_ms, word.end_ms);
                words.push(Heard {
                    leg,
                    word: Word {
                        text: word.text.clone(),
                        start_ms: start_ms + offset_ms,
                        end_ms: end_ms.max(start_ms) + offset_ms,
                        p: word.p,
                    },
                });
            }
        }
    }
    words.sort_by_key(|w| w.word.start_ms);
    (without_copies(words, &mut dropped), dropped)
}

fn reject(segment: &RawSegment, piece: &Piece, fast: bool, dropped: &mut Dropped) -> bool {
    // Digits repeat by nature, and a card number that is dropped here would stay in the sound.
    let numbers = segment
        .words
        .iter()
        .filter(|w| is_number_word(&w.text))
        .count();
    if numbers >= 3 {
        return false;
    }
    let text = segment.text();
    let mean_p = mean_p(&segment.words);
    if compression(&text) > 2.4 {
        dropped.repetitive += 1;
    } else if segment.mean_logprob < -1.0 && segment.no_speech > 0.6 {
        dropped.no_speech += 1;
    } else if is_stock_phrase(&text) && (piece.speech_ms() < 1_000 && mean_p < 0.9 || mean_p < 0.6)
    {
        dropped.stock_phrase += 1;
    } else if fast && mean_p < 0.6 {
        dropped.too_fast += 1;
    } else {
        return false;
    }
    true
}

fn mean_p(words: &[RawWord]) -> f32 {
    if words.is_empty() {
        0.0
    } else {
        words.iter().map(|w| w.p).sum::<f32>() / words.len() as f32
    }
}

/// How many times smaller zlib makes a text.
fn compression(text: &str) -> f32 {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    let small = encoder
        .write_all(text.as_bytes())
        .and_then(|()| encoder.finish());
    small.map_or(1.0, |s| text.len() as f32 / s.len().max(1) as f32)
}

fn is_stock_phrase(text: &str) -> bool {
    const PHRASES: [&str; 15] = [
        "thank you",
        "thanks for watching",
        "thank you for watching",
        "thank you so much for watching",
        "please subscribe",
        "don't forget to like and subscribe",
        "see you in the next video",
        "subtitles by the amara org community",
        "transcription by castingwords",
        "you",
        "bye",
        "so",
        "okay",
        "the end",
        "i'm sorry",
    ];
    let plain: Vec<String> = text.split_whitespace().flat_map(normalised).collect();
    PHRASES.contains(&plain.join(" ").as_str())
}

fn is_sound(word: &str) -> bool {
    word.starts_with(['[', '(', '*', '♪']) || word.ends_with([']', ')', '*', '♪'])
}

/// The same one to six words three and more times in a row: the first is kept. Numbers are left
/// alone.
fn without_copies(words: Vec<Heard>, dropped: &mut Dropped) -> Vec<Heard> {
    let plain: Vec<String> = words
        .iter()
        .map(|w| normalised(&w.word.text).join(" "))
        .collect();
    let mut keep = vec![true; words.len()];
    let mut at = 0;
    while at < words.len() {
        let looped = (1..=6usize).find_map(|n| {
            let first = plain.get(at..at + n)?;
            if first.iter().any(|w| is_number_word(w)) {
                return None;
            }
            let copies = plain[at + n..]
                .chunks_exact(n)
                .take_while(|c| *c == first)
                .count();
            // "no no no" and "bye bye bye" are said; longer phrases thrice are not.
            (copies >= if n == 1 { 4 } else { 2 }).then_some((n, copies))
        });
        match looped {
            Some((n, copies)) => {
                keep[at + n..at + n * (copies + 1)].fill(false);
                dropped.copies += copies as u32;
                at += n * (copies + 1);
            }
            None => at += 1,
        }
    }
    words
        .into_iter()
        .zip(keep)
        .filter_map(|(w, keep)| keep.then_some(w))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Span;

    fn speech(texts: &[(&str, f32, f32)], speech_ms: usize) -> LegSpeech {
        let mut at = 0;
        let segments = texts
            .iter()
            .map(|(text, p, no_speech)| {
                let words: Vec<RawWord> = text
                    .split(' ')
                    .map(|t| {
                        at += 300;
                        RawWord {
                            text: t.into(),
                            start_ms: at - 300,
                            end_ms: at - 20,
                            p: *p,
                        }
                    })
                    .collect();
                RawSegment {
                    start_ms: 0,
                    end_ms: at,
                    words,
                    mean_logprob: p.ln(),
                    no_speech: *no_speech,
                }
            })
            .collect();
        let span = Span {
            start: 0,
            end: speech_ms * 16,
        };
        let piece = Piece {
            samples: vec![0.0; speech_ms * 16],
            parts: vec![span],
            speech: vec![span],
        };
        LegSpeech {
            pieces: vec![(piece, segments)],
            speech: vec![(0, speech_ms as u64)],
            cpu_ms: None,
        }
    }

    fn kept(texts: &[(&str, f32, f32)], ms: usize) -> (String, Dropped) {
        let (words, dropped) = heard_words(Leg::Agent, 1_000, &speech(texts, ms));
        (
            words
                .iter()
                .map(|w| w.word.text.as_str())
                .collect::<Vec<_>>()
                .join(" "),
            dropped,
        )
    }

    #[test]
    fn inventions_go_and_speech_stays() {
        let loops = "I'm going to go. ".repeat(12);
        let (text, dropped) = kept(
            &[("Hello there.", 0.9, 0.1), (loops.trim(), 0.8, 0.1)],
            20_000,
        );
        assert_eq!((text.as_str(), dropped.repetitive), ("Hello there.", 1));
        let (text, dropped) = kept(&[("Thank you.", 0.5, 0.2)], 700);
        assert_eq!((text.as_str(), dropped.stock_phrase), ("", 1));
        assert_eq!(kept(&[("Thank you.", 0.97, 0.2)], 5_000).0, "Thank you.");
        let (text, dropped) = kept(&[("some mumbled words", 0.2, 0.8)], 5_000);
        assert_eq!((text.as_str(), dropped.no_speech), ("", 1));
        let (text, dropped) = kept(&[("yes (music) fine", 0.9, 0.0)], 5_000);
        assert_eq!((text.as_str(), dropped.sounds), ("yes fine", 1));
        let (text, dropped) = kept(&[("we can do we can do we can do that", 0.9, 0.0)], 9_000);
        assert_eq!((text.as_str(), dropped.copies), ("we can do that", 2));
    }

    #[test]
    fn digits_may_repeat() {
        let card =
            "five five five five five five five five five five five five four four four four";
        assert_eq!(
            kept(&[(card, 0.9, 0.0)], 9_000),
            (card.to_owned(), Dropped::default())
        );
    }

    #[test]
    fn times_are_those_of_the_recording() {
        let (words, _) = heard_words(Leg::Agent, 1_000, &speech(&[("one two", 0.9, 0.0)], 5_000));
        assert_eq!(
            words
                .iter()
                .map(|w| (w.word.start_ms, w.word.end_ms))
                .collect::<Vec<_>>(),
            [(1_000, 1_280), (1_300, 1_580)]
        );
    }
}
