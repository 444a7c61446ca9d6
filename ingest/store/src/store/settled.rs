//! "Is it in the lake?": names (platform ids, key texts) of all records in the lake, by UTC day
//! of receipt. One file a day under `settled/`, 64-bit hashes: a false positive costs one scan
//! that finds nothing, and comes once in 2^64 / names.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use crate::storage::Storage;

/// Names in the lake by day of receipt.
pub struct Settled {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    days: BTreeMap<i32, HashSet<u64>>,
    fresh: BTreeMap<i32, Vec<u64>>,
}

impl Settled {
    /// Loads what counts: of every day's file as many bytes as the commit record says. What
    /// stands behind belongs to a flush that did not count and is cut off; its records come again.
    ///
    /// # Errors
    /// When the folder or a file in it cannot be read, holds less than counts, or is damaged.
    pub fn open(
        storage: Arc<dyn Storage>,
        dir: &Path,
        lengths: &BTreeMap<i32, u64>,
        sums: &BTreeMap<i32, u32>,
    ) -> io::Result<Self> {
        storage.create_dir(dir)?;
        storage.sync_dir(dir)?;
        for name in storage.list(dir)? {
            let path = dir.join(name);
            if !lengths.keys().any(|day| path == path_of(dir, *day)) {
                storage.remove(&path)?;
            }
        }
        let mut days = BTreeMap::new();
        for (day, length) in lengths {
            let path = path_of(dir, *day);
            let file = storage.open(&path)?;
            if file.len()? > *length {
                file.set_len(*length)?;
                file.sync()?;
            }
            let bytes = whole(&*storage, &path, *length, sums.get(day).copied())?;
            days.insert(*day, hashes(&bytes).collect());
        }
        Ok(Settled {
            storage,
            dir: dir.to_owned(),
            days,
            fresh: BTreeMap::new(),
        })
    }

    /// Adds the [`hash`] of a name of a record received on that day; it holds on disk after what
    /// [`Settled::begin`] gives is written.
    pub fn add(&mut self, day: i32, hash: u64) {
        if self.days.entry(day).or_default().insert(hash) {
            self.fresh.entry(day).or_default().push(hash);
        }
    }

    /// Whether any record in the lake may speak of it.
    pub fn holds(&self, name: &str) -> bool {
        let hash = hash(name);
        self.days.values().any(|d| d.contains(&hash))
    }

    /// Days of receipt on which records may speak of any name with one of these [`hash`]es.
    pub fn days_of<'a>(&'a self, hashes: &'a [u64]) -> impl Iterator<Item = i32> + 'a {
        self.days
            .iter()
            .filter(|(_, d)| hashes.iter().any(|h| d.contains(h)))
            .map(|(day, _)| *day)
    }

    /// Whether a record received before that day speaks of it.
    pub fn holds_before(&self, name: &str, before: i32) -> bool {
        let hash = hash(name);
        self.days.range(..before).any(|(_, d)| d.contains(&hash))
    }

    /// Hashes of all names of which records speak that were received before that day.
    pub fn before(&self, before: i32) -> HashSet<u64> {
        let days = self.days.range(..before);
        days.flat_map(|(_, d)| d.iter().copied()).collect()
    }

    /// What was added since, to be written without holding anybody up.
    pub fn begin(&mut self) -> Saving {
        Saving {
            storage: self.storage.clone(),
            dir: self.dir.clone(),
            days: self.days.keys().copied().collect(),
            fresh: std::mem::take(&mut self.fresh),
        }
    }

    /// Takes back what could not be written: the next one tries again.
    pub fn put_back(&mut self, saving: Saving) {
        for (day, mut hashes) in saving.fresh {
            let later = self.fresh.entry(day).or_default();
            hashes.append(later);
            *later = hashes;
        }
    }
}

/// Names on their way to the disk.
pub struct Saving {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    days: Vec<i32>,
    fresh: BTreeMap<i32, Vec<u64>>,
}

impl Saving {
    /// Writes and syncs them; gives the lengths of all files, and the checksums of those that were
    /// written, which count once a commit record names them. `counted` tells what counted before of
    /// a day: bytes and checksum.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(
        &self,
        counted: &dyn Fn(i32) -> Option<(u64, u32)>,
    ) -> io::Result<(BTreeMap<i32, u64>, BTreeMap<i32, u32>)> {
        let mut sums = BTreeMap::new();
        for (day, hashes) in &self.fresh {
            let path = path_of(&self.dir, *day);
            let file = match self.storage.open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.storage.create(&path)?
                }
                file => file?,
            };
            let length = file.len()?;
            // After a torn write the file goes on at a whole hash.
            let goes_on = length.next_multiple_of(8);
            if goes_on > length {
                file.set_len(goes_on)?;
            }
            let fresh: Vec<u8> = hashes.iter().flat_map(|h| h.to_le_bytes()).collect();
            file.write_at(&fresh, goes_on)?;
            file.sync()?;
            let sum = match counted(*day) {
                // What was there is not read again: it would be taken for right.
                Some((bytes, sum)) if bytes == length => {
                    let mut hasher = crc32fast::Hasher::new_with_initial_len(sum, bytes);
                    hasher.update(&fresh);
                    hasher.finalize()
                }
                _ => crc32fast::hash(&self.storage.read(&path)?),
            };
            sums.insert(*day, sum);
        }
        if !self.fresh.is_empty() {
            self.storage.sync_dir(&self.dir)?;
        }
        let mut lengths = BTreeMap::new();
        for day in &self.days {
            let file = self.storage.open(&path_of(&self.dir, *day))?;
            lengths.insert(*day, file.len()?);
        }
        Ok((lengths, sums))
    }
}

