//! Queues by the quarter of an hour.

use std::collections::BTreeMap;

use super::super::calendar::QUARTER;
use super::tables::{At, QueueIntervalRow};

/// One stay in a queue.
#[derive(Debug, Clone)]
pub struct Stay {
    /// Queue.
    pub queue: String,
    /// Entry.
    pub entered: i64,
    /// How long it lasted; `None` when its end never came.
    pub waited: Option<i64>,
    /// Outcome.
    pub outcome: Option<&'static str>,
    /// Service level threshold.
    pub threshold: i64,
    /// Threshold of short abandons.
    pub short: i64,
    /// Talks that followed.
    pub talk: Option<i64>,
    /// Holds in them.
    pub hold: Option<i64>,
    /// Wrap-up after them.
    pub wrap: Option<i64>,
}

/// Rows under way, of all sites.
#[derive(Default)]
pub struct Quarters(BTreeMap<(i64, String), QueueIntervalRow>);

impl Quarters {
    /// Counts a stay where it entered.
    pub fn count(&mut self, stay: &Stay) {
        let start = stay.entered.div_euclid(QUARTER) * QUARTER;
        let row = self
            .0
            .entry((start, stay.queue.clone()))
            .or_insert_with(|| QueueIntervalRow::empty(&stay.queue, start));
        row.count(stay);
    }

    /// Takes out the rows that begin before a time.
    pub fn before(&mut self, time: i64) -> Vec<QueueIntervalRow> {
        let rest = self.0.split_off(&(time, String::new()));
        std::mem::replace(&mut self.0, rest).into_values().collect()
    }
}

impl QueueIntervalRow {
    fn empty(queue: &str, start: i64) -> Self {
        QueueIntervalRow {
            queue: queue.to_owned(),
            interval_start: At(start),
            offered: 0,
            answered: 0,
            answered_in_target: 0,
            abandoned: 0,
            short_abandoned: 0,
            timed_out: 0,
            overflowed: 0,
            no_agent: 0,
            left_other: 0,
            lost: 0,
            waiting: 0,
            refused: 0,
            wait_ms_sum: 0,
            wait_ms_max: None,
            talk_ms_sum: 0,
            hold_ms_sum: None,
            wrap_ms_sum: None,
        }
    }

    fn count(&mut self, stay: &Stay) {
        if stay.outcome == Some("refused") {
            self.refused += 1;
            return;
        }
        self.offered += 1;
        self.talk_ms_sum += stay.talk.unwrap_or(0);
        let more = |sum: Option<i64>, ms: Option<i64>| ms.map(|ms| sum.unwrap_or(0) + ms).or(sum);
        self.hold_ms_sum = more(self.hold_ms_sum, stay.hold);
        self.wrap_ms_sum = more(self.wrap_ms_sum, stay.wrap);
        let Some(waited) = stay.waited else {
            self.lost += 1;
            return;
        };
        match stay.outcome {
            Some("answered") => {
                self.answered += 1;
                self.answered_in_target += i64::from(waited <= stay.threshold);
                self.wait_ms_sum += waited;
                self.wait_ms_max = self.wait_ms_max.max(Some(waited));
            }
            Some("abandoned" | "error") => {
                self.abandoned += 1;
                self.short_abandoned += i64::from(waited <= stay.short);
            }
            Some("timeout") => self.timed_out += 1,
            Some("overflow") => self.overflowed += 1,
            Some("no_agents") => self.no_agent += 1,
            _ => self.left_other += 1,
        }
    }
}
