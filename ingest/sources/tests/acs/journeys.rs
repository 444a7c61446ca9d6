//! Chats, hand-offs, and the way from a chat over a bot to a call as one contact.

use super::pipe::{Rows, at, attribute, capture, parts, records_of, rows, told};

fn altered(name: &str, from: &str, to: &str) -> Rows {
    let text = String::from_utf8(capture(name)).unwrap();
    assert!(text.contains(from), "{from}");
    rows(&records_of("acs1", text.replace(from, to).as_bytes()))
}

const JOURNEY: &str = "made-journey-chat-bot-voice.ndjson";

#[test]
fn chat_bot_agent_and_call_are_one_contact() {
    // Rows of section 0.1 "bot chat -> human chat -> voice" and of 0.3 "Chat with bot", "Bot -> human
    // in chat": the job's channelReference and the header of the call are the thread's id.
    let rows = told(&[JOURNEY]);
    let one = rows.only();
    assert_eq!(
        parts(one),
        [
            "bot - - escalated 0..20",
            "queue q-billing - answered 21..30",
            "talk q-billing eve completed 30..60",
            "wrapup q-billing eve completed 60..150.5",
            "talk - agent-eve completed 75..150.5",
        ]
    );
    let c = one.contact.as_ref().unwrap();
    assert_eq!(
        (c.channel.as_str(), c.direction.as_deref()),
        ("chat", Some("inbound"))
    );
    assert_eq!(c.customer_name.as_deref(), Some("Kim"));
    assert_eq!(c.ended_by.as_deref(), Some("customer"));
    assert_eq!(c.end_reason.as_deref(), Some("0/0 Success"));
    assert_eq!((at(c.started_at), at(c.ended_at)), (0.0, 150.5));
    assert_eq!(one.segments[0].name.as_deref(), Some("Helper bot"));
    for (name, value) in [
        ("messages_customer", "2"),
        ("messages_bot", "1"),
        ("messages_agent", "1"),
        ("messages_edited", "1"),
        ("topic", "Web chat"),
        ("handoff.intent", "billing"),
    ] {
        assert_eq!(attribute(one, name).as_deref(), Some(value), "{name}");
    }
    let names: Vec<&str> = one.aliases.iter().map(|a| a.native.as_str()).collect();
    assert!(names.contains(&"thread:19:6e5d6ca1d75044a49a36a7965ec4a906@thread.v2"));
    assert!(names.contains(&"job:cj-1"));
    // Altered: without the thread in its header the call is a contact of its own.
    let apart = altered(
        JOURNEY,
        "\"voipHeaders\": {\"thread\"",
        "\"voipHeaders\": {\"x\": \"1\"}, \"y\": {\"thread\"",
    );
    assert_eq!(apart.contacts.len(), 2);
}

#[test]
fn a_call_that_names_another_call_points_to_it() {
    let text = String::from_utf8(capture(JOURNEY)).unwrap();
    let voice = String::from_utf8(capture("made-voice-call.ndjson")).unwrap();
    let first = voice.lines().next().unwrap();
    let value: serde_json::Value = serde_json::from_str(first).unwrap();
    let server = value["data"]["serverCallId"].as_str().unwrap();
    let text = text.replace(
        "\"voipHeaders\": {\"thread\": \"19:6e5d6ca1d75044a49a36a7965ec4a906@thread.v2\"}",
        &format!("\"voipHeaders\": {{\"from\": \"{server}\"}}"),
    );
    let rows = rows(&records_of("acs1", text.as_bytes()));
    let call = rows.contact("call:J2voiceAfterChatAAAAAAA");
    assert_eq!(call.links.len(), 1);
    assert_eq!(call.links[0].kind, "transfer");
    assert_eq!(
        call.links[0].to_contact,
        "acs/acs1/call:rmVOICEuyIo0WGzTtL1fIIJg"
    );
    assert_eq!(at(call.links[0].at), 70.0);
}

