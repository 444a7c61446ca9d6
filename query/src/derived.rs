//! Rows that SQL makes of other rows, in the shape of the lake's tables: what a flush stores is
//! what the views answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use callboard_model::tables::{AGENT_INTERVALS, Day, QUEUE_INTERVALS};
use callboard_store::snapshot::Snapshot;
use callboard_store::store::Derive;

use crate::error::{Class, QueryError};
use crate::{Engine, Param, Principal, Session};

/// What a store's flush calls to make its derived tables.
pub fn deriver(engine: &Engine) -> Arc<dyn Derive> {
    Arc::new(Deriver {
        session: engine.session(Principal::local()),
    })
}

struct Deriver {
    session: Session,
}

#[async_trait]
impl Derive for Deriver {
    async fn derive(
        &self,
        snapshot: Arc<Snapshot>,
        days: &[i32],
    ) -> Result<BTreeMap<&'static str, Vec<RecordBatch>>, String> {
        derived(&self.session, &snapshot, days)
            .await
            .map_err(|e| e.to_string())
    }
}

/// The rows of `queue_intervals` and `agent_intervals` that begin on these UTC days, as the views
/// show them over this snapshot, by table.
///
/// # Errors
/// As any query.
pub async fn derived(
    session: &Session,
    snapshot: &Arc<Snapshot>,
    days: &[i32],
) -> Result<BTreeMap<&'static str, Vec<RecordBatch>>, QueryError> {
    let mut all = BTreeMap::new();
    for spec in [&QUEUE_INTERVALS, &AGENT_INTERVALS] {
        let columns: Vec<&str> = spec.columns.iter().map(|c| c.name).collect();
        let schema = spec.schema();
        let mut batches = Vec::new();
        if !days.is_empty() {
            let list: Vec<String> = (1..=days.len()).map(|n| format!("${n}")).collect();
            let sql = format!(
                "SELECT {} FROM callboard.{} WHERE day IN ({})",
                columns.join(", "),
                spec.name,
                list.join(", ")
            );
            let params = days.iter().map(|d| Param::Text(date(Day(*d)))).collect();
            let answer = session
                .query_on(snapshot.clone(), &sql, params)
                .await?
                .collect()
                .await?;
            for batch in &answer.batches {
                batches.push(shaped(batch, &schema)?);
            }
        }
        all.insert(spec.name, batches);
    }
    Ok(all)
}

fn date(day: Day) -> String {
    chrono::DateTime::from_timestamp_micros(day.start().0)
        .unwrap_or_default()
        .format("%Y-%m-%d")
        .to_string()
}

fn shaped(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, QueryError> {
    let columns = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(c, f)| arrow::compute::cast(c, f.data_type()))
        .collect::<Result<Vec<_>, _>>()
        .and_then(|columns| RecordBatch::try_new(schema.clone(), columns));
    columns.map_err(|e| QueryError::new(Class::Internal, e.to_string()))
}
