//! The PostgreSQL wire, with a client that is not ours and with psql where it is installed.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::{Client, NoTls, SimpleQueryMessage};
use tokio_util::sync::CancellationToken;

use super::figures::fill;
use super::fixture::Memory;
use crate::pgwire::{PgError, PgOptions, PgServer, PgTls, PgUser, serve};
use crate::{Engine, Limits};

pub struct Running {
    server: PgServer,
    stop: CancellationToken,
}

impl Running {
    pub async fn start(change: impl FnOnce(&mut PgOptions)) -> Self {
        let memory: Arc<Memory> = Memory::new();
        fill(&memory);
        let limits = Limits {
            time: Duration::from_secs(20),
            ..Limits::default()
        };
        let engine = Engine::new(memory, limits).unwrap();
        let mut options = PgOptions::loopback("127.0.0.1:0".parse().unwrap());
        change(&mut options);
        let stop = CancellationToken::new();
        let server = serve(engine, options, stop.clone()).await.unwrap();
        Running { server, stop }
    }

    pub fn url(&self, rest: &str) -> String {
        format!("host=127.0.0.1 port={} {rest}", self.server.addr.port())
    }

    pub async fn client(&self, rest: &str) -> Result<Client, tokio_postgres::Error> {
        let (client, connection) = tokio_postgres::connect(&self.url(rest), NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    pub async fn end(self) {
        self.stop.cancel();
        self.server.stopped().await;
    }
}

pub fn code(e: &tokio_postgres::Error) -> String {
    e.code().map(|c| c.code().to_owned()).unwrap_or_default()
}

pub async fn lines(client: &Client, sql: &str) -> Vec<String> {
    let messages = client
        .simple_query(sql)
        .await
        .unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    messages
        .iter()
        .filter_map(|m| match m {
            SimpleQueryMessage::Row(r) => Some(
                (0..r.len())
                    .map(|i| r.get(i).unwrap_or("∅").to_owned())
                    .collect::<Vec<_>>()
                    .join("|"),
            ),
            _ => None,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_come_over_both_protocols() {
    let running = Running::start(|_| {}).await;
    let client = running
        .client("user=anyone dbname=callboard")
        .await
        .unwrap();
    assert_eq!(
        lines(
            &client,
            "SELECT contact_id, talk_ms, started_at FROM contacts ORDER BY 1 LIMIT 1; SELECT 2"
        )
        .await,
        ["a|60000|2026-03-02 09:00:00+00", "2"]
    );
    let rows = client
        .query(
            "SELECT contact_id, wait_ms, agents, outcome = 'answered' FROM callboard.contacts WHERE agent = $1 AND talk_ms > $2 LIMIT $3",
            &[&"Ann", &10_i64, &5_i64],
        )
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].get::<_, String>(0), "a");
    assert_eq!(rows[0].get::<_, Option<i64>>(1), Some(1000));
    assert_eq!(rows[0].get::<_, Vec<String>>(2), ["Ann"]);
    assert!(rows[0].get::<_, bool>(3));
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn courtesies_and_refusals_over_the_wire() {
    let running = Running::start(|_| {}).await;
    let client = running
        .client("user=anyone dbname=callboard")
        .await
        .unwrap();
    lines(
        &client,
        "BEGIN; SAVEPOINT s; RELEASE SAVEPOINT s; ROLLBACK TO SAVEPOINT s; COMMIT",
    )
    .await;
    lines(
        &client,
        "SET statement_timeout = '2s'; SET client_encoding TO 'UTF8'",
    )
    .await;
    assert_eq!(lines(&client, "SHOW statement_timeout").await, ["2s"]);
    lines(&client, "DISCARD ALL").await;
    assert_eq!(lines(&client, "SHOW statement_timeout").await, ["0"]);
    let version = lines(&client, "SELECT version()").await;
    assert!(version[0].starts_with("PostgreSQL 16"), "{version:?}");
    for (sql, want) in [
        ("INSERT INTO contacts SELECT * FROM contacts", "25006"),
        (
            "EXPLAIN ANALYZE INSERT INTO contacts SELECT * FROM contacts",
            "25006",
        ),
        ("SELECT * INTO zz FROM contacts", "25006"),
        ("SET datafusion.execution.batch_size = 7", "25006"),
        ("COPY (SELECT 1) TO '/tmp/never'", "25006"),
        (
            "CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '/etc'",
            "25006",
        ),
        ("DROP VIEW contacts", "25006"),
        ("SELECT * FROM internal.contacts", "42P01"),
        ("SELECT * FROM '/etc/passwd'", "42601"),
        ("DECLARE c CURSOR FOR SELECT 1", "0A000"),
        ("COPY (SELECT 1) TO STDOUT", "0A000"),
        ("SELECT * FROM contacts FOR UPDATE", "25006"),
        ("SELECT * FROM contacts TABLESAMPLE SYSTEM (1)", "0A000"),
        ("SELECT nothing FROM contacts", "42703"),
    ] {
        let e = client.simple_query(sql).await.expect_err(sql);
        let got = code(&e);
        assert!(
            got == want || (want == "42601" && got == "42P01"),
            "{sql}: {got} {e:?}"
        );
        let e = client.query(sql, &[]).await.expect_err(sql);
        assert!(!code(&e).is_empty(), "{sql}");
    }
    let e = running
        .client("user=anyone dbname=postgres")
        .await
        .err()
        .unwrap();
    assert_eq!(code(&e), "3D000");
    assert!(e.as_db_error().unwrap().message().contains("callboard"));
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timeouts_and_cancel_requests_stop_a_running_query() {
    let running = Running::start(|_| {}).await;
    let client = running
        .client("user=anyone dbname=callboard")
        .await
        .unwrap();
    let endless = "SELECT count(*) FROM generate_series(1, 1000000000000) AS t(v) WHERE v % 7 = 8";
    lines(&client, "SET statement_timeout = '300ms'").await;
    let e = client.simple_query(endless).await.unwrap_err();
    assert_eq!(code(&e), "57014");
    let e = client.query(endless, &[]).await.unwrap_err();
    assert_eq!(code(&e), "57014");
    lines(&client, "SET statement_timeout = 0").await;
    let token = client.cancel_token();
    let asked = tokio::spawn(async move {
        // Sent again until one meets the query while it runs.
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let _ = token.cancel_query(NoTls).await;
        }
    });
    let e = client.simple_query(endless).await.unwrap_err();
    asked.abort();
    assert_eq!(code(&e), "57014");
    assert!(
        e.as_db_error().unwrap().message().contains("user request"),
        "{e:?}"
    );
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passwords_are_asked_where_users_are_configured() {
    let running = Running::start(|o| o.users = vec![PgUser::from_password("ann", "secret")]).await;
    let ok = running
        .client("user=ann password=secret dbname=callboard")
        .await
        .unwrap();
    assert_eq!(lines(&ok, "SELECT 1").await, ["1"]);
    for bad in ["user=ann password=wrong", "user=bob password=secret"] {
        let e = running
            .client(&format!("{bad} dbname=callboard"))
            .await
            .err()
            .unwrap();
        assert_eq!(code(&e), "28P01", "{e:?}");
    }
    running.end().await;
}

#[tokio::test]
async fn nothing_is_served_openly_or_with_a_bad_certificate() {
    let memory = Memory::new();
    let engine = Engine::new(memory, Limits::default()).unwrap();
    let open = PgOptions::loopback("0.0.0.0:0".parse().unwrap());
    let e = serve(engine.clone(), open, CancellationToken::new()).await;
    assert!(matches!(e, Err(PgError::Open(_))));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bad.pem");
    std::fs::write(&file, "no certificate").unwrap();
    let mut bad = PgOptions::loopback("127.0.0.1:0".parse().unwrap());
    bad.tls = Some(PgTls {
        certificate: file.clone(),
        key: file,
    });
    let e = serve(engine, bad, CancellationToken::new()).await;
    assert!(matches!(e, Err(PgError::Tls { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_beyond_the_limit_are_told_so() {
    let running = Running::start(|o| o.connections = 1).await;
    let first = running.client("user=a dbname=callboard").await.unwrap();
    let e = running
        .client("user=a dbname=callboard")
        .await
        .err()
        .unwrap();
    assert_eq!(code(&e), "53300", "{e:?}");
    assert_eq!(lines(&first, "SELECT 1").await, ["1"]);
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn psql_lists_views_and_comments() {
    assert!(
        std::path::Path::new("/usr/bin/psql").exists(),
        "psql is missing: install the package postgresql-client"
    );
    let running = Running::start(|_| {}).await;
    for (commands, wanted) in [
        (
            "\\dv callboard.*",
            &["queue_intervals", "contacts", "view"][..],
        ),
        (
            "\\d+ callboard.contacts",
            &[
                "contact_id",
                "Identity of the contact",
                "started_at",
                "timestamp with time zone",
            ],
        ),
        (
            "\\d callboard.segments",
            &["contact_id", "text", "duration_ms", "bigint"],
        ),
        ("\\d", &["contacts"]),
        ("\\dv+ callboard.*", &["One row per contact"]),
        ("\\dn", &["callboard"]),
        ("\\l", &["callboard"]),
        ("SELECT count(*) FROM contacts", &["4"]),
    ] {
        let url = running.url("user=me dbname=callboard");
        let run = move || {
            std::process::Command::new("/usr/bin/psql")
                .args(["-X", "-d", &url, "-c", commands])
                .stdin(Stdio::null())
                .output()
        };
        let out = tokio::task::spawn_blocking(run).await.unwrap().unwrap();
        let text = String::from_utf8_lossy(&out.stdout);
        let errors = String::from_utf8_lossy(&out.stderr);
        for word in wanted {
            assert!(
                text.contains(word),
                "{commands}: no {word} in\n{text}\n{errors}"
            );
        }
        assert!(
            out.status.success() && !errors.contains("ERROR"),
            "{commands}: {errors}"
        );
    }
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn psql_speaks_tls_with_a_password() {
    let (psql, openssl) = ("/usr/bin/psql", "/usr/bin/openssl");
    if ![psql, openssl]
        .iter()
        .all(|p| std::path::Path::new(p).exists())
    {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (key, certificate) = (dir.path().join("key.pem"), dir.path().join("cert.pem"));
    let made = std::process::Command::new(openssl)
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        ])
        .args(["-subj", "/CN=localhost", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(made.status.success());
    let running = Running::start(|o| {
        o.users = vec![PgUser::from_password("ann", "secret")];
        o.tls = Some(PgTls { certificate, key });
    })
    .await;
    let url = running.url("user=ann dbname=callboard sslmode=require");
    let run = move || {
        std::process::Command::new(psql)
            .args([
                "-X",
                "-At",
                "-d",
                &url,
                "-c",
                "SELECT count(*) FROM contacts",
            ])
            .env("PGPASSWORD", "secret")
            .stdin(Stdio::null())
            .output()
    };
    let out = tokio::task::spawn_blocking(run).await.unwrap().unwrap();
    let errors = String::from_utf8_lossy(&out.stderr);
    assert_eq!(String::from_utf8_lossy(&out.stdout), "4\n", "{errors}");
    running.end().await;
}
