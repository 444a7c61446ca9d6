//! Recordings' original bytes, as parts of at most 1 MiB in the lake's `audio` table.
//!
//! Audio does not pass the log: its parts are a commit of their own, on stable storage before
//! `put` returns, and only then does the caller append the record that names them. Recordings
//! that arrive at the same time share a commit.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use callboard_model::tables::{AUDIO, AudioRow, Day, Row};
use deltalake::arrow::array::{AsArray, RecordBatch};
use deltalake::arrow::datatypes::{Date32Type, Int64Type};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, oneshot};

use crate::lake::{Lake, LakeError, Replace, WritePlan};

/// Largest part, bytes.
pub const PART_BYTES: usize = 1 << 20;

/// Limits of [`AudioStore`].
#[derive(Debug, Clone, Copy)]
pub struct AudioOptions {
    /// Largest recording, bytes.
    pub max_recording_bytes: usize,
    /// Most bytes that may wait to be written at a time; more waits at the door.
    pub max_waiting_bytes: usize,
}

impl Default for AudioOptions {
    fn default() -> Self {
        Self {
            max_recording_bytes: 256 << 20,
            max_waiting_bytes: 512 << 20,
        }
    }
}

/// Why audio was refused or cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum AudioError {
    /// No bytes at all.
    #[error("the recording is empty")]
    Empty,
    /// Larger than the limit.
    #[error("the recording has {bytes} bytes, the limit is {limit}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Parts are missing: the table was changed by others.
    #[error("the recording {recording} is incomplete in the lake: {reason}")]
    Incomplete {
        /// Which one.
        recording: String,
        /// What is missing.
        reason: String,
    },
    /// The lake refused.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The lake refused a commit that this recording shared with others.
    #[error("the recording could not be stored: {0}")]
    Commit(String),
}

/// A recording to store.
#[derive(Debug, Clone)]
pub struct Audio {
    /// Identity of the recording; a later put of the same identity replaces it.
    pub recording_id: String,
    /// Contact, as given.
    pub contact_id: String,
    /// Leg, as given.
    pub leg: String,
    /// UTC day since 1970 under which it is kept, and by which retention removes it.
    pub day: i32,
    /// The original bytes.
    pub bytes: Bytes,
}

/// What a put did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// The bytes are new.
    New,
    /// The very same bytes were there already.
    Same,
    /// Other bytes were there under this identity; these took their place.
    Replaced,
}

struct Waiting {
    rows: RecordBatch,
    replace: Option<Replace>,
    done: oneshot::Sender<Result<(), String>>,
}

/// Writes and reads the `audio` table of a lake. Share it by `Arc`.
pub struct AudioStore {
    lake: Arc<Lake>,
    options: AudioOptions,
    room: Semaphore,
    waiting: Mutex<Vec<Waiting>>,
    committing: tokio::sync::Mutex<()>,
    /// Held from the look for older parts until the new ones are written, per identity.
    busy: tokio::sync::Mutex<std::collections::HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl std::fmt::Debug for AudioStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AudioStore")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl AudioStore {
    /// The audio of a lake that has the `audio` table.
    #[must_use]
    pub fn new(lake: Arc<Lake>, options: AudioOptions) -> Self {
        let mib = options.max_waiting_bytes.max(options.max_recording_bytes) / PART_BYTES + 1;
        Self {
            lake,
            options,
            room: Semaphore::new(mib.min(Semaphore::MAX_PERMITS)),
            waiting: Mutex::default(),
            committing: tokio::sync::Mutex::default(),
            busy: tokio::sync::Mutex::default(),
        }
    }

    /// Stores a recording; its bytes are on stable storage when this returns.
    ///
    /// # Errors
    /// [`AudioError`]; the same put may be repeated.
    pub async fn put(&self, audio: Audio) -> Result<Stored, AudioError> {
        let size = audio.bytes.len();
        if size == 0 {
            return Err(AudioError::Empty);
        }
        if size > self.options.max_recording_bytes {
            return Err(AudioError::TooLarge {
                bytes: size,
                limit: self.options.max_recording_bytes,
            });
        }
        let mib = u32::try_from(size.div_ceil(PART_BYTES)).unwrap_or(u32::MAX);
        let _room = self.room.acquire_many(mib).await;
        let lock = self.lock_of(&audio.recording_id).await;
        let result = {
            let _alone = lock.lock().await;
            self.put_alone(&audio).await
        };
        drop(lock);
        let mut busy = self.busy.lock().await;
        busy.retain(|_, lock| Arc::strong_count(lock) > 1);
        result
    }

    async fn lock_of(&self, recording: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut busy = self.busy.lock().await;
        Arc::clone(busy.entry(recording.to_owned()).or_default())
    }

