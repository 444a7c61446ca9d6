//! SMS, WhatsApp and e-mail: each message a contact, answers with what they answer.

use super::pipe::{at, attribute, capture, parts, records_of, rows, told};

#[test]
fn an_answer_is_of_the_contact_that_it_answers() {
    let rows = told(&["made-messages.json"]);
    assert_eq!(rows.contacts.len(), 4);
    let asked = rows.contact("message:wa-1").contact.clone().unwrap();
    assert_eq!(
        (asked.channel.as_str(), asked.direction.as_deref()),
        ("whatsapp", Some("inbound"))
    );
    assert_eq!(asked.customer.as_deref(), Some("15550100"));
    assert_eq!(at(asked.started_at), -1.0);
    let thread = rows.contact("message:wa-2");
    assert_eq!(
        parts(thread),
        ["message - - read 61..90", "message - - delivered 119..119"]
    );
    assert_eq!(thread.segments[1].input.as_deref(), Some("tomorrow"));
    assert_eq!(thread.segments[1].name.as_deref(), Some("interactive"));
    let c = thread.contact.as_ref().unwrap();
    assert_eq!(c.direction.as_deref(), Some("outbound"));
    assert_eq!(c.customer.as_deref(), Some("15550100"));
    // Altered: an answer to another message.
    let text = String::from_utf8(capture("made-messages.json")).unwrap();
    let text = text.replace("\"id\": \"wa-2\"", "\"id\": \"wa-9\"");
    let apart = super::pipe::rows(&records_of("acs1", text.as_bytes()));
    assert_eq!(apart.contacts.len(), 5);
}

#[test]
fn reports_tell_how_far_a_message_came() {
    let rows = told(&["made-messages.json"]);
    let sms = rows.contact("message:Outgoing_1");
    assert_eq!(parts(sms), ["message - - failed 190..200"]);
    let segment = &sms.segments[0];
    assert_eq!(segment.raw_outcome.as_deref(), Some("Failed"));
    assert_eq!(segment.reason.as_deref(), Some("Unreachable handset"));
    assert_eq!(attribute(sms, "tag").as_deref(), Some("reminder"));
    let mail = rows.contact("message:mail-1");
    let segment = &mail.segments[0];
    assert_eq!(
        (segment.outcome.as_deref(), segment.raw_outcome.as_deref()),
        (Some("failed"), Some("Bounced"))
    );
    assert_eq!(segment.reason.as_deref(), Some("550 no such user"));
    assert_eq!(mail.contact.as_ref().unwrap().channel, "email");
}

#[test]
fn the_published_examples_in_pascal_case_and_capitals_are_read() {
    for schema in ["ce", "eg"] {
        let name = |kind: &str| format!("eventgrid-{schema}-{kind}--azure-rest-api-specs.json");
        let sms = told(&[&name("sms_received")]);
        let c = sms.only().contact.clone().unwrap();
        assert_eq!(c.channel, "sms");
        assert_eq!(c.customer.as_deref(), Some("15555555555"));
        // ReceivedTimestamp 2020-09-18T00:27:45.32Z
        assert_eq!(c.started_at.unwrap().0, 1_600_388_865_320_000);
        let report = told(&[&name("sms_delivery_report_received")]);
        let segment = report.only().segments[0].clone();
        assert_eq!(segment.outcome.as_deref(), Some("delivered"));
        assert_eq!(segment.raw_outcome.as_deref(), Some("Delivered"));
        assert_eq!(segment.duration_ms, Some(5_353));
        let mail = told(&[&name("email_delivery_report_received")]);
        assert_eq!(
            mail.only().segments[0].outcome.as_deref(),
            Some("delivered"),
            "status in lower case, deliveryAttemptTimeStamp with a capital S"
        );
        let click = told(&[&name("email_engagement_tracking_report_received")]);
        let segment = click.only().segments[0].clone();
        assert_eq!(segment.outcome.as_deref(), Some("read"));
        assert_eq!(segment.raw_outcome.as_deref(), Some("click"));
    }
}

#[test]
fn what_was_pressed_or_chosen_is_the_input() {
    for (file, input) in [
        ("button_reply", Some("agree")),
        ("list_reply", None),
        ("reaction", Some("\u{1F44D}")),
        ("text", None),
    ] {
        let name = format!("eventgrid-eg-advanced_message_received_{file}--azure-docs.json");
        let rows = told(&[&name]);
        let found = rows.only().segments[0].input.clone();
        if let Some(input) = input {
            assert_eq!(found.as_deref(), Some(input), "{file}");
        } else if file == "text" {
            assert_eq!(found, None);
        } else {
            assert!(found.is_some(), "{file}");
        }
    }
    let other = rows(&records_of("acs1", b"[]"));
    assert!(other.contacts.is_empty());
}
