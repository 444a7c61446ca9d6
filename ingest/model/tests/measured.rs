//! Measurements, figures, evaluations, attributes, plans and leases: events to rows, in any order.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value as Json, json};

use callboard_model::cloudevents::{CloudEvent, read};
use callboard_model::ids::{Beside, Key};
use callboard_model::measures;
use callboard_model::merge::State;
use callboard_model::record::{Refusal, RouteKey};
use callboard_model::rows::{
    MOST_MEASUREMENTS, customer_rows, evaluation_rows, figure_rows, lease_rows, measurement_rows,
    schedule_rows,
};
use callboard_model::statement::Statement;
use callboard_model::tables::{Day, Instant};

const T: i64 = 1_772_442_904_000_000;

fn said(id: &str, kind: &str, at: i64, data: Json) -> Result<(Key, Vec<Statement>), Refusal> {
    let kind = format!("callboard.{kind}.recorded");
    let event = CloudEvent::new("/acme/softphone", id, &kind, T + at, data);
    let routing = read(&event.record(0).unwrap())?;
    let [RouteKey::Direct(key)] = &routing.keys[..] else {
        panic!("{:?}", routing.keys)
    };
    Ok((key.clone(), routing.statements.unwrap()))
}

/// The state in every order of some events, repeats among them; all must be one.
fn in_any_order(events: &[Vec<Statement>]) -> State {
    let whole = State::of(events.iter().flatten());
    for turn in 0..events.len() {
        let mut other = events.to_vec();
        other.rotate_left(turn);
        for turned in [other.clone(), other.into_iter().rev().collect()] {
            let repeated = turned.iter().chain(&turned).flatten();
            assert_eq!(State::of(repeated), whole);
            let (left, right) = turned.split_at(turn);
            let mut joined = State::of(right.iter().flatten());
            joined.join(&State::of(left.iter().flatten()));
            assert_eq!(joined, whole);
        }
    }
    whole
}

#[test]
fn stats_of_a_browser_become_measurements_in_our_units() {
    let stats = json!({"contact_id": "c-1", "participant": "ann", "segment_id": "talk/1",
        "values": {"jitter": 0.012, "roundTripTime": 0.08, "packetsLost": 5, "packetsReceived": 995,
                   "mos": 4.1, "echo": 2.0}, "units": {"echo": "dB"},
        "client": "Chrome 141", "device": "Headset", "network": "wifi", "vdi": "citrix"});
    let (key, first) = said("1", "measurement", 0, stats).unwrap();
    assert_eq!(key, Key::Beside(Beside::Measurements, "c-1".into()));
    let better = json!({"contact_id": "c-1", "participant": "ann", "at": "2026-03-02T09:15:04Z",
        "values": {"jitter_ms": 13.0}});
    let (_, second) = said("2", "measurement", 5, better).unwrap();
    let later = json!({"contact_id": "c-1", "participant": "ann", "values": {"jitter_ms": 1.0}});
    let (_, third) = said("3", "measurement", 10_000_000, later).unwrap();
    let state = in_any_order(&[first, second, third]);
    let rows = measurement_rows("measurements:c-1", "c-1", &state, None);
    let shown: Vec<_> = rows
        .iter()
        .map(|r| (&*r.name, r.value, r.unit.as_deref().unwrap_or("")))
        .collect();
    assert_eq!(
        shown,
        [
            ("echo", 2.0, "dB"),
            // Told again for the same moment: the later record stands.
            ("jitter_ms", 13.0, "ms"),
            ("mos", 4.1, "mos"),
            ("packet_loss_ratio", 0.005, "ratio"),
            ("packets_lost", 5.0, "count"),
            ("packets_received", 995.0, "count"),
            ("round_trip_ms", 80.0, "ms"),
            ("jitter_ms", 1.0, "ms"),
        ]
    );
    let first = &rows[0];
    assert_eq!(first.at, Some(Instant(T)));
    assert_eq!(first.source, "/acme/softphone");
    assert_eq!(first.vdi.as_deref(), Some("citrix"));
    assert_eq!(first.segment_id.as_deref(), Some("talk/1"));
}

