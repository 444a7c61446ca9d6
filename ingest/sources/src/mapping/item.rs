//! From what is sent to records: items found, their events made whole and grouped by what they speak
//! of.
//!
//! A record holds the item and the events that were made of it, `{"mapping", "item", "events"}`, so
//! that what it says never depends on a mapping file again. An item that speaks of several things
//! (a contact and an agent) becomes a record of each.

use std::sync::Arc;

use callboard_model::cloudevents;
use callboard_model::ids::PlatformId;
use callboard_model::record::{MAX_RECORD_BYTES, Record, RouteKey, Stamp};
use chrono_tz::Tz;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::file::Format;
use super::jq::Stop;
use super::left::{LeftOut, NO_ITEMS};
use super::program::Mapping;
use super::{FORMAT, rows};
use crate::adapter::Declared;
use crate::lines::{NewLine, NewRecord};
use crate::payload::{self, Piece, documents, fingerprint, sha256};

/// Fields of the data that name what ids of the system name.
const IDS: &[&str] = &[
    "contact_id",
    "other_id",
    "recording_id",
    "survey_id",
    "note_id",
];

/// An item, or what cannot be one: class, reason, bytes.
pub type Found = Result<Vec<u8>, (&'static str, String, Vec<u8>)>;

/// What was sent, taken apart.
#[derive(Debug, Default)]
pub(super) struct Parted {
    /// Items, and what cannot be one.
    pub items: Vec<Found>,
    /// What `items` takes nothing of.
    pub left_out: LeftOut,
}

/// What came of an item.
#[derive(Debug, PartialEq)]
pub struct Mapped {
    /// What it is known by; empty = its bytes.
    pub id: String,
    /// Its events, whole.
    pub events: Vec<Value>,
}

impl Mapping {
    /// The items in what was sent. Where it holds rows and none of them is an item, one dead letter
    /// says so.
    pub fn items(&self, bytes: &[u8], declared: &Declared) -> Vec<Found> {
        self.parts(bytes, declared).items
    }

    /// The items in what was sent, and what is left out.
    pub(super) fn parts(&self, bytes: &[u8], declared: &Declared) -> Parted {
        let mut out = Parted::default();
        if self.file.format == Format::Csv {
            for row in rows::read(bytes, &self.file.csv) {
                self.within(row, declared, &mut out);
            }
        } else {
            for piece in documents(bytes) {
                let document = match piece {
                    Piece::Json(raw) => Ok(raw.get().as_bytes().to_vec()),
                    Piece::Broken(part, reason) => Err(("not_json", reason, part.to_vec())),
                };
                self.within(document, declared, &mut out);
            }
        }
        // One for all that was sent at once: a word for each row would say no more.
        let left = &out.left_out;
        if left.count > 0 && !self.file.mixed && !out.items.iter().any(Result::is_ok) {
            let reason = left.reason();
            out.items.push(Err((NO_ITEMS, reason, bytes.to_vec())));
        }
        out
    }

    fn within(&self, document: Found, declared: &Declared, out: &mut Parted) {
        let bytes = match document {
            Ok(bytes) => bytes,
            Err(refused) => return out.items.push(Err(refused)),
        };
        let Some((items, stop)) = self.items_of(&bytes, self.zone(&declared.zone)) else {
            return out.items.push(Ok(bytes));
        };
        let none = items.is_empty();
        out.items.extend(items.into_iter().map(Ok));
        match stop {
            Some(stop) => {
                let refused = (class(&stop), format!("items: {stop}"), bytes);
                out.items.push(Err(refused));
            }
            None if !none => {}
            None if self.file.format == Format::Csv => out.left_out.row(&bytes),
            None => out.left_out.document(&bytes),
        }
    }

    /// The events of an item, whole, each read once as they will be read.
    ///
    /// # Errors
    /// Class and reason of its refusal.
    pub fn map(&self, item: &[u8], declared: &Declared) -> Result<Mapped, (&'static str, String)> {
        let zone = self.zone(&declared.zone);
        let told = self
            .tell(item, zone)
            .map_err(|e| (class(&e), e.to_string()))?;
        let source = self.source(&declared.instance);
        let mut events = Vec::with_capacity(told.events.len());
        for (number, (rule, event)) in told.events.into_iter().enumerate() {
            let id = match told.id.as_str() {
                "" => format!("{}/{number}", fingerprint(item)),
                id => format!("{}/{number}", shortened(id)),
            };
            events.push(self.whole(rule, event, &source, &id, declared));
        }
        let mapped = Mapped {
            id: told.id,
            events,
        };
        for (n, event) in (1..).zip(&mapped.events) {
            let record = virtual_record(&source, "", 0, event.to_string().into_bytes());
            cloudevents::read(&record).map_err(|refusal| {
                let kind = event["type"].as_str().unwrap_or("");
                (
                    "mapped_event",
                    format!("event {n} of the item ({kind}): {}", refusal.reason),
                )
            })?;
        }
        Ok(mapped)
    }

    fn source(&self, instance: &str) -> String {
        match instance {
            "" => format!("/{}", self.file.platform),
            _ => format!("/{}/{instance}", self.file.platform),
        }
    }

    /// An event with all that our own events have.
    fn whole(
        &self,
        rule: usize,
        mut event: Value,
        source: &str,
        id: &str,
        declared: &Declared,
    ) -> Value {
        let mut out = Map::new();
        let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
        put("specversion", "1.0".into());
        put("id", id.into());
        put("source", source.into());
        if let Some(rule) = self.rule(rule) {
            put("type", rule.kind.as_str().into());
            if let Some(rank) = rule.rank {
                put("rank", rank.into());
            }
            if let Some(precision) = rule.precision {
                put("precision", precision.into());
            }
        }
        for name in ["time", "recordedtime"] {
            if let Some(value) = event
                .get_mut(name)
                .map(Value::take)
                .filter(|v| !v.is_null())
            {
                put(name, value);
            }
        }
        let mut data = event.get_mut("data").map(Value::take).unwrap_or_default();
        without_null(&mut data);
        for name in IDS {
            if let Some(id) = data.get_mut(*name)
                && let Some(native) = id.as_str().filter(|n| !n.is_empty())
            {
                let whole = PlatformId::new(&self.file.platform, &declared.instance, native);
                *id = whole.contact_id().into();
            }
        }
        put("data", data);
        Value::Object(out)
    }

    /// The records of an item, or the dead letter that it is.
    pub fn records(&self, item: &[u8], declared: &Declared) -> Vec<NewLine> {
        let source = self.source(&declared.instance);
        let mapped = match self.map(item, declared) {
            Ok(mapped) => mapped,
            Err((class, reason)) => return vec![payload::dead(&source, class, reason, item)],
        };
        let version = fingerprint(&[item, self.hash.as_bytes()].concat());
        let id = match mapped.id.as_str() {
            "" => version,
            id => format!("{}@{version}", shortened(id)),
        };
        let mut out = Vec::new();
        for (n, events) in grouped(&source, mapped.events).into_iter().enumerate() {
            let id = match n {
                0 => id.clone(),
                n => format!("{id}/{n}"),
            };
            out.push(self.record(&source, id, item, &events, declared));
        }
        out
    }

    fn record(
        &self,
        source: &str,
        id: String,
        item: &[u8],
        events: &[Value],
        declared: &Declared,
    ) -> NewLine {
        let raw = std::str::from_utf8(item).ok();
        let raw: Option<&RawValue> = raw.and_then(|text| serde_json::from_str(text).ok());
        let bytes = serde_json::to_vec(&Kept {
            mapping: json!({
                "name": self.file.name, "version": self.file.version, "hash": self.hash,
            }),
            item: raw,
            events,
        });
        let bytes = bytes.unwrap_or_default();
        if bytes.len() > MAX_RECORD_BYTES {
            let reason = format!(
                "the item and its events have {} bytes; a record has at most {MAX_RECORD_BYTES}",
                bytes.len()
            );
            return payload::dead(source, "too_long", reason, item);
        }
        NewLine::Record(NewRecord {
            source: source.into(),
            id,
            format: FORMAT,
            stamp: Stamp {
                instance: declared.instance.clone(),
                zone: declared.zone.clone(),
                sequence: u64::from(self.file.version),
                ..Stamp::default()
            },
            bytes,
        })
    }
}

#[derive(serde::Serialize)]
struct Kept<'a> {
    mapping: Value,
    item: Option<&'a RawValue>,
    events: &'a [Value],
}

