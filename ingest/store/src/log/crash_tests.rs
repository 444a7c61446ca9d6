//! Power cuts and disk errors at every storage call of a recorded workload.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::reader::LogReader;
use super::{Entry, Log, LogError, LogOptions, recover};
use crate::sim::Rng;
use crate::sim::calls::{Fault, Image, Op};
use crate::sim::disk::SimDisk;

fn options() -> LogOptions {
    LogOptions {
        segment_bytes: 2_000,
        idle_seal: Duration::from_millis(1),
        ..LogOptions::default()
    }
}

/// What entry `seq` must hold.
fn payload(seq: u64) -> Vec<u8> {
    let len = Rng(seq).below(400);
    let mut bytes = seq.to_le_bytes().to_vec();
    bytes.resize(8 + len, seq as u8);
    bytes
}

fn entry(seq: u64) -> Entry {
    Entry {
        kind: (seq % 7) as u8,
        payload: Bytes::from(payload(seq)),
    }
}

/// Appends in groups, trims, stops and starts again; marks what it was told. Gives the last
/// acknowledged sequence and the first error.
fn workload(disk: &SimDisk) -> (u64, Option<LogError>) {
    let mut acked = 0;
    for round in 0..3u64 {
        let storage = Arc::new(disk.clone());
        let log = match Log::open("log", options(), storage) {
            Ok((log, _)) => log,
            Err(error) => return (acked, Some(error)),
        };
        for step in 0..12u64 {
            let mut rng = Rng(round * 100 + step);
            let mut next = log.durable() + 1;
            let mut waits = Vec::new();
            for _ in 0..=rng.below(3) {
                let count = 1 + rng.below(3) as u64;
                let entries = (next..next + count).map(entry).collect();
                next += count;
                waits.push(log.append(entries));
            }
            for wait in waits {
                match futures::executor::block_on(wait) {
                    Ok(range) => {
                        acked = range.end - 1;
                        disk.note(Op::Acked(acked));
                    }
                    Err(error) => return (acked, Some(error)),
                }
            }
            // A new segment before the last one is full.
            if step == 5
                && let Err(error) = futures::executor::block_on(log.roll())
            {
                return (acked, Some(error));
            }
            if step == 9 {
                // Before the call: from here on these entries may be missing.
                disk.note(Op::Trimmed(acked / 2));
                if let Err(error) = log.trim(acked / 2) {
                    return (acked, Some(error));
                }
            }
        }
        if let Err(error) = log.close() {
            return (acked, Some(error));
        }
    }
    (acked, None)
}

/// Recovers the disk and checks that all acknowledged entries are there, once, in order; gives
/// the calls that recovery itself made.
fn check(disk: &SimDisk, acked: u64, trimmed: u64, what: &str) -> Vec<Op> {
    let storage = Arc::new(disk.clone());
    let (shared, recovery) = recover::open(Path::new("log"), options(), storage)
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(
        recovery.last_seq >= acked,
        "{what}: lost after {recovery:?}"
    );
    assert!(recovery.first_seq <= trimmed + 1, "{what}: {recovery:?}");
    let mut next = recovery.first_seq;
    for item in LogReader::new(Arc::new(shared), next) {
        let (seq, kind, bytes) = item.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(seq, next, "{what}");
        assert_eq!(kind, (seq % 7) as u8, "{what}");
        assert!(bytes == payload(seq), "{what}: entry {seq}");
        next += 1;
    }
    assert_eq!(next, recovery.last_seq + 1, "{what}");
    disk.ops()
}

fn told(ops: &[Op]) -> (u64, u64) {
    let mut told = (0, 0);
    for op in ops {
        match op {
            Op::Acked(seq) => told.0 = *seq,
            Op::Trimmed(seq) => told.1 = *seq,
            _ => {}
        }
    }
    told
}

