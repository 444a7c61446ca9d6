//! Measurements, platforms' figures beside ours, attributes, adherence, vCons.

use axum::body::Body;
use axum::http::Request;
use callboard_model::tables::{
    AliasRow, CustomerAttributeRow, Day, EvaluationRow, Instant, MeasurementRow, ScheduleRow,
    VendorMetricRow,
};
use serde_json::Value;
use tower::ServiceExt;

use super::figures::fill;
use super::fixture::{Memory, at, recording, state, turn};
use super::reading::{engine, session, show};
use crate::{metrics, router};

fn measurement(contact: &str, name: &str, value: f64) -> MeasurementRow {
    MeasurementRow {
        contact_id: contact.to_owned(),
        participant: Some("Ann".to_owned()),
        at: Some(at(60)),
        name: name.to_owned(),
        value,
        unit: Some("ms".to_owned()),
        source: "/acme/softphone".to_owned(),
        segment_id: None,
        client: None,
        device: None,
        network: None,
        vdi: Some("citrix".to_owned()),
        set_id: format!("measurements:{contact}"),
        day: at(60).day(),
    }
}

fn figure(metric: &str, unit: &str, value: f64) -> VendorMetricRow {
    VendorMetricRow {
        source: "/vendor/x".to_owned(),
        metric: metric.to_owned(),
        scope: "queue:support".to_owned(),
        started_at: Some(at(0)),
        ended_at: Some(at(900)),
        value,
        unit: Some(unit.to_owned()),
        figures_id: "f".to_owned(),
        day: at(0).day(),
    }
}

fn plan(id: &str, class: &str, start: i64, end: i64) -> ScheduleRow {
    ScheduleRow {
        schedule_id: id.to_owned(),
        agent: "Ann".to_owned(),
        activity: class.to_owned(),
        class: class.to_owned(),
        started_at: at(start),
        ended_at: at(end),
        paid: None,
        source: "/planner".to_owned(),
        day: at(start).day(),
    }
}

fn attribute(name: &str, value: &str, from: Option<Instant>) -> CustomerAttributeRow {
    CustomerAttributeRow {
        customer: "+4930123".to_owned(),
        name: name.to_owned(),
        value: value.to_owned(),
        valid_from: from,
        valid_to: None,
        source: "/crm".to_owned(),
        told_at: Some(at(0)),
        attribute_id: format!("{from:?}"),
        day: at(0).day(),
    }
}

#[tokio::test]
async fn a_softphone_that_knows_the_platforms_id_measures_the_contact() {
    let memory = Memory::new();
    fill(&memory);
    memory.add(&[AliasRow {
        entity: "contact".to_owned(),
        platform: "/asterisk/pbx1".to_owned(),
        native: "17.3".to_owned(),
        id: "a".to_owned(),
        valid_from: None,
        valid_to: None,
        day: Day(0),
    }]);
    memory.add(&[
        measurement("17.3", "jitter_ms", 12.0),
        measurement("a", "round_trip_ms", 80.0),
    ]);
    let s = session(&memory);
    let out = show(
        &s,
        "SELECT contact_id, name, value, vdi FROM measurements ORDER BY 2",
    )
    .await;
    assert!(
        out.contains("| a          | jitter_ms     | 12.0  | citrix |"),
        "{out}"
    );
    assert!(
        out.contains("| a          | round_trip_ms | 80.0  | citrix |"),
        "{out}"
    );
}

#[tokio::test]
async fn theirs_stands_beside_ours_in_our_unit() {
    let memory = Memory::new();
    fill(&memory);
    memory.add(&[
        figure("CONTACTS_QUEUED", "count", 4.0),
        figure("CONTACTS_ABANDONED", "count", 1.0),
        figure("SERVICE_LEVEL LT 10", "percent", 50.0),
        figure("tAnswered.mean", "ms", 7_000.0),
        figure("AVG_HANDLE_TIME", "s", 61.5),
        figure("oServiceLevel.ratio", "ratio", 0.9),
        figure("SOMETHING_ELSE", "count", 1.0),
    ]);
    let s = session(&memory);
    let sql = "SELECT our_metric, theirs, ours, difference FROM vendor_beside_ours ORDER BY 1";
    let out = show(&s, sql).await;
    // Ours is what the metric itself says of the same quarter of an hour.
    let own = metrics::render(
        &[
            "offered",
            "abandoned",
            "average_speed_of_answer",
            "handle_time",
            "service_level",
        ],
        &["queue"],
        "queue = 'support'",
    )
    .unwrap();
    let own = show(&s, &own).await;
    assert!(own.contains("| support | 3       | 1         | 7500.0                  | 60000.0     | 1.0           |"), "{own}");
    for (name, theirs, ours, difference) in [
        ("abandoned", "1.0", "1.0", "0.0"),
        ("average_speed_of_answer", "7000.0", "7500.0", "-500.0"),
        ("handle_time", "61500.0", "60000.0", "1500.0"),
        ("offered", "4.0", "3.0", "1.0"),
        ("service_level", "0.9", "1.0", ""),
        ("service_level_removed", "0.5", "1.0", "-0.5"),
    ] {
        let row = format!("| {name:<23} | {theirs:<7} | {ours:<7} | {difference}");
        assert!(out.contains(&row), "{row}\n{out}");
    }
    assert!(!out.contains("else"), "{out}");
    let filtered = "SELECT count(*) AS n FROM vendor_beside_ours WHERE queue = 'support' AND our_metric = 'offered'";
    assert!(show(&s, filtered).await.contains("| 1 |"));
}

