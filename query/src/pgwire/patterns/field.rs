//! The parts of a time that a pattern can ask for.

use std::fmt::Write as _;

use chrono::{Datelike, Timelike};

use super::{Case, Local};

/// One part of a time; numbers in it are counts of digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Year(u32),
    YearComma,
    IsoYear(u32),
    Century,
    Quarter,
    Month,
    MonthName { short: bool },
    IsoWeek,
    WeekOfYear,
    WeekOfMonth,
    Day,
    DayOfYear,
    IsoDayOfYear,
    DayName { short: bool },
    Weekday,
    IsoWeekday,
    Julian,
    Hour24,
    Hour12,
    Half { dots: bool },
    Minute,
    Second,
    SecondOfDay,
    Fraction(u32),
    Zone,
    Offset,
    OffsetHour,
    OffsetMinute,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// Length to which PostgreSQL fills up names: that of "September" and "Wednesday".
const NAME: usize = 9;

/// The Julian day before the first day of the common era.
const JULIAN: i64 = 1_721_425;

impl Field {
    /// Whether it is a number that can have `th` behind it.
    pub(super) fn counts(self) -> bool {
        !matches!(
            self,
            Field::MonthName { .. }
                | Field::DayName { .. }
                | Field::Half { .. }
                | Field::Zone
                | Field::Offset
        )
    }

    /// The part as text; `bare` = not filled up.
    pub(super) fn tell(self, time: Local<'_>, bare: bool, case: Case) -> String {
        let at = time.at;
        let number = |value: i64, width: usize| {
            if bare {
                value.to_string()
            } else {
                format!("{value:0width$}")
            }
        };
        // The last digits of a year.
        let year = |year: i32, digits: u32| {
            let year = i64::from(year);
            match digits {
                4 => number(year, 4),
                n => number(year.rem_euclid(10_i64.pow(n)), n as usize),
            }
        };
        let name = |names: &[&str], index: usize, short: bool| {
            let whole = names.get(index).copied().unwrap_or_default();
            if short {
                case.of(whole.get(..3).unwrap_or(whole))
            } else if bare {
                case.of(whole)
            } else {
                format!("{:NAME$}", case.of(whole))
            }
        };
        let (hour, day) = (i64::from(at.hour()), i64::from(at.day()));
        let weekday = at.weekday();
        let iso = at.iso_week();
        let (offset, sign) = match time.zone {
            Some((_, east)) if east < 0 => (east.unsigned_abs(), '-'),
            Some((_, east)) => (east.unsigned_abs(), '+'),
            None => (0, '+'),
        };
        match self {
            Field::Year(digits) => year(at.year(), digits),
            Field::YearComma => {
                let whole = at.year();
                format!("{},{:03}", whole / 1000, whole.rem_euclid(1000))
            }
            Field::IsoYear(digits) => year(iso.year(), digits),
            Field::Century => number((i64::from(at.year()) + 99).div_euclid(100), 2),
            Field::Quarter => number(i64::from(at.month0()) / 3 + 1, 1),
            Field::Month => number(i64::from(at.month()), 2),
            Field::MonthName { short } => name(&MONTHS, at.month0() as usize, short),
            Field::IsoWeek => number(i64::from(iso.week()), 2),
            Field::WeekOfYear => number(i64::from(at.ordinal0()) / 7 + 1, 2),
            Field::WeekOfMonth => number((day - 1) / 7 + 1, 1),
            Field::Day => number(day, 2),
            Field::DayOfYear => number(i64::from(at.ordinal()), 3),
            Field::IsoDayOfYear => {
                let day = i64::from(iso.week0()) * 7;
                number(day + i64::from(weekday.number_from_monday()), 3)
            }
            Field::DayName { short } => name(&DAYS, weekday.num_days_from_monday() as usize, short),
            Field::Weekday => number(i64::from(weekday.number_from_sunday()), 1),
            Field::IsoWeekday => number(i64::from(weekday.number_from_monday()), 1),
            Field::Julian => number(i64::from(at.num_days_from_ce()) + JULIAN, 1),
            Field::Hour24 => number(hour, 2),
            Field::Hour12 => number((hour + 11) % 12 + 1, 2),
            Field::Half { dots } => case.of(match (hour < 12, dots) {
                (true, false) => "AM",
                (false, false) => "PM",
                (true, true) => "A.M.",
                (false, true) => "P.M.",
            }),
            Field::Minute => number(i64::from(at.minute()), 2),
            Field::Second => number(i64::from(at.second()), 2),
            Field::SecondOfDay => number(i64::from(at.num_seconds_from_midnight()), 1),
            Field::Fraction(digits) => {
                let micros = at.nanosecond() % 1_000_000_000 / 1000;
                let digits = digits.min(6);
                format!(
                    "{:0width$}",
                    micros / 10_u32.pow(6 - digits),
                    width = digits as usize
                )
            }
            Field::Zone => case.of(time.zone.map_or("", |(name, _)| name)),
            Field::Offset => {
                let mut told = format!("{sign}{:02}", offset / 3600);
                if offset % 3600 != 0 {
                    // Writing to a text cannot fail.
                    let _ = write!(told, ":{:02}", offset % 3600 / 60);
                }
                told
            }
            Field::OffsetHour => format!("{sign}{:02}", offset / 3600),
            Field::OffsetMinute => format!("{:02}", offset % 3600 / 60),
        }
    }
}
