//! What arrives beside contacts, under keys of its own: recordings with their transcripts,
//! reviewers' notes, answers to surveys.

use super::super::data::{NoteData, RecordingData, SurveyData, TranscriptData};
use super::super::words::RecordingState;
use super::{Said, Says, bounded, direct, missing, required};
use crate::ids::Key;
use crate::record::Refusal;
use crate::statement::{F, Thing, Value};

impl Says<'_> {
    pub(super) fn recording(&self, d: &RecordingData) -> Said {
        let contact = required("contact_id", d.contact_id.as_deref())?;
        let leg = d.leg.ok_or_else(|| missing("leg"))?;
        let id = match d.recording_id.as_deref() {
            Some(id) => required("recording_id", Some(id))?.to_owned(),
            None => format!("{contact}/{leg}"),
        };
        let state = match (d.state, self.verb) {
            (Some(s), _) => s.as_str(),
            (None, "started") => RecordingState::Active.as_str(),
            (None, "recorded") => RecordingState::Ready.as_str(),
            _ => "",
        };
        let mut s = self
            .about(Thing::Recording)
            .text(F::Source, self.source)
            .text(F::Contact, contact)
            .text(F::Leg, leg.as_str())
            .text(F::State, state);
        for (f, field, value) in [
            (F::Queue, "queue", &d.queue),
            (F::Agent, "agent", &d.agent),
            (F::Reason, "reason", &d.reason),
            (F::Codec, "codec", &d.codec),
            (F::Sha256, "sha256", &d.sha256),
        ] {
            s = s.text(f, bounded(field, value.as_deref())?);
        }
        s = self.at(s, F::Start, "start", d.start.as_ref(), "started")?;
        s = self.at(s, F::End, "end", d.end.as_ref(), "ended")?;
        s = self.millis(s, F::Duration, d.duration_ms)?;
        for (f, n) in [
            (F::Rate, d.rate),
            (F::Channels, d.channels),
            (F::Bytes, d.bytes),
        ] {
            if let Some(n) = n {
                s = s.int(f, n);
            }
        }
        if let Some(yes) = d.voicemail {
            s = s.flag(F::Voicemail, yes);
        }
        if let Some(gaps) = &d.gaps {
            s = s.text(F::Gaps, &serde_json::to_string(gaps).unwrap_or_default());
        }
        Ok(direct(Key::Recording(id.as_str().into()), vec![s]))
    }

    pub(super) fn transcript(&self, d: &TranscriptData, raw: &str) -> Said {
        let id = required("recording_id", d.recording_id.as_deref())?;
        let key = Key::Recording(id.into());
        if self.verb == "started" {
            let attempt = d.attempt.ok_or_else(|| missing("attempt"))?;
            let s = self
                .about(Thing::Attempt(attempt))
                .text(F::Sha256, d.sha256.as_deref().unwrap_or(""));
            return Ok(direct(key, vec![s.time(F::At, self.time.0, self.time.1)]));
        }
        let state = required("state", d.state.as_deref())?;
        if self.verb == "changed" && state == "stopped" {
            // The program was stopped while it ran: that attempt took nothing down.
            let attempt = d.attempt.ok_or_else(|| missing("attempt"))?;
            return Ok(direct(
                key,
                vec![self.about(Thing::Attempt(attempt)).text(F::State, state)],
            ));
        }
        if !matches!(state, "done" | "failed" | "skipped") {
            return Err(Refusal::new(
                "bad_value",
                format!("state \"{state}\" is none of done, failed, skipped"),
            ));
        }
        let s = self.about(Thing::Recording).text(F::Transcript, raw);
        Ok(direct(key, vec![s]))
    }

    pub(super) fn note(&self, d: &NoteData) -> Said {
        let id = required("note_id", d.note_id.as_deref())?;
        let contact = required("contact_id", d.contact_id.as_deref())?;
        let mut s = self
            .about(Thing::Note)
            .text(F::Contact, contact)
            .text(F::Leg, d.leg.map_or("", |l| l.as_str()))
            .text(F::Author, bounded("author", d.author.as_deref())?)
            .with(F::Text, Value::text(d.text.as_deref().unwrap_or("")))
            .time(F::At, self.time.0, self.time.1);
        for (f, n) in [(F::Turn, d.turn_seq), (F::Offset, d.at_ms)] {
            if let Some(n) = n {
                s = s.int(f, n);
            }
        }
        Ok(direct(Key::Note(id.into()), vec![s]))
    }

    pub(super) fn survey(&self, d: &SurveyData) -> Said {
        let id = required("survey_id", d.survey_id.as_deref())?;
        let kind = d.kind.ok_or_else(|| missing("kind"))?;
        let mut s = self.about(Thing::Survey).text(F::Kind, kind.as_str());
        for (f, field, value) in [
            (F::Contact, "contact_id", &d.contact_id),
            (F::Queue, "queue", &d.queue),
            (F::Agent, "agent", &d.agent),
            (F::Question, "question", &d.question),
            (F::State, "status", &d.status),
        ] {
            s = s.text(f, bounded(field, value.as_deref())?);
        }
        s = s.text(F::Text, d.text.as_deref().unwrap_or(""));
        for (f, n) in [
            (F::Number, d.value),
            (F::ScaleMin, d.scale_min),
            (F::ScaleMax, d.scale_max),
        ] {
            if let Some(n) = n {
                s = s.with(f, Value::Float(n));
            }
        }
        s = self.at(s, F::At, "asked_at", d.asked_at.as_ref(), "")?;
        s = self.at(s, F::AnsweredAt, "answered_at", d.answered_at.as_ref(), "")?;
        Ok(direct(Key::Survey(id.into()), vec![s]))
    }
}
