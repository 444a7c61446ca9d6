//! Rows of the voice-application analytics: auto attendants, queues, agents; as JSON, as the
//! service's positional answer, as CSV of two versions of the template.

use crate::teams::harness::{DAY, guid, records, split, told};

#[test]
fn a_call_through_attendant_queue_and_agent_is_one_contact() {
    let rows = told(&[
        "made-vaac-answer-auto-attendant.json",
        "made-vaac-call-queue.json",
        "made-vaac-agent-timeline.json",
    ]);
    assert_eq!(
        rows.parts(0xa0),
        [
            "menu 09:00:00-09:00:20.500 20500ms outcome=transferred raw=transferred_to_cq to=voice_app target=support name=main.menu input=dtmf reason=user_selection basis=computed",
            "queue 09:00:20.500-09:01:02.500 42000ms queue=support outcome=answered raw=agent_joined_conference basis=computed",
            "talk 09:01:05-09:04:05 180000ms queue=support agent=emma.jones@contoso.com outcome=completed mode=serve",
        ]
    );
    let contact = rows.call(0xa0).contact.as_ref().unwrap();
    assert_eq!(contact.source, "/teams/contoso");
    assert_eq!(contact.direction.as_deref(), Some("inbound"));
    assert_eq!(contact.channel, "voice");
    assert_eq!(
        (contact.wait_ms, contact.talk_ms),
        (Some(42_000), Some(180_000))
    );
    // Teams tells no holds and no wrap-up: not known is not 0.
    assert_eq!((contact.hold_ms, contact.wrap_ms), (None, None));
    assert_eq!(contact.started_at.unwrap().0, (DAY + 9 * 3_600) * 1_000_000);
    assert_eq!(contact.state, "closed");
    assert_eq!(contact.agents, ["emma.jones@contoso.com"]);
    assert_eq!(
        rows.attribute(0xa0, "conference_mode").as_deref(),
        Some("true")
    );
    assert_eq!(
        rows.attribute(0xa0, "cq_agents_opted_in").as_deref(),
        Some("3")
    );
}

#[test]
fn every_result_of_an_attendant_has_its_outcome() {
    let rows = told(&["made-vaac-answer-auto-attendant.json"]);
    let menu = |n: u32| {
        let parts = rows.parts(n);
        let (_, cells) = parts[0].split_once("12000ms ").unwrap();
        cells
            .replace(" basis=computed", "")
            .replace(" name=main.menu", "")
    };
    for (n, cells) in [
        (
            0xb0,
            "outcome=transferred raw=transferred_to_user to=person input=directory mode=speech reason=abs_search",
        ),
        (
            0xb1,
            "outcome=transferred raw=transferred_to_user to=person input=directory mode=dtmf reason=abs_search",
        ),
        (
            0xb2,
            "outcome=transferred raw=transferred_to_cq to=voice_app input=speech reason=speech_input_confirmation",
        ),
        (
            0xb3,
            "outcome=transferred raw=transferred_to_operator to=person target=operator input=dtmf reason=user_selection",
        ),
        (
            0xb4,
            "outcome=transferred raw=failover_to_operator to=person target=operator reason=main_menu",
        ),
        (
            0xb5,
            "outcome=hangup raw=terminated_automatic_selection to=disconnect by=system reason=automatic_menu",
        ),
        (
            0xb6,
            "outcome=transferred raw=transferred_to_user to=external input=dtmf reason=user_selection",
        ),
        (
            0xb7,
            "outcome=transferred raw=transfer_in_progress to=voice_app reason=first_level_menu",
        ),
        (
            0xb8,
            "outcome=transferred raw=transferred_to_shared_voicemail to=shared_voicemail input=dtmf reason=user_selection",
        ),
        (
            0xb9,
            "outcome=hangup raw=user_terminated by=customer reason=main_menu",
        ),
        (
            0xba,
            "outcome=hangup raw=service_terminated to=disconnect by=system reason=announcement",
        ),
        (
            0xbb,
            "outcome=error raw=oaa_chain_too_long by=platform reason=main_menu",
        ),
    ] {
        assert_eq!(menu(n), cells, "{n:x}");
    }
    // A word that nobody knows yet is kept as it is.
    assert!(menu(0xbc).contains("raw=quantum_tunnelled"));
    assert_eq!(
        rows.parts(0xb8)[1],
        "voicemail 09:18:12-09:18:30 18000ms name=shared"
    );
    assert_eq!(
        rows.attribute(0xb1, "aa_caller_actions").as_deref(),
        Some("4")
    );
    assert_eq!(rows.attribute(0xb1, "pstn_minutes").as_deref(), Some("0.5"));
    // The customer hung up: the contact says so too.
    assert_eq!(
        rows.call(0xb9)
            .contact
            .as_ref()
            .unwrap()
            .ended_by
            .as_deref(),
        Some("customer")
    );
}

