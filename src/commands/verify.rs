//! `callboard verify`: a server's tables held against the truth of a simulation, day by day.

mod conflicts;
mod reasons;
mod slices;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use callboard_datasets::compare::{Found, Row, compare};
use callboard_datasets::simulate::{ManifestError, TABLES, Table, Written, write_date};
use serde_json::{Map, Value};

use super::client::Client;
use super::sql::ask;
use super::{Failure, block_on, print};
use crate::cli::VerifyArgs;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// Does it.
///
/// # Errors
/// When a table differs, the truth cannot be read, or the server gives no answer.
pub fn run(args: &VerifyArgs) -> Result<(), Failure> {
    // Written last: with it the truth is whole, whatever is asked for.
    let written = Written::read(&args.truth).map_err(|e| no_truth(&e))?;
    let client = Client::new(&args.to)?;
    block_on(async {
        let until = Instant::now() + Duration::from_secs(args.wait);
        let mut different = 0;
        let asked = |name: &str| args.only.is_empty() || args.only.iter().any(|only| only == name);
        for table in TABLES.iter().filter(|table| asked(table.name)) {
            let files = written.files(table).map_err(|e| no_truth(&e))?;
            let found = loop {
                let found = held_against(&client, args, table, &files).await?;
                if found.differing == 0 || Instant::now() >= until {
                    break found;
                }
                tokio::time::sleep(PAUSE).await;
            };
            different += usize::from(found.differing > 0);
            print(&report(&client, table, &found).await?)?;
        }
        let records = match asked("records") {
            true => counts(&client, &written, args.show).await?,
            false => Vec::new(),
        };
        match wrong(different, &records) {
            Some(why) => Err(Failure::failed(why)),
            None => print(match args.only.is_empty() {
                true => "all tables equal the truth\n",
                false => "what was asked for equals the truth\n",
            }),
        }
    })
}

/// What is not as it should be: so many tables, and these counts of records.
fn wrong(tables: usize, records: &[&str]) -> Option<String> {
    let tables = match tables {
        0 => None,
        1 => Some("1 table differs from the truth".to_owned()),
        n => Some(format!("{n} tables differ from the truth")),
    };
    let records = (!records.is_empty()).then(|| {
        format!(
            "the records differ from what was sent: {}",
            records.join(", ")
        )
    });
    let all: Vec<String> = tables.into_iter().chain(records).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

fn no_truth(why: &ManifestError) -> Failure {
    Failure::failed(why.to_string())
}

/// One table, the days of the truth one after the other.
async fn held_against(
    client: &Client,
    args: &VerifyArgs,
    table: &Table,
    days: &BTreeMap<i64, PathBuf>,
) -> Result<Found, Failure> {
    let mut found = Found::default();
    let columns = quoted(table);
    if let Some(letters) = table.pieces {
        slices::held_against(client, args, (table, letters), days, &mut found).await?;
        return Ok(found);
    }
    let Some(time) = table.time else {
        let mut truth = Vec::new();
        for file in days.values() {
            truth.extend(read(table, file)?);
        }
        let sql = format!("SELECT {columns} FROM {}", table.name);
        let ours = rows(client, table, &sql, &[]).await?;
        compare(table, truth, ours, args.show, &mut found);
        return Ok(found);
    };
    let first = days.keys().next().copied().unwrap_or(0);
    let last = days.keys().next_back().map_or(first, |day| day + 1);
    // A day without truth may have rows too.
    for day in first..last {
        let truth = match days.get(&day) {
            Some(file) => read(table, file)?,
            None => Vec::new(),
        };
        let sql = format!(
            "SELECT {columns} FROM {} WHERE {time} >= $1 AND {time} < $2",
            table.name
        );
        let ours = rows(client, table, &sql, &[&start(day), &start(day + 1)]).await?;
        compare(table, truth, ours, args.show, &mut found);
    }
    let sql = format!(
        "SELECT {columns} FROM {} WHERE {time} IS NULL OR {time} < $1 OR {time} >= $2",
        table.name
    );
    let outside = rows(client, table, &sql, &[&start(first), &start(last)]).await?;
    compare(table, Vec::new(), outside, args.show, &mut found);
    Ok(found)
}

fn start(day: i64) -> String {
    format!("{}T00:00:00Z", write_date(day))
}

fn quoted(table: &Table) -> String {
    let columns = table.compared().map(|c| format!("\"{c}\""));
    columns.collect::<Vec<_>>().join(", ")
}

async fn rows(
    client: &Client,
    table: &Table,
    sql: &str,
    params: &[&str],
) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    let answer = ask(client, sql, params).await?;
    answer.each(|row| rows.push(Row::of(table, row)))?;
    Ok(rows)
}

