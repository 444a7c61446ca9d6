//! Agents' own states, and what the stream says of their contacts.

use callboard_model::tables::{AgentStateRow, Instant};

use super::fold::{altered, at, capture, named, records, rows, told};

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
                Some(Instant(at(900.4)))
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
        "\"Name\":\"Offline\",\"StartTimestamp\":\"2026-03-02T09:15:00.400Z\",\"Type\":\"OFFLINE\"",
        "\"Name\":\"Lunch\",\"StartTimestamp\":\"2026-03-02T09:04:19.900Z\",\"Type\":\"CUSTOM\"",
    );
    let last = rows.agents["a-1"].last().unwrap();
    assert_eq!(
        (&*last.state, last.ended_at),
        ("paused", Some(Instant(at(900.4))))
    );
}
