//! What Microsoft's own documents name, row by row as far as Teams tells it: each test says which
//! row it holds. What no feed tells stands in docs/platforms/teams.md with its reason.

use crate::teams::harness::{guid, told};

const AA: &str = "made-vaac-answer-auto-attendant.json";
const CQ: &str = "made-vaac-call-queue.json";
const AGENTS: &str = "made-vaac-agent-timeline.json";
const REDIRECTIONS: &str = "made-vaac-redirections.json";
const CALL: &str = "made-callrecord-queue.json";
const TRUNK: &str = "made-direct-routing-calls.json";

/// 0.1: the experience designer (which attendant and queue), and the queue's own threshold.
#[test]
fn persona_designer() {
    let rows = told(&[AA, CQ, "made-queue-settings.json"]);
    assert_eq!(rows.attribute(0xa0, "aa_id"), Some(guid(0xaa01)));
    assert_eq!(rows.attribute(0xa0, "cq_id"), Some(guid(0xc901)));
    assert_eq!(rows.targets[0].threshold_ms, 40_000);
}

/// 0.1: the agent, and the expert to whom agents turn.
#[test]
fn agent_and_expert() {
    let rows = told(&[CQ, AGENTS, CALL]);
    let talks = &rows.call(0xa0).segments;
    let of = |agent: &str| {
        let talk = talks
            .iter()
            .find(|s| s.kind == "talk" && s.agent.as_deref() == Some(agent));
        let talk = talk.unwrap();
        (talk.mode.clone().unwrap(), talk.duration_ms)
    };
    assert_eq!(
        of("emma.jones@contoso.com"),
        ("serve".into(), Some(180_100))
    );
    assert_eq!(of("nina@contoso.com"), ("conference".into(), Some(60_000)));
}

/// 0.1: the consumer, from outside or a colleague; the boundary of the organisation, inbound.
#[test]
fn consumer_and_boundary() {
    let rows = told(&[AA, CALL]);
    let contact = rows.call(0xa0).contact.as_ref().unwrap();
    assert_eq!(contact.customer.as_deref(), Some("+15550100"));
    assert_eq!(contact.direction.as_deref(), Some("inbound"));
    assert_eq!(
        rows.attribute(0xa0, "caller_is").as_deref(),
        Some("external")
    );
    let text = String::from_utf8(super::harness::capture(AA)).unwrap();
    let inside = text.replace("\"External\"", "\"Internal\"");
    let all = super::harness::split(inside.as_bytes(), "contoso").0;
    let rows = super::harness::rows(&all);
    assert_eq!(
        rows.attribute(0xa0, "caller_is").as_deref(),
        Some("internal")
    );
    // Still a call to the centre: the service sees the last leg's ends alone.
    assert_eq!(
        rows.call(0xa0)
            .contact
            .as_ref()
            .unwrap()
            .direction
            .as_deref(),
        Some("inbound")
    );
}

/// 0.1: scale (channel, tenancy); the builds and models by how a call came in.
#[test]
fn channel_tenancy_and_entry() {
    let rows = told(&[
        AA,
        CQ,
        "made-template-call-queue.csv",
        "made-callrecord-voicemail.json",
    ]);
    let contact = rows.call(0xa0).contact.as_ref().unwrap();
    assert_eq!(
        contact.tenant.as_deref(),
        Some("7e0a1c52-5d3b-4c10-9f0e-2b6a1d9c4e01")
    );
    assert_eq!(contact.channel, "voice");
    assert_eq!(rows.call(0x610).contact.as_ref().unwrap().channel, "video");
    let entry = |n, name| rows.attribute(n, name);
    assert_eq!(
        entry(0xc1, "pstn_connectivity").as_deref(),
        Some("DirectRouting")
    );
    assert_eq!(
        entry(0x300, "pstn_connectivity").as_deref(),
        Some("OperatorConnect")
    );
    assert_eq!(entry(0xc2, "entry_point").as_deref(), Some("click_to_call"));
    assert_eq!(entry(0xc1, "entry_point"), None);
}

/// 0.1: model Connect: trunk, presence, group call.
#[test]
fn trunk_presence_and_group_call() {
    let rows = told(&[TRUNK, CALL, "made-presence.json"]);
    assert_eq!(
        rows.attribute(0xa0, "trunk").as_deref(),
        Some("sbc1.contoso.com")
    );
    assert_eq!(
        rows.attribute(0xa0, "media_bypass").as_deref(),
        Some("true")
    );
    assert_eq!(
        rows.attribute(0xa0, "call_kind").as_deref(),
        Some("groupCall")
    );
    assert_eq!(rows.agents[&guid(0x502)].len(), 2);
}

