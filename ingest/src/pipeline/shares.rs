//! Who waits first where memory is short: a source that brings more than others do.

use std::collections::HashMap;

use parking_lot::Mutex;

/// After so long what was brought counts half, microseconds.
const HALF_LIFE: i64 = 10_000_000;
/// Sources that are told apart; others are no flood of their own.
const SOURCES: usize = 1_000;
/// Who brought less than so many bytes lately is forgotten.
const LEAST: f64 = 64.0;

/// What each source brought lately.
#[derive(Debug, Default)]
pub(super) struct Shares(Mutex<Lately>);

#[derive(Debug, Default)]
struct Lately {
    bytes: HashMap<String, f64>,
    /// Until when it is counted, UTC microseconds.
    until: i64,
}

impl Shares {
    /// A source brings so many bytes.
    pub(super) fn note(&self, source: &str, bytes: usize, now: i64) {
        let mut lately = self.0.lock();
        lately.age(now);
        let room = lately.bytes.len() < SOURCES;
        match lately.bytes.get_mut(source) {
            Some(sum) => *sum += bytes as f64,
            None if room => {
                lately.bytes.insert(source.to_owned(), bytes as f64);
            }
            None => {}
        }
    }

    /// Whether a source brought more than those that bring anything do on average.
    pub(super) fn is_large(&self, source: &str, now: i64) -> bool {
        let mut lately = self.0.lock();
        lately.age(now);
        let all: f64 = lately.bytes.values().sum();
        let own = lately.bytes.get(source).copied().unwrap_or(0.0);
        own * lately.bytes.len() as f64 > all
    }
}

impl Lately {
    fn age(&mut self, now: i64) {
        let times = now.saturating_sub(self.until).div_euclid(HALF_LIFE);
        if times == 0 {
            return;
        }
        self.until = now;
        // A clock that was set back makes nothing older.
        let left = 0.5f64.powi(i32::try_from(times).unwrap_or(i32::MAX).max(0));
        self.bytes.retain(|_, sum| {
            *sum *= left;
            *sum >= LEAST
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_brings_more_than_others_is_large_until_it_was_quiet() {
        let shares = Shares::default();
        let is_large = |source, now| shares.is_large(source, now);
        shares.note("/flood", 1_000_000, 5);
        assert!(!is_large("/flood", 5), "alone it takes from nobody");
        shares.note("/other", 1_000, 6);
        assert!(is_large("/flood", 6));
        assert!(!is_large("/other", 6) && !is_large("/new", 6));
        shares.note("/flood too", 900_000, 7);
        assert!(is_large("/flood too", 7) && is_large("/flood", 7));
        // An hour later both are forgotten.
        let later = 3_600_000_000;
        shares.note("/other", 1_000, later);
        shares.note("/new", 100, later);
        assert!(!is_large("/flood", later) && is_large("/other", later));
    }

    #[test]
    fn names_without_end_are_not_kept() {
        let shares = Shares::default();
        for n in 0..3_000 {
            shares.note(&n.to_string(), 1_000, 5);
        }
        assert_eq!(shares.0.lock().bytes.len(), SOURCES);
        shares.note("0", 1_000, 5);
        assert!(shares.is_large("0", 5) && !shares.is_large("2999", 5));
    }
}
