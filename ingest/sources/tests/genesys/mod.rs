//! Genesys Cloud: what its captures say, cell by cell.

mod details;
mod live;

use callboard_model::tables::Instant;

use crate::fold;

pub const QUEUE_A: &str = "aaaa0000-0000-4000-8000-000000000001";
pub const QUEUE_B: &str = "bbbb0000-0000-4000-8000-000000000002";
pub const ONE: &str = "u1111111-0000-4000-8000-000000000001";
pub const TWO: &str = "u2222222-0000-4000-8000-000000000002";
pub const THREE: &str = "u3333333-0000-4000-8000-000000000003";

/// 2026-03-02T09:15:00Z, to which the times of the made captures are counted.
pub const T: i64 = 1_772_442_900;

/// So many milliseconds after it.
pub fn at(ms: i64) -> Option<Instant> {
    Some(Instant(T * 1_000_000 + ms * 1_000))
}

pub fn capture(name: &str) -> Vec<u8> {
    fold::capture("genesys", name)
}

pub fn told(names: &[&str]) -> fold::Rows {
    let bodies: Vec<Vec<u8>> = names.iter().map(|n| capture(n)).collect();
    let bodies: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
    fold::told("genesys", &bodies)
}

/// The contact of the made captures with that number.
pub fn contact(rows: &fold::Rows, n: usize) -> &callboard_model::rows::ContactRows {
    &rows.contacts[&format!("t1-c0000000-0000-4000-8000-0000000000{n:02}")]
}

#[test]
fn any_order_and_repeats_give_the_same_rows() {
    let all: Vec<Vec<u8>> = fold::captures("genesys")
        .into_iter()
        .map(|(_, b)| b)
        .collect();
    let bodies: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
    let records = fold::records("genesys", "t1", &bodies);
    assert!(records.len() > 40, "{}", records.len());
    fold::stands_any_order(&records);
}

#[test]
fn damage_never_panics() {
    fold::stands_damage("genesys", 4_000);
}

#[test]
fn what_is_no_document_of_genesys_is_a_dead_letter_of_its_own() {
    let body = b"{\"conversationId\":\"c\",\"participants\":[]}\n{\"oops\"\n[1]\n{\"participants\":[]}\n{\"a\":1}";
    let (records, dead) = fold::split("genesys", "t1", body);
    assert_eq!(records.len(), 1);
    let classes: Vec<&str> = dead.iter().map(|d| d.class).collect();
    assert_eq!(
        classes,
        [
            "not_json",
            "not_object",
            "missing_attribute",
            "unknown_document"
        ]
    );
}

#[test]
fn tenants_with_equal_ids_never_meet() {
    let body = capture("made-detail-voice-transfer.json");
    let (mut both, _) = fold::split("genesys", "t1", &body);
    both.extend(fold::split("genesys", "t2", &body).0);
    let rows = fold::fold(&both);
    assert_eq!(rows.contacts.len(), 2);
    assert_eq!(rows.surveys.len(), 4);
}

#[test]
fn the_organisation_of_the_bus_is_the_instance_unless_one_is_declared() {
    let body = capture("eventbridge-conversation-start-event--event-streaming-blueprint.json");
    let (records, _) = fold::split("genesys", "", &body);
    assert_eq!(
        &*records[0].source,
        "/genesys/32aa07aa-db1b-4987-abd0-9483601ec29d/event"
    );
    assert_eq!(&*records[0].id, "adbcfa5b-0116-4baa-b66b-a3f5902e95bf");
    let (records, _) = fold::split("genesys", "prod", &body);
    assert_eq!(&*records[0].source, "/genesys/prod/event");
}

#[test]
fn lists_within_lists_are_not_followed() {
    let deep = "{\"conversations\":[".repeat(200_000);
    let body = format!("{deep}{}", "]}".repeat(200_000));
    let (records, dead) = fold::split("genesys", "t1", body.as_bytes());
    assert_eq!((records.len(), dead.len()), (0, 1));
    let body = body.replace("conversations", "events");
    let (records, dead) = fold::split("twilio", "t1", body.as_bytes());
    assert_eq!((records.len(), dead.len()), (0, 1));
}
