//! The one way from a page to data: a SQL text goes in, plain rows come out. Everything passes
//! [`Data`], so that pages know neither the query engine nor Arrow.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType as Micros,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use async_trait::async_trait;

/// One cell of a result.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Not known, or does not apply.
    Null,
    /// True or false.
    Bool(bool),
    /// A count or milliseconds.
    Int(i64),
    /// A ratio, a mean, a probability.
    Float(f64),
    /// Text.
    Text(String),
    /// UTC microseconds since 1970.
    Time(i64),
    /// A list of texts.
    Texts(Vec<String>),
    /// Raw bytes.
    Bytes(Vec<u8>),
}

impl Value {
    /// As a number, when it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Int(v) | Value::Time(v) => Some(*v as f64),
            Value::Float(v) if v.is_finite() => Some(*v),
            Value::Bool(v) => Some(f64::from(u8::from(*v))),
            _ => None,
        }
    }

    /// As an integer, when it is one.
    pub fn int(&self) -> Option<i64> {
        match self {
            Value::Int(v) | Value::Time(v) => Some(*v),
            Value::Float(v) if v.is_finite() => Some(v.round() as i64),
            Value::Bool(v) => Some(i64::from(*v)),
            _ => None,
        }
    }

    /// As text, when it is text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(v) => Some(v),
            _ => None,
        }
    }

    /// Whether it is not known.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// As it stands in a URL, a CSV cell or a key; NULL is empty.
    pub fn plain(&self) -> String {
        match self {
            Value::Null => String::new(),
            Value::Bool(v) => v.to_string(),
            Value::Int(v) => v.to_string(),
            Value::Float(v) => v.to_string(),
            Value::Text(v) => v.clone(),
            Value::Time(v) => callboard_model::time::format_rfc3339(*v),
            Value::Texts(v) => v.join(", "),
            Value::Bytes(v) => String::from_utf8_lossy(v).into_owned(),
        }
    }
}

/// The rows of one query, with the snapshot they were read from.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// Column names in order.
    pub columns: Vec<String>,
    /// Rows; each as long as `columns`.
    pub rows: Vec<Vec<Value>>,
    /// The snapshot's *now*, UTC microseconds.
    pub now: i64,
    /// The snapshot's version.
    pub version: u64,
}

impl Rows {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Index of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c == name)
    }

    /// The rows with access by column name.
    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|cells| Row { rows: self, cells })
    }

    /// The first row.
    pub fn first(&self) -> Option<Row<'_>> {
        self.iter().next()
    }

    /// Rows out of Arrow batches.
    ///
    /// # Errors
    /// When a column has a type that has no text form.
    pub fn from_batches(
        batches: &[RecordBatch],
        version: u64,
        now: i64,
    ) -> Result<Self, DataError> {
        let mut out = Rows {
            version,
            now,
            ..Rows::default()
        };
        for batch in batches {
            if out.columns.is_empty() {
                let schema = batch.schema();
                out.columns = schema.fields().iter().map(|f| f.name().clone()).collect();
            }
            let columns: Vec<Vec<Value>> = batch
                .columns()
                .iter()
                .map(|c| cells(c.as_ref()))
                .collect::<Result<_, _>>()?;
            let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
            for _ in 0..batch.num_rows() {
                let row = columns
                    .iter_mut()
                    .map(|c| c.next().unwrap_or(Value::Null))
                    .collect();
                out.rows.push(row);
            }
        }
        Ok(out)
    }
}

/// One row with access by column name; an unknown column reads as NULL.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    rows: &'a Rows,
    cells: &'a [Value],
}

impl<'a> Row<'a> {
    /// The cell of that column.
    pub fn get(&self, column: &str) -> &'a Value {
        match self.rows.column(column) {
            Some(at) => &self.cells[at],
            None => &Value::Null,
        }
    }

    /// Text of that column.
    pub fn text(&self, column: &str) -> Option<&'a str> {
        self.get(column).text()
    }

    /// Integer (count, milliseconds, UTC microseconds) of that column.
    pub fn int(&self, column: &str) -> Option<i64> {
        self.get(column).int()
    }

    /// Number of that column.
    pub fn number(&self, column: &str) -> Option<f64> {
        self.get(column).number()
    }

    /// Whether that column says true.
    pub fn is(&self, column: &str) -> bool {
        matches!(self.get(column), Value::Bool(true))
    }
}

