//! What is refused, and what stops a query.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::fixture::{Memory, contact};
use super::reading::session;
use crate::{Class, Engine, Limits, Param, Principal};

async fn refused(sql: &str) -> Class {
    let memory = Memory::new();
    memory.add(&[contact("a", 0, Some(60), 1000, "Ann")]);
    let s = session(&memory);
    let error = s
        .collect(sql, Vec::new())
        .await
        .err()
        .unwrap_or_else(|| panic!("{sql} was answered"));
    let count = s.collect("SELECT count(*) FROM contacts", Vec::new()).await;
    assert_eq!(count.unwrap().rows(), 1);
    error.class
}

#[tokio::test]
async fn explain_analyze_insert_is_refused() {
    let sql = "EXPLAIN ANALYZE INSERT INTO contacts SELECT * FROM contacts";
    assert_eq!(refused(sql).await, Class::ReadOnly);
    assert_eq!(
        refused("INSERT INTO contacts SELECT * FROM contacts").await,
        Class::ReadOnly
    );
    let cte = "WITH x AS (INSERT INTO contacts SELECT * FROM contacts RETURNING 1) SELECT * FROM x";
    assert!(matches!(
        refused(cte).await,
        Class::ReadOnly | Class::Unsupported | Class::Syntax
    ));
}

#[tokio::test]
async fn select_into_is_refused() {
    assert_eq!(
        refused("SELECT * INTO zz FROM contacts").await,
        Class::ReadOnly
    );
}

#[tokio::test]
async fn set_of_the_engine_is_refused() {
    assert_eq!(
        refused("SET datafusion.execution.batch_size = 7").await,
        Class::ReadOnly
    );
    assert_eq!(
        refused("SET datafusion.runtime.memory_limit = '9G'").await,
        Class::ReadOnly
    );
    assert_eq!(
        refused("RESET datafusion.execution.batch_size").await,
        Class::ReadOnly
    );
}

#[tokio::test]
async fn copy_to_a_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.csv");
    let sql = format!("COPY (SELECT 1) TO '{}'", path.display());
    assert_eq!(refused(&sql).await, Class::ReadOnly);
    assert!(!path.exists());
}

#[tokio::test]
async fn external_tables_are_refused() {
    for format in ["PARQUET", "CSV", "TEXTFILE"] {
        let sql = format!("CREATE EXTERNAL TABLE t STORED AS {format} LOCATION '/etc/passwd'");
        assert_eq!(refused(&sql).await, Class::ReadOnly);
    }
}

#[tokio::test]
async fn files_of_the_server_cannot_be_read() {
    for sql in [
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM \"/etc/passwd\"",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT pg_read_file('/etc/passwd')",
    ] {
        assert_eq!(refused(sql).await, Class::Invalid, "{sql}");
    }
}

#[tokio::test]
async fn drop_and_create_are_refused() {
    for sql in [
        "DROP TABLE contacts",
        "DROP VIEW contacts",
        "CREATE VIEW v AS SELECT 1",
        "CREATE TABLE t AS SELECT 1",
        "CREATE FUNCTION f() RETURNS INT RETURN 1",
        "DELETE FROM contacts",
        "UPDATE contacts SET queue = 'x'",
        "TRUNCATE contacts",
        "PREPARE p AS SELECT 1",
    ] {
        assert_eq!(refused(sql).await, Class::ReadOnly, "{sql}");
    }
}

/// The engine reads these and passes over them: a sample would be all rows, a lock none.
#[tokio::test]
async fn what_would_be_ignored_is_refused() {
    for (sql, class) in [
        (
            "SELECT * FROM contacts TABLESAMPLE SYSTEM (10)",
            Class::Unsupported,
        ),
        (
            "WITH x AS (SELECT * FROM contacts TABLESAMPLE BERNOULLI (1)) SELECT * FROM x",
            Class::Unsupported,
        ),
        (
            "SELECT * FROM generate_series(1, 3) WITH ORDINALITY",
            Class::Unsupported,
        ),
        ("SELECT * FROM contacts FOR UPDATE", Class::ReadOnly),
        ("EXPLAIN SELECT * FROM contacts FOR UPDATE", Class::ReadOnly),
        (
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM contacts FOR SHARE)",
            Class::ReadOnly,
        ),
    ] {
        assert_eq!(refused(sql).await, class, "{sql}");
    }
}

