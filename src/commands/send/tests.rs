use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use callboard_sources::lines::{LineReader, NewLine, ReaderState};
use parking_lot::Mutex;

use super::*;
use crate::cli::{SourceKind, To};

/// A door that keeps the lines it acknowledged, and refuses now and then.
#[derive(Default)]
struct Door {
    lines: Mutex<Vec<String>>,
    ids: Mutex<Vec<String>>,
    requests: Mutex<u64>,
    ended: Mutex<Vec<String>>,
    busy_every: u64,
}

type Shared = Arc<Door>;

async fn sources(
    State(door): State<Shared>,
    Query(query): Query<HashMap<String, String>>,
    body: String,
) -> Response {
    if door.is_busy() {
        return (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "0")], "").into_response();
    }
    let (state, lines) = body.split_once('\n').unwrap();
    let state: ReaderState = serde_json::from_str(state).unwrap();
    let kind = Kind::of_name(&query["feed"]).unwrap();
    let mut reader = LineReader::resume(kind, &query["instance"], &query["zone"], &[], state);
    let mut new = reader.push(lines.as_bytes());
    new.extend(reader.finish());
    let ids = new.iter().map(|line| match line {
        NewLine::Record(record) => record.id.clone(),
        other => panic!("{other:?}"),
    });
    door.ids.lock().extend(ids);
    door.take(lines)
}

async fn ended(State(door): State<Shared>, axum::Json(said): axum::Json<Ended>) {
    door.ended.lock().extend(said.sources);
}

async fn events(State(door): State<Shared>, body: String) -> Response {
    if door.is_busy() {
        return (StatusCode::TOO_MANY_REQUESTS, "").into_response();
    }
    door.take(&body)
}

impl Door {
    fn is_busy(&self) -> bool {
        let mut requests = self.requests.lock();
        *requests += 1;
        self.busy_every > 0 && !(*requests).is_multiple_of(self.busy_every)
    }

    fn take(&self, text: &str) -> Response {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let answer = Answer {
            taken: lines.len() as u64,
            ..Answer::default()
        };
        self.lines.lock().extend(lines);
        axum::Json(answer).into_response()
    }
}

