//! Any order, repeats and parts give equal rows; damage of any kind breaks nothing.

use std::collections::BTreeSet;

use callboard_model::record::{Interpreter, Record};
use callboard_sources::registry::Registry;
use serde_json::Value;

use super::fold::{capture, named, records, rows};

/// A seeded source of chance: xorshift.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }
}

fn captures() -> Vec<(String, Vec<u8>)> {
    let mut names: Vec<String> = std::fs::read_dir("tests/captures/amazon-connect")
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|n| n != "README.md")
        .collect();
    names.sort();
    names
        .into_iter()
        .map(|n| (n.clone(), capture(&n)))
        .collect()
}

/// All records of all captures; a file that says its contact nowhere gets a name.
fn all_records() -> Vec<Record> {
    let name = "c-1_analysis_2026-03-02T09:01:10Z.json";
    let all = captures();
    let mut records: Vec<Record> = all
        .iter()
        .flat_map(|(_, bytes)| named(bytes, name).0)
        .collect();
    // The guide prints two events under one id.
    let mut seen = BTreeSet::new();
    records.retain(|r| seen.insert((r.source.clone(), r.id.clone())));
    records
}

#[test]
fn order_and_repeats_change_no_row() {
    let all = all_records();
    assert!(all.len() > 60, "{}", all.len());
    let expected = rows(&all);
    assert!(expected.contacts.len() > 20);
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for _ in 0..60 {
        let mut mixed = all.clone();
        for _ in 0..chance.below(80) {
            let n = chance.below(all.len());
            mixed.push(all[n].clone());
        }
        for n in (1..mixed.len()).rev() {
            mixed.swap(n, chance.below(n + 1));
        }
        let found = rows(&mixed);
        for (id, contact) in &expected.contacts {
            assert_eq!(found.contacts.get(id), Some(contact), "{id}");
        }
        assert_eq!(found, expected);
    }
}

/// Reads bytes to the end: split, route, rows. Records of damaged bytes may be refused.
fn read(bytes: &[u8]) {
    let (found, _) = named(bytes, "c-1_analysis_x.json");
    let kept: Vec<Record> = found
        .into_iter()
        .filter(|r| Registry.route(r).is_ok())
        .collect();
    rows(&kept);
}

#[test]
fn damaged_bytes_break_nothing() {
    let all = captures();
    let mut chance = Chance(0x2545_f491_4f6c_dd1d);
    for _ in 0..4_000 {
        let (_, bytes) = &all[chance.below(all.len())];
        let mut bytes = bytes.clone();
        match chance.below(3) {
            0 => bytes.truncate(chance.below(bytes.len())),
            1 => {
                for _ in 0..=chance.below(8) {
                    let n = chance.below(bytes.len());
                    bytes[n] = chance.below(256) as u8;
                }
            }
            _ => {
                let from = chance.below(bytes.len());
                let to = (from + chance.below(200)).min(bytes.len());
                bytes.drain(from..to);
            }
        }
        read(&bytes);
    }
}

/// Values of other types in every place, with names as they are.
#[test]
fn changed_types_break_nothing() {
    let odd: [Value; 12] = [
        Value::Null,
        Value::Bool(true),
        (-1).into(),
        i64::MAX.into(),
        1e300.into(),
        "".into(),
        "9999-12-31T23:59:59Z".into(),
        "0001-01-01T00:00:00Z".into(),
        "9223372036854775807".into(),
        "\u{0}/\u{202e}".into(),
        serde_json::json!([]),
        serde_json::json!({"a": [1]}),
    ];
    let all: Vec<Value> = all_records()
        .iter()
        .map(|r| serde_json::from_slice(&r.bytes).unwrap())
        .collect();
    let mut chance = Chance(0x0123_4567_89ab_cdef);
    for _ in 0..6_000 {
        let mut doc = all[chance.below(all.len())].clone();
        for _ in 0..=chance.below(4) {
            change(&mut doc, &odd, &mut chance);
        }
        read(doc.to_string().as_bytes());
    }
}

fn change(value: &mut Value, odd: &[Value], chance: &mut Chance) {
    let inner: Option<&mut Value> = match value {
        Value::Object(map) if !map.is_empty() => {
            let n = chance.below(map.len());
            map.values_mut().nth(n)
        }
        Value::Array(list) if !list.is_empty() => {
            let n = chance.below(list.len());
            list.get_mut(n)
        }
        _ => None,
    };
    match inner {
        Some(inner) if chance.below(4) > 0 => change(inner, odd, chance),
        Some(inner) => *inner = odd[chance.below(odd.len())].clone(),
        None => *value = odd[chance.below(odd.len())].clone(),
    }
}

#[test]
fn a_value_of_another_type_costs_only_itself() {
    let text = String::from_utf8(super::fold::made("abandoned")).unwrap();
    let text = text.replace("\"Duration\":55", "\"Duration\":{\"new\":true}");
    let text = text.replace("\"VOICE\"", "\"HOLOGRAM\"");
    let rows = rows(&records(text.as_bytes()));
    let contact = rows.contact("i-1-b-1").contact.as_ref().unwrap();
    assert_eq!(
        (&*contact.channel, contact.wait_ms),
        ("other", Some(55_000))
    );
}
