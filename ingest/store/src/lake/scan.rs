//! Reading rows back: the one place of the store that runs a query engine.

use std::sync::Arc;

use callboard_model::tables::{Kind, TableSpec};
use deltalake::DeltaTable;
use deltalake::arrow::array::RecordBatch;
use deltalake::datafusion::common::ScalarValue;
use deltalake::datafusion::error::DataFusionError;
use deltalake::datafusion::functions_nested::expr_fn::{array_has_any, make_array};
use deltalake::datafusion::logical_expr::{Expr, ident};
use deltalake::datafusion::prelude::{SessionConfig, SessionContext};

use super::{LakeError, rows};

/// `day in (...)`.
pub(super) fn day_in(days: impl IntoIterator<Item = i32>) -> Expr {
    let days = days
        .into_iter()
        .map(|day| Expr::Literal(ScalarValue::Date32(Some(day)), None))
        .collect();
    ident("day").in_list(days, false)
}

/// Whether the list in `column` holds any of the values.
fn any_in(column: &str, values: impl IntoIterator<Item = String>) -> Expr {
    let values = values
        .into_iter()
        .map(|value| Expr::Literal(ScalarValue::Utf8(Some(value)), None))
        .collect();
    array_has_any(ident(column), make_array(values))
}

/// `column in (...)`, with values as they are: nothing is parsed, so nothing needs quoting.
pub(super) fn text_in(column: &str, values: impl IntoIterator<Item = String>) -> Expr {
    let values = values
        .into_iter()
        .map(|value| Expr::Literal(ScalarValue::Utf8(Some(value)), None))
        .collect();
    ident(column).in_list(values, false)
}

pub(super) async fn scan(
    spec: &'static TableSpec,
    table: DeltaTable,
    days: Option<&[i32]>,
    filter: Option<(&str, &[String])>,
) -> Result<Vec<RecordBatch>, LakeError> {
    if days.is_some_and(<[i32]>::is_empty) || filter.is_some_and(|(_, values)| values.is_empty()) {
        return Ok(Vec::new());
    }
    if let Some((column, _)) = filter
        && spec.column(column).is_none()
    {
        return Err(LakeError::Schema {
            table: spec.name.to_owned(),
            reason: format!("there is no column {column}"),
        });
    }
    let batches = run(spec, table, days, filter)
        .await
        .map_err(|error| LakeError::Delta {
            table: spec.name.to_owned(),
            action: "reading rows",
            source: Box::new(error),
        })?;
    batches
        .iter()
        .filter(|batch| batch.num_rows() > 0)
        .map(|batch| {
            rows::normalise(spec, batch).map_err(|source| LakeError::Rows {
                table: spec.name.to_owned(),
                source,
            })
        })
        .collect()
}

async fn run(
    spec: &'static TableSpec,
    table: DeltaTable,
    days: Option<&[i32]>,
    filter: Option<(&str, &[String])>,
) -> Result<Vec<RecordBatch>, deltalake::DeltaTableError> {
    // One partition: this runs beside ingest, which must not notice it.
    let config = SessionConfig::new().with_target_partitions(1);
    let context = SessionContext::new_with_config(config);
    table.update_datafusion_session(&context.state())?;
    let provider = table.table_provider().await?;
    let query = async {
        let mut frame = context.read_table(Arc::clone(&provider))?;
        if let Some(days) = days {
            frame = frame.filter(day_in(days.iter().copied()))?;
        }
        if let Some((column, values)) = filter {
            let values = values.iter().cloned();
            frame = frame.filter(match spec.column(column).map(|c| c.kind) {
                Some(Kind::Texts) => any_in(column, values),
                _ => text_in(column, values),
            })?;
        }
        frame.collect().await
    };
    query.await.map_err(
        |error: DataFusionError| deltalake::DeltaTableError::GenericError {
            source: Box::new(error),
        },
    )
}
