//! Measurements and platforms' own figures as statements, in the names that
//! [`measures`](callboard_model::measures) lists.

use std::sync::Arc;

use callboard_model::cloudevents::figures_id;
use callboard_model::ids::{Beside, Key};
use callboard_model::measures;
use callboard_model::record::Provenance;
use callboard_model::statement::{F, Statement, Thing, Value};

/// A quarter of an hour, microseconds.
const QUARTER: i64 = 900_000_000;

/// Whose measurement it is, when it was measured, and who says so.
#[derive(Debug, Clone, Copy)]
pub struct Measured<'a> {
    /// Platform and instance.
    pub source: &'a str,
    /// Whose side; empty = nobody in particular.
    pub who: &'a str,
    /// UTC microseconds.
    pub at: i64,
    /// Who says so.
    pub by: &'a Arc<Provenance>,
}

impl Measured<'_> {
    /// A measurement, in the unit of its name; nothing where there is no number.
    pub fn says(&self, name: &str, value: Option<f64>) -> Option<Statement> {
        self.says_in(name, measures::of_name(name).map_or("", |m| m.unit), value)
    }

    /// The same in a unit of the platform's own.
    pub fn says_in(&self, name: &str, unit: &str, value: Option<f64>) -> Option<Statement> {
        let value = value.filter(|v| v.is_finite())?;
        let thing = Thing::Measurement(self.source.into(), self.who.into(), name.into(), self.at);
        let s = Statement::new(thing, self.by)
            .with(F::Number, Value::Float(value))
            .text(F::Unit, unit);
        Some(s)
    }
}

/// The key of a contact's measurements that other records than its own tell.
pub fn key_of(contact_id: &str) -> Key {
    Key::Beside(Beside::Measurements, contact_id.into())
}

/// A platform's figures of one scope and span.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// What they are of: `queue:NAME`, other words, or empty for all.
    pub scope: String,
    /// Start, UTC microseconds with precision; nothing for a picture of one moment.
    pub start: Option<(i64, u32)>,
    /// End, or the moment.
    pub end: Option<(i64, u32)>,
    /// Name, unit, value.
    pub values: Vec<(String, &'static str, f64)>,
}

impl Figures {
    /// Adds one, where there is a number.
    pub fn add(&mut self, name: impl Into<String>, unit: &'static str, value: Option<f64>) {
        if let Some(value) = value.filter(|v| v.is_finite()) {
            self.values.push((name.into(), unit, value));
        }
    }

    /// The key that they stand under. Of pictures of a moment, which some platforms give many times a
    /// minute, the last of each quarter of an hour stands.
    pub fn key(&self, source: &str) -> Key {
        let us = |t: Option<(i64, u32)>| t.map(|t| t.0);
        let end = match self.start {
            Some(_) => us(self.end),
            None => us(self.end).map(|end| end.div_euclid(QUARTER) * QUARTER),
        };
        let id = figures_id(source, &self.scope, us(self.start), end);
        Key::Beside(Beside::Figures, id.as_str().into())
    }

    /// What is said of each.
    pub fn says(&self, source: &str, by: &Arc<Provenance>) -> Vec<Statement> {
        let one = |(name, unit, value): &(String, &'static str, f64)| {
            let mut s = Statement::new(Thing::Item(name.as_str().into()), by)
                .text(F::Source, source)
                .text(F::Scope, &self.scope)
                .text(F::Unit, unit)
                .with(F::Number, Value::Float(*value));
            for (f, time) in [(F::Start, self.start), (F::End, self.end)] {
                if let Some((us, precision)) = time {
                    s = s.time(f, us, precision);
                }
            }
            s
        };
        self.values.iter().map(one).collect()
    }
}
