//! Storage that fails at any write, before or after the effect.

use super::localstore::SyncedFiles;
use super::tests::{SPECS, all, link, replacing};
use super::*;
use crate::sim::objects::Faulty;
use crate::sim::shaking::When;

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
