//! Tolerant reading: names without regard to case (the platform spells them in three ways), values
//! of any type that can be understood, and times that are not there yet as none.

use std::borrow::Cow;

use callboard_model::time::{SECOND, believable, parse_rfc3339};
use serde_json::Value;

/// Longest text that becomes a fact, bytes.
const MAX_TEXT: usize = 1_000;

/// A place in a document; nothing where the document has nothing or null.
#[derive(Debug, Clone, Copy)]
pub(super) struct Doc<'a>(Option<&'a Value>);

impl<'a> Doc<'a> {
    /// The whole.
    pub fn of(value: &'a Value) -> Self {
        Doc((!value.is_null()).then_some(value))
    }

    /// Whether there is anything.
    pub fn is_there(self) -> bool {
        self.0.is_some()
    }

    /// The value.
    pub fn value(self) -> Option<&'a Value> {
        self.0
    }

    /// A field: as spelt, else in any other case.
    pub fn get(self, name: &str) -> Doc<'a> {
        let Some(Value::Object(map)) = self.0 else {
            return Doc(None);
        };
        let found = map.get(name).or_else(|| {
            let mut fields = map.iter();
            fields
                .find(|(k, _)| k.eq_ignore_ascii_case(name))
                .map(|(_, v)| v)
        });
        Doc(found.filter(|v| !v.is_null()))
    }

    /// The first of these fields that is there.
    pub fn any(self, names: &[&str]) -> Doc<'a> {
        let found = names.iter().map(|n| self.get(n)).find(|d| d.is_there());
        found.unwrap_or(Doc(None))
    }

    /// A field of a field of ...
    pub fn at(self, path: &[&str]) -> Doc<'a> {
        path.iter().fold(self, |doc, name| doc.get(name))
    }

    /// Text that is not empty; numbers and truth values as they are written.
    pub fn text(self) -> Option<Cow<'a, str>> {
        match self.0? {
            Value::String(t) => {
                let t = t.trim();
                (!t.is_empty()).then(|| Cow::Borrowed(clip(t)))
            }
            Value::Number(n) => Some(Cow::Owned(n.to_string())),
            Value::Bool(b) => Some(Cow::Borrowed(if *b { "true" } else { "false" })),
            _ => None,
        }
    }

    /// The same, owned.
    pub fn owned(self) -> Option<String> {
        self.text().map(Cow::into_owned)
    }

    /// Text in capitals, for the platform's words.
    pub fn word(self) -> Option<String> {
        self.text().map(|t| t.to_ascii_uppercase())
    }

    /// The whole text, however long.
    pub fn long_text(self) -> Option<&'a str> {
        self.0?.as_str()
    }

    /// A number; text that is one counts.
    pub fn float(self) -> Option<f64> {
        let n = match self.0? {
            Value::Number(n) => n.as_f64()?,
            Value::String(t) => t.trim().parse().ok()?,
            _ => return None,
        };
        n.is_finite().then_some(n)
    }

    /// A whole number; a fraction is cut.
    pub fn int(self) -> Option<i64> {
        match self.0? {
            Value::Number(n) => n.as_i64().or_else(|| whole(n.as_f64()?)),
            Value::String(t) => {
                let t = t.trim();
                t.parse().ok().or_else(|| whole(t.parse().ok()?))
            }
            _ => None,
        }
    }

    /// Seconds as milliseconds, where they are a length that a contact can have.
    pub fn seconds(self) -> Option<i64> {
        let seconds = self.float()?;
        (0.0..1e9)
            .contains(&seconds)
            .then_some((seconds * 1000.0).round() as i64)
    }

    /// Yes or no; text counts.
    pub fn flag(self) -> Option<bool> {
        match self.0? {
            Value::Bool(b) => Some(*b),
            Value::String(t) if t.eq_ignore_ascii_case("true") => Some(true),
            Value::String(t) if t.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// A time with its precision, microseconds. The platform writes 1970 for "not yet".
    pub fn time(self) -> Option<(i64, u32)> {
        let (us, precision) = match self.0? {
            Value::String(t) => read_time(t.trim())?,
            Value::Number(n) => {
                let n = n.as_f64()?;
                if n.abs() > 1e11 {
                    ((n * 1e3) as i64, 1_000)
                } else {
                    (
                        (n * 1e6) as i64,
                        if n.fract() == 0.0 { 1_000_000 } else { 1_000 },
                    )
                }
            }
            _ => return None,
        };
        believable(us).then_some((us, precision))
    }

    /// The items of a list.
    pub fn list(self) -> impl Iterator<Item = Doc<'a>> {
        let items = match self.0 {
            Some(Value::Array(items)) => items.as_slice(),
            _ => &[],
        };
        items.iter().map(Doc::of)
    }

    /// The fields of a map, names as they are spelt.
    pub fn fields(self) -> impl Iterator<Item = (&'a str, Doc<'a>)> {
        let map = match self.0 {
            Some(Value::Object(map)) => Some(map),
            _ => None,
        };
        map.into_iter()
            .flatten()
            .map(|(name, v)| (name.as_str(), Doc::of(v)))
    }
}

