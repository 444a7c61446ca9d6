//! How much of a recording is taken.

use std::time::Duration;

/// Bounds on one recording. Lengths are counted while decoding; nothing is allocated because a
/// header asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of one file.
    pub max_bytes: u64,
    /// Longest sound in seconds.
    pub max_seconds: u64,
    /// Most samples over all channels (four bytes of memory each).
    pub max_samples: usize,
    /// Most channels.
    pub max_channels: u16,
    /// Lowest and highest sample rate in Hz.
    pub rates: (u32, u32),
    /// Least bytes for each decoded second once ten minutes were decoded: a small file that
    /// swells to hours is an attack, not a call.
    pub min_bytes_per_second: u64,
    /// Wall clock for decoding one file.
    pub decode_budget: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_bytes: 512 << 20,
            max_seconds: 4 * 3600,
            max_samples: 256 << 20,
            max_channels: 8,
            rates: (4_000, 192_000),
            min_bytes_per_second: 16,
            decode_budget: Duration::from_secs(300),
        }
    }
}
