//! A table of the snapshot as DataFusion sees it. It holds no rows itself: which snapshot it
//! reads is said by the session that scans it. So views and plans are made once, and every
//! query reads exactly the one snapshot it was bound to.

mod told;

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use callboard_model::tables::TableSpec;
use callboard_store::snapshot::{Hidden, Snapshot, TableSnapshot};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, Operator, TableProviderFilterPushDown, TableType, col, lit};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{
    CastExpr, Column, binary, in_list, lit as physical_lit,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::union::UnionExec;

use super::lake::LakeCache;
use super::wall::Wall;
use crate::identity::Identity;

/// The snapshot that a session reads, carried in its configuration.
#[derive(Debug)]
pub struct Bound {
    /// The snapshot.
    pub snapshot: SnapshotRef,
    /// Providers of the lake.
    pub lakes: Arc<LakeCache>,
    /// Who is who across platforms; its number grows whenever it is another.
    pub identity: (u64, Arc<Identity>),
}

/// A snapshot that can be printed.
#[derive(Clone)]
pub struct SnapshotRef(pub Arc<Snapshot>);

impl std::fmt::Debug for SnapshotRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Snapshot({})", self.0.version)
    }
}

/// How far back `_recent` tables reach in the lake: today and yesterday of the snapshot's now.
const RECENT_DAYS: i64 = 1;
const DAY_US: i64 = 86_400_000_000;
/// The column of a row's UTC day.
const DAY: &str = "day";

/// Which of the lake's rows a table shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Those that the snapshot shows.
    Seen,
    /// Of these today's and yesterday's.
    Recent,
    /// Also those that the snapshot was narrowed by.
    Whole,
}

/// One internal table: the lake's rows without the hidden ones, and the live rows.
#[derive(Debug)]
pub struct SlotTable {
    spec: &'static TableSpec,
    schema: SchemaRef,
    reach: Reach,
}

impl SlotTable {
    /// The table; live rows are shown whatever the reach.
    pub fn new(spec: &'static TableSpec, reach: Reach) -> Self {
        // Comments are kept beside the views; metadata in schemas would only have to be
        // made equal on both sides of every union.
        let fields: Vec<_> = spec
            .schema()
            .fields()
            .iter()
            .map(|f| f.as_ref().clone().with_metadata(Default::default()))
            .collect();
        SlotTable {
            spec,
            schema: Arc::new(Schema::new(fields)),
            reach,
        }
    }

    fn live(
        &self,
        table: &TableSnapshot,
        projection: Option<&Vec<usize>>,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let batches: Vec<RecordBatch> = table
            .live
            .iter()
            .filter(|b| b.num_rows() > 0)
            .map(|b| self.adapt(b))
            .collect::<Result<_>>()?;
        if batches.is_empty() {
            return Ok(None);
        }
        let exec =
            MemorySourceConfig::try_new_exec(&[batches], self.schema.clone(), projection.cloned())?;
        Ok(Some(exec))
    }

