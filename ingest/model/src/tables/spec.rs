//! What a table is: its columns with their units and meanings, how it is sorted, and which
//! column names what a correction replaces. The lake, the SQL views and the documentation are
//! all made from these descriptions.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, BooleanBuilder, Date32Builder, Float64Builder,
    Int64Builder, ListBuilder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{
    DataType, Date32Type, Field, Float64Type, Int64Type, Schema, SchemaRef, TimeUnit,
    TimestampMicrosecondType,
};

/// The type of a column, as far as the lake and SQL care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// A list of UTF-8 texts.
    Texts,
    /// 64-bit integer; counts and milliseconds.
    Int,
    /// 64-bit floating point.
    Float,
    /// True or false.
    Bool,
    /// A point in time: UTC microseconds since 1970.
    Time,
    /// A UTC calendar day: the partition column.
    Day,
    /// Raw bytes.
    Bytes,
}

impl Kind {
    /// The Arrow type that carries this kind.
    pub fn arrow(self) -> DataType {
        match self {
            Kind::Text => DataType::Utf8,
            Kind::Texts => DataType::List(Arc::new(Field::new("element", DataType::Utf8, true))),
            Kind::Int => DataType::Int64,
            Kind::Float => DataType::Float64,
            Kind::Bool => DataType::Boolean,
            Kind::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Kind::Day => DataType::Date32,
            Kind::Bytes => DataType::Binary,
        }
    }
}

/// One column of a table.
#[derive(Debug, Clone, Copy)]
pub struct ColumnSpec {
    /// Name in the lake and in SQL.
    pub name: &'static str,
    /// Type.
    pub kind: Kind,
    /// Whether it may be NULL; NULL always means "not known" or "does not apply".
    pub nullable: bool,
    /// What the column says; shown by `\d+` and in the reference.
    pub comment: &'static str,
}

/// One table of the lake.
#[derive(Debug, Clone, Copy)]
pub struct TableSpec {
    /// Name in the lake and in SQL.
    pub name: &'static str,
    /// What a row is.
    pub comment: &'static str,
    /// Columns in order; the last one is always `day`, the partition.
    pub columns: &'static [ColumnSpec],
    /// The column whose values name what a correction replaces (a contact's id, an agent's name).
    pub id: &'static str,
    /// Columns by which rows of one file are sorted.
    pub sort: &'static [&'static str],
}

impl TableSpec {
    /// The Arrow schema, every column with its comment as metadata `comment`.
    pub fn schema(&self) -> SchemaRef {
        let fields: Vec<Field> = self
            .columns
            .iter()
            .map(|c| {
                Field::new(c.name, c.kind.arrow(), c.nullable)
                    .with_metadata([("comment".to_owned(), c.comment.to_owned())].into())
            })
            .collect();
        Arc::new(Schema::new(fields))
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&'static ColumnSpec> {
        self.columns.iter().find(|c| c.name == name)
    }
}

/// A Rust value that is one cell of a column.
pub trait Cell: Clone {
    /// The column type.
    const KIND: Kind;
    /// Whether NULL can occur.
    const NULLABLE: bool;
    /// The cell of a column; `None` when the column is of another type or the cell is NULL where
    /// it must not be.
    fn read(column: &ArrayRef, row: usize) -> Option<Self>;
    /// The column of all given cells.
    fn column<'a>(cells: impl Iterator<Item = &'a Self>) -> ArrayRef
    where
        Self: 'a;
}

/// A point in time in UTC microseconds since 1970; a type of its own so that it is not
/// mistaken for a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(pub i64);

/// A UTC day, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Day(pub i32);

impl Instant {
    /// The UTC day on which this instant lies.
    pub fn day(self) -> Day {
        Day(i32::try_from(self.0.div_euclid(86_400_000_000)).unwrap_or(0))
    }
}

impl Day {
    /// Midnight at the day's beginning.
    pub fn start(self) -> Instant {
        Instant(i64::from(self.0) * 86_400_000_000)
    }
}

macro_rules! cell {
    ($type:ty, $kind:expr, $n:ident => $builder:expr, |$b:ident, $v:ident| $push:expr, |$c:ident, $r:ident| $read:expr) => {
        impl Cell for $type {
            const KIND: Kind = $kind;
            const NULLABLE: bool = false;
            fn read($c: &ArrayRef, $r: usize) -> Option<Self> {
                if $c.is_null($r) { None } else { $read }
            }
            fn column<'a>(cells: impl Iterator<Item = &'a Self>) -> ArrayRef {
                let $n = cells.size_hint().0;
                let mut $b = $builder;
                for $v in cells {
                    $push;
                }
                let mut column = $b.finish();
                // Live rows are many small batches: what a builder keeps in reserve adds up.
                column.shrink_to_fit();
                Arc::new(column)
            }
        }
        impl Cell for Option<$type> {
            const KIND: Kind = $kind;
            const NULLABLE: bool = true;
            fn read(column: &ArrayRef, row: usize) -> Option<Self> {
                if column.is_null(row) {
                    Some(None)
                } else {
                    <$type>::read(column, row).map(Some)
                }
            }
            fn column<'a>(cells: impl Iterator<Item = &'a Self>) -> ArrayRef {
                let $n = cells.size_hint().0;
                let mut $b = $builder;
                for cell in cells {
                    match cell {
                        Some($v) => $push,
                        None => $b.append_null(),
                    }
                }
                let mut column = $b.finish();
                column.shrink_to_fit();
                Arc::new(column)
            }
        }
    };
}

