//! Checksums of the lake's files on local disk: what a file holds is compared with what was
//! written whenever it is read, so a flipped bit is an error that names the file, not a figure.
//!
//! Neither Delta nor its Parquet writer keeps any. They lie in a folder `_sums` at the root of the
//! lake, in the same folders and under the same names as the files they speak of, so that no
//! reader of the tables meets them. A file without one is read as it is: one written by an older
//! program, or whose checksums a crash kept from the disk.
//!
//! Form, little endian: `CBSUMS01`, block size u32, length of the file u64, CRC-32 of each block
//! u32, CRC-32 of all of this u32.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use crate::datafolder::{sync_dir, sync_file};

/// Folder of checksums at the root of a lake.
pub(super) const FOLDER: &str = "_sums";
const MAGIC: &[u8; 8] = b"CBSUMS01";
/// Delta's hint at the last checkpoint.
pub(super) const HINT: &str = "_last_checkpoint";
/// Bytes under one checksum: reading less costs reading this much.
const BLOCK: usize = 32 << 10;
/// Most files whose checksums are kept in memory; more are read again.
const KEPT: usize = 4_096;
/// Largest file of checksums that is read, bytes: of a file of 128 GiB.
const LARGEST: u64 = 16 << 20;

/// The checksums of one file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table {
    length: u64,
    blocks: Vec<u32>,
}

/// The checksums of a lake's files.
#[derive(Debug)]
pub(super) struct Sums {
    root: PathBuf,
    known: Mutex<Known>,
}

/// Checksums by file; None for one that has none.
type Known = HashMap<PathBuf, Option<Arc<Table>>>;

impl Sums {
    /// Of the lake in this folder.
    pub(super) fn new(root: &Path) -> Self {
        Sums {
            root: root.to_owned(),
            known: Mutex::default(),
        }
    }

    /// Where the checksums of a file lie; None for one that is not in the lake, and for Delta's hint
    /// at the last checkpoint, which is overwritten and does no harm when it is wrong.
    fn place(&self, file: &Path) -> Option<PathBuf> {
        if file.file_name().is_some_and(|n| n == HINT) {
            return None;
        }
        let below = file.strip_prefix(&self.root).ok()?;
        Some(self.root.join(FOLDER).join(below))
    }

    /// Keeps a file's checksums. They do not count for durability: nothing waits for the disk, and
    /// what cannot be kept is only missed. Others of that name must not come back, though.
    pub(super) fn put(&self, file: &Path, table: Table) {
        let Some(place) = self.place(file) else {
            return;
        };
        if let Err(error) = write(&place, &table) {
            tracing::warn!(path = %place.display(), %error, "checksums could not be kept");
        }
        room(&mut self.known.lock()).insert(file.to_owned(), Some(Arc::new(table)));
    }

    /// Forgets a file's checksums before it is replaced, so that they never speak of the next one.
    ///
    /// # Errors
    /// When they may stay.
    pub(super) fn forget(&self, file: &Path) -> io::Result<()> {
        self.known.lock().remove(file);
        let Some(place) = self.place(file) else {
            return Ok(());
        };
        match std::fs::remove_file(&place) {
            // Were it not synced, a power cut could bring them back.
            Ok(()) => sync_dir(place.parent().unwrap_or(&self.root)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Forgets the checksums of a file that has gone for good.
    pub(super) fn gone(&self, file: &Path) {
        self.known.lock().remove(file);
        if let Some(place) = self.place(file)
            && let Err(error) = std::fs::remove_file(&place)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %place.display(), %error, "checksums of a removed file stay");
        }
    }

    /// Bytes of a file, compared with the checksums that were known of it a moment ago; with its
    /// new ones if it was replaced since.
    ///
    /// # Errors
    /// As [`checked`].
    pub(super) fn read(
        &self,
        path: &Path,
        table: &Arc<Table>,
        ranges: &[Range<u64>],
    ) -> io::Result<Vec<Bytes>> {
        let read = |table: &Table| -> io::Result<Vec<Bytes>> {
            let file = File::open(path)?;
            let ranges = ranges.iter();
            ranges.map(|r| checked(&file, table, r.clone())).collect()
        };
        let first = read(table);
        match self.get(path) {
            Some(now) if first.is_err() && !Arc::ptr_eq(&now, table) => read(&now),
            _ => first,
        }
    }

    /// A file's checksums, if there are any that can be read.
    pub(super) fn get(&self, file: &Path) -> Option<Arc<Table>> {
        if let Some(known) = self.known.lock().get(file) {
            return known.clone();
        }
        let table = read(&self.place(file)?).ok().map(Arc::new);
        let mut known = self.known.lock();
        let known = room(&mut known);
        // Whoever wrote it meanwhile knows better.
        known.entry(file.to_owned()).or_insert(table).clone()
    }
}

/// What is known, with room for one more: it is read again when it is asked for.
fn room(known: &mut Known) -> &mut Known {
    if known.len() >= KEPT {
        known.clear();
    }
    known
}

/// The checksums of a file as it is.
///
/// # Errors
/// When it cannot be read.
pub(super) fn of(file: &Path) -> io::Result<Table> {
    let mut file = File::open(file)?;
    let mut table = Table {
        length: 0,
        blocks: Vec::new(),
    };
    let mut block = Vec::with_capacity(BLOCK);
    loop {
        block.clear();
        file.by_ref().take(BLOCK as u64).read_to_end(&mut block)?;
        if block.is_empty() {
            return Ok(table);
        }
        table.length += block.len() as u64;
        table.blocks.push(crc32fast::hash(&block));
    }
}

/// Bytes of a file, compared with its checksums.
///
/// # Errors
/// When they are not what was written, or cannot be read.
pub(super) fn checked(file: &File, table: &Table, wanted: Range<u64>) -> io::Result<Bytes> {
    let damaged = |what: String| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("damaged: {what}; restore this file from a copy, or ask `callboard doctor`"),
        )
    };
    let length = file.metadata()?.len();
    if length != table.length {
        return Err(damaged(format!(
            "it has {length} bytes, {} were written",
            table.length
        )));
    }
    let block = BLOCK as u64;
    let wanted = wanted.start.min(length)..wanted.end.min(length);
    if wanted.is_empty() {
        return Ok(Bytes::new());
    }
    let first = wanted.start / block * block;
    let end = wanted.end.div_ceil(block).saturating_mul(block).min(length);
    let mut bytes = vec![0; usize::try_from(end - first).map_err(io::Error::other)?];
    file.read_exact_at(&mut bytes, first)?;
    for (number, part) in (first / block..).zip(bytes.chunks(BLOCK)) {
        let sum = usize::try_from(number)
            .ok()
            .and_then(|n| table.blocks.get(n));
        if sum != Some(&crc32fast::hash(part)) {
            let from = number * block;
            return Err(damaged(format!(
                "bytes {from} to {} are not what was written",
                from + part.len() as u64
            )));
        }
    }
    let inside = (wanted.start - first) as usize..(wanted.end - first) as usize;
    Ok(Bytes::from(bytes).slice(inside))
}

