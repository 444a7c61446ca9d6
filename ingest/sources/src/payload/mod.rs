//! What adapters of platforms that send documents share: the documents in a body, cut out as they
//! arrived ([`documents`]), records and dead letters made of them, values read tolerantly ([`value`])
//! and texts that stand for other bytes ([`encoded`]).

pub mod encoded;
pub mod measured;
pub mod value;

use std::collections::BTreeMap;

use callboard_model::record::{MAX_RECORD_BYTES, Stamp, bounded};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::adapter::Declared;
use crate::lines::{DeadLine, NewLine, NewRecord, PREFIX_BYTES};

/// Longest identity of a record, bytes; a longer one is hashed.
const MAX_ID_BYTES: usize = 512;

/// A part of a body.
#[derive(Debug)]
pub enum Piece<'a> {
    /// A JSON document; the elements of an array are documents of their own.
    Json(&'a RawValue),
    /// Bytes that are no JSON, and why.
    Broken(&'a [u8], String),
}

/// The documents in a body: one document, an array of them, one a line, or one after the other.
/// What cannot be read ends at the next line that begins a document.
pub fn documents(bytes: &[u8]) -> Vec<Piece<'_>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut out = Vec::new();
    let mut from = 0;
    while let Some(rest) = bytes.get(from..).filter(|rest| !rest.is_empty()) {
        let mut stream = serde_json::Deserializer::from_slice(rest).into_iter::<&RawValue>();
        let mut broken = None;
        for next in &mut stream {
            match next {
                Ok(raw) => elements(raw, &mut out),
                Err(e) => {
                    broken = Some(e);
                    break;
                }
            }
        }
        let Some(error) = broken else {
            return out;
        };
        let start = from + stream.byte_offset();
        let end = resume(bytes, start);
        let part = bytes.get(start..end).unwrap_or_default();
        let reason = format!("no JSON from byte {start} of the body on: {error}");
        out.push(Piece::Broken(part, reason));
        from = end;
    }
    out
}

/// Where the next document may begin: a line whose first byte opens one.
fn resume(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(rest) = bytes.get(at..) {
        let Some(line) = rest.iter().position(|b| *b == b'\n') else {
            break;
        };
        at += line + 1;
        if matches!(bytes.get(at), Some(b'{' | b'[')) {
            return at;
        }
    }
    bytes.len()
}

fn elements<'a>(raw: &'a RawValue, out: &mut Vec<Piece<'a>>) {
    match list(raw) {
        Some(all) => out.extend(all.into_iter().map(Piece::Json)),
        None => out.push(Piece::Json(raw)),
    }
}

/// The elements of an array, as they arrived; `None` for anything else.
pub fn list(raw: &RawValue) -> Option<Vec<&RawValue>> {
    if !raw.get().starts_with('[') {
        return None;
    }
    serde_json::from_str(raw.get()).ok()
}

/// The fields of an object, as they arrived; `None` for anything else.
pub fn object(raw: &RawValue) -> Option<BTreeMap<String, &RawValue>> {
    if !raw.get().starts_with('{') {
        return None;
    }
    serde_json::from_str(raw.get()).ok()
}

/// SHA-256 in hex.
pub fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(64);
    for b in Sha256::digest(bytes) {
        let _ = write!(out, "{b:02x}");
    }
    out
}

/// Half of it: enough to tell versions of one thing apart.
pub fn fingerprint(bytes: &[u8]) -> String {
    let mut whole = sha256(bytes);
    whole.truncate(32);
    whole
}

/// A record of `/platform/instance/feed`, or a dead letter where it is too long.
pub fn record(
    format: &'static str,
    instance: &str,
    declared: &Declared,
    id: &str,
    bytes: &[u8],
) -> NewLine {
    let source = source(format, instance);
    if bytes.len() > MAX_RECORD_BYTES {
        let reason = format!(
            "{} bytes; a record has at most {MAX_RECORD_BYTES}. Ask the platform for less at once",
            bytes.len()
        );
        return dead(&source, "too_long", reason, bytes);
    }
    let id = match id {
        "" => sha256(bytes),
        long if long.len() > MAX_ID_BYTES => sha256(long.as_bytes()),
        id => id.to_owned(),
    };
    NewLine::Record(NewRecord {
        source: source.into(),
        id,
        format,
        stamp: Stamp {
            instance: instance.to_owned(),
            zone: declared.zone.clone(),
            ..Stamp::default()
        },
        bytes: bytes.to_vec(),
    })
}

/// The source of a format's records: `/platform/instance/feed`.
pub fn source(format: &str, instance: &str) -> String {
    let (platform, feed) = format.split_once('/').unwrap_or((format, ""));
    match instance {
        "" => format!("/{platform}/{feed}"),
        _ => format!("/{platform}/{instance}/{feed}"),
    }
}

/// A dead letter; of long bytes the beginning is kept.
pub fn dead(source: &str, class: &'static str, reason: String, bytes: &[u8]) -> NewLine {
    let kept = match bytes.len() {
        long if long > MAX_RECORD_BYTES => bytes.get(..PREFIX_BYTES).unwrap_or(bytes),
        _ => bytes,
    };
    NewLine::Dead(DeadLine {
        source: source.into(),
        class,
        reason: bounded(reason),
        bytes: kept.to_vec(),
        length: bytes.len() as u64,
        sha256: sha256(bytes),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: &[u8]) -> Vec<String> {
        documents(bytes)
            .into_iter()
            .map(|p| match p {
                Piece::Json(raw) => raw.get().to_owned(),
                Piece::Broken(b, _) => format!("!{}", String::from_utf8_lossy(b)),
            })
            .collect()
    }

    #[test]
    fn documents_are_cut_out_as_they_arrived() {
        assert_eq!(shown(b"{\"a\": 1}"), ["{\"a\": 1}"]);
        assert_eq!(shown(b"[{\"a\": 1},\n {}]"), ["{\"a\": 1}", "{}"]);
        assert_eq!(
            shown(b"{\"a\":1}\r\n{\"b\":2}\n"),
            ["{\"a\":1}", "{\"b\":2}"]
        );
        assert_eq!(shown(b"[]"), [""; 0]);
        assert_eq!(shown(b"\xef\xbb\xbf \n"), [""; 0]);
    }

    #[test]
    fn a_bad_line_takes_no_other_with_it() {
        assert_eq!(shown(b"{\"a\":\n{\"b\":2}\n"), ["!{\"a\":\n", "{\"b\":2}"]);
        assert_eq!(
            shown(b"{\"a\":1}\n{\"b\xff\":2}\n{}"),
            ["{\"a\":1}", "!{\"b\u{fffd}\":2}\n", "{}"]
        );
    }

    #[test]
    fn an_overlong_record_is_a_dead_letter_with_its_beginning() {
        let long = vec![b' '; MAX_RECORD_BYTES + 1];
        let line = record("x/y", "i", &Declared::default(), "1", &long);
        let NewLine::Dead(d) = line else {
            panic!("{line:?}")
        };
        assert_eq!((d.class, d.bytes.len()), ("too_long", PREFIX_BYTES));
        assert_eq!(d.length, long.len() as u64);
    }
}
