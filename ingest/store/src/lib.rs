//! Storage: the durable log, the lake's Delta tables, audio parts, the data folder, and the
//! snapshot that puts what is live beside what is in the lake.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod audio;
pub mod backup;
pub mod datafolder;
pub mod doctor;
pub mod erase;
pub mod lake;
pub mod live;
pub mod log;
pub mod positions;
pub mod sim;
pub mod snapshot;
mod steps;
pub mod storage;
pub mod store;
