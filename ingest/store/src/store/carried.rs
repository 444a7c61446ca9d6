//! Rows of days that were not made anew and yet end differently: an agent's intervals follow one
//! another without a gap, so that the last one before a day ends when the first one of it begins,
//! be that weeks later.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use callboard_model::tables::{AGENT_INTERVALS, AgentIntervalRow, Day, Instant, Row};
use deltalake::arrow::array::RecordBatch;
use deltalake::arrow::error::ArrowError;

use super::StoreError;
use crate::lake::Lake;

/// Begins of intervals by agent.
#[derive(Default)]
struct Begins(HashMap<String, BTreeSet<Instant>>);

impl Begins {
    fn note(&mut self, row: &AgentIntervalRow) {
        let of = self.0.entry(row.agent.clone()).or_default();
        of.insert(row.started_at);
    }

    fn after(&self, row: &AgentIntervalRow) -> Option<Instant> {
        let later = (
            std::ops::Bound::Excluded(row.started_at),
            std::ops::Bound::Unbounded,
        );
        self.0.get(&row.agent)?.range(later).next().copied()
    }
}

/// The rows of other days than these whose end changes with `made`, the rows of these days: their
/// days, and all rows of those days as they are from now on.
pub(super) async fn carried(
    lake: &Lake,
    days: &BTreeSet<i32>,
    made: &[RecordBatch],
) -> Result<(Vec<i32>, Vec<RecordBatch>), StoreError> {
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        return Ok(Default::default());
    };
    let table = AGENT_INTERVALS.name;
    let mut begins = Begins::default();
    for row in made.iter().flat_map(AgentIntervalRow::from_batch) {
        begins.note(&row);
    }
    let mut before = Vec::new();
    for batch in lake.lasting(table, *last, Day(*first).start().0).await? {
        for row in AgentIntervalRow::from_batch(&batch) {
            if !days.contains(&row.day.0) {
                begins.note(&row);
                before.push(row);
            }
        }
    }
    // What followed is gone: whatever comes after these days is next.
    let gone = |row: &AgentIntervalRow| {
        let ended_here = row.ended_at.is_some_and(|end| days.contains(&end.day().0));
        ended_here && begins.after(row).is_none()
    };
    let lost: BTreeSet<String> = before
        .iter()
        .filter(|row| gone(row))
        .map(|row| row.agent.clone())
        .collect();
    if !lost.is_empty() {
        let lost: Vec<String> = lost.into_iter().collect();
        for batch in lake.scan(table, None, Some(("agent", &lost))).await? {
            for row in AgentIntervalRow::from_batch(&batch) {
                if !days.contains(&row.day.0) {
                    begins.note(&row);
                }
            }
        }
    }
    let mut ends: BTreeMap<(String, Instant), Option<Instant>> = BTreeMap::new();
    let mut on: BTreeSet<i32> = BTreeSet::new();
    for row in before {
        let stays = row.ended_at.filter(|end| !days.contains(&end.day().0));
        let end = stays.into_iter().chain(begins.after(&row)).min();
        if end != row.ended_at {
            on.insert(row.day.0);
            ends.insert((row.agent, row.started_at), end);
        }
    }
    if on.is_empty() {
        return Ok(Default::default());
    }
    let on: Vec<i32> = on.into_iter().collect();
    let rows = lake.scan(table, Some(&on), None).await?;
    let rows = rows.iter().map(|batch| ended(batch, &ends));
    Ok((on, rows.collect::<Result<_, _>>()?))
}

/// The batch with other ends where there are some.
fn ended(
    batch: &RecordBatch,
    ends: &BTreeMap<(String, Instant), Option<Instant>>,
) -> Result<RecordBatch, ArrowError> {
    let mut rows = AgentIntervalRow::from_batch(batch);
    for row in &mut rows {
        if let Some(end) = ends.get(&(row.agent.clone(), row.started_at)) {
            row.ended_at = *end;
        }
    }
    AgentIntervalRow::batch(&rows)
}
