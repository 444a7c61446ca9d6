//! The pages, and what they share: reading addresses, answering, lists of known names.

pub mod beside;
pub mod board;
pub mod contact;
pub mod contacts;
pub mod course;
pub mod coverage;
pub mod dead_letters;
pub mod journey;
pub mod journeys;
pub mod narrow;
pub mod notes;
pub mod orphans;
pub mod says;
pub mod sources;
pub mod status;
pub mod talk;
pub mod transcript;

use std::sync::Arc;

use axum::http::{StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use maud::{Markup, html};

use crate::app::App;
use crate::data::{self, DataError};
use crate::error::PageError;
use crate::url::Params;
use crate::view::filters::{self, Choice};
use crate::view::then::address;
use crate::view::{self, Frame};
use crate::zone::Range;

/// Most names offered in a filter.
const MOST_NAMES: usize = 500;
/// Last page of any list.
const LAST_PAGE: usize = 10_000;

/// The parameters of an address.
///
/// # Errors
/// When they are out of bounds.
pub fn params(query: Option<String>) -> Result<Params, PageError> {
    Params::parse(query.as_deref().unwrap_or_default()).map_err(PageError::bad)
}

/// The parameters of an address, and the pages of the moment that it asks for: those of now where
/// it names none.
///
/// # Errors
/// When they are out of bounds, or there is no picture of that moment.
pub async fn asked(app: Arc<App>, query: Option<String>) -> Result<(Arc<App>, Params), PageError> {
    let params = params(query)?;
    let Some(text) = params.get("as_of") else {
        return Ok((app, params));
    };
    let zone = filters::read_zone(&params, app.zone).map_err(PageError::bad)?;
    let at = callboard_query::moment(text, zone).map_err(|e| PageError::bad(e.message))?;
    let then = app.at(at).await.map_err(|e| match e {
        DataError::Refused(why) | DataError::Limited(why) => PageError::bad(why),
        other => other.into(),
    })?;
    Ok((then, params.with("as_of", &address(at))))
}

/// The parameters of an address of which there is only now: who asks for an earlier moment must not
/// take now for it.
///
/// # Errors
/// When they are out of bounds, or name a moment; `what` says of now alone.
pub fn only_now(query: Option<String>, what: &str) -> Result<Params, PageError> {
    let params = params(query)?;
    match params.get("as_of") {
        None => Ok(params),
        Some(_) => Err(PageError::bad(format!(
            "{what} tells of now alone, and as_of asks for an earlier moment. Take as_of out of the \
             address, or ask for it on another page: the board, contacts, journeys and reports have it."
        ))),
    }
}

/// Days, zone, queues and agents of an address.
///
/// # Errors
/// When one of them is wrong.
pub fn choice(app: &App, params: &Params) -> Result<Choice, PageError> {
    Choice::read(params, app.zone, app.now()).map_err(PageError::bad)
}

/// The page of a list that an address asks for, from 1.
///
/// # Errors
/// When it is no such number.
pub fn page_number(params: &Params) -> Result<usize, PageError> {
    match params.get("page") {
        None => Ok(1),
        Some(text) => match text.parse() {
            Ok(n) if (1..=LAST_PAGE).contains(&n) => Ok(n),
            _ => Err(PageError::bad(format!(
                "page is {text:?}; pages run from 1 to {LAST_PAGE}."
            ))),
        },
    }
}

/// A page as an answer.
pub fn respond(frame: &Frame, body: &Markup) -> Response {
    Html(view::page(frame, body)).into_response()
}

/// A CSV file as an answer.
pub fn csv_file(name: &str, body: String) -> Response {
    let name: String = name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .collect();
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}.csv\""),
        ),
    ];
    (headers, body).into_response()
}

/// Links to the other pages of a list of `all` rows.
pub fn pager(path: &str, params: &Params, page: usize, size: usize, all: usize) -> Markup {
    let pages = all.div_ceil(size).clamp(1, LAST_PAGE);
    let link = |n: usize| {
        params
            .with("page", &if n == 1 { String::new() } else { n.to_string() })
            .href(path)
    };
    html! {
        @if pages > 1 {
            nav class="pager" aria-label="Pages" {
                @if page > 1 { a href=(link(page - 1)) rel="prev" { "\u{2190} Previous" } }
                span { "Page " (page) " of " (pages) }
                @if page < pages { a href=(link(page + 1)) rel="next" { "Next \u{2192}" } }
            }
        }
    }
}

/// Queues and agents that occur in a range, for the filters.
///
/// # Errors
/// When a query fails.
pub async fn known(app: &App, range: &Range) -> Result<(Vec<String>, Vec<String>), PageError> {
    let names = |column: &str| {
        let (from, to) = (data::time(range.from), data::time(range.to));
        let day = |us: i64| crate::zone::local(chrono_tz::Tz::UTC, us).date();
        let (first, last) = (day(range.from - 31 * crate::zone::DAY), day(range.to));
        format!(
            "SELECT DISTINCT {column} AS name FROM callboard.segments WHERE {column} IS NOT NULL \
             AND day BETWEEN DATE '{first}' AND DATE '{last}' AND started_at >= {from} AND started_at < {to} ORDER BY name LIMIT {MOST_NAMES}"
        )
    };
    let (queues, agents) = (names("queue"), names("agent"));
    let (queues, agents) = futures::try_join!(app.data.rows(&queues), app.data.rows(&agents))?;
    let list = |rows: &data::Rows| {
        rows.iter()
            .filter_map(|r| r.text("name").map(str::to_owned))
            .collect()
    };
    Ok((list(&queues), list(&agents)))
}

/// Why a range shows nothing, and where something is.
pub async fn nothing(app: &App, path: &str, params: &Params, choice: &Choice) -> Markup {
    let latest = app
        .data
        .rows("SELECT max(started_at) AS at FROM callboard.contacts")
        .await;
    let latest = latest
        .ok()
        .and_then(|r| r.first().and_then(|r| r.int("at")));
    match latest {
        None => view::empty(
            "Nothing has arrived yet.",
            &html! { "Send the first events with " code { "callboard send" } ", or see the "
            a href="/status" { "status page" } " for sources that are silent." },
        ),
        Some(at) => {
            let day = crate::zone::local(choice.range.zone, at).date().to_string();
            let there = params
                .with("from", &day)
                .with("to", &day)
                .without("page")
                .href(path);
            let narrow = !choice.queues.is_empty()
                || !choice.agents.is_empty()
                || !params.under("x.").is_empty();
            view::empty(
                "Nothing falls into this choice.",
                &html! {
                    @if narrow { "The filters may leave nothing over: " a href=(path) { "clear them" } ". " }
                    "The latest contact began on " a href=(there) { (day) } "."
                },
            )
        }
    }
}

/// The 404 page.
pub async fn not_found(uri: Uri) -> Response {
    if uri.path().starts_with("/v1/") {
        return (
            StatusCode::NOT_FOUND,
            format!("There is no {}.\n", uri.path()),
        )
            .into_response();
    }
    let path: String = uri.path().chars().take(200).collect();
    PageError::missing(format!("There is no page {path:?}."), "/contacts").into_response()
}
