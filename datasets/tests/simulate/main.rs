//! The simulator from outside: the same bytes for a seed, and a truth that is at one with itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bytes;
mod calendar;
mod change;
mod columns;
mod manifest;
mod sums;
mod told;
mod until;
mod versions;
mod ways;
mod world;
