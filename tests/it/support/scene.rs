//! A folder, a simulated shift with its truth, and a server on an address to which it comes back.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use ring::digest::{SHA256, digest};
use serde_json::Value;

use super::sender::{Sender, lines};
use super::small::Small;
use super::{Server, command_by};
use crate::truth::{simulate, verify, verify_only};

/// Everything happens often: flushes, settling, looks for silence, upkeep.
const CONFIG: &str = "[transcribe]\nenabled = false\n[lake]\nflush = \"150ms\"\nsettle = \"300ms\"\nsilence = \"1s\"\nupkeep = \"4s\"\n";

/// What equals the truth exactly however often lines were sent; dead letters are more.
const EXACT: [&str; 9] = [
    "contacts",
    "segments",
    "offers",
    "links",
    "surveys",
    "recordings",
    "queue_intervals",
    "agent_intervals",
    "records",
];

/// What the environment sets.
pub fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|v| !v.is_empty())
}

/// A number that the environment sets.
pub fn number(name: &str, otherwise: u64) -> u64 {
    setting(name).map_or(otherwise, |v| v.parse().unwrap())
}

/// The line that repeats a test: with these settings, and on the same days.
pub fn again(settings: &str, test: &str) -> String {
    let day = first_day();
    format!(
        "repeat it: {settings} CALLBOARD_FIRST_DAY={day} cargo test --workspace --test it {test} -- --nocapture"
    )
}

/// Says how a test is repeated where it fails, whatever it fails at.
pub struct Repeat(String);

impl Repeat {
    /// The test, and what it is set to beside what the environment sets.
    pub fn of(test: &str, settings: &[(&str, u64)]) -> Repeat {
        let set = |(name, value): &(&str, u64)| format!("{name}={value}");
        let mut all: Vec<String> = settings.iter().map(set).collect();
        let steps = setting("CALLBOARD_STEPS").map(|steps| format!("CALLBOARD_STEPS={steps}"));
        all.extend(steps);
        Repeat(again(&all.join(" "), test))
    }
}

impl Drop for Repeat {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.0);
        }
    }
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
    /// Whether some lines are no events.
    poisoned: bool,
    first_day: String,
    address: String,
}

impl Scene {
    /// A shift in disorder. Not long ago, since an agent who did not log out has a row for each day
    /// until now, but so that nothing of it can still go on.
    pub fn new(seed: u64, contacts: &str) -> Self {
        // Dead letters of lines that are sent again are more than the truth has.
        Scene::with(seed, contacts, "0")
    }

    /// The same with one line in a hundred that is no event. All its lines go through
    /// [`Scene::send`].
    pub fn poisoned(seed: u64, contacts: &str) -> Self {
        Scene {
            poisoned: true,
            ..Scene::with(seed, contacts, "0.01")
        }
    }

    fn with(seed: u64, contacts: &str, poison: &str) -> Self {
        let scene = Scene::empty();
        let seed = seed.to_string();
        let mut more = vec!["--seed", &seed, "--disorder", "wild", "--poison", poison];
        more.extend(["--first-day", &scene.first_day]);
        simulate(&scene.truth(), contacts, &more);
        scene
    }

    /// A folder of which nothing is simulated.
    pub fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("callboard.toml"), CONFIG).unwrap();
        Scene {
            dir,
            first_day: first_day(),
            by: Vec::new(),
            small: None,
            poisoned: false,
            address: address(),
        }
    }

    /// Its servers transcribe from here on.
    pub fn transcribe(&self) {
        let config = CONFIG.replace("enabled = false", "enabled = true");
        std::fs::write(self.dir.path().join("callboard.toml"), config).unwrap();
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

    /// Sends some lines, however often the server is away; gives how often each may have come to it.
    pub fn send(&self, lines: &[Vec<u8>], pace: Duration) -> JoinHandle<Vec<u64>> {
        self.send_together(1, lines, pace)
    }

    /// The same by several at once: a request comes at that pace, and does not wait for others.
    pub fn send_together(
        &self,
        senders: usize,
        lines: &[Vec<u8>],
        pace: Duration,
    ) -> JoinHandle<Vec<u64>> {
        let (sender, lines) = (Sender::to(&self.url(), "scene"), lines.to_vec());
        spawn(move || sender.all(senders, &lines, pace * senders as u32))
    }

    /// All lines there are.
    pub fn lines(&self) -> Vec<Vec<u8>> {
        lines(&self.truth())
    }

    /// Starts the server, waits until the sender has sent all, and holds what is there against the
    /// truth: every table, no record twice, and the doctor.
    pub fn finish(&self, sender: JoinHandle<Vec<u64>>, what: &str) {
        let what = format!("{what} CALLBOARD_FIRST_DAY={}", self.first_day);
        let server = Server::start(self.serve(""));
        let sent = sender.join();
        let Ok(sent) = sent else {
            panic!("{what}: the sender ended")
        };
        let (equal, said) = match self.poisoned {
            true => verify_only(&server, &self.truth(), "60", &EXACT),
            false => verify(&server, &self.truth(), "60"),
        };
        assert!(equal, "{what}: {said}");
        if self.poisoned {
            self.dead_letters_are_right(&server, &sent, &what);
        }
        let twice = "select count(*) from (select source, id, content_hash from records group by 1, 2, 3 having count(*) > 1)";
        assert_eq!(server.number(twice), 0, "{what}");
        server.stop();
        // From the lake alone, and by the eyes of the doctor.
        let mut doctor = command_by(&self.by);
        let doctor = doctor.arg("doctor").arg("--data").arg(self.data()).output();
        let said = String::from_utf8(doctor.unwrap().stdout).unwrap();
        assert!(said.contains("Nothing is wrong."), "{what}: {said}");
    }

    /// Dead letters are those of the truth; each is there at least as often as it was acknowledged
    /// and at most as often as it may have come. Without identity a repeat is not known as one.
    fn dead_letters_are_right(&self, server: &Server, sent: &[u64], what: &str) {
        let mut most: BTreeMap<String, u64> = BTreeMap::new();
        for (line, times) in self.lines().iter().zip(sent) {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let hash = digest(&SHA256, line);
            let hash: String = hash.as_ref().iter().map(|b| format!("{b:02x}")).collect();
            *most.entry(hash).or_default() += times;
        }
        let letter = |row: &Value| ["sha256", "source", "class", "length"].map(|c| row[c].clone());
        let mut truth: BTreeMap<String, (u64, String)> = BTreeMap::new();
        let file = self.truth().join("truth/dead_letters.ndjson");
        for line in std::fs::read_to_string(file).unwrap().lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            let hash = row["sha256"].as_str().unwrap().to_owned();
            truth
                .entry(format!("{:?}", letter(&row)))
                .or_insert((0, hash))
                .0 += 1;
        }
        assert!(!truth.is_empty(), "{what}: no line is poison");
        let rows = server.sql(
            "select sha256, source, class, length, count(*) as n from dead_letters group by 1, 2, 3, 4",
        );
        for row in &rows {
            let name = format!("{:?}", letter(row));
            let Some((least, hash)) = truth.remove(&name) else {
                panic!("{what}: {name} is not in the truth")
            };
            let (there, most) = (row["n"].as_u64().unwrap(), most[&hash]);
            assert!(
                (least..=most).contains(&there),
                "{what}: {name} is there {there} times, not {least} to {most}"
            );
        }
        assert!(truth.is_empty(), "{what}: missing {truth:?}");
    }
}
