//! What a connection may SET, and what SHOW answers. Settings belong to the connection; none of
//! them reaches the engine but the statement timeout.

use std::collections::HashMap;
use std::time::Duration;

use crate::error::{Class, QueryError};

/// Fixed answers of SHOW, in lower case.
const FIXED: &[(&str, &str)] = &[
    ("server_version", super::SERVER_VERSION),
    ("server_version_num", "160006"),
    ("server_encoding", "UTF8"),
    ("client_encoding", "UTF8"),
    ("standard_conforming_strings", "on"),
    ("transaction_isolation", "read committed"),
    ("transaction isolation level", "read committed"),
    ("default_transaction_isolation", "read committed"),
    ("transaction_read_only", "on"),
    ("default_transaction_read_only", "on"),
    ("is_superuser", "off"),
    ("max_identifier_length", "63"),
    ("integer_datetimes", "on"),
    ("intervalstyle", "postgres"),
    ("datestyle", "ISO, MDY"),
    ("timezone", "UTC"),
    ("time zone", "UTC"),
    ("lc_collate", "C.UTF-8"),
    ("lc_ctype", "C.UTF-8"),
    ("lc_monetary", "C"),
    ("lc_numeric", "C"),
    ("lc_time", "C"),
    ("search_path", "callboard"),
    ("extra_float_digits", "1"),
    ("bytea_output", "hex"),
    ("application_name", ""),
    ("statement_timeout", "0"),
    ("session_authorization", ""),
];

/// Prefix under which a connection's settings lie among its metadata.
const OWN: &str = "set:";

/// What SHOW answers.
///
/// # Errors
/// When nobody knows the setting.
pub fn show(name: &str, metadata: &HashMap<String, String>) -> Result<String, QueryError> {
    let name = name.to_ascii_lowercase();
    if let Some(own) = metadata.get(&format!("{OWN}{name}")) {
        return Ok(own.clone());
    }
    FIXED
        .iter()
        .find(|(n, _)| *n == name)
        .map(|(_, v)| (*v).to_owned())
        .ok_or_else(|| unknown(&name))
}

/// Every setting with its value, for `pg_settings` and `SHOW ALL`.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    FIXED.iter().copied().filter(|(n, _)| !n.contains(' '))
}

fn unknown(name: &str) -> QueryError {
    QueryError::new(
        Class::Invalid,
        format!("unrecognized configuration parameter \"{name}\""),
    )
}

/// What a SET changes: the key and value to keep in the connection's metadata.
///
/// # Errors
/// When it would reach the engine, is unknown, or is no value of that setting.
pub fn set(name: &str, value: &str) -> Result<Option<(String, String)>, QueryError> {
    let name = name.to_ascii_lowercase();
    if name.starts_with("datafusion") {
        return Err(QueryError::new(
            Class::ReadOnly,
            format!("{name} belongs to the server and cannot be set"),
        ));
    }
    let keep = |v: &str| Ok(Some((format!("{OWN}{name}"), v.to_owned())));
    match name.as_str() {
        "statement_timeout" => {
            timeout(value)?;
            keep(value)
        }
        "application_name" | "search_path" => keep(value),
        "client_encoding" | "names" => {
            let plain: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
            if matches!(
                plain.to_ascii_uppercase().as_str(),
                "UTF8" | "UNICODE" | "DEFAULT"
            ) {
                Ok(None)
            } else {
                Err(QueryError::new(
                    Class::Unsupported,
                    format!("the server speaks UTF8 only, not {value}"),
                ))
            }
        }
        // Times are always given in UTC, dates in ISO; clients set these as a matter of form.
        "timezone" | "time zone" | "datestyle" | "intervalstyle" | "extra_float_digits"
        | "bytea_output" => Ok(None),
        n if FIXED.iter().any(|(f, _)| *f == n) => Ok(None),
        "idle_in_transaction_session_timeout"
        | "idle_session_timeout"
        | "lock_timeout"
        | "client_min_messages"
        | "row_security"
        | "session characteristics"
        | "transaction"
        | "synchronize_seqscans"
        | "jit"
        | "default_transaction_deferrable" => Ok(None),
        _ => Err(unknown(&name)),
    }
}

/// The connection's own statement timeout.
pub fn statement_timeout(metadata: &HashMap<String, String>) -> Option<Duration> {
    let own = metadata
        .get(&format!("{OWN}statement_timeout"))
        .or_else(|| metadata.get("statement_timeout"))?;
    timeout(own).ok().flatten()
}

/// `250`, `250ms`, `2s`, `1min`; 0 = none.
fn timeout(text: &str) -> Result<Option<Duration>, QueryError> {
    let text = text.trim();
    let split = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let bad = || {
        QueryError::new(
            Class::Value,
            format!("invalid value for parameter \"statement_timeout\": \"{text}\""),
        )
    };
    if text.eq_ignore_ascii_case("default") {
        return Ok(None);
    }
    let n: u64 = digits.parse().map_err(|_| bad())?;
    let factor = match unit.trim() {
        "" | "ms" => 1,
        "s" => 1000,
        "min" => 60_000,
        "h" => 3_600_000,
        _ => return Err(bad()),
    };
    let ms = n.checked_mul(factor).ok_or_else(bad)?;
    Ok((ms > 0).then(|| Duration::from_millis(ms)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_stay_with_the_connection() {
        let mut metadata = HashMap::new();
        assert_eq!(show("statement_timeout", &metadata).unwrap(), "0");
        let (k, v) = set("Statement_Timeout", "2s").unwrap().unwrap();
        metadata.insert(k, v);
        assert_eq!(statement_timeout(&metadata), Some(Duration::from_secs(2)));
        assert_eq!(show("statement_timeout", &metadata).unwrap(), "2s");
        assert!(set("statement_timeout", "soon").is_err());
        assert_eq!(
            set("datafusion.execution.batch_size", "7")
                .unwrap_err()
                .class,
            Class::ReadOnly
        );
        assert!(set("nonsense", "1").is_err());
        assert!(show("nonsense", &metadata).is_err());
    }
}
