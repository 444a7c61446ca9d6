//! What counts in the lake is on stable storage before it counts: the system calls of the real
//! server, written down by `strace`, are read for what a power cut at any of them would leave.
//! `kill -9` cannot tell, since what was only written is still in the kernel's memory then.
//!
//! A failure names the line that repeats it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::doctor::{doctor, files};
use crate::support::scene::{Scene, again, number};
use crate::support::{Server, until};

mod failing;
mod trace;

use trace::{CALLS, Call, Commit, Did, calls, faults, kind};

/// What the files of the tables' logs say, by their paths.
fn commits(lake: &Path) -> BTreeMap<String, Commit> {
    let mut all = BTreeMap::new();
    for path in files(lake) {
        let name = path.to_str().unwrap();
        let Some((table, file)) = name.split_once("/_delta_log/") else {
            continue;
        };
        if table.contains("/_sums/") || !file.ends_with(".json") {
            continue;
        }
        let mut commit = Commit::default();
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let action: Value = serde_json::from_str(line).unwrap();
            commit.flushed |= action.get("txn").is_some();
            if let Some(file) = action["add"]["path"].as_str() {
                commit.adds.push(format!("{table}/{file}"));
            }
        }
        all.insert(name.to_owned(), commit);
    }
    all
}

/// Lets `strace` write down what every program of the scene does, one after the other, in a file of
/// which this is the path.
fn traced_by(scene: &mut Scene, more: &[&str]) -> PathBuf {
    let file = scene.dir.path().join("calls");
    // The tracer goes beside, so that the server stays our child. Of what is written only the
    // place matters.
    let strace = ["strace", "-D", "-f", "-q", "-y", "-s", "0", "-e", CALLS];
    let to = ["-A", "-o", file.to_str().unwrap()];
    let all = strace.iter().chain(more).chain(&to);
    scene.by = all.map(|word| (*word).to_owned()).collect();
    file
}

/// The calls of a server that takes half of a shift in, flushes, writes checkpoints and stops, and of
/// a second one that takes the rest; and how many are of the first.
fn traced(scene: &mut Scene, what: &str) -> (Vec<Call>, usize) {
    let file = traced_by(scene, &[]);
    let lake = scene.data().join("lake");
    let hint = lake.join("contacts/_delta_log/_last_checkpoint");
    let pace = Duration::from_millis(number("CALLBOARD_PACE_MS", 25));
    let lines = scene.lines();
    let (first, rest) = lines.split_at(lines.len() / 2);
    let (mut all, mut of_first) = (String::new(), 0);
    for some in [first, rest] {
        of_first = calls(&all).len();
        if lake.exists() {
            leave_checksums(&lake);
        }
        let server = Server::start(scene.serve(""));
        let sent = scene.send(some, pace).join();
        assert!(sent.is_ok(), "{what}: the sender ended");
        until("a checkpoint", || hint.exists().then_some(()));
        let pid = server.pid().to_string();
        server.stop();
        all = until("the end of the trace", || {
            let text = std::fs::read_to_string(&file).unwrap();
            // A short number is padded.
            let mut ends = text
                .lines()
                .filter(|line| line.ends_with(" +++ exited with 0 +++"));
            let ended = ends.any(|line| line.split(' ').next() == Some(&pid));
            ended.then_some(text)
        });
    }
    (calls(&all), of_first)
}

/// Folders whose names a start did not store before it built on them: a process that was killed may
/// have made names there that a power cut takes away again.
fn taken_over_late(start: &[Call], data: &str) -> Vec<String> {
    let tables = std::fs::read_dir(format!("{data}/lake")).unwrap();
    let tables = tables.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let tables = tables.filter(|table| table != "_sums");
    let own = ["", "/log", "/state", "/state/settled", "/lake"].map(str::to_owned);
    let of_tables = tables.flat_map(|t| {
        [
            format!("/lake/{t}"),
            format!("/lake/{t}/_delta_log"),
            format!("/lake/_sums/{t}/_delta_log"),
        ]
    });
    let counts = format!("{data}/state/commit.json");
    let late = own.into_iter().chain(of_tables).filter(|folder| {
        let folder = format!("{data}{folder}");
        let built = start.iter().position(|call| match &call.did {
            Did::Named { to, .. } => {
                *to == counts || Path::new(to).parent() == Some(Path::new(&folder))
            }
            _ => false,
        });
        let before = &start[..built.unwrap()];
        !before
            .iter()
            .any(|call| call.did == Did::Synced(folder.clone()))
    });
    late.collect()
}