#[test]
fn no_acknowledged_entry_is_lost_by_a_power_cut_anywhere() {
    let empty = SimDisk::default();
    let disk = SimDisk::default();
    let (acked, error) = workload(&disk);
    assert_eq!(error, None);
    let ops = disk.ops();
    let calls = ops
        .iter()
        .filter(|op| !matches!(op, Op::Acked(_) | Op::Trimmed(_)))
        .count();
    assert!(acked > 60 && calls > 100, "{acked} entries, {calls} calls");
    assert!(ops.iter().any(|op| matches!(op, Op::Remove(_))), "trimmed");
    let mut cuts = 0;
    for n in 0..=ops.len() {
        let (acked, trimmed) = told(&ops[..n]);
        for image in [
            Image::SyncedOnly,
            Image::AllWritten,
            Image::Mixed(n as u64),
            Image::Mixed(n as u64 + 10_000),
        ] {
            let cut = SimDisk::after(&empty, &ops[..n], image);
            let before = cut.copy();
            let what = format!("after call {n}, {image:?}");
            let recovery = check(&cut, acked, trimmed, &what);
            cuts += 1;
            // And again in the middle of that recovery.
            for m in 0..recovery.len() {
                for second in [Image::SyncedOnly, Image::AllWritten, Image::Mixed(m as u64)] {
                    let again = SimDisk::after(&before, &recovery[..m], second);
                    let what = format!("{what}, then recovery call {m}, {second:?}");
                    check(&again, acked, trimmed, &what);
                    cuts += 1;
                }
            }
        }
    }
    println!("{calls} storage calls, {cuts} power cuts, nothing acknowledged was lost");
}

/// The process dies at any call, the machine goes on: what is acknowledged after the next start must
/// outlive a power cut, though it is built on names and bytes that nobody had stored.
#[test]
fn what_follows_a_process_that_died_anywhere_outlives_a_power_cut() {
    let empty = SimDisk::default();
    let disk = SimDisk::default();
    workload(&disk);
    let ops = disk.ops();
    for n in 0..=ops.len() {
        let (acked, trimmed) = told(&ops[..n]);
        let again = SimDisk::going_on(&ops[..n]);
        // The next start may die too, at any call.
        let all = check(&again, acked, trimmed, &format!("died after call {n}"));
        for m in n..=all.len() {
            let disk = SimDisk::going_on(&all[..m]);
            let (log, _) = Log::open("log", options(), Arc::new(disk.clone())).unwrap();
            let next = log.durable() + 1;
            log.append_blocking(&[entry(next), entry(next + 1)])
                .unwrap();
            let what = format!("died after call {n}, then in the start after call {m}, power cut");
            let cut = SimDisk::after(&empty, &disk.ops(), Image::SyncedOnly);
            check(&cut, next + 1, trimmed, &what);
        }
    }
}

#[test]
fn a_failed_call_stops_acknowledging_and_a_restart_recovers() {
    let clean = SimDisk::default();
    workload(&clean);
    let empty = SimDisk::default();
    let mut poisoned = 0;
    for call in 0..clean.calls() {
        for lasting in [false, true] {
            let disk = SimDisk::with_fault(Fault {
                call,
                kind: ErrorKind::Other,
                lasting,
            });
            let (acked, error) = workload(&disk);
            if matches!(error, Some(LogError::Poisoned { .. })) {
                poisoned += 1;
            }
            disk.set_fault(None);
            let ops = disk.ops();
            let (noted, trimmed) = told(&ops);
            assert_eq!(noted, acked);
            // The process starts again on the same machine, whose cache shows bytes that were never
            // synced: what it then calls durable must outlive a power cut.
            let storage = Arc::new(disk.clone());
            let (_, found) = recover::open(Path::new("log"), options(), storage).unwrap();
            let cut = SimDisk::after(&empty, &disk.ops(), Image::SyncedOnly);
            let what = format!("EIO at {call}, restart, power cut");
            check(&cut, found.last_seq, trimmed, &what);
            for image in [
                Image::SyncedOnly,
                Image::AllWritten,
                Image::Mixed(call as u64),
            ] {
                let cut = SimDisk::after(&empty, &ops, image);
                check(&cut, acked, trimmed, &format!("EIO at {call}, {image:?}"));
            }
        }
    }
    assert!(poisoned > 50, "{poisoned} of the faults met the writer");
}

