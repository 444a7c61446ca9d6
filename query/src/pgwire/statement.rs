//! What a client's statement is: a question for the engine, or one of the courtesies of the
//! protocol (transactions, settings, cursors) that are answered here.

use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use super::transaction::Step;
use crate::error::{Class, QueryError};

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// A question for the engine.
    Ask(String),
    /// A step of a transaction.
    Step(Step),
    /// Something without effect, with its tag.
    Courtesy(&'static str),
    /// SET: name and value.
    Set(String, String),
    /// SET LOCAL: name and value.
    SetLocal(String, String),
    /// RESET: name, or `all`; with its tag.
    Reset(String, &'static str),
    /// SHOW: name.
    Show(String),
}

/// The statements of a text, in order.
///
/// # Errors
/// When the text is not SQL, or a statement is not offered here.
pub fn split(sql: &str) -> Result<Vec<Statement>, QueryError> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql)
        .tokenize_with_location()
        .map_err(|e| QueryError::new(Class::Syntax, e.to_string()))?;
    let mut all = Vec::new();
    let mut words: Vec<String> = Vec::new();
    // Statements are cut out of the text itself: tokens do not print back as they stood.
    let mut offsets = Offsets::new(sql);
    let mut from = 0;
    for token in &tokens {
        match &token.token {
            Token::SemiColon => {
                let to = offsets.of(token.span.start.line, token.span.start.column);
                if !words.is_empty() {
                    all.push(one(sql.get(from..to).unwrap_or("").trim(), &words)?);
                    words.clear();
                }
                from = to + 1;
            }
            Token::Whitespace(_) | Token::EOF => {}
            Token::Word(w) => words.push(w.value.clone()),
            Token::SingleQuotedString(s) => words.push(s.clone()),
            other => words.push(other.to_string()),
        }
    }
    if !words.is_empty() {
        all.push(one(sql.get(from..).unwrap_or("").trim(), &words)?);
    }
    Ok(all)
}

/// Byte offsets of places given as line and column, both from 1, asked for in ascending order.
struct Offsets<'a> {
    chars: std::str::CharIndices<'a>,
    end: usize,
    line: u64,
    column: u64,
}

impl<'a> Offsets<'a> {
    fn new(text: &'a str) -> Self {
        Offsets {
            chars: text.char_indices(),
            end: text.len(),
            line: 1,
            column: 1,
        }
    }

    fn of(&mut self, line: u64, column: u64) -> usize {
        loop {
            let at = self.chars.clone().next();
            if (self.line, self.column) >= (line, column) {
                return at.map_or(self.end, |(i, _)| i);
            }
            match self.chars.next() {
                None => return self.end,
                Some((_, '\n')) => {
                    self.line += 1;
                    self.column = 1;
                }
                Some(_) => self.column += 1,
            }
        }
    }
}

fn one(text: &str, words: &[String]) -> Result<Statement, QueryError> {
    let word = |i: usize| {
        words
            .get(i)
            .map(|w| w.to_ascii_uppercase())
            .unwrap_or_default()
    };
    let statement = match word(0).as_str() {
        "BEGIN" => Statement::Step(Step::Begin),
        "START" if word(1) == "TRANSACTION" => Statement::Step(Step::Begin),
        "COMMIT" | "END" => Statement::Step(Step::Commit),
        "ROLLBACK" | "ABORT" if words.iter().any(|w| w.eq_ignore_ascii_case("TO")) => {
            Statement::Step(Step::RollbackTo(point(words)))
        }
        "ROLLBACK" | "ABORT" => Statement::Step(Step::Rollback),
        "SAVEPOINT" => Statement::Step(Step::Savepoint(point(words))),
        "RELEASE" => Statement::Step(Step::Release(point(words))),
        "RESET" => Statement::Reset(name(words), "RESET"),
        "DISCARD" if word(1) == "ALL" => Statement::Reset("all".to_owned(), "DISCARD ALL"),
        "DISCARD" => Statement::Courtesy("DISCARD"),
        "DEALLOCATE" => Statement::Courtesy("DEALLOCATE"),
        "UNLISTEN" => Statement::Courtesy("UNLISTEN"),
        "CLOSE" => Statement::Courtesy("CLOSE CURSOR"),
        "SET" => set(words)?,
        "SHOW" if !matches!(word(1).as_str(), "TABLES" | "COLUMNS" | "FUNCTIONS") => {
            Statement::Show(name(words))
        }
        "DECLARE" | "FETCH" | "MOVE" => {
            return Err(QueryError::new(
                Class::Unsupported,
                "server-side cursors are not supported; read the rows as they stream \
                 (psycopg: cursor.stream), or use LIMIT",
            ));
        }
        "COPY"
            if words.iter().any(|w| w.eq_ignore_ascii_case("STDOUT"))
                && !words.iter().any(|w| w.eq_ignore_ascii_case("PROGRAM")) =>
        {
            return Err(QueryError::new(
                Class::Unsupported,
                "COPY TO STDOUT is not supported; POST /v1/sql answers in CSV or Arrow",
            ));
        }
        _ => Statement::Ask(text.to_owned()),
    };
    Ok(statement)
}

