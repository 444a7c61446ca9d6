//! What several feeds tell together, and what that makes of metrics.

use super::{Delay, Feed, Platform, Standing, table};
use crate::metrics::{self, Metric};

/// How well a fact or a metric is told by some feeds of a platform.
#[derive(Debug, Clone)]
pub struct Said {
    /// Name of the fact or metric.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What it is.
    pub meaning: &'static str,
    /// A metric, or a fact.
    pub metric: bool,
    /// How well.
    pub standing: Standing,
    /// What tells it, or what is missing.
    pub reason: String,
    /// The delay of the feed that tells it, of several the longest; `None` where nothing does.
    pub delay: Option<&'static Delay>,
}

/// How many of these are exact, estimated, impossible.
pub fn counted<'s>(said: impl Iterator<Item = &'s Said>) -> [usize; 3] {
    let mut n = [0; 3];
    for one in said {
        let at = match one.standing {
            Standing::Exact => &mut n[0],
            Standing::Estimated => &mut n[1],
            Standing::Impossible => &mut n[2],
        };
        *at += 1;
    }
    n
}

impl Platform {
    /// What these of its feeds tell together: every metric in its order, then every fact.
    pub fn says(&'static self, feeds: &[&'static Feed]) -> Vec<Said> {
        let facts: Vec<Said> = table()
            .facts
            .iter()
            .map(|f| {
                let (standing, reason, delay) = self.fact(feeds, &f.name);
                Said {
                    name: &f.name,
                    title: &f.title,
                    meaning: &f.meaning,
                    metric: false,
                    standing,
                    reason,
                    delay,
                }
            })
            .collect();
        let metrics = metrics::all().iter().map(|m| metric(m, &facts));
        let mut said: Vec<Said> = metrics.collect();
        said.extend(facts);
        said
    }

    /// A fact by its best feed: of two that tell it equally well the earlier.
    fn fact(
        &'static self,
        feeds: &[&'static Feed],
        fact: &str,
    ) -> (Standing, String, Option<&'static Delay>) {
        let best = feeds
            .iter()
            .filter_map(|feed| {
                feed.tells(fact)
                    .map(|(standing, why)| (standing, feed, why))
            })
            .min_by_key(|(standing, feed, _)| (*standing, feed.delay.class, feed.delay.s));
        if let Some((standing, feed, why)) = best {
            let reason = match self.feeds.len() {
                1 => why.to_owned(),
                _ => format!("{}: {why}", feed.title),
            };
            return (standing, reason, Some(&feed.delay));
        }
        let others: Vec<&str> = self
            .feeds
            .iter()
            .filter(|f| f.tells(fact).is_some())
            .map(|f| f.title.as_str())
            .collect();
        let reason = match (self.impossible.get(fact), others.as_slice()) {
            (Some(why), _) => why.clone(),
            (None, []) => self.otherwise.clone().unwrap_or_default(),
            (None, others) => format!("not in what is sent; it comes with {}", others.join(", ")),
        };
        (Standing::Impossible, reason, None)
    }
}

impl Feed {
    /// How well it tells a fact, and by what.
    pub fn tells(&self, fact: &str) -> Option<(Standing, &str)> {
        let exact = self.exact.get(fact).map(|why| (Standing::Exact, why));
        let told = exact.or_else(|| {
            let why = self.estimated.get(fact);
            why.map(|why| (Standing::Estimated, why))
        });
        told.map(|(standing, why)| (standing, why.as_str()))
    }
}

/// A metric by the facts that it needs.
fn metric(m: &'static Metric, facts: &[Said]) -> Said {
    let needs = || {
        m.needs.iter().filter_map(|need| {
            let fact = facts.iter().find(|f| f.name == need.fact)?;
            // What only makes it better cannot make it impossible.
            let standing = match need.must {
                true => fact.standing,
                false => fact.standing.min(Standing::Estimated),
            };
            Some((standing, fact))
        })
    };
    let standing = needs()
        .map(|(s, _)| s)
        .max()
        .unwrap_or(Standing::Impossible);
    let mut reasons: Vec<String> = Vec::new();
    for (_, fact) in needs().filter(|(s, _)| *s == standing) {
        let reason = match fact.standing {
            Standing::Exact => fact.reason.clone(),
            _ => format!("{}: {}", fact.title, fact.reason),
        };
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    let delay = needs().filter_map(|(_, fact)| fact.delay);
    let delay = delay.max_by_key(|d| (d.class, d.most_s, d.s));
    Said {
        name: m.name,
        title: &m.title,
        meaning: &m.meaning,
        metric: true,
        standing,
        reason: reasons.join("; "),
        delay: delay.filter(|_| standing != Standing::Impossible),
    }
}
