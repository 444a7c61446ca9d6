//! The pages as one application: what they were given, and their routes.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use chrono_tz::Tz;
use tokio_util::sync::CancellationToken;

use crate::data::{Data, DataError};
use crate::live::Hub;
use crate::ports::{Audio, Changes, Notes, Status};
use crate::reports::{self, Library};
use crate::{assets, audio, live, pages};

/// What the rest of the program gives to the pages.
pub struct Given {
    /// The only door to data.
    pub data: Arc<dyn Data>,
    /// Sound.
    pub audio: Arc<dyn Audio>,
    /// Where reviewers' notes go.
    pub notes: Arc<dyn Notes>,
    /// Status.
    pub status: Arc<dyn Status>,
    /// News of changes, and the clock.
    pub changes: Changes,
    /// The zone in which days begin where the address names none.
    pub zone: Tz,
    /// Folder with users' own reports.
    pub reports: Option<PathBuf>,
    /// Ends event streams when the program stops.
    pub stop: CancellationToken,
}

/// The pages.
#[derive(Clone)]
pub struct App {
    pub(crate) data: Arc<dyn Data>,
    pub(crate) audio: Arc<dyn Audio>,
    pub(crate) notes: Arc<dyn Notes>,
    pub(crate) status: Arc<dyn Status>,
    pub(crate) changes: Changes,
    pub(crate) zone: Tz,
    pub(crate) library: Arc<Library>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) sounds: Arc<audio::Cache>,
    /// The earlier moment of which these pages tell, UTC microseconds; `None` = now.
    pub(crate) as_of: Option<i64>,
}

impl App {
    /// The pages over what they are given.
    pub fn new(given: Given) -> Arc<Self> {
        Arc::new(App {
            hub: Arc::new(Hub::new(given.stop)),
            data: given.data,
            audio: given.audio,
            notes: given.notes,
            status: given.status,
            changes: given.changes,
            zone: given.zone,
            library: Arc::new(Library::new(given.reports)),
            sounds: Arc::default(),
            as_of: None,
        })
    }

    /// The snapshot's now, UTC microseconds.
    pub fn now(&self) -> i64 {
        self.as_of.unwrap_or_else(|| (self.changes.clock)())
    }

    /// The same pages as of an earlier moment, UTC microseconds.
    ///
    /// # Errors
    /// When there is no picture of that moment.
    pub async fn at(&self, as_of: i64) -> Result<Arc<Self>, DataError> {
        let mut then = self.clone();
        then.data = self.data.at(as_of).await?;
        then.as_of = Some(as_of);
        Ok(Arc::new(then))
    }
}

/// All pages, to be mounted at `/`. Requests that no page answers get the 404 page.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(pages::board::page))
        .route("/events/board", get(live::events))
        .route("/reports", get(reports::page::index))
        .route("/reports/{name}", get(reports::page::report))
        .route("/drill", get(reports::drill::drill))
        .route("/contacts", get(pages::contacts::page))
        .route("/contacts/{id}", get(pages::contact::page))
        .route(
            "/contacts/{id}/notes",
            axum::routing::post(pages::notes::write),
        )
        .route("/contacts/{id}/transcript.vtt", get(pages::transcript::vtt))
        .route("/audio/{file}", get(audio::wav))
        .route("/journeys", get(pages::journeys::page))
        .route("/journeys/{id}", get(pages::journey::page))
        .route("/coverage", get(pages::coverage::page))
        .route("/sources", get(pages::sources::page))
        .route("/beside", get(pages::beside::page))
        .route("/status", get(pages::status::page))
        .route("/dead-letters", get(pages::dead_letters::page))
        .route("/assets/{name}", get(assets::serve))
        .fallback(pages::not_found)
        .layer(axum::middleware::from_fn(crate::guard::headers))
        .with_state(app)
}
