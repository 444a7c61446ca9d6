//! Sources of topics as `GET /v1/sources`, the page and `callboard sources` tell them; and one that a
//! mapping reads.

use serde_json::{Value, json};

use crate::mappings::sample;
use crate::support::broker::{Broker, Sent};
use crate::support::{Server, callboard, until};

/// A message with that value alone.
pub fn plain(value: String) -> Sent {
    Sent {
        value: Some(value),
        ..Sent::default()
    }
}

/// A source as `GET /v1/sources` tells it.
pub fn source(server: &Server, name: &str) -> Value {
    let told: Value = serde_json::from_str(&server.get("/v1/sources").1).unwrap();
    let all = told["sources"].as_array().unwrap();
    let found = all.iter().find(|s| s["name"] == name);
    found.unwrap_or_else(|| panic!("{name} in {told}")).clone()
}

/// All of a source's dead letters.
fn letters(source: &Value) -> i64 {
    let each = source["dead_letters"].as_object().unwrap().values();
    each.filter_map(Value::as_i64).sum()
}

/// What a mapping reads comes by a topic, poison beside it; each source says how it fares.
pub fn sources_are_listed(server: &Server, broker: &Broker, poison: i64) {
    let more = sample("landis").replace("\"L-", "\"M-");
    broker.send("desk", 1, &[plain("poison".to_owned()), plain(more)]);
    until("what the mapping reads", || {
        let contacts = "select count(*) from contacts where contact_id in ('north-L-1', 'north-L-2', 'north-M-1', 'north-M-2')";
        (server.number(contacts) == 4).then_some(())
    });
    let sql =
        "select class, source, reason from dead_letters where reason like '%offset desk/0/1)%'";
    let dead = server.sql(sql);
    assert_eq!(dead.len(), 1, "{dead:?}");
    assert_eq!(
        (&dead[0]["class"], &dead[0]["source"]),
        (&json!("not_json"), &json!("/callboard/kafka/desk"))
    );
    for (name, adapter, topic) in [
        ("calls", "events", "calls"),
        ("acs", "acs", "jobs"),
        ("desk", "mapping:landis", "desk"),
    ] {
        // The broker was away a moment ago, which each source notices by itself.
        let told = until("nothing that waits, and no trouble", || {
            let told = source(server, name);
            (told["waiting"] == 0 && told["problems"] == json!([])).then_some(told)
        });
        let expected = (
            &json!(adapter),
            &json!([topic]),
            &json!("live"),
            &json!(true),
        );
        let is = (
            &told["adapter"],
            &told["topics"],
            &told["state"],
            &told["configured"],
        );
        assert_eq!(is, expected, "{told}");
        assert!(told["last_received_at"].is_string(), "{told}");
        assert!(told["records"].as_i64().unwrap() > 0, "{told}");
        let page = server.get("/sources").1;
        assert!(
            page.contains(&format!("href=\"/sources?source={name}\"")),
            "{page}"
        );
    }
    let jobs = "select count(*) from records where source like '/acs/t1%'";
    assert_eq!(source(server, "acs")["records"], server.number(jobs));
    assert_eq!(letters(&source(server, "acs")), 0);
    assert_eq!(letters(&source(server, "desk")), 1);
    let here = letters(&source(server, "calls"));
    assert!(here > 0 && here < poison, "{here}: those since the start");
    let shown = callboard(&["sources", "--to", &server.url]);
    assert!(shown.contains("desk: 0 messages of desk wait"), "{shown}");
    assert!(shown.contains("desk: not read: not_json 1"), "{shown}");
}
