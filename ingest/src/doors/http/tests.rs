use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, Method};
use tower::ServiceExt as _;

use super::super::intake::{DEAD_PREFIX_BYTES, Unavailable};
use super::super::testing::{AlwaysReady, MemoryIntake};
use super::*;

mod conformance;
mod packed;
mod published;

const NDJSON: &str = "application/x-ndjson";

fn event(id: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"/t/1","type":"callboard.contact.started","time":"2026-03-02T09:15:04Z","data":{{"contact_id":"c-{id}","start":"2026-03-02T09:15:04Z"}}}}"#
    )
}

struct Server {
    intake: Arc<MemoryIntake>,
    app: Router,
}

fn server_with(limits: Limits) -> Server {
    let intake = MemoryIntake::new();
    let app = router(Doors::new(intake.clone(), Arc::new(AlwaysReady), limits));
    Server { intake, app }
}

fn server() -> Server {
    server_with(Limits::default())
}

impl Server {
    async fn send(&self, request: Request) -> (StatusCode, HeaderMap, Value) {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        (parts.status, parts.headers, value)
    }

    async fn post(&self, media: &str, body: impl Into<Body>) -> (StatusCode, Value) {
        let (status, _, value) = self.send(post_to("/v1/events", media, body)).await;
        (status, value)
    }
}

fn post_to(path: &str, media: &str, body: impl Into<Body>) -> Request {
    Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::CONTENT_TYPE, media)
        .body(body.into())
        .unwrap()
}

#[tokio::test]
async fn one_structured_event_is_taken_and_its_repeat_is_a_repeat() {
    let s = server();
    let media = "application/cloudevents+json; charset=UTF-8";
    let (status, first) = s.post(media, event("1")).await;
    assert_eq!(
        (status, &first["taken"]),
        (StatusCode::OK, &json!(1)),
        "{first}"
    );
    let (_, again) = s.post(media, format!("\u{feff}{}\r\n", event("1"))).await;
    assert_eq!(again["repeated"], 1, "{again}");
    let (_, other) = s.post(media, event("1").replace("c-1", "c-2")).await;
    assert_eq!(other["conflicts"], 1);
    assert_eq!(other["lines"][0]["status"], "conflict");
    assert_eq!(
        s.intake.records.lock()[0].bytes.as_ref(),
        event("1").as_bytes()
    );
}