#[test]
fn every_result_of_a_queue_has_its_outcome() {
    let rows = told(&["made-vaac-call-queue.json", "made-vaac-agent-timeline.json"]);
    assert_eq!(
        rows.parts(0xc1),
        [
            "queue 09:20:00-09:20:35 35000ms queue=support outcome=abandoned raw=disconnected by=customer basis=computed"
        ]
    );
    // The row of an agent for a call that nobody answered is an offer, and no talk of the call's length.
    assert_eq!(
        rows.offers(0xc1),
        ["otto@contoso.com support caller_left 09:20:00-? None "]
    );
    assert_eq!(
        rows.parts(0xc2),
        [
            "queue 09:21:00-09:21:12 12000ms queue=support outcome=answered raw=transferred_to_agent basis=computed",
            // The row's length is the whole call's: what was waited is no talk.
            "talk 09:21:12-09:26:00 288000ms queue=support agent=otto@contoso.com outcome=completed mode=serve",
        ]
    );
    assert_eq!(
        rows.attribute(0xc2, "conference_mode").as_deref(),
        Some("false")
    );
    assert_eq!(
        rows.parts(0xc3),
        [
            "queue 09:27:00-09:28:30 90000ms queue=support outcome=callback raw=transferred_to_callback_caller basis=computed",
            "callback 09:28:30-09:40:00 690000ms queue=support outcome=dialled raw=transferred_to_callback_caller",
        ]
    );
    assert_eq!(
        rows.parts(0xc4)[1],
        "callback 09:29:00-09:58:00 1740000ms queue=support outcome=expired raw=callback_call_timed_out"
    );
    assert_eq!(
        rows.parts(0xc5),
        [
            "queue 09:29:00-09:29:40 40000ms queue=support outcome=timeout raw=timed_out to=person basis=computed",
            "voicemail 09:29:40-09:30:00 20000ms queue=support name=personal",
        ]
    );
    assert_eq!(
        rows.parts(0xc6),
        ["queue 09:31:00-09:31:05 5000ms queue=support outcome=error raw=declined basis=computed"]
    );
    assert_eq!(
        rows.parts(0xc7),
        [
            "queue 09:32:00-09:32:07 7000ms queue=support outcome=unknown raw=teleported to=other basis=computed"
        ]
    );
}

#[test]
fn a_second_queue_follows_the_first_where_a_row_names_both() {
    let rows = told(&["made-vaac-chain.json", "made-vaac-agent-timeline.json"]);
    assert_eq!(
        rows.parts(0x200),
        [
            "queue 12:00:00-12:00:30 30000ms queue=support outcome=timeout raw=timed_out to=voice_app target=billing basis=computed",
            "queue 12:00:30-12:00:45 15000ms queue=billing outcome=answered raw=agent_joined_conference basis=computed",
            "talk 12:00:45-12:05:00 255000ms queue=billing agent=zoe@contoso.com outcome=completed mode=serve",
        ]
    );
    let contact = rows.call(0x200).contact.as_ref().unwrap();
    assert_eq!(contact.queues, ["support", "billing"]);
    assert_eq!(contact.wait_ms, Some(45_000));
}

#[test]
fn csv_of_the_newer_template_tells_the_same_as_json() {
    let rows = told(&[
        "made-template-call-queue.csv",
        "made-template-auto-attendant.csv",
        "made-template-agent-timeline.csv",
    ]);
    assert_eq!(
        rows.parts(0x300),
        [
            "menu 13:00:00-13:00:12.250 12250ms outcome=transferred raw=transferred_to_cq to=voice_app target=support name=main.menu input=speech reason=speech_input_confirmation basis=computed",
            "queue 13:00:12.250-13:00:32.250 20000ms queue=support outcome=answered raw=agent_joined_conference basis=computed",
            "talk 13:00:32.250-13:03:20 167750ms queue=support agent=emma.jones outcome=completed mode=serve",
        ]
    );
    assert_eq!(
        rows.attribute(0x310, "pstn_connectivity").as_deref(),
        Some("ACS Call")
    );
    assert_eq!(
        rows.attribute(0x310, "entry_point").as_deref(),
        Some("click_to_call")
    );
    assert_eq!(
        rows.call(0x310)
            .contact
            .as_ref()
            .unwrap()
            .outcome
            .as_deref(),
        Some("abandoned")
    );
}

#[test]
fn where_the_template_tells_no_wait_the_agents_row_does_and_else_nobody() {
    let queue = "made-template-call-queue-2024.csv";
    let rows = told(&[queue, "made-template-agent-timeline.csv"]);
    assert_eq!(
        rows.parts(0x320),
        [
            "queue 14:00:00-14:00:30 30000ms queue=support outcome=answered raw=agent_joined_conference",
            "talk 14:00:30-14:04:00 210000ms queue=support agent=otto outcome=completed mode=serve",
        ]
    );
    // No agent's row: it was answered, it is over, and how long it took is not 0 and not the call.
    assert_eq!(
        rows.parts(0x330),
        [
            "queue 14:10:00-? ? queue=support outcome=answered raw=agent_joined_conference basis=untold"
        ]
    );
    let contact = rows.call(0x330).contact.as_ref().unwrap();
    assert_eq!((contact.wait_ms, contact.state.as_str()), (None, "closed"));
}

