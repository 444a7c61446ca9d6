//! A mapping file made into two programs: one from a document to its items, one from an item to its
//! identity and events.

use std::fmt::Write as _;

use chrono_tz::Tz;
use jaq_json::Val;
use serde::Deserialize;
use serde_json::Value;

use super::file::{EventRule, MappingFile};
use super::jq::{self, Bounds, Program, Stop};
use crate::payload::fingerprint;

/// What the expressions of one item may do.
pub const OF_AN_ITEM: Bounds = Bounds {
    steps: 500_000,
    outputs: 1_000,
    bytes: 1024 * 1024,
};

/// A mapping that can be run.
#[derive(Debug)]
pub struct Mapping {
    /// What was written.
    pub file: MappingFile,
    /// Hash of the file's bytes.
    pub hash: String,
    items: Option<Program>,
    events: Program,
}

/// What an item tells, before its events are made whole.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Told {
    /// What it is known by; empty = its bytes.
    pub id: String,
    /// Events, each with the number of its rule from 0.
    pub events: Vec<(usize, Value)>,
}

#[derive(Deserialize)]
struct Output {
    #[serde(default)]
    id: Value,
    rule: Option<usize>,
    #[serde(default)]
    event: Value,
}

impl Mapping {
    /// Reads and compiles a file.
    ///
    /// # Errors
    /// What is wrong with it, a sentence each, with the place.
    pub fn parse(text: &str) -> Result<Mapping, Vec<String>> {
        let file = MappingFile::parse(text)?;
        let mut faults = Vec::new();
        let definitions = format!("{}\n.", file.functions);
        let all = file.expressions();
        let all = all.iter().map(|(key, code)| (key.as_str(), *code));
        for (key, code) in all.chain([("functions", definitions.as_str())]) {
            for (at, told) in jq::check(code).err().unwrap_or_default() {
                faults.push(format!("{key}: {told} {}", place(code, at.start)));
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let items = match file.items.trim() {
            "." => None,
            code => {
                let mut whole = Text::new(&file);
                whole.add("items", code);
                Some(whole.compile()?)
            }
        };
        let events = item_program(&file).compile()?;
        Ok(Mapping {
            hash: fingerprint(text.as_bytes()),
            file,
            items,
            events,
        })
    }

    /// The items of a document that are told by an expression: their JSON. `None` where every
    /// document is an item.
    pub(super) fn items_of(
        &self,
        document: &[u8],
        zone: Tz,
    ) -> Option<(Vec<Vec<u8>>, Option<Stop>)> {
        let program = self.items.as_ref()?;
        let bounds = Bounds {
            steps: OF_AN_ITEM.steps + document.len() as u64,
            outputs: 1_000_000,
            bytes: 4 * document.len() + OF_AN_ITEM.bytes,
        };
        Some(match jq::value(document) {
            Ok(value) => program.run(value, zone, bounds),
            Err(told) => (Vec::new(), Some(Stop::Error(told))),
        })
    }

    /// What an item tells.
    ///
    /// # Errors
    /// Why its events cannot be told.
    pub(super) fn tell(&self, item: &[u8], zone: Tz) -> Result<Told, Stop> {
        let value: Val = jq::value(item).map_err(Stop::Error)?;
        let (outputs, stop) = self.events.run(value, zone, OF_AN_ITEM);
        if let Some(stop) = stop {
            return Err(stop);
        }
        let mut told = Told::default();
        for bytes in outputs {
            let output: Output = serde_json::from_slice(&bytes).map_err(|e| {
                Stop::Error(format!(
                    "an event that JSON cannot say (not a number?): {e}"
                ))
            })?;
            match output.rule {
                Some(rule) => told.events.push((rule, output.event)),
                None => told.id = identity(&output.id, self.file.id.is_some())?,
            }
        }
        Ok(told)
    }

    /// The zone of times without one.
    pub(super) fn zone(&self, declared: &str) -> Tz {
        [declared, &self.file.zone]
            .iter()
            .find(|z| !z.is_empty())
            .and_then(|z| z.parse().ok())
            .unwrap_or(Tz::UTC)
    }

    /// The rule of that number.
    pub(super) fn rule(&self, number: usize) -> Option<&EventRule> {
        self.file.events.get(number)
    }
}

fn identity(id: &Value, wanted: bool) -> Result<String, Stop> {
    match id {
        Value::String(s) if !s.trim().is_empty() => Ok(s.trim().to_owned()),
        Value::Number(n) => Ok(n.to_string()),
        _ if !wanted => Ok(String::new()),
        _ => Err(Stop::Error(
            "id: it is empty or no text; an item must be known by something that lasts".to_owned(),
        )),
    }
}

/// Where in a text a byte is.
fn place(code: &str, at: usize) -> String {
    let before = code.get(..at).unwrap_or(code);
    let line = before.matches('\n').count() + 1;
    let rest: String = code.get(at..).unwrap_or("").chars().take(30).collect();
    match rest.trim() {
        "" => "at the end".to_owned(),
        rest if code.contains('\n') => format!("in line {line} of it at: {rest}"),
        rest => format!("at: {rest}"),
    }
}

/// The text of a program, and which key each part of it came from.
struct Text {
    code: String,
    parts: Vec<(usize, usize, String)>,
}

impl Text {
    fn new(file: &MappingFile) -> Self {
        let mut text = Text {
            code: String::new(),
            parts: Vec::new(),
        };
        text.add("functions", &file.functions);
        text.code.push('\n');
        text
    }

    fn add(&mut self, key: &str, code: &str) {
        let from = self.code.len();
        // A comment at the end of an expression must not swallow what follows.
        let _ = writeln!(self.code, "{code}");
        self.parts.push((from, self.code.len(), key.to_owned()));
    }

    /// The first output of an expression, or null; an error names the key.
    fn value(&mut self, key: &str, label: &str, code: &str) {
        self.code.push_str("first((try (");
        self.add(key, code);
        let label = Value::from(format!("{label}: "));
        let _ = write!(self.code, ") catch error({label} + (.|tostring))), null)");
    }

    fn table(&mut self, table: &toml::Table, key: &str, label: &str) {
        self.code.push('{');
        for (n, (name, value)) in table.iter().enumerate() {
            if n > 0 {
                self.code.push(',');
            }
            let _ = write!(self.code, "{}:", Value::from(name.as_str()));
            let (key, label) = (format!("{key}.{name}"), format!("{label}.{name}"));
            match value {
                toml::Value::String(code) => self.value(&key, &label, code),
                toml::Value::Table(inner) => self.table(inner, &key, &label),
                // Numbers and truth values say themselves.
                other => self.code.push_str(&plain(other)),
            }
        }
        self.code.push('}');
    }

    fn compile(self) -> Result<Program, Vec<String>> {
        Program::compile(&self.code).map_err(|faults| {
            let told = faults.into_iter().map(|(at, told)| {
                let part = self
                    .parts
                    .iter()
                    .find(|(from, to, _)| (*from..*to).contains(&at.start));
                match part {
                    Some((from, to, key)) => {
                        let code = self.code.get(*from..*to).unwrap_or("").trim_end();
                        format!("{key}: {told} {}", place(code, at.start - from))
                    }
                    None => told,
                }
            });
            told.collect()
        })
    }
}

fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::Integer(n) => n.to_string(),
        toml::Value::Float(n) => Value::from(*n).to_string(),
        toml::Value::Boolean(b) => b.to_string(),
        _ => "null".to_owned(),
    }
}

