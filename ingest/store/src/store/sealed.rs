//! State files that tell whether they are whole: behind their content stands its checksum, as a
//! line of text. A file without that line was written by an older program.

use std::io;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::storage::{Storage, write_synced};

const BEFORE: &[u8] = b"\n#crc32:";
/// Bytes of the line: what stands before, eight digits, an end of line.
const LINE: usize = BEFORE.len() + 9;

/// Replaces a file's content, with its checksum behind it.
///
/// # Errors
/// When the disk refuses.
pub fn write(storage: &dyn Storage, path: &Path, content: &[u8]) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(content.len() + LINE);
    bytes.extend(content);
    bytes.extend(BEFORE);
    bytes.extend(format!("{:08x}\n", crc32fast::hash(content)).into_bytes());
    write_synced(storage, path, &bytes)
}

/// A file's content. `must` says that it was written with a checksum, so that one without has lost
/// its end.
///
/// # Errors
/// When it is not what was written, or cannot be read.
pub fn read(storage: &dyn Storage, path: &Path, must: bool) -> io::Result<Vec<u8>> {
    let mut bytes = storage.read(path)?;
    let at = bytes.len().saturating_sub(LINE);
    let (content, line) = bytes.split_at(at);
    let Some(digits) = line
        .strip_prefix(BEFORE)
        .and_then(|l| l.strip_suffix(b"\n"))
    else {
        return if must {
            Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{} is damaged: its end is missing", path.display()),
            ))
        } else {
            Ok(bytes)
        };
    };
    if format!("{:08x}", crc32fast::hash(content)).as_bytes() != digits {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "{} is damaged: its content does not match its checksum",
                path.display()
            ),
        ));
    }
    bytes.truncate(at);
    Ok(bytes)
}

/// Replaces a file's content with a value's JSON and its checksum.
///
/// # Errors
/// When the disk refuses.
pub fn write_json<T: Serialize>(storage: &dyn Storage, path: &Path, value: &T) -> io::Result<()> {
    let bytes = serde_json::to_vec(value).map_err(io::Error::other)?;
    write(storage, path, &bytes)
}

/// The value that a file holds as JSON; where there is no file, that of nothing. `must` as of
/// [`read`].
///
/// # Errors
/// When the file is damaged, or cannot be read.
pub fn read_json<T: DeserializeOwned + Default>(
    storage: &dyn Storage,
    path: &Path,
    must: bool,
) -> io::Result<T> {
    match read(storage, path, must) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{} cannot be read: {e}", path.display()),
            )
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::storage::Disk;

    #[test]
    fn what_was_written_is_read_and_a_flipped_bit_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("commit.json");
        for content in [&b""[..], b"{}", b"{\"upto\":17}"] {
            write(&Disk, &path, content).unwrap();
            assert_eq!(read(&Disk, &path, true).unwrap(), content);
        }
        let whole = fs::read(&path).unwrap();
        for at in (0..11).chain(whole.len() - 9..whole.len() - 1) {
            let mut bad = whole.clone();
            bad[at] ^= 1;
            fs::write(&path, bad).unwrap();
            assert!(read(&Disk, &path, false).is_err(), "byte {at}");
        }
        // Of an older program.
        fs::write(&path, "{\"upto\":17}").unwrap();
        assert_eq!(read(&Disk, &path, false).unwrap(), b"{\"upto\":17}");
        for cut in [0, 5, whole.len() - 1] {
            fs::write(&path, &whole[..cut]).unwrap();
            assert!(read(&Disk, &path, true).is_err(), "cut at {cut}");
        }
    }
}
