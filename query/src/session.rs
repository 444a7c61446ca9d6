//! One principal's way to data. A query is checked, planned, bound to one snapshot, weighed and
//! run on the runtime of SQL; whoever waits for it only receives rows.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use callboard_store::snapshot::Snapshot;
use datafusion::common::{ParamValues, ScalarValue};
use datafusion::logical_expr::LogicalPlan;
use futures::stream::BoxStream;
use tokio::sync::{mpsc, oneshot};

use crate::cache::Kept;
use crate::engine::Engine;
use crate::error::{Class, QueryError};
use crate::limits::Principal;
use crate::plan;
use crate::run;

/// For how long an answer is the same while nothing has changed but the clock, microseconds: ages
/// are shown in whole seconds.
const FRESH: i64 = 500_000;
/// So long a query may take whose rows are written into the lake.
const FOR_THE_LAKE: Duration = Duration::from_secs(24 * 3_600);
/// Batches that wait for a slow reader.
const AHEAD: usize = 4;

/// A value for `$1`, `$2` ... of a query.
#[derive(Debug, Clone, PartialEq)]
pub enum Param {
    /// Not known.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A text; it becomes a time, day or number where the query compares it with one.
    Text(String),
    /// A time in UTC microseconds.
    Time(i64),
}

impl From<Param> for ScalarValue {
    fn from(param: Param) -> Self {
        match param {
            Param::Null => ScalarValue::Null,
            Param::Bool(v) => ScalarValue::Boolean(Some(v)),
            Param::Int(v) => ScalarValue::Int64(Some(v)),
            Param::Float(v) => ScalarValue::Float64(Some(v)),
            Param::Text(v) => ScalarValue::Utf8(Some(v)),
            Param::Time(v) => ScalarValue::TimestampMicrosecond(Some(v), Some("UTC".into())),
        }
    }
}

/// A running query: its columns at once, its rows as they come. Dropping it stops it.
#[derive(Debug)]
pub struct QueryResult {
    /// Columns.
    pub schema: SchemaRef,
    /// Version of the snapshot that it reads.
    pub version: u64,
    /// The present of that snapshot, UTC microseconds.
    pub now: i64,
    rows: mpsc::Receiver<Result<RecordBatch, QueryError>>,
}

impl QueryResult {
    /// The next rows; `None` at the end. After an error nothing more comes.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, QueryError>> {
        self.rows.recv().await
    }

    /// The rows as a stream.
    pub fn into_stream(self) -> BoxStream<'static, Result<RecordBatch, QueryError>> {
        Box::pin(futures::stream::unfold(self, |mut r| async move {
            r.next().await.map(|item| (item, r))
        }))
    }

    /// All rows.
    ///
    /// # Errors
    /// What stopped the query.
    pub async fn collect(mut self) -> Result<Answer, QueryError> {
        let mut batches = Vec::new();
        while let Some(batch) = self.next().await {
            batches.push(batch?);
        }
        Ok(Answer {
            schema: self.schema,
            batches,
            version: self.version,
            now: self.now,
        })
    }
}

/// A finished query.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Columns.
    pub schema: SchemaRef,
    /// Rows.
    pub batches: Vec<RecordBatch>,
    /// Version of the snapshot that was read.
    pub version: u64,
    /// The present of that snapshot, UTC microseconds.
    pub now: i64,
}

impl Answer {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

/// What is known of a running query before its first row.
pub(crate) struct Head {
    pub(crate) schema: SchemaRef,
    pub(crate) version: u64,
    pub(crate) now: i64,
}

/// What is to be run.
pub(crate) enum Work {
    /// A text with its parameters.
    Sql(String, Vec<Param>),
    /// A checked plan, its parameters replaced.
    Plan(Arc<LogicalPlan>),
}

/// A query on its way into the runtime of SQL.
pub(crate) struct Job {
    pub(crate) engine: Engine,
    pub(crate) work: Work,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) zone: Option<Arc<str>>,
    pub(crate) native: bool,
    pub(crate) time: Duration,
    pub(crate) head: oneshot::Sender<Result<Head, QueryError>>,
    pub(crate) rows: mpsc::Sender<Result<RecordBatch, QueryError>>,
}

/// One principal's way to data.
#[derive(Clone)]
pub struct Session {
    engine: Engine,
    principal: Principal,
    /// Zone in which texts and days are times; `None` = UTC.
    zone: Option<Arc<str>>,
    /// The moment whose picture it reads, UTC microseconds; `None` = the newest.
    as_of: Option<i64>,
    /// Whether names are the platforms' own.
    native: bool,
}

impl Session {
    pub(crate) fn new(engine: Engine, principal: Principal) -> Self {
        Session {
            engine,
            principal,
            zone: None,
            as_of: None,
            native: false,
        }
    }

    /// The same session with names as the platforms tell them, for what is written into the lake: all
    /// rows, however many, and nobody waits for them.
    pub(crate) fn native(mut self) -> Self {
        self.native = true;
        self
    }

    /// The same session in a zone, where texts without a zone and days are that zone's.
    pub(crate) fn in_zone(mut self, zone: Option<Arc<str>>) -> Self {
        self.zone = zone;
        self
    }

    /// The same session over the picture of an earlier moment, UTC microseconds; `None` = the
    /// newest.
    #[must_use]
    pub fn at(mut self, as_of: Option<i64>) -> Self {
        self.as_of = as_of;
        self
    }

