//! What platforms measured, counted themselves and judged, capture by capture.

use callboard_model::tables::{EvaluationRow, VendorMetricRow};
use callboard_sources::asterisk::Feed::Ami;

use crate::amazon_connect::fold as connect;
use crate::fold::{self, capture, measures, told};
use crate::pipeline;
use crate::stories::T;

/// Scope, metric, unit and value.
fn figures(rows: &[VendorMetricRow]) -> Vec<(&str, &str, &str, f64)> {
    rows.iter()
        .map(|f| {
            let unit = f.unit.as_deref().unwrap_or("");
            (&*f.scope, &*f.metric, unit, f.value)
        })
        .collect()
}

/// Question, answer, score and the greatest possible one.
fn answers(rows: &[EvaluationRow]) -> Vec<(&str, &str, Option<f64>, Option<f64>)> {
    rows.iter()
        .map(|e| {
            let question = e.question_id.as_deref().unwrap_or("");
            let answer = e.answer.as_deref().unwrap_or("");
            (question, answer, e.score, e.max_score)
        })
        .collect()
}

#[test]
fn streams_of_a_teams_call_are_measured_at_their_receiver() {
    let rows = crate::teams::harness::told(&["made-callrecord-queue.json"]);
    let call = rows.call(0xa0);
    let found = measures(&call.measurements);
    // The agent talks to a mixer of the service, which hears her and is heard.
    for one in [
        ("mediaController", "jitter_ms", 16.0),
        ("mediaController", "round_trip_ms", 81.0),
        ("mediaController", "packet_loss_ratio", 0.02),
        ("emma.jones@contoso.com", "jitter_ms", 4.0),
    ] {
        assert!(found.contains(&one), "{one:?} in {found:?}");
    }
    let first = &call.measurements[0];
    assert_eq!(first.source, "/teams/contoso");
    assert!(first.segment_id.is_some() && first.at.is_some());
    // A real call: the receiver's device and network, and what he thought of it.
    let real = crate::teams::harness::told(&[
        "callrecord-basic--graph-docs.json",
        "callrecord-sessions-expanded--graph-docs.json",
    ]);
    let call = real.contacts.values().next().unwrap();
    // One stream in each direction.
    let told = |name: &str, value: f64| {
        let mut all = call.measurements.iter();
        all.find(|m| m.name == name && m.value == value).unwrap()
    };
    told("jitter_ms", 7.0);
    let jitter = told("jitter_ms", 16.0);
    assert_eq!(jitter.unit.as_deref(), Some("ms"));
    assert_eq!(jitter.network.as_deref(), Some("wired"));
    assert!(jitter.device.as_deref().unwrap().starts_with("Speakers"));
    assert_eq!(told("jitter_max_ms", 21.0).segment_id, jitter.segment_id);
}

#[test]
fn amazon_connect_scores_the_sound_of_each_leg() {
    let rows = connect::told("inbound-records");
    let found = measures(&rows.contact("i-1-c-1").measurements);
    assert!(found.contains(&("a-1", "quality_score", 4.2)), "{found:?}");
    assert!(
        found.contains(&("a-1", "issue HighPacketLoss", 1.0)),
        "{found:?}"
    );
    let score = &rows.contact("i-1-c-1").measurements;
    let score = score.iter().find(|m| m.name == "quality_score").unwrap();
    assert_eq!(score.client.as_deref(), Some("Chrome 141 (Windows)"));
    assert_eq!(score.segment_id.as_deref(), Some("c-1"));
}

#[test]
fn contact_lens_scores_stand_beside_ours() {
    let body = connect::capture("contact-lens-voice-original--admin-guide.json");
    let (records, _) = connect::named(&body, "c-1_analysis_2026-03-02T09:01:10Z.json");
    let rows = connect::rows(&records);
    let found = measures(&rows.measured);
    for one in [
        ("customer", "sentiment", 3.1),
        ("agent", "sentiment quarter 2", -5.0),
        ("agent", "talk_ms", 15_079.0),
        ("customer", "talk_speed", 163.0),
        ("", "non_talk_ms", 0.0),
    ] {
        assert!(found.contains(&one), "{one:?} in {found:?}");
    }
    assert!(
        rows.measured.iter().all(|m| m.at.is_none()),
        "a call's file tells no time"
    );
    assert!(rows.measured.iter().all(|m| m.contact_id.ends_with("c-1")));
}

