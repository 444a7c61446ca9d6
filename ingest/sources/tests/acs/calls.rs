//! Calls: roster, holds, menus, transfers, ends; the real call-backs and a hand-made call.

use super::pipe::{Rows, at, attribute, capture, parts, records_of, rows, short, told};

const REAL: &str = "--azure-sdk-for-js.ndjson";

fn real(name: &str) -> Rows {
    told(&[&format!("callautomation-{name}{REAL}")])
}

fn voice() -> Rows {
    told(&["made-voice-call.ndjson"])
}

fn altered(from: &str, to: &str) -> Rows {
    let text = String::from_utf8(capture("made-voice-call.ndjson")).unwrap();
    assert!(text.contains(from), "{from}");
    rows(&records_of("acs1", text.replace(from, to).as_bytes()))
}

#[test]
fn a_hold_is_told_by_participant_lists_and_a_failed_one_is_none() {
    let rows = real("hold-unhold");
    let call = rows.contact("call:rmHGwuyIo0WGzTtL1fIIJg");
    let kinds: Vec<&str> = call.segments.iter().map(|s| s.kind.as_str()).collect();
    assert_eq!(kinds, ["talk", "hold"], "the failed hold of 0.6 s is none");
    // Both legs tell the hold; the first to tell it counts: 23.2853484 to 26.4706042.
    assert_eq!(call.segments[1].duration_ms, Some(3_185));
    assert_eq!(call.segments[1].outcome.as_deref(), Some("resumed"));
    assert_eq!(call.segments[1].parent_seq, Some(1));
    let c = call.contact.as_ref().unwrap();
    assert_eq!((c.hold_ms, c.state.as_str()), (Some(3_185), "closed"));
    assert_eq!(
        c.ended_at.unwrap().0,
        1_720_507_471_851_563,
        "when the last leg was gone"
    );
    // Altered: resumed at 28.
    let name = format!("callautomation-hold-unhold{REAL}");
    let text = String::from_utf8(capture(&name)).unwrap();
    let text = text.replace("06:44:26.4706042", "06:44:28.4706042");
    let c = super::pipe::rows(&records_of("acs1", text.as_bytes()));
    let c = c.only().contact.clone().unwrap();
    assert_eq!(c.hold_ms, Some(5_185));
}

#[test]
fn a_prompt_to_one_participant_is_no_hold() {
    let call = real("play-failed");
    let call = call.only();
    assert!(call.segments.iter().all(|s| s.kind != "hold"));
    assert_eq!(
        attribute(call, "PlayFailed").as_deref(),
        Some("400/8535 Action failed, file format is invalid.")
    );
    let voice = voice();
    let holds: Vec<_> = voice
        .only()
        .segments
        .iter()
        .filter(|s| s.kind == "hold")
        .collect();
    assert_eq!(holds.len(), 1, "the one from 150.3 to 156.1 was a prompt");
    // The same list change without a prompt is a hold.
    let holds = altered("whisper", "nothing");
    assert_eq!(count(&holds, "hold"), 1);
    let holds = altered(
        "Microsoft.Communication.PlayStarted",
        "Microsoft.Communication.Other",
    );
    assert_eq!(count(&holds, "hold"), 2);
}

fn count(rows: &Rows, kind: &str) -> usize {
    rows.only()
        .segments
        .iter()
        .filter(|s| s.kind == kind)
        .count()
}

#[test]
fn legs_of_one_server_call_are_one_contact_and_legs_over_a_telephone_hop_are_two() {
    let two = real("connect-two-legs");
    assert_eq!(two.contacts.len(), 1);
    let hop = real("pstn-dtmf");
    assert_eq!(hop.contacts.len(), 2);
    let customers: Vec<_> = hop
        .contacts
        .values()
        .map(|c| c.contact.as_ref().unwrap().customer.clone().unwrap())
        .collect();
    assert_eq!(customers, ["+18447649276", "+18662315126"]);
}

#[test]
fn a_removed_participant_ends_the_talk_and_a_gone_leg_the_call() {
    let rows = real("remove-participant");
    let call = rows.only();
    assert_eq!(call.segments[0].kind, "talk");
    assert_eq!(call.segments[0].duration_ms, Some(1_701));
    assert_eq!(call.contact.as_ref().unwrap().state, "closed");
}

