//! All formats behind one interpreter: a record says how it is to be read, and the module of that
//! format reads it.

use callboard_model::cloudevents;
use callboard_model::ids::Key;
use callboard_model::record::{Interpreter, Record, Refusal, Routing};
use callboard_model::statement::Statement;

use crate::asterisk;

/// Format of our own events.
pub const EVENT: &str = "event";

/// Reads every format that Callboard knows.
#[derive(Debug, Default, Clone, Copy)]
pub struct Registry;

impl Interpreter for Registry {
    fn route(&self, record: &Record) -> Result<Routing, Refusal> {
        match &*record.format {
            EVENT => cloudevents::read(record),
            format if asterisk::Feed::of_format(format).is_some() => asterisk::route(record),
            other => Err(Refusal::new(
                "unknown_format",
                format!(
                    "format {other:?} is unknown; known are {EVENT}, {}",
                    asterisk::Feed::ALL.map(asterisk::Feed::format).join(", ")
                ),
            )),
        }
    }

    fn interpret(&self, key: &Key, set: &[&Record]) -> Vec<Statement> {
        let mut said: Vec<Statement> = Vec::new();
        let mut together: Vec<&Record> = Vec::with_capacity(set.len());
        for record in set {
            if &*record.format == EVENT {
                // An event that stands among records of another platform still says its own.
                if let Ok(routing) = cloudevents::read(record) {
                    said.extend(routing.statements.unwrap_or_default());
                }
            } else {
                together.push(record);
            }
        }
        if !together.is_empty() {
            said.extend(asterisk::interpret(key, &together));
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
