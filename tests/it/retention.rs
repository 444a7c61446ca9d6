//! Retention as others see it: exactly the old days go, of every table by its own time, and what is
//! left is what it was.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;

use serde_json::{Value, json};

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

/// A call at noon so many days ago, with an answer to a survey.
fn call(days: i64) -> String {
    let noon = now().div_euclid(DAY) * DAY + DAY / 2 - days * DAY;
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
    for step in ["retention.told:1", "retention.table:2", "retention.table:5"] {
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
    let days_of = |ago: &[i64]| {
        let today = now().div_euclid(DAY) * DAY;
        ago.iter()
            .map(|days| date(today - days * DAY))
            .collect::<Vec<_>>()
    };
    for (table, kept) in [
        ("contacts", &[1, 5, 9, 10][..]),
        ("segments", &[1, 5, 9, 10]),
        ("surveys", &[1, 5]),
        ("queue_intervals", &[1, 5, 9, 10]),
        ("agent_intervals", &ago),
    ] {
        let days = after[table]["days"].as_object().unwrap();
        let was = before[table]["days"].as_object().unwrap();
        let mut expected = days_of(kept);
        expected.sort();
        assert_eq!(
            days.keys().cloned().collect::<Vec<_>>(),
            expected,
            "{table}"
        );
        for (day, digest) in days {
            assert_eq!(digest, &was[day], "{table} of {day} is what it was");
        }
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
