//! The engine: one catalogue, one runtime of its own for SQL, and the places in it.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use callboard_store::snapshot::{AsOfError, Snapshot, Snapshots};
use chrono::DateTime;
use datafusion::catalog::CatalogProvider;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, MemoryPool, TrackConsumersPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{FunctionRegistry, SessionState, SessionStateBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;

use crate::cache::PlanCache;
use crate::catalog::{self, Bound, Catalog, DATABASE, LakeCache, SCHEMA, SnapshotRef};
use crate::error::{Class, QueryError};
use crate::identity::Identity;
use crate::limits::{Limits, Principal};
use crate::pgwire::catalogue;
use crate::session::Session;
use crate::{stays, steps, words};

/// How much the workers of SQL give way to ingest: their niceness.
const NICE: i32 = 5;
/// Stack of a worker. Planning recurses over the statement, whose depth the guard bounds.
const STACK: usize = 16 << 20;

/// Of several queries that stand still one goes, and no other for so long.
const ONE_GOES: Duration = Duration::from_millis(200);

/// After how many seconds a query that found no place may be asked again.
pub const BUSY_RETRY_S: u32 = 5;

/// One of those that wait, for as long as it lives.
struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is shared by all sessions.
pub(crate) struct Shared {
    pub(crate) snapshots: Arc<dyn Snapshots>,
    pub(crate) limits: Limits,
    pub(crate) base: SessionState,
    pub(crate) env: Arc<RuntimeEnv>,
    pub(crate) pool: Arc<dyn MemoryPool>,
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// When a query last left its place to one that waited.
    gave_way: Mutex<Option<Instant>>,
    pub(crate) lakes: Arc<LakeCache>,
    pub(crate) catalog: Catalog,
    pub(crate) cache: PlanCache,
    pub(crate) queries: AtomicU64,
    identity: RwLock<(u64, Arc<Identity>)>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The last session may end inside another runtime, where waiting is not allowed.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Answers SQL over snapshots. Cheap to clone; every clone is the same engine.
#[derive(Clone)]
pub struct Engine {
    pub(crate) shared: Arc<Shared>,
}

impl Engine {
    /// An engine over these snapshots.
    ///
    /// # Errors
    /// [`Class::Internal`] when threads cannot be started or a view does not plan.
    pub fn new(snapshots: Arc<dyn Snapshots>, limits: Limits) -> Result<Self, QueryError> {
        let internal = |what: &str, e: &dyn std::fmt::Display| {
            QueryError::new(Class::Internal, format!("{what}: {e}"))
        };
        let consumers = NonZeroUsize::new(5).unwrap_or(NonZeroUsize::MIN);
        let pool: Arc<dyn MemoryPool> = Arc::new(TrackConsumersPool::new(
            FairSpillPool::new(limits.memory),
            consumers,
        ));
        let env = RuntimeEnvBuilder::new()
            .with_memory_pool(pool.clone())
            .with_disk_manager_builder(
                DiskManagerBuilder::default().with_mode(DiskManagerMode::OsTmpDirectory),
            )
            .with_max_temp_directory_size(limits.spill)
            .build_arc()
            .map_err(|e| internal("memory and spill limits", &e))?;
        let base = base_state(&limits, env.clone());
        let catalog = catalog::build(&base).map_err(|e| internal("views", &e))?;
        let ctx = SessionContext::new_with_state(base);
        ctx.register_catalog(DATABASE, catalog.public.clone());
        let public: Arc<dyn CatalogProvider> = catalog.public.clone();
        let pending = catalogue::install(&ctx, &public).map_err(|e| internal("catalogue", &e))?;
        let base = ctx.state();
        // Heavy queries must not keep cancel requests and small ones from being served.
        let workers = limits.running * 3 + 2;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(workers)
            .max_blocking_threads(16)
            .thread_name("sql")
            .thread_stack_size(STACK)
            .on_thread_start(|| {
                if let Err(e) = rustix::process::nice(NICE) {
                    tracing::warn!("SQL runs at normal priority: {e}");
                }
            })
            .enable_all()
            .build()
            .map_err(|e| internal("threads for SQL", &e))?;
        // Filled on the new runtime from a thread of its own: the caller may stand in another.
        let filled = std::thread::scope(|s| {
            s.spawn(|| runtime.block_on(catalogue::fill(ctx, pending, &catalog)))
                .join()
        });
        match filled {
            Ok(Ok(())) => {}
            Ok(Err(e)) => return Err(internal("catalogue", &e)),
            Err(_) => return Err(internal("catalogue", &"its thread ended early")),
        }
        Ok(Engine {
            shared: Arc::new(Shared {
                snapshots,
                places: Arc::new(Semaphore::new(limits.running)),
                waiting: AtomicUsize::new(0),
                gave_way: Mutex::default(),
                limits,
                base,
                env,
                pool,
                lakes: Arc::new(LakeCache::default()),
                catalog,
                cache: PlanCache::default(),
                queries: AtomicU64::new(0),
                identity: RwLock::default(),
                runtime: Some(runtime),
            }),
        })
    }

    /// The only door to data: everything that reads passes a session.
    pub fn session(&self, principal: Principal) -> Session {
        Session::new(self.clone(), principal)
    }

    /// The limits.
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// Names and comments of the public views.
    pub fn views(&self) -> &[catalog::ViewDoc] {
        &self.shared.catalog.views
    }

    /// The documented columns of the public views.
    pub fn columns(&self) -> &[catalog::ColumnDoc] {
        &self.shared.catalog.columns
    }

    /// A number that grows whenever a query might answer differently.
    pub fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.shared.snapshots.changes()
    }

    /// The newest picture.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.snapshots.snapshot()
    }

    /// The picture as it was known at that moment, UTC microseconds.
    ///
    /// # Errors
    /// [`Class::Setting`] for a moment that has not come yet, [`Class::TooComplex`] when too much
    /// has arrived since.
    pub async fn as_of(&self, at: i64) -> Result<Arc<Snapshot>, QueryError> {
        let (tx, rx) = oneshot::channel();
        let snapshots = self.shared.snapshots.clone();
        self.spawn(async move {
            // Nobody waits any more: nothing to tell.
            let _ = tx.send(snapshots.as_of(at).await);
        })?;
        let made = rx
            .await
            .map_err(|_| QueryError::new(Class::Internal, "no picture of an earlier moment"))?;
        made.map_err(|e| {
            let class = match e {
                AsOfError::Future { .. } => Class::Setting,
                AsOfError::TooMuch { .. } => Class::TooComplex,
                AsOfError::Failed(_) => Class::Internal,
            };
            QueryError::new(class, format!("as_of: {e}"))
        })
    }

    /// Puts these identities into force: queries that begin from now on read by them.
    pub fn set_identity(&self, identity: Identity) {
        let mut now = self.shared.identity.write();
        *now = (now.0 + 1, Arc::new(identity));
    }

    /// The identities in force, with their number.
    pub fn identity(&self) -> (u64, Arc<Identity>) {
        self.shared.identity.read().clone()
    }

    /// Queries begun since the start.
    pub fn queries(&self) -> u64 {
        self.shared.queries.load(Ordering::Relaxed)
    }

    /// Queries that wait for a place at this moment.
    pub fn waiting(&self) -> usize {
        self.shared.waiting.load(Ordering::Relaxed)
    }

    /// A place among the running queries: at once where one is free, else after those who came
    /// before. A query that finds too many waiting, or waits too long, is refused.
    pub(crate) async fn place(&self) -> Result<OwnedSemaphorePermit, QueryError> {
        let shared = &self.shared;
        if let Ok(place) = shared.places.clone().try_acquire_owned() {
            return Ok(place);
        }
        let Limits {
            running,
            waiting,
            wait,
            ..
        } = shared.limits;
        let busy = |why: String| {
            QueryError::new(
                Class::Busy,
                format!(
                    "{running} queries are running, the limit, and {why}; try again in {BUSY_RETRY_S} s"
                ),
            )
        };
        let before = shared.waiting.fetch_add(1, Ordering::Relaxed);
        // Taken back however the wait ends: by a place, by time, or by a reader who went away.
        let _counted = Counted(&shared.waiting);
        if before >= waiting {
            return Err(busy(format!("{waiting} wait already")));
        }
        timeout(wait, shared.places.clone().acquire_owned())
            .await
            .map_err(|_| busy(format!("none ended within {} s", wait.as_secs())))?
            .map_err(|_| QueryError::new(Class::Stopping, "the server is stopping"))
    }

    /// Whether a query that stands still is to leave its place to one that waits; said of one query
    /// at a time, so that not all that stand still leave for one that waits.
    pub(crate) fn gives_way(&self) -> bool {
        let mut last = self.shared.gave_way.lock();
        let gives = self.waiting() > 0 && last.is_none_or(|at| at.elapsed() > ONE_GOES);
        if gives {
            *last = Some(Instant::now());
        }
        gives
    }

    /// Runs a task on the runtime of SQL.
    pub(crate) fn spawn<F>(&self, task: F) -> Result<tokio::task::JoinHandle<()>, QueryError>
    where
        F: std::future::Future<Output = ()> + Send + 'static,
    {
        match &self.shared.runtime {
            Some(runtime) => Ok(runtime.spawn(task)),
            None => Err(QueryError::new(Class::Stopping, "the server is stopping")),
        }
    }

    /// The session state that reads exactly this snapshot, in a zone other than UTC if one is given,
    /// with the names that the platforms use where `native`.
    ///
    /// # Errors
    /// When a function cannot be told the zone.
    pub(crate) fn bind(
        &self,
        snapshot: Arc<Snapshot>,
        zone: Option<&str>,
        native: bool,
    ) -> Result<SessionState, QueryError> {
        let identity = match native {
            true => Default::default(),
            false => self.identity(),
        };
        let mut state = self.shared.base.clone();
        let now = DateTime::from_timestamp_micros(snapshot.now).unwrap_or_default();
        let props = state.execution_props().clone();
        *state.execution_props_mut() = props.with_query_execution_start_time(now);
        state.config_mut().set_extension(Arc::new(Bound {
            snapshot: SnapshotRef(snapshot),
            lakes: self.shared.lakes.clone(),
            identity,
        }));
        if let Some(zone) = zone {
            state.config_mut().options_mut().execution.time_zone = Some(zone.to_owned());
            // Some functions were told their zone when they were made.
            let options = state.config_options().clone();
            let told: Vec<_> = state
                .scalar_functions()
                .values()
                .filter_map(|f| f.inner().with_updated_config(&options))
                .collect();
            for function in told {
                state.register_udf(Arc::new(function))?;
            }
            // Others are told when they run, by what stands here.
            state.execution_props_mut().config_options = Some(options);
        }
        Ok(state)
    }
}

fn base_state(limits: &Limits, env: Arc<RuntimeEnv>) -> SessionState {
    let mut config = SessionConfig::new()
        .with_default_catalog_and_schema(DATABASE, SCHEMA)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(true)
        .with_target_partitions(limits.partitions)
        .with_collect_statistics(true);
    let options = config.options_mut();
    // One type of text in live and lake; comparisons need no casts.
    options.execution.parquet.schema_force_view_types = false;
    options.sql_parser.map_string_types_to_utf8view = false;
    options.execution.parquet.pushdown_filters = false;
    // Times without a stated zone are UTC, and `now()` is an instant.
    options.execution.time_zone = Some("+00:00".to_owned());
    options.sql_parser.dialect = datafusion::common::config::Dialect::PostgreSQL;
    options.optimizer.max_passes = 2;
    SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(env)
        .with_scalar_functions(words::functions())
        .with_window_functions(vec![steps::function(), stays::function()])
        .with_default_features()
        .build()
}
