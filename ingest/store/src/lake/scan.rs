//! Reading rows back: the one place of the store that runs a query engine.
//!
//! Delta turns every list in a predicate into a chain of comparisons, as deep as the list is long,
//! and walks it by recursion: lists beyond [`LONGEST_LIST`] go as a range, and rows are picked here.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use callboard_model::tables::{Kind, TableSpec};
use deltalake::DeltaTable;
use deltalake::arrow::array::RecordBatch;
use deltalake::arrow::error::ArrowError;
use deltalake::datafusion::catalog::Session;
use deltalake::datafusion::common::ScalarValue;
use deltalake::datafusion::error::DataFusionError;
use deltalake::datafusion::execution::runtime_env::RuntimeEnv;
use deltalake::datafusion::logical_expr::{Expr, ident};
use deltalake::datafusion::prelude::{SessionConfig, SessionContext};
use deltalake::delta_datafusion::create_session;
use futures::StreamExt as _;

use super::{Lake, LakeError, rows};

/// Makes an engine read a table's files through the table's own store. For local files the engine
/// has one already, which compares nothing with checksums, and Delta leaves it in its place.
pub fn read_by_own_store(table: &DeltaTable, runtime: &RuntimeEnv) {
    let log = table.log_store();
    let mut root = log.root_url().clone();
    root.set_path("/");
    runtime.register_object_store(&root, log.root_object_store(None));
}

/// A session for Delta's own operations, which read old files to write new ones.
pub(super) fn session(table: &DeltaTable) -> Arc<dyn Session> {
    let state = create_session().state();
    read_by_own_store(table, state.runtime_env());
    Arc::new(state)
}

/// Most values that a predicate may name.
pub(super) const LONGEST_LIST: usize = 64;

fn day(day: i32) -> Expr {
    Expr::Literal(ScalarValue::Date32(Some(day)), None)
}

fn instant(at: i64) -> Expr {
    let at = ScalarValue::TimestampMicrosecond(Some(at), Some("UTC".into()));
    Expr::Literal(at, None)
}

/// True where a time is not later than this, UTC microseconds.
pub(crate) fn not_later(column: &str, at: i64) -> Expr {
    ident(column).lt_eq(instant(at))
}

/// True of spans of days up to this one that last into that moment, UTC microseconds, or beyond.
pub(super) fn lasting(until_day: i32, from: i64) -> Expr {
    let ended = ident("ended_at");
    let lasts = ended.clone().gt_eq(instant(from)).or(ended.is_null());
    ident("day").lt_eq(day(until_day)).and(lasts)
}

fn text(value: &str) -> Expr {
    Expr::Literal(ScalarValue::Utf8(Some(value.to_owned())), None)
}

/// True for these days; for others too when they are many.
pub(super) fn around_days(days: &BTreeSet<i32>) -> Option<Expr> {
    let (first, last) = (days.first()?, days.last()?);
    Some(if days.len() <= LONGEST_LIST {
        ident("day").in_list(days.iter().map(|d| day(*d)).collect(), false)
    } else {
        ident("day").between(day(*first), day(*last))
    })
}

/// True for these texts; for others too when they are many. Values stay as they are: nothing is
/// parsed, so nothing needs quoting.
pub(super) fn around_texts(column: &str, values: &BTreeSet<&str>) -> Option<Expr> {
    let (first, last) = (values.first()?, values.last()?);
    Some(if values.len() <= LONGEST_LIST {
        ident(column).in_list(values.iter().map(|v| text(v)).collect(), false)
    } else {
        ident(column).between(text(first), text(last))
    })
}

impl Lake {
    /// Rows of a table of spans that lie before that day's end and last into that moment (UTC
    /// microseconds) or beyond, those without an end among them.
    ///
    /// # Errors
    /// [`LakeError`].
    pub(crate) async fn lasting(
        &self,
        table: &str,
        until_day: i32,
        from: i64,
    ) -> Result<Vec<RecordBatch>, LakeError> {
        if let Some(instead) = &self.instead {
            return instead.scan(table, None, None).await;
        }
        let table = self.table(table)?;
        let lasting = lasting(until_day, from);
        read(table.spec, table.published(), Some(lasting), &Ok).await
    }

    /// Rows of the table: of these days (all when `None`), where `filter`'s column holds one of
    /// its values (all when `None`). In the table's schema, in no order.
    ///
    /// # Errors
    /// [`LakeError`].
    pub async fn scan(
        &self,
        table: &str,
        days: Option<&[i32]>,
        filter: Option<(&str, &[String])>,
    ) -> Result<Vec<RecordBatch>, LakeError> {
        if let Some(instead) = &self.instead {
            return instead.scan(table, days, filter).await;
        }
        let table = self.table(table)?;
        scan(table.spec, table.published(), days, filter).await
    }
}

