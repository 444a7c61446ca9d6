//! Waits that grow, and are never quite the same for two who wait for one thing.

use std::time::{Duration, SystemTime};

use tokio_util::sync::CancellationToken;
use xxhash_rust::xxh3::xxh3_64;

/// Waits between attempts.
#[derive(Debug)]
pub(super) struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
}

impl Backoff {
    /// From `first`, doubled each time, to `most`.
    pub fn new(first: Duration, most: Duration) -> Self {
        Backoff {
            first,
            most,
            next: first,
        }
    }

    /// It went well: the next wait is short again.
    pub fn reset(&mut self) {
        self.next = self.first;
    }

    /// The next wait: between half of it and the whole.
    pub fn next(&mut self) -> Duration {
        let whole = self.next;
        self.next = (whole * 2).min(self.most);
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let chance = xxh3_64(&now.as_nanos().to_le_bytes()) % 1000;
        whole.mul_f64(0.5 + chance as f64 / 2000.0)
    }

    /// Waits; false when told to stop meanwhile.
    pub async fn wait(&mut self, stop: &CancellationToken) -> bool {
        let wait = self.next();
        tokio::select! {
            () = stop.cancelled() => false,
            () = tokio::time::sleep(wait) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_begin_anew() {
        let second = Duration::from_secs(1);
        let mut backoff = Backoff::new(second, 5 * second);
        for most in [1, 2, 4, 5, 5] {
            let wait = backoff.next();
            assert!(
                wait >= second * most / 2 && wait <= second * most,
                "{wait:?}"
            );
        }
        backoff.reset();
        assert!(backoff.next() <= second);
    }
}
