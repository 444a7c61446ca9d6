//! The published conformance files of CloudEvents as Kafka messages: every attribute and the data are
//! those that the files say.

use super::*;
use crate::doors::published::{Attributes, KAFKA, STRUCTURED, events, scenarios};

/// Attributes and data of the one record that a message is.
fn read(value: &str, headers: &[(&str, &str)]) -> (Attributes, Value) {
    let found = reader("events").read(&message(value, headers), 5).unwrap();
    let [Candidate::Record(record)] = &found[..] else {
        panic!("{found:?}");
    };
    let (attributes, data) = crate::doors::published::told(&record.bytes);
    assert_eq!(*record.id, *attributes["id"]);
    assert_eq!(*record.source, *attributes["source"]);
    (attributes, data)
}

#[test]
fn scenarios_of_the_kafka_binding_come_true() {
    for s in scenarios(KAFKA) {
        let headers = s.headers.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        let headers: Vec<(&str, &str)> = headers.collect();
        assert!(!headers.is_empty(), "{}", s.name);
        let (attributes, data) = read(&s.given, &headers);
        assert_eq!(attributes, s.attributes, "{}", s.name);
        assert_eq!(data, s.data, "{}", s.name);
    }
}

#[test]
fn published_events_are_the_same_in_both_modes_of_a_message() {
    for event in events() {
        // Headers hold attributes in UTF-8 as they are.
        let named: Vec<(String, &str)> = event
            .attributes
            .iter()
            .map(|(name, value)| match name.as_str() {
                "datacontenttype" => ("content-type".to_owned(), value.as_str()),
                name => (format!("ce_{name}"), value.as_str()),
            })
            .chain(event.beside.iter().map(|(n, v)| (n.clone(), v.as_str())))
            .collect();
        let headers: Vec<(&str, &str)> = named.iter().map(|(n, v)| (n.as_str(), *v)).collect();
        let expected = (event.attributes.clone(), event.json());
        assert_eq!(read(&event.data, &headers), expected);
        let structured = [("content-type", "application/cloudevents+json")];
        assert_eq!(read(&event.structured(), &structured), expected);
    }
}

#[test]
fn published_events_in_json_are_read_without_any_header() {
    for text in STRUCTURED {
        let (attributes, data) = read(text, &[]);
        assert_eq!(data, serde_json::json!({"much": "wow"}));
        assert_eq!(attributes["type"], "com.github.pull.create");
    }
}
