//! `POST /v1/erase`: everything of a customer goes, and the answer proves it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use callboard_ingest::doors::problem::Problem;
use callboard_store::erase::Wish;
use callboard_store::store::Store;
use serde::Deserialize;

/// Shortest address or name that is looked for, bytes: shorter ones stand in half of what is kept.
const SHORTEST: usize = 3;
/// Most addresses, names and contacts of one request.
const MOST: usize = 1_000;

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// Addresses and names of the customer.
    #[serde(default)]
    customers: Vec<String>,
    /// Contacts, by their id or a platform's.
    #[serde(default)]
    contacts: Vec<String>,
    /// Only say what would go.
    #[serde(default)]
    dry_run: bool,
}

/// The route.
pub fn router(store: Arc<Store>) -> Router {
    Router::new()
        .route("/v1/erase", post(erase))
        .with_state(store)
}

async fn erase(State(store): State<Arc<Store>>, body: bytes::Bytes) -> Response {
    let asked: Asked = match serde_json::from_slice(&body) {
        Ok(asked) => asked,
        Err(error) => {
            let what = format!(
                "the body cannot be read: {error}; write such as {{\"customers\": [\"+4930123\"], \"dry_run\": true}}"
            );
            return Problem::bad("bad_wish", what).into_response();
        }
    };
    let (wish, dry_run) = (
        Wish {
            customers: asked.customers,
            contacts: asked.contacts,
        },
        asked.dry_run,
    );
    if let Some(what) = wrong(&wish) {
        return Problem::bad("bad_wish", what).into_response();
    }
    // On a task of its own: a client that goes away does not leave it half done.
    let done = tokio::spawn(async move { store.erase(wish, dry_run).await });
    let failed = |what: String| {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Problem::new(status, "not_erased", what).into_response()
    };
    match done.await {
        Ok(Ok(report)) => Json(report).into_response(),
        Ok(Err(error)) => failed(format!(
            "{error}; what has begun is gone on with by itself, and by the same request again"
        )),
        Err(error) => failed(error.to_string()),
    }
}

fn wrong(wish: &Wish) -> Option<String> {
    if wish.is_empty() {
        return Some("nothing is asked for; name at least one of customers, contacts".into());
    }
    if wish.customers.len() + wish.contacts.len() > MOST {
        return Some(format!("at most {MOST} texts in one request"));
    }
    let all = wish.customers.iter().chain(&wish.contacts);
    let short = |t: &&String| t.trim().len() < SHORTEST || t.trim() != t.as_str();
    all.into_iter().find(short).map(|text| {
        format!("\"{text}\" is shorter than {SHORTEST} bytes, or has spaces around it; write it as the platform does")
    })
}
