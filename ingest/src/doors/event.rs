//! From the bytes of one CloudEvent to a record: only what identity needs is read here, since
//! the interpreter reads the whole again in the pipeline. Speed matters: this runs per line.

use std::borrow::Cow;
use std::sync::Arc;

use callboard_model::cloudevents::MAX_NAME_BYTES;
use callboard_model::record::{Record, Refusal, Stamp};
use serde::Deserialize;

use super::intake::{Candidate, DEAD_PREFIX_BYTES, DeadInput};
use super::split::{Over, Piece, sha256_hex};

/// Source of what has none that could be read.
pub const UNKNOWN_SOURCE: &str = "/callboard/http";

/// What identity needs of an event.
#[derive(Deserialize)]
struct Identity<'a> {
    #[serde(borrow, default)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    source: Cow<'a, str>,
}

/// Makes records of events; keeps what consecutive events share.
pub struct EventReader {
    source: Arc<str>,
    format: Arc<str>,
    stamp: Arc<Stamp>,
    received_at: i64,
    limit: usize,
    nesting: usize,
}

impl EventReader {
    /// Records received at that time (UTC microseconds), within these bounds.
    pub fn new(received_at: i64, limit: usize, nesting: usize) -> Self {
        EventReader {
            source: "".into(),
            format: "event".into(),
            stamp: Arc::new(Stamp::default()),
            received_at,
            limit,
            nesting,
        }
    }

    /// Sets the time of receipt of what follows.
    pub fn received_at(&mut self, received_at: i64) {
        self.received_at = received_at;
    }

    /// Reads one piece.
    pub fn read(&mut self, piece: Piece<'_>) -> Candidate {
        match piece {
            Piece::Over(over) => Candidate::Dead(too_long(UNKNOWN_SOURCE, over, self.limit)),
            Piece::Whole(bytes) => match self.record(bytes.trim_ascii()) {
                Ok(record) => Candidate::Record(record),
                Err(refusal) => Candidate::Dead(dead(UNKNOWN_SOURCE, refusal, bytes)),
            },
        }
    }

