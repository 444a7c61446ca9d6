//! Widths of intervals.

use serde::Deserialize;

/// Width of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Grain {
    /// 15 minutes.
    #[serde(rename = "15m")]
    Quarter,
    /// 30 minutes.
    #[serde(rename = "30m")]
    Half,
    /// An hour.
    #[serde(rename = "hour")]
    Hour,
    /// A local day.
    #[serde(rename = "day")]
    Day,
}

impl Grain {
    /// As it stands in a file and in an address.
    pub fn name(self) -> &'static str {
        match self {
            Grain::Quarter => "15m",
            Grain::Half => "30m",
            Grain::Hour => "hour",
            Grain::Day => "day",
        }
    }

    /// As people say it.
    pub fn words(self) -> &'static str {
        match self {
            Grain::Quarter => "15 minutes",
            Grain::Half => "30 minutes",
            Grain::Hour => "Hour",
            Grain::Day => "Day",
        }
    }

    /// Microseconds.
    pub fn width(self) -> i64 {
        match self {
            Grain::Quarter => crate::zone::HOUR / 4,
            Grain::Half => crate::zone::HOUR / 2,
            Grain::Hour => crate::zone::HOUR,
            Grain::Day => crate::zone::DAY,
        }
    }
}
