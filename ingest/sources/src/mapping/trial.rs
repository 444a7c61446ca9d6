//! Trying a mapping: what comes of a sample, what cannot be read, and which parts of its items no
//! expression reads. And the tests that stand in a mapping file.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::file::Test;
use super::left::NO_ITEMS;
use super::program::{Mapping, Told};
use super::zone_of;
use crate::adapter::Declared;

/// Items of a sample that are looked through for parts that nothing reads.
const LOOKED_AT: usize = 40;

/// Items in which one part is changed to see whether it is read.
const CHANGED: usize = 5;

/// Most parts that are looked at.
const MOST_PARTS: usize = 400;

/// What cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// Number of the item, from 1; 0 of the sample as a whole.
    pub item: usize,
    /// One word for counting.
    pub class: &'static str,
    /// What is wrong, and in which expression or field.
    pub reason: String,
}

/// What came of a sample.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Items found.
    pub items: usize,
    /// Items of which no event came, though they could be read.
    pub silent: usize,
    /// Rows, or documents that hold some, of which `items` takes nothing.
    pub left_out: usize,
    /// Events, each with the number of its item.
    pub events: Vec<(usize, Value)>,
    /// Items that cannot be read; and that there are none, where that is one.
    pub errors: Vec<Trouble>,
    /// Parts of items that are never read: changing them, or leaving them out, changes no event.
    /// Where nothing is an item, the parts of what is left out.
    pub unmapped: Vec<String>,
}

/// Tries a mapping with a sample.
pub fn try_out(mapping: &Mapping, bytes: &[u8], declared: &Declared) -> Report {
    let parted = mapping.parts(bytes, declared);
    let mut report = Report {
        left_out: parted.left_out.count,
        ..Report::default()
    };
    let none = !parted.items.iter().any(Result::is_ok);
    let mut read = Vec::new();
    for (n, found) in (1..).zip(parted.items) {
        let of_all = matches!(&found, Err((class, ..)) if *class == NO_ITEMS);
        report.items += usize::from(!of_all);
        let trouble = |class, reason| Trouble {
            item: if of_all { 0 } else { n },
            class,
            reason,
        };
        let item = match found {
            Ok(item) => item,
            Err((class, reason, _)) => {
                report.errors.push(trouble(class, reason));
                continue;
            }
        };
        match mapping.map(&item, declared) {
            Ok(mapped) => {
                report.silent += usize::from(mapped.events.is_empty());
                report
                    .events
                    .extend(mapped.events.into_iter().map(|e| (n, e)));
                if read.len() < LOOKED_AT {
                    read.extend(serde_json::from_slice::<Value>(&item).ok());
                }
            }
            Err((class, reason)) => report.errors.push(trouble(class, reason)),
        }
    }
    report.unmapped = match none {
        true => parted.left_out.parts,
        false => unmapped(mapping, &read, declared),
    };
    report
}

/// Paths of leaves that no event depends on.
fn unmapped(mapping: &Mapping, items: &[Value], declared: &Declared) -> Vec<String> {
    let zone = zone_of(mapping, declared);
    let tell = |item: &Value| mapping.tell(item.to_string().as_bytes(), zone).ok();
    let before: Vec<Option<Told>> = items.iter().map(tell).collect();
    let mut parts: BTreeMap<String, Vec<(usize, Value)>> = BTreeMap::new();
    for (n, item) in items.iter().enumerate() {
        let mut found = Vec::new();
        leaves(item, String::new(), &mut found);
        for (path, value) in found {
            if parts.contains_key(&path) || parts.len() < MOST_PARTS {
                parts.entry(path).or_default().push((n, value));
            }
        }
    }
    let unread = parts.iter().filter(|(path, seen)| {
        let mut numbers: Vec<usize> = seen.iter().map(|(n, _)| *n).collect();
        numbers.dedup();
        !numbers.iter().take(CHANGED).any(|n| {
            let Some(item) = items.get(*n) else {
                return false;
            };
            others(seen).into_iter().any(|other| {
                let mut changed = item.clone();
                set(&mut changed, path, other.as_ref());
                tell(&changed).as_ref() != before.get(*n).and_then(Option::as_ref)
            })
        })
    });
    unread.map(|(path, _)| path.clone()).collect()
}

