//! Refuses calls of functions that make much from little: one call of `repeat` can ask for more
//! memory than there is, in a moment in which nothing can stop it. A list or text that grows with
//! every row of a window holds, over all rows, the square of what was read.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::expr::{ScalarFunction, WindowFunction};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};

use crate::error::{Class, QueryError};
use crate::stop;

/// Longest text that one call may make of one character, in characters.
const LONGEST: i128 = 1_000;

/// Most elements that one call may make.
const MOST: i128 = 1_000_000;

/// Refuses calls whose size is not stated as a number, or is too great.
///
/// # Errors
/// [`Class::TooComplex`] with the function's name and its bound.
pub fn check(plan: &LogicalPlan) -> Result<(), QueryError> {
    let mut bad = None;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|e| {
                let why = match e {
                    Expr::ScalarFunction(call) => too_much(call),
                    Expr::WindowFunction(call) => window(call),
                    _ => None,
                };
                if why.is_some() {
                    bad = why;
                    return Ok(TreeNodeRecursion::Stop);
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    match bad {
        Some(why) => Err(QueryError::new(Class::TooComplex, why)),
        None => Ok(()),
    }
}

fn window(call: &WindowFunction) -> Option<String> {
    let name = call.fun.name();
    stop::gathers(name)
        .then(|| format!("{name} over a window is not offered; use GROUP BY, and join if need be"))
}

fn too_much(call: &ScalarFunction) -> Option<String> {
    let name = call.func.name();
    let sized = |at: usize, most: i128| {
        let stated = call.args.get(at).and_then(number);
        stated
            .is_none_or(|n| n > most)
            .then(|| format!("{name} needs its length as a plain number of at most {most}"))
    };
    match name {
        "repeat" | "lpad" | "rpad" => sized(1, LONGEST),
        "array_repeat" | "list_repeat" | "array_resize" | "list_resize" => sized(1, LONGEST),
        "range" | "generate_series" | "gen_series" => {
            // Series of times are bounded by the calendar; series of numbers by nothing.
            let numbers: Vec<Option<i128>> = call.args.iter().map(number).collect();
            if numbers.iter().all(Option::is_none) && !call.args.iter().any(computed) {
                return None;
            }
            let elements = match numbers.as_slice() {
                [Some(stop)] => Some(*stop),
                [Some(start), Some(stop)] => Some((stop - start).abs()),
                [Some(start), Some(stop), Some(step)] if *step != 0 => {
                    Some(((stop - start) / step).abs())
                }
                _ => None,
            };
            elements.is_none_or(|n| n > MOST).then(|| {
                format!("{name} needs plain numbers as its bounds, at most {MOST} elements apart")
            })
        }
        _ => None,
    }
}

/// A whole number that is computed from nothing but what was written: `0 + 100000000`.
fn computed(expr: &Expr) -> bool {
    let kind = expr.get_type(&DFSchema::empty());
    !expr.any_column_refs() && kind.is_ok_and(|t| t.is_integer())
}

/// A whole number as it was written, with casts of it.
fn number(expr: &Expr) -> Option<i128> {
    match expr {
        Expr::Literal(value, _) => match value {
            ScalarValue::Int64(Some(n)) => Some(i128::from(*n)),
            ScalarValue::UInt64(Some(n)) => Some(i128::from(*n)),
            ScalarValue::Int32(Some(n)) => Some(i128::from(*n)),
            _ => None,
        },
        Expr::Negative(inner) => number(inner).map(|n| -n),
        Expr::Cast(cast) => number(&cast.expr),
        _ => None,
    }
}
