//! vCons: what their captures say, cell by cell.

use callboard_model::record::Record;

use crate::fold::{self, only, parts};

fn capture(name: &str) -> Vec<u8> {
    fold::capture("vcon", name)
}

fn told(names: &[&str]) -> fold::Rows {
    let bodies: Vec<Vec<u8>> = names.iter().map(|n| capture(n)).collect();
    let bodies: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
    fold::told("vcon", &bodies)
}

const CALL: &str = "ab-call-ext-rec--vcon-core-draft.json";
const UUID: &str = "019f15a6-a752-826f-b9a2-279e0d16bc46";

#[test]
fn a_recorded_call() {
    let rows = told(&[CALL]);
    let c = only(&rows);
    let row = c.contact.as_ref().unwrap();
    assert_eq!(
        (row.contact_id.as_str(), row.channel.as_str()),
        (&*format!("t1-{UUID}"), "voice")
    );
    assert_eq!(row.started_at.unwrap().0, 1_655_834_006_000_000);
    assert_eq!(row.ended_at.unwrap().0, 1_655_834_039_120_000);
    // No roles are stated: who began is taken for the customer.
    assert_eq!(
        (row.customer.as_deref(), row.customer_name.as_deref()),
        (Some("+12345678901"), Some("Alice"))
    );
    assert_eq!(row.direction, None);
    assert_eq!(parts(c), [("talk", "Bob", "completed", 33_120)]);
    let rec = &rows.recordings[&format!("vcon/t1/{UUID}/0")];
    assert_eq!(
        (rec.state.as_str(), rec.duration_ms, rec.codec.as_deref()),
        ("ready", Some(33_120), Some("audio/x-mp3"))
    );
    assert_eq!(rec.contact_id, format!("t1-{UUID}"));
    // The words of a guess about who is who do not stand in a recording.
    assert_eq!(rec.agent, None);
}

#[test]
fn signed_and_amended_versions_are_the_same_contact() {
    let rows = told(&[
        CALL,
        "ab-call-ext-rec-signed--vcon-core-draft.json",
        "ab-call-ext-rec-amended--vcon-core-draft.json",
    ]);
    let c = only(&rows);
    assert_eq!(
        parts(c),
        [
            ("talk", "Bob", "completed", 33_120),
            ("message", "Bob", "sent", 0)
        ]
    );
    assert_eq!(c.segments[1].target.as_deref(), Some("+12345678901"));
    assert_eq!(rows.recordings.len(), 1);
    assert!(
        c.aliases
            .iter()
            .any(|a| a.native == "019f15a6-aa72-8dbd-a20f-d188127fad29")
    );
}

#[test]
fn a_transcript_of_another_producer_becomes_turns() {
    let rows = told(&["ab-call-ext-rec-analysis--vcon-core-draft.json"]);
    let (_, turns) = rows.turns.iter().next().unwrap();
    assert_eq!(
        (turns[0].text.as_str(), turns[0].start_ms, turns[0].end_ms),
        ("Hello.", 1_200, 1_760)
    );
    assert_eq!((turns[1].seq, turns[1].leg.as_str()), (2, "mixed"));
    assert_eq!(turns[0].model.as_deref(), Some("deepgram transcription"));
    // A redacted one stands alone where it is there.
    let rows = told(&["ab-call-ext-rec-redacted--vcon-core-draft.json"]);
    assert_eq!(rows.recordings.len(), 0, "the sound is not there any more");
    let with = String::from_utf8(capture("ab-call-ext-rec-redacted--vcon-core-draft.json"))
        .unwrap()
        .replacen(
            "\"filename\"",
            "\"url\": \"https://example.com/a.mp3\", \"filename\"",
            1,
        );
    let rows = fold::told("vcon", &[with.as_bytes()]);
    let (_, turns) = rows.turns.iter().next().unwrap();
    assert_eq!(
        (turns[1].text.as_str(), turns[1].start_ms, turns[1].end_ms),
        ("This is {{URL}}.", 1_760, 3_440)
    );
    assert_eq!(turns[0].leg, "customer");
}

#[test]
fn an_older_spelling_with_roles() {
    let rows = told(&["generated-call-05cec3d4--vcon-server.json"]);
    let c = only(&rows);
    assert_eq!(
        parts(c),
        [("talk", "louis.anderson@gasstation.com", "completed", 57_168)]
    );
    let row = c.contact.as_ref().unwrap();
    assert_eq!(
        (
            row.direction.as_deref(),
            row.customer.as_deref(),
            row.customer_name.as_deref()
        ),
        (Some("inbound"), Some("+11124724907"), Some("Olivia Flores"))
    );
    assert_eq!(c.segments[0].raw_outcome.as_deref(), Some("ANSWERED"));
    let (_, turns) = rows.turns.iter().next().unwrap();
    assert_eq!(
        (turns[0].leg.as_str(), turns[1].leg.as_str()),
        ("agent", "customer")
    );
    let rec = rows.recordings.values().next().unwrap();
    assert_eq!(
        (rec.codec.as_deref(), rec.agent.as_deref()),
        (Some("audio/mp3"), Some("louis.anderson@gasstation.com"))
    );
}