#[test]
fn an_invitation_that_is_cancelled_is_a_dial() {
    let rows = real("cancel-add-participant");
    let dial = rows
        .only()
        .segments
        .iter()
        .find(|s| s.kind == "dial")
        .unwrap();
    assert_eq!(dial.outcome.as_deref(), Some("canceled"));
    assert_eq!(
        dial.raw_outcome.as_deref(),
        Some("CancelAddParticipantSucceeded")
    );
}

#[test]
fn a_call_through_menu_queue_agent_and_expert() {
    // Rows of section 0: auto attendant answer, speech and key menus, call recording's call, agent,
    // expert, consumer; the flow "PSTN number in ACS to an agent, then an expert".
    let rows = voice();
    let call = rows.contact("call:rmVOICEuyIo0WGzTtL1fIIJg");
    assert_eq!(
        parts(call),
        [
            "menu - - timeout 1..8",
            "bot - - escalated 1..30",
            "menu - - invalid 8..12",
            "menu - - selected 12..18",
            "menu - - selected 18..26",
            "menu - - selected 27..28",
            "queue q-sales - answered 30..45",
            "talk q-sales agent-ben completed 45..242",
            "hold q-sales agent-ben resumed 100..120",
            "dial - - no_answer -1..125",
            "talk - 8:orgid:99999999-0000-4000-8000-000000000001 left 130..200",
            "wrapup q-sales agent-ben completed 242..260",
        ]
    );
    let c = call.contact.as_ref().unwrap();
    assert_eq!(
        (c.channel.as_str(), c.direction.as_deref()),
        ("voice", Some("inbound"))
    );
    assert_eq!(c.customer.as_deref(), Some("+15550100"));
    assert_eq!(c.customer_name.as_deref(), Some("Kim Doe"));
    assert_eq!(c.dialled.as_deref(), Some("+15550199"));
    assert_eq!(c.ended_by.as_deref(), Some("customer"));
    assert_eq!((at(c.started_at), at(c.ended_at)), (0.0, 240.0));
    assert_eq!(
        (c.wait_ms, c.hold_ms, c.wrap_ms),
        (Some(15_000), Some(20_000), Some(18_000))
    );
    assert_eq!(
        c.end_reason.as_deref(),
        Some("200/560000 The conversation has ended.")
    );
    // Altered: the customer is last to leave.
    let text = String::from_utf8(capture("made-voice-call.ndjson")).unwrap();
    let last = text
        .lines()
        .find(|l| l.contains("\"sequenceNumber\": 11"))
        .unwrap();
    let other = last.replace("agent-ben", "nobody");
    let other = super::pipe::rows(&records_of("acs1", text.replace(last, &other).as_bytes()));
    let c = other.only().contact.clone().unwrap();
    assert_ne!(parts(other.only()), parts(call));
    assert_eq!(c.customer.as_deref(), Some("+15550100"));
}

#[test]
fn keys_and_speech_are_told_apart() {
    // Row "AA speech: menu options" and row "DTMF in the calling UI".
    let rows = voice();
    let menus: Vec<_> = rows
        .only()
        .segments
        .iter()
        .filter(|s| s.kind == "menu")
        .map(|s| {
            let word = |w: &Option<String>| w.clone().unwrap_or_default();
            (word(&s.name), word(&s.input), word(&s.input_type))
        })
        .collect();
    let menu = |name: &str, input: &str, kind: &str| (name.into(), input.into(), kind.into());
    assert_eq!(
        menus,
        [
            menu("main-menu", "", ""),
            menu("main-menu", "", ""),
            menu("main-menu", "Sales", "speech"),
            menu("account", "12*#", "dtmf"),
            menu("keys", "97", "dtmf"),
        ]
    );
    let raw: Vec<_> = rows.only().segments[..1]
        .iter()
        .map(|s| s.raw_outcome.clone())
        .collect();
    assert_eq!(raw, [Some("RecognizeFailed 400/8510".to_owned())]);
    // Altered: the first try heard something that was no choice.
    let other = altered("8510", "8547");
    assert_eq!(parts(other.only())[0], "menu - - invalid 1..8");
}

