//! Of which keys more is known now than at an earlier moment, and which rows tell of later times
//! by the clock alone.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use callboard_model::closing::AGENT_AGE;
use callboard_model::ids::{Key, PlatformId};
use callboard_model::record::{RouteKey, Routing};
use callboard_model::tables::{AgentStateRow, AliasRow, Instant, TableSpec};
use deltalake::arrow::array::{Array, AsArray, RecordBatch};
use deltalake::arrow::datatypes::TimestampMicrosecondType;

use super::{Budget, NAME_BYTES};
use crate::lake::{Part, read_part};
use crate::live::Entry;
use crate::snapshot::{AsOfError, Snapshot, TableSnapshot};
use crate::store::{Store, records_of};

/// A restart ends contacts that began at most so many days before: none stays open longer without
/// a sign.
const LONGEST_OPEN: i32 = 32;

/// Keys whose rows were others then.
#[derive(Default)]
pub(super) struct Touched {
    /// Platform ids of contacts.
    pub contacts: HashSet<PlatformId>,
    /// Other keys, whose records are to be read.
    pub keys: HashSet<Key>,
    /// Agents as they were then: live holds all that is known of them.
    pub agents: Vec<Entry>,
}

impl Touched {
    /// Notes of what a record speaks; gives how many of its names are new.
    fn note(&mut self, routing: &Routing) -> usize {
        let before = self.contacts.len() + self.keys.len();
        for key in &routing.keys {
            match key {
                RouteKey::Contact(ids) => self.contacts.extend(ids.iter().cloned()),
                RouteKey::Direct(key) => {
                    self.keys.insert(key.clone());
                }
            }
        }
        self.contacts.len() + self.keys.len() - before
    }

    /// Whether this key is one of them.
    pub fn holds(&self, key: &RouteKey) -> bool {
        match key {
            RouteKey::Contact(ids) => ids.iter().any(|id| self.contacts.contains(id)),
            RouteKey::Direct(key) => self.keys.contains(key),
        }
    }

    /// Names under which their records are found.
    pub fn names(&self) -> BTreeSet<String> {
        let contacts = self.contacts.iter().map(ToString::to_string);
        contacts.chain(self.keys.iter().map(Key::text)).collect()
    }
}

/// The table of that name; every snapshot has all.
pub(super) fn table<'a>(of: &'a Snapshot, name: &str) -> Result<&'a TableSnapshot, AsOfError> {
    let missing = || AsOfError::Failed(format!("the picture has no table {name}"));
    of.tables.get(name).ok_or_else(missing)
}

/// The rows of a part of a table's lake.
pub(super) async fn rows(
    table: &TableSnapshot,
    part: &Part<'_>,
) -> Result<Vec<RecordBatch>, AsOfError> {
    let mut found = Vec::new();
    if let Some(lake) = &table.lake {
        read_part::<AsOfError>(table.spec, lake, part, &mut |batch| {
            found.push(batch);
            Ok(())
        })
        .await?;
    }
    Ok(found)
}

/// What was touched since, by records and by the clock.
pub(super) async fn touched(
    store: &Store,
    present: &Snapshot,
    budget: &mut Budget<'_>,
) -> Result<Touched, AsOfError> {
    let at = budget.at;
    let mut touched = Touched::default();
    let mut note = |batch: &RecordBatch| -> Result<(), AsOfError> {
        for record in records_of(batch, None) {
            if record.received_at <= at {
                continue;
            }
            // One that can no longer be read has no rows now either.
            let new = match store.interpreter.route(&record) {
                Ok(routing) => touched.note(&routing),
                Err(_) => 0,
            };
            budget.spend(1, new * NAME_BYTES)?;
        }
        Ok(())
    };
    let records = table(present, "records")?;
    for batch in &records.live {
        note(batch)?;
    }
    if let Some(lake) = &records.lake {
        let part = Part {
            from_day: Some(Instant(at).day().0),
            after: Some(("received_at", at)),
            ..Part::default()
        };
        read_part::<AsOfError>(records.spec, lake, &part, &mut |batch| note(&batch)).await?;
    }
    // What waits for its key to be read again is in no row yet, and may have come before.
    for routed in &store.inner.lock().live.late {
        touched.note(&routed.routing);
    }
    let restarted = touched.keys.iter().any(|k| matches!(k, Key::Instance(_)));
    if restarted {
        let ended = ended_by_restart(present, at).await?;
        budget.spend(0, ended.len() * NAME_BYTES)?;
        touched.contacts.extend(ended);
    }
    agents(store, present, at, &mut touched)?;
    Ok(touched)
}

