//! Stories that the recorded shift does not hold, written by hand: rare lines, broken ends, changed
//! ids, snapshots.

use callboard_model::rows::ContactRows;
use callboard_model::tables::SegmentRow;
use callboard_sources::asterisk::Feed::{Cel, QueueLog};

use crate::pipeline::{Rows, told};

pub const T: i64 = 1_795_253_000;

pub fn only(rows: &Rows) -> &ContactRows {
    assert_eq!(rows.contacts.len(), 1, "{:?}", rows.contacts.keys());
    rows.contacts.values().next().unwrap()
}

/// Kind, queue, agent, outcome and seconds of each segment.
pub fn parts(rows: &Rows) -> Vec<(String, String, String, String, i64)> {
    let word = |w: &Option<String>| w.clone().unwrap_or_default();
    only(rows)
        .segments
        .iter()
        .map(|s: &SegmentRow| {
            (
                s.kind.clone(),
                word(&s.queue),
                word(&s.agent),
                word(&s.outcome),
                s.duration_ms.unwrap_or(-1000) / 1000,
            )
        })
        .collect()
}

pub fn part(
    kind: &str,
    agent: &str,
    outcome: &str,
    s: i64,
) -> (String, String, String, String, i64) {
    (kind.into(), "q".into(), agent.into(), outcome.into(), s)
}

pub fn log(lines: &str) -> Rows {
    let text: String = lines
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .map(|l| {
            let (t, rest) = l.split_once('|').unwrap();
            format!("{}|{rest}\n", T + t.parse::<i64>().unwrap())
        })
        .collect();
    told(&[(QueueLog, &text)])
}

#[test]
fn incompatible_codecs_drop_the_caller_as_an_error() {
    let rows = log("1|c.1|q|NONE|ENTERQUEUE||5|1\n9|c.1|q|A|SYSCOMPAT|");
    assert_eq!(parts(&rows), [part("queue", "", "error", 8)]);
}

#[test]
fn a_withdrawn_caller_left_otherwise() {
    let rows = log("1|c.1|q|NONE|ENTERQUEUE||5|1\n9|c.1|q|NONE|WITHDRAW|1|1|8|moved");
    assert_eq!(parts(&rows), [part("queue", "", "withdrawn", 8)]);
    assert_eq!(only(&rows).segments[0].reason.as_deref(), Some("moved"));
}

#[test]
fn an_agent_who_hangs_up_on_the_announcement_declines_and_the_caller_waits_on() {
    let rows = log(
        "1|c.1|q|NONE|ENTERQUEUE||5|1\n5|c.1|q|A|AGENTDUMP|\n9|c.1|q|B|CONNECT|8|m.1|2\n20|c.1|q|B|COMPLETEAGENT|8|11|1",
    );
    assert_eq!(
        parts(&rows),
        [
            part("queue", "", "answered", 8),
            part("talk", "B", "completed", 11)
        ]
    );
    let offers: Vec<_> = only(&rows)
        .offers
        .iter()
        .map(|o| (o.agent.as_deref().unwrap(), o.outcome.as_deref().unwrap()))
        .collect();
    assert_eq!(offers, [("A", "declined"), ("B", "accepted")]);
    assert_eq!(
        only(&rows).contact.as_ref().unwrap().ended_by.as_deref(),
        Some("agent")
    );
}

#[test]
fn who_leaves_during_the_announcement_abandoned() {
    let rows = log("1|c.1|q|NONE|ENTERQUEUE||5|1\n9|c.1|q|A|ABANDON|1|1|8");
    assert_eq!(parts(&rows), [part("queue", "", "abandoned", 8)]);
    assert_eq!(
        only(&rows).offers[0].outcome.as_deref(),
        Some("caller_left")
    );
}

#[test]
fn an_overflow_without_an_exit_is_an_overflow() {
    let rows = log(
        "1|c.1|q|NONE|ENTERQUEUE||5|9\n4|c.1|q|NONE|OVERFLOW|p\n4|c.1|p|NONE|ENTERQUEUE||5|1\n6|c.1|p|NONE|ABANDON|1|1|2",
    );
    let s = &only(&rows).segments[0];
    assert_eq!(s.outcome.as_deref(), Some("overflow"));
    assert_eq!(
        (s.target_kind.as_deref(), s.target.as_deref()),
        (Some("voice_app"), Some("p"))
    );
    // With its own exit it is what that says.
    let rows = log(
        "1|c.1|q|NONE|ENTERQUEUE||5|9\n4|c.1|q|NONE|EXITWITHTIMEOUT|1|9|3\n4|c.1|q|NONE|OVERFLOW|p\n4|c.1|p|NONE|ENTERQUEUE||5|1\n6|c.1|p|NONE|ABANDON|1|1|2",
    );
    assert_eq!(only(&rows).segments[0].outcome.as_deref(), Some("timeout"));
}

