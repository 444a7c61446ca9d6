//! Days, zones and written times, by whole numbers alone: the files must not change with the
//! machine's time zone data. Times are milliseconds since 1970, UTC.

/// Milliseconds of a second, minute, hour and day.
pub const SECOND: i64 = 1_000;
/// Milliseconds of a minute.
pub const MINUTE: i64 = 60 * SECOND;
/// Milliseconds of an hour.
pub const HOUR: i64 = 60 * MINUTE;
/// Milliseconds of a day.
pub const DAY: i64 = 24 * HOUR;
/// Milliseconds of a row of the queue report.
pub const QUARTER: i64 = 15 * MINUTE;

/// Days since 1970 of a date.
pub fn days_of(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that a leap day is a year's last.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let day_of_year = (153 * m + 2) / 5 + day - 1;
    y * 365 + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + day_of_year - 719_468
}

/// Year, month and day.
pub fn date_of(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let in_era = shifted.rem_euclid(146_097);
    let year_of_era = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / 146_096) / 365;
    let day_of_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let m = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * m + 2) / 5 + 1;
    let month = if m < 10 { m + 3 } else { m - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// Reads `2026-03-07`.
pub fn read_date(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-').map(|p| p.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    // What is far outside would not fit.
    if !(0..=999_999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let days = days_of(year, month, day);
    (date_of(days) == (year, month, day)).then_some(days)
}

/// 0 = Monday.
pub fn weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7)
}

/// The n-th Sunday of a month, from 1; the last one for 0.
fn sunday(year: i64, month: i64, nth: i64) -> i64 {
    if nth == 0 {
        let (y, m) = if month == 12 {
            (year + 1, 1)
        } else {
            (year, month + 1)
        };
        let last = days_of(y, m, 1) - 1;
        return last - (weekday(last) + 1) % 7;
    }
    let first = days_of(year, month, 1);
    first + (6 - weekday(first)) + 7 * (nth - 1)
}

/// Where a site is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// UTC all the year.
    Utc,
    /// UTC-5, an hour forward from March to November.
    NewYork,
    /// UTC+5:30 all the year.
    Kolkata,
    /// UTC+10, an hour forward from October to April.
    Sydney,
    /// UTC+1, an hour forward from March to October.
    Berlin,
}

impl Zone {
    /// Every zone, in the order in which sites take them.
    pub const ALL: [Zone; 5] = [
        Zone::Berlin,
        Zone::NewYork,
        Zone::Sydney,
        Zone::Kolkata,
        Zone::Utc,
    ];

    /// Milliseconds to add to UTC.
    pub fn offset(self, utc: i64) -> i64 {
        let (year, _, _) = date_of(utc.div_euclid(DAY));
        let (standard, forward, back) = match self {
            Zone::Utc => return 0,
            Zone::Kolkata => return 5 * HOUR + 30 * MINUTE,
            Zone::Berlin => (
                HOUR,
                sunday(year, 3, 0) * DAY + HOUR,
                sunday(year, 10, 0) * DAY + HOUR,
            ),
            Zone::NewYork => (
                -5 * HOUR,
                sunday(year, 3, 2) * DAY + 7 * HOUR,
                sunday(year, 11, 1) * DAY + 6 * HOUR,
            ),
            Zone::Sydney => (
                10 * HOUR,
                sunday(year, 10, 1) * DAY - 8 * HOUR,
                sunday(year, 4, 1) * DAY - 8 * HOUR,
            ),
        };
        let summer = if forward < back {
            (forward..back).contains(&utc)
        } else {
            !(back..forward).contains(&utc)
        };
        standard + if summer { HOUR } else { 0 }
    }

    /// The moment at which the clock of this zone shows that time of that day; of a time that the
    /// clock passes over, the one an hour on.
    pub fn utc(self, day: i64, time: i64) -> i64 {
        let local = day * DAY + time;
        let guess = local - self.offset(local);
        local - self.offset(guess)
    }
}

