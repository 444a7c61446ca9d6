//! Taking rows out of a table's present version, file by file and without saying whose they were.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use callboard_model::tables::{AUDIO, TableSpec};
use deltalake::DeltaTableError;
use deltalake::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Date32Array, RecordBatch};
use deltalake::arrow::compute::{cast, filter_record_batch, not};
use deltalake::arrow::datatypes::{DataType, Field, Schema};
use deltalake::arrow::error::ArrowError;
use deltalake::kernel::Action;
use deltalake::kernel::transaction::CommitBuilder;
use deltalake::parquet::arrow::ProjectionMask;
use deltalake::parquet::arrow::arrow_reader::{
    ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use deltalake::protocol::DeltaOperation;
use deltalake::writer::{DeltaWriter as _, RecordBatchWriter};
use futures::FutureExt as _;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};

use super::parquet::properties;
use super::table::{LakeTable, Writer, delta};
use super::upkeep::commit;
use super::{Lake, LakeError, WritePlan, rows, scan};
use crate::erase::{Erased, Names};

/// Which rows of a batch go.
pub(crate) type Goes = Arc<dyn Fn(&RecordBatch) -> BooleanArray + Send + Sync>;

/// What goes of the files of a day.
pub(super) enum Take {
    /// Nothing.
    Nothing,
    /// Everything: nobody looks at it.
    All,
    /// Some rows.
    Rows(Goes),
}

/// What was taken out of a table's present version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TakenOut {
    /// Rows.
    pub rows: u64,
    /// Files that were written anew without them.
    pub files: u64,
}

impl Lake {
    /// What must not be let in again.
    #[must_use]
    pub fn erased(&self) -> &Erased {
        &self.erased
    }

    /// Shows every row of a table, batch by batch.
    ///
    /// # Errors
    /// [`LakeError`].
    pub(crate) async fn each(
        &self,
        table: &str,
        tell: &(dyn Fn(&RecordBatch) + Sync),
    ) -> Result<(), LakeError> {
        let table = self.table(table)?;
        let pick = |batch: RecordBatch| {
            tell(&batch);
            Ok(batch.slice(0, 0))
        };
        scan::read(table.spec, table.published(), None, &pick).await?;
        Ok(())
    }

    /// Takes rows out of a table's present version, in one commit.
    ///
    /// # Errors
    /// [`LakeError`]; the table is as before or without them.
    pub(crate) async fn take_out(&self, table: &str, goes: Goes) -> Result<TakenOut, LakeError> {
        self.take(table, &|_| Take::Rows(goes.clone())).await
    }

    /// As [`Lake::take_out`], by day.
    pub(super) async fn take(
        &self,
        table: &str,
        of: &(dyn Fn(i32) -> Take + Sync),
    ) -> Result<TakenOut, LakeError> {
        let table = Arc::clone(self.table(table)?);
        let mut writer = table.writer.lock().await;
        table.settle_doubt(&mut writer).await?;
        // The writer of files panics when the storage fails in the middle of one.
        let taking = AssertUnwindSafe(table.take_out(&mut writer, of)).catch_unwind();
        let done = taking.await.unwrap_or_else(|_| {
            let error = DeltaTableError::generic("a file was broken off");
            Err(delta(table.spec, "writing anew", error))
        });
        let reloaded = table.reload(&mut writer).await;
        if reloaded.is_ok() {
            table.publish(&writer.table, None);
        }
        let done = done.map_err(|e| table.failed(e))?;
        reloaded?;
        Ok(done)
    }
}

pub(super) async fn bytes_of(store: &dyn ObjectStore, at: &Path) -> object_store::Result<Bytes> {
    store.get(at).await?.bytes().await
}

