//! The store as one thing: what is durable, what is live, what is in the lake, and how the
//! first becomes the last.

mod as_of;
mod asked;
mod carried;
pub mod checkpoint;
mod derived;
mod ending;
pub(crate) mod erase;
mod error;
mod flush;
mod ground;
mod health;
mod late;
mod open_keys;
mod plan;
mod rebuild;
mod recover;
pub(crate) mod remake;
pub mod retention;
mod sealed;
pub(crate) mod settled;
mod take;
mod told;
mod view;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64};

use callboard_model::record::Interpreter;
use callboard_model::tables::TABLES;
use deltalake::DeltaTable;
use deltalake::arrow::array::RecordBatch;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::datafolder::DataFolder;
use crate::lake::{Lake, LakeOptions};
use crate::live::Live;
use crate::live::seen::SeenIds;
use crate::log::{Log, LogOptions};
use crate::positions::Positions;
use crate::snapshot::Snapshot;

pub use as_of::AsOfLimits;
pub use error::StoreError;
pub use flush::Flushed;
pub use ground::{Ground, LakeGround};
pub use health::Health;
pub(crate) use late::records_of;
pub use rebuild::{MakeDerive, Rebuilt, rebuild};

/// Reads the present of this store, UTC microseconds: the clock, or a replay's clock.
pub trait Clock: Send + Sync {
    /// The present.
    fn now(&self) -> i64;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> i64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = since.map_or(0, |d| i64::try_from(d.as_micros()).unwrap_or(i64::MAX));
        now.saturating_add(crate::steps::clock_is_off())
    }
}

/// Makes tables that are queries over others; given by those who know SQL.
#[async_trait::async_trait]
pub trait Derive: Send + Sync {
    /// Rows of every derived table for these UTC days, by table name. Every derived table is
    /// named, with no rows where there are none.
    ///
    /// # Errors
    /// What went wrong, in words.
    async fn derive(
        &self,
        snapshot: Arc<Snapshot>,
        days: &[i32],
    ) -> Result<BTreeMap<&'static str, Vec<RecordBatch>>, String>;
}

/// Does what takes long; other threads of the runtime go on with what waits for this one, where it
/// has others.
fn aside<T>(long: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(long),
        _ => long(),
    }
}

/// How the store is set up.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// The data folder.
    pub data: PathBuf,
    /// Where the lake is; the data folder's own when `None`.
    pub lake: Option<String>,
    /// Sizes of the log.
    pub log: LogOptions,
    /// Sizes of the lake.
    pub lake_options: LakeOptions,
    /// A closed contact settles after it was quiet for so long, microseconds.
    pub grace: i64,
    /// Open keys may hold so many bytes; the oldest settle early beyond.
    pub live_bytes: usize,
    /// Records that are not in the lake may hold so many bytes before they are flushed at once.
    pub unflushed_bytes: usize,
    /// A restart replays at most about so many bytes of log for open keys.
    pub replay_bytes: u64,
    /// How much is looked through for the picture of an earlier moment.
    pub as_of: AsOfLimits,
    /// How long rows are kept.
    pub keep: retention::Keep,
    /// Whether somebody transcribes: recordings that wait for it settle early only after all else.
    pub transcribes: bool,
    /// Whether a folder is opened in which a rebuild was cut off: by the next one alone.
    pub unfinished: bool,
}

impl StoreOptions {
    /// The defaults on that folder.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        StoreOptions {
            data: data.into(),
            lake: None,
            log: LogOptions::default(),
            lake_options: LakeOptions::default(),
            grace: 60_000_000,
            // 50,000 open contacts weigh about 170 MiB, and three quarters are left of it under pressure.
            live_bytes: 256 << 20,
            unflushed_bytes: 48 << 20,
            replay_bytes: 64 << 20,
            as_of: AsOfLimits::default(),
            keep: retention::Keep::new(),
            transcribes: true,
            unfinished: false,
        }
    }
}

