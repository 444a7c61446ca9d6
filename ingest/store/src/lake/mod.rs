//! The lake: Delta tables at a local folder or any object store.
//!
//! One process writes, one commit per table and flush, each with a transaction mark (application,
//! flush number) so that a repeated flush writes nothing twice. On local disk everything is on
//! stable storage when a call returns (`localstore`). Tables stay at reader version 1, writer
//! version 2, so that any Delta reader can read them.

mod aside;
pub(crate) mod erase;
mod error;
mod forget;
mod instead;
mod localstore;
mod look;
mod named;
mod parquet;
mod remote;
pub(crate) mod retain;
pub(crate) mod rows;
mod scan;
mod sums;
mod table;
mod upkeep;

#[cfg(test)]
mod erase_tests;
#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod upkeep_tests;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use callboard_model::tables::TableSpec;
use deltalake::DeltaTable;
use deltalake::arrow::array::RecordBatch;
use object_store::ObjectStore;
use url::Url;

pub use aside::Damaged;
pub(crate) use aside::{ASIDE, is_copy, is_made};
pub use error::LakeError;
pub use instead::Instead;
pub use look::{Fault, FilesLook, Looking, TableLook};
pub(crate) use rows::on_days;
pub use scan::read_by_own_store;
pub(crate) use scan::{Part, not_later, read_part};
use table::LakeTable;
pub use upkeep::Upkeep;

/// Sizes and periods of the lake.
#[derive(Debug, Clone)]
pub struct LakeOptions {
    /// Name under which flush numbers are kept in the tables.
    pub application: String,
    /// Options of the object store (credentials, region); unused for local folders.
    pub storage_options: HashMap<String, String>,
    /// A checkpoint of a table's log is written each so many commits.
    pub checkpoint_interval: u32,
    /// The writer's handle is opened anew after so many commits: it grows slower with each.
    pub reopen_after: u32,
    /// A day's files are put together when more than this many are small.
    pub small_files: usize,
    /// Size files are put together to, bytes.
    pub target_bytes: u64,
    /// Replaced files are kept so long; at least 168 h for a lake that others read.
    pub retention: Duration,
    /// Upkeep cuts the log and looks for files to remove at most this often: it lists the whole table.
    pub vacuum_every: Duration,
}

impl Default for LakeOptions {
    fn default() -> Self {
        Self {
            application: "callboard".into(),
            storage_options: HashMap::new(),
            checkpoint_interval: 50,
            reopen_after: 50,
            small_files: 20,
            target_bytes: 128 << 20,
            retention: Duration::from_secs(168 * 3600),
            vacuum_every: Duration::from_secs(3600),
        }
    }
}

/// Rows to replace: those of these days whose id column holds one of these ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replace {
    /// Days since 1970 that may hold old rows; days of the new rows are added.
    pub days: Vec<i32>,
    /// Values of the table's id column; ids of the new rows are added.
    pub ids: Vec<String>,
    /// Of these ids only rows from that day on are replaced.
    pub since: BTreeMap<String, i32>,
    /// Replace these days as a whole, whatever ids their rows have.
    pub whole_days: bool,
}

/// One table's part of a flush.
#[derive(Debug, Clone, Default)]
pub struct WritePlan {
    /// New rows, in the table's schema (views and dictionaries are cast).
    pub rows: Vec<RecordBatch>,
    /// What they replace; `None` only adds.
    pub replace: Option<Replace>,
}

/// How one table fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableHealth {
    /// Table name.
    pub table: &'static str,
    /// Delta version.
    pub version: u64,
    /// Files of that version.
    pub files: usize,
    /// Their size, bytes.
    pub bytes: u64,
    /// Rows, where every file says how many it has.
    pub rows: Option<u64>,
    /// Last flush in the table; -1 when none was.
    pub applied: i64,
    /// Time of this process's last commit, UTC microseconds.
    pub last_commit: Option<i64>,
    /// The last failure, unless a commit came after it.
    pub last_error: Option<String>,
}

/// All tables of a lake, opened for writing. Cheap to share by `Arc`.
pub struct Lake {
    tables: BTreeMap<&'static str, Arc<LakeTable>>,
    instead: Option<Arc<dyn Instead>>,
    url: Url,
    erased: crate::erase::Erased,
}

impl std::fmt::Debug for Lake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lake")
            .field("url", &self.url.as_str())
            .finish_non_exhaustive()
    }
}

