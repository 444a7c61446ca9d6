//! Contacts of other platforms as vCons, and read in again.

use crate::fold::{self, only, parts};

/// A contact of some other platform, as its rows stand.
fn conversation() -> callboard_model::vcon::Conversation {
    use callboard_model::cloudevents::{CloudEvent, read};
    use callboard_model::merge::State;
    use callboard_model::record::RouteKey;
    use callboard_model::rows::{contact_rows, recording_rows};
    use serde_json::json;

    const T: i64 = 1_772_442_904_000_000;
    let mut contact = State::default();
    let mut recording = State::default();
    let mut ids = Vec::new();
    let event = |n: usize, kind: &str, data: serde_json::Value| {
        let kind = format!("callboard.{kind}.recorded");
        let event = CloudEvent::new("/t", &n.to_string(), &kind, T, data);
        read(&event.record(0).unwrap()).unwrap()
    };
    let told = [
        (
            "contact",
            json!({"contact_id": "c-7", "channel": "voice", "direction": "inbound",
            "customer": "+4930123", "customer_name": "Zoë", "dialled": "+4930999",
            "start": "2026-03-02T09:15:00Z", "end": "2026-03-02T09:20:00Z",
            "attributes": {"subject": "A bill", "vip": "yes"}}),
        ),
        (
            "segment",
            json!({"contact_id": "c-7", "segment_id": "q", "kind": "queue", "queue": "support",
            "start": "2026-03-02T09:15:00Z", "end": "2026-03-02T09:15:30Z", "outcome": "answered"}),
        ),
        (
            "segment",
            json!({"contact_id": "c-7", "segment_id": "t1", "kind": "talk", "queue": "support",
            "agent": "ann@example.com", "parent": "q", "start": "2026-03-02T09:15:30Z",
            "end": "2026-03-02T09:18:00Z", "outcome": "transferred", "target": "ben@example.com"}),
        ),
        (
            "segment",
            json!({"contact_id": "c-7", "segment_id": "h", "kind": "hold", "parent": "t1",
            "agent": "ann@example.com", "start": "2026-03-02T09:16:00Z", "end": "2026-03-02T09:16:20Z"}),
        ),
        (
            "segment",
            json!({"contact_id": "c-7", "segment_id": "t2", "kind": "talk", "queue": "sales",
            "agent": "ben@example.com", "start": "2026-03-02T09:18:00Z", "end": "2026-03-02T09:20:00Z",
            "outcome": "completed"}),
        ),
        (
            "recording",
            json!({"contact_id": "c-7", "leg": "both", "state": "ready",
            "agent": "ann@example.com", "start": "2026-03-02T09:15:30Z", "end": "2026-03-02T09:18:00Z",
            "duration_ms": 150_000}),
        ),
        (
            "transcript",
            json!({"recording_id": "c-7/both", "contact_id": "c-7", "state": "done",
            "model": "tiny", "turns": [
                {"leg": "agent", "start_ms": 0, "end_ms": 1_500, "text": "Hello, this is Ann."},
                {"leg": "customer", "start_ms": 2_000, "end_ms": 4_200, "text": "My bill is wrong."},
                {"leg": "mixed", "start_ms": 5_000, "end_ms": 5_100, "text": "Hm."}],
            "tags": [{"kind": "keyword", "name": "billing", "evidence": "bill"}]}),
        ),
    ];
    for (n, (kind, data)) in told.into_iter().enumerate() {
        let routing = event(n, kind, data);
        let state = match &routing.keys[0] {
            RouteKey::Contact(of) => {
                ids.clone_from(of);
                &mut contact
            }
            RouteKey::Direct(_) => &mut recording,
        };
        for s in routing.statements.unwrap() {
            state.apply(&s);
        }
    }
    let rows = contact_rows(&ids, &contact, &[]);
    let heard = recording_rows("c-7/both", &recording);
    callboard_model::vcon::Conversation {
        contact: rows.contact,
        segments: rows.segments,
        recordings: heard.recording.into_iter().collect(),
        turns: heard.turns,
        tags: heard.tags,
        ..callboard_model::vcon::Conversation::default()
    }
}

