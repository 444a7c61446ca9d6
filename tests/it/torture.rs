//! The server dies, at every step that it takes and at moments that nobody chose, while a simulated
//! shift comes in out of order, one line in a hundred no event. Afterwards every table equals the
//! truth that was written before.
//!
//! `make test` takes a few steps and one folder; `make torture` takes all. A failure names the line
//! that repeats it.

use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant, SystemTime};

use crate::copies::intervals_are_those_of_a_rebuild;
use crate::support::Server;
use crate::support::scene::{Scene, again, number, setting};
use crate::support::sender::LINES;

/// Every step at which the process can end itself, and how often it is passed before.
const STEPS: [(&str, u32); 35] = [
    ("log.write", 2),
    ("log.write", 9),
    ("log.written", 3),
    ("log.synced", 1),
    ("log.synced", 8),
    ("log.rolled", 1),
    ("log.trimmed", 1),
    ("log.trimmed", 2),
    ("live.published", 1),
    ("live.published", 7),
    ("flush.intent", 1),
    ("flush.intent", 4),
    ("flush.tables", 2),
    ("flush.open", 1),
    ("flush.open", 3),
    ("flush.names", 2),
    ("flush.seen", 2),
    ("flush.commit", 1),
    ("flush.commit", 3),
    ("flush.counted", 2),
    ("derive.table", 1),
    ("derive.table", 2),
    ("derive.commit", 1),
    ("late.found", 1),
    ("late.joined", 1),
    ("late.joined", 2),
    ("lake.staged", 40),
    ("lake.named", 30),
    ("lake.named", 61),
    ("upkeep.compacted", 1),
    ("upkeep.checkpoint", 1),
    ("upkeep.cut", 1),
    ("upkeep.removing", 1),
    ("upkeep.removed", 1),
    ("upkeep.vacuum", 1),
];
/// Tables that a simulated shift fills, whose commits are died at, by the first flush that writes
/// them and by a later one that may replace rows.
pub const TABLES: [&str; 10] = [
    "records",
    "dead_letters",
    "contacts",
    "segments",
    "offers",
    "links",
    "aliases",
    "agent_states",
    "recordings",
    "surveys",
];
/// Tables that are rarely written.
pub const ONCE: [&str; 2] = ["queue_targets", "corrections"];
/// So many senders at once, so that several wait for one sync when the server dies.
const SENDERS: usize = 4;
/// Bytes of a segment of the log.
const SEGMENT: &str = "16384";
/// What `make test` takes of them: the log, a table, and the moment from which a flush counts.
const FEW: [&str; 3] = ["log.synced:8", "segments:3", "flush.commit:2"];

/// A step comes so long after the last line at the latest, and so long after the first.
const AFTER: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(900);

/// A server lives for less than so many milliseconds before it is killed.
const LIFE: u64 = 900;

/// A process that ends with the test.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sends all of a shift. The slower, the more flushes and late records meet.
fn send(scene: &Scene, slower: u32) -> JoinHandle<Vec<u64>> {
    let pace = Duration::from_millis(number("CALLBOARD_PACE_MS", 25)) * slower;
    scene.send_together(SENDERS, &scene.lines(), pace)
}

/// Writes a file of no use, older than what a vacuum keeps.
fn aged(file: &Path) {
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let old = SystemTime::now() - Duration::from_secs(30 * 24 * 3600);
    let left = File::create(file).unwrap();
    left.set_modified(old).unwrap();
}

/// A server that nobody disturbs removes it.
fn is_removed(scene: &Scene, file: &Path, what: &str) {
    let server = Server::start(scene.serve(""));
    let begun = Instant::now();
    while file.exists() {
        assert!(
            begun.elapsed() < 2 * AFTER,
            "{what}: {} stays",
            file.display()
        );
        sleep(Duration::from_millis(100));
    }
    server.stop();
}

