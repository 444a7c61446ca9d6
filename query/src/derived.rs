//! Rows that SQL makes of other rows, in the shape of the lake's tables: what a flush stores is
//! what the views answer.
//!
//! The views are asked over a narrowed snapshot, which holds all that bears on the days and little
//! else, so that a round costs what the days cost and not what the lake holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Int64Type, SchemaRef};
use async_trait::async_trait;
use callboard_model::tables::{
    AGENT_INTERVALS, AGENT_STATES, Day, OFFERS, QUEUE_INTERVALS, SEGMENTS, TableSpec,
};
use callboard_model::time::format_rfc3339;
use callboard_store::snapshot::Snapshot;
use callboard_store::store::Derive;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, col, lit};

use crate::error::{Class, QueryError};
use crate::{Engine, Param, Principal, Session};

/// Spans of agents that are laid out at once: what windows over them hold in memory is a few
/// hundred bytes a span.
const SPANS_AT_ONCE: i64 = 200_000;
/// So many days a predicate names one by one; more are named by their first and last.
const DAYS_BY_NAME: usize = 40;

/// What a store's flush calls to make its derived tables.
pub fn deriver(engine: &Engine) -> Arc<dyn Derive> {
    Arc::new(Deriver {
        session: engine.session(Principal::local()).native(),
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
        let days: BTreeSet<i32> = days.iter().copied().collect();
        let made = async {
            Ok::<_, QueryError>(BTreeMap::from([
                (
                    QUEUE_INTERVALS.name,
                    queue_intervals(&self.session, &snapshot, &days).await?,
                ),
                (
                    AGENT_INTERVALS.name,
                    agent_intervals(&self.session, &snapshot, &days).await?,
                ),
            ]))
        };
        made.await.map_err(|e| e.to_string())
    }
}

/// Rows of `queue_intervals` that begin on these UTC days.
async fn queue_intervals(
    session: &Session,
    snapshot: &Arc<Snapshot>,
    days: &BTreeSet<i32>,
) -> Result<Vec<RecordBatch>, QueryError> {
    let mut entered = Vec::new();
    let mut params = Vec::new();
    for (first, last) in stretches(days) {
        let n = params.len();
        entered.push(format!(
            "started_at >= ${} AND started_at < ${}",
            n + 1,
            n + 2
        ));
        params.push(moment(first));
        params.push(moment(last + 1));
    }
    if entered.is_empty() {
        return Ok(Vec::new());
    }
    // A stay counts on the day of its entry and lies with its contact, whose day may be another.
    let sql = format!(
        "SELECT DISTINCT day FROM segments WHERE kind = 'queue' AND ({})",
        entered.join(" OR ")
    );
    let of_contacts = days_in(session, &nameless(snapshot), &sql, params).await?;
    let narrowed = narrowed(snapshot, [(SEGMENTS.name, on(&of_contacts))]);
    rows(session, &narrowed, &QUEUE_INTERVALS, days, None).await
}

/// Rows of `agent_intervals` that begin on these UTC days.
async fn agent_intervals(
    session: &Session,
    snapshot: &Arc<Snapshot>,
    days: &BTreeSet<i32>,
) -> Result<Vec<RecordBatch>, QueryError> {
    let Some(first) = days.first() else {
        return Ok(Vec::new());
    };
    // Whatever lasts into the first day or begins later: so each moment from then on is told by
    // all that is known of it, the last one before included.
    let from = lit(ScalarValue::TimestampMicrosecond(
        Some(Day(*first).start().0),
        Some("UTC".into()),
    ));
    let ended = || col("ended_at").gt_eq(from.clone());
    let lasts = |also: Expr| ended().or(col("ended_at").is_null().and(also));
    let spans = [
        (SEGMENTS.name, lasts(col("state").eq(lit("open")))),
        (OFFERS.name, lasts(col("outcome").is_null())),
    ];
    let parts = narrowed(snapshot, spans);
    // An agent's name for a phone holds for a day, and is asked for on the days of the contacts.
    let named = "SELECT DISTINCT day FROM segments";
    let named = days_in(session, &nameless(&parts), named, vec![]).await?;
    let states = lasts(lit(true)).or(on(&named));
    let parts = narrowed(&parts, [(AGENT_STATES.name, states)]);
    let mut made = Vec::new();
    for agents in slices(session, &parts).await? {
        made.extend(rows(session, &parts, &AGENT_INTERVALS, days, Some(agents)).await?);
    }
    Ok(made)
}

/// Neighbours in the order of their names, first and last, who together have few spans enough to
/// be laid out at once.
async fn slices(
    session: &Session,
    snapshot: &Arc<Snapshot>,
) -> Result<Vec<(String, String)>, QueryError> {
    let sql = "SELECT agent, count(*) AS spans FROM agent_spans GROUP BY agent ORDER BY agent";
    let answer = session.query_on(snapshot.clone(), sql, vec![]).await?;
    let mut slices: Vec<(String, String)> = Vec::new();
    let mut held = 0;
    for batch in answer.collect().await?.batches {
        let agents = batch.column(0).as_string::<i32>();
        let spans = batch.column(1).as_primitive::<Int64Type>();
        for row in (0..batch.num_rows()).filter(|row| agents.is_valid(*row)) {
            let (agent, n) = (agents.value(row), spans.value(row));
            match slices.last_mut() {
                Some((_, last)) if held + n <= SPANS_AT_ONCE => {
                    held += n;
                    agent.clone_into(last);
                }
                _ => {
                    held = n;
                    slices.push((agent.to_owned(), agent.to_owned()));
                }
            }
        }
    }
    Ok(slices)
}

/// The rows of a view that begin on these days, in the shape of the lake's table.
async fn rows(
    session: &Session,
    snapshot: &Arc<Snapshot>,
    spec: &TableSpec,
    days: &BTreeSet<i32>,
    agents: Option<(String, String)>,
) -> Result<Vec<RecordBatch>, QueryError> {
    let columns: Vec<&str> = spec.columns.iter().map(|c| c.name).collect();
    let list: Vec<String> = (1..=days.len()).map(|n| format!("${n}")).collect();
    let mut sql = format!(
        "SELECT {} FROM callboard.{} WHERE day IN ({})",
        columns.join(", "),
        spec.name,
        list.join(", ")
    );
    let mut params: Vec<Param> = days.iter().map(|d| Param::Text(date(*d))).collect();
    if let Some((first, last)) = agents {
        let n = params.len();
        sql += &format!(" AND agent >= ${} AND agent <= ${}", n + 1, n + 2);
        params.extend([Param::Text(first), Param::Text(last)]);
    }
    let answer = session.query_on(snapshot.clone(), &sql, params).await?;
    let schema = spec.schema();
    let answer = answer.collect().await?;
    answer.batches.iter().map(|b| shaped(b, &schema)).collect()
}

/// The days that a query answers.
async fn days_in(
    session: &Session,
    snapshot: &Arc<Snapshot>,
    sql: &str,
    params: Vec<Param>,
) -> Result<BTreeSet<i32>, QueryError> {
    let answer = session.query_on(snapshot.clone(), sql, params).await?;
    let answer = answer.collect().await?;
    let days = answer.batches.iter().flat_map(|batch| {
        let days = batch.column(0).as_primitive::<Date32Type>();
        days.iter().flatten().collect::<Vec<i32>>()
    });
    Ok(days.collect())
}

/// The snapshot with fewer of the lake's rows in some tables.
fn narrowed<const N: usize>(
    snapshot: &Arc<Snapshot>,
    only: [(&'static str, Expr); N],
) -> Arc<Snapshot> {
    let mut narrowed = Snapshot::clone(snapshot);
    for (table, only) in only {
        if let Some(table) = narrowed.tables.get_mut(table) {
            table.only = Some(match table.only.take() {
                Some(already) => already.and(only),
                None => only,
            });
        }
    }
    Arc::new(narrowed)
}

/// True of no row.
fn nowhere() -> Expr {
    col("day").is_null()
}

/// The snapshot for questions in which agents' names do not matter.
fn nameless(snapshot: &Arc<Snapshot>) -> Arc<Snapshot> {
    narrowed(snapshot, [(AGENT_STATES.name, nowhere())])
}

/// True on these days; on some between them too where they are many.
fn on(days: &BTreeSet<i32>) -> Expr {
    let day = |day: &i32| lit(ScalarValue::Date32(Some(*day)));
    match (days.first(), days.last()) {
        (Some(first), Some(last)) if days.len() > DAYS_BY_NAME => {
            col("day").between(day(first), day(last))
        }
        (Some(_), Some(_)) => col("day").in_list(days.iter().map(day).collect(), false),
        _ => nowhere(),
    }
}

/// Days in a row, as first and last.
fn stretches(days: &BTreeSet<i32>) -> Vec<(i32, i32)> {
    let mut all: Vec<(i32, i32)> = Vec::new();
    for day in days {
        match all.last_mut() {
            Some((_, last)) if *last + 1 == *day => *last = *day,
            _ => all.push((*day, *day)),
        }
    }
    all
}

fn moment(day: i32) -> Param {
    Param::Text(format_rfc3339(Day(day).start().0))
}

fn date(day: i32) -> String {
    chrono::DateTime::from_timestamp_micros(Day(day).start().0)
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