fn write(place: &Path, table: &Table) -> io::Result<()> {
    let mut out = Vec::with_capacity(24 + 4 * table.blocks.len());
    out.extend(MAGIC);
    out.extend((BLOCK as u32).to_le_bytes());
    out.extend(table.length.to_le_bytes());
    for sum in &table.blocks {
        out.extend(sum.to_le_bytes());
    }
    out.extend(crc32fast::hash(&out).to_le_bytes());
    if let Some(folder) = place.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut staged = place.as_os_str().to_owned();
    staged.push("#1");
    std::fs::write(&staged, out)?;
    let others = place.exists();
    std::fs::rename(&staged, place)?;
    match place.parent().filter(|_| others) {
        Some(folder) => sync_file(place).and_then(|()| sync_dir(folder)),
        None => Ok(()),
    }
}

fn read(place: &Path) -> io::Result<Table> {
    let mut bytes = Vec::new();
    File::open(place)?.take(LARGEST).read_to_end(&mut bytes)?;
    parse(&bytes).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn parse(bytes: &[u8]) -> Option<Table> {
    let (body, sum) = bytes.split_last_chunk::<4>()?;
    if crc32fast::hash(body) != u32::from_le_bytes(*sum) {
        return None;
    }
    let body = body.strip_prefix(MAGIC)?;
    let (block, body) = body.split_first_chunk::<4>()?;
    let (length, body) = body.split_first_chunk::<8>()?;
    let table = Table {
        length: u64::from_le_bytes(*length),
        blocks: body
            .chunks_exact(4)
            .filter_map(|c| c.first_chunk::<4>().map(|c| u32::from_le_bytes(*c)))
            .collect(),
    };
    let whole = u32::from_le_bytes(*block) as usize == BLOCK
        && table.length.div_ceil(BLOCK as u64) == table.blocks.len() as u64;
    whole.then_some(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_is_found_and_whole_bytes_are_given() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("contacts/day=1/a.parquet");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let bytes: Vec<u8> = (0..BLOCK * 2 + 77).map(|n| (n * 31 % 251) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let sums = Sums::new(dir.path());
        sums.put(&path, of(&path).unwrap());
        // From the disk too.
        let table = Sums::new(dir.path()).get(&path).unwrap();
        let read = |range: Range<u64>| checked(&File::open(&path).unwrap(), &table, range);
        for range in [
            0..1,
            5..70_000,
            65_535..65_613,
            32_768..32_768,
            65_000..99_999,
        ] {
            let (from, to) = (range.start as usize, (range.end as usize).min(bytes.len()));
            assert_eq!(read(range).unwrap(), bytes[from..to]);
        }
        for at in [0, 1, BLOCK - 1, BLOCK, bytes.len() - 1] {
            let mut bad = bytes.clone();
            bad[at] ^= 1 << (at % 8);
            std::fs::write(&path, &bad).unwrap();
            let error = read(at as u64..at as u64 + 1).unwrap_err().to_string();
            assert!(error.contains("not what was written"), "{error}");
            // What lies in other blocks is still served.
            let other = if at < BLOCK { BLOCK as u64 } else { 0 };
            assert!(read(other..other + 10).is_ok());
        }
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert!(read(0..10).unwrap_err().to_string().contains("bytes, "));
    }

    #[test]
    fn torn_checksums_are_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.json");
        std::fs::write(&path, "{}").unwrap();
        let sums = Sums::new(dir.path());
        sums.put(&path, of(&path).unwrap());
        let place = sums.place(&path).unwrap();
        let whole = std::fs::read(&place).unwrap();
        for at in 0..whole.len() {
            let mut torn = whole.clone();
            torn[at] ^= 0x10;
            std::fs::write(&place, &torn).unwrap();
            assert_eq!(Sums::new(dir.path()).get(&path), None, "byte {at}");
            std::fs::write(&place, &whole[..at]).unwrap();
            assert_eq!(Sums::new(dir.path()).get(&path), None, "cut at {at}");
        }
        sums.forget(&path).unwrap();
        assert!(!place.exists());
        assert_eq!(sums.get(&path), None);
    }
}
