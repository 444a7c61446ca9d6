//! Pages that say what went wrong and what to do about it.

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use maud::html;

use crate::data::DataError;
use crate::view::{self, Frame};

/// Why a page could not be made.
#[derive(Debug)]
pub struct PageError {
    status: StatusCode,
    title: &'static str,
    why: String,
    next: Option<(&'static str, String)>,
    /// After how many seconds the same request may be answered.
    retry_after_s: Option<u32>,
}

impl PageError {
    /// The request is wrong; the sentence says how.
    pub fn bad(why: impl Into<String>) -> Self {
        PageError {
            status: StatusCode::BAD_REQUEST,
            title: "This address does not work.",
            why: why.into(),
            next: None,
            retry_after_s: None,
        }
    }

    /// There is no such thing; `list` is where to look for it.
    pub fn missing(why: impl Into<String>, list: &'static str) -> Self {
        PageError {
            status: StatusCode::NOT_FOUND,
            title: "There is nothing here.",
            why: why.into(),
            next: Some((list, format!("Look in {}", list.trim_start_matches('/')))),
            retry_after_s: None,
        }
    }

    /// It is not allowed.
    pub fn forbidden(why: impl Into<String>) -> Self {
        PageError {
            status: StatusCode::FORBIDDEN,
            title: "That is refused.",
            why: why.into(),
            next: None,
            retry_after_s: None,
        }
    }

    /// Something of ours went wrong.
    pub fn failed(why: impl Into<String>) -> Self {
        PageError {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            title: "This page could not be made.",
            why: why.into(),
            next: Some(("/status", "See the status page".to_owned())),
            retry_after_s: None,
        }
    }
}

impl From<DataError> for PageError {
    fn from(e: DataError) -> Self {
        match e {
            DataError::Refused(why) => PageError::failed(format!("A query was refused: {why}")),
            DataError::Limited(why) => PageError {
                status: StatusCode::SERVICE_UNAVAILABLE,
                title: "This took too long or too much.",
                why: format!("{why} Choose fewer days or fewer queues and try again."),
                next: None,
                retry_after_s: None,
            },
            DataError::Busy(why) => PageError {
                status: StatusCode::SERVICE_UNAVAILABLE,
                title: "Too much is asked at once.",
                why: format!("{why}."),
                next: None,
                retry_after_s: Some(callboard_query::BUSY_RETRY_S),
            },
            DataError::Failed(why) => {
                PageError::failed(format!("The data could not be read: {why}"))
            }
        }
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        if self.status.is_server_error() {
            tracing::warn!(status = self.status.as_u16(), why = %self.why, "page failed");
        }
        let frame = Frame::new(self.title, "");
        let body = html! {
            div class="error-page" {
                p class="error-code" { (self.status.as_u16()) }
                h1 { (self.title) }
                p { (self.why) }
                p class="links" {
                    @if let Some((href, text)) = &self.next { a href=(href) { (text) } }
                    a href="/" { "Go to the board" }
                    a href="/contacts" { "Go to the contacts" }
                }
            }
        };
        let mut response = (self.status, Html(view::page(&frame, &body))).into_response();
        if let Some(seconds) = self.retry_after_s {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
