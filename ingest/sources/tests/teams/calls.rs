//! Graph: call records in parts and versions, notifications, presence, recordings.

use callboard_model::statement::Thing;
use callboard_sources::teams::notify::{self, Call};

use crate::teams::harness::{capture, guid, records, rows, split, told};

const REAL: &str = "e523d2ed-2966-4b6b-925b-754a88034cc5";

#[test]
fn a_real_call_between_two_users_is_internal() {
    let rows = told(&["callrecord-expanded-sessions-v2--graph-docs-contrib.json"]);
    let (id, call) = rows.contacts.first_key_value().unwrap();
    assert_eq!(id, &format!("contoso-{REAL}"));
    let contact = call.contact.as_ref().unwrap();
    assert_eq!(contact.direction.as_deref(), Some("internal"));
    assert_eq!(
        contact.customer.as_deref(),
        Some("abbie.wilkins@contoso.com")
    );
    assert_eq!(
        contact.tenant.as_deref(),
        Some("dc368399-474c-4d40-900c-6265431fd81f")
    );
    // A talk between colleagues is no talk with a customer.
    assert_eq!(contact.talk_ms, None);
    let talk = &call.segments[0];
    assert_eq!(talk.agent.as_deref(), Some("owen.franklin@contoso.com"));
    assert_eq!(
        (talk.mode.as_deref(), talk.duration_ms),
        (Some("internal"), Some(25_547))
    );
    let attributes = contact.attributes.as_deref().unwrap();
    assert!(attributes.contains("\"rating\":\"poor\""), "{attributes}");
    assert!(
        attributes.contains("\"worst_jitter_ms\":\"16\""),
        "{attributes}"
    );
}

#[test]
fn real_parts_of_one_version_are_one_call() {
    let parts = [
        "callrecord-basic--graph-docs.json",
        "callrecord-expanded--graph-docs.json",
        "callrecord-expanded-participants-v2--graph-docs-contrib.json",
        "callrecord-expanded-sessions-v2--graph-docs-contrib.json",
        "callrecord-sessions--graph-docs.json",
        "callrecord-sessions-expanded--graph-docs.json",
    ];
    assert_eq!(records(&parts).len(), 6);
    let rows = told(&parts);
    assert_eq!(rows.contacts.len(), 1);
    let call = rows.contacts.values().next().unwrap();
    assert_eq!(call.segments.len(), 1, "one talk, however often it is told");
    let attributes = call.contact.as_ref().unwrap().attributes.clone().unwrap();
    assert!(
        attributes.contains("\"worst_packet_loss\":\"0.01381693\""),
        "{attributes}"
    );
    // A page of sessions alone names its call in the context, and says nothing before the call is known.
    assert!(
        told(&["callrecord-sessions-expanded--graph-docs.json"])
            .contacts
            .is_empty()
    );
    let two = told(&[
        "callrecord-basic--graph-docs.json",
        "callrecord-sessions-expanded--graph-docs.json",
    ]);
    assert_eq!(two.contacts.values().next().unwrap().segments.len(), 1);
}

#[test]
fn real_participants_with_null_kinds_are_read() {
    let (all, dead) = split(
        &capture("callrecord-participants-v2--graph-docs-contrib.json"),
        "t",
    );
    assert_eq!((all.len(), dead.len()), (1, 0));
    assert_eq!(&*all[0].format, "teams/call-record-page");
    assert!(
        all[0]
            .id
            .starts_with("614e3ff0-4728-4394-8c03-52fb3b967fde/")
    );
}

#[test]
fn a_call_record_alone_tells_who_spoke_and_leaves_the_verdict_open() {
    let rows = told(&["made-callrecord-queue.json"]);
    assert_eq!(
        rows.parts(0xa0),
        [
            "menu 09:00:00.123-09:00:20.900 20777ms outcome=selected name=main.menu",
            "queue 09:00:20.900-09:01:04.900 44000ms queue=support outcome=answered",
            "talk 09:01:04.900-09:04:05.100 180200ms queue=support agent=emma.jones@contoso.com outcome=completed mode=serve",
            "share 09:01:04.900-09:04:05.100 180200ms agent=emma.jones@contoso.com outcome=ended mode=screen",
            "talk 09:02:30-09:03:30 60000ms agent=nina@contoso.com outcome=completed mode=conference",
        ]
    );
    assert_eq!(
        rows.offers(0xa0),
        [
            "otto@contoso.com support no_answer 09:00:25-09:00:55 Some(30000) The user did not answer"
        ]
    );
    assert_eq!(
        rows.call(0xa0)
            .contact
            .as_ref()
            .unwrap()
            .customer
            .as_deref(),
        Some("+15550100")
    );
    assert_eq!(
        rows.attribute(0xa0, "worst_round_trip_ms").as_deref(),
        Some("81")
    );
}

