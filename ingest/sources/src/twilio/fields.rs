//! The fields of a call-back or event under one spelling: `TaskSid` of a form, `task_sid` of an
//! event list or stream are both `tasksid`.

use std::collections::BTreeMap;

use callboard_model::record::{Record, Refusal};
use serde_json::Value;

use crate::payload::encoded;
use crate::payload::value::{as_text, field, read_time};

/// Fields of one record.
#[derive(Debug, Default)]
pub(super) struct Fields(BTreeMap<String, String>);

/// A name without regard to case and underscores.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_ascii_alphanumeric());
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

impl Fields {
    /// Reads a record.
    pub(super) fn of(record: &Record) -> Result<Fields, Refusal> {
        let text = std::str::from_utf8(&record.bytes)
            .map_err(|e| Refusal::new("invalid_utf8", format!("not UTF-8: {e}")))?;
        if text.trim_start().starts_with('{') {
            let v = serde_json::from_str(text)
                .map_err(|e| Refusal::new("not_json", format!("the record is no JSON: {e}")))?;
            return Ok(Fields::of_json(&v));
        }
        Ok(Fields::of_form(text))
    }

    /// A form. Of a name that is repeated the last value counts.
    pub(super) fn of_form(text: &str) -> Fields {
        let pairs = text.trim().split('&').filter_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((plain(&encoded::form(name)), encoded::form(value)))
        });
        Fields(pairs.collect())
    }

    /// An event of the event list or of Event Streams, with what it wraps laid flat; what lies
    /// deeper wins.
    pub(super) fn of_json(v: &Value) -> Fields {
        let mut all = BTreeMap::new();
        let data = field(v, "data");
        let parts = [
            Some(v),
            data,
            field(v, "event_data"),
            data.and_then(|d| field(d, "payload")),
        ];
        for part in parts.into_iter().flatten() {
            let Some(map) = part.as_object() else {
                continue;
            };
            for (name, value) in map {
                let value = match value {
                    Value::String(s) => Some(s.clone()),
                    // Attributes are JSON in a text; where they are JSON plainly, they become it.
                    Value::Object(_) if name.ends_with("ttributes") => Some(value.to_string()),
                    other => as_text(other),
                };
                if let Some(value) = value {
                    all.insert(plain(name), value);
                }
            }
        }
        // Streams name the event by its type, `com.twilio.taskrouter.reservation.created`.
        let stream = field(v, "type").and_then(as_text).unwrap_or_default();
        if let Some(name) = stream.strip_prefix("com.twilio.taskrouter.") {
            all.entry("eventtype".to_owned())
                .or_insert_with(|| name.to_owned());
        }
        Fields(all)
    }

    /// A field, empty where it is not there; the text of its record unchanged but for the ends.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |v| v.trim())
    }

    /// The first of several that is there.
    pub(super) fn first(&self, names: &[&str]) -> &str {
        let mut all = names.iter().map(|n| self.get(n));
        all.find(|v| !v.is_empty()).unwrap_or("")
    }

    /// A whole number of at least 0.
    pub(super) fn int(&self, name: &str) -> Option<i64> {
        let n: f64 = self.get(name).parse().ok()?;
        (0.0..1e12).contains(&n).then_some(n as i64)
    }

    /// When it was; of a task's event in milliseconds where it says so.
    pub(super) fn at(&self) -> Option<(i64, u32)> {
        [
            "timestampms",
            "eventdatems",
            "timestamp",
            "eventdate",
            "time",
        ]
        .iter()
        .find_map(|name| read_time(self.get(name)))
    }

    /// A JSON text as a value.
    pub(super) fn json(&self, name: &str) -> Value {
        serde_json::from_str(self.get(name)).unwrap_or(Value::Null)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_and_events_have_one_spelling() {
        let form = Fields::of_form(
            "EventType=task.created&TaskSid=WT1&TaskAttributes=%7B%22a%22%3A%22%C3%A4+b%22%7D&x=%zz%4",
        );
        assert_eq!(form.get("tasksid"), "WT1");
        assert_eq!(form.json("taskattributes")["a"], "ä b");
        assert_eq!(form.get("x"), "%zz%4");
        let list = serde_json::json!({"event_type": "task.created", "event_data": {"task_sid": "WT1", "task_age": "80802"}});
        let list = Fields::of_json(&list);
        assert_eq!(
            (
                list.get("eventtype"),
                list.get("tasksid"),
                list.int("taskage")
            ),
            ("task.created", "WT1", Some(80_802))
        );
        let stream = serde_json::json!({"type": "com.twilio.taskrouter.task.created", "time": "2026-03-02T09:15:00Z", "data": {"payload": {"task_sid": "WT1", "timestamp": null}}});
        let stream = Fields::of_json(&stream);
        assert_eq!(
            (stream.get("eventtype"), stream.at()),
            ("task.created", Some((1_772_442_900_000_000, 1_000_000)))
        );
    }
}
