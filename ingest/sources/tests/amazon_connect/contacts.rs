//! A call from the first sign to the last, told by events, by records, by both; transfers.

use callboard_model::tables::Instant;
use serde_json::Value;

use super::fold::{T, altered, at, made_all, parts, rows, told};

const C: &str = "i-1-c-1";
const ALL: [&str; 3] = ["inbound-events", "inbound-records", "inbound-agents"];

/// Section 0: Inbound PSTN voice; queued, routed when agent turns Available.
#[test]
fn an_inbound_call_is_told_by_events_records_and_the_agent_stream() {
    let rows = rows(&made_all(&ALL));
    let contact = rows.contact(C).contact.as_ref().unwrap();
    assert_eq!(contact.source, "/amazon-connect/i-1");
    assert_eq!(contact.channel, "voice");
    assert_eq!(contact.direction.as_deref(), Some("inbound"));
    assert_eq!(contact.customer.as_deref(), Some("+491701234567"));
    assert_eq!(contact.dialled.as_deref(), Some("+498912345"));
    assert_eq!(contact.language.as_deref(), Some("de-DE"));
    assert_eq!(contact.started_at, Some(Instant(at(10.411))));
    assert_eq!(contact.ended_at, Some(Instant(at(300.3))));
    assert_eq!(contact.ended_by.as_deref(), Some("customer"));
    assert_eq!(contact.end_reason.as_deref(), Some("CUSTOMER_DISCONNECT"));
    assert_eq!((&*contact.state, &contact.end_basis), ("closed", &None));
    assert_eq!(contact.queues, ["q-care", "q-sales"]);
    assert_eq!(contact.agents, ["a-1", "a-2"]);
    assert_eq!(contact.outcome.as_deref(), Some("answered"));
    assert_eq!(contact.transfers, 1);
    assert_eq!(contact.wait_ms, Some(29_820 + 14_600));
    assert_eq!(contact.talk_ms, Some(135_230 + 84_800));
    assert_eq!(contact.hold_ms, Some(14_300));
    assert_eq!(contact.wrap_ms, Some(35_500 + 30_000));
    assert_eq!(
        rows.parts(C),
        parts(&[
            ("menu", "selected", 10.411, 40.2),
            ("queue", "answered", 40.2, 70.02),
            ("talk", "transferred", 70.02, 205.25),
            ("hold", "resumed", 100.0, 114.3),
            ("menu", "selected", 200.1, 200.9),
            ("queue", "answered", 200.9, 215.5),
            ("wrapup", "completed", 205.25, 240.75),
            ("talk", "completed", 215.5, 300.3),
            ("wrapup", "completed", 300.3, 330.0),
        ])
    );
    let talk = rows.segment(C, "c-1/talk");
    assert_eq!(talk.agent.as_deref(), Some("a-1"));
    assert_eq!(talk.mode.as_deref(), Some("serve"));
    assert_eq!(talk.target_kind.as_deref(), Some("queue"));
    assert_eq!(talk.target.as_deref(), Some("q-sales"));
    assert_eq!(talk.raw_outcome.as_deref(), Some("AGENT_DISCONNECT"));
    assert_eq!((talk.hold_ms, talk.hold_count), (Some(14_300), Some(1)));
    let queue = rows.segment(C, "c-1/queue");
    assert_eq!(talk.parent_seq, Some(queue.seq));
    // Offers: one missed, one taken (AgentConnectionAttempts says two).
    let offers: Vec<_> = rows
        .offers(C)
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
            ("a-3", "no_answer", Some(20_100)),
            ("a-1", "accepted", Some(8_020))
        ]
    );
    assert_eq!(rows.offers(C)[0].queue_seq, Some(queue.seq));
    assert_eq!(rows.offers(C)[0].raw_outcome.as_deref(), Some("MISSED"));
    assert_eq!(rows.attribute(C, "aws:offers").as_deref(), Some("2"));
    // The leg of the second agent is another name of the same contact.
    let names: Vec<_> = rows.contact(C).aliases.iter().map(|a| &*a.native).collect();
    assert_eq!(names, ["c-1", "c-2", "i-1-c-2"]);
}

#[test]
fn an_altered_capture_changes_the_rows() {
    let other = altered(
        "inbound-events",
        "2026-03-02T09:00:40.200Z",
        "2026-03-02T09:00:30.200Z",
    );
    assert_eq!(
        other.parts(C)[1],
        parts(&[("queue", "answered", 30.2, 70.02)])[0]
    );
    let other = altered(
        "inbound-records",
        "\"CustomerHoldDuration\":14",
        "\"CustomerHoldDuration\":9",
    );
    assert_eq!(other.segment(C, "c-1/talk").hold_ms, Some(9_000));
    let other = altered("inbound-agents", "MISSED", "REJECTED");
    assert_eq!(other.offers(C)[0].outcome.as_deref(), Some("declined"));
}

