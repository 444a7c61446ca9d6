//! Fuzzing from the captures: `make fuzz` runs it for long ([the program](../../examples/fuzz.rs)),
//! the tests a few thousand times for each parser. A seed is one input; what failed once stands in
//! `captures/found` and is read in every test.

pub mod check;
pub mod corpus;
pub mod mapped;
pub mod mutate;

pub use corpus::Capture;

/// What is fuzzed: a platform's adapter, a reader of lines, or the mappings that come with callboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parser {
    /// `lines`, `events`, a log of Asterisk, a platform, or `mapping`.
    pub name: &'static str,
    /// So that equal seeds are other inputs for each.
    pub salt: u32,
}

/// Every parser: [`all_parsers_are_fuzzed`](super) sees that no adapter is left out.
pub const PARSERS: &[Parser] = &[
    parser("lines", 1),
    parser("events", 2),
    parser("queue_log", 3),
    parser("cel", 4),
    parser("cdr", 5),
    parser("ami", 6),
    parser("acs", 7),
    parser("amazon-connect", 8),
    parser("freeswitch", 9),
    parser("genesys", 10),
    parser("siprec", 11),
    parser("teams", 12),
    parser("twilio", 13),
    parser("vcon", 14),
    parser("sheet", 15),
    parser("ari", 16),
    parser("mapping", 17),
];

const fn parser(name: &'static str, n: u32) -> Parser {
    Parser {
        name,
        salt: n * 0x0101_0101,
    }
}

/// Whether a seed's input is looked at thoroughly: read twice, its statements counted, and folded in
/// another order. All inputs are split, routed, interpreted and folded.
pub fn thorough(seed: u64) -> bool {
    seed.is_multiple_of(8)
}
