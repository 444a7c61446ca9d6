//! A disk in memory that remembers what was written and what was synced, writes down every call,
//! fails on demand, and can show what it would hold after a power cut at any moment.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use super::Power;
use super::calls::{Fault, Op};
use crate::storage::{Storage, StorageFile};

#[derive(Default)]
pub(super) struct Inner {
    pub(super) ops: Vec<Op>,
    calls: usize,
    pub(super) files: HashMap<u64, Vec<u8>>,
    pub(super) names: BTreeMap<String, u64>,
    pub(super) next_file: u64,
    fault: Option<Fault>,
    /// Calls that it has failed.
    failed: u64,
    power: Power,
    /// While true, syncs wait.
    hold: bool,
    syncs: usize,
}

/// The disk. Copies of this handle are the same disk.
#[derive(Clone, Default)]
pub struct SimDisk {
    pub(super) inner: Arc<Mutex<Inner>>,
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
                self.failed += 1;
                Err(fault.kind.into())
            }
            _ if !self.power.spend() => Err(io::ErrorKind::BrokenPipe.into()),
            _ => Ok(()),
        }
    }

    /// Writes a call down.
    fn done(&mut self, op: Op) {
        self.power.note(op.words());
        self.ops.push(op);
    }
}

impl SimDisk {
    /// A disk whose call fails.
    pub fn with_fault(fault: Fault) -> Self {
        let disk = Self::default();
        disk.inner.lock().fault = Some(fault);
        disk
    }

    /// Lets a call fail, or none.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.inner.lock().fault = fault;
    }

    /// How many calls a fault has failed.
    pub fn failed(&self) -> u64 {
        self.inner.lock().failed
    }

    /// Writes down what is no call.
    pub fn note(&self, op: Op) {
        self.inner.lock().ops.push(op);
    }

    /// What was done since the start.
    pub fn ops(&self) -> Vec<Op> {
        self.inner.lock().ops.clone()
    }

    /// How many calls there were.
    pub fn calls(&self) -> usize {
        self.inner.lock().calls
    }

    /// How many files were synced.
    pub fn syncs(&self) -> usize {
        self.inner.lock().syncs
    }

    /// Lets syncs wait, or go on.
    pub fn hold_syncs(&self, hold: bool) {
        self.inner.lock().hold = hold;
        self.released.notify_all();
    }

    /// Where the disk's strength to write comes from.
    pub fn set_power(&self, power: Power) {
        self.inner.lock().power = power;
    }

    /// Content of a file by name.
    pub fn content(&self, name: &str) -> Vec<u8> {
        let inner = self.inner.lock();
        inner.files[&inner.names[name]].clone()
    }

    /// A file that was always there.
    pub fn put(&self, name: &str, bytes: Vec<u8>) {
        let mut inner = self.inner.lock();
        inner.next_file += 1;
        let id = inner.next_file;
        inner.names.insert(name.to_owned(), id);
        inner.files.insert(id, bytes);
    }

    /// Names of all files.
    pub fn files(&self) -> Vec<String> {
        self.inner.lock().names.keys().cloned().collect()
    }

    /// A second disk with the same content.
    pub fn copy(&self) -> Self {
        let copy = Self::default();
        for name in self.files() {
            copy.put(&name, self.content(&name));
        }
        copy
    }
}

pub(super) fn write_into(file: &mut Vec<u8>, at: u64, bytes: &[u8]) {
    let at = at as usize;
    if file.len() < at + bytes.len() {
        file.resize(at + bytes.len(), 0);
    }
    file[at..at + bytes.len()].copy_from_slice(bytes);
}

fn name_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

pub(super) fn folder_of(name: &str) -> String {
    let folder = name.rfind('/').map_or("", |at| &name[..at]);
    folder.to_owned()
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
        inner.done(Op::Write(self.id, offset, buf[..done].to_vec()));
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
        inner.done(Op::SetLen(self.id, len));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut inner = self.disk.inner.lock();
        inner.call()?;
        inner.syncs += 1;
        while inner.hold {
            self.disk.released.wait(&mut inner);
        }
        inner.done(Op::Sync(self.id));
        Ok(())
    }
}

impl Storage for SimDisk {
    fn create_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let dir = name_of(dir);
        let inner = self.inner.lock();
        let names = inner.names.keys().filter(|name| folder_of(name) == dir);
        Ok(names
            .filter_map(|name| Path::new(name).file_name())
            .map(|name| name.to_string_lossy().into_owned())
            .collect())
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let inner = self.inner.lock();
        let id = inner.names.get(&name_of(path));
        let id = id.ok_or(io::ErrorKind::NotFound)?;
        Ok(inner.files[id].clone())
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        let mut inner = self.inner.lock();
        inner.call()?;
        inner.next_file += 1;
        let id = inner.next_file;
        inner.names.insert(name_of(path), id);
        inner.files.insert(id, Vec::new());
        inner.done(Op::Create(name_of(path), id));
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
        inner.done(Op::Rename(name_of(from), name_of(to)));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut inner = self.inner.lock();
        inner.call()?;
        inner.names.remove(&name_of(path));
        inner.done(Op::Remove(name_of(path)));
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut inner = self.inner.lock();
        inner.call()?;
        inner.done(Op::SyncDir(name_of(dir)));
        Ok(())
    }
}
