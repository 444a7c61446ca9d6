//! Words of two legs to a conversation of turns.

mod build;
mod guards;
#[cfg(test)]
pub(crate) mod testing;

pub use build::build;
pub use guards::{Dropped, heard_words};

use crate::Leg;
use crate::tags::sentiment::{Mood, Scores};
use serde::{Deserialize, Serialize};

/// One word as heard, or a mask such as `[CARD]` in the place of several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Word {
    /// With its punctuation.
    pub text: String,
    /// Where it begins, ms from the start of the recording.
    pub start_ms: u64,
    /// Where it ends.
    pub end_ms: u64,
    /// Probability, 0 to 1; for ranking and highlighting (below 0.5) only.
    pub p: f32,
}

/// What one side says until the other takes over or a pause of a second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// Place in the conversation, from 0.
    pub seq: u32,
    /// Who speaks.
    pub leg: Leg,
    /// Start of the first word, ms from the start of the recording.
    pub start_ms: u64,
    /// End of the last word.
    pub end_ms: u64,
    /// The words joined, with a capital first letter and a mark at the end.
    pub text: String,
    /// The words with their times.
    pub words: Vec<Word>,
    /// Geometric mean of the words' probabilities.
    pub confidence: f32,
    /// A short "yeah", "okay" inside the other's turn.
    pub backchannel: bool,
    /// Something in it is masked.
    pub redacted: bool,
    /// VADER's scores of the text.
    pub sentiment: Scores,
    /// What they say in a word.
    pub mood: Mood,
}

/// A word of a leg before turns are made.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// Who spoke it.
    pub leg: Leg,
    /// The word.
    pub word: Word,
}
