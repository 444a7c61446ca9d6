//! Counting of what operators keep without counting it themselves: values gathered into one list or
//! text, which are held once by the aggregate and once or twice more while its answer is made of
//! them, and rows that wait for the end of a window.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::compute::BatchCoalescer;
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions,
};
use futures::{StreamExt, stream};
use parking_lot::Mutex;

/// Rows of one batch: small ones are put together, since each costs its holder more than its rows.
const ROWS: usize = 8192;

/// Bytes that a row costs besides its values.
const ROW: usize = 16;

/// Passes its input on and counts it against the memory limit for as long as the query lives.
#[derive(Debug)]
pub(crate) struct Metered {
    input: Arc<dyn ExecutionPlan>,
    /// How many times the rows are held.
    times: usize,
    /// Bytes that each row costs its holder beyond that.
    extra: usize,
    /// Kept here and not by the stream, which is gone before the answer is made.
    held: Mutex<Vec<Arc<MemoryReservation>>>,
}

impl Metered {
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>, times: usize, extra: usize) -> Self {
        Metered {
            input,
            times,
            extra,
            held: Mutex::default(),
        }
    }
}

impl DisplayAs for Metered {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MeteredExec: times={}", self.times)
    }
}

impl ExecutionPlan for Metered {
    fn name(&self) -> &str {
        "MeteredExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(match children.pop() {
            Some(input) => Arc::new(Metered::new(input, self.times, self.extra)),
            None => self,
        })
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let recompute = datafusion::physical_plan::ChildrenPropertiesMode::Recompute;
        self.replace_children(children, ReplaceChildrenOptions::new(recompute))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let held = MemoryConsumer::new("gathered rows").register(context.memory_pool());
        let held = Arc::new(held);
        self.held.lock().push(held.clone());
        let input = self.input.execute(partition, context)?;
        let schema = input.schema();
        // Rows without columns have nothing to be put together of.
        let together =
            (!schema.fields().is_empty()).then(|| BatchCoalescer::new(schema.clone(), ROWS));
        let flow = Flow {
            input,
            together,
            held,
            times: self.times,
            extra: self.extra,
            ended: false,
        };
        let rows = stream::unfold(flow, |mut flow| async move {
            let next = flow.next().await.transpose()?;
            flow.ended |= next.is_err();
            Some((next, flow))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }
}

/// One partition on its way.
struct Flow {
    input: SendableRecordBatchStream,
    together: Option<BatchCoalescer>,
    held: Arc<MemoryReservation>,
    times: usize,
    extra: usize,
    ended: bool,
}

impl Flow {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let batch = loop {
            if let Some(batch) = self
                .together
                .as_mut()
                .and_then(BatchCoalescer::next_completed_batch)
            {
                break batch;
            }
            if self.ended {
                return Ok(None);
            }
            match (self.input.next().await.transpose()?, &mut self.together) {
                (Some(batch), Some(together)) => together.push_batch(batch)?,
                (Some(batch), None) => break batch,
                (None, together) => {
                    self.ended = true;
                    if let Some(together) = together {
                        together.finish_buffered_batch()?;
                    }
                }
            }
        };
        let mut bytes = 0;
        for column in batch.columns() {
            bytes += column.to_data().get_slice_memory_size()?;
        }
        let rows = batch.num_rows();
        let cost = (bytes + rows * ROW) * self.times + rows * self.extra;
        self.held.try_grow(cost)?;
        // What gathers looks at all that it has at every batch: time and readers get their turn.
        tokio::task::yield_now().await;
        Ok(Some(batch))
    }
}
