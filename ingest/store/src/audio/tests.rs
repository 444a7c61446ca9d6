//! Recordings go in whole, come out whole, and share commits.

use super::*;
use crate::lake::LakeOptions;

async fn store(dir: &std::path::Path) -> AudioStore {
    let lake = Lake::open(dir.to_str().unwrap(), &[&AUDIO], LakeOptions::default())
        .await
        .unwrap();
    AudioStore::new(Arc::new(lake), AudioOptions::default())
}

fn sound(contact: &str, length: usize, seed: u8) -> Audio {
    let bytes: Vec<u8> = (0..length)
        .map(|n| (n / 7) as u8 ^ (n / 1000) as u8 ^ seed)
        .collect();
    Audio {
        recording_id: format!("{contact}/both"),
        contact_id: contact.into(),
        leg: "both".into(),
        day: 20_000,
        bytes: bytes.into(),
    }
}

#[tokio::test]
async fn a_recording_comes_back_byte_for_byte_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let audio = store(dir.path()).await;
    let long = sound("a", 2 * PART_BYTES + 345, 1);
    let short = sound("b'", 10, 2);
    assert_eq!(audio.put(long.clone()).await.unwrap(), Stored::New);
    assert_eq!(audio.put(short.clone()).await.unwrap(), Stored::New);
    assert_eq!(audio.put(short.clone()).await.unwrap(), Stored::Same);
    drop(audio);
    let audio = store(dir.path()).await;
    assert_eq!(audio.get("a/both").await.unwrap(), Some(long.bytes));
    assert_eq!(audio.get("b'/both").await.unwrap(), Some(short.bytes));
    assert_eq!(audio.get("c/both").await.unwrap(), None);
}

#[tokio::test]
async fn other_bytes_under_the_same_identity_replace_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let audio = store(dir.path()).await;
    audio.put(sound("a", 2 * PART_BYTES, 1)).await.unwrap();
    audio.put(sound("b", 5, 2)).await.unwrap();
    let mut other = sound("a", 100, 3);
    other.day += 1;
    assert_eq!(audio.put(other.clone()).await.unwrap(), Stored::Replaced);
    assert_eq!(audio.get("a/both").await.unwrap(), Some(other.bytes));
    assert_eq!(
        audio.get("b/both").await.unwrap(),
        Some(sound("b", 5, 2).bytes)
    );
}

#[tokio::test]
async fn recordings_that_arrive_together_share_commits_and_all_are_there() {
    let dir = tempfile::tempdir().unwrap();
    let audio = store(dir.path()).await;
    let puts = (0..12).map(|n| audio.put(sound(&n.to_string(), 1000, n)));
    for result in futures::future::join_all(puts).await {
        assert_eq!(result.unwrap(), Stored::New);
    }
    let commits = audio.lake.applied("audio").unwrap() + 1;
    assert!(commits < 12, "{commits} commits");
    for n in 0..12 {
        let got = audio.get(&format!("{n}/both")).await.unwrap();
        assert_eq!(got, Some(sound("x", 1000, n).bytes));
    }
}

#[tokio::test]
async fn empty_and_oversized_recordings_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(
        dir.path().to_str().unwrap(),
        &[&AUDIO],
        LakeOptions::default(),
    )
    .await
    .unwrap();
    let options = AudioOptions {
        max_recording_bytes: 50,
        ..AudioOptions::default()
    };
    let audio = AudioStore::new(Arc::new(lake), options);
    let empty = audio.put(sound("a", 0, 0)).await;
    assert!(matches!(empty, Err(AudioError::Empty)));
    let large = audio.put(sound("a", 51, 0)).await.unwrap_err();
    assert_eq!(
        large.to_string(),
        "the recording has 51 bytes, the limit is 50"
    );
    assert_eq!(audio.get("a/both").await.unwrap(), None);
}
