//! The snapshot: lake as of the last flush and live rows beside it, taken in one moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use callboard_model::tables::TABLES;
use tokio::sync::watch;

use super::{Store, as_of};
use crate::live::{Groups, TableMade};
use crate::snapshot::{AsOfError, Hidden, Snapshot, Snapshots, TableSnapshot};

/// Ages and midnights move on: a snapshot older than this is made anew, microseconds.
const STALE: i64 = 1_000_000;

/// What was seen last, and of what the next look is made.
#[derive(Default)]
pub(crate) struct Look {
    groups: Groups,
    /// Version, moment, and the picture.
    made: Option<(u64, i64, Arc<Snapshot>)>,
}

impl Store {
    /// The present picture: taken in one moment, made while live goes on.
    pub(crate) fn picture(&self) -> Arc<Snapshot> {
        let now = self.now();
        // Who looks waits for who looks, and nobody else does.
        let look = &mut *self.look.lock();
        let (version, flush, lake, changed, unflushed) = {
            let inner = &mut *self.inner.lock();
            if look.groups.is_due(now) {
                // Rows that change by the clock alone: watchers of the board are told too.
                inner.live.version += 1;
                self.changes.send_replace(inner.live.version);
            }
            let version = inner.live.version;
            if let Some((seen, at, made)) = &look.made
                && *seen == version
            {
                if (now - at).abs() < STALE {
                    return made.clone();
                }
                let mut again = Snapshot::clone(made);
                again.now = now;
                let again = Arc::new(again);
                look.made = Some((version, now, again.clone()));
                return again;
            }
            let changed = look.groups.take(&mut inner.live, now);
            let unflushed = inner.live.unflushed.batches();
            let flush = inner.attempt.max(0) as u64;
            (version, flush, inner.tables.clone(), changed, unflushed)
        };
        let mut made = match look.groups.put(changed, now) {
            Ok(made) => made,
            Err(error) => {
                tracing::error!(%error, "live rows do not fit their table: what was seen last is shown");
                // The next look tries again; without these rows figures would be wrong.
                if let Some((.., last)) = &look.made {
                    return last.clone();
                }
                Default::default()
            }
        };
        match unflushed {
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
            let lake = lake.get(spec.name).cloned();
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
        let snapshot = Arc::new(Snapshot {
            version,
            flush,
            now,
            as_of: None,
            tables,
        });
        look.made = Some((version, now, snapshot.clone()));
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
