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

    // A recording of another contact, told with what was said in it.
    let other =
        |id: &str, kind: &str, data: &str| event(id, kind, "20:00", data).replace("c1", "c3");
    let turn =
        r#"{"leg":"customer","start_ms":0,"end_ms":900,"text":"where is my parcel","words":[]}"#;
    let heard = format!(
        r#""recording_id":"c3/customer","state":"done","duration_ms":900,"turns":[{turn}]"#
    );
    let talk = r#""segment_id":"t","kind":"talk","parent":"q","agent":"Ann","queue":"sales","start":"2026-03-02T09:15:30Z","end":"2026-03-02T09:16:00Z""#;
    let answered = r#""segment_id":"q","outcome":"answered""#;
    send(
        &server,
        &[
            event("late", "segment.changed", "15:40", answered),
            event("later", "segment.recorded", "16:00", talk),
            other(
                "6",
                "recording.recorded",
                r#""leg":"customer","state":"ready""#,
            ),
            other("7", "transcript.recorded", &heard),
        ],
    );
    until("the correction", || {
        (said(&server.sql(FIGURE)) == "0 abandoned, 1 answered").then_some(())
    });
    until("what was said", || {
        (server.number("select count(*) from turns") == 1).then_some(())
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
    assert_eq!(lines[5..], ["0 abandoned, 1 answered", "7", ""]);
    the_moment_of_a_transaction_ends_with_it(&server, at);
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
    the_figure_is_explained(&server, at);
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
    every_page_is_of_then(&server, at);
    server.stop();
}

#[test]
fn how_much_a_picture_may_read_is_a_setting() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("callboard.toml");
    let serve = |records: u8| {
        std::fs::write(&config, format!("{CONFIG}[as_of]\nrecords = {records}\n")).unwrap();
        let config = ["--config", config.to_str().unwrap()];
        Server::serve(&dir.path().join("data"), &config)
    };
    let ask = |server: &Server| {
        let path = "/v1/sql?as_of=2026-03-02T09:00:00Z";
        let count = "select count(*) as n from contacts";
        server.post(path, "application/sql", count.into()).unwrap()
    };
    let server = serve(1);
    let queue = r#""segment_id":"q","kind":"queue","queue":"sales""#;
    let left = r#""segment_id":"q","outcome":"abandoned""#;
    let call = [
        event("1", "segment.started", "15:00", queue),
        event("2", "segment.ended", "15:30", left),
    ];
    send(&server, &call);
    let there = "select count(*) from records";
    until("the call", || (server.number(there) == 2).then_some(()));
    let (status, refused) = ask(&server);
    assert_eq!(status, 422, "{refused}");
    let said = refused.to_string();
    assert!(said.contains("raise [as_of] records"), "{said}");
    server.stop();
    let server = serve(100);
    let (status, answer) = ask(&server);
    assert_eq!((status, &answer["rows"][0]["n"]), (200, &Value::from(0)));
    server.stop();
}

/// A connection is not left in the past without a word.
fn the_moment_of_a_transaction_ends_with_it(server: &Server, at: &str) {
    for (begin, end) in [
        (
            format!("BEGIN; SET LOCAL callboard.as_of = '{at}'"),
            "COMMIT",
        ),
        (
            format!("BEGIN; SET LOCAL callboard.as_of = '{at}'"),
            "ROLLBACK",
        ),
        (format!("BEGIN; SET callboard.as_of = '{at}'"), "ROLLBACK"),
    ] {
        let lines = psql(server, &format!("{begin}; {FIGURE}; {end}; {FIGURE}"));
        let lines: Vec<&str> = lines.lines().filter(|l| l.contains("abandoned")).collect();
        let both = ["1 abandoned, 0 answered", "0 abandoned, 1 answered"];
        assert_eq!(lines, both, "{begin}; {end}");
    }
}

