//! Two platforms by the same metrics, and hand-overs with one end.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use callboard_model::tables::{ContactRow, SegmentRow};

use super::fixture::{Memory, agent_states_of, at, contact, segment};
use super::reading::{session, show};
use crate::Session;
use crate::compare::{Ask, By, Side, Sums, judge};
use crate::identity::{Identity, Settings};
use crate::metrics::{metric, render};

/// Seconds of a day.
const DAY: i64 = 86_400;

fn of(platform: &str, id: &str, start: i64, site: &str) -> ContactRow {
    ContactRow {
        source: format!("/{platform}/{}", id.split('-').next().unwrap()),
        site: Some(site.to_owned()),
        ..contact(id, start, Some(start + 200), 100_000, "ann")
    }
}

/// Eight days of two platforms, at the same time: what each contact waits and talks differs.
fn fill(memory: &Arc<Memory>) {
    let (mut contacts, mut parts): (Vec<ContactRow>, Vec<SegmentRow>) = (Vec::new(), Vec::new());
    for day in 0..8 {
        for n in 0..4 {
            for (platform, instance, agent) in [("teams", "main", "ann"), ("genesys", "eu", "bo")] {
                let id = format!("{instance}-{day}.{n}");
                let start = day * DAY + n * 600;
                let (wait, talk) = (5 + 7 * n, 50 + 10 * day + n);
                let mut row = of(platform, &id, start, if n < 2 { "Berlin" } else { "Cork" });
                (row.agent, row.agents) = (Some(agent.to_owned()), vec![agent.to_owned()]);
                row.transfers = i64::from(n == 3);
                contacts.push(row);
                let mut seq = 1;
                let mut part = |kind: &str, from: i64, to: i64, who: &str, outcome: &str| {
                    let row = segment(
                        &id,
                        seq,
                        kind,
                        "support",
                        who,
                        start + from,
                        Some(start + to),
                        outcome,
                    );
                    seq += 1;
                    parts.push(row);
                };
                if n == 0 {
                    part("menu", 0, 1, "", "selected");
                }
                if n == 2 {
                    part("queue", 1, wait, "", "abandoned");
                    continue;
                }
                part("queue", 1, wait, "", "answered");
                part("talk", wait, wait + talk, agent, "completed");
                if platform == "genesys" {
                    part("wrapup", wait + talk, wait + talk + 20, agent, "completed");
                }
            }
        }
    }
    memory.add(&contacts);
    memory.add(&parts);
    memory.add(&agent_states_of("/genesys/eu", "bo"));
    memory.change(|s| s.now = at(7 * DAY + 5_000).0);
}

const NAMES: [&str; 9] = [
    "offered",
    "answered",
    "service_level",
    "abandon_rate",
    "average_speed_of_answer",
    "talk",
    "handle_time",
    "transfer_rate",
    "occupancy",
];

fn ask(by: By) -> Ask {
    let side = |platform: &str| Side {
        platform: platform.to_owned(),
        from: at(-DAY).0,
        to: at(20 * DAY).0,
    };
    Ask {
        metrics: NAMES.iter().map(|n| metric(n).unwrap()).collect(),
        sides: [side("teams"), side("genesys")],
        by,
        only: Vec::new(),
        day: "CAST(at AS BIGINT) / 86400000000".to_owned(),
    }
}

