//! `callboard explain CONTACT`: its rows, and every record that speaks of it; as of a moment, what
//! changed since and by which records. `--queue` does so for a figure.

mod figure;

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
    let as_of = args.as_of.as_deref();
    let contact = args.contact.as_deref().unwrap_or("");
    let text = block_on(async {
        match (&args.queue, &args.at, as_of) {
            (Some(queue), Some(at), _) => figure::explain(&client, queue, at, as_of).await,
            (_, _, None) => explain(&client, contact).await,
            (_, _, Some(moment)) => since(&client, contact, moment).await,
        }
    })?;
    print(&text)
}

async fn explain(client: &Client, asked: &str) -> Result<String, Failure> {
    let contact = standing(client, asked).await?;
    let Some(shown) = shown(client, &contact).await? else {
        return Err(unknown(client, asked));
    };
    let mut out = title(&contact, asked);
    out += "\n";
    out += &shown.text;
    out += &records(client, &contact).await?;
    Ok(out)
}

/// What was known of a contact at a moment, what changed since, and the records that did it.
async fn since(client: &Client, asked: &str, moment: &str) -> Result<String, Failure> {
    let then = client.at(Some(moment));
    let at = clock(&then, moment).await?;
    // Contacts may have proved to be one since: then and now it may have two names.
    let (before, contact) = (
        standing(&then, asked).await?,
        standing(client, asked).await?,
    );
    let (old, new) = (shown(&then, &before).await?, shown(client, &contact).await?);
    let mut out = match &old {
        Some(old) => format!(
            "{} as it was known at {at}\n{}",
            title(&before, asked),
            old.text
        ),
        None if new.is_none() => return Err(unknown(client, asked)),
        None => format!("{} was not known at {at}\n", title(&contact, asked)),
    };
    out += "\nsince then\n";
    let none = Map::new();
    let (mut was, mut is) = (&none, &none);
    if let Some(old) = &old {
        was = &old.fields;
    }
    if let Some(new) = &new {
        is = &new.fields;
    }
    out += &changes(was, is);
    if let (Some(old), Some(new)) = (&old, &new)
        && old.parts != new.parts
    {
        out += &format!("\nas it is known now\n{}", new.parts);
    }
    out += &told(client, &contact, Some(&at)).await?;
    Ok(out)
}

/// A moment as the server reads it; `then` asks of it.
async fn clock(then: &Client, moment: &str) -> Result<String, Failure> {
    let clock = ask(then, "SELECT now() AS at", &[]).await?.objects()?;
    let at = clock.first().and_then(|row| row["at"].as_str());
    Ok(at.unwrap_or(moment).to_owned())
}

fn title(contact: &str, asked: &str) -> String {
    match contact == asked {
        true => format!("contact {contact}"),
        false => format!("contact {contact} (asked for as {asked})"),
    }
}

fn unknown(client: &Client, asked: &str) -> Failure {
    Failure::failed(format!(
        "there is no contact \"{asked}\" at {}; `callboard sql \"SELECT contact_id FROM contacts\"` lists them",
        client.url()
    ))
}

/// The identity that stands for a former or native one.
async fn standing(client: &Client, asked: &str) -> Result<String, Failure> {
    let names =
        "SELECT id FROM aliases WHERE entity = 'contact' AND native = $1 ORDER BY id LIMIT 1";
    let found = ask(client, names, &[asked]).await?.objects()?;
    let id = found.first().and_then(|row| row["id"].as_str());
    Ok(id.unwrap_or(asked).to_owned())
}

/// A contact's rows.
struct Shown {
    /// Its own row.
    fields: Map<String, Value>,
    /// All rows, as text.
    text: String,
    /// Those of its parts alone.
    parts: String,
}

async fn shown(client: &Client, contact: &str) -> Result<Option<Shown>, Failure> {
    let row = "SELECT * FROM contacts WHERE contact_id = $1";
    let row = ask(client, row, &[contact]).await?;
    let Some(fields) = row.objects()?.into_iter().next() else {
        return Ok(None);
    };
    let mut parts = String::new();
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
            "SELECT from_contact, to_contact, kind, at FROM links WHERE from_contact = $1 OR to_contact = $1 ORDER BY at, from_contact, to_contact, kind",
        ),
        (
            "coverage",
            "SELECT stage, state, reason FROM coverage WHERE contact_id = $1 ORDER BY stage, state, reason",
        ),
    ] {
        let rows = ask(client, sql, &[contact]).await?;
        if !rows.objects()?.is_empty() {
            parts += &format!("\n{title}\n{}", table(&rows)?);
        }
    }
    Ok(Some(Shown {
        text: sheet(&row, &fields) + &parts,
        fields,
        parts,
    }))
}

