//! The few calls by which log and state touch a disk, as a trait, so that tests can stop, fail and
//! lose power at every one of them.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// One open file of a [`Storage`]. All offsets and lengths are in bytes.
pub trait StorageFile: Send + Sync {
    /// Length of the file as a reader sees it now.
    ///
    /// # Errors
    /// Whatever the disk reports.
    fn len(&self) -> io::Result<u64>;

    /// True when the file holds no byte.
    ///
    /// # Errors
    /// Whatever the disk reports.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Reads up to `buf.len()` bytes at `offset`; 0 means the end of the file.
    ///
    /// # Errors
    /// Whatever the disk reports.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all of `buf` at `offset`; after an error any part of it may have been written.
    ///
    /// # Errors
    /// Whatever the disk reports.
    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()>;

    /// Cuts or extends the file to `len` bytes.
    ///
    /// # Errors
    /// Whatever the disk reports.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Returns once the file's content and length are on stable storage.
    ///
    /// # Errors
    /// Whatever the disk reports. After an error nothing may be assumed about any byte written
    /// since the last success, and a second call proves nothing.
    fn sync(&self) -> io::Result<()>;
}

/// A file system, as far as the log needs one.
pub trait Storage: Send + Sync {
    /// Makes the folder and its parents when they are missing.
    ///
    /// # Errors
    /// Whatever the disk reports.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;

    /// Names (not paths) of the files in a folder, in no order.
    ///
    /// # Errors
    /// Whatever the disk reports.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Makes a new empty file, or empties the one that is there.
    ///
    /// # Errors
    /// Whatever the disk reports.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>>;

    /// Opens a file that exists, for reading and writing.
    ///
    /// # Errors
    /// Whatever the disk reports.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>>;

    /// A file that is there and is only read.
    ///
    /// # Errors
    /// Whatever the disk reports.
    fn open_to_read(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        self.open(path)
    }

    /// The whole content of a file.
    ///
    /// # Errors
    /// Whatever the disk reports.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Gives a file another name in the same folder, replacing what had that name.
    ///
    /// # Errors
    /// Whatever the disk reports.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Takes a file's name away.
    ///
    /// # Errors
    /// Whatever the disk reports.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Returns once the names in the folder are on stable storage.
    ///
    /// # Errors
    /// Whatever the disk reports.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// Replaces a file's content so that a crash leaves either the old or the new, never a part:
/// written beside it as `NAME.tmp`, synced, renamed, folder synced.
///
/// # Errors
/// Whatever the disk reports.
pub fn write_synced(storage: &dyn Storage, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path
        .file_name()
        .ok_or(io::ErrorKind::InvalidInput)?
        .to_owned();
    name.push(".tmp");
    let temp = path.with_file_name(name);
    let file = storage.create(&temp)?;
    file.write_at(bytes, 0)?;
    file.sync()?;
    storage.rename(&temp, path)?;
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    storage.sync_dir(parent.unwrap_or(Path::new(".")))
}

/// Whether there is a file of that name.
///
/// # Errors
/// When the folder cannot be read.
pub fn exists(storage: &dyn Storage, path: &Path) -> io::Result<bool> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(false);
    };
    match storage.list(folder) {
        Ok(names) => Ok(names.iter().any(|n| n.as_str() == name)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The real disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl StorageFile for File {
    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, buf, offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(buf, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        File::set_len(self, len)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

impl Storage for Disk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        crate::datafolder::create_dir_synced(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(dir)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        Ok(names)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)?;
        Ok(Arc::new(file))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        Ok(Arc::new(
            OpenOptions::new().read(true).write(true).open(path)?,
        ))
    }

    fn open_to_read(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        Ok(Arc::new(File::open(path)?))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        crate::datafolder::sync_dir(dir)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("note");
        write_synced(&Disk, &path, b"old").unwrap();
        write_synced(&Disk, &path, b"newer").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"newer");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
