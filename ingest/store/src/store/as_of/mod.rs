//! The picture of an earlier moment T. Rows are a function of the set of records, so it is made
//! of those that had been received until T: rows of keys of which nothing was heard since stay as
//! they are, all others are made anew from their older records, with T as the present.

mod earlier;
mod since;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Store, StoreError};
use crate::lake::LakeError;
use crate::snapshot::{AsOfError, Snapshot};

/// Most pictures of earlier moments that are kept.
const PICTURES: usize = 4;
/// For how long a picture serves those who ask for the same moment.
const FRESH: Duration = Duration::from_secs(60);
/// What was received so long before the present is all there: nothing of it is on its way to the
/// log any more, microseconds.
const LANDED: i64 = 60_000_000;
/// A name in memory, roughly: in the lists of what was touched, is read and is hidden.
const NAME_BYTES: usize = 600;

/// How much may be looked through for the picture of an earlier moment.
#[derive(Debug, Clone)]
pub struct AsOfLimits {
    /// Records: those received since, and all of the keys that they speak of. A bound of work: of
    /// the former only the names are held.
    pub records: usize,
    /// Bytes of those names and of the latter records, which are in memory together.
    pub bytes: usize,
    /// How long it may take, waiting for pictures that others asked for included.
    pub time: Duration,
}

impl Default for AsOfLimits {
    fn default() -> Self {
        // A day of a centre with a thousand seats has 0.9 million events of 80,000 contacts.
        AsOfLimits {
            records: 5_000_000,
            bytes: 512 << 20,
            time: Duration::from_secs(60),
        }
    }
}

/// Pictures that were made a moment ago.
#[derive(Default)]
pub(crate) struct Kept(Vec<Made>);

struct Made {
    at: i64,
    when: Instant,
    /// The present when it was made.
    now: i64,
    picture: Arc<Snapshot>,
}

impl Kept {
    /// The picture of that moment, if it still holds beside this present.
    fn get(&mut self, at: i64, present: &Snapshot) -> Option<Arc<Snapshot>> {
        self.0.retain(|made| {
            made.when.elapsed() < FRESH
                && made.picture.flush == present.flush
                && (made.picture.version == present.version || made.at < made.now - LANDED)
        });
        let made = self.0.iter().find(|made| made.at == at)?;
        Some(made.picture.clone())
    }

    /// Lets go of pictures that serve nobody any more: their rows take memory.
    pub(super) fn tidy(&mut self) {
        self.0.retain(|made| made.when.elapsed() < FRESH);
    }

    fn put(&mut self, made: Made) {
        if self.0.len() >= PICTURES {
            self.0.remove(0);
        }
        self.0.push(made);
    }
}

/// What one picture may cost, and has cost so far.
struct Budget<'a> {
    at: i64,
    limits: &'a AsOfLimits,
    until: Instant,
    records: usize,
    bytes: usize,
}

impl Budget<'_> {
    /// Counts some records, and bytes that stay in memory.
    fn spend(&mut self, records: usize, bytes: usize) -> Result<(), AsOfError> {
        self.records += records;
        self.bytes += bytes;
        let limits = self.limits;
        let (what, setting) = if self.records > limits.records {
            (format!("{} records", limits.records), "records")
        } else if self.bytes > limits.bytes {
            (format!("{} MiB of memory", limits.bytes >> 20), "memory")
        } else {
            return self.in_time();
        };
        Err(AsOfError::TooMuch {
            at: self.at,
            what,
            setting,
        })
    }

    fn in_time(&self) -> Result<(), AsOfError> {
        if Instant::now() < self.until {
            return Ok(());
        }
        Err(late(self.at, self.limits))
    }
}

fn late(at: i64, limits: &AsOfLimits) -> AsOfError {
    AsOfError::TooMuch {
        at,
        what: format!("{} s", limits.time.as_secs_f64()),
        setting: "time",
    }
}

impl From<LakeError> for AsOfError {
    fn from(error: LakeError) -> Self {
        AsOfError::Failed(error.to_string())
    }
}

impl From<StoreError> for AsOfError {
    fn from(error: StoreError) -> Self {
        AsOfError::Failed(error.to_string())
    }
}

/// The picture of that moment. One is made at a time.
///
/// # Errors
/// [`AsOfError`].
pub(super) async fn picture(store: &Store, at: i64) -> Result<Arc<Snapshot>, AsOfError> {
    let limits = &store.options.as_of;
    let making = async {
        let mut kept = store.earlier.lock().await;
        let now = store.now();
        if at > now {
            return Err(AsOfError::Future { at, now });
        }
        let present = store.picture();
        if let Some(picture) = kept.get(at, &present) {
            return Ok(picture);
        }
        let mut budget = Budget {
            at,
            limits,
            until: Instant::now() + limits.time,
            records: 0,
            bytes: 0,
        };
        let touched = since::touched(store, &present, &mut budget).await?;
        let picture = Arc::new(earlier::made(store, &present, touched, &mut budget).await?);
        kept.put(Made {
            at,
            when: Instant::now(),
            now: present.now,
            picture: picture.clone(),
        });
        Ok(picture)
    };
    match tokio::time::timeout(limits.time, making).await {
        Ok(made) => made,
        Err(_) => Err(late(at, limits)),
    }
}
