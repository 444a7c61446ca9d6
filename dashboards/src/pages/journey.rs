//! One journey: its contacts one below the other in time, and between them what joins them.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono_tz::Tz;
use maud::{Markup, html};

use crate::app::App;
use crate::data::{self, DataError, Row, Rows};
use crate::error::PageError;
use crate::pages::{self, contact, respond};
use crate::url;
use crate::view::icon::{Level, badge};
use crate::view::{self, Frame, filters, format};

/// Most steps shown.
const STEPS: usize = 200;
/// Most parts of contacts shown.
const PARTS: usize = 1_000;

struct Journey {
    whole: Arc<Rows>,
    steps: Arc<Rows>,
    parts: Arc<Rows>,
}

/// The journey that a contact belongs to.
async fn of(app: &App, contact: &str) -> Result<Option<String>, DataError> {
    let sql = format!(
        "SELECT journey_id FROM callboard.journey_steps WHERE contact_id = {} AND joined LIMIT 1",
        data::text(contact)
    );
    let rows = app.data.rows(&sql).await?;
    Ok(rows
        .first()
        .and_then(|r| r.text("journey_id").map(str::to_owned)))
}

async fn read(app: &App, id: &str) -> Result<Journey, DataError> {
    let key = data::text(id);
    let data = app.data.pin();
    let whole = format!("SELECT * FROM callboard.journeys WHERE journey_id = {key} LIMIT 1");
    let steps = format!(
        "SELECT s.seq, s.contact_id, s.relation, s.evidence, s.strength, s.from_contact, s.at, s.joined, s.outside, \
         c.source, c.channel, c.direction, c.queue, c.agent, c.customer, c.customer_name, c.started_at, \
         c.ended_at, c.outcome, c.wait_ms, c.talk_ms, c.state, c.day \
         FROM callboard.journey_steps s \
         LEFT JOIN callboard.contacts c ON c.contact_id = s.contact_id \
         WHERE s.journey_id = {key} ORDER BY s.seq NULLS LAST, s.at, s.evidence LIMIT {STEPS}"
    );
    let (whole, steps) = futures::try_join!(data.rows(&whole), data.rows(&steps))?;
    let joined = || steps.iter().filter(|s| s.is("joined"));
    let contacts: Vec<&str> = joined().filter_map(|s| s.text("contact_id")).collect();
    let told = joined().filter(|s| s.text("contact_id").is_some());
    let days: Vec<String> = told.map(|s| s.get("day").plain()).collect();
    let parts = match (days.iter().min(), days.iter().max()) {
        (Some(first), Some(last)) => {
            let sql = format!(
                "SELECT contact_id, seq, kind, queue, agent, name, started_at, ended_at, duration_ms, \
                 outcome, target_kind, target, state FROM callboard.segments \
                 WHERE contact_id IN ({}) AND day BETWEEN DATE {} AND DATE {} \
                 ORDER BY started_at NULLS LAST, seq LIMIT {PARTS}",
                data::texts(&contacts),
                data::text(first),
                data::text(last)
            );
            data.rows(&sql).await?
        }
        _ => Arc::default(),
    };
    Ok(Journey {
        whole,
        steps,
        parts,
    })
}

/// `GET /journeys/{id}`; any contact of a journey leads to it.
///
/// # Errors
/// 404 when there is no such contact.
pub async fn page(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let (app, params) = pages::asked(app, query).await?;
    let zone = filters::read_zone(&params, app.zone).map_err(PageError::bad)?;
    let mut found = of(&app, &id).await?;
    if found.is_none()
        && let Some(other) = contact::standing(&app, &id).await?
    {
        found = of(&app, &other).await?;
    }
    let Some(standing) = found else {
        let shown: String = id.chars().take(120).collect();
        return Err(PageError::missing(
            format!(
                "There is no journey {shown:?}: none of its contacts has arrived, or it was erased."
            ),
            "/journeys",
        ));
    };
    if standing != id {
        return Ok(Redirect::to(&params.href(&url::journey(&standing))).into_response());
    }
    let journey = read(&app, &id).await?;
    let body = html! {
        nav class="crumbs" aria-label="Where this is" {
            a href="/journeys" { "Journeys" }
            span aria-hidden="true" { "\u{203a}" }
            span { (id) }
        }
        (head(&journey, zone))
        section class="panel" aria-labelledby="hj" {
            header class="panel-head" { h2 id="hj" { "From one system to the next" } span class="quiet" { (zone) } }
            ol class="journey" {
                @for step in journey.steps.iter().filter(|s| s.is("joined")) {
                    (joint(&step, &journey, zone))
                    @match step.text("outside") {
                        Some(number) => (abroad(&step, number, zone)),
                        None => (stop(&step, &journey, zone)),
                    }
                    @for open in journey.steps.iter().filter(|s| !s.is("joined") && step.text("contact_id").is_some() && s.text("from_contact") == step.text("contact_id")) {
                        (unjoined(&open, zone))
                    }
                }
            }
        }
    };
    let frame = Frame::new(format!("Journey {id}"), "/journeys").asked(&app, &params);
    Ok(respond(&frame.data_of(zone, journey.steps.now), &body))
}