/// How a source writes its times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeForm {
    /// `2026-03-07T09:15:04.250Z`
    Utc,
    /// `2026-03-07T10:15:04.250+01:00`
    Offset,
    /// `2026-03-07T09:15:04.250000Z`
    Micros,
}

/// Writes a time.
pub fn write_time(utc: i64, form: TimeForm, zone: Zone) -> String {
    let offset = if form == TimeForm::Offset {
        zone.offset(utc)
    } else {
        0
    };
    let local = utc + offset;
    let (year, month, day) = date_of(local.div_euclid(DAY));
    let of_day = local.rem_euclid(DAY);
    let (hour, minute) = (of_day / HOUR, of_day / MINUTE % 60);
    let (second, milli) = (of_day / SECOND % 60, of_day % SECOND);
    let end = match form {
        TimeForm::Utc => "Z".to_owned(),
        TimeForm::Micros => "000Z".to_owned(),
        TimeForm::Offset => {
            let sign = if offset < 0 { '-' } else { '+' };
            let minutes = offset.abs() / MINUTE;
            format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
        }
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}{end}")
}

/// Writes a day, `2026-03-07`.
pub fn write_date(days: i64) -> String {
    let (year, month, day) = date_of(days);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_there_and_back() {
        for days in (-200_000..200_000).step_by(37) {
            let (y, m, d) = date_of(days);
            assert_eq!(days_of(y, m, d), days);
        }
        assert_eq!(read_date("2024-02-29"), Some(days_of(2024, 2, 29)));
        assert_eq!(read_date("2025-02-29"), None);
        for wrong in [
            "2025-13-01",
            "2025-00-01",
            "99999999999999999-01-01",
            "-1-01-01",
        ] {
            assert_eq!(read_date(wrong), None, "{wrong}");
        }
        assert_eq!(weekday(days_of(2026, 3, 7)), 5, "a Saturday");
    }

    #[test]
    fn clocks_change_where_and_when_they_do() {
        let at = |zone: Zone, y, m, d, h| zone.offset(days_of(y, m, d) * DAY + h * HOUR) / MINUTE;
        assert_eq!(
            (
                at(Zone::NewYork, 2026, 3, 8, 6),
                at(Zone::NewYork, 2026, 3, 8, 7)
            ),
            (-300, -240)
        );
        assert_eq!(
            (
                at(Zone::Berlin, 2026, 3, 29, 0),
                at(Zone::Berlin, 2026, 3, 29, 1)
            ),
            (60, 120)
        );
        assert_eq!(
            (
                at(Zone::Sydney, 2026, 4, 4, 15),
                at(Zone::Sydney, 2026, 4, 4, 16)
            ),
            (660, 600)
        );
        assert_eq!(
            (
                at(Zone::Sydney, 2026, 10, 3, 15),
                at(Zone::Sydney, 2026, 10, 3, 16)
            ),
            (600, 660)
        );
        assert_eq!(at(Zone::Kolkata, 2026, 7, 1, 0), 330);
    }

    #[test]
    fn times_are_written_as_their_sources_write_them() {
        let at = Zone::Berlin.utc(days_of(2026, 3, 29), 9 * HOUR) + 250;
        assert_eq!(
            write_time(at, TimeForm::Utc, Zone::Berlin),
            "2026-03-29T07:00:00.250Z"
        );
        assert_eq!(
            write_time(at, TimeForm::Offset, Zone::Berlin),
            "2026-03-29T09:00:00.250+02:00"
        );
        assert_eq!(
            write_time(at, TimeForm::Micros, Zone::Berlin),
            "2026-03-29T07:00:00.250000Z"
        );
        let west = write_time(at, TimeForm::Offset, Zone::NewYork);
        assert_eq!(west, "2026-03-29T03:00:00.250-04:00");
        assert_eq!(
            Zone::Berlin.utc(days_of(2026, 3, 29), 2 * HOUR + 30 * MINUTE),
            days_of(2026, 3, 29) * DAY + 90 * MINUTE
        );
    }
}
