//! Events of TaskRouter.

use super::{at, capture, of, told};
use crate::fold::{self, only, parts};

#[test]
fn the_real_event_list_tells_an_offer_and_activities() {
    let rows = told(&["taskrouter-events-list--api-snippets.json"]);
    let c = only(&rows);
    assert_eq!(
        c.contact.as_ref().unwrap().contact_id,
        "t1-WTd480a09f869b59812e7690af3e7cf23c"
    );
    let offer = &c.offers[0];
    assert_eq!(
        (offer.agent.as_deref(), offer.queue.as_deref()),
        (Some("Cases Worker"), Some("Everyone"))
    );
    assert_eq!(offer.offered_at.unwrap().0, 1_438_385_793_000_000);
    // Two changes of one second: the one that followed a state of no time came later.
    let states: Vec<_> = rows.agents["Cases Worker"]
        .iter()
        .map(|s| (s.native_state.as_deref().unwrap(), s.state.as_str()))
        .collect();
    assert_eq!(
        states[..2],
        [("Ready", "available"), ("Reserved", "reserved")]
    );
}

#[test]
fn a_call_through_two_queues_with_a_missed_offer_and_a_cold_transfer() {
    let rows = told(&["made-taskrouter.txt"]);
    let c = of(&rows, "WT1");
    assert_eq!(
        parts(c),
        [
            ("queue", "Support", "answered", 25_000),
            ("talk", "bob", "transferred", 75_000),
            ("queue", "Sales", "answered", 10_000),
            ("wrapup", "bob", "completed", 12_000),
            ("talk", "carol", "completed", 90_000),
            ("wrapup", "carol", "completed", 15_000),
        ]
    );
    let s = &c.segments;
    assert_eq!(
        (s[1].target_kind.as_deref(), s[1].target.as_deref()),
        (Some("queue"), Some("WQSales"))
    );
    assert_eq!(s[1].raw_outcome.as_deref(), Some("COLD"));
    assert_eq!(
        (s[1].parent_seq, s[3].parent_seq, s[4].parent_seq),
        (Some(1), Some(2), Some(3))
    );
    assert_eq!(
        (s[3].queue.as_deref(), s[5].queue.as_deref()),
        (Some("Support"), Some("Sales"))
    );
    assert_eq!(s[5].reason.as_deref(), Some("sold"));
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
            ("alice", "no_answer", 15_000, 1),
            ("bob", "accepted", 7_000, 1),
            ("carol", "accepted", 7_000, 3)
        ]
    );
    assert_eq!(
        c.offers[0].raw_outcome.as_deref(),
        Some("reservation.timeout")
    );
    let row = c.contact.as_ref().unwrap();
    assert_eq!(
        (row.channel.as_str(), row.direction.as_deref()),
        ("voice", Some("inbound"))
    );
    assert_eq!(
        (
            row.customer.as_deref(),
            row.customer_name.as_deref(),
            row.dialled.as_deref()
        ),
        (Some("+15550101"), Some("Ann Ö"), Some("+15550200"))
    );
    assert_eq!(
        (row.started_at, row.ended_at, row.end_reason.as_deref()),
        (at(0), at(215), Some("resolved"))
    );
    assert_eq!(
        (row.wait_ms, row.talk_ms, row.wrap_ms, row.transfers),
        (Some(35_000), Some(165_000), Some(27_000), 1)
    );
    assert!(
        row.attributes
            .as_deref()
            .unwrap()
            .contains("\"account\":\"4711\"")
    );
    assert_eq!(row.hold_ms, None, "no conference was told");
}

#[test]
fn without_the_transfer_the_talk_was_completed() {
    let text = String::from_utf8(capture("made-taskrouter.txt")).unwrap();
    let less: String = text
        .lines()
        .filter(|l| !l.contains("task.transfer-"))
        .map(|l| format!("{l}\n"))
        .collect();
    let rows = fold::told("twilio", &[less.as_bytes()]);
    let talk = &of(&rows, "WT1").segments[1];
    assert_eq!(
        (talk.outcome.as_deref(), talk.target.as_deref()),
        (Some("completed"), None)
    );
}

#[test]
fn a_caller_who_hangs_up_abandons() {
    let rows = told(&["made-taskrouter.txt"]);
    let c = of(&rows, "WT2");
    assert_eq!(parts(c), [("queue", "Support", "abandoned", 30_000)]);
    assert_eq!(c.segments[0].raw_outcome.as_deref(), Some("hangup"));
    let offers: Vec<_> = c
        .offers
        .iter()
        .map(|o| (o.outcome.as_deref().unwrap(), o.ring_ms.unwrap()))
        .collect();
    assert_eq!(offers, [("declined", 4_000), ("caller_left", 10_000)]);
    let row = c.contact.as_ref().unwrap();
    assert_eq!(
        (
            row.ended_by.as_deref(),
            row.end_reason.as_deref(),
            row.state.as_str()
        ),
        (Some("customer"), Some("hangup"), "closed")
    );
}

#[test]
fn time_outs_of_queue_and_workflow() {
    let rows = told(&["made-taskrouter.txt"]);
    let c = of(&rows, "WT3");
    assert_eq!(
        parts(c),
        [
            ("queue", "Support", "timeout", 30_000),
            ("queue", "Overflow", "timeout", 30_000)
        ]
    );
    assert_eq!(
        c.segments[0].raw_outcome.as_deref(),
        Some("task-queue.timeout")
    );
    assert_eq!(
        c.segments[1].raw_outcome.as_deref(),
        Some("workflow.timeout")
    );
    assert_eq!(c.offers[0].outcome.as_deref(), Some("taken_elsewhere"));
}

#[test]
fn a_chat_by_event_streams() {
    let rows = told(&["made-event-streams.json"]);
    let c = only(&rows);
    assert_eq!(
        parts(c),
        [
            ("queue", "Chat", "answered", 10_000),
            ("talk", "carol", "completed", 70_000),
            ("wrapup", "carol", "completed", 20_000)
        ]
    );
    let row = c.contact.as_ref().unwrap();
    assert_eq!(
        (row.channel.as_str(), row.customer.as_deref()),
        ("whatsapp", Some("whatsapp:+15550107"))
    );
    // Streams tell milliseconds.
    assert_eq!(row.started_at.unwrap().0 % 1_000_000, 250_000);
    assert_eq!(rows.agents["carol"][0].state, "available");
}

#[test]
fn activities_are_presence() {
    let rows = told(&["made-taskrouter.txt"]);
    let alice: Vec<_> = rows.agents["alice"]
        .iter()
        .map(|s| {
            (
                s.state.as_str(),
                s.native_state.as_deref().unwrap(),
                s.reason.as_deref(),
                Some(s.started_at),
                s.ended_at,
            )
        })
        .collect();
    assert_eq!(
        alice,
        [
            ("offline", "Offline", None, at(-700), at(-600)),
            ("available", "Available", None, at(-600), at(600)),
            (
                "paused",
                "Lunch Break",
                Some("Lunch Break"),
                at(600),
                at(900)
            ),
        ]
    );
}
