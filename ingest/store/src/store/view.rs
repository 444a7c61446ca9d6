//! The snapshot: lake as of the last flush and live rows beside it, taken under one lock.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use callboard_model::tables::TABLES;
use tokio::sync::watch;

use super::{Inner, Store, as_of};
use crate::live::TableMade;
use crate::snapshot::{AsOfError, Hidden, Snapshot, Snapshots, TableSnapshot};

/// Ages and midnights move on: a snapshot older than this is made anew, microseconds.
const STALE: i64 = 1_000_000;

impl Store {
    /// The present picture.
    pub(crate) fn picture(&self) -> Arc<Snapshot> {
        let now = self.now();
        self.picture_of(&mut self.inner.lock(), now)
    }

    /// The present picture, under the lock.
    pub(super) fn picture_of(&self, inner: &mut Inner, now: i64) -> Arc<Snapshot> {
        if inner.live.is_due(now) {
            // Rows that change by the clock alone: watchers of the board are told too.
            inner.live.version += 1;
            self.changes.send_replace(inner.live.version);
        }
        if let Some((version, at, made)) = &inner.made
            && *version == inner.live.version
        {
            if (now - at).abs() < STALE {
                return made.clone();
            }
            let mut again = Snapshot::clone(made);
            again.now = now;
            let again = Arc::new(again);
            inner.made = Some((*version, now, again.clone()));
            return again;
        }
        let mut made = match inner.live.batches(now) {
            Ok(made) => made,
            Err(error) => {
                tracing::error!(%error, "live rows do not fit their table");
                Default::default()
            }
        };
        match inner.live.unflushed.batches() {
            Ok(tables) => {
                for (table, batches) in tables {
                    made.entry(table).or_default().live.extend(batches);
                }
            }
            Err(error) => tracing::error!(%error, "new records do not fit their table"),
        }
        let mut tables = BTreeMap::new();
        for spec in TABLES {
            let TableMade { live, mut hides } = made.remove(spec.name).unwrap_or_default();
            let hidden = (!hides.is_empty()).then(|| {
                let values = hides.remove(&None).unwrap_or_default();
                let since = hides.into_iter().filter_map(|(day, ids)| Some((day?, ids)));
                Arc::new(Hidden {
                    column: spec.id,
                    values: values.into_iter().collect(),
                    since: since
                        .map(|(day, ids)| (day, ids.into_iter().collect()))
                        .collect(),
                })
            });
            let lake = inner.tables.get(spec.name).cloned();
            tables.insert(
                spec.name,
                TableSnapshot {
                    spec,
                    lake,
                    live,
                    hidden,
                    only: None,
                },
            );
        }
        let version = inner.live.version;
        let snapshot = Arc::new(Snapshot {
            version,
            flush: inner.attempt.max(0) as u64,
            now,
            as_of: None,
            tables,
        });
        inner.made = Some((version, now, snapshot.clone()));
        snapshot
    }
}

#[async_trait]
impl Snapshots for Store {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.picture()
    }

    async fn as_of(&self, at: i64) -> Result<Arc<Snapshot>, AsOfError> {
        as_of::picture(self, at).await
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}
