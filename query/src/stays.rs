//! To which stay in a queue a part of a contact belongs, as a window function of the views and the
//! operator that runs it. Windows of SQL keep a state for each contact and queue, and cost more than
//! all else in the figures of queues; here it is one number that goes along with sorted rows.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::compute::partition;
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, ScalarValue, internal_datafusion_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    LimitEffect, PartitionEvaluator, Signature, Volatility, WindowUDF, WindowUDFImpl,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::window::{StandardWindowExpr, WindowExpr};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::windows::{WindowAggExec, WindowUDFExpr};
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties,
    ReplaceChildrenOptions,
};
use futures::StreamExt;

/// The kind of a segment that is a stay.
const QUEUE: &str = "queue";

/// The function: `queue_stay(kind, seq) OVER (PARTITION BY day, contact_id, queue ORDER BY seq)`.
///
/// The `seq` of the last row up to this one whose kind is `queue`; NULL before the first.
pub(crate) fn function() -> Arc<WindowUDF> {
    let types = vec![DataType::Utf8, DataType::Int64];
    let signature = Signature::exact(types, Volatility::Immutable);
    Arc::new(WindowUDF::from(QueueStay(signature)))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct QueueStay(Signature);

impl WindowUDFImpl for QueueStay {
    fn name(&self) -> &str {
        "queue_stay"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn partition_evaluator(
        &self,
        _args: PartitionEvaluatorArgs<'_>,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(OfOneQueue))
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), DataType::Int64, true)))
    }

    fn limit_effect(&self, _args: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        LimitEffect::Unknown
    }
}

/// For plans that are not run by [`StayExec`].
#[derive(Debug)]
struct OfOneQueue;

impl PartitionEvaluator for OfOneQueue {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let mut out = Vec::with_capacity(rows);
        go_along(values, 0..rows, None, &mut out)?;
        Ok(Arc::new(Int64Array::from(out)))
    }
}

/// Adds the stay of each of these rows, which are of one contact and queue, and gives the last;
/// `stay` is that of the row before them.
fn go_along(
    values: &[ArrayRef],
    rows: std::ops::Range<usize>,
    mut stay: Option<i64>,
    out: &mut Vec<Option<i64>>,
) -> Result<Option<i64>> {
    let wrong = || internal_datafusion_err!("queue_stay takes a text and a number");
    let [kind, seq] = values else {
        return Err(wrong());
    };
    let kind = kind.as_string_opt::<i32>().ok_or_else(wrong)?;
    let seq = seq.as_primitive_opt::<Int64Type>().ok_or_else(wrong)?;
    for row in rows {
        if kind.is_valid(row) && kind.value(row) == QUEUE && seq.is_valid(row) {
            stay = Some(seq.value(row));
        }
        out.push(stay);
    }
    Ok(stay)
}

/// Runs a [`WindowAggExec`] of this one function over its sorted input as it comes.
#[derive(Debug)]
pub(crate) struct StayExec {
    /// As it was planned, with its input.
    window: Arc<dyn ExecutionPlan>,
    expr: Arc<dyn WindowExpr>,
}

impl StayExec {
    /// That node by this operator, where it is one that this can run.
    pub(crate) fn instead_of(node: &Arc<dyn ExecutionPlan>) -> Option<Arc<dyn ExecutionPlan>> {
        let any: &dyn ExecutionPlan = node.as_ref();
        let window = (any as &dyn Any).downcast_ref::<WindowAggExec>()?;
        let [expr] = window.window_expr() else {
            return None;
        };
        let standard = expr.as_any().downcast_ref::<StandardWindowExpr>()?;
        let called = standard.get_standard_func_expr().as_any();
        let called = called.downcast_ref::<WindowUDFExpr>()?;
        called.fun().inner().downcast_ref::<QueueStay>()?;
        Some(Arc::new(StayExec {
            window: node.clone(),
            expr: expr.clone(),
        }))
    }
}

impl DisplayAs for StayExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StayExec: {}", self.expr.name())
    }
}

