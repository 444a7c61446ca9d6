//! Late records: those that speak of keys whose rows are in the lake. All that is known of such
//! a key is read from the lake's records, the new is merged in, and if its rows change, the key
//! is open again until the next flush replaces them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use callboard_model::ids::Key;
use callboard_model::record::{Record, RouteKey, Stamp};
use deltalake::arrow::array::{Array, AsArray, RecordBatch};
use deltalake::arrow::datatypes::TimestampMicrosecondType;

use super::{Inner, Store, StoreError};
use crate::live::keyrows::{KEYED, KeyRows};
use crate::live::{Entry, Live, Routed, natives};

impl Store {
    /// Resolves what waits. Records that arrive meanwhile wait for the next call.
    pub(super) async fn resolve_late(&self) -> Result<usize, StoreError> {
        let (waiting, days, restarts) = {
            let inner = self.inner.lock();
            let waiting = inner.live.late.clone();
            let names: BTreeSet<String> =
                waiting.iter().flat_map(|r| natives(&r.routing)).collect();
            let days = inner.days_of(names.iter().map(String::as_str));
            let instances: BTreeSet<String> = inner.live.instances();
            let restarts: Vec<(String, Vec<i64>)> = instances
                .into_iter()
                .map(|i| (i.clone(), inner.live.restarts_of(&i)))
                .collect();
            (waiting, days, restarts)
        };
        if waiting.is_empty() {
            return Ok(0);
        }
        let names = waiting.iter().flat_map(|r| natives(&r.routing)).collect();
        let turn: BTreeSet<u64> = waiting.iter().map(|r| r.seq).collect();
        // Those that came since and wait too are not known yet: their turn is the next.
        let later = |inner: &Inner| {
            let late = inner.live.late.iter();
            let later = late.filter(|r| !turn.contains(&r.seq));
            later.map(|r| identity(&r.record)).collect()
        };
        let known = self.known_records(names, days, &later).await?;
        // To the keys for which they wait, the waiting ones are what is new. Others that they speak of
        // were open, have heard, and may have settled since.
        let mut news: HashMap<Identity, Vec<&RouteKey>> = HashMap::new();
        for routed in &waiting {
            let keys = news.entry(identity(&routed.record)).or_default();
            keys.extend(&routed.routing.keys);
        }

        // What was known before, and what is known now, each in a live of its own.
        let mut before = Live::new(self.interpreter.clone());
        before.set_horizons(self.inner.lock().live.horizons().clone());
        for (source, times) in restarts {
            before.put_restarts(source, times);
        }
        for record in &known {
            let record = Arc::new(record.clone());
            if let Ok(mut routing) = self.interpreter.route(&record) {
                let news = news.get(&identity(&record));
                routing.keys.retain(|k| {
                    !matches!(k, RouteKey::Direct(Key::Instance(_)))
                        && !news.is_some_and(|news| news.contains(&k))
                });
                before.apply(&Routed {
                    seq: 0,
                    record,
                    routing,
                });
            }
        }
        let mut after = before.copy();
        let mut speaking: HashMap<String, Vec<&Routed>> = HashMap::new();
        for routed in &waiting {
            after.apply(routed);
            for name in natives(&routed.routing) {
                speaking.entry(name).or_default().push(routed);
            }
        }
        let begun = self.inner.lock().begun.clone();
        let now = self.now();
        let mut reopened = Vec::new();
        let births: Vec<u64> = after.entries().map(|(b, _)| b).collect();
        for birth in births {
            let Some(entry) = after.entry(birth) else {
                continue;
            };
            let names = entry.natives();
            let of: BTreeMap<u64, &Routed> = names
                .iter()
                .filter_map(|n| speaking.get(n))
                .flatten()
                .map(|r| (r.seq, *r))
                .collect();
            let Some((first_seq, _)) = of.first_key_value() else {
                continue;
            };
            // The days went on which most was told of it: what comes now makes no row.
            if !entry.stays() && self.gone(&names) {
                continue;
            }
            let mut entry = Entry::clone(entry);
            let made = entry.made(after.around(), now);
            let mut old_rows = KeyRows::default();
            let mut lake_days = Vec::new();
            let old: BTreeSet<u64> = names.iter().filter_map(|n| before.find(n)).collect();
            for b in &old {
                let rows = before.rows(*b, now);
                for spec in KEYED {
                    lake_days.extend(rows.days(spec().name));
                }
                old_rows.extend(&rows);
            }
            // A flush that was cut off may have written rows of it: then they are replaced too.
            let cut_off: Vec<&Vec<i32>> = names.iter().filter_map(|n| begun.get(n)).collect();
            // Where no rows can be made it is open, so that this is seen and tried again.
            if *made.rows == old_rows && cut_off.is_empty() && !made.faulty {
                continue;
            }
            lake_days.extend(cut_off.into_iter().flatten());
            entry.may_be_in_lake(&lake_days);
            if !old.is_empty() {
                let causes = of.values();
                entry.causes = causes
                    .map(|r| format!("{} {}", r.record.source, r.record.id))
                    .collect();
            }
            entry.whole_on_disk = true;
            entry.first_seq = *first_seq;
            entry.touch();
            reopened.push(entry);
        }

        crate::steps::pass("late.found");
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        for entry in reopened {
            inner.live.open(entry);
        }
        crate::steps::pass("late.joined");
        let rest: Vec<Routed> = std::mem::take(&mut inner.live.late)
            .into_iter()
            .filter(|r| !turn.contains(&r.seq))
            .collect();
        // What came meanwhile may speak of a key that is open now.
        for routed in rest {
            let settled = &inner.settled;
            inner.live.fold_known(routed, &|name| settled.holds(name));
        }
        inner.live.version += 1;
        let version = inner.live.version;
        self.changes.send_replace(version);
        Ok(waiting.len())
    }

