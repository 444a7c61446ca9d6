//! Rebuild: every row anew from the records, with today's readers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use callboard_model::record::Interpreter;
use callboard_model::tables::{Instant, table};
use deltalake::arrow::array::{Array, AsArray};
use deltalake::arrow::datatypes::Date32Type;

use super::late::records_of;
use super::{Clock, Store, StoreError, StoreOptions};
use crate::lake::{Replace, WritePlan};
use crate::live::keyrows::{KEYED, KeyRows};
use crate::live::{Live, Routed};

/// What a rebuild did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// Records read.
    pub records: usize,
    /// Keys whose rows were made.
    pub keys: usize,
}

/// Makes all rows of a data folder anew from its records. No server may run on the folder.
///
/// # Errors
/// [`StoreError`]; a rebuild that was cut off is begun again.
pub async fn rebuild(
    options: StoreOptions,
    interpreter: Arc<dyn Interpreter>,
    clock: Arc<dyn Clock>,
) -> Result<Rebuilt, StoreError> {
    let store = Store::open(options, interpreter.clone(), clock).await?;
    store.finish_erasure().await?;
    store.retain().await?;
    // Everything into the lake first: then the records tell all.
    store.flush(true).await?;
    let mut live = Live::new(interpreter.clone());
    live.set_horizons(store.inner.lock().live.horizons().clone());
    let mut records = 0;
    for batch in store.lake.scan("records", None, None).await? {
        for record in records_of(&batch, None) {
            records += 1;
            let record = Arc::new(record);
            if let Ok(routing) = interpreter.route(&record) {
                live.apply(&Routed {
                    seq: 0,
                    record,
                    routing,
                });
            }
        }
    }
    let now = store.now();
    let births: Vec<u64> = live.entries().map(|(b, _)| b).collect();
    let mut rows = KeyRows::default();
    for birth in &births {
        let entry = live.entry(*birth);
        if entry.is_some_and(|e| !e.stays() && store.gone(&e.natives())) {
            continue;
        }
        rows.extend(&live.rows(*birth, now));
    }
    keep_corrected(&store, &mut rows).await?;
    let attempt = store.next_attempt()?;
    let batches = rows.batches()?;
    for spec in KEYED {
        let spec = spec();
        let mut days = BTreeSet::new();
        let mut ids = BTreeSet::new();
        for batch in store.lake.scan(spec.name, None, None).await? {
            let day = batch
                .column_by_name("day")
                .and_then(|c| c.as_primitive_opt::<Date32Type>());
            let id = batch
                .column_by_name(spec.id)
                .and_then(|c| c.as_string_opt::<i32>());
            if let (Some(day), Some(id)) = (day, id) {
                days.extend(day.iter().flatten());
                ids.extend((0..id.len()).map(|row| id.value(row).to_owned()));
            }
        }
        let replace = Replace {
            days: days.into_iter().collect(),
            ids: ids.into_iter().collect(),
            whole_days: false,
            ..Replace::default()
        };
        let plan = WritePlan {
            rows: batches.get(spec.name).cloned().into_iter().collect(),
            replace: Some(replace),
        };
        store.lake.write(spec.name, attempt, plan).await?;
    }
    store.log.close()?;
    Ok(Rebuilt {
        records,
        keys: births.len(),
    })
}

/// When a row was corrected is told by no record: it stays as it was.
async fn keep_corrected(store: &Store, rows: &mut KeyRows) -> Result<(), StoreError> {
    debug_assert!(table("contacts").is_some());
    let mut corrected: BTreeMap<String, Instant> = BTreeMap::new();
    for batch in store.lake.scan("contacts", None, None).await? {
        for row in callboard_model::tables::ContactRow::from_batch(&batch) {
            if let Some(at) = row.corrected_at {
                corrected.insert(row.contact_id, at);
            }
        }
    }
    for row in &mut rows.contacts {
        row.corrected_at = corrected.get(&row.contact_id).copied();
    }
    Ok(())
}
