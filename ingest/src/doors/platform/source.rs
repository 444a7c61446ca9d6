//! A source: one door with a name, what is stamped on all that comes through it, by what it knows
//! its sender, its bounds, and what became of the requests since the start of this process.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use callboard_sources::lines::NewLine;
use parking_lot::Mutex;

use crate::doors::answer::Answer;
use crate::doors::limits::Limits;
use crate::doors::problem::Problem;
use crate::doors::proof::Proof;

/// A source of which nothing came for so long is silent, where nothing is configured.
pub const SILENT_AFTER: Duration = Duration::from_secs(600);

/// How a source is set up.
#[derive(Debug)]
pub struct SourceOptions {
    /// Name: the last part of its address.
    pub name: String,
    /// Who reads what comes: a platform's name, `asterisk`, `events` or `mapping:NAME`.
    pub adapter: String,
    /// Instance of the platform. Empty: what a request names, or the documents.
    pub instance: String,
    /// Site, stamped on records.
    pub site: String,
    /// IANA zone of local times; empty = UTC.
    pub zone: String,
    /// Order of columns of a feed that has none of its own, by feed.
    pub columns: HashMap<String, Vec<String>>,
    /// How its sender proves itself.
    pub proof: Proof,
    /// Longest body, where it is less than the door's.
    pub max_body: Option<u64>,
    /// Requests a second, and how many at once beyond that.
    pub rate: Option<(u32, u32)>,
    /// After so long without a record it is silent.
    pub silent_after: Duration,
    /// Whether it stands in the configuration; else it is there because its adapter is.
    pub configured: bool,
}

impl SourceOptions {
    /// A source of that name and adapter, with nothing else said.
    pub fn new(name: &str, adapter: &str) -> Self {
        SourceOptions {
            name: name.to_owned(),
            adapter: adapter.to_owned(),
            instance: String::new(),
            site: String::new(),
            zone: String::new(),
            columns: HashMap::new(),
            proof: Proof::default(),
            max_body: None,
            rate: None,
            silent_after: SILENT_AFTER,
            configured: false,
        }
    }
}

/// What became of a source's requests since the start of this process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that were served.
    pub requests: u64,
    /// Requests that were not, by class.
    pub refused: BTreeMap<&'static str, u64>,
    /// Records that were new.
    pub taken: u64,
    /// Records that were known.
    pub repeated: u64,
    /// Inputs that became dead letters.
    pub dead: u64,
    /// Receipt of the last record, new or known, UTC microseconds.
    pub last: Option<i64>,
}

/// A source at work.
#[derive(Debug)]
pub struct Source {
    /// How it is set up.
    pub options: SourceOptions,
    bucket: Option<Mutex<Bucket>>,
    counts: Mutex<Counts>,
}

impl Source {
    /// A source of which nothing was heard.
    pub fn new(options: SourceOptions) -> Self {
        let bucket = options.rate.map(|(rate, burst)| {
            Mutex::new(Bucket {
                rate: f64::from(rate.max(1)),
                burst: f64::from(burst.max(1)),
                left: f64::from(burst.max(1)),
                at: Instant::now(),
            })
        });
        Source {
            options,
            bucket,
            counts: Mutex::default(),
        }
    }

    /// The bounds of its requests.
    pub fn limits(&self, doors: &Limits) -> Limits {
        let mut limits = doors.clone();
        if let Some(most) = self.options.max_body {
            limits.body_bytes = limits.body_bytes.min(most);
        }
        limits
    }

    /// Whether there is room for a request, without taking it: who has not proven himself must not
    /// use up the room of who can.
    ///
    /// # Errors
    /// 429 with the time to come back.
    pub fn has_room(&self) -> Result<(), Problem> {
        self.bucket(|bucket, now| bucket.wait(now))
    }

    /// Takes the room of one request.
    ///
    /// # Errors
    /// 429 with the time to come back.
    pub fn take_room(&self) -> Result<(), Problem> {
        self.bucket(Bucket::take)
    }