#[test]
fn a_mail_thread_is_messages() {
    let rows = told(&["ab-email-prob-followup-text-thread--vcon-core-draft.json"]);
    let c = only(&rows);
    assert_eq!(c.contact.as_ref().unwrap().channel, "email");
    let senders: Vec<_> = c
        .segments
        .iter()
        .map(|s| (s.kind.as_str(), s.agent.as_deref()))
        .collect();
    assert_eq!(
        senders,
        [
            ("message", None),
            ("message", Some("b@example.com")),
            ("message", None)
        ]
    );
    let row = told(&["ab-email-acct-prob-thread--vcon-container-draft.json"]);
    let row = only(&row).contact.clone().unwrap();
    assert!(
        row.attributes
            .unwrap()
            .contains("\"subject\":\"Account problem\"")
    );
}

#[test]
fn a_busy_try_a_hold_a_transfer_and_an_empty_voicemail() {
    let rows = told(&["made-transfer-and-hold.json"]);
    let c = only(&rows);
    assert_eq!(
        parts(c),
        [
            ("dial", "", "busy", 0),
            ("talk", "bob@example.com", "transferred", 120_250),
            ("hold", "bob@example.com", "resumed", 20_000),
            ("talk", "carol@example.com", "completed", 60_000),
            ("voicemail", "", "empty", 10_000),
        ]
    );
    let s = &c.segments;
    assert_eq!(
        (s[1].target_kind.as_deref(), s[1].target.as_deref()),
        (Some("person"), Some("carol@example.com"))
    );
    assert_eq!(
        (s[1].hold_ms, s[1].hold_count, s[1].queue.as_deref()),
        (Some(20_000), Some(1), Some("support"))
    );
    assert_eq!(s[0].raw_outcome.as_deref(), Some("busy"));
    assert_eq!(
        (c.links[0].kind.as_str(), c.links[0].to_contact.as_str()),
        ("conference", "t1-00000000-0000-4000-8000-00000000000b")
    );
    assert_eq!(rows.recordings.len(), 2);
    let turns = &rows.turns["vcon/t1/00000000-0000-4000-8000-00000000000a/1"];
    let turns: Vec<_> = turns
        .iter()
        .map(|t| (t.leg.as_str(), t.start_ms, t.end_ms))
        .collect();
    assert_eq!(turns, [("agent", 1_000, 3_000), ("customer", 3_500, 5_000)]);
    // Without the transfer the first talk was completed.
    let less = String::from_utf8(capture("made-transfer-and-hold.json"))
        .unwrap()
        .replace("\"transfer\"", "\"other\"");
    assert_eq!(
        parts(only(&fold::told("vcon", &[less.as_bytes()])))[1].2,
        "completed"
    );
}

#[test]
fn what_cannot_be_told_apart_or_read_is_refused_by_name() {
    let class = |name: &str| {
        let (records, dead) = fold::split("vcon", "t1", &capture(name));
        match dead.first() {
            Some(d) => d.class,
            None => {
                assert_eq!(records.len(), 1);
                "read"
            }
        }
    };
    for (name, expected) in [
        ("simple-vcon--vcon-core-draft.json", "unknown_document"),
        ("ab--vcon-core-draft.json", "missing_attribute"),
        (
            "ab-call-ext-rec-encrypted--vcon-core-draft.json",
            "encrypted",
        ),
        ("invalid-empty-vcon--vcon-server.json", "missing_attribute"),
        (
            "invalid-missing-uuid-and-vcon-version--vcon-server.json",
            "missing_attribute",
        ),
        ("invalid-bad-dialog-types--vcon-server.json", "read"),
        ("invalid-bad-duration--vcon-server.json", "read"),
        ("invalid-bad-party-ref--vcon-server.json", "read"),
        (
            "invalid-null-dialog-string-analysis--vcon-server.json",
            "read",
        ),
        ("invalid-null-parties--vcon-server.json", "read"),
        (
            "invalid-out-of-range-party-indices--vcon-server.json",
            "read",
        ),
    ] {
        assert_eq!(class(name), expected, "{name}");
    }
    // A length that is none is not known; it is not 0.
    let rows = told(&["invalid-bad-duration--vcon-server.json"]);
    assert_eq!(only(&rows).segments[0].duration_ms, None);
    let rows = told(&["invalid-out-of-range-party-indices--vcon-server.json"]);
    assert_eq!(
        only(&rows)
            .contact
            .as_ref()
            .unwrap()
            .customer_name
            .as_deref(),
        Some("Test Customer")
    );
}

#[test]
fn any_order_and_repeats_give_the_same_rows() {
    let all: Vec<Record> = fold::captures("vcon")
        .iter()
        .flat_map(|(_, b)| fold::split("vcon", "t1", b).0)
        .collect();
    assert!(all.len() > 12, "{}", all.len());
    fold::stands_any_order(&all);
}

#[test]
fn damage_never_panics() {
    fold::stands_damage("vcon", 3_000);
}

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
