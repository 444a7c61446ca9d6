//! Two platforms side by side: a visual whose figures are the metrics themselves, and what may be
//! said of their difference. The days of the page are cut where one platform followed the other.

pub mod show;

use callboard_query::compare::{Ask, By, Side, Statement, Sums, judge};
use callboard_query::metrics::{self, Metric};
use chrono::NaiveDate;
use futures::future::try_join_all;
use serde::Deserialize;

use super::file::{Report, Visual};
use super::run::Run;
use crate::data::{self, Data, DataError, Rows};
use crate::zone::{self, Range};

/// Most platforms offered.
const MOST_PLATFORMS: usize = 50;
/// Most rows of days' sums that are read.
const MOST_SUMS: usize = 200_000;
/// How much more often a weekday may occur on one side before that is said.
const UNEVEN: f64 = 0.08;

/// A metric that is compared.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compared {
    /// Name of the metric: a file of `query/metrics`.
    pub metric: String,
    /// Measure of the report whose list has the rows behind it; none where there is no such list.
    #[serde(default)]
    pub rows: Option<String>,
}

impl Compared {
    /// The metric's file.
    pub fn file(&self) -> Option<&'static Metric> {
        metrics::metric(&self.metric)
    }
}

/// Checks a visual of this kind.
///
/// # Errors
/// What is wrong.
pub fn check(report: &Report, visual: &Visual) -> Result<(), String> {
    if visual.metrics.is_empty() {
        return Err("it needs `metrics`, which are compared.".to_owned());
    }
    for one in &visual.metrics {
        if one.file().is_none() {
            return Err(format!("there is no metric {:?}.", one.metric));
        }
        if let Some(rows) = one
            .rows
            .as_ref()
            .filter(|r| !report.measures.contains_key(*r))
        {
            return Err(format!("there is no measure {rows:?}."));
        }
    }
    let ask = Ask {
        metrics: visual.metrics.iter().filter_map(Compared::file).collect(),
        sides: [nobody(), nobody()],
        by: By::Whole,
        only: Vec::new(),
        day: "0".to_owned(),
    };
    ask.queries().map(drop)
}

fn nobody() -> Side {
    Side {
        platform: String::new(),
        from: 0,
        to: 0,
    }
}

/// What an address asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// Platform A and B; None = the two with the most contacts.
    pub platforms: [Option<String>; 2],
    /// Last day of A; None = that of the page.
    pub a_to: Option<NaiveDate>,
    /// First day of B; None = that of the page.
    pub b_from: Option<NaiveDate>,
    /// By what it is divided.
    pub by: Option<By>,
}

impl Choice {
    /// Reads the address.
    ///
    /// # Errors
    /// A sentence about the parameter that is wrong.
    pub fn read(run: &Run) -> Result<Choice, String> {
        let range = &run.choice.range;
        let day = |name: &str| -> Result<Option<NaiveDate>, String> {
            let Some(text) = run.params.get(name) else {
                return Ok(None);
            };
            let day = NaiveDate::parse_from_str(text, "%Y-%m-%d")
                .map_err(|_| format!("{name} is {text:?}; write a day as in 2026-03-31."))?;
            if day < range.first || day > range.last {
                return Err(format!(
                    "{name} is {day}, outside the days of the page: {} to {}.",
                    range.first, range.last
                ));
            }
            Ok(Some(day))
        };
        let by = run.params.get("group").map(|name| {
            let offered: Vec<&str> = By::ALL.iter().map(|by| by.name()).collect();
            By::of(name)
                .ok_or_else(|| format!("group is {name:?}; choose one of {}.", offered.join(", ")))
        });
        let platform = |name: &str| run.params.get(name).map(str::to_owned);
        Ok(Choice {
            platforms: [platform("a"), platform("b")],
            a_to: day("a_to")?,
            b_from: day("b_from")?,
            by: by.transpose()?,
        })
    }

    /// The days of A and of B.
    ///
    /// # Errors
    /// A sentence when there are none.
    pub fn ranges(&self, of: &Range) -> Result<[Range; 2], String> {
        Ok([
            Range::days(of.zone, of.first, self.a_to.unwrap_or(of.last))?,
            Range::days(of.zone, self.b_from.unwrap_or(of.first), of.last)?,
        ])
    }
}

/// A platform with its contacts in the days of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// Name.
    pub name: String,
    /// Contacts.
    pub contacts: i64,
    /// Its first contact, UTC microseconds.
    pub first: i64,
}

/// A comparison as made.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// What was asked for.
    pub choice: Choice,
    /// Platforms of these days.
    pub platforms: Vec<Platform>,
    /// What was compared; None where there are no two sides.
    pub made: Option<Made>,
}

/// Two sides that were compared.
#[derive(Debug, Clone)]
pub struct Made {
    /// Their platforms.
    pub names: [String; 2],
    /// Their days.
    pub ranges: [Range; 2],
    /// What may be said, the whole first.
    pub statements: Vec<Statement>,
    /// How many of them were judged.
    pub comparisons: usize,
    /// Whether weekdays occur unequally often.
    pub uneven: bool,
}

