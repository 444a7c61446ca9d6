//! Mood: VADER's score of a text, exactly as the Python package vaderSentiment 3.3.2 gives it,
//! and what follows from it for turns and calls.

mod call;
mod lexicon;
mod vader;

pub use call::{CallSentiment, LegSentiment, call_sentiment};
pub use vader::{Scores, score};

use serde::{Deserialize, Serialize};

/// A turn's mood by VADER's own limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mood {
    /// Compound of 0.05 and more.
    Positive,
    /// Between.
    Neutral,
    /// Compound of -0.05 and less.
    Negative,
}

impl Mood {
    /// The mood of a compound score.
    pub fn of(compound: f64) -> Mood {
        if compound >= 0.05 {
            Mood::Positive
        } else if compound <= -0.05 {
            Mood::Negative
        } else {
            Mood::Neutral
        }
    }
}
