//! A sender that repeats what was not acknowledged, and nothing else.

use std::iter::repeat_n;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

/// Lines of a request.
pub const LINES: usize = 12;

/// How long a sender waits for a server that takes nothing.
const PATIENCE: Duration = Duration::from_secs(300);

/// What a simulation would send: the lines of each site in their order, and those of the site that
/// is least far first, so that sites stand beside each other in every request.
pub fn lines(truth: &Path) -> Vec<Vec<u8>> {
    let events = std::fs::read_dir(truth.join("events")).unwrap();
    let mut events: Vec<PathBuf> = events.map(|e| e.unwrap().path()).collect();
    events.sort();
    let mut lines = Vec::new();
    for file in events {
        let text = std::fs::read(file).unwrap();
        let own: Vec<&[u8]> = text.split_inclusive(|b| *b == b'\n').collect();
        let far = |at: usize| at * 1_000_000 / own.len();
        let placed = own.iter().enumerate();
        lines.extend(placed.map(|(at, line)| (far(at), line.to_vec())));
    }
    // Lines that are equally far stay in the order of their files.
    lines.sort_by_key(|(far, _)| *far);
    lines.into_iter().map(|(_, line)| line).collect()
}

/// An event of our own form.
pub fn event(source: &str, id: &str, kind: &str, time: &str, data: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"{source}","type":"callboard.{kind}","time":"{time}","data":{{{data}}}}}"#
    )
}

/// What became of a request.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// When to come back, where that was said.
    pub retry_after: Option<u64>,
    /// What was said.
    pub text: String,
}

impl Answer {
    /// Whether all was acknowledged; else the answer must say when to come back.
    pub fn taken(&self) -> bool {
        if self.status != 200 {
            let wait = self.retry_after.unwrap_or(0);
            let later = [429, 503].contains(&self.status) && wait > 0;
            assert!(later, "{self:?}");
        }
        self.status == 200
    }
}

/// Sends to a server, however often that is away.
#[derive(Clone)]
pub struct Sender {
    client: reqwest::blocking::Client,
    url: String,
}

impl Sender {
    /// To that server, `http://127.0.0.1:PORT`, under a name.
    pub fn to(url: &str, name: &str) -> Self {
        let url = format!("{url}/v1/events?sender={name}");
        let client = reqwest::blocking::Client::new();
        Sender { client, url }
    }

    /// One request; None when the server is away.
    pub fn once(&self, body: Vec<u8>) -> Option<Answer> {
        self.post(body).ok()
    }

    fn post(&self, body: Vec<u8>) -> reqwest::Result<Answer> {
        let post = self.client.post(&self.url);
        let post = post.header("content-type", "application/x-ndjson");
        let answer = post.body(body).send()?;
        let after = answer.headers().get("retry-after");
        Ok(Answer {
            status: answer.status().as_u16(),
            retry_after: after.and_then(|v| v.to_str().ok()?.parse().ok()),
            text: answer.text()?,
        })
    }

    /// Everything in small requests by several senders at once, each of which begins one whenever
    /// that time is over, sends it until it is acknowledged, and nothing again that was. Gives how
    /// often each line may have come to the server.
    pub fn all(&self, senders: usize, lines: &[Vec<u8>], pace: Duration) -> Vec<u64> {
        let requests: Vec<&[Vec<u8>]> = lines.chunks(LINES).collect();
        let times: Vec<AtomicU64> = requests.iter().map(|_| AtomicU64::new(0)).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::SeqCst);
                let Some(some) = requests.get(at) else { return };
                times[at].store(self.until_taken(some), Ordering::SeqCst);
                sleep(pace);
            }
        };
        scope(|scope| {
            for _ in 0..senders {
                scope.spawn(work);
            }
        });
        let times = times.into_iter().map(AtomicU64::into_inner);
        let each = requests.iter().zip(times);
        each.flat_map(|(some, times)| repeat_n(times, some.len()))
            .collect()
    }

    /// One request, until it is acknowledged; gives how often it may have come.
    fn until_taken(&self, lines: &[Vec<u8>]) -> u64 {
        let until = Instant::now() + PATIENCE;
        let mut times = 0;
        loop {
            let answer = self.post(lines.concat());
            // Where nobody listens nothing comes.
            times += u64::from(!answer.as_ref().is_err_and(reqwest::Error::is_connect));
            if answer.is_ok_and(|answer| answer.taken()) {
                return times;
            }
            assert!(Instant::now() < until, "the server took nothing for long");
            sleep(Duration::from_millis(50));
        }
    }
}
