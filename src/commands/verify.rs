//! `callboard verify`: a server's tables held against the truth of a simulation, day by day.

mod compare;
mod reasons;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use callboard_datasets::simulate::{TABLES, Table, read_date, write_date};
use serde_json::Value;

use super::client::Client;
use super::sql::ask;
use super::{Failure, block_on, print};
use crate::cli::VerifyArgs;
use compare::{Difference, Found, Row, compare};

/// Pause between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// Does it.
///
/// # Errors
/// When a table differs, the truth cannot be read, or the server gives no answer.
pub fn run(args: &VerifyArgs) -> Result<(), Failure> {
    let client = Client::new(&args.to)?;
    block_on(async {
        let until = Instant::now() + Duration::from_secs(args.wait);
        let mut different = 0;
        for table in TABLES {
            let found = loop {
                let found = held_against(&client, args, table).await?;
                if found.differing == 0 || Instant::now() >= until {
                    break found;
                }
                tokio::time::sleep(PAUSE).await;
            };
            different += usize::from(found.differing > 0);
            print(&report(&client, table, &found).await?)?;
        }
        counts(&client, &args.truth).await?;
        if different == 0 {
            return print("all tables equal the truth\n");
        }
        Err(Failure::failed(format!(
            "{different} tables differ from the truth"
        )))
    })
}

/// One table, the days of the truth one after the other.
async fn held_against(client: &Client, args: &VerifyArgs, table: &Table) -> Result<Found, Failure> {
    let mut found = Found::default();
    let mut days = Days::open(&args.truth, table)?;
    let columns = quoted(table.columns);
    let Some(time) = table.time else {
        let truth = days.next()?.map_or(Vec::new(), |(_, rows)| rows);
        let sql = format!("SELECT {columns} FROM {}", table.name);
        let ours = rows(client, table, &sql, &[]).await?;
        compare(table, truth, ours, args.show, &mut found);
        return Ok(found);
    };
    let mut first = None;
    let mut next: Option<i64> = None;
    while let Some((day, truth)) = days.next()? {
        first.get_or_insert(day);
        // A day without truth may have rows too.
        for empty in next.unwrap_or(day)..day {
            one_day(client, table, empty, Vec::new(), args.show, &mut found).await?;
        }
        one_day(client, table, day, truth, args.show, &mut found).await?;
        next = Some(day + 1);
    }
    let (from, to) = (start(first.unwrap_or(0)), start(next.unwrap_or(0)));
    let sql = format!(
        "SELECT {columns} FROM {} WHERE {time} IS NULL OR {time} < $1 OR {time} >= $2",
        table.name
    );
    let outside = rows(client, table, &sql, &[&from, &to]).await?;
    compare(table, Vec::new(), outside, args.show, &mut found);
    Ok(found)
}

fn start(day: i64) -> String {
    format!("{}T00:00:00Z", write_date(day))
}

async fn one_day(
    client: &Client,
    table: &Table,
    day: i64,
    truth: Vec<Row>,
    show: usize,
    found: &mut Found,
) -> Result<(), Failure> {
    let time = table.time.unwrap_or_default();
    let sql = format!(
        "SELECT {} FROM {} WHERE {time} >= $1 AND {time} < $2",
        quoted(table.columns),
        table.name
    );
    let ours = rows(client, table, &sql, &[&start(day), &start(day + 1)]).await?;
    compare(table, truth, ours, show, found);
    Ok(())
}

fn quoted(columns: &[&str]) -> String {
    columns
        .iter()
        .map(|c| format!("\"{c}\""))
        .collect::<Vec<_>>()
        .join(", ")
}

async fn rows(
    client: &Client,
    table: &Table,
    sql: &str,
    params: &[&str],
) -> Result<Vec<Row>, Failure> {
    let answer = ask(client, sql, params).await?.objects()?;
    Ok(answer.iter().map(|row| Row::of(table, row)).collect())
}