#[tokio::test]
async fn the_internal_schema_cannot_be_named() {
    for sql in [
        "SELECT * FROM internal.contacts",
        "SELECT * FROM callboard.internal.records",
        "SELECT * FROM internal.audio",
        "SELECT * FROM callboard.audio",
    ] {
        assert_eq!(refused(sql).await, Class::Invalid, "{sql}");
    }
}

#[tokio::test]
async fn deep_nesting_is_refused_and_does_not_crash() {
    let deep = format!("SELECT {}1{}", "(".repeat(10_000), ")".repeat(10_000));
    assert_eq!(refused(&deep).await, Class::TooComplex);
    let chain = format!("SELECT 1{}", " + 1".repeat(590));
    let memory = Memory::new();
    let s = session(&memory);
    assert_eq!(s.collect(&chain, Vec::new()).await.unwrap().rows(), 1);
    let nots = format!("SELECT {} true", "NOT ".repeat(590));
    assert!(s.collect(&nots, Vec::new()).await.is_err());
    let unions = vec!["SELECT 1"; 100].join(" UNION ALL ");
    // Planned or refused, but answered.
    let _ = s.collect(&unions, Vec::new()).await;
}

fn tight() -> (Arc<Memory>, Engine) {
    let memory = Memory::new();
    let limits = Limits {
        time: Duration::from_millis(400),
        wait: Duration::from_millis(200),
        rows: 1000,
        memory: 8 << 20,
        running: 2,
        ..Limits::default()
    };
    let engine = Engine::new(memory.clone(), limits).unwrap();
    (memory, engine)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_row_limit_stops_a_query() {
    let (_memory, engine) = tight();
    let s = engine.session(Principal::local());
    let e = s
        .collect("SELECT * FROM generate_series(1, 5000)", Vec::new())
        .await;
    assert_eq!(e.unwrap_err().class, Class::TooManyRows);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_limit_stops_a_query_and_frees_its_place() {
    let (_memory, engine) = tight();
    let s = engine.session(Principal::local());
    for _ in 0..3 {
        let e = s.collect(ENDLESS, Vec::new()).await;
        assert_eq!(e.unwrap_err().class, Class::Timeout);
    }
    let until = Instant::now() + Duration::from_secs(20);
    while s.collect("SELECT 1", Vec::new()).await.is_err() {
        assert!(Instant::now() < until, "the places were never freed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_the_answer_stops_a_query() {
    let memory = Memory::new();
    let engine = Engine::new(
        memory,
        Limits {
            running: 1,
            wait: Duration::from_secs(20),
            rows: usize::MAX,
            ..Limits::default()
        },
    )
    .unwrap();
    let s = engine.session(Principal::local());
    let mut running = s
        .query("SELECT * FROM generate_series(1, 1000000000000)")
        .await
        .unwrap();
    assert!(running.next().await.unwrap().is_ok());
    drop(running);
    assert_eq!(s.collect("SELECT 1", Vec::new()).await.unwrap().rows(), 1);
}

fn one_place(waiting: usize, time: Duration) -> Engine {
    let limits = Limits {
        time,
        wait: Duration::from_secs(60),
        waiting,
        running: 1,
        ..Limits::default()
    };
    Engine::new(Memory::new(), limits).unwrap()
}

const SHORT: Duration = Duration::from_millis(400);

const ENDLESS: &str =
    "SELECT count(*) FROM generate_series(1, 1000000000000) AS t(v) WHERE v % 7 = 8";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_for_a_place_does_not_count_as_running() {
    let s = one_place(64, SHORT).session(Principal::local());
    // The last one waits for all before it, which is much longer than it may itself run.
    let before = futures::future::join_all((0..4).map(|_| s.collect(ENDLESS, Vec::new())));
    let last = async {
        while s.engine().waiting() < 3 {
            tokio::task::yield_now().await;
        }
        s.collect("SELECT 1", Vec::new()).await
    };
    let (before, last) = futures::join!(before, last);
    for one in before {
        assert_eq!(one.unwrap_err().class, Class::Timeout);
    }
    assert_eq!(last.unwrap().rows(), 1);
    assert_eq!(s.engine().waiting(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_waiting_are_refused_at_once() {
    let s = one_place(2, SHORT).session(Principal::local());
    let three = futures::future::join_all((0..3).map(|_| s.collect(ENDLESS, Vec::new())));
    let fourth = async {
        while s.engine().waiting() < 2 {
            tokio::task::yield_now().await;
        }
        s.collect("SELECT 1", Vec::new()).await
    };
    let (three, fourth) = futures::join!(three, fourth);
    let refused = fourth.unwrap_err();
    assert_eq!(refused.class, Class::Busy, "{refused}");
    assert!(refused.message.contains("2 wait already"), "{refused}");
    for one in three {
        assert_eq!(one.unwrap_err().class, Class::Timeout);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http_the_refused_are_told_when_to_come_back() {
    use tower::ServiceExt as _;
    let engine = one_place(0, Duration::from_secs(60));
    let s = engine.session(Principal::local());
    let mut running = s
        .query("SELECT * FROM generate_series(1, 100000)")
        .await
        .unwrap();
    let request = axum::http::Request::post("/v1/sql")
        .body(axum::body::Body::from("SELECT 1"))
        .unwrap();
    let answer = crate::router(engine).oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers()["retry-after"], "5");
    assert!(running.next().await.unwrap().is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_memory_limit_stops_a_query() {
    let memory = Memory::new();
    let limits = Limits {
        memory: 1 << 20,
        spill: 1 << 20,
        ..Limits::default()
    };
    let engine = Engine::new(memory, limits).unwrap();
    let s = engine.session(Principal::local());
    let sql = "SELECT array_agg(concat('x', v)) FROM generate_series(1, 3000000) AS t(v)";
    assert_eq!(
        s.collect(sql, Vec::new()).await.unwrap_err().class,
        Class::Memory
    );
}

#[tokio::test]
async fn joins_without_an_equality_over_many_rows_are_refused() {
    let memory = Memory::new();
    let s = session(&memory);
    let sql = "SELECT count(*) FROM generate_series(1, 100000) AS a(x), generate_series(1, 100000) AS b(y) WHERE x < y";
    let e = s.collect(sql, Vec::new()).await.unwrap_err();
    assert_eq!(e.class, Class::TooComplex, "{e}");
    let small =
        "SELECT count(*) FROM (VALUES (1), (2)) AS a(x), (VALUES (1), (3)) AS b(y) WHERE x < y";
    assert_eq!(s.collect(small, Vec::new()).await.unwrap().rows(), 1);
}

#[tokio::test]
async fn functions_that_make_much_from_little_are_refused() {
    let memory = Memory::new();
    let s = session(&memory);
    for sql in [
        "SELECT length(repeat('x', 2000000000))",
        "SELECT length(replace(repeat('a', 100000), 'a', 'bb'))",
        "SELECT lpad('x', 500000000, 'y')",
        "SELECT cardinality(array_repeat(1, 100000000))",
        "SELECT count(*) FROM (SELECT unnest(range(0, 100000000)) AS x) AS t",
        "SELECT count(*) FROM (SELECT unnest(range(0 + 0, 1 + 99999999)) AS x) AS t",
        "SELECT repeat('x', n) FROM (VALUES (5), (2000000000)) AS t(n)",
    ] {
        let e = s.collect(sql, Vec::new()).await.unwrap_err();
        assert_eq!(e.class, Class::TooComplex, "{sql}: {e}");
    }
    for sql in [
        "SELECT length(repeat('x', 1000))",
        "SELECT lpad('7', 3, '0')",
        "SELECT unnest(range(0, 24)) AS hour",
    ] {
        assert!(s.collect(sql, Vec::new()).await.is_ok(), "{sql}");
    }
}

#[tokio::test]
async fn parameters_fit_or_are_refused_by_number() {
    let memory = Memory::new();
    memory.add(&[contact("a", 0, Some(60), 1000, "Ann")]);
    let s = session(&memory);
    let sql = "SELECT contact_id FROM contacts WHERE agent = $1 AND started_at >= $2 AND wait_ms < $3 LIMIT $4";
    let params = |third: Param| {
        vec![
            Param::Text("Ann".into()),
            Param::Text("2026-03-01".into()),
            third,
            Param::Int(5),
        ]
    };
    for _ in 0..2 {
        let a = s.collect(sql, params(Param::Int(2000))).await.unwrap();
        assert_eq!(a.rows(), 1);
    }
    assert_eq!(
        s.collect(sql, params(Param::Text("10".into())))
            .await
            .unwrap()
            .rows(),
        0
    );
    let e = s
        .collect(sql, params(Param::Text("soon".into())))
        .await
        .unwrap_err();
    assert!(e.message.contains("parameter $3"), "{e}");
    let e = s.collect(sql, Vec::new()).await.unwrap_err();
    assert!(e.message.contains("4 parameters and 0 values"), "{e}");
}
