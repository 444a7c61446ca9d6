//! FreeSWITCH: what its captures say, cell by cell.

use callboard_model::rows::ContactRows;
use callboard_model::tables::Instant;

use crate::fold::{self, parts};

/// 2026-03-02T09:15:00Z, to which the times of the made captures are counted.
const T: i64 = 1_772_442_900;

/// So many milliseconds after it.
fn at(ms: i64) -> Option<Instant> {
    Some(Instant(T * 1_000_000 + ms * 1_000))
}

fn capture(name: &str) -> Vec<u8> {
    fold::capture("freeswitch", name)
}

fn told(names: &[&str]) -> fold::Rows {
    let bodies: Vec<Vec<u8>> = names.iter().map(|n| capture(n)).collect();
    let bodies: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
    fold::told("freeswitch", &bodies)
}

/// The contact that has this channel.
fn of<'r>(rows: &'r fold::Rows, channel: &str) -> &'r ContactRows {
    let named = |c: &&ContactRows| {
        c.contact.as_ref().unwrap().contact_id == format!("t1-{channel}")
            || c.aliases.iter().any(|a| a.native == channel)
    };
    rows.contacts.values().find(named).unwrap()
}

#[test]
fn a_call_rings_three_agents_and_is_answered_by_one() {
    let rows = told(&["made-callcenter-events.txt"]);
    let c = of(&rows, "s1");
    assert_eq!(
        parts(c),
        [
            ("queue", "support@default", "answered", 9_500),
            ("talk", "bob@default", "completed", 110_250),
            ("hold", "bob@default", "resumed", 15_500),
        ]
    );
    let offers: Vec<_> = c
        .offers
        .iter()
        .map(|o| {
            (
                o.agent.as_deref().unwrap(),
                o.outcome.as_deref().unwrap(),
                o.ring_ms.unwrap(),
                o.raw_outcome.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        offers,
        [
            (
                "alice@default",
                "taken_elsewhere",
                7_900,
                Some("ORIGINATOR_CANCEL")
            ),
            ("bob@default", "accepted", 7_650, None),
            ("dave@default", "busy", 2_800, Some("USER_BUSY")),
        ]
    );
    let s = &c.segments;
    assert_eq!(
        (s[1].ring_ms, s[1].hold_ms, s[1].hold_count),
        (Some(7_000), Some(15_500), Some(1))
    );
    assert_eq!(
        (s[1].parent_seq, s[2].parent_seq, c.offers[0].queue_seq),
        (Some(1), Some(2), Some(1))
    );
    assert_eq!(s[1].raw_outcome.as_deref(), Some("NORMAL_CLEARING"));
    let row = c.contact.as_ref().unwrap();
    assert_eq!(
        (
            row.customer.as_deref(),
            row.customer_name.as_deref(),
            row.dialled.as_deref()
        ),
        (Some("5550101"), Some("Ann Ö"), Some("5550200"))
    );
    assert_eq!(
        (row.started_at, row.ended_at, row.end_basis.as_deref()),
        (at(250), at(120_500), None)
    );
    assert_eq!(
        (
            row.channel.as_str(),
            row.direction.as_deref(),
            row.source.as_str()
        ),
        ("voice", Some("inbound"), "/freeswitch/t1")
    );
    // There is no wrap-up at all.
    assert_eq!(row.wrap_ms, None);
}

#[test]
fn without_the_winners_answer_a_lost_ring_means_that_the_caller_left() {
    let text = String::from_utf8(capture("made-callcenter-events.txt")).unwrap();
    let less: String = text
        .split("\n\n")
        .filter(|b| {
            !(b.contains("CC-Member-UUID: m1")
                && (b.contains("bridge-agent-start")
                    || b.contains("bridge-agent-end")
                    || b.contains("member-queue-end")))
        })
        .map(|b| format!("{b}\n\n"))
        .collect();
    let rows = fold::told("freeswitch", &[less.as_bytes()]);
    assert_eq!(
        of(&rows, "s1").offers[0].outcome.as_deref(),
        Some("caller_left")
    );
}

#[test]
fn every_reason_to_leave_a_queue() {
    let rows = told(&["made-callcenter-events.txt"]);
    let outcome = |channel: &str| {
        let c = of(&rows, channel);
        assert_eq!(c.segments.len(), 1);
        let s = &c.segments[0];
        (
            s.outcome.clone().unwrap(),
            s.raw_outcome.clone().unwrap(),
            s.duration_ms.unwrap(),
        )
    };
    let expected = [
        ("abandoned", "NONE"),
        ("abandoned", "BREAK_OUT"),
        ("timeout", "TIMEOUT"),
        ("no_agents", "NO_AGENT_TIMEOUT"),
        ("key_exit", "EXIT_WITH_KEY"),
    ];
    for (n, (word, raw)) in expected.into_iter().enumerate() {
        assert_eq!(
            outcome(&format!("cs{n}")),
            (word.to_owned(), raw.to_owned(), 7_000)
        );
    }
    assert_eq!(
        of(&rows, "cs0")
            .contact
            .as_ref()
            .unwrap()
            .ended_by
            .as_deref(),
        Some("customer")
    );
    assert_eq!(
        of(&rows, "cs2")
            .contact
            .as_ref()
            .unwrap()
            .end_basis
            .as_deref(),
        Some("computed")
    );
}

#[test]
fn a_caller_who_comes_back_is_in_the_queue_twice() {
    let rows = told(&["made-callcenter-events.txt"]);
    let c = of(&rows, "s2");
    assert_eq!(
        parts(c),
        [
            ("queue", "support@default", "abandoned", 20_000),
            ("queue", "support@default", "timeout", 20_000)
        ]
    );
    assert_eq!(c.segments[1].reason.as_deref(), Some("resumed"));
    let offers: Vec<_> = c
        .offers
        .iter()
        .map(|o| (o.outcome.as_deref().unwrap(), o.ring_ms.unwrap()))
        .collect();
    assert_eq!(offers, [("no_answer", 8_000), ("caller_left", 8_000)]);
}

#[test]
fn an_end_alone_still_tells_the_talk_and_the_wait() {
    let rows = told(&["made-events.ndjson"]);
    let c = of(&rows, "s3");
    assert_eq!(
        parts(c),
        [
            ("queue", "sales@default", "answered", 15_000),
            ("talk", "carol@default", "transferred", 25_000)
        ]
    );
    // A channel of which no queue tells is no contact.
    assert_eq!(rows.contacts.len(), 1);
}

#[test]
fn status_and_state_of_agents() {
    let rows = told(&["made-events.ndjson"]);
    let of = |track: &str| {
        rows.agents["alice@default"]
            .iter()
            .filter(|s| s.track == track)
            .map(|s| {
                (
                    s.state.as_str(),
                    s.native_state.as_deref().unwrap(),
                    Some(s.started_at),
                    s.ended_at,
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of("presence"),
        [
            ("available", "Available", at(-600_000), at(600_000)),
            ("paused", "On Break", at(600_000), at(700_000)),
            (
                "available",
                "Available (On Demand)",
                at(700_000),
                at(900_000)
            ),
        ]
    );
    assert_eq!(
        of("device")[1],
        ("reserved", "Receiving", at(2_000), at(10_000))
    );
    assert_eq!(of("pause")[1], ("paused", "Idle", at(800_000), at(900_000)));
    assert!(!rows.agents.contains_key("zed@default"));
}

#[test]
fn a_new_core_ends_what_was_open() {
    let rows = told(&["made-restart.ndjson"]);
    let restarts = &rows.restarts["/freeswitch/t1"];
    assert_eq!(restarts.len(), 2, "{restarts:?}");
    let c = of(&rows, "s4");
    assert_eq!(c.contact.as_ref().unwrap().state, "closed");
    assert_eq!(
        (
            c.segments[0].outcome.as_deref(),
            c.segments[0].end_basis.as_deref()
        ),
        (Some("unknown"), Some("restart"))
    );
}

#[test]
fn call_records_tell_the_frame_and_what_no_event_told() {
    let rows = told(&["made-callcenter-events.txt", "made-cdr.json"]);
    let c = of(&rows, "s1");
    let row = c.contact.as_ref().unwrap();
    assert_eq!(
        (row.started_at, row.ended_at, row.ended_by.as_deref()),
        (at(-2_000), at(120_400), Some("customer"))
    );
    // The events were there: the record's whole seconds change neither stay nor talk.
    assert_eq!(parts(c).len(), 3);
    assert_eq!(parts(c)[1], ("talk", "bob@default", "completed", 110_250));
    let c = of(&rows, "s5");
    assert_eq!(
        parts(c),
        [
            ("queue", "sales@default", "answered", 18_000),
            ("talk", "carol@default", "completed", 60_000)
        ]
    );
    assert_eq!(
        c.contact.as_ref().unwrap().ended_by.as_deref(),
        Some("agent")
    );
    assert_eq!(
        parts(of(&rows, "s6")),
        [("queue", "sales@default", "abandoned", 38_000)]
    );
    // A call that did not come in is none.
    assert!(!rows.contacts.contains_key("t1-i-1"));
}

#[test]
fn a_call_out_is_told_by_the_records_of_its_two_legs() {
    let rows = told(&["made-cdr-out.json"]);
    let c = of(&rows, "o1-a");
    assert_eq!(
        parts(c),
        [
            ("dial", "bob@default", "answered", 6_250),
            ("talk", "bob@default", "completed", 93_500)
        ]
    );
    let row = c.contact.as_ref().unwrap();
    assert_eq!(
        (
            row.direction.as_deref(),
            row.customer.as_deref(),
            row.ended_by.as_deref(),
            row.agent.as_deref()
        ),
        (
            Some("outbound"),
            Some("+15550301"),
            Some("customer"),
            Some("bob@default")
        )
    );
    assert_eq!(c.segments[0].target.as_deref(), Some("+15550301"));
    let c = of(&rows, "o2-a");
    assert_eq!(parts(c), [("dial", "bob@default", "busy", 4_000)]);
    // The server called the customer first and then the user who was to speak with him.
    let c = of(&rows, "o3-a");
    assert_eq!(
        parts(c),
        [
            ("dial", "carol@default", "answered", 10_000),
            ("talk", "carol@default", "completed", 50_000)
        ]
    );
    // Two users, and nobody from outside.
    assert_eq!(rows.contacts.len(), 3);
}

#[test]
fn recordings_by_their_file() {
    let rows = told(&["made-callcenter-events.txt"]);
    let rec = &rows.recordings["freeswitch/t1//var/rec/s1 a.wav"];
    assert_eq!(
        (rec.state.as_str(), rec.duration_ms, rec.contact_id.as_str()),
        ("ready", Some(110_200), "t1-s1")
    );
    assert_eq!((rec.started_at, rec.ended_at), (at(10_000), at(120_200)));
    assert_eq!(
        (rec.agent.as_deref(), rec.queue.as_deref()),
        (Some("bob@default"), Some("support@default"))
    );
}

#[test]
fn any_order_and_repeats_give_the_same_rows() {
    let all: Vec<Vec<u8>> = fold::captures("freeswitch")
        .into_iter()
        .map(|(_, b)| b)
        .collect();
    let bodies: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
    let records = fold::records("freeswitch", "t1", &bodies);
    assert!(records.len() > 50, "{}", records.len());
    fold::stands_any_order(&records);
}

#[test]
fn damage_never_panics() {
    fold::stands_damage("freeswitch", 4_000);
}

#[test]
fn what_is_no_event_is_a_dead_letter_of_its_own() {
    let body = b"Event-Name: HEARTBEAT\nEvent-Date-Timestamp: 1\n\nhello\nworld: 1\n\n\xff: 2\n\n{\"a\":1}\n\n[[1]]\n\nContent-Type: command/reply\n";
    let (records, dead) = fold::split("freeswitch", "t1", body);
    let classes: Vec<&str> = dead.iter().map(|d| d.class).collect();
    assert_eq!(
        classes,
        [
            "unknown_document",
            "invalid_utf8",
            "unknown_document",
            "not_object"
        ]
    );
    let refusal = callboard_model::record::Interpreter::route(
        &callboard_sources::registry::Registry,
        &records[0],
    );
    assert_eq!(refusal.unwrap_err().class, "no_time");
}

#[test]
fn two_servers_with_equal_ids_never_meet() {
    let text = String::from_utf8(capture("made-callcenter-events.txt")).unwrap();
    let other = text.replace("Switchname: fs1", "Switchname: fs2");
    let (mut both, _) = fold::split("freeswitch", "", text.as_bytes());
    assert_eq!(&*both[0].source, "/freeswitch/fs1/event");
    assert_eq!(both[0].stamp.sequence, 101);
    let alone = fold::fold(&both).contacts.len();
    both.extend(fold::split("freeswitch", "", other.as_bytes()).0);
    assert_eq!(fold::fold(&both).contacts.len(), 2 * alone);
}
