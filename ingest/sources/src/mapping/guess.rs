//! A mapping file proposed from the columns of a CSV export: names by their synonyms, forms of times
//! by trying them. The user looks it over and tries it.

use std::fmt::Write as _;

use chrono::NaiveDateTime;
use serde_json::Value;

use super::file::Csv;
use super::functions::bare;
use super::rows;
use words::{DERIVED, EVENTS, FORMS, MISSING, ROLES};

mod words;

/// Rows that are looked at.
const LOOKED_AT: usize = 500;

/// A column: what it is called and what stands in it.
struct Column {
    name: String,
    values: Vec<String>,
}

/// Proposes a mapping file for an export.
///
/// # Errors
/// Why none can be proposed, and what to do.
pub fn guess(name: &str, bytes: &[u8]) -> Result<String, String> {
    let separator = separator(bytes);
    let csv = Csv {
        separator,
        ..Csv::default()
    };
    let found: Vec<Value> = rows::read(bytes, &csv)
        .into_iter()
        .take(LOOKED_AT)
        .filter_map(|row| serde_json::from_slice(&row.ok()?).ok())
        .collect();
    let Some(Value::Object(first)) = found.first() else {
        return Err(
            "no rows: the first line must name the columns, and a row must follow".to_owned(),
        );
    };
    let columns: Vec<Column> = header(bytes, separator)
        .into_iter()
        .filter(|name| first.contains_key(name))
        .map(|name| Column {
            values: found
                .iter()
                .filter_map(|row| row.get(&name)?.as_str())
                .filter(|v| !v.trim().is_empty())
                .map(|v| v.trim().to_owned())
                .collect(),
            name,
        })
        .collect();
    let mut roles: Vec<(&str, &Column)> = Vec::new();
    for (role, names) in ROLES {
        let fitting = names.iter().find_map(|wanted| {
            columns
                .iter()
                .filter(|c| !roles.iter().any(|(_, taken)| taken.name == c.name))
                .find(|c| bare(&c.name) == **wanted)
        });
        roles.extend(fitting.map(|column| (*role, column)));
    }
    let is = |role: &str| roles.iter().find(|(r, _)| *r == role).map(|(_, c)| *c);
    if is("started").is_none() && is("ended").is_none() && is("answered").is_none() {
        return Err(format!(
            "none of the columns {} is known to be a time; name one of them Start Time, or write the mapping by hand",
            columns
                .iter()
                .map(|c| format!("\"{}\"", c.name))
                .collect::<Vec<_>>()
                .join(", ")
        ));
    }
    Ok(written(name, separator, &columns, &roles))
}

/// The separator that the first line has most of.
fn separator(bytes: &[u8]) -> char {
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let count = |c: &char| line.iter().filter(|b| **b == *c as u8).count();
    let all = [',', ';', '\t', '|'];
    all.into_iter()
        .rev()
        .max_by_key(count)
        .filter(|c| count(c) > 0)
        .unwrap_or(',')
}

/// Names of the columns in the order of the file.
fn header(bytes: &[u8], separator: char) -> Vec<String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(u8::try_from(separator).unwrap_or(b','))
        .from_reader(bytes);
    let first = reader.byte_records().next().and_then(Result::ok);
    let names = first.iter().flat_map(|row| row.iter());
    names
        .map(|field| String::from_utf8_lossy(field).trim().to_owned())
        .collect()
}

/// The form in which a column's times are read, and what to look at.
fn form(column: &Column) -> (String, Option<String>) {
    let fits = |form: &str| {
        !column.values.is_empty()
            && column
                .values
                .iter()
                .all(|v| NaiveDateTime::parse_from_str(v, form).is_ok())
    };
    let fitting: Vec<&(&str, &str)> = FORMS.iter().filter(|(form, _)| fits(form)).collect();
    match fitting.as_slice() {
        [] => ("at".to_owned(), None),
        [(form, _)] => (format!("at(\"{form}\")"), None),
        [(form, order), (other, _), ..] => (
            format!("at(\"{form}\")"),
            Some(format!(
                "\"{}\" fits {form} ({order}) and {other}: look which it is",
                column.name
            )),
        ),
    }
}

