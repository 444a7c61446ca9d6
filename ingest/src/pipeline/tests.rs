//! The pipeline over a real store: what is acknowledged comes back, whatever happens between.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

use arrow::array::RecordBatch;
use callboard_model::record::Interpreter;
use callboard_model::tables::ContactRow;
use callboard_sources::adapter::{Declared, of_platform};
use callboard_sources::lines::NewLine;
use callboard_sources::registry::Registry;
use callboard_store::datafolder::DataFolderError;
use callboard_store::snapshot::Snapshots;
use callboard_store::store::{Clock, Rebuilt, StoreError, StoreOptions, rebuild};

use super::*;

mod broken;
mod derives;
mod erasing;
mod late;
mod looks;
mod members;
mod positions;
mod retention;
mod then;
mod waits;

const T0: i64 = 1_772_442_904_000_000;

struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

struct Bench {
    clock: Arc<Hand>,
    pipeline: Arc<Pipeline>,
}

impl Bench {
    async fn open(dir: &Path, now: i64) -> Bench {
        Self::open_with(now, StoreOptions::new(dir)).await
    }

    /// A bench on an empty folder, which lives as long as the first part of the answer.
    async fn fresh() -> (tempfile::TempDir, Bench) {
        let dir = tempfile::tempdir().unwrap();
        let bench = Self::open(dir.path(), T0).await;
        (dir, bench)
    }

    async fn open_with(now: i64, options: StoreOptions) -> Bench {
        Self::open_reading(now, options, Arc::new(Registry)).await
    }

    async fn open_reading(
        now: i64,
        mut options: StoreOptions,
        interpreter: Arc<dyn Interpreter>,
    ) -> Bench {
        let clock = Arc::new(Hand(AtomicI64::new(now)));
        options.log.segment_bytes = 1 << 20;
        // The fold of a dropped bench lets go of the folder a moment later.
        for _ in 0..500 {
            match Store::open(options.clone(), interpreter.clone(), clock.clone()).await {
                Ok(store) => {
                    return Bench {
                        clock,
                        pipeline: Pipeline::start(store),
                    };
                }
                Err(StoreError::Folder(DataFolderError::Locked { .. })) => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                Err(e) => panic!("{e}"),
            }
        }
        panic!("the folder stays locked")
    }

    async fn send(&self, events: &[String]) -> Vec<Verdict> {
        let batch = events
            .iter()
            .map(|e| {
                let v: serde_json::Value = serde_json::from_str(e).unwrap();
                Candidate::Record(Record {
                    source: v["source"].as_str().unwrap().into(),
                    id: v["id"].as_str().unwrap().into(),
                    format: "event".into(),
                    received_at: self.clock.now(),
                    stamp: Arc::default(),
                    bytes: e.as_bytes().into(),
                })
            })
            .collect();
        self.pipeline.submit(batch).await.unwrap()
    }

    /// Sends what a platform says.
    async fn submit(&self, platform: &str, told: &str) {
        let adapter = of_platform(platform).unwrap();
        let lines = adapter.split(told.as_bytes(), &Declared::default());
        let batch = lines.into_iter().map(|line| match line {
            NewLine::Record(record) => Candidate::Record(record.received(self.clock.now())),
            _ => panic!("no record: {told}"),
        });
        self.pipeline.submit(batch.collect()).await.unwrap();
    }

    async fn flush(&self) {
        self.pipeline.store().flush(false).await.unwrap();
    }

    /// All contacts as a query would see them.
    async fn contacts(&self) -> Vec<ContactRow> {
        let snapshot = self.pipeline.store().snapshot();
        let table = &snapshot.tables["contacts"];
        let mut rows: Vec<ContactRow> =
            table.live.iter().flat_map(ContactRow::from_batch).collect();
        for batch in self.lake("contacts").await {
            rows.extend(ContactRow::from_batch(&batch).into_iter().filter(|r| {
                table
                    .hidden
                    .as_ref()
                    .is_none_or(|h| !h.hides(&r.contact_id, r.day.0))
            }));
        }
        rows.sort_by(|a, b| a.contact_id.cmp(&b.contact_id));
        rows
    }

