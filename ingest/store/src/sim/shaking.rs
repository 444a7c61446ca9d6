//! What happens to a store's writes in the hands of a test.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::Mutex;
use tokio::runtime::{Handle, Id};

use super::Power;

/// When a write fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The write does not happen.
    Before,
    /// The write happens, its answer is lost.
    After,
}

/// What happens at a write, before it does.
pub type Meanwhile = Pin<Box<dyn Future<Output = ()> + Send>>;

/// It, once its time has come.
struct Waiting {
    /// Writes still to come before it.
    left: u32,
    /// The runtime that it needs. Delta writes checkpoints by a runtime of its own, for which the
    /// thread waits that asked: nothing else of that thread goes on meanwhile.
    on: Option<Id>,
    what: Meanwhile,
}

fn here() -> Option<Id> {
    Handle::try_current().ok().map(|handle| handle.id())
}

/// What shakes a store; shared by its writes.
pub struct Shaking {
    when: When,
    /// Writes still to succeed before one fails; negative for never.
    left: AtomicI64,
    power: Mutex<Power>,
    meanwhile: Mutex<Option<Waiting>>,
}

/// What a write says that was made to fail.
pub const FAILED: &str = "the storage failed, as the test asked";

impl Shaking {
    /// Nothing fails yet.
    pub fn new(when: When) -> Self {
        Shaking {
            when,
            left: AtomicI64::new(-1),
            power: Mutex::default(),
            meanwhile: Mutex::default(),
        }
    }

    /// Lets `n` writes succeed and the next one fail, once.
    pub fn fail_after(&self, n: i64) {
        self.left.store(n, Ordering::SeqCst);
    }

    /// True when the fault has not met a write.
    pub fn pending(&self) -> bool {
        self.left.load(Ordering::SeqCst) >= 0
    }

    /// Where its strength to write comes from.
    pub fn set_power(&self, power: Power) {
        *self.power.lock() = power;
    }

    /// Lets `n` writes pass, and this happen at the next one by this runtime, before it is made.
    pub fn meanwhile(&self, n: u32, what: Meanwhile) {
        *self.meanwhile.lock() = Some(Waiting {
            left: n,
            on: here(),
            what,
        });
    }

    /// Forgets what was to happen; it may hold the store whose writes it waits for.
    pub fn calm(&self) {
        self.left.store(-1, Ordering::SeqCst);
        *self.meanwhile.lock() = None;
    }

    /// Comes to a write. True when its answer shall be lost.
    ///
    /// # Errors
    /// The write shall not happen.
    pub async fn turn(&self) -> Result<bool, &'static str> {
        let due = {
            let mut meanwhile = self.meanwhile.lock();
            match meanwhile.take() {
                Some(waiting) if waiting.left == 0 && waiting.on == here() => Some(waiting.what),
                waiting => {
                    *meanwhile = waiting.map(|w| Waiting {
                        left: w.left.saturating_sub(1),
                        ..w
                    });
                    None
                }
            }
        };
        if let Some(what) = due {
            what.await;
        }
        let fails =
            self.left.load(Ordering::SeqCst) >= 0 && self.left.fetch_sub(1, Ordering::SeqCst) == 0;
        if fails && self.when == When::Before {
            return Err(FAILED);
        }
        self.powered()?;
        Ok(fails)
    }

    /// Uses power for a call.
    ///
    /// # Errors
    /// It has gone.
    pub fn powered(&self) -> Result<(), &'static str> {
        match self.power.lock().spend() {
            true => Ok(()),
            false => Err(FAILED),
        }
    }
}