#[tokio::test]
async fn binary_mode_becomes_the_structured_form() {
    let s = server();
    let request = Request::builder()
        .method(Method::POST)
        .uri("/v1/events")
        .header("content-type", "application/json")
        .header("ce-specversion", "1.0")
        .header("ce-id", "b%201")
        .header("ce-source", "/t/1")
        .header("ce-type", "callboard.contact.started")
        .header("ce-time", "2026-03-02T09:15:04Z")
        .body(Body::from(r#"{"contact_id":"c-9"}"#))
        .unwrap();
    let (status, _, answer) = s.send(request).await;
    assert_eq!(
        (status, &answer["taken"]),
        (StatusCode::OK, &json!(1)),
        "{answer}"
    );
    let record = s.intake.records.lock()[0].clone();
    assert_eq!(&*record.id, "b 1");
    let value: Value = serde_json::from_slice(&record.bytes).unwrap();
    assert_eq!(value["data"]["contact_id"], "c-9");
}

#[tokio::test]
async fn a_batch_is_an_array_and_may_be_empty() {
    let s = server();
    let media = "application/cloudevents-batch+json";
    let body = format!("[{},\n{}]", event("1"), event("2"));
    let (status, answer) = s.post(media, body.clone()).await;
    assert_eq!(
        (status, &answer["taken"]),
        (StatusCode::OK, &json!(2)),
        "{answer}"
    );
    let (status, answer) = s.post(media, "[]").await;
    assert_eq!((status, &answer["taken"]), (StatusCode::OK, &json!(0)));
    let (status, answer) = s.post("application/json", body).await;
    assert_eq!((status, &answer["repeated"]), (StatusCode::OK, &json!(2)));
    let (status, answer) = s.post("application/json", event("3")).await;
    assert_eq!((status, &answer["taken"]), (StatusCode::OK, &json!(1)));
    let (status, answer) = s.post(media, format!("[{},", event("4"))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(
        (&answer["class"], &answer["taken"]),
        (&json!("not_a_batch"), &json!(1))
    );
}

#[tokio::test]
async fn lines_tolerate_bom_crlf_and_empty_ones_and_name_what_is_refused() {
    let s = server();
    let body = format!(
        "\u{feff}{}\r\n\r\n{}\nnonsense\n{}\n{}",
        event("1"),
        event("2"),
        event("2"),
        event("3").replace("\"time\":\"2026", "\"time\":\"9999"),
    );
    let (status, answer) = s.post(NDJSON, body).await;
    assert_eq!(status, StatusCode::OK);
    let counts = ["taken", "repeated", "conflicts", "refused", "last_line"].map(|k| &answer[k]);
    assert_eq!(counts, [2, 1, 0, 2, 6], "{answer}");
    let lines: Vec<_> = answer["lines"].as_array().unwrap().iter().collect();
    assert_eq!(
        (&lines[0]["line"], &lines[0]["class"]),
        (&json!(4), &json!("not_json"))
    );
    assert_eq!(
        (&lines[1]["line"], &lines[1]["id"], &lines[1]["class"]),
        (&json!(6), &json!("3"), &json!("time_out_of_range"))
    );
    assert_eq!(s.intake.dead.lock()[0].bytes, b"nonsense");
    assert_eq!(s.intake.dead.lock()[0].length, 8);
}

#[tokio::test]
async fn detail_all_lists_every_line() {
    let s = server();
    let body = format!("{}\n{}", event("1"), event("1"));
    let (_, _, answer) = s.send(post_to("/v1/events?detail=all", NDJSON, body)).await;
    assert_eq!(
        answer["lines"][0],
        json!({"line":1,"id":"1","status":"taken"})
    );
    assert_eq!(
        answer["lines"][1],
        json!({"line":2,"id":"1","status":"repeated"})
    );
}

#[tokio::test]
async fn bad_lines_of_every_kind_stop_nothing() {
    let s = server();
    let mut body = Vec::new();
    let long = format!(
        r#"{{"id":"x","source":"/t/1","data":"{}"}}"#,
        "y".repeat(5_000_000)
    );
    let nested = format!(
        r#"{{"id":"n","source":"/t/1","data":{}{}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    for line in [
        long.as_bytes(),
        b"{\"id\":\"\xff\xfe\"}",
        nested.as_bytes(),
        event("1").as_bytes(),
    ] {
        body.extend_from_slice(line);
        body.push(b'\n');
    }
    let (status, answer) = s.post(NDJSON, body).await;
    assert_eq!((status, &answer["taken"]), (StatusCode::OK, &json!(1)));
    let classes: Vec<_> = (0..3)
        .map(|i| answer["lines"][i]["class"].clone())
        .collect();
    assert_eq!(classes, ["too_long", "invalid_utf8", "nested_too_deep"]);
    let dead = s.intake.dead.lock();
    assert_eq!(
        (dead[0].length, dead[0].bytes.len()),
        (long.len() as u64, DEAD_PREFIX_BYTES)
    );
    assert_eq!(
        dead[0].sha256,
        super::super::split::sha256_hex(long.as_bytes())
    );
}

#[tokio::test]
async fn a_single_refused_event_refuses_the_request_and_is_kept() {
    let s = server();
    let media = "application/cloudevents+json";
    let (status, problem) = s.post(media, r#"{"id":"1"}"#).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(problem["lines"][0]["class"], "missing_attribute");
    assert!(problem["detail"].as_str().unwrap().contains("source"));
    let (status, _) = s.post(media, "x".repeat(5_000_000)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(s.intake.dead.lock().len(), 2);
}

#[tokio::test]
async fn whole_request_errors_are_problems() {
    let s = server_with(Limits {
        body_bytes: 1000,
        ..Limits::default()
    });
    for media in [
        NDJSON,
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "application/json",
    ] {
        let (status, problem) = s.post(media, "").await;
        assert_eq!(
            (status, &problem["class"]),
            (StatusCode::BAD_REQUEST, &json!("empty_body")),
            "{media}"
        );
    }
    for media in [
        "text/csv",
        "application/cloudevents+avro",
        "application/x-www-form-urlencoded",
    ] {
        let (status, problem) = s.post(media, event("1")).await;
        assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{media}");
        assert!(!problem["detail"].as_str().unwrap().is_empty());
    }
    let (status, problem) = s.post(NDJSON, "x".repeat(2000)).await;
    assert_eq!(
        (status, &problem["status"]),
        (StatusCode::PAYLOAD_TOO_LARGE, &json!(413))
    );
    let mut request = post_to("/v1/events", NDJSON, event("1"));
    request
        .headers_mut()
        .insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    let (status, headers, _) = s.send(request).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
}

#[tokio::test]
async fn a_flood_of_refused_lines_is_ended_and_its_answer_is_bounded() {
    let s = server_with(Limits {
        refused_lines: 1000,
        listed_lines: 10,
        ..Limits::default()
    });
    let (status, problem) = s.post(NDJSON, "x\n".repeat(5000)).await;
    assert_eq!(
        (status, &problem["class"]),
        (StatusCode::BAD_REQUEST, &json!("too_many_refused"))
    );
    assert_eq!(problem["lines"].as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn large_requests_go_in_bounded_batches_and_say_what_was_taken_before_a_stop() {
    let s = server_with(Limits {
        batch_records: 100,
        ..Limits::default()
    });
    *s.intake.unavailable.lock() = Some((2, Unavailable::Full { retry_after_s: 7 }));
    let chunks: Vec<Result<String, std::io::Error>> = (0..1000)
        .map(|i| Ok(event(&i.to_string()) + "\n"))
        .collect();
    let body = Body::from_stream(futures::stream::iter(chunks));
    let (status, headers, problem) = s.send(post_to("/v1/events", NDJSON, body)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(headers[header::RETRY_AFTER], "7");
    assert_eq!(problem["taken"], 200);
    assert_eq!(*s.intake.batches.lock(), [100, 100]);
}

#[tokio::test]
async fn a_body_that_breaks_off_says_so() {
    let s = server();
    let chunks = vec![Ok(event("1") + "\n"), Err(std::io::Error::other("gone"))];
    let body = Body::from_stream(futures::stream::iter(chunks));
    let (status, _, problem) = s.send(post_to("/v1/events", NDJSON, body)).await;
    assert_eq!(
        (status, &problem["class"]),
        (StatusCode::BAD_REQUEST, &json!("body_cut"))
    );
}

#[tokio::test]
async fn the_webhook_handshake_and_the_small_pages_answer() {
    let s = server();
    let request = Request::builder()
        .method(Method::OPTIONS)
        .uri("/v1/events")
        .header("WebHook-Request-Origin", "eventemitter.example.com")
        .body(Body::empty())
        .unwrap();
    let (status, headers, _) = s.send(request).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        headers["webhook-allowed-origin"],
        "eventemitter.example.com"
    );
    assert_eq!(headers["webhook-allowed-rate"], "*");
    for path in ["/healthz", "/readyz", "/v1/schema"] {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        assert_eq!(s.send(request).await.0, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn a_sender_says_that_there_is_no_more() {
    let s = server();
    let media = "application/json";
    for (body, status) in [
        (r#"{"sources": ["/t/1"]}"#, StatusCode::NO_CONTENT),
        (r#"{"source": "/t/1"}"#, StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let (answer, _, _) = s.send(post_to("/v1/ended", media, body)).await;
        assert_eq!(answer, status, "{body}");
    }
    assert_eq!(*s.intake.ended.lock(), ["/t/1"]);
}
