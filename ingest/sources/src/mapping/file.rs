//! Mapping files as they are written: TOML with jq expressions.

use callboard_model::cloudevents::TYPES;
use serde::{Deserialize, Serialize};

/// Longest mapping file, bytes.
pub const MOST_BYTES: usize = 256 * 1024;

/// How sure it is that the system writes what the mapping reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sure {
    /// The fields stand in a public document of the maker.
    Documented,
    /// Some do; the rest is taken from what others say of it.
    Partly,
    /// No public description was found: column names are as such reports usually have them.
    Guessed,
}

impl Sure {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Sure::Documented => "documented",
            Sure::Partly => "partly",
            Sure::Guessed => "guessed",
        }
    }
}

/// How what is sent is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JSON documents: one, an array of them, or one after the other.
    Json,
    /// One JSON document a line.
    Ndjson,
    /// Rows of text; each becomes an object of texts by the names of its columns.
    Csv,
}

/// How CSV is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Csv {
    /// One character between fields.
    pub separator: char,
    /// Names of the columns where the file has no line of names.
    pub columns: Vec<String>,
    /// Lines before the line of names.
    pub skip: usize,
}

impl Default for Csv {
    fn default() -> Self {
        Csv {
            separator: ',',
            columns: Vec::new(),
            skip: 0,
        }
    }
}

/// One event that an item may tell.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventRule {
    /// Type, `callboard.<entity>.<verb>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// jq: from the item to values for each of which there is such an event; `.` when missing.
    #[serde(default)]
    pub each: Option<String>,
    /// jq: whether there is such an event; always when missing.
    #[serde(default)]
    pub when: Option<String>,
    /// jq: when it happened; the file's own when missing.
    #[serde(default)]
    pub time: Option<String>,
    /// jq: when the system wrote it; the file's own when missing.
    #[serde(default)]
    pub recordedtime: Option<String>,
    /// Who is believed, 10 to 50.
    #[serde(default)]
    pub rank: Option<u8>,
    /// Precision of its times, microseconds.
    #[serde(default)]
    pub precision: Option<u32>,
    /// Fields of the data: jq each, or a table of such.
    pub data: toml::Table,
}

/// A sample, and what must come of it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// What it shows.
    pub name: String,
    /// What is sent.
    pub sample: String,
    /// IANA zone that is declared of it.
    #[serde(default)]
    pub zone: String,
    /// Instance that is declared of it.
    #[serde(default)]
    pub instance: String,
    /// The events, a JSON array of `{type, time, data}` and whatever else was set.
    pub expect: String,
    /// How many items cannot be read.
    #[serde(default)]
    pub refused: usize,
}

/// A mapping file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappingFile {
    /// Name: it is sent to `mapping:NAME`.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// Name of the platform, the first part of sources and, without an instance, of ids.
    pub platform: String,
    /// Number of this version: of two that say different things of one item, the greater wins.
    #[serde(default = "one")]
    pub version: u32,
    /// How sure the format is.
    pub sure: Sure,
    /// Whence it is known.
    pub knowledge: String,
    /// What the system cannot tell.
    #[serde(default)]
    pub cannot: Vec<String>,
    /// IANA zone of times that have none, where the sender declares none; UTC when missing.
    #[serde(default)]
    pub zone: String,
    /// How what is sent is written.
    pub format: Format,
    /// How CSV is written.
    #[serde(default)]
    pub csv: Csv,
    /// jq: from a document (or a row) to its items.
    #[serde(default = "itself")]
    pub items: String,
    /// Whether `items` may take nothing of all that is sent at once, as of a topic that has events of
    /// other kinds; else that is a dead letter.
    #[serde(default)]
    pub mixed: bool,
    /// jq: from an item to what it is known by; by its bytes when missing.
    #[serde(default)]
    pub id: Option<String>,
    /// jq: when an item's events happened.
    #[serde(default)]
    pub time: Option<String>,
    /// jq: when the system wrote an item.
    #[serde(default)]
    pub recordedtime: Option<String>,
    /// jq definitions that all expressions can use.
    #[serde(default)]
    pub functions: String,
    /// Events.
    #[serde(rename = "event")]
    pub events: Vec<EventRule>,
    /// Tests.
    #[serde(default, rename = "test")]
    pub tests: Vec<Test>,
}

