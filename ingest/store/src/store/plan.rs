//! What a flush writes, decided under the lock in one moment: all records, the rows of keys that
//! have settled, and what they replace.

use std::collections::BTreeMap;

use callboard_model::ids::Key;
use callboard_model::tables::{CorrectionRow, Instant};
use deltalake::arrow::array::RecordBatch;

use super::{Inner, Store, StoreError};
use crate::lake::Replace;
use crate::live::Entry;
use crate::live::keyrows::{KeyRows, tables_of};

/// One key of a plan.
pub(super) struct Planned {
    pub birth: u64,
    pub version: u64,
    pub settle: bool,
    pub days: Vec<i32>,
}

/// What a flush writes.
pub(super) struct Plan {
    pub attempt: i64,
    /// Sequence of the last record of which the plan knows.
    pub upto: u64,
    pub keys: Vec<Planned>,
    pub rows: KeyRows,
    pub replace: BTreeMap<&'static str, Replace>,
    pub corrections: Vec<CorrectionRow>,
    pub records: Option<RecordBatch>,
    pub dead: Option<RecordBatch>,
}

impl Store {
    /// What to write. From here on the rows of its keys may be in the lake, whatever becomes of
    /// the flush: the keys are marked so, and named in `begun` until a flush counts.
    pub(super) fn plan(&self, inner: &mut Inner, all: bool) -> Result<Option<Plan>, StoreError> {
        let now = self.now();
        let upto = inner.folded;
        let over = inner.live.bytes.saturating_sub(self.options.live_bytes);
        let mut freed = 0;
        let births: Vec<u64> = inner.live.entries().map(|(b, _)| b).collect();
        let mut keys = Vec::new();
        let mut names = Vec::new();
        let mut rows = KeyRows::default();
        let mut replace: BTreeMap<&'static str, Replace> = BTreeMap::new();
        let mut corrections = Vec::new();
        let attempt = inner.attempt + 1;
        for birth in births {
            let Some(entry) = inner.live.entry(birth) else {
                continue;
            };
            let sticky = entry.stays();
            let changed = entry.flushed_version != entry.version;
            // Rows are made only of what may go: most of what is open was heard a moment ago.
            if !(freed < over || self.quiet(entry, now) || (sticky || all) && changed) {
                continue;
            }
            let made = inner.live.rows(birth, now);
            let Some(entry) = inner.live.entry(birth) else {
                continue;
            };
            let mut settle = !sticky && self.settles(entry, &made, now);
            if !settle && !sticky && freed < over {
                freed += entry.weight();
                settle = true;
            }
            if !(settle || (sticky || all) && changed) {
                continue;
            }
            let mut days = entry.lake_days.clone();
            let mut tables = Vec::new();
            for (table, ids) in tables_of(&entry.key, &entry.ids) {
                let own = made.days(table);
                if entry.in_lake {
                    let r = replace.entry(table).or_default();
                    r.days.extend(own.iter().chain(&entry.lake_days));
                    r.ids.extend(ids);
                }
                if !own.is_empty() {
                    tables.push(table.to_owned());
                }
                days.extend(own);
            }
            days.sort_unstable();
            days.dedup();
            if !entry.causes.is_empty() {
                corrections.push(correction(entry, attempt, now, tables));
            }
            rows.extend(&made);
            names.extend(entry.natives().first().cloned());
            keys.push(Planned {
                birth,
                version: entry.version,
                settle,
                days,
            });
        }
        if let Some(at) = corrections.first().map(|c: &CorrectionRow| c.corrected_at) {
            let ids: Vec<&str> = corrections.iter().map(|c| c.id.as_str()).collect();
            for row in &mut rows.contacts {
                if ids.contains(&row.contact_id.as_str()) {
                    row.corrected_at = Some(at);
                }
            }
        }
        let [(_, records), (_, dead)] = inner.live.unflushed.upto(upto)?;
        if keys.is_empty() && records.is_none() && dead.is_none() {
            return Ok(None);
        }
        inner.attempt = attempt;
        for (planned, name) in keys.iter().zip(names) {
            if let Some(entry) = inner.live.entry_mut(planned.birth) {
                entry.may_be_in_lake(&planned.days);
            }
            inner.begun.insert(name, planned.days.clone());
        }
        let fresh = std::mem::take(&mut inner.fresh);
        inner.planned.absorb(fresh);
        Ok(Some(Plan {
            attempt,
            upto,
            keys,
            rows,
            replace,
            corrections,
            records,
            dead,
        }))
    }

    /// Whether nothing was heard of it for long enough to settle; some need not wait.
    fn quiet(&self, entry: &Entry, now: i64) -> bool {
        let last = entry.last_received.max(entry.last_sign);
        matches!(entry.key, Key::Note(_) | Key::Survey(_))
            || now.saturating_sub(last) >= self.options.grace
    }

    fn settles(&self, entry: &Entry, rows: &KeyRows, now: i64) -> bool {
        let quiet = self.quiet(entry, now);
        match &entry.key {
            Key::Contact(_) => match rows.contacts.first() {
                Some(row) => quiet && row.state != "open",
                None => quiet,
            },
            Key::Recording(_) => rows.recordings.first().is_none_or(|row| {
                quiet
                    && (row.transcript_state.is_some()
                        || !matches!(row.state.as_str(), "ready" | "active"))
            }),
            Key::Note(_) | Key::Survey(_) => true,
            Key::Agent(..) | Key::Target(_) | Key::Instance(_) => false,
        }
    }
}

fn correction(entry: &Entry, attempt: i64, now: i64, tables: Vec<String>) -> CorrectionRow {
    let (entity, id) = match &entry.key {
        Key::Contact(least) => ("contact", least.contact_id()),
        Key::Agent(_, agent) => ("agent", agent.to_string()),
        Key::Recording(id) => ("recording", id.to_string()),
        Key::Note(id) => ("note", id.to_string()),
        Key::Survey(id) => ("survey", id.to_string()),
        Key::Target(id) => ("target", id.to_string()),
        Key::Instance(id) => ("instance", id.to_string()),
    };
    CorrectionRow {
        correction_id: format!("{attempt}/{id}"),
        entity: entity.to_owned(),
        id,
        corrected_at: Instant(now),
        causes: entry.causes.clone(),
        tables,
        day: Instant(now).day(),
    }
}