async fn sums(s: &Session, ask: &Ask) -> Vec<Vec<Sums>> {
    let mut out = vec![Vec::new(); ask.metrics.len()];
    for query in ask.queries().unwrap() {
        let answer = s.collect(&query.sql, Vec::new()).await.unwrap();
        for batch in &answer.batches {
            let column = |name: &str| batch.column_by_name(name).unwrap();
            for (i, at) in query.metrics.iter().enumerate() {
                let number = |name: &str, row: usize| {
                    let all = column(&format!("{name}{i}")).as_primitive::<Float64Type>();
                    all.is_valid(row).then(|| all.value(row))
                };
                let text = |name: &str, row: usize| {
                    let all = cast(column(name), &DataType::Utf8).unwrap();
                    let all = all.as_string::<i32>();
                    all.is_valid(row).then(|| all.value(row).to_owned())
                };
                for row in 0..batch.num_rows() {
                    let Some(over) = number("o", row) else {
                        continue;
                    };
                    out[*at].push(Sums {
                        side: column("side").as_primitive::<Int64Type>().value(row) as usize,
                        group: text("grp", row),
                        day: column("local_day").as_primitive::<Int64Type>().value(row),
                        over,
                        under: number("u", row),
                        told: text(&format!("t{i}"), row).is_some(),
                        basis: text(&format!("b{i}"), row),
                    });
                }
            }
        }
    }
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sides_are_the_metrics_themselves() {
    let memory = Memory::new();
    fill(&memory);
    let s = session(&memory);
    let whole = ask(By::Whole);
    let (all, comparisons) = judge(&whole, &sums(&s, &whole).await);
    assert_eq!(
        (all.len(), comparisons),
        (NAMES.len(), 0),
        "32 stays are too few"
    );
    // Each platform alone, in a memory of its own, by the metric as anybody asks for it.
    for (side, platform) in ["teams", "genesys"].iter().enumerate() {
        let alone = Memory::new();
        fill(&alone);
        let s = session(&alone);
        for (name, statement) in NAMES.iter().zip(&all) {
            let m = metric(name).unwrap();
            let filter = match m.base.as_str() {
                "contacts" => format!("split_part(source, '/', 2) = '{platform}'"),
                "agent_time" => format!("agent = '{}'", if side == 0 { "ann" } else { "bo" }),
                // The two platforms tell of the same stays.
                _ => String::new(),
            };
            let sql = render(&[name], &[], &filter).unwrap();
            let sql = format!("SELECT CAST({name} AS DOUBLE) AS v FROM ({sql})");
            let answer = s.collect(&sql, Vec::new()).await.unwrap();
            let wanted = answer.batches[0]
                .column(0)
                .as_primitive::<Float64Type>()
                .value(0);
            let found = statement.sides[side].value;
            match *name {
                // Teams tells neither of wrap-up nor of readiness.
                "handle_time" | "occupancy" if side == 0 => assert_eq!(found, None, "{name}"),
                "handle_time" => {
                    let talk = all[5].sides[1].value.unwrap();
                    assert!((found.unwrap() - talk - 20_000.0).abs() < 1e-6);
                }
                "offered" | "answered" => {
                    assert!((found.unwrap() * 8.0 - wanted / 2.0).abs() < 1e-9, "{name}");
                }
                _ => assert!(
                    (found.unwrap() - wanted).abs() < 1e-9,
                    "{name}: {found:?} {wanted}"
                ),
            }
        }
    }
    let why = |n: usize| format!("{:?}", all[n].verdict);
    assert!(
        why(6).contains("teams does not tell of wrap-up"),
        "{}",
        why(6)
    );
    assert!(
        why(8).contains("teams does not tell when its agents are ready"),
        "{}",
        why(8)
    );
    assert!(why(0).contains("32 contacts of 100 needed"), "{}", why(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contacts_are_divided_by_site_group_and_stage() {
    let memory = Memory::new();
    fill(&memory);
    let s = session(&memory);
    let settings = Settings {
        zone: chrono_tz::UTC,
        window: 30_000_000,
    };
    let agents = "id,platform,instance,native,valid_from,valid_to,team\n\
        ann,teams,main,ann,,2026-03-05,Gold\nann,teams,main,ann,2026-03-05,,Silver\n\
        bo,genesys,eu,bo,,,Gold\nbo,genesys,eu,bo2,,,Gold\n";
    let identity = Identity::parse(&[("agents.csv", agents.to_owned())], settings).unwrap();
    s.engine().set_identity(identity);
    let units = "SELECT platform, site, team, ivr_stage, count(*) AS n FROM migration_units \
         GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4";
    let shown = show(&s, units).await;
    let rows: Vec<String> = shown
        .lines()
        .filter(|l| l.contains("Berlin") || l.contains("Cork"))
        .map(|l| {
            l.split_whitespace()
                .filter(|w| *w != "|")
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    assert_eq!(
        rows,
        [
            "genesys Berlin Gold agents only 8",
            "genesys Berlin Gold blended 8",
            "genesys Cork Gold agents only 16",
            "teams Berlin Gold agents only 3",
            "teams Berlin Gold blended 3",
            "teams Berlin Silver agents only 5",
            "teams Berlin Silver blended 5",
            "teams Cork Gold agents only 6",
            "teams Cork Silver agents only 10",
        ]
    );
    for (by, groups) in [
        (By::Site, ["Berlin", "Cork"]),
        (By::Team, ["Gold", "Silver"]),
        (By::Stage, ["agents only", "blended"]),
    ] {
        let asked = ask(by);
        let (all, _) = judge(&asked, &sums(&s, &asked).await);
        let offered = all.iter().filter(|one| one.metric.name == "offered");
        let told: Vec<_> = offered
            .map(|one| (one.group.clone(), one.sides[0].n))
            .collect();
        let names: Vec<_> = told.iter().filter_map(|t| t.0.as_deref()).collect();
        assert_eq!(names, groups);
        assert_eq!((told[0].1, told[1].1 + told[2].1), (32.0, 32.0));
    }
    // One site alone.
    let mut one = ask(By::Whole);
    one.only = vec![(By::Site, Some("Cork".to_owned()))];
    let (all, _) = judge(&one, &sums(&s, &one).await);
    assert_eq!(all[0].sides[0].n, 16.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_arrival_that_nobody_sent_is_told_with_its_evidence() {
    let memory = Memory::new();
    let dialled = |id: &str, start: i64, number: &str, direction: &str| ContactRow {
        dialled: Some(number.to_owned()),
        customer: None,
        direction: Some(direction.to_owned()),
        ..of("genesys", id, start, "Berlin")
    };
    memory.add(&[
        of("teams", "main-1", 0, "Berlin"),
        dialled("eu-1", 62, "+49 30 900", "inbound"),
        dialled("eu-2", 900, "+4930900", "inbound"),
        // Who goes out to the number sends, and another number is none of the pool.
        dialled("eu-3", 1000, "+4930900", "outbound"),
        dialled("eu-4", 1100, "+4930901", "inbound"),
        // A person knows who sent it.
        dialled("eu-5", 1200, "+4930900", "inbound"),
        // Its transfer may still be told.
        dialled("eu-6", 3550, "+4930900", "inbound"),
    ]);
    memory.add(&[SegmentRow {
        target_kind: Some("external".to_owned()),
        target: Some("+4930900".to_owned()),
        ..segment(
            "main-1",
            1,
            "talk",
            "support",
            "ann",
            0,
            Some(60),
            "transferred",
        )
    }]);
    let s = session(&memory);
    let files = [
        (
            "numbers.csv",
            "number,purpose,from_platform,to_platform\n+4930900,handover,teams,genesys\n"
                .to_owned(),
        ),
        (
            "joins.csv",
            "contact_a,contact_b,verdict,who\nmain-1,eu-5,together,kim\n".to_owned(),
        ),
    ];
    let settings = Settings {
        zone: chrono_tz::UTC,
        window: 30_000_000,
    };
    s.engine()
        .set_identity(Identity::parse(&files, settings).unwrap());
    let steps = "SELECT journey_id, from_contact, contact_id, evidence, joined FROM journey_steps \
         WHERE strength = 'stray'";
    let told = show(&s, steps).await;
    assert_eq!(told.matches("eu-2 ").count(), 2, "{told}");
    for other in ["eu-1", "eu-3", "eu-4", "eu-5", "eu-6"] {
        assert!(!told.contains(other), "{told}");
    }
    assert!(
        told.contains(
            "with +4930900 as dialled; no contact of teams was transferred to that number then"
        ),
        "{told}"
    );
    let joined = show(
        &s,
        "SELECT count(*) FROM journey_steps WHERE strength = 'strong' AND joined",
    )
    .await;
    assert!(joined.contains("| 1 "), "{joined}");
}
