//! Tables that people and planners keep as CSV: attributes of customers and contacts, schedules,
//! measurements, platforms' own figures, scores of evaluations. The first line names the columns and
//! tells by them what a row is; a row says what our own event of that kind would say.
//!
//! | rows | columns; those in brackets may be missing |
//! | --- | --- |
//! | attribute of a customer | `customer`, `attribute`, `value`, [`valid_from`, `valid_to`] |
//! | attribute of a contact | `contact_id`, `attribute`, `value` |
//! | schedule | `agent`, `activity`, `start`, `end`, [`class`, `paid`, `schedule_id`, `withdrawn`] |
//! | measurement | `contact_id`, `name`, `value`, `at`, [`participant`, `unit`, `segment_id`, `client`, `device`, `network`, `vdi`] |
//! | figure | `metric`, `value`, `ended_at`, [`scope`, `started_at`, `unit`] |
//! | evaluation | `evaluation_id`, `score`, `at`, [`question_id`, `question`, `section`, `max`, `answer`, `contact_id`, `agent`, `evaluator`, `form`] |
//! | lease of a number | `number`, `allocated_at`, [`lease_id`, `contact_id`, `customer`, `transferred_at`, `released_at`, `expires_at`] |
//!
//! A column `platform` of the last five may say whose names and figures a row has, `genesys/eu` as in
//! `contacts.source`: it becomes the row's source.
//!
//! A column `told_at` says when a row was written: of two rows that tell one thing differently the
//! later holds. Times are RFC 3339, or without a zone those of the source's zone.

use std::collections::BTreeMap;

use callboard_model::cloudevents;
use callboard_model::ids::Key;
use callboard_model::record::{Record, Refusal, Routing};
use callboard_model::statement::Statement;
use callboard_model::time::format_rfc3339;
use serde_json::{Map, Value, json};

use crate::adapter::{Adapter, Declared};
use crate::lines::NewLine;
use crate::payload::{self, fingerprint};

/// Name of the platform.
const PLATFORM: &str = "sheet";
/// A row.
const ROW: &str = "sheet/row";
/// Columns of a file at most.
const MOST_COLUMNS: usize = 200;

/// Reads tables.
#[derive(Debug, Clone, Copy)]
pub struct Sheet;

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Customer,
    Contact,
    Schedule,
    Measurement,
    Figure,
    Evaluation,
    Lease,
}

impl Kind {
    /// By the columns that are there.
    fn of(columns: &[String]) -> Option<Kind> {
        let has = |names: &[&str]| names.iter().all(|n| columns.iter().any(|c| c == n));
        if has(&["evaluation_id", "score"]) {
            Some(Kind::Evaluation)
        } else if has(&["customer", "attribute", "value"]) {
            Some(Kind::Customer)
        } else if has(&["contact_id", "attribute", "value"]) {
            Some(Kind::Contact)
        } else if has(&["agent", "start", "end"]) {
            Some(Kind::Schedule)
        } else if has(&["contact_id", "name", "value", "at"]) {
            Some(Kind::Measurement)
        } else if has(&["metric", "value", "ended_at"]) {
            Some(Kind::Figure)
        } else if has(&["number", "allocated_at"]) {
            Some(Kind::Lease)
        } else {
            None
        }
    }

    /// The event that says the same.
    fn event(self) -> &'static str {
        match self {
            Kind::Customer => "callboard.customer.recorded",
            Kind::Contact => "callboard.contact.changed",
            Kind::Schedule => "callboard.schedule.recorded",
            Kind::Measurement => "callboard.measurement.recorded",
            Kind::Figure => "callboard.figure.recorded",
            Kind::Evaluation => "callboard.evaluation.recorded",
            Kind::Lease => "callboard.lease.recorded",
        }
    }

    /// Columns that hold times.
    fn times(self) -> &'static [&'static str] {
        match self {
            Kind::Customer => &["valid_from", "valid_to"],
            Kind::Contact => &[],
            Kind::Schedule => &["start", "end"],
            Kind::Measurement | Kind::Evaluation => &["at"],
            Kind::Figure => &["started_at", "ended_at"],
            Kind::Lease => &[
                "allocated_at",
                "transferred_at",
                "released_at",
                "expires_at",
            ],
        }
    }
}

