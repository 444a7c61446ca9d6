//! One source or platform, figure by figure: exact, estimated or impossible, why, and the delay to
//! expect beside the delay that was seen.

use callboard_query::say::{Delay, Feed, Platform, Said, Standing, counted};
use maud::{Markup, html};

use crate::pages::sources::{heard, keeps, state};
use crate::ports::{SourceFeed, SourceStatus};
use crate::url::Params;
use crate::view::icon::{Level, badge};
use crate::view::table::{Head, cards};
use crate::view::{self, format};

/// A standing: colour, shape and word.
pub fn mark(standing: Standing) -> Markup {
    let level = match standing {
        Standing::Exact => Level::Ok,
        Standing::Estimated => Level::Warn,
        Standing::Impossible => Level::Unknown,
    };
    badge(level, standing.word())
}

/// What the three words mean.
pub fn legend() -> Markup {
    let meaning = |s| match s {
        Standing::Exact => "as it was, to a second or two",
        Standing::Estimated => "concluded, or with gaps: the reason says which",
        Standing::Impossible => {
            "nothing tells it; a figure of it is missing or means something else"
        }
    };
    html! {
        ul class="legend" aria-label="What the words mean" {
            @for s in Standing::ALL { li { (mark(s)) span { (meaning(s)) } } }
        }
    }
}

/// How many metrics these feeds can say exactly, roughly and not.
pub fn of_metrics(platform: &'static Platform, feeds: &[&'static Feed]) -> [usize; 3] {
    counted(platform.says(feeds).iter().filter(|s| s.metric))
}

/// A delay that was seen, in words.
pub fn lag(ms: Option<i64>) -> String {
    let Some(ms) = ms else {
        return format::UNKNOWN.to_owned();
    };
    let (size, sign) = (ms.unsigned_abs(), if ms < 0 { "\u{2212}" } else { "" });
    match size {
        0..1_000 => format!("{sign}{size}\u{202f}ms"),
        1_000..120_000 => format!("{sign}{}\u{202f}s", size / 1_000),
        120_000..7_200_000 => format!("{sign}{}\u{202f}min", size / 60_000),
        7_200_000..172_800_000 => format!("{sign}{}\u{202f}h", size / 3_600_000),
        _ => format!("{sign}{}\u{202f}days", size / 86_400_000),
    }
}

/// A delay to expect, broken at its comma only.
fn expect(delay: &Delay) -> String {
    let whole = delay.words().replace(' ', "\u{a0}");
    whole.replace(",\u{a0}", ", ")
}

/// The delays of several feeds, from the shortest to the longest, in words.
pub fn range(feeds: &[&Feed]) -> String {
    let least = feeds.iter().map(|f| f.delay.class).min();
    let most = feeds.iter().map(|f| f.delay.class).max();
    match (least, most) {
        (Some(a), Some(b)) if a == b => a.word().to_owned(),
        (Some(a), Some(b)) => format!("{} to {}", a.word(), b.word()),
        _ => format::UNKNOWN.to_owned(),
    }
}

fn crumbs(params: &Params, here: &str) -> Markup {
    html! {
        nav class="crumbs" aria-label="Where this is" {
            a href="/status" { "Status" }
            span aria-hidden="true" { "\u{203a}" }
            a href=(params.only(keeps).href("/sources")) { "Sources" }
            span aria-hidden="true" { "\u{203a}" }
            span { (here) }
        }
    }
}

/// A source.
pub fn source(params: &Params, source: &SourceStatus, zone: chrono_tz::Tz) -> Markup {
    let or_any = |text: &str| match text {
        "" => "as its records name it".to_owned(),
        text => text.to_owned(),
    };
    let known = heard(source);
    html! {
        (crumbs(params, &source.name))
        h1 { (source.name) " " (state(source)) }
        dl class="facts" {
            div { dt { "Adapter" } dd { code { (source.adapter) } } }
            div { dt { "Instance" } dd { (or_any(&source.instance)) } }
            div { dt { "Site" } dd { (view::or_dash(Some(&source.site))) } }
            div { dt { "In the configuration" } dd { (if source.configured { "yes" } else { "no" }) } }
            div { dt { "Records" } dd { (format::count(source.records)) } }
            div { dt { "Last record" } dd { (view::time(zone, source.last_received_at)) } }
            div { dt { "Delay seen, latest record" } dd { (lag(source.lag_ms)) } }
        }
        @match known {
            None => (view::empty(
                "What this source can say is not in the table.",
                &html! { "It is read by a mapping file of yours. What it reads and what it leaves: " code { "callboard map try FILE SAMPLE" } "." },
            )),
            Some((platform, feeds)) => {
                @if source.feeds.iter().all(|f| platform.of_format(&f.format).is_none()) {
                    p class="note" { "Nothing of it was heard yet: this is what it could say with all of its feeds." }
                }
                (legend())
                (feeds_table(platform, Some(source), zone))
                (said(platform, &feeds))
            }
        }
    }
}

/// A platform with all of its feeds.
pub fn platform(params: &Params, platform: &'static Platform) -> Markup {
    html! {
        (crumbs(params, &platform.title))
        h1 { (platform.title) }
        p class="lead" { "What it can say with all of its feeds together. Adapter " code { (platform.adapter) } "; how to connect it stands in " code { "docs/" (platform.page) } "." }
        (legend())
        (feeds_table(platform, None, chrono_tz::Tz::UTC))
        (said(platform, &platform.every()))
    }
}

