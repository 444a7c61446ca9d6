//! Any other system by a mapping file: sent over HTTP, read in SQL, the same after a restart; files
//! that change while the server runs, that are broken, endless, or take all memory; and the commands
//! by which they are written.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::support::centre::Centre;
use crate::support::{Server, callboard, command, project, until};

/// The sample of the first test in a mapping that comes with callboard.
pub fn sample(name: &str) -> String {
    let path = project().join(format!("ingest/sources/mappings/{name}.toml"));
    let text = std::fs::read_to_string(path).unwrap();
    let (_, rest) = text.split_once("sample = '''\n").unwrap();
    rest.split_once("'''").unwrap().0.to_owned()
}

fn post(centre: &Centre, path: &str, body: &str) -> (u16, Value) {
    let path = format!("/v1/sources/mapping:{path}");
    let body = body.as_bytes().to_vec();
    centre.server().post(&path, "text/plain", body).unwrap()
}

#[test]
fn what_a_mapping_reads_is_the_same_in_sql_after_a_restart() {
    let mut centre = Centre::new();
    for (name, query, records) in [
        ("landis", "?instance=north", 2),
        ("nice-cxone", "", 3),
        ("five9", "?instance=five&zone=Europe/Berlin", 3),
    ] {
        for taken in [records, 0] {
            let (status, answer) = post(&centre, &format!("{name}{query}"), &sample(name));
            assert_eq!(status, 200, "{name}: {answer}");
            assert_eq!(answer["refused"], 0, "{name}: {answer}");
            assert_eq!(answer["taken"], taken, "{name}: {answer}");
        }
    }
    let told = [
        "five-300000001 inbound support ana@example.com 2026-03-02T09:00:00 answered 30000 220000 30000 15000 0",
        "five-300000002 inbound support null 2026-03-02T09:05:00 abandoned 30000 null null null 0",
        "north-L-1 inbound sales ana@example.com 2026-03-02T09:00:00 answered 20000 180000 null null 0",
        "north-L-2 inbound sales null 2026-03-02T09:05:00 abandoned 41000 null null null 0",
        "cxone-1003 inbound sales null 2026-03-02T09:10:00 abandoned 4200 null null null 0",
    ];
    let sql = "select contact_id, direction, queue, agent, started_at, outcome, wait_ms, talk_ms, hold_ms, wrap_ms, transfers from contacts order by contact_id";
    for _ in 0..2 {
        let rows = centre.rows(sql);
        assert_eq!(rows.len(), 7, "{rows:#?}");
        for row in told {
            assert!(rows.iter().any(|r| r == row), "{row}\n{rows:#?}");
        }
        // Both legs of a transferred contact are parts of one.
        let legs = "select segment_id, kind, queue from segments where contact_id = 'cxone-1001' order by started_at, segment_id";
        assert_eq!(
            centre.rows(legs),
            [
                "1001/menu menu null",
                "1001/queue queue sales",
                "1001/talk talk sales",
                "1001/wrapup wrapup sales",
                "1002/queue queue billing",
                "1002/talk talk billing",
            ]
        );
        assert_eq!(centre.rows("select count(*) from dead_letters"), ["0"]);
        centre.restart();
    }
}

/// A mapping whose contact's site is this expression.
fn own(site: &str) -> String {
    format!(
        "name = \"own\"\ntitle = \"Own\"\nplatform = \"own\"\nsure = \"guessed\"\nknowledge = \"made for a test\"\nformat = \"ndjson\"\nid = '.id'\ntime = '.at'\n[[event]]\ntype = \"callboard.contact.recorded\"\n[event.data]\ncontact_id = '.id'\nstart = '.at'\nend = '.at'\nsite = '''{site}'''\n"
    )
}

fn item(id: &str) -> String {
    format!(
        "{{\"id\":\"{id}\",\"at\":\"2026-03-02T09:00:00Z\",\"bad\":{}}}\n",
        id.starts_with("bad")
    )
}

