//! Rows against records: every row is a function of the records, so it can be made again and
//! compared.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use callboard_model::record::Interpreter;
use callboard_model::tables::{ContactRow, RECORDS, TableSpec};
use deltalake::arrow::array::{AsArray, RecordBatch};
use deltalake::arrow::datatypes::{Date32Type, Int64Type};
use deltalake::arrow::error::ArrowError;
use deltalake::arrow::row::{RowConverter, SortField};
use parking_lot::Mutex;
use xxhash_rust::xxh3::xxh3_128;

use super::kept::Kept;
use super::{Examined, Level, REBUILD, RESTORE};
use crate::lake::{LakeError, Looking, on_days};
use crate::live::keyrows::{KEYED, KeyRows, tables_of};
use crate::live::{Entry, Live, Routed};
use crate::store::retention::Horizons;
use crate::store::settled::hash;
use crate::store::{StoreError, records_of};

/// Ids that are named of those that differ.
const NAMED: usize = 3;

/// When a row was corrected is told by no record.
const NOT_TOLD: &str = "corrected_at";

pub(super) async fn examine(
    lake: &Looking,
    interpreter: Arc<dyn Interpreter>,
    now: i64,
    kept: &Kept,
    found: &mut Examined,
) -> Result<(), StoreError> {
    let told = read_records(lake, interpreter).await?;
    told.say(found);
    if let Some(why) = &kept.unsettled {
        found.saw("rows", format!("not compared with the records: {why}"));
        return Ok(());
    }
    let mut live = told.live;
    live.set_horizons(kept.horizons.clone());
    let births: Vec<u64> = live.entries().map(|(b, _)| b).collect();
    let mut rows = KeyRows::default();
    // Ids of rows that may still change.
    let mut open: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    let mut left_out = 0;
    for birth in births {
        let Some(entry) = live.entry(birth) else {
            continue;
        };
        let made = entry.made(live.around(), now);
        if made.faulty || made.rows.contacts.iter().any(by_restart) || left_out_of(entry, kept) {
            left_out += 1;
            for (table, ids) in tables_of(&entry.key, &entry.ids) {
                open.entry(table).or_default().extend(ids);
            }
            continue;
        }
        rows.extend(&made.rows);
    }
    if let Some(first) = live.around().faulty().first() {
        found.find(
            Level::Notice,
            "rows",
            format!("a fault in the program keeps rows from being made, of {first} at least"),
            "look at it with a version without the fault; the records are kept",
        );
    }
    let mut made = rows.batches()?;
    let mut same = 0;
    for spec in KEYED {
        let spec = spec();
        let none = BTreeSet::new();
        let open = open.get(spec.name).unwrap_or(&none);
        let expected = made.remove(spec.name);
        same += compare(lake, spec, expected, (open, &kept.horizons), found).await?;
    }
    found.saw(
        "rows",
        format!(
            "{same} rows of {} tables are what the records say; {left_out} keys are open, or ended by a restart, and were left out",
            KEYED.len(),
        ),
    );
    Ok(())
}

/// Whether its rows may still change, or were told by records that are kept no more.
fn left_out_of(entry: &Entry, kept: &Kept) -> bool {
    let mut names = entry.natives().into_iter();
    names.any(|n| kept.open.contains(&n) || !entry.stays() && kept.gone.contains(&hash(&n)))
}

/// Whether a restart of its platform ended the contact: one that came after it had settled is known
/// now, and was not then.
fn by_restart(contact: &ContactRow) -> bool {
    contact.end_basis.as_deref() == Some("restart")
}

/// What the table `records` holds.
struct Told {
    live: Live,
    records: usize,
    /// Records whose bytes are not those that were taken.
    altered: Vec<String>,
    /// Records that are there twice.
    twice: Vec<String>,
}

impl Told {
    fn say(&self, found: &mut Examined) {
        found.saw(
            "records",
            format!(
                "{} records, {} of them with the bytes that arrived, {} twice",
                self.records,
                self.records - self.altered.len(),
                self.twice.len()
            ),
        );
        let find = |found: &mut Examined, level, what, which: &Vec<String>, todo| {
            if !which.is_empty() {
                let what = format!("{} records {what}: {}", which.len(), named(which));
                found.find(level, "records", what, todo);
            }
        };
        let what = "hold other bytes than arrived";
        find(found, Level::Damage, what, &self.altered, RESTORE);
        let what = "are there twice, as repeats older than the last million of their source are";
        find(
            found,
            Level::Notice,
            what,
            &self.twice,
            "nothing: they change no row",
        );
    }
}

async fn read_records(
    lake: &Looking,
    interpreter: Arc<dyn Interpreter>,
) -> Result<Told, LakeError> {
    let told = Mutex::new((
        Told {
            live: Live::new(interpreter.clone()),
            records: 0,
            altered: Vec::new(),
            twice: Vec::new(),
        },
        HashSet::new(),
    ));
    lake.rows(&RECORDS, &|batch| {
        let mut told = told.lock();
        let (told, seen) = &mut *told;
        let hashes = batch
            .column_by_name("content_hash")
            .and_then(|c| c.as_primitive_opt::<Int64Type>().cloned());
        for (row, record) in records_of(&batch, None).into_iter().enumerate() {
            told.records += 1;
            let hash = record.content_hash();
            let name = || format!("{} {}", record.source, record.id);
            if hashes.as_ref().map(|h| h.value(row) as u64) != Some(hash) {
                told.altered.push(name());
            }
            // A repeat with other bytes is a record of its own.
            let identity = format!("{}\n{}\n{hash}", record.source, record.id);
            if !seen.insert(xxh3_128(identity.as_bytes())) {
                told.twice.push(name());
            }
            let record = Arc::new(record);
            if let Ok(routing) = interpreter.route(&record) {
                told.live.apply(&Routed {
                    seq: 0,
                    record,
                    routing,
                });
            }
        }
    })
    .await?;
    Ok(told.into_inner().0)
}

