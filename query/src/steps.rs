//! The state of an agent over time, as a window function of the views: of spans that overlap the
//! first of an order holds. In SQL that takes a running sum for each state, which cost as much as all
//! else that the board asks for.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Builder, StringArray, StringBuilder, StructArray,
    TimestampMicrosecondBuilder,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    DataType, Field, FieldRef, Fields, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    LimitEffect, PartitionEvaluator, Signature, Volatility, WindowUDF, WindowUDFImpl,
};
use datafusion::physical_expr::PhysicalExpr;

/// Of overlapping spans the first of these holds.
const ORDER: [&str; 7] = [
    "talk",
    "hold",
    "ringing",
    "wrapup",
    "paused",
    "available",
    "unknown",
];
/// Where no span holds.
const NONE: &str = "none";
/// The one that has a reason.
const PAUSED: usize = 4;

/// The function: `agent_step(state, d, reason, known, at) OVER (PARTITION BY agent ORDER BY at)`.
///
/// A row of its input is a mark: at `at` (UTC microseconds, not NULL) `d` more spans (fewer, where it
/// is negative) are in `state`; `reason` is that of a pause that begins; `known` is 1 where the
/// platform tells when this agent is logged in. At one mark of each moment at which the state or its
/// reason changes it gives `state`, `reason`, `started_at`, `ended_at` (NULL for the last) and
/// `known` (1 where any mark of the agent says so), at all others NULL.
pub(crate) fn function() -> Arc<WindowUDF> {
    let any = Signature::exact(
        vec![
            DataType::Utf8,
            DataType::Int64,
            DataType::Utf8,
            DataType::Int64,
            time(),
        ],
        Volatility::Immutable,
    );
    Arc::new(WindowUDF::from(AgentStep(any)))
}

fn time() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn fields() -> Fields {
    Fields::from(vec![
        Field::new("state", DataType::Utf8, true),
        Field::new("reason", DataType::Utf8, true),
        Field::new("started_at", time(), true),
        Field::new("ended_at", time(), true),
        Field::new("known", DataType::Int64, true),
    ])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct AgentStep(Signature);

impl WindowUDFImpl for AgentStep {
    fn name(&self) -> &str {
        "agent_step"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn partition_evaluator(
        &self,
        _args: PartitionEvaluatorArgs<'_>,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(OfOneAgent))
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        let step = Field::new(args.name(), DataType::Struct(fields()), true);
        Ok(Arc::new(step))
    }

    fn limit_effect(&self, _args: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        LimitEffect::Unknown
    }
}

#[derive(Debug)]
struct OfOneAgent;

impl PartitionEvaluator for OfOneAgent {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let [state, d, reason, known, at] = values else {
            return Err(internal_datafusion_err!("agent_step takes five values"));
        };
        let wrong = || internal_datafusion_err!("agent_step was given a value of another type");
        let marks = Marks {
            state: state.as_string_opt().ok_or_else(wrong)?,
            d: d.as_primitive_opt::<Int64Type>()
                .ok_or_else(wrong)?
                .values(),
            reason: reason.as_string_opt().ok_or_else(wrong)?,
            at: at
                .as_primitive_opt::<TimestampMicrosecondType>()
                .ok_or_else(wrong)?
                .values(),
        };
        let known = known.as_primitive_opt::<Int64Type>().ok_or_else(wrong)?;
        let known = known.iter().flatten().max();
        Ok(Arc::new(column(&steps(&marks), known, rows)?))
    }
}

/// Marks of one agent, by time.
struct Marks<'a> {
    state: &'a StringArray,
    d: &'a [i64],
    reason: &'a StringArray,
    at: &'a [i64],
}

/// From `at` on the state is this one.
#[derive(Debug, PartialEq)]
struct Step<'a> {
    /// A mark at this moment.
    row: usize,
    at: i64,
    state: &'static str,
    reason: Option<&'a str>,
}

/// The moments at which state or reason change.
fn steps<'a>(marks: &Marks<'a>) -> Vec<Step<'a>> {
    let mut out: Vec<Step<'a>> = Vec::new();
    let mut open = [0_i64; ORDER.len()];
    // The reason that was told last; of those of one moment the greatest.
    let mut told: Option<&str> = None;
    let mut next = 0;
    while let Some(&at) = marks.at.get(next) {
        let row = next;
        let mut here: Option<&str> = None;
        while marks.at.get(next) == Some(&at) {
            if marks.state.is_valid(next) {
                let state = marks.state.value(next);
                if let Some(n) = ORDER.iter().position(|s| *s == state) {
                    open[n] += marks.d[next];
                }
            }
            if marks.reason.is_valid(next) {
                here = here.max(Some(marks.reason.value(next)));
            }
            next += 1;
        }
        told = here.or(told);
        let holds = open.iter().position(|n| *n > 0);
        let step = Step {
            row,
            at,
            state: holds.map_or(NONE, |n| ORDER[n]),
            reason: told.filter(|r| holds == Some(PAUSED) && !r.is_empty()),
        };
        let same = |last: &Step<'_>| (last.state, last.reason) == (step.state, step.reason);
        if !out.last().is_some_and(same) {
            out.push(step);
        }
    }
    out
}

