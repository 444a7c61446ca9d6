//! One contact: what happened when, what was said, how it sounded, what a reviewer noted.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono_tz::Tz;
use maud::{Markup, html};

use crate::app::App;
use crate::data::{self, DataError, Row, Rows};
use crate::error::PageError;
use crate::pages::course::course;
use crate::pages::talk::Talk;
use crate::pages::{self, respond, transcript};
use crate::url;
use crate::view::icon::{Level, badge, icon};
use crate::view::{self, Frame, filters, format};

/// Most segments, offers, links shown.
const MOST: usize = 500;

/// Everything known of a contact.
pub struct Contact {
    /// The contact's own row.
    pub row: Arc<Rows>,
    /// Its segments.
    pub segments: Arc<Rows>,
    /// Offers of it to agents.
    pub offers: Arc<Rows>,
    links: Arc<Rows>,
    aliases: Arc<Rows>,
    /// The ledger's rows: stage, state, reason.
    pub coverage: Arc<Rows>,
    /// What was said.
    pub talk: Talk,
}

/// Reads a contact; None when there is no such identity.
///
/// # Errors
/// When a query fails.
pub async fn read(app: &App, id: &str) -> Result<Option<Contact>, DataError> {
    let key = data::text(id);
    let row = app
        .data
        .rows(&format!(
            "SELECT * FROM callboard.contacts WHERE contact_id = {key} LIMIT 1"
        ))
        .await?;
    if row.is_empty() {
        return Ok(None);
    }
    // All rows of a contact lie in the partition of its start.
    let day = row
        .first()
        .map(|r| r.get("day").plain())
        .unwrap_or_default();
    let within = |what: &str| {
        format!(
            "SELECT * FROM callboard.{what} WHERE contact_id = {key} AND day = DATE {} ORDER BY seq LIMIT {MOST}",
            data::text(&day)
        )
    };
    let of = |what: &str, order: &str| {
        format!(
            "SELECT * FROM callboard.{what} WHERE contact_id = {key} ORDER BY {order} LIMIT {MOST}"
        )
    };
    let queries = [
        within("segments"),
        within("offers"),
        format!(
            "SELECT from_contact, to_contact, kind, at FROM callboard.links \
             WHERE from_contact = {key} OR to_contact = {key} ORDER BY at LIMIT {MOST}"
        ),
        format!(
            "SELECT platform, native FROM callboard.aliases WHERE entity = 'contact' AND id = {key} ORDER BY platform, native LIMIT {MOST}"
        ),
        of("coverage", "stage"),
    ];
    let data = app.data.pin();
    let rows = futures::future::try_join_all(queries.iter().map(|q| data.rows(q)));
    let (rows, talk) = futures::try_join!(rows, Talk::read(data.as_ref(), id))?;
    let mut rows = rows.into_iter();
    let mut next = || rows.next().unwrap_or_default();
    Ok(Some(Contact {
        row,
        segments: next(),
        offers: next(),
        links: next(),
        aliases: next(),
        coverage: next(),
        talk,
    }))
}

/// The identity that stands for a former or native one.
///
/// # Errors
/// When the query fails.
pub async fn standing(app: &App, name: &str) -> Result<Option<String>, DataError> {
    let sql = format!(
        "SELECT id FROM callboard.aliases WHERE entity = 'contact' AND native = {} ORDER BY id LIMIT 1",
        data::text(name)
    );
    let rows = app.data.rows(&sql).await?;
    Ok(rows
        .first()
        .and_then(|r| r.text("id").map(str::to_owned))
        .filter(|id| id != name))
}

/// `GET /contacts/{id}`; a former id and a platform's own lead to the one that stands.
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
    let Some(contact) = read(&app, &id).await? else {
        if let Some(other) = standing(&app, &id).await? {
            return Ok(Redirect::to(&params.href(&url::contact(&other))).into_response());
        }
        let shown: String = id.chars().take(120).collect();
        return Err(PageError::missing(
            format!("There is no contact {shown:?}: it has not arrived, or it was erased."),
            "/contacts",
        ));
    };
    let at = params
        .get("t")
        .and_then(|t| t.parse::<f64>().ok())
        .filter(|t| t.is_finite() && *t >= 0.0);
    let Some(row) = contact.row.first() else {
        return Err(PageError::failed("The contact vanished."));
    };
    let body = html! {
        nav class="crumbs" aria-label="Where this is" {
            a href="/contacts" { "Contacts" }
            span aria-hidden="true" { "\u{203a}" }
            span { (id) }
            a class="quiet-link" href=(params.only(|n| n == "as_of").href(&url::journey(&id))) { "Its journey" }
        }
        (head(&row, zone))
        (facts(&contact, &row, zone))
        section class="panel" aria-labelledby="hs" {
            header class="panel-head" { h2 id="hs" { "What happened" } span class="quiet" { (zone) } }
            (course(&contact, app.now(), zone))
        }
        (ledger(&contact))
        (transcript::section(&contact.talk, &id, zone, at))
        (transcript::whole_notes(&contact.talk, &id, zone))
    };
    let frame = Frame::new(format!("Contact {id}"), "/contacts")
        .script("player.js")
        .asked(&app, &params);
    Ok(respond(&frame.data_of(zone, contact.row.now), &body))
}