/// Compares a table with what it should hold; gives how many rows are the same.
async fn compare(
    lake: &Looking,
    spec: &'static TableSpec,
    expected: Option<RecordBatch>,
    (open, horizons): (&BTreeSet<String>, &Horizons),
    found: &mut Examined,
) -> Result<usize, StoreError> {
    let rows = Mutex::new(Rows::new(spec)?);
    let refused = Mutex::new(None);
    lake.rows(spec, &|batch| {
        // Days that are kept no more are just going.
        let batch = match horizons.is_empty() {
            true => batch,
            false => match kept_days(spec, &batch, horizons) {
                Ok(kept) => kept,
                Err(error) => {
                    *refused.lock() = Some(error);
                    return;
                }
            },
        };
        if let Err(error) = rows.lock().count(&batch, open, 1) {
            *refused.lock() = Some(error);
        }
    })
    .await?;
    if let Some(error) = refused.into_inner() {
        return Err(error.into());
    }
    let mut rows = rows.into_inner();
    let there = rows.seen;
    if let Some(batch) = expected {
        rows.count(&batch, open, -1)?;
    }
    let (mut more, mut fewer) = (BTreeSet::new(), BTreeSet::new());
    let mut odd = 0;
    for (id, count) in rows.counts.into_values() {
        match count {
            0 => {}
            1.. => {
                odd += count as usize;
                more.insert(id);
            }
            _ => {
                fewer.insert(id);
            }
        }
    }
    let both: Vec<String> = more.intersection(&fewer).cloned().collect();
    let more: Vec<String> = more.into_iter().filter(|id| !both.contains(id)).collect();
    let fewer: Vec<String> = fewer.into_iter().filter(|id| !both.contains(id)).collect();
    for (what, ids) in [
        ("differ from what the records say", both),
        ("are there that no record tells of", more),
        ("are missing", fewer),
    ] {
        if !ids.is_empty() {
            let what = format!("rows of {} {what}: {}", ids.len(), named(&ids));
            found.find(Level::Damage, spec.name, what, REBUILD);
        }
    }
    Ok(there.saturating_sub(odd))
}

/// The rows of days that a table keeps.
fn kept_days(
    spec: &TableSpec,
    batch: &RecordBatch,
    horizons: &Horizons,
) -> Result<RecordBatch, ArrowError> {
    let days = batch
        .column_by_name("day")
        .and_then(|c| c.as_primitive_opt::<Date32Type>());
    let all = days.into_iter().flatten().flatten();
    let kept = all.filter(|day| horizons.keeps(spec.name, *day)).collect();
    on_days(batch, &kept)
}

fn named(ids: &[String]) -> String {
    let mut text = ids
        .iter()
        .take(NAMED)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    if ids.len() > NAMED {
        text.push_str(" ...");
    }
    text
}

/// Rows as bytes that are equal where the rows are.
struct Rows {
    converter: RowConverter,
    columns: Vec<&'static str>,
    id: &'static str,
    /// By hash of the row: its id, and how often it is there more than it should be.
    counts: HashMap<u128, (String, i64)>,
    seen: usize,
}

impl Rows {
    fn new(spec: &TableSpec) -> Result<Self, ArrowError> {
        let schema = spec.schema();
        let fields = schema.fields().iter().filter(|f| f.name() != NOT_TOLD);
        let sorted = fields.map(|f| SortField::new(f.data_type().clone()));
        Ok(Rows {
            converter: RowConverter::new(sorted.collect())?,
            columns: spec
                .columns
                .iter()
                .map(|c| c.name)
                .filter(|c| *c != NOT_TOLD)
                .collect(),
            id: spec.id,
            counts: HashMap::new(),
            seen: 0,
        })
    }

    fn count(
        &mut self,
        batch: &RecordBatch,
        open: &BTreeSet<String>,
        by: i64,
    ) -> Result<(), ArrowError> {
        let lacks = || ArrowError::SchemaError("a column is missing".into());
        let columns = self
            .columns
            .iter()
            .map(|c| batch.column_by_name(c).cloned().ok_or_else(lacks))
            .collect::<Result<Vec<_>, _>>()?;
        let ids = batch
            .column_by_name(self.id)
            .and_then(|c| c.as_string_opt::<i32>())
            .ok_or_else(lacks)?;
        let rows = self.converter.convert_columns(&columns)?;
        for (n, row) in rows.iter().enumerate() {
            let id = ids.value(n);
            if open.contains(id) {
                continue;
            }
            self.seen += usize::from(by > 0);
            let entry = self
                .counts
                .entry(xxh3_128(row.as_ref()))
                .or_insert_with(|| (id.to_owned(), 0));
            entry.1 += by;
        }
        Ok(())
    }
}