pub(crate) struct Inner {
    pub live: Live,
    pub settled: settled::Settled,
    /// Sequence of the last record folded.
    pub folded: u64,
    /// Everything up to it is in the lake's records.
    pub flushed: u64,
    /// Flush attempts so far.
    pub attempt: i64,
    /// Ids and names of records since the last plan.
    pub fresh: told::Told,
    /// Those in plans that do not count yet.
    pub planned: told::Told,
    /// Keys whose rows may have been written since the last flush that counts, with their days.
    pub begun: BTreeMap<String, Vec<i32>>,
    /// Lake tables as of the last flush.
    pub tables: HashMap<&'static str, DeltaTable>,
    pub derive_days: Vec<i32>,
    /// What happens to them while they are made anew.
    pub deriving: derived::Deriving,
    /// How far sources that number what they hold were read.
    pub positions: Positions,
    /// Set while records are taken in. A fault leaves it set: what is here is not what was told.
    pub torn: bool,
}

/// The store. Share it by `Arc`.
pub struct Store {
    /// The durable log.
    pub log: Log,
    /// The lake's tables.
    pub lake: Arc<Lake>,
    pub(crate) interpreter: Arc<dyn Interpreter>,
    pub(crate) inner: Mutex<Inner>,
    /// Taken before `inner` where both are.
    look: Mutex<view::Look>,
    /// Ids seen; taken before the log, so that the order of ids is the order of the log.
    pub seen: Mutex<SeenIds>,
    pub(crate) files: checkpoint::StateFiles,
    pub(crate) options: StoreOptions,
    clock: Arc<dyn Clock>,
    changes: watch::Sender<u64>,
    earlier: tokio::sync::Mutex<as_of::Kept>,
    flushing: tokio::sync::Mutex<checkpoint::Commit>,
    derive: Mutex<Option<Arc<dyn Derive>>>,
    pressure: tokio::sync::Notify,
    last_flush: AtomicI64,
    flushes: AtomicU64,
    failing: Mutex<Option<String>>,
    folder: DataFolder,
}