impl Lake {
    /// Opens the lake at a folder or URL, making what is missing. Nobody else may write to it.
    ///
    /// # Errors
    /// [`LakeError::Place`] for an unusable place, [`LakeError::Schema`] when a table there is of
    /// another shape, [`LakeError::Delta`] when the storage refuses.
    pub async fn open(
        place: &str,
        specs: &[&'static TableSpec],
        options: LakeOptions,
    ) -> Result<Self, LakeError> {
        let (url, folder) = locate(place)?;
        let store: Option<Arc<dyn ObjectStore>> = match folder {
            Some(folder) => {
                let files = localstore::SyncedFiles::new(&folder);
                let prepared = tokio::task::spawn_blocking(move || {
                    crate::datafolder::create_dir_synced(&folder)?;
                    crate::datafolder::sync_dir(&folder)?;
                    crate::datafolder::sync_above(&folder);
                    localstore::remove_staged(&folder)
                });
                match prepared.await {
                    Ok(Ok(0)) => {}
                    Ok(Ok(removed)) => {
                        tracing::info!(removed, "removed files of writes that were cut off");
                    }
                    Ok(Err(error)) => return Err(bad_place(place, error.to_string())),
                    Err(error) => return Err(bad_place(place, error.to_string())),
                }
                Some(Arc::new(files))
            }
            None => Some(remote::store(place, &url, &options.storage_options)?),
        };
        Self::open_at(url, store, specs, options).await
    }

    /// As [`Lake::open`] in a store of the caller's own, for tests that let it fail.
    pub(crate) async fn open_on(
        objects: Arc<dyn ObjectStore>,
        specs: &[&'static TableSpec],
        options: LakeOptions,
    ) -> Result<Self, LakeError> {
        const PLACE: &str = "memory:///lake";
        let url = Url::parse(PLACE).map_err(|e| bad_place(PLACE, e.to_string()))?;
        Self::open_at(url, Some(objects), specs, options).await
    }

    /// As [`Lake::open`] on a given store rooted at `/`.
    async fn open_at(
        url: Url,
        store: Option<Arc<dyn ObjectStore>>,
        specs: &[&'static TableSpec],
        options: LakeOptions,
    ) -> Result<Self, LakeError> {
        let options = Arc::new(options);
        let opening = specs.iter().map(|spec| {
            let (store, options) = (store.clone(), Arc::clone(&options));
            let location = table_url(&url, spec.name);
            async move { LakeTable::open(spec, location?, store, options).await }
        });
        // All of them, also when one cannot be opened: a table that is left half way panics in a
        // thread of its reader when the program ends, and hides what was wrong.
        let opened = futures::future::join_all(opening).await;
        let tables = opened.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            tables: tables
                .into_iter()
                .map(|table| (table.spec.name, Arc::new(table)))
                .collect(),
            instead: None,
            url,
            erased: crate::erase::Erased::default(),
        })
    }

    /// A lake of the caller's own making.
    pub(crate) fn instead(instead: Arc<dyn Instead>) -> Result<Self, LakeError> {
        const PLACE: &str = "memory:///";
        Ok(Self {
            tables: BTreeMap::new(),
            instead: Some(instead),
            url: Url::parse(PLACE).map_err(|e| bad_place(PLACE, e.to_string()))?,
            erased: crate::erase::Erased::default(),
        })
    }

    /// Where the lake is.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    fn table(&self, name: &str) -> Result<&Arc<LakeTable>, LakeError> {
        self.tables
            .get(name)
            .ok_or_else(|| LakeError::NoTable(name.to_owned()))
    }

    /// Last flush written to the table; -1 when none was. Kept in memory.
    ///
    /// # Errors
    /// [`LakeError::NoTable`].
    pub fn applied(&self, table: &str) -> Result<i64, LakeError> {
        match &self.instead {
            Some(instead) => Ok(instead.applied(table)),
            None => Ok(self.table(table)?.applied()),
        }
    }

    /// As [`Lake::applied`]; where a write left doubt, the table is opened anew to find out.
    ///
    /// # Errors
    /// [`LakeError`]: it is still not known.
    pub async fn certain(&self, table: &str) -> Result<i64, LakeError> {
        match &self.instead {
            Some(instead) => instead.certain(table).await,
            None => self.table(table)?.certain().await,
        }
    }

