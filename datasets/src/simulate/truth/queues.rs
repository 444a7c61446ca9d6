//! Queues by the quarter of an hour.

use std::collections::BTreeMap;

use super::super::calendar::QUARTER;
use super::rows::{At, QueueIntervalRow};

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
    /// How long the talks lasted that followed and have ended.
    pub talk: Option<i64>,
    /// Their number.
    pub talks: i64,
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
            .or_insert_with(|| QueueIntervalRow::empty(&stay.queue, start, stay.threshold));
        row.count(stay);
    }

    /// Takes out the rows that begin before a time.
    pub fn before(&mut self, time: i64) -> Vec<QueueIntervalRow> {
        let rest = self.0.split_off(&(time, String::new()));
        std::mem::replace(&mut self.0, rest).into_values().collect()
    }
}

impl QueueIntervalRow {
    fn empty(queue: &str, start: i64, threshold: i64) -> Self {
        QueueIntervalRow {
            queue: queue.to_owned(),
            interval_start: At(start),
            offered: 0,
            answered: 0,
            answered_in_target: 0,
            abandoned: 0,
            short_abandoned: 0,
            abandoned_in_target: 0,
            timed_out: 0,
            overflowed: 0,
            no_agent: 0,
            left_other: 0,
            lost: 0,
            waiting: 0,
            refused: 0,
            wait_ms_sum: 0,
            wait_ms_max: None,
            abandoned_ms_sum: 0,
            abandoned_ms_max: None,
            timed_out_ms_sum: 0,
            timed_out_ms_max: None,
            overflowed_ms_sum: 0,
            overflowed_ms_max: None,
            no_agent_ms_sum: 0,
            no_agent_ms_max: None,
            left_other_ms_sum: 0,
            left_other_ms_max: None,
            talk_ms_sum: 0,
            talk_count: 0,
            hold_ms_sum: None,
            wrap_ms_sum: None,
            // A queue has one target for all its time, at whatever site.
            threshold_ms: threshold,
        }
    }

    fn count(&mut self, stay: &Stay) {
        if stay.outcome == Some("refused") {
            self.refused += 1;
            return;
        }
        self.offered += 1;
        self.talk_ms_sum += stay.talk.unwrap_or(0);
        self.talk_count += stay.talks;
        let more = |sum: Option<i64>, ms: Option<i64>| ms.map(|ms| sum.unwrap_or(0) + ms).or(sum);
        self.hold_ms_sum = more(self.hold_ms_sum, stay.hold);
        self.wrap_ms_sum = more(self.wrap_ms_sum, stay.wrap);
        let Some(waited) = stay.waited else {
            self.lost += 1;
            return;
        };
        let (counted, sum, max) = match stay.outcome {
            Some("answered") => {
                self.answered_in_target += i64::from(waited <= stay.threshold);
                (
                    &mut self.answered,
                    &mut self.wait_ms_sum,
                    &mut self.wait_ms_max,
                )
            }
            Some("abandoned" | "error") => {
                self.short_abandoned += i64::from(waited <= stay.short);
                self.abandoned_in_target += i64::from(waited <= stay.threshold);
                (
                    &mut self.abandoned,
                    &mut self.abandoned_ms_sum,
                    &mut self.abandoned_ms_max,
                )
            }
            Some("timeout") => (
                &mut self.timed_out,
                &mut self.timed_out_ms_sum,
                &mut self.timed_out_ms_max,
            ),
            Some("overflow") => (
                &mut self.overflowed,
                &mut self.overflowed_ms_sum,
                &mut self.overflowed_ms_max,
            ),
            Some("no_agents") => (
                &mut self.no_agent,
                &mut self.no_agent_ms_sum,
                &mut self.no_agent_ms_max,
            ),
            _ => (
                &mut self.left_other,
                &mut self.left_other_ms_sum,
                &mut self.left_other_ms_max,
            ),
        };
        *counted += 1;
        *sum += waited;
        *max = (*max).max(Some(waited));
    }
}
