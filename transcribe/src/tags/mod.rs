//! What is found in a conversation: pure functions of words and turns.

pub mod keywords;
pub mod redact;
pub mod sentiment;
pub(crate) mod words;

/// Version of all rules of this folder and of the turns' making; stored with every result so
/// that a change of rules can be applied to the past.
pub const RULE_VERSION: &str = "2026.11.1";
