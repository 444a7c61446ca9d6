//! What a request says of how its bytes are to be read.

use axum::http::{HeaderMap, StatusCode, header};
use callboard_model::cloudevents::MAX_NAME_BYTES;
use callboard_sources::adapter::Declared;
use callboard_sources::lines::Kind;
use serde::Deserialize;

use super::source::Source;
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
    source: &Source,
    query: SourceQuery,
    headers: &HeaderMap,
) -> Result<How, Problem> {
    let kind = match (source.options.adapter.as_str(), query.feed.as_str()) {
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
        ("events", feed) => {
            return Err(Problem::bad(
                "unknown_feed",
                format!("feed \"{}\" is none of events", short(feed)),
            ));
        }
        (adapter, _) => {
            return Err(Problem::new(
                StatusCode::NOT_FOUND,
                "unknown_adapter",
                format!(
                    "source {} is read by \"{}\", which this server does not have",
                    source.options.name,
                    short(adapter)
                ),
            ));
        }
    };
    let instance = match instance(source, query.instance)? {
        i if i.is_empty() => DEFAULT_INSTANCE.to_owned(),
        i => i,
    };
    let zone = zone(door, source, &instance, query.zone)?;
    let columns = match (query.columns.as_str(), kind) {
        ("", Some(kind)) => columns(door, source, &instance, kind),
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

pub(super) fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

/// What a request declares of documents: an instance that it does not name is read from them.
pub(super) fn declared(
    door: &Platforms,
    source: &Source,
    query: SourceQuery,
) -> Result<Declared, Problem> {
    let instance = instance(source, query.instance)?;
    Ok(Declared {
        zone: zone(door, source, &instance, query.zone)?,
        instance,
        name: query.name,
    })
}

/// The instance: that of the source where it has one, so that nobody who may send as one tenant can
/// send as another.
fn instance(source: &Source, asked: String) -> Result<String, Problem> {
    let own = &source.options.instance;
    if own.is_empty() {
        check_instance(&asked)?;
        return Ok(asked);
    }
    if !asked.is_empty() && asked != *own {
        return Err(Problem::bad(
            "other_instance",
            format!(
                "source {} is of instance {own}; leave instance away, or send to a source of that instance",
                source.options.name
            ),
        ));
    }
    Ok(own.clone())
}

fn zone(
    door: &Platforms,
    source: &Source,
    instance: &str,
    asked: String,
) -> Result<String, Problem> {
    let known = || door.instances.get(instance).map(|k| k.zone.clone());
    let zone = match (asked, &source.options.zone) {
        (zone, own) if zone.is_empty() && !own.is_empty() => own.clone(),
        (zone, _) if zone.is_empty() => known().unwrap_or_default(),
        (zone, _) => zone,
    };
    check_zone(&zone)?;
    Ok(zone)
}

fn columns(door: &Platforms, source: &Source, instance: &str, kind: Kind) -> Vec<String> {
    let own = source.options.columns.get(kind.name());
    let known = door.instances.get(instance);
    own.or_else(|| known?.columns.get(kind.name()))
        .cloned()
        .unwrap_or_default()
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
