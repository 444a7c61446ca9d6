//! The form of a report file, read and checked.
//!
//! A report has *facts* (SQL whose rows are the smallest things counted: queue stays, talks,
//! spans), *dimensions* of them, *measures* over them, and *visuals* that show measures by
//! dimensions. A measure is an aggregate with a predicate, never free SQL: that is why the list
//! behind every number can be made from the very same text as the number.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::compare::{self, Compared};
pub use super::grain::Grain;

/// A report.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Name: that of the file.
    #[serde(skip)]
    pub name: String,
    /// Title.
    pub title: String,
    /// What it answers, in a sentence or two.
    #[serde(default)]
    pub about: String,
    /// Place in the list of reports.
    #[serde(default = "last")]
    pub order: i32,
    /// Not in the list of reports (the board's own numbers).
    #[serde(default)]
    pub hidden: bool,
    /// Widths of time that the reader may choose, the first is the default.
    #[serde(default)]
    pub by: Vec<Grain>,
    /// Facts by name.
    pub facts: BTreeMap<String, Facts>,
    /// Dimensions by name.
    #[serde(default)]
    pub dims: BTreeMap<String, Dim>,
    /// Measures by name.
    pub measures: BTreeMap<String, Measure>,
    /// What is shown, in order.
    #[serde(default)]
    pub visuals: Vec<Visual>,
}

fn last() -> i32 {
    1000
}

/// The rows that numbers are made of.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Name in the report.
    #[serde(skip)]
    pub name: String,
    /// What the list of them is called: "Queue stays".
    pub title: String,
    /// One of them: "stay".
    pub one: String,
    /// SQL. `{from}`, `{to}` and `{now}` stand for the range and the snapshot's now,
    /// `{stays}` for the queue stays with what a service level counts,
    /// `{first_day}` and `{last_day}` for the partitions that can hold contacts of the range.
    pub sql: String,
    /// Column with the queue, to which the slicer applies.
    pub queue: Option<String>,
    /// Column with the agent, to which the slicer applies.
    pub agent: Option<String>,
    /// Column by which the list is ordered, newest last.
    pub order: String,
    /// Columns of the list, in order.
    pub list: Vec<ListColumn>,
}

/// A column of the list behind a number.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListColumn {
    /// Column of the facts.
    pub column: String,
    /// Heading.
    pub title: String,
    /// How it is shown.
    #[serde(default)]
    pub kind: ColumnKind,
}

/// How a cell of a list is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// As text.
    #[default]
    Text,
    /// A code word such as `no_agents`.
    Word,
    /// A contact's id: a link to its page.
    Contact,
    /// A point in time.
    Time,
    /// Milliseconds as a duration.
    Ms,
    /// A plain number.
    Number,
    /// An agent's state.
    State,
    /// Mood, -1 to 1.
    Mood,
}

/// A way to divide facts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dim {
    /// Heading.
    pub title: String,
    /// SQL over the facts' columns; `{bucket:COL}`, `{day:COL}`, `{hour:COL}`, `{weekday:COL}`
    /// give the local interval, day, hour and weekday of a UTC time.
    pub sql: String,
    /// How its values read.
    #[serde(default)]
    pub kind: DimKind,
    /// Facts to which it applies; none named = all. Others are shown unfiltered by it.
    #[serde(default)]
    pub facts: Vec<String>,
    /// Values that are shown even when nothing falls on them, in this order.
    #[serde(default)]
    pub values: Vec<String>,
}

/// How the values of a dimension read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DimKind {
    /// Text.
    #[default]
    Text,
    /// Code words such as `no_agents`.
    Word,
    /// Start of an interval.
    Bucket,
    /// Days since 1970.
    Day,
    /// Hour of the day.
    Hour,
    /// Day of the week, 0 = Monday.
    Weekday,
    /// An agent's state.
    State,
}

/// How a measure is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeasureKind {
    /// Rows that satisfy `where`.
    Count,
    /// Sum of `of` over them.
    Sum,
    /// Mean of `of` over those that know it.
    Mean,
    /// Sum of `of` by the sum of `per`, over the rows where `per` is above 0.
    Ratio,
    /// Least `of`, a time.
    Min,
    /// Greatest `of`.
    Max,
    /// Median of `of`, approximate beyond a few thousand rows.
    Median,
    /// 90th percentile of `of`.
    P90,
    /// Share of the rows of `over` that satisfy `where` as well; with `of`, weighted by it.
    Share,
}

/// Unit of a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A count of things.
    Count,
    /// Milliseconds, shown as a duration.
    Ms,
    /// A share, shown in per cent.
    Share,
    /// A score from -1 to 1.
    Mood,
    /// A point in time.
    Time,
    /// A plain number.
    Number,
}

/// A measure.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// Facts it is made of.
    pub facts: String,
    /// Heading.
    pub title: String,
    /// What exactly it means: formula, variant, which interval it counts in.
    #[serde(default)]
    pub about: String,
    /// How it is made.
    pub kind: MeasureKind,
    /// Unit.
    pub unit: Unit,
    /// Column it is made of.
    pub of: Option<String>,
    /// For a ratio: the column by whose sum it is divided.
    pub per: Option<String>,
    /// Which rows; SQL over the facts' columns.
    #[serde(rename = "where")]
    pub filter: Option<String>,
    /// For a share: of which rows.
    pub over: Option<String>,
    /// For a sum: nothing to add up is 0 and not unknown.
    #[serde(default)]
    pub zero: bool,
    /// For a sum: nothing to add up is 0 where a row satisfies this SQL, else unknown.
    pub known: Option<String>,
    /// Why it may be unknown, shown with the dash that stands for it.
    #[serde(default)]
    pub unknown: String,
    /// Share of rows that is aimed at, drawn as a line.
    pub goal: Option<f64>,
    /// The metric that it is, or the fact that it counts (`callboard.observability`): where a source
    /// cannot say that exactly, it stands below the report.
    pub metric: Option<String>,
}

