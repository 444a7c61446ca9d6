//! CPU of reading our own events, by several decoders: what a faster one could save of an event's
//! cost. One JSON line each: decoder, events, bytes, CPU seconds of one reading of all of them.
//!
//! ```text
//! decoders FILE.ndjson...
//! ```

use std::borrow::Cow;
use std::hint::black_box;
use std::io::Cursor;
use std::sync::Arc;

use arrow::json::ReaderBuilder;
use arrow::json::reader::infer_json_schema;
use callboard_model::cloudevents;
use callboard_model::record::{Record, Stamp};
use serde::Deserialize;
use serde_json::value::RawValue;

/// CPU seconds that a figure is made of, at least.
const LEAST_CPU: f64 = 2.0;
/// Rows of a batch of columns.
const BATCH: usize = 8_192;

/// What a door reads of an event.
#[derive(Deserialize)]
#[allow(dead_code)]
struct Identity<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
}

/// The fields that the fold uses most, of whatever an event is about: no value between.
#[derive(Deserialize)]
#[allow(dead_code)]
struct Event<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    time: Cow<'a, str>,
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Data<'a> {
    #[serde(borrow, default)]
    contact_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    segment_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    queue: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    agent: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    state: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    start: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    end: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    outcome: Option<Cow<'a, str>>,
    #[serde(default)]
    duration_ms: Option<i64>,
}

/// The envelope, its data left as text.
#[derive(Deserialize)]
#[allow(dead_code)]
struct Envelope<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    time: Cow<'a, str>,
    #[serde(borrow)]
    data: &'a RawValue,
}

fn main() {
    let mut bytes = Vec::new();
    for file in std::env::args().skip(1) {
        bytes.extend(std::fs::read(&file).unwrap_or_else(|e| panic!("{file}: {e}")));
    }
    let lines: Vec<&str> = std::str::from_utf8(&bytes)
        .expect("UTF-8")
        .lines()
        .filter(|l| !l.trim().is_empty())
        .collect();
    assert!(!lines.is_empty(), "no events: decoders FILE.ndjson...");
    let each = |name: &str, read: &mut dyn FnMut(&str)| {
        let cpu = round(|| lines.iter().for_each(|l| read(l)));
        tell(name, lines.len(), bytes.len(), cpu);
    };

    // Ours: what the door reads, and what the pipeline makes of the record.
    each("serde_json, identity (door)", &mut |l| {
        black_box(serde_json::from_str::<Identity>(l).expect("an event"));
    });
    let records: Vec<Record> = lines.iter().map(|l| record(l)).collect();
    let cpu = round(|| {
        for record in &records {
            black_box(cloudevents::read(record).expect("an event"));
        }
    });
    tell("callboard, statements (pipeline)", lines.len(), bytes.len(), cpu);
    drop(records);

    each("serde_json, envelope", &mut |l| {
        black_box(serde_json::from_str::<Envelope>(l).expect("an event"));
    });
    each("serde_json, typed", &mut |l| {
        black_box(serde_json::from_str::<Event>(l).expect("an event"));
    });
    each("serde_json, values", &mut |l| {
        black_box(serde_json::from_str::<serde_json::Value>(l).expect("JSON"));
    });
    each("sonic-rs, typed", &mut |l| {
        black_box(sonic_rs::from_str::<Event>(l).expect("an event"));
    });
    each("sonic-rs, values", &mut |l| {
        black_box(sonic_rs::from_str::<sonic_rs::Value>(l).expect("JSON"));
    });
    // simd-json writes into what it reads: the copy is part of it.
    let (mut copy, mut buffers) = (Vec::new(), simd_json::Buffers::default());
    each("simd-json, typed", &mut |l| {
        copy.clear();
        copy.extend_from_slice(l.as_bytes());
        black_box(simd_json::serde::from_slice_with_buffers::<Event>(&mut copy, &mut buffers).expect("an event"));
    });
    let (mut copy, mut buffers) = (Vec::new(), simd_json::Buffers::default());
    each("simd-json, tape", &mut |l| {
        copy.clear();
        copy.extend_from_slice(l.as_bytes());
        black_box(simd_json::to_tape_with_buffers(&mut copy, &mut buffers).expect("JSON").0.len());
    });
    let schema = Arc::new(infer_json_schema(Cursor::new(&bytes), None).expect("columns").0);
    let cpu = round(|| {
        let reader = ReaderBuilder::new(schema.clone())
            .with_batch_size(BATCH)
            .build(Cursor::new(&bytes))
            .expect("a reader");
        for batch in reader {
            black_box(batch.expect("a batch"));
        }
    });
    tell("arrow-json, columns", lines.len(), bytes.len(), cpu);
}

/// An event's record as a door makes it.
fn record(line: &str) -> Record {
    let identity: Identity = serde_json::from_str(line).expect("an event");
    Record {
        source: identity.source.as_ref().into(),
        id: identity.id.as_ref().into(),
        format: "event".into(),
        received_at: 0,
        stamp: Arc::new(Stamp::default()),
        bytes: line.as_bytes().to_vec().into(),
    }
}

fn tell(decoder: &str, events: usize, bytes: usize, cpu: f64) {
    println!(
        "{}",
        serde_json::json!({"decoder": decoder, "events": events, "bytes": bytes, "cpu": cpu})
    );
}

/// CPU seconds of one round, of as many as make the kernel's count fine enough.
fn round(mut work: impl FnMut()) -> f64 {
    let (begun, mut rounds) = (cpu(), 0);
    loop {
        rounds += 1;
        work();
        let spent = cpu() - begun;
        if spent > LEAST_CPU {
            return spent / f64::from(rounds);
        }
    }
}

/// CPU seconds of this thread, which is the only one.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanoseconds = text.split(' ').next().and_then(|n| n.parse::<f64>().ok());
    nanoseconds.expect("nanoseconds") / 1e9
}
