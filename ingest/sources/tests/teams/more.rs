//! Rarer rows: legends, names withheld, local times, chains of which only the call record tells,
//! agents who only rang.

use callboard_sources::adapter::{Declared, of_platform};
use callboard_sources::lines::NewLine;

use crate::teams::harness::{capture, guid, records, rows, split};

fn of(text: &str) -> crate::teams::harness::Rows {
    rows(&split(text.as_bytes(), "contoso").0)
}

#[test]
fn legends_stand_in_for_results_that_were_not_exported() {
    let head = "ConferenceID,CQ Name,CallStartTimeUTC,CallEndTimeUTC,CQCallDurationSeconds,CQCallResultLegendCode\n";
    let row = |n: u32, code: &str| {
        format!(
            "{},support,2026-03-02T08:00:00,2026-03-02T08:01:00,9,{code}\n",
            guid(n)
        )
    };
    let text = head.to_owned()
        + &row(1, "4001")
        + &row(2, "4002")
        + &row(3, "Timed Out")
        + &row(4, "4004")
        + &row(5, "4005");
    let rows = of(&text);
    let outcome = |n| {
        rows.call(n)
            .contact
            .as_ref()
            .unwrap()
            .outcome
            .clone()
            .unwrap()
    };
    assert_eq!(
        [1, 2, 3, 4, 5].map(outcome),
        ["answered", "overflow", "timeout", "no_agents", "unknown"]
    );
}

#[test]
fn a_queue_whose_name_is_withheld_goes_by_its_id() {
    let text = String::from_utf8(capture("made-vaac-call-queue.json")).unwrap();
    let rows = of(&text.replace("support@contoso.com", "NOTAUTHCQ"));
    assert_eq!(
        rows.call(0xc1).contact.as_ref().unwrap().queue,
        Some(guid(0xc901))
    );
}

