//! Legal erasure: what an erasure is asked for, which names it has erased for good, and how what
//! speaks of them is recognised. What is done about it is in `store::erase` and `lake::erase`.

pub(crate) mod decoded;
pub mod needles;
pub mod values;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use callboard_model::ids::{Key, PlatformId};
use callboard_model::record::{Record, Refusal, RouteKey, Routing};
use callboard_model::statement::{F, Thing, Value};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::store::settled::hash;
use needles::Needles;

/// Class of the dead letter that a record becomes which speaks of what was erased.
pub const CLASS: &str = "erased";

/// Ids shorter than this are too common to be looked for in bytes.
pub(crate) const SHORTEST_ID: usize = 6;

/// What is to be erased.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Addresses and names of the customer, each as the platforms write it.
    #[serde(default)]
    pub customers: Vec<String>,
    /// Contacts, by their id or a platform's.
    #[serde(default)]
    pub contacts: Vec<String>,
}

impl Wish {
    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.customers.is_empty() && self.contacts.is_empty()
    }
}

/// Names of what is erased, as 64-bit hashes: platform ids, contact ids in every form in which they
/// are given, texts of other keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(HashSet<u64>);

impl Names {
    /// Of these hashes.
    #[must_use]
    pub fn of(hashes: impl IntoIterator<Item = u64>) -> Self {
        Names(hashes.into_iter().collect())
    }

    /// Adds a contact by one of its platform ids.
    pub fn add_contact(&mut self, id: &PlatformId) {
        self.0.extend(forms(id).iter().map(|f| hash(f)));
    }

    /// Adds a name: the text of a key, or a contact as it was given.
    pub fn add(&mut self, name: &str) {
        self.0.insert(hash(name));
    }

    /// Adds others.
    pub fn extend(&mut self, others: &Names) {
        self.0.extend(&others.0);
    }

    /// All hashes, ascending.
    #[must_use]
    pub fn hashes(&self) -> BTreeSet<u64> {
        self.0.iter().copied().collect()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this name is among them.
    #[must_use]
    pub fn hold(&self, name: &str) -> bool {
        self.0.contains(&hash(name))
    }

    /// Whether the key of a routing is.
    #[must_use]
    pub fn hold_key(&self, key: &RouteKey) -> bool {
        match key {
            RouteKey::Contact(ids) => ids.iter().any(|id| self.hold(&id.0)),
            RouteKey::Direct(key) => self.hold(&key.text()),
        }
    }

    /// Whether a record speaks of any of them: by its keys, as the other end of a link, or as the
    /// contact of a recording, a note or an answer.
    #[must_use]
    pub fn spoken_of(&self, routing: &Routing) -> bool {
        if self.0.is_empty() {
            return false;
        }
        if routing.keys.iter().any(|key| self.hold_key(key)) {
            return true;
        }
        // A recording whose contact is not stated belongs to the one that its id begins with.
        let begins = routing.keys.iter().any(|key| match key {
            RouteKey::Direct(Key::Recording(id)) => {
                id.split('/').next().is_some_and(|c| self.hold(c))
            }
            _ => false,
        });
        begins || self.told(routing)
    }

    /// Whether a statement names one of them.
    fn told(&self, routing: &Routing) -> bool {
        let statements = routing.statements.iter().flatten();
        for s in statements {
            if let Thing::Link(_, other) = &s.about
                && self.hold(other)
            {
                return true;
            }
            for (fact, value) in &s.facts {
                let named = match (fact, value) {
                    (F::Contact, Value::Text(contact)) => self.hold(contact),
                    (F::Transcript, Value::Text(json)) => {
                        contact_of(json).is_some_and(|c| self.hold(&c))
                    }
                    _ => false,
                };
                if named {
                    return true;
                }
            }
        }
        false
    }
}

/// The contact that a transcript names.
fn contact_of(json: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(json).ok()?;
    value.get("contact_id")?.as_str().map(str::to_owned)
}

/// Every text under which a contact of that platform id can be named.
#[must_use]
pub fn forms(id: &PlatformId) -> [String; 3] {
    [id.to_string(), id.contact_id(), id.native().to_owned()]
}

/// The names that were erased, shared by those who must let nothing of them in again.
#[derive(Debug, Clone, Default)]
pub struct Erased(Arc<RwLock<Arc<Names>>>);

impl Erased {
    /// All of them now.
    #[must_use]
    pub fn names(&self) -> Arc<Names> {
        self.0.read().clone()
    }

