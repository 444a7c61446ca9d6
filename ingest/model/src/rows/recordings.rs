//! Rows of a recording with its transcript and tags, of notes and of surveys.

use crate::cloudevents::data::TranscriptData;
use crate::merge::{Facts, State};
use crate::statement::{F, Thing};
use crate::tables::{Day, Instant, NoteRow, RecordingRow, SurveyRow, TagRow, TurnRow};

/// All rows of one recording.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RecordingRows {
    /// Its own row; `None` when nothing says that there is a recording.
    pub recording: Option<RecordingRow>,
    /// Turns of the transcript that stands.
    pub turns: Vec<TurnRow>,
    /// Tags of that transcript.
    pub tags: Vec<TagRow>,
}

/// Makes a recording's rows.
pub fn recording_rows(recording_id: &str, state: &State) -> RecordingRows {
    let Some(f) = state.get(&Thing::Recording) else {
        return RecordingRows::default();
    };
    let sha256 = f.owned(&F::Sha256);
    // Those that were made on a file which was replaced since say nothing of this one.
    let of_this = |attempted: &Facts| {
        let heard = attempted.text(&F::Sha256);
        heard.is_none() || sha256.is_none() || heard == sha256.as_deref()
    };
    let attempts = state
        .iter()
        .filter(|(t, f)| {
            matches!(t, Thing::Attempt(_)) && f.text(&F::State) != Some("stopped") && of_this(f)
        })
        .count() as i64;
    // A transcript belongs to the file that was heard: of one that took its place it tells nothing.
    let transcript: Option<TranscriptData> = f
        .text(&F::Transcript)
        .and_then(|t| serde_json::from_str(t).ok())
        .filter(|t: &TranscriptData| t.sha256.is_none() || sha256.is_none() || t.sha256 == sha256);
    let t = transcript.as_ref();
    let contact_id = f
        .owned(&F::Contact)
        .or_else(|| t.and_then(|t| t.contact_id.clone()))
        .unwrap_or_else(|| recording_id.split('/').next().unwrap_or("").to_owned());
    let start = f.time(&F::Start).map(|t| Instant(t.0));
    let end = f.time(&F::End).map(|t| Instant(t.0));
    let first_attempt = state
        .iter()
        .filter(|(thing, _)| matches!(thing, Thing::Attempt(_)))
        .filter_map(|(_, f)| f.time(&F::At))
        .map(|t| Instant(t.0))
        .min();
    let day = start.or(end).or(first_attempt).map_or(Day(0), Instant::day);
    let model = t.and_then(|t| t.model.clone());

    let turns: Vec<TurnRow> = t
        .and_then(|t| t.turns.as_ref())
        .into_iter()
        .flatten()
        .enumerate()
        .map(|(i, turn)| TurnRow {
            recording_id: recording_id.to_owned(),
            contact_id: contact_id.clone(),
            leg: turn.leg.clone(),
            seq: turn.seq.unwrap_or(i as i64 + 1),
            start_ms: turn.start_ms,
            end_ms: turn.end_ms,
            text: turn.text.clone(),
            confidence: turn.confidence,
            sentiment: turn.sentiment,
            words: serde_json::to_string(&turn.words)
                .ok()
                .filter(|w| w != "[]"),
            model: model.clone(),
            started_at: start,
            day,
        })
        .collect();
    let tags = t
        .and_then(|t| t.tags.as_ref())
        .into_iter()
        .flatten()
        .map(|tag| TagRow {
            recording_id: recording_id.to_owned(),
            contact_id: contact_id.clone(),
            leg: tag.leg.clone(),
            kind: tag.kind.clone(),
            name: tag.name.clone(),
            start_ms: tag.start_ms,
            end_ms: tag.end_ms,
            evidence: tag.evidence.clone(),
            turn_seq: tag.turn_seq,
            score: tag.score,
            rule_version: tag.rule_version.clone(),
            day,
        })
        .collect();
    let silenced = t
        .and_then(|t| t.silenced.as_ref())
        .filter(|s| !s.is_empty())
        .and_then(|s| serde_json::to_string(s).ok());
    // A file is ready until somebody has tried to hear it.
    let stated = f.owned(&F::State).unwrap_or_else(|| "active".to_owned());
    let unreadable = stated == "ready" && t.is_some_and(|t| t.unreadable == Some(true));
    let (recorded, reason) = match t.filter(|_| unreadable) {
        Some(t) => ("failed".to_owned(), t.reason.clone()),
        None => (stated, f.owned(&F::Reason)),
    };
    let recording = RecordingRow {
        recording_id: recording_id.to_owned(),
        contact_id,
        leg: f
            .owned(&F::Leg)
            .unwrap_or_else(|| recording_id.rsplit('/').next().unwrap_or("").to_owned()),
        queue: f.owned(&F::Queue),
        agent: f.owned(&F::Agent),
        codec: t
            .and_then(|t| t.codec.clone())
            .or_else(|| f.owned(&F::Codec)),
        rate: t.and_then(|t| t.rate).or_else(|| f.int(&F::Rate)),
        channels: t.and_then(|t| t.channels).or_else(|| f.int(&F::Channels)),
        duration_ms: t
            .and_then(|t| t.duration_ms)
            .or_else(|| f.int(&F::Duration)),
        bytes: f.int(&F::Bytes),
        sha256,
        state: recorded,
        reason,
        started_at: start,
        ended_at: end,
        voicemail: f.flag(&F::Voicemail),
        gaps: f.owned(&F::Gaps),
        silenced,
        transcript_state: t.and_then(|t| t.state.clone()),
        transcript_reason: t.and_then(|t| t.reason.clone()),
        transcript_model: model,
        attempts,
        day,
    };
    RecordingRows {
        recording: Some(recording),
        turns,
        tags,
    }
}

