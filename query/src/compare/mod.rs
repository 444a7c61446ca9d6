//! Two platforms by the same metrics: numerators and denominators of the metrics' own files, day by
//! day, and what may be said of their difference.

mod judge;
pub mod stats;

use crate::metrics::Metric;

pub use judge::{Figure, Finding, MOST_GROUPS, Statement, Verdict, judge};
pub use stats::LEVEL;

/// Days with anything to count that each side must have: each weekday once.
pub const LEAST_DAYS: usize = 7;
/// What a side's denominator must reach: contacts, or hours of agents.
pub const LEAST_COUNT: f64 = 100.0;
/// Of a share: how many must be on either side of it.
pub const LEAST_EITHER: f64 = 10.0;

/// How each difference is judged, for people.
pub const METHOD: &str = "Each day is one observation, since contacts of one day are not independent. \
A figure is the quotient of the days' sums; its error comes of leaving out one day after the other \
(jackknife), the interval and the chance of Welch's t-test over days. Chances are adjusted by Holm for \
all comparisons of the page: of pages where nothing differs, at most 5 in 100 claim anything. The \
interval of a row is of that row alone.";

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// Platform, the first word of `contacts.source`.
    pub platform: String,
    /// Start, UTC microseconds.
    pub from: i64,
    /// End, not included.
    pub to: i64,
}

/// By what figures are divided, beside the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Not at all.
    Whole,
    /// Site.
    Site,
    /// Line of business.
    Line,
    /// Group of agents.
    Team,
    /// IVR stage.
    Stage,
}

impl By {
    /// All of them.
    pub const ALL: [By; 5] = [By::Whole, By::Site, By::Line, By::Team, By::Stage];

    /// As it stands in an address.
    pub fn name(self) -> &'static str {
        match self {
            By::Whole => "whole",
            By::Site => "site",
            By::Line => "line",
            By::Team => "team",
            By::Stage => "stage",
        }
    }

    /// As people say it.
    pub fn words(self) -> &'static str {
        match self {
            By::Whole => "the whole",
            By::Site => "site",
            By::Line => "line of business",
            By::Team => "agent group",
            By::Stage => "IVR stage",
        }
    }

    /// Column of the views; None for the whole.
    pub fn column(self) -> Option<&'static str> {
        match self {
            By::Whole => None,
            By::Site => Some("site"),
            By::Line => Some("line_of_business"),
            By::Team => Some("team"),
            By::Stage => Some("ivr_stage"),
        }
    }

    /// That of this name.
    pub fn of(name: &str) -> Option<By> {
        By::ALL.into_iter().find(|by| by.name() == name)
    }
}

/// What is compared.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Metrics, in order.
    pub metrics: Vec<&'static Metric>,
    /// The two sides.
    pub sides: [Side; 2],
    /// By what they are divided.
    pub by: By,
    /// Nothing but these groups; None = of none.
    pub only: Vec<(By, Option<String>)>,
    /// SQL (BIGINT) of the local day of the column `at`.
    pub day: String,
}

/// Sums of a metric on one day of one side and group.
#[derive(Debug, Clone, PartialEq)]
pub struct Sums {
    /// 0 or 1.
    pub side: usize,
    /// Group; None = of none.
    pub group: Option<String>,
    /// Local day.
    pub day: i64,
    /// Numerator; a count where the metric is one.
    pub over: f64,
    /// Denominator; None where the metric is a count.
    pub under: Option<f64>,
    /// Whether the source told what the metric is made of.
    pub told: bool,
    /// What both sides must share, words parted by spaces.
    pub basis: Option<String>,
}

/// A query, and to which metrics of [`Ask`] its columns `o`, `u`, `t`, `b` with their number belong.
#[derive(Debug, Clone)]
pub struct Query {
    /// SQL. Columns: side, grp, local_day, and per metric `oN`, `uN` (floats), `tN`, `bN` (text).
    pub sql: String,
    /// Numbers of the metrics.
    pub metrics: Vec<usize>,
}

