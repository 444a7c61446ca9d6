//! The Asterisk reader against a real shift, its oddities one by one, and generated histories; and
//! the adapters of other platforms against their captures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../acs/mod.rs"]
mod acs;
#[path = "../amazon_connect/mod.rs"]
mod amazon_connect;
mod board;
mod fold;
#[path = "../freeswitch/mod.rs"]
mod freeswitch;
#[path = "../fuzz/mod.rs"]
mod fuzz;
mod fuzzed;
#[path = "../gather/mod.rs"]
mod gather;
#[path = "../genesys/mod.rs"]
mod genesys;
mod history;
#[path = "../mapping/mod.rs"]
mod mapping;
mod measured;
mod oddities;
mod oddities_more;
mod pipeline;
mod properties;
mod sheets;
mod shift_rows;
#[path = "../siprec/mod.rs"]
mod siprec;
mod stories;
mod stories_of_agents;
mod stories_of_ami;
mod stories_of_ari;
mod stories_of_managers;
mod tally;
#[path = "../teams/mod.rs"]
mod teams;
#[path = "../twilio/mod.rs"]
mod twilio;
#[path = "../vcon/mod.rs"]
mod vcon;
