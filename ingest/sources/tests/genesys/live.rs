//! Events of EventBridge, frames of notification channels, users and recordings.

use super::{ONE, QUEUE_A, QUEUE_B, THREE, TWO, at, capture, contact, told};
use crate::fold::{self, only, parts};

#[test]
fn real_events_tell_start_and_end() {
    let rows = told(&[
        "eventbridge-conversation-start-event--event-streaming-blueprint.json",
        "eventbridge-conversation-end-event--event-streaming-blueprint.json",
    ]);
    let row = only(&rows).contact.as_ref().unwrap();
    assert_eq!(row.contact_id, "t1-2f7bf00a-0fc2-4d6a-9b56-92238191433e");
    assert_eq!(
        (row.channel.as_str(), row.direction.as_deref()),
        ("chat", Some("inbound"))
    );
    assert_eq!(row.started_at.unwrap().0, 1_649_237_444_949_000);
    assert_eq!(row.ended_at.unwrap().0, 1_649_237_504_949_000);
    assert_eq!(
        (row.state.as_str(), row.end_basis.as_deref()),
        ("closed", None)
    );
    assert!(
        row.attributes
            .as_deref()
            .unwrap()
            .contains("\"interactingDurationMs\":\"60000\"")
    );
}

#[test]
fn an_event_of_another_topic_is_kept_and_changes_no_row() {
    let body = capture("eventbridge-non-conversation-event--event-streaming-blueprint.json");
    let (records, dead) = fold::split("genesys", "t1", &body);
    assert_eq!((records.len(), dead.len()), (1, 0));
    assert!(fold::fold(&records).contacts.is_empty());
    let rows = told(&["queue-observations--developercenter-tutorials.json"]);
    assert_eq!(rows, fold::Rows::default());
}

#[test]
fn detail_events_tell_a_call_live() {
    let rows = told(&["made-events-eventbridge.ndjson"]);
    let c = contact(&rows, 7);
    assert_eq!(
        parts(c),
        [
            ("menu", "", "transferred", 19_000),
            ("queue", QUEUE_A, "transferred", 30_000),
            ("queue", QUEUE_B, "answered", 20_000),
            ("talk", TWO, "completed", 100_000),
            ("wrapup", TWO, "completed", 15_500),
        ]
    );
    assert_eq!(c.segments[1].raw_outcome.as_deref(), Some("FLOW_OUT"));
    assert_eq!(c.segments[2].raw_outcome.as_deref(), Some("ANSWERED"));
    assert_eq!(c.segments[4].start_basis.as_deref(), Some("computed"));
    assert_eq!(c.segments[3].parent_seq, Some(3));
    let row = c.contact.as_ref().unwrap();
    assert_eq!(
        (row.started_at, row.ended_at),
        (at(2_000_000), at(2_170_000))
    );
    assert_eq!(
        (row.ended_by.as_deref(), row.customer.as_deref()),
        (Some("customer"), Some("+15550107"))
    );
    assert!(
        row.attributes
            .as_deref()
            .unwrap()
            .contains("\"ticket\":\"T-9\"")
    );
    // No event tells of holds.
    assert_eq!(c.segments[3].hold_ms, None);
}

#[test]
fn while_the_customer_is_there_the_contact_is_open() {
    let all = String::from_utf8(capture("made-events-eventbridge.ndjson")).unwrap();
    let first: String = all.lines().take(5).map(|l| format!("{l}\n")).collect();
    let rows = fold::told("genesys", &[first.as_bytes()]);
    let c = contact(&rows, 7);
    assert_eq!(c.contact.as_ref().unwrap().state, "open");
    // What came next is not known yet.
    assert_eq!(c.segments[1].outcome.as_deref(), Some("transferred"));
}

