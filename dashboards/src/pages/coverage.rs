//! The coverage ledger: of the contacts there should be, how many are closed, recorded,
//! transcribed and tagged, and for each gap the reason and the contacts.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use maud::{Markup, html};

use crate::app::App;
use crate::data::{self, Rows};
use crate::error::PageError;
use crate::pages::orphans::Orphans;
use crate::pages::{self, respond};
use crate::url::Params;
use crate::view::filters::{self, Choice};
use crate::view::icon::{Level, badge};
use crate::view::table::{Head, cards, csv, table};
use crate::view::{self, Frame, format};

/// Stages in order, with what they ask.
const STAGES: [(&str, &str); 4] = [
    ("closed", "has it ended?"),
    ("recorded", "is there sound?"),
    ("transcribed", "is there text?"),
    ("tagged", "was the text searched for findings?"),
];
/// States in order.
const STATES: [&str; 6] = [
    "done",
    "pending",
    "missing",
    "failed",
    "skipped",
    "not_expected",
];

/// `GET /coverage`
///
/// # Errors
/// When a filter is wrong or the query fails.
pub async fn page(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let (app, params) = pages::asked(app, query).await?;
    let choice = pages::choice(&app, &params)?;
    let data = app.data.pin();
    let query = sql(&choice);
    let (rows, orphans) =
        futures::try_join!(data.rows(&query), Orphans::read(data.as_ref(), &choice))?;
    if params.get("format") == Some("csv") {
        let lines = rows
            .rows
            .iter()
            .map(|r| r.iter().map(data::Value::plain).collect());
        return Ok(pages::csv_file("coverage", csv(&rows.columns, lines)));
    }
    let empty = if rows.is_empty() {
        Some(pages::nothing(&app, "/coverage", &params, &choice).await)
    } else {
        None
    };
    let body = html! {
        h1 { "Coverage" }
        p class="lead" { "Every contact stands in this ledger at every stage. What is missing is named with its reason, and each number leads to its contacts." }
        form class="filters" method="get" action="/coverage" data-auto {
            (filters::fields(&choice, &[], &[]))
            button type="submit" { "Apply" }
        }
        (filters::presets("/coverage", &params, &choice))
        @match empty {
            Some(empty) => (empty),
            None => {
                section class="panel" aria-labelledby="hs" {
                    header class="panel-head" { h2 id="hs" { "By stage" } a class="quiet-link" href=(params.with("format", "csv").href("/coverage")) { "CSV" } }
                    (stages(&choice, &params, &rows))
                }
                section class="panel" aria-labelledby="hg" {
                    header class="panel-head" { h2 id="hg" { "Gaps and their reasons" } }
                    (gaps(&choice, &params, &rows))
                }
            }
        }
        (orphans.section(choice.range.zone))
    };
    let frame = Frame::new("Coverage", "/coverage")
        .script("forms.js")
        .asked(&app, &params);
    Ok(respond(&frame.data_of(choice.range.zone, rows.now), &body))
}

fn sql(choice: &Choice) -> String {
    format!(
        "SELECT v.stage, v.state, coalesce(v.reason, '') AS reason, count(*) AS n \
         FROM callboard.coverage v JOIN callboard.contacts c ON c.contact_id = v.contact_id \
         WHERE c.started_at >= {} AND c.started_at < {} GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT 1000",
        data::time(choice.range.from),
        data::time(choice.range.to)
    )
}

/// The contacts of a stage in a state.
fn href(
    params: &Params,
    choice: &Choice,
    stage: &str,
    state: Option<&str>,
    reason: Option<&str>,
) -> String {
    params
        .only(|n| n == "tz" || n == "theme")
        .with("from", &choice.range.first.to_string())
        .with("to", &choice.range.last.to_string())
        .with("stage", stage)
        .with("gap", state.unwrap_or_default())
        .with("reason", reason.unwrap_or_default())
        .href("/contacts")
}

fn number(n: i64, href: &str) -> Markup {
    html! { a class={ "n" @if n == 0 { " zero" } } href=(href) data-value=(n) { (format::count(n)) } }
}

fn sum(rows: &Rows, stage: &str, state: Option<&str>) -> i64 {
    rows.iter()
        .filter(|r| {
            r.text("stage") == Some(stage) && state.is_none_or(|s| r.text("state") == Some(s))
        })
        .filter_map(|r| r.int("n"))
        .sum()
}

fn stages(choice: &Choice, params: &Params, rows: &Rows) -> Markup {
    let mut heads = vec![Head::words("Stage"), Head::numbers("Contacts", "n")];
    heads.extend(STATES.iter().map(|s| Head::numbers(&format::word(s), "n")));
    heads.push(Head::numbers("Done of expected", "%"));
    let lines: Vec<Vec<Markup>> = STAGES
        .iter()
        .map(|(stage, asks)| {
            let all = sum(rows, stage, None);
            let mut line = vec![
                html! { strong { (stage) } " " span class="quiet" { (asks) } },
                number(all, &href(params, choice, stage, None, None)),
            ];
            line.extend(STATES.iter().map(|s| number(sum(rows, stage, Some(s)), &href(params, choice, stage, Some(s), None))));
            let expected = all - sum(rows, stage, Some("not_expected"));
            let done = sum(rows, stage, Some("done"));
            line.push(html! { (if expected > 0 { format::percent(done as f64 / expected as f64, expected) } else { format::UNKNOWN.to_owned() }) });
            line
        })
        .collect();
    table("Contacts by stage", &heads, &lines, None)
}

fn gaps(choice: &Choice, params: &Params, rows: &Rows) -> Markup {
    let heads = [
        Head::words("Stage"),
        Head::words("State"),
        Head::prose("Reason"),
        Head::numbers("Contacts", "n"),
    ];
    let lines: Vec<Vec<Markup>> = rows
        .iter()
        .filter(|r| !r.text("reason").unwrap_or_default().is_empty())
        .map(|r| {
            let (stage, state) = (
                r.text("stage").unwrap_or_default(),
                r.text("state").unwrap_or_default(),
            );
            let reason = r.text("reason").unwrap_or_default();
            let level = match state {
                "missing" | "failed" => Level::Alert,
                "pending" => Level::Warn,
                "done" => Level::Ok,
                _ => Level::Unknown,
            };
            vec![
                html! { (stage) },
                badge(level, &format::word(state)),
                html! { (format::reason(reason)) },
                number(
                    r.int("n").unwrap_or(0),
                    &href(params, choice, stage, Some(state), Some(reason)),
                ),
            ]
        })
        .collect();
    if lines.is_empty() {
        return view::empty(
            "There is no gap.",
            &html! { "Every contact of this range is closed, recorded, transcribed and tagged." },
        );
    }
    cards("Gaps and their reasons", &heads, &lines)
}
