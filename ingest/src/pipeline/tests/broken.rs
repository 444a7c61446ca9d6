//! A fault in the reading of one key: others lose no row by it, and what cannot go on says so.

use std::sync::atomic::AtomicBool;

use callboard_model::ids::Key;
use callboard_model::record::{Interpreter, Refusal, Routing};
use callboard_model::statement::Statement;

use super::waits::line;
use super::*;

/// Reads like [`Registry`], and panics at such a key as long as it is told to.
struct Broken {
    at: fn(&Key) -> bool,
    armed: AtomicBool,
}

impl Broken {
    fn new(at: fn(&Key) -> bool) -> Arc<Self> {
        let armed = AtomicBool::new(false);
        Arc::new(Broken { at, armed })
    }

    fn arm(&self, armed: bool) {
        self.armed.store(armed, Ordering::SeqCst);
    }
}

impl Interpreter for Broken {
    fn route(&self, record: &Record) -> Result<Routing, Refusal> {
        Registry.route(record)
    }

    fn interpret(&self, key: &Key, set: &[&Record]) -> Vec<Statement> {
        if (self.at)(key) && self.armed.load(Ordering::SeqCst) {
            panic!("a fault that was planted");
        }
        Registry.interpret(key, set)
    }
}

fn agent(key: &Key) -> bool {
    matches!(key, Key::Agent(..))
}

async fn bench(dir: &Path, broken: &Arc<Broken>) -> Bench {
    Bench::open_reading(T0, StoreOptions::new(dir), broken.clone()).await
}

/// Rows of `agent_states` that the line of a member makes.
const STATES: usize = 2;

fn faulty(bench: &Bench) -> Vec<String> {
    let health = bench.pipeline.store().health();
    health.faulty.into_iter().collect()
}

fn states(bench: &Bench) -> usize {
    let states = &bench.pipeline.store().snapshot().tables["agent_states"];
    states.live.iter().map(RecordBatch::num_rows).sum()
}

#[tokio::test]
async fn a_key_whose_rows_cannot_be_made_is_left_out_alone_until_they_can() {
    let dir = tempfile::tempdir().unwrap();
    let broken = Broken::new(agent);
    let bench = bench(dir.path(), &broken).await;
    bench.send(&call("a", T0)).await;
    assert_eq!(bench.contacts().await.len(), 1);

    // Of the same batch of 64 keys: one that is known, one that is new, and the one that fails.
    bench.send(&call("b", T0)).await;
    let member = vec![line("ADDMEMBER")];
    bench.pipeline.submit(member).await.unwrap();
    broken.arm(true);
    assert_eq!(bench.contacts().await.len(), 2);
    assert_eq!((states(&bench), faulty(&bench).len()), (0, 1));
    assert!(
        faulty(&bench)[0].starts_with("agent:"),
        "{:?}",
        faulty(&bench)
    );

    // A flush without the fault tries again.
    broken.arm(false);
    bench.flush().await;
    assert_eq!((states(&bench), faulty(&bench)), (STATES, Vec::new()));
}

#[tokio::test]
async fn flushes_and_starts_go_on_beside_a_key_whose_rows_cannot_be_made() {
    let dir = tempfile::tempdir().unwrap();
    let broken = Broken::new(agent);
    broken.arm(true);
    for round in 1..3 {
        let bench = bench(dir.path(), &broken).await;
        bench.send(&call(&format!("a{round}"), T0)).await;
        let member = vec![line("ADDMEMBER")];
        bench.pipeline.submit(member).await.unwrap();
        bench.settle().await;
        assert_eq!(bench.pipeline.failure(), None);
        assert_eq!(bench.contacts().await.len(), round);
        assert_eq!(bench.lake_rows("contacts").await, round);
        assert_eq!(bench.lake_rows("records").await, 1 + 4 * round);
        assert_eq!(bench.lake_rows("agent_states").await, 0);
        assert_eq!((states(&bench), faulty(&bench).len()), (0, 1));
    }
    broken.arm(false);
    let bench = bench(dir.path(), &broken).await;
    assert_eq!((states(&bench), faulty(&bench)), (STATES, Vec::new()));
    bench.flush().await;
    assert_eq!(bench.lake_rows("agent_states").await, STATES);
}

