//! What is known beside contacts, from outside: events, tables and captures by HTTP, rows in SQL, in
//! the lake as other engines read it, and after a restart; a contact as a vCon, out and in again.

use serde_json::{Value, json};

use crate::readers::{read, same, script};
use crate::support::Server;
use crate::support::project;

const TABLES: [&str; 5] = [
    "measurements",
    "vendor_metrics",
    "evaluations",
    "customer_attributes",
    "schedules",
];

/// Events of a short call that was measured, judged and planned for.
fn events() -> Vec<u8> {
    let event = |n: usize, kind: &str, data: Value| {
        json!({"specversion": "1.0", "id": n.to_string(), "source": "/test/measured",
            "time": "2026-03-02T09:20:00Z", "type": format!("callboard.{kind}"), "data": data})
    };
    let all = [
        (
            "contact.recorded",
            json!({"contact_id": "m-1", "channel": "voice", "direction": "inbound",
            "customer": "+4930123", "customer_name": "Zoë", "start": "2026-03-02T09:15:00Z",
            "end": "2026-03-02T09:20:00Z"}),
        ),
        (
            "segment.recorded",
            json!({"contact_id": "m-1", "segment_id": "q", "kind": "queue",
            "queue": "support", "start": "2026-03-02T09:15:00Z", "end": "2026-03-02T09:15:30Z",
            "outcome": "answered"}),
        ),
        (
            "segment.recorded",
            json!({"contact_id": "m-1", "segment_id": "t", "kind": "talk",
            "queue": "support", "agent": "ann@example.com", "parent": "q",
            "start": "2026-03-02T09:15:30Z", "end": "2026-03-02T09:20:00Z", "outcome": "completed"}),
        ),
        (
            "measurement.recorded",
            json!({"contact_id": "m-1", "participant": "ann@example.com",
            "at": "2026-03-02T09:19:59Z", "values": {"jitter": 0.012, "mos": 4.1},
            "vdi": "citrix"}),
        ),
        (
            "figure.recorded",
            json!({"scope": "queue:support", "start": "2026-03-02T09:15:00Z",
            "end": "2026-03-02T09:30:00Z", "values": {"offered": 2, "service_level": 50},
            "units": {"service_level": "percent"}}),
        ),
        (
            "evaluation.recorded",
            json!({"evaluation_id": "e1", "contact_id": "m-1", "score": 80,
            "max": 100, "answers": [{"question_id": "q1", "score": 5, "max": 5}]}),
        ),
        (
            "customer.recorded",
            json!({"customer": "+4930123", "valid_from": "2026-01-01T00:00:00Z",
            "attributes": {"tier": "gold"}}),
        ),
    ];
    let lines = all.into_iter().enumerate();
    let lines = lines.map(|(n, (kind, data))| event(n, kind, data).to_string() + "\n");
    lines.collect::<String>().into_bytes()
}

const PLANS: &str = "agent,activity,class,start,end\nann@example.com,Phones,available,2026-03-02 10:00,2026-03-02 10:30\n";

fn serve(dir: &std::path::Path) -> Server {
    let config = dir.join("callboard.toml");
    std::fs::write(&config, "[transcribe]\nenabled = false\n").unwrap();
    Server::serve(&dir.join("data"), &["--config", config.to_str().unwrap()])
}

fn post(server: &Server, path: &str, kind: &str, body: Vec<u8>) {
    let (status, answer) = server.post(path, kind, body).unwrap();
    assert_eq!(status, 200, "{path}: {answer}");
    assert_eq!(answer["refused"], 0, "{path}: {answer}");
}

/// What is asked of both, before a stop and after.
fn asked(server: &Server) -> Vec<Vec<Value>> {
    let of = |sql: &str| server.sql(sql);
    vec![
        of(
            "select contact_id, name, value, unit, vdi from measurements where source = '/test/measured' order by name",
        ),
        of("select our_metric, theirs, ours from vendor_beside_ours order by 1, 2"),
        of(
            "select question_id, score, max_score from evaluations where evaluation_id = 'e1' order by 1 nulls first",
        ),
        of("select customer, name, value from customer_attributes"),
        of("select agent, interval_start, scheduled_ms from adherence order by 2"),
    ]
}

