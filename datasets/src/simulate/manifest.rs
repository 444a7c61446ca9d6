//! What was written, and how much of it: the last file, without which a simulation is not whole.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::calendar::read_date;
use super::disorder::Dials;
use super::truth::tables::Table;
use super::write::FileEntry;
use super::{SimulateError, VERSION};

/// Its name.
const NAME: &str = "manifest.json";
/// The list of the events that were told with two wordings.
pub const CONFLICTS: &str = "truth/conflicts.ndjson";

/// What was written.
#[derive(Debug, Clone, Serialize)]
pub struct Manifest {
    /// Version of the simulator.
    pub version: &'static str,
    /// Seed.
    pub seed: u64,
    /// Contacts asked for.
    pub contacts: u64,
    /// First day.
    pub first_day: String,
    /// Days.
    pub days: i64,
    /// Days that were played, where only the first were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_day: Option<i64>,
    /// Days that went before and are not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_days: Option<u64>,
    /// Talks and wrap-ups last so many thousandths of what they would.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle_permille: Option<i64>,
    /// Doors close at four in the morning.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub open_late: bool,
    /// Sites, each a source.
    pub sites: u64,
    /// Disorder.
    pub disorder: &'static str,
    /// Rates that are others than those of the disorder, in a million.
    #[serde(skip_serializing_if = "Dials::is_empty")]
    pub dials: Dials,
    /// Lines that are no events, in a million.
    pub poison_ppm: u64,
    /// What clocks are wrong by at most, milliseconds.
    pub skew_ms: i64,
    /// The platform in whose format the day is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<&'static str>,
    /// What must be counted.
    pub counts: Counts,
    /// Files.
    pub files: Vec<FileEntry>,
}

impl Manifest {
    /// Writes it into the folder, whole or not at all.
    pub fn write(&self, out: &Path) -> Result<(), SimulateError> {
        let path = out.join(NAME);
        let under_way = out.join("manifest.json.part");
        let text = serde_json::to_vec_pretty(self)?;
        std::fs::write(&under_way, text)
            .and_then(|()| std::fs::rename(&under_way, &path))
            .map_err(|source| SimulateError::File { path, source })
    }
}

/// What must be counted of all lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Contacts, those that came of others among them.
    pub contacts: u64,
    /// Lines, without the blank ones.
    pub lines: u64,
    /// Blank lines between them, which nobody has to answer.
    pub blank: u64,
    /// New events.
    pub taken: u64,
    /// Lines that repeat an event byte by byte, some with another end of line.
    pub repeated: u64,
    /// Lines with the identity of an event and other bytes.
    pub conflicts: u64,
    /// Lines that are no events.
    pub refused: u64,
    /// Those by class.
    pub dead_letters: BTreeMap<&'static str, u64>,
}

/// Why a simulation cannot be compared with.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The manifest is not there or no manifest.
    #[error(
        "{path}: {why}; it is written last: the simulation in this folder was not finished, or the folder is none of `callboard simulate`"
    )]
    Unfinished {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Another version of the simulator wrote it.
    #[error(
        "{path}: written by version {version} of the simulator, this program knows version {known}; simulate again",
        known = VERSION
    )]
    Version {
        /// Which file.
        path: PathBuf,
        /// Its version.
        version: String,
    },
    /// A platform tells the day.
    #[error(
        "{path}: the day is told as {platform}, under the platform's own ids, which are compared with nothing here; simulate without --as"
    )]
    Told {
        /// Which file.
        path: PathBuf,
        /// The platform.
        platform: String,
    },
    /// A file that is not as it was written.
    #[error("{path}: {why}; simulate again, into an empty folder")]
    Changed {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

/// A simulation that was written, read back.
#[derive(Debug)]
pub struct Written {
    folder: PathBuf,
    said: Said,
}

/// What is read of a manifest.
#[derive(Debug, Deserialize)]
struct Said {
    version: String,
    platform: Option<String>,
    counts: WrittenCounts,
    files: Vec<FileEntry>,
}

/// The counts of a manifest that are held against a server.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct WrittenCounts {
    /// New events.
    pub taken: i64,
    /// Lines that repeat an event.
    pub repeated: i64,
    /// Lines with the identity of an event and other words.
    pub conflicts: i64,
    /// Lines that are no events.
    pub refused: i64,
}

