//! Scenes with rows and figures computed by hand: what a server is told is read back by SQL.

use std::collections::BTreeMap;

use crate::readers::{read, same};
use crate::support::{centre::Centre, until};

/// A time of the days on which the scenes play: seconds since 2 March 2026.
pub fn at(seconds: i64) -> String {
    let day = chrono::DateTime::from_timestamp(1_772_409_600 + seconds, 0).unwrap();
    day.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// 2 March 2026, as minutes since midnight.
fn min(minutes: i64) -> String {
    at(minutes * 60)
}

#[test]
fn a_call_of_five_hours_with_two_transfers() {
    let mut centre = Centre::new();
    let own = r#""contact_id":"long""#;
    let said = format!(r#"{own},"channel":"voice","direction":"inbound","customer":"+4930""#);
    centre.tell("contact.started", &min(540), &said);
    let stays = [
        ("1", "sales", "anna", [540, 542, 630], "transferred"),
        ("2", "support", "ben", [630, 635, 780], "transferred"),
        ("3", "billing", "cleo", [780, 781, 840], "completed"),
    ];
    for (n, queue, agent, [entered, answered, over], outcome) in stays {
        let of = format!(r#"{own},"queue":"{queue}""#);
        let data = format!(r#"{of},"kind":"queue""#);
        centre.part(
            &format!("q{n}"),
            &min(entered),
            (&min(answered), "answered"),
            &data,
        );
        let data = format!(r#"{of},"kind":"offer","agent":"{agent}","parent":"q{n}""#);
        let rings = at(answered * 60 - 8);
        centre.part(
            &format!("o{n}"),
            &rings,
            (&min(answered), "accepted"),
            &data,
        );
        let data = format!(r#"{of},"kind":"talk","agent":"{agent}","parent":"q{n}""#);
        centre.part(
            &format!("t{n}"),
            &min(answered),
            (&min(over), outcome),
            &data,
        );
        if n == "2" {
            let data = format!(r#"{of},"kind":"hold","agent":"ben","parent":"t2""#);
            centre.part("h2", &min(660), (&min(670), "resumed"), &data);
            // Hours of talk: servers come and go.
            centre.send();
            centre.kill();
        }
    }
    let data = format!(r#"{own},"queue":"billing","kind":"wrapup","agent":"cleo","parent":"t3""#);
    centre.part("w3", &min(840), (&min(845), "completed"), &data);
    centre.tell("contact.ended", &min(840), own);
    centre.settle("long");
    for _ in 0..2 {
        // Waits of 2, 5 and 1 minutes; talks of 88, 145 and 59.
        assert_eq!(
            centre.rows("select queue, agent, started_at, ended_at, outcome, wait_ms, talk_ms, hold_ms, wrap_ms, transfers, queues, agents, state from contacts"),
            [r#"billing cleo 2026-03-02T09:00:00 2026-03-02T14:00:00 answered 480000 17520000 600000 300000 2 ["sales","support","billing"] ["anna","ben","cleo"] closed"#]
        );
        assert_eq!(
            centre.rows("select kind, queue, agent, started_at, duration_ms, outcome from segments order by seq"),
            [
                "queue sales null 2026-03-02T09:00:00 120000 answered",
                "talk sales anna 2026-03-02T09:02:00 5280000 transferred",
                "queue support null 2026-03-02T10:30:00 300000 answered",
                "talk support ben 2026-03-02T10:35:00 8700000 transferred",
                "hold support ben 2026-03-02T11:00:00 600000 resumed",
                "queue billing null 2026-03-02T13:00:00 60000 answered",
                "talk billing cleo 2026-03-02T13:01:00 3540000 completed",
                "wrapup billing cleo 2026-03-02T14:00:00 300000 completed",
            ]
        );
        assert_eq!(
            centre.rows("select queue, agent, ring_ms, outcome from offers order by seq"),
            [
                "sales anna 8000 accepted",
                "support ben 8000 accepted",
                "billing cleo 8000 accepted"
            ]
        );
        assert_eq!(
            centre.rows("select queue, interval_start, offered, answered, answered_in_target, wait_ms_sum, talk_ms_sum, hold_ms_sum, wrap_ms_sum from queue_intervals order by interval_start"),
            [
                "sales 2026-03-02T09:00:00 1 1 0 120000 5280000 null null",
                "support 2026-03-02T10:30:00 1 1 0 300000 8700000 600000 null",
                "billing 2026-03-02T13:00:00 1 1 0 60000 3540000 null 300000",
            ]
        );
        centre.restart();
    }
}

#[test]
fn midnight_with_an_agent_logged_in() {
    let mut centre = Centre::new();
    let dora = |state: &str| format!(r#""agent":"dora","state":"{state}""#);
    centre.tell("agent.changed", &min(1350), &dora("available"));
    let own = r#""contact_id":"night","queue":"q""#;
    let data = format!(r#"{own},"kind":"queue""#);
    centre.part("q", &min(1429), (&min(1430), "answered"), &data);
    let data = format!(r#"{own},"kind":"offer","agent":"dora","parent":"q""#);
    centre.part("o", &at(1430 * 60 - 20), (&min(1430), "accepted"), &data);
    let data = format!(r#"{own},"kind":"talk","agent":"dora","parent":"q""#);
    centre.part("t", &min(1430), (&min(1460), "completed"), &data);
    let data = format!(r#"{own},"kind":"hold","agent":"dora","parent":"t""#);
    centre.part("h", &min(1438), (&min(1443), "resumed"), &data);
    centre.tell("contact.ended", &min(1460), r#""contact_id":"night""#);
    centre.tell("agent.changed", &min(1560), &dora("offline"));
    centre.settle("night");
    for _ in 0..2 {
        assert_eq!(
            centre.rows("select state, started_at, ended_at, end_basis from agent_states order by started_at"),
            [
                "available 2026-03-02T22:30:00 2026-03-03T00:00:00 midnight",
                "available 2026-03-03T00:00:00 2026-03-03T02:00:00 null",
            ]
        );
        // Each ends where the next begins.
        assert_eq!(
            centre.rows(
                "select state, started_at, ended_at from agent_intervals order by started_at"
            ),
            [
                "available 2026-03-02T22:30:00 2026-03-02T23:49:40",
                "ringing 2026-03-02T23:49:40 2026-03-02T23:50:00",
                "talk 2026-03-02T23:50:00 2026-03-02T23:58:00",
                "hold 2026-03-02T23:58:00 2026-03-03T00:03:00",
                "talk 2026-03-03T00:03:00 2026-03-03T00:20:00",
                "available 2026-03-03T00:20:00 2026-03-03T02:00:00",
                "offline 2026-03-03T02:00:00 null",
            ]
        );
        // 90 minutes of the first day, 120 of the second.
        assert_eq!(
            centre.rows("select day, state, ms from (select cast(interval_start as date) as day, state, sum(ms) as ms from agent_time where state <> 'offline' group by 1, 2) order by day, state"),
            [
                "2026-03-02 available 4780000",
                "2026-03-02 hold 120000",
                "2026-03-02 ringing 20000",
                "2026-03-02 talk 480000",
                "2026-03-03 available 6000000",
                "2026-03-03 hold 180000",
                "2026-03-03 talk 1020000",
            ]
        );
        centre.restart();
    }
}

#[test]
fn an_agent_who_never_logs_out_is_not_known_any_more_after_his_last_word() {
    let mut centre = Centre::new();
    let state = |agent: &str, state: &str| format!(r#""agent":"{agent}","state":"{state}""#);
    centre.tell("agent.changed", &min(480), &state("erik", "available"));
    let data = r#""contact_id":"e","queue":"q","kind":"talk","agent":"erik""#;
    centre.part("t", &min(540), (&min(545), "completed"), data);
    centre.tell("contact.ended", &min(545), r#""contact_id":"e""#);
    let paused = state("erik", "paused") + r#","reason":"lunch""#;
    centre.tell("agent.changed", &min(600), &paused);
    centre.tell("agent.changed", &min(615), &state("erik", "available"));
    // Two of today: 16 hours without a word are the border.
    let now = chrono::Utc::now();
    let ago = |hours: i64| {
        let at = now - chrono::Duration::hours(hours);
        at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
    };
    centre.tell("agent.changed", &ago(15), &state("fay", "available"));
    centre.tell("agent.changed", &ago(17), &state("gus", "available"));
    centre.settle("e");
    for _ in 0..2 {
        assert_eq!(
            centre.rows("select state, reason, started_at, ended_at from agent_intervals where agent = 'erik' order by started_at"),
            [
                "available null 2026-03-02T08:00:00 2026-03-02T09:00:00",
                "talk null 2026-03-02T09:00:00 2026-03-02T09:05:00",
                "available null 2026-03-02T09:05:00 2026-03-02T10:00:00",
                "paused lunch 2026-03-02T10:00:00 2026-03-02T10:15:00",
                "unknown null 2026-03-02T10:15:00 null",
            ]
        );
        assert_eq!(
            centre.rows("select agent, state from now_agents where agent <> 'erik' order by agent"),
            ["fay available", "gus unknown"]
        );
        let sql = "select agent, started_at from agent_states where agent = 'erik' order by 1, 2";
        assert!(!centre.rows(sql).is_empty()); // Lake and live, ordered by what is constant.
        centre.restart();
    }
}

#[test]
fn time_off_over_a_weekend_ends_in_the_lake_too() {
    let mut centre = Centre::new();
    let gil = |state: &str| format!(r#""agent":"gil","state":"{state}""#);
    let call = |centre: &mut Centre, id: &str, from: i64| {
        let data = format!(r#""contact_id":"{id}","queue":"q","kind":"talk","agent":"gil""#);
        centre.part(id, &min(from), (&min(from + 5), "completed"), &data);
        let over = format!(r#""contact_id":"{id}""#);
        centre.tell("contact.ended", &min(from + 5), &over);
    };
    centre.tell("agent.changed", &min(480), &gil("available"));
    call(&mut centre, "before", 600);
    centre.tell("agent.changed", &min(960), &gil("offline"));
    centre.settle("before");
    // What follows is another server's, and another flush's.
    centre.restart();
    let back = 4 * 1_440;
    centre.tell("agent.changed", &min(back + 480), &gil("available"));
    call(&mut centre, "after", back + 600);
    centre.tell("agent.changed", &min(back + 960), &gil("offline"));
    centre.settle("after");
    assert_eq!(
        centre.rows("select state, started_at, ended_at from agent_intervals order by started_at"),
        [
            "available 2026-03-02T08:00:00 2026-03-02T10:00:00",
            "talk 2026-03-02T10:00:00 2026-03-02T10:05:00",
            "available 2026-03-02T10:05:00 2026-03-02T16:00:00",
            "offline 2026-03-02T16:00:00 2026-03-06T08:00:00",
            "available 2026-03-06T08:00:00 2026-03-06T10:00:00",
            "talk 2026-03-06T10:00:00 2026-03-06T10:05:00",
            "available 2026-03-06T10:05:00 2026-03-06T16:00:00",
            "offline 2026-03-06T16:00:00 null",
        ]
    );
    let ours = centre
        .server()
        .sql("select * from agent_intervals order by agent, started_at");
    let lake = centre.stop().join("lake");
    let theirs = read(&lake, &["agent_intervals"]);
    same("agent_intervals", &theirs["agent_intervals"], &ours);
}

#[test]
fn one_queue_has_nine_tenths_of_the_load() {
    const CALLS: i64 = 1_000;
    let mut centre = Centre::new();
    // By queue and quarter: offered, answered, in target, abandoned, short; waits, longest, talks.
    let mut figures: BTreeMap<(&str, i64), [i64; 8]> = BTreeMap::new();
    for n in 0..CALLS {
        // Not in their order.
        let n = n * 389 % CALLS;
        let queue = if n % 10 == 9 { "small" } else { "big" };
        let (entered, wait, talk) = (n * 5, n * 7 % 40 + 1, 60 + n % 50);
        let own = format!(r#""contact_id":"c{n}","queue":"{queue}""#);
        let f = figures.entry((queue, entered / 900 * 900)).or_default();
        f[0] += 1;
        let left = entered + wait;
        let data = format!(r#"{own},"kind":"queue""#);
        let over = if n % 4 == 3 {
            f[3] += 1;
            f[4] += i64::from(wait <= 5);
            centre.part("q", &at(entered), (&at(left), "abandoned"), &data);
            left
        } else {
            f[1] += 1;
            f[2] += i64::from(wait <= 20);
            f[5] += wait * 1_000;
            f[6] = f[6].max(wait * 1_000);
            f[7] += talk * 1_000;
            centre.part("q", &at(entered), (&at(left), "answered"), &data);
            let data = format!(r#"{own},"kind":"talk","agent":"a{}","parent":"q""#, n % 30);
            centre.part("t", &at(left), (&at(left + talk), "completed"), &data);
            left + talk
        };
        centre.tell(
            "contact.ended",
            &at(over),
            &format!(r#""contact_id":"c{n}""#),
        );
        if n % 250 == 77 {
            centre.send();
            centre.kill();
        }
    }
    centre.settle("c999");
    let told: Vec<String> = figures
        .iter()
        .map(|((queue, quarter), f)| {
            let f: Vec<String> = f.iter().map(ToString::to_string).collect();
            format!(
                "{queue} {} {}",
                at(*quarter).trim_end_matches('Z'),
                f.join(" ")
            )
        })
        .collect();
    for _ in 0..2 {
        assert_eq!(
            centre.rows("select queue, interval_start, offered, answered, answered_in_target, abandoned, short_abandoned, wait_ms_sum, wait_ms_max, talk_ms_sum from queue_intervals order by queue, interval_start"),
            told
        );
        let share = "select queue, sum(offered) as offered from queue_intervals group by queue order by queue";
        assert_eq!(centre.rows(share), ["big 900", "small 100"]);
        centre.restart();
    }
}

#[test]
fn corrections_across_midnight_give_the_same_rows_before_and_after_settling() {
    let mut centre = Centre::new();
    for name in ["early", "settled"] {
        let own = format!(r#""contact_id":"{name}","queue":"q""#);
        let data = format!(r#"{own},"kind":"queue""#);
        centre.part("q", &at(85_770), (&at(85_800), "answered"), &data);
        let data = format!(r#"{own},"kind":"talk","agent":"{name}","parent":"q""#);
        centre.part("t", &at(85_800), (&at(86_280), "completed"), &data);
        centre.tell(
            "contact.ended",
            &at(86_280),
            &format!(r#""contact_id":"{name}""#),
        );
        if name == "early" {
            // In one request with what it corrects.
            correct(&mut centre, name, false);
            correct(&mut centre, name, true);
        }
    }
    centre.settle("settled");
    // 26 hours later somebody else calls, and the server is another one.
    let data = r#""contact_id":"other","queue":"q","kind":"queue""#;
    centre.part("q", &at(180_000), (&at(180_009), "abandoned"), data);
    centre.tell("contact.ended", &at(180_009), r#""contact_id":"other""#);
    centre.settle("other");
    centre.restart();
    correct(&mut centre, "settled", false);
    centre.send();
    centre.kill();
    correct(&mut centre, "settled", true);
    centre.send();
    let sql = "select contact_id, started_at, ended_at, wait_ms, talk_ms, hold_ms, state from contacts order by 1";
    let row = |name: &str, rest: &str| format!("{name} {rest} closed");
    let talked = "2026-03-02T23:49:30 2026-03-03T00:06:00 30000 960000 60000";
    let told = [
        row("early", talked),
        row(
            "other",
            "2026-03-04T02:00:00 2026-03-04T02:00:09 9000 null null",
        ),
        row("settled", talked),
    ];
    until("corrected", || {
        let rows = centre.rows(sql);
        let known = rows
            .get(2)
            .is_some_and(|r| r.contains("00:06:00 30000 960000 60000"));
        known.then_some(())
    });
    centre.settle("settled");
    let corrected = "select distinct id from corrections where entity = 'contact'";
    until("its correction", || {
        (centre.rows(corrected) == ["settled"]).then_some(())
    });
    for _ in 0..2 {
        assert_eq!(centre.rows(sql), told);
        assert_eq!(
            centre.rows("select interval_start, offered, answered, answered_in_target, abandoned, wait_ms_sum, talk_ms_sum, hold_ms_sum from queue_intervals order by 1"),
            [
                "2026-03-02T23:45:00 2 2 0 0 60000 1920000 120000",
                "2026-03-04T02:00:00 1 0 0 1 0 0 null",
            ]
        );
        assert_eq!(
            centre.rows("select agent, state, started_at, ended_at from agent_intervals where ended_at is not null order by agent, started_at"),
            ["early", "settled"].map(|name| {
                [
                    format!("{name} talk 2026-03-02T23:50:00 2026-03-02T23:52:00"),
                    format!("{name} hold 2026-03-02T23:52:00 2026-03-02T23:53:00"),
                    format!("{name} talk 2026-03-02T23:53:00 2026-03-03T00:06:00"),
                ]
            }).concat()
        );
        assert_eq!(centre.rows(corrected), ["settled"]);
        centre.restart();
    }
}

/// A hold of which nobody had told; or the true end, eight minutes later and on the next day.
fn correct(centre: &mut Centre, name: &str, end: bool) {
    let own = format!(r#""contact_id":"{name}""#);
    if end {
        let over = format!(r#"{own},"segment_id":"t","outcome":"completed""#);
        centre.tell("segment.ended", &at(86_760), &over);
        centre.tell("contact.ended", &at(86_760), &own);
    } else {
        let data = format!(r#"{own},"kind":"hold","agent":"{name}","parent":"t""#);
        centre.part("h", &at(85_920), (&at(85_980), "resumed"), &data);
    }
}