#[test]
fn events_alone_tell_the_call_while_it_lasts() {
    let events = made_all(&["inbound-events"]);
    let queued = rows(&events[..2]);
    let contact = queued.contact(C).contact.as_ref().unwrap();
    assert_eq!(contact.state, "open");
    let stay = queued.segment(C, "c-1/queue");
    assert_eq!(
        (&*stay.state, stay.started_at),
        ("open", Some(Instant(at(40.2))))
    );
    assert_eq!(stay.outcome, None);
    // The second leg goes on after the first was disconnected: the contact is open still.
    let second = rows(&events[..7]);
    assert_eq!(second.contact(C).contact.as_ref().unwrap().state, "open");
    assert_eq!(second.segment(C, "c-2/talk").state, "open");
    assert_eq!(
        second.segment(C, "c-1/talk").outcome.as_deref(),
        Some("transferred")
    );
    let all = rows(&events);
    assert_eq!(all.contact(C).contact.as_ref().unwrap().state, "closed");
}

#[test]
fn records_alone_tell_it_in_whole_seconds_and_their_own_durations() {
    let rows = told("inbound-records");
    let contact = rows.contact(C).contact.as_ref().unwrap();
    assert_eq!(contact.wait_ms, Some(45_000));
    assert_eq!(contact.talk_ms, Some((121 + 14 + 85) * 1_000));
    assert_eq!(contact.hold_ms, Some(14_000));
    assert_eq!(contact.wrap_ms, Some(65_000));
    assert!(
        rows.offers(C).is_empty(),
        "a record does not say who else was offered it"
    );
}

/// D8 and the page: a record is sent again whole, days later; attribute names differ by case only.
#[test]
fn an_amended_record_replaces_the_former() {
    let rows = told("inbound-records");
    assert_eq!(rows.attribute(C, "callReason").as_deref(), Some("invoice"));
    assert_eq!(rows.attribute(C, "GreetingPlayed").as_deref(), Some("a"));
    assert_eq!(rows.attribute(C, "greetingPlayed").as_deref(), Some("b"));
    assert_eq!(rows.attribute(C, "tag:lob").as_deref(), Some("retail"));
    let ids: Vec<_> = rows.recordings.keys().map(String::as_str).collect();
    assert_eq!(ids, ["i-1-c-1/both", "i-1-c-1/ivr"]);
    let both = rows.recordings["i-1-c-1/both"].recording.as_ref().unwrap();
    assert_eq!(both.contact_id, C);
    assert_eq!(
        (&*both.state, both.agent.as_deref()),
        ("absent", Some("a-1"))
    );
    assert_eq!(both.started_at, Some(Instant(at(70.0))));
    let why = both.reason.as_deref().unwrap();
    assert!(why.contains("bucket/connect/x/CallRecordings"), "{why}");
    let deleted = altered("inbound-records", "\"AVAILABLE\"", "\"DELETED\"");
    let both = deleted.recordings["i-1-c-1/both"]
        .recording
        .as_ref()
        .unwrap();
    assert_eq!(both.state, "deleted");
}

#[test]
fn what_a_later_record_withdraws_is_gone() {
    let rows = told("withdrawn");
    let contact = rows.contact("i-1-w-1").contact.as_ref().unwrap();
    assert_eq!(contact.customer, None);
    assert_eq!(rows.attribute("i-1-w-1", "name"), None);
    let kept = altered("withdrawn", "2026-04-02T00:00:00Z", "2026-01-02T00:00:00Z");
    let contact = kept.contact("i-1-w-1").contact.as_ref().unwrap();
    assert_eq!(contact.customer.as_deref(), Some("+4930888"));
}

/// Page 3.4: an agent's transfer to a number outside; D9: his talk ends where it was completed.
#[test]
fn a_transfer_to_somebody_outside_ends_the_agents_talk() {
    let rows = told("external-transfer");
    assert_eq!(
        rows.parts("i-1-x-1"),
        parts(&[
            ("menu", "selected", 0.0, 10.0),
            ("queue", "answered", 10.0, 40.0),
            ("talk", "transferred", 40.0, 160.0),
            ("dial", "answered", 140.0, 150.0),
            ("wrapup", "completed", 160.0, 190.0),
        ])
    );
    let talk = rows.segment("i-1-x-1", "x-1/talk");
    assert_eq!(talk.target_kind.as_deref(), Some("external"));
    assert_eq!(talk.target.as_deref(), Some("+4989888"));
    let contact = rows.contact("i-1-x-1").contact.as_ref().unwrap();
    assert_eq!((contact.talk_ms, contact.transfers), (Some(120_000), 1));
    assert_eq!(contact.ended_at, Some(Instant(at(1300.0))));
}

