//! One open key: what is known of it, and the rows that follow.

use std::borrow::Cow;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use callboard_model::ids::{Key, PlatformId};
use callboard_model::merge::State;
use callboard_model::record::{Interpreter, Record};
use callboard_model::rows;
use callboard_model::statement::{F, Statement, Thing, Value};
use callboard_model::tables::{Day, Instant};

use super::around::Around;
use super::keyrows::{KeyRows, rows_of};

/// No segment counts as lost before it was silent for so long, microseconds.
const SHORTEST_AGE: i64 = 5 * 60 * 1_000_000;

/// A record beside its bytes.
const RECORD_BYTES: usize = 200;
/// An entry with its places in the indexes and its rows, beside what it holds.
const ENTRY_BYTES: usize = 1_500;

/// An open key.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key; a contact's names the least of its ids.
    pub key: Key,
    /// Platform ids of a contact.
    pub ids: Vec<PlatformId>,
    /// What the records that stand alone say.
    pub alone: State,
    /// Records that are interpreted together.
    pub set: Vec<Arc<Record>>,
    /// Identity and content of `set`, so that a repeat is not kept twice.
    known: HashSet<(u64, u64)>,
    /// Sequence in the log of its oldest record.
    pub first_seq: u64,
    /// Sequence in the log of its youngest record.
    pub last_seq: u64,
    /// The last time that any of its records states, UTC microseconds.
    pub last_sign: i64,
    /// Grows with every change.
    pub version: u64,
    /// Whether rows of it are in the lake already and must be replaced.
    pub in_lake: bool,
    /// Late records that changed it after it had settled, as source and id.
    pub causes: Vec<String>,
    /// Day of its rows in the lake, where they are.
    pub lake_days: Vec<i32>,
    /// When its last record was received, UTC microseconds.
    pub last_received: i64,
    /// Version whose rows are in the lake, for keys that never settle.
    pub flushed_version: u64,
    /// Until when these rows tell of what lasted, UTC microseconds.
    pub flushed_until: i64,
    /// Whether the log alone does not tell it, so that a checkpoint must hold it whole.
    pub whole_on_disk: bool,
    /// The UTC day from which on an agent's states are held; rows of days before stand in the lake
    /// alone.
    pub since: Option<i32>,
    /// The day before which its records could not be divided, tried once.
    pub undivided: Option<i32>,
    /// When a correction of it last went to the lake while it stayed open, UTC microseconds.
    pub corrected_at: Option<i64>,
    /// Bytes that `alone` and `set` hold, roughly.
    held: usize,
    rows: Option<(u64, Made)>,
}

/// Rows of an entry as it is.
#[derive(Debug, Clone)]
pub struct Made {
    /// The rows.
    pub rows: Arc<KeyRows>,
    /// When they were made: what lasts is told until then, UTC microseconds.
    pub at: i64,
    /// When those of an agent change by the clock alone: his pulse fails then, UTC microseconds.
    pub silent_from: Option<i64>,
    /// Whether there are none because a fault ended their making.
    pub faulty: bool,
}

impl Entry {
    /// A key of which nothing is known yet.
    pub fn new(key: Key, first_seq: u64) -> Self {
        let ids = match &key {
            Key::Contact(id) => vec![id.clone()],
            _ => Vec::new(),
        };
        Entry {
            key,
            ids,
            alone: State::default(),
            set: Vec::new(),
            known: HashSet::new(),
            first_seq,
            last_seq: first_seq,
            last_sign: i64::MIN,
            version: 1,
            in_lake: false,
            causes: Vec::new(),
            lake_days: Vec::new(),
            last_received: i64::MIN,
            flushed_version: 0,
            flushed_until: i64::MIN,
            whole_on_disk: false,
            since: None,
            undivided: None,
            corrected_at: None,
            held: 0,
            rows: None,
        }
    }

    /// Takes a record in: its own statements if it stands alone, else the record itself.
    pub fn take(&mut self, record: &Arc<Record>, alone: Option<&[Statement]>, time: Option<i64>) {
        match alone {
            Some(statements) => {
                for statement in statements {
                    if !self.is_past(statement) {
                        self.held += self.alone.apply(statement);
                    }
                }
            }
            None => {
                if !self
                    .known
                    .insert((record.identity_hash(), record.content_hash()))
                {
                    return;
                }
                self.held += record.bytes.len() + RECORD_BYTES;
                self.set.push(record.clone());
            }
        }
        self.last_sign = self.last_sign.max(time.unwrap_or(i64::MIN));
        self.last_received = self.last_received.max(record.received_at);
        self.version += 1;
    }

