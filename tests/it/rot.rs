//! A bit that flips at any place in any kind of file of a data folder, with the real server on it: it
//! refuses to start, or a query ends with an error that names the file; no figure is ever another than
//! before, and the doctor names what no query met.
//!
//! `make test` flips one bit in each kind, `make torture` 300 in all. A failure names the line that
//! repeats it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::doctor::{CONFIG, doctor, files, folder};
use crate::support::scene::{again, number};
use crate::support::sender::event;
use crate::support::{Server, command, copy, until};

/// Figures of what is over: they do not depend on the time at which they are asked for.
const FIGURES: [&str; 5] = [
    "select * from contacts where state = 'closed' order by contact_id",
    "select count(*) as n from contacts",
    "select * from segments where ended_at is not null order by contact_id, seq",
    "select source, id, received_at, encode(bytes, 'hex') as bytes from records order by 1, 2, 3, 4",
    "select * from queue_intervals where queue <> 'rot' order by queue, interval_start",
];

/// What must be met where a file is damaged.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Met {
    /// No server starts on it.
    Refused,
    /// A query that reads it ends with an error; others are right.
    Error,
    /// Nothing is read from it that a figure is made of: all are right.
    Right,
}

/// What the doctor must say where every figure is right.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Told {
    /// That the file is damaged.
    Damage,
    /// That a file has no checksum.
    Unchecked,
    /// Nothing: no promise stands on these bytes.
    Nothing,
}

/// A file, and what may come of a bit of it that flips.
struct Place {
    path: PathBuf,
    met: &'static [Met],
    told: Told,
}

fn serving(data: &Path, config: &Path) -> Command {
    let mut serve = command();
    serve.args(["serve", "--http", "127.0.0.1:0", "--pg", "127.0.0.1:0"]);
    serve.arg("--data").arg(data).arg("--config").arg(config);
    serve
}

fn serve(data: &Path, config: &Path) -> Result<Server, String> {
    Server::try_start(serving(data, config))
}

fn ask(server: &Server, sql: &str) -> (u16, Value) {
    let body = json!({ "sql": sql }).to_string().into_bytes();
    server.post("/v1/sql", "application/json", body).unwrap()
}

