//! What people are told of a source of topics: its state, lag and troubles.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::KafkaOptions;
use super::message::door;
use crate::doors::answer::Answer;
use crate::doors::intake::Verdict;
use crate::doors::platform::source::{Source, SourceOptions};

/// Figures of one source. Share them by `Arc`.
#[derive(Debug)]
pub struct Figures {
    name: Arc<str>,
    source: Source,
    topics: Vec<String>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    trouble: Option<String>,
    gaps: BTreeMap<(String, i32), String>,
    lag: BTreeMap<(String, i32), i64>,
    letters: BTreeMap<&'static str, i64>,
}

impl Figures {
    /// Figures of a source of which nothing is known yet.
    pub fn new(options: &KafkaOptions) -> Self {
        let source = SourceOptions {
            instance: options.instance.clone(),
            zone: options.zone.clone(),
            silent_after: options.silent_after,
            configured: true,
            ..SourceOptions::new(&options.name, &options.adapter.name())
        };
        Figures {
            name: options.name.as_str().into(),
            source: Source::new(source),
            topics: options.topics.clone(),
            inner: Mutex::default(),
        }
    }

    /// The source, with what became of its records since the start of this process. Nobody sends
    /// requests to it.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Its topics.
    pub fn topics(&self) -> &[String] {
        &self.topics
    }

    /// Source of its messages that nobody can read.
    pub fn door(&self) -> String {
        door(&self.name)
    }

    /// Dead letters since the start of this process, by class.
    pub fn letters(&self) -> BTreeMap<String, i64> {
        let inner = self.inner.lock();
        let each = inner.letters.iter();
        each.map(|(class, n)| ((*class).to_owned(), *n)).collect()
    }

    /// What was handed in is durable. `now`: UTC microseconds.
    pub fn taken(&self, verdicts: &[Verdict], now: i64) {
        let mut answer = Answer::default();
        let mut inner = self.inner.lock();
        for verdict in verdicts {
            match verdict {
                Verdict::Taken => answer.taken += 1,
                Verdict::Repeated => answer.repeated += 1,
                Verdict::Conflict => answer.conflicts += 1,
                Verdict::Refused(refusal) => {
                    answer.refused += 1;
                    *inner.letters.entry(refusal.class).or_default() += 1;
                }
            }
        }
        self.source.half_served(&answer, now);
    }

    /// Name of the source.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What somebody should act on, one sentence each.
    pub fn problems(&self) -> Vec<String> {
        let inner = self.inner.lock();
        let all = inner.trouble.iter().chain(inner.gaps.values());
        all.map(|what| format!("Kafka source {}: {what}", self.name))
            .collect()
    }

    /// Messages that each partition read here holds and that were not read yet.
    pub fn lag(&self) -> BTreeMap<(String, i32), i64> {
        self.inner.lock().lag.clone()
    }

    /// Something keeps the source from being read; said in the log when it is news.
    pub fn trouble(&self, what: &str) {
        let mut inner = self.inner.lock();
        if inner.trouble.as_deref() != Some(what) {
            tracing::warn!(source = &*self.name, "Kafka: {what}");
            inner.trouble = Some(what.to_owned());
        }
    }

    /// It is read again.
    pub fn well(&self) {
        if self.inner.lock().trouble.take().is_some() {
            tracing::info!(source = &*self.name, "Kafka: it is read again");
        }
    }

    /// Messages are gone; the partition is not read. Counted and logged when it is news.
    pub fn gap(&self, topic: &str, partition: i32, what: &str) {
        let place = (topic.to_owned(), partition);
        let before = self.inner.lock().gaps.insert(place, what.to_owned());
        if before.as_deref() != Some(what) {
            tracing::error!(source = &*self.name, topic, partition, "Kafka: {what}");
            self.count("callboard_kafka_gaps_total", topic, partition, 1);
        }
    }

    /// Partitions read here have so many messages more.
    pub fn lags(&self, topic: &str, partition: i32, lag: i64) {
        let place = (topic.to_owned(), partition);
        self.inner.lock().lag.insert(place, lag);
        self.show_lag(topic, partition, lag);
    }

    /// Partitions are no longer read here.
    pub fn lost(&self, topic: &str, partition: i32) {
        let place = (topic.to_owned(), partition);
        let mut inner = self.inner.lock();
        inner.lag.remove(&place);
        inner.gaps.remove(&place);
        drop(inner);
        self.show_lag(topic, partition, 0);
    }

    /// A partition came or went.
    pub fn rebalanced(&self, kind: &'static str) {
        metrics::counter!("callboard_kafka_rebalances_total", "source" => self.name.to_string(), "kind" => kind)
            .increment(1);
    }

    /// Messages of which this became.
    pub fn messages(&self, topic: &str, outcome: &'static str, n: u64) {
        metrics::counter!("callboard_kafka_messages_total", "source" => self.name.to_string(),
            "topic" => topic.to_owned(), "outcome" => outcome)
        .increment(n);
    }

    fn count(&self, counter: &'static str, topic: &str, partition: i32, n: u64) {
        metrics::counter!(counter, "source" => self.name.to_string(),
            "topic" => topic.to_owned(), "partition" => partition.to_string())
        .increment(n);
    }

    fn show_lag(&self, topic: &str, partition: i32, lag: i64) {
        metrics::gauge!("callboard_kafka_lag", "source" => self.name.to_string(),
            "topic" => topic.to_owned(), "partition" => partition.to_string())
        .set(lag as f64);
    }
}