    /// Whether a statement speaks of a day of which only the lake knows.
    pub fn is_past(&self, statement: &Statement) -> bool {
        let at = statement.facts.iter().find_map(|(f, value)| match value {
            Value::Time(at, _) if *f == F::At => Some(*at),
            _ => None,
        });
        match (self.since, at) {
            (Some(since), Some(at)) => Instant(at).day().0 < since,
            _ => false,
        }
    }

    /// Forgets what an agent did before that day, whose rows are in the lake. What is interpreted
    /// together stays where it does not say the same without a part of it.
    pub fn forget_before(&mut self, day: i32, interpreter: &dyn Interpreter) {
        if self.since.is_some_and(|since| since >= day) {
            return;
        }
        if !self.set.is_empty() {
            let Some(needed) = self.needed_from(day, interpreter) else {
                self.undivided = Some(day);
                return;
            };
            self.hold_only(needed);
        }
        rows::forget_before(&mut self.alone, Day(day).start().0);
        self.since = Some(day);
        self.lake_days.retain(|d| *d >= day);
        self.rows = None;
        self.weigh();
    }

    /// Forgets what a copy of the same version has forgotten, which was made while others went on.
    pub fn become_shorter(&mut self, shorter: Entry) {
        self.alone = shorter.alone;
        self.set = shorter.set;
        self.known = shorter.known;
        self.held = shorter.held;
        self.since = shorter.since;
        self.undivided = shorter.undivided;
        self.lake_days = shorter.lake_days;
        self.rows = None;
    }

    /// Joins another entry of the same contact in.
    pub fn join(&mut self, other: Entry) {
        self.alone.join(&other.alone);
        for record in other.set {
            if self
                .known
                .insert((record.identity_hash(), record.content_hash()))
            {
                self.set.push(record);
            }
        }
        for id in other.ids {
            self.add_id(id);
        }
        self.first_seq = self.first_seq.min(other.first_seq);
        self.last_seq = self.last_seq.max(other.last_seq);
        self.last_sign = self.last_sign.max(other.last_sign);
        self.last_received = self.last_received.max(other.last_received);
        self.whole_on_disk |= other.whole_on_disk;
        // Where one of them knows all, both together do.
        self.since = self.since.min(other.since);
        self.in_lake |= other.in_lake;
        self.corrected_at = self.corrected_at.max(other.corrected_at);
        self.causes.extend(other.causes);
        self.lake_days.extend(other.lake_days);
        self.version += other.version;
        self.weigh();
    }

    /// Adds a platform id; the key names the least.
    pub fn add_id(&mut self, id: PlatformId) {
        if !self.ids.contains(&id) {
            self.ids.push(id);
            self.ids.sort_by(PlatformId::order);
            if let (Key::Contact(_), Some(least)) = (&self.key, self.ids.first()) {
                self.key = Key::Contact(least.clone());
            }
            self.version += 1;
        }
    }

    /// Says that rows of it are, or may be, in the lake, on these days.
    pub fn may_be_in_lake(&mut self, days: &[i32]) {
        self.in_lake = true;
        self.lake_days.extend(days);
        self.lake_days.sort_unstable();
        self.lake_days.dedup();
    }

    /// A correction of it is in the lake; what it says of itself says so from then on.
    pub fn was_corrected(&mut self, at: i64) {
        self.corrected_at = Some(at);
        self.causes.clear();
        self.rows = None;
    }

    /// Restores what a checkpoint kept.
    pub fn restore_set(&mut self, records: Vec<Arc<Record>>) {
        self.hold_only(records);
        self.version += 1;
        self.weigh();
    }

    fn hold_only(&mut self, records: Vec<Arc<Record>>) {
        self.known = records
            .iter()
            .map(|r| (r.identity_hash(), r.content_hash()))
            .collect();
        self.set = records;
    }

    fn weigh(&mut self) {
        let set = self.set.iter().map(|r| r.bytes.len() + RECORD_BYTES);
        self.held = self.alone.weight() + set.sum::<usize>();
    }

