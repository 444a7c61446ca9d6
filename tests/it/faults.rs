//! Disks that are full, read-only or broken, and two servers on one folder: nothing that was
//! acknowledged is lost, nothing more is acknowledged than can be kept, and what to do is said.
//!
//! `make test` takes one seed of each, `make torture` twenty. A failure names the line that repeats it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::scene::{Scene, again, number};
use crate::support::sender::{LINES, Sender};
use crate::support::small::Small;
use crate::support::{Server, command, command_by, until};

const QUICK: Duration = Duration::from_millis(5);

/// The seeds of a test that takes them from some number on.
fn seeds(first: u64) -> std::ops::Range<u64> {
    let first = number("CALLBOARD_SEED", first);
    first..first + number("CALLBOARD_FAULT_SEEDS", 1)
}

/// A server that was told to serve and would not: what it said.
fn refused(mut serve: Command) -> String {
    let output = serve.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{said}");
    said
}

/// The number of the last flush that counts.
fn commits(file: &Path) -> u64 {
    let text = std::fs::read_to_string(file).unwrap();
    let commit: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    commit["attempt"].as_u64().unwrap()
}

/// Whether a server starts on the full disk; it is killed again, or says that there is no room.
fn serves(scene: &Scene, what: &str) -> bool {
    let mut serve = scene.serve("");
    let serve = serve.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut serve = serve.spawn().unwrap();
    let up = until("it serves or ends", || match serve.try_wait().unwrap() {
        Some(_) => Some(false),
        None => reqwest::blocking::get(scene.url() + "/healthz")
            .is_ok()
            .then_some(true),
    });
    // It may have ended.
    let _ = serve.kill();
    let said = String::from_utf8(serve.wait_with_output().unwrap().stderr).unwrap();
    assert!(
        up || said.contains("No space left on device"),
        "{what}: {said}"
    );
    up
}

/// Sends while the disk is full until nothing is taken any more; gives how much was.
fn send_until_full(scene: &Scene, lines: &[Vec<u8>]) -> usize {
    let sender = Sender::to(&scene.url(), "scene");
    let (mut taken, mut refused) = (0, 0);
    while refused < 5 {
        // What the server tidied away meanwhile made room.
        scene.small.as_ref().unwrap().fill();
        let end = lines.len().min(taken + LINES);
        assert!(taken < end, "a full disk took everything");
        if sender.once(lines[taken..end].concat()).unwrap().taken() {
            (taken, refused) = (end, 0);
        } else {
            refused += 1;
        }
    }
    taken
}

#[test]
fn a_full_disk_takes_nothing_loses_nothing_and_goes_on_once_there_is_room() {
    for seed in seeds(3_100) {
        let what = again(&format!("CALLBOARD_SEED={seed}"), "faults::a_full_disk");
        let scene = Scene::on_a_small_disk(seed, "150", 48);
        let small = scene.small.as_ref().unwrap();
        let sender = Sender::to(&scene.url(), "scene");
        let lines = scene.lines();
        let (mut from, third) = (lines.len() / 3, lines.len() / 3);

        let server = Server::start(scene.serve(""));
        sender.all(1, &lines[..from], QUICK);
        from += send_until_full(&scene, &lines[from..]);
        // Who asks is answered.
        let known = server.number("select count(*) from contacts");
        assert!(known > 0, "{what}");
        assert_eq!(server.get("/contacts").0, 200, "{what}");
        // Without a restart.
        small.empty();
        let attempt = || commits(&small.file("data/state/commit.json"));
        let before = attempt();
        sender.all(1, &lines[from..from + third], QUICK);
        from += third;
        until("flushes count again", || {
            (attempt() > before + 1).then_some(())
        });

        // It dies while the disk is full, and finds it full.
        from += send_until_full(&scene, &lines[from..]);
        server.kill();
        small.fill();
        let mut other = command_by(&scene.by);
        other.args(["serve", "--http", "127.0.0.1:0", "--pg", "127.0.0.1:0"]);
        let folder = small.at.join("other");
        let said = refused({
            other.arg("--data").arg(&folder);
            other
        });
        assert!(said.contains("No space left on device"), "{what}: {said}");
        assert!(said.contains(folder.to_str().unwrap()), "{what}: {said}");
        // What it tidies away may be room enough to serve; else it says why not.
        let served = serves(&scene, &what);
        small.empty();
        let rest = scene.send(&lines[from..], QUICK);
        scene.finish(rest, &what);
        println!("seed {seed}: full twice, died full once (served then: {served}), equal");
    }
}

