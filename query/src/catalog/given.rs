//! Tables of what the files of identities say: those that the session is bound to.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::table::Bound;
use crate::identity::Given;

/// One of them.
#[derive(Debug)]
pub struct GivenTable {
    given: Given,
    schema: SchemaRef,
}

impl GivenTable {
    /// All of them, with their names.
    pub fn all() -> impl Iterator<Item = (String, GivenTable)> {
        let all = [Given::Names, Given::Numbers, Given::Verdicts];
        all.into_iter().map(|given| {
            let schema = given.schema();
            (given.table().to_owned(), GivenTable { given, schema })
        })
    }
}

#[async_trait]
impl TableProvider for GivenTable {
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
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let bound = state.config().get_extension::<Bound>().ok_or_else(|| {
            DataFusionError::Internal("identities were read outside a session".to_owned())
        })?;
        let batch = bound.identity.1.batch(self.given)?;
        let rows = [vec![batch]];
        let exec =
            MemorySourceConfig::try_new_exec(&rows, self.schema.clone(), projection.cloned())?;
        Ok(exec)
    }
}
