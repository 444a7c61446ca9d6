use std::collections::HashMap;
use std::fs;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use parking_lot::Mutex;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::super::limits::Limits;
use super::super::testing::{AlwaysReady, MemoryIntake};
use super::watch::{Watch, Watcher};
use super::*;

#[derive(Default)]
struct MemoryAudio {
    parts: Mutex<HashMap<String, Bytes>>,
    fails: Mutex<bool>,
}

#[async_trait]
impl AudioStore for MemoryAudio {
    async fn put(&self, id: &str, _: &str, _: &str, bytes: Bytes) -> Result<bool, String> {
        if *self.fails.lock() {
            return Err("no space left on device".into());
        }
        let old = self.parts.lock().insert(id.to_owned(), bytes.clone());
        Ok(old.is_some_and(|old| old != bytes))
    }
}

struct Server {
    intake: Arc<MemoryIntake>,
    audio: Arc<MemoryAudio>,
    recordings: Recordings,
}

fn server() -> Server {
    let intake = MemoryIntake::new();
    let audio = Arc::new(MemoryAudio::default());
    let limits = Limits {
        recording_bytes: 1000,
        ..Limits::default()
    };
    let doors = Doors::new(intake.clone(), Arc::new(AlwaysReady), limits);
    let recordings = Recordings::new(doors, audio.clone());
    Server {
        intake,
        audio,
        recordings,
    }
}

impl Server {
    async fn put(&self, path: &str, body: &[u8]) -> (StatusCode, Value) {
        let request = Request::builder()
            .method("PUT")
            .uri(path)
            .body(Body::from(body.to_vec()))
            .unwrap();
        let response = self
            .recordings
            .clone()
            .router()
            .oneshot(request)
            .await
            .unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    fn events(&self) -> Vec<Value> {
        let records = self.intake.records.lock();
        records
            .iter()
            .map(|r| serde_json::from_slice(&r.bytes).unwrap())
            .collect()
    }
}

const WAV: &[u8] = b"RIFF\x24\0\0\0WAVEfmt ";

#[tokio::test]
async fn a_recording_is_stored_and_then_named_and_its_repeat_is_a_repeat() {
    let s = server();
    let path = "/v1/recordings/c%2F9/agent?started_at=2026-03-02T09:15:04%2B00:00&queue=sales&agent=Zo%C3%AB";
    let (status, answer) = s.put(path, WAV).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    assert_eq!(answer["recording_id"], "c/9/agent/sales");
    let data = &s.events()[0]["data"];
    assert_eq!(
        (&data["contact_id"], &data["agent"]),
        (&"c/9".into(), &"Zoë".into())
    );
    assert_eq!(data["start"], "2026-03-02T09:15:04.000000Z");
    assert_eq!(s.audio.parts.lock()["c/9/agent/sales"], WAV);
    let (status, answer) = s.put(path, WAV).await;
    assert_eq!(
        (status, &answer["status"]),
        (StatusCode::OK, &"repeated".into())
    );
    let (status, _) = s.put(path, b"fLaC other").await;
    assert_eq!(status, StatusCode::CREATED);
}

#[tokio::test]
async fn what_is_no_recording_is_refused_and_kept() {
    let s = server();
    for (path, body, status, class) in [
        ("/v1/recordings/c/agent", &b""[..], 400, "empty_recording"),
        ("/v1/recordings/c/agent", b"hello there", 415, "not_audio"),
        ("/v1/recordings/c/left", WAV, 400, "bad_leg"),
        ("/v1/recordings/%07/agent", WAV, 400, "bad_contact"),
    ] {
        let (got, problem) = s.put(path, body).await;
        assert_eq!((got.as_u16(), &problem["class"]), (status, &class.into()));
    }
    assert_eq!(s.intake.dead.lock().len(), 4);
    let (got, problem) = s.put("/v1/recordings/c/agent?started_at=noon", WAV).await;
    assert_eq!((got.as_u16(), &problem["class"]), (400, &"bad_time".into()));
    let (got, _) = s.put("/v1/recordings/c/agent", &[b'R'; 2000]).await;
    assert_eq!(got, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(s.audio.parts.lock().is_empty());
    assert!(s.events().is_empty());
}

#[tokio::test]
async fn audio_that_cannot_be_stored_is_not_named() {
    let s = server();
    *s.audio.fails.lock() = true;
    let (status, problem) = s.put("/v1/recordings/c/agent", WAV).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("no space left")
    );
    assert!(s.events().is_empty());
}

#[tokio::test]
async fn a_watched_folder_takes_what_stands_still_once() {
    let s = server();
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("spool");
    fs::create_dir_all(folder.join("INBOX")).unwrap();
    let memory = dir.path().join("watch.jsonl");
    let open = || {
        let folder = Watch {
            path: folder.clone(),
            instance: "pbx1".into(),
            memory: memory.clone(),
        };
        Watcher::open(folder, s.recordings.clone()).unwrap()
    };
    fs::write(folder.join("sales-1795253950.1-rx.wav"), WAV).unwrap();
    fs::write(folder.join("c-1-agent.wav"), b"RIFF").unwrap();
    fs::write(folder.join("empty-agent.wav"), b"").unwrap();
    fs::write(folder.join("holiday.wav"), WAV).unwrap();
    fs::write(folder.join("notes.txt"), b"not audio").unwrap();
    fs::write(folder.join("INBOX/msg0000.wav"), WAV).unwrap();
    let go_on = CancellationToken::new();
    let mut watch = open();
    assert_eq!(watch.pass(&go_on).await, 0, "nothing at first sight");
    fs::write(folder.join("c-1-agent.wav"), WAV).unwrap();
    assert_eq!(
        watch.pass(&go_on).await,
        2,
        "one still grows, one lacks its text"
    );
    assert_eq!(s.intake.dead.lock()[0].refusal.class, "unnamed_recording");
    fs::write(
        folder.join("INBOX/msg0000.txt"),
        "origmailbox=200\norigtime=1795254379\n",
    )
    .unwrap();
    assert_eq!(watch.pass(&go_on).await, 2);
    assert_eq!(watch.pass(&go_on).await, 0);
    let contacts: Vec<_> = s
        .events()
        .iter()
        .map(|e| e["data"]["contact_id"].clone())
        .collect();
    assert_eq!(
        contacts,
        ["pbx1-1795253950.1", "pbx1-voicemail-200-1795254379", "c-1"]
    );
    assert_eq!(s.events()[1]["data"]["voicemail"], true);

    let mut again = open();
    again.pass(&go_on).await;
    assert_eq!(again.pass(&go_on).await, 0, "a restart takes nothing twice");
}
