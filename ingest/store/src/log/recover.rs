//! Opening a log: reading every group, cutting a torn tail, refusing damage.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::format::{
    ALIGN, GROUP_HEADER, GroupHeader, SEGMENT_HEADER, SegmentHeader, begin_group, finish_group,
    padded, tag_of,
};
use super::segments::{Catalog, Segment, Shared, Window, parse_segment_name, segment_name};
use super::{LogError, LogOptions, Recovery};
use crate::storage::{Storage, StorageFile};

/// A segment as found, with what recovery must know of its last groups.
struct Scanned {
    segment: Segment,
    next_seq: u64,
    length: u64,
    sealed: bool,
}

pub(super) fn open(
    dir: &Path,
    options: LogOptions,
    storage: Arc<dyn Storage>,
) -> Result<(Shared, Recovery), LogError> {
    storage
        .create_dir(dir)
        .map_err(|e| LogError::io("making", dir, &e))?;
    // Whoever was killed may have left a segment whose name nobody stored: entries that follow in it
    // would be lost with the name.
    storage
        .sync_dir(dir)
        .map_err(|e| LogError::io("syncing", dir, &e))?;
    let disk = storage.as_ref();
    let firsts = segments_in(dir, disk, true)?;
    if firsts.is_empty() {
        let log_id = new_log_id();
        let segment =
            first_segment(dir, disk, &log_id).map_err(|e| LogError::io("making", dir, &e))?;
        let catalog = Catalog {
            segments: VecDeque::from([segment]),
            durable: 0,
        };
        let recovery = Recovery {
            first_seq: 1,
            last_seq: 0,
            segments: 1,
            bytes: catalog.bytes(),
            cut: None,
            copied: false,
        };
        return Ok((
            Shared::new(dir, options, storage, log_id, catalog),
            recovery,
        ));
    }

    let (mut scanned, log_id, cut) = scan_all(dir, &|path| disk.open(path), firsts)?;
    let mut copied = false;
    if let Some(last) = scanned.last_mut()
        && (cut.is_some() || !last.sealed)
    {
        copy_segment(dir, disk, last, &log_id)?;
        copied = true;
    }
    let (catalog, recovery) = found(scanned, cut, copied);
    Ok((
        Shared::new(dir, options, storage, log_id, catalog),
        recovery,
    ))
}

/// Reads the whole log as [`open`] does and changes nothing; None where there is no log.
pub(super) fn look(
    dir: &Path,
    options: LogOptions,
    storage: Arc<dyn Storage>,
) -> Result<Option<(Shared, Recovery)>, LogError> {
    let firsts = segments_in(dir, storage.as_ref(), false)?;
    if firsts.is_empty() {
        return Ok(None);
    }
    // It may lie where nothing can be written.
    let (scanned, log_id, cut) = scan_all(dir, &|path| storage.open_to_read(path), firsts)?;
    let (catalog, recovery) = found(scanned, cut, false);
    Ok(Some((
        Shared::new(dir, options, storage, log_id, catalog),
        recovery,
    )))
}

/// A torn end: its file and how many bytes it has.
type Torn = Option<(PathBuf, u64)>;

/// How a segment is opened.
type Open<'a> = dyn Fn(&Path) -> io::Result<Arc<dyn StorageFile>> + 'a;

/// Reads every segment; gives them with the log's id and a torn end.
fn scan_all(
    dir: &Path,
    open: &Open<'_>,
    firsts: Vec<u64>,
) -> Result<(Vec<Scanned>, [u8; 16], Torn), LogError> {
    let mut log_id = None;
    let mut scanned: Vec<Scanned> = Vec::with_capacity(firsts.len());
    for first in firsts {
        if let Some(before) = scanned.last().filter(|before| before.next_seq != first) {
            // A later segment is made only after everything before it was synced.
            return Err(damaged(
                before,
                "there is no valid group here, and later ones exist",
            ));
        }
        scanned.push(scan(dir, open, first, &mut log_id)?);
    }
    let log_id = log_id.unwrap_or_default();
    let mut cut = None;
    if let Some(last) = scanned.last() {
        let dirt = inspect_tail(last, tag_of(&log_id))?;
        cut = (dirt > 0).then(|| (last.segment.path.clone(), dirt));
    }
    Ok((scanned, log_id, cut))
}

