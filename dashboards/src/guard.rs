//! What every answer and every request must keep: security headers, and, on loopback without
//! users, a loopback Host and no foreign Origin.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Content security policy of the pages: nothing inline, nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    media-src 'self'; connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// Adds the security headers to every answer of the pages.
pub async fn headers(request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    let fixed: [(header::HeaderName, &'static str); 5] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (
            header::HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    answer
}

/// A layer for the whole application (pages and `/v1` alike) for a server on loopback without
/// users: a Host that is not loopback is refused (it is how a web page reaches a local server by
/// DNS rebinding), and so is a request that a foreign page sent.
///
/// Use as `Router::layer(axum::middleware::from_fn(guard::layer))`.
pub async fn layer(request: Request<Body>, next: Next) -> Response {
    match check(request.headers(), request.uri()) {
        Ok(()) => next.run(request).await,
        Err(why) => (StatusCode::FORBIDDEN, format!("{why}\n")).into_response(),
    }
}

/// Whether a request may pass on loopback without users.
///
/// # Errors
/// A sentence that says what is refused and what to do.
pub fn check(headers: &HeaderMap, uri: &Uri) -> Result<(), String> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|v: &HeaderValue| v.to_str().ok())
    };
    let host = match (text(header::HOST), uri.host()) {
        (Some(host), _) | (None, Some(host)) => host,
        (None, None) => return Err("The request names no host.".to_owned()),
    };
    if !loopback(host) {
        return Err(format!(
            "The host {host:?} is refused: without users this server answers only to localhost, \
             127.0.0.1 and [::1]."
        ));
    }
    if headers.contains_key(header::ORIGIN) {
        let origin = text(header::ORIGIN).unwrap_or("?");
        let own = origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"));
        if !own.is_some_and(|o| o.eq_ignore_ascii_case(host)) {
            return Err(format!(
                "The origin {origin:?} is refused: it is not this server's own page."
            ));
        }
    }
    if text(header::HeaderName::from_static("sec-fetch-site")) == Some("cross-site")
        && text(header::HeaderName::from_static("sec-fetch-mode")) != Some("navigate")
    {
        return Err("A request from a page of another site is refused.".to_owned());
    }
    Ok(())
}

/// Whether `host` (with or without a port) is this machine itself.
pub fn loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let address = name.parse::<std::net::IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|a| a.is_loopback())
}

/// Whether a form may change something: it was sent by this very site. A request without an
/// Origin is not from a page of another site (every browser sends it with a POST).
///
/// # Errors
/// A sentence for the reader.
pub fn same_origin(method: &Method, headers: &HeaderMap) -> Result<(), String> {
    if method == Method::GET {
        return Ok(());
    }
    let text = |name| {
        headers
            .get(name)
            .and_then(|v: &HeaderValue| v.to_str().ok())
    };
    if let Some(site) = text(header::HeaderName::from_static("sec-fetch-site"))
        && !["same-origin", "none"].contains(&site)
    {
        return Err("This form was sent from another site.".to_owned());
    }
    match (text(header::ORIGIN), text(header::HOST)) {
        (None, _) if !headers.contains_key(header::ORIGIN) => Ok(()),
        (Some(origin), Some(host)) => {
            let own = origin.split_once("://").map(|(_, o)| o);
            if own.is_some_and(|o| o.eq_ignore_ascii_case(host)) {
                Ok(())
            } else {
                Err(format!(
                    "This form was sent from {origin:?}, which is not this server."
                ))
            }
        }
        _ => Err("This form names no readable origin.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(pairs: &[(&'static str, &str)]) -> Result<(), String> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        check(&headers, &Uri::from_static("/"))
    }

    #[test]
    fn only_loopback_hosts_pass() {
        for host in [
            "localhost:8080",
            "127.0.0.1:8080",
            "[::1]:8080",
            "127.0.0.2",
            "LOCALHOST",
        ] {
            assert!(request(&[("host", host)]).is_ok(), "{host}");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example:80",
            "localhost.evil.example",
            "10.0.0.1",
            "",
        ] {
            assert!(request(&[("host", host)]).is_err(), "{host}");
        }
        assert!(request(&[]).is_err());
    }

    #[test]
    fn foreign_origins_are_refused() {
        let host = ("host", "127.0.0.1:8080");
        assert!(request(&[host, ("origin", "http://127.0.0.1:8080")]).is_ok());
        for origin in [
            "http://evil.example",
            "null",
            "http://127.0.0.1:9999",
            "http://127.0.0.1:8080.evil.example",
        ] {
            assert!(request(&[host, ("origin", origin)]).is_err(), "{origin}");
        }
        assert!(request(&[host, ("sec-fetch-site", "cross-site")]).is_err());
    }

    #[test]
    fn a_form_of_another_site_changes_nothing() {
        let mut headers = HeaderMap::new();
        headers.insert("host", "127.0.0.1:8080".parse().unwrap());
        assert!(same_origin(&Method::POST, &headers).is_ok());
        headers.insert("origin", "http://evil.example".parse().unwrap());
        assert!(same_origin(&Method::POST, &headers).is_err());
        headers.insert("origin", "http://127.0.0.1:8080".parse().unwrap());
        assert!(same_origin(&Method::POST, &headers).is_ok());
    }
}
