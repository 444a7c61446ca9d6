//! Microsoft Graph signs nothing: every notification carries the word that was agreed with its
//! subscription, `clientState`. The handshake carries none and is answered all the same: it holds no
//! records, however often it comes.

use callboard_sources::teams::notify;
use serde::Deserialize;

use super::is_one;
use crate::doors::secret::Secret;

/// As much of a batch as needs to be known.
#[derive(Deserialize)]
struct Batch {
    value: Vec<Notification>,
}

#[derive(Deserialize)]
struct Notification {
    #[serde(rename = "clientState", default)]
    word: String,
}

/// Whether it is the handshake, or a batch of which every notification carries one of the secrets.
pub fn is_agreed(secrets: &[Secret], query: &str, body: &[u8]) -> bool {
    if notify::handshake(query).is_some() {
        return true;
    }
    let Ok(batch) = serde_json::from_slice::<Batch>(body) else {
        return false;
    };
    !batch.value.is_empty()
        && batch
            .value
            .iter()
            .fold(true, |all, n| is_one(secrets, n.word.as_bytes()) & all)
}
