//! Agents' own states, and what the stream says of their contacts.

use callboard_model::closing::{DELIVERY, PULSE};
use callboard_model::ids::Key;
use callboard_model::merge::State as Told;
use callboard_model::record::Record;
use callboard_model::rows::{agent_rows, forget_before, told_until};
use callboard_model::tables::{AgentStateRow, Instant};
use callboard_model::time::format_rfc3339;

use super::fold::{altered, at, capture, made, named, records, rows, rows_at, told};
use crate::gather::gather;

type State<'r> = (
    &'r str,
    Option<&'r str>,
    Option<&'r str>,
    Instant,
    Option<Instant>,
);

fn states(rows: &[AgentStateRow]) -> Vec<State<'_>> {
    rows.iter()
        .map(|r| {
            (
                &*r.state,
                r.native_state.as_deref(),
                r.reason.as_deref(),
                r.started_at,
                r.ended_at,
            )
        })
        .collect()
}

#[test]
fn a_status_lasts_from_its_own_start_to_the_next() {
    let rows = told("inbound-agents");
    assert_eq!(
        states(&rows.agents["a-1"]),
        [
            (
                "available",
                Some("Available"),
                None,
                Instant(at(0.1)),
                Some(Instant(at(259.9)))
            ),
            (
                "paused",
                Some("Lunch"),
                Some("Lunch"),
                Instant(at(259.9)),
                Some(Instant(at(360.4)))
            ),
        ]
    );
    assert_eq!(rows.agents["a-1"][0].source, "/amazon-connect/i-1");
    assert_eq!(rows.agents["a-1"][0].track, "presence");
    let other = altered("inbound-agents", "\"Lunch\"", "\"Training\"");
    assert_eq!(other.agents["a-1"][1].reason.as_deref(), Some("Training"));
}

#[test]
fn the_stream_alone_tells_a_contact_too() {
    let rows = told("inbound-agents");
    let contact = rows.contact("i-1-c-1").contact.as_ref().unwrap();
    assert_eq!(
        (&*contact.channel, contact.direction.as_deref()),
        ("voice", Some("inbound"))
    );
    let talk = rows.segment("i-1-c-1", "c-1/talk");
    assert_eq!(talk.duration_ms, Some(135_230));
    assert_eq!(talk.hold_ms, Some(14_300));
    let wrap = rows.segment("i-1-c-1", "c-1/wrapup");
    assert_eq!(
        (wrap.duration_ms, wrap.agent.as_deref()),
        (Some(35_500), Some("a-1"))
    );
}

/// Page 2, durations 2, with the published events: wrap-up has no event of its own.
#[test]
fn wrap_up_ends_when_the_contact_leaves_the_list() {
    let mut all = records(&capture("agent-event-acw-start--admin-guide.json"));
    all.extend(records(&capture("agent-event-acw-end--admin-guide.json")));
    let formats: Vec<_> = all.iter().map(|r| &*r.format).collect();
    let one = ["amazon-connect/agent-contact", "amazon-connect/agent-event"];
    assert_eq!(formats, [one, one].concat());
    let rows = rows(&all);
    let id = "aaaaaaaa-bbbb-cccc-dddd-111111111111-ContactId-1";
    let wrap = rows.segment(id, "ContactId-1/wrapup");
    assert_eq!(wrap.duration_ms, Some(5_005));
    assert_eq!(wrap.outcome.as_deref(), Some("completed"));
    assert_eq!(wrap.queue.as_deref(), Some("queue-ARN-for-BasicQueue"));
    // He dialled: whether the customer was there only the contact's records tell.
    assert_eq!(rows.contact(id).segments.len(), 1);
    let state = &rows.agents["agent-ARN"][0];
    // Events so old do not say of which type a status is.
    assert_eq!(
        (&*state.state, state.native_state.as_deref()),
        ("available", Some("Available"))
    );
}

/// The samples that the guide prints with comments in them are no JSON: none is taken for one, and
/// each is one dead letter, not one for every line.
#[test]
fn samples_with_comments_are_dead_letters() {
    for name in [
        "agent-event-sample--admin-guide-2019.txt",
        "agent-event-sample--admin-guide-2021.txt",
        "agent-event-state-change-next-status--admin-guide.txt",
        "contact-event-pascal-case--admin-guide-2021.txt",
        "lambda-contact-flow-event--admin-guide.txt",
    ] {
        let (records, dead) = named(&capture(name), "");
        assert_eq!(records.len(), 0, "{name}");
        let classes: Vec<_> = dead.iter().map(|d| d.class).collect();
        assert_eq!(classes, ["not_json"], "{name}");
    }
}

#[test]
fn log_out_goes_offline_even_where_the_snapshot_says_otherwise() {
    let rows = altered(
        "inbound-agents",
        "\"Name\":\"Offline\",\"StartTimestamp\":\"2026-03-02T09:06:00.400Z\",\"Type\":\"OFFLINE\"",
        "\"Name\":\"Lunch\",\"StartTimestamp\":\"2026-03-02T09:04:19.900Z\",\"Type\":\"CUSTOM\"",
    );
    let last = rows.agents["a-1"].last().unwrap();
    assert_eq!(
        (&*last.state, last.ended_at),
        ("paused", Some(Instant(at(360.4))))
    );
}

const AVAILABLE: (&str, Option<&str>, Option<&str>) = ("available", Some("Available"), None);
const UNKNOWN: (&str, Option<&str>, Option<&str>) = ("unknown", Some("Available"), None);

