//! `callboard sql`: a question, and its answer as a table, JSON or CSV.

use std::io::Read as _;

use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde::Deserialize;
use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::client::{Client, Trouble};
use super::{Failure, block_on, print};
use crate::cli::{Format, SqlArgs};

/// Longest value shown in a table, characters; JSON and CSV have all.
const CELL: usize = 120;
/// Rows shown in a table; JSON and CSV have all.
const ROWS: usize = 10_000;

/// Does it.
///
/// # Errors
/// What the server says of the query.
pub fn run(args: &SqlArgs) -> Result<(), Failure> {
    let mut sql = args.sql.clone();
    if sql == "-" {
        sql.clear();
        std::io::stdin().read_to_string(&mut sql)?;
    }
    let client = Client::new(&args.to)?.at(args.as_of.as_deref());
    block_on(async {
        match args.format {
            Format::Csv => {
                let request = client
                    .request(Method::POST, &["v1", "sql"])
                    .header(CONTENT_TYPE, "application/sql")
                    .header(ACCEPT, "text/csv")
                    .body(sql);
                let mut response = client.send(request).await?;
                let mut rest = Vec::new();
                while let Some(chunk) = response
                    .chunk()
                    .await
                    .map_err(|e| Failure::failed(format!("the answer broke off: {e}")))?
                {
                    // Cut at a character, so that each piece is text.
                    rest.extend_from_slice(&chunk);
                    let whole = match std::str::from_utf8(&rest) {
                        Ok(text) => text.len(),
                        Err(e) => e.valid_up_to(),
                    };
                    print(&String::from_utf8_lossy(&rest[..whole]))?;
                    rest.drain(..whole);
                }
                Ok(())
            }
            Format::Json => {
                let answer = ask(&client, &sql, &[]).await?;
                print(&format!("{}\n", answer.raw_rows()?))
            }
            Format::Table => {
                let answer = ask(&client, &sql, &[]).await?;
                print(&table(&answer)?)
            }
        }
    })
}

/// An answer as the server writes it.
pub struct Rows {
    /// Columns in their order.
    pub columns: Vec<Column>,
    text: String,
}

/// A column.
#[derive(Debug, Clone, Deserialize)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Type, for alignment.
    #[serde(rename = "type", default)]
    pub kind: String,
}

#[derive(Deserialize)]
struct Answer<'a> {
    columns: Vec<Column>,
    #[serde(borrow)]
    rows: &'a RawValue,
}

fn unread(error: &serde_json::Error) -> Failure {
    Failure::failed(format!("the server's answer cannot be read: {error}"))
}

impl Rows {
    fn raw_rows(&self) -> Result<&str, Failure> {
        let answer: Answer<'_> = serde_json::from_str(&self.text).map_err(|e| unread(&e))?;
        Ok(answer.rows.get())
    }

    /// The rows as objects.
    ///
    /// # Errors
    /// When the answer is not what it should be.
    pub fn objects(&self) -> Result<Vec<serde_json::Map<String, Value>>, Failure> {
        serde_json::from_str(self.raw_rows()?).map_err(|e| unread(&e))
    }

    /// The rows one after the other, of which no more than one is held.
    ///
    /// # Errors
    /// When the answer is not what it should be.
    pub fn each(&self, take: impl FnMut(&serde_json::Map<String, Value>)) -> Result<(), Failure> {
        let mut rows = serde_json::Deserializer::from_str(self.raw_rows()?);
        rows.deserialize_seq(Each(take)).map_err(|e| unread(&e))
    }
}

/// Hands over the objects of a list.
struct Each<F>(F);

impl<'de, F: FnMut(&serde_json::Map<String, Value>)> Visitor<'de> for Each<F> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut rows: A) -> Result<(), A::Error> {
        while let Some(row) = rows.next_element()? {
            (self.0)(&row);
        }
        Ok(())
    }
}

