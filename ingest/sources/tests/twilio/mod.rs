//! Twilio: what its captures say, cell by cell.

mod calls;
mod tasks;

use callboard_model::rows::ContactRows;
use callboard_model::tables::Instant;

use crate::fold;

/// 2026-03-02T09:15:00Z, to which the times of the made captures are counted.
pub const T: i64 = 1_772_442_900;

/// So many seconds after it.
pub fn at(s: i64) -> Option<Instant> {
    Some(Instant((T + s) * 1_000_000))
}

pub fn capture(name: &str) -> Vec<u8> {
    fold::capture("twilio", name)
}

pub fn told(names: &[&str]) -> fold::Rows {
    let bodies: Vec<Vec<u8>> = names.iter().map(|n| capture(n)).collect();
    let bodies: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
    fold::told("twilio", &bodies)
}

/// The contact that has this platform id.
pub fn of<'r>(rows: &'r fold::Rows, sid: &str) -> &'r ContactRows {
    let named = |c: &&ContactRows| {
        c.contact.as_ref().unwrap().contact_id == format!("t1-{sid}")
            || c.aliases.iter().any(|a| a.native == sid)
    };
    rows.contacts.values().find(named).unwrap()
}

#[test]
fn any_order_and_repeats_give_the_same_rows() {
    let all: Vec<Vec<u8>> = fold::captures("twilio")
        .into_iter()
        .filter(|(name, _)| !name.contains("-task--") && !name.contains("-worker--"))
        .map(|(_, b)| b)
        .collect();
    let bodies: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
    let records = fold::records("twilio", "t1", &bodies);
    assert!(records.len() > 60, "{}", records.len());
    fold::stands_any_order(&records);
}

#[test]
fn damage_never_panics() {
    fold::stands_damage("twilio", 4_000);
}

#[test]
fn what_is_no_callback_is_a_dead_letter_of_its_own() {
    let body = b"CallSid=CA1&CallStatus=ringing&Timestamp=Mon%2C+02+Mar+2026+09%3A15%3A00+%2B0000\nhello\n\xff\xfe=1\nFoo=1\n";
    let (records, dead) = fold::split("twilio", "t1", body);
    assert_eq!(records.len(), 1);
    let classes: Vec<&str> = dead.iter().map(|d| d.class).collect();
    assert_eq!(classes, ["not_form", "invalid_utf8", "unknown_document"]);
    for name in [
        "taskrouter-task--api-snippets.json",
        "taskrouter-worker--api-snippets.json",
    ] {
        // A resource is no event: what it was when is not told.
        let (records, dead) = fold::split("twilio", "t1", &capture(name));
        assert_eq!(
            (records.len(), dead[0].class),
            (0, "unknown_document"),
            "{name}"
        );
    }
    let (records, _) = fold::split(
        "twilio",
        "t1",
        b"EventType=task.created&TaskSid=WT1&Timestamp=soon",
    );
    let refusal = callboard_model::record::Interpreter::route(
        &callboard_sources::registry::Registry,
        &records[0],
    );
    assert_eq!(refusal.unwrap_err().class, "no_time");
}

#[test]
fn accounts_with_equal_ids_never_meet() {
    let text = String::from_utf8(capture("made-taskrouter.txt")).unwrap();
    let other = text.replace(
        "AC00000000000000000000000000000001",
        "AC00000000000000000000000000000002",
    );
    let (mut both, _) = fold::split("twilio", "", text.as_bytes());
    assert_eq!(
        &*both[0].source,
        "/twilio/AC00000000000000000000000000000001/taskrouter"
    );
    let alone = fold::fold(&both).contacts.len();
    both.extend(fold::split("twilio", "", other.as_bytes()).0);
    assert_eq!(fold::fold(&both).contacts.len(), 2 * alone);
}
