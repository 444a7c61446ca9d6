//! Events per CPU-second of each adapter: split, route and interpret over its captures, repeated as
//! so many tenants, beside a reader that only makes plain values of the same bytes. So are our own
//! events, and two mappings over the samples of their tests. One JSON line for each; `make bench`
//! reads them.
//!
//! ```text
//! throughput [MEGABYTES]
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use callboard_model::ids::Key;
use callboard_model::record::{Interpreter, Record, RouteKey};
use callboard_sources::adapter::{ADAPTERS, Declared, of_platform};
use callboard_sources::asterisk::Feed;
use callboard_sources::lines::{Kind, LineReader, NewLine};
use callboard_sources::mapping::{Mapping, shipped};
use callboard_sources::registry::Registry;
use serde::Deserialize;
use serde_json::Value;

/// Format of our own events.
const EVENTS: &str = "event";

/// How plain values are made of a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Plain {
    /// `serde_json`, one value after the other.
    Json,
    /// `csv`, with this delimiter.
    Csv(u8),
    /// `quick-xml`, all its events.
    Xml,
    /// A form on each line, percent signs undone.
    Form,
    /// `name: value` on each line, percent signs undone.
    Head,
}

impl Plain {
    fn name(self) -> &'static str {
        match self {
            Plain::Json => "serde_json",
            Plain::Csv(_) => "csv",
            Plain::Xml => "quick-xml",
            Plain::Form | Plain::Head => "percent-encoding",
        }
    }

    /// How a file is read, if it is read to its end.
    fn of(file: &str, bytes: &[u8]) -> Option<Plain> {
        let json = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
        if file.ends_with("json") {
            return json.into_iter().all(|v| v.is_ok()).then_some(Plain::Json);
        }
        if file.ends_with("csv") {
            return Some(Plain::Csv(b','));
        }
        if file.ends_with("xml") {
            return Some(Plain::Xml);
        }
        let text = std::str::from_utf8(bytes).ok()?;
        if text.starts_with("Content-Type: auth") {
            return Some(Plain::Head);
        }
        let form = |l: &str| l.contains('=') && l.contains('&') && !l.contains(' ');
        text.lines().all(form).then_some(Plain::Form)
    }

    /// Makes the values and drops them.
    fn read(self, bytes: &[u8]) {
        match self {
            Plain::Json => {
                for value in serde_json::Deserializer::from_slice(bytes).into_iter::<Value>() {
                    black_box(value.unwrap());
                }
            }
            Plain::Csv(delimiter) => {
                let mut reader = csv::ReaderBuilder::new()
                    .delimiter(delimiter)
                    .has_headers(false)
                    .flexible(true)
                    .from_reader(bytes);
                for row in reader.records() {
                    black_box(row.unwrap());
                }
            }
            Plain::Xml => {
                let mut reader = quick_xml::Reader::from_reader(bytes);
                loop {
                    match reader.read_event().unwrap() {
                        quick_xml::events::Event::Eof => break,
                        event => drop(black_box(event.into_owned())),
                    }
                }
            }
            Plain::Form => pairs(bytes, '&', '='),
            Plain::Head => pairs(bytes, '\n', ':'),
        }
    }
}

fn pairs(bytes: &[u8], between: char, equals: char) {
    for line in std::str::from_utf8(bytes).unwrap().lines() {
        let all: BTreeMap<String, String> = line
            .split(between)
            .filter_map(|p| p.split_once(equals))
            .map(|(k, v)| (plain(k), plain(v)))
            .collect();
        black_box(all);
    }
}

