//! What the store shows: a snapshot's rows, live and in the lake, in the form of the truth.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::json::ArrayWriter;
use callboard_datasets::compare::{Found, Row, compare};
use callboard_store::snapshot::Snapshots as _;
use callboard_store::store::Store;

use crate::world::{KEPT, World, table};

/// Rows of a table as JSON objects.
fn objects(batch: &RecordBatch) -> Vec<serde_json::Map<String, serde_json::Value>> {
    let mut writer = ArrayWriter::new(Vec::new());
    writer.write(batch).unwrap();
    writer.finish().unwrap();
    let text = writer.into_inner();
    if text.is_empty() {
        return Vec::new();
    }
    serde_json::from_slice(&text).unwrap()
}

fn text<'a>(batch: &'a RecordBatch, column: &str) -> &'a arrow::array::StringArray {
    batch.column_by_name(column).unwrap().as_string::<i32>()
}

/// The batches of a table as a query would read them, hidden rows left out.
async fn batches(store: &Store, name: &str) -> Result<Vec<RecordBatch>, String> {
    let snapshot = store.snapshot();
    let shown = &snapshot.tables[name];
    let mut all = shown.live.clone();
    for batch in store.lake.scan(name, None, None).await.map_err(say)? {
        let Some(hidden) = &shown.hidden else {
            all.push(batch);
            continue;
        };
        let ids = text(&batch, hidden.column);
        let keep = |row: usize| !hidden.values.contains(ids.value(row));
        let keep: arrow::array::BooleanArray =
            (0..batch.num_rows()).map(|row| Some(keep(row))).collect();
        all.push(arrow::compute::filter_record_batch(&batch, &keep).map_err(say)?);
    }
    Ok(all)
}

fn say(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Holds every table against the truth.
pub async fn equal(store: &Store, world: &World) -> Result<(), String> {
    let mut wrong = String::new();
    for name in KEPT {
        let table = table(name);
        let mut ours = Vec::new();
        for batch in batches(store, name).await? {
            let columns: Vec<usize> = table
                .columns
                .iter()
                .map(|c| batch.schema().index_of(c).unwrap())
                .collect();
            let batch = batch.project(&columns).map_err(say)?;
            ours.extend(objects(&batch).iter().map(|object| Row::of(table, object)));
        }
        let mut found = Found::default();
        compare(table, world.rows[name].clone(), ours, 3, &mut found);
        if found.differing > 0 {
            wrong += &format!("{name}: {} rows differ\n", found.differing);
            for difference in &found.shown {
                wrong += &difference.text(table);
            }
        }
    }
    let records = identities(store).await?;
    let own = records.values().filter(|n| **n > 1).count();
    if own > 0 {
        wrong += &format!("{own} records are there more than once\n");
    }
    let told = records
        .keys()
        .filter(|(source, _, _)| source.starts_with("/sim/"));
    let told = told.count() as u64;
    if told != world.records {
        wrong += &format!("{told} records instead of {}\n", world.records);
    }
    let mut dead = BTreeSet::new();
    for batch in batches(store, "dead_letters").await? {
        let (hash, class) = (text(&batch, "sha256"), text(&batch, "class"));
        dead.extend((0..batch.num_rows()).map(|n| (hash.value(n).into(), class.value(n).into())));
    }
    if dead != world.dead {
        wrong += &format!(
            "{} dead letters instead of {}\n",
            dead.len(),
            world.dead.len()
        );
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// Source, id and bytes of a record.
pub type Identity = (String, String, Vec<u8>);

/// How often each record is there.
pub async fn identities(store: &Store) -> Result<BTreeMap<Identity, u32>, String> {
    let mut all = BTreeMap::new();
    for batch in batches(store, "records").await? {
        let (source, id) = (text(&batch, "source"), text(&batch, "id"));
        let bytes = batch.column_by_name("bytes").unwrap().as_binary::<i32>();
        for row in 0..batch.num_rows() {
            let identity = (
                source.value(row).to_owned(),
                id.value(row).to_owned(),
                bytes.value(row).to_vec(),
            );
            *all.entry(identity).or_default() += 1;
        }
    }
    Ok(all)
}
