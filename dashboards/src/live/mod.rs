//! The live board's engine: reads while someone watches, renders each change once and hands it
//! to every watcher.

pub mod feed;
pub mod hub;
pub mod show;
pub mod state;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt};
use tokio_stream::wrappers::WatchStream;

use crate::app::App;
use crate::error::PageError;
use crate::pages;
pub use hub::{Frame, Hub};

/// `GET /events/board`: what changes on the board, as server-sent events. The first event holds
/// everything; a watcher that fell behind gets everything again.
///
/// # Errors
/// When the address names no zone, or a moment: what was does not go on.
pub async fn events(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let params = pages::only_now(query, "The stream of the board")?;
    let zone = crate::view::filters::read_zone(&params, app.zone).map_err(PageError::bad)?;
    let frames = Hub::watch(&app, zone);
    let stop = app.hub.stop().cancelled_owned();
    let events = stream(WatchStream::new(frames)).take_until(stop);
    let keep = KeepAlive::new().interval(Duration::from_secs(15));
    let headers = [("x-accel-buffering", "no"), ("cache-control", "no-store")];
    Ok((headers, Sse::new(events).keep_alive(keep)).into_response())
}

fn stream(frames: WatchStream<Arc<Frame>>) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    let mut last = 0;
    frames.filter_map(move |frame| {
        let event = match frame.seq {
            0 => None,
            seq if last > 0 && seq == last + 1 => Some(("change", frame.change.clone())),
            seq if seq == last => None,
            _ => Some(("all", frame.all.clone())),
        };
        last = frame.seq;
        futures::future::ready(event.map(|(name, data)| {
            Ok(Event::default()
                .event(name)
                .retry(Duration::from_secs(2))
                .id(last.to_string())
                .data(data))
        }))
    })
}
