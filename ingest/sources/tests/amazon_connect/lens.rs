//! Contact Lens, chats, evaluations, rules.

use callboard_model::tables::{Instant, TagRow};

use super::fold::{Rows, altered, at, capture, made_all, named, records, rows, told};

const VOICE: &str = "contact-lens-voice-original--admin-guide.json";
const REDACTED: &str = "contact-lens-voice-redacted--admin-guide.json";
const CHAT: &str = "contact-lens-chat-original--admin-guide.json";
const FILE: &str = "Analysis/Voice/2026/03/02/c-1_analysis_2026-03-02T09:01:10Z.json";

/// A file with the instance that the door declares: the body names the account only.
fn file(capture_name: &str, name: &str) -> Rows {
    rows(&file_records(capture_name, name))
}

fn file_records(capture_name: &str, name: &str) -> Vec<callboard_model::record::Record> {
    let declared = callboard_sources::adapter::Declared {
        instance: "i-1".into(),
        name: name.into(),
        ..Default::default()
    };
    let (records, dead) = super::fold::split(&capture(capture_name), &declared);
    assert!(dead.is_empty(), "{dead:?}");
    records
}

fn tags<'r>(tags: &'r [TagRow], kind: &str) -> Vec<&'r TagRow> {
    tags.iter().filter(|t| t.kind == kind).collect()
}

/// Section 0: Transcription, keywords, sentiment, categories.
#[test]
fn a_calls_file_becomes_turns_and_tags() {
    let rows = file(VOICE, FILE);
    let heard = &rows.recordings["i-1-c-1/both"];
    let recording = heard.recording.as_ref().unwrap();
    assert_eq!(
        (&*recording.contact_id, &*recording.state),
        ("i-1-c-1", "ready")
    );
    assert_eq!(recording.transcript_state.as_deref(), Some("done"));
    let model = recording.transcript_model.as_deref();
    assert_eq!(model, Some("contact-lens VOICE-2022-11-30"));
    assert_eq!(recording.duration_ms, Some(32_110));
    assert_eq!(heard.turns.len(), 10);
    let turn = &heard.turns[3];
    assert_eq!(
        (&*turn.leg, turn.seq, turn.start_ms, turn.end_ms),
        ("customer", 4, 7_370, 11_190)
    );
    assert_eq!(
        turn.text,
        "I need to cancel. I want to cancel my plan subscription."
    );
    assert_eq!(turn.sentiment, Some(-1.0));
    let found = tags(&heard.tags, "summary");
    let what: Vec<_> = found.iter().map(|t| (&*t.name, t.turn_seq)).collect();
    assert_eq!(
        what,
        [
            ("issue", Some(4)),
            ("outcome", Some(7)),
            ("action_item", Some(9))
        ]
    );
    let issue = found[0].evidence.as_deref();
    assert_eq!(
        issue,
        Some("I need to cancel. I want to cancel my plan subscription")
    );
    let moods = tags(&heard.tags, "sentiment");
    let overall: Vec<_> = moods
        .iter()
        .filter(|t| t.name == "overall")
        .map(|t| (t.leg.as_deref(), t.score))
        .collect();
    assert_eq!(
        overall,
        [(Some("agent"), Some(0.0)), (Some("customer"), Some(0.62))]
    );
    assert_eq!(moods.iter().filter(|t| t.name == "quarter").count(), 8);
    assert_eq!(tags(&heard.tags, "redaction").len(), 2);
    let measures = tags(&heard.tags, "measure");
    let speed = measures
        .iter()
        .find(|t| t.name == "words_per_minute" && t.leg.as_deref() == Some("agent"));
    assert_eq!(speed.unwrap().score, Some(239.0));
    let changed = String::from_utf8(capture(VOICE))
        .unwrap()
        .replace("\"NEGATIVE\"", "\"POSITIVE\"");
    let (changed, _) = named(changed.as_bytes(), FILE);
    let changed = super::fold::rows(&changed);
    let turn = &changed.recordings.values().next().unwrap().turns[3];
    assert_eq!(turn.sentiment, Some(1.0));
}

#[test]
fn a_calls_file_without_its_name_says_why_it_cannot_be_read() {
    // The account is no instance: the contact is named by its own id, which its aliases know.
    let (found, _) = named(&capture(VOICE), FILE);
    assert_eq!(
        &*found[0].source,
        "/amazon-connect/your AWS account ID/contact-lens"
    );
    let heard = &rows(&found).recordings["c-1/both"];
    assert_eq!(heard.turns[0].contact_id, "c-1");
    let (records, dead) = named(&capture(VOICE), "upload.json");
    assert_eq!(records.len(), 0);
    assert_eq!(dead[0].class, "missing_attribute");
    assert!(dead[0].reason.contains("_analysis_"), "{}", dead[0].reason);
    // A field that somebody put in does as well.
    let text = String::from_utf8(capture(VOICE)).unwrap();
    let text = text.replacen('{', "{\"ContactId\":\"c-1\",\"InstanceId\":\"i-1\",", 1);
    let rows = rows(&super::fold::records(text.as_bytes()));
    assert!(rows.recordings.contains_key("i-1-c-1/both"));
}