    /// The picture that it reads.
    ///
    /// # Errors
    /// As [`Engine::as_of`]; never for the newest.
    pub async fn snapshot(&self) -> Result<Arc<Snapshot>, QueryError> {
        match self.as_of {
            None => Ok(self.engine.snapshot()),
            Some(at) => self.engine.as_of(at).await,
        }
    }

    /// Who asks.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The engine behind it.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Begins a query over the session's snapshot.
    ///
    /// # Errors
    /// When it is refused, cannot be planned, or no place becomes free in time.
    pub async fn query(&self, sql: &str) -> Result<QueryResult, QueryError> {
        self.query_with(sql, Vec::new()).await
    }

    /// Begins a query with parameters `$1`, `$2` ...
    ///
    /// # Errors
    /// As [`Session::query`].
    pub async fn query_with(
        &self,
        sql: &str,
        params: Vec<Param>,
    ) -> Result<QueryResult, QueryError> {
        self.query_on(self.snapshot().await?, sql, params).await
    }

    /// Begins a query over this snapshot, so that several queries of one page agree.
    ///
    /// # Errors
    /// As [`Session::query`].
    pub async fn query_on(
        &self,
        snapshot: Arc<Snapshot>,
        sql: &str,
        params: Vec<Param>,
    ) -> Result<QueryResult, QueryError> {
        let work = Work::Sql(sql.to_owned(), params);
        let time = match self.native {
            true => FOR_THE_LAKE,
            false => self.engine.limits().time,
        };
        self.start(work, snapshot, time).await
    }

    /// All rows of a query.
    ///
    /// # Errors
    /// As [`Session::query`], and what stopped it.
    pub async fn collect(&self, sql: &str, params: Vec<Param>) -> Result<Answer, QueryError> {
        self.query_with(sql, params).await?.collect().await
    }

    /// All rows of a query without parameters, from memory while nothing has changed: for pages
    /// that many look at.
    ///
    /// # Errors
    /// As [`Session::collect`].
    pub async fn cached(&self, sql: &str) -> Result<Arc<Answer>, QueryError> {
        self.cached_on(self.snapshot().await?, sql).await
    }

    /// The same over this snapshot.
    ///
    /// # Errors
    /// As [`Session::collect`].
    pub async fn cached_on(
        &self,
        snapshot: Arc<Snapshot>,
        sql: &str,
    ) -> Result<Arc<Answer>, QueryError> {
        let cache = &self.engine.shared.cache;
        let user = &self.principal.user;
        // Read before the query: an answer by newer identities is kept as an older one's at worst.
        let by = self.engine.identity().0;
        if let Some(kept) = cache.answer(user, sql, &snapshot, by)
            && (kept.now - snapshot.now).abs() <= FRESH
        {
            return Ok(kept);
        }
        let as_of = snapshot.as_of;
        let answer = Arc::new(
            self.query_on(snapshot, sql, Vec::new())
                .await?
                .collect()
                .await?,
        );
        cache.keep_answer(user, sql, (as_of, by), &answer);
        Ok(answer)
    }

    /// Checks and plans a text without running it; parameters stay open.
    ///
    /// # Errors
    /// When it is refused or cannot be planned.
    pub(crate) async fn prepare(&self, sql: &str) -> Result<Kept, QueryError> {
        let (tx, rx) = oneshot::channel();
        let engine = self.engine.clone();
        let (sql, zone) = (sql.to_owned(), self.zone.clone());
        self.engine.spawn(async move {
            let prepared = match engine.bind(engine.snapshot(), zone.as_deref(), false) {
                Ok(state) => plan::prepare(&engine, &state, &sql).await,
                Err(e) => Err(e),
            };
            // Nobody waits any more: nothing to tell.
            let _ = tx.send(prepared);
        })?;
        rx.await
            .map_err(|_| QueryError::new(Class::Internal, "planning ended without an answer"))?
    }

    /// Begins a planned query, its parameters replaced.
    ///
    /// # Errors
    /// As [`Session::query`].
    pub(crate) async fn execute(
        &self,
        kept: &Kept,
        params: Option<ParamValues>,
        time: Option<Duration>,
    ) -> Result<QueryResult, QueryError> {
        let plan = match params {
            None => kept.logical.clone(),
            Some(values) => Arc::new(
                kept.logical
                    .as_ref()
                    .clone()
                    .replace_params_with_values(&values)?,
            ),
        };
        let most = self.engine.limits().time;
        let time = time.map_or(most, |t| t.min(most));
        let snapshot = self.snapshot().await?;
        self.start(Work::Plan(plan), snapshot, time).await
    }

    async fn start(
        &self,
        work: Work,
        snapshot: Arc<Snapshot>,
        time: Duration,
    ) -> Result<QueryResult, QueryError> {
        self.engine.shared.queries.fetch_add(1, Ordering::Relaxed);
        let (head, answer) = oneshot::channel();
        let (tx, rows) = mpsc::channel(AHEAD);
        let job = Job {
            engine: self.engine.clone(),
            work,
            snapshot,
            zone: self.zone.clone(),
            native: self.native,
            time,
            head,
            rows: tx,
        };
        self.engine.spawn(run::drive(job))?;
        let head = answer
            .await
            .map_err(|_| QueryError::new(Class::Internal, "the query ended without an answer"))??;
        Ok(QueryResult {
            schema: head.schema,
            version: head.version,
            now: head.now,
            rows,
        })
    }
}
