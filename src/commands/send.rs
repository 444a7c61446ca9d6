//! `callboard send`: files to a server, in parts that count only when they were acknowledged.

mod documents;
mod look;
mod plan;
mod progress;
mod table;
mod tally;

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use callboard_ingest::doors::answer::Answer;
use callboard_ingest::doors::ended::Ended;
use callboard_ingest::doors::follow::position::Positions;
use callboard_ingest::doors::follow::{Next, Part, Tail};
use callboard_ingest::doors::platform::RESUMED;
use callboard_sources::lines::Kind;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use tokio_util::sync::CancellationToken;

use super::client::{Client, Trouble};
use super::recording::with_query;
use super::{Failure, block_on, print};
use crate::cli::{SendArgs, SourceKind};
use plan::Plan;
use progress::Progress;
use tally::Tally;

/// How often a followed file is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// How often folders are looked through for new files.
const LOOK_FOR_NEW: Duration = Duration::from_secs(5);
/// First and longest wait before trying again.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(15));

/// Does it.
///
/// # Errors
/// When a file cannot be read, or the server takes nothing.
pub fn run(args: SendArgs) -> Result<(), Failure> {
    block_on(async move {
        let stop = CancellationToken::new();
        tokio::spawn(signals(stop.clone()));
        let client = Client::new(&args.to)?.with_secret(secret(&args)?)?;
        if let SourceKind::Documents(source) = args.source.clone() {
            return documents::send(&args, &source, &client, &stop).await;
        }
        let plan = Plan::new(&args, client.url())?;
        let mut sending = Sending {
            progress: Progress::new(args.follow),
            tally: Tally::default(),
            failures: Vec::new(),
            args,
            client,
            plan,
            stop,
            closed: HashSet::new(),
        };
        let outcome = sending.all().await;
        sending.progress.finish();
        let stopped = sending.stop.is_cancelled();
        let whole = outcome.is_ok() && sending.failures.is_empty();
        print(&sending.tally.summary(sending.client.url(), stopped, whole))?;
        outcome?;
        if sending.failures.is_empty() {
            Ok(())
        } else {
            Err(Failure::failed(sending.failures.join("\ncallboard: ")))
        }
    })
}

/// The secret of the source, where there is one. It is no argument: others can read those.
fn secret(args: &SendArgs) -> Result<Option<String>, Failure> {
    let text = match &args.secret_file {
        None => std::env::var("CALLBOARD_SECRET").ok(),
        Some(file) => Some(std::fs::read_to_string(file).map_err(|e| {
            Failure::usage(format!(
                "--secret-file {} cannot be read: {e}",
                file.display()
            ))
        })?),
    };
    // A file for a door may hold several, of which the first is in use.
    let first = text.and_then(|t| Some(t.lines().next()?.trim().to_owned()));
    Ok(first.filter(|s| !s.is_empty()))
}

/// Ends at the first signal; the second one ends the process, since nobody may be made to wait.
async fn signals(stop: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return;
    };
    let mut times = 0;
    loop {
        tokio::select! {
            _ = terminate.recv() => {}
            got = tokio::signal::ctrl_c() => if got.is_err() { return },
        }
        times += 1;
        if times > 1 {
            std::process::exit(1);
        }
        stop.cancel();
    }
}

struct Sending {
    args: SendArgs,
    client: Client,
    plan: Plan,
    progress: Progress,
    tally: Tally,
    failures: Vec<String>,
    stop: CancellationToken,
    /// Files that give nothing more.
    closed: HashSet<PathBuf>,
}

/// Why a part was not acknowledged.
enum Unsent {
    /// This file cannot go on; others can.
    File(String),
    /// Nothing can go on.
    All(Failure),
    /// Told to stop.
    Stopped,
}

