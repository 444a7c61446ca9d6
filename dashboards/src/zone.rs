//! A report's time zone and range: local days with 23 and 25 hours, and the SQL that puts a UTC
//! instant into its local bucket exactly.

use chrono::{DateTime, Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::{OffsetComponents, Tz};

use crate::data;

/// Microseconds of an hour.
pub const HOUR: i64 = 3_600_000_000;
/// Microseconds of a day of 24 hours.
pub const DAY: i64 = 24 * HOUR;
/// Longest range of one page.
pub const LONGEST_DAYS: i64 = 800;

/// A half-open range of time in a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// Zone of days and hours.
    pub zone: Tz,
    /// First local day.
    pub first: NaiveDate,
    /// Last local day, included.
    pub last: NaiveDate,
    /// Start, UTC microseconds.
    pub from: i64,
    /// End (not included), UTC microseconds.
    pub to: i64,
}

impl Range {
    /// The range from the first to the last local day.
    ///
    /// # Errors
    /// A sentence when the days are the wrong way round or too far apart.
    pub fn days(zone: Tz, first: NaiveDate, last: NaiveDate) -> Result<Self, String> {
        if first > last {
            return Err(format!(
                "The range starts on {first}, after its end on {last}."
            ));
        }
        if (last - first).num_days() > LONGEST_DAYS {
            return Err(format!("The range is longer than {LONGEST_DAYS} days."));
        }
        if !(1990..2100).contains(&first.year()) || !(1990..2100).contains(&last.year()) {
            return Err("Days lie between 1990 and 2099.".to_owned());
        }
        let after = last.checked_add_days(Days::new(1)).unwrap_or(last);
        Ok(Range {
            zone,
            first,
            last,
            from: midnight(zone, first),
            to: midnight(zone, after),
        })
    }

    /// The local day that holds this instant.
    pub fn today(zone: Tz, now: i64) -> Self {
        let day = local(zone, now).date();
        let after = day.checked_add_days(Days::new(1)).unwrap_or(day);
        Range {
            zone,
            first: day,
            last: day,
            from: midnight(zone, day),
            to: midnight(zone, after),
        }
    }

    /// The zone's offsets in this range: from when (UTC microseconds) and how much to add.
    pub fn offsets(&self) -> Vec<(i64, i64)> {
        let mut out = vec![(self.from, offset(self.zone, self.from))];
        let mut at = self.from;
        while at < self.to {
            let next = (at + DAY).min(self.to);
            if offset(self.zone, next) != offset(self.zone, at) {
                let (mut lo, mut hi) = (at, next);
                while hi - lo > 1_000_000 {
                    let mid = lo + (hi - lo) / 2;
                    if offset(self.zone, mid) == offset(self.zone, lo) {
                        lo = mid
                    } else {
                        hi = mid
                    }
                }
                let change = hi - hi.rem_euclid(1_000_000);
                out.push((change, offset(self.zone, change)));
            }
            at = next;
        }
        out
    }

    fn offset_sql(&self, column: &str) -> String {
        let offsets = self.offsets();
        let mut out = String::new();
        for pair in offsets.windows(2) {
            out += &format!(
                " WHEN {column} < {} THEN {}",
                data::time(pair[1].0),
                pair[0].1
            );
        }
        let last = offsets.last().map_or(0, |o| o.1);
        match out.is_empty() {
            true => last.to_string(),
            false => format!("(CASE{out} ELSE {last} END)"),
        }
    }

    /// SQL (BIGINT): the start of the local bucket of `width` microseconds that holds `column`,
    /// as UTC microseconds. An hour that comes twice in autumn gives two buckets.
    pub fn bucket_sql(&self, column: &str, width: i64) -> String {
        let shift = self.offset_sql(column);
        let local = format!("(CAST({column} AS BIGINT) + {shift})");
        format!("({local} - ({local} % {width}) - {shift})")
    }

    /// SQL (BIGINT): the local day as days since 1970-01-01.
    pub fn day_sql(&self, column: &str) -> String {
        format!(
            "((CAST({column} AS BIGINT) + {}) / {DAY})",
            self.offset_sql(column)
        )
    }

