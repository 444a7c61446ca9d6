//! How Parquet is written.

use callboard_model::tables::{Kind, TableSpec};
use deltalake::parquet::basic::{Compression, ZstdLevel};
use deltalake::parquet::file::properties::{EnabledStatistics, WriterProperties};
use deltalake::parquet::schema::types::ColumnPath;

use super::named::NAMES;

/// Records of a row group: what is read when one of them is wanted.
const RECORDS_OF_A_GROUP: usize = 128 * 1024;

/// Share of names that a row group's filter takes for its own though they are not: a round of late
/// records asks for thousands of names, and one mistake reads the group. About three bytes a name,
/// and a filter shrinks to the names that there are.
const MISTAKEN: f64 = 1e-6;

/// How Parquet is written: zstd; bytes without dictionary and statistics, which would only copy
/// them; few large rows to a row group; records with a filter of the names they speak of.
pub(super) fn properties(spec: &TableSpec) -> WriterProperties {
    let level = ZstdLevel::try_new(3).unwrap_or_default();
    let mut builder = WriterProperties::builder().set_compression(Compression::ZSTD(level));
    let mut bulky = false;
    for column in spec.columns {
        if column.kind == Kind::Bytes {
            bulky = true;
            let path = ColumnPath::from(column.name);
            builder = builder
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_statistics_enabled(path, EnabledStatistics::None);
        }
    }
    if bulky && spec.name == callboard_model::tables::AUDIO.name {
        builder = builder.set_max_row_group_row_count(Some(16));
    }
    if spec.name == callboard_model::tables::RECORDS.name {
        let names = ColumnPath::new(vec![
            NAMES.to_owned(),
            "list".to_owned(),
            "element".to_owned(),
        ]);
        builder = builder
            .set_max_row_group_row_count(Some(RECORDS_OF_A_GROUP))
            .set_column_bloom_filter_enabled(names.clone(), true)
            .set_column_bloom_filter_max_ndv(names.clone(), 2 * RECORDS_OF_A_GROUP as u64)
            .set_column_bloom_filter_fpp(names, MISTAKEN);
    }
    builder.build()
}
