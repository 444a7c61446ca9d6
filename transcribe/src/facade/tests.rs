//! The whole pipeline with the real models, on one recorded call of 34 seconds.

use super::*;
use crate::prepare::LegInput;
use std::path::{Path, PathBuf};

fn datasets() -> PathBuf {
    Path::new("../datasets").to_owned()
}

#[test]
fn a_recorded_call_becomes_a_conversation_without_its_card() {
    let models = datasets().join("models");
    let mut engine = EngineConfig::new(
        models.join("ggml-tiny.en-q8_0.bin"),
        models.join("ggml-silero-v6.2.0.bin"),
    );
    engine.threads = 1;
    let keywords = vec![KeywordList {
        name: "payment".into(),
        phrases: vec!["pay my bill".into()],
        leg: Some(Leg::Customer),
    }];
    let config = TranscriberConfig {
        engine,
        limits: Limits::default(),
        keywords,
    };
    let transcriber = Transcriber::start(config).unwrap();
    let file = |side: &str| {
        let path = datasets().join(format!(
            "shift-asterisk/recordings/billing-1795253963.9-{side}.flac"
        ));
        std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    };
    let input = RecordingInput::new(vec![
        LegInput::new(Leg::Customer, file("rx")),
        LegInput::new(Leg::Agent, file("tx")),
    ]);
    let mut marks = Vec::new();
    let conversation = transcriber
        .transcribe_with(&input, &Cancel::default(), &mut |p| marks.push(p))
        .unwrap();
    assert!(
        marks
            .last()
            .is_some_and(|p| p.done_ms == p.speech_ms && p.done_ms > 10_000),
        "{marks:?}"
    );
    // Spoken at 13.1 to 18.0 s (the number), 18.4 to 24.1 s (the agent repeats it), 27 s (the code).
    let text: String = conversation
        .turns
        .iter()
        .map(|t| format!("{}: {}\n", t.leg, t.text))
        .collect();
    assert!(
        !text.contains("5555") && !text.to_lowercase().contains("five five"),
        "{text}"
    );
    assert!(
        !serde_json::to_string(&conversation)
            .unwrap()
            .contains("5555")
    );
    assert!(
        text.matches("[CARD]").count() >= 2 && text.contains("[CODE]"),
        "{text}"
    );
    for leg in [Leg::Customer, Leg::Agent] {
        let silent = conversation.silent_spans(leg);
        for (from, to) in [(13_150, 17_900), (19_500, 24_000), (26_900, 27_500)] {
            for ms in (from..to).step_by(100) {
                assert!(
                    silent.iter().any(|s| s.start_ms <= ms && ms < s.end_ms),
                    "{leg} at {ms}: {silent:?}"
                );
            }
        }
    }
    assert!(
        conversation
            .turns
            .iter()
            .any(|t| t.leg == Leg::Agent && t.start_ms < 3_000)
    );
    assert!(
        conversation
            .tags
            .iter()
            .any(|t| t.name == "payment" && t.start_ms < 9_000),
        "{:?}",
        conversation.tags
    );
    let mut seqs = conversation.turns.iter().map(|t| (t.start_ms, t.seq));
    assert!(
        seqs.clone()
            .all(|(_, s)| (s as usize) < conversation.turns.len())
            && seqs.by_ref().is_sorted()
    );

    // Cancelled before it begins: no half conversation.
    let cancel = Cancel::default();
    cancel.cancel();
    let stopped = transcriber.transcribe_with(&input, &cancel, &mut |_| {});
    assert!(
        matches!(stopped, Err(TranscribeError::Stopped(_))),
        "{:?}",
        stopped.map(|c| c.turns.len())
    );
}
