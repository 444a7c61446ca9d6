//! Reading what Microsoft writes loosely: names whose spelling differs by template, numbers that
//! are text, times without a zone, and the many ways to say "nothing".

use callboard_model::time::{SECOND, believable, parse_rfc3339};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Offset, TimeZone, Utc};
use serde_json::Value;

/// Longest text that is taken over into a row, bytes.
const LONGEST: usize = 512;

/// A time in UTC microseconds with its precision in microseconds.
pub type At = (i64, u32);

/// A duration in milliseconds with its precision in microseconds.
pub type Length = (i64, u32);

/// A column's name without what templates write differently: case, spaces, punctuation, and the
/// table before it (`fCallQueueAnalytics[CQ Name]` is `cqname`).
pub fn plain(name: &str) -> String {
    let inner = match (name.find('['), name.rfind(']')) {
        (Some(open), Some(close)) if open < close => name.get(open + 1..close).unwrap_or(name),
        _ => name,
    };
    inner
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// A text without control characters and blanks around it, of a bounded length.
pub fn clean(text: &str) -> String {
    let mut out = String::new();
    for c in text.trim().chars().filter(|c| !c.is_control()) {
        if out.len() + c.len_utf8() > LONGEST {
            break;
        }
        out.push(c);
    }
    out
}

/// Whether a scalar says nothing: empty, null, a GUID of zeros.
pub fn says_nothing(text: &str) -> bool {
    let t = text.trim();
    t.is_empty()
        || matches!(t.to_ascii_lowercase().as_str(), "null" | "none" | "n/a")
        || (t.len() >= 32 && t.chars().all(|c| matches!(c, '0' | '-' | '{' | '}')))
}

/// A scalar as text; objects and arrays are none.
pub fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(s) => Some(clean(s)),
        Value::Number(n) => Some(n.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        _ => None,
    }
}

/// The member of an object by name, whatever its case.
pub fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let map = value.as_object()?;
    map.get(name).or_else(|| {
        map.iter()
            .find(|(k, _)| k.eq_ignore_ascii_case(name))
            .map(|(_, v)| v)
    })
}

/// A member's text, unless it says nothing.
pub fn text(value: &Value, name: &str) -> Option<String> {
    scalar(member(value, name)?).filter(|t| !says_nothing(t))
}

/// A member's time.
pub fn at(value: &Value, name: &str) -> Option<At> {
    time(&text(value, name)?, "")
}

