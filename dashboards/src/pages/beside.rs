//! Theirs beside ours: figures that platforms compute themselves, each beside our figure of the
//! same metric, queue and span, with the difference.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use callboard_query::metrics;
use maud::{Markup, html};

use crate::app::App;
use crate::data::{self, Rows, Value};
use crate::error::PageError;
use crate::pages::{self, respond};
use crate::view::filters::{self, Choice};
use crate::view::table::{Head, cards, csv};
use crate::view::{self, Frame, format};

const PAGE: usize = 100;
/// Most rows of an exported list.
const MOST: usize = 200_000;

/// `GET /beside`
///
/// # Errors
/// When a filter is wrong or a query fails.
pub async fn page(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let (app, params) = pages::asked(app, query).await?;
    let choice = pages::choice(&app, &params)?;
    let number = pages::page_number(&params)?;
    let from = from(&choice);
    let list = |limit: usize, offset: usize| {
        format!(
            "SELECT source, metric, our_metric, queue, started_at, ended_at, theirs, ours, difference \
             {from} ORDER BY started_at DESC, queue, source, metric LIMIT {limit} OFFSET {offset}"
        )
    };
    if params.get("format") == Some("csv") {
        let rows = app.data.rows(&list(MOST, 0)).await?;
        let lines = rows.rows.iter();
        let lines = lines.map(|r| r.iter().map(Value::plain).collect());
        return Ok(pages::csv_file("beside", csv(&rows.columns, lines)));
    }
    let count = format!("SELECT count(*) AS n {from}");
    let list = list(PAGE, (number - 1) * PAGE);
    let (count, rows) = {
        let data = app.data.pin();
        futures::try_join!(data.rows(&count), data.rows(&list))?
    };
    let (queues, _) = pages::known(&app, &choice.range).await?;
    let all = count.first().and_then(|r| r.int("n")).unwrap_or(0);
    let body = html! {
        h1 { "Theirs beside ours" }
        p class="lead" {
            "Figures that platforms compute themselves, each beside ours of the same queue and span. Platforms may count a contact to another interval, or by another formula: that is what the difference shows."
        }
        form class="filters" method="get" action="/beside" data-auto {
            (filters::fields(&choice, &queues, &[]))
            (filters::kept(&params, &["theme"]))
            button type="submit" { "Apply" }
            a class="quiet-link" href="/beside" { "Clear" }
        }
        (filters::presets("/beside", &params, &choice))
        p class="print-only" { (choice.words()) }
        @if rows.is_empty() {
            (view::empty(
                "No platform's own figure falls into this choice.",
                &html! { "Send them: results of Amazon Connect's GetMetricDataV2 or of Genesys Cloud's aggregate queries, Asterisk's QueueSummary, or a table with the columns "
                    code { "metric,value,scope,started_at,ended_at" } "." },
            ))
        } @else {
            p class="count" id="count" data-count=(all) {
                strong { (format::count(all)) } " " (format::plural(all, "figure")) ", " (choice.words()) ". "
                a href=(params.with("format", "csv").without("page").href("/beside")) { "CSV" }
            }
            section class="panel" aria-label="Theirs beside ours" { (table(&choice, &rows)) }
            (pages::pager("/beside", &params, number, PAGE, usize::try_from(all).unwrap_or(0)))
        }
    };
    let frame = Frame::new("Theirs beside ours", "/reports")
        .script("forms.js")
        .asked(&app, &params);
    Ok(respond(&frame.data_of(choice.range.zone, app.now()), &body))
}

fn from(choice: &Choice) -> String {
    let queues = match choice.queues.as_slice() {
        [] => String::new(),
        queues => format!(" AND queue IN ({})", data::texts(queues)),
    };
    format!(
        "FROM callboard.vendor_beside_ours WHERE started_at >= {} AND started_at < {}{queues}",
        data::time(choice.range.from),
        data::time(choice.range.to)
    )
}

/// A figure in the unit of our metric; a difference has its sign.
fn figure(unit: &str, value: Option<f64>, signed: bool) -> String {
    let Some(v) = value else {
        return format::UNKNOWN.to_owned();
    };
    let size = match unit {
        "ms" => format::duration(v.abs()),
        "ratio" if signed => format!("{:.1} points", v.abs() * 100.0),
        "ratio" => format::percent(v.abs(), 200),
        _ => format::number(v.abs()),
    };
    // What rounds to nothing has no sign.
    let nothing = match unit {
        "ms" => v.abs() < 500.0,
        "ratio" => v.abs() < 0.0005,
        _ => v.abs() < 0.005,
    };
    match (signed && !nothing, v < 0.0) {
        (true, false) => format!("+{size}"),
        (true, true) => format!("\u{2212}{size}"),
        (false, true) if !nothing => format!("\u{2212}{size}"),
        _ => size,
    }
}

fn table(choice: &Choice, rows: &Rows) -> Markup {
    let heads = [
        Head::words("Metric"),
        Head::words("Queue"),
        Head::words("From"),
        Head::words("To"),
        Head::numbers("Theirs", ""),
        Head::numbers("Ours", ""),
        Head::numbers("Difference", "theirs less ours"),
        Head::words("Computed by"),
        Head::words("Their name"),
    ];
    let lines: Vec<Vec<Markup>> = rows
        .iter()
        .map(|r| {
            let metric = metrics::metric(r.text("our_metric").unwrap_or_default());
            let unit = metric.map_or("", |m| m.unit.as_str());
            let title = metric.map_or(r.text("our_metric"), |m| Some(m.title.as_str()));
            let meaning = metric.map(|m| m.meaning.as_str());
            vec![
                html! { span title=[meaning] { (title.unwrap_or_default()) } },
                view::or_dash(r.text("queue")),
                view::time(choice.range.zone, r.int("started_at")),
                view::time(choice.range.zone, r.int("ended_at")),
                html! { (figure(unit, r.number("theirs"), false)) },
                html! { (figure(unit, r.number("ours"), false)) },
                html! { span data-difference=[r.number("difference")] { (figure(unit, r.number("difference"), true)) } },
                html! { code { (r.text("source").unwrap_or_default()) } },
                html! { code { (r.text("metric").unwrap_or_default()) } },
            ]
        })
        .collect();
    cards("Theirs beside ours", &heads, &lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_in_their_unit() {
        assert_eq!(figure("contacts", Some(14.0), false), "14");
        assert_eq!(figure("contacts", Some(-2.0), true), "\u{2212}2");
        assert_eq!(figure("ratio", Some(0.875), false), "87.5\u{202f}%");
        assert_eq!(figure("ratio", Some(0.05), true), "+5.0 points");
        assert_eq!(figure("ms", Some(212_500.0), false), "3:33");
        assert_eq!(figure("ms", Some(-3_000.0), true), "\u{2212}0:03");
        assert_eq!(figure("ms", Some(0.2), true), "0:00");
        assert_eq!(figure("ms", None, true), format::UNKNOWN);
    }
}
