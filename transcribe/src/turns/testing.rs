//! Words and turns for tests: 280 ms a word, 20 ms apart.

use super::{Heard, Turn, Word, build};
use crate::Leg;

pub(crate) fn heard(leg: Leg, start_ms: u64, text: &str) -> Vec<Heard> {
    text.split_whitespace()
        .enumerate()
        .map(|(i, word)| {
            let start_ms = start_ms + i as u64 * 300;
            Heard {
                leg,
                word: Word {
                    text: word.into(),
                    start_ms,
                    end_ms: start_ms + 280,
                    p: 0.9,
                },
            }
        })
        .collect()
}

pub(crate) fn turn(leg: Leg, start_ms: u64, end_ms: u64, text: &str) -> Turn {
    let mut turn = build(heard(leg, start_ms, text)).swap_remove(0);
    turn.end_ms = end_ms;
    turn
}
