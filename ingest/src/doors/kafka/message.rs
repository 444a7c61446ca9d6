//! What a message means: the candidates that a request with this body would bring. CloudEvents
//! come in the binary mode of the Kafka binding (`ce_` headers), structured, batched, or as lines.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use base64::Engine as _;
use callboard_model::record::{Record, Refusal};
use callboard_sources::adapter::{Adapter, Declared, of_platform};
use callboard_sources::mapping::PREFIX;
use serde_json::{Map, Value};

use super::mapped::Mapper;
use crate::doors::binary;
use crate::doors::event::{EventReader, UNKNOWN_SOURCE, dead};
use crate::doors::intake::{Candidate, DeadInput};
use crate::doors::platform::candidate;
use crate::doors::split::{Elements, Lines, Piece};

/// Longest message that is taken apart, bytes: what becomes of one goes into the log together.
pub const MESSAGE_BYTES: usize = 8 << 20;

/// Most dead letters of one message; more share one.
const DEAD_LETTERS: usize = 1000;

/// Most bytes of key and headers that are kept with a record.
const CARRIED_BYTES: usize = 2048;
/// Records beyond which a message's key and headers are not repeated with each.
const CARRIED_RECORDS: usize = 100;

/// Source of what a mapping could not read, before it is known whose it was.
const UNMAPPED: &str = "/mapping";

/// Who reads what messages hold.
#[derive(Clone)]
pub enum Adapted {
    /// CloudEvents of ours.
    Events,
    /// A platform's documents.
    Documents(&'static dyn Adapter),
    /// What the mapping of that name tells.
    Mapping(String),
}

impl Adapted {
    /// By its name in the configuration; none when nobody of that name reads messages.
    pub fn named(name: &str) -> Option<Self> {
        let mapping = name.strip_prefix(PREFIX);
        match (name, mapping) {
            ("events", _) => Some(Adapted::Events),
            (_, Some(mapping)) => {
                (!mapping.is_empty()).then(|| Adapted::Mapping(mapping.to_owned()))
            }
            // The platform of all mappings reads nothing without the name of one.
            _ if PREFIX.strip_suffix(':') == Some(name) => None,
            _ => of_platform(name).map(Adapted::Documents),
        }
    }

    /// Its name in the configuration.
    pub fn name(&self) -> String {
        match self {
            Adapted::Events => "events".to_owned(),
            Adapted::Documents(adapter) => adapter.platform().to_owned(),
            Adapted::Mapping(name) => format!("{PREFIX}{name}"),
        }
    }
}

/// A message as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrived {
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Offset in it.
    pub offset: i64,
    /// Key.
    pub key: Option<Vec<u8>>,
    /// Headers in their order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Value; none is a tombstone.
    pub value: Option<Vec<u8>>,
    /// What kept it from being read, if anything did.
    pub broken: Option<String>,
}

impl Arrived {
    /// `topic/partition/offset`.
    pub fn place(&self) -> String {
        format!("{}/{}/{}", self.topic, self.partition, self.offset)
    }

    fn header(&self, name: &str) -> Option<String> {
        let found = self
            .headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    }

    fn is_binary(&self) -> bool {
        let names = ["ce_specversion", "ce_id"];
        self.headers
            .iter()
            .any(|(name, _)| names.contains(&name.as_str()))
    }

    /// Where it came from, its key and its headers.
    fn carried(&self, all: bool) -> BTreeMap<String, String> {
        let mut carried = BTreeMap::from([("kafka".to_owned(), self.place())]);
        let mut room = if all { CARRIED_BYTES } else { 0 };
        let key = self.key.iter().map(|key| ("key".to_owned(), key));
        let headers = self.headers.iter();
        let headers = headers.map(|(name, value)| (format!("header.{name}"), value));
        for (name, value) in key.chain(headers) {
            let text = text(value);
            // Attributes of the binary mode stand in the record itself.
            if name.starts_with("header.ce_") {
                continue;
            }
            if name.len() + text.len() > room {
                carried.insert("cut".to_owned(), "true".to_owned());
                continue;
            }
            room -= name.len() + text.len();
            carried.insert(name, text);
        }
        carried
    }
}

/// Bytes as text; what is none, in base 64.
fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => format!(
            "base64:{}",
            base64::engine::general_purpose::STANDARD.encode(bytes)
        ),
    }
}

