//! `POST /v1/sql`: a text goes in, rows come out as JSON, CSV or an Arrow stream.

use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::{Class, QueryError};
use crate::{BUSY_RETRY_S, Engine, Param, Principal, moment};

mod formats;
mod vcon;

/// Largest request in bytes.
const BODY: usize = 1 << 20;

/// Answer formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Csv,
    Arrow,
}

impl Format {
    fn of(word: &str) -> Option<Self> {
        match word {
            "json" => Some(Format::Json),
            "csv" => Some(Format::Csv),
            "arrow" => Some(Format::Arrow),
            _ => None,
        }
    }

    fn accepted(headers: &HeaderMap) -> Option<Self> {
        let accept = headers.get(header::ACCEPT)?.to_str().ok()?;
        accept
            .split(',')
            .find_map(|part| match part.split(';').next().unwrap_or("").trim() {
                "application/json" => Some(Format::Json),
                "text/csv" => Some(Format::Csv),
                "application/vnd.apache.arrow.stream" => Some(Format::Arrow),
                _ => None,
            })
    }
}

/// The JSON form of a question.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    sql: String,
    #[serde(default)]
    params: Vec<Value>,
    format: Option<String>,
}

/// What the address may say.
#[derive(Debug, Deserialize)]
struct Asked {
    format: Option<String>,
    /// The moment whose picture is asked, as [`moment`] reads it in UTC.
    as_of: Option<String>,
}

/// The routes: `POST /v1/sql`, `GET /v1/contacts/{id}/vcon`. Whoever mounts them decides who gets through the door; a
/// [`Principal`] put into the request's extensions is the one who asks.
pub fn router(engine: Engine) -> Router {
    Router::new()
        .route("/v1/sql", post(sql))
        .route("/v1/contacts/{id}/vcon", get(vcon::vcon))
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(engine)
}

async fn sql(
    State(engine): State<Engine>,
    principal: Option<axum::Extension<Principal>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let principal = principal.map_or_else(Principal::local, |p| p.0);
    match answer(engine, principal, asked, &headers, &body).await {
        Ok(response) => response,
        Err(e) => problem(&e),
    }
}

async fn answer(
    engine: Engine,
    principal: Principal,
    asked: Asked,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Response, QueryError> {
    let (text, params, named) = question(headers, body)?;
    let format = match asked.format.or(named) {
        Some(word) => Format::of(&word).ok_or_else(|| {
            QueryError::new(
                Class::Syntax,
                format!("format {word} is not known; there are json, csv and arrow"),
            )
        })?,
        None => Format::accepted(headers).unwrap_or(Format::Json),
    };
    let as_of = asked.as_of.map(|text| moment(&text, Tz::UTC)).transpose()?;
    let session = engine.session(principal).at(as_of);
    let result = session.query_with(&text, params).await?;
    let (version, now) = (result.version, result.now);
    let (kind, body) = match format {
        // A JSON answer is one document: an error must not stand in the middle of it.
        Format::Json => {
            let answer = result.collect().await?;
            let text = formats::json(&answer)?;
            ("application/json", Body::from(text))
        }
        Format::Csv => (
            "text/csv; charset=utf-8",
            Body::from_stream(formats::csv(result).await?),
        ),
        Format::Arrow => (
            "application/vnd.apache.arrow.stream",
            Body::from_stream(formats::arrow(result).await?),
        ),
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        HeaderName::from_static("callboard-snapshot"),
        HeaderValue::from(version),
    );
    let now = callboard_model::time::format_rfc3339(now);
    if let Ok(now) = HeaderValue::from_str(&now) {
        headers.insert(HeaderName::from_static("callboard-now"), now);
    }
    Ok(response)
}

type Asking = (String, Vec<Param>, Option<String>);

fn question(headers: &HeaderMap, body: &[u8]) -> Result<Asking, QueryError> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or("");
    let bad = |what: String| QueryError::new(Class::Syntax, what);
    if kind.starts_with("application/json") {
        let q: Question = serde_json::from_slice(body)
            .map_err(|e| bad(format!("the request is no JSON question: {e}")))?;
        let params = q
            .params
            .iter()
            .enumerate()
            .map(|(i, v)| param(i + 1, v))
            .collect::<Result<_, _>>()?;
        return Ok((q.sql, params, q.format));
    }
    let text =
        std::str::from_utf8(body).map_err(|e| bad(format!("the SQL text is not UTF-8: {e}")))?;
    Ok((text.to_owned(), Vec::new(), None))
}

fn param(number: usize, value: &Value) -> Result<Param, QueryError> {
    Ok(match value {
        Value::Null => Param::Null,
        Value::Bool(v) => Param::Bool(*v),
        Value::String(v) => Param::Text(v.clone()),
        Value::Number(n) => match (n.as_i64(), n.as_f64()) {
            (Some(v), _) => Param::Int(v),
            (None, Some(v)) => Param::Float(v),
            _ => Param::Null,
        },
        _ => {
            return Err(QueryError::new(
                Class::Value,
                format!("parameter ${number} is a list or an object; give a single value"),
            ));
        }
    })
}

/// A problem document with the code that PostgreSQL clients know.
fn problem(e: &QueryError) -> Response {
    let status =
        StatusCode::from_u16(e.class.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = json!({
        "type": format!("urn:callboard:problem:{}", e.class.word()),
        "title": e.class.word().replace('_', " "),
        "status": status.as_u16(),
        "code": e.sqlstate(),
        "detail": e.message,
    });
    let mut response = (status, Json(body)).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    if e.class == Class::Busy {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(BUSY_RETRY_S));
    }
    response
}
