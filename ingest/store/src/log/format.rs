//! Bytes of a segment. All integers are little endian.
//!
//! Segment header, 64 bytes: magic 8, format version u32, zero u32, first sequence u64, log id 16,
//! bytes of groups in all earlier segments u64, zero 12, crc32 of the 60 bytes before it u32.
//!
//! Group header, 48 bytes: magic u32, payload length u32, first sequence u64, count u32, flags u32,
//! durable-up-to u64, tag of the log u32, crc32 of payload and padding u32, crc32 of the 40 bytes
//! before it u32, zero u32. Then the payload, then zeros up to a multiple of 8.
//!
//! Payload: per entry kind u8, length u32, bytes.

use std::ops::Range;

/// Length of a segment's header, bytes.
pub(super) const SEGMENT_HEADER: usize = 64;
/// Length of a group's header, bytes.
pub(super) const GROUP_HEADER: usize = 48;
/// Length of an entry's header inside a payload, bytes.
pub(super) const ENTRY_HEADER: usize = 5;
/// Groups begin at multiples of this, which is what lets recovery look for one after a gap.
pub(super) const ALIGN: usize = 8;

const SEGMENT_MAGIC: &[u8; 8] = b"CBLOGSEG";
const FORMAT_VERSION: u32 = 1;
const GROUP_MAGIC: [u8; 4] = *b"CBgr";
/// A group without entries that only says how far the log was synced.
const FLAG_SEAL: u32 = 1;

/// What the first 64 bytes of a segment say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub(super) first_seq: u64,
    pub(super) log_id: [u8; 16],
    /// Bytes of groups in all segments before this one, trimmed ones included.
    pub(super) base: u64,
}

impl SegmentHeader {
    pub(super) fn encode(&self) -> [u8; SEGMENT_HEADER] {
        let mut out = [0u8; SEGMENT_HEADER];
        out[..8].copy_from_slice(SEGMENT_MAGIC);
        out[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        out[16..24].copy_from_slice(&self.first_seq.to_le_bytes());
        out[24..40].copy_from_slice(&self.log_id);
        out[40..48].copy_from_slice(&self.base.to_le_bytes());
        let crc = crc32fast::hash(&out[..60]);
        out[60..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads a header; the error is a phrase that says what is wrong with it.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() < SEGMENT_HEADER {
            return Err("its header is cut short".into());
        }
        if &bytes[..8] != SEGMENT_MAGIC {
            return Err("it does not begin like a log segment".into());
        }
        let version = u32_at(bytes, 8);
        if crc32fast::hash(&bytes[..60]) != u32_at(bytes, 60) {
            return Err("the checksum of its header does not match".into());
        }
        if version != FORMAT_VERSION {
            return Err(format!(
                "it has format {version}, this program reads format {FORMAT_VERSION}"
            ));
        }
        let mut log_id = [0u8; 16];
        log_id.copy_from_slice(&bytes[24..40]);
        Ok(Self {
            first_seq: u64_at(bytes, 16),
            log_id,
            base: u64_at(bytes, 40),
        })
    }
}

/// The short form of the log's id that every group carries.
pub(super) fn tag_of(log_id: &[u8; 16]) -> u32 {
    crc32fast::hash(log_id)
}

/// What the first 48 bytes of a group say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GroupHeader {
    pub(super) payload: u32,
    pub(super) first_seq: u64,
    pub(super) count: u32,
    /// Highest sequence known to be synced before this group was written.
    pub(super) durable_upto: u64,
    pub(super) payload_crc: u32,
    pub(super) seal: bool,
}

impl GroupHeader {
    /// Bytes of the whole group: header, payload, padding.
    pub(super) fn total(&self) -> u64 {
        (GROUP_HEADER + padded(self.payload as usize)) as u64
    }