/// The steps as a column of so many rows.
fn column(steps: &[Step<'_>], known: Option<i64>, rows: usize) -> Result<StructArray> {
    let (mut state, mut reason) = (StringBuilder::new(), StringBuilder::new());
    let mut started = TimestampMicrosecondBuilder::with_capacity(rows).with_data_type(time());
    let mut ended = TimestampMicrosecondBuilder::with_capacity(rows).with_data_type(time());
    let mut knows = Int64Builder::with_capacity(rows);
    let mut there = vec![false; rows];
    let mut following = steps.iter().peekable();
    for (row, there) in there.iter_mut().enumerate() {
        let step = following.next_if(|s| s.row == row);
        *there = step.is_some();
        state.append_option(step.map(|s| s.state));
        reason.append_option(step.and_then(|s| s.reason));
        started.append_option(step.map(|s| s.at));
        ended.append_option(step.and_then(|_| following.peek()).map(|s| s.at));
        knows.append_option(step.and(known));
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(state.finish()),
        Arc::new(reason.finish()),
        Arc::new(started.finish()),
        Arc::new(ended.finish()),
        Arc::new(knows.finish()),
    ];
    let there = NullBuffer::from(there);
    Ok(StructArray::try_new(fields(), columns, Some(there))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As it is said: at each moment all marks up to it are added up, and the first state of which
    /// there is more than none holds.
    fn looked_up(marks: &[(i64, usize, i64, Option<&'static str>)]) -> Vec<(i64, String, String)> {
        let mut moments: Vec<i64> = marks.iter().map(|m| m.0).collect();
        moments.dedup();
        let mut out: Vec<(i64, String, String)> = Vec::new();
        for at in moments {
            let of = |n| -> i64 {
                let past = marks.iter().filter(|m| m.0 <= at && m.1 == n);
                past.map(|m| m.2).sum()
            };
            let state = (0..ORDER.len()).find(|n| of(*n) > 0);
            let told = marks.iter().filter(|m| m.0 <= at && m.3.is_some());
            let reason = told.max_by_key(|m| (m.0, m.3)).and_then(|m| m.3);
            let reason = reason.filter(|_| state == Some(PAUSED)).unwrap_or("");
            let name = state.map_or(NONE, |n| ORDER[n]);
            let last = out.last().map(|(_, s, r)| (s.as_str(), r.as_str()));
            if last != Some((name, reason)) {
                out.push((at, name.to_owned(), reason.to_owned()));
            }
        }
        out
    }

    #[test]
    fn the_first_state_of_the_order_holds_from_mark_to_mark() {
        let mut seed = 7_u64;
        let mut random = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % below
        };
        let reasons = [None, Some(""), Some("lunch"), Some("meeting")];
        for _ in 0..500 {
            let mut marks: Vec<(i64, usize, i64, Option<&str>)> = Vec::new();
            for _ in 0..=random(30) {
                let (state, from) = (random(7) as usize, random(20) as i64);
                let reason = reasons[random(4) as usize];
                marks.push((from, state, 1, reason.filter(|_| state == PAUSED)));
                if random(3) > 0 {
                    marks.push((from + 1 + random(9) as i64, state, -1, None));
                }
            }
            marks.sort_by_key(|m| m.0);
            let state: StringArray = marks.iter().map(|m| Some(ORDER[m.1])).collect();
            let reason: StringArray = marks.iter().map(|m| m.3).collect();
            let d: Vec<i64> = marks.iter().map(|m| m.2).collect();
            let at: Vec<i64> = marks.iter().map(|m| m.0).collect();
            let made = steps(&Marks {
                state: &state,
                d: &d,
                reason: &reason,
                at: &at,
            });
            let said: Vec<_> = made
                .iter()
                .map(|s| (s.at, s.state.to_owned(), s.reason.unwrap_or("").to_owned()))
                .collect();
            assert_eq!(said, looked_up(&marks), "{marks:?}");
            let column = column(&made, Some(1), marks.len()).unwrap();
            assert_eq!(column.len() - column.null_count(), made.len());
        }
    }
}