/// What a part is changed to: nothing, what other items have there, and what is like it.
fn others(seen: &[(usize, Value)]) -> Vec<Option<Value>> {
    let mut out = vec![None, Some(Value::Null)];
    for (_, value) in seen {
        if out.len() < 8 && !out.contains(&Some(value.clone())) {
            out.push(Some(value.clone()));
        }
    }
    let like: Vec<Value> = match seen.first().map(|(_, v)| v) {
        Some(Value::Bool(b)) => vec![(!b).into()],
        Some(Value::Number(n)) => vec![0.into(), (n.as_f64().unwrap_or(0.0) + 61.0).into()],
        Some(Value::String(s)) => ["", "1", "0", "true", "outbound", "x"]
            .iter()
            .map(|t| Value::from(*t))
            .chain([format!("{s}x").into()])
            .collect(),
        _ => vec!["x".into(), 1.into(), true.into()],
    };
    out.extend(like.into_iter().map(Some));
    out
}

/// Paths and values of all leaves; elements of a list share a path.
fn leaves(value: &Value, path: String, out: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, inner) in fields {
                leaves(inner, format!("{path}{}", segment(name)), out);
            }
        }
        Value::Array(all) if !all.is_empty() => {
            for inner in all {
                leaves(inner, format!("{path}[]"), out);
            }
        }
        leaf => out.push((path, leaf.clone())),
    }
}

/// A name as jq writes it in a path.
pub(super) fn segment(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty();
    match plain {
        true => format!(".{name}"),
        false => format!(".[{}]", Value::from(name)),
    }
}

/// Sets all leaves of a path, or takes them out.
fn set(value: &mut Value, path: &str, to: Option<&Value>) {
    match value {
        Value::Object(fields) => {
            let names: Vec<String> = fields.keys().cloned().collect();
            for name in names {
                let Some(rest) = path.strip_prefix(&segment(&name)) else {
                    continue;
                };
                if rest.is_empty() {
                    change(fields, &name, to);
                } else if rest.starts_with(['.', '['])
                    && let Some(inner) = fields.get_mut(&name)
                {
                    set(inner, rest, to);
                }
            }
        }
        Value::Array(all) => {
            if let Some(rest) = path.strip_prefix("[]") {
                for inner in all.iter_mut() {
                    match (rest.is_empty(), to) {
                        (true, to) => *inner = to.cloned().unwrap_or_default(),
                        (false, _) => set(inner, rest, to),
                    }
                }
            }
        }
        _ => {}
    }
}

fn change(fields: &mut Map<String, Value>, name: &str, to: Option<&Value>) {
    match to {
        Some(to) => {
            fields.insert(name.to_owned(), to.clone());
        }
        None => {
            fields.remove(name);
        }
    }
}

/// Runs the tests of a mapping file: what failed, a sentence each.
pub fn check(mapping: &Mapping) -> Vec<String> {
    let tests = mapping.file.tests.iter();
    tests.flat_map(|test| failures(mapping, test)).collect()
}

fn failures(mapping: &Mapping, test: &Test) -> Vec<String> {
    let declared = Declared {
        instance: test.instance.clone(),
        zone: test.zone.clone(),
        name: String::new(),
    };
    let told = |what: String| format!("test \"{}\": {what}", test.name);
    let expected: Vec<Value> = match serde_json::from_str(&test.expect) {
        Ok(expected) => expected,
        Err(e) => return vec![told(format!("expect is no JSON array: {e}"))],
    };
    let report = try_out(mapping, test.sample.as_bytes(), &declared);
    let mut out = Vec::new();
    if report.errors.len() != test.refused {
        let reasons = report.errors.iter().map(|e| e.reason.as_str());
        out.push(told(format!(
            "{} items cannot be read, {} were expected: {}",
            report.errors.len(),
            test.refused,
            reasons.collect::<Vec<_>>().join("; ")
        )));
    }
    let got: Vec<Value> = report.events.into_iter().map(|(_, e)| bare(e)).collect();
    for n in 0..got.len().max(expected.len()) {
        let (got, expected) = (got.get(n), expected.get(n));
        if got != expected {
            let shown = |v: Option<&Value>| v.map_or("no event".to_owned(), Value::to_string);
            out.push(told(format!(
                "event {}:\n  expected {}\n  got      {}",
                n + 1,
                shown(expected),
                shown(got)
            )));
        }
    }
    out
}

/// An event without what every event has.
fn bare(mut event: Value) -> Value {
    if let Some(fields) = event.as_object_mut() {
        for name in ["specversion", "id", "source"] {
            fields.remove(name);
        }
    }
    event
}
