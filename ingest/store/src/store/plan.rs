//! What a flush writes: all records up to one moment, the rows of keys that have settled, and what
//! they replace.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use callboard_model::ids::{Beside, Key};
use callboard_model::tables::{CorrectionRow, Instant, RecordingRow};
use deltalake::arrow::array::RecordBatch;

use super::{Inner, Store, StoreError, aside};
use crate::lake::{Replace, WritePlan};
use crate::live::Entry;
use crate::live::entry::Made;
use crate::live::keyrows::{KeyRows, tables_of};

/// One key of a plan.
pub(super) struct Planned {
    pub birth: u64,
    pub version: u64,
    /// When its rows were made, UTC microseconds.
    pub made_at: i64,
    pub settle: bool,
    pub days: Vec<i32>,
}

/// So many open keys are looked at, at most, before others may have the lock and the thread.
const AT_ONCE: usize = 512;

/// What a flush writes.
#[derive(Default)]
pub(super) struct Plan {
    pub attempt: i64,
    /// Sequence of the last record of which the plan knows.
    pub upto: u64,
    pub keys: Vec<Planned>,
    pub rows: KeyRows,
    pub replace: BTreeMap<&'static str, Replace>,
    pub corrections: Vec<CorrectionRow>,
    pub records: Vec<RecordBatch>,
    pub dead: Vec<RecordBatch>,
    /// Transaction marks that go with the records: how far their sources were read.
    pub marks: Vec<(String, i64)>,
    /// Names of all keys whose rows may have been written since the flush that counts, by this
    /// plan or by one before, with the days they lie in.
    pub begun: BTreeMap<String, Vec<i32>>,
    /// Contacts that have not ended, and settle because live holds too much.
    pub early: u64,
    /// Recordings without a transcript that do.
    pub untranscribed: u64,
}

/// What is added to a table: its name, the rows, and the marks that go with them.
pub type Appended = (&'static str, WritePlan, Vec<(String, i64)>);

impl Plan {
    /// What is only added: records, with how far their sources were read, and dead letters.
    pub fn appended(&self) -> Vec<Appended> {
        let only = |rows: &[RecordBatch]| WritePlan {
            rows: rows.to_vec(),
            replace: None,
        };
        let both = [
            ("records", &self.records, self.marks.clone()),
            ("dead_letters", &self.dead, Vec::new()),
        ];
        let some = both.into_iter().filter(|(_, rows, _)| !rows.is_empty());
        some.map(|(table, rows, marks)| (table, only(rows), marks))
            .collect()
    }

    /// Says what settles early, once the flush counts.
    pub fn tell(&self) {
        if self.untranscribed > 0 {
            metrics::counter!("callboard_settled_untranscribed_total")
                .increment(self.untranscribed);
            tracing::warn!(
                recordings = self.untranscribed,
                "more recordings wait for their transcript than memory may hold: the oldest were \
                 written to the lake, and get none"
            );
        }
        if self.early > 0 {
            metrics::counter!("callboard_settled_open_total").increment(self.early);
            tracing::warn!(
                contacts = self.early,
                "more is open than memory may hold: contacts that have not ended were written to the \
                 lake, and what is told of them now is seen some seconds late"
            );
        }
    }

    /// When its corrections are made, UTC microseconds; none without any.
    pub fn corrected_at(&self) -> Option<i64> {
        self.corrections.first().map(|c| c.corrected_at.0)
    }
}

/// By what a plan chooses keys.
struct Choice {
    now: i64,
    /// Keys that have not settled too.
    all: bool,
    /// Bytes by which live holds more than it should: so much settles early, the oldest first.
    over: usize,
    /// What may settle early beside that which has ended.
    early: Early,
}

/// What may settle early where live holds too much, each only where all before it is not enough.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Early {
    /// What has ended.
    Ended,
    /// Contacts that have not: they are told late of their end, and of silence never.
    Open,
    /// Recordings that wait for their transcript: they will have none.
    Untranscribed,
}

