//! Published vCons that stand beside those of the other tests: older drafts, versions that were sent
//! again, inline sound, mail.

use super::{CALL, capture, told};
use crate::fold::{self, only, parts};

const OLDER: &str = "ab-call-ext-rec--vcon-container-draft.json";
const OLDER_UUID: &str = "0195544a-b9b1-8ee4-b9a2-279e0d16bc46";
const SECOND: i64 = 1_000_000;

#[test]
fn a_call_of_the_older_draft_plain_signed_and_transcribed_is_one_contact() {
    let rows = told(&[
        OLDER,
        "ab-call-ext-rec-signed--vcon-container-draft.json",
        "ab-call-ext-rec-analysis--vcon-container-draft.json",
    ]);
    let c = only(&rows);
    let row = c.contact.as_ref().unwrap();
    assert_eq!(row.contact_id, format!("t1-{OLDER_UUID}"));
    assert_eq!(
        (
            row.channel.as_str(),
            row.customer.as_deref(),
            row.customer_name.as_deref()
        ),
        ("voice", Some("+12345678901"), Some("Alice"))
    );
    assert_eq!(row.started_at.unwrap().0, 1_655_834_006_000_000);
    assert_eq!(row.ended_at.unwrap().0, 1_655_834_039_120_000);
    assert_eq!(row.talk_ms, Some(33_120));
    assert_eq!(parts(c), [("talk", "Bob", "completed", 33_120)]);
    let id = format!("vcon/t1/{OLDER_UUID}/0");
    assert_eq!(rows.recordings.keys().collect::<Vec<_>>(), [&id]);
    let turns = &rows.turns[&id];
    assert_eq!(turns.len(), 18);
    let cells = |n: usize| {
        let t: &callboard_model::tables::TurnRow = &turns[n];
        (t.seq, t.leg.as_str(), t.start_ms, t.end_ms, t.text.as_str())
    };
    assert_eq!(cells(0), (1, "mixed", 1_200, 1_700, "Hello."));
    assert_eq!(cells(1), (2, "mixed", 1_920, 3_280, "This is example.com."));
    assert_eq!(cells(17), (18, "mixed", 31_015, 32_075, "Have a nice day."));
    assert_eq!(turns[0].model.as_deref(), Some("deepgram transcription"));
}

#[test]
fn the_two_drafts_tell_the_same_call_under_two_names() {
    let (older, newer) = (told(&[OLDER]), told(&[CALL]));
    let bare = |rows: &fold::Rows| {
        let c = only(rows);
        let row = c.contact.as_ref().unwrap();
        (
            row.started_at,
            row.ended_at,
            row.customer.clone(),
            c.segments.iter().map(|s| s.duration_ms).collect::<Vec<_>>(),
        )
    };
    assert_eq!(bare(&older), bare(&newer));
    assert_eq!(told(&[OLDER, CALL]).contacts.len(), 2);
}

#[test]
fn of_a_transcript_and_its_redaction_the_redaction_alone_is_shown() {
    let name = "ab-call-ext-rec-with-redact--vcon-core-draft.json";
    let rows = told(&[name]);
    let (_, turns) = rows.turns.iter().next().unwrap();
    assert_eq!(turns.len(), 18);
    let cells: Vec<_> = turns
        .iter()
        .map(|t| (t.leg.as_str(), t.start_ms, t.end_ms, t.text.as_str()))
        .collect();
    // By the clock in the vCon: 17:53:27.2, 0.56 s long, in a recording that began at 17:53:26.
    assert_eq!(cells[0], ("customer", 1_200, 1_760, "Hello."));
    assert_eq!(cells[1], ("customer", 1_760, 3_440, "This is {{URL}}."));
    assert_eq!(cells[17], ("customer", 31_014, 31_894, "Have a nice day."));
    assert_eq!(turns[0].model.as_deref(), Some("CapitalOne dataprofiler"));
    // It stands before a version that was written before it, whichever comes first.
    let earlier = "ab-call-ext-rec-analysis--vcon-core-draft.json";
    for order in [[name, earlier], [earlier, name]] {
        let rows = told(&order);
        let (_, turns) = rows.turns.iter().next().unwrap();
        assert_eq!(turns[1].text, "This is {{URL}}.");
    }
    // Without it the other one is.
    let text = String::from_utf8(capture(name)).unwrap();
    let other = text.replace("transcript-redacted", "other");
    let rows = fold::told("vcon", &[other.as_bytes()]);
    let (_, turns) = rows.turns.iter().next().unwrap();
    assert_eq!(
        (turns[1].start_ms, turns[1].end_ms, turns[1].text.as_str()),
        (1_760, 3_440, "This is example.com.")
    );
}

