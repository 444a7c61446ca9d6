//! How records, dead letters and positions lie in the log: one version byte, then fields with their lengths.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use callboard_model::record::{Record, Stamp};
use callboard_model::tables::{DeadLetterRow, Instant};

use crate::positions::Position;

/// Log entry kind of a record.
pub const RECORD: u8 = 1;
/// Log entry kind of a dead letter.
pub const DEAD_LETTER: u8 = 2;
/// Log entry kind of a position: how far a source was read, with what the same append holds of it.
pub const POSITION: u8 = 3;

const VERSION: u8 = 1;

/// Why an entry of the log cannot be read: it was written by something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a log entry of kind {kind} cannot be read: {why}")]
pub struct CodecError {
    /// Kind of the entry.
    pub kind: u8,
    /// What is wrong.
    pub why: &'static str,
}

fn put(out: &mut BytesMut, bytes: &[u8]) {
    out.put_u32_le(bytes.len() as u32);
    out.put_slice(bytes);
}

struct Reader<'a> {
    kind: u8,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn new(kind: u8, bytes: &'a [u8]) -> Result<Self, CodecError> {
        match bytes.split_first() {
            Some((&VERSION, rest)) => Ok(Reader { kind, rest }),
            _ => Err(CodecError {
                kind,
                why: "unknown version",
            }),
        }
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8], CodecError> {
        if self.rest.len() < n {
            return Err(CodecError {
                kind: self.kind,
                why: "cut short",
            });
        }
        let (head, rest) = self.rest.split_at(n);
        self.rest = rest;
        Ok(head)
    }

    fn bytes(&mut self) -> Result<&'a [u8], CodecError> {
        let mut n = [0; 4];
        n.copy_from_slice(self.take(4)?);
        self.take(u32::from_le_bytes(n) as usize)
    }

    fn text(&mut self) -> Result<&'a str, CodecError> {
        let kind = self.kind;
        std::str::from_utf8(self.bytes()?).map_err(|_| CodecError {
            kind,
            why: "not UTF-8",
        })
    }

    fn number(&mut self) -> Result<i64, CodecError> {
        let mut n = [0; 8];
        n.copy_from_slice(self.take(8)?);
        Ok(i64::from_le_bytes(n))
    }
}

/// The record as bytes.
pub fn encode_record(record: &Record) -> Bytes {
    let mut out = BytesMut::with_capacity(record.bytes.len() + 160);
    out.put_u8(VERSION);
    out.put_i64_le(record.received_at);
    put(&mut out, record.source.as_bytes());
    put(&mut out, record.id.as_bytes());
    put(&mut out, record.format.as_bytes());
    if *record.stamp == Stamp::default() {
        put(&mut out, b"");
    } else {
        put(
            &mut out,
            &serde_json::to_vec(&*record.stamp).unwrap_or_default(),
        );
    }
    put(&mut out, &record.bytes);
    out.freeze()
}

/// The record that was encoded.
///
/// # Errors
/// When the bytes were written by something else.
pub fn decode_record(bytes: &[u8]) -> Result<Record, CodecError> {
    let mut r = Reader::new(RECORD, bytes)?;
    let received_at = r.number()?;
    let source = r.text()?.into();
    let id = r.text()?.into();
    let format = r.text()?.into();
    let stamp = match r.text()? {
        "" => Stamp::default(),
        json => serde_json::from_str(json).map_err(|_| CodecError {
            kind: RECORD,
            why: "unreadable stamp",
        })?,
    };
    let bytes = r.bytes()?.into();
    Ok(Record {
        source,
        id,
        format,
        received_at,
        stamp: Arc::new(stamp),
        bytes,
    })
}

/// The dead letter as bytes.
pub fn encode_dead_letter(row: &DeadLetterRow) -> Bytes {
    let mut out = BytesMut::with_capacity(row.bytes.len() + 256);
    out.put_u8(VERSION);
    out.put_i64_le(row.received_at.0);
    out.put_i64_le(row.length);
    for text in [
        &row.dead_letter_id,
        &row.source,
        &row.reason,
        &row.class,
        &row.sha256,
    ] {
        put(&mut out, text.as_bytes());
    }
    put(&mut out, &row.bytes);
    out.freeze()
}

/// The dead letter that was encoded.
///
/// # Errors
/// When the bytes were written by something else.
pub fn decode_dead_letter(bytes: &[u8]) -> Result<DeadLetterRow, CodecError> {
    let mut r = Reader::new(DEAD_LETTER, bytes)?;
    let received_at = Instant(r.number()?);
    let length = r.number()?;
    Ok(DeadLetterRow {
        dead_letter_id: r.text()?.to_owned(),
        received_at,
        source: r.text()?.to_owned(),
        reason: r.text()?.to_owned(),
        class: r.text()?.to_owned(),
        sha256: r.text()?.to_owned(),
        bytes: r.bytes()?.to_vec(),
        length,
        day: received_at.day(),
    })
}

/// The position as bytes.
pub fn encode_position(position: &Position) -> Bytes {
    let mut out = BytesMut::with_capacity(64);
    out.put_u8(VERSION);
    out.put_i64_le(position.next);
    out.put_i64_le(i64::from(position.partition));
    put(&mut out, position.source.as_bytes());
    put(&mut out, position.topic.as_bytes());
    out.freeze()
}

/// The position that was encoded.
///
/// # Errors
/// When the bytes were written by something else.
pub fn decode_position(bytes: &[u8]) -> Result<Position, CodecError> {
    let mut r = Reader::new(POSITION, bytes)?;
    let next = r.number()?;
    let partition = i32::try_from(r.number()?).map_err(|_| CodecError {
        kind: POSITION,
        why: "no number of a partition",
    })?;
    Ok(Position {
        source: r.text()?.to_owned(),
        topic: r.text()?.to_owned(),
        partition,
        next,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_survive_the_log() {
        let position = Position {
            source: "calls".into(),
            topic: "teams.calls".into(),
            partition: 11,
            next: 1 << 40,
        };
        let encoded = encode_position(&position);
        assert_eq!(decode_position(&encoded).unwrap(), position);
        for cut in 0..encoded.len() {
            assert!(decode_position(&encoded[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn records_survive_the_log() {
        let record = Record {
            source: "/asterisk/pbx1/queue_log".into(),
            id: "abc".into(),
            format: "asterisk/queue_log".into(),
            received_at: 17,
            stamp: Arc::new(Stamp {
                instance: "pbx1".into(),
                sequence: 3,
                ..Default::default()
            }),
            bytes: b"1|2|3"[..].into(),
        };
        let encoded = encode_record(&record);
        assert_eq!(decode_record(&encoded).unwrap(), record);
        for cut in 0..encoded.len() {
            assert!(decode_record(&encoded[..cut]).is_err(), "cut at {cut}");
        }
    }
}
