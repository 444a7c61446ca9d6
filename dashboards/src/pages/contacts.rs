//! The list of contacts, narrowed by everything that is known of them.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use crate::app::App;
use crate::data::{self, Rows};
use crate::error::PageError;
use crate::pages::narrow::{heard_days, terms};
use crate::pages::{self, respond};
use crate::url::{self, Params};
use crate::view::filters::{self, Choice};
use crate::view::icon::mood;
use crate::view::table::{Head, cards, csv};
use crate::view::{self, Frame, format};

const PAGE: usize = 50;
/// Most rows of an exported list.
const MOST: usize = 200_000;

/// Orders that the list may have: name in the address, column, heading.
const ORDERS: [(&str, &str); 4] = [
    ("started", "c.started_at"),
    ("wait", "c.wait_ms"),
    ("talk", "c.talk_ms"),
    ("mood", "m.mood"),
];

/// `GET /contacts`
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
        let there = there.href(&url::contact(id.trim()));
        return Ok(Redirect::to(&there).into_response());
    }
    let choice = pages::choice(&app, &params)?;
    let number = pages::page_number(&params)?;
    let terms = terms(&params, &choice).map_err(PageError::bad)?;
    let order = order(&params).map_err(PageError::bad)?;
    if params.get("format") == Some("csv") {
        let rows = app
            .data
            .rows(&sql(&terms, &choice, &order, MOST, 0))
            .await?;
        return Ok(pages::csv_file("contacts", to_csv(&rows)));
    }
    let count = format!("SELECT count(*) AS n FROM {}", from(&terms, &choice));
    let list = sql(&terms, &choice, &order, PAGE, (number - 1) * PAGE);
    let (count, rows) = {
        let data = app.data.pin();
        futures::try_join!(data.rows(&count), data.rows(&list))?
    };
    let known = known(&app, &choice).await?;
    let all = count.first().and_then(|r| r.int("n")).unwrap_or(0);
    let empty = if rows.is_empty() {
        Some(pages::nothing(&app, "/contacts", &params, &choice).await)
    } else {
        None
    };
    let body = html! {
        h1 { "Contacts" }
        (form(&params, &choice, &known))
        (filters::presets("/contacts", &params, &choice))
        p class="print-only" { (choice.words()) }
        @match empty {
            Some(empty) => (empty),
            None => {
                p class="count" id="count" data-count=(all) {
                    strong { (format::count(all)) } " " (format::plural(all, "contact")) ", " (choice.words()) ". "
                    a href=(params.with("format", "csv").without("page").href("/contacts")) { "CSV" }
                }
                section class="panel" aria-label="Contacts" { (list_table(&params, &choice, &rows)) }
                (pages::pager("/contacts", &params, number, PAGE, usize::try_from(all).unwrap_or(0)))
            }
        }
    };
    let frame = Frame::new("Contacts", "/contacts")
        .script("forms.js")
        .asked(&app, &params);
    Ok(respond(&frame.data_of(choice.range.zone, app.now()), &body))
}

/// Names for the choices of the form.
struct Known {
    queues: Vec<String>,
    agents: Vec<String>,
    outcomes: Vec<String>,
    keywords: Vec<String>,
}

async fn known(app: &App, choice: &Choice) -> Result<Known, PageError> {
    let outcomes = format!(
        "SELECT DISTINCT outcome AS name FROM callboard.contacts WHERE outcome IS NOT NULL \
         AND started_at >= {} AND started_at < {} ORDER BY name LIMIT 100",
        data::time(choice.range.from),
        data::time(choice.range.to)
    );
    let keywords =
        "SELECT DISTINCT name FROM callboard.tags WHERE kind = 'keyword' ORDER BY name LIMIT 300";
    let (names, outcomes, keywords) = futures::join!(
        pages::known(app, &choice.range),
        app.data.rows(&outcomes),
        app.data.rows(keywords)
    );
    let list = |r: &Rows| {
        r.iter()
            .filter_map(|r| r.text("name").map(str::to_owned))
            .collect()
    };
    let (queues, agents) = names?;
    Ok(Known {
        queues,
        agents,
        outcomes: list(&*outcomes?),
        keywords: list(&*keywords?),
    })
}

fn from(terms: &[String], choice: &Choice) -> String {
    format!(
        "callboard.contacts c LEFT JOIN (SELECT contact_id, \
           coalesce(avg(sentiment) FILTER (WHERE leg = 'customer'), avg(sentiment)) AS mood \
           FROM callboard.turns WHERE {} GROUP BY contact_id) m ON m.contact_id = c.contact_id WHERE {}",
        heard_days(choice),
        terms.join(" AND ")
    )
}

