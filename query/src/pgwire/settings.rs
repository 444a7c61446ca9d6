//! What a connection may SET, and what SHOW answers. Settings belong to the connection; of them the
//! statement timeout, the zone and the moment of the picture have an effect.

use std::collections::HashMap;
use std::time::Duration;

use callboard_model::time::{format_rfc3339, parse_rfc3339};

use super::zones::Zone;
use crate::error::{Class, QueryError};
use crate::moment;

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
    (AS_OF, ""),
];

/// The setting that says of which earlier moment the picture is read.
pub(super) const AS_OF: &str = "callboard.as_of";

/// Prefix under which a connection's settings lie among its metadata.
const OWN: &str = "set:";
/// Key of the connection's zone.
const ZONE_KEY: &str = "set:timezone";

/// What a SET or RESET does to a connection's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nothing: accepted as a matter of form.
    Nothing,
    /// Keeps a value under a key.
    Keep(String, String),
    /// Back to what it was at the start.
    Forget(String),
    /// All of them back.
    ForgetAll,
}

impl Change {
    /// Makes the change.
    pub fn make(self, metadata: &mut HashMap<String, String>) {
        match self {
            Change::Nothing => {}
            Change::Keep(key, value) => {
                metadata.insert(key, value);
            }
            Change::Forget(key) => {
                metadata.remove(&key);
            }
            Change::ForgetAll => metadata.retain(|key, _| !key.starts_with(OWN)),
        }
    }
}

/// The connection's own settings among its metadata.
pub fn own(metadata: &HashMap<String, String>) -> HashMap<String, String> {
    let own = metadata.iter().filter(|(key, _)| key.starts_with(OWN));
    own.map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// Puts these in the place of the connection's own settings.
pub fn put_own(metadata: &mut HashMap<String, String>, own: HashMap<String, String>) {
    Change::ForgetAll.make(metadata);
    metadata.extend(own);
}

/// The connection's zone: as it was set, as the client asked at the start, else UTC.
pub fn zone(metadata: &HashMap<String, String>) -> Zone {
    let own = metadata.get(ZONE_KEY).map(String::as_str);
    let asked = metadata
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case("timezone"));
    own.or(asked.map(|(_, zone)| zone.as_str()))
        .and_then(Zone::named)
        .unwrap_or(Zone::UTC)
}

