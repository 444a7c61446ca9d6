//! kill -9 during a feed at full speed: nothing acknowledged is lost, nothing comes twice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::support::Server;
use crate::support::scene::Repeat;

/// Calls of one batch.
const CALLS: usize = 10;

/// Most batches that one life of the server is fed.
const BATCHES: usize = 30;

/// Contacts settle and are flushed while the feed goes on, so that kills fall into all of it.
const CONFIG: &str =
    "[transcribe]\nenabled = false\n[lake]\nflush = \"100ms\"\nsettle = \"300ms\"\n";

/// What is not compared: `corrections` tells how often rows were replaced, which kills change; the
/// others tell of the present or of the process.
const NOT_COMPARED: [&str; 5] = [
    "corrections",
    "snapshot",
    "now_agents",
    "now_queues",
    "agent_time",
];

/// Times of receipt and of flushes differ between any two runs.
const NOT_COMPARED_COLUMNS: [&str; 3] = ["received_at", "corrected_at", "dead_letter_id"];

fn clock(seconds: usize) -> String {
    let t = 32_400 + seconds % 36_000;
    let (h, m, s) = (t / 3600, t / 60 % 60, t % 60);
    format!("2026-03-02T{h:02}:{m:02}:{s:02}Z")
}

fn event(id: &str, kind: &str, time: &str, data: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"/test/crash","type":"callboard.{kind}","time":"{time}","data":{{{data}}}}}"#
    )
}