/// 0.2: a menu answered by key, by voice, and by searching the directory either way.
#[test]
fn keys_voice_and_directory() {
    let rows = told(&[AA]);
    let input = |n| {
        let menu = &rows.call(n).segments[0];
        (
            menu.input_type.clone().unwrap_or_default(),
            menu.mode.clone().unwrap_or_default(),
        )
    };
    assert_eq!(input(0xa0), ("dtmf".into(), "".into()));
    assert_eq!(input(0xb2), ("speech".into(), "".into()));
    assert_eq!(input(0xb0), ("directory".into(), "speech".into()));
    assert_eq!(input(0xb1), ("directory".into(), "dtmf".into()));
    assert_eq!(input(0xb4), ("".into(), "".into()));
    // Which key it was is in no row.
    assert!(
        rows.contacts
            .values()
            .all(|c| c.segments.iter().all(|s| s.input.is_none()))
    );
}

/// 0.2: audio, video, screen sharing.
#[test]
fn modalities() {
    let rows = told(&[CALL, "made-callrecord-voicemail.json"]);
    assert_eq!(
        rows.attribute(0xa0, "modalities").as_deref(),
        Some("audio screenSharing")
    );
    assert_eq!(
        rows.attribute(0x610, "modalities").as_deref(),
        Some("audio video")
    );
    let share = rows
        .call(0xa0)
        .segments
        .iter()
        .find(|s| s.kind == "share")
        .unwrap();
    assert_eq!(
        (share.mode.as_deref(), share.duration_ms),
        (Some("screen"), Some(180_200))
    );
}

/// 0.2: call recording.
#[test]
fn call_recording() {
    let rows = told(&["made-call-recording.json"]);
    let recording = &rows.recordings[0];
    assert_eq!(recording.contact_id, format!("contoso-{}", guid(0xa0)));
    assert_eq!(recording.state, "ready");
    let length = recording.ended_at.unwrap().0 - recording.started_at.unwrap().0;
    assert_eq!(length, 180_000_000);
}

/// 0.2: personal voicemail, shared voicemail.
#[test]
fn voicemail_personal_and_shared() {
    let rows = told(&[CQ, REDIRECTIONS]);
    let mailbox = |n| {
        rows.call(n)
            .segments
            .iter()
            .find(|s| s.kind == "voicemail")
            .and_then(|s| s.name.clone())
    };
    assert_eq!(mailbox(0xc5).as_deref(), Some("personal"));
    assert_eq!(mailbox(0x114).as_deref(), Some("shared"));
    assert_eq!(mailbox(0x111), None);
}

/// 0.2: an attendant answers, routes to the operator, and ends or leads on: disconnect, person,
/// attendant or queue, external number, shared voicemail.
#[test]
fn attendant_and_its_redirections() {
    let rows = told(&[AA]);
    let end = |n| {
        let menu = &rows.call(n).segments[0];
        let word = |w: &Option<String>| w.clone().unwrap_or_default();
        (
            word(&menu.outcome),
            word(&menu.target_kind),
            word(&menu.target),
        )
    };
    let of = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
    assert_eq!(end(0xb3), of("transferred", "person", "operator"));
    assert_eq!(end(0xb4), of("transferred", "person", "operator"));
    assert_eq!(end(0xb5), of("hangup", "disconnect", ""));
    assert_eq!(end(0xb0), of("transferred", "person", ""));
    assert_eq!(end(0xb7), of("transferred", "voice_app", ""));
    assert_eq!(end(0xb2), of("transferred", "voice_app", ""));
    assert_eq!(end(0xb6), of("transferred", "external", ""));
    assert_eq!(end(0xb8), of("transferred", "shared_voicemail", ""));
    assert_eq!(
        rows.contacts
            .values()
            .filter(|c| c.segments[0].kind == "menu")
            .count(),
        14
    );
}

/// 0.2: a queue answers, in conference mode and in transfer mode.
#[test]
fn queue_answers() {
    let rows = told(&[CQ, AGENTS]);
    for (n, mode, wait) in [(0xa0, "true", 42_000), (0xc2, "false", 12_000)] {
        let contact = rows.call(n).contact.as_ref().unwrap();
        assert_eq!(contact.outcome.as_deref(), Some("answered"));
        assert_eq!(contact.wait_ms, Some(wait));
        assert_eq!(rows.attribute(n, "conference_mode").as_deref(), Some(mode));
    }
}

