//! Backups: a data folder as it is in one moment, copied while its server goes on, and put back.
//!
//! Everything but the last segment of the log is in files that never change, so the moment costs
//! as many links as there are files; the copying comes after it. Acknowledged before the moment
//! means in the backup.

mod tape;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

pub use tape::{RestoreError, Restored, check, restore};

use crate::datafolder::DataFolder;
use crate::lake::{ASIDE, Held, Lake};
use crate::log::Log;
use crate::store::StoreError;

/// Folder of the links, below the data folder and below a lake that is elsewhere; removed with the
/// backup, and at the next start.
pub(crate) const LINKS: &str = "_backup";
/// For how long a backup waits for a moment at which no table is written.
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);

/// One file of a backup.
#[derive(Debug, Clone)]
struct Part {
    /// Path below a data folder.
    name: String,
    /// A link to it.
    path: PathBuf,
    /// Bytes of it that count: a file of the log goes on growing.
    length: u64,
}

/// A data folder as it was in one moment. Its links go when it is dropped.
#[derive(Debug)]
pub struct Backup {
    folders: Vec<PathBuf>,
    parts: Vec<Part>,
}

impl Drop for Backup {
    fn drop(&mut self) {
        for folder in &self.folders {
            if let Err(error) = std::fs::remove_dir_all(folder) {
                tracing::warn!(path = %folder.display(), %error, "links of a backup stay until the next start");
            }
        }
    }
}

impl Backup {
    /// Files in it.
    #[must_use]
    pub fn files(&self) -> usize {
        self.parts.len()
    }

    /// Their bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|p| p.length).sum()
    }

    /// Writes it, as a tar file that ends with a list of what it holds.
    ///
    /// # Errors
    /// When a file cannot be read, or nobody takes it any more.
    pub fn write(&self, out: impl io::Write) -> io::Result<()> {
        tape::write(&self.parts, out)
    }
}

/// Removes what a backup left that was cut off.
pub(crate) fn tidy(folder: &DataFolder, lake: &Lake) {
    for root in [Some(folder.root().to_owned()), local(lake.url()).ok()] {
        let left = root.unwrap_or_default().join(LINKS);
        if left.exists()
            && let Err(error) = std::fs::remove_dir_all(&left)
        {
            tracing::warn!(path = %left.display(), %error, "links of an old backup cannot be removed");
        }
    }
}

/// Takes the picture. The caller keeps flushes from running, and tables from being written.
pub(crate) async fn take(
    folder: &DataFolder,
    log: &Log,
    lake: &Lake,
    held: Held<'_>,
) -> Result<Backup, StoreError> {
    let lake_folder = local(lake.url())?;
    // The log first: a record may name audio, which is in the lake before it.
    let segments = log.durable_files();
    let root = folder.root().to_owned();
    let state = folder.state();
    let linked = tokio::task::spawn_blocking(move || {
        let mut links = Links::new(&root)?;
        links.add(&root.join("VERSION"), "VERSION", None)?;
        for (path, end) in segments {
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("");
            links.add(&path, &format!("log/{name}"), Some(end))?;
        }
        links.add_folder(&state, "state")?;
        if !lake_folder.starts_with(&root) {
            // Links lie on the same disk as what they lead to.
            links.begin(&lake_folder)?;
        }
        links.add_folder(&lake_folder, "lake")?;
        Ok::<_, io::Error>(links.backup)
    });
    let backup = linked.await.map_err(io::Error::other)??;
    drop(held);
    Ok(backup)
}

/// The lake's folder.
fn local(url: &Url) -> Result<PathBuf, StoreError> {
    let folder = (url.scheme() == "file")
        .then(|| url.to_file_path().ok())
        .flatten();
    folder.ok_or_else(|| {
        StoreError::Io(io::Error::new(
            io::ErrorKind::Unsupported,
            format!("the lake is at {url}, not in a folder: copy it with that store's own means while the server is stopped, together with the data folder"),
        ))
    })
}

/// Links under way; they go with it unless they become a backup.
struct Links {
    backup: Backup,
}

impl Links {
    fn new(root: &Path) -> io::Result<Self> {
        let mut links = Links {
            backup: Backup {
                folders: Vec::new(),
                parts: Vec::new(),
            },
        };
        links.begin(root)?;
        Ok(links)
    }

    /// Lays the next links below this folder.
    fn begin(&mut self, root: &Path) -> io::Result<()> {
        let all = root.join(LINKS);
        std::fs::create_dir_all(&all)?;
        for number in 1_u32.. {
            let folder = all.join(number.to_string());
            match std::fs::create_dir(&folder) {
                Ok(()) => {
                    self.backup.folders.push(folder);
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    fn add(&mut self, file: &Path, name: &str, length: Option<u64>) -> io::Result<()> {
        let folder = self.backup.folders.last().cloned().unwrap_or_default();
        let path = folder.join(self.backup.parts.len().to_string());
        match std::fs::hard_link(file, &path) {
            Ok(()) => {}
            // A file system without links.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                std::fs::copy(file, &path)?;
            }
            Err(error) => return Err(error),
        }
        let length = match length {
            Some(length) => length,
            None => std::fs::metadata(&path)?.len(),
        };
        self.backup.parts.push(Part {
            name: name.to_owned(),
            path,
            length,
        });
        Ok(())
    }

    fn add_folder(&mut self, folder: &Path, name: &str) -> io::Result<()> {
        let mut entries = std::fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let below = entry.file_name();
            let Some(below) = below.to_str() else {
                continue;
            };
            // What is only being written has no name yet; what was put aside is damaged.
            if below.ends_with(".tmp") || below.contains('#') || below == LINKS || below == ASIDE {
                continue;
            }
            let name = format!("{name}/{below}");
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.add_folder(&entry.path(), &name)?;
            } else if kind.is_file() {
                self.add(&entry.path(), &name, None)?;
            }
        }
        Ok(())
    }
}
