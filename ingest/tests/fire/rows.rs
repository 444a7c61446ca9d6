//! What the store shows: a snapshot's rows, live and in the lake, in the form of the truth.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{AsArray as _, RecordBatch};
use arrow::json::ArrayWriter;
use callboard_datasets::compare::{Found, Row, compare};
use callboard_model::record::Record;
use callboard_model::tables::AgentStateRow;
use callboard_store::live::{Live, Routed};
use callboard_store::snapshot::{Snapshot, Snapshots as _};
use callboard_store::store::Store;
use parking_lot::Mutex;

use crate::sender::Sender;
use crate::views::{intervals, intervals_in_memory};
use crate::world::{KEPT, World, table};

/// Rows of a table as JSON objects.
pub fn objects(batch: &RecordBatch) -> Vec<serde_json::Map<String, serde_json::Value>> {
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
        let days = batch.column_by_name("day").unwrap();
        let days = days.as_primitive::<arrow::datatypes::Date32Type>();
        let keep = |row: usize| !hidden.hides(ids.value(row), days.value(row));
        let keep: arrow::array::BooleanArray =
            (0..batch.num_rows()).map(|row| Some(keep(row))).collect();
        all.push(arrow::compute::filter_record_batch(&batch, &keep).map_err(say)?);
    }
    Ok(all)
}

pub fn say(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Every row of the store as rows that are not in a lake, which SQL reads without one.
pub async fn as_live(store: &Store) -> Result<Snapshot, String> {
    let mut snapshot = (*store.snapshot()).clone();
    for (name, shown) in &mut snapshot.tables {
        shown.live = batches(store, name).await?;
        (shown.lake, shown.hidden) = (None, None);
    }
    Ok(snapshot)
}

/// Holds every table against the truth, and dead letters also against what was sent how often.
pub async fn equal(
    store: &Arc<Store>,
    world: &World,
    sender: &Mutex<Sender>,
    delta: bool,
) -> Result<(), String> {
    let mut wrong = String::new();
    for name in KEPT {
        let table = table(name);
        let mut ours = Vec::new();
        for batch in batches(store, name).await? {
            let columns: Vec<usize> = table
                .compared()
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
    wrong += &match delta {
        true => intervals(store.clone(), world).await?,
        false => intervals_in_memory(store, world).await?,
    };
    let agents = agents(store).await?;
    let anew = agents_anew(store).await?;
    if agents != anew {
        let first = agents.iter().zip(&anew).find(|(a, b)| a != b);
        wrong += &format!(
            "agent_states: {} rows, {} when all records are read anew; first {first:?}\n",
            agents.len(),
            anew.len()
        );
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
    wrong += &dead_letters(store, world, sender).await?;
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// How often each dead letter is there, by hash and class.
pub async fn letters(store: &Store) -> Result<BTreeMap<(String, String), u64>, String> {
    let mut there: BTreeMap<(String, String), u64> = BTreeMap::new();
    for batch in batches(store, "dead_letters").await? {
        let (hash, class) = (text(&batch, "sha256"), text(&batch, "class"));
        for row in 0..batch.num_rows() {
            let letter = (hash.value(row).to_owned(), class.value(row).to_owned());
            *there.entry(letter).or_default() += 1;
        }
    }
    Ok(there)
}

/// What is wrong with the dead letters. A line that is no event has no identity by which a repeat is
/// known: it is there at least as often as it was acknowledged, at most as often as it was sent.
async fn dead_letters(
    store: &Store,
    world: &World,
    sender: &Mutex<Sender>,
) -> Result<String, String> {
    let mut there = letters(store).await?;
    let sender = sender.lock();
    let mut wrong = String::new();
    for (letter, true_count) in &world.dead {
        let found = there.remove(letter).unwrap_or(0);
        let told = sender.refused.get(&letter.0).copied().unwrap_or_default();
        let enough = found >= told.acknowledged && found >= *true_count;
        if !enough || found > told.sent {
            wrong += &format!(
                "dead letter {letter:?}: {found} times, sent {} times, acknowledged {}, {true_count} in the truth\n",
                told.sent, told.acknowledged
            );
        }
    }
    for letter in there.keys() {
        wrong += &format!("dead letter {letter:?} is not in the truth\n");
    }
    Ok(wrong)
}

/// The agents' states as they are shown.
async fn agents(store: &Store) -> Result<Vec<AgentStateRow>, String> {
    let batches = batches(store, "agent_states").await?;
    Ok(in_order(batches.iter().flat_map(AgentStateRow::from_batch)))
}

fn in_order(rows: impl Iterator<Item = AgentStateRow>) -> Vec<AgentStateRow> {
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by_cached_key(|row| format!("{row:?}"));
    rows
}

/// The agents' states made of all records at once: what a store that forgets nothing would show.
async fn agents_anew(store: &Store) -> Result<Vec<AgentStateRow>, String> {
    let interpreter = store.interpreter();
    let mut live = Live::new(interpreter.clone());
    for ((source, id, bytes), _) in identities(store).await? {
        let record = Arc::new(Record {
            source: source.into(),
            id: id.into(),
            format: "event".into(),
            received_at: 0,
            stamp: Arc::default(),
            bytes: bytes.into(),
        });
        let routing = interpreter.route(&record).map_err(say)?;
        live.apply(&Routed {
            seq: 1,
            record,
            routing,
        });
    }
    let births: Vec<u64> = live.entries().map(|(birth, _)| birth).collect();
    let now = store.now();
    let rows = births
        .into_iter()
        .flat_map(|birth| live.rows(birth, now).agent_states.clone());
    Ok(in_order(rows))
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