/// The view that has a base's rows by what a migration moves.
fn view(base: &str) -> Option<&'static str> {
    match base {
        "queue_intervals" => Some("platform_intervals"),
        "contacts" => Some("platform_contacts"),
        "agent_time" => Some("platform_agent_time"),
        _ => None,
    }
}

/// A contact is kept open for 31 days at most, so that its rows lie in these partitions.
fn days(side: &Side) -> String {
    let day = |us: i64| {
        let at = chrono::DateTime::from_timestamp_micros(us).unwrap_or_default();
        at.date_naive()
    };
    let first = day(side.from.saturating_sub(31 * 86_400_000_000));
    format!(
        "day BETWEEN DATE '{first}' AND DATE '{}'",
        day(side.to.saturating_sub(1).max(side.from))
    )
}

fn time(us: i64) -> String {
    format!("arrow_cast({us}, 'Timestamp(Microsecond, Some(\"UTC\"))')")
}

impl Ask {
    /// The queries that give what [`judge`] needs, one for each view.
    ///
    /// # Errors
    /// A sentence about a metric that cannot be compared so.
    pub fn queries(&self) -> Result<Vec<Query>, String> {
        let mut bases: Vec<(&'static str, Vec<usize>)> = Vec::new();
        for (n, metric) in self.metrics.iter().enumerate() {
            let view = view(&metric.base).ok_or_else(|| {
                format!(
                    "{} is counted over {}, which knows no platforms",
                    metric.name, metric.base
                )
            })?;
            let additive = metric.expr.starts_with("sum(");
            if metric.quotient().is_none() && !additive {
                return Err(format!(
                    "{} is neither a sum nor a quotient of sums, whose days add up",
                    metric.name
                ));
            }
            match bases.iter_mut().find(|(v, _)| *v == view) {
                Some((_, all)) => all.push(n),
                None => bases.push((view, vec![n])),
            }
        }
        let query = |(view, metrics): (&str, Vec<usize>)| Query {
            sql: [
                self.side_sql(0, view, &metrics),
                self.side_sql(1, view, &metrics),
            ]
            .join("\nUNION ALL\n"),
            metrics,
        };
        Ok(bases.into_iter().map(query).collect())
    }

    fn side_sql(&self, n: usize, view: &str, metrics: &[usize]) -> String {
        let Some(side) = self.sides.get(n) else {
            return String::new();
        };
        let (group, keys) = match self.by.column() {
            None => ("CAST(NULL AS VARCHAR)", "3"),
            Some(column) => (column, "2, 3"),
        };
        let mut columns = vec![
            format!("{n} AS side"),
            format!("{group} AS grp"),
            format!("{} AS local_day", self.day),
        ];
        for (i, at) in metrics.iter().enumerate() {
            let Some(metric) = self.metrics.get(*at) else {
                continue;
            };
            let (over, under) = metric.quotient().unwrap_or((&metric.expr, "NULL"));
            let text = |sql: &str| match sql {
                "" => "CAST(NULL AS VARCHAR)".to_owned(),
                sql => format!("CAST({sql} AS VARCHAR)"),
            };
            columns.push(format!("CAST({over} AS DOUBLE) AS o{i}"));
            columns.push(format!("CAST({under} AS DOUBLE) AS u{i}"));
            columns.push(format!("{} AS t{i}", text(&metric.told)));
            columns.push(format!("{} AS b{i}", text(&metric.basis)));
        }
        let only = self.only.iter().filter_map(|(by, value)| {
            let column = by.column()?;
            Some(match value {
                None => format!(" AND {column} IS NULL"),
                Some(text) => format!(" AND {column} = '{}'", text.replace('\'', "''")),
            })
        });
        let only: String = only.collect();
        format!(
            "SELECT {} FROM callboard.{view} WHERE platform = '{}' AND at >= {} AND at < {} AND {}{only} GROUP BY {keys}",
            columns.join(", "),
            side.platform.replace('\'', "''"),
            time(side.from),
            time(side.to),
            days(side),
        )
    }
}
