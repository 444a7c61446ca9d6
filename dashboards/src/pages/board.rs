//! The live board as a page: complete without scripts, live with them.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use maud::html;

use crate::app::App;
use crate::error::PageError;
use crate::live::feed::Told;
use crate::live::{Hub, show};
use crate::pages::{self, respond};
use crate::view::{self, Frame, filters};

/// `GET /`
///
/// # Errors
/// When the address names no zone or the data cannot be read.
pub async fn page(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let params = pages::params(query)?;
    let zone = filters::read_zone(&params, app.zone).map_err(PageError::bad)?;
    let now = app.now();
    let board = Hub::board(&app, zone).await?;
    let told = Told::now(&app).await;
    let stream = params.only(|n| n == "tz").href("/events/board");
    let body = html! {
        div class="board-head" {
            h1 { "Live board" }
            p class="clock" {
                span id="clock" data-now=(now / 1000) { (view::format::date_time(zone, now)) }
                " " span class="quiet" { (zone) }
            }
            button type="button" id="pause" aria-pressed="false" hidden { "Pause" }
        }
        p id="connection" class="connection" role="status" { noscript { "Reload the page for newer numbers: live updates need JavaScript." } }
        div id="board" data-stream=(stream) data-offset=(crate::zone::offset(zone, now) / 1000) data-speed=(told.pace()) {
            (show::whole(&told, &board, now))
            @if board.is_empty() {
                (view::empty("No calls have arrived yet.", &html! {
                    "The board fills as soon as a source sends events: " code { "callboard send --source asterisk queue_log" }
                    ". The " a href="/status" { "status page" } " says what was heard."
                }))
            }
        }
    };
    let frame = Frame::new("Live board", "/")
        .script("board.js")
        .theme(&params)
        .data_of(zone, now);
    Ok(respond(&frame, &body))
}
