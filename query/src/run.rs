//! Running one query on the runtime of SQL, stopped by whatever comes first: its end, the time
//! limit, the row limit, memory, or the reader who went away.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::Result as DfResult;
use datafusion::execution::memory_pool::{
    MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation,
};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use futures::StreamExt;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep, sleep_until};

use crate::engine::Engine;
use crate::error::{Class, QueryError};
use crate::session::{Head, Job, Work};
use crate::stop::{self, Watch};
use crate::{plan, weigh};

/// For how long a reader may take nothing while others wait for a place.
const STANDS: Duration = Duration::from_secs(2);
/// How often it is looked whether others wait.
const LOOK: Duration = Duration::from_millis(250);

/// Runs the job to its end and tells the reader.
pub(crate) async fn drive(job: Job) {
    let Job {
        engine,
        work,
        snapshot,
        zone,
        native,
        time,
        head,
        rows,
    } = job;
    let place = tokio::select! {
        place = engine.place() => place,
        () = rows.closed() => return,
    };
    let place = match place {
        Ok(place) => place,
        Err(e) => {
            count(&e);
            // The reader may be gone, then nobody is to be told.
            let _ = head.send(Err(e));
            return;
        }
    };
    // Only now: a query is not to blame for those before it.
    let deadline = Instant::now() + time;
    let (version, now) = (snapshot.version, snapshot.now);
    let state = match engine.bind(snapshot, zone.as_deref(), native) {
        Ok(state) => state,
        Err(e) => {
            count(&e);
            // The reader may be gone, then nobody is to be told.
            let _ = head.send(Err(e));
            return;
        }
    };
    let watch = Watch::new(deadline, late(time), rows.clone());
    let begun = tokio::select! {
        begun = begin(&engine, &state, work, place, &watch) => begun,
        () = sleep_until(deadline) => Err(late(time)),
        () = rows.closed() => return,
    };
    // A stream may need no context and no plan once it runs; the place and the memory are this
    // query's to its end all the same.
    let (schema, mut stream, kept) = match begun {
        Ok(begun) => begun,
        Err(e) => {
            count(&e);
            // The reader may be gone, then nobody is to be told.
            let _ = head.send(Err(e));
            return;
        }
    };
    let named = schema.clone();
    if head
        .send(Ok(Head {
            schema,
            version,
            now,
        }))
        .is_err()
    {
        return;
    }
    let most = match native {
        true => usize::MAX,
        false => engine.limits().rows,
    };
    let mut sent = 0_usize;
    let end = loop {
        let next = tokio::select! {
            next = stream.next() => next,
            () = sleep_until(deadline) => break Some(late(time)),
            () = rows.closed() => break None,
        };
        let batch = match next {
            None => break None,
            Some(Err(e)) => break Some(QueryError::from(e)),
            Some(Ok(batch)) => batch,
        };
        sent += batch.num_rows();
        if sent > most {
            break Some(QueryError::new(
                Class::TooManyRows,
                format!("the answer has more than {most} rows, the limit; narrow it or add LIMIT"),
            ));
        }
        if batch.num_rows() == 0 {
            continue;
        }
        let batch = match rename(batch, &named) {
            Ok(batch) => batch,
            Err(e) => break Some(e),
        };
        tokio::select! {
            sent = rows.send(Ok(batch)) => if sent.is_err() { break None },
            () = sleep_until(deadline) => break Some(late(time)),
            () = wanted(&engine) => break Some(stood_still()),
        }
    };
    // Work stops here, before a slow reader takes the last word.
    drop((stream, kept, watch));
    if let Some(e) = end {
        count(&e);
        let _ = rows.send(Err(e)).await;
    }
}

/// Ends when a query whose reader takes nothing has had its time and others wait for its place.
async fn wanted(engine: &Engine) {
    sleep(STANDS).await;
    while !engine.gives_way() {
        sleep(LOOK).await;
    }
}

fn stood_still() -> QueryError {
    QueryError::new(
        Class::Busy,
        format!(
            "canceling statement because its reader took no rows for {} s while others waited; read on without a pause, or ask for fewer rows",
            STANDS.as_secs()
        ),
    )
}

