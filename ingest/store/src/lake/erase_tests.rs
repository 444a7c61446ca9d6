//! Rows that are taken out for good, on storage that fails too.

use std::path::Path as FsPath;

use deltalake::arrow::array::AsArray;

use super::erase::Goes;
use super::localstore::SyncedFiles;
use super::tests::{SPECS, all, link, replacing};
use super::*;
use crate::erase::Proof;
use crate::erase::needles::Needles;
use crate::sim::objects::Faulty;
use crate::sim::shaking::When;

/// Rows that lead from or to this contact.
fn of(contact: &'static str) -> Goes {
    Arc::new(move |batch| {
        let text = |name: &str| batch.column_by_name(name).unwrap().as_string::<i32>();
        let (from, to) = (text("from_contact"), text("to_contact"));
        (0..batch.num_rows())
            .map(|row| Some(from.value(row) == contact || to.value(row) == contact))
            .collect()
    })
}

async fn lake(place: &FsPath, store: Arc<dyn ObjectStore>) -> Lake {
    let (url, _) = locate(place.to_str().unwrap()).unwrap();
    Lake::open_at(url, Some(store), SPECS, LakeOptions::default())
        .await
        .unwrap()
}

/// Three flushes: two contacts on two days, and one of them replaced.
async fn fill(lake: &Lake) {
    let rows = [
        link("c-erased", "c-other", 20_000),
        link("c-kept", "c-other", 20_000),
        link("c-kept", "c-erased", 20_001),
    ];
    let ids = ["c-erased", "c-kept"];
    for (flush, rows) in (1..).zip([&rows[..1], &rows[..2], &rows[..]]) {
        let plan = replacing(rows, &[20_000], &ids);
        lake.write("links", flush, plan).await.unwrap();
    }
}

async fn left(lake: &Lake) -> Vec<String> {
    let mut proof = Proof::default();
    let needles = Needles::of(["c-erased".to_owned()]);
    lake.search("links", &needles, &mut proof).await.unwrap();
    assert!(proof.files > 0 && proof.values > 0, "{proof:?}");
    proof.found.into_iter().map(|hit| hit.place).collect()
}

#[tokio::test]
async fn what_is_erased_is_in_no_version_and_no_log() {
    let dir = tempfile::tempdir().unwrap();
    let store: Arc<dyn ObjectStore> = Arc::new(SyncedFiles::new(dir.path()));
    let first = lake(dir.path(), store.clone()).await;
    fill(&first).await;
    let found = left(&first).await;
    for part in [
        "_delta_log",
        "day=",
        "column from_contact",
        "column to_contact",
    ] {
        assert!(
            found.iter().any(|place| place.contains(part)),
            "{part}: {found:?}"
        );
    }
    let out = first.take_out("links", of("c-erased")).await.unwrap();
    assert_eq!((out.rows, out.files), (2, 2));
    let kept = [("c-kept".to_owned(), "c-other".to_owned(), 20_000)];
    assert_eq!(all(&first).await, kept);
    assert!(!left(&first).await.is_empty(), "older versions hold it");
    let past = first.forget("links", of("c-erased")).await.unwrap();
    assert!(past.files >= 3 && past.log_files >= 4, "{past:?}");
    assert_eq!(left(&first).await, Vec::<String>::new());
    assert_eq!(all(&first).await, kept);
    // Again does no harm, and the table goes on where it was.
    assert_eq!(
        first.take_out("links", of("c-erased")).await.unwrap().rows,
        0
    );
    assert_eq!(
        first.forget("links", of("c-erased")).await.unwrap().files,
        0
    );
    drop(first);
    let again = lake(dir.path(), store).await;
    assert_eq!(
        again.applied("links").unwrap(),
        3,
        "the last flush is known"
    );
    let plan = replacing(&[link("c-new", "x", 20_002)], &[], &["c-new"]);
    assert!(!again.write("links", 3, plan.clone()).await.unwrap());
    assert!(again.write("links", 4, plan).await.unwrap());
    assert_eq!(all(&again).await.len(), 2);
}

#[tokio::test]
async fn a_storage_fault_leaves_it_to_be_begun_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut met = 0;
    for when in [When::Before, When::After] {
        for n in 0..6 {
            let place = dir.path().join(format!("{when:?} {n}"));
            std::fs::create_dir(&place).unwrap();
            let faulty = Arc::new(Faulty::new(Arc::new(SyncedFiles::new(&place)), when));
            let lake = lake(&place, faulty.clone()).await;
            fill(&lake).await;
            faulty.shaking.fail_after(n);
            for tries in 0.. {
                assert!(tries < 5, "{when:?} {n}");
                let done = match lake.take_out("links", of("c-erased")).await {
                    Ok(_) => lake.forget("links", of("c-erased")).await.map(|_| ()),
                    Err(error) => Err(error),
                };
                met += usize::from(done.is_err());
                // One that came late met the commits of a second round.
                if done.is_ok() && !faulty.shaking.pending() {
                    break;
                }
            }
            assert_eq!(all(&lake).await.len(), 1, "{when:?} {n}");
            assert_eq!(left(&lake).await, Vec::<String>::new(), "{when:?} {n}");
        }
    }
    assert!(met >= 6, "some faults are seen by the caller: {met}");
}
