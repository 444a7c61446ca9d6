//! Live: every key that has not settled, what is known of it, and its rows.

pub mod around;
pub mod codec;
pub mod entry;
mod fold;
pub mod keyrows;
pub mod past;
mod pending;
mod rowsets;
pub mod seen;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use callboard_model::ids::{Key, PlatformId};
use callboard_model::record::{Interpreter, Record, RouteKey, Routing};
use callboard_model::statement::Thing;

use crate::store::retention::Horizons;

pub use around::Around;
pub use entry::Entry;
pub use pending::Unflushed;
pub use rowsets::{GROUP, Groups, TableMade};

/// A record with what it speaks of, as the fold takes it.
#[derive(Debug, Clone)]
pub struct Routed {
    /// Sequence in the log.
    pub seq: u64,
    /// The record.
    pub record: Arc<Record>,
    /// What it speaks of.
    pub routing: Routing,
}

/// Names by which a routing's keys are found: platform ids, or the text of the key.
pub fn natives(routing: &Routing) -> Vec<String> {
    let mut names = Vec::new();
    for key in &routing.keys {
        match key {
            RouteKey::Contact(ids) => names.extend(ids.iter().map(ToString::to_string)),
            RouteKey::Direct(key) => names.push(key.text()),
        }
    }
    names.sort();
    names.dedup();
    names
}

/// The open keys.
pub struct Live {
    around: Around,
    /// Shared with who looks at them while others go on: what is changed meanwhile is copied first.
    entries: BTreeMap<u64, Arc<Entry>>,
    by_contact: HashMap<PlatformId, u64>,
    by_key: HashMap<Key, u64>,
    by_text: HashMap<String, u64>,
    next_birth: u64,
    /// Changed since the last look.
    dirty: BTreeSet<u64>,
    /// Records that speak of settled keys, waiting to be joined with what the lake has of these: of
    /// their keys only those that have settled.
    pub late: Vec<Routed>,
    /// What is not in the lake yet: records and dead letters.
    pub unflushed: Unflushed,
    /// Bytes of records held in open keys, roughly.
    pub bytes: usize,
    /// Grows with every change.
    pub version: u64,
}

impl Live {
    /// Nothing yet.
    pub fn new(interpreter: Arc<dyn Interpreter>) -> Self {
        Live {
            around: Around::new(interpreter),
            entries: BTreeMap::new(),
            by_contact: HashMap::new(),
            by_key: HashMap::new(),
            by_text: HashMap::new(),
            next_birth: 0,
            dirty: BTreeSet::new(),
            late: Vec::new(),
            unflushed: Unflushed::default(),
            bytes: 0,
            version: 0,
        }
    }

    /// The open contact in which all these ids are one.
    fn contact(&mut self, ids: &[PlatformId], seq: u64) -> Option<u64> {
        let first = ids.first()?;
        let found: BTreeSet<u64> = ids
            .iter()
            .filter_map(|id| self.by_contact.get(id).copied())
            .collect();
        let mut births = found.into_iter();
        let birth = match births.next() {
            Some(birth) => birth,
            None => self.open(Entry::new(Key::Contact(first.clone()), seq)),
        };
        for younger in births {
            if let Some(other) = self.entries.remove(&younger) {
                for id in &other.ids {
                    self.by_contact.insert(id.clone(), birth);
                }
                self.bytes = self.bytes.saturating_sub(other.weight());
                if let Some(entry) = self.entries.get_mut(&birth) {
                    let entry = Arc::make_mut(entry);
                    let before = entry.weight();
                    entry.join(Arc::unwrap_or_clone(other));
                    self.bytes += entry.weight().saturating_sub(before);
                }
                self.dirty.insert(younger);
            }
        }
        for id in ids {
            if self.by_contact.get(id) != Some(&birth) {
                self.by_contact.insert(id.clone(), birth);
            }
            if let Some(entry) = self.entries.get_mut(&birth)
                && !entry.ids.contains(id)
            {
                Arc::make_mut(entry).add_id(id.clone());
            }
        }
        Some(birth)
    }

    fn direct(&mut self, key: &Key, seq: u64) -> u64 {
        match self.by_key.get(key) {
            Some(birth) => *birth,
            None => self.open(Entry::new(key.clone(), seq)),
        }
    }