/// A record that stands for one event of an item.
pub(super) fn virtual_record(source: &str, id: &str, sequence: u64, bytes: Vec<u8>) -> Record {
    Record {
        source: source.into(),
        id: id.into(),
        format: crate::registry::EVENT.into(),
        received_at: 0,
        stamp: Arc::new(Stamp {
            sequence,
            ..Stamp::default()
        }),
        bytes: bytes.into(),
    }
}

/// Events by what they speak of, in the order of the first of each; nothing = one record that says
/// nothing.
fn grouped(source: &str, events: Vec<Value>) -> Vec<Vec<Value>> {
    let mut groups: Vec<(Vec<RouteKey>, Vec<Value>)> = Vec::new();
    for event in events {
        let record = virtual_record(source, "", 0, event.to_string().into_bytes());
        let keys = cloudevents::read(&record)
            .map(|r| r.keys)
            .unwrap_or_default();
        match groups.iter_mut().find(|(known, _)| *known == keys) {
            Some((_, all)) => all.push(event),
            None => groups.push((keys, vec![event])),
        }
    }
    match groups.is_empty() {
        true => vec![Vec::new()],
        false => groups.into_iter().map(|(_, all)| all).collect(),
    }
}

/// Classes of dead letters of mappings.
pub(super) fn class(stop: &Stop) -> &'static str {
    match stop {
        Stop::Error(_) => "mapping_error",
        Stop::Steps(_) | Stop::TooMuch(_) => "mapping_limit",
    }
}

/// An identity that leaves room for what is put behind it.
fn shortened(id: &str) -> String {
    match id.len() {
        0..=400 => id
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect(),
        _ => sha256(id.as_bytes()),
    }
}

/// Takes out what says nothing.
fn without_null(value: &mut Value) {
    if let Value::Object(fields) = value {
        fields.retain(|_, v| !v.is_null());
        fields.values_mut().for_each(without_null);
        fields.retain(|_, v| !matches!(v, Value::Object(f) if f.is_empty()));
    }
}

/// The zone in which an item's times without one are.
pub fn zone_of(mapping: &Mapping, declared: &Declared) -> Tz {
    mapping.zone(&declared.zone)
}
