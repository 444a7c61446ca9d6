//! The recorded shift, sent as a user sends it, gives the figures that two independent tallies of
//! the same files give.

use serde_json::Value;

use crate::support::{FEEDS, Server, send_shift, shift, until};

/// A server that was sent these files of the shift.
fn sent(files: &[&str], dir: &tempfile::TempDir) -> Server {
    let server = Server::serve(
        &dir.path().join("data"),
        &["--config", shift().join("demo.toml").to_str().unwrap()],
    );
    send_shift(&server, files, dir.path());
    server
}

fn expected() -> Value {
    let text = std::fs::read_to_string(shift().join("expected.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// What a queue's intervals say, as whole figures.
fn queue(server: &Server, name: &str) -> Value {
    let sql = format!(
        "select sum(offered) offered, sum(answered) answered, sum(answered_in_target) in_target,
                sum(abandoned) abandoned, sum(timed_out) timed_out, sum(no_agent) no_agent,
                sum(left_other) left_other, sum(lost) lost, sum(waiting) waiting,
                sum(wait_ms_sum) wait_sum, max(wait_ms_max) wait_max,
                sum(abandoned_ms_sum) abandoned_sum, sum(timed_out_ms_sum) timed_out_sum,
                sum(no_agent_ms_sum) no_agent_sum, sum(left_other_ms_sum) left_other_sum,
                sum(talk_ms_sum) talk_sum
         from queue_intervals where queue = '{name}'"
    );
    server.sql(&sql).remove(0)
}

fn counts_agree(server: &Server) {
    for (name, e) in expected()["queues"].as_object().unwrap() {
        let q = queue(server, name);
        for (ours, theirs) in [
            ("offered", "entered"),
            ("answered", "connected"),
            ("in_target", "connected_within_sl"),
            ("abandoned", "abandoned"),
            ("timed_out", "exit_timeout"),
            ("no_agent", "exit_empty"),
            ("left_other", "exit_key"),
            ("lost", "unfinished"),
        ] {
            assert_eq!(q[ours], e[theirs], "queue {name}: {ours} against {theirs}");
        }
        assert_eq!(q["waiting"], 0, "queue {name}");
    }
    for (agent, e) in expected()["agents"].as_object().unwrap() {
        let name = agent.replace('\'', "''");
        let offers = |outcomes: &str| {
            server.number(&format!(
                "select count(*) from offers where agent = '{name}' and outcome in ({outcomes})"
            ))
        };
        let connects = server.number(&format!(
            "select count(*) from segments where kind = 'talk' and agent = '{name}' and queue is not null
             and parent_seq is not null"
        ));
        assert_eq!(
            connects,
            e["connects"].as_i64().unwrap_or(connects),
            "{agent}: connects"
        );
        assert_eq!(
            offers("'no_answer'"),
            e["ring_no_answer"].as_i64().unwrap(),
            "{agent}: rings without answer"
        );
    }
}

#[test]
fn the_queue_log_alone_gives_every_figure() {
    let dir = tempfile::tempdir().unwrap();
    let server = sent(&["queue_log"], &dir);
    counts_agree(&server);
    for (name, e) in expected()["queues"].as_object().unwrap() {
        let q = queue(&server, name);
        let seconds = |v: &Value| v.as_i64().unwrap_or(0) * 1000;
        for (ours, theirs) in [
            ("wait_sum", &e["wait_connected_s"]["sum"]),
            ("wait_max", &e["wait_connected_s"]["max"]),
            ("abandoned_sum", &e["wait_abandoned_s"]["sum"]),
            ("timed_out_sum", &e["wait_timeout_s"]["sum"]),
            ("no_agent_sum", &e["wait_empty_s"]["sum"]),
            ("left_other_sum", &e["wait_key_s"]["sum"]),
            ("talk_sum", &e["talk_s"]["sum"]),
        ] {
            assert_eq!(
                q[ours].as_i64().unwrap_or(0),
                seconds(theirs),
                "queue {name}: {ours}"
            );
        }
    }
}

#[test]
fn all_four_feeds_give_every_count() {
    let dir = tempfile::tempdir().unwrap();
    let server = sent(&FEEDS, &dir);
    counts_agree(&server);
    assert_eq!(server.number("select count(*) from contacts"), 92);
    // Callers refused at the door are told by CEL alone, and stay outside offered.
    assert_eq!(server.number("select sum(refused) from queue_intervals"), 2);
    let parts =
        "answered + abandoned + timed_out + overflowed + no_agent + left_other + lost + waiting";
    let off = format!("select count(*) from queue_intervals where offered <> {parts}");
    assert_eq!(
        server.number(&off),
        0,
        "offered is the sum of its parts in every row"
    );
}

#[test]
fn sent_again_nothing_changes() {
    let dir = tempfile::tempdir().unwrap();
    let server = sent(&["queue_log"], &dir);
    let before = server.sql("select * from contacts order by contact_id");
    let bytes = std::fs::read(shift().join("queue_log")).unwrap();
    let (status, answer) = server
        .post(
            "/v1/sources/asterisk?instance=pbx1&feed=queue_log",
            "text/plain",
            bytes,
        )
        .unwrap();
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["repeated"], 468, "{answer}");
    assert_eq!(
        server.sql("select * from contacts order by contact_id"),
        before
    );
}

#[test]
fn calls_to_an_agents_phone_are_the_agents() {
    let dir = tempfile::tempdir().unwrap();
    let server = sent(&FEEDS, &dir);
    let known = expected()["agents"].as_object().unwrap().clone();
    let talked = known.values().filter(|a| a["connects"].as_i64() > Some(0));
    for (sql, agents) in [
        (
            "select count(distinct agent) from agent_intervals",
            known.len(),
        ),
        (
            "select count(distinct agent) from segments where kind = 'talk'",
            talked.count(),
        ),
    ] {
        assert_eq!(server.number(sql), agents as i64, "{sql}");
    }
    // An attended transfer to a colleague, who met the caller past the queue.
    let to = server.sql("select agent from contacts where contact_id = 'pbx1-1795254116.106'");
    assert_eq!(to[0]["agent"], "Daniel Park");
}

#[test]
fn messages_belong_to_their_callers() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("callboard.toml");
    let folder = shift().join("voicemail");
    let text = format!(
        "[transcribe]\nenabled = false\n\n[[watch]]\npath = {folder:?}\ninstance = \"pbx1\"\n"
    );
    std::fs::write(&config, text).unwrap();
    let server = Server::serve(
        &dir.path().join("data"),
        &["--config", config.to_str().unwrap()],
    );
    send_shift(&server, &["cel.csv"], dir.path());
    until("the messages", || {
        (server.number("select count(*) from recordings where voicemail") == 4).then_some(())
    });
    let left = server.sql(
        "select r.contact_id from recordings r join contacts c on c.contact_id = r.contact_id
         join segments s on s.contact_id = r.contact_id and s.kind = 'voicemail'
         where r.voicemail and s.outcome = 'left' order by 1",
    );
    let contacts: Vec<&str> = left
        .iter()
        .filter_map(|r| r["contact_id"].as_str())
        .collect();
    assert_eq!(
        contacts,
        [
            "pbx1-1795254369.233",
            "pbx1-1795254432.260",
            "pbx1-1795254466.289",
            "pbx1-1795254492.303",
        ]
    );
}