impl Adapter for Sheet {
    fn platform(&self) -> &'static str {
        PLATFORM
    }

    fn split(&self, bytes: &[u8], declared: &Declared) -> Vec<NewLine> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let dead = |class, reason: String, part: &[u8]| {
            let source = payload::source(ROW, &declared.instance);
            payload::dead(&source, class, reason, part)
        };
        let head = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
        let separators = [b',', b';', b'\t'].into_iter();
        let separator = separators
            .max_by_key(|s| head.iter().filter(|b| *b == s).count())
            .unwrap_or(b',');
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .delimiter(separator)
            .from_reader(bytes);
        let columns: Vec<String> = match reader.headers() {
            Ok(names) => names.iter().take(MOST_COLUMNS).map(plain).collect(),
            Err(e) => {
                let reason = format!("the header cannot be read: {e}");
                return vec![dead("not_csv", reason, head)];
            }
        };
        if Kind::of(&columns).is_none() {
            let reason = "the first line names the columns of no table that is known; see docs/platforms/sheet.md";
            return vec![dead("unknown_columns", reason.to_owned(), head)];
        }
        // The columns travel with each row, so that a row can be read again alone.
        let mut out = Vec::new();
        let mut row = csv::ByteRecord::new();
        loop {
            match reader.read_byte_record(&mut row) {
                Ok(true) => {}
                Ok(false) => return out,
                Err(e) => {
                    out.push(dead("not_csv", format!("a row cannot be read: {e}"), &[]));
                    return out;
                }
            }
            let mut fields = Map::new();
            let mut broken = false;
            for (column, value) in columns.iter().zip(row.iter()) {
                match std::str::from_utf8(value) {
                    Ok(text) => {
                        let text = text.trim();
                        if !text.is_empty() || column == "value" {
                            fields.insert(column.clone(), json!(text));
                        }
                    }
                    Err(_) => broken = true,
                }
            }
            if broken {
                let bytes = row.as_slice();
                out.push(dead(
                    "invalid_utf8",
                    "a row that is not UTF-8".to_owned(),
                    bytes,
                ));
                continue;
            }
            if fields.values().all(|v| v == "") {
                continue;
            }
            let bytes = Value::Object(fields).to_string();
            let id = fingerprint(bytes.as_bytes());
            let line = payload::record(ROW, &declared.instance, declared, &id, bytes.as_bytes());
            out.push(line);
        }
    }

    fn route(&self, record: &Record) -> Result<Routing, Refusal> {
        let fields: BTreeMap<String, String> = serde_json::from_slice(&record.bytes)
            .map_err(|e| Refusal::new("not_json", format!("the row cannot be read: {e}")))?;
        let columns: Vec<String> = fields.keys().cloned().collect();
        let kind = Kind::of(&columns).ok_or_else(|| {
            Refusal::new(
                "missing_field",
                "the row is empty in a column that it needs; see docs/platforms/sheet.md",
            )
        })?;
        let event = event(kind, &fields, record)?;
        let bytes = event.to_string();
        let event = Record {
            bytes: bytes.into_bytes().into(),
            ..record.clone()
        };
        cloudevents::read(&event)
    }

    fn interpret(&self, _: &Key, set: &[&Record]) -> Vec<Statement> {
        // Beside records of other platforms a row still says its own.
        let said = set.iter().filter_map(|r| self.route(r).ok()?.statements);
        said.flatten().collect()
    }
}

/// A column's name: lower case, spaces as underscores.
fn plain(name: &str) -> String {
    let name = name.trim().trim_start_matches('\u{feff}');
    name.to_lowercase().replace([' ', '-'], "_")
}

