//! What managers of Asterisk 11 and older really said, as text from the wire: a call in the words of
//! that time, an agent who logs in, and the state of a queue.

use callboard_model::record::Record;
use callboard_sources::asterisk::Feed::Ami;
use callboard_sources::asterisk::ami;

use crate::fold;
use crate::pipeline::{Rows, records, rows};

/// 2026-11-21T22:00:00Z, when the first event of a capture is heard; one comes each second.
const HEARD: i64 = 1_795_298_400;

/// The lines that a connection makes of a capture. Answers to actions are none.
fn lines(name: &str) -> String {
    let place = format!("tests/captures/ami/ami-{name}--panoramisk.txt");
    let text = std::fs::read_to_string(place).unwrap();
    let mut out = String::new();
    let mut heard = 0;
    for block in text.split("\n\n") {
        let headers: Vec<(&str, &str)> = block
            .lines()
            .filter_map(|l| l.split_once(':'))
            .map(|(name, value)| (name.trim(), value.strip_prefix(' ').unwrap_or(value)))
            .collect();
        if headers.iter().any(|(name, _)| *name == "Event") {
            let at = format!("2026-11-21T22:{:02}:{:02}Z", heard / 60, heard % 60);
            out.push_str(&ami::line(&headers, &at));
            out.push('\n');
            heard += 1;
        }
    }
    out
}

fn heard(name: &str) -> Vec<Record> {
    records(Ami, lines(name).as_bytes())
}

fn told(all: &[Record]) -> Rows {
    rows(all, (HEARD + 900) * 1_000_000)
}

/// Track, queue, state, the platform's own word, and from which second to which.
fn states(rows: &Rows, agent: &str) -> Vec<String> {
    let second = |us: i64| us / 1_000_000 - HEARD;
    rows.agents[agent]
        .iter()
        .map(|s| {
            let end = s
                .ended_at
                .map_or("".to_owned(), |t| second(t.0).to_string());
            let native = s.native_state.as_deref().unwrap_or("");
            let queue = s.queue.as_deref().unwrap_or("");
            let start = second(s.started_at.0);
            format!("{} {queue} {} {native} {start}-{end}", s.track, s.state)
        })
        .collect()
}

#[test]
fn a_queues_state_in_old_names_tells_its_members_and_figures() {
    let all = heard("queue-status");
    assert_eq!(all.len(), 8);
    let rows = told(&all);
    let agents: Vec<&str> = rows.agents.keys().map(String::as_str).collect();
    let expected = [
        "Agent/213",
        "Agent/214",
        "Agent/220",
        "Agent/333",
        "Agent/859",
        "Agent/999",
    ];
    assert_eq!(agents, expected);
    // Status 1 is a phone that is free.
    assert_eq!(
        states(&rows, "Agent/220"),
        [
            "device  available 1 1-",
            "membership xxxxxxxxxxxxxxxx-tous member QueueMember 1-",
            "presence  available QueueMember 1-",
        ]
    );
    // Status 5 is one that cannot be reached, and he is paused.
    assert_eq!(
        states(&rows, "Agent/999"),
        [
            "membership xxxxxxxxxxxxxxxx-tous member QueueMember 6-",
            "pause xxxxxxxxxxxxxxxx-tous paused QueueMember 6-",
            "presence  available QueueMember 6-",
        ]
    );
    // Altered: not paused.
    let text = lines("queue-status").replace("\"Paused\":\"1\"", "\"Paused\":\"0\"");
    let other = told(&records(Ami, text.as_bytes()));
    assert_eq!(other.agents["Agent/999"].len(), 2);
    let figures = fold::fold(&all).figures;
    let found: Vec<_> = figures
        .iter()
        .map(|f| (&*f.scope, &*f.metric, f.unit.as_deref(), f.value))
        .collect();
    let scope = "queue:xxxxxxxxxxxxxxxx-tous";
    for (metric, unit, value) in [
        ("Calls", "count", 0.0),
        ("Completed", "count", 60.0),
        ("Abandoned", "count", 5.0),
        ("Holdtime", "s", 3.0),
        ("TalkTime", "s", 303.0),
        ("ServicelevelPerf", "percent", 0.0),
    ] {
        let one = (scope, metric, Some(unit), value);
        assert!(found.contains(&one), "{one:?} in {found:?}");
    }
    assert_eq!(found.len(), 6);
}

#[test]
fn an_agent_logs_in_by_phone() {
    let all = heard("agent-loggued-in");
    assert_eq!(all.len(), 145);
    let rows = told(&all);
    assert_eq!(rows.agents.len(), 2);
    assert_eq!(
        states(&rows, "Agent/402"),
        [
            // He dialled the number for it, and hung up.
            "device  busy 2 70-139",
            "device  available 1 139-",
            "membership general_queue member QueueMemberAdded 70-",
            "presence  available QueueMemberAdded 70-",
        ]
    );
    assert_eq!(states(&rows, "Agent/401"), ["device  available 1 1-"]);
    // His call is nobody's contact.
    assert!(rows.contacts.is_empty(), "{:?}", rows.contacts.keys());
}

#[test]
fn a_call_in_the_words_of_asterisk_11_is_kept_and_is_no_contact() {
    let all = heard("originate-with-events");
    assert_eq!(all.len(), 83);
    let words = |name: &str| {
        let text = format!("\"Event\":\"{name}\"");
        let has = |r: &&Record| std::str::from_utf8(&r.bytes).unwrap().contains(&text);
        all.iter().filter(has).count()
    };
    // Linkedid and the events of bridges and dials came with Asterisk 12.
    assert_eq!((words("Newchannel"), words("Hangup")), (4, 4));
    assert_eq!((words("Bridge"), words("Dial")), (6, 4));
    let rows = told(&all);
    assert!(rows.contacts.is_empty() && rows.agents.is_empty());
}

#[test]
fn answers_to_actions_and_lists_of_settings_change_nothing() {
    assert_eq!(lines("queue-add"), "");
    let all = heard("pjsip-show-endpoint");
    assert_eq!(all.len(), 6);
    let rows = told(&all);
    assert!(rows.contacts.is_empty() && rows.agents.is_empty());
}
