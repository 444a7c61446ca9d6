//! What a thing is, by the names of its fields. Only these are read here, not what they hold.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Feed;

/// The fields of an object, their values as they stand.
#[derive(Debug)]
pub(super) struct Fields<'a>(Vec<(String, &'a RawValue)>);

/// More fields than any of the platform's documents has are not looked at.
const MOST_FIELDS: usize = 1_000;

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Of;
        impl<'de> Visitor<'de> for Of {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while fields.len() < MOST_FIELDS {
                    match map.next_entry()? {
                        Some(field) => fields.push(field),
                        None => return Ok(Fields(fields)),
                    }
                }
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Of)
    }
}

impl<'a> Fields<'a> {
    /// A field, in any case; null is none.
    pub fn raw(&self, name: &str) -> Option<&'a RawValue> {
        let found = self.0.iter().find(|(k, _)| k.eq_ignore_ascii_case(name));
        found.map(|(_, v)| *v).filter(|v| v.get() != "null")
    }

    /// Whether there is one.
    pub fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// A field that is text.
    pub fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.raw(name)?.get()).ok()
    }

    /// A field that is text, in small letters; empty without it.
    fn word(&self, name: &str) -> String {
        self.text(name).unwrap_or_default().to_ascii_lowercase()
    }
}

/// The feed; `None` when it is nothing that Amazon Connect is known to write.
pub(super) fn feed(fields: &Fields<'_>) -> Option<Feed> {
    let has = |name| fields.has(name);
    if has("detail-type") || (has("detail") && has("source")) {
        return Some(envelope(&fields.word("detail-type")));
    }
    if has("AgentARN") && has("EventType") {
        return Some(Feed::AgentEvent);
    }
    if has("AWSContactTraceRecordFormatVersion")
        || (has("ContactId") && has("InitiationMethod") && !has("EventType"))
    {
        return Some(Feed::ContactRecord);
    }
    if has("ContactFlowId") && has("ContactId") {
        return Some(Feed::FlowLog);
    }
    if has("evaluationId") && has("metadata") {
        return Some(Feed::Evaluation);
    }
    if has("MetricInterval") && has("Collections") {
        return Some(Feed::Figures);
    }
    if has("campaign_event_id") || has("campaignEventId") {
        return Some(Feed::Campaign);
    }
    if has("Transcript") {
        let analysed = ["JobStatus", "ConversationCharacteristics", "Categories"];
        return Some(if analysed.into_iter().any(has) {
            Feed::Lens
        } else {
            Feed::Chat
        });
    }
    if has("JobStatus") && has("Channel") {
        return Some(Feed::Lens);
    }
    if has("EventType") && has("ContactId") {
        // Both feeds have an event COMPLETED; only one names the instance by its id alone.
        let live = has("Segments") || has("LanguageCode") || has("InstanceId");
        return Some(if live {
            Feed::LensLive
        } else {
            Feed::ContactEvent
        });
    }
    if has("AbsoluteTime") && has("ContactId") {
        return Some(Feed::Chat);
    }
    None
}

/// The feed of an event in an envelope, by its kind in small letters. Newer ones call the product
/// otherwise, so only the end of the name counts.
fn envelope(kind: &str) -> Feed {
    if kind.ends_with("contact event") {
        Feed::ContactEvent
    } else if kind.ends_with("rules matched") {
        Feed::Rules
    } else if kind.ends_with("analysis state change") {
        Feed::LensState
    } else if kind.starts_with("screen recording") {
        Feed::ScreenRecording
    } else if kind.contains("contact lens realtime") && kind.contains("segment") {
        Feed::LensLive
    } else {
        Feed::Other
    }
}
