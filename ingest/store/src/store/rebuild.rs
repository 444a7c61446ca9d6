//! Rebuild: every row anew from the records, with today's readers. A table that cannot be read is put
//! aside first and begun anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use callboard_model::record::Interpreter;
use callboard_model::tables::{CONTACTS, CORRECTIONS, ContactRow, CorrectionRow, Instant, RECORDS};
use deltalake::arrow::array::{Array, AsArray, RecordBatch};
use deltalake::arrow::datatypes::Date32Type;

use super::late::records_of;
use super::{Clock, Derive, Store, StoreError, StoreOptions, remake};
use crate::datafolder::DataFolder;
use crate::lake::{Fault, Looking, Replace, WritePlan, is_copy, is_made};
use crate::live::keyrows::{KEYED, KeyRows, tables_of};
use crate::live::{Live, Routed};
use crate::steps;

/// Days whose intervals are made in one go.
const DAYS_AT_ONCE: usize = 366;

/// Gives who makes the tables of intervals of that store.
pub type MakeDerive = dyn Fn(&Arc<Store>) -> Result<Arc<dyn Derive>, String> + Send + Sync;

/// Ids of rows, by table.
type Ids = BTreeMap<&'static str, BTreeSet<String>>;

/// What a rebuild did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// Records read.
    pub records: usize,
    /// Keys whose rows were made.
    pub keys: usize,
    /// What was damaged or missing in tables that were begun anew.
    pub mended: Vec<Fault>,
    /// Where the folders of these tables lie now, those that were there.
    pub aside: Option<PathBuf>,
    /// What is damaged and not made of records: it stays as it is.
    pub stays: Vec<Fault>,
    /// What could not be made anew, in words.
    pub lost: Vec<String>,
}

