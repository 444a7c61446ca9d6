//! Bodies: schemas, envelopes, the handshake, identities, what is dead.

use callboard_model::record::Interpreter;
use callboard_sources::acs::{Acs, validation_answer};
use callboard_sources::adapter::Adapter;
use callboard_sources::lines::{DeadLine, NewLine, NewRecord};
use callboard_sources::registry::Registry;

use super::pipe::{capture, captures, declared, of, records_of, rows};

fn split(bytes: &[u8]) -> (Vec<NewRecord>, Vec<DeadLine>) {
    let (mut records, mut dead) = (Vec::new(), Vec::new());
    for line in Acs.split(bytes, &declared("")) {
        match line {
            NewLine::Record(r) => records.push(r),
            NewLine::Dead(d) => dead.push(d),
            NewLine::Event(_) => panic!("no event of ours"),
        }
    }
    (records, dead)
}

#[test]
fn every_capture_is_read_and_nothing_is_dead() {
    let mut read = 0;
    for name in captures() {
        if name.starts_with("eventgrid-subscription-validation") {
            continue;
        }
        let records = records_of("acs1", &capture(&name));
        assert!(!records.is_empty(), "{name}");
        for record in &records {
            let routed = Registry
                .route(record)
                .unwrap_or_else(|e| panic!("{name}: {e}"));
            let silent = [
                "typing_indicator",
                "user_disconnected",
                "analysis_completed",
            ];
            let silent = silent.iter().any(|part| name.contains(part));
            assert_eq!(routed.keys.is_empty(), silent, "{name}");
            assert!(routed.time.is_some());
            read += 1;
        }
    }
    assert!(read > 250, "{read}");
}

#[test]
fn the_question_of_event_grid_is_answered_and_is_no_record() {
    let asked = capture("eventgrid-subscription-validation--azure-docs.json");
    let (records, dead) = split(&asked);
    assert!(records.is_empty() && dead.is_empty());
    let answer: serde_json::Value =
        serde_json::from_str(&validation_answer(&asked).unwrap()).unwrap();
    let published: serde_json::Value = serde_json::from_slice(&capture(
        "eventgrid-subscription-validation-answer--azure-docs.json",
    ))
    .unwrap();
    assert_eq!(answer, published);
    assert_eq!(validation_answer(b"[]"), None);
    assert_eq!(validation_answer(b"not json"), None);
    let other = capture("made-job-router.json");
    assert_eq!(validation_answer(&other), None);
}

#[test]
fn an_object_an_array_lines_and_an_envelope_are_all_bodies() {
    let one = r#"{"id":"1","type":"Microsoft.Communication.CallStarted","time":"2026-03-02T09:00:00Z","data":{"serverCallId":"a"}}"#;
    let two = one.replace("\"1\"", "\"2\"");
    for body in [
        format!("[{one},{two}]"),
        format!("{one}\n{two}\n"),
        format!("\u{feff}[\n{one} ,\n{two}\n]\n"),
        format!("{{\"records\":[{one},{two}]}}"),
        format!("[{one}]\n[{two}]\n"),
    ] {
        let (records, dead) = split(body.as_bytes());
        assert!(dead.is_empty(), "{body}");
        let ids: Vec<&str> = records.iter().map(|r| r.id.as_str()).collect();
        assert_eq!(ids, ["CallStarted/1", "CallStarted/2"], "{body}");
        assert_eq!(
            records[0].bytes,
            one.as_bytes(),
            "the bytes are as they came"
        );
        assert_eq!(records[0].format, "acs/event-grid");
    }
}

#[test]
fn one_bad_item_costs_itself_alone() {
    let good = r#"{"id":"1","type":"Microsoft.Communication.CallStarted","time":"2026-03-02T09:00:00Z","data":{}}"#;
    let body = format!("{good}\n{{\"id\": \"2\", \"type\n{good}\nnonsense\n{{\"a\":tru}}\n");
    let (records, dead) = split(body.as_bytes());
    assert_eq!(records.len(), 2);
    let classes: Vec<&str> = dead.iter().map(|d| d.class).collect();
    assert_eq!(classes, ["not_json", "not_json", "not_json"]);
    let storage = r#"[{"id":"1","eventType":"Microsoft.Storage.BlobCreated","eventTime":"2026-03-02T09:00:00Z","data":{}},{"x":1}]"#;
    let (records, dead) = split(storage.as_bytes());
    assert!(records.is_empty());
    let classes: Vec<&str> = dead.iter().map(|d| d.class).collect();
    assert_eq!(classes, ["unknown_type", "unknown_shape"]);
    assert!(dead[0].reason.contains("Microsoft.Storage.BlobCreated"));
}

