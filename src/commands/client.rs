//! Talks to a server. Says where it is and what to do when it does not answer.

use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use url::Url;

use super::Failure;
use crate::cli::To;

/// A server somewhere.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    user: Option<(String, Option<String>)>,
    /// The secret of a source, shown with every request.
    secret: Option<HeaderValue>,
    /// The moment of which it asks, as the user wrote it.
    as_of: Option<String>,
}

/// Why a request got no good answer.
#[derive(Debug)]
pub enum Trouble {
    /// Not now: refused connection, 408, 429, 5xx. Try again, after so long if the server said.
    Later {
        /// What happened.
        what: String,
        /// When to come back.
        after: Option<Duration>,
    },
    /// Never as it is.
    Never(String),
}

impl Trouble {
    /// The sentence.
    pub fn text(&self) -> &str {
        match self {
            Trouble::Later { what, .. } | Trouble::Never(what) => what,
        }
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        Failure::failed(trouble.text())
    }
}

impl Client {
    /// A client of that server.
    ///
    /// # Errors
    /// When the URL is none, or cannot be spoken to.
    pub fn new(to: &To) -> Result<Self, Failure> {
        let wrong = |why: &str| {
            Failure::usage(format!(
                "--to \"{}\" {why}; write such as http://127.0.0.1:8080",
                to.url
            ))
        };
        let mut base = Url::parse(&to.url).map_err(|e| wrong(&format!("is no URL ({e})")))?;
        if !["http", "https"].contains(&base.scheme()) {
            return Err(wrong("is not HTTP"));
        }
        let user = (!base.username().is_empty()).then(|| {
            let decode = |text: &str| {
                percent_encoding::percent_decode_str(text)
                    .decode_utf8_lossy()
                    .into_owned()
            };
            (decode(base.username()), base.password().map(decode))
        });
        // From here on the URL is shown in messages: without the password.
        let _ = base.set_username("");
        let _ = base.set_password(None);
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .user_agent(concat!("callboard/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|e| Failure::failed(format!("cannot speak HTTP: {e}")))?;
        Ok(Client {
            http,
            base,
            user,
            secret: None,
            as_of: None,
        })
    }

    /// The same server, asked what was known at that moment.
    #[must_use]
    pub fn at(&self, as_of: Option<&str>) -> Self {
        let mut then = self.clone();
        then.as_of = as_of.map(str::to_owned);
        then
    }

    /// The same server, shown the secret of a source.
    ///
    /// # Errors
    /// When it cannot stand in a header.
    pub fn with_secret(mut self, secret: Option<String>) -> Result<Self, Failure> {
        if let Some(secret) = secret {
            let mut value = HeaderValue::from_str(&secret).map_err(|_| {
                Failure::usage("the secret has characters that cannot stand in a header")
            })?;
            value.set_sensitive(true);
            self.secret = Some(value);
        }
        Ok(self)
    }

    /// The server's URL, without user and password.
    pub fn url(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// A request to a path of these segments.
    pub fn request(&self, method: Method, segments: &[&str]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        if let Some(moment) = &self.as_of {
            url.query_pairs_mut().append_pair("as_of", moment);
        }
        let mut request = self.http.request(method, url);
        if let Some(secret) = &self.secret {
            request = request.header("x-api-key", secret.clone());
        }
        match &self.user {
            Some((name, password)) => request.basic_auth(name, password.as_deref()),
            None => request,
        }
    }

    /// Sends; gives a good answer, or what is the trouble.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, Trouble> {
        let response = request.send().await.map_err(|e| self.unreached(&e))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let after = response
            .headers()
            .get("retry-after")
            .and_then(|v| v.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let body = response.text().await.unwrap_or_default();
        let what = self.sentence(status, &body);
        let later = status.is_server_error()
            || [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT].contains(&status);
        Err(if later {
            Trouble::Later { what, after }
        } else {
            Trouble::Never(what)
        })
    }

    /// Reads a good answer's text.
    ///
    /// # Errors
    /// [`Trouble`] when the connection breaks before its end.
    pub async fn text(&self, response: Response) -> Result<String, Trouble> {
        response.text().await.map_err(|e| self.unreached(&e))
    }

    fn unreached(&self, error: &reqwest::Error) -> Trouble {
        // The innermost cause says most: "Connection refused".
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        let what = format!(
            "cannot reach {}: {cause}; is `callboard serve` running there? Name another server with --to",
            self.url()
        );
        if error.is_builder() {
            Trouble::Never(what)
        } else {
            Trouble::Later { what, after: None }
        }
    }

    fn sentence(&self, status: StatusCode, body: &str) -> String {
        let problem: Value = serde_json::from_str(body).unwrap_or(Value::Null);
        let said = ["detail", "error", "message"]
            .iter()
            .find_map(|key| problem[key].as_str())
            .map_or_else(|| body.trim().chars().take(500).collect(), str::to_owned);
        match (status, said.is_empty()) {
            (StatusCode::UNAUTHORIZED, false) if problem["class"].is_string() => format!(
                "{} answered 401: {said} (callboard send shows CALLBOARD_SECRET, or --secret-file)",
                self.url()
            ),
            (StatusCode::UNAUTHORIZED, _) => format!(
                "{} wants a user and password; write them into the URL: http://USER:PASSWORD@HOST",
                self.url()
            ),
            (_, true) => format!("{} answered {status}", self.url()),
            (_, false) => format!("{} answered {}: {said}", self.url(), status.as_u16()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(url: &str) -> Result<Client, Failure> {
        Client::new(&To { url: url.into() })
    }

    #[test]
    fn urls_are_checked_and_passwords_are_not_shown() {
        let ours = client("http://ana:s%40cret@host:8080/base/").unwrap();
        assert_eq!(ours.url(), "http://host:8080/base");
        assert_eq!(ours.user, Some(("ana".into(), Some("s@cret".into()))));
        let request = ours
            .request(Method::PUT, &["v1", "recordings", "a/b c"])
            .build()
            .unwrap();
        assert_eq!(request.url().path(), "/base/v1/recordings/a%2Fb%20c");
        assert_eq!(client("127.0.0.1:8080").err().unwrap().code, 2);
        assert_eq!(client("ftp://x").err().unwrap().code, 2);
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_named() {
        let port = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap().port()
        };
        let ours = client(&format!("http://127.0.0.1:{port}")).unwrap();
        let trouble = ours
            .send(ours.request(Method::GET, &["healthz"]))
            .await
            .unwrap_err();
        assert!(matches!(trouble, Trouble::Later { .. }));
        assert!(
            trouble.text().contains("callboard serve"),
            "{}",
            trouble.text()
        );
    }

    #[test]
    fn problems_are_said_in_their_own_words() {
        let ours = client("http://h").unwrap();
        let text = ours.sentence(StatusCode::BAD_REQUEST, r#"{"detail":"the body is empty"}"#);
        assert_eq!(text, "http://h answered 400: the body is empty");
        assert!(
            ours.sentence(StatusCode::UNAUTHORIZED, "")
                .contains("USER:PASSWORD")
        );
    }
}
