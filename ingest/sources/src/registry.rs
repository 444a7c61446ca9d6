//! All formats behind one interpreter: a record says how it is to be read, and the module of that
//! format reads it.

use std::collections::BTreeMap;

use callboard_model::cloudevents;
use callboard_model::ids::Key;
use callboard_model::record::{Interpreter, Record, Refusal, Routing};
use callboard_model::statement::Statement;

use crate::adapter::{self, ADAPTERS};
use crate::asterisk;

/// Format of our own events.
pub const EVENT: &str = "event";

/// Reads every format that Callboard knows.
#[derive(Debug, Default, Clone, Copy)]
pub struct Registry;

impl Interpreter for Registry {
    fn route(&self, record: &Record) -> Result<Routing, Refusal> {
        let format = &*record.format;
        if format == EVENT {
            return cloudevents::read(record);
        }
        if asterisk::Feed::of_format(format).is_some() {
            return asterisk::route(record);
        }
        if let Some(adapter) = adapter::of_format(format) {
            return adapter.route(record);
        }
        let feeds = asterisk::Feed::ALL.map(asterisk::Feed::format);
        let adapters = ADAPTERS.iter().map(|a| a.platform());
        let known: Vec<&str> = feeds.into_iter().chain(adapters).collect();
        Err(Refusal::new(
            "unknown_format",
            format!(
                "format {format:?} is unknown; known are {EVENT}, {}",
                known.join(", ")
            ),
        ))
    }

    fn interpret(&self, key: &Key, set: &[&Record]) -> Vec<Statement> {
        let mut said: Vec<Statement> = Vec::new();
        let mut of_asterisk: Vec<&Record> = Vec::with_capacity(set.len());
        let mut others: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
        for record in set {
            if &*record.format == EVENT {
                // An event that stands among records of another platform still says its own.
                if let Ok(routing) = cloudevents::read(record) {
                    said.extend(routing.statements.unwrap_or_default());
                }
            } else if let Some(adapter) = adapter::of_format(&record.format) {
                others.entry(adapter.platform()).or_default().push(record);
            } else {
                of_asterisk.push(record);
            }
        }
        if !of_asterisk.is_empty() {
            said.extend(asterisk::interpret(key, &of_asterisk));
        }
        for (platform, records) in others {
            if let Some(adapter) = adapter::of_platform(platform) {
                said.extend(adapter.interpret(key, &records));
            }
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_format_is_named_with_the_known_ones() {
        let record = Record {
            source: "/x/y".into(),
            id: "1".into(),
            format: "avaya/cms".into(),
            received_at: 0,
            stamp: std::sync::Arc::default(),
            bytes: b"?".to_vec().into(),
        };
        let refusal = Registry.route(&record).unwrap_err();
        assert_eq!(refusal.class, "unknown_format");
        assert!(refusal.reason.contains("asterisk/queue_log"));
    }
}
