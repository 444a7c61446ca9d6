//! Catalogue questions of known clients that the engine cannot plan, and what they mean here:
//! there are no keys, indexes, sequences, defaults or privileges to tell of.

use std::ops::ControlFlow;
use std::sync::LazyLock;

use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArguments, SelectItem, SetExpr, Statement, Value, visit_expressions_mut,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion_postgres::datafusion_pg_catalog::sql::PostgresCompatibilityParser;

use super::zoned;
use crate::error::{Class, QueryError};
use crate::guard;

/// Made once: it reads its own list of known texts.
static PARSER: LazyLock<PostgresCompatibilityParser> =
    LazyLock::new(PostgresCompatibilityParser::new);

/// What correlated subqueries of the catalogue ask for that does not exist here.
const NOTHING: &[&str] = &[
    "pg_attrdef",
    "pg_sequence",
    "pg_collation",
    "typcollation",
    "pg_auth_members",
];

/// The text as the engine reads it; `None` when there is no statement in it. `zone` is the
/// connection's, if it is not UTC.
///
/// # Errors
/// When it is not SQL, nests too deeply, or does anything but read.
pub fn rewrite(
    sql: &str,
    longest: usize,
    zone: Option<&str>,
) -> Result<Option<String>, QueryError> {
    guard::check_text(sql, longest)?;
    let mut statements = PARSER
        .parse(sql)
        .map_err(|e| QueryError::new(Class::Syntax, e.to_string()))?;
    if statements.is_empty() {
        return Ok(None);
    }
    let mut statement = statements.remove(0);
    guard::check_sql_statement(&statement)?;
    if sql.contains("unnest(") && (sql.contains("indkey") || sql.contains("conkey")) {
        return Ok(Some(no_rows(&statement)));
    }
    // What is compared with a time is repeated in the text: a few nested comparisons would make it
    // as long as memory goes.
    let mut room = longest;
    let seen = visit_expressions_mut(&mut statement, |expr| {
        replace(expr);
        match zoned::rewrite(expr, zone, &mut room) {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    });
    if seen.is_break() {
        return Err(QueryError::new(
            Class::TooComplex,
            "long expressions are compared with times again and again; name them in a subquery first",
        ));
    }
    Ok(Some(statement.to_string()))
}

pub(super) fn parsed(text: &str) -> Option<Expr> {
    Parser::new(&PostgreSqlDialect {})
        .try_with_sql(text)
        .and_then(|mut p| p.parse_expr())
        .ok()
}

fn replace(expr: &mut Expr) {
    let null = || parsed("CAST(NULL AS VARCHAR)");
    let new = match expr {
        Expr::Subquery(query) => {
            let text = query.to_string();
            NOTHING
                .iter()
                .any(|n| text.contains(n))
                .then(null)
                .flatten()
        }
        Expr::Function(f) => {
            let name = f.name.to_string().to_ascii_lowercase();
            let subquery = matches!(f.args, FunctionArguments::Subquery(_));
            let options = name.ends_with("array_to_string") && empty(&f.args.to_string());
            ((name == "array" && subquery) || options)
                .then(null)
                .flatten()
        }
        // Storage options of relations: the catalogue has no such column.
        Expr::CompoundIdentifier(parts)
            if parts.last().is_some_and(|p| p.value == "reloptions") =>
        {
            null()
        }
        // The engine's LIKE knows the backslash only.
        Expr::Like {
            pattern,
            escape_char,
            ..
        }
        | Expr::ILike {
            pattern,
            escape_char,
            ..
        } => {
            if let Some(Value::SingleQuotedString(c)) = escape_char.as_ref().map(|v| &v.value)
                && c != "\\"
                && c.chars().count() == 1
            {
                let quoted = c.replace('\'', "''");
                let text = format!("replace({pattern}, '{quoted}', '\\')");
                if let Some(new) = parsed(&text) {
                    **pattern = new;
                    *escape_char = None;
                }
            }
            None
        }
        _ => None,
    };
    if let Some(new) = new {
        *expr = new;
    }
}

/// Whether a list of privileges or options is asked for that is always empty here.
fn empty(arguments: &str) -> bool {
    arguments.contains("acl") || arguments.contains("CAST(NULL AS VARCHAR)")
}

/// A statement with the same column names and no rows.
fn no_rows(statement: &Statement) -> String {
    let mut names = Vec::new();
    if let Statement::Query(query) = statement
        && let SetExpr::Select(select) = query.body.as_ref()
    {
        for item in &select.projection {
            names.push(match item {
                SelectItem::ExprWithAlias { alias, .. } => alias.value.clone(),
                SelectItem::UnnamedExpr(Expr::Identifier(i)) => i.value.clone(),
                SelectItem::UnnamedExpr(Expr::CompoundIdentifier(all)) => {
                    all.last().map(|i| i.value.clone()).unwrap_or_default()
                }
                _ => "none".to_owned(),
            });
        }
    }
    if names.is_empty() {
        names.push("none".to_owned());
    }
    let columns: Vec<String> = names
        .iter()
        .map(|n| format!("CAST(NULL AS VARCHAR) AS \"{}\"", n.replace('"', "\"\"")))
        .collect();
    format!("SELECT {} WHERE false", columns.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(sql: &str) -> String {
        rewrite(sql, 1 << 16, None).unwrap().unwrap()
    }

    #[test]
    fn what_does_not_exist_here_is_null() {
        assert_eq!(
            of("SELECT ARRAY(SELECT b.rolname FROM pg_catalog.pg_roles b) AS m"),
            "SELECT CAST(NULL AS VARCHAR) AS m"
        );
        let acl = of(
            "SELECT pg_catalog.array_to_string(n.nspacl, ',') AS x FROM pg_catalog.pg_namespace n",
        );
        assert!(
            acl.starts_with("SELECT CAST(NULL AS VARCHAR) AS x"),
            "{acl}"
        );
        let options = of(
            "SELECT array_to_string(c.reloptions || array(select 'toast.' || x FROM pg_catalog.pg_class x), ', ') AS o FROM pg_catalog.pg_class c",
        );
        assert!(
            options.starts_with("SELECT CAST(NULL AS VARCHAR) AS o"),
            "{options}"
        );
        let keys = of("SELECT a.x, unnest(pg_index.indkey) AS k FROM pg_catalog.pg_index a");
        assert_eq!(
            keys,
            "SELECT CAST(NULL AS VARCHAR) AS \"x\", CAST(NULL AS VARCHAR) AS \"k\" WHERE false"
        );
    }

    #[test]
    fn another_escape_becomes_the_backslash() {
        let like = of("SELECT 1 WHERE 'a' NOT LIKE $1 || '%' ESCAPE '/'");
        assert!(
            like.contains("NOT LIKE replace($1 || '%', '/', '\\')"),
            "{like}"
        );
    }
}
