//! A fault in the reading of one key: others lose no row by it, and what cannot go on says so.

use std::sync::atomic::AtomicBool;

use callboard_model::ids::Key;
use callboard_model::record::{Interpreter, Refusal, Routing};
use callboard_model::statement::Statement;
use tokio_util::sync::CancellationToken;

use super::waits::line;
use super::*;
use crate::clockwork::{self, Periods};

/// Reads like [`Registry`], and panics once at such a key when it is told to.
struct Broken {
    at: fn(&Key) -> bool,
    armed: AtomicBool,
}

impl Broken {
    fn new(at: fn(&Key) -> bool) -> Arc<Self> {
        let armed = AtomicBool::new(false);
        Arc::new(Broken { at, armed })
    }

    fn arm(&self) {
        self.armed.store(true, Ordering::SeqCst);
    }
}

impl Interpreter for Broken {
    fn route(&self, record: &Record) -> Result<Routing, Refusal> {
        Registry.route(record)
    }

    fn interpret(&self, key: &Key, set: &[&Record]) -> Vec<Statement> {
        if (self.at)(key) && self.armed.swap(false, Ordering::SeqCst) {
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

#[tokio::test]
async fn a_look_that_ends_by_a_fault_loses_no_rows() {
    let dir = tempfile::tempdir().unwrap();
    let broken = Broken::new(agent);
    let bench = bench(dir.path(), &broken).await;
    bench.send(&call("a", T0)).await;
    let store = bench.pipeline.store().clone();
    assert_eq!(bench.contacts().await.len(), 1);

    // Of the same batch of 64 keys: one that is known, one that is new, and the one that fails.
    bench.send(&call("b", T0)).await;
    bench
        .pipeline
        .submit(vec![line("ADDMEMBER")])
        .await
        .unwrap();
    broken.arm();
    let looking = store.clone();
    let fault = tokio::spawn(async move { looking.snapshot() }).await;
    assert!(fault.is_err_and(|e| e.is_panic()));
    assert_eq!(bench.contacts().await.len(), 2);
    assert!(!store.snapshot().tables["agent_states"].live.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_that_ends_by_a_fault_is_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let broken = Broken::new(agent);
    let bench = bench(dir.path(), &broken).await;
    bench
        .pipeline
        .submit(vec![line("ADDMEMBER")])
        .await
        .unwrap();
    broken.arm();
    let stop = CancellationToken::new();
    let periods = Periods {
        flush: Duration::from_millis(20),
        ..Default::default()
    };
    clockwork::start(&bench.pipeline, periods, &stop);
    let until = Instant::now() + Duration::from_secs(30);
    while bench.pipeline.store().health().flushes < 2 {
        assert!(Instant::now() < until, "no flush came after the fault");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.cancel();
    assert!(!broken.armed.load(Ordering::SeqCst), "there was no fault");
    assert_eq!(bench.pipeline.failure(), None);
    let states = &bench.pipeline.store().snapshot().tables["agent_states"];
    assert!(states.lake.is_some() || !states.live.is_empty());
}

#[tokio::test]
async fn a_fold_that_ends_by_a_fault_takes_nothing_more_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let broken = Broken::new(|key| matches!(key, Key::Instance(_)));
    {
        let bench = bench(dir.path(), &broken).await;
        bench.send(&call("a", T0)).await;
        assert_eq!(bench.pipeline.failure(), None);
        broken.arm();
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
    let bench = bench(dir.path(), &broken).await;
    assert_eq!(bench.contacts().await.len(), 1);
    let restarts = bench.pipeline.submit(vec![line("QUEUESTART")]).await;
    assert_eq!(restarts.unwrap(), [Verdict::Repeated], "it was in the log");
}
