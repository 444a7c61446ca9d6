//! The form of a backup: a tar file of the data folder's files; the last one, `BACKUP.json`, lists
//! the others with their lengths and checksums, so that a part is never taken for the whole.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Part;
use crate::datafolder::{create_dir_synced, sync_dir};

/// The last file.
const LIST: &str = "BACKUP.json";
/// Largest list that is read, bytes.
const LARGEST_LIST: u64 = 256 << 20;
/// Bytes that are copied in one go.
const PIECE: usize = 256 << 10;

/// What a backup holds.
#[derive(Debug, Serialize, Deserialize)]
struct List {
    /// Format of the backup.
    format: u32,
    files: BTreeMap<String, Listed>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Listed {
    bytes: u64,
    crc32: u32,
}

/// What was put back, or found whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Restored {
    /// Files.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// Why a backup was not put back.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The backup: it is none, is damaged, or cannot be read.
    #[error("{0}")]
    Tape(#[from] io::Error),
    /// What was to be made of it.
    #[error("{}: {source}", path.display())]
    Folder {
        /// The file or folder.
        path: PathBuf,
        /// The disk's answer, or what is in the way.
        source: io::Error,
    },
}

/// A trouble with what is made, not with the backup.
fn making(path: &Path) -> impl FnOnce(io::Error) -> RestoreError + use<'_> {
    move |source| RestoreError::Folder {
        path: path.to_owned(),
        source,
    }
}

pub(super) fn write(parts: &[Part], out: impl Write) -> io::Result<()> {
    let mut tape = tar::Builder::new(out);
    let mut files = BTreeMap::new();
    for part in parts {
        let mut reader = Counted::new(File::open(&part.path)?.take(part.length));
        tape.append_data(&mut header(part.length), &part.name, &mut reader)?;
        if reader.listed.bytes != part.length {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("{} became shorter while it was copied", part.name),
            ));
        }
        files.insert(part.name.clone(), reader.done());
    }
    let list = serde_json::to_vec(&List { format: 1, files }).map_err(io::Error::other)?;
    tape.append_data(&mut header(list.len() as u64), LIST, &list[..])?;
    tape.into_inner()?.flush()
}

fn header(length: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(length);
    header.set_mode(0o600);
    header.set_mtime(0);
    header
}

/// Reads a whole backup and holds it against its list.
///
/// # Errors
/// When it is no backup, a part of one, or damaged.
pub fn check(tape: impl Read) -> io::Result<Restored> {
    read(tape, &mut |_, reader| {
        io::copy(reader, &mut io::sink()).map(|_| ())
    })
}

/// Puts a backup back as a data folder, which must not be there or must be empty. It gets its name
/// only once it is whole and on stable storage.
///
/// # Errors
/// When the folder is in the way, the backup is not whole, or the disk refuses.
pub fn restore(tape: impl Read, folder: &Path) -> Result<Restored, RestoreError> {
    let folder = std::path::absolute(folder)?;
    let there = folder.read_dir().is_ok_and(|mut f| f.next().is_some());
    if there || folder.is_file() {
        let what = "it is not empty; name a new folder with --data";
        return Err(making(&folder)(io::Error::new(
            io::ErrorKind::AlreadyExists,
            what,
        )));
    }
    let mut beside = folder.clone().into_os_string();
    beside.push(".restoring");
    let beside = PathBuf::from(beside);
    if beside.exists() {
        std::fs::remove_dir_all(&beside).map_err(making(&beside))?;
    }
    create_dir_synced(&beside).map_err(making(&beside))?;
    let mut folders = Vec::new();
    let done = read(tape, &mut |name, reader| {
        let path = beside.join(name);
        if let Some(parent) = path.parent()
            && !parent.is_dir()
        {
            create_dir_synced(parent).map_err(making(parent))?;
            folders.push(parent.to_owned());
        }
        let mut file = File::create_new(&path).map_err(making(&path))?;
        let mut bytes = vec![0; PIECE];
        loop {
            // What cannot be read is the backup's, what cannot be written is not.
            let read = reader.read(&mut bytes)?;
            if read == 0 {
                break;
            }
            let piece = bytes.get(..read).unwrap_or_default();
            file.write_all(piece).map_err(making(&path))?;
        }
        file.sync_all().map_err(making(&path))
    });
    let done = done.and_then(|done| {
        for folder in folders.iter().chain([&beside]) {
            sync_dir(folder).map_err(making(folder))?;
        }
        if folder.is_dir() {
            std::fs::remove_dir(&folder).map_err(making(&folder))?;
        }
        std::fs::rename(&beside, &folder).map_err(making(&folder))?;
        let parent = folder.parent().unwrap_or(Path::new("/"));
        sync_dir(parent).map_err(making(parent))?;
        Ok(done)
    });
    if done.is_err() {
        // What is there is of no use.
        let _ = std::fs::remove_dir_all(&beside);
    }
    done
}

