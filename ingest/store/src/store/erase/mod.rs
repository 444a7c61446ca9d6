//! Erasing a customer: every record that speaks of his contacts goes, and with them every row, sound
//! and dead letter; the tables' older versions, the log's segments and the state's files are made
//! anew where they hold any of it; in the end all of it is searched.
//!
//! It is written down first and finished after a crash. Every step may be taken again.

mod find;
pub(crate) mod ledger;
mod others;
mod picks;
mod prove;

use std::collections::BTreeMap;
use std::time::Duration;

use callboard_model::tables::{Day, RECORDS};

use self::ledger::{Done, Ledger, Pending};
use self::picks::{Picks, tables};
use super::checkpoint::{Commit, Intent};
use super::plan::Plan;
use super::{Store, StoreError};
use crate::erase::{Found, Names, Report, SHORTEST_ID, Wish, too_short};
use crate::steps;

/// Rounds of looking again for what came while names were being shut out.
const ROUNDS: usize = 8;
/// Pause before it is looked again whether everything appended was taken in.
const PAUSE: Duration = Duration::from_millis(5);

impl Store {
    /// Erases a customer's contacts, or only says what would go. Flushes wait meanwhile. Where nothing
    /// is found nothing is changed: what goes takes the tables' earlier versions with it.
    ///
    /// # Errors
    /// [`StoreError`]; one that has begun is gone on with at the next call, or at the next start.
    pub async fn erase(&self, wish: Wish, dry_run: bool) -> Result<Report, StoreError> {
        let mut commit = self.flushing.lock().await;
        let commit = &mut *commit;
        self.flush_locked(commit, false).await?;
        if dry_run {
            let found = self.looked_for(&wish).await?;
            return Ok(Report {
                dry_run,
                ..report(&found)
            });
        }
        // What was cut off comes first: its names are known only to the ledger.
        self.go_on(commit).await?;
        if let Some(report) = self.nothing_of(&wish, commit).await? {
            return Ok(report);
        }
        let state = self.folder.state();
        let mut ledger = ledger::read(&state)?;
        ledger.pending = Some(Pending {
            wish,
            asked_at: self.now(),
            ..Pending::default()
        });
        ledger.write(&state)?;
        steps::pass("erase.wished");
        self.carry_through(commit, ledger).await
    }

    /// What would go.
    async fn looked_for(&self, wish: &Wish) -> Result<Found, StoreError> {
        let mut found = Found::default();
        self.find(wish, &mut found).await?;
        let picks = Picks::new(wish, &found, self.interpreter.clone());
        self.count(&picks, &mut found).await?;
        Ok(found)
    }

    /// The report where nothing would go, and no byte of what is kept names him. Contacts that were
    /// named are shut out from here on, so that none comes in behind the search.
    async fn nothing_of(
        &self,
        wish: &Wish,
        commit: &mut Commit,
    ) -> Result<Option<Report>, StoreError> {
        if wish.contacts.is_empty() {
            return self.nothing_found(wish, commit).await;
        }
        let state = self.folder.state();
        let mut ledger = ledger::read(&state)?;
        let before = ledger.names();
        let given = Found {
            given: wish.contacts.iter().cloned().collect(),
            ..Found::default()
        };
        ledger.add(&given.names());
        self.shut_out(ledger.names());
        let nothing = match self.nothing_found(wish, commit).await {
            Ok(Some(report)) => ledger.write(&state).map(|()| Some(report)),
            // The whole way shuts out whoever is found.
            Ok(None) => Ok(None),
            Err(error) => {
                self.shut_out(before);
                return Err(error);
            }
        };
        Ok(nothing?)
    }

    /// Nothing of whoever has one of these names is taken in any more.
    fn shut_out(&self, names: Names) {
        // Whoever appends looks at the names under this lock.
        let _appending = self.seen.lock();
        self.lake.erased().set(names);
    }