/// What SHOW answers.
///
/// # Errors
/// When nobody knows the setting.
pub fn show(name: &str, metadata: &HashMap<String, String>) -> Result<String, QueryError> {
    let name = name.to_ascii_lowercase();
    if matches!(name.as_str(), "timezone" | "time zone") {
        return Ok(zone(metadata).name());
    }
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

/// What a RESET changes.
///
/// # Errors
/// When nobody knows the setting.
pub fn reset(name: &str) -> Result<Change, QueryError> {
    match name.to_ascii_lowercase().as_str() {
        "all" => Ok(Change::ForgetAll),
        "time zone" => Ok(Change::Forget(ZONE_KEY.to_owned())),
        "session authorization" => Ok(Change::Nothing),
        name => {
            set(name, "DEFAULT", Zone::UTC)?;
            Ok(Change::Forget(format!("{OWN}{name}")))
        }
    }
}

/// What a SET changes in the connection's metadata; `zone` is that of the connection.
///
/// # Errors
/// When it would reach the engine, is unknown, or is no value of that setting.
pub fn set(name: &str, value: &str, zone: Zone) -> Result<Change, QueryError> {
    let name = name.to_ascii_lowercase();
    if name.starts_with("datafusion") {
        return Err(QueryError::new(
            Class::ReadOnly,
            format!("{name} belongs to the server and cannot be set"),
        ));
    }
    let keep = |v: &str| Ok(Change::Keep(format!("{OWN}{name}"), v.to_owned()));
    let default = value.eq_ignore_ascii_case("DEFAULT");
    match name.as_str() {
        "timezone" | "time zone" if default || value.eq_ignore_ascii_case("LOCAL") => {
            Ok(Change::Forget(ZONE_KEY.to_owned()))
        }
        "timezone" | "time zone" => match Zone::named(value) {
            Some(zone) => Ok(Change::Keep(ZONE_KEY.to_owned(), zone.name())),
            None => Err(QueryError::new(
                Class::Setting,
                format!(
                    "invalid value for parameter \"TimeZone\": \"{value}\"; name a zone such as \
                     Europe/Berlin or UTC"
                ),
            )),
        },
        AS_OF if value.is_empty() => Ok(Change::Forget(format!("{OWN}{name}"))),
        "statement_timeout" | "application_name" | "search_path" | AS_OF if default => {
            Ok(Change::Forget(format!("{OWN}{name}")))
        }
        "statement_timeout" => {
            timeout(value)?;
            keep(value)
        }
        AS_OF => {
            let Zone::Named(zone) = zone else {
                return Err(unknown(&name));
            };
            keep(&format_rfc3339(moment(value, zone)?))
        }
        "application_name" | "search_path" => keep(value),
        "client_encoding" | "names" => {
            let plain: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
            if matches!(
                plain.to_ascii_uppercase().as_str(),
                "UTF8" | "UNICODE" | "DEFAULT"
            ) {
                Ok(Change::Nothing)
            } else {
                Err(QueryError::new(
                    Class::Unsupported,
                    format!("the server speaks UTF8 only, not {value}"),
                ))
            }
        }
        // Days are always given in the ISO form; clients set these as a matter of form.
        n if FIXED.iter().any(|(f, _)| *f == n) => Ok(Change::Nothing),
        "idle_in_transaction_session_timeout"
        | "idle_session_timeout"
        | "lock_timeout"
        | "client_min_messages"
        | "row_security"
        | "session characteristics"
        | "transaction"
        | "synchronize_seqscans"
        | "jit"
        | "default_transaction_deferrable" => Ok(Change::Nothing),
        _ => Err(unknown(&name)),
    }
}

/// The earlier moment whose picture the connection reads, UTC microseconds.
pub fn as_of(metadata: &HashMap<String, String>) -> Option<i64> {
    let own = metadata.get(&format!("{OWN}{AS_OF}"))?;
    parse_rfc3339(own).map(|(at, _)| at)
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
        set("Statement_Timeout", "2s", Zone::UTC)
            .unwrap()
            .make(&mut metadata);
        assert_eq!(statement_timeout(&metadata), Some(Duration::from_secs(2)));
        assert_eq!(show("statement_timeout", &metadata).unwrap(), "2s");
        assert!(set("statement_timeout", "soon", Zone::UTC).is_err());
        assert_eq!(
            set("datafusion.execution.batch_size", "7", Zone::UTC)
                .unwrap_err()
                .class,
            Class::ReadOnly
        );
        reset("statement_timeout").unwrap().make(&mut metadata);
        assert_eq!(show("statement_timeout", &metadata).unwrap(), "0");
        assert!(reset("nonsense").is_err());
        assert!(set("nonsense", "1", Zone::UTC).is_err());
        assert!(show("nonsense", &metadata).is_err());
    }

    #[test]
    fn the_zone_is_the_one_set_else_the_one_asked_for_at_the_start() {
        let mut metadata = HashMap::from([("TimeZone".to_owned(), "Asia/Kolkata".to_owned())]);
        assert_eq!(show("timezone", &metadata).unwrap(), "Asia/Kolkata");
        set("time zone", "europe/berlin", Zone::UTC)
            .unwrap()
            .make(&mut metadata);
        assert_eq!(show("TimeZone", &metadata).unwrap(), "Europe/Berlin");
        for bad in ["Nowhere", "+02:00", ""] {
            let e = set("timezone", bad, Zone::UTC).unwrap_err();
            assert_eq!(e.sqlstate(), "22023", "{bad}");
        }
        set("timezone", "default", Zone::UTC)
            .unwrap()
            .make(&mut metadata);
        assert_eq!(show("time zone", &metadata).unwrap(), "Asia/Kolkata");
        assert_eq!(zone(&HashMap::new()), Zone::UTC);
    }

    #[test]
    fn the_moment_of_the_picture_is_kept_as_an_instant() {
        let mut metadata = HashMap::new();
        assert_eq!(show(AS_OF, &metadata).unwrap(), "");
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let change = set("Callboard.As_Of", "2026-11-22 11:00", berlin).unwrap();
        change.make(&mut metadata);
        assert_eq!(as_of(&metadata), Some(1_795_341_600_000_000));
        assert_eq!(
            show(AS_OF, &metadata).unwrap(),
            "2026-11-22T10:00:00.000000Z"
        );
        assert_eq!(set(AS_OF, "soon", berlin).unwrap_err().sqlstate(), "22023");
        reset(AS_OF).unwrap().make(&mut metadata);
        assert_eq!(as_of(&metadata), None);
        set(AS_OF, "2026-11-22 11:00", berlin)
            .unwrap()
            .make(&mut metadata);
        set(AS_OF, "", berlin).unwrap().make(&mut metadata);
        assert_eq!(as_of(&metadata), None);
    }
}