/// Something shown.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Visual {
    /// How.
    pub kind: VisualKind,
    /// Title.
    pub title: String,
    /// How to read it.
    #[serde(default)]
    pub about: String,
    /// Dimension of rows (of the axis, in a chart).
    #[serde(default)]
    pub rows: Option<String>,
    /// Dimension of columns (heat map, matrix).
    #[serde(default)]
    pub columns: Option<String>,
    /// Measures shown: columns of a table, stacked bars, cells.
    #[serde(default)]
    pub measures: Vec<String>,
    /// For a comparison: the metrics.
    #[serde(default)]
    pub metrics: Vec<Compared>,
    /// Measure drawn as a line over the bars.
    #[serde(default)]
    pub line: Option<String>,
    /// Measure drawn as the goal of that line; where it is not known the line's own goal stands.
    #[serde(default)]
    pub goal: Option<String>,
    /// For a timeline: the columns with start, end and state of a span.
    #[serde(default)]
    pub span: Option<Span>,
}

/// Columns of a span in a timeline.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// Start.
    pub start: String,
    /// End.
    pub end: String,
    /// State.
    pub state: String,
    /// Words beside the state.
    pub detail: Option<String>,
}

/// How something is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VisualKind {
    /// Single numbers.
    Tiles,
    /// A table with a total.
    Table,
    /// Stacked bars with a line.
    Bars,
    /// A grid of coloured cells.
    Heat,
    /// A grid of numbers, zero cells shown.
    Matrix,
    /// A dot with its 95 % interval per row, against the median.
    Dots,
    /// Spans in time, one row per value of `rows`.
    Timeline,
    /// Metrics of two platforms, and what may be said of their difference.
    Compare,
}

impl Visual {
    /// The measures that it needs: those shown, the line's, and the goal's.
    pub fn asked(&self) -> impl Iterator<Item = &String> {
        let line = self.line.iter().chain(&self.goal);
        self.measures.iter().chain(line)
    }
}

impl Report {
    /// Reads and checks a report.
    ///
    /// # Errors
    /// What is wrong and where.
    pub fn read(name: &str, text: &str) -> Result<Self, String> {
        let mut report: Report = toml::from_str(text).map_err(|e| e.to_string())?;
        report.name = name.to_owned();
        for (name, facts) in &mut report.facts {
            facts.name.clone_from(name);
        }
        report.check()?;
        Ok(report)
    }

    fn check(&self) -> Result<(), String> {
        for (name, facts) in &self.facts {
            if facts.list.is_empty() {
                return Err(format!(
                    "facts.{name} has no list: say which columns are shown."
                ));
            }
        }
        for (name, m) in &self.measures {
            if !self.facts.contains_key(&m.facts) {
                return Err(format!(
                    "measures.{name}: there are no facts {:?}.",
                    m.facts
                ));
            }
            let needs = !matches!(m.kind, MeasureKind::Count | MeasureKind::Share);
            if needs && m.of.is_none() {
                return Err(format!(
                    "measures.{name} needs `of`, the column it is made of."
                ));
            }
            if m.kind == MeasureKind::Share && m.over.is_none() {
                return Err(format!(
                    "measures.{name} needs `over`: the share of which rows?"
                ));
            }
        }
        for visual in &self.visuals {
            let at = format!("the visual {:?}", visual.title);
            for m in visual.asked() {
                if !self.measures.contains_key(m) {
                    return Err(format!("{at}: there is no measure {m:?}."));
                }
            }
            for d in visual.rows.iter().chain(&visual.columns) {
                if !self.dims.contains_key(d) {
                    return Err(format!("{at}: there is no dimension {d:?}."));
                }
            }
            if visual.kind == VisualKind::Compare {
                compare::check(self, visual).map_err(|why| format!("{at}: {why}"))?;
                continue;
            }
            let bare = matches!(visual.kind, VisualKind::Tiles | VisualKind::Table);
            if visual.rows.is_none() && !bare {
                return Err(format!("{at} needs `rows`, a dimension."));
            }
            let grid = matches!(visual.kind, VisualKind::Heat | VisualKind::Matrix);
            if grid && visual.columns.is_none() {
                return Err(format!("{at} needs `columns`, a dimension."));
            }
            if visual.kind == VisualKind::Timeline && visual.span.is_none() {
                return Err(format!("{at} needs `span`: start, end and state columns."));
            }
            if visual.measures.is_empty() {
                return Err(format!("{at} needs at least one measure."));
            }
        }
        Ok(())
    }

    /// Whether any facts know queues, and whether any know agents.
    pub fn slicers(&self) -> (bool, bool) {
        (
            self.facts.values().any(|f| f.queue.is_some()),
            self.facts.values().any(|f| f.agent.is_some()),
        )
    }
}
