//! Flush: what has settled goes to the lake, records always go. Intent, one write per table,
//! commit record; a crash or a failure anywhere leaves every table right, and what it had begun is
//! replaced by the next.

use std::sync::atomic::Ordering;

use callboard_model::tables::{CorrectionRow, Row};
use deltalake::arrow::array::RecordBatch;

use super::checkpoint::{Commit, Intent};
use super::derived::AT_A_STOP;
use super::plan::Plan;
use super::{Clock as _, Inner, Store, StoreError, WallClock, aside};
use crate::lake::WritePlan;
use crate::steps;

/// What a flush did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flushed {
    /// Number of the attempt; 0 when there was nothing to do.
    pub attempt: i64,
    /// Keys whose rows it wrote.
    pub keys: usize,
    /// Of these, corrections of keys that had settled before.
    pub corrections: usize,
    /// Records it wrote.
    pub records: usize,
}

impl Store {
    /// Writes what has settled, and all new records, into the lake. With `all`, unsettled keys
    /// are written too, as they stand: for a clean stop.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is lost: what did not get there goes with the next flush.
    pub async fn flush(&self, all: bool) -> Result<Flushed, StoreError> {
        let mut commit = self.flushing.lock().await;
        let result = self.flush_locked(&mut commit, all).await;
        // While one is being made, the next flush does it.
        if let Ok(mut kept) = self.earlier.try_lock() {
            kept.tidy();
        }
        *self.failing.lock() = result.as_ref().err().map(ToString::to_string);
        if result.is_ok() {
            // On the machine's clock: how long ago it was is asked in a replay too.
            self.last_flush.store(WallClock.now(), Ordering::Relaxed);
            self.flushes.fetch_add(1, Ordering::Relaxed);
        }
        result
    }

    /// Resolves records that speak of settled keys, without a flush: their rows are seen at once. While
    /// one is under way nothing is done: it begins with that itself, and nobody waits for it here.
    ///
    /// # Errors
    /// [`StoreError`]; they wait on, and the next flush tries again.
    pub async fn resolve(&self) -> Result<usize, StoreError> {
        let Ok(_flushing) = self.flushing.try_lock() else {
            return Ok(0);
        };
        self.resolve_late().await
    }

    pub(super) async fn flush_locked(
        &self,
        commit: &mut Commit,
        all: bool,
    ) -> Result<Flushed, StoreError> {
        if commit.attempt == 0 {
            *commit = self.files.commit()?;
        }
        self.forget_written().await?;
        for _ in 0..8 {
            if self.resolve_late().await? == 0 {
                break;
            }
        }
        let flushed = match self.plan(all).await? {
            Some(plan) => self.carry_out(commit, &plan).await?,
            None => Flushed::default(),
        };
        if all {
            self.derive_now(commit, AT_A_STOP).await;
        }
        Ok(flushed)
    }

    /// Writes what is planned, makes it count, and trims the log.
    pub(super) async fn carry_out(
        &self,
        commit: &mut Commit,
        plan: &Plan,
    ) -> Result<Flushed, StoreError> {
        self.files.set_intent(&Intent {
            attempt: plan.attempt,
            keys: plan.begun.clone(),
        })?;
        steps::pass("flush.intent");
        self.write(plan).await?;
        steps::pass("flush.tables");
        let flushed = Flushed {
            attempt: plan.attempt,
            keys: plan.keys.len(),
            corrections: plan.corrections.len(),
            records: plan.records.iter().map(RecordBatch::num_rows).sum(),
        };
        aside(|| self.conclude(commit, plan))?;
        plan.tell();
        steps::pass("flush.counted");
        self.log.trim(commit.replay_from.saturating_sub(1))?;
        Ok(flushed)
    }

    /// Records and dead letters that a failed flush has put into the lake are not written again.
    async fn forget_written(&self) -> Result<(), StoreError> {
        let records = self.lake.certain("records").await?.max(0) as u64;
        let dead = self.lake.certain("dead_letters").await?.max(0) as u64;
        let mut inner = self.inner.lock();
        if records > inner.flushed || dead > inner.flushed {
            inner.live.unflushed.drop_upto(records, dead);
            self.look_again(&mut inner)?;
        }
        Ok(())
    }

    /// Lets readers see the lake as it is now.
    pub(super) fn look_again(&self, inner: &mut Inner) -> Result<(), StoreError> {
        inner.tables = self.lake.snapshots();
        inner.live.version += 1;
        self.changes.send_replace(inner.live.version);
        Ok(())
    }

    async fn write(&self, plan: &Plan) -> Result<(), StoreError> {
        for (table, rows, marks) in plan.appended() {
            let upto = plan.upto as i64;
            self.lake.write_marked(table, upto, rows, marks).await?;
            steps::pass(table);
        }
        let batches = plan.rows.batches()?;
        let mut tables: Vec<&'static str> = batches.keys().copied().collect();
        tables.extend(plan.replace.keys().copied());
        tables.sort_unstable();
        tables.dedup();
        for table in tables {
            let rows = batches.get(table).cloned().into_iter().collect();
            let replace = plan.replace.get(table).cloned();
            self.lake
                .write(table, plan.attempt, WritePlan { rows, replace })
                .await?;
            steps::pass(table);
        }
        if !plan.corrections.is_empty() {
            let rows = vec![CorrectionRow::batch(&plan.corrections)?];
            let replace = None;
            self.lake
                .write("corrections", plan.attempt, WritePlan { rows, replace })
                .await?;
            steps::pass("corrections");
        }
        Ok(())
    }
}
