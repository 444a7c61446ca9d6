//! What was said, what was found in it, what a reviewer noted, what the customer answered.

use super::spec::{Instant, table};

table! {
    /// One row per turn of a transcript: one person speaking without a longer pause.
    TurnRow => TURNS = "turns", id "recording_id", sort ["contact_id", "seq"];
    recording_id: String = "Recording from which it was heard",
    contact_id: String = "Contact",
    leg: String = "agent or customer; mixed where one channel holds both",
    seq: i64 = "Order in the conversation, from 1",
    start_ms: i64 = "Start from the beginning of the recording, milliseconds",
    end_ms: i64 = "End from the beginning of the recording, milliseconds",
    text: String = "What was said; card numbers and security codes masked",
    confidence: Option<f64> = "Mean probability of the words, 0 to 1",
    sentiment: Option<f64> = "VADER compound, -1 to 1",
    words: Option<String> = "Words, JSON array of {w, s, e, p}: text, start and end in milliseconds, probability",
    model: Option<String> = "Model and rule versions",
    started_at: Option<Instant> = "Start of the recording, UTC, if known",
}

table! {
    /// One row per finding in a transcript: a keyword, the sentiment of the call, a redaction.
    TagRow => TAGS = "tags", id "recording_id", sort ["contact_id", "name"];
    recording_id: String = "Recording",
    contact_id: String = "Contact",
    leg: Option<String> = "agent or customer; NULL for the whole conversation",
    kind: String = "keyword, sentiment, redaction",
    name: String = "Name of the keyword group, of the redacted kind ...",
    start_ms: Option<i64> = "Start of the evidence, milliseconds from the recording's beginning",
    end_ms: Option<i64> = "End of the evidence, milliseconds",
    evidence: Option<String> = "The words that were found (never a masked number)",
    turn_seq: Option<i64> = "Turn that holds the evidence",
    score: Option<f64> = "Value, for sentiment: VADER compound, -1 to 1",
    rule_version: Option<String> = "Version of the rules that found it",
}

table! {
    /// One row per reviewer's note on a turn or on a contact.
    NoteRow => NOTES = "notes", id "note_id", sort ["contact_id", "created_at"];
    note_id: String = "Identity of the note",
    contact_id: String = "Contact",
    leg: Option<String> = "Leg of the turn",
    turn_seq: Option<i64> = "Turn; NULL = on the whole contact",
    at_ms: Option<i64> = "Place in the recording, milliseconds",
    author: String = "Who wrote it",
    text: String = "The note; empty = withdrawn",
    created_at: Option<Instant> = "When, UTC",
}

table! {
    /// One row per answer of a customer to a survey question.
    SurveyRow => SURVEYS = "surveys", id "survey_id", sort ["contact_id", "survey_id"];
    survey_id: String = "Identity of the answer",
    contact_id: Option<String> = "Contact asked about",
    queue: Option<String> = "Queue asked about",
    agent: Option<String> = "Agent asked about",
    kind: String = "csat, nps, ces, fcr or text",
    question: Option<String> = "Question",
    value: Option<f64> = "Answer as a number",
    scale_min: Option<f64> = "Least possible value",
    scale_max: Option<f64> = "Greatest possible value",
    text: Option<String> = "Answer as text",
    status: Option<String> = "asked, answered, opted_out, expired",
    asked_at: Option<Instant> = "When asked, UTC",
    answered_at: Option<Instant> = "When answered, UTC",
}