#[test]
fn the_greater_version_of_a_call_record_holds() {
    let first = "made-callrecord-queue-version1.json";
    let alone = told(&[first]);
    // Nobody is known to have answered: the wait is not the length of the call.
    assert_eq!(
        alone.parts(0xa0)[1],
        "queue 09:00:20.900-? ? queue=support outcome=unknown basis=untold"
    );
    let both = told(&[first, "made-callrecord-queue.json"]);
    assert_eq!(both, told(&["made-callrecord-queue.json", first]));
    assert_eq!(
        both.parts(0xa0),
        told(&["made-callrecord-queue.json"]).parts(0xa0)
    );
    let end = both.call(0xa0).contact.as_ref().unwrap().ended_at.unwrap();
    assert_eq!(end.0 % 60_000_000, 5_456_000, "of version 2");
}

#[test]
fn rows_call_record_and_telephone_row_of_one_call_are_one_contact() {
    let rows = told(&[
        "made-vaac-answer-auto-attendant.json",
        "made-vaac-call-queue.json",
        "made-vaac-agent-timeline.json",
        "made-callrecord-queue.json",
        "made-callrecord-queue-version1.json",
        "made-direct-routing-calls.json",
        "made-notifications.json",
    ]);
    assert_eq!(
        rows.parts(0xa0),
        [
            // Verdict and length of the analytics, the finer clock of the call record.
            "menu 09:00:00.123-09:00:20.623 20500ms outcome=transferred raw=transferred_to_cq to=voice_app target=support name=main.menu input=dtmf reason=user_selection basis=computed",
            "queue 09:00:20.900-09:01:02.900 42000ms queue=support outcome=answered raw=agent_joined_conference basis=computed",
            "talk 09:01:05-09:04:05.100 180100ms queue=support agent=emma.jones@contoso.com outcome=completed mode=serve",
            "share 09:01:05-09:04:05.100 180100ms agent=emma.jones@contoso.com outcome=ended mode=screen",
            "talk 09:02:30-09:03:30 60000ms agent=nina@contoso.com outcome=completed mode=conference",
        ]
    );
    assert_eq!(rows.offers(0xa0).len(), 1);
    let contact = rows.call(0xa0).contact.as_ref().unwrap();
    assert_eq!(contact.customer.as_deref(), Some("+15550100"));
    assert_eq!(
        contact.dialled.as_deref(),
        Some("+15559000"),
        "the telephone row knows the number"
    );
    assert_eq!(contact.end_reason.as_deref(), Some("BYE"));
    assert_eq!(
        rows.attribute(0xa0, "trunk").as_deref(),
        Some("sbc1.contoso.com")
    );
    let names: Vec<&str> = rows
        .call(0xa0)
        .aliases
        .iter()
        .map(|a| a.native.as_str())
        .collect();
    for id in [guid(0xd00a0), guid(0xe00a0), guid(0xd10a0), guid(0x900)] {
        assert!(names.contains(&id.as_str()), "{id} in {names:?}");
    }
}

#[test]
fn a_visitor_of_a_web_page_who_speaks_to_a_mailbox() {
    let rows = told(&["made-callrecord-voicemail.json"]);
    assert_eq!(
        rows.parts(0x610),
        [
            "queue 16:00:00-16:00:40 40000ms queue=support outcome=voicemail to=shared_voicemail",
            "voicemail 16:00:40-16:02:00 80000ms",
        ]
    );
    let contact = rows.call(0x610).contact.as_ref().unwrap();
    assert_eq!(contact.channel, "video");
    assert_eq!(
        contact.customer.as_deref(),
        Some(&*format!("8:acs:{}", guid(0x611)))
    );
    assert_eq!(contact.customer_name.as_deref(), Some("Web visitor"));
}

#[test]
fn calls_out_are_outbound_and_meetings_are_nobodys_contact() {
    let rows = told(&[
        "made-callrecord-outbound.json",
        "made-callrecord-meeting.json",
    ]);
    assert_eq!(rows.contacts.len(), 1);
    assert_eq!(
        rows.parts(0x620),
        [
            "talk 17:00:00-17:05:00 300000ms agent=emma.jones@contoso.com outcome=completed mode=outbound"
        ]
    );
    let contact = rows.call(0x620).contact.as_ref().unwrap();
    assert_eq!(
        (contact.direction.as_deref(), contact.customer.as_deref()),
        (Some("outbound"), Some("+15550177"))
    );
}