impl ExecutionPlan for StayExec {
    fn name(&self) -> &str {
        "StayExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.window.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.window.children()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.window.apply_expressions(f)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let window = self.window.clone().replace_children(children, options)?;
        let expr = self.expr.clone();
        Ok(Arc::new(StayExec { window, expr }))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let recompute = ChildrenPropertiesMode::Recompute;
        self.replace_children(children, ReplaceChildrenOptions::new(recompute))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let missing = || internal_datafusion_err!("a window has an input");
        let input = self.window.children().first().copied().cloned();
        let input = input.ok_or_else(missing)?.execute(partition, context)?;
        let schema = self.window.schema();
        let mut along = Along {
            expr: self.expr.clone(),
            last: None,
        };
        let out = schema.clone();
        let rows = input.map(move |batch| {
            let batch = batch?;
            let mut columns = batch.columns().to_vec();
            columns.push(Arc::new(along.stays(&batch)?));
            Ok(RecordBatch::try_new(out.clone(), columns)?)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }
}

/// On the way through sorted rows.
struct Along {
    expr: Arc<dyn WindowExpr>,
    /// Contact and queue of the last row, and its stay.
    last: Option<(Vec<ScalarValue>, Option<i64>)>,
}

impl Along {
    fn stays(&mut self, batch: &RecordBatch) -> Result<Int64Array> {
        let rows = batch.num_rows();
        let mut out = Vec::with_capacity(rows);
        if rows > 0 {
            let of = |expr: &Arc<dyn PhysicalExpr>| expr.evaluate(batch)?.into_array(rows);
            let keys: Vec<ArrayRef> = self
                .expr
                .partition_by()
                .iter()
                .map(of)
                .collect::<Result<_>>()?;
            let values = self.expr.evaluate_args(batch)?;
            let at = |row| -> Result<Vec<ScalarValue>> {
                keys.iter()
                    .map(|k| ScalarValue::try_from_array(k, row))
                    .collect()
            };
            let first = at(0)?;
            let before = self.last.take().filter(|(key, _)| *key == first);
            let mut stay = before.and_then(|(_, stay)| stay);
            // Without keys all rows are of one.
            let ranges = match keys.is_empty() {
                true => std::iter::once(0..rows).collect(),
                false => partition(&keys)?.ranges(),
            };
            for (n, range) in ranges.into_iter().enumerate() {
                let carried = stay.filter(|_| n == 0);
                stay = go_along(&values, range, carried, &mut out)?;
            }
            self.last = Some((at(rows - 1)?, stay));
        }
        Ok(Int64Array::from(out))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::StringArray;
    use arrow::util::pretty::pretty_format_batches;
    use datafusion::datasource::MemTable;
    use datafusion::physical_plan::{collect, displayable};
    use datafusion::prelude::SessionContext;

    use super::*;
    use crate::stop::tame;

    /// Segments in no order, in small batches, some without a queue or a kind that is a stay.
    fn segments() -> MemTable {
        let mut seed = 3_u64;
        let mut random = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % below
        };
        let schema = Arc::new(arrow::datatypes::Schema::new(vec![
            Field::new("contact_id", DataType::Utf8, false),
            Field::new("queue", DataType::Utf8, true),
            Field::new("kind", DataType::Utf8, false),
            Field::new("seq", DataType::Int64, false),
        ]));
        let mut batches = Vec::new();
        for n in 0..60 {
            let rows: Vec<(String, Option<&str>, &str, i64)> = (0..random(40))
                .map(|row| {
                    let queue = [Some("a"), Some("b"), None][random(3) as usize];
                    let kind = ["queue", "talk", "wrapup"][random(3) as usize];
                    (random(50).to_string(), queue, kind, n * 100 + row as i64)
                })
                .collect();
            let columns: Vec<ArrayRef> = vec![
                Arc::new(rows.iter().map(|r| Some(&r.0)).collect::<StringArray>()),
                Arc::new(rows.iter().map(|r| r.1).collect::<StringArray>()),
                Arc::new(rows.iter().map(|r| Some(r.2)).collect::<StringArray>()),
                Arc::new(rows.iter().map(|r| r.3).collect::<Int64Array>()),
            ];
            batches.push(RecordBatch::try_new(schema.clone(), columns).unwrap());
        }
        MemTable::try_new(schema, vec![batches]).unwrap()
    }

    async fn answer(ctx: &SessionContext, window: &str) -> (String, String) {
        let sql = format!(
            "SELECT contact_id, queue, kind, seq, {window} AS stay FROM segments \
             ORDER BY contact_id, queue, seq"
        );
        let frame = ctx.sql(&sql).await.unwrap();
        let plan = tame(frame.create_physical_plan().await.unwrap()).unwrap();
        let shown = displayable(plan.as_ref()).indent(false).to_string();
        let rows = collect(plan, ctx.task_ctx()).await.unwrap();
        (pretty_format_batches(&rows).unwrap().to_string(), shown)
    }

    #[tokio::test]
    async fn a_stay_is_the_last_of_its_contact_and_queue_as_windows_of_sql_say() {
        let mut config = datafusion::prelude::SessionConfig::new().with_batch_size(16);
        config.options_mut().execution.target_partitions = 3;
        let ctx = SessionContext::new_with_config(config);
        ctx.register_udwf(function().as_ref().clone());
        ctx.register_table("segments", Arc::new(segments()))
            .unwrap();
        for keys in ["PARTITION BY contact_id, queue", "PARTITION BY queue", ""] {
            let over = format!("OVER ({keys} ORDER BY seq");
            let (ours, plan) = answer(&ctx, &format!("queue_stay(kind, seq) {over})")).await;
            assert!(plan.contains("StayExec"), "{plan}");
            let sql = "last_value(CASE WHEN kind = 'queue' THEN seq END) IGNORE NULLS";
            let rows = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)";
            let (theirs, _) = answer(&ctx, &format!("{sql} {over} {rows}")).await;
            assert_eq!(ours, theirs, "{keys}");
            // As it is run where it stands beside other windows.
            let beside = format!("queue_stay(kind, seq) {over}) + 0 * row_number() {over})");
            let (beside, _) = answer(&ctx, &beside).await;
            assert_eq!(beside, ours, "{keys}");
        }
    }
}
