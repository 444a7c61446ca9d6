//! Why a row differs: the events that made it, or the stays that it counts.

use callboard_datasets::simulate::Table;

use super::super::client::Client;
use super::super::sql::{Rows, ask, table as grid};
use super::super::{Failure, explain};
use callboard_datasets::compare::Difference;
use serde_json::Value;

/// Lines shown behind one row.
const LINES: usize = 40;
/// Contacts of an interval whose events are shown.
const CONTACTS: usize = 3;

/// What lies behind a row that differs.
pub async fn of(
    client: &Client,
    table: &Table,
    difference: &Difference,
) -> Result<String, Failure> {
    let Some(row) = difference.row() else {
        return Ok(String::new());
    };
    let of = |column: &str| row.get(table, column).unwrap_or("");
    let text = match (table.contact, table.name) {
        (Some(column), _) => explain::records(client, of(column)).await?,
        (None, "queue_intervals") => {
            let sql = "SELECT contact_id, seq, entered_at, wait_ms, result, talk_ms, hold_ms, wrap_ms FROM queue_stays WHERE queue = $1 AND interval_start = $2 ORDER BY entered_at";
            let stays = ask(client, sql, &[of("queue"), of("interval_start")]).await?;
            grid(&stays)? + &events(client, &stays).await?
        }
        (None, "dead_letters") => {
            let sql = "SELECT received_at, source, class, reason, length FROM dead_letters WHERE sha256 = $1 ORDER BY received_at";
            grid(&ask(client, sql, &[of("sha256")]).await?)?
        }
        (None, "agent_intervals") => {
            let sql = "SELECT track, state, reason, started_at, ended_at FROM agent_states WHERE agent = $1 AND (ended_at IS NULL OR ended_at >= $2) AND started_at <= $3 ORDER BY started_at";
            let (from, to) = (of("started_at"), of("ended_at"));
            let to = if to.is_empty() { from } else { to };
            let own = ask(client, sql, &[of("agent"), from, to]).await?;
            let sql = "SELECT contact_id, kind, started_at, ended_at, state FROM segments WHERE agent = $1 AND (ended_at IS NULL OR ended_at >= $2) AND started_at <= $3 ORDER BY started_at";
            let contacts = ask(client, sql, &[of("agent"), from, to]).await?;
            grid(&own)? + &grid(&contacts)? + &events(client, &contacts).await?
        }
        _ => String::new(),
    };
    let lines = text.lines().count();
    let shown = text.trim_start().lines().take(LINES);
    let indented = shown.map(|line| format!("      {line}").trim_end().to_owned() + "\n");
    let mut out: String = indented.collect();
    if lines > LINES {
        out += &format!("      ... {} more\n", lines - LINES);
    }
    Ok(out)
}

/// The events of the first contacts that these rows name.
async fn events(client: &Client, rows: &Rows) -> Result<String, Failure> {
    let rows = rows.objects()?;
    let mut named: Vec<&str> = Vec::new();
    for row in &rows {
        let contact = row.get("contact_id").and_then(Value::as_str);
        named.extend(contact.filter(|contact| !named.contains(contact)));
    }
    let mut out = String::new();
    for contact in named.into_iter().take(CONTACTS) {
        out += &format!("\ncontact {contact}");
        out += &explain::records(client, contact).await?;
    }
    Ok(out)
}