    /// What the lake holds of a table.
    async fn lake(&self, table: &str) -> Vec<RecordBatch> {
        let store = self.pipeline.store();
        store.lake.scan(table, None, None).await.unwrap()
    }

    /// How many rows the lake holds of a table.
    async fn lake_rows(&self, table: &str) -> usize {
        self.lake(table).await.iter().map(|b| b.num_rows()).sum()
    }

    fn later(&self, seconds: i64) {
        self.clock
            .0
            .fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    /// Lets an hour pass, after which what has ended is settled, and flushes.
    async fn settle(&self) {
        self.later(3600);
        self.flush().await;
    }
}

/// Makes all rows of a folder anew, once its last bench has let go of it.
async fn rebuilt(
    options: &StoreOptions,
    interpreter: Arc<dyn Interpreter>,
    clock: Arc<Hand>,
) -> Rebuilt {
    loop {
        let done = rebuild(options.clone(), interpreter.clone(), clock.clone(), None).await;
        match done {
            Ok(done) => return done,
            Err(StoreError::Folder(DataFolderError::Locked { .. })) => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Err(e) => panic!("{e}"),
        }
    }
}

fn segment(id: &str, contact: &str, segment: &str, verb: &str, at: i64, rest: &str) -> String {
    let time = callboard_model::time::format_rfc3339(at);
    format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"/test","type":"callboard.segment.{verb}","time":"{time}","data":{{"contact_id":"{contact}","segment_id":"{segment}"{rest}}}}}"#
    )
}

/// Two contacts are one.
fn same(contact: &str, other: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"{contact}={other}","source":"/test","type":"callboard.link.recorded","time":"2026-03-02T10:00:00Z","data":{{"contact_id":"{contact}","other_id":"{other}","kind":"same"}}}}"#
    )
}

