//! CloudEvents' abuse protection: a sender asks, by OPTIONS, whether its events are wanted here.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// CloudEvents' webhook handshake: says that events may be sent here.
pub(super) async fn handshake(headers: HeaderMap) -> Response {
    allowed(&headers, None)
}

/// The answer to that handshake; `rate` is how many requests a minute may come.
pub(super) fn allowed(headers: &HeaderMap, rate: Option<u64>) -> Response {
    let mut response = StatusCode::OK.into_response();
    let out = response.headers_mut();
    out.insert(header::ALLOW, HeaderValue::from_static("OPTIONS, POST"));
    if let Some(origin) = headers.get("webhook-request-origin") {
        out.insert("webhook-allowed-origin", origin.clone());
        let any = HeaderValue::from_static("*");
        out.insert("webhook-allowed-rate", rate.map_or(any, HeaderValue::from));
    }
    response
}
