//! Figures that the platform computed itself: results of GetMetricDataV2, each with its dimensions and
//! its span. Rates are percent and times seconds there, as the API's page says.

use callboard_model::ids::Key;
use callboard_model::record::{RouteKey, Routing};
use callboard_model::statement::Statement;

use super::doc::{Doc, resource};
use super::{Feed, Read, instance_source};
use crate::payload::measured::Figures;

/// Figures of one result; the API gives at most 100.
const MOST_FIGURES: usize = 500;

/// The figures of a result.
fn of(read: &Read<'_>) -> Figures {
    let doc = read.doc();
    let span = doc.get("MetricInterval");
    let mut figures = Figures {
        scope: scope(doc.get("Dimensions")),
        start: span.get("StartTime").time(),
        end: span.get("EndTime").time(),
        values: Vec::new(),
    };
    for entry in doc.get("Collections").list().take(MOST_FIGURES) {
        let metric = entry.get("Metric");
        let Some(mut name) = metric.get("Name").owned() else {
            continue;
        };
        for threshold in metric.get("Threshold").list() {
            let comparison = threshold.get("Comparison").owned().unwrap_or_default();
            let value = threshold.get("ThresholdValue").owned().unwrap_or_default();
            name = format!("{name} {comparison} {value}");
        }
        for filter in metric.get("MetricFilters").list() {
            let key = filter.get("MetricFilterKey").owned().unwrap_or_default();
            let not = filter.get("Negate").flag() == Some(true);
            let values: Vec<String> = filter
                .get("MetricFilterValues")
                .list()
                .filter_map(Doc::owned)
                .collect();
            let sign = if not { "!=" } else { "=" };
            name = format!("{name} {key}{sign}{}", values.join(","));
        }
        let unit = unit(&name);
        figures.add(name, unit, entry.get("Value").float());
    }
    figures
}

/// A queue alone is named as contacts name it; other dimensions as the platform writes them.
fn scope(dimensions: Doc<'_>) -> String {
    let mut all: Vec<(String, String)> = dimensions
        .fields()
        .filter_map(|(name, v)| Some((name.to_ascii_uppercase(), v.owned()?)))
        .collect();
    all.sort();
    let one = |(name, value): &(String, String)| match name.as_str() {
        "QUEUE" | "QUEUE_ID" => format!("queue:{}", resource(value, "/queue/")),
        "AGENT" | "AGENT_ID" => format!("agent:{}", resource(value, "/agent/")),
        _ => format!("{}:{value}", name.to_ascii_lowercase()),
    };
    all.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn unit(name: &str) -> &'static str {
    let plain = name.split(' ').next().unwrap_or(name);
    let rate = [
        "SERVICE_LEVEL",
        "PERCENT_",
        "ABANDONMENT_RATE",
        "AGENT_OCCUPANCY",
    ];
    if rate.iter().any(|r| plain.starts_with(r))
        || plain.ends_with("_RATE")
        || plain.ends_with("ADHERENCE")
    {
        "percent"
    } else if plain.contains("_TIME") || plain.contains("DURATION") {
        "s"
    } else {
        "count"
    }
}

/// Under which key the figures stand.
pub(super) fn route(read: &Read<'_>) -> Routing {
    let figures = of(read);
    let source = instance_source(read.instance());
    let keys = match figures.values.is_empty() {
        true => Vec::new(),
        false => vec![RouteKey::Direct(figures.key(&source))],
    };
    Routing {
        keys,
        statements: None,
        time: figures.end.map(|t| t.0),
    }
}

/// What a key's results say.
pub(super) fn interpret(key: &Key, all: &[(Feed, Read<'_>)]) -> Vec<Statement> {
    let mut out = Vec::new();
    for (_, read) in all.iter().filter(|(feed, _)| *feed == Feed::Figures) {
        let (figures, source) = (of(read), instance_source(read.instance()));
        if figures.key(&source) == *key {
            // An answer has no time of its own: a later one is told by its greater bytes.
            out.extend(figures.says(&source, &read.whole(figures.end.map(|t| t.0))));
        }
    }
    out
}