    /// All records, in the lake or on their way there, that belong to the components of which these
    /// names are, but for those that `without` tells.
    pub(super) async fn known_records(
        &self,
        mut names: BTreeSet<String>,
        mut days: BTreeSet<i32>,
        without: &(dyn Fn(&Inner) -> HashSet<Identity> + Sync),
    ) -> Result<Vec<Record>, StoreError> {
        let mut have: HashSet<Identity> = HashSet::new();
        let mut known: Vec<Record> = Vec::new();
        loop {
            let list: Vec<String> = names.iter().cloned().collect();
            let on: Vec<i32> = days.iter().copied().collect();
            let mut batches = self.lake.records_naming(&on, &list).await?;
            {
                let mut inner = self.inner.lock();
                have.extend(without(&inner));
                for (table, more) in inner.live.unflushed.batches()? {
                    if table == "records" {
                        batches.extend(more);
                    }
                }
            }
            let mut grew = false;
            let found: Vec<Record> = batches
                .iter()
                .flat_map(|b| records_of(b, Some(&names)))
                .collect();
            for record in found {
                if !have.insert(identity(&record)) {
                    continue;
                }
                if let Ok(routing) = self.interpreter.route(&record) {
                    for name in natives(&routing) {
                        if !name.starts_with("instance:") {
                            grew |= names.insert(name);
                        }
                    }
                }
                known.push(record);
            }
            if !grew {
                return Ok(known);
            }
            days = self.inner.lock().days_of(names.iter().map(String::as_str));
        }
    }
}

/// By which a record is told from others: source, id, and hash of its bytes.
pub(super) type Identity = (Arc<str>, Arc<str>, u64);

fn identity(r: &Record) -> Identity {
    (r.source.clone(), r.id.clone(), r.content_hash())
}

/// The records of a batch of the table `records` that speak of any of the names, or all.
pub fn records_of(batch: &RecordBatch, names: Option<&BTreeSet<String>>) -> Vec<Record> {
    let text = |name: &str| {
        batch
            .column_by_name(name)
            .and_then(|c| c.as_string_opt::<i32>())
    };
    let (Some(source), Some(id), Some(format), Some(stamp)) =
        (text("source"), text("id"), text("format"), text("stamp"))
    else {
        return Vec::new();
    };
    let received = batch
        .column_by_name("received_at")
        .and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>());
    let bytes = batch
        .column_by_name("bytes")
        .and_then(|c| c.as_binary_opt::<i32>());
    let natives = batch
        .column_by_name("natives")
        .and_then(|c| c.as_list_opt::<i32>());
    let (Some(received), Some(bytes), Some(natives)) = (received, bytes, natives) else {
        return Vec::new();
    };
    (0..batch.num_rows())
        .filter(|row| {
            let Some(names) = names else { return true };
            let list = natives.value(*row);
            list.as_string_opt::<i32>()
                .is_some_and(|l| l.iter().flatten().any(|n| names.contains(n)))
        })
        .map(|row| Record {
            source: source.value(row).into(),
            id: id.value(row).into(),
            format: format.value(row).into(),
            received_at: received.value(row),
            stamp: Arc::new(if stamp.is_null(row) {
                Stamp::default()
            } else {
                serde_json::from_str(stamp.value(row)).unwrap_or_default()
            }),
            bytes: bytes.value(row).into(),
        })
        .collect()
}