    /// Reads a header that belongs to the log with this tag; `None` when anything in it is off.
    pub(super) fn decode(bytes: &[u8], tag: u32) -> Option<Self> {
        let bytes = bytes.get(..GROUP_HEADER)?;
        if bytes[..4] != GROUP_MAGIC
            || crc32fast::hash(&bytes[..40]) != u32_at(bytes, 40)
            || u32_at(bytes, 44) != 0
            || u32_at(bytes, 32) != tag
        {
            return None;
        }
        let flags = u32_at(bytes, 20);
        if flags & !FLAG_SEAL != 0 {
            return None;
        }
        Some(Self {
            payload: u32_at(bytes, 4),
            first_seq: u64_at(bytes, 8),
            count: u32_at(bytes, 16),
            durable_upto: u64_at(bytes, 24),
            payload_crc: u32_at(bytes, 36),
            seal: flags & FLAG_SEAL != 0,
        })
    }
}

/// Room for a group: the header's place, to be filled by [`finish_group`], comes first.
pub(super) fn begin_group(buf: &mut Vec<u8>) {
    buf.clear();
    buf.resize(GROUP_HEADER, 0);
}

/// Appends one entry to a group begun with [`begin_group`].
pub(super) fn push_entry(buf: &mut Vec<u8>, kind: u8, payload: &[u8]) {
    buf.push(kind);
    let len = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    buf.extend_from_slice(&len.to_le_bytes());
    buf.extend_from_slice(payload);
}

/// Pads the group and writes its header; a group without entries is a seal.
pub(super) fn finish_group(
    buf: &mut Vec<u8>,
    tag: u32,
    first_seq: u64,
    count: u32,
    durable_upto: u64,
) {
    let payload = buf.len() - GROUP_HEADER;
    buf.resize(GROUP_HEADER + padded(payload), 0);
    let flags = if count == 0 { FLAG_SEAL } else { 0 };
    let crc = crc32fast::hash(&buf[GROUP_HEADER..]);
    let length = u32::try_from(payload).unwrap_or(u32::MAX);
    buf[..4].copy_from_slice(&GROUP_MAGIC);
    buf[4..8].copy_from_slice(&length.to_le_bytes());
    buf[8..16].copy_from_slice(&first_seq.to_le_bytes());
    buf[16..20].copy_from_slice(&count.to_le_bytes());
    buf[20..24].copy_from_slice(&flags.to_le_bytes());
    buf[24..32].copy_from_slice(&durable_upto.to_le_bytes());
    buf[32..36].copy_from_slice(&tag.to_le_bytes());
    buf[36..40].copy_from_slice(&crc.to_le_bytes());
    let header_crc = crc32fast::hash(&buf[..40]);
    buf[40..44].copy_from_slice(&header_crc.to_le_bytes());
    buf[44..48].fill(0);
}

/// Kind and place of the entry at the front of `payload`, and where the next one begins.
pub(super) fn entry_at(payload: &[u8], at: usize) -> Option<(u8, Range<usize>)> {
    let head = payload.get(at..at.checked_add(ENTRY_HEADER)?)?;
    let start = at + ENTRY_HEADER;
    let end = start.checked_add(u32_at(head, 1) as usize)?;
    (end <= payload.len()).then_some((head[0], start..end))
}

/// Payload length rounded up to the alignment.
pub(super) fn padded(len: usize) -> usize {
    len.next_multiple_of(ALIGN)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut raw = [0u8; 4];
    raw.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(raw)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut raw = [0u8; 8];
    raw.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group() -> Vec<u8> {
        let mut buf = Vec::new();
        begin_group(&mut buf);
        push_entry(&mut buf, 3, b"first");
        push_entry(&mut buf, 4, b"");
        finish_group(&mut buf, 77, 10, 2, 9);
        buf
    }

    #[test]
    fn a_group_reads_back() {
        let buf = group();
        assert_eq!(buf.len() % ALIGN, 0);
        let head = GroupHeader::decode(&buf, 77).unwrap();
        assert_eq!((head.first_seq, head.count, head.durable_upto), (10, 2, 9));
        assert_eq!(head.total(), buf.len() as u64);
        let payload = &buf[GROUP_HEADER..GROUP_HEADER + head.payload as usize];
        let (kind, range) = entry_at(payload, 0).unwrap();
        assert_eq!((kind, &payload[range.clone()]), (3, &b"first"[..]));
        let (kind, range) = entry_at(payload, range.end).unwrap();
        assert_eq!((kind, range.len()), (4, 0));
        assert!(entry_at(payload, range.end).is_none());
    }

    #[test]
    fn every_bit_of_a_group_header_is_guarded() {
        let buf = group();
        for bit in 0..GROUP_HEADER * 8 {
            let mut bad = buf.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(GroupHeader::decode(&bad, 77), None, "bit {bit}");
        }
        assert_eq!(GroupHeader::decode(&buf, 78), None, "tag of another log");
    }

    #[test]
    fn every_bit_of_a_segment_header_is_guarded() {
        let header = SegmentHeader {
            first_seq: 5,
            log_id: [7; 16],
            base: 99,
        };
        let bytes = header.encode();
        assert_eq!(SegmentHeader::decode(&bytes).unwrap(), header);
        for bit in 0..SEGMENT_HEADER * 8 {
            let mut bad = bytes;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(SegmentHeader::decode(&bad).is_err(), "bit {bit}");
        }
    }
}
