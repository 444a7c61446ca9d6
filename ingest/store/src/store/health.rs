//! How the store fares, for the status page and for `/metrics`.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use super::Store;

/// How the store fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Keys that have not settled.
    pub open_keys: usize,
    /// Bytes they hold, roughly.
    pub live_bytes: usize,
    /// Records that wait to be joined with what is in the lake.
    pub late: usize,
    /// Records that are not in the lake yet.
    pub unflushed: usize,
    /// Bytes of the log.
    pub log_bytes: u64,
    /// Flushes of this process.
    pub flushes: u64,
    /// When the last one ended, UTC microseconds of the machine's clock.
    pub last_flush: Option<i64>,
    /// Why flushing or the log fails, if it does.
    pub failing: Option<String>,
    /// Names of keys that are in no figure, for a fault in the program ends the making of their rows.
    pub faulty: BTreeSet<String>,
}

impl Store {
    /// How the store fares.
    pub fn health(&self) -> Health {
        let (open_keys, live_bytes, late, unflushed, faulty) = {
            let inner = self.inner.lock();
            (
                inner.live.len(),
                inner.live.bytes,
                inner.live.late.len(),
                inner.live.unflushed.len(),
                inner.live.around().faulty(),
            )
        };
        Health {
            open_keys,
            live_bytes,
            late,
            unflushed,
            log_bytes: self.log.bytes(),
            flushes: self.flushes.load(Ordering::Relaxed),
            last_flush: Some(self.last_flush.load(Ordering::Relaxed)).filter(|t| *t > 0),
            failing: self.failing.lock().clone().or_else(|| self.log.failure()),
            faulty,
        }
    }
}
