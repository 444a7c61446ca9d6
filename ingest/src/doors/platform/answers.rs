//! How senders are answered. Most read the status alone; Firehose wants an object of its own, or it
//! sends the same again.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::doors::problem::Problem;

/// Header in which Firehose names its request.
const REQUEST_ID: &str = "x-amz-firehose-request-id";

/// The answer to a request with these headers. `now`: UTC microseconds.
pub fn answer(headers: &HeaderMap, result: Result<Response, Problem>, now: i64) -> Response {
    let mut response = match headers.get(REQUEST_ID).map(HeaderValue::to_str) {
        Some(Ok(id)) => firehose(id, result, now),
        _ => result.unwrap_or_else(IntoResponse::into_response),
    };
    if response.status() == StatusCode::UNAUTHORIZED {
        let how = HeaderValue::from_static("Bearer realm=\"callboard\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, how);
    }
    response
}

/// What Firehose wants to read: its own id again, the time in milliseconds, and why not.
fn firehose(id: &str, result: Result<Response, Problem>, now: i64) -> Response {
    let mut said = json!({"requestId": id, "timestamp": now.div_euclid(1000)});
    let (status, mut response) = match result {
        Ok(response) => (response.status(), StatusCode::OK.into_response()),
        Err(problem) => {
            said["errorMessage"] = json!(problem.detail);
            (problem.status, problem.into_response())
        }
    };
    *response.body_mut() = said.to_string().into();
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}
