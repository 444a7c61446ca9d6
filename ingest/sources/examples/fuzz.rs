//! `make fuzz`: every parser on inputs near its captures, from a seed on, on several threads.
//!
//! ```text
//! fuzz [--runs N] [--only PARSER] [--seed FIRST] [--threads N] [--keep FOLDER]
//! ```
//! Prints one line of JSON per parser, and what fails with the command that repeats it; the least
//! failing input goes to `tests/captures/found`, where the tests read it ever after. Each thread
//! writes its seed into a file before it runs it, so that an abort of the process is found too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[allow(dead_code)]
#[path = "../tests/all/fold.rs"]
mod fold;
#[path = "../tests/fuzz/mod.rs"]
mod fuzz;
#[path = "../tests/gather/mod.rs"]
mod gather;

use std::collections::BTreeMap;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fuzz::{PARSERS, Parser, check, corpus, thorough};

/// One input that takes longer than this is told: nothing that short should.
const HANG: Duration = Duration::from_secs(30);
/// Seeds that a thread takes at once.
const STEP: u64 = 512;

struct Options {
    runs: u64,
    only: Option<String>,
    seed: u64,
    threads: usize,
    keep: PathBuf,
}

fn options() -> Options {
    let mut options = Options {
        runs: 20_000,
        only: None,
        seed: 0,
        threads: std::thread::available_parallelism().map_or(2, usize::from),
        keep: PathBuf::from("tests/captures/found"),
    };
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args
            .next()
            .unwrap_or_else(|| panic!("{name} wants a value"));
        match name.as_str() {
            "--runs" => options.runs = value.parse().expect("--runs N"),
            "--only" => options.only = Some(value),
            "--seed" => options.seed = value.parse().expect("--seed N"),
            "--threads" => options.threads = value.parse().expect("--threads N"),
            "--keep" => options.keep = value.into(),
            other => panic!("{other} is no option; see examples/fuzz.rs"),
        }
    }
    options
}

fn main() {
    if !std::path::Path::new("tests/captures").exists() {
        std::env::set_current_dir("ingest/sources").expect("run it in the project's folder");
    }
    let options = options();
    let mut failed = false;
    for parser in PARSERS {
        if options.only.as_deref().is_none_or(|o| o == parser.name) {
            failed |= fuzz_one(parser, &options);
        }
    }
    std::process::exit(i32::from(failed));
}

/// Runs one parser; whether anything failed.
fn fuzz_one(parser: &Parser, options: &Options) -> bool {
    let captures = corpus::of(parser);
    let begun = Instant::now();
    let next = AtomicU64::new(0);
    let bytes_read = AtomicU64::new(0);
    let faults: Mutex<BTreeMap<String, (u64, u64)>> = Mutex::new(BTreeMap::new());
    let busy: Vec<AtomicU64> = (0..options.threads).map(|_| AtomicU64::new(0)).collect();
    std::thread::scope(|scope| {
        for thread in 0..options.threads {
            let (captures, next, bytes_read, faults, busy) =
                (&captures, &next, &bytes_read, &faults, &busy);
            scope.spawn(move || {
                let name = format!("callboard-fuzz-{}-{thread}.seed", parser.name);
                let place = std::env::temp_dir().join(name);
                let trace = std::fs::File::create(&place).unwrap();
                loop {
                    let from = next.fetch_add(STEP, Ordering::Relaxed);
                    if from >= options.runs {
                        break;
                    }
                    for n in from..(from + STEP).min(options.runs) {
                        let seed = options.seed + n;
                        trace
                            .write_all_at(format!("{seed:020}\n").as_bytes(), 0)
                            .unwrap();
                        let now = u64::try_from(begun.elapsed().as_millis()).unwrap();
                        busy[thread].store(now + 1, Ordering::Relaxed);
                        let (bytes, declared) = check::of_seed(parser, captures, seed);
                        bytes_read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                        let found = check::fault(parser, &bytes, &declared, thorough(seed));
                        let Some(fault) = found else { continue };
                        let mut all = faults.lock().unwrap();
                        if let Some((_, times)) = all.get_mut(&fault.kind) {
                            *times += 1;
                            continue;
                        }
                        all.insert(fault.kind.clone(), (seed, 1));
                        drop(all);
                        let same = |b: &[u8]| {
                            let other = check::fault(parser, b, &declared, true);
                            other.is_some_and(|f| f.kind == fault.kind)
                        };
                        let least = check::least(&bytes, same);
                        tell(parser, options, seed, &fault, &least);
                    }
                }
                busy[thread].store(0, Ordering::Relaxed);
                let _ = std::fs::remove_file(place);
            });
        }
        let (busy, next) = (&busy, &next);
        scope.spawn(move || {
            // Ends when the threads have taken all seeds and none is at work.
            loop {
                std::thread::sleep(Duration::from_millis(200));
                let now = begun.elapsed();
                let mut working = false;
                for (thread, since) in busy.iter().enumerate() {
                    let since = since.load(Ordering::Relaxed);
                    working |= since > 0;
                    if since > 0 && now.saturating_sub(Duration::from_millis(since)) > HANG {
                        eprintln!("{}: thread {thread} is at one input for long", parser.name);
                    }
                }
                if !working && next.load(Ordering::Relaxed) >= options.runs {
                    return;
                }
            }
        });
    });
    let faults = faults.into_inner().unwrap();
    let told = serde_json::json!({
        "parser": parser.name, "runs": options.runs, "first_seed": options.seed,
        "bytes": bytes_read.into_inner(), "seconds": begun.elapsed().as_secs(),
        "faults": faults.iter().map(|(k, (seed, times))| serde_json::json!({"fault": k, "seed": seed, "times": times})).collect::<Vec<_>>(),
    });
    println!("{told}");
    !faults.is_empty()
}

fn tell(parser: &Parser, options: &Options, seed: u64, fault: &check::Fault, least: &[u8]) {
    let name = format!("{}--seed-{seed}.bin", parser.name);
    let place = options.keep.join(name);
    let kept = std::fs::write(&place, least);
    eprintln!(
        "{}: {}\n  {}\n  again: make fuzz ONLY={} SEED={seed} RUNS=1\n  {} bytes in {} ({kept:?})",
        parser.name,
        fault.kind,
        fault.detail,
        parser.name,
        least.len(),
        place.display(),
    );
}