#[test]
fn frames_of_a_queue_tell_offers_holds_and_wrap_up() {
    let rows = told(&["made-frames.ndjson"]);
    let c = contact(&rows, 8);
    assert_eq!(
        parts(c),
        [
            ("queue", QUEUE_A, "answered", 19_000),
            ("talk", ONE, "completed", 80_000),
            ("hold", ONE, "resumed", 49_900),
            ("wrapup", ONE, "completed", 10_000),
        ]
    );
    // No frame says when the hold ended.
    assert_eq!(c.segments[2].end_basis.as_deref(), Some("parent"));
    let offers: Vec<_> = c
        .offers
        .iter()
        .map(|o| {
            (
                o.agent.as_deref().unwrap(),
                o.outcome.as_deref().unwrap(),
                o.ring_ms,
            )
        })
        .collect();
    assert_eq!(
        offers,
        [
            (THREE, "declined", Some(10_000)),
            (ONE, "accepted", Some(6_000))
        ]
    );
    let row = c.contact.as_ref().unwrap();
    assert_eq!(
        (row.customer_name.as_deref(), row.customer.as_deref()),
        (Some("Bob Example"), Some("+15550108"))
    );
    let rec = &rows.recordings["genesys/t1/f-a"];
    assert_eq!(
        (rec.contact_id.as_str(), rec.started_at),
        ("t1-c0000000-0000-4000-8000-000000000008", at(3_020_000))
    );
}

#[test]
fn the_record_and_the_frames_of_one_call_tell_one_hold() {
    let rows = told(&["made-frames.ndjson", "made-detail-of-frames.json"]);
    let c = contact(&rows, 8);
    let holds: Vec<_> = c.segments.iter().filter(|s| s.kind == "hold").collect();
    assert_eq!(holds.len(), 1, "{holds:?}");
    assert_eq!(
        (holds[0].started_at, holds[0].ended_at),
        (at(3_050_020), at(3_070_000))
    );
    assert_eq!(c.segments.iter().filter(|s| s.kind == "talk").count(), 1);
    assert_eq!(c.contact.as_ref().unwrap().hold_ms, Some(19_980));
    // Moved by five seconds it is another hold.
    let moved = String::from_utf8(capture("made-detail-of-frames.json"))
        .unwrap()
        .replace("10:05:50.020Z", "10:05:45.020Z");
    let rows = fold::told(
        "genesys",
        &[&capture("made-frames.ndjson"), moved.as_bytes()],
    );
    let holds = contact(&rows, 8)
        .segments
        .iter()
        .filter(|s| s.kind == "hold")
        .count();
    assert_eq!(holds, 2);
}

#[test]
fn a_recording_is_ready_when_its_metadata_says_so() {
    let rows = told(&["made-frames.ndjson", "made-recordings.json"]);
    let rec = &rows.recordings["genesys/t1/f-a"];
    assert_eq!(
        (rec.state.as_str(), rec.duration_ms, rec.bytes),
        ("ready", Some(80_000), Some(640_044))
    );
    assert_eq!(
        (rec.agent.as_deref(), rec.ended_at),
        (Some(ONE), at(3_100_000))
    );
    assert_eq!(rows.recordings["genesys/t1/r-2"].state, "deleted");
}

#[test]
fn presence_and_routing_status_are_tracks_of_the_agent() {
    let rows = told(&["made-frames.ndjson", "made-users-details.json"]);
    let of = |agent: &str, track: &str| {
        rows.agents[agent]
            .iter()
            .filter(|s| s.track == track && s.end_basis.as_deref() != Some("midnight"))
            .map(|s| {
                (
                    s.state.clone(),
                    s.native_state.clone().unwrap_or_default(),
                    s.reason.clone(),
                    Some(s.started_at),
                    s.ended_at,
                )
            })
            .collect::<Vec<_>>()
    };
    let state = |s: &str, n: &str, r: Option<&str>, from: i64, to: i64| {
        (
            s.to_owned(),
            n.to_owned(),
            r.map(str::to_owned),
            at(from),
            at(to),
        )
    };
    assert_eq!(
        of(ONE, "presence"),
        [
            state("available", "On Queue", None, -600_000, 4_000_000),
            state("paused", "MEAL", Some("MEAL"), 4_000_000, 5_800_000),
        ]
    );
    assert_eq!(
        of(ONE, "membership"),
        [state("member", "joined true", None, -600_000, 5_800_000)]
    );
    let member = rows.agents[ONE]
        .iter()
        .find(|s| s.track == "membership")
        .unwrap();
    assert_eq!(member.queue.as_deref(), Some(QUEUE_A));
    assert_eq!(
        of(TWO, "presence"),
        [
            state("paused", "AVAILABLE", Some("AVAILABLE"), -900_000, 0),
            state("available", "ON_QUEUE", None, 0, 3_600_000),
        ]
    );
    assert_eq!(
        of(TWO, "pause")[1],
        state(
            "paused",
            "NOT_RESPONDING",
            Some("NOT_RESPONDING"),
            100_000,
            160_000
        )
    );
    assert_eq!(of(TWO, "device")[1].0, "missed");
}
