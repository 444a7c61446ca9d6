//! Calls, conferences and recordings.

use super::{at, capture, of, told};
use crate::fold::{self, parts};

#[test]
fn a_conference_tells_the_holds_of_a_tasks_call() {
    let rows = told(&["made-taskrouter.txt", "made-voice-and-conference.txt"]);
    let c = of(&rows, "WT1");
    let holds: Vec<_> = c.segments.iter().filter(|s| s.kind == "hold").collect();
    // The worker's own leg was held too; that is no hold of the customer.
    assert_eq!(holds.len(), 1);
    assert_eq!(
        (
            holds[0].agent.as_deref(),
            holds[0].outcome.as_deref(),
            holds[0].duration_ms
        ),
        (Some("bob"), Some("resumed"), Some(15_000))
    );
    assert_eq!(
        (holds[0].started_at, holds[0].parent_seq),
        (at(40), Some(2))
    );
    assert_eq!(
        (c.segments[1].hold_ms, c.segments[1].hold_count),
        (Some(15_000), Some(1))
    );
    let row = c.contact.as_ref().unwrap();
    assert_eq!(row.ended_by.as_deref(), Some("customer"));
    // The worker's call is a leg of the same contact, and no talk of its own.
    assert_eq!(c.segments.iter().filter(|s| s.kind == "talk").count(), 2);
    assert_eq!(c.segments.iter().filter(|s| s.kind == "dial").count(), 0);
    assert_eq!(row.customer.as_deref(), Some("+15550101"));
    // Without its end the hold lasts as long as the talk.
    let text = String::from_utf8(capture("made-voice-and-conference.txt")).unwrap();
    let less: String = text
        .lines()
        .filter(|l| {
            !l.contains("participant-unhold")
                && !l.contains("participant-leave")
                && !l.contains("conference-end")
        })
        .map(|l| format!("{l}\n"))
        .collect();
    let rows = fold::told(
        "twilio",
        &[&capture("made-taskrouter.txt"), less.as_bytes()],
    );
    assert_eq!(
        of(&rows, "WT1").contact.as_ref().unwrap().hold_ms,
        Some(60_000)
    );
}

#[test]
fn a_workers_phone_that_rings_is_no_contact() {
    let text = String::from_utf8(capture("made-voice-and-conference.txt")).unwrap();
    let own: String = text
        .lines()
        .filter(|l| l.contains("CallSid=CA2") && l.contains("CallStatus"))
        .map(|l| format!("{l}\n"))
        .collect();
    assert_eq!(own.lines().count(), 2);
    assert!(fold::told("twilio", &[own.as_bytes()]).contacts.is_empty());
}

#[test]
fn calls_without_tasks_tell_dialled_legs() {
    let rows = told(&["made-calls-without-tasks.txt"]);
    let c = of(&rows, "CA9");
    assert_eq!(
        parts(c),
        [
            ("talk", "erin", "completed", 30_000),
            ("dial", "", "busy", 2_000)
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
            )
        })
        .collect();
    assert_eq!(
        offers,
        [("dave", "no_answer", 15_000), ("erin", "accepted", 6_000)]
    );
    assert_eq!(c.segments[1].target.as_deref(), Some("+15550777"));
    let row = c.contact.as_ref().unwrap();
    assert_eq!(
        (row.started_at, row.ended_at, row.state.as_str()),
        (at(700), at(790), "closed")
    );
    assert_eq!(
        (row.direction.as_deref(), row.customer.as_deref()),
        (Some("inbound"), Some("+15550109"))
    );
    let out = of(&rows, "CA10");
    assert_eq!(parts(out), [("dial", "", "no_answer", 30_000)]);
    assert_eq!(
        out.contact.as_ref().unwrap().customer.as_deref(),
        Some("+15550110")
    );
    let out = of(&rows, "CA11");
    assert_eq!(parts(out), [("dial", "", "answered", 8_000)]);
    assert_eq!(
        out.contact.as_ref().unwrap().direction.as_deref(),
        Some("outbound")
    );
}

#[test]
fn recordings_by_their_callbacks() {
    let rows = told(&["made-recordings.txt"]);
    let one = &rows.recordings["twilio/t1/RE1"];
    assert_eq!(
        (
            one.state.as_str(),
            one.duration_ms,
            one.channels,
            one.leg.as_str()
        ),
        ("ready", Some(174_000), Some(2), "both")
    );
    assert_eq!(
        (one.started_at, one.ended_at, one.contact_id.as_str()),
        (at(26), at(200), "t1-CA1")
    );
    assert_eq!((one.reason.as_deref(), one.voicemail), (None, false));
    let two = &rows.recordings["twilio/t1/RE2"];
    assert_eq!(
        (two.state.as_str(), two.reason.as_deref(), two.leg.as_str()),
        ("absent", Some("16102: silent"), "mixed")
    );
    let three = &rows.recordings["twilio/t1/RE3"];
    assert_eq!((three.voicemail, three.leg.as_str()), (true, "customer"));
    // Until it is completed it is active.
    let text = String::from_utf8(capture("made-recordings.txt")).unwrap();
    let first = text.lines().next().unwrap();
    let rows = fold::told("twilio", &[first.as_bytes()]);
    assert_eq!(rows.recordings["twilio/t1/RE1"].state, "active");
}
