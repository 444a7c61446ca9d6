//! Makes limits hold inside operators. An operator that makes many rows of few, or compares many
//! pairs and keeps none, works on for as long as it has input, and neither the clock nor the reader
//! is asked; one that gathers rows does not count all that it holds.

use std::any::Any;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result as DfResult, internal_datafusion_err};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{
    ColumnarValue, Join, JoinType, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility, lit,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateInputMode};
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::unnest::UnnestExec;
use datafusion::physical_plan::windows::WindowAggExec;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::error::QueryError;
use crate::meter::Metered;
use crate::stays::StayExec;

/// How many times gathered values are held beside what the aggregate itself counts: as its state,
/// as the list that is made of them, and as the row of the answer.
const GATHERED: usize = 3;

/// Bytes of one value that is kept alone, for aggregates with an order of their own.
const ALONE: usize = 128;

/// Aggregates that keep every value.
const GATHERING: [&str; 2] = ["array_agg", "string_agg"];

/// Whether this aggregate keeps every value.
pub(crate) fn gathers(name: &str) -> bool {
    GATHERING.contains(&name)
}

/// Until when a query may work, and for whom.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    until: Instant,
    late: QueryError,
    reader: mpsc::Sender<Result<RecordBatch, QueryError>>,
}

impl Watch {
    pub(crate) fn new(
        until: Instant,
        late: QueryError,
        reader: mpsc::Sender<Result<RecordBatch, QueryError>>,
    ) -> Self {
        Watch {
            until,
            late,
            reader,
        }
    }
}

/// The value of its argument, or an error once the time is over or the reader gone.
#[derive(Debug)]
struct Watched {
    watch: Watch,
    signature: Signature,
}

impl PartialEq for Watched {
    fn eq(&self, other: &Self) -> bool {
        self.watch.until == other.watch.until && self.watch.reader.same_channel(&other.watch.reader)
    }
}
impl Eq for Watched {}
impl Hash for Watched {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.watch.until.into_std().hash(state);
    }
}

impl ScalarUDFImpl for Watched {
    fn name(&self) -> &str {
        "watched"
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, _args: &[DataType]) -> DfResult<DataType> {
        Ok(DataType::Boolean)
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        if Instant::now() >= self.watch.until || self.watch.reader.is_closed() {
            return Err(DataFusionError::External(Box::new(self.watch.late.clone())));
        }
        let mut args = args.args;
        args.pop()
            .ok_or_else(|| internal_datafusion_err!("nothing to watch"))
    }
}

/// Whether a join can compare many pairs and keep none of them: one that has a condition beside its
/// equalities, or that only asks whether there is a partner and goes through all there are.
fn compares(join: &Join) -> bool {
    use JoinType::{LeftAnti, LeftMark, LeftSemi, RightAnti, RightMark, RightSemi};
    join.filter.is_some()
        || matches!(
            join.join_type,
            LeftAnti | LeftMark | LeftSemi | RightAnti | RightMark | RightSemi
        )
}

/// The optimised plan with the watch asked at every comparison of its joins.
///
/// # Errors
/// When the plan cannot be walked.
pub(crate) fn watch(plan: Arc<LogicalPlan>, watch: &Watch) -> DfResult<Arc<LogicalPlan>> {
    let mut any = false;
    if !matches!(plan.as_ref(), LogicalPlan::Explain(_)) {
        plan.apply(|node| {
            any |= matches!(node, LogicalPlan::Join(join) if compares(join));
            Ok(if any {
                TreeNodeRecursion::Stop
            } else {
                TreeNodeRecursion::Continue
            })
        })?;
    }
    if !any {
        return Ok(plan);
    }
    let watched = Arc::new(ScalarUDF::from(Watched {
        watch: watch.clone(),
        signature: Signature::any(1, Volatility::Volatile),
    }));
    let plan = plan.as_ref().clone().transform_up(|node| match node {
        LogicalPlan::Join(mut join) if compares(&join) => {
            let filter = join.filter.unwrap_or_else(|| lit(true));
            join.filter = Some(watched.call(vec![filter]));
            Ok(Transformed::yes(LogicalPlan::Join(join)))
        }
        other => Ok(Transformed::no(other)),
    })?;
    Ok(Arc::new(plan.data))
}

/// The physical plan with operators that make much from little giving way, and those that keep rows
/// without counting them counted.
///
/// # Errors
/// When the plan cannot be rebuilt.
pub(crate) fn tame(plan: Arc<dyn ExecutionPlan>) -> DfResult<Arc<dyn ExecutionPlan>> {
    let plan = plan.transform_up(|node| {
        let any: &dyn ExecutionPlan = node.as_ref();
        let any = any as &dyn Any;
        if any.is::<NestedLoopJoinExec>()
            || any.is::<CrossJoinExec>()
            || any.is::<HashJoinExec>()
            || any.is::<UnnestExec>()
        {
            return Ok(Transformed::yes(Arc::new(CooperativeExec::new(node))));
        }
        if let Some(streamed) = StayExec::instead_of(&node) {
            return Ok(Transformed::yes(streamed));
        }
        if let Some((times, extra)) = keeps(any) {
            let children = node.children().into_iter().cloned();
            let metered = children
                .map(|c| Arc::new(Metered::new(c, times, extra)) as Arc<dyn ExecutionPlan>)
                .collect();
            let mode = datafusion::physical_plan::ChildrenPropertiesMode::Recompute;
            let options = datafusion::physical_plan::ReplaceChildrenOptions::new(mode);
            return node
                .replace_children(metered, options)
                .map(Transformed::yes);
        }
        Ok(Transformed::no(node))
    })?;
    Ok(plan.data)
}

/// How many times this operator holds its input uncounted, and what a row costs besides.
fn keeps(node: &dyn Any) -> Option<(usize, usize)> {
    if node.is::<WindowAggExec>() {
        return Some((1, 0));
    }
    let aggregate = node.downcast_ref::<AggregateExec>()?;
    let gathering: Vec<_> = aggregate
        .aggr_expr()
        .iter()
        .filter(|a| gathers(a.fun().name()))
        .collect();
    if gathering.is_empty() || aggregate.mode().input_mode() != AggregateInputMode::Raw {
        return None;
    }
    // In an order of its own, each value and each key of the order is kept alone.
    let alone: usize = gathering.iter().map(|a| a.order_bys().len() + 1).sum();
    let ordered = gathering.iter().any(|a| !a.order_bys().is_empty());
    Some((GATHERED, if ordered { alone * ALONE } else { 0 }))
}