/// Asks for everything and judges it.
///
/// # Errors
/// When the address is wrong or a query fails.
pub async fn make(run: &Run, visual: &Visual, data: &dyn Data) -> Result<Comparison, DataError> {
    let choice = Choice::read(run).map_err(DataError::Refused)?;
    let platforms = platforms(&run.choice.range, data).await?;
    let names = names(&choice, &platforms);
    let Some(names) =
        names.filter(|[a, b]| a != b || (choice.a_to.is_some() && choice.b_from.is_some()))
    else {
        return Ok(Comparison {
            choice,
            platforms,
            made: None,
        });
    };
    let ranges = choice
        .ranges(&run.choice.range)
        .map_err(DataError::Refused)?;
    let side = |n: usize| Side {
        platform: names[n].clone(),
        from: ranges[n].from,
        to: ranges[n].to,
    };
    let ask = Ask {
        metrics: visual.metrics.iter().filter_map(Compared::file).collect(),
        sides: [side(0), side(1)],
        by: choice.by.unwrap_or(By::Whole),
        only: only(run),
        day: run.choice.range.day_sql("at"),
    };
    let queries = ask.queries().map_err(DataError::Refused)?;
    let answers = try_join_all(queries.iter().map(|q| data.rows(&q.sql))).await?;
    let mut sums: Vec<Vec<Sums>> = vec![Vec::new(); ask.metrics.len()];
    for (query, rows) in queries.iter().zip(&answers) {
        if rows.len() > MOST_SUMS {
            return Err(DataError::Limited(
                "There are too many groups and days; choose fewer days.".to_owned(),
            ));
        }
        for (i, at) in query.metrics.iter().enumerate() {
            sums[*at] = read(rows, i);
        }
    }
    let (statements, comparisons) = judge(&ask, &sums);
    let made = Made {
        names,
        ranges,
        statements,
        comparisons,
        uneven: uneven(&sums),
    };
    Ok(Comparison {
        choice,
        platforms,
        made: Some(made),
    })
}

/// The dimensions pinned on the page that the metrics know as well.
fn only(run: &Run) -> Vec<(By, Option<String>)> {
    let known = |name: &str| {
        let sql = &run.report.dims.get(name)?.sql;
        By::ALL.into_iter().find(|by| by.column() == Some(sql))
    };
    let pins = run.pins.iter();
    pins.filter_map(|(dim, value)| Some((known(dim)?, value.clone())))
        .collect()
}

async fn platforms(range: &Range, data: &dyn Data) -> Result<Vec<Platform>, DataError> {
    let day = |us: i64| zone::local(chrono_tz::Tz::UTC, us).date();
    let sql = format!(
        "SELECT split_part(source, '/', 2) AS platform, count(*) AS contacts, min(started_at) AS first \
         FROM callboard.contacts WHERE started_at >= {} AND started_at < {} \
         AND day BETWEEN DATE '{}' AND DATE '{}' \
         GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_PLATFORMS}",
        data::time(range.from),
        data::time(range.to),
        day(range.from - zone::DAY),
        day(range.to),
    );
    let rows = data.rows(&sql).await?;
    let platform = |r: data::Row<'_>| {
        Some(Platform {
            name: r.text("platform")?.to_owned(),
            contacts: r.int("contacts")?,
            first: r.int("first")?,
        })
    };
    Ok(rows.iter().filter_map(platform).collect())
}

/// The two platforms: those asked for, else those with the most contacts, the earlier as A.
fn names(choice: &Choice, platforms: &[Platform]) -> Option<[String; 2]> {
    let [a, b] = &choice.platforms;
    let mut free: Vec<&Platform> = platforms
        .iter()
        .filter(|p| Some(&p.name) != a.as_ref() && Some(&p.name) != b.as_ref())
        .take(2)
        .collect();
    free.sort_by_key(|p| p.first);
    let mut free = free.into_iter().map(|p| p.name.clone());
    let a = a.clone().or_else(|| free.next())?;
    let b = b.clone().or_else(|| free.next())?;
    Some([a, b])
}

/// The days' sums of the `i`-th metric of an answer. A day whose numerator is not known says nothing.
fn read(rows: &Rows, i: usize) -> Vec<Sums> {
    let [over, under, told, basis] = ["o", "u", "t", "b"].map(|c| format!("{c}{i}"));
    let one = |r: data::Row<'_>| {
        Some(Sums {
            side: usize::try_from(r.int("side")?).ok()?,
            group: r.text("grp").map(str::to_owned),
            day: r.int("local_day")?,
            over: r.number(&over)?,
            under: r.number(&under),
            told: r.text(&told).is_some(),
            basis: r.text(&basis).map(str::to_owned),
        })
    };
    rows.iter().filter_map(one).collect()
}

/// Whether some weekday is among one side's days clearly more often than among the other's.
fn uneven(sums: &[Vec<Sums>]) -> bool {
    let shares = |side: usize| -> [f64; 7] {
        let own = sums.iter().flatten().filter(|s| s.side == side);
        let days: std::collections::BTreeSet<i64> = own.map(|s| s.day).collect();
        let mut shares = [0.0; 7];
        for day in &days {
            shares[(day + 3).rem_euclid(7) as usize] += 1.0 / days.len() as f64;
        }
        shares
    };
    let (a, b) = (shares(0), shares(1));
    a.iter().zip(b).any(|(a, b)| (a - b).abs() > UNEVEN)
}
