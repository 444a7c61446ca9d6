//! Callboard's sources: what platforms write, read as records and statements. Pure: no I/O, no
//! clock, and nothing of configuration but what the door stamped into the record.
//!
//! * [`registry`] is the one [`Interpreter`](callboard_model::record::Interpreter) of all formats.
//! * [`lines`] turns a platform's files and request bodies into records with lasting identities.
//! * [`adapter`] is what the module of a platform offers, and the list of them.
//! * [`acs`] reads Azure Communication Services.
//! * [`amazon_connect`] reads contact events and records, agent events, Contact Lens and more.
//! * [`asterisk`] reads queue_log, CEL, CDR and AMI events, each alone or together.
//! * [`payload`] is what adapters of platforms that send documents share.
//! * [`mapping`] reads any other system, by a file that says how.
//! * [`freeswitch`] reads FreeSWITCH: events of the callcenter and of channels, call records.
//! * [`genesys`] reads Genesys Cloud: conversation details, events, notifications.
//! * [`sheet`] reads tables kept as CSV: attributes, schedules, measurements, figures, scores.
//! * [`siprec`] reads metadata of recording sessions.
//! * [`twilio`] reads Twilio: TaskRouter and Flex, calls, conferences, recordings.
//! * [`vcon`] reads conversations in the IETF's container.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod acs;
pub mod adapter;
pub mod amazon_connect;
pub mod asterisk;
pub mod freeswitch;
pub mod genesys;
pub mod lines;
pub mod mapping;
pub mod payload;
pub mod registry;
pub mod sheet;
pub mod siprec;
pub mod teams;
pub mod twilio;
pub mod vcon;
