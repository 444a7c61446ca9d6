//! What was heard of every source since the start of this process: figures for people, by which
//! they see which source is silent and which has said all it has to say.

use std::collections::BTreeMap;

use crate::doors::intake::Verdict;

/// Sources of which figures are kept; those beyond share one line.
const SOURCES: usize = 500;

/// What was heard of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// Time of the last receipt, UTC microseconds.
    pub last_received: i64,
    /// The latest time that a record itself names, UTC microseconds.
    pub last_event: i64,
    /// Taken.
    pub taken: u64,
    /// Repeated.
    pub repeated: u64,
    /// Refused.
    pub refused: u64,
    /// When the sender said that there is no more, UTC microseconds; anything that comes later
    /// shows that there was.
    pub ended: Option<i64>,
    /// Taken in each of the last 60 seconds, by second modulo 60.
    recent: Vec<(i64, u64)>,
}

impl Heard {
    /// Taken in the minute before `now`, UTC microseconds.
    pub fn per_minute(&self, now: i64) -> u64 {
        let second = now / 1_000_000;
        self.recent
            .iter()
            .filter(|(s, _)| second - s < 60)
            .map(|(_, n)| n)
            .sum()
    }

    fn take(&mut self, now: i64, n: u64) {
        let second = now / 1_000_000;
        self.taken += n;
        match self.recent.last_mut() {
            Some((s, count)) if *s == second => *count += n,
            _ => self.recent.push((second, n)),
        }
        self.recent.retain(|(s, _)| second - s < 60);
    }
}

/// What was heard of all sources.
#[derive(Debug, Default)]
pub struct Hearing(BTreeMap<String, Heard>);

impl Hearing {
    /// By source.
    pub fn all(&self) -> &BTreeMap<String, Heard> {
        &self.0
    }

    /// Something of a source arrived, which itself names `time`.
    pub fn note(&mut self, source: &str, time: Option<i64>, now: i64, verdict: &Verdict) {
        if !self.0.contains_key(source) {
            let name = if self.0.len() < SOURCES {
                source
            } else {
                "others"
            };
            self.0.entry(name.to_owned()).or_default();
        }
        let key = if self.0.contains_key(source) {
            source
        } else {
            "others"
        };
        let Some(h) = self.0.get_mut(key) else {
            return;
        };
        h.last_received = h.last_received.max(now);
        h.ended = None;
        match verdict {
            Verdict::Taken | Verdict::Conflict => {
                h.take(now, 1);
                h.last_event = h.last_event.max(time.unwrap_or(0));
            }
            Verdict::Repeated => h.repeated += 1,
            Verdict::Refused(_) => h.refused += 1,
        }
    }

    /// The senders of these sources said that there is no more. Of a source that was never heard
    /// nothing is known.
    pub fn ended(&mut self, sources: &[String], now: i64) {
        for source in sources {
            if let Some(h) = self.0.get_mut(source) {
                h.ended = Some(now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_ended_goes_on_when_more_comes() {
        let mut all = Hearing::default();
        all.note("/t/1", Some(5), 10, &Verdict::Taken);
        all.ended(&["/t/1".to_owned(), "/t/never".to_owned()], 20);
        assert_eq!(all.all()["/t/1"].ended, Some(20));
        assert_eq!(all.all().len(), 1);
        all.note("/t/1", None, 30, &Verdict::Repeated);
        let heard = &all.all()["/t/1"];
        assert_eq!(
            (heard.ended, heard.last_received, heard.last_event),
            (None, 30, 5)
        );
    }

    #[test]
    fn sources_beyond_the_bound_share_one_line() {
        let mut all = Hearing::default();
        for n in 0..SOURCES + 5 {
            all.note(&format!("/t/{n}"), None, 1, &Verdict::Taken);
        }
        assert_eq!(all.all()["others"].taken, 5);
        assert_eq!(all.all().len(), SOURCES + 1);
    }
}