#[test]
fn of_two_files_the_redacted_one_stands() {
    let mut all = file_records(VOICE, FILE);
    all.extend(file_records(
        REDACTED,
        "c-1_analysis_redacted_2026-03-02T09:01:10Z.json",
    ));
    for _ in 0..2 {
        all.reverse();
        let rows = rows(&all);
        let heard = &rows.recordings["i-1-c-1/both"];
        let text: String = heard.turns.iter().map(|t| &*t.text).collect();
        assert!(text.contains("[PII]") && !text.contains("Peter"), "{text}");
    }
}

#[test]
fn a_chats_file_becomes_turns_with_times() {
    let declared_by_body = records(&capture(CHAT));
    let rows = rows(&declared_by_body);
    let (id, heard) = rows.recordings.iter().next().unwrap();
    assert!(id.ends_with("/chat"), "{id}");
    assert_eq!(rows.recordings.len(), 1);
    let last = heard.turns.last().unwrap();
    assert_eq!(
        (&*last.leg, &*last.text),
        ("agent", "Ok great! Have a great day.")
    );
    assert!(
        heard
            .turns
            .windows(2)
            .all(|w| w[0].start_ms <= w[1].start_ms)
    );
    let found = tags(&heard.tags, "category");
    assert_eq!(found[0].name, "agent-intro");
    assert!(found[0].turn_seq.is_some());
    let greeting = heard.tags.iter().find(|t| t.name == "greeting_ms").unwrap();
    assert_eq!(greeting.score, Some(2511.0));
    let text = String::from_utf8(capture(CHAT)).unwrap();
    let other = text
        .replace("Have a great day.", "Bye.")
        .replace("2511", "9");
    let other = super::fold::rows(&records(other.as_bytes()));
    let changed = other.recordings.values().next().unwrap();
    assert_eq!(changed.turns.last().unwrap().text, "Ok great! Bye.");
    assert_eq!(changed.turns.len(), heard.turns.len());
    let greeting = changed.tags.iter().find(|t| t.name == "greeting_ms");
    assert_eq!(greeting.unwrap().score, Some(9.0));
}

#[test]
fn live_segments_become_one_transcript_in_any_order() {
    let mut all = made_all(&["lens-live"]);
    let begun = rows(&all[..2]);
    let heard = &begun.recordings["i-1-c-1/both"];
    assert_eq!(heard.recording.as_ref().unwrap().state, "active");
    assert_eq!(heard.turns.len(), 1, "what is still guessed is no turn");
    for _ in 0..all.len() {
        all.rotate_left(1);
        let rows = rows(&all);
        let heard = &rows.recordings["i-1-c-1/both"];
        assert_eq!(heard.recording.as_ref().unwrap().state, "ready");
        let texts: Vec<_> = heard.turns.iter().map(|t| &*t.text).collect();
        assert_eq!(texts, ["Hello, Example Corp.", "My invoice is wrong."]);
        let issue = heard.tags.iter().find(|t| t.name == "issue").unwrap();
        assert_eq!(issue.evidence.as_deref(), Some("invoice"));
        let billing = tags(&heard.tags, "category");
        assert_eq!(
            (&*billing[0].name, billing[0].start_ms),
            ("Billing", Some(1_700))
        );
        let summary = heard.tags.iter().find(|t| t.name == "contact").unwrap();
        assert!(summary.evidence.as_deref().unwrap().contains("invoice"));
    }
    let other = altered("lens-live", "NEGATIVE", "POSITIVE");
    let turns = &other.recordings["i-1-c-1/both"].turns;
    assert_eq!(turns[1].sentiment, Some(1.0));
    // The file that comes after the call stands before them.
    all.extend(file_records(VOICE, FILE));
    assert_eq!(rows(&all).recordings["i-1-c-1/both"].turns.len(), 10);
}

#[test]
fn the_published_live_segments_are_read() {
    for (name, turns) in [
        ("segments", 2),
        ("started", 0),
        ("completed", 0),
        ("failed", 0),
    ] {
        let rows = rows(&records(&capture(&format!(
            "contact-lens-realtime-{name}--admin-guide.json"
        ))));
        let heard = rows.recordings.values().next().unwrap();
        assert_eq!(heard.turns.len(), turns, "{name}");
        let state = heard.recording.as_ref().unwrap().transcript_state.clone();
        let failed = name == "failed";
        assert_eq!(
            state.as_deref(),
            Some(if failed { "failed" } else { "done" })
        );
    }
}

