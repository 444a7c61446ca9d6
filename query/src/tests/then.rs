//! Sessions over the picture of an earlier moment.

use std::sync::Arc;

use callboard_model::tables::{DEAD_LETTERS, DeadLetterRow};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{col, lit};

use super::fixture::{Memory, at, contact};
use super::lake::stored;
use super::reading::{engine, session, show};
use crate::{Class, router};

const COUNT: &str = "SELECT count(*) AS n, now() AS at FROM contacts";

/// One contact at first, two ten minutes later.
fn two() -> Arc<Memory> {
    let memory = Memory::new();
    memory.add(&[contact("a", 0, Some(60), 1000, "Ann")]);
    memory.change(|s| s.now = at(4200).0);
    memory.add(&[contact("b", 5, Some(60), 1000, "Bob")]);
    memory
}

#[tokio::test]
async fn a_session_reads_the_picture_it_was_given() {
    let memory = two();
    let now = session(&memory);
    let then = now.clone().at(Some(at(3900).0));
    for _ in 0..2 {
        let (was, is) = (
            then.cached(COUNT).await.unwrap(),
            now.cached(COUNT).await.unwrap(),
        );
        let text = |a: &crate::Answer| super::reading::table(a);
        assert!(
            text(&was).contains("| 1 | 2026-03-02T10:05:00Z |"),
            "{}",
            text(&was)
        );
        assert!(
            text(&is).contains("| 2 | 2026-03-02T10:10:00Z |"),
            "{}",
            text(&is)
        );
    }
    assert!(show(&then.clone().at(None), COUNT).await.contains("| 2 |"));
    let future = then.at(Some(at(9000).0)).query(COUNT).await.err().unwrap();
    assert_eq!(future.class, Class::Setting);
    assert!(future.message.contains("has not come yet"), "{future}");
}

#[tokio::test]
async fn http_takes_a_moment() {
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt as _;
    let router = router(engine(&two()));
    for (query, status, now) in [
        ("", 200, "2026-03-02T10:10:00.000000Z"),
        (
            "?as_of=2026-03-02T10:05:00Z",
            200,
            "2026-03-02T10:05:00.000000Z",
        ),
        (
            "?as_of=2026-03-02%2010:05",
            200,
            "2026-03-02T10:05:00.000000Z",
        ),
        ("?as_of=tomorrow", 400, ""),
        ("?as_of=2026-03-02T11:00:00Z", 400, ""),
    ] {
        let request = Request::post(format!("/v1/sql{query}")).body(Body::from(COUNT));
        let answer = router.clone().oneshot(request.unwrap()).await.unwrap();
        assert_eq!(answer.status(), status, "{query}");
        if status == 200 {
            assert_eq!(answer.headers()["callboard-now"], now, "{query}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_lake_got_later_is_not_seen() {
    let dir = tempfile::tempdir().unwrap();
    let letter = |id: &str, received: i64| DeadLetterRow {
        dead_letter_id: id.to_owned(),
        received_at: at(received),
        source: "/test".to_owned(),
        reason: "no JSON".to_owned(),
        class: "not_json".to_owned(),
        bytes: b"x".to_vec(),
        length: 1,
        sha256: String::new(),
        day: at(received).day(),
    };
    let rows = [letter("a", 0), letter("b", 100), letter("c", 101)];
    let lake = stored::<DeadLetterRow>(dir.path(), &rows).await;
    let memory = Memory::new();
    memory.change(|s| {
        let t = s.tables.get_mut(DEAD_LETTERS.name).unwrap();
        let last = ScalarValue::TimestampMicrosecond(Some(at(100).0), Some("UTC".into()));
        (t.lake, t.only) = (Some(lake), Some(col("received_at").lt_eq(lit(last))));
    });
    let s = session(&memory);
    let out = show(&s, "SELECT dead_letter_id FROM dead_letters ORDER BY 1").await;
    assert!(out.contains("| b ") && !out.contains("| c "), "{out}");
    // The time need not be read for its rows to be left out.
    let out = show(&s, "SELECT count(*) AS n FROM dead_letters").await;
    assert!(out.contains("| 2 |"), "{out}");
}
