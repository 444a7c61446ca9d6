//! However often somebody looks meanwhile, the picture is the same in the end.

use callboard_model::tables::SegmentRow;

use super::*;

/// Live rows of contacts and segments, in an order of their own.
fn live(bench: &Bench) -> Vec<String> {
    let snapshot = bench.pipeline.store().snapshot();
    let of = |table: &str| snapshot.tables[table].live.clone();
    let contacts = of("contacts").into_iter();
    let segments = of("segments").into_iter();
    let mut rows: Vec<String> = contacts
        .flat_map(|b| ContactRow::from_batch(&b))
        .map(|r| format!("{r:?}"))
        .chain(
            segments
                .flat_map(|b| SegmentRow::from_batch(&b))
                .map(|r| format!("{r:?}")),
        )
        .collect();
    rows.sort();
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_often_changes_nothing() {
    let (_often, often) = Bench::fresh().await;
    let (_once, once) = Bench::fresh().await;
    // Three groups of contacts; their calls' first events one after the other, then the second
    // ones in another order, so that old groups change a key at a time.
    let calls: Vec<Vec<String>> = (0..150).map(|n| call(&format!("c{n}"), T0)).collect();
    let longest = calls.iter().map(Vec::len).max().unwrap();
    let mut all = Vec::new();
    for nth in 0..longest {
        for k in 0..calls.len() {
            let call = &calls[(k * (1 + 36 * nth)) % calls.len()];
            all.extend(call.get(nth).cloned());
        }
    }
    assert_eq!(all.len(), calls.iter().map(Vec::len).sum::<usize>());
    // Some of the youngest prove to be one with some of the oldest.
    all.extend((0..10).map(|n| same(&format!("c{}", 149 - n), &format!("c{n}"))));
    for events in all.chunks(7) {
        often.send(events).await;
        assert!(!live(&often).is_empty());
        once.send(events).await;
    }
    let rows = live(&often);
    assert!(rows.len() > 2 * calls.len(), "{} rows", rows.len());
    assert_eq!(rows, live(&once));
}
