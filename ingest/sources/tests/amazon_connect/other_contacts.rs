//! Calls that nobody answered, callbacks, outbound calls, chats, tasks, e-mail.

use callboard_model::tables::Instant;

use super::fold::{altered, at, parts, told};

#[test]
fn a_caller_who_gives_up_is_abandoned() {
    let rows = told("abandoned");
    assert_eq!(
        rows.parts("i-1-b-1"),
        parts(&[
            ("menu", "selected", 0.0, 20.0),
            ("queue", "abandoned", 20.0, 75.0)
        ])
    );
    let contact = rows.contact("i-1-b-1").contact.as_ref().unwrap();
    assert_eq!(contact.outcome.as_deref(), Some("abandoned"));
    assert_eq!(contact.raw_outcome.as_deref(), Some("CUSTOMER_DISCONNECT"));
    let by_flow = told("flow-ended-wait");
    let stay = by_flow.segment("i-1-b-2", "b-2/queue");
    assert_eq!(stay.outcome.as_deref(), Some("timeout"));
    assert_eq!(stay.raw_outcome.as_deref(), Some("CONTACT_FLOW_DISCONNECT"));
    let answered = altered(
        "abandoned",
        "\"Agent\":null",
        "\"Agent\":{\"ConnectedToAgentTimestamp\":\"2026-03-02T09:01:15Z\"}",
    );
    let stay = answered.segment("i-1-b-1", "b-1/queue");
    assert_eq!(stay.outcome.as_deref(), Some("answered"));
}

/// Section 0: IVR only; flow per number, attributes; TTS, IVR.
#[test]
fn a_call_that_stays_in_the_flow() {
    let rows = told("ivr-only");
    assert_eq!(
        rows.parts("i-1-v-1"),
        parts(&[("menu", "selected", 0.0, 42.0)])
    );
    let menu = rows.segment("i-1-v-1", "v-1/flow");
    assert_eq!(menu.input.as_deref(), Some("2"));
    assert_eq!(menu.name.as_deref(), Some("MainMenu"));
    assert_eq!(menu.outcome.as_deref(), Some("selected"));
    assert_eq!(menu.input_type.as_deref(), Some("dtmf"));
    let says = |name: &str| rows.attribute("i-1-v-1", name);
    assert_eq!(says("aws:flow").as_deref(), Some("Main"));
    assert_eq!(says("aws:input/MainMenu").as_deref(), Some("2"));
    assert_eq!(says("balanceRead").as_deref(), Some("yes"));
    assert_eq!(
        says("aws:transfer_block_number").as_deref(),
        Some("+4989777")
    );
    let other = altered("ivr-only", "\"Results\":\"2\"", "\"Results\":\"3\"");
    assert_eq!(
        other.segment("i-1-v-1", "v-1/flow").input.as_deref(),
        Some("3")
    );
}

/// Section 0: hybrid, Connect to the other system: the number and the lease are there to be joined.
#[test]
fn a_call_is_handed_over_to_another_system() {
    let rows = told("ivr-handed-over");
    let menu = rows.segment("i-1-h-1", "h-1/flow");
    assert_eq!(menu.outcome.as_deref(), Some("transferred"));
    assert_eq!(menu.target_kind.as_deref(), Some("external"));
    assert_eq!(menu.target.as_deref(), Some("+4989777"));
    assert_eq!(menu.ended_at, Some(Instant(at(33.0))));
    assert_eq!(
        rows.attribute("i-1-h-1", "lease_id").as_deref(),
        Some("L-7")
    );
    let other = altered("ivr-handed-over", "+4989777", "+4989778");
    let menu = other.segment("i-1-h-1", "h-1/flow");
    assert_eq!(menu.target.as_deref(), Some("+4989778"));
}

