//! What a figure said at a moment, and which record changed it since: by psql, HTTP, the command
//! line and a page.

use std::process::Command;

use serde_json::Value;

use crate::readers::psql;
use crate::support::{Server, callboard, command, until};

/// What came late is in the lake soon.
const CONFIG: &str =
    "[transcribe]\nenabled = false\n[lake]\nflush = \"100ms\"\nsettle = \"300ms\"\n";

fn event(id: &str, kind: &str, time: &str, data: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"/test/then","type":"callboard.{kind}","time":"2026-03-02T09:{time}Z","data":{{"contact_id":"c1",{data}}}}}"#
    )
}

fn send(server: &Server, events: &[String]) {
    let body = events.join("\n").into_bytes();
    let (status, answer) = server
        .post("/v1/events", "application/x-ndjson", body)
        .unwrap();
    assert_eq!(status, 200, "{answer}");
}

const FIGURE: &str =
    "select abandoned || ' abandoned, ' || answered || ' answered' as said from queue_intervals";

fn said(rows: &[Value]) -> &str {
    rows[0]["said"].as_str().unwrap()
}

fn page(server: &Server, path: &str) -> (u16, String) {
    let answer = reqwest::blocking::get(format!("{}{path}", server.url)).unwrap();
    (answer.status().as_u16(), answer.text().unwrap())
}

#[test]
fn a_figure_of_ten_is_asked_for_later_and_the_record_that_changed_it_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("callboard.toml");
    std::fs::write(&config, CONFIG).unwrap();
    let config = config.to_str().unwrap();
    let server = Server::serve(&dir.path().join("data"), &["--config", config]);
    let queue = r#""segment_id":"q","kind":"queue","queue":"sales""#;
    let left = r#""segment_id":"q","outcome":"abandoned""#;
    send(
        &server,
        &[
            event("1", "segment.started", "15:00", queue),
            event("2", "segment.ended", "15:30", left),
            event("3", "contact.ended", "15:30", r#""ended_by":"customer""#),
        ],
    );
    let settled = "select count(*) from records";
    until("the call", || (server.number(settled) == 3).then_some(()));
    assert_eq!(said(&server.sql(FIGURE)), "1 abandoned, 0 answered");
    let flushed = |table: &str, version: u8| {
        let log = dir.path().join("data/lake").join(table).join("_delta_log");
        let commit = log.join(format!("{version:020}.json"));
        until("a flush", || commit.exists().then_some(()));
    };
    flushed("contacts", 1);
    let at = server.sql("select now() as at")[0]["at"].clone();
    let at = at.as_str().unwrap();

    let talk = r#""segment_id":"t","kind":"talk","parent":"q","agent":"Ann","queue":"sales","start":"2026-03-02T09:15:30Z","end":"2026-03-02T09:16:00Z""#;
    let answered = r#""segment_id":"q","outcome":"answered""#;
    send(
        &server,
        &[
            event("late", "segment.changed", "15:40", answered),
            event("later", "segment.recorded", "16:00", talk),
        ],
    );
    until("the correction", || {
        (said(&server.sql(FIGURE)) == "0 abandoned, 1 answered").then_some(())
    });
    flushed("records", 2);

    // psql: a setting of the connection.
    let text = format!(
        "SET callboard.as_of = '{at}'; {FIGURE}; SELECT count(*) FROM records; \
         SELECT count(*) FROM corrections; SELECT now() = '{at}'; SHOW callboard.as_of; \
         RESET callboard.as_of; {FIGURE}; SELECT count(*) FROM records; SHOW callboard.as_of"
    );
    let lines = psql(&server, &text);
    let lines: Vec<&str> = lines
        .lines()
        .filter(|l| !matches!(*l, "SET" | "RESET"))
        .collect();
    assert_eq!(lines[..4], ["1 abandoned, 0 answered", "3", "0", "t"]);
    assert_eq!(
        lines[4].trim_end_matches('Z').trim_end_matches('0'),
        at.trim_end_matches('Z').trim_end_matches('0')
    );
    assert_eq!(lines[5..], ["0 abandoned, 1 answered", "5", ""]);
    let address = format!(
        "host=127.0.0.1 port={} user=anyone dbname=callboard",
        server.pg
    );
    let future = "SET callboard.as_of = '2095-01-01T00:00:00Z'";
    let refused = Command::new("psql")
        .args(["-X", "-d", &address, "-c", future])
        .output();
    let refused = String::from_utf8(refused.unwrap().stderr).unwrap();
    assert!(refused.contains("has not come yet"), "{refused}");

    // HTTP and the command line.
    let path = format!("/v1/sql?as_of={at}");
    let (status, answer) = server
        .post(&path, "application/sql", FIGURE.into())
        .unwrap();
    assert_eq!(
        (status, said(answer["rows"].as_array().unwrap())),
        (200, "1 abandoned, 0 answered")
    );
    let (status, answer) = server
        .post("/v1/sql?as_of=ten", "application/sql", FIGURE.into())
        .unwrap();
    assert_eq!(status, 400, "{answer}");
    let told = callboard(&["sql", "--to", &server.url, "--as-of", at, FIGURE]);
    assert!(told.contains("1 abandoned, 0 answered"), "{told}");
    let told = callboard(&["explain", "c1", "--to", &server.url, "--as-of", at]);
    let (then, since) = told.split_once("since then").unwrap();
    assert!(
        then.contains("as it was known at") && then.contains("abandoned"),
        "{told}"
    );
    let line = |field: &str| since.lines().find(|l| l.trim_start().starts_with(field));
    assert!(
        line("outcome").is_some_and(|l| l.ends_with("abandoned -> answered")),
        "{told}"
    );
    assert!(since.contains("2 records received since"), "{told}");
    assert!(
        since.contains("  late  {") && since.contains("  later  {"),
        "{told}"
    );
    assert!(!since.contains("  1  {"), "{told}");
    let before = callboard(&[
        "explain",
        "c1",
        "--to",
        &server.url,
        "--as-of",
        "2026-03-02T09:00:00Z",
    ]);
    assert!(
        before.contains("contact c1 was not known at")
            && before.contains("5 records received since"),
        "{before}"
    );
    let missing = ["explain", "c2", "--to", &server.url, "--as-of", at];
    assert!(!command().args(missing).output().unwrap().status.success());

    // A page, with its way back and its links.
    let (status, then) = page(&server, &format!("/contacts/c1?as_of={at}"));
    assert_eq!(status, 200, "{then}");
    assert!(
        then.contains("As it was known at") && then.contains("Go back to now"),
        "{then}"
    );
    assert!(
        then.contains("abandoned") && !then.contains("Ann"),
        "{then}"
    );
    assert!(then.contains("href=\"/contacts?as_of="), "{then}");
    let (_, now) = page(&server, "/contacts/c1");
    assert!(
        now.contains("Ann") && !now.contains("As it was known at"),
        "{now}"
    );
    for path in [
        "/",
        "/reports/queue-interval",
        "/contacts",
        "/coverage",
        "/dead-letters",
    ] {
        let (status, then) = page(&server, &format!("{path}?as_of={at}"));
        assert_eq!(status, 200, "{path}: {then}");
        assert!(then.contains("As it was known at"), "{path}: {then}");
    }
    server.stop();
}
