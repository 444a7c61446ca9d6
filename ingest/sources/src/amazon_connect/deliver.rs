//! Opens what a request, a file or a batch of a stream holds: objects one after the other (a
//! Firehose file has not even a line break between them), lists, and the envelopes of those who
//! deliver: Kinesis to Lambda, Firehose over HTTP, SQS, SNS, CloudWatch Logs.

use std::io::Read as _;
use std::sync::Arc;

use callboard_model::record::{MAX_RECORD_BYTES, Stamp, bounded};
use flate2::read::MultiGzDecoder;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::detect::{Fields, feed};
use super::doc::{Doc, instance_of, plain};
use super::{Feed, PLATFORM, agent};
use crate::adapter::Declared;
use crate::lines::{DeadLine, NewLine, NewRecord, PREFIX_BYTES};
use crate::payload::encoded;

/// Envelopes in envelopes.
const MOST_DEPTH: usize = 8;
/// Most bytes that what is compressed in one request may have when it is unpacked.
const MOST_UNPACKED: u64 = 32 * 1024 * 1024;
/// After so many faults the rest is one.
const MOST_FAULTS: usize = 1_000;

/// The records in some bytes.
pub(super) fn open(bytes: &[u8], declared: &Declared) -> Vec<NewLine> {
    let mut opened = Opened {
        declared,
        out: Vec::new(),
        faults: 0,
        room: MOST_UNPACKED,
    };
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    opened.text(bytes, 0);
    opened.out
}

struct Opened<'d> {
    declared: &'d Declared,
    out: Vec<NewLine>,
    faults: usize,
    /// Bytes that may still come out of what is compressed.
    room: u64,
}