fn late(time: Duration) -> QueryError {
    QueryError::new(
        Class::Timeout,
        format!(
            "canceling statement due to statement timeout ({} ms)",
            time.as_millis()
        ),
    )
}

fn count(error: &QueryError) {
    ::metrics::counter!("callboard_query_errors_total", "class" => error.class.word()).increment(1);
}

/// Plans, weighs and starts.
async fn begin(
    engine: &Engine,
    state: &SessionState,
    work: Work,
    place: OwnedSemaphorePermit,
    watch: &Watch,
) -> Result<(SchemaRef, SendableRecordBatchStream, Held), QueryError> {
    let (schema, plan) = match work {
        Work::Sql(sql, params) => {
            let kept = plan::prepare(engine, state, &sql).await?;
            let plan = plan::ready(state, &kept, params)?;
            (named(&kept.logical), plan)
        }
        Work::Plan(logical) => {
            let plan = Arc::new(state.optimize(&logical)?);
            (named(&logical), plan)
        }
    };
    let plan = stop::watch(plan, watch)?;
    let physical = state
        .query_planner()
        .create_physical_plan(&plan, state)
        .await?;
    weigh::check(&physical, engine.limits().loop_rows)?;
    let physical = stop::tame(physical)?;
    let context = task(engine, state, place)?;
    let stream = datafusion::physical_plan::execute_stream(physical.clone(), context.clone())?;
    Ok((schema, stream, (context, physical)))
}

/// What a query holds besides its stream.
type Held = (Arc<TaskContext>, Arc<dyn ExecutionPlan>);

/// The columns as the user named them.
fn named(plan: &LogicalPlan) -> SchemaRef {
    let fields: Vec<_> = plan
        .schema()
        .fields()
        .iter()
        .map(|f| f.as_ref().clone().with_nullable(true))
        .collect();
    Arc::new(Schema::new(fields))
}

/// The batch under the user's names; types may have been refined by the optimiser.
fn rename(batch: RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, QueryError> {
    let columns = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(c, f)| {
            if c.data_type() == f.data_type() {
                Ok(c.clone())
            } else {
                arrow::compute::cast(c, f.data_type())
            }
        })
        .collect::<Result<Vec<_>, _>>()
        .and_then(|columns| {
            let options =
                arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            RecordBatch::try_new_with_options(schema.clone(), columns, &options)
        });
    columns.map_err(|e| QueryError::new(Class::Internal, e.to_string()))
}

/// The context of one query: its memory is counted, and its place is free again only when the
/// last task that works for it has ended.
fn task(
    engine: &Engine,
    state: &SessionState,
    place: OwnedSemaphorePermit,
) -> Result<Arc<TaskContext>, QueryError> {
    let pool = Arc::new(QueryPool {
        inner: engine.shared.pool.clone(),
        _place: place,
    });
    let env = RuntimeEnvBuilder::from_runtime_env(&engine.shared.env)
        .with_memory_pool(pool)
        .build_arc()?;
    Ok(Arc::new(TaskContext::new(
        None,
        state.session_id().to_owned(),
        state.config().clone(),
        state.scalar_functions().clone(),
        state.higher_order_functions().clone(),
        state.aggregate_functions().clone(),
        state.window_functions().clone(),
        env,
    )))
}

/// The shared memory pool as one query sees it, with the query's place among the running ones.
#[derive(Debug)]
struct QueryPool {
    inner: Arc<dyn MemoryPool>,
    _place: OwnedSemaphorePermit,
}

impl fmt::Display for QueryPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("query")
    }
}

impl MemoryPool for QueryPool {
    fn name(&self) -> &str {
        "query"
    }
    fn register(&self, consumer: &MemoryConsumer) {
        self.inner.register(consumer);
    }
    fn unregister(&self, consumer: &MemoryConsumer) {
        self.inner.unregister(consumer);
    }
    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.inner.grow(reservation, additional);
    }
    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.inner.shrink(reservation, shrink);
    }
    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> DfResult<()> {
        self.inner.try_grow(reservation, additional)
    }
    fn reserved(&self) -> usize {
        self.inner.reserved()
    }
    fn memory_limit(&self) -> MemoryLimit {
        self.inner.memory_limit()
    }
}
