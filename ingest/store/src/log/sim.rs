//! A disk in memory that remembers what was written and what was synced, writes down every call,
//! fails on demand, and can show what it would hold after a power cut at any moment.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use super::storage::{Storage, StorageFile};

#[derive(Clone, Debug)]
pub(super) enum Op {
    Create(String, u64),
    Write(u64, u64, Vec<u8>),
    SetLen(u64, u64),
    Sync(u64),
    Rename(String, String),
    Remove(String),
    SyncDir,
    /// Not a call: the workload was told that all up to here is stored.
    Acked(u64),
    /// Not a call: the workload gave up all up to here.
    Trimmed(u64),
}

/// What a power cut leaves.
#[derive(Clone, Copy, Debug)]
pub(super) enum Image {
    SyncedOnly,
    AllWritten,
    /// Each unsynced sector of 512 bytes by lot, and some prefix of the unsynced name changes.
    Mixed(u64),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) call: usize,
    pub(super) kind: io::ErrorKind,
    pub(super) lasting: bool,
}

#[derive(Default)]
struct Inner {
    ops: Vec<Op>,
    calls: usize,
    files: HashMap<u64, Vec<u8>>,
    names: BTreeMap<String, u64>,
    next_file: u64,
    fault: Option<Fault>,
    /// While true, syncs wait.
    hold: bool,
    syncs: usize,
}

#[derive(Clone, Default)]
pub(super) struct SimDisk {
    inner: Arc<Mutex<Inner>>,
    released: Arc<Condvar>,
}

struct SimFile {
    disk: SimDisk,
    id: u64,
}

impl Inner {
    /// Counts a call and fails it when its turn has come.
    fn call(&mut self) -> io::Result<()> {
        let at = self.calls;
        self.calls += 1;
        match self.fault {
            Some(fault) if at == fault.call || (fault.lasting && at > fault.call) => {
                Err(fault.kind.into())
            }
            _ => Ok(()),
        }
    }
}

impl SimDisk {
    pub(super) fn with_fault(fault: Fault) -> Self {
        let disk = Self::default();
        disk.inner.lock().fault = Some(fault);
        disk
    }

    pub(super) fn set_fault(&self, fault: Option<Fault>) {
        self.inner.lock().fault = fault;
    }

    pub(super) fn note(&self, op: Op) {
        self.inner.lock().ops.push(op);
    }

    pub(super) fn ops(&self) -> Vec<Op> {
        self.inner.lock().ops.clone()
    }

    pub(super) fn calls(&self) -> usize {
        self.inner.lock().calls
    }

    pub(super) fn syncs(&self) -> usize {
        self.inner.lock().syncs
    }

    pub(super) fn hold_syncs(&self, hold: bool) {
        self.inner.lock().hold = hold;
        self.released.notify_all();
    }

    /// Content of a file by name.
    pub(super) fn content(&self, name: &str) -> Vec<u8> {
        let inner = self.inner.lock();
        inner.files[&inner.names[name]].clone()
    }

    pub(super) fn put(&self, name: &str, bytes: Vec<u8>) {
        let mut inner = self.inner.lock();
        inner.next_file += 1;
        let id = inner.next_file;
        inner.names.insert(name.to_owned(), id);
        inner.files.insert(id, bytes);
    }

    pub(super) fn files(&self) -> Vec<String> {
        self.inner.lock().names.keys().cloned().collect()
    }

    /// A second disk with the same content.
    pub(super) fn copy(&self) -> Self {
        let copy = Self::default();
        for name in self.files() {
            copy.put(&name, self.content(&name));
        }
        copy
    }

    /// The disk after a power cut behind these calls.
    pub(super) fn after(base: &Self, ops: &[Op], image: Image) -> Self {
        let mut rng = Rng(match image {
            Image::Mixed(seed) => seed,
            _ => 0,
        });
        let start = base.inner.lock();
        let mut written = start.files.clone();
        let mut synced = start.files.clone();
        let mut names = vec![start.names.clone()];
        drop(start);
        for op in ops {
            let mut now = names[names.len() - 1].clone();
            match op {
                Op::Create(name, id) => {
                    now.insert(name.clone(), *id);
                    written.insert(*id, Vec::new());
                    synced.entry(*id).or_default();
                    names.push(now);
                }
                Op::Write(id, at, bytes) => {
                    let file = written.get_mut(id).unwrap();
                    write_into(file, *at, bytes);
                }
                Op::SetLen(id, len) => written.get_mut(id).unwrap().resize(*len as usize, 0),
                Op::Sync(id) => {
                    synced.insert(*id, written[id].clone());
                }
                Op::Rename(from, to) => {
                    let id = now.remove(from).unwrap();
                    now.insert(to.clone(), id);
                    names.push(now);
                }
                Op::Remove(name) => {
                    now.remove(name);
                    names.push(now);
                }
                Op::SyncDir => names = vec![now],
                Op::Acked(_) | Op::Trimmed(_) => {}
            }
        }
        let chosen = match image {
            Image::SyncedOnly => 0,
            Image::AllWritten => names.len() - 1,
            Image::Mixed(_) => rng.below(names.len()),
        };
        let disk = Self::default();
        for (name, id) in &names[chosen] {
            let content = match image {
                Image::SyncedOnly => synced[id].clone(),
                Image::AllWritten => written[id].clone(),
                Image::Mixed(_) => mix(&synced[id], &written[id], &mut rng),
            };
            disk.put(name, content);
        }
        disk
    }
}

