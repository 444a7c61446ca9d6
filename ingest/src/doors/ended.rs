//! `POST /v1/ended`: a sender says that it has sent all there is of some sources, a file read to its
//! end, so that nobody takes their silence for trouble.

use axum::extract::{Json, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::http::Doors;

/// Most sources of one request; what is beyond is passed over.
const MOST: usize = 1000;

/// Body of `POST /v1/ended`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// Sources as records name them, such as `/asterisk/pbx1/queue_log`.
    pub sources: Vec<String>,
}

/// Takes the word.
pub(super) async fn post_ended(
    State(doors): State<Doors>,
    Json(mut ended): Json<Ended>,
) -> StatusCode {
    ended.sources.truncate(MOST);
    doors.intake.ended(&ended.sources);
    StatusCode::NO_CONTENT
}