    /// The merged state of all that is known.
    pub fn state(&self, interpreter: &dyn Interpreter) -> State {
        self.merged(interpreter).into_owned()
    }

    /// As [`Entry::state`]; copied only where records are interpreted together.
    pub(super) fn merged(&self, interpreter: &dyn Interpreter) -> Cow<'_, State> {
        if self.set.is_empty() {
            return Cow::Borrowed(&self.alone);
        }
        let mut state = self.alone.clone();
        let set: Vec<&Record> = self.set.iter().map(AsRef::as_ref).collect();
        for s in interpreter.interpret(&self.key, &set) {
            state.apply(&s);
        }
        Cow::Owned(state)
    }

    /// The instance whose restarts end what is open here.
    pub fn instance(&self, state: &State) -> Option<String> {
        match &self.key {
            Key::Contact(_) => state.get(&Thing::Contact).and_then(|f| f.owned(&F::Source)),
            Key::Agent(source, _) => Some(source.to_string()),
            _ => None,
        }
    }

    /// The rows, made anew when anything changed since, and kept.
    pub fn rows(&mut self, around: &Around, now: i64) -> Arc<KeyRows> {
        let made = self.made(around, now);
        self.keep(&made);
        made.rows
    }

    /// The rows, made anew when anything changed since they were kept. Where a fault in the program
    /// ends their making there are none, and that is noted: others must not wait for this key.
    pub fn made(&self, around: &Around, now: i64) -> Made {
        if let Some((version, made)) = &self.rows
            && *version == self.version
        {
            return made.clone();
        }
        let made = catch_unwind(AssertUnwindSafe(|| self.make(around, now)));
        around.note_faulty(&self.key, made.is_err());
        made.unwrap_or_else(|_| {
            tracing::error!(
                key = self.key.name(),
                "a fault in the program ended the making of its rows: it is left out of every figure \
                 until this is mended; its records are kept, and each flush tries again"
            );
            Made {
                rows: Arc::default(),
                at: now,
                silent_from: None,
                faulty: true,
            }
        })
    }

    fn make(&self, around: &Around, now: i64) -> Made {
        let state = self.merged(&*around.interpreter);
        let silent_from = match self.key {
            Key::Agent(..) => rows::silent_from(&state),
            _ => None,
        };
        let instance = self.instance(&state);
        let restarts = instance
            .as_deref()
            .map_or(&[][..], |i| around.restarts_of(i));
        let mut rows = rows_of(&self.key, &self.ids, &state, restarts, now);
        if let Some(since) = self.since {
            rows.agent_states.retain(|row| row.day.0 >= since);
        }
        let kept = &around.horizons;
        if !kept.is_empty() {
            rows.keep(|table, day| kept.keeps(table, day));
        }
        for row in &mut rows.contacts {
            row.corrected_at = self.corrected_at.map(Instant);
        }
        Made {
            rows: Arc::new(rows),
            at: now,
            silent_from,
            faulty: false,
        }
    }

    /// Keeps rows that were made of it as it is.
    pub fn keep(&mut self, made: &Made) {
        self.rows = Some((self.version, made.clone()));
    }

    /// Forgets the rows, so that they are made anew.
    pub fn touch(&mut self) {
        self.version += 1;
    }

    /// Names under which records of this key are found: its platform ids, or the key itself.
    pub fn natives(&self) -> Vec<String> {
        match &self.key {
            Key::Contact(_) => self.ids.iter().map(ToString::to_string).collect(),
            key => vec![key.text()],
        }
    }

    /// Whether nothing was heard of this contact for longer than any of its kind lasts, and nobody
    /// has said so yet. A cheap first look; the rows decide.
    pub fn silent_since(&self, now: i64) -> bool {
        let known = self.alone.silence().unwrap_or(i64::MIN);
        self.last_sign > i64::MIN
            && now.saturating_sub(self.last_sign) > SHORTEST_AGE
            && now.saturating_sub(known) > SHORTEST_AGE
    }

    /// Whether it stays open for good: agents, targets, instances.
    pub fn stays(&self) -> bool {
        matches!(self.key, Key::Agent(..) | Key::Target(_) | Key::Instance(_))
    }

    /// A rough size in bytes, for the limit on what is live; nothing for what stays, since no
    /// flush can make room there.
    pub fn weight(&self) -> usize {
        if self.stays() {
            return 0;
        }
        ENTRY_BYTES + self.held
    }
}
