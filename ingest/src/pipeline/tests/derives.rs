//! Tables of intervals are made beside flushes, and hold nobody up.

use callboard_store::snapshot::Snapshot;
use callboard_store::store::Derive;

use super::*;

/// Makes no rows, and waits until it may go on.
#[derive(Default)]
struct Gated {
    /// The days of each round.
    asked: Mutex<Vec<Vec<i32>>>,
    arrived: tokio::sync::Notify,
    go: tokio::sync::Notify,
    /// Which round fails at once, counted from 1; 0 for none.
    fails: usize,
    /// And which when it is let go on.
    fails_late: usize,
}

#[async_trait]
impl Derive for Gated {
    async fn derive(
        &self,
        _: Arc<Snapshot>,
        days: &[i32],
    ) -> Result<BTreeMap<&'static str, Vec<RecordBatch>>, String> {
        let round = {
            let mut asked = self.asked.lock();
            asked.push(days.to_vec());
            asked.len()
        };
        if round == self.fails {
            return Err("as the test has it".to_owned());
        }
        self.arrived.notify_one();
        self.go.notified().await;
        if round == self.fails_late {
            return Err("as the test has it".to_owned());
        }
        let none = ["queue_intervals", "agent_intervals"];
        Ok(none.into_iter().map(|table| (table, Vec::new())).collect())
    }
}

/// Rounds follow each other when the one before has rested.
async fn next_round(bench: &Bench, gated: &Gated) -> tokio::task::JoinHandle<()> {
    let before = gated.asked.lock().len();
    let store = bench.pipeline.store().clone();
    let round = tokio::spawn(async move {
        let until = Instant::now() + Duration::from_secs(60);
        while Instant::now() < until {
            store.derive_due().await.unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    tokio::time::timeout(Duration::from_secs(60), gated.arrived.notified())
        .await
        .expect("a round begins");
    assert_eq!(gated.asked.lock().len(), before + 1);
    round
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_does_not_wait_and_what_it_touches_is_made_again() {
    let (_dir, bench) = Bench::fresh().await;
    let gated = Arc::new(Gated::default());
    let store = bench.pipeline.store().clone();
    store.set_derive(gated.clone());
    bench.send(&call("a", T0)).await;
    bench.settle().await;
    let rounds = next_round(&bench, &gated).await;
    // While the round waits.
    bench.send(&call("b", T0)).await;
    tokio::time::timeout(Duration::from_secs(20), bench.settle())
        .await
        .expect("the flush waits for nobody");
    assert_eq!(bench.lake_rows("contacts").await, 2);
    gated.go.notify_one();
    tokio::time::timeout(Duration::from_secs(60), gated.arrived.notified())
        .await
        .expect("the day was touched");
    gated.go.notify_one();
    let asked = gated.asked.lock().clone();
    assert_eq!((asked.len(), &asked[0]), (2, &asked[1]));
    // Nothing is due any more.
    let until = Instant::now() + Duration::from_secs(3);
    while Instant::now() < until {
        assert_eq!(gated.asked.lock().len(), 2);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    rounds.abort();
}

/// Another round, which fails, begins while the first is under way. That one fails too, or not: nobody
/// hears of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_round_that_another_overtook_is_void() {
    for fails_late in [0, 1] {
        overtaken(fails_late).await;
    }
}

async fn overtaken(fails_late: usize) {
    let (_dir, bench) = Bench::fresh().await;
    let gated = Arc::new(Gated {
        fails: 2,
        fails_late,
        ..Gated::default()
    });
    let store = bench.pipeline.store().clone();
    store.set_derive(gated.clone());
    bench.send(&call("a", T0)).await;
    bench.settle().await;
    let rounds = next_round(&bench, &gated).await;
    bench.send(&call("b", T0)).await;
    // All of it: this makes intervals at once, and fails.
    store.flush(true).await.unwrap();
    assert_eq!(gated.asked.lock().len(), 2);
    gated.go.notify_one();
    // What the first round made knows nothing of the second call: the day is still due.
    tokio::time::timeout(Duration::from_secs(60), gated.arrived.notified())
        .await
        .expect("the day is made again");
    rounds.abort();
}
