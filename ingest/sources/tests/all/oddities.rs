//! The oddities of the recorded shift, by their numbers in its README, where they concern events.
//! O19 and O29 are about what recordings hold; O24 (files are not sorted) is
//! what the properties are about.

use callboard_sources::asterisk::Feed;

use crate::pipeline::shift_file;
use crate::shift_rows::{all, alone, contact, offers, segment, text};

#[test]
fn o1_four_clocks_are_joined_by_id() {
    let c = contact(all(), "1795253950.1").contact.as_ref().unwrap();
    // The channel event log knows the start to the microsecond, before the log's whole second.
    let late = c.started_at.unwrap().0 - first_cel_time("1795253950.1");
    assert!((0..1000).contains(&late), "{late}");
    assert_eq!(
        segment(all(), "1795253950.1/q1").started_at.unwrap().0 / 1_000_000,
        1_795_253_954
    );
    assert_eq!(text(&c.customer), "5551101");
    assert_eq!(text(&c.dialled), "5550100");
    assert_eq!(text(&c.direction), "inbound");
    assert_eq!(c.state, "closed");
}

/// Time of a call's first row in the channel event log, by looking for it as text.
fn first_cel_time(call: &str) -> i64 {
    let text = String::from_utf8(shift_file(Feed::Cel)).unwrap();
    let both = format!("\"{call}\",\"{call}\"");
    let line = text
        .lines()
        .find(|l| l.contains("CHAN_START") && l.contains(&both))
        .unwrap();
    let time = line.split('"').nth(3).unwrap();
    time.replace('.', "").parse().unwrap()
}

#[test]
fn o2_one_call_two_queues() {
    let c = contact(alone(Feed::QueueLog), "1795254416.248");
    let stays: Vec<_> = c
        .segments
        .iter()
        .filter(|s| s.kind == "queue")
        .map(|s| {
            (
                text(&s.queue),
                text(&s.outcome),
                text(&s.target),
                s.duration_ms.unwrap(),
            )
        })
        .collect();
    assert_eq!(
        stays,
        [
            ("sales", "timeout", "support", 40_000),
            ("support", "answered", "", 2000)
        ]
    );
    let own = c.contact.as_ref().unwrap();
    assert_eq!(own.wait_ms, Some(42_000));
    assert_eq!(
        (text(&own.queue), text(&own.agent)),
        ("support", "Emma Lindqvist")
    );
    assert_eq!(
        text(&segment(all(), "1795254416.248/q1").target_kind),
        "voice_app"
    );
}

#[test]
fn o3_a_blind_transfer_enters_another_queue_under_the_same_callid() {
    for rows in [all(), alone(Feed::QueueLog), alone(Feed::Ami)] {
        let c = contact(rows, "1795254078.81").contact.as_ref().unwrap();
        assert_eq!(c.agents, ["Jack O'Neill", "Zoë Müller"]);
        assert_eq!(c.queues, ["support", "billing"]);
        assert_eq!(c.transfers, 1);
        let talk = segment(rows, "1795254078.81/q1/talk");
        assert_eq!(text(&talk.outcome), "transferred");
        assert_eq!(
            (text(&talk.target_kind), text(&talk.target)),
            ("voice_app", "billing")
        );
    }
    // The first queue's stay was a time-out by the limit that the dialplan gave to Queue().
    let overflowed = segment(alone(Feed::Cel), "1795254416.248/q1");
    assert_eq!(
        (text(&overflowed.outcome), text(&overflowed.target)),
        ("timeout", "support")
    );
    let cel = contact(alone(Feed::Cel), "1795254078.81")
        .contact
        .as_ref()
        .unwrap();
    assert_eq!((cel.queues.len(), cel.transfers), (2, 1));
}

#[test]
fn o4_after_an_attended_transfer_the_talk_goes_on() {
    let log = contact(alone(Feed::QueueLog), "1795254116.106");
    assert_eq!(log.segments.iter().filter(|s| s.kind == "talk").count(), 1);
    let first = segment(all(), "1795254116.106/q1/talk");
    assert_eq!(text(&first.outcome), "transferred");
    assert!((first.duration_ms.unwrap() - 35_163).abs() < 10);
    let second = segment(all(), "1795254116.106/talk1");
    assert_eq!(text(&second.agent), "IAX2/daniel");
    assert!((second.duration_ms.unwrap() - 18_223).abs() < 10);
    let consult = segment(all(), "1795254116.106/consult1");
    assert_eq!(
        (text(&consult.mode), text(&consult.agent)),
        ("consult", "IAX2/daniel")
    );
    let own = contact(all(), "1795254116.106").contact.as_ref().unwrap();
    assert_eq!(text(&own.ended_by), "customer");
    for feed in [Feed::Cel, Feed::Ami] {
        let second = segment(alone(feed), "1795254116.106/talk1");
        assert!(
            (second.duration_ms.unwrap() - 18_223).abs() < 10,
            "{feed:?}"
        );
    }
}