/// Asks; parameters stand for `$1`, `$2` ...
///
/// # Errors
/// [`Trouble`], or an answer that cannot be read.
pub async fn ask(client: &Client, sql: &str, params: &[&str]) -> Result<Rows, Failure> {
    let question = serde_json::json!({ "sql": sql, "params": params, "format": "json" });
    let request = client
        .request(Method::POST, &["v1", "sql"])
        .header(CONTENT_TYPE, "application/json")
        .body(question.to_string());
    let response = client
        .send(request)
        .await
        .map_err(|trouble| match trouble {
            // The query is at fault, not the server: its sentence alone.
            Trouble::Never(what) => Failure::failed(what),
            later @ Trouble::Later { .. } => later.into(),
        })?;
    let text = client.text(response).await?;
    let columns = serde_json::from_str::<Answer<'_>>(&text)
        .map_err(|e| unread(&e))?
        .columns;
    Ok(Rows { columns, text })
}

/// A table for people: numbers to the right, what is not known left empty.
///
/// # Errors
/// When the answer is not what it should be.
pub fn table(rows: &Rows) -> Result<String, Failure> {
    let objects = rows.objects()?;
    let cells: Vec<Vec<String>> = objects
        .iter()
        .take(ROWS)
        .map(|row| {
            let of = |column: &Column| cell(row.get(&column.name).unwrap_or(&Value::Null));
            rows.columns.iter().map(of).collect()
        })
        .collect();
    let mut out = grid(&rows.columns, &cells);
    if objects.len() > ROWS {
        out += &format!("... {} more; --format csv has all\n", objects.len() - ROWS);
    }
    out += &match objects.len() {
        1 => "1 row\n".to_owned(),
        n => format!("{n} rows\n"),
    };
    Ok(out)
}

fn grid(columns: &[Column], cells: &[Vec<String>]) -> String {
    let width = |text: &str| text.chars().count();
    let widths: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(n, column)| {
            let longest = cells.iter().map(|row| width(&row[n])).max().unwrap_or(0);
            longest.max(width(&column.name))
        })
        .collect();
    let line = |values: Vec<&str>| {
        let padded = values.iter().enumerate().map(|(n, value)| {
            let gap = " ".repeat(widths[n] - width(value));
            match columns[n].kind.as_str() {
                "integer" | "number" => format!("{gap}{value}"),
                _ => format!("{value}{gap}"),
            }
        });
        let joined = padded.collect::<Vec<_>>().join("  ");
        format!("{}\n", joined.trim_end())
    };
    let mut out = line(columns.iter().map(|c| c.name.as_str()).collect());
    out += &line(
        widths
            .iter()
            .map(|w| "-".repeat(*w))
            .collect::<Vec<_>>()
            .iter()
            .map(String::as_str)
            .collect(),
    );
    for row in cells {
        out += &line(row.iter().map(String::as_str).collect());
    }
    out
}

/// A value as text: no line breaks or control characters, which could paint the terminal.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut out: String = text
        .chars()
        .take(CELL)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().count() > CELL {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Rows {
        let columns = serde_json::from_str::<Answer<'_>>(text).unwrap().columns;
        Rows {
            columns,
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_table_keeps_the_order_of_columns_and_aligns_numbers() {
        let answer = rows(
            r#"{"columns":[{"name":"queue","type":"text"},{"name":"n","type":"integer"}],
                "rows":[{"n":7,"queue":"sälés\u001b[31m"},{"n":120,"queue":null}],"version":1}"#,
        );
        assert_eq!(
            table(&answer).unwrap(),
            "queue         n\n----------  ---\nsälés [31m    7\n            120\n2 rows\n"
        );
        assert!(answer.raw_rows().unwrap().starts_with('['));
    }

    #[test]
    fn long_values_are_cut_in_tables_only() {
        let long = "x".repeat(500);
        assert_eq!(cell(&Value::from(long)).chars().count(), CELL + 1);
    }
}
