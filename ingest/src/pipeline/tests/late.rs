//! Records that come when the lake has the rows of their keys already, and what is let go of when too
//! much is held.

use std::fs;

use callboard_model::ids::PlatformId;
use callboard_model::record::{Interpreter, Refusal, RouteKey, Routing};
use callboard_model::statement::Statement;
use callboard_model::tables::RecordingRow;
use callboard_model::time::format_rfc3339;

use super::*;

const DAY: i64 = 86_400;

/// What somebody wrote down of the end of the talk of contact `a`, so many seconds after the call.
fn talk(id: &str, end: i64, written: i64) -> String {
    let end = format_rfc3339(T0 + end * 1_000_000);
    let rest = format!(r#","kind":"talk","queue":"sales","end":"{end}""#);
    segment(id, "a", "t", "recorded", T0 + written * 1_000_000, &rest)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let there = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &there),
            false => drop(fs::copy(entry.path(), there).unwrap()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_flush_that_did_not_count_has_written_is_known_to_what_comes_later() {
    let dir = tempfile::tempdir().unwrap();
    let (state, kept) = (dir.path().join("state"), dir.path().join("kept"));
    let now = {
        let bench = Bench::open(dir.path(), T0).await;
        bench.send(&call("a", T0)).await;
        bench.send(&[talk("first", 60, 100)]).await;
        bench.settle().await;
        assert_eq!(bench.contacts().await[0].talk_ms, Some(55_000));
        // A day later the same is said again: no row changes, and the flush writes the record alone.
        bench.later(DAY);
        bench.send(&[talk("again", 60, 400)]).await;
        copy(&state, &kept);
        bench.flush().await;
        assert_eq!(bench.lake_rows("records").await, 6);
        bench.clock.now()
    };
    // As if the process had died before that flush counted.
    let bench = Bench::open(dir.path(), now).await;
    drop(bench);
    fs::remove_dir_all(&state).unwrap();
    fs::rename(&kept, &state).unwrap();
    let bench = Bench::open(dir.path(), now).await;
    assert_eq!(bench.lake_rows("records").await, 6);
    // Written before what was said again, though it comes after it.
    bench.send(&[talk("between", 90, 200)]).await;
    bench.pipeline.store().resolve().await.unwrap();
    assert_eq!(bench.contacts().await[0].talk_ms, Some(55_000));
    bench.settle().await;
    assert_eq!(bench.contacts().await[0].talk_ms, Some(55_000));
}

/// Reads like [`Registry`]; what is told of contact `a` by records called `both…` is told of `b` too.
struct Both;

impl Interpreter for Both {
    fn route(&self, record: &Record) -> Result<Routing, Refusal> {
        let mut routing = Registry.route(record)?;
        if record.id.starts_with("both") {
            let id = PlatformId::new("callboard", "", "b");
            routing.keys.push(RouteKey::Contact(vec![id]));
        }
        Ok(routing)
    }

    fn interpret(&self, key: &callboard_model::ids::Key, set: &[&Record]) -> Vec<Statement> {
        Registry.interpret(key, set)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_open_does_not_wait_for_another_that_has_settled() {
    let dir = tempfile::tempdir().unwrap();
    let open = |now| Bench::open_reading(now, StoreOptions::new(dir.path()), Arc::new(Both));
    let bench = open(T0).await;
    bench.send(&call("a", T0)).await;
    bench.settle().await;
    bench.send(&call("b", T0)[..3]).await;
    bench.flush().await;
    let health = bench.pipeline.store().health();
    assert_eq!((health.open_keys, health.late), (1, 0));
    // Of `a` it says what is known.
    let same = r#","outcome":"completed""#;
    let same = segment("both1", "a", "t", "ended", T0 + 35_000_000, same);
    bench.send(&[same]).await;
    assert_eq!(bench.pipeline.store().health().late, 1);
    let is_told = |rows: Vec<ContactRow>| {
        assert_eq!(rows.len(), 2, "{rows:?}");
        for row in rows {
            assert_eq!((&*row.state, row.talk_ms), ("closed", Some(30_000)));
            assert_eq!(row.corrected_at, None, "{}", row.contact_id);
        }
    };
    is_told(bench.contacts().await);
    let now = bench.clock.now();
    drop(bench);
    let bench = open(now).await;
    is_told(bench.contacts().await);
    bench.settle().await;
    assert_eq!(bench.pipeline.store().health().open_keys, 0);
    is_told(bench.contacts().await);
    assert_eq!(bench.lake_rows("corrections").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn under_pressure_recordings_that_wait_for_their_transcript_go_last() {
    for transcribes in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let mut options = StoreOptions::new(dir.path());
        options.live_bytes = 200_000;
        options.transcribes = transcribes;
        let bench = Bench::open_with(T0, options).await;
        let recorded = |n: usize| {
            let at = format_rfc3339(T0);
            format!(
                r#"{{"specversion":"1.0","id":"r{n}","source":"/test","type":"callboard.recording.recorded","time":"{at}","data":{{"recording_id":"r{n}","contact_id":"x{n}","leg":"both","state":"ready"}}}}"#
            )
        };
        let recordings: Vec<String> = (0..20).map(recorded).collect();
        bench.send(&recordings).await;
        for n in 0..100 {
            bench.send(&call(&format!("c{n}"), T0)[..3]).await;
        }
        bench.flush().await;
        let store = bench.pipeline.store();
        assert!(store.health().live_bytes <= 200_000);
        let waiting = store.untranscribed().len();
        match transcribes {
            true => assert_eq!(waiting, 20),
            false => assert_eq!(waiting, 0, "nobody will ask for them"),
        }
        let lake = bench.lake("recordings").await;
        let rows: usize = lake.iter().map(|b| RecordingRow::from_batch(b).len()).sum();
        assert_eq!(rows + waiting, 20);
        assert!(bench.lake_rows("contacts").await > 10);
    }
}
