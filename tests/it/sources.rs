//! The pages of the sources, with real sources: what each sent, how late, and which figures it can
//! say; the same in SQL; what stands below a report of several platforms; theirs beside ours.

use serde_json::{Value, json};

use crate::support::{Server, project};

/// One source that stands in the configuration and never speaks.
const CONFIG: &str = "[transcribe]\nenabled = false\n\n[[source]]\nname = \"flex-emea\"\nadapter = \"twilio\"\ninstance = \"emea\"\nsite = \"Berlin\"\nsecret = \"emea-token-0123456789\"\nsignature = \"bearer\"\n";

const DAY: &str = "from=2026-03-02&to=2026-03-02";

/// A figure of a platform on the queue and the quarter of an hour in which the queue log has a call.
const FIGURE: &str = r#"{"specversion":"1.0","id":"1","source":"/test/figures","time":"2026-03-02T10:00:00Z","type":"callboard.figure.recorded","data":{"scope":"queue:sales","start":"2026-03-02T09:00:00Z","end":"2026-03-02T09:15:00Z","values":{"offered":3,"service_level":50},"units":{"service_level":"percent"}}}"#;

/// A call that was answered, in Asterisk's queue log of that day.
const LOG: &str = "1772442060|1772442060.1|sales|NONE|ENTERQUEUE||+4930111|1\n1772442070|1772442060.1|sales|Ann|CONNECT|10|1772442061.2|8\n1772442130|1772442060.1|sales|Ann|COMPLETEAGENT|10|60|1\n";

fn post(server: &Server, path: &str, kind: &str, body: &[u8]) {
    let (status, answer) = server.post(path, kind, body.to_vec()).unwrap();
    assert_eq!(status, 200, "{path}: {answer}");
    assert_eq!(answer["refused"], 0, "{path}: {answer}");
}

fn page(server: &Server, path: &str) -> String {
    let (status, body) = server.get(path);
    assert_eq!(status, 200, "{path}: {body}");
    body
}

/// What a page says of a metric or fact.
fn standing<'p>(page: &'p str, name: &str) -> &'p str {
    let (_, rest) = page
        .split_once(&format!("data-said=\"{name}\" data-standing=\""))
        .unwrap_or_else(|| panic!("{name} is not in\n{page}"));
    rest.split('"').next().unwrap()
}

fn of_sources(server: &Server) -> Vec<Value> {
    let (status, body) = server.get("/v1/sources");
    assert_eq!(status, 200, "{body}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    answer["sources"].as_array().unwrap().clone()
}

#[test]
fn each_source_shows_what_it_can_say_and_how_late() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("callboard.toml");
    std::fs::write(&config, CONFIG).unwrap();
    let config = ["--config", config.to_str().unwrap()];
    let server = Server::serve(&dir.path().join("data"), &config);

    // Nothing was heard: the configured source says so, and what it could say.
    let empty = page(&server, "/sources");
    assert!(empty.contains("never heard") && empty.contains("Every platform"));
    assert!(!empty.contains("source=asterisk"), "{empty}");
    let silent = page(&server, "/sources?source=flex-emea");
    assert!(silent.contains("Nothing of it was heard yet"), "{silent}");
    assert_eq!(standing(&silent, "average_wait"), "exact");

    post(
        &server,
        "/v1/sources/asterisk?instance=pbx1&feed=queue_log",
        "text/plain",
        LOG.as_bytes(),
    );
    let captures = project().join("ingest/sources/tests/captures/teams");
    let rows = std::fs::read(captures.join("made-vaac-call-queue.json")).unwrap();
    post(
        &server,
        "/v1/sources/teams?instance=here",
        "text/plain",
        &rows,
    );
    post(
        &server,
        "/v1/events",
        "application/x-ndjson",
        FIGURE.as_bytes(),
    );

    let status = page(&server, "/status");
    assert!(status.contains("href=\"/sources\""), "{status}");
    let list = page(&server, "/sources");
    for name in ["asterisk", "teams", "flex-emea"] {
        let link = format!("href=\"/sources?source={name}\"");
        assert!(list.contains(&link), "{name}: {list}");
    }

    // The queue log alone knows no hold, and says where it would come from.
    let asterisk = page(&server, "/sources?source=asterisk");
    for (name, is) in [
        ("offered", "exact"),
        ("average_wait", "exact"),
        ("hold", "impossible"),
        ("handle_time", "impossible"),
        ("agent_idle", "estimated"),
        ("menu", "impossible"),
    ] {
        assert_eq!(standing(&asterisk, name), is, "{name}");
    }
    assert!(asterisk.contains("it comes with AMI events"), "{asterisk}");
    assert!(asterisk.contains("not sent yet") && asterisk.contains("usually\u{a0}1\u{a0}s"));
    let teams = page(&server, "/sources?source=teams");
    assert_eq!(standing(&teams, "waiting_now"), "impossible");
    assert_eq!(standing(&teams, "talk"), "estimated");
    assert!(teams.contains("usually\u{a0}30\u{a0}min"), "{teams}");

    // The same for programs.
    let sources = of_sources(&server);
    let of = |name: &str| sources.iter().find(|s| s["name"] == name).unwrap();
    assert_eq!(of("asterisk")["feeds"][0]["format"], "asterisk/queue_log");
    assert_eq!(of("asterisk")["feeds"][0]["records"], 3);
    assert!(of("asterisk")["feeds"][0]["lag_ms"].as_i64().unwrap() > 0);
    assert_eq!(of("flex-emea")["feeds"], json!([]));
    let sql = "SELECT DISTINCT r.format, o.standing FROM records r \
        JOIN observability o ON strpos(concat(' ', o.format, ' '), concat(' ', r.format, ' ')) > 0 \
        WHERE o.name = 'hold' AND o.kind = 'metric' ORDER BY 1";
    assert_eq!(
        json!(server.sql(sql)),
        json!([
            {"format": "asterisk/queue_log", "standing": "impossible"},
            {"format": "event", "standing": "exact"},
            {"format": "teams/call-queue", "standing": "impossible"}
        ])
    );
    // A metric that is not in the table would be missing here.
    let sql = "SELECT count(*) AS n FROM metrics m LEFT JOIN observability o \
        ON o.name = m.name AND o.kind = 'metric' AND o.platform = 'teams' AND o.feed IS NULL \
        WHERE o.name IS NULL";
    assert_eq!(server.number(sql), 0);

    // Below a report of both.
    let report = page(&server, &format!("/reports/queue-interval?{DAY}"));
    let (_, foot) = report.split_once("id=\"hfoot\"").expect(&report);
    assert!(
        foot.contains("Microsoft Teams") && foot.contains("Asterisk"),
        "{foot}"
    );
    assert!(
        foot.contains("Wrap-up") && foot.contains("impossible"),
        "{foot}"
    );

    // Theirs beside ours: three offered by them, one by us.
    let beside = page(&server, &format!("/beside?{DAY}"));
    assert!(beside.contains("data-count=\"2\""), "{beside}");
    assert!(beside.contains("data-difference=\"2\">+2<"), "{beside}");
    assert!(
        beside.contains("+50.0 points") || beside.contains("\u{2212}50.0 points"),
        "{beside}"
    );
    let (status, csv) = server.get(&format!("/beside?{DAY}&format=csv"));
    assert_eq!(status, 200);
    assert_eq!(csv.lines().count(), 3, "{csv}");
    let other = page(&server, &format!("/beside?{DAY}&queue=support"));
    assert!(
        other.contains("own figure falls into this choice"),
        "{other}"
    );
}
