//! Retention as others see it: exactly the old days go, of every table by its own time, and what is
//! left is what it was.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::erasure::sound;
use crate::readers::script;
use crate::support::{Server, callboard, command};
use crate::truth::CONFIG;

const DAY: i64 = 86_400;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

fn date(at: i64) -> String {
    let at = chrono::DateTime::from_timestamp(at, 0).unwrap();
    at.format("%Y-%m-%d").to_string()
}

/// Noon so many days ago, seconds.
fn noon(days: i64) -> i64 {
    now().div_euclid(DAY) * DAY + DAY / 2 - days * DAY
}

/// The days so many days ago, the earliest first.
fn days_of(ago: &[i64]) -> Vec<String> {
    let mut days: Vec<String> = ago.iter().map(|days| date(noon(*days))).collect();
    days.sort();
    days
}

/// Holds a table's days against those that must be left, each as it was before.
#[track_caller]
fn only_these_are_left(table: &str, kept: &[i64], before: &Value, after: &Value) {
    let days = after[table]["days"].as_object().unwrap();
    let left: Vec<String> = days.keys().cloned().collect();
    assert_eq!(left, days_of(kept), "{table}");
    for (day, digest) in days {
        let was = &before[table]["days"][day];
        assert_eq!(digest, was, "{table} of {day} is what it was");
    }
}

/// A call at noon so many days ago, with an answer to a survey.
fn call(days: i64) -> String {
    let noon = noon(days);
    let line = |n: i64, kind: &str, data: Value| {
        let time = chrono::DateTime::from_timestamp(noon + n * 10, 0).unwrap();
        json!({
            "specversion": "1.0", "id": format!("{days}.{n}"), "source": "/test/retention",
            "type": kind, "time": time.to_rfc3339(), "data": data,
        })
    };
    let contact = format!("c-{days}");
    let part = |id: &str, kind: &str, more: Value| {
        let mut data = json!({"contact_id": contact, "segment_id": id, "kind": kind,
            "queue": "sales"});
        data.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        data
    };
    let asked = chrono::DateTime::from_timestamp(noon, 0)
        .unwrap()
        .to_rfc3339();
    [
        line(
            0,
            "callboard.segment.started",
            part("q", "queue", json!({})),
        ),
        line(
            1,
            "callboard.segment.ended",
            part("q", "queue", json!({"outcome": "answered"})),
        ),
        line(
            1,
            "callboard.segment.started",
            part("t", "talk", json!({"agent": "Ann"})),
        ),
        line(
            3,
            "callboard.segment.ended",
            part("t", "talk", json!({"outcome": "completed"})),
        ),
        line(
            4,
            "callboard.survey.recorded",
            json!({"survey_id": format!("s-{days}"),
            "contact_id": contact, "kind": "csat", "value": 4, "asked_at": asked}),
        ),
    ]
    .iter()
    .zip(0..)
    .map(|(event, n)| {
        let mut event = event.clone();
        event["id"] = json!(format!("{days}-{n}"));
        format!("{event}\n")
    })
    .collect()
}

#[test]
fn exactly_the_old_days_go_and_nothing_brings_them_back() {
    let dir = tempfile::tempdir().unwrap();
    let (data, config) = (dir.path().join("data"), dir.path().join("callboard.toml"));
    std::fs::write(&config, CONFIG).unwrap();
    let serve = || Server::serve(&data, &["--config", text(&config)]);
    let digest = || script("digest.py", &[text(&data.join("lake"))]);
    let server = serve();
    let ago = [1, 5, 9, 10, 12, 30];
    let events: String = ago.iter().map(|days| call(*days)).collect();
    let kind = "application/x-ndjson";
    let (status, answer) = server
        .post("/v1/events", kind, events.into_bytes())
        .unwrap();
    assert_eq!((status, &answer["taken"]), (200, &json!(30)), "{answer}");
    server.stop();
    let before = digest();
    assert_eq!(before["contacts"]["rows"], json!(6));
    assert_eq!(before["queue_intervals"]["rows"], json!(6));

    // Contacts of ten days, answers of six, everything else for long.
    let keep = "[retention]\nrecords = \"400d\"\ndefault = \"400d\"\ncontacts = \"10d\"\nsegments = \"10d\"\nsurveys = \"6d\"\nqueue_intervals = \"10d\"\n";
    std::fs::write(&config, format!("{CONFIG}{keep}")).unwrap();
    for step in [
        "retention.told:1",
        "retention.table:2",
        "retention.table:5",
        "retention.done:1",
    ] {
        let died = command()
            .args(["serve", "--http", "127.0.0.1:0", "--pg", "127.0.0.1:0"])
            .args(["--data", text(&data), "--config", text(&config)])
            .env("CALLBOARD_DIE_AT", step)
            .output();
        assert_eq!(died.unwrap().status.signal(), Some(9), "{step}");
    }
    let server = serve();
    assert_eq!(server.number("select count(*) from contacts"), 4);
    assert_eq!(server.number("select count(*) from surveys"), 2);
    server.stop();
    let after = digest();
    for (table, kept) in [
        ("contacts", &[1, 5, 9, 10][..]),
        ("segments", &[1, 5, 9, 10]),
        ("surveys", &[1, 5]),
        ("queue_intervals", &[1, 5, 9, 10]),
        ("agent_intervals", &ago),
    ] {
        only_these_are_left(table, kept, &before, &after);
    }
    for table in ["records", "dead_letters", "agent_states"] {
        assert_eq!(after[table], before[table], "{table}");
    }

    callboard(&["rebuild", "--data", text(&data), "--config", text(&config)]);
    assert_eq!(digest(), after, "rebuilt");
    let said = callboard(&["doctor", "--data", text(&data)]);
    assert!(said.contains("Nothing is wrong."), "{said}");

    // Told once more, and told late: no row of the old days comes, nor one of today.
    std::fs::write(&config, CONFIG).unwrap();
    let server = serve();
    let late = call(12)
        .replace("\"12-", "\"late-")
        .replace("\"Ann\"", "\"Bob\"");
    let (_, answer) = server.post("/v1/events", kind, late.into_bytes()).unwrap();
    assert_eq!(answer["taken"], json!(5), "{answer}");
    let (_, answer) = server
        .post("/v1/events", kind, call(30).into_bytes())
        .unwrap();
    assert_eq!(answer["repeated"], json!(5), "{answer}");
    server.stop();
    let later = digest();
    for table in ["contacts", "segments", "surveys", "queue_intervals"] {
        assert_eq!(later[table], after[table], "{table}");
    }
    let said = callboard(&["doctor", "--data", text(&data)]);
    assert!(said.contains("Nothing is wrong."), "{said}");
}

