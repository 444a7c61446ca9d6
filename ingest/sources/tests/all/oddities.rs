//! The oddities of the recorded shift, by their numbers in its README, where they concern events.
//! O19, O20 and O29 are about recordings and what was said in them; O24 (files are not sorted) is
//! what the properties are about.

use std::sync::OnceLock;

use callboard_model::ids::Key;
use callboard_model::record::{Interpreter, RouteKey};
use callboard_model::rows::{ContactRows, target_rows};
use callboard_model::tables::{AgentStateRow, OfferRow, SegmentRow};
use callboard_sources::asterisk::Feed;
use callboard_sources::registry::Registry;

use crate::pipeline::{Rows, records, rows, shift, shift_file};

const HORIZON: i64 = 1_795_255_241_000_000;

fn all() -> &'static Rows {
    static ROWS: OnceLock<Rows> = OnceLock::new();
    ROWS.get_or_init(|| rows(&shift(&Feed::ALL), HORIZON))
}

fn alone(feed: Feed) -> &'static Rows {
    static ROWS: [OnceLock<Rows>; 4] = [const { OnceLock::new() }; 4];
    let n = Feed::ALL.iter().position(|f| *f == feed).unwrap();
    ROWS[n].get_or_init(|| rows(&shift(&[feed]), HORIZON))
}

fn contact<'a>(rows: &'a Rows, call: &str) -> &'a ContactRows {
    &rows.contacts[&format!("pbx1-{call}")]
}

fn segment<'a>(rows: &'a Rows, id: &str) -> &'a SegmentRow {
    let (call, _) = id.split_once('/').unwrap();
    contact(rows, call)
        .segments
        .iter()
        .find(|s| s.segment_id == id)
        .unwrap_or_else(|| panic!("{id} is missing"))
}

fn offers<'a>(rows: &'a Rows, call: &str) -> Vec<(&'a str, &'a str, i64)> {
    let mut all: Vec<_> = contact(rows, call)
        .offers
        .iter()
        .map(|o: &OfferRow| {
            (
                o.agent.as_deref().unwrap(),
                o.outcome.as_deref().unwrap(),
                o.ring_ms.unwrap(),
            )
        })
        .collect();
    all.sort_unstable();
    all
}

fn states<'a>(rows: &'a Rows, agent: &str, track: &str, state: &str) -> Vec<&'a AgentStateRow> {
    rows.agents[agent]
        .iter()
        .filter(|s| s.track == track && s.state == state)
        .collect()
}

fn text(word: &Option<String>) -> &str {
    word.as_deref().unwrap_or("")
}

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
    assert_eq!((text(&own.ended_by), own.transfers), ("customer", 1 + 1));
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

