//! What holds where several are told: targets of a queue, names of an agent.

use super::fixture::{Memory, at, contact, segment, state, target};
use super::reading::{session, show};

#[tokio::test]
async fn a_configured_target_holds_before_the_platforms_own() {
    let memory = Memory::new();
    let mut platform = target(
        "/asterisk/pbx1/support/30s",
        "support",
        30_000,
        Some(50),
        None,
    );
    platform.source = Some("/asterisk/pbx1".to_owned());
    platform.variant = "answered".to_owned();
    let mut configured = target("support@always", "support", 10_000, None, Some(200));
    configured.variant = "offered".to_owned();
    let mut later = target("support@100", "support", 15_000, Some(100), Some(150));
    later.variant = "ans_abn".to_owned();
    memory.add(&[platform, configured, later]);
    let entries = [("a", 20), ("b", 60), ("c", 120), ("d", 160), ("e", 300)];
    for (id, at) in entries {
        memory.add(&[contact(id, at, Some(at + 60), 40_000, "Ann")]);
        memory.add(&[
            segment(id, 1, "queue", "support", "", at, Some(at + 12), "answered"),
            segment(
                id,
                2,
                "talk",
                "support",
                "Ann",
                at + 12,
                Some(at + 52),
                "completed",
            ),
        ]);
    }
    let s = session(&memory);
    let out = show(
        &s,
        "SELECT concat_ws(' ', contact_id, threshold_ms, variant, in_target) AS told
         FROM queue_stays ORDER BY contact_id",
    )
    .await;
    let one = "SELECT contact_id, threshold_ms, in_target FROM queue_stays WHERE queue = 'support' AND result = 'answered' ORDER BY entered_at";
    assert!(
        show(&s, one).await.contains("15000"),
        "with a filter on one queue"
    );
    let told: Vec<&str> = out
        .lines()
        .filter_map(|l| l.strip_prefix("| ")?.strip_suffix('|').map(str::trim))
        .skip(1)
        .collect();
    assert_eq!(
        told,
        [
            "a 10000 offered false",
            "b 10000 offered false",
            "c 15000 ans_abn true",
            "d 10000 offered false",
            "e 30000 answered true",
        ],
        "{out}"
    );
}

/// A target that is changed today restates nothing of a day that is past; each day keeps its own
/// threshold and its own figure.
#[tokio::test]
async fn setting_changed_past_day_keeps_both_figures() {
    const DAY: i64 = 86_400;
    let memory = Memory::new();
    memory.add(&[target("t1", "support", 10_000, None, Some(DAY))]);
    for (id, at) in [("past", 20), ("new", DAY + 20)] {
        memory.add(&[contact(id, at, Some(at + 60), 40_000, "Ann")]);
        let end = Some(at + 12);
        memory.add(&[segment(id, 1, "queue", "support", "", at, end, "answered")]);
    }
    let s = session(&memory);
    let figures = "SELECT concat_ws(' ', sum(offered), sum(answered_in_target), max(threshold_ms)) AS told
         FROM queue_intervals GROUP BY CAST(interval_start AS DATE) ORDER BY CAST(interval_start AS DATE)";
    let told = |out: String| -> Vec<String> {
        let cells = out
            .lines()
            .filter_map(|l| l.strip_prefix("| ")?.strip_suffix('|'));
        cells.map(|c| c.trim().to_owned()).skip(1).collect()
    };
    assert_eq!(told(show(&s, figures).await)[0], "1 0 10000");
    memory.add(&[target("t2", "support", 60_000, Some(DAY), None)]);
    assert_eq!(told(show(&s, figures).await), ["1 0 10000", "1 1 60000"]);
}

#[tokio::test]
async fn a_call_to_a_device_is_its_agents() {
    let memory = Memory::new();
    let mut ann = state("Ann", "membership", "support", "member", "", -100, None);
    ann.source = "/asterisk/pbx1".to_owned();
    ann.device = Some("IAX2/ann".to_owned());
    // Two agents at one phone on one day: whose call it was is not known.
    let mut shared = ["Bob", "Cleo"].map(|agent| {
        let mut row = state(agent, "membership", "support", "member", "", -100, None);
        row.source = "/asterisk/pbx1".to_owned();
        row.device = Some("IAX2/shared".to_owned());
        row
    });
    shared[1].started_at = at(-50);
    memory.add(&[ann]);
    memory.add(&shared);
    memory.add(&[
        contact("pbx1-1.1", 0, Some(60), 50_000, "IAX2/ann"),
        contact("pbx1-2.1", 0, Some(60), 50_000, "IAX2/shared"),
        contact("pbx2-1.1", 100, Some(160), 50_000, "IAX2/ann"),
    ]);
    memory.add(&[
        segment(
            "pbx1-1.1",
            1,
            "talk",
            "",
            "IAX2/ann",
            10,
            Some(60),
            "completed",
        ),
        segment(
            "pbx1-2.1",
            1,
            "talk",
            "",
            "IAX2/shared",
            10,
            Some(60),
            "completed",
        ),
        segment(
            "pbx2-1.1",
            1,
            "talk",
            "",
            "IAX2/ann",
            110,
            Some(160),
            "completed",
        ),
    ]);
    let s = session(&memory);
    for (sql, want) in [
        (
            "SELECT concat_ws(' ', contact_id, agent, agents[1]) AS told FROM contacts ORDER BY 1",
            [
                "pbx1-1.1 Ann Ann",
                "pbx1-2.1 IAX2/shared IAX2/shared",
                "pbx2-1.1 IAX2/ann IAX2/ann",
            ],
        ),
        (
            "SELECT concat_ws(' ', contact_id, agent) AS told FROM segments ORDER BY 1",
            ["pbx1-1.1 Ann", "pbx1-2.1 IAX2/shared", "pbx2-1.1 IAX2/ann"],
        ),
    ] {
        let out = show(&s, sql).await;
        for want in want {
            assert!(out.contains(&format!("| {want} ")), "{sql}: {out}");
        }
    }
    let talks = "SELECT concat_ws(' ', agent, state) AS told FROM agent_intervals WHERE state = 'talk' ORDER BY 1";
    let out = show(&s, talks).await;
    assert!(out.contains("| Ann talk "), "{out}");
    assert_eq!(out.matches("IAX2/").count(), 2, "{out}");
}
