//! Any order, repeats, batches cut anywhere: the rows are those of the set.

use callboard_model::record::{Interpreter, Record};
use callboard_sources::registry::Registry;

use crate::teams::harness::{capture, every_capture, records, rows, split};

/// A small generator for the order of arrival.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }
}

fn all() -> Vec<Record> {
    let names = every_capture();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    records(&names)
}

#[test]
fn rows_are_those_of_the_set_in_any_order() {
    let all = all();
    assert!(all.len() > 80, "{}", all.len());
    let given = rows(&all);
    assert!(given.contacts.len() > 45, "{}", given.contacts.len());
    assert!(given.refused.is_empty(), "{:?}", given.refused);
    let mut dice = Dice(9);
    for _ in 0..150 {
        let mut arriving = all.clone();
        for _ in 0..all.len() / 3 {
            arriving.push(all[dice.below(all.len())].clone());
        }
        for n in (1..arriving.len()).rev() {
            let other = dice.below(n + 1);
            arriving.swap(n, other);
        }
        for (n, record) in arriving.iter_mut().enumerate() {
            record.received_at = i64::try_from(n).unwrap();
        }
        assert!(rows(&arriving) == given);
    }
}

#[test]
fn statements_are_the_same_in_any_order() {
    use callboard_model::ids::{Key, PlatformId};
    let names = [
        "made-vaac-answer-auto-attendant.json",
        "made-vaac-call-queue.json",
        "made-vaac-agent-timeline.json",
        "made-callrecord-queue.json",
        "made-callrecord-queue-version1.json",
    ];
    let all = records(&names);
    let key = Key::Contact(PlatformId::new("teams", "contoso", "x"));
    let forward: Vec<&Record> = all.iter().collect();
    let backward: Vec<&Record> = all.iter().rev().collect();
    let said = Registry.interpret(&key, &forward);
    assert!(said.len() > 20, "{}", said.len());
    assert_eq!(said, Registry.interpret(&key, &backward));
}

/// The same thing sent again is the same record, in whatever company.
#[test]
fn identities_last() {
    for name in every_capture() {
        let bytes = capture(&name);
        let id = |r: &Record| (r.source.clone(), r.id.clone());
        let (first, _) = split(&bytes, "contoso");
        let (again, _) = split(&bytes, "contoso");
        assert_eq!(
            first.iter().map(id).collect::<Vec<_>>(),
            again.iter().map(id).collect::<Vec<_>>()
        );
        let mut unique: Vec<_> = first.iter().map(id).collect();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), first.len(), "{name}");
        // One record sent alone is the one that came in company, where its bytes name its columns.
        for record in first.iter().filter(|r| r.stamp.columns.is_empty()) {
            let (alone, dead) = split(&record.bytes, "contoso");
            assert_eq!((alone.len(), dead.len()), (1, 0), "{name}");
            assert_eq!(id(&alone[0]), id(record), "{name}");
        }
    }
}

#[test]
fn lines_of_json_and_lists_are_the_same_records() {
    let list = capture("made-vaac-call-queue.json");
    let (of_list, _) = split(&list, "contoso");
    let mut lines = Vec::new();
    for r in &of_list {
        let line: serde_json::Value = serde_json::from_slice(&r.bytes).unwrap();
        lines.extend(serde_json::to_vec(&line).unwrap());
        lines.push(b'\n');
    }
    let (of_lines, dead) = split(&lines, "contoso");
    assert_eq!((of_lines.len(), dead.len()), (of_list.len(), 0));
    assert_eq!(rows(&of_lines).contacts, rows(&of_list).contacts);
    // One bad line of many is dead alone.
    let mut broken = lines.clone();
    let cut = broken.iter().position(|b| *b == b'\n').unwrap();
    broken.remove(cut - 1);
    let (rest, dead) = split(&broken, "contoso");
    assert_eq!((rest.len(), dead.len()), (of_list.len() - 1, 1));
    assert_eq!(dead[0].class, "not_json");
}
