//! The folder that holds everything a server keeps: what lies where, which version it has, and
//! that only one process uses it.
//!
//! ```text
//! VERSION     one line, the format of the folder
//! LOCK        held while a server runs; names its process
//! log/        the durable log
//! lake/       the tables, unless the lake is elsewhere
//! state/      checkpoints, flush records, filters
//! models/     what was downloaded
//! ```

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::storage::{Disk, write_synced};

/// Format of the data folder that this program reads and writes.
pub const FORMAT: u8 = 1;

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataFolderError {
    /// Another process uses it.
    #[error(
        "the data folder {path} is in use by process {holder}; stop that server or name another \
         folder with --data", path = path.display()
    )]
    Locked {
        /// The folder.
        path: PathBuf,
        /// Process id as the holder wrote it, or "unknown".
        holder: String,
    },
    /// It was written by a newer program.
    #[error(
        "the data folder {path} has format {found}, this program knows formats up to {known}; use \
         the newer program that wrote it, or name another folder with --data", path = path.display()
    )]
    Newer {
        /// The folder.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// Ours.
        known: u8,
    },
    /// It has files but no readable version: not ours, or damaged.
    #[error(
        "{path} is not a Callboard data folder ({reason}); name an empty or new folder with --data",
        path = path.display()
    )]
    NotOurs {
        /// The folder.
        path: PathBuf,
        /// What is odd.
        reason: String,
    },
    /// It, or something in it, may not be written.
    #[error(
        "the data folder {path} cannot be written ({action} {name}: {source}); make it writable for \
         the user of this program, or name another folder with --data", path = path.display(), name = name.display()
    )]
    NotWritable {
        /// The folder.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// On what.
        name: PathBuf,
        /// The disk's answer.
        source: io::Error,
    },
    /// The disk refused.
    #[error("{action} {path}: {source}", path = path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The disk's answer.
        source: io::Error,
    },
}

/// A data folder that this process holds; the lock ends with it.
#[derive(Debug)]
pub struct DataFolder {
    root: PathBuf,
    /// None where the folder is only looked at and cannot be written.
    _lock: Option<File>,
}

impl DataFolder {
    /// Makes the folder when it is missing, takes its lock and checks its version.
    ///
    /// # Errors
    /// [`DataFolderError`], each with what to do.
    pub fn open(root: impl AsRef<Path>) -> Result<Self, DataFolderError> {
        let root = root.as_ref();
        let failed = |action, path: &Path| {
            let (root, path) = (root.to_owned(), path.to_owned());
            move |source| refused(&root, action, path, source)
        };
        create_dir_synced(root).map_err(failed("making", root))?;
        let root = root.canonicalize().map_err(failed("finding", root))?;
        let version = root.join("VERSION");
        let written = read_version(&root, &version)?;
        let lock = take_lock(&root)?;
        if !written {
            write_synced(&Disk, &version, format!("{FORMAT}\n").as_bytes())
                .map_err(failed("writing", &version))?;
        }
        let folder = Self {
            root,
            _lock: Some(lock),
        };
        for dir in [folder.log(), folder.lake(), folder.state(), folder.models()] {
            create_dir_synced(&dir).map_err(failed("making", &dir))?;
        }
        // Whoever was killed while he made them may not have stored their names.
        sync_dir(&folder.root).map_err(failed("syncing", &folder.root))?;
        sync_above(&folder.root);
        Ok(folder)
    }

    /// Takes the lock of a folder that is there already, and makes nothing in it but that.
    ///
    /// # Errors
    /// As [`DataFolder::open`], and when it is not there or not a data folder.
    pub fn existing(root: impl AsRef<Path>) -> Result<Self, DataFolderError> {
        let root = there(root.as_ref())?;
        let lock = take_lock(&root)?;
        Ok(Self {
            root,
            _lock: Some(lock),
        })
    }

    /// As [`DataFolder::existing`] for somebody who only reads. Where the folder cannot be written he
    /// still meets the lock of a server that has it; where there is none to be met, it is looked at
    /// without, and the second value says why.
    ///
    /// # Errors
    /// As [`DataFolder::existing`], but that it may be read-only.
    pub fn looked_at(root: impl AsRef<Path>) -> Result<(Self, Option<String>), DataFolderError> {
        let root = there(root.as_ref())?;
        let (lock, why) = match take_lock(&root) {
            Ok(lock) => (Some(lock), None),
            Err(DataFolderError::NotWritable { source, .. }) => {
                let held = File::open(root.join("LOCK")).map(|file| hold(&root, file));
                match held {
                    Ok(Ok(lock)) => (Some(lock), None),
                    Ok(Err(locked @ DataFolderError::Locked { .. })) => return Err(locked),
                    _ => (None, Some(source.to_string())),
                }
            }
            Err(error) => return Err(error),
        };
        Ok((Self { root, _lock: lock }, why))
    }

