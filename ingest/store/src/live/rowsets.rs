//! Live rows as Arrow batches, 64 keys each in order of age, made anew only where something
//! changed and only when somebody looks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use deltalake::arrow::array::RecordBatch;
use deltalake::arrow::error::ArrowError;

use super::Live;
use super::keyrows::{Batches, KeyRows, tables_of};

/// Keys of one batch.
pub const GROUP: u64 = 64;

/// Batches of each group of keys, and the lake rows that they replace.
#[derive(Default)]
pub(super) struct Groups {
    made: BTreeMap<u64, Group>,
    horizon_day: i64,
}

#[derive(Default)]
struct Group {
    batches: Batches,
    hides: Vec<(&'static str, Vec<String>)>,
}

/// Live rows and what they hide, by table.
pub type Made = BTreeMap<&'static str, (Vec<RecordBatch>, BTreeSet<String>)>;

impl Live {
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
        let groups: BTreeSet<u64> = self.dirty.iter().map(|b| b / GROUP).collect();
        self.dirty.clear();
        for group in groups {
            let mut rows = KeyRows::default();
            let mut hides = Vec::new();
            let births: Vec<u64> = self
                .entries
                .range(group * GROUP..(group + 1) * GROUP)
                .map(|(birth, _)| *birth)
                .collect();
            for birth in &births {
                rows.extend(&self.rows(*birth, now));
                if let Some(entry) = self.entries.get_mut(birth) {
                    entry.forget_rows();
                    if entry.in_lake {
                        hides.extend(tables_of(&entry.key, &entry.ids));
                    }
                }
            }
            if births.is_empty() {
                self.groups.made.remove(&group);
            } else {
                self.groups.made.insert(
                    group,
                    Group {
                        batches: rows.batches()?,
                        hides,
                    },
                );
            }
        }
        let mut made = Made::new();
        for group in self.groups.made.values() {
            for (table, batch) in &group.batches {
                made.entry(*table).or_default().0.push(batch.clone());
            }
            for (table, ids) in &group.hides {
                made.entry(*table)
                    .or_default()
                    .1
                    .extend(ids.iter().cloned());
            }
        }
        Ok(made)
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
            ),
            None => Arc::default(),
        };
        self.restarts = restarts;
        rows
    }
}
