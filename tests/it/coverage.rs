//! What the platforms' own documents name, row by row: docs/coverage.md says what holds each row,
//! and `coverage/*.toml` asks SQL for its values. All captures of Teams, Azure Communication
//! Services and Amazon Connect go to a real server; then altered ones to another, whose answers
//! must differ.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use crate::support::centre::Centre;
use crate::support::project;

mod page;

/// Files of checks; each is a platform's, or two of Microsoft's.
const FILES: [&str; 3] = ["teams", "acs", "amazon-connect"];

/// A row of docs/coverage.md, asked in SQL.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Check {
    /// The row's id.
    row: String,
    /// `platform/file`, sent in this order; `mapping:NAME/NAME` is the sample of a mapping's test.
    captures: Vec<String>,
    /// Name of the file as the platform gives it, where it is told there what it is of.
    #[serde(default)]
    name: String,
    /// What is changed in both: file, text, what stands there instead.
    #[serde(default)]
    edit: Vec<[String; 3]>,
    /// The question; `attr(x)` is the attribute x of a contact.
    sql: String,
    /// Its answer, one text a row.
    expected: Vec<String>,
    /// What makes the altered captures, as `edit`.
    alter: Vec<[String; 3]>,
    /// The source's instance: its rows are apart from those of all other checks.
    #[serde(skip)]
    instance: String,
}

#[derive(Deserialize)]
struct File {
    check: Vec<Check>,
}

fn checks() -> Vec<Check> {
    let mut all = Vec::new();
    for file in FILES {
        let path = project().join(format!("tests/it/coverage/{file}.toml"));
        let text = std::fs::read_to_string(path).unwrap();
        let read: File = toml::from_str(&text).unwrap_or_else(|e| panic!("{file}: {e}"));
        for (n, mut check) in read.check.into_iter().enumerate() {
            check.instance = format!("{file}.{}.{n}", check.row);
            all.push(check);
        }
    }
    all
}

fn captures(platform: &str) -> Vec<String> {
    let folder = project()
        .join("ingest/sources/tests/captures")
        .join(platform);
    let names = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = names
        .map(|f| f.unwrap().file_name().into_string().unwrap())
        .filter(|n| n != "README.md")
        .map(|n| format!("{platform}/{n}"))
        .collect();
    names.sort();
    names
}

/// A capture with texts of it replaced, everywhere; each must be there.
fn changed(capture: &str, changes: &[&[String; 3]]) -> Vec<u8> {
    let mut text = match capture.strip_prefix("mapping:") {
        Some(sample) => crate::mappings::sample(sample.split('/').next().unwrap()),
        None => {
            let captures = project().join("ingest/sources/tests/captures");
            std::fs::read_to_string(captures.join(capture)).unwrap()
        }
    };
    for [file, find, put] in changes {
        if capture.ends_with(&format!("/{file}")) {
            assert!(text.contains(find.as_str()), "{capture} has no {find}");
            text = text.replace(find.as_str(), put);
        }
    }
    text.into_bytes()
}

/// Sends what the checks ask of; all of it must be taken.
fn send(centre: &Centre, checks: &[Check], altered: bool) {
    for check in checks {
        for capture in &check.captures {
            let (platform, file) = capture.split_once('/').unwrap();
            let alter = check.alter.iter().filter(|_| altered);
            let changes: Vec<&[String; 3]> = check.edit.iter().chain(alter).collect();
            for [named, ..] in &changes {
                let known = check
                    .captures
                    .iter()
                    .any(|c| c.ends_with(&format!("/{named}")));
                assert!(known, "{}: {named} is none of its captures", check.instance);
            }
            let name = if check.name.is_empty() {
                file
            } else {
                &check.name
            };
            let url = format!(
                "/v1/sources/{platform}?instance={}&name={name}",
                check.instance
            );
            let body = changed(capture, &changes);
            let (status, answer) = centre.server().post(&url, "text/plain", body).unwrap();
            assert_eq!(status, 200, "{}: {answer}", check.instance);
            assert_eq!(answer["refused"], 0, "{}: {answer}", check.instance);
            assert_eq!(answer["conflicts"], 0, "{}: {answer}", check.instance);
        }
    }
}

/// How the queue is named, by `edit`, of whose intervals a check asks.
const OWN_QUEUE: &str = "floor";

/// Where a view's rows are those of one instance.
fn of_instance(view: &str, instance: &str) -> String {
    match view {
        "agent_states" => format!("split_part(source, '/', 3) = '{instance}'"),
        "queue_targets" => format!("source like '%{instance}'"),
        "tags" | "turns" => format!("recording_id like '{instance}-%'"),
        // A queue of the check's own: intervals are of a queue, whoever tells of it.
        "queue_intervals" => format!("queue like '{OWN_QUEUE}%'"),
        _ => format!("contact_id like '{instance}-%'"),
    }
}