fn call(contact: &str, at: i64) -> Vec<String> {
    let talk = r#","kind":"talk","queue":"sales","agent":"Ann","parent":"q""#;
    [
        ("q", "started", 0, r#","kind":"queue","queue":"sales""#),
        ("q", "ended", 5, r#","outcome":"answered""#),
        ("t", "started", 5, talk),
        ("t", "ended", 35, r#","outcome":"completed""#),
    ]
    .iter()
    .zip(1..)
    .map(|((part, verb, after, rest), n)| {
        let id = format!("{contact}{n}");
        segment(&id, contact, part, verb, at + after * 1_000_000, rest)
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_visible_settles_and_survives() {
    let (dir, bench) = Bench::fresh().await;
    assert_eq!(bench.send(&call("a", T0)).await, vec![Verdict::Taken; 4]);
    let live = bench.contacts().await;
    assert_eq!(live.len(), 1);
    assert_eq!(
        (live[0].wait_ms, live[0].talk_ms),
        (Some(5_000), Some(30_000))
    );
    assert_eq!(live[0].outcome.as_deref(), Some("answered"));
    assert_eq!(bench.send(&call("a", T0)).await, vec![Verdict::Repeated; 4]);

    bench.settle().await;
    assert_eq!(bench.pipeline.store().health().open_keys, 0, "it settled");
    assert_eq!(bench.contacts().await, live);
    drop(bench);
    let bench = Bench::open(dir.path(), T0 + 7_200_000_000).await;
    assert_eq!(bench.contacts().await, live);
    assert_eq!(
        bench.send(&call("a", T0)).await,
        vec![Verdict::Repeated; 4],
        "ids survive"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_comes_back_without_a_clean_stop() {
    let dir = tempfile::tempdir().unwrap();
    let before = {
        let bench = Bench::open(dir.path(), T0).await;
        bench.send(&call("a", T0)).await;
        bench.flush().await;
        bench.send(&call("b", T0)[..3]).await;
        bench.contacts().await
    };
    assert_eq!(before.len(), 2);
    assert_eq!(before[1].state, "open");
    let bench = Bench::open(dir.path(), T0).await;
    assert_eq!(bench.contacts().await, before);
    bench.send(&call("b", T0)[3..]).await;
    assert_eq!(bench.contacts().await[1].state, "closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_record_corrects_what_had_settled() {
    let (_dir, bench) = Bench::fresh().await;
    bench.send(&call("a", T0)).await;
    bench.settle().await;
    let hold = segment(
        "late",
        "a",
        "h",
        "recorded",
        T0 + 20_000_000,
        r#","kind":"hold","parent":"t","start":"2026-03-02T09:15:14Z","end":"2026-03-02T09:15:20Z""#,
    );
    bench.send(&[hold]).await;
    bench.flush().await;
    let rows = bench.contacts().await;
    assert_eq!(rows.len(), 1, "replaced, not doubled: {rows:?}");
    assert_eq!(rows[0].hold_ms, Some(6_000));
    // Written as a stop writes it, before it has settled again: the mark stays.
    bench.pipeline.store().flush(true).await.unwrap();
    bench.settle().await;
    let rows = bench.contacts().await;
    assert_eq!((rows.len(), rows[0].hold_ms), (1, Some(6_000)));
    assert!(rows[0].corrected_at.is_some(), "{rows:?}");
    assert_eq!(bench.lake_rows("corrections").await, 1);
    // The same again changes nothing, and is no correction.
    let same = segment(
        "late2",
        "a",
        "q",
        "started",
        T0,
        r#","kind":"queue","queue":"sales""#,
    );
    bench.send(&[same]).await;
    bench.settle().await;
    assert_eq!(bench.lake_rows("corrections").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_that_prove_to_be_one_become_one_even_when_settled() {
    let (_dir, bench) = Bench::fresh().await;
    bench.send(&call("a", T0)).await;
    bench.send(&call("b", T0 + 40_000_000)).await;
    bench.settle().await;
    assert_eq!(bench.contacts().await.len(), 2);
    bench.send(&[same("b", "a")]).await;
    for _ in 0..2 {
        bench.flush().await;
        let rows = bench.contacts().await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!(rows[0].contact_id, "a");
        bench.later(3600);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_kept_as_a_dead_letter() {
    let (_dir, bench) = Bench::fresh().await;
    let bad = r#"{"specversion":"1.0","id":"x","source":"/test","type":"callboard.segment.started","data":{}}"#;
    let verdicts = bench.send(&[bad.to_owned()]).await;
    assert!(
        matches!(&verdicts[0], Verdict::Refused(r) if r.class == "no_time"),
        "{verdicts:?}"
    );
    let hidden = segment("y", "a\\u0000b", "q", "started", T0, r#","kind":"queue""#);
    let verdicts = bench.send(&[hidden]).await;
    assert!(
        matches!(&verdicts[0], Verdict::Refused(r) if r.class == "bad_value"),
        "{verdicts:?}"
    );
    bench.flush().await;
    assert_eq!(bench.lake_rows("dead_letters").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_settles_early_and_is_corrected() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = StoreOptions::new(dir.path());
    options.live_bytes = 100_000;
    let bench = Bench::open_with(T0, options).await;
    let calls: Vec<Vec<String>> = (0..100).map(|n| call(&format!("c{n}"), T0)).collect();
    let mut full = 0;
    for call in &calls {
        bench.send(&call[..3]).await;
        if bench.pipeline.store().held() > FULL {
            full += 1;
            bench.flush().await;
            let health = bench.pipeline.store().health();
            assert!(health.live_bytes <= 100_000, "{health:?}");
            assert!(health.open_keys > 0, "{health:?}");
        }
    }
    assert!(full > 0, "nothing more is taken before a flush makes room");
    assert_eq!(bench.contacts().await.len(), 100);
    for call in &calls {
        bench.send(&call[3..]).await;
        if bench.pipeline.store().held() > FULL {
            bench.flush().await;
        }
    }
    bench.pipeline.store().resolve().await.unwrap();
    let rows = bench.contacts().await;
    assert_eq!(rows.len(), 100);
    assert!(
        rows.iter()
            .all(|r| r.state == "closed" && r.talk_ms == Some(30_000)),
        "{rows:?}"
    );
}
