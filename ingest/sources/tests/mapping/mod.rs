//! Mapping files: those that come with callboard do what their tests say; bad ones are refused by
//! place; endless ones end.

use callboard_sources::adapter::{Adapter, Declared};
use callboard_sources::lines::NewLine;
use callboard_sources::mapping::{Mapped, Mapping, SHIPPED, check, shipped, try_out};

mod bounds;
mod files;
mod guesses;
mod left;
mod records;

/// A mapping of that name that comes with callboard.
fn known(name: &str) -> Mapping {
    Mapping::parse(shipped(name).unwrap()).unwrap()
}

/// A file with this in its middle: one event whose contact and time are always there.
fn file(more: &str) -> String {
    format!(
        "name = \"t\"\ntitle = \"T\"\nplatform = \"t\"\nsure = \"guessed\"\nknowledge = \"made for a test\"\nformat = \"json\"\ntime = '.at'\n{more}"
    )
}

/// Such a file whose only event has this data beside the contact's id.
fn with_data(data: &str) -> Result<Mapping, Vec<String>> {
    Mapping::parse(&file(&format!(
        "[[event]]\ntype = \"callboard.contact.recorded\"\n[event.data]\ncontact_id = '.id'\n{data}"
    )))
}

fn declared() -> Declared {
    Declared {
        instance: "north".into(),
        ..Declared::default()
    }
}

/// The records of a body, routed as they are when they are read again.
fn records(mapping: &Mapping, bytes: &[u8]) -> Vec<NewLine> {
    let found = mapping.items(bytes, &declared());
    let lines = found.into_iter().flat_map(|item| match item {
        Ok(item) => mapping.records(&item, &declared()),
        Err((class, reason, bytes)) => {
            vec![callboard_sources::payload::dead(
                "/t", class, reason, &bytes,
            )]
        }
    });
    lines.collect()
}

#[test]
fn the_mappings_that_come_with_callboard_do_what_their_tests_say() {
    for (name, text) in SHIPPED {
        let mapping = Mapping::parse(text).unwrap_or_else(|faults| panic!("{name}: {faults:#?}"));
        assert_eq!(mapping.file.name, *name);
        assert!(!mapping.file.tests.is_empty(), "{name} has no test");
        let failed = check(&mapping);
        assert!(failed.is_empty(), "{name}:\n{}", failed.join("\n"));
        // Their records are read again without them.
        for test in &mapping.file.tests {
            for line in records(&mapping, test.sample.as_bytes()) {
                let NewLine::Record(record) = line else {
                    panic!("{name}: {line:?}");
                };
                let routing = Mapped.route(&record.received(0)).unwrap();
                assert_eq!(routing.keys.len(), 1, "{name}");
            }
        }
    }
}

#[test]
fn damaged_samples_are_never_worse_than_refused() {
    for (name, text) in SHIPPED {
        let mapping = Mapping::parse(text).unwrap();
        for test in &mapping.file.tests {
            let whole = test.sample.as_bytes();
            for at in (0..whole.len()).step_by(61) {
                for damaged in [whole[..at].to_vec(), {
                    let mut bytes = whole.to_vec();
                    bytes[at] ^= 0x15;
                    bytes
                }] {
                    for line in records(&mapping, &damaged) {
                        if let NewLine::Record(record) = line {
                            let read = Mapped.route(&record.received(0));
                            assert!(read.is_ok(), "{name} at {at}: {read:?}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn what_no_expression_reads_is_told() {
    let report = try_out(
        &known("landis"),
        br#"{"CallId":"1","StartDateTime":"2026-03-02T09:00:00Z","QueueName":"q","WaitTime":3,"Colour":"red","Deep":{"er":[1,2]}}"#,
        &declared(),
    );
    assert_eq!(report.errors, []);
    assert_eq!(report.unmapped, [".Colour", ".Deep.er[]"]);
}
