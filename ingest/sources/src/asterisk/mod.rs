//! Asterisk: queue_log, channel event log (CEL), call detail records (CDR), manager events (AMI)
//! and REST interface events (ARI) as JSON lines, each alone or together.
//!
//! They tell one story with as many clocks, so a key's records are read as a set: each feed is
//! read by its own clock and order, then what the feeds say of the same stay, offer, talk or menu
//! is put under one identity, and the merge picks the finest value. Nothing is ever joined by
//! comparing times of different calls; calls are joined by uniqueid and linkedid.
//!
//! Which calls are contacts: a linkedid becomes a contact when a queue_log line speaks of its
//! call, or it enters `Queue` or `VoiceMail`, or it comes in from a trunk's context, or its CDR
//! carries a dialled number. Other calls (an agent who dials a log-in code, a consultation until
//! it joins a customer's call) give no statements.

pub mod agent;
pub mod ami;
pub mod ari;
pub mod cdr;
pub mod cel;
pub mod contact;
pub mod csv;
pub mod queue_log;
pub mod route;

use std::sync::Arc;

use callboard_model::ids::Key;
use callboard_model::record::{Provenance, Record, Refusal, rank};
use callboard_model::statement::{F, Statement, Thing, Value};
use callboard_model::time::{SECOND, believable};

pub use route::route;

/// Whole seconds, in microseconds.
pub const WHOLE_SECOND: u32 = 1_000_000;

/// Two feeds' times of the same thing lie no further apart than this, microseconds.
pub const TOLERANCE: i64 = 2 * SECOND;

/// Numbers beyond this are no seconds, milliseconds or positions that a call centre has seen; they
/// read as missing.
const GREATEST: i64 = 10_000_000_000;

/// A whole number of a bounded size.
fn whole(text: &str) -> Option<i64> {
    let n: i64 = text.trim().parse().ok()?;
    (-1..=GREATEST).contains(&n).then_some(n)
}

/// The time so many seconds before another, microseconds.
fn back(at: i64, seconds: Option<i64>) -> i64 {
    at - seconds.unwrap_or(0).clamp(0, 10_000_000) * SECOND
}

/// One of Asterisk's own logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feed {
    /// `/var/log/asterisk/queue_log`.
    QueueLog,
    /// Channel event log, `cel-csv`.
    Cel,
    /// Call detail records, `Master.csv`.
    Cdr,
    /// Manager events, one JSON object a line.
    Ami,
    /// Events of the REST interface, one JSON object a line.
    Ari,
}

impl Feed {
    /// Every feed.
    pub const ALL: [Feed; 5] = [Feed::QueueLog, Feed::Cel, Feed::Cdr, Feed::Ami, Feed::Ari];

    /// Last part of the source, e.g. `queue_log`.
    pub const fn name(self) -> &'static str {
        match self {
            Feed::QueueLog => "queue_log",
            Feed::Cel => "cel",
            Feed::Cdr => "cdr",
            Feed::Ami => "ami",
            Feed::Ari => "ari",
        }
    }

    /// Format of its records, e.g. `asterisk/queue_log`.
    pub const fn format(self) -> &'static str {
        match self {
            Feed::QueueLog => "asterisk/queue_log",
            Feed::Cel => "asterisk/cel",
            Feed::Cdr => "asterisk/cdr",
            Feed::Ami => "asterisk/ami",
            Feed::Ari => "asterisk/ari",
        }
    }

    /// The feed whose records have that format.
    pub fn of_format(format: &str) -> Option<Feed> {
        Feed::ALL.into_iter().find(|f| f.format() == format)
    }

    /// Source of an instance's records of this feed, `/asterisk/INSTANCE/FEED`.
    pub fn source(self, instance: &str) -> String {
        format!("/asterisk/{instance}/{}", self.name())
    }
}

/// The name of an instance as a source, `/asterisk/INSTANCE`.
pub fn instance_source(instance: &str) -> Arc<str> {
    format!("/asterisk/{instance}").into()
}

/// When something was, by whose clock, and who says so.
#[derive(Debug, Clone)]
pub struct Mark {
    /// UTC microseconds.
    pub at: i64,
    /// Precision in microseconds.
    pub precision: u32,
    /// Who says so.
    pub by: Arc<Provenance>,
}

/// One record, read.
#[derive(Debug)]
pub struct Parsed<'a> {
    /// When, and who says so.
    pub mark: Mark,
    /// What it says.
    pub body: Body<'a>,
}

