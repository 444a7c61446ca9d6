//! What is wrong with a file is told with its place.

use super::{declared, file, with_data};
use callboard_sources::mapping::{Mapping, try_out};

fn faults(text: &str) -> String {
    Mapping::parse(text).unwrap_err().join("\n")
}

#[test]
fn faults_name_their_place() {
    let told = with_data("queue = '.q | ('").unwrap_err().join("\n");
    assert!(
        told.contains("data.queue: closing parenthesis was expected"),
        "{told}"
    );
    let told = with_data("site = '.a | nosuch'").unwrap_err().join("\n");
    assert!(
        told.contains(
            "event 1 (callboard.contact.recorded), data.site: no filter \"nosuch\" is known"
        ),
        "{told}"
    );
    let told = with_data("site = '.a) , (.b'").unwrap_err().join("\n");
    assert!(told.contains("data.site: "), "{told}");
    for (code, word) in [
        ("env", "env"),
        ("now", "now"),
        ("input", "input"),
        ("halt", "halt"),
        ("$ENV", "$ENV"),
        ("import \"a\" as a; .", ""),
    ] {
        let told = with_data(&format!("site = '{code}'"))
            .unwrap_err()
            .join("\n");
        assert!(
            told.contains(word) && told.contains("data.site"),
            "{code}: {told}"
        );
    }
    assert!(
        faults("name = 1").contains("line 1"),
        "{}",
        faults("name = 1")
    );
    let told = faults(&file(
        "[[event]]\ntype = \"callboard.kontakt.recorded\"\n[event.data]\n",
    ));
    assert!(told.contains("callboard.contact"), "{told}");
    let told = faults(&file("colour = 3\n[[event]]\ntype = \"x\"\n[event.data]\n"));
    assert!(told.contains("colour"), "{told}");
    let told = faults(&file("zone = \"Mars/Base\"\nevent = []\n"));
    assert!(
        told.contains("Mars/Base") && told.contains("[[event]]"),
        "{told}"
    );
}

#[test]
fn errors_of_an_item_name_item_event_and_field() {
    let mapping = with_data("start = '.start | at'\nchannel = '.channel'").unwrap();
    let sample = br#"{"id":"1","at":"2026-03-02T09:00:00Z","start":"nowhen"}
        {"id":"2","at":"2026-03-02T09:00:00Z","channel":"pigeon"}
        {"id":"3","at":"2026-03-02T09:00:00Z","channel":"chat","start":1772442000}
        {"id":"4"}
        {broken"#;
    let report = try_out(&mapping, sample, &declared());
    let told: Vec<(usize, &str)> = report.errors.iter().map(|e| (e.item, e.class)).collect();
    assert_eq!(
        told,
        [
            (1, "mapping_error"),
            (2, "mapped_event"),
            (4, "mapped_event"),
            (5, "not_json")
        ]
    );
    let reason = |n: usize| report.errors[n].reason.as_str();
    assert!(
        reason(0)
            .starts_with("event 1 (callboard.contact.recorded), data.start: \"nowhen\" is no time"),
        "{}",
        reason(0)
    );
    assert!(reason(1).contains("pigeon"), "{}", reason(1));
    assert!(reason(2).contains("time is missing"), "{}", reason(2));
    assert_eq!(report.events.len(), 1);
    assert_eq!(report.events[0].1["data"]["start"], "2026-03-02T09:00:00Z");
}

#[test]
fn times_and_durations_are_read_as_they_are_written() {
    let mapping = with_data(
        "start = '.form as $f | .t | at($f; \"Europe/Berlin\")'\n[event.data.attributes]\nms = '.d | ms'\n",
    )
    .unwrap();
    for (t, form, d, start, ms) in [
        (
            "2026-03-02 10:00:00",
            "%Y-%m-%d %H:%M:%S",
            "00:01:30",
            "2026-03-02T09:00:00Z",
            90_000,
        ),
        (
            "2.7.2026 10:00",
            "%d.%m.%Y %H:%M",
            "1:02:03",
            "2026-07-02T08:00:00Z",
            3_723_000,
        ),
        // Twice in the night in which clocks go back: the first. Never in the one before: moved on.
        (
            "2026-10-25 02:30:00",
            "%Y-%m-%d %H:%M:%S",
            "12.5",
            "2026-10-25T00:30:00Z",
            12_500,
        ),
        (
            "2026-03-29 02:30:00",
            "%Y-%m-%d %H:%M:%S",
            "0:07",
            "2026-03-29T01:30:00Z",
            7_000,
        ),
    ] {
        let item = format!(
            r#"{{"id":"1","at":"2026-03-02T09:00:00Z","t":"{t}","form":"{form}","d":"{d}"}}"#
        );
        let mapped = mapping.map(item.as_bytes(), &declared()).unwrap();
        let data = &mapped.events[0]["data"];
        assert_eq!(data["start"], start, "{t}");
        assert_eq!(data["attributes"]["ms"], ms, "{d}");
    }
}
