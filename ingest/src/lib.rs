//! Ingest: doors through which bytes come in, and the pipeline that makes rows of them.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod doors;
