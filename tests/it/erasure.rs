//! Erasure as others see it: what was erased is nowhere, and everything else is what it was.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};

use crate::readers::script;
use crate::support::customer::{corrected, event, known_beside, without};
use crate::support::scene::Repeat;
use crate::support::{Server, callboard, command, copy, shift};
use crate::truth::{CONFIG, counted, seal, send, simulate, verify};

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A server with a simulated shift in it, and one of its customers.
pub struct Scene {
    dir: tempfile::TempDir,
    customer: String,
    contacts: Vec<String>,
}

impl Scene {
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn serve(&self, data: &str) -> Server {
        let config = self.path("callboard.toml");
        Server::serve(&self.path(data), &["--config", text(&config)])
    }

    /// What must be nowhere.
    fn texts(&self) -> Vec<&str> {
        let ids = self.contacts.iter().map(String::as_str);
        std::iter::once(self.customer.as_str()).chain(ids).collect()
    }

    /// Where other readers find any of it in a data folder.
    fn left(&self, data: &Path) -> Value {
        let mut args = vec![text(data)];
        args.extend(self.texts());
        script("search.py", &args)
    }

    fn erase(&self, server: &Server, more: &[&str]) -> Output {
        let mut erase = command();
        erase.args(["erase", "--customer", &self.customer, "--to", &server.url]);
        erase.args(more).output().unwrap()
    }

    /// Everything of others is as the truth has it, and nothing of his is there.
    fn others_are_unchanged(&self, server: &Server) {
        // Intervals and the number of records are not those of the truth any more.
        let (_, said) = verify(server, &self.path("others"), "1");
        for table in "contacts segments offers links surveys recordings".split(' ') {
            let line = said.lines().find(|l| l.starts_with(table)).unwrap();
            assert!(
                line.ends_with("equal") && !line.contains(" 0 rows"),
                "{said}"
            );
        }
    }
}

/// A name that nobody has takes nothing, and no table's past, with it.
fn nobody_is_erased(scene: &Scene, server: &Server) {
    let logs = || -> usize {
        let tables = std::fs::read_dir(scene.path("data/lake")).unwrap();
        let logs = tables.map(|table| std::fs::read_dir(table.unwrap().path().join("_delta_log")));
        logs.map(|log| log.map_or(0, Iterator::count)).sum()
    };
    let before = logs();
    let nobody = ["--customer", "+9990000000000000", "--to", &server.url];
    let said = callboard(&[&["erase"], &nobody[..]].concat());
    assert!(said.contains("found 0 times"), "{said}");
    assert!(said.contains("nothing was changed"), "{said}");
    assert!(logs() >= before, "a table's past went: {before} files");
}

/// A recording of the shift.
pub fn sound() -> PathBuf {
    let all = std::fs::read_dir(shift().join("recordings")).unwrap();
    let mut all = all.map(|f| f.unwrap().path());
    all.find(|p| p.extension().is_some_and(|e| e == "flac"))
        .unwrap()
}

