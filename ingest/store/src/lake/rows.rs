//! Rows as a table wants them: its types, its order.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use callboard_model::tables::TableSpec;
use deltalake::arrow::array::{
    Array, AsArray, BooleanArray, Date32Array, RecordBatch, StringArray,
};
use deltalake::arrow::compute::{
    SortColumn, cast, concat_batches, filter_record_batch, lexsort_to_indices, take_record_batch,
};
use deltalake::arrow::datatypes::Date32Type;
use deltalake::arrow::error::ArrowError;

use super::Replace;

/// The batch with the table's columns in the table's order and types. A column that is missing
/// and may be NULL is NULL; a reader gives views and dictionaries where we want plain arrays.
pub(crate) fn normalise(spec: &TableSpec, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let schema = spec.schema();
    if batch.schema_ref() == &schema {
        return Ok(batch.clone());
    }
    let mut columns = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let column = match batch.column_by_name(field.name()) {
            Some(column) if column.data_type() == field.data_type() => Arc::clone(column),
            Some(column) => cast(column, field.data_type())?,
            None if field.is_nullable() => {
                deltalake::arrow::array::new_null_array(field.data_type(), batch.num_rows())
            }
            None => {
                return Err(ArrowError::SchemaError(format!(
                    "column {} is missing",
                    field.name()
                )));
            }
        };
        columns.push(column);
    }
    RecordBatch::try_new(schema, columns)
}

/// All rows in one batch, by day and the table's sort columns.
pub(crate) fn sorted(spec: &TableSpec, batches: &[RecordBatch]) -> Result<RecordBatch, ArrowError> {
    let batches = batches
        .iter()
        .map(|batch| normalise(spec, batch))
        .collect::<Result<Vec<_>, _>>()?;
    let all = concat_batches(&spec.schema(), &batches)?;
    let by: Vec<SortColumn> = std::iter::once("day")
        .chain(spec.sort.iter().copied())
        .filter_map(|name| all.column_by_name(name))
        .map(|values| SortColumn {
            values: Arc::clone(values),
            options: None,
        })
        .collect();
    if by.is_empty() || all.num_rows() < 2 {
        return Ok(all);
    }
    let order = lexsort_to_indices(&by, None)?;
    take_record_batch(&all, &order)
}

/// Days of the rows.
pub(crate) fn days_of(batch: &RecordBatch) -> BTreeSet<i32> {
    let Some(days) = batch
        .column_by_name("day")
        .and_then(|days| days.as_primitive_opt::<Date32Type>())
    else {
        return BTreeSet::new();
    };
    days.iter().flatten().collect()
}

/// Ids of the rows.
pub(crate) fn ids_of(spec: &TableSpec, batch: &RecordBatch) -> BTreeSet<String> {
    let Some(ids) = batch
        .column_by_name(spec.id)
        .and_then(|ids| ids.as_string_opt::<i32>())
    else {
        return BTreeSet::new();
    };
    ids.iter().flatten().map(str::to_owned).collect()
}

/// Rows that a write replaces.
pub(crate) struct Replaced {
    /// Their days.
    pub days: BTreeSet<i32>,
    /// Their ids; all when `None`.
    pub ids: Option<BTreeSet<String>>,
    /// Of these ids only rows from that day on.
    since: BTreeMap<String, i32>,
}

impl Replaced {
    /// What the new rows of a write and its plan replace.
    pub fn of(spec: &TableSpec, new: &RecordBatch, replace: Replace) -> Self {
        let mut days = days_of(new);
        days.extend(replace.days);
        let mut ids = ids_of(spec, new);
        ids.extend(replace.ids);
        let mut since = replace.since;
        since.retain(|_, since| days.first().is_some_and(|first| first < since));
        Replaced {
            days,
            ids: (!replace.whole_days).then_some(ids),
            since,
        }
    }

    /// Whether days and ids alone say which rows are replaced.
    pub fn is_plain(&self) -> bool {
        self.since.is_empty()
    }

    fn holds(&self, id: Option<&str>, day: i32) -> bool {
        let Some(ids) = &self.ids else {
            return self.days.contains(&day);
        };
        self.days.contains(&day)
            && id.is_some_and(|id| {
                ids.contains(id) && self.since.get(id).is_none_or(|since| day >= *since)
            })
    }
}

/// The rows that stay.
pub(crate) fn without(
    spec: &TableSpec,
    batch: &RecordBatch,
    replaced: &Replaced,
) -> Result<RecordBatch, ArrowError> {
    let on = days_in(batch)?;
    let named = texts_in(batch, spec.id)?;
    let keep: BooleanArray = (0..batch.num_rows())
        .map(|row| {
            let id = (!named.is_null(row)).then(|| named.value(row));
            Some(!replaced.holds(id, on.value(row)))
        })
        .collect();
    filter_record_batch(batch, &keep)
}

/// The rows of these days.
pub(crate) fn on_days(
    batch: &RecordBatch,
    days: &BTreeSet<i32>,
) -> Result<RecordBatch, ArrowError> {
    let on = days_in(batch)?;
    let keep: BooleanArray = (0..batch.num_rows())
        .map(|row| Some(days.contains(&on.value(row))))
        .collect();
    filter_record_batch(batch, &keep)
}

/// The rows whose text, or any text of whose list, is one of these values.
pub(crate) fn holding(
    batch: &RecordBatch,
    column: &str,
    values: &HashSet<&str>,
) -> Result<RecordBatch, ArrowError> {
    let any = |texts: &StringArray| texts.iter().flatten().any(|text| values.contains(text));
    let lists = batch
        .column_by_name(column)
        .and_then(|column| column.as_list_opt::<i32>());
    let keep: BooleanArray = match lists {
        Some(lists) => (0..lists.len())
            .map(|row| {
                let found = !lists.is_null(row)
                    && lists.value(row).as_string_opt::<i32>().is_some_and(&any);
                Some(found)
            })
            .collect(),
        None => texts_in(batch, column)?
            .iter()
            .map(|text| Some(text.is_some_and(|text| values.contains(text))))
            .collect(),
    };
    filter_record_batch(batch, &keep)
}

fn days_in(batch: &RecordBatch) -> Result<&Date32Array, ArrowError> {
    batch
        .column_by_name("day")
        .and_then(|days| days.as_primitive_opt::<Date32Type>())
        .ok_or_else(|| ArrowError::SchemaError("column day is missing".to_owned()))
}

fn texts_in<'a>(batch: &'a RecordBatch, column: &str) -> Result<&'a StringArray, ArrowError> {
    batch
        .column_by_name(column)
        .and_then(|texts| texts.as_string_opt::<i32>())
        .ok_or_else(|| ArrowError::SchemaError(format!("column {column} is missing")))
}