impl Store {
    /// Opens the data folder, recovers what it holds, and is ready to serve.
    ///
    /// # Errors
    /// [`StoreError`]: another server uses the folder, a newer program wrote it, the log is
    /// damaged, the lake cannot be reached.
    pub async fn open(
        options: StoreOptions,
        interpreter: Arc<dyn Interpreter>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, StoreError> {
        Self::open_on(Ground::default(), options, interpreter, clock).await
    }

    /// As [`Store::open`] on a ground of the caller's own, for tests that let it shake.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_on(
        ground: Ground,
        options: StoreOptions,
        interpreter: Arc<dyn Interpreter>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, StoreError> {
        let folder = DataFolder::open(&options.data)?;
        if !options.unfinished {
            remake::refuse(&folder.state())?;
        }
        let storage = ground.storage;
        let mut own = options.log.clone();
        own.segment_bytes = crate::steps::segment_bytes().unwrap_or(own.segment_bytes);
        let (log, recovery) = Log::open(folder.log(), own, storage.clone())?;
        if let Some((path, bytes)) = &recovery.cut {
            tracing::warn!(path = %path.display(), bytes, "cut a torn end that nobody was told of");
        }
        let place = options
            .lake
            .clone()
            .unwrap_or_else(|| folder.lake().to_string_lossy().into_owned());
        let own = options.lake_options.clone();
        let lake = match ground.lake {
            LakeGround::AsSaid => Lake::open(&place, TABLES, own).await?,
            LakeGround::Objects(objects) => Lake::open_on(objects, TABLES, own).await?,
            LakeGround::Instead(instead) => Lake::instead(instead)?,
        };
        crate::backup::tidy(&folder, &lake);
        let files = checkpoint::StateFiles::open(&folder.state(), storage.clone())?;
        // No flush has begun, so the log tells all.
        if recovery.last_seq == 0 || (recovery.first_seq <= 1 && !files.begun()?) {
            files.begin()?;
        }
        let commit = files.commit()?;
        recover::same_age(&lake, &commit, &files.intent()?, recovery.last_seq)?;
        lake.erased()
            .set(erase::ledger::read(&folder.state())?.names());
        let settled = settled::Settled::open(
            storage,
            &folder.state().join("settled"),
            &commit.settled,
            &commit.settled_sums,
        )?;
        let mut live = Live::new(interpreter.clone());
        live.set_horizons(Arc::new(retention::horizons(&folder.state())?));
        let inner = Inner {
            live,
            settled,
            folded: 0,
            flushed: 0,
            attempt: 0,
            fresh: told::Told::default(),
            planned: told::Told::default(),
            begun: BTreeMap::new(),
            tables: HashMap::new(),
            derive_days: Vec::new(),
            deriving: derived::Deriving::default(),
            positions: Positions::default(),
            torn: false,
        };
        let store = Store {
            log,
            lake: Arc::new(lake),
            interpreter,
            inner: Mutex::new(inner),
            look: Mutex::default(),
            seen: Mutex::new(SeenIds::new()),
            files,
            options,
            clock,
            changes: watch::channel(0).0,
            earlier: tokio::sync::Mutex::default(),
            flushing: tokio::sync::Mutex::new(checkpoint::Commit::default()),
            derive: Mutex::new(None),
            pressure: tokio::sync::Notify::new(),
            last_flush: AtomicI64::new(0),
            flushes: AtomicU64::new(0),
            failing: Mutex::new(None),
            folder,
        };
        store.recover().await?;
        Ok(Arc::new(store))
    }

    /// A picture of the data folder as it is now, to be copied while the store goes on.
    ///
    /// # Errors
    /// When the lake is not in a folder, or the disk refuses.
    pub async fn backup(&self) -> Result<crate::backup::Backup, StoreError> {
        let patience = std::time::Instant::now() + crate::backup::PATIENCE;
        loop {
            {
                let _flushing = self.flushing.lock().await;
                if let Some(held) = self.lake.try_hold() {
                    return crate::backup::take(&self.folder, &self.log, &self.lake, held).await;
                }
            }
            // A table is being put together, which may take long: nobody else waits for that.
            if std::time::Instant::now() > patience {
                return Err(StoreError::Io(std::io::Error::new(
                    std::io::ErrorKind::ResourceBusy,
                    "a table of the lake was being written whenever the backup looked; try again",
                )));
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    /// The number of the next write that replaces rows; kept, so that it is not used again.
    pub(crate) fn next_attempt(&self) -> Result<i64, StoreError> {
        let mut inner = self.inner.lock();
        inner.attempt += 1;
        let intent = checkpoint::Intent {
            attempt: inner.attempt,
            keys: inner.begun.clone(),
        };
        self.files.set_intent(&intent)?;
        Ok(inner.attempt)
    }

    /// Gives the maker of derived tables.
    pub fn set_derive(&self, derive: Arc<dyn Derive>) {
        *self.derive.lock() = Some(derive);
    }

    /// The present, UTC microseconds.
    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    /// Who reads records.
    pub fn interpreter(&self) -> &Arc<dyn Interpreter> {
        &self.interpreter
    }

    fn load(&self, inner: &Inner) -> f64 {
        let of = |held: usize, limit: usize| held as f64 / limit.max(1) as f64;
        let unflushed = inner.fresh.bytes + inner.planned.bytes;
        of(unflushed, self.options.unflushed_bytes)
            .max(of(inner.live.bytes, self.options.live_bytes))
    }

    /// Waits until so much is held that a flush is due before its time.
    pub async fn pressed(&self) {
        self.pressure.notified().await;
    }

    /// What is held of what may be held before a flush is due: above 1 it is due at once.
    pub fn held(&self) -> f64 {
        self.load(&self.inner.lock())
    }
}