    async fn nothing_found(
        &self,
        wish: &Wish,
        commit: &mut Commit,
    ) -> Result<Option<Report>, StoreError> {
        self.caught_up().await?;
        self.flush_locked(commit, false).await?;
        let found = self.looked_for(wish).await?;
        let needles = found.needles(wish);
        // Ids that are too short are looked for by columns alone, not in the tables' past.
        let short = wish.contacts.iter().any(|id| id.len() < SHORTEST_ID);
        if short || needles.is_empty() || found.rows.values().any(|rows| *rows > 0) {
            return Ok(None);
        }
        let proof = self.prove(&needles).await?;
        let report = Report {
            proof: Some(proof),
            ..report(&found)
        };
        let nothing = report.found_nothing();
        Ok(Some(report).filter(|_| nothing))
    }

    /// Whether an erasure has begun and is not done.
    ///
    /// # Errors
    /// When what is known of it cannot be read.
    pub fn erasing(&self) -> Result<bool, StoreError> {
        Ok(ledger::read(&self.folder.state())?.pending.is_some())
    }

    /// Finishes an erasure that was cut off; None where there is none.
    ///
    /// # Errors
    /// [`StoreError`]; it is tried again at the next call.
    pub async fn finish_erasure(&self) -> Result<Option<Report>, StoreError> {
        if !self.erasing()? {
            return Ok(None);
        }
        let mut commit = self.flushing.lock().await;
        self.go_on(&mut commit).await
    }

    async fn go_on(&self, commit: &mut Commit) -> Result<Option<Report>, StoreError> {
        let ledger = ledger::read(&self.folder.state())?;
        if ledger.pending.is_none() {
            return Ok(None);
        }
        tracing::warn!("an erasure that was cut off is gone on with");
        self.carry_through(commit, ledger).await.map(Some)
    }

    /// Does all of it; the ledger says what.
    async fn carry_through(
        &self,
        commit: &mut Commit,
        mut ledger: Ledger,
    ) -> Result<Report, StoreError> {
        let state = self.folder.state();
        let Some(mut pending) = ledger.pending.take() else {
            return Ok(Report::default());
        };
        // Nothing new of him comes in from here on; what came meanwhile is looked for again.
        for _ in 0..ROUNDS {
            self.flush_locked(commit, false).await?;
            let before = pending.found.names();
            self.find(&pending.wish, &mut pending.found).await?;
            let names = pending.found.names();
            if names == before {
                break;
            }
            ledger.add(&names);
            self.write_down(&mut ledger, &pending)?;
            self.shut_out(ledger.names());
            steps::pass("erase.found");
            self.caught_up().await?;
        }
        let picks = Picks::new(&pending.wish, &pending.found, self.interpreter.clone());
        if !pending.counted {
            self.count(&picks, &mut pending.found).await?;
            pending.counted = true;
            self.write_down(&mut ledger, &pending)?;
        }
        let mut report = report(&pending.found);
        for spec in tables() {
            let out = self
                .lake
                .take_out(spec.name, picks.present(spec.name))
                .await?;
            report.files_rewritten += out.files;
            steps::pass("erase.table");
        }
        let others = self.others_anew(&pending.found).await?;
        report.others_made_anew = others.len() as u64;
        self.forget_live(&picks.names, &pending.found, others)?;
        steps::pass("erase.live");
        report.segments_removed = self.renew_log(commit).await?;
        steps::pass("erase.log");
        self.forget_watched(&pending)?;
        for spec in tables() {
            let past = self.lake.forget(spec.name, picks.past(spec.name)).await?;
            report.files_removed += past.files;
            report.log_files_removed += past.log_files;
            steps::pass("erase.past");
        }
        {
            let mut inner = self.inner.lock();
            self.look_again(&mut inner)?;
        }
        // Pictures of earlier moments were made while he was there.
        *self.earlier.lock().await = Default::default();
        ledger.pending = None;
        ledger.done.push(Done {
            asked_at: pending.asked_at,
            done_at: self.now(),
            rows: pending.found.rows.clone(),
        });
        ledger.write(&state)?;
        steps::pass("erase.done");
        let needles = pending.found.needles(&pending.wish);
        let mut proof = self.prove(&needles).await?;
        proof.too_short = too_short(&pending.found);
        tracing::info!(
            contacts = report.contacts.len(),
            records = report.records,
            left = proof.found.len(),
            "erased"
        );
        report.proof = Some(proof);
        Ok(report)
    }