#[test]
fn sound_inside_the_document_is_a_recording_too() {
    let rows = told(&["ab-call-int-rec--vcon-core-draft.json"]);
    let c = only(&rows);
    assert_eq!(parts(c), [("talk", "Bob", "completed", 4_720)]);
    let row = c.contact.as_ref().unwrap();
    assert_eq!(row.ended_at.unwrap().0, 1_655_834_010_720_000);
    let rec = &rows.recordings["vcon/t1/019f155a-5131-80ec-b9a2-279e0d16bc46/0"];
    assert_eq!(
        (
            rec.state.as_str(),
            rec.leg.as_str(),
            rec.duration_ms,
            rec.codec.as_deref()
        ),
        ("ready", "both", Some(4_720), Some("audio/x-wav"))
    );
    assert!(rows.turns.is_empty());
}

/// Who wrote, to whom, when, and the message's own id.
fn messages(rows: &fold::Rows) -> Vec<(Option<&str>, &str, i64, &str)> {
    let all = only(rows).segments.iter();
    all.map(|s| {
        assert_eq!(
            (s.kind.as_str(), s.outcome.as_deref()),
            ("message", Some("sent"))
        );
        (
            s.agent.as_deref(),
            s.target.as_deref().unwrap(),
            s.started_at.unwrap().0 / SECOND,
            s.name.as_deref().unwrap(),
        )
    })
    .collect()
}

const FIRST: &str = "<1126698042.388315.1663969465698@mail.yahoo.com>";
const ANSWER: &str = "<2031327240.390235.1663969499936@mail.yahoo.com>";

#[test]
fn a_mail_and_its_answer_grow_into_one_thread() {
    let asked = (None, "a@example.com", 1_663_969_465, FIRST);
    let answered = (
        Some("a@example.com"),
        "b@example.com",
        1_663_969_499,
        ANSWER,
    );
    let question = "b-email-acct-prob-image--vcon-core-draft.json";
    let thread = "ab-email-acct-prob-thread--vcon-core-draft.json";
    assert_eq!(messages(&told(&[question])), [asked]);
    for order in [[question, thread], [thread, question]] {
        let rows = told(&order);
        assert_eq!(messages(&rows), [asked, answered]);
        let row = only(&rows).contact.as_ref().unwrap();
        assert_eq!(
            (
                row.channel.as_str(),
                row.customer.as_deref(),
                row.customer_name.as_deref()
            ),
            ("email", Some("b@example.com"), Some("Bob"))
        );
        let subject = row.attributes.as_deref().unwrap();
        assert!(subject.contains("\"subject\":\"Account problem\""));
        assert_eq!(row.ended_at.unwrap().0, 1_663_969_499 * SECOND);
    }
}

#[test]
fn a_follow_up_is_told_again_with_each_answer() {
    let alice = "ab-email-prob-followup-alice--vcon-core-draft.json";
    let bob = "ab-email-prob-followup-bob-reply--vcon-core-draft.json";
    let first = (None, "b@example.com", 1_663_975_499, ANSWER);
    let second = (Some("b@example.com"), "a@example.com", 1_663_976_072, FIRST);
    assert_eq!(messages(&told(&[alice])), [first]);
    assert_eq!(messages(&told(&[alice, bob])), [first, second]);
    let all = told(&[
        alice,
        bob,
        "ab-email-prob-followup-text-thread--vcon-core-draft.json",
    ]);
    assert_eq!(messages(&all).len(), 3);
}

#[test]
fn a_generated_call_with_roles_tells_agent_customer_and_words() {
    let rows = told(&["generated-call-11ca4148--vcon-server.json"]);
    let c = only(&rows);
    let agent = "brian.martinez@gardeningservice.com";
    assert_eq!(parts(c), [("talk", agent, "completed", 54_264)]);
    assert_eq!(c.segments[0].raw_outcome.as_deref(), Some("ANSWERED"));
    let row = c.contact.as_ref().unwrap();
    assert_eq!(
        (
            row.direction.as_deref(),
            row.customer.as_deref(),
            row.customer_name.as_deref()
        ),
        (
            Some("inbound"),
            Some("+18416977122"),
            Some("Samantha Collins")
        )
    );
    // Its times have no zone; they are UTC.
    assert_eq!(row.started_at.unwrap().0, 1_710_572_831_240_727);
    assert_eq!(row.ended_at.unwrap().0, 1_710_572_885_504_727);
    let (id, turns) = rows.turns.iter().next().unwrap();
    assert_eq!(id, "vcon/t1/11ca4148-6369-41fc-a3ac-476c31cf9740/0");
    assert_eq!(turns.len(), 11);
    let legs: Vec<&str> = turns.iter().map(|t| t.leg.as_str()).collect();
    let alternate = ["agent", "customer"].iter().cycle().take(11);
    assert!(legs.iter().eq(alternate), "{legs:?}");
    assert_eq!(turns[1].text, "Hi, I'm Samantha Collins.");
    assert_eq!(rows.recordings[id].agent.as_deref(), Some(agent));
}