/// Reads messages of one source.
pub struct MessageReader {
    adapter: Adapted,
    mapper: Option<Mapper>,
    declared: Declared,
    source: String,
    events: EventReader,
    limit: usize,
}

impl MessageReader {
    /// Reads messages of that source by that adapter, records up to `limit` bytes.
    pub fn new(
        name: &str,
        adapter: Adapted,
        declared: Declared,
        limit: usize,
        nesting: usize,
    ) -> Self {
        MessageReader {
            adapter,
            mapper: None,
            declared,
            source: door(name),
            events: EventReader::new(0, limit, nesting),
            limit,
        }
    }

    /// The same, with what runs its mapping.
    #[must_use]
    pub fn with_mapper(mut self, mapper: Option<Mapper>) -> Self {
        self.mapper = mapper;
        self
    }

    /// What a message received at that time (UTC microseconds) brings; nothing for one without
    /// value, by which a compacted topic says that a key is gone.
    ///
    /// # Errors
    /// When nobody can read it now, whatever it holds: no mapping, or no process to run it.
    pub fn read(&mut self, message: &Arrived, received_at: i64) -> Result<Vec<Candidate>, String> {
        self.events.received_at(received_at);
        let value = message.value.as_deref().unwrap_or_default();
        let fault = match &message.broken {
            Some(what) => Some(Refusal::new("unreadable", what.as_str())),
            None if value.len() > MESSAGE_BYTES => Some(Refusal::new(
                "too_long",
                format!(
                    "a message of {} bytes; at most {MESSAGE_BYTES}",
                    value.len()
                ),
            )),
            None => None,
        };
        let found = match fault {
            Some(refusal) => vec![Candidate::Dead(dead(&self.source, refusal, value))],
            // A fault of ours in reading one message must not keep all others from being read.
            None => catch_unwind(AssertUnwindSafe(|| self.taken_apart(message, received_at)))
                .unwrap_or_else(|_| {
                    let what = "it could not be taken apart; please report it with this message";
                    let refusal = Refusal::new("unreadable", what);
                    Ok(vec![Candidate::Dead(dead(&self.source, refusal, value))])
                })?,
        };
        Ok(self.stamped(message, found))
    }

    fn taken_apart(
        &mut self,
        message: &Arrived,
        received_at: i64,
    ) -> Result<Vec<Candidate>, String> {
        let value = message.value.as_deref().unwrap_or_default();
        let media = message.header("content-type").unwrap_or_default();
        let media = media
            .split(';')
            .next()
            .unwrap_or("")
            .trim()
            .to_ascii_lowercase();
        let structured = media.starts_with("application/cloudevents");
        let event = if message.is_binary() && !structured {
            match from_binary(message) {
                Ok(event) => Some(event),
                Err(refusal) => {
                    return Ok(vec![Candidate::Dead(dead(&self.source, refusal, value))]);
                }
            }
        } else {
            None
        };
        let bytes = event.as_deref().unwrap_or(value);
        if bytes.is_empty() {
            return Ok(Vec::new());
        }
        let lines = match &self.adapter {
            Adapted::Documents(adapter) => adapter.split(bytes, &self.declared),
            Adapted::Mapping(name) => match &self.mapper {
                Some(mapper) => mapper.split(bytes, &self.declared)?,
                None => return Err(format!("nobody runs the mapping {name}")),
            },
            Adapted::Events if event.is_some() => {
                return Ok(vec![self.events.read(Piece::Whole(bytes))]);
            }
            Adapted::Events => return Ok(self.events_in(&media, bytes)),
        };
        let each = lines.into_iter();
        Ok(each
            .map(|one| candidate(one, received_at, &mut self.events))
            .collect())
    }

