//! What could not be read: reason and bytes, nothing thrown away.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use maud::{Markup, html};

use crate::app::App;
use crate::data::{self, Rows, Value};
use crate::error::PageError;
use crate::pages::{self, respond};
use crate::url::Params;
use crate::view::table::{Head, cards, table};
use crate::view::{self, Frame, filters, format};

const PAGE: usize = 50;
/// Bytes of a dead letter that are shown.
const SHOWN: usize = 400;

/// `GET /dead-letters`
///
/// # Errors
/// When the address is wrong or a query fails.
pub async fn page(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let (app, params) = pages::asked(app, query).await?;
    let zone = filters::read_zone(&params, app.zone).map_err(PageError::bad)?;
    let number = pages::page_number(&params)?;
    let filter = ["class", "source"]
        .iter()
        .filter_map(|c| Some(format!("{c} = {}", data::text(params.get(c)?))))
        .collect::<Vec<_>>();
    let filter = if filter.is_empty() {
        "TRUE".to_owned()
    } else {
        filter.join(" AND ")
    };
    let classes = "SELECT class, source, count(*) AS n FROM callboard.dead_letters GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 100";
    let count = format!("SELECT count(*) AS n FROM callboard.dead_letters WHERE {filter}");
    let list = format!(
        "SELECT dead_letter_id, received_at, source, class, reason, bytes, length, sha256 FROM callboard.dead_letters \
         WHERE {filter} ORDER BY received_at DESC, dead_letter_id LIMIT {PAGE} OFFSET {}",
        (number - 1) * PAGE
    );
    let data = app.data.pin();
    let (classes, count, rows) =
        futures::try_join!(data.rows(classes), data.rows(&count), data.rows(&list))?;
    let all = count.first().and_then(|r| r.int("n")).unwrap_or(0);
    let body = html! {
        nav class="crumbs" aria-label="Where this is" {
            a href="/status" { "Status" } span aria-hidden="true" { "\u{203a}" } span { "Dead letters" }
        }
        h1 { "Dead letters" }
        p class="lead" { "Input that could not become a record, with its reason and its bytes. Nothing was thrown away; after a fix it can be sent again." }
        @if classes.is_empty() {
            (view::empty("There are none.", &html! { "Everything that arrived could be read." }))
        } @else {
            section class="panel" aria-label="By class and source" { (by_class(&params, &classes)) }
            p class="count" data-count=(all) { strong { (format::count(all)) } " dead letters"
                @if params.get("class").is_some() || params.get("source").is_some() { ", filtered. " a href="/dead-letters" { "Show all" } } }
            section class="panel" aria-label="Dead letters" { (letters(&rows, zone)) }
            (pages::pager("/dead-letters", &params, number, PAGE, usize::try_from(all).unwrap_or(0)))
        }
    };
    Ok(respond(
        &Frame::new("Dead letters", "/status")
            .asked(&app, &params)
            .data_of(zone, rows.now),
        &body,
    ))
}

fn by_class(params: &Params, classes: &Rows) -> Markup {
    let heads = [
        Head::words("Reason's class"),
        Head::words("Source"),
        Head::numbers("Letters", "n"),
    ];
    let lines: Vec<Vec<Markup>> = classes
        .iter()
        .map(|r| {
            let (class, source) = (r.get("class").plain(), r.get("source").plain());
            let href = params
                .without("page")
                .with("class", &class)
                .with("source", &source)
                .href("/dead-letters");
            let n = r.int("n").unwrap_or(0);
            vec![
                html! { (format::word(&class)) },
                html! { code { (source) } },
                html! { a class="n" href=(href) data-value=(n) { (format::count(n)) } },
            ]
        })
        .collect();
    table("Dead letters by class", &heads, &lines, None)
}

fn letters(rows: &Rows, zone: chrono_tz::Tz) -> Markup {
    let heads = [
        Head::words("Received"),
        Head::words("Source"),
        Head::prose("Reason"),
        Head::numbers("Length", "bytes"),
        Head::prose("Bytes"),
    ];
    let lines: Vec<Vec<Markup>> = rows
        .iter()
        .map(|r| {
            let bytes: &[u8] = if let Value::Bytes(b) = r.get("bytes") { b } else { &[] };
            vec![
                view::time(zone, r.int("received_at")),
                html! { code { (r.get("source").plain()) } },
                html! { (r.get("reason").plain()) },
                html! { (r.int("length").map_or(format::UNKNOWN.to_owned(), format::count)) },
                html! { code class="raw" title=[r.text("sha256").map(|h| format!("sha256 {h}"))] { (printable(bytes)) } },
            ]
        })
        .collect();
    cards("Dead letters", &heads, &lines)
}

/// The beginning of some bytes as text: control characters and broken UTF-8 made visible.
fn printable(bytes: &[u8]) -> String {
    let part = &bytes[..bytes.len().min(SHOWN)];
    let mut out: String = String::from_utf8_lossy(part)
        .chars()
        .map(|c| if c.is_control() { '\u{b7}' } else { c })
        .collect();
    if bytes.len() > SHOWN {
        out.push('\u{2026}');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_made_printable() {
        assert_eq!(printable(b"a\x00b\n\xff"), "a\u{b7}b\u{b7}\u{fffd}");
        assert_eq!(printable(&vec![b'x'; 1000]).chars().count(), SHOWN + 1);
    }
}
