//! Tables that are queries over others (intervals), made anew in the lake for the days that
//! flushes touched.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use callboard_model::tables::{AGENT_INTERVALS, QUEUE_INTERVALS};
use deltalake::arrow::array::RecordBatch;

use super::carried::carried;
use super::checkpoint::Commit;
use super::{Store, StoreError};
use crate::lake::{Replace, WritePlan, on_days};
use crate::snapshot::Snapshot;

/// A round waits so many times as long as the last one took: at most a twentieth of the time goes
/// into tables that our own views do not read.
const REST: u32 = 19;

/// So many days are made at once: what queries hold grows with them.
const DAYS_AT_ONCE: usize = 7;

/// A clean stop waits for these tables for so long: what a machine gives a service to stop in is not
/// theirs alone.
pub(super) const AT_A_STOP: Duration = Duration::from_secs(10);

/// The tables that are made so.
pub(super) const COPIES: [&str; 2] = [QUEUE_INTERVALS.name, AGENT_INTERVALS.name];

/// The round in which derived tables are made, or the last one.
#[derive(Debug, Default)]
pub(crate) struct Deriving {
    /// Days that were touched since it took its picture.
    pub again: BTreeSet<i32>,
    /// Grows with every round and every erasure: a round that began before is void.
    round: u64,
    /// No other begins by itself before.
    rests_until: Option<Instant>,
    /// The last day whose turn it was.
    turn: i32,
}

/// The newest of the days that are due, which is looked at most, and the next of the others after the
/// one whose turn was last: days that every flush touches anew keep nobody waiting for ever.
fn in_turn(due: &[i32], last: i32) -> Vec<i32> {
    let Some((newest, others)) = due.split_last() else {
        return Vec::new();
    };
    let (before, after) = others.split_at(others.partition_point(|day| *day <= last));
    let next = after.iter().chain(before).take(DAYS_AT_ONCE - 1);
    next.chain([newest]).copied().collect()
}

impl Deriving {
    /// A round begins, with a picture of now, for these days as [`in_turn`] gave them.
    fn begin(&mut self, days: &[i32]) -> u64 {
        self.again.clear();
        if let [.., last, _newest] = days {
            self.turn = *last;
        }
        self.cut_off();
        self.round
    }

    /// The round under way knows nothing of what happens now: what it found is thrown away.
    pub fn cut_off(&mut self) {
        self.round += 1;
    }
}

impl Store {
    /// Makes derived tables of the days that flushes touched anew, unless the last round was a moment
    /// ago. Flushes and late records go on meanwhile; a day that they touch is made again.
    ///
    /// # Errors
    /// [`StoreError`]: the rows could not be made or written. The days stay in the commit record, and
    /// the next round tries again.
    pub async fn derive_due(&self) -> Result<(), StoreError> {
        let rests = self.inner.lock().deriving.rests_until;
        if rests.is_some_and(|until| Instant::now() < until) {
            return Ok(());
        }
        let (picture, days, round) = {
            let commit = self.flushing.lock().await;
            let days = self.days_to_derive(&commit);
            if days.is_empty() {
                return Ok(());
            }
            let round = self.inner.lock().deriving.begin(&days);
            (self.picture(), days, round)
        };
        let began = Instant::now();
        let made = self.derive(picture, &days).await;
        let until = Instant::now().checked_add(began.elapsed() * REST);
        let mut commit = self.flushing.lock().await;
        {
            let mut inner = self.inner.lock();
            inner.deriving.rests_until = until;
            if inner.deriving.round != round {
                return Ok(());
            }
        }
        match made? {
            Some(made) => self.put_derived(&mut commit, made, &days).await,
            None => Ok(()),
        }
    }

    /// Makes derived tables of all touched days anew, at once: for a clean stop, which gives it so much
    /// time, and after an erasure. Neither fails where that does: our own views do not read them, and
    /// the days stay in the commit record.
    pub(super) async fn derive_now(&self, commit: &mut Commit, time: Duration) {
        let until = tokio::time::Instant::now().checked_add(time);
        loop {
            let days = self.days_to_derive(commit);
            if days.is_empty() {
                return;
            }
            self.inner.lock().deriving.begin(&days);
            let made = self.derive(self.picture(), &days);
            let made = match until {
                Some(until) => tokio::time::timeout_at(until, made).await,
                None => Ok(made.await),
            };
            let result = match made {
                Ok(Ok(Some(made))) => self.put_derived(commit, made, &days).await,
                Ok(Ok(None)) => return,
                Ok(Err(error)) => Err(error),
                Err(_) => {
                    tracing::info!(
                        days = commit.derive_days.len(),
                        "tables of intervals of these days are made after the next start: that takes \
                         longer than a stop may"
                    );
                    return;
                }
            };
            if let Err(error) = result {
                metrics::counter!("callboard_derive_failures_total").increment(1);
                tracing::error!(%error, "tables of intervals are not up to date; their days stay due");
                return;
            }
        }
    }

    /// Days that are due. What days before the horizon would be made of is not there any more.
    fn days_to_derive(&self, commit: &Commit) -> Vec<i32> {
        let inner = self.inner.lock();
        let kept = inner.live.horizons().of_sources();
        let due = commit.derive_days.iter().copied();
        let due: Vec<i32> = due.filter(|day| *day >= kept).collect();
        in_turn(&due, inner.deriving.turn)
    }

    /// Rows of derived tables; none where nobody makes any.
    async fn derive(
        &self,
        picture: Arc<Snapshot>,
        days: &[i32],
    ) -> Result<Option<BTreeMap<&'static str, Vec<RecordBatch>>>, StoreError> {
        let derive = self.derive.lock().clone();
        let Some(derive) = derive else {
            return Ok(None);
        };
        let made = derive.derive(picture, days).await;
        made.map(Some).map_err(StoreError::Derive)
    }

    /// Writes them; the days are done with, but for those that were touched meanwhile.
    async fn put_derived(
        &self,
        commit: &mut Commit,
        made: BTreeMap<&'static str, Vec<RecordBatch>>,
        days: &[i32],
    ) -> Result<(), StoreError> {
        // Written under a number that is there already, as by a round after the same flush, or one or a
        // rebuild that was cut off or had no answer, it would pass for written.
        let mut number = commit.attempt;
        for table in COPIES {
            if self.lake.certain(table).await? >= number {
                number = self.next_attempt()?;
            }
        }
        self.write_derived(made, days, number).await?;
        let again = std::mem::take(&mut self.inner.lock().deriving.again);
        let due = |day: &i32| !days.contains(day) || again.contains(day);
        commit.derive_days.retain(due);
        self.files.set_commit(commit)?;
        crate::steps::pass("derive.commit");
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        inner.derive_days = commit.derive_days.clone();
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Twenty days of which every flush touches each, as by agents of whom all is interpreted together.
    #[test]
    fn every_day_has_its_turn_and_the_newest_always() {
        let due: Vec<i32> = (1..=20).collect();
        let mut deriving = Deriving::default();
        let mut seen = BTreeSet::new();
        for _ in 0..4 {
            let days = in_turn(&due, deriving.turn);
            assert_eq!(days.len(), DAYS_AT_ONCE);
            assert_eq!(days.last(), Some(&20));
            deriving.begin(&days);
            seen.extend(days);
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), due);
        assert_eq!(in_turn(&[5], 9), [5]);
        assert_eq!(in_turn(&[4, 5], 9), [4, 5]);
        assert!(in_turn(&[], 9).is_empty());
    }
}