/// Reads a Parquet file; of audio everything but the sound if asked.
pub(super) fn open(
    bytes: Bytes,
    silent: bool,
) -> Result<ParquetRecordBatchReader, DeltaTableError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes)?;
    if !silent {
        return Ok(builder.build()?);
    }
    let schema = builder.parquet_schema();
    let fields = schema.root_schema().get_fields().iter().enumerate();
    let wanted = fields.filter(|(_, f)| f.name() != "bytes").map(|(n, _)| n);
    let mask = ProjectionMask::roots(schema, wanted.collect::<Vec<_>>());
    Ok(builder.with_projection(mask).build()?)
}

/// A file's rows in the table's form, its partition among them.
fn whole(spec: &TableSpec, batch: &RecordBatch, day: i32) -> Result<RecordBatch, ArrowError> {
    let mut fields: Vec<_> = batch.schema().fields().iter().cloned().collect();
    let mut columns = batch.columns().to_vec();
    fields.push(Arc::new(Field::new("day", DataType::Date32, false)));
    let days: ArrayRef = Arc::new(Date32Array::from(vec![day; batch.num_rows()]));
    columns.push(days);
    rows::normalise(
        spec,
        &RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?,
    )
}

/// A part of a table's columns, texts in the form in which they are compared.
fn plain(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let mut columns = Vec::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let text = matches!(column.data_type(), DataType::Utf8View | DataType::LargeUtf8);
        let column = match text {
            true => cast(column, &DataType::Utf8)?,
            false => Arc::clone(column),
        };
        columns.push((field.name().clone(), column));
    }
    RecordBatch::try_from_iter(columns)
}

/// The rows without those that were erased; sound may have been on its way when they were.
pub(super) fn without_erased(mut plan: WritePlan, names: &Names) -> WritePlan {
    if names.is_empty() {
        return plan;
    }
    for batch in &mut plan.rows {
        let goes = named_in(batch, names);
        if let Ok(kept) = not(&goes).and_then(|keep| filter_record_batch(batch, &keep)) {
            *batch = kept;
        }
    }
    plan.rows.retain(|batch| batch.num_rows() > 0);
    plan
}

/// Rows that an erased name stands in, where tables name contacts and what belongs to them.
pub(crate) fn named_in(batch: &RecordBatch, names: &Names) -> BooleanArray {
    let keys = [
        ("contact_id", ""),
        ("from_contact", ""),
        ("to_contact", ""),
        ("id", ""),
        ("recording_id", "recording:"),
        ("note_id", "note:"),
        ("survey_id", "survey:"),
        ("set_id", ""),
        ("attribute_id", "customer:"),
        ("evaluation_id", "evaluation:"),
    ];
    let columns: Vec<_> = keys
        .iter()
        .filter_map(|(name, before)| {
            let texts = batch.column_by_name(name)?.as_string_opt::<i32>()?;
            Some((texts, *before))
        })
        .collect();
    (0..batch.num_rows())
        .map(|row| {
            let named = columns.iter().any(|(texts, before)| {
                !texts.is_null(row) && names.hold(&format!("{before}{}", texts.value(row)))
            });
            Some(named)
        })
        .collect()
}

/// A file of a table's present version.
pub(super) struct Present {
    pub(super) path: Path,
    day: i32,
    /// Where its file says so.
    rows: u64,
    remove: Action,
}

impl LakeTable {
    pub(super) fn present(&self, writer: &Writer) -> Result<Vec<Present>, LakeError> {
        let state = writer.table.snapshot();
        let state = state.map_err(|e| delta(self.spec, "listing files", e))?;
        let mut all = Vec::new();
        for file in state.log_data().iter() {
            let values = file.partition_values_map();
            let day = values.get("day").cloned().flatten();
            all.push(Present {
                path: file.object_store_path(),
                rows: file.num_records().unwrap_or_default() as u64,
                day: day
                    .as_deref()
                    .and_then(day_of)
                    .ok_or_else(|| LakeError::Schema {
                        table: self.spec.name.to_owned(),
                        reason: format!("file {} lies on no day", file.path()),
                    })?,
                remove: Action::Remove(file.remove_action(true)),
            });
        }
        Ok(all)
    }

