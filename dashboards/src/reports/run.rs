//! From a report and a choice to queries, and from their rows to cells. The number and the list
//! behind it are made here, from the same facts, the same predicate and the same filters.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::try_join_all;

pub use super::aggregate::Cell;
use super::aggregate::{aggregates, cell, expand, listed, pin_text, sort_key};
use super::file::{Dim, Facts, Grain, Measure, MeasureKind, Report};
use crate::data::{self, Data, DataError, Rows, Value};
use crate::url::Params;
use crate::view::filters::Choice;

/// Prefix of parameters that pin a dimension to one value.
pub const PIN: &str = "x.";
/// Most rows of one visual.
pub const MOST_ROWS: usize = 5_000;

/// Queue stays with what a service level counts: what `{stays}` in the SQL of facts stands for.
const STAYS: &str = include_str!("../../reports/stays.sql");

/// A report about to be run: choice, width of intervals, pinned dimensions.
#[derive(Clone)]
pub struct Run {
    /// The report.
    pub report: Arc<Report>,
    /// Days, zone, queues, agents.
    pub choice: Choice,
    /// Width of intervals.
    pub grain: Grain,
    /// Dimensions pinned to one value; None = NULL.
    pub pins: Vec<(String, Option<String>)>,
    /// The address it came from.
    pub params: Params,
}

/// A key of dimension values.
pub type Key = Vec<Value>;

/// The cells of a visual: per key one cell per measure, in order of the keys.
#[derive(Debug, Clone, Default)]
pub struct Grid {
    /// Rows in order.
    pub rows: Vec<(Key, Vec<Cell>)>,
    /// The same measures over everything; empty when not asked for.
    pub total: Vec<Cell>,
    /// Whether rows were left out because there were too many.
    pub cut: bool,
}

impl Run {
    /// Reads the address of a report.
    ///
    /// # Errors
    /// A sentence about the parameter that is wrong.
    pub fn new(report: Arc<Report>, choice: Choice, params: &Params) -> Result<Self, String> {
        // The field is called Interval: who types that name in an address means it.
        let (name, asked) = match (params.get("by"), params.get("interval")) {
            (None, Some(text)) => ("interval", Some(text)),
            (by, _) => ("by", by),
        };
        let grain = grain(&report, name, asked)?;
        let params = match name {
            "by" => params.without("interval"),
            _ => params.without("interval").with("by", grain.name()),
        };
        let mut pins = Vec::new();
        for (dim, value) in params.under(PIN) {
            if !report.dims.contains_key(&dim) {
                return Err(format!(
                    "This report has no dimension {dim:?} to filter by."
                ));
            }
            pins.push((dim, (value != "~").then_some(value)));
        }
        Ok(Run {
            report,
            choice,
            grain,
            pins,
            params,
        })
    }

    /// The address of this report's page.
    pub fn href(&self, params: &Params) -> String {
        params.href(&format!(
            "/reports/{}",
            crate::url::segment(&self.report.name)
        ))
    }

    /// The address of the list behind a number.
    pub fn drill(&self, measure: &str, pins: &[(&str, &Value)]) -> String {
        let mut params = self
            .params
            .only(|n| {
                ["from", "to", "tz", "queue", "agent", "by", "theme"].contains(&n)
                    || n.starts_with(PIN)
            })
            .with("report", &self.report.name)
            .with("measure", measure);
        if !self.choice.given {
            params = params
                .with("from", &self.choice.range.first.to_string())
                .with("to", &self.choice.range.last.to_string());
        }
        for (dim, value) in pins {
            params = params.with(&format!("{PIN}{dim}"), &pin_text(value));
        }
        params.href("/drill")
    }

    /// The address of this page filtered to one value of a dimension; the same click again
    /// takes the filter away.
    pub fn filtered(&self, pins: &[(&str, &Value)]) -> String {
        let mut params = self.params.without("page").without("format");
        let same = pins
            .iter()
            .all(|(d, v)| params.get(&format!("{PIN}{d}")) == Some(&pin_text(v)));
        for (dim, value) in pins {
            let text = if same { String::new() } else { pin_text(value) };
            params = params.with(&format!("{PIN}{dim}"), &text);
        }
        self.href(&params)
    }

