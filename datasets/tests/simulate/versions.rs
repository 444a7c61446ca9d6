//! Platforms that change in the middle of the day: a queue gets another name, fields are told no
//! more.

use std::collections::{BTreeMap, BTreeSet};

use callboard_datasets::simulate::Disorder;
use serde_json::Value;

use crate::world::{World, ms, text, world, world_of};

/// Noon of the one day in Berlin and in New York, before anything is wrong with the clocks.
const NOON: [(&str, &str); 2] = [
    ("/sim/site1", "2026-03-07T11:00:00Z"),
    ("/sim/site2", "2026-03-07T17:00:00Z"),
];

fn right(seed: u64) -> World {
    world_of(seed, 2_000, Disorder::Wild, |options| options.skew = 0)
}

/// The contacts of a site, those before its noon and those after it.
fn halves(w: &World, site: usize) -> [BTreeSet<&str>; 2] {
    let (source, noon) = NOON[site];
    let noon = chrono::DateTime::parse_from_rfc3339(noon).unwrap();
    let own = w.truth["contacts"]
        .iter()
        .filter(|r| text(r, "source") == source);
    let (before, after): (Vec<&Value>, Vec<&Value>) =
        own.partition(|r| ms(r, "started_at").unwrap() < noon.timestamp_millis());
    [before, after].map(|half| half.into_iter().map(|r| text(r, "contact_id")).collect())
}

/// Events of a source by contact.
fn told(w: &World, source: &str) -> BTreeMap<String, Vec<Value>> {
    let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in &w.lines {
        let Ok(event) = serde_json::from_slice::<Value>(line) else {
            continue;
        };
        let contact = event["data"]["contact_id"].as_str().map(str::to_owned);
        if let (true, Some(contact)) = (text(&event, "source") == source, contact) {
            found.entry(contact).or_default().push(event);
        }
    }
    found
}

#[test]
fn a_queue_has_another_name_for_contacts_that_begin_after_noon() {
    let w = right(51);
    let [before, after] = halves(&w, 0);
    let names = |half: &BTreeSet<&str>, table: &str, column: &str| {
        let own = w.truth[table].iter();
        let own = own.filter(|r| half.contains(text(r, "contact_id")));
        let named = own.filter(|r| ["Störung 1", "Fault desk 1"].contains(&text(r, column)));
        named.map(|r| text(r, column)).collect::<BTreeSet<_>>()
    };
    for (table, column) in [
        ("contacts", "queue"),
        ("segments", "queue"),
        ("segments", "target"),
        ("offers", "queue"),
    ] {
        assert_eq!(
            names(&before, table, column),
            ["Störung 1"].into(),
            "{table}.{column}"
        );
        assert_eq!(
            names(&after, table, column),
            ["Fault desk 1"].into(),
            "{table}.{column}"
        );
    }
    // What is told is what is true, and both names have the target.
    let told = told(&w, "/sim/site1");
    for (half, other) in [(&before, "Fault desk 1"), (&after, "Störung 1")] {
        for event in half.iter().filter_map(|c| told.get(*c)).flatten() {
            assert_ne!(event["data"]["queue"], other, "{event}");
            assert_ne!(event["data"]["target"], other, "{event}");
        }
    }
    for name in ["Störung 1", "Fault desk 1"] {
        let target = format!("\"queue\":\"{name}\",\"variant\"");
        let line = |l: &&Vec<u8>| String::from_utf8_lossy(l).contains(&target);
        assert_eq!(w.lines.iter().filter(line).count(), 1, "{name}");
        let rows = w.truth["queue_intervals"].iter();
        assert!(
            rows.filter(|r| text(r, "queue") == name).count() > 2,
            "{name}"
        );
    }
}

#[test]
fn fields_are_told_no_more_after_noon_and_what_hangs_on_them_is_not_known() {
    let w = right(51);
    let [before, after] = halves(&w, 1);
    let told = told(&w, "/sim/site2");
    let says = |half: &BTreeSet<&str>, field: &str| {
        let events = half.iter().filter_map(|c| told.get(*c)).flatten();
        events.filter(|e| !e["data"][field].is_null()).count()
    };
    for field in ["hold_ms", "hold_count", "site", "customer_name"] {
        assert!(says(&before, field) > 0, "{field}");
        assert_eq!(says(&after, field), 0, "{field}");
    }
    // Talks without a hold: none held before, nobody knows after.
    let held: BTreeSet<&str> = w.truth["segments"]
        .iter()
        .filter(|r| text(r, "kind") == "hold")
        .map(|r| text(r, "contact_id"))
        .collect();
    let without = |half: &BTreeSet<&str>, known: bool| {
        let talked = |r: &&Value| {
            let id = text(r, "contact_id");
            half.contains(id) && !held.contains(id) && !r["talk_ms"].is_null()
        };
        let rows = w.truth["contacts"].iter().filter(talked);
        rows.filter(|r| r["hold_ms"].is_null() != known).count()
    };
    assert!(without(&before, true) > 100);
    assert!(without(&after, false) > 100);
    assert_eq!(without(&after, true), 0);
    // Holds that are told themselves still count.
    let known = |r: &&Value| {
        let id = text(r, "contact_id");
        after.contains(id) && held.contains(id) && !r["hold_ms"].is_null()
    };
    assert!(w.truth["contacts"].iter().filter(known).count() > 0);
}

#[test]
fn nothing_changes_where_nothing_is_wrong() {
    let w = world(51, 2_000, Disorder::None);
    let queues: BTreeSet<&str> = w.truth["segments"]
        .iter()
        .map(|r| text(r, "queue"))
        .collect();
    assert!(queues.contains("Störung 1") && !queues.contains("Fault desk 1"));
}