#[test]
fn a_wish_for_a_callback_is_a_segment_without_outcome() {
    let rows = log(
        "1|c.1|q|NONE|ENTERQUEUE||5|1\n3|c.1|q|NONE|EXITWITHKEY|9|1|1|2\n3|c.1|q|NONE|CALLBACKREQUEST|555",
    );
    assert_eq!(
        parts(&rows),
        [
            part("queue", "", "key_exit", 2),
            part("callback", "", "", 0)
        ]
    );
    let c = only(&rows).contact.as_ref().unwrap();
    assert_eq!(
        (c.state.as_str(), c.outcome.as_deref()),
        ("closed", Some("key_exit"))
    );
    assert_eq!(only(&rows).segments[1].target.as_deref(), Some("555"));
}

#[test]
fn old_transfers_and_linked_ones() {
    let start = "1|c.1|q|NONE|ENTERQUEUE||5|1\n3|c.1|q|A|CONNECT|2|m.1|1\n";
    let rows = log(&format!("{start}9|c.1|q|A|TRANSFER|700|internal|2|6|1"));
    assert_eq!(parts(&rows)[1], part("talk", "A", "transferred", 6));
    assert_eq!(only(&rows).segments[1].target.as_deref(), Some("700"));
    let rows = log(&format!(
        "{start}9|c.1|q|A|ATTENDEDTRANSFER|LINK|x;1|x;2|2|6|1"
    ));
    assert_eq!(parts(&rows)[1], part("talk", "A", "transferred", 6));
    // One parameter only: a note by the dialplan; the end comes in a line of its own.
    let rows = log(&format!(
        "{start}9|c.1|q|A|TRANSFER|700\n10|c.1|q|A|COMPLETEAGENT|2|7|1"
    ));
    assert_eq!(parts(&rows)[1].4, 7);
    assert_eq!(only(&rows).segments[1].target.as_deref(), Some("700"));
}

#[test]
fn a_changed_callid_still_ends_its_talk() {
    let rows =
        log("1|c.1|q|NONE|ENTERQUEUE||5|1\n3|c.1|q|A|CONNECT|2|m.1|1\n9|c.1|NONE|NONE|DID|7");
    assert_eq!(parts(&rows)[1].4, -1, "the talk goes on");
    // Both ids are one contact by a row of the channel event log.
    let text = format!(
        "{}|c.1|q|NONE|ENTERQUEUE||5|1\n{}|c.1|q|A|CONNECT|2|m.1|1\n{}|c.9|q|A|COMPLETECALLER|2|6|1\n",
        T + 1,
        T + 3,
        T + 9
    );
    let cel = format!(
        "\"ANSWER\",\"{}.5\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"X/a-1\",\"\",\"\",\"3\",\"\",\"c.9\",\"c.1\",\"\",\"\",\"\",\"\"\n",
        T + 8
    );
    let rows = told(&[(QueueLog, &text), (Cel, &cel)]);
    assert_eq!(
        parts(&rows),
        [
            part("queue", "", "answered", 2),
            part("talk", "A", "completed", 6)
        ]
    );
}

#[test]
fn a_log_that_begins_in_the_middle_computes_the_start() {
    let rows = log("100|c.1|q|A|COMPLETECALLER|7|60|1");
    assert_eq!(
        parts(&rows),
        [
            part("queue", "", "answered", 7),
            part("talk", "A", "completed", 60)
        ]
    );
    let c = only(&rows).contact.as_ref().unwrap();
    assert_eq!(c.started_at.unwrap().0, (T + 33) * 1_000_000);
}

#[test]
fn a_restart_ends_what_was_open() {
    let rows = log(
        "0|NONE|NONE|NONE|QUEUESTART|\n1|c.1|q|NONE|ENTERQUEUE||5|1\n3|c.1|q|A|CONNECT|2|m.1|1\n50|NONE|NONE|NONE|QUEUESTART|",
    );
    let c = only(&rows).contact.as_ref().unwrap();
    assert_eq!(
        (c.state.as_str(), c.end_basis.as_deref()),
        ("closed", Some("restart"))
    );
    assert_eq!(rows.restarts.len(), 2);
}

#[test]
fn call_longer_than_four_hours() {
    let rows = log(
        "1|c.1|q|NONE|ENTERQUEUE||5|1\n3|c.1|q|A|CONNECT|2|m.1|1\n18003|c.1|q|A|COMPLETEAGENT|2|18000|1",
    );
    assert_eq!(parts(&rows)[1], part("talk", "A", "completed", 18_000));
    assert_eq!(
        only(&rows).contact.as_ref().unwrap().talk_ms,
        Some(18_000_000)
    );
}

