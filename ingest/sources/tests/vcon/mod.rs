//! vCons: what their captures say, cell by cell.

mod out;
mod real;

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
