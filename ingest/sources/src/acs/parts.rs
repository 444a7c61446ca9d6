//! Parts of a contact on their way to statements.

use std::sync::Arc;

use callboard_model::record::{Provenance, rank};
use callboard_model::statement::{F, Statement, Thing, Value};

/// A moment, how exactly it is known, and who says so.
#[derive(Debug, Clone)]
pub struct When {
    /// UTC microseconds.
    pub at: i64,
    /// Precision in microseconds.
    pub precision: u32,
    /// Who says so.
    pub by: Arc<Provenance>,
}

impl When {
    /// The same as a conclusion: anything that is said outranks it.
    pub fn guess(&self) -> When {
        let mut by = (*self.by).clone();
        by.rank = rank::INFERRED;
        When {
            by: Arc::new(by),
            ..*self
        }
    }

    /// Another moment, told by the same record.
    pub fn told(&self, (at, precision): (i64, u32)) -> When {
        When {
            at,
            precision,
            by: self.by.clone(),
        }
    }

    /// The earlier of two.
    pub fn min(a: When, b: When) -> When {
        if b.at < a.at { b } else { a }
    }

    /// The later of two.
    pub fn max(a: When, b: When) -> When {
        if b.at > a.at { b } else { a }
    }
}

/// A segment.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its identity within the contact.
    pub id: String,
    /// Kind, a word of the vocabulary.
    pub kind: &'static str,
    /// Start.
    pub start: Option<When>,
    /// End.
    pub end: Option<When>,
    facts: Vec<(F, Value)>,
    by: Arc<Provenance>,
}

impl Part {
    /// A segment of which a record tells.
    pub fn new(id: String, kind: &'static str, by: &When) -> Part {
        Part {
            id,
            kind,
            start: None,
            end: None,
            facts: Vec::new(),
            by: by.by.clone(),
        }
    }

    /// Adds a text unless it is empty; a later one replaces it.
    pub fn text(&mut self, f: F, value: &str) -> &mut Self {
        if !value.is_empty() {
            self.set(f, Value::text(value));
        }
        self
    }

    /// Adds a value; a later one replaces it.
    pub fn set(&mut self, f: F, value: Value) -> &mut Self {
        self.facts.retain(|(held, _)| *held != f);
        self.facts.push((f, value));
        self
    }

    /// Takes a fact back.
    pub fn drop_fact(&mut self, f: &F) {
        self.facts.retain(|(held, _)| held != f);
    }

    /// A text that was added.
    pub fn get(&self, f: &F) -> &str {
        let found = self.facts.iter().find(|(held, _)| held == f);
        match found {
            Some((_, Value::Text(t))) => t,
            _ => "",
        }
    }

    /// Whether this moment lies in it.
    pub fn covers(&self, at: i64) -> bool {
        let started = self.start.as_ref().is_some_and(|s| s.at <= at);
        started && self.end.as_ref().is_none_or(|e| at <= e.at)
    }

    /// Turns it into statements: each time in the name of the record that tells it.
    pub fn state(self, out: &mut Vec<Statement>) {
        let thing = Thing::Segment(self.id.as_str().into());
        let mut main = Statement::new(thing.clone(), &self.by).text(F::Kind, self.kind);
        main.facts.extend(self.facts);
        out.push(main);
        for (f, when) in [(F::Start, self.start), (F::End, self.end)] {
            if let Some(w) = when {
                let said = Statement::new(thing.clone(), &w.by);
                out.push(said.time(f, w.at, w.precision));
            }
        }
    }
}

/// What is said of the contact itself: the first to say a thing is believed, in order of time.
#[derive(Debug, Default)]
pub struct About(Vec<(F, Value, Arc<Provenance>)>);

impl About {
    /// Says a text unless it is empty or something was said before.
    pub fn text(&mut self, f: F, value: &str, by: &When) {
        if !value.is_empty() {
            self.set(f, Value::text(value), by);
        }
    }

    /// Says a value unless something was said before.
    pub fn set(&mut self, f: F, value: Value, by: &When) {
        if !self.has(&f) {
            self.0.push((f, value, by.by.clone()));
        }
    }

    /// Says an attribute of the platform.
    pub fn attr(&mut self, name: &str, value: &str, by: &When) {
        self.text(F::Attr(name.into()), value, by);
    }

    /// Says a time. A contact began with the first of its jobs, calls and chats, whichever is read
    /// first.
    pub fn time(&mut self, f: F, when: &When) {
        if f == F::Start {
            let later = |v: &Value| matches!(v, Value::Time(at, _) if *at > when.at);
            self.0.retain(|(held, v, _)| *held != f || !later(v));
        }
        self.set(f, Value::Time(when.at, when.precision), when);
    }

    /// Whether something was said.
    pub fn has(&self, f: &F) -> bool {
        self.0.iter().any(|(held, ..)| held == f)
    }

    /// A text that was said.
    pub fn find_text(&self, f: &F) -> Option<String> {
        let found = self.0.iter().find(|(held, ..)| held == f);
        match found {
            Some((_, Value::Text(t), _)) => Some(t.to_string()),
            _ => None,
        }
    }

    /// Turns it into statements.
    pub fn state(self, out: &mut Vec<Statement>) {
        for (f, value, by) in self.0 {
            out.push(Statement::new(Thing::Contact, &by).with(f, value));
        }
    }
}
