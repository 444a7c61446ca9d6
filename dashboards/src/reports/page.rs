//! The list of reports, and a report as a page or as CSV.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use maud::{Markup, html};

use super::drill::pin_words;
use super::file::{Grain, Visual, VisualKind};
use super::footnote::Footnote;
use super::run::{PIN, Run};
use super::visual::{self, Made};
use super::{Found, compare, gather, show};
use crate::app::App;
use crate::data::DataError;
use crate::error::PageError;
use crate::pages::{self, respond};
use crate::view::filters;
use crate::view::icon::icon;
use crate::view::table::csv;
use crate::view::{self, Frame};

/// `GET /reports`
pub async fn index(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let (app, params) = pages::asked(app, query).await?;
    let mut all: Vec<(String, Found)> = app.library.all().into_iter().collect();
    all.retain(|(_, found)| !matches!(found, Ok(r) if r.hidden));
    all.sort_by_key(|(name, found)| (found.as_ref().map_or(i32::MAX, |r| r.order), name.clone()));
    let body = html! {
        h1 { "Reports" }
        ul class="cards" {
            @for (name, found) in &all {
                li class="card" {
                    @match found {
                        Ok(report) => {
                            h2 { a href={ "/reports/" (name) } { (report.title) } }
                            p { (report.about) }
                        }
                        Err(why) => {
                            h2 { (name) }
                            (view::trouble("This report file cannot be read.", why))
                        }
                    }
                }
            }
        }
        p class="note" {
            "Figures that platforms compute themselves stand " a href="/beside" { "beside ours" } ". "
            "A report is a file. "
            @match app.library.folder() {
                Some(folder) => { "Drop your own " code { "*.toml" } " into " code { (folder.display()) } "; it appears here at once." }
                None => { "Name a folder for your own reports in " code { "callboard.toml" } "." }
            }
        }
    };
    Ok(respond(
        &Frame::new("Reports", "/reports").asked(&app, &params),
        &body,
    ))
}

/// `GET /reports/{name}`
pub async fn report(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let (app, params) = pages::asked(app, query).await?;
    let found = app.library.get(&name);
    let found = found
        .ok_or_else(|| PageError::missing(format!("There is no report {name:?}."), "/reports"))?;
    let report = found.map_err(PageError::bad)?;
    let choice = pages::choice(&app, &params)?;
    let run = Run::new(report, choice, &params).map_err(PageError::bad)?;
    if run
        .report
        .visuals
        .iter()
        .any(|v| v.kind == VisualKind::Compare)
    {
        compare::Choice::read(&run).map_err(PageError::bad)?;
    }
    if params.get("format") == Some("csv") {
        return export(&app, &run).await;
    }
    let data = app.data.pin();
    let made = gather::all(&run, data.as_ref());
    let (made, known, foot) = futures::join!(
        made,
        pages::known(&app, &run.choice.range),
        Footnote::read(&run, data.as_ref())
    );
    let known = known?;
    let path = format!("/reports/{}", crate::url::segment(&name));
    let bare = made.iter().all(|m| matches!(m, Ok(m) if is_bare(m)));
    let empty = if bare {
        Some(pages::nothing(&app, &path, &params, &run.choice).await)
    } else {
        None
    };
    let body = html! {
        nav class="crumbs" aria-label="Where this is" {
            a href="/reports" { "Reports" }
            span aria-hidden="true" { "\u{203a}" }
            span { (run.report.title) }
        }
        h1 { (run.report.title) }
        p class="lead" { (run.report.about) }
        (slicers(&run, &path, &known, &made))
        p class="print-only" { (run.choice.words()) }
        @match empty {
            Some(empty) => (empty),
            None => {
                @for (i, (v, made)) in run.report.visuals.iter().zip(&made).enumerate() {
                    (panel(&run, i, v, made))
                }
                @match &foot {
                    Ok(foot) => (foot.shown()),
                    Err(e) => (view::trouble("What these sources cannot say is not known.", &e.to_string())),
                }
            }
        }
    };
    let frame = Frame::new(run.report.title.clone(), "/reports")
        .asked(&app, &params)
        .script("forms.js")
        .data_of(run.choice.range.zone, app.now());
    Ok(respond(&frame, &body))
}

fn is_bare(made: &Made) -> bool {
    let zero = |c: &super::run::Cell| c.n == 0;
    made.grid.rows.iter().all(|(_, c)| c.iter().all(zero))
        && made.grid.total.iter().all(zero)
        && made.spans.as_ref().is_none_or(|s| s.is_empty())
        && made
            .compared
            .as_ref()
            .is_none_or(|c| c.platforms.is_empty())
}

