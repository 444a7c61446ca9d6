//! The Asterisk reader against a real shift, its oddities one by one, and generated histories.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod oddities;
mod pipeline;
mod properties;
mod stories;
mod tally;
