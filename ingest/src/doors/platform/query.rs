//! What a request says of how its bytes are to be read.

use axum::http::{HeaderMap, StatusCode, header};
use callboard_model::cloudevents::MAX_NAME_BYTES;
use callboard_sources::adapter::{ADAPTERS, Declared};
use callboard_sources::lines::Kind;
use serde::Deserialize;

use super::{DEFAULT_INSTANCE, Platforms, RESUMED};
use crate::doors::problem::Problem;

/// Query of `POST /v1/sources/{source}`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SourceQuery {
    /// Instance of the platform; `default` when missing.
    pub instance: String,
    /// `queue_log`, `cel`, `cdr`, `ami`; found from the content when missing.
    pub feed: String,
    /// IANA zone of local times.
    pub zone: String,
    /// Comma-separated order of columns.
    pub columns: String,
    /// Name of the file, which helps where the content leaves a doubt.
    pub name: String,
    pub sender: String,
    pub detail: String,
}

/// How the lines of a request are read.
pub(super) struct How {
    pub kind: Option<Kind>,
    pub name: String,
    pub instance: String,
    pub zone: String,
    pub columns: Vec<String>,
    pub resumed: bool,
}

pub(super) fn how(
    door: &Platforms,
    source: &str,
    query: SourceQuery,
    headers: &HeaderMap,
) -> Result<How, Problem> {
    let kind = match (source, query.feed.as_str()) {
        ("events", "" | "events") => Some(Kind::Events),
        ("asterisk", "") => None,
        ("asterisk", feed) => match Kind::of_name(feed) {
            Some(kind @ Kind::Asterisk(_)) => Some(kind),
            _ => {
                return Err(Problem::bad(
                    "unknown_feed",
                    format!(
                        "feed \"{}\" is none of queue_log, cel, cdr, ami",
                        short(feed)
                    ),
                ));
            }
        },
        _ => {
            return Err(Problem::new(
                StatusCode::NOT_FOUND,
                "unknown_source",
                format!(
                    "source \"{}\" is not known; known are asterisk, events, {}",
                    short(source),
                    ADAPTERS
                        .iter()
                        .map(|a| a.platform())
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            ));
        }
    };
    let instance = match query.instance {
        i if i.is_empty() => DEFAULT_INSTANCE.to_owned(),
        i => i,
    };
    check_instance(&instance)?;
    let known = door.instances.get(&instance);
    let zone = match query.zone {
        z if z.is_empty() => known.map(|k| k.zone.clone()).unwrap_or_default(),
        z => z,
    };
    check_zone(&zone)?;
    let columns = match (query.columns.as_str(), kind) {
        ("", Some(kind)) => known
            .and_then(|k| k.columns.get(kind.name()).cloned())
            .unwrap_or_default(),
        ("", None) => Vec::new(),
        (columns, _) => columns.split(',').map(|c| c.trim().to_owned()).collect(),
    };
    let media = headers
        .get(header::CONTENT_TYPE)
        .map(|v| String::from_utf8_lossy(v.as_bytes()).to_ascii_lowercase());
    Ok(How {
        kind,
        name: query.name,
        instance,
        zone,
        columns,
        resumed: media.is_some_and(|m| m.starts_with(RESUMED)),
    })
}

fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

/// What a request declares of documents: an instance that it does not name is read from them.
pub(super) fn declared(door: &Platforms, query: SourceQuery) -> Result<Declared, Problem> {
    check_instance(&query.instance)?;
    let known = door.instances.get(&query.instance);
    let zone = match query.zone {
        z if z.is_empty() => known.map(|k| k.zone.clone()).unwrap_or_default(),
        z => z,
    };
    check_zone(&zone)?;
    Ok(Declared {
        instance: query.instance,
        zone,
        name: query.name,
    })
}

fn check_instance(instance: &str) -> Result<(), Problem> {
    if instance.len() > MAX_NAME_BYTES / 2 || instance.contains(['/', '\u{0}', '\n', '\r']) {
        return Err(Problem::bad(
            "bad_instance",
            "the instance must be a short name without slash, such as pbx1",
        ));
    }
    Ok(())
}

fn check_zone(zone: &str) -> Result<(), Problem> {
    if !(zone.is_empty() || zone.parse::<chrono_tz::Tz>().is_ok()) {
        return Err(Problem::bad(
            "unknown_zone",
            format!(
                "zone \"{}\" is not known; write an IANA name such as Europe/Berlin",
                short(zone)
            ),
        ));
    }
    Ok(())
}
