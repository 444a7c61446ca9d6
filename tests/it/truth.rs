//! Tables against a truth that was written before the events were: `callboard simulate` decides,
//! the server is told in disorder, `callboard verify` compares.

use std::path::Path;

use serde_json::Value;

use crate::readers::{read, same};
use crate::support::scene::number;
use crate::support::{Server, callboard, command};

/// Contacts settle and reach the lake while the test runs.
pub const CONFIG: &str = "[transcribe]\nenabled = false\n[lake]\nflush = \"500ms\"\nsettle = \"500ms\"\nsilence = \"1s\"\n";

/// Tables that the views compute and of which the lake has copies.
const INTERVALS: [&str; 2] = ["queue_intervals", "agent_intervals"];

pub fn simulate(out: &Path, contacts: &str, more: &[&str]) -> Value {
    let mut args = vec![
        "simulate",
        "--contacts",
        contacts,
        "--out",
        out.to_str().unwrap(),
    ];
    args.extend(more);
    callboard(&args);
    serde_json::from_slice(&std::fs::read(out.join("manifest.json")).unwrap()).unwrap()
}

/// Sends all events as a user sends them; gives what was said of them.
pub fn send(server: &Server, truth: &Path, state: &Path) -> String {
    let events = truth.join("events");
    callboard(&[
        "send",
        "--source",
        "events",
        "--to",
        &server.url,
        "--state",
        state.to_str().unwrap(),
        events.to_str().unwrap(),
    ])
}

pub fn verify(server: &Server, truth: &Path, wait: &str) -> (bool, String) {
    verify_only(server, truth, wait, &[])
}

/// Some of the tables; all where none are named.
pub fn verify_only(server: &Server, truth: &Path, wait: &str, only: &[&str]) -> (bool, String) {
    let output = command()
        .args(["verify", "--truth", truth.to_str().unwrap()])
        .args(["--to", &server.url, "--wait", wait])
        .args(only.iter().flat_map(|table| ["--only", table]))
        .output()
        .unwrap();
    let mut said = String::from_utf8(output.stdout).unwrap();
    said += &String::from_utf8(output.stderr).unwrap();
    (output.status.success(), said)
}

/// What the sender's last line counts.
pub fn counted(said: &str, what: &str) -> u64 {
    let words: Vec<&str> = said.lines().next().unwrap().split_whitespace().collect();
    let at = words.iter().position(|w| *w == what);
    at.map_or(0, |at| words[at - 1].parse().unwrap())
}

fn equal_whatever_happens(seed: &str, contacts: &str, more: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("callboard.toml");
    std::fs::write(&config, CONFIG).unwrap();
    let config = ["--config", config.to_str().unwrap()];
    let (truth, data) = (dir.path().join("truth"), dir.path().join("data"));
    let mut args = vec!["--seed", seed];
    args.extend(more);
    let counts = simulate(&truth, contacts, &args)["counts"].clone();
    let count = |name: &str| counts[name].as_u64().unwrap();

    let server = Server::serve(&data, &config);
    let said = send(&server, &truth, &dir.path().join("sent"));
    assert_eq!(counted(&said, "taken"), count("taken"), "{said}");
    assert_eq!(counted(&said, "repeated"), count("repeated"), "{said}");
    assert_eq!(counted(&said, "refused"), count("refused"), "{said}");
    assert_eq!(counted(&said, "conflicting"), count("conflicts"), "{said}");
    let (equal, said) = verify(&server, &truth, "60");
    assert!(equal, "seed {seed}: {said}");
    for table in [
        "contacts",
        "segments",
        "offers",
        "links",
        "queue_intervals",
        "agent_intervals",
        "new events",
    ] {
        let line = said.lines().find(|l| l.starts_with(table)).unwrap();
        assert!(
            !line.contains(" 0 rows") && line.contains(" rows  equal"),
            "{line}"
        );
    }

    let shown = INTERVALS.map(|name| server.sql(&format!("select * from {name}")));

    // From the lake alone, and not changed by a restart.
    server.stop();
    let theirs = read(&data.join("lake"), &INTERVALS);
    for (name, ours) in INTERVALS.iter().zip(&shown) {
        same(&format!("{name} in the lake"), &theirs[name], ours);
    }
    let again = Server::serve(&data, &config);
    let (equal, said) = verify(&again, &truth, "30");
    assert!(equal, "seed {seed}, after a restart: {said}");
}

