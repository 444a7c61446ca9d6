//! Files are put together, and logs cut, whatever else happens.

use std::path::Path;
use std::time::Duration;

use super::tests::{SPECS, adding, all, lake_with, link};
use super::*;
use crate::sim::objects::Faulty;
use crate::sim::shaking::{Refusal, When};

#[tokio::test]
async fn small_files_are_put_together_and_no_row_changes() {
    let dir = tempfile::tempdir().unwrap();
    let options = LakeOptions {
        small_files: 5,
        reopen_after: 3,
        checkpoint_interval: 4,
        retention: Duration::ZERO,
        vacuum_every: Duration::ZERO,
        ..LakeOptions::default()
    };
    let lake = lake_with(dir.path(), options.clone()).await;
    for n in 0..8 {
        let rows = [
            link(&format!("{n}"), "x", 20_000),
            link(&format!("{n}"), "y", 20_001 + n % 2),
        ];
        lake.write("links", i64::from(n) + 1, adding(&rows))
            .await
            .unwrap();
    }
    let before = all(&lake).await;
    assert_eq!(before.len(), 16);
    let reader = lake.snapshots()["links"].clone();
    let health = lake.health().remove(0);
    assert_eq!((health.files, health.rows), (16, Some(16)));
    let done = lake.maintain("links").await.unwrap();
    assert_eq!((done.days, done.files_before, done.files_after), (1, 16, 9));
    assert!(done.removed >= 8, "{done:?}");
    assert_eq!(all(&lake).await, before);
    assert!(reader.version() < lake.snapshots()["links"].clone().version());
    let idle = lake.maintain("links").await.unwrap();
    assert_eq!((idle.days, idle.removed), (0, 0));
    let plan = adding(&[link("late", "z", 20_000)]);
    assert!(lake.write("links", 9, plan).await.unwrap());
    drop(lake);
    let lake = lake_with(dir.path(), options).await;
    assert_eq!(lake.applied("links").unwrap(), 9);
    assert_eq!(all(&lake).await.len(), 17);
}

/// Version of the newest checkpoint of the table of links.
fn checkpoint(dir: &Path) -> u64 {
    let hint = std::fs::read(dir.join("links/_delta_log/_last_checkpoint")).unwrap();
    let hint: serde_json::Value = serde_json::from_slice(&hint).unwrap();
    hint["version"].as_u64().unwrap()
}

#[tokio::test]
async fn a_damaged_file_keeps_no_log_from_being_cut() {
    let dir = tempfile::tempdir().unwrap();
    let options = LakeOptions {
        small_files: 2,
        vacuum_every: Duration::ZERO,
        ..LakeOptions::default()
    };
    let lake = lake_with(dir.path(), options).await;
    for n in 1..=4 {
        let plan = adding(&[link(&format!("{n}"), "x", 20_000)]);
        lake.write("links", n, plan).await.unwrap();
    }
    let day = dir.path().join("links/day=2024-10-04");
    let file = std::fs::read_dir(day).unwrap().next().unwrap().unwrap();
    let mut bytes = std::fs::read(file.path()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(file.path(), bytes).unwrap();
    let failed = lake.maintain("links").await.unwrap_err().to_string();
    assert!(failed.contains("putting files together"), "{failed}");
    assert_eq!(checkpoint(dir.path()), 4, "the table's version");
    // It goes on taking rows.
    let plan = adding(&[link("late", "z", 20_001)]);
    assert!(lake.write("links", 5, plan).await.unwrap());
}

/// The store is gone from one of the round's writes on, which it does and does not answer, and is back
/// before the next round: files that were put together are not put together once more.
#[tokio::test]
async fn what_was_put_together_without_an_answer_is_not_put_together_again() {
    let mut landed = 0;
    for nth in 0..4 {
        let memory = Arc::new(object_store::memory::InMemory::new());
        let faulty = Arc::new(Faulty::new(memory, When::Before));
        let options = LakeOptions {
            small_files: 2,
            ..LakeOptions::default()
        };
        let lake = Lake::open_on(faulty.clone(), SPECS, options).await.unwrap();
        for n in 1..=6 {
            let plan = adding(&[link(&format!("{n}"), "x", 20_000)]);
            lake.write("links", n, plan).await.unwrap();
        }
        let before = all(&lake).await;
        assert_eq!(before.len(), 6);
        let shaking = faulty.shaking.clone();
        let gone = async move { shaking.away(Refusal::Broken, When::After, u64::MAX) };
        faulty.shaking.meanwhile(nth, Box::pin(gone));
        let first = lake.maintain("links").await;
        faulty.shaking.back();
        let second = lake.maintain("links").await.unwrap();
        landed += u32::from(first.is_err() && second.days == 0);
        assert_eq!(all(&lake).await, before, "write {nth}: {first:?}");
        let health = &lake.health()[0];
        assert_eq!((health.rows, health.files), (Some(6), 1), "write {nth}");
        assert_eq!(health.last_error, None, "write {nth}");
    }
    assert!(landed > 0, "no commit came there without an answer");
}
