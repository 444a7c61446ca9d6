//! The list behind a number: the very rows that made it, each with its contact, and their count
//! and sum.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use maud::{Markup, html};

use super::file::{Measure, MeasureKind, Unit};
use super::run::{Cell, Run};
use super::show;
use crate::app::App;
use crate::data::{Rows, Value};
use crate::error::PageError;
use crate::pages::{self, respond};
use crate::view::table::{Head, cards, csv};
use crate::view::{self, Frame, format};

/// Rows on one page of a list.
const PAGE: usize = 200;
/// Most rows of an exported list.
const MOST: usize = 100_000;

/// `GET /drill`: report, measure, range, slicers and pins come from the address.
///
/// # Errors
/// When the address is wrong or the query fails.
pub async fn drill(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let (app, params) = pages::asked(app, query).await?;
    let name = params.get("report").unwrap_or_default();
    let Some(found) = app.library.get(name) else {
        return Err(PageError::missing(
            format!("There is no report {name:?}."),
            "/reports",
        ));
    };
    let report = found.map_err(PageError::bad)?;
    let choice = pages::choice(&app, &params)?;
    let run = Run::new(report, choice, &params).map_err(PageError::bad)?;
    let measure = params.get("measure").unwrap_or_default().to_owned();
    let Some(m) = run.report.measures.get(&measure) else {
        let why = format!("The report {name:?} has no measure {measure:?}.");
        return Err(PageError::missing(why, "/reports"));
    };
    let page = pages::page_number(&params)?;
    if params.get("format") == Some("csv") {
        let rows = run.list(app.data.as_ref(), m, MOST, 0).await?;
        return Ok(pages::csv_file(
            &format!("{name}-{measure}"),
            list_csv(&run, m, &rows),
        ));
    }
    let data = app.data.pin();
    let (cell, rows) = futures::try_join!(
        run.number(data.as_ref(), &measure),
        run.list(data.as_ref(), m, PAGE, (page - 1) * PAGE)
    )?;
    let frame = Frame::new(format!("{}: the list behind it", m.title), "/reports")
        .asked(&app, &params)
        .data_of(run.choice.range.zone, rows.now);
    Ok(respond(
        &frame,
        &body(&run, &measure, m, &cell, &rows, page),
    ))
}

fn body(run: &Run, measure: &str, m: &Measure, cell: &Cell, rows: &Rows, page: usize) -> Markup {
    let facts = &run.report.facts[&m.facts];
    let back = run
        .params
        .without("report")
        .without("measure")
        .without("page");
    let back = if run.report.hidden {
        "/".to_owned()
    } else {
        run.href(&back)
    };
    html! {
        nav class="crumbs" aria-label="Where this is" {
            a href=(back) { (run.report.title) }
            span aria-hidden="true" { "\u{203a}" }
            span { (m.title) }
        }
        h1 { (m.title) " " span class="quiet" { (facts.title) } }
        p class="lead" { (run.choice.words()) @for (dim, value) in &run.pins { ", " (pin_words(run, dim, value)) } }
        div id="drill" class="tiles" data-measure=(measure) data-n=(cell.n) data-sum=[cell.sum] data-value=[cell.value] {
            div class="tile" {
                div class="tile-title" { (m.title) }
                div class="tile-value" { (show::cell_text(m, cell)) }
            }
            div class="tile" {
                div class="tile-title" { "Rows in this list" }
                div class="tile-value" { (format::count(cell.n)) }
            }
            @if m.of.is_some() || m.kind == MeasureKind::Share {
                div class="tile" {
                    div class="tile-title" { @if m.kind == MeasureKind::Share { "Of them count" } @else { "Sum" } }
                    div class="tile-value" { (sum_text(m, cell)) }
                }
            }
        }
        @if !m.about.is_empty() { p { (m.about) } }
        details { summary { "How it is made" }
            p { code { (show::meaning(m, &facts.one)) } }
        }
        @if rows.is_empty() {
            (view::empty("Nothing stands behind this number.", &html! {
                "No " (facts.one) " of this range and these filters satisfies it. "
                a href=(back) { "Back to the report" }
            }))
        } @else {
            section class="panel" aria-label=(facts.title) { (list(run, m, rows)) }
            (pages::pager("/drill", &run.params, page, PAGE, usize::try_from(cell.n).unwrap_or(0)))
            p class="links" { a href=(run.params.with("format", "csv").href("/drill")) { "CSV of this list" } }
        }
    }
}

fn sum_text(m: &Measure, cell: &Cell) -> String {
    match (cell.sum, m.kind, m.unit) {
        (None, ..) => format::UNKNOWN.to_owned(),
        (Some(v), MeasureKind::Share, _) if m.of.is_none() => format::count(v as i64),
        (Some(v), _, Unit::Ms) | (Some(v), MeasureKind::Share, _) => format::duration(v),
        (Some(v), ..) => format::number(v),
    }
}

/// A pinned dimension in words.
pub fn pin_words(run: &Run, dim: &str, value: &Option<String>) -> String {
    let Some(d) = run.report.dims.get(dim) else {
        return dim.to_owned();
    };
    let value = match value {
        None => Value::Null,
        Some(text) => text
            .parse()
            .map_or_else(|_| Value::Text(text.clone()), Value::Int),
    };
    format!(
        "{} {}",
        d.title,
        show::dim_text(d, run.grain, &run.choice.range, &value)
    )
}

fn list(run: &Run, m: &Measure, rows: &Rows) -> Markup {
    let facts = &run.report.facts[&m.facts];
    let share = m.kind == MeasureKind::Share;
    let mut heads: Vec<Head> = facts
        .list
        .iter()
        .map(|c| show::list_head(&c.title, c.kind))
        .collect();
    if share {
        heads.push(Head::words("Counts"));
    }
    let lines: Vec<Vec<Markup>> = rows
        .iter()
        .map(|row| {
            let cell = |c: &super::file::ListColumn| {
                show::list_cell(c.kind, row.get(&c.column), &run.choice.range)
            };
            let mut line: Vec<Markup> = facts.list.iter().map(cell).collect();
            if share {
                line.push(html! { @if row.is("counts") { "yes" } @else { "no" } });
            }
            line
        })
        .collect();
    cards(&facts.title, &heads, &lines)
}

fn list_csv(run: &Run, m: &Measure, rows: &Rows) -> String {
    let facts = &run.report.facts[&m.facts];
    let heads: Vec<String> = facts
        .list
        .iter()
        .map(|c| c.column.clone())
        .chain(["counts".to_owned()])
        .collect();
    let lines = rows
        .iter()
        .map(|row| heads.iter().map(|h| row.get(h).plain()).collect());
    csv(&heads, lines)
}