    /// The batch under this table's schema; columns are found by name, so that a live batch made
    /// by a newer or older writer is refused by name instead of misread.
    fn adapt(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let columns = self
            .schema
            .fields()
            .iter()
            .map(|f| {
                let column = batch.column_by_name(f.name()).ok_or_else(|| {
                    DataFusionError::Internal(format!(
                        "a live batch of {} lacks the column {}",
                        self.spec.name,
                        f.name()
                    ))
                })?;
                if column.data_type() == f.data_type() {
                    Ok(column.clone())
                } else {
                    Ok(arrow::compute::cast(column, f.data_type())?)
                }
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(RecordBatch::try_new(self.schema.clone(), columns)?)
    }

    async fn lake(
        &self,
        bound: &Bound,
        table: &TableSnapshot,
        state: &SessionState,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(provider) = bound.lakes.provider(table, state).await? else {
            return Ok(None);
        };
        let hidden = table.hidden.as_deref().filter(|h| !h.is_empty());
        let wanted: Vec<usize> = match projection {
            Some(p) => p.clone(),
            None => (0..self.schema.fields().len()).collect(),
        };
        // The lake's columns are found by name too; the id is read beside them when rows hide.
        let theirs = provider.schema();
        let mut read = Vec::with_capacity(wanted.len() + 1);
        for i in &wanted {
            read.push(theirs.index_of(self.schema.field(*i).name())?);
        }
        let hiding = hidden.map(|h| [h.column, DAY]);
        let only = match self.reach {
            Reach::Whole => None,
            Reach::Seen | Reach::Recent => table.only.as_ref(),
        };
        let bounded = only.into_iter().flat_map(Expr::column_refs);
        for column in hiding
            .into_iter()
            .flatten()
            .chain(bounded.map(|c| c.name.as_str()))
        {
            let at = theirs.index_of(column)?;
            if !read.contains(&at) {
                read.push(at);
            }
        }
        let mut filters = filters.to_vec();
        filters.extend(only.cloned());
        let filters = self.lake_filters(bound, state, provider.as_ref(), &filters)?;
        let mut plan = provider.scan(state, Some(&read), &filters, None).await?;
        if let Some(h) = hidden {
            plan = without(plan, h)?;
        }
        if let Some(only) = only {
            let schema = DFSchema::try_from(plan.schema())?;
            let only = state.create_physical_expr(only.clone(), &schema)?;
            plan = Arc::new(FilterExec::try_new(only, plan)?);
        }
        let target = self.schema.project(&wanted)?;
        Ok(Some(shape(plan, &target)?))
    }

    /// The filters that the lake can use to skip files; all are applied again above the scan.
    fn lake_filters(
        &self,
        bound: &Bound,
        state: &SessionState,
        provider: &dyn TableProvider,
        filters: &[Expr],
    ) -> Result<Vec<Expr>> {
        let mut wanted: Vec<Expr> = filters
            .iter()
            .filter(|f| !f.is_volatile())
            .cloned()
            .collect();
        if self.reach == Reach::Recent {
            let today = bound.snapshot.0.now.div_euclid(DAY_US);
            let first = i32::try_from(today - RECENT_DAYS).unwrap_or(0);
            wanted.push(col("day").gt_eq(lit(ScalarValue::Date32(Some(first)))));
        }
        if wanted.is_empty() {
            return Ok(wanted);
        }
        let schema = Arc::new(DFSchema::try_from(self.schema.as_ref().clone())?);
        let info = SimplifyContext::builder()
            .with_schema(schema)
            .with_config_options(state.config_options().clone())
            .with_query_execution_start_time(state.execution_props().query_execution_start_time)
            .build();
        let simplifier = ExprSimplifier::new(info);
        let wanted = wanted
            .into_iter()
            .map(|e| simplifier.simplify(e))
            .collect::<Result<Vec<_>>>()?;
        let refs: Vec<&Expr> = wanted.iter().collect();
        let verdicts = provider.supports_filters_pushdown(&refs)?;
        Ok(wanted
            .iter()
            .zip(verdicts)
            .filter(|(_, v)| *v != TableProviderFilterPushDown::Unsupported)
            .map(|(e, _)| e.clone())
            .collect())
    }
}

impl SlotTable {
    /// The rows as the platforms tell them.
    async fn rows(
        &self,
        bound: &Bound,
        session: &SessionState,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut parts = Vec::with_capacity(2);
        if let Some(table) = bound.snapshot.0.tables.get(self.spec.name) {
            if let Some(lake) = self
                .lake(bound, table, session, projection, filters)
                .await?
            {
                parts.push(lake);
            }
            if let Some(live) = self.live(table, projection)? {
                parts.push(live);
            }
        }
        if parts.len() > 1 {
            let parts = parts.into_iter().map(|part| Arc::new(Wall::new(part)) as _);
            return UnionExec::try_new(parts.collect());
        }
        if let Some(only) = parts.pop() {
            return Ok(only);
        }
        let schema = match projection {
            Some(p) => Arc::new(self.schema.project(p)?),
            None => self.schema.clone(),
        };
        Ok(Arc::new(EmptyExec::new(schema)))
    }
}

/// The plan without the rows that are hidden.
fn without(plan: Arc<dyn ExecutionPlan>, hidden: &Hidden) -> Result<Arc<dyn ExecutionPlan>> {
    let mut plan = plan;
    if !hidden.values.is_empty() {
        let shown = others(&plan.schema(), hidden.column, &hidden.values)?;
        plan = Arc::new(FilterExec::try_new(shown, plan)?);
    }
    for (since, ids) in &hidden.since {
        let schema = plan.schema();
        let day: Arc<dyn PhysicalExpr> = Arc::new(Column::new(DAY, schema.index_of(DAY)?));
        let since = physical_lit(ScalarValue::Date32(Some(*since)));
        let before = binary(day, Operator::Lt, since, &schema)?;
        let other = others(&schema, hidden.column, ids)?;
        let shown = binary(before, Operator::Or, other, &schema)?;
        plan = Arc::new(FilterExec::try_new(shown, plan)?);
    }
    Ok(plan)
}

/// Whether a column holds none of these ids.
fn others(schema: &Schema, column: &str, ids: &HashSet<String>) -> Result<Arc<dyn PhysicalExpr>> {
    let index = schema.index_of(column)?;
    let kind = schema.field(index).data_type().clone();
    let list = ids
        .iter()
        .map(|v| Ok(physical_lit(ScalarValue::from(v.as_str()).cast_to(&kind)?)))
        .collect::<Result<Vec<Arc<dyn PhysicalExpr>>>>()?;
    let id: Arc<dyn PhysicalExpr> = Arc::new(Column::new(column, index));
    in_list(id, list, &true, schema)
}

/// The plan's columns by name, cast to the wanted types and without the others.
fn shape(plan: Arc<dyn ExecutionPlan>, target: &Schema) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = plan.schema();
    let same = schema.fields().len() == target.fields().len()
        && schema.fields().iter().zip(target.fields()).all(|(a, b)| {
            a.name() == b.name() && a.data_type() == b.data_type() && a.metadata() == b.metadata()
        });
    if same {
        return Ok(plan);
    }
    let mut columns: Vec<(Arc<dyn PhysicalExpr>, String)> = Vec::new();
    for field in target.fields() {
        let index = schema.index_of(field.name())?;
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(field.name(), index));
        // A cast to the very field also drops the metadata that the lake's columns carry.
        let column: Arc<dyn PhysicalExpr> =
            Arc::new(CastExpr::new_with_target_field(column, field.clone(), None));
        columns.push((column, field.name().clone()));
    }
    Ok(Arc::new(ProjectionExec::try_new(columns, plan)?))
}

#[async_trait]
impl TableProvider for SlotTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let bound = state.config().get_extension::<Bound>().ok_or_else(|| {
            DataFusionError::Internal("a table was read outside a session".to_owned())
        })?;
        let session = state
            .as_any()
            .downcast_ref::<SessionState>()
            .ok_or_else(|| {
                DataFusionError::Internal("a table was read by an unknown session".to_owned())
            })?;
        match bound.identity.1.shape(self.spec.name) {
            None => self.rows(&bound, session, projection, filters).await,
            Some(shape) => self.told(&bound, session, shape, projection, filters).await,
        }
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }
}
