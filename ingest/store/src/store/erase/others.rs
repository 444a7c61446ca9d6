//! Contacts and agents that stay, but lose a record that named the erased: their rows are made anew
//! from the records that are left.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use callboard_model::ids::Key;
use callboard_model::record::{Record, RouteKey};
use deltalake::arrow::array::AsArray;
use deltalake::arrow::datatypes::Date32Type;

use super::super::late::records_of;
use super::super::{Inner, Store, StoreError};
use crate::erase::Found;
use crate::live::keyrows::tables_of;
use crate::live::{Entry, Live, Routed};

/// What the row of `corrections` says that changed them.
const CAUSE: &str = "/callboard/erasure";

/// One of them, as it is now.
pub(super) struct Other {
    entry: Entry,
    names: BTreeSet<String>,
}

impl Store {
    /// What the others are without the records that went.
    pub(super) async fn others_anew(&self, found: &Found) -> Result<Vec<Other>, StoreError> {
        if found.touched.is_empty() {
            return Ok(Vec::new());
        }
        let names: BTreeSet<String> = found.touched.iter().map(Key::name).collect();
        let (days, restarts) = {
            let inner = self.inner.lock();
            let days = inner.days_of(names.iter().map(String::as_str));
            let all = inner.live.instances().into_iter();
            let restarts: Vec<_> = all
                .map(|i| {
                    let times = inner.live.restarts_of(&i);
                    (i, times)
                })
                .collect();
            (days, restarts)
        };
        let without = |_: &Inner| HashSet::new();
        let known = self.known_records(names, days, &without).await?;
        let mut live = Live::new(self.interpreter.clone());
        live.set_horizons(self.inner.lock().live.horizons().clone());
        for (instance, times) in restarts {
            live.put_restarts(instance, times);
        }
        for record in known {
            self.apply(&mut live, record, 0);
        }
        let mut births = BTreeSet::new();
        let mut others = Vec::new();
        for key in &found.touched {
            let mut entry = match live.find(&key.name()) {
                // A contact may have been touched under several of its ids.
                Some(birth) if !births.insert(birth) => continue,
                Some(birth) => match live.entry(birth) {
                    Some(entry) => Entry::clone(entry),
                    None => continue,
                },
                // Nothing is left of it: its rows go.
                None => Entry::new(key.clone(), 0),
            };
            let days = self.days_in_lake(&entry).await?;
            entry.may_be_in_lake(&days);
            entry.causes = vec![CAUSE.to_owned()];
            entry.whole_on_disk = true;
            entry.touch();
            let names = entry.natives().into_iter().collect();
            others.push(Other { entry, names });
        }
        Ok(others)
    }

    fn apply(&self, live: &mut Live, record: Record, seq: u64) {
        let record = Arc::new(record);
        if let Ok(mut routing) = self.interpreter.route(&record) {
            routing
                .keys
                .retain(|k| !matches!(k, RouteKey::Direct(Key::Instance(_))));
            live.apply(&Routed {
                seq,
                record,
                routing,
            });
        }
    }

    /// Days on which the lake has rows of a key.
    async fn days_in_lake(&self, entry: &Entry) -> Result<Vec<i32>, StoreError> {
        let mut all = BTreeSet::new();
        for (table, ids) in tables_of(&entry.key, &entry.ids) {
            let Some(spec) = callboard_model::tables::table(table) else {
                continue;
            };
            for batch in self.lake.scan(table, None, Some((spec.id, &ids))).await? {
                let days = batch
                    .column_by_name("day")
                    .and_then(|c| c.as_primitive_opt::<Date32Type>());
                all.extend(days.into_iter().flatten().flatten());
            }
        }
        Ok(all.into_iter().collect())
    }

    /// Puts it in the place of what is open of it, with what was taken in meanwhile.
    pub(super) fn put_anew(&self, inner: &mut Inner, other: Other) -> Result<(), StoreError> {
        for name in &other.names {
            if let Some(birth) = inner.live.find(name) {
                inner.live.close(birth);
            }
        }
        inner.live.open(other.entry);
        // How old each of these is nobody tells: as old as the youngest, so that no flush counts
        // rows of it before it counts them.
        let youngest = inner.folded;
        for (table, batches) in inner.live.unflushed.batches()? {
            if table != "records" {
                continue;
            }
            for batch in batches {
                for record in records_of(&batch, Some(&other.names)) {
                    self.apply(&mut inner.live, record, youngest);
                }
            }
        }
        Ok(())
    }
}