#[test]
fn a_mapping_changes_while_the_server_runs_and_a_bad_one_harms_nobody() {
    let centre = Centre::new();
    let folder = centre.data().join("mappings");
    std::fs::create_dir_all(&folder).unwrap();
    let write = |text: &str| std::fs::write(folder.join("own.toml"), text).unwrap();
    let sites = || centre.rows("select contact_id, site from contacts order by contact_id");

    let (status, answer) = post(&centre, "own", &item("1"));
    assert_eq!(
        (status, &answer["class"]),
        (404, &"unknown_mapping".into()),
        "{answer}"
    );
    let (status, _) = post(&centre, "..%2f..%2fown", &item("1"));
    assert_eq!(status, 404);
    // Names that nobody knows leave no source behind, those of mappings one each.
    let sources = || {
        let (_, told) = centre.server().get("/v1/sources");
        told.matches("\"name\":\"mapping:").count()
    };
    assert_eq!(sources(), 0);
    write(&own("\"first\""));
    assert_eq!(post(&centre, "own", &item("1")).1["taken"], 1);
    assert_eq!(sources(), 1);
    write(&own("\"second\" + \"\""));
    assert_eq!(post(&centre, "own", &item("2")).1["taken"], 1);
    // A file that cannot be used leaves the one before it in force.
    write(&own("nosuch(1)"));
    assert_eq!(post(&centre, "own", &item("3")).1["taken"], 1);
    assert_eq!(sites(), ["own-1 first", "own-2 second", "own-3 second"]);
    until("told", || {
        let (_, text) = centre.server().get("/metrics");
        text.contains("callboard_mapping_broken{mapping=\"own\"} 1")
            .then_some(())
    });

    // Endless, deep, and large beyond all memory: the item is refused, those around it are taken.
    for (n, code) in [
        "if .bad then (def f: f; f) else \"x\" end",
        "if .bad then [range(1e12)] | tostring else \"x\" end",
        "if .bad then (def f: 1 + f; f) else \"x\" end",
        "if .bad then reduce range(60) as $i (\"x\"; . + .) else \"x\" end",
        "if .bad then reduce range(40) as $i ([1]; [., .]) | tojson else \"x\" end",
    ]
    .iter()
    .enumerate()
    {
        write(&own(code));
        let body = [
            item(&format!("a{n}")),
            item(&format!("bad{n}")),
            item(&format!("c{n}")),
        ]
        .concat();
        let (status, answer) = post(&centre, "own", &body);
        assert_eq!(status, 200, "{code}: {answer}");
        assert_eq!(
            (&answer["taken"], &answer["refused"]),
            (&2.into(), &1.into()),
            "{code}: {answer}"
        );
        let line = &answer["lines"][0];
        assert_eq!(line["line"], 2, "{code}: {answer}");
        let class = line["class"].as_str().unwrap();
        assert!(
            ["mapping_limit", "mapping_error"].contains(&class),
            "{code}: {answer}"
        );
    }
    assert_eq!(sites().len(), 13);
    // A mapping is not needed to read again what it made.
    std::fs::remove_file(folder.join("own.toml")).unwrap();
    let mut centre = centre;
    let before = centre.rows("select contact_id, site from contacts order by contact_id");
    centre.restart();
    let sql = "select contact_id, site from contacts order by contact_id";
    assert_eq!(centre.rows(sql), before);
}

/// Whether a server has remembered that it read a file of a prefix.
fn remembered(data: &Path, file: &str) -> bool {
    let state = std::fs::read_dir(data.join("state")).unwrap();
    let texts = state.filter_map(|entry| {
        let path = entry.ok()?.path();
        let name = path.file_name()?.to_str()?.to_owned();
        let ours = name.starts_with("prefix-") && name.ends_with(".jsonl");
        ours.then(|| std::fs::read_to_string(&path).unwrap_or_default())
    });
    texts.into_iter().any(|text| text.contains(file))
}

