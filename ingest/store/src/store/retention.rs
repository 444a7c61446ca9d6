//! Retention: rows of UTC days before a table's horizon are not kept. The horizon is written down
//! before anything goes and never moves back, so that live, flush, rebuild and doctor agree on which
//! rows there are, whatever the clock and the configuration say later.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::Path;
use std::sync::Arc;

use callboard_model::ids::Beside;
use callboard_model::tables::{
    AGENT_STATES, CONTACTS, Instant, OFFERS, QUEUE_TARGETS, RECORDS, SEGMENTS, TABLES,
};
use serde::{Deserialize, Serialize};

use super::{Store, StoreError, sealed};
use crate::lake::erase::Goes;
use crate::lake::retain::{key_is_in, stays_for_good};
use crate::live::keyrows::KEYED;
use crate::steps;
use crate::storage::Disk;

const FILE: &str = "retention.json";

/// So many days longer than rows their records are kept: a platform's clock may be ahead, so that a
/// row lies on a later day than the records it is made of.
const AHEAD: i32 = 1;

/// How many whole days each table is kept; for good where nothing is said.
pub type Keep = BTreeMap<&'static str, i32>;

/// The first day of which each table keeps rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Horizons(BTreeMap<String, i32>);

impl Horizons {
    /// The first day that a table keeps; the first of all where it keeps everything.
    #[must_use]
    pub fn of(&self, table: &str) -> i32 {
        self.0.get(table).copied().unwrap_or(i32::MIN)
    }

    /// Whether a table keeps rows of a day. Day 0 is that of rows whose time nobody knows.
    #[must_use]
    pub fn keeps(&self, table: &str, day: i32) -> bool {
        day == 0 || day >= self.of(table)
    }

    /// Whether anything is not kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first day of which everything is there that intervals are made of.
    #[must_use]
    pub fn of_sources(&self) -> i32 {
        let sources = [CONTACTS.name, SEGMENTS.name, OFFERS.name, AGENT_STATES.name];
        let first = sources.map(|table| self.of(table)).into_iter().max();
        // What began the day before may reach into it.
        first.unwrap_or(i32::MIN).saturating_add(1)
    }

    /// Where they are on that day.
    fn on(&self, keep: &Keep, today: i32) -> Horizons {
        let mut next = self.clone();
        let mut put = |table: &str, day: i32| {
            let held = next.0.entry(table.to_owned()).or_insert(day);
            *held = (*held).max(day);
        };
        for (table, days) in keep {
            put(table, today - days);
        }
        if let Some(records) = keep.get(RECORDS.name) {
            for spec in KEYED {
                if spec().name != QUEUE_TARGETS.name {
                    put(spec().name, today - records + AHEAD);
                }
            }
        }
        next
    }
}

/// `state/retention.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// What holds.
    horizons: Horizons,
    /// Up to where days have been removed from the lake.
    removed: Horizons,
}

fn kept(state: &Path) -> io::Result<Kept> {
    sealed::read_json(&Disk, &state.join(FILE), true)
}

fn write(state: &Path, kept: &Kept) -> io::Result<()> {
    sealed::write_json(&Disk, &state.join(FILE), kept)
}

/// The horizons that hold in a data folder.
///
/// # Errors
/// When what is known of them is damaged.
pub(crate) fn horizons(state: &Path) -> io::Result<Horizons> {
    Ok(kept(state)?.horizons)
}

/// What a round of retention did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retained {
    /// Rows that went, by table.
    pub rows: BTreeMap<&'static str, u64>,
}

impl Store {
    /// Lets go of the days that are older than the configuration keeps them. Does nothing until a
    /// new day has begun.
    ///
    /// # Errors
    /// [`StoreError`]; it is gone on with at the next call.
    pub async fn retain(&self) -> Result<Retained, StoreError> {
        let mut done = Retained::default();
        let state = self.folder.state();
        let mut kept = kept(&state)?;
        let today = Instant(self.now()).day().0;
        let next = kept.horizons.on(&self.options.keep, today);
        if kept.removed == next {
            return Ok(done);
        }
        let _flushing = self.flushing.lock().await;
        if kept.horizons != next {
            kept.horizons = next;
            write(&state, &kept)?;
        }
        steps::pass("retention.told");
        let gone = {
            let mut inner = self.inner.lock();
            let inner = &mut *inner;
            inner.live.set_horizons(Arc::new(kept.horizons.clone()));
            Arc::new(inner.settled.before(kept.horizons.of(RECORDS.name)))
        };
        for spec in TABLES {
            let (from, upto) = (kept.removed.of(spec.name), kept.horizons.of(spec.name));
            // Rows without a day go when their records do.
            let timeless = self.timeless(spec.name, &gone);
            if from == upto && timeless.is_none() {
                continue;
            }
            // What never settles is made of all its records, however old.
            let but = (spec.name == RECORDS.name).then(|| Arc::new(stays_for_good) as Goes);
            let rows = self
                .lake
                .drop_days(spec.name, from..upto, but, timeless)
                .await?;
            if rows > 0 {
                done.rows.insert(spec.name, rows);
            }
            steps::pass("retention.table");
        }
        kept.removed = kept.horizons.clone();
        write(&state, &kept)?;
        steps::pass("retention.done");
        if !done.rows.is_empty() {
            tracing::info!(rows = ?done.rows, "let go of old days");
        }
        let mut inner = self.inner.lock();
        self.look_again(&mut inner)?;
        Ok(done)
    }

    /// Which rows of day 0 go: those of keys whose records went.
    fn timeless(&self, table: &str, gone: &Arc<HashSet<u64>>) -> Option<Goes> {
        let keyed = ["recordings", "turns", "tags", "notes", "surveys"];
        let beside = Beside::ALL.map(Beside::table);
        if gone.is_empty() || !(keyed.contains(&table) || beside.contains(&table)) {
            return None;
        }
        let gone = gone.clone();
        Some(Arc::new(move |batch| key_is_in(batch, &gone)))
    }

    /// Whether records of what has these names are kept no more, so that what is left of them does
    /// not tell it.
    pub(super) fn gone(&self, names: &[String]) -> bool {
        let inner = self.inner.lock();
        let before = inner.live.horizons().of(RECORDS.name);
        names
            .iter()
            .any(|name| inner.settled.holds_before(name, before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn horizons_go_forward_and_rows_end_before_their_records() {
        let keep: Keep = [
            ("records", 400),
            ("contacts", 400),
            ("turns", 90),
            ("audio", 30),
        ]
        .into();
        let first = Horizons::default().on(&keep, 20_000);
        assert_eq!(first.of("records"), 19_600);
        assert_eq!(first.of("contacts"), 19_601);
        assert_eq!((first.of("turns"), first.of("audio")), (19_910, 19_970));
        assert_eq!(first.of("queue_targets"), i32::MIN);
        assert!(first.keeps("contacts", 19_601) && !first.keeps("contacts", 19_600));
        assert!(first.keeps("recordings", 0), "nobody knows when it was");
        // A longer configuration, or a clock that went back, brings nothing back.
        let longer: Keep = [("records", 4_000)].into();
        let later = first.on(&longer, 20_001);
        for table in ["records", "contacts", "turns"] {
            assert_eq!(later.of(table), first.of(table), "{table}");
        }
        assert_eq!(first.on(&keep, 19_000), first);
    }
}