    /// Puts others in their place.
    pub fn set(&self, names: Names) {
        *self.0.write() = Arc::new(names);
    }

    /// Why a record must not be taken, if it speaks of what was erased.
    #[must_use]
    pub fn refusal(&self, routing: &Routing) -> Option<Refusal> {
        self.0.read().spoken_of(routing).then(|| {
            Refusal::new(
                CLASS,
                "it speaks of a contact that was erased on request; it is not kept",
            )
        })
    }
}

/// What an erasure has found. It is kept on disk until the erasure is done, because the records
/// from which it was found go first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Platform ids of the contacts.
    pub contacts: BTreeSet<String>,
    /// Texts of the keys of recordings, notes and answers that belong to them.
    pub beside: BTreeSet<String>,
    /// Contacts as they were asked for.
    pub given: BTreeSet<String>,
    /// Other keys that lose a record.
    pub touched: BTreeSet<Key>,
    /// Hashes of the records, written as source and id.
    pub records: BTreeSet<u64>,
    /// Rows that go, by table.
    pub rows: BTreeMap<String, u64>,
    /// Days on which they lie.
    pub days: BTreeSet<i32>,
    /// Length of the recordings, milliseconds.
    pub audio_ms: i64,
}

impl Found {
    /// The names of all that goes.
    #[must_use]
    pub fn names(&self) -> Names {
        let mut names = Names::default();
        for id in &self.contacts {
            names.add_contact(&PlatformId(id.as_str().into()));
        }
        for name in self.beside.iter().chain(&self.given) {
            names.add(name);
        }
        names
    }

    /// How many names it knows: it is complete when looking again adds none.
    #[must_use]
    pub fn size(&self) -> (usize, usize, usize) {
        (self.contacts.len(), self.beside.len(), self.records.len())
    }

    /// The contacts' ids: for each platform id the one that would follow from it alone.
    #[must_use]
    pub fn contact_ids(&self) -> BTreeSet<String> {
        let ids = self.contacts.iter();
        ids.map(|id| PlatformId(id.as_str().into()).contact_id())
            .collect()
    }

    /// Texts that must be nowhere afterwards.
    #[must_use]
    pub fn needles(&self, wish: &Wish) -> Needles {
        let ids = self
            .contacts
            .iter()
            .flat_map(|id| forms(&PlatformId(id.as_str().into())));
        let beside = self
            .beside
            .iter()
            .filter_map(|text| text.split_once(':').map(|(_, id)| id.to_owned()));
        let ids = ids.chain(beside).chain(wish.contacts.iter().cloned());
        let long = ids.filter(|id| id.len() >= SHORTEST_ID);
        Needles::of(wish.customers.iter().cloned().chain(long))
    }
}

/// What an erasure did, and the proof.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Whether it was only looked at what would go.
    pub dry_run: bool,
    /// Ids of the contacts that went, every one that they had.
    pub contacts: Vec<String>,
    /// Records that went.
    pub records: u64,
    /// Rows that went, by table.
    pub rows: BTreeMap<String, u64>,
    /// Length of the recordings that went, seconds.
    pub audio_seconds: i64,
    /// UTC days of which rows went.
    pub days: Vec<String>,
    /// Contacts and agents that keep their rows, made anew without a record that named the erased.
    pub others_made_anew: u64,
    /// Data files that were written anew without these rows.
    pub files_rewritten: u64,
    /// Data files that went: those that were rewritten, and older ones that held such rows.
    pub files_removed: u64,
    /// Files of the tables' own logs that went.
    pub log_files_removed: u64,
    /// Segments of the durable log that went.
    pub segments_removed: u64,
    /// What is left; None of a dry run.
    pub proof: Option<Proof>,
}

