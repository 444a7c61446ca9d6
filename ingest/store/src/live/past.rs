//! Agents' states of days long gone: their rows stand in the lake, memory forgets them.

use std::collections::BTreeMap;

use callboard_model::ids::Key;
use callboard_model::rows::told_until;
use callboard_model::tables::Instant;

use super::{Entry, Live};

/// Days that are held of an agent, counted back from the last that was heard of any agent of his
/// source. What comes later than that is resolved as late.
const HELD_DAYS: i32 = 2;

/// Until which day, exclusive, the agents of each source can be forgotten. A clock that runs
/// ahead of `now` (UTC microseconds) counts as now.
pub fn past_days<'a>(entries: impl Iterator<Item = &'a Entry>, now: i64) -> BTreeMap<String, i32> {
    let mut last: BTreeMap<&str, i64> = BTreeMap::new();
    for entry in entries {
        if let Key::Agent(source, _) = &entry.key {
            let newest = last.entry(source).or_insert(i64::MIN);
            *newest = (*newest).max(entry.last_sign);
        }
    }
    last.into_iter()
        .filter(|(_, at)| *at > i64::MIN)
        .map(|(source, at)| (source.to_owned(), Instant(at.min(now)).day().0 - HELD_DAYS))
        .collect()
}

impl Live {
    /// Forgets what an agent did before that day.
    pub fn forget_before(&mut self, birth: u64, day: i32) {
        if let Some(entry) = self.entry_mut(birth) {
            entry.forget_before(day);
        }
    }
}

impl Entry {
    /// The day before which this agent's states can be forgotten, of those that can be of each
    /// source: nothing of which rows may still be made.
    pub fn past_day(&self, days: &BTreeMap<String, i32>) -> Option<i32> {
        let Key::Agent(source, _) = &self.key else {
            return None;
        };
        let day = *days.get(&**source)?;
        if !self.set.is_empty() || self.since.is_some_and(|since| since >= day) {
            return None;
        }
        let own = Instant(told_until(&self.alone)?).day().0;
        let day = day.min(own);
        self.since.is_none_or(|since| since < day).then_some(day)
    }
}
