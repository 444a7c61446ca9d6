//! How the program is: sources, lag, backlog, lake, configuration.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use maud::{Markup, html};

use crate::app::App;
use crate::error::PageError;
use crate::pages::{self, respond};
use crate::ports::{FeedStatus, LinkStatus, StatusReport, TableStatus};
use crate::view::icon::{Level, badge};
use crate::view::table::{Head, table};
use crate::view::{self, Frame, filters, format};

/// `GET /status`
///
/// # Errors
/// When the address names no zone, or a moment.
pub async fn page(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let params = pages::only_now(query, "The status page")?;
    let zone = filters::read_zone(&params, app.zone).map_err(PageError::bad)?;
    let report = app.status.report().await;
    let now = app.now();
    let machine = chrono::Utc::now().timestamp_micros();
    let body = html! {
        h1 { "Status" }
        @if report.problems.is_empty() { p { (badge(Level::Ok, "Nothing needs attention")) } }
        @for problem in &report.problems { (view::trouble("Needs attention", problem)) }
        (tiles(&report, machine))
        section class="panel" aria-labelledby="hf" {
            header class="panel-head" { h2 id="hf" { "Sources" } span class="quiet" { (zone) } a class="quiet-link" href=(params.href("/sources")) { "What each can say, and how late" } }
            @if report.feeds.is_empty() {
                (view::empty("No source has been heard since the start.", &html! { "Send something: " code { "callboard send --source asterisk PATH" } "." }))
            } @else { (feeds(&report.feeds, now, zone)) }
        }
        @if !report.links.is_empty() {
            section class="panel" aria-labelledby="hk" {
                header class="panel-head" { h2 id="hk" { "Connections" } span class="quiet" { (zone) } }
                (links(&report.links, zone))
            }
        }
        section class="panel" aria-labelledby="hl" {
            header class="panel-head" { h2 id="hl" { "Lake" } span class="quiet" { (flushes(&report, machine)) } }
            @if report.tables.is_empty() { p class="quiet" { "No table has been written yet; the first flush does it." } }
            @else { (tables(&report.tables)) }
        }
        section class="panel" aria-labelledby="hc" {
            header class="panel-head" { h2 id="hc" { "Configuration in force" } }
            @if report.config.is_empty() { p class="quiet" { "Everything stands at its default." } }
            dl class="facts" { @for (name, value) in &report.config { div { dt { (name) } dd { code { (value) } } } } }
        }
    };
    Ok(respond(
        &Frame::new("Status", "/status")
            .theme(&params)
            .data_of(zone, now),
        &body,
    ))
}

/// How many flushes there were since the start, and when the last was.
fn flushes(r: &StatusReport, machine: i64) -> String {
    let last = r.flushed_at.map(|at| format::age(machine - at));
    last.map_or("no flush since the start".to_owned(), |age| {
        format!("{} flushes since the start, the last {age}", r.flush)
    })
}

fn tiles(r: &StatusReport, machine: i64) -> Markup {
    let rate: f64 = r
        .feeds
        .iter()
        .filter(|f| f.ended_at.is_none())
        .map(|f| f.per_minute)
        .sum();
    let up = (machine - r.started_at).max(0) as f64 / 1000.0;
    let none = || format::UNKNOWN.to_owned();
    let items: Vec<(&str, Markup, &str)> = vec![
        (
            "Events per minute",
            html! { (format::number(rate.round())) },
            "over the last minute, all sources",
        ),
        (
            "Visible after",
            html! { (r.visible_lag_ms.map_or_else(none, |ms| format!("{}\u{202f}ms", format::count(ms as i64)))) },
            "from receipt to durable, acknowledged and in SQL, last request",
        ),
        (
            "Waiting to be read",
            html! { (format::count(r.pipeline_backlog as i64)) },
            "acknowledged records",
        ),
        (
            "Dead letters",
            html! { a href="/dead-letters" { (format::count(r.dead_letters as i64)) } },
            "could not be read; kept with their reason",
        ),
        (
            "To transcribe",
            html! { (format::count(r.transcribe_waiting as i64)) },
            "recordings waiting",
        ),
        (
            "Being transcribed",
            html! { (format::count(r.transcribe_running as i64)) },
            "recordings now",
        ),
        (
            "Transcribed",
            html! { (format::duration(r.transcribed_seconds * 1000.0)) },
            "audio since start, h:mm:ss",
        ),
        (
            "Log not yet in the lake",
            html! { (format::bytes(r.log_bytes)) },
            "replayed at a restart",
        ),
        (
            "Open keys",
            html! { (format::count(r.live_keys as i64)) },
            "contacts, agents, recordings not settled",
        ),
        (
            "Memory",
            html! { (r.memory_bytes.map_or_else(none, format::bytes)) },
            "resident",
        ),
        ("Up", html! { (format::duration(up)) }, "h:mm:ss"),
        ("Version", html! { (r.version) }, "callboard"),
    ];
    html! {
        @if let Some(why) = &r.transcribe_problem { (view::trouble("Nothing is transcribed.", why)) }
        div class="tiles" {
            @for (title, value, unit) in items {
                div class="tile" { div class="tile-title" { (title) } div class="tile-value" { (value) } div class="tile-unit" { (unit) } }
            }
        }
    }
}

