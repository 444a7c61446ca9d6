//! Systems that a mapping file tells, whatever brings what they say: `POST /v1/sources/mapping:NAME`,
//! topics, or a prefix that is followed.
//!
//! The expressions of a mapping are programs, and a program can be endless or take all memory. So
//! they are never run in this process: `callboard map run` runs them, with bounds of its own, and is
//! ended when it says nothing for too long. The item that it was at becomes a dead letter, another
//! process goes on behind it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::http::StatusCode;
use callboard_sources::adapter::Declared;
use callboard_sources::lines::NewLine;
use callboard_sources::mapping::wire::{Ask, Said, over_limit};
use callboard_sources::mapping::{MOST_BYTES, shipped};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::problem::Problem;
use worker::{Ended, Worker};

mod worker;

/// Processes that run mappings at once.
const WORKERS: usize = 2;

/// Processes that one body may end before the rest of it is refused.
const DEATHS: usize = 8;

/// Longest time for one body, where nobody waits for less.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3600);

/// How often the folder is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Most files of the folder that are looked at.
const MOST_FILES: usize = 1_000;

/// The mappings in force, and the processes that run them.
pub struct Mappings {
    program: PathBuf,
    folder: Option<PathBuf>,
    held: Mutex<BTreeMap<String, Held>>,
    idle: parking_lot::Mutex<Vec<Worker>>,
    places: Semaphore,
}

/// A mapping by its name.
#[derive(Clone, Default)]
struct Held {
    /// The text in force.
    text: Option<Arc<str>>,
    /// When the file was changed, and its length, as it was last looked at.
    seen: Option<(SystemTime, u64)>,
    /// Why the file as it is now cannot be used.
    faults: Vec<String>,
}

impl Mappings {
    /// Mappings of that folder, `NAME.toml` each, beside those that come with callboard, run by
    /// `PROGRAM map run`.
    pub fn new(program: PathBuf, folder: Option<PathBuf>) -> Arc<Self> {
        Arc::new(Mappings {
            program,
            folder,
            held: Mutex::default(),
            idle: parking_lot::Mutex::default(),
            places: Semaphore::new(WORKERS),
        })
    }