async fn serve(door: Shared) -> String {
    let app = Router::new()
        .route("/v1/sources/asterisk", post(sources))
        .route("/v1/events", post(events))
        .route("/v1/ended", post(ended))
        .with_state(door);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

fn args(url: &str, state: &Path, source: SourceKind, paths: Vec<PathBuf>) -> SendArgs {
    SendArgs {
        source,
        to: To { url: url.into() },
        instance: Some("pbx1".into()),
        zone: String::new(),
        feed: None,
        columns: Vec::new(),
        follow: false,
        again: false,
        state: Some(state.to_owned()),
        patience: 60,
        secret_file: None,
        paths,
    }
}

async fn send(args: SendArgs) -> (Tally, Vec<String>, Result<(), Failure>) {
    let client = Client::new(&args.to).unwrap();
    let plan = Plan::new(&args, client.url()).unwrap();
    let mut sending = Sending {
        progress: Progress::new(args.follow),
        tally: Tally::default(),
        failures: Vec::new(),
        args,
        client,
        plan,
        stop: CancellationToken::new(),
        closed: HashSet::new(),
    };
    let outcome = sending.all().await;
    (sending.tally, sending.failures, outcome)
}

fn log(lines: std::ops::Range<u64>) -> String {
    lines
        .map(|n| {
            format!(
                "{}|{n}.1|sales|NONE|ENTERQUEUE||5551101|1|Jo\n",
                1_795_253_950 + n / 3
            )
        })
        .collect()
}

#[tokio::test]
async fn every_line_is_acknowledged_once_however_busy_the_server_is() {
    let door = Arc::new(Door {
        busy_every: 3,
        ..Door::default()
    });
    let url = serve(door.clone()).await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("queue_log");
    std::fs::write(&file, log(0..20_000)).unwrap();
    let state = dir.path().join("state");
    let ours = args(&url, &state, SourceKind::Asterisk, vec![file.clone()]);
    let (tally, failures, outcome) = send(ours.clone()).await;
    assert_eq!(
        (outcome, failures.len(), tally.lines()),
        (Ok(()), 0, 20_000)
    );
    let want: Vec<String> = log(0..20_000).lines().map(str::to_owned).collect();
    assert_eq!(*door.lines.lock(), want);
    assert_eq!(*door.ended.lock(), ["/asterisk/pbx1/queue_log"]);

    let (again, _, _) = send(ours.clone()).await;
    assert_eq!(again.lines(), 0, "what was acknowledged is not sent again");
    assert!(again.summary(&url, false, true).contains("--again"));
    std::fs::write(&file, log(0..20_010)).unwrap();
    let (more, _, _) = send(ours.clone()).await;
    assert_eq!(more.lines(), 10);
    let mut whole = LineReader::new(Kind::of_name("queue_log").unwrap(), "pbx1", "", &[]);
    let ids: Vec<String> = whole
        .push(log(0..20_010).as_bytes())
        .into_iter()
        .map(|line| match line {
            NewLine::Record(record) => record.id,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(*door.ids.lock(), ids, "parts have the ids of the whole");

    let (all, _, _) = send(SendArgs {
        again: true,
        ..ours
    })
    .await;
    assert_eq!(all.lines(), 20_010);
}

#[tokio::test]
async fn events_go_to_their_own_door() {
    let door = Arc::new(Door {
        busy_every: 2,
        ..Door::default()
    });
    let url = serve(door.clone()).await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("e.ndjson");
    std::fs::write(
        &file,
        "{\"specversion\":\"1.0\",\"source\":\"/t/1\",\"id\":\"1\"}\n{\"specversion\":\"1.0\",\"id\":\"2\"}",
    )
    .unwrap();
    let ours = args(
        &url,
        &dir.path().join("state"),
        SourceKind::Events,
        vec![file],
    );
    let (tally, _, outcome) = send(ours).await;
    assert_eq!((outcome, tally.lines()), (Ok(()), 2));
    assert!(door.lines.lock()[1].contains("\"2\""));
    assert_eq!(*door.ended.lock(), ["/t/1"]);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_given_up_after_the_patience() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("queue_log");
    std::fs::write(&file, log(0..3)).unwrap();
    let mut ours = args(
        &format!("http://127.0.0.1:{port}"),
        &dir.path().join("state"),
        SourceKind::Asterisk,
        vec![file],
    );
    ours.patience = 0;
    let (_, _, outcome) = send(ours).await;
    let failure = outcome.unwrap_err();
    assert_eq!(failure.code, 1);
    assert!(
        failure.message.contains("goes on where it stopped"),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn what_is_asked_wrongly_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let letter = dir.path().join("letter.txt");
    std::fs::write(&letter, "Dear all").unwrap();
    let ours = args(
        "http://127.0.0.1:1",
        dir.path(),
        SourceKind::Asterisk,
        vec![letter],
    );
    let (_, _, outcome) = send(ours.clone()).await;
    assert!(outcome.unwrap_err().message.contains("--feed"));
    let missing = SendArgs {
        paths: vec!["/nonexistent".into()],
        ..ours.clone()
    };
    assert_eq!(send(missing).await.2.unwrap_err().code, 2);
    for wrong in [
        SendArgs {
            zone: "Mars".into(),
            ..ours.clone()
        },
        SendArgs {
            feed: Some("queues".into()),
            ..ours
        },
    ] {
        assert_eq!(Plan::new(&wrong, "x").err().unwrap().code, 2);
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_told_and_the_others_are_sent() {
    let door = Arc::new(Door::default());
    let url = serve(door.clone()).await;
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("asterisk");
    std::fs::create_dir(&logs).unwrap();
    std::fs::write(logs.join("old.gz"), b"\x1f\x8b\x08\0").unwrap();
    std::fs::write(logs.join("nothing"), "").unwrap();
    let state = dir.path().join("state");
    let ours = args(&url, &state, SourceKind::Asterisk, vec![logs.clone()]);
    let (tally, failures, outcome) = send(ours.clone()).await;
    assert_eq!(
        (outcome, failures.len(), tally.lines()),
        (Ok(()), 1, 0),
        "{failures:?}"
    );
    std::fs::write(logs.join("queue_log"), log(0..50)).unwrap();
    let (tally, failures, outcome) = send(ours).await;
    assert_eq!((outcome, tally.lines()), (Ok(()), 50));
    assert!(
        failures.len() == 1 && failures[0].contains("old.gz: its gzip is broken"),
        "{failures:?}"
    );
}

#[tokio::test]
async fn a_rotated_log_in_a_folder_is_known_under_its_new_name() {
    let door = Arc::new(Door::default());
    let url = serve(door.clone()).await;
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("asterisk");
    std::fs::create_dir(&logs).unwrap();
    std::fs::write(logs.join("queue_log"), log(0..50)).unwrap();
    let state = dir.path().join("state");
    let ours = args(&url, &state, SourceKind::Asterisk, vec![logs.clone()]);
    assert_eq!(send(ours.clone()).await.0.lines(), 50);
    std::fs::write(logs.join("queue_log"), log(0..60)).unwrap();
    std::fs::rename(logs.join("queue_log"), logs.join("queue_log.1")).unwrap();
    std::fs::write(logs.join("queue_log"), log(60..65)).unwrap();
    assert_eq!(send(ours).await.0.lines(), 15);
    let want: Vec<String> = log(0..65).lines().map(str::to_owned).collect();
    let mut got = door.lines.lock().clone();
    got.sort_by_key(|line| want.iter().position(|w| w == line));
    assert_eq!(got, want, "every line once");
}