    /// Opens an entry, joining it with what is open of the same contact.
    pub fn open(&mut self, mut entry: Entry) -> u64 {
        let held: BTreeSet<u64> = entry
            .ids
            .iter()
            .filter_map(|id| self.by_contact.get(id).copied())
            .collect();
        for birth in held {
            if let Some(other) = self.close(birth) {
                entry.join(Arc::unwrap_or_clone(other));
            }
        }
        if let Some(other) = self
            .by_key
            .get(&entry.key)
            .copied()
            .and_then(|b| self.close(b))
        {
            entry.join(Arc::unwrap_or_clone(other));
        }
        let birth = self.next_birth;
        self.next_birth += 1;
        match &entry.key {
            Key::Contact(_) => {
                for id in &entry.ids {
                    self.by_contact.insert(id.clone(), birth);
                }
            }
            key => {
                self.by_key.insert(key.clone(), birth);
                self.by_text.insert(key.text(), birth);
            }
        }
        self.bytes += entry.weight();
        if let Key::Instance(source) = &entry.key {
            let state = entry.state(&*self.around.interpreter);
            let times = state.iter().filter_map(|(thing, _)| match thing {
                Thing::Restart(at) => Some(*at),
                _ => None,
            });
            let source = source.to_string();
            let times = times.collect();
            self.entries.insert(birth, Arc::new(entry));
            self.set_restarts(source, times);
        } else {
            self.entries.insert(birth, Arc::new(entry));
        }
        self.dirty.insert(birth);
        self.version += 1;
        birth
    }

    /// Takes an entry out: it has settled, or is to be put back whole.
    pub fn close(&mut self, birth: u64) -> Option<Arc<Entry>> {
        let entry = self.entries.remove(&birth)?;
        match &entry.key {
            Key::Contact(_) => {
                for id in &entry.ids {
                    if self.by_contact.get(id) == Some(&birth) {
                        self.by_contact.remove(id);
                    }
                }
            }
            key => {
                self.by_key.remove(key);
                self.by_text.remove(&key.text());
            }
        }
        self.bytes = self.bytes.saturating_sub(entry.weight());
        self.dirty.insert(birth);
        self.version += 1;
        Some(entry)
    }

    /// The open entries in order of age.
    pub fn entries(&self) -> impl Iterator<Item = (u64, &Arc<Entry>)> {
        self.entries.iter().map(|(birth, entry)| (*birth, entry))
    }

    /// An open entry.
    pub fn entry(&self, birth: u64) -> Option<&Arc<Entry>> {
        self.entries.get(&birth)
    }

    /// An open entry, to be marked; its rows are made anew when its version grew.
    pub fn entry_mut(&mut self, birth: u64) -> Option<&mut Entry> {
        let entry = self.entries.get_mut(&birth)?;
        self.dirty.insert(birth);
        Some(Arc::make_mut(entry))
    }

    /// Whether a contact is open under this id.
    pub fn holds_contact(&self, id: &PlatformId) -> bool {
        self.by_contact.contains_key(id)
    }

    /// Whether this key is open; for contacts ask by id.
    pub fn holds_key(&self, key: &Key) -> bool {
        self.by_key.contains_key(key)
    }

    /// The entry that is open under a name (platform id or key text).
    pub fn find(&self, native: &str) -> Option<u64> {
        let id = PlatformId(native.into());
        let contact = self.by_contact.get(&id);
        contact.or_else(|| self.by_text.get(native)).copied()
    }

    /// Restarts of an instance, ascending.
    pub fn restarts_of(&self, source: &str) -> Vec<i64> {
        self.around.restarts_of(source).to_vec()
    }

    /// Instances whose restarts are known.
    pub fn instances(&self) -> BTreeSet<String> {
        self.around.instances()
    }

    /// Takes over restarts that are known elsewhere.
    pub fn put_restarts(&mut self, source: String, times: Vec<i64>) {
        self.around
            .put_restarts(source, &times.into_iter().collect());
    }

    /// Days of which no rows are made any more; all open keys make theirs anew.
    pub fn set_horizons(&mut self, horizons: Arc<Horizons>) {
        self.around.horizons = horizons;
        for (birth, entry) in &mut self.entries {
            Arc::make_mut(entry).touch();
            self.dirty.insert(*birth);
        }
        self.version += 1;
    }

    /// On what rows depend beside their keys.
    pub fn around(&self) -> &Around {
        &self.around
    }

    /// Days of which no rows are made.
    pub fn horizons(&self) -> &Arc<Horizons> {
        &self.around.horizons
    }

    /// A live of its own with the same open keys; nothing of what waits.
    pub fn copy(&self) -> Live {
        let mut copy = Live::new(self.around.interpreter.clone());
        copy.around = self.around.clone();
        copy.entries = self.entries.clone();
        copy.by_contact = self.by_contact.clone();
        copy.by_key = self.by_key.clone();
        copy.by_text = self.by_text.clone();
        copy.next_birth = self.next_birth;
        copy
    }

    /// Number of open keys.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is open.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All names under which open keys are found.
    pub fn open_names(&self) -> HashSet<String> {
        let mut names: HashSet<String> = self.by_contact.keys().map(ToString::to_string).collect();
        names.extend(self.by_key.keys().map(Key::text));
        names
    }
}
