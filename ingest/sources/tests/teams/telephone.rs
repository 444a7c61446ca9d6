//! Rows of the PSTN and Direct Routing reports, and settings of queues.

use crate::teams::harness::{capture, records, split, told};

#[test]
fn a_real_direct_routing_row() {
    let rows = told(&["direct-routing-calls--graph-docs.json"]);
    let call = rows.contacts.values().next().unwrap();
    let contact = call.contact.as_ref().unwrap();
    assert_eq!(contact.direction.as_deref(), Some("inbound"), "ByotIn");
    assert_eq!(contact.customer.as_deref(), Some("+12345678***"));
    let kinds: Vec<_> = call
        .segments
        .iter()
        .map(|s| (s.kind.as_str(), s.duration_ms, s.outcome.as_deref()))
        .collect();
    assert_eq!(
        kinds,
        [
            ("dial", Some(3_156), Some("answered")),
            ("talk", Some(5_000), Some("completed"))
        ]
    );
    assert_eq!(call.segments[1].ring_ms, Some(3_156));
    assert!(
        contact
            .attributes
            .as_ref()
            .unwrap()
            .contains("\"sub_reason\":\"540000\"")
    );
}

#[test]
fn a_real_pstn_row() {
    let rows = told(&["pstn-calls--graph-docs.json"]);
    let call = rows.contacts.values().next().unwrap();
    assert_eq!(call.segments.len(), 1);
    let talk = &call.segments[0];
    assert_eq!(talk.agent.as_deref(), Some("richard.malk@contoso.com"));
    assert_eq!(
        (talk.mode.as_deref(), talk.duration_ms),
        (Some("serve"), Some(219_000))
    );
    assert_eq!(
        call.contact.as_ref().unwrap().dialled.as_deref(),
        Some("+1234567890")
    );
}

#[test]
fn every_kind_of_pstn_leg() {
    let rows = told(&["made-pstn-calls.json"]);
    let direction = |n| {
        rows.call(n)
            .contact
            .as_ref()
            .unwrap()
            .direction
            .clone()
            .unwrap()
    };
    // A voice application took it: who spoke is told elsewhere.
    assert_eq!(
        (rows.parts(0x800), direction(0x800)),
        (vec![], "inbound".into())
    );
    assert_eq!(
        rows.parts(0x801),
        ["talk 19:10:00-19:10:30 30000ms agent=otto@contoso.com outcome=completed mode=outbound"]
    );
    assert_eq!(
        rows.parts(0x802),
        [
            "dial 19:20:00-19:25:00 300000ms agent=otto@contoso.com outcome=answered to=external target=+15550190 reason=user_out_transfer"
        ]
    );
    assert_eq!(
        rows.parts(0x803),
        [
            "talk 19:30:00-19:40:00 600000ms agent=otto@contoso.com outcome=completed mode=conference"
        ]
    );
    // A type that nobody knows yet is read as far as its word goes; a number may be text.
    assert_eq!(
        rows.parts(0x804),
        ["talk 19:50:00-19:50:45 45000ms agent=otto@contoso.com outcome=completed mode=serve"]
    );
    assert_eq!(
        rows.attribute(0x804, "pstn_call_type").as_deref(),
        Some("warp_in")
    );
    assert_eq!(
        rows.attribute(0x803, "pstn_conference_id").as_deref(),
        Some("98765")
    );
}