    /// The SQL of a dimension.
    fn dim_sql(&self, dim: &Dim) -> String {
        let range = &self.choice.range;
        expand(&dim.sql, |word, column| match word {
            "bucket" => Some(range.bucket_sql(column, self.grain.width())),
            "day" => Some(range.day_sql(column)),
            "hour" => Some(range.hour_sql(column)),
            "weekday" => Some(range.weekday_sql(column)),
            _ => None,
        })
    }

    /// The facts' own SQL with the range filled in.
    fn facts_sql(&self, facts: &Facts) -> String {
        let range = &self.choice.range;
        // A contact is kept open for 31 days at most, so that its rows lie in these partitions.
        let day = |us: i64| {
            format!(
                "DATE '{}'",
                crate::zone::local(chrono_tz::Tz::UTC, us).date()
            )
        };
        facts
            .sql
            .replace("{stays}", STAYS.trim_end())
            .replace("{first_day}", &day(range.from - 31 * crate::zone::DAY))
            .replace("{last_day}", &day(range.to))
            .replace("{from}", &data::time(range.from))
            .replace("{to}", &data::time(range.to))
            .replace("{now}", &data::time(self.choice.now))
    }

    /// `FROM ... WHERE ...` of facts under the choice and the pins.
    pub fn source(&self, facts: &Facts) -> String {
        let mut terms = Vec::new();
        if let (Some(column), false) = (&facts.queue, self.choice.queues.is_empty()) {
            terms.push(format!(
                "f.{column} IN ({})",
                data::texts(&self.choice.queues)
            ));
        }
        if let (Some(column), false) = (&facts.agent, self.choice.agents.is_empty()) {
            terms.push(format!(
                "f.{column} IN ({})",
                data::texts(&self.choice.agents)
            ));
        }
        for (dim, value) in &self.pins {
            let Some(dim) = self.report.dims.get(dim) else {
                continue;
            };
            if !dim.facts.is_empty() && !dim.facts.contains(&facts.name) {
                continue;
            }
            let sql = self.dim_sql(dim);
            terms.push(match value {
                None => format!("({sql}) IS NULL"),
                Some(text) => format!("CAST(({sql}) AS VARCHAR) = {}", data::text(text)),
            });
        }
        let filter = if terms.is_empty() {
            "TRUE".to_owned()
        } else {
            terms.join(" AND ")
        };
        format!("FROM ({}) AS f WHERE {filter}", self.facts_sql(facts))
    }

    /// The cells of measures by dimensions, with their total when asked.
    ///
    /// # Errors
    /// When a query fails: the report's SQL is wrong, or a limit was reached.
    pub async fn grid(
        &self,
        data: &dyn Data,
        dims: &[&str],
        measures: &[&str],
        total: bool,
    ) -> Result<Grid, DataError> {
        let mut queries = Vec::new();
        for facts in self.facts_of(measures) {
            if !dims.is_empty() {
                queries.push((facts.clone(), true, self.sql(&facts, dims, measures)));
            }
            if total || dims.is_empty() {
                queries.push((facts.clone(), false, self.sql(&facts, &[], measures)));
            }
        }
        let answers = try_join_all(queries.iter().map(|(_, _, sql)| data.rows(sql))).await?;
        let mut grid = Grid {
            total: vec![Cell::default(); measures.len()],
            ..Grid::default()
        };
        let mut rows: BTreeMap<String, (Key, Vec<Cell>)> = BTreeMap::new();
        for ((facts, keyed, _), answer) in queries.iter().zip(answers) {
            grid.cut |= *keyed && answer.len() > MOST_ROWS;
            let depth = if *keyed { dims.len() } else { 0 };
            for row in answer.rows.iter().take(MOST_ROWS) {
                let key: Key = row[..depth].to_vec();
                let cells = match keyed {
                    false => &mut grid.total,
                    true => {
                        let name = sort_key(&key);
                        let blank = || (key.clone(), self.blank(measures));
                        &mut rows.entry(name).or_insert_with(blank).1
                    }
                };
                let mut at = depth;
                for (i, name) in measures.iter().enumerate() {
                    let m = &self.report.measures[*name];
                    if m.facts == *facts {
                        cells[i] = cell(m, &row[at..at + 3]);
                        at += 3;
                    }
                }
            }
        }
        grid.rows = rows.into_values().collect();
        Ok(grid)
    }

