//! Open keys as their file holds them, a line of JSON each.

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use callboard_model::ids::{Key, PlatformId};
use callboard_model::merge::State;
use callboard_model::record::Record;
use serde::{Deserialize, Serialize};

use crate::live::Entry;
use crate::live::codec::{decode_record, encode_record};

/// An open key that a flush leaves.
pub struct Keeping<'a> {
    /// The key.
    pub entry: &'a Entry,
    /// Causes of a correction that is still to come.
    pub causes: &'a [String],
    /// When it was last corrected.
    pub corrected_at: Option<i64>,
    /// Whether it is written whole, because the log alone will not tell it.
    pub whole: bool,
}

/// An open key as it is written: borrowed, because there may be very many.
#[derive(Serialize)]
struct Writing<'a> {
    key: &'a Key,
    ids: &'a [PlatformId],
    first_seq: u64,
    last_sign: i64,
    last_received: i64,
    in_lake: bool,
    lake_days: &'a [i32],
    causes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    corrected_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<i32>,
    whole: Option<WritingWhole<'a>>,
}

#[derive(Serialize)]
struct WritingWhole<'a> {
    alone: &'a State,
    set: Vec<String>,
}

/// One open key as it is read.
#[derive(Debug, Deserialize)]
struct Kept {
    key: Key,
    ids: Vec<PlatformId>,
    first_seq: u64,
    last_sign: i64,
    last_received: i64,
    in_lake: bool,
    lake_days: Vec<i32>,
    causes: Vec<String>,
    /// See [`Entry::corrected_at`].
    #[serde(default)]
    corrected_at: Option<i64>,
    /// See [`Entry::since`].
    #[serde(default)]
    since: Option<i32>,
    /// Present when the log alone does not tell the key.
    whole: Option<Whole>,
}

#[derive(Debug, Deserialize)]
struct Whole {
    alone: State,
    set: Vec<String>,
}

/// Open keys as their file holds them.
///
/// # Errors
/// When one of them has no JSON form, which none lacks.
pub fn encode(kept: &[Keeping<'_>]) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    for Keeping {
        entry: e,
        causes,
        corrected_at,
        whole,
    } in kept
    {
        let set = e.set.iter().map(|r| BASE64.encode(encode_record(r)));
        let writing = Writing {
            key: &e.key,
            ids: &e.ids,
            first_seq: e.first_seq,
            last_sign: e.last_sign,
            last_received: e.last_received,
            in_lake: e.in_lake,
            lake_days: &e.lake_days,
            causes,
            corrected_at: *corrected_at,
            since: e.since,
            whole: whole.then(|| WritingWhole {
                alone: &e.alone,
                set: set.collect(),
            }),
        };
        serde_json::to_writer(&mut out, &writing).map_err(io::Error::other)?;
        out.push(b'\n');
    }
    Ok(out)
}

/// The open key of a line.
///
/// # Errors
/// When it is none.
pub fn decode(line: &[u8]) -> io::Result<Entry> {
    let kept: Kept = serde_json::from_slice(line)?;
    let mut entry = Entry::new(kept.key, kept.first_seq);
    for id in kept.ids {
        entry.add_id(id);
    }
    entry.last_sign = kept.last_sign;
    entry.last_received = kept.last_received;
    entry.in_lake = kept.in_lake;
    entry.lake_days = kept.lake_days;
    entry.causes = kept.causes;
    entry.corrected_at = kept.corrected_at;
    entry.since = kept.since;
    if let Some(whole) = kept.whole {
        entry.alone = whole.alone;
        entry.whole_on_disk = true;
        let mut set: Vec<Arc<Record>> = Vec::with_capacity(whole.set.len());
        for text in whole.set {
            let bytes = BASE64.decode(text).map_err(io::Error::other)?;
            set.push(Arc::new(decode_record(&bytes).map_err(io::Error::other)?));
        }
        entry.restore_set(set);
    }
    Ok(entry)
}
