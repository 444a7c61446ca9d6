//! A folder, a simulated shift with its truth, and a server on an address to which it comes back.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use super::sender::{Sender, lines};
use super::small::Small;
use super::{Server, command_by};
use crate::truth::{simulate, verify};

/// Everything happens often: flushes, settling, looks for silence, upkeep.
const CONFIG: &str = "[transcribe]\nenabled = false\n[lake]\nflush = \"150ms\"\nsettle = \"300ms\"\nsilence = \"1s\"\nupkeep = \"4s\"\n";

/// What the environment sets.
pub fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|v| !v.is_empty())
}

/// A number that the environment sets.
pub fn number(name: &str, otherwise: u64) -> u64 {
    setting(name).map_or(otherwise, |v| v.parse().unwrap())
}

/// The day of a shift that is over whatever its channels: 40 days ago where nothing else is set.
pub fn first_day() -> String {
    setting("CALLBOARD_FIRST_DAY").unwrap_or_else(|| {
        let day = chrono::Utc::now() - chrono::Duration::days(40);
        day.format("%Y-%m-%d").to_string()
    })
}

/// An address that is free now.
fn address() -> String {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().to_string()
}

/// A simulated shift and where a server is told of it.
pub struct Scene {
    /// Ends with the scene.
    pub dir: tempfile::TempDir,
    /// By what every program of ours is run: `strace` and its arguments, or nothing.
    pub by: Vec<String>,
    /// The small disk on which the data folder lies, if it does.
    pub small: Option<Small>,
    first_day: String,
    address: String,
}

impl Scene {
    /// A shift in disorder. Not long ago, since an agent who did not log out has a row for each day
    /// until now, but so that nothing of it can still go on.
    pub fn new(seed: u64, contacts: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let first_day = first_day();
        std::fs::write(dir.path().join("callboard.toml"), CONFIG).unwrap();
        let seed = seed.to_string();
        // A line without identity that is sent again is kept again: no lines that are no events.
        let mut more = vec!["--seed", &seed, "--disorder", "wild", "--poison", "0"];
        more.extend(["--first-day", &first_day]);
        simulate(&dir.path().join("truth"), contacts, &more);
        Scene {
            dir,
            first_day,
            by: Vec::new(),
            small: None,
            address: address(),
        }
    }

    /// The same with its data folder on a disk of so many MiB.
    pub fn on_a_small_disk(seed: u64, contacts: &str, mib: u32) -> Self {
        let mut scene = Scene::new(seed, contacts);
        let small = Small::mount(&scene.dir.path().join("small"), mib);
        scene.by = small.by();
        scene.small = Some(small);
        scene
    }

    /// What the simulation wrote.
    pub fn truth(&self) -> PathBuf {
        self.dir.path().join("truth")
    }

    /// The data folder, as our program sees it.
    pub fn data(&self) -> PathBuf {
        match &self.small {
            Some(small) => small.at.join("data"),
            None => self.dir.path().join("data"),
        }
    }

    /// The server's address, whether or not it is there.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The command of a server that ends at a step, or serves on when it is empty.
    pub fn serve(&self, die_at: &str) -> Command {
        let mut serve = command_by(&self.by);
        serve
            .args(["serve", "--http", &self.address, "--pg", "127.0.0.1:0"])
            .arg("--data")
            .arg(self.data())
            .arg("--config")
            .arg(self.dir.path().join("callboard.toml"))
            .env("CALLBOARD_CLOCK_OFF", self.dir.path().join("clock"))
            .env("CALLBOARD_DIE_AT", die_at);
        serve
    }

    /// Sends some lines, however often the server is away.
    pub fn send(&self, lines: &[Vec<u8>], pace: Duration) -> JoinHandle<()> {
        let (sender, lines) = (Sender::to(&self.url(), "scene"), lines.to_vec());
        spawn(move || sender.all(&lines, pace))
    }

    /// All lines there are.
    pub fn lines(&self) -> Vec<Vec<u8>> {
        lines(&self.truth())
    }

    /// Starts the server, waits until the sender has sent all, and holds what is there against the
    /// truth: every table, no record twice, and the doctor.
    pub fn finish(&self, sender: JoinHandle<()>, what: &str) {
        let what = format!("{what} CALLBOARD_FIRST_DAY={}", self.first_day);
        let server = Server::start(self.serve(""));
        assert!(sender.join().is_ok(), "{what}: the sender ended");
        let (equal, said) = verify(&server, &self.truth(), "60");
        assert!(equal, "{what}: {said}");
        let twice = "select count(*) from (select source, id, content_hash from records group by 1, 2, 3 having count(*) > 1)";
        assert_eq!(server.number(twice), 0, "{what}");
        server.stop();
        // From the lake alone, and by the eyes of the doctor.
        let mut doctor = command_by(&self.by);
        let doctor = doctor.arg("doctor").arg("--data").arg(self.data()).output();
        let said = String::from_utf8(doctor.unwrap().stdout).unwrap();
        assert!(said.contains("Nothing is wrong."), "{what}: {said}");
    }
}