#[test]
fn an_evaluation_keeps_every_score() {
    let body = connect::capture("evaluation-export--admin-guide.json");
    let rows = connect::rows(&connect::records(&body));
    assert_eq!(
        answers(&rows.evaluations),
        [
            ("", "", Some(100.0), Some(100.0)),
            ("q570b206a", "not applicable", None, None),
            ("q73bc5b9d", "Yes", Some(100.0), Some(100.0)),
            ("qc2effc9d", "Example answer text", None, None),
            ("section s1a1b58d6", "", Some(100.0), Some(100.0)),
            ("section s46661c49", "", Some(100.0), Some(100.0)),
        ]
    );
    let whole = &rows.evaluations[0];
    assert_eq!(whole.evaluator.as_deref(), Some("jane"));
    assert_eq!(whole.form.as_deref(), Some("Compliance Evaluation Form v2"));
    assert_eq!(
        whole.agent.as_deref(),
        Some("286bcec0-e722-4166-865f-84db80252218")
    );
    assert_eq!(
        rows.evaluations[2].section.as_deref(),
        Some("The title of the subsection")
    );
    // Of two versions the later one's score holds, and what does not apply any more has none.
    let text = String::from_utf8(body).unwrap();
    let again = text.replace("T17:59:29.052Z", "T18:59:29.052Z").replace(
        "\"score\": { \"percentage\": 100 }\n    },\n    {\n      \"questionRefId\": \"qc2",
        "\"score\": { \"notApplicable\": true }\n    },\n    {\n      \"questionRefId\": \"qc2",
    );
    assert_ne!(text, again);
    for order in [[&text, &again], [&again, &text]] {
        let all: Vec<_> = order
            .iter()
            .flat_map(|t| connect::records(t.as_bytes()))
            .collect();
        let rows = connect::rows(&all);
        let yes = rows
            .evaluations
            .iter()
            .find(|e| e.answer.as_deref() == Some("Yes"));
        assert_eq!(yes.unwrap().score, None);
    }
}

#[test]
fn figures_of_amazon_connect_keep_their_names_and_units() {
    let (records, dead) = connect::named(&connect::made("metric-data"), "");
    assert!(dead.is_empty(), "{dead:?}");
    let rows = connect::rows(&records);
    assert_eq!(
        figures(&rows.figures),
        [
            ("agent:a-1", "AGENT_OCCUPANCY", "percent", 64.0),
            ("queue:q-care", "AVG_HANDLE_TIME", "s", 212.5),
            ("queue:q-care", "CONTACTS_QUEUED", "count", 14.0),
            ("queue:q-care", "SERVICE_LEVEL LT 30.0", "percent", 87.5),
        ]
    );
    let of_queue = &rows.figures[1];
    assert_eq!(of_queue.source, "/amazon-connect/i-1");
    let span = [of_queue.started_at, of_queue.ended_at];
    assert_eq!(span.map(|t| t.unwrap().0 - connect::T), [0, 900_000_000]);
}

#[test]
fn figures_and_evaluations_of_genesys() {
    let rows = told("genesys", &[&capture("genesys", "made-aggregates.json")]);
    let all = figures(&rows.figures);
    let queue = "queue:aaaa0000-0000-4000-8000-000000000001";
    for one in [
        (queue, "nOffered.count", "count", 12.0),
        (queue, "tAnswered.sum", "ms", 85_000.0),
        (queue, "tAnswered.mean", "ms", 8_500.0),
        (queue, "oServiceLevel.ratio", "ratio", 0.9),
        (queue, "nOffered.count", "count", 7.0),
    ] {
        assert!(all.contains(&one), "{one:?} in {all:?}");
    }
    let voice = format!("mediaType:voice {queue}");
    assert!(all.contains(&(&*voice, "tAbandon.count", "count", 2.0)));
    let rows = told("genesys", &[&capture("genesys", "made-evaluation.json")]);
    assert_eq!(
        answers(&rows.evaluations),
        [
            ("", "", Some(66.7), Some(100.0)),
            ("q1", "No", Some(0.0), Some(5.0)),
            ("q2", "Yes", Some(10.0), Some(10.0)),
        ]
    );
    assert_eq!(
        rows.evaluations[0].contact_id.as_deref(),
        Some("t1-c0000000-0000-4000-8000-000000000001")
    );
    assert_eq!(rows.evaluations[1].remark.as_deref(), Some("by number"));
}

