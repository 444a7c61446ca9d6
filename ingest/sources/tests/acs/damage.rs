//! Any order, repeats, parts; and bytes that are damaged at random.

use callboard_model::record::Record;

use super::pipe::{capture, captures, declared, records_of, rows};
use callboard_sources::acs::Acs;
use callboard_sources::adapter::Adapter;
use callboard_sources::lines::NewLine;

/// A small generator, so that every run is the same.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

fn all() -> Vec<Record> {
    let names = captures();
    let events = names
        .iter()
        .filter(|n| !n.contains("subscription-validation"));
    events
        .flat_map(|n| records_of("acs1", &capture(n)))
        .collect()
}

#[test]
fn any_order_and_any_repeats_give_the_same_rows() {
    let mut chance = Chance(0x5eed);
    let whole = rows(&all());
    assert!(whole.contacts.len() > 30, "{}", whole.contacts.len());
    for _ in 0..12 {
        let mut records = all();
        let n = records.len();
        for _ in 0..n / 3 {
            let again = records[chance.below(n)].clone();
            records.push(again);
        }
        for i in (1..records.len()).rev() {
            let j = chance.below(i + 1);
            records.swap(i, j);
        }
        assert!(rows(&records) == whole);
    }
}

#[test]
fn what_is_told_in_parts_ends_the_same() {
    for name in captures().iter().filter(|n| n.starts_with("made-")) {
        let records = records_of("acs1", &capture(name));
        let whole = rows(&records);
        for cut in 1..records.len() {
            // Every beginning can be told, and the rest then tells the same.
            let _ = rows(&records[..cut]);
            let mut turned = records[cut..].to_vec();
            turned.extend_from_slice(&records[..cut]);
            assert!(rows(&turned) == whole, "{name} cut at {cut}");
        }
    }
}

#[test]
fn damaged_bytes_never_panic() {
    let mut chance = Chance(0xdecade);
    let bodies: Vec<Vec<u8>> = captures().iter().map(|n| capture(n)).collect();
    let mut kept = 0;
    for round in 0..6_000 {
        let mut body = bodies[round % bodies.len()].clone();
        match chance.below(4) {
            0 => body.truncate(chance.below(body.len())),
            1 => {
                for _ in 0..=chance.below(8) {
                    let at = chance.below(body.len());
                    body[at] = chance.next() as u8;
                }
            }
            2 => {
                let (a, b) = (chance.below(body.len()), chance.below(body.len()));
                body.drain(a.min(b)..a.max(b).min(a.min(b) + 200));
            }
            _ => body = retyped(&body, &mut chance),
        }
        let lines = Acs.split(&body, &declared("acs1"));
        let records: Vec<Record> = lines
            .into_iter()
            .filter_map(|l| match l {
                NewLine::Record(r) => Some(r.received(0)),
                _ => None,
            })
            .collect();
        kept += records.len();
        let _ = rows(&records);
    }
    assert!(kept > 6_000, "{kept}");
}

/// The body with values of other types: numbers for texts, lists for objects, nothing, far times.
fn retyped(body: &[u8], chance: &mut Chance) -> Vec<u8> {
    let values = serde_json::Deserializer::from_slice(body).into_iter::<serde_json::Value>();
    let mut out = Vec::new();
    for value in values {
        let Ok(mut value) = value else { break };
        change(&mut value, chance);
        out.extend(serde_json::to_vec(&value).unwrap());
        out.push(b'\n');
    }
    out
}

fn change(value: &mut serde_json::Value, chance: &mut Chance) {
    use serde_json::{Value, json};
    match value {
        Value::Object(map) => map.values_mut().for_each(|v| change(v, chance)),
        Value::Array(list) => list.iter_mut().for_each(|v| change(v, chance)),
        _ => {}
    }
    if chance.below(20) == 0 {
        let others = [
            json!(null),
            json!(i64::MAX),
            json!(-1.5e300),
            json!("2099-12-31T23:59:59.9999999Z"),
            json!(""),
            json!([["x"]]),
            json!({"id": {"rawId": 7}}),
            json!(true),
            json!("9223372036854775807"),
        ];
        *value = others[chance.below(others.len())].clone();
    }
}
