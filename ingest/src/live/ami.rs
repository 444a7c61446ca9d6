//! Asterisk's manager interface (AMI): log in, listen, notice silence, come back.
//!
//! Each event is written as a line of JSON in the form of a capture and read by the same reader as a
//! file of such lines, so that it has the identity that it has in a file.

use std::fmt;
use std::time::Duration;

use callboard_model::time::format_rfc3339;
use callboard_sources::asterisk::{Feed, ami, instance_source};
use callboard_sources::lines::{Kind, LineReader};
use md5::{Digest as _, Md5};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::Given;
use super::backoff::Backoff;
use super::hand::{Tally, candidates, dead, submit};
use super::link::Link;
use super::wire::{Block, Blocks};
use crate::doors::intake::Candidate;
use crate::pipeline::hex;

/// Bytes read at once.
const STEP: usize = 64 * 1024;
/// Longest greeting, bytes.
const GREETING: usize = 1024;
/// How a greeting begins.
const CALLS_ITSELF: &str = "Asterisk Call Manager";
/// Waits before the next attempt: the first, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));
/// A connection that lasted so long was a good one.
const GOOD: Duration = Duration::from_secs(60);

/// Classes of events that are asked for when none are named: all that rows are made of.
pub const EVENTS: &str = "system,call,agent,user,dtmf,cdr";

/// A password or key: never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(pub String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// How the manager interface is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmiOptions {
    /// Our name for this Asterisk.
    pub instance: String,
    /// `host:port`.
    pub address: String,
    /// User of `manager.conf`.
    pub user: String,
    /// His secret.
    pub secret: Hidden,
    /// Classes of events, as `manager.conf` names them: `agent,call`.
    pub events: String,
    /// Whether the queues' present state is asked for after each log-in.
    pub snapshot: bool,
    /// How often the other end is asked for a sign of life; without one for thrice as long the
    /// connection is given up.
    pub ping: Duration,
}

/// Listens until told to stop.
pub async fn run(options: AmiOptions, given: Given) {
    let name = format!("ami {}", options.instance);
    let instance = instance_source(&options.instance).to_string();
    let mut listening = Listening {
        link: Link::open(&given, name, instance, "ami"),
        lines: LineReader::new(Kind::Asterisk(Feed::Ami), &options.instance, "", &[]),
        source: Feed::Ami.source(&options.instance),
        options,
        given: given.clone(),
    };
    let mut backoff = Backoff::new(WAITS.0, WAITS.1);
    loop {
        let began = Instant::now();
        let ended = tokio::select! {
            biased;
            () = given.stop.cancelled() => None,
            why = listening.once() => Some(why),
        };
        match ended {
            Some(Ended::Trouble(why)) => listening.link.down(&why),
            Some(Ended::Stopped) | None => return listening.link.save(),
        }
        if began.elapsed() > GOOD {
            backoff.reset();
        }
        if !backoff.wait(&given.stop).await {
            return;
        }
    }
}

/// Why a connection ended.
enum Ended {
    Trouble(String),
    Stopped,
}

impl From<String> for Ended {
    fn from(why: String) -> Self {
        Ended::Trouble(why)
    }
}

struct Listening {
    options: AmiOptions,
    given: Given,
    link: Link,
    lines: LineReader,
    source: String,
}

/// One connection.
struct Wire {
    stream: TcpStream,
    blocks: Blocks,
    buffer: Vec<u8>,
    actions: u64,
    patience: Duration,
}

impl Wire {
    /// Reads some bytes; waits no longer than until then.
    async fn read(&mut self, until: Instant) -> Result<(), String> {
        match timeout_at(until, self.stream.read(&mut self.buffer)).await {
            Err(_) => Err(format!("it was silent for {:?}", self.patience)),
            Ok(Err(e)) => Err(format!("the connection broke: {e}")),
            Ok(Ok(0)) => Err("it closed the connection".to_owned()),
            Ok(Ok(n)) => {
                self.blocks.push(self.buffer.get(..n).unwrap_or_default());
                Ok(())
            }
        }
    }

    /// Sends an action; gives its id.
    async fn act(&mut self, action: &str, headers: &[(&str, &str)]) -> Result<String, String> {
        self.actions += 1;
        let id = format!("callboard-{}", self.actions);
        let mut text = format!("Action: {action}\r\nActionID: {id}\r\n");
        for (name, value) in headers {
            // A line break would begin a header of its own.
            let value: String = value.chars().filter(|c| !c.is_control()).collect();
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        let sent = timeout(self.patience, self.stream.write_all(text.as_bytes())).await;
        match sent {
            Ok(Ok(())) => Ok(id),
            Ok(Err(e)) => Err(format!("the connection broke: {e}")),
            Err(_) => Err("it takes nothing more".to_owned()),
        }
    }

    /// The answer to an action; events that come before it are kept in `before`.
    async fn answer(&mut self, id: &str, before: &mut Vec<Block>) -> Result<Block, String> {
        let until = Instant::now() + self.patience;
        loop {
            while let Some(block) = self.blocks.next().map_err(|b| b.0)? {
                if block.get("Response").is_some() && block.get("ActionID").is_none_or(|i| i == id)
                {
                    return Ok(block);
                }
                before.push(block);
            }
            self.read(until).await?;
        }
    }
}

impl Listening {
    /// Connects and listens until that ends.
    async fn once(&mut self) -> Ended {
        match self.listen().await {
            Ok(never) => match never {},
            Err(ended) => ended,
        }
    }