fn mix(synced: &[u8], written: &[u8], rng: &mut Rng) -> Vec<u8> {
    const SECTOR: usize = 512;
    let len = if rng.below(2) == 0 {
        synced.len()
    } else {
        written.len()
    };
    let mut out = vec![0; len];
    for (n, sector) in out.chunks_mut(SECTOR).enumerate() {
        let from = if rng.below(2) == 0 { synced } else { written };
        let from = from.get(n * SECTOR..).unwrap_or(&[]);
        let len = sector.len().min(from.len());
        sector[..len].copy_from_slice(&from[..len]);
    }
    out
}

fn write_into(file: &mut Vec<u8>, at: u64, bytes: &[u8]) {
    let at = at as usize;
    if file.len() < at + bytes.len() {
        file.resize(at + bytes.len(), 0);
    }
    file[at..at + bytes.len()].copy_from_slice(bytes);
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

impl StorageFile for SimFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.inner.lock().files[&self.id].len() as u64)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let inner = self.disk.inner.lock();
        let from = inner.files[&self.id].get(offset as usize..).unwrap_or(&[]);
        let len = buf.len().min(from.len());
        buf[..len].copy_from_slice(&from[..len]);
        Ok(len)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        let mut inner = self.disk.inner.lock();
        let result = inner.call();
        // A failed write leaves half.
        let done = if result.is_ok() {
            buf.len()
        } else {
            buf.len() / 2
        };
        write_into(inner.files.get_mut(&self.id).unwrap(), offset, &buf[..done]);
        inner
            .ops
            .push(Op::Write(self.id, offset, buf[..done].to_vec()));
        result
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut inner = self.disk.inner.lock();
        inner.call()?;
        inner
            .files
            .get_mut(&self.id)
            .unwrap()
            .resize(len as usize, 0);
        inner.ops.push(Op::SetLen(self.id, len));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut inner = self.disk.inner.lock();
        inner.call()?;
        inner.syncs += 1;
        while inner.hold {
            self.disk.released.wait(&mut inner);
        }
        inner.ops.push(Op::Sync(self.id));
        Ok(())
    }
}

impl Storage for SimDisk {
    fn create_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, _dir: &Path) -> io::Result<Vec<String>> {
        Ok(self.files())
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        let mut inner = self.inner.lock();
        inner.call()?;
        inner.next_file += 1;
        let id = inner.next_file;
        inner.names.insert(name_of(path), id);
        inner.files.insert(id, Vec::new());
        inner.ops.push(Op::Create(name_of(path), id));
        drop(inner);
        Ok(Arc::new(SimFile {
            disk: self.clone(),
            id,
        }))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        let id = *self
            .inner
            .lock()
            .names
            .get(&name_of(path))
            .ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(SimFile {
            disk: self.clone(),
            id,
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut inner = self.inner.lock();
        inner.call()?;
        let id = inner
            .names
            .remove(&name_of(from))
            .ok_or(io::ErrorKind::NotFound)?;
        inner.names.insert(name_of(to), id);
        inner.ops.push(Op::Rename(name_of(from), name_of(to)));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut inner = self.inner.lock();
        inner.call()?;
        inner.names.remove(&name_of(path));
        inner.ops.push(Op::Remove(name_of(path)));
        Ok(())
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        let mut inner = self.inner.lock();
        inner.call()?;
        inner.ops.push(Op::SyncDir);
        Ok(())
    }
}

/// Small repeatable random numbers (splitmix), for tests only.
pub(super) struct Rng(pub(super) u64);

impl Rng {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x ^= x >> 30;
        x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x ^= x >> 27;
        x.wrapping_mul(0x94D0_49BB_1331_11EB) ^ (x >> 31)
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}
