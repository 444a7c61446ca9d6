//! Calls that are told by Event Grid, by the call log, or served by the application alone.

use super::pipe;
use super::pipe::{Rows, at, attribute, capture, parts, records_of, told};

#[test]
fn event_grid_tells_length_and_who_ended_in_all_spellings() {
    let old = told(&["eventgrid-eg-call_ended--azure-docs-2021.json"]);
    assert_eq!(
        attribute(old.only(), "call_duration_ms").as_deref(),
        Some("49729")
    );
    let new = told(&["eventgrid-ce-call_ended--azure-sdk-for-go.json"]);
    assert_eq!(
        attribute(new.only(), "call_duration_ms").as_deref(),
        Some("10000")
    );
    let both = told(&[
        "eventgrid-eg-call_started--azure-docs-2021.json",
        "eventgrid-eg-call_participant_added--azure-docs-2021.json",
        "eventgrid-eg-call_ended--azure-docs-2021.json",
    ]);
    let c = both.only().contact.clone().unwrap();
    assert_eq!(c.state, "closed");
    assert_eq!(
        c.customer.as_deref(),
        Some("8:acs:bc360ba8-d29b-4ef2-b698-769ebef85521_0000000c-1fb9-4878-07fd-0848220077e1")
    );
    assert_eq!(c.customer_name.as_deref(), Some("Sharif Edge"));
    assert_eq!(c.started_at.unwrap().0, 1_632_330_158_690_585);
    assert_eq!(c.ended_at.unwrap().0, 1_632_330_192_614_300);
}

#[test]
fn headers_of_the_caller_are_kept() {
    let rows = told(&["eventgrid-ce-incoming_call--azure-rest-api-specs.json"]);
    let call = rows.only();
    assert_eq!(
        attribute(call, "header.X-MS-Custom-myheader1").as_deref(),
        Some("35567842")
    );
    assert_eq!(
        attribute(call, "header.userToUser").as_deref(),
        Some("616d617a6f6e5f6368696;encoding=hex")
    );
    let c = call.contact.as_ref().unwrap();
    assert_eq!(c.customer_name.as_deref(), Some("VOIP Caller"));
}

#[test]
fn teams_phone_extensibility_tells_topic_and_language() {
    let rows = told(&["made-teams-phone-extensibility.json"]);
    let call = rows.only();
    assert_eq!(
        attribute(call, "teams.callTopic").as_deref(),
        Some("invoice")
    );
    assert_eq!(attribute(call, "teams.source").as_deref(), Some("cq-7"));
    let c = call.contact.as_ref().unwrap();
    assert_eq!(c.language.as_deref(), Some("de-DE"));
    assert!(call.aliases.iter().any(|a| a.native == "session:sess-1"));
}

#[test]
fn the_call_log_tells_who_was_there() {
    // Participants of calls that raise no events: rows of Azure Monitor.
    let rows = told(&["monitor-call-summary-logs--azure-docs.ndjson"]);
    assert_eq!(rows.contacts.len(), 2);
    let call = rows.contact("correlation:aaaa0000-bb11-2222-33cc-444444dddddd");
    let c = call.contact.as_ref().unwrap();
    assert_eq!(c.started_at.unwrap().0, 1_626_717_245_113_000);
    assert_eq!(c.ended_at.unwrap().0, 1_626_717_251_335_000);
    assert_eq!(attribute(call, "call_type").as_deref(), Some("P2P"));
    assert_eq!(call.segments[0].kind, "talk");
    let video = told(&["made-monitor-records.json"]);
    assert_eq!(
        attribute(video.only(), "media").as_deref(),
        Some("Video"),
        "row \"audio and video\" of section 0.2"
    );
}

#[test]
fn a_row_of_log_analytics_is_the_same_flat() {
    let body = r#"[{"Type":"ACSCallSummary","TimeGenerated":"2021-07-19T18:46:50.188Z","CorrelationId":"c-1","Identifier":"acs:a_1","CallStartTime":"2021-07-19T17:54:05.113Z","CallDuration":6,"CallType":"P2P","ParticipantStartTime":"2021-07-19T17:54:06.758Z","ParticipantDuration":"5","_ResourceId":"/subscriptions/x/providers/microsoft.communication/communicationservices/r"}]"#;
    let rows = pipe::rows(&records_of("acs1", body.as_bytes()));
    let call = rows.contact("correlation:c-1");
    assert_eq!(attribute(call, "call_type").as_deref(), Some("P2P"));
    assert_eq!(call.contact.as_ref().unwrap().state, "closed");
}

