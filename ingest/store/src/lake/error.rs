//! What can go wrong in the lake.

use deltalake::arrow::error::ArrowError;

/// Why the lake refused.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// The place cannot be used as it was given.
    #[error("cannot use {place} as the lake: {reason}")]
    Place {
        /// As given.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No such table.
    #[error("the lake has no table {0}")]
    NoTable(String),
    /// A table on disk does not fit its description.
    #[error("table {table} of the lake does not fit this program: {reason}")]
    Schema {
        /// Which table.
        table: String,
        /// Which column, and how it differs.
        reason: String,
    },
    /// Rows that do not fit their table: a defect of the caller.
    #[error("rows for table {table} do not fit it: {source}")]
    Rows {
        /// Which table.
        table: String,
        /// What Arrow says.
        source: ArrowError,
    },
    /// Delta or the storage below it failed; the table is as before, or wholly changed.
    #[error("table {table}: {action} failed: {source}")]
    Delta {
        /// Which table.
        table: String,
        /// What was tried.
        action: &'static str,
        /// What Delta says.
        source: Box<deltalake::DeltaTableError>,
    },
    /// An upkeep step changed what it must not change.
    #[error("table {table}: {reason}; upkeep of this table has stopped")]
    Broken {
        /// Which table.
        table: String,
        /// What was found.
        reason: String,
    },
}
