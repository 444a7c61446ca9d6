//! What a simulated disk shows when the process behind it has died, with its machine or alone.

use std::collections::BTreeMap;

use super::Rng;
use super::calls::{Image, Op};
use super::disk::{SimDisk, folder_of, write_into};

impl SimDisk {
    /// The disk of a machine that went on when the process died behind these calls: it shows what was
    /// written, and knows what was not stored yet.
    pub fn going_on(ops: &[Op]) -> Self {
        let disk = Self::default();
        let mut inner = disk.inner.lock();
        for op in ops {
            match op {
                Op::Create(name, id) => {
                    inner.next_file = inner.next_file.max(*id);
                    inner.names.insert(name.clone(), *id);
                    inner.files.insert(*id, Vec::new());
                }
                Op::Write(id, at, bytes) => {
                    write_into(inner.files.get_mut(id).unwrap(), *at, bytes);
                }
                Op::SetLen(id, len) => inner.files.get_mut(id).unwrap().resize(*len as usize, 0),
                Op::Rename(from, to) => {
                    let id = inner.names.remove(from).unwrap();
                    inner.names.insert(to.clone(), id);
                }
                Op::Remove(name) => {
                    inner.names.remove(name);
                }
                Op::Sync(_) | Op::SyncDir(_) | Op::Acked(_) | Op::Trimmed(_) => {}
            }
            inner.ops.push(op.clone());
        }
        drop(inner);
        disk
    }

    /// The disk after a power cut behind these calls.
    pub fn after(base: &Self, ops: &[Op], image: Image) -> Self {
        let mut rng = Rng(match image {
            Image::Mixed(seed) => seed,
            _ => 0,
        });
        let start = base.inner.lock();
        let mut written = start.files.clone();
        let mut synced = start.files.clone();
        // Names of each folder as they were after every change since its last sync.
        let mut names: BTreeMap<String, Vec<BTreeMap<String, u64>>> = BTreeMap::new();
        for (name, id) in &start.names {
            let folder = names
                .entry(folder_of(name))
                .or_insert_with(|| vec![BTreeMap::new()]);
            folder[0].insert(name.clone(), *id);
        }
        drop(start);
        for op in ops {
            let mut change = |name: &str, act: &dyn Fn(&mut BTreeMap<String, u64>)| {
                let folder = names
                    .entry(folder_of(name))
                    .or_insert_with(|| vec![BTreeMap::new()]);
                let mut now = folder[folder.len() - 1].clone();
                act(&mut now);
                folder.push(now);
            };
            match op {
                Op::Create(name, id) => {
                    change(name, &|now| {
                        now.insert(name.clone(), *id);
                    });
                    written.insert(*id, Vec::new());
                    synced.entry(*id).or_default();
                }
                Op::Write(id, at, bytes) => {
                    let file = written.get_mut(id).unwrap();
                    write_into(file, *at, bytes);
                }
                Op::SetLen(id, len) => written.get_mut(id).unwrap().resize(*len as usize, 0),
                Op::Sync(id) => {
                    synced.insert(*id, written[id].clone());
                }
                Op::Rename(from, to) => change(from, &|now| {
                    let id = now.remove(from).unwrap();
                    now.insert(to.clone(), id);
                }),
                Op::Remove(name) => change(name, &|now| {
                    now.remove(name);
                }),
                Op::SyncDir(folder) => {
                    if let Some(folder) = names.get_mut(folder) {
                        folder.drain(..folder.len() - 1);
                    }
                }
                Op::Acked(_) | Op::Trimmed(_) => {}
            }
        }
        let mut left = BTreeMap::new();
        for folder in names.values() {
            let chosen = match image {
                Image::SyncedOnly => 0,
                Image::AllWritten => folder.len() - 1,
                Image::Mixed(_) => rng.below(folder.len()),
            };
            left.extend(folder[chosen].clone());
        }
        let disk = Self::default();
        for (name, id) in &left {
            let content = match image {
                Image::SyncedOnly => synced[id].clone(),
                Image::AllWritten => written[id].clone(),
                // By a lot of its own: how long one file is says nothing of others.
                Image::Mixed(_) => mix(&synced[id], &written[id], &mut Rng(rng.draw())),
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