#[test]
fn local_times_are_read_in_the_declared_zone() {
    let text = format!(
        "ConferenceID,CQ Name,Call Start Time Local,Call End Time Local,Call Queue Call Result\n{},support,2026-03-02 09:00:00,2026-03-02 09:01:00,disconnected\n",
        guid(7)
    );
    let declared = Declared {
        instance: "contoso".into(),
        zone: "Europe/Berlin".into(),
        ..Declared::default()
    };
    let lines = of_platform("teams")
        .unwrap()
        .split(text.as_bytes(), &declared);
    let all: Vec<_> = lines
        .into_iter()
        .map(|l| match l {
            NewLine::Record(r) => r.received(0),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        rows(&all).parts(7),
        [
            "queue 08:00:00-08:01:00 60000ms queue=support outcome=abandoned raw=disconnected by=customer"
        ]
    );
}

#[test]
fn a_time_in_parts_and_a_caller_who_has_a_name() {
    let text = format!(
        r#"{{"Date":"2026-03-02","Hour":8,"Minute":"5","Second":7,"ConferenceId":"{}","CallQueueIdentity":"support@contoso.com","CallQueueCallResult":"no_agent","CallQueueTargetType":null,"CallQueueDurationSeconds":3,"FirstIsCaller":"True","FirstUPN":"ann@contoso.com","SecondUPN":"support@contoso.com"}}"#,
        guid(8)
    );
    let rows = of(&text);
    assert_eq!(
        rows.parts(8),
        [
            "queue 08:05:07-08:05:10 3000ms queue=support outcome=no_agents raw=no_agent to=disconnect by=system basis=computed"
        ]
    );
    let contact = rows.call(8).contact.as_ref().unwrap();
    assert_eq!(contact.customer.as_deref(), Some("ann@contoso.com"));
}

/// Of chained queues and attendants the analytics report the first; the call record knows the next.
#[test]
fn a_chain_goes_on_in_the_call_record() {
    let text = String::from_utf8(capture("made-callrecord-queue.json")).unwrap();
    let mut call: serde_json::Value = serde_json::from_str(&text).unwrap();
    let again = |name: &str, n: usize, from: &str, to: &str, id: u32| {
        let mut s = call["sessions"][n].clone();
        s["id"] = guid(id).into();
        s["callee"]["identity"]["applicationInstance"]["id"] = guid(id).into();
        s["callee"]["identity"]["applicationInstance"]["userPrincipalName"] = name.into();
        s["startDateTime"] = format!("2026-03-02T{from}Z").into();
        s["endDateTime"] = format!("2026-03-02T{to}Z").into();
        s
    };
    let menu = again(
        "evening.menu@contoso.com",
        0,
        "09:00:10",
        "09:00:20.5",
        0x661,
    );
    let queue = again("billing@contoso.com", 1, "09:00:50", "09:04:05", 0x662);
    let sessions = call["sessions"].as_array_mut().unwrap();
    sessions.extend([menu, queue]);
    let mut all = records(&[
        "made-vaac-answer-auto-attendant.json",
        "made-vaac-call-queue.json",
    ]);
    all.extend(split(call.to_string().as_bytes(), "contoso").0);
    let rows = rows(&all);
    let named: Vec<String> = rows
        .call(0xa0)
        .segments
        .iter()
        .filter(|s| matches!(s.kind.as_str(), "menu" | "queue"))
        .map(|s| s.name.clone().or(s.queue.clone()).unwrap())
        .collect();
    assert_eq!(named, ["main.menu", "evening.menu", "support", "billing"]);
}

/// The template of 2022 counts what was presented to agents: the call record knows who took it.
#[test]
fn an_agent_who_only_rang_has_an_offer_and_no_talk() {
    let text = String::from_utf8(capture("made-vaac-agent-timeline.json")).unwrap();
    let of_otto = text.replace("Emma.Jones@contoso.com", "otto@contoso.com");
    let mut all = records(&[
        "made-vaac-call-queue.json",
        "made-vaac-agent-timeline.json",
        "made-callrecord-queue.json",
    ]);
    all.extend(split(of_otto.as_bytes(), "contoso").0);
    let rows = rows(&all);
    let agents: Vec<_> = rows.call(0xa0).contact.as_ref().unwrap().agents.clone();
    assert_eq!(agents, ["emma.jones@contoso.com", "nina@contoso.com"]);
    assert_eq!(
        rows.offers(0xa0).len(),
        1,
        "told by the call record, with its times"
    );
    // Without the call record nobody can tell: both rows stand as talks.
    let mut blind = records(&["made-vaac-call-queue.json", "made-vaac-agent-timeline.json"]);
    blind.extend(split(of_otto.as_bytes(), "contoso").0);
    let rows = super::harness::rows(&blind);
    assert_eq!(rows.call(0xa0).contact.as_ref().unwrap().agents.len(), 2);
}

#[test]
fn lists_of_what_one_may_see_are_kept() {
    let text = r#"{"TenantId":"t","AutoAttendantDetails":[],"CallQueueDetails":[{"CallQueueId":"x","CallQueueName":"y"}]}"#;
    let (all, dead) = split(text.as_bytes(), "");
    assert_eq!((all.len(), dead.len()), (1, 0));
    assert_eq!(&*all[0].format, "teams/sums");
    assert_eq!(rows(&all).kept, 1);
}

#[test]
fn an_expert_after_whom_the_agent_is_gone_took_the_call_over() {
    let text = String::from_utf8(capture("made-callrecord-queue.json")).unwrap();
    let moved = text
        .replace("09:02:30.0000000Z", "09:04:06.0000000Z")
        .replace("09:03:30.0000000Z", "09:08:00.0000000Z")
        .replace("09:04:05.4560000Z", "09:08:00.4560000Z");
    let rows = of(&moved);
    let talks: Vec<_> = rows
        .call(0xa0)
        .segments
        .iter()
        .filter(|s| s.kind == "talk")
        .collect();
    let told = |n: usize| {
        (
            talks[n].agent.clone().unwrap(),
            talks[n].outcome.clone().unwrap(),
            talks[n].mode.clone().unwrap(),
        )
    };
    assert_eq!(
        told(0),
        (
            "emma.jones@contoso.com".into(),
            "transferred".into(),
            "serve".into()
        )
    );
    assert_eq!(
        told(1),
        (
            "nina@contoso.com".into(),
            "completed".into(),
            "serve".into()
        )
    );
    assert_eq!(rows.call(0xa0).contact.as_ref().unwrap().transfers, 1);
}

/// Graph answers several questions at once: each body is what it would be alone.
#[test]
fn a_batch_of_answers_holds_their_bodies() {
    let text = |name: &str| String::from_utf8(capture(name)).unwrap();
    let batch = format!(
        r#"{{"responses":[{{"id":"1","status":200,"body":{}}},{{"id":"2","status":200,"body":{}}},{{"id":"3","status":404,"body":{{"error":{{"code":"NotFound"}}}}}}]}}"#,
        text("made-callrecord-queue.json"),
        text("made-pstn-calls.json")
    );
    let (all, dead) = split(batch.as_bytes(), "contoso");
    assert_eq!((all.len(), dead.len()), (6, 1));
    assert!(dead[0].reason.contains("error"), "{}", dead[0].reason);
    let alone = rows(&records(&[
        "made-callrecord-queue.json",
        "made-pstn-calls.json",
    ]));
    assert_eq!(rows(&all).contacts, alone.contacts);
}

/// One row may tell of an attendant and of a queue, where both were asked for.
#[test]
fn a_row_of_both_is_a_menu_and_a_wait() {
    let text = format!(
        r#"{{"ConferenceId":"{}","UserStartTimeUTC":"2026-03-02T08:00:00","EndTime":"2026-03-02T08:01:00","AutoAttendantIdentity":"main.menu@contoso.com","AutoAttendantCallResult":"transferred_to_cq","AutoAttendantChainDurationInSecs":"10.5","CallQueueIdentity":"support@contoso.com","CallQueueCallResult":"disconnected","CallQueueTargetType":"Disconnect","CallQueueDurationSeconds":20}}"#,
        guid(9)
    );
    assert_eq!(
        of(&text).parts(9),
        [
            "menu 08:00:00-08:00:10.500 10500ms outcome=transferred raw=transferred_to_cq to=voice_app target=support name=main.menu basis=computed",
            "queue 08:00:10.500-08:00:30.500 20000ms queue=support outcome=abandoned raw=disconnected by=customer basis=computed",
        ]
    );
}
