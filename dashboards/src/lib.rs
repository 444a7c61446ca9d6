//! Callboard's pages: the live board, reports, contacts with their transcripts and sound, status
//! and the coverage ledger. Rendered on the server, readable without scripts; all state is in
//! the address.
//!
//! [`App::new`] takes what the rest of the program gives ([`Given`]), [`router`] makes the routes.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod app;
#[cfg(test)]
mod app_tests;
mod assets;
mod audio;
mod bind;
mod charts;
pub mod data;
mod error;
pub mod guard;
mod live;
mod pages;
mod ports;
mod reports;
mod url;
mod view;
mod zone;

pub use app::{App, Given, router};
pub use bind::EngineData;
pub use ports::{
    Audio, AudioError, Changes, FeedStatus, LinkStatus, NewNote, Notes, SourceFeed, SourceStatus,
    Status, StatusReport, TableStatus,
};