    /// The folder itself, absolute.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the log's segments lie.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    /// Where the tables lie when no other place is configured.
    #[must_use]
    pub fn lake(&self) -> PathBuf {
        self.root.join("lake")
    }

    /// Where checkpoints of live state, flush records and filters lie.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.root.join("state")
    }

    /// Where downloaded models lie.
    #[must_use]
    pub fn models(&self) -> PathBuf {
        self.root.join("models")
    }
}

/// A folder that is there already and is ours, absolute.
fn there(given: &Path) -> Result<PathBuf, DataFolderError> {
    let root = given.canonicalize().map_err(|source| DataFolderError::Io {
        action: "finding",
        path: given.to_owned(),
        source,
    })?;
    if !read_version(&root, &root.join("VERSION"))? {
        return Err(DataFolderError::NotOurs {
            path: root,
            reason: "it is empty".into(),
        });
    }
    Ok(root)
}

/// What the disk refused: a folder that may not be written is no broken disk.
fn refused(root: &Path, action: &'static str, path: PathBuf, source: io::Error) -> DataFolderError {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    if matches!(source.kind(), PermissionDenied | ReadOnlyFilesystem) {
        return DataFolderError::NotWritable {
            path: root.to_owned(),
            action,
            name: path,
            source,
        };
    }
    DataFolderError::Io {
        action,
        path,
        source,
    }
}

/// True when there is a version that we can read, false for a folder still without one.
fn read_version(root: &Path, version: &Path) -> Result<bool, DataFolderError> {
    let not_ours = |reason: String| DataFolderError::NotOurs {
        path: root.to_owned(),
        reason,
    };
    let mut text = String::new();
    match File::open(version) {
        Ok(file) => {
            file.take(64)
                .read_to_string(&mut text)
                .map_err(|e| not_ours(format!("its VERSION cannot be read: {e}")))?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let strangers = std::fs::read_dir(root)
                .map_err(|source| DataFolderError::Io {
                    action: "listing",
                    path: root.to_owned(),
                    source,
                })?
                .filter_map(Result::ok)
                .map(|entry| entry.file_name())
                .find(|name| name != "LOCK" && name != "VERSION.tmp" && name != "lost+found");
            return match strangers {
                None => Ok(false),
                Some(name) => Err(not_ours(format!(
                    "it holds {} but no VERSION",
                    name.to_string_lossy()
                ))),
            };
        }
        Err(source) => {
            return Err(DataFolderError::Io {
                action: "reading",
                path: version.to_owned(),
                source,
            });
        }
    }
    let found: u64 = text
        .trim()
        .parse()
        .map_err(|_| not_ours(format!("its VERSION says {:?}", text.trim())))?;
    if found > u64::from(FORMAT) {
        return Err(DataFolderError::Newer {
            path: root.to_owned(),
            found,
            known: FORMAT,
        });
    }
    if found == 0 {
        return Err(not_ours("its VERSION says 0".into()));
    }
    Ok(true)
}

/// The operating system's lock: it goes when the process goes, however it goes.
fn take_lock(root: &Path) -> Result<File, DataFolderError> {
    let path = root.join("LOCK");
    let failed = |action| {
        let (root, path) = (root.to_owned(), path.clone());
        move |source| refused(&root, action, path, source)
    };
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(failed("opening"))?;
    let mut file = hold(root, file)?;
    file.set_len(0)
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .and_then(|_| writeln!(file, "{}", std::process::id()))
        .map_err(failed("writing"))?;
    Ok(file)
}

/// Holds the lock of a folder by this file of it.
fn hold(root: &Path, file: File) -> Result<File, DataFolderError> {
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = file.take(32).read_to_string(&mut holder);
            let holder = match holder.trim() {
                "" => "unknown".to_owned(),
                pid => pid.to_owned(),
            };
            Err(DataFolderError::Locked {
                path: root.to_owned(),
                holder,
            })
        }
        Err(TryLockError::Error(source)) => {
            Err(refused(root, "locking", root.join("LOCK"), source))
        }
    }
}

/// Returns once the names in a folder are on stable storage.
///
/// # Errors
/// Whatever the disk reports.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Syncs all folders above one, as far as that can be done: they may belong to somebody else, who
/// made them.
pub fn sync_above(dir: &Path) {
    for above in dir.ancestors().skip(1) {
        let _ = sync_dir(above);
    }
}

/// Returns once a file's content is on stable storage.
///
/// # Errors
/// Whatever the disk reports.
pub fn sync_file(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Makes a folder and its missing parents, each recorded in the one above it.
///
/// # Errors
/// Whatever the disk reports.
pub fn create_dir_synced(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        create_dir_synced(parent)?;
    }
    match std::fs::create_dir(dir) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => {}
        Err(error) => return Err(error),
    }
    sync_dir(parent.unwrap_or(Path::new(".")))
}

#[cfg(test)]
mod tests;