/// `{id}` first, then `{rule, event}` of every event.
fn item_program(file: &MappingFile) -> Text {
    let mut text = Text::new(file);
    text.code.push_str(". as $item | {id: ");
    match &file.id {
        Some(code) => text.value("id", "id", code),
        None => text.code.push_str("null"),
    }
    text.code.push('}');
    for (n, event) in file.events.iter().enumerate() {
        let of = format!("event {} ({})", n + 1, event.kind);
        let each = event.each.as_deref().unwrap_or(".");
        text.code.push_str(",\n(((");
        text.add(&format!("{of}, each"), each);
        text.code.push_str("))");
        if let Some(when) = &event.when {
            text.code.push_str(" | select(");
            text.value(&format!("{of}, when"), &format!("{of}, when"), when);
            text.code.push(')');
        }
        let _ = write!(text.code, " | {{rule: {n}, event: {{time: ");
        match event.time.as_ref().or(file.time.as_ref()) {
            Some(code) => text.value(&format!("{of}, time"), &format!("{of}, time"), code),
            None => text.code.push_str("null"),
        }
        if let Some(code) = event.recordedtime.as_ref().or(file.recordedtime.as_ref()) {
            let key = format!("{of}, recordedtime");
            text.code.push_str(", recordedtime: ");
            text.value(&key, &key, code);
        }
        text.code.push_str(", data: ");
        text.table(&event.data, &format!("{of}, data"), &format!("{of}, data"));
        text.code.push_str("}})");
    }
    text
}
