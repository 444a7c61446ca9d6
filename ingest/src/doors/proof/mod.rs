//! By what a request to a door proves that it comes from who may send: a key that is shown, or a
//! signature over the body. Who knows the secret may show it instead of signing with it: it proves
//! as much. Checks take as long wherever a difference lies, and no answer says more than that the
//! proof is missing, wrong or too old.

pub mod graph;
pub mod hub;
pub mod standard;
pub mod twilio;

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine as _;
use callboard_sources::payload::encoded;

use super::problem::Problem;
use super::secret::{Secret, Secrets};

/// Headers that show a key: that of API destinations and gateways, Firehose's, Event Grid's.
const KEY_HEADERS: [&str; 3] = ["x-api-key", "x-amz-firehose-access-key", "aeg-sas-key"];
/// Parameters of the query that show one, as webhooks are given that cannot set headers.
const KEY_PARAMETERS: [&str; 2] = ["code", "access_token"];

/// How requests are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// The secret itself, in a header or in the address.
    Bearer,
    /// `X-Twilio-Signature`.
    Twilio,
    /// `webhook-signature` of Standard Webhooks.
    StandardWebhooks,
    /// `clientState` in the notifications of Microsoft Graph.
    Graph,
    /// `X-Hub-Signature-256`, as Genesys Open Messaging signs.
    Hub,
}

impl Scheme {
    /// All.
    pub const ALL: [Scheme; 5] = [
        Scheme::Bearer,
        Scheme::Twilio,
        Scheme::StandardWebhooks,
        Scheme::Graph,
        Scheme::Hub,
    ];

    /// Its word in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Scheme::Bearer => "bearer",
            Scheme::Twilio => "twilio",
            Scheme::StandardWebhooks => "standard-webhooks",
            Scheme::Graph => "graph",
            Scheme::Hub => "hub-sha256",
        }
    }

    /// The scheme of that word.
    pub fn of_name(name: &str) -> Option<Scheme> {
        Scheme::ALL.into_iter().find(|s| s.name() == name)
    }

    /// The scheme of an adapter's sources that name none.
    pub fn of_adapter(adapter: &str) -> Scheme {
        match adapter {
            "twilio" => Scheme::Twilio,
            "teams" => Scheme::Graph,
            _ => Scheme::Bearer,
        }
    }
}

/// What a door asks for. Without a secret it asks for nothing.
#[derive(Debug)]
pub struct Proof {
    scheme: Scheme,
    secrets: Secrets,
    url: String,
    window: Duration,
}

/// On a request whose sender is known already: a user with his password. Such a one needs no proof.
#[derive(Debug, Clone, Copy)]
pub struct Trusted;

/// How far a request has proven itself by its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// It has.
    Proven,
    /// The body must be looked at.
    InBody,
}

impl Default for Proof {
    fn default() -> Self {
        Proof::new(Scheme::Bearer, Secrets::default(), "", Duration::ZERO)
    }
}

impl Proof {
    /// Longest difference between a signed time and ours, where nothing is configured.
    pub const WINDOW: Duration = Duration::from_secs(300);

    /// Requests signed so, with these secrets. `url` is the address as the platform knows it, for
    /// signatures over it.
    pub fn new(scheme: Scheme, secrets: Secrets, url: &str, window: Duration) -> Self {
        Proof {
            scheme,
            secrets,
            url: url.to_owned(),
            window,
        }
    }

    /// Whether it asks for anything.
    pub fn is_wanted(&self) -> bool {
        self.secrets.are_wanted()
    }

