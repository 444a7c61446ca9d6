//! What belongs to a customer: his contacts with all their ids, what lies beside them, the records
//! that speak of them, and who else those records made rows of.

use std::collections::BTreeSet;

use callboard_model::ids::Key;
use callboard_model::record::{Record, RouteKey, Routing};
use callboard_model::tables::{
    AUDIO, CORRECTIONS, DEAD_LETTERS, Instant, RECORDINGS, RECORDS, RecordingRow,
};
use deltalake::arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use deltalake::arrow::compute::filter_record_batch;
use deltalake::arrow::datatypes::{Date32Type, TimestampMicrosecondType};
use parking_lot::Mutex;

use super::super::late::records_of;
use super::super::{Store, StoreError};
use super::picks::{Picks, tables};
use crate::erase::needles::Needles;
use crate::erase::{Found, Names, Wish, forms, record_name, values};

/// What is looked for.
struct Look<'a> {
    contacts: BTreeSet<&'a str>,
    customers: BTreeSet<&'a str>,
    needles: Needles,
    /// What is known so far.
    names: Names,
}

impl Store {
    /// Adds to what is found all that the lake's records tell, until they tell no more.
    pub(super) async fn find(&self, wish: &Wish, found: &mut Found) -> Result<(), StoreError> {
        found.given = wish.contacts.iter().cloned().collect();
        let touched = loop {
            let before = found.size();
            let look = Look {
                contacts: wish.contacts.iter().map(String::as_str).collect(),
                customers: wish.customers.iter().map(String::as_str).collect(),
                needles: Needles::of(wish.customers.iter().cloned()),
                names: found.names(),
            };
            let state = Mutex::new((std::mem::take(found), BTreeSet::new()));
            let tell = |batch: &RecordBatch| {
                for record in records_of(batch, None) {
                    if let Ok(routing) = self.interpreter.route(&record) {
                        let (found, touched) = &mut *state.lock();
                        look.at(&record, &routing, found, touched);
                    }
                }
            };
            let looked = self.lake.each(RECORDS.name, &tell).await;
            let touched;
            (*found, touched) = state.into_inner();
            looked?;
            if found.size() == before {
                break touched;
            }
        };
        let names = found.names();
        found.touched.extend(touched);
        found.touched.retain(|key| !names.hold_key(&route_key(key)));
        Ok(())
    }

    /// Counts the rows that go.
    pub(super) async fn count(&self, picks: &Picks, found: &mut Found) -> Result<(), StoreError> {
        let beside = [
            RECORDS.name,
            CORRECTIONS.name,
            DEAD_LETTERS.name,
            AUDIO.name,
        ];
        for spec in tables() {
            let goes = picks.present(spec.name);
            let sum = Mutex::new((0_u64, BTreeSet::new(), 0_i64));
            let tell = |batch: &RecordBatch| {
                let gone = goes(batch);
                let mut sum = sum.lock();
                sum.0 += gone.true_count() as u64;
                if gone.true_count() == 0 || beside.contains(&spec.name) {
                    return;
                }
                sum.1.extend(days_of(batch, &gone));
                if spec.name == RECORDINGS.name
                    && let Ok(batch) = filter_record_batch(batch, &gone)
                {
                    let rows = RecordingRow::from_batch(&batch);
                    sum.2 += rows.iter().filter_map(|r| r.duration_ms).sum::<i64>();
                }
            };
            self.lake.each(spec.name, &tell).await?;
            let (rows, days, audio_ms) = sum.into_inner();
            if rows > 0 {
                found.rows.insert(spec.name.to_owned(), rows);
            }
            found.days.extend(days);
            found.audio_ms += audio_ms;
        }
        Ok(())
    }
}

/// Days on which such rows begin and end, and on which they are kept.
fn days_of(batch: &RecordBatch, gone: &BooleanArray) -> BTreeSet<i32> {
    let mut all = BTreeSet::new();
    let rows: Vec<usize> = (0..gone.len()).filter(|row| gone.value(*row)).collect();
    for column in ["started_at", "ended_at"] {
        let times = batch
            .column_by_name(column)
            .and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>());
        if let Some(times) = times {
            let known = rows.iter().filter(|row| !times.is_null(**row));
            all.extend(known.map(|row| Instant(times.value(*row)).day().0));
        }
    }
    let days = batch
        .column_by_name("day")
        .and_then(|c| c.as_primitive_opt::<Date32Type>());
    all.extend(
        days.iter()
            .flat_map(|d| rows.iter().map(|row| d.value(*row))),
    );
    all
}

/// Whether what it names can be a customer's own, and goes with him.
fn is_of_customers(key: &Key) -> bool {
    match key {
        Key::Recording(_) | Key::Note(_) | Key::Survey(_) => true,
        Key::Beside(what, _) => what.is_of_customers(),
        _ => false,
    }
}

/// A key as records name it.
pub(super) fn route_key(key: &Key) -> RouteKey {
    match key {
        Key::Contact(id) => RouteKey::Contact(vec![id.clone()]),
        key => RouteKey::Direct(key.clone()),
    }
}

impl Look<'_> {
    fn at(
        &self,
        record: &Record,
        routing: &Routing,
        found: &mut Found,
        touched: &mut BTreeSet<Key>,
    ) {
        let of_him = self.holds(record);
        let spoken_of = self.names.spoken_of(routing);
        let mut goes = spoken_of;
        for key in &routing.keys {
            match key {
                RouteKey::Contact(ids) => {
                    let known = ids.iter().any(|id| {
                        found.contacts.contains(&*id.0)
                            || forms(id).iter().any(|f| self.contacts.contains(f.as_str()))
                    });
                    if of_him || known {
                        found.contacts.extend(ids.iter().map(|id| id.to_string()));
                        goes = true;
                    } else {
                        touched.extend(ids.iter().filter(|_| spoken_of).cloned().map(Key::Contact));
                    }
                }
                RouteKey::Direct(key) if is_of_customers(key) => {
                    if of_him || spoken_of {
                        found.beside.insert(key.text());
                        goes = true;
                    }
                }
                RouteKey::Direct(key) => {
                    if spoken_of {
                        touched.insert(key.clone());
                    }
                }
            }
        }
        if goes {
            found.records.insert(record_name(record));
        }
    }

    /// Whether an address or a name of the customer is a value in the record's bytes.
    fn holds(&self, record: &Record) -> bool {
        if self.customers.is_empty() {
            return false;
        }
        // Only what JSON has escaped can be there without being seen.
        let seen = record.bytes.contains(&b'\\') || self.needles.any(&record.bytes);
        seen && values::hold(&record.bytes, &self.customers)
    }
}
