//! What is told beside a contact: a customer's answer, and a recording that nobody kept.

use super::super::fate::Heard;
use super::rows::{SurveyRow, UnkeptRow};

/// The answer of a contact's customer, where it was told.
pub fn survey(heard: &Heard<'_>) -> Option<SurveyRow> {
    let value = heard.story.survey.filter(|_| heard.survey)?;
    let contact = &heard.story.id;
    Some(SurveyRow {
        survey_id: format!("{contact}-csat"),
        contact_id: contact.clone(),
        kind: "csat",
        value,
        scale_min: 1,
        scale_max: 5,
        status: "answered",
    })
}

/// The recording of a contact, where one was told. No event names it: its identity is contact and
/// leg. Nobody tells when it began or ended, and there is nothing to hear.
pub fn unkept(heard: &Heard<'_>) -> Option<UnkeptRow> {
    let contact = &heard.story.id;
    heard.recorded.then(|| UnkeptRow {
        recording_id: format!("{contact}/both"),
        contact_id: contact.clone(),
        leg: "both",
        state: "absent",
        reason: "not kept by the platform",
        voicemail: false,
        attempts: 0,
    })
}
