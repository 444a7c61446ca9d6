//! The end of a flush: what it leaves behind is written down, and from one moment on it counts.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use callboard_model::ids::Key;

use super::checkpoint::Commit;
use super::open_keys::{self, Keeping};
use super::plan::{Plan, Planned};
use super::settled::Saving;
use super::told::Told;
use super::{Store, StoreError};
use crate::live::Entry;
use crate::live::past::past_days;
use crate::live::seen::SeenIds;
use crate::steps;

/// Files of seen ids are put together when there are more than this.
const SEEN_FILES: usize = 32;

/// So many names are taken for settled at most before others may have the lock.
const NAMES_AT_ONCE: usize = 4096;

impl Store {
    /// Makes the flush count, and takes what settled out of live. The files are written while
    /// nobody is held up; what comes meanwhile stands behind the commit in the log.
    pub(super) fn conclude(&self, commit: &mut Commit, plan: &Plan) -> Result<(), StoreError> {
        let seen = self.put_seen_together(commit, plan.attempt)?;
        let mut ending = self.ending(plan, seen)?;
        ending.next.settled_sums = commit.settled_sums.clone();
        // Files of an older program count until they have been put together.
        ending.next.sealed = commit.sealed || ending.next.seen.is_empty();
        // What was taken for it goes back after a fault too: nobody else knows of these ids and names.
        let write = || self.write_ending(plan, &mut ending, commit);
        let written = catch_unwind(AssertUnwindSafe(write))
            .unwrap_or_else(|_| Err(io::Error::other("a fault ended the writing of state files")));
        self.make_count(commit, plan, ending, written)?;
        self.files.tidy(commit);
        Ok(())
    }

    /// From one moment on the flush counts, and what settled is no longer live.
    fn make_count(
        &self,
        commit: &mut Commit,
        plan: &Plan,
        ending: Ending,
        written: io::Result<()>,
    ) -> Result<(), StoreError> {
        // What is let go of is freed when nobody waits for the lock any more.
        let mut closed: Vec<Arc<Entry>> = Vec::with_capacity(ending.settled.len());
        let (mut begun, mut planned) = (BTreeMap::new(), Told::default());
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        if let Err(error) = written {
            inner.settled.put_back(ending.names);
            inner.planned.ids = ending.ids;
            return Err(error.into());
        }
        for gone in &ending.settled {
            let entry = inner.live.entry(gone.birth);
            if entry.is_some_and(|e| e.version == gone.version) {
                closed.extend(inner.live.close(gone.birth));
                continue;
            }
            // Heard of, or joined to another, after its commit was taken: it stays open, and the
            // log will no longer hold all that it is made of.
            for name in &gone.names {
                let birth = inner.live.find(name);
                if let Some(entry) = birth.and_then(|b| inner.live.entry_mut(b)) {
                    entry.whole_on_disk = true;
                }
            }
        }
        for p in &plan.keys {
            if let Some(entry) = inner.live.entry_mut(p.birth) {
                if p.version == entry.version
                    && !entry.causes.is_empty()
                    && let Some(at) = plan.corrected_at()
                {
                    entry.was_corrected(at);
                }
                entry.flushed_version = p.version;
                entry.flushed_until = p.made_at;
            }
        }
        for (birth, shorter) in ending.forgotten {
            let entry = inner.live.entry_mut(birth);
            if let Some(entry) = entry.filter(|e| e.version == shorter.version) {
                entry.become_shorter(shorter);
            }
        }
        std::mem::swap(&mut inner.begun, &mut begun);
        std::mem::swap(&mut inner.planned, &mut planned);
        inner.live.unflushed.drop_upto(plan.upto, plan.upto);
        inner.flushed = plan.upto;
        let touched = plan.keys.iter().flat_map(|k| k.days.iter().copied());
        inner.deriving.again.extend(touched);
        inner.derive_days = ending.next.derive_days.clone();
        *commit = ending.next;
        self.look_again(inner)
    }

    /// What a flush leaves behind: what is open, taken in one moment, and written down while others go
    /// on.
    fn ending(&self, plan: &Plan, seen: Vec<String>) -> Result<Ending, StoreError> {
        let (entries, late, derive_left, positions) = {
            let inner = self.inner.lock();
            let entries = inner.live.entries();
            (
                entries.map(|(b, e)| (b, e.clone())).collect::<Vec<_>>(),
                inner.live.late.iter().map(|r| r.seq).collect::<Vec<u64>>(),
                inner.derive_days.clone(),
                // Those that came after the plan stand in the log behind it too.
                inner.positions.clone(),
            )
        };
        let planned: HashMap<u64, &Planned> = plan.keys.iter().map(|k| (k.birth, k)).collect();
        let shorter = self.shorter(&entries, &planned);
        let first = self.log.first();
        // Entries as they will be once this flush counts.
        let mut after: Vec<Keeping> = Vec::new();
        let mut settled = Vec::new();
        for (birth, entry) in &entries {
            let written = planned.get(birth).filter(|p| p.version == entry.version);
            if written.is_some_and(|p| p.settle) {
                settled.push(Gone {
                    birth: *birth,
                    version: entry.version,
                    names: entry.natives(),
                });
                continue;
            }
            let told = written.is_some();
            let entry = shorter.get(birth).unwrap_or(entry);
            // The log holds it no more, or would have to be read from far behind.
            let whole = entry.whole_on_disk
                || !told_by_log(&entry.key)
                || entry.first_seq < first
                || self.log.bytes_since(entry.first_seq) > self.options.replay_bytes;
            after.push(Keeping {
                entry,
                causes: if told { &[] } else { &entry.causes },
                corrected_at: match told && !entry.causes.is_empty() {
                    true => plan.corrected_at(),
                    false => entry.corrected_at,
                },
                whole,
            });
        }
        let open = open_keys::encode(&after)?;
        let waiting = late.into_iter().filter(|seq| *seq <= plan.upto);
        let waiting: BTreeSet<u64> = waiting.collect();
        let next = Commit {
            format: 1,
            attempt: plan.attempt,
            upto: plan.upto,
            replay_from: after
                .iter()
                .filter(|kept| !kept.whole && kept.entry.first_seq > 0)
                .map(|kept| kept.entry.first_seq)
                .chain(waiting.first().copied())
                .min()
                .unwrap_or(plan.upto + 1)
                .min(plan.upto + 1),
            seen,
            derive_days: derive_days(&plan.keys, &derive_left),
            late: waiting,
            settled: BTreeMap::new(),
            settled_sums: BTreeMap::new(),
            positions,
            sealed: false,
        };
        self.settle_names();
        let mut inner = self.inner.lock();
        Ok(Ending {
            next,
            open,
            settled,
            forgotten: shorter.into_iter().collect(),
            names: inner.settled.begin(),
            ids: std::mem::take(&mut inner.planned.ids),
        })
    }