/// A line of a queue's log about a contact, so many seconds after it began.
fn told(bench: &Bench, line: &str, at: i64) -> Candidate {
    let stamp = callboard_model::record::Stamp {
        instance: "pbx1".into(),
        ..Default::default()
    };
    let text = format!("{}|1795253950.1|sales|NONE|{line}", T0 / 1_000_000 + at);
    Candidate::Record(Record {
        source: "/asterisk/pbx1/queue_log".into(),
        id: line.into(),
        format: "asterisk/queue_log".into(),
        received_at: bench.clock.now(),
        stamp: Arc::new(stamp),
        bytes: text.into_bytes().into(),
    })
}

/// A contact that waited for nine seconds.
async fn abandoned(bench: &Bench) {
    let lines = vec![
        told(bench, "ENTERQUEUE||5551", 0),
        told(bench, "ABANDON|1|1|9", 9),
    ];
    bench.pipeline.submit(lines).await.unwrap();
}

/// A contact in the lake of which a late record tells: what the lake says of it is out of date, and
/// nothing else is known.
#[tokio::test]
async fn a_contact_whose_rows_can_be_made_no_more_is_in_no_figure_and_said() {
    let dir = tempfile::tempdir().unwrap();
    let broken = Broken::new(|key| matches!(key, Key::Contact(_)));
    let bench = bench(dir.path(), &broken).await;
    abandoned(&bench).await;
    bench.settle().await;
    let before = bench.contacts().await;
    assert_eq!((before.len(), bench.lake_rows("contacts").await), (1, 1));
    broken.arm(true);
    let late = vec![told(&bench, "EXITWITHKEY|1|1", 8)];
    bench.pipeline.submit(late).await.unwrap();
    bench.settle().await;
    assert_eq!(bench.contacts().await, []);
    assert_eq!(faulty(&bench).len(), 1);
    broken.arm(false);
    bench.flush().await;
    assert_eq!(bench.contacts().await.len(), 1);
    bench.settle().await;
    assert_eq!(
        (bench.lake_rows("contacts").await, faulty(&bench)),
        (1, Vec::new())
    );
}

#[tokio::test]
async fn a_rebuild_leaves_rows_that_cannot_be_made_as_they_are_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let broken = Broken::new(|key| matches!(key, Key::Contact(_)));
    let (clock, before) = {
        let bench = bench(dir.path(), &broken).await;
        abandoned(&bench).await;
        bench.send(&call("a", T0)).await;
        bench.settle().await;
        (bench.clock.clone(), bench.contacts().await)
    };
    assert_eq!(before.len(), 2);
    broken.arm(true);
    let done = rebuilt(&StoreOptions::new(dir.path()), broken.clone(), clock).await;
    // Of the other contact every record stands alone.
    assert_eq!((done.keys, done.lost.len()), (2, 1), "{:?}", done.lost);
    assert!(done.lost[0].contains("1795253950.1"), "{:?}", done.lost);
    broken.arm(false);
    let bench = bench(dir.path(), &broken).await;
    assert_eq!(bench.contacts().await, before);
    assert_eq!(bench.lake_rows("contacts").await, 2);
}

#[tokio::test]
async fn a_fold_that_ends_by_a_fault_takes_nothing_more_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let broken = Broken::new(|key| matches!(key, Key::Instance(_)));
    {
        let bench = bench(dir.path(), &broken).await;
        bench.send(&call("a", T0)).await;
        assert_eq!(bench.pipeline.failure(), None);
        broken.arm(true);
        for again in 0..2 {
            let taken = bench.pipeline.submit(vec![line("QUEUESTART")]).await;
            let Err(Unavailable::Poisoned(why)) = taken else {
                panic!("{again}: {taken:?}");
            };
            assert!(why.contains("restart"), "{why}");
        }
        assert_eq!(bench.pipeline.failure().as_deref(), Some(FOLD_ENDED));
        let flushed = bench.pipeline.store().flush(true).await;
        assert!(matches!(flushed, Err(StoreError::Torn)), "{flushed:?}");
    }
    broken.arm(false);
    let bench = bench(dir.path(), &broken).await;
    assert_eq!(bench.contacts().await.len(), 1);
    let restarts = bench.pipeline.submit(vec![line("QUEUESTART")]).await;
    assert_eq!(restarts.unwrap(), [Verdict::Repeated], "it was in the log");
}
