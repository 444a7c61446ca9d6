//! Flush: what has settled goes to the lake, records always go. Intent, one write per table,
//! commit record; a crash anywhere leaves every table right, and what it had begun is replaced.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use callboard_model::ids::Key;
use callboard_model::tables::{CorrectionRow, Instant, Row};
use deltalake::arrow::array::{Array, AsArray, RecordBatch};

use super::checkpoint::{Commit, Intent};
use super::{Clock as _, Inner, Store, StoreError, WallClock};
use crate::lake::{Replace, WritePlan};
use crate::live::Entry;
use crate::live::keyrows::{KeyRows, tables_of};

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

/// One key of a plan.
struct Planned {
    birth: u64,
    version: u64,
    name: String,
    settle: bool,
    days: Vec<i32>,
}

struct Plan {
    attempt: i64,
    upto: u64,
    keys: Vec<Planned>,
    rows: KeyRows,
    replace: BTreeMap<&'static str, Replace>,
    corrections: Vec<CorrectionRow>,
    records: Option<RecordBatch>,
    dead: Option<RecordBatch>,
    ids: BTreeMap<Arc<str>, Vec<(u64, u64)>>,
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
        *self.failing.lock() = result.as_ref().err().map(ToString::to_string);
        if result.is_ok() {
            // On the machine's clock: how long ago it was is asked in a replay too.
            self.last_flush.store(WallClock.now(), Ordering::Relaxed);
            self.flushes.fetch_add(1, Ordering::Relaxed);
        }
        result
    }

    async fn flush_locked(&self, commit: &mut Commit, all: bool) -> Result<Flushed, StoreError> {
        if commit.attempt == 0 {
            *commit = self.files.commit()?;
        }
        for _ in 0..8 {
            if self.resolve_late().await? == 0 {
                break;
            }
        }
        let plan = {
            let mut inner = self.inner.lock();
            self.plan(&mut inner, all)?
        };
        let Some(plan) = plan else {
            return self.derive_rest(commit).await.map(|()| Flushed::default());
        };
        let intent = Intent {
            attempt: plan.attempt,
            keys: plan
                .keys
                .iter()
                .map(|k| (k.name.clone(), k.days.clone()))
                .collect(),
        };
        self.files.set_intent(&intent)?;
        self.write(&plan).await?;
        let mut flushed = Flushed {
            attempt: plan.attempt,
            keys: plan.keys.len(),
            corrections: plan.corrections.len(),
            records: plan.records.as_ref().map_or(0, RecordBatch::num_rows),
        };
        flushed.records = flushed.records.max(plan.ids.values().map(Vec::len).sum());
        self.conclude(commit, plan)?;
        self.derive_rest(commit).await?;
        self.log.trim(commit.replay_from.saturating_sub(1))?;
        Ok(flushed)
    }

    /// What to write, decided under the lock.
    fn plan(&self, inner: &mut Inner, all: bool) -> Result<Option<Plan>, StoreError> {
        let now = self.now();
        // A record that still waits for its key must be told again by the log.
        let late = inner.live.late.iter().map(|r| r.seq).min();
        let upto = late.map_or(inner.folded, |seq| inner.folded.min(seq - 1));
        let over = inner.live.bytes.saturating_sub(self.options.live_bytes);
        let mut freed = 0;
        let births: Vec<u64> = inner.live.entries().map(|(b, _)| b).collect();
        let mut keys = Vec::new();
        let mut rows = KeyRows::default();
        let mut replace: BTreeMap<&'static str, Replace> = BTreeMap::new();
        let mut corrections = Vec::new();
        let attempt = inner.attempt + 1;
        for birth in births {
            let made = inner.live.rows(birth, now);
            let Some(entry) = inner.live.entry(birth) else {
                continue;
            };
            let sticky = matches!(
                entry.key,
                Key::Agent(..) | Key::Target(_) | Key::Instance(_)
            );
            let mut settle = !sticky && self.settles(entry, &made, now);
            if !settle && !sticky && freed < over {
                freed += entry.weight();
                settle = true;
            }
            let changed = entry.flushed_version != entry.version;
            if !(settle || (sticky || all) && changed) {
                continue;
            }
            let mut days = entry.lake_days.clone();
            let mut tables = Vec::new();
            for (table, ids) in tables_of(&entry.key, &entry.ids) {
                let own = made.days(table);
                if entry.in_lake {
                    let r = replace.entry(table).or_default();
                    r.days.extend(own.iter().chain(&entry.lake_days));
                    r.ids.extend(ids);
                }
                if !own.is_empty() {
                    tables.push(table.to_owned());
                }
                days.extend(own);
            }
            days.sort_unstable();
            days.dedup();
            if !entry.causes.is_empty() {
                corrections.push(correction(entry, attempt, now, tables));
            }
            rows.extend(&made);
            let name = entry.natives().first().cloned().unwrap_or_default();
            keys.push(Planned {
                birth,
                version: entry.version,
                name,
                settle,
                days,
            });
        }
        if let Some(at) = corrections.first().map(|c: &CorrectionRow| c.corrected_at) {
            let ids: Vec<&str> = corrections.iter().map(|c| c.id.as_str()).collect();
            for row in &mut rows.contacts {
                if ids.contains(&row.contact_id.as_str()) {
                    row.corrected_at = Some(at);
                }
            }
        }
        let [(_, records), (_, dead)] = inner.live.unflushed.upto(upto)?;
        if keys.is_empty() && records.is_none() && dead.is_none() {
            return Ok(None);
        }
        inner.attempt = attempt;
        Ok(Some(Plan {
            attempt,
            upto,
            keys,
            rows,
            replace,
            corrections,
            records,
            dead,
            ids: std::mem::take(&mut inner.fresh_ids),
        }))
    }

    fn settles(&self, entry: &Entry, rows: &KeyRows, now: i64) -> bool {
        let last = entry.last_received.max(entry.last_sign);
        let quiet = now.saturating_sub(last) >= self.options.grace;
        match &entry.key {
            Key::Contact(_) => match rows.contacts.first() {
                Some(row) => quiet && row.state != "open",
                None => quiet,
            },
            Key::Recording(_) => rows.recordings.first().is_none_or(|row| {
                quiet
                    && (row.transcript_state.is_some()
                        || !matches!(row.state.as_str(), "ready" | "active"))
            }),
            Key::Note(_) | Key::Survey(_) => true,
            Key::Agent(..) | Key::Target(_) | Key::Instance(_) => false,
        }
    }

    async fn write(&self, plan: &Plan) -> Result<(), StoreError> {
        for (table, batch) in [("records", &plan.records), ("dead_letters", &plan.dead)] {
            if let Some(batch) = batch {
                let rows = WritePlan {
                    rows: vec![batch.clone()],
                    replace: None,
                };
                self.lake.write(table, plan.upto as i64, rows).await?;
            }
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
        }
        if !plan.corrections.is_empty() {
            let rows = vec![CorrectionRow::batch(&plan.corrections)?];
            self.lake
                .write(
                    "corrections",
                    plan.attempt,
                    WritePlan {
                        rows,
                        replace: None,
                    },
                )
                .await?;
        }
        Ok(())
    }

    /// Makes the flush count, and takes what settled out of live.
    fn conclude(&self, commit: &mut Commit, plan: Plan) -> Result<(), StoreError> {
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        for (day, name) in inner.fresh_names.drain() {
            inner.settled.add(day, &name);
        }
        inner.settled.save()?;
        // Entries as they will be once this flush counts.
        let mut after: Vec<Arc<Entry>> = Vec::new();
        let planned: BTreeMap<u64, &Planned> = plan.keys.iter().map(|k| (k.birth, k)).collect();
        let mut settled = Vec::new();
        let mut marks = Vec::new();
        for (birth, entry) in inner.live.entries() {
            let planned = planned.get(&birth);
            if planned.is_some_and(|p| p.settle && p.version == entry.version) {
                settled.push(birth);
                continue;
            }
            let mut kept = entry.clone();
            if let Some(p) = planned {
                kept.in_lake = true;
                kept.lake_days = p.days.clone();
                if p.version == entry.version {
                    kept.causes.clear();
                }
                kept.flushed_version = p.version;
                marks.push((birth, kept.clone()));
            }
            after.push(Arc::new(kept));
        }
        let whole = |e: &Entry| {
            e.whole_on_disk
                || !matches!(e.key, Key::Contact(_) | Key::Recording(_))
                || self.log.bytes_since(e.first_seq) > self.options.replay_bytes
        };
        self.files.write_open(plan.attempt, &after, whole)?;
        let mut next = Commit {
            format: 1,
            attempt: plan.attempt,
            upto: plan.upto,
            replay_from: after
                .iter()
                .filter(|e| !whole(e) && e.first_seq > 0)
                .map(|e| e.first_seq)
                .min()
                .unwrap_or(plan.upto + 1)
                .min(plan.upto + 1),
            seen: commit.seen.clone(),
            derive_days: derive_days(&plan.keys, &inner.derive_days),
        };
        self.save_seen(&mut next, &plan.ids)?;
        self.files.set_commit(&next)?;
        // It counts from here on.
        self.files.tidy(&next);
        for birth in settled {
            inner.live.close(birth);
        }
        for (birth, kept) in marks {
            if let Some(entry) = inner.live.entry_mut(birth) {
                entry.in_lake = true;
                entry.lake_days = kept.lake_days;
                entry.causes = kept.causes;
                entry.flushed_version = kept.flushed_version;
            }
        }
        inner.live.unflushed.drop_upto(plan.upto);
        inner.flushed = plan.upto;
        inner.derive_days = next.derive_days.clone();
        for (table, handle) in &mut inner.tables {
            *handle = self.lake.snapshot(table)?;
        }
        inner.live.version += 1;
        self.changes.send_replace(inner.live.version);
        *commit = next;
        Ok(())
    }

    fn save_seen(
        &self,
        commit: &mut Commit,
        ids: &BTreeMap<Arc<str>, Vec<(u64, u64)>>,
    ) -> Result<(), StoreError> {
        let name = format!("seen-{}.bin", commit.attempt);
        if commit.seen.len() >= SEEN_FILES {
            let all = self
                .seen
                .lock()
                .all()
                .map(|(s, ids)| (s.clone(), ids))
                .collect();
            self.files.write_seen(&name, &all)?;
            commit.seen = vec![name];
        } else if !ids.is_empty() {
            self.files.write_seen(&name, ids)?;
            commit.seen.push(name);
        }
        Ok(())
    }

    /// Makes derived tables of the touched days anew.
    async fn derive_rest(&self, commit: &mut Commit) -> Result<(), StoreError> {
        let derive = self.derive.lock().clone();
        let Some(derive) = derive else { return Ok(()) };
        if commit.derive_days.is_empty() {
            return Ok(());
        }
        let days = commit.derive_days.clone();
        let made = derive
            .derive(self.picture(), &days)
            .await
            .map_err(StoreError::Derive)?;
        for (table, rows) in made {
            let ids = self.ids_in(table, &days).await?;
            let plan = WritePlan {
                rows,
                replace: Some(Replace {
                    days: days.clone(),
                    ids,
                }),
            };
            self.lake.write(table, commit.attempt, plan).await?;
        }
        commit.derive_days.clear();
        self.files.set_commit(commit)?;
        let mut inner = self.inner.lock();
        inner.derive_days.clear();
        let inner = &mut *inner;
        for (table, handle) in &mut inner.tables {
            *handle = self.lake.snapshot(table)?;
        }
        inner.live.version += 1;
        Ok(())
    }

    async fn ids_in(&self, table: &str, days: &[i32]) -> Result<Vec<String>, StoreError> {
        let Some(spec) = callboard_model::tables::table(table) else {
            return Ok(Vec::new());
        };
        let mut ids = Vec::new();
        for batch in self.lake.scan(table, Some(days), None).await? {
            if let Some(column) = batch
                .column_by_name(spec.id)
                .and_then(|c| c.as_string_opt::<i32>())
            {
                ids.extend((0..column.len()).map(|row| column.value(row).to_owned()));
            }
        }
        ids.sort();
        ids.dedup();
        Ok(ids)
    }
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

fn correction(entry: &Entry, attempt: i64, now: i64, tables: Vec<String>) -> CorrectionRow {
    let (entity, id) = match &entry.key {
        Key::Contact(least) => ("contact", least.contact_id()),
        Key::Agent(_, agent) => ("agent", agent.to_string()),
        Key::Recording(id) => ("recording", id.to_string()),
        Key::Note(id) => ("note", id.to_string()),
        Key::Survey(id) => ("survey", id.to_string()),
        Key::Target(id) => ("target", id.to_string()),
        Key::Instance(id) => ("instance", id.to_string()),
    };
    CorrectionRow {
        correction_id: format!("{attempt}/{id}"),
        entity: entity.to_owned(),
        id,
        corrected_at: Instant(now),
        causes: entry.causes.clone(),
        tables,
        day: Instant(now).day(),
    }
}
