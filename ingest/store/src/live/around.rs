//! On what the rows of an open key depend beside the key itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use callboard_model::record::Interpreter;

use crate::store::retention::Horizons;

/// How records are read, when instances restarted, and which days are kept. Cheap to clone, so that
/// rows can be made while live goes on.
#[derive(Clone)]
pub struct Around {
    /// Who reads records.
    pub interpreter: Arc<dyn Interpreter>,
    /// Restarts of each instance, UTC microseconds, ascending.
    restarts: Arc<BTreeMap<String, Vec<i64>>>,
    /// Days of which no rows are made any more.
    pub horizons: Arc<Horizons>,
}

impl Around {
    /// Without restarts, and every day is kept.
    pub fn new(interpreter: Arc<dyn Interpreter>) -> Self {
        Around {
            interpreter,
            restarts: Arc::default(),
            horizons: Arc::default(),
        }
    }

    /// Restarts of an instance, ascending.
    pub fn restarts_of(&self, source: &str) -> &[i64] {
        self.restarts.get(source).map_or(&[], Vec::as_slice)
    }

    /// Instances whose restarts are known.
    pub fn instances(&self) -> BTreeSet<String> {
        self.restarts.keys().cloned().collect()
    }

    /// Takes an instance's restarts over; tells whether they are others than before.
    pub fn put_restarts(&mut self, source: String, times: &BTreeSet<i64>) -> bool {
        let times: Vec<i64> = times.iter().copied().collect();
        if self.restarts.get(&source) == Some(&times) {
            return false;
        }
        Arc::make_mut(&mut self.restarts).insert(source, times);
        true
    }
}