#[test]
fn a_callback_is_a_contact_of_its_own_with_a_link_to_it() {
    let rows = told("callback");
    assert_eq!(
        rows.parts("i-1-k-1"),
        parts(&[
            ("menu", "selected", 0.0, 20.0),
            ("queue", "callback", 20.0, 60.0),
            ("callback", "dialled", 60.0, 180.0),
        ])
    );
    let links = &rows.contact("i-1-k-1").links;
    assert_eq!(links.len(), 1);
    assert_eq!(
        (&*links[0].kind, &*links[0].to_contact),
        ("callback", "i-1-k-2")
    );
    assert_eq!(links[0].at, Some(Instant(at(60.0))));
    // The record's own wait of 120 s holds the delay before it was due; it waited for 21.
    assert_eq!(
        rows.parts("i-1-k-2"),
        parts(&[
            ("queue", "answered", 159.0, 180.0),
            ("dial", "answered", 180.0, 190.0),
            ("talk", "completed", 190.0, 400.0),
            ("wrapup", "completed", 400.0, 420.0),
        ])
    );
    let back = rows.contact("i-1-k-2").contact.as_ref().unwrap();
    assert_eq!(back.wait_ms, Some(21_000));
    assert_eq!(back.direction.as_deref(), Some("outbound"));
    assert_eq!(
        rows.contact("i-1-k-1").contact.as_ref().unwrap().ended_at,
        Some(Instant(at(60.0)))
    );
    // Without the leg that calls back the record of the first still tells it.
    let text = String::from_utf8(super::fold::made("callback")).unwrap();
    let first = text.lines().next().unwrap();
    let alone = super::fold::rows(&super::fold::records(first.as_bytes()));
    let stay = alone.segment("i-1-k-1", "k-1/queue");
    assert_eq!(stay.outcome.as_deref(), Some("callback"));
    // A leg of another kind is a move to another queue.
    let moved = altered("callback", "\"CALLBACK\"", "\"QUEUE_TRANSFER\"");
    let stay = moved.segment("i-1-k-1", "k-1/queue");
    assert_eq!(stay.outcome.as_deref(), Some("transferred"));
}

/// Section 0: StartOutboundVoiceContact, Streams API; contact lists, priority, preview, programmatic
/// dial; country of the customer's number.
#[test]
fn outbound_calls_by_hand_by_campaign_and_by_preview() {
    let rows = told("outbound");
    assert_eq!(
        rows.parts("i-1-o-1"),
        parts(&[
            ("dial", "answered", 0.0, 12.0),
            ("talk", "completed", 12.0, 72.0),
            ("wrapup", "completed", 72.0, 82.0),
        ])
    );
    let talk = rows.segment("i-1-o-1", "o-1/talk");
    assert_eq!(
        (talk.mode.as_deref(), talk.duration_ms),
        (Some("outbound"), Some(60_000))
    );
    let contact = rows.contact("i-1-o-1").contact.as_ref().unwrap();
    assert_eq!(contact.dialled.as_deref(), Some("+4930555"));
    assert_eq!(contact.ended_by.as_deref(), Some("agent"));
    assert_eq!(contact.direction.as_deref(), Some("outbound"));
    assert_eq!(
        rows.attribute("i-1-o-1", "aws:system_endpoint").as_deref(),
        Some("+498912345")
    );
    // Nobody answered: the agent's minute was no talk.
    assert_eq!(
        rows.parts("i-1-o-2"),
        parts(&[
            ("dial", "no_answer", 100.0, 160.0),
            ("wrapup", "completed", 160.0, 165.0)
        ])
    );
    let dial = rows.segment("i-1-o-3", "o-3/dial");
    assert_eq!(dial.outcome.as_deref(), Some("machine"));
    assert_eq!(dial.raw_outcome.as_deref(), Some("VOICEMAIL_BEEP"));
    assert_eq!(dial.name.as_deref(), Some("spring"));
    let campaign = rows.contact("i-1-o-3").contact.as_ref().unwrap();
    assert_eq!(campaign.campaign.as_deref(), Some("spring"));
    assert_eq!(rows.attribute("i-1-o-3", "listId").as_deref(), Some("L1"));
    let preview = rows.segment("i-1-o-4", "o-4/dial");
    assert_eq!(preview.outcome.as_deref(), Some("canceled"));
    let strategy = rows.attribute("i-1-o-4", "aws:outbound_strategy");
    assert_eq!(strategy.as_deref(), Some("AGENT_FIRST"));
    assert!(rows.attribute("i-1-o-4", "aws:preview_ended").is_some());
    let busy = altered("outbound", "TELECOM_TIMEOUT", "TELECOM_BUSY");
    assert_eq!(
        busy.segment("i-1-o-2", "o-2/dial").outcome.as_deref(),
        Some("busy")
    );
}

#[test]
fn chats_begin_with_a_bot_or_end_with_it() {
    let rows = told("chat");
    assert_eq!(
        rows.parts("i-1-t-1"),
        parts(&[
            ("bot", "escalated", 1.0, 50.0),
            ("queue", "answered", 50.0, 90.0),
            ("talk", "completed", 90.0, 600.0),
            ("wrapup", "completed", 600.0, 660.0),
        ])
    );
    let chat = rows.contact("i-1-t-1").contact.as_ref().unwrap();
    assert_eq!(
        (&*chat.channel, chat.direction.as_deref()),
        ("chat", Some("inbound"))
    );
    assert_eq!(chat.customer_name.as_deref(), Some("Jane"));
    let says = |name: &str| rows.attribute("i-1-t-1", name);
    assert_eq!(says("aws:first_response_ms").as_deref(), Some("2500"));
    assert_eq!(says("aws:bot_messages").as_deref(), Some("4"));
    assert_eq!(says("aws:customer_messages").as_deref(), Some("5"));
    let other = rows.contact("i-1-t-2").contact.as_ref().unwrap();
    assert_eq!(other.channel, "whatsapp");
    assert_eq!(
        rows.parts("i-1-t-2"),
        parts(&[("bot", "hangup", 1.0, 100.0)])
    );
    let menu = altered("chat", "\"TotalBotMessages\":4", "\"TotalBotMessages\":0");
    assert_eq!(menu.segment("i-1-t-1", "t-1/flow").kind, "menu");
}