#[test]
fn a_folder_of_exports_is_followed_by_a_mapping() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let folder = |name: &str| {
        let path = dir.path().join(name);
        std::fs::create_dir_all(&path).unwrap();
        path
    };
    let (reports, others, mappings) = (folder("reports"), folder("others"), folder("mappings"));
    let config = dir.path().join("callboard.toml");
    let text = format!(
        "[transcribe]\nenabled = false\n[lake]\nflush = \"300ms\"\nsettle = \"600ms\"\n\
         [mapping]\nfolder = {mappings:?}\n\
         [[source]]\nname = \"reports\"\nadapter = \"mapping:five9\"\ninstance = \"five\"\n\
         zone = \"Europe/Berlin\"\nprefix = {{ url = \"file://{}/\", every = \"100ms\" }}\n\
         [[source]]\nname = \"others\"\nadapter = \"mapping:own\"\n\
         prefix = {{ url = \"file://{}/\", every = \"100ms\" }}\n",
        reports.display(),
        others.display()
    );
    std::fs::write(&config, text).unwrap();
    let config = ["--config", config.to_str().unwrap()];
    let server = Server::serve(&data, &config);
    std::fs::write(reports.join("march.csv"), sample("five9")).unwrap();
    let records = "select count(*) from records where source like '/five9/five%'";
    until("the report", || (server.number(records) == 3).then_some(()));
    let contacts = server.sql("select contact_id, queue, outcome, wait_ms, cast(started_at as varchar) as at from contacts order by contact_id");
    let first = &contacts[0];
    assert_eq!(first["contact_id"], "five-300000001", "{contacts:?}");
    assert_eq!(
        (&first["queue"], &first["outcome"], &first["wait_ms"]),
        (&"support".into(), &"answered".into(), &30_000.into())
    );
    assert!(
        first["at"].as_str().unwrap().contains("09:00:00"),
        "{first}"
    );
    let source = |server: &Server, name: &str| -> Value {
        let told: Value = serde_json::from_str(&server.get("/v1/sources").1).unwrap();
        let all = told["sources"].as_array().unwrap();
        all.iter().find(|s| s["name"] == name).unwrap().clone()
    };
    let told = source(&server, "reports");
    assert_eq!(
        (&told["records"], &told["state"]),
        (&3.into(), &"live".into()),
        "{told}"
    );

    // Nothing is read while there is nobody to read it; and what ends a mapping's process ends no
    // other item.
    let items = [item("a"), item("bad"), item("c")].concat();
    std::fs::write(others.join("items.ndjson"), items).unwrap();
    until("word of the mapping", || {
        let (_, page) = server.get("/status");
        page.contains("put own.toml into the folder").then_some(())
    });
    assert!(!remembered(&data, "items.ndjson"));
    let endless = "if .bad then reduce range(60) as $i (\"x\"; . + .) else \"x\" end";
    std::fs::write(mappings.join("own.toml"), own(endless)).unwrap();
    let letters =
        "select count(*) from dead_letters where class in ('mapping_limit', 'mapping_error')";
    let found = |server: &Server| {
        let kept = server.number("select count(*) from contacts where contact_id like 'others-%'");
        (kept, server.number(letters))
    };
    until("the items", || (found(&server) == (2, 1)).then_some(()));
    until("no more trouble", || {
        let (_, page) = server.get("/status");
        (!page.contains("put own.toml")).then_some(())
    });
    until("memory", || remembered(&data, "items.ndjson").then_some(()));

    // Killed and started again it reads what is new, and nothing twice.
    server.kill();
    std::fs::write(reports.join("again.csv"), sample("five9")).unwrap();
    let server = Server::serve(&data, &config);
    until("the same report under another name", || {
        (source(&server, "reports")["repeated"] == 3).then_some(())
    });
    assert_eq!(server.number(records), 3);
    assert_eq!(found(&server), (2, 1));
    assert_eq!(source(&server, "others")["state"], "never heard");
}

fn tried(args: &[&str]) -> (Option<i32>, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command().arg("map").args(args).output().unwrap();
    let text = [stdout, stderr].concat();
    (status.code(), String::from_utf8(text).unwrap())
}

