//! Callboard's model: what arrived (records), what it says (statements), how statements become
//! state (merge) and state becomes rows (rows). Pure: no I/O, no clock, no configuration.
//!
//! The rule that everything else leans on: every row is a function of the *set* of records that
//! speak of it. Order of arrival, repeats and batches cannot change a row.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod closing;
pub mod cloudevents;
pub mod ids;
pub mod measures;
pub mod merge;
pub mod record;
pub mod rows;
pub mod statement;
pub mod tables;
pub mod time;
pub mod vcon;