    fn events_in(&mut self, media: &str, bytes: &[u8]) -> Vec<Candidate> {
        let mut found = Vec::new();
        let reader = &mut self.events;
        let lines = [
            "application/x-ndjson",
            "application/ndjson",
            "application/jsonl",
        ];
        let batch = media.starts_with("application/cloudevents-batch")
            || !media.starts_with("application/cloudevents")
                && bytes.trim_ascii_start().starts_with(b"[");
        if lines.contains(&media) {
            let mut each = |_: u64, piece: Piece<'_>| found.push(reader.read(piece));
            let mut lines = Lines::new(self.limit);
            lines.feed(bytes, &mut each);
            lines.finish(&mut each);
        } else if batch {
            let mut elements = Elements::new(self.limit);
            let mut each = |_: u64, piece: Piece<'_>| found.push(reader.read(piece));
            let fed = elements
                .feed(bytes, &mut each)
                .and_then(|()| elements.finish());
            if let Err(error) = fed {
                let refusal = Refusal::new("not_a_batch", error.to_string());
                found.push(Candidate::Dead(dead(&self.source, refusal, bytes)));
            }
        } else {
            let mut whole = Lines::new(self.limit);
            whole.one_piece();
            whole.feed(bytes, &mut |_, _| ());
            whole.finish(&mut |_, piece| found.push(reader.read(piece)));
        }
        found
    }

    /// Says with everything where it came from.
    fn stamped(&self, message: &Arrived, found: Vec<Candidate>) -> Vec<Candidate> {
        let carried = message.carried(found.len() <= CARRIED_RECORDS);
        let (mut out, mut dead_letters, mut beyond) = (Vec::with_capacity(found.len()), 0, 0);
        for one in found {
            match self.bounded(one) {
                Candidate::Record(mut record) => {
                    Arc::make_mut(&mut record.stamp).carried = carried.clone();
                    out.push(Candidate::Record(record));
                }
                Candidate::Dead(_) if dead_letters == DEAD_LETTERS => beyond += 1,
                Candidate::Dead(dead) => {
                    dead_letters += 1;
                    out.push(Candidate::Dead(self.placed(message, dead)));
                }
            }
        }
        if beyond > 0 {
            let value = message.value.as_deref().unwrap_or_default();
            let refusal = Refusal::new(
                "too_many_refused",
                format!("{beyond} more parts of this message cannot be read"),
            );
            let dead = self.placed(message, dead(&self.source, refusal, value));
            out.push(Candidate::Dead(dead));
        }
        out
    }

    /// What is beyond the bound on records is none.
    fn bounded(&self, one: Candidate) -> Candidate {
        match one {
            Candidate::Record(Record { source, bytes, .. }) if bytes.len() > self.limit => {
                let what = format!("a record of {} bytes; at most {}", bytes.len(), self.limit);
                Candidate::Dead(dead(&source, Refusal::new("too_long", what), &bytes))
            }
            other => other,
        }
    }

    fn placed(&self, message: &Arrived, mut dead: DeadInput) -> DeadInput {
        if [UNKNOWN_SOURCE, UNMAPPED].contains(&dead.source.as_str()) {
            dead.source.clone_from(&self.source);
        }
        dead.refusal.reason = placed(&dead.refusal.reason, &message.place());
        dead
    }
}

/// Source of what the source of that name brings and nobody can read.
pub fn door(name: &str) -> String {
    format!("/callboard/kafka/{name}")
}

/// A reason with the place of the message of which it is said.
pub fn placed(reason: &str, place: &str) -> String {
    format!("{reason} (Kafka topic/partition/offset {place})")
}

/// The structured form of an event in the Kafka binding's binary mode: attributes are `ce_` headers
/// in UTF-8, without the percent signs of HTTP.
fn from_binary(message: &Arrived) -> Result<Vec<u8>, Refusal> {
    let mut event = Map::new();
    for (name, value) in &message.headers {
        let Some(attribute) = name.strip_prefix("ce_") else {
            continue;
        };
        let bad = |what: &str| Refusal::new("bad_attribute", format!("header {name}: {what}"));
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        if attribute.is_empty() || !attribute.bytes().all(allowed) {
            return Err(bad("an attribute's name has a-z and 0-9 only"));
        }
        if ["data", "datacontenttype"].contains(&attribute) {
            return Err(bad("this goes into the value and content-type"));
        }
        let text = std::str::from_utf8(value).map_err(|_| bad("not UTF-8"))?;
        let value = match text.parse::<i32>() {
            Ok(number) if binary::NUMBERS.contains(&attribute) => Value::from(number),
            _ => Value::from(text),
        };
        if event.insert(attribute.to_owned(), value).is_some() {
            return Err(bad("the header is there twice"));
        }
    }
    let content_type = message.header("content-type");
    if let Some(content_type) = &content_type {
        event.insert("datacontenttype".into(), content_type.as_str().into());
    }
    let value = message.value.as_deref().unwrap_or_default();
    binary::write(event, content_type.as_deref(), value)
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
