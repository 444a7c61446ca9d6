//! Live rows as Arrow batches, 64 keys each in order of age, made anew only where something
//! changed and only when somebody looks.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use callboard_model::ids::Key;
use deltalake::arrow::array::{BooleanArray, RecordBatch};
use deltalake::arrow::compute::{concat_batches, filter_record_batch};
use deltalake::arrow::error::ArrowError;

use super::Live;
use super::around::Around;
use super::entry::Entry;
use super::keyrows::{Batches, KeyRows, tables_of};

/// Keys of one batch; a key's place in it is one byte.
pub const GROUP: u64 = 64;

/// Batches of each group of keys, and the lake rows that they replace, as of the last look.
#[derive(Default)]
pub struct Groups {
    made: BTreeMap<u64, Group>,
    /// The hour of the last look, counted from 1970.
    hour: i64,
    /// Agents by the time at which their pulse fails, if nothing is heard of them.
    silent: BTreeSet<(i64, u64)>,
    /// The same time by agent.
    silent_from: HashMap<u64, i64>,
    /// Keys whose rows were to be made and are not yet: a look that ends by a fault loses none.
    owed: BTreeSet<u64>,
}

/// Keys that changed since the last look, as they were at one moment; those that are gone without.
pub struct Changed {
    keys: Vec<(u64, Option<Arc<Entry>>)>,
    around: Around,
}

#[derive(Default)]
struct Group {
    batches: Batches,
    /// Of each row, by table: the place of its key in the group.
    owners: Owners,
    /// By the place of a key.
    hides: BTreeMap<u8, Vec<Hides>>,
}

/// Rows of a table that are hidden: from a day on, or all, of these ids.
type Hides = (&'static str, Option<i32>, Vec<String>);

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

impl Groups {
    /// Whether rows have changed by the clock alone since they were made: the pulse of an agent fails,
    /// or an hour begins in which who was not heard of for long is looked at again.
    pub fn is_due(&self, now: i64) -> bool {
        let silent = self.silent.first();
        silent.is_some_and(|(at, _)| *at < now) || self.hour != hour_of(now) && self.hour != 0
    }

    /// What changed in live since the last look, as of `now` (UTC microseconds). Cheap: live can go
    /// on while rows are made of it.
    pub fn take(&mut self, live: &mut Live, now: i64) -> Changed {
        // Agents' states are cut at midnight: a new day makes their rows anew.
        if self.hour != hour_of(now) {
            self.hour = hour_of(now);
            for (birth, entry) in &mut live.entries {
                if matches!(entry.key, Key::Agent(..)) {
                    Arc::make_mut(entry).touch();
                    live.dirty.insert(*birth);
                }
            }
        }
        while let Some((at, birth)) = self.silent.first().copied()
            && at < now
        {
            self.silent.pop_first();
            self.silent_from.remove(&birth);
            if let Some(entry) = live.entry_mut(birth) {
                entry.touch();
            }
        }
        self.owed.append(&mut live.dirty);
        let owed = self.owed.iter();
        Changed {
            keys: owed.map(|b| (*b, live.entry(*b).cloned())).collect(),
            around: live.around.clone(),
        }
    }

    /// All live rows as of `now`, those of the changed keys made anew.
    ///
    /// # Errors
    /// When a row type and its table disagree, which a test excludes.
    pub fn put(&mut self, changed: Changed, now: i64) -> Result<Made, ArrowError> {
        let Changed { keys, around } = changed;
        for some in keys.chunk_by(|(a, _), (b, _)| a / GROUP == b / GROUP) {
            self.make_group(some, &around, now)?;
        }
        self.owed.clear();
        let mut made = Made::new();
        for group in self.made.values() {
            for (table, batch) in &group.batches {
                made.entry(*table).or_default().live.push(batch.clone());
            }
            for (table, since, ids) in group.hides.values().flatten() {
                let hides = &mut made.entry(*table).or_default().hides;
                hides.entry(*since).or_default().extend(ids.iter().cloned());
            }
        }
        Ok(made)
    }

    /// Makes the rows of the changed keys of a group anew.
    fn make_group(
        &mut self,
        keys: &[(u64, Option<Arc<Entry>>)],
        around: &Around,
        now: i64,
    ) -> Result<(), ArrowError> {
        let Some(number) = keys.first().map(|(birth, _)| birth / GROUP) else {
            return Ok(());
        };
        // What may fail comes before anything is taken apart.
        let rows: Vec<_> = keys
            .iter()
            .map(|(_, entry)| entry.as_ref().map(|e| (e, e.made(around, now))))
            .collect();
        let mut group = self.made.remove(&number).unwrap_or_default();
        let mut all = KeyRows::default();
        let mut owners = Owners::new();
        let mut changed = Vec::with_capacity(keys.len());
        for ((birth, _), made) in keys.iter().zip(rows) {
            let place = (birth % GROUP) as u8;
            changed.push(place);
            group.hides.remove(&place);
            if let Some(at) = self.silent_from.remove(birth) {
                self.silent.remove(&(at, *birth));
            }
            let Some((entry, made)) = made else { continue };
            for (table, n) in made.rows.counts().filter(|(_, n)| *n > 0) {
                let of = owners.entry(table).or_default();
                of.extend(std::iter::repeat_n(place, n));
            }
            all.extend(&made.rows);
            if let Some(at) = made.silent_from.filter(|at| *at >= now) {
                self.silent.insert((at, *birth));
                self.silent_from.insert(*birth, at);
            }
            if entry.in_lake {
                let tables = tables_of(&entry.key, &entry.ids).into_iter();
                let hides = tables.map(|(table, ids)| (table, entry.since, ids));
                group.hides.insert(place, hides.collect());
            }
        }
        if let Err(error) = group.put(&changed, &all, owners) {
            self.owed.extend(number * GROUP..(number + 1) * GROUP);
            return Err(error);
        }
        if !group.batches.is_empty() || !group.hides.is_empty() {
            self.made.insert(number, group);
        }
        Ok(())
    }
}

fn hour_of(now: i64) -> i64 {
    now.div_euclid(3_600_000_000)
}

impl Live {
    /// Lets the rows of those keys be made again of which a fault had ended it.
    pub fn try_faulty_again(&mut self) {
        for name in self.around.faulty() {
            let birth = self.find(&name);
            match birth.and_then(|birth| self.entry_mut(birth)) {
                Some(entry) if entry.key.name() == name => entry.touch(),
                _ => self.around.forget_faulty(&name),
            }
        }
    }

    /// The rows of one open key.
    pub fn rows(&mut self, birth: u64, now: i64) -> Arc<KeyRows> {
        let around = &self.around;
        let entry = self.entries.get_mut(&birth);
        entry.map_or_else(Arc::default, |entry| Arc::make_mut(entry).rows(around, now))
    }
}