fn times(n: usize) -> TimestampMicrosecondBuilder {
    TimestampMicrosecondBuilder::with_capacity(n).with_timezone("UTC")
}

fn lists(n: usize) -> ListBuilder<StringBuilder> {
    ListBuilder::with_capacity(StringBuilder::with_capacity(n, 16 * n), n)
        .with_field(Arc::new(Field::new("element", DataType::Utf8, true)))
}

cell!(
    String,
    Kind::Text,
    n => StringBuilder::with_capacity(n, 16 * n),
    |b, v| b.append_value(v),
    |c, r| Some(c.as_string_opt::<i32>()?.value(r).to_owned())
);
cell!(
    i64,
    Kind::Int,
    n => Int64Builder::with_capacity(n),
    |b, v| b.append_value(*v),
    |c, r| Some(c.as_primitive_opt::<Int64Type>()?.value(r))
);
cell!(
    f64,
    Kind::Float,
    n => Float64Builder::with_capacity(n),
    |b, v| b.append_value(*v),
    |c, r| Some(c.as_primitive_opt::<Float64Type>()?.value(r))
);
cell!(
    bool,
    Kind::Bool,
    n => BooleanBuilder::with_capacity(n),
    |b, v| b.append_value(*v),
    |c, r| Some(c.as_boolean_opt()?.value(r))
);
cell!(
    Instant,
    Kind::Time,
    n => times(n),
    |b, v| b.append_value(v.0),
    |c, r| Some(Instant(
        c.as_primitive_opt::<TimestampMicrosecondType>()?.value(r),
    ))
);
cell!(
    Day,
    Kind::Day,
    n => Date32Builder::with_capacity(n),
    |b, v| b.append_value(v.0),
    |c, r| Some(Day(c.as_primitive_opt::<Date32Type>()?.value(r)))
);
cell!(
    Vec<u8>,
    Kind::Bytes,
    n => BinaryBuilder::with_capacity(n, 64 * n),
    |b, v| b.append_value(v),
    |c, r| Some(c.as_binary_opt::<i32>()?.value(r).to_vec())
);
cell!(
    Vec<String>,
    Kind::Texts,
    n => lists(n),
    |b, v| b.append_value(v.iter().map(|s| Some(s.as_str()))),
    |c, r| {
        let list = c.as_list_opt::<i32>()?.value(r);
        let texts = list.as_string_opt::<i32>()?;
        Some(texts.iter().flatten().map(str::to_owned).collect())
    }
);

/// Declares a row type, its table description and the way to an Arrow batch, once.
macro_rules! table {
    (
        $(#[doc = $doc:literal])+
        $row:ident => $spec:ident = $name:literal, id $id:literal, sort [$($sort:literal),*];
        $( $field:ident : $type:ty = $comment:literal ),+ $(,)?
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq)]
        pub struct $row {
            $( #[doc = $comment] pub $field: $type, )+
            /// UTC day of the partition.
            pub day: crate::tables::Day,
        }

        #[doc = concat!("Description of the table `", $name, "`.")]
        pub static $spec: crate::tables::TableSpec = crate::tables::TableSpec {
            name: $name,
            comment: concat!($($doc),+),
            columns: &[
                $( crate::tables::ColumnSpec {
                    name: stringify!($field),
                    kind: <$type as crate::tables::Cell>::KIND,
                    nullable: <$type as crate::tables::Cell>::NULLABLE,
                    comment: $comment,
                }, )+
                crate::tables::ColumnSpec {
                    name: "day",
                    kind: crate::tables::Kind::Day,
                    nullable: false,
                    comment: "UTC day of the partition",
                },
            ],
            id: $id,
            sort: &[$($sort),*],
        };

        impl $row {
            /// The rows of a batch of this table; rows that do not fit it are left out.
            pub fn from_batch(batch: &arrow::array::RecordBatch) -> Vec<Self> {
                use crate::tables::Cell;
                (0..batch.num_rows())
                    .filter_map(|row| Some($row {
                        $( $field: <$type>::read(batch.column_by_name(stringify!($field))?, row)?, )+
                        day: crate::tables::Day::read(batch.column_by_name("day")?, row)?,
                    }))
                    .collect()
            }
        }

        impl crate::tables::Row for $row {
            fn spec() -> &'static crate::tables::TableSpec {
                &$spec
            }
            fn columns(rows: &[Self]) -> Vec<arrow::array::ArrayRef> {
                use crate::tables::Cell;
                vec![
                    $( <$type>::column(rows.iter().map(|r| &r.$field)), )+
                    crate::tables::Day::column(rows.iter().map(|r| &r.day)),
                ]
            }
        }
    };
}
pub(crate) use table;

/// A row type of a table.
pub trait Row: Sized {
    /// The table.
    fn spec() -> &'static TableSpec;
    /// The columns of these rows, in the order of the table.
    fn columns(rows: &[Self]) -> Vec<ArrayRef>;
    /// An Arrow batch of these rows.
    ///
    /// # Errors
    /// Only when the row type and its description disagree, which a test excludes.
    fn batch(rows: &[Self]) -> Result<arrow::array::RecordBatch, arrow::error::ArrowError> {
        arrow::array::RecordBatch::try_new(Self::spec().schema(), Self::columns(rows))
    }
}
