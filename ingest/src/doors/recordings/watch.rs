//! A watched folder: every second it is looked through, and a file whose size has stood still is
//! taken, by the [`names`](super::names) rules. Files stay where they are; what was taken is
//! remembered by path, size and time of change in the data folder, so that a restart takes
//! nothing twice.

use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use callboard_model::record::Refusal;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::names::{self, Meaning};
use super::{Brought, Recordings};

/// Deepest folder below the watched one.
const DEPTH: usize = 6;
/// Most files looked at in one pass.
const FILES: usize = 1_000_000;
/// Passes that an empty file, or a voicemail without its text, is waited for.
const PATIENCE: u32 = 300;

/// A folder to watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// The folder.
    pub path: PathBuf,
    /// Asterisk's instance, for contacts that are named by uniqueid.
    pub instance: String,
    /// File in which is remembered what was taken, e.g. in the data folder.
    pub memory: PathBuf,
}

/// Watches a folder until told to stop. A folder that cannot be read is tried again: it may be
/// on a disk that is not there yet.
pub async fn run(watch: Watch, recordings: Recordings, stop: CancellationToken) {
    loop {
        match Watcher::open(watch.clone(), recordings.clone()) {
            Ok(watcher) => return watcher.run(stop).await,
            Err(error) => {
                tracing::error!(%error, "recordings are not watched; tried again in 30 s")
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(30)) => {}
        }
    }
}

/// What was seen of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Look {
    size: u64,
    /// Time of change, UTC microseconds.
    changed_at: i64,
}

#[derive(Serialize, Deserialize)]
struct Remembered {
    path: PathBuf,
    #[serde(flatten)]
    look: Look,
}

/// Watches one folder.
pub struct Watcher {
    folder: Watch,
    recordings: Recordings,
    taken: HashMap<PathBuf, Look>,
    seen: HashMap<PathBuf, (Look, u32)>,
}

impl Watcher {
    /// Watches that folder, and remembers what was taken.
    ///
    /// # Errors
    /// When the folder or the memory cannot be read.
    pub fn open(folder: Watch, recordings: Recordings) -> std::io::Result<Self> {
        fs::read_dir(&folder.path).map_err(|e| {
            std::io::Error::new(
                e.kind(),
                format!(
                    "the watched folder {} cannot be read: {e}; create it or correct [[watch]] path",
                    folder.path.display()
                ),
            )
        })?;
        let taken = remembered(&folder.memory)?;
        rewrite(&folder.memory, &taken)?;
        Ok(Watcher {
            folder,
            recordings,
            taken,
            seen: HashMap::new(),
        })
    }

