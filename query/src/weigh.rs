//! Refuses plans that could not be stopped in time: joins without an equality over many rows
//! loop without ever giving way, so a limit on time alone would come too late.

use std::sync::Arc;

use datafusion::common::stats::Precision;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{CrossJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};

use crate::error::{Class, QueryError};

/// Rows of a part whose size nobody knows.
const UNKNOWN: u64 = 100_000;

/// Refuses nested loops over more pairs than `most`.
///
/// # Errors
/// [`Class::TooComplex`] with the sizes of both sides.
pub fn check(plan: &Arc<dyn ExecutionPlan>, most: u64) -> Result<(), QueryError> {
    let any: &dyn ExecutionPlan = plan.as_ref();
    let any = any as &dyn std::any::Any;
    if any.is::<NestedLoopJoinExec>() || any.is::<CrossJoinExec>() {
        let sides: Vec<u64> = plan.children().into_iter().map(rows).collect();
        let pairs = sides.iter().fold(1_u64, |a, b| a.saturating_mul(*b));
        if pairs > most {
            return Err(QueryError::new(
                Class::TooComplex,
                format!(
                    "a join without an equality would compare about {} rows with {} rows; join \
                     on equal columns, or limit the sides first",
                    sides.first().unwrap_or(&0),
                    sides.get(1).unwrap_or(&0)
                ),
            ));
        }
    }
    for child in plan.children() {
        check(child, most)?;
    }
    Ok(())
}

/// About how many rows a part gives: an upper guess.
fn rows(plan: &Arc<dyn ExecutionPlan>) -> u64 {
    let known = StatisticsContext::new()
        .compute(plan.as_ref(), &StatisticsArgs::new())
        .ok()
        .and_then(|s| match s.num_rows {
            Precision::Exact(n) => Some(n as u64),
            Precision::Inexact(_) | Precision::Absent => None,
        });
    if let Some(n) = known {
        return n;
    }
    let any: &dyn ExecutionPlan = plan.as_ref();
    let any = any as &dyn std::any::Any;
    let children = plan.children();
    if children.is_empty() {
        return UNKNOWN;
    }
    let sizes = children.into_iter().map(rows);
    if any.is::<NestedLoopJoinExec>() || any.is::<CrossJoinExec>() {
        sizes.fold(1, u64::saturating_mul)
    } else {
        sizes.fold(0, u64::saturating_add)
    }
}