    /// What a cell shows where nothing falls on it.
    pub fn blank(&self, measures: &[&str]) -> Vec<Cell> {
        let zero = |m: &&str| {
            let m = &self.report.measures[*m];
            m.kind == MeasureKind::Count || m.zero
        };
        let blank = |m| Cell {
            value: zero(m).then_some(0.0),
            ..Cell::default()
        };
        measures.iter().map(blank).collect()
    }

    fn facts_of(&self, measures: &[&str]) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        for name in measures {
            let facts = &self.report.measures[*name].facts;
            if !out.contains(facts) {
                out.push(facts.clone());
            }
        }
        out
    }

    fn sql(&self, facts: &str, dims: &[&str], measures: &[&str]) -> String {
        let mut columns = Vec::new();
        for (i, dim) in dims.iter().enumerate() {
            columns.push(format!("{} AS d{i}", self.dim_sql(&self.report.dims[*dim])));
        }
        for (i, name) in measures.iter().enumerate() {
            let m = &self.report.measures[*name];
            if m.facts == facts {
                let (n, sum, value) = aggregates(m);
                columns.push(format!("{n} AS n{i}, {sum} AS s{i}, {value} AS v{i}"));
            }
        }
        let group = match dims.len() {
            0 => String::new(),
            n => {
                let keys: Vec<String> = (1..=n).map(|i| i.to_string()).collect();
                let keys = keys.join(", ");
                format!(" GROUP BY {keys} ORDER BY {keys} LIMIT {}", MOST_ROWS + 1)
            }
        };
        format!(
            "SELECT {} {}{group}",
            columns.join(", "),
            self.source(&self.report.facts[facts])
        )
    }

    /// The rows behind a number (for a share: all rows of `over`, with the column `counts`),
    /// newest last; at most `limit`, from `offset`.
    ///
    /// # Errors
    /// When the query fails.
    pub async fn list(
        &self,
        data: &dyn Data,
        m: &Measure,
        limit: usize,
        offset: usize,
    ) -> Result<Arc<Rows>, DataError> {
        let facts = &self.report.facts[&m.facts];
        let mut columns: Vec<String> = facts
            .list
            .iter()
            .map(|c| format!("f.{}", c.column))
            .collect();
        if let Some(of) = &m.of {
            columns.push(format!("({of}) AS of_value"));
        }
        columns.push(match (m.kind, &m.filter) {
            (MeasureKind::Share, Some(filter)) => format!("coalesce(({filter}), FALSE) AS counts"),
            _ => "TRUE AS counts".to_owned(),
        });
        let sql = format!(
            "SELECT {} {} AND ({}) ORDER BY f.{} LIMIT {limit} OFFSET {offset}",
            columns.join(", "),
            self.source(facts),
            listed(m),
            facts.order,
        );
        data.rows(&sql).await
    }

    /// The number itself, over everything the pins let through.
    ///
    /// # Errors
    /// When the query fails.
    pub async fn number(&self, data: &dyn Data, measure: &str) -> Result<Cell, DataError> {
        let grid = self.grid(data, &[], &[measure], true).await?;
        Ok(grid.total.first().copied().unwrap_or_default())
    }
}

/// The width of intervals that an address asks for by a parameter of that name.
fn grain(report: &Report, name: &str, asked: Option<&str>) -> Result<Grain, String> {
    let Some(asked) = asked else {
        return Ok(report.by.first().copied().unwrap_or(Grain::Quarter));
    };
    let found = report.by.iter().find(|g| g.name() == asked);
    found.copied().ok_or_else(|| {
        let offered: Vec<&str> = report.by.iter().map(|g| g.name()).collect();
        match offered.as_slice() {
            [] => format!("{name} is {asked:?}; this report has no intervals to choose."),
            all => format!("{name} is {asked:?}; choose one of {}.", all.join(", ")),
        }
    })
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
