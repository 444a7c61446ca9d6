use axum::body::{Body, to_bytes};
use axum::http::StatusCode;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use callboard_sources::lines::{Kind, LineReader};

use super::super::intake::DEAD_PREFIX_BYTES;
use super::super::limits::Limits;
use super::super::testing::{AlwaysReady, MemoryIntake};
use super::*;

struct Server {
    intake: Arc<MemoryIntake>,
    app: Router,
}

fn server() -> Server {
    let intake = MemoryIntake::new();
    let doors = Doors::new(intake.clone(), Arc::new(AlwaysReady), Limits::default());
    let known = SourceDefaults {
        zone: "Europe/Berlin".into(),
        ..SourceDefaults::default()
    };
    let app = Platforms::new(doors, HashMap::from([("berlin".into(), known)])).router();
    Server { intake, app }
}

impl Server {
    async fn post(&self, path: &str, media: &str, body: impl Into<Body>) -> (StatusCode, Value) {
        let request = Request::builder()
            .method("POST")
            .uri(path)
            .header("content-type", media)
            .body(body.into())
            .unwrap();
        let response = self.app.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }
}

const LOG: &str = "1795253950|NONE|NONE|NONE|QUEUESTART|\n\
    1795253951|1795253950.1|NONE|NONE|DID|5550100\n\
    1795253954|1795253950.1|sales|NONE|ENTERQUEUE||5551101|1|Jo\n\
    1795253954|1795253950.1|sales|NONE|ENTERQUEUE||5551101|1|Jo\n\
    1795253956|1795253950.1|sales|Maria|CONNECT|2|1795253954.2|1\n";

#[tokio::test]
async fn a_queue_log_is_found_by_its_content_and_equal_lines_stay_apart() {
    let s = server();
    let (status, answer) = s
        .post("/v1/sources/asterisk?instance=pbx1", "text/plain", LOG)
        .await;
    assert_eq!(
        (status, &answer["taken"]),
        (StatusCode::OK, &json!(5)),
        "{answer}"
    );
    let first = s.intake.records.lock()[0].clone();
    assert_eq!(&*first.source, "/asterisk/pbx1/queue_log");
    assert_eq!(&*first.format, "asterisk/queue_log");
    let (_, answer) = s
        .post("/v1/sources/asterisk?instance=pbx1&feed=queue_log", "", LOG)
        .await;
    assert_eq!(answer["repeated"], 5, "{answer}");
}

#[tokio::test]
async fn parts_with_their_state_repeat_the_ids_of_the_whole() {
    let whole = server();
    whole.post("/v1/sources/asterisk", "text/plain", LOG).await;
    let parts = server();
    let kind = Kind::of_name("queue_log").unwrap();
    let mut reader = LineReader::new(kind, DEFAULT_INSTANCE, "", &[]);
    for line in LOG.split_inclusive('\n') {
        let state = serde_json::to_string(&reader.state()).unwrap();
        reader.push(line.as_bytes());
        let (status, answer) = parts
            .post(
                "/v1/sources/asterisk?feed=queue_log",
                RESUMED,
                format!("{state}\n{line}"),
            )
            .await;
        assert_eq!(
            (status, &answer["taken"]),
            (StatusCode::OK, &json!(1)),
            "{answer}"
        );
    }
    let ids = |s: &Server| -> Vec<String> {
        s.intake
            .records
            .lock()
            .iter()
            .map(|r| r.id.to_string())
            .collect()
    };
    assert_eq!(ids(&parts), ids(&whole));
}

#[tokio::test]
async fn the_instance_brings_its_zone_unless_the_request_names_one() {
    let s = server();
    for (query, zone) in [
        ("instance=berlin", "Europe/Berlin"),
        ("instance=berlin&zone=America/New_York", "America/New_York"),
        ("instance=other", ""),
    ] {
        // Lines of its own, since a repeat would keep its first stamp.
        let log = LOG.replace("5551101", &zone.len().to_string());
        s.post(&format!("/v1/sources/asterisk?{query}"), "", log)
            .await;
        let record = s.intake.records.lock().last().unwrap().clone();
        assert_eq!(record.stamp.zone, zone);
    }
}

#[tokio::test]
async fn bad_lines_are_dead_letters_with_their_line() {
    let s = server();
    let mut body = LOG.as_bytes().to_vec();
    body.extend_from_slice(b"1795253957|\xff\xfe|NONE|NONE|X|\n\r\n");
    body.extend_from_slice(&vec![b'y'; 5_000_000]);
    body.extend_from_slice(b"\n1795253958|NONE|NONE|NONE|QUEUESTART|");
    let (status, answer) = s
        .post("/v1/sources/asterisk?feed=queue_log", "", body)
        .await;
    assert_eq!(
        (status, &answer["taken"]),
        (StatusCode::OK, &json!(6)),
        "{answer}"
    );
    let lines = &answer["lines"];
    assert_eq!(
        (&lines[0]["line"], &lines[0]["class"]),
        (&json!(6), &json!("invalid_utf8"))
    );
    assert_eq!(
        (&lines[1]["line"], &lines[1]["class"]),
        (&json!(8), &json!("too_long"))
    );
    let dead = s.intake.dead.lock();
    assert_eq!(
        (dead[1].length, dead[1].bytes.len()),
        (5_000_000, DEAD_PREFIX_BYTES)
    );
    assert_eq!(answer["last_line"], 9);
}

#[tokio::test]
async fn what_cannot_be_read_at_all_is_a_problem() {
    let s = server();
    for (path, body, status, class) in [
        ("/v1/sources/avaya", LOG, 404, "unknown_source"),
        ("/v1/sources/asterisk?feed=queues", LOG, 400, "unknown_feed"),
        ("/v1/sources/asterisk", "hello\n", 400, "unknown_feed"),
        (
            "/v1/sources/asterisk?zone=Mars/Base",
            LOG,
            400,
            "unknown_zone",
        ),
        (
            "/v1/sources/asterisk?instance=a/b",
            LOG,
            400,
            "bad_instance",
        ),
        ("/v1/sources/asterisk?feed=cel", "", 400, "empty_body"),
        ("/v1/sources/asterisk", "", 400, "empty_body"),
    ] {
        let (got, problem) = s.post(path, "", body).await;
        assert_eq!(
            (got.as_u16(), &problem["class"]),
            (status, &json!(class)),
            "{path}"
        );
    }
    let (got, problem) = s
        .post("/v1/sources/asterisk?feed=cel", RESUMED, "x\ny\n")
        .await;
    assert_eq!(
        (got.as_u16(), &problem["class"]),
        (400, &json!("bad_state"))
    );
}