/// What differs between two states of a contact's row.
fn changes(was: &Map<String, Value>, is: &Map<String, Value>) -> String {
    match differing(was, is) {
        same if same.is_empty() => "  the contact's own row is the same\n".to_owned(),
        out => out,
    }
}

/// What differs between two states of a row, one field a line.
fn differing(was: &Map<String, Value>, is: &Map<String, Value>) -> String {
    let word = |row: &Map<String, Value>, name: &str| match row.get(name) {
        None | Some(Value::Null) => "not known".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let names: std::collections::BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let mut lines = Vec::new();
    for name in names {
        let (was, is) = (word(was, name), word(is, name));
        if was != is {
            lines.push((name.as_str(), format!("{was} -> {is}")));
        }
    }
    aligned(&lines)
}

/// Names and values below each other, one a line.
fn aligned(lines: &[(&str, String)]) -> String {
    let longest = lines.iter().map(|(name, _)| name.chars().count()).max();
    let width = longest.unwrap_or(0).max(16);
    let line = |(name, value): &(&str, String)| format!("  {name:<width$} {value}\n");
    lines.iter().map(line).collect()
}

/// The fields of one row that say something, one a line.
fn sheet(rows: &Rows, fields: &Map<String, Value>) -> String {
    let mut lines = Vec::new();
    for column in &rows.columns {
        match fields.get(&column.name) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => lines.push((column.name.as_str(), text.clone())),
            Some(other) => lines.push((column.name.as_str(), other.to_string())),
        }
    }
    aligned(&lines)
}

/// The records that speak of a contact, as text.
///
/// # Errors
/// When the server gives no answer.
pub async fn records(client: &Client, contact: &str) -> Result<String, Failure> {
    told(client, contact, None).await
}

/// The records that speak of a contact, or those that were received after a moment.
async fn told(client: &Client, contact: &str, after: Option<&str>) -> Result<String, Failure> {
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
    let bound = match after {
        Some(_) => format!(" AND received_at > ${}", names.len() + 1),
        None => String::new(),
    };
    let sql = format!(
        "SELECT received_at, source, id, bytes FROM records WHERE array_has_any(natives, make_array({})){bound} ORDER BY source, received_at, id",
        places.join(", ")
    );
    let params = names.iter().map(String::as_str).chain(after);
    let params: Vec<&str> = params.collect();
    let rows = ask(client, &sql, &params).await?.objects()?;
    let since = if after.is_some() {
        " received since"
    } else {
        ""
    };
    let mut out = format!("\n{} records{since}\n", rows.len());
    let mut source = String::new();
    for row in &rows {
        let of = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or("");
        if of("source") != source {
            source = of("source").to_owned();
            out += &format!("{source}\n");
        }
        if after.is_some() {
            out += &format!("  {}", of("received_at"));
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
    fn what_changed_is_named() {
        let row = |text: &str| serde_json::from_str(text).unwrap();
        let was = row(r#"{"state":"open","wait_ms":null,"queue":"a"}"#);
        let is = row(r#"{"state":"closed","wait_ms":3,"queue":"a"}"#);
        let lines = changes(&was, &is);
        let lines: Vec<Vec<&str>> = lines
            .lines()
            .map(|l| l.split_whitespace().collect())
            .collect();
        assert_eq!(lines[0], ["state", "open", "->", "closed"]);
        assert_eq!(lines[1], ["wait_ms", "not", "known", "->", "3"]);
        assert_eq!(lines.len(), 2);
        assert!(changes(&is, &is).contains("is the same"));
    }

    #[test]
    fn bytes_are_shown_as_text() {
        assert_eq!(text_of("615c0a62"), "a\\ b");
        assert_eq!(text_of("no hex"), "no hex");
    }
}