fn unread(path: &Path, why: &dyn std::fmt::Display) -> Failure {
    Failure::failed(format!(
        "{}: {why}; --truth names a folder that `callboard simulate` wrote",
        path.display()
    ))
}

/// The rows of a file.
fn read(table: &Table, path: &Path) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    each(path, |object| {
        rows.push(Row::of(table, object));
        Ok(())
    })?;
    Ok(rows)
}

/// The objects of a file, one after the other.
fn each(
    path: &Path,
    take: impl FnMut(&Map<String, Value>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let file = File::open(path).map_err(|e| unread(path, &e))?;
    objects(file, path, take)
}

/// The same of an open file, of which `path` says where it is.
fn objects(
    file: File,
    path: &Path,
    mut take: impl FnMut(&Map<String, Value>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for line in BufReader::new(file).lines() {
        let line = line.map_err(|e| unread(path, &e))?;
        take(&serde_json::from_str(&line).map_err(|e| unread(path, &e))?)?;
    }
    Ok(())
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

/// Of one source's records: those that differ in identity, all, and those that differ in words.
const COUNTED: &str = "SELECT count(*) AS ids, sum(rows) AS rows, sum(words) AS words FROM (SELECT id, sum(n) AS rows, count(*) AS words FROM (SELECT id, content_hash, count(*) AS n FROM records WHERE source = $1 GROUP BY id, content_hash) GROUP BY id)";

/// Some of a source's events that are there more than once with the same words.
const TWICE: &str = "SELECT id FROM records WHERE source = $1 GROUP BY id, content_hash HAVING count(*) > 1 ORDER BY id LIMIT 100";

/// What else must be there: each new event once, each conflict beside it, no repeat. Gives what is
/// not so.
async fn counts(
    client: &Client,
    written: &Written,
    show: usize,
) -> Result<Vec<&'static str>, Failure> {
    let must = written.counts();
    let sql = "SELECT DISTINCT source FROM records WHERE starts_with(source, '/sim/')";
    let (mut ids, mut rows, mut words) = (0, 0, 0);
    let mut twice = String::new();
    // Source by source, so that a query has to hold no more than one.
    for source in ask(client, sql, &[]).await?.objects()? {
        let source = source.get("source").and_then(Value::as_str).unwrap_or("");
        let answer = ask(client, COUNTED, &[source]).await?.objects()?;
        let number = |name: &str| answer.first().and_then(|row| row.get(name)?.as_i64());
        ids += number("ids").unwrap_or(0);
        rows += number("rows").unwrap_or(0);
        words += number("words").unwrap_or(0);
        if number("rows") > number("words") {
            let answer = ask(client, TWICE, &[source]).await?.objects()?;
            for id in answer
                .iter()
                .filter_map(|row| row.get("id")?.as_str())
                .take(show)
            {
                twice += &format!("  {source} {id} is there more than once\n");
            }
        }
    }
    let counted = [
        ("new events", ids, must.taken, "each is there"),
        (
            "conflicts",
            words - ids,
            must.conflicts,
            "the other words of an id are there",
        ),
        (
            "rows of repeats",
            rows - words,
            0,
            "what was told again is not",
        ),
    ];
    let mut differing = Vec::new();
    for (name, there, sent, equal) in counted {
        let says = if there == sent {
            format!("equal: {equal}")
        } else {
            differing.push(name);
            format!("DIFFER: must be {sent}")
        };
        print(&format!("{name:<16} {there:>10} rows  {says}\n"))?;
    }
    print(&twice)?;
    if !conflicts::are_there(client, written, show).await? {
        differing.push("the list of conflicts");
    }
    print(&format!(
        "{} repeats and {} dead letters were sent\n",
        must.repeated, must.refused
    ))?;
    Ok(differing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_differs_is_said_at_the_end() {
        assert_eq!(wrong(0, &[]), None);
        assert_eq!(
            wrong(1, &[]).unwrap_or_default(),
            "1 table differs from the truth"
        );
        assert_eq!(
            wrong(9, &["new events", "conflicts"]).unwrap_or_default(),
            "9 tables differ from the truth; the records differ from what was sent: new events, conflicts"
        );
    }
}
