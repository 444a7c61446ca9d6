//! Job Router: stays, offers, talks, wrap-up, workers. Section 7 of the platform's own figures: wait =
//! accepted - queued; ring = answer, decline or expiry - offeredOn; handle = completed - accepted;
//! wrap-up = closed - completed.

use super::pipe::{Rows, at, attribute, capture, offers, parts, records_of, rows, told};

fn day() -> Rows {
    told(&["made-job-router.json"])
}

/// The hand-made day with one text replaced by another.
fn altered(from: &str, to: &str) -> Rows {
    let text = String::from_utf8(capture("made-job-router.json")).unwrap();
    assert!(text.contains(from), "{from}");
    rows(&records_of("acs1", text.replace(from, to).as_bytes()))
}

#[test]
fn a_job_is_a_contact_with_wait_ring_handle_and_wrap_up() {
    let rows = day();
    let job = rows.contact("job:job-1");
    assert_eq!(
        parts(job),
        [
            "queue q-sales - answered 0.5..16",
            "talk q-sales ben completed 16..136",
            "wrapup q-sales ben completed 136..166",
        ]
    );
    let c = job.contact.as_ref().unwrap();
    assert_eq!(c.source, "/acs/acs1");
    assert_eq!((c.channel.as_str(), c.state.as_str()), ("voice", "closed"));
    assert_eq!(c.language.as_deref(), Some("en-us"));
    assert_eq!(
        (c.wait_ms, c.talk_ms, c.wrap_ms),
        (Some(15_500), Some(120_000), Some(30_000))
    );
    assert_eq!((at(c.started_at), at(c.ended_at)), (0.0, 136.0));
    assert_eq!(job.segments[1].ring_ms, Some(6_000));
    assert_eq!(job.segments[1].parent_seq, Some(1));
    assert_eq!(job.segments[2].reason.as_deref(), Some("sold"));
    assert_eq!(attribute(job, "queue_name").as_deref(), Some("Sales"));
    assert_eq!(attribute(job, "priority").as_deref(), Some("5"));
    // Altered: accepted two seconds later.
    let other = altered("09:00:16.0000000Z", "09:00:18.0000000Z");
    let c = other.contact("job:job-1").contact.clone().unwrap();
    assert_eq!((c.wait_ms, c.talk_ms), (Some(17_500), Some(118_000)));
}

#[test]
fn offers_are_declined_accepted_revoked_or_expire() {
    let rows = day();
    assert_eq!(
        offers(rows.contact("job:job-1")),
        [
            "ana declined 2..9",
            "ben accepted 10..16",
            "cem taken_elsewhere 10..16.2"
        ]
    );
    let expired = rows.contact("job:job-2");
    assert_eq!(offers(expired), ["ana no_answer 231..261"]);
    assert_eq!(expired.offers[0].ring_ms, Some(30_000));
    assert_eq!(expired.offers[0].queue_seq, Some(2), "the second stay");
    assert_eq!(
        expired.offers[0].raw_outcome.as_deref(),
        Some("RouterWorkerOfferExpired")
    );
    let other = altered("RouterWorkerOfferDeclined", "RouterWorkerOfferExpired");
    assert_eq!(offers(other.contact("job:job-1"))[0], "ana no_answer 2..9");
}

#[test]
fn a_revoked_offer_of_a_cancelled_job_is_a_caller_who_left() {
    let other = altered("RouterWorkerOfferExpired", "RouterWorkerOfferRevoked");
    assert_eq!(
        offers(other.contact("job:job-2")),
        ["ana taken_elsewhere 231..261"],
        "nine seconds before the cancellation: not because of it"
    );
    let text = String::from_utf8(capture("made-job-router.json")).unwrap();
    let text = text
        .replace("RouterWorkerOfferExpired", "RouterWorkerOfferRevoked")
        .replace("09:04:21.0000000Z", "09:04:30.1000000Z");
    let near = rows(&records_of("acs1", text.as_bytes()));
    assert_eq!(
        offers(near.contact("job:job-2")),
        ["ana caller_left 231..270.1"]
    );
}

