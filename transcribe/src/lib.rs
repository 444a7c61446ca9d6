//! Recordings to conversations: decode, find speech, recognise it, make turns, redact, tag.
//!
//! [`Transcriber`] is the door: bytes of a recording in, a [`Conversation`] out in which no card
//! number is left. Everything past recognition is a pure function of words.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod audio;
pub mod engine;
mod error;
mod facade;
mod formats;
mod leg;
pub mod models;
mod number_words;
mod prepare;
pub mod tags;
pub mod turns;
pub mod wer;

pub use error::{AudioError, TranscribeError};
pub use facade::{Conversation, Progress, Timings, Transcriber, TranscriberConfig};
pub use formats::{to_json, to_text, to_vtt};
pub use leg::Leg;
pub use prepare::{LegInput, RecordingInput};
