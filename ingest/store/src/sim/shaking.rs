//! What happens to a store's calls in the hands of a test: one write fails, all calls fail for a
//! while, all are slow.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

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

/// What a store says that will not or cannot do what it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Too many requests: status 429.
    Busy,
    /// It is broken or away: status 500 and above.
    Broken,
    /// The credentials are not good any more: status 401 or 403.
    Denied,
    /// The condition of a write does not hold, status 409 or 412, though nobody else has written.
    /// Calls without a condition succeed.
    Conflict,
}

/// Every way in which a store refuses.
pub const REFUSALS: [Refusal; 4] = [
    Refusal::Busy,
    Refusal::Broken,
    Refusal::Denied,
    Refusal::Conflict,
];

/// A store that refuses for a while.
#[derive(Clone, Copy)]
struct Away {
    says: Refusal,
    when: When,
    /// Calls that it still refuses.
    left: u64,
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
    away: Mutex<Option<Away>>,
    /// How long every call takes before it is made, microseconds.
    slow: AtomicU64,
    /// How many turns of the runtime every call waits before it is made.
    turns: AtomicU64,
    /// Calls that failed because the test wished it.
    met: AtomicU64,
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
            away: Mutex::default(),
            slow: AtomicU64::new(0),
            turns: AtomicU64::new(0),
            met: AtomicU64::new(0),
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

    /// Lets so many calls fail, reads too, or fewer if it is [back](Self::back) before. With
    /// [`When::After`] writes happen all the same.
    pub fn away(&self, says: Refusal, when: When, calls: u64) {
        *self.away.lock() = Some(Away {
            says,
            when,
            left: calls,
        })
        .filter(|away| away.left > 0);
    }

    /// Lets calls succeed again.
    pub fn back(&self) {
        *self.away.lock() = None;
    }

    /// Lets every call take so long, reads too.
    pub fn slow(&self, by: Duration) {
        let by = u64::try_from(by.as_micros()).unwrap_or(u64::MAX);
        self.slow.store(by, Ordering::SeqCst);
    }

    /// Lets every call wait so many turns of the runtime, reads too: others go on meanwhile as with
    /// [`slow`](Self::slow), and no clock says how far.
    pub fn slow_by_turns(&self, turns: u64) {
        self.turns.store(turns, Ordering::SeqCst);
    }

    /// Lets no call take time.
    pub fn quick(&self) {
        self.slow(Duration::ZERO);
        self.slow_by_turns(0);
    }

    /// How many calls failed so far because the test wished it.
    pub fn met(&self) -> u64 {
        self.met.load(Ordering::SeqCst)
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
        self.back();
        self.quick();
        *self.meanwhile.lock() = None;
    }

    /// One call of a time of refusals: what it is told, and when.
    fn refused(&self, conditional: bool) -> Option<(Refusal, When)> {
        let mut away = self.away.lock();
        let met = away.as_mut();
        let met = met.filter(|away| conditional || away.says != Refusal::Conflict);
        let told = met.map(|away| {
            away.left -= 1;
            (away.says, away.when)
        });
        *away = away.filter(|away| away.left > 0);
        drop(away);
        told.inspect(|_| self.count())
    }

    fn count(&self) {
        self.met.fetch_add(1, Ordering::SeqCst);
    }

    async fn take_time(&self) {
        for _ in 0..self.turns.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
        match self.slow.load(Ordering::SeqCst) {
            0 => {}
            by => tokio::time::sleep(Duration::from_micros(by)).await,
        }
    }

    /// Comes to a read, or to a part of a write.
    ///
    /// # Errors
    /// It shall not happen.
    pub async fn look(&self) -> Result<(), Refusal> {
        self.power.lock().note("read the lake");
        self.take_time().await;
        match self.refused(false) {
            Some((says, _)) => Err(says),
            None => Ok(()),
        }
    }

    /// Comes to a write, which may have a condition. Gives what it shall answer after it was made,
    /// where that is no success.
    ///
    /// # Errors
    /// The write shall not happen.
    pub async fn turn(&self, conditional: bool) -> Result<Option<Refusal>, Refusal> {
        self.power.lock().note("write to the lake");
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
        self.take_time().await;
        let once =
            self.left.load(Ordering::SeqCst) >= 0 && self.left.fetch_sub(1, Ordering::SeqCst) == 0;
        let told = match once {
            true => {
                self.count();
                Some((Refusal::Broken, self.when))
            }
            false => self.refused(conditional),
        };
        if let Some((says, When::Before)) = told {
            return Err(says);
        }
        self.powered()?;
        Ok(told.map(|(says, _)| says))
    }

    /// Uses power for a call.
    ///
    /// # Errors
    /// It has gone.
    pub fn powered(&self) -> Result<(), Refusal> {
        match self.power.lock().spend() {
            true => Ok(()),
            false => Err(Refusal::Broken),
        }
    }
}
