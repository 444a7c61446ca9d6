//! What is older than it is kept goes, nothing brings it back, and what is left stays right.

use callboard_model::tables::{AgentStateRow, Instant};
use callboard_store::doctor::examine;
use callboard_store::live::keyrows::KEYED;
use callboard_store::store::retention::Keep;

use super::*;

const DAY: i64 = 86_400_000_000;

fn options(dir: &Path, days: i32) -> StoreOptions {
    let mut options = StoreOptions::new(dir);
    let made = KEYED.iter().map(|spec| spec().name);
    let made = made.filter(|name| *name != "queue_targets");
    options.keep = made.chain(["records"]).map(|name| (name, days)).collect();
    options
}

fn day(at: i64) -> i32 {
    Instant(at).day().0
}

/// Something that is said of a contact at that time.
fn word(id: &str, contact: &str, at: i64) -> String {
    let rest = r#","kind":"menu","name":"step","start":"TIME","outcome":"selected""#;
    let rest = rest.replace("TIME", &callboard_model::time::format_rfc3339(at));
    segment(id, contact, id, "recorded", at, &rest)
}

async fn ids(bench: &Bench) -> Vec<String> {
    let rows = bench.contacts().await.into_iter();
    rows.map(|r| r.contact_id).collect()
}

/// Makes all rows anew, and lets the doctor look.
async fn rebuilt_and_whole(options: &StoreOptions, clock: Arc<Hand>) {
    let done = rebuilt(options, Arc::new(Registry), clock.clone()).await;
    assert!(done.records > 0);
    let found = examine(options, Arc::new(Registry), &*clock, true, &|_| {}).await;
    let found = found.unwrap();
    assert!(!found.damaged(), "{:?}", found.findings);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_days_go_and_nothing_brings_them_back() {
    let dir = tempfile::tempdir().unwrap();
    let kept = options(dir.path(), 30);
    let bench = Bench::open_with(T0, kept.clone()).await;
    bench.send(&call("old", T0)).await;
    bench.send(&call("long", T0)[..3]).await;
    let login = format!(
        r#"{{"specversion":"1.0","id":"login","source":"/test","type":"callboard.agent.changed","time":"{}","data":{{"agent":"Ann","state":"available"}}}}"#,
        callboard_model::time::format_rfc3339(T0)
    );
    bench.send(&[login]).await;
    bench.settle().await;
    // A day later: the rest of the long one, and another.
    bench.later(86_400);
    let end = r#","outcome":"completed""#;
    let end = segment("end", "long", "t", "ended", T0 + DAY, end);
    bench.send(&[end]).await;
    bench.send(&call("next", T0 + DAY)).await;
    bench.settle().await;
    bench.later(28 * 86_400);
    bench.send(&call("young", T0 + 29 * DAY)).await;
    bench.settle().await;
    let store = bench.pipeline.store().clone();
    let all = ["long", "next", "old", "young"];
    assert_eq!(ids(&bench).await, all);
    assert!(store.retain().await.unwrap().rows.is_empty(), "not old yet");
    assert_eq!(ids(&bench).await, all);

    bench.later(2 * 86_400);
    let records = bench.lake_rows("records").await;
    let went = store.retain().await.unwrap().rows;
    // Of the first day seven records of calls; the agent's stays, since later rows follow from it.
    assert_eq!(went["records"], 7, "{went:?}");
    assert_eq!(bench.lake_rows("records").await, records - 7);
    assert_eq!(went["contacts"], 3, "{went:?}");
    assert_eq!(ids(&bench).await, ["young"]);
    let horizon = day(T0) + 2;
    bench.flush().await;
    let spans = bench.lake("agent_states").await;
    let spans: Vec<_> = spans.iter().flat_map(AgentStateRow::from_batch).collect();
    assert!(spans.iter().all(|s| s.day.0 >= horizon), "{spans:?}");
    // What follows from the login, of which nothing was heard since.
    assert!(spans.iter().any(|s| s.state == "unknown"), "{spans:?}");
    let snapshot = store.snapshot();
    let live = snapshot.tables["agent_states"].live.iter();
    let live: Vec<_> = live.flat_map(AgentStateRow::from_batch).collect();
    assert!(!live.is_empty() && live.iter().all(|s| s.day.0 >= horizon));
    assert!(store.retain().await.unwrap().rows.is_empty(), "once a day");

    // Late words: of one whose records went, of one of which a part is left, of one whose row went,
    // and of days that were never kept. They are taken, and make no row.
    let now = bench.clock.now();
    for contact in ["old", "long", "next"] {
        let word = word(&format!("late-{contact}"), contact, now);
        assert_eq!(bench.send(&[word]).await, [Verdict::Taken]);
    }
    bench.send(&call("ancient", T0 - 100 * DAY)).await;
    store.resolve().await.unwrap();
    assert_eq!(ids(&bench).await, ["young"]);
    bench.settle().await;
    bench.settle().await;
    assert_eq!(ids(&bench).await, ["young"]);
    assert_eq!(bench.lake_rows("contacts").await, 1);
    // One that is kept is corrected as ever.
    bench
        .send(&[word("late-young", "young", T0 + 29 * DAY)])
        .await;
    bench.settle().await;
    assert_eq!(bench.lake_rows("corrections").await, 1);
    let (clock, rows) = (bench.clock.clone(), bench.contacts().await);
    drop((bench, store));

    rebuilt_and_whole(&kept, clock.clone()).await;
    // Neither does keeping longer.
    let longer = options(dir.path(), 4_000);
    rebuilt_and_whole(&longer, clock.clone()).await;
    let bench = Bench::open_with(clock.now(), longer).await;
    assert_eq!(bench.contacts().await, rows);
    assert_eq!(bench.lake_rows("contacts").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_go_before_their_records_and_each_table_by_its_own_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut kept = options(dir.path(), 30);
    kept.keep = Keep::from([("segments", 3)]);
    let bench = Bench::open_with(T0, kept).await;
    bench.send(&call("a", T0)).await;
    bench.settle().await;
    bench.later(4 * 86_400);
    let went = bench.pipeline.store().retain().await.unwrap().rows;
    assert_eq!(went, [("segments", 2)].into());
    assert_eq!(ids(&bench).await, ["a"]);
    // A correction brings the contact's row anew, and not its segments.
    bench.send(&[word("late", "a", T0)]).await;
    bench.settle().await;
    assert_eq!(bench.lake_rows("segments").await, 0);
    assert_eq!(
        (ids(&bench).await.len(), bench.lake_rows("records").await),
        (1, 5)
    );
}
