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
    let (app, params) = pages::asked(app, query).await?;
    let zone = filters::read_zone(&params, app.zone).map_err(PageError::bad)?;
    let now = app.now();
    let board = Hub::board(&app, zone).await?;
    let told = match app.as_of {
        None => Some(Told::now(&app).await),
        Some(_) => None,
    };
    let title = if told.is_some() {
        "Live board"
    } else {
        "Board"
    };
    let stream = params.only(|n| n == "tz").href("/events/board");
    let body = html! {
        div class="board-head" {
            h1 { (title) }
            p class="clock" {
                span id="clock" data-now=(now / 1000) { (view::format::date_time(zone, now)) }
                " " span class="quiet" { (zone) }
            }
            button type="button" id="pause" aria-pressed="false" hidden { "Pause" }
        }
        @if told.is_some() {
            p id="connection" class="connection" role="status" { noscript { "Reload the page for newer numbers: live updates need JavaScript." } }
        }
        div id="board" data-stream=[told.is_some().then_some(stream)] data-offset=(crate::zone::offset(zone, now) / 1000) data-speed=[told.as_ref().map(Told::pace)] {
            (show::whole(told.as_ref(), &board, now))
            @if board.is_empty() {
                (view::empty("No calls have arrived yet.", &html! {
                    "The board fills as soon as a source sends events: " code { "callboard send --source asterisk queue_log" }
                    ". The " a href="/status" { "status page" } " says what was heard."
                }))
            }
        }
    };
    let frame = Frame::new(title, "/");
    // What was does not tick.
    let frame = match told {
        Some(_) => frame.script("board.js"),
        None => frame,
    };
    let frame = frame.asked(&app, &params).data_of(zone, now);
    Ok(respond(&frame, &body))
}
