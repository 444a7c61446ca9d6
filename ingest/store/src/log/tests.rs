use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::format::SEGMENT_HEADER;
use super::segments::segment_name;
use super::{Entry, Log, LogError, LogOptions, Recovery};
use crate::sim::disk::SimDisk;
use crate::storage::Disk;

fn options() -> LogOptions {
    LogOptions {
        idle_seal: Duration::from_secs(3600),
        preallocate: false,
        ..LogOptions::default()
    }
}

/// The first segment of a log in `log/`.
fn first() -> String {
    format!("log/{}", segment_name(1))
}

fn entry(text: &str) -> Entry {
    Entry {
        kind: 1,
        payload: Bytes::copy_from_slice(text.as_bytes()),
    }
}

fn texts(log: &Log, from: u64) -> Vec<String> {
    log.read(from)
        .map(|item| String::from_utf8(item.unwrap().2.to_vec()).unwrap())
        .collect()
}

fn open(disk: &SimDisk) -> Result<(Log, Recovery), LogError> {
    Log::open("log", options(), Arc::new(disk.clone()))
}

/// A log of five groups without a seal, as a crash leaves it, with the offset of each group.
fn five_groups() -> (SimDisk, Vec<u64>) {
    let disk = SimDisk::default();
    let (log, _) = open(&disk).unwrap();
    let mut offsets = Vec::new();
    for group in 0..5 {
        offsets.push(log.bytes());
        let group = format!("group {group}");
        log.append_blocking(&[entry(&group), entry("and more")])
            .unwrap();
    }
    offsets.push(log.bytes());
    let crashed = disk.copy();
    (crashed, offsets)
}

fn with_content(bytes: Vec<u8>) -> SimDisk {
    let disk = SimDisk::default();
    disk.put(&first(), bytes);
    disk
}

#[test]
fn what_was_appended_reads_back_after_a_restart_on_a_real_disk() {
    let dir = tempfile::tempdir().unwrap();
    let small = LogOptions {
        segment_bytes: 4_000,
        idle_seal: Duration::from_millis(1),
        ..LogOptions::default()
    };
    let open = || Log::open(dir.path().join("log"), small.clone(), Arc::new(Disk)).unwrap();
    let mut expected = Vec::new();
    for round in 0..3 {
        let (log, recovery) = open();
        assert_eq!(recovery.last_seq, expected.len() as u64);
        assert_eq!(recovery.cut, None);
        assert_eq!(texts(&log, 1), expected);
        for n in 0..40 {
            let text = format!("round {round} number {n} {}", "x".repeat(n * 7));
            let range = log.append_blocking(&[entry(&text)]).unwrap();
            expected.push(text);
            assert_eq!(range.end - 1, expected.len() as u64);
        }
        assert_eq!(log.durable(), expected.len() as u64);
        assert_eq!(texts(&log, 30), expected[29..]);
        log.close().unwrap();
        assert_eq!(log.append_blocking(&[entry("late")]), Err(LogError::Closed));
        assert_eq!(texts(&log, 1), expected, "reading goes on after the close");
    }
}

#[test]
fn a_torn_last_group_is_cut_at_every_byte() {
    let (disk, offsets) = five_groups();
    let whole = disk.content(&first());
    let (last, end) = (offsets[4] as usize, offsets[5] as usize);
    assert_eq!(end, whole.len());
    for cut in last..end {
        for fill in [None, Some(0u8), Some(0xA5)] {
            let mut bytes = whole[..cut].to_vec();
            if let Some(fill) = fill {
                bytes.resize(end + 512, fill);
            }
            if fill == Some(0) && whole[cut..].iter().all(|&b| b == 0) {
                continue; // only padding was lost: the group is whole
            }
            let disk = with_content(bytes);
            let (log, recovery) = open(&disk).unwrap();
            assert_eq!(recovery.last_seq, 8, "cut at {cut}");
            let expect_cut = fill == Some(0xA5) || cut > last;
            assert_eq!(recovery.cut.is_some(), expect_cut, "cut at {cut}, {fill:?}");
            // The place is used again, and nothing of the torn group comes back.
            assert_eq!(log.append_blocking(&[entry("next")]).unwrap(), 9..10);
            assert_eq!(texts(&log, 7), ["group 3", "and more", "next"]);
            log.close().unwrap();
            let (log, recovery) = open(&disk).unwrap();
            assert_eq!((recovery.last_seq, recovery.copied), (9, false));
            assert_eq!(texts(&log, 9), ["next"]);
        }
    }
}

#[test]
fn damage_in_acknowledged_bytes_is_refused_by_file_and_offset() {
    let (disk, offsets) = five_groups();
    let whole = disk.content(&first());
    for at in 0..offsets[4] as usize {
        for bit in [0, 3, 7] {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            let group = offsets.iter().rposition(|&o| o <= at as u64);
            let expected = group.map_or(0, |group| offsets[group]);
            match open(&with_content(bytes)) {
                Err(LogError::Corrupt { file, offset, .. }) => {
                    assert_eq!(file, PathBuf::from("log").join(segment_name(1)));
                    assert_eq!(offset, expected, "flip at {at}");
                }
                other => panic!("flip at {at} gave {other:?}"),
            }
        }
    }
    // Zeroed sectors too.
    for at in (SEGMENT_HEADER..offsets[4] as usize).step_by(16) {
        let mut bytes = whole.clone();
        bytes[at..at + 16].fill(0);
        if bytes != whole {
            assert!(open(&with_content(bytes)).is_err(), "zeros at {at}");
        }
    }
}