    /// SQL (BIGINT): hour of the local day, 0 to 23.
    pub fn hour_sql(&self, column: &str) -> String {
        format!(
            "(((CAST({column} AS BIGINT) + {}) % {DAY}) / {HOUR})",
            self.offset_sql(column)
        )
    }

    /// SQL (BIGINT): local day of the week, 0 = Monday.
    pub fn weekday_sql(&self, column: &str) -> String {
        format!("(({} + 3) % 7)", self.day_sql(column))
    }

    /// The starts of all buckets of `width` in this range, UTC microseconds.
    pub fn buckets(&self, width: i64) -> Vec<i64> {
        if width >= DAY {
            return (0..=(self.last - self.first).num_days())
                .filter_map(|d| self.first.checked_add_days(Days::new(d.unsigned_abs())))
                .map(|day| midnight(self.zone, day))
                .collect();
        }
        let mut out = Vec::new();
        let mut at = self.from;
        while at < self.to {
            let shift = offset(self.zone, at);
            let start = (at + shift) - (at + shift).rem_euclid(width) - shift;
            if out.last() != Some(&start) {
                out.push(start);
            }
            // Steps of a quarter find both hours of an autumn night in every zone.
            at += width.min(HOUR / 4);
        }
        out
    }
}

/// The zone's offset at an instant: microseconds to add to UTC.
pub fn offset(zone: Tz, us: i64) -> i64 {
    let at = DateTime::<Utc>::from_timestamp_micros(us).unwrap_or_default();
    let o = zone.offset_from_utc_datetime(&at.naive_utc());
    (o.base_utc_offset() + o.dst_offset())
        .num_microseconds()
        .unwrap_or(0)
}

/// Local wall clock of an instant.
pub fn local(zone: Tz, us: i64) -> NaiveDateTime {
    let at = DateTime::<Utc>::from_timestamp_micros(us).unwrap_or_default();
    at.with_timezone(&zone).naive_local()
}

/// The instant at which a local day begins; where midnight does not exist, the first that does.
pub fn midnight(zone: Tz, day: NaiveDate) -> i64 {
    let mut at = day.and_hms_opt(0, 0, 0).unwrap_or_default();
    for _ in 0..24 {
        match zone.from_local_datetime(&at) {
            LocalResult::Single(t) | LocalResult::Ambiguous(t, _) => return t.timestamp_micros(),
            LocalResult::None => at += chrono::Duration::minutes(15),
        }
    }
    at.and_utc().timestamp_micros()
}

/// Whether the local wall clock of this instant comes twice, and then `A` or `B`.
pub fn twice(zone: Tz, us: i64) -> Option<char> {
    match zone.from_local_datetime(&local(zone, us)) {
        LocalResult::Ambiguous(first, _) if first.timestamp_micros() == us => Some('A'),
        LocalResult::Ambiguous(..) => Some('B'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Europe::Berlin;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn days_of_23_and_25_hours() {
        let spring = Range::days(Berlin, day("2026-03-29"), day("2026-03-29")).unwrap();
        assert_eq!((spring.to - spring.from) / HOUR, 23);
        assert_eq!(spring.buckets(HOUR).len(), 23);
        let autumn = Range::days(Berlin, day("2026-10-25"), day("2026-10-25")).unwrap();
        assert_eq!((autumn.to - autumn.from) / HOUR, 25);
        let buckets = autumn.buckets(HOUR);
        assert_eq!(buckets.len(), 25);
        assert_eq!(twice(Berlin, buckets[2]), Some('A'));
        assert_eq!(twice(Berlin, buckets[3]), Some('B'));
        assert_eq!(autumn.offsets().len(), 2);
        assert_eq!(autumn.offsets()[1].0, autumn.from + 3 * HOUR);
    }

    #[test]
    fn a_year_has_its_two_changes() {
        let year = Range::days(Berlin, day("2026-01-01"), day("2026-12-31")).unwrap();
        assert_eq!(year.offsets().len(), 3);
        assert_eq!(year.buckets(DAY).len(), 365);
    }

    #[test]
    fn bad_ranges_are_refused() {
        assert!(Range::days(Berlin, day("2026-01-02"), day("2026-01-01")).is_err());
        assert!(Range::days(Berlin, day("2020-01-01"), day("2026-01-01")).is_err());
    }
}
