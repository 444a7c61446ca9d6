//! A server that is told of a contact centre event by event.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::sender::{Answer, Sender, event};
use super::{Server, until};

/// Contacts settle while the test runs.
const CONFIG: &str = "[transcribe]\nenabled = false\n[lake]\nflush = \"300ms\"\nsettle = \"600ms\"\nsilence = \"1s\"\n";

/// Source of the events.
const SOURCE: &str = "/test/centre";

/// A centre of its own.
pub struct Centre {
    // Ends before its folder does.
    server: Option<Server>,
    dir: tempfile::TempDir,
    told: Vec<String>,
    /// Events that were acknowledged, and the next one's id.
    pub known: u64,
}

impl Centre {
    /// One of which nothing is known.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("callboard.toml"), CONFIG).unwrap();
        let mut centre = Centre {
            server: None,
            dir,
            told: Vec::new(),
            known: 0,
        };
        centre.start();
        centre
    }

    /// The folder of its configuration.
    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn start(&mut self) {
        let config = self.dir.path().join("callboard.toml");
        let config = ["--config", config.to_str().unwrap()];
        self.server = Some(Server::serve(&self.data(), &config));
    }

    /// The server.
    pub fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    /// An event, to be sent with the others by [`Centre::send`]. `data` is JSON without its braces.
    pub fn tell(&mut self, kind: &str, time: &str, data: &str) {
        let id = (self.known + self.told.len() as u64).to_string();
        self.told.push(event(SOURCE, &id, kind, time, data));
    }

    /// A part of a contact from one time to another, in two events.
    pub fn part(&mut self, id: &str, begin: &str, end: (&str, &str), data: &str) {
        self.tell(
            "segment.started",
            begin,
            &format!("{data},\"segment_id\":\"{id}\""),
        );
        let contact = data.split(',').next().unwrap();
        let (end, outcome) = end;
        let over = format!("{contact},\"segment_id\":\"{id}\",\"outcome\":\"{outcome}\"");
        self.tell("segment.ended", end, &over);
    }

    /// Sends what was told since; all of it is acknowledged as new.
    pub fn send(&mut self) {
        let sender = Sender::to(&self.server().url, "centre");
        let told = std::mem::take(&mut self.told);
        if told.is_empty() {
            return;
        }
        let body = told.join("\n").into_bytes();
        // It may be told to come back.
        let answer = until("taken", || sender.once(body.clone()).filter(Answer::taken));
        let answer: Value = serde_json::from_str(&answer.text).unwrap();
        assert_eq!(
            answer["taken"].as_u64(),
            Some(told.len() as u64),
            "{answer}"
        );
        self.known += told.len() as u64;
    }

    /// Sends, and waits until the contact is in the lake and nowhere else.
    pub fn settle(&mut self, contact: &str) {
        self.send();
        let state = self.data().join("state");
        // Its id names the platform and the instance too.
        let name = format!("/{contact}\"");
        until("settled", || {
            let commit = std::fs::read_to_string(state.join("commit.json")).ok()?;
            let commit: Value = serde_json::from_str(commit.lines().next()?).ok()?;
            (commit["upto"].as_u64()? >= self.known && !open(&state)?.contains(&name)).then_some(())
        });
    }

    /// Ends the server as it stands, and starts another.
    pub fn kill(&mut self) {
        self.server.take().unwrap().kill();
        self.start();
    }

    /// Stops the server cleanly, and starts another.
    pub fn restart(&mut self) {
        self.stop();
        self.start();
    }

    /// Stops the server cleanly; its data folder.
    pub fn stop(&mut self) -> PathBuf {
        self.server.take().unwrap().stop();
        self.data()
    }

    /// Rows, each as its values in the order of the query, parted by spaces. Times are without
    /// day zone and parts of a second of zero.
    pub fn rows(&self, sql: &str) -> Vec<String> {
        let body = serde_json::json!({ "sql": sql }).to_string();
        let (status, answer) = (self.server())
            .post("/v1/sql", "application/json", body.into_bytes())
            .unwrap();
        assert_eq!(status, 200, "{answer}");
        let columns = answer["columns"].as_array().unwrap();
        let rows = answer["rows"].as_array().unwrap();
        let value = |row: &Value, column: &Value| {
            let name = column["name"].as_str().unwrap();
            match &row[name] {
                Value::String(text) => text
                    .trim_end_matches('Z')
                    .trim_end_matches(".000")
                    .to_owned(),
                other => other.to_string(),
            }
        };
        let row = |row| {
            let values = columns.iter().map(|column| value(row, column));
            values.collect::<Vec<_>>().join(" ")
        };
        rows.iter().map(row).collect()
    }
}

/// The open keys as the last flush left them.
fn open(state: &Path) -> Option<String> {
    let mut all = String::new();
    for entry in std::fs::read_dir(state).ok()? {
        let path = entry.ok()?.path();
        if path.file_name()?.to_str()?.starts_with("open-") {
            all += &std::fs::read_to_string(path).ok()?;
        }
    }
    Some(all)
}
