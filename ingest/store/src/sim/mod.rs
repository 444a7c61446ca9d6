//! What the fault tests stand on in place of the machine: a disk that tells what was synced, an
//! object store that fails, and one power for both, which can go at any call. No server uses it.

#![allow(clippy::unwrap_used)] // a simulation that breaks must stop its test

pub mod calls;
pub mod disk;
mod images;
pub mod objects;
pub mod shaking;
pub mod tables;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::Mutex;

/// How many more calls that change something succeed, on all that share it, and what was called.
#[derive(Debug, Clone)]
pub struct Power {
    left: Arc<AtomicI64>,
    /// The calls so far, in the one order in which all who share it made them.
    calls: Arc<Mutex<Vec<String>>>,
}

impl Default for Power {
    fn default() -> Self {
        Power::lasting()
    }
}

impl Power {
    /// It never goes.
    pub fn lasting() -> Self {
        Power::of(i64::MAX)
    }

    /// It goes after so many calls.
    pub fn of(calls: i64) -> Self {
        Power {
            left: Arc::new(AtomicI64::new(calls)),
            calls: Arc::default(),
        }
    }

    /// Uses it for one call; false when it has gone.
    pub fn spend(&self) -> bool {
        self.left.fetch_sub(1, Ordering::SeqCst) > 0
    }

    /// Lets it go now.
    pub fn cut(&self) {
        self.left.store(0, Ordering::SeqCst);
    }

    /// Whether it has gone.
    pub fn gone(&self) -> bool {
        self.left.load(Ordering::SeqCst) <= 0
    }

    /// Writes down a call.
    pub fn note(&self, call: impl Into<String>) {
        self.calls.lock().push(call.into());
    }

    /// The calls that were written down.
    pub fn calls(&self) -> Vec<String> {
        self.calls.lock().clone()
    }
}

/// Small repeatable random numbers (splitmix).
#[derive(Debug, Clone)]
pub struct Rng(pub u64);

impl Rng {
    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x ^= x >> 30;
        x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x ^= x >> 27;
        x.wrapping_mul(0x94D0_49BB_1331_11EB) ^ (x >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.draw() % n as u64) as usize
    }
}
