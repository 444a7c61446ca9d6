//! How Parquet is written.

use callboard_model::tables::{Kind, TableSpec};
use deltalake::parquet::basic::{Compression, ZstdLevel};
use deltalake::parquet::file::properties::{EnabledStatistics, WriterProperties};
use deltalake::parquet::schema::types::ColumnPath;

/// How Parquet is written: zstd; bytes without dictionary and statistics, which would only copy
/// them; few large rows to a row group.
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
    builder.build()
}