fn the_figure_is_explained(server: &Server, at: &str) {
    let figure = |more: &[&str]| {
        let own = ["explain", "--queue", "sales", "--to", &server.url];
        callboard(&[&own[..], more].concat())
    };
    let told = figure(&["--at", "2026-03-02T09:20:00Z", "--as-of", at]);
    let (then, since) = told.split_once("since then").unwrap();
    let says = |text: &str, words: &[&str]| {
        let mut lines = text
            .lines()
            .map(|l| l.split_whitespace().collect::<Vec<_>>());
        assert!(lines.any(|l| l == words), "{words:?}: {told}");
    };
    assert!(
        then.starts_with("queue sales, the quarter of an hour from 2026-03-02T09:15:00"),
        "{told}"
    );
    says(then, &["abandoned", "1"]);
    says(then, &["answered", "0"]);
    says(since, &["abandoned", "1", "->", "0"]);
    says(since, &["answered", "0", "->", "1"]);
    says(since, &["contact", "c1"]);
    says(since, &["result", "abandoned", "->", "answered"]);
    says(since, &["2", "records", "received", "since"]);
    assert!(
        since.contains("  late  {") && since.contains("  later  {") && !since.contains("  1  {"),
        "{told}"
    );
    // Before the first record there were no figures; since the last one nothing changed.
    let before = figure(&[
        "--at",
        "2026-03-02T09:15:00Z",
        "--as-of",
        "2026-03-02T09:00:00Z",
    ]);
    assert!(before.contains("had no figures at"), "{before}");
    assert!(before.contains("  a stay more\n"), "{before}");
    let now = server.sql("select now() as at")[0]["at"].clone();
    let same = figure(&[
        "--at",
        "2026-03-02T09:15:00Z",
        "--as-of",
        now.as_str().unwrap(),
    ]);
    assert!(same.contains("  the figures are the same\n"), "{same}");
    assert!(!same.contains("contact c1"), "{same}");
    let now = figure(&["--at", "2026-03-02T09:15:00Z"]);
    assert!(now.contains("1 row\n") && now.contains("Ann"), "{now}");
    for wrong in ["2026-03-02T10:15:00Z", "nine"] {
        let own = [
            "explain",
            "--queue",
            "sales",
            "--at",
            wrong,
            "--to",
            &server.url,
        ];
        assert!(!command().args(own).output().unwrap().status.success());
    }
}

/// Every page that has a picture of an earlier moment shows it, and the others say that they have none.
fn every_page_is_of_then(server: &Server, at: &str) {
    let there = |path: &str, more: &str| {
        let sign = if path.contains('?') { '&' } else { '?' };
        page(
            server,
            &format!("{path}{sign}from=2026-03-02&to=2026-03-02{more}"),
        )
    };
    let then = format!("&as_of={at}");
    let drill = "/drill?report=queue-interval&measure=abandoned";
    for path in [
        "/",
        "/reports",
        "/reports/queue-interval",
        "/reports/agent-scorecard",
        "/reports/agent-timeline",
        "/reports/board",
        "/reports/exceptions",
        "/reports/heat-map",
        "/reports/journeys",
        drill,
        "/contacts",
        "/contacts/c1",
        "/journeys?contacts=1",
        "/journeys/c1",
        "/coverage",
        "/dead-letters",
    ] {
        let (status, shown) = there(path, &then);
        assert_eq!(status, 200, "{path}: {shown}");
        assert!(shown.contains("As it was known at"), "{path}: {shown}");
        assert!(!shown.contains("Ann"), "{path}: {shown}");
        let (status, shown) = there(path, "");
        assert_eq!(status, 200, "{path}: {shown}");
        assert!(!shown.contains("As it was known at"), "{path}: {shown}");
    }
    // Files have no banner: what stands in them is of then.
    for path in [
        "/contacts",
        "/coverage",
        "/journeys?contacts=1",
        "/reports/queue-interval",
        "/reports/agent-scorecard",
        drill,
    ] {
        let (status, was) = there(path, &format!("&format=csv{then}"));
        assert_eq!(status, 200, "{path}: {was}");
        let (status, is) = there(path, "&format=csv");
        assert_eq!(status, 200, "{path}: {is}");
        assert!(
            was != is && was.lines().next() == is.lines().next(),
            "{path}: {was}"
        );
    }
    let (_, was) = there("/contacts", &format!("&format=csv{then}"));
    assert!(was.contains("abandoned") && !was.contains("Ann"), "{was}");
    let (status, is) = there("/contacts/c3/transcript.vtt", "");
    assert_eq!(status, 200, "{is}");
    assert!(is.contains("where is my parcel"), "{is}");
    let (status, was) = there("/contacts/c3/transcript.vtt", &then);
    assert_eq!(status, 404, "{was}");
    for path in ["/status", "/events/board", "/sources"] {
        for then in [&then[..], "&as_of=nonsense"] {
            let (status, said) = there(path, then);
            assert_eq!(status, 400, "{path}: {said}");
            assert!(said.contains("tells of now alone"), "{path}: {said}");
        }
    }
    for then in [at, "nonsense"] {
        let (status, said) = page(server, &format!("/v1/sources?as_of={then}"));
        assert_eq!(status, 400, "{said}");
        assert!(said.contains("told of now alone"), "{said}");
    }
    assert_eq!(page(server, "/v1/sources").0, 200);
}
