//! Tables that are queries over others (intervals), made anew in the lake for the days that
//! flushes touched.

use std::collections::BTreeMap;
use std::time::Instant;

use callboard_model::tables::{AGENT_INTERVALS, QUEUE_INTERVALS};
use deltalake::arrow::array::RecordBatch;

use super::carried::carried;
use super::checkpoint::Commit;
use super::{Store, StoreError};
use crate::lake::{Replace, WritePlan, on_days};

/// A round waits so many times as long as the last one took: at most a twentieth of the time goes
/// into tables that our own views do not read.
const REST: u32 = 19;

/// The tables that are made so.
pub(super) const COPIES: [&str; 2] = [QUEUE_INTERVALS.name, AGENT_INTERVALS.name];

impl Store {
    /// Makes derived tables of the touched days anew, unless the last round was a moment ago; with
    /// `must`, at once.
    pub(super) async fn derive_rest(
        &self,
        commit: &mut Commit,
        must: bool,
    ) -> Result<(), StoreError> {
        let derive = self.derive.lock().clone();
        let Some(derive) = derive else { return Ok(()) };
        if commit.derive_days.is_empty() {
            return Ok(());
        }
        let rests = |(ended, took): (Instant, std::time::Duration)| ended.elapsed() < took * REST;
        if !must && self.derived.lock().is_some_and(rests) {
            return Ok(());
        }
        let began = Instant::now();
        let horizons = self.inner.lock().live.horizons().clone();
        let mut days = commit.derive_days.clone();
        // What older days would be made of is not there any more.
        days.retain(|day| *day >= horizons.of_sources());
        let made = match derive.derive(self.picture(), &days).await {
            Ok(made) => made,
            // Our own views do not read these tables: a flush does not fail for them. The days
            // stay in the commit record and are tried again.
            Err(error) => {
                metrics::counter!("callboard_derive_failures_total").increment(1);
                tracing::error!(%error, "tables of intervals could not be made; it is tried again");
                *self.derived.lock() = Some((Instant::now(), began.elapsed()));
                return Ok(());
            }
        };
        // A rebuild that was cut off has written under later numbers: these days are written all the same.
        let mut number = commit.attempt;
        for table in COPIES {
            if self.lake.applied(table)? > number {
                number = self.next_attempt()?;
            }
        }
        self.write_derived(made, &days, number).await?;
        commit.derive_days.clear();
        self.files.set_commit(commit)?;
        crate::steps::pass("derive.commit");
        *self.derived.lock() = Some((Instant::now(), began.elapsed()));
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        inner.derive_days.clear();
        self.look_again(inner)
    }

    /// Replaces these days of derived tables, but for those that a table keeps no more.
    pub(super) async fn write_derived(
        &self,
        made: BTreeMap<&'static str, Vec<RecordBatch>>,
        days: &[i32],
        number: i64,
    ) -> Result<(), StoreError> {
        let horizons = self.inner.lock().live.horizons().clone();
        for (table, rows) in made {
            let kept = days.iter().copied().filter(|d| horizons.keeps(table, *d));
            let mut kept: Vec<i32> = kept.collect();
            let on = kept.iter().copied().collect();
            let rows = rows.iter().map(|batch| on_days(batch, &on));
            let mut rows: Vec<_> = rows.collect::<Result<_, _>>()?;
            if table == AGENT_INTERVALS.name {
                let (more, carried) = carried(&self.lake, &on, &rows).await?;
                kept.extend(more);
                rows.extend(carried);
            }
            let replace = Some(Replace {
                days: kept,
                whole_days: true,
                ..Replace::default()
            });
            let plan = WritePlan { rows, replace };
            self.lake.write(table, number, plan).await?;
            crate::steps::pass("derive.table");
        }
        Ok(())
    }
}