fn feeds(feeds: &[FeedStatus], now: i64, zone: chrono_tz::Tz) -> Markup {
    let heads = [
        Head::words("Source"),
        Head::words("State"),
        Head::words("Last received"),
        Head::numbers("Age", ""),
        Head::words("Latest event"),
        Head::numbers("Per minute", "events"),
        Head::numbers("Taken", "n"),
        Head::numbers("Repeated", "n"),
        Head::numbers("Refused", "n"),
    ];
    let lines: Vec<Vec<Markup>> = feeds
        .iter()
        .map(|f| {
            let age = f.last_received_at.map(|at| now - at);
            let state = match age {
                _ if f.source.starts_with("/callboard/") => badge(Level::Unknown, "our own"),
                _ if f.ended_at.is_some() => html! {
                    (badge(Level::Unknown, "ended")) " " (view::time(zone, f.ended_at))
                },
                None => badge(Level::Unknown, "never heard"),
                Some(a) if a > 120_000_000 => badge(Level::Alert, "silent"),
                Some(a) if a > 15_000_000 => badge(Level::Warn, "late"),
                Some(_) => badge(Level::Ok, "ok"),
            };
            vec![
                html! { code { (f.source) } },
                state,
                view::time(zone, f.last_received_at),
                html! { (age.map_or(format::UNKNOWN.to_owned(), format::age)) },
                view::time(zone, f.last_event_at),
                html! { (format::number(f.per_minute.round())) },
                html! { (format::count(f.taken as i64)) },
                html! { (format::count(f.repeated as i64)) },
                html! { @if f.refused > 0 { a href="/dead-letters" { (format::count(f.refused as i64)) } } @else { "0" } },
            ]
        })
        .collect();
    table("Sources", &heads, &lines, None)
}

fn links(links: &[LinkStatus], zone: chrono_tz::Tz) -> Markup {
    let heads = [
        Head::words("Connection"),
        Head::words("State"),
        Head::words("Since"),
        Head::numbers("Taken", "n"),
        Head::numbers("Repeated", "n"),
        Head::numbers("Refused", "n"),
        Head::prose("Nobody listened"),
    ];
    let lines: Vec<Vec<Markup>> = links
        .iter()
        .map(|l| {
            let state = match &l.trouble {
                Some(why) if l.up => badge(Level::Warn, why),
                Some(why) => badge(Level::Alert, why),
                None if l.up => badge(Level::Ok, "ok"),
                None => badge(Level::Unknown, "not yet up"),
            };
            vec![
                html! { code { (l.name) } },
                state,
                view::time(zone, l.since),
                html! { (format::count(l.taken as i64)) },
                html! { (format::count(l.repeated as i64)) },
                html! { (format::count(l.refused as i64)) },
                html! { @for (from, until) in &l.gaps { div { (view::time(zone, Some(*from))) " to " (view::time(zone, Some(*until))) } } },
            ]
        })
        .collect();
    table("Connections", &heads, &lines, None)
}

fn tables(tables: &[TableStatus]) -> Markup {
    let heads = [
        Head::words("Table"),
        Head::words("State"),
        Head::numbers("Version", ""),
        Head::numbers("Rows", "n"),
        Head::numbers("Files", "n"),
        Head::numbers("Size", ""),
    ];
    let lines: Vec<Vec<Markup>> = tables
        .iter()
        .map(|t| {
            vec![
                html! { code { (t.name) } },
                match &t.problem {
                    None => badge(Level::Ok, "ok"),
                    Some(why) => badge(Level::Alert, why),
                },
                html! { (t.version) },
                html! { (format::count(t.rows as i64)) },
                html! { (format::count(t.files as i64)) },
                html! { (format::bytes(t.bytes)) },
            ]
        })
        .collect();
    table("Tables of the lake", &heads, &lines, None)
}
