//! How a measure becomes aggregates, and aggregates a cell.

use super::file::{Measure, MeasureKind};
use crate::data::Value;

/// One number with what it was made of.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cell {
    /// The number; None = nothing to make it of.
    pub value: Option<f64>,
    /// Rows it is made of (for a share: rows of `over`).
    pub n: i64,
    /// Sum over them (for a share: the part that counts).
    pub sum: Option<f64>,
}

/// Which rows stand in the list behind a measure.
pub fn listed(m: &Measure) -> String {
    let filter = m.filter.as_deref().unwrap_or("TRUE");
    match (m.kind, &m.over, &m.of) {
        (MeasureKind::Share, Some(over), Some(of)) => format!("({over}) AND ({of}) IS NOT NULL"),
        (MeasureKind::Share, Some(over), None) => over.clone(),
        (MeasureKind::Ratio, ..) => {
            format!("({filter}) AND ({}) > 0", m.per.as_deref().unwrap_or("1"))
        }
        (_, _, Some(of)) => format!("({filter}) AND ({of}) IS NOT NULL"),
        _ => filter.to_owned(),
    }
}

/// The three aggregates of a measure: how many rows, their sum, and the value where it is
/// neither of those nor their quotient.
pub fn aggregates(m: &Measure) -> (String, String, String) {
    let listed = listed(m);
    let n = format!("count(*) FILTER (WHERE {listed})");
    let none = "CAST(NULL AS DOUBLE)".to_owned();
    let of = m.of.as_deref().unwrap_or("1");
    let sum = format!("sum({of}) FILTER (WHERE {listed})");
    match m.kind {
        MeasureKind::Count => (n, none.clone(), none),
        MeasureKind::Sum | MeasureKind::Mean => {
            let known = m.known.as_ref();
            let known = known.map(|k| format!("count(*) FILTER (WHERE {k})"));
            (n, sum, known.unwrap_or(none))
        }
        MeasureKind::Ratio => {
            let per = m.per.as_deref().unwrap_or("1");
            (n, sum, format!("sum({per}) FILTER (WHERE {listed})"))
        }
        MeasureKind::Min => (
            n,
            none,
            format!("min(CAST({of} AS BIGINT)) FILTER (WHERE {listed})"),
        ),
        MeasureKind::Max => (n, sum, format!("max({of}) FILTER (WHERE {listed})")),
        MeasureKind::Median => (n, sum, format!("median({of}) FILTER (WHERE {listed})")),
        MeasureKind::P90 => (
            n,
            sum,
            format!("approx_percentile_cont({of}, 0.9) FILTER (WHERE {listed})"),
        ),
        MeasureKind::Share => {
            let filter = m.filter.as_deref().unwrap_or("TRUE");
            let part = format!("sum({of}) FILTER (WHERE ({listed}) AND ({filter}))");
            (n, part, sum)
        }
    }
}

/// A cell from the three aggregates.
pub fn cell(m: &Measure, parts: &[Value]) -> Cell {
    let n = parts[0].int().unwrap_or(0);
    let (sum, third) = (parts[1].number(), parts[2].number());
    let value = match m.kind {
        MeasureKind::Count => Some(n as f64),
        MeasureKind::Sum => {
            let told = m.zero || third.is_some_and(|rows| rows > 0.0);
            sum.or(told.then_some(0.0))
        }
        MeasureKind::Mean => sum.filter(|_| n > 0).map(|s| s / n as f64),
        MeasureKind::Min | MeasureKind::Max | MeasureKind::Median | MeasureKind::P90 => third,
        MeasureKind::Ratio => third.filter(|d| *d > 0.0).and_then(|d| Some(sum? / d)),
        MeasureKind::Share => third.filter(|d| *d > 0.0).map(|d| sum.unwrap_or(0.0) / d),
    };
    let sum = if m.kind == MeasureKind::Share && third.is_some() {
        Some(sum.unwrap_or(0.0))
    } else {
        sum
    };
    Cell { value, n, sum }
}