#[test]
fn a_hand_off_without_a_router_is_a_wait_and_a_talk() {
    let rows = told(&["made-handoff.json"]);
    let chat = rows.only();
    assert_eq!(
        parts(chat),
        [
            "bot - - escalated 0..30",
            "queue - - answered 30..45",
            "talk - agent-3 completed 45..120",
        ]
    );
    let c = chat.contact.as_ref().unwrap();
    assert_eq!(c.customer.as_deref(), Some("user-9"));
    assert_eq!((c.wait_ms, c.talk_ms), (Some(15_000), Some(75_000)));
    assert_eq!((at(c.ended_at), c.state.as_str()), (120.0, "closed"));
    let other = altered("made-handoff.json", "\"accepted\"", "\"failed\"");
    assert_eq!(parts(other.only())[1], "queue - - error 30..45");
}

#[test]
fn a_hand_off_that_fails_is_an_error() {
    let rows = told(&["made-handoff-failed.json"]);
    let chat = rows.only();
    assert_eq!(parts(chat)[1], "queue - - error 30..40");
    assert_eq!(
        chat.contact.as_ref().unwrap().raw_outcome.as_deref(),
        Some("failed nobody there")
    );
}

#[test]
fn the_published_hand_off_begins_with_its_transcript() {
    let name = "handoff-initiate-activities--power-virtual-agents-samples.json";
    let rows = told(&[name]);
    let chat = rows.contact("conversation:91hcXEd0ZYCBPoRwBDPHZ6-o");
    let c = chat.contact.as_ref().unwrap();
    // 2020-02-10T21:51:21.491453Z, the first message of the transcript.
    assert_eq!(c.started_at.unwrap().0, 1_581_371_481_491_453);
    assert_eq!(c.customer_name.as_deref(), Some("C2 User"));
    assert_eq!(c.language.as_deref(), Some("En-US"));
    let kinds: Vec<_> = chat
        .segments
        .iter()
        .map(|s| (s.kind.as_str(), s.outcome.as_deref(), s.state.as_str()))
        .collect();
    assert_eq!(
        kinds,
        [
            ("bot", Some("escalated"), "closed"),
            ("queue", None, "open")
        ]
    );
    assert_eq!(attribute(chat, "messages_customer").as_deref(), Some("1"));
    assert_eq!(
        attribute(chat, "handoff.va_LastPhrase").as_deref(),
        Some("store hours")
    );
}

#[test]
fn copies_for_each_member_are_one_message() {
    let thread = "eventgrid-ce-chat_message_received--azure-rest-api-specs.json";
    let text = String::from_utf8(capture(thread)).unwrap();
    let copy = text.replace("02272459-badb", "02272459-cafe");
    let mut records = records_of("acs1", text.as_bytes());
    records.extend(records_of("acs1", copy.as_bytes()));
    assert_eq!(records.len(), 2);
    let rows = rows(&records);
    assert_eq!(
        attribute(rows.only(), "messages_customer").as_deref(),
        Some("1")
    );
}

#[test]
fn a_thread_has_its_members_and_its_first_moment() {
    let rows = told(&["eventgrid-eg-chat_thread_created--azure-rest-api-specs.json"]);
    let chat = rows.contact("thread:19:e07c8ddc5bab4c059ea9f11d29b544b6@thread.v2");
    let c = chat.contact.as_ref().unwrap();
    assert_eq!(c.channel, "chat");
    assert_eq!(c.customer_name.as_deref(), Some("Bob"));
    // createTime 2021-02-19T16:31:54.365-08:00
    assert_eq!(c.started_at.unwrap().0, 1_613_781_114_365_000);
    assert_eq!(c.state, "open");
}

