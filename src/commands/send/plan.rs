//! What is sent: which files, how they are read, and where each stood.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use callboard_ingest::doors::follow::discover::{Discovery, Found, discover};
use callboard_ingest::doors::follow::position::{Position, Positions};
use callboard_ingest::doors::follow::{Reading, Tail};
use callboard_sources::lines::Kind;

use super::super::Failure;
use super::look::{Look, look};
use crate::cli::{SendArgs, SourceKind};

/// Bytes of one part. A platform's lines are short: a part of them fits one batch of the server,
/// so that it is acknowledged whole or not at all.
const LINES_BYTES: usize = 256 * 1024;
const EVENTS_BYTES: usize = 1024 * 1024;

/// Files of a folder of which is said that they are passed over.
const SHOWN: usize = 3;

/// What is sent, and where it stood.
pub struct Plan {
    /// What was acknowledged before.
    pub positions: Positions,
    forced: Option<Kind>,
    source: SourceKind,
}

impl Plan {
    /// A plan for that destination.
    ///
    /// # Errors
    /// When an option means nothing, or there is no place to remember.
    pub fn new(args: &SendArgs, destination: &str) -> Result<Self, Failure> {
        let forced = match (&args.feed, &args.source) {
            (None, SourceKind::Asterisk) => None,
            (None, SourceKind::Events) => Some(Kind::Events),
            (Some(name), SourceKind::Asterisk) => match Kind::of_name(name) {
                Some(kind @ Kind::Asterisk(_)) => Some(kind),
                _ => {
                    return Err(Failure::usage(format!(
                        "--feed {name} is none of queue_log, cel, cdr, ami, ari"
                    )));
                }
            },
            (None, SourceKind::Documents(_)) => None,
            (Some(_), SourceKind::Events | SourceKind::Documents(_)) => {
                return Err(Failure::usage("--feed goes with --source asterisk only"));
            }
        };
        if !args.zone.is_empty() && args.zone.parse::<chrono_tz::Tz>().is_err() {
            return Err(Failure::usage(format!(
                "--zone {} is not known; write an IANA name such as Europe/Berlin",
                args.zone
            )));
        }
        let folder = match &args.state {
            Some(folder) => folder.clone(),
            None => state_folder()?.join("callboard/send"),
        };
        let positions =
            Positions::open(&folder, destination, args.line_instance()).map_err(|e| {
                Failure::failed(format!(
                    "{}: {e}; name a folder that can be written with --state",
                    folder.display()
                ))
            })?;
        Ok(Plan {
            positions,
            forced,
            source: args.source.clone(),
        })
    }

    /// Opens all files that are there. What cannot be opened or read goes into `failures`.
    ///
    /// # Errors
    /// When a named path is not there, or there is nothing to send.
    pub fn open(&self, args: &SendArgs, failures: &mut Vec<String>) -> Result<Vec<Tail>, Failure> {
        let found = self
            .discover(&args.paths)
            .map_err(|e| Failure::usage(e.to_string()))?;
        let mut passed_over = found.passed_over;
        passed_over.retain(|(path, _)| match look(path) {
            // Nobody knows what it holds: it may be what is to be sent.
            Look::Broken(why) => {
                failures.push(format!("{}: {why}", path.display()));
                false
            }
            _ => true,
        });
        say_passed_over(&passed_over, &args.paths);
        if found.files.is_empty() && failures.is_empty() && !args.follow {
            return Err(Failure::failed(
                "nothing to send: no file holds what --source asks for; if one should, name its --feed",
            ));
        }
        if args.again {
            for file in &found.files {
                self.positions.forget(&file.path)?;
            }
        }
        let remembered = if args.again {
            Vec::new()
        } else {
            self.positions.all()
        };
        let mut tails = Vec::new();
        for file in &found.files {
            let known = self.known(file, &found.files, &remembered);
            match self.tail(args, file, known.as_ref()) {
                Ok(tail) => tails.push(tail),
                Err(e) => failures.push(format!("{}: {e}", file.path.display())),
            }
        }
        Ok(tails)
    }