fn found(scanned: Vec<Scanned>, cut: Torn, copied: bool) -> (Catalog, Recovery) {
    let durable = scanned.last().map_or(0, |last| last.next_seq - 1);
    let catalog = Catalog {
        segments: scanned.into_iter().map(|s| s.segment).collect(),
        durable,
    };
    let recovery = Recovery {
        first_seq: catalog.first_seq(),
        last_seq: durable,
        segments: catalog.segments.len(),
        bytes: catalog.bytes(),
        cut,
        copied,
    };
    (catalog, recovery)
}

/// First sequences of the segments in the folder, in order; half-made files are removed if asked.
fn segments_in(dir: &Path, storage: &dyn Storage, tidy: bool) -> Result<Vec<u64>, LogError> {
    let names = storage
        .list(dir)
        .map_err(|e| LogError::io("listing", dir, &e))?;
    let mut firsts = Vec::new();
    for name in names {
        if name.ends_with(".tmp") {
            if !tidy {
                continue;
            }
            let path = dir.join(&name);
            storage
                .remove(&path)
                .map_err(|e| LogError::io("removing", &path, &e))?;
        } else if let Some(first) = parse_segment_name(&name) {
            firsts.push(first);
        }
    }
    firsts.sort_unstable();
    Ok(firsts)
}

/// A log's id only has to differ from any other's; the standard library's hash keys are random.
fn new_log_id() -> [u8; 16] {
    let mut id = [0u8; 16];
    for half in id.chunks_mut(8) {
        let mut hasher = std::hash::RandomState::new().build_hasher();
        hasher.write_u32(std::process::id());
        half.copy_from_slice(&hasher.finish().to_le_bytes());
    }
    id
}

fn first_segment(dir: &Path, storage: &dyn Storage, log_id: &[u8; 16]) -> io::Result<Segment> {
    let path = dir.join(segment_name(1));
    let temp = path.with_extension("tmp");
    let file = storage.create(&temp)?;
    let header = SegmentHeader {
        first_seq: 1,
        log_id: *log_id,
        base: 0,
    };
    file.write_at(&header.encode(), 0)?;
    file.sync()?;
    storage.rename(&temp, &path)?;
    storage.sync_dir(dir)?;
    Ok(Segment::new(1, path, file, 0))
}

/// Reads the groups of one segment up to the first place where there is none.
fn scan(
    dir: &Path,
    open: &Open<'_>,
    first: u64,
    log_id: &mut Option<[u8; 16]>,
) -> Result<Scanned, LogError> {
    let path = dir.join(segment_name(first));
    let corrupt = |what: String| LogError::Corrupt {
        file: path.clone(),
        offset: 0,
        what,
    };
    let reading = |e: io::Error| LogError::io("reading", &path, &e);
    let file = open(&path).map_err(reading)?;
    let length = file.len().map_err(reading)?;
    let mut window = Window::default();
    let head = window
        .get(file.as_ref(), 0, SEGMENT_HEADER as u64, length)
        .map_err(reading)?
        .unwrap_or_default();
    let head = SegmentHeader::decode(&head).map_err(corrupt)?;
    if head.first_seq != first {
        return Err(corrupt(format!(
            "it begins with entry {}, its name says {first}",
            head.first_seq
        )));
    }
    if *log_id.get_or_insert(head.log_id) != head.log_id {
        return Err(corrupt("it belongs to another log".into()));
    }
    let tag = tag_of(&head.log_id);
    let mut segment = Segment::new(first, path.clone(), Arc::clone(&file), head.base);
    let mut next_seq = first;
    let mut sealed = true;
    while let Some(group) = group_at(
        &mut window,
        file.as_ref(),
        segment.end,
        length,
        tag,
        next_seq,
    )
    .map_err(reading)?
    {
        segment.add_group(next_seq, group.total());
        next_seq += u64::from(group.count);
        sealed = group.seal;
    }
    Ok(Scanned {
        segment,
        next_seq,
        length,
        sealed,
    })
}