fn written(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_mapping_is_written_by_trying_it() {
    let list = callboard(&["map", "list"]);
    assert!(list.contains("mapping:landis"), "{list}");
    assert!(list.contains("guessed"), "{list}");
    let dir = tempfile::tempdir().unwrap();
    let csv = written(
        dir.path(),
        "Calls of March.csv",
        "Call ID;Start;Queue Name;Agent;Caller;Wait Time;Talk Time;Result;Colour\n1;03/25/2026 10:00:00;Sales;Ana;+4930111;00:00:20;00:01:00;Answered;red\n2;03/25/2026 10:05:00;Sales;;+4930112;00:00:41;;Abandoned;blue\n",
    );
    let (code, proposed) = tried(&["guess", &csv]);
    assert_eq!(code, Some(0), "{proposed}");
    assert!(proposed.contains("name = \"calls-of-march\""), "{proposed}");
    assert!(proposed.contains("# - not used: Colour"), "{proposed}");
    let file = written(dir.path(), "m.toml", &proposed);
    let (code, report) = tried(&["try", &file, &csv, "--zone", "Europe/Berlin"]);
    assert_eq!(code, Some(0), "{report}");
    assert!(
        report.contains("\"start\":\"2026-03-25T09:00:20Z\""),
        "{report}"
    );
    assert!(report.contains("\"outcome\":\"abandoned\""), "{report}");
    assert!(report.contains("nothing reads: .Colour"), "{report}");
    assert!(report.contains("2 items, 5 events"), "{report}");

    let bad = written(
        dir.path(),
        "bad.csv",
        "Call ID;Start;Queue Name;Agent;Caller;Wait Time;Talk Time;Result;Colour\n1;soon;Sales;Ana;;;;;\n",
    );
    let (code, report) = tried(&["try", &file, &bad]);
    assert_eq!(code, Some(1), "{report}");
    assert!(report.contains("item 1: mapping_error: "), "{report}");
    assert!(report.contains("\"soon\" is no time"), "{report}");
    let (code, report) = tried(&["try", &file, &bad, "--json"]);
    let (report, _) = report.split_once('\n').unwrap();
    let report: Value = serde_json::from_str(report).unwrap();
    assert_eq!((code, &report["errors"][0]["item"]), (Some(1), &1.into()));

    // The tests in a shipped mapping run by its name; a text beyond all memory ends the command only.
    assert_eq!(tried(&["try", "five9"]).0, Some(0));
    let bomb = written(
        dir.path(),
        "bomb.toml",
        &own("reduce range(60) as $i (\"x\"; . + .)"),
    );
    let one = written(dir.path(), "one.json", &item("1"));
    assert_ne!(tried(&["try", &bomb, &one]).0, Some(0));
    let (code, told) = tried(&["try", "nosuch", &one]);
    assert_eq!(code, Some(2), "{told}");
}

#[test]
fn a_file_of_other_columns_and_one_that_cannot_be_read_are_told() {
    let centre = Centre::new();
    let dir = tempfile::tempdir().unwrap();
    let wrong = |who: &str| format!("Name,Start\n{who},2026-03-02 09:00:00\nBo,soon\n");
    for (n, name) in (1..).zip(["five9", "anywhere365", "tendfor"]) {
        let (status, answer) = post(&centre, name, &wrong(name));
        let line = &answer["lines"][0];
        assert_eq!(
            (status, &answer["taken"], &answer["refused"], &line["class"]),
            (200, &0.into(), &1.into(), &"no_items".into()),
            "{name}: {answer}"
        );
        let letters = "select class from dead_letters where reason like '%2 left out%.Name, .St%'";
        until("the dead letter", || {
            (centre.rows(letters) == vec!["no_items"; n]).then_some(())
        });
        let file = written(dir.path(), "wrong.csv", &wrong(name));
        let (code, report) = tried(&["try", name, &file]);
        assert_eq!(code, Some(1), "{report}");
        for told in [
            "nothing reads: .Name  .Start\n",
            "the sample: no_items: ",
            "0 items, 0 events",
            "2 left out by `items`\n",
        ] {
            assert!(report.contains(told), "{told}: {report}");
        }
    }

    // Of a folder everything is sent that can be; what cannot be read is told in the end.
    written(dir.path(), "calls.csv", &sample("five9"));
    written(dir.path(), "wrong.csv", &wrong("another"));
    written(dir.path(), "empty.json", "");
    std::fs::write(dir.path().join("old.csv.gz"), b"\x1f\x8b\x08\0").unwrap();
    let mut send = command();
    send.args(["send", "--source", "mapping:five9", "--to"]);
    let sent = send.arg(&centre.server().url).arg(dir.path()).output();
    let sent = sent.unwrap();
    let said = String::from_utf8([sent.stdout, sent.stderr].concat()).unwrap();
    assert_eq!(sent.status.code(), Some(1), "{said}");
    for told in [
        "3 taken",
        "1 refused",
        "no_items: 1",
        "empty.json passed over: it is empty",
        "old.csv.gz: its gzip is broken",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
}
