//! What `callboard doctor` says of a damaged table is what helps: `callboard rebuild` puts it aside
//! and makes its rows anew, as other readers see them; it never tells of success over damage that
//! stays, and killed at any moment it leaves nothing that is served wrong.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::doctor::{doctor, files, folder};
use crate::erasure::text;
use crate::readers::script;
use crate::support::scene::{Repeat, number, setting};
use crate::support::sender::event;
use crate::support::{Server, command, copy};

/// When rows were corrected, which no record tells.
const CORRECTED: &str =
    "select contact_id, corrected_at from contacts where corrected_at is not null order by 1";

/// A stopped shift, and a contact that was corrected after it had settled.
fn scene(dir: &Path) -> PathBuf {
    let data = folder(dir);
    let config = dir.join("callboard.toml");
    let server = Server::serve(&data, &["--config", text(&config)]);
    let send = |id: &str, kind: &str, at: &str, more: &str| {
        let told = format!(r#""contact_id":"mended",{more}"#);
        let event = event("/test/mended", id, kind, at, &told);
        let kind = "application/x-ndjson";
        let (status, said) = server.post("/v1/events", kind, event.into()).unwrap();
        assert_eq!(status, 200, "{said}");
    };
    let queue = r#""segment_id":"q","kind":"queue","queue":"sales""#;
    send("1", "segment.started", "2026-03-02T09:00:00Z", queue);
    let left = r#""segment_id":"q","outcome":"abandoned""#;
    send("2", "segment.ended", "2026-03-02T09:00:30Z", left);
    let end = r#""ended_by":"customer""#;
    send("3", "contact.ended", "2026-03-02T09:00:30Z", end);
    for late in 0.. {
        assert!(late < 60, "no late record corrected it");
        let hold = format!(
            r#""segment_id":"m{late}","kind":"menu","name":"m","start":"2026-03-02T09:00:00Z","end":"2026-03-02T09:00:01Z""#
        );
        let at = "2026-03-02T09:00:01Z";
        send(&format!("late-{late}"), "segment.recorded", at, &hold);
        sleep(Duration::from_millis(1_500));
        if server.number("select count(*) from corrections") > 0 {
            break;
        }
    }
    server.stop();
    data
}

/// Rows of every table as DuckDB reads them.
fn digest(data: &Path) -> Value {
    script("digest.py", &[text(&data.join("lake"))])
}

fn rebuild(data: &Path) -> (i32, String) {
    let output = command().args(["rebuild", "--data", text(data)]).output();
    let Output {
        status,
        stdout,
        stderr,
    } = output.unwrap();
    let said = String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap();
    (status.code().unwrap(), said)
}

/// The largest data file of a table.
fn largest(data: &Path, table: &str) -> PathBuf {
    let all = files(&data.join("lake").join(table)).into_iter();
    let own = all.filter(|p| p.extension().is_some_and(|e| e == "parquet"));
    let own = own.filter(|p| !text(p).contains("_delta_log"));
    own.max_by_key(|p| std::fs::metadata(p).unwrap().len())
        .unwrap()
}

/// `printf XXXX | dd of=FILE bs=1 seek=AT conv=notrunc`
fn damage(path: &Path, at: u64) {
    let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(b"XXXX").unwrap();
}

#[track_caller]
fn same(what: &str, before: &Value, after: &Value) {
    for (table, was) in before.as_object().unwrap() {
        assert_eq!(was, &after[table], "{what}: {table}");
    }
}

/// What shares a folder: all of it, or nothing where `CALLBOARD_STEPS=all` asks for the long form.
fn together<T>(all: &[T]) -> std::slice::Chunks<'_, T> {
    let alone = setting("CALLBOARD_STEPS").is_some_and(|s| s == "all");
    all.chunks(if alone { 1 } else { all.len() })
}

