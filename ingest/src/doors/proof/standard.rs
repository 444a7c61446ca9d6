//! Standard Webhooks: HMAC-SHA256 of `id.timestamp.body` under a key that is written in base64 after
//! `whsec_`. The header may hold several signatures, while a key is replaced.

use std::time::Duration;

use axum::http::HeaderMap;
use callboard_sources::payload::encoded;
use ring::hmac;

use super::{Scheme, missing, signature, text, unproven};
use crate::doors::problem::Problem;
use crate::doors::secret::Secret;

/// Most signatures of one request that are looked at.
const MOST: usize = 16;

/// Whether the signed time is near ours (`now`, UTC microseconds); what is sent again later than
/// that is refused, whoever sends it.
///
/// # Errors
/// 401 when a header is missing, the time is none, or it is further away than `window`.
pub fn fresh(headers: &HeaderMap, window: Duration, now: i64) -> Result<(), Problem> {
    let all = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    if all.iter().any(|name| !headers.contains_key(*name)) {
        return Err(missing(Scheme::StandardWebhooks));
    }
    let said = text(headers, "webhook-timestamp").and_then(|t| t.trim().parse::<i64>().ok());
    let Some(said) = said else {
        return Err(unproven(
            "bad_signature",
            "webhook-timestamp is no number of seconds since 1970",
        ));
    };
    let age = now.div_euclid(1_000_000).saturating_sub(said);
    if age.unsigned_abs() <= window.as_secs() {
        return Ok(());
    }
    Err(match age > 0 {
        true => unproven(
            "too_old",
            format!(
                "webhook-timestamp is {age} s old, and {} s are allowed: sign anew when sending \
                 again, and look whether both clocks are right",
                window.as_secs()
            ),
        ),
        false => unproven(
            "too_new",
            format!(
                "webhook-timestamp is {} s ahead of this server's clock; look whether both are right",
                age.unsigned_abs()
            ),
        ),
    })
}

/// Whether a secret is written as a key of this scheme.
pub fn is_key(secret: &Secret) -> bool {
    key(secret.text()).is_some()
}

/// The key of a secret, if it is written as one.
fn key(secret: &str) -> Option<Vec<u8>> {
    let text = secret.strip_prefix("whsec_").unwrap_or(secret);
    encoded::base64(text).filter(|key| key.len() >= 8)
}

/// Whether one of the signatures is that of the body under one of the secrets.
pub fn is_signed(secrets: &[Secret], headers: &HeaderMap, body: &[u8]) -> bool {
    let of = |name| text(headers, name).unwrap_or_default();
    let mut message = format!("{}.{}.", of("webhook-id"), of("webhook-timestamp")).into_bytes();
    message.extend_from_slice(body);
    let given: Vec<Vec<u8>> = of("webhook-signature")
        .split(' ')
        // Other versions are for others to check.
        .filter_map(|one| signature(one.strip_prefix("v1,")?))
        .take(MOST)
        .collect();
    secrets
        .iter()
        .filter_map(|s| key(s.text()))
        .fold(false, |any, key| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
            given.iter().fold(any, |any, one| {
                hmac::verify(&key, &message, one).is_ok() | any
            })
        })
}