    /// The rows of a file, batch by batch.
    async fn file(
        &self,
        store: &dyn ObjectStore,
        path: &Path,
        silent: bool,
    ) -> Result<ParquetRecordBatchReader, LakeError> {
        let fail = |source| delta(self.spec, "reading a file", source);
        let bytes = bytes_of(store, path).await.map_err(|e| fail(e.into()))?;
        open(bytes, silent).map_err(fail)
    }

    /// Whether any row of a file goes; the sound itself is not looked at.
    pub(super) async fn any_goes(
        &self,
        store: &dyn ObjectStore,
        path: &Path,
        day: i32,
        goes: &Goes,
    ) -> Result<bool, LakeError> {
        let silent = self.spec.name == AUDIO.name;
        let bad = |source| self.bad_rows(source);
        for batch in self.file(store, path, silent).await? {
            let batch = batch.map_err(bad)?;
            let batch = match silent {
                true => plain(&batch).map_err(bad)?,
                false => whole(self.spec, &batch, day).map_err(bad)?,
            };
            if goes(&batch).true_count() > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn bad_rows(&self, source: ArrowError) -> LakeError {
        LakeError::Rows {
            table: self.spec.name.to_owned(),
            source,
        }
    }

    async fn take_out(
        &self,
        writer: &mut Writer,
        of: &(dyn Fn(i32) -> Take + Sync),
    ) -> Result<TakenOut, LakeError> {
        let fail = |action| move |source| delta(self.spec, action, source);
        let store = writer.table.object_store();
        let mut out = RecordBatchWriter::for_table(&writer.table)
            .map_err(fail("writing anew"))?
            .with_writer_properties(properties(self.spec));
        let mut done = TakenOut::default();
        let mut actions = Vec::new();
        for file in self.present(writer)? {
            let goes = match of(file.day) {
                Take::Nothing => continue,
                Take::All => {
                    done.rows += file.rows;
                    done.files += 1;
                    actions.push(file.remove);
                    continue;
                }
                Take::Rows(goes) => goes,
            };
            if !self
                .any_goes(store.as_ref(), &file.path, file.day, &goes)
                .await?
            {
                continue;
            }
            for batch in self.file(store.as_ref(), &file.path, false).await? {
                let batch = batch.map_err(|e| self.bad_rows(e))?;
                let batch = whole(self.spec, &batch, file.day).map_err(|e| self.bad_rows(e))?;
                let gone = goes(&batch);
                done.rows += gone.true_count() as u64;
                let kept = not(&gone).and_then(|keep| filter_record_batch(&batch, &keep));
                let kept = kept.map_err(|e| self.bad_rows(e))?;
                if kept.num_rows() > 0 {
                    out.write(kept).await.map_err(fail("writing anew"))?;
                }
            }
            // One file after the other: what is held is one file.
            let added = out.flush().await.map_err(fail("writing anew"))?;
            actions.extend(added.into_iter().map(Action::Add));
            actions.push(file.remove);
            done.files += 1;
        }
        if !actions.is_empty() {
            self.commit(writer, actions).await?;
        }
        Ok(done)
    }

    /// Commits without saying whose rows they were.
    pub(super) async fn commit(
        &self,
        writer: &Writer,
        actions: Vec<Action>,
    ) -> Result<(), LakeError> {
        let state = writer.table.snapshot();
        let state = state.map_err(|e| delta(self.spec, "taking rows out", e))?;
        let operation = DeltaOperation::Delete { predicate: None };
        CommitBuilder::from(commit().with_create_checkpoint(false))
            .with_actions(actions)
            .build(Some(state), writer.table.log_store(), operation)
            .await
            .map_err(|e| delta(self.spec, "taking rows out", e))?;
        Ok(())
    }
}

/// A partition's day since 1970.
pub(super) fn day_of(text: &str) -> Option<i32> {
    let date = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    let since = date.signed_duration_since(chrono::NaiveDate::default());
    i32::try_from(since.num_days()).ok()
}
