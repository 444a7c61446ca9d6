//! On what the rows of an open key depend beside the key itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use callboard_model::ids::Key;
use callboard_model::record::Interpreter;
use parking_lot::Mutex;

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
    /// Names of keys of which no rows can be made, for a fault in the program ends it.
    faulty: Arc<Mutex<BTreeSet<String>>>,
}

impl Around {
    /// Without restarts, and every day is kept.
    pub fn new(interpreter: Arc<dyn Interpreter>) -> Self {
        Around {
            interpreter,
            restarts: Arc::default(),
            horizons: Arc::default(),
            faulty: Arc::default(),
        }
    }

    /// Notes whether rows of a key could be made.
    pub fn note_faulty(&self, key: &Key, faulty: bool) {
        let mut all = self.faulty.lock();
        match faulty {
            true => {
                all.insert(key.name());
            }
            // Mostly there is none, and no name to be made.
            false if !all.is_empty() => {
                all.remove(&key.name());
            }
            false => {}
        }
    }

    /// Names of the keys of which no rows could be made when it was last tried.
    pub fn faulty(&self) -> BTreeSet<String> {
        self.faulty.lock().clone()
    }

    /// Lets go of a name that is none of an open key any more.
    pub fn forget_faulty(&self, name: &str) {
        self.faulty.lock().remove(name);
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
