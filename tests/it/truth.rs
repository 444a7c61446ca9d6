//! Tables against a truth that was written before the events were: `callboard simulate` decides,
//! the server is told in disorder, `callboard verify` compares.

use std::path::Path;

use serde_json::Value;

use crate::readers::{read, same};
use crate::support::scene::{again, number};
use crate::support::sender::{Sender, lines};
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
    let settings = format!("CALLBOARD_SEED={seed} CALLBOARD_CONTACTS={contacts}");
    let what = again(&settings, "truth::");
    assert!(equal, "{said}\n{what}");
    for table in [
        "contacts",
        "segments",
        "offers",
        "links",
        "surveys",
        "recordings",
        "queue_intervals",
        "agent_intervals",
        "new events",
        "conflict list",
    ] {
        if table == "conflict list" && count("conflicts") == 0 {
            continue; // Days without disorder have none, and verify lists none.
        }
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
    assert!(equal, "after a restart: {said}\n{what}");
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
        equal_whatever_happens(seed, "120", &more);
    }
}

/// One seed of 200 contacts; `make torture` takes 200 of 1,000, and `CALLBOARD_SEEDS=6` six of 200.
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

/// Clocks change while contacts begin and end and while late, repeated and contradicted lines come: local
/// days of 100 quarters in Berlin and in New York, and one of 92 there, whose source writes its offset.
#[test]
fn the_tables_equal_the_truth_in_disorder_where_clocks_change() {
    for (seed, first) in [
        ("46", "2026-10-24"),
        ("49", "2026-10-31"),
        ("50", "2026-03-07"),
    ] {
        let days = ["--first-day", first, "--days", "3", "--open-late"];
        let more = [&days[..], &["--disorder", "wild", "--poison", "0.02"]].concat();
        equal_whatever_happens(seed, "200", &more);
    }
}

#[test]
fn the_tables_equal_the_truth_with_rates_of_ones_own() {
    let more = "--late 0.4 --repeated 0.2 --conflicts 0.1 --lost-ends 0.05 --shuffle 2000";
    let more: Vec<&str> = more.split(' ').collect();
    equal_whatever_happens("47", "150", &more);
}

/// All lines in any order at all, and then all once more in another.
#[test]
fn the_tables_equal_the_truth_in_any_order_and_told_twice() {
    let seed = number("CALLBOARD_SEED", 48);
    let what = again(&format!("CALLBOARD_SEED={seed}"), "in_any_order");
    let dir = tempfile::tempdir().unwrap();
    let (truth, config) = (dir.path().join("truth"), dir.path().join("callboard.toml"));
    std::fs::write(&config, CONFIG).unwrap();
    let simulated = seed.to_string();
    let more = ["--days", "4", "--disorder", "mild", "--poison", "0"];
    simulate(
        &truth,
        "150",
        &[&["--seed", &simulated], &more[..]].concat(),
    );
    let config = ["--config", config.to_str().unwrap()];
    let server = Server::serve(&dir.path().join("data"), &config);
    let sender = Sender::to(&server.url, "anyhow");
    let mut lines = lines(&truth);
    for times in ["once", "twice"] {
        let place = |line: &Vec<u8>| blake3::hash(&[times.as_bytes(), line].concat());
        lines.sort_by_cached_key(|line| *place(line).as_bytes());
        for some in lines.chunks(200) {
            while !sender.once(some.concat()).unwrap().taken() {}
        }
        let (equal, said) = verify(&server, &truth, "60");
        assert!(equal, "told {times}: {said}\n{what}");
    }
    let records = server.number("select count(*) from records where starts_with(source, '/sim/')");
    assert!(records > 500 && records <= lines.len() as i64, "{records}");
}

/// One line in ten is no event; the truth has class, source, length and hash of each.
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

    // As if the server had made one wait longer, named another site, lost a segment and made one up.
    let mut changed = Value::Null;
    rewrite(&truth, "truth/contacts/2026-03-07.ndjson", |text| {
        let waited = |l: &&str| !l.contains("\"wait_ms\":null");
        let line = text.lines().find(waited).unwrap();
        changed = serde_json::from_str(line).unwrap();
        let wait = format!("\"wait_ms\":{}", changed["wait_ms"]);
        let wrong = line.replace(&wait, "\"wait_ms\":1");
        let site = format!("\"site\":{}", changed["site"]);
        let wrong = wrong.replace(&site, "\"site\":\"elsewhere\"");
        text.replace(line, &wrong)
    });
    let row = changed;
    rewrite(&truth, "truth/segments/2026-03-07.ndjson", |text| {
        let (first, rest) = text.split_once('\n').unwrap();
        let other = first.replace("\"seq\":1,", "\"seq\":99,");
        format!("{other}\n{rest}")
    });

    let (equal, said) = verify(&server, &truth, "0");
    assert!(!equal);
    assert!(
        said.contains("truth:  site elsewhere, wait_ms 1\n"),
        "{said}"
    );
    let ours = format!(
        "server: site {}, wait_ms {}\n",
        row["site"].as_str().unwrap(),
        row["wait_ms"]
    );
    assert!(said.contains(&ours), "{said}");
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

