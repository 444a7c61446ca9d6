//! The arrows of ARCHITECTURE.md hold: dependencies point one way, and only the named rooms know
//! Delta, SQL, Whisper.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::support::project;

/// Who may use whom, of ours.
const ARROWS: &[(&str, &[&str])] = &[
    ("callboard-model", &[]),
    ("callboard-sources", &["model"]),
    ("callboard-store", &["model"]),
    ("callboard-ingest", &["model", "sources", "store"]),
    ("callboard-transcribe", &["model", "store"]),
    ("callboard-query", &["model", "store"]),
    ("callboard-dashboards", &["model", "query"]),
    ("callboard-datasets", &["model"]),
    (
        "callboard",
        &[
            "model",
            "sources",
            "store",
            "ingest",
            "transcribe",
            "query",
            "dashboards",
            "datasets",
        ],
    ),
    ("callboard-tests", &[]),
];

/// Who may know a library that only one room should know.
const ONLY: &[(&str, &[&str])] = &[
    ("deltalake", &["callboard-store", "callboard-query"]),
    ("datafusion", &["callboard-query"]),
    ("datafusion-postgres", &["callboard-query"]),
    ("whisper-rs", &["callboard-transcribe"]),
    ("rdkafka", &["callboard-ingest"]),
    ("plotters", &["callboard-dashboards"]),
];

#[test]
fn arrows_point_one_way() {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(project())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut packages: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in metadata["packages"].as_array().unwrap() {
        let uses = package["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|d| d["kind"].is_null())
            .map(|d| d["name"].as_str().unwrap().to_owned())
            .collect();
        packages.insert(package["name"].as_str().unwrap().to_owned(), uses);
    }
    assert_eq!(
        packages.len(),
        ARROWS.len(),
        "a new crate needs its arrows here"
    );
    for (name, allowed) in ARROWS {
        for used in &packages[*name] {
            if let Some(ours) = used.strip_prefix("callboard-") {
                assert!(allowed.contains(&ours), "{name} must not use {used}");
            }
            if let Some((_, who)) = ONLY.iter().find(|(library, _)| library == used) {
                assert!(who.contains(name), "{name} must not know {used}");
            }
        }
    }
}

/// The simulator's truth proves nothing where it is made by what it is to check: of the model it
/// knows the words and the times of events, and not how records become rows.
#[test]
fn the_simulator_knows_words_and_times_and_no_merge() {
    let mut folders = vec![project().join("datasets/src")];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for used in text.split("callboard_model").skip(1) {
                let words = used.starts_with("::cloudevents::") || used.starts_with("::time::");
                assert!(words, "{} uses callboard_model{:.40}", path.display(), used);
                seen += 1;
            }
        }
    }
    assert!(seen > 10, "it looked at the wrong place: {seen}");
}
