//! A real Delta table under a snapshot: lake without hidden rows, and live beside it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use callboard_model::tables::{
    AGENT_INTERVALS, CONTACTS, ContactRow, QUEUE_INTERVALS, Row, SegmentRow,
};
use callboard_store::snapshot::Hidden;
use deltalake::DeltaTable;
use deltalake::kernel::StructType;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::protocol::SaveMode;

use super::fixture::{Memory, contact, segment};
use super::reading::{session, show};
use crate::{Engine, Limits, Principal, deriver};

pub async fn stored<R: Row>(dir: &std::path::Path, rows: &[R]) -> DeltaTable {
    let url = url::Url::from_directory_path(dir).unwrap();
    let schema = R::spec().schema();
    let kernel: StructType = schema.as_ref().try_into_kernel().unwrap();
    let table = DeltaTable::try_from_url(url)
        .await
        .unwrap()
        .create()
        .with_columns(kernel.fields().cloned())
        .with_partition_columns(["day"])
        .await
        .unwrap();
    let batch: RecordBatch = R::batch(rows).unwrap();
    table
        .write([batch])
        .with_save_mode(SaveMode::Append)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lake_and_live_are_one_table() {
    let dir = tempfile::tempdir().unwrap();
    let day = 86_400;
    let old = [
        contact("a", 0, Some(60), 1000, "Ann"),
        contact("b", 5, Some(60), 1000, "Bob"),
        contact("c", day, Some(day + 60), 1000, "Ann"),
        contact("e", 7, Some(60), 0, "Ann"),
        contact("e", day + 7, Some(day + 60), 0, "Bob"),
    ];
    let second_day = old[2].day.0;
    let lake = stored::<ContactRow>(dir.path(), &old).await;
    let memory = Memory::new();
    let mut corrected = contact("b", 5, Some(90), 2000, "Cleo");
    corrected.tenant = Some("x".to_owned());
    memory.add(&[corrected, contact("d", day + 5, None, 0, "")]);
    memory.change(|s| {
        let t = s.tables.get_mut(CONTACTS.name).unwrap();
        t.lake = Some(lake);
        t.hidden = Some(Arc::new(Hidden {
            column: "contact_id",
            values: HashSet::from(["b".to_owned()]),
            since: BTreeMap::from([(second_day, HashSet::from(["e".to_owned()]))]),
        }));
    });
    let s = session(&memory);
    let out = show(
        &s,
        "SELECT contact_id, agent, talk_ms, agents FROM contacts ORDER BY 1",
    )
    .await;
    println!("{out}");
    for row in [
        "| a          | Ann   | 1000    | [Ann]  |",
        "| b          | Cleo  | 2000    | [Cleo] |",
        "| c          | Ann   | 1000    | [Ann]  |",
        "| d          |       | 0       | []     |",
        "| e          | Ann   | 0       | [Ann]  |",
    ] {
        assert!(out.contains(row), "{row}\n{out}");
    }
    assert_eq!(out.lines().count(), 9);
    // The id need not be read for its rows to be hidden.
    let out = show(&s, "SELECT sum(talk_ms) AS t, count(*) AS n FROM contacts").await;
    assert!(out.contains("| 4000 | 5 |"), "{out}");
    // A bound on the day reads only that day's files.
    let sql = "SELECT contact_id FROM contacts WHERE day = DATE '2026-03-03' ORDER BY 1";
    let out = show(&s, sql).await;
    assert!(
        out.contains("| c ") && out.contains("| d ") && !out.contains("| a "),
        "{out}"
    );
    let explained = show(&s, &format!("EXPLAIN {sql}")).await;
    assert!(
        explained.contains("2026-03-03") && !explained.contains("day=2026-03-02"),
        "{explained}"
    );
    // Filters on text, list, time and a parameter reach the lake and come back right.
    let sql = "SELECT count(*) AS n FROM contacts WHERE agent = $1 AND started_at < $2 AND cardinality(agents) = 1";
    let params = vec![
        crate::Param::Text("Ann".into()),
        crate::Param::Text("2026-03-02T12:00:00Z".into()),
    ];
    let a = s.collect(sql, params).await.unwrap();
    assert!(super::reading::table(&a).contains("| 2 |"));
    // A newer version of the table is seen by the next snapshot, and not by an older one.
    let older = s.engine().snapshot();
    let lake = older.tables[CONTACTS.name].lake.clone().unwrap();
    let batch = ContactRow::batch(&[contact("e", 9, Some(60), 1000, "Ann")]).unwrap();
    let lake = lake
        .write([batch])
        .with_save_mode(SaveMode::Append)
        .await
        .unwrap();
    memory.change(|s| s.tables.get_mut(CONTACTS.name).unwrap().lake = Some(lake));
    let out = show(&s, "SELECT count(*) AS n FROM contacts").await;
    assert!(out.contains("| 6 |"), "{out}");
    let out = s
        .query_on(older, "SELECT count(*) AS n FROM contacts", vec![])
        .await
        .unwrap();
    assert!(super::reading::table(&out.collect().await.unwrap()).contains("| 5 |"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn derived_tables_are_what_the_views_show() {
    let dir = tempfile::tempdir().unwrap();
    let rows = [
        segment("a", 1, "queue", "support", "", 0, Some(5), "answered"),
        segment("a", 2, "talk", "support", "Ann", 5, Some(65), "completed"),
        segment(
            "z",
            1,
            "queue",
            "support",
            "",
            90_000,
            Some(90_005),
            "abandoned",
        ),
    ];
    let lake = stored::<SegmentRow>(dir.path(), &rows).await;
    let memory = Memory::new();
    memory.change(|s| s.tables.get_mut("segments").unwrap().lake = Some(lake));
    // What is written into the lake is all of it, whatever a person's query may take.
    let limits = Limits {
        time: Duration::from_millis(1),
        rows: 1,
        ..Limits::default()
    };
    let narrow = Engine::new(memory.clone(), limits).unwrap();
    let asked = narrow.session(Principal::local());
    let states = "SELECT state FROM agent_intervals";
    assert!(asked.collect(states, Vec::new()).await.is_err());
    let made = deriver(&narrow)
        .derive(memory.current(), &[rows[0].day.0])
        .await
        .unwrap();
    for spec in [&QUEUE_INTERVALS, &AGENT_INTERVALS] {
        for batch in &made[spec.name] {
            assert_eq!(batch.schema(), spec.schema());
        }
    }
    let count = |name: &str| made[name].iter().map(RecordBatch::num_rows).sum::<usize>();
    assert_eq!(count("queue_intervals"), 1);
    assert_eq!(count("agent_intervals"), 2);
    let none = deriver(&narrow)
        .derive(memory.current(), &[])
        .await
        .unwrap();
    assert!(none.values().all(Vec::is_empty) && none.len() == 2);
}
