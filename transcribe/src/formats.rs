//! A conversation as text, WebVTT or JSON.

use crate::Leg;
use crate::facade::Conversation;
use std::fmt::Write;

fn speaker(leg: Leg) -> &'static str {
    match leg {
        Leg::Agent => "Agent",
        Leg::Customer => "Customer",
        Leg::Both => "Speaker",
    }
}

fn clock(ms: u64) -> String {
    format!(
        "{:02}:{:02}:{:02}.{:03}",
        ms / 3_600_000,
        ms / 60_000 % 60,
        ms / 1_000 % 60,
        ms % 1_000
    )
}

/// One line a turn: `00:00:13.050 Customer: ...`. Notes about the files come first, with `#`.
pub fn to_text(conversation: &Conversation) -> String {
    let mut out = String::new();
    for facts in &conversation.audio {
        for note in &facts.notes {
            let _ = writeln!(out, "# {}: {note}", facts.leg);
        }
    }
    for (leg, _, reason) in &conversation.failed {
        let _ = writeln!(out, "# {leg}: {reason}");
    }
    for turn in &conversation.turns {
        let _ = writeln!(
            out,
            "{} {}: {}",
            clock(turn.start_ms),
            speaker(turn.leg),
            turn.text
        );
    }
    out
}

/// WebVTT with a voice for each speaker: starts never go back, every cue has a length.
pub fn to_vtt(conversation: &Conversation) -> String {
    let mut out = String::from("WEBVTT\n");
    for turn in &conversation.turns {
        let text = turn
            .text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        let end = turn.end_ms.max(turn.start_ms + 1);
        let (from, to) = (clock(turn.start_ms), clock(end));
        let _ = write!(
            out,
            "\n{}\n{from} --> {to}\n<v {}>{text}</v>\n",
            turn.seq + 1,
            speaker(turn.leg)
        );
    }
    out
}

/// All of it as one JSON object.
///
/// # Errors
/// Only when a number cannot be written, which does not happen with what [`crate::Transcriber`]
/// returns.
pub fn to_json(conversation: &Conversation) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(conversation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::EngineFacts;
    use crate::tags::sentiment::call_sentiment;
    use crate::turns::testing::turn;

    fn conversation() -> Conversation {
        let mut second = turn(Leg::Customer, 3_723_004, 3_724_000, "<b> a --> b & c");
        second.seq = 1;
        let turns = vec![turn(Leg::Agent, 0, 900, "hello there"), second];
        Conversation {
            sentiment: call_sentiment(&turns),
            turns,
            tags: Vec::new(),
            redactions: Vec::new(),
            speech: Vec::new(),
            audio: Vec::new(),
            failed: vec![(Leg::Agent, "empty".into(), "the file is empty".into())],
            dropped: crate::turns::Dropped::default(),
            engine: EngineFacts {
                model: "m".into(),
                model_sha256: String::new(),
                vad_sha256: String::new(),
                engine: String::new(),
                decoding: String::new(),
            },
            rule_version: "1".into(),
            timings: crate::facade::Timings::default(),
        }
    }

    #[test]
    fn all_three_forms() {
        let c = conversation();
        assert_eq!(
            to_text(&c),
            "# agent: the file is empty\n00:00:00.000 Agent: Hello there.\n01:02:03.004 Customer: <b> a --> b & c.\n"
        );
        assert_eq!(
            to_vtt(&c),
            "WEBVTT\n\n1\n00:00:00.000 --> 00:00:00.900\n<v Agent>Hello there.</v>\n\n2\n01:02:03.004 --> 01:02:04.000\n<v Customer>&lt;b&gt; a --&gt; b &amp; c.</v>\n"
        );
        let back: Conversation = serde_json::from_str(&to_json(&c).unwrap()).unwrap();
        assert_eq!(back.turns.len(), 2);
        assert_eq!(back.turns[1].text, c.turns[1].text);
    }
}
