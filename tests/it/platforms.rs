//! What platforms send, as they send it, by HTTP into a server of its own: what SQL says then, and
//! again after a restart. How each capture is read is asserted cell by cell beside the adapters.

use crate::support::centre::Centre;
use crate::support::project;

mod amended;
mod captures;

/// Platforms and captures of theirs.
const SENT: &[(&str, &[&str])] = &[
    (
        "teams",
        &["made-vaac-call-queue.json", "made-callrecord-queue.json"],
    ),
    (
        "acs",
        &["made-job-router.json", "made-journey-chat-bot-voice.ndjson"],
    ),
    (
        "amazon-connect",
        &[
            "made-inbound-events.json",
            "made-inbound-agents.json",
            "made-inbound-records.json",
            "made-queue-transfer.json",
        ],
    ),
    ("genesys", &["made-detail-voice-transfer.json"]),
    ("freeswitch", &["made-callcenter-events.txt"]),
    (
        "twilio",
        &[
            "made-taskrouter.txt",
            "made-voice-and-conference.txt",
            "made-recordings.txt",
        ],
    ),
    (
        "siprec",
        &[
            "made-1-complete.xml",
            "made-2-partial.xml",
            "made-3-end.xml",
        ],
    ),
    (
        "vcon",
        &[
            "made-transfer-and-hold.json",
            "generated-call-05cec3d4--vcon-server.json",
        ],
    ),
    (
        "sheet",
        &[
            "made-attributes.csv",
            "made-measurements.csv",
            "made-schedule.csv",
        ],
    ),
];

/// What they say beside their contacts' rows, and how it is asked.
const BESIDE: &[(&str, &[&str])] = &[
    // Twilio: who was offered the call, who held it, and where it is recorded.
    (
        "select queue, agent, ring_ms, outcome from offers where contact_id = 'here-CA1' order by offered_at",
        &[
            "Support alice 15000 no_answer",
            "Support bob 7000 accepted",
            "Sales carol 7000 accepted",
        ],
    ),
    (
        "select kind, queue, agent, outcome, duration_ms from segments where contact_id = 'here-CA1' order by seq",
        &[
            "queue Support null answered 25000",
            "talk Support bob transferred 75000",
            "hold Support bob resumed 15000",
            "queue Sales null answered 10000",
            "wrapup Support bob completed 12000",
            "talk Sales carol completed 90000",
            "wrapup Sales carol completed 15000",
        ],
    ),
    (
        "select leg, state, duration_ms from recordings where contact_id = 'here-CA1'",
        &["both ready 174000"],
    ),
    (
        "select agent, state, reason, started_at, ended_at from agent_states where source = '/twilio/here' order by started_at",
        &[
            "alice offline null 2026-03-02T09:03:20 2026-03-02T09:05:00",
            "alice available null 2026-03-02T09:05:00 2026-03-02T09:25:00",
            "alice paused Lunch Break 2026-03-02T09:25:00 2026-03-02T09:30:00",
        ],
    ),
    // SIPREC: who talked, of three documents of one session.
    (
        "select kind, agent, outcome, duration_ms from segments where contact_id = 'here-S1' order by seq",
        &[
            "talk bob@example.com left 52000",
            "talk carol@example.com completed 70000",
        ],
    ),
    // vCon: a transfer with a hold, its two recordings, and what was said.
    (
        "select kind, queue, agent, outcome, duration_ms from segments where contact_id = 'here-00000000-0000-4000-8000-00000000000a' order by seq",
        &[
            "dial null null busy 0",
            "talk support bob@example.com transferred 120250",
            "hold support bob@example.com resumed 20000",
            "talk refunds carol@example.com completed 60000",
            "voicemail null null empty 10000",
        ],
    ),
    (
        "select leg, state, duration_ms from recordings where contact_id = 'here-00000000-0000-4000-8000-00000000000a' order by duration_ms",
        &["both ready 60000", "both ready 120250"],
    ),
    (
        "select leg, start_ms, text from turns where contact_id = 'here-00000000-0000-4000-8000-00000000000a' order by start_ms",
        &[
            "agent 1000 Hello, this is Bob.",
            "customer 3500 I want my money back.",
        ],
    ),
    // Tables: a customer's attributes, a plan, and figures of a contact that Amazon Connect tells.
    (
        "select customer, name, value, valid_to from customer_attributes order by customer",
        &[
            "+4930123 tier gold null",
            "ann, at home@example.com seats 12 2026-06-01T00:00:00",
        ],
    ),
    (
        "select agent, activity, class, started_at, ended_at, paid from schedules order by started_at",
        &[
            "ann@example.com Phones available 2026-03-02T08:00:00 2026-03-02T12:00:00 true",
            "ann@example.com Lunch paused 2026-03-02T12:00:00 2026-03-02T12:30:00 false",
        ],
    ),
    (
        "select participant, name, value, unit from measurements where contact_id = 'here-c-1' order by participant, name",
        &[
            "a-1 issue HighPacketLoss 1.0 flag",
            "a-1 quality_score 4.2 score",
            "ann echo 2.5 dB",
            "ann jitter_ms 12.0 ms",
        ],
    ),
];