/// A fraction cut to a whole number, where one holds it.
fn whole(n: f64) -> Option<i64> {
    (n.is_finite() && n.abs() < 9e15).then_some(n as i64)
}

/// RFC 3339; without a zone it is UTC.
fn read_time(text: &str) -> Option<(i64, u32)> {
    if let Some(found) = parse_rfc3339(text) {
        return Some(found);
    }
    if let Ok(seconds) = text.parse::<i64>() {
        // Stream times are milliseconds since 1970, as text.
        let milliseconds = seconds.checked_abs()? > 100 * 1_000_000_000;
        return if milliseconds {
            Some((seconds.checked_mul(1_000)?, 1_000))
        } else {
            Some((seconds.checked_mul(SECOND)?, 1_000_000))
        };
    }
    parse_rfc3339(&format!("{}Z", text.replacen(' ', "T", 1)))
}

/// The beginning of a text that is too long for a fact.
pub(super) fn clip(text: &str) -> &str {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or("")
}

/// The instance in an ARN, or in what stands where one should: what follows `instance/`. ARNs are
/// not divided by position: documents show them with a colon too many.
pub(super) fn instance_of(arn: &str) -> Option<String> {
    let (_, rest) = arn.split_once("instance/")?;
    let id = rest.split('/').next().unwrap_or("").trim();
    (!id.is_empty()).then(|| plain(id))
}

/// The region of an ARN: the first part that looks like one.
pub(super) fn region_of(arn: &str) -> Option<&str> {
    arn.split(':')
        .find(|p| p.matches('-').count() >= 2 && !p.contains('/') && p.len() < 20)
}

/// The id of a resource in an ARN: what follows the marker (`/queue/`, `/agent/`), else what
/// follows the last slash, else the text itself.
pub(super) fn resource<'a>(arn: &'a str, marker: &str) -> &'a str {
    let id = match arn.split_once(marker) {
        Some((_, id)) => id,
        None => arn.rsplit('/').next().unwrap_or(arn),
    };
    clip(if id.is_empty() { arn } else { id })
}

/// A name that can stand inside an identity.
pub(super) fn plain(text: &str) -> String {
    clip(text)
        .chars()
        .map(|c| if c == '/' || c.is_control() { '-' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_have_three_spellings_and_values_several_types() {
        let v = json!({"AgentInfo": {"agentARN": "arn:x/agent/7", "hold": "12", "n": 3.9},
            "initiationTimestamp": "1970-01-01T00:00:00.001Z", "zoneless": "2026-03-02 09:14:31"});
        let d = Doc::of(&v);
        assert_eq!(
            d.at(&["agentInfo", "AgentArn"]).text().unwrap(),
            "arn:x/agent/7"
        );
        assert_eq!(d.at(&["agentInfo", "hold"]).int(), Some(12));
        assert_eq!(d.at(&["agentInfo", "n"]).int(), Some(3));
        assert_eq!(d.get("InitiationTimestamp").time(), None);
        let at = d.get("zoneless").time();
        assert_eq!(at, Some((1_772_442_871_000_000, 1_000_000)));
    }

    #[test]
    fn arns_are_not_divided_by_position() {
        let odd = "arn:aws::connect:us-west-2:1:instance/i-1/queue/agent/a-7";
        assert_eq!(instance_of(odd).as_deref(), Some("i-1"));
        assert_eq!(resource(odd, "/queue/"), "agent/a-7");
        assert_eq!(resource("arn", "/agent/"), "arn");
        assert_eq!(region_of(odd), Some("us-west-2"));
    }
}
