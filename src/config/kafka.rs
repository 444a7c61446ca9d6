//! `[[source]]` with `topics`: what is read from Kafka. Secrets come from the environment or from
//! files, never from the configuration itself.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::path::PathBuf;

use callboard_ingest::doors::kafka::message::Adapted;
use callboard_ingest::doors::kafka::{From, KafkaOptions, OWN_SETTINGS, OnGap};
use callboard_ingest::doors::platform::DEFAULT_INSTANCE;
use callboard_ingest::doors::platform::source::SILENT_AFTER;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::Config;
use super::source::Source;
use super::units::Span;

/// Topics of Kafka that are read.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KafkaSource {
    /// Topics.
    pub topics: Vec<String>,
    /// Who reads the messages: `events`, a platform or `mapping:NAME`.
    #[serde(alias = "platform")]
    pub adapter: String,
    /// Servers to begin with, `host:port`.
    pub brokers: Vec<String>,
    /// Name of the source; that of the adapter when missing.
    #[serde(default)]
    pub name: Option<String>,
    /// Consumer group.
    #[serde(default = "group")]
    pub group: String,
    /// Where a partition begins of which nothing was read yet: `earliest` or `latest`.
    #[serde(default)]
    pub from: Option<String>,
    /// What happens when messages are gone that were not read yet: `stop` or `continue`.
    #[serde(default)]
    pub on_gap: Option<String>,
    /// Instance of the platform.
    #[serde(default = "instance", alias = "tenant")]
    pub instance: String,
    /// IANA zone of times that are given without one.
    #[serde(default)]
    pub zone: String,
    /// After so long without a record it is silent.
    #[serde(default)]
    pub silent_after: Option<Span>,
    /// More settings of librdkafka.
    #[serde(default)]
    pub settings: toml::Table,
}

fn group() -> String {
    "callboard".to_owned()
}

fn instance() -> String {
    DEFAULT_INSTANCE.to_owned()
}

/// All `[[source]]`: doors, instances of platforms and connections; and topics.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sources {
    others: Vec<Source>,
    /// Those with topics.
    pub topics: Vec<KafkaSource>,
}

impl Deref for Sources {
    type Target = Vec<Source>;

    fn deref(&self) -> &Vec<Source> {
        &self.others
    }
}

impl<'a> IntoIterator for &'a Sources {
    type Item = &'a Source;
    type IntoIter = std::slice::Iter<'a, Source>;

    fn into_iter(self) -> Self::IntoIter {
        self.others.iter()
    }
}

enum One {
    Other(Box<Source>),
    Topics(Box<KafkaSource>),
}

impl<'de> Deserialize<'de> for One {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(from)?;
        let read = match value.get("topics") {
            Some(_) => value.try_into().map(One::Topics),
            None => value.try_into().map(One::Other),
        };
        read.map_err(|e: toml::de::Error| D::Error::custom(e.message()))
    }
}

impl Sources {
    /// How many there are of all kinds.
    pub fn count(&self) -> usize {
        self.others.len() + self.topics.len()
    }
}

impl<'de> Deserialize<'de> for Sources {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut sources = Sources::default();
        for one in Vec::<One>::deserialize(from)? {
            match one {
                One::Other(source) => sources.others.push(*source),
                One::Topics(source) => sources.topics.push(*source),
            }
        }
        Ok(sources)
    }
}

/// A setting's value, or where it is to be found.
enum Setting {
    Said(String),
    Variable(String),
    File(PathBuf),
}

impl Setting {
    fn value(self) -> Result<String, String> {
        match self {
            Setting::Said(value) => Ok(value),
            Setting::Variable(name) => std::env::var(&name)
                .map_err(|_| format!("the environment variable {name} is not set")),
            Setting::File(path) => std::fs::read_to_string(&path)
                .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
                .map_err(|e| format!("{}: {e}", path.display())),
        }
    }
}

/// Whether a setting holds what nobody should read.
fn is_secret(name: &str) -> bool {
    let words = ["password", "secret", "key.pem", "token", "jaas"];
    words.iter().any(|word| name.contains(word))
}

/// Settings by their full names: `sasl.username` may be written as a name or as tables.
fn flat(table: &toml::Table, before: &str, out: &mut Vec<(String, Setting)>) -> Result<(), String> {
    for (key, value) in table {
        let name = format!("{before}{key}");
        let setting = match value {
            toml::Value::String(text) => Setting::Said(text.clone()),
            toml::Value::Integer(number) => Setting::Said(number.to_string()),
            toml::Value::Boolean(switch) => Setting::Said(switch.to_string()),
            toml::Value::Table(inner) => match found_in(inner) {
                Some(place) => place,
                None => {
                    flat(inner, &format!("{name}."), out)?;
                    continue;
                }
            },
            _ => return Err(format!("setting {name}: write a text, a number or true")),
        };
        out.push((name, setting));
    }
    Ok(())
}

