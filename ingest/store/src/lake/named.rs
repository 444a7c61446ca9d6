//! Records by the names of which they speak. A day can hold millions of them, and late ones ask
//! for a few contacts' again and again: row groups whose Bloom filter knows none of the names are
//! passed over, and of the others nothing but the names is decoded until a row holds one.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use callboard_model::tables::RECORDS;
use deltalake::arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use deltalake::arrow::error::ArrowError;
use deltalake::parquet::arrow::ProjectionMask;
use deltalake::parquet::arrow::arrow_reader::{ArrowPredicateFn, ArrowReaderOptions, RowFilter};
use deltalake::parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStreamBuilder};
use deltalake::parquet::errors::ParquetError;
use deltalake::parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use deltalake::{DeltaTable, DeltaTableError};
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};

use super::erase::day_of;
use super::{Lake, LakeError};

/// Column of the names.
pub(super) const NAMES: &str = "natives";

impl Lake {
    /// Records received on these days (UTC) that speak of any of the names, without the column of
    /// the day; in no order.
    ///
    /// # Errors
    /// [`LakeError`].
    pub(crate) async fn records_naming(
        &self,
        days: &[i32],
        names: &[String],
    ) -> Result<Vec<RecordBatch>, LakeError> {
        if let Some(instead) = &self.instead {
            let named = Some((NAMES, names));
            return instead.scan(RECORDS.name, Some(days), named).await;
        }
        let days: BTreeSet<i32> = days.iter().copied().collect();
        let names: Arc<HashSet<String>> = Arc::new(names.iter().cloned().collect());
        if days.is_empty() || names.is_empty() {
            return Ok(Vec::new());
        }
        let table = self.table(RECORDS.name)?.published();
        let found = found(&table, &days, &names).await;
        found.map_err(|source| LakeError::Delta {
            table: RECORDS.name.to_owned(),
            action: "reading rows",
            source: Box::new(source),
        })
    }
}

async fn found(
    table: &DeltaTable,
    days: &BTreeSet<i32>,
    names: &Arc<HashSet<String>>,
) -> Result<Vec<RecordBatch>, DeltaTableError> {
    let store = table.log_store().object_store(None);
    let mut found = Vec::new();
    for file in table.snapshot()?.log_data().iter() {
        let day = file.partition_values_map().remove("day").flatten();
        let Some(day) = day.as_deref().and_then(day_of) else {
            return Err(DeltaTableError::generic(format!(
                "{} says no day",
                file.path()
            )));
        };
        if !days.contains(&day) {
            continue;
        }
        let opened = Opened {
            store: store.clone(),
            path: file.object_store_path(),
            size: file.size().unsigned_abs(),
        };
        let mut read = in_file(opened, names.clone()).await;
        found.append(read.as_mut().map_err(|e| of(e, &file.path()))?);
    }
    Ok(found)
}

fn of(error: &mut ParquetError, path: &str) -> DeltaTableError {
    let error = std::mem::replace(error, ParquetError::EOF(String::new()));
    DeltaTableError::from(ParquetError::General(format!("{path}: {error}")))
}

/// A file of the table, read through the table's own store.
struct Opened {
    store: Arc<dyn ObjectStore>,
    path: Path,
    size: u64,
}

impl AsyncFileReader for Opened {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        async move { Ok(self.store.get_range(&self.path, range).await?) }.boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        async move {
            let size = self.size;
            // Where each page begins: pages without a wanted row are not read.
            let reader = ParquetMetaDataReader::new()
                .with_metadata_options(options.map(|o| o.metadata_options().clone()))
                .with_offset_index_policy(PageIndexPolicy::Optional);
            Ok(Arc::new(reader.load_and_finish(self, size).await?))
        }
        .boxed()
    }
}

async fn in_file(
    reader: Opened,
    names: Arc<HashSet<String>>,
) -> Result<Vec<RecordBatch>, ParquetError> {
    // The types that the table has, whatever an engine noted that wrote the file anew.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let mut builder = ParquetRecordBatchStreamBuilder::new_with_options(reader, options).await?;
    let columns = builder.parquet_schema().columns();
    let named = |column: &str| column == NAMES;
    let Some(leaf) = columns.iter().position(|c| {
        c.path()
            .parts()
            .first()
            .map(String::as_str)
            .is_some_and(named)
    }) else {
        return Err(ParquetError::General(format!("there is no column {NAMES}")));
    };
    let mut groups = Vec::new();
    for group in 0..builder.metadata().num_row_groups() {
        let filter = builder
            .get_row_group_column_bloom_filter(group, leaf)
            .await?;
        // Files that were written without filters are read whole.
        if filter.is_none_or(|f| names.iter().any(|name| f.check(name.as_str()))) {
            groups.push(group);
        }
    }
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    let only_names = ProjectionMask::leaves(builder.parquet_schema(), [leaf]);
    let holding = ArrowPredicateFn::new(only_names, move |batch| holding(&batch, &names));
    let mut rows = builder
        .with_row_groups(groups)
        .with_row_filter(RowFilter::new(vec![Box::new(holding)]))
        .build()?;
    let mut found = Vec::new();
    while let Some(batch) = rows.next().await {
        found.push(batch?);
    }
    Ok(found)
}