#[test]
fn the_tables_equal_the_truth() {
    // Over weekends: an agent's time off lasts from one week into the next.
    equal_whatever_happens("41", "200", &["--days", "9"]);
}

/// A leap day, and the turn of a year in its week 53. Nothing gets lost: an agent of whom nobody says
/// that he went home would have a row for each day of the years since.
#[test]
fn the_tables_equal_the_truth_on_days_of_their_own() {
    for (seed, first, days) in [("44", "2024-02-28", "3"), ("45", "2020-12-31", "2")] {
        let more = [
            "--first-day",
            first,
            "--days",
            days,
            "--source-clock-skew",
            "3",
        ];
        equal_whatever_happens(seed, "60", &more);
    }
}

/// One seed of 200 contacts; `make torture` takes 200 of 1,000.
#[test]
fn the_tables_equal_the_truth_in_disorder_and_with_poison() {
    let (first, seeds) = (number("CALLBOARD_SEED", 6), number("CALLBOARD_SEEDS", 1));
    let contacts = number("CALLBOARD_CONTACTS", 200).to_string();
    let more = ["--disorder", "wild", "--poison", "0.02"];
    for seed in first..first + seeds {
        equal_whatever_happens(&seed.to_string(), &contacts, &more);
        println!("seed {seed}: {contacts} contacts, wild, 2 % poison: equal, and after a restart");
    }
}

/// Every tenth line is no event; the truth has class, source, length and hash of each.
#[test]
fn one_line_in_ten_is_poison_and_each_is_a_dead_letter_of_its_class() {
    let more = ["--disorder", "mild", "--poison", "0.1"];
    let contacts = std::env::var("CALLBOARD_CONTACTS").unwrap_or_else(|_| "200".to_owned());
    equal_whatever_happens("14", &contacts, &more);
}

#[test]
fn a_row_that_is_wrong_missing_or_too_much_is_shown_with_its_events() {
    let dir = tempfile::tempdir().unwrap();
    let truth = dir.path().join("truth");
    simulate(&truth, "200", &["--seed", "43"]);
    let server = Server::serve(&dir.path().join("data"), &[]);
    send(&server, &truth, &dir.path().join("sent"));
    assert!(verify(&server, &truth, "30").0);

    // As if the server had made one wait longer, lost a segment and made one up.
    let contacts = truth.join("truth/contacts/2026-03-07.ndjson");
    let text = std::fs::read_to_string(&contacts).unwrap();
    let line = text
        .lines()
        .find(|l| !l.contains("\"wait_ms\":null"))
        .unwrap();
    let row: Value = serde_json::from_str(line).unwrap();
    let wait = format!("\"wait_ms\":{}", row["wait_ms"]);
    let wrong = line.replace(&wait, "\"wait_ms\":1");
    std::fs::write(&contacts, text.replace(line, &wrong)).unwrap();
    let segments = truth.join("truth/segments/2026-03-07.ndjson");
    let text = std::fs::read_to_string(&segments).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    let other = first.replace("\"seq\":1,", "\"seq\":99,");
    std::fs::write(&segments, format!("{other}\n{rest}")).unwrap();

    let (equal, said) = verify(&server, &truth, "0");
    assert!(!equal);
    assert!(said.contains("truth:  wait_ms 1\n"), "{said}");
    assert!(
        said.contains(&format!("server: wait_ms {}\n", row["wait_ms"])),
        "{said}"
    );
    let event = format!("\"contact_id\":\"{}\"", row["contact_id"].as_str().unwrap());
    assert!(said.contains(&event), "the events that made it: {said}");
    let segment_lines = said.lines().skip_while(|l| !l.starts_with("segments"));
    let shown: String = segment_lines
        .take_while(|l| !l.starts_with("offers"))
        .collect();
    assert!(
        shown.contains("2 DIFFER") && shown.contains("missing:") && shown.contains("too much:"),
        "{said}"
    );
    assert!(said.contains("2 tables differ"), "{said}");
}
