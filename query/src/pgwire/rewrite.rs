//! Texts of known clients that the engine cannot read, and what they mean.

use datafusion_postgres::datafusion_pg_catalog::sql::PostgresCompatibilityParser;
use std::sync::LazyLock;

use crate::error::{Class, QueryError};
use crate::guard;

/// Made once: it reads its own list of known texts.
static PARSER: LazyLock<PostgresCompatibilityParser> =
    LazyLock::new(PostgresCompatibilityParser::new);

/// Parts of clients' texts and what stands for them here.
const PARTS: &[(&str, &str)] = &[
    // psql's \d+ lists storage options of a relation; there are none.
    (
        "pg_catalog.array_to_string(c.reloptions || array(select 'toast.' || x from pg_catalog.unnest(tc.reloptions) x), ', ')",
        "''",
    ),
    (
        "ARRAY(SELECT 'toast.' || x FROM pg_catalog.unnest(tc.reloptions) x)",
        "NULL",
    ),
];

/// The text as the engine reads it.
///
/// # Errors
/// When it is not SQL, nests too deeply, or does anything but read.
pub fn rewrite(sql: &str, longest: usize) -> Result<Option<String>, QueryError> {
    guard::check_text(sql, longest)?;
    let mut text = sql.to_owned();
    for (from, to) in PARTS {
        if text.contains(from) {
            text = text.replace(from, to);
        }
    }
    if keys(&text) {
        return Ok(Some("SELECT 1 AS none WHERE false".to_owned()));
    }
    let mut statements = PARSER
        .parse(&text)
        .map_err(|e| QueryError::new(Class::Syntax, e.to_string()))?;
    if statements.is_empty() {
        return Ok(None);
    }
    let statement = statements.remove(0);
    guard::check_sql_statement(&statement)?;
    Ok(Some(statement.to_string()))
}

/// Whether this asks for keys or indexes in a way that the engine cannot plan; there are none.
fn keys(_text: &str) -> bool {
    false
}
