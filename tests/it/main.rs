//! The whole program, from outside: the real binary, real files, a real browser, real readers.
//! The binary is the one built beside these tests (`cargo test --workspace` builds it first), or
//! the one that CALLBOARD_BIN names.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod architecture;
mod as_of;
mod asterisk_live;
mod backup;
mod beside;
mod browser;
mod clocks;
mod copies;
mod coverage;
mod crash;
mod doctor;
mod erasure;
mod faults;
mod huge;
mod journeys;
mod kafka;
mod mappings;
mod measured;
mod mended;
mod migration;
mod named;
mod platforms;
mod readers;
mod rebuild;
mod retention;
mod rot;
mod scenes;
mod shift;
mod sources;
mod stalls;
mod steps;
mod strangers;
mod support;
mod synced;
mod torture;
mod truth;
mod webhooks;
