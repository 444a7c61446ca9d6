//! The server dies, at every step that it takes and at moments that nobody chose, while a simulated
//! shift comes in out of order. Afterwards every table equals the truth that was written before.
//!
//! `make test` takes a few steps and one folder; `make torture` takes all. A failure names its seed
//! and step: `CALLBOARD_STEPS=flush.commit:3 CALLBOARD_SEED=17` repeats it.

use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use crate::support::{Server, command};
use crate::truth::{simulate, verify};

/// Everything happens often: flushes, settling, upkeep.
const CONFIG: &str = "[transcribe]\nenabled = false\n[lake]\nflush = \"150ms\"\nsettle = \"300ms\"\nupkeep = \"4s\"\n";

/// Lines of a request.
const LINES: usize = 12;

/// Every step at which the process can end itself, and how often it is passed before.
const STEPS: [(&str, u32); 33] = [
    ("log.write", 2),
    ("log.write", 9),
    ("log.written", 3),
    ("log.synced", 1),
    ("log.synced", 8),
    ("flush.intent", 1),
    ("flush.intent", 4),
    ("flush.records", 1),
    ("flush.records", 3),
    ("flush.table", 1),
    ("flush.table", 4),
    ("flush.table", 9),
    ("flush.table", 17),
    ("flush.tables", 2),
    ("flush.corrections", 1),
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
];
/// What `make test` takes of them: the log, a table, and the moment from which a flush counts.
const FEW: [&str; 3] = ["log.synced:8", "flush.table:6", "flush.commit:2"];

fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|v| !v.is_empty())
}

fn number(name: &str, otherwise: u64) -> u64 {
    setting(name).map_or(otherwise, |v| v.parse().unwrap())
}

/// An address that is free now; the server that dies comes back to it.
fn address() -> String {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().to_string()
}

/// A process that ends with the test.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder, a simulated shift, and a sender that does not give up.
struct Scene {
    dir: tempfile::TempDir,
    address: String,
}

impl Scene {
    fn new(seed: u64, contacts: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("callboard.toml"), CONFIG).unwrap();
        let seed = seed.to_string();
        // A line without identity that is sent again is kept again: no lines that are no events.
        let more = ["--seed", &seed, "--disorder", "wild", "--poison", "0"];
        simulate(&dir.path().join("truth"), contacts, &more);
        let address = address();
        Scene { dir, address }
    }

    fn truth(&self) -> PathBuf {
        self.dir.path().join("truth")
    }

    fn serve(&self, die_at: &str) -> Command {
        let mut serve = command();
        serve
            .args(["serve", "--http", &self.address, "--pg", "127.0.0.1:0"])
            .arg("--data")
            .arg(self.dir.path().join("data"))
            .arg("--config")
            .arg(self.dir.path().join("callboard.toml"))
            .env("CALLBOARD_DIE_AT", die_at);
        serve
    }

    /// Sends everything in small requests, however often the server is away, and nothing again that
    /// was acknowledged.
    fn send(&self, slower: u32) -> JoinHandle<()> {
        let mut lines: Vec<Vec<u8>> = Vec::new();
        let events = std::fs::read_dir(self.truth().join("events")).unwrap();
        let mut events: Vec<PathBuf> = events.map(|e| e.unwrap().path()).collect();
        events.sort();
        for file in events {
            let text = std::fs::read(file).unwrap();
            lines.extend(text.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec));
        }
        let url = format!("http://{}/v1/events", self.address);
        let client = reqwest::blocking::Client::new();
        // The slower, the more flushes and late records meet.
        let pace = Duration::from_millis(number("CALLBOARD_PACE_MS", 25)) * slower;
        spawn(move || {
            let until = Instant::now() + Duration::from_secs(300);
            for some in lines.chunks(LINES) {
                loop {
                    let post = client
                        .post(&url)
                        .header("content-type", "application/x-ndjson");
                    let answer = post.body(some.concat()).send();
                    if answer.is_ok_and(|a| a.status() == 200) {
                        break;
                    }
                    assert!(Instant::now() < until, "the server took nothing for long");
                    sleep(Duration::from_millis(50));
                }
                sleep(pace);
            }
        })
    }

    fn finish(&self, sender: JoinHandle<()>, what: &str) {
        let server = Server::start(self.serve(""));
        assert!(sender.join().is_ok(), "{what}: the sender ended");
        let (equal, said) = verify(&server, &self.truth(), "60");
        assert!(equal, "{what}: {said}");
        let twice = "select count(*) from (select source, id, content_hash from records group by 1, 2, 3 having count(*) > 1)";
        assert_eq!(server.number(twice), 0, "{what}");
        server.stop();
        // From the lake alone, and by the eyes of the doctor.
        let data = self.dir.path().join("data");
        let doctor = command().arg("doctor").arg("--data").arg(data).output();
        let said = String::from_utf8(doctor.unwrap().stdout).unwrap();
        assert!(said.contains("Nothing is wrong."), "{what}: {said}");
    }
}

/// Ends the server at this step; whether it came to it.
fn ends_at(step: &str, seed: u64) -> bool {
    let what = format!("CALLBOARD_STEPS={step} CALLBOARD_SEED={seed}");
    let scene = Scene::new(seed, "150");
    let mut serve = scene.serve(step);
    let server = serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut server = Guard(server.unwrap());
    // Late records and compaction need many flushes.
    let slower = if step.starts_with("late.") || step.starts_with("upkeep.") {
        4
    } else {
        1
    };
    let sender = scene.send(slower);
    let until = Instant::now() + Duration::from_secs(45) * slower;
    let ended = loop {
        if let Some(status) = server.0.try_wait().unwrap() {
            break Some(status);
        }
        if Instant::now() > until {
            break None;
        }
        sleep(Duration::from_millis(20));
    };
    match ended {
        Some(status) => assert_eq!(status.signal(), Some(9), "{what}: {status}"),
        None => drop(server),
    }
    scene.finish(sender, &what);
    ended.is_some()
}

#[test]
fn it_dies_at_a_step_and_the_tables_equal_the_truth() {
    let seed = number("CALLBOARD_SEED", 1_000);
    let steps: Vec<String> = match setting("CALLBOARD_STEPS").as_deref() {
        None => FEW.iter().map(ToString::to_string).collect(),
        Some("all") => STEPS.iter().map(|(s, n)| format!("{s}:{n}")).collect(),
        Some(one) => vec![one.to_owned()],
    };
    for (n, step) in steps.iter().enumerate() {
        let passed = ends_at(step, seed + n as u64);
        println!(
            "{step}: {}",
            if passed {
                "died there, equal"
            } else {
                "never came there, equal"
            }
        );
        assert!(passed, "the server never came to {step}");
    }
}

#[test]
fn it_dies_at_any_moment_and_the_tables_equal_the_truth() {
    let first = number("CALLBOARD_SEED", 2_000);
    let folders = number("CALLBOARD_FOLDERS", 1);
    let kills = number("CALLBOARD_KILLS_OF_A_FOLDER", 6);
    for seed in first..first + folders {
        let what = format!("CALLBOARD_SEED={seed}");
        let scene = Scene::new(seed, "250");
        let sender = scene.send(1);
        let mut random = seed;
        for _ in 0..kills {
            let server = Server::start(scene.serve(""));
            // xorshift: moments that nobody chose, the same for a seed.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            sleep(Duration::from_millis(random % 900));
            server.kill();
        }
        scene.finish(sender, &what);
        println!("seed {seed}: {kills} kills -9, equal");
    }
}