fn slicers(
    run: &Run,
    path: &str,
    known: &(Vec<String>, Vec<String>),
    made: &[Result<Made, DataError>],
) -> Markup {
    let compared = made.iter().flatten().find_map(|m| m.compared.as_ref());
    let (queues, agents) = run.report.slicers();
    let none = Vec::new();
    html! {
        form class="filters" method="get" action=(path) data-auto {
            (filters::fields(&run.choice, if queues { &known.0 } else { &none }, if agents { &known.1 } else { &none }))
            @if run.report.by.len() > 1 { (grains(run)) }
            @if let Some(compared) = compared { (compare::show::fields(compared)) }
            @for (dim, value) in &run.pins {
                input type="hidden" name={ (PIN) (dim) } value=(value.as_deref().unwrap_or("~"));
            }
            @if let Some(theme) = run.params.get("theme") { input type="hidden" name="theme" value=(theme); }
            button type="submit" { "Apply" }
        }
        (filters::presets(path, &run.params, &run.choice))
        @if !run.pins.is_empty() {
            p class="pins" {
                "Filtered by: "
                @for (dim, value) in &run.pins {
                    a class="pin" href=(run.params.without(&format!("{PIN}{dim}")).href(path)) {
                        (pin_words(run, dim, value)) " " (icon("close"))
                        span class="hidden" { "(remove)" }
                    }
                }
            }
        }
    }
}

fn grains(run: &Run) -> Markup {
    html! {
        label { "Interval"
            select name="by" {
                @for grain in &run.report.by {
                    option value=(Grain::name(*grain)) selected[*grain == run.grain] { (grain.words()) }
                }
            }
        }
    }
}

fn panel(run: &Run, index: usize, v: &Visual, made: &Result<Made, DataError>) -> Markup {
    let csv = run
        .params
        .with("format", "csv")
        .with("visual", &(index + 1).to_string());
    html! {
        section class={ "panel" @if v.kind == VisualKind::Tiles { " flat" } } aria-labelledby={ "h" (index) } {
            header class="panel-head" {
                h2 id={ "h" (index) } { (v.title) }
                a class="quiet-link" href=(run.href(&csv)) { "CSV" }
            }
            @if !v.about.is_empty() { p class="about" { (v.about) } }
            @match made {
                Ok(made) => (visual::show(run, index, v, made)),
                Err(e) => (view::trouble("This part is missing.", &e.to_string())),
            }
        }
    }
}

async fn export(app: &App, run: &Run) -> Result<Response, PageError> {
    let at = match run.params.get("visual") {
        None => run
            .report
            .visuals
            .iter()
            .position(|v| v.kind == VisualKind::Table)
            .unwrap_or(0),
        Some(text) => text
            .parse::<usize>()
            .ok()
            .and_then(|n| n.checked_sub(1))
            .unwrap_or(usize::MAX),
    };
    let Some(v) = run.report.visuals.get(at) else {
        let n = run.report.visuals.len();
        return Err(PageError::bad(format!(
            "This report has the visuals 1 to {n}."
        )));
    };
    let made = visual::make(run, v, app.data.as_ref()).await?;
    if let Some(compared) = &made.compared {
        let (heads, lines) = compare::show::lines(compared);
        let file = format!(
            "{}-{}-{}",
            run.report.name, run.choice.range.first, run.choice.range.last
        );
        return Ok(pages::csv_file(&file, csv(&heads, lines.into_iter())));
    }
    let (dims, names) = (visual::dims(v), visual::measures(v));
    let mut heads: Vec<String> = dims.iter().map(|d| (*d).to_owned()).collect();
    heads.extend(names.iter().map(|n| match run.report.measures[*n].unit {
        super::file::Unit::Ms => format!("{n}_ms"),
        _ => (*n).to_owned(),
    }));
    let lines = made.grid.rows.iter().map(|(key, cells)| {
        let words = |(d, v): (&&str, &crate::data::Value)| match run.report.dims[*d].kind {
            super::file::DimKind::Bucket => v
                .int()
                .map(callboard_model::time::format_rfc3339)
                .unwrap_or_default(),
            _ => show::dim_text(&run.report.dims[*d], run.grain, &run.choice.range, v),
        };
        let mut line: Vec<String> = dims.iter().zip(key).map(words).collect();
        line.extend(
            cells
                .iter()
                .take(names.len())
                .map(|c| c.value.map(|v| v.to_string()).unwrap_or_default()),
        );
        line
    });
    let file = format!(
        "{}-{}-{}",
        run.report.name, run.choice.range.first, run.choice.range.last
    );
    let text = if dims.is_empty() {
        let total = made
            .grid
            .total
            .iter()
            .take(names.len())
            .map(|c| c.value.map(|v| v.to_string()).unwrap_or_default());
        csv(&heads, std::iter::once(total.collect()))
    } else {
        csv(&heads, lines)
    };
    Ok(pages::csv_file(&file, text))
}
