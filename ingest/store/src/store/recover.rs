//! Start after a stop or a crash: the last flush that counts, the keys open then, and the log.

use std::collections::BTreeMap;
use std::sync::Arc;

use callboard_model::record::RouteKey;
use callboard_model::tables::{AUDIO, DEAD_LETTERS, RECORDS, TABLES};

use super::ending::told_by_log;
use super::{Store, StoreError, checkpoint};
use crate::lake::Lake;
use crate::live::codec::{
    DEAD_LETTER, POSITION, RECORD, decode_dead_letter, decode_position, decode_record,
};
use crate::live::{Live, Routed};

/// Refuses a log that ends before what the state or the lake have of it, and a lake that is newer
/// than the state: numbers would be given out twice, and what came under them taken for known.
///
/// # Errors
/// [`StoreError::Ages`].
pub(super) fn same_age(
    lake: &Lake,
    commit: &checkpoint::Commit,
    intent: &checkpoint::Intent,
    last_seq: u64,
) -> Result<(), StoreError> {
    let ages = |what: String| Err(StoreError::Ages(what));
    if last_seq < commit.upto {
        return ages(format!(
            "the log ends at entry {last_seq}, the state counts up to {}",
            commit.upto
        ));
    }
    let attempt = commit.attempt.max(intent.attempt);
    for spec in TABLES {
        let applied = lake.applied(spec.name)?;
        if [RECORDS.name, DEAD_LETTERS.name].contains(&spec.name) {
            if applied > i64::try_from(last_seq).unwrap_or(i64::MAX) {
                return ages(format!(
                    "the log ends at entry {last_seq}, the table {} has entries up to {applied}",
                    spec.name
                ));
            }
        } else if spec.name != AUDIO.name && applied > attempt {
            return ages(format!(
                "the table {} has flush {applied}, the state knows flushes up to {attempt}",
                spec.name
            ));
        }
    }
    Ok(())
}

/// Marks keys whose rows a flush that did not count may have written: they are replaced.
fn mark_interrupted(live: &mut Live, keys: &BTreeMap<String, Vec<i32>>) {
    for (name, days) in keys {
        if let Some(birth) = live.find(name)
            && let Some(entry) = live.entry_mut(birth)
        {
            entry.may_be_in_lake(days);
            entry.touch();
        }
    }
}

impl Store {
    /// Brings live to where the log ends.
    pub(super) async fn recover(&self) -> Result<(), StoreError> {
        let commit = self.files.commit()?;
        let intent = self.files.intent()?;
        {
            let mut seen = self.seen.lock();
            for name in &commit.seen {
                self.files.read_seen(name, commit.sealed, &mut seen)?;
            }
        }
        {
            let mut inner = self.inner.lock();
            inner.flushed = commit.upto;
            inner.folded = commit.upto;
            inner.attempt = commit.attempt.max(intent.attempt);
            inner.derive_days = commit.derive_days.clone();
            inner.positions = commit.positions.clone();
            let erased = self.lake.erased().names();
            for entry in self.files.read_open(&commit)? {
                if !entry.natives().iter().any(|name| erased.hold(name)) {
                    inner.live.open(entry);
                }
            }
            inner.tables = self.lake.snapshots();
        }
        // Records that the lake has beyond the last flush that counts came with one that did not.
        let in_lake = self.lake.applied("records")?.max(0) as u64;
        let dead_in_lake = self.lake.applied("dead_letters")?.max(0) as u64;
        let from = if commit.attempt == 0 {
            1
        } else {
            commit.replay_from
        };
        for item in self.log.read(from) {
            let (seq, kind, payload) = item?;
            self.replay(seq, kind, &payload, &commit, in_lake, dead_in_lake)?;
        }
        // Rounds of intervals take numbers too, and leave no keys.
        if intent.attempt > commit.attempt && !intent.keys.is_empty() {
            tracing::warn!(
                attempt = intent.attempt,
                keys = intent.keys.len(),
                "the last flush was cut off; its rows are written again"
            );
            let mut inner = self.inner.lock();
            mark_interrupted(&mut inner.live, &intent.keys);
            inner.begun = intent.keys;
        }
        // Until these are resolved the picture is not whole: nobody looks at it before.
        while self.resolve_late().await? > 0 {}
        let inner = self.inner.lock();
        // More than may be held can come back, and is flushed at once.
        if self.load(&inner) > 1.0 {
            self.pressure.notify_one();
        }
        tracing::info!(
            open = inner.live.len(),
            log_to = inner.folded,
            flushed = inner.flushed,
            "recovered"
        );
        self.changes.send_replace(inner.live.version);
        Ok(())
    }

    fn replay(
        &self,
        seq: u64,
        kind: u8,
        payload: &[u8],
        commit: &checkpoint::Commit,
        in_lake: u64,
        dead_in_lake: u64,
    ) -> Result<(), StoreError> {
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        inner.folded = inner.folded.max(seq);
        match kind {
            RECORD => {
                let record = Arc::new(decode_record(payload)?);
                let routing = match self.interpreter.route(&record) {
                    Ok(routing) => routing,
                    // It could be read when it was taken; a program that no longer can keeps it.
                    Err(refusal) => {
                        tracing::warn!(source = %record.source, id = %record.id, %refusal, "a record can no longer be read");
                        return Ok(());
                    }
                };
                // It was taken before it was erased, and the log still had it.
                if self.lake.erased().refusal(&routing).is_some() {
                    return Ok(());
                }
                if seq > commit.upto {
                    self.seen.lock().remember(&record);
                    inner.fresh.note(&record, &routing);
                    let settled = &inner.settled;
                    let routed = Routed {
                        seq,
                        record,
                        routing,
                    };
                    if seq > in_lake {
                        inner.live.fold(routed, &|name| settled.holds(name));
                    } else {
                        inner.live.fold_known(routed, &|name| settled.holds(name));
                    }
                } else if commit.late.contains(&seq) {
                    let routed = Routed {
                        seq,
                        record,
                        routing,
                    };
                    let settled = &inner.settled;
                    inner.live.fold_known(routed, &|name| settled.holds(name));
                } else {
                    // In the lake already: wanted only for keys that were open then. Those that are
                    // always whole on disk know of it; an agent may have forgotten it.
                    let mut routing = routing;
                    routing.keys.retain(|key| match key {
                        RouteKey::Contact(ids) => ids.iter().any(|id| inner.live.holds_contact(id)),
                        RouteKey::Direct(key) => told_by_log(key) && inner.live.holds_key(key),
                    });
                    inner.live.apply(&Routed {
                        seq,
                        record,
                        routing,
                    });
                }
            }
            DEAD_LETTER => {
                if seq > dead_in_lake && seq > commit.upto {
                    inner
                        .live
                        .unflushed
                        .push_dead(seq, decode_dead_letter(payload)?);
                    inner.live.version += 1;
                }
            }
            POSITION => {
                let position = decode_position(payload)?;
                // The flush that counts knows of those before.
                if seq > commit.upto {
                    inner.positions.set(position);
                }
            }
            other => {
                return Err(crate::live::codec::CodecError {
                    kind: other,
                    why: "unknown kind; a newer program wrote it",
                }
                .into());
            }
        }
        Ok(())
    }
}