/// A shift in which one customer has called, was passed on, was recorded and heard, was measured,
/// judged, tagged and known, left a note and a line that is no event, has a contact that was corrected,
/// and is named by somebody else's.
pub fn scene() -> (Scene, Server) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("callboard.toml"), CONFIG).unwrap();
    let mut scene = Scene {
        dir,
        customer: String::new(),
        contacts: Vec::new(),
    };
    let truth = scene.path("truth");
    let more = ["--seed", "91", "--disorder", "mild", "--poison", "0"];
    simulate(&truth, "250", &more);
    let server = scene.serve("data");
    send(&server, &truth, &scene.path("sent"));
    let (equal, said) = verify(&server, &truth, "60");
    assert!(equal, "{said}");

    let rows = server.sql(
        "select customer from contacts where customer like '+999%' and state = 'closed'
         group by customer order by count(*) desc, customer limit 1",
    );
    scene.customer = rows[0]["customer"].as_str().unwrap().to_owned();
    let of = format!("where customer = '{}'", scene.customer);
    let his = server.sql(&format!("select contact_id from contacts {of} order by 1"));
    let his: Vec<String> = his
        .iter()
        .map(|r| r["contact_id"].as_str().unwrap().to_owned())
        .collect();
    assert!(his.len() > 1, "he was passed on: {his:?}");
    let first = &his[0];
    let put = [
        "recording",
        "put",
        "--contact",
        first,
        "--leg",
        "customer",
        "--to",
        &server.url,
    ];
    callboard(&[&put[..], &[text(&sound())]].concat());
    let recording = format!("{first}/customer");
    let turn =
        json!({"leg": "customer", "start_ms": 0, "end_ms": 900, "text": "hello", "words": []});
    let tag = json!({"kind": "keyword", "name": "greeting", "leg": "customer", "start_ms": 0,
        "end_ms": 900, "evidence": "hello", "turn_seq": 1});
    let heard = json!({"recording_id": recording, "contact_id": first, "state": "done",
        "duration_ms": 4200, "turns": [turn], "tags": [tag]});
    event(&server, "callboard.transcript.recorded", "t1", heard);
    let note =
        json!({"note_id": "note-of-his", "contact_id": first, "text": "angry", "author": "ana"});
    event(&server, "callboard.note.recorded", "n1", note);
    known_beside(&server, first, &scene.customer);
    let other = server.sql(&format!(
        "select contact_id from contacts where not customer = '{}' and state = 'closed' order by 1 limit 1",
        scene.customer
    ));
    let other = other[0]["contact_id"].as_str().unwrap();
    let link = json!({"contact_id": other, "other_id": first, "kind": "callback"});
    event(&server, "callboard.link.recorded", "l1", link);
    let bad = format!("{{\"id\":\"x\",\"customer\":\"{}\"}}", scene.customer);
    let bad = server
        .post("/v1/events", "application/x-ndjson", bad.into_bytes())
        .unwrap();
    assert_eq!(bad.1["refused"], json!(1));
    assert_eq!(server.number("select count(*) from turns"), 1);
    corrected(&server, first);
    scene.contacts = his;
    let his = scene.contacts.iter().map(String::as_str).collect();
    without(&truth, &his, &scene.path("others"));
    seal(&scene.path("others"));
    (scene, server)
}

#[test]
fn an_erased_customer_is_nowhere_by_any_reader_and_others_are_unchanged() {
    let (scene, server) = scene();
    // A copy of how it was: there other readers find him everywhere.
    server.stop();
    let before = scene.path("before");
    copy(&scene.path("data"), &before);
    let server = scene.serve("data");
    let left = scene.left(&before);
    let found = left["found"].as_object().unwrap();
    for table in [
        "contacts",
        "segments",
        "offers",
        "links",
        "records",
        "recordings",
        "audio",
        "turns",
        "tags",
        "notes",
        "measurements",
        "evaluations",
        "customer_attributes",
        "leases",
        "corrections",
        "dead_letters",
    ] {
        for place in [
            format!("{table}, a version"),
            format!("{table}, DuckDB"),
            format!("Parquet in lake/{table}"),
        ] {
            assert!(found.contains_key(&place), "{place} in {found:?}");
        }
    }
    // Beside pages, which are packed: names and least and greatest values.
    assert!(
        found
            .keys()
            .any(|place| place.starts_with("bytes of lake/")),
        "{found:?}"
    );

    let records = server.number("select count(*) from records");
    let recordings = server.number("select count(*) from recordings");
    let dry = scene.erase(&server, &["--dry-run"]);
    let said = String::from_utf8(dry.stdout).unwrap();
    assert!(
        dry.status.success() && said.contains("Nothing was changed."),
        "{said}"
    );
    for id in &scene.contacts {
        assert!(said.contains(id.as_str()), "{said}");
    }
    assert_eq!(server.number("select count(*) from records"), records);
    nobody_is_erased(&scene, &server);

    let done = scene.erase(&server, &["--json"]);
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(
        done.status.success(),
        "{said}: {}",
        String::from_utf8_lossy(&done.stdout)
    );
    let report: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(
        report["contacts"].as_array().unwrap().len(),
        scene.contacts.len()
    );
    assert_eq!(report["proof"]["found"], json!([]));
    assert!(
        report["proof"]["values"].as_u64().unwrap() > 10_000,
        "{report}"
    );
    assert_eq!(report["audio_seconds"], json!(4));
    assert_eq!(
        report["others_made_anew"],
        json!(1),
        "the contact that named him: {report}"
    );
    let gone = report["records"].as_i64().unwrap();
    assert_eq!(
        server.number("select count(*) from records"),
        records - gone
    );
    scene.others_are_unchanged(&server);

    // The platform sends everything once more: of him nothing is taken.
    let said = send(&server, &scene.path("truth"), &scene.path("sent again"));
    assert_eq!(counted(&said, "taken"), 0, "{said}");
    assert!(counted(&said, "refused") > 0, "{said}");
    let kept = server.sql(
        "select count(*) as n, max(encode(bytes, 'hex')) as bytes, max(sha256) as hash
         from dead_letters where class = 'erased'",
    );
    assert!(kept[0]["n"].as_i64().unwrap() > 0, "{kept:?}");
    assert_eq!(
        (&kept[0]["bytes"], &kept[0]["hash"]),
        (&json!(""), &json!(""))
    );
    let put = command()
        .args([
            "recording",
            "put",
            "--contact",
            &scene.contacts[0],
            "--leg",
            "agent",
        ])
        .args(["--to", &server.url, text(&sound())])
        .output()
        .unwrap();
    let said = String::from_utf8(put.stderr).unwrap();
    assert!(said.contains("erased on request"), "{said}");
    let went = report["rows"]["recordings"].as_i64().unwrap();
    assert_eq!(
        server.number("select count(*) from recordings"),
        recordings - went
    );
    scene.others_are_unchanged(&server);
    let queues =
        server.sql("select queue, sum(offered) as n from queue_intervals group by 1 order by 1");
    server.stop();

    let data = scene.path("data");
    let left = scene.left(&data);
    assert_eq!(left["found"], json!({}), "{left}");
    for (table, versions) in left["versions"].as_object().unwrap() {
        assert!(
            !versions.as_array().unwrap().is_empty(),
            "{table} cannot be read"
        );
    }
    let query = "SELECT queue, sum(offered) AS n FROM delta_scan('{lake}/queue_intervals') GROUP BY 1 ORDER BY 1";
    let lake = data.join("lake");
    let theirs = script("duck.py", &[text(&lake), query]);
    assert_eq!(theirs, json!(queues), "intervals are of what is left");
    let said = callboard(&["doctor", "--data", text(&data)]);
    assert!(said.contains("Nothing is wrong."), "{said}");
    // Nothing brings him back: neither a rebuild nor a restart.
    callboard(&["rebuild", "--data", text(&data)]);
    let left = scene.left(&data);
    assert_eq!(left["found"], json!({}), "{left}");
    let server = scene.serve("data");
    scene.others_are_unchanged(&server);
    server.stop();
}