#[test]
fn a_seal_guards_the_last_group_and_is_itself_dispensable() {
    let (disk, offsets) = five_groups();
    let (log, recovery) = open(&disk).unwrap();
    assert!(recovery.copied, "no seal, so the segment was copied");
    log.close().unwrap();
    let whole = disk.content(&first());
    for at in offsets[4] as usize..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 4;
        let opened = open(&with_content(bytes));
        if (at as u64) < offsets[5] {
            let error = opened.map(|_| ()).unwrap_err();
            assert!(
                matches!(&error, LogError::Corrupt { offset, .. } if *offset == offsets[4]),
                "flip at {at}: {error}"
            );
        } else {
            assert_eq!(opened.unwrap().1.last_seq, 10, "flip at {at} in the seal");
        }
    }
}

#[test]
fn damage_or_loss_of_an_earlier_segment_is_refused() {
    let disk = SimDisk::default();
    let small = LogOptions {
        segment_bytes: 400,
        ..options()
    };
    let open = |disk: &SimDisk| Log::open("log", small.clone(), Arc::new(disk.clone()));
    let (log, _) = open(&disk).unwrap();
    for n in 0..20 {
        log.append_blocking(&[entry(&format!("entry {n} {}", "y".repeat(60)))])
            .unwrap();
    }
    log.close().unwrap();
    let names = disk.files();
    assert!(names.len() > 4);
    for (n, name) in names.iter().enumerate() {
        let whole = disk.content(name);
        for at in (0..whole.len()).step_by(5) {
            let mut bytes = whole.clone();
            bytes[at] ^= 32;
            let bad = disk.copy();
            bad.put(name, bytes);
            match open(&bad) {
                Err(LogError::Corrupt { file, .. }) => assert!(file.ends_with(name)),
                Ok((_, recovery)) => {
                    // Only the seal at the very end may go.
                    assert_eq!((n, recovery.last_seq), (names.len() - 1, 20), "at {at}");
                }
                Err(other) => panic!("{other}"),
            }
        }
    }
    let holed = SimDisk::default();
    for name in names.iter().filter(|name| **name != names[2]) {
        holed.put(name, disk.content(name));
    }
    assert!(matches!(open(&holed), Err(LogError::Corrupt { .. })));
    let mixed = disk.copy();
    let (other, _) = five_groups();
    mixed.put(&first(), other.content(&first()));
    assert!(open(&mixed).is_err(), "a segment of another log");
}

#[test]
fn trim_removes_whole_segments_and_keeps_positions() {
    let disk = SimDisk::default();
    let small = LogOptions {
        segment_bytes: 1_000,
        ..options()
    };
    let open = |disk: &SimDisk| Log::open("log", small.clone(), Arc::new(disk.clone())).unwrap();
    let (log, _) = open(&disk);
    for n in 0..50 {
        log.append_blocking(&[entry(&format!("{n:0100}"))]).unwrap();
    }
    let end = log.position_bytes(51);
    let middle = log.position_bytes(30);
    assert!(middle > 0 && middle < end);
    assert_eq!(log.bytes_since(30), end - middle);
    assert!(log.trim(29).unwrap() > 0);
    assert!(log.first() > 1 && log.first() <= 30);
    assert_eq!(log.position_bytes(30), middle, "positions do not move");
    assert_eq!(texts(&log, 30).len(), 21);
    let gone = log.read(1).next().unwrap().unwrap_err();
    assert!(matches!(gone, LogError::Trimmed { asked: 1, .. }), "{gone}");
    log.trim(u64::MAX).unwrap();
    assert_eq!(disk.files().len(), 1, "the open segment stays");
    log.close().unwrap();
    let (log, recovery) = open(&disk);
    assert_eq!(recovery.last_seq, 50);
    assert!(log.position_bytes(51) >= end);
    assert_eq!(log.append_blocking(&[entry("more")]).unwrap(), 51..52);
}

