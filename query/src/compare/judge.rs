//! From days' sums to what may be said.

use std::collections::{BTreeMap, BTreeSet};

use super::stats::{self, Day, Difference, LEVEL, estimate};
use super::{Ask, By, LEAST_COUNT, LEAST_DAYS, LEAST_EITHER, Sums};
use crate::metrics::Metric;

/// Most groups that are judged; the greatest.
pub const MOST_GROUPS: usize = 40;
/// Share of what is of no group beyond which groups are not compared.
const STRAY: f64 = 0.05;
/// Milliseconds of an hour.
const HOUR: f64 = 3_600_000.0;

/// What one side shows.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Figure {
    /// The figure over all days; a count is per day. None where nothing was counted or told.
    pub value: Option<f64>,
    /// What it is made of: contacts, or hours of agents.
    pub n: f64,
    /// Days.
    pub days: usize,
}

/// A difference that was judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finding {
    /// The second less the first, with its interval.
    pub difference: Difference,
    /// The chance, adjusted for all comparisons.
    pub p: f64,
    /// The least difference that would have been claimed four times out of five.
    pub least: f64,
}

/// What may be said.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// They differ.
    Differs(Finding),
    /// No difference was shown; that is not to say that there is none.
    NotShown(Finding),
    /// Too little to say, and of what.
    TooLittle(String),
    /// It cannot be compared, and why.
    CannotSay(String),
}

impl Verdict {
    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Verdict::Differs(_) => "differs",
            Verdict::NotShown(_) => "no difference shown",
            Verdict::TooLittle(_) => "too little to say",
            Verdict::CannotSay(_) => "cannot be compared",
        }
    }

    /// What was judged.
    pub fn finding(&self) -> Option<&Finding> {
        match self {
            Verdict::Differs(f) | Verdict::NotShown(f) => Some(f),
            _ => None,
        }
    }
}

/// A metric of a group on both sides.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Metric.
    pub metric: &'static Metric,
    /// Group; None = the whole.
    pub group: Option<String>,
    /// Both sides.
    pub sides: [Figure; 2],
    /// What may be said.
    pub verdict: Verdict,
}

/// A side of a metric and group, gathered.
#[derive(Default)]
struct Gathered {
    days: Vec<Day>,
    /// Of the denominator, what was told.
    told: f64,
    basis: BTreeSet<String>,
}

impl Gathered {
    fn under(&self) -> f64 {
        self.days.iter().map(|d| d.under).sum()
    }

    fn over(&self) -> f64 {
        self.days.iter().map(|d| d.over).sum()
    }
}

/// What may be said of each metric, of the whole and then of each group; `sums` are the days' sums
/// of each metric of [`Ask::metrics`]. The second value is the number of comparisons.
pub fn judge(ask: &Ask, sums: &[Vec<Sums>]) -> (Vec<Statement>, usize) {
    let mut groups: Vec<Option<String>> = vec![None];
    if ask.by != By::Whole {
        groups.extend(named(sums).into_iter().map(Some));
    }
    let mut all = Vec::new();
    let mut open: Vec<(usize, Difference)> = Vec::new();
    for group in &groups {
        for (metric, sums) in ask.metrics.iter().copied().zip(sums) {
            let one = One {
                ask,
                metric,
                sums,
                group: group.as_deref(),
            };
            let sides = [one.gather(0), one.gather(1)];
            let figures = [one.figure(&sides[0]), one.figure(&sides[1])];
            let verdict = match one.verdict(&sides, &figures) {
                Ok(difference) => {
                    open.push((all.len(), difference));
                    Verdict::TooLittle(String::new())
                }
                Err(verdict) => verdict,
            };
            all.push(Statement {
                metric,
                group: group.clone(),
                sides: figures,
                verdict,
            });
        }
    }
    let chances: Vec<f64> = open.iter().map(|(_, d)| d.p).collect();
    let adjusted = stats::holm(&chances);
    for ((at, difference), p) in open.iter().zip(adjusted) {
        let finding = Finding {
            difference: *difference,
            p,
            least: stats::least(difference, open.len()),
        };
        if let Some(statement) = all.get_mut(*at) {
            let group = statement.group.as_deref();
            statement.verdict = match p <= LEVEL {
                true => one_second(ask, sums, statement.metric, group, finding),
                false => Verdict::NotShown(finding),
            };
        }
    }
    (all, open.len())
}

/// The groups with the most to count, by name.
fn named(sums: &[Vec<Sums>]) -> BTreeSet<String> {
    let mut sizes: BTreeMap<&str, f64> = BTreeMap::new();
    for one in sums.iter().flatten() {
        if let Some(group) = &one.group {
            *sizes.entry(group).or_default() += one.under.unwrap_or(one.over);
        }
    }
    let mut order: Vec<(&str, f64)> = sizes.into_iter().collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    let greatest = order.into_iter().take(MOST_GROUPS);
    greatest.map(|(name, _)| name.to_owned()).collect()
}

/// A claim, unless it is within what whole seconds leave open.
fn one_second(
    ask: &Ask,
    sums: &[Vec<Sums>],
    metric: &Metric,
    group: Option<&str>,
    finding: Finding,
) -> Verdict {
    let own = ask
        .metrics
        .iter()
        .zip(sums)
        .find(|(m, _)| m.name == metric.name);
    let lasting = metric.unit == "ms" && metric.base != "agent_time";
    let Some((_, sums)) = own.filter(|_| lasting && finding.difference.value.abs() < 1_000.0)
    else {
        return Verdict::Differs(finding);
    };
    for (side, of) in ask.sides.iter().enumerate() {
        let mut own = sums
            .iter()
            .filter(|s| s.side == side && group.is_none_or(|g| s.group.as_deref() == Some(g)));
        if own.all(|s| s.over % 1_000.0 == 0.0) {
            return Verdict::CannotSay(format!(
                "{} tells whole seconds, and they differ by less than one",
                of.platform
            ));
        }
    }
    Verdict::Differs(finding)
}

