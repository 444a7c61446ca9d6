//! Lists, texts and loops that grow without end: memory and time stop them.

use std::time::Duration;

use super::fixture::Memory;
use super::reading::{session, show};
use crate::{Class, Engine, Limits, Principal};

/// Many pairs of few rows.
const LOOP: &str = "FROM generate_series(1, 7000) AS a(x), generate_series(1, 7000) AS b(y)";

fn engine(memory: usize, time: Duration) -> Engine {
    let limits = Limits {
        memory,
        spill: 1 << 20,
        time,
        running: 1,
        // Refused beforehand they could not be stopped.
        loop_rows: u64::MAX,
        ..Limits::default()
    };
    Engine::new(Memory::new(), limits).unwrap()
}

const GATHERED: [&str; 5] = [
    "array_agg(a.x)",
    "array_agg(a.x ORDER BY b.y DESC)",
    "array_agg(DISTINCT a.x * 7001 + b.y)",
    "string_agg(concat(a.x, '-'), ',')",
    "array_agg(1)",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_stops_what_is_gathered_over_a_loop() {
    let engine = engine(8 << 20, Duration::from_secs(60));
    let s = engine.session(Principal::local());
    for what in GATHERED {
        for sql in [
            format!("SELECT {what} {LOOP}"),
            format!("SELECT b.y % 3 AS k, {what} {LOOP} GROUP BY b.y % 3"),
        ] {
            let e = s.collect(&sql, Vec::new()).await.unwrap_err();
            assert_eq!(e.class, Class::Memory, "{sql}: {e}");
            // The one place is free again, and nothing of it is held.
            assert_eq!(s.collect("SELECT 1", Vec::new()).await.unwrap().rows(), 1);
            assert_eq!(engine.shared.pool.reserved(), 0, "{sql}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_stops_what_is_gathered_or_compared_in_a_loop() {
    let engine = engine(16 << 30, Duration::from_millis(300));
    let s = engine.session(Principal::local());
    let pairs = [
        "a, generate_series(1, 7000) AS b WHERE a.value + b.value < 0",
        "a JOIN generate_series(1, 200000) AS b ON a.value % 2 = b.value % 2 \
         WHERE a.value + b.value < 0",
    ];
    let gathered = GATHERED.map(|what| format!("SELECT {what} {LOOP}"));
    let compared = pairs.map(|p| format!("SELECT count(*) FROM generate_series(1, 7000) AS {p}"));
    let asked = ["EXISTS", "NOT EXISTS"].map(|word| {
        format!(
            "SELECT count(*) FROM generate_series(1, 100000) AS a WHERE {word} (SELECT 1 \
             FROM generate_series(1, 100000) AS b WHERE b.value % 2 = a.value % 2)"
        )
    });
    let within = "SELECT count(*) FROM generate_series(1, 100000) AS a \
                  WHERE a.value % 2 NOT IN (SELECT b.value % 2 FROM generate_series(1, 100000) AS b)";
    let within = [within.to_owned()];
    for sql in gathered
        .iter()
        .chain(&compared)
        .chain(&asked)
        .chain(&within)
    {
        let e = s.collect(sql, Vec::new()).await.unwrap_err();
        assert_eq!(e.class, Class::Timeout, "{sql}: {e}");
        // Work has stopped with it: the one place comes free before those who wait give up.
        assert_eq!(s.collect("SELECT 1", Vec::new()).await.unwrap().rows(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_wait_for_the_end_of_a_window_are_counted() {
    let engine = engine(4 << 20, Duration::from_secs(60));
    let s = engine.session(Principal::local());
    let sql = "SELECT count(s) FROM (SELECT sum(x) OVER () AS s \
               FROM generate_series(1, 3000000) AS t(x)) AS w";
    let e = s.collect(sql, Vec::new()).await.unwrap_err();
    assert_eq!(e.class, Class::Memory, "{e}");
    for sql in [
        "SELECT array_agg(x) OVER (ORDER BY x) FROM generate_series(1, 9) AS t(x)",
        "SELECT string_agg('x', '') OVER (ORDER BY x) FROM generate_series(1, 9) AS t(x)",
    ] {
        let e = s.collect(sql, Vec::new()).await.unwrap_err();
        assert_eq!(e.class, Class::TooComplex, "{sql}: {e}");
    }
}

#[tokio::test]
async fn what_is_small_is_gathered_as_before() {
    let s = session(&Memory::new());
    for (sql, told) in [
        (
            "SELECT array_agg(x) AS l FROM generate_series(1, 4) AS t(x)",
            "[1, 2, 3, 4]",
        ),
        (
            "SELECT array_agg(x ORDER BY x DESC) AS l FROM generate_series(1, 4) AS t(x)",
            "[4, 3, 2, 1]",
        ),
        (
            "SELECT string_agg(concat(x, '!'), ',' ORDER BY x) AS l \
             FROM generate_series(1, 3) AS t(x)",
            "1!,2!,3!",
        ),
        (
            "SELECT array_agg(DISTINCT 5) AS l FROM generate_series(1, 20000) AS t(x)",
            "[5]",
        ),
        (
            "SELECT k, cardinality(array_agg(x)) AS l FROM (SELECT x, x % 2 AS k \
             FROM generate_series(1, 20001) AS t(x)) AS u GROUP BY k ORDER BY k",
            "| 1 | 10001 |",
        ),
        (
            "SELECT cardinality(array_agg(1)) AS l FROM generate_series(1, 20001) AS t(x)",
            "20001",
        ),
        (
            "SELECT concat(count(*), ' ', count(b.y)) AS n FROM (VALUES (1), (2), (3)) AS a(x) \
             LEFT JOIN (VALUES (1), (2), (3)) AS b(y) ON a.x < b.y",
            "| 4 3 |",
        ),
        (
            "SELECT count(*) AS n FROM (VALUES (1), (2), (3)) AS a(x) \
             WHERE EXISTS (SELECT 1 FROM (VALUES (2), (2), (4)) AS b(y) WHERE b.y = a.x)",
            "| 1 |",
        ),
        (
            "SELECT count(*) AS n FROM (VALUES (1), (2), (3)) AS a(x) \
             WHERE a.x NOT IN (SELECT y FROM (VALUES (2), (4)) AS b(y))",
            "| 2 |",
        ),
        (
            "SELECT count(*) AS n FROM (VALUES (1), (2), (3)) AS a(x) \
             WHERE a.x NOT IN (SELECT y FROM (VALUES (2), (NULL)) AS b(y))",
            "| 0 |",
        ),
        (
            "SELECT sum(s) AS n FROM (SELECT count(*) OVER () AS s \
             FROM generate_series(1, 20001) AS t(x)) AS w",
            "400040001",
        ),
    ] {
        let out = show(&s, sql).await;
        assert!(out.contains(told), "{sql}: {out}");
    }
}
