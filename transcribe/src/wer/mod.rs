//! How right the recogniser is: the word error rate over a set of recordings with known text.
//!
//! Words are compared before redaction, in memory only.

mod align;
mod contractions;
mod normaliser;
mod numbers;
mod set;

pub use align::{Errors, align};
pub use normaliser::{normalise, split_digits};
pub use set::{
    LegText, PieceRecord, Reference, Report, RunOptions, read_hypotheses, read_set, run, score,
};