impl Store {
    /// What to write: the records so far, and the rows of keys as each is when its turn comes.
    /// From then on its rows may be in the lake, whatever becomes of the flush: the key is marked
    /// so, and named in `begun` until a flush counts.
    pub(super) async fn plan(&self, all: bool) -> Result<Option<Plan>, StoreError> {
        let now = self.now();
        let mut plan = Plan::default();
        let (births, over) = {
            let mut inner = self.inner.lock();
            let inner = &mut *inner;
            if inner.torn {
                return Err(StoreError::Torn);
            }
            plan.attempt = inner.attempt + 1;
            plan.upto = inner.folded;
            let [(_, records), (_, dead)] = inner.live.unflushed.upto(plan.upto)?;
            (plan.records, plan.dead) = (records, dead);
            plan.marks = inner.positions.marks();
            inner.live.try_faulty_again();
            // Their ids and names count with this flush, those of later records do not.
            let fresh = std::mem::take(&mut inner.fresh);
            inner.planned.absorb(fresh);
            let births: Vec<u64> = inner.live.entries().map(|(b, _)| b).collect();
            let over = over(inner.live.bytes, self.options.live_bytes);
            (births, over)
        };
        let mut choice = Choice {
            now,
            all,
            over,
            early: Early::Ended,
        };
        let mut made = Vec::new();
        self.choose(&births, &mut plan, &mut choice, &mut made)
            .await;
        for early in [Early::Open, Early::Untranscribed] {
            if choice.over == 0 {
                break;
            }
            choice.early = early;
            let chosen: HashSet<u64> = plan.keys.iter().map(|k| k.birth).collect();
            let rest = births.iter().copied().filter(|b| !chosen.contains(b));
            let rest: Vec<u64> = rest.collect();
            self.choose(&rest, &mut plan, &mut choice, &mut made).await;
        }
        for rows in made {
            plan.rows.extend(&rows);
        }
        if let Some(at) = plan.corrected_at() {
            let ids: HashSet<&str> = plan.corrections.iter().map(|c| c.id.as_str()).collect();
            for row in &mut plan.rows.contacts {
                if ids.contains(row.contact_id.as_str()) {
                    row.corrected_at = Some(Instant(at));
                }
            }
        }
        if plan.keys.is_empty() && plan.records.is_empty() && plan.dead.is_empty() {
            return Ok(None);
        }
        let mut inner = self.inner.lock();
        inner.attempt = plan.attempt;
        plan.begun = inner.begun.clone();
        Ok(Some(plan))
    }

    /// The rows of those keys that the flush is to write: made while others go on, and taken where
    /// nothing was heard of the key meanwhile.
    async fn choose(
        &self,
        births: &[u64],
        plan: &mut Plan,
        choice: &mut Choice,
        made: &mut Vec<Arc<KeyRows>>,
    ) {
        for births in births.chunks(AT_ONCE) {
            let (some, around) = {
                let inner = self.inner.lock();
                let entries = births.iter().filter_map(|birth| {
                    let entry = inner.live.entry(*birth)?;
                    let may = self.may_go(entry, plan, choice);
                    may.then(|| (*birth, entry.clone()))
                });
                (entries.collect::<Vec<_>>(), inner.live.around().clone())
            };
            let made_of = |(birth, entry): (u64, Arc<Entry>)| {
                (birth, entry.version, entry.made(&around, choice.now))
            };
            let rows: Vec<(u64, u64, Made)> = aside(|| some.into_iter().map(made_of).collect());
            {
                let mut inner = self.inner.lock();
                for (birth, version, rows) in rows {
                    made.extend(self.plan_key(&mut inner, plan, (birth, version), rows, choice));
                }
            }
            tokio::task::yield_now().await;
        }
    }

    /// Whether rows of a key may go with this flush, as far as can be said without making them: most
    /// of what is open was heard a moment ago.
    fn may_go(&self, entry: &Entry, plan: &Plan, choice: &Choice) -> bool {
        // Rows must not tell more than the records that count with them.
        let changed = entry.flushed_version != entry.version;
        entry.last_seq <= plan.upto
            && (choice.over > 0
                || self.quiet(entry, choice.now)
                || (entry.stays() || choice.all) && changed)
    }

