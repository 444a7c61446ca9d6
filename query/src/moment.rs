//! Moments as people write them: of an instant, or of the clock in a zone.

use chrono::{DateTime, NaiveDateTime};
use chrono_tz::Tz;

use crate::error::{Class, QueryError};
use crate::pgwire::zones::Zone;

/// Times with an offset, as RFC 3339 and PostgreSQL write them.
const INSTANTS: [&str; 2] = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z"];
/// Times of a clock.
const CLOCKS: [&str; 4] = [
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
];

/// Reads a moment, UTC microseconds: `2026-11-22T10:00:00Z`, or `2026-11-22 10:00` of the clock in
/// that zone. Of an hour that comes twice it is the second.
///
/// # Errors
/// [`Class::Setting`] with how it should look.
pub fn moment(text: &str, zone: Tz) -> Result<i64, QueryError> {
    read(text.trim(), zone)
        .filter(|at| callboard_model::time::believable(*at))
        .ok_or_else(|| {
            QueryError::new(
                Class::Setting,
                format!(
                    "as_of is {text:?}, which is no moment; write it as 2026-11-22T10:00:00Z, or \
                     as 2026-11-22 10:00 of the clock in {zone} (in an address + is %2B)"
                ),
            )
        })
}

fn read(text: &str, zone: Tz) -> Option<i64> {
    if let Some((at, _)) = callboard_model::time::parse_rfc3339(text) {
        return Some(at);
    }
    let instant = |form: &&str| DateTime::parse_from_str(text, form).ok();
    if let Some(at) = INSTANTS.iter().find_map(instant) {
        return Some(at.timestamp_micros());
    }
    let clock = |form: &&str| NaiveDateTime::parse_from_str(text, form).ok();
    let there = CLOCKS.iter().find_map(clock)?;
    Zone::Named(zone).instant(there.and_utc().timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_or_a_clock() {
        let ten = 1_795_341_600_000_000;
        for text in [
            "2026-11-22T10:00:00Z",
            "2026-11-22T11:00:00.000+01:00",
            "2026-11-22 10:00:00+00",
            "2026-11-22 11:00",
            " 2026-11-22T11:00:00 ",
        ] {
            assert_eq!(moment(text, Tz::Europe__Berlin).unwrap(), ten, "{text}");
        }
        assert_eq!(moment("2026-11-22T10:00", Tz::UTC).unwrap(), ten);
        for text in ["", "ten", "10:00", "2026-11-22", "9999-01-01T00:00:00Z"] {
            let e = moment(text, Tz::UTC).unwrap_err();
            assert_eq!(e.class, Class::Setting, "{text}");
            assert!(e.message.contains("write it as"), "{}", e.message);
        }
    }
}
