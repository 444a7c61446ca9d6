//! What the files say as tables, for SQL.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;

use super::{Entity, Identity};

/// One of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Given {
    /// Names of all entities, and numbers.
    Names,
    /// Numbers that hand over.
    Numbers,
    /// What people said of two contacts.
    Verdicts,
}

impl Given {
    /// Name of the internal table.
    pub(crate) fn table(self) -> &'static str {
        match self {
            Given::Names => "names",
            Given::Numbers => "numbers",
            Given::Verdicts => "verdicts",
        }
    }

    /// Its columns.
    pub(crate) fn schema(self) -> SchemaRef {
        let text = |name: &str| Field::new(name, DataType::Utf8, true);
        let time = |name: &str| {
            let kind = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
            Field::new(name, kind, true)
        };
        let number = |name: &str| Field::new(name, DataType::Int64, true);
        let fields = match self {
            Given::Names => vec![
                text("entity"),
                text("platform"),
                text("native"),
                text("id"),
                time("valid_from"),
                time("valid_to"),
                text("site"),
                text("line_of_business"),
                text("team"),
            ],
            Given::Numbers => vec![
                text("number_key"),
                text("number"),
                text("from_platform"),
                text("from_queue"),
                text("to_platform"),
                text("to_queue"),
                time("valid_from"),
                time("valid_to"),
                number("window_us"),
            ],
            Given::Verdicts => vec![
                text("contact_a"),
                text("contact_b"),
                text("verdict"),
                text("who"),
                text("said_at"),
                text("why"),
            ],
        };
        Arc::new(Schema::new(fields))
    }
}

fn texts<'a>(all: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    let kept = all.map(|t| t.filter(|t| !t.is_empty()));
    Arc::new(kept.collect::<StringArray>())
}

fn times(all: impl Iterator<Item = i64>) -> ArrayRef {
    let told = |us: i64| (us != i64::MIN && us != i64::MAX).then_some(us);
    let array: TimestampMicrosecondArray = all.map(told).collect();
    Arc::new(array.with_timezone("UTC"))
}

pub(super) fn batch(of: &Identity, given: Given) -> Result<RecordBatch, ArrowError> {
    let columns = match given {
        Given::Names => names(of),
        Given::Numbers => {
            let all: Vec<_> = of
                .numbers
                .iter()
                .filter(|n| n.purpose == "handover")
                .collect();
            vec![
                texts(all.iter().map(|n| Some(n.key.as_str()))),
                texts(all.iter().map(|n| Some(n.number.as_str()))),
                texts(all.iter().map(|n| n.from_platform.as_deref())),
                texts(all.iter().map(|n| n.from_queue.as_deref())),
                texts(all.iter().map(|n| n.to_platform.as_deref())),
                texts(all.iter().map(|n| n.to_queue.as_deref())),
                times(all.iter().map(|n| n.from)),
                times(all.iter().map(|n| n.to)),
                Arc::new(all.iter().map(|_| Some(of.window)).collect::<Int64Array>()),
            ]
        }
        Given::Verdicts => {
            let all = &of.verdicts;
            let word = |together: bool| if together { "together" } else { "apart" };
            vec![
                texts(all.iter().map(|v| Some(v.contact_a.as_str()))),
                texts(all.iter().map(|v| Some(v.contact_b.as_str()))),
                texts(all.iter().map(|v| Some(word(v.together)))),
                texts(all.iter().map(|v| Some(v.who.as_str()))),
                texts(all.iter().map(|v| Some(v.when.as_str()))),
                texts(all.iter().map(|v| Some(v.why.as_str()))),
            ]
        }
    };
    RecordBatch::try_new(given.schema(), columns)
}

/// A row of `names`: entity, source, native name, our name, times, site, line, team.
struct Row<'a> {
    entity: &'static str,
    source: String,
    native: &'a str,
    id: &'a str,
    from: i64,
    to: i64,
    site: Option<&'a str>,
    line: Option<&'a str>,
    team: Option<&'a str>,
}

fn names(of: &Identity) -> Vec<ArrayRef> {
    let entities = [
        Entity::Agent,
        Entity::Queue,
        Entity::Site,
        Entity::Line,
        Entity::Customer,
    ];
    let mut rows: Vec<Row<'_>> = Vec::new();
    for entity in entities {
        rows.extend(of.names(entity).all().into_iter().map(|n| Row {
            entity: entity.word(),
            source: n.source(),
            native: &n.native,
            id: &n.id,
            from: n.from,
            to: n.to,
            site: n.site.as_deref(),
            line: n.line.as_deref(),
            team: n.team.as_deref(),
        }));
    }
    let side = |platform: &Option<String>, queue: &Option<String>| match (platform, queue) {
        (Some(p), Some(q)) => format!("/{p} {q}"),
        (Some(p), None) => format!("/{p}"),
        (None, Some(q)) => q.clone(),
        (None, None) => String::new(),
    };
    let ends: Vec<String> = of
        .numbers
        .iter()
        .map(|n| side(&n.to_platform, &n.to_queue))
        .collect();
    rows.extend(of.numbers.iter().zip(&ends).map(|(n, end)| Row {
        entity: "number",
        source: side(&n.from_platform, &n.from_queue),
        native: &n.number,
        id: end,
        from: n.from,
        to: n.to,
        site: None,
        line: None,
        team: None,
    }));
    vec![
        texts(rows.iter().map(|r| Some(r.entity))),
        texts(rows.iter().map(|r| Some(r.source.as_str()))),
        texts(rows.iter().map(|r| Some(r.native))),
        texts(rows.iter().map(|r| Some(r.id))),
        times(rows.iter().map(|r| r.from)),
        times(rows.iter().map(|r| r.to)),
        texts(rows.iter().map(|r| r.site)),
        texts(rows.iter().map(|r| r.line)),
        texts(rows.iter().map(|r| r.team)),
    ]
}