/// What a record says.
#[derive(Debug)]
pub enum Body<'a> {
    /// A line of the queue log.
    QueueLog(queue_log::Line<'a>),
    /// A row of the channel event log.
    Cel(cel::Row<'a>),
    /// A call detail record.
    Cdr(cdr::Row<'a>),
    /// A manager event, or an event of the REST interface in the manager's words.
    Ami(ami::Event<'a>),
}

/// Reads a record of one of the feeds.
///
/// # Errors
/// A [`Refusal`] that says which part of the line cannot be read.
pub fn parse(record: &Record) -> Result<Parsed<'_>, Refusal> {
    let text = std::str::from_utf8(&record.bytes).map_err(|e| {
        Refusal::new(
            "invalid_utf8",
            format!("not UTF-8 from byte {} of the line on", e.valid_up_to()),
        )
    })?;
    let text = text.trim_end_matches(['\r', '\n']);
    let (at, precision, body) = match Feed::of_format(&record.format) {
        Some(Feed::QueueLog) => {
            let line = queue_log::parse(text)?;
            (line.at, WHOLE_SECOND, Body::QueueLog(line))
        }
        Some(Feed::Cel) => {
            let row = cel::parse(text, &record.stamp.columns, &record.stamp.zone)?;
            (row.at, row.precision, Body::Cel(row))
        }
        Some(Feed::Cdr) => {
            let row = cdr::parse(text, &record.stamp.zone)?;
            (row.start, WHOLE_SECOND, Body::Cdr(row))
        }
        Some(Feed::Ami) => {
            let event = ami::parse(text)?;
            (event.at, event.precision, Body::Ami(event))
        }
        Some(Feed::Ari) => {
            let event = ari::parse(text)?;
            (event.at, event.precision, Body::Ami(event))
        }
        None => {
            return Err(Refusal::new(
                "unknown_format",
                format!("format {:?} is not one of Asterisk's", record.format),
            ));
        }
    };
    if !believable(at) {
        return Err(Refusal::new(
            "time_out_of_range",
            "the time lies outside 1990 to 2100; check the clock or the time column",
        ));
    }
    Ok(Parsed {
        mark: Mark {
            at,
            precision,
            by: record.provenance(rank::LIVE, Some(at)),
        },
        body,
    })
}

/// What a key's records say together. Records that cannot be read are left out (the door refused
/// them already).
pub fn interpret(key: &Key, set: &[&Record]) -> Vec<Statement> {
    // Both interfaces report the same channels. The manager says more (queues, members, calls that
    // belong together), so where it was heard of a call, the other one adds nothing.
    let is_of = |r: &Record, feed: Feed| *r.format == *feed.format();
    let manager = set.iter().any(|r| is_of(r, Feed::Ami));
    let mut lines: Vec<Parsed<'_>> = set
        .iter()
        .filter(|r| !(manager && is_of(r, Feed::Ari)))
        .filter_map(|r| parse(r).ok())
        .collect();
    sort(&mut lines);
    match key {
        Key::Contact(id) => contact::interpret(id, &lines),
        Key::Agent(_, agent) => agent::interpret(agent, &lines),
        Key::Instance(_) => restarts(&lines),
        _ => Vec::new(),
    }
}

/// Puts records into their order: time, source, place in the source, id.
fn sort(lines: &mut [Parsed<'_>]) {
    lines.sort_by(|a, b| {
        let (x, y) = (&a.mark, &b.mark);
        x.at.cmp(&y.at)
            .then_with(|| x.by.source.cmp(&y.by.source))
            .then_with(|| x.by.sequence.cmp(&y.by.sequence))
            .then_with(|| x.by.id.cmp(&y.by.id))
    });
}

/// Restarts of an instance: QUEUESTART lines, and the greeting of the manager interface, which
/// tells for how many seconds the process has been up. Both of one start are one restart.
fn restarts(lines: &[Parsed<'_>]) -> Vec<Statement> {
    let mut starts: Vec<(i64, &Mark, bool)> = Vec::new();
    for line in lines {
        match &line.body {
            Body::QueueLog(l) if l.event == "QUEUESTART" => {
                starts.push((line.mark.at, &line.mark, true));
            }
            Body::Ami(e) if e.name() == "FullyBooted" => {
                if let Some(up) = e.int("Uptime") {
                    starts.push((back(line.mark.at, Some(up)), &line.mark, false));
                }
            }
            _ => {}
        }
    }
    starts.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| b.2.cmp(&a.2)));
    let mut kept: Vec<(i64, &Mark, bool)> = Vec::new();
    for start in starts {
        match kept.last_mut() {
            Some(last) if start.0 - last.0 <= TOLERANCE => {
                // The log's own line is the better witness of when the queues began anew.
                if start.2 && !last.2 {
                    *last = start;
                }
            }
            _ => kept.push(start),
        }
    }
    kept.into_iter()
        .map(|(at, mark, _)| {
            Statement::new(Thing::Restart(at), &mark.by).time(F::At, at, WHOLE_SECOND)
        })
        .collect()
}

/// Claims about one thing, gathered before the thing has its final identity.
#[derive(Debug, Default, Clone)]
pub struct Claims(Vec<(Arc<Provenance>, F, Value)>);

impl Claims {
    /// What the record itself says.
    pub fn say(&mut self, mark: &Mark, f: F, value: Value) -> &mut Self {
        self.0.push((mark.by.clone(), f, value));
        self
    }

    /// What follows from the record; anything said outranks it.
    pub fn guess(&mut self, mark: &Mark, f: F, value: Value) -> &mut Self {
        let mut by = (*mark.by).clone();
        by.rank = rank::INFERRED;
        self.0.push((Arc::new(by), f, value));
        self
    }

    /// Says a text unless it is empty.
    pub fn text(&mut self, mark: &Mark, f: F, value: &str) -> &mut Self {
        if !value.is_empty() {
            self.say(mark, f, Value::text(value));
        }
        self
    }

    /// Guesses a text unless it is empty.
    pub fn guess_text(&mut self, mark: &Mark, f: F, value: &str) -> &mut Self {
        if !value.is_empty() {
            self.guess(mark, f, Value::text(value));
        }
        self
    }

    /// Says that `f` was at the mark's own time.
    pub fn at(&mut self, mark: &Mark, f: F) -> &mut Self {
        self.say(mark, f, Value::Time(mark.at, mark.precision))
    }

    /// Guesses that `f` was at the time of `when`.
    pub fn guess_at(&mut self, mark: &Mark, f: F, at: i64, precision: u32) -> &mut Self {
        self.guess(mark, f, Value::Time(at, precision))
    }

    /// Says a duration in milliseconds with its precision in microseconds.
    pub fn millis(&mut self, mark: &Mark, f: F, ms: i64, precision: u32) -> &mut Self {
        self.say(mark, f, Value::Millis(ms.max(0), precision))
    }

    /// Says a whole number if there is one.
    pub fn int(&mut self, mark: &Mark, f: F, n: Option<i64>) -> &mut Self {
        if let Some(n) = n {
            self.say(mark, f, Value::Int(n));
        }
        self
    }

    /// Takes over the claims of another.
    pub fn append(&mut self, other: &mut Claims) {
        self.0.append(&mut other.0);
    }

    /// Adds what follows from the claims together, in the name of the least of their records.
    pub fn conclude(&mut self, f: F, text: &str) {
        let least = self.0.iter().map(|(by, ..)| by).min_by(|a, b| {
            (a.recorded_at, &a.source, &a.id).cmp(&(b.recorded_at, &b.source, &b.id))
        });
        if let Some(by) = least {
            let mut by = (**by).clone();
            by.rank = rank::INFERRED;
            self.0.push((Arc::new(by), f, Value::text(text)));
        }
    }

    /// Hands over the claims that are times.
    pub fn keep_times(&mut self, to: &mut Claims) {
        for (by, f, value) in self.0.drain(..) {
            if matches!(value, Value::Time(..)) && f != F::End {
                to.0.push((by, f, value));
            }
        }
    }

    /// Whether nothing is claimed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text that would win the merge, for conclusions that need one.
    pub fn winner(&self, f: &F) -> Option<&str> {
        self.0
            .iter()
            .filter(|(_, name, _)| name == f)
            .max_by(|a, b| a.0.rank.cmp(&b.0.rank).then_with(|| a.0.tail_cmp(&b.0)))
            .and_then(|(_, _, v)| match v {
                Value::Text(t) => Some(&**t),
                _ => None,
            })
    }

    /// Turns the claims into statements about `about`, one per record and rank.
    pub fn state(self, about: &Thing, out: &mut Vec<Statement>) {
        let first = out.len();
        for (by, f, value) in self.0 {
            match out[first..].iter_mut().find(|s| *s.by == *by) {
                Some(s) => s.facts.push((f, value)),
                None => out.push(Statement::new(about.clone(), &by).with(f, value)),
            }
        }
    }
}
