//! One table of the lake: opening, writing, and what is known of it.

use std::sync::Arc;

use callboard_model::tables::TableSpec;
use deltalake::arrow::array::RecordBatch;
use deltalake::arrow::datatypes::Schema;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::kernel::{StructField, StructType, Transaction};
use deltalake::protocol::SaveMode;
use deltalake::{DeltaTable, DeltaTableBuilder, DeltaTableError, TableProperty};
use object_store::ObjectStore;
use parking_lot::RwLock;
use tokio::sync::Mutex;
use url::Url;

use super::erase::without_erased;
use super::localstore;
use super::parquet::properties;
use super::rows::{self, Replaced};
use super::upkeep::{LOG_KEPT, commit};
use super::{LakeError, LakeOptions, TableHealth, WritePlan, scan};
use crate::erase::Erased;

/// The writer's own handle.
pub(super) struct Writer {
    pub(super) table: DeltaTable,
    commits: u32,
    /// Whether a write failed so that nobody knows whether it landed.
    pub(super) doubt: bool,
    /// Upkeep found something wrong, and leaves the table alone.
    pub(super) stopped: bool,
    /// When this process last looked for files that nobody needs.
    pub(super) vacuumed: Option<std::time::Instant>,
    /// Version at which it last cut the log.
    pub(super) cut: Option<u64>,
}

struct Known {
    table: DeltaTable,
    applied: i64,
    last_commit: Option<i64>,
    last_error: Option<String>,
}

pub(super) struct LakeTable {
    pub(super) spec: &'static TableSpec,
    pub(super) options: Arc<LakeOptions>,
    location: Url,
    store: Option<Arc<dyn ObjectStore>>,
    application: String,
    pub(super) writer: Mutex<Writer>,
    known: RwLock<Known>,
}

impl LakeTable {
    pub(super) async fn open(
        spec: &'static TableSpec,
        location: Url,
        store: Option<Arc<dyn ObjectStore>>,
        options: Arc<LakeOptions>,
    ) -> Result<Self, LakeError> {
        let fail = |action| move |source| delta(spec, action, source);
        localstore::taken_over(&location).await?;
        let opened = builder(&location, store.as_ref(), &options);
        let mut table = opened.map_err(fail("opening"))?;
        let there = table.verify_deltatable_existence().await;
        if there.map_err(fail("opening"))? {
            table.load().await.map_err(fail("opening"))?;
        } else {
            table = create(spec, table, &options)
                .await
                .map_err(fail("making"))?;
        }
        table = fit(spec, table).await?;
        // Audio is written outside flushes and counts on its own.
        let application = if spec.name == callboard_model::tables::AUDIO.name {
            format!("{}-audio", options.application)
        } else {
            options.application.clone()
        };
        let applied = applied_in(&table, &application)
            .await
            .map_err(fail("reading the last flush"))?;
        Ok(Self {
            spec,
            location,
            store,
            application,
            known: RwLock::new(Known {
                table: table.clone(),
                applied,
                last_commit: None,
                last_error: None,
            }),
            writer: Mutex::new(Writer {
                table,
                commits: 0,
                doubt: false,
                stopped: false,
                vacuumed: None,
                cut: None,
            }),
            options,
        })
    }

    pub(super) fn applied(&self) -> i64 {
        self.known.read().applied
    }

    pub(super) fn published(&self) -> DeltaTable {
        self.known.read().table.clone()
    }

    pub(super) fn failed(&self, error: LakeError) -> LakeError {
        self.known.write().last_error = Some(error.to_string());
        error
    }

    pub(super) fn publish(&self, table: &DeltaTable, applied: Option<i64>) {
        let mut known = self.known.write();
        known.table = table.clone();
        if let Some(applied) = applied {
            known.applied = applied;
        }
        known.last_commit = Some(chrono::Utc::now().timestamp_micros());
        known.last_error = None;
    }

    pub(super) fn health(&self) -> TableHealth {
        let known = self.known.read();
        let mut health = TableHealth {
            table: self.spec.name,
            version: known.table.version().unwrap_or_default(),
            files: 0,
            bytes: 0,
            rows: Some(0),
            applied: known.applied,
            last_commit: known.last_commit,
            last_error: known.last_error.clone(),
        };
        let table = known.table.clone();
        drop(known);
        if let Ok(state) = table.snapshot() {
            for file in state.log_data().iter() {
                health.files += 1;
                health.bytes += u64::try_from(file.size()).unwrap_or_default();
                health.rows = match (health.rows, file.num_records()) {
                    (Some(sum), Some(more)) => Some(sum + more as u64),
                    _ => None,
                };
            }
        }
        health
    }

