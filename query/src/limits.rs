//! What one query and all queries together may use, and who asks.

use std::time::Duration;

/// Bounds on queries. Every one of them truly stops a query that passes it.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Longest run of one query, planning included; waiting for a place does not count.
    pub time: Duration,
    /// Longest wait for a free place among the running ones. Who came first is served first.
    pub wait: Duration,
    /// Queries that may wait for a place at once; more are refused at once.
    pub waiting: usize,
    /// Most rows of one answer; one more stops the query with an error, so that nobody takes a
    /// part for the whole.
    pub rows: usize,
    /// Memory that all running queries may hold together, in bytes (joins, sorts, groups; not
    /// counted are wire buffers).
    pub memory: usize,
    /// Disk that sorts and groups may spill to, in bytes.
    pub spill: u64,
    /// Queries that may run at once.
    pub running: usize,
    /// Product of both sides' estimated rows up to which a join without an equality may run.
    pub loop_rows: u64,
    /// Longest SQL text in bytes.
    pub text: usize,
    /// Partitions in which one query works.
    pub partitions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            time: Duration::from_secs(30),
            wait: Duration::from_secs(20),
            waiting: 64,
            rows: 1_000_000,
            memory: 256 << 20,
            spill: 2 << 30,
            running: 4,
            loop_rows: 50_000_000,
            text: 256 << 10,
            partitions: 1,
        }
    }
}

/// Who asks. Rows and columns that a principal may see follow from it; today everyone who got
/// through a door may read every public view.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal {
    /// User name, as the door verified it; `local` where no users are configured.
    pub user: String,
}

impl Principal {
    /// The one who sits at this machine, where no users are configured.
    pub fn local() -> Self {
        Principal {
            user: "local".to_owned(),
        }
    }

    /// A user whom a door has verified.
    pub fn user(name: impl Into<String>) -> Self {
        Principal { user: name.into() }
    }
}
