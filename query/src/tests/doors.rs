//! `POST /v1/sql`.

use axum::body::Body;
use axum::http::{Request, Response, header};
use serde_json::Value;
use tower::ServiceExt;

use super::fixture::{Memory, contact};
use super::reading::engine;
use crate::router;

async fn ask(kind: &str, uri: &str, accept: &str, body: &str) -> Response<Body> {
    let memory = Memory::new();
    memory.add(&[
        contact("a", 0, Some(60), 1000, "Ann"),
        contact("b,\"", 0, None, 0, ""),
    ]);
    let request = Request::post(uri)
        .header(header::CONTENT_TYPE, kind)
        .header(header::ACCEPT, accept)
        .body(Body::from(body.to_owned()))
        .unwrap();
    router(engine(&memory)).oneshot(request).await.unwrap()
}

async fn bytes(response: Response<Body>) -> Vec<u8> {
    axum::body::to_bytes(response.into_body(), 1 << 20)
        .await
        .unwrap()
        .to_vec()
}

#[tokio::test]
async fn json_has_columns_and_rows() {
    let body = r#"{"sql": "SELECT contact_id, started_at, talk_ms, agents, hold_ms FROM contacts WHERE talk_ms >= $1 ORDER BY 1", "params": [1]}"#;
    let response = ask("application/json", "/v1/sql", "*/*", body).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["callboard-snapshot"], "2");
    assert_eq!(
        response.headers()["callboard-now"],
        "2026-03-02T10:00:00.000000Z"
    );
    let json: Value = serde_json::from_slice(&bytes(response).await).unwrap();
    assert_eq!(json["columns"][1]["type"], "timestamp");
    assert_eq!(json["columns"][2]["type"], "integer");
    assert_eq!(json["rows"].as_array().unwrap().len(), 1);
    assert_eq!(json["rows"][0]["contact_id"], "a");
    assert_eq!(json["rows"][0]["started_at"], "2026-03-02T09:00:00Z");
    assert_eq!(json["rows"][0]["agents"][0], "Ann");
    assert_eq!(json["rows"][0]["hold_ms"], Value::Null);
    let none = ask("text/plain", "/v1/sql", "*/*", "SELECT 1 AS x WHERE false").await;
    let json: Value = serde_json::from_slice(&bytes(none).await).unwrap();
    assert_eq!(json["rows"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn csv_quotes_and_arrow_reads_back() {
    let sql = "SELECT contact_id, agents, started_at FROM contacts ORDER BY 1";
    let csv = ask("text/plain", "/v1/sql?format=csv", "*/*", sql).await;
    assert!(
        csv.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/csv")
    );
    let text = String::from_utf8(bytes(csv).await).unwrap();
    assert_eq!(
        text,
        "contact_id,agents,started_at\na,[Ann],2026-03-02T09:00:00Z\n\"b,\"\"\",[],2026-03-02T09:00:00Z\n"
    );
    let arrow = ask(
        "text/plain",
        "/v1/sql",
        "application/vnd.apache.arrow.stream",
        sql,
    )
    .await;
    let data = bytes(arrow).await;
    let reader = arrow::ipc::reader::StreamReader::try_new(&data[..], None).unwrap();
    let rows: usize = reader.map(|b| b.unwrap().num_rows()).sum();
    assert_eq!(rows, 2);
}

#[tokio::test]
async fn refusals_are_problems_with_a_code() {
    for (kind, uri, body, status, code) in [
        ("text/plain", "/v1/sql", "DROP TABLE contacts", 403, "25006"),
        ("text/plain", "/v1/sql", "SELEC 1", 400, "42601"),
        (
            "text/plain",
            "/v1/sql",
            "SELECT nothing FROM contacts",
            400,
            "42703",
        ),
        (
            "text/plain",
            "/v1/sql",
            "SELECT * FROM nowhere",
            400,
            "42P01",
        ),
        ("text/plain", "/v1/sql?format=xml", "SELECT 1", 400, "42601"),
        ("application/json", "/v1/sql", "{\"sql\": 1}", 400, "42601"),
        (
            "application/json",
            "/v1/sql",
            "{\"sql\": \"SELECT $1\", \"params\": [[1]]}",
            400,
            "22000",
        ),
    ] {
        let response = ask(kind, uri, "*/*", body).await;
        assert_eq!(response.status(), status, "{body}");
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json"
        );
        let json: Value = serde_json::from_slice(&bytes(response).await).unwrap();
        assert_eq!(json["code"], code, "{body}: {json}");
        assert!(!json["detail"].as_str().unwrap().is_empty());
    }
}
