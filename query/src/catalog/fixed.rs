//! Tables that hold no contacts' rows: the clock of the snapshot, and the documentation.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::table::Bound;

/// A table of fixed rows that nobody can write to.
#[derive(Debug)]
pub struct FixedTable {
    batch: RecordBatch,
    kind: TableType,
}

impl FixedTable {
    /// A table of these rows.
    pub fn new(batch: RecordBatch, kind: TableType) -> Self {
        FixedTable { batch, kind }
    }

    /// A table of texts.
    ///
    /// # Errors
    /// When rows and columns do not fit.
    pub fn texts(columns: &[&str], rows: &[Vec<Option<String>>]) -> Result<Self> {
        let fields: Vec<Field> = columns
            .iter()
            .map(|c| Field::new(*c, DataType::Utf8, true))
            .collect();
        let arrays: Vec<ArrayRef> = (0..columns.len())
            .map(|i| {
                let cells: Vec<Option<&str>> = rows
                    .iter()
                    .map(|r| r.get(i).and_then(|c| c.as_deref()))
                    .collect();
                if cells.is_empty() {
                    new_null_array(&DataType::Utf8, 0)
                } else {
                    Arc::new(StringArray::from(cells)) as ArrayRef
                }
            })
            .collect();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?;
        Ok(FixedTable::new(batch, TableType::View))
    }
}

#[async_trait]
impl TableProvider for FixedTable {
    fn schema(&self) -> SchemaRef {
        self.batch.schema()
    }

    fn table_type(&self) -> TableType {
        self.kind
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let rows = vec![vec![self.batch.clone()]];
        let exec =
            MemorySourceConfig::try_new_exec(&rows, self.batch.schema(), projection.cloned())?;
        Ok(exec)
    }
}

/// One row: version, flush and now of the snapshot that the session is bound to.
#[derive(Debug)]
pub struct Clock {
    schema: SchemaRef,
}

impl Clock {
    /// The clock.
    pub fn new() -> Self {
        Clock {
            schema: Arc::new(Schema::new(vec![
                Field::new("version", DataType::Int64, false),
                Field::new("flush", DataType::Int64, false),
                Field::new(
                    "now",
                    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
                    false,
                ),
            ])),
        }
    }
}

#[async_trait]
impl TableProvider for Clock {
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
            DataFusionError::Internal("the clock was read outside a session".to_owned())
        })?;
        let s = &bound.snapshot.0;
        let number = |n: u64| Int64Array::from(vec![i64::try_from(n).unwrap_or(i64::MAX)]);
        let batch = RecordBatch::try_new(
            self.schema.clone(),
            vec![
                Arc::new(number(s.version)),
                Arc::new(number(s.flush)),
                Arc::new(TimestampMicrosecondArray::from(vec![s.now]).with_timezone("UTC")),
            ],
        )?;
        let exec = MemorySourceConfig::try_new_exec(
            &[vec![batch]],
            self.schema.clone(),
            projection.cloned(),
        )?;
        Ok(exec)
    }
}