fn head(journey: &Journey, zone: Tz) -> Markup {
    let steps = || journey.steps.iter().filter(|s| s.is("joined"));
    let name = steps().find_map(|s| s.text("customer_name"));
    let who = name.or_else(|| steps().find_map(|s| s.text("customer")));
    let whole = journey.whole.first();
    let time = |name: &str| whole.and_then(|w| w.int(name));
    let platforms = match whole.map(|w| w.get("platforms")) {
        Some(data::Value::Texts(all)) => all.join(" \u{2192} "),
        _ => String::new(),
    };
    let sum = |name: &str| {
        let known: Vec<i64> = steps().filter_map(|s| s.int(name)).collect();
        (!known.is_empty()).then(|| known.iter().sum::<i64>())
    };
    let length = time("ended_at")
        .zip(time("started_at"))
        .map(|(e, s)| (e - s) / 1000);
    let of = |word: &str| {
        let open = journey.steps.iter().filter(|s| !s.is("joined"));
        open.filter(|s| s.text("strength") == Some(word)).count()
    };
    let (lost, weak, stray) = (of("lost"), of("weak"), of("stray"));
    let items: Vec<(&str, Markup)> = vec![
        ("Began", view::time(zone, time("started_at"))),
        ("Ended", view::time(zone, time("ended_at"))),
        ("Length", view::millis(length)),
        (
            "Contacts",
            html! { (format::count(time("contacts").unwrap_or(0))) },
        ),
        ("Platforms", view::or_dash(Some(&platforms))),
        (
            "Outcome",
            view::or_dash(
                whole
                    .and_then(|w| w.text("outcome"))
                    .map(format::word)
                    .as_deref(),
            ),
        ),
        ("Wait in all", view::millis(sum("wait_ms"))),
        ("Talk in all", view::millis(sum("talk_ms"))),
    ];
    html! {
        div class="contact-head" {
            h1 { (who.unwrap_or("Unknown customer")) " " span class="quiet" { "journey" } }
            div class="badges" {
                @if lost > 0 { (badge(Level::Alert, &format!("{lost} hand-over lost"))) }
                @if stray > 0 { (badge(Level::Alert, &format!("{stray} sent by nobody"))) }
                @if weak > 0 { (badge(Level::Warn, &format!("{weak} uncertain"))) }
            }
        }
        dl class="facts" { @for (name, value) in items { div { dt { (name) } dd { (value) } } } }
    }
}

/// How sure a join is, as a badge.
fn sureness(strength: Option<&str>) -> Markup {
    match strength {
        Some("stated") => badge(Level::Ok, "stated by the platform"),
        Some("strong") => badge(Level::Ok, "strong"),
        Some("person") => badge(Level::Ok, "joined by hand"),
        Some("weak") => badge(Level::Warn, "weak: not joined"),
        Some("lost") => badge(Level::Alert, "hand-over lost"),
        Some("stray") => badge(Level::Alert, "nobody sent it"),
        other => badge(Level::Unknown, other.unwrap_or("not known")),
    }
}

fn relation(step: &Row<'_>) -> String {
    match step.text("relation") {
        Some("handover") => "Handed over by a number".to_owned(),
        Some("carried") => "An id was carried along".to_owned(),
        Some("verdict") => "Said by a person".to_owned(),
        Some("outside") => "Led outside".to_owned(),
        Some(other) => format!("Linked: {}", format::word(other)),
        None => "Linked".to_owned(),
    }
}

/// What joins a contact to one before it.
fn joint(step: &Row<'_>, journey: &Journey, zone: Tz) -> Markup {
    let Some(from) = step.text("from_contact") else {
        return html! {};
    };
    let before = journey
        .steps
        .iter()
        .find(|s| s.is("joined") && s.text("contact_id") == Some(from));
    let place = before.and_then(|b| b.int("seq"));
    html! {
        li class="joint" {
            span class="joint-word" { (relation(step)) } " " (sureness(step.text("strength")))
            @if let Some(place) = place { span class="quiet" { " from step " (place) } }
            @if step.int("at").is_some() { span class="quiet" { ", " (view::time(zone, step.int("at"))) } }
            @if let Some(evidence) = step.text("evidence") { p class="evidence" { (evidence) } }
        }
    }
}

