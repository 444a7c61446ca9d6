//! How far a source was read is exactly as durable as what was read.

use callboard_model::record::Refusal;

use super::*;
use crate::doors::event::dead;

fn at(partition: i32, next: i64) -> Position {
    Position {
        source: "calls".into(),
        topic: "t".into(),
        partition,
        next,
    }
}

fn poison(n: usize) -> Candidate {
    let refusal = Refusal::new("not_json", format!("poison {n}"));
    Candidate::Dead(dead("/callboard/kafka/calls", refusal, b"poison"))
}

async fn mark(bench: &Bench, partition: i32) -> Option<i64> {
    let tables = bench.pipeline.store().lake.snapshots();
    let table = &tables["records"];
    let name = format!("kafka/calls/t/{partition}");
    let state = table.snapshot().unwrap();
    let log = table.log_store();
    let asked = state.transaction_version(log.as_ref(), &name);
    asked.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_come_back_from_the_log_and_from_the_flush() {
    let dir = tempfile::tempdir().unwrap();
    let bench = Bench::open(dir.path(), T0).await;
    let next = |bench: &Bench, partition| bench.pipeline.position("calls", "t", partition);
    assert_eq!(next(&bench, 0), None);
    bench.send(&call("a", T0)).await;
    let read = bench
        .pipeline
        .submit_read(vec![poison(1)], vec![at(0, 7), at(1, 1)]);
    assert!(matches!(read.await.unwrap()[0], Verdict::Refused(_)));
    assert_eq!((next(&bench, 0), next(&bench, 1)), (Some(7), Some(1)));
    assert_eq!(
        (next(&bench, 2), bench.pipeline.position("other", "t", 0)),
        (None, None)
    );

    // Out of the log alone.
    drop(bench);
    let bench = Bench::open(dir.path(), T0).await;
    assert_eq!((next(&bench, 0), next(&bench, 1)), (Some(7), Some(1)));
    assert_eq!(mark(&bench, 0).await, None);

    // Out of the flush, with what came after it, also where that is nothing but a position.
    bench.settle().await;
    assert_eq!(
        (mark(&bench, 0).await, mark(&bench, 1).await),
        (Some(6), Some(0))
    );
    let later = bench.pipeline.submit_read(Vec::new(), vec![at(0, 9)]);
    assert!(later.await.unwrap().is_empty());
    drop(bench);
    let bench = Bench::open(dir.path(), T0 + 7_200_000_000).await;
    assert_eq!((next(&bench, 0), next(&bench, 1)), (Some(9), Some(1)));

    // A position may go back: a topic was made anew.
    let back = bench.pipeline.submit_read(vec![poison(2)], vec![at(0, 2)]);
    back.await.unwrap();
    bench.send(&call("b", T0)).await;
    bench.flush().await;
    assert_eq!(mark(&bench, 0).await, Some(1));
    drop(bench);
    let bench = Bench::open(dir.path(), T0 + 7_200_000_000).await;
    assert_eq!(next(&bench, 0), Some(2));
    assert_eq!(bench.lake_rows("dead_letters").await, 2);
}
