//! Backups: a data folder as it is in one moment, copied while its server goes on, and put back.
//!
//! Everything but the last segment of the log is in files that never change, so the moment costs
//! as many links as there are files; the copying comes after it. Acknowledged before the moment
//! means in the backup.

mod tape;

use std::io;
use std::path::{Path, PathBuf};

use url::Url;

pub use tape::{Restored, check, restore};

use crate::datafolder::DataFolder;
use crate::lake::Lake;
use crate::log::Log;
use crate::store::StoreError;

/// Folder of the links, below the data folder; removed with the backup, and at the next start.
const FOLDER: &str = "backup";

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
    folder: PathBuf,
    parts: Vec<Part>,
}

impl Drop for Backup {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            tracing::warn!(path = %self.folder.display(), %error, "links of a backup stay until the next start");
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
pub(crate) fn tidy(folder: &DataFolder) {
    let left = folder.root().join(FOLDER);
    if left.exists()
        && let Err(error) = std::fs::remove_dir_all(&left)
    {
        tracing::warn!(path = %left.display(), %error, "links of an old backup cannot be removed");
    }
}

/// Takes the picture. The caller keeps flushes from running; tables are kept from being written
/// here.
pub(crate) async fn take(
    folder: &DataFolder,
    log: &Log,
    lake: &Lake,
) -> Result<Backup, StoreError> {
    let lake_folder = local(lake.url())?;
    let held = lake.hold().await;
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
        links.add_folder(&lake_folder, "lake")?;
        Ok::<_, io::Error>(links.into_backup())
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
        let all = root.join(FOLDER);
        std::fs::create_dir_all(&all)?;
        for number in 1_u32.. {
            let folder = all.join(number.to_string());
            match std::fs::create_dir(&folder) {
                Ok(()) => {
                    let parts = Vec::new();
                    return Ok(Links {
                        backup: Backup { folder, parts },
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    fn add(&mut self, file: &Path, name: &str, length: Option<u64>) -> io::Result<()> {
        let path = self.backup.folder.join(self.backup.parts.len().to_string());
        match std::fs::hard_link(file, &path) {
            Ok(()) => {}
            // Another file system, or one without links.
            Err(error)
                if [io::ErrorKind::CrossesDevices, io::ErrorKind::Unsupported]
                    .contains(&error.kind()) =>
            {
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
            // What is only being written has no name yet.
            if below.ends_with(".tmp") || below.contains('#') {
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

    fn into_backup(self) -> Backup {
        self.backup
    }
}
