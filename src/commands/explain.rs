//! `callboard explain CONTACT`: its rows, and every record that speaks of it.

use serde_json::{Map, Value};

use super::client::Client;
use super::sql::{Rows, ask, table};
use super::{Failure, block_on, print};
use crate::cli::ExplainArgs;

/// Most names of one contact that are looked for.
const NAMES: usize = 500;

/// Does it.
///
/// # Errors
/// When there is no such contact, or no answer.
pub fn run(args: &ExplainArgs) -> Result<(), Failure> {
    let client = Client::new(&args.to)?;
    let text = block_on(explain(&client, &args.contact))?;
    print(&text)
}

async fn explain(client: &Client, asked: &str) -> Result<String, Failure> {
    let names =
        "SELECT id FROM aliases WHERE entity = 'contact' AND native = $1 ORDER BY id LIMIT 1";
    let found = ask(client, names, &[asked]).await?.objects()?;
    let contact = found
        .first()
        .and_then(|row| row["id"].as_str())
        .unwrap_or(asked)
        .to_owned();
    let row = ask(
        client,
        "SELECT * FROM contacts WHERE contact_id = $1",
        &[&contact],
    )
    .await?;
    let Some(fields) = row.objects()?.into_iter().next() else {
        return Err(Failure::failed(format!(
            "there is no contact \"{asked}\" at {}; `callboard sql \"SELECT contact_id FROM contacts\"` lists them",
            client.url()
        )));
    };
    let mut out = format!("contact {contact}");
    if contact != asked {
        out += &format!(" (asked for as {asked})");
    }
    out += "\n";
    out += &sheet(&row, &fields);
    for (title, sql) in [
        (
            "parts",
            "SELECT seq, kind, queue, agent, started_at, ended_at, outcome, target_kind, target FROM segments WHERE contact_id = $1 ORDER BY seq",
        ),
        (
            "offers",
            "SELECT queue, agent, offered_at, ring_ms, outcome FROM offers WHERE contact_id = $1 ORDER BY offered_at",
        ),
        (
            "links",
            "SELECT from_contact, to_contact, kind, at FROM links WHERE from_contact = $1 OR to_contact = $1",
        ),
        (
            "coverage",
            "SELECT stage, state, reason FROM coverage WHERE contact_id = $1",
        ),
    ] {
        let rows = ask(client, sql, &[&contact]).await?;
        if !rows.objects()?.is_empty() {
            out += &format!("\n{title}\n{}", table(&rows)?);
        }
    }
    out += &records(client, &contact).await?;
    Ok(out)
}

/// The fields of one row that say something, one a line.
fn sheet(rows: &Rows, fields: &Map<String, Value>) -> String {
    let mut out = String::new();
    for column in &rows.columns {
        match fields.get(&column.name) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => out += &format!("  {:<16} {text}\n", column.name),
            Some(other) => out += &format!("  {:<16} {other}\n", column.name),
        }
    }
    out
}

/// The records that speak of a contact, as text.
///
/// # Errors
/// When the server gives no answer.
pub async fn records(client: &Client, contact: &str) -> Result<String, Failure> {
    let aliases = ask(
        client,
        "SELECT platform, native FROM aliases WHERE entity = 'contact' AND id = $1 ORDER BY native",
        &[contact],
    )
    .await?
    .objects()?;
    let recordings = ask(
        client,
        "SELECT recording_id FROM recordings WHERE contact_id = $1 ORDER BY recording_id",
        &[contact],
    )
    .await?
    .objects()?;
    let mut names = vec![format!("callboard//{contact}")];
    for alias in &aliases {
        names.extend(platform_id(alias));
    }
    for recording in &recordings {
        names.extend(
            recording["recording_id"]
                .as_str()
                .map(|id| format!("recording:{id}")),
        );
    }
    names.truncate(NAMES);
    let places: Vec<String> = (1..=names.len()).map(|n| format!("${n}")).collect();
    let sql = format!(
        "SELECT received_at, source, id, bytes FROM records WHERE array_has_any(natives, make_array({})) ORDER BY source, received_at, id",
        places.join(", ")
    );
    let params: Vec<&str> = names.iter().map(String::as_str).collect();
    let rows = ask(client, &sql, &params).await?.objects()?;
    let mut out = format!("\n{} records\n", rows.len());
    let mut source = String::new();
    for row in &rows {
        let of = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or("");
        if of("source") != source {
            source = of("source").to_owned();
            out += &format!("{source}\n");
        }
        out += &format!("  {}  {}\n", of("id"), text_of(of("bytes")));
    }
    Ok(out)
}

/// A row of aliases as the id that records carry: `platform/instance/native`.
fn platform_id(alias: &Map<String, Value>) -> Option<String> {
    let platform = alias.get("platform")?.as_str()?.strip_prefix('/')?;
    let native = alias.get("native")?.as_str()?;
    Some(match platform.split_once('/') {
        Some((platform, instance)) => format!("{platform}/{instance}/{native}"),
        None => format!("{platform}//{native}"),
    })
}

/// Bytes arrive in hex; records are text.
fn text_of(hex: &str) -> String {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = hex.as_bytes().chunks(2).map(byte).collect();
    let text = bytes.map_or_else(
        || hex.to_owned(),
        |b| String::from_utf8_lossy(&b).into_owned(),
    );
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_the_ids_that_records_carry() {
        let row = |platform: &str| {
            let value = serde_json::json!({"platform": platform, "native": "17.3"});
            platform_id(value.as_object().unwrap())
        };
        assert_eq!(row("/asterisk/pbx1"), Some("asterisk/pbx1/17.3".into()));
        assert_eq!(row("/callboard"), Some("callboard//17.3".into()));
        assert_eq!(row(""), None);
    }

    #[test]
    fn bytes_are_shown_as_text() {
        assert_eq!(text_of("615c0a62"), "a\\ b");
        assert_eq!(text_of("no hex"), "no hex");
    }
}