#[test]
fn measurements_beyond_the_bound_are_counted() {
    let mut events = Vec::new();
    for n in 0..25 {
        let values: serde_json::Map<String, Json> =
            (0..500).map(|i| (format!("n{i:03}"), json!(i))).collect();
        let data = json!({"contact_id": "c-1", "values": values});
        events.push(
            said(&n.to_string(), "measurement", n * 1_000, data)
                .unwrap()
                .1,
        );
    }
    let state = State::of(events.iter().flatten());
    let rows = measurement_rows("s", "c-1", &state, Some(Day(7)));
    assert_eq!(rows.len(), MOST_MEASUREMENTS + 1);
    let last = rows.last().unwrap();
    assert_eq!((&*last.name, last.value), (measures::LEFT_OUT, 2_500.0));
    assert_eq!(last.day, Day(7));
}

#[test]
fn figures_of_a_span_are_told_again_and_stay_one() {
    let told = |value: f64| {
        json!({"scope": "queue:support", "start": "2026-03-02T09:00:00Z",
               "end": "2026-03-02T09:15:00Z", "values": {"offered": value, "service_level": 80.0},
               "units": {"service_level": "percent"}})
    };
    let (key, first) = said("1", "figure", 0, told(7.0)).unwrap();
    let (again, second) = said("2", "figure", 60_000_000, told(8.0)).unwrap();
    assert_eq!(key, again);
    let Key::Beside(Beside::Figures, id) = key else {
        panic!()
    };
    let rows = figure_rows(&id, &in_any_order(&[first, second]));
    let shown: Vec<_> = rows.iter().map(|r| (&*r.metric, r.value)).collect();
    assert_eq!(shown, [("offered", 8.0), ("service_level", 80.0)]);
    assert_eq!(rows[1].unit.as_deref(), Some("percent"));
    assert_eq!(rows[0].scope, "queue:support");
}

#[test]
fn an_evaluation_is_the_whole_and_its_questions() {
    let data = json!({"evaluation_id": "e1", "contact_id": "c-1", "agent": "ann", "form": "Greeting",
        "score": 80.0, "max": 100.0, "answers": [
            {"question_id": "q1", "question": "Greeted?", "answer": "yes", "score": 5.0, "max": 5.0}]});
    let (_, statements) = said("1", "evaluation", 0, data).unwrap();
    let rows = evaluation_rows("e1", &in_any_order(&[statements]));
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (rows[0].question_id.as_deref(), rows[0].score),
        (None, Some(80.0))
    );
    assert_eq!((rows[1].score, rows[1].max_score), (Some(5.0), Some(5.0)));
    assert_eq!(rows[1].contact_id.as_deref(), Some("c-1"));
}

#[test]
fn attributes_hold_from_a_time_and_null_withdraws_one() {
    let gold = json!({"customer": "+4930123", "valid_from": "2026-01-01T00:00:00Z",
        "attributes": {"tier": "gold", "seats": 12}});
    let none = json!({"customer": "+4930123", "valid_from": "2026-01-01T00:00:00Z",
        "attributes": {"seats": null}});
    let (key, first) = said("1", "customer", 0, gold).unwrap();
    let (again, second) = said("2", "customer", 1_000_000, none).unwrap();
    assert_eq!(key, again);
    let rows = customer_rows("k", &in_any_order(&[first, second]));
    let shown: Vec<_> = rows.iter().map(|r| (&*r.name, &*r.value)).collect();
    assert_eq!(shown, [("seats", ""), ("tier", "gold")]);
    assert_eq!(rows[0].customer, "+4930123");
    assert!(rows[1].valid_from.unwrap() < rows[1].told_at.unwrap());
}