/// The question over the views as if there were nothing but the check's own captures.
fn question(check: &Check) -> String {
    let mut sql = check.sql.clone();
    while let Some(start) = sql.find("attr(") {
        let end = start + sql[start..].find(')').unwrap();
        let name = sql[start + "attr(".len()..end].replace('.', r"\.");
        let put = format!("regexp_match(attributes, '\"{name}\":\"([^\"]*)\"')[1]");
        sql.replace_range(start..=end, &put);
    }
    let views = [
        "contacts",
        "segments",
        "offers",
        "recordings",
        "tags",
        "turns",
        "notes",
        "agent_states",
        "queue_targets",
        "queue_intervals",
        "surveys",
    ];
    let asked: Vec<String> = views
        .iter()
        .filter(|v| {
            format!("{sql} ").contains(&format!("from {v} ")) || sql.contains(&format!("from {v})"))
        })
        .map(|v| {
            let only = of_instance(v, &check.instance);
            format!("{v} as (select * from callboard.{v} where {only})")
        })
        .collect();
    assert!(!asked.is_empty(), "{}: no view", check.instance);
    format!("with {} {sql}", asked.join(", "))
}

/// The answers, in which an instance is not named.
fn answer(centre: &Centre, check: &Check) -> Vec<String> {
    let rows = centre.rows(&question(check));
    let plain = |row: String| {
        let row = row.replace(&format!("{}-", check.instance), "");
        row.replace(&check.instance, "~")
    };
    rows.into_iter().map(plain).collect()
}

#[test]
fn every_row_is_answered_in_sql_and_otherwise_when_its_capture_is_altered() {
    let checks = checks();
    let centre = Centre::new();
    send(&centre, &checks, false);
    let mut wrong = Vec::new();
    for check in &checks {
        let found = answer(&centre, check);
        if found != check.expected {
            wrong.push(format!("{}: {found:#?}", check.instance));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(centre.rows("select count(*) from dead_letters"), ["0"]);
    let other = Centre::new();
    send(&other, &checks, true);
    for check in &checks {
        let found = answer(&other, check);
        assert_ne!(
            found, check.expected,
            "{}: altered for nothing",
            check.instance
        );
    }
    let rows: BTreeSet<&str> = checks.iter().map(|c| c.row.as_str()).collect();
    println!(
        "{} checks of {} rows, each answered twice",
        checks.len(),
        rows.len()
    );
}

/// Captures of which a part cannot be a record, and how many are refused: documents as their
/// authors print them, with commas too many, a handshake's answer, rows without their query, files
/// whose name alone says of whom they are.
const REFUSED: &[(&str, u64)] = &[
    ("teams/made-vaac-answer-template.json", 1),
    (
        "acs/eventgrid-subscription-validation-answer--azure-docs.json",
        1,
    ),
    ("amazon-connect/agent-event-sample--admin-guide-2019.txt", 1),
    ("amazon-connect/agent-event-sample--admin-guide-2021.txt", 1),
    (
        "amazon-connect/agent-event-state-change-next-status--admin-guide.txt",
        1,
    ),
    (
        "amazon-connect/contact-event-pascal-case--admin-guide-2021.txt",
        1,
    ),
    (
        "amazon-connect/contact-lens-voice-original--admin-guide-2020.txt",
        1,
    ),
    (
        "amazon-connect/contact-lens-voice-original--admin-guide-2022.json",
        1,
    ),
    (
        "amazon-connect/contact-lens-voice-original--admin-guide.json",
        1,
    ),
    (
        "amazon-connect/contact-lens-voice-redacted--admin-guide-2020.txt",
        1,
    ),
    (
        "amazon-connect/contact-lens-voice-redacted--admin-guide-2022.json",
        1,
    ),
    (
        "amazon-connect/contact-lens-voice-redacted--admin-guide.json",
        1,
    ),
    (
        "amazon-connect/lambda-contact-flow-event--admin-guide.txt",
        1,
    ),
    (
        "amazon-connect/post-call-analytics-output--amazon-transcribe-post-call-analytics.json",
        1,
    ),
];

/// Every capture of the platforms, each as a tenant of its own: taken, or a dead letter with its
/// reason.
#[test]
fn every_capture_is_taken_or_says_why_not() {
    let centre = Centre::new();
    let refused: BTreeMap<&str, u64> = REFUSED.iter().copied().collect();
    let mut taken = 0;
    for capture in FILES.iter().flat_map(|p| captures(p)) {
        let (platform, file) = capture.split_once('/').unwrap();
        let instance = file.split('.').next().unwrap();
        let url = format!("/v1/sources/{platform}?instance={instance}");
        let (status, answer) = (centre.server())
            .post(&url, "text/plain", changed(&capture, &[]))
            .unwrap();
        assert_eq!(status, 200, "{capture}: {answer}");
        if file.starts_with("eventgrid-subscription-validation--") {
            assert!(answer["validationResponse"].is_string(), "{answer}");
            continue;
        }
        let expected = refused.get(capture.as_str()).copied().unwrap_or(0);
        assert_eq!(answer["refused"], expected, "{capture}: {answer}");
        assert_eq!(answer["conflicts"], 0, "{capture}: {answer}");
        taken += answer["taken"].as_u64().unwrap();
    }
    assert!(taken > 300, "{taken}");
    let all: u64 = refused.values().sum();
    let reasons =
        "select count(*), count(nullif(reason, '')), count(nullif(class, '')) from dead_letters";
    assert_eq!(centre.rows(reasons), [format!("{all} {all} {all}")]);
}

/// Text of a file of the project.
fn text(path: impl AsRef<Path>) -> String {
    let path = project().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
