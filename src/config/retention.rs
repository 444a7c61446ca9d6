//! How long rows are kept, and what cannot be meant by it.

use std::time::Duration;

use callboard_model::tables::{QUEUE_TARGETS, RECORDS, TABLES, table};
use callboard_store::live::keyrows::KEYED;
use callboard_store::store::retention::Keep;

use super::Config;

/// The key for tables that are not named.
const DEFAULT: &str = "default";
const DAY: Duration = Duration::from_secs(86_400);

impl Config {
    /// Whole days for which each table is kept; those that are not named are kept for good.
    pub fn keep(&self) -> Keep {
        let default = self.retention.get(DEFAULT);
        let mut keep = Keep::new();
        for spec in TABLES.iter().filter(|t| t.name != QUEUE_TARGETS.name) {
            if let Some(span) = self.retention.get(spec.name).or(default) {
                let days = span.0.as_secs().div_ceil(DAY.as_secs());
                keep.insert(spec.name, i32::try_from(days).unwrap_or(i32::MAX / 2));
            }
        }
        keep
    }

    pub(super) fn retention_faults(&self, faults: &mut Vec<String>) {
        for (name, span) in &self.retention {
            if name == QUEUE_TARGETS.name {
                faults.push("[retention] queue_targets are settings and are not let go of".into());
            } else if name != DEFAULT && table(name).is_none() {
                let known: Vec<_> = TABLES.iter().map(|t| t.name).collect();
                faults.push(format!(
                    "[retention] there is no table {name}; write default or one of {}",
                    known.join(", ")
                ));
            }
            if span.0 < DAY {
                faults.push(format!(
                    "[retention] {name}: rows are kept by whole UTC days; write at least \"1d\""
                ));
            }
        }
        let keep = self.keep();
        let Some(records) = keep.get(RECORDS.name) else {
            return;
        };
        let made = KEYED.iter().map(|spec| spec().name);
        let longer: Vec<&str> = made
            .filter(|name| *name != QUEUE_TARGETS.name)
            .filter(|name| keep.get(name).is_none_or(|days| days > records))
            .collect();
        if !longer.is_empty() {
            faults.push(format!(
                "[retention] records are kept {records} days, and longer than that {}, whose rows are made of records; keep records longer, or these (or default) not as long",
                longer.join(", ")
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::units::Span;

    fn faults(keys: &[(&str, u64)]) -> (Vec<String>, Keep) {
        let span = |days: &u64| Span(DAY * u32::try_from(*days).unwrap());
        let config = Config {
            retention: keys
                .iter()
                .map(|(k, d)| ((*k).to_owned(), span(d)))
                .collect(),
            ..Config::default()
        };
        let mut faults = Vec::new();
        config.retention_faults(&mut faults);
        (faults, config.keep())
    }

    #[test]
    fn records_are_kept_as_long_as_what_is_made_of_them() {
        let (none, keep) = faults(&[
            ("records", 400),
            ("default", 400),
            ("audio", 30),
            ("turns", 90),
        ]);
        assert!(none.is_empty(), "{none:?}");
        assert_eq!(
            (keep["contacts"], keep["audio"], keep["turns"]),
            (400, 30, 90)
        );
        assert!(!keep.contains_key("queue_targets"));
        // What is not made of records may be kept longer.
        assert!(
            faults(&[
                ("records", 40),
                ("default", 40),
                ("audio", 400),
                ("queue_intervals", 4_000)
            ])
            .0
            .is_empty()
        );
        let (some, _) = faults(&[("records", 30), ("default", 400), ("turns", 7)]);
        assert!(
            some[0].contains("contacts") && !some[0].contains("turns"),
            "{some:?}"
        );
        assert!(
            faults(&[("records", 30)]).0[0].contains("segments"),
            "for good is longer"
        );
        let (some, _) = faults(&[("calls", 3), ("audio", 0), ("queue_targets", 9)]);
        assert_eq!(some.len(), 3, "{some:?}");
    }
}
