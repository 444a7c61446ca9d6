//! Agents' states, coverage, aliases and metrics.

use std::sync::Arc;

use callboard_model::tables::{AliasRow, Day};

use super::fixture::{Memory, contact, offer, recording, segment, state, target, turn};
use super::reading::{session, show};
use crate::metrics;

/// A little shift: Ann talks, holds, wraps up; Bob is paused in two queues; Cleo misses an offer;
/// Dave is never seen logging in.
pub fn fill(memory: &Arc<Memory>) {
    memory.add(&[target("t1", "support", 10_000, None, None)]);
    memory.add(&[
        contact("a", 0, Some(120), 60_000, "Ann"),
        contact("b", 10, Some(12), 0, ""),
        contact("c", 300, None, 0, ""),
        contact("d", 400, Some(460), 50_000, "Dave"),
    ]);
    memory.add(&[
        segment("a", 1, "queue", "support", "", 0, Some(5), "answered"),
        segment("a", 2, "talk", "support", "Ann", 5, Some(65), "completed"),
        segment("a", 3, "hold", "support", "Ann", 20, Some(30), "resumed"),
        segment(
            "a",
            4,
            "wrapup",
            "support",
            "Ann",
            65,
            Some(75),
            "completed",
        ),
        segment("b", 1, "queue", "support", "", 10, Some(12), "abandoned"),
        segment("c", 1, "queue", "sales", "", 300, None, ""),
        segment("d", 1, "queue", "support", "", 400, Some(410), "answered"),
        segment(
            "d",
            2,
            "talk",
            "support",
            "Dave",
            410,
            Some(460),
            "completed",
        ),
    ]);
    memory.add(&[
        offer("a", "Ann", 1, Some(5), "accepted"),
        offer("b", "Cleo", 10, Some(12), "caller_left"),
    ]);
    memory.add(&[
        state("Ann", "membership", "support", "member", "", -100, None),
        state(
            "Bob",
            "membership",
            "support",
            "member",
            "",
            -100,
            Some(500),
        ),
        state("Bob", "membership", "sales", "member", "", -50, Some(600)),
        state("Bob", "pause", "support", "paused", "Lunch", 100, Some(200)),
        state("Bob", "pause", "sales", "paused", "Lunch", 150, Some(250)),
        state("Cleo", "presence", "", "available", "", 0, None),
    ]);
}