/// A member's elements; none when it is no array.
pub fn list<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    member(value, name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// A GUID or other id, in lower case; one of zeros is none.
pub fn id(text: &str) -> Option<String> {
    let t = clean(text);
    let t = t.trim_matches(|c| c == '{' || c == '}');
    (!says_nothing(t)).then(|| t.to_ascii_lowercase())
}

/// A number of seconds, as milliseconds.
pub fn seconds(text: &str) -> Option<Length> {
    let n: f64 = text.trim().replace(',', ".").parse().ok()?;
    let whole = !text.contains(['.', ',']);
    // Ten years; also keeps the cast exact.
    (0.0..=315_360_000.0).contains(&n).then(|| {
        let precision = if whole { 1_000_000 } else { 1_000 };
        ((n * 1_000.0).round() as i64, precision)
    })
}

/// `HH:MM:SS`, as milliseconds.
pub fn clock(text: &str) -> Option<Length> {
    let mut sum = 0i64;
    let mut parts = 0;
    // A fourth part is no clock, and its sum need not fit.
    for part in text.trim().splitn(4, ':') {
        let n: i64 = part.split('.').next()?.trim().parse().ok()?;
        if !(0..100_000).contains(&n) {
            return None;
        }
        sum = sum * 60 + n;
        parts += 1;
    }
    (parts == 3).then_some((sum * 1_000, 1_000_000))
}

/// Yes or no, as JSON, text or number.
pub fn yes(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// A time: RFC 3339, or without a zone, which then is `zone` (IANA, empty = UTC). Also the form
/// `5/1/2024 9:15:04 AM` of an English template. Sentinels of no time and years that no call
/// centre has seen are none.
pub fn time(text: &str, zone: &str) -> Option<At> {
    let t = text.trim();
    if let Some((us, precision)) = parse_rfc3339(t) {
        return believable(us).then_some((us, precision));
    }
    if let Ok(with_zone) = DateTime::parse_from_str(t, "%m/%d/%Y %I:%M:%S %p %:z") {
        let us = with_zone.timestamp_micros();
        return believable(us).then_some((us, 1_000_000));
    }
    const FORMS: [&str; 6] = [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%m/%d/%Y %I:%M:%S %p",
        "%m/%d/%Y %H:%M:%S",
        "%m/%d/%Y %H:%M",
        "%Y-%m-%d %H:%M",
    ];
    let naive = FORMS
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(t, form).ok())?;
    let digits = t
        .split_once('.')
        .map_or(0, |(_, f)| f.bytes().take_while(u8::is_ascii_digit).count());
    let precision = 10u32.pow(6u32.saturating_sub(u32::try_from(digits).unwrap_or(6)));
    let us = in_zone(naive, zone)?;
    believable(us).then_some((us, precision))
}

/// The day, for rows that give the time of day apart.
pub fn day(text: &str) -> Option<NaiveDate> {
    let t = text.trim();
    let date = t.split(['T', ' ']).next()?;
    NaiveDate::parse_from_str(date, "%Y-%m-%d")
        .or_else(|_| NaiveDate::parse_from_str(date, "%m/%d/%Y"))
        .ok()
}

/// A wall-clock time of a zone as UTC microseconds. Of the hour that comes twice in autumn the
/// first is meant.
fn in_zone(naive: NaiveDateTime, zone: &str) -> Option<i64> {
    let micros = naive.and_utc().timestamp_micros();
    if zone.is_empty() {
        return Some(micros);
    }
    let zone: chrono_tz::Tz = zone.parse().ok()?;
    let offset = zone
        .offset_from_local_datetime(&naive)
        .earliest()
        .map_or_else(
            || {
                let before = naive.and_utc() - chrono::Duration::hours(24);
                zone.offset_from_utc_datetime(&before.with_timezone(&Utc).naive_utc())
                    .fix()
            },
            |offset| offset.fix(),
        );
    Some(micros - i64::from(offset.local_minus_utc()) * SECOND)
}

/// A time so much later.
pub fn after(start: At, length: Length) -> At {
    (
        start.0.saturating_add(length.0.saturating_mul(1_000)),
        start.1.max(length.1),
    )
}

/// A time so much earlier.
pub fn before(end: At, length: Length) -> At {
    (
        end.0.saturating_sub(length.0.saturating_mul(1_000)),
        end.1.max(length.1),
    )
}

/// The part of a sign-in name before the `@`: what the template shows of agents and resource
/// accounts. In lower case, to compare by.
pub fn short(name: &str) -> String {
    let name = name.trim();
    let name = name.strip_prefix("sip:").unwrap_or(name);
    name.split('@').next().unwrap_or(name).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_every_template_are_one_time() {
        let utc = Some((1_714_554_904_000_000, 1_000_000));
        for t in [
            "2024-05-01T09:15:04Z",
            "2024-05-01T09:15:04",
            "2024-05-01 09:15:04",
            "5/1/2024 9:15:04 AM",
            "05/01/2024 09:15:04",
            "2024-05-01T11:15:04+02:00",
        ] {
            assert_eq!(time(t, ""), utc, "{t}");
        }
        assert_eq!(time("2024-05-01T11:15:04", "Europe/Berlin"), utc);
        assert_eq!(time("0001-01-01T00:00:00Z", ""), None);
        assert_eq!(time("2024-05-01T09:15:04.2500", "").map(|t| t.1), Some(100));
    }

    #[test]
    fn names_and_lengths() {
        assert_eq!(
            plain("fAgentTimelineAnalytics[Call Duration (HH:MM:SS)]"),
            "calldurationhhmmss"
        );
        assert_eq!(clock("01:02:03"), Some((3_723_000, 1_000_000)));
        assert_eq!(seconds("3.25"), Some((3_250, 1_000)));
        assert_eq!(seconds("-1"), None);
        assert_eq!(id("{00000000-0000-0000-0000-000000000000}"), None);
        assert_eq!(short("Emma.Jones@contoso.com"), "emma.jones");
    }
}
