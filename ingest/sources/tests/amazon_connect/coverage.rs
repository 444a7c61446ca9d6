//! Rows of section 0 of the platform's page that no other test names.

use super::fold::{altered, told};

const C: &str = "i-1-c-1";

/// Section 0: Local/remote agents, VPN, desk phone; VDI: device and quality.
#[test]
fn device_and_quality_of_the_line() {
    let rows = told("inbound-records");
    let says = |name: &str| rows.attribute(C, name);
    assert_eq!(says("aws:device").as_deref(), Some("Chrome"));
    assert_eq!(says("aws:device_system").as_deref(), Some("Windows"));
    assert_eq!(says("aws:agent_audio_score").as_deref(), Some("4.2"));
    assert_eq!(
        says("aws:agent_audio_issues").as_deref(),
        Some("[\"HighPacketLoss\"]")
    );
    assert_eq!(
        says("aws:disconnect_issue").as_deref(),
        Some("AGENT_CONNECTIVITY_ISSUE")
    );
    let talk = rows.segment(C, "c-2/talk");
    assert_eq!(talk.reason.as_deref(), Some("AGENT_CONNECTIVITY_ISSUE"));
    let other = altered("inbound-records", "HighPacketLoss", "HighRoundTripTime");
    assert!(
        other
            .attribute(C, "aws:agent_audio_issues")
            .unwrap()
            .contains("RoundTrip")
    );
}

/// Section 0: Dev/QA/test instances, locations: instance, region, validation.
#[test]
fn instance_region_and_tests() {
    let rows = told("inbound-records");
    assert_eq!(
        rows.attribute(C, "aws:region").as_deref(),
        Some("eu-central-1")
    );
    let test = altered(
        "inbound-records",
        "\"connect:Subtype\":",
        "\"connect:ValidationTestType\":{\"ValueString\":\"EXPERIENCE_VALIDATION\"},\"connect:Subtype\":",
    );
    assert!(rows.contacts.contains_key(C));
    assert!(test.contacts.is_empty(), "a test is no customer's contact");
}

/// Section 0: Claimed, ported, forwarded number; local or toll free: the number that was called.
#[test]
fn the_number_that_was_called() {
    let rows = told("abandoned");
    let contact = rows.contact("i-1-b-1").contact.as_ref().unwrap();
    assert_eq!(contact.dialled.as_deref(), Some("+49800555"));
    let other = altered("abandoned", "+49800555", "+4930999");
    let contact = other.contact("i-1-b-1").contact.as_ref().unwrap();
    assert_eq!(contact.dialled.as_deref(), Some("+4930999"));
}

/// Section 0: Manual / auto-accept: when the agent accepted.
#[test]
fn when_the_agent_accepted() {
    let rows = altered(
        "inbound-records",
        "\"AgentInteractionDuration\":121",
        "\"AcceptedByAgentTimestamp\":\"2026-03-02T09:01:08Z\",\"AgentInteractionDuration\":121",
    );
    assert_eq!(
        rows.attribute(C, "aws:accepted").as_deref(),
        Some("2026-03-02T09:01:08Z")
    );
    assert_eq!(told("inbound-records").attribute(C, "aws:accepted"), None);
}

/// Section 0: New workload, line of business, site, agent group: queue, number, hierarchy, tag.
#[test]
fn what_units_of_a_migration_are_made_of() {
    let rows = told("inbound-records");
    assert_eq!(rows.attribute(C, "aws:team/a-1").as_deref(), Some("Berlin"));
    assert_eq!(rows.attribute(C, "aws:agent/a-1").as_deref(), Some("mkim"));
    assert_eq!(
        rows.attribute(C, "aws:queue/q-care").as_deref(),
        Some("Care")
    );
    assert_eq!(rows.attribute(C, "tag:lob").as_deref(), Some("retail"));
    assert_eq!(
        rows.attribute(C, "aws:routing_profile").as_deref(),
        Some("Voice")
    );
    let other = altered("inbound-records", "Berlin", "Lyon");
    assert_eq!(other.attribute(C, "aws:team/a-1").as_deref(), Some("Lyon"));
}

/// Section 0: ASR, NLU/NLP, Amazon Lex: what the customer said is told by the flow's log.
#[test]
fn a_bot_in_a_flow() {
    let rows = altered(
        "ivr-only",
        "\"Results\":\"2\",\"Parameters\":{",
        "\"Results\":\"PayInvoice\",\"Parameters\":{\"BotAliasArn\":\"arn:x\",",
    );
    let menu = rows.segment("i-1-v-1", "v-1/flow");
    assert_eq!(menu.input.as_deref(), Some("PayInvoice"));
    assert_eq!(menu.input_type.as_deref(), Some("speech"));
}

/// Section 0: Flow per number, attributes, Lambda, Pinpoint SMS, Lex, KVS.
#[test]
fn messages_and_media_streams() {
    let rows = altered("chat", "connect:Chat", "connect:SMS");
    let contact = rows.contact("i-1-t-1").contact.as_ref().unwrap();
    assert_eq!(contact.channel, "sms");
    let rows = altered(
        "abandoned",
        "\"Attributes\":{}",
        "\"Attributes\":{},\"MediaStreams\":[{\"Type\":\"AUDIO\"}]",
    );
    let streams = rows.attribute("i-1-b-1", "aws:media_streams");
    assert_eq!(streams.as_deref(), Some("[{\"Type\":\"AUDIO\"}]"));
    assert_eq!(
        told("abandoned").attribute("i-1-b-1", "aws:media_streams"),
        None
    );
}

/// Section 0: Hybrid, agent only (IVR last): the pool's number, and what the look-up gave.
#[test]
fn a_call_that_another_system_handed_over() {
    let rows = altered(
        "inbound-records",
        "\"greetingPlayed\":\"b\"",
        "\"greetingPlayed\":\"b\",\"lease_id\":\"L-9\",\"sip_diversion\":\"+49800999\"",
    );
    let contact = rows.contact(C).contact.as_ref().unwrap();
    assert_eq!(contact.dialled.as_deref(), Some("+498912345"));
    assert_eq!(contact.customer.as_deref(), Some("+491701234567"));
    assert_eq!(rows.attribute(C, "lease_id").as_deref(), Some("L-9"));
    let forwarded = rows.attribute(C, "sip_diversion");
    assert_eq!(forwarded.as_deref(), Some("+49800999"));
    assert_eq!(told("inbound-records").attribute(C, "lease_id"), None);
}

/// Section 0: Local/international, fraud and service alerts, collection, appointments: the
/// customer's number, the campaign, attributes of the list.
#[test]
fn whom_and_why_a_campaign_dialled() {
    let rows = told("outbound");
    let contact = rows.contact("i-1-o-3").contact.as_ref().unwrap();
    assert_eq!(contact.customer.as_deref(), Some("+4930557"));
    assert_eq!(contact.campaign.as_deref(), Some("spring"));
    let heard = rows.attribute("i-1-o-3", "aws:answering_machine_detection");
    assert_eq!(heard.as_deref(), Some("VOICEMAIL_BEEP"));
    let abroad = altered("outbound", "+4930557", "+33144");
    let contact = abroad.contact("i-1-o-3").contact.as_ref().unwrap();
    assert_eq!(contact.customer.as_deref(), Some("+33144"));
}