/// Leaves checksums of commits that are not there, as a power cut may: nothing waits for them, but
/// the disk may have them before it has the names of the files.
fn leave_checksums(lake: &Path) {
    let logs = files(&lake.join("_sums")).into_iter();
    let logs = logs.filter(|path| path.extension().is_some_and(|e| e == "json"));
    let last: BTreeMap<PathBuf, PathBuf> = logs
        .map(|path| (path.parent().unwrap().to_owned(), path))
        .collect();
    for (folder, path) in last {
        let version: u64 = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
        let next = folder.join(format!("{:020}.json", version + 1));
        std::fs::copy(&path, next).unwrap();
    }
}

/// Leaves out syncs; they must be missed, by the name of what was not synced or lies below it.
fn is_missed(
    all: &[Call],
    data: &str,
    commits: &BTreeMap<String, Commit>,
    path: &str,
    skipped: impl Fn(&Call) -> bool,
) {
    let without = all.iter().filter(|call| !skipped(call));
    let said = faults(without, data, commits);
    let name = path.split('#').next().unwrap_or(path);
    let name = name.strip_suffix(".tmp").unwrap_or(name);
    assert!(
        said.iter().any(|fault| fault.contains(name)),
        "nobody misses the sync of {path}: {said:?}"
    );
}

#[test]
fn what_counts_was_synced_before_and_every_sync_is_needed() {
    let strace = Command::new("strace").arg("--version").output();
    assert!(strace.is_ok(), "this test needs strace: install it");
    let first = number("CALLBOARD_SEED", 3_500);
    for seed in first..first + number("CALLBOARD_FAULT_SEEDS", 1) {
        let what = again(&format!("CALLBOARD_SEED={seed}"), "synced::");
        let mut scene = Scene::new(seed, "40");
        let (all, of_first) = traced(&mut scene, &what);
        let data = scene.data().canonicalize().unwrap();
        let commits = commits(&data.join("lake"));
        let data = data.to_str().unwrap();
        let lake = format!("{data}/lake");
        let said = faults(all.iter(), data, &commits);
        assert!(said.is_empty(), "{what}: {said:#?}");
        let late = taken_over_late(&all[of_first..], data);
        assert!(late.is_empty(), "{what}: not stored at the start: {late:?}");
        let (code, said) = doctor(&scene.data(), &[]);
        assert_eq!(code, 0, "{what}: {said}");

        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for call in &all {
            match &call.did {
                Did::Named { to, .. } if *to == format!("{data}/state/commit.json") => {
                    *seen.entry("flushes").or_default() += 1;
                }
                Did::Named { to, .. } => {
                    if let Some(kind) = kind(&lake, to) {
                        *seen.entry(kind).or_default() += 1;
                    }
                }
                Did::Removed(path) if kind(&lake, path) == Some("checksums") => {
                    *seen.entry("checksums taken away").or_default() += 1;
                }
                _ => {}
            }
        }
        let flushed = commits.values().filter(|c| c.flushed && !c.adds.is_empty());
        seen.insert("commits with files", flushed.count());
        println!("seed {seed}: {seen:?}");
        for (kind, least) in [
            ("flushes", 3),
            ("data files", 10),
            ("commits", 20),
            ("commits with files", 8),
            ("checkpoints", 3),
            ("hints", 3),
            ("checksums", 30),
            ("checksums taken away", 1),
        ] {
            let there = seen.get(kind).copied().unwrap_or(0);
            assert!(
                there >= least,
                "{what}: {there} {kind}, not {least}: {seen:?}"
            );
        }

        let taken_out = |folder: &str| {
            let mut all = all.iter();
            all.any(|call| match &call.did {
                Did::Removed(path) => Path::new(path).parent() == Some(Path::new(folder)),
                _ => false,
            })
        };
        // The same calls with one file's sync, or all of one folder's, left out.
        let (mut of_files, mut of_folders) = (0, BTreeSet::new());
        let commit = format!("{data}/state/commit.json.tmp");
        for (n, call) in all.iter().enumerate() {
            let Did::Synced(path) = &call.did else {
                continue;
            };
            if *path == commit || path.contains('#') {
                is_missed(&all, data, &commits, path, |c| std::ptr::eq(c, &all[n]));
                of_files += 1;
            } else if *path == lake || path.starts_with(&format!("{lake}/")) {
                // A start syncs those of checksums whatever was taken out of them.
                if !path.contains("/_sums/") || taken_out(path) {
                    of_folders.insert(path);
                }
            }
        }
        for path in &of_folders {
            is_missed(&all, data, &commits, path, |c| {
                c.did == Did::Synced((*path).clone())
            });
        }
        assert!(
            of_files > 30 && of_folders.len() > 40,
            "{of_files}, {of_folders:?}"
        );
        println!(
            "seed {seed}: {of_files} syncs of files, and those of {} folders: each is missed",
            of_folders.len()
        );
    }
}