#[test]
fn a_genesys_conversation_has_its_least_score() {
    let name = "conversation-detail-1--conversation-model-to-sql-blueprint.json";
    let rows = told("genesys", &[&capture("genesys", name)]);
    let found = measures(&fold::only(&rows).measurements);
    assert!(
        found.contains(&("", "mos_min", 4.882_874_965_667_725)),
        "{found:?}"
    );
}

#[test]
fn diagnostics_of_azure_are_measured_by_participant_and_media() {
    let rows = crate::acs::pipe::told(&["made-monitor-records.json"]);
    let all: Vec<_> = rows
        .contacts
        .values()
        .flat_map(|c| &c.measurements)
        .collect();
    let of = |name: &str| all.iter().find(|m| m.name == name).unwrap();
    assert_eq!(of("round_trip_max_ms").value, 88.0);
    assert!(
        of("jitter_ms")
            .participant
            .as_deref()
            .unwrap()
            .ends_with(" Video")
    );
    assert_eq!(of("packet_loss_ratio").unit.as_deref(), Some("ratio"));
}

#[test]
fn a_call_summary_of_twilio_measures_each_edge() {
    let rows = told("twilio", &[&capture("twilio", "made-call-summary.json")]);
    let found = measures(&rows.measured);
    for one in [
        ("carrier inbound", "packets_lost", 30.0),
        ("carrier inbound", "jitter_max_ms", 11.0),
        ("sdk inbound", "mos_min", 3.9),
        ("sdk inbound", "round_trip_ms", 61.0),
        ("carrier outbound", "packet_loss_ratio", 0.0),
    ] {
        assert!(found.contains(&one), "{one:?} in {found:?}");
    }
    let sdk = rows.measured.iter().find(|m| m.name == "mos").unwrap();
    assert_eq!(sdk.client.as_deref(), Some("2.11.0"));
    assert_eq!(sdk.contact_id, "t1-CA0000000000000000000000000000000a");
}

#[test]
fn what_asterisk_and_freeswitch_count_themselves() {
    let event = |s: i64, waiting: u32| {
        format!(
            "{{\"Timestamp\":\"{}.5\",\"Event\":\"QueueSummary\",\"Queue\":\"support\",\"LoggedIn\":\"4\",\"Available\":\"2\",\"Callers\":\"{waiting}\",\"HoldTime\":\"17\",\"TalkTime\":\"180\",\"LongestHoldTime\":\"55\"}}\n",
            T + s
        )
    };
    // T begins a quarter of an hour: the last picture of it stands.
    let start = T.div_euclid(900) * 900 - T;
    let text = event(start + 10, 3) + &event(start + 70, 1) + &event(start + 910, 9);
    let rows = fold::fold(&pipeline::records(Ami, text.as_bytes()));
    let all = figures(&rows.figures);
    let waiting: Vec<f64> = all
        .iter()
        .filter(|f| f.1 == "Callers")
        .map(|f| f.3)
        .collect();
    assert_eq!(waiting, [1.0, 9.0]);
    assert!(all.contains(&("queue:support", "LongestHoldTime", "s", 55.0)));
    assert_eq!(rows.figures[0].started_at, None);

    let body = "{\"Event-Name\":\"CUSTOM\",\"Event-Subclass\":\"callcenter::info\",\"Event-Date-Timestamp\":\"1772442910000000\",\"CC-Queue\":\"support@default\",\"CC-Action\":\"members-count\",\"CC-Count\":\"3\"}";
    let rows = told("freeswitch", &[body.as_bytes()]);
    assert_eq!(
        figures(&rows.figures),
        [("queue:support@default", "members-count", "count", 3.0)]
    );
}