    /// Looks every second until told to stop.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tick.tick() => {}
            }
            self.pass(&stop).await;
        }
    }

    /// One look at the folder; takes what has stood still since the last one. Gives the number
    /// of files taken.
    pub async fn pass(&mut self, stop: &CancellationToken) -> usize {
        let root = self.folder.path.clone();
        let found = tokio::task::spawn_blocking(move || {
            let mut found = Vec::new();
            look(&root, DEPTH, &mut found);
            found
        })
        .await
        .unwrap_or_default();
        let before = std::mem::take(&mut self.seen);
        let mut count = 0;
        for (path, look) in found {
            if self.taken.get(&path) == Some(&look) {
                continue;
            }
            let stood = match before.get(&path) {
                Some((last, passes)) if *last == look => passes + 1,
                _ => 0,
            };
            self.seen.insert(path.clone(), (look, stood));
            if stood == 0 || stop.is_cancelled() {
                continue;
            }
            if self.take(&path, look, stood).await {
                self.seen.remove(&path);
                if let Err(e) = self.remember(&path, look) {
                    tracing::error!(path = %path.display(), error = %e,
                        "what was taken from the watched folder could not be remembered");
                }
                count += 1;
            }
        }
        count
    }

    /// Takes one file; true when it needs no further look.
    async fn take(&self, path: &Path, look: Look, stood: u32) -> bool {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
        let meaning = names::read(&name.unwrap_or_default(), &self.folder.instance);
        let brought = match self.meaning(path, meaning, look) {
            Ok(Some(brought)) => brought,
            // Empty, or its text is still missing: it may come.
            Ok(None) if stood < PATIENCE => return false,
            Ok(None) => Brought::default(),
            Err(()) => return true,
        };
        let size = look.size;
        if size > self.recordings.doors.limits.recording_bytes {
            tracing::warn!(path = %path.display(), size, "recording passed over: larger than limits.recording_bytes");
            metrics::counter!("callboard_recordings_refused_total", "class" => "recording_too_large").increment(1);
            return true;
        }
        let bytes = match tokio::fs::read(path).await {
            Ok(bytes) => Bytes::from(bytes),
            Err(e) => {
                tracing::warn!(path = %path.display(), error = %e, "recording cannot be read; tried again");
                return false;
            }
        };
        if bytes.len() as u64 != size {
            return false;
        }
        if brought.contact.is_empty() {
            let refusal = Refusal::new(
                "unnamed_recording",
                format!(
                    "{}: the name says no contact; name it CONTACT-LEG.wav, or as Asterisk does",
                    path.display()
                ),
            );
            let problem = self.recordings.refuse(refusal, &bytes).await;
            return problem.retry_after_s.is_none();
        }
        match self.recordings.put(brought, bytes).await {
            Ok(stored) => {
                tracing::info!(path = %path.display(), recording = %stored.recording_id, status = %stored.status, "recording taken");
                true
            }
            Err(problem) => {
                tracing::warn!(path = %path.display(), class = problem.class, "{}", problem.detail);
                // What may pass later is tried again; what never will is a dead letter by now.
                problem.retry_after_s.is_none()
            }
        }
    }

    /// The recording that a file is; `None` when it is not complete yet; `Err` when it is none.
    fn meaning(&self, path: &Path, meaning: Meaning, look: Look) -> Result<Option<Brought>, ()> {
        let mut brought = match meaning {
            Meaning::Skip => return Err(()),
            Meaning::Unknown => Brought::default(),
            Meaning::Recording(brought) => brought,
            Meaning::Voicemail { text_file } => {
                let text = fs::read_to_string(path.with_file_name(text_file));
                match text
                    .ok()
                    .and_then(|t| names::voicemail(&t, &self.folder.instance))
                {
                    Some(brought) => brought,
                    None => return Ok(None),
                }
            }
        };
        if look.size == 0 {
            return Ok(None);
        }
        brought.recorded_at = Some(look.changed_at);
        Ok(Some(brought))
    }

    fn remember(&mut self, path: &Path, look: Look) -> std::io::Result<()> {
        self.taken.insert(path.to_owned(), look);
        let mut file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.folder.memory)?;
        let line = line_of(path, look)?;
        file.write_all(&line)?;
        file.sync_data()
    }
}

fn line_of(path: &Path, look: Look) -> std::io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(&Remembered {
        path: path.to_owned(),
        look,
    })?;
    line.push(b'\n');
    Ok(line)
}

/// Reads the memory; a torn last line is passed over, its file is simply taken again.
fn remembered(memory: &Path) -> std::io::Result<HashMap<PathBuf, Look>> {
    let text = match fs::read(memory) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(HashMap::new()),
        Err(e) => return Err(e),
    };
    Ok(text
        .split(|b| *b == b'\n')
        .filter_map(|line| serde_json::from_slice::<Remembered>(line).ok())
        .filter(|r| r.path.exists())
        .map(|r| (r.path, r.look))
        .collect())
}

/// Writes the memory anew, without files that are gone.
fn rewrite(memory: &Path, taken: &HashMap<PathBuf, Look>) -> std::io::Result<()> {
    let mut all = Vec::new();
    for (path, look) in taken {
        all.extend(line_of(path, *look)?);
    }
    let fresh = memory.with_extension("new");
    let mut file = fs::File::create(&fresh)?;
    file.write_all(&all)?;
    file.sync_all()?;
    fs::rename(fresh, memory)
}

/// Audio files below a folder, in order of name.
fn look(folder: &Path, depth: usize, found: &mut Vec<(PathBuf, Look)>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let mut entries: Vec<_> = entries.flatten().collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let Ok(meta) = entry.metadata() else {
            continue;
        };
        if meta.is_dir() && depth > 0 {
            look(&entry.path(), depth - 1, found);
        } else if meta.is_file()
            && found.len() < FILES
            && names::read(&entry.file_name().to_string_lossy(), "") != Meaning::Skip
        {
            let changed_at = meta.modified().map_or(0, micros);
            let size = meta.len();
            found.push((entry.path(), Look { size, changed_at }));
        }
    }
}

fn micros(at: SystemTime) -> i64 {
    at.duration_since(SystemTime::UNIX_EPOCH)
        .ok()
        .and_then(|d| i64::try_from(d.as_micros()).ok())
        .unwrap_or(0)
}
