//! Conversation details.

use super::{ONE, QUEUE_A, QUEUE_B, THREE, TWO, at, capture, contact, told};
use crate::fold::{self, only, parts};

const REAL_1: &str = "conversation-detail-1--conversation-model-to-sql-blueprint.json";
const REAL_2: &str = "conversation-detail-2--conversation-model-to-sql-blueprint.json";

#[test]
fn a_real_chat_with_a_hold_until_its_end() {
    let rows = told(&[REAL_1]);
    let c = only(&rows);
    let agent = "50fcd33c-f432-4726-abc9-979f3ca01555";
    assert_eq!(
        parts(c),
        [
            (
                "queue",
                "a623d83c-96d7-4baa-af1f-d46ad6700d8b",
                "answered",
                11_179
            ),
            ("talk", agent, "completed", 918_737),
            ("hold", agent, "hangup", 544_176),
        ]
    );
    let row = c.contact.as_ref().unwrap();
    assert_eq!(row.contact_id, "t1-1bc96a39-6725-40c4-9345-db72aa67b8c6");
    assert_eq!(
        (row.channel.as_str(), row.direction.as_deref()),
        ("chat", Some("inbound"))
    );
    assert_eq!(row.customer_name.as_deref(), Some("John Doe"));
    assert_eq!(
        row.queue.as_deref(),
        Some("a623d83c-96d7-4baa-af1f-d46ad6700d8b")
    );
    assert_eq!(
        (row.wait_ms, row.talk_ms, row.hold_ms),
        (Some(11_179), Some(918_737), Some(544_176))
    );
    // The platform counted no after-call work: that is not 0.
    assert_eq!(row.wrap_ms, None);
    assert_eq!(
        (row.ended_by.as_deref(), row.end_reason.as_deref()),
        (Some("system"), Some("timeout"))
    );
    assert_eq!(
        (row.state.as_str(), row.end_basis.as_deref()),
        ("closed", None)
    );
    assert_eq!(row.ended_at.unwrap().0, 1_617_281_003_306_000);
    assert!(
        row.attributes
            .as_deref()
            .unwrap()
            .contains("\"mediaStatsMinConversationMos\":\"4.882874965667725\"")
    );
    let offer = &c.offers[0];
    assert_eq!(
        (offer.outcome.as_deref(), offer.ring_ms, offer.queue_seq),
        (Some("accepted"), Some(11_050), Some(1))
    );
    let talk = &c.segments[1];
    assert_eq!(
        (talk.ring_ms, talk.hold_count, talk.parent_seq),
        (Some(11_050), Some(1), Some(1))
    );
    assert_eq!(
        (talk.mode.as_deref(), talk.ended_by.as_deref()),
        (Some("serve"), Some("customer"))
    );
    assert_eq!(talk.raw_outcome.as_deref(), Some("peer"));
}

#[test]
fn a_conversation_without_an_end_is_over_when_all_its_parts_are() {
    // Its days have one digit: 2021-04-2T15:30:51.418Z.
    let rows = told(&[REAL_2]);
    let c = only(&rows);
    let row = c.contact.as_ref().unwrap();
    assert_eq!(
        (row.state.as_str(), row.end_basis.as_deref()),
        ("closed", Some("computed"))
    );
    assert_eq!(row.ended_at.unwrap().0, 1_617_378_381_293_000);
    assert_eq!(
        (row.wait_ms, row.talk_ms, row.wrap_ms),
        (Some(6_384), Some(923_484), None)
    );
    // The same while a part goes on.
    let open = String::from_utf8(capture(REAL_2))
        .unwrap()
        .replace("\"segmentEnd\": \"2021-04-2T15:46:21.293Z\",", "");
    let rows = fold::told("genesys", &[open.as_bytes()]);
    assert_eq!(only(&rows).contact.as_ref().unwrap().state, "open");
}