impl Opened<'_> {
    /// Objects one after the other.
    fn text(&mut self, bytes: &[u8], depth: usize) {
        if bytes.starts_with(&[0x1f, 0x8b]) {
            return self.packed(bytes, depth);
        }
        let mut rest = bytes;
        loop {
            let start = rest
                .iter()
                .position(|b| !b.is_ascii_whitespace() && *b != b',');
            let Some(from) = start.and_then(|n| rest.get(n..)) else {
                return;
            };
            let from = after_stamp(from);
            let mut items = serde_json::Deserializer::from_slice(from).into_iter::<&RawValue>();
            match items.next() {
                Some(Ok(item)) => {
                    self.item(item.get().as_bytes(), depth);
                    rest = from.get(items.byte_offset()..).unwrap_or(&[]);
                }
                Some(Err(e)) => {
                    self.faults += 1;
                    let (fault, after) = if self.faults >= MOST_FAULTS {
                        (from, &[][..])
                    } else {
                        from.split_at(next_object(from))
                    };
                    let class = match std::str::from_utf8(fault) {
                        Err(_) => "invalid_utf8",
                        Ok(_) => "not_json",
                    };
                    self.dead(fault, class, &format!("not JSON: {e}"));
                    rest = after;
                }
                None => return,
            }
        }
    }

    /// What is compressed, within bounds: a few bytes can hold very many.
    fn packed(&mut self, bytes: &[u8], depth: usize) {
        if depth > MOST_DEPTH {
            return self.dead(bytes, "too_deep", "envelopes in envelopes without end");
        }
        let mut plain = Vec::new();
        let mut read = MultiGzDecoder::new(bytes).take(self.room + 1);
        match read.read_to_end(&mut plain) {
            Err(e) => {
                let reason = format!("compressed (gzip), and cannot be unpacked: {e}");
                self.dead(bytes, "compressed", &reason);
            }
            Ok(_) if plain.len() as u64 > self.room => {
                let reason = format!(
                    "what is compressed in one request has more than {} MiB unpacked; send fewer at once",
                    MOST_UNPACKED >> 20
                );
                self.dead(bytes, "compressed", &reason);
            }
            Ok(_) => {
                self.room -= plain.len() as u64;
                self.text(&plain, depth + 1);
            }
        }
    }

    /// One JSON value.
    fn item(&mut self, raw: &[u8], depth: usize) {
        if depth > MOST_DEPTH {
            return self.dead(raw, "too_deep", "envelopes in envelopes without end");
        }
        match raw.first() {
            Some(b'[') => match serde_json::from_slice::<Vec<&RawValue>>(raw) {
                Ok(items) => {
                    for item in items {
                        self.item(item.get().as_bytes(), depth + 1);
                    }
                }
                Err(e) => self.dead(raw, "not_json", &format!("a list that cannot be read: {e}")),
            },
            Some(b'{') => match serde_json::from_slice::<Fields<'_>>(raw) {
                Ok(fields) => self.object(raw, &fields, depth),
                Err(e) => self.dead(
                    raw,
                    "not_json",
                    &format!("an object that cannot be read: {e}"),
                ),
            },
            _ => self.dead(raw, "unknown_shape", "neither an object nor a list"),
        }
    }

    fn object(&mut self, raw: &[u8], fields: &Fields<'_>, depth: usize) {
        if let Some(feed) = feed(fields) {
            return self.record(raw, feed);
        }
        for name in ["Records", "logEvents", "MetricResults"] {
            // Lambda writes Records, Firehose records.
            if let Some(list) = fields.raw(name).filter(|v| v.get().starts_with('[')) {
                return self.item(list.get().as_bytes(), depth + 1);
            }
        }
        // A subscription of CloudWatch Logs packs its events for a Lambda.
        let inside = ["kinesis", "Sns", "awslogs"];
        if let Some(inner) = inside.into_iter().find_map(|name| fields.raw(name)) {
            return self.item(inner.get().as_bytes(), depth + 1);
        }
        if fields.text("messageType").as_deref() == Some("CONTROL_MESSAGE") {
            return; // CloudWatch tries whether somebody listens.
        }
        if fields.has("SubscribeURL") {
            return self.dead(
                raw,
                "handshake",
                "a request to confirm a subscription: open its SubscribeURL once",
            );
        }
        if fields.has("s3") {
            return self.dead(
                raw,
                "not_content",
                "this names a file in a bucket; follow the bucket's prefix instead",
            );
        }
        if let Some(data) = fields.text("data") {
            return match encoded::base64(&data) {
                Some(bytes) => self.text(&bytes, depth + 1),
                None => self.dead(raw, "bad_base64", "field data is not base64"),
            };
        }
        for name in ["Message", "body", "message"] {
            if let Some(text) = fields.text(name) {
                return self.nested(raw, &text, depth);
            }
        }
        self.dead(
            raw,
            "unknown_shape",
            "the fields are those of no feed of Amazon Connect; see docs/platforms/amazon-connect.md",
        );
    }

    /// JSON as text inside JSON.
    fn nested(&mut self, raw: &[u8], text: &str, depth: usize) {
        if depth < MOST_DEPTH && text.trim_start().starts_with(['{', '[']) {
            self.text(text.as_bytes(), depth + 1);
        } else {
            self.dead(raw, "unknown_shape", "a message that is no JSON");
        }
    }

    fn record(&mut self, raw: &[u8], feed: Feed) {
        if raw.len() > MAX_RECORD_BYTES {
            let reason = format!(
                "{} bytes; a record may have at most {MAX_RECORD_BYTES}",
                raw.len()
            );
            return self.dead(raw, "too_long", &reason);
        }
        let body: Value = match serde_json::from_slice(raw) {
            Ok(body) => body,
            Err(e) => return self.dead(raw, "not_json", &format!("cannot be read: {e}")),
        };
        let doc = Doc::of(&body);
        let account = || account(doc);
        let instance = match self.declared.instance.as_str() {
            "" => instance(doc).or_else(|| account().filter(|_| feed != Feed::Lens)),
            declared => Some(declared.to_owned()),
        };
        // A Contact Lens file of a call names only the account: its contact is found by its own id.
        let place = instance.clone().or_else(account).unwrap_or_default();
        let instance = instance.unwrap_or_default();
        let id = match identity(doc, feed, raw, &self.declared.name) {
            Ok(id) => id,
            Err(reason) => return self.dead(raw, "missing_attribute", &reason),
        };
        if feed == Feed::AgentEvent {
            for contact in agent::changed(doc) {
                let id = format!("{id}/{contact}");
                self.push(Feed::AgentContact, &place, &instance, id, raw);
            }
        }
        self.push(feed, &place, &instance, id, raw);
    }

    fn push(&mut self, feed: Feed, place: &str, instance: &str, id: String, raw: &[u8]) {
        self.out.push(NewLine::Record(NewRecord {
            source: format!("/{PLATFORM}/{place}/{}", feed.name()).into(),
            id,
            format: feed.format(),
            stamp: Stamp {
                instance: instance.to_owned(),
                zone: self.declared.zone.clone(),
                ..Stamp::default()
            },
            bytes: raw.to_vec(),
        }));
    }

    fn dead(&mut self, bytes: &[u8], class: &'static str, reason: &str) {
        let kept = bytes
            .get(..PREFIX_BYTES)
            .filter(|_| bytes.len() > MAX_RECORD_BYTES);
        let source: Arc<str> = match self.declared.instance.as_str() {
            "" => format!("/{PLATFORM}").into(),
            instance => super::instance_source(instance),
        };
        self.out.push(NewLine::Dead(DeadLine {
            source,
            class,
            reason: bounded(reason.to_owned()),
            bytes: kept.unwrap_or(bytes).to_vec(),
            length: bytes.len() as u64,
            sha256: hex(&Sha256::digest(bytes)),
        }));
    }
}

