//! Figures that the platform computed itself: results of aggregate queries of analytics, each of a
//! group (a queue, a user, a media type) and of intervals. Times are milliseconds there.

use callboard_model::ids::Key;
use callboard_model::record::{Record, RouteKey, Routing, rank};
use callboard_model::statement::Statement;
use serde_json::Value;

use super::instance_source;
use crate::payload::measured::Figures;
use crate::payload::value::{as_text, field, float, items, read_time, text};

/// Intervals of one result at most: a year of quarters of an hour.
const MOST_INTERVALS: usize = 36_000;

/// Parts of a statistic.
const STATS: [&str; 9] = [
    "count",
    "countNegative",
    "countPositive",
    "sum",
    "min",
    "max",
    "ratio",
    "numerator",
    "denominator",
];

/// The figures of a result, interval by interval.
fn of(v: &Value) -> Vec<Figures> {
    let scope = field(v, "group").map(scope).unwrap_or_default();
    items(v, "data")
        .iter()
        .take(MOST_INTERVALS)
        .filter_map(|data| {
            let interval = text(data, "interval");
            let (start, end) = interval.split_once('/')?;
            let mut figures = Figures {
                scope: scope.clone(),
                start: Some(read_time(start)?),
                end: Some(read_time(end)?),
                values: Vec::new(),
            };
            for metric in items(data, "metrics") {
                add(metric, &mut figures);
            }
            (!figures.values.is_empty()).then_some(figures)
        })
        .collect()
}

/// The numbers of one metric, and the mean, as the platform's own pages make it of them.
fn add(metric: &Value, figures: &mut Figures) {
    let name = text(metric, "metric");
    let qualifier = match text(metric, "qualifier") {
        none if none.is_empty() => none,
        qualifier => format!(" {qualifier}"),
    };
    let Some(stats) = field(metric, "stats").filter(|_| !name.is_empty()) else {
        return;
    };
    let duration = name.starts_with('t');
    for part in STATS {
        let unit = match part {
            "ratio" => "ratio",
            "sum" | "min" | "max" if duration => "ms",
            _ => "count",
        };
        figures.add(
            format!("{name}.{part}{qualifier}"),
            unit,
            float(stats, part),
        );
    }
    if let (Some(sum), Some(count)) = (float(stats, "sum"), float(stats, "count"))
        && duration
        && count > 0.0
    {
        figures.add(format!("{name}.mean{qualifier}"), "ms", Some(sum / count));
    }
}

/// A queue alone is named as contacts name it.
fn scope(group: &Value) -> String {
    let Some(map) = group.as_object() else {
        return String::new();
    };
    let mut all: Vec<String> = map
        .iter()
        .filter_map(|(name, value)| {
            let value = as_text(value)?;
            Some(match name.as_str() {
                "queueId" => format!("queue:{value}"),
                "userId" => format!("agent:{value}"),
                _ => format!("{name}:{value}"),
            })
        })
        .collect();
    all.sort();
    all.join(" ")
}

pub(super) fn route(instance: &str, v: &Value) -> Routing {
    let all = of(v);
    let source = instance_source(instance);
    let mut keys: Vec<RouteKey> = Vec::new();
    for figures in &all {
        let key = RouteKey::Direct(figures.key(&source));
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Routing {
        keys,
        statements: None,
        time: all.iter().filter_map(|f| f.end).map(|t| t.0).max(),
    }
}

/// What a result says of one span.
pub(super) fn tell(key: &Key, record: &Record, v: &Value) -> Vec<Statement> {
    let source = instance_source(&record.stamp.instance);
    let all = of(v).into_iter().filter(|f| f.key(&source) == *key);
    all.flat_map(|f| {
        let by = record.provenance(rank::RECORD, f.end.map(|t| t.0));
        f.says(&source, &by)
    })
    .collect()
}