#[test]
fn measured_judged_and_planned_in_sql_and_in_the_lake() {
    let dir = tempfile::tempdir().unwrap();
    let server = serve(dir.path());
    post(&server, "/v1/events", "application/x-ndjson", events());
    let sheet = "/v1/sources/sheet?instance=planner&zone=Europe/Berlin";
    post(&server, sheet, "text/csv", PLANS.into());
    let captures = project().join("ingest/sources/tests/captures");
    for (platform, name) in [
        ("amazon-connect", "made-metric-data.json"),
        ("amazon-connect", "evaluation-export--admin-guide.json"),
        ("genesys", "made-aggregates.json"),
        ("teams", "made-callrecord-queue.json"),
        ("twilio", "made-call-summary.json"),
    ] {
        let bytes = std::fs::read(captures.join(platform).join(name)).unwrap();
        let path = format!("/v1/sources/{platform}?instance=here&name={name}");
        post(&server, &path, "application/json", bytes);
    }
    let told = asked(&server);
    assert_eq!(
        json!(told),
        json!([
            [
                {"contact_id": "m-1", "name": "jitter_ms", "value": 12.0, "unit": "ms", "vdi": "citrix"},
                {"contact_id": "m-1", "name": "mos", "value": 4.1, "unit": "mos", "vdi": "citrix"}
            ],
            // Of the queue "support" alone both sides know something.
            [
                {"our_metric": "answered", "theirs": 10.0, "ours": 0.0},
                {"our_metric": "average_speed_of_answer", "theirs": 8500.0, "ours": null},
                {"our_metric": "handle_time", "theirs": 212500.0, "ours": null},
                {"our_metric": "offered", "theirs": 2.0, "ours": 1.0},
                {"our_metric": "offered", "theirs": 7.0, "ours": 0.0},
                {"our_metric": "offered", "theirs": 12.0, "ours": 0.0},
                {"our_metric": "offered", "theirs": 14.0, "ours": 0.0},
                {"our_metric": "service_level", "theirs": 0.5, "ours": 0.0},
                {"our_metric": "service_level", "theirs": 0.9, "ours": null},
                {"our_metric": "service_level_removed", "theirs": 0.875, "ours": null}
            ],
            [
                {"question_id": null, "score": 80.0, "max_score": 100.0},
                {"question_id": "q1", "score": 5.0, "max_score": 5.0}
            ],
            [{"customer": "+4930123", "name": "tier", "value": "gold"}],
            [
                {"agent": "ann@example.com", "interval_start": "2026-03-02T09:00:00Z", "scheduled_ms": 900_000},
                {"agent": "ann@example.com", "interval_start": "2026-03-02T09:15:00Z", "scheduled_ms": 900_000}
            ]
        ])
    );
    let teams = server.sql("select count(*) as n from measurements where source = '/teams/here' and name = 'jitter_ms'");
    assert!(teams[0]["n"].as_i64() >= Some(2), "{teams:?}");
    let edges = server.sql(
        "select distinct participant from measurements where source = '/twilio/here' order by 1",
    );
    assert_eq!(edges.len(), 3, "{edges:?}");
    let ours: Vec<Vec<Value>> = TABLES
        .iter()
        .map(|name| server.sql(&format!("select * from {name}")))
        .collect();
    server.stop();

    // Other engines read the same from the lake.
    let lake = dir.path().join("data/lake");
    let theirs = read(&lake, &TABLES);
    for (name, ours) in TABLES.iter().zip(&ours) {
        same(&format!("deltalake, {name}"), &theirs[*name], ours);
    }
    let query = "SELECT name, count(*) AS n FROM delta_scan('{lake}/measurements') WHERE name IN ('mos', 'jitter_ms') AND source = '/test/measured' GROUP BY name";
    let duck = script("duck.py", &[lake.to_str().unwrap(), query]);
    let expected = [
        json!({"name": "jitter_ms", "n": 1}),
        json!({"name": "mos", "n": 1}),
    ];
    same("DuckDB", &duck, &expected);

    // And so does the next start.
    let server = serve(dir.path());
    assert_eq!(asked(&server), told);

    // Out as a vCon, and in again as another contact.
    let (status, vcon) = server.get("/v1/contacts/m-1/vcon");
    assert_eq!(status, 200, "{vcon}");
    post(
        &server,
        "/v1/sources/vcon?instance=other",
        "application/json",
        vcon.into_bytes(),
    );
    let both = server.sql("select customer, customer_name, channel, direction, agent, talk_ms, started_at, ended_at from contacts where customer = '+4930123'");
    assert_eq!(both.len(), 2, "{both:?}");
    // The wait has no dialog: the one that came in again begins with its talk.
    for name in [
        "customer",
        "customer_name",
        "channel",
        "direction",
        "agent",
        "talk_ms",
        "ended_at",
    ] {
        assert_eq!(both[0][name], both[1][name], "{name}");
    }
    server.stop();
}

#[test]
fn tables_go_with_the_command_that_sends_everything_else() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::serve(data.path(), &[]);
    let tables = tempfile::tempdir().unwrap();
    let captures = project().join("ingest/sources/tests/captures/sheet");
    for name in ["made-schedule.csv", "made-attributes.csv"] {
        std::fs::copy(captures.join(name), tables.path().join(name)).unwrap();
    }
    // One that goes in parts: 17 MB, with rows over two lines.
    let mut long = String::from("contact_id,name,value,at,note\n");
    let rows = 18_500;
    for n in 0..rows {
        long += &format!("t-{n},jitter,0.{n:06},2026-03-02T09:15:04Z,\"{n:0900}\nof table\"\n");
    }
    assert!(long.len() > 16 << 20, "{}", long.len());
    std::fs::write(tables.path().join("long.csv"), &long).unwrap();
    // And one whose rows are wrong.
    let wrong = "agent,start,end\nann,tomorrow,2026-03-02T12:00:00Z\n";
    std::fs::write(tables.path().join("wrong.csv"), wrong).unwrap();
    let send = || {
        crate::support::callboard(&[
            "send",
            "--source",
            "sheet",
            "--to",
            &server.url,
            "--instance",
            "plan",
            "--zone",
            "Europe/Berlin",
            tables.path().to_str().unwrap(),
        ])
    };
    let said = send();
    assert!(said.contains("1 refused"), "{said}");
    let count = |sql: &str| server.number(sql);
    assert_eq!(count("select count(*) from schedules"), 2, "{said}");
    let early = "select count(*) from schedules where started_at = '2026-03-02T07:00:00Z'";
    assert_eq!(count(early), 1, "local times are those of the zone");
    assert_eq!(count("select count(*) from customer_attributes"), 2);
    let measured =
        "select count(distinct contact_id) from measurements where source = '/sheet/plan'";
    crate::support::until("the long table", || (count(measured) == rows).then_some(()));
    // Once more changes nothing.
    let said = send();
    assert!(said.contains("repeated"), "{said}");
    assert_eq!(count(measured), rows);
}