/// Log events that were exported to a bucket have their time before them on each line.
fn after_stamp(bytes: &[u8]) -> &[u8] {
    let stamped = bytes.get(..40).unwrap_or(bytes);
    let begins = stamped.windows(2).position(|pair| pair == b" {");
    match begins {
        Some(n) if stamped.first().is_some_and(u8::is_ascii_digit) => {
            bytes.get(n + 1..).unwrap_or(bytes)
        }
        _ => bytes,
    }
}

/// Where the next object begins after one that cannot be read: at the next line that begins with
/// one. Inside a document that is printed over many lines none does.
fn next_object(bytes: &[u8]) -> usize {
    let pairs = bytes.windows(2).enumerate().skip(1);
    let found = pairs
        .into_iter()
        .find(|(_, pair)| matches!(pair, [b'\n', b'{' | b'[']));
    found.map_or(bytes.len(), |(n, _)| n + 1)
}

/// The instance that the bytes name.
fn instance(doc: Doc<'_>) -> Option<String> {
    let detail = doc.get("detail");
    let detail = if detail.is_there() { detail } else { doc };
    let of_arn = |d: Doc<'_>| instance_of(&d.text()?);
    let mut arns = vec![
        detail.any(&["InstanceARN", "instance", "contactArn", "contact"]),
        doc.get("AgentARN"),
        doc.get("ContactFlowId"),
        doc.at(&["Dimensions", "QUEUE"]),
    ];
    arns.extend(doc.get("resources").list());
    if let Some(found) = arns.into_iter().find_map(of_arn) {
        return Some(found);
    }
    let ids = [
        doc.get("InstanceId"),
        doc.at(&["CustomerMetadata", "InstanceId"]),
        doc.at(&["metadata", "instanceId"]),
        doc.get("connect_instance_id"),
        doc.get("instance_id"),
    ];
    let id = ids.into_iter().find_map(Doc::text)?;
    Some(plain(&instance_of(&id).unwrap_or_else(|| id.into_owned())))
}

/// The account that the bytes name.
fn account(doc: Doc<'_>) -> Option<String> {
    let names = [
        "AccountId",
        "AWSAccountId",
        "account",
        "account_id",
        "aws_account_id",
    ];
    doc.any(&names).text().map(|t| plain(&t))
}

/// What the platform calls the thing, with its version where it is sent again amended; where it
/// calls it nothing, the hash of the bytes. The reason, where that cannot be.
fn identity(doc: Doc<'_>, feed: Feed, raw: &[u8], name: &str) -> Result<String, String> {
    let hash = || hex(&Sha256::digest(raw));
    let short = || hash().get(..16).unwrap_or("").to_owned();
    let text = |d: Doc<'_>| d.text().map(|t| plain(&t));
    Ok(match feed {
        Feed::ContactRecord => {
            // The last change is told by the second, and more than one can fall into it.
            let contact = text(doc.get("ContactId")).ok_or("ContactId is missing")?;
            let version = text(doc.get("LastUpdateTimestamp")).unwrap_or_default();
            format!("{contact}@{version}#{}", short())
        }
        Feed::AgentEvent | Feed::AgentContact => text(doc.get("EventId")).unwrap_or_else(hash),
        Feed::Lens => {
            let known = doc.any(&["ContactId"]);
            let known = if known.is_there() {
                known
            } else {
                doc.at(&["CustomerMetadata", "ContactId"])
            };
            let contact = text(known).or_else(|| in_name(name)).ok_or(
                "a Contact Lens file of a call does not say which contact it is of: send it under \
                 its own name, CONTACT_analysis_TIME.json, or add a field ContactId",
            )?;
            format!("{contact}#{}", short())
        }
        Feed::Evaluation => {
            let id = text(doc.get("evaluationId")).ok_or("evaluationId is missing")?;
            format!("{id}#{}", short())
        }
        Feed::Campaign => {
            text(doc.any(&["campaign_event_id", "campaignEventId"])).unwrap_or_else(hash)
        }
        _ if doc.get("detail").is_there() => text(doc.get("id")).unwrap_or_else(hash),
        _ => hash(),
    })
}

/// The contact in the name of a Contact Lens file.
fn in_name(name: &str) -> Option<String> {
    let file = name.rsplit(['/', '\\']).next()?;
    let (contact, _) = file.split_once("_analysis_")?;
    (!contact.is_empty()).then(|| plain(contact))
}

/// Bytes in hex.
fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let sign = |n: u8| char::from(DIGITS.get(usize::from(n & 15)).copied().unwrap_or(b'0'));
    bytes
        .iter()
        .flat_map(|b| [sign(b >> 4), sign(*b)])
        .collect()
}
