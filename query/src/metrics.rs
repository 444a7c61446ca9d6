//! Metrics, each a file: a heading that says what it is, and one aggregate expression over a
//! view. Board, reports and documentation render their SQL from these, so that no figure is
//! computed in two ways.

use std::sync::OnceLock;

/// One metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// Name; the file's name.
    pub name: &'static str,
    /// Title for people.
    pub title: String,
    /// What it says.
    pub meaning: String,
    /// contacts, ms, ratio or agents.
    pub unit: String,
    /// Where the definition comes from.
    pub source: String,
    /// To which interval or agent a contact counts.
    pub attribution: String,
    /// An aggregate that is NULL where the source does not tell what the metric is made of; empty
    /// where every source that has the base's rows tells it.
    pub told: String,
    /// What is to be said of such a source: "does not tell of ...".
    pub untold: String,
    /// An aggregate of words that two sides must share to be compared; empty where nothing need be.
    pub basis: String,
    /// What is to be said where they do not.
    pub unlike: String,
    /// The view it is counted over, e.g. `queue_intervals`.
    pub base: String,
    /// The dimensions by which it may be grouped: columns of the base view.
    pub dims: Vec<String>,
    /// The facts of `platforms.toml` that it is made of.
    pub needs: Vec<Need>,
    /// The aggregate expression over the base view's rows.
    pub expr: String,
}

impl Metric {
    /// Numerator and denominator of a quotient, each an aggregate whose parts add up: what the
    /// metric is over several groups of rows follows from their sums. None for other metrics.
    pub fn quotient(&self) -> Option<(&str, &str)> {
        let rest = self.expr.strip_prefix("CAST(")?;
        let (over, under) = rest.split_once(" AS DOUBLE) / nullif(")?;
        Some((over, under.strip_suffix(", 0)")?))
    }
}

/// A fact that a metric is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// Name of the fact.
    pub fact: &'static str,
    /// Whether there is no figure without it; else the figure is an estimate then.
    pub must: bool,
}

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../metrics/", $name, ".sql")))),+]
    };
}

static FILES: &[(&str, &str)] = files![
    "offered",
    "answered",
    "answered_in_target",
    "abandoned",
    "short_abandoned",
    "timed_out",
    "overflowed",
    "no_agent",
    "left_other",
    "lost",
    "refused",
    "abandon_rate",
    "service_level",
    "service_level_answered",
    "service_level_ans_abn",
    "service_level_ans_abn_short",
    "service_level_no_abandon",
    "service_level_positive_abandon",
    "service_level_offered",
    "service_level_ans_abn_flow",
    "service_level_removed",
    "average_speed_of_answer",
    "average_wait",
    "longest_wait",
    "talk",
    "hold",
    "wrap_up",
    "handle_time",
    "occupancy",
    "agent_talk",
    "agent_idle",
    "agent_pause",
    "adherence",
    "transfer_rate",
    "waiting_now",
    "longest_wait_now",
    "agents_by_state_now",
];

/// Every metric, in the order of the documentation.
pub fn all() -> &'static [Metric] {
    static ALL: OnceLock<Vec<Metric>> = OnceLock::new();
    ALL.get_or_init(|| FILES.iter().map(|(name, text)| parse(name, text)).collect())
}

/// The metric of that name.
pub fn metric(name: &str) -> Option<&'static Metric> {
    all().iter().find(|m| m.name == name)
}

fn parse(name: &'static str, text: &'static str) -> Metric {
    let mut metric = Metric {
        name,
        title: String::new(),
        meaning: String::new(),
        unit: String::new(),
        source: String::new(),
        attribution: String::new(),
        told: String::new(),
        untold: String::new(),
        basis: String::new(),
        unlike: String::new(),
        base: String::new(),
        dims: Vec::new(),
        needs: Vec::new(),
        expr: String::new(),
    };
    let mut expr = Vec::new();
    for line in text.lines() {
        let Some(rest) = line.strip_prefix("-- ") else {
            expr.push(line.trim());
            continue;
        };
        let Some((key, value)) = rest.split_once(": ") else {
            continue;
        };
        if key == "needs" {
            metric.needs = value.trim().split(", ").map(need).collect();
        }
        let value = value.trim().to_owned();
        match key {
            "title" => metric.title = value,
            "meaning" => metric.meaning = value,
            "unit" => metric.unit = value,
            "source" => metric.source = value,
            "attribution" => metric.attribution = value,
            "told" => metric.told = value,
            "untold" => metric.untold = value,
            "basis" => metric.basis = value,
            "unlike" => metric.unlike = value,
            "base" => metric.base = value,
            "dims" => metric.dims = value.split(", ").map(str::to_owned).collect(),
            _ => {}
        }
    }
    metric.expr = expr.join(" ").trim().to_owned();
    metric
}