#[test]
fn a_call_through_menu_two_queues_and_three_agents() {
    let rows = told(&["made-detail-voice-transfer.json"]);
    let c = contact(&rows, 1);
    assert_eq!(
        parts(c),
        [
            ("menu", "", "transferred", 19_000),
            ("queue", QUEUE_A, "answered", 40_250),
            ("talk", TWO, "transferred", 139_750),
            ("hold", TWO, "resumed", 30_000),
            ("queue", QUEUE_B, "answered", 30_000),
            ("wrapup", TWO, "completed", 12_000),
            ("talk", THREE, "completed", 160_000),
            ("wrapup", THREE, "completed", 10_500),
        ]
    );
    let s = &c.segments;
    assert_eq!(s[0].name.as_deref(), Some("Main menu"));
    assert_eq!(
        (s[2].target_kind.as_deref(), s[2].target.as_deref()),
        (Some("queue"), Some(QUEUE_B))
    );
    assert_eq!(
        (s[2].hold_ms, s[2].hold_count, s[2].ring_ms),
        (Some(30_000), Some(1), Some(10_250))
    );
    assert_eq!((s[6].hold_ms, s[6].hold_count), (Some(0), Some(0)));
    assert_eq!(s[5].reason.as_deref(), Some("wc-resolved"));
    assert_eq!(s[5].input.as_deref(), Some("asked for a manager"));
    assert_eq!(
        (
            s[2].parent_seq,
            s[3].parent_seq,
            s[5].parent_seq,
            s[6].parent_seq
        ),
        (Some(2), Some(3), Some(3), Some(5))
    );
    let offers: Vec<_> = c
        .offers
        .iter()
        .map(|o| {
            (
                o.agent.as_deref().unwrap(),
                o.outcome.as_deref().unwrap(),
                o.ring_ms.unwrap(),
                o.queue_seq.unwrap(),
            )
        })
        .collect();
    assert_eq!(
        offers,
        [
            (ONE, "no_answer", 20_000, 2),
            (TWO, "accepted", 10_250, 2),
            (THREE, "accepted", 10_000, 5)
        ]
    );
    assert_eq!(c.offers[0].raw_outcome.as_deref(), Some("noAnswerTransfer"));
    let row = c.contact.as_ref().unwrap();
    assert_eq!(
        (row.customer.as_deref(), row.dialled.as_deref()),
        (Some("+15550101"), Some("+15550200"))
    );
    assert_eq!(
        (row.channel.as_str(), row.transfers, row.ended_by.as_deref()),
        ("voice", 1, Some("customer"))
    );
    assert_eq!((row.started_at, row.ended_at), (at(0), at(400_500)));
    assert_eq!(row.queues, [QUEUE_A, QUEUE_B]);
    let attributes = row.attributes.as_deref().unwrap();
    assert!(
        attributes.contains("\"account\":\"4711\"") && attributes.contains("\"recorded\":\"true\"")
    );
    let link = &c.links[0];
    assert_eq!(
        (link.kind.as_str(), link.to_contact.as_str()),
        ("consult", "t1-c0000000-0000-4000-8000-000000000009")
    );
}

#[test]
fn a_survey_is_answers_of_its_own() {
    let rows = told(&["made-detail-voice-transfer.json"]);
    let nps = &rows.surveys["genesys/t1/sv-1/nps"][0];
    assert_eq!(
        (nps.kind.as_str(), nps.value, nps.scale_max),
        ("nps", Some(9.0), Some(10.0))
    );
    assert_eq!(
        (nps.status.as_deref(), nps.answered_at),
        (Some("answered"), at(4_000_000))
    );
    assert_eq!(
        (nps.queue.as_deref(), nps.agent.as_deref()),
        (Some(QUEUE_B), Some(THREE))
    );
    assert_eq!(
        nps.contact_id.as_deref(),
        Some("t1-c0000000-0000-4000-8000-000000000001")
    );
    let score = &rows.surveys["genesys/t1/sv-1/score"][0];
    assert_eq!((score.kind.as_str(), score.value), ("csat", Some(87.5)));
}

