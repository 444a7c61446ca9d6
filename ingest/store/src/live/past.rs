//! Agents' states of days long gone: their rows stand in the lake, memory forgets them.

use std::collections::{BTreeMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use callboard_model::ids::Key;
use callboard_model::merge::State;
use callboard_model::record::{Interpreter, Record, Routing};
use callboard_model::rows::{self, told_until};
use callboard_model::statement::Statement;
use callboard_model::tables::{Day, Instant};

use super::Entry;

/// Days that are held of an agent, counted back from the last that was heard of any agent of his
/// source. What comes later than that is resolved as late.
const HELD_DAYS: i32 = 2;
/// Records of so long before a day are kept beside those that are needed, microseconds: as little as
/// makes them say the same. Two feeds tell the same moments apart; who left is known to have been there.
const MARGINS: [i64; 3] = [
    3_600 * 1_000_000,
    26 * 3_600 * 1_000_000,
    9 * 86_400 * 1_000_000,
];

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

impl Entry {
    /// The day before which this agent's states can be forgotten, of those that can be of each
    /// source: nothing of which rows may still be made. `until` is when those in the lake were made,
    /// UTC microseconds.
    pub fn past_day(
        &self,
        days: &BTreeMap<String, i32>,
        until: i64,
        interpreter: &dyn Interpreter,
    ) -> Option<i32> {
        let Key::Agent(source, _) = &self.key else {
            return None;
        };
        let day = (*days.get(&**source)?).min(Instant(until).day().0);
        let done = |until: Option<i32>, day: i32| until.is_some_and(|until| until >= day);
        if done(self.since, day) || done(self.undivided, day) {
            return None;
        }
        // A fault in the program, which is told of where rows are made, ends no flush.
        let told = || told_until(&self.merged(interpreter));
        let told = catch_unwind(AssertUnwindSafe(told)).ok()??;
        let own = Instant(told).day().0;
        let day = day.min(own);
        (!done(self.since, day) && !done(self.undivided, day)).then_some(day)
    }

    /// Whether a record speaks of days of which only the lake knows.
    pub(super) fn is_told_late(&self, routing: &Routing) -> bool {
        let Some(since) = self.since else {
            return false;
        };
        match &routing.statements {
            Some(statements) => statements.iter().any(|s| self.is_past(s)),
            // It is interpreted together with others.
            None => routing.time.is_some_and(|at| Instant(at).day().0 < since),
        }
    }

    /// The records of those that are interpreted together that are needed from that day on: those
    /// since then, and those by which a state began that reaches it. None where they do not say the
    /// same as all of them.
    ///
    /// A record that comes later may yet speak of days before, as a list of members does that says
    /// since when each is one. That changes nothing where it was told when it happened; only a member
    /// of whom nothing was heard in days in which others were, but whose list comes after, begins
    /// with the day.
    pub(super) fn needed_from(
        &self,
        day: i32,
        interpreter: &dyn Interpreter,
    ) -> Option<Vec<Arc<Record>>> {
        let divided = || self.divided(Day(day).start().0, interpreter);
        catch_unwind(AssertUnwindSafe(divided)).ok()?
    }

    fn divided(&self, start: i64, interpreter: &dyn Interpreter) -> Option<Vec<Arc<Record>>> {
        let said = |set: &[Arc<Record>]| {
            let set: Vec<&Record> = set.iter().map(AsRef::as_ref).collect();
            interpreter.interpret(&self.key, &set)
        };
        let statements = said(&self.set);
        let all = self.with(&statements, start);
        let needed: HashSet<(&str, &str)> = statements
            .iter()
            .filter(|statement| all.get(&statement.about).is_some())
            .map(|statement| (&*statement.by.source, &*statement.by.id))
            .collect();
        let time = |record: &Record| interpreter.route(record).ok().and_then(|r| r.time);
        let times: Vec<Option<i64>> = self.set.iter().map(|r| time(r)).collect();
        MARGINS.into_iter().find_map(|margin| {
            let kept = self.set.iter().zip(&times).filter(|(record, time)| {
                needed.contains(&(&*record.source, &*record.id))
                    || time.is_none_or(|time| time >= start - margin)
            });
            let kept: Vec<Arc<Record>> = kept.map(|(record, _)| record.clone()).collect();
            (self.with(&said(&kept), start) == all).then_some(kept)
        })
    }

    /// All that is known with these statements, without what changes no row from a time on.
    fn with(&self, statements: &[Statement], start: i64) -> State {
        let mut state = self.alone.clone();
        statements.iter().for_each(|s| {
            state.apply(s);
        });
        rows::forget_before(&mut state, start);
        state
    }
}