#[tokio::test]
async fn adherence_is_the_planned_time_that_was_kept() {
    let memory = Memory::new();
    // Ready from 0 to 800, paused from 600 to 700, gone at 800.
    memory.add(&[
        state("Ann", "membership", "support", "member", "", 0, Some(800)),
        state("Ann", "pause", "support", "paused", "Lunch", 600, Some(700)),
    ]);
    memory.add(&[
        plan("work", "available", 100, 600),
        plan("lunch", "paused", 600, 800),
        plan("again", "available", 800, 1_000),
        // It has not come yet: now is T0 + 1 h.
        plan("later", "available", 5_000, 6_000),
    ]);
    let s = session(&memory);
    let sql = "SELECT schedule_id, interval_start, scheduled_ms, adherent_ms, unknown_ms FROM adherence ORDER BY 1, 2";
    let out = show(&s, sql).await;
    for row in [
        "| again       | 2026-03-02T09:00:00Z | 100000       | 0           | 0          |",
        "| again       | 2026-03-02T09:15:00Z | 100000       | 0           | 0          |",
        "| lunch       | 2026-03-02T09:00:00Z | 200000       | 100000      | 0          |",
        "| work        | 2026-03-02T09:00:00Z | 500000       | 500000      | 0          |",
    ] {
        assert!(out.contains(row), "{row}\n{out}");
    }
    assert!(!out.contains("later"), "{out}");
    let sql = metrics::render(&["adherence"], &["agent"], "").unwrap();
    let out = show(&s, &sql).await;
    assert!(out.contains("| Ann   | 0.6666666666666666 |"), "{out}");
}

#[tokio::test]
async fn an_attribute_ends_where_it_is_told_anew() {
    let memory = Memory::new();
    memory.add(&[
        attribute("tier", "silver", None),
        attribute("tier", "gold", Some(at(100))),
        attribute("seats", "12", Some(at(0))),
        attribute("seats", "", Some(at(50))),
    ]);
    let s = session(&memory);
    let sql = "SELECT name, value, valid_from, valid_to FROM customer_attributes WHERE customer = '+4930123' ORDER BY 1, 3";
    let out = show(&s, sql).await;
    for row in [
        "| seats | 12     | 2026-03-02T09:00:00Z | 2026-03-02T09:00:50Z |",
        "| tier  | gold   | 2026-03-02T09:01:40Z |                      |",
        "| tier  | silver |                      | 2026-03-02T09:01:40Z |",
    ] {
        assert!(out.contains(row), "{row}\n{out}");
    }
    assert_eq!(out.matches("seats").count(), 1, "{out}");
}

#[tokio::test]
async fn a_contact_goes_out_as_a_vcon() {
    let memory = Memory::new();
    fill(&memory);
    memory.add(&[recording("a", "ready", Some("done"), "")]);
    memory.add(&[turn("a", 1, "Hello.")]);
    memory.add(&[measurement("a", "jitter_ms", 12.0)]);
    memory.add(&[EvaluationRow {
        evaluation_id: "e1".to_owned(),
        contact_id: Some("a".to_owned()),
        agent: None,
        evaluator: None,
        form: Some("Greeting".to_owned()),
        section: None,
        question_id: None,
        question: None,
        score: Some(80.0),
        max_score: Some(100.0),
        answer: None,
        remark: None,
        at: Some(at(99)),
        source: "/t".to_owned(),
        day: at(99).day(),
    }]);
    let get = async |path: &str| {
        let request = Request::get(path)
            .header("host", "board.example:8080")
            .body(Body::empty())
            .unwrap();
        let response = router(engine(&memory)).oneshot(request).await.unwrap();
        let status = response.status();
        let kind = response.headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20)
            .await
            .unwrap();
        let json: Value = serde_json::from_slice(&bytes).unwrap();
        (status, kind, json)
    };
    let (status, kind, vcon) = get("/v1/contacts/a/vcon").await;
    assert_eq!((status.as_u16(), &*kind), (200, "application/vcon+json"));
    assert_eq!(vcon["parties"][0]["tel"], "+4930123");
    assert_eq!(vcon["parties"][1]["name"], "Ann");
    assert_eq!(vcon["dialog"][0]["type"], "recording");
    assert_eq!(vcon["dialog"][0]["party_history"][0]["event"], "hold");
    assert_eq!(vcon["analysis"][0]["body"][0]["text"], "Hello.");
    let purposes: Vec<&str> = vcon["attachments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["purpose"].as_str().unwrap())
        .collect();
    assert_eq!(
        purposes,
        [
            "callboard contact",
            "callboard measurements",
            "callboard evaluations"
        ]
    );
    let (status, kind, problem) = get("/v1/contacts/nobody/vcon").await;
    assert_eq!((status.as_u16(), &*kind), (404, "application/problem+json"));
    assert_eq!(problem["class"], "unknown_contact");
}
