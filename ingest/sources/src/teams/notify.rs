//! Graph's change notifications: the handshake by which an address is proven, and the batches that
//! follow. A notification names a call record and says nothing of it: whoever receives it fetches
//! the record and sends that.

use serde_json::Value;

use super::read::{list, text};
use crate::payload::encoded;

/// What a request to the notification address is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Graph asks whether the address is ours: answer 200 with this text as `text/plain`, within
    /// 10 seconds.
    Handshake(String),
    /// Notifications: store them and answer 202 within 3 seconds.
    Batch(Vec<Named>),
    /// Something else.
    Other,
}

/// One notification.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Subscription.
    pub subscription: String,
    /// created, updated, deleted; or what happened to the subscription: missed,
    /// subscriptionRemoved, reauthorizationRequired.
    pub change: String,
    /// What to fetch, e.g. `communications/callRecords('ID')`.
    pub resource: String,
    /// Id of what changed.
    pub id: String,
    /// Tenant.
    pub tenant: String,
    /// The secret word that was agreed with the subscription.
    pub client_state: String,
}

/// What a request is, by its query string (without `?`) and its body.
pub fn call(query: &str, body: &[u8]) -> Call {
    if let Some(token) = handshake(query) {
        return Call::Handshake(token);
    }
    let named = batch(body);
    if named.is_empty() {
        Call::Other
    } else {
        Call::Batch(named)
    }
}

/// The text with which a handshake is answered, if the query string is one: the token, decoded.
pub fn handshake(query: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.eq_ignore_ascii_case("validationToken")
            .then(|| encoded::form(value))
            .filter(|t| !t.is_empty())
    })
}

/// The notifications of a body; none when it is no batch.
pub fn batch(body: &[u8]) -> Vec<Named> {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return Vec::new();
    };
    list(&value, "value").filter_map(one).collect()
}

/// Whether every notification of a batch carries the secret word of its subscription. The
/// comparison takes the same time wherever the first difference lies.
pub fn is_agreed(batch: &[Named], secret: &str) -> bool {
    let same = |given: &str| {
        let differs = given
            .bytes()
            .zip(secret.bytes())
            .fold(0, |d, (a, b)| d | (a ^ b));
        differs == 0 && given.len() == secret.len()
    };
    !batch.is_empty()
        && batch
            .iter()
            .fold(true, |all, n| same(&n.client_state) & all)
}

fn one(value: &Value) -> Option<Named> {
    let word = |name| text(value, name).unwrap_or_default();
    let data = super::read::member(value, "resourceData");
    let id = data.and_then(|d| text(d, "id")).unwrap_or_default();
    let named = Named {
        subscription: word("subscriptionId"),
        change: match word("changeType") {
            change if change.is_empty() => word("lifecycleEvent"),
            change => change,
        },
        resource: word("resource"),
        id,
        tenant: match word("tenantId") {
            tenant if tenant.is_empty() => word("organizationId"),
            tenant => tenant,
        },
        client_state: word("clientState"),
    };
    (!named.subscription.is_empty()).then_some(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_is_answered_with_its_token_decoded() {
        let query = "validationToken=Validation%3A+Testing%20client%2Fapp+%C3%A4&x=1";
        let token = "Validation: Testing client/app ä".to_owned();
        assert_eq!(call(query, b""), Call::Handshake(token));
        assert_eq!(call("x=1", b"{}"), Call::Other);
        assert_eq!(handshake("validationToken=%zz%4"), Some("%zz%4".to_owned()));
    }

    #[test]
    fn every_notification_has_to_carry_the_word() {
        let body = br#"{"value":[{"subscriptionId":"s","clientState":"w1"},{"subscriptionId":"s","clientState":"w2"}]}"#;
        let batch = batch(body);
        assert_eq!(batch.len(), 2);
        assert!(!is_agreed(&batch, "w1"));
        assert!(is_agreed(&batch[..1], "w1"));
        assert!(!is_agreed(&batch[..1], "w"));
        assert!(!is_agreed(&[], ""));
    }
}
