//! Files that say who is who put into force while the server runs: what stands beside contacts means
//! the same as before, under our names. And the site of a source, where nothing nearer tells one.

use serde_json::{Value, json};

use crate::support::{Server, project, until};

const CONFIG: &str = r#"
[transcribe]
enabled = false
[[source]]
name = "conn"
adapter = "amazon-connect"
site = "Berlin"
[[source]]
name = "plans"
adapter = "sheet"
"#;

const PLANS: &str = "agent,activity,class,start,end,told_at\n\
    a-2,Phones,available,2026-03-02T08:00:00Z,2026-03-02T10:00:00Z,2026-03-01T00:00:00Z\n";
const FIGURES: &str = "metric,value,scope,started_at,ended_at,told_at,platform\n\
    CONTACTS_QUEUED,1,queue:q-sales,2026-03-02T09:00:00Z,2026-03-02T10:00:00Z,2026-03-02T11:00:00Z,\n\
    CONTACTS_QUEUED,1,queue:q-sales,2026-03-02T09:00:00Z,2026-03-02T10:00:00Z,2026-03-02T11:00:00Z,amazon-connect/conn\n\
    CONTACTS_QUEUED,1,queue:q-sales,2026-03-02T09:00:00Z,2026-03-02T10:00:00Z,2026-03-02T11:00:00Z,genesys\n";
const SCORES: &str = "evaluation_id,score,at,agent\ne-1,80,2026-03-02T11:00:00Z,a-2\n";

/// Adherence, figures and the report's units: names apart, these never change.
fn figures(server: &Server) -> Vec<Vec<Value>> {
    vec![
        server.sql("select sum(adherent_ms) as ms, sum(unknown_ms) as unknown from adherence"),
        server.sql("select source, ours, ours_of from vendor_beside_ours order by source"),
        server
            .sql("select platform, site, sum(offered) as n from platform_intervals group by 1, 2"),
    ]
}

fn names(server: &Server) -> Value {
    let of = |sql: &str| {
        server.sql(&format!(
            "select string_agg(distinct n, ',') as n from ({sql})"
        ))
    };
    json!([
        of("select agent as n from adherence")[0]["n"],
        of("select queue as n from vendor_beside_ours where source <> '/genesys'")[0]["n"],
        of("select agent as n from evaluations")[0]["n"],
    ])
}

#[test]
fn plans_and_figures_mean_the_same_under_our_names() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("callboard.toml");
    std::fs::write(&config, CONFIG).unwrap();
    let serve = || {
        let config = ["--config", config.to_str().unwrap()];
        Server::serve(&dir.path().join("data"), &config)
    };
    let server = serve();
    let capture = "ingest/sources/tests/captures/amazon-connect/made-inbound-events.json";
    let capture = std::fs::read(project().join(capture)).unwrap();
    for (source, kind, body) in [
        ("conn", "application/json", capture),
        ("plans", "text/csv", PLANS.into()),
        ("plans", "text/csv", FIGURES.into()),
        ("plans", "text/csv", SCORES.into()),
    ] {
        let (status, answer) = server
            .post(&format!("/v1/sources/{source}"), kind, body)
            .unwrap();
        assert_eq!((status, &answer["refused"]), (200, &json!(0)), "{answer}");
    }
    let before = figures(&server);
    assert!(before[0][0]["ms"].as_i64() > Some(0), "{before:?}");
    assert_eq!(
        json!(before[1..]),
        json!([
            [
                {"source": "/amazon-connect/conn", "ours": 1.0, "ours_of": "/amazon-connect/conn"},
                {"source": "/genesys", "ours": 0.0, "ours_of": "/genesys"},
                {"source": "/sheet/plans", "ours": 1.0, "ours_of": null}
            ],
            [{"platform": "amazon-connect", "site": "Berlin", "n": 2}]
        ])
    );
    assert_eq!(names(&server), json!(["a-2", "q-sales", "a-2"]));

    let folder = dir.path().join("identity");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, row) in [
        ("queues.csv", "Sales,amazon-connect,conn,q-sales"),
        ("agents.csv", "Ann Lee,amazon-connect,conn,a-2"),
    ] {
        let text = format!("id,platform,instance,native\n{row}\n");
        std::fs::write(folder.join(name), text).unwrap();
    }
    let ours = json!(["Ann Lee", "Sales", "Ann Lee"]);
    until("the files' names", || {
        (names(&server) == ours).then_some(())
    });
    assert_eq!(figures(&server), before);
    server.stop();

    // The lake holds neither: after a restart without the site it is not known any more.
    let without = CONFIG.replace("site = \"Berlin\"\n", "");
    std::fs::write(&config, without).unwrap();
    let server = serve();
    until("the files' names", || {
        (names(&server) == ours).then_some(())
    });
    let after = figures(&server);
    assert_eq!(after[..2], before[..2]);
    assert_eq!(after[2][0]["site"], Value::Null, "{after:?}");
    server.stop();
}
