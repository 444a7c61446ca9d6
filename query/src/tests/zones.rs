//! Zones of a connection, times as PostgreSQL writes them, and names of what is computed of them.

use std::process::Stdio;
use std::time::SystemTime;

use tokio_postgres::Client;

use super::fixture::Memory;
use super::reading::{session, show};
use super::wire::{Running, code, lines};
use crate::Class;

const ME: &str = "user=anyone dbname=callboard";

/// One value of contact a, which began on 2 March 2026 at 9:00 of UTC.
async fn one(client: &Client, what: &str) -> String {
    let sql = format!("SELECT {what} AS x FROM contacts WHERE contact_id = 'a'");
    lines(client, &sql).await.join("/")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_time_zone_means_what_it_means_in_postgres() {
    let running = Running::start(|_| {}).await;
    let client = running.client(ME).await.unwrap();
    for (what, told) in [
        (
            "started_at AT TIME ZONE 'Asia/Kolkata'",
            "2026-03-02 14:30:00",
        ),
        (
            "started_at AT TIME ZONE 'europe/berlin'",
            "2026-03-02 10:00:00",
        ),
        (
            "'2026-07-01 12:00:00+00'::timestamptz AT TIME ZONE 'Europe/Berlin'",
            "2026-07-01 14:00:00",
        ),
        (
            "timestamp '2026-07-01 14:00:00.5' AT TIME ZONE 'Europe/Berlin'",
            "2026-07-01 12:00:00.5+00",
        ),
        (
            "date_trunc('day', started_at AT TIME ZONE 'Asia/Tokyo') AT TIME ZONE 'Asia/Tokyo'",
            "2026-03-01 15:00:00+00",
        ),
        (
            "started_at AT TIME ZONE 'Europe/Berlin' = timestamp '2026-03-02 10:00'",
            "t",
        ),
    ] {
        assert_eq!(one(&client, what).await, told, "{what}");
    }
    for bad in ["Nowhere", "+02:00"] {
        let sql = format!("SELECT started_at AT TIME ZONE '{bad}' FROM contacts");
        let e = client.simple_query(&sql).await.unwrap_err();
        let message = e.as_db_error().unwrap().message().to_owned();
        assert!(
            message.contains(&format!("\"{bad}\" not recognized")),
            "{message}"
        );
    }
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_has_a_zone_of_its_own() {
    let running = Running::start(|_| {}).await;
    let client = running.client(ME).await.unwrap();
    let other = running.client(ME).await.unwrap();
    assert_eq!(lines(&client, "SHOW timezone").await, ["UTC"]);
    lines(&client, "SET timezone = 'europe/berlin'").await;
    for ask in [
        "SHOW timezone",
        "SHOW TIME ZONE",
        "SELECT current_setting('TimeZone')",
    ] {
        assert_eq!(lines(&client, ask).await, ["Europe/Berlin"], "{ask}");
    }
    for (what, told) in [
        ("started_at", "2026-03-02 10:00:00+01"),
        (
            "'2026-07-01 12:00:00+00'::timestamptz",
            "2026-07-01 14:00:00+02",
        ),
        ("'2026-07-01 12:00'::timestamptz", "2026-07-01 12:00:00+02"),
        ("date_trunc('day', started_at)", "2026-03-02 00:00:00+01"),
        (
            "date_trunc('month', '2026-07-09 12:00'::timestamptz)",
            "2026-07-01 00:00:00+02",
        ),
        ("extract(hour FROM started_at)", "10"),
        ("date_part('hour', started_at)", "10"),
        ("extract(epoch FROM started_at)::bigint", "1772442000"),
        (
            "('2026-03-02 23:30:00+00'::timestamptz)::date",
            "2026-03-03",
        ),
        ("started_at::timestamp", "2026-03-02 10:00:00"),
        (
            "to_char(started_at, 'YYYY-MM-DD HH24:MI TZ OF')",
            "2026-03-02 10:00 CET +01",
        ),
        (
            "to_char('2026-07-01 12:00+00'::timestamptz, 'HH24:MI TZ')",
            "14:00 CEST",
        ),
        (
            "started_at AT TIME ZONE 'Asia/Kolkata'",
            "2026-03-02 14:30:00",
        ),
        ("started_at = '2026-03-02 10:00'", "t"),
        ("started_at = '2026-03-02 09:00:00+00'", "t"),
        (
            "started_at BETWEEN '2026-03-02 10:00' AND '2026-03-02T10:00:00.5'",
            "t",
        ),
        ("started_at IN ('2026-03-02 10:00')", "t"),
        (
            "started_at >= date '2026-03-02' AND date '2026-03-03' > started_at",
            "t",
        ),
        (
            "'2026-03-01 23:00:00+00'::timestamptz = date '2026-03-02'",
            "t",
        ),
        ("now() > current_date - interval '1 day'", "t"),
        (
            "pg_typeof(date_trunc('day', started_at))",
            "timestamp with time zone",
        ),
    ] {
        assert_eq!(one(&client, what).await, told, "{what}");
    }
    // What the views count by is as it was.
    let first = "SELECT min(interval_start), sum(offered) FROM queue_intervals";
    assert_eq!(lines(&client, first).await, ["2026-03-02 10:00:00+01|4"]);
    assert_eq!(lines(&other, first).await, ["2026-03-02 09:00:00+00|4"]);
    lines(&client, "SET TIME ZONE 'Asia/Kolkata'").await;
    assert_eq!(
        one(&client, "started_at").await,
        "2026-03-02 14:30:00+05:30"
    );
    assert_eq!(one(&other, "started_at").await, "2026-03-02 09:00:00+00");
    for bad in ["Nowhere", "+02:00", ""] {
        let sql = format!("SET timezone = '{bad}'");
        let e = client.simple_query(&sql).await.unwrap_err();
        assert_eq!(code(&e), "22023", "{bad}");
        assert_eq!(lines(&client, "SHOW timezone").await, ["Asia/Kolkata"]);
    }
    for back in [
        "RESET timezone",
        "RESET ALL",
        "SET TIME ZONE LOCAL",
        "DISCARD ALL",
    ] {
        lines(&client, "SET timezone TO 'Asia/Kolkata'").await;
        lines(&client, back).await;
        assert_eq!(lines(&client, "SHOW timezone").await, ["UTC"], "{back}");
    }
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prepared_statements_follow_the_zone_and_instants_stay() {
    let running = Running::start(|_| {}).await;
    let client = running.client(ME).await.unwrap();
    let sql = "SELECT to_char(started_at, 'HH24:MI'), started_at FROM contacts \
               WHERE contact_id = $1";
    let prepared = client.prepare(sql).await.unwrap();
    let mut instants: Vec<SystemTime> = Vec::new();
    for (zone, told) in [
        ("UTC", "09:00"),
        ("Europe/Berlin", "10:00"),
        ("UTC", "09:00"),
    ] {
        lines(&client, &format!("SET timezone = '{zone}'")).await;
        let row = client.query_one(&prepared, &[&"a"]).await.unwrap();
        assert_eq!(row.get::<_, String>(0), told);
        instants.push(row.get(1));
    }
    instants.dedup();
    assert_eq!(instants.len(), 1);
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_zone_that_is_asked_for_at_the_start_holds() {
    let psql = "/usr/bin/psql";
    assert!(
        std::path::Path::new(psql).exists(),
        "psql is missing: install the package postgresql-client"
    );
    let running = Running::start(|_| {}).await;
    let url = running.url(ME);
    let run = move || {
        std::process::Command::new(psql)
            .args(["-X", "-At", "-d", &url])
            .args(["-c", "SELECT started_at FROM contacts ORDER BY 1 LIMIT 1"])
            .args([
                "-c",
                "SET timezone = 'Europe/Berlin'",
                "-c",
                "SHOW timezone",
            ])
            .env("PGTZ", "Asia/Kolkata")
            .stdin(Stdio::null())
            .output()
    };
    let out = tokio::task::spawn_blocking(run).await.unwrap().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&out.stdout),
        "2026-03-02 14:30:00+05:30\nSET\nEurope/Berlin\n",
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn to_char_knows_the_patterns_of_postgres_and_refuses_others() {
    let running = Running::start(|_| {}).await;
    let client = running.client(ME).await.unwrap();
    for (what, told) in [
        (
            "to_char(started_at, 'YYYY-MM-DD HH24:MI')",
            "2026-03-02 09:00",
        ),
        (
            "to_char(started_at, 'Dy DD Mon YYYY HH12:MI AM')",
            "Mon 02 Mar 2026 09:00 AM",
        ),
        (
            "to_char(started_at, 'IYYY-\"W\"IW Q D MS TZ')",
            "2026-W10 1 2 000 UTC",
        ),
        (
            "to_char(date '2026-12-31', 'FMMonth FMDDth, YYYY')",
            "December 31st, 2026",
        ),
        (
            "to_char(started_at AT TIME ZONE 'Asia/Kolkata', 'HH24:MI')",
            "14:30",
        ),
        ("to_char(CAST(NULL AS timestamp), 'YYYY')", "∅"),
    ] {
        assert_eq!(one(&client, what).await, told, "{what}");
    }
    let groups = "SELECT to_char(started_at, 'HH24:MI'), count(*) FROM contacts \
                  GROUP BY to_char(started_at, 'HH24:MI') ORDER BY 1";
    assert_eq!(
        lines(&client, groups).await,
        ["09:00|2", "09:05|1", "09:06|1"]
    );
    running.end().await;
    let memory = Memory::new();
    let s = session(&memory);
    for (sql, why) in [
        ("SELECT to_char(now(), '%Y-%m-%d')", "\"%Y\""),
        ("SELECT to_char(now(), 'YYYY-MM-DDTHH24:MI')", "\"H24\""),
        ("SELECT to_char(now(), 'yyyy nonsense')", "\"nonsense\""),
        ("SELECT to_char(12.5, '999D99')", "writes times and days"),
    ] {
        let e = s.collect(sql, Vec::new()).await.unwrap_err();
        assert!(e.message.contains(why), "{sql}: {e}");
        assert!(
            matches!(e.class, Class::Value | Class::Invalid),
            "{sql}: {e:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_have_one_name_twice_has_two() {
    let running = Running::start(|_| {}).await;
    let client = running.client(ME).await.unwrap();
    let sql = "SELECT started_at AT TIME ZONE 'Asia/Kolkata', started_at, started_at::date, \
               started_at AT TIME ZONE 'Asia/Tokyo' FROM contacts WHERE contact_id = 'a'";
    let prepared = client.prepare(sql).await.unwrap();
    let names: Vec<_> = prepared.columns().iter().map(|c| c.name()).collect();
    assert_eq!(
        names,
        ["timezone", "started_at", "started_at_2", "timezone_2"]
    );
    assert_eq!(
        lines(&client, sql).await,
        ["2026-03-02 14:30:00|2026-03-02 09:00:00+00|2026-03-02|2026-03-02 18:00:00"]
    );
    running.end().await;
    let s = session(&Memory::new());
    let out = show(
        &s,
        "SELECT now() AT TIME ZONE 'Asia/Tokyo', n, n::text FROM (SELECT 7 AS n) AS t",
    )
    .await;
    assert!(out.contains("| timezone "), "{out}");
    assert!(out.contains("| n_2 |"), "{out}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn types_are_named_as_postgres_names_them() {
    let running = Running::start(|_| {}).await;
    let client = running.client(ME).await.unwrap();
    for (what, told) in [
        ("contact_id", "text"),
        ("talk_ms", "bigint"),
        ("started_at", "timestamp with time zone"),
        (
            "started_at AT TIME ZONE 'Asia/Tokyo'",
            "timestamp without time zone",
        ),
        ("started_at::date", "date"),
        ("agents", "text[]"),
        ("talk_ms > 1", "boolean"),
        ("talk_ms::double precision", "double precision"),
        ("NULL", "unknown"),
    ] {
        let typed = format!("pg_typeof({what})");
        assert_eq!(one(&client, &typed).await, told, "{what}");
    }
    running.end().await;
}
