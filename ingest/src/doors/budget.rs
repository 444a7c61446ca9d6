//! One budget for the bodies that doors hold as a whole: each is weighed while it arrives, before
//! memory grows, so that all together never hold more, however many come at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::StatusCode;

use super::problem::Problem;

/// When a sender that found no room is to come back, seconds.
const COME_BACK_S: u32 = 2;

/// Bytes that bodies may have together.
#[derive(Debug)]
pub struct Budget {
    most: u64,
    held: AtomicU64,
}

impl Budget {
    /// A budget of so many bytes.
    pub fn new(most: u64) -> Arc<Self> {
        Arc::new(Budget {
            most,
            held: AtomicU64::new(0),
        })
    }

    /// Bytes in all.
    pub fn most(&self) -> u64 {
        self.most
    }

    /// Bytes that are held now.
    pub fn held(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    /// A body that holds nothing yet.
    pub fn weight(self: &Arc<Self>) -> Weight {
        Weight {
            budget: self.clone(),
            bytes: 0,
        }
    }
}

/// What one body weighs; given back when dropped.
#[derive(Debug)]
pub struct Weight {
    budget: Arc<Budget>,
    bytes: u64,
}

impl Weight {
    /// Asks for so many bytes more.
    ///
    /// # Errors
    /// 503 with the time to come back, when all bodies together would have more than the budget.
    pub fn grow(&mut self, more: usize) -> Result<(), Problem> {
        let more = more as u64;
        let budget = &self.budget;
        let fits = |held: u64| held.checked_add(more).filter(|sum| *sum <= budget.most);
        let grown = budget
            .held
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        if grown.is_err() {
            let mut problem = Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "bodies_full",
                format!(
                    "requests that are under way hold {} of the {} MiB that bodies of documents may \
                     have together; send it again in {COME_BACK_S} s, or fewer at once",
                    budget.held() >> 20,
                    budget.most >> 20
                ),
            );
            problem.retry_after_s = Some(COME_BACK_S);
            return Err(problem);
        }
        self.bytes += more;
        metrics::gauge!("callboard_body_bytes").increment(more as f64);
        Ok(())
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.bytes, Ordering::Relaxed);
        metrics::gauge!("callboard_body_bytes").decrement(self.bytes as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_share_the_budget_and_give_back() {
        let budget = Budget::new(100);
        let (mut one, mut other) = (budget.weight(), budget.weight());
        one.grow(60).unwrap();
        other.grow(40).unwrap();
        let refused = one.grow(1).unwrap_err();
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.retry_after_s, Some(2));
        assert_eq!(budget.held(), 100, "what was refused is not held");
        drop(other);
        one.grow(40).unwrap();
        drop(one);
        assert_eq!(budget.held(), 0);
        assert!(budget.weight().grow(usize::MAX).is_err());
    }
}
