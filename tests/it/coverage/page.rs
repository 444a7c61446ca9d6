//! docs/coverage.md itself: every row of the platforms' documents stands there, and what it names
//! exists.

use std::collections::{BTreeMap, BTreeSet};

use super::{checks, text};
use crate::support::project;

/// Rows of section 0 of the two reference pages, in their order; none may be missing.
const ROWS: &[&str] = &[
    // Microsoft Teams and Azure Communication Services: people, attributes, models.
    "persona-designer",
    "shift-manager",
    "agent",
    "expert",
    "consumer",
    "boundary",
    "scale",
    "builds",
    "model-voice-applications",
    "model-connect",
    "model-connect-extend",
    "model-extend-power",
    "partners",
    "bot-to-human",
    "entry",
    // Features.
    "dtmf",
    "modalities",
    "call-recording",
    "call-park",
    "personal-voicemail",
    "aa-answer",
    "aa-operator",
    "aa-speech-menu",
    "aa-speech-directory",
    "aa-reporting",
    "aa-disconnect",
    "aa-person",
    "aa-application",
    "aa-external",
    "aa-shared-voicemail",
    "music-on-hold",
    "cq-answer",
    "cq-reporting",
    "cq-redirect",
    // Flows.
    "flow-chat-with-bot",
    "flow-bot-to-human",
    "chat-to-queue",
    "flow-number-agent-expert",
    // Amazon Connect.
    "tts-ivr-acd-cti",
    "recording",
    "contact-lens",
    "bot-and-nlu",
    "agents-and-devices",
    "environments",
    "numbers",
    "flows",
    "inbound",
    "accept",
    "chat",
    "outbound-api",
    "dialling-lists",
    "reach",
    "hybrid",
    "shapes",
    "migration-units",
    "forward-first",
    "vdi",
];

/// Words with which the last column says why a part has no test.
const REASONS: [&str; 3] = ["not observable:", "in no event:", "with live media:"];

/// A row of the page.
struct Row {
    tests: Vec<String>,
    sql: bool,
    reason: String,
}

/// Rows of the page by id: `| id | named | SQL | tests | what has none, and why |`.
fn rows() -> BTreeMap<String, Row> {
    let page = text("docs/coverage.md");
    let mut rows = BTreeMap::new();
    for line in page.lines().filter(|l| l.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [id, named, sql, tests, reason] = cells[..] else {
            panic!("{} cells: {line}", cells.len())
        };
        assert!(!named.is_empty(), "{line}");
        assert!(matches!(sql, "yes" | "no"), "{line}");
        let names = tests.split('`').skip(1).step_by(2).map(str::to_owned);
        let row = Row {
            tests: names.collect(),
            sql: sql == "yes",
            reason: reason.trim_end_matches('|').trim().to_owned(),
        };
        let before = rows.insert(id.trim_matches('`').to_owned(), row);
        assert!(before.is_none(), "twice: {line}");
    }
    rows
}

/// Names of all test functions of the adapters, each with its file: `acs/calls.rs`.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for folder in [
        "teams",
        "acs",
        "amazon_connect",
        "twilio",
        "genesys",
        "mapping",
    ] {
        let place = project().join("ingest/sources/tests").join(folder);
        for entry in std::fs::read_dir(place).unwrap() {
            let path = entry.unwrap().path();
            let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let source = text(&path);
            let mut lines = source.lines();
            while let Some(line) = lines.next() {
                if line.trim() != "#[test]" {
                    continue;
                }
                let name = lines.next().and_then(|l| l.trim().strip_prefix("fn "));
                let name = name.and_then(|n| n.split('(').next()).unwrap();
                names.insert(format!("{folder}::{module}::{name}"));
            }
        }
    }
    names
}

#[test]
fn every_row_stands_on_the_page() {
    let rows = rows();
    for row in ROWS {
        assert!(rows.contains_key(*row), "docs/coverage.md has no {row}");
    }
    assert_eq!(
        rows.len(),
        ROWS.len(),
        "docs/coverage.md has a row that is not listed"
    );
}

#[test]
fn every_row_has_its_test_or_says_why_not() {
    let known = tests();
    let in_sql: BTreeSet<String> = checks().into_iter().map(|c| c.row).collect();
    let rows = rows();
    for (id, row) in &rows {
        for test in &row.tests {
            assert!(known.contains(test), "{id}: there is no test {test}");
        }
        assert_eq!(row.sql, in_sql.contains(id), "{id}: SQL");
        let reasoned = REASONS.iter().any(|r| row.reason.contains(r));
        if row.sql {
            assert!(row.reason.is_empty() || reasoned, "{id}: {}", row.reason);
        } else {
            assert!(reasoned, "{id} has neither a question in SQL nor a reason");
        }
    }
    for id in &in_sql {
        assert!(rows.contains_key(id), "{id} is asked in SQL and on no page");
    }
}