impl Sending {
    async fn all(&mut self) -> Result<(), Failure> {
        let positions = self.plan.positions.clone();
        let mut tails = self.plan.open(&self.args, &mut self.failures)?;
        self.progress.begin(&mut tails);
        let mut looked = Instant::now();
        while !self.stop.is_cancelled() {
            // The file that is least far goes first, so that feeds which belong together arrive
            // together.
            tails.sort_by_cached_key(|tail| std::cmp::Reverse(permille(tail)));
            let mut sent = false;
            let mut n = tails.len();
            while n > 0 && !sent {
                n -= 1;
                match tails[n].next_part() {
                    Ok(Next::Part(part)) => {
                        sent = true;
                        match self.part(&tails[n], &part, &positions).await {
                            Ok(()) => {}
                            Err(Unsent::Stopped) => return Ok(()),
                            Err(Unsent::All(failure)) => return Err(failure),
                            Err(Unsent::File(why)) => {
                                self.failures.push(why);
                                self.closed.insert(tails.remove(n).path().to_owned());
                            }
                        }
                        self.progress.at(&mut tails, &self.tally);
                    }
                    Ok(Next::Quiet) => {}
                    Ok(Next::End) => {
                        let done = tails.remove(n);
                        self.say_ended(&done).await;
                        self.progress.done(&done);
                        self.closed.insert(done.path().to_owned());
                    }
                    Err(e) => {
                        let gone = tails.remove(n);
                        self.failures
                            .push(format!("{}: {e}", gone.path().display()));
                        self.closed.insert(gone.path().to_owned());
                    }
                }
            }
            if sent {
                continue;
            }
            if !self.args.follow {
                return Ok(()); // every file is at its end
            }
            if looked.elapsed() > LOOK_FOR_NEW {
                looked = Instant::now();
                tails.extend(self.plan.new_files(&self.args, &tails, &self.closed));
            }
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        Ok(())
    }

    /// Sends one part until it is acknowledged, then remembers it.
    async fn part(
        &mut self,
        tail: &Tail,
        part: &Part,
        positions: &Positions,
    ) -> Result<(), Unsent> {
        let patience = Duration::from_secs(self.args.patience);
        let began = Instant::now();
        let mut wait = BACKOFF.0;
        loop {
            let trouble = match self.post(tail, part).await {
                Ok(answer) => {
                    self.tally
                        .add(tail.path(), tail.reading().kind.name(), &answer);
                    if tail.reading().kind == Kind::Events {
                        self.tally.hear(&part.bytes);
                    }
                    return positions.put(&tail.position(part)).map_err(|e| {
                        Unsent::All(Failure::failed(format!(
                            "what was acknowledged cannot be remembered ({e}); name another folder with --state"
                        )))
                    });
                }
                Err(trouble) => trouble,
            };
            let after = match trouble {
                Trouble::Never(why) => {
                    return Err(Unsent::File(format!(
                        "{} from line {}: {why}",
                        tail.path().display(),
                        part.from.lines + 1
                    )));
                }
                Trouble::Later { what, .. } if !self.args.follow && began.elapsed() > patience => {
                    return Err(Unsent::All(Failure::failed(format!(
                        "{what}. Gave up after {} s; the same command goes on where it stopped",
                        self.args.patience
                    ))));
                }
                Trouble::Later { what, after } => {
                    self.progress.waiting(&what);
                    after
                }
            };
            let pause = after.unwrap_or(wait).min(Duration::from_secs(60));
            tokio::select! {
                () = self.stop.cancelled() => return Err(Unsent::Stopped),
                () = tokio::time::sleep(pause) => {}
            }
            wait = (wait * 2).min(BACKOFF.1);
        }
    }

    /// Tells the server that a file was read to its end. It is news for people alone, so that one
    /// word is enough, and a server that does not know it takes no harm.
    async fn say_ended(&self, tail: &Tail) {
        let reading = tail.reading();
        let sources = match reading.kind {
            Kind::Asterisk(feed) => vec![feed.source(&reading.instance)],
            Kind::Events => self.tally.sources(),
        };
        let request = self
            .client
            .request(Method::POST, &["v1", "ended"])
            .json(&Ended { sources });
        if let Err(trouble) = self.client.send(request).await {
            tracing::debug!("the end of a file was not told: {}", trouble.text());
        }
    }

    async fn post(&self, tail: &Tail, part: &Part) -> Result<Answer, Trouble> {
        let reading = tail.reading();
        let unwritten = |e: &dyn std::fmt::Display| Trouble::Never(format!("cannot be sent: {e}"));
        let mut query = vec![("sender", format!("send {}", reading.instance))];
        let request = if reading.kind == Kind::Events {
            self.client
                .request(Method::POST, &["v1", "events"])
                .header(CONTENT_TYPE, "application/x-ndjson")
                .body(part.bytes.clone())
        } else {
            let mut body = serde_json::to_vec(&part.from).map_err(|e| unwritten(&e))?;
            body.push(b'\n');
            body.extend_from_slice(&part.bytes);
            query.push(("instance", reading.instance.clone()));
            query.push(("feed", reading.kind.name().to_owned()));
            query.push(("zone", reading.zone.clone()));
            query.push(("columns", reading.columns.join(",")));
            self.client
                .request(Method::POST, &["v1", "sources", "asterisk"])
                .header(CONTENT_TYPE, RESUMED)
                .body(body)
        };
        let request = with_query(request, &query).map_err(|e| unwritten(&e.message))?;
        let response = self.client.send(request).await?;
        let text = self.client.text(response).await?;
        let mut answer: Answer = serde_json::from_str(&text).map_err(|e| {
            unwritten(&format!(
                "{} gave no answer of a callboard: {e}",
                self.client.url()
            ))
        })?;
        if reading.kind == Kind::Events {
            // The door counts from the body's first line.
            for line in &mut answer.lines {
                line.line += part.from.lines;
            }
        }
        Ok(answer)
    }
}

/// How far a file is, in thousandths.
fn permille(tail: &Tail) -> u64 {
    (tail.offset() * 1000).checked_div(tail.size()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