#[test]
fn a_failed_call_out_and_a_call_led_on_to_a_number() {
    let rows = told(&["made-direct-routing-calls.json"]);
    assert_eq!(
        rows.parts(0x901),
        [
            "dial 20:00:00-20:00:09 9000ms agent=otto@contoso.com outcome=busy raw=486 to=external target=+15550195"
        ]
    );
    let busy = rows.call(0x901).contact.as_ref().unwrap();
    assert_eq!(
        (busy.outcome.as_deref(), busy.end_reason.as_deref()),
        (Some("busy"), Some("Busy Here"))
    );
    assert_eq!(
        rows.parts(0x903),
        [
            "dial 20:10:00-20:10:06.500 6500ms agent=otto@contoso.com outcome=answered raw=0",
            "talk 20:10:06.500-20:12:06.500 120000ms agent=otto@contoso.com outcome=completed mode=serve",
            "dial 20:12:00-20:15:05 185000ms agent=otto@contoso.com outcome=answered raw=0 to=external target=+15550197 reason=dr_out_user_transfer",
        ]
    );
    // Two legs of one correlation: what the call was tells the first, when it ended the last.
    let led_on = rows.call(0x903).contact.as_ref().unwrap();
    assert_eq!(led_on.direction.as_deref(), Some("inbound"));
    assert_eq!(led_on.customer.as_deref(), Some("+15550196"));
    assert_eq!(led_on.dialled.as_deref(), Some("+15559003"));
    assert_eq!(
        led_on.ended_at.unwrap().0 % 3_600_000_000,
        (15 * 60 + 5) * 1_000_000
    );
}

#[test]
fn a_call_that_a_report_and_a_call_record_tell_is_one() {
    let rows = told(&[
        "made-callrecord-out-twice.json",
        "made-direct-routing-out.json",
    ]);
    assert_eq!(rows.contacts.len(), 2);
    assert_eq!(
        rows.parts(0x910),
        [
            "dial 20:30:00.100-20:30:08.250 8150ms agent=emma.jones@contoso.com outcome=answered raw=0 to=external target=+15550198",
            "talk 20:30:08.250-20:33:10.400 182150ms agent=emma.jones@contoso.com outcome=completed mode=outbound"
        ]
    );
    // Whoever dials in vain was not offered a call.
    assert_eq!(
        rows.parts(0x911),
        [
            "dial 20:40:00-20:40:25 25000ms agent=emma.jones@contoso.com outcome=failed raw=The callee did not answer. to=external target=+15550199"
        ]
    );
    assert!(rows.offers(0x911).is_empty());
    for call in [0x910, 0x911] {
        let contact = rows.call(call).contact.as_ref().unwrap();
        assert_eq!(contact.direction.as_deref(), Some("outbound"));
    }
    // Without the report the record tells the talk, and what was waited for it is in it.
    let rows = told(&["made-callrecord-out-twice.json"]);
    assert_eq!(
        rows.parts(0x910),
        [
            "talk 20:30:00-20:33:10 190000ms agent=emma.jones@contoso.com outcome=completed mode=outbound"
        ]
    );
}

#[test]
fn the_same_report_as_csv() {
    let json: serde_json::Value =
        serde_json::from_slice(&capture("made-direct-routing-calls.json")).unwrap();
    let list = json["value"].as_array().unwrap();
    let names: Vec<&String> = list[0].as_object().unwrap().keys().collect();
    let mut csv = names
        .iter()
        .map(|n| n.as_str())
        .collect::<Vec<_>>()
        .join(",");
    for row in list {
        let cells = names.iter().map(|n| match &row[n.as_str()] {
            serde_json::Value::String(s) => format!("\"{s}\""),
            serde_json::Value::Null => String::new(),
            other => other.to_string(),
        });
        csv.push('\n');
        csv.push_str(&cells.collect::<Vec<_>>().join(","));
    }
    let (all, dead) = split(csv.as_bytes(), "contoso");
    assert_eq!((all.len(), dead.len()), (4, 0));
    let of_csv = crate::teams::harness::rows(&all);
    let of_json = crate::teams::harness::rows(&records(&["made-direct-routing-calls.json"]));
    assert_eq!(of_csv.contacts, of_json.contacts);
}

#[test]
fn a_service_level_that_is_set_is_a_target_and_one_that_is_not_is_none() {
    let rows = told(&["made-queue-settings.json"]);
    assert_eq!(rows.targets.len(), 1);
    let target = &rows.targets[0];
    assert_eq!(
        (target.queue.as_str(), target.threshold_ms),
        ("support", 40_000)
    );
    assert_eq!(target.variant, "offered");
    assert!(target.valid_from.is_some());
    assert_eq!(rows.kept, 1, "the queue without a threshold");
}