    fn bucket(
        &self,
        ask: impl FnOnce(&mut Bucket, Instant) -> Result<(), Duration>,
    ) -> Result<(), Problem> {
        let Some(bucket) = &self.bucket else {
            return Ok(());
        };
        let mut bucket = bucket.lock();
        ask(&mut bucket, Instant::now()).map_err(|wait| {
            let mut problem = Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "rate",
                format!(
                    "source {} takes {} requests a second; come back later, with larger batches",
                    self.options.name, bucket.rate
                ),
            );
            let seconds = wait.as_secs_f64().ceil().max(1.0);
            problem.retry_after_s = Some(seconds as u32);
            problem
        })
    }

    /// Requests a minute, for those who ask how many they may send.
    pub fn per_minute(&self) -> Option<u64> {
        let (rate, _) = self.options.rate?;
        Some(u64::from(rate) * 60)
    }

    /// What stands before the feed in the sources of its records and dead letters.
    pub fn home(&self) -> String {
        let options = &self.options;
        match options.instance.as_str() {
            "" => format!("/{}", options.adapter),
            instance => format!("/{}/{instance}", options.adapter),
        }
    }

    /// Stamps what came through this door: the site on records, the instance on what could not be
    /// read, so that it is known whose it was.
    pub fn stamp(&self, one: &mut NewLine) {
        match one {
            NewLine::Record(record) => record.stamp.site.clone_from(&self.options.site),
            NewLine::Dead(dead) if self.options.configured => {
                let home = self.home();
                let within = dead.source.strip_prefix(&*home);
                if !within.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
                    dead.source = home.into();
                }
            }
            NewLine::Dead(_) | NewLine::Event(_) => {}
        }
    }

    /// A request was served; `answer` is what became of its records, where it held some.
    pub fn served(&self, answer: Option<&Answer>, now: i64) {
        let mut counts = self.counts.lock();
        counts.requests += 1;
        if let Some(answer) = answer {
            counts.add(answer, now);
        }
        metrics::counter!("callboard_source_requests_total", "source" => self.options.name.clone())
            .increment(1);
    }

    /// A request was not served to its end.
    pub fn refused(&self, class: &'static str) {
        *self.counts.lock().refused.entry(class).or_default() += 1;
        metrics::counter!("callboard_source_refused_total",
            "source" => self.options.name.clone(), "class" => class)
        .increment(1);
    }

    /// Counts what was taken before a request broke off.
    pub fn half_served(&self, answer: &Answer, now: i64) {
        self.counts.lock().add(answer, now);
    }

    /// What became of its requests.
    pub fn counts(&self) -> Counts {
        self.counts.lock().clone()
    }
}

impl Counts {
    fn add(&mut self, answer: &Answer, now: i64) {
        self.taken += answer.taken + answer.conflicts;
        self.repeated += answer.repeated;
        self.dead += answer.refused;
        if answer.taken + answer.conflicts + answer.repeated > 0 {
            self.last = self.last.max(Some(now));
        }
    }
}

/// Room for requests: it fills up again at a steady rate.
#[derive(Debug)]
struct Bucket {
    rate: f64,
    burst: f64,
    left: f64,
    at: Instant,
}

impl Bucket {
    fn wait(&mut self, now: Instant) -> Result<(), Duration> {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + passed * self.rate).min(self.burst);
        self.at = self.at.max(now);
        match self.left {
            left if left >= 1.0 => Ok(()),
            left => Err(Duration::from_secs_f64((1.0 - left) / self.rate)),
        }
    }

    fn take(&mut self, now: Instant) -> Result<(), Duration> {
        self.wait(now)?;
        self.left -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_kept_with_its_burst() {
        let start = Instant::now();
        let mut bucket = Bucket {
            rate: 2.0,
            burst: 3.0,
            left: 3.0,
            at: start,
        };
        for _ in 0..3 {
            assert_eq!(bucket.take(start), Ok(()));
        }
        let half = Duration::from_millis(500);
        assert_eq!(bucket.take(start), Err(half));
        assert_eq!(bucket.take(start + half), Ok(()));
        assert!(bucket.take(start + half).is_err());
        // What is not used adds up to the burst and no further.
        let later = start + Duration::from_secs(100);
        let taken = (0..10).filter(|_| bucket.take(later).is_ok()).count();
        assert_eq!(taken, 3);
    }

    #[test]
    fn who_asks_for_room_takes_none() {
        let mut options = SourceOptions::new("s", "twilio");
        options.rate = Some((1, 1));
        let source = Source::new(options);
        for _ in 0..5 {
            assert!(source.has_room().is_ok());
        }
        assert!(source.take_room().is_ok());
        let refused = source.take_room().unwrap_err();
        assert_eq!(
            (refused.status, refused.retry_after_s),
            (StatusCode::TOO_MANY_REQUESTS, Some(1))
        );
        assert_eq!(source.per_minute(), Some(60));
    }
}
