//! Numbers, durations and times as people read them. Not known is an em dash, never 0.

use chrono_tz::Tz;

use crate::zone;

/// What stands where nothing is known.
pub const UNKNOWN: &str = "\u{2014}";

/// A count with thin thousands marks.
pub fn count(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    if n < 0 { format!("\u{2212}{out}") } else { out }
}

/// The word for so many of a thing: `journey`, `journeys`.
pub fn plural(n: i64, one: &str) -> String {
    if n == 1 {
        one.to_owned()
    } else {
        format!("{one}s")
    }
}

/// A duration: `m:ss` under an hour, `h:mm:ss` above; milliseconds are rounded to seconds.
pub fn duration(ms: f64) -> String {
    let total = (ms / 1000.0).round().max(0.0) as i64;
    let (h, m, s) = (total / 3600, total / 60 % 60, total % 60);
    if h > 0 {
        format!("{}:{m:02}:{s:02}", count(h))
    } else {
        format!("{m}:{s:02}")
    }
}

/// A share as a percentage: one decimal from 200 cases on, else none.
pub fn percent(share: f64, cases: i64) -> String {
    if cases >= 200 {
        format!("{:.1}\u{202f}%", share * 100.0)
    } else {
        format!("{:.0}\u{202f}%", share * 100.0)
    }
}

/// A plain number with at most two decimals.
pub fn number(v: f64) -> String {
    if (v - v.round()).abs() < 0.005 && v.abs() < 1e15 {
        count(v.round() as i64)
    } else {
        format!("{v:.2}").replace('-', "\u{2212}")
    }
}

/// Bytes in binary units.
pub fn bytes(n: u64) -> String {
    let mut v = n as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if v < 1024.0 {
            return match unit {
                "B" => format!("{n}\u{202f}B"),
                _ => format!("{v:.1}\u{202f}{unit}"),
            };
        }
        v /= 1024.0;
    }
    format!("{v:.1}\u{202f}TiB")
}

/// Date and wall clock to the second.
pub fn date_time(zone: Tz, us: i64) -> String {
    let twice = zone::twice(zone, us)
        .map(|c| format!("\u{202f}{c}"))
        .unwrap_or_default();
    format!(
        "{}{twice}",
        zone::local(zone, us).format("%Y-%m-%d %H:%M:%S")
    )
}

/// Wall clock to the second; `A` or `B` where it comes twice.
pub fn clock(zone: Tz, us: i64) -> String {
    let twice = zone::twice(zone, us)
        .map(|c| format!("\u{202f}{c}"))
        .unwrap_or_default();
    format!("{}{twice}", zone::local(zone, us).format("%H:%M:%S"))
}

/// Wall clock to the minute; `A` or `B` where it comes twice.
pub fn minute(zone: Tz, us: i64) -> String {
    let twice = zone::twice(zone, us)
        .map(|c| format!("\u{202f}{c}"))
        .unwrap_or_default();
    format!("{}{twice}", zone::local(zone, us).format("%H:%M"))
}

/// How old something is, in words.
pub fn age(us: i64) -> String {
    let s = (us / 1_000_000).max(0);
    match s {
        0..=1 => "just now".to_owned(),
        2..=119 => format!("{s}\u{202f}s ago"),
        120..=7199 => format!("{}\u{202f}min ago", s / 60),
        7200..=172_799 => format!("{}\u{202f}h ago", s / 3600),
        _ => format!("{} days ago", s / 86_400),
    }
}

/// Names of the days of the week, Monday first.
pub const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// A code word (`no_answer`) as people write it (`no answer`). Only for words of the vocabulary,
/// never for names: those stand as they were given.
pub fn word(code: &str) -> String {
    match code {
        "voice_app" => "attendant or queue".to_owned(),
        "left_other" => "left otherwise".to_owned(),
        "wrapup" => "wrap-up".to_owned(),
        _ => code.replace('_', " "),
    }
}

/// A reason of the coverage ledger as people read it: what a contact came to is a code word there.
pub fn reason(text: &str) -> String {
    match text.split_once(": ") {
        Some(("nobody talked", outcome)) => format!("nobody talked: {}", word(outcome)),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_these() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(-12), "\u{2212}12");
        assert_eq!(
            [0, 1, 2].map(|n| plural(n, "journey")),
            ["journeys", "journey", "journeys"]
        );
        assert_eq!(duration(59_600.0), "1:00");
        assert_eq!(duration(3_725_000.0), "1:02:05");
        assert_eq!(percent(0.9583, 24), "96\u{202f}%");
        assert_eq!(percent(0.9583, 240), "95.8\u{202f}%");
        assert_eq!(bytes(1536), "1.5\u{202f}KiB");
        assert_eq!(number(2.5), "2.50");
        assert_eq!(word("no_answer"), "no answer");
        assert_eq!(word("voice_app"), "attendant or queue");
        assert_eq!(
            reason("nobody talked: no_agents"),
            "nobody talked: no agents"
        );
        assert_eq!(reason("failed: queue_log"), "failed: queue_log");
    }
}