/// A state from one second of the captures to another, or still.
fn state<'r>(
    (state, native, reason): (&'r str, Option<&'r str>, Option<&'r str>),
    from: f64,
    to: Option<f64>,
) -> State<'r> {
    let end = to.map(|t| Instant(at(t)));
    (state, native, reason, Instant(at(from)), end)
}

/// Page 2, durations 6: over 130 s with no event is a gap, and no span goes on in it.
#[test]
fn where_heartbeats_stop_the_state_is_unknown() {
    let rows = told("heartbeats");
    // The browser was closed, and opened later; then closed again.
    assert_eq!(
        states(&rows.agents["h-1"]),
        [
            state(AVAILABLE, 0.1, Some(360.2)),
            state(UNKNOWN, 360.2, Some(2765.9)),
            state(AVAILABLE, 2765.9, Some(2886.0)),
            state(UNKNOWN, 2886.0, None),
        ]
    );
    let ends: Vec<_> = rows.agents["h-1"]
        .iter()
        .map(|r| r.end_basis.as_deref())
        .collect();
    assert_eq!(ends, [Some("timeout"), None, Some("timeout"), None]);
    // The feed was interrupted: the status is the same as before, and what lies between unheard.
    let lunch = ("paused", Some("Lunch"), Some("Lunch"));
    assert_eq!(
        states(&rows.agents["h-2"]),
        [
            state(AVAILABLE, 0.9, Some(121.0)),
            state(UNKNOWN, 121.0, Some(1201.0)),
            state(AVAILABLE, 1201.0, Some(1259.9)),
            state(lunch, 1259.9, Some(1380.0)),
            state(("unknown", lunch.1, lunch.2), 1380.0, None),
        ]
    );
    // As long as the pulse may still come, the state lasts.
    let all = records(&made("heartbeats"));
    let last = |seconds: f64| rows_at(&all, at(seconds)).agents["h-1"].last().cloned();
    let beat = (PULSE + DELIVERY) as f64 / 1e6;
    assert_eq!(last(2886.0 + beat).unwrap().state, "available");
    assert_eq!(last(2886.0 + beat + 0.001).unwrap().state, "unknown");
    // In whatever order they come.
    let back: Vec<Record> = all.iter().rev().cloned().collect();
    assert_eq!(super::fold::rows(&back).agents, rows.agents);
}

/// A stream without heartbeats says nothing by its silence: a state lasts for 16 hours.
#[test]
fn without_heartbeats_silence_says_nothing() {
    let rows = altered("heartbeats", "HEART_BEAT", "STATE_CHANGE");
    assert_eq!(states(&rows.agents["h-1"]), [state(AVAILABLE, 0.1, None)]);
    assert_eq!(rows.agents["h-2"].len(), 2);
}

/// The first agent of the capture, with heartbeats so many times two minutes after his log-in.
fn beating(beats: impl IntoIterator<Item = i64>) -> Vec<Record> {
    let text = String::from_utf8(made("heartbeats")).unwrap();
    let mut lines = text.lines();
    let (login, beat) = (lines.next().unwrap(), lines.next().unwrap());
    let mut all = login.to_owned();
    for n in beats {
        let time = format_rfc3339(at(0.2) + n * 120_000_000);
        let beat = beat.replace("2026-03-02T09:02:00.200Z", &time);
        all += &beat.replace("a-0102", &format!("b-{n:04}"));
    }
    records(all.as_bytes())
}

/// What is known of the only agent.
fn of_one(all: &[Record]) -> Told {
    let gathered = gather(all);
    let mut agents = gathered
        .direct
        .into_iter()
        .filter(|(key, _)| matches!(key, Key::Agent(..)));
    agents.next().unwrap().1
}

#[test]
fn where_heartbeats_go_on_the_state_lasts() {
    let all = beating(1..=600);
    let midnight = 54_000.0;
    let last = 72_000.2;
    let told = |seconds: f64| rows_at(&all, at(seconds)).agents["h-1"].clone();
    // Twenty hours, and nothing but heartbeats.
    assert_eq!(
        states(&told(last + 20.0)),
        [
            state(AVAILABLE, 0.1, Some(midnight)),
            state(AVAILABLE, midnight, None)
        ]
    );
    // Two hours after the last of them.
    assert_eq!(
        states(&told(last + 7_200.0)),
        [
            state(AVAILABLE, 0.1, Some(midnight)),
            state(AVAILABLE, midnight, Some(last)),
            state(UNKNOWN, last, None),
        ]
    );
}

#[test]
fn signs_of_days_gone_are_forgotten_and_no_row_changes() {
    let midnight = at(54_000.0);
    let horizon = at(80_000.0);
    let rows_of = |state: &Told| agent_rows("/amazon-connect/i-1", "h-1", state, &[], horizon);
    // Once heard through midnight, once silent over it.
    for (beats, more) in [(600, 600), (440, 500)] {
        let whole = of_one(&beating((1..=beats).chain([more])));
        assert_eq!(told_until(&whole), Some(at(0.2) + more * 120_000_000));
        let mut short = whole.clone();
        forget_before(&mut short, midnight);
        let later = |state: &Told| -> Vec<AgentStateRow> {
            let rows = rows_of(state).into_iter();
            rows.filter(|r| r.started_at.0 >= midnight).collect()
        };
        assert!(!later(&whole).is_empty());
        assert_eq!(later(&short), later(&whole));
        assert!(short.weight() * 3 < whole.weight() * 2);
    }
}
