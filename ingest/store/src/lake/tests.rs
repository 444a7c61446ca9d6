use std::collections::BTreeMap;
use std::path::Path as FsPath;

use callboard_model::tables::{
    Day, Instant, LINKS, LinkRow, RECORDS, RecordRow, Row, TABLES, TableSpec,
};
use deltalake::arrow::array::AsArray;
use deltalake::arrow::datatypes::Date32Type;
use deltalake::kernel::engine::arrow_conversion::TryIntoArrow;
use deltalake::parquet::file::reader::{FileReader, SerializedFileReader};

use super::*;

pub(super) static SPECS: &[&TableSpec] = &[&LINKS];

async fn lake(dir: &FsPath) -> Lake {
    lake_with(dir, LakeOptions::default()).await
}

pub(super) async fn lake_with(dir: &FsPath, options: LakeOptions) -> Lake {
    Lake::open(dir.to_str().unwrap(), SPECS, options)
        .await
        .unwrap()
}

pub(super) fn link(from: &str, to: &str, day: i32) -> LinkRow {
    LinkRow {
        from_contact: from.into(),
        to_contact: to.into(),
        kind: "transfer".into(),
        at: Some(Instant(i64::from(day) * 86_400_000_000)),
        day: Day(day),
    }
}

pub(super) fn adding(rows: &[LinkRow]) -> WritePlan {
    WritePlan {
        rows: vec![LinkRow::batch(rows).unwrap()],
        replace: None,
    }
}

pub(super) fn replacing<S: AsRef<str>>(rows: &[LinkRow], days: &[i32], ids: &[S]) -> WritePlan {
    WritePlan {
        replace: Some(Replace {
            since: BTreeMap::new(),
            days: days.to_vec(),
            ids: ids.iter().map(|id| id.as_ref().to_owned()).collect(),
            whole_days: false,
        }),
        ..adding(rows)
    }
}

/// (from, to, day) of batches, sorted.
fn content(batches: &[RecordBatch]) -> Vec<(String, String, i32)> {
    let mut rows = Vec::new();
    for batch in batches {
        let text = |name: &str| batch.column_by_name(name).unwrap().as_string::<i32>();
        let days = batch
            .column_by_name("day")
            .unwrap()
            .as_primitive::<Date32Type>();
        for row in 0..batch.num_rows() {
            rows.push((
                text("from_contact").value(row).to_owned(),
                text("to_contact").value(row).to_owned(),
                days.value(row),
            ));
        }
    }
    rows.sort();
    rows
}

pub(super) async fn all(lake: &Lake) -> Vec<(String, String, i32)> {
    content(&lake.scan("links", None, None).await.unwrap())
}

fn expected(rows: &[(&str, &str, i32)]) -> Vec<(String, String, i32)> {
    let mut rows: Vec<_> = rows
        .iter()
        .map(|(from, to, day)| ((*from).to_owned(), (*to).to_owned(), *day))
        .collect();
    rows.sort();
    rows
}

#[tokio::test]
async fn a_flush_is_written_once_however_often_it_is_repeated() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("a lake with ü and 100%");
    let first = lake(&place).await;
    assert_eq!(first.applied("links").unwrap(), -1);
    let plan = adding(&[link("b", "c", 20_000), link("a", "b", 20_001)]);
    assert!(first.write("links", 1, plan.clone()).await.unwrap());
    assert!(!first.write("links", 1, plan.clone()).await.unwrap());
    drop(first);
    let again = lake(&place).await;
    assert_eq!(again.applied("links").unwrap(), 1);
    assert!(!again.write("links", 1, plan).await.unwrap());
    assert!(!again.write("links", 2, WritePlan::default()).await.unwrap());
    assert_eq!(again.applied("links").unwrap(), 1, "nothing was written");
    assert_eq!(
        all(&again).await,
        expected(&[("a", "b", 20_001), ("b", "c", 20_000)])
    );
    let missing = again.write("nothing", 1, WritePlan::default()).await;
    assert!(matches!(missing, Err(LakeError::NoTable(_))));
}

