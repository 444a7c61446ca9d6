//! Times in a zone as PostgreSQL gives them: `started_at AT TIME ZONE 'Asia/Kolkata'` is the local
//! time of that place, without a zone. The engine keeps the instant and the zone's name; the wire
//! knows only whole hours of an offset, and a client would read another instant.

use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{ArrayRef, AsArray, RecordBatch, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;

/// Zones that are UTC: their times go to the wire as they are.
const UTC: [&str; 3] = ["UTC", "+00:00", "Z"];

fn elsewhere(kind: &DataType) -> Option<&str> {
    match kind {
        DataType::Timestamp(_, Some(zone)) if !UTC.contains(&zone.as_ref()) => Some(zone.as_ref()),
        _ => None,
    }
}

/// The columns as the wire gets them.
pub(super) fn schema(schema: &Schema) -> Schema {
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|f| match elsewhere(f.data_type()) {
            Some(_) => Field::new(
                f.name(),
                DataType::Timestamp(TimeUnit::Microsecond, None),
                true,
            ),
            None => f.as_ref().clone(),
        })
        .collect();
    Schema::new(fields)
}

/// The rows as the wire gets them.
///
/// # Errors
/// When a zone is not known.
pub(super) fn batch(batch: RecordBatch) -> Result<RecordBatch, ArrowError> {
    if !batch
        .columns()
        .iter()
        .any(|c| elsewhere(c.data_type()).is_some())
    {
        return Ok(batch);
    }
    let columns = batch
        .columns()
        .iter()
        .map(|column| match elsewhere(column.data_type()) {
            Some(zone) => local(column, zone),
            None => Ok(column.clone()),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let told: SchemaRef = Arc::new(schema(batch.schema_ref()));
    RecordBatch::try_new(told, columns)
}

fn local(column: &ArrayRef, zone: &str) -> Result<ArrayRef, ArrowError> {
    let zone: Tz = zone.parse()?;
    let utc = cast(
        column,
        &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
    )?;
    let utc = utc.as_primitive::<TimestampMicrosecondType>();
    let there: TimestampMicrosecondArray = (0..utc.len())
        .map(|row| {
            let at = utc.value_as_datetime_with_tz(row, zone)?;
            Some(at.naive_local().and_utc().timestamp_micros())
        })
        .collect();
    Ok(Arc::new(there))
}