fn head(row: &Row<'_>, zone: Tz) -> Markup {
    let who = row
        .text("customer_name")
        .or(row.text("customer"))
        .unwrap_or("Unknown customer");
    let state = row.text("state").unwrap_or("unknown");
    let level = match state {
        "closed" => Level::Ok,
        "open" => Level::Warn,
        _ => Level::Unknown,
    };
    html! {
        div class="contact-head" {
            h1 { (who) " " span class="quiet" { (view::or_dash(row.text("direction"))) " " (view::or_dash(row.text("channel"))) } }
            div class="badges" {
                (badge(level, if state == "lost" { "lost: its end never came" } else { state }))
                @if let Some(outcome) = row.text("outcome") { span class="badge plain" { (format::word(outcome)) } }
                @if let Some(at) = row.int("corrected_at") {
                    span class="badge plain" { "corrected " (format::date_time(zone, at)) }
                }
            }
        }
    }
}

fn facts(contact: &Contact, row: &Row<'_>, zone: Tz) -> Markup {
    let lists = |name: &str| match row.get(name) {
        data::Value::Texts(all) if !all.is_empty() => all.join(" \u{2192} "),
        _ => format::UNKNOWN.to_owned(),
    };
    let length = row
        .int("ended_at")
        .zip(row.int("started_at"))
        .map(|(e, s)| (e - s) / 1000);
    let shown = |name: &str| view::or_dash(row.text(name));
    let items: Vec<(&str, Markup)> = vec![
        ("Began", view::time(zone, row.int("started_at"))),
        (
            "Ended",
            html! { (view::time(zone, row.int("ended_at"))) @if let Some(b) = row.text("end_basis") { " (inferred: " (format::word(b)) ")" } },
        ),
        ("Length", view::millis(length)),
        ("Customer", shown("customer")),
        ("Dialled", shown("dialled")),
        ("Queues", html! { (lists("queues")) }),
        ("Agents", html! { (lists("agents")) }),
        (
            "Outcome",
            html! { (row.text("outcome").map(format::word).as_deref().unwrap_or(format::UNKNOWN)) },
        ),
        ("Platform's word", html! { code { (shown("raw_outcome")) } }),
        ("Ended by", shown("ended_by")),
        ("Wait", view::millis(row.int("wait_ms"))),
        ("Talk, with holds", view::millis(row.int("talk_ms"))),
        ("Hold", view::millis(row.int("hold_ms"))),
        ("Wrap-up", view::millis(row.int("wrap_ms"))),
        (
            "Transfers",
            html! { (row.int("transfers").map_or(format::UNKNOWN.to_owned(), format::count)) },
        ),
        ("Source", shown("source")),
    ];
    let more = [
        "campaign",
        "site",
        "line_of_business",
        "tenant",
        "language",
        "end_reason",
    ];
    html! {
        dl class="facts" {
            @for (name, value) in items { div { dt { (name) } dd { (value) } } }
            @for name in more { @if row.text(name).is_some() { div { dt { (format::word(name)) } dd { (shown(name)) } } } }
            @if !contact.aliases.is_empty() {
                div class="wide" { dt { "Also known as" } dd {
                    @for (i, a) in contact.aliases.iter().take(12).enumerate() {
                        @if i > 0 { ", " } code title=[a.text("platform")] { (view::or_dash(a.text("native"))) }
                    }
                    @if contact.aliases.len() > 12 { " and " (contact.aliases.len() - 12) " more" }
                } }
            }
        }
        @if !contact.links.is_empty() {
            ul class="links" {
                @for link in contact.links.iter() { (linked(&link, row.text("contact_id").unwrap_or_default(), zone)) }
            }
        }
    }
}

fn linked(link: &Row<'_>, own: &str, zone: Tz) -> Markup {
    let (from, to) = (
        link.text("from_contact").unwrap_or_default(),
        link.text("to_contact").unwrap_or_default(),
    );
    let kind = format::word(link.text("kind").unwrap_or("linked"));
    let (word, other) = if from == own {
        (format!("{kind} to"), to)
    } else {
        (format!("{kind} from"), from)
    };
    html! { li { (word) " " a href=(url::contact(other)) { (other) } " at " (view::time(zone, link.int("at"))) } }
}

/// What is missing of this contact, and why.
fn ledger(contact: &Contact) -> Markup {
    let open: Vec<_> = contact
        .coverage
        .iter()
        .filter(|r| r.text("state") != Some("done"))
        .collect();
    html! {
        @if !open.is_empty() {
            ul class="ledger" {
                @for r in open {
                    @let state = r.text("state").unwrap_or("unknown");
                    @let level = match state { "failed" | "missing" => Level::Alert, "pending" => Level::Warn, _ => Level::Unknown };
                    li { (badge(level, &format!("{}: {}", r.text("stage").unwrap_or("?"), format::word(state)))) " "
                        (format::reason(r.text("reason").unwrap_or("no reason was given"))) }
                }
            }
        } @else if !contact.coverage.is_empty() {
            p class="ledger quiet" { (icon("ok")) " Closed, recorded, transcribed and tagged." }
        }
    }
}