/// The event that says what a row says.
fn event(kind: Kind, fields: &BTreeMap<String, String>, record: &Record) -> Result<Value, Refusal> {
    let get = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    let instant = |name: &str| -> Result<Option<String>, Refusal> {
        let text = get(name);
        if text.is_empty() {
            return Ok(None);
        }
        let found = crate::teams::read::time(text, &record.stamp.zone);
        let (us, _) = found.ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            Refusal::new(
                "bad_time",
                format!("{name} {shown:?} is no time; write 2026-03-02T09:15:00Z, or 2026-03-02 09:15:00 in the source's zone"),
            )
        })?;
        Ok(Some(format_rfc3339(us)))
    };
    let number = |name: &str| -> Result<Option<f64>, Refusal> {
        let text = get(name);
        if text.is_empty() {
            return Ok(None);
        }
        let found = text.parse().ok().filter(|n: &f64| n.is_finite());
        found.map(Some).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            Refusal::new(
                "bad_value",
                format!("{name} {shown:?} is no number; write it with a decimal point"),
            )
        })
    };
    let mut data = Map::new();
    let mut times = Vec::new();
    for name in kind.times() {
        if let Some(at) = instant(name)? {
            let field = match *name {
                "started_at" => "start",
                "ended_at" => "end",
                name => name,
            };
            data.insert(field.to_owned(), json!(at));
            times.push(at);
        }
    }
    let texts: &[&str] = match kind {
        Kind::Customer => &["customer"],
        Kind::Contact => &["contact_id"],
        Kind::Schedule => &["agent", "activity", "class", "schedule_id"],
        Kind::Measurement => &[
            "contact_id",
            "participant",
            "segment_id",
            "client",
            "device",
            "network",
            "vdi",
        ],
        Kind::Figure => &["scope"],
        Kind::Evaluation => &["evaluation_id", "contact_id", "agent", "evaluator", "form"],
        Kind::Lease => &["lease_id", "number", "contact_id", "customer"],
    };
    for name in texts.iter().filter(|n| !get(n).is_empty()) {
        data.insert((*name).to_owned(), json!(get(name)));
    }
    let pair = |name: &str, value: Value| Value::Object(Map::from_iter([(name.to_owned(), value)]));
    match kind {
        Kind::Customer | Kind::Contact => {
            let value = match get("value") {
                "" => Value::Null,
                text => json!(text),
            };
            data.insert("attributes".into(), pair(get("attribute"), value));
        }
        Kind::Lease => {}
        Kind::Schedule => {
            for name in ["paid", "withdrawn"] {
                if let Some(yes) = yes(get(name)) {
                    data.insert(name.into(), json!(yes));
                }
            }
        }
        Kind::Measurement | Kind::Figure => {
            let name = match kind {
                Kind::Figure => get("metric"),
                _ => get("name"),
            };
            data.insert("values".into(), pair(name, json!(number("value")?)));
            if !get("unit").is_empty() {
                data.insert("units".into(), pair(name, json!(get("unit"))));
            }
        }
        Kind::Evaluation => {
            let (score, max) = (number("score")?, number("max")?);
            let question = get("question_id");
            if question.is_empty() {
                data.insert("score".into(), json!(score));
                data.insert("max".into(), json!(max));
            } else {
                let text = |name: &str| (!get(name).is_empty()).then(|| get(name));
                let answer = json!({"question_id": question, "section": text("section"),
                    "question": text("question"), "answer": text("answer"), "remark": text("remark"),
                    "score": score, "max": max});
                data.insert("answers".into(), json!([answer]));
            }
        }
    }
    let told = instant("told_at")?;
    let Some(time) = told.as_ref().or(times.first()) else {
        return Err(Refusal::new(
            "no_time",
            "the row tells no time; add a column told_at that says when it was written",
        ));
    };
    Ok(json!({
        "specversion": "1.0",
        "id": &*record.id,
        "source": source(kind, get("platform"), record)?,
        "type": kind.event(),
        "time": time,
        "data": data,
    }))
}

/// Platform and instance of which the row says itself that it speaks; else the table's own.
fn source(kind: Kind, platform: &str, record: &Record) -> Result<String, Refusal> {
    let beside = !matches!(kind, Kind::Customer | Kind::Contact);
    if beside && !platform.is_empty() {
        let name = platform.trim_matches('/');
        let bad = |part: &str| part.is_empty() || part.contains(char::is_whitespace);
        if name.len() > 200 || name.split('/').count() > 2 || name.split('/').any(bad) {
            let shown: String = platform.chars().take(40).collect();
            return Err(Refusal::new(
                "bad_value",
                format!(
                    "platform {shown:?} is none; write it as contacts.source has it, such as genesys/eu"
                ),
            ));
        }
        return Ok(format!("/{name}"));
    }
    Ok(match record.stamp.instance.as_str() {
        "" => format!("/{PLATFORM}"),
        instance => format!("/{PLATFORM}/{instance}"),
    })
}

fn yes(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" | "y" => Some(true),
        "false" | "no" | "0" | "n" => Some(false),
        _ => None,
    }
}