/// Rows of these days (all when `None`), where a column holds one of some values (all when `None`).
pub(super) async fn scan(
    spec: &'static TableSpec,
    table: DeltaTable,
    days: Option<&[i32]>,
    filter: Option<(&str, &[String])>,
) -> Result<Vec<RecordBatch>, LakeError> {
    let days: Option<BTreeSet<i32>> = days.map(|d| d.iter().copied().collect());
    if days.as_ref().is_some_and(BTreeSet::is_empty) || filter.is_some_and(|(_, v)| v.is_empty()) {
        return Ok(Vec::new());
    }
    let mut predicate = days.as_ref().and_then(around_days);
    let mut list = None;
    if let Some((column, values)) = filter {
        let Some(kind) = spec.column(column).map(|c| c.kind) else {
            return Err(LakeError::Schema {
                table: spec.name.to_owned(),
                reason: format!("there is no column {column}"),
            });
        };
        if kind != Kind::Texts {
            let named = around_texts(column, &values.iter().map(String::as_str).collect());
            predicate = match (predicate, named) {
                (Some(a), Some(b)) => Some(a.and(b)),
                (a, b) => a.or(b),
            };
        }
        let values: HashSet<&str> = values.iter().map(String::as_str).collect();
        list = Some((column, values));
    }
    read(spec, table, predicate, &|batch| {
        let batch = match &days {
            Some(days) if days.len() > LONGEST_LIST => rows::on_days(&batch, days)?,
            _ => batch,
        };
        match &list {
            Some((column, values)) => rows::holding(&batch, column, values),
            None => Ok(batch),
        }
    })
    .await
}

/// Rows for which the predicate holds, each batch as `pick` gives it: a large table is never in
/// memory whole.
pub(super) async fn read(
    spec: &'static TableSpec,
    table: DeltaTable,
    predicate: Option<Expr>,
    pick: &(dyn Fn(RecordBatch) -> Result<RecordBatch, ArrowError> + Sync),
) -> Result<Vec<RecordBatch>, LakeError> {
    let mut found = Vec::new();
    each(spec, table, predicate, &mut |batch| {
        let picked = pick(batch).map_err(|source| LakeError::Rows {
            table: spec.name.to_owned(),
            source,
        })?;
        if picked.num_rows() > 0 {
            found.push(picked);
        }
        Ok::<(), LakeError>(())
    })
    .await?;
    Ok(found)
}

/// What is read of a table: all of it, or what every bound that is given lets through.
#[derive(Default)]
pub(crate) struct Part<'a> {
    /// These days and no others.
    pub days: Option<BTreeSet<i32>>,
    /// This day and later ones.
    pub from_day: Option<i32>,
    /// A time that is later than this, UTC microseconds.
    pub after: Option<(&'a str, i64)>,
    /// A time that is not later than this, UTC microseconds.
    pub until: Option<(&'a str, i64)>,
    /// A text, or any text of a list, that is one of these.
    pub holding: Option<(&'a str, &'a HashSet<&'a str>)>,
}

/// Hands over the rows of a part of a table at its version, batch by batch, until one is refused.
///
/// # Errors
/// [`LakeError`] when the table cannot be read, and what `take` says.
pub(crate) async fn read_part<E: From<LakeError>>(
    spec: &'static TableSpec,
    table: &DeltaTable,
    part: &Part<'_>,
    take: &mut (dyn FnMut(RecordBatch) -> Result<(), E> + Send),
) -> Result<(), E> {
    if part.days.as_ref().is_some_and(BTreeSet::is_empty)
        || part.holding.is_some_and(|(_, values)| values.is_empty())
    {
        return Ok(());
    }
    let named = part.holding.and_then(|(column, values)| {
        let listed = spec.column(column).map(|c| c.kind) == Some(Kind::Texts);
        let values = values.iter().copied().collect();
        (!listed).then(|| around_texts(column, &values))?
    });
    let bounds = [
        part.days.as_ref().and_then(around_days),
        part.from_day.map(|first| ident("day").gt_eq(day(first))),
        part.after.map(|(column, at)| ident(column).gt(instant(at))),
        part.until.map(|(column, at)| not_later(column, at)),
        named,
    ];
    let predicate = bounds.into_iter().flatten().reduce(Expr::and);
    each(spec, table.clone(), predicate, &mut |batch| {
        let picked = match &part.days {
            Some(days) if days.len() > LONGEST_LIST => rows::on_days(&batch, days),
            _ => Ok(batch),
        };
        let picked = picked.and_then(|batch| match part.holding {
            Some((column, values)) => rows::holding(&batch, column, values),
            None => Ok(batch),
        });
        let picked = picked.map_err(|source| LakeError::Rows {
            table: spec.name.to_owned(),
            source,
        })?;
        if picked.num_rows() == 0 {
            return Ok(());
        }
        take(picked)
    })
    .await
}

/// Hands over the rows for which the predicate holds.
async fn each<E: From<LakeError>>(
    spec: &'static TableSpec,
    table: DeltaTable,
    predicate: Option<Expr>,
    take: &mut (dyn FnMut(RecordBatch) -> Result<(), E> + Send),
) -> Result<(), E> {
    let reading = |source: deltalake::DeltaTableError| LakeError::Delta {
        table: spec.name.to_owned(),
        action: "reading rows",
        source: Box::new(source),
    };
    // One partition: this runs beside ingest, which must not notice it.
    let config = SessionConfig::new().with_target_partitions(1);
    let context = SessionContext::new_with_config(config);
    read_by_own_store(&table, &context.runtime_env());
    let provider = table
        .table_provider()
        .await
        .map_err(|e| reading(e.into()))?;
    let engine = |error: DataFusionError| LakeError::Delta {
        table: spec.name.to_owned(),
        action: "reading rows",
        source: Box::new(deltalake::DeltaTableError::GenericError {
            source: Box::new(error),
        }),
    };
    let mut frame = context.read_table(Arc::clone(&provider)).map_err(engine)?;
    if let Some(predicate) = predicate {
        frame = frame.filter(predicate).map_err(engine)?;
    }
    let mut stream = frame.execute_stream().await.map_err(engine)?;
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(engine)?;
        let batch = rows::normalise(spec, &batch).map_err(|source| LakeError::Rows {
            table: spec.name.to_owned(),
            source,
        })?;
        take(batch)?;
    }
    Ok(())
}