/// Writes a file of a simulation anew, and says in the manifest that it was written so.
fn rewrite(truth: &Path, name: &str, change: impl FnOnce(&str) -> String) {
    let path = truth.join(name);
    let text = change(&std::fs::read_to_string(&path).unwrap());
    std::fs::write(&path, &text).unwrap();
    seal(truth);
}

/// Says in the manifest of a simulation that its files were written as they are now.
pub fn seal(truth: &Path) {
    let manifest = truth.join("manifest.json");
    let mut said: Value = serde_json::from_slice(&std::fs::read(&manifest).unwrap()).unwrap();
    for entry in said["files"].as_array_mut().unwrap() {
        let bytes = std::fs::read(truth.join(entry["path"].as_str().unwrap())).unwrap();
        entry["bytes"] = bytes.len().into();
        entry["blake3"] = blake3::hash(&bytes).to_hex().to_string().into();
    }
    std::fs::write(&manifest, serde_json::to_vec_pretty(&said).unwrap()).unwrap();
}

/// What is not whole is compared with nothing, whatever is asked for: no server is needed to say so.
#[test]
fn a_simulation_that_is_not_whole_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let truth = dir.path().join("truth");
    simulate(&truth, "60", &["--seed", "46", "--disorder", "mild"]);
    let refused = |only: &str| {
        let output = command()
            .args(["verify", "--truth", truth.to_str().unwrap()])
            .args(["--to", "http://127.0.0.1:9", "--only", only])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{only}");
        assert!(output.stdout.is_empty(), "{only}");
        String::from_utf8(output.stderr).unwrap()
    };
    // A file of the truth that broke off, and one of another simulation beside it.
    let contacts = truth.join("truth/contacts/2026-03-07.ndjson");
    let whole = std::fs::read(&contacts).unwrap();
    std::fs::write(&contacts, &whole[..whole.len() / 2]).unwrap();
    let why = refused("contacts");
    assert!(
        why.contains("2026-03-07.ndjson") && why.contains("by manifest.json"),
        "{why}"
    );
    std::fs::write(&contacts, [&whole[..whole.len() - 2], b" \n"].concat()).unwrap();
    let why = refused("contacts");
    assert!(why.contains("has the hash of"), "{why}");
    std::fs::write(&contacts, &whole).unwrap();
    let beside = truth.join("truth/links/2026-01-01.ndjson");
    std::fs::write(&beside, "").unwrap();
    let why = refused("links");
    assert!(why.contains("2026-01-01.ndjson"), "{why}");
    std::fs::remove_file(&beside).unwrap();
    std::fs::remove_file(&contacts).unwrap();
    assert!(
        refused("contacts").contains("simulate again"),
        "a file less"
    );

    // The manifest is written last: without it nobody knows what else there should be.
    let manifest = truth.join("manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    for left in ["", &text[..text.len() / 2]] {
        std::fs::write(&manifest, left).unwrap();
        assert!(refused("segments").contains("was not finished"), "{left}");
    }
    std::fs::write(
        &manifest,
        text.replacen("\"version\": \"", "\"version\": \"0.", 1),
    )
    .unwrap();
    assert!(refused("segments").contains("written by version 0."));
    std::fs::remove_file(&manifest).unwrap();
    for only in ["contacts", "queue_intervals", "dead_letters", "records"] {
        let why = refused(only);
        assert!(
            why.contains("manifest.json") && why.contains("was not finished"),
            "{why}"
        );
    }
}

/// Days of which no event may tell make no simulation of which every line is refused.
#[test]
fn days_of_which_no_event_may_tell_are_not_simulated() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("far");
    for day in ["20000-01-01", "1989-12-31", "2100-01-01"] {
        let output = command()
            .args(["simulate", "--contacts", "10", "--first-day", day])
            .args(["--out", out.to_str().unwrap()])
            .output()
            .unwrap();
        let why = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{day}: {why}");
        assert!(why.contains("1990-01-04 to 2099-12-26"), "{why}");
        assert!(!out.exists());
    }
}
