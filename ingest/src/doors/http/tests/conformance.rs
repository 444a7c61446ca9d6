//! CloudEvents over HTTP, sentence by sentence. Sections are those of the HTTP Protocol Binding
//! 1.0.2 (`HTTP`), the JSON Event Format 1.0.2 (`JSON`), the core specification 1.0.2 (`CE`) and the
//! HTTP 1.1 Web Hooks 1.0 (`WH`).

use std::collections::HashMap;

use super::*;
use crate::doors::platform::Platforms;

/// One request and what must become of it.
struct Case {
    /// Section, and what its sentence says.
    says: &'static str,
    media: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    /// Status, and how many events are kept.
    told: (u16, usize),
}

const JSON: &str = "application/json";
const ONE: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json";

/// Attributes of the binary mode.
const BINARY: &[(&str, &str)] = &[
    ("ce-specversion", "1.0"),
    ("ce-id", "1"),
    ("ce-source", "/t/1"),
    ("ce-type", "callboard.contact.started"),
    ("ce-time", "2026-03-02T09:15:04Z"),
];
const DATA: &str = r#"{"contact_id":"c-1"}"#;
const EVENT: &str = r#"{"specversion":"1.0","id":"1","source":"/t/1","type":"callboard.contact.started","time":"2026-03-02T09:15:04Z","data":{"contact_id":"c-1"}}"#;

macro_rules! case {
    ($says:literal, $media:expr, $headers:expr, $body:expr, $status:literal, $kept:literal) => {
        Case {
            says: $says,
            media: $media,
            headers: $headers,
            body: $body,
            told: ($status, $kept),
        }
    };
}

