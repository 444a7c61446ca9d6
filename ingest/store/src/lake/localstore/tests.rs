//! Writes that are whole, reads that are checked.

use super::*;
use object_store::ObjectStoreExt;

fn path(dir: &FsPath, name: &str) -> Path {
    Path::from_absolute_path(dir.join(name)).unwrap()
}

#[tokio::test]
async fn objects_are_written_whole_and_a_taken_name_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = SyncedFiles::new(dir.path());
    let at = path(dir.path(), "deep/down/a.json");
    let create = PutOptions::from(PutMode::Create);
    store
        .put_opts(&at, "one".into(), create.clone())
        .await
        .unwrap();
    let error = store.put_opts(&at, "two".into(), create).await.unwrap_err();
    assert!(matches!(error, object_store::Error::AlreadyExists { .. }));
    assert_eq!(store.get(&at).await.unwrap().bytes().await.unwrap(), "one");
    store.put(&at, "three".into()).await.unwrap();
    assert_eq!(
        store.get(&at).await.unwrap().bytes().await.unwrap(),
        "three"
    );
    let files = std::fs::read_dir(dir.path().join("deep/down")).unwrap();
    assert_eq!(files.count(), 1, "nothing staged is left");
}

#[tokio::test]
async fn parts_keep_their_order_and_an_abandoned_upload_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = SyncedFiles::new(dir.path());
    let at = path(dir.path(), "b.parquet");
    let mut upload = store
        .put_multipart_opts(&at, PutMultipartOptions::default())
        .await
        .unwrap();
    let first = upload.put_part("first ".into());
    let second = upload.put_part("second".into());
    second.await.unwrap();
    first.await.unwrap();
    assert!(store.get(&at).await.is_err(), "no name before it is whole");
    upload.complete().await.unwrap();
    assert_eq!(
        store.get(&at).await.unwrap().bytes().await.unwrap(),
        "first second"
    );
    let mut upload = store
        .put_multipart_opts(&path(dir.path(), "c"), PutMultipartOptions::default())
        .await
        .unwrap();
    upload.put_part("x".into()).await.unwrap();
    drop(upload);
    let named = std::fs::read_dir(dir.path()).unwrap().flatten();
    let mut named: Vec<_> = named.map(|f| f.file_name()).collect();
    named.sort();
    assert_eq!(named, [sums::FOLDER, "b.parquet"]);
}

#[tokio::test]
async fn what_was_damaged_is_not_served() {
    let dir = tempfile::tempdir().unwrap();
    let store = SyncedFiles::new(dir.path());
    let at = path(dir.path(), "links/day=1/a.parquet");
    store.put(&at, vec![7; 3 << 20].into()).await.unwrap();
    let file = dir.path().join("links/day=1/a.parquet");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[2 << 20] = 8;
    std::fs::write(&file, &bytes).unwrap();
    let whole = store.get(&at).await.unwrap().bytes().await;
    let error = whole.unwrap_err().to_string();
    assert!(error.contains("links/day=1/a.parquet: damaged"), "{error}");
    let (first, bad) = (0..10, 2 << 20..(2 << 20) + 1);
    assert!(
        store
            .get_ranges(&at, &[first.clone(), 20..30])
            .await
            .is_ok()
    );
    assert!(store.get_ranges(&at, &[first, bad.clone()]).await.is_err());
    assert!(store.get_range(&at, bad).await.is_err());
    // Written anew it is whole; removed, so are its checksums.
    store.put(&at, vec![9; 100].into()).await.unwrap();
    assert_eq!(
        store.get(&at).await.unwrap().bytes().await.unwrap(),
        [9; 100][..]
    );
    store.delete(&at).await.unwrap();
    assert!(!dir.path().join("_sums/links/day=1/a.parquet").exists());
}