#[test]
fn music_on_hold_of_a_queue_of_ones_own_is_counted() {
    // Row "CQ music on hold": observable where the application plays it.
    assert_eq!(
        attribute(voice().only(), "prompts_played").as_deref(),
        Some("2")
    );
    let other = altered("PlayCompleted", "PlayFailed");
    assert_eq!(attribute(other.only(), "prompts_played"), None);
}

#[test]
fn an_expert_who_joins_is_beside_the_agent() {
    // Row "expert / SME (agents escalate to)": AddParticipantSucceeded.
    let rows = voice();
    let talks: Vec<_> = rows
        .only()
        .segments
        .iter()
        .filter(|s| s.kind == "talk")
        .map(|s| {
            (
                short(s.agent.as_deref().unwrap()),
                s.mode.as_deref().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        talks,
        [
            ("agent-ben", "serve"),
            ("8:orgid:99999999-0000-4000-8000-000000000001", "conference")
        ]
    );
    let dial = rows
        .only()
        .segments
        .iter()
        .find(|s| s.kind == "dial")
        .unwrap();
    assert_eq!(dial.target.as_deref(), Some("+15550188"));
}

#[test]
fn a_transfer_to_a_resource_account_of_teams_leads_to_a_voice_app() {
    let rows = told(&["made-transfer-and-busy.ndjson"]);
    let call = rows.contact("call:transferToTeamsAAAAAAA");
    assert_eq!(parts(call), ["talk - agent-ben transferred 10..60"]);
    let talk = &call.segments[0];
    assert_eq!(talk.target_kind.as_deref(), Some("voice_app"));
    assert_eq!(
        talk.target.as_deref(),
        Some("28:orgid:aaaaaaaa-0000-4000-8000-00000000000a")
    );
    assert_eq!(call.contact.as_ref().unwrap().transfers, 1);
    let text = String::from_utf8(capture("made-transfer-and-busy.ndjson")).unwrap();
    let text = text.replace("CallTransferAccepted", "CallTransferFailed");
    let failed = super::pipe::rows(&records_of("acs1", text.as_bytes()));
    let failed = failed.contact("call:transferToTeamsAAAAAAA");
    assert_eq!(failed.contact.as_ref().unwrap().transfers, 0);
    assert!(failed.segments.iter().any(|s| s.kind == "dial"));
}

#[test]
fn a_call_out_that_is_busy_is_over() {
    let rows = told(&["made-transfer-and-busy.ndjson"]);
    let call = rows.contact("call:busyAAAAAAAAAAAAAAAAAA");
    let c = call.contact.as_ref().unwrap();
    assert_eq!(c.direction.as_deref(), Some("outbound"));
    assert_eq!(
        (c.outcome.as_deref(), c.state.as_str()),
        (Some("busy"), "closed")
    );
    assert_eq!(c.end_reason.as_deref(), Some("486/560486 Busy Here"));
}

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
    let rows = super::pipe::rows(&records_of("acs1", body.as_bytes()));
    let call = rows.contact("correlation:c-1");
    assert_eq!(attribute(call, "call_type").as_deref(), Some("P2P"));
    assert_eq!(call.contact.as_ref().unwrap().state, "closed");
}

#[test]
fn a_worker_and_the_participant_who_joined_for_him_are_one_talk() {
    let text = String::from_utf8(capture("made-voice-call.ndjson")).unwrap();
    let raw = "8:acs:1bdaa2b9-9507-4542-bb64-a7b22c00a8d4_agent-ben";
    let text = text.replace(&format!("\"workerId\": \"{raw}\""), "\"workerId\": \"ben\"");
    let rows = super::pipe::rows(&records_of("acs1", text.as_bytes()));
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
    rows(&records_of("acs1", lines.join("\n").as_bytes()))
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
    let rows = super::pipe::rows(&records_of("acs1", few.join("\n").as_bytes()));
    let c = rows.only().contact.clone().unwrap();
    assert_eq!((c.state.as_str(), at(c.ended_at)), ("closed", 242.0));
    assert_eq!(c.customer.as_deref(), Some("+15550100"));
}