    /// The record that these bytes are.
    ///
    /// # Errors
    /// A [`Refusal`] when they have no identity.
    pub fn record(&mut self, bytes: &[u8]) -> Result<Record, Refusal> {
        if bytes.len() > self.limit {
            return Err(over_limit(bytes.len() as u64, self.limit));
        }
        check_nesting(bytes, self.nesting)?;
        let text = utf8(bytes)?;
        if !text.starts_with('{') {
            return Err(no_object(text));
        }
        let identity: Identity<'_> = serde_json::from_str(text).map_err(|e| not_an_event(&e))?;
        for (name, value) in [("id", &identity.id), ("source", &identity.source)] {
            check_name(name, value)?;
        }
        if *self.source != *identity.source {
            self.source = identity.source.as_ref().into();
        }
        Ok(Record {
            source: self.source.clone(),
            id: identity.id.as_ref().into(),
            format: self.format.clone(),
            received_at: self.received_at,
            stamp: self.stamp.clone(),
            bytes: bytes.into(),
        })
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, Refusal> {
    std::str::from_utf8(bytes).map_err(|e| {
        Refusal::new(
            "invalid_utf8",
            format!(
                "not UTF-8 from byte {} on; write events in UTF-8",
                e.valid_up_to()
            ),
        )
    })
}

fn not_an_event(error: &serde_json::Error) -> Refusal {
    let class = if error.is_data() {
        "not_an_event"
    } else {
        "not_json"
    };
    Refusal::new(
        class,
        format!(
            "not a CloudEvent in JSON: {error}; write one JSON object with specversion, id, source, type, time and data"
        ),
    )
}

/// What is no JSON object: an array would otherwise be read as the fields in order.
fn no_object(text: &str) -> Refusal {
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Err(error) => not_an_event(&error),
        Ok(_) => Refusal::new(
            "not_an_event",
            "JSON, but no object; write one CloudEvent, a JSON object",
        ),
    }
}

fn check_name(name: &str, value: &str) -> Result<(), Refusal> {
    if value.is_empty() {
        return Err(Refusal::new(
            "missing_attribute",
            format!("attribute {name} is missing or empty"),
        ));
    }
    if value.len() > MAX_NAME_BYTES {
        return Err(Refusal::new(
            "too_long",
            format!(
                "attribute {name} has {} bytes; at most {MAX_NAME_BYTES}",
                value.len()
            ),
        ));
    }
    if value.chars().any(char::is_control) {
        return Err(Refusal::new(
            "bad_attribute",
            format!("attribute {name} holds a control character; CloudEvents allows none"),
        ));
    }
    Ok(())
}

/// Refuses JSON nested deeper than `deepest`. Where there are no more brackets than that in all,
/// which is nearly always, nothing needs to be followed.
fn check_nesting(bytes: &[u8], deepest: usize) -> Result<(), Refusal> {
    let opening = bytes.iter().filter(|b| (**b | 0x20) == b'{').count();
    if opening <= deepest {
        return Ok(());
    }
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for (at, &byte) in bytes.iter().enumerate() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > deepest {
                    return Err(Refusal::new(
                        "nested_too_deep",
                        format!(
                            "nested deeper than {deepest} levels at byte {at}; flatten the data"
                        ),
                    ));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

fn over_limit(length: u64, limit: usize) -> Refusal {
    Refusal::new(
        "too_long",
        format!(
            "a record of {length} bytes; at most {limit}. Its first bytes, length and hash are kept"
        ),
    )
}

/// A dead letter of bytes at hand.
pub fn dead(source: &str, refusal: Refusal, bytes: &[u8]) -> DeadInput {
    DeadInput {
        source: source.to_owned(),
        refusal,
        bytes: bytes[..bytes.len().min(DEAD_PREFIX_BYTES)].to_vec(),
        length: bytes.len() as u64,
        sha256: sha256_hex(bytes),
    }
}

/// A dead letter of what was beyond the limit.
pub fn too_long(source: &str, over: Over, limit: usize) -> DeadInput {
    DeadInput {
        source: source.to_owned(),
        refusal: over_limit(over.length, limit),
        bytes: over.prefix,
        length: over.length,
        sha256: over.sha256,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader() -> EventReader {
        EventReader::new(5, 1024 * 1024, 64)
    }

    fn class(bytes: &[u8]) -> &'static str {
        reader().record(bytes).unwrap_err().class
    }

    #[test]
    fn identity_is_read_wherever_it_stands() {
        let r = reader()
            .record(
                br#"{"data":{"id":"no"},"source":"/a\u002fb","x":[1,{"source":"no"}],"id":"7"}"#,
            )
            .unwrap();
        assert_eq!((&*r.source, &*r.id, &*r.format), ("/a/b", "7", "event"));
        assert_eq!(r.received_at, 5);
    }

    #[test]
    fn what_is_no_event_is_refused_by_class() {
        assert_eq!(class(b"hello"), "not_json");
        assert_eq!(class(b"[]"), "not_an_event");
        assert_eq!(class(b"17"), "not_an_event");
        assert_eq!(class(br#"{"id":7,"source":"/a"}"#), "not_an_event");
        assert_eq!(class(br#"{"id":"7"}"#), "missing_attribute");
        assert_eq!(class(br#"{"id":"","source":"/a"}"#), "missing_attribute");
        assert_eq!(class(br#"{"id":"a\u0007","source":"/a"}"#), "bad_attribute");
        assert_eq!(class(br#"{"id":"7","source":"/a"} x"#), "not_json");
        assert_eq!(class(br#"{"id":"7","source":"/a""#), "not_json");
        assert_eq!(
            class(b"{\"id\":\"\xff\",\"source\":\"/a\"}"),
            "invalid_utf8"
        );
        let long = format!(r#"{{"id":"{}","source":"/a"}}"#, "x".repeat(600));
        assert_eq!(class(long.as_bytes()), "too_long");
        let huge = format!(
            r#"{{"id":"1","source":"/a","x":"{}"}}"#,
            "x".repeat(5_000_000)
        );
        assert_eq!(class(huge.as_bytes()), "too_long");
    }

    #[test]
    fn nesting_is_bounded_but_brackets_in_strings_are_not() {
        for deep in [
            format!(
                r#"{{"id":"1","source":"/a","x":{}{}}}"#,
                "[".repeat(10_000),
                "]".repeat(10_000)
            ),
            format!(
                r#"{{"id":"1","source":"/a","x":{}1{}}}"#,
                "{\"a\":".repeat(10_000),
                "}".repeat(10_000)
            ),
        ] {
            assert_eq!(class(deep.as_bytes()), "nested_too_deep");
        }
        let text = format!(
            r#"{{"id":"1","source":"/a","x":"{}\"["}}"#,
            "[{".repeat(500)
        );
        assert!(reader().record(text.as_bytes()).is_ok());
        let wide = format!(r#"{{"id":"1","source":"/a","x":[{}0]}}"#, "[],".repeat(500));
        assert!(reader().record(wide.as_bytes()).is_ok());
    }
}