#[test]
fn a_colleague_is_asked_or_joins() {
    let asked = told("consult");
    let talk = asked.segment("i-1-s-1", "s-2/talk");
    assert_eq!(
        (talk.mode.as_deref(), talk.outcome.as_deref()),
        (Some("consult"), Some("left"))
    );
    let first = asked.segment("i-1-s-1", "s-1/talk");
    assert_eq!(first.outcome.as_deref(), Some("completed"));
    let contact = asked.contact("i-1-s-1").contact.as_ref().unwrap();
    assert_eq!((contact.transfers, contact.talk_ms), (0, Some(260_000)));
    let joined = told("conference");
    let talk = joined.segment("i-1-f-1", "f-2/talk");
    assert_eq!(talk.mode.as_deref(), Some("conference"));
    // The colleague who stays longer than the first agent has taken over.
    let handed = altered("consult", "T09:05:00Z", "T09:03:00Z");
    let first = handed.segment("i-1-s-1", "s-1/talk");
    assert_eq!(first.outcome.as_deref(), Some("transferred"));
    assert_eq!(first.target_kind.as_deref(), Some("agent"));
    assert_eq!(first.target.as_deref(), Some("a-2"));
}

#[test]
fn a_flow_moves_a_waiting_customer_to_another_queue() {
    let rows = told("queue-transfer");
    assert_eq!(
        rows.parts("i-1-m-1"),
        parts(&[
            ("menu", "selected", 0.0, 20.0),
            ("queue", "transferred", 20.0, 80.0),
            ("queue", "answered", 80.0, 110.0),
            ("talk", "completed", 110.0, 300.0),
            ("wrapup", "completed", 300.0, 312.0),
        ])
    );
    let stay = rows.segment("i-1-m-1", "m-1/queue");
    assert_eq!(stay.target.as_deref(), Some("q-over"));
    assert_eq!(stay.raw_outcome.as_deref(), Some("OTHER"));
}

#[test]
fn a_supervisor_listens_and_barges_in() {
    let rows = told("monitor");
    let part = rows.segment("i-1-n-1", "n-2/monitor");
    assert_eq!(
        (part.mode.as_deref(), part.agent.as_deref()),
        (Some("barge"), Some("sup-1"))
    );
    let talk = rows.segment("i-1-n-1", "n-1/talk");
    assert_eq!(part.parent_seq, Some(talk.seq));
    // He stayed on the line after the customer had gone: that keeps nothing open.
    let contact = rows.contact("i-1-n-1").contact.as_ref().unwrap();
    assert_eq!(contact.ended_at, Some(Instant(at(300.0))));
    assert_eq!(contact.agents, ["a-1"]);
    assert_eq!(T + 300_000_000, at(300.0));
}

/// The ids are random: the least of a chain need not be that of its first leg.
#[test]
fn the_contact_is_named_by_the_least_of_its_ids() {
    let all: Vec<_> = ALL
        .iter()
        .flat_map(|name| {
            let text = String::from_utf8(super::fold::made(name)).unwrap();
            super::fold::records(text.replace("c-1", "z-1").as_bytes())
        })
        .collect();
    let found = rows(&all);
    assert_eq!(found.contacts.len(), 1);
    let contact = found.contact("i-1-c-2").contact.as_ref().unwrap();
    assert_eq!(contact.started_at, Some(Instant(at(10.411))));
    assert_eq!((contact.transfers, contact.wait_ms), (1, Some(44_420)));
    assert_eq!(contact.customer.as_deref(), Some("+491701234567"));
}

/// Records in the spelling of events: each name with a small letter first, ARN as any other word.
#[test]
fn both_spellings_of_a_record_give_equal_rows() {
    fn respell(value: Value) -> Value {
        match value {
            Value::Object(map) => map
                .into_iter()
                .map(|(name, v)| {
                    // Names that the customer gave stay as they are.
                    let given = matches!(&*name, "Attributes" | "Tags" | "SegmentAttributes");
                    let v = if given { v } else { respell(v) };
                    let name = name.replace("ARN", "Arn");
                    (name[..1].to_lowercase() + &name[1..], v)
                })
                .collect(),
            Value::Array(list) => list.into_iter().map(respell).collect(),
            other => other,
        }
    }
    for name in [
        "inbound-records",
        "callback",
        "consult",
        "outbound",
        "chat",
        "external-transfer",
        "monitor",
    ] {
        let bytes = super::fold::made(name);
        let items = serde_json::Deserializer::from_slice(&bytes).into_iter::<Value>();
        let other: String = items.map(|v| respell(v.unwrap()).to_string()).collect();
        assert!(other.contains("\"contactId\"") && !other.contains("\"ContactId\""));
        assert_eq!(
            rows(&super::fold::records(other.as_bytes())),
            told(name),
            "{name}"
        );
    }
}
