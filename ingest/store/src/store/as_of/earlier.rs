//! The tables of an earlier moment: the present ones without what came later, with rows made anew
//! of the keys that were touched since.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use callboard_model::ids::{Key, PlatformId};
use callboard_model::record::{Record, RouteKey};
use callboard_model::tables::{
    AGENT_INTERVALS, CONTACTS, CORRECTIONS, ContactRow, CorrectionRow, DEAD_LETTERS, Instant,
    QUEUE_INTERVALS, RECORDS,
};
use deltalake::arrow::array::{AsArray, BooleanArray, RecordBatch};
use deltalake::arrow::compute::filter_record_batch;
use deltalake::arrow::datatypes::TimestampMicrosecondType;
use deltalake::arrow::error::ArrowError;

use super::since::{Touched, rows, table};
use super::{Budget, NAME_BYTES};
use crate::lake::{Part, not_later, read_part};
use crate::live::keyrows::{KeyRows, tables_of};
use crate::live::{Live, Routed};
use crate::snapshot::{AsOfError, Hidden, Snapshot, TableSnapshot};
use crate::store::{Store, StoreError, records_of};

/// A record in memory beside its bytes, roughly.
const RECORD_BYTES: usize = 300;

type Ids = BTreeMap<&'static str, HashSet<String>>;

/// The picture of the moment of the budget.
pub(super) async fn made(
    store: &Store,
    present: &Snapshot,
    mut touched: Touched,
    budget: &mut Budget<'_>,
) -> Result<Snapshot, AsOfError> {
    let at = budget.at;
    let known = known(store, present, &mut touched, budget).await?;
    let mut hidden = hidden(&touched);
    let mut then = remake(store, touched, known, budget)?;
    corrected(present, at, &mut then, &mut hidden).await?;
    let mut new = then.batches().map_err(StoreError::from)?;
    let mut tables = BTreeMap::new();
    for (name, table) in &present.tables {
        let made = match time_of(name) {
            Some(column) => TableSnapshot {
                live: keep(&table.live, |batch| until(batch, column, at))?,
                only: Some(not_later(column, at)),
                ..table.clone()
            },
            // The views make these anew; the lake's copies are of now.
            None if [QUEUE_INTERVALS.name, AGENT_INTERVALS.name].contains(name) => TableSnapshot {
                lake: None,
                live: Vec::new(),
                ..table.clone()
            },
            None => without(
                table,
                hidden.remove(name).unwrap_or_default(),
                new.remove(name),
            )?,
        };
        tables.insert(*name, made);
    }
    Ok(Snapshot {
        version: present.version,
        flush: present.flush,
        now: at,
        as_of: Some(at),
        tables,
    })
}

/// The time by which the rows of a table appear, where they only ever do.
fn time_of(table: &str) -> Option<&'static str> {
    [
        (RECORDS.name, "received_at"),
        (DEAD_LETTERS.name, "received_at"),
        (CORRECTIONS.name, "corrected_at"),
    ]
    .into_iter()
    .find_map(|(name, column)| (name == table).then_some(column))
}