    /// The rows of a key, if the flush is to write them. `made` are those of that version of it.
    fn plan_key(
        &self,
        inner: &mut Inner,
        plan: &mut Plan,
        (birth, version): (u64, u64),
        made: Made,
        choice: &mut Choice,
    ) -> Option<Arc<KeyRows>> {
        let Choice { now, all, .. } = *choice;
        let entry = inner.live.entry(birth)?;
        if !self.may_go(entry, plan, choice) {
            return None;
        }
        let made = match entry.version == version {
            true => made,
            // It changed without a record: an instance restarted, an hour ended.
            false => entry.made(inner.live.around(), now),
        };
        // It stays open. The lake keeps what it has of it; readers here see neither.
        if made.faulty {
            return None;
        }
        let rows = made.rows.clone();
        let sticky = entry.stays();
        let changed = entry.flushed_version != entry.version;
        let mut settle = !sticky && self.settles(entry, &rows, now);
        let early = self.early(&rows);
        if !settle && !sticky && choice.over > 0 && early <= choice.early {
            choice.over = choice.over.saturating_sub(entry.weight());
            let is_contact = matches!(entry.key, Key::Contact(_));
            plan.early += u64::from(early == Early::Open && is_contact);
            plan.untranscribed += u64::from(early == Early::Untranscribed);
            settle = true;
        }
        if !(settle || (sticky || all) && changed) {
            return None;
        }
        let mut days = entry.lake_days.clone();
        let mut tables = Vec::new();
        for (table, ids) in tables_of(&entry.key, &entry.ids) {
            let own = rows.days(table);
            if entry.in_lake {
                let r = plan.replace.entry(table).or_default();
                r.days.extend(own.iter().chain(&entry.lake_days));
                let since = entry
                    .since
                    .map(|since| ids.iter().map(move |id| (id.clone(), since)));
                r.since.extend(since.into_iter().flatten());
                r.ids.extend(ids);
            }
            if !own.is_empty() {
                tables.push(table.to_owned());
            }
            days.extend(own);
        }
        days.sort_unstable();
        days.dedup();
        if !entry.causes.is_empty() {
            let told = correction(entry, plan.attempt, now, tables);
            plan.corrections.push(told);
        }
        plan.keys.push(Planned {
            birth,
            version: entry.version,
            made_at: made.at,
            settle,
            days: days.clone(),
        });
        if let Some(name) = entry.natives().into_iter().next() {
            inner.begun.insert(name, days.clone());
        }
        if let Some(entry) = inner.live.entry_mut(birth) {
            // A look finds them made; those of a contact take more memory than they cost.
            if sticky {
                entry.keep(&made);
            }
            entry.may_be_in_lake(&days);
        }
        Some(rows)
    }

    /// Whether nothing was heard of it for long enough to settle; some need not wait.
    fn quiet(&self, entry: &Entry, now: i64) -> bool {
        let last = entry.last_received.max(entry.last_sign);
        is_whole(&entry.key) || now.saturating_sub(last) >= self.options.grace
    }

    /// When a key of these rows may settle early.
    fn early(&self, rows: &KeyRows) -> Early {
        let waits = |r: &RecordingRow| r.state == "ready" && r.transcript_state.is_none();
        if self.options.transcribes && rows.recordings.iter().any(waits) {
            return Early::Untranscribed;
        }
        let open = rows.contacts.iter().any(|c| c.state == "open")
            || rows.recordings.iter().any(|r| r.state == "active");
        match open {
            true => Early::Open,
            false => Early::Ended,
        }
    }

    fn settles(&self, entry: &Entry, rows: &KeyRows, now: i64) -> bool {
        let quiet = self.quiet(entry, now);
        match &entry.key {
            Key::Contact(_) => match rows.contacts.first() {
                Some(row) => quiet && row.state != "open",
                None => quiet,
            },
            Key::Recording(_) => rows.recordings.first().is_none_or(|row| {
                quiet
                    && (row.transcript_state.is_some()
                        || !matches!(row.state.as_str(), "ready" | "active"))
            }),
            Key::Note(_) | Key::Survey(_) => true,
            // Measurements come again and again while the contact lasts, and so do pictures of a queue.
            Key::Beside(..) => is_whole(&entry.key) || quiet,
            Key::Agent(..) | Key::Target(_) | Key::Instance(_) => false,
        }
    }
}

/// Bytes of live that settle early. Where it holds too much a quarter of what it may hold is made
/// room: the next flush would follow at once otherwise, and each has its price, however little it writes.
fn over(held: usize, limit: usize) -> usize {
    match held > limit {
        true => held - limit / 4 * 3,
        false => 0,
    }
}

/// Whether one record tells all of it.
fn is_whole(key: &Key) -> bool {
    match key {
        Key::Note(_) | Key::Survey(_) => true,
        Key::Beside(what, _) => !matches!(what, Beside::Measurements | Beside::Figures),
        _ => false,
    }
}

fn correction(entry: &Entry, attempt: i64, now: i64, tables: Vec<String>) -> CorrectionRow {
    let (entity, id) = match &entry.key {
        Key::Contact(least) => ("contact", least.contact_id()),
        Key::Agent(_, agent) => ("agent", agent.to_string()),
        Key::Recording(id) => ("recording", id.to_string()),
        Key::Note(id) => ("note", id.to_string()),
        Key::Survey(id) => ("survey", id.to_string()),
        Key::Target(id) => ("target", id.to_string()),
        Key::Instance(id) => ("instance", id.to_string()),
        Key::Beside(what, id) => (what.as_str(), id.to_string()),
    };
    CorrectionRow {
        correction_id: format!("{attempt}/{id}"),
        entity: entity.to_owned(),
        id,
        corrected_at: Instant(now),
        causes: entry.causes.clone(),
        tables,
        day: Instant(now).day(),
    }
}
