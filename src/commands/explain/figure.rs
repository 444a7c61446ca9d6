//! `callboard explain --queue QUEUE --at INTERVAL`: the figures of a queue in a quarter of an hour and
//! the stays that they count; as of a moment, what changed since, by which contacts and records.

use std::collections::{BTreeMap, BTreeSet};

use callboard_model::time::format_rfc3339;
use serde_json::{Map, Value};

use super::super::Failure;
use super::super::client::Client;
use super::super::sql::{Rows, ask, table};
use super::{clock, differing, sheet, standing, told};

/// A quarter of an hour, microseconds.
const QUARTER: i64 = 900_000_000;
/// Contacts that are shown with what changed in them.
const CONTACTS: usize = 100;

/// The stays of an interval, with what its figures are counted from.
const STAYS: &str = "SELECT contact_id, entered_at, left_at, wait_ms, result, in_target, threshold_ms, agent, talk_ms, hold_ms, wrap_ms FROM queue_stays WHERE queue = $1 AND interval_start = $2 ORDER BY entered_at, contact_id, seq";

/// Explains it, as text.
///
/// # Errors
/// When `at` is no moment, the queue has no such interval, or the server gives no answer.
pub async fn explain(
    client: &Client,
    queue: &str,
    at: &str,
    as_of: Option<&str>,
) -> Result<String, Failure> {
    let start = format_rfc3339(quarter(at)?);
    let name = format!("queue {queue}, the quarter of an hour from {start}");
    let is = Figure::read(client, queue, &start).await?;
    let Some(moment) = as_of else {
        if is.fields.is_empty() {
            return Err(unknown(client, &name));
        }
        let stays = table(&is.stays)?;
        return Ok(format!("{name}\n{}\nstays\n{stays}", is.text()));
    };
    let then = client.at(Some(moment));
    let known = clock(&then, moment).await?;
    let was = Figure::read(&then, queue, &start).await?;
    let mut out = match was.fields.is_empty() {
        true if is.fields.is_empty() => return Err(unknown(client, &name)),
        true => format!("{name}, had no figures at {known}\n"),
        false => format!("{name}, as it was known at {known}\n{}", was.text()),
    };
    let figures = differing(&was.fields, &is.fields);
    out += "\nsince then\n";
    out += match figures.is_empty() {
        true => "  the figures are the same\n",
        false => figures.as_str(),
    };
    let (was, is) = (was.by_contact()?, is.by_contact()?);
    let contacts: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let none = Stays::new();
    let stays =
        |of: &BTreeMap<String, Stays>, contact: &String| of.get(contact).unwrap_or(&none).clone();
    let changed = contacts.into_iter().filter(|c| was.get(*c) != is.get(*c));
    let changed: Vec<&String> = changed.collect();
    for contact in changed.iter().copied().take(CONTACTS) {
        out += &format!("\ncontact {contact}\n");
        let (was, is) = (stays(&was, contact), stays(&is, contact));
        let nothing = Map::new();
        for n in 0..was.len().max(is.len()) {
            let (was, is) = (was.get(n), is.get(n));
            out += match (was, is) {
                (None, _) => "  a stay more\n",
                (_, None) => "  a stay less\n",
                _ => "",
            };
            out += &differing(was.unwrap_or(&nothing), is.unwrap_or(&nothing));
        }
        // Contacts may have proved to be one since.
        let now = standing(client, contact).await?;
        out += &told(client, &now, Some(&known)).await?;
    }
    if changed.len() > CONTACTS {
        out += &format!(
            "\n{} contacts more have changed\n",
            changed.len() - CONTACTS
        );
    }
    Ok(out)
}

/// The start of the quarter of an hour in which a moment lies, UTC microseconds.
fn quarter(at: &str) -> Result<i64, Failure> {
    let at = callboard_query::moment(at, chrono_tz::Tz::UTC).map_err(|_| {
        Failure::usage(format!(
            "--at {at} is no moment; write one in the interval, such as 2026-11-22T09:15:00Z"
        ))
    })?;
    Ok(at.div_euclid(QUARTER) * QUARTER)
}

fn unknown(client: &Client, name: &str) -> Failure {
    Failure::failed(format!(
        "there are no figures of {name} at {}; `callboard sql \"SELECT queue, interval_start FROM queue_intervals\"` lists what there is",
        client.url()
    ))
}

/// Stays of one contact in the interval, in their order.
type Stays = Vec<Map<String, Value>>;

/// A row of the queue report, and the stays that it counts.
struct Figure {
    row: Rows,
    /// The row's fields; none where there is no such row.
    fields: Map<String, Value>,
    stays: Rows,
}

impl Figure {
    async fn read(client: &Client, queue: &str, start: &str) -> Result<Self, Failure> {
        let row = "SELECT * FROM queue_intervals WHERE queue = $1 AND interval_start = $2";
        let row = ask(client, row, &[queue, start]).await?;
        Ok(Figure {
            fields: row.objects()?.into_iter().next().unwrap_or_default(),
            row,
            stays: ask(client, STAYS, &[queue, start]).await?,
        })
    }

    fn text(&self) -> String {
        sheet(&self.row, &self.fields)
    }

    fn by_contact(&self) -> Result<BTreeMap<String, Stays>, Failure> {
        let mut contacts: BTreeMap<String, Stays> = BTreeMap::new();
        for mut stay in self.stays.objects()? {
            if let Some(Value::String(contact)) = stay.remove("contact_id") {
                contacts.entry(contact).or_default().push(stay);
            }
        }
        Ok(contacts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_lies_in_a_quarter_of_an_hour() {
        let start = |text: &str| quarter(text).map(format_rfc3339);
        let wanted = Ok("2026-11-22T09:15:00.000000Z".to_owned());
        for text in [
            "2026-11-22T09:15:00Z",
            "2026-11-22 09:29:59",
            "2026-11-22T10:20:00+01:00",
        ] {
            assert_eq!(start(text), wanted, "{text}");
        }
        assert_eq!(start("nine").unwrap_err().code, 2);
    }
}
