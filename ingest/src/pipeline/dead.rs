//! Dead letters of what cannot be read.

use callboard_model::record::{Record, Refusal};
use callboard_model::tables::{self, DeadLetterRow};
use sha2::{Digest, Sha256};

use crate::doors::intake::{DEAD_PREFIX_BYTES, DeadInput};
use crate::doors::kafka::message::placed;

/// Of a record that was refused.
pub(super) fn dead_of(record: &Record, mut refusal: Refusal) -> DeadInput {
    if let Some(place) = record.stamp.carried.get("kafka") {
        refusal.reason = placed(&refusal.reason, place);
    }
    DeadInput {
        source: record.source.to_string(),
        refusal,
        bytes: record.bytes[..record.bytes.len().min(DEAD_PREFIX_BYTES)].to_vec(),
        length: record.bytes.len() as u64,
        sha256: hex(&Sha256::digest(&record.bytes)),
    }
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

pub(super) fn dead_row(dead: DeadInput, now: i64, nth: usize) -> DeadLetterRow {
    let received_at = tables::Instant(now);
    let head = dead.sha256.get(..16).unwrap_or("").to_owned();
    DeadLetterRow {
        dead_letter_id: format!("{now}-{nth}-{head}"),
        received_at,
        source: dead.source,
        reason: dead.refusal.reason,
        class: dead.refusal.class.to_owned(),
        bytes: dead.bytes,
        length: i64::try_from(dead.length).unwrap_or(i64::MAX),
        sha256: dead.sha256,
        day: received_at.day(),
    }
}

/// A record that speaks of what was erased: that it came, and nothing of what it says.
pub(super) fn dead_of_erased(record: &Record, refusal: Refusal) -> DeadInput {
    DeadInput {
        source: record.source.to_string(),
        refusal,
        bytes: Vec::new(),
        length: record.bytes.len() as u64,
        sha256: String::new(),
    }
}
