//! Rows that sum up many calls: what the analytics themselves count of a queue, by how its calls
//! ended, and of an agent. They stand beside ours and make no call.

use std::sync::Arc;

use callboard_model::ids::Key;
use callboard_model::record::{Provenance, Record, Refusal, RouteKey, Routing, rank};

use super::read::{At, day};
use super::row::Row;
use super::story::queue_name;
use super::{instance_source, nothing};
use crate::payload::measured::Figures;

/// An hour, microseconds.
const HOUR: i64 = 3_600_000_000;

/// What a row counts.
pub fn route(record: &Record) -> Result<Routing, Refusal> {
    let row = Row::of(record)?;
    let Some((figures, calls)) = figures(&row) else {
        return Ok(nothing(None));
    };
    let source = instance_source(&record.stamp.instance);
    let end = figures.end.map(|t| t.0);
    // A row does not say when it was written. Calls become more, so that of two rows the one that
    // counts more of them is the later.
    let by = record.provenance(rank::RECORD, end);
    let by = Arc::new(Provenance {
        sequence: u64::try_from(calls).unwrap_or(0),
        ..(*by).clone()
    });
    let key: Key = figures.key(&source);
    Ok(Routing {
        keys: vec![RouteKey::Direct(key)],
        statements: Some(figures.says(&source, &by)),
        time: end,
    })
}

/// The figures of a row with the number of calls that they are of; nothing where it tells of no day.
fn figures(row: &Row) -> Option<(Figures, i64)> {
    let queue = row.get(&["cqname", "callqueuename", "cqraname"]);
    let agent = row.get(&["agentname"]);
    let mut scope = Vec::new();
    scope.extend(agent.map(|a| format!("agent:{a}")));
    scope.extend(queue.map(|q| format!("queue:{}", queue_name(q))));
    let calls = row.int(&["callcount", "totalcallcount"])?;
    if scope.is_empty() {
        return None;
    }
    let (start, end) = span(row)?;
    let mut figures = Figures {
        scope: scope.join(" "),
        start: Some(start),
        end: Some(end),
        values: Vec::new(),
    };
    let ended: Vec<&str> = [
        &["callqueuecallresult", "callqueuecallresultlegend"][..],
        &["callqueuefinalstateaction"][..],
    ]
    .iter()
    .filter_map(|names| row.get(names))
    .collect();
    let named = |name: &str| match ended.is_empty() {
        true => name.to_owned(),
        false => format!("{name} {}", ended.join(" ")),
    };
    let number = |names: &[&str]| row.get(names).and_then(|t| t.parse::<f64>().ok());
    figures.add(named("CallCount"), "count", Some(calls as f64));
    for (name, unit, columns) in [
        (
            "AverageCallDuration",
            "s",
            &["averagecalldurationseconds"][..],
        ),
        (
            "AverageCallQueueDuration",
            "s",
            &[
                "averagecallqueuedurationsec",
                "averagecallqueuedurationseconds",
            ][..],
        ),
        (
            "TotalCallDuration",
            "min",
            &["totalcalldurationminutes"][..],
        ),
    ] {
        figures.add(named(name), unit, number(columns));
    }
    Some((figures, calls))
}

/// The hour of a row, else its day, in UTC.
fn span(row: &Row) -> Option<(At, At)> {
    let date = row.get(&["utcdate", "date"]).and_then(day)?;
    let midnight = date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros();
    let hour = row.int(&["cqhour", "hour"]).filter(|h| (0..24).contains(h));
    let (from, length) = match hour {
        Some(hour) => (midnight + hour * HOUR, HOUR),
        None => (midnight, 24 * HOUR),
    };
    let at = |us: i64| (us, 1_000_000);
    Some((at(from), at(from + length)))
}
