//! The list of journeys: what a customer went through from one system into the next.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use crate::app::App;
use crate::data::{self, Rows, Value};
use crate::error::PageError;
use crate::pages::{self, respond};
use crate::url::{self, Params};
use crate::view::filters::{self, Choice};
use crate::view::icon::{Level, badge};
use crate::view::table::{Head, cards, csv};
use crate::view::{self, Frame, format};

const PAGE: usize = 50;
/// Most rows of an exported list.
const MOST: usize = 200_000;
/// Platforms offered in the form.
const PLATFORMS: usize = 50;

/// `GET /journeys`
///
/// # Errors
/// When a filter is wrong or a query fails.
pub async fn page(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let (app, params) = pages::asked(app, query).await?;
    if let Some(id) = params.get("id") {
        let there = params.only(|n| n == "as_of");
        return Ok(Redirect::to(&there.href(&url::journey(id.trim()))).into_response());
    }
    let choice = pages::choice(&app, &params)?;
    let number = pages::page_number(&params)?;
    let terms = terms(&params, &choice).map_err(PageError::bad)?;
    if params.get("format") == Some("csv") {
        let rows = app.data.rows(&sql(&terms, MOST, 0)).await?;
        let lines = rows.rows.iter();
        let lines = lines.map(|r| r.iter().map(Value::plain).collect());
        return Ok(pages::csv_file("journeys", csv(&rows.columns, lines)));
    }
    let count = format!("SELECT count(*) AS n {}", from(&terms));
    let list = sql(&terms, PAGE, (number - 1) * PAGE);
    let words = format!(
        "SELECT DISTINCT split_part(source, '/', 2) AS name FROM callboard.contacts \
         WHERE started_at >= {} AND started_at < {} ORDER BY name LIMIT {PLATFORMS}",
        data::time(choice.range.from),
        data::time(choice.range.to)
    );
    let (count, rows, platforms) = {
        let data = app.data.pin();
        futures::try_join!(data.rows(&count), data.rows(&list), data.rows(&words))?
    };
    let (queues, agents) = pages::known(&app, &choice.range).await?;
    let all = count.first().and_then(|r| r.int("n")).unwrap_or(0);
    let empty = match rows.is_empty() {
        true => Some(nothing(&params)),
        false => None,
    };
    let body = html! {
        h1 { "Journeys" }
        p class="quiet" { "What one customer went through, across platforms: contacts that the platforms themselves link, that carry one id, or that were handed over by a number of the pool." }
        (form(&params, &choice, &platforms, &queues, &agents))
        (filters::presets("/journeys", &params, &choice))
        p class="print-only" { (choice.words()) }
        @match empty {
            Some(empty) => (empty),
            None => {
                p class="count" id="count" data-count=(all) {
                    strong { (format::count(all)) } " " (format::plural(all, "journey")) ", " (choice.words()) ". "
                    a href=(params.with("format", "csv").without("page").href("/journeys")) { "CSV" }
                }
                section class="panel" aria-label="Journeys" { (table(&choice, &rows)) }
                (pages::pager("/journeys", &params, number, PAGE, usize::try_from(all).unwrap_or(0)))
            }
        }
    };
    let frame = Frame::new("Journeys", "/journeys")
        .script("forms.js")
        .asked(&app, &params);
    Ok(respond(&frame.data_of(choice.range.zone, app.now()), &body))
}

fn nothing(params: &Params) -> Markup {
    let joined = params.get("contacts") != Some("1");
    view::empty(
        "No journey falls into this choice.",
        &html! {
            @if joined {
                "Only journeys of several contacts are shown, and such with a lost hand-over; "
                a href=(params.with("contacts", "1").href("/journeys")) { "show single contacts too" } ". "
            }
            "The latest " a href="/contacts" { "contacts" } " may lie on another day."
        },
    )
}

