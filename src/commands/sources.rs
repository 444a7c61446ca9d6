//! `callboard sources`: which source is live, which is silent and since when.

use reqwest::Method;
use serde_json::Value;

use super::client::Client;
use super::{Failure, block_on, print};
use crate::cli::SourcesArgs;

/// Headings of the table.
const HEADS: [&str; 10] = [
    "NAME",
    "ADAPTER",
    "INSTANCE",
    "STATE",
    "LAST RECORD",
    "ITS OWN TIME",
    "LAG",
    "RECORDS",
    "REPEATED",
    "NOT READ",
];

/// Does it.
///
/// # Errors
/// When the server gives no answer.
pub fn run(args: &SourcesArgs) -> Result<(), Failure> {
    let client = Client::new(&args.to)?;
    block_on(async {
        let request = client.request(Method::GET, &["v1", "sources"]);
        let response = client.send(request).await?;
        let text = client.text(response).await?;
        let answer: Value = serde_json::from_str(&text).map_err(|e| {
            Failure::failed(format!(
                "{} gave no answer of a callboard: {e}",
                client.url()
            ))
        })?;
        if args.json {
            return print(&format!("{:#}\n", answer["sources"]));
        }
        print(&table(&answer))
    })
}

fn table(answer: &Value) -> String {
    let none = Vec::new();
    let sources = answer["sources"].as_array().unwrap_or(&none);
    if sources.is_empty() {
        return "no source is configured and none was heard since the server's start; send something, such as: callboard send --source asterisk PATH\n".to_owned();
    }
    let mut lines: Vec<Vec<String>> = vec![HEADS.iter().map(|h| (*h).to_owned()).collect()];
    let mut beside = String::new();
    for source in sources {
        let text = |key: &str| source[key].as_str().unwrap_or("-").to_owned();
        let number = |key: &str| source[key].as_i64().unwrap_or(0);
        let state = match (&*text("state"), &*text("last_received_at")) {
            ("silent", since) => format!("silent since {since}"),
            (state, _) => state.to_owned(),
        };
        let dead = counts(&source["dead_letters"]);
        lines.push(vec![
            text("name"),
            text("adapter"),
            text("instance"),
            state,
            text("last_received_at"),
            text("last_event_at"),
            source["lag_ms"].as_i64().map_or("-".to_owned(), lag),
            number("records").to_string(),
            number("repeated").to_string(),
            dead.iter().map(|(_, n)| n).sum::<i64>().to_string(),
        ]);
        if let Some(topics) = source["topics"].as_array() {
            let topics: Vec<&str> = topics.iter().filter_map(Value::as_str).collect();
            beside += &format!(
                "{}: {} messages of {} wait\n",
                text("name"),
                number("waiting"),
                topics.join(", ")
            );
        }
        for problem in source["problems"].as_array().into_iter().flatten() {
            beside += &format!("{}\n", problem.as_str().unwrap_or_default());
        }
        for (what, all) in [
            ("not read", &dead),
            ("requests refused", &counts(&source["refused"])),
        ] {
            if !all.is_empty() {
                let each: Vec<String> = all.iter().map(|(c, n)| format!("{c} {n}")).collect();
                beside += &format!("{}: {what}: {}\n", text("name"), each.join(", "));
            }
        }
    }
    aligned(&lines) + &beside
}

/// Numbers by class.
fn counts(value: &Value) -> Vec<(String, i64)> {
    let each = value.as_object().into_iter().flatten();
    each.map(|(class, n)| (class.clone(), n.as_i64().unwrap_or(0)))
        .collect()
}

/// Milliseconds for people.
fn lag(ms: i64) -> String {
    match ms.abs() {
        0..1_000 => format!("{ms} ms"),
        1_000..120_000 => format!("{} s", ms / 1_000),
        120_000..7_200_000 => format!("{} min", ms / 60_000),
        7_200_000..172_800_000 => format!("{} h", ms / 3_600_000),
        _ => format!("{} d", ms / 86_400_000),
    }
}

fn aligned(lines: &[Vec<String>]) -> String {
    let width = |n: usize| {
        let cells = lines.iter().filter_map(|l| l.get(n));
        cells.map(|c| c.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..HEADS.len()).map(width).collect();
    let mut out = String::new();
    for line in lines {
        let cells = line.iter().zip(&widths).map(|(c, w)| format!("{c:<w$}"));
        let text = cells.collect::<Vec<_>>().join("  ");
        out += text.trim_end();
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_table_says_what_is_silent_and_what_was_refused() {
        let shown = table(&json!({"sources": [
            {"name": "flex", "adapter": "twilio", "instance": "acme", "state": "silent",
             "last_received_at": "2026-03-02T09:00:00Z", "last_event_at": null, "lag_ms": 90000,
             "records": 5, "repeated": 2, "dead_letters": {"not_json": 3}, "refused": {"unsigned": 1}},
            {"name": "crm", "adapter": "vcon", "state": "never heard"},
            {"name": "calls", "adapter": "events", "state": "live", "topics": ["calls", "chats"],
             "waiting": 7, "problems": ["Kafka source calls: brokers b:9092 cannot be reached"]},
        ]}));
        for part in [
            "silent since 2026-03-02T09:00:00Z",
            "90 s",
            "never heard",
            "flex: not read: not_json 3",
            "flex: requests refused: unsigned 1",
            "calls: 7 messages of calls, chats wait",
            "\nKafka source calls: brokers b:9092 cannot be reached\n",
        ] {
            assert!(shown.contains(part), "{part} in\n{shown}");
        }
        assert!(table(&json!({"sources": []})).contains("none was heard"));
        assert_eq!(lag(-250), "-250 ms");
    }
}