/// Makes all rows of a data folder anew from its records, and with `derive` the copies of intervals
/// too. No server may run on the folder.
///
/// # Errors
/// [`StoreError`]; a rebuild that was cut off is begun again. The records must be readable.
pub async fn rebuild(
    mut options: StoreOptions,
    interpreter: Arc<dyn Interpreter>,
    clock: Arc<dyn Clock>,
    derive: Option<&MakeDerive>,
) -> Result<Rebuilt, StoreError> {
    let mut done = put_aside(&options, derive.is_some()).await?;
    options.unfinished = true;
    let store = Store::open(options, interpreter.clone(), clock).await?;
    let state = store.folder.state();
    let remaking = remake::read(&state)?.tables;
    store.finish_erasure().await?;
    store.retain().await?;
    // Everything into the lake first: then the records tell all.
    store.flush(true).await?;
    let mut live = Live::new(interpreter.clone());
    live.set_horizons(store.inner.lock().live.horizons().clone());
    for batch in store.lake.scan(RECORDS.name, None, None).await? {
        for record in records_of(&batch, None) {
            done.records += 1;
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
    done.keys = births.len();
    let mut rows = KeyRows::default();
    let mut untouched = Ids::new();
    for birth in &births {
        let Some(entry) = live.entry(*birth) else {
            continue;
        };
        if !entry.stays() && store.gone(&entry.natives()) {
            continue;
        }
        let made = entry.made(live.around(), now);
        if made.faulty {
            done.lost.push(format!(
                "{}: a fault in the program ended the making of its rows; those that are there stay",
                entry.key.name()
            ));
            for (table, ids) in tables_of(&entry.key, &entry.ids) {
                untouched.entry(table).or_default().extend(ids);
            }
        }
        rows.extend(&made.rows);
    }
    let anew = remaking.iter().any(|t| t == CONTACTS.name);
    keep_corrected(&store, &mut rows, anew, &mut done).await?;
    store.replace_all(&rows, &untouched).await?;
    if let Some(make) = derive {
        let derive = make(&store).map_err(StoreError::Rebuild)?;
        store.derive_all(derive.as_ref(), &rows).await?;
        done.lost.extend(store.older_copies(&remaking));
    }
    steps::pass("rebuild.made");
    remake::done(&state)?;
    store.log.close()?;
    Ok(done)
}

/// Puts the tables aside that cannot be read and can be made anew. What is said of them stays in the
/// state until they are.
async fn put_aside(options: &StoreOptions, copies: bool) -> Result<Rebuilt, StoreError> {
    let folder = DataFolder::existing(&options.data)?;
    let place = options.lake.clone();
    let place = place.unwrap_or_else(|| folder.lake().to_string_lossy().into_owned());
    let lake = Looking::open(&place, options.lake_options.clone())?;
    let mut done = Rebuilt::default();
    let mut tables = Vec::new();
    for damaged in lake.damaged().await? {
        if is_made(damaged.table) {
            if is_copy(damaged.table) && !copies {
                return Err(StoreError::Rebuild(said(&damaged.faults)));
            }
            tables.push(damaged.table);
            done.mended.extend(damaged.faults);
        } else if damaged.table == RECORDS.name || !damaged.opens {
            // Nothing has been touched yet.
            return Err(StoreError::Rebuild(format!(
                "{}; the table {} is not made of others: restore it from a backup first",
                said(&damaged.faults),
                damaged.table
            )));
        } else {
            done.stays.extend(damaged.faults);
        }
    }
    if !tables.is_empty() {
        remake::begin(&folder.state(), &tables)?;
        steps::pass("rebuild.told");
        done.aside = lake.put_aside(&tables)?;
        steps::pass("rebuild.aside");
    }
    Ok(done)
}

fn said(faults: &[Fault]) -> String {
    let each = faults.iter().map(|f| format!("{}: {}", f.place, f.what));
    each.collect::<Vec<_>>().join("; ")
}

/// Days in which rows of a batch lie.
fn days_of(batch: &RecordBatch) -> impl Iterator<Item = i32> {
    let days = batch
        .column_by_name("day")
        .and_then(|c| c.as_primitive_opt::<Date32Type>());
    days.into_iter().flatten().flatten()
}

impl Store {
    /// Replaces the rows of all tables that are made of keys, but for those of `untouched`.
    async fn replace_all(&self, rows: &KeyRows, untouched: &Ids) -> Result<(), StoreError> {
        let attempt = self.next_attempt()?;
        let batches = rows.batches()?;
        for spec in KEYED {
            let spec = spec();
            let mut days = BTreeSet::new();
            let mut ids = BTreeSet::new();
            for batch in self.lake.scan(spec.name, None, None).await? {
                let id = batch
                    .column_by_name(spec.id)
                    .and_then(|c| c.as_string_opt::<i32>());
                if let Some(id) = id {
                    days.extend(days_of(&batch));
                    ids.extend((0..id.len()).map(|row| id.value(row).to_owned()));
                }
            }
            if let Some(stay) = untouched.get(spec.name) {
                ids.retain(|id| !stay.contains(id));
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
            self.lake.write(spec.name, attempt, plan).await?;
            steps::pass("rebuild.table");
        }
        let mut inner = self.inner.lock();
        self.look_again(&mut inner)
    }

    /// Makes the copies of intervals anew, on all days of which there are rows.
    async fn derive_all(&self, derive: &dyn Derive, rows: &KeyRows) -> Result<(), StoreError> {
        let mut commit = self.flushing.lock().await;
        let mut days: BTreeSet<i32> = commit.derive_days.iter().copied().collect();
        for spec in KEYED {
            days.extend(rows.days(spec().name));
        }
        // A part of a contact may lie on a day on which none began.
        let parts = rows.segments.iter();
        let times = parts.flat_map(|part| [part.started_at, part.ended_at]);
        days.extend(times.flatten().map(|at| at.day().0));
        for copy in super::derived::COPIES {
            for batch in self.lake.scan(copy, None, None).await? {
                days.extend(days_of(&batch));
            }
        }
        let first = self.inner.lock().live.horizons().of_sources();
        let days: Vec<i32> = days.into_iter().filter(|d| *d > 0 && *d >= first).collect();
        for days in days.chunks(DAYS_AT_ONCE) {
            let made = derive.derive(self.picture(), days).await;
            let made = made.map_err(|e| {
                StoreError::Rebuild(format!("tables of intervals could not be made: {e}"))
            })?;
            let number = self.next_attempt()?;
            self.write_derived(made, days, number).await?;
            steps::pass("rebuild.copies");
        }
        if !commit.derive_days.is_empty() {
            commit.derive_days.clear();
            self.files.set_commit(&commit)?;
            self.inner.lock().derive_days.clear();
        }
        Ok(())
    }

    /// Days of copies that were put aside and are longer kept than what they are made of.
    fn older_copies(&self, remaking: &[String]) -> Vec<String> {
        let horizons = self.inner.lock().live.horizons().clone();
        let first = horizons.of_sources();
        let lost = remaking
            .iter()
            .filter(|t| is_copy(t) && !horizons.is_empty() && horizons.of(t) < first);
        lost.map(|table| {
            let day = chrono::DateTime::from_timestamp(i64::from(first) * 86_400, 0);
            let day = day.unwrap_or_default().format("%Y-%m-%d");
            format!(
                "{table}: days before {day} are made of rows that are kept no more; what they held \
                 lies in the folder that was put aside"
            )
        })
        .collect()
    }
}

/// When a row was corrected is told by no record: it stays as it was. Where the rows are lost, the
/// table of corrections tells it.
async fn keep_corrected(
    store: &Store,
    rows: &mut KeyRows,
    anew: bool,
    done: &mut Rebuilt,
) -> Result<(), StoreError> {
    let mut corrected: BTreeMap<String, Instant> = BTreeMap::new();
    if anew {
        match store.lake.scan(CORRECTIONS.name, None, None).await {
            Ok(batches) => {
                for row in batches.iter().flat_map(CorrectionRow::from_batch) {
                    if row.entity == "contact" {
                        let at = corrected.entry(row.id).or_insert(row.corrected_at);
                        *at = (*at).max(row.corrected_at);
                    }
                }
            }
            Err(error) => done.lost.push(format!(
                "contacts: when a row was corrected is not known any more ({error})"
            )),
        }
    }
    for batch in store.lake.scan(CONTACTS.name, None, None).await? {
        for row in ContactRow::from_batch(&batch) {
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
