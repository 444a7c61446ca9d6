//! What a manager or ARI event is known by: what it says, not when one of its listeners heard it
//! nor how that listener spells JSON.
//!
//! Two clients of one Asterisk hear the same event at different times, and a capture of one of them
//! may be read later to fill the other's gap. So an event that has a time of its own is kept without
//! its listener's `recv`, its members in their order and without space between them: the same event
//! is then the same record, whoever captured it. An event without a time of its own (the answers to
//! QueueStatus, FullyBooted; every event where `timestampevents` is off) has nothing but `recv` to be
//! placed by, and keeps it: two captures of it are two records.

use std::fmt;

use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::Number;

use crate::asterisk::Feed;

/// The event as it is kept; `None` when the line is no JSON object, or of another feed.
pub(super) fn plain(feed: Feed, line: &[u8]) -> Option<Vec<u8>> {
    let own = match feed {
        Feed::Ami => "Timestamp",
        Feed::Ari => "timestamp",
        _ => return None,
    };
    let Json::Object(mut members) = serde_json::from_slice(line).ok()? else {
        return None;
    };
    let has_time = members
        .iter()
        .any(|(name, v)| name == own && matches!(v, Json::Text(t) if !t.is_empty()));
    if has_time {
        members.retain(|(name, _)| name != "recv");
    }
    serde_json::to_vec(&Json::Object(members)).ok()
}

/// JSON whose members keep their order.
enum Json {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null => to.serialize_unit(),
            Json::Bool(v) => to.serialize_bool(*v),
            Json::Number(v) => v.serialize(to),
            Json::Text(v) => to.serialize_str(v),
            Json::List(v) => to.collect_seq(v),
            Json::Object(members) => {
                let mut map = to.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Json;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Null)
            }
            fn visit_bool<E>(self, v: bool) -> Result<Json, E> {
                Ok(Json::Bool(v))
            }
            fn visit_i64<E>(self, v: i64) -> Result<Json, E> {
                Ok(Json::Number(v.into()))
            }
            fn visit_u64<E>(self, v: u64) -> Result<Json, E> {
                Ok(Json::Number(v.into()))
            }
            fn visit_f64<E: Error>(self, v: f64) -> Result<Json, E> {
                let number = Number::from_f64(v);
                number
                    .map(Json::Number)
                    .ok_or_else(|| E::custom("no number"))
            }
            fn visit_str<E>(self, v: &str) -> Result<Json, E> {
                Ok(Json::Text(v.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
                let mut list = Vec::new();
                while let Some(one) = seq.next_element()? {
                    list.push(one);
                }
                Ok(Json::List(list))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
                let mut members = Vec::with_capacity(32);
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Json::Object(members))
            }
        }
        from.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(feed: Feed, line: &str) -> String {
        String::from_utf8(plain(feed, line.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn two_listeners_of_one_event_keep_the_same() {
        let theirs = r#"{"recv": "2026-11-21T09:39:03.9Z", "Event": "Hold", "Timestamp": "1795253943.9", "N": "Zo\u00eb", "L": ["b", "a"]}"#;
        let ours = r#"{"Event":"Hold","Timestamp":"1795253943.9","N":"Zoë","L":["b","a"]}"#;
        assert_eq!(text(Feed::Ami, theirs), ours);
        assert_eq!(text(Feed::Ami, ours), ours);
        let ari = r#"{"type":"X", "timestamp":"2026-02-03T04:05:06.789+0100","z":{"b":1,"a":[null,true,-2.5]}, "recv":"x"}"#;
        assert_eq!(
            text(Feed::Ari, ari),
            r#"{"type":"X","timestamp":"2026-02-03T04:05:06.789+0100","z":{"b":1,"a":[null,true,-2.5]}}"#
        );
    }

    #[test]
    fn what_only_its_listener_can_place_in_time_keeps_that_time() {
        let line = r#"{"recv":"2026-11-21T09:38:56.9Z","Event":"QueueParams"}"#;
        assert_eq!(text(Feed::Ami, line), line);
        let empty = r#"{"recv":"2026-11-21T09:38:56.9Z","Event":"X","Timestamp":""}"#;
        assert_eq!(text(Feed::Ami, empty), empty);
        assert_eq!(plain(Feed::Ami, b"[1]"), None);
        assert_eq!(plain(Feed::Ami, b"{\"a\":"), None);
        assert_eq!(plain(Feed::QueueLog, b"{}"), None);
    }
}
