use super::*;

#[path = "message_published.rs"]
mod published;

fn reader(adapter: &str) -> MessageReader {
    let declared = Declared {
        instance: "t1".into(),
        ..Declared::default()
    };
    let adapter = Adapted::named(adapter).unwrap();
    MessageReader::new("calls", adapter, declared, 1 << 20, 64)
}

fn read(reader: &mut MessageReader, message: &Arrived, at: i64) -> Vec<Candidate> {
    reader.read(message, at).unwrap()
}

fn message(value: &str, headers: &[(&str, &str)]) -> Arrived {
    Arrived {
        topic: "calls".into(),
        partition: 3,
        offset: 17,
        key: Some(b"c1".to_vec()),
        headers: headers
            .iter()
            .map(|(n, v)| ((*n).to_owned(), v.as_bytes().to_vec()))
            .collect(),
        value: Some(value.as_bytes().to_vec()),
        broken: None,
    }
}

fn event(id: &str) -> String {
    format!(r#"{{"specversion":"1.0","id":"{id}","source":"/t","type":"x","data":{{}}}}"#)
}

/// Ids of records, or classes of dead letters with their reasons' ends checked.
fn told(found: &[Candidate]) -> Vec<String> {
    let each = found.iter().map(|one| match one {
        Candidate::Record(record) => {
            assert_eq!(record.stamp.carried["kafka"], "calls/3/17");
            record.id.to_string()
        }
        Candidate::Dead(dead) => {
            let reason = &dead.refusal.reason;
            assert!(
                reason.ends_with("(Kafka topic/partition/offset calls/3/17)"),
                "{reason}"
            );
            assert_eq!(dead.source, "/callboard/kafka/calls");
            dead.refusal.class.to_owned()
        }
    });
    each.collect()
}

#[test]
fn events_come_one_by_one_in_batches_and_as_lines() {
    let mut reader = reader("events");
    let one = event("1");
    assert_eq!(told(&read(&mut reader, &message(&one, &[]), 5)), ["1"]);
    let structured = [(
        "content-type",
        "application/cloudevents+json; charset=UTF-8",
    )];
    assert_eq!(
        told(&read(&mut reader, &message(&one, &structured), 5)),
        ["1"]
    );
    let many = format!("[{one},{},7]", event("2"));
    assert_eq!(
        told(&read(&mut reader, &message(&many, &[]), 5)),
        ["1", "2", "not_an_event"]
    );
    let lines = format!("{one}\nno\n{}\n", event("2"));
    let ndjson = [("Content-Type", "application/x-ndjson")];
    assert_eq!(
        told(&read(&mut reader, &message(&lines, &ndjson), 5)),
        ["1", "not_json", "2"]
    );
    assert_eq!(
        told(&read(&mut reader, &message(&format!("[{one},"), &[]), 5)),
        ["1", "not_a_batch"]
    );
    assert_eq!(
        told(&read(&mut reader, &message("poison", &[]), 5)),
        ["not_json"]
    );
    let mut gone = message("", &[]);
    gone.value = None;
    assert!(
        read(&mut reader, &gone, 5).is_empty(),
        "a tombstone says nothing"
    );
}

#[test]
fn attributes_in_headers_make_an_event_and_the_rest_is_carried() {
    let headers = [
        ("ce_specversion", "1.0"),
        ("ce_id", "50%"),
        ("ce_source", "/t"),
        ("ce_type", "callboard.segment.started"),
        ("ce_rank", "40"),
        ("content-type", "application/json"),
        ("trace", "abc"),
    ];
    let mut reader = reader("events");
    let found = read(&mut reader, &message(r#"{"n": 1.50}"#, &headers), 5);
    assert_eq!(
        told(&found),
        ["50%"],
        "no percent signs are undone in Kafka's headers"
    );
    let Candidate::Record(record) = &found[0] else {
        panic!("{found:?}")
    };
    let text = std::str::from_utf8(&record.bytes).unwrap();
    assert!(text.contains(r#""data":{"n": 1.50}"#), "{text}");
    assert!(text.contains(r#""rank":40"#), "{text}");
    let carried = &record.stamp.carried;
    assert_eq!((&*carried["key"], &*carried["header.trace"]), ("c1", "abc"));
    assert!(!carried.contains_key("header.ce_id"));

    for bad in [("ce_Bad", "1"), ("ce_data", "1"), ("ce_id", "again")] {
        let mut headers = headers.to_vec();
        headers.push(bad);
        assert_eq!(
            told(&read(&mut reader, &message("{}", &headers), 5)),
            ["bad_attribute"]
        );
    }
}

#[test]
fn what_is_carried_and_what_is_refused_has_a_bound() {
    let mut reader = reader("events");
    let long = "x".repeat(3000);
    let found = read(
        &mut reader,
        &message(&event("1"), &[("long", &long), ("short", "1")]),
        5,
    );
    let Candidate::Record(record) = &found[0] else {
        panic!("{found:?}")
    };
    let carried = &record.stamp.carried;
    assert_eq!((&*carried["cut"], &*carried["header.short"]), ("true", "1"));
    assert!(!carried.contains_key("header.long"));

    let lines = "no\n".repeat(DEAD_LETTERS + 5);
    let jsonl = [("content-type", "application/jsonl")];
    let found = told(&read(&mut reader, &message(&lines, &jsonl), 5));
    assert_eq!(found.len(), DEAD_LETTERS + 1);
    assert_eq!(found[DEAD_LETTERS], "too_many_refused");

    let huge = format!(
        r#"{{"id":"1","source":"/t","x":"{}"}}"#,
        "x".repeat(2 << 20)
    );
    assert_eq!(
        told(&read(&mut reader, &message(&huge, &[]), 5)),
        ["too_long"]
    );
    let mut broken = message("{}", &[]);
    broken.broken = Some("a header's name is not UTF-8".into());
    assert_eq!(told(&read(&mut reader, &broken, 5)), ["unreadable"]);
    let mut odd = message(&event("1"), &[]);
    odd.key = Some(vec![0xff]);
    let Some(Candidate::Record(record)) = read(&mut reader, &odd, 5).pop() else {
        panic!("a record")
    };
    assert_eq!(record.stamp.carried["key"], "base64:/w==");
}

#[test]
fn a_platforms_documents_are_read_as_its_requests_are() {
    let path = "sources/tests/captures/acs/made-job-router.json";
    let text = std::fs::read_to_string(path).unwrap();
    let adapter = of_platform("acs").unwrap();
    let declared = Declared {
        instance: "t1".into(),
        ..Declared::default()
    };
    let direct: Vec<String> = adapter
        .split(text.as_bytes(), &declared)
        .into_iter()
        .filter_map(
            |one| match candidate(one, 5, &mut EventReader::new(5, 1 << 20, 64)) {
                Candidate::Record(record) => Some(record.id.to_string()),
                Candidate::Dead(_) => None,
            },
        )
        .collect();
    assert!(!direct.is_empty());
    assert_eq!(
        told(&read(&mut reader("acs"), &message(&text, &[]), 5)),
        direct
    );
}

#[test]
fn a_message_that_nobody_can_read_now_is_no_dead_letter() {
    let mut reader = reader("mapping:landis");
    let why = reader.read(&message("{}", &[]), 5).unwrap_err();
    assert!(why.contains("landis"), "{why}");
    assert!(Adapted::named("mapping").is_none() && Adapted::named("mapping:").is_none());
    for name in ["events", "acs", "mapping:landis"] {
        assert_eq!(Adapted::named(name).unwrap().name(), name);
    }
}