/// A stopped shift of which a contact was erased, so that tables have checkpoints, and some events
/// that only the log holds. Gives the folder and the configuration with which it stays so.
fn scene(dir: &Path) -> (PathBuf, PathBuf) {
    let data = folder(dir);
    let config = dir.join("callboard.toml");
    let server = serve(&data, &config).unwrap();
    let first = "select contact_id from contacts where state = 'closed' order by 1 limit 1";
    let first = server.sql(first)[0]["contact_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let erase = ["erase", "--contact", &first, "--to", &server.url];
    let erased = command().args(erase).output().unwrap();
    // Records of others name it too, which is said and no matter here.
    let said = String::from_utf8(erased.stdout).unwrap();
    assert!(said.contains("searched"), "{said}");
    server.stop();
    let slow = dir.join("slow.toml");
    std::fs::write(&slow, CONFIG.replace("flush = \"1s\"", "flush = \"1h\"")).unwrap();
    // Of small segments the log has several, most of them with room to spare.
    let mut small = serving(&data, &slow);
    small.env("CALLBOARD_SEGMENT_BYTES", "2048");
    let server = Server::start(small);
    for n in 10..30 {
        let told =
            format!(r#""contact_id":"rot-{n}","segment_id":"q","kind":"queue","queue":"rot""#);
        let id = format!("flip-{n}");
        let time = "2026-03-02T09:00:00Z";
        let event = event("/test/rot", &id, "segment.started", time, &told);
        let kind = "application/x-ndjson";
        assert_eq!(
            server.post("/v1/events", kind, event.into()).unwrap().0,
            200
        );
    }
    // Before that a break in the last group cannot be told from a write that was never finished.
    until("the log says how far it is synced", || {
        let last = segments(&data).pop()?;
        let (entries, groups) = groups(&std::fs::read(last).unwrap());
        (entries < groups).then_some(())
    });
    server.kill();
    (data, slow)
}

/// The log's segments, in order.
fn segments(data: &Path) -> Vec<PathBuf> {
    let mut all = files(&data.join("log"));
    all.retain(|path| path.extension().is_some_and(|e| e == "seg"));
    all
}

/// Where in a segment its last group with entries ends, and where its last group does, by the form
/// that `ingest/store/src/log/format.rs` tells. What lies behind the first was promised to nobody.
fn groups(segment: &[u8]) -> (usize, usize) {
    let number = |at: usize| u32::from_le_bytes(segment[at..at + 4].try_into().unwrap());
    let (mut entries, mut groups) = (64, 64);
    while segment.get(groups..groups + 4) == Some(&b"CBgr"[..]) {
        let (length, count) = (number(groups + 4), number(groups + 16));
        groups += 48 + (length as usize).next_multiple_of(8);
        if count > 0 {
            entries = groups;
        }
    }
    (entries, groups)
}

/// A name without its numbers: what kind of file it is.
fn kind(path: &Path) -> String {
    let name = path.file_name().unwrap().to_str().unwrap();
    name.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// The largest file below a folder whose name ends so.
fn largest(folder: &Path, end: &str) -> PathBuf {
    let own = files(folder).into_iter().filter(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.ends_with(end)
    });
    let own = own.max_by_key(|path| std::fs::metadata(path).unwrap().len());
    own.unwrap_or_else(|| panic!("{} has no {end}", folder.display()))
}

/// One file of each kind, and what must be met.
fn one_of_each(data: &Path) -> Vec<Place> {
    let mut all = Vec::new();
    let mut add = |path, met, told| all.push(Place { path, met, told });
    let mut kinds = BTreeSet::new();
    for path in files(&data.join("state")) {
        if std::fs::metadata(&path).unwrap().len() > 0 && kinds.insert(kind(&path)) {
            add(path, &[Met::Refused], Told::Damage);
        }
    }
    assert!(kinds.len() > 4, "{kinds:?}");
    let log = segments(data);
    assert!(log.len() > 2, "{log:?}");
    for path in [&log[0], &log[log.len() - 1]] {
        add(path.clone(), &[Met::Refused], Told::Nothing);
    }
    let lake = data.join("lake");
    let commit = |table: &str| {
        let logs = files(&lake.join(table).join("_delta_log")).into_iter();
        let mut commits = logs.filter(|path| path.extension().is_some_and(|e| e == "json"));
        commits.next_back().unwrap()
    };
    for table in ["records", "contacts", "segments"] {
        let own = lake.join(table);
        let checkpoint = largest(&own, "checkpoint.parquet");
        add(checkpoint, &[Met::Refused], Told::Damage);
        // The checkpoint stands for the last commit: nobody reads that any more.
        add(commit(table), &[Met::Right], Told::Damage);
        // A query may need no byte near the bad one, and then it is right.
        let rows = largest(&day(&own), ".parquet");
        add(rows, &[Met::Error, Met::Right], Told::Damage);
    }
    // Without a checkpoint whoever opens the table reads every commit.
    add(commit("agent_states"), &[Met::Refused], Told::Damage);
    // Our views make intervals from contacts and segments; these are copies for others.
    let copies = largest(&day(&lake.join("queue_intervals")), ".parquet");
    add(copies, &[Met::Right], Told::Damage);
    // A checksum that is damaged itself is none.
    let sums = largest(&day(&lake.join("_sums/contacts")), ".parquet");
    add(sums, &[Met::Right], Told::Unchecked);
    // Delta's hint is only one: what leads nowhere is as good as none.
    let hint = lake.join("contacts/_delta_log/_last_checkpoint");
    add(hint, &[Met::Right], Told::Nothing);
    all
}

/// The folder of a day in which the most lies.
fn day(table: &Path) -> PathBuf {
    let days = std::fs::read_dir(table).unwrap().map(|e| e.unwrap().path());
    let days = days.filter(|path| path.to_str().unwrap().contains("day="));
    let size = |day: &PathBuf| -> u64 {
        let sizes = files(day)
            .into_iter()
            .map(|f| std::fs::metadata(f).unwrap().len());
        sizes.sum()
    };
    days.max_by_key(size).unwrap()
}

/// What a server does on a damaged copy: figures are as they were, or errors name the file.
fn met(data: &Path, config: &Path, name: &str, right: &[Value], what: &str) -> Met {
    let server = match serve(data, config) {
        Ok(server) => server,
        Err(said) => {
            assert!(said.contains(name), "{what}: {said}");
            let panics = said.lines().filter(|line| line.contains("panicked"));
            panics.for_each(|line| println!("{what}: {line}"));
            return Met::Refused;
        }
    };
    let mut met = Met::Right;
    for (query, right) in FIGURES.iter().zip(right) {
        let (status, answer) = ask(&server, query);
        if status == 200 {
            assert_eq!(&answer["rows"], right, "{what}: another figure of {query}");
            continue;
        }
        let said = answer.to_string();
        let named = said.contains(name) && said.contains("damaged");
        assert!(named, "{what}: {query}: {said}");
        met = Met::Error;
    }
    server.kill();
    met
}

/// Numbers that nobody chose, the same for a seed (splitmix64).
fn random(seed: u64) -> usize {
    let mut z = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z ^ (z >> 31)) as usize
}

#[test]
fn a_flipped_bit_in_any_kind_of_file_is_never_a_figure() {
    let dir = tempfile::tempdir().unwrap();
    let (data, config) = scene(dir.path());
    let bad = dir.path().join("bad");
    copy(&data, &bad);
    let server = serve(&bad, &config).unwrap();
    let right = FIGURES.map(|query| {
        let (status, answer) = ask(&server, query);
        assert_eq!(status, 200, "{query}: {answer}");
        assert_ne!(answer["rows"], json!([]), "{query}");
        answer["rows"].clone()
    });
    server.kill();
    let all = one_of_each(&data);
    let (first, flips) = (
        number("CALLBOARD_SEED", 3_400),
        number("CALLBOARD_FLIPS", all.len() as u64),
    );
    let mut errors = 0;
    for seed in first..first + flips {
        let place = &all[seed as usize % all.len()];
        let below = place.path.strip_prefix(&data).unwrap();
        let whole = std::fs::read(&place.path).unwrap();
        let (at, bit) = (random(seed) % whole.len(), random(!seed) % 8);
        let settings = format!("CALLBOARD_SEED={seed} CALLBOARD_FLIPS=1");
        let what = format!(
            "{}, byte {at} of {}, bit {bit}; {}",
            below.display(),
            whole.len(),
            again(&settings, "rot::")
        );
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << bit;
        std::fs::remove_dir_all(&bad).unwrap();
        copy(&data, &bad);
        std::fs::write(bad.join(below), &bytes).unwrap();
        let name = place.path.file_name().unwrap().to_str().unwrap();
        let met = met(&bad, &config, name, &right, &what);
        println!("{what}: {met:?}");
        errors += u32::from(met == Met::Error);
        // Zeros of a segment that was prepared, and a word of the log about itself.
        let spare = below.starts_with("log") && at >= groups(&whole).0;
        let may = if spare { &[Met::Right] } else { place.met };
        assert!(may.contains(&met), "{what}: {met:?}, not {may:?}");
        if met != Met::Right {
            continue;
        }
        std::fs::write(&place.path, &bytes).unwrap();
        let (code, said) = doctor(&data, &["--quick"]);
        std::fs::write(&place.path, &whole).unwrap();
        let told = match place.told {
            Told::Damage => code == 1 && said.contains("DAMAGE") && said.contains(name),
            Told::Unchecked => code == 0 && said.contains("1 without a checksum"),
            Told::Nothing => code == 0,
        };
        assert!(told, "{what}: {said}");
    }
    let each = flips >= all.len() as u64;
    assert!(errors > 0 || !each, "no query read a bad place");
}
