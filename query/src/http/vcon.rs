//! `GET /v1/contacts/{id}/vcon`: a contact as a vCon.

use arrow::array::RecordBatch;
use arrow::compute::cast;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use callboard_model::tables::Row;
use callboard_model::vcon::{Conversation, write};
use chrono_tz::Tz;
use serde::Deserialize;

use super::problem;
use crate::error::{Class, QueryError};
use crate::{Answer, Engine, Param, Principal, Session, moment};

/// Media type of a vCon.
const VCON: &str = "application/vcon+json";

/// What the address may say.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    /// The moment whose picture is asked.
    as_of: Option<String>,
}

pub(super) async fn vcon(
    State(engine): State<Engine>,
    principal: Option<axum::Extension<Principal>>,
    Path(contact): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let principal = principal.map_or_else(Principal::local, |p| p.0);
    let sound = sound(&headers);
    let found = async {
        let as_of = asked.as_of.map(|text| moment(&text, Tz::UTC)).transpose()?;
        let session = engine.session(principal).at(as_of);
        read(&session, &contact).await
    };
    match found.await {
        Err(e) => problem(&e),
        Ok(conversation) => match write(&conversation, sound.as_deref()) {
            Some(vcon) => {
                let mut response = axum::Json(vcon).into_response();
                let headers = response.headers_mut();
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(VCON));
                headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
                response
            }
            None => unknown(&contact),
        },
    }
}

fn unknown(contact: &str) -> Response {
    let shown: String = contact.chars().take(200).collect();
    let body = serde_json::json!({
        "type": "urn:callboard:problem:unknown_contact",
        "title": "unknown contact",
        "status": 404,
        "class": "unknown_contact",
        "detail": format!("there is no contact {shown}; ask for it by its contact_id or another of its names"),
    });
    let mut response = (StatusCode::NOT_FOUND, axum::Json(body)).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    response
}

/// Where this server gives sound, as the one who asks sees it.
fn sound(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']' | '_');
    if host.is_empty() || !host.chars().all(plain) {
        return None;
    }
    let scheme = headers
        .get("x-forwarded-proto")
        .and_then(|p| p.to_str().ok())
        .filter(|p| *p == "https")
        .unwrap_or("http");
    Some(format!("{scheme}://{host}/audio/"))
}

/// All that is known of a contact, by any of its names.
async fn read(session: &Session, asked: &str) -> Result<Conversation, QueryError> {
    let names =
        "SELECT min(id) AS id FROM callboard.aliases WHERE entity = 'contact' AND native = $1";
    let standing = session
        .collect(names, vec![Param::Text(asked.to_owned())])
        .await?;
    let known = text(&standing);
    let own = rows(session, "contacts", asked).await?;
    let (id, contact) = match (own.into_iter().next(), known) {
        (Some(row), _) => (asked.to_owned(), Some(row)),
        (None, Some(id)) => {
            let found = rows(session, "contacts", &id).await?;
            (id, found.into_iter().next())
        }
        (None, None) => return Ok(Conversation::default()),
    };
    Ok(Conversation {
        contact,
        segments: rows(session, "segments", &id).await?,
        recordings: rows(session, "recordings", &id).await?,
        turns: rows(session, "turns", &id).await?,
        tags: rows(session, "tags", &id).await?,
        notes: rows(session, "notes", &id).await?,
        measurements: rows(session, "measurements", &id).await?,
        evaluations: rows(session, "evaluations", &id).await?,
    })
}

/// The first text of an answer.
fn text(answer: &Answer) -> Option<String> {
    let column = answer.batches.first()?.columns().first()?;
    let plain = cast(column, &arrow::datatypes::DataType::Utf8).ok()?;
    let texts = plain.as_any().downcast_ref::<arrow::array::StringArray>()?;
    let first = texts.iter().next().flatten()?;
    Some(first.to_owned())
}

/// A contact's rows of one table.
async fn rows<R: Row + Rows>(
    session: &Session,
    view: &str,
    contact: &str,
) -> Result<Vec<R>, QueryError> {
    let columns: Vec<&str> = R::spec().columns.iter().map(|c| c.name).collect();
    let sql = format!(
        "SELECT {} FROM callboard.{view} WHERE contact_id = $1",
        columns.join(", ")
    );
    let answer = session
        .collect(&sql, vec![Param::Text(contact.to_owned())])
        .await?;
    let mut all = Vec::new();
    for batch in &answer.batches {
        all.extend(R::of(&plain::<R>(batch)?));
    }
    Ok(all)
}

/// The batch in the types of the table: queries answer some columns in others.
fn plain<R: Row>(batch: &RecordBatch) -> Result<RecordBatch, QueryError> {
    let schema = R::spec().schema();
    let fault = |e: arrow::error::ArrowError| QueryError::new(Class::Internal, e.to_string());
    let columns = schema
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, column)| cast(column, field.data_type()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(fault)?;
    RecordBatch::try_new(schema, columns).map_err(fault)
}

/// Row types that a batch is read into.
trait Rows: Sized {
    fn of(batch: &RecordBatch) -> Vec<Self>;
}

macro_rules! rows_of {
    ($($row:ident),+ $(,)?) => {
        $( impl Rows for callboard_model::tables::$row {
            fn of(batch: &RecordBatch) -> Vec<Self> {
                Self::from_batch(batch)
            }
        } )+
    };
}

rows_of!(
    ContactRow,
    SegmentRow,
    RecordingRow,
    TurnRow,
    TagRow,
    NoteRow,
    MeasurementRow,
    EvaluationRow,
);
