//! Derived tables for the lake, made by SQL: the store knows none, so it is handed this.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use callboard_query::{Engine, Principal};
use callboard_store::snapshot::Snapshot;
use callboard_store::store::Derive;

/// `queue_intervals` and `agent_intervals` by the same SQL as the views.
pub struct Derived(pub Engine);

#[async_trait::async_trait]
impl Derive for Derived {
    async fn derive(
        &self,
        snapshot: Arc<Snapshot>,
        days: &[i32],
    ) -> Result<BTreeMap<&'static str, Vec<RecordBatch>>, String> {
        let session = self.0.session(Principal::local());
        callboard_query::derived(&session, &snapshot, days)
            .await
            .map_err(|e| e.to_string())
    }
}