/// What counts of a day's file.
///
/// # Errors
/// When it holds less, or other bytes than were written.
pub fn whole(
    storage: &dyn Storage,
    path: &Path,
    length: u64,
    sum: Option<u32>,
) -> io::Result<Vec<u8>> {
    let damaged = |what: String| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{} is damaged: {what}", path.display()),
        )
    };
    let mut bytes = storage.read(path)?;
    if (bytes.len() as u64) < length || !length.is_multiple_of(8) {
        return Err(damaged(format!(
            "it has {} bytes and should have {length}",
            bytes.len()
        )));
    }
    bytes.truncate(length as usize);
    if sum.is_some_and(|sum| sum != crc32fast::hash(&bytes)) {
        return Err(damaged("its content does not match its checksum".into()));
    }
    Ok(bytes)
}

/// The hashes in a day's file.
pub fn hashes(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.chunks_exact(8).map(|c| {
        let mut n = [0; 8];
        n.copy_from_slice(c);
        u64::from_le_bytes(n)
    })
}

/// The hash under which a name is kept.
pub fn hash(name: &str) -> u64 {
    xxh3_64(name.as_bytes())
}

/// The file of a day's names.
pub fn path_of(dir: &Path, day: i32) -> PathBuf {
    dir.join(format!("{day}.ids"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::storage::Disk;

    #[test]
    fn names_survive_and_torn_ends_do_not_shift_them() {
        let dir = tempfile::tempdir().unwrap();
        let mut settled = Settled::open(
            Arc::new(Disk),
            dir.path(),
            &BTreeMap::new(),
            &BTreeMap::new(),
        )
        .unwrap();
        settled.add(3, hash("asterisk/pbx1/1.1"));
        let (lengths, sums) = settled.begin().write(&|_| None).unwrap();
        let path = dir.path().join("3.ids");
        let mut bytes = fs::read(&path).unwrap();
        bytes.extend_from_slice(&[1, 2, 3]);
        fs::write(&path, bytes).unwrap();
        let mut settled = Settled::open(Arc::new(Disk), dir.path(), &lengths, &sums).unwrap();
        assert!(settled.holds("asterisk/pbx1/1.1"));
        settled.add(3, hash("asterisk/pbx1/1.2"));
        let counted = |day| Some((lengths[&day], sums[&day]));
        let (lengths, sums) = settled.begin().write(&counted).unwrap();
        let settled = Settled::open(Arc::new(Disk), dir.path(), &lengths, &sums).unwrap();
        assert!(settled.holds("asterisk/pbx1/1.2"));
        assert!(!settled.holds("asterisk/pbx1/1.3"));
        let days = [hash("asterisk/pbx1/1.1"), hash("x")];
        assert_eq!(settled.days_of(&days).collect::<Vec<_>>(), [3]);
    }

    #[test]
    fn names_of_a_flush_that_did_not_count_are_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let mut settled = Settled::open(
            Arc::new(Disk),
            dir.path(),
            &BTreeMap::new(),
            &BTreeMap::new(),
        )
        .unwrap();
        settled.add(3, hash("kept"));
        let (counted, sums) = settled.begin().write(&|_| None).unwrap();
        settled.add(3, hash("cut off"));
        settled.add(4, hash("cut off"));
        settled.begin().write(&|_| None).unwrap();
        let settled = Settled::open(Arc::new(Disk), dir.path(), &counted, &sums).unwrap();
        assert!(settled.holds("kept"));
        assert!(!settled.holds("cut off"));
        let path = dir.path().join("3.ids");
        let mut bytes = fs::read(&path).unwrap();
        bytes[2] ^= 4;
        fs::write(&path, bytes).unwrap();
        let error = Settled::open(Arc::new(Disk), dir.path(), &counted, &sums)
            .err()
            .unwrap();
        assert!(error.to_string().contains("3.ids is damaged"), "{error}");
        std::fs::remove_file(path).unwrap();
        assert!(Settled::open(Arc::new(Disk), dir.path(), &counted, &sums).is_err());
    }
}
