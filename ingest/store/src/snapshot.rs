//! One consistent picture of live rows and lake: what a query sees, and nothing beside it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use callboard_model::tables::TableSpec;
use callboard_model::time::format_rfc3339;
use deltalake::DeltaTable;
use deltalake::arrow::array::RecordBatch;
use deltalake::datafusion::logical_expr::Expr;

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
    /// Of the lake's rows only those are seen for which this holds.
    pub only: Option<Expr>,
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
    /// Where this is the picture of an earlier moment: that moment, which is `now` too.
    pub as_of: Option<i64>,
    /// The tables by name.
    pub tables: BTreeMap<&'static str, TableSnapshot>,
}

/// Why there is no picture of an earlier moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AsOfError {
    /// It has not come yet.
    #[error("{} has not come yet: the data's present is {}", said(.at), said(.now))]
    Future {
        /// What was asked for, UTC microseconds.
        at: i64,
        /// The present, UTC microseconds.
        now: i64,
    },
    /// More has arrived since than is looked through.
    #[error(
        "the picture of {} needs more than {what}, which is the limit; ask for a later moment, or raise [as_of] {setting}",
        said(.at)
    )]
    TooMuch {
        /// What was asked for, UTC microseconds.
        at: i64,
        /// Of what there was too much, with its limit.
        what: String,
        /// The setting that limits it.
        setting: &'static str,
    },
    /// It could not be made; the text says why.
    #[error("the picture of an earlier moment cannot be made: {0}")]
    Failed(String),
}

fn said(at: &i64) -> String {
    format_rfc3339(*at)
}

/// Gives snapshots; implemented by the store, read by query.
#[async_trait]
pub trait Snapshots: Send + Sync {
    /// The newest picture. Cheap when nothing changed since the last call.
    fn snapshot(&self) -> Arc<Snapshot>;
    /// The picture of an earlier moment (UTC microseconds): made of the records that had been
    /// received until then, with that moment as its present. The same moment asked for again soon
    /// is answered from memory.
    ///
    /// # Errors
    /// [`AsOfError`].
    async fn as_of(&self, at: i64) -> Result<Arc<Snapshot>, AsOfError>;
    /// A number that grows with every change; a change announces that a new snapshot would differ.
    fn changes(&self) -> tokio::sync::watch::Receiver<u64>;
}
