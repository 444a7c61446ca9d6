//! Names across platforms, and contacts that belong together.

use callboard_model::tables::{ContactRow, LinkRow, SegmentRow};

use super::fixture::{Memory, agent_states_of, at, contact, segment};
use super::reading::{session, show};
use crate::Session;
use crate::identity::{Identity, Settings};

/// A contact of a platform.
pub fn of(platform: &str, id: &str, start: i64, end: Option<i64>) -> ContactRow {
    ContactRow {
        source: format!("/{platform}/{}", id.split('-').next().unwrap()),
        customer: None,
        ..contact(id, start, end, 1000, "")
    }
}

/// A talk that was transferred to a number.
pub fn transferred(id: &str, start: i64, end: i64, number: &str) -> SegmentRow {
    SegmentRow {
        target_kind: Some("external".to_owned()),
        target: Some(number.to_owned()),
        ..segment(
            id,
            1,
            "talk",
            "support",
            "ann",
            start,
            Some(end),
            "transferred",
        )
    }
}

/// With the number that it dialled.
pub fn dialled(row: ContactRow, number: &str) -> ContactRow {
    ContactRow {
        dialled: Some(number.to_owned()),
        ..row
    }
}

/// Puts files of identities in force; a contact may begin 30 s after its transfer.
pub fn know(s: &Session, files: &[(&str, &str)]) {
    know_within(s, files, 30_000_000);
}

/// Likewise, with so many microseconds.
pub fn know_within(s: &Session, files: &[(&str, &str)], window: i64) {
    let settings = Settings {
        zone: chrono_tz::UTC,
        window,
    };
    let files: Vec<_> = files.iter().map(|(n, t)| (*n, (*t).to_owned())).collect();
    s.engine()
        .set_identity(Identity::parse(&files, settings).unwrap());
}

const NUMBERS: &str =
    "number,purpose,from_platform,to_platform\n+4930900,handover,teams,amazon-connect\n";

