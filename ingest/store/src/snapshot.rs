//! One consistent picture of live rows and lake: what a query sees, and nothing beside it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use callboard_model::tables::TableSpec;
use deltalake::DeltaTable;
use deltalake::arrow::array::RecordBatch;

/// Lake rows that live rows replace: those whose `column` holds one of `values`, and of each day of
/// `since` those from that day on whose `column` holds one of its ids.
#[derive(Debug, Clone, Default)]
pub struct Hidden {
    /// The table's id column.
    pub column: &'static str,
    /// Ids whose lake rows are replaced.
    pub values: HashSet<String>,
    /// Days since 1970, with ids whose lake rows of days before stay.
    pub since: BTreeMap<i32, HashSet<String>>,
}

impl Hidden {
    /// Whether a row is hidden.
    pub fn hides(&self, id: &str, day: i32) -> bool {
        let mut since = self.since.range(..=day);
        self.values.contains(id) || since.any(|(_, ids)| ids.contains(id))
    }

    /// Whether nothing is hidden.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.since.is_empty()
    }
}

/// One table of a snapshot: its rows are `lake` without `hidden`, and all of `live`.
#[derive(Clone)]
pub struct TableSnapshot {
    /// The table's description.
    pub spec: &'static TableSpec,
    /// The lake's part at a fixed version; `None` while the table has no version.
    pub lake: Option<DeltaTable>,
    /// Rows that are not in the lake yet, in the table's schema.
    pub live: Vec<RecordBatch>,
    /// Lake rows that `live` replaces.
    pub hidden: Option<Arc<Hidden>>,
}

/// One atomic pair: the lake as of a flush, and the live rows that are not in that flush.
#[derive(Clone)]
pub struct Snapshot {
    /// Grows whenever anything a query could see has changed.
    pub version: u64,
    /// The last flush that the lake's part holds.
    pub flush: u64,
    /// The present of this snapshot, UTC microseconds: the clock, the replay's clock in a demo,
    /// or the source's watermark. Waiting-now and ages read it and nothing else.
    pub now: i64,
    /// The tables by name.
    pub tables: BTreeMap<&'static str, TableSnapshot>,
}

/// Gives snapshots; implemented by the store, read by query.
pub trait Snapshots: Send + Sync {
    /// The newest picture. Cheap when nothing changed since the last call.
    fn snapshot(&self) -> Arc<Snapshot>;
    /// A number that grows with every change; a change announces that a new snapshot would differ.
    fn changes(&self) -> tokio::sync::watch::Receiver<u64>;
}