fn one() -> u32 {
    1
}

fn itself() -> String {
    ".".to_owned()
}

impl MappingFile {
    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it, a sentence each, with line or field.
    pub fn parse(text: &str) -> Result<MappingFile, Vec<String>> {
        if text.len() > MOST_BYTES {
            let told = format!(
                "{} bytes; a mapping file has at most {MOST_BYTES}",
                text.len()
            );
            return Err(vec![told]);
        }
        let file: MappingFile = toml::from_str(text).map_err(|e| {
            let line = e.span().map(|span| {
                let before = text.as_bytes().get(..span.start).unwrap_or_default();
                1 + before.iter().filter(|b| **b == b'\n').count()
            });
            let place = line.map(|n| format!("line {n}: ")).unwrap_or_default();
            vec![format!("{place}{}", e.message().trim())]
        })?;
        let faults = file.faults();
        if faults.is_empty() {
            Ok(file)
        } else {
            Err(faults)
        }
    }

    fn faults(&self) -> Vec<String> {
        let mut out = Vec::new();
        for (key, value) in [("name", &self.name), ("platform", &self.platform)] {
            let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if value.is_empty() || value.len() > 64 || !value.chars().all(good) {
                out.push(format!(
                    "{key} = \"{value}\": write small letters, digits and - only, at most 64"
                ));
            }
        }
        if self.knowledge.trim().is_empty() {
            out.push("knowledge is empty: write whence the format is known".to_owned());
        }
        if !self.zone.is_empty() && self.zone.parse::<chrono_tz::Tz>().is_err() {
            let told = "is not known; write an IANA name such as Europe/Berlin";
            out.push(format!("zone = \"{}\" {told}", self.zone));
        }
        if !self.csv.separator.is_ascii() {
            out.push("csv.separator must be one ASCII character".to_owned());
        }
        if self.events.is_empty() {
            out.push("there is no [[event]]: nothing would come of an item".to_owned());
        }
        for (n, event) in (1..).zip(&self.events) {
            let entity = event.kind.rsplit_once('.').map_or("", |(entity, _)| entity);
            if !TYPES.iter().any(|(known, _)| *known == entity) {
                let known: Vec<&str> = TYPES.iter().map(|(name, _)| *name).collect();
                out.push(format!(
                    "event {n}: type = \"{}\" is none of {} with a verb",
                    event.kind,
                    known.join(", ")
                ));
            }
            if event.time.is_none() && self.time.is_none() {
                out.push(format!("event {n} ({}) has no time", event.kind));
            }
        }
        out
    }

    /// All expressions with the key under which they stand.
    pub(super) fn expressions(&self) -> Vec<(String, &str)> {
        let mut all = vec![("items".to_owned(), self.items.as_str())];
        for (key, given) in [
            ("id", &self.id),
            ("time", &self.time),
            ("recordedtime", &self.recordedtime),
        ] {
            all.extend(given.as_deref().map(|code| (key.to_owned(), code)));
        }
        for (n, event) in (1..).zip(&self.events) {
            let of = format!("event {n} ({})", event.kind);
            for (key, given) in [
                ("each", &event.each),
                ("when", &event.when),
                ("time", &event.time),
                ("recordedtime", &event.recordedtime),
            ] {
                all.extend(given.as_deref().map(|code| (format!("{of}, {key}"), code)));
            }
            within(&event.data, &format!("{of}, data"), &mut all);
        }
        all
    }
}

/// The expressions in a table, by their paths.
fn within<'t>(table: &'t toml::Table, path: &str, out: &mut Vec<(String, &'t str)>) {
    for (key, value) in table {
        let path = format!("{path}.{key}");
        match value {
            toml::Value::String(code) => out.push((path, code)),
            toml::Value::Table(inner) => within(inner, &path, out),
            _ => {}
        }
    }
}