#[tokio::test]
async fn agents_are_in_exactly_one_state() {
    let memory = Memory::new();
    fill(&memory);
    let s = session(&memory);
    let out = show(
        &s,
        "SELECT agent, state, reason, (CAST(started_at AS BIGINT) - 1772442000000000) / 1000000 AS s,
                (CAST(ended_at AS BIGINT) - 1772442000000000) / 1000000 AS e
         FROM agent_intervals ORDER BY agent, started_at",
    )
    .await;
    println!("{out}");
    let rows: Vec<String> = out
        .lines()
        .filter(|l| l.starts_with("| "))
        .skip(1)
        .map(|l| {
            l.split('|')
                .map(str::trim)
                .filter(|c| !c.is_empty())
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    assert_eq!(
        rows,
        [
            "Ann available -100 1",
            "Ann ringing 1 5",
            "Ann talk 5 20",
            "Ann hold 20 30",
            "Ann talk 30 65",
            "Ann wrapup 65 75",
            "Ann available 75",
            "Bob available -100 100",
            "Bob paused Lunch 100 250",
            "Bob available 250 600",
            "Bob offline 600",
            "Cleo available 0 10",
            "Cleo ringing 10 12",
            "Cleo available 12",
            "Dave talk 410 460",
            "Dave unknown 460",
        ]
    );
    let now = show(&s, "SELECT agent, state, for_ms FROM now_agents ORDER BY 1").await;
    assert!(now.contains("| Ann   | available | 3525000 |"), "{now}");
    assert!(now.contains("| Dave  | unknown   | 3140000 |"), "{now}");
}

#[tokio::test]
async fn the_state_now_is_the_open_interval() {
    let memory = Memory::new();
    fill(&memory);
    let (pick, open) = ("talk", None);
    memory.add(&[
        // Ann talks to two at once and has put the first of them on hold: she talks.
        segment("e", 1, pick, "support", "Ann", 3000, open, ""),
        segment("e", 2, "hold", "support", "Ann", 3010, open, ""),
        segment("f", 1, pick, "sales", "Ann", 3020, open, ""),
        // Bob's only customer is on hold, after a hold that ended.
        segment("g", 1, pick, "support", "Bob", 3000, open, ""),
        segment("g", 2, "hold", "support", "Bob", 3010, Some(3020), ""),
        segment("g", 3, "hold", "support", "Bob", 3030, open, ""),
    ]);
    memory.add(&[offer("h", "Cleo", 3500, open, "")]);
    let s = session(&memory);
    let open = "SELECT agent, state, reason, started_at AS since FROM agent_intervals
                WHERE ended_at IS NULL ORDER BY agent";
    let now = "SELECT agent, state, reason, since FROM now_agents ORDER BY agent";
    assert_eq!(show(&s, now).await, show(&s, open).await);
    let work = "SELECT agent, state, for_ms, contact_id, queue FROM now_agents ORDER BY agent";
    let work = show(&s, work).await;
    for row in [
        "| Ann   | talk    | 580000  | f          | sales   |",
        "| Bob   | hold    | 570000  | g          | support |",
        "| Cleo  | ringing | 100000  | h          | support |",
        "| Dave  | unknown | 3140000 |            |         |",
    ] {
        assert!(work.contains(row), "{row}\n{work}");
    }
}

#[tokio::test]
async fn agent_time_is_split_at_the_quarter() {
    let memory = Memory::new();
    memory.add(&[
        state(
            "Ann",
            "membership",
            "support",
            "member",
            "",
            -100,
            Some(1000),
        ),
        state("Ann", "pause", "support", "paused", "", 890, Some(910)),
    ]);
    let s = session(&memory);
    let out = show(
        &s,
        "SELECT interval_start, state, ms FROM agent_time WHERE state <> 'offline' ORDER BY 1, 2",
    )
    .await;
    for row in [
        "| 2026-03-02T08:45:00Z | available | 100000 |",
        "| 2026-03-02T09:00:00Z | available | 890000 |",
        "| 2026-03-02T09:00:00Z | paused    | 10000  |",
        "| 2026-03-02T09:15:00Z | available | 90000  |",
        "| 2026-03-02T09:15:00Z | paused    | 10000  |",
    ] {
        assert!(out.contains(row), "{row}\n{out}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_not_heard_of_for_years_costs_nothing_and_changes_nothing() {
    const YEARS: i64 = 5 * 365 * 86_400;
    let memory = Memory::new();
    let mut told = vec![state("Ann", "presence", "", "available", "", -3000, None)];
    for n in 0..200 {
        // He logged in five years ago, and nothing more was told; or he logged out.
        let (old, gone) = (format!("old {n}"), format!("gone {n}"));
        let (from, to) = (-YEARS, Some(3600 - YEARS));
        told.extend([
            state(&old, "presence", "", "available", "", from, to),
            state(&old, "presence", "", "unknown", "", 3600 - YEARS, None),
            state(&gone, "presence", "", "available", "", from, to),
        ]);
    }
    memory.add(&told);
    let s = session(&memory);
    let old = "SELECT state, count(*) AS n, sum(ms) AS ms FROM agent_time WHERE agent = 'old 7' GROUP BY 1";
    let out = show(&s, old).await;
    for row in [
        "| available | 4  | 3600000  |",
        "| unknown   | 96 | 86400000 |",
    ] {
        assert!(out.contains(row), "{row}\n{out}");
    }
    // What is asked of a range is what all of it says of that range.
    let of = |range: &str| {
        format!(
            "SELECT agent, interval_start, state, ms FROM agent_time
             WHERE agent IN ('Ann', 'gone 7') AND {range} ORDER BY 1, 2, 3"
        )
    };
    let asked =
        of("interval_start > '2026-03-02T08:00:00Z' AND interval_start <= '2026-03-02T09:40:00Z'");
    let within = of(
        "CAST(interval_start AS BIGINT) > 1772438400000000 AND CAST(interval_start AS BIGINT) <= 1772444400000000",
    );
    let asked = show(&s, &asked).await;
    assert_eq!(asked, show(&s, &within).await);
    for row in [
        "| Ann    | 2026-03-02T08:00:00Z | available |",
        "| Ann    | 2026-03-02T08:15:00Z | available | 900000 |",
        "| Ann    | 2026-03-02T09:30:00Z | available | 900000 |",
        "| gone 7 | 2026-03-02T09:30:00Z | offline   | 900000 |",
    ] {
        assert_eq!(
            asked.contains(row),
            !row.contains("08:00"),
            "{row}\n{asked}"
        );
    }
    // An hour of all of them, and a year of those whose time counts, as the migration page asks.
    let begun = std::time::Instant::now();
    let hour =
        "SELECT count(*) AS n FROM agent_time WHERE interval_start >= '2026-03-02T09:00:00Z'";
    let out = show(&s, hour).await;
    assert!(out.contains("| 804 |"), "{out}");
    let year = "SELECT count(*) AS n, sum(ms) AS ms FROM platform_agent_time
                WHERE platform = 'test' AND at >= '2025-03-02T00:00:00Z' AND day >= DATE '2025-01-01'";
    let out = show(&s, year).await;
    assert!(out.contains("| 8 | 6600000 |"), "{out}");
    let took = begun.elapsed();
    assert!(took.as_secs() < 10, "{took:?}");
}

#[tokio::test]
async fn no_call_without_transcript_goes_unexplained() {
    let memory = Memory::new();
    fill(&memory);
    let more = ["e", "f", "g", "h", "i", "j", "k"];
    memory.add(&more.map(|id| contact(id, 0, Some(60), 9000, "Ann")));
    memory.add(&[
        recording("a", "ready", Some("done"), ""),
        recording(
            "e",
            "ready",
            Some("failed"),
            "it took the process down twice",
        ),
        recording("f", "ready", Some("skipped"), "both channels are alike"),
        recording("g", "ready", None, ""),
        recording("h", "absent", None, "the file never came"),
        recording("i", "failed", None, "disk full"),
        recording("j", "active", None, ""),
    ]);
    memory.add(&[turn("a", 1, "hello")]);
    let s = session(&memory);
    let out = show(&s, "SELECT * FROM coverage ORDER BY contact_id, stage").await;
    println!("{out}");
    let gaps = show(
        &s,
        "SELECT count(*) AS n FROM coverage WHERE state <> 'done' AND coalesce(reason, '') = ''",
    )
    .await;
    assert!(gaps.contains("| 0 |"), "{gaps}");
    let rows = show(
        &s,
        "SELECT count(*) = 4 * (SELECT count(*) FROM contacts) AS ok FROM coverage",
    )
    .await;
    assert!(rows.contains("true"));
    for (id, words) in [
        ("b", "nobody talked: abandoned"),
        ("c", "the contact is still open"),
        ("d", "no recording was announced or delivered"),
        ("e", "it took the process down twice"),
        ("f", "both channels are alike"),
        ("g", "waiting in the transcription backlog"),
        ("h", "never arrived: the file never came"),
        ("i", "the recording failed: disk full"),
        ("j", "has not ended yet"),
    ] {
        let sql = format!(
            "SELECT reason FROM coverage WHERE contact_id = '{id}' AND stage = 'transcribed'"
        );
        let out = show(&s, &sql).await;
        assert!(out.contains(words), "{id}: {out}");
    }
}

#[tokio::test]
async fn words_are_found_under_the_identity_that_stands() {
    let memory = Memory::new();
    memory.add(&[contact("pbx1-17.3", 0, Some(60), 9000, "Ann")]);
    memory.add(&[
        turn("17.3", 1, "hello"),
        turn("pbx1-17.9", 2, "again"),
        turn("other", 1, "no"),
    ]);
    let alias = |native: &str| AliasRow {
        entity: "contact".to_owned(),
        platform: "/asterisk/pbx1".to_owned(),
        native: native.to_owned(),
        id: "pbx1-17.3".to_owned(),
        valid_from: None,
        valid_to: None,
        day: Day(0),
    };
    memory.add(&[alias("17.3"), alias("17.9"), alias("pbx1-17.9")]);
    let s = session(&memory);
    let out = show(
        &s,
        "SELECT seq, text FROM turns WHERE contact_id = 'pbx1-17.3' ORDER BY seq",
    )
    .await;
    assert!(
        out.contains("hello") && out.contains("again") && !out.contains("no "),
        "{out}"
    );
}

#[tokio::test]
async fn every_metric_renders_and_runs() {
    let memory = Memory::new();
    fill(&memory);
    let s = session(&memory);
    for m in metrics::all() {
        let dims: Vec<&str> = m.dims.iter().map(String::as_str).collect();
        for dims in [&dims[..0], &dims[..1]] {
            let sql = metrics::render(&[m.name], dims, "").unwrap();
            s.collect(&sql, Vec::new())
                .await
                .unwrap_or_else(|e| panic!("{sql}: {e}"));
        }
    }
    let sql = metrics::render(
        &[
            "offered",
            "service_level",
            "service_level_offered",
            "average_speed_of_answer",
            "handle_time",
        ],
        &["queue"],
        "",
    )
    .unwrap();
    let out = show(&s, &sql).await;
    println!("{out}");
    // Nothing answered in sales: a ratio of nothing is NULL.
    assert!(out.contains("| sales   | 1       |               | 0.0                   |                         |             |"), "{out}");
    assert!(out.contains("| support | 3       | 1.0           | 0.6666666666666666    | 7500.0                  | 60000.0     |"), "{out}");
}
