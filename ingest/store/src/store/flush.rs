//! Flush: what has settled goes to the lake, records always go. Intent, one write per table,
//! commit record; a crash or a failure anywhere leaves every table right, and what it had begun is
//! replaced by the next.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use callboard_model::ids::Key;
use callboard_model::tables::{CorrectionRow, Row};
use deltalake::arrow::array::RecordBatch;

use super::checkpoint::{Commit, Intent, Keeping, encode_open};
use super::plan::{Plan, Planned};
use super::settled::Saving;
use super::{Clock as _, Inner, Store, StoreError, WallClock};
use crate::lake::WritePlan;
use crate::live::Entry;
use crate::live::seen::SeenIds;
use crate::steps;

/// Files of seen ids are put together when there are more than this.
const SEEN_FILES: usize = 32;

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

    /// Resolves records that speak of settled keys, without a flush: their rows are seen at once.
    ///
    /// # Errors
    /// [`StoreError`]; they wait on, and the next flush tries again.
    pub async fn resolve(&self) -> Result<usize, StoreError> {
        let _flushing = self.flushing.lock().await;
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
        let Some(plan) = self.plan(all)? else {
            self.derive_rest(commit, all).await?;
            return Ok(Flushed::default());
        };
        let flushed = self.carry_out(commit, &plan).await?;
        self.derive_rest(commit, all).await?;
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
        self.conclude(commit, plan)?;
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
            steps::pass("flush.records");
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
            steps::pass("flush.table");
        }
        if !plan.corrections.is_empty() {
            let rows = vec![CorrectionRow::batch(&plan.corrections)?];
            let replace = None;
            self.lake
                .write("corrections", plan.attempt, WritePlan { rows, replace })
                .await?;
            steps::pass("flush.corrections");
        }
        Ok(())
    }

    /// Makes the flush count, and takes what settled out of live. The files are written while
    /// nobody is held up; what comes meanwhile stands behind the commit in the log.
    fn conclude(&self, commit: &mut Commit, plan: &Plan) -> Result<(), StoreError> {
        let seen = self.put_seen_together(commit, plan.attempt)?;
        let mut ending = self.ending(plan, seen)?;
        ending.next.settled_sums = commit.settled_sums.clone();
        // Files of an older program count until they have been put together.
        ending.next.sealed = commit.sealed || ending.next.seen.is_empty();
        let written = self.write_ending(plan, &mut ending, commit);
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        if let Err(error) = written {
            inner.settled.put_back(ending.names);
            inner.planned.ids = ending.ids;
            return Err(error.into());
        }
        // It counts from here on.
        let next = ending.next;
        self.files.tidy(&next);
        for gone in ending.settled {
            let entry = inner.live.entry(gone.birth);
            if entry.is_some_and(|e| e.version == gone.version) {
                inner.live.close(gone.birth);
                continue;
            }
            // Heard of, or joined to another, after its commit was taken: it stays open, and the
            // log will no longer hold all that it is made of.
            for name in gone.names {
                let birth = inner.live.find(&name);
                if let Some(entry) = birth.and_then(|b| inner.live.entry_mut(b)) {
                    entry.whole_on_disk = true;
                }
            }
        }
        for p in &plan.keys {
            if let Some(entry) = inner.live.entry_mut(p.birth) {
                if p.version == entry.version
                    && !entry.causes.is_empty()
                    && let Some(at) = plan.corrected_at()
                {
                    entry.was_corrected(at);
                }
                entry.flushed_version = p.version;
            }
        }
        for (birth, version, day) in ending.forgotten {
            if inner
                .live
                .entry(birth)
                .is_some_and(|e| e.version == version)
            {
                inner.live.forget_before(birth, day);
            }
        }
        inner.begun.clear();
        inner.planned = super::told::Told::default();
        inner.live.unflushed.drop_upto(plan.upto, plan.upto);
        inner.flushed = plan.upto;
        inner.derive_days = next.derive_days.clone();
        *commit = next;
        self.look_again(inner)
    }

    /// What a flush leaves behind, taken under the lock in one moment.
    fn ending(&self, plan: &Plan, seen: Vec<String>) -> Result<Ending, StoreError> {
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        for (day, name) in &inner.planned.names {
            inner.settled.add(*day, *name);
        }
        let planned: BTreeMap<u64, &Planned> = plan.keys.iter().map(|k| (k.birth, k)).collect();
        let shorter = self.shorter(inner, &planned);
        // Entries as they will be once this flush counts.
        let mut after: Vec<Keeping> = Vec::new();
        let mut settled = Vec::new();
        for (birth, entry) in inner.live.entries() {
            let written = planned.get(&birth).filter(|p| p.version == entry.version);
            if written.is_some_and(|p| p.settle) {
                settled.push(Gone {
                    birth,
                    version: entry.version,
                    names: entry.natives(),
                });
                continue;
            }
            let told = written.is_some();
            let entry = shorter.get(&birth).unwrap_or(entry);
            // The log holds it no more, or would have to be read from far behind.
            let whole = entry.whole_on_disk
                || !matches!(entry.key, Key::Contact(_) | Key::Recording(_))
                || entry.first_seq < self.log.first()
                || self.log.bytes_since(entry.first_seq) > self.options.replay_bytes;
            after.push(Keeping {
                entry,
                causes: if told { &[] } else { &entry.causes },
                corrected_at: match told && !entry.causes.is_empty() {
                    true => plan.corrected_at(),
                    false => entry.corrected_at,
                },
                whole,
            });
        }
        let open = encode_open(&after)?;
        let waiting = inner.live.late.iter().map(|r| r.seq);
        let waiting: Vec<u64> = waiting.filter(|seq| *seq <= plan.upto).collect();
        let next = Commit {
            format: 1,
            attempt: plan.attempt,
            upto: plan.upto,
            replay_from: after
                .iter()
                .filter(|kept| !kept.whole && kept.entry.first_seq > 0)
                .map(|kept| kept.entry.first_seq)
                .chain(waiting.iter().copied())
                .min()
                .unwrap_or(plan.upto + 1)
                .min(plan.upto + 1),
            seen,
            derive_days: derive_days(&plan.keys, &inner.derive_days),
            late: waiting.into_iter().collect(),
            settled: BTreeMap::new(),
            settled_sums: BTreeMap::new(),
            // Those that came after the plan stand in the log behind it too.
            positions: inner.positions.clone(),
            sealed: false,
        };
        Ok(Ending {
            next,
            open,
            settled,
            forgotten: shorter
                .into_iter()
                .filter_map(|(birth, entry)| Some((birth, entry.version, entry.since?)))
                .collect(),
            names: inner.settled.begin(),
            ids: std::mem::take(&mut inner.planned.ids),
        })
    }

    /// Agents whose rows are all in the lake once this flush counts, without the days that can be
    /// forgotten then.
    fn shorter(&self, inner: &Inner, planned: &BTreeMap<u64, &Planned>) -> BTreeMap<u64, Entry> {
        let days = inner.live.past_days(self.now());
        let agents = inner.live.entries().filter_map(|(birth, entry)| {
            let day = entry.past_day(&days)?;
            let written = planned
                .get(&birth)
                .map_or(entry.flushed_version, |p| p.version);
            (written == entry.version).then(|| {
                let mut shorter = entry.clone();
                shorter.forget_before(day);
                (birth, shorter)
            })
        });
        agents.collect()
    }

    fn write_ending(
        &self,
        plan: &Plan,
        ending: &mut Ending,
        before: &Commit,
    ) -> std::io::Result<()> {
        self.files.write_open(plan.attempt, &ending.open)?;
        steps::pass("flush.open");
        let counted =
            |day: i32| Some((*before.settled.get(&day)?, *before.settled_sums.get(&day)?));
        let (lengths, sums) = ending.names.write(&counted)?;
        ending.next.settled = lengths;
        ending.next.settled_sums.extend(sums);
        steps::pass("flush.names");
        if !ending.ids.is_empty() {
            let name = format!("seen-{}.bin", plan.attempt);
            self.files.write_seen(&name, &ending.ids)?;
            ending.next.seen.push(name);
        }
        steps::pass("flush.seen");
        self.files.set_commit(&ending.next)?;
        steps::pass("flush.commit");
        Ok(())
    }

    /// The files of seen ids so far, put together into one when there are many. From the files
    /// themselves: memory holds ids too whose records are not durable yet.
    fn put_seen_together(&self, commit: &Commit, attempt: i64) -> Result<Vec<String>, StoreError> {
        if commit.seen.len() < SEEN_FILES {
            return Ok(commit.seen.clone());
        }
        let mut seen = SeenIds::new();
        for name in &commit.seen {
            self.files.read_seen(name, commit.sealed, &mut seen)?;
        }
        let all = seen.all().map(|(s, ids)| (s.clone(), ids)).collect();
        let name = format!("seen-until-{attempt}.bin");
        self.files.write_seen(&name, &all)?;
        Ok(vec![name])
    }
}

/// What a flush leaves behind.
struct Ending {
    next: Commit,
    /// The open keys, encoded.
    open: Vec<u8>,
    settled: Vec<Gone>,
    /// Agents of whom days are forgotten: key, version and the day.
    forgotten: Vec<(u64, u64, i32)>,
    names: Saving,
    ids: BTreeMap<Arc<str>, Vec<(u64, u64)>>,
}

/// A key that has settled: the version that was written, and how it is found.
struct Gone {
    birth: u64,
    version: u64,
    names: Vec<String>,
}

fn derive_days(keys: &[Planned], left: &[i32]) -> Vec<i32> {
    let mut days: Vec<i32> = keys
        .iter()
        .flat_map(|k| k.days.iter().copied())
        .chain(left.iter().copied())
        .collect();
    days.retain(|d| *d > 0);
    days.sort_unstable();
    days.dedup();
    days
}
