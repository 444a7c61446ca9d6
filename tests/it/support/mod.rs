//! A server in a process of its own, on ports that it chose, ended with the test.

pub mod broker;
pub mod centre;
pub mod customer;
pub mod scene;
pub mod sender;
pub mod small;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long anything may take before the test says that it hangs.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// The project's folder: tests run in `tests/`. The folder in which they were compiled may be
/// another, where compiled things are kept between checkouts.
pub fn project() -> PathBuf {
    Path::new("..").canonicalize().unwrap()
}

/// A run of the binary under test with what comes with this checkout.
pub fn command() -> Command {
    command_by(&[])
}

/// The same run by another program, such as `strace` with its arguments.
pub fn command_by(by: &[String]) -> Command {
    let mut command = match by {
        [] => Command::new(binary()),
        [program, args @ ..] => {
            let mut command = Command::new(program);
            command.args(args).arg(binary());
            command
        }
    };
    command
        .env("CALLBOARD_SHIPPED", project().join("datasets/models"))
        .env("CALLBOARD_SHIFT", shift());
    command
}

/// The recorded shift.
pub fn shift() -> PathBuf {
    project().join("datasets/shift-asterisk")
}

/// Its four logs.
pub const FEEDS: [&str; 4] = ["queue_log", "cel.csv", "cdr.csv", "ami.jsonl.gz"];

/// Sends files of the recorded shift as a user sends them; `dir` holds what the sender remembers.
pub fn send_shift(server: &Server, files: &[&str], dir: &Path) {
    let state = dir.join("sent");
    let paths: Vec<PathBuf> = files.iter().map(|f| shift().join(f)).collect();
    let mut args = vec![
        "send",
        "--source",
        "asterisk",
        "--instance",
        "pbx1",
        "--to",
        &server.url,
        "--state",
        state.to_str().unwrap(),
    ];
    args.extend(paths.iter().map(|p| p.to_str().unwrap()));
    callboard(&args);
}

/// The binary under test.
fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("CALLBOARD_BIN") {
        return path.into();
    }
    // target/PROFILE/deps/it-HASH -> target/PROFILE/callboard
    let here = std::env::current_exe().unwrap();
    let binary = here.parent().unwrap().parent().unwrap().join("callboard");
    assert!(
        binary.exists(),
        "{} is not built; run `cargo build --workspace`",
        binary.display()
    );
    binary
}

/// Waits until something is so; `CALLBOARD_PATIENCE_S` says for how long where things are large.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    let patience = scene::number("CALLBOARD_PATIENCE_S", PATIENCE.as_secs());
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            begun.elapsed().as_secs() < patience,
            "{what} did not come within {patience} s"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Copies a folder.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let place = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &place),
            false => drop(std::fs::copy(&path, &place).unwrap()),
        }
    }
}

/// A running server.
pub struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// Port of the PostgreSQL wire.
    pub pg: u16,
    client: reqwest::blocking::Client,
}

impl Server {
    /// Starts `callboard serve` on a data folder, with more arguments.
    pub fn serve(data: &Path, more: &[&str]) -> Server {
        let mut command = command();
        command
            .args([
                "serve",
                "--http",
                "127.0.0.1:0",
                "--pg",
                "127.0.0.1:0",
                "--data",
            ])
            .arg(data)
            .args(more);
        Server::start(command)
    }

    /// Starts a command that serves, and waits until it says where.
    pub fn start(command: Command) -> Server {
        Server::try_start(command).unwrap_or_else(|said| panic!("it ended, saying:\n{said}"))
    }

    /// As [`Server::start`]; what a server said that ended before it served.
    pub fn try_start(mut command: Command) -> Result<Server, String> {
        let mut child = command
            .env("RUST_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = String::new();
        let (mut url, mut pg) = (None, None);
        while url.is_none() || pg.is_none() {
            let Some(Ok(line)) = lines.next() else {
                child.wait().unwrap();
                return Err(said);
            };
            if let Some(at) = line.find("http://127.0.0.1:") {
                let end = line[at..]
                    .find(char::is_whitespace)
                    .map_or(line.len(), |e| at + e);
                url.get_or_insert(line[at..end].trim_end_matches('/').to_owned());
            }
            if let Some((_, port)) = line.split_once("psql -h 127.0.0.1 -p ") {
                pg = port.split_whitespace().next().and_then(|p| p.parse().ok());
            }
            said.push_str(&line);
            said.push('\n');
        }
        // What it says later must not block it; it is errors alone, which explain a failed test.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|l| eprintln!("{l}")));
        let client = reqwest::blocking::Client::builder()
            .timeout(PATIENCE)
            .build()
            .unwrap();
        Ok(Server {
            child,
            url: url.unwrap(),
            pg: pg.unwrap(),
            client,
        })
    }

    /// Rows of a query.
    pub fn sql(&self, sql: &str) -> Vec<Value> {
        let answer = self
            .client
            .post(format!("{}/v1/sql", self.url))
            .json(&json!({ "sql": sql }))
            .send()
            .unwrap();
        let status = answer.status();
        let body: Value = answer.json().unwrap();
        assert!(status.is_success(), "{sql}: {body}");
        body["rows"].as_array().unwrap().clone()
    }

    /// The only number of a query.
    pub fn number(&self, sql: &str) -> i64 {
        let rows = self.sql(sql);
        rows[0]
            .as_object()
            .unwrap()
            .values()
            .next()
            .unwrap()
            .as_i64()
            .unwrap_or(0)
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Bytes of memory that it holds.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
        let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib * 1024
    }

    /// What a path answers: status and text.
    pub fn get(&self, path: &str) -> (u16, String) {
        let answer = self.client.get(format!("{}{path}", self.url)).send();
        let answer = answer.unwrap();
        (answer.status().as_u16(), answer.text().unwrap())
    }

    /// Posts to a path.
    pub fn post(&self, path: &str, kind: &str, body: Vec<u8>) -> reqwest::Result<(u16, Value)> {
        let answer = self
            .client
            .post(format!("{}{path}", self.url))
            .header("content-type", kind)
            .body(body)
            .send()?;
        let status = answer.status().as_u16();
        let text = answer.text()?;
        Ok((
            status,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        ))
    }

    /// Kills it, SIGKILL, after a while, whatever it does then.
    pub fn kill_after(&self, life: Duration) -> std::thread::JoinHandle<()> {
        let pid = rustix::process::Pid::from_child(&self.child);
        std::thread::spawn(move || {
            std::thread::sleep(life);
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        })
    }

    /// Ends it at once, SIGKILL, and waits until it is gone.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }

    /// Stops it cleanly: SIGTERM; panics when it does not end well.
    pub fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = until("a clean stop", || self.child.try_wait().unwrap());
        assert!(status.success(), "the server ended with {status}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `callboard` to its end; gives what it printed.
pub fn callboard(args: &[&str]) -> String {
    let output = command().args(args).output().unwrap();
    assert!(
        output.status.success(),
        "callboard {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
