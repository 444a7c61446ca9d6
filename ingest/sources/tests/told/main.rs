//! One and the same simulated day in every platform's own format: read by that platform's adapter,
//! folded to rows, and held against the truth cell by cell. What a format cannot tell stands in the
//! page of its platform, `docs/platforms/PLATFORM.md`, in the table "What the simulated day loses":
//! these cells alone are skipped, and a line of that table that loses nothing is an error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod compare;
mod day;
mod facts;
mod fold;
#[path = "../gather/mod.rs"]
mod gather;
mod losses;
mod product;
mod report;
mod sides;
mod table;
mod tables;

use report::{check, check_alone};

#[test]
fn the_facts_of_the_table_are_those_that_are_counted() {
    let counted: std::collections::BTreeSet<String> =
        facts::NAMES.iter().map(|f| (*f).to_owned()).collect();
    assert_eq!(table::compared(), counted);
}

/// Samples of mappings are made by hand from documents, and the day is told in none of their formats.
#[test]
fn what_neither_a_real_sample_nor_the_day_holds_is_not_called_exact() {
    assert_eq!(table::exact_by_mapping(), Vec::<String>::new());
}

#[test]
fn amazon_connect() {
    check("amazon-connect");
}

#[test]
fn freeswitch() {
    check("freeswitch");
}

#[test]
fn siprec() {
    check("siprec");
}

#[test]
fn twilio() {
    check("twilio");
}

#[test]
fn vcon() {
    check("vcon");
}

#[test]
fn genesys() {
    check("genesys");
}

#[test]
fn genesys_notifications() {
    let files = ["events.ndjson", "frames.ndjson"];
    check_alone("genesys", "What its notifications alone lose", &files);
}

#[test]
fn teams() {
    check("teams");
}

#[test]
fn teams_analytics() {
    let files = [
        "auto-attendants.ndjson",
        "call-queues.ndjson",
        "agent-timeline.ndjson",
        "presence.ndjson",
    ];
    check_alone("teams", "What its analytics alone lose", &files);
}

#[test]
fn acs() {
    check("acs");
}

#[test]
fn asterisk() {
    check("asterisk");
}

#[test]
fn asterisk_queue_log() {
    check_alone("asterisk", "What its queue log alone loses", &["queue_log"]);
}
