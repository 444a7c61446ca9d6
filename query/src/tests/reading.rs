//! Views, figures and one snapshot per query.

use std::sync::Arc;

use arrow::util::pretty::pretty_format_batches;

use super::fixture::{Memory, at, contact, segment, target};
use crate::{Answer, Engine, Limits, Principal, Session};

pub fn engine(memory: &Arc<Memory>) -> Engine {
    Engine::new(memory.clone(), Limits::default()).unwrap()
}

pub fn session(memory: &Arc<Memory>) -> Session {
    engine(memory).session(Principal::local())
}

pub fn table(answer: &Answer) -> String {
    pretty_format_batches(&answer.batches).unwrap().to_string()
}

pub async fn show(session: &Session, sql: &str) -> String {
    match session.collect(sql, Vec::new()).await {
        Ok(answer) => table(&answer),
        Err(e) => panic!("{sql}: {e}"),
    }
}

#[tokio::test]
async fn empty_views_answer_with_no_rows() {
    let memory = Memory::new();
    let session = session(&memory);
    for view in session.engine().views() {
        let sql = format!("SELECT * FROM callboard.{}", view.name);
        let answer = session.collect(&sql, Vec::new()).await.unwrap();
        let documented = matches!(
            view.name.as_str(),
            "columns" | "metrics" | "observability" | "snapshot"
        );
        assert_eq!(answer.rows() > 0, documented, "{}", view.name);
        let count = format!("SELECT count(*) FROM {}", view.name);
        assert_eq!(session.collect(&count, Vec::new()).await.unwrap().rows(), 1);
    }
}

#[tokio::test]
async fn every_column_of_every_view_is_explained() {
    let memory = Memory::new();
    let engine = engine(&memory);
    for c in engine.columns() {
        assert!(!c.comment.is_empty(), "{}.{}", c.table, c.column);
    }
    for v in engine.views() {
        assert!(!v.comment.is_empty(), "{}", v.name);
        assert!(
            engine.columns().iter().any(|c| c.table == v.name),
            "{}",
            v.name
        );
    }
}

#[tokio::test]
async fn queue_counts_add_up() {
    let memory = Memory::new();
    memory.add(&[
        target("t1", "support", 10_000, None, Some(1000)),
        target("t2", "support", 30_000, Some(1000), None),
    ]);
    memory.add(&[
        segment("a", 1, "queue", "support", "", 0, Some(5), "answered"),
        segment("a", 2, "talk", "support", "Ann", 5, Some(65), "completed"),
        segment("b", 1, "queue", "support", "", 10, Some(12), "abandoned"),
        segment("c", 1, "queue", "support", "", 20, Some(40), "abandoned"),
        segment("d", 1, "queue", "support", "", 30, Some(31), "error"),
        segment("e", 1, "queue", "support", "", 40, Some(100), "timeout"),
        segment("f", 1, "queue", "support", "", 50, Some(60), "overflow"),
        segment("g", 1, "queue", "support", "", 60, Some(70), "no_agents"),
        segment("h", 1, "queue", "support", "", 70, Some(75), "key_exit"),
        segment("i", 1, "queue", "support", "", 80, None, ""),
        segment("j", 1, "queue", "support", "", 90, None, "lost"),
        segment("k", 1, "queue", "support", "", 95, Some(95), "refused"),
        // After a quarter of an hour and under the second target.
        segment("l", 1, "queue", "support", "", 1200, Some(1225), "answered"),
        segment(
            "l",
            2,
            "talk",
            "support",
            "Bob",
            1225,
            Some(1235),
            "transferred",
        ),
        segment(
            "l",
            3,
            "talk",
            "support",
            "Ann",
            1235,
            Some(1245),
            "completed",
        ),
        segment(
            "l",
            4,
            "wrapup",
            "support",
            "Ann",
            1245,
            Some(1250),
            "completed",
        ),
    ]);
    let s = session(&memory);
    let out = show(
        &s,
        "SELECT interval_start, offered, answered, answered_in_target AS t, abandoned AS b,
                short_abandoned AS s, timed_out AS o, overflowed AS f, no_agent AS n,
                left_other AS x, lost AS l, waiting AS w, refused AS r, wait_ms_sum, talk_ms_sum,
                talk_count AS tc, wrap_ms_sum, threshold_ms, day
         FROM queue_intervals ORDER BY 1",
    )
    .await;
    println!("{out}");
    assert!(out.contains(
        "| 2026-03-02T09:00:00Z | 10      | 1        | 1 | 3 | 2 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 5000        | 60000       | 1  |             | 10000        | 2026-03-02 |"
    ));
    assert!(out.contains(
        "| 2026-03-02T09:15:00Z | 1       | 1        | 1 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 25000       | 20000       | 2  | 5000        | 30000        | 2026-03-02 |"
    ));
    let sums = show(
        &s,
        "SELECT count(*) FROM queue_intervals WHERE offered <> answered + abandoned + timed_out
         + overflowed + no_agent + left_other + lost + waiting",
    )
    .await;
    assert!(sums.contains("| 0 "), "{sums}");
    let now = show(
        &s,
        "SELECT queue, waiting, longest_wait_ms, oldest_contact FROM now_queues",
    )
    .await;
    assert!(
        now.contains("| support | 1       | 3520000         | i "),
        "{now}"
    );
}

#[tokio::test]
async fn a_query_sees_exactly_one_snapshot() {
    let memory = Memory::new();
    memory.add(&[contact("a", 0, Some(60), 1000, "Ann")]);
    let s = session(&memory);
    let snapshot = s.engine().snapshot();
    memory.add(&[contact("b", 0, Some(60), 1000, "Ann")]);
    let sql = "SELECT count(*) AS n, (SELECT count(*) FROM contacts) AS m FROM contacts";
    let old = s.query_on(snapshot, sql, Vec::new()).await.unwrap();
    assert_eq!(old.version, 2);
    let old = old.collect().await.unwrap();
    assert!(table(&old).contains("| 1 | 1 |"), "{}", table(&old));
    let new = s.collect(sql, Vec::new()).await.unwrap();
    assert_eq!(new.version, 3);
    assert!(table(&new).contains("| 2 | 2 |"));
    assert_eq!(new.now, at(3600).0);
    let now = show(&s, "SELECT now() = (SELECT now FROM snapshot) AS same").await;
    assert!(now.contains("true"), "{now}");
}
