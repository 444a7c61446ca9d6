//! The journey across platforms that is replayed with the shift: documents of three platforms, made
//! by hand, each as its platform would send it.

use std::path::Path;

use callboard_model::record::{Interpreter as _, Record};
use callboard_sources::adapter::{self, Declared};
use callboard_sources::lines::NewLine;
use callboard_sources::registry::Registry;

use super::replay::unreadable;
use crate::commands::Failure;

/// So long after the time that they tell of reports come, microseconds; events come at once.
const REPORTED: i64 = 600_000_000;

/// Files with their platform, its instance, and whether they are reports.
const FILES: [(&str, &str, &str, bool); 5] = [
    ("acs.ndjson", "acs", "web", false),
    ("teams-queue.json", "teams", "contoso", true),
    ("teams-agents.json", "teams", "contoso", true),
    ("teams-direct-routing.json", "teams", "contoso", true),
    ("amazon-connect.json", "amazon-connect", "eu", true),
];

/// The documents' records with the times at which they come; none where there is no such folder.
///
/// # Errors
/// When a file is missing or damaged.
pub fn documents(folder: &Path) -> Result<Vec<(i64, Record)>, Failure> {
    let mut records = Vec::new();
    if !folder.exists() {
        return Ok(records);
    }
    for (name, platform, instance, report) in FILES {
        let path = folder.join(name);
        let bytes = std::fs::read(&path).map_err(|e| unreadable(&path, e))?;
        let adapter = adapter::of_platform(platform)
            .ok_or_else(|| unreadable(&path, "nobody reads its platform"))?;
        let declared = Declared {
            instance: instance.to_owned(),
            zone: String::new(),
            name: name.to_owned(),
        };
        for document in adapter.split(&bytes, &declared) {
            let NewLine::Record(new) = document else {
                return Err(unreadable(
                    &path,
                    "a document in it is none of its platform",
                ));
            };
            let record = new.received(0);
            let time = Registry.route(&record).ok().and_then(|r| r.time);
            let at = time.ok_or_else(|| unreadable(&path, "a document without a time"))?;
            records.push((if report { at + REPORTED } else { at }, record));
        }
    }
    Ok(records)
}
