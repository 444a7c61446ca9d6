//! What each platform can say of a contact centre, and what it cannot: the table
//! `query/platforms.toml`, and what follows from it for every metric.
//!
//! The table is of facts, feed by feed. A metric needs facts (`-- needs:` in its file); it is as
//! good as the worst fact that it cannot do without, and an estimate where one is missing that only
//! makes it better (`~`). The view `observability`, the page of the sources and the pages of the
//! platforms in the documentation all read this.

mod combine;
#[cfg(test)]
mod docs;
mod file;

use std::sync::OnceLock;

pub use combine::{Said, counted};
pub use file::{Delay, DelayClass, Fact, Feed, Platform, Table};

/// How well something is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// As it was, within what the format can carry.
    Exact,
    /// Concluded, rounded beyond a second or two, or with gaps.
    Estimated,
    /// Nothing tells it.
    Impossible,
}

impl Standing {
    /// Every standing, best first.
    pub const ALL: [Standing; 3] = [Standing::Exact, Standing::Estimated, Standing::Impossible];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Standing::Exact => "exact",
            Standing::Estimated => "estimated",
            Standing::Impossible => "impossible",
        }
    }
}

/// The table.
pub fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| match Table::read(include_str!("../../platforms.toml")) {
        Ok(table) => table,
        Err(error) => {
            // A test reads the same bytes.
            tracing::error!(%error, "platforms.toml of this build cannot be read");
            Table::default()
        }
    })
}

/// The platform that an adapter reads, by the name of `[[source]] adapter`; `None` where the table
/// has no such (a mapping file of one's own).
pub fn of_adapter(adapter: &str) -> Option<&'static Platform> {
    table().platforms.iter().find(|p| p.adapter == adapter)
}

/// The platform of a contact's source, `/NAME/INSTANCE`.
pub fn of_name(name: &str) -> Option<&'static Platform> {
    table().platforms.iter().find(|p| p.name == name)
}

/// Names of the platforms that have contacts of their own. Tables and our own events have none: what
/// they tell may be anybody's.
pub fn of_contacts() -> impl Iterator<Item = &'static str> {
    let all = table().platforms.iter();
    let own = all.filter(|p| !["sheet", "events"].contains(&p.adapter.as_str()));
    own.map(|p| p.name.as_str())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::metrics;

    #[test]
    fn every_fact_of_every_platform_is_told_or_its_lack_has_a_reason() {
        let table = Table::read(include_str!("../../platforms.toml")).unwrap();
        let facts: BTreeSet<&str> = table.facts.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(facts.len(), table.facts.len(), "a fact stands there twice");
        for p in &table.platforms {
            let mut told = BTreeSet::new();
            for feed in &p.feeds {
                for (fact, reason) in feed.exact.iter().chain(&feed.estimated) {
                    let what = format!("{} {} {fact}", p.name, feed.name);
                    assert!(facts.contains(fact.as_str()), "{what} is no fact");
                    assert!(!reason.trim().is_empty(), "{what} has no reason");
                    told.insert(fact.as_str());
                }
                let twice = feed.exact.keys().find(|f| feed.estimated.contains_key(*f));
                assert_eq!(twice, None, "{} {}", p.name, feed.name);
                assert!(!feed.delay.source.is_empty(), "{} {}", p.name, feed.name);
            }
            for (fact, reason) in &p.impossible {
                assert!(
                    facts.contains(fact.as_str()),
                    "{} {fact} is no fact",
                    p.name
                );
                assert!(!reason.trim().is_empty(), "{} {fact} has no reason", p.name);
                assert!(!told.contains(fact.as_str()), "{} tells {fact}", p.name);
            }
            for fact in &facts {
                assert!(
                    told.contains(fact)
                        || p.impossible.contains_key(*fact)
                        || p.otherwise.is_some(),
                    "{} says nothing of {fact}: name a feed that tells it, or why none does",
                    p.name
                );
            }
        }
    }

    #[test]
    fn every_metric_says_which_facts_it_needs() {
        let facts: BTreeSet<&str> = table().facts.iter().map(|f| f.name.as_str()).collect();
        for m in metrics::all() {
            assert!(
                m.needs.iter().any(|n| n.must),
                "{}: its file lacks a line -- needs: with a fact of platforms.toml",
                m.name
            );
            for need in &m.needs {
                assert!(facts.contains(need.fact), "{} needs {}", m.name, need.fact);
            }
        }
        for p in &table().platforms {
            let said = p.says(&p.every());
            for m in metrics::all() {
                let row = said.iter().find(|s| s.metric && s.name == m.name).unwrap();
                assert!(!row.reason.is_empty(), "{} {}", p.name, m.name);
            }
        }
    }

    #[test]
    fn a_metric_is_as_good_as_what_it_needs() {
        let asterisk = of_adapter("asterisk").unwrap();
        let of = |feeds: &[&str], name: &str| {
            let feeds: Vec<&Feed> = asterisk
                .feeds
                .iter()
                .filter(|f| feeds.contains(&f.name.as_str()))
                .collect();
            let said = asterisk.says(&feeds);
            let one = said.into_iter().find(|s| s.name == name).unwrap();
            (one.standing, one.reason)
        };
        assert_eq!(of(&["queue_log"], "average_wait").0, Standing::Exact);
        let (standing, why) = of(&["queue_log"], "hold");
        assert_eq!(standing, Standing::Impossible);
        assert!(why.contains("AMI"), "{why}");
        assert_ne!(of(&["queue_log", "ami"], "hold").0, Standing::Impossible);
        // Without wrap-up handle time is less than it was.
        let (standing, why) = of(&["queue_log", "cel", "ami"], "handle_time");
        assert_eq!(standing, Standing::Impossible);
        assert!(why.contains("rap-up"), "{why}");
        // Nothing was heard: nothing is told.
        assert!(
            asterisk
                .says(&[])
                .iter()
                .all(|s| s.standing == Standing::Impossible)
        );
    }

    #[test]
    fn every_format_is_of_one_feed() {
        for p in &table().platforms {
            let mut seen = BTreeSet::new();
            for feed in &p.feeds {
                for format in &feed.formats {
                    assert!(seen.insert(format), "{} {format}", p.name);
                    assert_eq!(p.of_format(format).map(|f| &f.name), Some(&feed.name));
                }
            }
        }
    }
}
