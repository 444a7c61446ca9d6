//! Bounds on what comes from outside.

use std::time::Duration;

use callboard_model::record::MAX_RECORD_BYTES;

/// Bounds of the doors. Defaults are meant to hold for everyone; each can be configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Longest body as sent, bytes.
    pub body_bytes: u64,
    /// Longest body after decompression, bytes: a small gzip can hold a very large text.
    pub decoded_bytes: u64,
    /// Bytes that bodies of documents may hold together, while they are read apart too.
    pub held_bytes: u64,
    /// Longest record, bytes; a longer one becomes a dead letter.
    pub record_bytes: usize,
    /// Deepest nesting of JSON.
    pub nesting: usize,
    /// Refused lines after which a request is ended: it is not what it says.
    pub refused_lines: u64,
    /// Lines that an answer lists.
    pub listed_lines: usize,
    /// Longest recording, bytes.
    pub recording_bytes: u64,
    /// Requests that are worked on at once.
    pub requests: usize,
    /// Requests of one sender that are worked on at once.
    pub requests_per_sender: usize,
    /// Requests of one sender that may wait; more are told to come back.
    pub waiting_per_sender: usize,
    /// A body that stands still for so long is given up.
    pub idle: Duration,
    /// Records submitted together.
    pub batch_records: usize,
    /// Bytes submitted together.
    pub batch_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            body_bytes: 64 * 1024 * 1024,
            decoded_bytes: 1024 * 1024 * 1024,
            held_bytes: 256 * 1024 * 1024,
            record_bytes: MAX_RECORD_BYTES,
            nesting: 64,
            refused_lines: 100_000,
            listed_lines: 10_000,
            recording_bytes: 256 * 1024 * 1024,
            requests: 32,
            requests_per_sender: 8,
            waiting_per_sender: 64,
            idle: Duration::from_secs(30),
            batch_records: 8192,
            batch_bytes: 4 * 1024 * 1024,
        }
    }
}