/// 0.2: overflow, timeout, no agents × disconnect, person, attendant or queue, external, shared
/// voicemail; and a blank target, which is a disconnection.
#[test]
fn redirections_of_a_queue() {
    let rows = told(&[REDIRECTIONS]);
    assert_eq!(rows.contacts.len(), 18);
    let targets = [
        "disconnect",
        "person",
        "voice_app",
        "external",
        "shared_voicemail",
        "disconnect",
    ];
    for (i, (outcome, wait)) in [("overflow", 0), ("timeout", 20_000), ("no_agents", 3_000)]
        .into_iter()
        .enumerate()
    {
        for (j, target) in targets.iter().enumerate() {
            let n = 0x100 + u32::try_from(i * 16 + j).unwrap();
            let stay = &rows.call(n).segments[0];
            assert_eq!(stay.kind, "queue");
            assert_eq!(stay.outcome.as_deref(), Some(outcome), "{n:x}");
            assert_eq!(stay.target_kind.as_deref(), Some(*target), "{n:x}");
            assert_eq!(stay.duration_ms, Some(wait), "{n:x}");
            let by = (*target == "disconnect").then_some("system");
            assert_eq!(stay.ended_by.as_deref(), by, "{n:x}");
        }
    }
    // The queue to which an overflow leads, where a row of that queue names the first.
    let chain = told(&["made-vaac-chain.json"]);
    assert_eq!(
        chain.call(0x200).segments[0].target.as_deref(),
        Some("billing")
    );
}

/// 0.3: from a chat to a Teams queue: the call of a visitor of a web page.
#[test]
fn click_to_call_into_a_queue() {
    let rows = told(&[CQ, AGENTS]);
    assert_eq!(
        rows.attribute(0xc2, "pstn_connectivity").as_deref(),
        Some("ACS Call")
    );
    assert_eq!(rows.call(0xc2).segments.len(), 2);
    let rows = told(&["made-callrecord-voicemail.json"]);
    let customer = rows.call(0x610).contact.as_ref().unwrap().customer.clone();
    assert!(customer.unwrap().starts_with("8:acs:"));
}

/// Each of these is carried by the bytes: another word there makes other rows.
#[test]
fn an_altered_capture_changes_the_rows() {
    let cases: &[(&str, &str, &str)] = &[
        (AA, "transferred_to_operator", "transferred_to_user"),
        (AA, "external_pstn", "user"),
        (AA, "abs_search_voice", "abs_search_dtmf"),
        (AA, "speech_input_confirmation", "user_selection"),
        (AA, "transferred_to_shared_voicemail", "transferred_to_user"),
        (AA, "20.5", "21.5"),
        (AA, "terminated_automatic_selection", "user_terminated"),
        (AA, "\"External\"", "\"Internal\""),
        (CQ, "agent_joined_conference", "transferred_to_agent"),
        (CQ, "ACS Call", "CallingPlan"),
        (
            CQ,
            "\"CallQueueDurationSeconds\": 42",
            "\"CallQueueDurationSeconds\": 41",
        ),
        (CQ, "\"voicemail\"", "\"shared_voicemail\""),
        (
            CQ,
            "callback_call_timed_out",
            "transferred_to_callback_caller",
        ),
        (REDIRECTIONS, "overflown", "timed_out"),
        (REDIRECTIONS, "timed_out", "no_agent"),
        (REDIRECTIONS, "no_agent", "overflown"),
        (REDIRECTIONS, "\"Phone\"", "\"User\""),
        (REDIRECTIONS, "\"User\"", "\"Mailbox\""),
        (REDIRECTIONS, "ConfigurationEndpoint", "Disconnect"),
        (AGENTS, "zoe@", "zia@"),
        (AGENTS, "\"Duration\": 180", "\"Duration\": 170"),
        (CALL, "skypeForBusinessCallQueues", "gateway"),
        (CALL, "callSetup", "midcall"),
        (CALL, "screenSharing", "data"),
        (CALL, "+15550100", "+15550101"),
        (TRUNK, "sbc1", "sbc2"),
        (TRUNK, "486", "480"),
        ("made-callrecord-voicemail.json", "voicemail", "gateway"),
        ("made-callrecord-voicemail.json", "\"video\"", "\"data\""),
        ("made-pstn-calls.json", "user_out_transfer", "user_out"),
        (
            "made-queue-settings.json",
            "\"ServiceLevelThresholdResponseTimeInSecond\": 40",
            "\"ServiceLevelThresholdResponseTimeInSecond\": 41",
        ),
        ("made-presence.json", "\"Busy\"", "\"Away\""),
        ("made-call-recording.json", "09:04:05Z", "09:04:06Z"),
    ];
    for (name, find, put) in cases {
        let text = String::from_utf8(super::harness::capture(name)).unwrap();
        let altered = text.replacen(find, put, 1);
        assert_ne!(text, altered, "{name} has no {find}");
        let of =
            |text: &str| super::harness::rows(&super::harness::split(text.as_bytes(), "contoso").0);
        assert_ne!(of(&text), of(&altered), "{name}: {find} -> {put}");
    }
}
