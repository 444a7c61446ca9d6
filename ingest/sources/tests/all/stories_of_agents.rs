//! Agents' states that the recorded shift does not hold: midnight, missing lines, snapshots.

use callboard_sources::asterisk::Feed::{Ami, QueueLog};

use crate::pipeline::told;
use crate::stories::{T, log, only};

#[test]
fn agents_survive_midnight() {
    let day = 1_795_219_200; // 2026-11-21
    let text = format!(
        "{}|MANAGER|q|A|ADDMEMBER|\n{}|NONE|q|A|PAUSE|Night\n{}|NONE|q|A|UNPAUSE|\n{}|MANAGER|q|A|REMOVEMEMBER|\n",
        day - 3600,
        day - 60,
        day + 60,
        day + 3600
    );
    let rows = told(&[(QueueLog, &text)]);
    let member: i64 = rows.agents["A"]
        .iter()
        .filter(|s| s.track == "membership" && s.state == "member")
        .map(|s| s.ended_at.unwrap().0 - s.started_at.0)
        .sum();
    assert_eq!(member, 7200 * 1_000_000);
    let paused: Vec<_> = rows.agents["A"]
        .iter()
        .filter(|s| s.state == "paused")
        .map(|s| (s.ended_at.unwrap().0 - s.started_at.0) / 1_000_000)
        .collect();
    assert_eq!(paused, [60, 60]);
}

#[test]
fn a_pause_of_all_queues_without_its_lines_counts_for_each_membership() {
    let rows = log(
        "1|MANAGER|q|A|ADDMEMBER|\n2|MANAGER|p|A|ADDMEMBER|\n10|NONE|NONE|A|PAUSEALL|Lunch\n20|NONE|NONE|A|UNPAUSEALL|",
    );
    let mut queues: Vec<_> = rows.agents["A"]
        .iter()
        .filter(|s| s.state == "paused")
        .map(|s| (s.queue.clone().unwrap(), s.reason.clone().unwrap()))
        .collect();
    queues.sort();
    assert_eq!(
        queues,
        [
            ("p".to_owned(), "Lunch".to_owned()),
            ("q".to_owned(), "Lunch".to_owned())
        ]
    );
}

#[test]
fn who_leaves_a_queue_paused_is_not_paused_there_any_more() {
    let rows = log("1|MANAGER|q|A|ADDMEMBER|PAUSED\n10|MANAGER|q|A|REMOVEMEMBER|");
    let paused: Vec<_> = rows.agents["A"]
        .iter()
        .filter(|s| s.state == "paused")
        .collect();
    assert_eq!(paused.len(), 1);
    assert_eq!(paused[0].ended_at.unwrap().0, (T + 10) * 1_000_000);
}

#[test]
fn log_ins_of_the_agent_pool_are_presence() {
    let rows = log("1|a.1|NONE|A|AGENTLOGIN|SIP/1\n90|a.1|NONE|A|AGENTLOGOFF|SIP/1|89");
    let present: Vec<_> = rows.agents["A"]
        .iter()
        .filter(|s| s.track == "presence")
        .collect();
    assert_eq!((present[0].state.as_str(), present.len()), ("available", 1));
}

#[test]
fn a_snapshot_seeds_what_nobody_told() {
    let event = |s: i64, body: &str| format!("{{\"recv\":\"{}\",{body}}}\n", rfc(T + s));
    let member = "\"Event\":\"QueueMember\",\"Queue\":\"q\",\"Name\":\"A\",\"Location\":\"SIP/1\",\"Paused\":\"1\",\"PausedReason\":\"Tea\",\"Status\":\"1\"";
    let login = format!(
        "{member},\"LoginTime\":\"{}\",\"LastPause\":\"{}\"",
        T - 500,
        T - 100
    );
    let text = event(0, &login) + &event(120, &login);
    let rows = told(&[(Ami, &text)]);
    let of = |track: &str| {
        rows.agents["A"]
            .iter()
            .filter(|s| s.track == track)
            .map(|s| (s.state.clone(), s.started_at.0 / 1_000_000 - T))
            .collect::<Vec<_>>()
    };
    assert_eq!(of("membership"), [("member".to_owned(), -500)]);
    assert_eq!(of("pause"), [("paused".to_owned(), -100)]);
    let entry = event(
        60,
        "\"Event\":\"QueueEntry\",\"Queue\":\"q\",\"Uniqueid\":\"c.1\",\"Wait\":\"45\"",
    );
    let rows = told(&[(Ami, &entry)]);
    assert_eq!(
        only(&rows).segments[0].started_at.unwrap().0,
        (T + 15) * 1_000_000
    );
    assert_eq!(only(&rows).segments[0].state, "open");
}

fn rfc(s: i64) -> String {
    callboard_model::time::format_rfc3339(s * 1_000_000)
}
