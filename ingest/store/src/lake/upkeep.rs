//! Keeping tables quick to read: few files, short logs, no files that nobody needs. Done by the
//! writer itself, so that it never races with a flush.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::time::Instant;

use callboard_model::tables::AUDIO;
use deltalake::kernel::transaction::CommitProperties;
use deltalake::operations::vacuum::VacuumMode;
use deltalake::{DeltaTable, DeltaTableError, FilterOp, FilterValue};
use object_store::ObjectStoreExt;
use object_store::path::Path;

use super::LakeError;
use super::parquet::properties;
use super::scan::session;
use super::table::{LakeTable, Writer, delta};
use crate::steps;

/// How long a table's log is kept: as long as files that older versions need, by default.
pub(super) const LOG_KEPT: &str = "interval 7 days";

/// How commits are made. Upkeep alone cuts a table's log: a commit that is left to itself lists the
/// whole log for that each time, and costs more than the one before.
pub(super) fn commit() -> CommitProperties {
    CommitProperties::default().with_cleanup_expired_logs(Some(false))
}

/// Audio is never put together beyond this, bytes: its files are rewritten for every erasure.
const AUDIO_TARGET: u64 = 256 << 20;

/// What one round did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// Days whose files were put together.
    pub days: usize,
    /// Files before and after, of the whole table.
    pub files_before: usize,
    /// See `files_before`.
    pub files_after: usize,
    /// Files removed because no kept version needs them.
    pub removed: usize,
}

/// Files and rows of one day.
#[derive(Default, PartialEq, Eq, Debug, Clone, Copy)]
struct Day {
    small: usize,
    files: usize,
    rows: usize,
    /// Files that do not say how many rows they have.
    silent: usize,
}

impl LakeTable {
    pub(super) async fn maintain(&self) -> Result<Upkeep, LakeError> {
        let mut writer = self.writer.lock().await;
        if writer.stopped {
            return Ok(Upkeep::default());
        }
        // What was put together without an answer would be put together again, beside it.
        self.settle_doubt(&mut writer).await?;
        let looked = writer.vacuumed;
        let result = self.maintain_locked(&mut writer).await;
        if let Ok(done) = &result
            && done.days == 0
            && looked == writer.vacuumed
        {
            return result.map_err(|error| self.failed(error));
        }
        // Whatever happened, go on from what the table now is.
        let reloaded = self.reload(&mut writer).await;
        if let Ok(applied) = reloaded {
            self.publish(&writer.table, Some(applied));
        }
        match result {
            Ok(done) => reloaded.map(|_| done).map_err(|error| self.failed(error)),
            Err(error) => {
                writer.stopped = matches!(error, LakeError::Broken { .. });
                Err(self.failed(error))
            }
        }
    }

    async fn maintain_locked(&self, writer: &mut Writer) -> Result<Upkeep, LakeError> {
        let fail = |action| move |source| delta(self.spec, action, source);
        let target = if self.spec.name == AUDIO.name {
            self.options.target_bytes.min(AUDIO_TARGET)
        } else {
            self.options.target_bytes
        };
        let target = NonZeroU64::new(target.max(1)).unwrap_or(NonZeroU64::MIN);
        let before = days(&writer.table, target).map_err(fail("counting files"))?;
        let mut done = Upkeep {
            files_before: before.values().map(|day| day.files).sum(),
            ..Upkeep::default()
        };
        let packed = self.put_together(writer, target, &before, &mut done).await;
        if let Err(broken @ LakeError::Broken { .. }) = packed {
            // Of what it was made of nothing may go.
            return Err(broken);
        }
        let looked = writer.vacuumed.map(|at| at.elapsed());
        if looked.is_none_or(|ago| ago >= self.options.vacuum_every) {
            // Also where files cannot be put together, or the log not be cut: nobody else does it.
            let cut = match writer.table.version() != writer.cut {
                true => self.cut(writer).await,
                false => Ok(()),
            };
            done.removed = self.vacuum(writer).await.map_err(fail("removing files"))?;
            steps::pass("upkeep.vacuum");
            writer.vacuumed = Some(Instant::now());
            cut?;
        }
        packed?;
        done.files_after = days(&writer.table, target)
            .map_err(fail("counting files"))?
            .values()
            .map(|day| day.files)
            .sum();
        Ok(done)
    }

