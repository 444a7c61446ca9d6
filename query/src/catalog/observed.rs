//! The table `observability`: what each platform's feeds can say, metric by metric.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::error::Result;
use datafusion::logical_expr::TableType;

use super::{ColumnDoc, FixedTable, ViewDoc, pg_name};
use crate::say::{self, Feed, Platform, Said};

/// Its name.
pub(super) const NAME: &str = "observability";

const COMMENT: &str = "One row per platform, feed, and metric or fact: whether it is exact, \
    estimated or impossible there, why, and the delay to expect; feed is NULL for all feeds of the \
    platform together.";

const COLUMNS: [(&str, DataType, &str); 11] = [
    (
        "platform",
        DataType::Utf8,
        "Platform: the first part of the source of its contacts, split_part(source, '/', 2)",
    ),
    (
        "feed",
        DataType::Utf8,
        "Feed; NULL = all of the platform together",
    ),
    (
        "format",
        DataType::Utf8,
        "Formats of the feed's records, parted by spaces; NULL where feed is",
    ),
    ("kind", DataType::Utf8, "metric or fact"),
    (
        "name",
        DataType::Utf8,
        "Name of the metric, as in the table metrics, or of the fact",
    ),
    ("title", DataType::Utf8, "Its title"),
    ("standing", DataType::Utf8, "exact, estimated or impossible"),
    (
        "reason",
        DataType::Utf8,
        "What tells it, or what is missing",
    ),
    (
        "delay",
        DataType::Utf8,
        "How long after the event it is told: seconds, minutes, hours, days, or when it is sent; NULL where nothing tells it",
    ),
    (
        "delay_s",
        DataType::Int64,
        "The usual delay where somebody states a number",
    ),
    (
        "delay_most_s",
        DataType::Int64,
        "The longest delay where somebody states a number",
    ),
];

/// The table with what it says.
///
/// # Errors
/// When rows and columns do not fit, which a test excludes.
pub(super) fn table(docs: &mut Vec<ViewDoc>, columns: &mut Vec<ColumnDoc>) -> Result<FixedTable> {
    docs.push(ViewDoc {
        name: NAME.to_owned(),
        comment: COMMENT.to_owned(),
    });
    columns.extend(COLUMNS.iter().map(|(column, kind, comment)| {
        ColumnDoc {
            table: NAME.to_owned(),
            column: (*column).to_owned(),
            kind: pg_name(kind),
            unit: if column.starts_with("delay_") {
                "s"
            } else {
                ""
            }
            .to_owned(),
            comment: (*comment).to_owned(),
        }
    }));
    let rows = rows();
    let text = |of: &dyn Fn(&Row) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<StringArray>())
    };
    let number = |of: &dyn Fn(&Row) -> Option<i64>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<Int64Array>())
    };
    let arrays = vec![
        text(&|r| Some(r.platform.name.clone())),
        text(&|r| r.feed.map(|f| f.name.clone())),
        text(&|r| r.feed.map(|f| f.formats.join(" "))),
        text(&|r| Some(if r.said.metric { "metric" } else { "fact" }.to_owned())),
        text(&|r| Some(r.said.name.to_owned())),
        text(&|r| Some(r.said.title.to_owned())),
        text(&|r| Some(r.said.standing.word().to_owned())),
        text(&|r| Some(r.said.reason.clone())),
        text(&|r| r.said.delay.map(|d| d.class.word().to_owned())),
        number(&|r| r.said.delay.and_then(|d| d.s)),
        number(&|r| r.said.delay.and_then(|d| d.most_s)),
    ];
    let fields = COLUMNS.map(|(name, kind, _)| Field::new(name, kind, true));
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields.to_vec())), arrays)?;
    Ok(FixedTable::new(batch, TableType::View))
}

struct Row {
    platform: &'static Platform,
    feed: Option<&'static Feed>,
    said: Said,
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for platform in &say::table().platforms {
        let every = platform.every();
        let each = platform.feeds.iter().map(|f| (Some(f), vec![f]));
        for (feed, feeds) in std::iter::once((None, every)).chain(each) {
            rows.extend(platform.says(&feeds).into_iter().map(|said| Row {
                platform,
                feed,
                said,
            }));
        }
    }
    rows
}
