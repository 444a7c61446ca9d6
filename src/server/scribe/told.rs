//! What a transcribed conversation says of one of its recordings.

use callboard_ingest::pipeline::hex;
use callboard_model::cloudevents::data::{Gap, TagData, TranscriptData, TurnData, WordData};
use callboard_model::tables::RecordingRow;
use callboard_transcribe::{Conversation, Leg};
use sha2::{Digest as _, Sha256};

/// The transcript of the recording's own legs.
pub(super) fn told(row: &RecordingRow, c: &Conversation) -> TranscriptData {
    let own = leg_of(row);
    let mine = |leg: Leg| own == Leg::Both || leg == own || leg == Leg::Both;
    let mut data = facts(row, c);
    data.state = Some("done".to_owned());
    data.reason = odd(row, c);
    data.turns = Some(
        c.turns
            .iter()
            .filter(|t| mine(t.leg))
            .map(|t| TurnData {
                leg: leg_name(t.leg).to_owned(),
                seq: Some(i64::from(t.seq) + 1),
                start_ms: t.start_ms as i64,
                end_ms: t.end_ms as i64,
                text: t.text.clone(),
                confidence: Some(f64::from(t.confidence)),
                sentiment: Some(t.sentiment.compound),
                words: t
                    .words
                    .iter()
                    .map(|w| WordData {
                        w: w.text.clone(),
                        s: w.start_ms as i64,
                        e: w.end_ms as i64,
                        p: (f64::from(w.p) * 1000.0).round() / 1000.0,
                    })
                    .collect(),
            })
            .collect(),
    );
    let mut tags: Vec<TagData> = c
        .tags
        .iter()
        .filter(|t| mine(t.leg))
        .map(|t| TagData {
            kind: t.kind.clone(),
            name: t.name.clone(),
            leg: Some(leg_name(t.leg).to_owned()),
            start_ms: Some(t.start_ms as i64),
            end_ms: Some(t.end_ms as i64),
            evidence: Some(t.evidence.clone()),
            turn_seq: Some(i64::from(t.turn) + 1),
            score: None,
            rule_version: Some(c.rule_version.clone()),
        })
        .collect();
    for r in c.redactions.iter().filter(|r| mine(r.leg)) {
        tags.push(TagData {
            kind: "redaction".to_owned(),
            name: r.entity.mask().trim_matches(['[', ']']).to_lowercase(),
            leg: Some(leg_name(r.leg).to_owned()),
            start_ms: Some(r.span.start_ms as i64),
            end_ms: Some(r.span.end_ms as i64),
            rule_version: Some(c.rule_version.clone()),
            ..TagData::default()
        });
    }
    data.tags = Some(tags);
    data.silenced = Some(
        c.silent_spans(own)
            .iter()
            .map(|s| Gap {
                start_ms: s.start_ms as i64,
                end_ms: s.end_ms as i64,
                reason: "card number or security code".to_owned(),
            })
            .collect(),
    );
    data
}

/// What is odd about audio that was transcribed all the same: both channels alike, cut short.
fn odd(row: &RecordingRow, c: &Conversation) -> Option<String> {
    let notes: Vec<&str> = c
        .audio
        .iter()
        .filter(|a| a.leg == leg_of(row))
        .flat_map(|a| a.notes.iter().map(String::as_str))
        .collect();
    (!notes.is_empty()).then(|| notes.join("; "))
}

/// Which recording is meant, and which file of it was heard.
pub(super) fn of(row: &RecordingRow) -> TranscriptData {
    TranscriptData {
        recording_id: Some(row.recording_id.clone()),
        contact_id: Some(row.contact_id.clone()),
        sha256: row.sha256.clone(),
        ..TranscriptData::default()
    }
}

/// Whether these bytes are the file of which the row speaks.
pub(in crate::server) fn is_file_of(row: &RecordingRow, bytes: &[u8]) -> bool {
    row.sha256
        .as_deref()
        .is_none_or(|told| told == hex(&Sha256::digest(bytes)))
}

/// What is known of the audio and of what transcribed it.
pub(super) fn facts(row: &RecordingRow, c: &Conversation) -> TranscriptData {
    let audio = c
        .audio
        .iter()
        .find(|a| a.leg == leg_of(row))
        .or(c.audio.first());
    TranscriptData {
        model: Some(format!("{} rules {}", c.engine.model, c.rule_version)),
        codec: audio.map(|a| a.codec.clone()),
        rate: audio.map(|a| i64::from(a.rate)),
        channels: audio.map(|a| i64::from(a.channels)),
        duration_ms: audio.map(|a| a.duration_ms as i64),
        ..of(row)
    }
}

pub(super) fn leg_of(row: &RecordingRow) -> Leg {
    match row.leg.as_str() {
        "agent" => Leg::Agent,
        "customer" => Leg::Customer,
        _ => Leg::Both,
    }
}

fn leg_name(leg: Leg) -> &'static str {
    match leg {
        Leg::Both => "mixed",
        other => other.name(),
    }
}
