//! What stands beside contacts, by our names: plans, figures, scores and measurements mean the same
//! before files say who is who and after; figures are of the platform that computed them; sites of
//! sources.

use std::sync::Arc;

use callboard_model::tables::{
    ContactRow, EvaluationRow, MeasurementRow, ScheduleRow, VendorMetricRow,
};

use super::fixture::{Memory, agent_states_of, at, contact, segment};
use super::reading::{session, show};
use crate::Session;
use crate::identity::{Identity, Settings, SourceSite, SourceSites};

fn files(files: &[(&str, &str)]) -> Identity {
    let settings = Settings {
        zone: chrono_tz::UTC,
        window: 30_000_000,
    };
    let files: Vec<_> = files.iter().map(|(n, t)| (*n, (*t).to_owned())).collect();
    Identity::parse(&files, settings).unwrap()
}

/// A contact that waited in this queue; `source` is `/platform/instance`, whose instance begins its id.
fn waited(memory: &Arc<Memory>, source: &str, id: &str, queue: &str, agent: &str) {
    waited_at(memory, None, source, id, queue, agent);
}

fn waited_at(
    memory: &Arc<Memory>,
    site: Option<&str>,
    source: &str,
    id: &str,
    queue: &str,
    agent: &str,
) {
    memory.add(&[ContactRow {
        source: source.to_owned(),
        site: site.map(str::to_owned),
        queue: Some(queue.to_owned()),
        queues: vec![queue.to_owned()],
        ..contact(id, 0, Some(60), 50_000, agent)
    }]);
    memory.add(&[
        segment(id, 1, "queue", queue, "", 0, Some(10), "answered"),
        segment(id, 2, "talk", queue, agent, 10, Some(60), "completed"),
    ]);
}

fn offered(source: &str, scope: &str) -> VendorMetricRow {
    VendorMetricRow {
        source: source.to_owned(),
        metric: "offered".to_owned(),
        scope: scope.to_owned(),
        started_at: Some(at(0)),
        ended_at: Some(at(900)),
        value: 1.0,
        unit: None,
        figures_id: format!("{source} {scope}"),
        day: at(0).day(),
    }
}

fn plan(id: &str, source: &str, agent: &str, start: i64) -> ScheduleRow {
    ScheduleRow {
        schedule_id: id.to_owned(),
        agent: agent.to_owned(),
        activity: "Phones".to_owned(),
        class: "available".to_owned(),
        started_at: at(start),
        ended_at: at(start + 600),
        paid: None,
        source: source.to_owned(),
        day: at(start).day(),
    }
}

fn score(id: &str, source: &str, contact: Option<&str>, agent: &str) -> EvaluationRow {
    EvaluationRow {
        evaluation_id: id.to_owned(),
        contact_id: contact.map(str::to_owned),
        agent: Some(agent.to_owned()),
        evaluator: Some("jane".to_owned()),
        form: None,
        section: None,
        question_id: None,
        question: None,
        score: Some(80.0),
        max_score: Some(100.0),
        answer: None,
        remark: None,
        at: Some(at(100)),
        source: source.to_owned(),
        day: at(100).day(),
    }
}

fn jitter(source: &str, contact: &str, who: &str) -> MeasurementRow {
    MeasurementRow {
        contact_id: contact.to_owned(),
        participant: Some(who.to_owned()),
        at: Some(at(50)),
        name: "jitter_ms".to_owned(),
        value: 12.0,
        unit: Some("ms".to_owned()),
        source: source.to_owned(),
        segment_id: None,
        client: None,
        device: None,
        network: None,
        vdi: None,
        set_id: format!("{source} {contact} {who}"),
        day: at(50).day(),
    }
}

