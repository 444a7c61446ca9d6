//! A JSON object read tolerantly: names without regard to their case, numbers and truth values that
//! come as text, texts that come as numbers, and the text "null" for nothing.

use callboard_model::time::{believable, parse_rfc3339};
use chrono::DateTime;
use serde_json::Value;

/// Longest text that is taken over into a fact, bytes; the record keeps the whole.
const MAX_TEXT: usize = 512;

/// A place in a document; what is not there reads as nothing.
#[derive(Debug, Clone, Copy)]
pub struct Doc<'a>(pub &'a Value);

static NOTHING: Value = Value::Null;

impl<'a> Doc<'a> {
    /// The field of that name, without regard to case; null where there is none.
    pub fn get(self, name: &str) -> Doc<'a> {
        let Value::Object(map) = self.0 else {
            return Doc(&NOTHING);
        };
        let exact = map.get(name).filter(|v| !v.is_null());
        let found = exact.or_else(|| {
            let mut alike = map.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
            alike.find(|(_, v)| !v.is_null()).map(|(_, v)| v)
        });
        Doc(found.unwrap_or(&NOTHING))
    }

    /// The first of these fields that says anything.
    pub fn first(self, names: &[&str]) -> Doc<'a> {
        let found = names.iter().map(|n| self.get(n)).find(|d| d.is_some());
        found.unwrap_or(Doc(&NOTHING))
    }

    /// Whether anything is said here.
    pub fn is_some(self) -> bool {
        match self.0 {
            Value::Null => false,
            Value::String(s) => !s.is_empty() && s != "null",
            _ => true,
        }
    }

    /// Whether this is an object.
    pub fn is_object(self) -> bool {
        self.0.is_object()
    }

    /// This value as a text of bounded length without control characters; numbers and truth values
    /// are written out; objects, arrays and nothing give an empty text.
    pub fn as_text(self) -> String {
        match self.0 {
            Value::String(s) if s == "null" => String::new(),
            Value::String(s) => clean(s),
            Value::Number(n) => n.to_string(),
            Value::Bool(b) => b.to_string(),
            _ => String::new(),
        }
    }

    /// A field as text.
    pub fn text(self, name: &str) -> String {
        self.get(name).as_text()
    }

    /// A field as a whole number.
    pub fn int(self, name: &str) -> Option<i64> {
        match self.get(name).0 {
            Value::Number(n) => n.as_i64().or_else(|| n.as_f64().and_then(whole)),
            Value::String(s) => {
                let s = s.trim();
                s.parse().ok().or_else(|| s.parse().ok().and_then(whole))
            }
            _ => None,
        }
    }

    /// A field as a finite number.
    pub fn float(self, name: &str) -> Option<f64> {
        let n = match self.get(name).0 {
            Value::Number(n) => n.as_f64(),
            Value::String(s) => s.trim().parse().ok(),
            _ => None,
        };
        n.filter(|n: &f64| n.is_finite())
    }

    /// A field as yes or no.
    pub fn flag(self, name: &str) -> Option<bool> {
        match self.get(name).0 {
            Value::Bool(b) => Some(*b),
            Value::String(s) if s.eq_ignore_ascii_case("true") => Some(true),
            Value::String(s) if s.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// The items of a field that is a list; none where it is anything else.
    pub fn list(self, name: &str) -> impl Iterator<Item = Doc<'a>> {
        let items = match self.get(name).0 {
            Value::Array(items) => items.as_slice(),
            _ => &[],
        };
        items.iter().map(Doc)
    }

    /// The names and values of a field that is an object.
    pub fn fields(self, name: &str) -> impl Iterator<Item = (&'a str, Doc<'a>)> {
        let map = match self.get(name).0 {
            Value::Object(map) => Some(map),
            _ => None,
        };
        map.into_iter()
            .flat_map(|m| m.iter().map(|(n, v)| (n.as_str(), Doc(v))))
    }

    /// A field as a time: UTC microseconds, and the precision of the text in microseconds.
    pub fn time(self, name: &str) -> Option<(i64, u32)> {
        match self.get(name).0 {
            Value::String(s) => parse_time(s),
            _ => None,
        }
    }
}

fn whole(n: f64) -> Option<i64> {
    (n.is_finite() && n.abs() < 9e15).then_some(n as i64)
}

fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MAX_TEXT));
    for c in text.chars().filter(|c| !c.is_control()) {
        if out.len() + c.len_utf8() > MAX_TEXT {
            break;
        }
        out.push(c);
    }
    out
}

/// Reads RFC 3339, or the American form that some examples of Job Router have
/// (`3/28/2007 7:13:50 PM +00:00`); nothing where it is no time or no believable one.
pub fn parse_time(text: &str) -> Option<(i64, u32)> {
    let text = text.trim();
    let read = parse_rfc3339(text).or_else(|| {
        let at = DateTime::parse_from_str(text, "%m/%d/%Y %I:%M:%S %p %:z").ok()?;
        Some((at.timestamp_micros(), 1_000_000))
    });
    read.filter(|(us, _)| believable(*us))
}