#[test]
fn a_damaged_table_is_named_and_mended() {
    let _repeat = Repeat::of("a_damaged_table", &[]);
    let dir = tempfile::tempdir().unwrap();
    let whole = scene(dir.path());
    let before = digest(&whole);
    for table in [
        "contacts",
        "segments",
        "agent_states",
        "agent_intervals",
        "queue_intervals",
    ] {
        assert!(before[table]["rows"].as_u64() > Some(0), "{table} is empty");
    }
    let corrected = {
        let copied = dir.path().join("asked");
        copy(&whole, &copied);
        let server = Server::serve(&copied, &[]);
        server.sql(CORRECTED)
    };
    assert_eq!(corrected.len(), 1, "{corrected:?}");
    let data = dir.path().join("bad");
    let rows = ["contacts", "segments", "agent_intervals", "queue_intervals"].map(|table| {
        let path = largest(&whole, table);
        text(path.strip_prefix(&whole).unwrap()).to_owned()
    });
    // Tables that do not open at all.
    let logs = ["offers", "agent_intervals"]
        .map(|table| format!("lake/{table}/_delta_log/00000000000000000000.json"));
    for bad in [&rows[..], &logs[..]].into_iter().flat_map(together) {
        copy(&whole, &data);
        for file in bad {
            damage(&data.join(file), 300);
        }
        let named = |said: &str| bad.iter().all(|file| said.contains(file.as_str()));
        let (code, said) = doctor(&data, &[]);
        assert_eq!(code, 1, "{bad:?}: {said}");
        let helps = "`callboard rebuild` puts the table's folder aside";
        let helped = said.matches(helps).count();
        assert!(named(&said) && helped >= bad.len(), "{said}");
        let (code, said) = rebuild(&data);
        assert_eq!(code, 0, "{bad:?}: {said}");
        assert!(said.contains("made anew") && named(&said), "{said}");
        let aside = data.join("lake/_aside/1");
        assert!(said.contains(text(&aside)), "{said}");
        for file in bad {
            // It was moved, damage and all.
            let moved = aside.join(file.strip_prefix("lake/").unwrap());
            let bytes = std::fs::read(moved).unwrap();
            assert_eq!(&bytes[300..304], b"XXXX", "{file}");
        }
        let (code, said) = doctor(&data, &[]);
        assert_eq!(code, 0, "{bad:?}: {said}");
        assert!(said.contains("Nothing is wrong."), "{said}");
        assert!(said.contains("_aside"), "{said}");
        same(&format!("{bad:?}"), &before, &digest(&data));
        let server = Server::serve(&data, &[]);
        assert_eq!(server.sql(CORRECTED), corrected, "{bad:?}");
        server.stop();
        let (code, said) = doctor(&data, &[]);
        assert_eq!(code, 0, "{bad:?}: {said}");
        std::fs::remove_dir_all(&data).unwrap();
    }
    what_is_made_of_no_record_is_not_told_as_mended(&whole, &data, &before);
}

/// The same folder, damaged where records do not help; `data` is where its copies may lie.
fn what_is_made_of_no_record_is_not_told_as_mended(whole: &Path, data: &Path, before: &Value) {
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    // Rows of these tables tell something that no other table tells.
    for tables in together(&["corrections", "dead_letters"]) {
        copy(whole, data);
        let bad: Vec<PathBuf> = tables.iter().map(|table| largest(data, table)).collect();
        for file in &bad {
            damage(file, 300);
        }
        let named = |said: &str| bad.iter().all(|file| said.contains(&name(file)));
        let (code, said) = rebuild(data);
        assert_eq!(code, 1, "{tables:?}: {said}");
        assert!(named(&said) && said.contains("backup"), "{said}");
        let (code, said) = doctor(data, &["--quick"]);
        assert_eq!(code, 1, "{tables:?}: {said}");
        assert!(named(&said) && said.contains("restore"), "{said}");
        std::fs::remove_dir_all(data).unwrap();
    }
    // Of the records all rows are made: nothing is touched.
    copy(whole, data);
    let (records, contacts) = (largest(data, "records"), largest(data, "contacts"));
    let sound = std::fs::read(&records).unwrap();
    damage(&records, 300);
    damage(&contacts, 300);
    let (code, said) = rebuild(data);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains(&name(&records)) && said.contains("restore it from a backup first"),
        "{said}"
    );
    assert!(!data.join("lake/_aside").exists() && contacts.exists());
    // Once they are back, the rest is made of them.
    std::fs::write(&records, sound).unwrap();
    let (code, said) = rebuild(data);
    assert_eq!(code, 0, "{said}");
    same("mended", before, &digest(data));
}