impl Report {
    /// Whether nothing was there, and therefore nothing was changed.
    #[must_use]
    pub fn found_nothing(&self) -> bool {
        let went = self.files_rewritten + self.files_removed + self.log_files_removed;
        let none = self.rows.values().all(|rows| *rows == 0);
        let proven = self.proof.as_ref().is_some_and(|p| p.found.is_empty());
        none && proven && went + self.segments_removed == 0
    }
}

/// The search for what should be nowhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Files of which every byte was read.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Texts of tables, of their older files and checkpoints, and of the log, that were decoded.
    pub values: u64,
    /// Where one of the texts is still found.
    pub found: Vec<Hit>,
    /// Ids too short to be looked for in bytes.
    pub too_short: Vec<String>,
}

/// A place at which something is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// File, or file and column.
    pub place: String,
    /// How often.
    pub times: u64,
}

/// The hash under which a record is named.
#[must_use]
pub fn record_name(record: &Record) -> u64 {
    hash(&format!("{} {}", record.source, record.id))
}

/// Ids that [`Found::needles`] leaves out.
#[must_use]
pub fn too_short(found: &Found) -> Vec<String> {
    let ids = found.contact_ids().into_iter();
    ids.filter(|id| id.len() < SHORTEST_ID).collect()
}

#[cfg(test)]
mod tests {
    use callboard_model::statement::Statement;

    use super::*;

    fn routing(key: RouteKey, statements: Vec<Statement>) -> Routing {
        Routing {
            keys: vec![key],
            statements: Some(statements),
            time: None,
        }
    }

    #[test]
    fn what_speaks_of_the_erased_is_known_in_every_form() {
        let id = PlatformId::new("asterisk", "pbx1", "1795253982.23");
        let mut names = Names::default();
        assert!(!names.spoken_of(&routing(RouteKey::Contact(vec![id.clone()]), vec![])));
        names.add_contact(&id);
        assert!(names.spoken_of(&routing(RouteKey::Contact(vec![id]), vec![])));
        let recording = |id: &str| RouteKey::Direct(Key::Recording(id.into()));
        for of_him in [
            "pbx1-1795253982.23/agent",
            "1795253982.23/agent",
            "asterisk/pbx1/1795253982.23",
        ] {
            let own = routing(recording(of_him), vec![]);
            assert_eq!(names.spoken_of(&own), of_him.contains("/agent"), "{of_him}");
        }
        let by = record().provenance(30, None);
        let said = |about: Thing, f: F, text: &str| {
            let s = Statement::new(about, &by).with(f, Value::text(text));
            names.spoken_of(&routing(recording("other/agent"), vec![s]))
        };
        assert!(said(Thing::Note, F::Contact, "pbx1-1795253982.23"));
        assert!(!said(Thing::Note, F::Text, "pbx1-1795253982.23"));
        let json = r#"{"contact_id":"pbx1-1795253982.23"}"#;
        assert!(said(Thing::Recording, F::Transcript, json));
        let link = Thing::Link("transfer".into(), "pbx1-1795253982.23".into());
        assert!(said(link, F::State, ""));
        assert!(!said(
            Thing::Link("transfer".into(), "x".into()),
            F::State,
            ""
        ));
    }

    fn record() -> Record {
        Record {
            source: "/s".into(),
            id: "1".into(),
            format: "event".into(),
            received_at: 0,
            stamp: Arc::default(),
            bytes: b"{}".to_vec().into(),
        }
    }
}
