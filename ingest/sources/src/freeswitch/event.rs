//! One event or call record: its headers by name, whether they came as text or as JSON.

use std::collections::BTreeMap;

use callboard_model::record::{Record, Refusal};
use serde_json::Value;

use super::CDR;
use crate::payload::encoded;
use crate::payload::value::{as_text, epoch, field};

/// The headers of an event, or the variables of a call record.
#[derive(Debug, Default)]
pub(super) struct Event(BTreeMap<String, String>);

impl Event {
    /// Reads a record.
    pub(super) fn of(record: &Record) -> Result<Event, Refusal> {
        let text = std::str::from_utf8(&record.bytes)
            .map_err(|e| Refusal::new("invalid_utf8", format!("not UTF-8: {e}")))?;
        if !text.trim_start().starts_with('{') {
            return Ok(Event::of_text(text));
        }
        let v: Value = serde_json::from_str(text)
            .map_err(|e| Refusal::new("not_json", format!("the record is no JSON: {e}")))?;
        Ok(match &*record.format == CDR {
            true => Event::of_cdr(&v),
            false => Event::of_json(&v),
        })
    }

    /// Lines `Name: Value`, values with percent signs.
    pub(super) fn of_text(text: &str) -> Event {
        let lines = text.lines().filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((
                name.trim().to_ascii_lowercase(),
                encoded::percent(value.trim()),
            ))
        });
        Event(lines.collect())
    }

    /// An object of headers.
    pub(super) fn of_json(v: &Value) -> Event {
        let all = v.as_object().into_iter().flatten();
        Event(
            all.filter_map(|(name, value)| Some((name.to_ascii_lowercase(), as_text(value)?)))
                .collect(),
        )
    }

    /// The variables of a call record, and the caller of its first part.
    pub(super) fn of_cdr(v: &Value) -> Event {
        let mut all = BTreeMap::new();
        let first = match field(v, "callflow") {
            Some(Value::Array(all)) => all.first(),
            Some(one) => Some(one),
            None => None,
        };
        let caller = first.and_then(|part| field(part, "caller_profile"));
        for part in [Some(v), caller, field(v, "variables")]
            .into_iter()
            .flatten()
        {
            for (name, value) in part.as_object().into_iter().flatten() {
                if let Some(value) = as_text(value) {
                    all.insert(name.to_ascii_lowercase(), encoded::percent(&value));
                }
            }
        }
        Event(all)
    }

    /// A header, empty where it is not there.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0
            .get(&name.to_ascii_lowercase())
            .map_or("", |v| v.trim())
    }

    /// The subclass of a custom event, else its name.
    pub(super) fn name(&self) -> &str {
        match self.get("Event-Subclass") {
            "" => self.get("Event-Name"),
            subclass => subclass,
        }
    }

    /// A whole number of at least 0.
    pub(super) fn int(&self, name: &str) -> Option<i64> {
        let n: f64 = self.get(name).parse().ok()?;
        (0.0..1e12).contains(&n).then_some(n as i64)
    }

    /// When the event was, UTC microseconds and precision.
    pub(super) fn at(&self) -> Option<(i64, u32)> {
        self.time("Event-Date-Timestamp")
    }

    /// A header that is a time since 1970; 0 is none.
    pub(super) fn time(&self, name: &str) -> Option<(i64, u32)> {
        epoch(self.get(name).parse().ok()?)
    }
}
