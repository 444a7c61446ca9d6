//! The next segment, written full of zeros in the background: a sync that only overwrites blocks
//! is cheaper than one that also has to record that the file grew.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use super::segments::Shared;
use crate::storage::{Storage, StorageFile};

type Made = io::Result<Option<(PathBuf, Arc<dyn StorageFile>)>>;

/// Who makes the spare.
enum Making {
    Thread(JoinHandle<Made>),
    /// A log without a thread made it at once.
    Done(Made),
}

impl Making {
    fn is_finished(&self) -> bool {
        match self {
            Self::Thread(thread) => thread.is_finished(),
            Self::Done(_) => true,
        }
    }

    /// What was made, waiting for it; nothing where the thread panicked.
    fn end(self) -> Made {
        match self {
            Self::Thread(thread) => thread.join().unwrap_or(Ok(None)),
            Self::Done(made) => made,
        }
    }
}

/// At most one spare, being made or ready.
pub(super) struct Spare {
    making: Option<Making>,
    cancel: Arc<AtomicBool>,
    wanted: bool,
    storage: Arc<dyn Storage>,
}

impl Spare {
    pub(super) fn new(shared: &Shared) -> Self {
        Self {
            making: None,
            cancel: Arc::new(AtomicBool::new(false)),
            wanted: shared.options.preallocate,
            storage: Arc::clone(&shared.storage),
        }
    }

    /// Starts making a spare once a quarter of the open segment is used: a log that sees little
    /// traffic never pays for one.
    pub(super) fn prepare(&mut self, shared: &Shared) {
        if !self.wanted || self.making.is_some() {
            return;
        }
        let size = shared.options.segment_bytes;
        let used = shared.catalog.read().segments.back().map_or(0, |s| s.end);
        if used < size / 4 {
            return;
        }
        let storage = Arc::clone(&shared.storage);
        let path = shared.dir.join("spare.tmp");
        let cancel = Arc::clone(&self.cancel);
        let make = move || make(storage.as_ref(), &path, size, &cancel);
        if shared.options.by_hand.is_some() {
            self.making = Some(Making::Done(make()));
            return;
        }
        let thread = std::thread::Builder::new()
            .name("log-spare".into())
            .spawn(make);
        match thread {
            Ok(thread) => self.making = Some(Making::Thread(thread)),
            Err(error) => {
                tracing::warn!(%error, "no thread for spare log segments; going on without");
                self.wanted = false;
            }
        }
    }

    /// The spare, when it is ready.
    pub(super) fn take(&mut self) -> Option<(PathBuf, Arc<dyn StorageFile>)> {
        if !self.making.as_ref()?.is_finished() {
            return None;
        }
        match self.making.take()?.end() {
            Ok(spare) => spare,
            Err(error) => {
                tracing::warn!(%error, "could not prepare the next log segment");
                None
            }
        }
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        self.cancel.store(true, Ordering::Relaxed);
        if let Some(Ok(Some((path, _)))) = self.making.take().map(Making::end) {
            // Left over it would only hold space; the next start would remove it anyway.
            let _ = self.storage.remove(&path);
        }
    }
}

fn make(storage: &dyn Storage, path: &Path, size: u64, cancel: &AtomicBool) -> Made {
    let file = storage.create(path)?;
    match fill(file.as_ref(), size, cancel) {
        Ok(true) => Ok(Some((path.to_owned(), file))),
        Ok(false) => {
            storage.remove(path)?;
            Ok(None)
        }
        Err(error) => {
            // A half-made spare would hold the space that the log itself may need.
            let _ = storage.remove(path);
            Err(error)
        }
    }
}

fn fill(file: &dyn StorageFile, size: u64, cancel: &AtomicBool) -> io::Result<bool> {
    const STEP: u64 = 1 << 20;
    let zeros = vec![0u8; STEP as usize];
    let mut at = 0;
    while at < size {
        if cancel.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let len = STEP.min(size - at);
        file.write_at(&zeros[..len as usize], at)?;
        at += len;
    }
    file.sync()?;
    Ok(true)
}
