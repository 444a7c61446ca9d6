//! Values of platforms' documents, read as far as they go: names without regard to case, numbers
//! as text, times in the forms that platforms really write.

use std::borrow::Cow;

use callboard_model::time::{SECOND, believable, parse_rfc3339};
use chrono::{DateTime, NaiveDate, NaiveTime};
use serde_json::Value;

/// Longest name, address or word that a row takes, bytes; the bytes of the record keep it whole.
const MAX_TEXT_BYTES: usize = 512;

/// Greatest number that is believed to be a duration, a count or a place.
const GREATEST: f64 = 1e15;

/// A field: by its exact name, else without regard to case. `null` is absent.
pub fn field<'v>(v: &'v Value, name: &str) -> Option<&'v Value> {
    let map = v.as_object()?;
    map.get(name)
        .or_else(|| {
            map.iter()
                .find(|(k, _)| k.eq_ignore_ascii_case(name))
                .map(|(_, v)| v)
        })
        .filter(|v| !v.is_null())
}

/// The first of several names that is there.
pub fn either<'v>(v: &'v Value, names: &[&str]) -> Option<&'v Value> {
    names.iter().find_map(|name| field(v, name))
}

/// A field inside objects, one name for each level.
pub fn path<'v>(v: &'v Value, names: &[&str]) -> Option<&'v Value> {
    names.iter().try_fold(v, |v, name| field(v, name))
}

/// The elements of a list; nothing where there is none.
pub fn items<'v>(v: &'v Value, name: &str) -> &'v [Value] {
    match field(v, name) {
        Some(Value::Array(all)) => all,
        _ => &[],
    }
}

/// A text, number or truth value as text, tidied; `None` when empty.
pub fn as_text(v: &Value) -> Option<String> {
    let text = match v {
        Value::String(s) => tidy(s),
        Value::Number(n) => Cow::Owned(n.to_string()),
        Value::Bool(b) => Cow::Borrowed(if *b { "true" } else { "false" }),
        _ => return None,
    };
    (!text.is_empty()).then(|| text.into_owned())
}

/// A field as text, empty when it is not there.
pub fn text(v: &Value, name: &str) -> String {
    field(v, name).and_then(as_text).unwrap_or_default()
}

/// A text without control characters and white space around it, of a bounded length.
pub fn tidy(s: &str) -> Cow<'_, str> {
    let s = s.trim();
    let clean = s.len() <= MAX_TEXT_BYTES && !s.chars().any(char::is_control);
    if clean {
        return Cow::Borrowed(s);
    }
    let mut out = String::new();
    for c in s.chars() {
        if out.len() + c.len_utf8() > MAX_TEXT_BYTES {
            break;
        }
        out.push(if c.is_control() { ' ' } else { c });
    }
    Cow::Owned(out)
}

/// A whole number, given as number or text; a fraction is cut off.
pub fn as_int(v: &Value) -> Option<i64> {
    let n = match v {
        Value::Number(n) => match n.as_i64() {
            Some(n) => return (n.unsigned_abs() as f64 <= GREATEST).then_some(n),
            None => n.as_f64()?,
        },
        Value::String(s) => s.trim().parse().ok()?,
        _ => return None,
    };
    (n.is_finite() && n.abs() <= GREATEST).then_some(n as i64)
}

/// A field as a whole number.
pub fn int(v: &Value, name: &str) -> Option<i64> {
    field(v, name).and_then(as_int)
}

/// A field as a number.
pub fn float(v: &Value, name: &str) -> Option<f64> {
    let n = match field(v, name)? {
        Value::Number(n) => n.as_f64()?,
        Value::String(s) => s.trim().parse().ok()?,
        _ => return None,
    };
    n.is_finite().then_some(n)
}

/// Whether a field says yes: `true`, `"true"`, `"True"`, `1`.
pub fn flag(v: &Value, name: &str) -> bool {
    match field(v, name) {
        Some(Value::Bool(b)) => *b,
        Some(Value::String(s)) => s.trim().eq_ignore_ascii_case("true") || s.trim() == "1",
        Some(Value::Number(n)) => n.as_i64() == Some(1),
        _ => false,
    }
}

/// A field as a time with its precision, UTC microseconds: RFC 3339 and its relatives, or a number
/// of seconds, milliseconds or microseconds since 1970. Times that no contact centre of today can
/// have written are absent.
pub fn time(v: &Value, name: &str) -> Option<(i64, u32)> {
    field(v, name).and_then(as_time)
}

/// As [`time`], of a value.
pub fn as_time(v: &Value) -> Option<(i64, u32)> {
    match v {
        Value::Number(n) => epoch(n.as_f64()?),
        Value::String(s) => read_time(s),
        _ => None,
    }
}

