//! What stands below a report: figures in it that a platform of the selection cannot say exactly,
//! with the reason.

use std::collections::BTreeMap;

use callboard_query::say::{self, Said, Standing};
use maud::{Markup, html};

use super::run::Run;
use crate::data::{self, Data, DataError};
use crate::pages::says::mark;

/// Most platforms of one selection.
const MOST: usize = 50;

/// What platforms of the selection cannot say exactly: by platform and reason, the figures.
pub struct Footnote {
    lines: Vec<Line>,
    /// Platforms of which the table knows nothing.
    strangers: Vec<String>,
}

struct Line {
    platform: &'static str,
    standing: Standing,
    reason: String,
    figures: Vec<String>,
}

impl Footnote {
    /// Reads which platforms are in the selection.
    ///
    /// # Errors
    /// When the query fails.
    pub async fn read(run: &Run, data: &dyn Data) -> Result<Footnote, DataError> {
        let range = &run.choice.range;
        let chosen = |column: &str, values: &[String]| match values {
            [] => String::new(),
            values => format!(
                " AND contact_id IN (SELECT contact_id FROM callboard.segments WHERE {column} IN ({}))",
                data::texts(values)
            ),
        };
        // A contact is kept open for 31 days at most, so that its rows lie in these partitions.
        let day = |us: i64| crate::zone::local(chrono_tz::Tz::UTC, us).date();
        let sql = format!(
            "SELECT DISTINCT split_part(source, '/', 2) AS platform FROM (\
               SELECT source FROM callboard.contacts \
               WHERE day BETWEEN DATE '{}' AND DATE '{}' AND started_at >= {} AND started_at < {}{}{} \
               GROUP BY source) ORDER BY platform LIMIT {MOST}",
            day(range.from - 31 * crate::zone::DAY),
            day(range.to),
            data::time(range.from),
            data::time(range.to),
            chosen("queue", &run.choice.queues),
            chosen("agent", &run.choice.agents)
        );
        let rows = data.rows(&sql).await?;
        let names = rows.iter().filter_map(|r| r.text("platform"));
        Ok(Footnote::of(run, names))
    }

    fn of<'n>(run: &Run, names: impl Iterator<Item = &'n str>) -> Footnote {
        let mut note = Footnote {
            lines: Vec::new(),
            strangers: Vec::new(),
        };
        for name in names {
            match say::of_name(name) {
                Some(platform) => {
                    let said = platform.says(&platform.every());
                    note.lines.extend(lines(run, &platform.title, &said));
                }
                None => note.strangers.push(name.to_owned()),
            }
        }
        note
    }

    /// As the end of a page; nothing where all is exact.
    pub fn shown(&self) -> Markup {
        html! {
            @if !self.lines.is_empty() {
                section class="panel" aria-labelledby="hfoot" {
                    header class="panel-head" {
                        h2 id="hfoot" { "What these sources cannot say exactly" }
                        a class="quiet-link" href="/sources" { "All of it, and the delay to expect" }
                    }
                    ul class="note" {
                        @for line in &self.lines {
                            li { (mark(line.standing)) " " strong { (line.platform) } ": " (line.figures.join(", ")) ". " span class="quiet" { (line.reason) } }
                        }
                    }
                }
            }
        }
    }
}

fn lines(run: &Run, platform: &'static str, said: &[Said]) -> Vec<Line> {
    let mut by: BTreeMap<(Standing, &str), Vec<String>> = BTreeMap::new();
    for measure in run.report.measures.values() {
        let Some(name) = &measure.metric else {
            continue;
        };
        // A metric and a fact may have one name; metrics come first.
        let of = said.iter().find(|s| s.name == name);
        if let Some(s) = of.filter(|s| s.standing != Standing::Exact) {
            let figures = by.entry((s.standing, &s.reason)).or_default();
            if !figures.contains(&measure.title) {
                figures.push(measure.title.clone());
            }
        }
    }
    by.into_iter()
        .rev()
        .map(|((standing, reason), figures)| Line {
            platform,
            standing,
            reason: reason.to_owned(),
            figures,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::reports::Library;
    use crate::url::Params;
    use crate::view::filters::Choice;

    fn note(platforms: &[&str]) -> String {
        let report = Library::new(None).get("queue-interval").unwrap().unwrap();
        let params = Params::default();
        let choice = Choice::read(&params, chrono_tz::Tz::UTC, 1_795_254_000_000_000).unwrap();
        let run = Run::new(Arc::clone(&report), choice, &params).unwrap();
        let note = Footnote::of(&run, platforms.iter().copied());
        assert!(note.strangers.iter().all(|s| s == "nobody"));
        note.shown().into_string()
    }

    #[test]
    fn a_report_says_which_of_its_figures_a_platform_cannot_say() {
        let teams = note(&["teams", "nobody"]);
        assert!(teams.contains("Microsoft Teams"), "{teams}");
        assert!(
            teams.contains("impossible") && teams.contains("estimated"),
            "{teams}"
        );
        assert!(
            teams.contains("Handle time") && teams.contains("Wrap-up"),
            "{teams}"
        );
        assert!(!teams.contains("Offered"), "{teams}");
        assert_eq!(note(&["events"]), "");
    }

    #[test]
    fn what_reports_name_is_a_metric_or_a_fact() {
        for (name, report) in Library::new(None).all() {
            for (measure, m) in &report.unwrap().measures {
                if let Some(named) = &m.metric {
                    let every = say::table().facts.iter().any(|f| f.name == *named)
                        || callboard_query::metrics::metric(named).is_some();
                    assert!(every, "{name} {measure} {named}");
                }
            }
        }
    }
}
