//! The form of `platforms.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The whole table.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// What can be told at all.
    #[serde(rename = "fact")]
    pub facts: Vec<Fact>,
    /// Who tells it.
    #[serde(rename = "platform")]
    pub platforms: Vec<Platform>,
}

impl Table {
    /// Reads it.
    ///
    /// # Errors
    /// What is wrong, and in which line.
    pub fn read(text: &str) -> Result<Table, String> {
        toml::from_str(text).map_err(|e| e.to_string())
    }
}

/// Something that a platform may tell.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// Name.
    pub name: String,
    /// Title for people.
    pub title: String,
    /// What it is.
    pub meaning: String,
    /// Whether the simulated day is held against the truth in it.
    #[serde(default = "yes")]
    pub compared: bool,
}

fn yes() -> bool {
    true
}

/// A platform.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platform {
    /// The first part of its contacts' sources.
    pub name: String,
    /// The name of `[[source]] adapter`.
    pub adapter: String,
    /// Title for people.
    pub title: String,
    /// Its page, below `docs`.
    pub page: String,
    /// The feeds that the simulated day writes; none where there is no such day.
    #[serde(default)]
    pub simulated: Vec<String>,
    /// Facts that no feed tells, with the reason.
    #[serde(default)]
    pub impossible: BTreeMap<String, String>,
    /// Why no feed tells any other fact.
    pub otherwise: Option<String>,
    /// What it sends.
    #[serde(rename = "feed")]
    pub feeds: Vec<Feed>,
}

impl Platform {
    /// All of its feeds.
    pub fn every(&self) -> Vec<&Feed> {
        self.feeds.iter().collect()
    }

    /// The feed of a record's format.
    pub fn of_format(&self, format: &str) -> Option<&Feed> {
        let has = |f: &&Feed| f.formats.iter().any(|f| f == format);
        self.feeds.iter().find(has)
    }
}

/// Records that come together, by one way.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feed {
    /// Name within the platform.
    pub name: String,
    /// Title for people.
    pub title: String,
    /// Formats of its records.
    pub formats: Vec<String>,
    /// How late it comes.
    pub delay: Delay,
    /// Facts that it tells as they were, with what tells them.
    #[serde(default)]
    pub exact: BTreeMap<String, String>,
    /// Facts that it tells roughly, with what is wrong with them.
    #[serde(default)]
    pub estimated: BTreeMap<String, String>,
}

/// How late a feed comes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delay {
    /// The order of it.
    pub class: DelayClass,
    /// What is usual, seconds; `None` where nobody states a number.
    pub s: Option<i64>,
    /// The most that is stated, seconds.
    pub most_s: Option<i64>,
    /// Who says so, and what else there is to know.
    pub source: String,
}

/// The order of a delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DelayClass {
    /// While it happens.
    Seconds,
    /// Minutes after the end.
    Minutes,
    /// Hours after the end.
    Hours,
    /// A day or days after the end.
    Days,
    /// Whenever somebody sends it.
    Sent,
}

impl DelayClass {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            DelayClass::Seconds => "seconds",
            DelayClass::Minutes => "minutes",
            DelayClass::Hours => "hours",
            DelayClass::Days => "days",
            DelayClass::Sent => "when it is sent",
        }
    }
}

impl Delay {
    /// In a few words: `usually 30 min, at most 150 min`.
    pub fn words(&self) -> String {
        match (self.s, self.most_s) {
            (Some(s), Some(most)) => format!("usually {}, at most {}", span(s), span(most)),
            (Some(s), None) => format!("usually {}", span(s)),
            (None, Some(most)) => format!("at most {}", span(most)),
            (None, None) => self.class.word().to_owned(),
        }
    }
}

/// Seconds in the unit that people use.
fn span(s: i64) -> String {
    match s {
        ..120 => format!("{s} s"),
        172_800.. if s % 86_400 == 0 => format!("{} days", s / 86_400),
        7_200.. if s % 3_600 == 0 => format!("{} h", s / 3_600),
        _ if s % 60 == 0 => format!("{} min", s / 60),
        _ => format!("{s} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_read_in_the_unit_that_people_use() {
        let words = |s, most_s| {
            let delay = Delay {
                class: DelayClass::Hours,
                s,
                most_s,
                source: String::new(),
            };
            delay.words()
        };
        assert_eq!(words(None, None), "hours");
        assert_eq!(
            words(Some(1_800), Some(9_000)),
            "usually 30 min, at most 150 min"
        );
        assert_eq!(
            words(Some(86_400), Some(172_800)),
            "usually 24 h, at most 2 days"
        );
        assert_eq!(words(Some(10), None), "usually 10 s");
        assert_eq!(words(None, Some(3_601)), "at most 3601 s");
    }
}