#[test]
fn limits_turn_appends_away_and_change_nothing() {
    let disk = SimDisk::default();
    let tight = LogOptions {
        max_bytes: 3_000,
        reserve_bytes: 1_000,
        max_entry_bytes: 600,
        max_append_bytes: 900,
        queue_bytes: 1_000,
        ..options()
    };
    let (log, _) = Log::open("log", tight, Arc::new(disk.clone())).unwrap();
    let half = "z".repeat(500);
    let large = log.append_blocking(&[entry(&"z".repeat(601))]);
    assert!(matches!(large, Err(LogError::TooLarge { .. })));
    let large = log.append_blocking(&[entry(&half), entry(&half)]);
    assert!(matches!(large, Err(LogError::TooLarge { .. })));
    while log.bytes() < 1_200 {
        log.append_blocking(&[entry(&half)]).unwrap();
    }
    let before = log.durable();
    assert!(matches!(
        log.append_blocking(&[entry(&half), entry("")]),
        Err(LogError::Full { .. })
    ));
    assert_eq!(log.durable(), before);
    let reserved = futures::executor::block_on(log.append_reserved(vec![entry(&half)]));
    assert_eq!(reserved.unwrap(), before + 1..before + 2);
    assert_eq!(log.append_blocking(&[]).unwrap().count(), 0);
}

#[test]
fn a_slow_disk_turns_away_what_would_not_fit_in_memory() {
    let disk = SimDisk::default();
    let tight = LogOptions {
        queue_bytes: 1_000,
        ..options()
    };
    let (log, _) = Log::open("log", tight, Arc::new(disk.clone())).unwrap();
    disk.hold_syncs(true);
    let waits: Vec<_> = (0..4)
        .map(|_| log.append(vec![entry(&"q".repeat(300))]))
        .collect();
    disk.hold_syncs(false);
    let results: Vec<_> = waits.into_iter().map(futures::executor::block_on).collect();
    assert!(results[..3].iter().all(Result::is_ok), "{results:?}");
    assert!(matches!(results[3], Err(LogError::Busy { .. })));
}

#[test]
fn one_sync_serves_all_who_wait() {
    let disk = SimDisk::default();
    let (log, _) = open(&disk).unwrap();
    let before = disk.syncs();
    disk.hold_syncs(true);
    let first = log.append(vec![entry("first")]);
    while disk.syncs() == before {
        std::thread::yield_now();
    }
    let waits: Vec<_> = (0..64)
        .map(|n| log.append(vec![entry(&n.to_string())]))
        .collect();
    disk.hold_syncs(false);
    assert_eq!(futures::executor::block_on(first).unwrap(), 1..2);
    for (n, wait) in waits.into_iter().enumerate() {
        let n = n as u64;
        assert_eq!(futures::executor::block_on(wait).unwrap(), n + 2..n + 3);
    }
    assert_eq!(disk.syncs() - before, 2);
}

#[tokio::test]
async fn the_tail_tells_of_new_entries_and_a_reader_goes_on() {
    let disk = SimDisk::default();
    let (log, _) = open(&disk).unwrap();
    let mut tail = log.tail_notifier();
    let mut reader = log.read(1);
    assert!(reader.next().is_none());
    for n in 1..=5u64 {
        log.append(vec![entry(&n.to_string())]).await.unwrap();
        tail.changed().await.unwrap();
        assert_eq!(*tail.borrow_and_update(), n);
        let (seq, _, bytes) = reader.next().unwrap().unwrap();
        assert_eq!((seq, &bytes[..]), (n, n.to_string().as_bytes()));
        assert!(reader.next().is_none());
    }
}

#[test]
fn many_threads_append_at_once_and_each_finds_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let small = LogOptions {
        segment_bytes: 5_000,
        ..LogOptions::default()
    };
    let (log, _) = Log::open(dir.path(), small.clone(), Arc::new(Disk)).unwrap();
    let mine: Vec<Vec<(u64, String)>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let log = &log;
                scope.spawn(move || {
                    (0..25)
                        .map(|n| {
                            let text = format!("thread {thread} entry {n} {}", "w".repeat(n * 5));
                            let range = log.append_blocking(&[entry(&text)]).unwrap();
                            (range.start, text)
                        })
                        .collect()
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    drop(log);
    let (log, recovery) = Log::open(dir.path(), small, Arc::new(Disk)).unwrap();
    assert_eq!(recovery.last_seq, 200);
    assert!(recovery.segments > 1);
    let all = texts(&log, 1);
    for (seq, text) in mine.into_iter().flatten() {
        assert_eq!(all[seq as usize - 1], text);
    }
}

#[test]
fn a_new_segment_lets_everything_before_it_go() {
    let disk = SimDisk::default();
    let (log, _) = open(&disk).unwrap();
    let roll = |log: &Log| futures::executor::block_on(log.roll());
    assert_eq!(roll(&log).unwrap(), 1, "nothing was written: it is new");
    for text in ["one", "two"] {
        log.append_blocking(&[entry(text)]).unwrap();
    }
    assert_eq!(roll(&log).unwrap(), 3);
    assert_eq!(roll(&log).unwrap(), 3, "it holds no entry yet");
    assert_eq!(log.trim(2).unwrap(), 1);
    assert_eq!(log.first(), 3);
    log.append_blocking(&[entry("three")]).unwrap();
    drop(log);
    let (log, recovery) = open(&disk).unwrap();
    assert_eq!((recovery.first_seq, recovery.last_seq), (3, 3));
    assert_eq!(texts(&log, 3), ["three"]);
    log.close().unwrap();
    assert_eq!(roll(&log), Err(LogError::Closed));
}
