//! `X-Hub-Signature-256: sha256=…`: HMAC-SHA256 of the body under the secret, in base64 as Genesys
//! Open Messaging writes it, or in hex as others do.

use axum::http::HeaderMap;
use ring::hmac;

use super::{signature, text};
use crate::doors::secret::Secret;

/// The header.
pub const HEADER: &str = "x-hub-signature-256";

/// Whether the signature is that of the body under one of the secrets.
pub fn is_signed(secrets: &[Secret], headers: &HeaderMap, body: &[u8]) -> bool {
    let given = text(headers, HEADER).and_then(|v| v.trim().strip_prefix("sha256="));
    let Some(given) = given.and_then(|g| hex(g).or_else(|| signature(g))) else {
        return false;
    };
    secrets.iter().fold(false, |any, secret| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.bytes());
        hmac::verify(&key, body, &given).is_ok() | any
    })
}

/// 32 bytes in hex; base64 of 32 bytes is shorter.
fn hex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let digits = text.as_bytes().chunks_exact(2);
    digits
        .map(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok())
        .collect()
}