/// Ends the server at this step, to which it must come.
fn ends_at(step: &str, seed: u64) {
    let settings = format!("CALLBOARD_STEPS={step} CALLBOARD_SEED={seed}");
    let what = again(&settings, "it_dies_at_a_step");
    let scene = Scene::poisoned(seed, "150");
    let mut serve = scene.serve(step);
    // The log of such a shift fits into one segment of the usual size, which is never trimmed.
    serve.env("CALLBOARD_SEGMENT_BYTES", SEGMENT);
    // A vacuum removes what a write left that never became a commit, once it is old enough.
    let left = step.starts_with("upkeep.remov").then(|| {
        Server::start(scene.serve("")).stop();
        let file = scene
            .data()
            .join("lake/contacts/day=2020-02-29/left.parquet");
        aged(&file);
        file
    });
    let server = serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut server = Guard(server.unwrap());
    // Late records, what they correct, and compaction need many flushes.
    let rare = ["late.", "upkeep.", "corrections"];
    let slower = match rare.iter().any(|of| step.starts_with(of)) {
        true => 4,
        false => 1,
    };
    let sender = send(&scene, slower);
    let begun = Instant::now();
    let mut all_sent = None;
    let ended = loop {
        if let Some(status) = server.0.try_wait().unwrap() {
            break Some(status);
        }
        // Counted from the last line: how fast they come depends on the machine.
        if sender.is_finished() {
            all_sent.get_or_insert_with(Instant::now);
        }
        let waited = all_sent.is_some_and(|at: Instant| at.elapsed() > AFTER * slower);
        if waited || begun.elapsed() > LONGEST {
            break None;
        }
        sleep(Duration::from_millis(20));
    };
    match ended {
        Some(status) => assert_eq!(status.signal(), Some(9), "{what}: {status}"),
        None => drop(server),
    }
    if let (Some(file), Some(_)) = (&left, &ended) {
        assert_eq!(file.exists(), step.starts_with("upkeep.removing"), "{what}");
    }
    scene.finish(sender, &what);
    assert!(ended.is_some(), "the server never came to {step}; {what}");
    if let Some(file) = left {
        is_removed(&scene, &file, &what);
    }
    if step.starts_with("derive.") {
        intervals_are_those_of_a_rebuild(&scene.data(), &what);
    }
    println!("{step}: died there, equal");
}

#[test]
fn it_dies_at_a_step_and_the_tables_equal_the_truth() {
    let seed = number("CALLBOARD_SEED", 1_000);
    let steps: Vec<String> = match setting("CALLBOARD_STEPS").as_deref() {
        None => FEW.iter().map(ToString::to_string).collect(),
        Some("all") => {
            let commits = TABLES
                .into_iter()
                .flat_map(|table| [(table, 1), (table, 3)]);
            let once = ONCE.into_iter().map(|table| (table, 1));
            let all = STEPS.into_iter().chain(commits).chain(once);
            all.map(|(s, n)| format!("{s}:{n}")).collect()
        }
        Some(some) => some.split(',').map(ToOwned::to_owned).collect(),
    };
    for (n, step) in steps.iter().enumerate() {
        ends_at(step, seed + n as u64);
    }
}

#[test]
fn it_dies_at_any_moment_and_the_tables_equal_the_truth() {
    let first = number("CALLBOARD_SEED", 2_000);
    let folders = number("CALLBOARD_FOLDERS", 1);
    let kills = number("CALLBOARD_KILLS_OF_A_FOLDER", 6);
    let mut all_amid = 0;
    for seed in first..first + folders {
        let settings = format!("CALLBOARD_SEED={seed} CALLBOARD_KILLS_OF_A_FOLDER={kills}");
        let what = again(&settings, "it_dies_at_any");
        let scene = Scene::poisoned(seed, "250");
        let lines = scene.lines();
        // So slowly that the last line does not come before the last kill.
        let requests = lines.len().div_ceil(LINES).max(1) as u64;
        let pace = number("CALLBOARD_PACE_MS", 25).max(kills * LIFE / requests);
        let sender = scene.send_together(SENDERS, &lines, Duration::from_millis(pace));
        let mut random = seed;
        let mut amid = 0;
        for _ in 0..kills {
            let server = Server::start(scene.serve(""));
            // xorshift: moments that nobody chose, the same for a seed.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            sleep(Duration::from_millis(random % LIFE));
            server.kill();
            // While nobody listens it cannot come to its end.
            amid += u64::from(!sender.is_finished());
        }
        // A kill after the last line shows nothing of acknowledgements.
        let most = kills == 0 || amid * 2 > kills;
        assert!(most, "{what}: {amid} of {kills} kills while lines came in");
        scene.finish(sender, &what);
        intervals_are_those_of_a_rebuild(&scene.data(), &what);
        println!("seed {seed}: {kills} kills -9, {amid} of them while lines came in, equal");
        all_amid += amid;
    }
    let all = kills * folders;
    println!("{all} kills -9, {all_amid} of them while lines came in");
}
