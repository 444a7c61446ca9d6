//! From captures to inputs: some of a capture's pieces, changed as values, then as bytes. The same
//! seed gives the same input.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::corpus::{Capture, Form, Piece};
use crate::fold::Chance;

/// Longest input, bytes; it keeps a run short, so that there are many.
pub const MOST_BYTES: usize = 12 * 1024;

/// A generator for a seed; neighbouring seeds differ from the first number on.
pub fn chance(seed: u64) -> Chance {
    let mixed = (seed ^ 0x5851_f42d_4c95_7f2d).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut chance = Chance((mixed ^ (mixed >> 29)) | 1);
    for _ in 0..3 {
        chance.below(2);
    }
    chance
}

/// The input of a seed, and the mapping that reads it.
pub fn input(captures: &[Capture], chance: &mut Chance) -> (Vec<u8>, &'static str) {
    let capture = &captures[chance.below(captures.len())];
    let mut pieces = window(capture, chance);
    if chance.below(10) == 0 {
        // Two captures in one body.
        pieces.extend(window(&captures[chance.below(captures.len())], chance));
    }
    if chance.below(3) > 0 {
        for _ in 0..=chance.below(3) {
            let n = chance.below(pieces.len());
            let other = pieces[chance.below(pieces.len())].clone();
            if pieces[n].json.is_some() {
                let piece = pieces[n].to_mut();
                if let Some(value) = &mut piece.json {
                    retell(value, other.json.as_ref(), chance);
                    piece.text = value.to_string().into_bytes();
                }
            }
        }
    }
    if chance.below(12) == 0 {
        let n = chance.below(pieces.len());
        let again = pieces[n].clone();
        pieces.push(again);
    }
    let mut bytes = join(&pieces, capture.form, chance);
    let changes = match chance.below(4) {
        0 => 0,
        n => n + chance.below(4),
    };
    for _ in 0..changes {
        match chance.below(3) {
            0 => damage(&mut bytes, chance),
            _ => shift(&mut bytes, chance),
        }
    }
    bytes.truncate(MOST_BYTES);
    (bytes, capture.mapping)
}

/// Some neighbouring pieces; the names of columns stay, most times.
fn window<'c>(capture: &'c Capture, chance: &mut Chance) -> Vec<Cow<'c, Piece>> {
    let all = &capture.pieces;
    let start = chance.below(all.len());
    let most = if chance.below(8) == 0 { 30 } else { 3 };
    let mut taken = Vec::new();
    if capture.form == Form::Table && start > 0 && chance.below(20) > 0 {
        taken.push(Cow::Borrowed(&all[0]));
    }
    let mut size = 0;
    for piece in all[start..].iter().take(1 + chance.below(most)) {
        size += piece.text.len();
        if size > MOST_BYTES / 2 && !taken.is_empty() {
            break;
        }
        taken.push(Cow::Borrowed(piece));
    }
    taken
}