/// The conditions that an address makes, over journeys `j` and what was not joined `l`.
fn terms(params: &Params, choice: &Choice) -> Result<Vec<String>, String> {
    let range = &choice.range;
    let mut out = vec![format!(
        "j.started_at >= {} AND j.started_at < {}",
        data::time(range.from),
        data::time(range.to)
    )];
    let through = |column: &str, values: &[String]| {
        format!(
            "j.journey_id IN (SELECT s.journey_id FROM callboard.journey_steps s \
             JOIN callboard.segments g ON g.contact_id = s.contact_id \
             WHERE s.joined AND g.{column} IN ({}))",
            data::texts(values)
        )
    };
    if !choice.queues.is_empty() {
        out.push(through("queue", &choice.queues));
    }
    if !choice.agents.is_empty() {
        out.push(through("agent", &choice.agents));
    }
    if let Some(platform) = params.get("platform") {
        out.push(format!("array_has(j.platforms, {})", data::text(platform)));
    }
    match params.get("contacts") {
        None | Some("2") => {
            out.push(
                "(j.contacts >= 2 OR coalesce(l.lost, 0) + coalesce(l.stray, 0) > 0)".to_owned(),
            );
        }
        Some("1") => {}
        Some(other) => {
            return Err(format!(
                "contacts is {other:?}; 2 shows journeys of several contacts, 1 all."
            ));
        }
    }
    match params.get("handover") {
        None => {}
        Some("lost") => out.push("coalesce(l.lost, 0) > 0".to_owned()),
        Some("weak") => out.push("coalesce(l.weak, 0) > 0".to_owned()),
        Some("stray") => out.push("coalesce(l.stray, 0) > 0".to_owned()),
        Some(other) => {
            return Err(format!(
                "handover is {other:?}; choose lost, weak or stray."
            ));
        }
    }
    Ok(out)
}

fn from(terms: &[String]) -> String {
    format!(
        "FROM callboard.journeys j LEFT JOIN (SELECT journey_id, \
           count(*) FILTER (WHERE strength = 'lost') AS lost, \
           count(*) FILTER (WHERE strength = 'weak') AS weak, \
           count(*) FILTER (WHERE strength = 'stray') AS stray \
           FROM callboard.journey_steps WHERE NOT joined GROUP BY journey_id) l \
         ON l.journey_id = j.journey_id WHERE {}",
        terms.join(" AND ")
    )
}

fn sql(terms: &[String], limit: usize, offset: usize) -> String {
    format!(
        "SELECT j.journey_id, j.started_at, j.ended_at, j.contacts, j.platforms, j.outcome, \
         coalesce(l.lost, 0) AS lost, coalesce(l.weak, 0) AS weak, coalesce(l.stray, 0) AS stray {} \
         ORDER BY j.started_at DESC, j.journey_id LIMIT {limit} OFFSET {offset}",
        from(terms)
    )
}

fn table(choice: &Choice, rows: &Rows) -> Markup {
    let heads = [
        Head::words("Journey"),
        Head::words("Began"),
        Head::numbers("Length", "h:mm:ss"),
        Head::numbers("Contacts", ""),
        Head::words("Platforms"),
        Head::words("Outcome"),
        Head::words("Hand-overs"),
    ];
    let lines: Vec<Vec<Markup>> = rows
        .iter()
        .map(|r| {
            let id = r.text("journey_id").unwrap_or_default();
            let length = r.int("ended_at").zip(r.int("started_at"));
            let platforms = match r.get("platforms") {
                Value::Texts(all) => all.join(" \u{2192} "),
                _ => String::new(),
            };
            let of = |name: &str| r.int(name).unwrap_or(0);
            let (lost, weak, stray) = (of("lost"), of("weak"), of("stray"));
            vec![
                html! { a href=(url::journey(id)) { (id) } },
                view::time(choice.range.zone, r.int("started_at")),
                view::millis(length.map(|(e, s)| (e - s) / 1000)),
                html! { (format::count(r.int("contacts").unwrap_or(0))) },
                view::or_dash(Some(&platforms)),
                view::or_dash(r.text("outcome").map(format::word).as_deref()),
                html! {
                    @if lost > 0 { (badge(Level::Alert, &format!("{lost} lost"))) " " }
                    @if stray > 0 { (badge(Level::Alert, &format!("{stray} sent by nobody"))) " " }
                    @if weak > 0 { (badge(Level::Warn, &format!("{weak} uncertain"))) }
                    @if lost + weak + stray == 0 { (format::UNKNOWN) }
                },
            ]
        })
        .collect();
    cards("Journeys", &heads, &lines)
}

fn form(
    params: &Params,
    choice: &Choice,
    platforms: &Rows,
    queues: &[String],
    agents: &[String],
) -> Markup {
    let names: Vec<&str> = platforms.iter().filter_map(|r| r.text("name")).collect();
    let mut of: Vec<(&str, &str)> = vec![("", "Any")];
    of.extend(names.iter().map(|n| (*n, *n)));
    html! {
        form class="filters" method="get" action="/journeys" data-auto {
            (filters::fields(choice, queues, agents))
            (filters::one_of(params, "Platform", "platform", &of))
            (filters::one_of(params, "Contacts", "contacts", &[("", "Several"), ("1", "One or several")]))
            (filters::one_of(params, "Hand-over", "handover", &[("", "Any"), ("lost", "Lost"), ("stray", "Sent by nobody"), ("weak", "Uncertain")]))
            (filters::kept(params, &["theme"]))
            button type="submit" { "Apply" }
            a class="quiet-link" href="/journeys" { "Clear" }
        }
    }
}