#[rustfmt::skip]
const CASES: &[Case] = &[
    // How the mode is found.
    case!("HTTP 3: application/cloudevents is the structured mode", ONE, &[], EVENT, 200, 1),
    case!("HTTP 3: media types are compared without regard to case", "Application/CloudEvents+JSON", &[], EVENT, 200, 1),
    case!("HTTP 3.2.1: with parameters", "application/cloudevents+json; charset=UTF-8", &[], EVENT, 200, 1),
    case!("HTTP 3: application/cloudevents-batch is the batched mode", BATCH, &[], concat!("[", r#"{"specversion":"1.0","id":"1","source":"/t/1","type":"callboard.contact.started","time":"2026-03-02T09:15:04Z","data":{"contact_id":"c-1"}}"#, "]"), 200, 1),
    case!("HTTP 3: anything else is the binary mode", "application/json; charset=utf-8", BINARY, DATA, 200, 1),
    case!("HTTP 3: an event format that is not known is refused", "application/cloudevents+xml", &[], EVENT, 415, 0),
    case!("HTTP 3: a batch format that is not known is refused", "application/cloudevents-batch+avro", &[], "[]", 415, 0),
    case!("HTTP 3: without attributes in headers it is no event", "text/plain", &[], "hello", 415, 0),
    // Binary mode.
    case!("HTTP 3.1.2: the data is the body byte by byte", JSON, BINARY, "{\"contact_id\" : \"c-1\"}", 200, 1),
    case!("HTTP 3.1.3: all attributes are headers with ce- before their names", JSON, &[("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/t/1"), ("ce-type", "callboard.contact.started"), ("ce-time", "2026-03-02T09:15:04Z"), ("ce-comexampleextension", "17")], DATA, 200, 1),
    case!("HTTP 3.1.3.1: names of headers are compared without regard to case", JSON, &[("CE-SpecVersion", "1.0"), ("Ce-Id", "1"), ("CE-SOURCE", "/t/1"), ("ce-Type", "callboard.contact.started"), ("CE-time", "2026-03-02T09:15:04Z")], DATA, 200, 1),
    case!("HTTP 3.1.1: datacontenttype is Content-Type and no ce- header", JSON, &[("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/t/1"), ("ce-type", "callboard.contact.started"), ("ce-time", "2026-03-02T09:15:04Z"), ("ce-datacontenttype", "application/json")], DATA, 400, 0),
    case!("HTTP 3.1.3.2: what decodes to no UTF-8 is refused", JSON, &[("ce-specversion", "1.0"), ("ce-id", "%C3"), ("ce-source", "/t/1"), ("ce-type", "callboard.contact.started"), ("ce-time", "2026-03-02T09:15:04Z")], DATA, 400, 0),
    // Required attributes.
    case!("CE 3.1.1: id is required", JSON, &[("ce-specversion", "1.0"), ("ce-source", "/t/1"), ("ce-type", "callboard.contact.started"), ("ce-time", "2026-03-02T09:15:04Z")], DATA, 400, 0),
    case!("CE 3.1.1: source is required", JSON, &[("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-type", "callboard.contact.started"), ("ce-time", "2026-03-02T09:15:04Z")], DATA, 400, 0),
    case!("CE 3.1.1: type is required", JSON, &[("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/t/1"), ("ce-time", "2026-03-02T09:15:04Z")], DATA, 400, 0),
    case!("CE 3.1.1: specversion is required", JSON, &[("ce-id", "1"), ("ce-source", "/t/1"), ("ce-type", "callboard.contact.started"), ("ce-time", "2026-03-02T09:15:04Z")], DATA, 400, 0),
    case!("CE 3.1.1: specversion is 1.0", JSON, &[("ce-specversion", "0.3"), ("ce-id", "1"), ("ce-source", "/t/1"), ("ce-type", "callboard.contact.started"), ("ce-time", "2026-03-02T09:15:04Z")], DATA, 400, 0),
    case!("CE 3.1.1: id is not empty", ONE, &[], r#"{"specversion":"1.0","id":"","source":"/t/1","type":"callboard.contact.started","time":"2026-03-02T09:15:04Z","data":{"contact_id":"c-1"}}"#, 400, 0),
    case!("CE 3.1.1: source is not empty", ONE, &[], r#"{"specversion":"1.0","id":"1","source":"","type":"callboard.contact.started","time":"2026-03-02T09:15:04Z","data":{"contact_id":"c-1"}}"#, 400, 0),
    case!("CE 3.1.2: time is a timestamp of RFC 3339", ONE, &[], r#"{"specversion":"1.0","id":"1","source":"/t/1","type":"callboard.contact.started","time":"yesterday","data":{"contact_id":"c-1"}}"#, 400, 0),
    case!("CE 3.1.2 allows an event without time; who counts by time refuses it", ONE, &[], r#"{"specversion":"1.0","id":"1","source":"/t/1","type":"callboard.contact.started","data":{"contact_id":"c-1"}}"#, 400, 0),
    // Structured mode.
    case!("JSON 2.2: a member that is null is as one that is not there", ONE, &[], r#"{"specversion":"1.0","id":"1","source":"/t/1","type":"callboard.contact.started","time":"2026-03-02T09:15:04Z","tenant":null,"subject":null,"data":{"contact_id":"c-1"}}"#, 200, 1),
    case!("JSON 2.4: unknown extensions are kept", ONE, &[], r#"{"specversion":"1.0","id":"1","source":"/t/1","type":"callboard.contact.started","time":"2026-03-02T09:15:04Z","comexamplen":7,"data":{"contact_id":"c-1"}}"#, 200, 1),
    case!("JSON 3.1.1: data_base64 holds the bytes of the data", ONE, &[], r#"{"specversion":"1.0","id":"1","source":"/t/1","type":"callboard.contact.started","time":"2026-03-02T09:15:04Z","datacontenttype":"application/json","data_base64":"eyJjb250YWN0X2lkIjoiYy0xIn0="}"#, 200, 1),
    case!("JSON 3.1.1: data_base64 is base64", ONE, &[], r#"{"specversion":"1.0","id":"1","source":"/t/1","type":"callboard.contact.started","time":"2026-03-02T09:15:04Z","data_base64":"*"}"#, 400, 0),
    case!("JSON 3.1.1: data and data_base64 exclude each other", ONE, &[], r#"{"specversion":"1.0","id":"1","source":"/t/1","type":"callboard.contact.started","time":"2026-03-02T09:15:04Z","data":{"contact_id":"c-1"},"data_base64":"e30="}"#, 400, 0),
    case!("JSON 3.1: a datacontenttype that is not there is application/json", ONE, &[], EVENT, 200, 1),
    case!("HTTP 3.2.3: headers may repeat attributes, the body counts", ONE, &[("ce-id", "9"), ("ce-source", "/other")], EVENT, 200, 1),
    case!("HTTP 3.2.2: the body is one event", ONE, &[], "[]", 400, 0),
    case!("HTTP 3.2.2: the body is an event", ONE, &[], "{", 400, 0),
    // Batched mode.
    case!("JSON 4.2: a batch may be empty", BATCH, &[], "[]", 200, 0),
    case!("JSON 4.2: a batch is an array", BATCH, &[], EVENT, 400, 0),
    case!("JSON 4.1: each event of a batch stands alone: one that is refused refuses no other", BATCH, &[], concat!("[{},", r#"{"specversion":"1.0","id":"1","source":"/t/1","type":"callboard.contact.started","time":"2026-03-02T09:15:04Z","data":{"contact_id":"c-1"}}"#, "]"), 200, 1),
];

#[tokio::test]
async fn requests_become_what_the_specification_says() {
    for case in CASES {
        let s = server();
        let mut request = post_to("/v1/events", case.media, case.body);
        for (name, value) in case.headers {
            let name = header::HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().append(name, value.parse().unwrap());
        }
        let (status, _, answer) = s.send(request).await;
        let kept = s.intake.records.lock().len();
        assert_eq!(
            (status.as_u16(), kept),
            case.told,
            "{}: {answer}",
            case.says
        );
        let wrong = !status.is_success();
        assert_eq!(
            wrong,
            answer["detail"].is_string(),
            "{}: {answer}",
            case.says
        );
        // CE 3.1.1: (source, id) tells a repeat, whatever the mode.
        if let Some(record) = s.intake.records.lock().first() {
            assert_eq!(
                (&*record.source, &*record.id),
                ("/t/1", "1"),
                "{}",
                case.says
            );
        }
    }
}

#[tokio::test]
async fn headers_are_decoded_once() {
    // HTTP 3.1.3.2: the string of the example; a quoted string as older senders write it; characters
    // that need no encoding and have it; a percent sign that is one; lower case digits.
    for (header, id) in [
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        ("\"a b\"", "a b"),
        ("\"say \\\"%20\\\"\"", "say \" \""),
        ("%41BC", "ABC"),
        ("100%25", "100%"),
        ("%2541", "%41"),
        ("%c3%a4", "ä"),
    ] {
        let s = server();
        let mut request = post_to("/v1/events", JSON, DATA);
        for (name, value) in BINARY {
            let value = if *name == "ce-id" { header } else { *value };
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (status, _, answer) = s.send(request).await;
        assert_eq!(status, StatusCode::OK, "{header}: {answer}");
        assert_eq!(&*s.intake.records.lock()[0].id, id, "{header}");
    }
}

#[tokio::test]
async fn extensions_and_the_type_of_the_data_are_kept_in_both_modes() {
    let s = server();
    let mut request = post_to("/v1/events", "application/json; charset=utf-8", DATA);
    for (name, value) in BINARY {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    let value = "x%20y".parse().unwrap();
    request
        .headers_mut()
        .insert("ce-comexampleextension", value);
    s.send(request).await;
    let kept: Value = serde_json::from_slice(&s.intake.records.lock()[0].bytes).unwrap();
    assert_eq!(kept["comexampleextension"], "x y");
    // HTTP 3.1.1: Content-Type as it came, parameters too.
    assert_eq!(kept["datacontenttype"], "application/json; charset=utf-8");
    assert_eq!(kept["data"]["contact_id"], "c-1");
}

/// WH 2.1: deliveries are answered; WH 4: the sender asks first whether they are wanted.
#[tokio::test]
async fn deliveries_and_the_question_before_them_are_answered() {
    let s = server();
    for (origin, rate) in [("eventemitter.example.com", Some("120")), ("x", None)] {
        let mut request = Request::builder()
            .method(Method::OPTIONS)
            .uri("/v1/events")
            .header("webhook-request-origin", origin);
        if let Some(rate) = rate {
            request = request.header("webhook-request-rate", rate);
        }
        let (status, headers, _) = s.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::OK);
        // WH 4.2.1: the origin that asked, or *. WH 4.2.2: a positive number, or *.
        assert_eq!(headers["webhook-allowed-origin"], origin);
        assert_eq!(headers["webhook-allowed-rate"], "*");
        // WH 4.2: Allow lists POST.
        assert!(headers["allow"].to_str().unwrap().contains("POST"));
    }
    // WH 4.2: without the question in the request there is no permission in the answer.
    let request = Request::builder().method(Method::OPTIONS).uri("/v1/events");
    let (_, headers, _) = s.send(request.body(Body::empty()).unwrap()).await;
    assert!(!headers.contains_key("webhook-allowed-origin"));
    // WH 2.1: only POST delivers.
    let request = Request::builder().method(Method::GET).uri("/v1/events");
    let (status, _, _) = s.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    // WH 2.1: a duplicate is accepted.
    for repeated in 0..2 {
        let (status, answer) = s.post(ONE, EVENT).await;
        assert_eq!(
            (status, &answer["repeated"]),
            (StatusCode::OK, &json!(repeated))
        );
    }
}

/// A platform's CloudEvents come in by all three modes and are the same records.
#[tokio::test]
async fn a_platforms_events_are_the_same_in_every_mode() {
    let file = include_str!(
        "../../../../sources/tests/captures/acs/eventgrid-ce-call_ended--azure-sdk-for-go.json"
    );
    let event: Value = serde_json::from_str(file).unwrap();
    let structured = server_of_platforms();
    let told = structured.post_acs(ONE, &[], event.to_string()).await;
    assert_eq!(told["taken"], 1, "{told}");
    let told = structured
        .post_acs(BATCH, &[], json!([event]).to_string())
        .await;
    assert_eq!(
        (&told["taken"], &told["repeated"]),
        (&json!(0), &json!(1)),
        "{told}"
    );
    let binary = server_of_platforms();
    let attributes: Vec<(String, String)> = event
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, value)| value.is_string())
        .map(|(name, value)| {
            (
                format!("ce-{}", name.to_lowercase()),
                value.as_str().unwrap().to_owned(),
            )
        })
        .filter(|(name, _)| name != "ce-datacontenttype")
        .collect();
    let told = binary
        .post_acs(JSON, &attributes, event["data"].to_string())
        .await;
    assert_eq!(told["taken"], 1, "{told}");
    let (a, b) = (
        structured.intake.records.lock(),
        binary.intake.records.lock(),
    );
    assert_eq!((&a[0].source, &a[0].id), (&b[0].source, &b[0].id));
}

fn server_of_platforms() -> Server {
    let intake = MemoryIntake::new();
    let doors = Doors::new(intake.clone(), Arc::new(AlwaysReady), Limits::default());
    let app = Platforms::new(doors, HashMap::new()).router();
    Server { intake, app }
}

impl Server {
    async fn post_acs(&self, media: &str, more: &[(String, String)], body: String) -> Value {
        let mut request = post_to("/v1/sources/acs?instance=here", media, body);
        for (name, value) in more {
            let name = header::HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let (status, _, answer) = self.send(request).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }
}
