//! Rows and errors as the protocol writes them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion_postgres::arrow_pg::datatypes::{arrow_schema_to_pg_fields, encode_recordbatch};
use datafusion_postgres::pgwire::api::portal::Format;
use datafusion_postgres::pgwire::api::results::{FieldInfo, QueryResponse, Response};
use datafusion_postgres::pgwire::error::{ErrorInfo, PgWireError, PgWireResult};
use datafusion_postgres::pgwire::types::format::FormatOptions;
use futures::channel::oneshot;
use futures::stream::{self, BoxStream, StreamExt};

use super::settings;
use super::zones::{self, Zone};
use crate::error::{Class, QueryError};

/// An error as clients know it.
pub(super) fn fail(e: QueryError) -> PgWireError {
    PgWireError::UserError(Box::new(ErrorInfo::new(
        "ERROR".to_owned(),
        e.sqlstate().to_owned(),
        e.message,
    )))
}

/// What SHOW answers, as rows.
pub(super) fn show(
    name: &str,
    metadata: &HashMap<String, String>,
) -> Result<RecordBatch, QueryError> {
    let internal = |e: arrow::error::ArrowError| QueryError::new(Class::Internal, e.to_string());
    if name.eq_ignore_ascii_case("all") {
        let (names, values): (Vec<_>, Vec<_>) = settings::all()
            .map(|(n, _)| (n, settings::show(n, metadata).unwrap_or_default()))
            .unzip();
        let schema = Schema::new(vec![
            Field::new("name", DataType::Utf8, false),
            Field::new("setting", DataType::Utf8, false),
        ]);
        let columns: Vec<arrow::array::ArrayRef> = vec![
            Arc::new(StringArray::from(names)),
            Arc::new(StringArray::from(values)),
        ];
        return RecordBatch::try_new(Arc::new(schema), columns).map_err(internal);
    }
    let value = settings::show(name, metadata)?;
    let schema = show_schema(name);
    RecordBatch::try_new(schema, vec![Arc::new(StringArray::from(vec![value]))]).map_err(internal)
}

/// The column of a SHOW.
pub(super) fn show_schema(name: &str) -> SchemaRef {
    let column = match name.to_ascii_lowercase().as_str() {
        "timezone" | "time zone" => "TimeZone".to_owned(),
        other => other.replace(' ', "_"),
    };
    Arc::new(Schema::new(vec![Field::new(column, DataType::Utf8, false)]))
}

/// Columns for the wire.
pub(super) fn fields(schema: &Schema, format: &Format) -> PgWireResult<Vec<FieldInfo>> {
    arrow_schema_to_pg_fields(schema, format, Some(Arc::new(FormatOptions::default())))
}

/// Rows on their way.
pub(super) type Rows = BoxStream<'static, Result<RecordBatch, QueryError>>;

/// Rows for the wire, given up when the client cancels; their times are shown in that zone.
pub(super) fn respond(
    schema: &Schema,
    rows: Rows,
    format: &Format,
    zone: Zone,
    cancel: Option<oneshot::Receiver<()>>,
) -> PgWireResult<Response> {
    let fields = Arc::new(fields(schema, format)?);
    let encode = fields.clone();
    let stream = stream::unfold((Some(rows), cancel), |(rows, cancel)| async move {
        let mut rows = rows?;
        let next = match cancel {
            None => (rows.next().await, None),
            Some(mut cancel) => tokio::select! {
                next = rows.next() => (next, Some(cancel)),
                asked = &mut cancel => match asked {
                    Ok(()) => {
                        drop(rows);
                        let e = QueryError::new(
                            Class::Cancelled,
                            "canceling statement due to user request",
                        );
                        return Some((Err(e), (None, None)));
                    }
                    // The sender went away without a word: nobody can cancel any more.
                    Err(_) => (rows.next().await, None),
                },
            },
        };
        match next {
            (None, _) => None,
            (Some(Err(e)), _) => Some((Err(e), (None, None))),
            (Some(Ok(batch)), cancel) => Some((Ok(batch), (Some(rows), cancel))),
        }
    });
    let lines = stream.flat_map(move |batch| {
        let told = |batch| {
            zones::written(batch, &encode, zone)
                .map_err(|e| QueryError::new(Class::Internal, e.to_string()))
        };
        let rows: Vec<_> = match batch.and_then(told) {
            Ok(batch) => encode_recordbatch(encode.clone(), batch).collect(),
            Err(e) => vec![Err(fail(e))],
        };
        stream::iter(rows)
    });
    Ok(Response::Query(QueryResponse::new(fields, lines)))
}