    /// Names of planned records are known to be in the lake from here on: some at a time, since there
    /// may be very many.
    fn settle_names(&self) {
        let names = self.inner.lock().planned.names.clone();
        for (day, names) in names {
            let names: Vec<u64> = names.into_iter().collect();
            for some in names.chunks(NAMES_AT_ONCE) {
                let mut inner = self.inner.lock();
                for name in some {
                    inner.settled.add(day, *name);
                }
            }
        }
    }

    /// Agents whose rows are all in the lake once this flush counts, without the days that can be
    /// forgotten then.
    fn shorter(
        &self,
        entries: &[(u64, Arc<Entry>)],
        planned: &HashMap<u64, &Planned>,
    ) -> BTreeMap<u64, Entry> {
        let days = past_days(entries.iter().map(|(_, e)| &**e), self.now());
        let agents = entries.iter().filter_map(|(birth, entry)| {
            let (written, until) = planned
                .get(birth)
                .map_or((entry.flushed_version, entry.flushed_until), |p| {
                    (p.version, p.made_at)
                });
            if written != entry.version {
                return None;
            }
            // A clock that was behind has made no rows of the days since.
            let day = entry.past_day(&days, until, &*self.interpreter)?;
            Some({
                let mut shorter = Entry::clone(entry);
                shorter.forget_before(day, &*self.interpreter);
                (*birth, shorter)
            })
        });
        agents.collect()
    }

    fn write_ending(&self, plan: &Plan, ending: &mut Ending, before: &Commit) -> io::Result<()> {
        self.files.write_open(plan.attempt, &ending.open)?;
        steps::pass("flush.open");
        let counted =
            |day: i32| Some((*before.settled.get(&day)?, *before.settled_sums.get(&day)?));
        let (lengths, sums) = ending.names.write(&counted)?;
        ending.next.settled = lengths;
        ending.next.settled_sums.extend(sums);
        steps::pass("flush.names");
        if !ending.ids.is_empty() {
            let name = format!("seen-{}.bin", plan.attempt);
            self.files.write_seen(&name, &ending.ids)?;
            ending.next.seen.push(name);
        }
        steps::pass("flush.seen");
        self.files.set_commit(&ending.next)?;
        steps::pass("flush.commit");
        Ok(())
    }

    /// The files of seen ids so far, put together into one when there are many. From the files
    /// themselves: memory holds ids too whose records are not durable yet.
    fn put_seen_together(&self, commit: &Commit, attempt: i64) -> Result<Vec<String>, StoreError> {
        if commit.seen.len() < SEEN_FILES {
            return Ok(commit.seen.clone());
        }
        let mut seen = SeenIds::new();
        for name in &commit.seen {
            self.files.read_seen(name, commit.sealed, &mut seen)?;
        }
        let all = seen.all().map(|(s, ids)| (s.clone(), ids)).collect();
        let name = format!("seen-until-{attempt}.bin");
        self.files.write_seen(&name, &all)?;
        Ok(vec![name])
    }
}

/// Whether the log may tell of an open key of this kind after a restart; others are always whole on
/// disk.
pub(super) fn told_by_log(key: &Key) -> bool {
    matches!(key, Key::Contact(_) | Key::Recording(_))
}

/// What a flush leaves behind.
struct Ending {
    next: Commit,
    /// The open keys, encoded.
    open: Vec<u8>,
    settled: Vec<Gone>,
    /// Agents without the days that are forgotten.
    forgotten: Vec<(u64, Entry)>,
    names: Saving,
    ids: BTreeMap<Arc<str>, Vec<(u64, u64)>>,
}

/// A key that has settled: the version that was written, and how it is found.
struct Gone {
    birth: u64,
    version: u64,
    names: Vec<String>,
}

fn derive_days(keys: &[Planned], left: &[i32]) -> Vec<i32> {
    let mut days: Vec<i32> = keys
        .iter()
        .flat_map(|k| k.days.iter().copied())
        .chain(left.iter().copied())
        .collect();
    days.retain(|d| *d > 0);
    days.sort_unstable();
    days.dedup();
    days
}
