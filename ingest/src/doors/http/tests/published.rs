//! The published conformance files of CloudEvents through the HTTP door: every attribute and the data
//! are those that the files say. The types of their events are none of ours, so that the intake here
//! takes what the door makes of a request without asking for its type; the usual one refuses it for
//! its type and for nothing else.

use parking_lot::Mutex;

use super::*;
use crate::doors::intake::{Intake, Verdict};
use crate::doors::published::{Event, HTTP, STRUCTURED, events, scenarios, told};

const ONE: &str = "application/cloudevents+json";

/// Takes every record.
#[derive(Default)]
struct AnyType(Mutex<Vec<callboard_model::record::Record>>);

#[async_trait::async_trait]
impl Intake for AnyType {
    async fn submit(&self, batch: Vec<Candidate>) -> Result<Vec<Verdict>, Unavailable> {
        let take = |one| match one {
            Candidate::Record(record) => {
                self.0.lock().push(record);
                Verdict::Taken
            }
            Candidate::Dead(dead) => Verdict::Refused(dead.refusal),
        };
        Ok(batch.into_iter().map(take).collect())
    }

    fn now(&self) -> i64 {
        0
    }

    fn ended(&self, _: &[String]) {}
}

/// The records that the door makes of a request that it accepts.
async fn records(request: Request) -> Vec<callboard_model::record::Record> {
    let intake = Arc::new(AnyType::default());
    let doors = Doors::new(intake.clone(), Arc::new(AlwaysReady), Limits::default());
    let response = router(doors).oneshot(request).await.unwrap();
    let status = response.status();
    let answer = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    assert_eq!(status, StatusCode::OK, "{answer:?}");
    std::mem::take(&mut *intake.0.lock())
}

async fn record(request: Request) -> callboard_model::record::Record {
    let mut all = records(request).await;
    assert_eq!(all.len(), 1);
    all.remove(0)
}

/// A request as it is printed: a line, headers, an empty line, the body.
fn printed(text: &str) -> Request {
    let (head, body) = text.split_once("\n\n").unwrap();
    let mut lines = head.lines();
    assert!(lines.next().unwrap().starts_with("POST "));
    let mut request = Request::builder().method(Method::POST).uri("/v1/events");
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        if name == "Content-Length" {
            assert_eq!(value, body.len().to_string(), "read to its end");
        }
        request = request.header(name, value);
    }
    request.body(body.to_owned().into()).unwrap()
}

#[tokio::test]
async fn scenarios_of_the_http_binding_come_true() {
    for s in scenarios(HTTP) {
        let record = record(printed(&s.given)).await;
        let (attributes, data) = told(&record.bytes);
        assert_eq!(attributes, s.attributes, "{}", s.name);
        assert_eq!(data, s.data, "{}", s.name);
        assert_eq!(*record.id, *s.attributes["id"], "{}", s.name);
        assert_eq!(*record.source, *s.attributes["source"], "{}", s.name);
        // Only its type is not ours.
        let (status, _, answer) = server().send(printed(&s.given)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{}", s.name);
        let why = answer["detail"].as_str().unwrap();
        assert!(
            why.contains("type \"com.example.someevent\" is not known"),
            "{why}"
        );
    }
}

/// The binary mode of an event, by the rules of the binding (3.1.3.2) for what a header may hold.
fn binary(event: &Event) -> Request {
    let mut request = Request::builder().method(Method::POST).uri("/v1/events");
    for (name, value) in &event.attributes {
        if name == "datacontenttype" {
            request = request.header(header::CONTENT_TYPE, value);
            continue;
        }
        let mut text = String::new();
        for byte in value.bytes() {
            match byte {
                b'"' | b'%' | 0..=b' ' | 0x7f.. => text.push_str(&format!("%{byte:02X}")),
                plain => text.push(char::from(plain)),
            }
        }
        request = request.header(format!("ce-{name}"), text);
    }
    for (name, value) in &event.beside {
        request = request.header(name, value);
    }
    request.body(event.data.clone().into()).unwrap()
}

#[tokio::test]
async fn published_events_are_the_same_in_both_modes() {
    for event in events() {
        let id = &event.attributes["id"];
        let structured = post_to("/v1/events", ONE, event.structured());
        for request in [binary(&event), structured] {
            let record = record(request).await;
            let (attributes, data) = told(&record.bytes);
            assert_eq!(attributes, event.attributes, "{id}");
            assert_eq!(data, event.json(), "{id}");
        }
    }
}

#[tokio::test]
async fn published_events_in_json_come_alone_and_in_a_batch() {
    let mut alone = Vec::new();
    for text in STRUCTURED {
        let record = record(post_to("/v1/events", ONE, text)).await;
        let (attributes, data) = told(&record.bytes);
        assert_eq!(data, json!({"much": "wow"}));
        assert_eq!(attributes["time"], "2019-11-06T11:08:00Z");
        alone.push(attributes);
    }
    assert_eq!(alone[0].get("myextension"), None);
    assert_eq!(alone[1]["myextension"], "something");
    assert_eq!(alone[1], alone[2], "data in base 64 change no attribute");
    let batch = format!("[{}]", STRUCTURED.join(","));
    let media = "application/cloudevents-batch+json";
    let all = records(post_to("/v1/events", media, batch)).await;
    let together: Vec<_> = all.iter().map(|r| told(&r.bytes).0).collect();
    assert_eq!(together, alone);
}

/// With a type of ours the data are looked into: those in base 64 are found wanting the same field.
#[tokio::test]
async fn data_in_base_64_are_read_as_those_beside_them() {
    let mut told = Vec::new();
    for text in &STRUCTURED[1..] {
        let ours = text.replace("com.github.pull.create", "callboard.contact.started");
        let (status, answer) = server().post(ONE, ours).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        told.push(answer["detail"].as_str().unwrap().to_owned());
    }
    assert_eq!(told[0], told[1]);
    assert!(told[0].contains("contact_id"), "{}", told[0]);
}