    /// The last flush in the table, found out anew where a write left doubt.
    pub(super) async fn certain(&self) -> Result<i64, LakeError> {
        let mut writer = self.writer.lock().await;
        self.settle_doubt(&mut writer).await?;
        Ok(self.applied())
    }

    pub(super) async fn settle_doubt(&self, writer: &mut Writer) -> Result<(), LakeError> {
        if writer.doubt {
            let applied = self.reload(writer).await?;
            self.publish(&writer.table, Some(applied));
        }
        Ok(())
    }

    pub(super) async fn write(
        &self,
        flush_no: i64,
        plan: WritePlan,
        marks: &[(String, i64)],
    ) -> Result<bool, LakeError> {
        let mut writer = self.writer.lock().await;
        self.settle_doubt(&mut writer).await?;
        if self.applied() >= flush_no {
            return Ok(false);
        }
        self.write_locked(&mut writer, flush_no, plan, marks)
            .await
            .map_err(|error| self.failed(error))
    }

    /// Adds rows outside flushes, under the next number of the table's own count.
    pub(super) async fn add(&self, plan: WritePlan, erased: &Erased) -> Result<bool, LakeError> {
        let mut writer = self.writer.lock().await;
        self.settle_doubt(&mut writer).await?;
        // Whoever erases has this lock after the names are set: nothing slips in behind him.
        let plan = without_erased(plan, &erased.names());
        let next = self.applied() + 1;
        self.write_locked(&mut writer, next, plan, &[])
            .await
            .map_err(|error| self.failed(error))
    }

    async fn write_locked(
        &self,
        writer: &mut Writer,
        flush_no: i64,
        plan: WritePlan,
        marks: &[(String, i64)],
    ) -> Result<bool, LakeError> {
        let spec = self.spec;
        let bad_rows = |source| LakeError::Rows {
            table: spec.name.to_owned(),
            source,
        };
        let mut batch = rows::sorted(spec, &plan.rows).map_err(bad_rows)?;
        let mut predicate = None;
        if let Some(replace) = plan.replace {
            let replaced = Replaced::of(spec, &batch, replace);
            let days = &replaced.days;
            let texts = replaced
                .ids
                .as_ref()
                .map(|ids| ids.iter().map(String::as_str).collect());
            predicate = match (scan::around_days(days), &texts) {
                (Some(on), None) => Some(on),
                (Some(on), Some(texts)) => scan::around_texts(spec.id, texts).map(|of| on.and(of)),
                (None, _) => None,
            };
            let many = |n: usize| n > scan::LONGEST_LIST;
            if many(days.len()) || texts.is_some_and(|t| many(t.len())) || !replaced.is_plain() {
                // The predicate takes in more than is meant: what it takes too much is put back.
                let pick = |old: RecordBatch| rows::without(spec, &old, &replaced);
                let table = writer.table.clone();
                let mut all = scan::read(spec, table, predicate.clone(), &pick).await?;
                all.push(batch);
                batch = rows::sorted(spec, &all).map_err(bad_rows)?;
            }
        }
        if batch.num_rows() == 0 && predicate.is_none() {
            return Ok(false);
        }
        let own = std::iter::once(Transaction::new(&self.application, flush_no));
        let others = marks.iter().map(|(app, at)| Transaction::new(app, *at));
        let marks = own.chain(others).collect();
        let mut write = writer
            .table
            .clone()
            .write([batch])
            .with_session_state(scan::session(&writer.table))
            .with_writer_properties(properties(spec))
            .with_commit_properties(commit().with_application_transactions(marks));
        write = match predicate {
            Some(predicate) => write
                .with_save_mode(SaveMode::Overwrite)
                .with_replace_where(predicate),
            None => write.with_save_mode(SaveMode::Append),
        };
        match write.await {
            Ok(table) => writer.table = table,
            Err(error) => {
                // The commit may have landed although its answer was lost.
                let landed = self.reload(writer).await;
                match landed {
                    Ok(applied) if applied >= flush_no => {}
                    // It did not, or nobody knows.
                    Ok(_) | Err(_) => return Err(delta(spec, "writing", error)),
                }
            }
        }
        writer.commits += 1;
        if writer.commits >= self.options.reopen_after {
            // The commit stands whatever becomes of this; the old handle still works.
            if let Err(error) = self.reload(writer).await {
                tracing::warn!(table = spec.name, %error, "could not open the table anew");
            }
        }
        self.publish(&writer.table, Some(flush_no));
        metrics::counter!("callboard_lake_commits_total", "table" => spec.name).increment(1);
        Ok(true)
    }

