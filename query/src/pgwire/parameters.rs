//! Parameters of prepared statements: their types, and the values that a client binds to them.

use arrow::datatypes::DataType;
use datafusion::common::ParamValues;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion_postgres::arrow_pg::datatypes::df::deserialize_parameters_with_server_types;
use datafusion_postgres::arrow_pg::datatypes::into_pg_type;
use datafusion_postgres::pgwire::api::Type;
use datafusion_postgres::pgwire::api::portal::Portal;
use datafusion_postgres::pgwire::error::PgWireResult;

use super::handler::Prepared;
use super::rows::fail;
use crate::cache::Kept;
use crate::error::QueryError;

/// Types of the parameters in order: the engine's, where known, and the wire's.
pub(super) fn parameters(kept: &Kept) -> Result<(Vec<Option<DataType>>, Vec<Type>), QueryError> {
    let mut types = kept.logical.get_parameter_types()?;
    for id in counts(&kept.logical) {
        types.entry(id).or_default().get_or_insert(DataType::Int64);
    }
    let most = types
        .keys()
        .filter_map(|k| k.trim_start_matches('$').parse::<usize>().ok())
        .max()
        .unwrap_or(0);
    let ours: Vec<Option<DataType>> = (1..=most)
        .map(|n| types.get(&format!("${n}")).cloned().flatten())
        .collect();
    let wire = ours
        .iter()
        .map(|t| match t {
            Some(t) => into_pg_type(t).unwrap_or(Type::UNKNOWN),
            None => Type::UNKNOWN,
        })
        .collect();
    Ok((ours, wire))
}

/// Parameters that stand as LIMIT or OFFSET, whose type the engine does not tell.
fn counts(plan: &LogicalPlan) -> Vec<String> {
    let mut found = Vec::new();
    // Looking cannot fail.
    let _ = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Limit(limit) = node {
            for expr in [&limit.skip, &limit.fetch].into_iter().flatten() {
                let mut expr: &Expr = expr;
                while let Expr::Cast(cast) = expr {
                    expr = &cast.expr;
                }
                if let Expr::Placeholder(p) = expr {
                    found.push(p.id.clone());
                }
            }
        }
        Ok(TreeNodeRecursion::Continue)
    });
    found
}

/// The values of a portal.
///
/// # Errors
/// When one is no value of its parameter's type.
pub(super) fn bound(portal: &Portal<Prepared>, kept: &Kept) -> PgWireResult<Option<ParamValues>> {
    let (ours, wire) = parameters(kept).map_err(fail)?;
    if ours.is_empty() {
        return Ok(None);
    }
    let ours: Vec<Option<&DataType>> = ours.iter().map(Option::as_ref).collect();
    let wire: Vec<Option<&Type>> = wire.iter().map(Some).collect();
    deserialize_parameters_with_server_types(portal, &ours, &wire).map(Some)
}