fn plain(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

/// A feed, a platform or a mapping, and its captures.
struct Adapter {
    name: &'static str,
    bodies: Vec<(Plain, Vec<u8>)>,
    mapping: Option<Mapping>,
}

/// Mappings that are measured: one of rows, one of documents.
const MAPPINGS: [(&str, &str, Plain); 2] = [
    ("mapping:five9", "five9", Plain::Csv(b',')),
    ("mapping:nice-cxone", "nice-cxone", Plain::Json),
];

/// A mapping runs expressions for each item, which takes long: this part of the bytes is enough.
const LESS: usize = 20;

fn main() {
    if !Path::new("tests/captures").exists() {
        std::env::set_current_dir("ingest/sources").expect("run it in the project's folder");
    }
    let megabytes: usize = std::env::args()
        .nth(1)
        .map_or(50, |n| n.parse().expect("MEGABYTES is a number"));
    for adapter in adapters() {
        let less = if adapter.mapping.is_some() { LESS } else { 1 };
        measure(&adapter, (megabytes << 20) / less);
    }
}

fn adapters() -> Vec<Adapter> {
    let mut all = Vec::new();
    for feed in Feed::ALL {
        let (file, plain) = match feed {
            Feed::QueueLog => ("queue_log", Plain::Csv(b'|')),
            Feed::Cel => ("cel.csv", Plain::Csv(b',')),
            Feed::Cdr => ("cdr.csv", Plain::Csv(b',')),
            Feed::Ami => ("ami.jsonl.gz", Plain::Json),
            Feed::Ari => ("made-ari-call.ndjson", Plain::Json),
        };
        // The recorded shift has no events of the REST interface.
        let folder = match feed {
            Feed::Ari => "tests/captures/asterisk",
            _ => "../../datasets/shift-asterisk",
        };
        let mut bytes = std::fs::read(format!("{folder}/{file}")).unwrap();
        if file.ends_with(".gz") {
            let packed = std::mem::take(&mut bytes);
            flate2::read::MultiGzDecoder::new(&packed[..])
                .read_to_end(&mut bytes)
                .unwrap();
        }
        all.push(Adapter {
            name: feed.format(),
            bodies: vec![(plain, bytes)],
            mapping: None,
        });
    }
    all.push(Adapter {
        name: "events",
        bodies: vec![(
            Plain::Json,
            std::fs::read("tests/captures/events/made-events.ndjson").unwrap(),
        )],
        mapping: None,
    });
    for (name, file, plain) in MAPPINGS {
        let mapping = Mapping::parse(shipped(file).unwrap()).unwrap();
        let samples = mapping.file.tests.iter();
        all.push(Adapter {
            name,
            bodies: samples
                .map(|test| (plain, test.sample.clone().into_bytes()))
                .collect(),
            mapping: Some(mapping),
        });
    }
    for adapter in ADAPTERS {
        let folder = Path::new("tests/captures").join(adapter.platform());
        // Mappings are read by a process of their own.
        let Ok(files) = std::fs::read_dir(folder) else {
            continue;
        };
        let mut files: Vec<_> = files.map(|e| e.unwrap().path()).collect();
        files.sort();
        let mut bodies = Vec::new();
        for file in files {
            let name = file.file_name().unwrap().to_str().unwrap();
            let bytes = std::fs::read(&file).unwrap();
            // Only what both read to the end.
            let whole = (adapter.split(&bytes, &tenant(0)))
                .iter()
                .all(|l| matches!(l, NewLine::Record(_)));
            if let Some(plain) = Plain::of(name, &bytes).filter(|_| whole) {
                bodies.push((plain, bytes));
            }
        }
        if !bodies.is_empty() {
            all.push(Adapter {
                name: adapter.platform(),
                bodies,
                mapping: None,
            });
        }
    }
    all
}

/// Every repetition is another tenant: its ids are its own.
fn tenant(n: usize) -> Declared {
    Declared {
        instance: format!("t{n}"),
        ..Declared::default()
    }
}

fn split(adapter: &Adapter, bytes: &[u8], declared: &Declared) -> Vec<Record> {
    let lines = match (&adapter.mapping, of_platform(adapter.name)) {
        (Some(mapping), _) => {
            let items = mapping.items(bytes, declared).into_iter();
            items
                .flat_map(|item| mapping.records(&item.unwrap(), declared))
                .collect()
        }
        (None, Some(platform)) => platform.split(bytes, declared),
        (None, None) => {
            let feed = Feed::of_format(adapter.name);
            let kind = feed.map_or(Kind::Events, Kind::Asterisk);
            let mut reader = LineReader::new(kind, &declared.instance, "", &[]);
            let mut lines = reader.push(bytes);
            lines.extend(reader.finish());
            lines
        }
    };
    lines
        .into_iter()
        .filter_map(|l| match l {
            NewLine::Record(r) => Some(r.received(0)),
            NewLine::Event(line) => Some(event(line)),
            NewLine::Dead(_) => None,
        })
        .collect()
}

/// What identity needs of an event.
#[derive(Deserialize)]
struct Identity<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
}

