//! Who brings records waits for nobody's rows.

use std::sync::mpsc;

use callboard_model::ids::Key;
use callboard_model::record::{Interpreter, Refusal, Routing, Stamp};
use callboard_model::statement::Statement;

use super::*;

/// Reads like [`Registry`]; while it is told to, whoever has a key's records read waits until he may
/// go on.
#[derive(Default)]
struct Gated(Mutex<Option<Gate>>);

struct Gate {
    arrived: mpsc::Sender<()>,
    go: mpsc::Receiver<()>,
}

impl Interpreter for Gated {
    fn route(&self, record: &Record) -> Result<Routing, Refusal> {
        Registry.route(record)
    }

    fn interpret(&self, key: &Key, set: &[&Record]) -> Vec<Statement> {
        let gate = self.0.lock().take();
        if let Some(gate) = gate {
            gate.arrived.send(()).unwrap();
            // Nobody comes for good where this holds somebody up.
            let _ = gate.go.recv_timeout(Duration::from_secs(20));
        }
        Registry.interpret(key, set)
    }
}

/// A line of an Asterisk queue's log, of a member or of all.
pub(super) fn line(event: &str) -> Candidate {
    let stamp = Stamp {
        instance: "pbx1".into(),
        ..Default::default()
    };
    let who = match event {
        "QUEUESTART" => "NONE|NONE",
        _ => "sales|SIP/1",
    };
    Candidate::Record(Record {
        source: "/asterisk/pbx1/queue_log".into(),
        id: event.into(),
        format: "asterisk/queue_log".into(),
        received_at: T0,
        stamp: Arc::new(stamp),
        bytes: format!("{}|NONE|{who}|{event}|", T0 / 1_000_000)
            .into_bytes()
            .into(),
    })
}

/// `makes` makes rows on a thread of its own. Meanwhile a call comes in, and is acknowledged.
async fn nobody_waits_while<F: Future<Output = ()> + Send + 'static>(
    makes: impl FnOnce(Arc<Store>) -> F,
) {
    let dir = tempfile::tempdir().unwrap();
    let gated = Arc::new(Gated::default());
    let options = StoreOptions::new(dir.path());
    let bench = Bench::open_reading(T0, options, gated.clone()).await;
    bench
        .pipeline
        .submit(vec![line("ADDMEMBER")])
        .await
        .unwrap();

    let (arrived, comes) = mpsc::channel();
    let (goes, go) = mpsc::channel();
    *gated.0.lock() = Some(Gate { arrived, go });
    let making = tokio::spawn(makes(bench.pipeline.store().clone()));
    let came = tokio::task::spawn_blocking(move || comes.recv_timeout(Duration::from_secs(20)));
    came.await.unwrap().expect("rows of the agent are made");
    let call = call("a", T0);
    let taken = tokio::time::timeout(Duration::from_secs(10), bench.send(&call));
    let taken = taken.await.expect("nobody holds the sender up");
    assert_eq!(taken, vec![Verdict::Taken; 4]);
    goes.send(()).unwrap();
    making.await.unwrap();

    let snapshot = bench.pipeline.store().snapshot();
    assert!(!snapshot.tables["agent_states"].live.is_empty());
    assert_eq!(bench.contacts().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_waits_for_a_flush() {
    nobody_waits_while(|store| async move {
        store.flush(true).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_waits_for_a_look() {
    nobody_waits_while(|store| async move {
        store.snapshot();
    })
    .await;
}

/// Nothing is flushed meanwhile: what is held stays.
#[tokio::test]
async fn a_flood_of_one_source_leaves_memory_for_others() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = StoreOptions::new(dir.path());
    options.live_bytes = 100_000;
    let bench = Bench::open_with(T0, options).await;
    let bring = async |source: &str, n: usize| {
        let call = call(&format!("{source}{n}"), T0);
        let records = call[..3].iter().map(|event| {
            let id: serde_json::Value = serde_json::from_str(event).unwrap();
            Candidate::Record(Record {
                source: source.into(),
                id: id["id"].as_str().unwrap().into(),
                format: "event".into(),
                received_at: T0,
                stamp: Arc::default(),
                bytes: event.as_bytes().into(),
            })
        });
        bench.pipeline.submit(records.collect()).await
    };
    let held = || bench.pipeline.store().held();
    bring("/other", 0).await.unwrap();
    let mut flood = 0;
    let told = loop {
        match bring("/flood", flood).await {
            Ok(_) => flood += 1,
            Err(told) => break told,
        }
    };
    assert_eq!(told, Unavailable::Full { retry_after_s: 5 });
    let between = held() > CROWDED && held() < FULL;
    assert!(flood > 10 && between, "{flood} {}", held());
    for n in 1..5 {
        bring("/other", n).await.unwrap();
    }
    assert!(bring("/flood", flood).await.is_err());
    assert_eq!(bench.contacts().await.len(), flood + 5);
    bench.flush().await;
    bring("/flood", flood).await.unwrap();
}
