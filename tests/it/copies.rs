//! Copies and rebuilt rows as others see them: what they were; and the doctor counts what DuckDB
//! counts.

use std::path::Path;

use serde_json::Value;

use crate::erasure::{scene, text};
use crate::readers::script;
use crate::support::{Server, callboard, until};

#[test]
fn copies_and_rebuilt_rows_are_the_same_by_another_reader_and_the_doctor_counts_alike() {
    let (scene, server) = scene();
    let tape = scene.path("backup.tar");
    server.stop();
    let data = scene.path("data");
    let digest = |folder: &Path| script("digest.py", &[text(&folder.join("lake"))]);
    let before = digest(&data);
    let tables = before.as_object().unwrap();
    assert_eq!(tables.len(), 24, "{before}");
    let mut sum = 0;
    for (table, read) in tables {
        assert_eq!(read["rows"], read["deltalake"], "{table}: two readers");
        sum += read["rows"].as_u64().unwrap();
    }
    // Tables without a row prove nothing.
    for table in [
        "tags",
        "measurements",
        "vendor_metrics",
        "evaluations",
        "customer_attributes",
        "schedules",
        "leases",
        "corrections",
        "dead_letters",
        "audio",
        "turns",
        "notes",
    ] {
        assert!(tables[table]["rows"].as_u64() > Some(0), "{table} is empty");
    }
    // The doctor read as many rows as DuckDB did, and knows as many records.
    let said = callboard(&["doctor", "--data", text(&data)]);
    assert!(
        said.contains(&format!(" {sum} rows read")),
        "DuckDB {sum}: {said}"
    );
    let records = &tables["records"]["rows"];
    assert!(
        said.contains(&format!("{records} records, {records} of them")),
        "{said}"
    );

    callboard(&["rebuild", "--data", text(&data)]);
    same("rebuilt", &before, &digest(&data));

    let server = scene.serve("data");
    callboard(&["backup", "--to", &server.url, text(&tape)]);
    server.stop();
    let again = scene.path("again");
    callboard(&["restore", text(&tape), "--data", text(&again)]);
    same("restored", &digest(&data), &digest(&again));
    let said = callboard(&["doctor", "--data", text(&again)]);
    assert!(said.contains("Nothing is wrong."), "{said}");
}

/// Whether no day's intervals are due.
fn made(data: &Path) -> bool {
    let commit = std::fs::read_to_string(data.join("state/commit.json")).unwrap();
    let commit: Value = serde_json::from_str(commit.lines().next().unwrap()).unwrap();
    commit["derive_days"].as_array().unwrap().is_empty()
}

/// Holds the lake's intervals against those that a rebuild makes of all records, day by day; of a day
/// that is not over rows tell how it is now.
pub fn intervals_are_those_of_a_rebuild(data: &Path, what: &str) {
    // A stop does not wait for them for long; the next start makes them.
    if !made(data) {
        let server = Server::serve(data, &[]);
        until("the intervals", || made(data).then_some(()));
        server.stop();
    }
    let both = || {
        let read = script("digest.py", &[text(&data.join("lake"))]);
        let over = chrono::Utc::now() - chrono::Duration::days(1);
        let over = over.format("%Y-%m-%d").to_string();
        ["queue_intervals", "agent_intervals"].map(|table| {
            let mut days = read[table]["days"].as_object().unwrap().clone();
            days.retain(|day, _| *day < over);
            days
        })
    };
    let before = both();
    assert!(before.iter().all(|days| !days.is_empty()), "{before:?}");
    callboard(&["rebuild", "--data", text(data)]);
    assert_eq!(before, both(), "{what}: the lake's intervals");
}

/// All tables have the same rows.
#[track_caller]
fn same(what: &str, before: &Value, after: &Value) {
    for (table, was) in before.as_object().unwrap() {
        for part in ["rows", "digest"] {
            assert_eq!(was[part], after[table][part], "{what}: {table}");
        }
    }
}
