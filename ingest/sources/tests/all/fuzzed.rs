//! A short run of the fuzzer for each parser, and what it found once.

use callboard_sources::adapter::{ADAPTERS, Declared};
use callboard_sources::mapping::SHIPPED;

use crate::fold::Chance;
use crate::fuzz::{PARSERS, check, corpus, mutate, thorough};

/// Inputs of each parser in a test; `make fuzz` runs more.
const RUNS: u64 = 1_500;

#[test]
fn all_parsers_are_fuzzed() {
    for adapter in ADAPTERS {
        let known = PARSERS.iter().any(|p| p.name == adapter.platform());
        assert!(known, "{} is not fuzzed", adapter.platform());
    }
}

#[test]
fn no_input_near_a_capture_breaks_anything() {
    for parser in PARSERS {
        let captures = corpus::of(parser);
        for seed in 0..RUNS {
            let (bytes, declared) = check::of_seed(parser, &captures, seed);
            let found = check::fault(parser, &bytes, &declared, thorough(seed));
            assert_eq!(
                found,
                None,
                "make fuzz ONLY={} SEED={seed} RUNS=1: {:?}",
                parser.name,
                String::from_utf8_lossy(&bytes)
            );
        }
    }
}

/// `captures/found/PARSER--what.ext`: inputs that failed once, with everything that may be declared.
#[test]
fn what_failed_once_holds() {
    let mut read = 0;
    for entry in std::fs::read_dir("tests/captures/found").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let Some((parser, _)) = name.split_once("--") else {
            continue;
        };
        let parser = PARSERS.iter().find(|p| p.name == parser);
        let parser = parser.unwrap_or_else(|| panic!("{name} names no parser"));
        let bytes = std::fs::read(&path).unwrap();
        let mut chance = Chance(7);
        for n in 0..24 {
            let mut declared = match n {
                0 => Declared::default(),
                _ => check::declared(&mut chance),
            };
            if parser.name == "mapping" {
                // Each of them reads it.
                declared.name = SHIPPED[n % SHIPPED.len()].0.to_owned();
            }
            let found = check::fault(parser, &bytes, &declared, true);
            assert_eq!(found, None, "{name} {declared:?}");
        }
        read += 1;
    }
    assert_eq!(read, FOUND, "captures/found");
}

/// How many stand there.
const FOUND: usize = 8;

/// The checks see what they are for: the fuzzer would be silent otherwise.
#[test]
fn seeds_repeat_and_inputs_differ() {
    for parser in PARSERS {
        let captures = corpus::of(parser);
        let all: std::collections::BTreeSet<Vec<u8>> = (0..200)
            .map(|s| check::of_seed(parser, &captures, s).0)
            .collect();
        assert!(all.len() > 150, "{} {}", parser.name, all.len());
        let again = check::of_seed(parser, &captures, 77);
        assert_eq!(check::of_seed(parser, &captures, 77), again);
        assert!(all.iter().all(|b| b.len() <= mutate::MOST_BYTES));
    }
}

#[test]
fn a_failing_input_is_cut_down_to_what_fails() {
    let fails = |b: &[u8]| b.contains(&b'X') && b.contains(&b'Y');
    assert_eq!(check::least(b"some X and many others, Y too", fails), b"XY");
    assert_eq!(check::least(b"XY", fails), b"XY");
}