fn order(params: &Params) -> Result<String, String> {
    let sort = params.get("sort").unwrap_or("-started");
    let (name, direction) = sort
        .strip_prefix('-')
        .map_or((sort, "ASC"), |n| (n, "DESC"));
    let column = ORDERS.iter().find(|o| o.0 == name).map(|o| o.1);
    let column =
        column.ok_or_else(|| format!("sort is {sort:?}; choose started, wait, talk or mood."))?;
    Ok(format!("{column} {direction} NULLS LAST, c.contact_id"))
}

fn sql(terms: &[String], choice: &Choice, order: &str, limit: usize, offset: usize) -> String {
    format!(
        "SELECT c.contact_id, c.started_at, c.ended_at, c.channel, c.direction, c.queue, c.agent, c.customer, \
         c.outcome, c.raw_outcome, c.wait_ms, c.talk_ms, c.hold_ms, c.wrap_ms, c.transfers, c.state, m.mood \
         FROM {} ORDER BY {order} LIMIT {limit} OFFSET {offset}",
        from(terms, choice)
    )
}

fn list_table(params: &Params, choice: &Choice, rows: &Rows) -> Markup {
    let heads = [
        Head::words("Contact"),
        Head::words("Began"),
        Head::words("Queue"),
        Head::words("Agent"),
        Head::words("Customer"),
        Head::words("Outcome"),
        Head::numbers("Wait", "h:mm:ss"),
        Head::numbers("Talk", "h:mm:ss"),
        Head::words("Mood"),
        Head::words("State"),
    ];
    let lines: Vec<Vec<Markup>> = rows
        .iter()
        .map(|r| {
            let id = r.text("contact_id").unwrap_or_default();
            vec![
                html! { a href=(url::contact(id)) { (id) } },
                view::time(choice.range.zone, r.int("started_at")),
                view::or_dash(r.text("queue")),
                view::or_dash(r.text("agent")),
                view::or_dash(r.text("customer")),
                view::or_dash(r.text("outcome").map(format::word).as_deref()),
                view::millis(r.int("wait_ms")),
                view::millis(r.int("talk_ms")),
                mood(r.number("mood")),
                view::or_dash(r.text("state")),
            ]
        })
        .collect();
    let now = params.get("sort").unwrap_or("-started");
    html! {
        nav class="presets" aria-label="Order" {
            "Sort by "
            @for (name, title) in [("started", "began"), ("wait", "wait"), ("talk", "talk"), ("mood", "mood")] {
                @let down = format!("-{name}");
                @let next = if now == down { name.to_owned() } else { down.clone() };
                a href=(params.with("sort", &next).without("page").href("/contacts"))
                    aria-current=[(now == name || now == down).then_some("true")] {
                    (title) @if now == down { " \u{2193}" } @else if now == name { " \u{2191}" }
                }
            }
        }
        (cards("Contacts", &heads, &lines))
    }
}

fn form(params: &Params, choice: &Choice, known: &Known) -> Markup {
    let select = |title: &str, name: &str, all: &[String]| {
        let words: Vec<String> = all.iter().map(|v| format::word(v)).collect();
        let values = all.iter().map(String::as_str);
        let mut of = vec![("", "Any")];
        of.extend(values.zip(words.iter().map(String::as_str)));
        filters::one_of(params, title, name, &of)
    };
    let moods: Vec<String> = ["positive", "neutral", "negative"]
        .map(str::to_owned)
        .to_vec();
    html! {
        form class="filters" method="get" action="/contacts" data-auto {
            (filters::fields(choice, &known.queues, &known.agents))
            (select("Outcome", "outcome", &known.outcomes))
            (select("Mood", "mood", &moods))
            (select("Keyword", "keyword", &known.keywords))
            label { "Words said"
                input type="search" name="said" value=(params.get("said").unwrap_or_default()) placeholder="refund \"call back\"" maxlength="200";
            }
            label { "Customer" input type="search" name="customer" value=(params.get("customer").unwrap_or_default()) maxlength="100"; }
            label { "Length from, s" input type="number" min="0" max="2678400" name="min" value=(params.get("min").unwrap_or_default()); }
            label { "to, s" input type="number" min="0" max="2678400" name="max" value=(params.get("max").unwrap_or_default()); }
            (filters::kept(params, &["sort", "stage", "gap", "reason", "state", "theme"]))
            button type="submit" { "Apply" }
            a class="quiet-link" href="/contacts" { "Clear" }
        }
        @if let Some(stage) = params.get("stage") {
            p class="pins" { "Only contacts whose stage "
                a class="pin" href=(params.without("stage").without("gap").without("reason").href("/contacts")) {
                    (stage) @if let Some(gap) = params.get("gap") { " is " (format::word(gap)) }
                    @if let Some(reason) = params.get("reason") { ": " (format::reason(reason)) }
                    " " (view::icon::icon("close")) span class="hidden" { "(remove)" }
                }
            }
        }
    }
}

fn to_csv(rows: &Rows) -> String {
    csv(
        &rows.columns,
        rows.rows
            .iter()
            .map(|r| r.iter().map(data::Value::plain).collect()),
    )
}