/// What `strace` lets fail: a call of the log's thread, from which time on.
const BROKEN: [(&str, &str); 4] = [
    ("fdatasync", "error=EIO:when=30"),
    // A file system that went read-only after an error, as ext4 does.
    ("pwrite64", "error=EROFS:when=35+"),
    ("pwrite64", "error=EIO:when=40"),
    ("fdatasync", "error=EDQUOT:when=25"),
];

#[test]
fn after_a_failed_write_or_sync_nothing_is_acknowledged_until_a_restart() {
    let strace = Command::new("strace").arg("--version").output();
    assert!(strace.is_ok(), "this test needs strace: install it");
    // Two kinds where it must be quick, else all.
    let kinds = if number("CALLBOARD_FAULT_SEEDS", 1) > 1 {
        4
    } else {
        2
    };
    for seed in seeds(3_200) {
        for (call, fault) in &BROKEN[..kinds] {
            breaks(seed, call, fault);
        }
    }
}

fn breaks(seed: u64, call: &str, fault: &str) {
    let settings = format!("CALLBOARD_SEED={seed} CALLBOARD_FAULT_SEEDS=2");
    let what = format!("{call} {fault}; {}", again(&settings, "faults::"));
    let mut scene = Scene::new(seed, "60");
    let (trace, inject) = (format!("trace={call}"), format!("inject={call}:{fault}"));
    // The tracer goes beside, so that the server stays our child.
    let strace = [
        "strace",
        "-D",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        &trace,
        "-e",
        &inject,
    ];
    scene.by = strace.map(str::to_owned).to_vec();
    let server = Server::start(scene.serve(""));
    let sender = Sender::to(&scene.url(), "scene");
    let lines = scene.lines();
    let mut taken = 0;
    let first = loop {
        let end = lines.len().min(taken + LINES);
        assert!(taken < end, "{what}: it never came to it");
        let answer = sender.once(lines[taken..end].concat()).unwrap();
        if !answer.taken() {
            break answer;
        }
        taken = end;
    };
    assert_eq!(first.status, 503, "{what}: {first:?}");
    let told =
        first.text.contains("log_failed") && first.text.contains("mend the disk and restart");
    assert!(told, "{what}: {first:?}");
    // A sync that succeeds afterwards proves nothing.
    for some in lines[taken..].chunks(LINES).take(20) {
        let answer = sender.once(some.concat()).unwrap();
        assert_eq!(answer.status, 503, "{what}: {answer:?}");
        assert!(!answer.taken());
    }
    let (status, said) = server.get("/readyz");
    assert!(
        status == 503 && said.contains("the log cannot be written"),
        "{what}: {said}"
    );
    assert!(
        server.number("select count(*) from records") >= taken as i64 / 2,
        "{what}"
    );
    server.kill();
    scene.by.clear();
    let rest = scene.send(&lines[taken..], QUICK);
    scene.finish(rest, &what);
    println!("seed {seed}, {call} {fault}: stopped after {taken} lines, equal after a restart");
}

#[test]
fn a_folder_that_may_not_be_written_is_refused_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let small = Small::mount(&dir.path().join("small"), 16);
    let by = small.by();
    let serve = |name: &str| {
        let mut serve = command_by(&by);
        serve.args(["serve", "--http", "127.0.0.1:0", "--pg", "127.0.0.1:0"]);
        serve.arg("--data").arg(small.at.join(name));
        serve
    };
    Server::start(serve("data")).stop();
    small.only_read();
    for name in ["data", "new"] {
        let said = refused(serve(name));
        let folder = small.at.join(name);
        let named = said.contains(folder.to_str().unwrap());
        let why = said.contains("cannot be written") && said.contains("Read-only file system");
        let done = said.contains("make it writable") && said.contains("--data");
        assert!(named && why && done, "{said}");
    }
}

#[test]
fn a_second_server_on_a_folder_is_refused_and_the_first_goes_on() {
    let scene = Scene::new(3_300, "60");
    let lines = scene.lines();
    let first = Server::start(scene.serve(""));
    let sending = scene.send(&lines, QUICK);
    until("the first records", || {
        (first.number("select count(*) from records") > 50).then_some(())
    });
    for _ in 0..5 {
        let mut second = command();
        second.args(["serve", "--http", "127.0.0.1:0", "--pg", "127.0.0.1:0"]);
        let said = refused({
            second.arg("--data").arg(scene.data());
            second
        });
        let data = scene.data().canonicalize().unwrap();
        assert!(said.contains(data.to_str().unwrap()), "{said}");
        let holder = format!("is in use by process {}", first.pid());
        assert!(said.contains(&holder), "{said}");
    }
    sending.join().unwrap();
    first.stop();
    scene.finish(scene.send(&[], QUICK), "two servers");
}
