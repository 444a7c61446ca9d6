//! Which rows of each table go.

use std::collections::BTreeSet;
use std::sync::Arc;

use callboard_model::ids::Beside;
use callboard_model::record::Interpreter;
use callboard_model::tables::{
    AGENT_INTERVALS, AGENT_STATES, CORRECTIONS, DEAD_LETTERS, QUEUE_INTERVALS, QUEUE_TARGETS,
    RECORDS, SCHEDULES, TABLES, TableSpec, VENDOR_METRICS,
};
use deltalake::arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use deltalake::arrow::compute::or;

use super::super::late::records_of;
use super::super::settled::hash;
use crate::erase::needles::Needles;
use crate::erase::{Found, Names, Wish, decoded, record_name};
use crate::lake::erase::{Goes, named_in};

/// What tells the rows that go.
#[derive(Clone)]
pub(super) struct Picks {
    pub names: Arc<Names>,
    needles: Arc<Needles>,
    records: Arc<BTreeSet<u64>>,
    interpreter: Arc<dyn Interpreter>,
}

/// Tables that can speak of a customer.
pub(super) fn tables() -> impl Iterator<Item = &'static TableSpec> {
    let never = [
        AGENT_STATES.name,
        AGENT_INTERVALS.name,
        QUEUE_INTERVALS.name,
        QUEUE_TARGETS.name,
        VENDOR_METRICS.name,
        SCHEDULES.name,
    ];
    TABLES
        .iter()
        .copied()
        .filter(move |t| !never.contains(&t.name))
}

impl Picks {
    pub fn new(wish: &Wish, found: &Found, interpreter: Arc<dyn Interpreter>) -> Self {
        Picks {
            names: Arc::new(found.names()),
            needles: Arc::new(found.needles(wish)),
            records: Arc::new(found.records.clone()),
            interpreter,
        }
    }

    /// Rows of a table's present version.
    pub fn present(&self, table: &str) -> Goes {
        let picks = self.clone();
        if table == RECORDS.name {
            return Arc::new(move |batch| picks.records(batch));
        }
        if table == DEAD_LETTERS.name {
            return Arc::new(move |batch| picks.cells(batch));
        }
        if table == CORRECTIONS.name {
            return Arc::new(move |batch| picks.corrections(batch));
        }
        Arc::new(move |batch| named_in(batch, &picks.names))
    }

    /// Rows of older versions: also those in which any of the texts stands, whatever they were.
    pub fn past(&self, table: &str) -> Goes {
        let (picks, present) = (self.clone(), self.present(table));
        Arc::new(move |batch| {
            let named = present(batch);
            or(&named, &picks.cells(batch)).unwrap_or(named)
        })
    }

    fn records(&self, batch: &RecordBatch) -> BooleanArray {
        let all = records_of(batch, None);
        all.into_iter()
            .map(|record| {
                let routing = self.interpreter.route(&record);
                let speaks = routing.is_ok_and(|r| self.names.spoken_of(&r));
                Some(speaks || self.records.contains(&record_name(&record)))
            })
            .collect()
    }

    fn corrections(&self, batch: &RecordBatch) -> BooleanArray {
        let ids = batch
            .column_by_name("id")
            .and_then(|c| c.as_string_opt::<i32>());
        let causes = batch
            .column_by_name("causes")
            .and_then(|c| c.as_list_opt::<i32>());
        (0..batch.num_rows())
            .map(|row| {
                let of = ids.is_some_and(|ids| {
                    let id = ids.value(row);
                    let key = |kind: &str| self.names.hold(&format!("{kind}:{id}"));
                    let kinds = ["recording", "note", "survey"].into_iter();
                    let mut kinds = kinds.chain(Beside::ALL.map(Beside::as_str));
                    self.names.hold(id) || kinds.any(key)
                });
                let by = causes.is_some_and(|causes| {
                    let list = causes.value(row);
                    let mut texts = list.as_string_opt::<i32>().into_iter().flatten().flatten();
                    texts.any(|cause| self.records.contains(&hash(cause)))
                });
                Some(of || by)
            })
            .collect()
    }

    /// Rows in any cell of which one of the texts stands.
    fn cells(&self, batch: &RecordBatch) -> BooleanArray {
        (0..batch.num_rows())
            .map(|row| {
                let mut cells = batch.columns().iter().map(|c| c.slice(row, 1));
                Some(cells.any(|cell| has(cell.as_ref(), &self.needles)))
            })
            .collect()
    }
}

fn has(cell: &dyn Array, needles: &Needles) -> bool {
    // Of a list the slice knows its own part; its values are all of them.
    match cell.as_list_opt::<i32>() {
        Some(list) if !list.is_null(0) => decoded::search(list.value(0).as_ref(), needles).1 > 0,
        Some(_) => false,
        None => decoded::search(cell, needles).1 > 0,
    }
}