    /// The word of the scheme; `none` where nothing is asked for.
    pub fn name(&self) -> &'static str {
        match self.is_wanted() {
            true => self.scheme.name(),
            false => "none",
        }
    }

    /// Looks at headers and query (without `?`), before a byte of the body is read. `now`: UTC
    /// microseconds.
    ///
    /// # Errors
    /// 401 when they show a wrong key, or lack what the scheme needs.
    pub fn of_head(&self, headers: &HeaderMap, query: &str, now: i64) -> Result<Shown, Problem> {
        if !self.is_wanted() {
            return Ok(Shown::Proven);
        }
        let secrets = self.secrets.now();
        let keys = keys(headers, query);
        if keys.iter().any(|key| is_one(&secrets, key)) {
            return Ok(Shown::Proven);
        }
        let signed = match self.scheme {
            Scheme::Bearer => false,
            Scheme::Twilio => headers.contains_key(twilio::HEADER),
            Scheme::StandardWebhooks => {
                standard::fresh(headers, self.window, now)?;
                true
            }
            Scheme::Graph => keys.is_empty(),
            Scheme::Hub => headers.contains_key(hub::HEADER),
        };
        match (signed, keys.is_empty()) {
            (true, _) => Ok(Shown::InBody),
            (false, false) => Err(wrong(
                "the key that was shown is not the secret of this source",
            )),
            (false, true) => Err(missing(self.scheme)),
        }
    }

    /// Looks at the body of a request whose head proved nothing.
    ///
    /// # Errors
    /// 401.
    pub fn of_body(&self, headers: &HeaderMap, query: &str, body: &[u8]) -> Result<(), Problem> {
        let secrets = self.secrets.now();
        let good = match self.scheme {
            Scheme::Bearer => false,
            Scheme::Twilio => twilio::is_signed(&secrets, &self.url, headers, query, body),
            Scheme::StandardWebhooks => standard::is_signed(&secrets, headers, body),
            Scheme::Graph => graph::is_agreed(&secrets, query, body),
            Scheme::Hub => hub::is_signed(&secrets, headers, body),
        };
        if good {
            return Ok(());
        }
        Err(wrong(match self.scheme {
            Scheme::Bearer => "the key that was shown is not the secret of this source",
            Scheme::Twilio => {
                "X-Twilio-Signature is not that of this address and body: give the auth token of \
                 the account as secret, and as url the address that Twilio was given, byte by byte"
            }
            Scheme::StandardWebhooks => {
                "no signature of webhook-signature is that of this body under a secret of this source"
            }
            Scheme::Graph => {
                "not every notification carries a secret of this source as clientState: create the \
                 subscription with it, or send Authorization: Bearer SECRET"
            }
            Scheme::Hub => {
                "X-Hub-Signature-256 is not that of this body under a secret of this source"
            }
        }))
    }
}

fn is_one(secrets: &[Secret], given: &[u8]) -> bool {
    secrets.iter().fold(false, |any, s| s.is(given) | any)
}

/// A refusal that can be mended at the sender.
fn unproven(class: &'static str, what: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, class, what)
}

fn wrong(what: &str) -> Problem {
    unproven("bad_signature", what)
}

fn missing(scheme: Scheme) -> Problem {
    let detail = match scheme {
        Scheme::Bearer => {
            "nothing proves who sends: show the secret of this source as Authorization: Bearer \
             SECRET, as x-api-key, as the password of HTTP Basic, or as ?code=SECRET"
        }
        Scheme::Twilio => "header X-Twilio-Signature is missing; Twilio signs every request",
        Scheme::StandardWebhooks => {
            "headers webhook-id, webhook-timestamp and webhook-signature are needed"
        }
        Scheme::Graph => {
            "nothing proves who sends: notifications carry the secret as clientState, anything else \
             shows it as Authorization: Bearer SECRET"
        }
        Scheme::Hub => "header X-Hub-Signature-256 is missing",
    };
    unproven("unsigned", detail)
}

/// One header's text.
fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

/// Keys that a request shows.
fn keys(headers: &HeaderMap, query: &str) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    if let Some((scheme, value)) =
        text(headers, header::AUTHORIZATION.as_str()).and_then(|v| v.split_once(' '))
    {
        let value = value.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            keys.push(value.as_bytes().to_vec());
        } else if scheme.eq_ignore_ascii_case("basic")
            && let Some(plain) = encoded::base64(value)
            && let Some(colon) = plain.iter().position(|b| *b == b':')
        {
            keys.push(plain.get(colon + 1..).unwrap_or_default().to_vec());
        }
    }
    for name in KEY_HEADERS {
        if let Some(value) = headers.get(name) {
            keys.push(value.as_bytes().trim_ascii().to_vec());
        }
    }
    for pair in query.split('&') {
        if let Some((name, value)) = pair.split_once('=')
            && KEY_PARAMETERS.contains(&name)
        {
            keys.push(encoded::form(value).into_bytes());
        }
    }
    keys
}

/// A signature in base64, as bytes.
fn signature(text: &str) -> Option<Vec<u8>> {
    let engine = base64::engine::general_purpose::STANDARD;
    engine.decode(text.trim()).ok()
}

#[cfg(test)]
mod tests;
