//! Recordings, their gaps and channels; surveys.

use super::pipe::{Rows, at, capture, of, records_of, rows, told};

fn row(rows: &Rows) -> callboard_model::tables::RecordingRow {
    assert_eq!(rows.recordings.len(), 1, "{:?}", rows.recordings.keys());
    rows.recordings
        .values()
        .next()
        .unwrap()
        .recording
        .clone()
        .unwrap()
}

#[test]
fn a_recording_runs_pauses_and_is_ready() {
    // Row "Call recording" of section 0.2.
    let rows = told(&["made-recording.ndjson"]);
    assert!(rows.contacts.is_empty(), "it reopens no contact");
    let r = row(&rows);
    assert_eq!(r.contact_id, "acs1-call:rmVOICEuyIo0WGzTtL1fIIJg");
    assert_eq!((r.state.as_str(), r.leg.as_str()), ("ready", "both"));
    assert_eq!(r.codec.as_deref(), Some("wav"));
    assert_eq!(r.duration_ms, Some(185_000));
    assert_eq!((at(r.started_at), at(r.ended_at)), (47.9, 241.0));
    assert_eq!(
        r.gaps.as_deref(),
        Some(r#"[{"end_ms":70100,"reason":"paused","start_ms":62100}]"#)
    );
    let text = String::from_utf8(capture("made-recording.ndjson")).unwrap();
    let longer = text.replace("09:01:58", "09:02:08");
    let r = row(&super::pipe::rows(&records_of("acs1", longer.as_bytes())));
    assert!(r.gaps.unwrap().contains("80100"));
}

#[test]
fn metadata_with_the_recording_id_tells_format_and_channels_of_the_same_recording() {
    let mut records = of(&["made-recording.ndjson", "made-recording-metadata.json"]);
    let r = row(&rows(&records));
    assert_eq!((r.rate, r.channels), (Some(16_000), Some(2)));
    assert_eq!(r.duration_ms, Some(185_000));
    // Who is on which channel stands among the recording's facts.
    let said = channels(&records);
    assert_eq!(
        said,
        [
            ("channel.0".to_owned(), "4:+15550100".to_owned()),
            (
                "channel.1".to_owned(),
                "8:acs:1bdaa2b9-9507-4542-bb64-a7b22c00a8d4_agent-ben".to_owned()
            )
        ]
    );
    records.reverse();
    assert_eq!(channels(&records), said);
}

fn channels(records: &[callboard_model::record::Record]) -> Vec<(String, String)> {
    use callboard_model::ids::Key;
    use callboard_model::merge::State;
    use callboard_model::record::Interpreter;
    use callboard_model::statement::{F, Thing, Value};
    let set: Vec<_> = records.iter().collect();
    let key = Key::Recording("x".into());
    let said = callboard_sources::registry::Registry.interpret(&key, &set);
    let state = State::of(&said);
    let facts = state.get(&Thing::Recording).unwrap();
    let found = facts
        .iter()
        .filter_map(|(f, slot)| match (f, &slot.winner()?.value) {
            (F::Attr(name), Value::Text(t)) if name.starts_with("channel.") => {
                Some((name.to_string(), t.to_string()))
            }
            _ => None,
        });
    found.collect()
}

#[test]
fn metadata_with_two_words_swapped_is_read() {
    let rows = told(&["recording-metadata-pause-resume--azure-sdk-for-js.json"]);
    let r = row(&rows);
    assert!(
        r.recording_id
            .ends_with("0-eus-d16-4d30207fd28f8fe681e1d5523b1ba242")
    );
    assert_eq!((r.leg.as_str(), r.codec.as_deref()), ("mixed", Some("mp4")));
    assert_eq!((r.rate, r.channels), (Some(16_000), Some(1)));
    assert_eq!(r.duration_ms, Some(19_320));
    // Paused from 2.995 s on for 5.220 s.
    assert_eq!(
        r.gaps.as_deref(),
        Some(r#"[{"end_ms":8215,"reason":"paused","start_ms":2995}]"#)
    );
    assert_eq!(
        r.contact_id,
        "acs1-correlation:36cf910b-932c-4101-a443-04e11a98aba5"
    );
}

#[test]
fn a_real_recorder_has_a_connection_of_its_own_and_joins_by_the_server_call() {
    let rows = told(&["callautomation-recording-start--azure-sdk-for-js.ndjson"]);
    assert_eq!(rows.contacts.len(), 1);
    let r = row(&rows);
    assert_eq!(r.contact_id, "acs1-call:GB9zdl7LTEymSgm4DXP6eQ");
    assert_eq!((r.state.as_str(), r.leg.as_str()), ("active", "mixed"));
    assert_eq!(r.started_at.unwrap().0, 1_720_507_483_351_754);
    let aliases = &rows.only().aliases;
    assert!(!aliases.iter().any(|a| a.native.contains("22d1c86c7f13")));
}

#[test]
fn the_published_file_status_is_ready_in_both_schemas() {
    for schema in ["ce", "eg"] {
        let name =
            format!("eventgrid-{schema}-recording_file_status_updated--azure-rest-api-specs.json");
        let r = row(&told(&[&name]));
        assert_eq!((r.state.as_str(), r.leg.as_str()), ("ready", "mixed"));
        assert_eq!(
            (r.codec.as_deref(), r.duration_ms),
            (Some("mp3"), Some(6_620))
        );
    }
}

#[test]
fn the_survey_after_a_call_has_its_own_scale() {
    let rows = told(&["monitor-call-survey-log--azure-docs.json"]);
    assert_eq!(rows.surveys.len(), 1);
    let s = &rows.surveys[0];
    assert_eq!(s.survey_id, "acs1-a6dd61c4-b924-4885-96a4-a991d4c09e8b");
    assert_eq!(
        (s.value, s.scale_min, s.scale_max),
        (Some(7.0), Some(0.0), Some(10.0))
    );
    assert_eq!(s.kind, "csat");
    assert_eq!(s.text.as_deref(), Some("CallCannotJoin"));
    assert_eq!(
        s.contact_id.as_deref(),
        Some("acs1-correlation:fcc1234f-ce69-ZZZZ-b73f-b036051test4")
    );
}

#[test]
fn several_files_of_one_recording_are_one_row_of_their_whole_length() {
    let text = String::from_utf8(capture("made-recording.ndjson")).unwrap();
    let file = text
        .lines()
        .find(|l| l.contains("RecordingFileStatus"))
        .unwrap();
    let id = file.split('"').nth(3).unwrap();
    let second = file
        .replace(id, "second")
        .replace("0-eus-d1-aaaa", "0-eus-d1-bbbb")
        .replace("185000", "5000")
        .replace("09:00:47.9", "09:04:10.0");
    assert_ne!(second, file);
    let both = format!("{text}{second}\n{file}\n");
    let r = row(&rows(&records_of("acs1", both.as_bytes())));
    assert_eq!(r.duration_ms, Some(190_000));
    assert_eq!(at(r.started_at), 47.9);
}