/// Every step of an erasure, as far as it can die there.
const STEPS: [&str; 12] = [
    "erase.wished:1",
    "erase.found:1",
    "erase.table:1",
    "erase.table:4",
    "erase.live:1",
    "log.rolled:1",
    "log.trimmed:1",
    "flush.commit:1",
    "erase.log:1",
    "erase.checkpoint:2",
    "erase.past:6",
    "erase.done:1",
];
/// What `make test` takes of them.
const FEW: [&str; 3] = ["erase.table:4", "erase.log:1", "erase.checkpoint:2"];

#[test]
fn an_erasure_that_was_killed_is_finished_by_the_next_start() {
    let _repeat = Repeat::of("an_erasure_that_was_killed", &[]);
    let (scene, server) = scene();
    server.stop();
    let all = std::env::var("CALLBOARD_STEPS").is_ok_and(|s| s == "all");
    let steps = if all { &STEPS[..] } else { &FEW[..] };
    for (n, step) in steps.iter().enumerate() {
        let name = format!("data-{n}");
        copy(&scene.path("data"), &scene.path(&name));
        // Flushes only at the erasure's own wish, so that steps of flushes are the erasure's.
        let config = scene.path("slow.toml");
        let slow = CONFIG.replace("flush = \"500ms\"", "flush = \"1h\"");
        std::fs::write(&config, slow).unwrap();
        let mut serve = command();
        serve
            .args([
                "serve",
                "--http",
                "127.0.0.1:0",
                "--pg",
                "127.0.0.1:0",
                "--config",
            ])
            .arg(&config)
            .arg("--data")
            .arg(scene.path(&name))
            .env("CALLBOARD_DIE_AT", step);
        let server = Server::start(serve);
        let broken = scene.erase(&server, &[]);
        assert!(!broken.status.success(), "{step}: it never came there");
        server.kill();
        // The next start finishes it, and then says so.
        let server = scene.serve(&name);
        let of = format!(
            "select count(*) from contacts where customer = '{}'",
            scene.customer
        );
        assert_eq!(server.number(&of), 0, "{step}");
        let done = scene.erase(&server, &[]);
        let said = String::from_utf8(done.stdout).unwrap();
        assert!(
            done.status.success() && said.contains("found 0 times"),
            "{step}: {said}"
        );
        scene.others_are_unchanged(&server);
        server.stop();
        let left = scene.left(&scene.path(&name));
        assert_eq!(left["found"], json!({}), "{step}: {left}");
        let said = callboard(&["doctor", "--data", text(&scene.path(&name))]);
        assert!(said.contains("Nothing is wrong."), "{step}: {said}");
    }
}