/// A contact that might belong here, was taken out, or never came.
fn unjoined(open: &Row<'_>, zone: Tz) -> Markup {
    let lost = matches!(open.text("strength"), Some("lost" | "stray"));
    let weak = open.text("strength") == Some("weak");
    html! {
        li class={ "joint open" @if lost { " lost" } } {
            span class="joint-word" { (relation(open)) } " "
            @if lost || weak { (sureness(open.text("strength"))) } @else { (badge(Level::Unknown, "taken apart by hand")) }
            @if open.int("at").is_some() { span class="quiet" { " " (view::time(zone, open.int("at"))) } }
            @if let Some(id) = open.text("contact_id") { " " a href=(url::contact(id)) { (id) } }
            @if let Some(evidence) = open.text("evidence") { p class="evidence" { (evidence) } }
        }
    }
}

/// A number outside, of which no system tells more.
fn abroad(step: &Row<'_>, number: &str, zone: Tz) -> Markup {
    html! {
        li class="stop outside" {
            div class="stop-head" {
                span class="stop-seq" { (step.int("seq").unwrap_or(0)) }
                strong { "outside" }
                span { (number) }
                span class="quiet" { "no system tells of what happened there" }
            }
            dl class="facts" {
                div { dt { "Began" } dd { (view::time(zone, step.int("at"))) } }
            }
        }
    }
}

/// One contact on its platform.
fn stop(step: &Row<'_>, journey: &Journey, zone: Tz) -> Markup {
    let id = step.text("contact_id").unwrap_or_default();
    let source = step.text("source").unwrap_or_default();
    let platform = source.split('/').nth(1).unwrap_or(source);
    let parts: Vec<Row<'_>> = journey
        .parts
        .iter()
        .filter(|p| p.text("contact_id") == Some(id))
        .collect();
    let outside = |p: &Row<'_>| p.text("target_kind") == Some("external");
    html! {
        li class="stop" {
            div class="stop-head" {
                span class="stop-seq" { (step.int("seq").unwrap_or(0)) }
                strong { (platform) }
                span { (view::or_dash(step.text("direction"))) " " (view::or_dash(step.text("channel"))) }
                a href=(url::contact(id)) { (id) }
                span class="quiet" { (source) }
            }
            dl class="facts" {
                div { dt { "Began" } dd { (view::time(zone, step.int("started_at"))) } }
                div { dt { "Ended" } dd { (view::time(zone, step.int("ended_at"))) } }
                div { dt { "Queue" } dd { (view::or_dash(step.text("queue"))) } }
                div { dt { "Agent" } dd { (view::or_dash(step.text("agent"))) } }
                div { dt { "Wait" } dd { (view::millis(step.int("wait_ms"))) } }
                div { dt { "Talk" } dd { (view::millis(step.int("talk_ms"))) } }
                div { dt { "Outcome" } dd { (view::or_dash(step.text("outcome").map(format::word).as_deref())) } }
            }
            @if !parts.is_empty() {
                ul class="parts" {
                    @for p in &parts {
                        li class={ "part " (p.text("kind").unwrap_or("other")) @if outside(p) { " outside" } } {
                            (part(p, zone))
                        }
                    }
                }
            }
        }
    }
}

fn part(p: &Row<'_>, zone: Tz) -> Markup {
    let times = p.int("started_at").map(|s| {
        let end = p.int("ended_at");
        let end = end.map_or_else(|| format::UNKNOWN.to_owned(), |e| format::clock(zone, e));
        format!("{} to {end}", format::clock(zone, s))
    });
    let length = p.int("duration_ms").or_else(|| {
        let both = p.int("ended_at").zip(p.int("started_at"));
        both.map(|(e, s)| (e - s) / 1000)
    });
    let kind = p.text("kind").map(format::word).unwrap_or_default();
    let place = p.text("queue").or(p.text("name"));
    html! {
        span class="part-kind" { (kind) }
        @if let Some(place) = place { " " (place) }
        @if let Some(agent) = p.text("agent") { " with " (agent) }
        @if let Some(times) = times { span class="quiet" { ", " (times) ", " (view::millis(length)) } }
        @if let Some(outcome) = p.text("outcome") { ", " (format::word(outcome)) }
        @if let Some(target) = p.text("target") {
            @if p.text("target_kind") == Some("external") { " \u{2192} outside: " strong { (target) } }
            @else { " \u{2192} " (target) }
        }
    }
}