/// All records of the touched keys that had been received then, and of the contacts with which
/// they are one.
async fn known(
    store: &Store,
    present: &Snapshot,
    touched: &mut Touched,
    budget: &mut Budget<'_>,
) -> Result<Vec<Arc<Record>>, AsOfError> {
    let at = budget.at;
    let records = table(present, "records")?;
    let mut have: HashSet<(u64, u64)> = HashSet::new();
    let mut known: Vec<Arc<Record>> = Vec::new();
    let mut joins: Vec<Vec<PlatformId>> = Vec::new();
    let mut names = touched.names();
    while !names.is_empty() {
        let mut take = |batch: &RecordBatch| -> Result<(), AsOfError> {
            for record in records_of(batch, Some(&names)) {
                if record.received_at > at
                    || !have.insert((record.identity_hash(), record.content_hash()))
                {
                    continue;
                }
                budget.spend(1, record.bytes.len() + RECORD_BYTES)?;
                let Ok(routing) = store.interpreter.route(&record) else {
                    continue;
                };
                for key in routing.keys {
                    if let RouteKey::Contact(ids) = key {
                        joins.push(ids);
                    }
                }
                known.push(Arc::new(record));
            }
            Ok(())
        };
        for batch in &records.live {
            take(batch)?;
        }
        if let Some(lake) = &records.lake {
            let list: HashSet<&str> = names.iter().map(String::as_str).collect();
            let some = names.iter().map(String::as_str);
            let mut days = store.inner.lock().days_of(some);
            days.retain(|day| *day <= Instant(at).day().0);
            let part = Part {
                days: Some(days),
                until: Some(("received_at", at)),
                holding: Some(("natives", &list)),
                ..Part::default()
            };
            read_part::<AsOfError>(records.spec, lake, &part, &mut |batch| take(&batch)).await?;
        }
        names = grown(&mut touched.contacts, &joins);
        budget.spend(0, names.len() * NAME_BYTES)?;
    }
    Ok(known)
}

/// Adds the ids of contacts that are one with those; gives the names of the new ones.
fn grown(contacts: &mut HashSet<PlatformId>, joins: &[Vec<PlatformId>]) -> BTreeSet<String> {
    let mut new = BTreeSet::new();
    loop {
        let before = contacts.len();
        for ids in joins {
            if ids.iter().any(|id| contacts.contains(id)) {
                for id in ids {
                    if contacts.insert(id.clone()) {
                        new.insert(id.to_string());
                    }
                }
            }
        }
        if contacts.len() == before {
            return new;
        }
    }
}

/// Ids under which the touched keys may have rows now, by table.
fn hidden(touched: &Touched) -> Ids {
    let mut ids = Ids::new();
    let mut hide = |key: &Key, of: &[PlatformId]| {
        for (table, some) in tables_of(key, of) {
            ids.entry(table).or_default().extend(some);
        }
    };
    for id in &touched.contacts {
        hide(&Key::Contact(id.clone()), std::slice::from_ref(id));
    }
    for key in &touched.keys {
        hide(key, &[]);
    }
    for agent in &touched.agents {
        hide(&agent.key, &[]);
    }
    ids
}

/// The rows of the touched keys, made of what was known of them then.
fn remake(
    store: &Store,
    touched: Touched,
    known: Vec<Arc<Record>>,
    budget: &Budget<'_>,
) -> Result<KeyRows, AsOfError> {
    let mut live = Live::new(store.interpreter.clone());
    {
        let inner = store.inner.lock();
        for source in inner.live.instances() {
            // Those of the others follow from their records.
            if !touched
                .keys
                .contains(&Key::Instance(source.as_str().into()))
            {
                let times = inner.live.restarts_of(&source);
                live.put_restarts(source, times);
            }
        }
    }
    for (nth, record) in known.into_iter().enumerate() {
        if nth % 1024 == 0 {
            budget.in_time()?;
        }
        if let Ok(mut routing) = store.interpreter.route(&record) {
            routing.keys.retain(|key| touched.holds(key));
            live.apply(&Routed {
                seq: 0,
                record,
                routing,
            });
        }
    }
    for agent in touched.agents {
        live.open(agent);
    }
    let mut rows = KeyRows::default();
    let births: Vec<u64> = live.entries().map(|(birth, _)| birth).collect();
    for birth in births {
        budget.in_time()?;
        rows.extend(&live.rows(birth, budget.at));
        live.close(birth);
    }
    Ok(rows)
}

