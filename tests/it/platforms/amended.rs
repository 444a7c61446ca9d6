//! A platform's record that is amended a day later: Amazon Connect sends a contact record whole
//! again, with a later `LastUpdateTimestamp`, when the contact has long settled in the lake.

use serde_json::Value;

use crate::support::centre::Centre;
use crate::support::{project, until};

/// The records of a call that a second agent took over, as they come on its day: one for each leg.
fn legs() -> [Value; 2] {
    let path = "ingest/sources/tests/captures/amazon-connect/made-inbound-records.json";
    let text = std::fs::read_to_string(project().join(path)).unwrap();
    // One document after the other, as Firehose writes them.
    let mut all = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
    let legs = [(); 2].map(|()| all.next().unwrap().unwrap());
    let ids = legs.each_ref().map(|leg| leg["ContactId"].as_str());
    assert_eq!(ids, [Some("c-1"), Some("c-2")]);
    legs
}

/// The second leg as a record of the next day has it: longer in another queue, with another agent.
fn amended(leg: &Value) -> Value {
    let arn = |what: &str| format!("arn:aws:connect:eu-central-1:111122223333:instance/i-1/{what}");
    let mut leg = leg.clone();
    let mut put = |path: &str, value: Value| {
        let old = leg.pointer_mut(path).unwrap();
        assert_ne!(*old, value, "{path}");
        *old = value;
    };
    put("/LastUpdateTimestamp", "2026-03-03T09:05:31Z".into());
    put("/Queue/ARN", arn("queue/q-vip").into());
    put("/Queue/Name", "Important".into());
    put("/Queue/DequeueTimestamp", "2026-03-02T09:03:50Z".into());
    put("/Queue/Duration", 30.into());
    put("/Agent/ARN", arn("agent/a-3").into());
    put("/Agent/Username", "bkim".into());
    put(
        "/Agent/ConnectedToAgentTimestamp",
        "2026-03-02T09:03:50Z".into(),
    );
    put("/Agent/AgentInteractionDuration", 70.into());
    leg
}

/// Sends records; how many were taken and how many were known.
fn post(centre: &mut Centre, records: &[&Value]) -> (u64, u64) {
    let body: String = records.iter().map(|r| r.to_string()).collect();
    let url = "/v1/sources/amazon-connect?instance=here";
    let (status, answer) = (centre.server())
        .post(url, "text/plain", body.into_bytes())
        .unwrap();
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["refused"], 0, "{answer}");
    let count = |name: &str| answer[name].as_u64().unwrap();
    centre.known += count("taken");
    (count("taken"), count("repeated"))
}

const CONTACT: &str = "select substr(contact_id, 6), queue, agent, ended_at, outcome, wait_ms, talk_ms, wrap_ms, state from contacts";

const QUEUES: &str = "select queue, interval_start, offered, answered, answered_in_target, wait_ms_sum, talk_ms_sum from queue_intervals order by queue";

const AGENTS: &str = "select agent, state, started_at, ended_at from agent_intervals where state = 'talk' order by started_at";

const CORRECTIONS: &str = "select entity, id, causes, tables from corrections";

#[test]
fn a_record_amended_a_day_later_changes_the_settled_rows_and_says_so() {
    let mut centre = Centre::new();
    let [first, second] = legs();
    assert_eq!(post(&mut centre, &[&first, &second]), (2, 0));
    centre.settle("c-1");
    let care = "q-care 2026-03-02T09:00:00 1 1 0 30000 135000";
    let talked = "a-1 talk 2026-03-02T09:01:10 2026-03-02T09:03:25";
    assert_eq!(
        centre.rows(CONTACT),
        ["c-1 q-sales a-2 2026-03-02T09:05:00 answered 45000 220000 65000 closed"]
    );
    assert_eq!(
        centre.rows(QUEUES),
        [care, "q-sales 2026-03-02T09:00:00 1 1 1 15000 85000"]
    );
    assert_eq!(
        centre.rows(AGENTS),
        [talked, "a-2 talk 2026-03-02T09:03:35 2026-03-02T09:05:00"]
    );
    assert!(centre.rows(CORRECTIONS).is_empty());

    assert_eq!(post(&mut centre, &[&amended(&second)]), (1, 0));
    let corrected = until("its correction", || {
        Some(centre.rows(CORRECTIONS)).filter(|rows| !rows.is_empty())
    });
    centre.settle("c-1");
    // One contact, by the one record that came late.
    let [row] = corrected.as_slice() else {
        panic!("{corrected:#?}");
    };
    let cause = "contact here-c-1 [\"/amazon-connect/here/contact-record c-2@2026-03-03T09:05:31Z#";
    assert!(row.starts_with(cause), "{row}");
    assert!(row.contains("\"contacts\",\"segments\""), "{row}");

    // What was true on the day comes again: it is known, and the later version stays.
    assert_eq!(post(&mut centre, &[&second]), (0, 1));
    for _ in 0..2 {
        assert_eq!(
            centre.rows(CONTACT),
            ["c-1 q-vip a-3 2026-03-02T09:05:00 answered 60000 205000 65000 closed"]
        );
        assert_eq!(
            centre.rows(QUEUES),
            [care, "q-vip 2026-03-02T09:00:00 1 1 0 30000 70000"]
        );
        assert_eq!(
            centre.rows(AGENTS),
            [talked, "a-3 talk 2026-03-02T09:03:50 2026-03-02T09:05:00"]
        );
        assert_eq!(centre.rows(CORRECTIONS), corrected);
        centre.restart();
    }
}