#[test]
fn what_goes_out_as_a_vcon_comes_in_again() {
    let of = conversation();
    let vcon = callboard_model::vcon::write(&of, Some("https://board.example/audio/")).unwrap();
    // What the container's draft asks for.
    for name in ["vcon", "uuid", "created_at", "parties"] {
        assert!(vcon.get(name).is_some(), "{name} in {vcon}");
    }
    for dialog in vcon["dialog"].as_array().unwrap() {
        assert!(
            dialog["type"].is_string() && dialog["start"].is_string(),
            "{dialog}"
        );
    }
    for analysis in vcon["analysis"].as_array().unwrap() {
        assert_eq!(analysis["vendor"], "callboard");
    }
    assert_eq!(
        vcon["dialog"][0]["url"],
        "https://board.example/audio/c-7.wav?track=c-7%2Fboth"
    );
    let rows = fold::told("vcon", &[vcon.to_string().as_bytes()]);
    let c = only(&rows);
    let row = c.contact.as_ref().unwrap();
    let was = of.contact.as_ref().unwrap();
    assert_eq!(row.customer, was.customer);
    assert_eq!(row.customer_name, was.customer_name);
    assert_eq!(row.direction, was.direction);
    assert_eq!(row.channel, was.channel);
    assert_eq!((row.talk_ms, row.hold_ms), (was.talk_ms, was.hold_ms));
    assert_eq!(row.agents, was.agents);
    assert_eq!(row.transfers, was.transfers);
    assert_eq!(row.ended_at, was.ended_at);
    // Talks and holds as they were; the wait stands in an attachment, the container has no place.
    let talks = |rows: &[callboard_model::tables::SegmentRow]| -> Vec<_> {
        rows.iter()
            .filter(|s| matches!(s.kind.as_str(), "talk" | "hold"))
            .map(|s| {
                (
                    s.kind.clone(),
                    s.agent.clone(),
                    s.queue.clone().filter(|_| s.kind == "talk"),
                    s.started_at,
                    s.ended_at,
                    s.outcome.clone(),
                )
            })
            .collect()
    };
    assert_eq!(talks(&c.segments), talks(&of.segments));
    assert_eq!(c.segments[0].target.as_deref(), Some("ben@example.com"));
    let turns = |rows: &[callboard_model::tables::TurnRow]| -> Vec<_> {
        rows.iter()
            .map(|t| (t.leg.clone(), t.seq, t.start_ms, t.end_ms, t.text.clone()))
            .collect()
    };
    let (_, again) = rows.turns.iter().next().unwrap();
    assert_eq!(turns(again), turns(&of.turns));
    let attached = &vcon["attachments"][0]["body"];
    assert_eq!(attached["segments"][0]["kind"], "queue");
    assert_eq!(attached["attributes"]["vip"], "yes");
    // The same contact is the same vCon.
    let same = callboard_model::vcon::write(&conversation(), Some("https://board.example/audio/"));
    assert_eq!(same, Some(vcon));
}

#[test]
fn an_abandoned_wait_is_a_dialog_that_did_not_come_about() {
    let mut of = conversation();
    of.segments.retain(|s| s.kind == "queue");
    of.segments[0].outcome = Some("abandoned".into());
    (of.recordings, of.turns, of.tags) = Default::default();
    let vcon = callboard_model::vcon::write(&of, None).unwrap();
    assert_eq!(vcon["dialog"][0]["type"], "incomplete");
    assert_eq!(vcon["dialog"][0]["disposition"], "hung-up");
    let rows = fold::told("vcon", &[vcon.to_string().as_bytes()]);
    assert_eq!(parts(only(&rows))[0].2, "canceled");
}
