//! Live rows as Arrow batches, 64 keys each in order of age, made anew only where something
//! changed and only when somebody looks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use deltalake::arrow::array::{BooleanArray, RecordBatch};
use deltalake::arrow::compute::{concat_batches, filter_record_batch};
use deltalake::arrow::error::ArrowError;

use super::Live;
use super::keyrows::{Batches, KeyRows, tables_of};

/// Keys of one batch; a key's place in it is one byte.
pub const GROUP: u64 = 64;

/// Batches of each group of keys, and the lake rows that they replace.
#[derive(Default)]
pub(super) struct Groups {
    made: BTreeMap<u64, Group>,
    horizon_day: i64,
    /// Agents by the time at which their pulse fails, if nothing is heard of them.
    silent: BTreeSet<(i64, u64)>,
}

#[derive(Default)]
struct Group {
    batches: Batches,
    /// Of each row, by table: the place of its key in the group.
    owners: Owners,
    hides: Vec<(&'static str, Option<i32>, Vec<String>)>,
}

type Owners = BTreeMap<&'static str, Vec<u8>>;

impl Group {
    /// Puts new rows in the place of those of the changed keys: making all rows of the group anew
    /// for one changed key would cost many times as much.
    fn put(&mut self, changed: &[u8], rows: &KeyRows, owners: Owners) -> Result<(), ArrowError> {
        let new = rows.batches()?;
        for (table, old) in std::mem::take(&mut self.batches) {
            let of = self.owners.remove(table).unwrap_or_default();
            let stays: Vec<bool> = of.iter().map(|place| !changed.contains(place)).collect();
            if !stays.contains(&true) {
                continue;
            }
            let kept = match stays.contains(&false) {
                true => filter_record_batch(&old, &BooleanArray::from(stays.clone()))?,
                false => old,
            };
            let of = of
                .into_iter()
                .zip(stays)
                .filter_map(|(p, s)| s.then_some(p));
            self.owners.insert(table, of.collect());
            self.batches.insert(table, kept);
        }
        for (table, batch) in new {
            let batch = match self.batches.remove(table) {
                Some(kept) => concat_batches(batch.schema_ref(), [&kept, &batch])?,
                None => batch,
            };
            self.batches.insert(table, batch);
        }
        for (table, of) in owners {
            self.owners.entry(table).or_default().extend(of);
        }
        Ok(())
    }
}

/// Live rows of a table, and the ids whose lake rows they hide: all of them, or from a day on.
#[derive(Default)]
pub struct TableMade {
    /// Live rows.
    pub live: Vec<RecordBatch>,
    /// Ids by the day from which on their rows are hidden.
    pub hides: BTreeMap<Option<i32>, BTreeSet<String>>,
}

/// Live rows and what they hide, by table.
pub type Made = BTreeMap<&'static str, TableMade>;

impl Live {
    /// Whether rows have changed by the clock alone since they were made: the pulse of an agent fails,
    /// or an hour begins in which who was not heard of for long is looked at again.
    pub fn is_due(&self, now: i64) -> bool {
        let silent = self.groups.silent.first();
        silent.is_some_and(|(at, _)| *at < now)
            || self.groups.horizon_day != now.div_euclid(3_600_000_000)
                && self.groups.horizon_day != 0
    }

    /// All live rows as of `now` (UTC microseconds).
    ///
    /// # Errors
    /// When a row type and its table disagree, which a test excludes.
    pub fn batches(&mut self, now: i64) -> Result<Made, ArrowError> {
        // Agents' states are cut at midnight: a new day makes their rows anew.
        let day = now.div_euclid(3_600_000_000);
        if self.groups.horizon_day != day {
            self.groups.horizon_day = day;
            for (birth, entry) in &mut self.entries {
                if matches!(entry.key, callboard_model::ids::Key::Agent(..)) {
                    entry.touch();
                    self.dirty.insert(*birth);
                }
            }
        }
        while let Some((at, birth)) = self.groups.silent.first().copied()
            && at < now
        {
            self.groups.silent.pop_first();
            let entry = self.entries.get_mut(&birth);
            if let Some(entry) = entry.filter(|e| e.silent_from == Some(at)) {
                entry.touch();
                self.dirty.insert(birth);
            }
        }
        let mut changed: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        for birth in std::mem::take(&mut self.dirty) {
            let places = changed.entry(birth / GROUP).or_default();
            places.push((birth % GROUP) as u8);
        }
        for (number, changed) in changed {
            self.make_group(number, &changed, now)?;
        }
        let mut made = Made::new();
        for group in self.groups.made.values() {
            for (table, batch) in &group.batches {
                made.entry(*table).or_default().live.push(batch.clone());
            }
            for (table, since, ids) in &group.hides {
                let hides = &mut made.entry(*table).or_default().hides;
                hides.entry(*since).or_default().extend(ids.iter().cloned());
            }
        }
        Ok(made)
    }

    /// Makes the rows of the changed keys of a group anew.
    fn make_group(&mut self, number: u64, changed: &[u8], now: i64) -> Result<(), ArrowError> {
        let births = number * GROUP..(number + 1) * GROUP;
        if self.entries.range(births.clone()).next().is_none() {
            self.groups.made.remove(&number);
            return Ok(());
        }
        let mut group = self.groups.made.remove(&number).unwrap_or_default();
        let mut all = KeyRows::default();
        let mut owners = Owners::new();
        for place in changed {
            let birth = births.start + u64::from(*place);
            let rows = self.rows(birth, now);
            for (table, n) in rows.counts().filter(|(_, n)| *n > 0) {
                owners
                    .entry(table)
                    .or_default()
                    .extend(std::iter::repeat_n(*place, n));
            }
            all.extend(&rows);
            if let Some(entry) = self.entries.get_mut(&birth) {
                entry.forget_rows();
                if let Some(at) = entry.silent_from.filter(|at| *at >= now) {
                    self.groups.silent.insert((at, birth));
                }
            }
        }
        group.put(changed, &all, owners)?;
        group.hides = self
            .entries
            .range(births)
            .filter(|(_, entry)| entry.in_lake)
            .flat_map(|(_, entry)| {
                let tables = tables_of(&entry.key, &entry.ids).into_iter();
                tables.map(|(table, ids)| (table, entry.since, ids))
            })
            .collect();
        self.groups.made.insert(number, group);
        Ok(())
    }

    /// Forgets rows that were made for a look only.
    pub fn forget_rows(&mut self, birth: u64) {
        if let Some(entry) = self.entries.get_mut(&birth) {
            entry.forget_rows();
        }
    }

    /// The rows of one open key.
    pub fn rows(&mut self, birth: u64, now: i64) -> Arc<KeyRows> {
        let interpreter = self.interpreter.clone();
        let restarts = std::mem::take(&mut self.restarts);
        let rows = match self.entries.get_mut(&birth) {
            Some(entry) => entry.rows(
                &*interpreter,
                |source| {
                    restarts
                        .get(source)
                        .map(|s| s.iter().copied().collect())
                        .unwrap_or_default()
                },
                now,
                &self.horizons,
            ),
            None => Arc::default(),
        };
        self.restarts = restarts;
        rows
    }
}