/// `{ env = "NAME" }` or `{ file = "PATH" }`.
fn found_in(table: &toml::Table) -> Option<Setting> {
    let mut all = table.iter();
    let (Some((key, toml::Value::String(text))), None) = (all.next(), all.next()) else {
        return None;
    };
    match key.as_str() {
        "env" => Some(Setting::Variable(text.clone())),
        "file" => Some(Setting::File(text.into())),
        _ => None,
    }
}

impl KafkaSource {
    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.adapter)
    }

    fn from(&self) -> Option<From> {
        match self.from.as_deref() {
            None | Some("earliest") => Some(From::Earliest),
            Some("latest") => Some(From::Latest),
            Some(_) => None,
        }
    }

    fn on_gap(&self) -> Option<OnGap> {
        match self.on_gap.as_deref() {
            None | Some("stop") => Some(OnGap::Stop),
            Some("continue") => Some(OnGap::Continue),
            Some(_) => None,
        }
    }

    fn settings(&self) -> Result<Vec<(String, Setting)>, String> {
        let mut settings = Vec::new();
        flat(&self.settings, "", &mut settings)?;
        for (name, setting) in &settings {
            if OWN_SETTINGS.contains(&name.as_str()) {
                return Err(format!("setting {name} is Callboard's own; leave it away"));
            }
            if is_secret(name) && matches!(setting, Setting::Said(_)) {
                return Err(format!(
                    "setting {name} is a secret; write {{ env = \"NAME\" }} or {{ file = \"PATH\" }}"
                ));
            }
        }
        Ok(settings)
    }

    /// What is wrong with it, without its name.
    fn fault(&self) -> Option<String> {
        let wrong = |what: String| Some(what);
        let empty = |all: &[String]| all.is_empty() || all.iter().any(String::is_empty);
        if self.name().is_empty() || self.name().contains('/') {
            return wrong("name must be a short name without slash".into());
        }
        if Adapted::named(&self.adapter).is_none() {
            return wrong(format!(
                "adapter \"{}\" reads no messages; write events, a platform such as acs, or \
                 mapping:NAME (logs of Asterisk are files: callboard send brings them)",
                self.adapter
            ));
        }
        if empty(&self.topics) || empty(&self.brokers) || self.group.is_empty() {
            return wrong("topics, brokers and group must not be empty".into());
        }
        if self.from().is_none() {
            return wrong("from is neither earliest nor latest".into());
        }
        if self.on_gap().is_none() {
            return wrong("on_gap is neither stop nor continue".into());
        }
        if self.instance.is_empty() || self.instance.contains('/') {
            return wrong("instance must be a short name without slash".into());
        }
        if !self.zone.is_empty() && self.zone.parse::<chrono_tz::Tz>().is_err() {
            return wrong(format!("zone \"{}\" is no IANA zone", self.zone));
        }
        self.settings().err()
    }

    fn options(&self) -> Result<KafkaOptions, String> {
        let named = |what: String| format!("[[source]] \"{}\": {what}", self.name());
        let unknown = || named(self.fault().unwrap_or_default());
        let mut settings = Vec::new();
        for (name, setting) in self.settings().map_err(named)? {
            let value = setting.value();
            let value = value.map_err(|e| named(format!("setting {name}: {e}")))?;
            settings.push((name, value));
        }
        let limits = callboard_ingest::doors::limits::Limits::default();
        Ok(KafkaOptions {
            name: self.name().to_owned(),
            brokers: self.brokers.clone(),
            topics: self.topics.clone(),
            group: self.group.clone(),
            adapter: Adapted::named(&self.adapter).ok_or_else(unknown)?,
            instance: self.instance.clone(),
            zone: self.zone.clone(),
            silent_after: self.silent_after.map_or(SILENT_AFTER, |span| span.0),
            from: self.from().ok_or_else(unknown)?,
            on_gap: self.on_gap().ok_or_else(unknown)?,
            settings,
            record_bytes: limits.record_bytes,
            nesting: limits.nesting,
        })
    }
}

impl Config {
    /// What cannot be meant of topics, one sentence each.
    pub(super) fn topic_faults(&self, faults: &mut Vec<String>) {
        let mut names = BTreeSet::new();
        for source in &self.sources.topics {
            let name = source.name();
            if !names.insert(name) {
                faults.push(format!(
                    "[[source]] \"{name}\" is there twice; give each its own name, positions go by it"
                ));
            }
            if let Some(what) = source.fault() {
                faults.push(format!("[[source]] \"{name}\": {what}"));
            }
        }
    }

    /// Topics to read, with their secrets.
    ///
    /// # Errors
    /// Which secret cannot be had.
    pub fn kafka(&self) -> Result<Vec<KafkaOptions>, String> {
        let mut all = Vec::new();
        for source in &self.sources.topics {
            let mut options = source.options()?;
            options.nesting = self.limits.nesting;
            all.push(options);
        }
        Ok(all)
    }
}

#[cfg(test)]
#[path = "kafka_tests.rs"]
mod tests;
