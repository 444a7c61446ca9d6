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
