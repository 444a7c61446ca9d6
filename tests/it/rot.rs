//! A bit that flips in any kind of file of a data folder, with the real server on it: it refuses to
//! start, or a query ends with an error that names the file; no figure is ever another than before.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::doctor::{CONFIG, doctor, files, folder};
use crate::support::sender::event;
use crate::support::{Server, command, copy};

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

fn serve(data: &Path, config: &Path) -> Result<Server, String> {
    let mut serve = command();
    serve.args(["serve", "--http", "127.0.0.1:0", "--pg", "127.0.0.1:0"]);
    serve.arg("--data").arg(data).arg("--config").arg(config);
    Server::try_start(serve)
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
    let server = serve(&data, &slow).unwrap();
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
    server.kill();
    (data, slow)
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
fn one_of_each(data: &Path) -> Vec<(PathBuf, Met)> {
    let mut all = Vec::new();
    let mut kinds = BTreeSet::new();
    for path in files(&data.join("state")) {
        if std::fs::metadata(&path).unwrap().len() > 0 && kinds.insert(kind(&path)) {
            all.push((path, Met::Refused));
        }
    }
    assert!(kinds.len() > 4, "{kinds:?}");
    let log = files(&data.join("log")).into_iter().find(|path| {
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(7).any(|w| w == b"flip-20")
    });
    all.push((log.unwrap(), Met::Refused));
    let lake = data.join("lake");
    let commit = |table: &str| {
        let logs = files(&lake.join(table).join("_delta_log")).into_iter();
        let mut commits = logs.filter(|path| path.extension().is_some_and(|e| e == "json"));
        commits.next_back().unwrap()
    };
    for table in ["records", "contacts", "segments"] {
        let own = lake.join(table);
        all.push((largest(&own, "checkpoint.parquet"), Met::Refused));
        // The checkpoint stands for the last commit: nobody reads that any more.
        all.push((commit(table), Met::Right));
        all.push((largest(&day(&own), ".parquet"), Met::Error));
    }
    // Without a checkpoint whoever opens the table reads every commit.
    all.push((commit("agent_states"), Met::Refused));
    // Our views make intervals from contacts and segments; these are copies for others.
    let copies = lake.join("queue_intervals");
    all.push((largest(&day(&copies), ".parquet"), Met::Right));
    // A checksum that is damaged itself is none, and Delta's hint is only one.
    let sums = lake.join("_sums/contacts");
    all.push((largest(&day(&sums), ".parquet"), Met::Right));
    all.push((
        lake.join("contacts/_delta_log/_last_checkpoint"),
        Met::Right,
    ));
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
fn met(data: &Path, config: &Path, name: &str, right: &[Value]) -> Met {
    let server = match serve(data, config) {
        Ok(server) => server,
        Err(said) => {
            assert!(said.contains(name), "{name}: {said}");
            let panics = said.lines().filter(|line| line.contains("panicked"));
            panics.for_each(|line| println!("{name}: {line}"));
            return Met::Refused;
        }
    };
    let mut met = Met::Right;
    for (query, right) in FIGURES.iter().zip(right) {
        let (status, answer) = ask(&server, query);
        if status == 200 {
            assert_eq!(&answer["rows"], right, "{name}: another figure of {query}");
            continue;
        }
        let said = answer.to_string();
        assert!(
            said.contains(name) && said.contains("damaged"),
            "{name}: {query}: {said}"
        );
        met = Met::Error;
    }
    server.kill();
    met
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
    let mut errors = 0;
    for (n, (path, must)) in all.iter().enumerate() {
        let below = path.strip_prefix(&data).unwrap();
        std::fs::remove_dir_all(&bad).unwrap();
        copy(&data, &bad);
        let mut bytes = std::fs::read(path).unwrap();
        let at = match bytes.windows(7).position(|w| w == b"flip-20") {
            Some(at) => at,
            None => bytes.len() / 2,
        };
        bytes[at] ^= 1 << (n % 8);
        std::fs::write(bad.join(below), bytes).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let met = met(&bad, &config, name, &right);
        println!("{}, byte {at}: {met:?}", below.display());
        // A query that needs no byte near the bad one may be answered, and then it is right.
        let spared = *must == Met::Error && met == Met::Right;
        assert!(met == *must || spared, "{}: {met:?}", below.display());
        errors += u32::from(met == Met::Error);
    }
    assert!(errors > 0, "no query read a bad place");
    // Who looks for it finds the checksum that is none.
    let sums = all
        .iter()
        .find(|(path, _)| path.starts_with(data.join("lake/_sums")));
    let (path, _) = sums.unwrap();
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
    let (code, said) = doctor(&data, &[]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("1 without a checksum"), "{said}");
}