    /// Opens the writer's handle anew; gives the last flush that the table then shows. Where that
    /// fails there is doubt, and whoever writes next opens it first.
    pub(super) async fn reload(&self, writer: &mut Writer) -> Result<i64, LakeError> {
        writer.doubt = true;
        // A name whose sync failed may be seen all the same.
        localstore::taken_over(&self.location).await?;
        let fail = |source| delta(self.spec, "opening again", source);
        let opened = builder(&self.location, self.store.as_ref(), &self.options);
        let mut table = opened.map_err(fail)?;
        table.load().await.map_err(fail)?;
        let applied = applied_in(&table, &self.application).await.map_err(fail)?;
        writer.table = table;
        writer.commits = 0;
        writer.doubt = false;
        Ok(applied)
    }
}

pub(super) fn delta(spec: &TableSpec, action: &'static str, source: DeltaTableError) -> LakeError {
    LakeError::Delta {
        table: spec.name.to_owned(),
        action,
        source: Box::new(source),
    }
}

pub(super) fn builder(
    location: &Url,
    store: Option<&Arc<dyn ObjectStore>>,
    options: &LakeOptions,
) -> Result<DeltaTable, DeltaTableError> {
    let builder = DeltaTableBuilder::from_url(location.clone())?
        .with_storage_options(options.storage_options.clone());
    match store {
        Some(store) => builder.with_storage_backend(Arc::clone(store), location.clone()),
        None => builder,
    }
    .build()
}

pub(super) async fn applied_in(
    table: &DeltaTable,
    application: &str,
) -> Result<i64, DeltaTableError> {
    let version = table
        .snapshot()?
        .transaction_version(table.log_store().as_ref(), application)
        .await?;
    Ok(version.unwrap_or(-1))
}

fn fields(schema: &Schema) -> Result<StructType, DeltaTableError> {
    schema.try_into_kernel().map_err(DeltaTableError::from)
}

async fn create(
    spec: &TableSpec,
    table: DeltaTable,
    options: &LakeOptions,
) -> Result<DeltaTable, DeltaTableError> {
    let columns = fields(&spec.schema())?;
    table
        .create()
        .with_table_name(spec.name)
        .with_comment(spec.comment.trim())
        .with_columns(columns.fields().cloned())
        .with_partition_columns(["day"])
        .with_configuration_property(
            TableProperty::CheckpointInterval,
            Some(options.checkpoint_interval.to_string()),
        )
        .with_configuration_property(TableProperty::LogRetentionDuration, Some(LOG_KEPT))
        .with_save_mode(SaveMode::Ignore)
        .await
}

/// Adds columns that a newer program knows; refuses any other difference.
async fn fit(spec: &'static TableSpec, table: DeltaTable) -> Result<DeltaTable, LakeError> {
    let odd = |reason: String| LakeError::Schema {
        table: spec.name.to_owned(),
        reason,
    };
    let fail = |source| delta(spec, "comparing columns", source);
    let wanted = fields(&spec.schema()).map_err(fail)?;
    let there = table.snapshot().map_err(fail)?.schema();
    let mut missing: Vec<StructField> = Vec::new();
    for field in wanted.fields() {
        match there.field(field.name()) {
            Some(found) if found.data_type() == field.data_type() => {}
            Some(found) => {
                return Err(odd(format!(
                    "column {} is {:?} there and {:?} here",
                    field.name(),
                    found.data_type(),
                    field.data_type()
                )));
            }
            None if field.is_nullable() => missing.push(field.clone()),
            None => return Err(odd(format!("column {} is missing there", field.name()))),
        }
    }
    if missing.is_empty() {
        return Ok(table);
    }
    tracing::info!(table = spec.name, columns = missing.len(), "adding columns");
    table
        .add_columns()
        .with_fields(missing)
        .with_commit_properties(commit())
        .await
        .map_err(|source| delta(spec, "adding columns", source))
}