/// Posts all captures as webhooks do; how many records were taken and how many were known.
fn post(centre: &Centre) -> (u64, u64) {
    let (mut taken, mut repeated) = (0, 0);
    for (platform, captures) in SENT {
        let folder = project().join("ingest/sources/tests/captures");
        for capture in *captures {
            let bytes = std::fs::read(folder.join(platform).join(capture)).unwrap();
            let url = format!("/v1/sources/{platform}?instance=here&name={capture}");
            let (status, answer) = centre.server().post(&url, "text/plain", bytes).unwrap();
            assert_eq!(status, 200, "{platform} {capture}: {answer}");
            assert_eq!(answer["refused"], 0, "{platform} {capture}: {answer}");
            taken += answer["taken"].as_u64().unwrap();
            repeated += answer["repeated"].as_u64().unwrap();
        }
    }
    (taken, repeated)
}

#[test]
fn every_platform_comes_in_by_its_webhook_and_is_the_same_in_sql() {
    let mut centre = Centre::new();
    let (taken, repeated) = post(&centre);
    assert_eq!((taken, repeated), (198, 0));
    // Webhooks are sent again.
    assert_eq!(post(&centre), (0, 198));
    let told = [
        // Teams: the queue's row and the call record of one call.
        "000000a0-1111-4222-8333-0000000000a0 voice support nina@contoso.com 2026-03-02T09:00:00 answered 42000 240200 null null 0",
        "000000c1-1111-4222-8333-0000000000c1 voice support null 2026-03-02T09:20:00 abandoned 35000 null null null 0",
        "000000c5-1111-4222-8333-0000000000c5 voice support null 2026-03-02T09:29:00 timeout 40000 null null null 0",
        // Amazon Connect: a call that went to a second agent, and one that changed its queue.
        "c-1 voice q-sales a-2 2026-03-02T09:00:10.411 answered 44420 220030 14300 65500 1",
        // Genesys Cloud.
        "c0000000-0000-4000-8000-000000000001 voice bbbb0000-0000-4000-8000-000000000002 u3333333-0000-4000-8000-000000000003 2026-03-02T09:15:00 answered 70250 299750 30000 22500 1",
        // FreeSWITCH: cancelled, and nobody there.
        "cs1 voice support@default null 2026-03-02T09:18:30 abandoned 7000 null null null 0",
        "cs3 voice support@default null 2026-03-02T09:18:50 no_agents 7000 null null null 0",
        // Azure Communication Services: jobs.
        "job:job-1 voice q-sales ben 2026-03-02T09:00:00 answered 15500 120000 null 30000 0",
        "job:job-4 voice q-sales null 2026-03-02T09:06:40 no_agents 200 null null null 0",
        "m-1 voice q-over a-2 2026-03-02T09:00:00 answered 90000 190000 0 12000 0",
        // Twilio: handed on to another queue, given up, and over by the workflow's time.
        "CA1 voice Sales carol 2026-03-02T09:15:00 answered 35000 165000 15000 27000 1",
        "CA5 voice Support null 2026-03-02T09:20:00 abandoned 30000 null null null 0",
        "WT3 voice Overflow null 2026-03-02T09:21:40 timeout 60000 null null null 0",
        // SIPREC and vCon: no queue, and so no wait.
        "S1 voice null carol@example.com 2026-03-02T09:15:00 completed null 122000 null null 0",
        "00000000-0000-4000-8000-00000000000a voice null carol@example.com 2026-03-02T09:14:00 empty null 180250 20000 null 1",
        "05cec3d4-0561-4010-9fb8-23cc7edef146 voice null louis.anderson@gasstation.com 2024-03-16T16:09:20.701736 completed null 57168 null null 0",
    ];
    let sql = "select substr(contact_id, 6) as id, channel, queue, agent, started_at, outcome, wait_ms, talk_ms, hold_ms, wrap_ms, transfers from contacts order by contact_id";
    for _ in 0..2 {
        let rows = centre.rows(sql);
        assert_eq!(rows.len(), 30, "{rows:#?}");
        for row in told {
            assert!(rows.iter().any(|r| r == row), "{row}\n{rows:#?}");
        }
        for (sql, expected) in BESIDE {
            assert_eq!(centre.rows(sql), *expected, "{sql}");
        }
        assert_eq!(centre.rows("select count(*) from dead_letters"), ["0"]);
        // A journey from a chat by a bot to a call is one contact.
        let journey = "select distinct kind from segments where contact_id = 'here-call:J2voiceAfterChatAAAAAAA' order by 1";
        let kinds = centre.rows(journey);
        for kind in ["bot", "queue", "talk"] {
            assert!(kinds.iter().any(|k| k == kind), "{kinds:?}");
        }
        centre.restart();
    }
}