/// The truth of one table, by UTC days.
struct Days<'a> {
    table: &'a Table,
    path: String,
    lines: std::io::Lines<BufReader<File>>,
    ahead: Option<(i64, Row)>,
}

impl<'a> Days<'a> {
    fn open(truth: &Path, table: &'a Table) -> Result<Self, Failure> {
        let path = truth.join("truth").join(format!("{}.ndjson", table.name));
        let name = path.display().to_string();
        let file = File::open(&path).map_err(|e| {
            Failure::failed(format!(
                "{name}: {e}; --truth names a folder that `callboard simulate` wrote"
            ))
        })?;
        Ok(Days {
            table,
            path: name,
            lines: BufReader::new(file).lines(),
            ahead: None,
        })
    }

    fn row(&mut self) -> Result<Option<(i64, Row)>, Failure> {
        let Some(line) = self.lines.next() else {
            return Ok(None);
        };
        let unread = |e: &dyn std::fmt::Display| Failure::failed(format!("{}: {e}", self.path));
        let line = line.map_err(|e| unread(&e))?;
        let object: serde_json::Map<String, Value> =
            serde_json::from_str(&line).map_err(|e| unread(&e))?;
        let day = match self.table.time {
            None => 0,
            Some(time) => object
                .get(time)
                .and_then(Value::as_str)
                .and_then(|text| read_date(text.get(..10)?))
                .ok_or_else(|| unread(&"a row without its time"))?,
        };
        Ok(Some((day, Row::of(self.table, &object))))
    }

    /// The next day that has rows.
    fn next(&mut self) -> Result<Option<(i64, Vec<Row>)>, Failure> {
        let first = match self.ahead.take() {
            Some(row) => Some(row),
            None => self.row()?,
        };
        let Some((day, row)) = first else {
            return Ok(None);
        };
        let mut rows = vec![row];
        while let Some((other, row)) = self.row()? {
            if other != day {
                self.ahead = Some((other, row));
                break;
            }
            rows.push(row);
        }
        Ok(Some((day, rows)))
    }
}

async fn report(client: &Client, table: &Table, found: &Found) -> Result<String, Failure> {
    let name = table.name;
    if found.differing == 0 {
        return Ok(format!("{name:<16} {:>10} rows  equal\n", found.rows));
    }
    let mut out = format!(
        "{name:<16} {:>10} rows  {} DIFFER\n",
        found.rows, found.differing
    );
    for difference in &found.shown {
        out += &difference.text(table);
        out += &reasons::of(client, table, difference).await?;
    }
    Ok(out)
}

/// What else must be there: each new event once.
async fn counts(client: &Client, truth: &Path) -> Result<(), Failure> {
    let path = truth.join("manifest.json");
    let text = std::fs::read_to_string(&path)
        .map_err(|e| Failure::failed(format!("{}: {e}", path.display())))?;
    let manifest: Value = serde_json::from_str(&text)
        .map_err(|e| Failure::failed(format!("{}: {e}", path.display())))?;
    let of = |name: &str| manifest["counts"][name].as_i64().unwrap_or(0);
    let sql = "SELECT count(*) AS n FROM records WHERE starts_with(source, '/sim/')";
    let answer = ask(client, sql, &[]).await?.objects()?;
    let records = answer
        .first()
        .and_then(|row| row.get("n")?.as_i64())
        .unwrap_or(0);
    let (taken, conflicts) = (of("taken"), of("conflicts"));
    print(&format!(
        "{:<16} {records:>10} rows  {}\n",
        "records",
        if records == taken + conflicts {
            "equal: new events, and the other words of those told twice".to_owned()
        } else {
            format!("DIFFER: {taken} new events and {conflicts} conflicts were sent")
        }
    ))?;
    if records == taken + conflicts {
        Ok(())
    } else {
        Err(Failure::failed("the records differ from what was sent"))
    }
}