#[test]
fn second_transfer_stays_internal() {
    // Two transfers in a row: the contact stays one, inbound, and every agent is credited his part.
    let rows = log(
        "0|c.1|NONE|NONE|DID|555\n1|c.1|q|NONE|ENTERQUEUE||5|1\n3|c.1|q|A|CONNECT|2|m.1|1\n9|c.1|q|A|BLINDTRANSFER|7002|internal|2|6|1\n9|c.1|p|NONE|ENTERQUEUE||5|1\n12|c.1|p|B|CONNECT|3|m.2|1\n20|c.1|p|B|BLINDTRANSFER|7003|internal|3|8|1\n20|c.1|r|NONE|ENTERQUEUE||5|1\n25|c.1|r|C|CONNECT|5|m.3|1\n40|c.1|r|C|COMPLETECALLER|5|15|1",
    );
    let c = only(&rows).contact.as_ref().unwrap();
    assert_eq!(c.direction.as_deref(), Some("inbound"));
    assert_eq!((c.transfers, c.agents.join(" ")), (2, "A B C".to_owned()));
    assert_eq!((c.wait_ms, c.talk_ms), (Some(10_000), Some(29_000)));
}

#[test]
fn a_waiting_caller_is_open_until_something_ends_it() {
    let rows = log("1|c.1|q|NONE|ENTERQUEUE||5|1");
    assert_eq!(only(&rows).segments[0].state, "open");
    assert_eq!(only(&rows).contact.as_ref().unwrap().state, "open");
}

fn cel(
    t: i64,
    event: &str,
    app: &str,
    unique: &str,
    linked: &str,
    context: &str,
    extra: &str,
) -> String {
    format!(
        "\"{event}\",\"{}.000001\",\"\",\"5\",\"\",\"\",\"\",\"7\",\"{context}\",\"SIP/{unique}-1\",\"{app}\",\"\",\"3\",\"\",\"{unique}\",\"{linked}\",\"\",\"\",\"\",\"{}\"\n",
        T + t,
        extra.replace('"', "\"\"")
    )
}

#[test]
fn a_consultation_on_another_line_joins_the_customers_call() {
    let bridge = |b: &str| format!("{{\"bridge_id\":\"{b}\"}}");
    let transfer =
        "{\"transferee_channel_uniqueid\":\"c.1\",\"transfer_target_channel_uniqueid\":\"c.9\"}";
    let before = cel(1, "CHAN_START", "", "c.1", "c.1", "from-trunk", "")
        + &cel(2, "CHAN_START", "", "c.3", "c.1", "internal", "")
        + &cel(
            3,
            "BRIDGE_ENTER",
            "Dial",
            "c.1",
            "c.1",
            "from-trunk",
            &bridge("a"),
        )
        + &cel(
            3,
            "BRIDGE_ENTER",
            "AppDial",
            "c.3",
            "c.1",
            "internal",
            &bridge("a"),
        );
    let consult = cel(10, "CHAN_START", "", "c.8", "c.8", "internal", "")
        + &cel(11, "CHAN_START", "", "c.9", "c.8", "internal", "")
        + &cel(12, "ANSWER", "AppDial", "c.9", "c.8", "internal", "");
    // The agent's own call is nobody's contact until it joins one.
    assert!(told(&[(Cel, &consult)]).contacts.is_empty());
    let after = cel(
        20,
        "ATTENDEDTRANSFER",
        "",
        "c.3",
        "c.1",
        "internal",
        transfer,
    ) + &cel(
        20,
        "BRIDGE_EXIT",
        "AppDial",
        "c.3",
        "c.1",
        "internal",
        &bridge("a"),
    ) + &cel(
        20,
        "BRIDGE_ENTER",
        "AppDial",
        "c.9",
        "c.1",
        "internal",
        &bridge("a"),
    ) + &cel(20, "CHAN_END", "", "c.3", "c.1", "internal", "")
        + &cel(
            50,
            "BRIDGE_EXIT",
            "Dial",
            "c.1",
            "c.1",
            "from-trunk",
            &bridge("a"),
        )
        + &cel(50, "CHAN_END", "", "c.1", "c.1", "from-trunk", "")
        + &cel(50, "LINKEDID_END", "", "c.1", "c.1", "from-trunk", "");
    let rows = told(&[(Cel, &(before + &consult + &after))]);
    let c = only(&rows);
    let talks: Vec<_> = c
        .segments
        .iter()
        .map(|s| {
            (
                s.mode.as_deref().unwrap(),
                s.agent.as_deref().unwrap(),
                s.duration_ms,
            )
        })
        .collect();
    assert_eq!(
        talks,
        [
            ("serve", "SIP/c.3", Some(17_000)),
            ("consult", "SIP/c.9", Some(8000)),
            ("serve", "SIP/c.9", Some(30_000)),
        ]
    );
    assert_eq!(c.segments[0].outcome.as_deref(), Some("transferred"));
    assert_eq!(
        (&*c.links[0].kind, &*c.links[0].to_contact),
        ("transfer", "pbx1-c.8")
    );
    assert!(c.aliases.iter().any(|a| a.native == "pbx1-c.8"));
    assert_eq!(c.contact.as_ref().unwrap().contact_id, "pbx1-c.1");
}