fn written(name: &str, separator: char, columns: &[Column], roles: &[(&str, &Column)]) -> String {
    let mut out = String::new();
    let quoted = |text: &str| Value::from(text).to_string();
    let mut look: Vec<String> = Vec::new();
    let mut functions = String::new();
    for (role, column) in roles {
        let of = format!(".[{}]", quoted(&column.name));
        let code = match *role {
            "started" | "answered" | "ended" => {
                let (form, doubt) = form(column);
                look.extend(doubt);
                format!("{of} | {form}")
            }
            "wait" | "ring" | "talk" | "hold" | "acw" | "ivr" | "length" => format!("{of} | ms"),
            "holds" => format!("{of} | text | if . == null then null else tonumber end"),
            "abandoned" => format!("{of} | yes"),
            _ => format!("{of} | text"),
        };
        let role = match *role {
            "answered" => "told_answered",
            "ended" => "told_ended",
            "started" => "told_started",
            "abandoned" => "told_abandoned",
            role => role,
        };
        let _ = writeln!(functions, "def {role}: {code};");
    }
    let has = |role: &str| roles.iter().any(|(r, _)| *r == role);
    for (role, code) in MISSING.iter().filter(|(role, _)| !has(role)) {
        let _ = writeln!(functions, "def {role}: {code};");
    }
    for (role, name) in [
        ("started", "told_started"),
        ("answered", "told_answered"),
        ("ended", "told_ended"),
        ("abandoned", "told_abandoned"),
        ("direction", "direction"),
        ("length", "length_told"),
    ] {
        if !has(role) {
            let _ = writeln!(functions, "def {name}: null;");
        } else if role == "length" {
            functions = functions.replace("def length:", "def length_told:");
        }
    }
    if !has("contact") {
        look.push(
            "no column is known to be the call's id: start, caller and queue together stand for it"
                .to_owned(),
        );
        let parts =
            "[(told_started // told_answered // told_ended), customer, dialled, queue, agent]";
        let _ = writeln!(
            functions,
            "def contact: {parts} | map(values) | join(\" \");"
        );
    }
    functions.push_str(DERIVED);
    let unknown: Vec<&str> = columns
        .iter()
        .filter(|c| !roles.iter().any(|(_, taken)| taken.name == c.name))
        .map(|c| c.name.as_str())
        .collect();
    if !unknown.is_empty() {
        look.push(format!("not used: {}", unknown.join(", ")));
    }
    let _ = writeln!(
        out,
        "# Proposed from the columns of an export. Look it over, then: callboard map try THIS-FILE EXPORT.csv"
    );
    for told in look {
        // A column's name may hold a line break.
        let _ = writeln!(out, "# - {}", told.replace(['\n', '\r'], " "));
    }
    let _ = writeln!(out, "name = {}", quoted(name));
    let _ = writeln!(out, "title = {}", quoted(&format!("{name}, CSV export")));
    let _ = writeln!(out, "platform = {}", quoted(name));
    out.push_str("sure = \"guessed\"\nknowledge = \"proposed from the names of columns\"\n");
    out.push_str("# zone = \"Europe/Berlin\"   # of times that have none\nformat = \"csv\"\n");
    let _ = writeln!(out, "csv.separator = {}", quoted(&separator.to_string()));
    out.push_str("items = 'select(contact != null and started != null)'\nid = 'contact'\ntime = 'ended // started'\n");
    // A text between three quotes ends at three: a column's name can hold them.
    let _ = writeln!(
        out,
        "functions = '''\n{}'''",
        functions.replace("'''", "''\\u0027")
    );
    out.push_str(EVENTS);
    out
}