    /// Writes one table's part of flush `flush_no` as one commit, on stable storage when it
    /// returns. False when the table has this flush or a later one already, or when there is
    /// nothing to write. Different tables may be written at the same time.
    ///
    /// # Errors
    /// [`LakeError`]; the table then has all of it or nothing, and the same call may be repeated.
    pub async fn write(
        &self,
        table: &str,
        flush_no: i64,
        plan: WritePlan,
    ) -> Result<bool, LakeError> {
        self.write_marked(table, flush_no, plan, Vec::new()).await
    }

    /// As [`Lake::write`], with more transaction marks in the same commit, application and version.
    ///
    /// # Errors
    /// As [`Lake::write`].
    pub(crate) async fn write_marked(
        &self,
        table: &str,
        flush_no: i64,
        plan: WritePlan,
        marks: Vec<(String, i64)>,
    ) -> Result<bool, LakeError> {
        if let Some(instead) = &self.instead {
            return instead.write(table, flush_no, plan).await;
        }
        let table = Arc::clone(self.table(table)?);
        // On a task of its own: a caller that goes away must not leave a commit half known.
        match tokio::spawn(async move { table.write(flush_no, plan, &marks).await }).await {
            Ok(result) => result,
            Err(error) => Err(LakeError::Broken {
                table: self.url.to_string(),
                reason: error.to_string(),
            }),
        }
    }

    /// Adds rows that belong to no flush (audio), numbered by the table's own count.
    pub(crate) async fn add(&self, table: &str, plan: WritePlan) -> Result<bool, LakeError> {
        let table = Arc::clone(self.table(table)?);
        let erased = self.erased.clone();
        match tokio::spawn(async move { table.add(plan, &erased).await }).await {
            Ok(result) => result,
            Err(error) => Err(LakeError::Broken {
                table: self.url.to_string(),
                reason: error.to_string(),
            }),
        }
    }

    /// The tables as of their last commits here, for reading. Cheap.
    #[must_use]
    pub fn snapshots(&self) -> HashMap<&'static str, DeltaTable> {
        let tables = self.tables.iter();
        tables.map(|(name, t)| (*name, t.published())).collect()
    }

    /// Looks after one table: puts small files together, writes a checkpoint, removes files that
    /// no kept version needs. Writes to the table wait meanwhile.
    ///
    /// # Errors
    /// [`LakeError`]; what was done before stays done.
    pub async fn maintain(&self, table: &str) -> Result<Upkeep, LakeError> {
        if self.instead.is_some() {
            return Ok(Upkeep::default());
        }
        let table = Arc::clone(self.table(table)?);
        match tokio::spawn(async move { table.maintain().await }).await {
            Ok(result) => result,
            Err(error) => Err(LakeError::Broken {
                table: self.url.to_string(),
                reason: error.to_string(),
            }),
        }
    }

    /// Keeps every table from being written for as long as what is given is held; None while one of
    /// them is being written.
    pub(crate) fn try_hold(&self) -> Option<Held<'_>> {
        let tables = self.tables.values();
        let held: Option<Vec<_>> = tables.map(|t| t.writer.try_lock().ok()).collect();
        held.map(Held)
    }

    /// How all tables fare, by name.
    #[must_use]
    pub fn health(&self) -> Vec<TableHealth> {
        self.tables.values().map(|table| table.health()).collect()
    }
}

/// Tables that nobody writes to.
pub(crate) struct Held<'a>(
    #[expect(dead_code, reason = "held")] Vec<tokio::sync::MutexGuard<'a, table::Writer>>,
);

fn bad_place(place: &str, reason: impl Into<String>) -> LakeError {
    LakeError::Place {
        place: place.to_owned(),
        reason: reason.into(),
    }
}

/// The URL of a place, and the folder when it is local.
fn locate(place: &str) -> Result<(Url, Option<PathBuf>), LakeError> {
    let folder = if place.contains("://") {
        let url = Url::parse(place).map_err(|e| bad_place(place, e.to_string()))?;
        if url.scheme() != "file" {
            return Ok((url, None));
        }
        url.to_file_path()
            .map_err(|()| bad_place(place, "not the URL of a local folder"))?
    } else {
        std::path::absolute(place).map_err(|e| bad_place(place, e.to_string()))?
    };
    let url = Url::from_directory_path(&folder)
        .map_err(|()| bad_place(place, "not an absolute folder"))?;
    Ok((url, Some(folder)))
}

fn table_url(lake: &Url, table: &str) -> Result<Url, LakeError> {
    let mut url = lake.clone();
    let path = format!("{}/{table}", lake.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok(url)
}