#[test]
fn o5_milliseconds_next_to_seconds() {
    let log = alone(Feed::QueueLog);
    let kevin = |rows| {
        offers(rows, "1795254416.248")
            .into_iter()
            .filter(|o| o.0 == "Kevin Walsh")
            .map(|o| o.2)
            .collect::<Vec<_>>()
    };
    assert_eq!(kevin(log), [4000, 10_000, 10_000, 10_000]);
    assert!(
        kevin(all())
            .iter()
            .zip([4000, 10_000, 10_000, 10_000])
            .all(|(a, b)| (a - b).abs() < 50)
    );
    assert_eq!(
        offers(log, "1795254031.46")
            .iter()
            .map(|o| o.2)
            .sum::<i64>(),
        3 * 1219
    );
}

#[test]
fn o6_a_time_out_is_no_abandon() {
    assert_eq!(
        text(&segment(all(), "1795254416.248/q1").outcome),
        "timeout"
    );
    assert_eq!(
        text(&segment(all(), "1795255135.501/q1").outcome),
        "no_agents"
    );
    // Manager events alone: who is still there afterwards did not abandon.
    assert_eq!(
        text(&segment(alone(Feed::Ami), "1795254416.248/q1").outcome),
        "timeout"
    );
    assert_eq!(
        text(&segment(alone(Feed::Ami), "1795254031.46/q1").outcome),
        "abandoned"
    );
}

#[test]
fn o7_callers_refused_at_the_door() {
    for rows in [all(), alone(Feed::Cel)] {
        let refused: Vec<_> = rows
            .contacts
            .values()
            .flat_map(|c| &c.segments)
            .filter(|s| text(&s.outcome) == "refused")
            .map(|s| (&*s.contact_id, text(&s.queue), s.duration_ms.unwrap()))
            .collect();
        assert_eq!(
            refused,
            [
                ("pbx1-1795255166.502", "billing", 0),
                ("pbx1-1795255176.503", "billing", 0)
            ]
        );
    }
    assert_eq!(
        contact(all(), "1795255166.502")
            .contact
            .as_ref()
            .unwrap()
            .wait_ms,
        None
    );
}

#[test]
fn o8_calls_that_end_in_the_menu() {
    let end = |call: &str| {
        let c = contact(all(), call);
        let last = c.segments.last().unwrap();
        (
            last.kind.clone(),
            text(&last.outcome).to_owned(),
            text(&last.input).to_owned(),
        )
    };
    let is = |kind: &str, outcome: &str, input: &str| {
        (kind.to_owned(), outcome.to_owned(), input.to_owned())
    };
    assert_eq!(end("1795253994.27"), is("menu", "invalid", "9"));
    assert_eq!(end("1795254086.85"), is("menu", "timeout", ""));
    let night = contact(all(), "1795254369.233");
    let found: Vec<_> = night
        .segments
        .iter()
        .map(|s| (&*s.kind, text(&s.outcome)))
        .collect();
    assert_eq!(found, [("menu", "selected"), ("voicemail", "left")]);
    assert_eq!(text(&night.contact.as_ref().unwrap().outcome), "left");
    assert_eq!(
        text(&segment(all(), "1795254369.233/menu1").target),
        "voicemail"
    );
}

#[test]
fn o9_many_cdr_rows_are_one_call() {
    let rows = alone(Feed::Cdr);
    assert_eq!(rows.contacts.len(), 92);
    let c = contact(rows, "1795254416.248").contact.as_ref().unwrap();
    assert_eq!(c.queues, ["sales", "support"]);
    assert!((c.talk_ms.unwrap() - 33_000).abs() <= 1000);
    assert_eq!(text(&c.dialled), "5550100");
}

#[test]
fn o10_a_cdr_disposition_is_no_outcome() {
    assert_eq!(
        text(&segment(all(), "1795254426.256/q1").outcome),
        "abandoned"
    );
    assert_eq!(
        text(&segment(all(), "1795254508.322/q1").outcome),
        "abandoned"
    );
}

#[test]
fn o11_ringall_has_losers() {
    let canceled = [
        ("Daniel Park", "caller_left"),
        ("Omar Haddad", "caller_left"),
        ("Zoë Müller", "caller_left"),
    ];
    for rows in [all(), alone(Feed::QueueLog), alone(Feed::Ami)] {
        let found = offers(rows, "1795254031.46");
        assert_eq!(
            found.iter().map(|o| (o.0, o.1)).collect::<Vec<_>>(),
            canceled
        );
    }
    let won = [
        ("Daniel Park", "accepted"),
        ("Omar Haddad", "taken_elsewhere"),
        ("Zoë Müller", "taken_elsewhere"),
    ];
    for rows in [all(), alone(Feed::Ami)] {
        let found = offers(rows, "1795254139.114");
        assert_eq!(found.iter().map(|o| (o.0, o.1)).collect::<Vec<_>>(), won);
    }
    assert_eq!(offers(alone(Feed::QueueLog), "1795254139.114").len(), 1);
    let cel: Vec<_> = offers(alone(Feed::Cel), "1795254139.114")
        .iter()
        .map(|o| (o.0, o.1))
        .collect();
    assert!(cel.contains(&("Local/108@agents", "accepted")));
    assert!(cel.contains(&("Local/106@agents", "taken_elsewhere")));
}