    async fn listen(&mut self) -> Result<std::convert::Infallible, Ended> {
        let mut early = Vec::new();
        let mut wire = self.log_in(&mut early).await?;
        self.link.up().await;
        self.hand_in(early).await?;
        if self.options.snapshot {
            wire.act("QueueStatus", &[]).await?;
        }
        let mut silent_at = Instant::now() + wire.patience;
        let mut ping_at = Instant::now() + self.options.ping;
        let mut came = None;
        loop {
            let now = Instant::now();
            if now >= ping_at {
                wire.act("Ping", &[]).await?;
                ping_at = now + self.options.ping;
            }
            let mut blocks = Vec::new();
            let beyond = loop {
                match wire.blocks.next() {
                    Ok(Some(block)) => blocks.push(block),
                    Ok(None) => break None,
                    Err(beyond) => break Some(beyond.0),
                }
            };
            self.hand_in(blocks).await?;
            // Half an event is not yet heard.
            if let Some(at) = came.take().filter(|_| wire.blocks.rest().is_empty()) {
                self.link.heard(at);
            }
            if let Some(why) = beyond {
                let rest = wire.blocks.rest();
                let letter = dead(&self.source, "too_long", why.clone(), rest);
                self.deliver(vec![letter]).await?;
                return Err(Ended::Trouble(format!(
                    "{why}; is this the manager's port?"
                )));
            }
            match wire.read(ping_at.min(silent_at)).await {
                Ok(()) => {
                    came = Some(self.given.intake.now());
                    silent_at = Instant::now() + wire.patience;
                }
                // It was only time to ask.
                Err(_) if (ping_at..silent_at).contains(&Instant::now()) => {}
                Err(why) => return Err(why.into()),
            }
        }
    }

    /// Connects and logs in; events that come at once go to `early`.
    async fn log_in(&self, early: &mut Vec<Block>) -> Result<Wire, String> {
        let address = &self.options.address;
        let patience = self.options.ping * 3;
        let stream = match timeout(patience, TcpStream::connect(address)).await {
            Err(_) => return Err(format!("{address} does not answer")),
            Ok(Err(e)) => return Err(format!("{address}: {e}")),
            Ok(Ok(stream)) => stream,
        };
        let mut wire = Wire {
            stream,
            blocks: Blocks::default(),
            buffer: vec![0; STEP],
            actions: 0,
            patience,
        };
        let until = Instant::now() + patience;
        let greeting = loop {
            if let Some(line) = wire.blocks.greeting(GREETING).map_err(|b| b.0)? {
                break line;
            }
            wire.read(until).await?;
        };
        if !greeting.starts_with(CALLS_ITSELF) {
            let said: String = greeting.chars().take(80).collect();
            return Err(format!(
                "{address} is no manager interface: it says \"{said}\"; the port is 5038 by default"
            ));
        }
        let id = wire.act("Challenge", &[("AuthType", "MD5")]).await?;
        let answer = wire.answer(&id, early).await?;
        let challenge = answer
            .get("Challenge")
            .ok_or_else(|| refused("a challenge", &answer))?;
        let key = format!("{challenge}{}", self.options.secret.0);
        let key = hex(&Md5::digest(key.as_bytes()));
        let login = [
            ("AuthType", "MD5"),
            ("Username", &self.options.user),
            ("Key", &key),
            ("Events", &self.options.events),
        ];
        let id = wire.act("Login", &login).await?;
        let answer = wire.answer(&id, early).await?;
        match answer.get("Response") {
            Some("Success") => Ok(wire),
            _ => Err(refused("the log-in", &answer)),
        }
    }

    async fn hand_in(&mut self, blocks: Vec<Block>) -> Result<(), Ended> {
        let received_at = self.given.intake.now();
        let recv = format_rfc3339(received_at);
        let mut all: Vec<Candidate> = Vec::new();
        for block in blocks {
            if let Some((class, bytes)) = block.garbage {
                let reason = "not lines of \"Key: Value\" in UTF-8".to_owned();
                all.push(dead(&self.source, class, reason, &bytes));
            } else if block.get("Event").is_some() {
                let mut line = ami::line(&block.headers, &recv);
                line.push('\n');
                let lines = self.lines.push(line.as_bytes());
                all.extend(candidates(lines, received_at, &self.given.limits));
            }
            // What is left answers our own actions.
        }
        self.deliver(all).await
    }

    async fn deliver(&mut self, all: Vec<Candidate>) -> Result<(), Ended> {
        if all.is_empty() {
            return Ok(());
        }
        let given = &self.given;
        let done: Option<Tally> = submit(&*given.intake, all, &given.limits, &given.stop).await;
        self.link.count(done.ok_or(Ended::Stopped)?);
        Ok(())
    }
}

fn refused(what: &str, answer: &Block) -> String {
    let why: String = answer
        .get("Message")
        .unwrap_or("no reason was given")
        .chars()
        .take(200)
        .collect();
    format!("{what} was refused: {why}; see user, secret, read and permit in manager.conf")
}

#[cfg(test)]
#[path = "ami_tests.rs"]
mod tests;
