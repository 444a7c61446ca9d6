//! What the list of contacts is narrowed by: the address as SQL conditions.

use crate::data;
use crate::url::Params;
use crate::view::filters::Choice;

/// Most words searched for at once.
const MOST_WORDS: usize = 8;

/// The conditions that an address makes, over contacts `c` and their mood `m`.
///
/// # Errors
/// A sentence that says which filter is wrong and how it should look.
pub fn terms(params: &Params, choice: &Choice) -> Result<Vec<String>, String> {
    let mut out = Vec::new();
    let range = &choice.range;
    out.push(format!(
        "c.started_at >= {} AND c.started_at < {}",
        data::time(range.from),
        data::time(range.to)
    ));
    let days = days(choice, 0);
    out.push(format!("c.{days}"));
    // A recording lies in the day of its own start, which may come later than the contact's.
    let heard = heard_days(choice);
    let any = |table: &str, condition: String| {
        let bound = match table {
            "segments" => format!("{days} AND "),
            "turns" | "tags" => format!("{heard} AND "),
            _ => String::new(),
        };
        format!(
            "c.contact_id IN (SELECT contact_id FROM callboard.{table} WHERE {bound}{condition})"
        )
    };
    if !choice.queues.is_empty() {
        out.push(any(
            "segments",
            format!("queue IN ({})", data::texts(&choice.queues)),
        ));
    }
    if !choice.agents.is_empty() {
        out.push(any(
            "segments",
            format!("agent IN ({})", data::texts(&choice.agents)),
        ));
    }
    let outcomes = params.all("outcome");
    if !outcomes.is_empty() {
        out.push(format!("c.outcome IN ({})", data::texts(&outcomes)));
    }
    if let Some(state) = params.get("state") {
        out.push(format!("c.state = {}", data::text(state)));
    }
    let length = "(CAST(c.ended_at AS BIGINT) - CAST(c.started_at AS BIGINT)) / 1000000";
    for (name, sign) in [("min", ">="), ("max", "<=")] {
        if let Some(text) = params.get(name) {
            let seconds = match text.parse::<u32>() {
                Ok(n) if n <= 31 * 86_400 => n,
                _ => {
                    return Err(format!(
                        "{name} is {text:?}; write a length in whole seconds."
                    ));
                }
            };
            out.push(format!("{length} {sign} {seconds}"));
        }
    }
    match params.get("mood") {
        None => {}
        Some("positive") => out.push("m.mood >= 0.05".to_owned()),
        Some("negative") => out.push("m.mood <= -0.05".to_owned()),
        Some("neutral") => out.push("m.mood > -0.05 AND m.mood < 0.05".to_owned()),
        Some(other) => {
            return Err(format!(
                "mood is {other:?}; choose positive, neutral or negative."
            ));
        }
    }
    for name in params.all("keyword") {
        out.push(any(
            "tags",
            format!("kind = 'keyword' AND name = {}", data::text(&name)),
        ));
    }
    for phrase in phrases(params.get("said").unwrap_or_default())? {
        out.push(any(
            "turns",
            format!("strpos(lower(text), {}) > 0", data::text(&phrase)),
        ));
    }
    if let Some(customer) = params.get("customer") {
        out.push(format!(
            "strpos(lower(coalesce(c.customer, '')), {}) > 0",
            data::text(&customer.to_lowercase())
        ));
    }
    if let Some(stage) = params.get("stage") {
        let mut gap = format!("stage = {}", data::text(stage));
        for (name, column) in [("gap", "state"), ("reason", "reason")] {
            if let Some(value) = params.get(name) {
                gap += &format!(" AND {column} = {}", data::text(value));
            }
        }
        out.push(any("coverage", gap));
    }
    Ok(out)
}

/// The partitions that hold contacts of a choice, and `more` days after it.
fn days(choice: &Choice, more: i64) -> String {
    let day = |us: i64| crate::zone::local(chrono_tz::Tz::UTC, us).date();
    let first = day(choice.range.from - crate::zone::DAY);
    let last = day(choice.range.to + more * crate::zone::DAY);
    format!("day BETWEEN DATE '{first}' AND DATE '{last}'")
}

/// The partitions that hold what was said in contacts of a choice; a recording whose start
/// nobody told lies in the first day of all.
pub fn heard_days(choice: &Choice) -> String {
    format!("({} OR day = DATE '1970-01-01')", days(choice, 31))
}

/// The phrases of a search: words, or what stands between double quotes.
fn phrases(said: &str) -> Result<Vec<String>, String> {
    let mut out = Vec::new();
    for (i, part) in said.to_lowercase().split('"').enumerate() {
        match i % 2 {
            1 if !part.trim().is_empty() => out.push(part.trim().to_owned()),
            _ => out.extend(part.split_whitespace().map(str::to_owned)),
        }
    }
    if out.len() > MOST_WORDS {
        return Err(format!(
            "Search for at most {MOST_WORDS} words or phrases at once."
        ));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_phrases() {
        assert_eq!(
            phrases("Refund \"call  back\" now").unwrap(),
            ["refund", "call  back", "now"]
        );
        assert!(phrases("a b c d e f g h i").is_err());
        assert!(phrases("").unwrap().is_empty());
    }

    #[test]
    fn nothing_typed_reaches_sql_unquoted() {
        let params = Params::parse("said=o'neill&customer=x' OR 1=1 --&outcome=a'b").unwrap();
        let choice = Choice::read(&params, chrono_tz::Tz::UTC, 0);
        let all = terms(&params, &choice.unwrap()).unwrap().join("\n");
        assert!(
            all.contains("'o''neill'") && all.contains("'x'' or 1=1 --'") && all.contains("'a''b'")
        );
    }
}