/// The group at `offset` when it is whole and follows on.
fn group_at(
    window: &mut Window,
    file: &dyn StorageFile,
    offset: u64,
    length: u64,
    tag: u32,
    next_seq: u64,
) -> io::Result<Option<GroupHeader>> {
    let Some(bytes) = window.get(file, offset, GROUP_HEADER as u64, length)? else {
        return Ok(None);
    };
    let Some(head) = GroupHeader::decode(&bytes, tag) else {
        return Ok(None);
    };
    if head.first_seq != next_seq || head.seal != (head.count == 0) || head.durable_upto >= next_seq
    {
        return Ok(None);
    }
    let body = padded(head.payload as usize) as u64;
    let payload = window.get(file, offset + GROUP_HEADER as u64, body, length)?;
    Ok(payload
        .is_some_and(|bytes| crc32fast::hash(&bytes) == head.payload_crc)
        .then_some(head))
}

/// Looks at what follows the last valid group: zeros and nothing are clean (0), a torn tail gives
/// its length in bytes, and the sign that the broken group had been synced is damage.
fn inspect_tail(last: &Scanned, tag: u32) -> Result<u64, LogError> {
    const STEP: u64 = 64 << 10;
    let file = last.segment.file.as_ref();
    let reading = |e: io::Error| LogError::io("reading", &last.segment.path, &e);
    let zeros = vec![0u8; STEP as usize];
    let mut dirty_end = last.segment.end;
    let mut at = last.segment.end;
    let mut window = Window::default();
    while at < last.length {
        let len = STEP.min(last.length - at);
        let Some(bytes) = window.get(file, at, len, last.length).map_err(reading)? else {
            break;
        };
        if bytes[..] != zeros[..bytes.len()] {
            let used = bytes.iter().rposition(|&b| b != 0).map_or(0, |p| p + 1);
            dirty_end = at + used as u64;
        }
        at += len;
    }
    // The failed group itself is not looked at: only what was written after it can tell.
    let mut at = last.segment.end + ALIGN as u64;
    while at < dirty_end {
        let head = window
            .get(file, at, GROUP_HEADER as u64, last.length)
            .map_err(reading)?
            .and_then(|bytes| GroupHeader::decode(&bytes, tag));
        if head.is_some_and(|head| head.durable_upto >= last.next_seq) {
            return Err(damaged(
                last,
                "the group here is broken, yet it was synced before a later one",
            ));
        }
        at += ALIGN as u64;
    }
    Ok(dirty_end - last.segment.end)
}

fn damaged(at: &Scanned, what: &str) -> LogError {
    LogError::Corrupt {
        file: at.segment.path.clone(),
        offset: at.segment.end,
        what: format!("{what}; entries from {} on are affected", at.next_seq),
    }
}

/// Writes the valid groups to a new file that takes the old one's name: after a failed sync the
/// old file may show bytes that the disk does not have.
fn copy_segment(
    dir: &Path,
    storage: &dyn Storage,
    last: &mut Scanned,
    log_id: &[u8; 16],
) -> Result<(), LogError> {
    let path = last.segment.path.clone();
    let temp = path.with_extension("tmp");
    let old = Arc::clone(&last.segment.file);
    let end = last.segment.end;
    let mut seal = Vec::new();
    begin_group(&mut seal);
    finish_group(
        &mut seal,
        tag_of(log_id),
        last.next_seq,
        0,
        last.next_seq - 1,
    );
    let copy = || -> io::Result<Arc<dyn StorageFile>> {
        const STEP: u64 = 1 << 20;
        let new = storage.create(&temp)?;
        let mut window = Window::default();
        let mut at = 0;
        while at < end {
            let len = STEP.min(end - at);
            let bytes = window
                .get(old.as_ref(), at, len, end)?
                .ok_or(io::ErrorKind::UnexpectedEof)?;
            new.write_at(&bytes, at)?;
            at += len;
        }
        new.write_at(&seal, end)?;
        new.sync()?;
        storage.rename(&temp, &path)?;
        storage.sync_dir(dir)?;
        Ok(new)
    };
    last.segment.file = copy().map_err(|e| LogError::io("copying", &path, &e))?;
    last.segment.add_group(last.next_seq, seal.len() as u64);
    last.sealed = true;
    Ok(())
}