    async fn put_alone(&self, audio: &Audio) -> Result<Stored, AudioError> {
        let old = self.parts(&audio.recording_id).await?;
        if assemble(&audio.recording_id, &old).is_ok_and(|old| old == audio.bytes) {
            return Ok(Stored::Same);
        }
        let replace = (!old.is_empty()).then(|| Replace {
            days: days_of(&old),
            ids: vec![audio.recording_id.clone()],
            whole_days: false,
            ..Replace::default()
        });
        let stored = match replace {
            None => Stored::New,
            Some(_) => Stored::Replaced,
        };
        let rows = parts_of(audio).map_err(|source| LakeError::Rows {
            table: AUDIO.name.to_owned(),
            source,
        })?;
        let (done, result) = oneshot::channel();
        self.waiting.lock().push(Waiting {
            rows,
            replace,
            done,
        });
        // Who comes first commits for all that wait; the others find theirs done.
        let mut result = result;
        let _turn = self.committing.lock().await;
        if let Ok(answer) = result.try_recv() {
            return answer.map(|()| stored).map_err(AudioError::Commit);
        }
        let mine: Vec<Waiting> = std::mem::take(&mut *self.waiting.lock());
        self.commit(mine).await;
        match result.await {
            Ok(answer) => answer.map(|()| stored).map_err(AudioError::Commit),
            Err(error) => Err(AudioError::Commit(error.to_string())),
        }
    }

    async fn commit(&self, waiting: Vec<Waiting>) {
        // Replacements rewrite files, so they do not hold up the others.
        let (plain, other): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|one| one.replace.is_none());
        for group in [plain, other] {
            if group.is_empty() {
                continue;
            }
            let mut plan = WritePlan::default();
            for one in &group {
                plan.rows.push(one.rows.clone());
                if let Some(replace) = &one.replace {
                    let all = plan.replace.get_or_insert_with(Replace::default);
                    all.days.extend(&replace.days);
                    all.ids.extend(replace.ids.iter().cloned());
                }
            }
            let result = self.lake.add(AUDIO.name, plan).await;
            if result.is_ok() {
                crate::steps::pass("audio.committed");
            }
            for one in group {
                // One who went away asks again.
                let _ = one
                    .done
                    .send(result.as_ref().map(|_| ()).map_err(ToString::to_string));
            }
        }
    }

    /// The original bytes of a recording; `None` when there is none of that identity.
    ///
    /// # Errors
    /// [`AudioError::Incomplete`] when parts are missing, [`AudioError::Lake`].
    pub async fn get(&self, recording_id: &str) -> Result<Option<Bytes>, AudioError> {
        let parts = self.parts(recording_id).await?;
        if parts.is_empty() {
            return Ok(None);
        }
        assemble(recording_id, &parts).map(Some)
    }

    async fn parts(&self, recording_id: &str) -> Result<Vec<RecordBatch>, AudioError> {
        let ids = [recording_id.to_owned()];
        let found = self
            .lake
            .scan(AUDIO.name, None, Some(("recording_id", &ids)))
            .await?;
        Ok(found)
    }
}

fn parts_of(audio: &Audio) -> Result<RecordBatch, deltalake::arrow::error::ArrowError> {
    let parts = audio.bytes.len().div_ceil(PART_BYTES) as i64;
    let rows: Vec<AudioRow> = audio
        .bytes
        .chunks(PART_BYTES)
        .zip(0..)
        .map(|(bytes, part)| AudioRow {
            recording_id: audio.recording_id.clone(),
            contact_id: audio.contact_id.clone(),
            leg: audio.leg.clone(),
            part,
            parts,
            bytes: bytes.to_vec(),
            day: Day(audio.day),
        })
        .collect();
    AudioRow::batch(&rows)
}

fn days_of(batches: &[RecordBatch]) -> Vec<i32> {
    let mut days: Vec<i32> = batches
        .iter()
        .filter_map(|batch| {
            batch
                .column_by_name("day")?
                .as_primitive_opt::<Date32Type>()
        })
        .flat_map(|days| days.values().iter().copied())
        .collect();
    days.sort_unstable();
    days.dedup();
    days
}

fn assemble(recording: &str, batches: &[RecordBatch]) -> Result<Bytes, AudioError> {
    let incomplete = |reason: String| AudioError::Incomplete {
        recording: recording.to_owned(),
        reason,
    };
    let mut parts = Vec::new();
    let mut wanted = 0;
    for batch in batches {
        let number = |name: &str| batch.column_by_name(name)?.as_primitive_opt::<Int64Type>();
        let bytes = batch
            .column_by_name("bytes")
            .and_then(|bytes| bytes.as_binary_opt::<i32>());
        let (Some(part), Some(of), Some(bytes)) = (number("part"), number("parts"), bytes) else {
            return Err(incomplete("its rows have another shape".into()));
        };
        for row in 0..part.len() {
            wanted = of.value(row);
            parts.push((part.value(row), bytes.value(row)));
        }
    }
    parts.sort_unstable_by_key(|(part, _)| *part);
    let complete = parts.len() as i64 == wanted
        && parts
            .iter()
            .zip(0..)
            .all(|((part, _), place)| *part == place);
    if !complete {
        return Err(incomplete(format!(
            "{} of {wanted} parts are there",
            parts.len()
        )));
    }
    let mut whole = BytesMut::with_capacity(parts.iter().map(|(_, bytes)| bytes.len()).sum());
    for (_, bytes) in parts {
        whole.extend_from_slice(bytes);
    }
    Ok(whole.freeze())
}

#[cfg(test)]
mod tests;
