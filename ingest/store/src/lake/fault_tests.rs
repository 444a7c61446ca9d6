//! Storage that fails at any write, before or after the effect.

use std::sync::atomic::Ordering;

use super::localstore::SyncedFiles;
use super::tests::{SPECS, all, link, replacing};
use super::*;
use crate::sim::objects::Faulty;
use crate::sim::shaking::{REFUSALS, Refusal, When};

#[tokio::test]
async fn a_storage_fault_at_any_write_leaves_the_table_right() {
    let dir = tempfile::tempdir().unwrap();
    let mut met = 0;
    for when in [When::Before, When::After] {
        for n in 0..4 {
            let place = dir.path().join(format!("{when:?} {n}"));
            std::fs::create_dir(&place).unwrap();
            let (url, _) = locate(place.to_str().unwrap()).unwrap();
            let faulty = Arc::new(Faulty::new(Arc::new(SyncedFiles::new(&place)), when));
            let store: Arc<dyn ObjectStore> = faulty.clone();
            let options = LakeOptions {
                checkpoint_interval: 3,
                ..LakeOptions::default()
            };
            let lake = Lake::open_at(url, Some(store), SPECS, options)
                .await
                .unwrap();
            let mut rows = vec![];
            for flush in 1..=5i64 {
                let id = flush.to_string();
                rows.push((id.clone(), id.clone(), 20_000));
                let plan = replacing(&[link(&id, &id, 20_000)], &[20_000], &[&id]);
                if flush == 3 {
                    faulty.shaking.fail_after(n);
                }
                if let Err(error) = lake.write("links", flush, plan.clone()).await {
                    assert!(error.to_string().contains("as the test asked"), "{error}");
                    assert!(lake.health()[0].last_error.is_some());
                    met += 1;
                    lake.write("links", flush, plan).await.unwrap();
                }
                assert_eq!(lake.applied("links").unwrap(), flush);
                assert_eq!(all(&lake).await, rows, "{when:?} {n}, flush {flush}");
            }
            assert!(
                !faulty.shaking.pending(),
                "{when:?} {n}: the fault met a write"
            );
            assert_eq!(lake.health()[0].last_error, None);
        }
    }
    assert!(met >= 2, "some faults are seen by the caller: {met}");
}

/// Whatever it says, and whether or not it does what it says it did not: no row is lost, none comes
/// twice, and nobody has to do anything once it is back.
#[tokio::test]
async fn a_storage_that_is_away_for_long_leaves_the_table_right() {
    for says in REFUSALS {
        for when in [When::Before, When::After] {
            let what = format!("{says:?} {when:?}");
            let memory = Arc::new(object_store::memory::InMemory::new());
            let faulty = Arc::new(Faulty::new(memory, When::Before));
            let options = LakeOptions {
                checkpoint_interval: 3,
                small_files: 2,
                ..LakeOptions::default()
            };
            let lake = Lake::open_on(faulty.clone(), SPECS, options).await.unwrap();
            let mut rows = vec![];
            for flush in 1..=8i64 {
                let id = flush.to_string();
                rows.push((id.clone(), id.clone(), 20_000));
                let plan = replacing(&[link(&id, &id, 20_000)], &[20_000], &[&id]);
                if flush == 4 {
                    let met = faulty.shaking.met();
                    faulty.shaking.away(says, when, u64::MAX);
                    let mut failed = 0;
                    for _ in 0..3 {
                        let written = lake.write("links", flush, plan.clone()).await;
                        failed += u32::from(written.is_err());
                        // It fails as well, or had nothing to do; the table goes on afterwards.
                        let _ = lake.maintain("links").await;
                    }
                    assert!(faulty.shaking.met() > met, "{what}");
                    // Told that another was first, it looks, and finds its own commit.
                    let found = (says, when) == (Refusal::Conflict, When::After);
                    assert_eq!(failed, if found { 0 } else { 3 }, "{what}");
                    faulty.shaking.back();
                }
                lake.write("links", flush, plan).await.unwrap();
                assert_eq!(lake.certain("links").await.unwrap(), flush, "{what}");
                assert_eq!(all(&lake).await, rows, "{what}, flush {flush}");
            }
            let health = &lake.health()[0];
            assert_eq!(
                (&health.last_error, health.rows),
                (&None, Some(8)),
                "{what}"
            );
        }
    }
}

#[tokio::test]
async fn a_slow_storage_is_only_slow() {
    let memory = Arc::new(object_store::memory::InMemory::new());
    let faulty = Arc::new(Faulty::new(memory, When::Before));
    let options = LakeOptions::default();
    let lake = Lake::open_on(faulty.clone(), SPECS, options).await.unwrap();
    faulty.shaking.slow(std::time::Duration::from_millis(3));
    // Two tasks want the same flush: one of them writes it.
    let plan = replacing(&[link("1", "1", 20_000)], &[20_000], &["1"]);
    let write = || lake.write("links", 1, plan.clone());
    let (one, other) = tokio::join!(write(), write());
    assert_eq!(
        [one.unwrap(), other.unwrap()]
            .iter()
            .filter(|w| **w)
            .count(),
        1
    );
    assert_eq!(all(&lake).await.len(), 1);
}

#[tokio::test]
async fn a_commit_does_not_list_the_whole_log() {
    let memory = Arc::new(object_store::memory::InMemory::new());
    let counted = Arc::new(Faulty::new(memory, When::Before));
    let options = LakeOptions {
        checkpoint_interval: 3,
        small_files: 2,
        ..LakeOptions::default()
    };
    let lake = Lake::open_on(counted.clone(), SPECS, options)
        .await
        .unwrap();
    let listed = || counted.listed.load(Ordering::Relaxed);
    // The first round looks for files to remove, which are found by listing all.
    lake.maintain("links").await.unwrap();
    let before = listed();
    assert!(before > 0);
    for flush in 1..=8i64 {
        let id = flush.to_string();
        let plan = replacing(&[link(&id, &id, 20_000)], &[20_000], &[&id]);
        lake.write("links", flush, plan).await.unwrap();
    }
    assert_eq!(listed(), before);
    // Whether there is a table at all is seen from the first name that is found.
    let done = lake.maintain("links").await.unwrap();
    assert_eq!((done.days, listed()), (1, before + 1));
}
