//! A view over time that is cut finer than what it is made of: only the asked range of it is cut.
//! The engine does not carry a bound on what `unnest` makes to what it is made of, so that each
//! question would cut all that is known, years of it.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{ParamValues, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::{
    BinaryExpr, Expr, LogicalPlan, LogicalPlanBuilder, Operator, TableProviderFilterPushDown,
    TableType,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::ident;

/// The width of a row, microseconds: a quarter of an hour.
const WIDTH: i64 = 900_000_000;
/// Before and after everything, such that neighbouring times can still be computed.
const EVER: (i64, i64) = (i64::MIN / 4, i64::MAX / 4);

/// A view whose plan takes the asked range of a column as `$1` and `$2`, UTC microseconds.
#[derive(Debug)]
pub struct RangedTable {
    column: &'static str,
    plan: LogicalPlan,
    schema: SchemaRef,
}

impl RangedTable {
    /// The rows of this plan, by the start of their quarter of an hour in this column.
    pub fn new(column: &'static str, plan: LogicalPlan) -> Self {
        let schema = Arc::new(plan.schema().as_arrow().clone());
        RangedTable {
            column,
            plan,
            schema,
        }
    }
}

/// From when until when rows are asked for, whole quarters of an hour.
fn range(filters: &[Expr], column: &str) -> (i64, i64) {
    let mut range = EVER;
    for filter in filters {
        narrow(filter, column, &mut range);
    }
    range
}

/// What a filter says of the range; one that is not understood says nothing.
fn narrow(filter: &Expr, column: &str, range: &mut (i64, i64)) {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            if *op == Operator::And {
                narrow(left, column, range);
                narrow(right, column, range);
                return;
            }
            let found = match (time(left, column), time(right, column)) {
                (Side::Column, Side::At(at)) => Some((*op, at)),
                (Side::At(at), Side::Column) => op.swap().map(|op| (op, at)),
                _ => None,
            };
            let Some((op, at)) = found else { return };
            let quarter = at.div_euclid(WIDTH) * WIDTH;
            if matches!(op, Operator::Gt | Operator::GtEq | Operator::Eq) {
                range.0 = range.0.max(quarter);
            }
            if matches!(op, Operator::Lt | Operator::LtEq | Operator::Eq) {
                range.1 = range.1.min(quarter.saturating_add(WIDTH));
            }
        }
        Expr::Between(b) if !b.negated => {
            if let Side::Column = time(&b.expr, column) {
                if let Side::At(low) = time(&b.low, column) {
                    range.0 = range.0.max(low.div_euclid(WIDTH) * WIDTH);
                }
                if let Side::At(high) = time(&b.high, column) {
                    let end = (high.div_euclid(WIDTH) * WIDTH).saturating_add(WIDTH);
                    range.1 = range.1.min(end);
                }
            }
        }
        _ => {}
    }
}

/// What stands on a side of a comparison.
enum Side {
    Column,
    At(i64),
    Other,
}

fn time(expr: &Expr, column: &str) -> Side {
    match expr {
        Expr::Column(c) if c.name == column => Side::Column,
        Expr::Literal(ScalarValue::TimestampMicrosecond(Some(us), _), _)
            if (EVER.0..EVER.1).contains(us) =>
        {
            Side::At(*us)
        }
        _ => Side::Other,
    }
}

#[async_trait]
impl TableProvider for RangedTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        // The rows are filtered again: the range is whole quarters.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (from, to) = range(filters, self.column);
        let values = vec![ScalarValue::from(from), ScalarValue::from(to)];
        let plan = self.plan.clone();
        let plan = plan.replace_params_with_values(&ParamValues::from(values))?;
        // A filter on an agent reaches what the rows are made of.
        let mut plan = LogicalPlanBuilder::from(plan);
        for filter in filters {
            plan = plan.filter(filter.clone())?;
        }
        if let Some(columns) = projection {
            let fields = self.schema.fields();
            let named = columns.iter().filter_map(|n| fields.get(*n));
            plan = plan.project(named.map(|f| ident(f.name())))?;
        }
        state.create_physical_plan(&plan.build()?).await
    }
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::{col, lit};

    use super::*;

    fn at(us: i64) -> Expr {
        let time = ScalarValue::TimestampMicrosecond(Some(us), Some("UTC".into()));
        Expr::Literal(time, None)
    }

    #[test]
    fn a_range_is_whole_quarters_around_what_is_asked() {
        let t = || col("interval_start");
        let of = |filters: &[Expr]| range(filters, "interval_start");
        assert_eq!(of(&[]), EVER);
        assert_eq!(
            of(&[t().gt_eq(at(10 * WIDTH + 1)), at(20 * WIDTH).gt(t())]),
            (10 * WIDTH, 21 * WIDTH)
        );
        assert_eq!(
            of(&[t().gt(at(WIDTH)).and(t().lt_eq(at(3 * WIDTH + 5)))]),
            (WIDTH, 4 * WIDTH)
        );
        assert_eq!(of(&[t().eq(at(-1))]), (-WIDTH, 0));
        assert_eq!(
            of(&[t().between(at(WIDTH), at(2 * WIDTH))]),
            (WIDTH, 3 * WIDTH)
        );
        // Another column, a choice, a function: nothing is said.
        for filter in [
            col("agent").eq(lit("ann")),
            t().gt(at(0)).or(t().lt(at(1))),
            t().not_between(at(0), at(1)),
            t().not_eq(at(0)),
        ] {
            assert_eq!(of(&[filter]), EVER);
        }
    }
}
