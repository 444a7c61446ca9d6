//! A lake of another making.

use deltalake::arrow::array::RecordBatch;

use super::{LakeError, WritePlan};

/// Tables that are kept otherwise than in Delta: the fault tests keep thousands in memory.
#[async_trait::async_trait]
pub trait Instead: Send + Sync {
    /// As [`super::Lake::applied`].
    fn applied(&self, table: &str) -> i64;
    /// As [`super::Lake::certain`].
    async fn certain(&self, table: &str) -> Result<i64, LakeError>;
    /// As [`super::Lake::write`].
    async fn write(&self, table: &str, flush_no: i64, plan: WritePlan) -> Result<bool, LakeError>;
    /// As [`super::Lake::scan`].
    async fn scan(
        &self,
        table: &str,
        days: Option<&[i32]>,
        filter: Option<(&str, &[String])>,
    ) -> Result<Vec<RecordBatch>, LakeError>;
}