fn feeds_table(
    platform: &'static Platform,
    source: Option<&SourceStatus>,
    zone: chrono_tz::Tz,
) -> Markup {
    let mut heads = vec![Head::words("Feed"), Head::words("Delay to expect")];
    if source.is_some() {
        heads.extend([
            Head::numbers("Delay seen", ""),
            Head::words("Last record"),
            Head::numbers("Records", "n"),
        ]);
    }
    heads.push(Head::prose("Who says so"));
    let lines: Vec<Vec<Markup>> = platform
        .feeds
        .iter()
        .map(|f| {
            let mut line = vec![html! { (f.title) }, html! { (expect(&f.delay)) }];
            if let Some(source) = source {
                line.extend(seen(f, source, zone));
            }
            line.push(html! { (f.delay.source) });
            line
        })
        .collect();
    html! {
        section class="panel" aria-labelledby="hf" {
            header class="panel-head" { h2 id="hf" { "Feeds" } @if source.is_some() { span class="quiet" { (zone) } } }
            (cards("Feeds", &heads, &lines))
        }
    }
}

/// What came of a feed: delay seen, last record, records.
fn seen(feed: &Feed, source: &SourceStatus, zone: chrono_tz::Tz) -> Vec<Markup> {
    let own = |s: &&SourceFeed| feed.formats.contains(&s.format);
    let all: Vec<&SourceFeed> = source.feeds.iter().filter(own).collect();
    if all.is_empty() {
        let none = html! { span class="quiet" { "not sent yet" } };
        return vec![html! { (format::UNKNOWN) }, none, html! { "0" }];
    }
    let last = all.iter().filter_map(|s| s.last_received_at).max();
    let latest = all.iter().max_by_key(|s| s.last_received_at);
    let n: i64 = all.iter().map(|s| s.records).sum();
    vec![
        html! { (lag(latest.and_then(|s| s.lag_ms))) },
        view::time(zone, last),
        html! { (format::count(n)) },
    ]
}

fn said(platform: &'static Platform, feeds: &[&'static Feed]) -> Markup {
    let all = platform.says(feeds);
    html! {
        @for (id, title, metrics) in [("hm", "Metrics", true), ("hw", "What they are made of, and the rest", false)] {
            section class="panel" aria-labelledby=(id) {
                header class="panel-head" { h2 id=(id) { (title) } }
                (said_table(title, all.iter().filter(|s| s.metric == metrics)))
            }
        }
    }
}

fn said_table<'s>(title: &str, said: impl Iterator<Item = &'s Said>) -> Markup {
    let heads = [
        Head::words(if title == "Metrics" { "Metric" } else { "Fact" }),
        Head::words("Standing"),
        Head::words("Delay to expect"),
        Head::prose("Why"),
    ];
    let lines: Vec<Vec<Markup>> = said
        .map(|s| {
            vec![
                html! { span title=(s.meaning) { (s.title) } },
                html! { span data-said=(s.name) data-standing=(s.standing.word()) { (mark(s.standing)) } },
                html! { (s.delay.map_or(format::UNKNOWN.to_owned(), expect)) },
                html! { (s.reason) },
            ]
        })
        .collect();
    cards(title, &heads, &lines)
}

#[cfg(test)]
mod tests {
    use callboard_query::say::of_adapter;

    use super::*;

    fn a_source(adapter: &str, formats: &[&str]) -> SourceStatus {
        SourceStatus {
            name: "one".to_owned(),
            adapter: adapter.to_owned(),
            instance: String::new(),
            site: String::new(),
            configured: true,
            state: "live",
            last_received_at: Some(1_795_254_000_000_000),
            lag_ms: Some(90_000),
            records: 3,
            feeds: formats
                .iter()
                .map(|f| SourceFeed {
                    format: (*f).to_owned(),
                    records: 3,
                    last_received_at: Some(1_795_254_000_000_000),
                    lag_ms: Some(90_000),
                })
                .collect(),
        }
    }

    fn page_of(adapter: &str, formats: &[&str]) -> String {
        let params = Params::default();
        source(&params, &a_source(adapter, formats), chrono_tz::Tz::UTC).into_string()
    }

    #[test]
    fn a_source_says_what_it_sent_and_no_more() {
        let log = page_of("asterisk", &["asterisk/queue_log"]);
        assert!(
            log.contains("data-said=\"hold\" data-standing=\"impossible\""),
            "{log}"
        );
        assert!(log.contains("it comes with AMI events"), "{log}");
        assert!(
            log.contains("90\u{202f}s") && log.contains("not sent yet"),
            "{log}"
        );
        let both = page_of("asterisk", &["asterisk/queue_log", "asterisk/ami"]);
        assert!(
            both.contains("data-said=\"hold\" data-standing=\"exact\""),
            "{both}"
        );
    }

    #[test]
    fn what_was_never_heard_or_is_not_known_is_said_to_be_so() {
        let silent = page_of("teams", &[]);
        assert!(silent.contains("Nothing of it was heard yet"), "{silent}");
        let own = page_of("mapping:ours", &[]);
        assert!(own.contains("not in the table"), "{own}");
    }

    #[test]
    fn delays_and_counts_read_well() {
        assert_eq!(lag(Some(-1_500)), "\u{2212}1\u{202f}s");
        assert_eq!(lag(None), format::UNKNOWN);
        let teams = of_adapter("teams").unwrap();
        assert_eq!(range(&teams.every()), "seconds to days");
        let n = of_metrics(teams, &teams.every());
        assert_eq!(
            n.iter().sum::<usize>(),
            callboard_query::metrics::all().len()
        );
    }
}
