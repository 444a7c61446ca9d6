//! SQL over callboard: one snapshot per query, documented views, metrics as files, limits that
//! truly stop, and the doors through which people ask: PostgreSQL's wire and HTTP.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod cache;
mod catalog;
pub mod compare;
mod derived;
mod engine;
mod error;
mod grow;
mod guard;
mod http;
pub mod identity;
mod limits;
mod meter;
pub mod metrics;
mod moment;
mod naming;
pub mod pgwire;
mod plan;
mod run;
pub mod say;
mod session;
mod stays;
mod steps;
mod stop;
mod views;
mod weigh;
mod words;

pub use callboard_store::snapshot::Snapshot;
pub use catalog::{ColumnDoc, DATABASE, SCHEMA, ViewDoc};
pub use derived::deriver;
pub use engine::{BUSY_RETRY_S, Engine};
pub use error::{Class, QueryError};
pub use http::router;
pub use limits::{Limits, Principal};
pub use moment::moment;
pub use session::{Answer, Param, QueryResult, Session};

#[cfg(test)]
mod tests;