fn join(pieces: &[Cow<'_, Piece>], form: Form, chance: &mut Chance) -> Vec<u8> {
    let all_json = pieces.iter().all(|p| p.json.is_some());
    let (open, between, close): (&[u8], &[u8], &[u8]) = match form {
        Form::Blocks => (b"", b"\n\n", b"\n\n"),
        Form::Table => (b"", b"\n", b"\n"),
        Form::List | Form::Lines if all_json => match (form, chance.below(8)) {
            (_, 0) => (b"", b"", b""),
            (Form::List, 1) | (Form::Lines, 2..) => (b"", b"\n", b"\n"),
            (Form::Lines, 1) if pieces.len() == 1 => (b"{\"value\":[", b",", b"]}"),
            _ => (b"[", b",", b"]"),
        },
        _ => (b"", b"\n", b"\n"),
    };
    let mut out = open.to_vec();
    for (n, piece) in pieces.iter().enumerate() {
        if n > 0 {
            out.extend_from_slice(between);
        }
        out.extend_from_slice(&piece.text);
    }
    out.extend_from_slice(close);
    out
}

/// Changes one value somewhere inside.
fn retell(value: &mut Value, other: Option<&Value>, chance: &mut Chance) {
    let mut at = value;
    loop {
        let inner = match at {
            Value::Object(map) => map.len(),
            Value::Array(list) => list.len(),
            _ => 0,
        };
        // Deep values are met as often as those at the top.
        if inner == 0 || chance.below(4) == 0 {
            break;
        }
        let n = chance.below(inner);
        at = match at {
            Value::Object(map) => map.values_mut().nth(n).unwrap(),
            Value::Array(list) => &mut list[n],
            _ => break,
        };
    }
    match at {
        Value::Object(map) if chance.below(3) > 0 => members(map, other, chance),
        Value::Array(list) if chance.below(3) > 0 => items(list, other, chance),
        Value::String(text) if chance.below(3) > 0 => words(text, chance),
        other => *other = strange(chance),
    }
}

fn members(map: &mut Map<String, Value>, other: Option<&Value>, chance: &mut Chance) {
    if map.is_empty() {
        return;
    }
    let name = map.keys().nth(chance.below(map.len())).unwrap().clone();
    let second = map.keys().nth(chance.below(map.len())).unwrap().clone();
    match chance.below(7) {
        0 => drop(map.remove(&name)),
        1 => {
            // The same name, spelt as another release spells it.
            let spelt = match name.starts_with(|c: char| c.is_lowercase()) {
                true => name[..1].to_uppercase() + &name[1..],
                false => name.to_lowercase(),
            };
            let value = if chance.below(2) == 0 {
                map[&name].clone()
            } else {
                strange(chance)
            };
            map.insert(spelt, value);
        }
        2 => {
            let value = map[&second].clone();
            map.insert(name, value);
        }
        3 => {
            let (a, b) = (map[&name].clone(), map[&second].clone());
            map.insert(name, b);
            map.insert(second, a);
        }
        4 => {
            if let Some(Value::Object(from)) = other
                && !from.is_empty()
            {
                let (k, v) = from.iter().nth(chance.below(from.len())).unwrap();
                map.insert(k.clone(), v.clone());
            }
        }
        5 => drop(map.insert(name, strange(chance))),
        _ => {
            let value = map.remove(&name).unwrap();
            map.insert("x".repeat(1 + chance.below(300)), value);
        }
    }
}

fn items(list: &mut Vec<Value>, other: Option<&Value>, chance: &mut Chance) {
    if list.is_empty() {
        return list.push(strange(chance));
    }
    let (a, b) = (chance.below(list.len()), chance.below(list.len()));
    match chance.below(5) {
        0 => drop(list.remove(a)),
        1 => list.swap(a, b),
        2 => {
            let again = list[a].clone();
            let times = if again.to_string().len() > 400 { 3 } else { 60 };
            list.extend(std::iter::repeat_n(again, 1 + chance.below(times)));
        }
        3 => list.push(other.cloned().unwrap_or(Value::Null)),
        _ => list.insert(a, strange(chance)),
    }
}

/// Changes a text: times out of order and out of the world, long ones, empty ones.
fn words(text: &mut String, chance: &mut Chance) {
    let digits: Vec<usize> = text
        .char_indices()
        .filter(|(_, c)| c.is_ascii_digit())
        .map(|(at, _)| at)
        .collect();
    match chance.below(6) {
        0 if !digits.is_empty() => {
            for _ in 0..=chance.below(4) {
                let at = digits[chance.below(digits.len())];
                text.replace_range(at..=at, &chance.below(10).to_string());
            }
        }
        1 => text.clear(),
        2 => *text = format!("{text}{}", "é".repeat(1 + chance.below(2_000))),
        3 => *text = text.to_uppercase(),
        4 => *text = STRANGE[chance.below(STRANGE.len())].to_owned(),
        _ => {
            let cut = text.char_indices().nth(chance.below(text.len() + 1));
            text.truncate(cut.map_or(0, |(at, _)| at));
        }
    }
}

/// Texts that mean something somewhere, or should mean nothing.
const STRANGE: &[&str] = &[
    "",
    " ",
    "null",
    "0",
    "-1",
    "1e400",
    "99999999999999999999",
    "9223372036854775807",
    "-9223372036854775808",
    "0001-01-01T00:00:00Z",
    "1970-01-01T00:00:00.001Z",
    "9999-12-31T23:59:59.9999999Z",
    "2026-03-29T02:30:00",
    "2026-02-30T25:61:61+99:99",
    "2026-03-02T09:00:00.123456789123456789Z",
    "PT",
    "P999999999999Y",
    "PT1E9S",
    "1.02:03:04.5",
    "99999999.99:99:99",
    "00000000-0000-0000-0000-000000000000",
    "8:acs:",
    "arn:aws:connect:::",
    "sip:",
    "tel:;=%",
    "%",
    "%zz%",
    "a/b/../c",
    "/",
    "\u{0}",
    "\u{feff}",
    "\u{202e}\u{1f600}",
    "=cmd",
    "[]",
    "{\"a\":{}}",
    "H4sIAAAAAAAA",
    "e30=",
];

fn strange(chance: &mut Chance) -> Value {
    match chance.below(13) {
        0 => Value::Null,
        1 => json!([]),
        2 => json!({}),
        3 => json!(true),
        4 => json!(-1),
        5 => json!(i64::MAX),
        6 => json!(i64::MIN),
        7 => json!(u64::MAX),
        8 => json!(1e308),
        9 => json!(0.1),
        10 => {
            let mut deep = json!(STRANGE[chance.below(STRANGE.len())]);
            for n in 0..1 + chance.below(150) {
                deep = if n % 2 == 0 {
                    json!([deep])
                } else {
                    json!({ "a": deep })
                };
            }
            deep
        }
        11 => json!([json!({}), json!([]), Value::Null]),
        _ => json!(STRANGE[chance.below(STRANGE.len())]),
    }
}

/// Changes bytes wherever they stand.
fn damage(bytes: &mut Vec<u8>, chance: &mut Chance) {
    if bytes.is_empty() {
        return bytes.push(chance.below(256) as u8);
    }
    let at = chance.below(bytes.len());
    let end = (at + 1 + chance.below(60)).min(bytes.len());
    match chance.below(7) {
        0 => bytes.truncate(at),
        1 => bytes[at] = chance.below(256) as u8,
        2 => bytes[at] ^= 1 << chance.below(8),
        3 => drop(bytes.drain(at..end)),
        4 => {
            let part = bytes[at..end].to_vec();
            let to = chance.below(bytes.len());
            bytes.splice(to..to, part);
        }
        5 => {
            let text = STRANGE[chance.below(STRANGE.len())].bytes();
            drop(bytes.splice(at..at, text));
        }
        _ => {
            let mark = b"[{\"\\<&%|,;\n\r\t\0\x80"[chance.below(15)];
            let times = if chance.below(8) == 0 { 3_000 } else { 3 };
            let many = std::iter::repeat_n(mark, 1 + chance.below(times));
            drop(bytes.splice(at..at, many));
        }
    }
}

/// Moves, repeats, drops or replaces what stands between two marks: columns of a CSV, elements of
/// XML, members of an object (whose names then repeat), parameters of a form.
fn shift(bytes: &mut Vec<u8>, chance: &mut Chance) {
    if bytes.is_empty() {
        return;
    }
    let (from, to) = token(bytes, chance);
    match chance.below(5) {
        0 => drop(bytes.drain(from..to)),
        1 => {
            let part = bytes[from..to].to_vec();
            let times = if part.len() < 40 && chance.below(8) == 0 {
                50
            } else {
                1
            };
            for _ in 0..times {
                bytes.splice(to..to, part.iter().copied());
            }
        }
        2 => {
            let part = bytes[from..to].to_vec();
            let (_, place) = token(bytes, chance);
            bytes.splice(place..place, part);
        }
        3 => {
            let text = STRANGE[chance.below(STRANGE.len())].bytes();
            drop(bytes.splice(from..to, text));
        }
        _ => {
            let (other, end) = token(bytes, chance);
            let part = bytes[other..end].to_vec();
            bytes.splice(from..to, part);
        }
    }
}

/// A part from behind one mark to the next of the same kind.
fn token(bytes: &[u8], chance: &mut Chance) -> (usize, usize) {
    const MARKS: &[u8] = b",,,\"<\n|&;:={\t";
    let mark = MARKS[chance.below(MARKS.len())];
    let at = chance.below(bytes.len());
    let from = bytes[at..]
        .iter()
        .position(|b| *b == mark)
        .map_or(at, |n| at + n);
    let to = bytes[from..]
        .iter()
        .skip(1)
        .position(|b| *b == mark)
        .map_or(bytes.len(), |n| from + 1 + n);
    (from, to.min(from + 4_000))
}
