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

/// At most one spare, being made or ready.
pub(super) struct Spare {
    making: Option<JoinHandle<Made>>,
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
        let thread = std::thread::Builder::new()
            .name("log-spare".into())
            .spawn(move || make(storage.as_ref(), &path, size, &cancel));
        match thread {
            Ok(thread) => self.making = Some(thread),
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
        match self.making.take()?.join() {
            Ok(Ok(spare)) => spare,
            Ok(Err(error)) => {
                tracing::warn!(%error, "could not prepare the next log segment");
                None
            }
            Err(_) => None,
        }
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        self.cancel.store(true, Ordering::Relaxed);
        let made = self.making.take().map(JoinHandle::join);
        if let Some(Ok(Ok(Some((path, _))))) = made {
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