#[test]
fn rules_overflow_time_out_and_find_nobody() {
    // The row "Overflow / Timeout / No agents" of section 0.2, as Job Router's exception rules.
    let rows = day();
    let two = rows.contact("job:job-2");
    assert_eq!(
        parts(two),
        [
            "queue q-sales - overflow 200..230.3",
            "queue q-overflow - abandoned 230.3..270",
        ]
    );
    let first = &two.segments[0];
    assert_eq!(first.target_kind.as_deref(), Some("queue"));
    assert_eq!(first.target.as_deref(), Some("q-overflow"));
    assert_eq!(
        first.raw_outcome.as_deref(),
        Some("RouterJobExceptionTriggered queue-length")
    );
    assert_eq!(
        parts(rows.contact("job:job-3")),
        ["queue q-sales - timeout 300..360.2"]
    );
    let four = rows.contact("job:job-4");
    assert_eq!(parts(four), ["queue q-sales - no_agents 400..400.2"]);
    assert_eq!(four.segments[0].target_kind.as_deref(), Some("disconnect"));
    let other = altered("\"max-wait-time\"", "\"r100\"");
    assert_eq!(
        parts(other.contact("job:job-3")),
        ["queue q-sales - withdrawn 300..360.2"],
        "a rule whose key tells nothing gives no guess"
    );
}

#[test]
fn an_unassigned_job_that_is_queued_again_was_handed_on() {
    let rows = day();
    let five = rows.contact("job:job-5");
    assert_eq!(
        parts(five),
        [
            "queue q-sales - answered 500..505",
            "talk q-sales ben transferred 505..525",
            "queue q-tech - answered 525.4..530",
            "talk q-tech dee completed 530..590",
            "wrapup q-tech dee completed 590..590",
        ]
    );
    assert_eq!(five.segments[1].target.as_deref(), Some("q-tech"));
    let c = five.contact.as_ref().unwrap();
    assert_eq!((c.transfers, c.agents.join(" ")), (1, "ben dee".to_owned()));
    assert_eq!(five.segments[4].end_basis.as_deref(), Some("parent"));
}

#[test]
fn an_offer_without_an_entry_shows_the_stay_and_a_late_entry_dates_it() {
    let text = String::from_utf8(capture("made-job-router.json")).unwrap();
    // The entry of job 5 into its second queue never comes.
    let lost = text.replace("\"queueId\": \"q-tech\"\n  },\n  \"eventType\": \"Microsoft.Communication.RouterJobQueued\"", "\"queueId\": \"q-tech\"\n  },\n  \"eventType\": \"Microsoft.Communication.RouterJobIgnored\"");
    assert_ne!(lost, text);
    let rows = rows(&records_of("acs1", lost.as_bytes()));
    assert_eq!(
        parts(rows.contact("job:job-5"))[2],
        "queue q-tech - answered 526..530"
    );
}

#[test]
fn workers_are_available_paused_and_in_queues() {
    let rows = day();
    let ana: Vec<String> = rows.agents["ana"]
        .iter()
        .map(|s| {
            let queue = s.queue.clone().unwrap_or_default();
            let (from, to) = (at(Some(s.started_at)), at(s.ended_at));
            format!("{} {queue} {} {from}..{to}", s.track, s.state)
        })
        .collect();
    assert_eq!(
        ana,
        [
            "membership q-sales member -60..261.1",
            "membership q-tech member -60..100",
            "presence  available -60..150",
            "presence  paused 150..180",
            "presence  available 180..261.1",
        ]
    );
    assert_eq!(rows.agents["ana"][0].source, "/acs/acs1");
    assert_eq!(
        rows.agents["ana"][2].native_state.as_deref(),
        Some("RouterWorkerRegistered")
    );
    let other = altered(
        "\"availableForOffers\": false",
        "\"availableForOffers\": true",
    );
    assert_eq!(other.agents["ana"].len(), 3, "never paused");
}