fn cells(array: &dyn Array) -> Result<Vec<Value>, DataError> {
    let bad = |e: arrow::error::ArrowError| DataError::Failed(format!("reading a result: {e}"));
    let n = array.len();
    let pick = |i: usize, f: &dyn Fn(usize) -> Value| {
        if array.is_null(i) { Value::Null } else { f(i) }
    };
    let out = match array.data_type() {
        DataType::Null => vec![Value::Null; n],
        DataType::Boolean => {
            let a = array.as_boolean();
            (0..n)
                .map(|i| pick(i, &|i| Value::Bool(a.value(i))))
                .collect()
        }
        t if t.is_integer() => {
            let c = cast(array, &DataType::Int64).map_err(bad)?;
            let a = c.as_primitive::<Int64Type>();
            (0..n)
                .map(|i| pick(i, &|i| Value::Int(a.value(i))))
                .collect()
        }
        t if t.is_floating() || matches!(t, DataType::Decimal128(..)) => {
            let c = cast(array, &DataType::Float64).map_err(bad)?;
            let a = c.as_primitive::<Float64Type>();
            (0..n)
                .map(|i| pick(i, &|i| Value::Float(a.value(i))))
                .collect()
        }
        DataType::Timestamp(_, zone) => {
            let to = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
            let c = cast(array, &to).map_err(bad)?;
            let a = c.as_primitive::<Micros>();
            (0..n)
                .map(|i| pick(i, &|i| Value::Time(a.value(i))))
                .collect()
        }
        DataType::Binary | DataType::BinaryView | DataType::LargeBinary => {
            let c = cast(array, &DataType::Binary).map_err(bad)?;
            let a = c.as_binary::<i32>();
            (0..n)
                .map(|i| pick(i, &|i| Value::Bytes(a.value(i).to_vec())))
                .collect()
        }
        DataType::List(_) => {
            let a = array.as_list::<i32>();
            let texts = |i: usize| match cells(a.value(i).as_ref()) {
                Ok(v) => Value::Texts(v.iter().map(Value::plain).collect()),
                Err(_) => Value::Null,
            };
            (0..n).map(|i| pick(i, &texts)).collect()
        }
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 | DataType::Dictionary(..) => {
            let c = cast(array, &DataType::Utf8).map_err(bad)?;
            let a = c.as_string::<i32>();
            (0..n)
                .map(|i| pick(i, &|i| Value::Text(a.value(i).to_owned())))
                .collect()
        }
        _ => {
            let f = ArrayFormatter::try_new(array, &FormatOptions::default()).map_err(bad)?;
            (0..n)
                .map(|i| pick(i, &|i| Value::Text(f.value(i).to_string())))
                .collect()
        }
    };
    Ok(out)
}

/// Why a query gave no rows.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DataError {
    /// The query is wrong (a report's own SQL, usually); the text says where.
    #[error("{0}")]
    Refused(String),
    /// A limit of time, memory or rows ended it.
    #[error("{0}")]
    Limited(String),
    /// Too many queries are running or waiting; the same one can be answered later.
    #[error("{0}")]
    Busy(String),
    /// The engine could not answer.
    #[error("{0}")]
    Failed(String),
}

/// A session of some principal: the only door to data.
#[async_trait]
pub trait Data: Send + Sync {
    /// The rows of `sql`, read from the newest snapshot; the same text on the same snapshot may
    /// be answered from memory.
    ///
    /// # Errors
    /// See [`DataError`].
    async fn rows(&self, sql: &str) -> Result<Arc<Rows>, DataError>;

    /// The same over one snapshot and no other, so that several queries of one page agree: the
    /// newest, or that of the earlier moment of which this data tells.
    fn pin(&self) -> Arc<dyn Data>;

    /// The same as it was known at an earlier moment, UTC microseconds.
    ///
    /// # Errors
    /// See [`DataError`]: [`DataError::Refused`] for a moment that has not come yet.
    async fn at(&self, as_of: i64) -> Result<Arc<dyn Data>, DataError>;
}

/// A text as a SQL literal.
pub fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// A list of texts as SQL literals, for `IN (...)`; never empty.
pub fn texts<S: AsRef<str>>(values: &[S]) -> String {
    if values.is_empty() {
        return "NULL".to_owned();
    }
    let quoted: Vec<String> = values.iter().map(|v| text(v.as_ref())).collect();
    quoted.join(", ")
}

/// A point in time (UTC microseconds) as a SQL literal.
pub fn time(us: i64) -> String {
    format!("arrow_cast({us}, 'Timestamp(Microsecond, Some(\"UTC\"))')")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_cannot_end_a_literal() {
        assert_eq!(text("O'Neill"), "'O''Neill'");
        assert_eq!(texts(&["a", "b'"]), "'a', 'b'''");
        assert_eq!(texts::<&str>(&[]), "NULL");
    }

    #[test]
    fn batches_become_rows_with_times_in_microseconds() {
        use callboard_model::tables::{Day, Instant, LinkRow, Row as _};
        let row = LinkRow {
            from_contact: "a".into(),
            to_contact: "b".into(),
            kind: "transfer".into(),
            at: Some(Instant(1_500_000)),
            day: Day(0),
        };
        let batch = LinkRow::batch(&[row]).unwrap();
        let rows = Rows::from_batches(&[batch], 7, 9).unwrap();
        let first = rows.first().unwrap();
        assert_eq!(first.text("to_contact"), Some("b"));
        assert_eq!(first.get("at"), &Value::Time(1_500_000));
        assert_eq!(first.get("no such column"), &Value::Null);
        assert_eq!((rows.version, rows.now), (7, 9));
    }
}