    fn write_down(&self, ledger: &mut Ledger, pending: &Pending) -> Result<(), StoreError> {
        ledger.pending = Some(pending.clone());
        ledger.write(&self.folder.state())?;
        Ok(())
    }

    /// Waits until everything that was appended so far has been taken in.
    async fn caught_up(&self) -> Result<(), StoreError> {
        let next = || async { Ok::<_, StoreError>(self.log.append(Vec::new()).await?.start) };
        let end = next().await?;
        loop {
            // Numbers that could not be written are given out again.
            let end = end.min(next().await?);
            let folded = self.inner.lock().folded;
            if folded + 1 >= end {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Takes the names out of memory, puts in what others are without them, and lets the intervals
    /// of these days be made anew.
    fn forget_live(
        &self,
        names: &Names,
        found: &Found,
        others: Vec<others::Other>,
    ) -> Result<(), StoreError> {
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        for name in found.contacts.iter().chain(&found.beside) {
            while let Some(birth) = inner.live.find(name) {
                inner.live.close(birth);
            }
        }
        // Of its keys only those that have settled wait; who is erased may be another.
        inner.live.late.retain(|late| {
            let routing = self.interpreter.route(&late.record);
            !routing.is_ok_and(|routing| names.spoken_of(&routing))
        });
        inner.begun.retain(|name, _| !names.hold(name));
        for other in others {
            self.put_anew(inner, other)?;
        }
        inner.deriving.cut_off();
        inner.derive_days.extend(&found.days);
        inner.derive_days.sort_unstable();
        inner.derive_days.dedup();
        self.look_again(inner)
    }

    /// Flushes everything, with all that is open whole on disk, so that no older byte of the log and
    /// of the state is needed any more; gives how many segments went.
    async fn renew_log(&self, commit: &mut Commit) -> Result<u64, StoreError> {
        let before = self.log.durable_files().len();
        let begin = self.log.roll().await?;
        self.caught_up().await?;
        for _ in 0..ROUNDS {
            for _ in 0..ROUNDS {
                if self.resolve_late().await? == 0 {
                    break;
                }
            }
            {
                let mut inner = self.inner.lock();
                let births: Vec<u64> = inner.live.entries().map(|(birth, _)| birth).collect();
                for birth in births {
                    if let Some(entry) = inner.live.entry_mut(birth) {
                        entry.whole_on_disk = true;
                    }
                }
            }
            let plan = match self.plan(true).await? {
                Some(plan) => plan,
                None => self.empty_plan(),
            };
            self.carry_out(commit, &plan).await?;
            if self.log.first() >= begin {
                break;
            }
        }
        if self.log.first() < begin {
            return Err(StoreError::Io(std::io::Error::new(
                std::io::ErrorKind::ResourceBusy,
                "late records kept the log from being cut; the erasure is gone on with at the next start or call",
            )));
        }
        // It named the keys of the flush that counts by now.
        self.files.set_intent(&Intent {
            attempt: commit.attempt,
            keys: BTreeMap::new(),
        })?;
        self.derive_now(commit, Duration::MAX).await;
        let after = self.log.durable_files().len();
        Ok((before + 1).saturating_sub(after) as u64)
    }

    /// A flush of nothing, which counts all the same.
    fn empty_plan(&self) -> Plan {
        let mut inner = self.inner.lock();
        inner.attempt += 1;
        Plan {
            attempt: inner.attempt,
            upto: inner.folded,
            begun: inner.begun.clone(),
            ..Plan::default()
        }
    }
}

/// What is known before anything went.
fn report(found: &Found) -> Report {
    let day = |day: &i32| callboard_model::time::format_rfc3339(Day(*day).start().0);
    let days = found.days.iter().map(|d| day(d).chars().take(10).collect());
    Report {
        contacts: found.contact_ids().into_iter().collect(),
        records: found.rows.get(RECORDS.name).copied().unwrap_or(0),
        rows: found.rows.clone(),
        audio_seconds: found.audio_ms / 1_000,
        days: days.collect(),
        ..Report::default()
    }
}