pub const STEPS: &str = "SELECT concat_ws(' ', journey_id, coalesce(CAST(seq AS VARCHAR), '-'), \
     coalesce(contact_id, 'nobody'), relation, coalesce(strength, ''), joined) AS told \
     FROM journey_steps ORDER BY journey_id, seq NULLS LAST, contact_id";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_is_one_agent_in_every_figure_and_nothing_is_baked_in() {
    let memory = Memory::new();
    memory.add(&[
        ContactRow {
            agent: Some("1001".into()),
            agents: vec!["1001".into()],
            ..of("asterisk", "pbx1-1", 0, Some(60))
        },
        ContactRow {
            queue: Some("sales-eu".into()),
            agent: Some("ann@x".into()),
            agents: vec!["bo@x".into(), "ann@x".into()],
            ..of("teams", "main-1", 100, Some(160))
        },
    ]);
    memory.add(&[
        segment("pbx1-1", 1, "queue", "sales", "", 0, Some(10), "answered"),
        segment("pbx1-1", 2, "talk", "sales", "1001", 10, Some(60), ""),
        segment(
            "main-1",
            1,
            "queue",
            "sales-eu",
            "",
            100,
            Some(110),
            "answered",
        ),
        segment("main-1", 2, "talk", "sales-eu", "ann@x", 110, Some(160), ""),
    ]);
    memory.add(&agent_states_of("/teams/main", "ann@x"));
    let s = session(&memory);
    let plan = show(&s, "EXPLAIN SELECT agent, queue FROM segments").await;
    assert!(!plan.contains("ResolveExec"), "{plan}");
    know(
        &s,
        &[
            (
                "agents.csv",
                "id,platform,instance,native,site,team\nAnn Lee,asterisk,pbx1,1001,Berlin,Gold\nAnn Lee,teams,main,ann@x,Berlin,Gold\n",
            ),
            (
                "queues.csv",
                "id,platform,instance,native,line\nSales,asterisk,pbx1,sales,Retail\nSales,teams,main,sales-eu,Retail\n",
            ),
            (
                "customers.csv",
                "id,platform,instance,native\nACME,teams,main,+49301\n",
            ),
        ],
    );
    let plan = show(&s, "EXPLAIN SELECT agent, queue FROM segments").await;
    assert!(
        plan.contains("ResolveExec: names=[agent, queue]")
            || plan.contains("ResolveExec: names=[queue, agent]"),
        "{plan}"
    );
    // What does not ask for names is read as before.
    let plan = show(&s, "EXPLAIN SELECT seq FROM offers").await;
    assert!(!plan.contains("ResolveExec"), "{plan}");
    for (sql, told) in [
        (
            "SELECT agent, sum(ms) AS ms FROM agent_time WHERE state = 'talk' GROUP BY agent",
            "| Ann Lee | 100000 |",
        ),
        (
            "SELECT queue, sum(offered) AS n FROM queue_intervals GROUP BY queue",
            "| Sales | 2 |",
        ),
        (
            "SELECT count(*) AS n FROM segments WHERE agent = 'Ann Lee'",
            "| 2 |",
        ),
        (
            "SELECT count(*) AS n FROM segments WHERE agent = '1001'",
            "| 0 |",
        ),
        (
            "SELECT contact_id, agents, site, line_of_business FROM contacts WHERE contact_id = 'main-1'",
            "| main-1     | [bo@x, Ann Lee] | Berlin | Retail",
        ),
        ("SELECT DISTINCT agent FROM now_agents", "| Ann Lee |"),
        (
            "SELECT concat_ws(' ', entity, platform, native, id, origin, site, team) AS a FROM aliases WHERE entity = 'agent' ORDER BY native",
            "agent /asterisk/pbx1 1001 Ann Lee file Berlin Gold",
        ),
    ] {
        let out = show(&s, sql).await;
        assert!(out.contains(told), "{sql}: {out}");
    }
    // What is written into the lake is what the platforms say.
    let native = s.clone().native();
    let out = show(
        &native,
        "SELECT DISTINCT agent FROM agent_intervals ORDER BY 1",
    )
    .await;
    assert!(
        out.contains("1001") && out.contains("ann@x") && !out.contains("Ann Lee"),
        "{out}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_joins_where_one_fits_and_shows_where_none_or_several_do() {
    let memory = Memory::new();
    memory.add(&[
        of("teams", "main-1", 0, Some(100)),
        dialled(of("amazon-connect", "eu-1", 103, Some(300)), "+49 30 900"),
        // Two transfers, one after the other, and nobody there for the second.
        of("teams", "main-2", 400, Some(500)),
        // Two calls at once for one transfer, equally near.
        of("teams", "main-3", 900, Some(1000)),
        dialled(of("amazon-connect", "eu-3", 1003, Some(1300)), "004930900"),
        dialled(of("amazon-connect", "eu-4", 1003, Some(1300)), "004930900"),
        // Outside the window.
        dialled(of("amazon-connect", "eu-5", 545, Some(700)), "004930900"),
    ]);
    memory.add(&[
        transferred("main-1", 0, 100, "+4930900"),
        transferred("main-2", 400, 500, "+4930900"),
        transferred("main-3", 900, 1000, "+4930900"),
    ]);
    let s = session(&memory);
    let before = show(&s, STEPS).await;
    assert!(!before.contains("handover"), "{before}");
    know(&s, &[("numbers.csv", NUMBERS)]);
    let out = show(&s, STEPS).await;
    for told in [
        "main-1 1 main-1 start  true",
        "main-1 2 eu-1 handover strong true",
        "main-2 1 main-2 start  true",
        "main-2 - nobody handover lost false",
        "main-3 - eu-3 handover weak false",
        "main-3 - eu-4 handover weak false",
        "eu-3 - main-3 handover weak false",
        "eu-5 1 eu-5 start  true",
    ] {
        assert!(out.contains(told), "{told}: {out}");
    }
    let out = show(
        &s,
        "SELECT evidence FROM journey_steps WHERE contact_id = 'eu-1'",
    )
    .await;
    assert!(
        out.contains("transferred to +4930900 at 2026-03-02T09:01:40Z; eu-1 began at 2026-03-02T09:01:43Z with that number as dialled"),
        "{out}"
    );
    let sql = "SELECT journey_id, contacts, platforms, started_at, ended_at FROM journeys WHERE contacts > 1";
    let out = show(&s, sql).await;
    assert!(
        out.contains("| main-1     | 2        | [teams, amazon-connect] | 2026-03-02T09:00:00Z | 2026-03-02T09:05:00Z |"),
        "{out}"
    );
    let out = show(&s, "SELECT count(*) AS n, sum(contacts) AS c FROM journeys").await;
    assert!(out.contains("| 6 | 7 |"), "{out}");

    // A person takes one join out and puts another in.
    let joins = "contact_a,contact_b,verdict,who,when,why\n\
                 eu-1,main-1,apart,kim,2026-03-03,wrong caller\n\
                 main-3,eu-4,together,kim,2026-03-03,same voice\n";
    know(&s, &[("numbers.csv", NUMBERS), ("joins.csv", joins)]);
    let out = show(&s, STEPS).await;
    for told in [
        "main-1 - eu-1 handover strong false",
        "eu-1 1 eu-1 start  true",
        "main-3 2 eu-4 verdict person true",
        // What a person says is surer than times.
        "eu-3 - nobody handover stray false",
    ] {
        assert!(out.contains(told), "{told}: {out}");
    }
    let sql = "SELECT evidence FROM journey_steps WHERE journey_id = 'main-1' AND NOT joined";
    let out = show(&s, sql).await;
    assert!(
        out.contains("kim on 2026-03-03 said: apart, because wrong caller"),
        "{out}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_and_ids_that_are_carried_join_around_corners() {
    let memory = Memory::new();
    let carries = |row: ContactRow, attributes: &str| ContactRow {
        attributes: Some(attributes.to_owned()),
        ..row
    };
    memory.add(&[
        carries(
            of("acs", "bot-1", 0, Some(50)),
            r#"{"handoff.journey_id":"J-000077"}"#,
        ),
        carries(
            of("teams", "main-9", 60, Some(200)),
            r#"{"header.X-Journey-Id":"j-000077"}"#,
        ),
        of("genesys", "gc-abc", 190, Some(400)),
        carries(
            of("teams", "main-8", 60, Some(70)),
            r#"{"topic":"J-000077"}"#,
        ),
    ]);
    memory.add(&[LinkRow {
        from_contact: "main-9".into(),
        to_contact: "gc-abc".into(),
        kind: "transfer".into(),
        at: Some(at(195)),
        day: at(0).day(),
    }]);
    let s = session(&memory);
    let out = show(&s, STEPS).await;
    for told in [
        "bot-1 1 bot-1 start  true",
        "bot-1 2 main-9 carried strong true",
        "bot-1 3 gc-abc transfer stated true",
        "main-8 1 main-8 start  true",
    ] {
        assert!(out.contains(told), "{told}: {out}");
    }
    let out = show(
        &s,
        "SELECT platforms FROM journeys WHERE journey_id = 'bot-1'",
    )
    .await;
    assert!(out.contains("[acs, teams, genesys]"), "{out}");
    // A picture that has changed is made anew.
    memory.add(&[carries(
        of("acs", "bot-2", 500, None),
        r#"{"callboard":"x","journey":"J-000077"}"#,
    )]);
    let out = show(
        &s,
        "SELECT contacts, ended_at FROM journeys WHERE journey_id = 'bot-1'",
    )
    .await;
    assert!(out.contains("| 4        |          |"), "{out}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_outside_is_a_step_of_its_own() {
    let memory = Memory::new();
    let part = |id: &str, kind: &str, start: i64, end: i64, outcome: &str, to: &str| SegmentRow {
        target_kind: Some("external".to_owned()),
        target: Some(to.to_owned()),
        ..segment(id, 1, kind, "", "", start, Some(end), outcome)
    };
    let of_customer = |row: ContactRow, customer: &str| ContactRow {
        customer: Some(customer.to_owned()),
        ..row
    };
    memory.add(&[
        of("teams", "main-1", 0, Some(100)),
        dialled(of("amazon-connect", "eu-1", 103, Some(300)), "+49 30 900"),
        // The customer comes again later, by a link that the platform states.
        of("amazon-connect", "eu-2", 400, Some(500)),
        // Alone: an expert who is called and does not answer, and one who does.
        of_customer(of("amazon-connect", "eu-3", 600, Some(700)), "+4930777"),
        // The customer himself is called.
        of_customer(of("amazon-connect", "eu-4", 800, Some(900)), "+4930777"),
        // The platform says where the transfer led, whatever its number.
        of("acs", "web-5", 1000, Some(1100)),
        of("acs", "web-6", 1101, Some(1200)),
    ]);
    memory.add(&[
        transferred("main-1", 0, 100, "+4930900"),
        part("eu-1", "dial", 250, 252, "answered", "+498999001"),
        transferred("eu-1", 110, 260, "00498999001"),
        part("eu-3", "dial", 610, 630, "no_answer", "+498999002"),
        part("eu-3", "dial", 640, 645, "answered", "+498999003"),
        part("eu-4", "dial", 800, 805, "answered", "+4930777"),
        transferred("web-5", 1010, 1100, "+498999004"),
    ]);
    let link = |from: &str, to: &str, kind: &str, when: i64| LinkRow {
        from_contact: from.into(),
        to_contact: to.into(),
        kind: kind.into(),
        at: Some(at(when)),
        day: at(0).day(),
    };
    memory.add(&[
        link("eu-1", "eu-2", "callback", 300),
        link("web-6", "web-5", "transfer", 1101),
    ]);
    let s = session(&memory);
    know(&s, &[("numbers.csv", NUMBERS)]);
    let out = show(&s, STEPS).await;
    for told in [
        "main-1 2 eu-1 handover strong true",
        "main-1 3 nobody outside stated true",
        "main-1 4 eu-2 callback stated true",
        "eu-3 1 eu-3 start  true",
        "eu-3 2 nobody outside stated true",
    ] {
        assert!(out.contains(told), "{told}: {out}");
    }
    assert_eq!(out.matches("outside").count(), 2, "{out}");
    let sql = "SELECT concat_ws(' ', outside, from_contact, at, evidence) AS told FROM journey_steps \
               WHERE relation = 'outside' ORDER BY at";
    let out = show(&s, sql).await;
    for told in [
        "+498999001 eu-1 2026-03-02T09:04:10Z transferred to +498999001 at 2026-03-02T09:04:20Z; no contact that is told of arrived at that number",
        "+498999003 eu-3 2026-03-02T09:10:40Z called +498999003 at 2026-03-02T09:10:40Z",
    ] {
        assert!(out.contains(told), "{told}: {out}");
    }
    let out = show(&s, "SELECT count(*) AS n, sum(contacts) AS c FROM journeys").await;
    assert!(
        out.contains("| 4 | 7 |"),
        "a step outside is no contact: {out}"
    );
}
