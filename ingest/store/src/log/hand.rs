//! Who runs the writer: a thread of its own, or, in simulations, whoever waits for it. Then nothing
//! but a seed says what falls into one group and what comes before what, and a run on one thread
//! can be repeated.

use std::future::Future;
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::Mutex;

use super::LogError;
use super::segments::Shared;
use super::writer::{self, Writer};
use crate::sim::Rng;

/// An append waits fewer turns of the runtime than this for others that go into its group.
const TURNS: usize = 8;

/// Who runs the writer.
pub(super) enum Runs {
    Thread(Mutex<Option<JoinHandle<()>>>),
    ByHand(Arc<Hand>),
}

/// A writer without a thread.
pub(super) struct Hand {
    writer: Mutex<Writer>,
    rng: Mutex<Rng>,
}

impl Hand {
    async fn write_soon(&self) {
        let turns = self.rng.lock().below(TURNS);
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        self.writer.lock().run_queued();
    }
}

impl Runs {
    /// As the options say.
    pub(super) fn start(shared: &Arc<Shared>) -> Result<Self, LogError> {
        let Some(seed) = shared.options.by_hand else {
            let thread = writer::start(Arc::clone(shared))?;
            return Ok(Self::Thread(Mutex::new(Some(thread))));
        };
        Ok(Self::ByHand(Arc::new(Hand {
            writer: Mutex::new(Writer::new(Arc::clone(shared))),
            rng: Mutex::new(Rng(seed)),
        })))
    }

    /// Sees to it that what is queued is written some turns later; a thread needs nobody.
    pub(super) fn write_soon(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        let hand = match self {
            Self::Thread(_) => None,
            Self::ByHand(hand) => Some(Arc::clone(hand)),
        };
        async move {
            if let Some(hand) = hand {
                hand.write_soon().await;
            }
        }
    }

    /// The same, at once.
    pub(super) fn write_now(&self) {
        if let Self::ByHand(hand) = self {
            hand.writer.lock().run_queued();
        }
    }

    /// Waits until a closing log is written to its end.
    pub(super) fn end(&self) {
        self.write_now();
        if let Self::Thread(thread) = self
            && let Some(thread) = thread.lock().take()
        {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;
    use crate::log::{Entry, Log, LogOptions};
    use crate::sim::disk::SimDisk;

    #[test]
    fn what_is_queued_by_its_turn_is_one_group_and_a_close_writes_the_rest() {
        let disk = SimDisk::default();
        let options = LogOptions {
            by_hand: Some(7),
            gather: Duration::ZERO,
            preallocate: false,
            ..LogOptions::default()
        };
        let (log, _) = Log::open("/log", options, Arc::new(disk.clone())).unwrap();
        let append = |text: &'static str| {
            let payload = Bytes::from_static(text.as_bytes());
            log.append(vec![Entry { kind: 1, payload }])
        };
        let before = disk.syncs();
        let (one, two) = (append("one"), append("two"));
        assert_eq!(disk.syncs(), before, "nothing happens by itself");
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let both = async { tokio::join!(one, two) };
        let (one, two) = runtime.unwrap().block_on(both);
        assert_eq!((one, two), (Ok(1..2), Ok(2..3)));
        assert_eq!(disk.syncs(), before + 1, "one group");
        drop(append("nobody waits for this"));
        log.close().unwrap();
        assert_eq!(log.durable(), 3);
    }
}