/// A flush of one table, two threads at work, as `strace` writes it.
const FLUSH: &str = r#"7 mkdir("/d/lake/t/day=1", 0777) = 0
7 fsync(9</d/lake/t>) = 0
7 write(9</d/lake/t/day=1/a.parquet#1>, ""..., 90) = 90
8 write(4<anon_inode:[eventfd]>, ""..., 8) = 8
8 write(5<socket:[77]>, ""..., 8) = -1 EAGAIN (Resource temporarily unavailable)
7 fsync(9</d/lake/t/day=1/a.parquet#1> <unfinished ...>
8 unlink("/d/lake/_sums/t/day=1/a.parquet" <unfinished ...>
7 <... fsync resumed>)              = 0
8 <... unlink resumed>)             = 0
8 fsync(5</d/lake/_sums/t/day=1>)   = 0
7 rename("/d/lake/t/day=1/a.parquet#1", "/d/lake/t/day=1/a.parquet") = 0
7 fsync(9</d/lake/t/day=1>)         = 0
8 write(9</d/lake/t/_delta_log/1.json#1>, ""..., 40) = 40
8 fsync(9</d/lake/t/_delta_log/1.json#1>) = 0
8 linkat(AT_FDCWD</>, "/d/lake/t/_delta_log/1.json#1", AT_FDCWD</>, "/d/lake/t/_delta_log/1.json", 0) = 0
8 unlink("/d/lake/t/_delta_log/1.json#1") = 0
8 fsync(9</d/lake/t/_delta_log> <unfinished ...>
8 <... fsync resumed>)              = 0
7 pwrite64(9</d/state/commit.json.tmp>, ""..., 30, 0) = 30
7 fdatasync(9</d/state/commit.json.tmp>) = 0
7 rename("/d/state/commit.json.tmp", "/d/state/commit.json") = 0
7 fsync(9</d/state>)                = 0
7 unlink("/d/log/1.seg")            = 0
7 +++ exited with 0 +++"#;

#[test]
fn a_trace_is_read_right() {
    let commit = Commit {
        adds: vec!["/d/lake/t/day=1/a.parquet".to_owned()],
        flushed: true,
    };
    let log = "/d/lake/t/_delta_log/1.json";
    let commits = BTreeMap::from([(log.to_owned(), commit)]);
    let read = |text: &str| faults(calls(text).iter(), "/d", &commits);
    assert_eq!(calls(FLUSH).len(), 18);
    assert_eq!(read(FLUSH), [""; 0]);
    // Each sync that is not made, fails, or comes while the next call is under way.
    let lines: Vec<&str> = FLUSH.lines().collect();
    for (n, line) in lines.iter().enumerate() {
        if !line.contains("sync(") {
            continue;
        }
        let mut without = lines.clone();
        without.remove(n);
        assert_ne!(read(&without.join("\n")), [""; 0], "{line}");
        let failed = line.replace("= 0", "= -1 EIO (Input/output error)");
        without.insert(n, &failed);
        assert!(
            !read(&without.join("\n")).is_empty() || failed == *line,
            "{line}"
        );
    }
    let late = |from: usize, to: usize| {
        let mut moved = lines.clone();
        let line = moved.remove(from);
        moved.insert(to, line);
        read(&moved.join("\n"))
    };
    let place = |what: &str| lines.iter().position(|l| l.contains(what)).unwrap();
    // The sync of the data file ends only after the file has its name.
    let said = late(place("<... fsync resumed"), place("rename("));
    assert_eq!(
        said,
        ["/d/lake/t/day=1/a.parquet got its name before it was synced"]
    );
    // Bytes come after the sync.
    let said = late(
        place("1.json#1>, "),
        place("fsync(9</d/lake/t/_delta_log/1.json#1>"),
    );
    assert_eq!(said, [format!("{log} got its name before it was synced")]);
    // The folder is synced before it has the name, and never again.
    let said = late(place("fsync(9</d/lake/t/day=1>"), place("rename("));
    assert!(
        said[0].contains("the folder of /d/lake/t/day=1/a.parquet"),
        "{said:?}"
    );
    // The flush counts before the commit's name lasts.
    let last = lines.iter().rposition(|l| l.contains("<... fsync resumed"));
    let said = late(last.unwrap(), place("\"/d/state/commit.json\""));
    assert_eq!(
        said,
        [format!("/d/state/commit.json counts before {log} lasts")]
    );
    // Whoever reads it meanwhile has half a file.
    let open = FLUSH.replace("1.json#1>, ", "1.json>, ");
    assert!(read(&open).contains(&format!("{log} was written under its name")));
    // Not done, only said to be done.
    let lie = FLUSH.replace("1.json#1>) = 0", "1.json#1>) = 0 (INJECTED)");
    assert!(!read(&lie).is_empty());
}
