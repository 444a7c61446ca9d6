//! Data to try and to test with: a recorded shift, model weights, and a simulator that writes the
//! truth beside its events.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod compare;
pub mod simulate;
