//! Items are records that hold their events: the same again is a repeat, a newer mapping wins.

use callboard_model::record::{Record, RouteKey};
use callboard_sources::adapter::Adapter;
use callboard_sources::lines::NewLine;
use callboard_sources::mapping::{FORMAT, Mapped, Mapping};

use super::{file, records};

const TWO: &str = "id = '.id'\nversion = 3\n[[event]]\ntype = \"callboard.contact.recorded\"\n[event.data]\ncontact_id = '.id'\nsite = '.site'\n[[event]]\ntype = \"callboard.agent.changed\"\nwhen = '.agent'\n[event.data]\nagent = '.agent'\nstate = '\"busy\"'\n";

fn read(line: NewLine) -> Record {
    match line {
        NewLine::Record(record) => record.received(7),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_item_that_speaks_of_two_things_is_two_records() {
    let mapping = Mapping::parse(&file(TWO)).unwrap();
    let body = br#"{"id": "a", "at":"2026-03-02T09:00:00Z", "site":"B", "agent":"ann"}"#;
    let all: Vec<Record> = records(&mapping, body).into_iter().map(read).collect();
    assert_eq!(all.len(), 2);
    assert!(
        all.iter()
            .all(|r| &*r.format == FORMAT && &*r.source == "/t/north")
    );
    assert_eq!(all[1].id.as_ref(), format!("{}/1", all[0].id));
    assert_eq!(all[0].stamp.sequence, 3);
    // The item stands in it as it arrived.
    let text = String::from_utf8(all[0].bytes.to_vec()).unwrap();
    assert!(text.contains(std::str::from_utf8(body).unwrap()), "{text}");
    let routed: Vec<_> = all.iter().map(|r| Mapped.route(r).unwrap()).collect();
    let RouteKey::Contact(ids) = &routed[0].keys[0] else {
        panic!("{:?}", routed[0].keys);
    };
    assert_eq!(ids[0].contact_id(), "north-a");
    assert!(matches!(&routed[1].keys[0], RouteKey::Direct(_)));
    assert_eq!(routed[0].time, Some(1_772_442_000_000_000));
    // The same again is the same record.
    let again: Vec<Record> = records(&mapping, body).into_iter().map(read).collect();
    assert_eq!(again, all);
}

#[test]
fn a_newer_mapping_makes_another_record_that_wins() {
    let old = Mapping::parse(&file(TWO)).unwrap();
    let newer = TWO
        .replace("version = 3", "version = 4")
        .replace("'.site'", "'\"C\"'");
    let newer = Mapping::parse(&file(&newer)).unwrap();
    let body = br#"{"id":"a","at":"2026-03-02T09:00:00Z","site":"B"}"#;
    let told = |mapping: &Mapping| {
        let record = read(records(mapping, body).remove(0));
        let said = Mapped.route(&record).unwrap().statements.unwrap();
        (record.id, said[0].by.clone())
    };
    let ((old_id, old_by), (new_id, new_by)) = (told(&old), told(&newer));
    assert_ne!(old_id, new_id);
    assert_eq!(old_by.tail_cmp(&new_by), std::cmp::Ordering::Less);
}

#[test]
fn an_item_that_tells_nothing_is_kept() {
    let mapping = Mapping::parse(&file(&TWO.replace(
        "type = \"callboard.contact.recorded\"",
        "when = 'false'\ntype = \"callboard.contact.recorded\"",
    )))
    .unwrap();
    let record = read(records(&mapping, br#"{"id":"a"}"#).remove(0));
    let routing = Mapped.route(&record).unwrap();
    assert_eq!(
        (routing.keys.len(), routing.statements),
        (0, Some(Vec::new()))
    );
}
