//! Calls that only the manager interface tells of.

use callboard_sources::asterisk::Feed::Ami;

use crate::pipeline::told;
use crate::stories::{T, only, part, parts};

#[test]
fn a_parked_call_is_parked() {
    let call = "\"Uniqueid\":\"c.1\",\"Linkedid\":\"c.1\"";
    let parkee = "\"ParkeeUniqueid\":\"c.1\",\"ParkeeLinkedid\":\"c.1\"";
    let event = |s: i64, body: &str| format!("{{\"Timestamp\":\"{}.5\",{body}}}\n", T + s);
    let text = event(
        1,
        &format!("\"Event\":\"Newchannel\",\"Context\":\"from-pstn\",{call}"),
    ) + &event(
        5,
        &format!("\"Event\":\"ParkedCall\",\"ParkingSpace\":\"701\",{parkee}"),
    ) + &event(25, &format!("\"Event\":\"UnParkedCall\",{parkee}"))
        + &event(30, &format!("\"Event\":\"Hangup\",\"Cause\":\"16\",{call}"));
    let rows = told(&[(Ami, &text)]);
    let park = &only(&rows).segments[0];
    assert_eq!(
        (&*park.kind, park.outcome.as_deref()),
        ("park", Some("retrieved"))
    );
    assert_eq!(
        (park.name.as_deref(), park.duration_ms),
        (Some("701"), Some(20_000))
    );
}

#[test]
fn a_client_that_reads_only_the_queues_still_tells_how_it_ended() {
    let call = "\"Uniqueid\":\"c.1\",\"Linkedid\":\"c.1\",\"Queue\":\"q\"";
    let event = |s: i64, name: &str, more: &str| {
        format!(
            "{{\"Timestamp\":\"{}.5\",\"Event\":\"{name}\",{call}{more}}}\n",
            T + s
        )
    };
    let rung = ",\"MemberName\":\"A\",\"Interface\":\"SIP/a\",\"DestUniqueid\":\"m.1\"";
    let text = event(1, "QueueCallerJoin", ",\"Position\":\"1\"")
        + &event(2, "AgentCalled", rung)
        + &event(
            9,
            "QueueCallerAbandon",
            ",\"Position\":\"1\",\"OriginalPosition\":\"1\",\"HoldTime\":\"8\"",
        )
        + &event(9, "QueueCallerLeave", ",\"Position\":\"1\"");
    let rows = told(&[(Ami, &text)]);
    assert_eq!(parts(&rows), [part("queue", "", "abandoned", 8)]);
    let offer = &only(&rows).offers[0];
    assert_eq!(
        (offer.outcome.as_deref(), offer.ring_ms),
        (Some("caller_left"), Some(7000))
    );
    assert_eq!(only(&rows).contact.as_ref().unwrap().state, "closed");
}
