//! What is told of a customer beside his contacts, and of others meanwhile.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Server, until};

/// Tells one event, which must be new.
pub fn event(server: &Server, kind: &str, id: &str, data: Value) {
    let event = json!({
        "specversion": "1.0", "id": id, "source": "/test/upkeep", "type": kind,
        "time": "2026-03-07T12:00:00Z", "data": data,
    });
    let body = event.to_string().into_bytes();
    let (status, answer) = server
        .post("/v1/events", "application/x-ndjson", body)
        .unwrap();
    assert_eq!((status, &answer["taken"]), (200, &json!(1)), "{answer}");
}

/// A contact is measured and judged, its customer known, a number leased for it; and what is nobody's: a figure of a
/// platform, a plan.
pub fn known_beside(server: &Server, contact: &str, customer: &str) {
    let measured = json!({"contact_id": contact, "participant": "customer",
        "values": {"jitter": 0.012, "mos": 4.1}});
    event(server, "callboard.measurement.recorded", "m1", measured);
    let judged = json!({"evaluation_id": "of-his", "contact_id": contact, "score": 80, "max": 100,
        "answers": [{"question_id": "q1", "score": 5, "max": 5}]});
    event(server, "callboard.evaluation.recorded", "e1", judged);
    let known = json!({"customer": customer, "valid_from": "2026-01-01T00:00:00Z",
        "attributes": {"tier": "gold"}});
    event(server, "callboard.customer.recorded", "k1", known);
    let leased = json!({"lease_id": "of-his-number", "number": "+4930555900", "contact_id": contact,
        "customer": customer, "allocated_at": "2026-03-07T09:00:00Z",
        "released_at": "2026-03-07T09:00:09Z"});
    event(server, "callboard.lease.recorded", "lease-1", leased);
    let counted = json!({"scope": "queue:elsewhere", "start": "2026-03-07T09:15:00Z",
        "end": "2026-03-07T09:30:00Z", "values": {"offered": 2}});
    event(server, "callboard.figure.recorded", "f1", counted);
    let planned = json!({"schedule_id": "p1", "agent": "ann", "activity": "Phones",
        "start": "2026-03-07T09:00:00Z", "end": "2026-03-07T12:00:00Z"});
    event(server, "callboard.schedule.recorded", "p1", planned);
}

/// A late word corrects a contact that has settled; where it had not, it is told another.
pub fn corrected(server: &Server, contact: &str) {
    let mut told = 0;
    until("a correction", || {
        let word = json!({"contact_id": contact, "segment_id": format!("late-{told}"),
            "kind": "menu", "name": "step", "start": "2026-03-07T12:00:00Z",
            "outcome": "selected"});
        event(
            server,
            "callboard.segment.recorded",
            &format!("late-{told}"),
            word,
        );
        told += 1;
        std::thread::sleep(Duration::from_secs(2));
        let of = format!("select count(*) from corrections where id = '{contact}'");
        (server.number(&of) > 0).then_some(())
    });
}

/// The truth without these contacts.
pub fn without(truth: &Path, contacts: &BTreeSet<&str>, out: &Path) {
    for entry in std::fs::read_dir(truth).unwrap() {
        let path = entry.unwrap().path();
        let place = out.join(path.file_name().unwrap());
        if path.is_dir() {
            std::fs::create_dir_all(&place).unwrap();
            without(&path, contacts, &place);
            continue;
        }
        std::fs::create_dir_all(out).unwrap();
        let all = std::fs::read_to_string(&path).unwrap();
        let his = |line: &&str| {
            // Among the events are blank lines.
            let row: Value = serde_json::from_str(line).unwrap_or_default();
            ["contact_id", "from_contact", "to_contact"]
                .iter()
                .any(|c| row[*c].as_str().is_some_and(|id| contacts.contains(id)))
        };
        let ndjson = path.extension().is_some_and(|e| e == "ndjson");
        let kept = all.lines().filter(|line| !(ndjson && his(line)));
        std::fs::write(place, kept.map(|l| format!("{l}\n")).collect::<String>()).unwrap();
    }
}
