//! How values of dimensions and cells of measures read, and the links that they are.

use chrono::{Days, NaiveDate};
use maud::{Markup, html};

use super::file::{ColumnKind, Dim, DimKind, Grain, Measure, MeasureKind, Unit};
use super::run::{Cell, Run};
use crate::data::Value;
use crate::url;
use crate::view::{self, format, icon, table::Head};
use crate::zone::{self, Range};

/// A value of a dimension in words.
pub fn dim_text(dim: &Dim, grain: Grain, range: &Range, value: &Value) -> String {
    let plain = || match value {
        Value::Null => "(none)".to_owned(),
        v if v.plain().is_empty() => "(empty)".to_owned(),
        v => v.plain(),
    };
    let number = value.int();
    match (dim.kind, number) {
        (DimKind::Text, _) => plain(),
        (DimKind::Word | DimKind::State, _) => format::word(&plain()),
        (DimKind::Bucket, Some(us)) => {
            let many = range.first != range.last;
            match grain {
                Grain::Day => zone::local(range.zone, us).format("%a %m-%d").to_string(),
                _ if many => format!(
                    "{} {}",
                    zone::local(range.zone, us).format("%m-%d"),
                    format::minute(range.zone, us)
                ),
                _ => format::minute(range.zone, us),
            }
        }
        (DimKind::Day, Some(days)) => {
            let day = NaiveDate::default().checked_add_days(Days::new(days.unsigned_abs()));
            day.map_or_else(plain, |d| d.format("%a %Y-%m-%d").to_string())
        }
        (DimKind::Hour, Some(h)) => format!("{h:02}:00"),
        (DimKind::Weekday, Some(d)) => usize::try_from(d)
            .ok()
            .and_then(|d| format::WEEKDAYS.get(d))
            .map_or_else(plain, |d| (*d).to_owned()),
        _ => plain(),
    }
}

/// A cell of a measure in words.
pub fn cell_text(m: &Measure, cell: &Cell) -> String {
    match cell.value {
        None => format::UNKNOWN.to_owned(),
        Some(v) => value_text(m, v, cell.n),
    }
}

/// A number of a measure in words.
pub fn value_text(m: &Measure, v: f64, n: i64) -> String {
    match m.unit {
        Unit::Count => format::count(v.round() as i64),
        Unit::Ms => format::duration(v),
        Unit::Share => format::percent(v, n),
        Unit::Mood => format!("{v:+.2}").replace('-', "\u{2212}"),
        Unit::Time => format::clock(chrono_tz::Tz::UTC, v as i64) + " UTC",
        Unit::Number => format::number(v),
    }
}

/// The cell as the link to the list behind it. The numbers stand in data attributes as well, so
/// that a test can follow every one of them.
pub fn cell_link(run: &Run, name: &str, cell: &Cell, pins: &[(&str, &Value)]) -> Markup {
    let m = &run.report.measures[name];
    let text = cell_text(m, cell);
    if cell.value.is_none() {
        let why = if m.unknown.is_empty() {
            "Not known: there is nothing here to make it of."
        } else {
            &m.unknown
        };
        return html! { span class="none" title=(why) { (text) } };
    }
    html! {
        a class={ "n" @if cell.value == Some(0.0) { " zero" } }
            href=(run.drill(name, pins))
            data-measure=(name) data-n=(cell.n) data-sum=[cell.sum] data-value=[cell.value] {
            (text)
        }
    }
}

/// Heading of a measure's column.
pub fn head(m: &Measure) -> Head {
    Head {
        about: Some(m.about.clone()).filter(|a| !a.is_empty()),
        ..Head::numbers(&m.title, unit(m.unit))
    }
}

/// A unit in a few letters.
pub fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "n",
        Unit::Ms => "h:mm:ss",
        Unit::Share => "%",
        Unit::Mood => "\u{2212}1..1",
        Unit::Time => "UTC",
        Unit::Number => "",
    }
}

/// What a number is, in a sentence, for the head of the list behind it.
pub fn meaning(m: &Measure, one: &str) -> String {
    let of = m.of.as_deref().unwrap_or("");
    let rows = m
        .filter
        .as_deref()
        .map_or(String::new(), |w| format!(" with {w}"));
    match m.kind {
        MeasureKind::Count => format!("Every {one}{rows}."),
        MeasureKind::Sum => format!("Sum of {of} over every {one}{rows}."),
        MeasureKind::Mean => format!("Mean of {of} over every {one}{rows} that knows it."),
        MeasureKind::Ratio => format!(
            "Sum of {of} by the sum of {} over every {one}{rows}.",
            m.per.as_deref().unwrap_or("1")
        ),
        MeasureKind::Min => format!("Earliest {of} of every {one}{rows}."),
        MeasureKind::Max => format!("Greatest {of} of every {one}{rows}."),
        MeasureKind::Median => format!("Median of {of} over every {one}{rows}."),
        MeasureKind::P90 => {
            format!("90th percentile (approximate) of {of} over every {one}{rows}.")
        }
        MeasureKind::Share => format!(
            "Share of those{rows} among every {one} with {}{}.",
            m.over.as_deref().unwrap_or("TRUE"),
            if of.is_empty() {
                String::new()
            } else {
                format!(", weighted by {of}")
            }
        ),
    }
}

/// A cell of a list of facts.
pub fn list_cell(kind: ColumnKind, value: &Value, range: &Range) -> Markup {
    match (kind, value) {
        (_, Value::Null) => html! { span class="none" { (format::UNKNOWN) } },
        (ColumnKind::Contact, Value::Text(id)) => html! { a href=(url::contact(id)) { (id) } },
        (ColumnKind::Time, v) => view::time(range.zone, v.int()),
        (ColumnKind::Ms, v) => view::millis(v.int()),
        (ColumnKind::Number, v) => html! { (v.number().map_or_else(String::new, format::number)) },
        (ColumnKind::State, v) => icon::state(&v.plain()),
        (ColumnKind::Mood, v) => icon::mood(v.number()),
        (_, Value::Bool(true)) => html! { "yes" },
        (_, Value::Bool(false)) => html! { "no" },
        (ColumnKind::Word, v) => html! { (format::word(&v.plain())) },
        (_, v) => html! { (v.plain()) },
    }
}

/// Heading of a list's column.
pub fn list_head(title: &str, kind: ColumnKind) -> Head {
    match kind {
        ColumnKind::Ms => Head::numbers(title, "h:mm:ss"),
        ColumnKind::Number => Head::numbers(title, ""),
        _ => Head::words(title),
    }
}
