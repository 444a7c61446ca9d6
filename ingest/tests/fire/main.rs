//! Pipeline, log, live, flush and recovery under fire: simulated shifts in wild disorder come in
//! while a simulated machine loses its power at any call, fails, and forgets what was not synced.
//! Afterwards the tables equal a truth that was written before the events were.
//!
//! One process, no real disk: thousands of histories in minutes. What a real disk and a real
//! `kill -9` do is the business of the whole program's tests.
//!
//! `CALLBOARD_HISTORIES=10000 cargo test --release --workspace --test fire` takes that many;
//! `CALLBOARD_SEED=17` begins there. A failure prints the line that repeats it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod away;
mod history;
mod lies;
mod life;
mod machine;
mod rows;
mod sender;
mod views;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};

use history::{Tally, history, told};
use lies::{LIES, Lie};

fn number(name: &str, otherwise: u64) -> u64 {
    let set = std::env::var(name).ok().filter(|v| !v.is_empty());
    set.map_or(otherwise, |v| v.parse().unwrap())
}

/// In so many histories all that can happen has happened: what has not is not tried any more.
const MANY: u64 = 40;

/// Runs histories of these seeds on all cores; the first that fails ends it.
fn run(seeds: std::ops::Range<u64>, delta: bool) -> Tally {
    let next = AtomicU64::new(seeds.start);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let work = || {
            let mut tally = Tally::default();
            loop {
                let seed = next.fetch_add(1, Ordering::SeqCst);
                if seed >= seeds.end {
                    return tally;
                }
                match history(seed, delta, None) {
                    Ok(one) => tally.add(&one),
                    Err(why) => {
                        let test = if delta { "with_delta" } else { "whatever" };
                        next.store(seeds.end, Ordering::SeqCst);
                        panic!(
                            "seed {seed}: {why}\nrepeat it: CALLBOARD_SEED={seed} CALLBOARD_HISTORIES=1 CALLBOARD_DELTA_HISTORIES=1 cargo test --workspace --test fire {test} -- --nocapture"
                        );
                    }
                }
                if (seed + 1 - seeds.start).is_multiple_of(500) {
                    println!("{} histories begun", seed + 1 - seeds.start);
                }
            }
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut tally = Tally::default();
        for thread in threads {
            match thread.join() {
                Ok(one) => tally.add(&one),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        tally
    })
}

#[test]
fn whatever_dies_the_tables_equal_the_truth() {
    let first = number("CALLBOARD_SEED", 1);
    let tally = run(first..first + number("CALLBOARD_HISTORIES", 60), false);
    println!("seeds from {first}: {tally}");
    assert!(tally.events > 0, "{tally}");
    if tally.histories < MANY {
        return;
    }
    let happened = [
        tally.lives - tally.histories,
        tally.cuts,
        tally.cuts_in_recovery,
        tally.kills,
        tally.kills_in_recovery,
        tally.amid_flush,
        tally.away,
        tally.broken,
        tally.slow,
    ];
    assert!(happened.iter().all(|times| *times > 0), "{tally}");
    let compared = tally.rows.iter().all(|rows| *rows > 0);
    assert!(compared, "nothing to compare: {:?}", tally.rows);
}

/// The same with the lake in real Delta tables, which take a hundred times as long.
#[test]
fn with_delta_tables_too() {
    let first = number("CALLBOARD_SEED", 1);
    let tally = run(first..first + number("CALLBOARD_DELTA_HISTORIES", 2), true);
    println!("seeds from {first}: {tally}");
    assert!(tally.events > 0, "{tally}");
    // Of two seeds beside each other one removes files.
    assert!(tally.vacuumed > 0 || tally.histories < 2, "{tally}");
    let died = tally.cuts > 0 && tally.kills > 0;
    assert!(died || tally.histories < MANY, "{tally}");
}

/// One with lines that come days late, one with lines that are no events, and two of neither.
const AGAIN: [u64; 4] = [1, 5, 8, 12];

/// With the lake in memory the seed alone decides, so that what fails fails again.
#[test]
fn a_seed_makes_the_same_calls_again() {
    for seed in AGAIN {
        let run = || {
            let mut calls = Vec::new();
            let tally = told(seed, false, None, &mut calls).unwrap();
            (calls, tally.to_string())
        };
        let (first, again) = (run(), run());
        let mut pairs = first.0.iter().zip(&again.0).enumerate();
        let other = pairs.find(|(_, (a, b))| a != b);
        assert!(other.is_none(), "seed {seed}: {other:?}");
        assert_eq!(first.0.len(), again.0.len(), "seed {seed}");
        assert_eq!(first.1, again.1, "seed {seed}");
        println!("seed {seed}: twice the same {} calls", first.0.len());
    }
}

/// How many histories a planted fault may pass unseen.
const PATIENCE: u64 = 60;

fn is_caught(lie: Lie) {
    for seed in 1..=PATIENCE {
        if let Err(why) = history(seed, false, Some(lie)) {
            let why = why.lines().next().unwrap_or_default();
            println!("{lie:?}: caught by history {seed}: {why}");
            return;
        }
    }
    panic!("{lie:?} was not caught by {PATIENCE} histories");
}

#[test]
fn planted_faults_are_caught() {
    let only = std::env::var("CALLBOARD_LIE").unwrap_or_default();
    for lie in LIES {
        if only.is_empty() || format!("{lie:?}") == only {
            is_caught(lie);
        }
    }
}