/// When a contact's row was last corrected is told by no record but by the table of corrections:
/// puts it into the rows made anew, and makes rows anew whose correction came later.
async fn corrected(
    present: &Snapshot,
    at: i64,
    then: &mut KeyRows,
    hidden: &mut Ids,
) -> Result<(), AsOfError> {
    let corrections = table(present, CORRECTIONS.name)?;
    let later = Part {
        from_day: Some(Instant(at).day().0),
        after: Some(("corrected_at", at)),
        ..Part::default()
    };
    let later = rows(corrections, &later).await?;
    let later: HashSet<String> = later
        .iter()
        .flat_map(CorrectionRow::from_batch)
        .filter(|row| row.entity == "contact")
        .map(|row| row.id)
        .collect();
    let gone = hidden.entry(CONTACTS.name).or_default();
    let only_marked: HashSet<&str> = later
        .iter()
        .filter(|id| !gone.contains(*id))
        .map(String::as_str)
        .collect();
    let contacts = table(present, CONTACTS.name)?;
    let part = Part {
        holding: Some((CONTACTS.id, &only_marked)),
        ..Part::default()
    };
    let replaced = |id: &str| {
        let hidden = contacts.hidden.as_ref();
        hidden.is_some_and(|h| h.values.contains(id))
    };
    for row in rows(contacts, &part)
        .await?
        .iter()
        .flat_map(ContactRow::from_batch)
    {
        if !replaced(&row.contact_id) {
            gone.insert(row.contact_id.clone());
            then.contacts.push(row);
        }
    }
    let ids: HashSet<&str> = then
        .contacts
        .iter()
        .map(|c| c.contact_id.as_str())
        .collect();
    let part = Part {
        until: Some(("corrected_at", at)),
        holding: Some(("id", &ids)),
        ..Part::default()
    };
    let mut last: HashMap<String, Instant> = HashMap::new();
    for row in rows(corrections, &part)
        .await?
        .iter()
        .flat_map(CorrectionRow::from_batch)
    {
        if row.entity == "contact" {
            let known = last.entry(row.id).or_insert(row.corrected_at);
            *known = row.corrected_at.max(*known);
        }
    }
    for row in &mut then.contacts {
        row.corrected_at = last.get(&row.contact_id).copied();
    }
    Ok(())
}

/// A table without the rows of these ids, with new ones.
fn without(
    table: &TableSnapshot,
    ids: HashSet<String>,
    new: Option<RecordBatch>,
) -> Result<TableSnapshot, AsOfError> {
    if ids.is_empty() {
        return Ok(table.clone());
    }
    let mut live = keep(&table.live, |batch| {
        let texts = batch
            .column_by_name(table.spec.id)
            .and_then(|c| c.as_string_opt::<i32>());
        Some(
            texts?
                .iter()
                .map(|id| Some(id.is_none_or(|id| !ids.contains(id))))
                .collect(),
        )
    })?;
    live.extend(new);
    let mut hidden = match &table.hidden {
        Some(before) => Hidden::clone(before),
        None => Hidden {
            column: table.spec.id,
            ..Hidden::default()
        },
    };
    hidden.values.extend(ids);
    Ok(TableSnapshot {
        live,
        hidden: Some(Arc::new(hidden)),
        ..table.clone()
    })
}

/// Which rows have that time, and not a later one.
fn until(batch: &RecordBatch, column: &str, at: i64) -> Option<BooleanArray> {
    let times = batch
        .column_by_name(column)?
        .as_primitive_opt::<TimestampMicrosecondType>()?;
    Some(
        times
            .iter()
            .map(|time| Some(time.is_some_and(|t| t <= at)))
            .collect(),
    )
}

/// The batches with those rows that are to be kept.
fn keep(
    batches: &[RecordBatch],
    which: impl Fn(&RecordBatch) -> Option<BooleanArray>,
) -> Result<Vec<RecordBatch>, AsOfError> {
    let one = |batch: &RecordBatch| -> Result<RecordBatch, AsOfError> {
        let kept = which(batch).ok_or_else(|| {
            ArrowError::SchemaError("live rows lack a column of their table".to_owned())
        });
        let kept = kept.and_then(|kept| filter_record_batch(batch, &kept));
        kept.map_err(|e| StoreError::from(e).into())
    };
    let all = batches.iter().map(one).collect::<Result<Vec<_>, _>>()?;
    Ok(all.into_iter().filter(|b| b.num_rows() > 0).collect())
}
