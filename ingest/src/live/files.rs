//! Files that Asterisk writes on this machine, followed by the server itself: through rotation and
//! restarts, as `callboard send --follow` does. Beside a live connection they fill what it missed.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

use callboard_sources::lines::{Kind, LineReader};

use super::Given;
use super::hand::{Tally, candidates, submit};
use crate::doors::follow::discover::discover;
use crate::doors::follow::position::Positions;
use crate::doors::follow::{Next, Part, Reading, Tail};

/// How often a file is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How long after a failure it is opened again.
const AGAIN: Duration = Duration::from_secs(5);
/// Bytes of one part.
const PART: usize = 256 * 1024;
/// In whose name positions are kept.
const DESTINATION: &str = "this server";

/// Files that are followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesOptions {
    /// Our name for this Asterisk.
    pub instance: String,
    /// The files, each by its own name.
    pub paths: Vec<PathBuf>,
    /// IANA zone of local times; empty = UTC.
    pub zone: String,
    /// Order of columns by feed, where it was configured otherwise.
    pub columns: HashMap<String, Vec<String>>,
}

/// Follows them until told to stop.
pub async fn run(options: FilesOptions, given: Given) {
    let folder = given.state.join("followed");
    let positions = loop {
        match Positions::open(&folder, DESTINATION, &options.instance) {
            Ok(positions) => break positions,
            Err(error) => tracing::error!(%error, "files are not followed; tried again"),
        }
        if !pause(&given, AGAIN).await {
            return;
        }
    };
    let mut open: BTreeMap<PathBuf, Tail> = BTreeMap::new();
    let mut retry = tokio::time::Instant::now();
    loop {
        if retry <= tokio::time::Instant::now() {
            retry = tokio::time::Instant::now() + AGAIN;
            for path in &options.paths {
                if !open.contains_key(path) {
                    let name = name(path);
                    match tail(&options, &positions, path) {
                        Ok(tail) => {
                            given
                                .links
                                .change(&name, |l| (l.up, l.trouble) = (true, None));
                            open.insert(path.clone(), tail);
                        }
                        Err(why) => given
                            .links
                            .change(&name, |l| (l.up, l.trouble) = (false, Some(why))),
                    }
                }
            }
        }
        let mut quiet = true;
        for path in &options.paths {
            let Some(tail) = open.remove(path) else {
                continue;
            };
            // Reading a file may take a while: others are served meanwhile.
            let step = tokio::task::spawn_blocking(move || {
                let mut tail = tail;
                let next = tail.next_part();
                (tail, next)
            });
            let Ok((tail, next)) = step.await else {
                continue;
            };
            match next {
                Ok(Next::Part(part)) => {
                    quiet = false;
                    let Some(tally) = take(&tail, &part, &given).await else {
                        return;
                    };
                    if let Err(error) = positions.put(&tail.position(&part)) {
                        tracing::error!(%error, "how far a file was read cannot be remembered");
                    }
                    given.links.change(&name(path), |l| {
                        l.since = given.intake.now();
                        l.taken += tally.taken;
                        l.repeated += tally.repeated;
                        l.refused += tally.refused;
                    });
                    open.insert(path.clone(), tail);
                }
                Ok(Next::Quiet) => drop(open.insert(path.clone(), tail)),
                Ok(Next::End) => {}
                Err(error) => given.links.change(&name(path), |l| {
                    (l.up, l.trouble) = (false, Some(error.to_string()));
                }),
            }
        }
        if quiet && !pause(&given, LOOK).await {
            return;
        }
        if given.stop.is_cancelled() {
            return;
        }
    }
}

fn name(path: &Path) -> String {
    format!("file {}", path.display())
}

async fn pause(given: &Given, wait: Duration) -> bool {
    tokio::select! {
        () = given.stop.cancelled() => false,
        () = tokio::time::sleep(wait) => true,
    }
}

fn tail(options: &FilesOptions, positions: &Positions, path: &Path) -> Result<Tail, String> {
    let asterisk = |kind: Kind| matches!(kind, Kind::Asterisk(_));
    let found = discover(&[path.to_owned()], None, &asterisk).map_err(|e| e.to_string())?;
    let Some(file) = found.files.first() else {
        let why = found.passed_over.first();
        return Err(why.map_or("it is no file".to_owned(), |(_, why)| why.clone()));
    };
    let columns = options.columns.get(file.kind.name());
    let reading = Reading {
        kind: file.kind,
        instance: options.instance.clone(),
        zone: options.zone.clone(),
        columns: columns.cloned().unwrap_or_default(),
    };
    let known = positions.get(path);
    Tail::open(path, reading, true, PART, known.as_ref()).map_err(|e| e.to_string())
}

async fn take(tail: &Tail, part: &Part, given: &Given) -> Option<Tally> {
    let reading = tail.reading();
    let mut reader = LineReader::resume(
        reading.kind,
        &reading.instance,
        &reading.zone,
        &reading.columns,
        part.from.clone(),
    );
    let mut lines = reader.push(&part.bytes);
    lines.extend(reader.finish());
    let all = candidates(lines, given.intake.now(), &given.limits);
    submit(&*given.intake, all, &given.limits, &given.stop).await
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
