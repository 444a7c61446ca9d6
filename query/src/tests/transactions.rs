//! Settings and the end of the transaction in which they were made, over the wire: a connection that
//! stays in the past without a word shows wrong figures ever after.

use tokio_postgres::Client;

use super::wire::{Running, code, lines};

const THEN: &str = "2026-03-02T09:00:00.000000Z";
const SET: &str = "SET callboard.as_of = '2026-03-02T09:00:00Z'";
const LOCAL: &str = "SET LOCAL callboard.as_of = '2026-03-02T09:00:00Z'";

async fn shown(client: &Client) -> String {
    lines(client, "SHOW callboard.as_of").await.join("\n")
}

/// Plays these texts, each on its own, and gives what the moment is at the end; a text with `!`
/// before it must fail.
async fn play(client: &Client, texts: &[&str]) -> String {
    for text in texts {
        match text.strip_prefix('!') {
            Some(bad) => {
                let told = client.simple_query(bad).await;
                assert!(told.is_err(), "{bad}: {told:?}");
            }
            None => drop(lines(client, text).await),
        }
    }
    let moment = shown(client).await;
    lines(client, "ROLLBACK; RESET callboard.as_of").await;
    assert_eq!(shown(client).await, "", "{texts:?}");
    moment
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_moment_of_a_transaction_ends_with_it() {
    let running = Running::start(|_| {}).await;
    let client = running.client("user=me dbname=callboard").await.unwrap();
    for (texts, moment) in [
        (&["BEGIN", LOCAL][..], THEN),
        (&["BEGIN", LOCAL, "COMMIT"], ""),
        (&["BEGIN", LOCAL, "ROLLBACK"], ""),
        (&["BEGIN", SET], THEN),
        (&["BEGIN", SET, "ROLLBACK"], ""),
        (&["BEGIN", SET, "COMMIT"], THEN),
        (&["BEGIN", SET, "END"], THEN),
        (&[SET, "BEGIN", "RESET callboard.as_of", "ROLLBACK"], THEN),
        (&[SET, "BEGIN", "RESET callboard.as_of", "COMMIT"], ""),
        (&["BEGIN", LOCAL, "RESET callboard.as_of", "COMMIT"], ""),
        // What failed is not committed.
        (&["BEGIN", SET, "!SELECT nonsense", "COMMIT"], ""),
        (&["BEGIN", LOCAL, "!SELECT nonsense", "ROLLBACK"], ""),
        // Part of it is rolled back.
        (
            &["BEGIN", "SAVEPOINT s", LOCAL, "ROLLBACK TO SAVEPOINT s"],
            "",
        ),
        (
            &["BEGIN", "SAVEPOINT s", SET, "ROLLBACK TO s", "COMMIT"],
            "",
        ),
        (&["BEGIN", SET, "SAVEPOINT s", "RELEASE s", "COMMIT"], THEN),
        // Without a transaction it would hold for nothing, which is said.
        (&[&format!("!{LOCAL}")], ""),
    ] {
        assert_eq!(play(&client, texts).await, moment, "{texts:?}");
    }
    // The same in one text each.
    for (text, moment) in [
        (format!("BEGIN; {LOCAL}; SELECT 1; COMMIT"), ""),
        (format!("BEGIN; {SET}; ROLLBACK"), ""),
        (format!("BEGIN; {SET}; COMMIT"), THEN),
        (format!("!BEGIN; {SET}; SELECT nonsense; COMMIT"), ""),
        (format!("!BEGIN; {LOCAL}; SELECT nonsense"), ""),
    ] {
        assert_eq!(play(&client, &[&text]).await, moment, "{text}");
    }
    let refused = client.simple_query(LOCAL).await.unwrap_err();
    assert_eq!(code(&refused), "22023", "{refused:?}");
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn and_by_prepared_statements_too() {
    let running = Running::start(|_| {}).await;
    let client = running.client("user=me dbname=callboard").await.unwrap();
    for (texts, moment) in [
        (["BEGIN", LOCAL, "COMMIT"], ""),
        (["BEGIN", LOCAL, "ROLLBACK"], ""),
        (["BEGIN", SET, "ROLLBACK"], ""),
        (["BEGIN", SET, "COMMIT"], THEN),
    ] {
        for text in texts {
            client.execute(text, &[]).await.unwrap();
        }
        assert_eq!(shown(&client).await, moment, "{texts:?}");
        client.execute("RESET callboard.as_of", &[]).await.unwrap();
    }
    // Other settings likewise.
    for text in [
        "SET statement_timeout = '2s'",
        "BEGIN",
        "SET LOCAL statement_timeout = '3s'",
        "COMMIT",
    ] {
        client.execute(text, &[]).await.unwrap();
    }
    assert_eq!(lines(&client, "SHOW statement_timeout").await, ["2s"]);
    running.end().await;
}