#[test]
fn o12_a_pause_of_all_queues_counts_once() {
    for rows in [all(), alone(Feed::QueueLog), alone(Feed::Ami)] {
        assert_eq!(states(rows, "Tom Becker", "pause", "paused").len(), 2);
        let reasons = |agent| {
            states(rows, agent, "pause", "paused")
                .iter()
                .map(|s| text(&s.reason).to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(reasons("Omar Haddad"), ["E-Mail", "Café", "Café"]);
        assert_eq!(reasons("Jack O'Neill"), ["", "Auto-Pause"]);
    }
}

#[test]
fn o13_lines_that_carry_an_interface_change_no_row() {
    let log = records(Feed::QueueLog, &shift_file(Feed::QueueLog));
    for r in &log {
        let line = String::from_utf8(r.bytes.to_vec()).unwrap();
        if line.contains("|PENALTY|") || line.contains("|SHIFTNOTE|") {
            assert!(Registry.route(r).unwrap().keys.is_empty());
        }
    }
    assert!(all().agents.keys().all(|a| !a.starts_with("Local/")));
}

#[test]
fn o14_an_agents_own_call_is_no_contact() {
    let log = records(Feed::QueueLog, &shift_file(Feed::QueueLog));
    let login = log
        .iter()
        .find(|r| {
            r.bytes
                .starts_with(b"1795253946|1795253945.0|billing|Daniel Park|ADDMEMBER")
        })
        .unwrap();
    let keys = Registry.route(login).unwrap().keys;
    let agent = Key::Agent("/asterisk/pbx1".into(), "Daniel Park".into());
    assert_eq!(keys, [RouteKey::Direct(agent)]);
    for feed in Feed::ALL {
        assert!(
            !alone(feed).contacts.contains_key("pbx1-1795253945.0"),
            "{feed:?}"
        );
        assert_eq!(alone(feed).contacts.len(), 92, "{feed:?}");
    }
}

#[test]
fn o15_paused_for_ever() {
    let zoe = states(all(), "Zoë Müller", "pause", "paused");
    // No UNPAUSE follows: the pause ends when she leaves the queue.
    let removed = zoe.last().unwrap().ended_at.unwrap().0;
    assert_eq!(removed / 1_000_000, 1_795_255_227);
    assert_eq!(text(&zoe.last().unwrap().reason), "End of shift");
    let priya = states(all(), "Priya Nair", "membership", "member");
    assert!(
        priya.iter().any(
            |s| text(&s.queue) == "sales" && s.ended_at.unwrap().0 / 1_000_000 == 1_795_254_411
        )
    );
}

#[test]
fn o16_text_traps() {
    for rows in [
        all(),
        alone(Feed::QueueLog),
        alone(Feed::Cel),
        alone(Feed::Ami),
        alone(Feed::Cdr),
    ] {
        let who = |call| {
            let c = contact(rows, call).contact.as_ref().unwrap();
            (text(&c.customer), text(&c.customer_name))
        };
        assert_eq!(who("1795253982.23"), ("5551105", "José Núñez"));
        assert_eq!(who("1795254010.38"), ("5551108", "Smith, John"));
        assert_eq!(who("1795254626.346"), ("5551170", "\"Bobby\" O'Tables"));
        assert_eq!(who("1795254040.56"), ("+442079460123", "George Hall"));
        assert_eq!(who("1795254288.193"), ("anonymous", "Anonymous"));
    }
}

#[test]
fn o17_no_value_is_never_a_name() {
    for c in all().contacts.values().filter_map(|c| c.contact.as_ref()) {
        for word in [
            &c.customer,
            &c.customer_name,
            &c.agent,
            &c.queue,
            &c.dialled,
        ] {
            assert!(!text(word).contains("unknown"), "{c:?}");
        }
    }
}

#[test]
fn o18_the_local_channel_is_the_agents() {
    for c in all().contacts.values() {
        for stay in c.segments.iter().filter(|s| s.kind == "queue") {
            let accepted = c
                .offers
                .iter()
                .filter(|o| o.queue_seq == Some(stay.seq) && text(&o.outcome) == "accepted")
                .count();
            assert_eq!(accepted, usize::from(text(&stay.outcome) == "answered"));
        }
    }
    // Queue log and channel event log without the manager: names come from CONNECT's channel.
    let two = rows(&shift(&[Feed::QueueLog, Feed::Cel]), HORIZON);
    let talk = segment(&two, "1795253950.1/q1/talk");
    assert_eq!(text(&talk.agent), "Maria Alvarez");
}

#[test]
fn o21_a_muted_recording_is_told_by_the_contact() {
    let c = contact(all(), "1795254040.56").contact.as_ref().unwrap();
    let attributes: serde_json::Value = serde_json::from_str(text(&c.attributes)).unwrap();
    let spans: serde_json::Value =
        serde_json::from_str(attributes["recording_muted"].as_str().unwrap()).unwrap();
    assert_eq!(
        spans,
        serde_json::json!([{
            "start": "2026-11-21T09:41:13.617543Z",
            "end": "2026-11-21T09:41:28.921582Z",
            "reason": "muted"
        }])
    );
}

#[test]
fn o22_hold_is_only_in_ami() {
    let talk = segment(all(), "1795253982.23/q1/talk");
    assert_eq!((talk.hold_ms, talk.hold_count), (Some(7006), Some(1)));
    assert_eq!(
        text(&segment(all(), "1795253982.23/q1/talk/hold1").agent),
        "Emma Lindqvist"
    );
    let holds: Vec<_> = all()
        .contacts
        .values()
        .flat_map(|c| &c.segments)
        .filter(|s| s.kind == "hold")
        .map(|s| text(&s.outcome))
        .collect();
    assert_eq!(holds.len(), 5);
    assert_eq!(holds.iter().filter(|o| **o == "transferred").count(), 1);
    assert_eq!(
        segment(alone(Feed::QueueLog), "1795253982.23/q1/talk").hold_ms,
        None
    );
    assert_eq!(
        segment(alone(Feed::Ami), "1795253982.23/q1/talk").hold_ms,
        Some(7006)
    );
}

#[test]
fn o23_stated_durations_stand_where_clocks_are_coarse() {
    let stay = |rows| segment(rows, "1795255096.475/q1").duration_ms.unwrap();
    assert_eq!(stay(alone(Feed::QueueLog)), 0);
    assert!((600..620).contains(&stay(all())));
}

#[test]
fn o25_events_without_timestamp_are_read() {
    let bytes = shift_file(Feed::Ami);
    let untimed: Vec<_> = records(Feed::Ami, &bytes)
        .into_iter()
        .filter(|r| !String::from_utf8_lossy(&r.bytes).contains("\"Timestamp\""))
        .collect();
    assert_eq!(untimed.len(), 146);
    assert!(
        untimed
            .iter()
            .all(|r| Registry.route(r).unwrap().time.is_some())
    );
    // One restart: the log's QUEUESTART, and the greeting that came four seconds into it.
    assert_eq!(all().restarts, [1_795_253_932_000_000]);
    assert_eq!(alone(Feed::Ami).restarts, [1_795_253_932_912_507]);
}

#[test]
fn o26_status_0_is_free() {
    for (agent, rows) in &all().agents {
        let device: Vec<_> = rows.iter().filter(|s| s.track == "device").collect();
        assert!(device.iter().any(|s| s.state == "available"), "{agent}");
        assert!(device.iter().all(|s| s.state != "unknown"), "{agent}");
    }
    assert!(!states(all(), "Maria Alvarez", "device", "busy").is_empty());
}

#[test]
fn o27_queue_params_say_the_threshold_and_nothing_else() {
    let mut found = Vec::new();
    for r in records(Feed::Ami, &shift_file(Feed::Ami)) {
        let routing = Registry.route(&r).unwrap();
        if let [RouteKey::Direct(Key::Target(id))] = &routing.keys[..] {
            let said = routing.statements.unwrap();
            let state = callboard_model::merge::State::of(&said);
            let row = target_rows(id, &state).remove(0);
            found.push((row.target_id, row.threshold_ms, row.variant));
        }
    }
    assert_eq!(found.len(), 30);
    found.sort();
    found.dedup();
    let answered = "answered".to_owned();
    assert_eq!(
        found,
        [
            (
                "/asterisk/pbx1/billing/30s".to_owned(),
                30_000,
                answered.clone()
            ),
            (
                "/asterisk/pbx1/sales/20s".to_owned(),
                20_000,
                answered.clone()
            ),
            ("/asterisk/pbx1/support/30s".to_owned(), 30_000, answered),
        ]
    );
}

#[test]
fn o28_a_number_is_no_person_and_no_contact() {
    let of: Vec<_> = all()
        .contacts
        .values()
        .filter_map(|c| c.contact.as_ref())
        .filter(|c| text(&c.customer) == "5551120")
        .map(|c| &*c.contact_id)
        .collect();
    assert_eq!(of, ["pbx1-1795254127.110", "pbx1-1795254204.156"]);
}

#[test]
fn every_line_of_the_shift_is_read() {
    for feed in Feed::ALL {
        for r in records(feed, &shift_file(feed)) {
            Registry.route(&r).unwrap();
        }
    }
    assert!(all().contacts.values().all(|c| {
        let own = c.contact.as_ref().unwrap();
        own.state == "closed" && own.end_basis.is_none() && own.source == "/asterisk/pbx1"
    }));
}
