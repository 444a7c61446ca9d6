//! Plans and answers that are kept. A plan does not depend on the snapshot (its tables read the
//! one that the session is bound to), so the text is planned and optimised once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use callboard_store::snapshot::Snapshot;
use datafusion::logical_expr::LogicalPlan;
use parking_lot::Mutex;

use crate::session::Answer;

/// Most plans that are kept.
const PLANS: usize = 512;
/// Most answers that are kept.
const ANSWERS: usize = 256;
/// Largest answer that is kept, in bytes.
const ANSWER_BYTES: usize = 1 << 20;

/// A plan ready to be made physical.
#[derive(Debug, Clone)]
pub struct Kept {
    /// As the user wrote it: its schema names the columns of the answer, and its parameters have
    /// their types.
    pub logical: Arc<LogicalPlan>,
    /// Optimised; `None` where the plan depends on the moment and is optimised each time.
    pub optimised: Option<Arc<LogicalPlan>>,
}

/// Who asked what, of which earlier moment, and by which identities.
type Asked = (String, String, Option<i64>, u64);

/// What is kept, by text.
#[derive(Default)]
pub struct PlanCache {
    plans: Mutex<Lru<String, Kept>>,
    answers: Mutex<Lru<Asked, Arc<Answer>>>,
}

impl PlanCache {
    /// The plan of this text.
    pub fn plan(&self, sql: &str) -> Option<Kept> {
        self.plans.lock().get(sql)
    }

    /// Keeps a plan.
    pub fn keep_plan(&self, sql: &str, plan: Kept) {
        self.plans.lock().put(sql.to_owned(), plan, PLANS);
    }

    /// The answer to this text over this snapshot.
    pub fn answer(&self, user: &str, sql: &str, of: &Snapshot, by: u64) -> Option<Arc<Answer>> {
        self.answers
            .lock()
            .get(&(user.to_owned(), sql.to_owned(), of.as_of, by))
            .filter(|a| a.version == of.version)
    }

    /// Keeps an answer unless it is large.
    pub fn keep_answer(
        &self,
        user: &str,
        sql: &str,
        (as_of, by): (Option<i64>, u64),
        answer: &Arc<Answer>,
    ) {
        let bytes: usize = answer
            .batches
            .iter()
            .map(arrow::array::RecordBatch::get_array_memory_size)
            .sum();
        if bytes <= ANSWER_BYTES {
            let key = (user.to_owned(), sql.to_owned(), as_of, by);
            self.answers.lock().put(key, answer.clone(), ANSWERS);
        }
    }
}

/// A map that forgets what was not used for longest.
struct Lru<K, V> {
    map: HashMap<K, (u64, V)>,
    clock: u64,
}

impl<K, V> Default for Lru<K, V> {
    fn default() -> Self {
        Lru {
            map: HashMap::new(),
            clock: 0,
        }
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Lru<K, V> {
    fn get<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.clock += 1;
        let (used, value) = self.map.get_mut(key)?;
        *used = self.clock;
        Some(value.clone())
    }

    fn put(&mut self, key: K, value: V, most: usize) {
        self.clock += 1;
        if self.map.len() >= most && !self.map.contains_key(&key) {
            let oldest = self
                .map
                .iter()
                .min_by_key(|(_, (used, _))| *used)
                .map(|(k, _)| k.clone());
            if let Some(oldest) = oldest {
                self.map.remove(&oldest);
            }
        }
        self.map.insert(key, (self.clock, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_unused_is_forgotten() {
        let mut lru: Lru<String, u8> = Lru::default();
        lru.put("a".into(), 1, 2);
        lru.put("b".into(), 2, 2);
        assert_eq!(lru.get("a"), Some(1));
        lru.put("c".into(), 3, 2);
        assert_eq!(lru.get("b"), None);
        assert_eq!((lru.get("a"), lru.get("c")), (Some(1), Some(3)));
    }
}
