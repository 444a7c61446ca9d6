//! Number words to digits, as openai-whisper's English normaliser does: spoken digits are joined.

use crate::number_words::{ONES, TENS};

const ORDINALS: [(&str, u64); 12] = [
    ("first", 1),
    ("second", 2),
    ("third", 3),
    ("fourth", 4),
    ("fifth", 5),
    ("sixth", 6),
    ("seventh", 7),
    ("eighth", 8),
    ("ninth", 9),
    ("tenth", 10),
    ("eleventh", 11),
    ("twelfth", 12),
];

#[derive(Clone, Copy, PartialEq)]
enum Word {
    Zero,
    One(u64),
    Ten(u64),
    Times(u64),
    Ordinal(u64),
    None,
}

fn class(word: &str) -> Word {
    match word {
        "zero" | "oh" | "o" => return Word::Zero,
        "hundred" => return Word::Times(100),
        "thousand" => return Word::Times(1_000),
        "million" => return Word::Times(1_000_000),
        "billion" => return Word::Times(1_000_000_000),
        _ => {}
    }
    if let Some(n) = ONES.iter().position(|w| *w == word) {
        return Word::One(n as u64);
    }
    if let Some(n) = TENS.iter().position(|w| *w == word) {
        return Word::Ten(n as u64 * 10 + 20);
    }
    if let Some((_, n)) = ORDINALS.iter().find(|(w, _)| *w == word) {
        return Word::Ordinal(*n);
    }
    if let Some(n) = ONES
        .iter()
        .skip(13)
        .position(|w| word.strip_suffix("th") == Some(*w))
    {
        return Word::Ordinal(n as u64 + 13);
    }
    match TENS.iter().position(|w| {
        word.strip_suffix("ieth")
            .is_some_and(|stem| w.strip_suffix('y') == Some(stem))
    }) {
        Some(n) => Word::Ordinal(n as u64 * 10 + 20),
        None => Word::None,
    }
}

/// A number being said: as a number, or as digits in a row.
enum Value {
    Number(u64),
    Digits(String),
}

impl Value {
    fn text(&self) -> String {
        match self {
            Value::Number(n) => n.to_string(),
            Value::Digits(d) => d.clone(),
        }
    }

    fn append(&self, n: u64) -> Value {
        Value::Digits(format!("{}{n}", self.text()))
    }

    fn one(self, n: u64, after: Word) -> Value {
        match (&self, after) {
            (Value::Digits(d), Word::Ten(_)) if n < 10 => {
                Value::Digits(format!("{}{n}", &d[..d.len() - 1]))
            }
            (Value::Digits(_), _) | (_, Word::One(_) | Word::Zero) => self.append(n),
            (Value::Number(v), _) if (n < 10 && v % 10 == 0) || (n >= 10 && v % 100 == 0) => {
                Value::Number(v + n)
            }
            _ => self.append(n),
        }
    }

    fn ten(self, n: u64) -> Value {
        match self {
            Value::Number(v) if v % 100 == 0 && v > 0 => Value::Number(v + n),
            other => other.append(n),
        }
    }

    fn times(self, n: u64) -> Value {
        match self {
            Value::Number(v) => Value::Number(v / 1_000 * 1_000 + (v % 1_000).saturating_mul(n)),
            Value::Digits(d) => match d.parse::<u64>() {
                Ok(v) if v < 1_000_000 => Value::Number(v * n),
                _ => Value::Digits(d),
            },
        }
    }
}

/// The words with numbers in digits, currency before ("$84.10") and percent behind ("20%").
pub(super) fn to_digits(words: &[String]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut value: Option<Value> = None;
    let mut after = Word::None;
    let mut i = 0;
    while i < words.len() {
        let word = words[i].as_str();
        let next = words.get(i + 1).map_or(Word::None, |w| class(w));
        let kind = class(word);
        let number_next = !matches!(next, Word::None);
        match kind {
            Word::Zero => {
                value = Some(Value::Digits(
                    value.map_or(String::new(), |v| v.text()) + "0",
                ))
            }
            Word::One(n) => value = Some(value.map_or(Value::Number(n), |v| v.one(n, after))),
            Word::Ten(n) => value = Some(value.map_or(Value::Number(n), |v| v.ten(n))),
            Word::Times(n) => value = Some(value.map_or(Value::Number(n), |v| v.times(n))),
            Word::Ordinal(n) => {
                let number = match value.take() {
                    Some(v) if n < 10 || matches!(after, Word::Times(_)) => v.one(n, after).text(),
                    Some(v) => {
                        out.push(v.text());
                        n.to_string()
                    }
                    None => n.to_string(),
                };
                out.push(ordinal(&number));
            }
            Word::None
                if word == "and"
                    && value.is_some()
                    && number_next
                    && matches!(after, Word::Times(_)) => {}
            Word::None
                if (word == "double" || word == "triple")
                    && matches!(next, Word::One(_) | Word::Zero) =>
            {
                let n = if let Word::One(n) = next { n } else { 0 };
                let digits = n.to_string().repeat(if word == "double" { 2 } else { 3 });
                value = Some(Value::Digits(
                    value.map_or(String::new(), |v| v.text()) + &digits,
                ));
                i += 1;
            }
            Word::None => {
                i += unit(words, i, &mut value, &mut out);
            }
        }
        // "and" keeps what came before it.
        if !(kind == Word::None && word == "and" && value.is_some()) {
            after = kind;
        }
        i += 1;
    }
    if let Some(v) = value {
        out.push(v.text());
    }
    joined_money(out)
}

/// A word that is no number: it closes the number before it, perhaps as its unit. Returns how
/// many words beyond it were used.
fn unit(words: &[String], i: usize, value: &mut Option<Value>, out: &mut Vec<String>) -> usize {
    let word = words[i].as_str();
    if let Some(v) = value.take() {
        out.push(v.text());
    }
    let counted = out
        .last()
        .is_some_and(|w| w.bytes().all(|b| b.is_ascii_digit() || b == b'.') && !w.is_empty());
    let sign = match word {
        "dollar" | "dollars" => "$",
        "pound" | "pounds" => "£",
        "euro" | "euros" => "€",
        "cent" | "cents" => "¢",
        _ => "",
    };
    if counted && let Some(last) = out.last_mut() {
        if !sign.is_empty() {
            last.insert_str(0, sign);
            return 0;
        }
        if word == "percent" {
            last.push('%');
            return 0;
        }
        if word == "per" && words.get(i + 1).is_some_and(|w| w == "cent") {
            last.push('%');
            return 1;
        }
    }
    out.push(word.to_owned());
    0
}

fn ordinal(number: &str) -> String {
    let ending = match number.as_bytes() {
        [.., b'1', _] => "th",
        [.., b'1'] => "st",
        [.., b'2'] => "nd",
        [.., b'3'] => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// "$84 and ¢10" is "$84.10"; a lone "1" is "one".
fn joined_money(words: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(words.len());
    for word in words {
        let cents = word
            .strip_prefix('¢')
            .and_then(|c| c.parse::<u32>().ok())
            .filter(|c| *c < 100);
        if let Some(cents) = cents {
            let and = out.last().is_some_and(|w| w == "and");
            let at = out.len().checked_sub(if and { 2 } else { 1 });
            if let Some(at) = at
                && out[at].starts_with(['$', '£', '€'])
                && !out[at].contains('.')
            {
                out[at] = format!("{}.{cents:02}", out[at]);
                out.truncate(at + 1);
                continue;
            }
        }
        out.push(if word == "1" { "one".into() } else { word });
    }
    out
}
