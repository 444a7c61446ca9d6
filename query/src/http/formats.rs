//! Rows as JSON, CSV and Arrow.

use std::collections::VecDeque;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::csv::WriterBuilder;
use arrow::datatypes::{DataType, Schema};
use arrow::ipc::writer::StreamWriter;
use arrow::json::writer::{JsonArray, Writer, WriterBuilder as JsonBuilder};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use bytes::Bytes;
use futures::stream::{self, Stream};
use serde_json::json;

use crate::error::{Class, QueryError};
use crate::{Answer, QueryResult};

fn internal(e: impl std::fmt::Display) -> QueryError {
    QueryError::new(Class::Internal, e.to_string())
}

/// `{"columns": [{name, type}], "rows": [{...}], "version", "now"}`.
pub fn json(answer: &Answer) -> Result<Vec<u8>, QueryError> {
    let columns: Vec<_> = answer
        .schema
        .fields()
        .iter()
        .map(|f| json!({"name": f.name(), "type": kind(f.data_type())}))
        .collect();
    let mut out = Vec::new();
    out.extend_from_slice(b"{\"columns\":");
    serde_json::to_writer(&mut out, &columns).map_err(internal)?;
    out.extend_from_slice(b",\"rows\":");
    let mut rows: Writer<_, JsonArray> = JsonBuilder::new()
        .with_explicit_nulls(true)
        .build(Vec::new());
    for batch in &answer.batches {
        rows.write(batch).map_err(internal)?;
    }
    rows.finish().map_err(internal)?;
    let rows = rows.into_inner();
    out.extend_from_slice(if rows.is_empty() { b"[]" } else { &rows });
    let now = callboard_model::time::format_rfc3339(answer.now);
    let tail = format!(",\"version\":{},\"now\":\"{now}\"}}\n", answer.version);
    out.extend_from_slice(tail.as_bytes());
    Ok(out)
}

fn kind(t: &DataType) -> &'static str {
    use DataType::{Binary, Boolean, Date32, Float32, Float64, List, Timestamp};
    match t {
        Boolean => "boolean",
        t if t.is_integer() => "integer",
        Float32 | Float64 => "number",
        Timestamp(..) => "timestamp",
        Date32 => "date",
        Binary => "bytes",
        List(_) => "list",
        _ => "text",
    }
}

/// What a stream still has to send.
struct Pending {
    result: QueryResult,
    chunks: VecDeque<Bytes>,
    done: bool,
}

type Chunks = stream::BoxStream<'static, Result<Bytes, QueryError>>;

/// The first rows are waited for, so that a query that fails at once is answered as a problem.
async fn first(result: &mut QueryResult) -> Result<Option<RecordBatch>, QueryError> {
    result.next().await.transpose()
}

/// CSV with a line of names; lists are JSON-like texts, bytes hex.
pub async fn csv(mut result: QueryResult) -> Result<Chunks, QueryError> {
    let schema = result.schema.clone();
    let mut chunks = VecDeque::new();
    let empty = RecordBatch::new_empty(schema);
    chunks.push_back(csv_chunk(&empty, true)?);
    if let Some(batch) = first(&mut result).await? {
        chunks.push_back(csv_chunk(&batch, false)?);
    }
    let pending = Pending {
        result,
        chunks,
        done: false,
    };
    Ok(Box::pin(run(pending, |batch| csv_chunk(batch, false))))
}

fn csv_chunk(batch: &RecordBatch, header: bool) -> Result<Bytes, QueryError> {
    let columns: Vec<ArrayRef> = batch
        .columns()
        .iter()
        .map(|c| match c.data_type() {
            DataType::List(_) | DataType::LargeList(_) | DataType::Struct(_) => printed(c),
            _ => Ok(c.clone()),
        })
        .collect::<Result<_, _>>()?;
    let fields: Vec<_> = batch
        .schema()
        .fields()
        .iter()
        .zip(&columns)
        .map(|(f, c)| f.as_ref().clone().with_data_type(c.data_type().clone()))
        .collect();
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let batch = RecordBatch::try_new_with_options(
        std::sync::Arc::new(Schema::new(fields)),
        columns,
        &options,
    )
    .map_err(internal)?;
    let mut out = Vec::new();
    let mut writer = WriterBuilder::new().with_header(header).build(&mut out);
    writer.write(&batch).map_err(internal)?;
    drop(writer);
    Ok(out.into())
}

fn printed(column: &ArrayRef) -> Result<ArrayRef, QueryError> {
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(column, &options).map_err(internal)?;
    let texts: arrow::array::StringArray = (0..column.len())
        .map(|i| (!column.is_null(i)).then(|| formatter.value(i).to_string()))
        .collect();
    Ok(std::sync::Arc::new(texts))
}

/// An Arrow IPC stream.
pub async fn arrow(mut result: QueryResult) -> Result<Chunks, QueryError> {
    let schema = result.schema.clone();
    let mut writer = StreamWriter::try_new(Vec::new(), &schema).map_err(internal)?;
    if let Some(batch) = first(&mut result).await? {
        writer.write(&batch).map_err(internal)?;
    }
    let head = std::mem::take(writer.get_mut());
    let state = (Some(result), writer, Some(Bytes::from(head)));
    let chunks = stream::unfold(state, |(result, mut writer, head)| async move {
        if let Some(head) = head {
            return Some((Ok(head), (result, writer, None)));
        }
        let mut result = result?;
        let wrote = match result.next().await {
            Some(Err(e)) => return Some((Err(e), (None, writer, None))),
            Some(Ok(batch)) => writer.write(&batch).map(|()| true),
            None => writer.finish().map(|()| false),
        };
        match wrote {
            Err(e) => Some((Err(internal(e)), (None, writer, None))),
            Ok(more) => {
                let bytes = Bytes::from(std::mem::take(writer.get_mut()));
                Some((Ok(bytes), (more.then_some(result), writer, None)))
            }
        }
    });
    Ok(Box::pin(chunks))
}

fn run(
    pending: Pending,
    encode: impl Fn(&RecordBatch) -> Result<Bytes, QueryError> + Copy + Send + 'static,
) -> impl Stream<Item = Result<Bytes, QueryError>> + Send {
    stream::unfold(pending, move |mut p| async move {
        if let Some(chunk) = p.chunks.pop_front() {
            return Some((Ok(chunk), p));
        }
        if p.done {
            return None;
        }
        let item = match p.result.next().await? {
            Ok(batch) => encode(&batch),
            Err(e) => Err(e),
        };
        p.done = item.is_err();
        Some((item, p))
    })
}