/// `FACT`, or `~FACT` for one that only makes the figure better.
fn need(text: &'static str) -> Need {
    let better = text.strip_prefix('~');
    Need {
        fact: better.unwrap_or(text),
        must: better.is_none(),
    }
}

/// SQL of several metrics over one base view, grouped by `dims`.
///
/// `filter` is a SQL condition over the base view or empty. Values in it come from the caller,
/// who uses `$1`, `$2` ... for what users typed.
///
/// # Errors
/// A sentence naming the metric or dimension that does not fit.
pub fn render(names: &[&str], dims: &[&str], filter: &str) -> Result<String, String> {
    let mut base = None;
    let mut columns: Vec<String> = dims.iter().map(|d| quoted(d)).collect();
    for name in names {
        let m = metric(name).ok_or_else(|| format!("there is no metric {name}"))?;
        match base {
            None => base = Some(m),
            Some(b) if b.base == m.base => {}
            Some(b) => {
                return Err(format!(
                    "{} is counted over {} and {} over {}; ask for them apart",
                    b.name, b.base, m.name, m.base
                ));
            }
        }
        for d in dims {
            if !m.dims.iter().any(|x| x == d) {
                return Err(format!(
                    "{} cannot be grouped by {d}; it can by {}",
                    m.name,
                    m.dims.join(", ")
                ));
            }
        }
        columns.push(format!("{} AS {}", m.expr, quoted(m.name)));
    }
    let base = base.ok_or("no metric was asked for")?;
    let mut sql = format!("SELECT {} FROM callboard.{}", columns.join(", "), base.base);
    if !filter.is_empty() {
        sql.push_str(" WHERE ");
        sql.push_str(filter);
    }
    if !dims.is_empty() {
        let list = dims
            .iter()
            .map(|d| quoted(d))
            .collect::<Vec<_>>()
            .join(", ");
        sql.push_str(&format!(" GROUP BY {list} ORDER BY {list}"));
    }
    Ok(sql)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_says_what_it_is() {
        for m in all() {
            for (what, text) in [
                ("title", &m.title),
                ("meaning", &m.meaning),
                ("unit", &m.unit),
                ("source", &m.source),
                ("attribution", &m.attribution),
                ("base", &m.base),
                ("expr", &m.expr),
            ] {
                assert!(!text.is_empty(), "{} lacks {what}", m.name);
            }
            assert!(!m.dims.is_empty(), "{} lacks dims", m.name);
            assert_eq!(m.told.is_empty(), m.untold.is_empty(), "{}", m.name);
            assert_eq!(m.basis.is_empty(), m.unlike.is_empty(), "{}", m.name);
            assert_eq!(m.quotient().is_some(), m.expr.contains(" / "), "{}", m.name);
        }
        let (over, under) = metric("abandon_rate").unwrap().quotient().unwrap();
        assert_eq!(
            (over, under),
            ("sum(abandoned)", "sum(offered) - sum(lost)")
        );
    }

    #[test]
    fn metrics_of_different_bases_are_not_mixed() {
        let sql = render(&["offered", "service_level_answered"], &["queue"], "").unwrap();
        assert!(sql.contains("FROM callboard.queue_intervals GROUP BY \"queue\""));
        assert!(render(&["offered", "agent_talk"], &[], "").is_err());
        assert!(render(&["offered"], &["agent"], "").is_err());
        assert!(render(&["nonsense"], &[], "").is_err());
    }
}