/// A metric of a group.
struct One<'a> {
    ask: &'a Ask,
    metric: &'a Metric,
    sums: &'a [Sums],
    group: Option<&'a str>,
}

impl One<'_> {
    fn quotient(&self) -> bool {
        self.metric.quotient().is_some()
    }

    /// Hours and not contacts are what it is made of.
    fn hours(&self) -> bool {
        self.metric.base == "agent_time"
    }

    fn platform(&self, side: usize) -> &str {
        self.ask.sides.get(side).map_or("", |s| s.platform.as_str())
    }

    fn gather(&self, side: usize) -> Gathered {
        let mut out = Gathered::default();
        let mut days: BTreeMap<i64, Day> = BTreeMap::new();
        for one in self.sums.iter().filter(|s| s.side == side) {
            // A day on which the platform was in use counts, whether this group had anything or not.
            let day = days.entry(one.day).or_insert(Day {
                over: 0.0,
                under: if self.quotient() { 0.0 } else { 1.0 },
            });
            if self.group.is_some_and(|g| one.group.as_deref() != Some(g)) {
                continue;
            }
            day.over += one.over;
            day.under += one.under.filter(|_| self.quotient()).unwrap_or(0.0);
            let weight = one.under.unwrap_or(one.over);
            if one.told || self.metric.told.is_empty() {
                out.told += weight;
            }
            let words = one.basis.iter().filter(|_| weight > 0.0);
            out.basis
                .extend(words.flat_map(|b| b.split(' ')).map(str::to_owned));
        }
        out.days = days.into_values().filter(|d| d.under > 0.0).collect();
        out
    }

    fn figure(&self, of: &Gathered) -> Figure {
        let (over, under) = (of.over(), of.under());
        let n = match (self.quotient(), self.hours()) {
            (false, _) => over,
            (true, true) => under / HOUR,
            (true, false) => under,
        };
        Figure {
            value: (under > 0.0 && n > 0.0 && of.told > 0.0).then(|| over / under),
            n,
            days: of.days.len(),
        }
    }

    /// The difference, or why there is none to judge.
    fn verdict(&self, sides: &[Gathered; 2], figures: &[Figure; 2]) -> Result<Difference, Verdict> {
        for (side, (own, figure)) in sides.iter().zip(figures).enumerate() {
            if figure.n <= 0.0 {
                let why = format!("{} has nothing of it", self.platform(side));
                return Err(Verdict::CannotSay(why));
            }
            if self.quotient() && own.told < 0.9 * own.under() {
                let why = format!("{} {}", self.platform(side), self.metric.untold);
                return Err(Verdict::CannotSay(why));
            }
            if let Some(why) = self.stray(side) {
                return Err(Verdict::CannotSay(why));
            }
        }
        let [a, b] = sides;
        if a.basis != b.basis {
            let told = |of: &BTreeSet<String>| of.iter().cloned().collect::<Vec<_>>().join(" ");
            return Err(Verdict::CannotSay(format!(
                "{}: {} {}; {} {}",
                self.metric.unlike,
                self.platform(0),
                told(&a.basis),
                self.platform(1),
                told(&b.basis)
            )));
        }
        for (side, (own, figure)) in sides.iter().zip(figures).enumerate() {
            if let Some(why) = self.little(own, figure) {
                let why = format!("{}: {why}", self.platform(side));
                return Err(Verdict::TooLittle(why));
            }
        }
        let both = estimate(&a.days).zip(estimate(&b.days));
        let difference = both.and_then(|(a, b)| stats::difference(&a, &b));
        difference.ok_or_else(|| Verdict::TooLittle("all days are alike".to_owned()))
    }

    /// Why groups of a side do not tell: too much of it is of none.
    fn stray(&self, side: usize) -> Option<String> {
        self.group?;
        let own = self.sums.iter().filter(|s| s.side == side);
        let (mut stray, mut all) = (0.0, 0.0);
        for one in own {
            let weight = one.under.unwrap_or(one.over);
            all += weight;
            stray += if one.group.is_none() { weight } else { 0.0 };
        }
        (stray > STRAY * all).then(|| {
            format!(
                "{:.0} % of it is of no {} on {}",
                (100.0 * stray / all).ceil(),
                self.ask.by.words(),
                self.platform(side)
            )
        })
    }

    fn little(&self, own: &Gathered, figure: &Figure) -> Option<String> {
        if figure.days < LEAST_DAYS {
            return Some(format!("{} days of {LEAST_DAYS} needed", figure.days));
        }
        if figure.n < LEAST_COUNT {
            let what = if self.hours() { "hours" } else { "contacts" };
            return Some(format!("{:.0} {what} of {LEAST_COUNT} needed", figure.n));
        }
        if self.metric.unit != "ratio" || self.hours() {
            return None;
        }
        let (over, under) = (own.over(), own.under());
        let part = match over <= under {
            true => over.min(under - over),
            false => over,
        };
        (part < LEAST_EITHER)
            .then(|| format!("{over:.0} of {under:.0}; {LEAST_EITHER} are needed on either side"))
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