#[test]
fn tables_of_people_say_what_our_events_say() {
    let kinds = [
        (
            "customer,attribute,value,valid_from\n+4930123,tier,gold,2026-01-01T00:00:00Z\n",
            "customer",
        ),
        (
            "Agent;Activity;Class;Start;End;Paid\nann;Lunch;paused;2026-03-02 12:00;2026-03-02 12:30;no\n",
            "schedule",
        ),
        (
            "contact_id,name,value,at,participant\nc-1,jitter,0.012,2026-03-02T09:15:04Z,ann\n",
            "measurements",
        ),
        (
            "metric,scope,started_at,ended_at,value,unit\nservice_level,queue:support,2026-03-02T09:00:00Z,2026-03-02T09:15:00Z,81.5,percent\n",
            "figures",
        ),
        (
            "evaluation_id,contact_id,question_id,question,score,max,at\ne1,c-1,q1,Greeted?,5,10,2026-03-03T10:00:00Z\n",
            "evaluation",
        ),
        (
            "Number,Contact ID,Customer,Allocated at,Released at\n+49301,main-1,+4917,2026-03-02T09:15:00Z,2026-03-02T09:15:09Z\n",
            "lease",
        ),
    ];
    for (text, kind) in kinds {
        let (records, dead) = fold::split("sheet", "plan", text.as_bytes());
        assert!(dead.is_empty(), "{dead:?}");
        let routing = callboard_model::record::Interpreter::route(
            &callboard_sources::registry::Registry,
            &records[0],
        )
        .unwrap();
        let callboard_model::record::RouteKey::Direct(key) = &routing.keys[0] else {
            panic!("{kind}: {:?}", routing.keys)
        };
        assert!(
            key.text().starts_with(&format!("{kind}:")),
            "{}",
            key.text()
        );
        // Sent again it is the same record.
        assert_eq!(
            fold::split("sheet", "plan", text.as_bytes()).0[0].id,
            records[0].id
        );
    }
    let rows = told(
        "sheet",
        &[
            kinds[2].0.as_bytes(),
            kinds[3].0.as_bytes(),
            kinds[4].0.as_bytes(),
        ],
    );
    assert_eq!(measures(&rows.measured), [("ann", "jitter_ms", 12.0)]);
    assert_eq!(
        figures(&rows.figures),
        [("queue:support", "service_level", "percent", 81.5)]
    );
    assert_eq!(rows.figures[0].source, "/sheet/t1");
    assert_eq!(rows.evaluations[1].score, Some(5.0));
}

#[test]
fn a_row_that_cannot_be_read_says_why() {
    let refused = |text: &str| {
        let (records, _) = fold::split("sheet", "", text.as_bytes());
        let routed = callboard_model::record::Interpreter::route(
            &callboard_sources::registry::Registry,
            &records[0],
        );
        routed.unwrap_err()
    };
    let heading = "contact_id,name,value,at\n";
    for (row, class, word) in [
        (
            "c-1,mos,good,2026-03-02T09:15:04Z\n",
            "bad_value",
            "decimal point",
        ),
        ("c-1,mos,4,yesterday\n", "bad_time", "yesterday"),
        ("c-1,,4,2026-03-02T09:15:04Z\n", "missing_field", "empty"),
    ] {
        let refusal = refused(&format!("{heading}{row}"));
        assert_eq!(refusal.class, class, "{refusal}");
        assert!(refusal.reason.contains(word), "{refusal}");
    }
    let refusal = refused("customer,attribute,value\nx,tier,gold\n");
    assert_eq!(refusal.class, "no_time");
    let (records, dead) = fold::split("sheet", "", b"a,b\n1,2\n");
    assert_eq!((records.len(), dead[0].class), (0, "unknown_columns"));
}

#[test]
fn tables_in_any_order_twice_and_damaged() {
    let all: Vec<Vec<u8>> = fold::captures("sheet")
        .into_iter()
        .map(|(_, b)| b)
        .collect();
    let bodies: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
    let records = fold::records("sheet", "t1", &bodies);
    assert_eq!(records.len(), 9);
    fold::stands_any_order(&records);
    fold::stands_damage("sheet", 2_000);
}