#[test]
fn a_task_is_paused_and_completed() {
    let rows = told("task");
    let contact = rows.contact("i-1-j-1").contact.as_ref().unwrap();
    assert_eq!(
        (&*contact.channel, contact.ended_by.as_deref()),
        ("task", Some("agent"))
    );
    assert_eq!(contact.talk_ms, Some(2_100_000));
    assert_eq!(
        rows.attribute("i-1-j-1", "aws:agent_pause_seconds")
            .as_deref(),
        Some("600")
    );
    let name = rows.attribute("i-1-j-1", "aws:contact_name");
    assert_eq!(name.as_deref(), Some("Check the address"));
}

#[test]
fn an_email_and_its_answer_are_two_contacts_of_one_thread() {
    let rows = told("email");
    let mail = rows.contact("i-1-l-1").contact.as_ref().unwrap();
    assert_eq!(
        (&*mail.channel, mail.direction.as_deref()),
        ("email", Some("inbound"))
    );
    assert_eq!(mail.customer.as_deref(), Some("jane@example.org"));
    assert_eq!(mail.wait_ms, Some(1_895_000));
    let thread = rows.attribute("i-1-l-1", "aws:thread");
    assert_eq!(thread.as_deref(), Some("th-1"));
    let subject = rows.attribute("i-1-l-1", "connect:EmailSubject");
    assert_eq!(subject.as_deref(), Some("Invoice"));
    let answer = rows.contact("i-1-l-2").contact.as_ref().unwrap();
    assert_eq!(answer.direction.as_deref(), Some("outbound"));
    let to = rows.attribute("i-1-l-2", "aws:related_contact");
    assert_eq!(to.as_deref(), Some("l-1"));
}

#[test]
fn a_message_of_a_campaign_is_a_contact_of_its_attempt() {
    let rows = told("campaign");
    assert_eq!(
        rows.contacts.len(),
        1,
        "who was only aimed at is no contact"
    );
    let id = "i-1-attempt-d-1";
    let contact = rows.contact(id).contact.as_ref().unwrap();
    assert_eq!(
        (&*contact.channel, contact.campaign.as_deref()),
        ("email", Some("spring"))
    );
    assert_eq!(rows.parts(id), parts(&[("message", "read", 1.0, 500.0)]));
    let bounced = altered("campaign", "\"Open\"", "\"Bounce\"");
    assert_eq!(bounced.parts(id)[0].1, "failed");
}

/// Page 3.1: the assistant's and the platform's own tests are no customers' contacts, whatever else
/// tells of them.
#[test]
fn what_no_customer_made_is_no_contact() {
    let rows = told("set-aside");
    let known: Vec<&str> = rows.contacts.keys().map(String::as_str).collect();
    assert_eq!(known, ["i-1-u-1"]);
    assert_eq!(
        rows.parts("i-1-u-1"),
        parts(&[
            ("menu", "selected", 0.0, 10.0),
            ("queue", "answered", 10.0, 30.0),
            ("talk", "completed", 30.0, 100.0),
            ("wrapup", "completed", 100.0, 110.0),
        ])
    );
    // The customer's contact names the leg that came of it.
    let leg = rows.attribute("i-1-u-1", "aws:aside/u-2");
    assert_eq!(leg.as_deref(), Some("assistant"));
    let chats = altered("set-aside", "connect:Assistant", "connect:Chat");
    assert!(chats.contacts.contains_key("i-1-as-1"));
    // Of whatever type a test is; a leg that came of it says nothing.
    let other = altered("set-aside", "EXPERIENCE_VALIDATION", "OTHER_VALIDATION");
    assert_eq!(other.contacts.len(), 1);
    let real = altered(
        "set-aside",
        "connect:ValidationTestType",
        "connect:OtherType",
    );
    let stays = real.contact("i-1-x-1").segments.iter();
    assert_eq!(stays.filter(|s| s.kind == "queue").count(), 2);
}