    /// Looks at the folder again and again, so that a file that is broken is told of soon.
    pub async fn watch(self: Arc<Self>, stop: tokio_util::sync::CancellationToken) {
        loop {
            for name in self.names() {
                let _ = self.in_force(&name).await;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Whether there is a mapping of that name, usable or not.
    pub fn has(&self, name: &str) -> bool {
        let file = |folder: &PathBuf| folder.join(format!("{name}.toml")).is_file();
        good(name) && (shipped(name).is_some() || self.folder.as_ref().is_some_and(file))
    }

    /// Names of the folder's files.
    fn names(&self) -> Vec<String> {
        let Some(entries) = self.folder.as_ref().and_then(|f| std::fs::read_dir(f).ok()) else {
            return Vec::new();
        };
        entries
            .filter_map(|e| e.ok()?.file_name().into_string().ok())
            .filter_map(|name| Some(name.strip_suffix(".toml")?.to_owned()))
            .filter(|name| good(name))
            .take(MOST_FILES)
            .collect()
    }

    /// The text of a mapping that is in force: the folder's file, read again when it has changed and
    /// can be used, else the one before it, else the one that comes with callboard.
    async fn in_force(&self, name: &str) -> Result<Arc<str>, Problem> {
        let mut all = self.held.lock().await;
        let mut held = all.get(name).cloned().unwrap_or_else(|| Held {
            text: shipped(name).map(Arc::from),
            ..Held::default()
        });
        let path = self.folder.as_ref().map(|f| f.join(format!("{name}.toml")));
        let found = path.as_ref().and_then(|path| {
            let about = std::fs::metadata(path).ok().filter(|m| m.is_file())?;
            Some((path, (about.modified().ok()?, about.len())))
        });
        if let Some((path, seen)) = found
            && held.seen != Some(seen)
        {
            match self.check(path, seen.1).await {
                Ok(text) => {
                    tracing::info!(mapping = name, "the mapping file is in force");
                    held.text = Some(text);
                    held.faults.clear();
                }
                Err(faults) => {
                    let faults_told = faults.join("; ");
                    tracing::error!(
                        mapping = name,
                        faults = faults_told,
                        "the mapping file cannot be used; what was in force before stays"
                    );
                    held.faults = faults;
                }
            }
            held.seen = Some(seen);
            metrics::gauge!("callboard_mapping_broken", "mapping" => name.to_owned())
                .set(f64::from(u8::from(!held.faults.is_empty())));
        }
        let told = match (&held.text, held.faults.is_empty()) {
            (Some(text), _) => Ok(text.clone()),
            (None, false) => Err(Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "broken_mapping",
                format!(
                    "the mapping file {name}.toml cannot be used: {}",
                    held.faults.join("; ")
                ),
            )),
            (None, true) => return Err(unknown(name)),
        };
        all.insert(name.to_owned(), held);
        told
    }

    /// A file's text, if it can be used.
    async fn check(&self, path: &std::path::Path, length: u64) -> Result<Arc<str>, Vec<String>> {
        if length > MOST_BYTES as u64 {
            return Err(vec![format!(
                "{length} bytes; a mapping file has at most {MOST_BYTES}"
            )]);
        }
        let text = std::fs::read_to_string(path).map_err(|e| vec![e.to_string()])?;
        let ask = Ask {
            mapping: text.clone(),
            check: true,
            ..Ask::default()
        };
        let mut worker = self.worker().map_err(|e| vec![e])?;
        match worker.ask(&ask, &[], &mut |_| {}).await {
            Ok(()) => {
                self.keep(worker);
                Ok(text.into())
            }
            Err(Ended::Faults(faults)) => {
                self.keep(worker);
                Err(faults)
            }
            Err(Ended::Died) => Err(vec!["reading it took too much time or memory".to_owned()]),
        }
    }

    fn worker(&self) -> Result<Worker, String> {
        let idle = self.idle.lock().pop();
        match idle {
            Some(worker) => Ok(worker),
            None => Worker::start(&self.program)
                .map_err(|e| format!("no process for mappings can be started: {e}")),
        }
    }

    fn keep(&self, worker: Worker) {
        let mut idle = self.idle.lock();
        if idle.len() < WORKERS {
            idle.push(worker);
        }
    }

    /// Whether a mapping of that name can be run now.
    ///
    /// # Errors
    /// Why it cannot.
    pub(crate) async fn ready(&self, name: &str) -> Result<(), String> {
        let found = match good(name) {
            true => self.in_force(name).await.map(drop),
            false => Err(unknown(name)),
        };
        found.map_err(|problem| problem.detail)
    }

    /// What a mapping makes of a body. What it has not read within `patience` is one dead letter.
    ///
    /// # Errors
    /// When there is no such mapping, or it cannot be run.
    pub(crate) async fn split(
        &self,
        name: &str,
        body: &[u8],
        declared: &Declared,
        patience: Duration,
    ) -> Result<Vec<NewLine>, Problem> {
        if !good(name) {
            return Err(unknown(name));
        }
        let text = self.in_force(name).await?;
        let _place = self.places.acquire().await;
        let until = Instant::now() + patience;
        let mut ask = Ask {
            mapping: text.to_string(),
            check: false,
            instance: declared.instance.clone(),
            zone: declared.zone.clone(),
            name: declared.name.clone(),
            skip: 0,
            fatal: false,
            length: body.len(),
        };
        let mut told = Told::default();
        let mut why = format!("{DEATHS} items took more memory or time than a mapping may");
        for _ in 0..DEATHS {
            let mut worker = self.worker().map_err(|e| {
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no_mapping_process", e)
            })?;
            let mut hear = |said| told.hear(said);
            let asked = timeout_at(until, worker.ask(&ask, body, &mut hear)).await;
            match asked {
                Ok(Ok(())) => {
                    self.keep(worker);
                    return Ok(told.whole);
                }
                Ok(Err(Ended::Faults(faults))) => {
                    return Err(Problem::new(
                        StatusCode::UNPROCESSABLE_ENTITY,
                        "broken_mapping",
                        faults.join("; "),
                    ));
                }
                Ok(Err(Ended::Died)) => {
                    metrics::counter!("callboard_mapping_processes_ended_total", "mapping" => name.to_owned())
                        .increment(1);
                    tracing::warn!(
                        mapping = name,
                        item = told.items + 1,
                        "a mapping took too much time or memory; its process was ended"
                    );
                    told.part.clear();
                    if told.found.is_none() {
                        let reason = "finding the items took more memory or time than a mapping may; look at the expression `items`";
                        return Ok(vec![over_limit(reason, body)]);
                    }
                    ask.skip = told.items;
                    ask.fatal = true;
                }
                // The process ends with its value.
                Err(_) => {
                    told.part.clear();
                    why = format!("all together took longer than {} s", patience.as_secs());
                    break;
                }
            }
        }
        let reason = format!("{why}; those after number {} were not read", told.items);
        told.whole.push(over_limit(&reason, body));
        Ok(told.whole)
    }
}

/// What was said of a body so far.
#[derive(Default)]
struct Told {
    /// Of items that are done.
    whole: Vec<NewLine>,
    /// Of the item at work.
    part: Vec<NewLine>,
    items: usize,
    found: Option<usize>,
}

impl Told {
    fn hear(&mut self, said: Said) {
        match said {
            Said::Found(n) => self.found = Some(n),
            Said::Item(n) => {
                self.items = n;
                self.whole.append(&mut self.part);
            }
            other => self.part.extend(other.line()),
        }
    }
}

/// Whether a name can be one of a mapping's.
fn good(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && name.len() <= 64 && name.chars().all(letter)
}

/// There is no mapping of that name.
pub(super) fn unknown(name: &str) -> Problem {
    let shown: String = name.chars().take(60).collect();
    Problem::new(
        StatusCode::NOT_FOUND,
        "unknown_mapping",
        format!(
            "no mapping \"{shown}\": put {shown}.toml into the folder of mappings; `callboard map list` lists those that come with callboard"
        ),
    )
}