#[tokio::test]
async fn replacing_takes_the_named_rows_and_leaves_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let odd = "it's \"odd\"; -- \\ ' or 1=1";
    // As they are, and with so many more of both that they go as ranges.
    for more in [0, 3_000] {
        let place = dir.path().join(more.to_string());
        let lake = lake(&place).await;
        let others: Vec<String> = (0..more).map(|n| format!("a{n}")).collect();
        let ids = |own: &[&'static str]| -> Vec<String> {
            let own = own.iter().map(|id| (*id).to_owned());
            own.chain(others.iter().cloned()).collect()
        };
        let days = |own: &[i32]| -> Vec<i32> {
            let more = (more > 0).then_some(20_005..20_105);
            own.iter()
                .copied()
                .chain(more.into_iter().flatten())
                .collect()
        };
        let first = adding(&[
            link("a", "1", 20_000),
            link("a", "2", 20_000),
            link(odd, "3", 20_000),
            link("b", "4", 20_001),
            link("c", "5", 20_002),
        ]);
        lake.write("links", 1, first).await.unwrap();
        let corrected = replacing(
            &[
                link("a", "6", 20_001),
                link(odd, "7", 20_000),
                link("d", "8", 20_003),
            ],
            &days(&[20_000]),
            &ids(&["a", odd]),
        );
        assert!(lake.write("links", 2, corrected).await.unwrap());
        assert_eq!(
            all(&lake).await,
            expected(&[
                ("a", "6", 20_001),
                (odd, "7", 20_000),
                ("b", "4", 20_001),
                ("c", "5", 20_002),
                ("d", "8", 20_003),
            ])
        );
        // Nothing in its place: the rows go.
        let gone = replacing(&[], &days(&[20_000, 20_001]), &ids(&["a", odd]));
        assert!(lake.write("links", 3, gone).await.unwrap());
        assert_eq!(
            all(&lake).await,
            expected(&[("b", "4", 20_001), ("c", "5", 20_002), ("d", "8", 20_003)])
        );
        assert_eq!(lake.applied("links").unwrap(), 3);
        drop(lake);
        assert_eq!(lake_again(&place).await, 3);
    }
}

async fn lake_again(place: &FsPath) -> i64 {
    lake(place).await.applied("links").unwrap()
}

#[tokio::test]
async fn a_scan_gives_the_asked_days_and_ids_in_the_tables_own_types() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().to_str().unwrap();
    let lake = Lake::open(place, &[&RECORDS], LakeOptions::default())
        .await
        .unwrap();
    let row = |id: &str, day: i32| RecordRow {
        key: format!("key {id}"),
        source: "/test".into(),
        id: id.into(),
        received_at: Instant(i64::from(day) * 86_400_000_000 + 5),
        format: "event".into(),
        stamp: None,
        natives: vec![id.to_owned(), "x".into()],
        content_hash: 7,
        bytes: vec![0, 255, 1],
        day: Day(day),
    };
    let rows = [row("q", 3), row("p", 3), row("o'", 4), row("n", 5)];
    let batch = RecordRow::batch(&rows).unwrap();
    let plan = WritePlan {
        rows: vec![batch.slice(0, 2), batch.slice(2, 2)],
        replace: None,
    };
    lake.write("records", 1, plan).await.unwrap();
    let both = ["o'".to_owned(), "p".to_owned()];
    let found = lake
        .scan("records", Some(&[3, 4]), Some(("id", &both)))
        .await
        .unwrap();
    let found = rows::sorted(&RECORDS, &found).unwrap();
    assert_eq!(found.schema(), RECORDS.schema());
    assert_eq!(
        found,
        RecordRow::batch(&[row("p", 3), row("o'", 4)]).unwrap()
    );
    let none = lake.scan("records", Some(&[]), None).await.unwrap();
    assert!(none.is_empty());
    let day = lake.scan("records", Some(&[3]), None).await.unwrap();
    // Within a day rows are stored in the table's order.
    assert_eq!(
        rows::sorted(&RECORDS, &day).unwrap(),
        RecordRow::batch(&[row("p", 3), row("q", 3)]).unwrap()
    );
    let odd = lake.scan("records", None, Some(("no", &both))).await;
    assert!(matches!(odd, Err(LakeError::Schema { .. })));
}

