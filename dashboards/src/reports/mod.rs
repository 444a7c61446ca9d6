//! Reports: a report is a file. `file` reads and checks one, `run` turns it into queries,
//! `page` and `visual` into a page, `drill` into the list behind each number.

pub mod aggregate;
pub mod compare;
pub mod draw;
pub mod drill;
pub mod file;
pub mod footnote;
pub mod gather;
pub mod grain;
pub mod page;
pub mod run;
pub mod show;
pub mod visual;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;

pub use file::Report;

/// The reports that come with the program.
const BUILT_IN: [(&str, &str); 8] = [
    ("board", include_str!("../../reports/board.toml")),
    (
        "queue-interval",
        include_str!("../../reports/queue-interval.toml"),
    ),
    ("heat-map", include_str!("../../reports/heat-map.toml")),
    ("exceptions", include_str!("../../reports/exceptions.toml")),
    (
        "agent-scorecard",
        include_str!("../../reports/agent-scorecard.toml"),
    ),
    (
        "agent-timeline",
        include_str!("../../reports/agent-timeline.toml"),
    ),
    ("journeys", include_str!("../../reports/journeys.toml")),
    ("migration", include_str!("../../reports/migration.toml")),
];

/// Most files read from the users' folder.
const MOST_FILES: usize = 200;
/// Largest report file.
const LARGEST: u64 = 256 * 1024;

/// A report as found: readable, or why not.
pub type Found = Result<Arc<Report>, String>;

/// All reports: the built-in ones and those in the users' folder.
pub struct Library {
    built_in: BTreeMap<String, Found>,
    folder: Option<PathBuf>,
    read: Mutex<BTreeMap<PathBuf, (SystemTime, Found)>>,
}

impl Library {
    /// The built-in reports and the files `*.toml` in `folder`, which are read again when they change.
    pub fn new(folder: Option<PathBuf>) -> Self {
        let built_in = BUILT_IN
            .iter()
            .map(|(name, text)| ((*name).to_owned(), Report::read(name, text).map(Arc::new)))
            .collect();
        Library {
            built_in,
            folder,
            read: Mutex::default(),
        }
    }

    /// The folder into which users drop their own.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Every report by name; a user's file of a built-in name stands in its place.
    pub fn all(&self) -> BTreeMap<String, Found> {
        let mut all = self.built_in.clone();
        let Some(folder) = &self.folder else {
            return all;
        };
        let Ok(entries) = std::fs::read_dir(folder) else {
            return all;
        };
        let files = entries.flatten().map(|e| e.path());
        for path in files
            .filter(|p| p.extension().is_some_and(|e| e == "toml"))
            .take(MOST_FILES)
        {
            if let Some(name) = path.file_stem().and_then(|s| s.to_str()) {
                all.insert(name.to_owned(), self.file_of(name, &path));
            }
        }
        all
    }

    /// One report by name.
    pub fn get(&self, name: &str) -> Option<Found> {
        let plain = name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if !plain || name.is_empty() {
            return None;
        }
        if let Some(folder) = &self.folder {
            let path = folder.join(format!("{name}.toml"));
            if path.is_file() {
                return Some(self.file_of(name, &path));
            }
        }
        self.built_in.get(name).cloned()
    }

    fn file_of(&self, name: &str, path: &Path) -> Found {
        let meta = std::fs::metadata(path).map_err(|e| format!("{}: {e}", path.display()))?;
        if meta.len() > LARGEST {
            return Err(format!(
                "{} is larger than {LARGEST} bytes.",
                path.display()
            ));
        }
        let changed = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        if let Some((at, found)) = self.read.lock().get(path)
            && *at == changed
        {
            return found.clone();
        }
        let found = std::fs::read_to_string(path)
            .map_err(|e| e.to_string())
            .and_then(|text| Report::read(name, &text))
            .map(Arc::new)
            .map_err(|e| format!("{}: {e}", path.display()));
        let mut read = self.read.lock();
        if read.len() > MOST_FILES {
            read.clear();
        }
        read.insert(path.to_owned(), (changed, found.clone()));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_report_reads() {
        for (name, found) in Library::new(None).all() {
            assert!(found.is_ok(), "{name}: {:?}", found.err());
        }
    }

    #[test]
    fn a_users_file_is_found_and_a_bad_one_says_where() {
        let dir = std::env::temp_dir().join(format!("callboard-reports-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("mine.toml"), "title = 3").unwrap();
        let library = Library::new(Some(dir.clone()));
        let why = library.get("mine").unwrap().unwrap_err();
        assert!(why.contains("mine.toml") && why.contains("title"), "{why}");
        assert!(library.get("../mine").is_none());
        std::fs::remove_dir_all(dir).unwrap();
    }
}
