//! How far a file was sent: remembered per file in a folder of small files, by path, inode and
//! the hash of its beginning, so that neither a rotation nor a new file in the old one's place is
//! taken for it.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use callboard_sources::lines::ReaderState;
use serde::{Deserialize, Serialize};

use crate::doors::split::sha256_hex;

/// Bytes of a file's beginning by which it is recognised.
const HEAD: usize = 512;

/// How a file is recognised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    inode: u64,
    /// Bytes hashed; fewer than [`HEAD`] when the file had no more.
    bytes: usize,
    sha256: String,
}

fn beginning(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    fs::File::open(path)?
        .take(most as u64)
        .read_to_end(&mut head)?;
    Ok(head)
}

impl Head {
    /// The head of a file as it is now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(path: &Path) -> io::Result<Self> {
        let inode = fs::metadata(path)?.ino();
        let head = beginning(path, HEAD)?;
        Ok(Head {
            inode,
            bytes: head.len(),
            sha256: sha256_hex(&head),
        })
    }

    /// Whether the file was so short that a longer head would tell more.
    pub fn is_short(&self) -> bool {
        self.bytes < HEAD
    }
}

/// How far a file was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Path as it was asked for.
    pub path: PathBuf,
    /// The file.
    pub head: Head,
    /// Where to go on.
    pub state: ReaderState,
}

impl Position {
    /// Whether the file at that path is the one remembered, and still as long.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn is_of(&self, path: &Path) -> io::Result<bool> {
        let meta = fs::metadata(path)?;
        if !meta.is_file() || meta.ino() != self.head.inode {
            return Ok(false);
        }
        let head = beginning(path, self.head.bytes)?;
        let packed = head.starts_with(&[0x1f, 0x8b]);
        Ok(head.len() == self.head.bytes
            && sha256_hex(&head) == self.head.sha256
            && (packed || meta.len() >= self.state.offset))
    }
}

/// A folder of positions, of one destination.
#[derive(Debug, Clone)]
pub struct Positions {
    folder: PathBuf,
}

impl Positions {
    /// Positions of what is sent to `destination` as `instance`, below that folder.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: &Path, destination: &str, instance: &str) -> io::Result<Self> {
        let name = &sha256_hex(format!("{destination}\u{0}{instance}").as_bytes())[..16];
        let folder = folder.join(name);
        fs::create_dir_all(&folder)?;
        Ok(Positions { folder })
    }

    fn file(&self, path: &Path) -> PathBuf {
        let full = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let name = &sha256_hex(full.as_os_str().as_encoded_bytes())[..32];
        self.folder.join(format!("{name}.json"))
    }

    /// What is remembered of that path. What cannot be read is as good as not remembered: the
    /// lines are sent again and recognised as repeats.
    pub fn get(&self, path: &Path) -> Option<Position> {
        let text = fs::read(self.file(path)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// All that is remembered, at most 100,000 files.
    pub fn all(&self) -> Vec<Position> {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return Vec::new();
        };
        entries
            .flatten()
            .take(100_000)
            .filter_map(|entry| serde_json::from_slice(&fs::read(entry.path()).ok()?).ok())
            .collect()
    }

    /// Remembers; the old memory stays until the new one is complete.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put(&self, position: &Position) -> io::Result<()> {
        let target = self.file(&position.path);
        let fresh = target.with_extension("new");
        let mut file = fs::File::create(&fresh)?;
        file.write_all(&serde_json::to_vec(position)?)?;
        file.sync_data()?;
        fs::rename(&fresh, &target)
    }

    /// Forgets a path, so that it is sent from its beginning.
    ///
    /// # Errors
    /// When the memory cannot be removed.
    pub fn forget(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(self.file(path)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }
}
