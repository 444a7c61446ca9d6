//! From a request body or a file to records: JSON objects, arrays, pages, answers of the analytics
//! service with their positional rows, results of a Power BI query, JSON lines, CSV.

use std::sync::Arc;

use callboard_model::record::{MAX_RECORD_BYTES, Stamp, bounded};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::feed::{self, Feed};
use super::identity::{Object, asked, natural_id, scalar, tenant_of};
use super::read::{clean, id, says_nothing};
use super::row::{Row, SEPARATORS};
use crate::adapter::Declared;
use crate::lines::{DeadLine, NewLine, NewRecord, PREFIX_BYTES};

/// How deep lists may stand in each other.
const DEPTH: u8 = 6;

/// The instance of a source whose tenant nobody names.
const UNNAMED: &str = "default";

/// What the public reading of the template's version 3.2.2 asks of each call of a queue, in this
/// order: the answer holds values alone.
const TEMPLATE_OF_QUEUES: [&str; 15] = [
    "DocumentId",
    "ConferenceId",
    "DialogId",
    "UserStartTimeUTC",
    "EndTime",
    "CallQueueDurationSeconds",
    "CallQueueId",
    "CallQueueIdentity",
    "CallQueueCallResult",
    "PSTNConnectivityType",
    "CallQueueTargetType",
    "CallQueueAgentCount",
    "CallQueueAgentOptInCount",
    "PSTNTotalMinutes",
    "TotalCallCount",
];

/// All records of a body or file.
pub fn split(bytes: &[u8], declared: &Declared) -> Vec<NewLine> {
    let mut out = Splitter {
        declared,
        tenant: String::new(),
        out: Vec::new(),
    };
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match bytes.iter().find(|b| !b.is_ascii_whitespace()) {
        None => {}
        Some(b'{' | b'[') => out.documents(bytes),
        Some(_) => out.table(bytes),
    }
    out.out
}

struct Splitter<'d> {
    declared: &'d Declared,
    /// Tenant that the body names for all that is in it.
    tenant: String,
    out: Vec<NewLine>,
}

