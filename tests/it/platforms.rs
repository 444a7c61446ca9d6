//! What platforms send, as they send it, by HTTP into a server of its own: what SQL says then, and
//! again after a restart. How each capture is read is asserted cell by cell beside the adapters.

use crate::support::centre::Centre;
use crate::support::project;

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
    assert_eq!((taken, repeated), (131, 0));
    // Webhooks are sent again.
    assert_eq!(post(&centre), (0, 131));
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
    ];
    let sql = "select substr(contact_id, 6) as id, channel, queue, agent, started_at, outcome, wait_ms, talk_ms, hold_ms, wrap_ms, transfers from contacts order by contact_id";
    for _ in 0..2 {
        let rows = centre.rows(sql);
        assert_eq!(rows.len(), 24, "{rows:#?}");
        for row in told {
            assert!(rows.iter().any(|r| r == row), "{row}\n{rows:#?}");
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
