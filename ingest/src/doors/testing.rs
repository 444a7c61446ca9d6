//! An intake that keeps everything in memory: the same verdicts as the real one, by sets.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use callboard_model::record::Record;
use parking_lot::Mutex;

use super::intake::{Candidate, DeadInput, Intake, Unavailable, Verdict};

/// Set-based intake.
#[derive(Default)]
pub struct MemoryIntake {
    /// Records by identity, in order of arrival of their first bytes.
    pub records: Mutex<Vec<Record>>,
    seen: Mutex<HashMap<(String, String), u64>>,
    /// Dead letters.
    pub dead: Mutex<Vec<DeadInput>>,
    /// Sources that were said to have ended.
    pub ended: Mutex<Vec<String>>,
    /// Batches that were submitted, by number of candidates.
    pub batches: Mutex<Vec<usize>>,
    /// What to answer instead of taking, from that batch on.
    pub unavailable: Mutex<Option<(usize, Unavailable)>>,
}

impl MemoryIntake {
    /// A new, empty one.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }
}

#[async_trait]
impl Intake for MemoryIntake {
    async fn submit(&self, batch: Vec<Candidate>) -> Result<Vec<Verdict>, Unavailable> {
        if let Some((from, why)) = &*self.unavailable.lock()
            && self.batches.lock().len() >= *from
        {
            return Err(why.clone());
        }
        self.batches.lock().push(batch.len());
        let mut verdicts = Vec::with_capacity(batch.len());
        for candidate in batch {
            verdicts.push(match candidate {
                Candidate::Dead(dead) => {
                    let refusal = dead.refusal.clone();
                    self.dead.lock().push(dead);
                    Verdict::Refused(refusal)
                }
                Candidate::Record(record) => self.take(record),
            });
        }
        Ok(verdicts)
    }

    fn now(&self) -> i64 {
        1_795_000_000_000_000
    }

    fn ended(&self, sources: &[String]) {
        self.ended.lock().extend_from_slice(sources);
    }
}

impl MemoryIntake {
    fn take(&self, record: Record) -> Verdict {
        if &*record.format == "event"
            && let Err(refusal) = callboard_model::cloudevents::read(&record)
        {
            self.dead.lock().push(super::event::dead(
                &record.source,
                refusal.clone(),
                &record.bytes,
            ));
            return Verdict::Refused(refusal);
        }
        let identity = (record.source.to_string(), record.id.to_string());
        match self.seen.lock().get(&identity) {
            Some(hash) if *hash == record.content_hash() => return Verdict::Repeated,
            Some(_) => return Verdict::Conflict,
            None => {}
        }
        self.seen.lock().insert(identity, record.content_hash());
        self.records.lock().push(record);
        Verdict::Taken
    }
}

/// A server that is always ready.
pub struct AlwaysReady;

impl super::http::Readiness for AlwaysReady {
    fn ready(&self) -> Result<(), String> {
        Ok(())
    }
}
