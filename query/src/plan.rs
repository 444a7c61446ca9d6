//! From text to plan: checked, planned and optimised once, and kept.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::config::Dialect;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{ParamValues, ScalarValue};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::sql::parser::Statement;

use crate::cache::Kept;
use crate::engine::Engine;
use crate::error::{Class, QueryError};
use crate::session::Param;
use crate::{grow, guard, naming};

/// Checks and plans a text, or finds its plan among those kept.
///
/// # Errors
/// When it is refused or cannot be planned.
pub(crate) async fn prepare(
    engine: &Engine,
    state: &SessionState,
    sql: &str,
) -> Result<Kept, QueryError> {
    // A text is another query in another zone.
    let zone = state.config_options().execution.time_zone.as_deref();
    let key = format!("{}\n{sql}", zone.unwrap_or_default());
    if let Some(kept) = engine.shared.cache.plan(&key) {
        return Ok(kept);
    }
    guard::check_text(sql, engine.limits().text)?;
    let mut statement = state.sql_to_statement(sql, &Dialect::PostgreSQL)?;
    guard::check_statement(&statement)?;
    if let Statement::Statement(inner) = &mut statement {
        naming::give(inner);
    }
    let logical = state.statement_to_plan(statement).await?;
    guard::check_plan(&logical)?;
    grow::check(&logical)?;
    let optimised = if of_the_moment(&logical) || open_types(&logical)? {
        None
    } else {
        Some(Arc::new(state.optimize(&logical)?))
    };
    let kept = Kept {
        logical: Arc::new(logical),
        optimised,
    };
    engine.shared.cache.keep_plan(&key, kept.clone());
    Ok(kept)
}

/// Whether the plan depends on when it is optimised (`now()` becomes a constant then), or is an
/// explanation, which shows how it came about.
fn of_the_moment(plan: &LogicalPlan) -> bool {
    let mut found = matches!(plan, LogicalPlan::Explain(_) | LogicalPlan::Analyze(_));
    // Looking cannot fail.
    let _ = plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|e| {
                if let Expr::ScalarFunction(f) = e
                    && matches!(f.name(), "now" | "current_date" | "current_time")
                {
                    found = true;
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    });
    found
}

/// Whether a parameter's type is not known from the plan.
fn open_types(plan: &LogicalPlan) -> Result<bool, QueryError> {
    Ok(plan.get_parameter_types()?.values().any(Option::is_none))
}

/// The plan to run: parameters replaced, optimised.
///
/// # Errors
/// When parameters are missing or do not fit their types.
pub(crate) fn ready(
    state: &SessionState,
    kept: &Kept,
    params: Vec<Param>,
) -> Result<Arc<LogicalPlan>, QueryError> {
    let types = kept.logical.get_parameter_types()?;
    check_count(&types, params.len())?;
    if types.is_empty() {
        return match &kept.optimised {
            Some(plan) => Ok(plan.clone()),
            None => Ok(Arc::new(state.optimize(&kept.logical)?)),
        };
    }
    let values = ParamValues::from(
        params
            .into_iter()
            .enumerate()
            .map(|(i, p)| typed(p, types.get(&format!("${}", i + 1)), i + 1))
            .collect::<Result<Vec<ScalarValue>, QueryError>>()?,
    );
    match &kept.optimised {
        Some(plan) => Ok(Arc::new(
            plan.as_ref().clone().replace_params_with_values(&values)?,
        )),
        None => {
            let plan = kept.logical.as_ref().clone();
            let plan = plan.replace_params_with_values(&values)?;
            Ok(Arc::new(state.optimize(&plan)?))
        }
    }
}

fn check_count(types: &HashMap<String, Option<DataType>>, given: usize) -> Result<(), QueryError> {
    let wanted = types
        .keys()
        .filter_map(|k| k.trim_start_matches('$').parse::<usize>().ok())
        .max()
        .unwrap_or(0);
    if wanted == given {
        return Ok(());
    }
    Err(QueryError::new(
        Class::Invalid,
        format!("the query has {wanted} parameters and {given} values were given"),
    ))
}

fn typed(
    param: Param,
    kind: Option<&Option<DataType>>,
    number: usize,
) -> Result<ScalarValue, QueryError> {
    let value = ScalarValue::from(param);
    match kind {
        Some(Some(kind)) if value.data_type() != *kind => value.cast_to(kind).map_err(|_| {
            QueryError::new(
                Class::Value,
                format!("parameter ${number} ({value}) is not a value of type {kind}"),
            )
        }),
        _ => Ok(value),
    }
}
