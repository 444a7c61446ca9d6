//! A program that never ends, or gives too much, is ended, and nothing else of the body with it.

use super::{declared, file, records, with_data};
use callboard_sources::lines::NewLine;
use callboard_sources::mapping::Mapping;

const ITEM: &[u8] = br#"{"id":"1","at":"2026-03-02T09:00:00Z"}"#;

#[test]
fn endless_programs_end() {
    for (code, limit) in [
        ("def f: f; f", "steps"),
        ("last(repeat(1))", "steps"),
        ("[repeat(1)]", "steps"),
        ("[range(1e12)] | length", "steps"),
        ("last(range(0; 1; 0.0000000001))", "steps"),
        ("[range(5; 0; -0.0000001)]", "steps"),
        ("until(false; .)", "steps"),
        ("last(limit(1e12; repeat(1)))", "steps"),
        ("try (def f: f; f) catch \"caught\"", "steps"),
        ("label $out | def f: f; f", "steps"),
        ("reduce repeat(1) as $x (0; . + $x)", "steps"),
        ("reduce range(22) as $i (\"x\"; . + .)", "bytes"),
    ] {
        let mapping = with_data(&format!("site = '{code}'")).unwrap();
        let (class, reason) = mapping.map(ITEM, &declared()).unwrap_err();
        assert_eq!(class, "mapping_limit", "{code}: {reason}");
        assert!(reason.contains(limit), "{code}: {reason}");
    }
}

#[test]
fn what_ends_soon_enough_is_left_alone() {
    for (code, value) in [
        ("[range(3)] | map(tostring) | join(\"-\")", "0-1-2"),
        ("[range(5; 0; -2)] | map(tostring) | join(\"-\")", "5-3-1"),
        ("first(repeat(\"a\"))", "a"),
        ("[limit(3; repeat(\"a\"))] | add", "aaa"),
    ] {
        let mapping = with_data(&format!("site = '{code}'")).unwrap();
        let mapped = mapping.map(ITEM, &declared()).unwrap();
        assert_eq!(mapped.events[0]["data"]["site"], value, "{code}");
    }
}

#[test]
fn events_and_items_are_bounded() {
    let many = file(
        "[[event]]\ntype = \"callboard.contact.recorded\"\neach = 'range(5000)'\ntime = '$item.at'\n[event.data]\ncontact_id = 'tostring'\n",
    );
    let mapping = Mapping::parse(&many).unwrap();
    let (class, reason) = mapping.map(ITEM, &declared()).unwrap_err();
    assert_eq!(
        (class, reason.contains("1000 outputs")),
        ("mapping_limit", true),
        "{reason}"
    );

    let endless = file(
        "items = '., (def f: f; f)'\n[[event]]\ntype = \"callboard.contact.recorded\"\n[event.data]\ncontact_id = '.id'\n",
    );
    let mapping = Mapping::parse(&endless).unwrap();
    let lines = records(&mapping, &[ITEM, ITEM].join(&b'\n'));
    let shown: Vec<&str> = lines
        .iter()
        .map(|line| match line {
            NewLine::Record(_) => "record",
            NewLine::Dead(dead) => dead.class,
            NewLine::Event(_) => "event",
        })
        .collect();
    assert_eq!(
        shown,
        ["record", "mapping_limit", "record", "mapping_limit"]
    );
}

#[test]
fn deep_and_long_items_are_refused() {
    let mapping = with_data("site = '.x | tostring'").unwrap();
    let deep = format!(
        "{{\"id\":\"1\",\"x\":{}1{}}}",
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    assert_eq!(
        mapping.map(deep.as_bytes(), &declared()).unwrap_err().0,
        "mapping_error"
    );
    let long = format!(
        "{{\"id\":\"1\",\"at\":\"2026-03-02T09:00:00Z\",\"y\":\"{}\"}}",
        "x".repeat(1_100_000)
    );
    let lines = records(&mapping, long.as_bytes());
    assert!(
        matches!(&lines[0], NewLine::Dead(d) if d.class == "too_long"),
        "{:?}",
        lines.len()
    );
}
