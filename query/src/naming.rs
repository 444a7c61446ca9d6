//! Names for columns of an answer that would otherwise bear the same one twice: to the engine
//! `started_at AT TIME ZONE 'X'` and `started_at::date` are both called `started_at`, and it refuses
//! them beside the column itself. PostgreSQL calls the first `timezone`.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, Select, SelectItem, Statement, VisitMut, VisitorMut,
};

/// Gives such columns names of their own.
pub(crate) fn give(statement: &mut Statement) {
    // The visit is never broken off.
    let _: ControlFlow<()> = statement.visit(&mut Names);
}

struct Names;

impl VisitorMut for Names {
    type Break = ();

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let items = &mut select.projection;
        let mut taken: HashSet<String> = items.iter().filter_map(own).collect();
        let all = items.iter().any(|item| {
            matches!(
                item,
                SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)
            )
        });
        for item in items {
            let SelectItem::UnnamedExpr(expr) = item else {
                continue;
            };
            let name = match figure(expr) {
                Some(Figure::Column(_)) | None => continue,
                // A star may bring the column itself.
                Some(Figure::Cast(name)) if all || taken.contains(&name) => next(&name, &taken),
                Some(Figure::Cast(name)) => {
                    taken.insert(name);
                    continue;
                }
                Some(Figure::Zoned) if taken.contains("timezone") => next("timezone", &taken),
                Some(Figure::Zoned) => "timezone".to_owned(),
            };
            taken.insert(name.clone());
            *item = SelectItem::ExprWithAlias {
                expr: expr.clone(),
                alias: Ident::with_quote('"', name),
            };
        }
        ControlFlow::Continue(())
    }
}

/// The first of `name_2`, `name_3` ... that is free.
fn next(name: &str, taken: &HashSet<String>) -> String {
    (2..)
        .map(|n| format!("{name}_{n}"))
        .find(|n| !taken.contains(n))
        .unwrap_or_default()
}

/// The name that an item has whatever else is asked for.
fn own(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(told(alias)),
        SelectItem::UnnamedExpr(expr) => match figure(expr) {
            Some(Figure::Column(name)) => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// What an expression without a name is called after.
enum Figure {
    /// A column.
    Column(String),
    /// A column that is cast.
    Cast(String),
    /// A time in a zone.
    Zoned,
}

fn figure(expr: &Expr) -> Option<Figure> {
    match expr {
        Expr::Identifier(name) => Some(Figure::Column(told(name))),
        Expr::CompoundIdentifier(names) => names.last().map(|n| Figure::Column(told(n))),
        Expr::Nested(inner) => figure(inner),
        Expr::Cast { expr, .. } => match figure(expr)? {
            Figure::Column(name) | Figure::Cast(name) => Some(Figure::Cast(name)),
            Figure::Zoned => Some(Figure::Zoned),
        },
        Expr::AtTimeZone { .. } => Some(Figure::Zoned),
        Expr::Function(f) if f.name.to_string().eq_ignore_ascii_case("timezone") => {
            Some(Figure::Zoned)
        }
        _ => None,
    }
}

/// A name as the engine reads it.
fn told(name: &Ident) -> String {
    match name.quote_style {
        Some(_) => name.value.clone(),
        None => name.value.to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
    use datafusion::sql::sqlparser::parser::Parser;

    fn of(sql: &str) -> String {
        let mut all = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap();
        super::give(&mut all[0]);
        all[0].to_string()
    }

    #[test]
    fn only_what_would_be_called_the_same_gets_a_name() {
        for (sql, told) in [
            (
                "SELECT a AT TIME ZONE 'X', a FROM t",
                "SELECT a AT TIME ZONE 'X' AS \"timezone\", a FROM t",
            ),
            (
                "SELECT a AT TIME ZONE 'X', (a AT TIME ZONE 'Y')::DATE, timezone FROM t",
                "SELECT a AT TIME ZONE 'X' AS \"timezone_2\", (a AT TIME ZONE 'Y')::DATE AS \"timezone_3\", timezone FROM t",
            ),
            (
                "SELECT a::DATE, A, a::TEXT FROM t",
                "SELECT a::DATE AS \"a_2\", A, a::TEXT AS \"a_3\" FROM t",
            ),
            (
                "SELECT a::DATE, count(*) FROM t GROUP BY 1",
                "SELECT a::DATE, count(*) FROM t GROUP BY 1",
            ),
            (
                "SELECT *, a::DATE FROM t",
                "SELECT *, a::DATE AS \"a_2\" FROM t",
            ),
        ] {
            assert_eq!(of(sql), told, "{sql}");
        }
    }
}
