//! `callboard rebuild` makes every row anew from the records, and none becomes another.

use serde_json::Value;

use crate::support::{Server, callboard, send_shift, shift};

/// Every table whose rows are made of records, in an order of its own.
const TABLES: [(&str, &str); 15] = [
    ("contacts", "contact_id"),
    ("segments", "contact_id, seq"),
    ("offers", "contact_id, seq"),
    ("links", "from_contact, to_contact, kind, at"),
    ("aliases", "entity, platform, native, id"),
    (
        "agent_states",
        "agent, track, queue, started_at, state, ended_at",
    ),
    ("agent_intervals", "agent, started_at"),
    ("queue_intervals", "queue, interval_start"),
    ("queue_targets", "target_id"),
    ("recordings", "recording_id"),
    ("turns", "recording_id, seq"),
    ("tags", "recording_id, start_ms, name"),
    ("notes", "note_id"),
    ("records", "source, id"),
    ("dead_letters", "dead_letter_id"),
];

fn rows(server: &Server) -> Vec<(&'static str, Vec<Value>)> {
    let of = |(name, order): &(&'static str, &str)| {
        (
            *name,
            server.sql(&format!("select * from {name} order by {order}")),
        )
    };
    TABLES.iter().map(of).collect()
}

#[test]
fn a_rebuild_makes_the_same_rows() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let data = data.to_str().unwrap();
    let config = dir.path().join("callboard.toml");
    let demo = std::fs::read_to_string(shift().join("demo.toml")).unwrap();
    std::fs::write(&config, format!("{demo}\n[transcribe]\nenabled = false\n")).unwrap();
    let serve = || Server::serve(data.as_ref(), &["--config", config.to_str().unwrap()]);

    let server = serve();
    send_shift(&server, &["queue_log", "cel.csv"], dir.path());
    let recording = shift().join("recordings");
    let recording = std::fs::read_dir(recording)
        .unwrap()
        .map(|f| f.unwrap().path())
        .find(|p| p.extension().is_some_and(|e| e == "flac"))
        .unwrap();
    let contact = server.sql("select contact_id from contacts order by 1 limit 1");
    let contact = contact[0]["contact_id"].as_str().unwrap().to_owned();
    callboard(&[
        "recording",
        "put",
        "--contact",
        &contact,
        "--leg",
        "customer",
        "--to",
        &server.url,
        recording.to_str().unwrap(),
    ]);
    let line =
        br#"{"specversion":"1.0","id":"1","source":"/t/1","type":"callboard.contact.started"}"#;
    let (status, answer) = server
        .post("/v1/events", "application/x-ndjson", line.to_vec())
        .unwrap();
    assert_eq!(
        (status, &answer["refused"]),
        (200, &Value::from(1)),
        "{answer}"
    );
    server.stop();

    let server = serve();
    let before = rows(&server);
    server.stop();
    let said = callboard(&["rebuild", "--data", data]);
    assert!(said.contains("records read"), "{said}");
    let server = serve();
    let after = rows(&server);
    server.stop();

    for ((name, was), (_, is)) in before.iter().zip(&after) {
        assert_eq!(was.len(), is.len(), "{name}: number of rows");
        for (was, is) in was.iter().zip(is) {
            assert_eq!(was, is, "{name}");
        }
    }
    let held = |name: &str| before.iter().find(|(n, _)| *n == name).unwrap().1.len();
    assert_eq!(
        (held("contacts"), held("recordings"), held("dead_letters")),
        (92, 1, 1)
    );
    assert!(
        said.starts_with(&format!("{} records read", held("records"))),
        "{said}"
    );
}
