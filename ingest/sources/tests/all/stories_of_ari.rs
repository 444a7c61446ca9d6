//! Calls that only the REST interface tells of, by captures made by hand.

use callboard_model::record::{Interpreter as _, RouteKey};
use callboard_sources::asterisk::Feed::{Ami, Ari};
use callboard_sources::registry::Registry;

use crate::pipeline::{records, told};
use crate::stories::{only, parts};

fn capture(name: &str) -> String {
    std::fs::read_to_string(format!("tests/captures/asterisk/{name}.ndjson")).unwrap()
}

#[test]
fn an_application_s_call_is_a_contact_with_its_talk_and_hold() {
    let rows = told(&[(Ari, &capture("made-ari-call"))]);
    let call = only(&rows);
    let contact = call.contact.as_ref().unwrap();
    assert_eq!(contact.state, "closed");
    assert_eq!(
        (
            contact.customer.as_deref(),
            contact.customer_name.as_deref()
        ),
        (Some("5550199"), Some("Ada Cole"))
    );
    assert_eq!(contact.dialled.as_deref(), Some("5550100"));
    assert_eq!(contact.direction.as_deref(), Some("inbound"));
    let told = |kind: &str, outcome: &str, s: i64| {
        let words = [kind, "", "PJSIP/101", outcome].map(str::to_owned);
        let [kind, queue, agent, outcome] = words;
        (kind, queue, agent, outcome, s)
    };
    let mut parts = parts(&rows);
    parts.sort();
    assert_eq!(
        parts,
        [told("hold", "resumed", 4), told("talk", "completed", 29)]
    );
    // The offset is written without colon, and counts.
    let talk = call.segments.iter().find(|s| s.kind == "talk").unwrap();
    let start = talk.started_at.unwrap().0;
    assert_eq!(start, 1_770_087_905_030_000);
}

#[test]
fn strangers_in_a_waiting_room_are_two_contacts() {
    let rows = told(&[(Ari, &capture("made-ari-waiting-room"))]);
    assert_eq!(rows.contacts.len(), 2);
}

#[test]
fn where_the_manager_was_heard_the_rest_interface_adds_nothing() {
    let call = "\"Channel\":\"PJSIP/trunk-00000001\",\"Uniqueid\":\"1770087900.1\",\"Linkedid\":\"1770087900.1\"";
    let event = |at: &str, body: &str| format!("{{\"Timestamp\":\"{at}\",{body},{call}}}\n");
    let manager = event(
        "1770087901.251",
        "\"Event\":\"Newchannel\",\"Context\":\"from-trunk\",\"CallerIDNum\":\"5550199\"",
    ) + &event("1770087935.201", "\"Event\":\"Hangup\",\"Cause\":\"16\"");
    let alone = told(&[(Ami, &manager)]);
    let both = told(&[(Ami, &manager), (Ari, &capture("made-ari-call"))]);
    let segments = |rows: &crate::pipeline::Rows| only(rows).segments.len();
    assert_eq!(segments(&both), segments(&alone));
}

#[test]
fn an_event_in_the_wire_s_form_is_the_record_of_its_capture() {
    let text = capture("made-ari-call");
    let compact: String = text.replace("\": ", "\":").replace(", \"", ",\"");
    let ids = |text: &str| -> Vec<_> {
        let all = records(Ari, text.as_bytes());
        all.iter()
            .map(|r| (r.id.clone(), r.content_hash()))
            .collect()
    };
    assert_ne!(text, compact);
    assert_eq!(ids(&text), ids(&compact));
}

#[test]
fn what_cannot_be_read_says_why() {
    for (line, class) in [
        (r#"{"type":"ChannelCreated","application":"a"}"#, "no_time"),
        (r#"{"type":"X","timestamp":"yesterday"}"#, "no_time"),
        (r#"{"timestamp":"2026-02-03T04:05:06.789+0100"}"#, "not_ari"),
        (
            r#"{"type":7,"timestamp":"2026-02-03T04:05:06.789+0100"}"#,
            "not_json",
        ),
        (r#"{"type":"X","timestamp":"é+0100"}"#, "no_time"),
        ("[]", "not_ari"),
        ("7", "not_json"),
    ] {
        let record = &records(Ari, line.as_bytes())[0];
        assert_eq!(Registry.route(record).unwrap_err().class, class, "{line}");
    }
    // An event of nothing that makes rows is kept, and speaks of nobody.
    let line = r#"{"type":"PeerStatusChange","timestamp":"2026-02-03T04:05:06.789Z"}"#;
    let routing = Registry.route(&records(Ari, line.as_bytes())[0]).unwrap();
    assert_eq!(routing.keys, Vec::<RouteKey>::new());
    assert!(routing.time.is_some());
}
