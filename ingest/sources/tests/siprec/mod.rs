//! SIPREC: what real recording clients write, and a session with its updates.

use callboard_model::record::Record;
use callboard_model::tables::Instant;

use crate::fold::{self, only, parts};

fn capture(name: &str) -> Vec<u8> {
    fold::capture("siprec", name)
}

fn told(names: &[&str]) -> fold::Rows {
    let bodies: Vec<Vec<u8>> = names.iter().map(|n| capture(n)).collect();
    let bodies: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
    fold::told("siprec", &bodies)
}

fn attribute(rows: &fold::Rows, name: &str) -> Option<String> {
    let row = only(rows).contact.as_ref().unwrap();
    let all: serde_json::Value = serde_json::from_str(row.attributes.as_deref().unwrap()).unwrap();
    all.get(name).and_then(|v| v.as_str()).map(str::to_owned)
}

#[test]
fn acme_says_who_called_and_writes_times_without_a_zone() {
    let rows = told(&["multipart-acme--drachtio.txt"]);
    let c = only(&rows);
    let row = c.contact.as_ref().unwrap();
    assert_eq!(row.contact_id, "t1-AavRXwIIQj1Q39eJulTipQ==");
    assert_eq!(
        (row.customer.as_deref(), row.customer_name.as_deref()),
        (Some("9000"), Some("9000"))
    );
    assert_eq!(row.started_at, Some(Instant(1_552_150_220_000_000)));
    assert_eq!(parts(c), [("talk", "1002", "", -1)]);
    assert_eq!(attribute(&rows, "stream 16777227").as_deref(), Some("9000"));
    assert_eq!(attribute(&rows, "stream 16777228").as_deref(), Some("1002"));
    // With the other as the caller it is the other way round.
    let text = String::from_utf8(capture("multipart-acme--drachtio.txt")).unwrap();
    let swapped = text
        .replace(">true<", ">x<")
        .replace(">false<", ">true<")
        .replace(">x<", ">false<");
    let rows = fold::told("siprec", &[swapped.as_bytes()]);
    assert_eq!(
        only(&rows).contact.as_ref().unwrap().customer.as_deref(),
        Some("1002")
    );
}

#[test]
fn times_without_a_zone_are_of_the_sources_zone() {
    let adapter = callboard_sources::adapter::of_platform("siprec").unwrap();
    let declared = callboard_sources::adapter::Declared {
        instance: "t1".into(),
        zone: "Europe/Berlin".into(),
        ..Default::default()
    };
    let lines = adapter.split(&capture("multipart-acme--drachtio.txt"), &declared);
    let records: Vec<Record> = lines
        .into_iter()
        .map(|l| match l {
            callboard_sources::lines::NewLine::Record(r) => r.received(0),
            other => panic!("{other:?}"),
        })
        .collect();
    let rows = fold::fold(&records);
    let started = only(&rows).contact.as_ref().unwrap().started_at;
    assert_eq!(
        started,
        Some(Instant(1_552_150_220_000_000 - 3_600_000_000))
    );
}

#[test]
fn avaya_and_cisco_name_participants_beside_their_associations() {
    let rows = told(&["multipart-broadworks-2--drachtio.txt"]);
    let row = only(&rows).contact.as_ref().unwrap();
    assert_eq!(
        (row.contact_id.as_str(), row.customer.as_deref()),
        ("t1-00FA0800705D4C5DCAAC41", Some("9999999999"))
    );
    assert_eq!(row.started_at, Some(Instant(1_573_574_257_000_000)));
    assert_eq!(
        only(&rows).segments[0].agent.as_deref(),
        Some("ASBCE@asbce.com")
    );
    assert_eq!(
        attribute(&rows, "stream 20").as_deref(),
        Some("ASBCE@asbce.com")
    );
    let rows = told(&["multipart-cisco--drachtio.txt"]);
    let row = only(&rows).contact.as_ref().unwrap();
    assert_eq!(row.started_at, Some(Instant(1_498_220_166_040_000)));
    assert_eq!(
        (
            row.customer.as_deref(),
            only(&rows).segments[0].agent.as_deref()
        ),
        (Some("7301"), Some("7300"))
    );
    assert_eq!(attribute(&rows, "stream 1").as_deref(), Some("7301"));
    assert!(
        attribute(&rows, "sipSessionID")
            .unwrap()
            .starts_with("e9fffff2020a")
    );
}

#[test]
fn a_clock_of_1970_is_not_believed() {
    let (records, dead) = fold::split("siprec", "t1", &capture("multipart-sonus--drachtio.txt"));
    assert_eq!((records.len(), dead.len()), (1, 0));
    // Nothing says when it was: it is kept, and no row is made.
    assert!(fold::fold(&records).contacts.is_empty());
    let text = String::from_utf8(capture("multipart-sonus--drachtio.txt"))
        .unwrap()
        .replace("1970-05-13", "2026-05-13");
    let rows = fold::told("siprec", &[text.as_bytes()]);
    let row = only(&rows).contact.as_ref().unwrap();
    assert_eq!(
        (row.customer.as_deref(), row.customer_name.as_deref()),
        (Some("2249888500"), Some("Extension 8500"))
    );
    assert_eq!(attribute(&rows, "stream 2").as_deref(), Some("2249888500"));
}

#[test]
fn metadata_whose_tags_were_lost_is_refused() {
    let (records, dead) = fold::split(
        "siprec",
        "t1",
        &capture("multipart-broadworks--drachtio.txt"),
    );
    assert_eq!((records.len(), dead[0].class), (0, "no_session"));
    for (body, class) in [
        (&b"<recording><session"[..], "bad_xml"),
        (b"hello", "unknown_document"),
        (b"\xff\xfe", "invalid_utf8"),
    ] {
        assert_eq!(fold::split("siprec", "t1", body).1[0].class, class);
    }
    assert_eq!(fold::split("siprec", "t1", b" \n").1.len(), 0);
}

#[test]
fn a_session_with_its_updates() {
    let rows = told(&[
        "made-1-complete.xml",
        "made-2-partial.xml",
        "made-3-end.xml",
    ]);
    let c = only(&rows);
    assert_eq!(
        parts(c),
        [
            ("talk", "bob@example.com", "left", 52_000),
            ("talk", "carol@example.com", "completed", 70_000)
        ]
    );
    let row = c.contact.as_ref().unwrap();
    assert_eq!(
        (row.customer.as_deref(), row.customer_name.as_deref()),
        (Some("+15550101"), Some("Ann & Co"))
    );
    assert_eq!(row.started_at, Some(Instant(1_772_442_900_000_000)));
    assert_eq!(row.ended_at, Some(Instant(1_772_443_020_000_000)));
    assert_eq!(
        (row.state.as_str(), row.end_reason.as_deref()),
        ("closed", Some("SIP ;cause=200 ;text=\"ended\""))
    );
    // Until it is over it is open.
    let rows = told(&["made-1-complete.xml"]);
    assert_eq!(only(&rows).contact.as_ref().unwrap().state, "open");
}

#[test]
fn any_order_and_repeats_give_the_same_rows() {
    let all: Vec<Record> = fold::captures("siprec")
        .iter()
        .flat_map(|(_, b)| fold::split("siprec", "t1", b).0)
        .collect();
    assert_eq!(all.len(), 7);
    fold::stands_any_order(&all);
}

#[test]
fn damage_never_panics() {
    fold::stands_damage("siprec", 4_000);
}