#[test]
fn a_streamed_chat_message_is_a_turn() {
    let all = records(&capture("chat-streaming-sns-message--admin-guide.json"));
    let rows = rows(&all);
    let heard = rows.recordings.values().next().unwrap();
    assert_eq!(
        (&*heard.turns[0].text, &*heard.turns[0].leg),
        ("help", "customer")
    );
}

#[test]
fn an_analysis_that_failed_is_told_until_a_file_comes() {
    let all = records(&capture(
        "contact-lens-analysis-state-change--admin-guide.json",
    ));
    let rows = rows(&all);
    let (id, heard) = rows.recordings.iter().next().unwrap();
    assert_eq!(
        id,
        "abcd1234-defg-5678-h9j0-7c822889931e-efgh4567-pqrs-5678-t9c0-111111111111/both"
    );
    let recording = heard.recording.as_ref().unwrap();
    assert_eq!(recording.transcript_state.as_deref(), Some("failed"));
    let why = recording.transcript_reason.as_deref();
    assert_eq!(why, Some("RECORDING_FILE_CANNOT_BE_READ"));
}

#[test]
fn an_evaluation_is_a_note_with_its_score_and_answers() {
    let rows = rows(&records(&capture("evaluation-export--admin-guide.json")));
    let note = &rows.notes[0];
    assert_eq!(
        note.note_id,
        "8f753c94-9cd2-4f16-85eb-945f7f0d559a-fb90de35-4507-479a-8b57-970290fd5c2c"
    );
    assert_eq!(
        note.contact_id,
        "8f753c94-9cd2-4f16-85eb-945f7f0d559a-badd4896-75f7-43b3-bee6-c617ed3d04cb"
    );
    assert_eq!(note.author, "jane");
    let lines: Vec<_> = note.text.lines().collect();
    assert_eq!(lines[0], "Compliance Evaluation Form (version 2): 100 %");
    assert!(
        note.text
            .contains("Did the agent introduce themselves? Yes (100 %)"),
        "{}",
        note.text
    );
    assert!(
        note.text
            .contains("between 1 and 10? not applicable (not applicable)")
    );
    assert!(
        note.text
            .contains("Describe the outcome. Example answer text")
    );
    // Handed in again it replaces the former, whichever comes first.
    let text = String::from_utf8(capture("evaluation-export--admin-guide.json")).unwrap();
    let again = text
        .replace("2022-11-14T17:59:29.052Z", "2022-11-15T08:00:00.000Z")
        .replace(
            "\"score\": { \"percentage\": 100 }\n  }",
            "\"score\": { \"percentage\": 80, \"automaticFail\": true }\n  }",
        );
    let mut both = records(again.as_bytes());
    both.extend(records(text.as_bytes()));
    let rows = super::fold::rows(&both);
    assert_eq!(rows.notes.len(), 1);
    assert!(
        rows.notes[0]
            .text
            .starts_with("Compliance Evaluation Form (version 2): 80 %, automatic fail")
    );
}

#[test]
fn a_rule_that_matched_is_a_note_and_a_rule_that_failed_is_kept_only() {
    for name in ["post-call", "realtime"] {
        let found = rows(&records(&capture(&format!(
            "contact-lens-{name}-rules-matched--admin-guide.json"
        ))));
        assert_eq!(found.notes[0].contact_id, "instance-ARN-contact-ARN");
        assert!(
            found.notes[0]
                .text
                .contains("ACCOUNT_CANCELLATION (NOTIFY_CUSTOMER_RETENTION)")
        );
    }
    for name in [
        "rules-action-execution-failed--admin-guide.json",
        "case-event--admin-guide.json",
    ] {
        let kept = records(&capture(name));
        assert_eq!(&*kept[0].format, "amazon-connect/other");
        assert_eq!(rows(&kept), Rows::default());
    }
}

#[test]
fn a_screen_recording_lies_with_the_platform() {
    let rows = told("screen-recording");
    let screen = rows.recordings["i-1-c-1/screen"]
        .recording
        .as_ref()
        .unwrap();
    assert_eq!(
        (&*screen.state, screen.duration_ms),
        ("absent", Some(135_000))
    );
    assert_eq!(screen.started_at, Some(Instant(at(70.0))));
    let failed = altered("screen-recording", "PUBLISHED", "FAILED");
    let screen = failed.recordings["i-1-c-1/screen"]
        .recording
        .as_ref()
        .unwrap();
    assert_eq!(screen.state, "failed");
}