#[test]
fn a_failed_sync_is_never_followed_by_a_success() {
    let disk = SimDisk::default();
    let (log, _) = Log::open("log", options(), Arc::new(disk.clone())).unwrap();
    log.append_blocking(&[entry(1)]).unwrap();
    disk.set_fault(Some(Fault {
        call: disk.calls() + 1,
        kind: ErrorKind::Other,
        lasting: false,
    }));
    let mut failed = None;
    for _ in 0..3 {
        match log.append_blocking(&[entry(log.durable() + 1)]) {
            Ok(_) => assert!(failed.is_none(), "acknowledged after a disk error"),
            Err(error) => failed = Some(error),
        }
    }
    // The failing call may have been that of a seal; either way the log stands still now.
    assert!(
        matches!(failed, Some(LogError::Poisoned { .. })),
        "{failed:?}"
    );
    assert!(log.failure().is_some());
    assert!(log.close().is_err());
}

#[test]
fn a_full_disk_refuses_and_goes_on_when_there_is_room() {
    let clean = SimDisk::default();
    workload(&clean);
    for call in 6..clean.calls().min(60) {
        let disk = SimDisk::default();
        let unsealed = LogOptions {
            idle_seal: Duration::from_secs(3600),
            preallocate: false,
            ..options()
        };
        let (log, _) = Log::open("log", unsealed.clone(), Arc::new(disk.clone())).unwrap();
        disk.set_fault(Some(Fault {
            call,
            kind: ErrorKind::StorageFull,
            lasting: false,
        }));
        let mut refused = 0;
        let mut broken = false;
        while log.durable() < 60 {
            let next = log.durable() + 1;
            match log.append_blocking(&[entry(next), entry(next + 1)]) {
                Ok(range) => assert_eq!(range, next..next + 2),
                Err(LogError::Full { .. }) => refused += 1,
                // A sync of stored bytes that fails leaves them in doubt, whatever it says.
                Err(LogError::Poisoned { .. }) => {
                    broken = true;
                    break;
                }
                Err(other) => panic!("{other}"),
            }
        }
        assert!(broken || refused == 1, "call {call}: {refused} refusals");
        let acked = log.durable();
        let _ = log.close();
        check(&disk, acked, 0, &format!("full at {call}"));
    }
}

#[test]
fn a_group_larger_than_a_segment_goes_into_the_one_that_holds_nothing_yet() {
    let big = |n: u8| Entry {
        kind: n,
        payload: Bytes::from(vec![n; 3_000]),
    };
    let disk = SimDisk::default();
    let open = || Log::open("log", options(), Arc::new(disk.clone())).unwrap();
    let (log, _) = open();
    log.append_blocking(&[entry(1)]).unwrap();
    futures::executor::block_on(log.roll()).unwrap();
    log.close().unwrap();
    // Its first group is torn: what is left is a segment with a seal and no entry.
    let name = format!("log/{:020}.seg", 2);
    let torn = [disk.content(&name), vec![0xA5; 200]].concat();
    disk.put(&name, torn);
    let (log, recovery) = open();
    assert!(recovery.cut.is_some() && recovery.copied, "{recovery:?}");
    for n in [2, 3, 4] {
        log.append_blocking(&[big(n)]).unwrap();
    }
    log.trim(1).unwrap();
    assert_eq!(log.first(), 2);
    log.close().unwrap();
    let (log, recovery) = open();
    assert_eq!((recovery.first_seq, recovery.last_seq), (2, 4));
    let kinds: Vec<u8> = log.read(2).map(|item| item.unwrap().1).collect();
    assert_eq!(kinds, [2, 3, 4]);
}