#[test]
fn a_meeting_stays_one_when_somebody_dials_in() {
    let text = String::from_utf8(capture("made-callrecord-meeting.json")).unwrap();
    let mut call: serde_json::Value = serde_json::from_str(&text).unwrap();
    let dialled_in = serde_json::json!({"phone": {"id": "+15550144"}});
    call["participants"]
        .as_array_mut()
        .unwrap()
        .push(dialled_in);
    let of = |call: &serde_json::Value| rows(&split(call.to_string().as_bytes(), "contoso").0);
    // A group of colleagues and a number, with nothing that says what for: somebody's contact.
    assert_eq!(of(&call).contacts.len(), 1);
    call["joinWebUrl"] = "https://teams.microsoft.com/l/meetup-join/made".into();
    assert_eq!(of(&call).contacts.len(), 0);
    // A queue in it makes it a contact again.
    let role = serde_json::json!({"userAgent": {"role": "skypeForBusinessCallQueues"}});
    call["sessions"][0]["callee"] = role;
    assert_eq!(of(&call).contacts.len(), 1);
}

#[test]
fn a_session_that_is_a_test_is_none() {
    let text = String::from_utf8(capture("made-callrecord-outbound.json")).unwrap();
    let test = text.replace("\"callee\"", "\"isTest\": true, \"callee\"");
    let rows = rows(&split(test.as_bytes(), "contoso").0);
    assert!(rows.contacts.values().all(|c| c.segments.is_empty()));
}

#[test]
fn notifications_are_recognised_kept_and_say_nothing() {
    let body = capture("made-notifications.json");
    let Call::Batch(batch) = notify::call("", &body) else {
        panic!("no batch");
    };
    assert_eq!(batch[0].id, guid(0xa0));
    assert_eq!(
        (batch[0].change.as_str(), batch[1].change.as_str()),
        ("created", "missed")
    );
    assert!(notify::is_agreed(&batch, "agreed"));
    assert!(!notify::is_agreed(&batch, "agreeD"));
    assert_eq!(
        notify::call("validationToken=a%20b&validationToken=c", &body),
        Call::Handshake("a b".into())
    );
    assert_eq!(
        notify::call("", &capture("made-callrecord-queue.json")),
        Call::Other
    );
    let rows = told(&["made-notifications.json"]);
    assert_eq!((rows.kept, rows.contacts.len()), (2, 0));
    assert!(rows.refused.is_empty());
}

#[test]
fn presence_is_a_state_where_its_moment_is_told() {
    let rows = told(&["made-presence.json"]);
    let states: Vec<_> = rows.agents[&guid(0x502)]
        .iter()
        .map(|s| {
            (
                s.state.as_str(),
                s.native_state.as_deref().unwrap(),
                s.reason.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        states,
        [
            ("available", "Available", None),
            ("busy", "Busy", Some("InACall"))
        ]
    );
    let end = rows.agents[&guid(0x502)][1].ended_at.unwrap();
    assert_eq!(end.0 % 86_400_000_000, 17 * 3_600_000_000, "off work");
    // What Graph really answers has no time at all.
    for name in ["presence--graph-docs.json", "presence-2--graph-docs.json"] {
        let real = told(&[name]);
        assert_eq!((real.kept, real.agents.len()), (1, 0), "{name}");
    }
}

/// The second real answer with the moment of asking beside it, as whoever asks writes it.
#[test]
fn who_presents_is_in_a_meeting() {
    let text = String::from_utf8(capture("presence-2--graph-docs.json")).unwrap();
    let asked = text.replacen('{', "{\"observedDateTime\": \"2026-03-02T09:00:00Z\",", 1);
    let rows = rows(&split(asked.as_bytes(), "contoso").0);
    let states = &rows.agents["66825e03-7ef5-42da-9069-724602c31f6b"];
    let first = &states[0];
    assert_eq!(
        (
            first.track.as_str(),
            first.state.as_str(),
            first.native_state.as_deref(),
            first.reason.as_deref()
        ),
        (
            "presence",
            "meeting",
            Some("DoNotDisturb"),
            Some("Presenting")
        )
    );
    assert_eq!(
        first.started_at.0,
        (super::harness::DAY + 9 * 3_600) * 1_000_000
    );
}

#[test]
fn a_recording_belongs_to_its_call() {
    use callboard_model::record::{Interpreter, RouteKey};
    let record = &records(&["made-call-recording.json"])[0];
    let routing = callboard_sources::registry::Registry.route(record).unwrap();
    let RouteKey::Direct(key) = &routing.keys[0] else {
        panic!("{routing:?}");
    };
    assert_eq!(key.text(), "recording:/teams/contoso/MSMjMCMjrec1");
    let said = routing.statements.unwrap();
    assert_eq!(said[0].about, Thing::Recording);
    let facts = format!("{:?}", said[0].facts);
    assert!(
        facts.contains(&format!("Text(\"contoso-{}\")", guid(0xa0))),
        "{facts}"
    );
    assert_eq!(
        rows(&records(&["made-callrecord-queue.json"]))
            .contacts
            .keys()
            .next()
            .unwrap(),
        &format!("contoso-{}", guid(0xa0))
    );
}
