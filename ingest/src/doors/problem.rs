//! Errors of a whole request, as `application/problem+json` (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::intake::Unavailable;

/// Why a whole request was not served.
#[derive(Debug, Clone)]
pub struct Problem {
    /// HTTP status.
    pub status: StatusCode,
    /// One word for counting and for programs: `empty_body`, `too_large` ...
    pub class: &'static str,
    /// What is wrong, where, and what to do.
    pub detail: String,
    /// When to come back, seconds.
    pub retry_after_s: Option<u32>,
    /// Further members, e.g. how many lines were taken before.
    pub more: Map<String, Value>,
}

impl Problem {
    /// A problem of that status and class.
    pub fn new(status: StatusCode, class: &'static str, detail: impl Into<String>) -> Self {
        Problem {
            status,
            class,
            detail: detail.into(),
            retry_after_s: None,
            more: Map::new(),
        }
    }

    /// 400.
    pub fn bad(class: &'static str, detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::BAD_REQUEST, class, detail)
    }

    /// 413.
    pub fn too_large(class: &'static str, detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, class, detail)
    }

    /// 415.
    pub fn media(detail: impl Into<String>) -> Self {
        Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            detail,
        )
    }

    /// Adds what else is to be said, without replacing what is there.
    #[must_use]
    pub fn with(mut self, members: Map<String, Value>) -> Self {
        for (name, value) in members {
            self.more.entry(name).or_insert(value);
        }
        self
    }
}

impl From<Unavailable> for Problem {
    fn from(cause: Unavailable) -> Self {
        let (status, class) = match cause {
            Unavailable::Full { .. } => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Unavailable::Poisoned(_) => (StatusCode::SERVICE_UNAVAILABLE, "log_failed"),
            Unavailable::TooMuch(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_much_at_once"),
            Unavailable::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
        };
        let mut problem = Problem::new(status, class, cause.to_string());
        problem.retry_after_s = cause.retry_after_s();
        problem
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        metrics::counter!("callboard_http_problems_total", "class" => self.class).increment(1);
        let mut body = self.more;
        body.insert("type".into(), json!("about:blank"));
        body.insert(
            "title".into(),
            json!(self.status.canonical_reason().unwrap_or("error")),
        );
        body.insert("status".into(), json!(self.status.as_u16()));
        body.insert("class".into(), json!(self.class));
        body.insert("detail".into(), json!(self.detail));
        let mut response = (self.status, Value::Object(body).to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
