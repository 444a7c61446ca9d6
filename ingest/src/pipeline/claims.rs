//! Ids that are on their way to the disk: a repeat waits for the fate of the first.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Ids that are being made durable.
#[derive(Default)]
pub(super) struct UnderWay {
    ids: Mutex<HashSet<u64>>,
    landed: Notify,
}

/// Ids that one request claims for itself until they have landed.
pub(super) struct Claim {
    under_way: Arc<UnderWay>,
    own: Vec<u64>,
}

impl UnderWay {
    /// Claims ids. Those that another request is just making durable are waited for: their fate
    /// decides ours.
    pub(super) async fn claim(self: &Arc<Self>, own: Vec<u64>) -> Claim {
        loop {
            let landed = self.landed.notified();
            tokio::pin!(landed);
            landed.as_mut().enable();
            {
                let mut ids = self.ids.lock();
                if !own.iter().any(|id| ids.contains(id)) {
                    ids.extend(&own);
                    let under_way = self.clone();
                    return Claim { under_way, own };
                }
            }
            landed.await;
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut ids = self.under_way.ids.lock();
        for id in &self.own {
            ids.remove(id);
        }
        drop(ids);
        self.under_way.landed.notify_waiters();
    }
}
