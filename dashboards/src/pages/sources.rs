//! The sources: what each sends, how late, and how many figures it can say exactly, roughly or not
//! at all. `?source=NAME` and `?platform=NAME` show one of them, figure by figure.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use callboard_query::say::{self, Feed, Platform, Standing};
use maud::{Markup, html};

use crate::app::App;
use crate::error::PageError;
use crate::pages::{self, respond, says};
use crate::ports::SourceStatus;
use crate::url::Params;
use crate::view::icon::{Level, badge};
use crate::view::table::{Head, cards};
use crate::view::{self, Frame, filters, format};

/// Most sources that are listed.
const MOST: usize = 500;

/// `GET /sources`
///
/// # Errors
/// When the address names no zone, a moment, or a source or platform that is not there.
pub async fn page(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let params = pages::only_now(query, "The page of sources")?;
    let zone = filters::read_zone(&params, app.zone).map_err(PageError::bad)?;
    let sources = app.status.sources().await;
    let (title, body) = match (params.get("source"), params.get("platform")) {
        (Some(name), _) => {
            let all = sources
                .as_ref()
                .map_err(|why| PageError::failed(why.clone()))?;
            let source = all.iter().find(|s| s.name == name).ok_or_else(|| {
                PageError::missing(format!("There is no source {name:?}."), "/sources")
            })?;
            (source.name.clone(), says::source(&params, source, zone))
        }
        (None, Some(name)) => {
            let platform = say::of_adapter(name).or_else(|| say::of_name(name));
            let platform = platform.ok_or_else(|| {
                PageError::missing(format!("There is no platform {name:?}."), "/sources")
            })?;
            (platform.title.clone(), says::platform(&params, platform))
        }
        (None, None) => ("Sources".to_owned(), list(&params, &sources, zone)),
    };
    let frame = Frame::new(title, "/status").theme(&params);
    Ok(respond(&frame.data_of(zone, app.now()), &body))
}

fn list(
    params: &Params,
    sources: &Result<Vec<SourceStatus>, String>,
    zone: chrono_tz::Tz,
) -> Markup {
    html! {
        nav class="crumbs" aria-label="Where this is" {
            a href="/status" { "Status" }
            span aria-hidden="true" { "\u{203a}" }
            span { "Sources" }
        }
        h1 { "Sources" }
        p class="lead" { "What each source sends, how late it comes, and which figures it can say. Figures that a platform computes itself stand " a href=(params.only(keeps).href("/beside")) { "beside ours" } "." }
        (says::legend())
        section class="panel" aria-labelledby="hs" {
            header class="panel-head" { h2 id="hs" { "Your sources" } span class="quiet" { (zone) } }
            @match sources {
                Err(why) => (view::trouble("The sources cannot be counted.", why)),
                Ok(all) if all.is_empty() => (view::empty(
                    "No source is configured, and none was heard since the start.",
                    &html! { "Send something: " code { "callboard send --source asterisk PATH" } ". What each platform could say stands below." },
                )),
                Ok(all) => {
                    (table(params, all, zone))
                    @if all.len() > MOST { p class="note" { "The first " (MOST) " of " (format::count(all.len() as i64)) " are shown." } }
                }
            }
        }
        section class="panel" aria-labelledby="hp" {
            header class="panel-head" { h2 id="hp" { "Every platform" } span class="quiet" { "all of its feeds together" } }
            (platforms(params))
        }
    }
}

/// Parameters that go along from page to page.
pub(super) fn keeps(name: &str) -> bool {
    ["tz", "theme"].contains(&name)
}

/// The address of one source or platform.
fn href(params: &Params, what: &str, name: &str) -> String {
    params.only(keeps).with(what, name).href("/sources")
}

/// The platform of a source, and its feeds of which something came: all of them where nothing did.
pub(super) fn heard(source: &SourceStatus) -> Option<(&'static Platform, Vec<&'static Feed>)> {
    let platform = say::of_adapter(&source.adapter)?;
    let sent = |feed: &&Feed| {
        feed.formats
            .iter()
            .any(|f| source.feeds.iter().any(|s| s.format == *f))
    };
    let some: Vec<&'static Feed> = platform.feeds.iter().filter(sent).collect();
    Some((
        platform,
        if some.is_empty() {
            platform.every()
        } else {
            some
        },
    ))
}

/// A state of a source as a badge.
pub(super) fn state(source: &SourceStatus) -> Markup {
    match source.state {
        "live" => badge(Level::Ok, "live"),
        "silent" => badge(Level::Alert, "silent"),
        other => badge(Level::Unknown, other),
    }
}

fn numbers(counts: [usize; 3]) -> Vec<Markup> {
    counts.iter().map(|n| html! { (n) }).collect()
}

fn heads(first: &[Head]) -> Vec<Head> {
    let mut heads = first.to_vec();
    heads.extend(Standing::ALL.map(|s| Head::numbers(&capital(s.word()), "metrics")));
    heads
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn table(params: &Params, all: &[SourceStatus], zone: chrono_tz::Tz) -> Markup {
    let heads = heads(&[
        Head::words("Source"),
        Head::words("Adapter"),
        Head::words("State"),
        Head::words("Last record"),
        Head::numbers("Delay seen", ""),
        Head::words("Delay to expect"),
    ]);
    let lines: Vec<Vec<Markup>> = all
        .iter()
        .take(MOST)
        .map(|s| {
            let mut line = vec![
                html! { a href=(href(params, "source", &s.name)) { (s.name) } },
                html! { (s.adapter) @if !s.instance.is_empty() { " " span class="quiet" { (s.instance) } } },
                state(s),
                view::time(zone, s.last_received_at),
                html! { (says::lag(s.lag_ms)) },
            ];
            match heard(s) {
                Some((platform, feeds)) => {
                    line.push(html! { (says::range(&feeds)) });
                    line.extend(numbers(says::of_metrics(platform, &feeds)));
                }
                None => line.extend((0..4).map(|_| html! { (format::UNKNOWN) })),
            }
            line
        })
        .collect();
    cards("Your sources", &heads, &lines)
}

fn platforms(params: &Params) -> Markup {
    let heads = heads(&[
        Head::words("Platform"),
        Head::words("Adapter"),
        Head::prose("Feeds"),
        Head::words("Delay to expect"),
    ]);
    let lines: Vec<Vec<Markup>> = say::table()
        .platforms
        .iter()
        .map(|p| {
            let every = p.every();
            let feeds: Vec<&str> = p.feeds.iter().map(|f| f.title.as_str()).collect();
            let mut line = vec![
                html! { a href=(href(params, "platform", &p.name)) { (p.title) } },
                html! { code { (p.adapter) } },
                html! { (feeds.join(", ")) },
                html! { (says::range(&every)) },
            ];
            line.extend(numbers(says::of_metrics(p, &every)));
            line
        })
        .collect();
    cards("Every platform", &heads, &lines)
}