#[test]
fn what_a_crash_left_staged_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("day=1")).unwrap();
    for name in ["day=1/p.parquet#1", "x.json#12"] {
        std::fs::write(dir.path().join(name), "").unwrap();
    }
    std::fs::write(dir.path().join("keep#me"), "").unwrap();
    assert_eq!(remove_staged(dir.path()).unwrap(), 2);
    assert!(dir.path().join("keep#me").exists());
}

#[tokio::test]
async fn a_listing_behind_a_name_is_that_of_the_usual_store() {
    let dir = tempfile::tempdir().unwrap();
    let store = SyncedFiles::new(dir.path());
    let log = path(dir.path(), "t/_delta_log");
    for n in 0..200 {
        let at = log.clone().join(format!("{n:020}.json"));
        store.put(&at, "{}".into()).await.unwrap();
    }
    let folder = dir.path().join("t/_delta_log");
    std::fs::write(folder.join("00000000000000000199.json#1"), "half").unwrap();
    let same = async |offset: Path| {
        let listed = |found: Vec<Result<ObjectMeta>>| {
            let mut found: Vec<_> = found.into_iter().map(|f| f.unwrap()).collect();
            found.sort_by(|a, b| a.location.cmp(&b.location));
            found
        };
        let ours = store.list_with_offset(Some(&log), &offset);
        let usual = store.files.list_with_offset(Some(&log), &offset);
        let (ours, usual) = (listed(ours.collect().await), listed(usual.collect().await));
        assert_eq!(ours, usual, "behind {offset}");
        ours.len()
    };
    // Few, many, all, none; a name that is not there, another folder's, and the folder itself.
    assert_eq!(same(log.clone().join(format!("{:020}.json", 197))).await, 2);
    assert_eq!(
        same(log.clone().join(format!("{:020}.json", 99))).await,
        100
    );
    assert_eq!(same(log.clone().join(format!("{:020}", 0))).await, 200);
    assert_eq!(same(log.clone().join(format!("{:020}", 198))).await, 2);
    assert_eq!(same(log.clone().join("_last_checkpoint")).await, 0);
    assert_eq!(same(path(dir.path(), "a")).await, 200);
    assert_eq!(same(log.clone()).await, 200);
    // A folder in it, and a name that paths spell otherwise.
    std::fs::create_dir(folder.join("_sidecars")).unwrap();
    std::fs::write(folder.join("_sidecars/a.parquet"), "x").unwrap();
    assert_eq!(same(log.clone().join(format!("{:020}.json", 197))).await, 3);
    std::fs::write(folder.join("a b.json"), "x").unwrap();
    assert_eq!(same(log.clone().join(format!("{:020}.json", 197))).await, 4);
    let nowhere = path(dir.path(), "nowhere");
    let none = store.list_with_offset(Some(&nowhere), &nowhere.clone().join("0"));
    assert_eq!(none.count().await, 0);
}

#[tokio::test]
async fn a_hint_that_leads_nowhere_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let store = SyncedFiles::new(dir.path());
    let hint = path(dir.path(), "t/_delta_log/_last_checkpoint");
    let put = async |at: Path, text: &'static str| {
        store.put(&at, text.into()).await.unwrap();
    };
    put(hint.clone(), r#"{"version":7,"size":3}"#).await;
    assert!(matches!(
        store.get(&hint).await,
        Err(object_store::Error::NotFound { .. })
    ));
    let checkpoint = format!("t/_delta_log/{:020}.checkpoint.parquet", 7);
    put(path(dir.path(), &checkpoint), "x").await;
    assert!(store.get(&hint).await.is_ok());
    put(hint.clone(), r#"{"version":5,"size":3}"#).await;
    assert!(store.get(&hint).await.is_err());
    let part = format!(
        "t/_delta_log/{:020}.checkpoint.0000000001.0000000002.parquet",
        5
    );
    put(path(dir.path(), &part), "x").await;
    assert!(store.get(&hint).await.is_ok());
    put(hint.clone(), "{").await;
    assert!(store.get(&hint).await.is_err());
}