impl Splitter<'_> {
    /// One JSON document after the other: what cannot be read ends at its line.
    fn documents(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while rest.iter().any(|b| !b.is_ascii_whitespace()) {
            let mut stream = serde_json::Deserializer::from_slice(rest).into_iter::<&RawValue>();
            match stream.next() {
                Some(Ok(raw)) => {
                    let read = stream.byte_offset();
                    self.any(raw, 0);
                    rest = rest.get(read..).unwrap_or_default();
                }
                Some(Err(e)) => {
                    let start = rest.iter().position(|b| !b.is_ascii_whitespace());
                    let line = rest.get(start.unwrap_or(0)..).unwrap_or_default();
                    // A document over many lines that is broken cannot be told from what follows:
                    // go on at the next line that begins one.
                    let end = next_document(line);
                    let (bad, after) = line.split_at_checked(end).unwrap_or((line, &[]));
                    let reason = format!("not JSON: {e}; send the document whole");
                    self.dead("not_json", reason, bad);
                    rest = after;
                }
                None => return,
            }
        }
    }

    fn any(&mut self, raw: &RawValue, depth: u8) {
        let text = raw.get();
        if depth > DEPTH {
            self.dead(
                "too_deep",
                "lists within lists within lists; send rows",
                text.as_bytes(),
            );
        } else if text.starts_with('[') {
            match serde_json::from_str::<Vec<&RawValue>>(text) {
                Ok(items) => {
                    for item in items {
                        self.any(item, depth + 1);
                    }
                }
                Err(e) => self.dead("not_json", format!("not a list: {e}"), text.as_bytes()),
            }
        } else if text.starts_with('{') {
            match serde_json::from_str::<Object<'_>>(text) {
                Ok(map) => self.object(raw, &map, depth),
                Err(e) => self.dead("not_json", format!("not an object: {e}"), text.as_bytes()),
            }
        } else {
            let reason = "a bare value where an object was expected; rows without names need the query beside them";
            self.dead("not_an_object", reason, text.as_bytes());
        }
    }

    fn object(&mut self, raw: &RawValue, map: &Object<'_>, depth: u8) {
        if let Some(tenant) = ["TenantId", "tenantId"].iter().find_map(|n| scalar(map, n))
            && depth == 0
        {
            self.tenant = tenant;
        }
        if let Some(rows) = map.get("dataResult") {
            self.answer(map, rows);
            return;
        }
        if let Some(value) = map.get("value").filter(|v| v.get().starts_with('[')) {
            let context = scalar(map, "@odata.context").unwrap_or_default();
            match feed::page_of(&context) {
                Some(call) => self.record(Feed::CallRecordPage, &call, raw, &[]),
                None => self.any(value, depth + 1),
            }
            return;
        }
        // What the Power BI service answers to a query: results, their tables, their rows.
        // And what Graph answers to several questions at once: responses, each with its body.
        for name in ["results", "tables", "rows", "responses"] {
            if let Some(list) = map.get(name).filter(|v| v.get().starts_with('[')) {
                self.any(list, depth + 1);
                return;
            }
        }
        let body = map.get("body").filter(|v| v.get().starts_with('{'));
        if let (Some(body), true) = (body, map.contains_key("status")) {
            self.any(body, depth + 1);
            return;
        }
        match feed::of_object(map) {
            Some(feed) => {
                let natural = natural_id(feed, map);
                self.record(feed, &natural, raw, &[]);
            }
            None => {
                let names: Vec<&str> = map.keys().map(String::as_str).take(8).collect();
                let reason = format!(
                    "an object with {} is no row, call record, notification or report line of Teams that is known",
                    clean(&names.join(", "))
                );
                self.dead("unknown_shape", reason, raw.get().as_bytes());
            }
        }
    }

    /// An answer of the analytics service: values alone, in the order in which the query asked.
    fn answer(&mut self, map: &Object<'_>, rows: &RawValue) {
        let Ok(rows) = serde_json::from_str::<Vec<&RawValue>>(rows.get()) else {
            self.dead(
                "not_rows",
                "dataResult is no list of rows",
                rows.get().as_bytes(),
            );
            return;
        };
        let asked = asked(map);
        for row in rows {
            if row.get().starts_with('{') {
                self.any(row, DEPTH);
                continue;
            }
            let Ok(values) = serde_json::from_str::<Vec<Value>>(row.get()) else {
                self.dead(
                    "not_rows",
                    "a row of dataResult is no list",
                    row.get().as_bytes(),
                );
                continue;
            };
            let columns = match &asked {
                Some(columns) => columns.clone(),
                None if values.len() == TEMPLATE_OF_QUEUES.len() => {
                    TEMPLATE_OF_QUEUES.map(str::to_owned).to_vec()
                }
                None => {
                    let reason = "a row of values without the names asked for; send {\"query\": the JSON asked, \"dataResult\": ...}";
                    self.dead("no_columns", reason, row.get().as_bytes());
                    continue;
                }
            };
            let named = Row::of_names(columns.iter().map(String::as_str));
            let Some(feed) = feed::of_columns(&named) else {
                let reason =
                    "the names asked for are none of an auto attendant, call queue or agent";
                self.dead("unknown_shape", reason, row.get().as_bytes());
                continue;
            };
            let document = columns
                .iter()
                .position(|c| c.eq_ignore_ascii_case("DocumentId"))
                .and_then(|n| values.get(n))
                .and_then(Value::as_str)
                .and_then(id);
            self.record(feed, &document.unwrap_or_default(), row, &columns);
        }
    }

    /// A table with a header.
    fn table(&mut self, bytes: &[u8]) {
        let head = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
        let count = |s: u8| head.iter().filter(|b| **b == s).count();
        let separator = SEPARATORS
            .into_iter()
            .max_by_key(|s| count(*s))
            .unwrap_or(b',');
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .delimiter(separator)
            .from_reader(bytes);
        let columns: Vec<String> = match reader.headers() {
            Ok(names) => names.iter().map(clean).collect(),
            Err(e) => {
                self.dead("not_csv", format!("the header cannot be read: {e}"), head);
                return;
            }
        };
        let named = Row::of_names(columns.iter().map(String::as_str));
        let Some(feed) = feed::of_columns(&named) else {
            let reason = "neither JSON nor a CSV whose first line names columns of Teams";
            self.dead("unknown_shape", reason, bytes);
            return;
        };
        let document = columns
            .iter()
            .position(|c| super::read::plain(c) == "documentid");
        let mut row = csv::ByteRecord::new();
        let mut from = reader.position().byte();
        loop {
            let more = reader.read_byte_record(&mut row);
            let to = reader.position().byte();
            let place = usize::try_from(from).ok().zip(usize::try_from(to).ok());
            let line = place.and_then(|(a, b)| bytes.get(a..b)).unwrap_or_default();
            let line = line.trim_ascii();
            match more {
                Ok(true) if std::str::from_utf8(line).is_ok() => {
                    let natural = document
                        .and_then(|n| row.get(n))
                        .and_then(|b| std::str::from_utf8(b).ok())
                        .and_then(id);
                    self.take(feed, &natural.unwrap_or_default(), line, &columns, "");
                }
                Ok(true) => self.dead("invalid_utf8", "a row that is not UTF-8", line),
                Ok(false) => return,
                Err(e) => {
                    self.dead("not_csv", format!("a row cannot be read: {e}"), line);
                    if to == from {
                        return;
                    }
                }
            }
            from = to;
        }
    }

    fn record(&mut self, feed: Feed, natural: &str, raw: &RawValue, columns: &[String]) {
        let tenant = if self.declared.instance.is_empty() {
            tenant_of(raw.get(), columns)
        } else {
            String::new()
        };
        self.take(feed, natural, raw.get().as_bytes(), columns, &tenant);
    }

    fn take(&mut self, feed: Feed, natural: &str, bytes: &[u8], columns: &[String], tenant: &str) {
        if bytes.len() > MAX_RECORD_BYTES {
            let reason = format!(
                "{} bytes; a record has at most {MAX_RECORD_BYTES}. Ask for fewer sessions a page",
                bytes.len()
            );
            self.dead("too_long", reason, bytes);
            return;
        }
        let instance = self.instance(tenant);
        let hash = sha256(bytes);
        let short = hash.get(..16).unwrap_or(&hash);
        let id = if natural.is_empty() {
            hash.clone()
        } else {
            // The version of what is amended stands in the bytes, and one version comes in parts.
            format!("{natural}/{short}")
        };
        self.out.push(NewLine::Record(NewRecord {
            source: format!("/teams/{instance}/{}", feed.name()).into(),
            id,
            format: feed.format(),
            stamp: Stamp {
                instance,
                zone: self.declared.zone.clone(),
                columns: columns.to_vec(),
                ..Stamp::default()
            },
            bytes: bytes.to_vec(),
        }));
    }

    fn instance(&self, tenant: &str) -> String {
        let all = [&*self.declared.instance, tenant, &*self.tenant];
        let named = all.into_iter().find(|i| !says_nothing(i));
        named.map_or_else(|| UNNAMED.to_owned(), |i| clean(i).replace('/', "-"))
    }

    fn dead(&mut self, class: &'static str, reason: impl Into<String>, bytes: &[u8]) {
        let source: Arc<str> = format!("/teams/{}", self.instance("")).into();
        let kept = bytes.get(..PREFIX_BYTES.min(bytes.len())).unwrap_or(bytes);
        self.out.push(NewLine::Dead(DeadLine {
            source,
            class,
            reason: bounded(reason.into()),
            bytes: kept.to_vec(),
            length: bytes.len() as u64,
            sha256: sha256(bytes),
        }));
    }
}

/// Where the next document begins that stands on a line of its own.
fn next_document(bytes: &[u8]) -> usize {
    let mut at = 0;
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        if at > 0 && line.starts_with(b"{") {
            return at;
        }
        at += line.len();
    }
    bytes.len()
}

fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|b| format!("{b:02x}")).collect()
}