impl Written {
    /// Reads the manifest of a simulation.
    ///
    /// # Errors
    /// When there is none, or the simulation is of another version or told by a platform.
    pub fn read(folder: &Path) -> Result<Self, ManifestError> {
        let path = folder.join(NAME);
        let unfinished = |why: String| ManifestError::Unfinished {
            path: path.clone(),
            why,
        };
        let text = std::fs::read(&path).map_err(|e| unfinished(e.to_string()))?;
        let said: Said = serde_json::from_slice(&text).map_err(|e| unfinished(e.to_string()))?;
        if said.version != VERSION {
            let version = said.version;
            return Err(ManifestError::Version { path, version });
        }
        if let Some(platform) = said.platform {
            return Err(ManifestError::Told { path, platform });
        }
        Ok(Written {
            folder: folder.to_owned(),
            said,
        })
    }

    /// Its counts.
    pub fn counts(&self) -> WrittenCounts {
        self.said.counts
    }

    /// The list of conflicts, as it was written: a line for each event that was told with two wordings,
    /// with its `source` and `id` and, as `records.content_hash` has them, the hashes of the words that
    /// hold (`kept`) and of the others (`dropped`).
    ///
    /// # Errors
    /// When the file is missing or changed.
    pub fn conflicts(&self) -> Result<PathBuf, ManifestError> {
        let entry = self.said.files.iter().find(|f| f.path == CONFLICTS);
        let entry = entry.ok_or_else(|| ManifestError::Changed {
            path: self.folder.join(CONFLICTS),
            why: "no file that manifest.json names".to_owned(),
        })?;
        self.unchanged(entry)
    }

    /// The files of a table in the truth, by their UTC days, 0 for one of all days. Each is as it was
    /// written, and there are no others.
    ///
    /// # Errors
    /// When a file is missing, changed or not of the simulation.
    pub fn files(&self, table: &Table) -> Result<BTreeMap<i64, PathBuf>, ManifestError> {
        let of_days = format!("truth/{}/", table.name);
        let whole = format!("truth/{}.ndjson", table.name);
        let mut files = BTreeMap::new();
        for entry in &self.said.files {
            let day = match entry.path.strip_prefix(&of_days) {
                Some(name) => read_date(name.trim_end_matches(".ndjson")),
                None => (entry.path == whole).then_some(0),
            };
            let Some(day) = day else {
                continue;
            };
            files.insert(day, self.unchanged(entry)?);
        }
        let folder = self.folder.join(&of_days);
        let Ok(there) = std::fs::read_dir(&folder) else {
            return Ok(files);
        };
        for path in there.flatten().map(|entry| entry.path()) {
            if !files.values().any(|file| *file == path) {
                let why = "no file that manifest.json names".to_owned();
                return Err(ManifestError::Changed { path, why });
            }
        }
        Ok(files)
    }

    /// Where a file lies that has the bytes of which the manifest tells.
    fn unchanged(&self, entry: &FileEntry) -> Result<PathBuf, ManifestError> {
        let path = self.folder.join(&entry.path);
        let found = hash(&path);
        let changed = |why: String| ManifestError::Changed {
            path: path.clone(),
            why,
        };
        let (bytes, blake3) = found.map_err(|e| changed(e.to_string()))?;
        if bytes != entry.bytes {
            let wanted = entry.bytes;
            return Err(changed(format!(
                "{bytes} bytes, and {wanted} by manifest.json"
            )));
        }
        if blake3 != entry.blake3 {
            return Err(changed(
                "other bytes than manifest.json has the hash of".to_owned(),
            ));
        }
        Ok(path)
    }
}

/// Length and BLAKE3 of a file, a piece at a time.
fn hash(path: &Path) -> std::io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            return Ok((bytes, hasher.finalize().to_hex().to_string()));
        }
        bytes += read as u64;
        hasher.update(piece.get(..read).unwrap_or_default());
    }
}
