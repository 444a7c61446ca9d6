//! What may be asked at all: reading, and nothing else. Checked on the text, on the statement
//! and on the plan, since each alone has holes: EXPLAIN ANALYZE runs what it explains, SELECT
//! INTO makes a table, and SET changes the engine for everybody. What the engine would pass over in
//! silence is refused too: whoever asks for a sample must not take all rows for one.

use std::ops::ControlFlow;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{Query, Statement, TableFactor, Visit, Visitor};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use crate::error::{Class, QueryError};

/// Deepest nesting of parentheses and brackets.
const MAX_DEPTH: usize = 48;
/// Most operators and set operations of one text; each may nest the next one level deeper.
const MAX_OPERATORS: usize = 600;

/// Refuses texts that are too long or nested too deeply, before anything recursive reads them.
///
/// # Errors
/// [`Class::TooComplex`] or [`Class::Syntax`].
pub fn check_text(sql: &str, longest: usize) -> Result<(), QueryError> {
    if sql.len() > longest {
        return Err(QueryError::new(
            Class::TooComplex,
            format!(
                "the SQL text has {} bytes, the limit is {longest}; send large lists as parameters",
                sql.len()
            ),
        ));
    }
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql)
        .tokenize()
        .map_err(|e| QueryError::new(Class::Syntax, e.to_string()))?;
    let (mut depth, mut deepest, mut operators) = (0_usize, 0_usize, 0_usize);
    for token in &tokens {
        match token {
            Token::LParen | Token::LBracket | Token::LBrace => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            Token::RParen | Token::RBracket | Token::RBrace => depth = depth.saturating_sub(1),
            Token::Word(w) if w.quote_style.is_none() => {
                let word = w.value.to_ascii_uppercase();
                if matches!(
                    word.as_str(),
                    "AND"
                        | "OR"
                        | "NOT"
                        | "UNION"
                        | "EXCEPT"
                        | "INTERSECT"
                        | "JOIN"
                        | "IS"
                        | "LIKE"
                        | "ILIKE"
                        | "BETWEEN"
                        | "CASE"
                        | "SELECT"
                        | "COLLATE"
                        | "AT"
                        | "IN"
                ) {
                    operators += 1;
                }
            }
            Token::Word(_)
            | Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::EscapedStringLiteral(_)
            | Token::DollarQuotedString(_)
            | Token::Placeholder(_)
            | Token::Comma
            | Token::Period
            | Token::SemiColon
            | Token::Whitespace(_)
            | Token::EOF => {}
            _ => operators += 1,
        }
    }
    if deepest > MAX_DEPTH || operators > MAX_OPERATORS {
        return Err(QueryError::new(
            Class::TooComplex,
            format!(
                "the SQL nests {deepest} deep with {operators} operators; the limits are \
                 {MAX_DEPTH} and {MAX_OPERATORS}"
            ),
        ));
    }
    Ok(())
}

/// Lets through statements that only read.
///
/// # Errors
/// [`Class::ReadOnly`] naming what was refused.
pub fn check_statement(statement: &DfStatement) -> Result<(), QueryError> {
    match statement {
        DfStatement::Statement(inner) => check_sql_statement(inner),
        DfStatement::Explain(explain) => check_statement(&explain.statement),
        other => Err(refused(&other.to_string())),
    }
}

/// The same for a statement of the parser.
///
/// # Errors
/// [`Class::ReadOnly`] naming what was refused.
pub fn check_sql_statement(statement: &Statement) -> Result<(), QueryError> {
    match statement {
        Statement::Query(query) => match query.visit(&mut PassedOver) {
            ControlFlow::Break(refusal) => Err(*refusal),
            ControlFlow::Continue(()) => Ok(()),
        },
        Statement::ExplainTable { .. }
        | Statement::ShowTables { .. }
        | Statement::ShowColumns { .. }
        | Statement::ShowVariable { .. } => Ok(()),
        Statement::Explain { statement, .. } => check_sql_statement(statement),
        other => Err(refused(&other.to_string())),
    }
}

/// Looks for what the engine reads and then passes over.
struct PassedOver;

impl Visitor for PassedOver {
    type Break = Box<QueryError>;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Self::Break> {
        match query.locks.first() {
            Some(lock) => ControlFlow::Break(Box::new(QueryError::new(
                Class::ReadOnly,
                format!("only reading is possible here, rows cannot be locked; refused: {lock}"),
            ))),
            None => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<Self::Break> {
        let what = match table {
            TableFactor::Table {
                sample: Some(_), ..
            }
            | TableFactor::Derived {
                sample: Some(_), ..
            } => "TABLESAMPLE is not offered; take a part of the rows with WHERE or LIMIT",
            TableFactor::Table {
                with_ordinality: true,
                ..
            } => "WITH ORDINALITY is not offered; number the rows with row_number() OVER ()",
            _ => return ControlFlow::Continue(()),
        };
        ControlFlow::Break(Box::new(QueryError::new(Class::Unsupported, what)))
    }
}

fn refused(statement: &str) -> QueryError {
    let short: String = statement.chars().take(60).collect();
    QueryError::new(
        Class::ReadOnly,
        format!("only reading is possible here; refused: {short}"),
    )
}

/// Refuses plans that would write, define or set anything, wherever it hides.
///
/// # Errors
/// [`Class::ReadOnly`].
pub fn check_plan(plan: &LogicalPlan) -> Result<(), QueryError> {
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
        .verify_plan(plan)
        .map_err(|e| QueryError::new(Class::ReadOnly, e.strip_backtrace()))?;
    // EXPLAIN keeps its plan aside; it is looked into by name.
    let mut bad = None;
    plan.apply_with_subqueries(|node| {
        if matches!(
            node,
            LogicalPlan::Ddl(_)
                | LogicalPlan::Dml(_)
                | LogicalPlan::Copy(_)
                | LogicalPlan::Statement(_)
        ) {
            bad = Some(refused(&node.display().to_string()));
            return Ok(TreeNodeRecursion::Stop);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    match bad {
        Some(e) => Err(e),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_and_operators_are_bounded() {
        let deep = format!("SELECT {}1{}", "(".repeat(500), ")".repeat(500));
        assert_eq!(
            check_text(&deep, 1 << 20).unwrap_err().class,
            Class::TooComplex
        );
        let wide = format!("SELECT 1{}", "+1".repeat(50_000));
        assert_eq!(
            check_text(&wide, 1 << 20).unwrap_err().class,
            Class::TooComplex
        );
        let list = format!("SELECT 1 IN ({}1)", "1,".repeat(20_000));
        assert!(check_text(&list, 1 << 20).is_ok());
        assert_eq!(
            check_text("SELECT 1", 3).unwrap_err().class,
            Class::TooComplex
        );
    }
}