fn holding(batch: &RecordBatch, names: &HashSet<String>) -> Result<BooleanArray, ArrowError> {
    let lists = batch
        .column_by_name(NAMES)
        .and_then(|c| c.as_list_opt::<i32>());
    let texts = lists.and_then(|l| l.values().as_string_opt::<i32>());
    let (Some(lists), Some(texts)) = (lists, texts) else {
        return Err(ArrowError::SchemaError(format!(
            "column {NAMES} is no list of texts"
        )));
    };
    // Each text is looked up once, not once a row with a list cut out for it.
    let known: Vec<bool> = texts
        .iter()
        .map(|text| text.is_some_and(|text| names.contains(text)))
        .collect();
    let spans = lists.value_offsets().windows(2).enumerate();
    let keep = spans.map(|(row, span)| {
        let at = |n: i32| usize::try_from(n).unwrap_or_default();
        let (from, to) = match span {
            [from, to] => (at(*from), at(*to)),
            _ => (0, 0),
        };
        let any = known
            .get(from..to)
            .is_some_and(|known| known.contains(&true));
        Some(any && !lists.is_null(row))
    });
    Ok(keep.collect())
}

#[cfg(test)]
mod tests {
    use callboard_model::tables::{Day, Instant, RecordRow, Row as _};
    use deltalake::parquet::file::properties::ReaderProperties;
    use deltalake::parquet::file::reader::FileReader as _;
    use deltalake::parquet::file::serialized_reader::{ReadOptionsBuilder, SerializedFileReader};

    use super::super::{LakeOptions, WritePlan};
    use super::*;

    const DAY: i32 = 20_000;

    fn record(id: &str, names: &[&str], day: i32) -> RecordRow {
        RecordRow {
            key: names.first().copied().unwrap_or("").into(),
            source: "/t/1".into(),
            id: id.into(),
            received_at: Instant(i64::from(day) * 86_400_000_000),
            format: "event".into(),
            stamp: None,
            natives: names.iter().map(|n| (*n).to_owned()).collect(),
            content_hash: 7,
            bytes: id.as_bytes().to_vec(),
            day: Day(day),
        }
    }

    async fn named(lake: &Lake, days: &[i32], names: &[&str]) -> Vec<String> {
        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        let batches = lake.records_naming(days, &names).await.unwrap();
        let records = batches
            .iter()
            .flat_map(|b| crate::store::records_of(b, None));
        let mut ids: Vec<String> = records.map(|r| r.id.to_string()).collect();
        ids.sort();
        ids
    }

    /// What the filters of all files on a day say of a name.
    fn known(dir: &std::path::Path, day: &str, name: &str) -> Vec<bool> {
        let files = std::fs::read_dir(dir.join("records").join(day)).unwrap();
        let known = files.map(|entry| {
            let options = ReadOptionsBuilder::new().with_reader_properties(
                ReaderProperties::builder()
                    .set_read_bloom_filter(true)
                    .build(),
            );
            let file = std::fs::File::open(entry.unwrap().path()).unwrap();
            let reader = SerializedFileReader::new_with_options(file, options.build()).unwrap();
            let group = reader.get_row_group(0).unwrap();
            let columns = group.metadata().columns().iter();
            let names = columns
                .enumerate()
                .filter(|(_, c)| c.column_path().string().starts_with(NAMES));
            let filters: Vec<_> = names
                .filter_map(|(n, _)| group.get_column_bloom_filter(n))
                .collect();
            assert_eq!(filters.len(), 1);
            filters[0].check(name)
        });
        let mut known: Vec<bool> = known.collect();
        known.sort();
        known
    }

    #[tokio::test]
    async fn records_are_found_by_their_names_and_files_without_them_say_so() {
        let dir = tempfile::tempdir().unwrap();
        let options = LakeOptions {
            small_files: 2,
            retention: std::time::Duration::ZERO,
            vacuum_every: std::time::Duration::ZERO,
            ..LakeOptions::default()
        };
        let place = dir.path().to_str().unwrap();
        let lake = Lake::open(place, &[&RECORDS], options).await.unwrap();
        let flushes = [
            vec![record("1", &["a/1", "a/2"], DAY), record("2", &[], DAY)],
            vec![record("3", &["a/3"], DAY), record("4", &["a/2"], DAY)],
            vec![record("5", &["a/5"], DAY), record("6", &["a/2"], DAY + 1)],
        ];
        for (rows, n) in flushes.iter().zip(1..) {
            let plan = WritePlan {
                rows: vec![RecordRow::batch(rows).unwrap()],
                replace: None,
            };
            assert!(lake.write("records", n, plan).await.unwrap());
        }
        let asked = async |lake: &Lake| {
            assert_eq!(named(lake, &[DAY], &["a/2"]).await, ["1", "4"]);
            assert_eq!(
                named(lake, &[DAY, DAY + 1], &["a/2", "a/5"]).await,
                ["1", "4", "5", "6"]
            );
            assert!(named(lake, &[DAY], &["a"]).await.is_empty());
            assert!(named(lake, &[DAY + 2], &["a/2"]).await.is_empty());
            assert!(named(lake, &[DAY], &[]).await.is_empty());
        };
        asked(&lake).await;
        let day = "day=2024-10-04";
        assert_eq!(known(dir.path(), day, "a/2"), [false, true, true]);
        lake.maintain("records").await.unwrap();
        assert_eq!(known(dir.path(), day, "a/2"), [true]);
        assert_eq!(known(dir.path(), day, "a/4"), [false]);
        asked(&lake).await;
    }
}