/// What lies under the day of its receipt, and what was heard: the clock that gives the times of
/// receipt stands so many days back while they come in.
#[test]
fn records_sound_words_and_dead_letters_go_by_their_own_days() {
    let dir = tempfile::tempdir().unwrap();
    let (data, config) = (dir.path().join("data"), dir.path().join("callboard.toml"));
    std::fs::write(&config, CONFIG).unwrap();
    let clock = dir.path().join("clock");
    let set = |days: i64| {
        // Replaced as a whole: the server reads it at any moment.
        let next = clock.with_extension("next");
        std::fs::write(&next, (-days * DAY).to_string()).unwrap();
        std::fs::rename(next, &clock).unwrap();
    };
    let serve = || {
        let mut serve = command();
        serve
            .args(["serve", "--http", "127.0.0.1:0", "--pg", "127.0.0.1:0"])
            .args(["--data", text(&data), "--config", text(&config)])
            .env("CALLBOARD_CLOCK_OFF", &clock);
        Server::start(serve)
    };
    let digest = || script("digest.py", &[text(&data.join("lake"))]);
    let ago = [30, 12, 8, 2];
    set(ago[0]);
    let server = serve();
    let post = |body: String| {
        let kind = "application/x-ndjson";
        let (status, answer) = server.post("/v1/events", kind, body.into_bytes()).unwrap();
        assert_eq!(status, 200, "{answer}");
        answer
    };
    for days in ago {
        set(days);
        let at = chrono::DateTime::from_timestamp(noon(days), 0).unwrap();
        let at = at.to_rfc3339();
        assert_eq!(post(call(days))["taken"], json!(5));
        let contact = format!("c-{days}");
        let put = [
            "recording",
            "put",
            "--contact",
            &contact,
            "--leg",
            "customer",
        ];
        let sound = sound();
        let more = ["--started-at", &at, "--to", &server.url, text(&sound)];
        callboard(&[&put[..], &more].concat());
        let turn = json!({"leg": "customer", "start_ms": 0, "end_ms": 900,
            "text": format!("hello, {days}"), "words": []});
        let heard = json!({"specversion": "1.0", "id": format!("heard-{days}"),
            "source": "/test/retention", "type": "callboard.transcript.recorded", "time": at,
            "data": {"recording_id": format!("{contact}/customer"), "contact_id": contact,
                "state": "done", "duration_ms": 4200, "turns": [turn]}});
        assert_eq!(post(heard.to_string())["taken"], json!(1));
        assert_eq!(post(format!("no event, {days}"))["refused"], json!(1));
    }
    server.stop();
    let before = digest();
    for (table, rows) in [("records", 28), ("turns", 4), ("dead_letters", 4)] {
        assert_eq!(before[table]["rows"], json!(rows), "{table}");
    }
    for table in ["records", "audio", "turns", "dead_letters"] {
        only_these_are_left(table, &ago, &before, &before);
    }

    let keep = "[retention]\nrecords = \"10d\"\ndefault = \"10d\"\nturns = \"5d\"\naudio = \"20d\"\ndead_letters = \"3d\"\n";
    std::fs::write(&config, format!("{CONFIG}{keep}")).unwrap();
    set(0);
    let server = serve();
    assert_eq!(server.number("select count(*) from turns"), 1);
    assert_eq!(server.number("select count(*) from dead_letters"), 1);
    server.stop();
    let after = digest();
    for (table, kept) in [
        ("records", &[8, 2][..]),
        ("contacts", &[8, 2]),
        ("recordings", &[8, 2]),
        ("turns", &[2]),
        ("audio", &[12, 8, 2]),
        ("dead_letters", &[2]),
    ] {
        only_these_are_left(table, kept, &before, &after);
    }
    callboard(&["rebuild", "--data", text(&data), "--config", text(&config)]);
    assert_eq!(digest(), after, "rebuilt");
    let said = callboard(&["doctor", "--data", text(&data)]);
    assert!(said.contains("Nothing is wrong."), "{said}");
}
