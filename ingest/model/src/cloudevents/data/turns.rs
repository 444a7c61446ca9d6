//! Parts of a transcript: turns, their words, and what was found in them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One turn of a transcript.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TurnData {
    /// agent, customer or mixed.
    pub leg: String,
    /// Order in the conversation of all legs, from 1; its place in this list when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<i64>,
    /// Start, milliseconds from the beginning of the recording.
    pub start_ms: i64,
    /// End, milliseconds from the beginning of the recording.
    pub end_ms: i64,
    /// What was said, redacted.
    pub text: String,
    /// Mean probability of the words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// VADER compound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentiment: Option<f64>,
    /// Words with times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<WordData>,
}

/// One word of a turn.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WordData {
    /// The word.
    pub w: String,
    /// Start, milliseconds.
    pub s: i64,
    /// End, milliseconds.
    pub e: i64,
    /// Probability.
    pub p: f64,
}

/// One finding in a transcript.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TagData {
    /// keyword, sentiment or redaction.
    pub kind: String,
    /// Name of the finding.
    pub name: String,
    /// Leg, if it is of one leg.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leg: Option<String>,
    /// Start of the evidence, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_ms: Option<i64>,
    /// End of the evidence, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_ms: Option<i64>,
    /// The words that were found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// Turn that holds it, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn_seq: Option<i64>,
    /// Value, for sentiment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Version of the rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_version: Option<String>,
}
