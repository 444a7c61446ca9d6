//! What arrived, what could not be read, and what was corrected.

use super::spec::{Instant, table};

table! {
    /// One row per record as it arrived: the raw bytes and what the door stamped on them.
    RecordRow => RECORDS = "records", id "id", sort ["key", "source", "id"];
    key: String = "Least platform id of what it speaks of when it was written",
    source: String = "Source, e.g. /asterisk/pbx1/queue_log",
    id: String = "Identity within the source; (source, id) is unique",
    received_at: Instant = "Time of receipt, UTC",
    format: String = "How the bytes are to be read: event, asterisk/queue_log, asterisk/cel ...",
    stamp: Option<String> = "What the door added for reading: zone, column order, sequence; JSON",
    natives: Vec<String> = "Platform ids it speaks of",
    content_hash: i64 = "Hash of the bytes; tells a conflicting repeat",
    bytes: Vec<u8> = "The bytes as they arrived",
}

table! {
    /// One row per input that could not become a record, with its reason and its bytes.
    DeadLetterRow => DEAD_LETTERS = "dead_letters", id "dead_letter_id", sort ["received_at"];
    dead_letter_id: String = "Identity",
    received_at: Instant = "Time of receipt, UTC",
    source: String = "Source, as far as known",
    reason: String = "Why it could not be read",
    class: String = "Class of the reason, one word, for counting",
    bytes: Vec<u8> = "The bytes, or their beginning when they exceed the record limit",
    length: i64 = "Full length in bytes",
    sha256: String = "Hash of the full bytes, hex",
}

table! {
    /// One row per settled row set that a late record changed.
    CorrectionRow => CORRECTIONS = "corrections", id "correction_id", sort ["corrected_at"];
    correction_id: String = "Identity",
    entity: String = "contact, agent or recording",
    id: String = "Which one",
    corrected_at: Instant = "When, UTC",
    causes: Vec<String> = "The late records, as source and id",
    tables: Vec<String> = "Tables whose rows changed",
}