/// A time as text; see [`time`].
pub fn read_time(text: &str) -> Option<(i64, u32)> {
    let text = text.trim();
    let found = parse_rfc3339(text)
        .or_else(|| loose(text))
        .or_else(|| {
            let at = DateTime::parse_from_rfc2822(text).ok()?;
            Some((at.timestamp_micros(), 1_000_000))
        })
        .or_else(|| text.parse().ok().and_then(epoch))?;
    believable(found.0).then_some(found)
}

/// A number since 1970, whose size tells its unit.
pub fn epoch(n: f64) -> Option<(i64, u32)> {
    if !n.is_finite() || n <= 0.0 {
        return None;
    }
    let whole = n.fract() == 0.0;
    let (us, precision) = if n < 1e11 {
        (n * 1e6, if whole { 1_000_000 } else { 1_000 })
    } else if n < 1e14 {
        (n * 1e3, 1_000)
    } else {
        (n, 1)
    };
    let us = us.round() as i64;
    believable(us).then_some((us, precision))
}

/// `YYYY-M-D[T ]H:M:S[.f][Z|+hh[:]mm]`: days of one digit, offsets without a colon, a missing zone
/// (UTC).
fn loose(text: &str) -> Option<(i64, u32)> {
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let mut parts = date.split('-').map(str::parse::<u32>);
    let (y, m, d) = (
        parts.next()?.ok()?,
        parts.next()?.ok()?,
        parts.next()?.ok()?,
    );
    let date = NaiveDate::from_ymd_opt(i32::try_from(y).ok()?, m, d)?;
    let rest = rest.trim();
    let cut = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at_checked(cut)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = clock.trim().split(':').map(str::parse::<u32>);
    let (h, min) = (parts.next()?.ok()?, parts.next()?.ok()?);
    let s = parts.next().transpose().ok()?.unwrap_or(0);
    let clock = NaiveTime::from_hms_opt(h, min, s)?;
    let digits: String = fraction.trim().chars().take(6).collect();
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let precision = 10u32.pow(6 - u32::try_from(digits.len()).ok()?);
    let micros = match digits.is_empty() {
        true => 0,
        false => digits.parse::<i64>().ok()? * i64::from(precision),
    };
    let us = date.and_time(clock).and_utc().timestamp_micros() + micros - offset(zone)? * SECOND;
    Some((us, precision))
}

/// Seconds east of Greenwich.
fn offset(zone: &str) -> Option<i64> {
    let zone = zone.trim();
    if matches!(zone, "" | "Z" | "z") {
        return Some(0);
    }
    let (sign, rest) = match zone.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let digits: String = rest.chars().filter(|c| *c != ':').collect();
    if digits.len() > 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let n: i64 = digits.parse().ok()?;
    let (h, m) = match digits.len() {
        1 | 2 => (n, 0),
        _ => (n / 100, n % 100),
    };
    (h < 24 && m < 60).then_some(sign * (h * 3600 + m * 60))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_are_read_in_the_forms_that_are_written() {
        let at = 1_617_377_451_418_000;
        for form in [
            "2021-04-02T15:30:51.418Z",
            "2021-04-2T15:30:51.418Z",
            "2021-04-02T17:30:51.418+0200",
            "2021-04-02 15:30:51.418",
            "1617377451418",
        ] {
            assert_eq!(read_time(form), Some((at, 1000)), "{form}");
        }
        assert_eq!(
            read_time("Fri, 02 Apr 2021 15:30:51 +0000"),
            Some((at - 418_000, 1_000_000))
        );
        assert_eq!(
            as_time(&json!(1_617_377_451)),
            Some((at - 418_000, 1_000_000))
        );
        for none in [
            "",
            "0001-01-01T00:00:00Z",
            "soon",
            "2021-13-02T00:00:00",
            "-5",
            "2021-04-02T15:30:51+9900",
        ] {
            assert_eq!(read_time(none), None, "{none}");
        }
    }

    #[test]
    fn scalars_change_their_type() {
        let v = json!({"Age": "80802", "n": 3.9, "big": 1e300, "yes": "True", "no": null, "id": 7});
        assert_eq!(int(&v, "age"), Some(80_802));
        assert_eq!(int(&v, "n"), Some(3));
        assert_eq!(int(&v, "big"), None);
        assert!(flag(&v, "yes"));
        assert_eq!(field(&v, "no"), None);
        assert_eq!(text(&v, "id"), "7");
        assert_eq!(tidy(" a\u{7}b "), "a b");
        assert_eq!(tidy(&"é".repeat(600)).len(), 512);
    }
}