/// The row of a note; a withdrawn one has an empty text.
pub fn note_rows(note_id: &str, state: &State) -> Vec<NoteRow> {
    let Some(f) = state.get(&Thing::Note) else {
        return Vec::new();
    };
    let created_at = f.time(&F::At).map(|t| Instant(t.0));
    vec![NoteRow {
        note_id: note_id.to_owned(),
        contact_id: f.owned(&F::Contact).unwrap_or_default(),
        leg: f.owned(&F::Leg),
        turn_seq: f.int(&F::Turn),
        at_ms: f.int(&F::Offset),
        author: f.owned(&F::Author).unwrap_or_default(),
        text: f.owned(&F::Text).unwrap_or_default(),
        created_at,
        day: created_at.map_or(Day(0), Instant::day),
    }]
}

/// The row of a survey answer.
pub fn survey_rows(survey_id: &str, state: &State) -> Vec<SurveyRow> {
    let Some(f) = state.get(&Thing::Survey) else {
        return Vec::new();
    };
    let asked_at = f.time(&F::At).map(|t| Instant(t.0));
    let answered_at = f.time(&F::AnsweredAt).map(|t| Instant(t.0));
    vec![SurveyRow {
        survey_id: survey_id.to_owned(),
        contact_id: f.owned(&F::Contact),
        queue: f.owned(&F::Queue),
        agent: f.owned(&F::Agent),
        kind: f.owned(&F::Kind).unwrap_or_default(),
        question: f.owned(&F::Question),
        value: f.float(&F::Number),
        scale_min: f.float(&F::ScaleMin),
        scale_max: f.float(&F::ScaleMax),
        text: f.owned(&F::Text),
        status: f.owned(&F::State),
        asked_at,
        answered_at,
        day: asked_at.or(answered_at).map_or(Day(0), Instant::day),
    }]
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;
    use crate::cloudevents::data::RecordingData;
    use crate::cloudevents::words::{Leg, RecordingState};
    use crate::cloudevents::{CloudEvent, read};
    use crate::statement::Statement;

    fn says(kind: &str, at: i64, data: impl Serialize) -> Vec<Statement> {
        let id = format!("{kind}{at}");
        let event = CloudEvent::new("/t", &id, kind, 1_772_442_904_000_000 + at, data);
        let record = event.record(0).unwrap();
        read(&record).unwrap().statements.unwrap()
    }

    fn file(at: i64, sha256: &str) -> Vec<Statement> {
        let data = RecordingData {
            recording_id: Some("c/both".into()),
            contact_id: Some("c".into()),
            leg: Some(Leg::Both),
            state: Some(RecordingState::Ready),
            sha256: Some(sha256.into()),
            ..RecordingData::default()
        };
        says("callboard.recording.recorded", at, data)
    }

    #[test]
    fn a_file_without_sound_is_failed_until_another_takes_its_place() {
        let heard = TranscriptData {
            recording_id: Some("c/both".into()),
            state: Some("failed".into()),
            reason: Some("no samples".into()),
            sha256: Some("bad".into()),
            unreadable: Some(true),
            ..TranscriptData::default()
        };
        let heard = says("callboard.transcript.recorded", 5, heard);
        let row = |statements: &[Vec<Statement>]| {
            let state = State::of(statements.iter().flatten());
            recording_rows("c/both", &state).recording.unwrap()
        };
        let bad = row(&[file(1, "bad"), heard.clone()]);
        assert_eq!(bad.state, "failed");
        assert_eq!(bad.reason.as_deref(), Some("no samples"));
        assert_eq!(bad.transcript_state.as_deref(), Some("failed"));
        // The good file was written before anybody had tried the bad one.
        let good = row(&[file(1, "bad"), heard, file(3, "good")]);
        assert_eq!((good.state.as_str(), good.reason), ("ready", None));
        assert_eq!(good.transcript_state, None, "it is still to be heard");
    }
}
