//! Reviewers' notes become events like any other.

use std::sync::Arc;

use callboard_dashboards::{NewNote, Notes};
use callboard_ingest::doors::intake::{Candidate, Intake, Verdict};
use callboard_ingest::pipeline::Pipeline;
use callboard_model::cloudevents::CloudEvent;
use callboard_model::cloudevents::data::NoteData;
use callboard_model::cloudevents::words::Leg;
use callboard_model::record::rank;
use sha2::{Digest, Sha256};

/// Writes notes through the pipeline.
pub struct Written(pub Arc<Pipeline>);

#[async_trait::async_trait]
impl Notes for Written {
    async fn write(&self, note: NewNote) -> Result<(), String> {
        let now = self.0.now();
        let leg = note
            .leg
            .as_deref()
            .and_then(|l| Leg::ALL.iter().find(|k| k.as_str() == l));
        let identity = format!("{now}|{}|{}|{}", note.contact_id, note.author, note.text);
        let digest = Sha256::digest(identity.as_bytes());
        let id: String = digest.iter().take(12).map(|b| format!("{b:02x}")).collect();
        let data = NoteData {
            note_id: Some(id.clone()),
            contact_id: Some(note.contact_id),
            leg: leg.copied(),
            turn_seq: note.turn_seq,
            at_ms: note.at_ms,
            author: Some(note.author),
            text: Some(note.text),
        };
        let mut event = CloudEvent::new(
            "/callboard/notes",
            &id,
            "callboard.note.recorded",
            now,
            data,
        );
        event.rank = Some(rank::PERSON);
        let record = event.record(now).map_err(|e| e.to_string())?;
        let verdicts = self
            .0
            .submit(vec![Candidate::Record(record)])
            .await
            .map_err(|e| e.to_string())?;
        match verdicts.into_iter().next() {
            Some(Verdict::Refused(refusal)) => Err(refusal.to_string()),
            _ => Ok(()),
        }
    }
}
