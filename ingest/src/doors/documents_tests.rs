use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::MOST_BYTES;
use crate::doors::http::Doors;
use crate::doors::intake::Unavailable;
use crate::doors::limits::Limits;
use crate::doors::platform::Platforms;
use crate::doors::testing::{AlwaysReady, MemoryIntake};

const QUEUE: &str = include_str!("../../sources/tests/captures/teams/made-vaac-call-queue.json");

fn server() -> (Arc<MemoryIntake>, Router) {
    let intake = MemoryIntake::new();
    let doors = Doors::new(intake.clone(), Arc::new(AlwaysReady), Limits::default());
    let app = Platforms::new(doors, HashMap::new()).router();
    (intake, app)
}

async fn post(app: &Router, path: &str, body: impl Into<Body>) -> (StatusCode, String, String) {
    let request = Request::post(path).body(body.into()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let media = response.headers()["content-type"].to_str().unwrap();
    let media = media.to_owned();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, media, String::from_utf8(bytes.to_vec()).unwrap())
}

fn count(answer: &str, what: &str) -> u64 {
    let answer: Value = serde_json::from_str(answer).unwrap();
    answer[what].as_u64().unwrap()
}

#[tokio::test]
async fn documents_are_taken_once_and_stamped_with_their_instance() {
    let (intake, app) = server();
    let path = "/v1/sources/teams?instance=contoso";
    let (status, _, answer) = post(&app, path, QUEUE).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let taken = count(&answer, "taken");
    assert!(taken > 1, "{answer}");
    assert!(
        intake
            .records
            .lock()
            .iter()
            .all(|r| r.source.starts_with("/teams/contoso/") && r.format.starts_with("teams/"))
    );
    let (_, _, answer) = post(&app, path, QUEUE).await;
    assert_eq!(count(&answer, "repeated"), taken, "{answer}");
}

#[tokio::test]
async fn what_is_no_document_is_a_dead_letter() {
    let (_, app) = server();
    for source in [
        "acs",
        "amazon-connect",
        "freeswitch",
        "genesys",
        "sheet",
        "siprec",
        "teams",
        "twilio",
        "vcon",
    ] {
        let path = format!("/v1/sources/{source}");
        let (status, _, answer) = post(&app, &path, "\u{1}\u{2} no document").await;
        assert_eq!(status, StatusCode::OK, "{source}: {answer}");
        assert!(count(&answer, "refused") > 0, "{source}: {answer}");
        let (status, _, answer) = post(&app, &path, "").await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{source}: {answer}");
    }
    let (status, _, answer) = post(&app, "/v1/sources/avaya", "{}").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(
        answer.contains("amazon-connect") && answer.contains("asterisk"),
        "{answer}"
    );
}

#[tokio::test]
async fn platforms_that_ask_whether_they_may_send_are_answered() {
    let (intake, app) = server();
    let asked = json!([{
        "id": "1", "topic": "/subscriptions/x", "subject": "", "eventTime": "2026-03-02T09:00:00Z",
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "dataVersion": "1",
        "data": {"validationCode": "512d38b6", "validationUrl": "https://example.com/"}
    }]);
    let (status, media, answer) = post(&app, "/v1/sources/acs", asked.to_string()).await;
    assert_eq!((status, &*media), (StatusCode::OK, "application/json"));
    assert_eq!(answer, r#"{"validationResponse":"512d38b6"}"#);
    let graph = "/v1/sources/teams?validationToken=Validation%3a+one%2Btwo";
    let (status, media, answer) = post(&app, graph, "").await;
    assert_eq!(status, StatusCode::OK);
    assert!(media.starts_with("text/plain"), "{media}");
    assert_eq!(answer, "Validation: one+two");
    assert!(intake.records.lock().is_empty());
    // CloudEvents asks by another method.
    let request = Request::options("/v1/sources/acs")
        .header("webhook-request-origin", "eventgrid.azure.net")
        .body(Body::empty())
        .unwrap();
    let response = app.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(
        response.headers()["webhook-allowed-origin"],
        "eventgrid.azure.net"
    );
}

#[tokio::test]
async fn what_stands_beside_a_question_is_taken_and_the_question_answered() {
    let (intake, app) = server();
    let asked = json!({
        "id": "1", "topic": "/subscriptions/x", "subject": "", "eventTime": "2026-03-02T09:00:00Z",
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "dataVersion": "1",
        "data": {"validationCode": "512d38b6"}
    });
    let event = |id: &str| {
        json!({
            "id": id, "topic": "/subscriptions/x", "subject": "calling/callLocator",
            "eventTime": "2026-03-02T09:00:00Z", "dataVersion": "1.0",
            "eventType": "Microsoft.Communication.CallStarted",
            "data": {"serverCallId": "aHR0cHM6", "startedBy": {"kind": "phoneNumber"}}
        })
    };
    let both = json!([event("a"), asked, event("b")]).to_string();
    // What is not durable is not answered.
    *intake.unavailable.lock() = Some((0, Unavailable::Full { retry_after_s: 1 }));
    let (status, _, answer) = post(&app, "/v1/sources/acs", both.clone()).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!answer.contains("512d38b6"), "{answer}");
    *intake.unavailable.lock() = None;
    for count_of in ["taken", "repeated"] {
        let (status, media, answer) = post(&app, "/v1/sources/acs", both.clone()).await;
        assert_eq!((status, &*media), (StatusCode::OK, "application/json"));
        assert_eq!(count(&answer, count_of), 2, "{answer}");
        assert_eq!(count(&answer, "refused"), 0, "{answer}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["validationResponse"], "512d38b6");
    }
    assert_eq!(intake.records.lock().len(), 2);
    // Several questions hold no records together either.
    let asked = json!([asked, asked]).to_string();
    let (_, _, answer) = post(&app, "/v1/sources/acs", asked).await;
    assert_eq!(answer, r#"{"validationResponse":"512d38b6"}"#);
    // Whoever asks by the address alone has proven nothing.
    let graph = "/v1/sources/teams?validationToken=x";
    let (_, _, answer) = post(&app, graph, QUEUE).await;
    assert_eq!(answer, "x");
    assert_eq!(intake.records.lock().len(), 2);
}

#[tokio::test]
async fn a_body_beyond_the_bound_is_refused_before_it_is_read_apart() {
    let (intake, app) = server();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::copy(
        &mut std::io::Read::take(std::io::repeat(b' '), MOST_BYTES as u64 + 1),
        &mut packed,
    )
    .unwrap();
    let request = Request::post("/v1/sources/genesys")
        .header("content-encoding", "gzip")
        .body(Body::from(packed.finish().unwrap()))
        .unwrap();
    let response = app.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(intake.records.lock().is_empty());
}

#[tokio::test]
async fn a_body_of_which_too_much_cannot_be_read_is_ended() {
    let intake = MemoryIntake::new();
    let limits = Limits {
        refused_lines: 20,
        ..Limits::default()
    };
    let doors = Doors::new(intake.clone(), Arc::new(AlwaysReady), limits);
    let app = Platforms::new(doors, HashMap::new()).router();
    let (status, _, answer) = post(&app, "/v1/sources/genesys", "{\"x\": !}\n".repeat(100)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
    assert!(answer.contains("too_many_refused"), "{answer}");
    assert_eq!(count(&answer, "refused"), 21, "{answer}");
}