/// The cell over everything out of the cells of its parts, for measures whose parts add up
/// (counts, sums, means, least and greatest, shares that are not weighted); None for others.
pub fn together(m: &Measure, parts: &[Cell]) -> Option<Cell> {
    let n: i64 = parts.iter().map(|c| c.n).sum();
    let known: Vec<f64> = parts.iter().filter_map(|c| c.sum).collect();
    let sum = (!known.is_empty()).then(|| known.iter().sum::<f64>());
    let values = || parts.iter().filter_map(|c| c.value);
    let value = match m.kind {
        MeasureKind::Count => Some(n as f64),
        MeasureKind::Sum => values().reduce(|a, b| a + b),
        MeasureKind::Mean => sum.filter(|_| n > 0).map(|s| s / n as f64),
        MeasureKind::Min => values().reduce(f64::min),
        MeasureKind::Max => values().reduce(f64::max),
        MeasureKind::Share if m.of.is_none() => sum.filter(|_| n > 0).map(|s| s / n as f64),
        _ => return None,
    };
    Some(Cell { value, n, sum })
}

/// Replaces `{word:column}` by what `with` gives.
pub fn expand(sql: &str, with: impl Fn(&str, &str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = sql;
    while let Some(start) = rest.find('{') {
        let (before, after) = rest.split_at(start);
        out += before;
        let Some(end) = after.find('}') else { break };
        let made = after[1..end].split_once(':').and_then(|(w, c)| with(w, c));
        out += &made.unwrap_or_else(|| after[..=end].to_owned());
        rest = &after[end + 1..];
    }
    out + rest
}

/// A value as it stands in a pin.
pub fn pin_text(value: &Value) -> String {
    match value {
        Value::Null => "~".to_owned(),
        other => other.plain(),
    }
}

/// Sorts keys: numbers as numbers, texts as texts, NULL last.
pub fn sort_key(key: &[Value]) -> String {
    let part = |v: &Value| match v {
        Value::Null => "~".to_owned(),
        Value::Int(n) | Value::Time(n) => format!("{:020}", i128::from(*n) + (1i128 << 64)),
        other => other.plain().to_lowercase() + "\u{1}" + &other.plain(),
    };
    key.iter().map(part).collect::<Vec<_>>().join("\u{0}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_the_whole() {
        let library = crate::reports::Library::new(None);
        let report = library.get("board").unwrap().unwrap();
        let cell = |value, n, sum| Cell {
            value: Some(value),
            n,
            sum: Some(sum),
        };
        let share = together(
            &report.measures["service_level"],
            &[cell(0.5, 2, 1.0), Cell::default(), cell(1.0, 6, 6.0)],
        );
        assert_eq!(share, Some(cell(0.875, 8, 7.0)));
        let mean = together(
            &report.measures["asa"],
            &[cell(10.0, 1, 10.0), cell(40.0, 2, 80.0)],
        );
        assert_eq!(mean, Some(cell(30.0, 3, 90.0)));
        assert_eq!(together(&report.measures["asa"], &[]).unwrap().value, None);
    }

    #[test]
    fn placeholders_are_filled_and_others_left() {
        let got = expand("a {x:c} {y:c} b", |w, c| {
            (w == "x").then(|| format!("<{c}>"))
        });
        assert_eq!(got, "a <c> {y:c} b");
    }

    #[test]
    fn keys_sort_as_numbers_with_null_last() {
        let mut keys = [
            vec![Value::Null],
            vec![Value::Int(10)],
            vec![Value::Int(9)],
            vec![Value::Int(-1)],
        ];
        keys.sort_by_key(|k| sort_key(k));
        assert_eq!(keys[0], vec![Value::Int(-1)]);
        assert_eq!(keys[1], vec![Value::Int(9)]);
        assert_eq!(keys[3], vec![Value::Null]);
    }
}