/// Platform ids of contacts that a restart has ended.
async fn ended_by_restart(present: &Snapshot, at: i64) -> Result<Vec<PlatformId>, AsOfError> {
    let mut contacts: BTreeSet<String> = BTreeSet::new();
    let restart = HashSet::from(["restart"]);
    for name in ["contacts", "segments", "offers"] {
        let table = table(present, name)?;
        let part = Part {
            from_day: Some(Instant(at).day().0 - LONGEST_OPEN),
            holding: Some(("end_basis", &restart)),
            ..Part::default()
        };
        let lake = rows(table, &part).await?;
        for batch in lake.iter().chain(&table.live) {
            contacts.extend(ids_where(table.spec, batch, "end_basis", |basis, _| {
                basis == "restart"
            }));
        }
    }
    let ids: HashSet<&str> = contacts.iter().map(String::as_str).collect();
    let aliases = table(present, "aliases")?;
    let part = Part {
        holding: Some(("id", &ids)),
        ..Part::default()
    };
    let lake = rows(aliases, &part).await?;
    let mut found: Vec<PlatformId> = contacts
        .iter()
        .map(|id| PlatformId::new("callboard", "", id))
        .collect();
    for row in lake
        .iter()
        .chain(&aliases.live)
        .flat_map(AliasRow::from_batch)
    {
        if ids.contains(row.id.as_str())
            && let Some(platform) = row.platform.strip_prefix('/')
        {
            let (platform, instance) = platform.split_once('/').unwrap_or((platform, ""));
            found.push(PlatformId::new(platform, instance, &row.native));
        }
    }
    Ok(found)
}

/// Ids of the rows whose text in that column, with the row's number, is wanted.
fn ids_where(
    spec: &TableSpec,
    batch: &RecordBatch,
    column: &str,
    wanted: impl Fn(&str, usize) -> bool,
) -> HashSet<String> {
    let text = |name: &str| {
        batch
            .column_by_name(name)
            .and_then(|c| c.as_string_opt::<i32>())
    };
    let (Some(ids), Some(texts)) = (text(spec.id), text(column)) else {
        return HashSet::new();
    };
    (0..batch.num_rows())
        .filter(|row| texts.is_valid(*row) && wanted(texts.value(*row), *row))
        .map(|row| ids.value(row).to_owned())
        .collect()
}

/// Agents of whom more is known now, or whose rows the clock has changed: a state that lasts is
/// cut at every midnight, and becomes unknown after [`AGENT_AGE`].
fn agents(
    store: &Store,
    present: &Snapshot,
    at: i64,
    touched: &mut Touched,
) -> Result<(), AsOfError> {
    let states = table(present, "agent_states")?;
    let mut changed: HashSet<String> = HashSet::new();
    for batch in &states.live {
        let Some(ends) = batch
            .column_by_name("ended_at")
            .and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>())
        else {
            continue;
        };
        let by_clock = |basis: &str, row: usize| match basis {
            "midnight" => ends.value(row) >= at,
            "timeout" => ends.value(row) + AGENT_AGE >= at,
            _ => false,
        };
        changed.extend(ids_where(states.spec, batch, "end_basis", by_clock));
    }
    let inner = store.inner.lock();
    for (_, entry) in inner.live.entries() {
        let Key::Agent(source, agent) = &entry.key else {
            continue;
        };
        let restarted = touched.keys.contains(&Key::Instance(source.clone()));
        let heard = touched.keys.contains(&entry.key) || entry.last_received > at;
        if !heard && !restarted && !changed.contains(&AgentStateRow::key_of(source, agent)) {
            continue;
        }
        if entry.alone.is_empty() && entry.since.is_none() {
            let mut then = Entry::new(entry.key.clone(), 0);
            for record in entry.set.iter().filter(|r| r.received_at <= at) {
                then.take(&Arc::clone(record), None, None);
            }
            touched.keys.remove(&entry.key);
            touched.agents.push(then);
        } else if !heard && entry.since.is_none() {
            touched.agents.push(Entry::clone(entry));
        } else {
            // Merged already, or forgotten in part: what was merged later cannot be taken out again.
            touched.keys.insert(entry.key.clone());
        }
    }
    Ok(())
}
