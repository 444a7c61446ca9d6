//! Ingest: doors through which events and recordings come, and the pipeline that makes them
//! durable, folds them, and acknowledges.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod clockwork;
pub mod doors;
pub mod heard;
pub mod live;
pub mod pipeline;