#[test]
fn a_chat_and_a_call_of_one_customer_are_two_contacts_unless_an_id_says_so() {
    // The flow "Chat -> Teams queue call" of section 0.3: the calling application starts the call as
    // the same user; nothing but the customer tells, and that joins no contacts.
    let text = String::from_utf8(capture(JOURNEY)).unwrap();
    let chat: Vec<&str> = text.lines().filter(|l| l.contains("ChatThread")).collect();
    let call = r#"{"id":"s1","source":"x","type":"Microsoft.Communication.CallStarted","time":"2026-03-02T09:01:20Z","specversion":"1.0","data":{"startedBy":{"communicationIdentifier":{"rawId":"8:acs:1bdaa2b9-9507-4542-bb64-a7b22c00a8d4_kim"},"role":"Consumer"},"serverCallId":"zz","isTwoParty":true,"correlationId":"c-77","isRoomsCall":false}}"#;
    let body = format!("{}\n{call}\n", chat.join("\n"));
    let rows = rows(&records_of("acs1", body.as_bytes()));
    assert_eq!(rows.contacts.len(), 2);
    let customers: Vec<_> = rows
        .contacts
        .values()
        .map(|c| c.contact.as_ref().unwrap().customer.clone())
        .collect();
    assert_eq!(customers[0], customers[1]);
    assert!(customers[0].as_deref().unwrap().ends_with("_kim"));
}

#[test]
fn a_thread_that_is_deleted_is_over_and_one_deleted_by_policy_was_over_before() {
    let text = String::from_utf8(capture(JOURNEY)).unwrap();
    let chat: Vec<&str> = text
        .lines()
        .filter(|l| {
            l.contains("\"ChatThreadCreated\"")
                || l.contains("ChatThreadCreated")
                || l.contains("ChatMessage")
        })
        .collect();
    let end = |why: &str| {
        let deleted = format!(
            r#"{{"id":"d1","source":"x","type":"Microsoft.Communication.ChatThreadDeleted","time":"2026-03-02T09:30:00.5Z","data":{{"deleteTime":"2026-03-02T09:30:00Z","reason":"{why}","threadId":"19:6e5d6ca1d75044a49a36a7965ec4a906@thread.v2","version":9}}}}"#
        );
        let body = format!("{}\n{deleted}\n", chat.join("\n"));
        let rows = rows(&records_of("acs1", body.as_bytes()));
        at(rows.only().contact.as_ref().unwrap().ended_at)
    };
    assert_eq!(end("deletedByUser"), 1_800.0);
    assert_eq!(end("deletedByPolicy"), 40.0, "its last message");
}

#[test]
fn an_agent_who_is_followed_by_another_has_handed_the_chat_on() {
    let told = |rest: &str| {
        let member = |who: &str| {
            format!(
                r#"{{"displayName":"{who}","participantCommunicationIdentifier":{{"rawId":"{who}"}}}}"#
            )
        };
        let event = |kind: &str, second: u32, data: &str| {
            format!(
                r#"{{"id":"{kind}{second}","type":"Microsoft.Communication.{kind}","time":"2026-03-02T09:00:{second:02}.5Z","source":"x","data":{{"threadId":"19:a@thread.v2",{data}}}}}"#
            )
        };
        let added = |second: u32, who: &str| {
            event(
                "ChatThreadParticipantAdded",
                second,
                &format!(r#""participantAdded":{}"#, member(who)),
            )
        };
        let removed = |second: u32, who: &str| {
            event(
                "ChatThreadParticipantRemoved",
                second,
                &format!(r#""participantRemoved":{}"#, member(who)),
            )
        };
        let mut lines = vec![
            event(
                "ChatThreadCreated",
                0,
                &format!(
                    r#""participants":[{},{}]"#,
                    member("8:acs:kim"),
                    member("28:bot")
                ),
            ),
            added(10, "8:orgid:ana"),
            added(30, "8:orgid:ben"),
            event("ChatThreadDeleted", 50, r#""reason":"deletedByUser""#),
        ];
        if !rest.is_empty() {
            lines.push(removed(32, "8:orgid:ana"));
        }
        rows(&records_of("acs1", lines.join("\n").as_bytes()))
    };
    assert_eq!(
        parts(told("leaves").only()),
        [
            "bot - - escalated 0.5..10.5",
            "talk - 8:orgid:ana transferred 10.5..32.5",
            "talk - 8:orgid:ben completed 30.5..50.5",
        ]
    );
    let both = told("");
    let modes: Vec<_> = both
        .only()
        .segments
        .iter()
        .filter_map(|s| s.mode.clone())
        .collect();
    assert_eq!(modes, ["serve", "conference"], "both stayed to the end");
    assert_eq!(both.only().contact.as_ref().unwrap().transfers, 0);
}