/// Gives every file to `each`, then holds all against the list.
fn read<E: From<io::Error>>(
    tape: impl Read,
    each: &mut dyn FnMut(&Path, &mut dyn Read) -> Result<(), E>,
) -> Result<Restored, E> {
    let odd = |why: String| E::from(io::Error::new(io::ErrorKind::InvalidData, why));
    let mut files: BTreeMap<String, Listed> = BTreeMap::new();
    let mut list: Option<List> = None;
    let mut tape = tar::Archive::new(tape);
    for entry in tape.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let plain = path.components().all(|c| matches!(c, Component::Normal(_)));
        let name = path.to_str().filter(|_| plain);
        let file = entry.header().entry_type().is_file();
        let Some(name) = name.filter(|_| file).map(str::to_owned) else {
            return Err(odd(format!("it is no backup: it holds {}", path.display())));
        };
        if name == LIST {
            let mut text = Vec::new();
            entry.take(LARGEST_LIST).read_to_end(&mut text)?;
            let read = serde_json::from_slice(&text);
            list = Some(read.map_err(|e| odd(format!("its list cannot be read: {e}")))?);
            continue;
        }
        let mut reader = Counted::new(&mut entry);
        each(&path, &mut reader)?;
        if files.insert(name.clone(), reader.done()).is_some() {
            return Err(odd(format!("it holds {name} twice")));
        }
    }
    let list = list.ok_or_else(|| {
        odd("it has no list at its end: it is no backup, or only the beginning of one".into())
    })?;
    if list.format != 1 {
        return Err(odd(format!(
            "it has format {}, this program knows format 1",
            list.format
        )));
    }
    for (name, listed) in &list.files {
        match files.get(name) {
            Some(found) if found == listed => {}
            Some(_) => return Err(odd(format!("{name} in it is not what was written"))),
            None => return Err(odd(format!("{name} is missing in it"))),
        }
    }
    if let Some(name) = files.keys().find(|n| !list.files.contains_key(*n)) {
        return Err(odd(format!(
            "it holds {name}, of which its list says nothing"
        )));
    }
    Ok(Restored {
        files: files.len(),
        bytes: files.values().map(|f| f.bytes).sum(),
    })
}

/// Counts and sums what is read.
struct Counted<R> {
    inner: R,
    hasher: crc32fast::Hasher,
    listed: Listed,
}

impl<R: Read> Counted<R> {
    fn new(inner: R) -> Self {
        Counted {
            inner,
            hasher: crc32fast::Hasher::new(),
            listed: Listed { bytes: 0, crc32: 0 },
        }
    }

    fn done(self) -> Listed {
        Listed {
            crc32: self.hasher.finalize(),
            ..self.listed
        }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.hasher.update(&buf[..n]);
        self.listed.bytes += n as u64;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(dir: &Path) -> Vec<Part> {
        let files = [
            ("VERSION", "1\n"),
            ("log/1.seg", "entries and more"),
            ("lake/t/a", ""),
        ];
        let one = |(n, (name, text)): (usize, &(&str, &str))| {
            let path = dir.join(n.to_string());
            std::fs::write(&path, text).unwrap();
            Part {
                name: (*name).to_owned(),
                path,
                length: text.len().min(7) as u64,
            }
        };
        files.iter().enumerate().map(one).collect()
    }

    #[test]
    fn what_was_written_comes_back_and_a_damaged_backup_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let mut tape = Vec::new();
        write(&parts(dir.path()), &mut tape).unwrap();
        let all = Restored { files: 3, bytes: 9 };
        assert_eq!(check(&tape[..]).unwrap(), all);
        let data = dir.path().join("data");
        assert_eq!(restore(&tape[..], &data).unwrap(), all);
        let text = |name: &str| std::fs::read_to_string(data.join(name)).unwrap();
        assert_eq!(
            (text("VERSION"), text("log/1.seg")),
            ("1\n".into(), "entries".into())
        );
        assert_eq!(text("lake/t/a"), "");
        let error = restore(&tape[..], &data).unwrap_err().to_string();
        assert!(error.contains("is not empty"), "{error}");

        // Cut anywhere before its end marks, it is no backup and leaves nothing behind.
        let other = dir.path().join("other");
        for cut in (0..tape.len() - 1_024).step_by(97) {
            assert!(restore(&tape[..cut], &other).is_err(), "cut at {cut}");
        }
        let at = tape.windows(7).position(|w| w == b"entries").unwrap();
        tape[at] ^= 1;
        let error = restore(&tape[..], &other).unwrap_err().to_string();
        assert!(
            error.contains("log/1.seg in it is not what was written"),
            "{error}"
        );
        assert!(!other.exists() && !dir.path().join("other.restoring").exists());
    }

    #[test]
    fn a_strangers_tar_file_writes_nothing_outside() {
        let dir = tempfile::tempdir().unwrap();
        let mut tape = tar::Builder::new(Vec::new());
        let mut head = header(1);
        // Such a name is refused by the writer, so it is put there by hand.
        head.as_mut_bytes()[..9].copy_from_slice(b"../stray\0");
        head.set_cksum();
        tape.append(&head, &b"x"[..]).unwrap();
        let tape = tape.into_inner().unwrap();
        let error = restore(&tape[..], &dir.path().join("data")).unwrap_err();
        assert!(error.to_string().contains("no backup"), "{error}");
        assert!(!dir.path().join("stray").exists());
    }
}