/// An event of ours as a door makes a record of it.
fn event(line: Vec<u8>) -> Record {
    let identity: Identity<'_> = serde_json::from_slice(&line).unwrap();
    Record {
        source: identity.source.as_ref().into(),
        id: identity.id.as_ref().into(),
        format: EVENTS.into(),
        received_at: 0,
        stamp: Arc::default(),
        bytes: line.into(),
    }
}

/// What one tenant's captures say; how many records they are.
fn told(adapter: &Adapter, declared: &Declared) -> (usize, usize) {
    let mut records = Vec::new();
    for (_, bytes) in &adapter.bodies {
        records.extend(split(adapter, bytes, declared));
    }
    let mut said = 0;
    let mut sets: BTreeMap<Key, Vec<&Record>> = BTreeMap::new();
    for record in &records {
        let Ok(routing) = Registry.route(record) else {
            continue;
        };
        said += routing.statements.as_ref().map_or(0, Vec::len);
        if routing.statements.is_some() {
            continue;
        }
        for key in routing.keys {
            let key = match key {
                RouteKey::Direct(key) => key,
                RouteKey::Contact(ids) => Key::Contact(ids[0].clone()),
            };
            sets.entry(key).or_default().push(record);
        }
    }
    for (key, set) in &sets {
        said += black_box(Registry.interpret(key, set)).len();
    }
    (records.len(), said)
}

fn measure(adapter: &Adapter, most: usize) {
    let size: usize = adapter.bodies.iter().map(|(_, b)| b.len()).sum();
    let times = (most / size).max(1);
    let (mut events, mut statements) = (0, 0);
    let ours = round(|| {
        (events, statements) = (0, 0);
        for n in 0..times {
            let (records, said) = told(adapter, &tenant(n));
            events += records;
            statements += said;
        }
    });
    let theirs = round(|| {
        for _ in 0..times {
            for (plain, bytes) in &adapter.bodies {
                plain.read(bytes);
            }
        }
    });
    let mut readers: Vec<&str> = adapter.bodies.iter().map(|(p, _)| p.name()).collect();
    readers.sort_unstable();
    readers.dedup();
    let line = serde_json::json!({
        "adapter": adapter.name, "events": events, "statements": statements,
        "bytes": size * times, "cpu": ours, "plain_cpu": theirs, "plain": readers.join(", "),
    });
    println!("{line}");
}

/// CPU seconds of one round: so many are run that the kernel's count, which moves with its ticks, is
/// fine enough.
fn round(mut work: impl FnMut()) -> f64 {
    let begun = cpu();
    let mut rounds = 0;
    loop {
        rounds += 1;
        work();
        let spent = cpu() - begun;
        if spent > LEAST_CPU {
            return spent / f64::from(rounds);
        }
    }
}

/// CPU seconds that a figure is made of, at least.
const LEAST_CPU: f64 = 0.4;

/// CPU seconds of this thread, which is the only one.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    let nanoseconds: f64 = text.split(' ').next().unwrap().parse().unwrap();
    nanoseconds / 1e9
}