#[test]
fn rows_that_sum_up_many_calls_are_figures_and_make_no_call() {
    for (name, scope, told_figures) in [
        (
            "made-template-final-state.csv",
            "queue:support",
            [
                ("AverageCallDuration agent_joined_conference forward", 35.2),
                (
                    "AverageCallQueueDuration agent_joined_conference forward",
                    21.9,
                ),
                ("CallCount agent_joined_conference forward", 17.0),
            ],
        ),
        (
            "made-template-agent-summary.csv",
            "agent:emma.jones queue:support",
            [
                ("AverageCallDuration", 180.0),
                ("CallCount", 12.0),
                ("TotalCallDuration", 36.0),
            ],
        ),
    ] {
        let all = records(&[name]);
        assert_eq!(all.len(), 1, "{name}");
        assert_eq!(&*all[0].format, "teams/sums");
        let rows = told(&[name]);
        assert_eq!(rows.contacts.len(), 0, "{name}");
        let figures: Vec<_> = rows.figures.iter().map(|f| (&*f.metric, f.value)).collect();
        assert_eq!(figures, told_figures, "{name}");
        let first = &rows.figures[0];
        assert_eq!(first.scope, scope);
        let hours =
            [first.started_at, first.ended_at].map(|t| (t.unwrap().0 / 1_000_000 - DAY) / 3_600);
        assert_eq!(hours, [9, 10], "{name}");
    }
}

#[test]
fn an_answer_without_its_query_is_read_in_the_templates_order_or_not_at_all() {
    let (records, dead) = split(
        &super::harness::capture("made-vaac-answer-template.json"),
        "",
    );
    assert_eq!((records.len(), dead.len()), (1, 1));
    assert_eq!(dead[0].class, "no_columns");
    assert!(dead[0].reason.contains("query"));
    let rows = told(&["made-vaac-answer-template.json"]);
    assert_eq!(
        rows.parts(0x350),
        [
            "queue 15:00:00-15:00:18 18000ms queue=support outcome=answered raw=agent_joined_conference basis=computed"
        ]
    );
}

#[test]
fn rows_of_a_power_bi_query_carry_their_tables_names() {
    let rows = told(&["made-power-bi-query.json"]);
    assert_eq!(
        rows.parts(0x340),
        [
            "menu 22:00:00-22:00:09.500 9500ms outcome=hangup raw=user_terminated by=customer name=night reason=main_menu basis=computed"
        ]
    );
}

#[test]
fn the_bytes_of_a_row_are_those_that_came() {
    let all = records(&["made-vaac-answer-auto-attendant.json"]);
    let whole = String::from_utf8(super::harness::capture(
        "made-vaac-answer-auto-attendant.json",
    ))
    .unwrap();
    for r in &all {
        assert!(whole.contains(std::str::from_utf8(&r.bytes).unwrap()));
    }
    assert_eq!(&*all[0].source, "/teams/contoso/auto-attendant");
    assert!(all[0].id.starts_with(&guid(0xd00a0)), "{}", all[0].id);
}

#[test]
fn the_tenant_is_read_from_the_bytes_where_nobody_declares_it() {
    let tenant = "7e0a1c52-5d3b-4c10-9f0e-2b6a1d9c4e01";
    for name in [
        "made-vaac-answer-auto-attendant.json",
        "made-vaac-call-queue.json",
        "made-callrecord-queue.json",
        "made-notifications.json",
    ] {
        let (all, _) = split(&super::harness::capture(name), "");
        let whose: Vec<&str> = all.iter().map(|r| r.stamp.instance.as_str()).collect();
        let wanted = if name.contains("notifications") {
            &whose[..1]
        } else {
            &whose[..]
        };
        assert!(wanted.iter().all(|i| *i == tenant), "{name}: {whose:?}");
    }
}

#[test]
fn two_tenants_with_equal_ids_never_meet() {
    let bytes = super::harness::capture("made-vaac-call-queue.json");
    let mut all = split(&bytes, "contoso").0;
    all.extend(split(&bytes, "fabrikam").0);
    let rows = super::harness::rows(&all);
    assert_eq!(rows.contacts.len(), 16);
    assert!(rows.contacts.keys().any(|k| k.starts_with("fabrikam-")));
}

#[test]
fn a_row_that_is_written_again_replaces_the_earlier_one() {
    let first = String::from_utf8(super::harness::capture("made-vaac-call-queue.json")).unwrap();
    let later = first.replace("T10:30:00", "T12:30:00").replace(
        "\"CallQueueDurationSeconds\": 35",
        "\"CallQueueDurationSeconds\": 33",
    );
    let one = split(first.as_bytes(), "contoso").0;
    let two = split(later.as_bytes(), "contoso").0;
    for all in [[one.clone(), two.clone()].concat(), [two, one].concat()] {
        let rows = super::harness::rows(&all);
        assert!(
            rows.parts(0xc1)[0].contains(" 33000ms "),
            "{:?}",
            rows.parts(0xc1)
        );
        assert_eq!(rows.parts(0xc1).len(), 1);
    }
}