#[tokio::test]
async fn tables_are_plain_delta_with_comments_and_zstd() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path().to_str().unwrap(), TABLES, LakeOptions::default())
        .await
        .unwrap();
    for spec in TABLES {
        let table = lake.snapshots()[spec.name].clone();
        let state = table.snapshot().unwrap();
        assert_eq!(
            (
                state.protocol().min_reader_version(),
                state.protocol().min_writer_version()
            ),
            (1, 2),
            "{}",
            spec.name
        );
        assert_eq!(state.metadata().description(), Some(spec.comment.trim()));
        let interval = &state.metadata().configuration()["delta.checkpointInterval"];
        assert_eq!(interval, "50");
        let schema: deltalake::arrow::datatypes::Schema =
            state.schema().as_ref().try_into_arrow().unwrap();
        for column in spec.columns {
            let comment = schema.field_with_name(column.name).unwrap();
            assert_eq!(comment.metadata()["comment"], column.comment);
        }
    }
    lake.write("links", 1, adding(&[link("a", "b", 0)]))
        .await
        .unwrap();
    let day = dir.path().join("links/day=1970-01-01");
    let file = std::fs::read_dir(day).unwrap().next().unwrap().unwrap();
    let reader = SerializedFileReader::new(std::fs::File::open(file.path()).unwrap()).unwrap();
    let column = reader.metadata().row_group(0).column(0).compression();
    assert!(format!("{column:?}").starts_with("ZSTD"), "{column:?}");
}

#[tokio::test]
async fn a_column_of_a_newer_program_is_added_and_another_shape_is_refused() {
    static OLD: TableSpec = TableSpec {
        columns: &[
            LINKS.columns[0],
            LINKS.columns[1],
            LINKS.columns[2],
            LINKS.columns[4],
        ],
        sort: &["from_contact"],
        ..LINKS
    };
    static ODD: TableSpec = TableSpec {
        columns: &[
            callboard_model::tables::ColumnSpec {
                kind: callboard_model::tables::Kind::Int,
                ..LINKS.columns[0]
            },
            LINKS.columns[4],
        ],
        ..LINKS
    };
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().to_str().unwrap();
    let old = Lake::open(place, &[&OLD], LakeOptions::default())
        .await
        .unwrap();
    old.write("links", 1, adding(&[link("a", "b", 9)]))
        .await
        .unwrap();
    drop(old);
    let new = lake(dir.path()).await;
    new.write("links", 2, adding(&[link("c", "d", 9)]))
        .await
        .unwrap();
    let found = new.scan("links", None, None).await.unwrap();
    let nulls: usize = found
        .iter()
        .map(|batch| batch.column_by_name("at").unwrap().null_count())
        .sum();
    assert_eq!(nulls, 1, "the old row has no time");
    assert_eq!(content(&found), expected(&[("a", "b", 9), ("c", "d", 9)]));
    let odd = Lake::open(place, &[&ODD], LakeOptions::default()).await;
    let error = odd.unwrap_err().to_string();
    assert!(error.contains("from_contact"), "{error}");
}

#[tokio::test]
async fn any_object_store_holds_a_lake() {
    let lake = Lake::open("memory:///some/where", SPECS, LakeOptions::default())
        .await
        .unwrap();
    let plan = adding(&[link("a", "b", 20_000)]);
    assert!(lake.write("links", 1, plan).await.unwrap());
    let plan = replacing(&[link("a", "c", 20_000)], &[20_000], &["a"]);
    assert!(lake.write("links", 2, plan).await.unwrap());
    assert_eq!(all(&lake).await, expected(&[("a", "c", 20_000)]));
}

#[tokio::test]
async fn an_unusable_place_is_named() {
    for place in ["nonsense://x/y", "http://[bad", "file://host/share"] {
        let error = Lake::open(place, SPECS, LakeOptions::default())
            .await
            .unwrap_err();
        assert!(matches!(error, LakeError::Place { .. }), "{error}");
        assert!(error.to_string().contains(place), "{error}");
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let error = Lake::open(file.to_str().unwrap(), SPECS, LakeOptions::default())
        .await
        .unwrap_err();
    assert!(matches!(error, LakeError::Place { .. }), "{error}");
}

#[test]
fn commits_are_spread_over_tables_by_name() {
    let url = Url::parse("file:///data/lake/").unwrap();
    let names: BTreeMap<&str, String> = TABLES
        .iter()
        .map(|spec| (spec.name, table_url(&url, spec.name).unwrap().to_string()))
        .collect();
    assert_eq!(names["links"], "file:///data/lake/links");
    assert_eq!(names.len(), TABLES.len());
}
