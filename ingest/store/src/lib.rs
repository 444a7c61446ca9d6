//! Storage: the durable log, the lake's Delta tables, audio parts, the data folder, and the
//! snapshot that puts what is live beside what is in the lake.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod datafolder;
pub mod log;
