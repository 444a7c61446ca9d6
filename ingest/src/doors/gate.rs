//! Bounds how many requests are worked on at once, in all and per sender, so that one sender's
//! flood cannot starve another.

use std::collections::HashMap;
use std::sync::Arc;

use axum::http::StatusCode;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits::Limits;
use super::problem::Problem;

/// Admits requests.
pub struct Gate {
    all: Arc<Semaphore>,
    senders: Arc<Mutex<HashMap<String, Sender>>>,
    per_sender: usize,
    waiting: usize,
}

struct Sender {
    permits: Arc<Semaphore>,
    present: usize,
}

/// A request inside the gate; leaves when dropped.
pub struct Pass {
    _own: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
    _presence: Presence,
}

/// Counts a sender's requests, waiting or working, and forgets a sender that has none.
struct Presence {
    senders: Arc<Mutex<HashMap<String, Sender>>>,
    name: String,
}

impl Drop for Presence {
    fn drop(&mut self) {
        metrics::gauge!("callboard_open_requests").decrement(1.0);
        let mut senders = self.senders.lock();
        if let Some(sender) = senders.get_mut(&self.name) {
            sender.present -= 1;
            if sender.present == 0 {
                senders.remove(&self.name);
            }
        }
    }
}

impl Gate {
    /// A gate with these bounds.
    pub fn new(limits: &Limits) -> Self {
        Gate {
            all: Arc::new(Semaphore::new(limits.requests.max(1))),
            senders: Arc::new(Mutex::new(HashMap::new())),
            per_sender: limits.requests_per_sender.max(1),
            waiting: limits.waiting_per_sender,
        }
    }

    /// Waits for a place. A sender's own places come first, so that what waits for one of them
    /// holds none of the common ones.
    ///
    /// # Errors
    /// 429 when this sender has too many requests waiting; 503 when the server stops.
    pub async fn enter(&self, sender: &str) -> Result<Pass, Problem> {
        let (own, presence) = self.arrive(sender)?;
        let own = own.acquire_owned().await.map_err(|_| stopping())?;
        let all = self
            .all
            .clone()
            .acquire_owned()
            .await
            .map_err(|_| stopping())?;
        Ok(Pass {
            _own: own,
            _all: all,
            _presence: presence,
        })
    }

    fn arrive(&self, name: &str) -> Result<(Arc<Semaphore>, Presence), Problem> {
        let mut senders = self.senders.lock();
        let sender = senders.entry(name.to_owned()).or_insert_with(|| Sender {
            permits: Arc::new(Semaphore::new(self.per_sender)),
            present: 0,
        });
        if sender.present >= self.per_sender + self.waiting {
            let mut problem = Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_requests",
                format!(
                    "{} requests of this sender are under way; send larger batches, fewer at once",
                    sender.present
                ),
            );
            problem.retry_after_s = Some(1);
            return Err(problem);
        }
        sender.present += 1;
        metrics::gauge!("callboard_open_requests").increment(1.0);
        let presence = Presence {
            senders: self.senders.clone(),
            name: name.to_owned(),
        };
        Ok((sender.permits.clone(), presence))
    }
}

fn stopping() -> Problem {
    super::intake::Unavailable::Stopping.into()
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn one_senders_flood_leaves_room_for_another() {
        let gate = Gate::new(&Limits {
            requests: 4,
            requests_per_sender: 2,
            waiting_per_sender: 3,
            ..Limits::default()
        });
        let first = gate.enter("flood").await.ok().unwrap();
        let _second = gate.enter("flood").await.ok().unwrap();
        let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(gate.enter("flood"))).collect();
        for one in &mut waiting {
            assert!(one.now_or_never().is_none(), "beyond its places it waits");
        }
        let refused = gate.enter("flood").await.err().unwrap();
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(refused.retry_after_s, Some(1));
        assert!(gate.enter("other").now_or_never().is_some());
        drop(first);
        assert!(gate.senders.lock().contains_key("flood"));
        drop(waiting);
        drop(_second);
        assert!(gate.senders.lock().is_empty(), "nobody is remembered");
    }
}