#[test]
fn the_published_examples_of_both_schemas_give_the_same_rows() {
    for (kind, expected) in [
        ("router_job_queued", "queue"),
        ("router_worker_offer_accepted", "talk"),
        ("router_worker_offer_issued", "queue"),
    ] {
        let of = |schema: &str| {
            told(&[&format!(
                "eventgrid-{schema}-{kind}--azure-rest-api-specs.json"
            )])
        };
        let (ce, eg) = (of("ce"), of("eg"));
        assert_eq!(ce, eg, "{kind}");
        let job = ce.contact("job:7f1df17b-570b-4ae5-9cf5-fe6ff64cc712");
        assert!(job.segments.iter().any(|s| s.kind == expected), "{kind}");
    }
}

#[test]
fn all_examples_of_one_job_fold_into_one_contact() {
    // They share a job id and one time, some have no worker and other queues: read as far as it goes.
    let names: Vec<String> = super::pipe::captures()
        .into_iter()
        .filter(|n| n.starts_with("eventgrid-eg-router_"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let rows = told(&names);
    let job = rows.only();
    assert_eq!(job.contact.as_ref().unwrap().state, "closed");
    assert_eq!(rows.agents.keys().collect::<Vec<_>>(), ["worker3"]);
    let outcomes: Vec<_> = job
        .offers
        .iter()
        .filter_map(|o| o.outcome.clone())
        .collect();
    assert!(!outcomes.is_empty());
    assert_eq!(
        attribute(job, "label.segment").as_deref(),
        Some("Enterprise")
    );
    assert_eq!(attribute(job, "failure").as_deref(), Some("Expired Job"));
    assert_eq!(
        attribute(job, "scheduled_on").as_deref(),
        Some("2007-03-28T19:13:50.000000Z"),
        "the American form of a time"
    );
}

#[test]
fn a_job_that_is_cancelled_after_the_caller_hung_up_was_abandoned() {
    let raw = |who: &str| format!(r#"{{"identifier":{{"rawId":"{who}"}},"isOnHold":false}}"#);
    let event = |n: u32, kind: &str, second: u32, data: &str| {
        format!(
            r#"{{"id":"{n}","type":"Microsoft.Communication.{kind}","time":"2026-03-02T09:00:{second:02}.5Z","source":"x","data":{{{data}}}}}"#
        )
    };
    let call = r#""callConnectionId":"k","serverCallId":"a""#;
    let list = |all: &str, n: u32| format!(r#"{call},"sequenceNumber":{n},"participants":[{all}]"#);
    // The reference is the call's id: base64 of its address.
    let reference = "aHR0cHM6Ly94L2NvbnYvYT9pPTE";
    let call = call.replace(r#""a""#, &format!("\"{reference}\""));
    let list = |all: &str, n: u32| list(all, n).replace(r#""a""#, &format!("\"{reference}\""));
    let job = format!(r#""jobId":"j","queueId":"q","channelReference":"{reference}""#);
    let told = |second: u32| {
        let lines = [
            event(1, "CallConnected", 0, &call),
            event(2, "ParticipantsUpdated", 1, &list(&raw("4:+15550100"), 1)),
            event(3, "RouterJobQueued", 2, &job),
            event(4, "ParticipantsUpdated", 20, &list("", 2)),
            event(5, "CallDisconnected", 21, &call),
            event(6, "RouterJobCancelled", second, &job),
        ];
        rows(&records_of("acs1", lines.join("\n").as_bytes()))
    };
    let gone = told(22);
    assert_eq!(parts(gone.only()), ["queue q - abandoned 2.5..20.5"]);
    let c = gone.only().contact.clone().unwrap();
    assert_eq!(c.ended_by.as_deref(), Some("customer"));
    assert_eq!(at(c.ended_at), 20.5);
    let before = told(10);
    assert_eq!(parts(before.only()), ["queue q - withdrawn 2.5..10.5"]);
}
