//! What `items` leaves out: a part of it is the mapping's choice, all of it is told.

use callboard_sources::lines::{DeadLine, NewLine};
use callboard_sources::mapping::{Format, Mapping, SHIPPED, check, try_out};

use super::{declared, file, known, records};

/// The dead letter that is all that comes of a body.
fn only_dead(mapping: &Mapping, body: &str) -> DeadLine {
    let mut lines = records(mapping, body.as_bytes());
    assert_eq!(lines.len(), 1, "{lines:?}");
    match lines.remove(0) {
        NewLine::Dead(dead) => dead,
        other => panic!("{other:?}"),
    }
}

/// Mappings that come with callboard and read tables, each with the sample of its test.
fn tables() -> Vec<(Mapping, String)> {
    let all = SHIPPED.iter().map(|(name, _)| known(name));
    let tables: Vec<_> = all
        .filter(|mapping| mapping.file.format == Format::Csv)
        .map(|mapping| {
            let sample = mapping.file.tests[0].sample.clone();
            (mapping, sample)
        })
        .collect();
    assert_eq!(tables.len(), 5);
    tables
}

#[test]
fn a_table_without_its_id_column_is_one_dead_letter_that_names_the_columns() {
    for (mapping, sample) in tables() {
        let name = &mapping.file.name;
        let (_, rest) = sample.split_once(',').unwrap();
        let wrong = format!("Colour,{rest}");
        let rows = wrong.lines().count() - 1;
        let dead = only_dead(&mapping, &wrong);
        assert_eq!(dead.class, "no_items", "{name}");
        let told = format!("({rows} left out;");
        assert!(
            dead.reason.contains(".Colour") && dead.reason.contains(&told),
            "{name}: {}",
            dead.reason
        );
        assert_eq!(dead.bytes, wrong.as_bytes(), "{name}");

        let report = try_out(&mapping, wrong.as_bytes(), &declared());
        assert_eq!((report.items, report.left_out), (0, rows), "{name}");
        let told: Vec<_> = report.errors.iter().map(|e| (e.item, e.class)).collect();
        assert_eq!(told, [(0, "no_items")], "{name}");
        let columns = wrong.lines().next().unwrap().split(',').count();
        assert_eq!(report.unmapped.len(), columns, "{name}");
        assert!(report.unmapped.contains(&".Colour".to_owned()), "{name}");
    }
}

#[test]
fn some_rows_may_be_left_out_and_a_table_without_rows_is_empty() {
    for (mapping, sample) in tables() {
        let name = &mapping.file.name;
        let items = try_out(&mapping, sample.as_bytes(), &declared()).items;
        let more = format!("{sample},all of them\n");
        let report = try_out(&mapping, more.as_bytes(), &declared());
        assert_eq!(report.errors, [], "{name}");
        assert_eq!((report.items, report.left_out), (items, 1), "{name}");
        let names = sample.lines().next().unwrap();
        for empty in ["", "\n", names] {
            assert_eq!(records(&mapping, empty.as_bytes()), [], "{name}");
        }
    }
}

#[test]
fn documents_of_another_system_are_one_dead_letter_and_empty_answers_are_none() {
    for (name, wrong, empty) in [
        ("landis", "7", "[]"),
        (
            "luware",
            r#"{"value": [1, 2]}"#,
            r#"{"@odata.context": "x", "value": []}"#,
        ),
        (
            "nice-cxone",
            r#"{"contacts": ["a"]}"#,
            r#"{"completedContacts": [], "totalRecords": 0}"#,
        ),
    ] {
        let mapping = known(name);
        assert_eq!(only_dead(&mapping, wrong).class, "no_items", "{name}");
        assert_eq!(records(&mapping, empty.as_bytes()), [], "{name}");
    }
}

const CALLS: &str = "items = '.calls[]?'\n[[event]]\ntype = \"callboard.contact.recorded\"\n[event.data]\ncontact_id = '.id'\n";

#[test]
fn all_that_is_sent_at_once_is_told_of_once() {
    let mapping = Mapping::parse(&file(CALLS)).unwrap();
    let wrong = "{\"Calls\": [{\"id\": \"1\"}], \"errors\": []}\n{\"error\": {\"code\": 7}}\n{\"calls\": []}\n{\"calls\": null}\n";
    let dead = only_dead(&mapping, wrong);
    assert!(
        dead.reason.contains("(3 left out;")
            && dead.reason.contains(".Calls[].id")
            && dead.reason.contains(".error.code"),
        "{}",
        dead.reason
    );
    assert_eq!(dead.length, wrong.len() as u64);
    // What is broken is told beside it.
    let classes = |body: &str| -> Vec<&'static str> {
        let lines = records(&mapping, body.as_bytes());
        let classes = lines.iter().map(|line| match line {
            NewLine::Dead(dead) => dead.class,
            _ => "record",
        });
        classes.collect()
    };
    assert_eq!(
        classes("{\"error\": 1}\n{broken\n"),
        ["not_json", "no_items"]
    );
    // One call is enough: the others may be no calls.
    let one = "{\"error\": 1}\n{\"calls\": [{\"id\": \"1\", \"at\": \"2026-03-02T09:00:00Z\"}]}\n";
    assert_eq!(classes(one), ["record"]);
}

#[test]
fn a_mapping_may_say_that_there_may_be_nothing_for_it() {
    let event = r#"{"type": "seat.taken"}"#;
    let test = format!(
        "{}[[test]]\nname = \"another event\"\nsample = '{event}'\nexpect = '[]'\n",
        CALLS.replace(".calls[]?", "select(.type == \"call.ended\")")
    );
    let strict = Mapping::parse(&file(&test)).unwrap();
    let dead = only_dead(&strict, event);
    assert!(dead.reason.contains("mixed = true"), "{}", dead.reason);
    assert_eq!(check(&strict).len(), 1);
    let mixed = Mapping::parse(&file(&format!("mixed = true\n{test}"))).unwrap();
    assert_eq!(records(&mixed, event.as_bytes()), []);
    assert_eq!(check(&mixed), [""; 0]);
    let report = try_out(&mixed, event.as_bytes(), &declared());
    assert_eq!((report.items, report.left_out), (0, 1));
    assert_eq!(report.unmapped, [".type"]);
}