    /// Files that have appeared since.
    pub fn new_files(
        &self,
        args: &SendArgs,
        open: &[Tail],
        closed: &HashSet<PathBuf>,
    ) -> Vec<Tail> {
        let Ok(found) = self.discover(&args.paths) else {
            return Vec::new();
        };
        let known = |path: &Path| open.iter().any(|tail| tail.path() == path);
        found
            .files
            .iter()
            // What was rotated away under the eyes of a tail was sent by that tail.
            .filter(|file| !closed.contains(&file.path) && !known(&file.path))
            .filter(|file| !self.is_rotated(&file.path, open))
            .filter_map(|file| {
                let position = self.positions.get(&file.path);
                self.tail(args, file, position.as_ref()).ok()
            })
            .collect()
    }

    fn is_rotated(&self, path: &Path, open: &[Tail]) -> bool {
        open.iter()
            .filter_map(|tail| self.positions.get(tail.path()))
            .any(|position| position.is_of(path).unwrap_or(false))
            || is_older_of(path, open)
    }

    /// Where a file stood: under its own name, or, if it was rotated meanwhile, under the name it
    /// had then.
    fn known(&self, file: &Found, all: &[Found], remembered: &[Position]) -> Option<Position> {
        let is_of = |position: &Position, path: &Path| position.is_of(path).unwrap_or(false);
        let own = self.positions.get(&file.path);
        if own.as_ref().is_some_and(|p| is_of(p, &file.path)) {
            return own;
        }
        let renamed = remembered
            .iter()
            .filter(|p| is_of(p, &file.path))
            .max_by_key(|p| p.state.offset);
        if let Some(position) = renamed {
            return Some(position.clone());
        }
        // Where the file that had this name is sent on its own, its rest is not looked for.
        own.filter(|p| !all.iter().any(|other| is_of(p, &other.path)))
    }

    fn discover(&self, paths: &[PathBuf]) -> std::io::Result<Discovery> {
        let events = self.source == SourceKind::Events;
        discover(paths, self.forced, &|kind| (kind == Kind::Events) == events)
    }

    fn tail(
        &self,
        args: &SendArgs,
        file: &Found,
        known: Option<&Position>,
    ) -> std::io::Result<Tail> {
        let reading = Reading {
            kind: file.kind,
            instance: args.line_instance().to_owned(),
            zone: args.zone.clone(),
            columns: args.columns.clone(),
        };
        let part = match file.kind {
            Kind::Events => EVENTS_BYTES,
            Kind::Asterisk(_) => LINES_BYTES,
        };
        Tail::open(&file.path, reading, args.follow, part, known)
    }
}

/// Says of each named file why it is passed over; of files found in folders only the first ones,
/// since a folder of logs may hold much else.
fn say_passed_over(passed_over: &[(PathBuf, String)], named: &[PathBuf]) {
    let (asked, found): (Vec<_>, Vec<_>) = passed_over
        .iter()
        .partition(|(path, _)| named.contains(path));
    for (path, why) in asked.iter().chain(found.iter().take(SHOWN)) {
        eprintln!("callboard: {} passed over: {why}", path.display());
    }
    if found.len() > SHOWN {
        eprintln!("callboard: {} more passed over", found.len() - SHOWN);
    }
}

/// Whether this is `NAME.1`, `NAME-20260302` and the like of a file that is followed.
fn is_older_of(path: &Path, open: &[Tail]) -> bool {
    let name = path.to_string_lossy();
    open.iter().any(|tail| {
        name.strip_prefix(&*tail.path().to_string_lossy())
            .is_some_and(|rest| rest.starts_with(['.', '-']))
    })
}

fn state_folder() -> Result<PathBuf, Failure> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|p| p.is_absolute())
    };
    absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .ok_or_else(|| {
            Failure::usage("neither XDG_STATE_HOME nor HOME is set; name a folder with --state")
        })
}