#[test]
fn who_leaves_the_queue_is_told_by_its_metrics() {
    let rows = told(&["made-details-query.json"]);
    let abandoned = contact(&rows, 2);
    assert_eq!(parts(abandoned), [("queue", QUEUE_A, "abandoned", 28_000)]);
    assert_eq!(
        abandoned.contact.as_ref().unwrap().customer.as_deref(),
        Some("+15550102")
    );
    let flowed = contact(&rows, 3);
    assert_eq!(
        parts(flowed),
        [
            ("queue", QUEUE_A, "voicemail", 60_000),
            ("voicemail", "", "left", 30_000)
        ]
    );
    assert_eq!(flowed.segments[0].raw_outcome.as_deref(), Some("TRANSFER"));
    // Without the metric of the flow-out nobody knows but by what came next, and without the
    // abandon metric the hang-up tells it still.
    let other = String::from_utf8(capture("made-details-query.json"))
        .unwrap()
        .replace("tAbandon", "tOther");
    let rows = fold::told("genesys", &[other.as_bytes()]);
    assert_eq!(parts(contact(&rows, 2))[0].2, "abandoned");
    let other = other.replace("\"peer\"", "\"error\"");
    let rows = fold::told("genesys", &[other.as_bytes()]);
    assert_eq!(parts(contact(&rows, 2))[0].2, "error");
}

#[test]
fn outbound_calls_callbacks_monitors_and_transfers_outside() {
    let rows = told(&["made-details-query.json"]);
    let out = contact(&rows, 4);
    assert_eq!(
        parts(out),
        [
            ("dial", ONE, "answered", 12_000),
            ("talk", ONE, "completed", 78_000),
            ("wrapup", ONE, "completed", 10_000)
        ]
    );
    let row = out.contact.as_ref().unwrap();
    assert_eq!(
        (row.direction.as_deref(), row.customer.as_deref()),
        (Some("outbound"), Some("+15550104"))
    );
    assert_eq!(
        (out.segments[1].mode.as_deref(), row.ended_by.as_deref()),
        (Some("outbound"), Some("agent"))
    );
    let callback = contact(&rows, 5);
    assert_eq!(callback.segments[0].kind, "callback");
    assert_eq!(callback.segments[0].target.as_deref(), Some("+15550105"));
    let monitor = &callback.segments[1];
    assert_eq!(
        (
            monitor.kind.as_str(),
            monitor.mode.as_deref(),
            monitor.agent.as_deref()
        ),
        ("monitor", Some("listen"), Some(THREE))
    );
    let message = contact(&rows, 6);
    assert_eq!(message.contact.as_ref().unwrap().channel, "whatsapp");
    let kinds: Vec<_> = parts(message).iter().map(|p| (p.0, p.2)).collect();
    assert_eq!(
        kinds,
        [
            ("queue", "answered"),
            ("talk", "transferred"),
            ("park", ""),
            ("dial", "answered"),
            ("wrapup", "skipped")
        ]
    );
    let talk = &message.segments[1];
    assert_eq!(
        (talk.target_kind.as_deref(), talk.target.as_deref()),
        (Some("external"), Some("+15550999"))
    );
}

#[test]
fn an_amended_record_wins_by_what_it_knows() {
    let early = String::from_utf8(capture("made-detail-voice-transfer.json")).unwrap();
    let late = early.replace("wc-sold", "wc-complaint").replace(
        "\"surveyCompletedDate\": \"2026-03-02T10:21:40.000Z\"",
        "\"surveyCompletedDate\": \"2026-03-03T10:21:40.000Z\"",
    );
    assert_ne!(early, late);
    let rows = fold::told("genesys", &[late.as_bytes(), early.as_bytes()]);
    assert_eq!(
        contact(&rows, 1).segments[7].reason.as_deref(),
        Some("wc-complaint")
    );
}

#[test]
fn new_words_and_changed_types_are_read_as_far_as_they_go() {
    let text = String::from_utf8(capture("made-detail-voice-transfer.json"))
        .unwrap()
        .replace("\"endpoint\"", "\"quantumCollapse\"")
        .replace("\"value\": 10250", "\"value\": \"10250\"")
        .replace("\"conference\": false", "\"conference\": \"maybe\"")
        .replace("\"mediaType\": \"voice\"", "\"mediaType\": \"hologram\"");
    let rows = fold::told("genesys", &[text.as_bytes()]);
    let c = contact(&rows, 1);
    let row = c.contact.as_ref().unwrap();
    assert_eq!(
        (
            row.channel.as_str(),
            row.ended_by.as_deref(),
            row.end_reason.as_deref()
        ),
        ("other", Some("unknown"), Some("quantumCollapse"))
    );
    assert_eq!(c.segments[2].ring_ms, Some(10_250));
    assert_eq!(c.segments.len(), 8);
}