/// The name that stands after the first word: `TIME ZONE`, `callboard.as_of`.
fn name(words: &[String]) -> String {
    let words = words.get(1..).unwrap_or_default();
    words.join(" ").replace(" . ", ".")
}

/// The name of a savepoint: it stands last.
fn point(words: &[String]) -> String {
    let last = words.last().map(|name| name.to_ascii_lowercase());
    last.unwrap_or_default()
}

/// SET [SESSION|LOCAL] name {=|TO} value, SET TIME ZONE value, SET TRANSACTION ...
fn set(words: &[String]) -> Result<Statement, QueryError> {
    let mut rest = words.get(1..).unwrap_or_default();
    let first = |rest: &[String]| {
        rest.first()
            .map(|w| w.to_ascii_uppercase())
            .unwrap_or_default()
    };
    let second = rest.get(1).map(|w| w.to_ascii_uppercase());
    if first(rest) == "SESSION" && second.as_deref() == Some("CHARACTERISTICS") {
        return Ok(Statement::Set(
            "session characteristics".into(),
            String::new(),
        ));
    }
    let local = first(rest) == "LOCAL";
    let made = |name: String, value: String| match local {
        true => Statement::SetLocal(name, value),
        false => Statement::Set(name, value),
    };
    if matches!(first(rest).as_str(), "SESSION" | "LOCAL") {
        rest = rest.get(1..).unwrap_or_default();
    }
    match first(rest).as_str() {
        "TIME" => {
            let value = rest.get(2..).unwrap_or_default().join(" ");
            return Ok(made("time zone".into(), value));
        }
        "TRANSACTION" => return Ok(Statement::Set("transaction".into(), String::new())),
        "NAMES" => {
            let value = rest.get(1..).unwrap_or_default().join(" ");
            return Ok(made("names".into(), value));
        }
        _ => {}
    }
    let at = rest
        .iter()
        .position(|w| w == "=" || w.eq_ignore_ascii_case("TO"))
        .filter(|at| *at > 0)
        .ok_or_else(|| {
            QueryError::new(
                Class::Syntax,
                "SET wants a name, then = or TO, then a value",
            )
        })?;
    let name = rest.get(..at).unwrap_or_default().concat();
    let value = rest.get(at + 1..).unwrap_or_default().concat();
    Ok(made(name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_lines_and_accents_are_split_where_they_end() {
        let all = split("SELECT 'ü;\n€';\n-- ;\nSELECT $$;$$ ; SELECT 3").unwrap();
        assert_eq!(
            all,
            [
                Statement::Ask("SELECT 'ü;\n€'".into()),
                Statement::Ask("-- ;\nSELECT $$;$$".into()),
                Statement::Ask("SELECT 3".into()),
            ]
        );
    }

    #[test]
    fn texts_are_split_and_told_apart() {
        let all =
            split("BEGIN; SELECT ';' AS x, E'a\\'b;' ;; SET statement_timeout TO '2s'; COMMIT")
                .unwrap();
        assert_eq!(
            all,
            [
                Statement::Step(Step::Begin),
                Statement::Ask("SELECT ';' AS x, E'a\\'b;'".into()),
                Statement::Set("statement_timeout".into(), "2s".into()),
                Statement::Step(Step::Commit),
            ]
        );
        assert_eq!(
            split("SET datafusion.execution.batch_size = 7").unwrap(),
            [Statement::Set(
                "datafusion.execution.batch_size".into(),
                "7".into()
            )]
        );
        assert_eq!(
            split("rollback to savepoint s1").unwrap(),
            [Statement::Step(Step::RollbackTo("s1".into()))]
        );
        assert_eq!(
            split("SET LOCAL callboard.as_of = 'x'; release savepoint S1").unwrap(),
            [
                Statement::SetLocal("callboard.as_of".into(), "x".into()),
                Statement::Step(Step::Release("s1".into()))
            ]
        );
        assert_eq!(
            split("show transaction isolation level").unwrap(),
            [Statement::Show("transaction isolation level".into())]
        );
        assert_eq!(
            split("RESET callboard.as_of; show Callboard.as_of").unwrap(),
            [
                Statement::Reset("callboard.as_of".into(), "RESET"),
                Statement::Show("Callboard.as_of".into())
            ]
        );
        assert_eq!(
            split("DECLARE c CURSOR FOR SELECT 1").unwrap_err().class,
            Class::Unsupported
        );
        assert!(split("  -- nothing").unwrap().is_empty());
    }
}