#[test]
fn a_worker_and_the_participant_who_joined_for_him_are_one_talk() {
    let text = String::from_utf8(capture("made-voice-call.ndjson")).unwrap();
    let raw = "8:acs:1bdaa2b9-9507-4542-bb64-a7b22c00a8d4_agent-ben";
    let text = text.replace(&format!("\"workerId\": \"{raw}\""), "\"workerId\": \"ben\"");
    let rows = pipe::rows(&records_of("acs1", text.as_bytes()));
    let talks: Vec<String> = parts(rows.only())
        .into_iter()
        .filter(|p| p.starts_with("talk") || p.starts_with("hold"))
        .collect();
    assert_eq!(
        talks,
        [
            "talk q-sales ben completed 45..242",
            "hold q-sales ben resumed 100..120",
            "talk - 8:orgid:99999999-0000-4000-8000-000000000001 left 130..200",
        ]
    );
}

/// A call of +15550100 with an application that has an identity of its own: it asks, then the last
/// recognition ends so.
fn with_the_application_alone(last: &str) -> Rows {
    let raw = |who: &str| format!(r#"{{"identifier":{{"rawId":"{who}"}},"isOnHold":false}}"#);
    let event = |kind: &str, second: u32, data: &str| {
        format!(
            r#"{{"id":"{kind}{second}","type":"Microsoft.Communication.{kind}","time":"2026-03-02T09:00:{second:02}.5Z","source":"x","data":{{"callConnectionId":"k","serverCallId":"a"{data}}}}}"#
        )
    };
    let (phone, app) = (raw("4:+15550100"), raw("8:acs:r_app"));
    let lines = [
        event("CallConnected", 0, ""),
        event(
            "ParticipantsUpdated",
            1,
            &format!(r#","sequenceNumber":1,"participants":[{phone},{app}]"#),
        ),
        event(
            "RecognizeCompleted",
            9,
            r#","recognitionType":"speech","speechResult":{"speech":"my balance","confidence":0.9}"#,
        ),
        event(
            last,
            20,
            r#","recognitionType":"dtmf","dtmfResult":{"tones":["nine"]},"resultInformation":{"code":400,"subCode":8532}"#,
        ),
        event(
            "ParticipantsUpdated",
            30,
            &format!(r#","sequenceNumber":2,"participants":[{app}]"#),
        ),
        event("CallDisconnected", 31, ""),
    ];
    pipe::rows(&records_of("acs1", lines.join("\n").as_bytes()))
}

#[test]
fn a_call_that_only_the_application_served_is_contained_or_given_up() {
    let served = with_the_application_alone("RecognizeCompleted");
    assert_eq!(
        parts(served.only()),
        [
            "menu - - selected 0.5..9.5",
            "bot - - contained 0.5..30.5",
            "menu - - selected 9.5..20.5",
        ]
    );
    assert_eq!(
        served.only().segments[0].input.as_deref(),
        Some("my balance")
    );
    assert_eq!(served.only().contact.as_ref().unwrap().talk_ms, None);
    let gone = with_the_application_alone("RecognizeFailed");
    assert_eq!(parts(gone.only())[1], "bot - - hangup 0.5..30.5");
    assert_eq!(parts(gone.only())[2], "menu - - timeout 9.5..20.5");
}

#[test]
fn a_job_ends_a_contact_of_whose_call_only_the_arrival_is_known() {
    let text = String::from_utf8(capture("made-voice-call.ndjson")).unwrap();
    let few: Vec<&str> = text
        .lines()
        .filter(|l| l.contains("IncomingCall") || l.contains("Communication.Router"))
        .collect();
    let rows = pipe::rows(&records_of("acs1", few.join("\n").as_bytes()));
    let c = rows.only().contact.clone().unwrap();
    assert_eq!((c.state.as_str(), at(c.ended_at)), ("closed", 242.0));
    assert_eq!(c.customer.as_deref(), Some("+15550100"));
}
