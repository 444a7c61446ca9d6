//! `X-Twilio-Signature`: HMAC-SHA1, under the account's auth token, of the address as Twilio was
//! given it and, for a form, of its parameters in the order of their names. A body that is no form
//! is signed by its SHA-256 in the address.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{HeaderMap, header};
use callboard_sources::payload::{encoded, sha256};
use ring::hmac;

use super::{signature, text};
use crate::doors::secret::Secret;

/// The header.
pub const HEADER: &str = "x-twilio-signature";

/// Parameter of the address that holds the hash of a body that is no form.
const BODY_HASH: &str = "bodySHA256";

/// Whether the request is signed with one of these tokens. `url` is the door's address as Twilio
/// knows it; the query of the request is added where it has none of its own.
pub fn is_signed(
    secrets: &[Secret],
    url: &str,
    headers: &HeaderMap,
    query: &str,
    body: &[u8],
) -> bool {
    let Some(given) = text(headers, HEADER).and_then(signature) else {
        return false;
    };
    let url = match (url.contains('?'), query) {
        (true, _) | (_, "") => url.to_owned(),
        (false, query) => format!("{url}?{query}"),
    };
    let hash = query.split('&').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        (name == BODY_HASH).then_some(value)
    });
    let media = text(headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let signed = match hash {
        // What the address says of the body is signed with the address.
        Some(hash) if !hash.eq_ignore_ascii_case(&sha256(body)) => return false,
        Some(_) => String::new(),
        None if is_form(media) => parameters(body),
        // Another body that the address says nothing of is not signed at all.
        None if !body.is_empty() => return false,
        None => String::new(),
    };
    let urls = spellings(&url);
    secrets.iter().fold(false, |any, secret| {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.bytes());
        let good = |url: &String| {
            let message = format!("{url}{signed}");
            hmac::verify(&key, message.as_bytes(), &given).is_ok()
        };
        urls.iter().any(good) | any
    })
}

fn is_form(media: &str) -> bool {
    let media = media.split(';').next().unwrap_or_default().trim();
    media.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// The parameters as they are signed: by name, of a repeated name each value once, in order.
fn parameters(body: &[u8]) -> String {
    let body = String::from_utf8_lossy(body);
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for pair in body.trim().split('&').filter(|p| !p.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let values = all.entry(encoded::form(name)).or_default();
        values.insert(encoded::form(value));
    }
    let mut out = String::new();
    for (name, values) in &all {
        for value in values {
            out.push_str(name);
            out.push_str(value);
        }
    }
    out
}

/// The address as it is, and with and without the port that its scheme implies: Twilio signs now
/// one, now the other.
fn spellings(url: &str) -> Vec<String> {
    let mut out = vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else {
        return out;
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let implied = match scheme {
        "https" => ":443",
        _ => ":80",
    };
    let numbered = host
        .rsplit_once(':')
        .is_some_and(|(_, p)| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()));
    match host.strip_suffix(implied) {
        Some(plain) => out.push(format!("{scheme}://{plain}{path}")),
        None if !numbered => out.push(format!("{scheme}://{host}{implied}{path}")),
        None => {}
    }
    out
}