#[test]
fn what_is_too_long_or_no_text_is_dead_by_name() {
    let long = format!(
        "{{\"type\":\"Microsoft.Communication.X\",\"a\":\"{}\"}}",
        "x".repeat(1 << 20)
    );
    let (records, dead) = split(long.as_bytes());
    assert!(records.is_empty());
    assert_eq!(dead[0].class, "too_long");
    assert_eq!(dead[0].length, long.len() as u64);
    let (_, dead) = split(b"{\"a\":\"\xff\"}");
    assert_eq!(dead[0].class, "invalid_utf8");
}

#[test]
fn a_body_of_braces_is_no_work_without_end() {
    let body = "{\n".repeat(200_000);
    let begun = std::time::Instant::now();
    let (records, dead) = split(body.as_bytes());
    assert!(records.is_empty());
    assert_eq!(dead.len(), 200_000);
    assert!(begun.elapsed().as_secs() < 20);
}

#[test]
fn an_event_without_a_believable_time_is_refused() {
    for time in ["", "yesterday", "0001-01-01T00:00:00Z"] {
        let body = format!(
            "{{\"id\":\"1\",\"type\":\"Microsoft.Communication.CallStarted\",\"time\":\"{time}\",\"data\":{{\"serverCallId\":\"a\"}}}}"
        );
        let refusal = Registry
            .route(&records_of("a", body.as_bytes())[0])
            .unwrap_err();
        assert_eq!(refusal.class, "no_time");
    }
}

#[test]
fn the_instance_is_declared_or_the_name_of_the_resource() {
    let body = capture("made-job-router.json");
    let (records, _) = split(&body);
    assert_eq!(&*records[0].source, "/acs/contoso-voice/event-grid");
    assert_eq!(records[0].stamp.instance, "contoso-voice");
    let (calls, _) = split(&capture(
        "callautomation-hold-unhold--azure-sdk-for-js.ndjson",
    ));
    assert_eq!(&*calls[0].source, "/acs/default/call-automation");
    let (logs, _) = split(&capture("monitor-call-summary-logs--azure-docs.ndjson"));
    assert_eq!(&*logs[0].source, "/acs/acs-prod-ccts-tests/monitor");
}

#[test]
fn two_tenants_with_equal_ids_never_meet() {
    let body = capture("made-voice-call.ndjson");
    let mut both = records_of("north", &body);
    both.extend(records_of("south", &body));
    let rows = rows(&both);
    assert_eq!(rows.contacts.len(), 2);
    let sources: Vec<_> = rows
        .contacts
        .values()
        .map(|c| c.contact.as_ref().unwrap().source.clone())
        .collect();
    assert_eq!(sources, ["/acs/north", "/acs/south"]);
}

#[test]
fn a_delivery_again_is_the_same_record_and_a_later_report_another() {
    let first = of(&["eventgrid-eg-sms_delivery_report_received--azure-rest-api-specs.json"]);
    let again = of(&["eventgrid-eg-sms_delivery_report_received--azure-rest-api-specs.json"]);
    assert_eq!(first[0].id, again[0].id);
    let text = String::from_utf8(first[0].bytes.to_vec()).unwrap();
    let later = text.replace("2020-09-18T00:22:20Z", "2020-09-18T00:25:20Z");
    assert_ne!(later, text);
    let later = records_of("acs1", later.as_bytes());
    assert_ne!(later[0].id, first[0].id);
}

#[test]
fn an_unknown_type_of_the_family_is_kept_and_speaks_of_nothing() {
    let body = br#"{"id":"1","type":"Microsoft.Communication.SomethingNew","time":"2026-03-02T09:00:00Z","data":{"x":[1]}}"#;
    let record = &records_of("a", body)[0];
    assert!(Registry.route(record).unwrap().keys.is_empty());
}

#[test]
fn server_call_ids_in_either_alphabet_are_one_call() {
    let text = String::from_utf8(capture("made-journey-chat-bot-voice.ndjson")).unwrap();
    let records = records_of("acs1", text.as_bytes());
    // CallEnded there has its id padded; the call-backs have it without.
    assert!(text.contains("=\\u003d") || text.contains("=="));
    assert_eq!(rows(&records).contacts.len(), 1);
}

#[test]
fn a_guid_of_zeros_joins_no_calls() {
    let call = |n: u32| {
        format!(
            r#"{{"id":"{n}","type":"Microsoft.Communication.CallStarted","time":"2026-03-02T09:00:00Z","data":{{"serverCallId":"a{n}","correlationId":"00000000-0000-0000-0000-000000000000"}}}}"#
        )
    };
    let body = format!("[{},{}]", call(1), call(2));
    assert_eq!(rows(&records_of("a", body.as_bytes())).contacts.len(), 2);
    let one = body.replace("00000000-0000", "00000000-0001");
    assert_eq!(rows(&records_of("a", one.as_bytes())).contacts.len(), 1);
}
