//! The oddities of the recorded shift from O12 on: agents, texts, events without time.

use callboard_model::ids::Key;
use callboard_model::record::{Interpreter, RouteKey};
use callboard_model::rows::target_rows;
use callboard_sources::asterisk::Feed;
use callboard_sources::registry::Registry;

use crate::pipeline::{RECORDED, records, rows, shift, shift_file};
use crate::shift_rows::{HORIZON, all, alone, contact, segment, states, text};

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
    for feed in RECORDED {
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

/// O19 and O20: a contact says that it was recorded, whether or not the audio ever comes.
#[test]
fn o20_connected_contacts_announce_their_recordings() {
    let announced = all()
        .contacts
        .values()
        .filter_map(|c| c.contact.as_ref())
        .filter(|c| text(&c.attributes).contains("recording_announced"))
        .count();
    assert_eq!(announced, 74);
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
fn o27_queue_params_say_the_threshold_and_what_the_queue_counted() {
    let mut found = Vec::new();
    for r in records(Feed::Ami, &shift_file(Feed::Ami)) {
        let routing = Registry.route(&r).unwrap();
        let target = routing.keys.iter().find_map(|key| match key {
            RouteKey::Direct(Key::Target(id)) => Some(id.clone()),
            _ => None,
        });
        if let Some(id) = &target {
            assert_eq!(routing.keys.len(), 2, "{:?}", routing.keys);
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
    for feed in RECORDED {
        for r in records(feed, &shift_file(feed)) {
            Registry.route(&r).unwrap();
        }
    }
    assert!(all().contacts.values().all(|c| {
        let own = c.contact.as_ref().unwrap();
        own.state == "closed" && own.end_basis.is_none() && own.source == "/asterisk/pbx1"
    }));
}
