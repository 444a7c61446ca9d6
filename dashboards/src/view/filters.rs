//! What every report and list can be narrowed by, read from the address: days, zone, queues,
//! agents; and the plain form that sets them.

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use maud::{Markup, html};

use crate::url::Params;
use crate::zone::{self, Range};

/// Most queues or agents chosen at once.
pub const MOST_CHOSEN: usize = 50;

/// The choice that an address makes.
#[derive(Debug, Clone)]
pub struct Choice {
    /// Days and zone.
    pub range: Range,
    /// Whether the address itself named the days.
    pub given: bool,
    /// Queues; empty = all.
    pub queues: Vec<String>,
    /// Agents; empty = all.
    pub agents: Vec<String>,
    /// The snapshot's now, UTC microseconds.
    pub now: i64,
}

impl Choice {
    /// Reads the address. Without days it is the day that `now` lies in.
    ///
    /// # Errors
    /// A sentence that says which parameter is wrong and how it should look.
    pub fn read(params: &Params, home: Tz, now: i64) -> Result<Self, String> {
        let zone = read_zone(params, home)?;
        let today = zone::local(zone, now).date();
        let first = day(params, "from")?;
        let last = day(params, "to")?;
        let range = match (first, last) {
            (None, None) => Range::today(zone, now),
            (Some(a), None) => Range::days(zone, a, a.max(today))?,
            (None, Some(b)) => Range::days(zone, b, b)?,
            (Some(a), Some(b)) => Range::days(zone, a, b)?,
        };
        let chosen = |name: &str| {
            let all = params.all(name);
            if all.len() > MOST_CHOSEN {
                return Err(format!(
                    "More than {MOST_CHOSEN} values of {name} are chosen."
                ));
            }
            Ok(all)
        };
        Ok(Choice {
            range,
            given: first.is_some() || last.is_some(),
            queues: chosen("queue")?,
            agents: chosen("agent")?,
            now,
        })
    }

    /// The choice in words, for captions and print.
    pub fn words(&self) -> String {
        let days = if self.range.first == self.range.last {
            self.range.first.format("%a %Y-%m-%d").to_string()
        } else {
            format!("{} to {}", self.range.first, self.range.last)
        };
        let mut out = format!("{days}, {}", self.range.zone);
        if !self.queues.is_empty() {
            out += &format!(", queues {}", self.queues.join(", "));
        }
        if !self.agents.is_empty() {
            out += &format!(", agents {}", self.agents.join(", "));
        }
        out
    }
}

/// The zone that the address names, else `home`.
///
/// # Errors
/// A sentence when it is no IANA zone.
pub fn read_zone(params: &Params, home: Tz) -> Result<Tz, String> {
    match params.get("tz") {
        None => Ok(home),
        Some(name) => name.parse().map_err(|_| {
            format!("There is no time zone {name:?}. Write it as in Europe/Berlin or UTC.")
        }),
    }
}

fn day(params: &Params, name: &str) -> Result<Option<NaiveDate>, String> {
    params
        .get(name)
        .map(|t| {
            NaiveDate::parse_from_str(t, "%Y-%m-%d")
                .map_err(|_| format!("{name} is {t:?}; write a day as in 2026-03-31."))
        })
        .transpose()
}

/// Zones offered in the form beside the one in force; any other IANA name works in the address.
const ZONES: [&str; 12] = [
    "UTC",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Athens",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Singapore",
    "Australia/Sydney",
    "America/Sao_Paulo",
    "America/New_York",
    "America/Chicago",
    "America/Los_Angeles",
];

/// The days, zone, queue and agent fields of a form. `known_queues` and `known_agents` are what
/// the data knows; an empty list leaves the field out.
pub fn fields(choice: &Choice, known_queues: &[String], known_agents: &[String]) -> Markup {
    html! {
        label { "From" input type="date" name="from" value=(choice.range.first); }
        label { "To" input type="date" name="to" value=(choice.range.last); }
        @if !known_queues.is_empty() { (many("Queue", "queue", known_queues, &choice.queues)) }
        @if !known_agents.is_empty() { (many("Agent", "agent", known_agents, &choice.agents)) }
        (zone_field(choice.range.zone))
    }
}

/// The field for the zone.
pub fn zone_field(zone: Tz) -> Markup {
    let now = zone.name();
    html! {
        label { "Time zone"
            select name="tz" {
                @if !ZONES.contains(&now) { option value=(now) selected { (now) } }
                @for name in ZONES { option value=(name) selected[name == now] { (name) } }
            }
        }
    }
}

/// A field for one of a few: values and their words, the first for none chosen.
pub fn one_of(params: &Params, title: &str, name: &str, all: &[(&str, &str)]) -> Markup {
    let now = params.get(name).unwrap_or_default();
    html! {
        label { (title)
            select name=(name) {
                @for (value, text) in all { option value=(value) selected[*value == now] { (text) } }
            }
        }
    }
}

/// Fields that nobody sees, which keep what the address says beside the form.
pub fn kept(params: &Params, names: &[&str]) -> Markup {
    html! {
        @for name in names {
            @if let Some(value) = params.get(name) { input type="hidden" name=(name) value=(value); }
        }
    }
}

/// A field for several of many: a list of check boxes that folds away.
fn many(title: &str, name: &str, known: &[String], chosen: &[String]) -> Markup {
    let shown = match chosen {
        [] => "All".to_owned(),
        [one] => one.clone(),
        more => format!("{} chosen", more.len()),
    };
    let strangers: Vec<&String> = chosen.iter().filter(|c| !known.contains(c)).collect();
    html! {
        div class="field" {
            span class="field-title" id={ "t-" (name) } { (title) }
            details class="many" {
                summary aria-describedby={ "t-" (name) } { (shown) }
                div class="choices" role="group" aria-labelledby={ "t-" (name) } {
                    @for value in known.iter().chain(strangers) {
                        label {
                            input type="checkbox" name=(name) value=(value) checked[chosen.contains(value)];
                            (value)
                        }
                    }
                }
            }
        }
    }
}

/// Links to the usual ranges, everything else of the address kept.
pub fn presets(path: &str, params: &Params, choice: &Choice) -> Markup {
    let today = zone::local(choice.range.zone, choice.now).date();
    let back = |n: u64| today.checked_sub_days(Days::new(n)).unwrap_or(today);
    let ranges = [
        ("Today", today, today),
        ("Yesterday", back(1), back(1)),
        ("7 days", back(6), today),
        ("28 days", back(27), today),
    ];
    html! {
        nav class="presets" aria-label="Usual ranges" {
            @for (name, first, last) in ranges {
                @let here = choice.range.first == first && choice.range.last == last;
                a href=(params.with("from", &first.to_string()).with("to", &last.to_string()).without("page").href(path))
                    aria-current=[here.then_some("true")] { (name) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_days_it_is_the_day_of_now() {
        let now = 1_795_254_000_000_000; // 2026-11-21 09:40 UTC
        let choice = Choice::read(&Params::default(), Tz::UTC, now).unwrap();
        assert_eq!(choice.range.first.to_string(), "2026-11-21");
        assert!(!choice.given);
    }

    #[test]
    fn wrong_parameters_are_named() {
        let bad = |q: &str| Choice::read(&Params::parse(q).unwrap(), Tz::UTC, 0).unwrap_err();
        assert!(bad("tz=Mars").contains("Mars"));
        assert!(bad("from=31.3.2026").contains("from"));
        assert!(bad("from=2026-02-02&to=2026-01-01").contains("after"));
    }
}
