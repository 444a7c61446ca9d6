//! Times: UTC microseconds with a stated precision, and the bounds that a believable one keeps.

use chrono::{DateTime, SecondsFormat, Utc};

/// Microseconds of a second.
pub const SECOND: i64 = 1_000_000;

/// Microseconds of a millisecond.
pub const MILLI: i64 = 1_000;

/// Earliest believable time: 1990-01-01.
pub const EARLIEST: i64 = 631_152_000 * SECOND;

/// Latest believable time: 2100-01-01.
pub const LATEST: i64 = 4_102_444_800 * SECOND;

/// Whether a time is one that a contact centre of today can have written.
pub fn believable(us: i64) -> bool {
    (EARLIEST..LATEST).contains(&us)
}

/// Reads RFC 3339; gives UTC microseconds and the precision of the text in microseconds
/// (whole seconds 1,000,000; milliseconds 1,000; microseconds and finer 1).
pub fn parse_rfc3339(text: &str) -> Option<(i64, u32)> {
    let at = DateTime::parse_from_rfc3339(text).ok()?;
    let digits = match text.split_once('.') {
        Some((_, rest)) => rest.bytes().take_while(u8::is_ascii_digit).count(),
        None => 0,
    };
    let precision = match digits {
        0 => 1_000_000,
        1 => 100_000,
        2 => 10_000,
        3 => 1_000,
        4 => 100,
        5 => 10,
        _ => 1,
    };
    Some((at.with_timezone(&Utc).timestamp_micros(), precision))
}

/// Writes RFC 3339 in UTC with microseconds.
pub fn format_rfc3339(us: i64) -> String {
    match DateTime::<Utc>::from_timestamp_micros(us) {
        Some(at) => at.to_rfc3339_opts(SecondsFormat::Micros, true),
        None => us.to_string(),
    }
}

/// Duration in whole milliseconds between two times; a negative one counts as zero.
pub fn millis_between(start: i64, end: i64) -> i64 {
    (end - start).max(0) / MILLI
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precision_follows_the_text() {
        assert_eq!(
            parse_rfc3339("2026-03-02T09:15:04Z"),
            Some((1_772_442_904_000_000, 1_000_000))
        );
        assert_eq!(
            parse_rfc3339("2026-03-02T10:15:04.250+01:00"),
            Some((1_772_442_904_250_000, 1_000))
        );
        assert_eq!(parse_rfc3339("yesterday"), None);
    }

    #[test]
    fn year_9999_is_not_believed() {
        let (us, _) = parse_rfc3339("9999-12-31T23:59:59Z").unwrap();
        assert!(!believable(us));
    }
}