/// One call: a queue stay, an offer and a talk.
fn call(c: usize, out: &mut Vec<String>) {
    let start = c * 7;
    let queue = ["sales", "support"][c % 2];
    let agent = format!("a{}", c % 9);
    let mut segment = |k: usize, verb: &str, at: usize, data: String| {
        let data = format!(r#""contact_id":"c{c}",{data}"#);
        let id = format!("e{c}-{k}");
        out.push(event(
            &id,
            &format!("segment.{verb}"),
            &clock(start + at),
            &data,
        ));
    };
    segment(
        1,
        "started",
        0,
        format!(r#""segment_id":"q{c}","kind":"queue","queue":"{queue}""#),
    );
    segment(
        2,
        "started",
        4,
        format!(
            r#""segment_id":"o{c}","kind":"offer","queue":"{queue}","agent":"{agent}","parent":"q{c}""#
        ),
    );
    segment(
        3,
        "ended",
        9,
        format!(r#""segment_id":"o{c}","outcome":"accepted""#),
    );
    segment(
        4,
        "ended",
        9,
        format!(r#""segment_id":"q{c}","outcome":"answered""#),
    );
    segment(
        5,
        "started",
        9,
        format!(
            r#""segment_id":"t{c}","kind":"talk","queue":"{queue}","agent":"{agent}","parent":"q{c}""#
        ),
    );
    segment(
        6,
        "ended",
        60,
        format!(r#""segment_id":"t{c}","outcome":"completed""#),
    );
}

/// One request: new calls; a hold of a call that has settled by then; a customer who proves to be
/// two contacts in one; an agent's state, a survey, a recording, and now and then a line that
/// cannot be read.
fn batch(b: usize) -> Vec<String> {
    let mut out = Vec::new();
    for c in b * CALLS..(b + 1) * CALLS {
        call(c, &mut out);
    }
    let at = clock(b * CALLS * 7);
    if b >= 12 {
        let c = (b - 12) * CALLS + b % CALLS;
        let (start, end) = (clock(c * 7 + 20), clock(c * 7 + 26));
        let data = format!(
            r#""contact_id":"c{c}","segment_id":"h{c}","kind":"hold","parent":"t{c}","start":"{start}","end":"{end}""#
        );
        out.push(event(&format!("late{b}"), "segment.recorded", &end, &data));
    }
    if b % 7 == 6 {
        let (one, two) = ((b - 5) * CALLS, (b - 4) * CALLS + 1);
        let data = format!(r#""contact_id":"c{two}","other_id":"c{one}","kind":"same""#);
        out.push(event(&format!("same{b}"), "link.recorded", &at, &data));
    }
    let state = ["available", "paused"][b / 9 % 2];
    let data = format!(
        r#""agent":"a{}","state":"{state}","reason":"r{}""#,
        b % 9,
        b % 3
    );
    out.push(event(&format!("state{b}"), "agent.changed", &at, &data));
    let data = format!(
        r#""survey_id":"s{b}","contact_id":"c{}","kind":"csat","value":{},"status":"answered""#,
        b * CALLS,
        b % 5
    );
    out.push(event(&format!("survey{b}"), "survey.recorded", &at, &data));
    let data = format!(
        r#""contact_id":"c{}","leg":"both","state":"absent","reason":"not recorded""#,
        b * CALLS + 2
    );
    out.push(event(&format!("rec{b}"), "recording.recorded", &at, &data));
    if b % 5 == 4 {
        out.push(format!("this is no event: {b}"));
    }
    out
}

fn send(server: &Server, b: usize) -> reqwest::Result<(u16, Value)> {
    let body = batch(b).join("\n").into_bytes();
    server.post("/v1/events", "application/x-ndjson", body)
}

/// Rows of every table that is compared, each as text, sorted.
fn tables(server: &Server) -> BTreeMap<String, Vec<String>> {
    let names = server
        .sql("select table_name from information_schema.tables where table_schema = 'callboard'");
    let mut all = BTreeMap::new();
    for name in names {
        let name = name["table_name"].as_str().unwrap().to_owned();
        if NOT_COMPARED.contains(&name.as_str()) {
            continue;
        }
        let mut rows: Vec<String> = server
            .sql(&format!("select * from callboard.{name}"))
            .into_iter()
            .map(|mut row| {
                let columns = row.as_object_mut().unwrap();
                for column in NOT_COMPARED_COLUMNS {
                    columns.remove(column);
                }
                // The day of these is that of receipt.
                if name == "records" || name == "dead_letters" {
                    columns.remove("day");
                }
                row.to_string()
            })
            .collect();
        rows.sort();
        // A line without identity that was in doubt when the server died is sent again, and kept
        // again; how often is no promise.
        if name == "dead_letters" {
            rows.dedup();
        }
        all.insert(name, rows);
    }
    all
}

/// A number in one of the store's own files; 0 before there is one.
fn state(data: &Path, file: &str, field: &str) -> u64 {
    let Ok(text) = std::fs::read(data.join("state").join(file)) else {
        return 0;
    };
    // Behind it stands its checksum.
    let line = text.split(|b| *b == b'\n').next().unwrap();
    let json: Value = serde_json::from_slice(line).unwrap();
    json[field].as_u64().unwrap()
}

/// How often the server is killed; the full proof is CALLBOARD_KILLS=50.
fn kills() -> usize {
    let given = std::env::var("CALLBOARD_KILLS");
    given.ok().and_then(|n| n.parse().ok()).unwrap_or(12)
}

#[test]
fn killed_again_and_again_it_loses_nothing_and_doubles_nothing() {
    let _repeat = Repeat::of("killed_again", &[("CALLBOARD_KILLS", kills() as u64)]);
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("callboard.toml");
    std::fs::write(&config, CONFIG).unwrap();
    let more = ["--config", config.to_str().unwrap()];
    let data = dir.path().join("data");
    let kills = kills();
    let mut acknowledged: BTreeSet<usize> = BTreeSet::new();
    let mut lines = 0;
    let (mut before_flush, mut inside_flush, mut either, mut again) = (0, 0, 0, 0);
    let mut next = 0;
    let mut in_doubt: Option<usize> = None;
    for killed in 0..kills {
        let server = Server::serve(&data, &more);
        // In the middle of whatever it does then, 20 to 920 ms after its start.
        let killer = server.kill_after(Duration::from_millis((killed as u64 * 137) % 900 + 20));
        for _ in 0..BATCHES {
            // What was in doubt when the server died is sent again; nothing else ever is.
            let b = in_doubt.take().map_or_else(
                || {
                    next += 1;
                    next - 1
                },
                |b| {
                    again += 1;
                    b
                },
            );
            assert!(
                acknowledged.insert(b),
                "an acknowledged batch is never sent again"
            );
            match send(&server, b) {
                Ok((200, _)) => lines += batch(b).len() as u64,
                Ok((status, answer)) => panic!("{status}: {answer}"),
                Err(_) => {
                    acknowledged.remove(&b);
                    in_doubt = Some(b);
                    break;
                }
            }
        }
        killer.join().unwrap();
        server.kill();
        // Every line that was acknowledged has a sequence of its own in the log.
        let unflushed = lines > state(&data, "commit.json", "upto");
        let cut_off =
            state(&data, "intent.json", "attempt") > state(&data, "commit.json", "attempt");
        before_flush += usize::from(unflushed);
        inside_flush += usize::from(cut_off);
        either += usize::from(unflushed || cut_off);
    }
    println!(
        "{kills} kills -9 while {lines} lines were acknowledged: {before_flush} with acknowledged records \
         that no flush held yet, {inside_flush} inside a flush, {either} one or the other; \
         {again} batches in doubt sent again"
    );
    assert!(
        either * 5 >= kills * 4,
        "too few kills at a moment that matters"
    );
    let last = Server::serve(&data, &more);
    if let Some(b) = in_doubt {
        assert_eq!(send(&last, b).unwrap().0, 200);
    }
    let undisturbed_dir = tempfile::tempdir().unwrap();
    let undisturbed = Server::serve(&undisturbed_dir.path().join("data"), &more);
    for b in 0..next {
        assert_eq!(send(&undisturbed, b).unwrap().0, 200);
    }
    // Late records are joined within moments: the holds, and contacts that prove to be one.
    let holds = next.saturating_sub(12) as i64;
    let contacts = (next * CALLS - (0..next).filter(|b| b % 7 == 6).count()) as i64;
    for server in [&last, &undisturbed] {
        crate::support::until("late records are joined", || {
            let told = server.number("select count(*) from segments where kind = 'hold'");
            let c = server.number("select count(*) from contacts");
            (told == holds && c == contacts).then_some(())
        });
    }
    let (ours, theirs) = (tables(&last), tables(&undisturbed));
    assert!(ours.len() > 16, "{:?}", ours.keys());
    for (name, rows) in &ours {
        same(name, rows, &theirs[name]);
    }
    let twice =
        "select count(*) from (select source, id from records group by 1, 2 having count(*) > 1)";
    assert_eq!(last.number(twice), 0, "one row a record");
    // And what a restart makes of it, from the lake alone.
    last.stop();
    let again = Server::serve(&data, &more);
    for (name, rows) in tables(&again) {
        same(&name, &rows, &theirs[&name]);
    }
}

fn same(table: &str, ours: &[String], theirs: &[String]) {
    let (a, b): (BTreeSet<_>, BTreeSet<_>) = (ours.iter().collect(), theirs.iter().collect());
    let lost: Vec<_> = b.difference(&a).take(3).collect();
    let wrong: Vec<_> = a.difference(&b).take(3).collect();
    assert!(
        ours == theirs,
        "{table}: {} rows, undisturbed {}; lost {lost:#?}, wrong or doubled {wrong:#?}",
        ours.len(),
        theirs.len()
    );
}
