//! What an object or an answer says of itself: its columns, its identity, its tenant.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::feed::Feed;
use super::read::{clean, id, list, plain, says_nothing};

/// Members of an object, each as its bytes.
pub type Object<'a> = BTreeMap<String, &'a RawValue>;

/// The names that a query asked for, from the query that its sender put beside the answer.
pub fn asked(map: &Object<'_>) -> Option<Vec<String>> {
    let query = ["query", "Query", "request"]
        .iter()
        .find_map(|n| map.get(*n));
    let query: Value = match query {
        Some(raw) => match serde_json::from_str(raw.get()).ok()? {
            Value::String(text) => serde_json::from_str(&text).ok()?,
            other => other,
        },
        None => Value::Object(
            map.iter()
                .filter(|(k, _)| *k != "dataResult")
                .filter_map(|(k, v)| Some((k.clone(), serde_json::from_str(v.get()).ok()?)))
                .collect(),
        ),
    };
    let mut names = Vec::new();
    for part in ["Dimensions", "Measurements", "columns"] {
        for item in list(&query, part).take(500) {
            let name = item.as_str().map(str::to_owned);
            names.push(name.or_else(|| super::read::text(item, "DataModelName"))?);
        }
    }
    (!names.is_empty()).then_some(names)
}

/// The platform's own identity of an object, as far as it has one.
pub fn natural_id(feed: Feed, map: &Object<'_>) -> String {
    let of = |names: &[&str]| {
        let found = map.iter().find(|(k, _)| names.contains(&plain(k).as_str()));
        found.and_then(|(k, _)| scalar(map, k))
    };
    let native = if feed.is_voice() {
        of(&["documentid"])
    } else {
        of(&["id"])
    };
    let native = match feed {
        // Its letters' case tells it from others.
        Feed::Recording => native.map(|t| clean(&t)),
        _ => native.and_then(|t| id(&t)),
    };
    let native = native.unwrap_or_default();
    match (feed, of(&["version"])) {
        (Feed::CallRecord, Some(version)) => format!("{native}/{}", clean(&version)),
        _ => native,
    }
}

/// A member's scalar as text, unless it says nothing.
pub fn scalar(map: &Object<'_>, name: &str) -> Option<String> {
    let value: Value = serde_json::from_str(map.get(name)?.get()).ok()?;
    super::read::scalar(&value).filter(|t| !says_nothing(t))
}

/// The first tenant that the bytes name.
pub fn tenant_of(text: &str, columns: &[String]) -> String {
    if text.starts_with('[') {
        let place = columns
            .iter()
            .position(|c| c.eq_ignore_ascii_case("TenantId"));
        let values: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
        let value = place
            .and_then(|n| values.get(n))
            .and_then(super::read::scalar);
        return value.and_then(|t| id(&t)).unwrap_or_default();
    }
    // Anywhere: a row has it as a member, a call record in the identities of its organisers.
    for name in ["\"tenantId\"", "\"TenantId\""] {
        let value = text.split(name).skip(1).find_map(|after| {
            let after = after.trim_start().strip_prefix(':')?.trim_start();
            let (value, _) = after.strip_prefix('"')?.split_once('"')?;
            id(value)
        });
        if let Some(value) = value {
            return value;
        }
    }
    String::new()
}