/// Steps at which a rebuild dies that has put tables aside, and how often each is passed before.
const STEPS: [(&str, u32); 10] = [
    ("rebuild.told", 1),
    ("rebuild.aside", 1),
    ("lake.named", 1),
    ("lake.named", 6),
    ("rebuild.table", 1),
    ("rebuild.table", 6),
    ("rebuild.table", 17),
    ("derive.table", 1),
    ("rebuild.copies", 1),
    ("rebuild.made", 1),
];

#[test]
fn a_rebuild_that_dies_at_a_step_is_begun_again() {
    let (seed, kills) = (
        number("CALLBOARD_SEED", 4_711),
        number("CALLBOARD_REBUILDS", 3),
    );
    let settings = [("CALLBOARD_SEED", seed), ("CALLBOARD_REBUILDS", kills)];
    let _repeat = Repeat::of("a_rebuild_that_dies", &settings);
    let dir = tempfile::tempdir().unwrap();
    let whole = scene(dir.path());
    let before = digest(&whole);
    let data = dir.path().join("bad");
    // In one folder each rebuild dies that was to finish what the one before it left.
    for steps in together(&STEPS) {
        copy(&whole, &data);
        for table in ["contacts", "agent_intervals"] {
            damage(&largest(&data, table), 300);
        }
        for (step, times) in steps {
            let mut dies = command();
            dies.args(["rebuild", "--data", text(&data)]);
            dies.env("CALLBOARD_DIE_AT", format!("{step}:{times}"));
            let died = dies.output().unwrap();
            assert_eq!(died.status.signal(), Some(9), "{step}:{times}");
            // Nobody is served from tables that are half made.
            let mut serve = command();
            serve.args(["serve", "--http", "127.0.0.1:0", "--pg", "127.0.0.1:0"]);
            let refused = Server::try_start({
                serve.arg("--data").arg(&data);
                serve
            });
            let Err(said) = refused else {
                panic!("{step}:{times}: it serves")
            };
            assert!(said.contains("run `callboard rebuild` again"), "{said}");
            let (code, said) = doctor(&data, &["--quick"]);
            assert_eq!(code, 1, "{step}:{times}: {said}");
            assert!(said.contains("a rebuild was cut off"), "{said}");
        }
        let (code, said) = rebuild(&data);
        assert_eq!(code, 0, "{steps:?}: {said}");
        let (code, said) = doctor(&data, &[]);
        assert_eq!(code, 0, "{steps:?}: {said}");
        same(&format!("{steps:?}"), &before, &digest(&data));
        std::fs::remove_dir_all(&data).unwrap();
        println!("{steps:?}: died there, refused until rebuilt, equal");
    }
    a_rebuild_that_is_killed_at_any_moment_changes_no_row(&whole, &before, (seed, kills));
}

/// The same folder, undamaged.
fn a_rebuild_that_is_killed_at_any_moment_changes_no_row(
    data: &Path,
    before: &Value,
    (seed, kills): (u64, u64),
) {
    let begun = Instant::now();
    assert_eq!(rebuild(data).0, 0);
    let takes = begun.elapsed();
    same("a whole one", before, &digest(data));
    // xorshift: moments that nobody chose, the same for a seed.
    let mut random = seed;
    let mut amid = 0;
    for kill in 0..kills {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let life = takes.mul_f64((random % 1_000) as f64 / 1_000.0);
        let mut child = command()
            .args(["rebuild", "--data", text(data)])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        sleep(life);
        // It may have ended.
        let _ = child.kill();
        amid += u64::from(child.wait().unwrap().signal() == Some(9));
        let what = format!("kill {kill} after {life:?}");
        // Whatever it had written, it was rows that were there.
        same(&what, before, &digest(data));
        let (code, said) = doctor(data, &[]);
        assert_eq!(code, 0, "{what}: {said}");
    }
    println!("{kills} kills -9 in {takes:?} each, {amid} of them in the middle: equal");
    assert!(amid * 2 >= kills, "too few kills in the middle");
    let server = Server::serve(data, &[]);
    assert_eq!(server.sql(CORRECTED).len(), 1);
    server.stop();
    let (code, said) = rebuild(data);
    assert_eq!(code, 0, "{said}");
    same("at last", before, &digest(data));
}
