//! One and the same simulated day in every platform's own format: read by that platform's adapter,
//! folded to rows, and held against the truth cell by cell. What a format cannot tell stands in the
//! page of its platform, `docs/platforms/PLATFORM.md`, in the table "What the simulated day loses":
//! these cells alone are skipped, and a line of that table that loses nothing is an error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod compare;
mod day;
mod facts;
mod fold;
mod losses;
mod report;
mod table;
mod tables;

use report::check;

#[test]
fn the_facts_of_the_table_are_those_that_are_counted() {
    let counted: std::collections::BTreeSet<String> =
        facts::NAMES.iter().map(|f| (*f).to_owned()).collect();
    assert_eq!(table::compared(), counted);
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
fn teams() {
    check("teams");
}

#[test]
fn acs() {
    check("acs");
}

#[test]
fn asterisk() {
    check("asterisk");
}