    /// Puts the files of days together that have many small ones.
    async fn put_together(
        &self,
        writer: &mut Writer,
        target: NonZeroU64,
        before: &BTreeMap<String, Day>,
        done: &mut Upkeep,
    ) -> Result<(), LakeError> {
        let fail = |action| move |source| delta(self.spec, action, source);
        let due: Vec<&str> = before
            .iter()
            .filter(|(_, day)| day.small > self.options.small_files)
            .map(|(name, _)| name.as_str())
            .collect();
        if due.is_empty() {
            return Ok(());
        }
        done.days = due.len();
        let filter = [("day", FilterOp::In, FilterValue::Set(due))];
        let (table, _) = writer
            .table
            .clone()
            .optimize()
            .with_session_state(session(&writer.table))
            .with_filters(&filter)
            .with_target_size(target)
            .with_max_concurrent_tasks(1)
            .with_writer_properties(properties(self.spec))
            .with_commit_properties(commit())
            .await
            .map_err(fail("putting files together"))?;
        let after = days(&table, target).map_err(fail("counting files"))?;
        self.same_rows(before, &after)?;
        steps::pass("upkeep.compacted");
        writer.table = table;
        Ok(())
    }

    /// Writes a checkpoint and cuts the table's log before it. Both cost as much as the log is long,
    /// so they are not part of every round; commits write checkpoints of their own now and then.
    async fn cut(&self, writer: &mut Writer) -> Result<(), LakeError> {
        let fail = |action| move |source| delta(self.spec, action, source);
        deltalake::checkpoints::create_checkpoint(&writer.table, None)
            .await
            .map_err(fail("writing a checkpoint"))?;
        steps::pass("upkeep.checkpoint");
        deltalake::checkpoints::cleanup_metadata(&writer.table, None)
            .await
            .map_err(fail("cutting the table's log"))?;
        steps::pass("upkeep.cut");
        writer.cut = writer.table.version();
        Ok(())
    }

    fn same_rows(
        &self,
        before: &BTreeMap<String, Day>,
        after: &BTreeMap<String, Day>,
    ) -> Result<(), LakeError> {
        for (name, old) in before {
            let new = after.get(name).copied().unwrap_or_default();
            if old.silent == 0 && (new.silent > 0 || new.rows != old.rows) {
                return Err(LakeError::Broken {
                    table: self.spec.name.to_owned(),
                    reason: format!(
                        "putting files together changed day {name} from {} to {} rows",
                        old.rows, new.rows
                    ),
                });
            }
        }
        Ok(())
    }

    async fn vacuum(&self, writer: &mut Writer) -> Result<usize, DeltaTableError> {
        let retention = chrono::Duration::from_std(self.options.retention)
            .unwrap_or(chrono::Duration::hours(168));
        let enforce = retention >= chrono::Duration::hours(168);
        let step = |dry: bool| {
            writer
                .table
                .clone()
                .vacuum()
                .with_retention_period(retention)
                .with_enforce_retention_duration(enforce)
                // Also files of writes that never became a commit.
                .with_mode(VacuumMode::Full)
                .with_dry_run(dry)
        };
        // A round writes two commits even when there is nothing to do, and counts files that
        // went long ago: so look first.
        let (_, found) = step(true).await?;
        let store = writer.table.object_store();
        let mut there = 0;
        for path in &found.files_deleted {
            let path = Path::parse(path).unwrap_or_else(|_| Path::from(path.as_str()));
            match store.head(&path).await {
                Ok(_) => there += 1,
                Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if there > 0 {
            steps::pass("upkeep.removing");
            let (table, _) = step(false).await?;
            steps::pass("upkeep.removed");
            writer.table = table;
        }
        Ok(there)
    }
}

/// What each day of the table consists of.
fn days(table: &DeltaTable, target: NonZeroU64) -> Result<BTreeMap<String, Day>, DeltaTableError> {
    let mut days: BTreeMap<String, Day> = BTreeMap::new();
    for file in table.snapshot()?.log_data().iter() {
        let name = file
            .partition_values_map()
            .remove("day")
            .flatten()
            .unwrap_or_default();
        let day = days.entry(name).or_default();
        day.files += 1;
        if u64::try_from(file.size()).unwrap_or_default() < target.get() / 2 {
            day.small += 1;
        }
        match file.num_records() {
            Some(rows) => day.rows += rows,
            None => day.silent += 1,
        }
    }
    Ok(days)
}
