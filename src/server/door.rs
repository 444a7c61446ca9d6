//! Who gets through the HTTP door where users are configured: Basic authentication against
//! salted hashes. Without users, only this machine is served.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use callboard_dashboards as dashboards;
use callboard_ingest::doors::platform::Platforms;
use callboard_ingest::doors::proof::Trusted;
use callboard_query::Principal;

use crate::config::users::User;

/// The application on loopback without users: only this machine may ask, but for platforms at
/// sources that know them by a secret, which may be behind a proxy.
pub fn local(app: Router, platforms: Platforms) -> Router {
    app.layer(middleware::from_fn(move |request: Request, next: Next| {
        let own = platforms.knows_its_sender(request.uri().path());
        async move {
            match own {
                true => next.run(request).await,
                false => dashboards::guard::layer(request, next).await,
            }
        }
    }))
}

/// The application behind that door.
pub fn guarded(app: Router, users: Vec<User>, platforms: Platforms) -> Router {
    if users.is_empty() {
        return app;
    }
    let users = Arc::new(users);
    app.layer(middleware::from_fn(move |request: Request, next: Next| {
        let users = users.clone();
        let own = platforms.knows_its_sender(request.uri().path());
        async move { check(&users, own, request, next).await }
    }))
}

/// `own`: whether a source of its own asks for its own proof of those who are no users.
async fn check(users: &Arc<Vec<User>>, own: bool, mut request: Request, next: Next) -> Response {
    // Whether it lives is nobody's secret.
    if request.uri().path() == "/healthz" {
        return next.run(request).await;
    }
    let given = credentials(request.headers());
    let users = users.clone();
    // Hashing takes long on purpose: not on the threads that serve.
    let known = tokio::task::spawn_blocking(move || {
        let (name, password) = given?;
        users
            .iter()
            .find(|u| u.name == name)?
            .password
            .verify(&password)
            .then_some(name)
    });
    match known.await {
        Ok(Some(name)) => {
            request.extensions_mut().insert(Principal::user(name));
            request.extensions_mut().insert(Trusted);
            next.run(request).await
        }
        _ if own => next.run(request).await,
        _ => (
            StatusCode::UNAUTHORIZED,
            [(
                header::WWW_AUTHENTICATE,
                "Basic realm=\"callboard\", charset=\"UTF-8\"",
            )],
            "user name and password are needed; see [[user]] in the configuration\n",
        )
            .into_response(),
    }
}

fn credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let encoded = value
        .strip_prefix("Basic ")
        .or_else(|| value.strip_prefix("basic "))?;
    let plain = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (name, password) = plain.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}