#[test]
fn a_plan_that_was_withdrawn_has_no_row() {
    let plan = json!({"schedule_id": "s1", "agent": "ann", "activity": "Lunch", "class": "paused",
        "start": "2026-03-02T12:00:00Z", "end": "2026-03-02T12:30:00Z", "paid": false});
    let (_, first) = said("1", "schedule", 0, plan.clone()).unwrap();
    let rows = schedule_rows("s1", &State::of(&first));
    assert_eq!((&*rows[0].class, rows[0].paid), ("paused", Some(false)));
    let mut gone = plan;
    gone["withdrawn"] = json!(true);
    let (_, second) = said("2", "schedule", 1_000_000, gone).unwrap();
    assert!(schedule_rows("s1", &in_any_order(&[first, second])).is_empty());
}

#[test]
fn what_cannot_be_meant_is_refused_by_name() {
    let refused = |kind: &str, data: Json| said("1", kind, 0, data).unwrap_err();
    let many: serde_json::Map<String, Json> =
        (0..501).map(|i| (format!("n{i}"), json!(1))).collect();
    for (kind, data, class, word) in [
        (
            "measurement",
            json!({"values": {"mos": 4}}),
            "missing_field",
            "contact_id",
        ),
        (
            "measurement",
            json!({"contact_id": "c"}),
            "missing_field",
            "values",
        ),
        (
            "measurement",
            json!({"contact_id": "c", "values": many}),
            "too_long",
            "values",
        ),
        (
            "measurement",
            json!({"contact_id": "c", "values": {"": 1}}),
            "missing_field",
            "values",
        ),
        (
            "figure",
            json!({"start": "2030-01-01T00:00:00Z", "values": {}}),
            "bad_value",
            "end",
        ),
        (
            "evaluation",
            json!({"score": 1}),
            "missing_field",
            "evaluation_id",
        ),
        (
            "customer",
            json!({"customer": "x"}),
            "missing_field",
            "attributes",
        ),
        (
            "schedule",
            json!({"agent": "a", "start": "2026-03-02T12:00:00Z",
            "end": "2026-03-02T12:00:00Z"}),
            "bad_value",
            "end",
        ),
        (
            "schedule",
            json!({"agent": "a", "class": "lunch", "start": "2026-03-02T12:00:00Z",
            "end": "2026-03-02T13:00:00Z"}),
            "bad_data",
            "lunch",
        ),
    ] {
        let refusal = refused(kind, data);
        assert_eq!(refusal.class, class, "{refusal}");
        assert!(refusal.reason.contains(word), "{refusal}");
    }
}

#[test]
fn a_lease_that_is_told_again_adds_its_release() {
    let taken = json!({"number": "+4930555900", "contact_id": "main-17.3", "customer": "+4917000001",
        "allocated_at": "2026-03-02T09:15:00Z", "expires_at": "2026-03-02T09:18:00Z"});
    let free = json!({"number": "+4930555900", "allocated_at": "2026-03-02T09:15:00Z",
        "transferred_at": "2026-03-02T09:15:02Z", "released_at": "2026-03-02T09:15:09Z"});
    let (key, first) = said("1", "lease", 0, taken.clone()).unwrap();
    let (again, second) = said("2", "lease", 9_000_000, free).unwrap();
    assert_eq!(key, again);
    assert!(matches!(&key, Key::Beside(Beside::Lease, id) if id.contains("+4930555900")));
    let rows = lease_rows("l", &in_any_order(&[first, second]));
    let [row] = &rows[..] else { panic!("{rows:?}") };
    let after = |t: Option<Instant>| t.map(|t| (t.0 - row.allocated_at.0) / 1_000_000);
    assert_eq!(
        [
            after(row.transferred_at),
            after(row.released_at),
            after(row.expires_at)
        ],
        [Some(2), Some(9), Some(180)]
    );
    assert_eq!(row.contact_id.as_deref(), Some("main-17.3"));
    assert_eq!(row.customer.as_deref(), Some("+4917000001"));
    for field in ["number", "allocated_at"] {
        let mut without = taken.clone();
        without.as_object_mut().unwrap().remove(field);
        let refusal = said("3", "lease", 0, without).unwrap_err();
        assert!(refusal.reason.contains(field), "{refusal}");
    }
}
