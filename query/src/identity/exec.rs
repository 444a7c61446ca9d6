//! Puts our names in the place of the platforms', batch by batch.

use std::fmt;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning,
    PlanProperties, ReplaceChildrenOptions,
};
use futures::StreamExt;

use super::{Identity, Role, Shape};

/// The first columns of its input, some of them told by the files.
pub(crate) struct ResolveExec {
    input: Arc<dyn ExecutionPlan>,
    by: Arc<Identity>,
    shape: &'static Shape,
    /// What each column holds that is passed on; the columns behind them are only read.
    roles: Arc<[Option<Role>]>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
}

impl ResolveExec {
    /// `roles` are those of the columns of `schema`, which are the first of the input's.
    pub(crate) fn new(
        input: Arc<dyn ExecutionPlan>,
        by: Arc<Identity>,
        shape: &'static Shape,
        roles: Arc<[Option<Role>]>,
        schema: SchemaRef,
    ) -> Self {
        let parts = input.output_partitioning().partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema.clone()),
            Partitioning::UnknownPartitioning(parts),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        ResolveExec {
            input,
            by,
            shape,
            roles,
            schema,
            properties: Arc::new(properties),
        }
    }
}

impl fmt::Debug for ResolveExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResolveExec({:?})", self.roles)
    }
}

impl DisplayAs for ResolveExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = self.roles.iter().zip(self.schema.fields());
        let names: Vec<&str> = told
            .filter(|(role, _)| role.is_some())
            .map(|(_, field)| field.name().as_str())
            .collect();
        write!(f, "ResolveExec: names=[{}]", names.join(", "))
    }
}

impl ExecutionPlan for ResolveExec {
    fn name(&self) -> &str {
        "ResolveExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
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
            Some(input) => Arc::new(ResolveExec::new(
                input,
                self.by.clone(),
                self.shape,
                self.roles.clone(),
                self.schema.clone(),
            )),
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
        let input = self.input.execute(partition, context)?;
        let (by, shape, roles) = (self.by.clone(), self.shape, self.roles.clone());
        let schema = self.schema.clone();
        let told = input.map(move |batch| resolved(&batch?, shape, &roles, &by, &schema));
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            self.schema.clone(),
            told,
        )))
    }
}

fn resolved(
    batch: &RecordBatch,
    shape: &Shape,
    roles: &[Option<Role>],
    by: &Identity,
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    let columns = roles
        .iter()
        .zip(batch.columns())
        .map(|(role, column)| match role {
            Some(role) => shape.resolve(batch, column, *role, by),
            None => column.clone(),
        })
        .collect();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(
        schema.clone(),
        columns,
        &options,
    )?)
}