/// The rows of an answer, cells parted by single spaces.
async fn rows(s: &Session, sql: &str) -> Vec<String> {
    let shown = show(s, sql).await;
    let lines = shown.lines().filter(|l| l.starts_with("| ")).skip(1);
    let cells = |l: &str| {
        let all: Vec<&str> = l.trim_matches('|').split('|').map(str::trim).collect();
        all.join(" ").trim_end().to_owned()
    };
    lines.map(cells).collect()
}

const AGENTS: &str = "\
id,platform,instance,native,valid_from,valid_to
Ann Lee,amazon-connect,conn,a-2,,
Jane Roe,amazon-connect,conn,jane,,
Bo Ray,asterisk,pbx1,1001,,2026-03-02
Cy Fox,asterisk,pbx1,1001,2026-03-02,
Di Orr,asterisk,pbx2,1001,,
Ed Ito,asterisk,pbx2,2002,,
a-2,asterisk,pbx2,3003,,
";
const QUEUES: &str = "\
id,platform,instance,native
Sales,amazon-connect,conn,q-sales
Sales PBX,asterisk,pbx1,sales
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn adherence_and_figures_are_the_same_before_the_files_and_after() {
    let memory = Memory::new();
    waited(&memory, "/amazon-connect/conn", "conn-1", "q-sales", "a-2");
    memory.add(&agent_states_of("/amazon-connect/conn", "a-2"));
    memory.add(&[
        plan("native", "/sheet", "a-2", 0),
        plan("platform", "/amazon-connect/conn", "a-2", 900),
    ]);
    memory.add(&[
        offered("/amazon-connect/conn", "queue:q-sales"),
        offered("/sheet/wfm", "queue:q-sales"),
        offered("/amazon-connect", "queue:q-sales"),
    ]);
    let s = session(&memory);
    let kept = "SELECT schedule_id, sum(adherent_ms), sum(unknown_ms) FROM adherence GROUP BY 1 ORDER BY 1";
    let ours = "SELECT source, ours, difference FROM vendor_beside_ours ORDER BY 1";
    let named = "SELECT DISTINCT a.agent, v.queue FROM adherence a, vendor_beside_ours v";
    let before = (rows(&s, kept).await, rows(&s, ours).await);
    assert_eq!(before.0, ["native 600000 0", "platform 600000 0"]);
    assert_eq!(
        before.1,
        [
            "/amazon-connect 1.0 0.0",
            "/amazon-connect/conn 1.0 0.0",
            "/sheet/wfm 1.0 0.0"
        ]
    );
    assert_eq!(rows(&s, named).await, ["a-2 q-sales"]);

    s.engine().set_identity(files(&[
        (
            "agents.csv",
            "id,platform,instance,native\nAnn Lee,amazon-connect,conn,a-2\n",
        ),
        ("queues.csv", QUEUES),
    ]));
    assert_eq!((rows(&s, kept).await, rows(&s, ours).await), before);
    assert_eq!(rows(&s, named).await, ["Ann Lee Sales"]);
    // A planner who knows our names is understood as well.
    memory.add(&[plan("ours", "/sheet", "Ann Lee", 1800)]);
    memory.add(&[offered("/sheet/ours", "queue:Sales")]);
    assert!(rows(&s, kept).await.contains(&"ours 600000 0".to_owned()));
    assert!(
        rows(&s, ours)
            .await
            .contains(&"/sheet/ours 1.0 0.0".to_owned())
    );
    // What is asked of our name is found, and what is asked of theirs is not.
    let of = |name: &str| format!("SELECT count(*) AS n FROM schedules WHERE agent = '{name}'");
    assert_eq!(rows(&s, &of("Ann Lee")).await, ["3"]);
    assert_eq!(rows(&s, &of("a-2")).await, ["0"]);
    // Nothing is baked in.
    let native = s.clone().native();
    assert_eq!(rows(&native, &of("a-2")).await, ["2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_from_elsewhere_is_told_by_contact_source_and_time() {
    let memory = Memory::new();
    memory.add(&[
        plan("1 of a table", "/sheet", "2002", 0),
        // Two people bear it: who is meant?
        plan("2 of two people", "/planner", "1001", 0),
        plan("3 of an instance", "/asterisk/pbx1", "1001", 0),
        plan("4 the day before", "/asterisk/pbx1", "1001", -86_400),
        plan("5 of an unknown instance", "/asterisk/pbx9", "2002", 0),
        plan("6 of another platform", "/genesys/eu", "2002", 0),
        plan("7 of a whole platform", "/asterisk", "2002", 0),
        plan("8 nobody", "/sheet", "zoe", 0),
        // Ours already, though a telephone system has somebody of that name.
        plan("9 ours", "/sheet", "a-2", 0),
    ]);
    memory.add(&[
        score("1", "/qa", Some("conn-1"), "a-2"),
        score("2", "/qa", Some("pbx1-1"), "1001"),
        score("3", "/qa", Some("pbx1-1"), "2002"),
        score("4", "/qa", None, "2002"),
    ]);
    memory.add(&[
        jitter("/acme/softphone", "conn-1", "a-2"),
        jitter("/acme/softphone", "1772442000.7", "2002"),
        jitter("/acme/softphone", "conn-1", "customer"),
    ]);
    memory.add(&[
        offered("/amazon-connect/conn", "agent:a-2 queue:q-sales"),
        offered("/amazon-connect/conn", "agent:a-2"),
        offered("/amazon-connect/conn", "channel:VOICE"),
        offered("/amazon-connect/us", "queue:q-sales"),
        offered("/asterisk/pbx1", "queue:sales"),
        offered("/sheet", ""),
    ]);
    let s = session(&memory);
    s.engine()
        .set_identity(files(&[("agents.csv", AGENTS), ("queues.csv", QUEUES)]));
    let plans = "SELECT schedule_id, agent FROM schedules ORDER BY 1";
    assert_eq!(
        rows(&s, plans).await,
        [
            "1 of a table Ed Ito",
            "2 of two people 1001",
            "3 of an instance Cy Fox",
            "4 the day before Bo Ray",
            "5 of an unknown instance 2002",
            "6 of another platform 2002",
            "7 of a whole platform Ed Ito",
            "8 nobody zoe",
            "9 ours a-2",
        ]
    );
    let scores = "SELECT evaluation_id, agent, evaluator FROM evaluations ORDER BY 1";
    assert_eq!(
        rows(&s, scores).await,
        [
            "1 Ann Lee Jane Roe",
            "2 Cy Fox jane",
            // Another instance's 2002 is nobody of this one.
            "3 2002 jane",
            "4 Ed Ito Jane Roe",
        ]
    );
    let measured = "SELECT contact_id, participant FROM measurements ORDER BY 1, 2";
    assert_eq!(
        rows(&s, measured).await,
        ["1772442000.7 Ed Ito", "conn-1 Ann Lee", "conn-1 customer"]
    );
    let figures = "SELECT source, scope FROM vendor_metrics ORDER BY 1, 2";
    assert_eq!(
        rows(&s, figures).await,
        [
            "/amazon-connect/conn agent:Ann Lee",
            "/amazon-connect/conn agent:Ann Lee queue:Sales",
            "/amazon-connect/conn channel:VOICE",
            "/amazon-connect/us queue:q-sales",
            "/asterisk/pbx1 queue:Sales PBX",
            "/sheet",
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_figure_is_held_against_the_platform_that_computed_it() {
    let memory = Memory::new();
    waited(&memory, "/teams/a", "a-1", "support", "x");
    waited(&memory, "/teams/a", "a-2", "support", "x");
    waited(&memory, "/genesys/b", "b-1", "support", "y");
    waited(&memory, "/genesys/c", "c-1", "support", "y");
    waited(&memory, "/genesys/c", "c-2", "other", "y");
    waited(&memory, "/own/crm", "crm-1", "support", "z");
    let figure = |source: &str| offered(source, "queue:support");
    let removed = |source: &str| VendorMetricRow {
        metric: "SERVICE_LEVEL LT 20".to_owned(),
        unit: Some("percent".to_owned()),
        ..figure(source)
    };
    memory.add(&[
        figure("/teams/a"),
        figure("/genesys/b"),
        figure("/genesys"),
        // A platform that told no contact has none of its own, whatever others have.
        figure("/amazon-connect/eu"),
        // Our own events: a source that has contacts, and one that has none.
        figure("/own/crm"),
        figure("/own/figures"),
        figure("/sheet/wfm"),
        removed("/genesys/b"),
        removed("/amazon-connect/eu"),
    ]);
    let s = session(&memory);
    let told = "SELECT source, our_metric, ours, ours_of FROM vendor_beside_ours ORDER BY 1, 2";
    assert_eq!(
        rows(&s, told).await,
        [
            "/amazon-connect/eu offered 0.0 /amazon-connect/eu",
            "/amazon-connect/eu service_level_removed  /amazon-connect/eu",
            "/genesys offered 2.0 /genesys",
            "/genesys/b offered 1.0 /genesys/b",
            "/genesys/b service_level_removed 1.0 /genesys/b",
            "/own/crm offered 1.0 /own/crm",
            "/own/figures offered 5.0",
            "/sheet/wfm offered 5.0",
            "/teams/a offered 2.0 /teams/a",
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_site_of_a_source_is_the_last_that_is_asked() {
    let memory = Memory::new();
    waited(&memory, "/acs/contoso", "contoso-1", "q", "ann");
    waited(&memory, "/acs/contoso", "contoso-2", "q", "bo");
    // The platform itself tells the site of one.
    let (hq, contoso) = (Some("HQ"), "/acs/contoso");
    waited_at(&memory, hq, contoso, "contoso-3", "q", "cy");
    waited(&memory, "/acs/fabrikam", "fabrikam-1", "q", "ann");
    waited(&memory, "/five9/f9", "f9-1", "q", "ann");
    let s = session(&memory);
    let plan = "EXPLAIN SELECT site FROM contacts";
    assert!(!show(&s, plan).await.contains("ResolveExec"));
    let site = |platform: Option<&str>, instance: &str, site: &str| SourceSite {
        platform: platform.map(str::to_owned),
        instance: Some(instance.to_owned()),
        site: site.to_owned(),
    };
    let sites = SourceSites::new(vec![
        site(Some("acs"), "contoso", "Berlin"),
        site(None, "f9", "Oslo"),
    ]);
    let told = "SELECT contact_id, site FROM contacts ORDER BY 1";
    s.engine()
        .set_identity(files(&[]).with_sites(sites.clone()));
    let plain = [
        "contoso-1 Berlin",
        "contoso-2 Berlin",
        "contoso-3 HQ",
        "f9-1 Oslo",
        "fabrikam-1",
    ];
    assert_eq!(rows(&s, told).await, plain);
    // Files say more of a contact than its source does.
    let agents = "id,platform,instance,native,site\nBo Ray,acs,contoso,bo,Cork\n";
    let identity = files(&[("agents.csv", agents)]).with_sites(sites);
    s.engine().set_identity(identity);
    let mut named = plain;
    named[1] = "contoso-2 Cork";
    assert_eq!(rows(&s, told).await, named);
    // The migration report counts by it.
    let units =
        "SELECT platform, site, sum(offered) FROM platform_intervals GROUP BY 1, 2 ORDER BY 1, 2";
    assert_eq!(
        rows(&s, units).await,
        [
            "acs Berlin 1",
            "acs Cork 1",
            "acs HQ 1",
            "acs  1",
            "five9 Oslo 1"
        ]
    );
    // Nothing is baked in.
    let native = s.clone().native();
    assert_eq!(rows(&native, told).await[0], "contoso-1");
}
